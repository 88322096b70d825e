"""Measures reading, network and routing, each job in a process of its own, and writes benchmarks/RESULTS.md.

    python benchmarks/bench_routing.py [--runs 3] [--only NAME ...] [--out FILE]

With --only, the page is printed and RESULTS.md stays as it is, unless --out names a file.

Seconds of the processor are the measure; wall seconds stand beside them. Every job is run once before it is counted, so
that the kernels are compiled and lie in numba's cache; what is counted is the median of the runs that follow, each a new
process that loads them from there. In the same process a textbook RAPTOR (raptor.py) does a part of the same work, one
departure at a time: the ratio of the two holds on any machine.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
STAGES = ("start", "read timetable", "read streets", "network", "walks", "search")
RAPTOR_ORIGINS = 10


class Stages:
    """Wall and processor seconds of named pieces of work, and the memory held by then."""

    def __init__(self) -> None:
        self.seconds: dict[str, dict[str, float]] = {}

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Measure what happens inside."""
        wall, processor = time.perf_counter(), time.process_time()
        yield
        self.seconds[name] = {"processor": time.process_time() - processor, "wall": time.perf_counter() - wall}

    @contextmanager
    def more(self, name: str) -> Iterator[None]:
        """Add what happens inside to the piece of this name."""
        so_far = self.seconds.get(name, {"processor": 0.0, "wall": 0.0})
        with self.stage(name):
            yield
        self.seconds[name] = {kind: seconds + so_far[kind] for kind, seconds in self.seconds[name].items()}


def measure(name: str, threads: int, *, with_raptor: bool) -> dict[str, Any]:
    """One job in this process, from its files to its percentiles of travel time."""
    stages = Stages()
    stages.seconds["start"] = {"processor": time.process_time(), "wall": time.process_time()}
    with stages.stage("imports"):
        import numpy as np

        from community_routes.base.timings import peak_megabytes
        from community_routes.network.streets.streets import build_streets
        from community_routes.routing.query import Walks
        from community_routes.routing.search import needed_s
        from community_routes.routing.travel_times import WORTH_THINNING, percentile_times, travel_times_by_departure
        from workloads import WORKLOADS, some_of
    for kind in ("processor", "wall"):
        stages.seconds["start"][kind] += stages.seconds["imports"][kind]
    del stages.seconds["imports"]
    work = WORKLOADS[name]
    with stages.stage("read timetable"):
        feed = work.read_timetable()
    with stages.stage("read streets"):
        streets = work.read_streets()
    origins, destinations = work.places()
    with stages.stage("network"):
        ground = build_streets(streets)
        network = work.network(feed, ground)
        if destinations.n_places >= WORTH_THINNING:  # as the first search would do it; it hangs on the hours alone
            network.thinned_between(*needed_s(work.query))
    with stages.stage("walks"):
        walks = work.walks(feed, ground, origins=origins, destinations=destinations)
    with stages.stage("search"):
        times = percentile_times(network, work.query, walks, threads=threads)
    process_s, peak_mb = time.process_time(), peak_megabytes()
    with stages.stage("search again"):
        again = percentile_times(network, work.query, walks, threads=threads)
    assert np.array_equal(times, again)
    n_departures = len(work.query.departures_s)
    result: dict[str, Any] = {
        "stages": stages.seconds,
        "process_s": process_s,
        "peak_mb": peak_mb,
        "sizes": {
            "stops": len(feed.stops),
            "connections": len(network.connections),
            "footpaths": len(network.footpaths.to),
            "origins": origins.n_places,
            "destinations": destinations.n_places,
            "departures": n_departures,
        },
        "cells": origins.n_places * n_departures,
        "reached": float((times[len(times) // 2] < 2**31 - 1).mean()),
    }
    if with_raptor:
        rows = np.linspace(0, origins.n_places - 1, RAPTOR_ORIGINS).astype(int)
        few = Walks(some_of(walks.access, rows), walks.egress, some_of(walks.direct, rows))
        result["raptor"] = baseline(work, feed, network, few, travel_times_by_departure)
    return result


def baseline(work: Any, feed: Any, network: Any, walks: Any, search: Any) -> dict[str, Any]:
    """The textbook RAPTOR on a few origins: microseconds for one origin and departure, and whether the answers agree."""
    import numpy as np

    import raptor

    plain = replace(feed, trips=feed.trips.assign(block_id=""), transfers=feed.transfers.iloc[:0])
    changed = bool((feed.trips["block_id"] != "").any() or (feed.transfers["transfer_type"] != 0).any())
    routes = raptor.build_routes(plain, work.date)
    query, rows = work.query, np.arange(walks.n_origins)
    limits = {"slack_s": work.slack_s, "max_rides": query.max_rides, "max_travel_s": query.max_travel_s}
    given = (network.footpaths, walks.access, walks.egress, walks.direct)
    raptor.raptor_times(routes, *given, rows[:1], query.departures_s[:1], **limits)
    started = time.process_time()
    times = raptor.raptor_times(routes, *given, rows, query.departures_s, **limits)
    taken = time.process_time() - started
    result: dict[str, Any] = {"microseconds": taken / (len(rows) * len(query.departures_s)) * 1e6}
    if not changed:
        found = search(network, query, walks)
        result |= {"compared": int(times.size), "different": int(np.count_nonzero(times != found))}
    return result


def scale() -> list[dict[str, Any]]:
    """How the search on Porto Alegre grows: each line one change to the job."""
    import numpy as np

    from community_routes.network.streets.streets import build_streets
    from community_routes.routing.query import Walks
    from community_routes.routing.travel_times import percentile_times, travel_times_by_departure
    from workloads import PORTO_ALEGRE, only_to, some_of

    work = PORTO_ALEGRE
    feed, ground = work.read_timetable(), build_streets(work.read_streets())
    network = work.network(feed, ground)
    places = work.places()[0]
    walks = work.walks(feed, ground, origins=places, destinations=places)
    n, start = places.n_places, work.query.window_s[0]
    lines = []

    def add(what: str, query: Any, asked: Any, search: Any = percentile_times) -> None:
        search(network, query, asked)
        taken = []
        for _ in range(3):
            processor, wall = time.process_time(), time.perf_counter()
            search(network, query, asked)
            taken.append((time.process_time() - processor, time.perf_counter() - wall))
        processor_s, wall_s = statistics.median(t for t, _ in taken), statistics.median(t for _, t in taken)
        lines.append({"what": what, "processor": processor_s, "wall": wall_s})

    add("the job itself", work.query, walks)
    for share in (2, 4, 16):
        rows = np.arange(0, n, share)
        add(
            f"1/{share} of the origins",
            work.query,
            Walks(some_of(walks.access, rows), walks.egress, some_of(walks.direct, rows)),
        )
        few = Walks(walks.access, some_of(walks.egress, rows), only_to(walks.direct, rows, n))
        add(f"1/{share} of the destinations", work.query, few)
    for minutes in (1, 15, 30, 120):
        add(f"{minutes} departures", replace(work.query, window_s=(start, start + 60 * minutes)), walks)
    for rides in (1, 2, 4, 5):
        add(f"{rides} ride{'s' * (rides > 1)} at most", replace(work.query, max_rides=rides), walks)
    for minutes in (30, 60, 90):
        add(f"{minutes} minutes at most", replace(work.query, max_travel_s=60 * minutes), walks)
    add("arrive-by: 60 deadlines", replace(work.query, arrive_by=True), walks)
    add("every departure instead of percentiles", work.query, walks, travel_times_by_departure)
    one = Walks(some_of(walks.access, np.array([600])), walks.egress, some_of(walks.direct, np.array([600])))
    add("one origin to all, one departure", replace(work.query, window_s=(start, start + 60)), one)
    return lines


def run_apart(*arguments: str) -> Any:
    """This program in a process of its own."""
    return run_apart_from("bench_routing.py", *arguments)


def run_apart_from(program: str, *arguments: str) -> Any:
    """One of these programs in a process of its own; the last line it prints is JSON."""
    command = [sys.executable, str(HERE / program), *arguments]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    done = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", env=environment, check=False)
    if done.returncode:
        raise SystemExit(f"{' '.join(arguments)} failed:\n{done.stderr}")
    return json.loads(done.stdout.splitlines()[-1])


def median_run(name: str, threads: int, runs: int, *, with_raptor: bool) -> dict[str, Any]:
    """The median of every figure over some runs, after one that is not counted."""
    arguments = ["--child", name, "--threads", str(threads), *(["--raptor"] if with_raptor else [])]
    run_apart(*arguments)
    results = [run_apart(*arguments) for _ in range(runs)]

    def middle(values: list[Any]) -> Any:
        if isinstance(values[0], dict):
            return {key: middle([value[key] for value in values]) for key in values[0]}
        return statistics.median(values)

    return dict(middle(results))


def busy() -> float:
    """How many processes want a processor, over the last minutes; 0 where the system does not tell."""
    return os.getloadavg()[1] if hasattr(os, "getloadavg") else 0.0


def report(
    results: dict[tuple[str, int], dict[str, Any]], scaling: list[dict[str, Any]], runs: int, load: tuple[float, float]
) -> str:
    """The page of results."""
    from workloads import WORKLOADS

    lines = [
        "# What routing costs",
        "",
        f"Written by `benchmarks/bench_routing.py`: medians of {runs} runs, each in a process of its own, kernels in numba's",
        f"cache. {os.cpu_count()} processors ({platform.machine()}), Python {platform.python_version()}, {platform.system()}.",
        "Seconds of the processor, wall seconds in brackets. `routing` is walks and search together: all that depends on the",
        "window, the places or the limits. `network` holds what is found once for the hours of the window, whatever the places:",
        "for a thousand places or more also the changes without those that others make useless. `search again` is the search a",
        "second time in the same process.",
        "",
        f"Processes that wanted a processor (five-minute mean) when it began and ended: {load[0]:.1f} and {load[1]:.1f}.",
    ]
    if max(load) > 0.75 * (os.cpu_count() or 1):
        lines += [
            "So the machine was busy with other work: wall seconds mean little, and processor seconds are higher than on an",
            "idle machine, for caches are shared. The ratios to the textbook RAPTOR, measured in the same process, hold.",
        ]
    lines.append("")
    for name, work in WORKLOADS.items():
        own = {threads: result for (key, threads), result in results.items() if key == name}
        if own:
            lines += [f"## {work.title}", "", *_job(own), ""]
    if scaling:
        lines += [
            "## How the search grows (Porto Alegre, one thread)",
            "",
            "| | processor s | wall s |",
            "|---|---|---|",
        ]
        lines += [f"| {line['what']} | {line['processor']:.3f} | {line['wall']:.3f} |" for line in scaling]
        lines.append("")
    return "\n".join(lines)


def _job(own: dict[int, dict[str, Any]]) -> list[str]:
    one = own[min(own)]
    sizes = one["sizes"]
    lines = [
        f"{sizes['stops']:,.0f} stops, {sizes['connections']:,.0f} connections, {sizes['footpaths']:,.0f} footpaths; "
        f"{sizes['origins']:,.0f} origins x {sizes['destinations']:,.0f} destinations x {sizes['departures']:,.0f} "
        f"departures, {one['reached']:.0%} of the pairs reached at the median.",
        "",
        "| threads | " + " | ".join(STAGES) + " | routing | process | peak MB | search again |",
        "|---" * (len(STAGES) + 5) + "|",
    ]
    for threads, result in sorted(own.items()):
        cells = [_pair(result["stages"][stage]) for stage in STAGES]
        routing = {k: result["stages"]["walks"][k] + result["stages"]["search"][k] for k in ("processor", "wall")}
        cells += [_pair(routing), f"{result['process_s']:.2f}", f"{result['peak_mb']:.0f}"]
        lines.append(f"| {threads} | " + " | ".join(cells) + f" | {_pair(result['stages']['search again'])} |")
    if "raptor" in one:
        lines += ["", *_ratio(one)]
    return lines


def _ratio(one: dict[str, Any]) -> list[str]:
    raptor = one["raptor"]
    search = one["stages"]["search again"]["processor"] / one["cells"] * 1e6
    routing = (one["stages"]["walks"]["processor"] + one["stages"]["search"]["processor"]) / one["cells"] * 1e6
    lines = [
        f"For one origin and departure: textbook RAPTOR {raptor['microseconds']:,.0f} microseconds, the search "
        f"{search:.1f} ({raptor['microseconds'] / search:.0f} times faster), routing with all walks {routing:.1f} "
        f"({raptor['microseconds'] / routing:.0f} times)."
    ]
    if "compared" in raptor:
        lines.append(f"Of {raptor['compared']:,.0f} travel times of both, {raptor['different']:,.0f} differ.")
    else:
        lines.append("The textbook knows neither blocks nor transfers.txt, so it was given the feed without them.")
    return lines


def _pair(seconds: dict[str, float]) -> str:
    return f"{seconds['processor']:.2f} ({seconds['wall']:.2f})"


def main() -> None:
    """Measure and write, or be one of the measured processes."""
    sys.path.insert(0, str(HERE))
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    options.add_argument("--runs", type=int, default=3)
    options.add_argument("--only", nargs="*")
    options.add_argument("--child")
    options.add_argument("--threads", type=int, default=1)
    options.add_argument("--raptor", action="store_true")
    options.add_argument("--scale", action="store_true")
    options.add_argument("--out", type=Path)
    chosen = options.parse_args()
    if chosen.child:
        print(json.dumps(measure(chosen.child, chosen.threads, with_raptor=chosen.raptor)))
        return
    if chosen.scale:
        print(json.dumps(scale()))
        return
    from workloads import WORKLOADS

    results, began = {}, busy()
    for name, work in WORKLOADS.items():
        if (chosen.only and name not in chosen.only) or not work.folder.is_dir():
            print(f"{name}: left out" + ("" if work.folder.is_dir() else f", there is no {work.folder.name} folder"))
            continue
        for threads in (1, 2):
            results[name, threads] = median_run(name, threads, chosen.runs, with_raptor=threads == 1)
            print(f"{name}, {threads} thread{'s' * (threads > 1)}: {results[name, threads]['process_s']:.2f} s")
    scaling = run_apart("--scale") if any(name == "porto_alegre" for name, _ in results) else []
    page = report(results, scaling, chosen.runs, (began, busy()))
    if chosen.only and not chosen.out:  # a part of the page must not take the place of the whole
        print(page)
        return
    out = chosen.out or HERE / "RESULTS.md"
    out.write_text(page, encoding="utf-8")
    print(out)


if __name__ == "__main__":
    main()
