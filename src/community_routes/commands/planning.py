"""What to do: proposals over many settings, and each service of today taken away by itself."""

from __future__ import annotations

from dataclasses import dataclass
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


@dataclass(frozen=True)
class Budgets:
    """What a year may take beyond today: one of them."""

    bus_hours: Annotated[
        float | None,
        typer.Option("--bus-hours", help="Further bus-hours a year; 0 moves service about.", show_default=False),
    ] = None
    cost: Annotated[
        float | None,
        typer.Option("--cost", help="Further cost a year, by the study's rates.", show_default=False),
    ] = None
    buses: Annotated[float | None, typer.Option("--buses", help="Further peak vehicles.", show_default=False)] = None


@dataclass(frozen=True)
class Aiming:
    """What is to become better, for whom and when."""

    group: Annotated[
        str,
        typer.Option(
            "--for",
            help="Who is to gain: `everyone`, a group of the census or a ward.",
            show_default="the most deprived fifth",
        ),
    ] = ""
    window: Annotated[
        str | None,
        typer.Option(
            "--window",
            help="Windows of the study, with commas, or DAY=WINDOW; several count alike.",
            show_default="all of the study",
        ),
    ] = None
    kind: Annotated[
        str | None,
        typer.Option("--kind", help="Kind of destinations.", show_default="employment, else the study's first"),
    ] = None
    measure: Annotated[
        str | None, typer.Option("--measure", help="Name of the measure.", show_default="places within reach")
    ] = None
    cutoff: Annotated[
        float | None, typer.Option("--cutoff", help="Minutes.", show_default="the study's middle one")
    ] = None


@dataclass(frozen=True)
class Keeping:
    """What may not be broken."""

    no_group_loses: Annotated[
        str | None,
        typer.Option(
            "--no-group-loses",
            help="The most that any fifth or group of the census may lose, as in 2%.",
            show_default=False,
        ),
    ] = None
    no_group_below: Annotated[
        float | None,
        typer.Option(
            "--no-group-below", help="What each of them must have at least, in the figure's unit.", show_default=False
        ),
    ] = None
    keep_last_buses: Annotated[
        bool,
        typer.Option(
            "--keep-last-buses", help="No neighbourhood's last bus of a day leaves over half an hour earlier."
        ),
    ] = False
    at_most: Annotated[int | None, typer.Option("--at-most", help="So many changes at most.", show_default=False)] = (
        None
    )


@dataclass(frozen=True)
class Choosing:
    """What may be chosen."""

    candidates: Annotated[
        list[Path] | None,
        typer.Option(
            "--candidates", help="A scenario file of your own as one candidate; may be repeated.", show_default=False
        ),
    ] = None
    routes: Annotated[
        str | None,
        typer.Option("--routes", help="Only these routes, with commas.", show_default="all near the neighbourhoods"),
    ] = None
    kinds_of_change: Annotated[
        str | None,
        typer.Option(
            "--kinds-of-change",
            help="Of headways, spans, sunday, extensions, links and cuts, with commas; `none` for your own files alone.",
            show_default="all, cuts only where the budget is 0",
        ),
    ] = None


def optimise(
    study: StudyArgument,
    out: Annotated[Path, typer.Option("--out", help="Folder for the results.", show_default=False)],
    minutes: Annotated[
        float | None,
        typer.Option("--minutes", min=0, help="Cut the search short after so many.", show_default="until it ends"),
    ] = None,
    *,
    budgets: Budgets,
    aiming: Aiming,
    keeping: Keeping,
    choosing: Choosing,
    common: Common,
) -> None:
    """Find the best changes within a year's bus-hours, cost or buses, and say how far from the best of all they can be."""
    from community_routes.base.files import check_replaceable
    from community_routes.planning.optimising.aim import Aim
    from community_routes.planning.optimising.journal import is_cut, journal_beside
    from community_routes.planning.optimising.limits import Floors
    from community_routes.planning.optimising.optimise import Among, Searching
    from community_routes.planning.optimising.optimise import optimise as optimise_services
    from community_routes.routing.runner import Runner

    kept_in = journal_beside(out)
    aim = Aim(aiming.group, _words(aiming.window), aiming.kind, aiming.measure, aiming.cutoff)
    loss = None if keeping.no_group_loses is None else _percent("--no-group-loses", keeping.no_group_loses)
    floors = Floors(loss, keeping.at_most, keeping.no_group_below, keeping.keep_last_buses)
    kinds = None if choosing.kinds_of_change is None else _words(choosing.kinds_of_change)
    among = Among(_words(choosing.routes), () if kinds == ("none",) else kinds, tuple(choosing.candidates or ()))
    with session(common, f"reading {study.name}") as console:
        check_replaceable(out)
        opened = opened_study(console, study, common)
        if is_cut(kept_in):
            console.remark(f"going on from the search that was left in {kept_in.name}")
        runner = Runner.of(common.threads, None, console.stopwatch, console.progress)
        found = optimise_services(
            opened, bus_hours=budgets.bus_hours, cost=budgets.cost, buses=budgets.buses, aim=aim, floors=floors, among=among,
            searching=Searching(minutes, common.seed or 0, kept_in, runner),
        )  # fmt: skip
        page = found.write(out, stopwatch=console.stopwatch)
        kept_in.unlink(missing_ok=True)
    console.say(found.text())
    console.say(f"page: {page}")


def _words(text: str | None) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip()) if text is not None else ()


def _percent(option: str, text: str) -> float:
    try:
        return float(text.removesuffix("%"))
    except ValueError:
        raise UsageError(f"{option} {text!r}: write a percentage, as in 2%") from None


def _numbers(option: str, text: str, example: str) -> list[float]:
    try:
        return [float(part) for part in text.split(",")]
    except ValueError:
        raise UsageError(f"{option} {text!r}: write numbers with commas, as in {example}") from None
