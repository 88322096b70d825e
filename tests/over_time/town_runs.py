"""Runs of the town of seven places in other years: what each neighbourhood reaches within 30 minutes is known by heart.

Within 30 minutes P1 to P4 reach themselves and both neighbours (3 halls), P0 and P5 one neighbour (2), P6 itself (1, no line
leads there but a slow one), ``far`` nothing (it walks 36 minutes to P1), and ``lost`` is off the network. So the mean over the
eight with figures is 17/8. Taking a line away costs the two places at its ends one hall each: 2/8.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path

import pandas as pd

from community_routes.cli import run_command
from small_town import PLACES, STUDY, town_study

THIRTY = STUDY.replace("cutoffs_min: [30, 60]", "cutoffs_min: [30]")
WITH_PEOPLE = THIRTY.replace(
    "id: code, name: label}",
    "id: code, name: label,\n"
    "  population: {file: people.csv, id: code, column: persons}, deprivation: {file: ranks.csv, id: code, rank: rank}}",
)
RANKS = {name: place + 1 for place, name in enumerate(PLACES)}


def write_people(
    folder: Path, persons: Mapping[str, int] | None = None, ranks: Mapping[str, int] | None = None
) -> None:
    """A hundred persons everywhere and ranks in the order of the line, but for what is given."""
    people = dict.fromkeys(PLACES, 100) | dict(persons or {})
    order = RANKS | dict(ranks or {})
    for file, column, values in (("people.csv", "persons", people), ("ranks.csv", "rank", order)):
        rows = "".join(f"{name},{value}\n" for name, value in values.items())
        (folder / file).write_text(f"code,{column}\n{rows}", encoding="utf-8")


def make_run(
    folder: Path, text: str = THIRTY, *, without: tuple[str, ...] = (), edit: Callable[[Path], None] | None = None
) -> Path:
    """The folder of a run of the town, some of whose lines are not in the timetable."""
    inputs = folder.parent / f"{folder.name}-inputs"
    study = town_study(inputs, text)
    if "people.csv" in text:
        write_people(inputs)
    if without:
        changes = "".join(f"  - withdraw_route: {{route: {route}}}\n" for route in without)
        (inputs / "less.yaml").write_text(f"scenario: less\nchanges:\n{changes}", encoding="utf-8")
        assert (
            run_command(["export-gtfs", str(study), str(inputs / "less.yaml"), str(inputs / "new.zip"), "--quiet"]) == 0
        )
        (inputs / "new.zip").replace(inputs / "bus.zip")
        (inputs / "less.yaml").unlink()
    if edit is not None:
        edit(inputs)
    assert run_command(["run", str(study), "--out", str(folder), "--no-maps", "--quiet"]) == 0
    return folder


def features(path: Path, change: Callable[[list[dict[str, object]]], list[dict[str, object]]]) -> None:
    """Change the features of a GeoJSON file."""
    content = json.loads(path.read_text(encoding="utf-8"))
    content["features"] = change(content["features"])
    path.write_text(json.dumps(content), encoding="utf-8")


def parts(explained: pd.DataFrame, group: str = "all", of: str = "change") -> dict[str, float]:
    """What each part, or each route, explains of the change of a group; zeros left out."""
    mine = explained[(explained["group"] == group) & (explained["of"] == of)]
    names = mine["name"].where(mine["part"].isin(["route", "other routes"]), mine["part"])
    return {name: value for name, value in zip(names, mine["change_explained"], strict=True) if value != 0}


def whole(explained: pd.DataFrame, group: str = "all") -> float:
    """The whole change of a group."""
    (value,) = explained.loc[(explained["group"] == group) & (explained["part"] == "change"), "change_explained"]
    return float(value)
