"""What `check` says of inputs: what runs, what was left out and why, and every kind of notice with an example."""

from __future__ import annotations

import datetime as dt
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from community_routes.base.notices import Notice, total
from community_routes.evaluation.case import open_study, sample_scenarios, sample_study
from community_routes.evaluation.check import CheckResult, check_inputs, check_windows, regular_headways
from community_routes.evaluation.evaluate import evaluate_places
from conftest import shared_data
from drawn import DATE, drawn_feed
from feed_zip import GOOD, feed_zip
from small_town import STUDY, town_study


def test_a_bare_timetable_needs_nothing_of_a_study(tmp_path: Path) -> None:
    """Compilers and maps take longer to import than a town's timetable to read; without blank times neither is wanted."""
    feed_zip(tmp_path / "bus.zip")
    program = (
        "import sys; from community_routes.cli import run_command; code = run_command(['check', 'bus.zip', '--quiet']); "
        "print(code, sorted({'numba', 'geopandas', 'scipy', 'community_routes.evaluation.case'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "0 []"


def test_a_good_feed_in_a_few_lines(tmp_path: Path) -> None:
    """One route of two trips, from 08:00 and 09:00; the middle Tuesday of 2024 is 2 July."""
    result = check_inputs(feed_zip(tmp_path / "bus.zip"))
    said = result.text(120)
    assert "bus.zip: 1 route, 2 trips, 4 stops" in said
    assert "2024-01-01 to 2024-12-31" in said
    assert "Tue 2024-07-02: 1 route (1 bus), 2 trips, first leaves 08:00, last 09:00" in said
    assert said.endswith("0 errors, 0 warnings, 0 remarks. bus.zip can be used.")
    assert not result.failed(strict=True)


@pytest.mark.parametrize("exact", [0, 1])
@pytest.mark.parametrize("template", ["00:00", "08:00"])
def test_headway_trips_are_counted_where_they_leave(tmp_path: Path, template: str, exact: int) -> None:
    """6:00 to 7:00 every 20 minutes and 23:30 to 25:00 every 40: 3 and 3 departures, the last at 24:50; and T2 at 09:00."""
    frequencies = (
        "trip_id,start_time,end_time,headway_secs,exact_times\n"
        f"T1,06:00:00,07:00:00,1200,{exact}\nT1,23:30:00,25:00:00,2400,{exact}\n"
    )
    times = GOOD["stop_times"].replace("08:", f"{template[:3]}")
    result = check_inputs(feed_zip(tmp_path / "bus.zip", stop_times=times, frequencies=frequencies))
    assert "1 route (1 bus), 7 trips, first leaves 06:00, last 24:50" in result.text(120)


def test_what_was_left_out_and_why(tmp_path: Path) -> None:
    calls = GOOD["stop_times"].replace("T2,09:20:00,09:20:00,D,2\n", "T2,08:20:00,08:20:00,D,2\n")
    result = check_inputs(feed_zip(tmp_path / "bus.zip", stop_times=calls))
    said = " ".join(result.text(80).split())
    assert "What was left out, and why 1 x a trip arrives before it left the stop before" in said
    assert "stop_times.txt row 6 (arrival_time): trip 'T2' arrives at 08:20:00" in said
    assert "bus.zip/stop_times.txt" not in said, "the zip that was asked about need not be named again"
    assert "bus.zip can be used; look at the warnings first." in said


@pytest.mark.parametrize("width", [60, 80, 120])
def test_no_line_is_wider_than_the_terminal(width: int, tmp_path: Path) -> None:
    calls = GOOD["stop_times"].replace("08:05:00,08:06:00", "08:06:00,08:05:00").replace("09:20:00", "09:00:01")
    for path in (feed_zip(tmp_path / "bus.zip", stop_times=calls), town_study(tmp_path / "town")):
        lines = check_inputs(path).text(width).splitlines()
        assert max(map(len, lines)) <= width
        assert len(lines) > 8


def test_counts_behind_summed_notices() -> None:
    """Three rows of one file, of which the last says that there are 16; and one row of another: 17."""
    rows = [Notice("warning", "fast", f"row {n}", "a.txt", n) for n in (2, 3)]
    summed = Notice("warning", "fast", "1,016 in all; too fast", "a.txt", count=1016)
    assert total([*rows, summed, Notice("warning", "fast", "row", "b.txt", 9)]) == 1017
    said = CheckResult([*rows, summed], name="town.yaml").text()
    assert "warning  fast  (1,016)" in said and "... and 1,014 more" in said
    assert "1,016 warnings of 1 kind" in said
    alone = CheckResult([summed], name="town.yaml").text()
    assert "warning  fast  (1,016)" in alone and "more" not in alone, "one sentence stands for all of them"


def test_a_study_with_its_proposals(tmp_path: Path) -> None:
    (tmp_path / "wrong.yaml").write_text(
        "scenario: wrong\nchanges: [{withdraw_route: {route: '99'}}]\n", encoding="utf-8"
    )
    result = check_inputs(sample_study(), [sample_scenarios()[0], tmp_path / "wrong.yaml"])
    said = result.text(100)
    assert "cross-town-link  1 change can be made" in said and "wrong.yaml       cannot be used" in said
    assert "sunday" in said and "89, 136,498 residents" in said
    assert result.failed() and any("'99'" in notice.message for notice in result.notices)


def test_regular_headways_by_hand() -> None:
    """The 7 every 20 and once 60 minutes from A (median 20); the 8 twice a day is not regular; the 9 repeats every 45
    minutes; the 10 is regular but calls nowhere near."""
    feed = drawn_feed(
        *(f"7: A {clock} B {clock[:2]}:59" for clock in ("08:00", "08:20", "08:40", "09:40")),
        "8: A 08:00 B 08:30",
        "8: A 16:00 B 16:30",
        "9 trip=F: B 06:00 A 06:10",
        *(f"10: C {hour}:00 D {hour}:30" for hour in ("06", "10", "14", "18")),
        frequencies=["F 06:00-22:00 every 45"],
    )
    near = np.isin(feed.stops["stop_id"].to_numpy(), ["A"])
    names = {feed.routes["route_short_name"].iat[route]: s for route, s in regular_headways(feed, DATE, near).items()}
    assert names == {"7": 1200, "9": 2700}
    assert regular_headways(feed, DATE + dt.timedelta(days=1), near) == {}


def test_a_window_shorter_than_a_headway(tmp_path: Path) -> None:
    """All buses of the town run every 20 minutes: a window of 20 minutes is as long, one of 15 is shorter."""
    for window, expected in (("07:00-07:20", 0), ("07:00-07:15", 1)):
        study = open_study(town_study(tmp_path / window[-2:], STUDY.replace("07:00-08:00", window)))
        found: list[Notice] = []
        check_windows(study, evaluate_places(study, []), found)
        assert len(found) == expected
    (notice,) = found
    assert notice.code == "window_under_headway" and notice.row == 10
    assert (
        "5 regular routes (L1 every 20 min, L2 every 20 min, L3 every 20 min, L4 every 20 min and 1 more)"
        in notice.message
    )


def test_nothing_in_the_way_of_a_report(tmp_path: Path) -> None:
    result = check_inputs(town_study(tmp_path))
    path = result.write_notices(tmp_path / "out")
    assert path.read_text(encoding="utf-8").splitlines()[0] == "severity,code,file,row,field,value,message"
    assert replace(result, notices=[]).text().endswith("0 errors, 0 warnings, 0 remarks. study.yaml can be used.")


def test_real_feeds_say_what_is_odd_about_them() -> None:
    chester = check_inputs(shared_data("chester") / "chester-20230816-small_gtfs.zip")
    assert {"impossible_place", "no_exceptions"} <= {notice.code for notice in chester.notices}
    said = chester.text(80)
    assert "origin of the British grid" in " ".join(said.split())
    assert max(map(len, said.splitlines())) <= 80


@pytest.mark.slow
@pytest.mark.parametrize("name", ["greater_manchester", "kuopio", "gtfs_faulty", "gtfs_small_real"])
def test_every_real_feed_is_checked_in_words(name: str) -> None:
    for path in sorted(shared_data(name).glob("*.zip")):
        result = check_inputs(path)
        said = result.text(80)
        assert max(map(len, said.splitlines())) <= 80 or any(len(word) > 74 for word in said.split())
        assert ("cannot be used" in " ".join(said.split())) == result.failed()
