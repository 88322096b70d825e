"""Development sites in a batch."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from community_routes.commands.engines import check_engine, engine_of
from community_routes.commands.options import Common, Searching, StudyArgument
from community_routes.commands.session import opened_study, session


@dataclass(frozen=True)
class Judging:
    """How sites are judged, and what of it is written."""

    pages: Annotated[
        list[str] | None,
        typer.Option(
            "--pages",
            help="Sites that get a page: failed (those that miss a standard, at most 200), all, none, or an id; an id may "
            "be given again.",
            show_default="failed",
        ),
    ] = None
    strict: Annotated[bool, typer.Option("--strict", help="Judge nothing when a site has a fault.")] = False
    require_pass: Annotated[
        bool, typer.Option("--require-pass", help="Exit with 4 when a site misses a required standard.")
    ] = False
    status: Annotated[bool, typer.Option("--status", help="Say how far the batch is, and do nothing else.")] = False
    block: Annotated[
        int, typer.Option("--block", min=1, help="Sites judged together and kept; results do not depend on it.")
    ] = 1000


def sites(
    study: StudyArgument,
    file: Annotated[
        Path,
        typer.Argument(
            metavar="SITES",
            help="CSV with id, lon, lat (name, homes, year, entrances), or a map with an id.",
            show_default=False,
        ),
    ],
    scenarios: Annotated[
        list[Path] | None,
        typer.Argument(help="Scenario files to try on the sites that miss a standard.", show_default=False),
    ] = None,
    out: Annotated[Path, typer.Option("--out", help="Folder for the results.", show_default=False)] = ...,  # type: ignore[assignment]
    scenario: Annotated[
        list[Path] | None,
        typer.Option("--scenario", help="A scenario file, as behind SITES; may be given again.", show_default=False),
    ] = None,
    *,
    judging: Judging,
    searching: Searching,
    common: Common,
) -> None:
    """Judge a batch of development sites against the study's standards; a run that was killed goes on where it was."""
    from community_routes.base.files import check_replaceable
    from community_routes.evaluation.proposals import read_scenarios
    from community_routes.sites import assess_sites, sites_status

    check_engine(searching.engine, searching.scheduler, common.cache)
    check_replaceable(out)
    with session(common, f"reading {study.name}") as console:
        opened = opened_study(console, study, common)
        with console.stopwatch.stage("read"):
            proposals = read_scenarios([*(scenarios or []), *(scenario or [])], opened)
        wanted = judging.pages or ["failed"]
        if judging.status:
            console.say(str(sites_status(opened, file, out, scenarios=proposals, pages=wanted)))
            return
        with engine_of(console, searching.engine, searching.scheduler, common) as engine:
            found = assess_sites(
                opened, file, out, scenarios=proposals, pages=wanted, strict=judging.strict, threads=common.threads,
                engine=engine, block=judging.block, stopwatch=console.stopwatch, progress=console.progress,
            )  # fmt: skip
    console.notices([*opened.notices, *found.notices], where=f"`community-routes check {study} --out DIR`")
    console.say(str(found))
    if found.n_without_page:
        console.remark(f"{found.n_without_page:,} sites for which a page was asked have none (report.html says why)")
    console.say(f"results: {out / 'sites.csv'}")
    if wanted != ["none"]:
        console.say(f"report: {out / 'report.html'}")
    if code := found.exit_code(require_pass=judging.require_pass):
        raise typer.Exit(code)
