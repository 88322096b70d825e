"""What the first changes of a proposal made, kept so that a proposal like it begins where it differs.

Whoever draws a proposal alters one change of many, mostly one of the last; those before it have been applied already.
"""

from __future__ import annotations

import hashlib
import json
from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import TypeVar

from community_routes.network.streets.streets import Streets
from community_routes.scenarios.change import Change
from community_routes.scenarios.edit.work import Setting, Work
from community_routes.scenarios.file import Scenario
from community_routes.sources.osm.street_map import StreetMap

MOST_STEPS = 8
MOST_STREETS = 4


class Steps:
    """Proposals applied part of the way; each part is known by all that its changes say and by where they stand in their file."""

    def __init__(self) -> None:
        self._kept: OrderedDict[str, Work] = OrderedDict()
        self._streets: OrderedDict[tuple[str, bool], Streets] = OrderedDict()

    def begun(self, setting: Setting, marks: Sequence[str]) -> tuple[int, Work]:
        """How many of the changes are applied already, and the work after them, to go on with.

        Parameters
        ----------
        setting : Setting
            What the proposal is applied to; what was applied to another one is not taken.
        marks : sequence of str
            Of its changes (``marks_of``).
        """
        for n in range(len(marks), 0, -1):
            known = self._kept.get(marks[n - 1])
            if known is not None and known.before is setting:
                self._kept.move_to_end(marks[n - 1])
                return n, known.copied()
        return 0, Work(setting)

    def keep(self, mark: str, work: Work) -> None:
        """Keep the work after a change."""
        _put(self._kept, mark, work.copied(), MOST_STEPS)

    def streets(self, street_map: StreetMap, wheelchair: bool, build: Callable[[], Streets]) -> Streets:
        """The walkable network of a changed street map, built once for each content."""
        key = street_map.content_hash, wheelchair
        found = self._streets.get(key) if street_map.content_hash else None
        found = build() if found is None else found
        _put(self._streets, key, found, MOST_STREETS)
        return found


Key = TypeVar("Key")
Value = TypeVar("Value")


def _put(kept: OrderedDict[Key, Value], key: Key, value: Value, most: int) -> None:
    kept[key] = value
    kept.move_to_end(key)
    while len(kept) > most:
        kept.popitem(last=False)


def marks_of(scenario: Scenario) -> list[str]:
    """For each change of a proposal a text that is the same where it and all before it say the same and stand in the same place.

    They end before a change that names a file, which may be another one next time.
    """
    marks: list[str] = []
    before = ""
    if scenario.lost_names or scenario.unread:
        return marks
    for part in scenario.chain():
        for number, change in enumerate(part.changes):
            if _names_a_file(change):
                return marks
            said = [
                part.scenario,
                str(part.folder),
                number,
                change.kind,
                change.model_dump(mode="json"),
                sorted(change.model_fields_set),
                part.places_of(number),
            ]
            before = hashlib.sha256(f"{before}\n{json.dumps(said, sort_keys=True)}".encode()).hexdigest()
            marks.append(before)
    return marks


def _names_a_file(change: Change) -> bool:
    """Whether a shape of it is drawn in a file, not by its coordinates."""
    drawn = [getattr(change, name, None) for name in ("zone", "line")]
    return any(shape is not None and not isinstance(shape, list | tuple) for shape in drawn)
