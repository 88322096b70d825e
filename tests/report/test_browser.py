"""The page in a real browser without a network: nothing fails, the map is drawn, nothing is cut off on a phone."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from html import unescape
from pathlib import Path
from typing import Any

import pytest

from community_routes.report.page import page_html, write_page
from report.made_results import made_results

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="needs Debian's chromium (apt-get install chromium)"),
]
HOSTILE = "</script><img src=x onerror=\"document.title='broken in'\">"

# Runs in a copy of the page: collects faults, does what the test asks for, and tells the page around it what it sees.
WATCH = """
<script>window.faults = []; addEventListener("error", function (e) { faults.push(String(e.message || e.target)); }, true);
addEventListener("securitypolicyviolation", function (e) { faults.push("asks for " + e.blockedURI); });</script>
"""
TELL = """
<script>setTimeout(function () { %s
  var zones = document.querySelectorAll(".leaflet-zones-pane path");
  parent.postMessage({
    faults: faults, title: document.title,
    wide: document.documentElement.scrollWidth, room: innerWidth, high: document.documentElement.scrollHeight,
    about: document.getElementById("zones-about").textContent,
    map: document.getElementById("map-title").textContent,
    found: document.getElementById("found").textContent,
    cells: Object.fromEntries(Array.from(document.querySelectorAll("#zones tbody tr")).map(function (r) {
      return [r.cells[0].textContent, Array.from(r.cells).map(function (c) { return c.textContent; })]; })),
    nameless: Array.from(document.querySelectorAll("[tabindex], a, button, input, select, summary")).filter(function (e) {
      var name = e.textContent.trim() || e.getAttribute("aria-label") || (e.labels && e.labels.length);
      return e.tabIndex >= 0 && !name; }).map(function (e) { return e.outerHTML.slice(0, 80); }),
    shapes: document.querySelectorAll("path[tabindex], path[aria-describedby]").length,
    zones: zones.length, fills: Array.from(zones).map(function (z) { return z.getAttribute("fill"); }),
    card: document.getElementById("card").textContent,
    legend: document.getElementById("legend").textContent,
    sorted: Array.from(document.querySelectorAll("#zones tbody tr")).map(function (r) { return r.cells[0].textContent; }),
    staticMaps: getComputedStyle(document.querySelector(".static-maps")).display
  }, "*"); }, 700);</script>
"""
AROUND = """<!doctype html><title>test</title><body><iframe src="page.html" style="width:%dpx;height:900px;border:0"></iframe>
<script>addEventListener("message", function (e) { document.body.dataset.seen = JSON.stringify(e.data); });</script></body>"""


def see(tmp_path: Path, html: str, *, width: int = 1280, act: str = "") -> dict[str, Any]:
    """What the page looks like from inside at a width, after some actions."""
    copy = html.replace("<head>", "<head>" + WATCH, 1).replace("</body>", TELL % act + "</body>", 1)
    (tmp_path / "page.html").write_text(copy, encoding="utf-8")
    (tmp_path / "around.html").write_text(AROUND % width, encoding="utf-8")
    done = subprocess.run(
        [
            str(CHROMIUM),
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--no-first-run",
            "--disable-background-networking",
            "--host-resolver-rules=MAP * ~NOTFOUND",
            f"--user-data-dir={tmp_path / 'profile'}",
            "--window-size=1400,1000",
            "--virtual-time-budget=6000",
            "--dump-dom",
            (tmp_path / "around.html").as_uri(),
        ],
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=120,
        check=True,
    )
    found = re.search(r'data-seen="([^"]*)"', done.stdout)
    assert found, done.stderr[-800:]
    seen: dict[str, Any] = json.loads(unescape(found.group(1)))
    return seen


def page(tmp_path: Path, **changes: Any) -> str:
    return write_page(made_results(25, **changes), tmp_path / "report.html").read_text(encoding="utf-8")


@pytest.mark.parametrize("width", [390, 794, 1280])
def test_nothing_fails_and_nothing_is_cut(tmp_path: Path, width: int) -> None:
    """No fault, no request, 25 neighbourhoods drawn, three of them hatched, and no part wider than the window."""
    long = made_results(25).notices.assign(code="c" * 90, file="f" * 120, message="A long word: " + "w" * 150)
    sources = made_results(25).sources.assign(name="n" * 90)
    html = page(
        tmp_path, proposals=2, days=("weekday", "sunday"), notices=long, sources=sources, title="Longborough " * 6
    )
    seen = see(tmp_path, html, width=width)
    assert seen["faults"] == []
    assert seen["zones"] == 25
    assert seen["fills"].count("url(#h-off)") == 3
    assert seen["wide"] <= seen["room"]
    assert seen["staticMaps"] == "none"


def test_a_neighbourhood_shows_its_figures(tmp_path: Path) -> None:
    """Chosen in the list: the fourth (i = 3) gains 1.5 shared spaces in the evening; its nearest is 6 + 3 minutes away today."""
    act = """var s = document.getElementById("s-zone"); s.value = "3";
             s.dispatchEvent(new Event("change", { bubbles: true }));"""
    seen = see(tmp_path, page(tmp_path), act=act)
    assert "Ward D 4" in seen["card"]
    assert "+1.5" in seen["card"]
    assert "Library 19 min" in seen["card"]
    assert seen["faults"] == []


def test_the_selects_change_the_map(tmp_path: Path) -> None:
    """Today has the colours of levels and the change those of changes; the morning of the same change differs again."""
    start = see(tmp_path, page(tmp_path))
    today = see(tmp_path, page(tmp_path), act="""document.querySelector('input[value="today"]').click();""")
    morning = see(
        tmp_path,
        page(tmp_path),
        act="""var s = document.getElementById("s-window"); s.value = "morning_peak";
               s.dispatchEvent(new Event("change", { bubbles: true }));""",
    )
    assert start["fills"] != today["fills"] != morning["fills"]
    assert start["legend"].startswith("Change")
    assert today["legend"].startswith("Today")
    assert "outside the streets of this study (3)" in today["legend"]


def test_the_table_sorts(tmp_path: Path) -> None:
    """By name, down: the neighbourhood of the last ward first."""
    act = """var b = document.querySelector("#zones th button"); b.click(); b.click();"""
    seen = see(tmp_path, page(tmp_path), act=act)
    assert seen["sorted"][0] == "Ward H 24"
    assert seen["sorted"][-1] == "Ward A 1"


def test_hostile_names_do_nothing(tmp_path: Path) -> None:
    """Names that are programs are shown as they are, in the card too, and none of them runs."""
    rename = dict.fromkeys(("Ward A 1", "Stop 1", "Works 1", "Evening link Mill Lane - Northgate"), HOSTILE)
    act = """var s = document.getElementById("s-zone"); s.value = "0";
             s.dispatchEvent(new Event("change", { bubbles: true }));"""
    seen = see(tmp_path, page(tmp_path, rename=rename), act=act)
    assert seen["faults"] == []
    assert "broken in" not in seen["title"]
    assert HOSTILE in seen["card"]


def test_without_a_script_there_are_static_maps(tmp_path: Path) -> None:
    """With the page's own script taken out, the static maps stand there and the controls do not."""
    html = page(tmp_path)
    start = html.rindex("<script>", 0, html.rindex("</script>"))
    without = html[:start] + html[html.rindex("</script>") + len("</script>") :]
    seen = see(tmp_path, without)
    assert seen["staticMaps"] == "block"
    assert seen["zones"] == 0


@pytest.mark.parametrize(("width", "screen", "most"), [(1280, 900, 8), (390, 844, 14)])
def test_the_page_is_read_in_a_few_screens(tmp_path: Path, width: int, screen: int, most: int) -> None:
    """Three proposals on three days: as long as the reader opens nothing, so many screens at most, and nothing sideways."""
    seen = see(tmp_path, page(tmp_path, proposals=3, days=("weekday", "saturday", "sunday")), width=width)
    assert seen["high"] <= most * screen
    assert seen["wide"] <= seen["room"]


def test_a_proposal_is_shown_when_it_acts_and_the_table_follows(tmp_path: Path) -> None:
    """The proposal acts in the evening: chosen on a map of the morning it shows the evening, and so does the table.

    The fourth neighbourhood (i = 3) reaches 40 x 0.75 x (1 - 0.018) x 0.6 = 17.676 employment zones then, and 1.5 more.
    """
    act = """var w = document.getElementById("s-window"), p = document.getElementById("s-scenario");
             w.value = "morning_peak"; w.dispatchEvent(new Event("change", { bubbles: true }));
             window.then = document.getElementById("zones-about").textContent;
             p.value = "1"; p.dispatchEvent(new Event("change", { bubbles: true }));"""
    seen = see(tmp_path, page(tmp_path), act=act)
    assert seen["faults"] == []
    assert "evening" in seen["about"].lower() and "Most deprived first" in seen["about"]
    assert seen["cells"]["Ward D 4"][-2:] == ["17.7", "+1.5"]


def test_after_sorting_the_words_above_the_table_are_true(tmp_path: Path) -> None:
    seen = see(tmp_path, page(tmp_path), act='document.querySelectorAll("#zones th button")[4].click();')
    assert "Most deprived first" not in seen["about"]
    assert "Sorted by today, smallest first." in seen["about"]


def test_the_address_opens_the_map_as_it_was(tmp_path: Path) -> None:
    """The proposal's level for shared spaces in the morning, the second neighbourhood chosen."""
    act = 'location.hash = "#map=with/proposal-1/shared_spaces/day/morning_peak/v1/Z002";'
    seen = see(tmp_path, page(tmp_path), act=act + "dispatchEvent(new HashChangeEvent('hashchange'));")
    assert seen["faults"] == []
    assert seen["legend"].startswith("With the proposal")
    assert "shared spaces" in seen["map"] and "Morning peak" in seen["map"]
    assert "Ward B 2" in seen["card"]


def test_a_place_is_found_by_its_name(tmp_path: Path) -> None:
    """Of a stop the neighbourhood in which it lies is chosen; what nobody knows is said."""
    act = """var f = document.getElementById("s-find"); f.value = "%s";
             f.dispatchEvent(new Event("change", { bubbles: true }));"""
    assert "Ward D 4" in see(tmp_path, page(tmp_path), act=act % "ward d 4")["card"]
    results = made_results(25, postcodes={"AB12CD": "Z002"})
    assert "Ward B 2" in see(tmp_path, page_html(results), act=act % "ab1 2cd")["card"]
    assert "Nothing in this study is called" in see(tmp_path, page(tmp_path), act=act % "Atlantis")["found"]


def test_only_what_scrolls_is_a_stop_and_every_stop_has_a_name(tmp_path: Path) -> None:
    seen = see(tmp_path, page(tmp_path, proposals=2))
    assert seen["nameless"] == []
    assert seen["shapes"] == 0
