"""The workbench as a web application: the page, and the API under ``/api/v1`` that it uses."""

from __future__ import annotations

import asyncio
import gzip
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from importlib.resources import files as package_files
from pathlib import Path
from typing import Any, TypeVar

import jinja2
import numpy as np
from fastapi import APIRouter, FastAPI, Request, Security
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, JSONResponse, Response
from fastapi.security import APIKeyHeader
from numpy.typing import NDArray
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.middleware.gzip import GZipMiddleware

from community_routes.base.errors import CommunityRoutesError, ScenarioError, UsageError
from community_routes.base.notices import Notice
from community_routes.base.version import __version__
from community_routes.evaluation.case import TODAY, Study
from community_routes.evaluation.proposals import export_timetable
from community_routes.network.store import key_of
from community_routes.planning.optimising.aim import EVERYONE, MOST_DEPRIVED, named_group
from community_routes.planning.optimising.candidates import CUTS, routes_near
from community_routes.planning.optimising.limits import Budget
from community_routes.report.frame import leaflet_files, page_environment, template_source
from community_routes.scenarios.file import Scenario
from community_routes.workbench import models as m
from community_routes.workbench.answering import faults_of, figures_of, neighbourhoods_of, scales_of
from community_routes.workbench.catalogue import study_answer
from community_routes.workbench.desk import Desk, NotReadyError
from community_routes.workbench.document import edited
from community_routes.workbench.drawing import changes_in, drawn
from community_routes.workbench.files import ChangedOnDiskError, ReadOnlyError
from community_routes.workbench.guard import TOKEN_HEADER, Allowed, Guard
from community_routes.workbench.jobs import Jobs
from community_routes.workbench.mapping import map_answer
from community_routes.workbench.questions import (
    isochrone_answer,
    journey_answer,
    matrix_answer,
    neighbourhood_answer,
    way_answer,
)

Made = TypeVar("Made")
API = "/api/v1"
LONGEST_S = 120.0
"""A question that takes longer is given up."""
_TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml", ".png": "image/png"}
_FAULT = {"model": m.Refusal}
_REFUSALS: dict[int | str, dict[str, Any]] = {
    400: {**_FAULT, "description": "The Host is not this server's, or the body is no JSON."},
    401: {**_FAULT, "description": "The token of the session is missing or wrong."},
    403: {**_FAULT, "description": "The Origin is another page's, or the server only shows (`--read-only`)."},
    408: {**_FAULT, "description": "The body took too long to arrive."},
    413: {**_FAULT, "description": "The body is too large."},
    415: {**_FAULT, "description": "The body is not declared to be JSON."},
    422: {**_FAULT, "description": "The body does not fit this description, or names what the study has not."},
    507: {**_FAULT, "description": "The disk is full, or nobody may write there."},
    503: {
        **_FAULT,
        "description": "The study is still being read, too many requests wait, or the question took too long.",
    },
}
_NOT_FOUND: dict[int | str, dict[str, Any]] = {404: {**_FAULT, "description": "There is no such job or file."}}
_CONFLICT: dict[int | str, dict[str, Any]] = {409: {**_FAULT, "description": "Somebody else changed the file."}}


class _GoneError(Exception):
    """Nobody waits for the answer any more."""


@dataclass
class Workbench:
    """A session: its desk, its reports, and the line in which questions wait."""

    desk: Desk
    jobs: Jobs
    token: str
    _line: asyncio.Lock = field(default_factory=asyncio.Lock)
    _drawing: threading.Lock = field(default_factory=threading.Lock)
    _map: tuple[bytes, bytes] | None = None
    _under_way: set[asyncio.Task[Any]] = field(default_factory=set)

    async def turn(self, request: Request, work: Callable[[], Made]) -> Made:
        """Do what takes the search, one question at a time; one whose asker has gone is left out.

        Raises
        ------
        NotReadyError
            It took too long; its thread goes on, and the next question waits for it.
        """

        async def in_line() -> Made:
            async with self._line:
                if await request.is_disconnected():
                    raise _GoneError
                return await run_in_threadpool(work)

        task = asyncio.create_task(in_line())
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)
        try:
            return await asyncio.wait_for(asyncio.shield(task), LONGEST_S)
        except TimeoutError:
            task.add_done_callback(lambda done: done.exception())
            message = f"this takes more than {LONGEST_S:.0f} s here; save it and use `community-routes run`"
            raise NotReadyError(message) from None

    @property
    def map(self) -> tuple[bytes, bytes]:
        """The map as JSON, plain and packed; made once for each content of the study's files."""
        with self._drawing:
            if self._map is None:
                self._map = _map_of(self.desk.study, keep=self.desk.from_files)
            return self._map

    # -- answers ------------------------------------------------------------------------------------------------------------

    def answer(self, asked: m.AnswerQuestion) -> m.AnswerAnswer:
        """The figures of a proposal; faults in their place where it has any that stop it."""
        began = time.perf_counter()
        files, text = dict(asked.files), None
        own = self._text(asked)
        if asked.edit is not None:
            try:
                text = own = edited(own, asked.edit)
            except ScenarioError as wrong:
                return m.AnswerAnswer(seconds=0.0, faults=_faults(wrong), changes=changes_in(own))
            files[asked.scenario] = own
        try:
            live = self.desk.live(asked.choice)
            answer = self.desk.answer(files, asked.scenario, asked.choice)
        except (NotReadyError, UsageError):
            raise
        except CommunityRoutesError as wrong:
            return m.AnswerAnswer(text=text, seconds=0.0, faults=_faults(wrong), changes=changes_in(own))
        choice = self.desk.choice_of(live.figure, asked.choice.group)
        changes, routes = list[m.ChangeAnswer](), list[m.RouteOnMap]()
        if asked.scenario != TODAY:
            scenario = self.desk.scenario(files, asked.scenario)
            changes, routes = drawn(own, scenario, answer.case, answer.case.said)
        return m.AnswerAnswer(
            text=text,
            seconds=time.perf_counter() - began,
            faults=faults_of(answer.case.said),
            changes=changes,
            figures=figures_of(answer, live, choice),
            neighbourhoods=neighbourhoods_of(answer, live),
            scales=scales_of(live),
            routes=routes,
        )

    def _text(self, asked: m.Texts) -> str:
        """The text of the scenario asked about, as sent or as saved; empty for today."""
        if asked.scenario == TODAY:
            return ""
        text = asked.files.get(asked.scenario)
        text = self.desk.folder.text(asked.scenario) if text is None else text
        if text is None:
            raise UsageError(f"there is no scenario {asked.scenario!r}, neither sent nor in the folder")
        return text

    def edit(self, asked: m.EditQuestion) -> m.EditAnswer:
        """A text after an edit."""
        try:
            return m.EditAnswer(text=edited(asked.text, asked.edit), faults=[])
        except ScenarioError as wrong:
            return m.EditAnswer(text=asked.text, faults=_faults(wrong))

    def check(self, asked: m.Question) -> m.CheckAnswer:
        """What is wrong with a proposal, and what it would do."""
        _ = self._text(asked)
        if asked.scenario == TODAY:
            return m.CheckAnswer(faults=[], sentences=[])
        try:
            scenario = self.desk.scenario(asked.files, asked.scenario)
            case = self.desk.first.case_of(scenario)
        except NotReadyError:
            raise
        except CommunityRoutesError as wrong:
            return m.CheckAnswer(faults=_faults(wrong), sentences=[])
        effects = case.applied.effects if case.applied is not None else []
        return m.CheckAnswer(faults=faults_of(case.said), sentences=[str(effect) for effect in effects])

    def compare(self, asked: m.CompareQuestion) -> m.CompareAnswer:
        """Proposals side by side."""
        live = self.desk.live(asked.choice)
        choice = self.desk.choice_of(live.figure, asked.choice.group)
        rows = []
        for name in asked.scenarios:
            _ = self._text(m.Texts(files=asked.files, scenario=name))
            try:
                answer = self.desk.answer(asked.files, name, asked.choice)
            except (NotReadyError, UsageError):
                raise
            except CommunityRoutesError as wrong:
                rows.append(m.CompareRow(id=name, title=name, faults=_faults(wrong)))
                continue
            figures = figures_of(answer, live, choice)
            rows.append(
                m.CompareRow(id=name, title=answer.case.title, faults=faults_of(answer.case.said), figures=figures)
            )
        return m.CompareAnswer(rows=rows)

    def export(self, asked: m.Texts) -> bytes:
        """The changed timetable as a GTFS zip."""
        _ = self._text(asked)
        today = asked.scenario == TODAY
        scenario = Scenario(scenario="unchanged") if today else self.desk.scenario(asked.files, asked.scenario)
        with tempfile.TemporaryDirectory(prefix="community-routes-") as folder:
            path = Path(folder) / "gtfs.zip"
            export_timetable(self.desk.study, scenario, path)
            return path.read_bytes()

    def report(self, asked: m.ReportQuestion) -> str:
        """Begin a full report; the number of its job."""
        scenarios = [self.desk.scenario(asked.files, name) for name in asked.scenarios if name != TODAY]
        texts = {
            name: text
            for scenario in scenarios
            for name, text in self.desk.texts(asked.files, scenario.scenario).items()
        }
        return self.jobs.start(scenarios, texts)

    def better(self, asked: m.BetterQuestion) -> str:
        """Begin to look for better headways, with the figure that is chosen as the aim; the number of the job.

        Raises
        ------
        ReadOnlyError
        UsageError
            The budget is below zero, the study has no such route, or the group cannot be an aim.
        """
        self.desk.folder.check_writable()
        _ = Budget.given(asked.bus_hours, None, None)
        if asked.routes:
            _ = routes_near(self.desk.opened.case, asked.routes)
        figure = self.desk.live(asked.choice).figure
        group = self.desk.choice_of(figure, asked.choice.group).group
        options = [
            *(f"--bus-hours={asked.bus_hours}", f"--for={_aimed(group, self.desk.study)}", f"--kind={figure.kind}"),
            *(f"--window={figure.day}={figure.window}", f"--measure={figure.measure}"),
            f"--kinds-of-change=headways{'' if asked.bus_hours else f',{CUTS}'}",
        ]
        if figure.cutoff_min is not None:
            options.append(f"--cutoff={figure.cutoff_min}")
        if asked.routes:
            options.append(f"--routes={','.join(asked.routes)}")
        return self.jobs.better(options, asked.minutes)


def _map_of(study: Study, *, keep: bool) -> tuple[bytes, bytes]:
    def make(_: list[Notice]) -> list[NDArray[np.uint8]]:
        plain = map_answer(study).model_dump_json(by_alias=True).encode()
        return [np.frombuffer(content, np.uint8) for content in (plain, gzip.compress(plain, 5))]

    if not keep or study.store is None:
        found = make([])
    else:
        files = study.sources[["name", "kind", "sha256"]].to_numpy(object).tolist()
        streets = study.street_map.content_hash if study.street_map is not None else ""
        found = study.store.get(key_of("map", files, streets, repr(study.file)), make)
    return found[0].tobytes(), found[1].tobytes()


def _aimed(group: str, study: Study) -> str:
    """The group of a choice as an aim names it."""
    grouping, _, name = group.partition(":")
    known = {"all:all": EVERYONE, "local:1": MOST_DEPRIVED}
    aimed = known.get(group, name if grouping == "group" else "")
    if not aimed:
        raise UsageError(
            "better headways are looked for on behalf of all residents, the most deprived fifth or a group of the study; "
            "choose one of them under People"
        )
    _ = named_group(study.zones, aimed)
    return aimed


def _faults(wrong: CommunityRoutesError) -> list[m.Fault]:
    """What an error says, with its places where it has any."""
    notices = faults_of(wrong.notices)
    return notices or [m.Fault(kind=_kind(wrong), message=str(wrong))]


def _kind(wrong: Exception) -> str:
    name = type(wrong).__name__.removesuffix("Error")
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name).lstrip("_")


# ---------------------------------------------------------------------------------------------------------------------------
# The application


def make_app(bench: Workbench, allowed: Allowed) -> Guard:
    """The whole application behind its guard.

    Parameters
    ----------
    bench : Workbench
    allowed : Allowed
        Who may speak to it.
    """
    app = FastAPI(
        title="community_routes workbench",
        version=__version__,
        description="Proposals for public transport, answered at once for every neighbourhood of a study.",
        openapi_url=f"{API}/openapi.json",
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
    )
    app.include_router(api_of(bench))
    app.include_router(_pages(bench))
    app.add_middleware(GZipMiddleware, minimum_size=2_000, compresslevel=4)
    _answer_faults(app)
    return Guard(app, allowed)


def api_of(bench: Workbench) -> APIRouter:
    """The API: what each path takes and gives."""
    token = APIKeyHeader(name=TOKEN_HEADER, scheme_name="session token", auto_error=False)
    api = APIRouter(prefix=API, dependencies=[Security(token)], responses=_REFUSALS)
    _add_questions(api, bench)
    _add_files(api, bench)
    return api


def _add_questions(api: APIRouter, bench: Workbench) -> None:
    """What is asked of a study and of proposals."""
    desk = bench.desk

    @api.get("/state")
    async def state() -> m.State:
        """How far the server is; the only question that is answered before the study is read."""
        return m.State(
            state=desk.state, stage=desk.stage, seconds=round(desk.seconds, 3), faults=faults_of(desk.notices)
        )

    @api.get("/study")
    def study() -> m.StudyAnswer:
        """What can be chosen, the scenario files of the folder, and drafts that were not saved."""
        opened = desk.opened
        start = desk.choice_of(opened.first.figure)
        return study_answer(opened.case, opened.catalogue, desk.folder, start)

    @api.get("/map", response_model=m.MapAnswer)
    def map_of_study(request: Request) -> Response:
        """Streets, neighbourhoods, places, stops and routes of today."""
        plain, packed = bench.map
        if "gzip" in request.headers.get("accept-encoding", ""):
            headers = {"Content-Encoding": "gzip", "Vary": "Accept-Encoding"}
            return Response(packed, media_type="application/json", headers=headers)
        return Response(plain, media_type="application/json", headers={"Content-Encoding": "identity"})

    @api.post("/answer")
    async def answer(asked: m.AnswerQuestion, request: Request) -> m.AnswerAnswer:
        """What a proposal is worth; with `edit`, after one more edit of its text."""
        return await bench.turn(request, lambda: bench.answer(asked))

    @api.post("/edit")
    def edit(asked: m.EditQuestion) -> m.EditAnswer:
        """A text after an edit; all its other lines stay as they are."""
        return bench.edit(asked)

    @api.post("/check")
    async def check(asked: m.Question, request: Request) -> m.CheckAnswer:
        """What is wrong with a proposal, and what each of its changes would do."""
        return await bench.turn(request, lambda: bench.check(asked))

    @api.post("/compare")
    async def compare(asked: m.CompareQuestion, request: Request) -> m.CompareAnswer:
        """Proposals side by side."""
        return await bench.turn(request, lambda: bench.compare(asked))

    @api.post("/neighbourhood")
    async def neighbourhood(asked: m.NeighbourhoodQuestion, request: Request) -> m.NeighbourhoodAnswer:
        """The figures of a neighbourhood and its journeys, today and with the proposal."""
        return await bench.turn(request, lambda: neighbourhood_answer(desk, asked))

    @api.post("/journey")
    async def journey(asked: m.JourneyQuestion, request: Request) -> m.TwoJourneys:
        """A journey today and with the proposal, leg by leg, or why there is none."""
        return await bench.turn(request, lambda: journey_answer(desk, asked))

    @api.post("/isochrone")
    async def isochrone(asked: m.IsochroneQuestion, request: Request) -> m.IsochroneAnswer:
        """How far one gets from a point, today and with the proposal."""
        return await bench.turn(request, lambda: isochrone_answer(desk, asked))

    @api.post("/way")
    def way(asked: m.WayQuestion) -> m.WayAnswer:
        """The street or path nearest to a point, which `close_path` names by its number."""
        return way_answer(desk, asked)

    @api.post("/matrix-row")
    async def matrix_row(asked: m.MatrixQuestion, request: Request) -> m.MatrixAnswer:
        """Minutes from a place to every neighbourhood and destination, today and with the proposal."""
        return await bench.turn(request, lambda: matrix_answer(desk, asked))


def _add_files(api: APIRouter, bench: Workbench) -> None:
    """What is kept on the disk, reports, and the timetable to take away."""
    desk, jobs = bench.desk, bench.jobs

    @api.put("/files/{name}", responses=_CONFLICT)
    def save(name: m.Id, asked: m.FileToSave) -> m.SavedFile:
        """Save a scenario file, unless the disk holds something else than `was`."""
        return m.SavedFile(sha256=desk.folder.save(name, asked.text, asked.was), file=f"{name}.yaml")

    @api.put("/drafts/{name}", status_code=204)
    def keep_draft(name: m.Id, asked: m.DraftToKeep) -> None:
        """Keep a text that is not saved yet beside its file."""
        desk.folder.keep_draft(name, asked.text, asked.base_sha256)

    @api.delete("/drafts/{name}", status_code=204)
    def drop_draft(name: m.Id) -> None:
        """Let go of a draft."""
        desk.folder.drop_draft(name)

    @api.post("/report", responses=_CONFLICT, status_code=202)
    async def report(asked: m.ReportQuestion, request: Request) -> m.Job:
        """Begin the full report of proposals."""
        return m.Job(job=await bench.turn(request, lambda: bench.report(asked)))

    @api.post("/better", status_code=202)
    async def better(asked: m.BetterQuestion, request: Request) -> m.Job:
        """Begin to look for better headways of some routes, within a budget; followed and ended as a report is."""
        return m.Job(job=await bench.turn(request, lambda: bench.better(asked)))

    @api.get("/report/{job}", responses=_NOT_FOUND)
    def report_state(job: m.Name) -> m.JobState:
        """How far a report or a search is."""
        with _known("job"):
            return jobs.state(job)

    @api.delete("/report/{job}", responses=_NOT_FOUND, status_code=204)
    def stop_report(job: m.Name) -> None:
        """End a report or a search that is being made."""
        with _known("job"):
            jobs.stop(job)

    @api.post(
        "/export",
        response_class=Response,
        responses={200: {"content": {"application/zip": {}}, "description": "The timetable with the proposal (GTFS)."}},
    )
    async def export(asked: m.Question, request: Request) -> Response:
        """The changed timetable as GTFS."""
        content = await bench.turn(request, lambda: bench.export(asked))
        headers = {"Content-Disposition": f'attachment; filename="{asked.scenario}.zip"'}
        return Response(content, media_type="application/zip", headers=headers)


def _pages(bench: Workbench) -> APIRouter:
    """The page, its files, and reports that were made."""
    pages = APIRouter(include_in_schema=False)
    page_folder = package_files("community_routes.workbench") / "page"

    @pages.get("/")
    def page() -> HTMLResponse:
        """The page, with the token of the session in it."""
        environment = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined)
        template = environment.from_string((page_folder / "workbench.html").read_text("utf-8"))
        title = bench.desk.title
        return HTMLResponse(template.render(token=bench.token, title=title, version=__version__))

    @pages.get("/static/{name}")
    def static(name: str) -> Response:
        """A script or style sheet of the page; leaflet's and the report's style sheet from where reports take them."""
        shared = {"leaflet.js": "leaflet_js", "leaflet.css": "leaflet_css"}
        ending = Path(name).suffix
        with suppress(OSError, ValueError):
            if name in shared:
                return Response(str(leaflet_files()[shared[name]]), media_type=_TYPES[ending])
            if name == "page.css":
                return Response(str(template_source(page_environment(), name)), media_type=_TYPES[ending])
            if ending in _TYPES and name in {one.name for one in page_folder.iterdir()}:
                return Response((page_folder / name).read_bytes(), media_type=_TYPES[ending])
        raise HTTPException(404)

    @pages.get("/report/{job}/report.html")
    def report_page(job: str) -> Response:
        """A report that was made; the number of its job, which nobody can guess, opens it."""
        with _known("report"):
            return HTMLResponse(bench.jobs.page(job).read_bytes())

    return pages


class _known:  # noqa: N801 - used as a statement
    """What is not there is a 404."""

    def __init__(self, what: str) -> None:
        self._what = what

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is KeyError:
            raise HTTPException(404, f"there is no such {self._what}")


def _answer_faults(app: FastAPI) -> None:
    """Every refusal in one form: ``{"detail": [fault, ...]}``."""

    def refused(status: int, faults: list[m.Fault]) -> JSONResponse:
        return JSONResponse({"detail": [fault.model_dump() for fault in faults]}, status)

    @app.exception_handler(RequestValidationError)
    async def misfit(_: Request, wrong: RequestValidationError) -> JSONResponse:
        faults = [
            m.Fault(kind="misfit", message=_printable(item["msg"]), field=_printable(".".join(map(str, item["loc"]))))
            for item in wrong.errors()[:20]
        ]
        return refused(422, faults)

    @app.exception_handler(HTTPException)
    async def http(_: Request, wrong: HTTPException) -> JSONResponse:
        kind = {400: "bad_body", 404: "not_found", 405: "wrong_method"}.get(wrong.status_code, "refused")
        return refused(wrong.status_code, [m.Fault(kind=kind, message=str(wrong.detail))])

    @app.exception_handler(CommunityRoutesError)
    async def ours(_: Request, wrong: CommunityRoutesError) -> JSONResponse:
        status = 422
        if isinstance(wrong, NotReadyError):
            status = 503
        elif isinstance(wrong, ChangedOnDiskError):
            status = 409
        elif isinstance(wrong, ReadOnlyError):
            status = 403
        return refused(status, _faults(wrong))

    @app.exception_handler(OSError)
    async def disk(_: Request, wrong: OSError) -> JSONResponse:
        name = Path(str(wrong.filename or "")).name
        message = f"{name or 'a file'} cannot be read or written: {wrong.strerror or 'the disk failed'}"
        return refused(
            507, [m.Fault(kind="disk", message=message, cure="see whether there is room, and who may write there")]
        )

    @app.exception_handler(_GoneError)
    async def gone(_: Request, __: _GoneError) -> JSONResponse:
        return refused(503, [m.Fault(kind="gone", message="the request was broken off")])


def _printable(text: str) -> str:
    """A text that JSON can hold: what is no character is left out."""
    return text.encode("utf-8", "replace").decode("utf-8")[:500]
