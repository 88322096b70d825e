"""The phase of a headway service belongs to its entry as published: no other change moves it, and a cut keeps the departures."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from community_routes.base.times import format_time, parse_time
from community_routes.network.timetable.trips import build_timetable
from community_routes.scenarios.apply import Applied, apply_scenario
from community_routes.scenarios.draws import Randomness, scenario_draws, shifted_feed
from community_routes.scenarios.edit.work import Setting
from community_routes.scenarios.file import Scenario
from community_routes.sources.gtfs.feed import Feed
from community_routes.sources.gtfs.read import read_feed, write_feed
from feed_zip import feed_zip
from scenarios.hand_feed import TUESDAY, WEEK, make_feed

STOPS = [("A", "Alder Street", 0, 0), ("B", "Birch Road", 5, 0), ("C", "Cedar Way", 0, 5), ("D", "Dale Lane", 9, 0)]
WITHDRAW = {"withdraw_route": {"route": "7", "from": "08:00", "to": "09:00"}}
FREQUENCY = "trip_id,start_time,end_time,headway_secs\nT1,07:00:00,09:00:00,1200\n"


def town(phase: str = "zero", seed: int = 0, last: str = "10:00") -> Feed:
    """The 7 every 20 minutes from 07:00 to 10:00 and the 8 every 15, without clock times, daily."""
    trips = [("7", "all", 0, "A 00:00 B 00:10"), ("8", "all", 0, "A 00:00 C 00:10")]
    headways = [(0, "07:00", last, 1200), (1, "07:00", "10:00", 900)]
    feed = make_feed(STOPS, trips, services={"all": "1111111"}, frequencies=headways)
    return replace(feed, phase=phase, seed=seed)


def apply(feed: Feed, *changes: object) -> Applied:
    return apply_scenario(Scenario(scenario="plan", changes=changes), Setting(feed, WEEK))


def departures(feed: Feed, route: str, date: object = TUESDAY) -> list[str]:
    """Clock times at which a route leaves its first stop on a date, by the timetable that is searched."""
    table = build_timetable(feed, date)
    first = table.first[:-1]
    rows = feed.trips["route"].to_numpy()[table.trip[first]]
    mine = rows == feed.routes["route_id"].to_list().index(route)
    found = np.sort(table.departure_s[first][mine])
    return [format_time(int(s)) for s in found if 0 <= s < 86_400]


@pytest.mark.parametrize(
    "change",
    [
        {"withdraw_route": {"route": "7"}},
        WITHDRAW,
        {"withdraw_route": {"route": "7", "days": ["sunday"]}},
        {"set_headway": {"route": "7", "weekday": {"08:00-09:00": 30}}},
        {"change_speed": {"route": "7", "factor": 0.5, "days": ["weekday"]}},
        {"extend_route": {"route": "7", "after": "Birch Road", "stops": ["Dale Lane"], "speed_kmh": 20}},
    ],
)
def test_a_change_of_one_route_moves_no_bus_of_another(change: dict[str, object]) -> None:
    """The 8 leaves as it did, whatever becomes of the rows of the 7 before it."""
    for seed in range(3):
        feed = town("sampled", seed)
        assert departures(apply(feed, change).feed, "8") == departures(feed, "8")


def test_an_entry_that_is_copied_or_retimed_keeps_its_phase() -> None:
    """Half as fast on weekdays: the 7 leaves when it did, on the days of the copy and on the others."""
    feed = town("sampled", 4)
    slower = apply(feed, {"change_speed": {"route": "7", "factor": 0.5, "days": ["weekday"]}}).feed
    for date in WEEK.values():
        assert departures(slower, "7", date) == departures(feed, "7", date)


def test_an_entry_that_starts_farther_out_starts_as_much_earlier() -> None:
    """From Dale Lane, 15 minutes before Alder Street: every bus leaves so much earlier, and the template's 00:00 is no bus."""
    feed = town("sampled", 4)
    change = {"after": "Alder Street", "stops": ["Dale Lane"], "run_times_min": [15], "trips": "all"}
    longer = apply(feed, {"extend_route": {"route": "7", **change}}).feed
    earlier = [format_time(parse_time(text) - 900) for text in departures(feed, "7")]
    assert departures(longer, "7") == earlier


@pytest.mark.parametrize(
    ("phase", "before", "after"), [("zero", "07:40:00", "09:00:00"), ("half", "07:50:00", "09:10:00")]
)
def test_a_cut_entry_keeps_the_departures_that_it_had(phase: str, before: str, after: str) -> None:
    """Of 07:00 (07:10) every 20 min to 10:00, 08:00-09:00 is withdrawn: nine buses become six, 07:40 (07:50) among them."""
    feed = town(phase)
    done = apply(feed, WITHDRAW)
    kept = [text for text in departures(feed, "7") if not "08" <= text < "09"]
    assert departures(done.feed, "7") == kept
    assert before in kept and after in kept
    assert done.effects[0].text.startswith("7: 9 -> 6 weekday departures")


@pytest.mark.parametrize("phase", ["half", "sampled"])
def test_the_effect_counts_the_buses_that_run(phase: str) -> None:
    """Until 08:05 and 12 phases: the buses before and after are those of the timetable that is searched."""
    for seed in range(12):
        feed = town(phase, seed, last="08:05")
        done = apply(feed, {"withdraw_route": {"route": "7", "from": "07:25", "to": "07:50", "days": ["weekday"]}})
        counts = len(departures(feed, "7")), len(departures(done.feed, "7"))
        assert done.effects[0].text == f"7: {counts[0]} -> {counts[1]} weekday departures"
        assert departures(done.feed, "7") == [text for text in departures(feed, "7") if not "07:25" <= text < "07:50"]


def test_a_speed_by_time_of_day_is_that_of_the_buses() -> None:
    """The template leaves at 00:00 and its buses from 07:00 on: 20 km/h holds, 4 km straight ahead x 1.3 are 15 min 36 s."""
    change = {"after": "Birch Road", "stops": ["Dale Lane"], "speed_kmh": {"06:00-12:00": 20}, "dwell_s": 0}
    longer = apply(town(), {"extend_route": {"route": "7", **change}}).feed
    row = longer.calls.first[1] - 1
    assert longer.calls.arrival_s[row] - longer.calls.departure_s[0] == pytest.approx(10 * 60 + 15 * 60 + 36, abs=2)
    assert departures(longer, "7") == departures(town(), "7")


def test_a_cut_in_every_draw() -> None:
    """In each draw of the phases the proposal has today's buses but for those from 08:00 to 09:00, in the stubs as well."""
    feed = town("sampled")
    # Three stubs of 5 to 20 minutes, some of which have no bus in some draws.
    cuts = [("07:05", "07:20"), ("07:40", "08:10"), ("08:20", "09:55")]
    done = apply(feed, *({"withdraw_route": {"route": "7", "from": a, "to": b}} for a, b in cuts)).feed
    draws = zip(scenario_draws(feed, Randomness(), 40), scenario_draws(done, Randomness(), 40), strict=True)
    seen = set()
    for one, other in draws:
        today = departures(shifted_feed(feed, one), "7")
        assert departures(shifted_feed(done, other), "7") == [
            text for text in today if not any(a <= text < b for a, b in cuts)
        ]
        seen.add(today[0])
    assert len(seen) > 20


def test_two_timetables_of_the_same_ids(tmp_path: Path) -> None:
    """A timetable beside the first marks its ids and moves no phase; the two, of the same ids and times, differ."""
    one, two = (feed_zip(tmp_path / name, frequencies=FREQUENCY) for name in ("one.zip", "two.zip"))
    other = {"agency": "agency_id,agency_name,agency_url,agency_timezone\nOP1,Hill,https://example.org,Europe/London\n"}
    two = feed_zip(tmp_path / "two.zip", frequencies=FREQUENCY, **other)
    differ = 0
    for seed in range(8):
        alone, beside, last = (
            replace(read_feed(files), phase="sampled", seed=seed) for files in ([one], [one, two], [two, one])
        )
        assert departures(alone, "R7") == departures(beside, "one:R7") == departures(last, "one:R7")
        differ += departures(beside, "one:R7") != departures(beside, "two:R7")
    assert differ >= 7


@pytest.mark.parametrize("phase", ["zero", "half"])
def test_a_cut_entry_is_exported_as_it_runs(tmp_path: Path, phase: str) -> None:
    """Half an hour withdrawn; then all but a stub of five minutes without a bus: read again it runs the same."""
    feed = replace(read_feed(feed_zip(tmp_path / "a.zip", frequencies=FREQUENCY)), phase=phase)
    for cuts in ([("08:00", "08:30")], [("07:00", "07:55"), ("08:00", "09:00")]):
        changes = [{"withdraw_route": {"route": "7", "from": a, "to": b}} for a, b in cuts]
        done = apply(feed, *changes).feed
        write_feed(done, tmp_path / "b.zip", date_stamp=TUESDAY)
        again = replace(read_feed(tmp_path / "b.zip"), phase=phase)
        assert departures(again, "R7") == departures(done, "R7")


def test_yesterday_and_tomorrow_have_the_same_phase() -> None:
    """A service to 25:30: what is left of yesterday's after midnight leaves 24 hours before today's."""
    feed = make_feed(
        STOPS, [("7", "all", 0, "A 00:00 B 00:10")], services={"all": "1111111"},
        frequencies=[(0, "23:00", "25:30", 1200)],
    )  # fmt: skip
    done = apply(
        replace(feed, phase="sampled", seed=7), {"withdraw_route": {"route": "7", "from": "24:00", "to": "24:30"}}
    ).feed
    table = build_timetable(done, TUESDAY, span_s=(-86_400, 3 * 86_400))
    left = table.departure_s[table.first[:-1]]
    today = sorted(left[(left >= 23 * 3600) & (left < 26 * 3600)].tolist())
    assert sorted(left[left < 2 * 3600].tolist()) == [second - 86_400 for second in today]
