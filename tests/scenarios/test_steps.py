"""A proposal applied from where it differs from the last one is the proposal applied from the beginning."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import numpy as np
import pytest

from community_routes.base.errors import ScenarioError
from community_routes.base.notices import Notice
from community_routes.network.store import fingerprint
from community_routes.scenarios.apply import Applied, apply_scenario
from community_routes.scenarios.change import Change
from community_routes.scenarios.edit.work import Setting
from community_routes.scenarios.file import read_scenario_text
from community_routes.scenarios.steps import Steps, marks_of
from community_routes.sources.gtfs.feed import Feed
from scenarios.hand_feed import make_feed

STOPS = [(str(n), f"Stop {n}", n, 0) for n in range(6)]
TRIPS = [("L", "wk", 0, "0 08:00 1 08:05 2 08:10 3 08:15"), ("M", "wk", 0, "3 09:00 4 09:10 5 09:20")]
HEAD = "scenario: p\ntitle: P\nchanges:\n"
FASTER = "  - change_speed: {{route: L, factor: {}}}\n"
NEW = (
    "  - add_route: {{name: N, stops: ['0', {{at: [0.0135, 0], name: {}}}, '5'], speed_kmh: 6.5, "
    "service: {{weekday: {{'08:00-09:00': 20}}}}}}\n"
)
GONE = "  - withdraw_route: {{route: {}}}\n"


@pytest.fixture
def setting() -> Setting:
    feed = make_feed(STOPS, TRIPS)
    return Setting(feed, {"day": feed_date(feed)})


def feed_date(feed: Feed) -> dt.date:
    """A date on which something runs."""
    start = feed.calendar.start[0]
    days = start + np.arange(7)
    return next(day.astype(object) for day in days if feed.calendar.active(day.astype(object)).any())


def applied(text: str, setting: Setting, folder: Path, steps: Steps | None) -> tuple[Applied | None, list[Notice]]:
    found: list[Notice] = []
    try:
        return apply_scenario(read_scenario_text({"p": text}, "p", folder), setting, notices=found, steps=steps), found
    except ScenarioError:
        return None, found


def test_texts_that_alter_a_change_each_time(setting: Setting, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each text is applied with the steps of those before it and from nothing: same feed, effects, notices with their lines.

    Applied anew are only the changes from the first that differs, a fault and a change that is switched off included.
    """
    texts = [
        (FASTER.format(1.2), 1),
        (FASTER.format(1.2) + NEW.format("A"), 1),
        (FASTER.format(1.2) + NEW.format("B"), 1),
        (FASTER.format(1.2) + NEW.format("B") + GONE.format("M"), 1),
        (FASTER.format(1.3) + NEW.format("B") + GONE.format("M"), 3),
        (FASTER.format(1.2) + NEW.format("B") + GONE.format("M"), 0),
        (FASTER.format(1.2) + NEW.format("B") + GONE.format("X9"), 1),
        (FASTER.format(1.2) + NEW.format("B") + GONE.format("X9") + FASTER.format(0.8), 1),
        ("  # a line more\n" + FASTER.format(1.2) + NEW.format("B"), 2),
        (FASTER.format(1.2) + NEW.format("B") + GONE.format("M, off: true"), 0),
    ]
    steps, tried = Steps(), []
    look = Change.named

    def spied(change: Change) -> object:
        tried.append(change.kind)
        return look(change)

    monkeypatch.setattr(Change, "named", spied)
    for text, n in texts:
        anew, said = applied(HEAD + text, setting, tmp_path, None)
        tried.clear()
        again, said_again = applied(HEAD + text, setting, tmp_path, steps)
        assert len(tried) == n, text
        assert [str(one) for one in said] == [str(one) for one in said_again]
        assert (anew is None) == (again is None)
        if anew is not None and again is not None:
            assert anew.effects == again.effects
            for name in ("stops", "trips", "calls", "routes", "calendar", "frequencies"):
                assert fingerprint(getattr(anew.feed, name)) == fingerprint(getattr(again.feed, name))


def test_another_setting_takes_nothing_over(setting: Setting, tmp_path: Path) -> None:
    """The same text on a timetable whose M leaves an hour later: its trips, not those of before."""
    steps = Steps()
    text = HEAD + FASTER.format(1.2)
    applied(text, setting, tmp_path, steps)
    later = make_feed(STOPS, [TRIPS[0], ("M", "wk", 0, "3 10:00 4 10:10 5 10:20")])
    other, _ = applied(text, Setting(later, setting.dates), tmp_path, steps)
    assert other is not None and other.feed.calls.departure_s.max() == 37200


def test_a_zone_in_a_file_is_read_each_time(setting: Setting, tmp_path: Path) -> None:
    """What a name stands for may be another file next time: such a change and those after it are never taken over."""
    text = HEAD + FASTER.format(1.2) + "  - add_path: {name: A, line: a.geojson}\n" + FASTER.format(1.1)
    assert len(marks_of(read_scenario_text({"p": text}, "p", tmp_path))) == 1
    inline = text.replace("a.geojson", "[[0, 0], [0, 1]]")
    assert len(marks_of(read_scenario_text({"p": inline}, "p", tmp_path))) == 3
