"""Pages of sites: which are written, what they say, that names do nothing in them, and that everybody can use them."""

from __future__ import annotations

import csv
import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from html import unescape
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from community_routes.base.errors import UsageError
from community_routes.base.times import format_time
from community_routes.evaluation.case import Study, open_study, sample_study
from community_routes.evaluation.proposals import read_scenarios
from community_routes.report.maps.geo import Frame
from community_routes.report.maps.sites import Mark, Stretch, small_map, underlay
from community_routes.sites import assess_sites
from community_routes.sites.pages import page_name
from community_routes.sites.work_folder import WorkFolder
from report.test_page import Element, Tree
from small_town import STUDY, town_study

HOSTILE = [
    '=cmd|"/C calc"!A0',
    "</script><img src=x onerror=\"document.title='broken in'\">",
    "'\"` onload=alert(1) {{ 7 * 7 }}",
    "two\nlines",
    "\u202egnitsef\u202c",
]
ASKED = """\
standards:
  stop_within_m: 400
  departures_per_hour: {peak: 5}
  shared_spaces_within_min: 15
  source: "Policy <T4>"
sites: {named_places: {town_hall: Hall P2}}
"""
FIVE = (
    "scenario: five\ntitle: Five <b>an</b> hour\n"
    "changes: [{set_headway: {route: L1, weekday: {05:00-23:00: 12}}}]\n"
    "cost: {per_bus_hour: 50, days: {weekday: 250}}\n"
)
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Study:
    folder = tmp_path_factory.mktemp("town")
    path = town_study(folder, STUDY + ASKED)
    (folder / "five.yaml").write_text(FIVE, encoding="utf-8")
    with (folder / "sites.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["id", "lon", "lat", "name", "homes", "entrances"])
        for number, name in enumerate(HOSTILE):  # along the row of places, some at a stop and some between
            writer.writerow([f"{name} {number}" if number < 3 else f"H{number}", 20 + number * 0.05, 0, name, 40, ""])
        writer.writerow(["GATES", 20.1, 0.004, "Two gates", 12, "20.1 0.004; 20.1 0.001"])
        writer.writerow(["SEA", -30, 40, "In the sea", 1, ""])
    return open_study(path)


@pytest.fixture(scope="module")
def made(town: Study, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Every site of the town with its page, and a proposal tried."""
    out = tmp_path_factory.mktemp("made") / "out"
    five = read_scenarios([town.file.folder / "five.yaml"], town)
    outcome = assess_sites(town, town.file.folder / "sites.csv", out, scenarios=five, pages=["all"])
    assert (outcome.n_sites, outcome.n_failed, outcome.n_pages, outcome.n_without_page) == (7, 1, 6, 1)
    return out


def pages(made: Path) -> dict[str, str]:
    return {path.relative_to(made).as_posix(): path.read_text("utf-8") for path in sorted(made.rglob("*.html"))}


def elements(element: Element) -> Iterator[Element]:
    for child in element.children:
        yield child
        yield from elements(child)


def words_of(element: Element) -> str:
    return " ".join(element.text.split())


def test_the_page_says_what_the_table_says(made: Path) -> None:
    """At P0: 3 buses of 5, hall at the place; the proposal brings 5; 40 homes are 96 persons."""
    page = Tree(pages(made)[f"pages/{page_name(HOSTILE[0] + ' 0')}"]).root
    standards = next(t for t in page.all("table") if t.attributes.get("class") == "standards")
    rows = [[words_of(cell) for cell in row.children] for row in standards.all("tr")][1:]
    assert rows[0][:4] == ["A stop with service within 400 m", "✓ met", "0 m", "400 m to spare"]
    assert rows[1][:4] == [
        "5 departures an hour within 400 m (peak, 07:00–08:00)",
        "✗ missed",
        "3 an hour",
        "2 an hour too few",
    ]
    assert re.fullmatch(r"2 more departures an hourbrought by Five <b>an</b> hour \(£[\d,]+ a year\)", rows[1][4])
    assert rows[2][:4] == ["Shared spaces within 15 minutes", "✓ met", "0 minutes", "15 minutes to spare"]
    sentence = next(e for e in page.all("p") if e.attributes.get("class") == "sentence").text
    assert (
        "It misses 1 of 3 standards: departures (peak)." in sentence
        and "it would meet all that are required" in sentence
    )
    text = " ".join(words_of(e) for e in page.all("td"))
    assert "Hall P0" in text and "Stand 0" in text
    assert any("To town hall (Hall P2)" in e.text for e in page.all("caption"))
    assert any("Policy <T4>" in e.text for e in page.all("p"))


def test_journeys_of_a_page_take_the_time_that_is_judged(town: Study, tmp_path: Path) -> None:
    """P0 without its own hall: the nearest is at P1, 11 to 30 minutes away, 20 at the median, at the first such departure.

    Leaving at 07:10 the bus of 07:20 is there at 07:30. The legs add up, and every one begins where the last one ended.
    """
    text = (town.file.folder / "study.yaml").read_text("utf-8")
    study = town_study(tmp_path / "other", text)
    spaces = json.loads((tmp_path / "other" / "spaces.geojson").read_text("utf-8"))
    spaces["features"] = [one for one in spaces["features"] if one["properties"]["id"] != "hallP0"]
    (tmp_path / "other" / "spaces.geojson").write_text(json.dumps(spaces), encoding="utf-8")
    (tmp_path / "sites.csv").write_text("id,lon,lat\nA,20,0\n", encoding="utf-8")
    opened = open_study(study)
    assess_sites(opened, tmp_path / "sites.csv", tmp_path / "out", pages=["A"])
    with (tmp_path / "out" / "sites.csv").open(newline="", encoding="utf-8") as file:
        (row,) = csv.DictReader(file)
    assert (
        row["nearest__day__peak__shared_spaces"] == "1200"
        and row["nearest_place__day__peak__shared_spaces"] == "Hall P1"
    )
    (kept,) = WorkFolder(tmp_path / "out").folder.rglob("pages/*.json")
    (journey,) = json.loads(kept.read_text("utf-8").partition("\n")[2])["journeys"]
    assert (format_time(journey["depart_s"]), format_time(journey["arrive_s"])) == ("07:10:00", "07:30:00")
    (ride,) = journey["legs"]
    assert (ride["route"], ride["start"], ride["end"], format_time(ride["depart_s"])) == (
        "L1",
        "Stand 0",
        "Stand 1",
        "07:20:00",
    )
    assert ride["line"] == [[20.0, 0.0], [20.1, 0.0]]
    page = (tmp_path / "out" / "pages" / "A.html").read_text("utf-8")
    assert "Leaving at 07:10 · 20 minutes · arrives 07:30 · no change" in page
    assert "Bus L1: Stand 0 to Stand 1, 10 min, after a wait of 10 min" in unescape(page)


def test_hostile_names_come_out_as_text(made: Path) -> None:
    """No name opens a tag, and no page has a picture, a handler or a script of its own; the title is the name itself."""
    for name, html in pages(made).items():
        root = Tree(html).root
        assert not list(root.all("img")), name
        assert len(list(root.all("script"))) == (3 if name == "report.html" else 0), name
        for element in elements(root):
            assert not [key for key in element.attributes if key.startswith("on")], name
        assert "49" not in "".join(e.text for e in root.all("h1"))
    data = json.loads(next(e.text for e in Tree(pages(made)["report.html"]).root.all("script")))
    assert [row[1] for row in data["rows"]][:5] == [*HOSTILE[:3], "two lines", HOSTILE[4]]
    titles = [next(Tree(html).root.all("h1")).text for name, html in pages(made).items() if name != "report.html"]
    assert sorted(titles) == sorted([*HOSTILE[:3], "two lines", HOSTILE[4], "Two gates"])


def test_pages_ask_the_network_for_nothing(made: Path) -> None:
    for name, html in pages(made).items():
        root = Tree(html).root
        for element in [e for tag in ("script", "link", "img", "iframe", "source", "object") for e in root.all(tag)]:
            assert not {"src", "href", "data"} & set(element.attributes), name
        for style in root.all("style"):
            assert not re.search(r"url\((?!#)|@import", style.text)
        policy = next(e for e in root.all("meta") if e.attributes.get("http-equiv") == "Content-Security-Policy")
        assert policy.attributes["content"].startswith("default-src 'none'")
        assert ("script-src" in policy.attributes["content"]) == (name == "report.html")
        for link in root.all("a"):
            target = link.attributes["href"]
            if not target.startswith("#"):
                assert (made / "pages" / target if name != "report.html" else made / target).is_file(), target


def test_everybody_can_read_the_pages(made: Path) -> None:
    """One h1, no level left out, no id twice, drawings with names, tables with captions, fields with labels."""
    for html in pages(made).values():
        root = Tree(html).root
        levels = [int(e.tag[1]) for e in elements(root) if re.fullmatch("h[1-6]", e.tag)]
        assert levels.count(1) == 1 and levels[0] == 1
        assert all(b <= a + 1 for a, b in pairwise(levels))
        ids = [e.attributes["id"] for e in elements(root) if "id" in e.attributes]
        assert len(ids) == len(set(ids))
        assert {e.attributes["href"][1:] for e in root.all("a") if e.attributes["href"].startswith("#")} <= set(ids)
        for svg in root.all("svg"):
            assert svg.attributes.get("aria-hidden") == "true" or svg.attributes.get("aria-label")
        for found in root.all("table"):
            assert words_of(next(found.all("caption")))
            assert all(head.attributes.get("scope") in ("col", "row") for head in found.all("th"))
        labelled = {e.attributes.get("for") for e in root.all("label")}
        for control in [*root.all("input"), *root.all("select")]:
            assert control.attributes["id"] in labelled
        for region in [e for e in elements(root) if e.attributes.get("role") == "region"]:
            assert region.attributes["tabindex"] == "0" and region.attributes["aria-label"]
        # what a colour says, a word or a sign says too
        for sign in [e for e in root.all("span") if "mark" in e.attributes.get("class", "").split()]:
            assert sign.text[0] in "✓✗"


def test_the_overview_holds_every_site(made: Path) -> None:
    """Seven rows: id, name, homes, neighbourhood, result, three standards, proposal; page, place, verdict."""
    root = Tree(pages(made)["report.html"]).root
    data = json.loads(next(e.text for e in root.all("script")))
    assert [column["kind"] for column in data["columns"]] == [
        "text",
        "text",
        "number",
        "text",
        "text",
        "mark",
        "mark",
        "mark",
        "text",
    ]
    assert len(data["rows"]) == 7 and all(len(row) == 9 + 4 for row in data["rows"])
    first, sea = data["rows"][0], data["rows"][6]
    assert first[4:9] == ["misses a standard", 400.0, -2.0, 15.0, "Five <b>an</b> hour"] and first[10:] == [
        0.0,
        20.0,
        1,
    ]
    assert sea[4:] == ["could not be judged", "", "", "", "", "", 40.0, -30.0, 2]
    table = next(t for t in root.all("table") if t.attributes.get("id") == "sites")
    assert len(list(table.all("tr"))) == 8
    failed = [words_of(e) for e in root.all("td") if "outside" in e.text]
    assert failed == ["lies outside the streets' coverage or too far from any street"]


def asked_pages(study: Study, out: Path, *wanted: str) -> list[str]:
    assess_sites(study, study.file.folder / "sites.csv", out, pages=wanted)
    return sorted(path.name for path in (out / "pages").glob("*")) if (out / "pages").is_dir() else []


def test_pages_are_written_for_those_who_are_asked_for(town: Study, tmp_path: Path) -> None:
    """``failed`` are sites that miss a standard (all but none here); a site that cannot be judged has no page."""
    assert asked_pages(town, tmp_path / "a", "GATES", "SEA") == ["GATES.html"]
    assert asked_pages(town, tmp_path / "b", "none") == [] and not (tmp_path / "b" / "report.html").exists()
    with (tmp_path / "a" / "sites.csv").open(newline="", encoding="utf-8") as file:
        missed = [row["id"] for row in csv.DictReader(file) if "false" in row.values()]
    assert asked_pages(town, tmp_path / "c", "failed") == sorted(page_name(one.removeprefix("'")) for one in missed)
    with pytest.raises(UsageError, match=r"--pages GATE: sites.csv has no site of that id; did you mean 'GATES'\?"):
        asked_pages(town, tmp_path / "d", "GATE")
    with pytest.raises(UsageError, match="--pages all stands alone"):
        asked_pages(town, tmp_path / "d", "all", "GATES")


def test_only_the_worst_200_get_a_page(town: Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With room for three: of the sites between the stops, which miss all standards, the first three of the file."""
    monkeypatch.setattr("community_routes.sites.pages.MOST_PAGES", 3)
    lines = ["id,lon,lat", "A,20,0", *(f"B{n},20.05,0.00{n}" for n in range(4)), "C,20.2,0"]
    (tmp_path / "sites.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    outcome = assess_sites(town, tmp_path / "sites.csv", tmp_path / "out")
    assert sorted(path.stem for path in (tmp_path / "out" / "pages").iterdir()) == ["B0", "B1", "B2"]
    assert (outcome.n_pages, outcome.n_without_page) == (3, 2)
    assert "2 sites for which a page was asked have none" in (tmp_path / "out" / "report.html").read_text("utf-8")


@pytest.mark.parametrize(
    "ident", ["../../etc/passwd", "CON", "com1", "a/b", "a\\b", "x" * 300, ".", "é", "a b", "AB\u202e", "lpt9"]
)
def test_a_page_has_a_name_that_every_system_takes(ident: str) -> None:
    name = page_name(ident)
    assert re.fullmatch(r"[A-Za-z0-9-]{1,40}\.[0-9a-f]{10}\.html", name)


def test_page_names_tell_ids_apart() -> None:
    """Also where a system takes capitals and small letters for the same."""
    ids = ["S1", "s1", "S-1", "S 1", "S/1", "S_1", "S1.html"]
    assert page_name("S1") == "S1.html"
    assert len({page_name(one).lower() for one in ids}) == len(ids)


def test_a_small_map_shows_what_it_is_given(town: Study) -> None:
    """A walk of 111 m up from (20, 0): drawn from the site to the stop, with a scale, and the name of the map."""
    under = underlay({}, None, town.zones.table)
    drawn = small_map(
        under, [Stretch([[20, 0], [20, 0.001]], walk=True)], [Mark((20, 0), "site", "<the site>")], title='A "map"'
    )
    svg = next(Tree(str(drawn)).root.all("svg"))
    assert svg.attributes["aria-label"] == 'A "map"'
    assert [words_of(e) for e in svg.all("text")] == ["<the site>", "100 m"]
    frame = Frame(*[float(edge) for edge in (19.99, -0.01, 20.01, 0.01)], width=100)
    x, y = frame.place(np.array([[20.0, 0.0]]))[0]
    assert (round(float(x)), round(float(y))) == (50, 50)
    dotted = [e for e in svg.all("path") if "stroke-dasharray" in e.attributes and e.attributes["stroke"] == "#b3401c"]
    start, _, step = dotted[0].attributes["d"].removeprefix("M").partition("l")
    dx, dy = (float(part) for part in step.split())
    width, height = (float(part) for part in svg.attributes["viewbox"].split()[2:])
    assert dx == 0 and dy < 0 and 0 < float(start.split()[0]) < width and 0 < float(start.split()[1]) < height
    assert abs(dy) / width == pytest.approx(111.19 / 700 if width else 0, rel=0.02)


WATCH = """<script>window.faults = []; addEventListener("error", function (e) { faults.push(String(e.message)); }, true);
addEventListener("securitypolicyviolation", function (e) { faults.push("asks for " + e.blockedURI); });</script>"""
TELL = """<script>setTimeout(function () { var seen = {}; %s
  seen.faults = faults; seen.title = document.title; seen.wide = document.documentElement.scrollWidth; seen.room = innerWidth;
  seen.count = (document.getElementById("count") || {}).textContent;
  seen.rows = Array.from(document.querySelectorAll("#sites tbody tr")).map(function (r) { return r.cells[0].textContent; });
  parent.postMessage(seen, "*"); }, 700);</script>"""
AROUND = """<!doctype html><title>test</title><body><iframe src="page.html" style="width:%dpx;height:900px;border:0"></iframe>
<script>addEventListener("message", function (e) { document.body.dataset.seen = JSON.stringify(e.data); });</script></body>"""


def see(tmp_path: Path, html: str, *, width: int = 1280, act: str = "") -> dict[str, Any]:
    """What the page looks like from inside at a width, after some actions."""
    copy = html.replace("<head>", "<head>" + WATCH, 1).replace("</body>", TELL % act + "</body>", 1)
    copy = copy.replace("script-src 'unsafe-inline'; ", "").replace(
        "default-src 'none'; ", "default-src 'none'; script-src 'unsafe-inline'; ", 1
    )
    (tmp_path / "page.html").write_text(copy, encoding="utf-8")
    (tmp_path / "around.html").write_text(AROUND % width, encoding="utf-8")
    options = ["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--host-resolver-rules=MAP * ~NOTFOUND"]
    options += [
        f"--user-data-dir={tmp_path / 'profile'}",
        "--window-size=1400,1000",
        "--virtual-time-budget=6000",
        "--dump-dom",
    ]
    done = subprocess.run(
        [str(CHROMIUM), *options, (tmp_path / "around.html").as_uri()],
        capture_output=True, text=True, encoding="utf-8", timeout=120, check=True,
    )  # fmt: skip
    found = re.search(r'data-seen="([^"]*)"', done.stdout)
    assert found, done.stderr[-800:]
    seen: dict[str, Any] = json.loads(unescape(found.group(1)))
    return seen


@pytest.mark.browser
@pytest.mark.skipif(CHROMIUM is None, reason="needs Debian's chromium (apt-get install chromium)")
@pytest.mark.parametrize("width", [390, 1280])
def test_nothing_fails_and_nothing_is_cut_in_a_browser(made: Path, tmp_path: Path, width: int) -> None:
    for name in ("report.html", "pages/GATES.html", f"pages/{page_name(HOSTILE[1] + ' 1')}"):
        seen = see(tmp_path, pages(made)[name], width=width)
        assert seen["faults"] == [] and seen["wide"] <= seen["room"], name
        assert "broken" not in seen["title"].replace(HOSTILE[1], "")


@pytest.mark.browser
@pytest.mark.skipif(CHROMIUM is None, reason="needs Debian's chromium (apt-get install chromium)")
def test_the_table_sorts_and_filters_in_a_browser(made: Path, tmp_path: Path) -> None:
    """By homes (1, then 12, then five of 40), by a word, by result; the button of a row shows the site on the map."""
    html = pages(made)["report.html"]
    act = """var heads = document.querySelectorAll("#sites thead button");
      heads[2].focus(); seen.focus = document.activeElement === heads[2];
      heads[2].click(); seen.sort = heads[2].parentNode.getAttribute("aria-sort");
      document.querySelectorAll(".locate")[1].click(); seen.chosen = document.getElementById("chosen").textContent;"""
    seen = see(tmp_path, html, act=act)
    assert (
        seen["rows"][:2] == ["SEA", "GATES"]
        and len(seen["rows"]) == 7
        and seen["sort"] == "ascending"
        and seen["focus"]
    )
    assert seen["chosen"].startswith("GATES, Two gates: meets all standards")
    act = """var s = document.getElementById("f-verdict"); s.value = "2"; s.dispatchEvent(new Event("change"));"""
    seen = see(tmp_path, html, act=act)
    assert seen["rows"] == ["SEA"] and seen["count"] == "1 of 7 sites" and seen["faults"] == []


def test_streets_and_journeys_of_the_sample_are_drawn(tmp_path: Path) -> None:
    """A site on the sample's streets: its page has a map of the site and one for each journey, with streets and rides."""
    study = open_study(sample_study())
    given = sample_study().parent / "sites" / "sites.csv"
    assess_sites(study, given, tmp_path / "out", pages=["D13"])
    root = Tree((tmp_path / "out" / "pages" / "D13.html").read_text("utf-8")).root
    maps = [e for e in root.all("svg") if e.attributes.get("class") == "map"]
    assert len(maps) == 1 + len(study.file.destinations)
    for drawn in maps:
        streets = [
            e for e in drawn.all("path") if e.attributes.get("stroke") == "#fff" and e.attributes.get("fill") == "none"
        ]
        assert max(len(e.attributes["d"]) for e in streets) > 1000
    assert any(e.attributes.get("stroke") == "#00566b" for e in maps[1].all("path"))
