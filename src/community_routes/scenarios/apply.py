"""Applying a scenario: every change in order on a copy, all faults together, what each did in words."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, replace
from functools import partial

from community_routes.base.errors import ScenarioError
from community_routes.base.notices import Notice, errors_in, raise_on_errors
from community_routes.scenarios.edit.feed import without_leftovers
from community_routes.scenarios.edit.made import DrtZone, Effect, Timed
from community_routes.scenarios.edit.work import Here, Setting, Work
from community_routes.scenarios.file import Scenario
from community_routes.scenarios.steps import Steps, marks_of
from community_routes.sources.gtfs.feed import Feed
from community_routes.sources.osm.street_map import StreetMap
from community_routes.sources.places.opportunities import Opportunities
from community_routes.sources.places.zones import Zones
from community_routes.sources.study.fares import Fares

SWITCHED_OFF = "switched off (off: true), so it was not applied"


@dataclass(frozen=True, eq=False)
class Applied:
    """A scenario applied to a setting.

    Attributes
    ----------
    scenario : Scenario
    feed : Feed
        The changed timetable; the very same object as before when nothing in it changed.
    zones, opportunities, fares : as in :class:`Setting`
        With new homes, jobs, spaces and fares.
    effects : list of Effect
        What each change did, in order.
    notices : list of Notice
        Warnings.
    new_routes, changed_routes : list of str
        Ids of routes.
    street_map : StreetMap or None
        With new and closed paths: the walking network must be built anew from it. None where no path changed.
    drt : list of DrtZone
        Zones of buses on demand; their rides are in the feed.
    timed : list of Timed
        Groups of trips whose clock times the proposal assumes.
    """

    scenario: Scenario
    feed: Feed
    zones: Zones | None
    opportunities: Opportunities | None
    fares: Fares | None
    effects: list[Effect]
    notices: list[Notice]
    new_routes: list[str]
    changed_routes: list[str]
    street_map: StreetMap | None
    drt: list[DrtZone]
    timed: list[Timed]

    def after(self, before: Applied) -> Applied:
        """This scenario, and the one before it on whose setting it was applied, as if both were one."""
        new = list(dict.fromkeys([*before.new_routes, *self.new_routes]))
        changed = dict.fromkeys([*before.changed_routes, *self.changed_routes])
        return replace(
            self,
            effects=[*before.effects, *self.effects],
            notices=[*before.notices, *self.notices],
            new_routes=new,
            changed_routes=[route for route in changed if route not in new],
            street_map=self.street_map if self.street_map is not None else before.street_map,
            drt=[*before.drt, *self.drt],
            timed=[*before.timed, *self.timed],
        )


def apply_scenario(
    scenario: Scenario, setting: Setting, *, notices: list[Notice] | None = None, steps: Steps | None = None
) -> Applied:
    """Apply a scenario, and those it builds on, to a setting.

    Parameters
    ----------
    scenario : Scenario
    setting : Setting
        It stays as it is.
    notices : list, optional
        Receives every finding, errors too.
    steps : Steps, optional
        What was applied last: the changes that begin alike are not applied again. It gets those of this scenario.

    Returns
    -------
    Applied

    Raises
    ------
    ScenarioError
        With all faults of all changes. A change is tried on what the changes before it made, so that a later one can name a
        new route; nothing of a scenario with a fault is returned.
    """
    marks = marks_of(scenario) if steps is not None else []
    n_applied, work = steps.begun(setting, marks) if steps is not None else (0, Work(setting))
    work.failed_names |= {name.casefold() for name in scenario.lost_names}
    changes = [(part, index, change) for part in scenario.chain() for index, change in enumerate(part.changes)]
    for number, (part, index, change) in enumerate(changes[n_applied:], start=n_applied):
        work.here = Here(part.scenario, index + 1, change.kind, part.folder, partial(part.place, index))
        if change.off:
            work.effect(change.kind, SWITCHED_OFF)
        else:
            with work.undone_if_abandoned(change.named()):
                change.apply(work)
        if steps is not None and number < len(marks):
            steps.keep(marks[number], work)
    for unread in scenario.unread:
        work.here = Here(scenario.scenario, unread.number + 1, unread.kind, scenario.folder, unread.place)
        work.look_up(unread.named)
    if notices is not None:
        notices.extend(work.found)
    raise_on_errors(work.found, ScenarioError)
    feed = without_leftovers(work.feed, setting.feed)
    if feed is not setting.feed:
        feed = replace(feed, content_hash=_hash(setting.feed, scenario))
    now = work.now
    return Applied(
        scenario,
        feed,
        now.zones,
        now.opportunities,
        now.fares,
        work.effects,
        [notice for notice in work.found if notice not in errors_in(work.found)],
        work.new_routes,
        work.changed_routes,
        now.street_map if now.street_map is not setting.street_map else None,
        work.drt,
        work.timed,
    )


def _hash(feed: Feed, scenario: Scenario) -> str:
    """sha256 over what the feed was made from: the feed before and every change that was applied."""
    applied = [
        [part.scenario, [[c.kind, c.model_dump(mode="json", exclude={"off"})] for c in part.changes if not c.off]]
        for part in scenario.chain()
    ]
    content = json.dumps(applied, sort_keys=True)
    return hashlib.sha256(f"{feed.content_hash}\n{content}".encode()).hexdigest()
