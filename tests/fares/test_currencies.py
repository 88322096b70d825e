"""Money of one currency: which a study counts in, what is not in it, and fares of networks in routes.txt."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from community_routes.base.errors import ScenarioError, StudyError
from community_routes.base.notices import Notice
from community_routes.evaluation.case import open_study
from community_routes.evaluation.evaluate import evaluate
from community_routes.evaluation.results import compare
from community_routes.fares.feed import check_fares, money_of
from community_routes.fares.machine import NO_PRICE_CENTS
from community_routes.fares.products import build_flat_products
from community_routes.report.page import page_html
from community_routes.scenarios.file import Scenario
from community_routes.sources.gtfs.read import read_feed
from community_routes.sources.study.fares import Fares
from drawn import drawn_feed
from feed_zip import feed_zip
from priced import QUICK_OR_CHEAP, attributes, minutes, table, with_fares
from small_town import STUDY, town_study

ATTRIBUTES = "fare_id,price,currency_type,payment_method,transfers"


def rules(*rows: str) -> pd.DataFrame:
    return table("fare_id,route_id", *rows)


def test_two_currencies_are_never_added() -> None:
    """A to Z on routes 1 and 2 for 2.00 pounds and 300 yen, or on route 3, slower, for 4.00 pounds: not for 302, nor for 304."""
    fares = {
        "fare_attributes": attributes("f,2.00,GBP,0,0,,", "g,300,JPY,0,0,,", "h,4.00,GBP,0,0,,"),
        "fare_rules": rules("f,1", "g,2", "h,3"),
    }
    assert minutes(fares, [3.99, 4, 302, 500], *QUICK_OR_CHEAP) == [None, 50, 50, 50]
    assert minutes(fares, [302, 400], *QUICK_OR_CHEAP[:2]) == [None, None]
    # In yen only route 2 has a price; and the study's general single does not stand in for a price that is there.
    assert minutes(fares, [1000], *QUICK_OR_CHEAP, study={"currency": "JPY"}) == [None]
    assert minutes(fares, [1000], *QUICK_OR_CHEAP[:2], study={"gtfs": True, "single": 1}) == [None]


def test_products_of_two_currencies() -> None:
    """Route 1 for 2.50 euros, route 2 for 100 dollars; product d costs 3 euros or 5 dollars: the euros are taken."""
    fares = {
        "fare_products": table("fare_product_id,amount,currency", "p,2.50,EUR", "q,100,USD", "d,3,EUR", "d,1,USD"),
        "fare_leg_rules": table("network_id,fare_product_id", "one,p", "two,q", "three,d"),
        "route_networks": table("network_id,route_id", "one,1", "two,2", "three,3"),
    }
    assert minutes(fares, [2.99, 3, 500], *QUICK_OR_CHEAP) == [None, 50, 50]
    products = build_flat_products(fares)
    assert products is not None
    singles = [products.single(*ride) for ride in (("1", "A", "M"), ("2", "M", "Z"), ("3", "A", "Z"))]
    assert singles == [250, NO_PRICE_CENTS, 300]


def test_networks_in_routes_are_networks() -> None:
    """Routes 1 and 2 in the network n for 1.00 each, route 3 in no network for 5.00, wherever that is stated."""
    fares = {
        "fare_products": table("fare_product_id,amount,currency", "p,1.00,GBP", "q,5.00,GBP"),
        "fare_leg_rules": table("network_id,fare_product_id", "n,p", ",q"),
    }
    feed = drawn_feed(*QUICK_OR_CHEAP)
    routes = feed.routes.assign(network_id=["n", "n", ""])
    for products in (
        build_flat_products(fares, routes),
        build_flat_products(fares | {"route_networks": table("network_id,route_id", "n,1", "n,2")}, feed.routes),
        # Of one timetable the networks stand in routes, of another in route_networks; the latter hold.
        build_flat_products(fares | {"route_networks": table("network_id,route_id", "n,2")}, routes),
    ):
        assert products is not None
        assert [products.single(name, "A", "M") for name in ("1", "2", "3")] == [100, 100, 500]


def test_rules_with_priorities() -> None:
    """Route 1 for 1.00 in its network (priority 2), every other ride for 5.00 (1), before a cheaper rule of none (0).

    With priorities a blank network is any at all; without the column it is any that no rule names.
    """
    fares = {
        "fare_products": table("fare_product_id,amount,currency", "p,1.00,GBP", "q,5.00,GBP", "r,0.50,GBP"),
        "fare_leg_rules": table("network_id,fare_product_id,rule_priority", "n,p,2", ",q,1", ",r,"),
        "route_networks": table("network_id,route_id", "n,1"),
    }
    ranked = build_flat_products(fares)
    assert ranked is not None
    assert [ranked.single(name, "A", "M") for name in ("1", "2")] == [100, 500]
    plain = build_flat_products(fares | {"fare_leg_rules": fares["fare_leg_rules"].drop(columns="rule_priority")})
    assert plain is not None
    assert [plain.single(name, "A", "M") for name in ("1", "2")] == [100, 50]
    fares["fare_leg_rules"].loc[2, "rule_priority"] = "high"
    with pytest.raises(ValueError, match="rule_priority 'high'"):
        build_flat_products(fares)


def test_networks_are_read_kept_and_not_stated_twice(tmp_path: Path) -> None:
    routes = "route_id,agency_id,route_short_name,route_type,network_id\nR7,OP1,7,3,north\n"
    plain = read_feed(feed_zip(tmp_path / "bus.zip", routes=routes))
    assert plain.routes["network_id"].tolist() == ["north"]
    notices: list[Notice] = []
    both = feed_zip(tmp_path / "both.zip", routes=routes, route_networks="network_id,route_id\nsouth,R7\n")
    read_feed(both, notices=notices)
    assert [(n.file, n.field) for n in notices if n.code == "networks_twice"] == [
        ("both.zip/route_networks.txt", "network_id")
    ]
    joined = read_feed([tmp_path / "bus.zip", both])
    assert joined.routes["network_id"].tolist() == ["bus:north", "both:north"]
    assert joined.fares["route_networks"]["route_id"].tolist() == ["both:R7"]


def test_the_money_of_a_study() -> None:
    """The one it states, pounds beside its own prices, that of most fares of the timetable; of as many, pounds."""
    yen = with_fares(drawn_feed(*QUICK_OR_CHEAP), {"fare_attributes": attributes("f,300,JPY,0,0,,")})
    two = with_fares(yen, {"fare_attributes": attributes("f,2,EUR,0,0,,", "g,300,JPY,0,0,,", "h,4,JPY,0,0,,")})
    even = with_fares(yen, {"fare_attributes": attributes("f,300,EUR,0,0,,", "g,2,gbp,0,0,,")})
    blank = with_fares(yen, {"fare_attributes": attributes("f,2,,0,0,,")})

    def money(feed: Any, **study: Any) -> str:
        return money_of(feed, Fares.model_validate(study) if study else None)

    assert [money(feed) for feed in (yen, two, even, blank, drawn_feed(*QUICK_OR_CHEAP))] == [
        "JPY",
        "JPY",
        *["GBP"] * 3,
    ]
    assert [money(yen, budgets=[300]), money(yen, single=3), money(yen, gtfs=False)] == ["JPY", "GBP", "GBP"]
    assert [money(yen, single=3, currency="EUR"), money(two, currency="EUR")] == ["EUR", "EUR"]


def test_what_is_said_of_other_currencies() -> None:
    """Rows 3 and 4 of three are in yen; nothing in the study's money at all is refused, with the cure."""
    fares = {"fare_attributes": attributes("f,2.00,GBP,0,0,,", "g,300,JPY,0,0,,", "h,4,JPY,0,0,,")}
    feed = with_fares(drawn_feed(*QUICK_OR_CHEAP), fares)
    notices: list[Notice] = []
    check_fares(feed, Fares(gtfs=True, single=3), notices)
    assert [(n.code, n.file, n.row, n.field, n.value) for n in notices] == [
        ("fares_of_another_currency", "fare_attributes.txt", 3, "currency_type", "JPY")
    ]
    assert "2 (rows 3, 4) count in JPY, this study in GBP" in notices[0].message
    for study in (Fares(gtfs=True, single=3, currency="EUR"), Fares(budgets=(2,), currency="EUR")):
        notices.clear()
        check_fares(feed, study, notices)
        assert [(n.code, n.severity) for n in notices] == [("currencies_meet", "error")]
        assert "`currency: GBP`" in notices[0].message


@pytest.mark.parametrize(
    ("study", "known"),
    [
        ({"budgets": [3]}, False),
        ({"single": 2.5}, True),
        ({"day": 5}, True),
        ({"routes": {"99": {"single": 1}}}, False),
        ({"modes": {"bus": {"per_km": 0.2}}}, True),
        ({"modes": {"rail": {"single": 4}}}, False),
    ],
)
def test_a_study_without_any_known_fare_says_so(study: dict[str, Any], known: bool) -> None:
    """Three bus routes, named 1 to 3, of a timetable without fares."""
    notices: list[Notice] = []
    check_fares(drawn_feed(*QUICK_OR_CHEAP), Fares.model_validate(study), notices)
    assert [n.code for n in notices] == ([] if known else ["every_fare_unknown"])


def test_fares_of_zones_that_no_ride_joins_are_all_unknown() -> None:
    """From zone X to zone Y: known where some ride goes from a stop of X to a later one of Y."""
    fares = {
        "fare_attributes": attributes("f,2.00,GBP,0,0,,"),
        "fare_rules": table("fare_id,origin_id,destination_id", "f,X,Y"),
    }
    for zones, codes in (({"A": "X", "Z": "Y"}, []), ({"A": "Y", "Z": "X"}, ["every_fare_unknown"])):
        notices: list[Notice] = []
        check_fares(with_fares(drawn_feed(*QUICK_OR_CHEAP), fares, zones), Fares(budgets=(2,)), notices)
        assert [n.code for n in notices] == codes


YEN = """\
measures: [affordability, {commuting_cost: {key: shared_spaces, share: 0.25}}]
fares: {budgets: [300, 600]}
"""


def yen_town(folder: Path, text: str = YEN) -> Path:
    path = town_study(folder, STUDY + text)
    with zipfile.ZipFile(folder / "bus.zip", "a") as archive:
        archive.writestr("fare_attributes.txt", f"{ATTRIBUTES}\nf,300,JPY,0,0\n")
    return path


def test_a_study_of_another_currency_prints_it_everywhere(tmp_path: Path) -> None:
    """300 yen a ride; a quarter of seven places (two) within the hour is P0 and one ride: 21 x 2 x 300 = 12,600 a month."""
    study = open_study(yen_town(tmp_path))
    assert study.currency == "JPY"
    result = compare(evaluate(study)).results
    cost = result.access.query("measure == 'commuting_cost_25' and neighbourhood == 'P0' and cutoff_min == 60")
    assert list(zip(cost["value"], cost["unit"], strict=True)) == [(12_600.0, "JPY per month")]
    page = page_html(result)
    assert "£" not in page
    assert "JPY\u00a012,600" in page
    assert "For JPY\u00a0300 or less" in page


def test_a_proposal_counts_in_the_money_of_the_timetable(tmp_path: Path) -> None:
    """A price of one route stands beside the timetable's fares, in yen; another currency, or tickets, are refused."""
    study = open_study(yen_town(tmp_path))
    change = {"change_fare": {"routes": {"L1": {"single": 100}}}}
    cheap = evaluate(study, Scenario.model_validate({"scenario": "cheap", "changes": [change]}))
    found = cheap.access.query("measure == 'commuting_cost_25' and neighbourhood == 'P0' and cutoff_min == 60")
    assert list(zip(found["value"], found["unit"], strict=True)) == [(21 * 2 * 100.0, "JPY per month")]
    reached = cheap.access.query(
        "measure == 'affordable_opportunities_600' and neighbourhood == 'P1' and cutoff_min == 60"
    )
    today = evaluate(study).access.query("measure == 'affordable_opportunities_600' and neighbourhood == 'P1'")
    assert reached["value"].item() == today[today["cutoff_min"] == 60]["value"].item() > 0
    for given in ({"currency": "GBP"}, {"routes": {"L1": {"day": 500}}}):
        with pytest.raises(ScenarioError, match=r"another currency|not tickets"):
            evaluate(study, Scenario.model_validate({"scenario": "odd", "changes": [{"change_fare": given}]}))


def test_prices_in_pounds_beside_fares_in_yen_are_refused(tmp_path: Path) -> None:
    with pytest.raises(StudyError, match=r"the study's money is GBP.* in JPY"):
        open_study(yen_town(tmp_path, "fares: {gtfs: true, single: 2, budgets: [3]}\n"))


def test_rows_are_those_of_the_file(tmp_path: Path) -> None:
    """A blank line stands before the fare in yen; of two timetables each notice names its own file."""
    fares = f"{ATTRIBUTES}\nf,2.00,GBP,0,0\n\ng,300,JPY,0,0\n"
    paths = [feed_zip(tmp_path / f"{name}.zip", fare_attributes=fares) for name in ("one", "two")]
    notices: list[Notice] = []
    check_fares(read_feed(paths), Fares(budgets=(3,)), notices)
    assert [(n.file, n.row) for n in notices] == [
        ("one.zip/fare_attributes.txt", 4),
        ("two.zip/fare_attributes.txt", 4),
    ]
