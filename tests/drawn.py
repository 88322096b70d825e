"""Small timetables drawn as text, and the walks around them, for tests whose answer is known before they run.

A line is one trip: ``"7: B 08:02  C 08:05/08:06  D 08:09"`` is route 7; it stays at C from 08:05 to 08:06. Before the colon
may follow ``trip=``, ``block=``, ``service=``, ``agency=`` and ``source=``; behind a time ``[pickup=1]`` and ``[drop_off=1]``.
Stops come in the order in which they are first named, after those of ``stations`` and ``stops``.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from community_routes.base.times import UNREACHED, parse_time
from community_routes.network.walks.points import Links
from community_routes.sources.gtfs.feed import Calendar, Calls, Feed, Shapes
from slow import NO_WALK, SlowSearch

DATE = dt.date(2024, 3, 5)
"""A Tuesday; the service date of a drawn timetable unless it says otherwise."""

_CALL = re.compile(r"(?P<stop>\S+)\s+(?P<arrival>\d+:[\d:]+)(?:/(?P<departure>\d+:[\d:]+))?(?P<types>(?:\[\w+=\d\])*)")
_ANY = {"from_stop": -1, "to_stop": -1, "from_route": -1, "to_route": -1, "from_trip": -1, "to_trip": -1}


def drawn_feed(
    *lines: str,
    stops: Iterable[str] = (),
    stations: Mapping[str, Sequence[str]] | None = None,
    places: Mapping[str, tuple[float, float]] | None = None,
    services: Mapping[str, Iterable[dt.date | str]] | None = None,
    frequencies: Iterable[str] = (),
    transfers: Iterable[str] = (),
    route_types: Mapping[str, int] | None = None,
) -> Feed:
    """A feed in memory.

    Parameters
    ----------
    *lines : str
        One trip each, see above. A trip without a name is ``T<row>``.
    stops : iterable of str
        Stops to put first, or which no trip calls at.
    stations : mapping
        Station and its platforms.
    places : mapping
        Longitude and latitude of stops; the others lie in a row to the east of 0, 50, a hundredth of a degree apart.
    services : mapping
        Service and its dates (``dt.date`` or ``YYYY-MM-DD``), or a season written ``"0123456 2024-01-01 2024-12-31"``
        with the weekdays (0 is Monday). The service ``daily`` of lines without one runs on ``DATE`` alone.
    frequencies : iterable of str
        ``"T0 08:00-09:00 every 10"`` (minutes), with ``exact`` behind it for exact_times.
    transfers : iterable of str
        ``"A > B type=2 min=300 from_trip=T0 to_route=7"``; ``*`` is any stop.
    route_types : mapping
        GTFS type of routes; 3 (bus) for the others.
    """
    station_of = {child: name for name, children in (stations or {}).items() for child in children}
    stop_ids: dict[str, int] = {}
    for name in [*(stations or {}), *station_of, *stops]:
        stop_ids.setdefault(name, len(stop_ids))
    agencies: dict[str, int] = {}
    sources: dict[str, int] = {}
    routes: dict[tuple[str, int], int] = {}
    service_ids: dict[str, int] = {}
    trips, calls = [], []
    for number, line in enumerate(lines):
        head, _, tail = line.partition(":")
        route, *options = head.split()
        said = {"trip": f"T{number}", "service": "daily", "agency": "A", "source": "drawn", "block": ""}
        said |= dict(option.split("=", 1) for option in options)
        agency = agencies.setdefault(said["agency"], len(agencies))
        trips.append(
            {
                "trip_id": said["trip"],
                "route": routes.setdefault((route, agency), len(routes)),
                "service": service_ids.setdefault(said["service"], len(service_ids)),
                "block_id": said["block"],
                "source": sources.setdefault(said["source"], len(sources)),
            }
        )
        calls.append([_call(match, stop_ids) for match in _CALL.finditer(tail)])
        if "".join(_CALL.sub("", tail).split()):
            raise ValueError(f"cannot read {_CALL.sub('', tail).strip()!r} in the drawn trip {line!r}")
    trip_row = {trip["trip_id"]: row for row, trip in enumerate(trips)}
    route_row = {name: row for (name, _), row in routes.items()}
    return feed_of(
        stops=[{"stop_id": name, "parent": stop_ids.get(station_of.get(name, ""), -1),
                "location_type": int(name in (stations or {})), **_place(places or {}, name)} for name in stop_ids],
        routes=[{"route_id": name if agency == 0 else f"{name}@{agency}", "route_short_name": name, "agency": agency,
                 "route_type": (route_types or {}).get(name, 3)} for name, agency in routes],
        trips=trips,
        calls=calls,
        calendar=_calendar(service_ids, services or {}),
        frequencies=[_frequency(text, trip_row) for text in frequencies],
        transfers=[_transfer(text, stop_ids, route_row, trip_row) for text in transfers],
        agencies=list(agencies) or ["A"],
        sources=tuple(sources) or ("drawn",),
    )  # fmt: skip


def _call(match: re.Match[str], stop_ids: dict[str, int]) -> tuple[int, int, int, int, int]:
    types = dict(part.split("=") for part in re.findall(r"\w+=\d", match["types"]))
    arrival = parse_time(match["arrival"])
    departure = parse_time(match["departure"]) if match["departure"] else arrival
    stop = stop_ids.setdefault(match["stop"], len(stop_ids))
    return stop, arrival, departure, int(types.get("pickup", 0)), int(types.get("drop_off", 0))


def _place(places: Mapping[str, tuple[float, float]], name: str) -> dict[str, float]:
    return {"lon": places[name][0], "lat": places[name][1]} if name in places else {}


def _calendar(service_ids: Mapping[str, int], services: Mapping[str, Any]) -> Calendar:
    n = len(service_ids)
    weekdays = np.zeros((n, 7), bool)
    season = np.full((2, n), np.datetime64("NaT", "D"), "datetime64[D]")
    dates = []
    for name, row in service_ids.items():
        given = services.get(name, [DATE])
        if isinstance(given, str):
            days, *ends = given.split()
            weekdays[row, [int(day) for day in days]] = True
            season[:, row] = [np.datetime64(end, "D") for end in ends]
        else:
            dates += [(row, np.datetime64(str(date).removeprefix("-"), "D"), str(date)[0] != "-") for date in given]
    return Calendar(
        np.array(list(service_ids), object),
        weekdays,
        season[0],
        season[1],
        np.array([row for row, _, _ in dates], np.int32),
        np.array([date for _, date, _ in dates], "datetime64[D]"),
        np.array([added for _, _, added in dates], bool),
    )


def _frequency(text: str, trip_row: Mapping[str, int]) -> dict[str, Any]:
    trip, period, _, headway, *exact = text.split()
    start, end = (parse_time(part) for part in period.split("-"))
    return {
        "trip": trip_row[trip],
        "start_s": start,
        "end_s": end,
        "headway_s": round(float(headway) * 60),
        "exact_times": bool(exact),
    }


def _transfer(text: str, stop: Mapping[str, int], route: Mapping[str, int], trip: Mapping[str, int]) -> dict[str, int]:
    from_, _, to, *options = text.split()
    said = dict(option.split("=") for option in options)
    row = _ANY | {"from_stop": stop.get(from_, -1), "to_stop": stop.get(to, -1)}
    for name, rows in {"from_route": route, "to_route": route, "from_trip": trip, "to_trip": trip}.items():
        if name in said:
            row[name] = rows[said[name]]
    return row | {"transfer_type": int(said["type"]), "min_transfer_s": int(said.get("min", -1))}


_COLUMNS: dict[str, dict[str, tuple[str, Any]]] = {
    "stops": {
        "stop_id": ("object", ""), "stop_code": ("object", ""), "stop_name": ("object", ""), "lon": ("float64", np.nan),
        "lat": ("float64", np.nan), "location_type": ("int8", 0), "parent": ("int32", -1), "platform_code": ("object", ""),
        "wheelchair_boarding": ("int8", 0),
    },
    "routes": {
        "route_id": ("object", ""), "agency": ("int32", 0), "route_short_name": ("object", ""),
        "route_long_name": ("object", ""), "route_type": ("int32", 3), "route_color": ("object", ""),
    },
    "trips": {
        "trip_id": ("object", ""), "route": ("int32", 0), "service": ("int32", 0), "direction_id": ("int8", -1),
        "trip_headsign": ("object", ""), "trip_short_name": ("object", ""), "block_id": ("object", ""),
        "shape": ("int32", -1), "wheelchair_accessible": ("int8", 0), "source": ("int32", 0),
    },
    "frequencies": {
        "trip": ("int32", 0), "start_s": ("int32", 0), "end_s": ("int32", 0), "headway_s": ("int32", 0),
        "exact_times": ("bool", False),
    },
    "transfers": dict.fromkeys(_ANY, ("int32", -1)) | {"transfer_type": ("int8", 0), "min_transfer_s": ("int32", -1)},
    "pathways": {
        "from_stop": ("int32", 0), "to_stop": ("int32", 0), "metres": ("float64", np.nan),
        "traversal_s": ("float64", np.nan), "both_ways": ("bool", True), "mode": ("int8", 1),
    },
}  # fmt: skip


def table_of(name: str, rows: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """A table of a feed from its rows; what they leave out has the value of a blank."""
    columns = {}
    for column, (dtype, blank) in _COLUMNS[name].items():
        values = np.empty(len(rows), dtype)
        values[:] = [row.get(column, blank) for row in rows]
        columns[column] = values
    return pd.DataFrame(columns)


def calls_of(calls: Sequence[Sequence[tuple[int, int, int, int, int]]]) -> Calls:
    """Calls from the tuples (stop, arrival, departure, pickup_type, drop_off_type) of each trip."""
    first = np.concatenate([[0], np.cumsum([len(of_trip) for of_trip in calls])]).astype(np.int64)
    flat = np.array([call for of_trip in calls for call in of_trip], np.int64).reshape(-1, 5)
    sequence = [number for of_trip in calls for number in range(len(of_trip))]
    n = len(flat)
    return Calls(first, *flat.T, np.ones(n, bool), np.array(sequence, np.int32), np.full(n, np.nan))  # type: ignore[arg-type]


def feed_of(
    *,
    stops: Sequence[Mapping[str, Any]],
    routes: Sequence[Mapping[str, Any]],
    trips: Sequence[Mapping[str, Any]],
    calls: Sequence[Sequence[tuple[int, int, int, int, int]]],
    calendar: Calendar,
    frequencies: Sequence[Mapping[str, Any]] = (),
    transfers: Sequence[Mapping[str, Any]] = (),
    agencies: Sequence[str] = ("A",),
    sources: tuple[str, ...] = ("drawn",),
) -> Feed:
    """A feed from rows, where ids are row numbers already."""
    table = table_of("stops", stops)
    table["stop_name"] = table["stop_id"]
    spread = table["lon"].isna().to_numpy() & (table["location_type"].to_numpy() == 0)
    table.loc[spread, "lon"] = np.arange(len(table))[spread] / 100
    table.loc[spread, "lat"] = 50.0
    nothing = np.zeros(0)
    return Feed(
        agencies=pd.DataFrame(
            {"agency_id": list(agencies), "agency_name": list(agencies), "agency_timezone": ["Europe/London"] * len(agencies)},
            dtype=object,
        ),
        stops=table,
        routes=table_of("routes", routes),
        trips=table_of("trips", trips),
        calls=calls_of(calls),
        calendar=calendar,
        frequencies=table_of("frequencies", frequencies),
        transfers=table_of("transfers", transfers),
        pathways=table_of("pathways", []),
        shapes=Shapes(np.zeros(0, object), np.zeros(1, np.int64), nothing, nothing, nothing),
        sources=sources,
        content_hash="drawn",
    )  # fmt: skip


def stop_rows(feed: Feed) -> dict[str, int]:
    """Row of each stop by its id."""
    return {name: row for row, name in enumerate(feed.stops["stop_id"])}


def links_of(walk_s: NDArray[np.integer[Any]]) -> Links:
    """Links from a matrix of walks, in which a negative number is no walk; a second is 4/3 of a metre."""
    start, to = np.nonzero(np.asarray(walk_s) >= 0)
    seconds = np.asarray(walk_s)[start, to].astype(np.int32)
    return Links(np.searchsorted(start, np.arange(len(walk_s) + 1)), to.astype(np.int32), seconds, seconds * (4 / 3))


def walks_to_stops(feed: Feed, walks: Sequence[Mapping[str, int]]) -> NDArray[np.int64]:
    """Matrix of walks in seconds from places (or, for egress, to places) to stops named by their ids."""
    rows = stop_rows(feed)
    matrix = np.full((len(walks), len(rows)), NO_WALK, np.int64)
    for place, of_place in enumerate(walks):
        for name, seconds in of_place.items():
            matrix[place, rows[name]] = seconds
    return matrix


def footpath_matrix(feed: Feed, footpaths: Mapping[tuple[str, str], int]) -> NDArray[np.int64]:
    """Matrix of walks between stops: as given, the stop to itself 0."""
    rows = stop_rows(feed)
    matrix = np.full((len(rows), len(rows)), NO_WALK, np.int64)
    np.fill_diagonal(matrix, 0)
    for (from_, to), seconds in footpaths.items():
        matrix[rows[from_], rows[to]] = seconds
    return matrix


def travel_time_s(
    feed: Feed,
    time: str,
    *,
    access: Mapping[str, int],
    egress: Mapping[str, int],
    footpaths: Mapping[tuple[str, str], int] | None = None,
    direct: int | None = None,
    slack_s: int = 0,
    max_rides: int = 3,
    max_travel_s: int = 7200,
    arrive_by: bool = False,
    phase: str = "zero",
    date: dt.date = DATE,
    wheelchair: bool = False,
) -> int | None:
    """Seconds from one origin to one destination by the library, after asking the slow twin too; None where unreached."""
    from community_routes.network.network import assemble_network
    from community_routes.routing.query import Query, Walks
    from community_routes.routing.travel_times import travel_times_by_departure

    at_s = parse_time(time)
    paths = footpath_matrix(feed, footpaths or {})
    to_stops, from_stops = walks_to_stops(feed, [access]), walks_to_stops(feed, [egress])
    all_the_way = np.array([[NO_WALK if direct is None else direct]])
    network = assemble_network(feed, date, links_of(paths), slack_s=slack_s, phase=phase, wheelchair=wheelchair)
    query = Query(window_s=(at_s, at_s + 60), max_rides=max_rides, max_travel_s=max_travel_s, arrive_by=arrive_by)
    walks = Walks(links_of(to_stops), links_of(from_stops), links_of(all_the_way))
    found = int(travel_times_by_departure(network, query, walks)[0, 0, 0])
    if not wheelchair:
        between = (at_s - max_travel_s, at_s) if arrive_by else (at_s, at_s + max_travel_s)
        search = SlowSearch(feed, date, paths, to_stops, from_stops, all_the_way, between_s=between, slack_s=slack_s,
                            max_rides=max_rides, phase=phase)  # fmt: skip
        slow = search.travel_times(np.array([at_s]), rides=max_rides, max_travel_s=max_travel_s, arrive_by=arrive_by)
        assert found == slow[0, 0, 0], f"the library says {found}, the slow twin {slow[0, 0, 0]}"
    return None if found == UNREACHED else found
