"""Cells of Newport's ranking of proposals, worked out again from the raw files and the exported timetables."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from acceptance.by_hand import Streets, Timetable, Town, metres_between, most_deprived_fifth, seconds, table, zipped
from community_routes.base.times import HOUR, MINUTE
from community_routes.evaluation.case import Case, Study, open_study, setting_of
from community_routes.evaluation.evaluate import evaluate
from community_routes.evaluation.places import destination_points
from community_routes.evaluation.proposals import read_scenarios
from community_routes.evaluation.results import Comparison, compare
from community_routes.evaluation.sweep import case_at
from community_routes.scenarios.apply import apply_scenario
from community_routes.sources.gtfs.write import write_feed
from conftest import shared_data

pytestmark = pytest.mark.slow
HERE = Path(__file__).resolve().parent / "newport"
AREA = (-3.0770, 51.5222, -2.9251, 51.5936)
WINDOWS = {"morning_peak": (7 * HOUR, 9 * HOUR), "evening": (18 * HOUR, 22 * HOUR)}
CUTOFF_S = 45 * MINUTE
RETAIL_PARK = "5310WDB47945"


@pytest.fixture(scope="module")
def study() -> Study:
    """The study, asked for what the ranking is made of and nothing else."""
    shared_data("newport_wales")
    whole = open_study(HERE / "study.yaml")
    travel = whole.file.travel
    return case_at(Case.of(whole), travel.walk.speed_kmh, travel.cutoffs_min, travel.windows).as_study()


@pytest.fixture(scope="module")
def comparison(study: Study) -> Comparison:
    plans = read_scenarios(sorted((HERE / "scenarios").glob("*.yaml")), study)
    return compare(evaluate(study), *(evaluate(study, plan) for plan in plans))


@pytest.fixture(scope="module")
def town(study: Study) -> Town:
    data = shared_data("newport_wales")
    points = destination_points(study.opportunities)
    doors = list(zip(points.place.tolist(), points.lon.tolist(), points.lat.tolist(), strict=True))
    origins = {
        row["lsoa11_code"]: (float(row["longitude"]), float(row["latitude"]))
        for row in table(data / "lsoa11_population_weighted_centroids.csv")
    }
    return Town(Streets(data / "newport-2023-06-13.osm.pbf", AREA), origins, doors, len(study.opportunities.table))


def timetable_of(*paths: Path) -> Timetable:
    found = Timetable()
    for number, path in enumerate(paths):
        found.read(path, f"{number}:", "20240305", "tuesday")
    return found


def levels(town: Town, timetable: Timetable, fifth: dict[str, float], amounts: dict[str, Any]) -> dict[str, float]:
    """Mean over the fifth's persons, and then over the windows, of what is reached within the cutoff."""
    each: dict[str, list[float]] = {kind: [] for kind in amounts}
    for start, end in WINDOWS.values():
        times = town.reached(timetable, list(fifth), range(start, end, MINUTE))
        persons = np.array([fifth[zone] for zone in times])
        for kind, amount in amounts.items():
            of_zone = np.array([((matrix <= CUTOFF_S) * amount).sum(axis=1).mean() for matrix in times.values()])
            each[kind].append(float((of_zone * persons).sum() / persons.sum()))
    return {kind: float(np.mean(values)) for kind, values in each.items()}


CELLS: Sequence[tuple[str, str]] = (
    ("double-42-43", "shared_spaces"),
    ("evening-ringland", "shared_spaces"),
    ("reinvest-21-in-6", "employment"),
)


def test_three_cells_of_the_ranking(study: Study, comparison: Comparison, town: Town, tmp_path: Path) -> None:
    """Gains of the most deprived fifth within 45 minutes, averaged over the two windows, equal those of the table."""
    data = shared_data("newport_wales")
    rank = {row["lsoa11_code"]: float(row["IMD_rank"]) for row in table(data / "wimd2019_lsoa11.csv")}
    persons = {
        row["lsoa11_code"]: float(row["total_usual_residents"])
        for row in table(data / "census2021_summed_to_lsoa11.csv")
    }
    fifth = most_deprived_fifth(rank, persons)
    places = study.opportunities.table
    amounts = {
        kind: np.where((places["key"] == kind).to_numpy(), places["amount"].to_numpy(np.float64), 0.0)
        for kind in ("employment", "shared_spaces")
    }
    today = levels(
        town,
        timetable_of(data / "newport-20240305_bus_gtfs.zip", data / "newport-20240305_rail_gtfs.zip"),
        fifth,
        amounts,
    )
    assert len(comparison.ranking) == 2 * len(comparison.proposals) == 10
    ranking = comparison.ranking.set_index(["scenario", "kind"])["gain"]
    groups = comparison.groups
    lead = groups[
        (groups["scenario"] == "today")
        & (groups["grouping"] == "local")
        & (groups["group"] == "1")
        & (groups["measure"] == "cumulative_opportunities")
        & (groups["reading"] == "mean")
        & (groups["cutoff_min"] == 45)
    ]
    for kind, level in today.items():
        assert level == pytest.approx(lead.loc[lead["kind"] == kind, "value"].mean(), rel=1e-9)
    for scenario, kind in CELLS:
        (plan,) = read_scenarios([HERE / "scenarios" / f"{scenario}.yaml"])
        feed = apply_scenario(plan, setting_of(study)).feed
        write_feed(feed, tmp_path / f"{scenario}.zip", date_stamp=study.file.dates["day"])
        changed = levels(town, timetable_of(tmp_path / f"{scenario}.zip"), fifth, amounts)
        assert changed[kind] - today[kind] == pytest.approx(ranking[scenario, kind], rel=1e-9, abs=1e-9)
        assert ranking[scenario, kind] != 0


def runs_of_a_route(path: Path, route: str) -> list[tuple[str, int, float]]:
    """First stop, seconds and metres of each run of a route on Tuesday 5 March 2024."""
    services = {
        row["service_id"]
        for row in zipped(path, "calendar.txt")
        if row["tuesday"] == "1" and row["start_date"] <= "20240305" <= row["end_date"]
    }
    trips = {
        row["trip_id"]: row.get("shape_id") or ""
        for row in zipped(path, "trips.txt")
        if row["route_id"] == route and row["service_id"] in services
    }
    at = {row["stop_id"]: (float(row["stop_lon"]), float(row["stop_lat"])) for row in zipped(path, "stops.txt")}
    calls: dict[str, list[dict[str, str]]] = {trip: [] for trip in trips}
    for row in zipped(path, "stop_times.txt"):
        if row["trip_id"] in calls:
            calls[row["trip_id"]].append(row)
    wanted = set(trips.values()) - {""}
    drawn: dict[str, list[tuple[int, tuple[float, float]]]] = {shape: [] for shape in wanted}
    for row in zipped(path, "shapes.txt"):
        if row["shape_id"] in wanted:
            point = (float(row["shape_pt_lon"]), float(row["shape_pt_lat"]))
            drawn[row["shape_id"]].append((int(row["shape_pt_sequence"]), point))
    found = []
    for trip, rows in calls.items():
        rows.sort(key=lambda row: int(row["stop_sequence"]))
        course = [point for _, point in sorted(drawn.get(trips[trip], []))]
        points = course or [at[row["stop_id"]] for row in rows]
        metres = sum(metres_between(a, b) for a, b in pairwise(points)) * (1.0 if course else 1.3)
        length_s = seconds(rows[-1]["arrival_time"]) - seconds(rows[0]["departure_time"])
        found.append((rows[0]["stop_id"], length_s, metres))
    return found


def test_the_cost_of_one_proposal(study: Study, comparison: Comparison, tmp_path: Path) -> None:
    """Routes 42 and 43 twice as often on 253 weekdays, at 48 a bus-hour and 1.10 a kilometre.

    The layover of a cycle is the larger of a tenth of it and five minutes, half of it after each run; a cycle is a mean run
    from the retail park and one to it. Saturdays and Sundays stay as they are.
    """
    data = shared_data("newport_wales")
    (plan,) = read_scenarios([HERE / "scenarios" / "double-42-43.yaml"])
    write_feed(apply_scenario(plan, setting_of(study)).feed, tmp_path / "plan.zip", date_stamp=study.file.dates["day"])
    a_day = []
    for path in (data / "newport-20240305_bus_gtfs.zip", tmp_path / "plan.zip"):
        hours = km = 0.0
        for route in ("42309", "28228"):
            runs = runs_of_a_route(path, route)
            by_way: dict[bool, list[int]] = {True: [], False: []}
            for stop, length_s, metres in runs:
                by_way[stop == RETAIL_PARK].append(length_s)
                km += metres / 1000
            cycle = sum(float(np.mean(lengths)) for lengths in by_way.values())
            layover = max(0.1 * cycle, 300.0)
            hours += sum(length_s + layover / 2 for _, length_s, _ in runs) / 3600
        a_day.append((hours, km))
    (hours, km), (more_hours, more_km) = a_day
    summary = next(s for s in comparison.results.scenarios if s.id == "double-42-43")
    assert summary.cost is not None
    assert summary.cost["bus_hours_per_year"] == pytest.approx(253 * (more_hours - hours), rel=1e-9)
    assert summary.cost["km_per_year"] == pytest.approx(253 * (more_km - km), rel=1e-6)
    assert summary.cost["cost_per_year"] == pytest.approx(
        48 * 253 * (more_hours - hours) + 1.10 * 253 * (more_km - km), rel=1e-6
    )
