"""Services taken away one at a time: what is lost and saved, equal to comparing that proposal, and what the page says of it."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path

import numpy as np
import pytest

from community_routes.base.errors import UsageError
from community_routes.cli import run_command
from community_routes.evaluation.case import Case, open_study
from community_routes.evaluation.evaluate import evaluate_case
from community_routes.evaluation.results import compare, lead_rows
from community_routes.planning.lost import ranks
from community_routes.planning.page import nobody_misses, reasons
from community_routes.planning.review import MEASURE, Review, review
from community_routes.planning.services import ALL_WEEK, asked_periods, services_of, usual_periods
from community_routes.sources.study.file import MeasureChoice
from small_town import STUDY, town_study

DAYS = {"weekday": dt.date(2024, 3, 5), "saturday": dt.date(2024, 3, 9)}
TWO_DAYS = STUDY.replace(
    "service_date: 2024-03-05", "service_date: {weekday: 2024-03-05, saturday: 2024-03-09}"
).replace("peak: 07:00-08:00", "peak: {time: 07:00-08:00, days: [weekday]}")


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Review:
    return review(open_study(town_study(tmp_path_factory.mktemp("town"), TWO_DAYS)), threads=2)


def row(found: Review, route: str, period: str, window: str | None = None) -> dict[str, object]:
    table = found.table
    mine = table[(table["route"] == route) & (table["period"] == period)]
    return dict((mine if window is None else mine[mine["window"] == window]).iloc[0])


def test_every_start_of_a_weekday_is_in_one_period(found: Review) -> None:
    """L1 starts every 20 minutes from 06:00 to 21:40, both ways: 96 on each day. N starts at 23:50 and 24:50: evening."""
    services = found.services
    for route in ("L1", "N", "SLOW"):
        parts = [
            s.departures for s in services if s.name == route and s.period is not None and s.period.day == "weekday"
        ]
        saturday = [s.departures for s in services if s.name == route and s.when == "saturday"]
        whole = [s.departures for s in services if s.name == route and s.period is None]
        assert sum(parts) == saturday[0] and whole == [sum(parts) + saturday[0]]
    of_l1 = {s.when: s.departures for s in services if s.name == "L1"}
    assert of_l1 == {
        ALL_WEEK: 192, "weekday early": 6, "weekday morning peak": 16, "weekday daytime": 32, "weekday afternoon peak": 22,
        "weekday evening": 20, "saturday": 96,
    }  # fmt: skip
    assert [s.when for s in services if s.name == "N"] == [ALL_WEEK, "weekday evening", "saturday"]


def test_what_the_first_bus_of_a_place_is_worth(found: Review) -> None:
    """Before 07:00 nothing but L1 leaves P0: without it P0 has its own hall alone, and nobody else comes to P0's.

    Six starts of 10 minutes, with half of a layover of 5 minutes each: 6 x 12.5 minutes = 1.25 hours on 253 weekdays.
    """
    early = row(found, "L1", "weekday early")
    assert (early["last_of_stops"], early["last_of_neighbourhoods"], early["persons_in_last_of"]) == (1, 1, 1.0)
    assert early["bus_hours_saved"] == pytest.approx(253 * 1.25)
    assert (early["places_cut_off"], early["persons_left_without"]) == (0, 0.0)
    number = next(s.number for s in found.services if s.name == "L1" and s.when == "weekday early")
    zones = found.study.zones.table["id"].tolist()
    groups = found.groups[(found.groups["service"] == early["service"]) & (found.groups["grouping"] == "all")]
    assert float(groups["change"].iat[0]) == early["change"] < 0
    change = found.change[number, "shared_spaces"]
    assert (change[[zones.index(name) for name in ("P0", "P1", "P2")]] < 0).all()
    assert change[zones.index("P6")] == 0.0 and np.isnan(change[zones.index("lost")])
    # The other service at L1's stops is L2, at one of the two, six times in the two hours that are measured.
    assert (early["best_other"], early["best_other_stops"], early["best_other_per_hour"]) == ("L2", 0.5, 1.5)


def test_what_nobody_misses(found: Review) -> None:
    """SLOW takes three hours to P6, which is beyond the longest journey counted; it is alone at no stop."""
    slow = row(found, "SLOW", "weekday morning peak")
    assert (slow["change"], slow["persons_worse"], slow["last_of_stops"]) == (0.0, 0.0, 0)
    assert np.isnan(slow["share_left"]) and slow["rank"] is not None
    names = set(nobody_misses(found)["service"])
    assert "SLOW@weekday_morning_peak" in names and "L1@weekday_early" not in names


def test_each_row_is_what_comparing_says_of_that_proposal(found: Review) -> None:
    """Evaluated and compared as a whole, in the same windows: to the last bit."""
    case = Case.of(found.study)
    today = evaluate_case(case)
    assert case.file.measures == (MeasureChoice(name=MEASURE),)
    for service in found.services:
        if service.name not in ("L1", "L3"):
            continue
        proposal = evaluate_case(case.with_scenario(service.scenario(None)), base=today)
        groups = compare(today, proposal).groups
        groups = groups[
            (groups["scenario"] == proposal.scenario) & (groups["reading"] == "mean") & (groups["cutoff_min"] == 60)
        ]
        for _, mine in found.table[found.table["service"] == service.id].iterrows():
            there = groups[(groups["window"] == mine["window"]) & (groups["kind"] == mine["kind"])]
            every = there[(there["grouping"] == "all") & (there["measure"] == MEASURE)].iloc[0]
            lead = lead_rows(there).iloc[0]
            for column in ("baseline", "value", "change"):
                assert mine[column] == every[column] and mine[f"{column}_most_deprived"] == lead[column]
            assert mine["persons_worse"] == every["persons_worse"]


def test_ranks_of_what_cannot_be_told_apart() -> None:
    assert ranks([0.0, 5.0, 3.0, 5.0 * (1 + 1e-12), float("nan"), 1.0]) == [None, 1, 3, 1, None, 4]


def test_whole_routes_and_periods_are_ranked_apart(found: Review) -> None:
    """Of a route in the middle everybody's journeys go through it: L3 before L1, and L1 as L5 by symmetry."""
    routes = found.of_routes("shared_spaces")
    rank = dict(zip(routes["route"], routes["rank"], strict=True))
    assert rank["L3"] == 1 and rank["L1"] == rank["L5"]
    periods = found.of_periods("shared_spaces")
    assert 1 in set(periods["rank"]) and (periods["period"] != ALL_WEEK).all()


def test_periods_as_they_are_written() -> None:
    asked = asked_periods(["07:00-09:00", "saturday=10:00-16:00"], DAYS)
    assert [(one.name, one.day, one.hours) for one in asked] == [
        ("weekday 07:00-09:00", "weekday", {"from": "07:00", "to": "09:00"}),
        ("saturday 07:00-09:00", "saturday", {"from": "07:00", "to": "09:00"}),
        ("saturday 10:00-16:00", "saturday", {"from": "10:00", "to": "16:00"}),
    ]
    for text, said in (("sunday=07:00-09:00", "no day of the study"), ("noon", "no period"), ("9-7", "no period")):
        with pytest.raises(UsageError, match=said):
            asked_periods([text], DAYS)
    with pytest.raises(UsageError, match="given twice"):
        asked_periods(["07:00-09:00", "weekday=07:00-09:00"], DAYS)


def test_hours_of_the_usual_periods_leave_no_gap() -> None:
    weekday = [period for period in usual_periods(DAYS) if period.day == "weekday"]
    assert [period.hours for period in weekday] == [
        {"to": "07:00"}, {"from": "07:00", "to": "09:30"}, {"from": "09:30", "to": "15:00"},
        {"from": "15:00", "to": "18:30"}, {"from": "18:30"},
    ]  # fmt: skip


def test_a_period_without_any_start_is_refused(tmp_path: Path) -> None:
    study = open_study(town_study(tmp_path))
    with pytest.raises(UsageError, match="no route starts a trip in any of the periods"):
        review(study, periods=["03:00-04:00"])
    assert services_of(study.feed, study.file.dates, [])[0].period is None


def test_reasons_are_sentences_with_figures(found: Review) -> None:
    said = reasons(row(found, "L1", "weekday early"), "shared_spaces", persons="neighbourhoods")
    assert "It is the only service within a walk of 1 neighbourhood." in said
    assert any("L2" in text and "50" in text for text in said)
    assert any("bus-hours a year" in text for text in said)


def test_the_command_writes_a_page_and_tables(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    study, out = town_study(tmp_path / "town"), tmp_path / "out"
    asked = ["review", str(study), "--out", str(out), "--periods", "07:00-08:00", "--quiet"]
    assert run_command(asked) == 0
    assert "services taken away one at a time" in capsys.readouterr().out
    assert sorted(path.name for path in out.iterdir()) == ["review.csv", "review.html", "review_groups.csv", "run.json"]
    page = (out / "review.html").read_text(encoding="utf-8")
    assert "L3 (" in page and "would be missed most" in page
    assert "nan" not in page.lower().replace("nand", "")
    assert json.loads((out / "run.json").read_text(encoding="utf-8"))["command"] == "review"
    first = (out / "review.csv").read_bytes()
    assert run_command([*asked, "--threads", "1"]) == 0
    assert (out / "review.csv").read_bytes() == first
    assert run_command([*asked[:-3], "--periods", "noon"]) == 2
