"""What money reaches in Newport, for every neighbourhood from the raw files by a search that knows no fares.

One bus costs 2.00 and no train less than 2.50, so that a budget of 2.00 is a search of the buses with one ride. A month of buses
costs 21 x 18.00/5 = 75.60 with the week ticket, less than two singles a day (84.00), and no month by train less than
21 x 2 x 2.50 = 105.00: half of the employment area costs nothing where it is walked to, else 75.60 where buses lead to it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from acceptance import by_hand
from acceptance.by_hand import ALL_THE_WAY_S, Streets, Timetable, Town, table
from community_routes.base.times import HOUR, MINUTE
from community_routes.evaluation.case import open_study
from community_routes.evaluation.evaluate import Evaluation, evaluate
from community_routes.evaluation.places import destination_points
from conftest import shared_data

pytestmark = pytest.mark.slow
HERE = Path(__file__).resolve().parent / "newport"
AREA = (-3.0770, 51.5222, -2.9251, 51.5936)
CUTOFF_S = 45 * MINUTE
DEPARTURES = range(7 * HOUR, 9 * HOUR, MINUTE)


@pytest.fixture(scope="module")
def today() -> Evaluation:
    shared_data("newport_wales")
    return evaluate(open_study(HERE / "study.yaml"))


@pytest.fixture(scope="module")
def town(today: Evaluation) -> Town:
    data = shared_data("newport_wales")
    points = destination_points(today.opportunities)
    doors = list(zip(points.place.tolist(), points.lon.tolist(), points.lat.tolist(), strict=True))
    origins = {
        row["lsoa11_code"]: (float(row["longitude"]), float(row["latitude"]))
        for row in table(data / "lsoa11_population_weighted_centroids.csv")
    }
    return Town(Streets(data / "newport-2023-06-13.osm.pbf", AREA), origins, doors, len(today.opportunities.table))


@pytest.fixture(scope="module")
def buses() -> Timetable:
    found = Timetable()
    found.read(shared_data("newport_wales") / "newport-20240305_bus_gtfs.zip", "0:", "20240305", "tuesday")
    return found


def figures(today: Evaluation, measure: str, kind: str) -> pd.Series:
    """Of each neighbourhood in the morning peak within 45 minutes."""
    access = today.access
    mine = access[
        (access["measure"] == measure)
        & (access["kind"] == kind)
        & (access["window"] == "morning_peak")
        & (access["cutoff_min"] == 45)
    ]
    return mine.set_index("neighbourhood")["value"]


def amounts(today: Evaluation, kind: str) -> Any:
    places = today.opportunities.table
    return np.where((places["key"] == kind).to_numpy(), places["amount"].to_numpy(np.float64), 0.0)


def test_a_budget_of_one_bus(today: Evaluation, town: Town, buses: Timetable, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(by_hand, "RIDES", 1)
    times = town.reached(buses, list(town.origins), DEPARTURES)
    assert len(times) == 54
    for kind in ("employment", "shared_spaces"):
        found = figures(today, "affordable_opportunities_2", kind)
        for zone, matrix in times.items():
            expected = ((matrix <= CUTOFF_S) * amounts(today, kind)).sum(axis=1).mean()
            assert found[zone] == pytest.approx(expected, rel=1e-9), (zone, kind)
        assert found.notna().sum() == 54


def test_a_month_of_buses(today: Evaluation, town: Town, buses: Timetable) -> None:
    times = town.reached(buses, list(town.origins), DEPARTURES)
    area = amounts(today, "employment")
    found = figures(today, "commuting_cost_50", "employment")
    counts = {0.0: 0, 75.6: 0, None: 0}
    for zone, matrix in times.items():
        link = town.streets.link(*town.origins[zone])
        assert link is not None
        walked = town.places_near(link, min(ALL_THE_WAY_S, CUTOFF_S))
        on_foot = area[list(walked)].sum() if walked else 0.0
        by_bus = area[(matrix.min(axis=0) <= CUTOFF_S)].sum()
        half = area.sum() / 2
        expected = 0.0 if on_foot >= half else 75.6 if by_bus >= half else None
        counts[expected] += 1
        if expected is None:
            assert np.isnan(found[zone]) or found[zone] >= 105, zone
        else:
            assert found[zone] == expected, zone
    assert min(counts.values()) > 0
