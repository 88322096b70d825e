"""The columns of the tables that a run writes, in their order."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

ACCESS_COLUMNS: Final = (
    "scenario",
    "day",
    "window",
    "neighbourhood",
    "name",
    "population",
    "deprivation_decile",
    "kind",
    "measure",
    "reading",
    "cutoff_min",
    "value",
    "unit",
    "reason",
)
COMPARISON_COLUMNS: Final = (
    *(column for column in ACCESS_COLUMNS if column != "value"),
    "baseline",
    "value",
    "change",
    "low",
    "high",
)
GROUPS_COLUMNS: Final = (
    "scenario",
    "day",
    "window",
    "grouping",
    "group",
    "kind",
    "measure",
    "reading",
    "cutoff_min",
    "persons",
    "persons_covered",
    "value",
    "unit",
    "baseline",
    "change",
    "low",
    "high",
    "persons_better",
    "persons_worse",
    "persons_same",
)
LEAST_CHANGE: Final = 0.01
"""The share of a baseline's figure that a change must exceed to count as a gain or a loss, where nothing else is asked for."""
NOTICES_COLUMNS: Final = ("severity", "code", "file", "row", "field", "value", "message")


class TableKind(StrEnum):
    """As what the long tables of a run are written."""

    AUTO = "auto"
    CSV = "csv"
    PARQUET = "parquet"
