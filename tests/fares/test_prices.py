"""Prices of many rides at once: the same as one by one, for every price list, distance and time of boarding."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from community_routes.base.earth import great_circle_m
from community_routes.fares.by_ticket import TicketKind, TicketsHeld
from community_routes.fares.machine import Rides
from community_routes.fares.tickets import FareRide, TicketFares
from community_routes.network.network import assemble_network
from community_routes.sources.study.fares import Fares
from drawn import DATE, drawn_feed, footpath_matrix, links_of

LISTS: list[dict[str, object]] = [
    {"single": 2.0},
    {"per_km": 0.25},
    {"per_km": 0.25, "minimum": 1.1, "cap_single": 4.0},
    {"per_km": 0.07, "modes": {"rail": {"per_km": 0.31, "minimum": 2.5}}},
    {"single": 2.0, "modes": {"rail": {"per_km": 0.31, "cap_single": 5.0}}},
    {"per_km": 0.25, "routes": {"5": {"minimum": 1.0}}, "concession": {"share": 0.2, "from": "09:30", "price": 0.5}},
    {"modes": {"bus": {"single": 1.0}}},
]


@pytest.mark.parametrize("prices", LISTS)
def test_many_distances_cost_what_each_costs(prices: dict[str, object]) -> None:
    """A thousand distances from 0 to 60 km, halves of a penny among them, and one that is unknown."""
    km = np.concatenate([np.random.default_rng(3).uniform(0, 60, 900), np.arange(0, 10, 0.1), [math.inf]])
    fares = Fares.model_validate(prices)
    for concession in (False, True):
        priced = TicketFares(fares, concession=concession)
        for mode in ("bus", "rail"):
            for board_s in (8 * 3600, 10 * 3600):
                ride = FareRide("r5", "5", "A", "Acme", mode, board_s=board_s)
                alone = [priced.single(replace(ride, km=float(one))) for one in km]
                assert priced.singles(ride, km).tolist() == alone


def test_every_boarding_of_a_train_is_priced_by_its_distance() -> None:
    """Three stops along the equator, 0.1 and 0.2 degrees apart: 11.12 km and 22.24 km at 0.10, and 33.36 km."""
    lines = ["T: A 08:05  M 08:10  Z 08:15", "5: A 08:00  Z 08:30"]
    places = {"A": (0.0, 0.0), "M": (0.1, 0.0), "Z": (0.3, 0.0)}
    feed = drawn_feed(*lines, places=places, route_types={"T": 2})
    network = assemble_network(feed, DATE, links_of(footpath_matrix(feed, {})), slack_s=0)
    fares = TicketFares(Fares.model_validate({"single": 1.0, "modes": {"rail": {"per_km": 0.1}}}))
    hops = network.timetable
    rides = Rides(network, TicketsHeld(fares, network), np.arange(hops.n_runs))
    found, kinds = rides.classes(*np.ones((2, hops.n_stops), np.bool_)), rides.kinds
    train = int(np.flatnonzero(np.diff(hops.first) == 2)[0])
    bus = 1 - train
    assert kinds[found.run_class[bus]] == TicketKind(100, ())
    assert found.run_class[train] == -1
    square = found.pair_class[found.pair_first[train] : found.pair_first[train] + 4].reshape(2, 2)
    metres = [float(great_circle_m(a, 0.0, b, 0.0)) for a, b in ((0.0, 0.1), (0.1, 0.3), (0.0, 0.3))]
    ridden = [kinds[square[i, j]] for i, j in ((0, 0), (1, 1), (0, 1))]
    assert ridden == [TicketKind(round(m / 1000 * 10), ()) for m in metres]
    assert square[1, 0] == -1
