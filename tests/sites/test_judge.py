"""Standards of sites: which figures they are about, whether they are met, and by how much."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest

from community_routes.base.errors import StudyError
from community_routes.evaluation.case import sample_study
from community_routes.sites.figures import ALL_DAY, NEAREST, NEAREST_STOP, PER_HOUR, STOPS, Figure
from community_routes.sites.judge import check_kinds, judge, standards_of_study
from community_routes.sources.places.opportunities import Opportunities
from community_routes.sources.study.fares import Standards
from community_routes.sources.study.file import StudyFile, read_study_file

STOP = Figure(NEAREST_STOP, "weekday", ALL_DAY, STOPS)
MORNING = Figure(PER_HOUR, "weekday", "morning_peak", STOPS)
SATURDAY, SUNDAY = (Figure(PER_HOUR, day, "weekend_day", STOPS) for day in ("saturday", "sunday"))
WORK = Figure(NEAREST, "weekday", "morning_peak", "employment")


def study_with(**standards: object) -> StudyFile:
    """The sample's study file (weekday: morning_peak, evening; saturday and sunday: weekend_day) with these standards."""
    file = read_study_file(Path(sample_study()))
    return file.model_copy(update={"standards": Standards.model_validate(standards)})


def test_each_standard_has_its_figures() -> None:
    """Metres and minutes on the first day and window; a period is a window on all its days, a day, or both."""
    found = standards_of_study(
        study_with(
            stop_within_m=400,
            departures_per_hour={"morning_peak": 2, "weekend_day": 1, "sunday": 1, "saturday_weekend_day": 1},
            employment_within_min=45,
        )
    )
    assert {standard.name: standard.figures for standard in found} == {
        "stop_within_m": (STOP,),
        "departures_per_hour_morning_peak": (MORNING,),
        "departures_per_hour_weekend_day": (SATURDAY, SUNDAY),
        "departures_per_hour_sunday": (SUNDAY,),
        "departures_per_hour_saturday_weekend_day": (SATURDAY,),
        "employment_within_min": (WORK,),
    }


def test_a_standard_is_met_at_its_limit_and_the_worst_day_counts() -> None:
    """400 m is within 400 m; 45 min 1 s is not within 45; 3 and 0.5 an hour are 0.5 below 1; nothing at all has no margin."""
    standards = standards_of_study(
        study_with(stop_within_m=400, departures_per_hour={"weekend_day": 1}, employment_within_min=45)
    )
    values = np.array([[400.0, 3.0, 0.5, 2701.0], [400.1, 1.0, 1.0, 2700.0], [np.inf, 0.0, 0.0, np.inf]])
    stop, service, work = judge(standards, (STOP, SATURDAY, SUNDAY, WORK), values)
    assert stop.passed.tolist() == [True, False, False] and stop.margin[:2].tolist() == [0.0, -0.1]
    assert service.passed.tolist() == [False, True, False] and service.margin.tolist() == [-0.5, 0.0, -1.0]
    assert work.passed.tolist() == [False, True, False] and work.margin[:2].tolist() == [-0.0167, 0.0]
    assert np.isnan(stop.margin[2]) and np.isnan(work.margin[2])


def test_only_the_named_standards_are_required() -> None:
    given = {"stop_within_m": 400, "departures_per_hour": {"morning_peak": 2}, "employment_within_min": 45}
    assert all(standard.required for standard in standards_of_study(study_with(**given)))
    named = standards_of_study(study_with(**given, required=["departures_per_hour", "stop_within_m"]))
    assert [standard.required for standard in named] == [True, True, False]


@pytest.mark.parametrize(
    ("standards", "said"),
    [
        ({"departures_per_hour": {"morning_peek": 2}}, "did you mean 'morning_peak'"),
        ({"stop_within_m": 400, "required": ["stop_within"]}, "did you mean 'stop_within_m'"),
    ],
)
def test_a_name_that_the_study_does_not_have_is_an_error(standards: dict[str, object], said: str) -> None:
    with pytest.raises(StudyError, match=said):
        standards_of_study(study_with(**standards))


def test_a_kind_of_place_that_is_not_there_is_an_error() -> None:
    """A park and a library are places of this study; a parc is none."""
    table = gpd.GeoDataFrame(
        {"key": "spaces", "id": ["1", "2"], "name": "", "kind": ["park", "library"], "amount": 1.0},
        geometry=gpd.points_from_xy([0, 1], [0, 1]),
        crs="EPSG:4326",
    )
    places = Opportunities(table, pd.DataFrame({"place": [0, 1], "lon": [0.0, 1.0], "lat": [0.0, 1.0]}))
    check_kinds(study_with(**{"spaces/park_within_min": 20, "spaces_within_min": 10}), places)
    with pytest.raises(StudyError, match="did you mean 'spaces/park'"):
        check_kinds(study_with(**{"spaces/parc_within_min": 20}), places)


def test_a_study_without_standards_has_none() -> None:
    file = read_study_file(Path(sample_study()))
    assert standards_of_study(file.model_copy(update={"standards": None})) == ()
