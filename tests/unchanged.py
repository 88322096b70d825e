"""What it means that nothing changed: every cell of every table of a comparison is exactly the same, and nearly all are there."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from community_routes.evaluation.case import Study
from community_routes.evaluation.evaluate import Evaluation, evaluate
from community_routes.evaluation.results import Comparison, compare
from community_routes.scenarios.file import Scenario
from community_routes.sources.gtfs.read import read_feed
from community_routes.sources.gtfs.write import write_feed

EMPTY = Scenario(scenario="nothing", changes=[])


def assert_changes_of_zero(comparison: Comparison, *, present: float = 0.9) -> None:
    """No cell of comparison.csv and groups.csv differs, and the share of cells that hold a figure is as large as given.

    Cells that can hold none are not counted: those of neighbourhoods that are off the network, and times to the nearest
    place that not every departure reaches (their headline is the share that does).
    """
    table = comparison.comparison
    on = table[table["reason"] != "off_network"]
    counted = on[on["measure"].str.startswith("cumulative")]
    assert len(counted) > 500
    assert counted["change"].notna().mean() >= present
    changes = table["change"].dropna()
    assert (changes == 0).all() and (table["low"].dropna() == 0).all() and (table["high"].dropna() == 0).all()
    assert_same(table["baseline"], table["value"])
    groups = comparison.groups
    groups = groups[groups["scenario"] != "today"]
    assert len(groups) > 100
    assert (groups["change"].dropna() == 0).all()
    assert_same(groups["baseline"], groups["value"])
    for column in ("persons_better", "persons_worse"):
        assert (groups[column].dropna() == 0).all()
    assert_same_beside(comparison)


def assert_same_beside(comparison: Comparison) -> None:
    """Every other table (potential to meet, shifts, affordability, nearest places) says of the proposal what it says of today."""
    results = comparison.results
    tables = {"nearest_places": results.nearest_places, **results.extra}
    for name, table in tables.items():
        if name == "ranking":
            assert (table["gain"] == 0).all()
            continue
        if name.startswith("operating"):
            for column in [str(c).removesuffix("_today") for c in table.columns if str(c).endswith("_today")]:
                assert_same(table[f"{column}_today"], table[f"{column}_proposal"])
            continue
        if name == "paired":
            assert (table[["faster", "slower", "gained", "lost"]] == 0).all(axis=None)
            assert (table["mean_change_s"].dropna() == 0).all() and (table["same"] > 0).any()
            continue
        assert "scenario" in table.columns, f"{name}: a table of which nobody knows what it is about"
        sides = [
            table[(table["scenario"] == "today") == of_today].drop(columns="scenario").reset_index(drop=True)
            for of_today in (True, False)
        ]
        assert len(sides[0]) or not len(table), name
        if len(sides[1]):  # some are of today alone
            pd.testing.assert_frame_equal(*sides, check_exact=True, obj=name)


def assert_same(one: pd.Series, other: pd.Series) -> None:
    """Bit by bit, missing where the other is missing."""
    np.testing.assert_array_equal(one.to_numpy(np.float64), other.to_numpy(np.float64))


def exported_and_read_back(study: Study, folder: Path) -> Study:
    """The same study with its own timetable written as one GTFS zip and read again."""
    write_feed(study.feed, folder / "again.zip", date_stamp=min(study.file.dates.values()))
    return replace(study, feed=read_feed(folder / "again.zip"))


def assert_same_tables(today: Evaluation, again: Evaluation) -> None:
    """Access and travel times of every departure, row by row."""
    pd.testing.assert_frame_equal(today.access, again.access, check_exact=True)
    for slot, times in today.time_s.items():
        np.testing.assert_array_equal(times, again.time_s[slot])


def compared_with_nothing(study: Study, today: Evaluation) -> Comparison:
    """Today beside a proposal without changes."""
    return compare(today, evaluate(study, EMPTY))
