"""Figures over time drawn here as SVG: one line for each group, named at its end."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from community_routes.report import words

_WIDTH, _HEIGHT = 500.0, 232.0
_LEFT, _RIGHT, _TOP, _BOTTOM = 48.0, 196.0, 12.0, 44.0
_APART = 15.5
# Styles of the page go before these; a PDF is made from these alone. The first group is the one that matters most.
_INK = ("#00566b", "#3d7c8c", "#74a0ab", "#9fb3b8", "#8b8f92")
_DASH = ("", "", "9 3", "5 3", "2 3")


@dataclass(frozen=True)
class Line:
    """One group over time.

    Attributes
    ----------
    label : str
    values : tuple of float
        One for each moment, NaN for none.
    texts : tuple of str
        The figures as they are printed.
    sources : tuple of str
        Where each comes from.
    change, change_source : str
        The change from the first to the last moment, and where it comes from; empty where none is told.
    """

    label: str
    values: tuple[float, ...]
    texts: tuple[str, ...]
    sources: tuple[str, ...]
    change: str = ""
    change_source: str = ""


def axis_of(values: Sequence[float]) -> tuple[float, float, float]:
    """Start, end and step of an axis for these values: from 0, unless all lie far from it."""
    there = [value for value in values if math.isfinite(value)]
    if not there:
        return 0.0, 1.0, 1.0
    low, high = min(there), max(there)
    if low > 0 and low > 0.6 * high:
        low -= 0.25 * (high - low) or 0.1 * high
    else:
        low = min(low, 0.0)
    high = max(high, 0.0) if low < 0 else high
    if high <= low:
        high = low + 1.0
    step = _step((high - low) / 3)
    start = math.floor(low / step + 1e-9) * step
    return start, max(math.ceil(high / step - 1e-9) * step, start + step), step


def _step(rough: float) -> float:
    """1, 2 or 5 times a power of ten, at least as large."""
    power = 10.0 ** math.floor(math.log10(rough))
    return next(factor * power for factor in (1, 2, 5, 10) if factor * power >= rough * (1 - 1e-9))


def lines_over_time(
    lines: Sequence[Line], moments: Sequence[str], *, title: str, axis: tuple[float, float, float]
) -> Markup:
    """A chart of several groups over two moments or more.

    Parameters
    ----------
    lines : sequence of Line
        In order of importance; the first is drawn strongest.
    moments : sequence of str
        Names below the axis, evenly spread, in the order of the values.
    title : str
        Names the chart for people who do not see it, with the figures after it.
    axis : (start, end, step)
        As :func:`axis_of`, the same in all charts that are compared.
    """
    start, end, step = axis
    right = _WIDTH - _RIGHT

    def x(place: int) -> float:
        return round(_LEFT + 8 + place * (right - _LEFT - 16) / max(len(moments) - 1, 1), 1)

    def y(value: float) -> float:
        return round(_HEIGHT - _BOTTOM - (value - start) / (end - start) * (_HEIGHT - _BOTTOM - _TOP), 1)

    spoken = "; ".join(
        f"{line.label} {', '.join(line.texts)}{f' ({line.change})' if line.change else ''}" for line in lines
    )
    out = [
        Markup('<svg class="lines" viewBox="0 0 {0} {1}" font-size="12.5" role="img" aria-label="{2}">').format(
            _WIDTH, _HEIGHT, f"{title} ({', '.join(moments)}). {spoken}"
        )
    ]
    for number in range(round((end - start) / step) + 1):
        at = start + number * step
        out.append(
            Markup(
                '<path class="grid" stroke="#dcd8cc" d="M{} {}H{}"/><text class="tick" x="{}" y="{}" text-anchor="end">{}</text>'
            ).format(_LEFT, y(at), right, _LEFT - 6, y(at) + 4, words.number(round(at, 9)))
        )
    stagger = len(moments) > 3 or (len(moments) == 3 and max(map(len, moments)) > 8)
    most = max(6, (54 if stagger else 34) // len(moments))
    out += [
        _moment(name, x(place), place, len(moments), most, 15 if stagger and place % 2 else 0)
        for place, name in enumerate(moments)
    ]
    for rank, line in reversed(list(enumerate(lines))):
        out.append(_line(line, min(rank, len(_INK) - 1), [(x(k), y(v)) for k, v in enumerate(line.values)]))
    out += _ends(lines, x, y)
    out.append(Markup("</svg>"))
    return Markup("").join(out)


def _moment(name: str, x: float, place: int, n: int, most: int, lower: int) -> Markup:
    """A name below the axis, cut where there is no room."""
    shown = name if len(name) <= most else f"{name[: most - 1]}…"
    anchor = "start" if place == 0 else "end" if place == n - 1 else "middle"
    edge = x - 8 if place == 0 else x + 8 if place == n - 1 else x
    return Markup('<text class="moment" x="{}" y="{}" text-anchor="{}"><title>{}</title>{}</text>').format(
        edge, _HEIGHT - _BOTTOM + 18 + lower, anchor, name, shown
    )


def _line(line: Line, rank: int, points: Sequence[tuple[float, float]]) -> Markup:
    path, pen = "", "M"
    for place, value in zip(points, line.values, strict=True):
        if math.isfinite(value):
            path += f"{pen}{place[0]} {place[1]}"
            pen = "L"
        else:
            pen = "M"
    style = Markup(' stroke-dasharray="{}"').format(_DASH[rank]) if _DASH[rank] else ""
    out = [
        Markup('<path class="line f{}" fill="none" stroke="{}" stroke-width="{}"{} d="{}"/>').format(
            rank + 1, _INK[rank], 3 if rank == 0 else 1.8, style, path
        )
    ]
    for (x, y), value, text, source in zip(points, line.values, line.texts, line.sources, strict=True):
        if math.isfinite(value):
            out.append(
                Markup(
                    '<circle class="dot f{}" fill="{}" cx="{}" cy="{}" r="{}" data-from="{}"><title>{}: {}</title></circle>'
                ).format(rank + 1, _INK[rank], x, y, 3.6 if rank == 0 else 2.8, source, line.label, text)
            )
    return Markup("").join(out)


def _ends(lines: Sequence[Line], x: Callable[[int], float], y: Callable[[float], float]) -> list[Markup]:
    """Name and last figure of each line, moved apart where they would touch."""
    ends = []
    for rank, line in enumerate(lines):
        there = [k for k, value in enumerate(line.values) if math.isfinite(value)]
        if there:
            ends.append((y(line.values[there[-1]]), rank, line, there[-1]))
    ends.sort(key=lambda one: (one[0], one[1]))
    places = _moved_apart([one[0] for one in ends])
    out = []
    for (at, rank, line, k), place in zip(ends, places, strict=True):
        weight = "700" if rank == 0 else "400"
        out.append(
            Markup('<path class="leader" stroke="#b9b4a6" fill="none" d="M{} {}L{} {}"/>').format(
                x(k) + 5, at, _WIDTH - _RIGHT + 12, place
            )
        )
        out.append(
            Markup('<text class="end" x="{}" y="{}" font-weight="{}">{} <tspan data-from="{}">{}</tspan>').format(
                _WIDTH - _RIGHT + 15, round(place + 4, 1), weight, line.label, line.sources[k], line.texts[k]
            )
        )
        if line.change:
            out.append(Markup(' <tspan class="by" data-from="{}">({})</tspan>').format(line.change_source, line.change))
        out.append(Markup("</text>"))
    return out


def _moved_apart(wanted: Sequence[float]) -> list[float]:
    """Places in the order given, near those wanted, none closer than a line of text to the next, all inside the chart."""
    places: list[float] = []
    for place in wanted:
        places.append(max(place, places[-1] + _APART) if places else max(place, _TOP))
    lowest = _HEIGHT - _BOTTOM + 8
    for k in range(len(places) - 1, -1, -1):
        places[k] = min(places[k], lowest if k == len(places) - 1 else places[k + 1] - _APART)
    return [round(place, 1) for place in places]


@dataclass(frozen=True)
class Spot:
    """A place on a curve: what it takes and gives, its name beside it (empty for none), and what it is in words."""

    x: float
    y: float
    name: str
    words: str
    leads: bool = False


def gain_curve(spots: Sequence[Spot], *, title: str, x_name: str, y_name: str, most: float | None = None) -> Markup:
    """What is gained against what is spent, a step at each spot; above it what nothing can exceed.

    Parameters
    ----------
    spots : sequence of Spot
        Rising in both; values of y in percent.
    title : str
        Names the chart for people who do not see it, with the named spots after it.
    x_name, y_name : str
        Below the axis and above it.
    most : float, optional
        Drawn as a line where it lies within twice the highest spot, else told in words alone.
    """
    width, height, left, right, top, bottom = 640.0, 300.0, 56.0, 24.0, 34.0, 52.0
    highest = max((spot.y for spot in spots), default=1.0)
    shows_most = most is not None and most <= 2 * highest
    x_axis = axis_of([0.0, *(spot.x for spot in spots)])
    y_axis = axis_of([0.0, *(spot.y for spot in spots), *([most] if shows_most and most is not None else [])])

    def x(value: float) -> float:
        return round(left + (value - x_axis[0]) / (x_axis[1] - x_axis[0]) * (width - left - right), 1)

    def y(value: float) -> float:
        return round(height - bottom - (value - y_axis[0]) / (y_axis[1] - y_axis[0]) * (height - bottom - top), 1)

    spoken = "; ".join(spot.words for spot in spots if spot.name)
    out = [
        Markup('<svg class="lines curve" viewBox="0 0 {0:g} {1:g}" font-size="13" role="img" aria-label="{2}">').format(
            width, height, f"{title}. {spoken}"
        ),
        Markup('<text class="tick" x="0" y="14">{}</text>').format(y_name),
        Markup('<text class="tick" x="{}" y="{}" text-anchor="end">{}</text>').format(
            width - right, height - 8, x_name
        ),
    ]
    grid = '<path class="grid" stroke="#dcd8cc" d="M{} {}H{}"/><text class="tick" x="{}" y="{}" text-anchor="end">{}</text>'
    for at in _marks(y_axis):
        out.append(Markup(grid).format(left, y(at), width - right, left - 6, y(at) + 4, words.number(at)))
    for at in _marks(x_axis):
        out.append(
            Markup('<text class="tick" x="{}" y="{}" text-anchor="middle">{}</text>').format(
                x(at), height - bottom + 18, words.count(at)
            )
        )
    if shows_most and most is not None:
        out.append(
            Markup(
                '<path class="f5" fill="none" stroke="#8b8f92" stroke-dasharray="5 4" d="M{} {}H{}"/>'
                '<text class="tick" x="{}" y="{}" text-anchor="end">no set can give more</text>'
            ).format(left, y(most), width - right, width - right, y(most) - 6)
        )
    steps = [f"M{x(0.0)} {y(0.0)}", *(f"H{x(spot.x)}V{y(spot.y)}" for spot in spots)]
    out.append(Markup('<path class="f1" fill="none" stroke="#00566b" stroke-width="2" d="{}"/>').format("".join(steps)))
    for spot in spots:
        size = 6 if spot.leads else 4 if spot.name else 2
        out.append(
            Markup('<circle class="f1" fill="#00566b" cx="{}" cy="{}" r="{}"><title>{}</title></circle>').format(
                x(spot.x), y(spot.y), size, spot.words
            )
        )
        if spot.name:
            out.append(
                Markup('<text x="{}" y="{}" text-anchor="end" font-weight="{}">{}</text>').format(
                    x(spot.x) - 8, y(spot.y) - 8, 650 if spot.leads else 400, spot.name
                )
            )
    out.append(Markup("</svg>"))
    return Markup("").join(out)


def _marks(axis: tuple[float, float, float]) -> list[float]:
    start, end, step = axis
    return [round(start + number * step, 9) for number in range(round((end - start) / step) + 1)]
