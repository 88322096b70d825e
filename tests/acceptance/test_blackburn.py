"""Blackburn with Darwen by straight-line walks: three days, each with the windows that are meant for it."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from community_routes.cli import run_command
from community_routes.evaluation.check import check_inputs
from conftest import shared_data

STUDY = Path(__file__).resolve().parent / "blackburn" / "study.yaml"


def test_it_is_checked_in_a_page() -> None:
    shared_data("blackburn_study")
    shared_data("blackburn_geography")
    result = check_inputs(STUDY)
    said = " ".join(result.text(80).split())
    assert not result.failed()
    assert "91, 150,030 residents" in said and "weekday Tue 2019-09-03" in said
    assert "no_rail" in {notice.code for notice in result.notices}, (
        "the feed holds buses only, and stations lie in the area"
    )


@pytest.mark.slow
def test_the_main_job(tmp_path: Path) -> None:
    shared_data("blackburn_study")
    shared_data("blackburn_geography")
    (tmp_path / "sundays.yaml").write_text(
        "scenario: sundays\nchanges:\n  - set_headway: {route: '1', sunday: {10:00-16:00: 30}}\n", encoding="utf-8"
    )
    out = tmp_path / "out"
    code = run_command(["run", str(STUDY), str(tmp_path / "sundays.yaml"), "--out", str(out), "--quiet"])
    assert code == 0
    with (out / "access.csv").open(encoding="utf-8", newline="") as lines:
        slots = {(row["day"], row["window"]) for row in csv.DictReader(lines)}
    assert {
        ("weekday", "morning_peak"),
        ("weekday", "evening"),
        ("saturday", "daytime"),
        ("sunday", "daytime"),
    } <= slots
    assert ("sunday", "morning_peak") not in slots
    assert json.loads((out / "run.json").read_text(encoding="utf-8"))["settings"]["walking"] == "straight line x 1.3"
