"""Asks the layers of a map service for features, page after page, and looks at every answer before it is used."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from community_routes.fetch.http import PASSING, BadAnswerError, Client, PassingError, unusable, with_question
from community_routes.fetch.sources import Source

ANSWER_LIMIT = 32 * 2**20
"""Most bytes of a page of features (a hundred areas in full detail are about 10 MB)."""
_GREATEST = 1e9


def read_features(
    client: Client, source: Source, question: Mapping[str, str], *, fields: Sequence[str], shapes: bool = False
) -> list[dict[str, Any]]:
    """All features of an ArcGIS layer that answer a question, page after page until the server's own count is met.

    Raises
    ------
    FetchError
        The layer gives an error, no rows, or fewer or more than it counts.
    """
    fixed = {"where": "1=1", **question}
    count_address = [
        with_question(address, {**fixed, "returnCountOnly": "true", "f": "json"}) for address in source.addresses
    ]
    counted = client.get(source, count_address, _is_count, most=ANSWER_LIMIT)
    base = source.addresses[count_address.index(counted.address)]
    total = int(json.loads(counted.path.read_text("utf-8"))["count"])
    if total == 0:
        return []
    listed = ",".join(fields)
    found: list[dict[str, Any]] = []
    while len(found) < total:
        page = {
            **fixed, "outFields": listed, "returnGeometry": str(shapes).lower(), "outSR": "4326", "f": "geojson",
            "orderByFields": fields[0], "resultOffset": str(len(found)), "resultRecordCount": str(source.page),
        }  # fmt: skip
        kept = client.get(source, [with_question(base, page)], _is_feature_list, most=ANSWER_LIMIT)
        features = json.loads(kept.path.read_text("utf-8"))["features"]
        if not features:
            break
        found.extend(features)
    if len(found) != total:
        raise unusable(source, f"{base}: {len(found):,} rows came, but the server counts {total:,}")
    return found


def _json_answer(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text("utf-8"))
    except json.JSONDecodeError:
        raise BadAnswerError("the answer is no JSON, or was cut") from None
    except UnicodeDecodeError:
        raise BadAnswerError("the answer is no UTF-8 text") from None
    except RecursionError:
        raise BadAnswerError("the answer is nested too deep") from None
    except ValueError:  # Python makes no number of more than 4,300 digits
        raise BadAnswerError("the answer holds a number of thousands of digits") from None
    if not isinstance(found, dict):
        raise BadAnswerError("the answer is no JSON object")
    error = found.get("error")
    if error:
        code = error.get("code", 0) if isinstance(error, dict) else 0
        code = code if isinstance(code, int | str) else 0
        message = str(error.get("message", error) if isinstance(error, dict) else error)
        if code in PASSING:
            raise PassingError(f"the service gives the error {code}: {message}")
        raise BadAnswerError(f"the service gives the error {code}: {message}")
    return found


def _is_count(path: Path) -> None:
    count = _json_answer(path).get("count")
    if not isinstance(count, int) or isinstance(count, bool) or not 0 <= count <= _GREATEST:
        raise BadAnswerError("the answer holds no count of rows")


def _is_feature_list(path: Path) -> None:
    features = _json_answer(path).get("features")
    if not isinstance(features, list):
        raise BadAnswerError("the answer holds no features")
    for number, feature in enumerate(features, start=1):
        if not isinstance(feature, dict) or not isinstance(feature.get("properties") or {}, dict):
            raise BadAnswerError(f"feature {number} of the answer is no object with properties")


_DEPTHS = {"Point": 0, "MultiPoint": 1, "Polygon": 2, "MultiPolygon": 3}
_LEAST_OF_RING = 4


def points_of(feature: Mapping[str, Any], *, areas: bool) -> list[tuple[float, float]]:
    """The points of a feature that is an area (or a point): lon and lat.

    Raises
    ------
    BadAnswerError
        It has no geometry, one of another kind, or coordinates that are none.
    """
    geometry = feature.get("geometry")
    kind = geometry.get("type") if isinstance(geometry, dict) else None
    wanted = ("Polygon", "MultiPolygon") if areas else ("Point", "MultiPoint")
    if not isinstance(geometry, dict) or kind not in wanted:
        had = "has no geometry" if geometry is None else "has a geometry of another kind"
        raise BadAnswerError(f"{had}; {' or '.join(wanted)} is wanted")
    found = _points(geometry.get("coordinates"), _DEPTHS[str(kind)], areas)
    if not found:
        raise BadAnswerError("has coordinates that are none")
    return found


def _points(nested: Any, depth: int, areas: bool) -> list[tuple[float, float]]:
    """The points of lists nested so deep; none at all where one of them is no point, or a ring is none."""
    if not isinstance(nested, list):
        return []
    if depth == 0:
        plain = len(nested) >= 2 and all(isinstance(x, int | float) and abs(x) <= _GREATEST for x in nested[:2])
        return [(float(nested[0]), float(nested[1]))] if plain else []
    if areas and depth == 1 and len(nested) < _LEAST_OF_RING:
        return []
    parts = [_points(part, depth - 1, areas) for part in nested]
    return [point for part in parts for point in part] if all(parts) else []
