"""What lies under and on the neighbourhoods of some results, cut to their frame once for all maps that show it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from weakref import WeakKeyDictionary

import geopandas as gpd
import numpy as np
import shapely
from numpy.typing import NDArray

from community_routes.report.maps import geo
from community_routes.report.results import TODAY, Results


@dataclass(eq=False)
class Ground:
    """Layers of the background and today's routes, in degrees.

    Attributes
    ----------
    frame : Frame
        Of the neighbourhoods; sheets of other widths show the same part of the world.
    background : mapping of layer name to GeoDataFrame
    routes : GeoSeries
        Today's.
    """

    frame: geo.Frame
    background: Mapping[str, gpd.GeoDataFrame]
    routes: gpd.GeoSeries
    _cut: dict[str, NDArray[np.object_]] = field(default_factory=dict)
    _simple: dict[tuple[str, float], list[shapely.Geometry]] = field(default_factory=dict)

    def layer(self, name: str, metres: float) -> list[shapely.Geometry]:
        """Areas and lines of a layer, simplified by so many metres, without specks; none where there is no such layer."""
        if (name, metres) not in self._simple:
            layer = self.background.get(name)
            if name not in self._cut:
                shapes = [] if layer is None else geo.big_enough(layer.geometry)
                self._cut[name] = geo.cut_to(shapes, self.frame)
            self._simple[name, metres] = list(shapely.simplify(self._cut[name], metres / 111_000))
        return self._simple[name, metres]

    def network(self, metres: float) -> shapely.Geometry:
        """Today's routes as one drawing, as ``geo.network_of``."""
        return geo.joined_lines(shapely.simplify(self._pieces, metres / 111_000))

    @cached_property
    def _pieces(self) -> NDArray[np.object_]:
        return geo.cut_to(geo.pieces_of(self.routes), self.frame)


_GROUNDS: WeakKeyDictionary[Results, Ground] = WeakKeyDictionary()


def ground_of(results: Results) -> Ground:
    """Worked out once for the same results."""
    if results not in _GROUNDS:
        today = results.routes[results.routes["scenario"] == TODAY]
        _GROUNDS[results] = Ground(geo.frame_of(results.zones), results.background, today.geometry)
    return _GROUNDS[results]
