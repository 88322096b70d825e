"""Newport, Wales: a whole real study, where 41 of 95 neighbourhoods start outside the streets that are known."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest

from community_routes.base.times import HOUR, UNREACHED, format_time
from community_routes.cli import run_command
from community_routes.evaluation.case import Study, open_study, study_query
from community_routes.evaluation.evaluate import Evaluation, evaluate
from community_routes.evaluation.places import destination_points, origin_points, study_walks
from community_routes.routing.journeys import journeys
from community_routes.routing.travel_times import travel_times_by_departure
from community_routes.travel.itinerary import journey
from community_routes.travel.matrix import network_of, span_of_query
from conftest import shared_data
from unchanged import assert_changes_of_zero, assert_same_tables, compared_with_nothing, exported_and_read_back

HERE = Path(__file__).resolve().parent / "newport"


@pytest.fixture(scope="module")
def study() -> Study:
    shared_data("newport_wales")
    return open_study(HERE / "study.yaml")


@pytest.fixture(scope="module")
def today(study: Study) -> Evaluation:
    return evaluate(study)


def test_a_journey_takes_as_long_as_its_cell(study: Study) -> None:
    """60 random pairs and departures between 07:00 and 09:00, to the second, between places on the network."""
    query = study_query(study.file, (7 * HOUR, 9 * HOUR))
    stops, network = network_of(study, span_of_query(query), "day")
    reached = study_walks(
        study.file, study.ground, stops, origin_points(study.zones), destination_points(study.opportunities)
    )
    times = travel_times_by_departure(network, query, reached.walks)
    on = np.flatnonzero(reached.origins.place_linked), np.flatnonzero(reached.destinations.place_linked)
    assert [len(places) for places in on] == [54, 216]
    draw, ridden = np.random.default_rng(21), 0
    for _ in range(60):
        origin, destination = (int(draw.choice(places)) for places in on)
        departure = int(draw.integers(times.shape[1]))
        moment_s = int(query.departures_s[departure])
        found = journeys(network, query, reached.walks, origin, destination, moment_s)
        assert (found[0].time_s if found else UNREACHED) == times[origin, departure, destination]
        ridden += bool(found and found[0].rides)
    assert ridden > 20
    # Once through the public function, which joins the places to the streets by their names.
    zone, place = study.zones.table["id"].iat[int(on[0][0])], study.opportunities.table["id"].iat[int(on[1][0])]
    told = journey(study, zone, place, depart=format_time(7 * HOUR))
    cell = int(times[on[0][0], 0, on[1][0]])
    assert (told.journeys[0].time_s if told.journeys else UNREACHED) == cell


def test_who_is_off_the_network_is_told_how_far(study: Study) -> None:
    """The first neighbourhood outside the area: the message names the area and a distance."""
    told = journey(study, "W01001614", "W01001641", depart="08:00")
    assert (
        told.reason == "off_network"
        and "outside the streets' area (-3.0770, 51.5222, -2.9251, 51.5936)" in told.message
    )


@pytest.mark.slow
def test_300_journeys_take_as_long_as_their_cells(study: Study, today: Evaluation) -> None:
    draw = np.random.default_rng(22)
    for window in ("morning_peak", "evening"):
        query, times = today.query(window), today.time_s["day", window]
        for _ in range(150):
            origin, departure, destination = (int(draw.integers(n)) for n in times.shape)
            found = journeys(
                today.networks["day"], query, today.walks, origin, destination, int(query.departures_s[departure])
            )
            assert (found[0].time_s if found else UNREACHED) == times[origin, departure, destination]


@pytest.mark.slow
def test_nothing_changes_without_a_change(study: Study, today: Evaluation, tmp_path: Path) -> None:
    assert_changes_of_zero(compared_with_nothing(study, today))
    assert_same_tables(today, evaluate(exported_and_read_back(study, tmp_path)))


@pytest.mark.slow
def test_the_main_job(tmp_path: Path) -> None:
    shared_data("newport_wales")
    scenarios = sorted((HERE / "scenarios").glob("*.yaml"))
    asked = ["run", str(HERE / "study.yaml"), *map(str, scenarios), "--out", str(tmp_path / "newport"), "--quiet"]
    assert run_command(asked) == 0
    out = tmp_path / "newport"
    made = json.loads((out / "run.json").read_text(encoding="utf-8"))
    assert made["program"] == "community_routes"
    with (out / "access.csv").open(encoding="utf-8", newline="") as lines:
        table = list(csv.DictReader(lines))
    assert {row["scenario"] for row in table} == {"today", *(path.stem for path in scenarios)}
    off = {row["neighbourhood"] for row in table if row["reason"] == "off_network"}
    assert len(off) == 41 and len({row["neighbourhood"] for row in table}) == 95
    assert all(
        row["value"] == "" for row in table if row["neighbourhood"] in off and row["measure"].startswith("cumulative")
    )
    page = (out / "report.html").read_text(encoding="utf-8")
    assert "41" in page and "Newport" in page
