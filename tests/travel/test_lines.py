"""Routes and stops as a planner names them: on the town of which every departure is known."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from community_routes.base.errors import UsageError
from community_routes.cli import run_command
from community_routes.evaluation.case import Study, open_study
from community_routes.travel.lines import list_routes, list_stops, route_lines
from small_town import town_study


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return town_study(tmp_path_factory.mktemp("town"))


@pytest.fixture(scope="module")
def study(path: Path) -> Study:
    return open_study(path, cache=None)


def test_routes_with_their_departures(study: Study) -> None:
    """L1 leaves each end 48 times (every 20 minutes from 06:00 to 21:40); N twice, SLOW once."""
    table = list_routes(study).set_index("route")
    assert table["day"].to_dict() == {"L1": 96, "L2": 96, "L3": 96, "L4": 96, "L5": 96, "N": 2, "SLOW": 1}
    assert {table.loc["SLOW", "from"], table.loc["SLOW", "to"]} == {"Stand 0", "Stand 6"}


def test_the_patterns_of_a_route(study: Study) -> None:
    """L1: there and back, 48 runs each, 10 minutes; the last leaves at 21:40 and arrives at 21:50."""
    found = route_lines(study, "L1", "day")
    assert found.title.endswith("96 departures in 2 patterns")
    there = found.table[found.table["pattern"] == 1]
    assert there["stop_name"].tolist() in (["Stand 0", "Stand 1"], ["Stand 1", "Stand 0"])
    assert there["departures"].tolist() == [48, 48]
    assert there["minutes"].tolist() == [0, 10]
    assert there["first"].tolist() == ["06:00", "06:10"]
    assert there["last"].tolist() == ["21:40", "21:50"]
    assert found.text().count("─ Stand 0 ") == 2
    night = route_lines(study, "N", "day").table
    assert night["last"].tolist() == ["24:50", "25:00"]


def test_stops_by_a_part_of_their_name(study: Study) -> None:
    """Stand 1: L1 and L2 call 96 times each (as first stop or last), N twice, and SLOW passes or calls at none of the others."""
    table = list_stops(study, "stand 1")
    assert table["stop_id"].tolist() == ["S1"]
    assert table["routes"].tolist() == ["L1, L2, N"]
    assert table["day"].tolist() == [96 + 96 + 2]
    assert list_stops(study, "nowhere").empty


def test_what_is_not_there_is_said(study: Study) -> None:
    with pytest.raises(UsageError, match="there is no route 'L9' in the timetable; did you mean"):
        route_lines(study, "L9", "day")


def test_the_commands_print_tables_csv_and_json(path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """A table for people, CSV with a heading, JSON as a list of rows; both at once is wrong usage."""
    assert run_command(["routes", str(path), "--cache", "none"]) == 0
    assert capfd.readouterr().out.startswith("route")
    assert run_command(["routes", str(path), "SLOW", "--csv", "--cache", "none"]) == 0
    lines = capfd.readouterr().out.splitlines()
    assert lines[0] == "pattern,direction,departures,sequence,stop_id,stop_name,minutes,first,last"
    assert lines[1].endswith("1,S0,Stand 0,0,08:00,08:00")
    assert run_command(["stops", str(path), "S6", "--json", "--cache", "none"]) == 0
    (row,) = json.loads(capfd.readouterr().out)
    assert (row["stop_id"], row["routes"]) == ("S6", "SLOW")
    assert run_command(["stops", str(path), "--csv", "--json", "--cache", "none"]) == 2
