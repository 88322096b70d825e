"""Buses that go on as another trip, and changes that are held: what new trips keep of them, and what a change loses."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import product

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from community_routes.base.times import DAY
from community_routes.network.timetable.blocks import IN_SEAT, LONGEST_IN_SEAT_S, LONGEST_LAYOVER_S
from community_routes.network.timetable.changes import FORBIDDEN, TIMED
from community_routes.network.timetable.trips import trips_ridden_through
from community_routes.scenarios.edit.feed import COPY_MARK, NewTrip, TripCalls, with_rows
from community_routes.scenarios.edit.work import LOST_LINKS, Work
from community_routes.sources.gtfs.feed import Feed
from community_routes.sources.study.yaml import Step

Link = tuple[int, int]
"""Rows of two trips: whoever is on the first gets onto the second without missing it."""


def links_on(feed: Feed, date: dt.date, route: int) -> set[Link]:
    """Trips that go on as others, and changes that ``transfers.txt`` holds (type 1), from or to trips of a route on a date."""
    of_route = feed.trips["route"].to_numpy() == route
    mine = set(np.flatnonzero(of_route).tolist())
    rules = feed.transfers[feed.transfers["transfer_type"] == TIMED]
    active = set(feed.active_trips(date).tolist()) - set(feed.frequencies["trip"].tolist()) if len(rules) else set()
    pairs = zip(rules["from_trip"].tolist(), rules["to_trip"].tolist(), rules.to_dict("records"), strict=True)
    held = {(a, b) for a, b, rule in pairs if {a, b} & mine and _is_held(feed, rule, active)}
    return held | {link for link in trips_ridden_through(feed, date, of_route) if set(link) & mine}


def _is_held(feed: Feed, rule: dict[str, int], active: set[int]) -> bool:
    """Whether a rule names two trips of which the second leaves the stop after the first has come."""
    if not {rule["from_trip"], rule["to_trip"]} <= active:
        return False
    first, second = (TripCalls.of(feed, rule[side]) for side in ("from_trip", "to_trip"))
    parent = feed.stops["parent"].to_numpy()
    comes, leaves = (
        (calls.stop == rule[side]) | (parent[calls.stop] == rule[side])
        for calls, side in ((first, "from_stop"), (second, "to_stop"))
    )
    return bool(comes.any() and leaves.any() and first.arrival_s[comes].min() <= second.departure_s[leaves].max())


def _names(feed: Feed, links: Iterable[Link]) -> set[tuple[str, str]]:
    """Links by the ids of their trips; a copy for some days has the id of its trip."""
    ids = feed.trips["trip_id"].to_numpy()
    return {(ids[a].partition(COPY_MARK)[0], ids[b].partition(COPY_MARK)[0]) for a, b in links}


def warn_of_lost_links(
    work: Work,
    before: Feed,
    route: int,
    dates: Iterable[dt.date],
    *,
    kept: Iterable[tuple[str, str]] = (),
    path: Sequence[Step] = (),
) -> None:
    """Warn where whoever went on without missing anything has to change, or misses the bus that waited.

    Parameters
    ----------
    before : Feed
        The timetable that the change found.
    kept : iterable of (str, str)
        Links that other trips have instead.
    """
    lost: set[tuple[str, str]] = set()
    for date in dates:
        lost |= _names(before, links_on(before, date, route)) - _names(work.feed, links_on(work.feed, date, route))
    lost -= set(kept)
    if lost:
        told = ", ".join(f"{first} to {second}" for first, second in sorted(lost)[:6])
        n = f"{len(lost)} through connections are" if len(lost) > 1 else "1 through connection is"
        message = (
            f"{n} lost ({told}{', ...' if len(lost) > 6 else ''}): no trip fits there in time any more, so passengers have to "
            "change or miss the bus; choose times that meet it, or leave these trips out"
        )
        work.note(LOST_LINKS, message, path, len(lost))


def keep_links(
    work: Work, before: Feed, route: int, gone: NDArray[np.int64], added: Sequence[NewTrip], dates: Iterable[dt.date]
) -> set[tuple[str, str]]:
    """Give the newest trips of the feed the links of those that they replace; and the names of the links that they keep.

    A bus that went on as another trip does so still, by an in-seat transfer, where a new one ends at the same stop in time for
    it: that which leaves nearest to the old one, each once. Rules of changes hold for every new trip made like the one named.

    Parameters
    ----------
    before : Feed
        With the trips that are gone.
    gone : int64
        Their rows there.
    added : sequence of NewTrip
        The last trips of the feed.
    """
    of_route = before.trips["route"].to_numpy() == route
    through = [trips_ridden_through(before, date, of_route) for date in dates]
    if not any(through) and before.transfers.empty:
        return set()
    first_row = len(work.feed.trips) - len(added)
    now, then = (feed.trips["trip_id"].to_numpy(object).tolist() for feed in (work.feed, before))
    row_of = {trip_id: row for row, trip_id in enumerate(now[:first_row])}
    still = {row: row_of[trip_id] for row, trip_id in enumerate(then) if trip_id in row_of}
    new = range(first_row, first_row + len(added))
    replaced = {int(row): [k for k, trip in zip(new, added, strict=True) if trip.like == row] for row in gone}
    rules = list(_copied_rules(before, replaced, still))
    chosen: dict[Link, Link] = {}
    for on_date in through:
        taken: dict[tuple[int, int], int] = {}
        for link in sorted(on_date):
            if not set(link) & set(replaced):
                continue
            ways = [list(new) if row in replaced else [still[row]] for row in link]
            # A new trip takes the place of one old trip at each of its ends, which may part in two there.
            ways = [
                [row for row in way if taken.get((end, row), old) == old]
                for end, old, way in zip((0, 1), link, ways, strict=True)
            ]
            pair = chosen.get(link) or _nearest(before, work.feed, link, ways)
            if pair is not None:
                taken |= {(end, row): old for end, old, row in zip((0, 1), link, pair, strict=True)}
                chosen[link] = pair
    rules += [(link, {"from_trip": a, "to_trip": b, "transfer_type": IN_SEAT}) for link, (a, b) in chosen.items()]
    active = set(range(len(work.feed.trips)))
    kept = set(chosen) | {
        link for link, rule in rules if rule["transfer_type"] == TIMED and _is_held(work.feed, rule, active)
    }
    if rules:
        blank = dict.fromkeys(before.transfers.columns, -1)
        table = pd.DataFrame([blank | rule for _, rule in rules]).drop_duplicates()
        work.feed = replace(work.feed, transfers=with_rows(work.feed.transfers, table))
    return _names(before, kept)


def _copied_rules(
    before: Feed, replaced: dict[int, list[int]], still: dict[int, int]
) -> Iterator[tuple[Link, dict[str, int]]]:
    """Rules of changes (types 0 to 3) that name trips that are gone, for the new trips made like them."""
    for rule in before.transfers[before.transfers["transfer_type"] <= FORBIDDEN].to_dict("records"):
        link = rule["from_trip"], rule["to_trip"]
        if not set(link) & set(replaced):
            continue
        own = tuple(still.get(row, -1) for row in link)
        ways = [replaced.get(row, []) + ([still[row]] if row in still else [-1] if row < 0 else []) for row in link]
        for pair in product(*ways):
            if pair != own:
                yield link, rule | {"from_trip": pair[0], "to_trip": pair[1]}


def _nearest(before: Feed, after: Feed, link: Link, ways: list[list[int]]) -> Link | None:
    """Of the trips that may take the places of two the pair that leaves nearest to them and fits as they did."""
    first, second = (TripCalls.of(before, row) for row in link)
    next_day = DAY if second.departure_s[0] < first.arrival_s[-1] else 0
    rules = before.transfers
    named = rules["transfer_type"].eq(IN_SEAT) & rules["from_trip"].eq(link[0]) & rules["to_trip"].eq(link[1])
    longest = LONGEST_IN_SEAT_S if named.any() else LONGEST_LAYOVER_S
    calls = after.calls
    a, b = (np.array(way, np.int64) for way in ways)
    a = a[calls.stop[calls.first[a + 1] - 1] == first.stop[-1]]
    b = b[calls.stop[calls.first[b]] == second.stop[0]]
    start, leaves = (calls.departure_s[calls.first[rows]].astype(np.int64) for rows in (a, b))
    end = calls.arrival_s[calls.first[a + 1] - 1]
    wait = leaves[None, :] + next_day - end[:, None]
    moved = np.abs(start - first.departure_s[0])[:, None] + np.abs(leaves - second.departure_s[0])[None, :]
    fits = (wait >= 0) & (wait <= longest) & (a[:, None] != b[None, :])
    if not fits.any():
        return None
    at = np.unravel_index(np.argmin(np.where(fits, moved * (2 * DAY) + wait, np.iinfo(np.int64).max)), fits.shape)
    return int(a[at[0]]), int(b[at[1]])
