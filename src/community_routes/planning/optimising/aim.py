"""What is to become better, for whom and when: the figures of some windows read as one number, higher is better."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from community_routes.answers.answer import Answer
from community_routes.answers.figure import Figure
from community_routes.answers.live import Live
from community_routes.base.errors import UsageError
from community_routes.evaluation.case import Case, Study
from community_routes.evaluation.search import Slot
from community_routes.measures.groups import counted_values, groupings, levels_of
from community_routes.measures.list import column_of
from community_routes.report import words
from community_routes.scenarios.values import nearest_name
from community_routes.sources.places.zones import Zones

EVERYONE, MOST_DEPRIVED = "everyone", "most deprived fifth"
FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class Aim:
    """What is to become better, for whom and when.

    Attributes
    ----------
    group : str
        ``most deprived fifth``, ``everyone``, a group of the census or a ward of the study; left out, the most deprived fifth,
        or everyone where deprivation is unknown.
    windows : tuple of str
        Windows of the study, or ``day=window``; all of the study when left out. Several count alike.
    kind, measure, cutoff_min :
        As of ``live``.
    """

    group: str = ""
    windows: tuple[str, ...] = ()
    kind: str | None = None
    measure: str | None = None
    cutoff_min: float | None = None


@dataclass(frozen=True, eq=False)
class Group:
    """Some residents: ``name`` in words, and how many of each neighbourhood (float64, shape (n_neighbourhoods,))."""

    name: str
    persons: FloatArray


def named_group(zones: Zones, name: str) -> Group:
    """The residents that a planner means.

    Raises
    ------
    UsageError
        There is no such group.
    """
    known = _groups(zones)
    if not name:
        return next(iter(known.values()))
    for key, group in known.items():
        if name.casefold() == key.casefold():
            return group
    near = nearest_name(name, known)
    hint = f"; did you mean {near!r}?" if near else ""
    raise UsageError(f"the study has no group {name!r}{hint} It has {', '.join(known)}")


def guarded_groups(zones: Zones) -> list[Group]:
    """Fifths by deprivation and groups of the census, where they are known; else everyone."""
    fifths = [
        Group(words.group_name("local", name), share * _persons(zones))
        for part in groupings(zones.table)
        if part.name == "local"
        for name, share in zip(part.groups, part.share.T, strict=True)
    ]
    return [*fifths, *_census(zones)] or [Group("all residents", _persons(zones))]


def _persons(zones: Zones) -> FloatArray:
    return np.asarray(zones.table["population"].to_numpy(np.float64))


def _census(zones: Zones) -> list[Group]:
    table = zones.groups
    if table is None:
        return []
    return [Group(str(name), np.asarray(table[name].to_numpy(np.float64))) for name in table.columns]


def _groups(zones: Zones) -> dict[str, Group]:
    """By the name under which a planner asks for them, the usual one first."""
    persons, found = _persons(zones), dict[str, Group]()
    parts = {part.name: part for part in groupings(zones.table)}
    if "local" in parts:
        found[MOST_DEPRIVED] = Group("the most deprived fifth", parts["local"].share[:, 0] * persons)
    found[EVERYONE] = Group("all residents", persons)
    found |= {group.name: group for group in _census(zones)}
    if "group" in parts:
        part = parts["group"]
        wards = zip(part.groups, part.share.T, strict=True)
        found |= {name: Group(name, share * persons) for name, share in wards if name not in found}
    return found


def chosen_slots(study: Study, windows: Sequence[str]) -> list[Slot]:
    """Days and windows as they are written: ``evening`` on all its days, or ``saturday=weekend_day``.

    Raises
    ------
    UsageError
        The study has none of that name.
    """
    file = study.file
    there = [(day, window) for day in file.dates for window in file.windows_on(day)]
    if not there:
        raise UsageError("the study has no window in which anything could be measured; add one under travel.windows")
    found: list[Slot] = []
    for text in windows:
        day, _, window = text.rpartition("=")
        mine = [slot for slot in there if slot[1] == window and day in ("", slot[0])]
        if not mine:
            known = ", ".join(dict.fromkeys(f"{one}={other}" for one, other in there))
            raise UsageError(f"the study has no window {text!r}; it has {known}")
        found += [slot for slot in mine if slot not in found]
    return found or there


@dataclass(frozen=True, eq=False)
class Objective:
    """One number of a case: what a group of residents has on average in some windows, higher is better.

    Attributes
    ----------
    lives : tuple of Live
        Today kept ready, one for each window; all of one figure.
    group : Group
    guarded : tuple of Group
        Who must not lose beyond a floor.
    """

    lives: tuple[Live, ...]
    group: Group
    guarded: tuple[Group, ...] = ()

    @classmethod
    def of(cls, study: Study, aim: Aim) -> Objective:
        """An aim looked up in a study.

        Raises
        ------
        UsageError
            A group, window, kind, measure or cutoff means nothing.
        StudyError
            Nothing can be measured.
        """
        group = named_group(study.zones, aim.group)
        if not group.persons.sum() > 0:
            raise UsageError(f"nobody lives in the study's neighbourhoods who is counted as {group.name}")
        slots = chosen_slots(study, aim.windows)
        about = {"kind": aim.kind, "measure": aim.measure, "cutoff_min": aim.cutoff_min}
        first = Live(study, *slots[0], **about)  # type: ignore[arg-type]
        rest = (first.about(*slot, **about) for slot in slots[1:])  # type: ignore[arg-type]
        made = cls((first, *rest), group, tuple(guarded_groups(study.zones)))
        if not np.isfinite(made.score(made.today)):
            raise UsageError(
                f"{made.figure.measure} of {group.name} cannot be said today, so nothing can be made better"
            )
        return made

    @property
    def figure(self) -> Figure:
        """What is asked, in the first window."""
        return self.lives[0].figure

    @property
    def slots(self) -> list[Slot]:
        """Days and windows."""
        return [live.figure.slot for live in self.lives]

    @property
    def case(self) -> Case:
        """Today's."""
        return self.lives[0].today.case

    @property
    def longest_min(self) -> float:
        """Minutes of the longest journeys that count."""
        longest = self.case.file.travel.max_travel_min
        return longest if self.figure.cutoff_min is None else min(longest, self.figure.cutoff_min)

    @property
    def is_less_better(self) -> bool:
        """Whether the smaller figure is the better one, so that its negative is the score."""
        return column_of(self.figure.measure).better == "less"

    @cached_property
    def today(self) -> FloatArray:
        """The figure of each neighbourhood in each window: (n_windows, n_neighbourhoods)."""
        return np.stack([self.counted(live.today) for live in self.lives])

    def counted(self, answer: Answer) -> FloatArray:
        """The figure of each neighbourhood; infinite for a time without a journey."""
        return counted_values(answer.value, answer.reason, np.full(answer.value.shape, self._is_endless))

    def tried(self, values: FloatArray) -> FloatArray:
        """The same of values without reasons, one row for each window: what is missing today for want of a place stays so."""
        if not self._is_endless:
            return values
        return np.where(np.isnan(values) & ~self._is_nowhere, np.inf, values)

    @cached_property
    def _is_nowhere(self) -> NDArray[np.bool_]:
        return np.stack([np.isin(live.today.reason, ["off_network", "no_destination"]) for live in self.lives])

    @cached_property
    def _is_endless(self) -> bool:
        return self.figure.unit == "seconds" or column_of(self.figure.measure).endless

    def levels(self, values: FloatArray, group: Group) -> FloatArray:
        """What a group has in each window, as groups.csv says it: (n_windows,)."""
        is_time = self.figure.unit == "seconds" and self.figure.reading != "mean"
        return np.asarray(levels_of(values, group.persons[None], np.arange(len(values) if is_time else 0))[0])

    def level(self, values: FloatArray, group: Group | None = None) -> float:
        """The mean over the windows, in the unit of the figure."""
        return float(self.levels(values, group or self.group).mean())

    def score(self, values: FloatArray) -> float:
        """Higher is better; minus infinity where it cannot be said."""
        level = self.level(values)
        return -np.inf if np.isnan(level) else -level if self.is_less_better else level

    def gain_in_percent(self, score: float) -> float:
        """How much better than today, in percent of today's level."""
        today = self.score(self.today)
        return 100 * (score - today) / abs(today) if today else float("nan")

    def losses(self, values: FloatArray) -> Mapping[str, float]:
        """What each guarded group loses, as a share of what it has today; below 0 where it gains."""
        found = {}
        for group in self.guarded:
            before, after = self.level(self.today, group), self.level(values, group)
            worse = after - before if self.is_less_better else before - after
            found[group.name] = worse / abs(before) if before else (np.inf if worse > 0 else 0.0)
        return found
