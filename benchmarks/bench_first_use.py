"""Measures what somebody waits for who starts the program: help, import, the first job; writes benchmarks/FIRST_USE.md.

    python benchmarks/bench_first_use.py [--runs 3]

The first job is ``demo`` with empty caches of kernels and of files, against the same with full ones. The baseline of
the same run is ``python -c pass``. Bytecode is there, as an installation leaves it.
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from pages import busy, conditions, median, write_page

HERE = Path(__file__).resolve().parent
CLI = [sys.executable, "-m", "community_routes.cli"]


def seconds(command: list[str], **environment: str) -> tuple[float, float]:
    """Processor seconds (of all its children too) and wall seconds of a command."""
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, env={**os.environ, **environment})
    after, ended = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, ended - began


def main() -> None:
    """Measure and write."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    options.add_argument("--runs", type=int, default=3)
    options.add_argument("--out", type=Path, default=HERE / "FIRST_USE.md")
    chosen = options.parse_args()
    began = busy()
    rows: dict[str, list[tuple[float, float]]] = {}
    starts = {
        "`python -c pass`": [sys.executable, "-c", "pass"],
        "`import community_routes`": [sys.executable, "-c", "import community_routes"],
        "`community-routes --help`": [*CLI, "--help"],
        "`community-routes run --help`": [*CLI, "run", "--help"],
        "completion of `community-routes ma`": [str(Path(sys.executable).parent / "community-routes")],
        "`community-routes check data/study.yaml`": [
            *CLI,
            "check",
            str(HERE.parent / "data" / "study.yaml"),
            "--quiet",
        ],
    }
    completion = {"_COMMUNITY_ROUTES_COMPLETE": "complete_bash", "COMP_WORDS": "community-routes ma", "COMP_CWORD": "1"}
    subprocess.run([sys.executable, "-m", "compileall", "-q", str(HERE.parent / "src")], check=True)
    for name, command in starts.items():
        asked = completion if name.startswith("completion") else {}
        seconds(command, **asked)
        rows[name] = [seconds(command, **asked) for _ in range(chosen.runs)]
    for _ in range(chosen.runs):
        with tempfile.TemporaryDirectory() as place:
            caches = {"NUMBA_CACHE_DIR": f"{place}/kernels", "XDG_CACHE_HOME": f"{place}/cache"}
            demo = [*CLI, "demo", "--out", f"{place}/out", "--quiet"]
            rows.setdefault("`community-routes demo`, empty caches", []).append(seconds(demo, **caches))
            rows.setdefault("`community-routes demo`, the second time", []).append(seconds(demo, **caches))
    base = median([processor for processor, _ in rows["`python -c pass`"]])
    lines = [
        conditions(chosen.runs, (began, busy())),
        "",
        "| | processor s | wall s | ratio to `python -c pass` |",
        "|---|---|---|---|",
    ]
    for name, found in rows.items():
        processor, wall = (median([run[part] for run in found]) for part in (0, 1))
        lines.append(f"| {name} | {processor:.2f} | {wall:.2f} | {processor / base:.0f} |")
    head = [
        "# What the first use costs",
        "",
        "Written by `benchmarks/bench_first_use.py`: processes as a user starts them.",
    ]
    write_page(chosen.out, head, {"Starting, and the first job": lines})


if __name__ == "__main__":
    main()
