"""The square of the random networks as a study, and random changes of its timetable."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from community_routes.base.times import HOUR, MINUTE, format_time
from community_routes.evaluation.case import Study, open_study
from random_networks import DATE, random_case
from small_town import town_study

SQUARE = 900 / 111_195
STUDY = f"""\
study: square
service_date: {DATE}
streets: {{crow_fly: {{detour: 1.0}}, area: [-1, -1, 1, 1]}}
timetables: [bus.zip]
neighbourhoods: {{file: homes.geojson, id: code, name: code}}
destinations:
  employment: {{file: works.csv, id: id, lon: lon, lat: lat, amount: jobs}}
travel:
  windows: {{asked: 08:00-08:10}}
  walk: {{to_stop_min: 4, between_stops_min: 3, all_the_way_min: 4}}
  cutoffs_min: [10, 25]
measures: [cumulative_opportunities, nearest]
"""


def square_study(folder: Path) -> Study:
    """Six homes of different wealth and five works in the square of the random networks; whole and broken numbers of jobs."""
    rng = np.random.default_rng(1)
    town_study(folder)
    features = []
    for number, (x, y) in enumerate(rng.uniform(0, SQUARE, (6, 2)).tolist()):
        ring = [
            [x - 1e-4, y - 1e-4],
            [x + 1e-4, y - 1e-4],
            [x + 1e-4, y + 1e-4],
            [x - 1e-4, y + 1e-4],
            [x - 1e-4, y - 1e-4],
        ]
        about = {"code": f"H{number}"}
        features.append(
            {"type": "Feature", "properties": about, "geometry": {"type": "Polygon", "coordinates": [ring]}}
        )
    (folder / "homes.geojson").write_text(json.dumps({"type": "FeatureCollection", "features": features}), "utf-8")
    works = rng.uniform(0, SQUARE, (5, 2)).tolist()
    rows = [f"W{number},{lon},{lat},{10**number}" for number, (lon, lat) in enumerate(works)]
    (folder / "works.csv").write_text("\n".join(["id,lon,lat,jobs", *rows]) + "\n", "utf-8")
    (folder / "study.yaml").write_text(STUDY, "utf-8")
    return open_study(folder / "study.yaml")


def study_of_seed(square: Study, seed: int) -> Study:
    """The square with the timetable and the question of a random network."""
    drawn = random_case(seed)
    travel = square.file.travel
    (window,) = travel.windows.values()
    asked = {
        "windows": {"asked": window.model_copy(update={"time": drawn.window_s})},
        "departure_step_s": drawn.step_s,
        "slack_s": drawn.slack_s,
        "max_rides": drawn.max_rides,
        "max_travel_min": drawn.max_travel_s // MINUTE,
        "phase": drawn.phase,
    }
    feed = replace(drawn.feed, phase=drawn.phase)
    opportunities = square.opportunities
    if seed % 3 == 0:  # amounts that are no whole numbers are added up in their order
        table = opportunities.table.assign(amount=opportunities.table["amount"] / 7)
        opportunities = replace(opportunities, table=table)
    file = square.file.model_copy(update={"travel": travel.model_copy(update=asked)})
    return replace(square, file=file, feed=feed, opportunities=opportunities)


def ideas(study: Study, rng: np.random.Generator) -> Iterator[dict[str, Any]]:
    """Random changes, one kind after another; some of them cannot be applied."""
    start_s = study.file.travel.windows["asked"].time[0]
    routes = study.feed.routes["route_id"].tolist()
    stops = study.feed.stops["stop_id"].tolist()

    def route() -> str:
        return str(rng.choice(routes))

    def place() -> Any:
        if rng.random() < 0.3:
            return {"at": rng.uniform(0, SQUARE, 2).tolist(), "name": "Here"}
        return str(rng.choice(stops))

    def hours() -> str:
        early, late = (format_time(max(0, start_s + s), with_seconds=False) for s in (-HOUR // 2, HOUR))
        return f"{early}-{late}"

    while True:
        made: list[dict[str, Any]] = [
            {"set_headway": {"route": route(), "weekday": {hours(): int(rng.integers(3, 15))}}},
            {"withdraw_route": {"route": route()}},
            {"withdraw_route": {"route": route(), "from": hours()[:5], "to": hours()[6:]}},
            {"change_speed": {"route": route(), "factor": float(rng.uniform(0.5, 2))}},
            {"change_dwell": {"route": route(), "dwell_s": int(rng.integers(0, 90))}},
            {
                "add_route": {
                    "name": "X",
                    "stops": [place() for _ in range(rng.integers(2, 5))],
                    "speed_kmh": 20,
                    "service": {"weekday": {hours(): int(rng.integers(3, 12))}},
                }
            },
            {"extend_route": {"route": route(), "after": str(rng.choice(stops)), "stops": [place()], "speed_kmh": 15}},
            {"reroute": {"route": route(), "from": str(rng.choice(stops)), "to": str(rng.choice(stops)), "speed_kmh": 15}},
            {"add_stop": {"route": route(), "stop": place(), "after": str(rng.choice(stops))}},
            {"remove_stops": {"route": route(), "stops": [str(rng.choice(stops))]}},
            {"add_homes": {"name": "N", "at": rng.uniform(0, SQUARE, 2).tolist(), "homes": 10, "like": "H1"}},
            {"add_jobs": {"name": "Works", "at": rng.uniform(0, SQUARE, 2).tolist(), "jobs": 500}},
        ]  # fmt: skip
        yield made[rng.integers(0, len(made))]
