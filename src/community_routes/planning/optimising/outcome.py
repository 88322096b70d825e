"""What an optimisation found: the best set of changes, others beside it, and how much better any could be."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from community_routes.answers.answer import Answer
from community_routes.evaluation.case import Study
from community_routes.planning.optimising.aim import Objective
from community_routes.planning.optimising.candidates import Candidate
from community_routes.planning.optimising.limits import Budget, Floors
from community_routes.planning.search import Found, Point
from community_routes.report import words
from community_routes.scenarios.cost import OperatingCost
from community_routes.scenarios.file import Scenario

CHANGES_COLUMNS = (
    "change", "kind", "sentence", "bus_hours", "km", "buses", "cost", "gain_alone", "gain_last", "share_of_gain",
    "gain_per_1000_bus_hours",
)  # fmt: skip
FRONTIER_COLUMNS = (
    "number",
    "file",
    "spent",
    "bus_hours",
    "km",
    "buses",
    "cost",
    "value",
    "gain",
    "gain_percent",
    "changes",
)
CANDIDATES_COLUMNS = (
    "candidate", "kind", "sentence", "bus_hours", "km", "buses", "cost", "gain", "gain_per_1000_bus_hours", "chosen", "notices",
)  # fmt: skip


@dataclass(frozen=True)
class Kept:
    """A set of changes that is written as a proposal: its number in the frontier, why it is kept, and the proposal."""

    point: Point[Candidate]
    why: str
    scenario: Scenario


@dataclass(frozen=True, eq=False)
class Outcome:
    """What an optimisation found.

    Attributes
    ----------
    objective : Objective
    budget : Budget
    floors : Floors
    candidates : tuple of Candidate
        What was chosen from.
    left_out : dict of str to int
        Why further candidates were not, and how many.
    found : Found
        Scores: of a figure of which less is better they are its negative.
    answers : tuple of Answer
        The best set beside today in each window; empty where nothing is better than today.
    changes, frontier, table : DataFrame
        ``CHANGES_COLUMNS``, ``FRONTIER_COLUMNS`` and ``CANDIDATES_COLUMNS``, as in changes.csv, frontier.csv and candidates.csv.
        Gains are in the unit of the figure, above 0 where it becomes better.
    kept : tuple of Kept
        The sets that are written as proposals, the best first.
    seed : int
    """

    objective: Objective
    budget: Budget
    floors: Floors
    candidates: tuple[Candidate, ...]
    left_out: Mapping[str, int]
    found: Found[Candidate]
    answers: tuple[Answer, ...]
    changes: pd.DataFrame
    frontier: pd.DataFrame
    table: pd.DataFrame
    kept: tuple[Kept, ...]
    seed: int

    @property
    def study(self) -> Study:
        """What was looked at."""
        return self.objective.case.study

    @property
    def best(self) -> Scenario | None:
        """The best set of changes as a proposal; None where nothing is better than today."""
        return self.kept[0].scenario if self.kept else None

    @property
    def cost(self) -> OperatingCost | None:
        """What the best set takes a year beside today."""
        return self.answers[0].cost if self.answers else None

    @property
    def gain_percent(self) -> float:
        """What the group gains by the best set, in percent of today."""
        return self.objective.gain_in_percent(self.found.best.value)

    @property
    def is_bounded(self) -> bool:
        """Whether it is known how much better another set could be at most."""
        return bool(np.isfinite(self.found.bound))

    @property
    def most_percent(self) -> float:
        """What no set can exceed, in percent of today."""
        return self.objective.gain_in_percent(self.found.bound)

    @property
    def below_bound_percent(self) -> float:
        """How far the best set's level is below what no set can exceed, in percent of that."""
        bound, best = self.found.bound, self.found.best.value
        return 100 * (bound - best) / abs(bound) if bound else 0.0

    @property
    def when(self) -> str:
        """The windows in words."""
        file = self.study.file
        windows = dict.fromkeys(file.travel.windows, "")
        days = list(file.dates)
        told = [
            words.window_name(window, windows).lower() + ("" if len(days) < 2 else f" {words.on_day(day)}")
            for day, window in self.objective.slots
        ]
        return words.joined([f"in the {text}" if n == 0 else text for n, text in enumerate(told)])

    @property
    def what(self) -> str:
        """The figure in words: ``employment, reached within 45 minutes``."""
        figure = self.objective.figure
        name = words.view_name(figure.measure, figure.reading, figure.cutoff_min, self.study.currency)
        return f"{words.kind_name(figure.kind)}, {name[:1].lower()}{name[1:]}"
