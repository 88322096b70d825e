"""What it costs to travel, in the page: a month of commuting by deprivation, who pays, and what a fare buys."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pandas as pd
import pytest

from community_routes.evaluation.differences import compare_tables
from community_routes.measures.groups import group_rows
from community_routes.report.page import page_html
from community_routes.report.pages.money import goal_words
from community_routes.report.results import Results
from report.made_results import made_results


def section(html: str, name: str) -> str:
    found = re.search(rf'<section id="{name}".*?</section>', html, flags=re.S)
    return found.group(0) if found else ""


def words_of(html: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html))


def with_rows(results: Results, rows: pd.DataFrame, proposed: pd.DataFrame | None = None) -> dict[str, Any]:
    """Tables with further measures; ``proposed`` are those of proposal-1."""
    zones = pd.DataFrame(results.zones.drop(columns="geometry"))
    tables = {"access": [results.access, rows], "groups": [results.groups, group_rows(rows, zones)]}
    if proposed is not None:
        tables["access"].append(proposed)
        tables["groups"].append(group_rows(proposed, zones, baseline=rows))
        tables["comparison"] = [results.comparison, compare_tables(rows, proposed)]
    return {name: pd.concat(parts, ignore_index=True) for name, parts in tables.items()}


def rows_of(results: Results, measure: str, value: list[float], unit: str, **what: Any) -> pd.DataFrame:
    """One measure of every neighbourhood within 45 minutes in the morning."""
    zones = results.zones
    reason = ["" if np.isfinite(v) else "over_time" for v in value]
    table = pd.DataFrame(
        {
            "neighbourhood": zones["id"].to_numpy(),
            "name": zones["name"].to_numpy(),
            "population": zones["population"].to_numpy(),
            "deprivation_decile": zones["deprivation_decile"].to_numpy(),
            "value": value,
            "unit": unit,
            "reason": [
                "off_network" if off == "off_network" else why for off, why in zip(zones["reason"], reason, strict=True)
            ],
        }
    )
    given = {"scenario": "today", "day": "day", "window": "morning_peak", "kind": "employment", "cutoff_min": 45}
    return table.assign(measure=measure, reading=what.pop("reading", "best"), **{**given, **what})


def costs(results: Results, dear: float) -> list[float]:
    """Two neighbourhoods walk, one cannot, the rest pay; those off the network have nothing."""
    n = len(results.zones)
    value = [0.0, 0.0, np.nan] + [dear] * (n - 3)
    return [v if off != "off_network" else np.nan for v, off in zip(value, results.zones["reason"], strict=True)]


def test_a_month_of_commuting_and_a_change_of_fare() -> None:
    """Of everybody: walkers 0, the others 60.00, and 45.00 with the proposal; the mean is over those who can get there."""
    results = made_results(25)
    cost = costs(results, 60.0)
    today = rows_of(results, "commuting_cost_50", cost, "GBP per month")
    share = rows_of(results, "commuting_burden_50", [v / 1500 for v in cost], "share")
    cheaper = rows_of(results, "commuting_cost_50", costs(results, 45.0), "GBP per month", scenario="proposal-1")
    tables = with_rows(results, pd.concat([today, share]), cheaper)
    html = page_html(made_results(25, **tables))
    money = section(html, "money")
    persons = results.zones["population"].to_numpy()
    there = np.isfinite(cost)
    pay = persons[there & (np.asarray(cost) > 0)].sum()
    mean = 60 * pay / persons[there].sum()
    said = words_of(money)
    assert (
        f"{round(persons[:2].sum()):,} residents need not pay: they can walk; {round(pay):,} residents must pay" in said
    )
    assert f"{round(persons[2]):,} residents cannot, whatever they pay" in said
    everybody = re.search(r'<tr><th scope="row">Everybody</th>(.*?)</tr>', money, flags=re.S)
    assert everybody is not None
    cells = [text.strip() for text in re.findall(r"<td[^>]*>(.*?)</td>", everybody.group(1), flags=re.S)]
    assert [words_of(cell).strip() for cell in cells[:3]] == [
        f"£{mean:.2f}",
        f"{100 * mean / 1500:.1f}".removesuffix(".0"),
        f"−£{mean / 4:.2f}",
    ]
    assert "half of all employment zones within 45 minutes" in said


def test_who_falls_out_of_the_mean_is_no_saving() -> None:
    """With the proposal one of those who paid 60.00 cannot get there: the mean falls, and the page says how many are left."""
    results = made_results(25)
    cost = costs(results, 60.0)
    lost = [*cost[:3], np.nan, *cost[4:]]
    today = rows_of(results, "commuting_cost_50", cost, "GBP per month")
    proposal = rows_of(results, "commuting_cost_50", lost, "GBP per month", scenario="proposal-1")
    tables = with_rows(results, today, proposal)
    mine = (
        tables["groups"]
        .query("scenario == 'proposal-1' and measure == 'commuting_cost_50' and grouping == 'all'")
        .iloc[0]
    )
    assert mine["change"] < 0
    money = section(page_html(made_results(25, **tables)), "money")
    everybody = re.search(r'<tr><th scope="row">Everybody</th>(.*?)</tr>', money, flags=re.S)
    assert everybody is not None
    left = results.zones["population"].to_numpy()[np.isfinite(lost)].sum()
    assert f'<b class="loss-text"><data value="{left:.0f}"' in everybody.group(1)
    assert "−£" not in everybody.group(1)
    assert "not of the same residents" in money


def test_the_goal_in_words() -> None:
    assert goal_words("50", "employment", "jobs") == "half of the jobs in employment zones"
    assert goal_words("25", "employment", "area_m2") == "a quarter of the area of all employment zones"
    assert goal_words("50", "employment", "weight") == "half of all employment zones, by their size"
    assert goal_words("40", "markets", "places") == "40 % of all markets"


def test_what_a_fare_buys() -> None:
    """Everything for 5.00, half of it for 2.00; the minutes to the nearest are left out where no budget changes them."""
    results = made_results(25)
    zones = results.zones
    base = results.access.query(
        "scenario == 'today' and window == 'morning_peak' and kind == 'employment' and cutoff_min == 45 and reading == 'mean'"
    ).set_index("neighbourhood")
    reached = base["value"].reindex(zones["id"]).tolist()
    parts = [
        rows_of(results, f"affordable_opportunities_{budget}", [v * share for v in reached], "places", reading="mean")
        for budget, share in (("5", 1.0), ("2", 0.5))
    ]
    money = section(page_html(made_results(25, **with_rows(results, pd.concat(parts)))), "money")
    heads = [text for text in re.findall(r'<th scope="col">([^<]*)</th>', money) if "price" in text or "£" in text]
    assert heads == ["At any price", "For £2.00 or less", "For £5.00 or less"]
    first = re.search(r'<tr><th scope="row">Morning peak, 07:00–09:00</th>(.*?)</tr>', money, flags=re.S)
    assert first is not None
    any_price, two, five = (float(v) for v in re.findall(r'<td><data value="([^"]*)"', first.group(1)))
    assert five == pytest.approx(any_price, rel=0.01)  # the made-up groups are cut a little otherwise
    assert two == pytest.approx(five / 2)
    assert "minutes to the nearest" not in money
