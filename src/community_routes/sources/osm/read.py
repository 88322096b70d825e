"""Streets from OpenStreetMap as flat arrays: from a PBF file, a GraphML file, or a place downloaded once."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import osmium
from numpy.typing import NDArray

from community_routes.base.arrays import starts_of
from community_routes.base.errors import StreetsError, as_path
from community_routes.base.files import new_file
from community_routes.base.notices import Notice, declare, raise_on_errors
from community_routes.sources.osm.blocks import blocks_fault, mistaken_for_pbf
from community_routes.sources.osm.check import box_text, check_area
from community_routes.sources.osm.graph import GRAPH_TAGS, NODE_TAGS, load_graphml, map_of_graph
from community_routes.sources.osm.pbf import PbfContent, PlacesAsked, Streets, read_pbf
from community_routes.sources.osm.street_map import Area, Features, StreetMap, box_of

__all__ = ["Area", "Features", "StreetMap", "box_of", "read_graphml", "read_place", "read_streets"]

UNREADABLE = declare("streets_unreadable", "error", "A street file is missing, cut, damaged or no OpenStreetMap PBF.")
EMPTY = declare("streets_empty", "error", "A street file holds no way that people may walk along.")
COVERAGE_BY_NODES = declare(
    "streets_coverage_by_nodes",
    "warning",
    "A street file does not say what area it covers, so the box around its streets is taken.",
)
NODES_MISSING = declare(
    "streets_nodes_missing", "warning", "Ways refer to nodes that the street file lacks; they are cut there."
)
NOT_DOWNLOADED = declare("streets_not_downloaded", "error", "The streets of a place could not be downloaded.")
HISTORY = declare("streets_history", "error", "A street file is a full history, in which old streets cannot be told.")
BAD_AREA = declare("streets_bad_area", "error", "The area of the streets is no box of west, south, east, north.")

Asked = dict[str, dict[str, tuple[str, ...]]]


def read_streets(
    source: str | Path,
    *,
    area: Area | None = None,
    places: PlacesAsked | None = None,
    notices: list[Notice] | None = None,
) -> StreetMap:
    """Read the streets of an OpenStreetMap PBF file.

    Parameters
    ----------
    source : path
    area : (west, south, east, north), optional
        The part that the file covers, in degrees. Left out: the box in the file's header, else the box around the nodes
        of its streets, with a notice.
    places : dict of key to dict of tag to values, optional
        Places to read in the same pass, as ``{"libraries": {"amenity": ["library"]}}``; the value "*" is any.
    notices : list, optional
        Findings are appended.

    Returns
    -------
    StreetMap
        Checked tables; ``build_streets`` makes the walking network of them.

    Raises
    ------
    StreetsError
        The file cannot be read, or nobody can walk in it.
    """
    found: list[Notice] = []
    path = as_path(source)
    street_map = None
    if area is not None:
        _check_area(area, path.name, found)
    asked = _asked(places or {})
    content = _read_checked(path, asked, found)
    if content is not None:
        street_map = _assemble(content, path, area, asked, found)
    return _checked(street_map, path.name, found, notices)


def read_graphml(source: str | Path, *, area: Area | None = None, notices: list[Notice] | None = None) -> StreetMap:
    """Read the streets of a GraphML file as osmnx saves it; it has no background and no places.

    Parameters
    ----------
    source : path
    area : (west, south, east, north), optional
        The part that it covers, in degrees; left out, the box around its nodes, with a notice.
    notices : list, optional
        Findings are appended.

    Raises
    ------
    StreetsError
        The file cannot be read, its coordinates are no numbers or no degrees, or nobody can walk in it.
    """
    found: list[Notice] = []
    path = as_path(source)
    street_map = None
    if area is not None:
        _check_area(area, path.name, found)
    graph = load_graphml(path, found)
    if graph is not None:
        digest = _content_hash(path, area, {})
        street_map = map_of_graph(graph, found, source=path.name, area=area, content_hash=digest)
    if street_map is not None and area is None:
        found.append(_coverage_notice(path.name, street_map.area))
    return _checked(street_map, path.name, found, notices)


def read_place(
    query: str,
    cache: str | Path,
    *,
    area: Area | None = None,
    notices: list[Notice] | None = None,
    download: Callable[[str], Any] | None = None,
) -> StreetMap:
    """Streets of a place by its name, as osmnx finds it; downloaded once, then read from the cache.

    Parameters
    ----------
    query : str
        A name that OpenStreetMap's geocoder knows, as "Newport, Wales".
    cache : path
        Folder in which the download is kept, as GraphML.
    area : (west, south, east, north), optional
        As in ``read_graphml``.
    notices : list, optional
        Findings are appended.
    download : function of the query, optional
        Gives the graph instead of osmnx.

    Raises
    ------
    StreetsError
        The place is unknown, the download failed, or nobody can walk in what came.
    """
    name = hashlib.sha256(query.encode()).hexdigest()[:16]
    path = Path(cache) / "places" / f"{name}.graphml"
    if not path.is_file():
        found: list[Notice] = []
        try:
            graph = (download or _download_place)(query)
            path.parent.mkdir(parents=True, exist_ok=True)
            _save_graph(graph, path)
        except Exception as error:  # whatever the network, the geocoder or the disk does ends in one message
            message = f"the streets of {query!r} could not be downloaded ({type(error).__name__}: {error})"
            found.append(NOT_DOWNLOADED.at(field="streets.place", value=query, message=message))
        if found:
            return _checked(None, query, found, notices)
    found = []
    street_map = None
    try:
        street_map = read_graphml(path, area=area, notices=found)
    except StreetsError:
        path.unlink(missing_ok=True)  # a bad download is not kept, so that the next run tries again
    return _checked(
        None if street_map is None else replace(street_map, source=query),
        query,
        [replace(notice, file=query) for notice in found],
        notices,
    )


def _download_place(query: str) -> Any:
    """The streets of a place with the tags that the rules need."""
    import osmnx

    osmnx.settings.use_cache = False  # ours is the cache; osmnx would make a folder where the program was started
    osmnx.settings.useful_tags_way = sorted({*osmnx.settings.useful_tags_way, *GRAPH_TAGS})
    osmnx.settings.useful_tags_node = sorted({*osmnx.settings.useful_tags_node, *NODE_TAGS})
    return osmnx.graph_from_place(query, network_type="all", retain_all=True)


def _save_graph(graph: Any, path: Path) -> None:
    """Save a graph as osmnx does, whole or not at all."""
    import osmnx

    with new_file(path) as beside:
        osmnx.save_graphml(graph, beside)


def _checked(street_map: StreetMap | None, source: str, found: list[Notice], notices: list[Notice] | None) -> StreetMap:
    """Pass the findings on; stop where there are errors."""
    if notices is not None:
        notices.extend(found)
    raise_on_errors(found, StreetsError)
    if street_map is None:
        raise StreetsError(f"{source}: nothing was read")
    return street_map


def _read_checked(path: Path, places: PlacesAsked, found: list[Notice]) -> PbfContent | None:
    if not path.is_file():
        found.append(UNREADABLE.at(path.name, message="there is no such file; check the path in the study file"))
        return None
    mistake = mistaken_for_pbf(path)
    if mistake is not None:
        found.append(UNREADABLE.at(path.name, message=f"it is no OpenStreetMap PBF: {mistake}"))
        return None
    try:
        fault = blocks_fault(path)
        if fault is None:
            return read_pbf(path, places)
    except (RuntimeError, ValueError, OSError, MemoryError, osmium.InvalidLocationError) as error:
        fault = f"cannot be read as OpenStreetMap PBF ({_plain(error)})"
    found.append(UNREADABLE.at(path.name, message=f"it {fault}; download or export it again"))
    return None


def _plain(error: BaseException) -> str:
    """What an exception says, on one line and not too long: it may quote the damaged bytes."""
    text = "".join(c if c.isprintable() else " " for c in str(error))
    return text if len(text) <= 160 else f"{text[:160]}..."


def _check_area(area: Area, file: str, found: list[Notice]) -> None:
    west, south, east, north = area
    if not (-180 <= west <= 180 and -180 <= east <= 180 and -90 <= south < north <= 90 and west != east):
        message = "the area must be [west, south, east, north] in degrees, with south below north"
        found.append(BAD_AREA.at(file, field="area", value=list(area), message=message))


def _asked(places: PlacesAsked) -> Asked:
    """What was asked for, a lone value as a list of one."""
    return {
        key: {tag: (values,) if isinstance(values, str) else tuple(values) for tag, values in wanted.items()}
        for key, wanted in places.items()
    }


def _assemble(
    content: PbfContent, path: Path, area: Area | None, asked: Asked, found: list[Notice]
) -> StreetMap | None:
    streets = content.streets
    if not any(streets.walk):
        message = f"none of its {content.n_ways:,} ways of interest is open to people on foot; is it an extract that kept roads?"
        found.append(EMPTY.at(path.name, message=message))
        return None
    if content.history:
        message = (
            "it holds old versions of things beside the new ones; make an extract of one moment (osmium time-filter)"
        )
        found.append(HISTORY.at(path.name, message=message))
        return None
    if content.n_nodes_missing:
        message = f"{content.n_nodes_missing:,} nodes of its streets are not in the file; the ways are cut there"
        found.append(NODES_MISSING.at(path.name, value=content.n_nodes_missing, message=message))
    way, first, node_id, lon, lat, node = _join_nodes(streets)
    if not len(node):
        message = "the nodes of its streets are missing; export it again with complete ways"
        found.append(EMPTY.at(path.name, message=message))
        return None
    if area is not None:
        found.extend(check_area(area, lon, lat, file=path.name))
    covered = area or content.header_box
    if area is None and covered is not None and check_area(covered, lon, lat):
        covered = None  # a header that speaks of another place says nothing of this one
    if covered is None:
        covered = box_of(lon, lat)
        found.append(_coverage_notice(path.name, covered))
    return StreetMap(
        node_id,
        lon,
        lat,
        np.array(streets.way_id, np.int64)[way],
        first,
        node,
        np.array(streets.highway, object)[way],
        np.array(streets.name, object)[way],
        np.array(streets.walk, np.int8)[way],
        np.array(streets.drive, np.int8)[way],
        np.array(streets.steps, bool)[way],
        covered,
        content.features,
        asked,
        _content_hash(path, area, asked),
        path.name,
        np.array(streets.below, bool)[way],
    )


def _join_nodes(
    streets: Streets,
) -> tuple[
    NDArray[np.int64], NDArray[np.int64], NDArray[np.int64], NDArray[np.float64], NDArray[np.float64], NDArray[np.int32]
]:
    """Number the nodes, cut ways where nodes are missing, and leave out repeats.

    Returns the row in ``streets`` of each part, ``first``, ``node_id``, ``lon``, ``lat`` and ``node``.
    """
    way = np.repeat(np.arange(len(streets.way_id)), np.diff(streets.first))
    known = ~np.isnan(streets.lonlat[:, 0])
    # A part starts with each way, and after each gap; a node that repeats the one before it is left out.
    gaps = np.cumsum(~known)
    way, ref, xy, part = way[known], streets.ref[known], streets.lonlat[known], (way + gaps)[known]
    fresh = np.ones(len(ref), bool)
    fresh[1:] = (part[1:] != part[:-1]) | (way[1:] != way[:-1]) | (ref[1:] != ref[:-1])
    way, ref, xy, part = way[fresh], ref[fresh], xy[fresh], part[fresh]
    starts = np.ones(len(ref), bool)
    starts[1:] = (part[1:] != part[:-1]) | (way[1:] != way[:-1])
    number = np.cumsum(starts) - 1
    size = np.bincount(number) if len(number) else np.zeros(0, np.int64)
    keep = size >= 2
    way, ref, xy = (values[keep[number]] for values in (way, ref, xy))
    first = starts_of(size[keep])
    node_id, some, node = np.unique(ref, return_index=True, return_inverse=True)
    return way[first[:-1]], first, node_id, xy[some, 0], xy[some, 1], node.astype(np.int32)


def _coverage_notice(file: str, covered: Area) -> Notice:
    message = (
        "the file does not say which area it covers; the box around its streets is taken, "
        f"{box_text(covered)}; give `area` if that is too much or too little"
    )
    return COVERAGE_BY_NODES.at(file, message=message)


def _content_hash(path: Path, area: Area | None, asked: Asked) -> str:
    digest = hashlib.sha256(json.dumps([area, asked], sort_keys=True).encode())
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()
