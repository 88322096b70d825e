"""A sweep over settings for people: who gains most in each setting, as tables on a page and as a picture."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch, Rectangle

from community_routes.base.errors import as_path
from community_routes.report import words
from community_routes.report.blocks import (
    Band,
    Block,
    Box,
    Fold,
    Heading,
    Items,
    Page,
    Row,
    Section,
    Table,
    Td,
    Text,
    article,
    code,
    columns,
    element,
    hidden,
)
from community_routes.report.cells import publish
from community_routes.report.frame import page_text, settings_and_sources
from community_routes.report.maps.canvas import drawing, picture_bytes

TINTS = ("#9fcbe8", "#f9cf8c", "#a6dbc0", "#e9b9d6", "#cdc3ea", "#f4b6a6", "#d6e39a", "#c9ccd1")
"""Colours of proposals, pale enough for dark letters; the letter in each cell says the same."""
_NOBODY = "#f0eee8"
_INK, _SOFT = "#17212a", "#505c66"
_MOST_LINES = 3


@dataclass(frozen=True, eq=False)
class SweepView:
    """What a sweep shows.

    Attributes
    ----------
    title, version : str
    invented : bool
    whom : str
        Whose gain decides, in words.
    gain, baseline : str
        Columns of ``table`` with that gain and with the level today.
    scenarios : dict of id to title
        In their order: A, B, C ...
    table : DataFrame
        The rows of ``sweep.csv``.
    shares : DataFrame
        The rows of ``shares.csv`` of these people.
    words : str
        What was varied.
    sentences : dict of kind to list of str
    bus_hours : dict of id to float
        Further bus-hours a year, NaN where nobody knows.
    assumed : tuple of str
        Proposals with assumed clock times.
    settings : dict
    sources : DataFrame of name, kind, sha256, credit
    floors : dict of kind to float
        Differences up to this size are rounding.
    """

    title: str
    version: str
    invented: bool
    whom: str
    gain: str
    baseline: str
    scenarios: Mapping[str, str]
    table: pd.DataFrame
    shares: pd.DataFrame
    words: str
    sentences: Mapping[str, Sequence[str]]
    bus_hours: Mapping[str, float]
    assumed: tuple[str, ...]
    settings: Mapping[str, Any]
    sources: pd.DataFrame
    floors: Mapping[str, float]

    def letter(self, scenario: str) -> str:
        """A, B, C ... of a proposal."""
        place = list(self.scenarios).index(scenario)
        return chr(ord("A") + place) if place < 26 else str(place + 1)

    def tint(self, scenario: str) -> int:
        """Number of its colour."""
        return list(self.scenarios).index(scenario) % len(TINTS)


@dataclass(frozen=True)
class SettingCell:
    """One setting: the proposals in order of gain.

    Attributes
    ----------
    lines : tuple of (letter, gain in words)
        The greatest first.
    tint : int
        Colour of the only first one; -1 where nobody gains or several are first.
    of_study : bool
        It is a setting of the study itself.
    spoken : str
        Who is first, for people who do not see colours.
    """

    lines: tuple[tuple[str, str], ...]
    tint: int
    of_study: bool
    spoken: str


@dataclass(frozen=True)
class Heat:
    """The settings of one kind of place: rows of windows and walking speeds, columns of cutoffs.

    Attributes
    ----------
    kind : str
        In words.
    unit : str
        In which gains are shown; "" for a number of places.
    cutoffs : tuple of float
    slots : tuple of (slot, tuple of (walking speed, cells))
    """

    kind: str
    unit: str
    cutoffs: tuple[float, ...]
    slots: tuple[tuple[str, tuple[tuple[float, tuple[SettingCell | None, ...]], ...]], ...]

    @property
    def n_rows(self) -> int:
        """Rows of all slots."""
        return sum(len(rows) for _, rows in self.slots)


def heat_of(view: SweepView, kind: str) -> Heat:
    """The table of one kind of place."""
    mine = view.table[view.table["kind"] == kind]
    unit = str(mine["unit"].iat[0])
    cutoffs = tuple(sorted({float(value) for value in mine["cutoff_min"]}))
    days = mine["day"].nunique() > 1
    cells: dict[tuple[str, float, float], SettingCell] = {}
    for (day, window, speed, cutoff), rows in mine.groupby(
        ["day", "window", "walk_speed_kmh", "cutoff_min"], sort=False, observed=True
    ):
        slot = _slot_name(view, str(day), str(window), days=days)
        cells[slot, float(speed), float(cutoff)] = _cell(view, rows, unit, view.floors[kind])
    keys = list(dict.fromkeys((slot, speed) for slot, speed, _ in cells))
    slots = tuple(
        (slot, tuple((speed, tuple(cells.get((slot, speed, c)) for c in cutoffs)) for _, speed in speeds))
        for slot, speeds in groupby(keys, key=lambda key: key[0])
    )
    shown = words.unit_name(unit)
    return Heat(words.kind_name(kind), "" if shown in ("", "places") else shown, cutoffs, slots)


def _slot_name(view: SweepView, day: str, window: str, *, days: bool) -> str:
    name = words.window_name(window, view.settings["windows"])
    return f"{words.day_name(day)}: {name[:1].lower()}{name[1:]}" if days else name


def _cell(view: SweepView, rows: pd.DataFrame, unit: str, floor: float) -> SettingCell:
    ordered = rows.sort_values(view.gain, ascending=False, kind="stable")
    gains = ordered[view.gain].to_numpy(np.float64)
    letters = [view.letter(str(name)) for name in ordered["scenario"]]
    lines = tuple(
        (letter, words.number(words.in_unit(gain, unit), sign=True))
        for letter, gain in zip(letters, gains, strict=True)
    )
    first = [letter for letter, gain in zip(letters, gains, strict=True) if gain >= gains[0] - floor]
    nobody = not gains[0] > floor
    alone = len(first) == 1 and not nobody
    spoken = "nobody gains" if nobody else f"{first[0]} first" if alone else f"{words.joined(first)} the same"
    tint = view.tint(str(ordered["scenario"].iat[0])) if alone else -1
    return SettingCell(lines, tint, bool(rows["of_study"].iat[0]), spoken)


def kinds_of(view: SweepView) -> list[str]:
    """Kinds of place in the order of the table."""
    return [str(kind) for kind in dict.fromkeys(view.table["kind"])]


def write_sweep_picture(view: SweepView, path: str | Path) -> Path:
    """Draw who gains most in each setting, as ``.png`` or ``.svg``, in one colour for each proposal: one sees where it turns.

    Parameters
    ----------
    view : SweepView
    path : path

    Returns
    -------
    Path
    """
    path = as_path(path)
    heats = [heat_of(view, kind) for kind in kinds_of(view)]
    lines = min(len(view.scenarios), _MOST_LINES)
    tall = max(heat.n_rows for heat in heats) * (0.19 + 0.17 * lines) + max(len(h.slots) for h in heats) * 0.3
    wide = max(len(heat.cutoffs) for heat in heats) * 1.25 + 1.5
    size = (min(max(wide * len(heats), 6.4), 24), min(tall + 1.5 + 0.22 * len(view.scenarios), 40))
    with drawing():
        figure = Figure(figsize=size, layout="constrained", facecolor="white", dpi=150)
        for axes, heat in zip(np.atleast_1d(figure.subplots(1, len(heats), squeeze=True)), heats, strict=True):
            _draw(axes, heat, lines)
        figure.suptitle(
            f"{view.title}: which proposal gains most for {view.whom}, setting by setting",
            x=0.01,
            ha="left",
            fontsize=12,
            fontweight="bold",
            color=_INK,
            parse_math=False,
        )
        handles = [
            Patch(facecolor=TINTS[view.tint(name)], label=f"{view.letter(name)}  {title}")
            for name, title in view.scenarios.items()
        ]
        handles += [
            Patch(facecolor=_NOBODY, label="nobody gains, or several gain the same"),
            Patch(facecolor="white", edgecolor=_INK, linewidth=1.8, label="as in the study"),
        ]
        figure.legend(handles=handles, loc="outside lower left", frameon=False, fontsize=9, ncols=1)
        content = picture_bytes(figure, path.suffix.lower().removeprefix("."))
    publish(path, content)
    return path


def _draw(axes: Axes, heat: Heat, n_lines: int) -> None:
    """One table: a heading for each slot, a row for each walking speed."""
    height, heading = 1.0, 0.55
    y = 0.0
    for slot, rows in heat.slots:
        axes.text(
            -0.02, y + heading * 0.62, slot, fontsize=9, fontweight="bold", color=_INK, va="center", parse_math=False
        )
        y += heading
        for speed, cells in rows:
            axes.text(-0.06, y + height / 2, f"{speed:g} km/h", fontsize=8.5, color=_SOFT, va="center", ha="right")
            for x, cell in enumerate(cells):
                if cell is not None:
                    _draw_cell(axes, cell, x, y, height, n_lines)
            y += height
    for x, cutoff in enumerate(heat.cutoffs):
        axes.text(x + 0.5, -0.12, f"{cutoff:g} min", fontsize=9, color=_SOFT, ha="center", va="bottom")
    axes.set_xlim(-0.75, len(heat.cutoffs) + 0.03)
    axes.set_ylim(y + 0.05, -0.5)
    axes.axis("off")
    unit = f" ({heat.unit})" if heat.unit else ""
    axes.set_title(f"{words.sentence_case(heat.kind)}{unit}", loc="left", fontsize=10.5, color=_INK, parse_math=False)


def _draw_cell(axes: Axes, cell: SettingCell, x: int, y: float, height: float, n_lines: int) -> None:
    color = TINTS[cell.tint] if cell.tint >= 0 else _NOBODY
    axes.add_patch(Rectangle((x + 0.02, y + 0.03), 0.96, height - 0.06, facecolor=color, linewidth=0))
    if cell.of_study:
        axes.add_patch(
            Rectangle((x + 0.035, y + 0.05), 0.93, height - 0.1, fill=False, edgecolor=_INK, linewidth=1.6, zorder=3)
        )
    shown = cell.lines[:n_lines]
    for k, (letter, gain) in enumerate(shown):
        middle = y + height * (k + 0.75) / (len(shown) + 0.5)
        weight = "bold" if k == 0 else "normal"
        axes.text(x + 0.14, middle, letter, fontsize=8, fontweight=weight, color=_INK, va="center")
        axes.text(x + 0.88, middle, gain, fontsize=8, fontweight=weight, color=_INK, va="center", ha="right")


def write_sweep_page(view: SweepView, path: str | Path, *, templates: str | Path | None = None) -> Path:
    """Write the page, one HTML file that needs nothing else.

    Parameters
    ----------
    view : SweepView
    path : path
    templates : path, optional
        A folder whose files stand in for those of the same name in this package.

    Returns
    -------
    Path
    """
    path = as_path(path)
    publish(path, sweep_html(view, templates=templates).encode("utf-8"))
    return path


def sweep_html(view: SweepView, *, templates: str | Path | None = None) -> str:
    """The page as text."""
    page = Page(
        name="sweep",
        title=f"{view.title}: in which settings the order of the proposals turns",
        heading=view.title,
        standfirst="Does the choice between the proposals hold, or does it hang on how fast people walk, on how long they travel "
        "and at what time of day?",
        sections=[_answer(view), _unknown(view)],
        footer=[f"Made with community_routes {view.version}."],
        has_contents=False,
        rules="".join(f".turns td.t{i},.tint.t{i}{{background:{tint}}}" for i, tint in enumerate(TINTS))
        + f".turns td.setting:not([class*=' t']),.tint.none{{background:{_NOBODY}}}",
        version=view.version,
        invented=view.invented,
    )
    return page_text(page, templates=templates, results=view)


def _answer(view: SweepView) -> Section:
    """Who gains most in each setting, and the legend of the proposals."""
    said = (
        f"{words.sentence_case(view.words)}. Each cell below is one setting. Its colour is the proposal that gains most for "
        f"{view.whom}; the figures are gains against today, the greatest first."
    )
    legend = [
        Markup("{} {} {}").format(_tint(view, name), title, element("span", _beside(view, name), style="note"))
        for name, title in view.scenarios.items()
    ]
    legend.append(element("span", "=", style="tint none") + " nobody gains, or several gain the same")
    legend.append(element("span", Markup("&nbsp;"), style="tint own") + " as in the study")
    found: list[Block] = [Text(said), Items(legend, "legend-list"), *(_kind(view, kind) for kind in kinds_of(view))]
    return Section("answer", "In which settings the order turns", found)


def _tint(view: SweepView, scenario: str) -> Markup:
    return element("span", view.letter(scenario), style=f"tint t{view.tint(scenario)}")


def _beside(view: SweepView, scenario: str) -> str:
    value = view.bus_hours.get(scenario, float("nan"))
    sign = "+" if value > 0 else words.MINUS if value < 0 else ""
    hours = sign + words.count(abs(value)) if np.isfinite(value) else "not known"
    return f"({scenario}; further bus-hours a year: {hours})"


def _kind(view: SweepView, kind: str) -> Block:
    """One kind of place: what is said, every setting, and every pair."""
    heat = heat_of(view, kind)
    unit = f" ({heat.unit})" if heat.unit else ""
    said = [f"{_lettered(view, text)}." for text in view.sentences[kind]]
    told: list[Block] = [Items(said, "said-list")]
    if len(said) > 4:
        title = "Pair by pair, and where the order turns"
        told = [Text(said[0]), Fold(title, [Items(said[1:], "said-list")])]
    pairs = [*_pairs(view, heat, kind, "gain"), *_pairs(view, heat, kind, "gain_per_bus_hour")]
    both = Box([_heat_table(heat), *([Box(pairs)] if len(view.scenarios) > 1 else [])], "two")
    return article(Heading(f"{words.sentence_case(heat.kind)}{unit}"), *told, both)


def _heat_table(heat: Heat) -> Table:
    rows: list[Row | Band] = []
    for slot, speeds in heat.slots:
        rows.append(Band(slot, "slot", "colgroup"))
        rows += [Row(f"{speed:g} km/h", [_setting_cell(cell) for cell in cells]) for speed, cells in speeds]
    heads = ["Walking", *(f"within {cutoff:g} min" for cutoff in heat.cutoffs)]
    return Table(f"Table: who gains most in each setting, {heat.kind}", heads, rows, style="heat turns")


def _setting_cell(cell: SettingCell | None) -> str | Td:
    if cell is None:
        return ""
    lines = (
        element("span", element("span", letter) + element("span", gain), style="line") for letter, gain in cell.lines
    )
    spoken = hidden(cell.spoken + (", as in the study" if cell.of_study else ""))
    tint = f" t{cell.tint}" if cell.tint >= 0 else ""
    return Td(Markup("").join(lines) + spoken, f"setting{tint}{' own' if cell.of_study else ''}")


def _pairs(view: SweepView, heat: Heat, kind: str, by: str) -> list[Block]:
    """In what share of settings the proposal of the row gains more than that of the column; nothing where none is known."""
    names = {
        "gain": "Share of settings in which the proposal of the row gains more",
        "gain_per_bus_hour": "The same, by the gain for each further bus-hour",
    }
    matrix = matrix_of(view, kind, by)
    if by != "gain" and not any(share is not None for row in matrix for share in row):
        return []
    rows = [
        Row(
            _tint(view, name),
            ["" if share is None else Td(words.percent(share), "more" if share > 0.5 else "") for share in shares],
        )
        for name, shares in zip(view.scenarios, matrix, strict=True)
    ]
    heads = ["more than", *(_tint(view, name) for name in view.scenarios)]
    return [Heading(names[by], 4), Table(f"Table: {names[by]}, {heat.kind}", heads, rows, style="pairs")]


def _unknown(view: SweepView) -> Section:
    """What a share of settings is not, settings and sources."""
    left: list[Block] = [
        Text(
            "A setting in which the order turns is not wrong: it says that the choice hangs on that setting. A share of settings "
            "is no probability; it only counts the combinations that were tried."
        ),
        Text(
            "Limits on walks are in minutes, so whoever walks more slowly reaches fewer stops. Nothing else of the study was "
            "changed."
        ),
    ]
    if view.assumed:
        told = (
            "<strong>Clock times of {} are assumed</strong>, and taken as they are here. {} says whether proposals can be told "
            "apart whatever these times are."
        )
        left.append(Text(Markup(told).format(", ".join(view.assumed), code("community-routes run … --draws 200"))))
    files = map(code, ("sweep.csv", "shares.csv", "sweep.png", "sweep.svg"))
    left.append(
        Text(Markup("Exact figures: {} (every setting) and {} (every pair). The picture: {}, {}.").format(*files))
    )
    return Section(
        "unknown",
        "What this says and what it does not",
        [columns(left, settings_and_sources(view.settings, view.sources))],
    )


def _lettered(view: SweepView, text: str) -> str:
    """A sentence with the letters of the proposals before their ids."""
    marked = [" ".join([view.letter(word), word]) if word in view.scenarios else word for word in text.split(" ")]
    return words.sentence_case(" ".join(marked))


def matrix_of(view: SweepView, kind: str, by: str) -> list[list[float | None]]:
    """For each proposal (row) and each other (column): in what share of settings the row gains more; None where unknown."""
    mine = view.shares[(view.shares["kind"] == kind) & (view.shares["by"] == by)]
    known: dict[tuple[str, str], float] = {}
    for row in mine.to_dict("records"):
        if int(row["settings"]):
            known[str(row["scenario"]), str(row["other"])] = float(row["better"])
            known[str(row["other"]), str(row["scenario"])] = float(row["worse"])
    return [[known.get((one, other)) for other in view.scenarios] for one in view.scenarios]
