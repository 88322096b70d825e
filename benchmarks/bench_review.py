"""Measures a review of a whole network and how often a second a set of proposals is valued, and writes benchmarks/REVIEW.md.

    python benchmarks/bench_review.py [--processes 2]

Newport: every route, and every route in every period, taken away by itself; and the proposals of the acceptance tests, valued by
the headline figure one by one and together.
"""

from __future__ import annotations

import argparse
import os
import time
from itertools import combinations
from pathlib import Path

import community_routes as cr
from community_routes.answers.trials import Trials
from pages import busy, conditions, median, write_page

HERE = Path(__file__).resolve().parent
NEWPORT = HERE.parent / "tests" / "acceptance" / "newport"
N_VALUES = 200


def main() -> None:
    """Measure and write."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    options.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    options.add_argument("--out", type=Path, default=HERE / "REVIEW.md")
    chosen = options.parse_args()
    study, load = cr.open_study(NEWPORT / "study.yaml"), busy()
    began = time.perf_counter(), os.times()
    found = cr.review(study, threads=chosen.processes)
    wall_s, ended = time.perf_counter() - began[0], os.times()
    # Of this process and of those that it split off.
    processor_s = sum(ended[:4]) - sum(began[1][:4])

    live = cr.live(study)
    trials = Trials(live)
    scenarios = cr.read_scenarios(sorted((NEWPORT / "scenarios").glob("*.yaml")), study)
    began_s = time.process_time()
    patches = [trials.patch(scenario) for scenario in scenarios]
    patch_s = (time.process_time() - began_s) / len(patches)
    sets = [some for size in (1, 2) for some in combinations(patches, size) if trials.together(some)]
    sets = [some for some in sets if any(len(p.difference.gone) or p.difference.added for p in some if p.difference)]
    for some in sets:
        trials.value(some)  # compiles, or loads what is compiled
    seconds = []
    for number in range(N_VALUES):
        began_s = time.process_time()
        trials.value(sets[number % len(sets)])
        seconds.append(time.process_time() - began_s)
    head = [
        "# A review of a whole network, and values of sets of proposals",
        "",
        "Written by `benchmarks/bench_review.py`: wall seconds of `review` after the study is read, with processor seconds of",
        "all its processes; processor seconds of one value (`Trials.value`) of one or two proposals in the headline figure.",
    ]
    body = [
        conditions(1, (load, busy())),
        "",
        "| services | rows | processes | wall | processor |",
        "|---|---|---|---|---|",
        f"| {len(found.services):,} | {len(found.table):,} | {chosen.processes} | **{wall_s:.0f}** | {processor_s:.0f} |",
        "",
        "| a proposal worked out | a value, median | values a second |",
        "|---|---|---|",
        f"| {patch_s:.3f} | {median(seconds):.4f} | **{1 / median(seconds):.0f}** |",
    ]
    write_page(chosen.out, head, {"Newport": body})


if __name__ == "__main__":
    main()
