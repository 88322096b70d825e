"""Measures what one more proposal costs, from its file to its comparison, and writes benchmarks/SCENARIOS.md.

    python benchmarks/bench_scenarios.py [--runs 3] [--only sample newport]

One process for each study: the study is read, today is evaluated, and every proposal once without being counted. Then each
is read, applied, evaluated and compared anew, ``--runs`` times in turn; the median counts. Nothing is kept on disk between
them (no cache), and no report is written. Processor seconds are the measure; wall seconds are of an idle machine only.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import platform
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
PROJECT = HERE.parent
NEWPORT = PROJECT / "tests" / "acceptance" / "newport"
STUDIES = {
    "newport": ("Newport: bus and rail, two windows, three shifts, fares with two budgets", NEWPORT / "study.yaml"),
    "sample": (
        "The sample borough: three days, three windows, fares with two budgets",
        PROJECT / "data" / "study.yaml",
    ),
}
DATA = {"newport": PROJECT.parent / "shared" / "data" / "newport_wales", "sample": PROJECT / "data"}
SCENARIOS = {"newport": NEWPORT / "scenarios", "sample": PROJECT / "scenarios"}


def measure(name: str, runs: int) -> dict[str, Any]:
    """All proposals of a study, one after the other and side by side."""
    from community_routes.base.timings import Stopwatch, peak_megabytes
    from community_routes.evaluation.case import open_study
    from community_routes.evaluation.evaluate import Evaluation, evaluate, evaluate_all
    from community_routes.evaluation.proposals import read_scenarios
    from community_routes.evaluation.results import compare
    from community_routes.routing.runner import Runner

    study = open_study(STUDIES[name][1])
    today = evaluate(study)
    files = sorted(SCENARIOS[name].glob("*.yaml"))

    def one(path: Path, base: Evaluation | None) -> dict[str, Any]:
        told: list[str] = []
        watch = Stopwatch()
        began = time.process_time()
        with watch.stage("read"):
            (scenario,) = read_scenarios([path], study)
        found = evaluate(study, scenario, base=base, stopwatch=watch, progress=told.append)
        with watch.stage("compare"):
            comparison = compare(today, found)
            rows = len(comparison.comparison) + len(comparison.groups)
        parts = [
            text.split("(")[0].removeprefix("searching ").strip() for text in told if text.startswith("searching ")
        ]
        return {
            "processor": time.process_time() - began,
            "stages": {stage: row[1] for stage, row in watch.seconds.items()},
            "searched": len(parts),
            "rows": rows,
            "bytes": hashlib.sha256(found.access.to_csv(index=False).encode()).hexdigest(),
        }

    for path in files:
        one(path, today)
    alone: dict[str, list[dict[str, Any]]] = {path.stem: [] for path in files}
    anew: dict[str, list[dict[str, Any]]] = {path.stem: [] for path in files}
    for _ in range(runs):
        for path in files:
            alone[path.stem].append(one(path, today))
            anew[path.stem].append(one(path, None))
    beside = {}
    for threads in (1, 2):
        times = []
        for _ in range(runs):
            plans = read_scenarios(files, study)
            wall, processor = time.perf_counter(), time.process_time()
            evaluate_all([today.case.with_scenario(plan) for plan in plans], today, Runner(threads))
            times.append((time.process_time() - processor, time.perf_counter() - wall))
        beside[str(threads)] = [statistics.median(column) for column in zip(*times, strict=True)]
    shifts = today.further["shifts"][["day", "shift"]].drop_duplicates() if "shifts" in today.further else ()
    everything = len(today.median_s) + len(shifts)
    same = all(a["bytes"] == b["bytes"] for stem in alone for a, b in zip(alone[stem], anew[stem], strict=True))
    return {
        "alone": alone, "anew": anew, "beside": beside, "parts": everything, "same": same, "peak_mb": peak_megabytes(),
    }  # fmt: skip


def _median(rows: list[dict[str, Any]], value: str) -> float:
    return statistics.median(row[value] for row in rows)


def _table(result: dict[str, Any]) -> list[str]:
    stages = ("read", "network", "routing", "measures", "compare")
    lines = [
        "| proposal | searched again | processor s | " + " | ".join(stages) + " | nothing taken over |",
        "|---" * (len(stages) + 4) + "|",
    ]
    for stem, rows in result["alone"].items():
        each = [f"{statistics.median(row['stages'].get(stage, 0.0) for row in rows):.2f}" for stage in stages]
        lines.append(
            f"| {stem} | {rows[0]['searched']} of {result['parts']} | **{_median(rows, 'processor'):.2f}** | "
            + " | ".join(each)
            + f" | {_median(result['anew'][stem], 'processor'):.2f} |"
        )
    n = len(result["alone"])
    told = "; ".join(
        f"{threads} thread{'s' * (threads != '1')}: {processor:.1f} s of the processor, {wall:.1f} s on the wall"
        for threads, (processor, wall) in result["beside"].items()
    )
    said = "Every table of the two ways is the same, byte by byte." if result["same"] else "THE TWO WAYS DIFFER."
    lines += [
        "",
        f"{said} All {n} together, without comparing: {told}. Peak of the process {result['peak_mb']:.0f} MB.",
    ]
    return lines


def report(results: dict[str, dict[str, Any]], runs: int, load: tuple[float, float]) -> str:
    """The page."""
    lines = [
        "# What one more proposal costs",
        "",
        f"Written by `benchmarks/bench_scenarios.py`: medians of {runs} runs in one warm process, no cache, one thread unless",
        f"stated. {os.cpu_count()} processors ({platform.machine()}), Python {platform.python_version()}, {platform.system()}.",
        "From the proposal's file to its comparison with today (tables of zones and of groups), without a report. *Searched",
        "again* are the windows and shifts in whose hours the proposal changes anything that a search reads; the others are",
        "taken over from today. The last column is the same without taking anything over.",
        "",
        f"Processes that wanted a processor (five-minute mean) when it began and ended: {load[0]:.1f} and {load[1]:.1f}."
        + (" The machine was busy, so processor seconds are higher than on an idle one." if max(load) > 1.5 else ""),
        "",
    ]
    for name, result in results.items():
        lines += [f"## {STUDIES[name][0]}", "", *_table(result), ""]
    return "\n".join(lines)


def busy() -> float:
    """Five-minute mean of processes that want a processor; 0 where the system does not tell."""
    return os.getloadavg()[1] if hasattr(os, "getloadavg") else 0.0


def main() -> None:
    """Measure and write, or be one of the measured processes."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    options.add_argument("--runs", type=int, default=3)
    options.add_argument("--only", nargs="*")
    options.add_argument("--child")
    options.add_argument("--out", type=Path, default=HERE / "SCENARIOS.md")
    chosen = options.parse_args()
    if chosen.child:
        print(json.dumps(measure(chosen.child, chosen.runs)))
        return
    results, began = {}, busy()
    for name in STUDIES:
        if (chosen.only and name not in chosen.only) or not DATA[name].is_dir():
            print(f"{name}: left out" + ("" if DATA[name].is_dir() else f", there is no {DATA[name].name} folder"))
            continue
        command = [sys.executable, str(HERE / "bench_scenarios.py"), "--child", name, "--runs", str(chosen.runs)]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        results[name] = json.loads(done.stdout.splitlines()[-1])
        print(f"{name}: done")
    chosen.out.write_text(report(results, chosen.runs, (began, busy())), encoding="utf-8")
    print(chosen.out)


if __name__ == "__main__":
    main()
