"""Numbers in words, classes of a map, paths of shapes and bars of a chart: arithmetic by hand."""

from __future__ import annotations

import re

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

from community_routes.report import charts, words
from community_routes.report.figures import figures_of
from community_routes.report.lead import Slot
from community_routes.report.maps import geo, svg
from community_routes.report.maps.description import map_view
from community_routes.report.maps.scale import GAINS, LOSSES, NO_CHANGE, change_scale, nice, sequential_scale
from report.made_results import made_results


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1234.4, "1,234"),
        (123.45, "123"),
        (12.34, "12.3"),
        (1.04, "1"),
        (0.257, "0.26"),
        (0.0, "0"),
        (-2.5, "−2.5"),
        (0.0004, "under 0.01"),
        (float("nan"), "–"),
        (None, "–"),
    ],
)
def test_figures_are_rounded_for_people(value: float | None, text: str) -> None:
    assert words.number(value) == text


def test_a_change_wears_its_sign() -> None:
    assert [words.number(x, sign=True) for x in (2.0, -2.0, 0.0, 0.001, -0.001)] == [
        "+2",
        "−2",
        "0",
        "under 0.01",
        "under 0.01 less",
    ]


def test_a_setting_wears_its_unit_in_words() -> None:
    assert words.setting_name("departure_step_s") == "Departure step (seconds)"
    assert words.setting_name("walk_speed_kmh") == "Walk speed (km/h)"
    assert words.setting_name("max_rides") == "Max rides"


def test_a_change_has_one_size_of_class_on_both_sides() -> None:
    """Sizes 1 to 4 have their 95th percentile at 3.85: limits nice(0.96) = 1 and nice(2.4) = 2.5."""
    scale = change_scale(np.array([-4.0, -3.0, -2.0, -1.0, 1.0, 2.0, 3.0, 4.0]))
    assert scale.breaks == pytest.approx((-2.5, -1, 0, 0, 1, 2.5), abs=1e-8)
    assert scale.color(0.0) == NO_CHANGE
    assert scale.color(0.2) == GAINS[0]
    assert scale.color(-0.2) == LOSSES[-1]
    assert scale.color(9.0) == GAINS[-1]
    assert scale.color(-9.0) == LOSSES[0]


def test_less_time_is_a_gain() -> None:
    scale = change_scale(np.array([-4.0, 4.0]), low_is_good=True)
    assert scale.color(-9.0) == GAINS[-1]
    assert scale.color(9.0) == LOSSES[0]


def test_classes_of_a_level_are_nice_and_hold_every_value() -> None:
    """0 to 60 in sixths: quantiles of 1..60 near 10.8, 20.7, 30.5, 40.3, 50.2 are nice at 10, 20, 30, 40, 50."""
    scale = sequential_scale(np.arange(0.0, 61.0))
    assert scale.breaks == (10, 20, 30, 40, 50)
    assert scale.labels == ("under 10", "10 to 20", "20 to 30", "30 to 40", "40 to 50", "50 and more")
    assert scale.color(10.0) == scale.colors[1]
    assert scale.color(9.99) == scale.colors[0]


def test_one_value_everywhere_has_one_class() -> None:
    assert sequential_scale(np.zeros(4)).labels == ("all",)


@pytest.mark.parametrize(("value", "wanted"), [(0.96, 1.0), (2.4, 2.5), (7.3, 8.0), (1240.0, 1000.0), (0.013, 0.015)])
def test_nice_numbers(value: float, wanted: float) -> None:
    assert nice(value) == wanted


def test_a_path_is_written_in_steps_of_tenths() -> None:
    """On the equator, a frame of 1 degree on a sheet 100 wide: half a degree is 50; y runs down from the north."""
    frame = geo.Frame(0.0, 0.0, 1.0, 1.0, width=100.0)
    square = shapely.Polygon([(0.5, 0.0), (1.0, 0.0), (1.0, 0.5), (0.5, 0.5)])
    path = geo.svg_path([square], frame)
    numbers = [float(x) for x in re.findall(r"-?[\d.]+", path)]
    assert numbers[:2] == pytest.approx([50.0, 100.0], abs=0.1)
    assert numbers[2:4] == [50.0, 0.0]
    assert numbers[4:6] == pytest.approx([0.0, -50.0], abs=0.1)
    assert path.startswith("M") and path.endswith("z")


def test_a_metre_on_the_sheet() -> None:
    """One degree of longitude at the equator is 111,195 m of a sphere of 6,371,008.8 m; the sheet is 1,000 wide."""
    frame = geo.Frame(0.0, -0.5, 1.0, 0.5, width=1000.0)
    assert frame.metres_per_unit * 1000 == pytest.approx(111_195, abs=1)


def test_neighbours_keep_their_border_when_they_are_simplified() -> None:
    """Two wavy neighbours of 20,000 points still share their border exactly: no gap and no overlap."""
    y = np.linspace(0, 0.2, 10_000)
    wave = np.column_stack([0.002 * np.sin(y * 900), y])
    left = shapely.Polygon([(-0.1, 0.2), (-0.1, 0.0), *wave])
    right = shapely.Polygon([(0.1, 0.2), *wave[::-1], (0.1, 0.0)])
    shapes = geo.simple_zones(gpd.GeoDataFrame(geometry=[left, right], crs="EPSG:4326"))
    assert shapely.get_num_coordinates(shapes).sum() <= 16_000
    assert shapely.intersection(*shapes).area == pytest.approx(0, abs=1e-12)
    assert shapely.union_all(shapes).geom_type == "Polygon"


def test_bars_have_the_length_of_their_values() -> None:
    """A bar of 4 is twice a bar of 2, a loss runs the other way, and a whisker spans its interval."""
    bars = [
        charts.Bar("a", 4.0, "+4", "groups.csv:2:change", 3.0, 5.0),
        charts.Bar("b", 2.0, "+2", "groups.csv:3:change", 2.0, 2.0),
        charts.Bar("c", -1.0, "−1", "groups.csv:4:change", -1.0, -1.0),
    ]
    drawn = charts.change_bars(bars, title="t", beside=bars)
    rects = re.findall(r'<rect class="(\w+)" fill="[^"]+" x="([\d.]+)" y="[\d.]+" width="([\d.]+)"', drawn)
    kinds, starts, widths = zip(*rects, strict=True)
    assert kinds == ("gain", "gain", "loss")
    assert float(widths[0]) == pytest.approx(2 * float(widths[1]), abs=0.2)
    assert float(starts[2]) + float(widths[2]) == pytest.approx(float(starts[0]), abs=0.2)
    low, high = re.search(r'whisker" fill="none" stroke="#17212a" d="M([\d.]+) [\d.]+H([\d.]+)', drawn).groups()  # type: ignore[union-attr]
    assert float(high) - float(low) == pytest.approx(float(widths[1]), abs=0.2)
    assert drawn.count("whisker") == 1


def test_people_fill_the_bar() -> None:
    drawn = charts.people_bar(300, 500, 200, people="residents")
    assert re.findall(r'class="(\w+)" fill="[^"]+" x="[\d.]+" y="0" width="([\d.]+)"', drawn) == [
        ("gain", "120.0"),
        ("same", "200.0"),
        ("loss", "80.0"),
    ]
    assert "300 residents gain, 500 see no change, 200 lose" in drawn


def test_neighbourhoods_given_as_points_are_drawn_as_discs() -> None:
    """Points 0.02 degrees apart on the equator: discs with a radius of 0.45 of that, round each point and not touching."""
    points = np.array([shapely.Point(0.02 * i, 0.0) for i in range(3)], dtype=object)
    found = geo.discs(points)
    assert [shape.geom_type for shape in found] == ["Polygon"] * 3
    west, _, east, _ = found[1].bounds
    assert (west, east) == pytest.approx((0.011, 0.029), abs=1e-4)
    assert not found[0].intersects(found[1])
    square = np.array([shapely.box(0, 0, 1, 1)], dtype=object)
    assert geo.discs(square)[0] is square[0]


def test_a_withdrawn_route_is_dashed_and_in_the_legend() -> None:
    results = made_results(25)
    gone = results.routes.iloc[[0]].assign(scenario="proposal-1", withdrawn=True)
    routes = gpd.GeoDataFrame(
        pd.concat([results.routes.assign(withdrawn=False), gone], ignore_index=True), crs="EPSG:4326"
    )
    results = made_results(25, routes=routes)
    view = map_view(figures_of(results), "proposal-1", Slot("day", "evening"), "employment", change=True)
    assert view is not None
    assert [mark.label for mark in view.marks][-2:] == ["new or changed route", "withdrawn route"]
    drawn = svg.static_map(svg.sheet_of(results), view, title="t")
    assert len(re.findall(r'stroke="#c0156b" stroke-width="3.2" stroke-dasharray="7 6"', drawn)) == 1
    assert 'stroke-dasharray="7 6"' not in svg.static_map(svg.sheet_of(made_results(25)), view, title="t")
