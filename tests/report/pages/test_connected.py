"""Connected and cut off, in the page: who reaches nothing, and the ward-to-ward matrix as a table of shades."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from community_routes.measures.groups import group_rows
from community_routes.report.figures import Figures
from community_routes.report.maps.wards import ward_picture
from community_routes.report.page import page_html
from community_routes.report.pages.connected import shade
from community_routes.report.pictures import write_maps
from report.made_results import made_results


def section(html: str, name: str) -> str:
    found = re.search(rf'<section id="{name}".*?</section>', html, flags=re.S)
    return found.group(0) if found else ""


def words_of(html: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html))


def test_residents_who_reach_nothing_are_counted_in_the_answer() -> None:
    """One neighbourhood at every fourth departure: a quarter of its residents, in both places of the page.

    Where it lies at the edge of the streets' coverage it does not lead.
    """
    results = made_results(25)
    rows = results.access.query("measure == 'cumulative_opportunities' and reading == 'mean' and kind == 'employment'")
    first = results.zones["id"].iat[0]
    alone = (rows["neighbourhood"] == first) & (rows["window"] == "evening")
    rows = rows.assign(measure="isolated", unit="share", value=np.where(rows["value"].isna(), np.nan, 0.25 * alone))
    zones = pd.DataFrame(results.zones.drop(columns="geometry"))
    today, proposal = (rows[rows["scenario"] == name] for name in ("today", "proposal-1"))
    proposal = proposal.assign(value=proposal["value"] * 0)
    groups = [results.groups, group_rows(today, zones), group_rows(proposal, zones, baseline=today)]
    tables: dict[str, Any] = {
        "access": pd.concat([results.access, today, proposal], ignore_index=True),
        "groups": pd.concat(groups, ignore_index=True),
    }
    html = page_html(made_results(25, **tables))
    persons = round(results.zones["population"].iat[0] / 4)
    today_said, part = words_of(section(html, "today")), section(html, "connected")
    assert f"{persons} residents reach no employment zones within 45 minutes in the evening." in today_said
    edge = results.zones.assign(near_edge=results.zones["id"] == first)
    assert "reach no employment zones" not in words_of(
        section(page_html(made_results(25, zones=edge, **tables)), "today")
    )
    evening = re.search(r'<tr><th scope="row">Evening.*?</tr>', part, flags=re.S)
    assert evening is not None
    assert words_of(evening.group(0)).split()[2:4] == [str(persons), "A"]
    morning = re.search(r'<tr><th scope="row">Morning.*?</tr>', part, flags=re.S)
    assert morning is not None
    assert words_of(morning.group(0)).split()[-2:] == ["0", "0"]
    assert not section(page_html(results), "connected")


def matrix(scenario: str, share: float) -> pd.DataFrame:
    """Three wards, the third off the network."""
    pairs = [(a, b) for a in "ABC" for b in "ABC"]
    value = [np.nan if "C" in pair else 1.0 if pair[0] == pair[1] else share for pair in pairs]
    return pd.DataFrame(
        {
            "scenario": scenario,
            "day": "day",
            "window": "morning_peak",
            "from_group": [a for a, _ in pairs],
            "to_group": [b for _, b in pairs],
            "cutoff_min": 45,
            "share": value,
        }
    )


def test_the_matrix_has_a_shade_and_a_figure_for_each_pair() -> None:
    """From A to B 30 of 100 today and 80 with the proposal; ward C is named and left out."""
    table = pd.concat([matrix("today", 0.3), matrix("proposal-1", 0.8)], ignore_index=True)
    html = page_html(made_results(25, extra={"ward_matrix": table}))
    part = section(html, "connected")
    cells = re.findall(
        r'<td class="(heat-\w+)"><data value="([^"]*)" data-from="ward_matrix.csv:(\d+):share"[^>]*>([^<]*)<', part
    )
    assert cells == [
        ("heat-4", "1", "2", "100"),
        ("heat-1", "0.3", "3", "30"),
        ("heat-1", "0.3", "5", "30"),
        ("heat-4", "1", "6", "100"),
    ]
    assert "streets of this study: C." in words_of(part)
    changes = words_of(part[part.index("changes most") :])
    assert "A → B 30 80" in changes
    assert "B → A 30 80" in changes
    assert 'id="further"' not in html


@pytest.mark.parametrize(
    ("share", "name"), [(0, "0"), (0.2, "1"), (0.399, "1"), (0.4, "2"), (0.6, "3"), (0.8, "4"), (1, "4")]
)
def test_shades(share: float, name: str) -> None:
    assert shade(share) == f"heat-{name}"
    assert shade(float("nan")) == "heat-none"


def test_the_matrix_is_a_picture_too(tmp_path: Path) -> None:
    """Both files, the same bytes each time, with the shares of A and B and no C; none without the table."""
    results = made_results(25, extra={"ward_matrix": matrix("today", 0.3)})
    names = {path.name for path in write_maps(results, tmp_path)}
    assert {"ward-matrix.png", "ward-matrix.svg"} <= names
    first = {ending: (tmp_path / "maps" / f"ward-matrix.{ending}").read_bytes() for ending in ("png", "svg")}
    again = made_results(25, extra={"ward_matrix": matrix("today", 0.3)})
    write_maps(again, tmp_path / "again")
    for ending, content in first.items():
        assert (tmp_path / "again" / "maps" / f"ward-matrix.{ending}").read_bytes() == content
    assert ward_picture(Figures(made_results(25)), "svg") is None
