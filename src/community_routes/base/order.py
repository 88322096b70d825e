"""The order of the rows of long tables, found by numbers instead of by comparing their texts."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

NUMBERS = ("cutoff_min", "row")
_MOST = 1 << 62


def in_order(table: pd.DataFrame, keys: Sequence[str]) -> pd.DataFrame:
    """The rows sorted by some columns, equal ones as they were, numbered anew.

    Columns of ``NUMBERS`` are sorted as numbers, all others as text. What is missing comes first, among texts where "" stands.
    """
    place, size = np.zeros(len(table), np.int64), 1
    for key in keys:
        rank, n = _places_of_numbers(table[key]) if key in NUMBERS else _places_of_texts(table[key])
        if size > _MOST // n:
            distinct, place = np.unique(place, return_inverse=True)
            size = len(distinct)
        place, size = place * n + rank, size * n
    if (np.diff(place) >= 0).all():
        return table.reset_index(drop=True)
    return table.iloc[np.argsort(place, kind="stable")].reset_index(drop=True)


def _places_of_numbers(column: pd.Series) -> tuple[NDArray[np.int64], int]:
    """The place of each value among the different ones, 0 where it is missing, and how many places there are."""
    values = pd.to_numeric(column, errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan)
    distinct, place = np.unique(values[~np.isnan(values)], return_inverse=True)
    found = np.zeros(len(values), np.int64)
    found[~np.isnan(values)] = place + 1
    return found, len(distinct) + 1


def _places_of_texts(column: pd.Series) -> tuple[NDArray[np.int64], int]:
    """The same of texts; what is missing is ""."""
    codes, values = pd.factorize(column)
    texts = [*map(str, values), ""]
    ordered = {text: number for number, text in enumerate(sorted(set(texts)))}
    return np.asarray([ordered[text] for text in texts], np.int64)[codes], len(ordered)
