"""Which trips a vehicle runs one after another, so that a passenger may stay on board (blocks, in-seat transfers)."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from itertools import chain, pairwise

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from community_routes.base.earth import great_circle_m
from community_routes.base.notices import Notice, declare
from community_routes.base.times import HOUR
from community_routes.sources.gtfs.feed import Feed

LONGEST_LAYOVER_S = HOUR
LONGEST_IN_SEAT_S = 3 * HOUR
FARTHEST_IN_SEAT_M = 500.0
MOST_WAYS_THROUGH = 16
IN_SEAT = 4
NOT_IN_SEAT = 5

BLOCK_NOT_JOINED = declare(
    "block_not_joined",
    "info",
    "Two consecutive trips of a block cannot be joined: they overlap, lie more than 60 minutes apart, or the second "
    "starts elsewhere; passengers change as between any two trips.",
)
IN_SEAT_NOT_JOINED = declare(
    "in_seat_not_joined",
    "info",
    "An in-seat transfer (type 4) cannot be joined: it names no two trips, one of them runs by headway, or the second starts "
    "before the end of the first, more than 180 minutes after it or more than 500 m away; passengers change as between any "
    "two trips.",
)
IN_SEAT_TOO_MANY = declare(
    "in_seat_too_many",
    "warning",
    "A trip continues in more ways than can be followed; only the first 16 ways through it are kept.",
)


@dataclass(frozen=True, eq=False)
class TripEnds:
    """First and last call of the trip instances to be joined; every array has one entry for each instance."""

    trip: NDArray[np.int64]
    day: NDArray[np.int64]
    first_stop: NDArray[np.int32]
    last_stop: NDArray[np.int32]
    departure_s: NDArray[np.int32]
    arrival_s: NDArray[np.int32]

    def layover_s(self, before: int, after: int) -> int:
        """Seconds from the end of one instance to the start of another."""
        return int(self.departure_s[after]) - int(self.arrival_s[before])


def vehicle_runs(
    feed: Feed, ends: TripEnds, repeated: NDArray[np.int64], notices: list[Notice]
) -> list[tuple[int, ...]]:
    """The sequences of trip instances that one may ride through without leaving the vehicle.

    Every instance is in at least one run. A trip that continues as two others is in two runs, which changes no answer:
    the same hop offered twice.

    Parameters
    ----------
    feed : Feed
    ends : TripEnds
        Instances that may be joined; those of different days only by an in-seat transfer.
    repeated : int64, shape (n,)
        Trips that run by headway: nobody can say which of their runs goes on as which.
    notices : list of Notice
        Gets the count of pairs that cannot be joined.
    """
    following = joins(feed, ends, repeated, notices)
    preceded = {after for afters in following.values() for after in afters}
    runs: list[tuple[int, ...]] = []
    for start in range(len(ends.trip)):
        if start in preceded:
            continue
        if start not in following:
            runs.append((start,))
        else:
            ways = _ways_from(start, following)
            if len(ways) > MOST_WAYS_THROUGH:
                trip_id = feed.trips["trip_id"].iat[int(ends.trip[start])]
                notices.append(
                    IN_SEAT_TOO_MANY.at(
                        "transfers.txt", field="from_trip_id", value=trip_id, message=IN_SEAT_TOO_MANY.meaning
                    )
                )
                ways = ways[:MOST_WAYS_THROUGH]
            runs.extend(ways)
    missed = set(range(len(ends.trip))).difference(chain.from_iterable(runs)) if runs else set()
    return runs + [(instance,) for instance in sorted(missed)]


def _ways_from(start: int, following: dict[int, list[int]]) -> list[tuple[int, ...]]:
    ways: list[tuple[int, ...]] = []
    stack: list[tuple[int, ...]] = [(start,)]
    while stack and len(ways) <= MOST_WAYS_THROUGH:
        way = stack.pop()
        afters = [after for after in following.get(way[-1], ()) if after not in way]
        if afters:
            stack.extend((*way, after) for after in reversed(afters))
        else:
            ways.append(way)
    return ways


def joins(feed: Feed, ends: TripEnds, repeated: NDArray[np.int64], notices: list[Notice]) -> dict[int, list[int]]:
    """For each instance those that a passenger may stay on board for; the arguments are those of :func:`vehicle_runs`."""
    transfers = feed.transfers
    named = ((transfers["from_trip"] >= 0) & (transfers["to_trip"] >= 0)).to_numpy()
    forbidden = set(_trip_pairs(transfers[named], NOT_IN_SEAT))
    parent = feed.stops["parent"].to_numpy()
    following: dict[int, list[int]] = defaultdict(list)
    lost = []
    for before, after in _consecutive_in_blocks(feed, ends):
        if (int(ends.trip[before]), int(ends.trip[after])) in forbidden:
            continue
        if 0 <= ends.layover_s(before, after) <= LONGEST_LAYOVER_S and _one_place(ends, parent, before, after):
            following[before].append(after)
        else:
            lost.append((before, after))
    in_seat = [pair for pair in _trip_pairs(transfers[named], IN_SEAT) if pair not in forbidden]
    missed = _join_in_seat(feed, ends, in_seat, set(repeated.tolist()), following) if in_seat else []
    not_joined = sum(after not in following[before] for before, after in lost)
    if not_joined:
        message = f"{not_joined} pairs of consecutive trips of a block are not joined: {BLOCK_NOT_JOINED.meaning}"
        notices.append(BLOCK_NOT_JOINED.at("trips.txt", field="block_id", value=not_joined, message=message))
    nameless = int((transfers["transfer_type"].to_numpy()[~named] == IN_SEAT).sum())
    if missed or nameless:
        ids = feed.trips["trip_id"]
        such = f" ({ids.iat[missed[0][0]]} to {ids.iat[missed[0][1]]}, ...)" if missed else ""
        n = len(missed) + nameless
        message = f"in-seat transfers that are not joined: {n}{such}. {IN_SEAT_NOT_JOINED.meaning}"
        notices.append(IN_SEAT_NOT_JOINED.at("transfers.txt", field="transfer_type", value=n, message=message))
    return following


def _join_in_seat(
    feed: Feed,
    ends: TripEnds,
    pairs: list[tuple[int, int]],
    repeated: set[int],
    following: dict[int, list[int]],
) -> list[tuple[int, int]]:
    """Join the pairs of trips on one service date, or on a date and the next; and those that run so and are never joined."""
    instances: dict[int, dict[int, int]] = defaultdict(dict)
    for instance, (trip, day) in enumerate(zip(ends.trip.tolist(), ends.day.tolist(), strict=True)):
        instances[trip][day] = instance
    missed = []
    for from_trip, to_trip in dict.fromkeys(pairs):
        starts, goes_on = instances[from_trip], instances[to_trip]
        met = [
            (starts[day], goes_on[d])
            for day in starts
            for d in (day, day + 1)
            if d in goes_on and starts[day] != goes_on[d]
        ]
        fitting = [pair for pair in met if _stays_in_seat(feed, ends, *pair)]
        for before, after in fitting:
            if after not in following[before]:
                following[before].append(after)
        either = {from_trip, to_trip}
        if not fitting and (met or (either & repeated and either <= repeated | set(ends.trip.tolist()))):
            missed.append((from_trip, to_trip))
    return missed


def _stays_in_seat(feed: Feed, ends: TripEnds, before: int, after: int) -> bool:
    if not 0 <= ends.layover_s(before, after) <= LONGEST_IN_SEAT_S:
        return False
    if _one_place(ends, feed.stops["parent"].to_numpy(), before, after):
        return True
    last, first = int(ends.last_stop[before]), int(ends.first_stop[after])
    lon, lat = feed.stops["lon"].to_numpy(), feed.stops["lat"].to_numpy()
    return bool(great_circle_m(lon[last], lat[last], lon[first], lat[first]) <= FARTHEST_IN_SEAT_M)


def _trip_pairs(transfers: pd.DataFrame, kind: int) -> list[tuple[int, int]]:
    rows = transfers[transfers["transfer_type"] == kind]
    return list(zip(rows["from_trip"].astype(int).tolist(), rows["to_trip"].astype(int).tolist(), strict=True))


def _consecutive_in_blocks(feed: Feed, ends: TripEnds) -> list[tuple[int, int]]:
    trips = feed.trips
    block = trips["block_id"].to_numpy()[ends.trip]
    member = np.flatnonzero(block != "")
    if not len(member):
        return []
    agency = feed.routes["agency"].to_numpy()[trips["route"].to_numpy()[ends.trip[member]]]
    source = trips["source"].to_numpy()[ends.trip[member]]
    groups: dict[tuple[int, int, str, int], list[int]] = defaultdict(list)
    for instance, *key in zip(
        member.tolist(),
        source.tolist(),
        agency.tolist(),
        block[member].tolist(),
        ends.day[member].tolist(),
        strict=True,
    ):
        groups[tuple(key)].append(instance)
    result: list[tuple[int, int]] = []
    for instances in groups.values():
        instances.sort(key=lambda i: (int(ends.departure_s[i]), int(ends.arrival_s[i]), i))
        result.extend(pairwise(instances))
    return result


def _one_place(ends: TripEnds, parent: NDArray[np.int32], before: int, after: int) -> bool:
    """Whether an instance starts where another ends, or at a sibling under one station."""
    last, first = int(ends.last_stop[before]), int(ends.first_stop[after])
    return last == first or bool(parent[last] >= 0 and parent[last] == parent[first])
