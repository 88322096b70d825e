"""New ways to walk, and ways that can no longer be walked."""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar, Literal

import numpy as np
import shapely

from community_routes.scenarios.change import Change
from community_routes.scenarios.edit.drawn import drawing_words, shape_of
from community_routes.scenarios.edit.street_map import END_M, NewPath, joins_of, way_metres, with_path, without_way
from community_routes.scenarios.edit.work import CANNOT_APPLY, NO_EFFECT, Work
from community_routes.scenarios.values import Drawn
from community_routes.sources.osm.street_map import StreetMap


class AddPath(Change):
    """A new way to walk."""

    kind: ClassVar[str] = "add_path"
    example: ClassVar[str] = "{name: Footbridge, line: footbridge.geojson}"

    name: str
    line: Drawn
    modes: tuple[Literal["walk"], ...] = ("walk",)

    def apply(self, work: Work) -> None:
        """Put the drawn way into the walking network."""
        street_map = _street_map(work)
        xy = shapely.get_coordinates(shape_of(work, self.line, ["line"], "line"))
        path = NewPath(self.name, xy[:, 0].copy(), xy[:, 1].copy())
        joins = joins_of(street_map, path)
        joined = {join.vertex for join in joins}
        loose = [name for name, end in (("the start", 0), ("the end", len(xy) - 1)) if end not in joined]
        if loose:
            message = (
                f"{' and '.join(loose)} {'lie' if len(loose) > 1 else 'lies'} of the path {self.name!r} more than {END_M:.0f} m "
                "from any street, so nobody could walk on; draw it to a street"
            )
            raise work.stop(CANNOT_APPLY, message, ["line"], drawing_words(self.line))
        work.now = replace(work.now, street_map=with_path(street_map, path))
        work.effect(self.name, f"new path, {path.metres:,.0f} m, joined to streets at {len(joins)} places")


class ClosePath(Change):
    """A way of the map can no longer be walked."""

    kind: ClassVar[str] = "close_path"
    example: ClassVar[str] = "{osm_way: 123}"

    osm_way: int
    name: str = ""

    def apply(self, work: Work) -> None:
        """Take the way out of the walking network."""
        street_map = _street_map(work)
        rows = np.flatnonzero(street_map.way_id == self.osm_way)
        if not len(rows):
            message = f"there is no way {self.osm_way} in {street_map.source or 'the streets file'}"
            raise work.stop(CANNOT_APPLY, f"{message}; look its number up on the map", ["osm_way"], self.osm_way)
        if not (street_map.walk[rows] != 0).any():
            raise work.stop(NO_EFFECT, f"nobody may walk along way {self.osm_way} as it is", ["osm_way"], self.osm_way)
        work.now = replace(work.now, street_map=without_way(street_map, self.osm_way))
        name = self.name or next((str(street_map.name[row]) for row in rows if street_map.name[row]), "")
        label = f"way {self.osm_way}{f' ({name})' if name else ''}"
        work.effect(label, f"closed to walking, {way_metres(street_map, rows):,.0f} m")


def _street_map(work: Work) -> StreetMap:
    if work.now.street_map is None:
        raise work.stop(
            CANNOT_APPLY,
            "walking follows the straight line in this study, so there are no paths; give streets: {osm: FILE}",
        )
    return work.now.street_map
