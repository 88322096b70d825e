"""The page: one file, safe, and every figure in it a cell of the tables beside it."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cache
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path

import pandas as pd
import pytest

from community_routes.report import words
from community_routes.report.figures import Figures
from community_routes.report.files.tables import write_tables
from community_routes.report.frame import script_json
from community_routes.report.maps import leaflet
from community_routes.report.page import page_html, write_page
from community_routes.report.results import Results
from report.made_results import made_results, value_of

HOSTILE = "</script><img src=x onerror=alert(1)>"
VOID = {"meta", "br", "img", "input", "link", "hr", "wbr"}


@dataclass
class Element:
    """A tag with its attributes, its own text and its children."""

    tag: str
    attributes: dict[str, str]
    children: list[Element] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)

    def all(self, tag: str) -> Iterator[Element]:
        for child in self.children:
            if child.tag == tag:
                yield child
            yield from child.all(tag)

    @property
    def text(self) -> str:
        return "".join(self.texts)


class Tree(HTMLParser):
    """Reads a page into elements and complains when a tag is left open."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.root = Element("root", {})
        self.open = [self.root]
        self.feed(page)
        self.close()
        assert len(self.open) == 1, f"<{self.open[-1].tag}> is never closed"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        element = Element(tag, {name: value or "" for name, value in attrs})
        self.open[-1].children.append(element)
        if tag not in VOID:
            self.open.append(element)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.open[-1].children.append(Element(tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        assert self.open[-1].tag == tag, f"</{tag}> closes <{self.open[-1].tag}>"
        self.open.pop()

    def handle_data(self, data: str) -> None:
        for element in self.open:
            element.texts.append(data)


def tree(results: Results) -> Element:
    return Tree(page_html(results)).root


@cache
def plain() -> Element:
    """The page of the smallest made-up town, read once."""
    return tree(made_results(25))


def tables_of(results: Results, folder: Path) -> dict[str, list[dict[str, str]]]:
    write_tables(results, folder)
    found = {}
    for path in folder.glob("*.csv"):
        with path.open(encoding="utf-8", newline="") as file:
            found[path.name] = list(csv.DictReader(file))
    return found


@pytest.mark.parametrize("is_random", [False, True])
def test_every_figure_is_a_cell_of_the_tables(tmp_path: Path, is_random: bool) -> None:
    """Each figure names its file, lines and column; the sum of those cells is its exact value and rounds to its words.

    A column has one number of decimals, none to two; a cost is rounded as the sums of a model are.
    """
    results = made_results(25, proposals=2, days=("weekday", "sunday"), is_random=is_random)
    tables = tables_of(results, tmp_path)
    page = tree(results)
    figures = [*page.all("data")] + [e for e in page.all("text") if "data-from" in e.attributes]
    assert len(figures) > 500
    for element in figures:
        table, lines, column = element.attributes["data-from"].split(":")
        value = sum(float(tables[table][int(line) - 2][column]) for line in lines.split("+"))
        if "value" in element.attributes:
            assert float(element.attributes["value"]) == pytest.approx(value, rel=1e-12)
        said = element.text.strip()
        ways = [words.number(value, sign=sign, digits=digits) for sign in (True, False) for digits in (None, 0, 1, 2)]
        assert said in (*ways, words.count(value), words.about(value)), (element.attributes, said)


def test_no_figure_stands_in_the_page_without_its_source() -> None:
    """Cells of the tables of figures hold nothing but figures with a source, or a dash."""
    page = tree(made_results(25, proposals=2))
    for table in page.all("table"):
        if table.attributes.get("class") not in ("times", "fine"):
            continue
        for cell in table.all("td"):
            rest = cell.text
            for figure in cell.all("data"):
                rest = rest.replace(figure.text, "", 1)
            assert not re.search(r"\d", rest) or "text" in cell.attributes.get("class", ""), cell.text


def test_the_map_holds_the_values_of_the_tables() -> None:
    """The third neighbourhood (i = 2), evening, 45 minutes, proposal 1: 24 x 0.75 x (1 - 0.012) x 0.6 + 1 = 11.6704, so 11.7."""
    results = made_results(25)
    page = tree(results)
    data = json.loads(next(e.text for e in page.all("script") if e.attributes.get("id") == "map-data"))
    evening = next(i for i, slot in enumerate(data["slots"]) if slot["window"] == "evening")
    view = next(view["id"] for view in data["views"] if view["name"] == "Reached within 45 minutes")
    assert value_of(2, "shared_spaces", "evening", "day", 45, 1) == pytest.approx(11.6704)
    entry = data["figures"][f"shared_spaces|{view}"]["values"][f"1|{evening}"]
    assert entry["v"][2] == 11.7
    assert entry["c"][2] == 1
    assert entry["v"][24] is None
    assert data["zones"][24]["off"] is True


def test_hostile_names_come_out_as_text() -> None:
    """Names that would close the script, open a tag or break an attribute change neither the page's tags nor its data."""
    rename = {
        "Stop 1": HOSTILE,
        "Ward A 1": HOSTILE,
        "Works 1": '"><svg onload=alert(1)>',
        "Library 2": "'; alert(1); '\u2028",
        "1": HOSTILE,
        "Evening link Mill Lane - Northgate": HOSTILE,
    }
    fair, hostile = plain(), tree(made_results(25, rename=rename))
    for tag in ("script", "img", "svg", "a", "style"):
        assert len(list(fair.all(tag))) == len(list(hostile.all(tag))), tag
    assert not list(hostile.all("img"))
    assert not [e for e in hostile.all("svg") if "onload" in e.attributes]
    assert HOSTILE in next(hostile.all("h3")).text
    data = json.loads(next(e.text for e in hostile.all("script") if e.attributes.get("id") == "map-data"))
    assert data["zones"][0]["name"] == HOSTILE
    assert data["stops"][0][2] == HOSTILE


def test_data_in_a_script_cannot_end_it() -> None:
    text = script_json({"a": HOSTILE + "\u2028<!--"})
    assert "<" not in text and ">" not in text and "\u2028" not in text
    assert json.loads(text) == {"a": HOSTILE + "\u2028<!--"}


def test_the_page_asks_the_network_for_nothing() -> None:
    """No tag loads a file, no style names one, and the policy in the page forbids it."""
    html = page_html(made_results(25))
    page = Tree(html).root
    for element in [e for tag in ("script", "link", "img", "iframe", "source", "object") for e in page.all(tag)]:
        assert not {"src", "href", "data"} & set(element.attributes)
    for style in page.all("style"):
        assert not re.search(r"url\((?!#)|@import", style.text)
    policy = next(e for e in page.all("meta") if e.attributes.get("http-equiv") == "Content-Security-Policy")
    assert policy.attributes["content"].startswith("default-src 'none'")


def test_headings_are_in_order_and_names_are_unique() -> None:
    """One h1, no level left out, no id twice, every svg that says something has a name."""
    page = tree(made_results(25, proposals=3, days=("weekday", "sunday")))
    levels = [int(tag[1]) for tag in _tags(page) if re.fullmatch("h[1-6]", tag)]
    assert levels.count(1) == 1 and levels[0] == 1
    assert all(b <= a + 1 for a, b in pairwise(levels))
    ids = [e.attributes["id"] for e in _elements(page) if "id" in e.attributes]
    assert len(ids) == len(set(ids))
    regions = [e.attributes["aria-label"] for e in _elements(page) if e.attributes.get("role") == "region"]
    assert len(regions) == len(set(regions))
    for svg in page.all("svg"):
        assert svg.attributes.get("aria-hidden") == "true" or svg.attributes.get("aria-label")


def _elements(element: Element) -> Iterator[Element]:
    for child in element.children:
        yield child
        yield from _elements(child)


def _tags(element: Element) -> list[str]:
    return [child.tag for child in _elements(element)]


def lead_of(page: Element) -> str:
    """The leading sentence of the verdict."""
    return next(e for e in page.all("p") if "verdict-lead" in e.attributes.get("class", "")).text


def test_the_verdict_is_one_sentence_with_number_and_interval() -> None:
    exact = plain()
    assert re.fullmatch(
        r"The most deprived fifth gains: [\d.]+ more employment zones \([\d.]+ %\) within 45 minutes in the evening: "
        r"[\d.]+ instead of [\d.]+ \(figures for 4,570 of 5,800\), for about £312,000 a year\.",
        lead_of(exact),
    )
    drawn = tree(made_results(25, is_random=True))
    row = next(e for e in drawn.all("table") if "verdicts" in e.attributes.get("class", "")).text
    assert re.search(r"[+−]?[\d.]+ to \+[\d.]+", row)
    assert "95 in 100 draws" in next(e for e in drawn.all("section") if e.attributes["id"] == "answer").text


def test_a_proposal_that_changes_nothing_says_so() -> None:
    results = made_results(25)
    same = results.comparison.assign(value=results.comparison["baseline"], change=0.0, low=0.0, high=0.0)
    groups = results.groups.assign(
        value=results.groups["baseline"], change=0.0, low=0.0, high=0.0, persons_better=0.0, persons_worse=0.0
    )
    page = tree(made_results(25, comparison=same, groups=groups))
    assert lead_of(page).startswith("The proposal changes nothing for the most deprived fifth")
    assert "as today" in lead_of(page)
    data = json.loads(next(e.text for e in page.all("script") if e.attributes.get("id") == "map-data"))
    changes = [v["c"] for f in data["figures"].values() for key, v in f["values"].items() if not key.startswith("0|")]
    assert set(changes) == {0}


def test_without_deprivation_the_verdict_speaks_of_everybody() -> None:
    """The mean of the change over the 22 neighbourhoods with figures, weighted by persons, worked out here again."""
    results = made_results(25)
    zones = results.zones.assign(deprivation_rank=float("nan"), deprivation_decile=float("nan"))
    groups = results.groups[results.groups["grouping"] != "local"]
    page = tree(made_results(25, zones=zones, groups=groups))
    persons = [1000 + 10 * i for i in range(22)]
    gain = sum(p * (i % 5) / 2 for i, p in enumerate(persons)) / sum(persons)
    assert f"All residents gain: {words.number(gain)} more employment zones" in lead_of(page)
    assert "most deprived" not in lead_of(page)


def test_without_proposals_the_page_shows_today() -> None:
    results = made_results(25, proposals=0)
    page = tree(results)
    assert "How things stand today" in page.text
    assert not [e for e in page.all("section") if e.attributes.get("id") == "gains"]


def test_off_network_is_said_and_named() -> None:
    page = plain()
    unknown = next(e for e in page.all("section") if e.attributes.get("id") == "unknown").text
    assert "3 neighbourhoods have no figures" in unknown
    assert "Ward A 25" in unknown
    table = next(e for e in page.all("table") if e.attributes.get("id") == "zones")
    row = next(r for r in table.all("tr") if "Ward A 25" in r.text)
    assert "outside the streets of this study" in row.text
    assert not list(row.all("data"))


def test_invented_data_is_called_invented_and_real_data_is_not() -> None:
    assert "Invented data" in plain().text
    real = tree(made_results(25, invented=False))
    assert not [e for part in ("title", "header", "main") for e in real.all(part) if "nvented" in e.text]


@pytest.mark.slow
def test_a_big_report_stays_small(tmp_path: Path) -> None:
    """100 neighbourhoods, three proposals, three days: under 3 MB."""
    results = made_results(100, proposals=3, days=("weekday", "saturday", "sunday"))
    path = write_page(results, tmp_path / "report.html")
    assert path.stat().st_size < 3_000_000


def test_a_council_can_put_its_own_words_in_place_of_ours(tmp_path: Path) -> None:
    """A template of the same name stands in for ours; what it prints is escaped as everywhere."""
    (tmp_path / "identity.html").write_text('<p class="identity">Borough of {{ results.title }}</p>', encoding="utf-8")
    (tmp_path / "brand.css").write_text(":root{--accent:#6b1f4f}", encoding="utf-8")
    html = page_html(made_results(25, title="Mill & Moor"), templates=tmp_path)
    assert html.index("--accent:#00566b") < html.index("--accent:#6b1f4f")
    assert '<p class="identity">Borough of Mill &amp; Moor</p>' in html


def test_the_same_results_give_the_same_page() -> None:
    assert page_html(made_results(25)) == page_html(made_results(25))


def test_the_map_drops_parts_of_kinds_first_when_there_are_too_many_figures(monkeypatch: pytest.MonkeyPatch) -> None:
    """A kind and view take 2 slots x 25 x 2 scenarios = 100 figures; room for 850 holds the 2 whole kinds x 4 views."""
    monkeypatch.setattr(leaflet, "_MOST_FIGURES", 850)
    content = leaflet.map_content(Figures(made_results(25)))
    assert sorted({name.partition("|")[0] for name in content["figures"]}) == ["employment", "shared_spaces"]
    assert len(content["figures"]) == 8
    monkeypatch.setattr(leaflet, "_MOST_FIGURES", 950)
    more = leaflet.map_content(Figures(made_results(25)))["figures"]
    lead = next(v["id"] for v in content["views"] if v["name"] == "Reached within 45 minutes")
    assert set(more) - set(content["figures"]) == {f"shared_spaces/library|{lead}"}


def spoken(page: str) -> str:
    """The words of a page without its marks."""
    return " ".join(re.sub(r"<[^>]+>", " ", re.sub(r"<(script|style)[^>]*>.*?</\1>", "", page, flags=re.S)).split())


def test_assumed_departure_times_are_said_with_or_without_draws() -> None:
    """Two proposals; the first assumes its times, and draws were made of it or not; the other is exact."""
    made = made_results(25, proposals=2)
    first, second = made.scenarios
    what = ("assumed clock times of the proposal: 84 trips, each group moved by 0 to its headway",)
    scenarios = (replace(first, is_random=True, random=what), second)
    undrawn = {
        name: getattr(made, name).assign(
            low=lambda t: t["low"].where(t["scenario"] != first.id),
            high=lambda t: t["high"].where(t["scenario"] != first.id),
        )
        for name in ("comparison", "groups")
    }
    without = spoken(page_html(replace(made, scenarios=scenarios, **undrawn)))
    assert f"{first.title}: {what[0]}. No draws were made." in without
    assert "--draws" not in without
    assert "The changes of the other proposals are exact for their timetables." in without
    assert "A assumes departure times that nobody has written yet" in without
    assert without.count("For the departure times that the proposal assumes.") == 1
    assert without.count("Exact for this timetable.") == 1
    with_draws = spoken(page_html(replace(made, scenarios=scenarios)))
    assert "No draws were made" not in with_draws
    assert "The same in every draw of the departure times that it assumes" in with_draws
    assert "times of some proposals are assumed" not in spoken(page_html(made))


def test_windows_of_other_measures_are_on_the_map_but_not_in_the_verdict() -> None:
    """A measure of shifts has a window of its own: the table of times does not list it, the map offers it."""
    results = made_results(25)
    rows = results.access[
        (results.access["measure"] == "nearest")
        & (results.access["kind"] == "employment")
        & (results.access["window"] == "evening")
    ]
    shifts = rows.assign(window="06:00-14:00", measure="share_of_jobs", reading="mean", unit="share", value=0.25)
    figures = Figures(made_results(25, access=pd.concat([results.access, shifts], ignore_index=True)))
    assert [slot.window for slot in figures.slots] == ["morning_peak", "evening"]
    content = leaflet.map_content(figures)
    slot = next(i for i, slot in enumerate(content["slots"]) if slot["window"] == "06:00-14:00")
    view = next(v["id"] for v in content["views"] if v["name"].startswith("Share of jobs"))
    assert content["figures"][f"employment|{view}"]["values"][f"0|{slot}"]["v"][0] == 25
    assert content["figures"][f"employment|{view}"]["unit"] == "%"
