"""A study file from files of one's own."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from community_routes.base.errors import UsageError
from community_routes.commands.options import Common
from community_routes.commands.session import session


def init(
    files: Annotated[
        list[Path],
        typer.Argument(
            help="Streets (.osm.pbf), timetables (GTFS .zip), maps of areas and places, tables; or folders of them.",
            show_default=False,
        ),
    ],
    out: Annotated[Path, typer.Option("--out", help="Study file to write.")] = Path("study.yaml"),
    title: Annotated[
        str, typer.Option("--title", help="What the place is called.", show_default="as its neighbourhoods are")
    ] = "",
    *,
    common: Common,
) -> None:
    """Look into files of your own, say what each is, and write a commented study file that uses them."""
    from community_routes.fetch.look import files_of, look_at
    from community_routes.fetch.propose import propose_study
    from community_routes.report.cells import publish
    from community_routes.sources.study.file import study_schema
    from community_routes.sources.study.yaml import STUDY_SCHEMA_NAME, schema_text

    if out.suffix.lower() not in (".yaml", ".yml"):
        raise UsageError(f"--out {out}: a study file ends in .yaml")
    if out.exists():
        raise UsageError(f"{out} is there already; choose another name with --out")
    with session(common, "looking into the files") as console, console.stopwatch.stage("read"):
        looks = []
        for path in files_of(files):
            console.progress(f"looking into {path.name}")
            looks += look_at(path)
    # Outside the session: a question and a spinner cannot share a line.
    proposal = propose_study(looks, out, title=title, ask=_asked if sys.stdin.isatty() and not common.quiet else _first)
    publish(out.with_name(STUDY_SCHEMA_NAME), schema_text(study_schema()).encode("utf-8"))
    publish(out, proposal.text.encode("utf-8"))
    for name, what, fate in proposal.files:
        console.remark(f"{name}: {what}; {fate}")
    for remark in proposal.remarks:
        console.remark(f"to look at: {remark}")
    console.say(f"{out}: next: community-routes check {out}")


def _first(question: str, answers: Sequence[str]) -> int:
    return 0


def _asked(question: str, answers: Sequence[str]) -> int:
    """The number of the answer that a person gives."""
    for number, answer in enumerate(answers, start=1):
        typer.echo(f"  {number}  {answer}", err=True)
    given: int = typer.prompt(question, default=1, type=int, err=True)
    return min(max(given, 1), len(answers)) - 1
