"""The command line: ``community-routes COMMAND``."""

from __future__ import annotations

import errno
import os
import re
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer

from community_routes.cli_options import (
    DEFAULT_THREADS,
    Cache,
    Draws,
    LogJson,
    Maps,
    Pdf,
    Quiet,
    Seed,
    StudyArgument,
    Template,
    Threads,
    Timings,
    Version,
    Xlsx,
    print_version,
)
from community_routes.console import Console
from community_routes.errors import CommunityRoutesError, MachineError, UsageError

app = typer.Typer(
    name="community-routes",
    help="How well deprived neighbourhoods reach employment zones and shared spaces, and what a proposed route would change.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

_COORDINATES = re.compile(r"-\d+(\.\d+)?,-?\d+(\.\d+)?")
INTERRUPTED = 130
_INTERRUPTED_WORDS = "interrupted; nothing that was unfinished was written"
_WRONG_PATH = (errno.ENOENT, errno.ENOTDIR, errno.EISDIR, errno.ENAMETOOLONG, errno.EINVAL, errno.EEXIST)
_SHOW_TRACEBACK = "COMMUNITY_ROUTES_TRACEBACK"

# Typer brings a click of its own in newer versions and uses the package in older ones; both are reached through Typer.
_UsageFault: Any = typer.BadParameter.__mro__[2]


def main() -> None:
    """Run the command line and leave with its exit code."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(encoding="utf-8", errors="replace")
    sys.exit(run_command(sys.argv[1:]))


def run_command(arguments: list[str]) -> int:
    """Run one command line and return its exit code; whatever goes wrong is a message, never a traceback."""
    console = Console(log_json="--log-json" in arguments)
    # A place such as -2.45,53.74 begins like an option; a blank before it makes it a place.
    arguments = [f" {word}" if _COORDINATES.fullmatch(word) else word for word in arguments]
    try:
        result = app(arguments, standalone_mode=False)
        code = result if isinstance(result, int) else 0
        if code == INTERRUPTED:  # newer versions of Typer make an exit of the interruption
            console.fault(_INTERRUPTED_WORDS)
        return code
    except typer.Exit as leave:
        return leave.exit_code
    except _UsageFault as wrong:
        wrong.show()
        return 2
    except (KeyboardInterrupt, typer.Abort):
        console.fault(_INTERRUPTED_WORDS)
        return INTERRUPTED
    except CommunityRoutesError as wrong:
        console.fault(str(wrong))
        return wrong.exit_code
    except MemoryError:
        console.fault("the machine ran out of memory; fewer destinations or origins at a time need less")
        return MachineError.exit_code
    except OSError as wrong:
        console.fault(f"{wrong.strerror or wrong}: {wrong.filename or 'while writing'}")
        return UsageError.exit_code if wrong.errno in _WRONG_PATH else MachineError.exit_code
    except Exception as wrong:
        if os.environ.get(_SHOW_TRACEBACK):
            raise
        console.fault(_unexpected(wrong))
        return MachineError.exit_code


def _unexpected(wrong: Exception) -> str:
    """A fault of the program itself, in words that help whoever reports it."""
    calls = traceback.extract_tb(wrong.__traceback__)
    ours = [call for call in calls if "community_routes" in call.filename] or calls
    place = f" in {Path(ours[-1].filename).name} line {ours[-1].lineno}" if ours else ""
    said = " ".join(str(wrong).split())[:300]
    return (
        f"this is a fault of the program, not of your files: {type(wrong).__name__}{place}: {said}. Nothing that was "
        f"unfinished was written. Please report it; {_SHOW_TRACEBACK}=1 in the environment shows more"
    )


@app.callback()
def _common(
    version: Annotated[
        bool, typer.Option("--version", callback=print_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """How well deprived neighbourhoods reach employment zones and shared spaces, and what a proposed route would change."""


@contextmanager
def _session(quiet: bool, log_json: bool, timings: Path | None, text: str) -> Iterator[Console]:
    """A console for one command, progress while it runs, the timings after it."""
    if timings is not None and timings.is_dir():
        raise UsageError(f"{timings} is a folder; name a file with --timings")
    console = Console(quiet=quiet, log_json=log_json)
    with console.working(text):
        yield console
    console.write_timings(timings)


def _open(console: Console, study: Path, seed: int | None, cache: str | None) -> Any:
    from community_routes.cache import cache_folder
    from community_routes.study import open_study

    if study.suffix.lower() == ".zip":
        raise UsageError(
            f"{study.name} is a timetable; a study file (YAML) is wanted here (`check` also takes a timetable)"
        )
    console.progress(f"reading {study.name}")
    notices: list[Any] = []
    try:
        opened = open_study(study, notices=notices, cache=cache_folder(cache), stopwatch=console.stopwatch)
    except CommunityRoutesError:
        console.notices([notice for notice in notices if notice.severity != "error"])
        raise
    if seed is not None:
        travel = opened.file.travel.model_copy(update={"seed": seed})
        opened = replace(opened, file=opened.file.model_copy(update={"travel": travel}))
    return opened


@app.command()
def demo(
    out: Annotated[Path, typer.Option("--out", help="Folder for the results.")] = Path("out/demo"),
    draws: Draws = 0,
    maps: Maps = True,
    pdf: Pdf = False,
    xlsx: Xlsx = False,
    template: Template = None,
    threads: Threads = DEFAULT_THREADS,
    seed: Seed = None,
    cache: Cache = None,
    quiet: Quiet = False,
    log_json: LogJson = False,
    timings: Timings = None,
    version: Version = False,
) -> None:
    """Run the whole main job on the sample borough (invented), and say where the report is."""
    from community_routes.sample import sample_scenarios, sample_study

    files = {"maps": maps, "pdf": pdf, "workbook": xlsx, "templates": template}
    _run(sample_study(), sample_scenarios(), out, files, draws, threads, seed, cache, quiet, log_json, timings)


@app.command()
def run(
    study: StudyArgument,
    scenarios: Annotated[
        list[Path] | None, typer.Argument(help="Scenario files to compare with today.", show_default=False)
    ] = None,
    out: Annotated[Path, typer.Option("--out", help="Folder for the results.", show_default=False)] = ...,  # type: ignore[assignment]
    draws: Draws = 0,
    maps: Maps = True,
    pdf: Pdf = False,
    xlsx: Xlsx = False,
    template: Template = None,
    threads: Threads = DEFAULT_THREADS,
    seed: Seed = None,
    cache: Cache = None,
    quiet: Quiet = False,
    log_json: LogJson = False,
    timings: Timings = None,
    version: Version = False,
) -> None:
    """Score access today, compare the scenarios, write the report and its tables (the main job)."""
    files = {"maps": maps, "pdf": pdf, "workbook": xlsx, "templates": template}
    _run(study, scenarios or [], out, files, draws, threads, seed, cache, quiet, log_json, timings)


def _run(
    study: Path,
    scenarios: list[Path],
    out: Path,
    files: dict[str, Any],
    draws: int,
    threads: int,
    seed: int | None,
    cache: str | None,
    quiet: bool,
    log_json: bool,
    timings: Path | None,
) -> None:
    from community_routes.comparison import check_replaceable, compare
    from community_routes.evaluation import evaluate
    from community_routes.reading import read_scenarios

    with _session(quiet, log_json, timings, f"reading {study.name}") as console:
        check_replaceable(out)
        watch = console.stopwatch
        opened = _open(console, study, seed, cache)
        with watch.stage("read"):
            proposals = read_scenarios(scenarios, opened)
        today = evaluate(opened, threads=threads, stopwatch=watch, progress=console.progress)
        evaluated = [
            evaluate(opened, proposal, threads=threads, stopwatch=watch, progress=console.progress)
            for proposal in proposals
        ]
        with watch.stage("compare"):
            drawn = {"draws": draws, "seed": opened.file.travel.seed, "threads": threads}
            comparison = compare(today, *evaluated, **drawn, progress=console.progress)
        console.progress("writing the report")
        page = comparison.write_report(out, **files, stopwatch=watch)
    console.notices([*opened.notices, *(n for e in comparison.evaluations for n in e.notices)])
    for evaluation in evaluated:
        for effect in evaluation.applied.effects if evaluation.applied is not None else ():
            console.remark(f"{evaluation.scenario}: {effect}")
    console.say(f"report: {page}")


@app.command()
def check(
    target: Annotated[Path, typer.Argument(help="A study file, or a bare timetable (FEED.zip).", show_default=False)],
    scenarios: Annotated[
        list[Path] | None, typer.Argument(help="Scenario files to check against the study.", show_default=False)
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", help="Folder for notices.csv, written even when there are errors.", show_default=False),
    ] = None,
    strict: Annotated[bool, typer.Option("--strict", help="Warnings are errors.")] = False,
    map_file: Annotated[
        Path | None,
        typer.Option("--map", help="Write a map of the inputs to this HTML file.", show_default=False),
    ] = None,
    threads: Threads = DEFAULT_THREADS,
    seed: Seed = None,
    cache: Cache = None,
    quiet: Quiet = False,
    log_json: LogJson = False,
    timings: Timings = None,
    version: Version = False,
) -> None:
    """Check every input, and list every error and warning with file, row and field."""
    from community_routes.cache import cache_folder
    from community_routes.checking import check_inputs
    from community_routes.input_map import write_input_map

    if map_file is not None and target.suffix.lower() == ".zip":
        raise UsageError("--map draws the inputs of a study; a bare timetable has no neighbourhoods or destinations")
    with _session(quiet, log_json, timings, f"checking {target.name}") as console:
        result = check_inputs(
            target, scenarios or [], cache=cache_folder(cache), stopwatch=console.stopwatch, progress=console.progress
        )
        if out is not None:
            result.write_notices(out)
        if map_file is not None and result.study is not None and result.reached is not None:
            console.progress(f"drawing {map_file.name}")
            write_input_map(map_file, result.study, result.reached)
    console.say(result.text(console.out.width, strict=strict))
    console.log_notices(result.notices)
    if result.failed(strict=strict):
        raise typer.Exit(1)


@app.command()
def matrix(
    study: StudyArgument,
    out: Annotated[Path, typer.Option("--out", help="File to write: .csv or .parquet.", show_default=False)],
    origins: Annotated[
        Path | None,
        typer.Option("--from", help="Places to start from (id, lon, lat).", show_default="the neighbourhoods"),
    ] = None,
    destinations: Annotated[
        Path | None, typer.Option("--to", help="Places to reach.", show_default="all destinations")
    ] = None,
    day: Annotated[str | None, typer.Option("--day", help="Day of the study.", show_default="the only one")] = None,
    window: Annotated[
        str | None,
        typer.Option(
            "--window", help="Window of the study, or a time such as 14:00-15:00.", show_default="the only one"
        ),
    ] = None,
    percentiles: Annotated[
        str | None,
        typer.Option(
            "--percentiles", help="Percentiles of travel time, as in 25,50,75.", show_default="those of the study"
        ),
    ] = None,
    per_departure: Annotated[bool, typer.Option("--per-departure", help="A row for every departure.")] = False,
    arrive_by: Annotated[bool, typer.Option("--arrive-by", help="The window holds deadlines.")] = False,
    reached_only: Annotated[bool, typer.Option("--reached-only", help="Leave out pairs that are not reached.")] = False,
    threads: Threads = DEFAULT_THREADS,
    seed: Seed = None,
    cache: Cache = None,
    quiet: Quiet = False,
    log_json: LogJson = False,
    timings: Timings = None,
    version: Version = False,
) -> None:
    """Write travel times between places, in seconds."""
    from community_routes.matrix import read_places, write_matrix
    from community_routes.matrix_rows import check_ending
    from community_routes.questions import chosen_day, chosen_query

    if per_departure and percentiles is not None:
        raise UsageError("--percentiles and --per-departure exclude each other")
    check_ending(out)
    with _session(quiet, log_json, timings, f"reading {study.name}") as console:
        opened = _open(console, study, seed, cache)
        query = replace(chosen_query(opened, window), arrive_by=arrive_by)
        if percentiles is not None:
            query = replace(query, percentiles=_percentiles(percentiles))
        with console.stopwatch.stage("read"):
            start = read_places(opened, origins) if origins is not None else None
            same = origins is not None and destinations is not None and origins.resolve() == destinations.resolve()
            end = start if same else (read_places(opened, destinations) if destinations is not None else None)
        found = write_matrix(
            opened, query, chosen_day(opened, day), out, origins=start, destinations=end, per_departure=per_departure,
            reached_only=reached_only, threads=threads, stopwatch=console.stopwatch, progress=console.progress,
        )  # fmt: skip
    console.say(f"{out}: {found.n_rows:,} rows, {found.n_origins:,} origins to {found.n_destinations:,} destinations")


@app.command()
def journey(
    study: StudyArgument,
    origin: Annotated[str, typer.Argument(metavar="FROM", help="Id, name or lon,lat.", show_default=False)],
    destination: Annotated[str, typer.Argument(metavar="TO", help="Id, name or lon,lat.", show_default=False)],
    depart: Annotated[
        str | None, typer.Option("--depart", help="When to leave, as in 08:15.", show_default=False)
    ] = None,
    arrive: Annotated[
        str | None, typer.Option("--arrive", help="When to be there, as in 09:00.", show_default=False)
    ] = None,
    day: Annotated[str | None, typer.Option("--day", help="Day of the study.", show_default="the only one")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, with the courses of walks.")] = False,
    threads: Threads = DEFAULT_THREADS,
    seed: Seed = None,
    cache: Cache = None,
    quiet: Quiet = False,
    log_json: LogJson = False,
    timings: Timings = None,
    version: Version = False,
) -> None:
    """Print journeys leg by leg (the fastest first, then those with fewer rides), or why there is none."""
    from community_routes.itinerary import journey as find_journey

    with _session(quiet, log_json, timings, f"reading {study.name}") as console:
        opened = _open(console, study, seed, cache)
        found = find_journey(opened, origin, destination, depart=depart, arrive=arrive, day=day)
    if as_json:
        console.data(found.json())
    else:
        console.say(found.text())


@app.command()
def sites(
    study: StudyArgument,
    file: Annotated[
        Path,
        typer.Argument(
            metavar="SITES", help="CSV with id, lon, lat (name, homes, year), or a map with an id.", show_default=False
        ),
    ],
    out: Annotated[Path, typer.Option("--out", help="Folder for the results.", show_default=False)],
    pages: Annotated[str, typer.Option("--pages", help="Pages of single sites: none.")] = "none",
    strict: Annotated[bool, typer.Option("--strict", help="Judge nothing when a site has a fault.")] = False,
    require_pass: Annotated[
        bool, typer.Option("--require-pass", help="Exit with 4 when a site misses a required standard.")
    ] = False,
    status: Annotated[bool, typer.Option("--status", help="Say how far the batch is, and do nothing else.")] = False,
    block: Annotated[
        int, typer.Option("--block", min=1, help="Sites judged together and kept; results do not depend on it.")
    ] = 1000,
    threads: Threads = DEFAULT_THREADS,
    seed: Seed = None,
    cache: Cache = None,
    quiet: Quiet = False,
    log_json: LogJson = False,
    timings: Timings = None,
    version: Version = False,
) -> None:
    """Judge a batch of development sites against the study's standards; a run that was killed goes on where it was."""
    from community_routes.sites import assess_sites, sites_status

    if pages != "none":
        raise UsageError(f"--pages {pages}: pages of single sites are not written; leave it out, or write --pages none")
    with _session(quiet, log_json, timings, f"reading {study.name}") as console:
        opened = _open(console, study, seed, cache)
        if status:
            console.say(str(sites_status(opened, file, out)))
            return
        found = assess_sites(
            opened, file, out, strict=strict, threads=threads, block=block, stopwatch=console.stopwatch,
            progress=console.progress,
        )  # fmt: skip
    console.notices(list(opened.notices))
    console.say(str(found))
    console.say(f"results: {out / 'sites.csv'}")
    if code := found.exit_code(require_pass=require_pass):
        raise typer.Exit(code)


@app.command("export-gtfs")
def export_gtfs(
    study: StudyArgument,
    scenario: Annotated[Path, typer.Argument(help="Scenario file.", show_default=False)],
    file: Annotated[Path, typer.Argument(help="The zip to write.", show_default=False)],
    threads: Threads = DEFAULT_THREADS,
    seed: Seed = None,
    cache: Cache = None,
    quiet: Quiet = False,
    log_json: LogJson = False,
    timings: Timings = None,
    version: Version = False,
) -> None:
    """Write the timetable as a scenario changes it, as a GTFS zip."""
    from community_routes.evaluation import applied_to
    from community_routes.reading import read_scenarios
    from community_routes.sources.gtfs_write import write_feed

    if file.suffix.lower() != ".zip" or file.is_dir():
        raise UsageError(f"{file}: a timetable is written as a file that ends in .zip")
    with _session(quiet, log_json, timings, f"reading {study.name}") as console:
        opened = _open(console, study, seed, cache)
        (proposal,) = read_scenarios([scenario], opened)
        applied = applied_to(opened, proposal, [])
        write_feed(applied.feed, file, date_stamp=min(opened.file.dates.values()))
    for effect in applied.effects:
        console.remark(str(effect))
    console.say(str(file))


@app.command()
def isochrone(
    study: StudyArgument,
    place: Annotated[str, typer.Argument(metavar="PLACE", help="Id, name or lon,lat.", show_default=False)],
    out: Annotated[
        Path, typer.Option("--out", help="File to write: .geojson, .html, .png or .svg.", show_default=False)
    ],
    depart: Annotated[
        str | None, typer.Option("--depart", help="When to leave it, as in 08:15.", show_default=False)
    ] = None,
    arrive: Annotated[
        str | None,
        typer.Option("--arrive", help="When to be there, as in 09:00: from where one can.", show_default=False),
    ] = None,
    minutes: Annotated[str, typer.Option("--minutes", help="Limits in minutes, with commas.")] = "15,30,45",
    day: Annotated[str | None, typer.Option("--day", help="Day of the study.", show_default="the only one")] = None,
    threads: Threads = DEFAULT_THREADS,
    seed: Seed = None,
    cache: Cache = None,
    quiet: Quiet = False,
    log_json: LogJson = False,
    timings: Timings = None,
    version: Version = False,
) -> None:
    """Map how far one gets from a place, or from where one gets to it, in so many minutes by public transport and on foot."""
    from community_routes.isochrone import check_map_ending
    from community_routes.isochrone import isochrone as find_isochrone

    check_map_ending(out)
    limits = _whole_numbers("--minutes", minutes, "15,30,45")
    with _session(quiet, log_json, timings, f"reading {study.name}") as console:
        opened = _open(console, study, seed, cache)
        with console.stopwatch.stage("routing"):
            found = find_isochrone(opened, place, depart=depart, arrive=arrive, minutes=limits, day=day)
        with console.stopwatch.stage("report"):
            found.write(out)
    console.say(f"{out}: {found.title}; {len(found.stops):,} stops that vehicles serve in time")


@app.command("new-scenario")
def new_scenario(
    study: StudyArgument,
    name: Annotated[str, typer.Argument(help="Id of the scenario, which is also the file's name.", show_default=False)],
    out: Annotated[
        Path | None, typer.Option("--out", help="File to write.", show_default="NAME.yaml beside the study")
    ] = None,
    threads: Threads = DEFAULT_THREADS,
    seed: Seed = None,
    cache: Cache = None,
    quiet: Quiet = False,
    log_json: LogJson = False,
    timings: Timings = None,
    version: Version = False,
) -> None:
    """Write a scenario file to start from, with names that exist in the study; every change in it is a comment."""
    from community_routes.report.cells import publish
    from community_routes.scenarios.template import new_scenario_template

    path = out if out is not None else study.parent / f"{name}.yaml"
    if path.stem != name:
        raise UsageError(
            f"a scenario's id is the name of its file: {name!r} is written to {name}.yaml, not {path.name}"
        )
    if path.exists():
        raise UsageError(f"{path} is there already; choose another name")
    with _session(quiet, log_json, timings, f"reading {study.name}") as console:
        opened = _open(console, study, seed, cache)
        text = new_scenario_template(
            name, opened.feed, opened.file.dates, zones=opened.zones, opportunities=opened.opportunities
        )
        publish(path, text.encode("utf-8"))
    console.say(str(path))


@app.command()
def diff(
    study: StudyArgument,
    scenario: Annotated[Path, typer.Argument(help="Scenario file.", show_default=False)],
    threads: Threads = DEFAULT_THREADS,
    seed: Seed = None,
    cache: Cache = None,
    quiet: Quiet = False,
    log_json: LogJson = False,
    timings: Timings = None,
    version: Version = False,
) -> None:
    """Say how the timetable under a scenario differs from today's: routes, departures by period, stops."""
    from community_routes.evaluation import applied_to
    from community_routes.reading import read_scenarios
    from community_routes.scenarios.feed_diff import diff_feeds

    with _session(quiet, log_json, timings, f"reading {study.name}") as console:
        opened = _open(console, study, seed, cache)
        (proposal,) = read_scenarios([scenario], opened)
        found = diff_feeds(opened.feed, applied_to(opened, proposal, []).feed, opened.file.dates)
    for sentence in found.words():
        console.say(sentence)


@app.command()
def fetch(
    authority: Annotated[
        str, typer.Argument(help="Name or ONS code of an authority of England or Wales.", show_default=False)
    ],
    out: Annotated[Path, typer.Option("--out", help="Folder for the data and the study file.", show_default=False)],
    rail: Annotated[
        Path | None, typer.Option("--rail", help="GTFS zip of trains, which the bus data lacks.", show_default=False)
    ] = None,
    jobs: Annotated[
        Path | None, typer.Option("--jobs", help="Table of jobs of your own (id, lon, lat, jobs).", show_default=False)
    ] = None,
    deprivation: Annotated[
        Path | None,
        typer.Option("--deprivation", help="Table of deprivation of your own (needed for Wales).", show_default=False),
    ] = None,
    imd: Annotated[int, typer.Option("--imd", help="Year of the English index of deprivation: 2025 or 2019.")] = 2025,
    county: Annotated[
        list[str] | None,
        typer.Option("--county", help="Extract of streets; may be given again.", show_default="those it lies in"),
    ] = None,
    region: Annotated[
        str, typer.Option("--region", help="Region of the bus timetable.", show_default="the one it lies in")
    ] = "",
    buffer_km: Annotated[
        float, typer.Option("--buffer-km", help="How far streets and timetable reach beyond the border.")
    ] = 5.0,
    without: Annotated[
        list[str] | None,
        typer.Option("--without", help="Leave out jobs, naptan, ethnicity, cars or deprivation.", show_default=False),
    ] = None,
    sources: Annotated[
        Path | None, typer.Option("--sources", help="YAML or JSON file with other addresses.", show_default=False)
    ] = None,
    threads: Threads = DEFAULT_THREADS,
    seed: Seed = None,
    cache: Cache = None,
    quiet: Quiet = False,
    log_json: LogJson = False,
    timings: Timings = None,
    version: Version = False,
) -> None:
    """Download open data for an authority, and write a study that is ready to run."""
    from community_routes.cache import cache_folder
    from community_routes.sources.fetch import Options, fetch_authority

    options = Options(tuple(county or ()), region, rail, jobs, deprivation, imd, buffer_km, frozenset(without or ()))
    with _session(quiet, log_json, timings, f"fetching {authority}") as console, console.stopwatch.stage("read"):
        fetched = fetch_authority(
            authority, out, options=options, sources=sources, cache=cache_folder(cache), progress=console.progress
        )
    for remark in fetched.remarks:
        console.remark(remark)
    console.say(f"{fetched.study}: {fetched.name}, {fetched.n_areas:,} neighbourhoods; next: community-routes check")


@app.command()
def doctor(
    threads: Threads = DEFAULT_THREADS,
    seed: Seed = None,
    cache: Cache = None,
    quiet: Quiet = False,
    log_json: LogJson = False,
    timings: Timings = None,
    version: Version = False,
) -> None:
    """Say whether this installation works: versions, threads, the cache, and a self-test of a few seconds."""
    from community_routes.cache import cache_folder
    from community_routes.doctor import examine, told

    with _session(quiet, log_json, timings, "testing") as console:
        findings = examine(cache_folder(cache))
    console.say(told(findings))
    if not all(finding.good for finding in findings):
        raise typer.Exit(MachineError.exit_code)


def _percentiles(text: str) -> tuple[int, ...]:
    return tuple(sorted(set(_whole_numbers("--percentiles", text, "25,50,75"))))


def _whole_numbers(option: str, text: str, example: str) -> list[int]:
    try:
        return [int(part) for part in text.split(",")]
    except ValueError:
        raise UsageError(f"{option} {text!r}: write whole numbers with commas, as in {example}") from None


if __name__ == "__main__":
    main()
