"""Proposals that would help a site: which turns a missed standard into one that is met, and which of them is cheapest."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from community_routes.evaluation.cost import rates_of
from community_routes.network.store import fingerprint
from community_routes.scenarios.cost import operating_cost
from community_routes.scenarios.file import Scenario
from community_routes.sites.figures import Scene
from community_routes.sites.judge import Verdict

_QUANTITIES = ("cost", "bus_hours", "km", "peak_vehicles")


@dataclass(frozen=True, eq=False)
class Proposal:
    """A scenario, ready to have sites judged in it.

    Attributes
    ----------
    id, title : str
    scene : Scene
        The study as the scenario changes it.
    settings : str
        Hash of all that the figures of a place depend on in it, the place itself apart.
    cost, bus_hours, km, peak_vehicles : float
        Beyond today, a year (vehicles: at the peak); NaN where it is not known.
    """

    id: str
    title: str
    scene: Scene
    settings: str
    cost: float
    bus_hours: float
    km: float
    peak_vehicles: float


@dataclass(frozen=True, eq=False)
class Remedies:
    """What each proposal would do for the sites that miss a standard.

    Attributes
    ----------
    proposals : tuple of Proposal
    meets : bool, shape (n_proposals, n_standards, n_sites)
        Whether a site that misses the standard today meets it with the proposal.
    mends : bool, shape (n_proposals, n_sites)
        Whether a site that misses a required standard today meets all of them with the proposal.
    """

    proposals: tuple[Proposal, ...]
    meets: NDArray[np.bool_]
    mends: NDArray[np.bool_]

    def cheapest(self, helps: NDArray[np.bool_]) -> NDArray[np.int64]:
        """The cheapest proposal that helps each site, shape (n_sites,); -1 where none does.

        Proposals of unknown cost come after all others, by their bus-hours; of two alike, the one given first.

        Parameters
        ----------
        helps : bool, shape (n_proposals, n_sites)
            As in ``meets`` of one standard, or ``mends``.
        """
        found = np.full(helps.shape[1], -1, np.int64)
        for row in sorted(range(len(self.proposals)), key=lambda row: _rank(self.proposals[row]), reverse=True):
            found[helps[row]] = row
        return found


def _rank(proposal: Proposal) -> tuple[bool, float, float]:
    known = not math.isnan(proposal.cost)
    hours = math.inf if math.isnan(proposal.bus_hours) else proposal.bus_hours
    return not known, proposal.cost if known else 0.0, hours


def no_remedies(n_standards: int, n_sites: int) -> Remedies:
    """Where no proposals were given."""
    return Remedies((), np.zeros((0, n_standards, n_sites), np.bool_), np.zeros((0, n_sites), np.bool_))


def propose(today: Scene, scenario: Scenario) -> Proposal:
    """A study as a scenario changes it, and what that takes.

    Raises
    ------
    ScenarioError
        It cannot be applied to this study, or would change nothing.
    """
    scene = replace(today, case=today.case.with_scenario(scenario))
    feed, file, applied = today.case.feed, today.case.file, scene.case.applied
    assert applied is not None
    # Where a new route runs depends on the streets of today as well.
    settings = fingerprint(today.settings, scene.settings)[:32]
    figures = dict.fromkeys(_QUANTITIES, math.nan)
    routes = [*applied.changed_routes, *applied.new_routes]
    if routes or applied.drt:
        rates = rates_of(file, applied.scenario)
        year = operating_cost(feed, applied.feed, routes, file.dates, rates, drt=applied.drt).year
        figures = {name: float(year.loc[name, "change"]) for name in _QUANTITIES}
    return Proposal(scenario.scenario, scenario.name, scene, settings, **figures)


def find_remedies(
    proposals: Sequence[Proposal], today: Sequence[Verdict], then: Sequence[Sequence[Verdict]]
) -> Remedies:
    """Which proposals turn a missed standard into one that is met.

    Parameters
    ----------
    proposals : sequence of Proposal
    today : sequence of Verdict
        One for each standard, of all sites.
    then : sequence of sequence of Verdict
        The same under each proposal; of a site that was not tried, nothing is met.
    """
    n_sites = len(today[0].passed) if today else 0
    missed = np.array([verdict.passed for verdict in today]).reshape(len(today), n_sites) == 0
    passed = np.array([[verdict.passed for verdict in verdicts] for verdicts in then], np.bool_)
    passed = passed.reshape(len(proposals), len(today), n_sites)
    required = np.array([verdict.standard.required for verdict in today], np.bool_)
    mends = passed[:, required].all(axis=1) & missed[required].any(axis=0)
    return Remedies(tuple(proposals), passed & missed, mends)
