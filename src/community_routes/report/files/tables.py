"""Everything that a run leaves behind, written into one folder."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pa_parquet

from community_routes.base.errors import as_path
from community_routes.base.files import new_file
from community_routes.base.notices import SEVERITIES
from community_routes.report.brief import brief_html, write_brief
from community_routes.report.cells import csv_parts, csv_text, publish, sorted_tables, written_tables
from community_routes.report.files.geopackage import write_geopackage
from community_routes.report.files.pdf import write_paper, write_pdf
from community_routes.report.files.workbook import write_workbook
from community_routes.report.page import write_page
from community_routes.report.results import Results

__all__ = ["csv_text", "publish", "run_json", "sorted_tables", "write_tables"]


def write_tables(results: Results, folder: str | Path) -> list[Path]:
    """Write the tables, ``results.gpkg`` and ``run.json`` into a folder; the same results give the same bytes.

    Parameters
    ----------
    results : Results
    folder : path
        Made when it is not there.

    Returns
    -------
    list of Path
        The files written.
    """
    place = as_path(folder)
    written: list[Path] = []
    tables = written_tables(results)
    for name, table in tables.items():
        written.append(place / results.file_of(name))
        if written[-1].suffix == ".parquet":
            write_parquet(table, written[-1])
        else:
            publish(written[-1], csv_parts(table))
    written.append(write_geopackage(results, place / "results.gpkg"))
    written.append(place / "run.json")
    publish(written[-1], run_json(results).encode("utf-8"))
    return written


def write_parquet(table: pd.DataFrame, path: Path) -> None:
    """Write a table as Parquet: the columns and the order of its CSV, numbers as numbers, empty where they are missing."""
    with new_file(path) as beside:
        columns = pa.Table.from_pandas(table, preserve_index=False).replace_schema_metadata(None)
        pa_parquet.write_table(columns, beside, compression="zstd")


def run_json(results: Results) -> str:
    """Version, settings, names and hashes of the inputs, and counts, with sorted keys."""
    content: dict[str, Any] = {
        "program": "community_routes",
        "version": results.version,
        "study": results.study_id,
        "title": results.title,
        "invented": results.invented,
        "service_dates": {day: date.isoformat() for day, date in results.dates.items()},
        "settings": {str(key): _plain(value) for key, value in results.settings.items()},
        "scenarios": [{"id": s.id, "title": s.title, "effects": list(s.effects)} for s in results.scenarios],
        "inputs": [
            {"name": str(row.name_), "kind": str(row.kind), "sha256": str(row.sha256)}
            for row in results.sources.rename(columns={"name": "name_"}).itertuples()
        ],
        "counts": {
            "neighbourhoods": len(results.zones),
            "neighbourhoods_off_network": int((results.zones["reason"] == "off_network").sum()),
            "destinations": len(results.destinations),
            "stops": len(results.stops),
            "routes": len(results.routes),
            "rows": {name: len(table) for name, table in written_tables(results).items()},
            "notices": {name: int((results.notices["severity"] == name).sum()) for name in SEVERITIES},
        },
    }
    files = {name: results.file_of(name) for name in written_tables(results)}
    if any(file.endswith(".parquet") for file in files.values()):
        content["tables"] = files
    return json.dumps(content, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def _plain(value: Any) -> Any:
    """A value that JSON can hold; what it cannot becomes its text."""
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, bool | int | str) or value is None:
        return value
    if isinstance(value, float) and math.isfinite(value):
        return value
    return str(value)


def write_files(
    results: Results,
    folder: str | Path,
    *,
    maps: bool = True,
    workbook: bool = False,
    pdf: bool = False,
    templates: str | Path | None = None,
) -> list[Path]:
    """Write the page and the tables, and what else is asked for.

    Parameters
    ----------
    results : Results
    folder : path
        Made when it is not there.
    maps : bool
        ``maps/*.png`` and ``maps/*.svg``.
    workbook : bool
        ``tables.xlsx``; needs the extra ``xlsx``.
    pdf : bool
        ``report.pdf`` and ``brief.pdf``; needs the extra ``pdf``.
    templates : path, optional
        A folder whose files stand in for the page's own.

    Returns
    -------
    list of Path
        All files written, the page first.

    Raises
    ------
    UsageError
        An extra is missing. Nothing has been written then but in the folder, which the caller makes whole or not at all.
    """
    place = as_path(folder)
    written = [write_page(results, place / "report.html", templates=templates)]
    written.append(write_brief(results, place / "brief.html", templates=templates))
    written += write_tables(results, place)
    if maps:
        from community_routes.report.pictures import write_maps  # nobody else needs matplotlib

        written += write_maps(results, place)
    written += [write_workbook(results, place / "tables.xlsx")] if workbook else []
    if pdf:
        written.append(write_pdf(results, place / "report.pdf", templates=templates))
        written.append(write_paper(brief_html(results, templates=templates), results.stamp, place / "brief.pdf"))
    return written
