"""Figures in words: how they are rounded."""

from __future__ import annotations

import math

import pytest

from community_routes.report import words


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (99.94, "99.9"),
        (99.96, "100"),
        (100.0, "100"),
        (100.4, "100"),
        (-100.0, "\u2212100"),
        (1.0, "1"),
        (0.994, "0.99"),
        (1234.5, "1,234"),
        (0.004, "under 0.01"),
        (0.0, "0"),
        (math.nan, "–"),
        (None, "–"),
    ],
)
def test_a_number_has_the_digits_that_people_need(value: float | None, shown: str) -> None:
    """Whole from 100 on, one decimal from 1 on, two below."""
    assert words.number(value) == shown


@pytest.mark.parametrize(
    ("value", "rounded"),
    [
        (99.94, 99.9),
        (100.0, 100.0),
        (100.04, 100.0),
        (100.44, 100.0),
        (-100.04, -100.0),
        (1.0, 1.0),
        (0.996, 1.0),
        (1.04, 1.0),
    ],
)
def test_exactly_a_hundred_is_whole(value: float, rounded: float) -> None:
    """From 100 itself on there are no decimals; 99.94 keeps one."""
    assert words.rounded(value) == rounded
