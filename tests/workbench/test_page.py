"""The page of the workbench in a real browser, against a server drawn by hand: gestures, keyboard, answers in time."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from typing import Any

import pytest

pytest.importorskip("playwright")
pytest.importorskip("axe_playwright_python")

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect, sync_playwright

from workbench.canned import STOPS, Canned, at, proposal

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="needs Debian's chromium (apt-get install chromium)"),
]
LINK = {
    "add_route": {"name": "N1", "stops": ["West", "Middle", "North"], "service": {"weekday": {"06:00-19:00": 20}}},
}
LESS = {"withdraw_route": {"route": "2"}}
HOSTILE = "</script><img src=x onerror=\"document.title='broken in'\">"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as started:
        yield started.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """An empty page; at its end nothing may have failed in it."""
    made = browser.new_page(viewport={"width": 1280, "height": 800})
    faults: list[str] = []
    made.on("pageerror", lambda fault: faults.append(str(fault)))
    made.on("console", lambda said: faults.append(said.text) if said.type == "error" else None)
    yield made
    made.close()
    assert [fault for fault in faults if "409" not in fault and "503" not in fault] == []


def opened(page: Page, *texts: str, **known: Any) -> Canned:
    """The page with these proposals, called one, two ..., the first of them on the screen."""
    names = ["one", "two", "three"]
    server = Canned(dict(zip(names, texts, strict=False)), **known)
    server.open(page)
    return server


def pixel(page: Page, lon: float, lat: float) -> tuple[float, float]:
    """Where a place is on the screen: the nine squares of the town say how the map lies."""
    boxes = [one.bounding_box() for one in page.locator(".leaflet-zones-pane path").all()]
    known = [box for box in boxes if box is not None]
    left, right = min(b["x"] for b in known), max(b["x"] + b["width"] for b in known)
    top, bottom = min(b["y"] for b in known), max(b["y"] + b["height"] for b in known)
    (west, south), (east, north) = at(0, 0), at(3, 3)
    return left + (right - left) * (lon - west) / (east - west), bottom - (bottom - top) * (lat - south) / (
        north - south
    )


def spot(page: Page, key: str) -> tuple[float, float]:
    _, x, y = STOPS[key]
    return pixel(page, *at(x, y))


def lead(page: Page) -> str:
    return page.locator("#lead").inner_text()


def settled(page: Page, words: str) -> None:
    """Wait until the leading figure is that."""
    expect(page.locator("#lead")).to_have_text(words)


def test_the_answer_stands_there(page: Page) -> None:
    """One change: 10 places become 11 for the most deprived fifth, and 100 of 4,500 residents are better off."""
    opened(page, proposal("one", LINK))
    settled(page, "+1")
    rows = page.locator(".groups tbody tr").all_inner_texts()
    assert rows[0].split()[-3:] == ["10", "11", "+1"]
    assert page.locator(".residents dd").all_inner_texts() == ["100", "4,400", "0"]
    assert page.locator(".costs dd").first.inner_text() == "+1,000"
    assert page.locator(".changes .said").all_inner_texts() == ["add_route N1"]


def test_it_waits_until_the_study_is_read(page: Page) -> None:
    """The first questions are answered with 503; the page asks again, and says nothing of it in the end."""
    opened(page, proposal("one", LINK), early=7)
    settled(page, "+1")
    assert page.locator("#notice").is_hidden()


def test_today_has_levels_and_nothing_to_change(page: Page) -> None:
    opened(page, proposal("one", LINK))
    page.get_by_role("tab", name="Today").click()
    settled(page, "10")
    assert page.locator(".changes li").count() == 0
    assert not page.locator("#add").is_visible()
    assert "Choose a proposal" in page.locator("#empty").inner_text()


def test_colours_follow_the_fixed_scale(page: Page) -> None:
    """Two changes are +2: the highest class of change everywhere, but hatched where there is no figure; today three classes."""
    opened(page, proposal("one", LINK, LESS))
    zones = page.locator(".leaflet-zones-pane path")
    assert [one.get_attribute("fill") for one in zones.all()] == ["#01554b"] * 8 + ["url(#h-off)"]
    page.locator("#mode").get_by_text("Today").click()
    expect(zones.first).to_have_attribute("fill", "#ffffd9")
    fills = [one.get_attribute("fill") for one in zones.all()]
    assert fills == ["#ffffd9"] * 3 + ["#8fd3ba"] * 3 + ["#1c2f7c"] * 2 + ["url(#h-off)"]


def test_a_route_is_drawn_by_clicks(page: Page) -> None:
    """Two stops make the route; a place is written by its name, and where nothing is, a new stop is made."""
    server = opened(page, proposal("one"))
    page.get_by_role("button", name="New route").click()
    page.mouse.click(*spot(page, "s1"))
    assert server.edits() == []
    page.mouse.click(*spot(page, "s2"))
    settled(page, "+1")
    page.mouse.click(*pixel(page, *at(0.5, 2.4)))
    expect(page.locator(".stops li")).to_have_count(3)
    page.mouse.click(*pixel(page, *at(2.2, 1.2)))
    expect(page.locator(".stops li")).to_have_count(4)
    page.keyboard.press("Enter")
    assert page.locator("#prompt").is_hidden()
    first, *_, last = server.edits()
    assert first["op"] == "add"
    assert first["change"]["add_route"]["stops"] == ["West", "Middle"]
    *known, new = last["change"]["add_route"]["stops"]
    assert known == ["West", "Middle", "Library"]
    assert new["name"] == "New stop 1"
    assert new["at"] == pytest.approx(at(2.2, 1.2), abs=5e-4)
    assert lead(page) == "+1"


def test_a_stop_is_dragged_to_another(page: Page) -> None:
    """The answer follows while it is dragged, one question under way at most; the text changes once, when it is let go."""
    page.add_init_script(
        """{ const send = window.fetch; window.most = 0; let now = 0;
        window.fetch = async (...given) => { if (!String(given[0]).includes("/answer")) return send(...given);
          now += 1; window.most = Math.max(window.most, now);
          try { return await send(...given); } finally { now -= 1; } }; }"""
    )
    server = opened(page, proposal("one", LINK))
    page.locator(".sentence-button").click()
    handle = page.locator(".handle.stop").nth(2)
    box = handle.bounding_box()
    assert box is not None
    page.evaluate("window.most = 0")
    page.mouse.move(box["x"] + 9, box["y"] + 9)
    page.mouse.down()
    for i in range(1, 9):
        page.mouse.move(box["x"] + 9 + 4 * i, box["y"] + 9 + 10 * i)
    page.mouse.move(*spot(page, "s3"))
    expect(page.locator("html")).not_to_have_attribute("data-answered", "1")
    assert server.edits() == []
    page.mouse.up()
    expect(page.locator(".stops li").nth(2)).to_contain_text("East")
    dragged = [body["edit"]["op"] for _, path, body in server.asked if path == "answer" and "edit" in body]
    assert dragged
    assert set(dragged) == {"set"}
    assert [edit["change"]["add_route"]["stops"] for edit in server.edits()] == [["West", "Middle", "East"]]
    assert page.evaluate("window.most") == 1


def test_a_stop_is_put_in_by_dragging_the_line(page: Page) -> None:
    """The line between Middle and North, taken halfway and let go beside it: a new stop between the two."""
    server = opened(page, proposal("one", LINK))
    page.locator(".sentence-button").click()
    page.mouse.move(*pixel(page, *at(1.5, 1.5)))
    page.mouse.down()
    page.mouse.move(*pixel(page, *at(1.8, 1.5)), steps=4)
    page.mouse.up()
    expect(page.locator(".stops li")).to_have_count(4)
    stops = server.edits()[-1]["change"]["add_route"]["stops"]
    assert [stops[0], stops[1], stops[3]] == ["West", "Middle", "North"]
    assert stops[2]["name"] == "New stop 1"


def test_a_stop_is_taken_out_by_a_double_click(page: Page) -> None:
    server = opened(page, proposal("one", LINK))
    page.locator(".sentence-button").click()
    page.locator(".handle.stop").nth(1).dblclick()
    expect(page.locator(".stops li")).to_have_count(2)
    assert server.edits()[-1]["change"]["add_route"]["stops"] == ["West", "North"]


def test_an_end_of_a_route_is_dragged_to_make_it_longer(page: Page) -> None:
    server = opened(page, proposal("one"))
    page.mouse.click(*pixel(page, *at(1.5, 1.4)))
    assert page.locator("#card h2").inner_text() == "Route 2"
    handle = page.locator(".handle.end").last.bounding_box()
    assert handle is not None
    page.mouse.move(handle["x"] + 9, handle["y"] + 9)
    page.mouse.down()
    page.mouse.move(*pixel(page, *at(2.5, 2.6)), steps=3)
    page.mouse.up()
    settled(page, "+1")
    (edit,) = server.edits()
    fields = edit["change"]["extend_route"]
    assert (fields["route"], fields["after"]) == ("2", "North")
    assert fields["stops"][0]["at"] == pytest.approx(at(2.5, 2.6), abs=5e-4)


def test_the_line_of_a_route_is_dragged_another_way(page: Page) -> None:
    server = opened(page, proposal("one"))
    page.mouse.click(*pixel(page, *at(1.5, 1.4)))
    page.mouse.move(*pixel(page, *at(1.5, 1.6)))
    page.mouse.down()
    page.mouse.move(*pixel(page, *at(2.2, 1.6)), steps=3)
    page.mouse.up()
    settled(page, "+1")
    fields = server.edits()[0]["change"]["reroute"]
    assert (fields["route"], fields["from"], fields["to"]) == ("2", "Middle", "North")
    assert fields["via"][0]["at"] == pytest.approx(at(2.2, 1.6), abs=5e-4)


def test_stops_are_left_out_and_put_back_by_clicks(page: Page) -> None:
    server = opened(page, proposal("one"))
    page.locator("#of-route").select_option("r1")
    page.get_by_role("button", name="Leave out stops").click()
    page.mouse.click(*spot(page, "s2"))
    settled(page, "+1")
    page.mouse.click(*spot(page, "s3"))
    expect(page.locator(".stops li")).to_have_count(2)
    page.mouse.click(*spot(page, "s2"))
    expect(page.locator(".stops li")).to_have_count(1)
    assert [edit["change"]["remove_stops"]["stops"] for edit in server.edits()] == [
        ["Middle"],
        ["Middle", "East"],
        ["East"],
    ]


@pytest.mark.parametrize(
    ("name", "kind", "key", "least"), [("On-demand zone", "add_drt", "zone", 3), ("Path", "add_path", "line", 2)]
)
def test_shapes_are_drawn_corner_by_corner(page: Page, name: str, kind: str, key: str, least: int) -> None:
    server = opened(page, proposal("one"))
    page.get_by_role("button", name=name, exact=True).click()
    corners = [at(0.3, 1.2), at(1.2, 1.3), at(1.1, 2.2)][:least]
    for corner in corners:
        page.mouse.click(*pixel(page, *corner))
    page.get_by_role("button", name="Done").click()
    settled(page, "+1")
    drawn = server.edits()[0]["change"][kind][key]
    assert len(drawn) == least
    for pair, corner in zip(drawn, corners, strict=True):
        assert pair == pytest.approx(corner, abs=5e-4)


@pytest.mark.parametrize(
    ("name", "kind"), [("Homes", "add_homes"), ("Jobs", "add_jobs"), ("Shared space", "add_space")]
)
def test_homes_jobs_and_spaces_take_a_click(page: Page, name: str, kind: str) -> None:
    """In the middle of the town, which is ward 4; new homes are like that ward's."""
    server = opened(page, proposal("one"))
    page.get_by_role("button", name=name, exact=True).click()
    page.mouse.click(*pixel(page, *at(1.2, 1.7)))
    settled(page, "+1")
    fields = server.edits()[0]["change"][kind]
    assert fields["at"] == pytest.approx(at(1.2, 1.7), abs=5e-4)
    assert fields.get("like", "z4") == "z4"


def test_a_route_is_built_without_the_map(page: Page) -> None:
    """With the keyboard alone: names of stops, one after the other; the route is added when it is whole."""
    server = opened(page, proposal("one"))
    page.get_by_role("button", name="New route").focus()
    page.keyboard.press("Enter")
    box = page.locator("#by-hand")
    box.locator('[data-add="stops"]').focus()
    for name in ("West", "North"):
        page.keyboard.type(name)
        page.keyboard.press("Enter")
        expect(box.locator(".stops li").last).to_contain_text(name)
    page.get_by_role("button", name="Add it").focus()
    page.keyboard.press("Enter")
    settled(page, "+1")
    assert server.edits()[0]["change"]["add_route"]["stops"] == ["West", "North"]
    assert page.locator("#prompt").is_hidden()


def test_headways_are_a_table(page: Page) -> None:
    """A cell is a field of the file; an emptied one goes; the focus stays where it was."""
    server = opened(page, proposal("one", LINK))
    page.locator(".sentence-button").click()
    page.locator('[data-day="sunday"][data-period="06:00-19:00"]').fill("30")
    page.keyboard.press("Tab")
    expect(page.locator('[data-day="sunday"][data-period="06:00-19:00"]')).to_have_value("30")
    assert server.edits()[-1]["change"]["add_route"]["service"] == {
        "weekday": {"06:00-19:00": 20},
        "sunday": {"06:00-19:00": 30},
    }
    page.locator('[data-day="weekday"][data-period="06:00-19:00"]').fill("")
    page.keyboard.press("Tab")
    expect(page.locator('[data-day="weekday"][data-period="06:00-19:00"]')).to_have_value("")
    assert server.edits()[-1]["change"]["add_route"]["service"] == {"sunday": {"06:00-19:00": 30}}


def test_run_times_are_shown_and_edited(page: Page) -> None:
    """The road says 3 minutes each; 5 for the first makes them [5, 3] in the file, and no speed beside them."""
    server = opened(page, proposal("one", {"add_route": {**LINK["add_route"], "speed_kmh": 18}}))
    page.locator(".sentence-button").click()
    page.locator(".runs summary").click()
    inputs = page.locator(".runs input")
    assert [one.input_value() for one in inputs.all()] == ["3", "3"]
    inputs.first.fill("5")
    page.keyboard.press("Tab")
    expect(page.locator(".runs summary")).to_contain_text("8 in all")
    fields = server.edits()[-1]["change"]["add_route"]
    assert fields["run_times_min"] == [5, 3]
    assert "speed_kmh" not in fields


def test_undo_and_redo_without_end(page: Page) -> None:
    """Twelve withdrawals there and back: 12 changes, then none, then 12."""
    server = opened(page, proposal("one"))
    page.locator("#of-route").select_option("r1")
    for n in range(1, 13):
        page.locator('[data-route-kind="withdraw_route"]').click()
        settled(page, f"+{n}")
    for _ in range(12):
        page.locator("#undo").click()
    settled(page, "0")
    expect(page.locator(".changes > li")).to_have_count(0)
    assert page.locator("#undo").is_disabled()
    page.locator("#redo").focus()
    for _ in range(12):
        page.locator("#redo").click()
    settled(page, "+12")
    assert page.locator("#redo").is_disabled()
    assert len(server.edits()) == 12
    # What was answered before is shown at once: nobody is asked again.
    assert len([path for _, path, _ in server.asked if path == "answer"]) == 13


def test_a_change_is_switched_off_moved_and_removed(page: Page) -> None:
    server = opened(page, proposal("one", LINK, LESS))
    said = page.locator(".changes .said")
    page.locator(".sentence-button").first.click()
    page.get_by_role("button", name="Switch off").click()
    settled(page, "+1")
    page.get_by_role("button", name="Switch on").click()
    settled(page, "+2")
    page.get_by_role("button", name="Later").click()
    expect(said.first).to_have_text("withdraw_route 2")
    page.locator(".grip").nth(1).drag_to(page.locator(".changes > li").nth(0))
    expect(said.first).to_have_text("add_route N1")
    page.get_by_role("button", name="Remove").click()
    settled(page, "+1")
    ops = [(edit["op"], edit.get("index"), edit.get("to")) for edit in server.edits()]
    assert ops == [("off", 0, None), ("on", 0, None), ("move", 0, 1), ("move", 1, 0), ("remove", 0, None)]


def test_quick_gestures_stand_on_each_other(page: Page) -> None:
    """Three changes without waiting for an answer: none is lost, and the second is the one that is removed."""
    server = opened(page, proposal("one"))
    page.locator("#of-route").select_option("r1")
    page.evaluate("""for (const name of ["withdraw_route", "change_speed", "set_headway"])
                     document.querySelector(`[data-route-kind="${name}"]`).click();""")
    settled(page, "+3")
    page.evaluate("""document.querySelectorAll(".sentence-button")[1].click();
                     [...document.querySelectorAll(".change-tools button")].find((b) => b.textContent === "Remove").click();""")
    settled(page, "+2")
    assert page.locator(".changes .kind").all_inner_texts() == ["Withdraw", "How often"]
    assert len(server.edits()) == 4


def test_an_answer_that_is_overtaken_is_thrown_away(page: Page) -> None:
    """The answer of the first change comes late, after that of the second: the figures stay those of both."""
    page.add_init_script(
        """{ const send = window.fetch; window.late = 0;
        window.fetch = async (path, given) => { const slow = String(path).includes("/answer") && window.late-- > 0;
          const answer = await send(path, { ...given, signal: slow ? undefined : given.signal });
          if (slow) { await new Promise((done) => setTimeout(done, 600)); window.came = true; } return answer; }; }"""
    )
    opened(page, proposal("one"))
    page.locator("#of-route").select_option("r1")
    page.evaluate("window.late = 1")
    page.locator('[data-route-kind="withdraw_route"]').click()
    page.get_by_role("button", name="Faster or slower").click()
    settled(page, "+2")
    page.wait_for_timeout(900)
    assert page.evaluate("window.came")
    assert lead(page) == "+2"


def test_the_text_is_live_both_ways(page: Page) -> None:
    server = opened(page, proposal("one", LINK))
    page.locator("#as-text").click()
    area = page.locator("#text")
    assert '"add_route"' in area.input_value()
    area.fill(proposal("one", LINK, LESS))
    settled(page, "+2")
    assert server.edits() == []
    page.locator("#undo").click()
    settled(page, "+1")
    assert "withdraw_route" not in area.input_value()
    page.locator("#as-list").click()
    page.locator(".sentence-button").click()
    page.get_by_role("button", name="Remove").click()
    settled(page, "0")
    assert "add_route" not in area.input_value()


def test_faults_stand_at_their_line(page: Page) -> None:
    """The figures of before stay, marked as old; the line has a mark, and the fault leads there."""
    server = opened(page, proposal("one", LINK))
    settled(page, "+1")
    server.faults = [
        {"severity": "error", "kind": "unknown_route", "message": "There is no route 9.", "line": 3, "column": 2}
    ]
    page.locator("#as-text").click()
    page.locator("#text").fill(proposal("one", LESS))
    expect(page.locator("#text-faults")).to_contain_text("There is no route 9.")
    assert page.locator("#gutter .at-fault").inner_text().split() == ["!", "3"]
    page.locator("#as-list").click()
    assert page.locator(".changes .fault").inner_text() == "Fault. There is no route 9."
    assert not page.locator("#text-faults .fault").is_visible()
    page.locator("#as-text").click()
    assert "The figures are those before it" in page.locator("#answer").inner_text()
    assert lead(page) == "+1"
    page.get_by_role("button", name="line 3").click()
    before = page.evaluate(
        "document.getElementById('text').value.slice(0, document.getElementById('text').selectionStart)"
    )
    assert before.count("\n") == 2
    server.faults = []
    page.locator("#text").fill(proposal("one", LINK, LESS))
    settled(page, "+2")
    assert page.locator("#text-faults").inner_text() == ""


def test_a_neighbourhood_has_figures_and_journeys(page: Page) -> None:
    """Why there is none today and what would be needed; with the proposal leg by leg, in words and on the map."""
    opened(page, proposal("one", LINK))
    page.mouse.click(*pixel(page, *at(1.2, 0.8)))
    card = page.locator("#card")
    assert card.locator("h2").inner_text() == "Ward 1"
    expect(card).to_contain_text("It takes too long. 12 minutes less.")
    card.locator(".journeys summary").click()
    expect(card.locator(".legs li")).to_have_text(["08:00walk to Middle", "08:07bus 2 to North"])
    assert page.locator(".leaflet-journey-pane path").count() == 4


def test_how_far_one_gets_from_a_point(page: Page) -> None:
    server = opened(page, proposal("one", LINK))
    page.get_by_role("button", name="How far from a point").click()
    page.mouse.click(*pixel(page, *at(1.2, 1.2)))
    expect(page.locator("#reached td")).to_have_text(["", "300", "900", "40", "70"])
    (asked,) = [body for _, path, body in server.asked if path == "isochrone"]
    assert [asked["lon"], asked["lat"]] == pytest.approx(at(1.2, 1.2), abs=5e-4)
    assert page.locator(".leaflet-reach-pane path").count() == 2


def test_a_street_is_closed_by_a_click(page: Page) -> None:
    """The server says which it is; its number and name are written."""
    server = opened(page, proposal("one"))
    page.locator('[data-add-kind="close_path"]').click()
    page.mouse.click(*pixel(page, *at(1.2, 1.2)))
    expect(page.locator(".sentence-button")).to_contain_text("Mill Lane")
    (asked,) = [body for _, path, body in server.asked if path == "way"]
    assert [asked["lon"], asked["lat"]] == pytest.approx(at(1.2, 1.2), abs=5e-4)
    (edited,) = [body["edit"] for _, path, body in server.asked if path == "edit"]
    assert edited["change"] == {"close_path": {"osm_way": 77, "name": "Mill Lane"}}


def test_everything_on_the_map_is_in_lists(page: Page) -> None:
    opened(page, proposal("one"))
    page.locator(".find summary").click()
    page.get_by_label("Neighbourhood").select_option("z3")
    assert page.locator("#card h2").inner_text() == "Ward 3"
    page.locator("#find").get_by_label("Route").select_option("r1")
    assert page.locator("#card h2").inner_text() == "Route 1"
    assert page.locator("#card td").all_inner_texts() == ["30", "–", "60", "–"]
    page.locator("#find").get_by_label("Stop").select_option("s4")
    assert page.locator("#card h2").inner_text() == "North"


def test_saving_and_a_file_that_changed_meanwhile(page: Page) -> None:
    server = opened(page, proposal("one"))
    assert page.locator("#save").is_disabled()
    page.locator("#of-route").select_option("r1")
    page.locator('[data-route-kind="withdraw_route"]').click()
    settled(page, "+1")
    page.locator("#save").click()
    expect(page.locator("#notice")).to_contain_text("Saved as one.yaml.")
    assert "withdraw_route" in server.kept["one"]
    assert page.locator("#save").is_disabled()
    server.on_disk.add("one")
    page.locator('[data-route-kind="withdraw_route"]').click()
    settled(page, "+2")
    page.keyboard.press("Control+s")
    expect(page.locator("dialog")).to_contain_text("Nothing was written")
    page.locator("dialog").get_by_role("button", name="Save as").click()
    page.get_by_label("Name of the file").fill("Another one")
    page.locator("dialog").get_by_role("button", name="Save", exact=True).click()
    expect(page.locator("#notice")).to_contain_text("Saved as another-one.yaml.")
    assert page.locator('[role="tab"][aria-selected="true"]').get_attribute("id") == "tab-another-one"
    assert '"scenario": "another-one"' in server.kept["another-one"]


def test_drafts_are_kept_and_offered_again(page: Page) -> None:
    draft = {"id": "one", "text": proposal("one", LESS), "base_sha256": "0" * 64, "saved_at": "2026-01-14T10:00:00"}
    server = Canned({"one": proposal("one")}, {"drafts": [draft]})
    server.open(page)
    page.locator("dialog").get_by_role("button", name="Go on with it").click()
    settled(page, "+1")
    page.locator("#undo").click()
    settled(page, "0")
    page.locator("#redo").click()
    settled(page, "+1")
    page.wait_for_timeout(900)
    drafts = [(method, body) for method, path, body in server.asked if path == "drafts/one"]
    assert drafts[-1][0] == "PUT"
    assert "withdraw_route" in drafts[-1][1]["text"]


def test_the_same_again_and_built_on(page: Page) -> None:
    """A copy has another id and title; one built on another names it; a table holds them side by side."""
    server = opened(page, proposal("one", LINK))
    page.locator("#new-tab").click()
    page.get_by_label("Title").last.fill("Link by night")
    page.get_by_label("Starts from").select_option("copy:one")
    page.get_by_role("button", name="Make it").click()
    expect(page.locator('[role="tab"][aria-selected="true"]')).to_contain_text("Link by night")
    assert server.edits()[-1]["head"] == {"scenario": "link-by-night", "title": "Link by night"}
    settled(page, "+1")
    page.locator("#proposal-head select").select_option("one")
    expect(page.locator("html")).to_have_attribute("data-answered", "3")
    assert server.edits()[-1] == {"op": "head", "head": {"base": "one"}}
    page.locator("#compare").click()
    expect(page.locator("dialog thead th")).to_have_text(["one", "link-by-night"])
    assert page.locator("dialog tbody tr").first.locator("td").all_inner_texts() == ["+1", "+1"]


def test_a_file_that_is_not_open_can_be_opened(page: Page) -> None:
    """The command named the first; the second lies in the folder, and can be a base or a tab."""
    opened(page, proposal("one"), proposal("two", LINK), closed=("two",))
    assert page.locator("#proposal-head option").all_inner_texts() == ["today", "two"]
    page.locator("#new-tab").click()
    page.get_by_label("Starts from").select_option("open:two")
    page.get_by_role("button", name="Make it").click()
    settled(page, "+1")
    assert page.locator("#save").is_disabled()


def test_reading_only_writes_nothing(page: Page) -> None:
    server = opened(page, proposal("one"), study_changes={"read_only": True})
    page.locator("#of-route").select_option("r1")
    page.locator('[data-route-kind="withdraw_route"]').click()
    settled(page, "+1")
    assert page.locator("#save").is_disabled()
    page.keyboard.press("Control+s")
    page.wait_for_timeout(800)
    assert [path for method, path, _ in server.asked if method in ("PUT", "DELETE")] == []


def test_the_choice_is_asked_for(page: Page) -> None:
    """Only what goes together can be chosen: no cutoff for minutes to the nearest, and no such measure for jobs."""
    server = opened(page, proposal("one"))
    page.locator("#c-measure").select_option("nearest")
    expect(page.locator("#c-cutoff")).to_be_hidden()
    page.locator("#c-kind").select_option("employment")
    assert page.locator("#c-measure option").all_inner_texts() == ["Places within reach"]
    expect(page.locator("html")).to_have_attribute("data-answered", "3")
    choices = [body["choice"] for _, path, body in server.asked if path == "answer"]
    assert (choices[1]["measure"], choices[1]["cutoff_min"]) == ("nearest", None)
    assert (choices[2]["kind"], choices[2]["measure"], choices[2]["cutoff_min"]) == (
        "employment",
        "cumulative_opportunities",
        30,
    )


def test_hostile_names_are_text(page: Page) -> None:
    opened(page, proposal("one", {"withdraw_route": {"route": HOSTILE}}, title=HOSTILE))
    page.locator(".sentence-button").click()
    assert HOSTILE in page.locator(".changes").inner_text()
    assert page.locator("main img").count() == 0
    assert "broken in" not in page.title()


def test_a_tour_at_the_first_start_alone(browser: Browser) -> None:
    context = browser.new_context()
    for times in (1, 0):
        page = context.new_page()
        Canned({"one": proposal("one")}).open(page, tour=True)
        assert page.locator("dialog .tour li").count() == 4 * times
        page.close()
    context.close()


@pytest.mark.parametrize("width", [390, 1024, 1280, 1920])
def test_nothing_is_cut_off(page: Page, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 844})
    opened(page, proposal("one", LINK, title="A very long title of a proposal " * 3), proposal("two"))
    page.locator(".sentence-button").first.click()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    for part in ("#map", "#lead", ".groups", ".changes > li"):
        box = page.locator(part).first.bounding_box()
        assert box is not None
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= width + 0.5


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_barrier_is_found(browser: Browser, scheme: Any) -> None:
    """axe on the list with an open form, on the text with a fault, with a card, and in a window."""
    context = browser.new_context(color_scheme=scheme, viewport={"width": 1280, "height": 900}, bypass_csp=True)
    page = context.new_page()
    server = Canned({"one": proposal("one", LINK, LESS), "two": proposal("two")})
    server.open(page)

    def check() -> None:
        found = Axe().run(page).response["violations"]
        assert [(one["id"], [node["html"][:160] for node in one["nodes"]][:3]) for one in found] == []

    page.locator(".sentence-button").first.click()
    page.locator(".runs summary").click()
    page.mouse.click(*pixel(page, *at(1.2, 0.8)))
    expect(page.locator("#card")).to_contain_text("too long")
    page.locator(".find summary").click()
    check()
    server.faults = [{"severity": "error", "kind": "x", "message": "A fault.", "line": 2}]
    page.locator("#as-text").click()
    page.locator("#text").fill(proposal("one"))
    expect(page.locator("#text-faults")).to_contain_text("A fault.")
    check()
    page.locator("#help").click()
    check()
    context.close()


def test_what_is_being_typed_is_not_lost(page: Page) -> None:
    """An answer that comes while somebody types leaves the box alone; what was typed goes into the next text."""
    server = opened(page, proposal("one", LINK))
    page.locator(".sentence-button").click()
    name = page.locator('.form [data-key="name"]')
    name.click()
    name.press("End")
    name.press("9")
    page.locator("#c-day").evaluate(
        "(box) => { box.value = 'sunday'; box.dispatchEvent(new Event('change', { bubbles: true })); }"
    )
    expect(page.locator("html")).to_have_attribute("data-answered", "2")
    name.press("8")
    name.press("Tab")
    expect(page.locator(".changes .said")).to_have_text("add_route N198")
    assert server.edits()[-1]["change"]["add_route"]["name"] == "N198"


def sought(page: Page) -> None:
    """The form of better headways filled in from the card of a route, by its labels and with the keyboard."""
    page.locator(".find summary").click()
    page.locator("#find").get_by_label("Route").select_option("r1")
    page.locator("#card").get_by_role("button", name="Find better headways").click()
    form = page.get_by_role("dialog", name="Find better headways")
    assert form.get_by_label("Routes").input_value() == "1"
    assert form.get_by_label("Minutes at most").input_value() == "2"
    form.get_by_label("Bus-hours a year").fill("500")
    form.get_by_label("Bus-hours a year").press("Enter")


def test_better_headways_are_a_new_tab(page: Page) -> None:
    """Asked with what is chosen above the map; the best so far is told; what was found is a tab, answered: two changes."""
    server = opened(page, proposal("one", LINK), found=proposal("optimised", LINK, LESS))
    sought(page)
    expect(page.locator("dialog [role=status]")).to_contain_text("best so far +1.00 %")
    expect(page.get_by_role("tab", name="Better headways")).to_have_attribute("aria-selected", "true")
    settled(page, "+2")
    body = next(body for _, path, body in server.asked if path == "better")
    choice = page.evaluate("import('/static/state.js').then(({ state }) => state.choice)")
    assert body == {"routes": ["1"], "bus_hours": 500, "minutes": 2, "choice": choice}
    assert page.locator("dialog").count() == 0
    assert "not saved" in page.get_by_role("tab", name="Better headways").inner_text()


def test_no_better_headways(page: Page) -> None:
    """Said where it was followed; there is no new tab."""
    opened(page, proposal("one", LINK))
    sought(page)
    expect(page.locator("dialog [role=status]")).to_contain_text("Nothing that it tried")
    assert page.get_by_role("tab").count() == 2


def test_nothing_is_looked_for_where_it_only_shows(page: Page) -> None:
    opened(page, proposal("one", LINK), study_changes={"read_only": True})
    assert page.locator("#better").is_disabled()
    page.locator(".find summary").click()
    page.locator("#find").get_by_label("Route").select_option("r1")
    assert page.locator("#card").get_by_role("button", name="Find better headways").count() == 0
