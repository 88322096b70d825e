"""Questions to a search: their departures, ranks and limits."""

from __future__ import annotations

from typing import Any

import pytest

from community_routes.base.errors import UsageError
from community_routes.base.times import DAY, HOUR
from community_routes.routing.query import Query


def test_the_end_of_a_window_is_excluded() -> None:
    """07:00-09:00 has 120 departures of a minute, the last at 08:59; a step of 7 minutes has 18, the last at 08:59."""
    query = Query(window_s=(7 * HOUR, 9 * HOUR))
    assert len(query.departures_s) == 120
    assert query.departures_s[-1] == 9 * HOUR - 60
    wide = Query(window_s=(7 * HOUR, 9 * HOUR), step_s=420)
    assert len(wide.departures_s) == 18 and wide.departures_s[-1] == 7 * HOUR + 17 * 420


@pytest.mark.parametrize(
    ("n", "percentile", "rank"),
    [
        (60, 25, 15),
        (60, 50, 30),
        (60, 75, 45),
        (60, 1, 1),
        (60, 100, 60),
        (7, 50, 4),
        (1, 25, 1),
        (120, 33, 40),
        (3, 34, 2),
    ],
)
def test_percentiles_are_nearest_ranks(n: int, percentile: int, rank: int) -> None:
    """The index ceil(p / 100 n), counted from 1."""
    assert Query(window_s=(0, 60 * n), percentiles=(percentile,)).ranks() == [rank - 1]


@pytest.mark.parametrize(
    ("question", "says"),
    [
        ({"window_s": (9 * HOUR, 9 * HOUR)}, "must end after it starts"),
        ({"window_s": (9 * HOUR, 7 * HOUR)}, "must end after it starts"),
        ({"window_s": (0, DAY + 60)}, "within a day"),
        ({"step_s": 0}, "departure_step_s"),
        ({"max_rides": -1}, "max_rides"),
        ({"max_travel_s": 0}, "max_travel"),
        ({"max_travel_s": 40_000}, "500 minutes"),
        ({"percentiles": (0,)}, "whole numbers"),
        ({"percentiles": (101,)}, "whole numbers"),
        ({"percentiles": (50.0,)}, "whole numbers"),
    ],
)
def test_what_cannot_be_asked_says_so(question: dict[str, Any], says: str) -> None:
    """Each wrong value is a fault of use that names what is allowed."""
    with pytest.raises(UsageError, match=says):
        Query(**({"window_s": (7 * HOUR, 9 * HOUR)} | question))
