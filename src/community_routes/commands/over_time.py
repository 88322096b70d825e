"""Evaluations over time: runs of other years, dates and populations compared."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from community_routes.commands.options import Common, Template
from community_routes.commands.session import session


def compare(
    runs: Annotated[
        list[Path],
        typer.Argument(
            help="Folders that `run` made, two or more; the others are compared with the first.", show_default=False
        ),
    ],
    out: Annotated[Path, typer.Option("--out", help="Folder for the results.", show_default=False)],
    labels: Annotated[
        str | None,
        typer.Option(
            "--labels", help="Names for the runs with commas, as in 2023,2024.", show_default="the folders' names"
        ),
    ] = None,
    routes: Annotated[
        int, typer.Option("--routes", min=0, help="How many routes are put back one at a time; the others together.")
    ] = 20,
    template: Template = None,
    *,
    common: Common,
) -> None:
    """Compare runs over time: what differs, and which inputs and routes explain the change."""
    from community_routes.network.kept import cache_folder
    from community_routes.over_time.compare import check_out, compare_runs
    from community_routes.over_time.runs import read_runs

    names = [name.strip() for name in labels.split(",")] if labels is not None else []
    with session(common, "reading the runs") as console:
        check_out(out, read_runs(runs, names))
        with console.stopwatch.stage("compare"):
            compared = compare_runs(
                runs,
                labels=names,
                routes=routes,
                threads=common.threads,
                cache=cache_folder(common.cache),
                progress=console.progress,
            )
        console.progress("writing the report")
        with console.stopwatch.stage("report"):
            page = compared.write_report(out, templates=template)
    for remark in compared.remarks:
        console.remark(f"note: {remark}")
    for run, explanation in compared.explanations.items():
        if explanation.reason:
            console.remark(f"note: what explains the change of {run} is not known: {explanation.reason}")
    console.say(f"report: {page}")
