"""The order of rows, against the sort of pandas."""

from __future__ import annotations

import numpy as np
import pandas as pd

from community_routes.base.order import in_order


def test_rows_stand_as_pandas_sorts_them() -> None:
    """Drawn tables of texts, numbers and gaps; equal rows keep their order; many keys do not overflow."""
    draw = np.random.default_rng(4)
    for n in (0, 1, 7, 500):
        table = pd.DataFrame({f"k{i}": draw.choice(["b", "a", "B", "é", "10", "9", ""], n) for i in range(6)})
        table["cutoff_min"] = draw.choice([30.0, 45.0, 120.0, np.nan], n)
        table["at"] = np.arange(n)
        keys = [*table.columns[:-1]]
        wanted = table.sort_values(keys, kind="stable", na_position="first", ignore_index=True)
        pd.testing.assert_frame_equal(in_order(table.set_index(table.index * 3), keys), wanted)
        pd.testing.assert_frame_equal(in_order(wanted, keys), wanted)
    wide = pd.DataFrame({f"k{i}": draw.permutation(500).astype(str) for i in range(9)})
    pd.testing.assert_frame_equal(
        in_order(wide, [*wide.columns]), wide.sort_values([*wide.columns], kind="stable", ignore_index=True)
    )


def test_what_is_missing_stands_where_nothing_stands() -> None:
    """None and "" are one key among texts; of numbers what is missing comes first, and 9 before 10 and 120."""
    table = pd.DataFrame({"field": ["b", None, "", "a"], "row": [10, None, 9, 120]}).astype({"row": object})
    assert in_order(table, ["field"])["row"].tolist()[1:] == [9, 120, 10]
    assert in_order(table, ["row"])["field"].tolist()[1:] == ["", "b", "a"]
