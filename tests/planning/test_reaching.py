"""Extensions and links on the sample: where they go, that they can be made, and in which hours."""

from __future__ import annotations

import numpy as np
import pytest

from community_routes.base.earth import great_circle_m
from community_routes.evaluation.case import open_study, sample_study
from community_routes.planning.optimising.aim import Aim, Objective
from community_routes.planning.optimising.candidates import routes_near
from community_routes.planning.optimising.design import composed
from community_routes.planning.optimising.reaching import Reaching
from community_routes.scenarios.changes.add_route import AddRoute
from community_routes.scenarios.changes.extend_route import ExtendRoute


@pytest.fixture(scope="module")
def reaching() -> Reaching:
    objective = Objective.of(open_study(sample_study()), Aim(windows=("evening", "morning_peak")))
    return Reaching(objective, tuple(routes_near(objective.case, ())))


def test_routes_go_on_to_those_who_have_least(reaching: Reaching) -> None:
    """From a terminus over 400 m and under 2.5 km to a stop within 500 m of a neighbourhood of the worst third."""
    case, found = reaching.objective.case, list(reaching.extensions())
    assert found
    stops = case.feed.stops.set_index("stop_id")[["lon", "lat"]]
    value = reaching.objective.today.mean(axis=0)
    mine = value[(reaching.objective.group.persons > 0) & ~np.isnan(value)]
    worst = np.flatnonzero((value <= np.sort(mine)[round(len(mine) / 3) - 1]) & (reaching.objective.group.persons > 0))
    homes = case.zones.origins.drop_duplicates("zone")[["lon", "lat"]].to_numpy(float)[worst]
    for candidate in found:
        (change,) = candidate.changes
        assert isinstance(change, ExtendRoute)
        (end,) = (stops.loc[place.text] for place in change.stops)
        start = stops.loc[change.after.text]
        assert great_circle_m(end.lon, end.lat, homes[:, 0], homes[:, 1]).min() <= 500
        assert great_circle_m(start.lon, start.lat, homes[:, 0], homes[:, 1]).min() <= 2_500
        assert len({one.id for one in found}) == len(found)


def test_links_join_what_is_kept_apart(reaching: Reaching) -> None:
    """Buses in the hours of the two windows alone, by stops that there are; the first of them can be made."""
    case, found = reaching.objective.case, list(reaching.links())
    assert found and len(found) % 3 == 0
    stops = set(case.feed.stops["stop_id"])
    for candidate in found:
        (change,) = candidate.changes
        assert isinstance(change, AddRoute) and change.stops is not None
        assert {place.text for place in change.stops} <= stops
        assert set(change.service) == {"weekday"} and set(change.service["weekday"]) == {"07:00-09:00", "18:00-22:00"}
    made = case.with_scenario(composed([found[0]]))
    assert made.applied is not None and len(made.applied.new_routes) == 1
