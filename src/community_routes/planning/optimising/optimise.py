"""The best set of changes to the services of a study within a year's budget, and how far it can be from the best of all."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from textwrap import wrap

import numpy as np
import pandas as pd

from community_routes.answers.answer import Answer
from community_routes.base.errors import UsageError, as_path
from community_routes.base.files import RUN_FILE, new_folder
from community_routes.base.timings import Stopwatch
from community_routes.base.version import __version__
from community_routes.evaluation.case import Study
from community_routes.evaluation.results import printed_settings, run_record
from community_routes.planning.optimising.aim import Aim, Objective
from community_routes.planning.optimising.candidates import CUTS, FILES, KINDS, Candidate, Timetabled, routes_near
from community_routes.planning.optimising.design import OPTIMISED, Design, composed
from community_routes.planning.optimising.journal import Journal
from community_routes.planning.optimising.limits import Budget, Floors
from community_routes.planning.optimising.outcome import (
    CANDIDATES_COLUMNS,
    CHANGES_COLUMNS,
    FRONTIER_COLUMNS,
    Kept,
    Outcome,
)
from community_routes.planning.optimising.own import own_candidates
from community_routes.planning.optimising.page import optimise_html
from community_routes.planning.optimising.reaching import Reaching
from community_routes.planning.search import Effort, Found, Point, Standing, search
from community_routes.report import words
from community_routes.report.cells import csv_text, publish
from community_routes.routing.runner import Runner

_SHARES = (0.25, 0.5, 0.75)
"""Parts of the budget for which the best set is written as well."""
_NEARLY = 3
_MOST = 400
"""Candidates that are searched; of more, the most promising."""
_SWAPS = 2_000
"""Exchanges that are tried in one go, the most promising first."""
_MINUTE_S = 60.0


@dataclass(frozen=True)
class Among:
    """What may be chosen.

    Attributes
    ----------
    routes : tuple of str
        Only changes of these routes, by number or id; all near the study's neighbourhoods when left out.
    kinds : tuple of str
        Of ``headways``, ``spans``, ``sunday``, ``extensions``, ``links`` and ``cuts``; all that add service when left out, and
        cuts as well where the budget is 0.
    files : tuple of path
        Scenario files of the planner's own, each one candidate; with ``kinds=()`` nothing else.
    """

    routes: tuple[str, ...] = ()
    kinds: tuple[str, ...] | None = None
    files: tuple[str | Path, ...] = ()

    def kinds_for(self, budget: Budget) -> tuple[str, ...]:
        """The kinds that are looked for.

        Raises
        ------
        UsageError
            There is no such kind.
        """
        if self.kinds is None:
            return (*KINDS, CUTS) if budget.amount == 0 else KINDS
        known = (*KINDS, CUTS)
        for kind in self.kinds:
            if kind not in known:
                raise UsageError(f"there is no kind of change {kind!r}; there are {', '.join(known)}")
        return self.kinds


@dataclass(frozen=True)
class Searching:
    """How long and how it is searched; all but ``minutes`` and ``seed`` changes no byte of what comes out.

    Attributes
    ----------
    minutes : float or None
        The search is cut short after so many; it ends by itself when left out.
    seed : int
        Of the search's several starts.
    kept_in : Path or None
        A file in which the search is kept as it goes: one that was killed goes on from there.
    runner : Runner
    """

    minutes: float | None = None
    seed: int = 0
    kept_in: Path | None = None
    runner: Runner = field(default_factory=Runner)


@dataclass(frozen=True, eq=False)
class Optimised(Outcome):
    """The best set of changes within a budget; in a folder by ``write``."""

    def __repr__(self) -> str:
        n = len(self.found.best.chosen)
        return (
            f"Optimised({self.study.file.study}: {n} of {len(self.candidates)} candidates, {self.gain_percent:+.1f} %)"
        )

    def _repr_html_(self) -> str:
        return str(self.changes[["sentence", "bus_hours", "gain_alone", "gain_last"]].to_html(index=False))

    def text(self) -> str:
        """A summary for a terminal."""
        if not self.kept:
            return (
                f"none of the {len(self.candidates):,} candidates makes it better than today within {self.budget.words}"
            )
        year = self.cost.year["change"] if self.cost is not None else pd.Series(dtype=np.float64)
        lines = [
            f"{words.percent(self.gain_percent / 100, sign=True)} for {self.objective.group.name} ({self.what}, {self.when}) "
            f"with {float(year.get('bus_hours', 0)):,.0f} more bus-hours a year:"
        ]
        lines += [f"  {row['sentence']}" for _, row in self.changes.iterrows()]
        lines.append(f"  {self.how_good()}")
        return "\n".join(lines)

    def how_good(self) -> str:
        """How far it can be from the best set of all, in a sentence."""
        n = f"{len(self.candidates):,} candidates"
        if not self.is_bounded:
            return f"How far it is from the best of the {n} is not known for this figure."
        if self.found.gap == 0:
            return f"No set of the {n} is better."
        return (
            f"Within {words.percent(self.below_bound_percent / 100)} of the best of the {n}: none can give more than "
            f"{words.percent(self.most_percent / 100, sign=True)}."
        )

    def write(self, out: str | Path, *, stopwatch: Stopwatch | None = None) -> Path:
        """Write ``optimise.html``, the proposals, the tables and ``run.json`` into a folder, whole or not at all.

        Returns
        -------
        Path
            The page.

        Raises
        ------
        UsageError
            The folder holds something else.
        """
        out = as_path(out)
        with (stopwatch or Stopwatch()).stage("report"), new_folder(out) as made:
            for kept in self.kept:
                publish(made / f"{kept.scenario.scenario}.yaml", self.scenario_text(kept).encode("utf-8"))
            for name, table in (("changes", self.changes), ("frontier", self.frontier), ("candidates", self.table)):
                publish(made / f"{name}.csv", csv_text(table).encode("utf-8"))
            publish(made / "optimise.html", optimise_html(self, self.how_good(), self.settings()).encode("utf-8"))
            publish(made / RUN_FILE, self.run_json().encode("utf-8"))
        return out / "optimise.html"

    def scenario_text(self, kept: Kept) -> str:
        """A proposal as a file, with how it was found."""
        gain = words.percent(self.objective.gain_in_percent(kept.point.value) / 100, sign=True)
        said = [
            f"Found by community-routes {__version__} optimise, {kept.why}: {gain} for {self.objective.group.name} "
            f"({self.what}, {self.when}).",
            f"Budget {self.budget.words}; chosen from {len(self.candidates):,} candidates, seed {self.seed}.",
        ]
        if kept.point is self.found.best:
            said.append(self.how_good())
        said += [f"- {candidate.sentence}" for candidate in kept.point.chosen]
        lines = [f"# {line}" for text in said for line in wrap(text, 108, subsequent_indent="  ")]
        return "\n".join([*lines, kept.scenario.to_yaml()])

    def settings(self) -> dict[str, object]:
        """What was asked, for run.json and the page."""
        floors, figure = self.floors, self.objective.figure
        asked: dict[str, object] = {
            "budget": self.budget.words,
            "for": self.objective.group.name,
            "kind": figure.kind,
            "measure": figure.measure,
            "reading": figure.reading,
            "cutoff_min": figure.cutoff_min,
            "windows": [f"{day}={window}" for day, window in self.objective.slots],
            "no_group_loses_percent": floors.no_group_loses,
            "no_group_below": floors.no_group_below,
            "at_most": floors.at_most,
            "keep_last_buses": floors.keep_last_buses or None,
            "seed": self.seed,
        }
        return {name: value for name, value in asked.items() if value is not None}

    def run_json(self) -> str:
        """Version, settings, names and hashes of the inputs, and what was found, with sorted keys."""
        found = self.found
        return run_record(
            self.study,
            "optimise",
            self.settings(),
            counts={
                "candidates": len(self.candidates),
                "left_out": dict(self.left_out),
                "sets_tried": found.evaluations,
                "rows": {"changes": len(self.changes), "frontier": len(self.frontier), "candidates": len(self.table)},
            },
            found={
                "today": found.nothing,
                "value": found.best.value,
                "bound": found.bound if self.is_bounded else None,
                "bound_from": found.bound_from if self.is_bounded else "",
                "finished": found.finished,
            },
        )


def optimise(
    study: Study,
    *,
    bus_hours: float | None = None,
    cost: float | None = None,
    buses: float | None = None,
    aim: Aim = Aim(),  # noqa: B008 (frozen)
    floors: Floors = Floors(),  # noqa: B008
    among: Among = Among(),
    searching: Searching = Searching(),
) -> Optimised:
    """The best set of changes to the services of a study within a year's budget.

    Every figure that comes out is that of ``run`` with the proposal, to the last digit.

    Parameters
    ----------
    study : Study
    bus_hours, cost, buses : float
        What a year may take beyond today, one of them: bus-hours, money by the study's rates, or peak vehicles. 0 moves service
        about and adds none.
    aim : Aim
        What is to become better, for whom and when.
    floors : Floors
        What may not be broken.
    among : Among
        What may be chosen.
    searching : Searching
        For how long, and how.

    Returns
    -------
    Optimised

    Raises
    ------
    UsageError
        The budget, the aim or a floor means nothing, or there is nothing to choose from.
    ScenarioError
        A candidate of the planner's own does not apply.
    StudyError
        Nothing can be measured.
    """
    began = time.monotonic()
    budget = Budget.given(bus_hours, cost, buses)
    if budget.of == "cost" and study.file.costs is None:
        raise UsageError("a budget in money needs the study's rates; add costs: {per_bus_hour: ...} to the study file")
    kinds = among.kinds_for(budget)
    runner = searching.runner
    with runner.stage("routing"):
        runner.tell("searching today's timetable")
        objective = Objective.of(study, aim)
    floors.check(objective)
    pool, left_out = _gathered(objective, budget, kinds, among)
    journal = Journal(searching.kept_in, _fingerprint(objective, aim, floors, among))
    try:
        with runner.stage("compare"):
            design = Design.made(objective, pool, budget, floors, journal, runner.threads)
            design = _usable(design, left_out, runner)
            found = _searched(design, searching, began)
        return _told(design, found, left_out, searching)
    finally:
        journal.close()


def _gathered(
    objective: Objective, budget: Budget, kinds: Sequence[str], among: Among
) -> tuple[list[Candidate], dict[str, int]]:
    """What could be chosen, and how many were left out unseen."""
    case = objective.case
    most = budget.amount if budget.of == "bus_hours" and CUTS not in kinds else np.inf
    routes = tuple(routes_near(case, among.routes))
    timetabled = Timetabled(case, routes, tuple(objective.slots), objective.longest_min, most)
    reaching = Reaching(objective, routes)
    found = timetabled.all(kinds)
    for kind, make in (("extensions", reaching.extensions), ("links", reaching.links)):
        if kind in kinds:
            found += make()
    found += own_candidates(among.files, case)
    left = {
        "no bus of theirs is under way in the hours that are looked at": timetabled.n_outside,
        "they alone take more than the budget": timetabled.n_dear,
    }
    return found, left


def _usable(design: Design, left_out: dict[str, int], runner: Runner) -> Design:
    """The design with the candidates that can be made at all, fit, and change something."""
    n = len(design.pool)
    if n > _MOST:
        design = design.of(_promising(design, runner))
        left_out["others promise more for what they take"] = n - len(design.pool)
    runner.tell(f"trying each of {len(design.pool):,} candidates by itself")
    design.screened(runner.tell)
    budget, saves = design.budget.amount, any(one.kind in (CUTS, FILES) for one in design.pool)
    dear, idle, fault = 0, 0, 0
    kept: list[Candidate] = []
    for candidate in design.pool:
        alone = frozenset((candidate,))
        if design.part(alone).fault:
            fault += 1
        elif not saves and design.cost(alone) > budget * (1 + 1e-9):
            dear += 1
        elif not design.part(alone).acts and design.cost(alone) >= 0:
            idle += 1
        else:
            kept.append(candidate)
    left_out["they alone take more than the budget"] += dear
    left_out["no bus of theirs is under way in the hours that are looked at"] += idle
    left_out["they cannot be applied, or run so today"] = fault
    if not kept:
        said = "; ".join(f"{count:,} left out because {why}" for why, count in left_out.items() if count)
        raise UsageError(
            f"there is nothing to choose from ({said or 'no route runs near the neighbourhoods'}); "
            "name other routes, kinds of change or windows, or a larger budget"
        )
    return design.of(kept)


def _promising(design: Design, runner: Runner) -> list[Candidate]:
    """Of more candidates than can be searched those of the families whose richest variant gives most for what it takes."""
    families: dict[str, list[Candidate]] = {}
    for candidate in design.pool:
        families.setdefault(candidate.family, []).append(candidate)
    richest = [members[-1] for members in families.values()]
    runner.tell(f"trying the richest variant of each of {len(richest):,} changes")
    first = design.of(richest)
    first.screened(runner.tell)
    nothing, ranked = first.value(frozenset()), []
    for number, one in enumerate(richest):
        alone = frozenset((one,))
        if not first.part(alone).fault:
            gain, cost = first.score(alone) - nothing, first.cost(alone)
            rank = gain / cost if cost > 0 and gain > 0 else np.inf if gain > 0 else gain / max(-cost, 1.0)
            ranked.append((-rank, number))
    kept: set[str] = set()
    n = 0
    for _, number in sorted(ranked):
        members = families[richest[number].family]
        if n + len(members) <= _MOST:
            kept.add(richest[number].family)
            n += len(members)
    return [candidate for candidate in design.pool if candidate.family in kept]


def _searched(design: Design, work: Searching, began: float) -> Found[Candidate]:
    """The search, and the best at parts of the budget on its way."""

    def is_over() -> bool:
        return work.minutes is not None and time.monotonic() - began > work.minutes * _MINUTE_S

    def tell(now: Standing) -> None:
        gain = design.objective.gain_in_percent(now.value)
        most = f", at most {design.objective.gain_in_percent(now.bound):+.2f} %" if np.isfinite(now.bound) else ""
        work.runner.tell(f"{now.doing}: {now.evaluations:,} sets tried, best so far {gain:+.2f} %{most}")

    return search(
        design,
        design.budget.amount,
        seed=work.seed,
        effort=Effort(swaps=_SWAPS, nodes=design.nodes),
        stop=is_over,
        progress=tell,
    )


def _told(design: Design, found: Found[Candidate], left_out: Mapping[str, int], work: Searching) -> Optimised:
    """Tables and proposals of what was found."""
    best = found.best
    answers: tuple[Answer, ...] = ()
    kept = _kept(design, found)
    if best.chosen:
        scenario = kept[0].scenario
        first = design.objective.lives[0].try_scenario(scenario)
        answers = (first, *(live.ask(first.case) for live in design.objective.lives[1:]))
    return Optimised(
        objective=design.objective,
        budget=design.budget,
        floors=design.floors,
        candidates=tuple(design.pool),
        left_out={why: count for why, count in left_out.items() if count},
        found=found,
        answers=answers,
        changes=_changes(design, best),
        frontier=_frontier(design, found, kept),
        table=_candidates(design, best),
        kept=kept,
        seed=work.seed,
    )


def _kept(design: Design, found: Found[Candidate]) -> tuple[Kept, ...]:
    """The best set, the best at parts of the budget, and some that are nearly as good, as proposals."""
    if not found.best.chosen:
        return ()
    title = f"The best changes found within {design.budget.words}"
    kept = [Kept(found.best, "the best set within the budget", composed(found.best.chosen, OPTIMISED, title))]
    seen = {found.best.chosen, ()}
    for share in _SHARES:
        fitting = [point for point in found.frontier if point.cost <= share * design.budget.amount]
        if fitting and fitting[-1].chosen not in seen:
            point = fitting[-1]
            seen.add(point.chosen)
            why = f"the best set met within {share * 100:.0f} % of the budget"
            name = f"{OPTIMISED}-{share * 100:.0f}"
            kept.append(
                Kept(point, why, composed(point.chosen, name, f"The best changes met for {share * 100:.0f} % of it"))
            )
    nearly = [point for point in found.nearly if point.chosen not in seen]
    for number, point in enumerate(nearly[:_NEARLY], start=1):
        name = f"{OPTIMISED}-nearly-{number}"
        kept.append(
            Kept(point, "nearly as good as the best", composed(point.chosen, name, f"Nearly as good, {number}"))
        )
    return tuple(kept)


def _year_columns(year: Mapping[str, float]) -> dict[str, float]:
    names = {"bus_hours": "bus_hours", "km": "km", "buses": "peak_vehicles", "cost": "cost"}
    return {name: float(year.get(key, np.nan)) for name, key in names.items()}


def _per_1000(gain: float, bus_hours: float) -> float:
    return 1000 * gain / bus_hours if bus_hours > 0 else float("nan")


def _changes(design: Design, best: Point[Candidate]) -> pd.DataFrame:
    """Each change of the best set: what it takes, gives alone and last, and its share of the whole gain.

    Shares are means over the order in which the changes stand and its reverse: they add up to the gain of the set.
    """
    chosen = list(best.chosen)
    nothing = design.value(frozenset())
    added = np.zeros(len(chosen))
    for order in (range(len(chosen)), range(len(chosen) - 1, -1, -1)):
        before, members = nothing, frozenset[Candidate]()
        for number in order:
            members = members | {chosen[number]}
            now = design.score(members)
            added[number] += (now - before) / 2
            before = now
    rows = []
    for number, candidate in enumerate(chosen):
        alone = frozenset((candidate,))
        year = _year_columns(design.year(alone))
        last = best.value - design.score(frozenset(chosen) - alone)
        total = best.value - nothing
        rows.append(
            {
                "change": candidate.id,
                "kind": candidate.kind,
                "sentence": candidate.sentence,
                **year,
                "gain_alone": design.score(alone) - nothing,
                "gain_last": last,
                "share_of_gain": added[number] / total if total else float("nan"),
                "gain_per_1000_bus_hours": _per_1000(added[number], year["bus_hours"]),
            }
        )
    return pd.DataFrame(rows, columns=list(CHANGES_COLUMNS))


def _frontier(design: Design, found: Found[Candidate], kept: Sequence[Kept]) -> pd.DataFrame:
    """Sets that no other set met is better than at their cost or less."""
    file = {one.point.chosen: f"{one.scenario.scenario}.yaml" for one in kept}
    objective, rows = design.objective, []
    sign = -1.0 if objective.is_less_better else 1.0
    for number, point in enumerate(found.frontier, start=1):
        chosen = frozenset(point.chosen)
        rows.append(
            {
                "number": number,
                "file": file.get(point.chosen, ""),
                "spent": point.cost,
                **_year_columns(design.year(chosen)),
                "value": sign * point.value,
                "gain": point.value - found.nothing,
                "gain_percent": objective.gain_in_percent(point.value),
                "changes": design.key(chosen),
            }
        )
    return pd.DataFrame(rows, columns=list(FRONTIER_COLUMNS))


def _candidates(design: Design, best: Point[Candidate]) -> pd.DataFrame:
    """Each candidate by itself."""
    nothing, rows = design.value(frozenset()), []
    for candidate in design.pool:
        alone = frozenset((candidate,))
        gain, year = design.score(alone) - nothing, _year_columns(design.year(alone))
        rows.append(
            {
                "candidate": candidate.id,
                "kind": candidate.kind,
                "sentence": candidate.sentence,
                **year,
                "gain": gain,
                "gain_per_1000_bus_hours": _per_1000(gain, year["bus_hours"]),
                "chosen": candidate in best.chosen,
                "notices": "; ".join(dict.fromkeys(notice.message for notice in design.part(alone).notices)),
            }
        )
    return pd.DataFrame(rows, columns=list(CANDIDATES_COLUMNS))


def _fingerprint(objective: Objective, aim: Aim, floors: Floors, among: Among) -> str:
    """Of everything that the figures hang on."""
    study = objective.case.study
    files = [hashlib.sha256(as_path(path).read_bytes()).hexdigest() for path in among.files]
    inputs = study.sources[["name", "sha256"]].to_dict("records")
    content = [__version__, inputs, printed_settings(study), repr(aim), repr(floors), files]
    return hashlib.sha256(json.dumps(content, sort_keys=True, default=str).encode()).hexdigest()
