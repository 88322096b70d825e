"""Fares of a study: price lists by hand, and every way to pay tried one by one."""

from __future__ import annotations

import itertools
import math
import random

import pytest

from community_routes.base.times import HOUR
from community_routes.fares.tickets import (
    FareRide,
    Payment,
    TicketFares,
    burden,
    cheapest_day,
    cheapest_journey,
    cheapest_month,
)
from community_routes.sources.study.fares import Fares

STUDY = {
    "single": 3.00,
    "return": 5.50,
    "day": 6.00,
    "week": 24.00,
    "cap_single": 3.00,
    "routes": {"7": {"single": 2.00}},
    "agencies": {"A": {"day": 4.50}},
    "modes": {"rail": {"per_km": 0.25, "minimum": 2.50}},
    "concession": {"share": 0.15, "from": "09:30"},
}
PRICES = TicketFares(Fares.model_validate(STUDY))
A1 = FareRide("1", agency_id="A")
A7 = FareRide("r7", "7", agency_id="A")
B2 = FareRide("2", agency_id="B")
TRAIN = FareRide("T", agency_id="R", mode="rail", km=20.0)


def cents(payment: Payment | None) -> int:
    assert payment is not None
    assert sum(item[2] for item in payment.items) == payment.cents
    return payment.cents


def test_singles_come_from_the_most_specific_list() -> None:
    """Route 7 is 2.00 by its short name; others 3.00; the train 20 km at 0.25 is 5.00, a short one its minimum."""
    assert [PRICES.single(ride) for ride in (A1, A7, B2, TRAIN)] == [300, 200, 300, 500]
    assert PRICES.single(FareRide("T", mode="rail", km=1.0)) == 250


def test_a_cap_holds_for_each_single_but_not_on_a_mode_that_stands_apart() -> None:
    """Bus 8.00 capped at 3.00; the train is 5.00 under the same cap, until rail has a cap of its own."""
    dear = {**STUDY, "routes": {"X": {"single": 8.00}}}
    assert TicketFares(Fares.model_validate(dear)).single(FareRide("X")) == 300
    capped = {**STUDY, "modes": {"rail": {"per_km": 0.25, "cap_single": 4.00}}}
    assert TicketFares(Fares.model_validate(capped)).single(TRAIN) == 400


def test_an_unknown_fare_is_unknown_not_free() -> None:
    """Only route 7 has a price; a train of unknown distance has none; a walk costs nothing."""
    only = TicketFares(Fares.model_validate({"routes": {"7": {"single": 2.00}}}))
    assert cheapest_journey(only, [A7, A1]) is None
    assert cents(cheapest_journey(only, [A7])) == 200
    assert cheapest_journey(PRICES, [FareRide("T", mode="rail")]) is None
    assert cheapest_journey(PRICES, []) == Payment(0, ())


def test_a_day_ticket_pays_for_a_ride_without_a_single() -> None:
    only_day = TicketFares(Fares.model_validate({"day": 6.00}))
    assert cents(cheapest_journey(only_day, [A1, B2])) == 600


def test_one_journey() -> None:
    """7 and 1 of A: 2 + 3 = 5.00 in singles, 4.50 with A's day ticket. With B: 2 + 3 + 3 = 8, with the day of all 6."""
    assert cheapest_journey(PRICES, [A7, A1]) == Payment(450, (("day of agencies A", 1, 450),))
    assert cheapest_journey(PRICES, [A7, A1, B2]) == Payment(600, (("day", 1, 600),))
    assert cents(cheapest_journey(PRICES, [A1])) == 300


def test_the_general_day_ticket_does_not_pay_for_the_train() -> None:
    """Two buses of different operators and a train: 3 + 3 singles or 6 for the day, and 5 for the train in any case."""
    found = cheapest_journey(PRICES, [A1, B2, TRAIN])
    assert cents(found) == 1100


def test_a_day_out_and_back() -> None:
    """One bus of B each way: return 5.50 beats 6.00. Two buses of B each way: 6.00 for the day beats 11.00."""
    assert cheapest_day(PRICES, [B2], [B2]) == Payment(550, (("return", 1, 550),))
    assert cheapest_day(PRICES, [B2, B2], [B2, B2]) == Payment(600, (("day", 1, 600),))
    # route 7 is 2.00 each way: two singles beat the return
    assert cheapest_day(PRICES, [A7], [A7]) == Payment(400, (("single", 2, 400),))


def test_a_return_pairs_one_ride_out_with_one_back() -> None:
    """Without day tickets: two rides out, one back: one return 5.50 and one single 3.00."""
    plain = TicketFares(Fares.model_validate({"single": 3.00, "return": 5.50}))
    assert cheapest_day(plain, [A1, B2], [A1]) == Payment(850, (("return", 1, 550), ("single", 1, 300)))
    assert cents(cheapest_day(plain, [A1, B2], [])) == 600


def test_a_month_of_commuting() -> None:
    """B each way on 21 days: returns 115.50, day 126, week 24/5 * 21 = 100.80. Two days a week: 24/2 > 5.50: returns."""
    found = cheapest_month(PRICES, [B2], [B2])
    assert cents(found) == 10_080
    assert found is not None
    assert found.items == (("week", 5, 10_080),)
    assert cents(cheapest_month(PRICES, [B2], [B2], days=8, days_a_week=2)) == 8 * 550
    four = TicketFares(Fares.model_validate({**STUDY, "four_week": 80.00}))
    assert cents(cheapest_month(four, [B2], [B2])) == 21 * 8000 // 20


def test_a_month_mixes_a_week_ticket_with_singles_on_the_train() -> None:
    """Bus of B (week 4.80 a day) and a train without returns (2 * 5.00): 14.80 a day."""
    assert cents(cheapest_month(PRICES, [B2, TRAIN], [TRAIN, B2])) == 21 * 1480


def test_concession_times() -> None:
    """Free from 09:30 for those who hold it, not on the train."""
    holder = TicketFares(PRICES.fares, concession=True)
    early, late = (FareRide("1", agency_id="A", board_s=s) for s in (9 * HOUR + 1799, 9 * HOUR + 1800))
    assert [holder.single(early), holder.single(late), PRICES.single(late)] == [300, 0, 300]
    assert holder.single(FareRide("T", mode="rail", km=20.0, board_s=12 * HOUR)) == 500
    ends = Fares.model_validate(
        {"single": 3.0, "concession": {"share": 0.1, "from": "09:30", "to": "23:00", "price": 1.0}}
    )
    assert TicketFares(ends, concession=True).single(late) == 100
    assert TicketFares(ends, concession=True).single(FareRide("1", board_s=23 * HOUR)) == 300


def test_burden() -> None:
    """100.80 of 1,680 a month is 6 %."""
    assert burden(10_080, 1680) == pytest.approx(0.06)
    assert burden(None, 1680) is None
    assert burden(100, None) is None
    with pytest.raises(ValueError, match="above 0"):
        burden(100, 0)
    with pytest.raises(ValueError, match="no commuting"):
        cheapest_month(PRICES, [B2], [B2], days=0)


RIDES = [A1, A7, B2, TRAIN, FareRide("9", agency_id="B"), FareRide("8", agency_id="A", mode="tram")]


def by_trying_everything(rides: list[FareRide]) -> float:
    """Each ride by a single or by a ticket that is bought once, all assignments tried."""
    tickets = PRICES.tickets()
    best = math.inf
    for assignment in itertools.product([None, *tickets], repeat=len(rides)):
        if all(t is None or PRICES.covers(t, r) for t, r in zip(assignment, rides, strict=True)):
            bought = {t for t in assignment if t is not None}
            loose = sum(PRICES.single(r) for t, r in zip(assignment, rides, strict=True) if t is None)
            best = min(best, sum(t.cents for t in bought) + loose)
    return best


@pytest.mark.parametrize("seed", range(20))
def test_payment_equals_trying_everything(seed: int) -> None:
    rides = random.Random(seed).choices(RIDES, k=4)
    assert by_trying_everything(rides) == cents(cheapest_journey(PRICES, rides))


def test_laws_of_paying() -> None:
    """Another ride never makes a day cheaper; twice the prices are twice the cost; order of rides changes nothing."""
    doubled = TicketFares(
        Fares.model_validate({"single": 6.0, "return": 11.0, "day": 12.0, "agencies": {"A": {"day": 9.0}}})
    )
    halved = TicketFares(
        Fares.model_validate({"single": 3.0, "return": 5.5, "day": 6.0, "agencies": {"A": {"day": 4.5}}})
    )
    for out in itertools.product([A1, B2], repeat=2):
        day = cents(cheapest_day(halved, out, [A1]))
        assert cents(cheapest_day(doubled, out, [A1])) == 2 * day
        assert cents(cheapest_day(halved, out[::-1], [A1])) == day
        assert cents(cheapest_day(halved, (*out, B2), [A1])) >= day
