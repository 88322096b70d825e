"""A study kept ready, so that one more idea is answered at once."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from importlib import import_module
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from community_routes.answers.answer import Answer, Persons
from community_routes.answers.figure import Figure, chosen_figure, chosen_measure, chosen_slot, with_reading
from community_routes.answers.window import Searched, search_window
from community_routes.evaluation.case import Case, Study
from community_routes.evaluation.cost import proposal_cost
from community_routes.evaluation.differences import spread
from community_routes.evaluation.draws import Headline, is_random
from community_routes.evaluation.evaluate import Asked, Evaluation, evaluate_case
from community_routes.measures.groups import ZoneFigure, figure_rows
from community_routes.measures.reached import Reach
from community_routes.scenarios.change import Change
from community_routes.scenarios.file import Scenario
from community_routes.scenarios.steps import Steps

MOST_KEPT = 8
"""Answers whose networks are kept, for whoever asks for their travel times or asks again."""


class Live:
    """One figure of a study, asked of one case after another; made by :func:`live`.

    Answers equal those of ``evaluate`` and ``compare`` to the last bit. One thread asks at a time; others wait.

    Attributes
    ----------
    figure : Figure
        What is asked.
    today : Answer
    """

    def __init__(
        self,
        study: Study,
        day: str | None = None,
        window: str | None = None,
        kind: str | None = None,
        measure: str | None = None,
        cutoff_min: float | None = None,
        reading: str | None = None,
        *,
        today: Case | None = None,
    ) -> None:
        began = time.perf_counter()
        self._lock = threading.RLock()
        case = today or Case.of(study)
        slot, chosen = chosen_slot(case, day, window), chosen_measure(case, measure)
        self._measure, self._asked = chosen, Asked((slot,), (chosen,))
        self._base = evaluate_case(case, self._asked)
        self._headline = chosen_figure(slot, self._base.access, chosen, measure, kind, cutoff_min)
        self.figure = with_reading(self._headline, self._base.access, reading)
        self._kept: OrderedDict[int, Searched] = OrderedDict()
        self._steps = Steps()
        self._of_today: tuple[Headline, NDArray[np.float64]] | None = None
        self._today = self._search(case)
        self.today = self._answer(self._today, began)

    @property
    def study(self) -> Study:
        """What is asked about."""
        return self._base.study

    def about(
        self,
        day: str | None = None,
        window: str | None = None,
        kind: str | None = None,
        measure: str | None = None,
        cutoff_min: float | None = None,
        reading: str | None = None,
    ) -> Live:
        """The same study kept ready for another figure: the choices of :func:`live`.

        Networks and walks of today are not found again; a case tried here can be asked there (``ask``).
        """
        return Live(self.study, day, window, kind, measure, cutoff_min, reading, today=self.today.case)

    def try_scenario(self, scenario: Scenario, parent: Answer | None = None) -> Answer:
        """What a proposal is worth.

        Parameters
        ----------
        scenario : Scenario
        parent : Answer, optional
            On top of which it is tried; today when left out. To undo is to go on from the parent.

        Returns
        -------
        Answer
            Beside today, whatever it was tried on.

        Raises
        ------
        ScenarioError
            It cannot be applied, or would change nothing.
        """
        with self._lock:
            began = time.perf_counter()
            return self._answer(self._search(self.case_of(scenario, parent)), began)

    def case_of(self, scenario: Scenario, parent: Answer | None = None) -> Case:
        """The case that a proposal makes of today, or of another answer's: to be asked here or of other figures.

        Raises
        ------
        ScenarioError
            It cannot be applied, or would change nothing.
        """
        with self._lock:
            return (parent or self.today).case.with_scenario(scenario, steps=self._steps)

    def ask(self, case: Case) -> Answer:
        """What a case is worth that was made from today's (``live.today.case``) or another answer's.

        Parameters
        ----------
        case : Case

        Returns
        -------
        Answer

        Raises
        ------
        StudyError
            Nothing can be measured.
        """
        with self._lock:
            began = time.perf_counter()
            return self._answer(self._search(case), began)

    def show(self) -> Any:
        """Open the workbench on this study in the browser, beside whatever else this process does.

        Returns
        -------
        Session
            With the address as a link; ``close`` ends it.

        Raises
        ------
        UsageError
            The extra ``workbench`` is not installed.
        """
        # By name, when it is asked for: the workbench stands on live answers, and they need nothing of it.
        return import_module("community_routes.workbench.serve").show(self)

    def times(self, answer: Answer) -> NDArray[np.int32]:
        """Travel times of an answer's window, searched now.

        Parameters
        ----------
        answer : Answer

        Returns
        -------
        int32, shape (n_origins, n_departures, n_destinations)
            Seconds, UNREACHED where there is no journey.
        """
        with self._lock:
            return self._search(answer.case).times(self.figure)

    def _search(self, case: Case) -> Searched:
        """A case searched, as it is kept or now."""
        known = self._kept.get(id(case))
        if known is None:
            known = self._search_anew(case)
            self._kept[id(case)] = known  # holds the case, so that its id stays its own
        self._kept.move_to_end(id(case))
        while len(self._kept) > MOST_KEPT:
            self._kept.popitem(last=False)
        return known

    def _search_anew(self, case: Case) -> Searched:
        if (
            isinstance(self._measure, Reach)
            and self.figure == self._headline
            and self.figure.measure == self._measure.name
        ):
            if case is self._base.case:
                return search_window(case, self.figure, self._measure)
            likes = self._most_like(case)
            any(case.walks_like(one.case) for one in likes)
            return search_window(case, self.figure, self._measure, self._today, likes[0])
        found = self._base if case is self._base.case else evaluate_case(case, self._asked, base=self._base)
        return _evaluated(found, self.figure)

    def _most_like(self, case: Case) -> list[Searched]:
        """What is kept, the cases that differ in the fewest changes first; today before others that do as much."""
        wanted, n_stops = _changes_of(case), len(case.feed.stops)
        kept = [one for one in reversed(self._kept.values()) if len(one.case.feed.stops) <= n_stops]
        return sorted((self._today, *kept), key=lambda one: _n_apart(_changes_of(one.case), wanted))

    def _answer(self, found: Searched, began: float) -> Answer:
        figure, today, case = self.figure, self._today, found.case
        before = _in_order_of(case, today.case, today.value)
        change = np.where(before == found.value, 0.0, found.value - before)
        now = ZoneFigure(case.zones.table, found.value, found.reason)
        if found is today:
            groups = self._with_spreads(figure_rows(figure.row(case.name), now), None)
            covered = groups.loc[groups["grouping"] == "all", "persons_covered"].iloc[0]
            persons, cost = Persons(0.0, 0.0, float(covered)), None
        else:
            reason = _in_order_of(case, today.case, today.reason)
            groups = figure_rows(figure.row(case.name), now, ZoneFigure(today.case.zones.table, before, reason))
            groups = self._with_spreads(groups, found)
            if is_random(case):
                groups = groups.assign(low=np.nan, high=np.nan)
            every = groups[groups["grouping"] == "all"].iloc[0]
            persons = Persons(*(float(every[f"persons_{way}"]) for way in Persons._fields))
            cost = proposal_cost(today.case, case)
        seconds = time.perf_counter() - began
        return Answer(case, figure, found.value, found.reason, change, groups, persons, cost, seconds)

    def _with_spreads(self, groups: pd.DataFrame, found: Searched | None) -> pd.DataFrame:
        """With what departures within the window differ by, of the figure that ``compare`` says it of."""
        figure, today = self.figure, self._today
        said = figure.measure == "cumulative_opportunities" and figure.reading == "mean" and "/" not in figure.kind
        low, high = np.full(len(groups), np.nan), np.full(len(groups), np.nan)
        if (
            found is not None
            and said
            and figure.cutoff_min is not None
            and len(found.case.zones) == len(today.case.zones)
        ):
            headline, after = self._headline_of(found)
            before = after if found.each is today.each else self._headline_of(today)[1]
            n = len(headline.zone_rows)
            names = zip(headline.group_rows["grouping"], headline.group_rows["group"], strict=True)
            place = {name: row for row, name in enumerate(names)}
            rows = [place[name] for name in zip(groups["grouping"], groups["group"], strict=True)]
            low, high = (ends[rows] for ends in spread(before[n:], after[n:]))
        return groups.assign(spread_low=low, spread_high=high)

    def _headline_of(self, side: Searched) -> tuple[Headline, NDArray[np.float64]]:
        """How figures of groups follow from those of zones, and both of each departure; today's are kept."""
        case, today = side.case, self._today.case
        known = self._of_today
        if known is not None and case is today:
            return known
        headline = known[0] if known is not None and _same_people(case, today) else None
        if headline is None:
            cutoff = float(self.figure.cutoff_min or 0.0)
            headline = Headline.of(case, case, self.figure.day, [(self.figure.kind, cutoff)])
        found = headline, headline.of_origins([np.where(case.on_network[:, None], side.each, np.nan)])
        if case is today:
            self._of_today = found
        return found


def live(
    study: Study,
    day: str | None = None,
    window: str | None = None,
    kind: str | None = None,
    measure: str | None = None,
    cutoff_min: float | None = None,
    reading: str | None = None,
) -> Live:
    """A study kept ready to answer what one more idea is worth, in one window, by one figure.

    Parameters
    ----------
    study : Study
    day : str, optional
        The first of the study when left out.
    window : str, optional
        The first of the day.
    kind : str, optional
        Kind of destinations; employment where there is any, else shared spaces, else the first.
    measure : str, optional
        By its name in a study file or in tables; opportunities reached, in its headline reading (the mean over departures,
        of times the median).
    cutoff_min : float, optional
        The middle one of the study.
    reading : str, optional
        ``mean``, ``p50`` ...; the headline reading of the measure.

    Returns
    -------
    Live

    Raises
    ------
    UsageError
        The study has no such day, window, kind, measure, cutoff or reading.
    StudyError
        Nothing can be measured.
    """
    return Live(study, day, window, kind, measure, cutoff_min, reading)


def _evaluated(found: Evaluation, figure: Figure) -> Searched:
    """What an evaluation says of a figure that is not one of reach."""
    case = found.case
    rows = found.access[figure.of(found.access)]
    place = pd.Index(rows["neighbourhood"]).get_indexer(case.zones.table["id"])
    value, reason = rows["value"].to_numpy(np.float64)[place], rows["reason"].to_numpy(object)[place]
    nothing = np.zeros((len(case.zones.origins), 0))
    return Searched(case, case.networks[figure.day], value, reason, nothing)


def _changes_of(case: Case) -> list[Change]:
    """The changes that made a case, in order."""
    if case.applied is None or case.parent is None:
        return []
    own = [change for part in case.applied.scenario.chain() for change in part.changes if not change.off]
    return [*_changes_of(case.parent), *own]


def _n_apart(one: list[Change], other: list[Change]) -> int:
    """How many changes stand between what is the same at the beginning and at the end of two lists."""
    same = 0
    for pairs in (zip(one, other, strict=False), zip(reversed(one), reversed(other), strict=False)):
        for mine, its in pairs:
            if mine != its:
                break
            same += 1
    return max(len(one), len(other)) - min(same, len(one), len(other))


def _same_people(one: Case, other: Case) -> bool:
    """Whether neighbourhoods, and which of their points are on the network, are the same."""
    return one.zones is other.zones and np.array_equal(one.on_network, other.on_network)


def _in_order_of(case: Case, other: Case, values: NDArray[Any]) -> NDArray[Any]:
    """Values of another case's neighbourhoods in the order of this one's; missing (NaN, "") for those that it has not."""
    if case.zones is other.zones:
        return values
    place = pd.Index(other.zones.table["id"]).get_indexer(case.zones.table["id"])
    return np.where(place >= 0, values[place], "" if values.dtype == object else np.nan).astype(values.dtype)
