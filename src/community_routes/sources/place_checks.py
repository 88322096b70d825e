"""Warns of destinations that cannot belong to the neighbourhoods, most often because coordinates are swapped."""

from __future__ import annotations

import numpy as np
import shapely
from numpy.typing import NDArray

from community_routes.notices import Notice, declare
from community_routes.sources.opportunities import Opportunities
from community_routes.sources.table_file import listed
from community_routes.sources.zones import Zones

PLACES_FAR = declare("places_far", "warning", "Destinations lie far from all neighbourhoods.")

_FAR_KM = 100.0


def check_places(opportunities: Opportunities, zones: Zones, notices: list[Notice]) -> None:
    """Warn of destinations far (over 100 km) from the neighbourhoods: coordinates swapped, or a file of another place.

    Parameters
    ----------
    zones : Zones
        The neighbourhoods, of which the origins are looked at.
    """
    if len(opportunities) == 0 or len(zones) == 0:
        return
    lon, lat = float(zones.origins["lon"].median()), float(zones.origins["lat"].median())
    centre = shapely.centroid(np.asarray(opportunities.table.geometry.array, object))
    x, y = shapely.get_x(centre), shapely.get_y(centre)
    for key in opportunities.keys:
        rows = opportunities.rows_of(key)
        away = _kilometres(lon, lat, x[rows], y[rows])
        far = rows[away > _FAR_KM]
        if len(far) == 0:
            continue
        swapped = bool(np.median(_kilometres(lon, lat, y[far], x[far])) < _FAR_KM)
        hint = "; longitude and latitude are swapped" if swapped else ""
        names = [f"{opportunities.table['id'].iloc[i]} ({x[i]:.3f}, {y[i]:.3f})" for i in far.tolist()]
        message = (
            f"{len(far)} of {len(rows)} places of {key!r} lie over {_FAR_KM:g} km from the neighbourhoods: "
            f"{listed(names, 3)}{hint}"
        )
        notices.append(PLACES_FAR.at(field=f"destinations.{key}", value=names[0], message=message))


def _kilometres(lon: float, lat: float, x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.float64]:
    """Roughly how far points lie from one point."""
    return np.asarray(np.hypot((x - lon) * np.cos(np.radians(lat)), y - lat) * 111.195, np.float64)
