"""Bar charts drawn here as SVG, so that they need no script and print as they are."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape

from community_routes.report import words
from community_routes.report.results import JourneyView

_LABEL = 132.0
_WIDTH = 380.0
_ROW = 25.0
# Styles of the page go before these; a PDF is made from these alone.
_FILL = {"gain": "#1b8579", "loss": "#b3711c", "same": "#d5d1c6", "neutral": "#6d7a84"}


@dataclass(frozen=True)
class Bar:
    """One bar of a chart of changes.

    Attributes
    ----------
    label : str
        On the left.
    value : float
        Length, NaN for none.
    text : str
        The figure beside the bar.
    source : str
        Where the figure comes from.
    low, high : float
        Ends of its interval; equal to the value when it is exact.
    good : bool
        Whether more of it is a gain.
    note : str
        Said after the figure, such as "60 % covered".
    neutral : bool
        Neither more nor less of it is a gain: a cost.
    """

    label: str
    value: float
    text: str
    source: str
    low: float
    high: float
    good: bool = True
    note: str = ""
    neutral: bool = False


def change_bars(bars: Sequence[Bar], *, title: str, beside: Sequence[Bar]) -> Markup:
    """Horizontal bars from zero, gains and losses in two colours, with whiskers where there is an interval.

    Parameters
    ----------
    bars : sequence of Bar
    title : str
        Names the chart for people who do not see it, with the figures after it.
    beside : sequence of Bar
        Those of all charts that are compared: they have one axis, and zero at one place.
    """
    return _bars(bars, title, beside, _Size(_WIDTH, _LABEL, _ROW))


def small_bars(bars: Sequence[Bar], *, title: str, beside: Sequence[Bar]) -> Markup:
    """As `change_bars`, for small pictures side by side, whose labels are letters."""
    return _bars(bars, title, beside, _Size(250.0, 20.0 if any(bar.label for bar in bars) else 0.0, 23.0))


@dataclass(frozen=True)
class _Size:
    """Width of a chart and of its labels, height of a row."""

    width: float
    label: float
    row: float


def _bars(bars: Sequence[Bar], title: str, beside: Sequence[Bar], size: _Size) -> Markup:
    height = size.row * len(bars) + 8
    ends = [0.0, *(end for bar in beside for end in (bar.value, bar.low, bar.high) if end == end)]
    low, high = min(ends), max(ends)
    # Both sides of the axis leave room for the figures beside the bars.
    less = max((len(bar.text) for bar in beside if bar.value < 0), default=0)
    more = max((len(bar.text) for bar in beside if not bar.value < 0), default=0)
    left = size.label + (8.0 * less + 10 if less else 6)
    right = size.width - (8.0 * more + 8 if more else 6)
    reach = (high - low) or 1.0

    def x(value: float) -> float:
        return round(left + (value - low) / reach * (right - left), 1)

    spoken = f"{title}: " + "; ".join(f"{bar.label} {bar.text}{f' ({bar.note})' if bar.note else ''}" for bar in bars)
    out = [
        Markup('<svg class="bars" viewBox="0 0 {0:g} {1:g}" font-size="13.5" role="img" aria-label="{2}">').format(
            size.width, height, spoken
        ),
    ]
    for row, bar in enumerate(bars):
        out.append(_bar(bar, 4 + row * size.row, size.row, x))
    out.append(Markup('<path class="axis" stroke="#17212a" d="M{} 0V{:g}"/></svg>').format(x(0.0), height))
    return Markup("").join(out)


def _bar(bar: Bar, top: float, height: float, place: Callable[[float], float]) -> Markup:
    middle = top + height / 2
    out = [Markup('<text class="label" x="0" y="{}">{}</text>').format(middle + 4, bar.label)]
    zero = place(0.0)
    if bar.value != bar.value:
        out.append(Markup('<text class="value" x="{}" y="{}">{}</text>').format(zero + 6, middle + 4, bar.text))
        return Markup("").join(out)
    end = place(bar.value)
    kind = "same" if bar.value == 0 else "gain" if (bar.value > 0) == bar.good else "loss"
    kind = "neutral" if bar.neutral else kind
    out.append(
        Markup('<rect class="{}" fill="{}" x="{}" y="{}" width="{}" height="{}"/>').format(
            kind, _FILL[kind], min(zero, end), top + 5, round(abs(end - zero), 1), height - 10
        )
    )
    low, high = place(bar.low), place(bar.high)
    if bar.low < bar.high:
        out.append(
            Markup('<path class="whisker" fill="none" stroke="#17212a" d="M{} {}H{}M{} {}v8M{} {}v8"/>').format(
                low, middle, high, low, middle - 4, high, middle - 4
            )
        )
    outer, anchor = (max(end, high, zero) + 6, "start") if bar.value >= 0 else (min(end, low, zero) - 6, "end")
    out.append(
        Markup('<text class="value" x="{}" y="{}" text-anchor="{}" font-weight="600" data-from="{}">{}</text>').format(
            outer, middle + 4, anchor, bar.source, bar.text
        )
    )
    return Markup("").join(out)


def people_bar(better: float, same: float, worse: float, *, people: str) -> Markup:
    """One bar in three parts: who gains, who sees no change, who loses."""
    total = better + same + worse
    if not total > 0:
        return Markup("")
    spoken = f"{words.count(better)} {people} gain, {words.count(same)} see no change, {words.count(worse)} lose"
    out = [
        Markup(
            '<svg class="people" viewBox="0 0 400 12" preserveAspectRatio="none" role="img" aria-label="{}">'
        ).format(escape(spoken))
    ]
    x = 0.0
    for kind, number in (("gain", better), ("same", same), ("loss", worse)):
        width = 400 * number / total
        if width > 0:
            out.append(
                Markup('<rect class="{}" fill="{}" x="{}" y="0" width="{}" height="12"/>').format(
                    kind, _FILL[kind], round(x, 2), round(width, 2)
                )
            )
        x += width
    out.append(Markup("</svg>"))
    return Markup("").join(out)


def journey_bar(view: JourneyView, start_s: int, end_s: int, *, title: str) -> Markup:
    """A journey along time: walks thin, waits dotted, rides full with the route's name.

    Parameters
    ----------
    view : JourneyView
    start_s, end_s : int
        Ends of the axis, the same for all journeys that are compared; seconds of the service date.
    title : str
        For people who do not see it.
    """
    width, reach = 640.0, max(end_s - start_s, 60)

    def x(time_s: float) -> float:
        return round((time_s - start_s) / reach * width, 1)

    out = [Markup('<svg class="trip" viewBox="0 0 640 40" font-size="12" role="img" aria-label="{}">').format(title)]
    for hour in range(-(-start_s // 900) * 900, end_s + 1, 900):
        out.append(Markup('<path d="M{} 28v4" stroke="#8b8f92"/>').format(x(hour)))
    clock = start_s
    for leg in view.legs:
        board = leg.depart_s
        if board > clock:
            out.append(
                Markup(
                    '<path class="wait" d="M{} 16H{}" stroke="#8b8f92" stroke-width="3" stroke-dasharray="2 4"/>'
                ).format(x(clock), x(board))
            )
        walk = leg.mode == "walk"
        out.append(
            Markup('<rect class="{}" fill="{}" x="{}" y="{}" width="{}" height="{}" rx="2"/>').format(
                "walk" if walk else "ride",
                "#8b8f92" if walk else "#00566b",
                x(board),
                13 if walk else 5,
                max(round(x(leg.arrive_s) - x(board), 1), 1.0),
                6 if walk else 22,
            )
        )
        if not walk and x(leg.arrive_s) - x(board) > 9 + 7.5 * len(leg.route):
            out.append(
                Markup('<text x="{}" y="20.5" fill="#fff" font-weight="700">{}</text>').format(x(board) + 5, leg.route)
            )
        clock = leg.arrive_s
    out.append(Markup("</svg>"))
    return Markup("").join(out)
