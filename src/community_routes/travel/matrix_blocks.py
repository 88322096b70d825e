"""The blocks of a matrix: what is reached of each, found by whichever engine does the work."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from community_routes.base.times import UNREACHED
from community_routes.network.network import Network
from community_routes.routing.engine import Engine, Work
from community_routes.routing.query import Walks
from community_routes.routing.scan import NEVER
from community_routes.routing.search import MOST_LANES, Search
from community_routes.routing.travel_times import (
    lanes_for,
    percentiles_of_block,
    prepare_search,
    search_of,
    times_of_block,
)
from community_routes.travel.matrix_file import Cells, Layout, reached_cells

_MOST_CELLS = 1 << 25
"""Origins x departures x destinations of a block that keeps every departure."""


def matrix_cells(
    network: Network,
    layout: Layout,
    walks: Walks,
    engine: Engine,
    *,
    lanes: int = MOST_LANES,
    tell: Callable[[str], None] | None = None,
) -> Iterator[list[Cells]]:
    """What is reached of a matrix, block by block: every cell is in exactly one block.

    Parameters
    ----------
    network : Network
    layout : Layout
        Its question, and whether every departure counts.
    walks : Walks
    engine : Engine
        Changes nothing but the time.
    lanes : int
        Destinations (``arrive_by``: origins) of a block, at most; with all of the others they bound the memory.
    tell : callable of str, optional
        Told how many blocks are done.
    """
    query = layout.query
    if layout.per_departure:
        rows = walks.n_destinations if query.arrive_by else walks.n_origins
        lanes = min(lanes, max(1, _MOST_CELLS // max(1, rows * len(query.departures_s))))
    search = search_of(network, query, walks, lanes=lanes_for(engine, walks, query, most=lanes))
    work = EVERY_DEPARTURE if layout.per_departure else PERCENTILES
    return engine.map_blocks(work, search.shared(), range(len(search.lane_blocks())), tell=tell)


def _percentiles(search: Search, number: int) -> list[Cells]:
    lanes, times = percentiles_of_block(search, number)
    everywhere = np.arange(search.walks.n_origins, dtype=np.int32)
    if search.query.arrive_by:
        return list(reached_cells(lanes, everywhere, times.transpose(0, 2, 1), NEVER))
    return list(reached_cells(everywhere, lanes, times, NEVER))


def _every_departure(search: Search, number: int) -> list[Cells]:
    n_departures = len(search.departures_s)
    found: list[Cells] = []
    for cube in times_of_block(search, number):
        columns = cube.destinations.astype(np.int64)[:, None] * n_departures + cube.departures[None, :]
        times = cube.time_s.transpose(0, 2, 1).reshape(1, len(cube.origins), -1)
        found.extend(reached_cells(cube.origins, columns.ravel(), times, UNREACHED))
    return found


PERCENTILES = Work(prepare_search, _percentiles)
EVERY_DEPARTURE = Work(prepare_search, _every_departure)
