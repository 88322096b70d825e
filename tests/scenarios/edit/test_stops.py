"""Which stop a name means: localities, sides, stands, stations, destinations, ambiguity."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from community_routes.scenarios.edit.feed import NewTrip, TripCalls, add_stops, edit_trips
from community_routes.scenarios.edit.stops import MatchError, StopFinder, plain_name, short_names
from scenarios.hand_feed import KM_LAT, make_feed

STOPS = [
    ("1", "Bus Station, Blackburn Town Centre (Stand 4)", 0, 0),
    ("2", "Bus Station, Blackburn Town Centre (Stand 12)", 0.05, 0),
    ("3", "Infirmary Road, Blackburn (opp)", 2, 0.01),
    ("4", "Infirmary Road, Blackburn (o/s)", 2, -0.01),
    ("5", "Toll Bar, Audley (by)", 4, 0),
    ("6", "Toll Bar, Ewood (by)", 4, 3),
    ("7", "Darwen Station", 6, 0),
    ("8", "Darwen Station Platform 1", 6, 0.02),
    ("9", "Darwen Station Platform 2", 6, 0.04),
    ("10", "Long Road, Mill Hill (adj)", 8, 0),
    ("11", "Long Road, Mill Hill (opp)", 8.2, 0),
    ("12", "Long Road, Mill Hill (by)", 8.4, 0),
]
PARENTS = {"8": "7", "9": "7"}
SERVED = "1 08:00 2 08:01 3 08:05 4 08:06 5 08:10 6 08:20 8 08:30 9 08:31 10 08:40 11 08:41 12 08:42"


def finder(destinations: list[tuple[str, float, float]] | None = None) -> StopFinder:
    feed = make_feed(STOPS, [("1", "wk", 0, SERVED)], parents=PARENTS)
    table = None
    if destinations is not None:
        rows = [(name, x * KM_LAT, y * KM_LAT) for name, x, y in destinations]
        table = pd.DataFrame(rows, columns=["name", "lon", "lat"])
    return StopFinder(feed, table)


def ids(found: StopFinder, text: str) -> list[str]:
    return [str(found.feed.stops["stop_id"].iat[row]) for row in found.find(text).stops]


@pytest.mark.parametrize(
    ("written", "plain"),
    [
        ("Bus Station, Blackburn Town Centre (Stand 4)", "bus station, blackburn town centre"),
        ("Infirmary Road (o/s)", "infirmary road"),
        ("Ramsbottom, Bolton Rd West/Hope St, nr", "ramsbottom, bolton rd west/hope st"),
        ("Greyfriars Road Stop GN", "greyfriars road"),
        ("Friars Walk 4", "friars walk 4"),
        ("  HIGH   Street ", "high street"),
    ],
)
def test_plain_names(written, plain):
    assert plain_name(written) == plain


def test_names_without_the_locality():
    assert short_names("Toll Bar, Audley (by)") == {"toll bar", "audley"}


def test_id_before_name_and_both_sides_of_a_road_are_one_place():
    found = finder()
    assert ids(found, "5") == ["5"]
    assert ids(found, "infirmary road") == ["3", "4"]
    assert ids(found, "Infirmary Road, Blackburn") == ["3", "4"]


def test_stands_are_one_place_and_a_stand_can_be_named():
    assert ids(finder(), "Bus Station") == ["1", "2"]
    assert ids(finder(), "Bus Station, Blackburn Town Centre (Stand 12)") == ["2"]


def test_a_station_means_its_platforms():
    assert ids(finder(), "Darwen Station") == ["8", "9"]
    assert ids(finder(), "7") == ["8", "9"]


def test_stops_of_one_name_are_one_place_by_steps_of_250_m():
    """10 to 12 are 400 m apart, but 11 lies between them: steps of 200 m."""
    assert ids(finder(), "Long Road") == ["10", "11", "12"]


def test_farther_ones_are_ambiguous_with_distances_nearest_first():
    """Seen from (4, 3) Ewood's Toll Bar is there and Audley's 3 km away; with the locality there is no doubt."""
    with pytest.raises(MatchError) as caught:
        finder().find("Toll Bar", near=(4 * KM_LAT, 3 * KM_LAT))
    assert "6 (Toll Bar, Ewood (by), 0 m), 5 (Toll Bar, Audley (by), 3.0 km)" in str(caught.value)
    assert ids(finder(), "Toll Bar, Ewood") == ["6"]


def test_a_destination_means_the_stops_beside_it_or_a_new_stop():
    """The infirmary is 100 m from both sides of its road; the mill is a kilometre from any stop."""
    found = finder([("Royal Infirmary", 2.1, 0), ("Old Mill", 2, 1)])
    assert ids(found, "royal infirmary") == ["3", "4"]
    mill = found.find("Old Mill")
    assert mill.stops == ()
    assert mill.new_name == "Old Mill"
    assert (mill.lon, mill.lat) == pytest.approx((2 * KM_LAT, KM_LAT))


def test_an_unknown_name_brings_the_nearest():
    with pytest.raises(MatchError, match="did you mean 'Infirmary Road, Blackburn"):
        finder().find("Infirmery Road")
    with pytest.raises(MatchError, match=r"no stop or destination is called 'Zzz'$"):
        finder().find("Zzz")


def test_side_of_travel():
    """A bus to the east keeps to the left, which is north (3 lies there); to the west it is 4. Nobody serves the mast."""
    feed = make_feed(STOPS, [("1", "wk", 0, "1 08:00 5 08:10")])
    found = StopFinder(feed)
    place = found.find("Infirmary Road")
    west, east = (0.0, 0.0), (4 * KM_LAT, 0.0)
    row = {str(stop): k for k, stop in enumerate(feed.stops["stop_id"])}
    assert found.side(place, west, east) == (row["3"], True)
    assert found.side(place, east, west) == (row["4"], True)


def test_of_several_places_the_one_in_the_area_is_meant():
    """Audley's Toll Bar lies at (4, 0) km, Ewood's at (4, 3): a box round one of them says which, one round neither does not."""
    found = finder()
    with pytest.raises(MatchError, match="could be 2 places"):
        found.find("Toll Bar")
    found.area = (3 * KM_LAT, 2 * KM_LAT, 5 * KM_LAT, 4 * KM_LAT)
    assert ids(found, "Toll Bar") == ["6"]
    found.area = (0.0, 8 * KM_LAT, 1 * KM_LAT, 9 * KM_LAT)
    with pytest.raises(MatchError, match="could be 2 places, none of them in the study's area; write"):
        found.find("Toll Bar")


def test_of_several_places_the_one_of_the_route_is_meant():
    """Ewood's Toll Bar is the route's own stop (row 5), wherever the area is."""
    found = finder()
    found.area = (3 * KM_LAT, -1 * KM_LAT, 5 * KM_LAT, 1 * KM_LAT)
    assert ids(found, "Toll Bar") == ["5"]
    spot = found.find("Toll Bar", own=np.array([5]))
    assert [str(found.feed.stops["stop_id"].iat[row]) for row in spot.stops] == ["6"]


def test_an_unknown_name_is_looked_for_in_the_area_first():
    """'Darwin Statoin' is most like Darwen Station, 6 km east; with the area round it that is said without a distance."""
    found = finder()
    found.area = (0.0, 0.0, 1 * KM_LAT, 1 * KM_LAT)
    with pytest.raises(MatchError, match=r"did you mean 'Darwen Station', 5\.0 km outside the study's area\?"):
        found.find("Darwin Statoin")
    found.area = (5 * KM_LAT, -1 * KM_LAT, 7 * KM_LAT, 1 * KM_LAT)
    with pytest.raises(MatchError, match=r"did you mean 'Darwen Station'\?$"):
        found.find("Darwin Statoin")


def test_a_finder_like_another_finds_old_and_new_stops_and_leaves_the_other_as_it_was():
    """A stop of a known name 100 m from its two others is one place with them; one of a new name is found as well."""
    old = finder()
    assert ids(old, "Infirmary Road") == ["3", "4"]
    more = add_stops(
        old.feed,
        ["n1", "n2"],
        ["Infirmary Road, Blackburn (adj)", "New Lane"],
        [2.1 * KM_LAT, 9 * KM_LAT],
        [0, 5 * KM_LAT],
    )
    calls = TripCalls.plain([len(old.feed.stops), len(old.feed.stops) + 1], [36000, 36600], [36000, 36600])
    new = StopFinder(edit_trips(more, added=[NewTrip("t", 0, 0, calls)]), like=old)
    anew = StopFinder(new.feed)
    for name, wanted in (("Infirmary Road", ["3", "4", "n1"]), ("New Lane", ["n2"]), ("Darwen Station", ["8", "9"])):
        assert ids(new, name) == ids(anew, name) == wanted
    assert ids(old, "Infirmary Road") == ["3", "4"]
    with pytest.raises(MatchError):
        old.find("New Lane")


def test_a_finder_like_one_of_other_stops_takes_nothing_over():
    """The stop 5 has another name there."""
    old = finder()
    stops = old.feed.stops.assign(stop_name=old.feed.stops["stop_name"].replace("Toll Bar, Audley (by)", "Elsewhere"))
    new = StopFinder(replace(old.feed, stops=stops), like=old)
    assert ids(old, "Toll Bar, Audley") == ids(new, "Elsewhere") == ["5"]
    with pytest.raises(MatchError):
        new.find("Toll Bar, Audley")
