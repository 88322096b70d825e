"""The whole workbench, page and server: what is drawn, answered on the screen and saved is what a run finds."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

pytest.importorskip("playwright")

from playwright.sync_api import Page, expect, sync_playwright

from benches import bench_in
from community_routes.cli import run_command
from community_routes.workbench.desk import Desk
from community_routes.workbench.files import Folder
from community_routes.workbench.serve import Address, Session
from small_town import town_study

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="needs Debian's chromium (apt-get install chromium)"),
]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return town_study(tmp_path / "town").parent


@pytest.fixture
def page(folder: Path) -> Iterator[Page]:
    """The page of a workbench on the small town, with no proposal open; nothing may fail in it, nor any name be looked up."""
    study = folder / "study.yaml"
    session = Session.open(Desk(study, Folder.of(study, [])), Address(), ["--cache", "none"])
    session.run_beside()
    faults: list[str] = []
    with sync_playwright() as started:
        arguments = ["--no-sandbox", "--disable-gpu", "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"]
        browser = started.chromium.launch(executable_path=CHROMIUM, args=arguments)
        made = browser.new_page(viewport={"width": 1280, "height": 900})
        made.on("pageerror", lambda fault: faults.append(str(fault)))
        made.on("console", lambda said: faults.append(said.text) if said.type == "error" else None)
        made.goto(session.url)
        made.wait_for_selector('html[data-ready="yes"]', timeout=120_000)
        made.locator("dialog").get_by_role("button", name="Start").click()
        yield made
        browser.close()
    session.close()
    assert faults == []


def fresh(page: Page, title: str) -> None:
    page.locator("#new-tab").click()
    page.get_by_label("Title").last.fill(title)
    page.get_by_role("button", name="Make it").click()
    expect(page.locator('[role="tab"][aria-selected="true"]')).to_contain_text(title)
    expect(page.locator("#empty")).to_contain_text("Nothing is changed yet")


def of_route(route: str, kind: str) -> Callable[[Page], None]:
    """A change of an existing route as it starts."""

    def does(page: Page) -> None:
        page.locator("#of-route").select_option(route)
        page.locator(f'[data-route-kind="{kind}"]').click()

    return does


def every(route: str, minutes: str) -> Callable[[Page], None]:
    def does(page: Page) -> None:
        of_route(route, "set_headway")(page)
        cell = page.locator('[data-day="weekday"]').first
        cell.fill(minutes)
        cell.press("Tab")

    return does


def by_hand(kind: str, fields: dict[str, str], stops: tuple[str, ...] = (), route: str = "") -> Callable[[Page], None]:
    """A change made in its form alone, without the map."""

    def does(page: Page) -> None:
        if route:
            of_route(route, kind)(page)
        else:
            page.locator(f'[data-add-kind="{kind}"]').click()
        box = page.locator("#by-hand")
        for key, value in fields.items():
            control = box.locator(f'[data-key="{key}"]')
            control.fill(value)
            control.press("Tab")
        for stop in stops:
            box.locator("[data-add]").fill(stop)
            box.locator("[data-add]").press("Enter")
            expect(box.locator(".stops li").last).to_contain_text(stop)
        page.get_by_role("button", name="Add it").click()

    return does


TEN = {
    "withdraw-l1": of_route("L1", "withdraw_route"),
    "withdraw-l3": of_route("L3", "withdraw_route"),
    "often-l1": every("L1", "7"),
    "often-l2": every("L2", "11"),
    "faster-l2": of_route("L2", "change_speed"),
    "faster-l4": of_route("L4", "change_speed"),
    "straight": by_hand("add_route", {}, ("Stand 0", "Stand 3")),
    "express": by_hand("add_route", {"speed_kmh": "60"}, ("Stand 6", "Stand 2", "Stand 1")),
    "longer-l1": by_hand("extend_route", {"after": "Stand 1"}, ("Stand 2",), route="L1"),
    "hall": by_hand("add_space", {"at": "20.1, 0.0"}),
}


def test_ten_proposals_drawn_saved_and_run(page: Page, folder: Path, tmp_path: Path) -> None:
    """The changes of every neighbourhood as the page was told them, against comparison.csv of one run of the ten files."""
    answers: dict[str, Any] = {}

    def heard(response: Any) -> None:
        asked = response.request.post_data_json if response.url.endswith("/answer") else None
        if asked and response.ok:
            answers[asked["scenario"]] = response.json()

    page.on("response", heard)
    shown = {}
    for name, does in TEN.items():
        fresh(page, name)
        does(page)
        expect(page.locator(".changes > li")).to_have_count(1)
        expect(page.locator("#answer")).to_have_attribute("aria-busy", "false")
        page.locator("#save").click()
        expect(page.locator("#notice")).to_contain_text(f"Saved as {name}.yaml.")
        shown[name] = page.locator("#lead").inner_text()
    files = [str(folder / f"{name}.yaml") for name in TEN]
    run_command(["run", str(folder / "study.yaml"), *files, "--out", str(tmp_path / "out"), "--cache", "none"])
    table = pd.read_csv(tmp_path / "out" / "comparison.csv")
    parts = ("day", "window", "kind", "measure", "reading", "cutoff_min")
    for name in TEN:
        answer = answers[name]
        assert [fault for fault in answer["faults"] if fault["severity"] == "error"] == []
        choice, zones = answer["figures"]["choice"], answer["neighbourhoods"]
        keys = {"scenario": name} | {key: choice[key] for key in parts}
        rows = table[(table[list(keys)] == list(keys.values())).all(axis=1)].set_index("neighbourhood")
        ran = rows["change"].reindex(zones["id"])
        on_screen = pd.Series(zones["change"], zones["id"], dtype=float)
        assert on_screen.notna().sum() == 8
        assert on_screen.equals(ran.astype(float).rename(None).rename_axis(None)), name
    assert len(set(shown.values())) > 5


def test_a_full_report_of_what_is_on_the_screen(page: Page) -> None:
    """It says how far it is, and opens."""
    fresh(page, "without")
    of_route("L1", "withdraw_route")(page)
    expect(page.locator("#lead")).not_to_have_text("0")
    page.locator("#report").click()
    page.get_by_role("button", name="Run it").click()
    link = page.locator("dialog a")
    link.wait_for(timeout=120_000)
    with page.context.expect_page() as opened:
        link.click()
    opened.value.wait_for_load_state()
    assert "without" in opened.value.locator("body").inner_text()


def test_the_changed_timetable_is_exported(page: Page, tmp_path: Path) -> None:
    fresh(page, "without")
    of_route("L1", "withdraw_route")(page)
    expect(page.locator("#lead")).not_to_have_text("0")
    with page.expect_download() as coming:
        page.locator("#export").click()
    coming.value.save_as(tmp_path / "x.zip")
    assert coming.value.suggested_filename == "without.zip"
    assert (tmp_path / "x.zip").read_bytes()[:2] == b"PK"


def test_bench_has_the_page(tmp_path: Path) -> None:
    """Every file that the page names is given by the server; no other is."""
    from benches import client_of

    client = client_of(bench_in(tmp_path, start=False))
    for name in ("workbench.css", "workbench.js", "page.css", "leaflet.js", "leaflet.css", "gestures.js"):
        assert client.get(f"/static/{name}").status_code == 200
    assert client.get("/static/app.py").status_code == 404
