"""What people call the kind of vehicle of a GTFS route type."""

from __future__ import annotations

import numpy as np

from community_routes.sources.gtfs_trips import basic_route_type

_MODES = {
    0: "tram",
    1: "metro",
    2: "rail",
    3: "bus",
    4: "ferry",
    5: "cable tram",
    6: "cable car",
    7: "funicular",
    11: "trolleybus",
    12: "monorail",
    1100: "air",
}


def mode_of(route_type: int) -> str:
    """``bus``, ``rail`` ... of a basic or extended route type; ``other`` of an unknown one."""
    return _MODES.get(int(basic_route_type(np.array([route_type]))[0]), "other")
