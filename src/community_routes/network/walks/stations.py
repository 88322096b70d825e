"""Ways inside stations (``pathways.txt``): between platforms, and between platforms and the entrances from the street."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from community_routes.base.earth import great_circle_m
from community_routes.base.notices import Notice, Sample, declare
from community_routes.sources.gtfs.feed import Feed

STRAIGHT_LINE_DETOUR: Final = 1.3
"""Of a change that the feed allows but neither streets nor ``pathways.txt`` show."""

NO_WAY_TO_PLATFORM = declare(
    "platform_without_way",
    "warning",
    "pathways.txt joins a platform to no entrance of its station; nobody can walk to it from the street.",
)

_ENTRANCE, _BOARDING_AREA = 2, 4
_STEPPED: Final = (2, 4)
"""Pathways that a wheelchair cannot use: stairs and escalators."""
_EXIT_GATE: Final = 7
_NOT_ACCESSIBLE: Final = 2
_SHORTEST_M: Final = 1e-3
"""Of a pathway: 0 would be none in a sparse matrix."""


def straight_metres(feed: Feed, a: NDArray[np.integer[Any]], b: NDArray[np.integer[Any]]) -> NDArray[np.float64]:
    """The straight line between stops, with its detour; NaN where a place is unknown."""
    lon, lat = feed.stops["lon"].to_numpy(), feed.stops["lat"].to_numpy()
    metres: NDArray[np.float64] = great_circle_m(lon[a], lat[a], lon[b], lat[b]) * STRAIGHT_LINE_DETOUR
    return metres


@dataclass(frozen=True, eq=False)
class Inside:
    """The ways inside all stations of a feed that may be walked.

    Attributes
    ----------
    node : int64, shape (n_stops,)
        Row of each stop in the network of pathways, -1 where none leads to it. A boarding area is its platform.
    network : sparse matrix, shape (n_nodes, n_nodes)
        Metres of each way; a stated time counts at walking speed.
    """

    node: NDArray[np.int64]
    network: Any

    def metres(
        self, starts: NDArray[np.integer[Any]], ends: NDArray[np.integer[Any]], *, turned: bool = False
    ) -> NDArray[np.float64]:
        """Shortest ways between stops that have pathways, from ends to starts if ``turned``; infinite where there is none."""
        from scipy.sparse.csgraph import dijkstra  # here, because starting without it is quicker

        network = self.network.T.tocsr() if turned else self.network
        found: NDArray[np.float64] = dijkstra(network, indices=self.node[starts])[:, self.node[ends]]
        return found


def ways_inside(feed: Feed, speed_kmh: float, *, step_free: bool = False) -> Inside | None:
    """The ways inside stations; None where the feed has none. Stairs and escalators are closed when ``step_free``."""
    pathways = feed.pathways
    if pathways.empty:
        return None
    from scipy.sparse import csr_matrix  # here, because starting without it is quicker

    kind, parent = feed.stops["location_type"].to_numpy(), feed.stops["parent"].to_numpy()
    owner = np.where((kind == _BOARDING_AREA) & (parent >= 0), parent, np.arange(len(kind)))
    a, b = (owner[pathways[name].to_numpy()] for name in ("from_stop", "to_stop"))
    nodes = np.unique(np.concatenate([a, b]))
    row = np.full(len(kind), -1, np.int64)
    row[nodes] = np.arange(len(nodes))
    timed = pathways["traversal_s"].to_numpy(np.float64) * speed_kmh / 3.6
    metres = np.where(np.isfinite(timed), timed, pathways["metres"].to_numpy(np.float64))
    metres = np.maximum(np.where(np.isfinite(metres), metres, straight_metres(feed, a, b)), _SHORTEST_M)
    mode = pathways["mode"].to_numpy()
    usable = np.isfinite(metres) & ~(step_free & np.isin(mode, _STEPPED))
    back = usable & pathways["both_ways"].to_numpy(bool) & (mode != _EXIT_GATE)
    start, end = np.concatenate([a[usable], b[back]]), np.concatenate([b[usable], a[back]])
    length = np.concatenate([metres[usable], metres[back]])
    order = np.lexsort((length, end, start))  # of parallel ways the shortest comes first, and stays
    start, end, length = start[order], end[order], length[order]
    fresh = np.ones(len(start), bool)
    fresh[1:] = (start[1:] != start[:-1]) | (end[1:] != end[:-1])
    ways = (length[fresh], (row[start[fresh]], row[end[fresh]]))
    return Inside(row[owner], csr_matrix(ways, shape=(len(nodes), len(nodes))))


def platforms_behind_entrances(feed: Feed, inside: Inside | None) -> NDArray[np.int64]:
    """The station of each stop that is reached through the station's entrances alone, shape (n_stops,); -1 for all others.

    These are the platforms of stations with an entrance to which a pathway leads.
    """
    kind, parent = feed.stops["location_type"].to_numpy(), feed.stops["parent"].to_numpy().astype(np.int64)
    if inside is None:
        return np.full(len(kind), -1)
    station = np.where((kind == _BOARDING_AREA) & (parent >= 0), parent[parent], parent)
    bound = np.unique(parent[(kind == _ENTRANCE) & (parent >= 0) & (inside.node >= 0)])
    return np.where(np.isin(kind, (0, _BOARDING_AREA)) & np.isin(station, bound), station, -1)


@dataclass(frozen=True, eq=False)
class Gates:
    """Pairs of a platform and an entrance of its station, by platform.

    Attributes
    ----------
    platform, entrance : int64, shape (n,)
        Rows of the stops; a platform that no entrance leads to has one pair, whose entrance is -1.
    in_m, out_m : float64, shape (n,)
        Metres from the entrance to the platform, and from it to the entrance; infinite where there is no such way.
    """

    platform: NDArray[np.int64]
    entrance: NDArray[np.int64]
    in_m: NDArray[np.float64]
    out_m: NDArray[np.float64]


def station_gates(feed: Feed, called: NDArray[np.bool_], speed_kmh: float, *, step_free: bool = False) -> Gates | None:
    """Through which entrances the platforms are reached at which something calls; None where no station has such.

    An entrance of which the feed says that a wheelchair cannot pass it is closed when ``step_free``.
    """
    inside = ways_inside(feed, speed_kmh, step_free=step_free)
    station = platforms_behind_entrances(feed, inside)
    platforms = np.flatnonzero((station >= 0) & called)
    if inside is None or not len(platforms):
        return None
    stops = feed.stops
    is_open = (stops["location_type"].to_numpy() == _ENTRANCE) & (inside.node >= 0)
    if step_free:
        is_open &= stops["wheelchair_boarding"].to_numpy() != _NOT_ACCESSIBLE
    parent = stops["parent"].to_numpy()
    pairs: list[tuple[int, int, float, float]] = []
    for one in np.unique(station[platforms]):
        entrances = np.flatnonzero(is_open & (parent == one))
        mine = platforms[station[platforms] == one]
        joined = mine[inside.node[mine] >= 0]
        into, out = inside.metres(joined, entrances, turned=True), inside.metres(joined, entrances)
        there = np.isfinite(into) | np.isfinite(out)
        for i, j in zip(*np.nonzero(there), strict=True):
            pairs.append((int(joined[i]), int(entrances[j]), float(into[i, j]), float(out[i, j])))
        reached = joined[there.any(axis=1)]
        pairs += [(platform, -1, np.inf, np.inf) for platform in np.setdiff1d(mine, reached).tolist()]
    platform, entrance, in_m, out_m = zip(*sorted(pairs), strict=True)
    return Gates(np.array(platform, np.int64), np.array(entrance, np.int64), np.array(in_m), np.array(out_m))


def report_shut_platforms(feed: Feed, gates: Gates, notices: list[Notice], *, step_free: bool) -> None:
    """Say which platforms no entrance leads to."""
    shut = Sample(NO_WAY_TO_PLATFORM)
    ids = feed.stops["stop_id"].to_numpy()
    parent = feed.stops["parent"].to_numpy()
    without = " without stairs and escalators" if step_free else ""
    for platform in gates.platform[gates.entrance < 0].tolist():
        message = (
            f"pathways.txt joins platform {ids[platform]!r} to no entrance of its station {ids[parent[platform]]!r}{without}, "
            "so nobody can walk to it from the street; its trips still run. Add the missing pathways, or take out the entrances"
        )
        shut.add("pathways.txt", field="from_stop_id", value=str(ids[platform]), message=message)
    notices.extend(shut.notices())
