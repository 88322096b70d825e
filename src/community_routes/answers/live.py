"""A study kept ready, so that one more idea is answered at once."""

from __future__ import annotations

import threading
import time
from importlib import import_module
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from community_routes.answers.answer import Answer, Persons
from community_routes.answers.figure import chosen_figure, chosen_measure, chosen_slot
from community_routes.evaluation.case import Case, Study
from community_routes.evaluation.cost import proposal_cost
from community_routes.evaluation.draws import Headline, is_random, with_intervals, with_spreads
from community_routes.evaluation.evaluate import Asked, Evaluation, evaluate_case
from community_routes.measures.groups import group_rows
from community_routes.scenarios.file import Scenario


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
    ) -> None:
        began = time.perf_counter()
        self._lock = threading.RLock()
        case = Case.of(study)
        slot, chosen = chosen_slot(case, day, window), chosen_measure(case, measure)
        self._asked = Asked((slot,), (chosen,))
        self._base = evaluate_case(case, self._asked)
        self.figure = chosen_figure(slot, self._base.access, chosen, measure, kind, cutoff_min)
        self.today = self._answer(self._base, began)

    @property
    def study(self) -> Study:
        """What is asked about."""
        return self._base.study

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
            case = (parent or self.today).case.with_scenario(scenario)
            return self._answer(evaluate_case(case, self._asked, base=self._base), began)

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
            return self._answer(evaluate_case(case, self._asked, base=self._base), began)

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
        return import_module("community_routes.workbench.serve").show(self.study)

    def times(self, answer: Answer) -> NDArray[np.int32]:
        """Travel times of an answer's window: those kept, or searched again.

        Parameters
        ----------
        answer : Answer

        Returns
        -------
        int32, shape (n_origins, n_departures, n_destinations)
            Seconds, UNREACHED where there is no journey.
        """
        with self._lock:
            if answer.case is self._base.case:
                return self._base.time_s[self.figure.slot]
            return evaluate_case(answer.case, self._asked, base=self._base).time_s[self.figure.slot]

    def _answer(self, found: Evaluation, began: float) -> Answer:
        figure, today, case = self.figure, self._base, found.case
        now, before = (side.access[figure.of(side.access)].reset_index(drop=True) for side in (found, today))
        value, reason = _of_zones(case, now)
        old = _of_zones(today.case, before)[0]
        old = _in_order_of(case, today.case, old)
        change = np.where(old == value, 0.0, value - old)
        zones, zones_before = case.zones.table, today.case.zones.table
        if found is today:
            groups = with_spreads(group_rows(now, zones), None)
            covered = groups.loc[groups["grouping"] == "all", "persons_covered"].iloc[0]
            persons = Persons(0.0, 0.0, float(covered))
            return Answer(case, figure, value, reason, change, groups, persons, None, time.perf_counter() - began)
        groups = group_rows(now, zones, baseline=before, baseline_zones=zones_before)
        groups = with_spreads(groups, self._spread_of_groups(found))
        if is_random(case):
            groups = with_intervals(groups, None)
        every = groups[groups["grouping"] == "all"].iloc[0]
        persons = Persons(*(float(every[f"persons_{way}"]) for way in Persons._fields))
        cost = proposal_cost(today.case, case)
        return Answer(case, figure, value, reason, change, groups, persons, cost, time.perf_counter() - began)

    def _spread_of_groups(self, found: Evaluation) -> pd.DataFrame | None:
        """What departures within the window differ by, of the figure that ``compare`` says it of."""
        figure, today = self.figure, self._base
        headline = figure.measure == "cumulative_opportunities" and figure.reading == "mean" and "/" not in figure.kind
        if not headline or len(found.zones) != len(today.zones) or figure.cutoff_min is None:
            return None
        kinds = [(figure.kind, figure.cutoff_min)]
        sides = [Headline.of(side.case, found.case, figure.day, kinds) for side in (today, found)]
        before, after = (
            one.by_departure(side.time_s[figure.slot]) for one, side in zip(sides, (today, found), strict=True)
        )
        return sides[1].spreads(figure.window, before, after)[1]


def live(
    study: Study,
    day: str | None = None,
    window: str | None = None,
    kind: str | None = None,
    measure: str | None = None,
    cutoff_min: float | None = None,
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

    Returns
    -------
    Live

    Raises
    ------
    UsageError
        The study has no such day, window, kind, measure or cutoff.
    StudyError
        Nothing can be measured.
    """
    return Live(study, day, window, kind, measure, cutoff_min)


def _of_zones(case: Case, rows: pd.DataFrame) -> tuple[NDArray[np.float64], NDArray[np.object_]]:
    """Values and reasons in the order of the case's neighbourhoods."""
    place = pd.Index(rows["neighbourhood"]).get_indexer(case.zones.table["id"])
    return rows["value"].to_numpy(np.float64)[place], rows["reason"].to_numpy(object)[place]


def _in_order_of(case: Case, other: Case, values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Values of another case's neighbourhoods in the order of this one's; NaN for those that it has not."""
    if case.zones is other.zones:
        return values
    place = pd.Index(other.zones.table["id"]).get_indexer(case.zones.table["id"])
    return np.where(place >= 0, values[place], np.nan)
