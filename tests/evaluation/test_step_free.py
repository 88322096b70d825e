"""Step-free studies: what is not known counts as accessible at best, as not at worst, and nothing is empty in silence."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import pandas as pd
import pytest

from community_routes.base.errors import StudyError
from community_routes.base.notices import Notice
from community_routes.cli import run_command
from community_routes.evaluation.case import Study, chosen_query, open_study
from community_routes.evaluation.evaluate import evaluate
from community_routes.evaluation.results import compare
from community_routes.over_time.runs import read_run
from community_routes.scenarios.file import Scenario
from community_routes.sites import assess_sites
from community_routes.travel.isochrone import isochrone
from community_routes.travel.itinerary import journey
from community_routes.travel.matrix import travel_times, write_matrix
from small_town import STUDY, town_study

BOTH = STUDY + "  step_free: true\n"
EVERYWHERE = dict.fromkeys(range(7), "1")


def town(
    folder: Path, text: str = BOTH, *, trips: dict[str, str] | None = None, stops: dict[int, str] | None = None
) -> Path:
    """The town with what its timetable says of trips (by route) and stops (by number); blank where nothing is given."""
    path = town_study(folder, text)
    with zipfile.ZipFile(folder / "bus.zip") as archive:
        tables = {name: archive.read(name).decode() for name in archive.namelist()}
    stated: dict[str, dict[str, str]] = {
        "trips.txt": dict(trips or {}),
        "stops.txt": {f"S{number}": said for number, said in (stops or {}).items()},
    }
    columns = {"trips.txt": "wheelchair_accessible", "stops.txt": "wheelchair_boarding"}
    with zipfile.ZipFile(folder / "bus.zip", "w") as archive:
        for name, text_of in tables.items():
            if name in stated:
                heading, *rows = text_of.splitlines()
                rows = [f"{row},{stated[name].get(row.split(',')[0], '')}" for row in rows]
                text_of = "\n".join([f"{heading},{columns[name]}", *rows]) + "\n"
            archive.writestr(name, text_of)
    return path


def reached(access: pd.DataFrame, scenario: str = "today") -> dict[tuple[str, str], float]:
    """Places that P0 reaches within 60 minutes on average, by mode."""
    rows = access.query(
        "neighbourhood == 'P0' and measure == 'cumulative_opportunities' and reading == 'mean' and cutoff_min == 60"
    )
    rows = rows[rows["scenario"] == scenario]
    return dict(zip(rows["mode"], rows["value"], strict=True))


def written(study: Study, folder: Path, *proposals: Scenario) -> Path:
    today = evaluate(study)
    compare(today, *(evaluate(study, one, base=today) for one in proposals)).write_report(folder, maps=False)
    return folder


def test_a_timetable_that_says_nothing_is_not_empty(tmp_path: Path) -> None:
    """P0 reaches itself, P1, P2, and P3 at half of the departures: 3.5 at best, as without the question. At worst only itself."""
    notices: list[Notice] = []
    study = open_study(town(tmp_path), notices=notices)
    told = [n for n in notices if n.code.startswith("step_free")]
    assert [(n.code, n.field) for n in told] == [("step_free_unknown", "travel.step_free")]
    n_trips = len(study.feed.trips)
    assert f"{n_trips:,} of {n_trips:,} trips (100%) and 7 of 7 stops (100%)" in told[0].message
    assert "walking alone" in told[0].message
    out = written(study, tmp_path / "out")
    access = pd.read_csv(out / "access.csv")
    assert reached(access) == {"step_free_best": 3.5, "step_free_worst": 1.0}
    plain = written(open_study(town(tmp_path / "plain", STUDY)), tmp_path / "plain_out")
    without = pd.read_csv(plain / "access.csv")
    assert "mode" not in without.columns
    best = access[access["mode"] == "step_free_best"].drop(columns="mode").reset_index(drop=True)
    pd.testing.assert_frame_equal(best, without)
    groups = pd.read_csv(out / "groups.csv")
    assert groups["mode"].value_counts().to_dict() == dict.fromkeys(
        ("step_free_best", "step_free_worst"), len(groups) // 2
    )
    page = (out / "report.html").read_text(encoding="utf-8")
    assert "At worst" in page
    assert "3.5" in page
    assert "At worst" not in (plain / "report.html").read_text(encoding="utf-8")
    # Runs over time are compared by the better bound, each row once.
    assert len(read_run(out).access) == len(without)


def test_trips_and_stops_known_and_unknown(tmp_path: Path) -> None:
    """L1 and L2 are known to be accessible, L3 is known not to be, P2's stop is not known: best to P2, worst to P1.

    Within the hour from P0: P1 and P2 always, and no further, since L3 goes on from P2.
    """
    study = open_study(town(tmp_path, trips={"L1": "1", "L2": "1", "L3": "2"}, stops={0: "1", 1: "1"}))
    access = pd.read_csv(written(study, tmp_path / "out") / "access.csv")
    assert reached(access) == {"step_free_best": 3.0, "step_free_worst": 2.0}


def test_proposals_have_both_bounds(tmp_path: Path) -> None:
    """All is known but L2, which the proposal takes away: at best 3.5 become 2, at worst 2 stay 2."""
    study = open_study(town(tmp_path, trips={"L1": "1", "L3": "1"}, stops=EVERYWHERE))
    proposal = Scenario.model_validate({"scenario": "less", "changes": [{"withdraw_route": {"route": "L2"}}]})
    out = written(study, tmp_path / "out", proposal)
    assert reached(pd.read_csv(out / "access.csv"), "less") == {"step_free_best": 2.0, "step_free_worst": 2.0}
    change = pd.read_csv(out / "comparison.csv").query(
        "neighbourhood == 'P0' and measure == 'cumulative_opportunities' and reading == 'mean' and cutoff_min == 60"
    )
    assert dict(zip(change["mode"], change["change"], strict=True)) == {"step_free_best": -1.5, "step_free_worst": 0.0}


def test_one_bound_alone_and_the_older_name(tmp_path: Path) -> None:
    for text, mode, value in (("step_free: worst", "step_free_worst", 1.0), ("step_free: best", "step_free_best", 3.5)):
        study = open_study(town(tmp_path / mode, STUDY + f"  {text}\n"))
        assert reached(pd.read_csv(written(study, tmp_path / f"{mode}_out") / "access.csv")) == {mode: value}
    older = open_study(town(tmp_path / "older", STUDY + "  wheelchair: true\n"))
    assert [mode for mode, _ in older.bounds()] == ["step_free_best", "step_free_worst"]
    with pytest.raises(StudyError, match="mean the same"):
        open_study(town(tmp_path / "odd", STUDY + "  wheelchair: false\n  step_free: true\n"))


def test_where_nothing_can_be_ridden_it_is_said(tmp_path: Path) -> None:
    notices: list[Notice] = []
    open_study(
        town(tmp_path, trips=dict.fromkeys(("L1", "L2", "L3", "L4", "L5", "N", "SLOW"), "2"), stops=EVERYWHERE),
        notices=notices,
    )
    assert [n.code for n in notices if n.code.startswith("step_free")] == ["step_free_none"]


def test_nothing_is_said_where_all_is_known(tmp_path: Path) -> None:
    notices: list[Notice] = []
    trips = dict.fromkeys(("L1", "L2", "L3", "L4", "L5", "N", "SLOW"), "1")
    study = open_study(town(tmp_path, trips=trips, stops=EVERYWHERE), notices=notices)
    assert not [n for n in notices if n.code.startswith("step_free")]
    access = pd.read_csv(written(study, tmp_path / "out") / "access.csv")
    assert reached(access) == {"step_free_best": 3.5, "step_free_worst": 3.5}


def test_a_matrix_has_a_row_for_each_bound(tmp_path: Path) -> None:
    """P0 to P1: the bus leaves every 20 minutes and takes 10, so that the median is 1 + 10 + 9 or so, and at worst none."""
    study = open_study(town(tmp_path))
    matrix = travel_times(study, day="day", window="peak")
    frame = matrix.to_frame()
    assert list(frame.columns)[:3] == ["origin", "destination", "mode"]
    assert len(frame) == 2 * len(matrix.origins) * len(matrix.destinations)
    pair = frame[(frame["origin"] == "P0") & (frame["destination"] == "hallP1")].set_index("mode")
    plain = travel_times(open_study(town(tmp_path / "plain", STUDY)), day="day", window="peak").to_frame()
    known = plain[(plain["origin"] == "P0") & (plain["destination"] == "hallP1")]
    assert "mode" not in plain.columns
    assert pair["p50"]["step_free_best"] == known["p50"].item()
    assert pair["reason"].tolist() == ["", "no_service"]
    matrix.write(tmp_path / "a.csv")
    found = write_matrix(study, chosen_query(study, "peak"), "day", tmp_path / "b.csv")
    assert found.n_rows == len(frame)
    assert (tmp_path / "a.csv").read_bytes() == (tmp_path / "b.csv").read_bytes()


def test_a_journey_says_which_bound_it_is(tmp_path: Path) -> None:
    """From P0 at 08:00 by L1 at 08:20 (a minute of slack): 30 minutes at best; no journey by what is known."""
    study = open_study(town(tmp_path))
    found = journey(study, "P0", "P1", depart="08:00")
    assert found.journeys[0].time_s == 1800
    assert (
        "of which it is not known count as accessible; by those known to be accessible alone: no journey"
        in found.text()
    )
    content = json.loads(found.json())
    assert content["step_free"] == "best"
    assert (content["step_free_worst"]["journeys"], content["step_free_worst"]["reason"]) == ([], "no_service")
    plain = journey(open_study(town(tmp_path / "plain", STUDY)), "P0", "P1", depart="08:00")
    assert "step" not in plain.text() + plain.json()
    catchment = isochrone(study, "P0", depart="08:00", minutes=[45])
    assert "step-free at best (by stops and trips known to be accessible alone 0 stops)" in catchment.title
    assert len(catchment.stops) == 1


def test_commands_say_it_before_they_answer(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(["journey", str(town(tmp_path)), "P0", "P1", "--depart", "08:00", "--cache", "none"]) == 0
    told = capsys.readouterr()
    assert "7 of 7 stops" in " ".join(told.err.split())
    assert "step-free:" in told.out


def test_sites_are_judged_by_both_bounds(tmp_path: Path) -> None:
    """At P0 three buses of L1 leave in an hour, where two are asked for; by what is known to be accessible none does."""
    study = town(tmp_path, BOTH + "standards: {departures_per_hour: {peak: 2}}\n")
    (tmp_path / "sites.csv").write_text("id,lon,lat\na,20.0,0.0\n", encoding="utf-8")
    found = assess_sites(open_study(study), tmp_path / "sites.csv", tmp_path / "out", pages=["none"])
    best, worst = (pd.read_csv(tmp_path / "out" / f"{name}.csv") for name in ("sites", "sites_step_free_worst"))
    assert list(best.columns) == list(worst.columns)
    assert (found.n_missing, found.n_missing_at_worst) == (0, 1)
    assert "0 miss a required standard (1 by stops and trips known to be accessible alone)" in str(found)
