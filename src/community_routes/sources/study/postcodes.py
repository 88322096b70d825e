"""The `postcodes` part of a study file: where each postcode lies, so that a reader finds a neighbourhood by it."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from community_routes.base.errors import StudyError
from community_routes.sources.study.models import DataFile, Spec


class Postcodes(Spec):
    """A table of postcodes with coordinates; the columns are those of the ONS Postcode Directory where none are named."""

    file: DataFile
    postcode: str = "pcds"
    lon: str = "long"
    lat: str = "lat"


def read_postcodes(spec: Postcodes, box: tuple[float, float, float, float]) -> pd.DataFrame:
    """Postcodes inside a box, without spaces and in capitals: the columns postcode, lon, lat.

    Raises
    ------
    StudyError
        The file lacks a column.
    """
    wanted = {spec.postcode: "postcode", spec.lon: "lon", spec.lat: "lat"}
    path = Path(spec.file)
    there = pd.read_csv(path, nrows=0).columns
    lacking = [name for name in wanted if name not in there]
    if lacking:
        raise StudyError(f"{path.name} has no column {', '.join(map(repr, lacking))}; it has {', '.join(there)}")
    table = pd.read_csv(path, usecols=list(wanted), dtype=str).rename(columns=wanted)
    table[["lon", "lat"]] = table[["lon", "lat"]].apply(pd.to_numeric, errors="coerce")
    west, south, east, north = box
    table = table[table["lon"].between(west, east) & table["lat"].between(south, north) & table["postcode"].notna()]
    codes = table["postcode"].str.replace(" ", "", regex=False).str.upper()
    return table.assign(postcode=codes)[["postcode", "lon", "lat"]].reset_index(drop=True)
