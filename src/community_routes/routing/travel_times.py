"""Travel times from many origins to many destinations for every departure of a window, by blocks of destinations."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from community_routes.network.network import Network
from community_routes.routing.engine import Engine, Work
from community_routes.routing.query import Query, Walks
from community_routes.routing.scan import NEVER
from community_routes.routing.search import MOST_LANES, Search, TimesBlock, Workspace, as_seconds, for_each, needed_s

_FEWEST_LANES = 64

WORTH_THINNING = 1000
"""From so many places as lanes on, a scan without useless changes gains what it takes to find them."""


def travel_times_by_departure(
    network: Network,
    query: Query,
    walks: Walks,
    *,
    threads: int = 1,
    engine: Engine | None = None,
    tell: Callable[[str], None] | None = None,
) -> NDArray[np.int32]:
    """Travel time of every origin, departure and destination.

    Parameters
    ----------
    network : Network
    query : Query
        Window and limits.
    walks : Walks
        From origins to stops, from stops to destinations, and all the way.
    threads : int
        Changes nothing but the time it takes.
    engine : Engine, optional
        Does the blocks in the place of threads of this process.
    tell : callable of str, optional
        Told how many blocks an engine has done.

    Returns
    -------
    int32, shape (n_origins, n_departures, n_destinations)
        Seconds, UNREACHED where there is no journey within the limits; for ``arrive_by`` the deadline minus the latest
        departure that meets it.
    """
    return as_seconds(cube_by_departure(network, query, walks, threads=threads, engine=engine, tell=tell))


def cube_by_departure(
    network: Network,
    query: Query,
    walks: Walks,
    *,
    threads: int = 1,
    engine: Engine | None = None,
    tell: Callable[[str], None] | None = None,
) -> NDArray[np.int16]:
    """The same in half the memory: int16, ``NEVER`` where there is no journey within the limits."""
    if engine is None:
        cube = search_of(network, query, walks).cube(threads)
    else:
        cube = _cube_by(engine, search_of(network, query, walks, lanes=lanes_for(engine, walks, query)), tell)
    if not query.arrive_by:
        return cube
    if cube.shape[1] != len(query.departures_s):
        raise AssertionError("a departure was lost")
    return np.ascontiguousarray(cube[:, ::-1, :].transpose(2, 1, 0))


def amounts_within(
    network: Network,
    query: Query,
    walks: Walks,
    amounts: NDArray[np.int64],
    limit_s: int,
    workspace: Workspace | None = None,
) -> NDArray[np.int64]:
    """Amounts of all destinations within a limit of time at every departure; the times themselves are never kept.

    Whole numbers, whose sum is the same in any order. Useless changes are not looked for: that takes longer than one search
    gains from it.

    Parameters
    ----------
    network : Network
    query : Query
        By departure.
    walks : Walks
    amounts : int64, shape (n_destinations,)
    limit_s : int
        Seconds; a journey of exactly the limit counts.
    workspace : Workspace, optional
        Of whoever asks again and again, one search at a time.

    Returns
    -------
    int64, shape (n_origins, n_departures)
    """
    search = Search(network.connections, network, query, walks)
    search.workspace = workspace or search.workspace
    return search.sums(amounts, min(limit_s, int(NEVER) - 1))


def lanes_for(engine: Engine, walks: Walks, query: Query, *, most: int = MOST_LANES) -> int:
    """Places of a block, so that there is work for the whole engine and no block is too small to be worth a scan."""
    n = walks.n_origins if query.arrive_by else walks.n_destinations
    return min(most, max(_FEWEST_LANES, -(-n // engine.n_parts)))


def _cube_by(engine: Engine, search: Search, tell: Callable[[str], None] | None) -> NDArray[np.int16]:
    blocks = search.lane_blocks()
    shape = search.walks.n_origins, len(search.departures_s), search.walks.n_destinations
    cube = np.full(shape, NEVER, np.int16)
    done = engine.map_blocks(CUBES, search.shared(), range(len(blocks)), tell=tell)
    for lanes, times in zip(blocks, done, strict=True):
        cube[:, :, lanes] = times
    return cube


def reduced_by_departure(
    network: Network,
    queries: Sequence[Query],
    walks: Walks,
    reduce: Callable[[NDArray[np.int32]], NDArray[np.bool_]],
    *,
    threads: int = 1,
) -> NDArray[np.bool_]:
    """What a function makes of the times of all departures, block by block: the times themselves are never kept together.

    Parameters
    ----------
    network
    queries : sequence of Query
        Alike but for their windows, whose departures (or deadlines) are joined in this order.
    walks
    reduce : callable
        int32, shape (n, n_departures, m) of a block -> bool, shape (n, m): of origins and destinations, or the other way round.
    threads : int

    Returns
    -------
    bool, shape (n_origins, n_destinations)
    """
    if queries[0].arrive_by:  # one stretch of mirrored connections for all of them
        needed = [needed_s(query) for query in queries]
        network.backwards_between(min(start for start, _ in needed), max(end for _, end in needed))
    search = search_of(network, queries[0], walks, also=queries[1:])
    windows = np.split(
        np.arange(len(search.departures_s)), np.cumsum([len(query.departures_s) for query in queries])[:-1]
    )
    # Searched in mirrored time a window's departures lie the other way round.
    order = np.concatenate([window[::-1] if queries[0].arrive_by else window for window in windows])
    result = np.zeros((walks.n_origins, walks.n_destinations), np.bool_)

    def work(lanes: NDArray[np.int32]) -> None:
        columns = np.arange(len(lanes), dtype=np.int32)
        times = np.full((search.walks.n_origins, len(order), len(lanes)), NEVER, np.int16)
        search.fill_cube(lanes, times, columns)
        found = reduce(as_seconds(times[:, order]))
        if queries[0].arrive_by:
            result[lanes] = found.T
        else:
            result[:, lanes] = found

    for_each(work, search.lane_blocks(), threads)
    return result


def percentile_times(network: Network, query: Query, walks: Walks, *, threads: int = 1) -> NDArray[np.int32]:
    """The query's percentiles of travel time over the departures of the window.

    Parameters
    ----------
    network : Network
    query : Query
        Window, limits and percentiles.
    walks : Walks
        From origins to stops, from stops to destinations, and all the way.
    threads : int
        Changes nothing but the time it takes.

    Returns
    -------
    int32, shape (n_percentiles, n_origins, n_destinations)
        Seconds, UNREACHED where the departure of that rank has no journey within the limits.
    """
    times = search_of(network, query, walks).percentiles(threads)
    return as_seconds(np.ascontiguousarray(times.transpose(0, 2, 1)) if query.arrive_by else times)


def search_of(
    network: Network, query: Query, walks: Walks, *, lanes: int = MOST_LANES, also: Sequence[Query] = ()
) -> Search:
    """The search that answers a question: destinations are its lanes, or with ``arrive_by`` origins, in mirrored time.

    ``also`` are windows asked besides, which follow (``Search``).
    """
    backwards, hours = query.arrive_by, needed_s(query)
    asked = walks.mirrored() if backwards else walks
    if asked.n_destinations >= WORTH_THINNING:
        connections = network.thinned_between(*hours, backwards=backwards)
    else:
        connections = network.backwards_between(*hours) if backwards else network.connections
    return Search(connections, network, query, asked, lanes, also)


def percentiles_of_block(search: Search, number: int) -> tuple[NDArray[np.int32], NDArray[np.int16]]:
    """Percentiles of all origins (rows) and the lanes of one block (columns).

    Returns
    -------
    lanes : int32, shape (n_lanes,)
        Destinations, or origins for ``arrive_by``.
    times : int16, shape (n_percentiles, n_rows, n_lanes)
        Seconds, ``NEVER`` where the departure of that rank has no journey within the limits.
    """
    lanes = search.lane_blocks()[number]
    times = np.full((len(search.query.percentiles), search.walks.n_origins, len(lanes)), NEVER, np.int16)
    search.fill_percentiles(lanes, times, np.arange(len(lanes), dtype=np.int32))
    return lanes, times


def cube_of_block(search: Search, number: int) -> NDArray[np.int16]:
    """Times of all origins (rows) and departures to the lanes of one block, shape (n_rows, n_departures, n_lanes)."""
    lanes = search.lane_blocks()[number]
    times = np.full((search.walks.n_origins, len(search.departures_s), len(lanes)), NEVER, np.int16)
    search.fill_cube(lanes, times, np.arange(len(lanes), dtype=np.int32))
    return times


def prepare_search(shared: Mapping[str, Any]) -> Search:
    """The search that ``Search.shared`` told of."""
    return Search.from_shared(shared)


CUBES = Work(prepare_search, cube_of_block)
"""Every departure's times, block by block."""


def times_in_blocks(
    network: Network, query: Query, walks: Walks, *, origins_at_once: int = 256, lanes: int = MOST_LANES
) -> Iterator[TimesBlock]:
    """Every travel time once, in blocks of bounded size: for sums over departures that do not keep the cube.

    Every triple of origin, departure and destination is in exactly one block; the order of blocks is always the same.

    Parameters
    ----------
    network : Network
    query : Query
    walks : Walks
    origins_at_once, lanes : int
        The most origins, and destinations, of one block.

    Yields
    ------
    TimesBlock
    """
    search = search_of(network, query, walks, lanes=lanes)
    for number in range(len(search.lane_blocks())):
        yield from times_of_block(search, number, origins_at_once)


def times_of_block(search: Search, number: int, origins_at_once: int = 256) -> Iterator[TimesBlock]:
    """The part of ``times_in_blocks`` that one block of lanes answers."""
    for block in search.pieces(search.lane_blocks()[number], origins_at_once):
        if search.query.arrive_by:
            yield TimesBlock(
                block.destinations,
                len(search.departures_s) - 1 - block.departures,
                block.origins,
                np.ascontiguousarray(block.time_s.transpose(2, 1, 0)),
            )
        else:
            yield block
