"""The map of the inputs is one page that needs nothing else and in which no name is taken for markup."""

from __future__ import annotations

import json
import re
from pathlib import Path

import geopandas as gpd
import pytest
import shapely

from community_routes.base.errors import UsageError
from community_routes.cli import run_command
from community_routes.evaluation.check import check_inputs
from community_routes.report.maps.layers import Layer, write_layer_map
from community_routes.travel.input_map import write_input_map
from small_town import town_study


def data_of(page: Path) -> dict[str, list[dict[str, object]]]:
    found = re.search(r'<script type="application/json" id="map-data">(.*?)</script>', page.read_text(encoding="utf-8"))
    assert found is not None
    content: dict[str, list[dict[str, object]]] = json.loads(found[1])
    return content


def test_everything_that_was_read_is_on_it(tmp_path: Path) -> None:
    """Nine neighbourhoods, seven routes, seven stops and halls; ``lost`` alone is off the network."""
    result = check_inputs(town_study(tmp_path / "town"))
    assert result.study is not None and result.reached is not None
    page = write_input_map(tmp_path / "map.html", result.study, result.reached)
    layers = {str(layer["name"]): layer for layer in data_of(page)["layers"]}
    assert set(layers) == {
        "Neighbourhoods (9)",
        "Area that the streets cover",
        "Routes (7)",
        "Stops with service (6)",
        "Shared spaces (7)",
        "Off the network (1)",
    }
    stops = json.dumps(layers["Stops with service (6)"])
    # From S0: 48 buses of L1, two of N and SLOW. S6 has no departure, only the arrival of SLOW.
    assert "Stand 0 (S0): 51 departures" in stops and "S6" not in stops
    assert "Off the network: start of lost" in json.dumps(layers["Off the network (1)"])
    assert "1 of 9 starting points and 0 of 7 destinations are off the network" in page.read_text(encoding="utf-8")


def test_no_network_and_no_markup_from_names(tmp_path: Path) -> None:
    hostile = "</script><script>alert(1)</script><b>&"
    shapes = gpd.GeoDataFrame({"label": [hostile]}, geometry=[shapely.Point(1, 2)], crs="EPSG:4326")
    page = write_layer_map(
        tmp_path / "m.html", [Layer(hostile, shapes, "#112233")], title=hostile, notes=[hostile], credit=hostile
    )
    text = page.read_text(encoding="utf-8")
    assert "alert(1)</script>" not in text and "<b>" not in text
    assert "&lt;/script&gt;&lt;script&gt;alert(1)" in text
    assert not re.search(r"<(script|link|img|iframe)[^>]+(src|href)=", text)
    (layer,) = data_of(page)["layers"]
    assert layer["features"][0]["properties"]["label"] == hostile  # type: ignore[index]
    assert write_layer_map(tmp_path / "n.html", [Layer(hostile, shapes, "#112233")], title=hostile).read_bytes() == (
        write_layer_map(tmp_path / "n.html", [Layer(hostile, shapes, "#112233")], title=hostile).read_bytes()
    )


def test_what_cannot_be_drawn(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    empty = gpd.GeoDataFrame({"label": []}, geometry=[], crs="EPSG:4326")
    with pytest.raises(UsageError, match="nothing to draw"):
        write_layer_map(tmp_path / "m.html", [Layer("x", empty, "#112233")], title="x")
    with pytest.raises(UsageError, match=r"\.html"):
        write_layer_map(tmp_path / "m.pdf", [], title="x")
    assert list(tmp_path.iterdir()) == []
    study = town_study(tmp_path / "town")
    assert run_command(["check", str(study), "--map", str(tmp_path / "in.html")]) == 0
    assert (tmp_path / "in.html").is_file()
    assert run_command(["check", str(tmp_path / "town" / "bus.zip"), "--map", str(tmp_path / "bus.html")]) == 2
    assert "bare timetable" in capsys.readouterr().err
