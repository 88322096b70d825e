"""Figures with the shapes of their neighbourhoods, one row each: what a map or a join in a notebook is made from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd

from community_routes.base.errors import UsageError
from community_routes.sources.study.yaml import did_you_mean

KEYS = ("scenario", "day", "window", "kind", "measure", "reading", "cutoff_min")
"""The columns that say which figure a row of access.csv or comparison.csv is."""


def with_shapes(
    zones: gpd.GeoDataFrame, table: pd.DataFrame, figures: Sequence[str], choices: Mapping[str, Any]
) -> gpd.GeoDataFrame:
    """A row for each neighbourhood, with its shape and a column for each figure that is chosen.

    Parameters
    ----------
    zones : GeoDataFrame
        With ``id``, ``name`` and whatever else is known of the neighbourhoods.
    table : DataFrame
        Rows of ``neighbourhood``, `KEYS` and ``figures``.
    figures : sequence of str
        ``("value",)``, or ``("baseline", "value", "change")``.
    choices : mapping of key to value
        Which rows; None leaves a key open. What is left open and differs is in the names of the columns
        (``value evening employment``); the columns are called as the figures alone where nothing differs.

    Raises
    ------
    UsageError
        A choice is not in the table, or no row has all of them; the message says what there is.
    """
    rows = table
    for key, wanted in choices.items():
        if wanted is None:
            continue
        known = list(pd.unique(table[key].dropna()))
        if wanted not in known:
            hint = did_you_mean(str(wanted), map(str, known), f"there are {', '.join(map(str, known))}")
            raise UsageError(f"{key}={wanted!r}: no figure has that; {hint}")
        rows = rows[rows[key] == wanted]
    if rows.empty:
        given = ", ".join(f"{key}={wanted!r}" for key, wanted in choices.items() if wanted is not None)
        raise UsageError(f"no figure has all of {given} together")
    differing = [key for key in KEYS if key in rows and rows[key].nunique(dropna=False) > 1]
    labels = (
        rows[differing].map(lambda cell: f"{cell:g}" if isinstance(cell, float) else str(cell)).agg(" ".join, axis=1)
    )
    named = rows.assign(label=labels if differing else "")
    wide = zones.copy()
    for label, own in named.groupby("label", sort=False):
        by_zone = own.set_index("neighbourhood")
        for figure in figures:
            column = by_zone[figure].reindex(wide["id"])
            wide[f"{figure} {label}".strip()] = column.to_numpy(np.float64)
    if "unit" in rows and rows["unit"].nunique() == 1:
        wide["unit"] = pd.Categorical([rows["unit"].iat[0]] * len(wide))
    wide["group"] = wide["group"].astype("category")
    shape = wide.pop("geometry")
    return wide.assign(geometry=shape)
