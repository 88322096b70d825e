"""Tables of an earlier run are read back the same, whatever they were written as."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from community_routes.base.columns import ACCESS_COLUMNS, GROUPS_COLUMNS, TableKind
from community_routes.base.errors import UsageError
from community_routes.over_time.runs import _table
from community_routes.report.files.tables import write_tables
from report.made_results import made_results


@pytest.mark.parametrize(("name", "columns"), [("access", ACCESS_COLUMNS), ("groups", GROUPS_COLUMNS)])
def test_parquet_and_csv_are_read_alike(tmp_path: Path, name: str, columns: tuple[str, ...]) -> None:
    """Rows, keys and figures of today; text without gaps, numbers as numbers."""
    write_tables(made_results(25), tmp_path / "csv")
    write_tables(made_results(25, long_tables=TableKind.PARQUET), tmp_path / "parquet")
    text, packed = (_table(tmp_path / kind, name, columns) for kind in ("csv", "parquet"))
    assert list(text) == list(packed) and len(text) == len(packed) > 0
    for column in text:
        if pd.api.types.is_numeric_dtype(text[column]):
            pd.testing.assert_series_equal(text[column], packed[column], check_exact=True)
        elif not pd.api.types.is_numeric_dtype(packed[column]):
            assert text[column].tolist() == packed[column].tolist(), column


def test_a_spoilt_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "access.parquet").write_bytes(b"PAR1 no more")
    with pytest.raises(UsageError, match=r"access\.parquet cannot be read"):
        _table(tmp_path, "access", ACCESS_COLUMNS)
