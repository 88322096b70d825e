"""Whether streets and timetable speak of the same part of the world."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from community_routes.base.notices import Notice, declare
from community_routes.sources.osm.street_map import Area, box_of

NO_OVERLAP = declare(
    "streets_no_overlap", "error", "The streets and the stops of the timetable lie in different places."
)
NO_STOP_INSIDE = declare("streets_no_stop_inside", "error", "No stop of the timetable lies in the area of the streets.")
FEW_STOPS_INSIDE = declare(
    "streets_few_stops_inside", "info", "Many stops of the timetable lie outside the area of the streets."
)

AREA_WITHOUT_STREETS = declare("streets_not_in_area", "error", "No street of the file lies in the area that was given.")


def check_area(area: Area, lon: NDArray[np.float64], lat: NDArray[np.float64], *, file: str = "") -> list[Notice]:
    """An error, with both boxes, where no node of the streets lies in the area that the study gives for them."""
    if _inside(area, lon, lat).any():
        return []
    box = box_of(lon, lat)
    message = (
        f"the area is {box_text(area)}, and the streets lie in {box_text(box)}; {_advice(area, box, 'of the area')}"
    )
    return [AREA_WITHOUT_STREETS.at(file, field="streets.area", value=list(area), message=message)]


def check_overlap(streets_area: Area, stops_box: Area, *, file: str = "") -> list[Notice]:
    """An error, with both boxes, where the box around the stops does not touch the area of the streets.

    Says so when exchanged longitudes and latitudes would explain it.

    Parameters
    ----------
    streets_area, stops_box : (west, south, east, north)
    file : str
        Name of the timetable's file, for the notice.
    """
    if _touch(streets_area, stops_box):
        return []
    boxes = f"the stops lie in {box_text(stops_box)}, the streets in {box_text(streets_area)}"
    message = f"{boxes}; {_advice(streets_area, stops_box)}"
    return [NO_OVERLAP.at(file, field="stop_lat, stop_lon", message=message)]


def check_stops_inside(
    streets_area: Area, lon: NDArray[np.float64], lat: NDArray[np.float64], *, file: str = ""
) -> list[Notice]:
    """An error where no stop lies in the area of the streets, an info where fewer than half do.

    A feed of a whole country surrounds any town, so that boxes may touch where no stop is near.

    Parameters
    ----------
    lon, lat : float64, shape (n_stops,)
        Degrees; NaN is left out.
    """
    known = np.isfinite(lon) & np.isfinite(lat)
    if not known.any():
        return []
    lon, lat = lon[known], lat[known]
    box = box_of(lon, lat)
    apart = check_overlap(streets_area, box, file=file)
    if apart:
        return apart
    inside = int(_inside(streets_area, lon, lat).sum())
    counts = f"{inside:,} of {len(lon):,} stops lie in the area of the streets, {box_text(streets_area)}"
    if inside == 0:
        message = f"{counts}; the stops lie in {box_text(box)}; {_advice(streets_area, box)}"
        return [NO_STOP_INSIDE.at(file, field="stop_lat, stop_lon", value=0, message=message)]
    if inside * 2 < len(lon):
        message = f"{counts}; nobody walks to or from the others"
        return [FEW_STOPS_INSIDE.at(file, field="stop_lat, stop_lon", value=inside, message=message)]
    return []


def _inside(area: Area, lon: NDArray[np.float64], lat: NDArray[np.float64]) -> NDArray[np.bool_]:
    west, south, east, north = area
    span = (east - west) % 360.0 or 360.0
    inside: NDArray[np.bool_] = ((lon - west) % 360.0 <= span) & (south <= lat) & (lat <= north)
    return inside


def _touch(a: Area, b: Area) -> bool:
    """Whether two boxes have a point in common; each may cross longitude 180."""
    spans = [(box[2] - box[0]) % 360.0 or (360.0 if box[0] != box[2] else 0.0) for box in (a, b)]
    east_west = (b[0] - a[0]) % 360.0 <= spans[0] or (a[0] - b[0]) % 360.0 <= spans[1]
    return east_west and a[1] <= b[3] and b[1] <= a[3]


def _advice(streets: Area, stops: Area, of_what: str = "of the stops") -> str:
    turned = (stops[1], stops[0], stops[3], stops[2])
    if (
        turned[0] <= 180
        and turned[2] <= 180
        and abs(turned[1]) <= 90
        and abs(turned[3]) <= 90
        and _touch(streets, turned)
    ):
        return f"longitude and latitude {of_what} seem to be exchanged"
    turned = (streets[1], streets[0], streets[3], streets[2])
    if abs(turned[1]) <= 90 and abs(turned[3]) <= 90 and _touch(turned, stops):
        return "the area seems to be given as latitude, longitude; write [west, south, east, north]"
    return "check that both files are of the same town"


def box_text(area: Area) -> str:
    """A box in words: longitude and latitude with four decimals."""
    west, south, east, north = area
    return f"longitude {west:.4f} to {east:.4f}, latitude {south:.4f} to {north:.4f}"
