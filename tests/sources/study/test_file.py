"""Study files: every key, its default, and every fault at once."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from community_routes.base.errors import StudyError
from community_routes.base.notices import Notice
from community_routes.base.times import HOUR
from community_routes.sources.study.file import StudyFile, read_study_file

SMALLEST = """\
study: town
service_date: 2024-03-05
streets: {crow_fly: {detour: 1.3}}
timetables: [bus.zip]
neighbourhoods: {file: areas.geojson, id: code}
destinations: {employment: {file: work.geojson, id: id}}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with (empty) files of the names used here; only their presence is asked for."""
    for name in (
        "bus.zip",
        "rail.zip",
        "areas.geojson",
        "work.geojson",
        "spaces.geojson",
        "census.csv",
        "town.osm.pbf",
    ):
        (tmp_path / name).touch()
    return tmp_path


def read(folder: Path, text: str) -> tuple[StudyFile, list[Notice]]:
    path = folder / "study.yaml"
    path.write_text(text, encoding="utf-8")
    notices: list[Notice] = []
    return read_study_file(path, notices), notices


def places(notices: list[Notice]) -> list[tuple[str, int | None, int | None, str, str]]:
    return sorted((n.code, n.row, n.column, n.field, n.value) for n in notices)


def test_the_smallest_study_has_the_defaults_of_the_format(folder: Path) -> None:
    study, notices = read(folder, SMALLEST)
    assert notices == []
    assert study.dates == {"day": dt.date(2024, 3, 5)}
    travel = study.travel
    assert {name: (w.start_s, w.end_s, w.days) for name, w in travel.windows.items()} == {
        "morning_peak": (7 * HOUR, 9 * HOUR, None),
        "evening": (18 * HOUR, 22 * HOUR, ("weekday",)),
    }
    assert (travel.cutoffs_min, travel.percentiles) == ((30, 45, 60), (25, 50, 75))
    assert (travel.max_rides, travel.max_travel_min, travel.slack_s, travel.departure_step_s) == (3, 120, 60, 60)
    assert (travel.wheelchair, travel.phase, travel.seed) == (False, "zero", 0)
    walk = travel.walk
    assert (walk.speed_kmh, walk.to_stop_min, walk.between_stops_min) == (4.8, 20, 10)
    assert (walk.all_the_way_min, walk.link_m) == (60, 300)
    assert study.fares is None and study.standards is None and study.measures is None
    assert study.destinations["employment"].amount == 1.0
    assert study.timetables == (folder / "bus.zip",)
    assert (study.path, study.folder) == (folder / "study.yaml", folder)


def test_every_key_of_the_format_is_understood(folder: Path) -> None:
    study, notices = read(
        folder,
        """\
study: 007
title: Town
service_date: {weekday: 2024-03-05, saturday: 20240309, sunday: "2024-03-10"}
streets: {osm: town.osm.pbf, area: [-3.0770, 51.5222, -2.9251, 51.5936]}
timetables: [bus.zip, rail.zip]
neighbourhoods:
  file: areas.geojson
  id: LSOA11CD
  name: LSOA11NM
  group: ward
  origin_points: {file: census.csv, id: code, lon: longitude, lat: latitude, weight: households}
  population: {file: census.csv, id: lsoa11_code, column: 2021}
  deprivation: {file: census.csv, id: lsoa11_code, rank: IMD_rank, decile: IMD_decile}
  groups: {file: census.csv, id: lsoa11_code, columns: {asian: "Asian, Asian British", white: [White, Irish]}}
destinations:
  employment:    {file: work.geojson, id: osm_id, name: name, amount: area_m2}
  shared_spaces: {file: spaces.geojson, id: osm_id, name: name, kind: kind, same_as: site}
  libraries:     {osm: {amenity: [library]}, amount: 2}
travel:
  windows: {night: 23:00-01:30, evening: {time: "18:00-22:00", days: [weekday, saturday]}}
  cutoffs_min: [60, 30]
  max_rides: 2
  max_travel_min: 90
  walk: {speed_kmh: 3.6, to_stop_min: 30, between_stops_min: 15, all_the_way_min: 30, link_m: 100}
  slack_s: 0
  percentiles: [50]
  wheelchair: true
  phase: sampled
  seed: 7
  departure_step_s: 120
fares:
  single: 3.00
  return: 5.50
  day: 6.00
  week: 24.00
  four_week: 80
  cap_single: 3.00
  routes: {7: {single: 2.00}, "007": {single: 1}}
  agencies: {A: {day: 4.50}}
  modes: {rail: {per_km: 0.25, minimum: 2.50}}
  concession: {share: 0.15, from: 09:30}
  budgets: [2, 5]
standards: {stop_within_m: 400, departures_per_hour: {weekday_day: 2, sunday: 1}, employment_within_min: 45, source: Local Plan}
measures: [cumulative_opportunities, nearest: {n: 2, share: 0.5}]
""",
    )
    assert notices == []
    assert study.study == "007"
    assert list(study.dates) == ["weekday", "saturday", "sunday"]
    assert study.dates["saturday"] == dt.date(2024, 3, 9)
    assert study.streets.area == (-3.0770, 51.5222, -2.9251, 51.5936)
    assert study.neighbourhoods.population is not None and study.neighbourhoods.population.column == "2021"
    assert study.neighbourhoods.groups is not None
    assert study.neighbourhoods.groups.columns == {"asian": ("Asian, Asian British",), "white": ("White", "Irish")}
    assert study.destinations["employment"].amount == "area_m2"
    assert study.destinations["libraries"].osm == {"amenity": ("library",)}
    assert study.destinations["libraries"].amount == 2.0
    night = study.travel.windows["night"]
    assert (night.start_s, night.end_s) == (23 * HOUR, 25 * HOUR + HOUR // 2)
    assert study.travel.cutoffs_min == (30, 60)
    assert list(study.windows_on("sunday")) == ["night"]
    fares = study.fares
    assert fares is not None and fares.concession is not None
    assert (fares.single, fares.return_, fares.four_week) == (3.0, 5.5, 80.0)
    assert {route: fare.single for route, fare in fares.routes.items()} == {"7": 2.0, "007": 1.0}
    assert (fares.concession.from_, fares.budgets) == (9 * HOUR + HOUR // 2, (2.0, 5.0))
    assert study.standards is not None and study.standards.within_min == {"employment": 45.0}
    assert study.measures is not None
    assert [(m.name, m.settings) for m in study.measures] == [
        ("cumulative_opportunities", {}),
        ("nearest", {"n": 2, "share": 0.5}),
    ]


def test_all_faults_come_at_once_with_their_places(folder: Path) -> None:
    """A misspelt key, a missing file, a bad number, a window of nothing, a percentile above 100 and a key given twice."""
    text = SMALLEST.replace("bus.zip", "bsu.zip").replace("study: town", "study: town\ntitel: Town") + (
        "travel:\n  windows: {peak: 07:00-07:00}\n  percentiles: [50, 101]\n  max_rides: three\n  max_rides: 2\n"
    )
    study, notices = read(folder, text)
    assert places(notices) == [
        ("bad_value", 9, 19, "travel.windows.peak", "07:00-07:00"),
        ("bad_value", 10, 16, "travel.percentiles", ""),
        ("bad_value", 11, 14, "travel.max_rides", "three"),
        ("duplicate_key", 12, 3, "travel.max_rides", "max_rides"),
        ("missing_file", 5, 13, "timetables[1]", "bsu.zip"),
        ("unknown_key", 2, 1, "titel", "titel"),
    ]
    assert study.title == "Town", "the misspelt key is read as the one meant, so that the rest can be checked"
    assert study.missing_files == {folder / "bsu.zip"}
    assert any("did you mean 'bus.zip'?" in notice.message for notice in notices)


def test_without_a_list_of_notices_the_faults_are_raised_together(folder: Path) -> None:
    (folder / "study.yaml").write_text(
        SMALLEST.replace("id: code", "idd: code").replace("bus.zip", "bsu.zip"), encoding="utf-8"
    )
    with pytest.raises(StudyError) as fault:
        read_study_file(folder / "study.yaml")
    assert "line 5, column 39 (neighbourhoods.idd): unknown key 'idd'; did you mean 'id'?" in str(fault.value)
    assert "bsu.zip" in str(fault.value)


def test_a_study_that_cannot_be_built_raises_with_every_fault(folder: Path) -> None:
    text = "study: town\nservice_date: 2024-02-30\nstreets: {}\ntimetables: []\n"
    (folder / "study.yaml").write_text(text, encoding="utf-8")
    notices: list[Notice] = []
    with pytest.raises(StudyError):
        read_study_file(folder / "study.yaml", notices)
    assert places(notices) == [
        ("bad_value", 2, 15, "service_date", "2024-02-30"),
        ("bad_value", 3, 10, "streets", ""),
        ("bad_value", 4, 13, "timetables", ""),
        ("missing_key", 1, 1, "destinations", ""),
        ("missing_key", 1, 1, "neighbourhoods", ""),
    ]


def test_the_days_of_a_window_are_days_of_the_study(folder: Path) -> None:
    """A lone Tuesday is a weekday; Sunday is a kind of day that the study lacks; `wekday` is no day at all."""
    windows = "travel: {windows: {a: {time: 18:00-22:00, days: [weekday]}, b: {time: 18:00-22:00, days: [sunday]}"
    study, notices = read(folder, SMALLEST + windows + "}}\n")
    assert list(study.windows_on("day")) == ["a"]
    assert places(notices) == [
        ("window_on_no_day", 7, windows.index("[sunday]") + 1, "travel.windows.b.days", "sunday")
    ]
    line = windows + ", c: {time: 1:00-2:00, days: wekday}}}"
    _, notices = read(folder, SMALLEST + line + "\n")
    assert ("bad_value", 7, line.index("wekday}") + 1, "travel.windows.c.days", "wekday") in places(notices)


def test_a_key_of_the_study_hides_the_kind_of_day(folder: Path) -> None:
    """Where `weekday` is a key, a window on weekdays is not run on another key's Wednesday."""
    text = SMALLEST.replace("2024-03-05", "{weekday: 2024-03-05, half_term: 2024-02-14}")
    study, _ = read(folder, text + "travel: {windows: {a: {time: 18:00-22:00, days: [weekday]}}}\n")
    assert list(study.windows_on("weekday")) == ["a"]
    assert list(study.windows_on("half_term")) == []


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (
            "{crow_fly: {detour: 1.3}}",
            "{crow_fly: {}, osm: town.osm.pbf}",
            "exactly one of osm, graphml, place and crow_fly",
        ),
        ("{crow_fly: {detour: 1.3}}", "{osm: town.osm.pbf, area: [-2.9, 51.5, -3.0, 51.6]}", "is no box"),
        (
            "{crow_fly: {detour: 1.3}}",
            "{osm: town.osm.pbf, area: [-2.9, 51.5, -3.0]}",
            "value number 4 is missing under streets.area",
        ),
        ("{crow_fly: {detour: 1.3}}", "{crow_fly: {detour: .nan}}", "'.nan' is no number"),
        ("{file: work.geojson, id: id}", "{file: work.geojson}", "the key 'id' is missing"),
        ("{file: work.geojson, id: id}", "{osm: {amenity: library}, id: x}", "cannot stand beside 'osm'"),
        ("{file: work.geojson, id: id}", "{file: work.geojson, id: id, amount: -1}", "below 0"),
        ("employment:", "em/ployment:", "without `/`"),
        ("id: code", "id: code, population: {file: census.csv, column: x}", "the key 'id' is missing"),
        ("id: code", "id: code, deprivation: {file: census.csv, id: x}", "'rank', 'decile' or both"),
        ("2024-03-05", "{}", "at least 1"),
        ("2024-03-05", "9999-12-31", "no date of a timetable"),
        ("{file: work.geojson, id: id}", "{osm: {amenity: library}}", "`streets` names no file to find them in"),
    ],
)
def test_values_that_make_no_sense_say_why(folder: Path, old: str, new: str, said: str) -> None:
    (folder / "study.yaml").write_text(SMALLEST.replace(old, new), encoding="utf-8")
    with pytest.raises(StudyError) as fault:
        read_study_file(folder / "study.yaml")
    assert said in str(fault.value)


def test_standards_name_destinations_of_the_study(folder: Path) -> None:
    _, notices = read(folder, SMALLEST + "standards: {emploiment_within_min: 45}\n")
    assert [(n.code, n.value) for n in notices] == [("bad_value", "emploiment_within_min")]
    assert "did you mean 'employment'?" in notices[0].message


def test_a_default_window_that_runs_on_no_day_is_no_notice(folder: Path) -> None:
    """Sunday 10 March 2024 alone: the default evening is for weekdays, but nobody wrote it down."""
    study, notices = read(folder, SMALLEST.replace("2024-03-05", "2024-03-10"))
    assert notices == [] and list(study.windows_on("day")) == ["morning_peak"]
