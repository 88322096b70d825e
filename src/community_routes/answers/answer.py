"""One answer: what a case is worth beside today."""

from __future__ import annotations

from dataclasses import dataclass, field
from html import escape
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from community_routes.answers.figure import Figure
from community_routes.evaluation.case import Case
from community_routes.scenarios.cost import OperatingCost


class Persons(NamedTuple):
    """How many persons are better off than today, worse off, or the same; those of neighbourhoods with a figure both times."""

    better: float
    worse: float
    same: float


@dataclass(frozen=True, eq=False)
class Answer:
    """A case and its figure, beside today's.

    Attributes
    ----------
    case : Case
        Its ``networks`` and ``walks`` answer further questions; a proposal can be tried on top of it.
    figure : Figure
        What was asked.
    value : float64, shape (n_neighbourhoods,)
        In the order of ``case.zones.table``; NaN where it cannot be said.
    reason : object, shape (n_neighbourhoods,)
        Why it cannot; "" where it can.
    change : float64, shape (n_neighbourhoods,)
        From today; NaN where either is missing.
    groups : DataFrame
        The rows of ``groups.csv`` for this figure.
    persons : Persons
    cost : OperatingCost or None
        What it takes a year beside today; None where no route changes and no buses on demand are added.
    seconds : float
        How long the answer took.
    """

    case: Case
    figure: Figure
    value: NDArray[np.float64]
    reason: NDArray[np.object_]
    change: NDArray[np.float64]
    groups: pd.DataFrame = field(repr=False)
    persons: Persons
    cost: OperatingCost | None = field(repr=False)
    seconds: float

    @property
    def scenario(self) -> str:
        """``today`` or the proposal's id."""
        return self.case.name

    def __repr__(self) -> str:
        better, worse, _ = self.persons
        return f"Answer({self.scenario}: {better:,.0f} persons better, {worse:,.0f} worse, in {self.seconds:.2f} s)"

    def _repr_html_(self) -> str:
        figure = self.figure
        cutoff = "" if figure.cutoff_min is None else f" within {figure.cutoff_min:g} minutes"
        about = f"{figure.kind}, {figure.measure}{cutoff}, {figure.day}, {figure.window}"
        shown = self.groups[["grouping", "group", "baseline", "value", "change"]]
        better, worse, same = (f"{number:,.0f}" for number in self.persons)
        cost = "; ".join(self.cost.words()) if self.cost is not None else ""
        return (
            f"<p><strong>{escape(self.case.title)}</strong>: {escape(about)} ({escape(figure.unit)}). Better: {better}, "
            f"worse: {worse}, same: {same}. {escape(cost)}</p>{shown.to_html(index=False)}"
        )
