"""New homes at a place, whose residents are like those of a neighbourhood that exists."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, ClassVar

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from community_routes.base.earth import EARTH_RADIUS_M
from community_routes.scenarios.change import Change
from community_routes.scenarios.edit.feed import with_rows
from community_routes.scenarios.edit.work import CANNOT_APPLY, UNKNOWN_PLACE, Work
from community_routes.scenarios.values import LonLat, Positive, nearest_name, within

HOMES_RADIUS_M = 60.0
"""New homes are drawn on the map as a circle of this radius."""


class AddHomes(Change):
    """New homes at a place; their residents are like those of a neighbourhood that exists."""

    kind: ClassVar[str] = "add_homes"
    example: ClassVar[str] = "{name: New homes, at: $here, homes: 200, like: $zone}"

    name: str
    at: LonLat
    homes: Annotated[float, within(1e-6, 1e12, "a number above 0")]
    persons_per_home: Positive = 2.4
    like: str

    def apply(self, work: Work) -> None:
        """A new neighbourhood of one origin."""
        zones = work.now.zones
        if zones is None:
            raise work.stop(CANNOT_APPLY, "there are no neighbourhoods to add homes to", [])
        table = zones.table
        like = _zone_row(work, table, self.like)
        persons = self.homes * self.persons_per_home
        row = table.iloc[[like]].copy()
        row["id"] = work.free_id(set(table["id"]), self.name)
        row["name"] = self.name
        row["population"] = persons if zones.has_population else 1.0
        lon, lat = self.at
        row = row.set_geometry([_circle(lon, lat)], crs=table.crs)
        grown = gpd.GeoDataFrame(pd.concat([table, row], ignore_index=True), crs=table.crs)
        origin = {"zone": len(table), "id": row["id"].iat[0], "lon": lon, "lat": lat, "weight": 1.0}
        origins = with_rows(
            zones.origins, pd.DataFrame([{name: origin.get(name, "") for name in zones.origins.columns}])
        )
        groups = zones.groups
        if groups is not None:
            of_like = groups.iloc[[like]].to_numpy(np.float64)
            total = float(of_like.sum())
            theirs = of_like / total * persons if total > 0 else of_like * 0.0
            groups = pd.concat([groups, pd.DataFrame(theirs, columns=groups.columns)], ignore_index=True)
        work.now = replace(work.now, zones=replace(zones, table=grown, origins=origins, groups=groups))
        what = f"{self.homes:,.0f} homes, {persons:,.0f} persons" if zones.has_population else "one more neighbourhood"
        work.effect(self.name, f"{what} with the deprivation and groups of {table['name'].iat[like]}")


def _circle(lon: float, lat: float) -> shapely.Polygon:
    """A circle on the ground as a polygon in degrees."""
    north = np.degrees(HOMES_RADIUS_M / EARTH_RADIUS_M)
    east = north / max(np.cos(np.radians(lat)), 0.01)
    turn = np.linspace(0, 2 * np.pi, 24, endpoint=False)
    return shapely.Polygon(np.column_stack([lon + east * np.cos(turn), lat + north * np.sin(turn)]))


def _zone_row(work: Work, table: pd.DataFrame, text: str) -> int:
    """The neighbourhood that a text means, by id and then by name."""
    for column in ("id", "name"):
        rows = np.flatnonzero(table[column].astype(str).str.casefold().to_numpy() == text.casefold())
        if len(rows) == 1:
            return int(rows[0])
        if len(rows) > 1:
            ids = ", ".join(str(table["id"].iat[int(row)]) for row in rows[:8])
            raise work.stop(
                UNKNOWN_PLACE, f"{len(rows)} neighbourhoods are called {text!r}; write an id: {ids}", ["like"], text
            )
    near = nearest_name(text, [*table["id"].astype(str), *table["name"].astype(str)])
    hint = f"; did you mean {near!r}?" if near else ""
    raise work.stop(UNKNOWN_PLACE, f"there is no neighbourhood {text!r}{hint}", ["like"], text)
