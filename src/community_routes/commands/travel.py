"""Travel times, journeys and catchments of single places."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from community_routes.base.errors import UsageError
from community_routes.commands.engines import check_engine, engine_of
from community_routes.commands.options import Common, EngineChoice, EngineKind, Scheduler, StudyArgument
from community_routes.commands.session import opened_study, session, whole_numbers


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
    engine: EngineChoice = EngineKind.LOCAL,
    scheduler: Scheduler = None,
    *,
    common: Common,
) -> None:
    """Write travel times between places, in seconds."""
    from community_routes.base.notices import Notice
    from community_routes.evaluation.case import chosen_day, chosen_query
    from community_routes.travel.matrix import read_places, write_matrix
    from community_routes.travel.matrix_file import check_ending

    if per_departure and percentiles is not None:
        raise UsageError("--percentiles and --per-departure exclude each other")
    check_ending(out)
    check_engine(engine, scheduler, common.cache)
    with session(common, f"reading {study.name}") as console:
        opened = opened_study(console, study, common)
        query = replace(chosen_query(opened, window), arrive_by=arrive_by)
        if percentiles is not None:
            query = replace(query, percentiles=_percentiles(percentiles))
        with console.stopwatch.stage("read"):
            start = read_places(opened, origins) if origins is not None else None
            same = origins is not None and destinations is not None and origins.resolve() == destinations.resolve()
            end = start if same else (read_places(opened, destinations) if destinations is not None else None)
        day = chosen_day(opened, day)
        notices: list[Notice] = []
        with engine_of(console, engine, scheduler, common) as searching:
            found = write_matrix(
                opened, query, day, out, origins=start, destinations=end, per_departure=per_departure,
                reached_only=reached_only, threads=common.threads, engine=searching, stopwatch=console.stopwatch,
                progress=console.progress, notices=notices,
            )  # fmt: skip
    console.notices(notices)
    console.say(f"{out}: {found.n_rows:,} rows, {found.n_origins:,} origins to {found.n_destinations:,} destinations")


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
    *,
    common: Common,
) -> None:
    """Print journeys leg by leg (the fastest first, then those with fewer rides), or why there is none."""
    from community_routes.travel.itinerary import journey as find_journey

    with session(common, f"reading {study.name}") as console:
        opened = opened_study(console, study, common)
        found = find_journey(opened, origin, destination, depart=depart, arrive=arrive, day=day)
    console.notices(list(found.notices))
    if as_json:
        console.data(found.json())
    else:
        console.say(found.text())


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
    *,
    common: Common,
) -> None:
    """Map how far one gets from a place, or from where one gets to it, in so many minutes by public transport and on foot."""
    from community_routes.travel.isochrone import check_map_ending
    from community_routes.travel.isochrone import isochrone as find_isochrone

    check_map_ending(out)
    limits = whole_numbers("--minutes", minutes, "15,30,45")
    with session(common, f"reading {study.name}") as console:
        opened = opened_study(console, study, common)
        with console.stopwatch.stage("routing"):
            found = find_isochrone(opened, place, depart=depart, arrive=arrive, minutes=limits, day=day)
        with console.stopwatch.stage("report"):
            found.write(out)
    console.notices(list(found.notices))
    console.say(f"{out}: {found.title}; {len(found.stops):,} stops that vehicles serve in time")


def _percentiles(text: str) -> tuple[int, ...]:
    return tuple(sorted(set(whole_numbers("--percentiles", text, "25,50,75"))))
