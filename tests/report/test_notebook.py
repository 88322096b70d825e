"""What a notebook shows: figures of the tables, names as text, several maps on one page."""

from __future__ import annotations

import re

from community_routes.report.notebook import map_html, table_html
from report.made_results import made_results

HOSTILE = "</td><script>alert(1)</script>"


def test_the_table_holds_the_leading_figures() -> None:
    """Change of the most deprived fifth in the evening, shared spaces, 45 minutes: the cell of groups.csv, with its sign."""
    results = made_results(25)
    mine = results.groups[
        (results.groups["scenario"] == "proposal-1")
        & (results.groups["grouping"] == "local")
        & (results.groups["group"] == "1")
        & (results.groups["window"] == "evening")
        & (results.groups["kind"] == "shared_spaces")
        & (results.groups["cutoff_min"] == 45)
    ]
    row = next(row for row in table_html(results).split("<tr>") if "Evening" in row and "shared spaces" in row)
    assert float(re.findall(r'<data value="([^"]+)"', row)[-1]) == mine["change"].iloc[0]
    assert "invented data" in table_html(results)


def test_names_are_text() -> None:
    results = made_results(25, rename={"Evening link Mill Lane - Northgate": HOSTILE}, title=HOSTILE)
    for html in (table_html(results), map_html(results)):
        assert "<script" not in html
        assert "&lt;script&gt;" in html


def test_two_maps_do_not_share_ids() -> None:
    """Every id of the first map is missing from the second, and each refers to its own only."""
    first, second = map_html(made_results(25)), map_html(made_results(25), scenario="today")
    ids = [set(re.findall(r' id="([^"]+)"', html)) for html in (first, second)]
    assert ids[0] and not ids[0] & ids[1]
    for html, mine in zip((first, second), ids, strict=True):
        assert set(re.findall(r'href="#([^"]+)"|url\(#([^)]+)\)', html)) <= {(i, "") for i in mine} | {
            ("", i) for i in mine
        }


def test_the_map_shows_what_is_asked_for() -> None:
    assert "Change: Evening link" in map_html(made_results(25))
    assert "With the proposal" in map_html(made_results(25), change=False)
    assert "Today" in map_html(made_results(25, proposals=0))
