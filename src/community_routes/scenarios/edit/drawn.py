"""Lines and zones that are drawn: in a file beside the scenario, or corner by corner in the scenario itself."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import shapely

from community_routes.base.errors import StudyError
from community_routes.scenarios.edit.work import CANNOT_APPLY, Work
from community_routes.scenarios.values import Drawn
from community_routes.sources.places.table import read_frame_of_places
from community_routes.sources.study.yaml import Step


def drawing_words(drawing: Drawn) -> str:
    """What a drawing is called in messages: its file, or how many corners it has."""
    return repr(drawing) if isinstance(drawing, str) else f"of {len(drawing)} corners"


def shape_of(work: Work, drawing: Drawn, path: list[Step], want: str) -> Any:
    """The geometry of a ``line`` or a ``zone`` (polygon), in longitude and latitude, from its file or its corners."""
    if isinstance(drawing, str):
        return read_shape(work, drawing, path, want)
    least = 2 if want == "line" else 3
    if len(dict.fromkeys(drawing)) < least:
        message = f"the {want} {drawing_words(drawing)} is none; give at least {least} different corners"
        raise work.stop(CANNOT_APPLY, message, path, drawing_words(drawing))
    if want == "line":
        return shapely.LineString(drawing)
    zone = shapely.make_valid(shapely.Polygon(drawing))
    if not zone.area:
        message = f"the zone {drawing_words(drawing)} has no area; its corners lie on one line"
        raise work.stop(CANNOT_APPLY, message, path, drawing_words(drawing))
    return zone


def read_shape(work: Work, file: str, path: list[Step], want: str) -> Any:
    """The geometry of a file beside the scenario: a ``line`` or a ``zone`` (polygon), in longitude and latitude."""
    folder = work.here.folder or Path()
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
