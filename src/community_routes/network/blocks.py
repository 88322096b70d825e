"""Which trips a vehicle runs one after another, so that a passenger may stay on board (blocks, in-seat transfers)."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from community_routes.notices import Notice, declare
from community_routes.sources.feed import Feed
from community_routes.times import HOUR

LONGEST_LAYOVER_S = HOUR
MOST_WAYS_THROUGH = 16
IN_SEAT = 4
NOT_IN_SEAT = 5

BLOCK_NOT_JOINED = declare(
    "block_not_joined",
    "info",
    "Two consecutive trips of a block cannot be joined: they overlap, lie more than 60 minutes apart, or the second "
    "starts elsewhere; passengers change as between any two trips.",
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


def vehicle_runs(feed: Feed, ends: TripEnds, notices: list[Notice]) -> list[tuple[int, ...]]:
    """The sequences of trip instances that one may ride through without leaving the vehicle.

    Every instance is in at least one run. A trip that continues as two others is in two runs, which changes no answer:
    the same hop offered twice.

    Parameters
    ----------
    feed : Feed
    ends : TripEnds
        Instances that may be joined; those of different days never are.
    notices : list of Notice
        Gets the count of pairs that cannot be joined.
    """
    following = _joins(feed, ends, notices)
    preceded = {after for afters in following.values() for after in afters}
    runs: list[tuple[int, ...]] = []
    for start in range(len(ends.trip)):
        if start not in preceded:
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
    missed = set(range(len(ends.trip))).difference(*runs) if runs else set()
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


def _joins(feed: Feed, ends: TripEnds, notices: list[Notice]) -> dict[int, list[int]]:
    """For each instance those that a passenger may stay on board for."""
    transfers = feed.transfers
    pairs = transfers[(transfers["from_trip"] >= 0) & (transfers["to_trip"] >= 0)]
    forbidden = set(_trip_pairs(pairs, NOT_IN_SEAT))
    parent = feed.stops["parent"].to_numpy()
    following: dict[int, list[int]] = defaultdict(list)
    not_joined = 0
    for before, after in _consecutive_in_blocks(feed, ends):
        if (int(ends.trip[before]), int(ends.trip[after])) in forbidden:
            continue
        if _can_stay(ends, parent, before, after):
            following[before].append(after)
        else:
            not_joined += 1
    if not_joined:
        message = f"{not_joined} pairs of consecutive trips of a block are not joined: {BLOCK_NOT_JOINED.meaning}"
        notices.append(BLOCK_NOT_JOINED.at("trips.txt", field="block_id", value=not_joined, message=message))
    instances: dict[tuple[int, int], list[int]] = defaultdict(list)
    in_seat = [pair for pair in _trip_pairs(pairs, IN_SEAT) if pair not in forbidden]
    if in_seat:
        for instance, (trip, day) in enumerate(zip(ends.trip.tolist(), ends.day.tolist(), strict=True)):
            instances[trip, day].append(instance)
    for from_trip, to_trip in in_seat:
        for day in (-1, 0, 1):
            for before in instances.get((from_trip, day), ()):
                for after in instances.get((to_trip, day), ()):
                    if after not in following[before] and _can_stay(ends, parent, before, after):
                        following[before].append(after)
    return following


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


def _can_stay(ends: TripEnds, parent: NDArray[np.int32], before: int, after: int) -> bool:
    layover = int(ends.departure_s[after]) - int(ends.arrival_s[before])
    if not 0 <= layover <= LONGEST_LAYOVER_S:
        return False
    last, first = int(ends.last_stop[before]), int(ends.first_stop[after])
    return last == first or (parent[last] >= 0 and parent[last] == parent[first])
