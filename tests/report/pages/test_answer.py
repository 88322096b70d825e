"""The verdict across proposals, in words and in a row for each."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

from community_routes.report.brief import brief_html
from community_routes.report.page import page_html
from community_routes.report.results import Results
from report.made_results import made_results


def words_of(html: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", html).split())


def answer_of(results: Results) -> str:
    html = page_html(results)
    return words_of(html[html.index('<section id="answer"') :].partition("</section>")[0])


def town(*changes: dict[str, Any], **more: Any) -> Results:
    """Proposals of the made-up town, each with other attributes."""
    results = made_results(25, proposals=len(changes))
    scenarios = tuple(replace(s, **change) for s, change in zip(results.scenarios, changes, strict=True))
    return made_results(25, proposals=len(changes), scenarios=scenarios, **more)


def test_who_gives_most_at_what_cost_and_to_whom() -> None:
    """The second proposal adds twice as much in the evening; it costs 352,000 a year, the first 312,000."""
    said = answer_of(town({}, {}))
    assert said.startswith("The verdict B Doubled Sunday buses gives the most deprived fifth most:")
    assert re.search(
        r"in the evening: [\d.]+ instead of [\d.]+ \(figures for 4,570 of 5,800 \) , for about £ 352,000", said
    )
    assert re.search(r"A resident who gains costs least with A : about £ \d+ a year; most with B : about £ \d+", said)


def test_losers_are_counted_with_the_reason() -> None:
    """In the morning each seventh neighbourhood loses 0.25; what a proposal takes away and what runs at other times is said."""
    said = answer_of(town({"retimed": ("2", "3")}, {"withdrawn": ("12",)}))
    assert re.search(r"with A in the morning peak, because routes 2 and 3 run at other minutes than today", said)
    assert re.search(r"with B in the morning peak, because buses of route 12 are taken away", said)
    groups = made_results(25, proposals=2).groups.assign(persons_worse=0.0)
    assert "Nobody would lose." in answer_of(made_results(25, proposals=2, groups=groups))


def test_costs_of_one_basis_are_said_once_and_others_are_marked() -> None:
    bus, dear = {"per_bus_hour": 48.0, "per_km": 1.1}, {"per_bus_hour": 52.0}
    alike = answer_of(town({"rates": bus}, {"rates": bus}))
    assert alike.count("£48 / bus-hour, £1.10 / km") == 1 and "own rates" not in alike
    apart = answer_of(town({"rates": bus}, {"rates": dear, "own_rates": True}))
    assert apart.count("own rates") == 1
    assert "£48 / bus-hour, £1.10 / km (the others); £52 / bus-hour (B)" in apart


def test_a_saving_is_no_cost() -> None:
    """B, whose gain is greatest, saves 190,000."""
    said = answer_of(town({}, {"cost": {"cost_per_year": -190_400.0}}))
    assert "and saves about £ 190,000 a year" in said
    assert "B would save money and still give something." in said


def test_the_page_speaks_no_command_line() -> None:
    random = {"is_random": True, "random": ("assumed clock times of the proposal: 84 trips",)}
    results = town(random, random)
    groups = results.groups.assign(low=float("nan"), high=float("nan"))
    html = page_html(replace(results, groups=groups))
    text = words_of(re.sub(r"<(script|style)[^>]*>.*?</\1>", "", html, flags=re.S))
    assert "--" not in text and "community-routes run" not in text
    assert text.count("departure times that nobody has written yet") == 1


def test_the_brief_has_the_verdict_each_proposal_and_one_map() -> None:
    html = brief_html(town({}, {}))
    assert "gives the most deprived fifth most" in words_of(html)
    assert html.count('<svg class="map"') == 1
    assert len(re.findall(r'<tr><th scope="row">', html)) == 2
    assert "<script" not in html
    today = brief_html(made_results(25, proposals=0))
    assert today.count('<svg class="map"') == 1 and "<table" not in today
