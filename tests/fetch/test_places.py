"""Names of authorities as people write them, and the extracts in which they lie."""

from __future__ import annotations

import pytest

from community_routes.fetch.places import COUNTIES, REGIONS, counties_of, known_name, near_names, region_of


def test_an_authority_in_two_counties_has_both() -> None:
    assert counties_of("Stockton-on-Tees") == ("durham", "north-yorkshire")
    assert region_of("Stockton-on-Tees") == "north_east"
    assert counties_of("Nowhere") == () and region_of("Nowhere") == ""


@pytest.mark.parametrize(
    ("text", "name"),
    [("  blackburn  WITH darwen ", "Blackburn with Darwen"), ("st. helens", "St. Helens"), ("At  lantis", "At lantis")],
)
def test_names_are_known_whatever_the_case_and_blanks(text: str, name: str) -> None:
    assert known_name(text) == name


def test_names_that_look_alike() -> None:
    """Part of a name, or a slip of the finger; nothing where nothing is near."""
    assert near_names("Blackburn")[0] == "Blackburn with Darwen"
    assert "Burnley" in near_names("Burnly")
    assert near_names("zzzzzzz") == []


def test_every_region_and_county_is_listed_once() -> None:
    assert len(set(REGIONS)) == len(REGIONS) and len(set(COUNTIES)) == len(COUNTIES)
    assert {"scotland", "wales"} <= set(REGIONS)
