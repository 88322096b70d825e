"""The figure that live answers are about: a window of a day, a kind of place, a measure, its headline reading, a cutoff."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from community_routes.base.errors import UsageError
from community_routes.evaluation.case import Case
from community_routes.evaluation.search import Slot
from community_routes.measures.list import build_measure
from community_routes.measures.measure import Facts, Measure, whole_or_float
from community_routes.measures.reached import Cumulative
from community_routes.report.lead import HEADLINE_KINDS

_HEADLINE_READINGS = ("mean", "p50", "best")


@dataclass(frozen=True)
class Figure:
    """One figure of every neighbourhood, as a row of ``access.csv`` has it.

    Attributes
    ----------
    day, window : str
    kind : str
        A key of the study's destinations, or whatever else the measure is of.
    measure : str
        Its published name.
    reading : str
    cutoff_min : float or None
    unit : str
    """

    day: str
    window: str
    kind: str
    measure: str
    reading: str
    cutoff_min: float | None
    unit: str = ""

    @property
    def slot(self) -> Slot:
        """Day and window."""
        return self.day, self.window

    def row(self, scenario: str) -> pd.DataFrame:
        """What the figure is of under a scenario, as a table of one row."""
        about = {
            "scenario": scenario,
            "day": self.day,
            "window": self.window,
            "kind": self.kind,
            "measure": self.measure,
        }
        cutoff = whole_or_float([self.cutoff_min])
        return pd.DataFrame({**about, "reading": self.reading, "cutoff_min": cutoff, "unit": self.unit}, index=[0])

    def of(self, table: pd.DataFrame) -> NDArray[np.bool_]:
        """Which rows of access.csv or groups.csv are of this figure."""
        cutoffs = pd.to_numeric(table["cutoff_min"], errors="coerce").to_numpy(np.float64, na_value=np.nan)
        same = np.isnan(cutoffs) if self.cutoff_min is None else cutoffs == self.cutoff_min
        for column in ("day", "window", "kind", "measure", "reading"):
            same &= (table[column] == getattr(self, column)).to_numpy(bool)
        return np.asarray(same)


def chosen_slot(case: Case, day: str | None, window: str | None) -> Slot:
    """A day and a window: those named, else the first day and its first window of the clock.

    Raises
    ------
    UsageError
        The study has none of that name, or the window does not stand on that day.
    """
    file = case.file
    days = [name for name in file.dates if day in (None, name) and (window is None or window in file.windows_on(name))]
    if not days:
        known = "; ".join(f"{name}: {', '.join(file.windows_on(name))}" for name in file.dates)
        raise UsageError(f"the study has no day {day or 'at all'} with a window {window or 'at all'} ({known})")
    windows = sorted(file.windows_on(days[0]), key=lambda name: file.travel.windows[name].time)
    if not windows:
        raise UsageError(f"the study has no window on {days[0]}")
    return days[0], window if window is not None else windows[0]


def chosen_measure(case: Case, name: str | None) -> Measure:
    """A measure by its name in a study file or in tables: as the study has it, else by its defaults.

    Without a name opportunities reached, where the study measures them, else what it measures first.

    Raises
    ------
    UsageError
        No measure has that name.
    """
    measures = case.choice.measures
    if name is None:
        if not measures:
            raise UsageError("the study measures nothing in its windows; name a measure")
        return next((measure for measure in measures if isinstance(measure, Cumulative)), measures[0])
    for measure in measures:
        if name in measure.names or name == getattr(measure, "name", None):
            return measure
    for measure in measures:
        if any(column.read(name) is not None for column in measure.columns):
            return measure
    file = case.file
    wards = {group for group in case.zones.table["group"] if group}
    try:
        return build_measure(name, {}, Facts(file.travel.cutoffs_min, tuple(file.destinations), file.fares, len(wards)))
    except ValueError as fault:
        raise UsageError(str(fault)) from None


def chosen_figure(
    slot: Slot, access: pd.DataFrame, measure: Measure, name: str | None, kind: str | None, cutoff_min: float | None
) -> Figure:
    """One figure of those in the rows of a measure: of the kind and cutoff asked for, in its headline reading.

    Left out, the kind is the first headline kind (employment, shared spaces), else the first key; the cutoff is the middle one.

    Raises
    ------
    UsageError
        There is none of that kind or cutoff.
    """
    there = access.drop_duplicates(["kind", "measure", "reading", "cutoff_min"])
    wanted = next((own for own in (name, getattr(measure, "name", None)) if own in set(there["measure"])), None)
    if wanted is None:
        wanted = str(there["measure"].iloc[0])
    there = there[there["measure"] == wanted]
    kinds = [str(one) for one in there["kind"].unique()]
    if kind is None:
        whole = [one for one in kinds if "/" not in one]
        kind = next((one for one in HEADLINE_KINDS if one in whole), (whole or kinds)[0])
    there = there[there["kind"] == kind]
    if there.empty:
        raise UsageError(f"{wanted} has no kind {kind!r}; it has {', '.join(kinds)}")
    reading = next((one for one in _HEADLINE_READINGS if one in set(there["reading"])), str(there["reading"].iloc[0]))
    there = there[there["reading"] == reading]
    cutoffs = sorted(float(cutoff) for cutoff in there["cutoff_min"].dropna())
    if cutoff_min is not None and cutoff_min not in cutoffs:
        raise UsageError(
            f"{wanted} has no cutoff {cutoff_min:g}; it has {', '.join(f'{c:g}' for c in cutoffs) or 'none'}"
        )
    if cutoff_min is None and cutoffs:
        cutoff_min = cutoffs[len(cutoffs) // 2]
    cutoff = None if cutoff_min is None else float(cutoff_min)
    return Figure(*slot, kind, wanted, reading, cutoff, str(there["unit"].iloc[0]))
