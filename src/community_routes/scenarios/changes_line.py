"""Stops of a new route along a drawn line: existing ones beside it, new ones where there are none."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

from community_routes.earth import great_circle_m
from community_routes.errors import StudyError
from community_routes.scenarios.changes import AddRoute
from community_routes.scenarios.stops_matching import Spot
from community_routes.sources.table_file import read_frame_of_places

if TYPE_CHECKING:
    from community_routes.scenarios.changes_work import Work

BESIDE_M = 100.0
"""A stop within this distance of a place on the line is used instead of a new one."""


def spots_along(work: Work, change: AddRoute) -> list[Spot]:
    """Places every ``stop_every_m`` along the line, its ends included, evenly spread.

    Raises
    ------
    Abandoned
        The file cannot be read or holds no line; recorded with the change.
    """
    assert change.line is not None
    line = read_shape(work, change.line.file, ["line", "file"], "line")
    xy = shapely.get_coordinates(line)
    steps = great_circle_m(xy[:-1, 0], xy[:-1, 1], xy[1:, 0], xy[1:, 1])
    along = np.concatenate([[0.0], np.cumsum(steps)])
    n = max(round(float(along[-1]) / change.line.stop_every_m), 1)
    at = np.linspace(0, float(along[-1]), n + 1)
    lon, lat = np.interp(at, along, xy[:, 0]), np.interp(at, along, xy[:, 1])
    finder = work.finder
    spots: list[Spot] = []
    for k, (x, y) in enumerate(zip(lon.tolist(), lat.tolist(), strict=True)):
        row = finder.nearest_stop(x, y, BESIDE_M)
        if row is None:
            spots.append(Spot(f"{change.name} stop {k + 1}", (), x, y, new_name=f"{change.name} stop {k + 1}"))
            continue
        rows = finder.place_of(row)
        name = str(work.feed.stops["stop_name"].iat[row])
        spot = Spot(name, tuple(rows), float(finder.lon[rows].mean()), float(finder.lat[rows].mean()))
        if not spots or set(spots[-1].stops) != set(spot.stops):
            spots.append(spot)
    return spots


def read_shape(work: Work, file: str, path: list[str | int], want: str) -> Any:
    """The geometry of a file beside the scenario: a ``line`` or a ``zone`` (polygon), in longitude and latitude."""
    from community_routes.scenarios.changes_work import CANNOT_APPLY

    folder = work.scenario.folder or Path()
    name = Path(file)
    # Looked for first: the reader would also take an address on the network for a file.
    if not (folder / name).is_file():
        message = f"the {want} {name.name!r} cannot be read: there is no such file beside the scenario"
        raise work.stop(CANNOT_APPLY, message, path, file)
    try:
        table = read_frame_of_places(folder / name)
    except StudyError as fault:
        raise work.stop(CANNOT_APPLY, f"the {want} {name.name!r} cannot be read: {fault}", path, file) from None
    if table.crs is not None:
        table = table.to_crs(4326)
    wanted = ("LineString", "MultiLineString") if want == "line" else ("Polygon", "MultiPolygon")
    shapes = table.geometry[table.geometry.geom_type.isin(wanted)]
    if not len(shapes):
        kinds = ", ".join(sorted(set(table.geometry.geom_type.dropna()))) or "nothing"
        raise work.stop(CANNOT_APPLY, f"{name.name!r} holds {kinds}, but a {want} is needed", path, file)
    if want == "zone":
        return shapely.union_all(shapely.make_valid(shapes.to_numpy()))
    merged = shapely.line_merge(shapely.union_all(shapes.to_numpy()))
    if merged.geom_type != "LineString":
        raise work.stop(CANNOT_APPLY, f"the lines of {name.name!r} do not join into one; draw one line", path, file)
    return merged if len(shapes) > 1 or shapes.iloc[0].geom_type != "LineString" else shapes.iloc[0]
