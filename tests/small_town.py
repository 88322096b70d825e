"""A town small enough to know every journey of it: a study on disk, with straight-line walks and one feed.

Seven places P0 to P6 lie on the equator from 20 degrees east, a tenth of a degree (11,119.5 m) apart, so that nobody
walks from one to the next. At each there is a stop (``S0`` ...), a neighbourhood whose origin is the stop, and a shared
space. Every 20 minutes from 06:00 to 21:40 a bus of route ``L1`` runs from P0 to P1 in 10 minutes, one of ``L2`` from P1
to P2 in the same 10 minutes, and so on to ``L5``, and back; a change costs 10 minutes of waiting. The night bus ``N``
leaves P0 at 23:50 and 24:50 and is at P1 10 minutes later. ``SLOW`` leaves P0 at 08:00 and reaches P6 at 11:00. ``far``
is a neighbourhood 0.02 degrees (2,223.9 m, walked 2,891.1 m) north of P1; ``lost`` lies outside the study's area.
"""

from __future__ import annotations

import json
from pathlib import Path

from community_routes.base.times import format_time
from feed_zip import feed_zip

PLACES = {f"P{number}": (20 + number / 10, 0.0) for number in range(7)} | {"far": (20.1, 0.02), "lost": (20.3, 5.0)}
SHOPS = [name for name in PLACES if name.startswith("P")]

STUDY = """\
study: town
title: Seven places in a row
service_date: 2024-03-05
streets: {crow_fly: {detour: 1.3}, area: [19, -1, 22, 1]}
timetables: [bus.zip]
neighbourhoods: {file: areas.geojson, id: code, name: label}
destinations:
  shared_spaces: {file: spaces.geojson, id: id, name: name}
travel:
  windows: {peak: 07:00-08:00}
  cutoffs_min: [30, 60]
"""


def town_study(folder: Path, text: str = STUDY) -> Path:
    """Write the study and everything it names, and say where the study file is."""
    folder.mkdir(parents=True, exist_ok=True)
    _feed(folder / "bus.zip")
    _features(folder / "areas.geojson", [_area(name) for name in PLACES])
    _features(folder / "spaces.geojson", [_space(name) for name in SHOPS])
    (folder / "study.yaml").write_text(text, encoding="utf-8")
    return folder / "study.yaml"


def _features(path: Path, features: list[dict[str, object]]) -> None:
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features}), encoding="utf-8")


def _area(name: str) -> dict[str, object]:
    lon, lat = PLACES[name]
    ring = [[lon + x, lat + y] for x, y in ((-0.01, -0.005), (0.01, -0.005), (0.01, 0.005), (-0.01, 0.005))]
    shape = {"type": "Polygon", "coordinates": [[*ring, ring[0]]]}
    return {"type": "Feature", "properties": {"code": name, "label": f"Place {name}"}, "geometry": shape}


def _space(name: str) -> dict[str, object]:
    shape = {"type": "Point", "coordinates": list(PLACES[name])}
    return {"type": "Feature", "properties": {"id": f"hall{name}", "name": f"Hall {name}"}, "geometry": shape}


def _feed(path: Path) -> None:
    stops = ["stop_id,stop_name,stop_lat,stop_lon", *(f"S{n},Stand {n},0.0,{20 + n / 10}" for n in range(7))]
    routes = ["route_id,agency_id,route_short_name,route_type"]
    routes += [f"{route},OP1,{route},3" for route in ("L1", "L2", "L3", "L4", "L5", "N", "SLOW")]
    trips, calls = ["route_id,service_id,trip_id"], ["trip_id,arrival_time,departure_time,stop_id,stop_sequence"]

    def run(route: str, trip: str, *timed: tuple[int, int]) -> None:
        trips.append(f"{route},daily,{trip}")
        for sequence, (stop, time_s) in enumerate(timed):
            clock = format_time(time_s)
            calls.append(f"{trip},{clock},{clock},S{stop},{sequence}")

    for number in range(1, 6):
        for start_s in range(6 * 3600, 22 * 3600, 1200):
            run(f"L{number}", f"L{number}-{start_s}-out", (number - 1, start_s), (number, start_s + 600))
            run(f"L{number}", f"L{number}-{start_s}-back", (number, start_s), (number - 1, start_s + 600))
    for start_s in (85_800, 89_400):
        run("N", f"N-{start_s}", (0, start_s), (1, start_s + 600))
    run("SLOW", "SLOW-1", (0, 8 * 3600), (6, 11 * 3600))
    feed_zip(
        path,
        stops="\n".join(stops) + "\n",
        routes="\n".join(routes) + "\n",
        trips="\n".join(trips) + "\n",
        stop_times="\n".join(calls) + "\n",
    )
