"""Figures of sites in a town whose every journey is known: entrances, named places, on foot, periods, and the medians around."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest

from community_routes.base.errors import CommunityRoutesError, StudyError
from community_routes.base.times import HOUR
from community_routes.evaluation.case import Study, open_study
from community_routes.sites import assess_sites
from community_routes.sites.around import look_around, residents_of_sites
from community_routes.sites.periods import service_windows, times_of_period
from community_routes.sources.study.file import read_study_file
from small_town import STUDY, town_study

ASKED = """\
standards:
  stop_within_m: 400
  departures_per_hour: {weekday_day: 2}
  shared_spaces_within_min: 10
  town_hall_within_min: 45
sites: {named_places: {town_hall: Hall P2, corner: "20.1,0.002"}, persons_per_home: 2}
"""
A_METRE = 1 / 111_194.93


def judged(tmp_path: Path, rows: list[str], text: str = STUDY + ASKED) -> dict[str, dict[str, str]]:
    """Rows of sites.csv by id."""
    study = open_study(town_study(tmp_path / "town", text))
    (tmp_path / "sites.csv").write_text("id,lon,lat,homes,entrances\n" + "\n".join(rows) + "\n", encoding="utf-8")
    assess_sites(study, tmp_path / "sites.csv", tmp_path / "out", pages=["none"])
    return {row["id"]: row for row in table(tmp_path / "out" / "sites.csv")}


def table(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_figures_are_those_of_the_timetable(tmp_path: Path) -> None:
    """At P0: buses at 07:00, 07:20, 07:40 with a minute of slack.

    Leaving at minute m of 20, P1 is 30 - m minutes away (30 to 11, all within 30), P2 20 more (50 to 31; every third of 60
    departures is one value, so the 30th is 40), P3 is 70 to 51, of which half are within 60. On foot there is the hall at
    the place alone. A day of 07:00 to 19:00 has 36 buses and the slow one.
    """
    row = judged(tmp_path, ["A,20.0,0.0,,"])["A"]
    assert row["time_to__day__peak__town_hall"] == "2400"
    assert (
        row["nearest__day__peak__shared_spaces"] == "0" and row["nearest_place__day__peak__shared_spaces"] == "Hall P0"
    )
    assert row["cumulative_opportunities__day__peak__shared_spaces__30"] == "2"
    assert row["cumulative_opportunities__day__peak__shared_spaces__60"] == "3.5"
    assert row["cumulative_opportunities_on_foot__any_day__any_time__shared_spaces__60"] == "1"
    assert row["service_per_hour__day__day__stops"] == "3.0833" and row["service_per_hour__day__peak__stops"] == "3"
    assert row["departures_per_hour_weekday_day__margin"] == "1.0833"
    assert row["town_hall_within_min__pass"] == "true" and row["town_hall_within_min__margin"] == "5"


def test_each_entrance_has_its_own_stop_and_the_nearest_counts(tmp_path: Path) -> None:
    """400 m in a straight line are 520 m to walk; the second gate is 100 m (130 m) away and the site passes by 270 m."""
    far, near = 400 * A_METRE, 100 * A_METRE
    rows = judged(
        tmp_path,
        [
            f"one,20.1,{far:.9f},,",
            f"two,20.1,{far:.9f},,20.1 {far:.9f}; 20.1 {near:.9f}",
            "bad,20.1,0,,20.1 0; somewhere",
        ],
    )
    assert rows["one"]["stop_within_m__pass"] == "false" and rows["one"]["stop_within_m__margin"] == "-120"
    assert rows["one"]["stop_within_m__needs"] == "a served stop 120 m nearer"
    assert rows["two"]["stop_within_m__pass"] == "true" and rows["two"]["stop_within_m__margin"] == "270"
    assert rows["two"]["stop_within_m__needs"] == ""
    gates = [
        (r["id"], r["entrance"], r["nearest_stop_m__day"], r["nearest_stop__day"])
        for r in table(tmp_path / "out/entrances.csv")
    ]
    assert gates == [
        ("one", "1", "520", "Stand 1 (S1)"),
        ("two", "1", "520", "Stand 1 (S1)"),
        ("two", "2", "130", "Stand 1 (S1)"),
    ]
    (fault,) = table(tmp_path / "out/failed.csv")
    assert (fault["line"], fault["field"], fault["value"], fault["reason"]) == (
        "4",
        "entrances",
        "20.1 0; somewhere",
        "bad_entrances",
    )


def test_a_site_stands_beside_its_neighbourhood_and_the_borough(tmp_path: Path) -> None:
    """Nothing touches P0's area, so what stands around a site in it is what P0's origin has; outside there is nothing."""
    rows = judged(tmp_path, ["in,20.004,0.0,10,", "out,20.05,0.0,10,"])
    assert rows["in"]["neighbourhood"] == "P0" and rows["out"]["neighbourhood"] == ""
    assert rows["in"]["service_per_hour__day__peak__stops"] == "0"  # 578 m to walk
    assert rows["in"]["service_per_hour__day__peak__stops__around"] == "3"
    assert rows["out"]["service_per_hour__day__peak__stops__around"] == ""
    assert rows["in"]["potential_residents"] == "20"
    told = json.loads((tmp_path / "out/sites.json").read_text("utf-8"))
    assert told["neighbourhoods"]["P0"]["around"] == []
    assert told["neighbourhoods"]["P0"]["median"]["service_per_hour__day__peak__stops"] == 3


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Study:
    return open_study(town_study(tmp_path_factory.mktemp("town")))


def test_neighbourhoods_that_touch_are_around_one_another(study: Study) -> None:
    """P1 (20.09 to 20.11 by -0.005 to 0.005) and ``far`` above it (0.015 up) do not touch; with a bridge they would."""
    zones = study.zones
    values, persons = np.arange(len(zones), dtype=np.float64)[:, None], np.ones(len(zones))
    around = look_around(zones, np.array([[20.1, 0.0], [20.1, 0.02], [np.nan, np.nan]]), values, persons)
    assert around.zone.tolist() == [1, 7, -1]
    assert [near.tolist() for near in around.near] == [[zone] for zone in range(len(zones))]
    assert around.of_sites()[:2, 0].tolist() == [1, 7] and np.isnan(around.of_sites()[2, 0])
    assert around.borough.tolist() == [4]  # the middle of 0 to 8


def test_residents_are_spread_like_the_neighbourhood(study: Study) -> None:
    """Nine zones of one person: without deprivation or groups there is nothing to spread by, with a decile there is.

    Ten homes of 2.4 are 24 persons; zone 0 alone has rank 1 of nine: 9 / 5 = 1.8 zones make a fifth, so it is wholly in the
    first, while the zone of rank 2 is in the first with 0.8 and in the second with 0.2: of 24, 19.2 (20) and 4.8 (under 10,
    which hides the 20 as well, or it could be told from the total).
    """
    plain = residents_of_sites(study.zones, np.array([0]), [10.0], 2.4)
    assert plain.grouping == () and plain.persons.tolist() == [24.0]
    study.zones.table["deprivation_rank"] = np.arange(1.0, 10.0)
    try:
        found = residents_of_sites(study.zones, np.array([0, 1, 1, -1]), [10.0, 10.0, 100.0, 10.0], 2.4)
    finally:
        study.zones.table["deprivation_rank"] = np.nan
    assert found.grouping == ("local",) * 5 and found.group == ("1", "2", "3", "4", "5")
    assert found.count[0].tolist() == [25.0, 0, 0, 0, 0]
    assert np.isnan(found.count[1][:2]).all() and found.count[1][2:].tolist() == [0, 0, 0]
    assert found.count[2].tolist() == [190.0, 50.0, 0, 0, 0]  # 192 and 48
    assert np.isnan(found.count[3]).all()


@pytest.mark.parametrize(
    ("period", "when"),
    [
        ("peak", [("day", "peak")]),
        ("day", [("day", "peak")]),
        ("weekday", [("day", "peak")]),
        ("weekday_peak", [("day", "peak")]),
        ("weekday_day", [("day", "day")]),
        ("evening", [("day", "evening")]),
        ("day_evening", [("day", "evening")]),
    ],
)
def test_a_period_is_a_window_a_day_or_both(tmp_path: Path, period: str, when: list[tuple[str, str]]) -> None:
    """The town has one day, a Tuesday called ``day``, and one window, ``peak``."""
    text = STUDY + f"standards: {{departures_per_hour: {{{period}: 1}}}}\n"
    file = read_study_file(town_study(tmp_path, text))
    assert times_of_period(file, period) == when
    added = {"day": (7 * HOUR, 19 * HOUR), "evening": (19 * HOUR, 23 * HOUR)}
    windows = {"peak": (7 * HOUR, 8 * HOUR)} | {name: added[name] for _, name in when if name in added}
    assert service_windows(file, "day") == windows


def test_a_period_that_the_study_does_not_have_says_what_to_do(tmp_path: Path) -> None:
    file = read_study_file(town_study(tmp_path))
    with pytest.raises(StudyError, match=r"'sunday' is no window or day of the study; the study has no sunday: give"):
        times_of_period(file, "sunday")
    with pytest.raises(StudyError, match=r"did you mean 'peak'\?.*also day \(07:00-19:00\)"):
        times_of_period(file, "peek")


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ("sites: {named_places: {hall: Hall P22}}", r"sites.named_places.hall.*did you mean 'Hall P2'"),
        ("sites: {named_places: {shared_spaces: Hall P2}}", "is a key of destinations already"),
        ("sites: {named_places: {a/b: Hall P2}}", "cannot name a place"),
        ("sites: {named_places: {hall: Hall P2}}\nstandards: {hal_within_min: 3}", "did you mean 'hall'"),
        ("sites: {persons_per_home: 0}", "persons_per_home"),
    ],
)
def test_places_that_cannot_be_named_are_said(tmp_path: Path, asked: str, said: str) -> None:
    (tmp_path / "sites.csv").write_text("id,lon,lat\nA,20,0\n", encoding="utf-8")
    with pytest.raises(CommunityRoutesError, match=said):
        assess_sites(
            open_study(town_study(tmp_path / "t", f"{STUDY}{asked}\n")), tmp_path / "sites.csv", tmp_path / "out"
        )
    assert not (tmp_path / "out").exists()


def test_names_in_a_list_stand_for_themselves(tmp_path: Path) -> None:
    row = judged(tmp_path, ["A,20.0,0.0,,"], STUDY + "sites: {named_places: [Hall P1, Stand 1]}\n")["A"]
    assert row["time_to__day__peak__Hall P1"] == row["time_to__day__peak__Stand 1"] == "1200"
