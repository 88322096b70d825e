"""Applying a scenario: every change in order on a copy, all faults together, what each did in words."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from community_routes.base.errors import ScenarioError
from community_routes.base.notices import Notice, errors_in, raise_on_errors
from community_routes.scenarios.changes.extend import apply_extend
from community_routes.scenarios.changes.headway import Timed, apply_set_headway, apply_withdraw
from community_routes.scenarios.changes.land_use import (
    apply_add_homes,
    apply_add_jobs,
    apply_add_space,
    apply_change_fare,
)
from community_routes.scenarios.changes.new_route import apply_add_route
from community_routes.scenarios.changes.on_demand import apply_add_drt
from community_routes.scenarios.changes.paths import apply_add_path, apply_close_path
from community_routes.scenarios.changes.stops import (
    apply_add_stop,
    apply_change_dwell,
    apply_change_speed,
    apply_remove_stops,
    apply_reroute,
)
from community_routes.scenarios.edit.feed import without_leftovers
from community_routes.scenarios.edit.work import Abandoned, Effect, Setting, Work
from community_routes.scenarios.file import Scenario
from community_routes.scenarios.models import Change
from community_routes.sources.gtfs.feed import Feed

APPLY: dict[str, Callable[[Work, Any], None]] = {
    "add_route": apply_add_route,
    "set_headway": apply_set_headway,
    "withdraw_route": apply_withdraw,
    "extend_route": apply_extend,
    "change_speed": apply_change_speed,
    "change_dwell": apply_change_dwell,
    "reroute": apply_reroute,
    "add_stop": apply_add_stop,
    "remove_stops": apply_remove_stops,
    "add_path": apply_add_path,
    "close_path": apply_close_path,
    "add_drt": apply_add_drt,
    "change_fare": apply_change_fare,
    "add_homes": apply_add_homes,
    "add_jobs": apply_add_jobs,
    "add_space": apply_add_space,
}


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
    street_edits : list of ClosedWay and NewPath
        Those paths, to be drawn.
    drt : list of DrtZone
        Zones of buses on demand; their rides are in the feed.
    timed : list of Timed
        Groups of trips whose clock times the proposal assumes.
    vehicles : dict
        Vehicle by id of a new route.
    """

    scenario: Scenario
    feed: Feed
    zones: Any
    opportunities: Any
    fares: Any
    effects: list[Effect]
    notices: list[Notice]
    new_routes: list[str]
    changed_routes: list[str]
    street_map: Any
    street_edits: list[Any]
    drt: list[Any]
    timed: list[Timed]
    vehicles: dict[str, Any]


def apply_scenario(scenario: Scenario, setting: Setting, *, notices: list[Notice] | None = None) -> Applied:
    """Apply a scenario, and those it builds on, to a setting.

    Parameters
    ----------
    scenario : Scenario
    setting : Setting
        It stays as it is.
    notices : list, optional
        Receives every finding, errors too.

    Returns
    -------
    Applied

    Raises
    ------
    ScenarioError
        With all faults of all changes. A change is tried on what the changes before it made, so that a later one can name a
        new route; nothing of a scenario with a fault is returned.
    """
    work = Work(
        setting, scenario, setting.feed, setting.zones, setting.opportunities, setting.fares, setting.street_map
    )
    work.failed_names |= {name.casefold() for name in scenario.lost_names}
    for part in scenario.chain():
        work.scenario = part
        for index, change in enumerate(part.changes):
            work.index = index
            _apply_one(work, change)
    if notices is not None:
        notices.extend(work.found)
    raise_on_errors(work.found, ScenarioError)
    feed = without_leftovers(work.feed, setting.feed)
    if feed is not setting.feed:
        feed = replace(feed, content_hash=_hash(setting.feed, scenario))
    return Applied(
        scenario,
        feed,
        work.zones,
        work.opportunities,
        work.fares,
        work.effects,
        [notice for notice in work.found if notice not in errors_in(work.found)],
        work.new_routes,
        work.changed_routes,
        work.street_map if work.street_edits else None,
        work.street_edits,
        work.drt,
        work.timed,
        work.vehicles,
    )


def _apply_one(work: Work, change: Change) -> None:
    """One change; what it did before a fault is undone, so that later changes are checked against a whole feed."""
    names = ("feed", "zones", "opportunities", "fares", "street_map")
    kept = {name: getattr(work, name) for name in names}
    rows, timed = dict(work.new_stop_rows), list(work.timed)
    try:
        APPLY[change.kind](work, change)
    except Abandoned:
        for name, value in kept.items():
            setattr(work, name, value)
        work.new_stop_rows, work.timed = rows, timed


def _hash(feed: Feed, scenario: Scenario) -> str:
    """sha256 over what the feed was made from: the feed before and every change."""
    content = json.dumps(
        [[part.scenario, [[c.kind, c.model_dump(mode="json")] for c in part.changes]] for part in scenario.chain()],
        sort_keys=True,
    )
    return hashlib.sha256(f"{feed.content_hash}\n{content}".encode()).hexdigest()
