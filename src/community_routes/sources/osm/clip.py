"""Cuts extracts of OpenStreetMap to a box: what lies in it, with the ways, their nodes and the areas whole."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import osmium

from community_routes.base.errors import StreetsError

Box = tuple[float, float, float, float]


def clip_streets(extracts: Sequence[Path], box: Box, target: Path) -> None:
    """Write what several extracts hold in a box as one PBF file whose header states the box.

    A way with a node in the box is kept whole; so is an area (multipolygon) with such a way. What two extracts share is
    written once. The same files and box give the same bytes.

    Raises
    ------
    StreetsError
        A file cannot be read, or no street of any lies in the box.
    """
    beside = target.with_name(f"{target.name}.new.osm.pbf")
    pieces = [target.with_name(f"{target.name}.piece{number}.osm.pbf") for number in range(len(extracts))]
    try:
        n_streets = sum(_clip(extract, box, piece) for extract, piece in zip(extracts, pieces, strict=True))
        if n_streets == 0:
            west, south, east, north = box
            raise StreetsError(
                f"the extract holds no street in {west:.3f},{south:.3f},{east:.3f},{north:.3f}: another county is needed"
            )
        if len(pieces) == 1:
            pieces[0].replace(beside)
        else:
            merged = osmium.MergeInputReader()
            for piece in pieces:
                merged.add_file(str(piece))
            with osmium.SimpleWriter(str(beside), header=_header(box), overwrite=True) as writer:
                merged.apply(writer, simplify=True)
        beside.replace(target)
    finally:
        for path in (*pieces, beside):
            path.unlink(missing_ok=True)


def _header(box: Box) -> osmium.io.Header:
    header = osmium.io.Header()
    header.add_box(osmium.osm.Box(*box))
    return header


class _NodesInside(osmium.SimpleHandler):  # type: ignore[misc]
    """Marks the nodes in a box; a handler goes through them faster than a loop."""

    def __init__(self, box: Box, keep: osmium.IdTracker) -> None:
        super().__init__()
        self._box, self._keep = box, keep

    def node(self, node: Any) -> None:
        """Look at one node."""
        west, south, east, north = self._box
        place = node.location
        if west <= place.lon <= east and south <= place.lat <= north:
            self._keep.add_node(node.id)


def _clip(extract: Path, box: Box, target: Path) -> int:
    """Cut one extract; gives the number of its streets in the box."""
    source = osmium.io.File(str(extract), "pbf")  # a download has no ending that tells its kind
    keep = osmium.IdTracker()
    n_streets = 0
    try:
        _NodesInside(box, keep).apply_file(source)
        for way in osmium.FileProcessor(source, osmium.osm.WAY).with_filter(keep.contains_filter()):
            n_streets += "highway" in way.tags
            keep.add_way(way.id)
        for relation in osmium.FileProcessor(source, osmium.osm.RELATION).with_filter(osmium.filter.KeyFilter("type")):
            if relation.tags["type"] == "multipolygon" and keep.contains_any_references(relation):
                keep.add_relation(relation.id)
        keep.complete_backward_references(source, relation_depth=0)
        with osmium.SimpleWriter(str(target), header=_header(box), overwrite=True) as writer:
            for item in osmium.FileProcessor(source).with_filter(keep.id_filter()):
                writer.add(item)
    except (RuntimeError, osmium.InvalidLocationError) as wrong:
        raise StreetsError(f"the extract cannot be read: {' '.join(str(wrong).split())}") from None
    return n_streets
