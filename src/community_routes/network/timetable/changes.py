"""Where one alights and where one waits, and how long a change takes: footpaths with ``transfers.txt`` over them."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from community_routes.base.arrays import check_first, set_frozen, starts_by
from community_routes.network.timetable.trips import Timetable
from community_routes.network.walks.points import Links
from community_routes.sources.gtfs.feed import Feed

RECOMMENDED, TIMED, MINIMUM_TIME, FORBIDDEN = range(4)
Rules = list[dict[str, int]]


class ChangeArrays(NamedTuple):
    """What kernels read of ``Changes``, where each array is described."""

    first: NDArray[np.int64]
    to: NDArray[np.int32]
    change_s: NDArray[np.int32]


@dataclass(frozen=True, eq=False)
class Changes:
    """Changes between vehicles, by places to alight and places to wait.

    A stop is one place of each kind, unless a rule of ``transfers.txt`` names a route or trip there: the hops that such a
    rule names then have places of their own, because the rule cannot be read from a place that mixes all trips.

    Attributes
    ----------
    alight_place, board_place : int32, shape (n_hops,)
        Where each hop of the timetable lets passengers off and takes them on; -1 where it does not.
    alight_stop : int32, shape (n_alight_places,)
        Row of ``Feed.stops``.
    board_stop : int32, shape (n_board_places,)
        Row of ``Feed.stops``.
    first : int64, shape (n_alight_places + 1,)
        The changes from alighting place ``a`` are ``first[a]:first[a + 1]``.
    to : int32, shape (n_changes,)
        Waiting place.
    change_s : int32, shape (n_changes,)
        Seconds between arrival and the earliest departure that may be boarded (walk and slack, or what the rule says).
    """

    alight_place: NDArray[np.int32]
    board_place: NDArray[np.int32]
    alight_stop: NDArray[np.int32]
    board_stop: NDArray[np.int32]
    first: NDArray[np.int64]
    to: NDArray[np.int32]
    change_s: NDArray[np.int32]

    def __post_init__(self) -> None:
        for name in ("alight_place", "board_place", "alight_stop", "board_stop", "to", "change_s"):
            set_frozen(self, name, np.int32)
        set_frozen(self, "first", np.int64, (len(self.alight_stop) + 1,))
        check_first(self.first, len(self.to), "Changes.first")

    def mirrored(self) -> Changes:
        """The same with time running backwards: boarding and alighting swap, a change leads the other way."""
        start = np.repeat(np.arange(len(self.alight_stop), dtype=np.int32), np.diff(self.first))
        order = np.lexsort((start, self.to))
        first = starts_by(self.to, len(self.board_stop))
        return Changes(
            alight_place=self.board_place,
            board_place=self.alight_place,
            alight_stop=self.board_stop,
            board_stop=self.alight_stop,
            first=first,
            to=start[order],
            change_s=self.change_s[order],
        )


def build_changes(feed: Feed, timetable: Timetable, footpaths: Links, *, slack_s: int) -> Changes:
    """Turn footpaths and the rules of ``transfers.txt`` into changes between places.

    The most specific rule wins: one that names both trips, then a trip and a route, a trip, both routes, a route, the
    stops alone; between equals, one that names the stop rather than its station; then the first in the file.

    Parameters
    ----------
    feed : Feed
    timetable : Timetable
    footpaths : Links
        From rows of ``feed.stops`` to rows of ``feed.stops``; a stop to itself is 0 s whether listed or not.
    slack_s : int
        Seconds to be at a stop before a departure.
    """
    transfers = feed.transfers
    kept = transfers[transfers["transfer_type"].between(RECOMMENDED, FORBIDDEN)]
    rules: Rules = kept.astype(int).to_dict("records")
    named_from = [rule["from_trip"] >= 0 or rule["from_route"] >= 0 for rule in rules]
    named_to = [rule["to_trip"] >= 0 or rule["to_route"] >= 0 for rule in rules]
    parent = feed.stops["parent"].to_numpy()
    route = feed.trips["route"].to_numpy()
    alight_place, alight_stop, alight_rules = _places(
        timetable.to_stop, timetable.alight, timetable, route, parent, rules, named_from, "from"
    )
    board_place, board_stop, board_rules = _places(
        timetable.from_stop, timetable.board, timetable, route, parent, rules, named_to, "to"
    )
    start, end, walk_s = _served_footpaths(footpaths, timetable)
    a, w, walk_s = _expand(start, end, walk_s, alight_stop, board_stop, timetable.n_stops)
    change_s = walk_s + slack_s
    if rules:
        touched = np.flatnonzero(_touched(alight_stop[a], board_stop[w], parent, kept))
        book = _RuleBook(rules, named_from, named_to, parent)
        for i in touched.tolist():
            rule = book.most_specific(
                int(alight_stop[a[i]]), int(board_stop[w[i]]), alight_rules[a[i]], board_rules[w[i]]
            )
            change_s[i] = _change_seconds(rule, int(walk_s[i]), slack_s)
    allowed = change_s >= 0
    a, w, change_s = a[allowed], w[allowed], change_s[allowed]
    order = np.lexsort((w, a))
    first = starts_by(a, len(alight_stop))
    return Changes(alight_place, board_place, alight_stop, board_stop, first, w[order], change_s[order])


def named_trips(feed: Feed) -> NDArray[np.bool_]:
    """Trips that a rule of ``transfers.txt`` names, itself or by its route, shape (n_trips,)."""
    rules = feed.transfers[feed.transfers["transfer_type"].between(RECOMMENDED, FORBIDDEN)]
    named = np.zeros(len(feed.trips), np.bool_)
    route = feed.trips["route"].to_numpy()
    for side in ("from", "to"):
        trips = rules[f"{side}_trip"].to_numpy()
        named[trips[trips >= 0]] = True
        routes = rules[f"{side}_route"].to_numpy()
        named |= np.isin(route, routes[routes >= 0])
    return named


def _change_seconds(rule: dict[str, int] | None, walk_s: int, slack_s: int) -> int:
    kind = RECOMMENDED if rule is None else rule["transfer_type"]
    if kind == FORBIDDEN:
        return -1
    if kind == TIMED:
        return walk_s
    if kind == MINIMUM_TIME and rule is not None:
        return max(walk_s + slack_s, rule["min_transfer_s"])
    return walk_s + slack_s


def _places(
    stop: NDArray[np.int32],
    possible: NDArray[np.bool_],
    timetable: Timetable,
    route: NDArray[np.int32],
    parent: NDArray[np.int32],
    rules: Rules,
    named: list[bool],
    side: str,
) -> tuple[NDArray[np.int32], NDArray[np.int32], list[frozenset[int]]]:
    """Place of each hop, stop of each place, and the rules that name the hops of each place."""
    place = np.where(possible, stop, -1).astype(np.int32)
    place_stop = list(range(timetable.n_stops))
    place_rules: list[frozenset[int]] = [frozenset()] * timetable.n_stops
    by_trip: dict[int, list[int]] = defaultdict(list)
    by_route: dict[int, list[int]] = defaultdict(list)
    for number, rule in enumerate(rules):
        if named[number]:
            trip = rule[f"{side}_trip"]
            (by_trip[trip] if trip >= 0 else by_route[rule[f"{side}_route"]]).append(number)
    if not by_trip and not by_route:
        return place, np.array(place_stop, np.int32), place_rules
    hop_route = route[timetable.trip]
    special = possible & (np.isin(timetable.trip, list(by_trip)) | np.isin(hop_route, list(by_route)))
    known: dict[tuple[int, frozenset[int]], int] = {}
    for hop in np.flatnonzero(special).tolist():
        s = int(stop[hop])
        numbers = (*by_trip.get(int(timetable.trip[hop]), ()), *by_route.get(int(hop_route[hop]), ()))
        mine = frozenset(
            n
            for n in numbers
            if rules[n][f"{side}_stop"] in (-1, s, int(parent[s]))
            and rules[n][f"{side}_route"] in (-1, int(hop_route[hop]))
        )
        if mine:
            key = (s, mine)
            if key not in known:
                known[key] = len(place_stop)
                place_stop.append(s)
                place_rules.append(mine)
            place[hop] = known[key]
    return place, np.array(place_stop, np.int32), place_rules


def _served_footpaths(
    footpaths: Links, timetable: Timetable
) -> tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.int32]]:
    """Footpaths from stops where somebody may alight to stops where somebody may board, those to itself with 0 s."""
    alights = np.zeros(timetable.n_stops, np.bool_)
    alights[timetable.to_stop[timetable.alight]] = True
    boards = np.zeros(timetable.n_stops, np.bool_)
    boards[timetable.from_stop[timetable.board]] = True
    start = footpaths.start()
    other = (start != footpaths.to) & alights[start] & boards[footpaths.to]
    own = np.flatnonzero(alights & boards).astype(np.int32)
    return (
        np.concatenate([start[other], own]),
        np.concatenate([footpaths.to[other], own]),
        np.concatenate([footpaths.walk_s[other], np.zeros(len(own), np.int32)]),
    )


def _expand(
    start: NDArray[np.int32],
    end: NDArray[np.int32],
    walk_s: NDArray[np.int32],
    alight_stop: NDArray[np.int32],
    board_stop: NDArray[np.int32],
    n_stops: int,
) -> tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.int32]]:
    """Footpaths between stops as footpaths between all their places."""
    if len(alight_stop) == n_stops and len(board_stop) == n_stops:
        return start, end, walk_s
    places_at: list[Any] = []
    for stops in (alight_stop, board_stop):
        order = np.argsort(stops, kind="stable").astype(np.int32)
        first = np.searchsorted(stops[order], np.arange(n_stops + 1))
        places_at.append((order, first))
    (a_order, a_first), (w_order, w_first) = places_at
    n_a, n_w = np.diff(a_first)[start], np.diff(w_first)[end]
    pair = np.repeat(np.arange(len(start)), n_a * n_w)
    within = np.arange(len(pair)) - np.repeat(np.cumsum(n_a * n_w) - n_a * n_w, n_a * n_w)
    a = a_order[a_first[start[pair]] + within // n_w[pair]]
    w = w_order[w_first[end[pair]] + within % n_w[pair]]
    return a, w, walk_s[pair]


def _touched(
    start: NDArray[np.int32], end: NDArray[np.int32], parent: NDArray[np.int32], rules: pd.DataFrame
) -> NDArray[np.bool_]:
    """Pairs of stops that some rule is about, by themselves, their stations, or any stop."""
    size = len(parent) + 1
    named = (rules["from_stop"].to_numpy().astype(np.int64) + 1) * size + rules["to_stop"].to_numpy() + 1
    touched = np.zeros(len(start), np.bool_)
    nowhere_s, nowhere_e = np.full(len(start), -1), np.full(len(end), -1)
    for x in (start, parent[start], nowhere_s):
        for y in (end, parent[end], nowhere_e):
            touched |= np.isin((x.astype(np.int64) + 1) * size + y + 1, named)
    return touched


class _RuleBook:
    """Finds the most specific rule for a change."""

    def __init__(self, rules: Rules, named_from: list[bool], named_to: list[bool], parent: NDArray[np.int32]) -> None:
        self.rules, self.named_from, self.named_to, self.parent = rules, named_from, named_to, parent
        self.by_stops: dict[tuple[int, int], list[int]] = defaultdict(list)
        for number, rule in enumerate(rules):
            self.by_stops[rule["from_stop"], rule["to_stop"]].append(number)

    def most_specific(
        self, start: int, end: int, alight_rules: frozenset[int], board_rules: frozenset[int]
    ) -> dict[str, int] | None:
        best: tuple[int, int, int] | None = None
        for x, x_score in self._stop_or_station(start):
            for y, y_score in self._stop_or_station(end):
                for number in self.by_stops.get((x, y), ()):
                    if (self.named_from[number] and number not in alight_rules) or (
                        self.named_to[number] and number not in board_rules
                    ):
                        continue
                    key = (_specificity(self.rules[number]), x_score + y_score, -number)
                    if best is None or key > best:
                        best = key
        return None if best is None else self.rules[-best[2]]

    def _stop_or_station(self, stop: int) -> list[tuple[int, int]]:
        station = int(self.parent[stop])
        return [(stop, 2), *([(station, 1)] if station >= 0 else []), (-1, 0)]


def _specificity(rule: dict[str, int]) -> int:
    """Both trips 6, trip and route 4, trip 3, both routes 2, route 1, stops alone 0 (the order of the GTFS reference)."""
    return sum(3 if rule[f"{side}_trip"] >= 0 else int(rule[f"{side}_route"] >= 0) for side in ("from", "to"))
