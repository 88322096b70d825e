"""The list of measures: a study chooses from it by name, and it knows what every column of figures in the tables means."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from community_routes.measures.competition import Competition
from community_routes.measures.measure import Column, Facts, Measure
from community_routes.measures.money import Affordability, Commuting
from community_routes.measures.nearby import Service
from community_routes.measures.reached import (
    SHARE_REACHED,
    Cumulative,
    Dual,
    Gravity,
    Interval,
    Isolated,
    Nearest,
    NumberOfPlaces,
)
from community_routes.measures.wards import OtherWards

EMPLOYMENT = "employment"
MEASURES: list[type[Measure]] = [
    Affordability,
    Commuting,
    Competition,
    Cumulative,
    Dual,
    Gravity,
    Interval,
    Isolated,
    Nearest,
    NumberOfPlaces,
    OtherWards,
    Service,
]
"""Every measure; one that is added here can be asked for in a study file."""

SHARE_OF_JOBS = Column("share_of_jobs", "Share of jobs that can be done by bus")
POVERTY = Column("poverty_of_access_of", "Residents in poverty of access", better="less", settings=("measure",))
BESIDE = (SHARE_REACHED, SHARE_OF_JOBS, POVERTY)
"""Columns that stand beside those of the measures: of times, of the working day, of equity."""


def build_measure(name: str, settings: Mapping[str, Any], facts: Facts) -> Measure:
    """A measure by its name in a study file.

    Raises
    ------
    ValueError
        The name or a setting is unknown, or the study lacks what the measure needs; the message names what is allowed.
    """
    found = next((measure for measure in MEASURES if name in measure.names), None)
    if found is None:
        known = sorted(name for measure in MEASURES for name in measure.names)
        raise ValueError(f"{name!r} is no measure; write one of {', '.join(known)}")
    allowed = found.settings
    if allowed is not None and (extra := set(settings) - set(allowed)):
        raise ValueError(f"{name} has no setting {sorted(extra)}; it takes {sorted(allowed) or 'none'}")
    return found.of(name, settings, facts)


def default_measures(facts: Facts) -> list[Measure]:
    """What a study measures when it chooses nothing.

    Opportunities within each cutoff, and the nearest; for whole keys also who has nothing within a cutoff, and the mean over
    the cutoffs from 30 to 60 minutes, so that no single cutoff decides; service near home; with two wards or more the share of
    the other wards, with budgets what they reach, and with fares and employment what a month of commuting costs.
    """
    found: list[Measure] = [
        Cumulative(facts.cutoffs_min),
        Nearest(),
        Isolated(facts.cutoffs_min, for_kinds=False),
        Interval(for_kinds=False),
        Service(),
    ]
    if facts.n_wards > 1:
        found.append(OtherWards())
    if facts.fares is not None and facts.fares.budgets:
        found.append(Affordability())
    if facts.fares is not None and EMPLOYMENT in facts.keys:
        found.append(build_measure("commuting_cost", {}, facts))
    return found


def column_of(name: str) -> Column:
    """What a published name of figures means: declared by its measure, or else a column of which more is better."""
    known = [column for measure in MEASURES for column in measure.columns] + list(BESIDE)
    fitting = [column for column in known if column.read(name) is not None]
    return max(fitting, key=lambda column: len(column.id), default=Column(name))


def less_is_better(name: str) -> bool:
    """Whether a smaller figure of this name is the better one (a time, a cost, poverty)."""
    return column_of(name).better == "less"
