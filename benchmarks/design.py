"""Runs the search of `optimise` on the field's own instances of route design, and writes benchmarks/DESIGN.md.

    python benchmarks/design.py [--only mandl mumford0] [--seed 1] [--minutes 60]

One process after the other, one core each. A section is written when its instance is done; those that were not run stay as
they are. The data are looked for beside the project (../shared/data/network_design); without them nothing is measured.
"""

from __future__ import annotations

import argparse
import csv
import math
import subprocess
import sys
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from community_routes.planning.search import Effort, Found, Point, Standing, search
from pages import busy, conditions, write_page
from route_sets import Route, Routes, Short, faults, read_instance

HERE = Path(__file__).resolve().parent
DATA = HERE.parents[1] / "shared" / "data" / "network_design"


@dataclass(frozen=True)
class Told:
    """An instance, its rules, what is known of it, and how much is tried.

    ``passenger`` and ``operator`` are the best known pairs of mean minutes and length. The starts are those of the search at
    the passengers' end, at the operator's, and at each budget between them.
    """

    title: str
    files: str
    routes: int
    fewest: int
    most: int
    passenger: tuple[float, float]
    operator: tuple[float, float]
    bar: float
    starts: tuple[int, int, int]
    budgets: int = 16
    swaps: int = 500


INSTANCES = {
    "mandl": Told("Mandl", "mandl1", 6, 2, 8, (10.18, 212), (13.48, 63), 10.21, (800, 100, 20), 40, 5000),
    "mumford0": Told("Mumford0", "mumford0", 12, 2, 15, (14.09, 722), (26.32, 94), 14.09 * 1.03, (60, 30, 8)),
    "mumford1": Told("Mumford1", "mumford1", 15, 10, 30, (21.69, 1956), (39.45, 408), 21.69 * 1.03, (12, 10, 2)),
    "mumford2": Told("Mumford2", "mumford2", 56, 10, 22, (25.19, 5257), (46.86, 1330), 25.19 * 1.03, (3, 3, 0), 8),
    "mumford3": Told("Mumford3", "mumford3", 60, 12, 25, (28.05, 6119), (46.05, 1746), 28.05 * 1.03, (3, 3, 0), 8),
}
EFFORT = Effort(nodes=0)
"""No branches: its candidates are not all routes there are, so that what is ruled out among them would say nothing."""


@dataclass(frozen=True)
class Ended:
    """A run: sets that no other is better than in both respects (mean minutes, length), and what it took."""

    front: list[tuple[float, float, tuple[Route, ...]]]
    evaluations: int
    processor_s: dict[str, float]
    cut: list[str]


def best_only(points: Iterable[tuple[float, float, tuple[Route, ...]]]) -> list[tuple[float, float, tuple[Route, ...]]]:
    """The points that no other is as good as in both respects, shortest first."""
    kept: list[tuple[float, float, tuple[Route, ...]]] = []
    for point in sorted(points, key=lambda point: (point[1], point[0])):
        if not kept or point[0] < kept[-1][0]:
            kept.append(point)
    return kept


def hypervolume(front: Iterable[tuple[float, float]], worst: tuple[float, float]) -> float:
    """The area that is worse than some point of the front and better than the worst."""
    area, above = 0.0, worst[0]
    for mean, length in sorted(front, key=lambda point: point[1]):
        if mean < above and length < worst[1]:
            area += (above - mean) * (worst[1] - length)
            above = mean
    return area


def run(told: Told, seed: int, minutes: float) -> Ended:
    """Both ends, then budgets between them, each from the set of the budget before; cut at its share of the minutes."""
    instance = read_instance(DATA, told.files, told.routes, told.fewest, told.most)
    problem = Routes(instance, paths=3 if instance.n <= 30 else 1, seed=seed)
    points: list[tuple[float, float, tuple[Route, ...]]] = []
    processor_s: dict[str, float] = {}
    cut: list[str] = []
    evaluations = 0

    def whole(chosen: Sequence[Route]) -> tuple[Route, ...]:
        """The set with the shortest routes added that it may still have."""
        more = sorted((route for route in problem.pool if route not in chosen), key=problem.length)
        return (*chosen, *more[: told.routes - len(chosen)])

    def look(
        what: str, asked: Routes, budget: float, starts: int, share: float, given: Sequence[frozenset[Route]] = ()
    ) -> Found[Route]:
        nonlocal evaluations
        began = time.process_time()

        def stop() -> bool:
            return time.process_time() - began > share * minutes * 60

        found = search(
            asked,
            budget,
            seed=seed,
            effort=replace(EFFORT, starts=starts),
            starts=given,
            stop=stop,
            progress=Line(what),
        )
        evaluations += found.evaluations
        processor_s[what] = processor_s.get(what, 0.0) + time.process_time() - began
        if not found.finished and what not in cut:
            cut.append(what)
        points.extend(valued(found.frontier))
        return found

    def valued(frontier: Iterable[Point[Route]]) -> list[tuple[float, float, tuple[Route, ...]]]:
        rows = []
        for point in frontier:
            chosen = whole(point.chosen)
            mean, cut_off = problem.times(frozenset(chosen))
            if cut_off == 0.0:
                rows.append((mean, sum(map(problem.length, chosen)), chosen))
        return best_only(rows)

    quickest = look("the passengers' end", problem, math.inf, told.starts[0], 0.5)
    shortest = look("the operator's end", Short(instance, paths=1, seed=seed), math.inf, told.starts[1], 0.1)
    given = [frozenset(shortest.best.chosen)]
    low, high = shortest.best.cost, quickest.best.cost
    for step in range(told.budgets):
        budget = round(low * (high / low) ** (step / told.budgets))
        found = look("between", problem, budget, told.starts[2], 0.4 / told.budgets, given)
        given = [frozenset(found.best.chosen)]
    front = best_only(points)
    for _, _, chosen in front:
        wrong = faults(instance, chosen)
        if wrong:
            raise AssertionError(wrong)
    return Ended(front, evaluations, processor_s, cut)


class Line:
    """Progress on one line of the terminal for every minute."""

    def __init__(self, what: str) -> None:
        self.what, self.told = what, time.monotonic()

    def __call__(self, at: Standing) -> None:
        if time.monotonic() - self.told > 60:
            self.told = time.monotonic()
            print(
                f"{self.what}: {-at.value:.3f} for {at.cost:.0f} after {at.evaluations:,}, {at.doing}",
                file=sys.stderr,
                flush=True,
            )


def published(name: str) -> list[tuple[float, float]]:
    """The front of John 2016."""
    with (DATA / "published_front_john2016.csv").open(encoding="utf-8") as file:
        rows = csv.DictReader(file)
        return [(float(row["att_min"]), float(row["trt_min"])) for row in rows if row["instance"] == name]


def section(name: str, told: Told, ended: Ended, seed: int, load: tuple[float, float]) -> list[str]:
    """What the page says of one instance."""
    theirs = published(name)
    worst = (1.1 * max(mean for mean, _ in theirs), 1.1 * max(length for _, length in theirs))
    ours = [(mean, length) for mean, length, _ in ended.front]
    areas = hypervolume(ours, worst), hypervolume(theirs, worst)
    by_length, by_mean = ended.front[0], ended.front[-1]
    beaten = sum(any(a <= mean + 1e-3 and b <= length for a, b in ours) for mean, length in theirs)
    took = "; ".join(f"{what} {seconds / 60:.1f}" for what, seconds in ended.processor_s.items())
    lines = [
        f"{told.routes} routes of {told.fewest} to {told.most} nodes; seed {seed}.",
        "",
        "| end | found: minutes / length | best known | minutes against it | length against it |",
        "|---|---|---|---|---|",
    ]
    for end, point, known in (("passengers", by_mean, told.passenger), ("operator", by_length, told.operator)):
        lines.append(
            f"| {end} | **{point[0]:.3f}** / **{point[1]:.0f}** | {known[0]:.2f} / {known[1]:,} "
            f"| {100 * (point[0] / known[0] - 1):+.1f} % | {100 * (point[1] / known[1] - 1):+.1f} % |"
        )
    lines += [
        "",
        f"Bar at the passengers' end: {told.bar:.2f}, {'met' if by_mean[0] <= told.bar else 'MISSED'}. "
        f"Front: {len(ours)} sets; of the {len(theirs)} published ones {beaten} are matched or beaten in both respects. "
        f"Hypervolume **{areas[0]:,.0f}** against "
        f"{areas[1]:,.0f} ({areas[0] / areas[1]:.3f} of it), from the point {worst[0]:.2f} min / {worst[1]:,.0f}.",
        "",
        f"{ended.evaluations:,} evaluations in {sum(ended.processor_s.values()) / 60:.1f} processor minutes ({took}). "
        + (f"Cut by its time: {', '.join(ended.cut)}. " if ended.cut else "Every search ended by itself. ")
        + conditions(1, load).replace("Medians of 1 runs", "One run"),
        "",
        "| minutes | length |",
        "|---|---|",
    ]
    some = sorted({round(i * (len(ours) - 1) / 11) for i in range(12)})
    lines += [f"| {ours[i][0]:.3f} | {ours[i][1]:.0f} |" for i in some]
    for end, point in (("passengers", by_mean), ("operator", by_length)):
        rows = ["-".join(str(node + 1) for node in route) for route in sorted(point[2])]
        lines += [
            "",
            f"<details><summary>Routes at the end of the {end}</summary>",
            "",
            "```",
            *rows,
            "```",
            "",
            "</details>",
        ]
    return lines


HEAD = [
    "# The search on the field's instances of route design",
    "",
    "Written by `benchmarks/design.py`. The search of `community-routes optimise` (`planning/search.py`) on other",
    "candidates: routes over a graph, their variants, and the field's objective. Everyone takes the quickest way over the",
    "routes, minutes in the vehicle plus 5 for each transfer; length is the sum over routes, one way. Nothing of this",
    "benchmark is in the package.",
    "",
    "Instances: Mandl 1980 and Mumford 2013. Best known pairs: Ahmed 2019 and John 2014 for Mandl, as collected with the",
    "data for the others; published fronts: John 2016. The evaluator gives the published figures of five sets for Mandl",
    "(`tests/planning/test_route_sets.py`), and equals a search over a graph of vehicles on random sets.",
]


def main() -> None:
    """Run the instances one after the other and write the page, or be one of those runs."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    options.add_argument("--only", nargs="*", choices=INSTANCES, default=list(INSTANCES))
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--minutes", type=float, default=60.0)
    options.add_argument("--out", type=Path, default=HERE / "DESIGN.md")
    options.add_argument("--child", action="store_true")
    chosen = options.parse_args()
    if not DATA.is_dir():
        print(f"skipped: the instances are not beside the project ({DATA.relative_to(HERE.parents[1])})")
        return
    for name in chosen.only:
        if not chosen.child:
            arguments = [
                "--only",
                name,
                "--seed",
                str(chosen.seed),
                "--minutes",
                str(chosen.minutes),
                "--out",
                str(chosen.out),
            ]
            subprocess.run([sys.executable, __file__, "--child", *arguments], check=True)
            continue
        before = busy()
        ended = run(INSTANCES[name], chosen.seed, chosen.minutes)
        told = INSTANCES[name]
        write_page(chosen.out, HEAD, {told.title: section(name, told, ended, chosen.seed, (before, busy()))})


if __name__ == "__main__":
    main()
