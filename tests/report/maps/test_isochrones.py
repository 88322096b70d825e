"""Bands of minutes: drawn from the far to the near, labelled, written by their ending, and refused when empty."""

from __future__ import annotations

import json
from pathlib import Path

import geopandas as gpd
import pytest
import shapely
from matplotlib.colors import to_hex
from matplotlib.figure import Figure

from community_routes.base.errors import UsageError
from community_routes.report.maps.isochrones import (
    band_colors,
    band_labels,
    plot_isochrones,
    write_isochrones,
)

PLACE = (-2.48, 53.74)


def bands(*minutes: int) -> gpd.GeoDataFrame:
    """Discs of so many thousandths of a degree as minutes."""
    shapes = [shapely.Point(PLACE).buffer(m / 1000) for m in minutes]
    return gpd.GeoDataFrame({"limit_s": [60 * m for m in minutes]}, geometry=shapes, crs="EPSG:4326")


def test_bands_are_labelled_from_the_near_to_the_far() -> None:
    assert band_labels(bands(15, 30, 45)) == ["up to 15 minutes", "15 to 30 minutes", "30 to 45 minutes"]
    assert len(set(band_colors(4))) == 4


def test_the_nearest_band_lies_on_top() -> None:
    """Three discs, whatever their order in the table: the widest is drawn first, in the palest colour."""
    axes = plot_isochrones(bands(30, 15, 45), place=PLACE, name="$x$", title="t", ax=Figure().add_subplot())
    widths = [patch.get_path().get_extents().width for patch in axes.patches]
    assert widths == sorted(widths, reverse=True)
    assert [to_hex(patch.get_facecolor()) for patch in axes.patches] == band_colors(3)[::-1]
    assert "$x$" in [text.get_text() for text in axes.texts]


@pytest.mark.parametrize("ending", ["png", "svg", "geojson"])
def test_files_are_the_same_every_time(tmp_path: Path, ending: str) -> None:
    files = [
        write_isochrones(bands(15, 30), tmp_path / f"{n}.{ending}", title="From <here>", place=PLACE, name="Here")
        for n in "ab"
    ]
    assert files[0].read_bytes() == files[1].read_bytes()
    if ending == "geojson":
        features = json.loads(files[0].read_text(encoding="utf-8"))["features"]
        assert [feature["properties"]["minutes"] for feature in features] == [15, 30]
    if ending == "svg":
        assert "From &lt;here&gt;" in files[0].read_text(encoding="utf-8")


def test_nothing_reached_and_other_endings_are_refused(tmp_path: Path) -> None:
    empty = gpd.GeoDataFrame({"limit_s": [900]}, geometry=[shapely.Polygon()], crs="EPSG:4326")
    with pytest.raises(UsageError, match="nothing is reached within 15 minutes of Here"):
        write_isochrones(empty, tmp_path / "a.png", title="t", place=PLACE, name="Here")
    with pytest.raises(UsageError, match=r"a.pdf: a map of minutes is written as .png, .svg or .geojson"):
        write_isochrones(bands(15), tmp_path / "a.pdf", title="t", place=PLACE, name="Here")
