"""Names of authorities as people write them, and the extracts in which they lie."""

from __future__ import annotations

import pytest

from community_routes.fetch.places import (
    COUNTIES,
    REGIONS,
    counties_of,
    known_name,
    near_names,
    region_of,
    why_not_covered,
)


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


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Edinburgh", "lies in Scotland, and `fetch` covers England and Wales"),
        ("S12000036", "lies in Scotland"),
        ("belfast", "lies in Northern Ireland"),
        ("Blakburn with Darwen", "did you mean Blackburn with Darwen"),
    ],
)
def test_what_is_not_covered_is_said_at_once(text: str, said: str) -> None:
    """Without a connection: the countries that are not covered, and a slip of the finger with the nearest name."""
    assert said in why_not_covered(text)


@pytest.mark.parametrize(
    "text", ["Newport", "blackburn with DARWEN", "E06000008", "W06000022", "E99999999", "Atlantis"]
)
def test_what_may_be_covered_is_asked_for(text: str) -> None:
    """Names of England and Wales, every code of theirs, and a name like no other: they may be newer than the table."""
    assert why_not_covered(text) == ""
