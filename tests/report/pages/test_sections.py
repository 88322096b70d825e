"""Sections beyond the headline: options, wards, shared spaces, journeys, money, further tables."""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from community_routes.report import charts
from community_routes.report.cells import sorted_tables
from community_routes.report.files.tables import write_tables
from community_routes.report.page import page_html
from community_routes.report.results import JourneyView, LegView, ScenarioSummary
from report.made_results import made_results


def section(html: str, name: str) -> str:
    found = re.search(rf'<section id="{name}".*?</section>', html, flags=re.S)
    return found.group(0) if found else ""


def words_of(html: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html))


def test_the_greatest_gain_of_each_row_is_marked_and_ties_are_not() -> None:
    """Evening gains grow with the proposal's number, so the third is marked; in the morning all lose the same: no mark."""
    options = section(page_html(made_results(25, proposals=3)), "options")
    rows = re.findall(r"<tr><th scope=\"row\">.*?</tr>", options, flags=re.S)
    for row in rows:
        cells = re.findall(r'<td class="change( best)?">', row)
        if "Evening" in row:
            assert cells == ["", "", " best"]
        elif "peak" in row:
            assert cells == ["", "", ""]


def test_costs_stand_in_the_page_and_in_their_table(tmp_path: Path) -> None:
    results = made_results(25)
    write_tables(results, tmp_path)
    with (tmp_path / "costs.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert rows[0] == {"scenario": "proposal-1", "item": "bus_hours_per_year", "value": "5200"}
    assert "5,200" in words_of(section(page_html(results), "options"))
    without = ScenarioSummary("proposal-1", "Plain")
    assert "cost" not in words_of(section(page_html(made_results(25, scenarios=(without,))), "options")).lower()


def test_the_ranking_says_what_a_bus_hour_brings_and_what_cannot_be_told_apart() -> None:
    """Gains of 2 and 1 for 4,000 and 5,000 bus-hours: 0.5 and 0.2 for a thousand; the table is not repeated further down."""
    table = pd.DataFrame(
        {
            "kind": "shared_spaces",
            "rank": [1, 2],
            "scenario": ["proposal-2", "proposal-1"],
            "gain": [2.0, 1.0],
            "bus_hours": [4000.0, 5000.0],
            "gain_per_bus_hour": [0.0005, 0.0002],
            "same_as_next": [True, False],
        }
    )
    html = page_html(made_results(25, proposals=2, extra={"ranking": table}))
    options = section(html, "options")
    assert re.findall(r'data-from="ranking.csv:\d:gain_per_bus_hour"[^>]*>([^<]+)<', options) == ["+0.50", "+0.20"]
    assert words_of(options).count("cannot be told apart from the next") == 1
    assert not section(html, "further")


def test_the_ranking_shows_intervals_savings_and_odd_assumed_times() -> None:
    """One saves hours and cannot be told from the next; that one's own figure lies below its interval."""
    table = pd.DataFrame(
        {
            "kind": "employment", "cutoff_min": 45, "rank": [1, 2], "scenario": ["proposal-1", "proposal-2"],
            "gain": [1.0, 2.0], "bus_hours": [-100.0, 4000.0], "gain_per_bus_hour": [float("nan"), 0.0005],
            "same_as_next": [True, False], "low_per_bus_hour": [float("nan"), 0.0006],
            "high_per_bus_hour": [float("nan"), 0.0009],
        }
    )  # fmt: skip
    html = page_html(made_results(25, proposals=2, extra={"ranking": table}))
    options = html[html.index('id="options"') :].partition("</section>")[0]
    words = " ".join(re.sub(r"<[^>]+>", " ", options).split())
    assert "saves bus-hours; cannot be told apart from the next" in words
    assert "the departure times as assumed bring less than nearly all that were drawn" in words
    assert "+0.50 +0.60 to +0.90" in words


def test_wards_are_in_order_of_their_change() -> None:
    """The labels of the ward charts read from the greatest change to the least."""
    results = made_results(25)
    detail = section(page_html(results), "proposals")
    wards = detail[detail.index('class="wards"') :]
    labels = re.findall(r'<text class="label"[^>]*>(Ward \w)</text>', wards)
    mine = results.groups[
        (results.groups["scenario"] == "proposal-1")
        & (results.groups["grouping"] == "group")
        & (results.groups["window"] == "evening")
        & (results.groups["kind"] == "employment")
        & (results.groups["cutoff_min"] == 45)
    ].sort_values(["change", "group"], ascending=[False, True])
    assert labels == mine["group"].tolist()


def test_shared_spaces_are_told_by_kind_and_time_of_day() -> None:
    spaces = words_of(section(page_html(made_results(25)), "spaces"))
    assert "All kinds" in spaces
    assert "Library" in spaces
    assert "potential to meet" in spaces


def test_journeys_before_and_after_add_up() -> None:
    """Today 18:05 to 18:37: 5 min walk, 4 wait, 20 ride, 3 walk = 32; the proposal rides 8 minutes less: 24."""
    journeys = words_of(section(page_html(made_results(25)), "journeys"))
    assert "32 minutes · arrives 18:37 · no change · £2.00 · last journey home 22:30" in journeys
    assert "24 minutes · arrives 18:29" in journeys
    assert "Bus 1: Stop 1 to Stop 8, 20 min, after a wait of 4 min" in journeys


def test_every_time_of_a_journey_stands_in_its_table() -> None:
    table = sorted_tables(made_results(25))["journeys"]
    today = table[table["scenario"] == "today"]
    assert today["leave"].tolist() == ["18:05:00", "18:14:00", "18:34:00"]
    assert today["arrive"].tolist() == ["18:10:00", "18:34:00", "18:37:00"]


def test_a_journey_that_is_not_there_says_why() -> None:
    views = (JourneyView("today", "day", 79_200, "Z001", "Works 1", reason="no_service"),)
    journeys = words_of(section(page_html(made_results(25, journeys=views)), "journeys"))
    assert "No journey: no bus or train within walking distance." in journeys
    assert sorted_tables(made_results(25, journeys=views))["journeys"]["reason"].tolist() == ["no_service"]


def test_the_bar_of_a_journey_is_to_scale() -> None:
    """On an axis of 40 minutes and 640 units a ride of 20 minutes is 320 long and starts after 10 minutes at 160."""
    legs = (
        LegView("walk", "", "A", "B", 0, 300, 0),
        LegView("bus", "7", "B", "C", 600, 1800, 300),
    )
    svg = charts.journey_bar(JourneyView("today", "day", 0, "Z", "C", legs), 0, 2400, title="t")
    assert re.findall(r'class="(walk|ride)" fill="[^"]+" x="([\d.]+)" y="[\d.]+" width="([\d.]+)"', svg) == [
        ("walk", "0.0", "80.0"),
        ("ride", "160.0", "320.0"),
    ]
    assert re.search(r'class="wait" d="M80.0 16H160.0"', svg)


def test_the_map_knows_the_nearest_places_and_the_journeys() -> None:
    """The nearest of neighbourhood 1 (i = 0) is 6 minutes today and 5 with proposal 1."""
    html = page_html(made_results(25))
    data = json.loads(re.search(r'id="map-data">(.*?)</script>', html, flags=re.S).group(1))  # type: ignore[union-attr]
    slot = next(i for i, slot in enumerate(data["slots"]) if slot["window"] == "evening")
    nearest = data["nearest"]["at"]
    assert [nearest[f"{s}|{slot}"]["0"][0][2] for s in (0, 1)] == [6, 5]
    assert data["nearest"]["names"][nearest[f"0|{slot}"]["0"][0][0]] == "Library 1"
    assert [trip["minutes"] for trip in data["journeys"]] == [32, 24]


def test_meeting_is_told_from_the_exposure_table() -> None:
    """Of those met by residents of a group, so many in a hundred are of their own: 20.7 at home, 10.9 and 10.5 by places."""
    rows = [
        ("today", "asian", "asian", 0.109, 0.207),
        ("today", "asian", "white", 0.806, 0.671),
        ("proposal-1", "asian", "asian", 0.105, 0.207),
    ]
    table = pd.DataFrame(rows, columns=["scenario", "group", "other", "via_places", "at_home"])
    table = table.assign(day="day", window="evening", key="shared_spaces")
    spaces = section(page_html(made_results(25, extra={"exposure": table})), "spaces")
    figures = re.findall(r'data-from="exposure.csv:(\d+):(\w+)"[^>]*>([\d.]+)<', spaces)
    assert figures == [("2", "at_home", "20.7"), ("2", "via_places", "10.9"), ("4", "via_places", "10.5")]


def test_proposals_that_give_the_same_journey_share_a_line() -> None:
    """Both proposals of the made-up town ride C1 alike: two lines, not three."""
    journeys = section(page_html(made_results(25, proposals=2)), "journeys")
    assert re.findall(r"<h4>([^<]*)</h4>", journeys) == ["Today", "With A and B"]


def test_fares_are_shown_only_where_they_were_worked_out() -> None:
    """A measure of money has its section; without one there is none."""
    results = made_results(25)
    assert not section(page_html(results), "money")
    rename = {"nearest": "fare_nearest"}
    tables = {
        name: getattr(results, name).assign(
            measure=lambda t: t["measure"].replace(rename),
            unit=lambda t: t["unit"].where(t["measure"] != "fare_nearest", "pounds"),
        )
        for name in ("access", "comparison", "groups")
    }
    money = words_of(section(page_html(made_results(25, **tables)), "money"))
    assert "pounds" in money


def test_further_tables_are_shown_and_written_with_their_sources(tmp_path: Path) -> None:
    """A table of 40 rows shows 12, says that 28 more are in its file, and its text is escaped."""
    table = pd.DataFrame({"place": ["<b>x</b>"] * 40, "share": np.arange(40) / 8})
    results = made_results(25, extra={"mixing": table})
    further = section(page_html(results), "further")
    assert "28 more rows are in <code>mixing.csv</code>" in further
    assert "&lt;b&gt;x&lt;/b&gt;" in further
    assert 'data-from="mixing.csv:13:share"' in further
    write_tables(results, tmp_path)
    assert (tmp_path / "mixing.csv").read_text(encoding="utf-8").splitlines()[30] == "<b>x</b>,3.625"


def test_an_extra_table_cannot_take_the_name_of_another(tmp_path: Path) -> None:
    with pytest.raises(Exception, match="'access' has the name of another table"):
        write_tables(made_results(25, extra={"access": pd.DataFrame({"a": [1]})}), tmp_path)


def test_the_income_domain_stands_beside_the_index() -> None:
    """Fifths by income alone have a table of their own under the one by the index; without them there is none."""
    results = made_results(25)
    own = results.groups[results.groups["grouping"] == "local"]
    by_income = own.assign(grouping="local_income", value=own["value"] * 2)
    groups = pd.concat([results.groups, by_income], ignore_index=True)
    told = section(page_html(made_results(25, groups=groups)), "today")
    tables = re.findall(r'aria-label="Today, by (\w+)">(.*?)</table>', told, flags=re.S)
    assert [name for name, _ in tables] == ["deprivation", "income"]
    index, income = ([float(v) for v in re.findall(r'<data value="([^"]*)"', table)] for _, table in tables)
    assert income == [2 * value for value in index]
    assert "Today, by income" not in page_html(results)
