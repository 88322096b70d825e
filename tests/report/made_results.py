"""A made-up town as finished results, so that the report is tested without the rest of the program.

The value of neighbourhood ``i`` (counted from 0) is a formula that a test can repeat: see ``value_of``.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from functools import cache
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from community_routes.base.columns import ACCESS_COLUMNS, COMPARISON_COLUMNS, GROUPS_COLUMNS, NOTICES_COLUMNS
from community_routes.report.results import NEAREST_COLUMNS, JourneyView, LegView, Results, ScenarioSummary

LON, LAT = -2.48, 53.74
KINDS = ("employment", "shared_spaces", "shared_spaces/library")
WINDOWS = {"morning_peak": "07:00-09:00", "evening": "18:00-22:00"}
TITLES = ("Evening link Mill Lane - Northgate", "Doubled Sunday buses", "Withdraw the 12")


def cells(n: int, seed: int = 5) -> list[shapely.Geometry]:
    """``n`` polygons that share their borders, about 600 m across."""
    random = np.random.default_rng(seed)
    side = int(np.ceil(np.sqrt(n * 1.35)))
    grid = np.array([(x + 0.5 * (y % 2), y) for y in range(side) for x in range(side)], dtype=float)
    grid = grid[np.argsort(np.hypot(*(grid - grid.mean(axis=0)).T), kind="stable")][:n]
    grid += random.uniform(-0.28, 0.28, grid.shape)
    points = shapely.points(LON + grid[:, 0] * 0.0092, LAT + grid[:, 1] * 0.0052)
    around = shapely.buffer(shapely.MultiPoint(points), 0.0055)
    parts = shapely.get_parts(shapely.voronoi_polygons(shapely.MultiPoint(points), extend_to=around))
    tree = shapely.STRtree(parts)
    found = tree.query(points, predicate="within")
    shapes = [parts[j] for _, j in sorted(zip(*found, strict=True))]
    return [shapely.set_precision(shapely.intersection(shape, around), 1e-6) for shape in shapes]


def value_of(i: int, kind: str, window: str, day: str, cutoff: int, scenario: int) -> float:
    """Places reached from neighbourhood ``i``: more with time and towards the middle, less in the evening and on Sundays.

    A proposal adds ``(i % 5) / 2 * scenario`` in the evening, and takes 0.25 away from every seventh in the morning.
    """
    base = {"employment": 40.0, "shared_spaces": 24.0, "shared_spaces/library": 3.0}[kind]
    value = base * cutoff / 60 * (1 - 0.6 * i / 100) * (0.6 if window == "evening" else 1.0)
    value *= 0.5 if day == "sunday" else 1.0
    if scenario and window == "evening":
        value += (i % 5) / 2 * scenario
    if scenario and window == "morning_peak" and i % 7 == 0:
        value -= 0.25
    return round(value, 6)


def made_results(
    n: int = 25,
    *,
    proposals: int = 1,
    days: Sequence[str] = ("day",),
    is_random: bool = False,
    off_network: int = 3,
    kinds: Sequence[str] = KINDS,
    rename: dict[str, str] | None = None,
    **changes: Any,
) -> Results:
    """Results of a made-up town of ``n`` neighbourhoods; the last ``off_network`` of them lie off the streets.

    ``rename`` replaces names of neighbourhoods, places, stops, routes and proposals; ``changes`` replace attributes.
    """
    content = _content(n, proposals, tuple(days), is_random, off_network, tuple(kinds), tuple((rename or {}).items()))
    return Results(**{**content, **changes})


@cache
def _content(
    n: int,
    proposals: int,
    days: tuple[str, ...],
    is_random: bool,
    off_network: int,
    kinds: tuple[str, ...],
    renamed: tuple[tuple[str, str], ...],
) -> dict[str, Any]:
    rename = dict(renamed)
    zones = _zones(n, off_network, rename)
    titles = [rename.get(title, title) for title in TITLES[:proposals]]
    scenarios = tuple(
        ScenarioSummary(
            id=f"proposal-{k + 1}",
            title=title,
            effects=(f"C{k + 1}: 0 -> {20 + k} departures",),
            notices=("kerb_assumed: Mill Lane",) if k == 0 else (),
            cost={"bus_hours_per_year": 5200.0 + 800 * k, "cost_per_year": 312_000.0 + 40_000 * k},
            is_random=is_random,
        )
        for k, title in enumerate(titles)
    )
    access = _access(zones, days, kinds, proposals)
    comparison = _comparison(access, is_random)
    return {
        "study_id": "made-up",
        "title": "Made-up town",
        "invented": True,
        "settings": {"service dates": "2024-03-05", "cutoffs_min": "30, 45, 60", "max_rides": 3, "walk speed_kmh": 4.8},
        "sources": pd.DataFrame(
            {
                "name": ["town.osm.pbf", "buses.zip"],
                "kind": ["streets", "timetable"],
                "sha256": ["ab" * 32, "cd" * 32],
                "credit": ["© OpenStreetMap contributors (ODbL)", "Made-up Buses"],
            }
        ),
        "zones": zones,
        "destinations": _destinations(zones, rename),
        "stops": _stops(zones, days, rename),
        "routes": _routes(zones, scenarios, rename),
        "background": _background(zones),
        "access": access[access["scenario"] != ""],
        "comparison": comparison,
        "groups": _groups(access, comparison, zones),
        "notices": pd.DataFrame(
            [
                (
                    "warning",
                    "near_edge",
                    "town.osm.pbf",
                    "",
                    "",
                    "",
                    "2 neighbourhoods lie near the edge of the streets",
                ),
                (
                    "info",
                    "kerb_assumed",
                    "proposal-1.yaml",
                    4,
                    "changes.0",
                    "Mill Lane",
                    "the stop on the left was taken",
                ),
            ],
            columns=list(NOTICES_COLUMNS),
        ),
        "scenarios": scenarios,
        "dates": {day: dt.date(2024, 3, 5 + 2 * k) for k, day in enumerate(days)},
        "windows": WINDOWS,
        "nearest_places": _nearest(zones, days, proposals),
        "journeys": _journeys(zones, days, proposals, rename),
        "version": "0.1.0",
    }


def _zones(n: int, off: int, rename: dict[str, str]) -> gpd.GeoDataFrame:
    shapes = cells(n)
    ranks = [1 + (37 * i) % n for i in range(n)]
    names = [f"Ward {'ABCDEFGH'[i % 8]} {i + 1}" for i in range(n)]
    return gpd.GeoDataFrame(
        {
            "id": [f"Z{i + 1:03d}" for i in range(n)],
            "name": [rename.get(name, name) for name in names],
            "group": [f"Ward {'ABCDEFGH'[i % 8]}" for i in range(n)],
            "population": [1000.0 + 10 * i for i in range(n)],
            "deprivation_rank": [float(rank) for rank in ranks],
            "deprivation_decile": [float(1 + (rank - 1) * 10 // n) for rank in ranks],
            "reason": ["off_network" if i >= n - off else "" for i in range(n)],
        },
        geometry=shapes,
        crs="EPSG:4326",
    )


def _access(zones: gpd.GeoDataFrame, days: Sequence[str], kinds: Sequence[str], proposals: int) -> pd.DataFrame:
    rows: list[tuple[object, ...]] = []
    for s in range(proposals + 1):
        scenario = f"proposal-{s}" if s else "today"
        for day in days:
            for window in WINDOWS:
                for kind in kinds:
                    for i, zone in enumerate(zones.itertuples()):
                        start = (
                            scenario,
                            day,
                            window,
                            zone.id,
                            zone.name,
                            zone.population,
                            zone.deprivation_decile,
                            kind,
                        )
                        off = zone.reason == "off_network"
                        for cutoff in (30, 45, 60):
                            value = value_of(i, kind, window, day, cutoff, s)
                            middle = ("cumulative_opportunities", "mean", float(cutoff))
                            rows.append((*start, *middle, np.nan if off else value, "places", zone.reason))
                        minutes = 30.0 - value_of(i, "shared_spaces", window, day, 45, s)
                        rows.append(
                            (*start, "nearest", "p50", np.nan, np.nan if off else minutes, "minutes", zone.reason)
                        )
    return pd.DataFrame(rows, columns=list(ACCESS_COLUMNS))


def _comparison(access: pd.DataFrame, is_random: bool) -> pd.DataFrame:
    keys = ["day", "window", "neighbourhood", "kind", "measure", "reading", "cutoff_min"]
    base = access[access["scenario"] == "today"].set_index(keys)["value"].rename("baseline")
    table = access[access["scenario"] != "today"].join(base, on=keys)
    table["change"] = (table["value"] - table["baseline"]).round(6)
    spread = 0.6 if is_random else 0.0
    table["low"] = (table["change"] - spread).round(6)
    table["high"] = (table["change"] + spread).round(6)
    return table[list(COMPARISON_COLUMNS)].reset_index(drop=True)


def _groups(access: pd.DataFrame, comparison: pd.DataFrame, zones: gpd.GeoDataFrame) -> pd.DataFrame:
    """Fifths by rank with whole neighbourhoods (25 and 95 neighbourhoods divide by five), and wards."""
    n = len(zones)
    fifth = dict(
        zip(zones["id"], [str(1 + (int(rank) - 1) * 5 // n) for rank in zones["deprivation_rank"]], strict=True)
    )
    ward = dict(zip(zones["id"], zones["group"], strict=True))
    both = comparison.drop(columns="value").assign(scenario_value=comparison["value"])
    today = access[access["scenario"] == "today"].assign(
        scenario_value=lambda t: t["value"], baseline=lambda t: t["value"], change=0.0, low=0.0, high=0.0
    )
    both = pd.concat([today, both])
    people, there = both["population"], both["scenario_value"].notna()
    side = np.where(both["measure"] == "nearest", -1, 1) * both["change"].fillna(0.0)
    both = both.assign(
        persons=people,
        persons_covered=people * there,
        persons_better=people * (side > 0),
        persons_worse=people * (side < 0),
        persons_same=people * (there & (side == 0)),
        value=both["scenario_value"] * people,
        **{name: both[name] * people for name in ("baseline", "change", "low", "high")},
    )
    keys = ["scenario", "day", "window", "kind", "measure", "reading", "cutoff_min", "unit"]
    sums = [column for column in GROUPS_COLUMNS if column not in (*keys, "grouping", "group")]
    parts = []
    for grouping, groups in (("local", fifth), ("group", ward)):
        labelled = both.assign(group=both["neighbourhood"].map(groups), grouping=grouping)
        table = labelled.groupby([*keys, "grouping", "group"], dropna=False)[sums].sum().reset_index()
        for name in ("value", "baseline", "change", "low", "high"):
            table[name] = table[name] / table["persons_covered"].where(table["persons_covered"] > 0)
        parts.append(table)
    return pd.concat(parts)[list(GROUPS_COLUMNS)].reset_index(drop=True)


def _destinations(zones: gpd.GeoDataFrame, rename: dict[str, str]) -> gpd.GeoDataFrame:
    inside = zones.geometry.representative_point()
    rows = []
    for i in range(0, len(zones), 6):
        square = inside.iloc[i].buffer(0.0012, cap_style="square")
        name = f"Works {i + 1}"
        rows.append(("employment", f"e{i}", rename.get(name, name), "", 4000.0 + i, square))
    for i in range(1, len(zones), 3):
        name = f"Library {i + 1}" if i % 2 else f"Park {i + 1}"
        kind = "library" if i % 2 else "park"
        rows.append(("shared_spaces", f"s{i}", rename.get(name, name), kind, 1.0, inside.iloc[i]))
    columns = ["key", "id", "name", "kind", "amount", "geometry"]
    return gpd.GeoDataFrame(pd.DataFrame(rows, columns=columns), geometry="geometry", crs="EPSG:4326")


def _stops(zones: gpd.GeoDataFrame, days: Sequence[str], rename: dict[str, str]) -> gpd.GeoDataFrame:
    names = [f"Stop {i + 1}" for i in range(len(zones))]
    data: dict[str, Any] = {
        "id": [f"S{i}" for i in range(len(zones))],
        "name": [rename.get(name, name) for name in names],
    }
    data |= {f"departures_{day}": [10 + i for i in range(len(zones))] for day in days}
    return gpd.GeoDataFrame(
        data,
        geometry=[shapely.Point(shape.centroid.x + 0.001, shape.centroid.y + 0.0004) for shape in zones.geometry],
        crs="EPSG:4326",
    )


def _line(zones: gpd.GeoDataFrame, rows: Sequence[int]) -> shapely.Geometry:
    return shapely.LineString([zones.geometry.iloc[i].centroid.coords[0] for i in rows])


def _routes(zones: gpd.GeoDataFrame, scenarios: Sequence[ScenarioSummary], rename: dict[str, str]) -> gpd.GeoDataFrame:
    west = sorted(range(len(zones)), key=lambda i: zones.geometry.iloc[i].centroid.x)
    south = sorted(range(len(zones)), key=lambda i: zones.geometry.iloc[i].centroid.y)
    rows = [
        ("today", "R1", rename.get("1", "1"), "bus", "#0055aa", False, _line(zones, west[::4])),
        ("today", "R2", rename.get("2", "2"), "bus", "", False, _line(zones, south[::4])),
        ("today", "T", "Valley line", "rail", "", False, _line(zones, south[::9])),
    ]
    for k, scenario in enumerate(scenarios):
        rows.append((scenario.id, f"C{k + 1}", f"C{k + 1}", "bus", "", True, _line(zones, west[k + 2 :: 6])))
    columns = ["scenario", "route_id", "name", "mode", "color", "new", "geometry"]
    return gpd.GeoDataFrame(pd.DataFrame(rows, columns=columns), geometry="geometry", crs="EPSG:4326")


def _background(zones: gpd.GeoDataFrame) -> dict[str, gpd.GeoDataFrame]:
    w, s, e, n = zones.total_bounds
    wave = np.linspace(0, 1, 40)
    river = shapely.LineString(np.c_[w + (e - w) * wave, s + (n - s) * (0.45 + 0.08 * np.sin(wave * 9))])
    road = shapely.LineString([(w, s), ((w + e) / 2, (s + n) / 2), (e, n)])

    def layer(shapes: list[shapely.Geometry], **columns: Any) -> gpd.GeoDataFrame:
        return gpd.GeoDataFrame(columns, geometry=shapes, crs="EPSG:4326")

    return {
        "water": layer([river.buffer(0.0008)]),
        "green": layer([shapely.Point(w + (e - w) * 0.25, s + (n - s) * 0.75).buffer(0.004)]),
        "railways": layer([_line(zones, [0, len(zones) // 2, len(zones) - 1])]),
        "roads": layer([road]),
        "places": layer(
            [
                shapely.Point(w + (e - w) * 0.3, s + (n - s) * 0.35),
                shapely.Point(w + (e - w) * 0.7, s + (n - s) * 0.65),
            ],
            name=["Millton", "Northgate"],
            kind=["town", "suburb"],
        ),
    }


def _nearest(zones: gpd.GeoDataFrame, days: Sequence[str], proposals: int) -> pd.DataFrame:
    rows = []
    for s in range(proposals + 1):
        for day in days:
            for window in WINDOWS:
                for i, zone in enumerate(zones.itertuples()):
                    if zone.reason:
                        continue
                    for rank in range(1, 6):
                        start = (f"proposal-{s}" if s else "today", day, window, zone.id, rank)
                        rows.append((*start, "shared_spaces", f"s{rank}", f"Library {rank}", 6.0 * rank + i % 4 - s))
    return pd.DataFrame(rows, columns=list(NEAREST_COLUMNS))


def _journeys(
    zones: gpd.GeoDataFrame, days: Sequence[str], proposals: int, rename: dict[str, str]
) -> tuple[JourneyView, ...]:
    """From the first neighbourhood: 18:05, walk 5, wait 4, ride 20, walk 3 today; the proposal rides 12."""
    views = []
    stop, works = rename.get("Stop 1", "Stop 1"), rename.get("Works 1", "Works 1")
    start, end = zones.geometry.iloc[0].centroid, zones.geometry.iloc[min(7, len(zones) - 1)].centroid
    lon, lat = np.linspace(start.x, end.x, 5), np.linspace(start.y, end.y, 5)
    for s in range(proposals + 1):
        ride = 20 - 8 * (s > 0)
        depart = 18 * 3600 + 300
        board = depart + 540
        off = board + ride * 60
        legs = (
            LegView("walk", "", zones["name"].iloc[0], stop, depart, depart + 300, 0, lon[:2], lat[:2]),
            LegView("bus", "C1" if s else "1", stop, "Stop 8", board, off, 240, lon[1:4], lat[1:4]),
            LegView("walk", "", "Stop 8", works, off, off + 180, 0, lon[3:], lat[3:]),
        )
        scenario = f"proposal-{s}" if s else "today"
        views.append(JourneyView(scenario, days[0], depart, "Z001", works, legs, 2.0, 22 * 3600 + 1800))
    return tuple(views)
