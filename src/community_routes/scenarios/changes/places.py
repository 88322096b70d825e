"""New places to go to: jobs and shared spaces."""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from pydantic import Field

from community_routes.scenarios.change import Change
from community_routes.scenarios.edit.feed import with_rows
from community_routes.scenarios.edit.work import UNKNOWN_PLACE, Work
from community_routes.scenarios.values import Amount, LonLat, Positive, nearest_name


class AddJobs(Change):
    """New jobs at a place."""

    kind: ClassVar[str] = "add_jobs"
    example: ClassVar[str] = "{name: New works, at: $here, jobs: 500, into: $into}"

    name: str
    at: LonLat
    jobs: Positive
    into: str = "employment"

    def apply(self, work: Work) -> None:
        """One more destination."""
        _add_place(work, self, "", self.jobs)


class AddSpace(Change):
    """A new shared space."""

    kind: ClassVar[str] = "add_space"
    example: ClassVar[str] = "{name: New library, at: $here, kind: library, into: $space}"

    name: str
    at: LonLat
    space_kind: str = Field(default="", alias="kind")
    amount: Amount = 1.0
    into: str = "shared_spaces"

    def apply(self, work: Work) -> None:
        """One more destination, of a kind that may be new but is no slip of the pen."""
        if work.now.opportunities is not None and self.space_kind:
            table = work.now.opportunities.table
            kinds = sorted({str(kind) for kind in table.loc[table["key"] == self.into, "kind"]} - {""})
            near = nearest_name(self.space_kind, kinds)
            if near and self.space_kind not in kinds:
                hint = f"did you mean {near!r}? There are {', '.join(kinds)}"
                message = f"{self.into} has no kind {self.space_kind!r}; {hint}"
                raise work.stop(UNKNOWN_PLACE, message, ["kind"], self.space_kind)
        _add_place(work, self, self.space_kind, self.amount)


def _add_place(work: Work, change: AddJobs | AddSpace, kind: str, amount: float) -> None:
    into, found = change.into, work.now.opportunities
    keys = list(dict.fromkeys(found.table["key"])) if found is not None else []
    if found is None or into not in keys:
        near = nearest_name(into, keys)
        hint = f"did you mean {near!r}?" if near else f"there are {', '.join(keys) or 'none'}"
        raise work.stop(UNKNOWN_PLACE, f"the study has no destinations {into!r}; {hint}", ["into"], into)
    table = found.table
    row = gpd.GeoDataFrame(
        {column: [""] for column in table.columns if column != table.geometry.name},
        geometry=[shapely.Point(*change.at)],
        crs=table.crs,
    )
    row["key"], row["id"] = into, work.free_id(set(table["id"].astype(str)), change.name)
    row["name"], row["kind"], row["amount"] = change.name, kind, float(amount)
    if table.geometry.name != "geometry":
        row = row.rename_geometry(table.geometry.name)
    grown = gpd.GeoDataFrame(pd.concat([table, row], ignore_index=True), crs=table.crs)
    grown["amount"] = grown["amount"].astype(np.float64)
    entrance = pd.DataFrame({"place": [len(table)], "lon": [change.at[0]], "lat": [change.at[1]]})
    entrances = with_rows(found.entrances, entrance)
    work.now = replace(work.now, opportunities=replace(found, table=grown, entrances=entrances))
    mine = table["key"] == into
    n, before = int(mine.sum()), float(table.loc[mine, "amount"].sum())
    work.effect(into, f"{n} -> {n + 1} places, amount {before:,.10g} -> {before + amount:,.10g}")
