"""Static maps and plots: what is drawn, in the right colours, the same every time, and names stay text."""

from __future__ import annotations

import io
import xml.etree.ElementTree as ET
from dataclasses import replace
from pathlib import Path

import matplotlib
import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.image import imread
from matplotlib.path import Path as MplPath

from community_routes.base.errors import UsageError
from community_routes.report.figures import Figures, strongest
from community_routes.report.maps.canvas import drawing, picture_bytes, png_bytes
from community_routes.report.maps.description import asked_map
from community_routes.report.maps.matplotlib import draw_map, plot_map
from community_routes.report.maps.scale import GAINS, NO_CHANGE
from community_routes.report.pictures import write_maps
from report.made_results import made_results

HOSTILE = "</text><script>alert(1)</script> $x^2$"
SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(autouse=True)
def _no_screen() -> None:
    matplotlib.use("Agg")


def rings_with(axes: Axes, hatch: str) -> int:
    """How many rings are hatched like this: one for each of the square neighbourhoods."""
    paths = [patch.get_path() for patch in axes.patches if patch.get_hatch() == hatch]
    return sum(int((path.codes == MplPath.MOVETO).sum()) for path in paths)


def test_maps_are_written_the_same_every_time(tmp_path: Path) -> None:
    """One proposal: today, with it, and its change, each as PNG and SVG, byte for byte the same on the second run."""
    first = write_maps(made_results(25), tmp_path / "a")
    second = write_maps(made_results(25), tmp_path / "b")
    assert sorted(path.name for path in first) == [
        "proposal-1-change-employment-day-evening.png",
        "proposal-1-change-employment-day-evening.svg",
        "proposal-1-with-employment-day-evening.png",
        "proposal-1-with-employment-day-evening.svg",
        "today-employment-day-evening.png",
        "today-employment-day-evening.svg",
    ]
    for a, b in zip(first, second, strict=True):
        assert a.read_bytes() == b.read_bytes(), a.name


def test_a_picture_laid_together_from_layers_shows_what_is_drawn_at_once(tmp_path: Path) -> None:
    """Pixels of the file against the same parts drawn on one pair of axes; edges may blend by a few levels."""
    results = made_results(25)
    written = [path for path in write_maps(results, tmp_path) if path.name.startswith("proposal-1-change")]
    layered = imread(next(path for path in written if path.suffix == ".png"))
    figures = Figures(results)
    slot, kind = strongest(figures, "proposal-1")
    view = asked_map(figures, "proposal-1", slot, kind, figures.headline_view, change=True)
    with drawing():
        figure = Figure(figsize=(10.4, 7.2), layout="constrained", facecolor="white", dpi=160)
        draw_map(results, view, figure.add_subplot())
        content = picture_bytes(figure, "png")
    at_once = imread(io.BytesIO(content))
    assert layered.shape == at_once.shape == (1152, 1664, 3)
    assert np.abs(layered - at_once).mean() < 0.002


def test_pixels_are_in_the_file_as_they_are() -> None:
    """Random pixels of odd size, read back by another program; an alpha channel is there only where something is seen through."""
    pixels = np.random.default_rng(4).integers(0, 256, (5, 7, 4), dtype=np.uint8)
    pixels[2, 3, 3] = 17
    assert (np.rint(imread(io.BytesIO(png_bytes(pixels, 160))) * 255) == pixels).all()
    pixels[..., 3] = 255
    content = png_bytes(pixels, 160)
    assert (np.rint(imread(io.BytesIO(content)) * 255) == pixels[..., :3]).all()
    assert content[content.index(b"pHYs") + 4 :][:9] == (6299).to_bytes(4, "big") * 2 + b"\x01"  # 160 / 0.0254


def test_a_map_has_its_scale_bar_its_north_and_its_credit(tmp_path: Path) -> None:
    written = write_maps(made_results(25), tmp_path, endings=["svg"])
    svg = written[0].read_text(encoding="utf-8")
    words = [element.text or "" for element in ET.fromstring(svg).iter(f"{SVG}text")]
    assert any(word.endswith(" km") for word in words)
    assert "N" in words
    assert "Invented data · © OpenStreetMap contributors (ODbL) · Made-up Buses · community_routes 0.1.0" in words
    assert "Millton" in words


def test_a_long_credit_goes_on_in_further_lines(tmp_path: Path) -> None:
    """Eight credits of 56 letters: all of their words are on the map, none beyond its edge, and nothing else is."""
    results = made_results(25)
    row = results.sources.iloc[[0]]
    credits = [f"Contains data of authority number {i} under its own licence" for i in range(8)]
    results = replace(results, sources=pd.concat([row.assign(credit=credit) for credit in credits], ignore_index=True))
    png, svg = write_maps(results, tmp_path)[:2]
    pixels = imread(png)
    assert (pixels[:, :2, :3] == 1).all()
    assert (pixels[:, -2:, :3] == 1).all()
    lines = [
        e.text or "" for e in ET.fromstring(svg.read_text("utf-8")).iter(f"{SVG}text") if e.get("font-size") == "9"
    ]
    assert len(lines) == 4
    assert max(map(len, lines)) <= 150
    assert all(credit in " ".join(lines) for credit in credits)


def test_hostile_names_are_text_in_maps(tmp_path: Path) -> None:
    """Names of proposals, wards and places are drawn as they are: no element, no formula of a typesetter."""
    results = made_results(25, rename={"Evening link Mill Lane - Northgate": HOSTILE})
    places = results.background["places"].assign(name=[HOSTILE[:12], "=cmd()"])
    results = made_results(
        25,
        rename={"Evening link Mill Lane - Northgate": HOSTILE},
        background={**results.background, "places": places},
        title=HOSTILE,
    )
    for path in write_maps(results, tmp_path, endings=["svg"]):
        root = ET.fromstring(path.read_text(encoding="utf-8"))
        assert not list(root.iter(f"{SVG}script"))
        assert "proposal" not in path.name or any(HOSTILE in (e.text or "") for e in root.iter(f"{SVG}text"))


def test_file_names_never_leave_the_folder(tmp_path: Path) -> None:
    results = made_results(25)
    days = {"../../x": results.dates["day"]}
    moved = {
        name: getattr(results, name).assign(day="../../x")
        for name in ("access", "comparison", "groups", "nearest_places")
    }
    for path in write_maps(made_results(25, dates=days, journeys=(), **moved), tmp_path, endings=["svg"]):
        assert path.resolve().parent == (tmp_path / "maps").resolve()


def test_neighbourhoods_have_the_colours_of_their_change() -> None:
    """Evening changes are (i mod 5) / 2; of those above 0 the 95th percentile is 2: limits at 2/4 and nice(2/1.6) = 1."""
    axes = plot_map(made_results(25), scenario="proposal-1", change=True, window="evening", ax=Figure().add_subplot())
    fills = [to_hex(patch.get_facecolor()) for patch in axes.patches if patch.get_fill() and not patch.get_hatch()]
    for color in (NO_CHANGE, GAINS[1], GAINS[2]):
        assert color in fills
    assert rings_with(axes, "////") == 3


def test_what_cannot_be_told_from_zero_is_dotted() -> None:
    """Intervals are the change and 0.6 on both sides: 0 and 0.5 hold zero; of 22 neighbourhoods, those with i mod 5 in 0, 1."""
    results = made_results(25, is_random=True)
    axes = plot_map(results, scenario="proposal-1", change=True, window="evening", ax=Figure().add_subplot())
    assert rings_with(axes, "....") == sum(i % 5 in (0, 1) for i in range(22))
    assert "cannot be told from no change" in [text.get_text() for text in axes.get_legend().get_texts()]


def test_axes_are_made_when_none_are_given_and_used_when_they_are() -> None:
    axes = Figure().add_subplot()
    assert plot_map(made_results(25), ax=axes) is axes
    made = plot_map(made_results(25))
    assert made.figure is not axes.figure
    assert np.isclose(made.get_xlim()[1], 1000)


def test_what_is_not_there_is_said() -> None:
    results = made_results(25)
    with pytest.raises(UsageError, match="no scenario 'nobody'; there are today, proposal-1"):
        plot_map(results, scenario="nobody")
    with pytest.raises(UsageError, match="'golf'"):
        plot_map(results, kind="golf")
    with pytest.raises(UsageError, match="no window 'noon'"):
        plot_map(results, window="noon")
