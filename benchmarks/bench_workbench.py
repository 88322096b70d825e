"""Measures how long one waits at the workbench; writes benchmarks/WORKBENCH.md.

    python benchmarks/bench_workbench.py [--studies sample,newport,porto-alegre] [--edits 100] [--run 10]

Each study is opened as a user opens it, with its networks kept from before, in Debian's Chromium without a network. A
script then makes edits of all kinds with the pointer and the keyboard. The time of an edit goes from the release of the
pointer (or the end of typing) to the frame with the new numbers, as the page measures it. With ``--run N`` the first N
of the proposals that were on the screen are written as files and given to ``run``; their changes must be those of
comparison.csv to the last digit.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import random
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import Any

import pandas as pd
import shapely
from playwright.sync_api import Page, sync_playwright
from playwright.sync_api import TimeoutError as TooLongError

from bench_live import porto_alegre
from pages import busy, conditions, write_page

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
CLI = [sys.executable, "-m", "community_routes.cli"]
STUDIES = {
    "sample": ROOT / "data" / "study.yaml",
    "newport": ROOT / "tests" / "acceptance" / "newport" / "study.yaml",
    "porto-alegre": None,
}
"""Study files; that of Porto Alegre, its 1,227 hexagons as neighbourhoods and as places of work, is made by ``bench_live``."""
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
ALONE = ["--no-sandbox", "--disable-gpu", "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"]
"""No name is looked up: whatever the page would ask for elsewhere fails."""
LONGEST_MS = 30_000
_MOST_MISSED = 5
_APART_DEGREES = 0.01

Place = tuple[float, float]


@dataclass
class Driver:
    """Whoever sits at the page: the map as the server described it, and the edits so far with their milliseconds."""

    page: Page
    map: dict[str, Any]
    server: int
    has_fares: bool
    draw: random.Random = field(default_factory=lambda: random.Random(7))
    taken: list[tuple[str, float, float, bool]] = field(default_factory=list)
    texts: list[tuple[str, str, Any]] = field(default_factory=list)
    left: list[dict[str, Any]] = field(default_factory=list)
    missed: int = 0

    def at(self, place: Place) -> tuple[float, float]:
        """Where a place is on the screen."""
        x, y = self.page.evaluate(
            """async ([lon, lat]) => { const { map } = await import("/static/map.js");
            const spot = map.latLngToContainerPoint([lat, lon]), box = map.getContainer().getBoundingClientRect();
            return [box.left + spot.x, box.top + spot.y]; }""",
            list(place),
        )
        return x, y

    def is_free(self, place: Place) -> bool:
        """Whether a click at a place meets the map, not something that lies above it."""
        found = self.page.evaluate(
            """([x, y]) => { const hit = document.elementFromPoint(x, y);
            return Boolean(hit && hit.closest("#map") && !hit.closest(".leaflet-control")); }""",
            list(self.at(place)),
        )
        return bool(found)

    def look_at(self, *places: Place) -> None:
        """Bring places into the middle of the map."""
        self.page.evaluate(
            """async (pairs) => { const { map, lookAt } = await import("/static/map.js"); lookAt(pairs);
            if (pairs.length === 1) map.setView([pairs[0][1], pairs[0][0]], 15, { animate: false }); }""",
            [list(place) for place in places],
        )

    def edit(self, name: str, act: Callable[[], object]) -> None:
        """One edit, and the wait for its answer."""
        busy_before = processor_ms(self.server)
        ms = self.answered(name, act)
        scenario, text, answer = self.on_screen()
        self.taken.append((name, ms, processor_ms(self.server) - busy_before, answer["old"]))
        said = (
            "; ".join(fault["message"] for fault in answer["faults"])
            if answer["old"]
            else f"server {1000 * answer['seconds']:.0f}"
        )
        print(f"{len(self.taken):4d} {name}: {ms:.0f} ms ({said})", file=sys.stderr, flush=True)
        if answer["old"]:  # what follows is to be answered by numbers
            self.answered(name, lambda: self.page.locator("#undo").click())
        else:
            self.texts.append((scenario, text, answer))

    def answered(self, name: str, act: Callable[[], object]) -> float:
        """Do something that asks for an answer; the milliseconds until it is seen, as the page measures them."""
        before = self.page.evaluate("performance.getEntriesByName('answer').length")
        act()
        deadline = time.monotonic() + LONGEST_MS / 1000
        while self.page.evaluate("performance.getEntriesByName('answer').length") == before:
            if time.monotonic() > deadline:
                raise TooLongError(f"{name}: no answer")
            self.page.wait_for_timeout(10)
        return float(self.page.evaluate("performance.getEntriesByName('answer').at(-1).duration"))

    def on_screen(self) -> tuple[str, str, Any]:
        """The proposal as it stands on the screen, its text, and what was answered."""
        scenario, text, answer = self.page.evaluate(
            """async () => { const { activeTab, state } = await import("/static/state.js"); const tab = activeTab();
            return [tab.id, tab.text, state.answer]; }"""
        )
        return scenario, text, answer

    def drag(self, start: tuple[float, float], end: tuple[float, float]) -> None:
        """Take, carry, let go."""
        self.page.mouse.move(*start)
        self.page.mouse.down()
        self.page.mouse.move((start[0] + end[0]) / 2, (start[1] + end[1]) / 2, steps=4)
        self.page.mouse.move(*end, steps=4)
        self.page.mouse.up()

    def route(self) -> dict[str, Any]:
        """A bus route with ten stops or more inside the town, another one each time in a round."""
        if not self.left:
            self.left = self.draw.sample(self.routes, len(self.routes))
        return self.left.pop()

    @cached_property
    def routes(self) -> list[dict[str, Any]]:
        """The bus routes of ten stops or more, no loops, that run among neighbourhoods with figures alone: where streets are."""
        answer = self.on_screen()[2]["neighbourhoods"]
        known = {zone for zone, value in zip(answer["id"], answer["today"], strict=True) if value is not None}
        features = self.map["neighbourhoods"]["features"]
        town = shapely.union_all(
            [shapely.from_geojson(json.dumps(one["geometry"])) for one in features if one["properties"]["id"] in known]
        ).buffer(0.002)
        routes = [one for one in self.map["routes"] if one["mode"] == "bus" and one["patterns"]]
        lines = [(route, shapely.LineString(route["patterns"][0]["line"])) for route in routes]
        return [
            route
            for route, line in lines
            if len(route["patterns"][0]["stops"]) >= 10
            and town.contains(line)
            and shapely.distance(*(shapely.Point(line.coords[i]) for i in (0, -1))) > _APART_DEGREES
        ]

    def places_of(self, route: dict[str, Any]) -> list[dict[str, Any]]:
        """Its stops in order."""
        by_id = {stop["id"]: stop for stop in self.map["stops"]}
        return [by_id[key] for key in route["patterns"][0]["stops"] if key in by_id]

    def stop_near(self, place: Place, but: list[dict[str, Any]], away_m: float = 800.0) -> Place:
        """The stop nearest to half a mile (or so many metres) from a place, where there are roads, that is none of some."""
        own = {stop["name"] for stop in but}
        others = [lonlat(stop) for stop in self.map["stops"] if stop["name"] not in own]
        away = {other: abs(apart(place, other) - away_m) for other in others}
        return min(away, key=lambda other: away[other])

    def stop_after(self, along: list[dict[str, Any]]) -> Place:
        """Where a bus of another route goes from the last of some stops, so that there is a road; else a stop near it."""
        own, last = {stop["name"] for stop in along}, along[-1]
        by_id = {stop["id"]: stop for stop in self.map["stops"]}
        for pattern in (
            pattern for route in self.map["routes"] if route["mode"] == "bus" for pattern in route["patterns"]
        ):
            for before, after in pairwise(pattern["stops"]):
                goes_on = by_id.get(after)
                if before == last["id"] and goes_on is not None and goes_on["name"] not in own:
                    return lonlat(goes_on)
        return self.stop_near(lonlat(last), along)

    def button(self, selector: str) -> None:
        self.page.locator(selector).first.click()

    def in_list(self, index: int) -> None:
        """Choose a change of the list."""
        item = self.page.locator(".sentence-button").nth(index)
        if item.get_attribute("aria-expanded") != "true":
            item.click()

    def of_route(self, route: dict[str, Any], kind: str) -> None:
        self.page.locator("#of-route").select_option(route["id"])
        self.button(f'[data-route-kind="{kind}"]')


def processor_ms(process: int) -> float:
    """Milliseconds of the processor that a process has taken so far, with all its threads; 0 where the system does not tell."""
    path = Path(f"/proc/{process}/stat")
    if not path.is_file():
        return 0.0
    user, system = path.read_text().rpartition(") ")[2].split()[11:13]
    return 1000 * (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


def lonlat(thing: dict[str, Any]) -> Place:
    """Longitude and latitude."""
    return thing["lon"], thing["lat"]


def apart(one: Place, other: Place) -> float:
    """Metres between two places, nearly."""
    east = (one[0] - other[0]) * math.cos(math.radians(one[1]))
    return 111_195.0 * math.hypot(east, one[1] - other[1])


def beside(place: Place, x: float, y: float) -> Place:
    """A place so many hundred metres away."""
    return place[0] + x * 0.0014, place[1] + y * 0.0009


def new_tab(driver: Driver, number: int) -> None:
    """An empty proposal."""
    page = driver.page
    driver.left = []
    page.locator("#new-tab").click()
    page.get_by_label("Title").last.fill(f"Round {number}")
    page.get_by_role("button", name="Make it").click()
    page.wait_for_timeout(50)
    page.locator('#answer[aria-busy="false"]').wait_for(timeout=LONGEST_MS)


def a_round(driver: Driver) -> Iterator[tuple[str, Callable[[], object]]]:
    """Edits of all kinds, one after the other on one proposal."""
    yield from drawn_route(driver)
    yield from routes_of_today(driver)
    yield from new_things(driver)
    yield from the_list(driver)


def drawn_route(driver: Driver) -> Iterator[tuple[str, Callable[[], object]]]:
    """A route is drawn, bent, timed."""
    page = driver.page
    driver.button('[data-add-kind="add_route"]')
    for _ in range(10):
        along = driver.places_of(driver.route())
        n = len(along)
        first, early, middle, next_one, last = places = [lonlat(along[i]) for i in (0, n // 4, n // 2, n // 2 + 1, -1)]
        driver.look_at(first, middle, last)
        if all(driver.is_free(place) for place in places):
            break
    page.mouse.click(*driver.at(first))
    yield "route: second stop", lambda: page.mouse.click(*driver.at(middle))
    yield "route: further stop", lambda: page.mouse.click(*driver.at(last))
    driver.button("#prompt button")
    driver.in_list(0)
    corner = page.locator(".handle.stop")

    def handle(i: int) -> tuple[float, float]:
        box = corner.nth(i).bounding_box()
        assert box is not None
        return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2

    yield "route: stop dragged", lambda: driver.drag(handle(1), driver.at(next_one))

    def insert() -> None:
        line = driver.on_screen()[2]["changes"][0]["lines"][0]
        driver.drag(driver.at(tuple(line[len(line) // 3])), driver.at(early))

    yield "route: stop put in by dragging the line", insert
    yield "route: stop taken out", lambda: page.locator(".handle.stop").nth(1).dblclick()
    cell = page.locator('.form [data-day="weekday"]').first
    yield "route: headway", lambda: (cell.fill("12"), cell.press("Tab"))

    def run_time() -> None:
        if not page.locator(".runs input").first.is_visible():
            page.locator(".runs summary").click()
        one = page.locator(".runs input").first
        one.fill("9")
        one.press("Tab")

    yield "route: run time", run_time


def routes_of_today(driver: Driver) -> Iterator[tuple[str, Callable[[], object]]]:
    """Routes that run today are changed in every way."""
    page = driver.page
    for kind, name in (
        ("set_headway", "headway of a route"),
        ("change_speed", "a route faster"),
        ("withdraw_route", "a route withdrawn"),
    ):
        route = driver.route()
        yield name, lambda route=route, kind=kind: driver.of_route(route, kind)
    long = driver.route()
    stops = driver.places_of(long)
    end = lonlat(stops[-1])
    further = driver.stop_after(stops)
    driver.look_at(end)

    def choose(route: dict[str, Any]) -> None:
        page.evaluate(
            """async (id) => { const { state, choose, chooseChange } = await import("/static/state.js");
            chooseChange(null); choose({ near: [], route: id }); }""",
            route["id"],
        )

    choose(long)
    yield "a route longer by dragging its end", lambda: driver.drag(driver.at(end), driver.at(further))
    other = driver.route()
    line = other["patterns"][0]["line"]
    choose(other)
    driver.look_at(tuple(line[len(line) // 2]))

    bend = tuple(line[len(line) // 2])
    by_way_of = driver.stop_near(bend, driver.places_of(other))

    yield (
        "a route another way by dragging its line",
        lambda: driver.drag(driver.at(bend), driver.at(by_way_of)),
    )
    passing = driver.route()
    gone = lonlat(driver.places_of(passing)[4])
    driver.look_at(gone)
    driver.of_route(passing, "remove_stops")
    yield "a stop left out", lambda: page.mouse.click(*driver.at(gone))
    driver.button("#prompt button")


def new_things(driver: Driver) -> Iterator[tuple[str, Callable[[], object]]]:
    """A zone, a path, homes, jobs, a space, fares."""
    page = driver.page
    heart = lonlat(driver.draw.choice(driver.places_of(driver.route())))
    driver.look_at(heart)
    driver.button('[data-add-kind="add_drt"]')
    for x, y in ((-6, -6), (6, -6), (6, 6), (-6, 6)):
        page.mouse.click(*driver.at(beside(heart, x / 1.5, y / 2)))
    yield "a zone on demand drawn", lambda: driver.button("#prompt button")
    driver.button('[data-add-kind="add_path"]')
    page.mouse.click(*driver.at(beside(heart, 0.05, 0.05)))
    page.mouse.click(*driver.at(driver.stop_near(heart, [], 300.0)))
    yield "a path drawn", lambda: driver.button("#prompt button")
    kinds = page.evaluate("import('/static/state.js').then(({ state }) => state.study.kinds.map((kind) => kind.id))")
    points = [("add_homes", "homes"), ("add_jobs", "jobs")]
    if "shared_spaces" in kinds:
        points.append(("add_space", "a space"))
    for kind, name in points:
        driver.button(f'[data-add-kind="{kind}"]')
        yield name, lambda: page.mouse.click(*driver.at(beside(heart, 1.5, 1.5)))
    if driver.has_fares:
        yield "fares", lambda: driver.button('[data-add-kind="change_fare"]')


def the_list(driver: Driver) -> Iterator[tuple[str, Callable[[], object]]]:
    """Off and on, earlier and later, undone and done again, typed."""
    page = driver.page
    driver.in_list(0)
    tool = page.locator(".change-tools")
    yield "switched off", lambda: tool.get_by_role("button", name="Switch off").click()
    yield "switched on", lambda: tool.get_by_role("button", name="Switch on").click()
    yield "later in the order", lambda: tool.get_by_role("button", name="Later").click()
    yield "removed", lambda: tool.get_by_role("button", name="Remove").click()
    yield "undone", lambda: page.locator("#undo").click()
    yield "done again", lambda: page.locator("#redo").click()

    def type_text() -> None:
        area = page.locator("#text")
        area.fill(re.sub(r"(?m)^title:.*$", f"title: Typed {driver.draw.random():.6f}", area.input_value()))

    page.locator("#as-text").click()
    yield "typed in the text", type_text
    page.locator("#as-list").click()


@contextmanager
def started(study: Path) -> Iterator[tuple[str, int]]:
    """The workbench as a process; the address that it prints, and its number."""
    process = subprocess.Popen(
        [*CLI, "workbench", str(study), "--no-browser", "--read-only"],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        assert process.stdout is not None
        for line in process.stdout:
            if found := re.search(r"http://\S+", line):
                yield found.group(0), process.pid
                return
        raise SystemExit(f"{study}: the workbench said no address")
    finally:
        process.terminate()
        process.wait()


@contextmanager
def opened(study: Path) -> Iterator[tuple[Driver, float]]:
    """The page of a study, usable, and the seconds from the start of the command until it was."""
    with sync_playwright() as browsers:
        browser = browsers.chromium.launch(executable_path=CHROMIUM, args=ALONE)
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        page.add_init_script("try { localStorage.setItem('workbench-tour', 'seen'); } catch (e) {}")
        began = time.monotonic()
        with started(study) as (address, server):
            page.goto(address)
            page.wait_for_selector('html[data-ready="yes"]', timeout=600_000)
            usable = time.monotonic() - began
            found = page.evaluate("import('/static/state.js').then(({ state }) => state.map)")
            yield Driver(page, found, server, "fares:" in study.read_text("utf-8")), usable
        browser.close()


def measured(study: Path, n_edits: int) -> tuple[Driver, float]:
    """So many edits on a study."""
    with opened(study) as (driver, usable):
        number = 0
        while len(driver.taken) < n_edits:
            number += 1
            new_tab(driver, number)
            try:
                for name, act in a_round(driver):
                    driver.edit(name, act)
                    if len(driver.taken) == n_edits:
                        break
            except TooLongError as wrong:  # something lay above the place that was clicked
                driver.missed += 1
                print(f"round {number} is broken off: {wrong}", file=sys.stderr, flush=True)
                if driver.missed > _MOST_MISSED:
                    raise
                driver.page.keyboard.press("Escape")
    return driver, usable


def differing(study: Path, driver: Driver, wanted: int) -> tuple[int, int]:
    """Of the proposals on the screen the first so many, given to ``run``: how many there were, how many figures differ."""
    kept = driver.texts[:wanted]
    differ = 0
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        for i, (scenario, text, _) in enumerate(kept):
            (folder / f"p{i}.yaml").write_text(
                re.sub(rf"(?m)^scenario: {scenario}$", f"scenario: p{i}", text), encoding="utf-8"
            )
        files = [str(folder / f"p{i}.yaml") for i in range(len(kept))]
        subprocess.run(
            [*CLI, "run", str(study), *files, "--out", str(folder / "out"), "--tables", "csv", "--no-maps", "--quiet"],
            check=True,
        )
        table = pd.read_csv(folder / "out" / "comparison.csv", dtype={"neighbourhood": str, "cutoff_min": float})
    for i, (_, _, answer) in enumerate(kept):
        choice, zones = answer["choice"], answer["neighbourhoods"]
        keys = {"scenario": f"p{i}"} | {
            k: choice[k] for k in ("day", "window", "kind", "measure", "reading", "cutoff_min")
        }
        ran = table[(table[list(keys)] == list(keys.values())).all(axis=1)].set_index("neighbourhood")["change"]
        shown = pd.Series(zones["change"], zones["id"], dtype=float)
        differ += int((~((shown == ran.reindex(shown.index)) | (shown.isna() & ran.reindex(shown.index).isna()))).sum())
    return len(kept), differ


def section(driver: Driver, usable: float, load: tuple[float, float], checked: tuple[int, int] | None) -> list[str]:
    """What was found, as lines of the page."""
    ms = sorted(taken for _, taken, *_ in driver.taken)
    work = sorted(taken for *_, taken, _ in driver.taken)
    faulty = sum(stopped for *_, stopped in driver.taken)
    lines = [
        conditions(1, load),
        "",
        f"From the start of the command to a page that can be used: {usable:.1f} s.",
        f"{len(ms)} edits: p50 {statistics.median(ms):.0f} ms, p95 {ms[int(0.95 * (len(ms) - 1))]:.0f} ms, "
        f"longest {ms[-1]:.0f} ms. The server worked p50 {statistics.median(work):.0f} ms, p95 "
        f"{work[int(0.95 * (len(work) - 1))]:.0f} ms of the processor for them; {faulty} of them were answered by a fault.",
    ]
    if checked is not None:
        lines.append(f"{checked[0]} of the proposals given to `run`: {checked[1]} figures differ.")
    lines += ["", "| edit | times | p50 ms | longest ms | processor ms of the server, p50 |", "|---|---|---|---|---|"]
    for name in dict.fromkeys(name for name, *_ in driver.taken):
        mine = [(taken, worked) for other, taken, worked, _ in driver.taken if other == name]
        waited, worked = zip(*mine, strict=True)
        lines.append(
            f"| {name} | {len(mine)} | {statistics.median(waited):.0f} | {max(waited):.0f} | {statistics.median(worked):.0f} |"
        )
    return lines


def main() -> None:
    """Measure and write."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    options.add_argument("--studies", default="sample,newport,porto-alegre")
    options.add_argument("--edits", type=int, default=100)
    options.add_argument("--run", type=int, default=0, help="So many of the proposals are given to `run` as well ...")
    options.add_argument("--run-of", default="newport", help="... of these studies.")
    options.add_argument("--out", type=Path, default=HERE / "WORKBENCH.md")
    chosen = options.parse_args()
    if CHROMIUM is None:
        print("skipped: needs Debian's chromium (apt-get install chromium)")
        return
    sections = {}
    with tempfile.TemporaryDirectory() as folder:
        for name in chosen.studies.split(","):
            if name != "sample" and not (ROOT.parent / "shared" / "data").is_dir():
                print(f"{name} skipped: its data are not beside the project")
                continue
            study = STUDIES[name] or porto_alegre(Path(folder))
            with opened(study):  # so that its networks are kept
                pass
            began = busy()
            driver, usable = measured(study, chosen.edits)
            checks = chosen.run and name in chosen.run_of.split(",")
            checked = differing(study, driver, chosen.run) if checks else None
            sections[name] = section(driver, usable, (began, busy()), checked)
    head = [
        "# How long one waits at the workbench",
        "",
        "Written by `benchmarks/bench_workbench.py`: edits with the pointer and the keyboard in Chromium, without a network.",
        "A time goes from the release of the pointer to the frame that shows the new numbers. Networks are kept from before.",
    ]
    write_page(chosen.out, head, sections)


if __name__ == "__main__":
    main()
