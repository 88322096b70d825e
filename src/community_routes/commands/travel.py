"""Travel times, journeys and catchments of single places; routes and stops as a proposal has to name them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from community_routes.base.errors import UsageError
from community_routes.commands.engines import check_engine, engine_of
from community_routes.commands.options import Common, EngineChoice, EngineKind, Scheduler, StudyArgument
from community_routes.commands.session import opened_study, session, whole_numbers

if TYPE_CHECKING:
    import pandas as pd

    from community_routes.commands.console import Console

AsCsv = Annotated[bool, typer.Option("--csv", help="Print CSV.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, a list of rows.")]
Everywhere = Annotated[bool, typer.Option("--all", help="Those outside the study's area too.")]


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


def routes(
    study: StudyArgument,
    route: Annotated[
        str | None, typer.Argument(help="Number or id of a route, to see its stops and times.", show_default="all")
    ] = None,
    agency: Annotated[
        str | None,
        typer.Option("--agency", help="Who runs it, where several routes are called so.", show_default=False),
    ] = None,
    day: Annotated[str | None, typer.Option("--day", help="Day of the study.", show_default="the first one")] = None,
    everywhere: Everywhere = False,
    as_csv: AsCsv = False,
    as_json: AsJson = False,
    *,
    common: Common,
) -> None:
    """List the routes that call in the study's area, or draw the stops and times of one, by pattern."""
    from community_routes.evaluation.case import chosen_day
    from community_routes.travel.lines import list_routes, route_lines, table_text

    with session(common, f"reading {study.name}") as console:
        opened = opened_study(console, study, common)
        if route is None:
            table = list_routes(opened, everywhere=everywhere)
            text = table_text(table, console.out.width)
        else:
            on = chosen_day(opened, day if day is not None else next(iter(opened.file.dates)))
            found = route_lines(opened, route, on, agency=agency)
            table, text = found.table, found.text()
    _print(console, table, text, as_csv=as_csv, as_json=as_json)


def stops(
    study: StudyArgument,
    text: Annotated[str, typer.Argument(help="Part of a name or id.", show_default="all")] = "",
    everywhere: Everywhere = False,
    as_csv: AsCsv = False,
    as_json: AsJson = False,
    *,
    common: Common,
) -> None:
    """List the stops in the study's area whose name or id holds a text, with their routes and calls a day."""
    from community_routes.travel.lines import list_stops, table_text

    with session(common, f"reading {study.name}") as console:
        opened = opened_study(console, study, common)
        table = list_stops(opened, text, everywhere=everywhere)
        shown = table.drop(columns=["lon", "lat"])
    _print(console, table, table_text(shown, console.out.width), as_csv=as_csv, as_json=as_json)


def _print(console: Console, table: pd.DataFrame, text: str, *, as_csv: bool, as_json: bool) -> None:
    if as_csv and as_json:
        raise UsageError("--csv and --json exclude each other")
    if as_csv:
        console.data(table.to_csv(index=False).rstrip("\n"))
    elif as_json:
        console.data(table.to_json(orient="records", force_ascii=False))
    else:
        console.say(text)
