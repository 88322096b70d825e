"""An answer as the API gives it: figures by neighbourhood and group, who gains, what it costs, and scales that stay."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from community_routes.answers.answer import Answer
from community_routes.answers.live import Live
from community_routes.base.notices import Notice
from community_routes.evaluation.differences import rank_proposals
from community_routes.measures.list import less_is_better
from community_routes.report import words
from community_routes.report.maps.scale import Scale, change_scale, sequential_scale
from community_routes.scenarios.cost import OperatingCost
from community_routes.workbench.catalogue import group_id, group_label, unit_of
from community_routes.workbench.mapping import number, numbers
from community_routes.workbench.models import (
    CostAnswer,
    Fault,
    Figures,
    GroupAnswer,
    Neighbourhoods,
    PersonsAnswer,
    ScaleAnswer,
    Scales,
    Start,
)

_SHOWN = ("all", "local", "group")
_USUAL_CHANGE = 0.1
"""What a proposal rarely moves a neighbourhood's figure by, as a share: the scale of changes is laid out for it."""


def faults_of(notices: Iterable[object]) -> list[Fault]:
    """Notices with their places, as the API gives them."""
    return [
        Fault(
            severity=one.severity,
            kind=one.code,
            message=one.message,
            file=one.file,
            line=one.row,
            column=one.column,
            field=one.field,
        )
        for one in notices
        if isinstance(one, Notice)
    ]


def neighbourhoods_of(answer: Answer, asked: Live) -> Neighbourhoods:
    """The figure of every neighbourhood; one that the proposal adds has none today."""
    ids = answer.case.zones.table["id"].astype(str)
    before = asked.today
    place = pd.Index(before.case.zones.table["id"].astype(str)).get_indexer(ids)
    today = np.where(place >= 0, before.value[place], np.nan)
    return Neighbourhoods(
        id=ids.tolist(),
        today=numbers(today),
        value=numbers(answer.value),
        change=numbers(answer.change),
        reason=[str(one) for one in answer.reason],
    )


def scales_of(asked: Live) -> Scales:
    """Scales of a figure and of its change: told from today alone, so that colours do not jump while one draws."""
    unit, low = asked.figure.unit, less_is_better(asked.figure.measure)
    today = words.in_unit(1.0, unit) * asked.today.value
    level = sequential_scale(today if np.isfinite(today).any() else np.zeros(1), low_is_good=low)
    change = change_scale(_USUAL_CHANGE * today, low_is_good=low)
    return Scales(level=_scale(level, unit), change=_scale(change, unit))


def _scale(scale: Scale, unit: str) -> ScaleAnswer:
    """Limits in the unit of the tables, labels in the one that people are shown."""
    breaks = [limit / words.in_unit(1.0, unit) for limit in scale.breaks]
    return ScaleAnswer(breaks=breaks, colors=list(scale.colors), labels=list(scale.labels), unit=words.unit_name(unit))


def figures_of(answer: Answer, asked: Live, choice: Start) -> Figures:
    """What a proposal is worth for groups of residents, and what it costs."""
    groups = _groups(answer)
    lead = next((one for one in groups if one.id == choice.group), groups[0] if groups else None)
    cost = answer.cost
    return Figures(
        choice=choice,
        unit=unit_of(asked.figure.unit),
        groups=groups,
        persons=_persons(answer, asked),
        cost=None if cost is None else _cost(cost),
        gain_per_1000_bus_hours=_gain(answer.scenario, lead, cost, less_is_better(asked.figure.measure)),
    )


def _groups(answer: Answer) -> list[GroupAnswer]:
    table = answer.groups
    has_today = "baseline" in table.columns
    found = []
    for row in table[table["grouping"].isin(_SHOWN)].to_dict("records"):
        today = number(row["baseline"]) if has_today else None
        value = number(row["value"])
        if answer.case.applied is None:
            today = value
        change = 0.0 if answer.case.applied is None and value is not None else number(row.get("change"))
        percent = 100 * change / today if change is not None and today else None
        grouping, group = str(row["grouping"]), str(row["group"])
        found.append(
            GroupAnswer(
                id=group_id(grouping, group),
                grouping=grouping,
                group=group,
                label=group_label(grouping, group),
                today=today,
                value=value,
                change=change,
                change_percent=percent,
                population=float(row["persons"]),
            )
        )
    return found


def _persons(answer: Answer, asked: Live) -> PersonsAnswer:
    """Residents by what becomes of their figure; those who gain or lose one at all are counted apart."""
    persons = answer.case.zones.table["population"].to_numpy(np.float64)
    ids = answer.case.zones.table["id"]
    before = asked.today
    place = pd.Index(before.case.zones.table["id"]).get_indexer(ids)
    had: NDArray[np.bool_] = (place >= 0) & np.isfinite(before.value[place])
    has: NDArray[np.bool_] = np.isfinite(answer.value)
    better, worse, same = answer.persons
    return PersonsAnswer(
        better=better,
        worse=worse,
        same=same,
        gained=float(np.nansum(persons[has & ~had & (place >= 0)])),
        lost=float(np.nansum(persons[had & ~has])),
    )


def _cost(cost: OperatingCost) -> CostAnswer:
    change = cost.year["change"]
    return CostAnswer(
        bus_hours=number(change["bus_hours"]),
        vehicle_km=number(change["km"]),
        buses=number(change["peak_vehicles"]),
        cost=number(change["cost"]),
        missing=cost.missing,
        assumptions=list(cost.assumptions),
    )


def _gain(scenario: str, lead: GroupAnswer | None, cost: OperatingCost | None, less: bool) -> float | None:
    """What the group gains for a thousand further bus-hours of a year, as proposals are ranked by; None where none are needed."""
    if lead is None or lead.change is None or cost is None:
        return None
    gain = -lead.change if less else lead.change
    ranked = rank_proposals([(scenario, gain, cost.bus_hours, None)])
    each = number(ranked["gain_per_bus_hour"].iat[0])
    return None if each is None else 1000 * each
