"""What to do: proposals over many settings, and each service of today taken away by itself."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from community_routes.base.columns import LEAST_CHANGE
from community_routes.base.errors import UsageError
from community_routes.commands.options import Common, LeastChange, StudyArgument
from community_routes.commands.session import opened_study, session, whole_numbers


def sweep(
    study: StudyArgument,
    scenarios: Annotated[list[Path], typer.Argument(help="Scenario files to compare.", show_default=False)],
    out: Annotated[Path, typer.Option("--out", help="Folder for the results.", show_default=False)],
    cutoffs: Annotated[
        str | None, typer.Option("--cutoffs", help="Minutes, with commas, as in 30,45,60.", show_default="the study's")
    ] = None,
    speeds: Annotated[
        str | None,
        typer.Option(
            "--speeds", help="Walking speeds in km/h, with commas.", show_default="the study's, a sixth less and more"
        ),
    ] = None,
    windows: Annotated[
        str | None,
        typer.Option(
            "--windows",
            help="Windows of the study or times such as 14:00-15:00, with commas.",
            show_default="all of the study",
        ),
    ] = None,
    least_change: LeastChange = 100 * LEAST_CHANGE,
    *,
    common: Common,
) -> None:
    """Compare proposals over cutoffs, walking speeds and windows: in which settings does the order turn?"""
    from community_routes.base.files import check_replaceable
    from community_routes.evaluation.proposals import read_scenarios
    from community_routes.evaluation.sweep import sweep as sweep_settings

    minutes = whole_numbers("--cutoffs", cutoffs, "30,45,60") if cutoffs is not None else None
    walking = _numbers("--speeds", speeds, "4.0,4.8,5.6") if speeds is not None else None
    times = [part.strip() for part in windows.split(",")] if windows is not None else None
    with session(common, f"reading {study.name}") as console:
        check_replaceable(out)
        opened = opened_study(console, study, common)
        with console.stopwatch.stage("read"):
            proposals = read_scenarios(scenarios, opened)
        found = sweep_settings(
            opened, proposals, cutoffs_min=minutes, speeds_kmh=walking, windows=times, least_change=least_change / 100,
            threads=common.threads, stopwatch=console.stopwatch, progress=console.progress,
        )  # fmt: skip
        page = found.write(out, stopwatch=console.stopwatch)
    console.say(found.text())
    console.say(f"page: {page}")


def review(
    study: StudyArgument,
    out: Annotated[Path, typer.Option("--out", help="Folder for the results.", show_default=False)],
    periods: Annotated[
        str | None,
        typer.Option(
            "--periods",
            help="Hours in which services are taken away and measured, with commas, as in 07:00-09:00,saturday=10:00-16:00.",
            show_default="early, peaks, daytime and evening of weekdays; Saturdays and Sundays whole",
        ),
    ] = None,
    least_change: LeastChange = 100 * LEAST_CHANGE,
    *,
    common: Common,
) -> None:
    """Take each service away by itself: who would lose what, is anybody left with nothing, and what would it save?"""
    from community_routes.base.files import check_replaceable
    from community_routes.planning.review import review as review_services

    asked = [part.strip() for part in periods.split(",")] if periods is not None else []
    with session(common, f"reading {study.name}") as console:
        check_replaceable(out)
        opened = opened_study(console, study, common)
        found = review_services(
            opened, periods=asked, least_change=least_change / 100, threads=common.threads,
            stopwatch=console.stopwatch, progress=console.progress,
        )  # fmt: skip
        page = found.write(out, stopwatch=console.stopwatch)
    console.say(found.text())
    console.say(f"page: {page}")


def _numbers(option: str, text: str, example: str) -> list[float]:
    try:
        return [float(part) for part in text.split(",")]
    except ValueError:
        raise UsageError(f"{option} {text!r}: write numbers with commas, as in {example}") from None
