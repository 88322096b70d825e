"""Timetables are joined: rows follow one another, and ids that two of them use are marked wherever they stand."""

from __future__ import annotations

from pathlib import Path

from community_routes.sources.gtfs.read import read_feed
from community_routes.sources.gtfs.rows import file_stems, ids_of
from feed_zip import feed_zip


def test_stems_differ() -> None:
    """The second of one name is 2."""
    assert file_stems([Path("a/bus.zip"), Path("b/bus.zip"), Path("rail.zip")]) == ["bus", "bus-2", "rail"]


def test_tables_of_fares_follow_the_stops_that_they_name(tmp_path: Path) -> None:
    """A change of vehicle at stop B is stated for B of that timetable, also where another has a stop B."""
    rules = "from_network_id,to_network_id,from_stop_id,to_stop_id\ntown,town,B,B\n"
    paths = [feed_zip(tmp_path / "a.zip", fare_leg_join_rules=rules), feed_zip(tmp_path / "b.zip")]
    feed = read_feed(paths)
    table = feed.fares["fare_leg_join_rules"]
    assert table.iloc[0].tolist() == ["town", "town", "a:B", "a:B"]
    assert set(table["from_stop_id"]) <= set(feed.stops["stop_id"])


def test_ids_of_a_feed_have_their_kinds(tmp_path: Path) -> None:
    """Those of its own tables and of its tables of fares, without blanks."""
    feed = read_feed(feed_zip(tmp_path / "a.zip", fare_rules="fare_id,origin_id\nsingle,Z\nday,\n"))
    ids = set(ids_of(feed))
    assert {("stop", "A"), ("route", "R7"), ("trip", "T1"), ("service", "daily"), ("fare", "day"), ("zone", "Z")} <= ids
    assert ("zone", "") not in ids
