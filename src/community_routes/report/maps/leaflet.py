"""What the interactive map's script is given: shapes, names and figures already rounded for people."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from community_routes.report import words
from community_routes.report.figures import Figures, strongest
from community_routes.report.lead import Slot, View, slot_name
from community_routes.report.maps import geo, svg
from community_routes.report.maps.description import scales
from community_routes.report.maps.ground import ground_of
from community_routes.report.maps.scale import Scale
from community_routes.report.results import TODAY, Results

_MOST_FIGURES = 160_000
_FIRST = ("cumulative_opportunities", "nearest")
_BACKGROUND_BYTES = 400_000
_TINY = 0.001


def for_people(values: NDArray[np.float64]) -> list[float | int | None]:
    """Rounded as the page rounds them; what is not zero stays so (0.001 is shown as "under 0.01")."""
    there = np.isfinite(values)
    known = np.where(there, values, 0.0)
    shown = words.rounded_all(known)
    shown = np.where((shown == 0) & (known != 0), np.copysign(_TINY, known), shown)
    found = shown.astype(object)
    whole = shown == np.rint(shown)
    found[whole] = [int(value) for value in shown[whole].tolist()]
    found[~there] = None
    out: list[float | int | None] = found.tolist()
    return out


def scale_json(scale: Scale) -> dict[str, Any]:
    """Breaks, colours and labels."""
    return {"breaks": list(scale.breaks), "colors": list(scale.colors), "labels": list(scale.labels)}


def map_content(figures: Figures, start: tuple[Slot, str] | None = None) -> dict[str, Any]:
    """Everything the script draws and says; ``start`` is the time of day and kind of place that it opens with."""
    results = figures.results
    frame = geo.frame_of(results.zones)
    # On a screen the map is 800 by 640 pixels: names are laid out for that, whichever side is the shorter.
    screen = geo.frame_of(results.zones, width=min(800.0, 640.0 * frame.width / frame.height))
    shown = _shown(figures)
    lines = {name: scales(figures, *key) for name, key in shown.items()}
    measured = {name: pair for name, pair in lines.items() if pair is not None}
    days = list(dict.fromkeys(slot.day for slot in figures.all_slots))
    return {
        "start": _start(figures, start),
        "aspect": round(frame.height / frame.width, 4),
        "box": [[frame.south, frame.west], [frame.north, frame.east]],
        "people": results.has_population,
        "zones": _zones(results),
        "scenarios": [
            {
                "id": s.id,
                "letter": results.letter(s.id),
                "title": s.title,
                "random": s.is_random,
                "acts": _acts(figures, s.id),
            }
            for s in results.scenarios
        ],
        "slots": [
            {
                "day": slot.day,
                "window": slot.window,
                "name": slot_name(slot, results.windows, days),
                "short": slot_name(slot, {}, days),
                "dayName": words.day_name(slot.day),
                "windowName": words.window_name(slot.window, results.windows),
            }
            for slot in figures.all_slots
        ],
        "kinds": [
            {"id": kind, "name": words.sentence_case(words.kind_name(kind))}
            for kind in figures.kinds
            if any(name.startswith(kind + "|") for name in measured)
        ],
        "views": [{"id": f"v{i}", "name": view.name, "low": view.low_is_good} for i, view in enumerate(figures.views)],
        "figures": {
            name: {
                "unit": words.unit_name(figures.unit(*shown[name])),
                "level": scale_json(pair[0]),
                "change": scale_json(pair[1]),
                "values": _values(figures, *shown[name]),
            }
            for name, pair in measured.items()
        },
        "routes": _routes(results, frame),
        "nearest": _nearest(figures),
        "journeys": _journeys(figures),
        "stops": _stops(results, frame),
        "postcodes": {code: figures.zone_row[zone] for code, zone in sorted(results.postcodes.items())},
        "places": _destinations(results, frame),
        "background": _background(results),
        "labels": [
            {"name": name, "kind": kind, "at": [round(lat, 5), round(lon, 5)]}
            for name, kind, lon, lat in svg.place_labels(results, screen, letter=6.8)
        ],
    }


def _start(figures: Figures, start: tuple[Slot, str] | None) -> dict[str, Any]:
    """What the map opens with."""
    slot, kind = start or (figures.slots[0], figures.headline_kinds[0])
    return {
        "slot": figures.all_slots.index(slot),
        "kind": kind,
        "view": f"v{figures.views.index(figures.headline_view)}",
    }


def _acts(figures: Figures, scenario: str) -> dict[str, Any]:
    """Where and when a proposal acts."""
    slot, kind = strongest(figures, scenario)
    return {"slot": figures.all_slots.index(slot), "kind": kind}


def _shown(figures: Figures) -> dict[str, tuple[str, View]]:
    """Kinds and views on the map, by ``kind|view``: whole kinds first, then their parts, as many as there is room for."""
    results = figures.results
    slots: dict[tuple[str, View], int] = {}
    for slot in figures.all_slots:
        for kind in figures.kinds:
            for view in figures.views:
                if figures.zone_rows("access", TODAY, slot, kind, view) is not None:
                    slots[kind, view] = slots.get((kind, view), 0) + 1
    lead = figures.headline_view

    def rank(pair: tuple[str, View]) -> tuple[int, int, int]:
        kind, view = pair
        order = 0 if "/" not in kind else 1 if view == lead else 2 if view.measure in _FIRST else 3
        return order, figures.kinds.index(kind), figures.views.index(view)

    room = _MOST_FIGURES
    chosen: dict[str, tuple[str, View]] = {}
    for kind, view in sorted(slots, key=rank):
        room -= slots[kind, view] * len(results.zones) * (1 + len(results.scenarios))
        if room >= 0 and not _is_repeated(figures, kind, view):
            chosen[f"{kind}|v{figures.views.index(view)}"] = (kind, view)
    return chosen


def _is_repeated(figures: Figures, kind: str, view: View) -> bool:
    """The number of places, where places are what is reached anyway."""
    reached = View("cumulative_opportunities", view.reading, view.cutoff_min)
    return view.measure == "n_places" and figures.unit(kind, reached) == "places" and reached in figures.views


def _values(figures: Figures, kind: str, view: View) -> dict[str, Any]:
    """Levels, changes and unsure neighbourhoods by ``scenario|slot``; a change of nothing at all is 0."""
    out: dict[str, Any] = {}
    ids = [TODAY, *(s.id for s in figures.results.scenarios)]
    for s, scenario in enumerate(ids):
        for i, slot in enumerate(figures.all_slots):
            level = figures.zone_values("access", "value", scenario, slot, kind, view)
            if level is None:
                continue
            entry: dict[str, Any] = {"v": for_people(level)}
            if s:
                entry |= _change(figures, scenario, slot, kind, view)
            out[f"{s}|{i}"] = entry
    return out


def _change(figures: Figures, scenario: str, slot: Slot, kind: str, view: View) -> dict[str, Any]:
    change = figures.zone_values("comparison", "change", scenario, slot, kind, view)
    if change is None:
        return {}
    there = np.isfinite(change)
    if not np.any(change[there]):
        return {"c": 0}
    entry: dict[str, Any] = {"c": for_people(change)}
    low = figures.zone_values("comparison", "low", scenario, slot, kind, view)
    high = figures.zone_values("comparison", "high", scenario, slot, kind, view)
    if low is not None and high is not None and np.any(low[there] < high[there]):
        entry |= {"l": for_people(low), "h": for_people(high)}
    return entry


def _zones(results: Results) -> list[dict[str, Any]]:
    shapes = geo.polygon_lists(geo.simple_zones(results.zones))
    out = []
    for (_, row), shape in zip(results.zones.iterrows(), shapes, strict=True):
        decile = row["deprivation_decile"]
        out.append(
            {
                "id": str(row["id"]),
                "name": str(row["name"]),
                "group": "" if pd.isna(row["group"]) else str(row["group"]),
                "persons": None if pd.isna(row["population"]) else round(float(row["population"])),
                "decile": None if pd.isna(decile) else int(decile),
                "off": str(row["reason"]) == "off_network",
                "shape": shape,
            }
        )
    return out


def _routes(results: Results, frame: geo.Frame) -> list[dict[str, Any]]:
    """Today's routes by mode, each street once, and the new and changed routes of the proposals one by one."""
    routes = results.routes
    out = []
    today = routes[routes["scenario"] == TODAY]
    for mode, part in today.groupby(today["mode"].astype(str), sort=True):
        lines = geo.latlon_lists([geo.network_of(part.geometry, frame)])[0]
        if lines:
            out.append({"scenario": TODAY, "name": "", "mode": mode, "new": False, "lines": lines})
    proposed = routes[routes["scenario"] != TODAY]
    gone = "withdrawn" in routes
    drawn = geo.latlon_lists(geo.simple_lines(proposed.geometry, frame))
    for (_, row), lines in zip(proposed.iterrows(), drawn, strict=True):
        if lines:
            out.append(
                {
                    "scenario": str(row["scenario"]),
                    "name": str(row["name"]),
                    "mode": str(row["mode"]),
                    "new": bool(row["new"]),
                    "gone": gone and bool(row["withdrawn"]),
                    "lines": lines,
                }
            )
    return out


def _nearest(figures: Figures) -> dict[str, Any]:
    """The nearest places of each neighbourhood: names once, then ``scenario|slot`` -> zone -> [name, kind, minutes]."""
    table = figures.results.nearest_places
    ids = {scenario: i for i, scenario in enumerate([TODAY, *(s.id for s in figures.results.scenarios)])}
    slots = {(slot.day, slot.window): i for i, slot in enumerate(figures.all_slots)}
    names: dict[str, int] = {}
    found: dict[str, dict[str, list[list[Any]]]] = {}
    columns = ["scenario", "day", "window", "neighbourhood", "kind", "name", "minutes"]
    ordered = table.sort_values("rank", kind="stable") if len(table) else table
    cells = (ordered[column].to_numpy(object).tolist() for column in columns)
    for scenario, day, window, zone, kind, name, minutes in zip(*cells, strict=True):
        known = scenario in ids and (day, window) in slots and str(zone) in figures.zone_row
        if not known or pd.isna(minutes):
            continue
        entry = found.setdefault(f"{ids[scenario]}|{slots[day, window]}", {})
        number = names.setdefault(str(name) or words.part_name(str(kind)), len(names))
        entry.setdefault(str(figures.zone_row[str(zone)]), []).append([number, str(kind), round(float(minutes))])
    return {"names": list(names), "at": found}


def _journeys(figures: Figures) -> list[dict[str, Any]]:
    """Sample journeys with the lines of their legs."""
    ids = [TODAY, *(s.id for s in figures.results.scenarios)]
    out = []
    for view in figures.results.journeys:
        if view.scenario not in ids or view.zone not in figures.zone_row or not view.legs:
            continue
        minutes = round((view.legs[-1].arrive_s - view.depart_s) / 60)
        out.append(
            {
                "scenario": ids.index(view.scenario),
                "zone": figures.zone_row[view.zone],
                "title": f"{words.clock(view.depart_s)} to {view.destination}",
                "minutes": minutes,
                "legs": [
                    {
                        "walk": leg.mode == "walk",
                        "text": "walk" if leg.mode == "walk" else f"{leg.mode} {leg.route}".strip(),
                        "line": [
                            [round(float(lat), 5), round(float(lon), 5)]
                            for lat, lon in zip(leg.lat, leg.lon, strict=True)
                        ],
                    }
                    for leg in view.legs
                ],
            }
        )
    return out


def _stops(results: Results, frame: geo.Frame) -> list[list[Any]]:
    """Latitude, longitude, name, departures by day of the stops within the frame."""
    days = [f"departures_{day}" for day in results.dates if f"departures_{day}" in results.stops.columns]
    points = results.stops.geometry.to_numpy()
    x, y = shapely.get_x(points), shapely.get_y(points)  # NaN where there is no point
    inside = (frame.west <= x) & (x <= frame.east) & (frame.south <= y) & (y <= frame.north)
    names = results.stops["name"].to_numpy(object)[inside]
    calls = results.stops[days].to_numpy(np.float64, na_value=np.nan)[inside].tolist()
    return [
        [round(lat, 5), round(lon, 5), str(name), *(int(n) for n in counts if n == n)]
        for lat, lon, name, counts in zip(y[inside].tolist(), x[inside].tolist(), names, calls, strict=True)
    ]


def _destinations(results: Results, frame: geo.Frame) -> list[dict[str, Any]]:
    """Points, and polygons with their outline."""
    out = []
    shapes = geo.simple_lines(results.destinations.geometry, frame)
    several = zip(results.destinations.iterrows(), shapes, geo.polygon_lists(shapes), strict=True)
    for (_, row), shape, polygons in several:
        if shape.is_empty:
            continue
        lon, lat = geo.label_point(shape)
        entry: dict[str, Any] = {
            "key": str(row["key"]),
            "label": words.place_name(str(row["key"])),
            "name": "" if pd.isna(row["name"]) else str(row["name"]),
            "kind": "" if pd.isna(row["kind"]) else words.part_name(str(row["kind"])),
            "at": [round(lat, 5), round(lon, 5)],
        }
        if polygons:
            entry["shape"] = polygons
        out.append(entry)
    return out


def _background(results: Results) -> Mapping[str, Any]:
    """Background layers, coarser until they take less than 400 kB."""
    content: dict[str, Any] = {}
    ground = ground_of(results)
    for metres in (8.0, 16.0, 32.0, 64.0, 128.0):
        content = {}
        for name in ("green", "water", "railways", "roads"):
            layer = results.background.get(name)
            if layer is None or not len(layer):
                continue
            shapes = ground.layer(name, metres)
            polygons = geo.polygon_lists(shapes)
            areas = [polygon for of_shape in polygons for polygon in of_shape]
            several = zip(polygons, geo.latlon_lists(shapes), strict=True)
            content[name] = {"areas": areas, "lines": [line for own, lines in several if not own for line in lines]}
        if len(json.dumps(content, separators=(",", ":"))) <= _BACKGROUND_BYTES:
            break
    return content
