"""Measures how cost and memory grow on a made-up region: the sample borough tiled until it is as large as a country.

    python benchmarks/region.py [--side 20] [--threads 2] [--engine dask] [--out FILE]

Tiles lie so close that one may walk from stops of one to stops of the next, and a train runs along every row and column of
tiles each quarter of an hour, from the busiest stop of one to that of the next in eight minutes. Walks are straight lines
times 1.3. Travel times are found in blocks of destinations, what is reached of them is laid aside in files, and then written
origin by origin as ``--reached-only`` does, so that memory is bounded by the block, not by the number of pairs. Three sizes
are measured, a sixteenth, a quarter and the whole, each in a process of its own, and the table is added to the page. With
``--engine dask`` the blocks are searched by as many workers on this machine, which shows what spreading them costs.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import os
import platform
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bench_routing import HERE, Stages, run_apart_from
from community_routes.base.times import HOUR, MINUTE
from community_routes.base.timings import peak_megabytes
from community_routes.network.network import build_network
from community_routes.network.walks.links import CrowFly, link_points, walks_between
from community_routes.network.walks.points import Points
from community_routes.network.walks.stops import stop_points
from community_routes.routing.cluster.engine import DaskEngine
from community_routes.routing.engine import LocalEngine
from community_routes.routing.query import Query, Walks
from community_routes.sources.gtfs.feed import Calls, Feed
from community_routes.travel.matrix_blocks import matrix_cells
from community_routes.travel.matrix_file import Layout, Spool, write_rows
from workloads import WORKLOADS

WORK = WORKLOADS["sample"]
QUERY = Query(window_s=(7 * HOUR, 9 * HOUR), max_travel_s=90 * MINUTE)
BLOCK = 256
"""Destinations in a block, of which each thread holds one: what bounds the memory."""

NEARER = 0.9
"""Tiles overlap a little, so that stops of neighbours lie within a walk."""

TRAIN_HOP_S, TRAIN_DWELL_S, TRAIN_HEADWAY_S = 7 * MINUTE, MINUTE, 15 * MINUTE


def in_window(feed: Feed) -> Feed:
    """Only the trips of the date that run within the window and the longest journey after it."""
    first, calls = feed.calls.first, feed.calls
    trips = np.array([t for t in feed.active_trips(WORK.date) if first[t + 1] > first[t]])
    leaves, arrives = calls.departure_s[first[trips]], calls.arrival_s[first[trips + 1] - 1]
    runs = trips[(arrives >= QUERY.window_s[0]) & (leaves <= QUERY.window_s[1] + QUERY.max_travel_s)]
    return replace(
        feed,
        trips=feed.trips.iloc[runs].reset_index(drop=True),
        calls=_picked(calls, runs),
        frequencies=feed.frequencies.iloc[:0],
        transfers=feed.transfers[(feed.transfers[["from_trip", "to_trip"]] < 0).all(axis=1)].reset_index(drop=True),
    )


def _picked(calls: Calls, trips: NDArray[np.int64]) -> Calls:
    rows = np.concatenate([np.arange(calls.first[trip], calls.first[trip + 1]) for trip in trips])
    names = ("stop", "arrival_s", "departure_s", "pickup_type", "drop_off_type", "timed", "sequence", "distance")
    first = np.concatenate([[0], np.cumsum(np.diff(calls.first)[trips])])
    return Calls(first=first, **{name: getattr(calls, name)[rows] for name in names})


def tiled(feed: Feed, shifts: NDArray[np.float64]) -> Feed:
    """The feed once for each shift (degrees east, degrees north)."""
    n, n_stops, n_trips, calls = len(shifts), len(feed.stops), len(feed.trips), feed.calls
    tile = np.repeat(np.arange(n), n_stops)
    stops = pd.concat([feed.stops] * n, ignore_index=True)
    stops["lon"] += shifts[tile, 0]
    stops["lat"] += shifts[tile, 1]
    parent = stops["parent"].to_numpy()
    stops["parent"] = np.where(parent >= 0, parent + tile * n_stops, -1).astype(np.int32)
    stops["stop_id"] = [f"{t}:{name}" for t, name in zip(tile.tolist(), stops["stop_id"], strict=True)]
    trips = pd.concat([feed.trips] * n, ignore_index=True)
    which = np.repeat(np.arange(n), n_trips).astype(str).astype(object)
    trips["trip_id"] = which + ":" + trips["trip_id"].to_numpy(object)
    block = trips["block_id"].to_numpy(object)
    trips["block_id"] = np.where(block == "", "", which + ":" + block)
    transfers = pd.concat([feed.transfers] * n, ignore_index=True)
    move = np.repeat(np.arange(n, dtype=np.int32) * n_stops, len(feed.transfers))
    for end in ("from_stop", "to_stop"):
        transfers[end] = np.where(transfers[end] >= 0, transfers[end] + move, -1).astype(np.int32)
    again = ("arrival_s", "departure_s", "pickup_type", "drop_off_type", "timed", "sequence", "distance")
    return replace(
        feed,
        stops=stops,
        trips=trips,
        transfers=transfers,
        calls=Calls(
            first=np.concatenate([[0], np.cumsum(np.tile(np.diff(calls.first), n))]),
            stop=np.tile(calls.stop, n) + np.repeat(np.arange(n) * n_stops, len(calls)),
            **{name: np.tile(getattr(calls, name), n) for name in again},
        ),
    )


def with_trains(feed: Feed, hub: int, n_stops: int, side: int) -> Feed:
    """The region with trains along its rows and columns, both ways; each tile has ``n_stops`` stops, of which ``hub`` is one."""
    tiles = np.arange(side * side).reshape(side, side)
    courses = [line for way in (tiles, tiles.T) for row in way for line in (row, row[::-1])]
    long_s = side * (TRAIN_HOP_S + TRAIN_DWELL_S)
    starts = range(QUERY.window_s[0] - long_s, QUERY.window_s[1] + QUERY.max_travel_s, TRAIN_HEADWAY_S)
    arrival = np.arange(side) * (TRAIN_HOP_S + TRAIN_DWELL_S)
    arrival, departure = np.concatenate([[0], arrival[1:] - TRAIN_DWELL_S]), arrival
    n = len(courses) * len(starts)
    route = feed.routes.iloc[[0]].assign(route_id="train", route_short_name="train", route_type=np.int32(2))
    trips = feed.trips.iloc[np.zeros(n, int)].assign(
        trip_id=[f"train {t}" for t in range(n)], route=np.int32(len(feed.routes)), block_id="", shape=np.int32(-1)
    )
    calls, start_s = feed.calls, np.repeat(np.array(starts), side)
    added = {
        "stop": np.concatenate([np.tile(course * n_stops + hub, len(starts)) for course in courses]),
        "arrival_s": np.tile(start_s + np.tile(arrival, len(starts)), len(courses)),
        "departure_s": np.tile(start_s + np.tile(departure, len(starts)), len(courses)),
        "pickup_type": np.zeros(n * side),
        "drop_off_type": np.zeros(n * side),
        "timed": np.ones(n * side),
        "sequence": np.tile(np.arange(side), n),
        "distance": np.full(n * side, np.nan),
    }
    joined = {name: np.concatenate([getattr(calls, name), values]) for name, values in added.items()}
    return replace(
        feed,
        routes=pd.concat([feed.routes, route], ignore_index=True),
        trips=pd.concat([feed.trips, trips], ignore_index=True),
        calls=Calls(first=np.concatenate([calls.first, len(calls) + np.arange(1, n + 1) * side]), **joined),
    )


@contextmanager
def searching(engine: str, threads: int) -> Iterator[LocalEngine | DaskEngine]:
    """Threads of this process, or workers that are ready."""
    if engine == "local":
        yield LocalEngine(threads)
        return
    with DaskEngine(workers=threads) as cluster:
        yield cluster


def measure(side: int, threads: int, engine: str = "local") -> dict[str, Any]:
    """Tile, build, search block by block and write what is reached."""
    stages, started = Stages(), time.perf_counter()
    feed, places = in_window(WORK.read_timetable()), WORK.places()[0]
    span = np.array([np.ptp(places.lon), np.ptp(places.lat)]) * NEARER
    grid = np.array([(x, y) for y in range(side) for x in range(side)], np.float64) * span
    with stages.stage("tiles"):
        hub = int(np.bincount(feed.calls.stop).argmax())
        region = with_trains(tiled(feed, grid), hub, len(feed.stops), side)
        tile = np.repeat(np.arange(len(grid)), places.n_places)
        ids = np.array([f"{t}:{n}" for t, n in zip(tile, np.tile(places.id, len(grid)), strict=True)], object)
        lon, lat = np.tile(places.lon, len(grid)) + grid[tile, 0], np.tile(places.lat, len(grid)) + grid[tile, 1]
        zones = Points.single(ids, lon, lat)
    ground = CrowFly()
    with stages.stage("network"):
        network = build_network(
            region, ground, WORK.date, span_s=(QUERY.window_s[0], QUERY.window_s[1] + QUERY.max_travel_s)
        )
    with stages.stage("walks"):
        stops, linked = link_points(ground, stop_points(region)), link_points(ground, zones)
        access = walks_between(ground, linked, stops, limit_s=15 * MINUTE, speed_kmh=4.8)
        egress = walks_between(ground, stops, linked, limit_s=15 * MINUTE, speed_kmh=4.8).reversed(zones.n_places)
        direct = walks_between(ground, linked, linked, limit_s=60 * MINUTE, speed_kmh=4.8)
    plan = Layout(ids, ids, QUERY, np.zeros(len(ids), np.int8), np.zeros(len(ids), np.int8))
    with tempfile.TemporaryDirectory() as folder, searching(engine, threads) as how:
        spool = Spool(plan, Path(folder))
        walks = Walks(access, egress, direct)
        with stages.stage("search"):
            for cells in matrix_cells(network, plan, walks, how, lanes=BLOCK):
                spool.add_cells(cells)
            spool.finish()
        workers_s = how.processor_s if isinstance(how, DaskEngine) else 0.0
        searched_mb = peak_megabytes()
        path = Path(folder) / "matrix.parquet"
        with stages.stage("write"):
            pairs = write_rows(path, spool.tables(reached_only=True))
        spool.close()
        size_mb = path.stat().st_size / 1e6
    moments = network.timetable.departure_s
    return {
        "side": side,
        "threads": threads,
        "engine": engine,
        "neighbourhoods": zones.n_places,
        "stops": len(region.stops),
        "connections": int(
            ((moments >= QUERY.window_s[0]) & (moments <= QUERY.window_s[1] + QUERY.max_travel_s)).sum()
        ),
        "changes": len(network.connections.transfer),
        "reached": pairs / zones.n_places,
        "stages": stages.seconds,
        "workers_s": workers_s,
        "process_s": time.process_time(),
        "wall_s": time.perf_counter() - started,
        "rows": pairs,
        "searched_mb": searched_mb,
        "peak_mb": peak_megabytes(),
        "file_mb": size_mb,
    }


def report(results: list[dict[str, Any]]) -> str:
    """The table of one run, with what it was measured on."""
    stages = list(results[0]["stages"])
    searched_by = f"{results[0]['threads']} {'threads' if results[0]['engine'] == 'local' else 'workers of dask'}"
    counts = ("neighbourhoods", "connections", "changes", "reached", "rows")
    headings = ["tiles", "neighbourhoods", "connections", "changes", "reached from one", "rows", *stages]
    headings += ["workers", "process"]
    headings += ["rows a second", "MB after the search", "peak MB", "file MB"]
    lines = [
        f"## {dt.date.today()}, {platform.machine()}, {os.cpu_count()} cores, {searched_by}",
        "",
        f"Load of the machine when it ended: {_load()} (other programs included).",
        "",
        "| " + " | ".join(headings) + " |",
        "|---" * len(headings) + "|",
    ]
    for result in results:
        cells = [
            f"{result['side']} x {result['side']}",
            *(f"{result[name]:,.0f}" for name in counts),
            *(f"{seconds['processor']:.1f} ({seconds['wall']:.1f})" for seconds in result["stages"].values()),
            f"{result['workers_s']:.1f}",
            f"{result['process_s']:.0f} ({result['wall_s']:.0f})",
            f"{result['rows'] / (result['process_s'] + result['workers_s']):,.0f}",
            *(f"{result[name]:,.0f}" for name in ("searched_mb", "peak_mb", "file_mb")),
        ]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join([*lines, ""])


def _load() -> str:
    return f"{os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else "unknown"


HEAD = f"""# What a region costs

Written by `benchmarks/region.py`: the sample borough tiled, all neighbourhoods to all others within
{QUERY.max_travel_s // 60} minutes, {len(QUERY.departures_s)} departures, at most {QUERY.max_rides} rides, in blocks of
{BLOCK:,} destinations; only pairs that are reached are written. Connections are those that leave within the window and the
longest journey after it. Seconds of the processor, wall seconds in brackets; what workers of dask take of their processors
is apart from the process that asks them. Rows a second are rows of the file for each second of the processor, everything
included.
"""


def main() -> None:
    """Measure some sizes, each in a process of its own, or be one of them."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    options.add_argument("--side", type=int, default=20)
    options.add_argument("--threads", type=int, default=2)
    options.add_argument("--engine", choices=("local", "dask"), default="local")
    options.add_argument("--child", action="store_true")
    options.add_argument("--out", type=Path, default=HERE / "REGION.md")
    chosen = options.parse_args()
    if chosen.child:
        print(json.dumps(measure(chosen.side, chosen.threads, chosen.engine)))
        return
    sizes = sorted({max(2, chosen.side // 4), max(2, chosen.side // 2), chosen.side})
    results = []
    for side in sizes:
        asked = ("--child", "--side", str(side), "--threads", str(chosen.threads), "--engine", chosen.engine)
        results.append(run_apart_from("region.py", *asked))
        print(f"{side} x {side} tiles: {results[-1]['process_s']:.0f} s, {results[-1]['peak_mb']:,.0f} MB")
    before = chosen.out.read_text("utf-8") if chosen.out.is_file() else HEAD
    chosen.out.write_text(f"{before.rstrip()}\n\n{report(results)}", encoding="utf-8")
    print(chosen.out)


if __name__ == "__main__":
    main()
