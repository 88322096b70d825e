"""What the page leads with: which measure, kinds of place and times of day, and what they are called."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from community_routes.measures.list import less_is_better
from community_routes.report import words
from community_routes.report.results import Results
from community_routes.sources.study.fares import POUNDS

HEADLINE_KINDS = ("employment", "shared_spaces")


@dataclass(frozen=True)
class View:
    """One way to look at reach: a measure with its reading and cutoff."""

    measure: str
    reading: str
    cutoff_min: float | None
    currency: str = field(default=POUNDS, compare=False)

    @property
    def low_is_good(self) -> bool:
        """Less is better: a time, a cost, a share of people left out."""
        return less_is_better(self.measure)

    @property
    def name(self) -> str:
        """In words, without the kind of place."""
        return words.view_name(self.measure, self.reading, self.cutoff_min, self.currency)

    @property
    def within(self) -> str:
        """The cutoff in words; nothing where it has none."""
        return "" if self.cutoff_min is None else f"within {words.number(self.cutoff_min)} minutes"


@dataclass(frozen=True)
class Slot:
    """A day and a window."""

    day: str
    window: str


class Leading:
    """What leads in some results: their measures, kinds of place and times of day, with the leading ones.

    Attributes
    ----------
    views : list of View
        The headline reading of each measure; reach first.
    kinds : list of str
        Leading kinds first, each followed by its parts.
    all_slots, slots : list of Slot
        Every time of day, and those of the leading measure: shifts and whole days have measures of their own.
    """

    def __init__(self, results: Results) -> None:
        access = results.access
        self.results = results
        self.views = headline_views(access, results.currency)
        self.kinds = _kinds(access, results)
        self._units = _units(access)
        self.all_slots = slots_of(access, results)
        mine = access[
            (access["measure"] == self.view.measure)
            & (access["reading"] == self.view.reading)
            & access["kind"].isin(self.headline_kinds)
        ]
        self.slots = slots_of(mine, results) or self.all_slots

    def unit(self, kind: str, view: View) -> str:
        """Unit of a measure for a kind of place, as in the tables; empty where it has none or was not measured."""
        return self._units.get((kind, view.measure), "")

    @property
    def view(self) -> View:
        """Places reached on average within the middle cutoff, else the first view there is."""
        reached = [v for v in self.views if v.measure == "cumulative_opportunities" and v.reading == "mean"]
        return reached[len(reached) // 2] if reached else self.views[0]

    @property
    def headline_kinds(self) -> list[str]:
        """Employment zones and shared spaces where the study has them, else the first two kinds that the leading figure is of.

        The first is what proposals are judged by.
        """
        found = [kind for kind in HEADLINE_KINDS if kind in self.kinds]
        leading = self.view.measure
        return found or [kind for kind in self.kinds if "/" not in kind and (kind, leading) in self._units][:2]


def headline_views(access: pd.DataFrame, currency: str = POUNDS) -> list[View]:
    """The headline reading of each measure: the mean, or the median for measures without one; reach first."""
    columns = ["measure", "reading", "cutoff_min"]
    found = access[columns].drop_duplicates()
    with_mean = set(found.loc[found["reading"] == "mean", "measure"])
    views = [
        View(str(m), str(r), None if pd.isna(c) else float(c), currency)
        for m, r, c in found.itertuples(index=False)
        if r == "mean" or (m not in with_mean and r in ("p50", "best"))
    ]
    order = {"cumulative_opportunities": 0, "nearest": 1}
    return sorted(set(views), key=lambda v: (order.get(v.measure, 2), v.measure, v.cutoff_min or 0.0))


def _units(access: pd.DataFrame) -> dict[tuple[str, str], str]:
    found = access[["kind", "measure", "unit"]].drop_duplicates()
    return {(str(k), str(m)): "" if pd.isna(u) else str(u) for k, m, u in found.itertuples(index=False)}


def _kinds(access: pd.DataFrame, results: Results) -> list[str]:
    """Headline kinds first, then the other keys in the study's order, each followed by its own kinds."""
    there = [str(kind) for kind in access["kind"].unique()]
    keys = list(dict.fromkeys([*HEADLINE_KINDS, *map(str, results.destinations["key"].unique()), *sorted(there)]))
    rank = {key: i for i, key in enumerate(keys)}
    return sorted(there, key=lambda kind: (rank[kind.partition("/")[0]] if "/" in kind else rank[kind], kind))


def slots_of(access: pd.DataFrame, results: Results) -> list[Slot]:
    """Days in the study's order, windows by their time of day where it is known."""
    days = list(results.dates)
    windows = list(results.windows)
    found = {Slot(str(d), str(w)) for d, w in access[["day", "window"]].drop_duplicates().itertuples(index=False)}

    def order(slot: Slot) -> tuple[Any, ...]:
        day = days.index(slot.day) if slot.day in days else len(days)
        times = str(results.windows.get(slot.window, ""))
        return (day, times, windows.index(slot.window) if slot.window in windows else 99, slot.day, slot.window)

    return sorted(found, key=order)


def slot_name(slot: Slot, windows: Mapping[str, str], days: Sequence[str]) -> str:
    """ "Weekday, evening, 18:00–22:00"; the day is left out where the study has one."""
    window = words.window_name(slot.window, windows)
    return window if len(days) < 2 else f"{words.day_name(slot.day)}, {window[:1].lower()}{window[1:]}"


def when(slot: Slot, days: Sequence[str], windows: Mapping[str, str]) -> str:
    """The slot inside a sentence: "in the evening on a Sunday", "between 11:00 and 15:00 on a Saturday"."""
    day = "" if len(days) < 2 else words.on_day(slot.day)
    window, times = words.plain(slot.window), str(windows.get(slot.window, slot.window))
    if any(window.endswith(word) for word in ("morning", "afternoon", "evening", "night", "peak")):
        start = f"in the {window}"
    else:
        start = f"between {times.replace('-', ' and ')}" if "-" in times else f"in the window “{window}”"
    return f"{start} {day}".strip()
