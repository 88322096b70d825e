"""Runs over time on the sample borough and on real towns: a later timetable, another date, another census and index."""

from __future__ import annotations

import csv
import math
import re
from pathlib import Path

import pandas as pd
import pytest

from community_routes.cli import run_command
from community_routes.evaluation.case import sample_folder
from community_routes.over_time.compare import RunComparison, compare_runs
from conftest import shared_data

HERE = Path(__file__).resolve().parent
pytestmark = pytest.mark.slow


def run(study: Path, out: Path, *more: str) -> Path:
    assert run_command(["run", str(study), *more, "--out", str(out), "--no-maps", "--quiet"]) == 0
    return out


def later_timetable(run_folder: Path, scenario: Path, folder: Path) -> Path:
    """The kept study of a run with the timetable that a proposal would make."""
    import shutil

    shutil.copytree(run_folder / "inputs", folder)
    study = folder / "study.yaml"
    out = folder / "later.zip"
    assert run_command(["export-gtfs", str(study), str(scenario), str(out), "--quiet"]) == 0
    text = study.read_text(encoding="utf-8")
    changed, n = re.subn(r"^timetables:.*\n(?:  - .*\n)*", "timetables: [later.zip]\n", text, flags=re.MULTILINE)
    assert n == 1
    study.write_text(changed, encoding="utf-8")
    return study


def assert_laws(comparison: RunComparison) -> pd.DataFrame:
    """Parts add up to the change of the tables, routes to the timetable, and the tables are what is worked out now."""
    table = comparison.explained
    for _, rows in table.groupby(["run", "day", "window", "kind", "grouping", "group"]):
        change = rows.loc[rows["part"] == "change", "change_explained"].item()
        timetable = rows.loc[rows["part"] == "timetable", "change_explained"].item()
        own = rows.loc[rows["of"] == "timetable", "change_explained"]
        assert math.fsum(rows.loc[rows["of"] == "change", "change_explained"]) == pytest.approx(change, rel=1e-12)
        assert not len(own) or math.fsum(own) == pytest.approx(timetable, rel=1e-12)
        assert (rows.loc[rows["part"] == "program", "change_explained"] == 0).all()
    return table


def test_the_sample_with_a_new_route_and_more_evenings(tmp_path: Path) -> None:
    """Only the proposal's routes explain; the evening headways of 2 and 3 explain nothing before the evening."""
    first = run(sample_folder() / "data" / "study.yaml", tmp_path / "first")
    scenario = sample_folder() / "scenarios" / "link-and-evenings.yaml"
    second = run(later_timetable(first, scenario, tmp_path / "later"), tmp_path / "second")
    comparison = compare_runs([first, second])
    table = assert_laws(comparison)
    routes = table[table["part"] == "route"]
    assert set(routes["name"]) == {"C1", "2", "3"} and not (table["part"] == "other routes").any()
    others = table[table["part"].isin(["streets", "destinations", "homes", "population", "deprivation", "settings"])]
    assert (others["change_explained"] == 0).all()
    morning = routes[(routes["window"] == "morning_peak") & routes["name"].isin(["2", "3"])]
    assert len(morning) and (morning["change_explained"] == 0).all()
    weekend = table[(table["day"] == "sunday") & (table["part"] == "route")]
    whole = table[(table["day"] == "sunday") & (table["part"] == "change")]
    assert (weekend["name"] == "C1").all()
    assert weekend["change_explained"].tolist() == whole["change_explained"].tolist(), "C1 alone changed on the Sunday"


def test_newport_before_and_after_a_proposal(tmp_path: Path) -> None:
    """The change of the later run is what `run` says of the proposal, to the digit; 42 and 43 are all that changed."""
    shared_data("newport_wales")
    study, scenario = HERE / "newport" / "study.yaml", HERE / "newport" / "scenarios" / "double-42-43.yaml"
    first = run(study, tmp_path / "first", str(scenario))
    second = run(later_timetable(first, scenario, tmp_path / "later"), tmp_path / "second")
    comparison = compare_runs([first, second])
    table = assert_laws(comparison)
    assert set(table.loc[table["part"] == "route", "name"]) == {"42", "43"}
    with (first / "groups.csv").open(encoding="utf-8", newline="") as lines:
        said = {
            tuple(row[key] for key in ("day", "window", "kind", "grouping", "group")): float(row["change"])
            for row in csv.DictReader(lines)
            if row["scenario"] == "double-42-43"
            and (row["measure"], row["reading"], row["cutoff_min"]) == ("cumulative_opportunities", "mean", "45")
            and row["change"]
        }
    rows = table[table["part"] == "change"]
    assert len(rows) == 8
    for row in rows.to_dict("records"):
        key = tuple(str(row[name]) for name in ("day", "window", "kind", "grouping", "group"))
        assert row["change_explained"] == pytest.approx(said[key], rel=1e-12)


def test_blackburn_on_two_dates(tmp_path: Path) -> None:
    """One timetable on a Tuesday and on a Saturday: the timetable explains all of it, route 1 most, with fewer departures."""
    shared_data("blackburn_study")
    shared_data("blackburn_geography")
    text = (HERE / "blackburn" / "study.yaml").read_text(encoding="utf-8")
    data = (HERE / "blackburn" / "../../../../shared/data").resolve().as_posix()
    text = text.replace("../../../../shared/data", data)
    runs = []
    for date in ("2019-09-03", "2019-09-07"):
        study = tmp_path / f"{date}.yaml"
        dated = re.sub(r"service_date: .*", f"service_date: {date}", text)
        study.write_text(re.sub(r", days: \[[a-z, ]*\]", "", dated), encoding="utf-8")
        runs.append(run(study, tmp_path / date))
    comparison = compare_runs(runs)
    table = assert_laws(comparison)
    parts = table[table["of"] == "change"]
    assert (parts.loc[parts["part"] != "timetable", "change_explained"] == 0).all()
    assert (table.loc[table["part"] == "change", "change_explained"] < 0).all(), "fewer buses on a Saturday"
    routes = table[(table["part"] == "route") & (table["kind"] == "shared_spaces") & (table["group"] == "all")]
    least = routes.loc[routes.groupby("window")["change_explained"].idxmin(), "name"]
    assert set(least) == {"1"}
    changed = comparison.timetable_changes.query("subject == 'route' and name == '1'")
    assert (changed["after"] < changed["before"]).all()
