"""Measures the main job as a user starts it, by stage, and writes benchmarks/JOB.md.

    python benchmarks/bench_job.py [--runs 3] [--only sample newport porto_alegre headline]

Each run is a process of ``community-routes run`` with its report and maps; one run before, which compiles and fills the
cache, is not counted. Processor seconds are the measure. The baseline of the same run is the plain way to its tables: pandas
reads every table that the job wrote and writes it again.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import pandas as pd

from pages import busy, conditions, median, write_page

HERE = Path(__file__).resolve().parent
PROJECT = HERE.parent
SHARED = PROJECT.parent / "shared" / "data"
NEWPORT = PROJECT / "tests" / "acceptance" / "newport"
STAGES = ("read", "network", "routing", "measures", "compare", "report", "compile", "other")

HEADLINE = """
measures: [cumulative_opportunities, nearest]
"""


def newport(_: Path) -> list[str]:
    """Five proposals, two windows, three shifts, fares with two budgets."""
    return [str(NEWPORT / "study.yaml"), *map(str, sorted((NEWPORT / "scenarios").glob("*.yaml")))]


def sample(_: Path) -> list[str]:
    """Five proposals, three days, three windows, fares with two budgets."""
    return [str(PROJECT / "data" / "study.yaml"), *map(str, sorted((PROJECT / "scenarios").glob("*.yaml")))]


def headline(folder: Path) -> list[str]:
    """The morning peak, opportunities within a time and the nearest place, no fares."""
    text = (NEWPORT / "study.yaml").read_text("utf-8").replace("../../../../shared", str(SHARED.parent))
    known = ("study", "title", "service_date", "streets", "timetables", "neighbourhoods", "destinations")
    parts, keep = [], False
    for line in text.splitlines():
        if line and not line[0].isspace() and not line.startswith("#"):
            keep = line.partition(":")[0] in known
        parts += [line] if keep else []
    path = folder / "headline.yaml"
    path.write_text("\n".join(parts) + HEADLINE + "travel: {windows: {morning_peak: 07:00-09:00}}\n", "utf-8")
    return [str(path)]


def porto_alegre(folder: Path) -> list[str]:
    """Bus and rail, one window of 60 departures, no fares."""
    data = SHARED / "porto_alegre"
    grid = pd.read_csv(data / "poa_hexgrid.csv")
    grid[grid["population"] > 0].sort_values("id").iloc[:300].to_csv(folder / "grid.csv", index=False)
    (folder / "porto.yaml").write_text(
        f"""study: porto
service_date: 2019-05-13
streets: {{osm: {data / "poa_osm.pbf"}}}
timetables: [{data / "poa_eptc.zip"}, {data / "poa_trensurb.zip"}]
neighbourhoods:
  {{file: grid.csv, id: id, lon: lon, lat: lat, population: {{file: grid.csv, id: id, column: population}}}}
destinations:
  employment: {{file: grid.csv, id: id, lon: lon, lat: lat, amount: jobs}}
travel: {{windows: {{afternoon: 14:00-15:00}}}}
""",
        "utf-8",
    )
    return [str(folder / "porto.yaml")]


JOBS = {
    "newport": ("Newport, five proposals", newport, "newport_wales"),
    "sample": ("The sample borough, five proposals", sample, None),
    "headline": ("Newport, one window with headline measures, no proposal", headline, "newport_wales"),
    "porto_alegre": (
        "Porto Alegre, 300 hexagons as neighbourhoods and places, no proposal",
        porto_alegre,
        "porto_alegre",
    ),
}


def measure(arguments: list[str], folder: Path, runs: int) -> list[dict[str, Any]]:
    """Seconds and megabytes by stage of each counted run, with those of the baseline."""
    found = []
    for number in range(runs + 1):
        out, timings = folder / "out", folder / "timings.json"
        command = [sys.executable, "-m", "community_routes.cli", "run", *arguments, "--out", str(out), "--quiet"]
        subprocess.run([*command, "--timings", str(timings)], check=True, stdout=subprocess.DEVNULL)
        if number:
            stages = json.loads(timings.read_text("utf-8"))
            found.append({"stages": stages, "plain": plain_tables(out, folder / "again.csv")})
    return found


def plain_tables(out: Path, again: Path) -> float:
    """Processor seconds of pandas for reading all tables of a job and writing them again."""
    began = time.process_time()
    for path in sorted(out.glob("*.csv")):
        pd.read_csv(path).to_csv(again, index=False)
    for path in sorted(out.glob("*.parquet")):
        pd.read_parquet(path).to_parquet(again)
    return time.process_time() - began


def section(found: list[dict[str, Any]], words: str, how: str) -> list[str]:
    """The lines of one job."""
    seconds = {stage: median([run["stages"][stage]["processor_s"] for run in found]) for stage in STAGES}
    whole = median([sum(run["stages"][stage]["processor_s"] for stage in STAGES) for run in found])
    wall = median([sum(run["stages"][stage]["wall_s"] for stage in STAGES) for run in found])
    peak = median([max(run["stages"][stage]["peak_mb"] for stage in STAGES) for run in found])
    plain = median([run["plain"] for run in found])
    searches = found[0]["stages"]["searches"]["windows"]
    return [
        f"{words} {how}",
        "",
        "| whole | " + " | ".join(STAGES) + " | wall | peak MB | searches | pandas, tables alone | ratio |",
        "|---" * (len(STAGES) + 6) + "|",
        f"| **{whole:.1f}** | " + " | ".join(f"{seconds[stage]:.1f}" for stage in STAGES)
        + f" | {wall:.1f} | {peak:.0f} | {searches} | {plain:.1f} | {whole / plain:.1f} |",
    ]  # fmt: skip


def main() -> None:
    """Measure and write."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    options.add_argument("--runs", type=int, default=3)
    options.add_argument("--only", nargs="*", choices=list(JOBS))
    options.add_argument("--out", type=Path, default=HERE / "JOB.md")
    chosen = options.parse_args()
    sections = {}
    for name, (title, job, data) in JOBS.items():
        if (chosen.only and name not in chosen.only) or (data and not (SHARED / data).is_dir()):
            print(f"{name}: left out")
            continue
        with tempfile.TemporaryDirectory() as place:
            began = busy()
            found = measure(job(Path(place)), Path(place), chosen.runs)
            how = conditions(chosen.runs, (began, busy()))
            sections[title] = section(found, (job.__doc__ or "").splitlines()[0], how)
        print(f"{name}: done")
    head = [
        "# What the main job costs",
        "",
        "Written by `benchmarks/bench_job.py`: `community-routes run` with its report, tables and maps, as a user starts it, in",
        "processor seconds by stage. The baseline is pandas reading every table that the job wrote and writing it again.",
    ]
    write_page(chosen.out, head, sections)


if __name__ == "__main__":
    main()
