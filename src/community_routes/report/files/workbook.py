"""The tables as one workbook, a sheet each, for people who work in a spreadsheet."""

from __future__ import annotations

import datetime as dt
import io
import re
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from community_routes.base.errors import UsageError, as_path
from community_routes.report.cells import publish, safe_text, written_tables
from community_routes.report.results import Results

_MOST_ROWS = 1_048_575  # a sheet holds 1,048,576 with its heading
_FORBIDDEN = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")


def write_workbook(results: Results, path: str | Path) -> Path:
    """Write every table as a sheet of one XLSX file; text is text, whatever it begins with.

    Numbers have the 16 digits that the format's writers keep; the CSV files are exact.

    Parameters
    ----------
    results : Results
    path : path

    Raises
    ------
    UsageError
        The extra ``xlsx`` is not installed, or a table has more rows than a sheet can hold.
    """
    try:
        from openpyxl import Workbook
        from openpyxl.cell import WriteOnlyCell
        from openpyxl.styles import Font
    except ImportError:
        raise UsageError("a workbook needs openpyxl; install it with `pip install community-routes[xlsx]`") from None

    book = Workbook(write_only=True)
    book.properties.creator = f"community_routes {results.version}"
    book.properties.title = _clean(results.title)
    stamp = dt.datetime.combine(results.stamp, dt.time())
    book.properties.created = book.properties.modified = stamp
    for name, table in _sheets(results).items():
        if len(table) > _MOST_ROWS:
            raise UsageError(f"{name} has {len(table):,} rows, more than a sheet of a workbook holds; use {name}.csv")
        sheet = book.create_sheet(name[:31])
        sheet.freeze_panes = "A2"
        heading = [WriteOnlyCell(sheet, value=str(column)) for column in table.columns]
        for cell in heading:
            cell.font = Font(bold=True)
        sheet.append(heading)
        for row in zip(*(_column(table[column]) for column in table.columns), strict=True):
            sheet.append(row)
    content = io.BytesIO()
    book.save(content)
    path = as_path(path)
    publish(path, _dated(content.getvalue(), stamp))
    return path


def _sheets(results: Results) -> dict[str, pd.DataFrame]:
    """The tables by the names of their sheets, what answers first."""
    tables = written_tables(results)
    return {"summary": tables["summary"], "settings": _settings(results), **tables, "sources": results.sources}


def _settings(results: Results) -> pd.DataFrame:
    rows = [("study", results.study_id), ("title", results.title), ("invented", results.invented)]
    rows += [(f"service date, {day}", date.isoformat()) for day, date in results.dates.items()]
    rows += [(str(key), str(value)) for key, value in results.settings.items()]
    return pd.DataFrame(rows, columns=["setting", "value"])


def _column(column: pd.Series) -> list[Any]:
    """Numbers as numbers, text that no spreadsheet runs, nothing for what is missing."""
    return [_cell(value) for value in column.astype(object).tolist()]


def _cell(value: Any) -> Any:
    if value is None or value is pd.NA or value is pd.NaT:
        return None
    if isinstance(value, bool | np.bool_):
        return "true" if value else "false"
    if isinstance(value, int | np.integer):
        return int(value)
    if isinstance(value, float | np.floating):
        return float(value) if np.isfinite(value) else None
    return safe_text(_clean(str(value)))


def _clean(text: str) -> str:
    """Without the control characters that the format cannot hold, and no longer than a cell may be."""
    return _FORBIDDEN.sub("\ufffd", text)[:32_000]


def _dated(content: bytes, stamp: dt.datetime) -> bytes:
    """The same archive with the service date on every part, and as the moment of its last change."""
    moment = (max(stamp.year, 1980), stamp.month, stamp.day, 0, 0, 0)
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for part in sorted(old.infolist(), key=lambda part: part.filename):
            data = old.read(part)
            if part.filename == "docProps/core.xml":
                data = re.sub(
                    rb"(<dcterms:(created|modified)[^>]*>)[^<]*",
                    rb"\g<1>" + stamp.strftime("%Y-%m-%dT%H:%M:%SZ").encode(),
                    data,
                )
            info = zipfile.ZipInfo(part.filename, moment)
            info.compress_type = zipfile.ZIP_DEFLATED
            info.create_system = 0
            new.writestr(info, data)
    return out.getvalue()
