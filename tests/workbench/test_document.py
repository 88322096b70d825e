"""Texts of proposals edited: what was meant is there, and every other line and comment is as it was."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from community_routes.base.errors import ScenarioError
from community_routes.workbench.document import Edit, edited, n_changes

HEADWAY = "  - set_headway: {route: 7, sunday: {09:00-18:00: 30}}   # half-hourly\n"
WITHDRAW = """\
  # gone
  - withdraw_route:
      route: "9"       # nobody rides it
      from: 22:00
"""
STOP = "  - add_stop: {route: 7, stop: Hospital, after: Bridge}\n"
ASKED = "  # the bus that everybody asks for\n"
HEAD = """\
# A plan of the council
scenario: plan     # its id
title: A plan
# base: other

changes:
"""
TAIL = """\
# the rates
cost: {per_bus_hour: 48, per_km: 1.10}
"""
TEXT = HEAD + ASKED + HEADWAY + "\n" + WITHDRAW + STOP + TAIL
NEW = {"withdraw_route": {"route": "12"}}
NEW_LINE = '  - withdraw_route: {route: "12"}\n'


def edit(op: str, **fields: object) -> Edit:
    return Edit.model_validate({"op": op, **fields})


def test_a_change_is_added_at_the_end_or_before_another():
    """Only the new line is new; the comment of the second change stays right above it."""
    assert edited(TEXT, edit("add", change=NEW)) == HEAD + ASKED + HEADWAY + "\n" + WITHDRAW + STOP + NEW_LINE + TAIL
    assert edited(TEXT, edit("add", index=1, change=NEW)) == (
        HEAD + ASKED + HEADWAY + "\n" + NEW_LINE + WITHDRAW + STOP + TAIL
    )
    assert edited(TEXT, edit("add", index=0, change=NEW)) == (
        HEAD + NEW_LINE + ASKED + HEADWAY + "\n" + WITHDRAW + STOP + TAIL
    )


def test_what_is_long_stands_in_lines_and_what_is_short_in_brackets():
    """Names that look like numbers are quoted; a period is a plain key; coordinates stay on a line."""
    route = {
        "name": "X1",
        "stops": ["Hospital", "007", {"at": [-3.0, 51.5], "name": "New: stop"}],
        "service": {"weekday": {"06:00-19:00": 20, "19:00-23:00": 30}},
        "run_times_min": [6, 9.5],
    }
    made = edited("scenario: a\nchanges: []  # none yet\n", edit("add", change={"add_route": route}))
    assert made == (
        "scenario: a\nchanges:  # none yet\n"
        "  - add_route:\n"
        "      name: X1\n"
        "      stops: [Hospital, \"007\", {at: [-3, 51.5], name: 'New: stop'}]\n"
        "      service: {weekday: {06:00-19:00: 20, 19:00-23:00: 30}}\n"
        "      run_times_min: [6, 9.5]\n"
    )


def test_a_change_is_set_in_its_own_form():
    """What is the same in it keeps its quotes and comments; a field that goes takes its line with it."""
    after = edited(
        TEXT, edit("set", index=1, change={"withdraw_route": {"route": "9", "from": "21:00", "to": "23:00"}})
    )
    assert after == TEXT.replace("      from: 22:00\n", '      from: "21:00"\n      to: "23:00"\n')
    after = edited(TEXT, edit("set", index=1, change={"withdraw_route": {"route": "9"}}))
    assert after == TEXT.replace("      from: 22:00\n", "")
    after = edited(TEXT, edit("set", index=2, change=NEW))
    assert after == TEXT.replace(STOP, NEW_LINE)


def test_off_and_on_again_is_the_same_text():
    """In lines and in brackets."""
    for index, line in ((1, "      from: 22:00\n      off: true\n"), (2, "after: Bridge, off: true}\n")):
        off = edited(TEXT, edit("off", index=index))
        assert line in off
        assert edited(off, edit("off", index=index)) == off
        assert edited(off, edit("on", index=index)) == TEXT


def test_moved_and_removed_with_their_comments():
    """A comment right above a change goes with it."""
    moved = edited(TEXT, edit("move", index=1, to=0))
    assert moved == HEAD + WITHDRAW + ASKED + HEADWAY + "\n" + STOP + TAIL
    assert edited(moved, edit("move", index=0, to=1)) == TEXT.replace("\n" + WITHDRAW, "\n" + WITHDRAW)
    assert edited(TEXT, edit("remove", index=1)) == HEAD + ASKED + HEADWAY + "\n" + STOP + TAIL
    text = TEXT
    for _ in range(3):
        text = edited(text, edit("remove", index=0))
    assert text == HEAD.replace("changes:", "changes: []") + TAIL
    assert edited(text, edit("add", change=NEW)) == HEAD + NEW_LINE + TAIL


def test_the_head_is_changed_key_by_key():
    """A title with a colon is quoted, a new base comes behind it, rates keep what is the same; null takes a key out."""
    after = edited(TEXT, edit("head", head={"title": "B: new", "base": "other", "scenario": "plan-2"}))
    assert after == TEXT.replace("scenario: plan     #", "scenario: plan-2   #").replace(
        "title: A plan\n", "title: 'B: new'\nbase: other\n"
    )
    rates = {"per_bus_hour": 50, "per_km": 1.1}
    assert edited(TEXT, edit("head", head={"cost": rates})) == TEXT.replace("48", "50")
    assert edited(TEXT, edit("head", head={"title": None, "cost": None})) == (
        TEXT.replace("title: A plan\n", "").replace("cost: {per_bus_hour: 48, per_km: 1.10}\n", "")
    )
    assert edited("scenario: a\nchanges: []\n", edit("head", head={"cost": {"per_km": 2}})) == (
        "scenario: a\nchanges: []\ncost: {per_km: 2}\n"
    )


@pytest.mark.parametrize("ending", ["\r\n", "\n"])
def test_line_endings_and_a_list_in_brackets(ending):
    """Windows' line endings stay; changes in one line come to stand in lines of their own."""
    text = "scenario: a\nchanges: [{withdraw_route: {route: 7}}, {withdraw_route: {route: 8}}]\ntitle: A\n"
    made = edited(text.replace("\n", ending), edit("off", index=1))
    wanted = (
        "scenario: a\nchanges:\n  - withdraw_route: {route: 7}\n  - withdraw_route: {route: 8, off: true}\ntitle: A\n"
    )
    assert made == wanted.replace("\n", ending)


def test_lists_at_the_margin_and_missing_lists():
    """A dash at the first column; a file without changes yet."""
    assert edited("scenario: a\nchanges:\n- withdraw_route: {route: 7}\n", edit("add", change=NEW)) == (
        'scenario: a\nchanges:\n- withdraw_route: {route: 7}\n- withdraw_route: {route: "12"}\n'
    )
    assert (
        edited("scenario: a\n", edit("add", change=NEW)) == 'scenario: a\nchanges:\n  - withdraw_route: {route: "12"}\n'
    )
    assert edited("scenario: a\nchanges:\n", edit("add", change=NEW)) == (
        'scenario: a\nchanges:\n  - withdraw_route: {route: "12"}\n'
    )


@pytest.mark.parametrize(
    ("text", "wanted", "words"),
    [
        ("a: [", edit("remove", index=0), "line 1, column 5"),
        ("", edit("remove", index=0), "the file is empty"),
        ("- a\n", edit("add", change=NEW), "at the top"),
        (TEXT, edit("remove", index=3), "there is no change number 4; the text has 3"),
        (TEXT, edit("move", index=0, to=3), "no place number 4"),
        (TEXT, edit("remove"), "the edit needs 'index'"),
        (TEXT, edit("add"), "the edit needs 'change'"),
        (TEXT, edit("head"), "the edit needs 'head'"),
        ("changes:\n  - withdraw_route\n", edit("off", index=0), "it has a fault"),
        ("changes:\n  - a: &x {b: 1}\n  - c: *x\n", edit("remove", index=0), "change its text instead"),
    ],
)
def test_what_cannot_be_done_is_said(text, wanted, words):
    """And the text is left alone; an anchor is beyond an editor of single changes."""
    with pytest.raises(ScenarioError, match=words):
        edited(text, wanted)


def test_limits():
    """No more than 200 changes; places below them; a change has one kind."""
    many = "scenario: a\nchanges:\n" + "  - withdraw_route: {route: 7}\n" * 200
    assert n_changes(many) == 200
    with pytest.raises(ScenarioError, match="at most 200 changes"):
        edited(many, edit("add", change=NEW))
    with pytest.raises(ValidationError):
        edit("remove", index=200)
    with pytest.raises(ValidationError):
        edit("add", change={"a": {}, "b": {}})
    with pytest.raises(ValidationError):
        edit("turn")
