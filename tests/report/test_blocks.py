"""Blocks of a page: text is escaped, figures keep their source, and a section can be added from outside."""

from __future__ import annotations

from pathlib import Path

import pytest
from markupsafe import Markup

from community_routes.report import page
from community_routes.report.blocks import (
    Band,
    Fold,
    Heading,
    Items,
    Lead,
    Page,
    Pairs,
    Picture,
    Row,
    Section,
    Table,
    Td,
    Text,
    Th,
    element,
    lettered,
    render,
)
from community_routes.report.figures import Cell, figure
from community_routes.report.frame import page_text, setting_pairs
from community_routes.report.pages.context import Report
from report.made_results import made_results
from report.test_page import Tree

HOSTILE = '"><script>alert(1)</script>'


def test_text_is_escaped_wherever_it_stands() -> None:
    """Every place of every block that takes words."""
    blocks = [
        Text(HOSTILE, "note"),
        Heading(HOSTILE),
        Items([HOSTILE]),
        Pairs([(HOSTILE, HOSTILE)]),
        Fold(HOSTILE, [Text(HOSTILE)]),
        Lead(figure(None), HOSTILE, [Text(HOSTILE)]),
        Picture(HOSTILE, Markup("<svg></svg>")),
        Table(HOSTILE, [HOSTILE, Th(HOSTILE)], [Band(HOSTILE), Row(HOSTILE, [HOSTILE, Td(HOSTILE)])], caption=HOSTILE),
    ]
    root = Tree(str(Section("x", HOSTILE, blocks).html())).root
    assert not list(root.all("script"))
    assert root.text.count(HOSTILE) == 18


def test_a_figure_in_a_block_keeps_its_source() -> None:
    cell = figure(Cell("groups", (3,), "value", 1234.5))
    table = Table("t", ["Who", "Today"], [Row("Everybody", [cell, Td(cell, "change")])])
    found = list(Tree(str(table.html())).root.all("data"))
    assert [one.attributes["data-from"] for one in found] == ["groups.csv:5:value"] * 2
    assert [one.text for one in found] == ["1,234"] * 2


def test_a_band_begins_a_part_of_a_table() -> None:
    """Two bands, two bodies; a heading over columns spans them, and over none stands an empty cell."""
    table = Table(
        "t", ["", "a", "b"], [Band("one"), Row("x", ["1", "2"]), Band("two"), Row("y", ["3", "4"])],
        over=[Th(""), Th("both", span=2)],
    )  # fmt: skip
    root = Tree(str(table.html())).root
    assert [[cell.text for row in body.children for cell in row.children] for body in root.all("tbody")] == [
        ["one", "x", "1", "2"],
        ["two", "y", "3", "4"],
    ]
    assert [head.attributes.get("colspan") for head in root.all("th")][:1] == ["2"]
    region = next(e for e in root.all("div") if e.attributes.get("role") == "region")
    assert region.attributes["aria-label"] == "t" and region.attributes["tabindex"] == "0"


def test_attributes() -> None:
    """``style`` is the class, "" and False are left out, True stands alone."""
    assert element("details", "x", style="a b", open=True, id="", aria_label='"') == (
        '<details class="a b" open aria-label="&#34;">x</details>'
    )
    assert lettered("", "<b>") == "&lt;b&gt;"
    assert lettered("A", "t") == '<span class="letter">A</span> t'


def test_settings_are_said_in_words() -> None:
    pairs = setting_pairs({"walk_speed_kmh": 5.0, "by_bus": True, "cutoffs_min": [30, 45], "m": {"a_b": 1}})
    assert list(pairs.rows) == [
        ("Walk speed (km/h)", "5"),
        ("By bus", "yes"),
        ("Cutoffs (minutes)", "30, 45"),
        ("M", "a b 1"),
    ]


def dogs(report: Report) -> Section:
    """A section of somebody's own: one function that returns blocks."""
    rows = [Row(slot.window, ["0"]) for slot in report.figures.slots]
    return Section("dogs", "Dogs on buses", [Table("Dogs", ["When", "Dogs"], rows)], short="Dogs")


def test_a_section_is_added_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    """One entry in the list of sections: it is in the page, in its place, and in the list at the top."""
    monkeypatch.setattr(page, "SECTIONS", [*page.SECTIONS[:2], dogs, *page.SECTIONS[2:]])
    html = page.page_html(made_results(25))
    root = Tree(html).root
    assert [e.attributes["id"] for e in root.all("section")][:4] == ["today", "answer", "dogs", "options"]
    assert "Dogs" in next(e for e in root.all("nav")).text
    section = next(e for e in root.all("section") if e.attributes["id"] == "dogs")
    cells = [[cell.text for cell in row.children] for row in section.all("tr")]
    assert cells == [["When", "Dogs"], ["morning_peak", "0"], ["evening", "0"]]


def test_a_template_of_its_own_stands_in_for_a_section(tmp_path: Path) -> None:
    """Named by the section's id; it is given the section, and what it prints is escaped."""
    (tmp_path / "one.html").write_text("<section id=own>{{ section.title }}</section>", encoding="utf-8")
    sections = [Section("one", "<One>", [Text("ours")]), Section("two", "Two", [Text("ours")])]
    made = Page("report", "t", "t", "s", "1", sections)
    html = page_text(made, templates=tmp_path)
    assert "<section id=own>&lt;One&gt;</section>" in html
    assert html.count("<p>ours</p>") == 1
    assert "<script" not in html and "script-src" not in html
    assert render([Text("a"), Text("b")]) == "<p>a</p>\n<p>b</p>"
