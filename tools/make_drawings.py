"""Makes the drawings of docs/concepts.md as SVG; what they show of journeys is worked out on the sample borough.

python tools/make_drawings.py [--out FOLDER]
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Sequence
from pathlib import Path
from xml.sax.saxutils import escape

import numpy as np

import community_routes as cr
from community_routes.base.times import UNREACHED

ROOT = Path(__file__).resolve().parents[1]
INK, SOFT, TEAL, ROSE, PAPER, PALE = "#1d2b33", "#7d8790", "#00695c", "#c2185b", "#fbfaf6", "#e3efec"


class Drawing:
    """An SVG under way: shapes in the order in which they are put."""

    def __init__(self, width: int, height: int, title: str) -> None:
        self.width, self.height = width, height
        self.parts = [f"<title>{escape(title)}</title>", f'<rect width="{width}" height="{height}" fill="{PAPER}"/>']

    def box(
        self, x: float, y: float, w: float, h: float, *, fill: str = PALE, line: str = TEAL, round_: float = 6
    ) -> None:
        """A rectangle."""
        self.parts.append(
            f'<rect x="{x:g}" y="{y:g}" width="{w:g}" height="{h:g}" rx="{round_:g}" fill="{fill}" stroke="{line}"/>'
        )

    def text(
        self, x: float, y: float, said: str, *, size: float = 13, fill: str = INK, at: str = "start", bold: bool = False
    ) -> None:
        """One line of text."""
        weight = ' font-weight="bold"' if bold else ""
        self.parts.append(
            f'<text x="{x:g}" y="{y:g}" font-size="{size:g}" fill="{fill}" text-anchor="{at}"{weight}>{escape(said)}</text>'
        )

    def line(
        self,
        points: Iterable[Sequence[float]],
        *,
        colour: str = INK,
        width: float = 1.5,
        dash: str = "",
        arrow: bool = False,
    ) -> None:
        """A line through points."""
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        more = (f' stroke-dasharray="{dash}"' if dash else "") + (' marker-end="url(#arrow)"' if arrow else "")
        self.parts.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="{width:g}"{more}/>')

    def dot(self, x: float, y: float, *, colour: str = ROSE, radius: float = 4) -> None:
        """A filled circle."""
        self.parts.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{radius:g}" fill="{colour}"/>')

    def write(self, path: Path) -> None:
        """The file."""
        head = (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {self.width} {self.height}" '
            f'font-family="Helvetica, Arial, sans-serif" role="img">'
            '<defs><marker id="arrow" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto">'
            f'<path d="M0 0 8 4 0 8z" fill="{INK}"/></marker></defs>'
        )
        path.write_text(head + "\n" + "\n".join(self.parts) + "\n</svg>\n", encoding="utf-8", newline="\n")
        print(path, path.stat().st_size)


def profile() -> tuple[np.ndarray, str, str]:
    """Minutes of travel from one neighbourhood to one place for each departure of the evening; their names."""
    study = cr.open_study(cr.sample_study())
    today = cr.evaluate(study)
    times = today.time_s["weekday", "evening"]
    names = study.opportunities.table
    fit = (times != UNREACHED).all(axis=1) & (np.ptp(np.where(times == UNREACHED, 0, times), axis=1) > 25 * 60)
    fit &= np.array(names["key"] == "employment")[None, :]
    waits = np.abs(np.diff(times.astype(np.int64), axis=1))
    jumps = (waits > 12 * 60).sum(axis=1) * fit
    origin, destination = np.unravel_index(int(jumps.argmax()), jumps.shape)
    zone = study.zones.table["name"].iat[int(study.zones.origins["zone"].iat[int(origin)])]
    return times[origin, :, destination] / 60, str(zone), str(names["name"].iat[int(destination)])


def saw(drawn: Drawing, minutes: np.ndarray, top: float, bottom: float, left: float, right: float) -> None:
    """Axes and the saw-tooth of travel time over departures."""
    highest = 10 * np.ceil(minutes.max() / 10)
    x = left + (right - left) * np.arange(len(minutes)) / len(minutes)
    y = bottom - (bottom - top) * minutes / highest
    for tick in np.arange(0, highest + 1, 20):
        level = bottom - (bottom - top) * tick / highest
        drawn.line([(left, level), (right, level)], colour="#dcd9d0", width=1)
        drawn.text(left - 6, level + 4, f"{tick:.0f}", size=11.5, at="end", fill=SOFT)
    hours = len(minutes) // 60
    for hour in range(hours + 1):
        drawn.text(
            left + (right - left) * hour / hours, bottom + 18, f"{18 + hour}:00", size=11.5, at="middle", fill=SOFT
        )
    drawn.line(zip(x.tolist(), y.tolist(), strict=True), colour=TEAL, width=2)


def departure_profile(minutes: np.ndarray, zone: str, place: str) -> Drawing:
    """Travel time for each minute of departure."""
    drawn = Drawing(
        900, 330, "Travel time by minute of departure: it falls while one waits less, and jumps when a bus has left"
    )
    drawn.text(
        20,
        24,
        f"{zone} to {place}, weekday evening (sample borough): minutes of travel by minute of departure",
        size=13.5,
        bold=True,
    )
    saw(drawn, minutes, 55, 270, 55, 870)
    third = len(minutes) // 3
    jump = third + int(np.diff(minutes)[third : 2 * third].argmax())  # in the middle, where there is room to say it
    highest = 10 * np.ceil(minutes.max() / 10)
    x = 55 + 815 * (jump + 1) / len(minutes)
    y = 270 - 215 * minutes[jump + 1] / highest
    drawn.dot(x, y)
    drawn.text(x + 9, y - 4, "a bus has just left: the whole wait counts", fill=ROSE, size=12.5)
    low = 270 - 215 * minutes[jump] / highest
    drawn.dot(55 + 815 * jump / len(minutes), low)
    drawn.text(55 + 815 * jump / len(minutes) - 9, low + 18, "just in time for it", fill=ROSE, size=12.5, at="end")
    drawn.text(462, 318, "leaving at", size=12, at="middle", fill=SOFT)
    return drawn


def percentiles(minutes: np.ndarray) -> Drawing:
    """What a percentile says and what the mean over departures says."""
    drawn = Drawing(900, 350, "The same departures in order of their time: percentiles, and the share within a cutoff")
    ordered = np.sort(minutes)
    highest = 10 * np.ceil(ordered.max() / 10)
    left, right, top, bottom, cutoff = 55.0, 560.0, 55.0, 290.0, 45.0

    def height(value: float) -> float:
        return float(bottom - (bottom - top) * value / highest)

    drawn.text(20, 24, "The same departures, put in order of their travel time", size=13.5, bold=True)
    x = left + (right - left) * (np.arange(len(ordered)) + 1) / len(ordered)
    for tick in range(0, int(highest) + 1, 20):
        drawn.line([(left, height(tick)), (right, height(tick))], colour="#dcd9d0", width=1)
        drawn.text(left - 6, height(tick) + 4, str(tick), size=11.5, at="end", fill=SOFT)
    drawn.line(zip(x.tolist(), [height(value) for value in ordered], strict=True), colour=TEAL, width=2.5)
    for share in (25, 50, 75):
        value = float(ordered[int(np.ceil(share / 100 * len(ordered))) - 1])
        at = left + (right - left) * share / 100
        drawn.line([(at, bottom), (at, height(value))], colour=SOFT, width=1, dash="3 3")
        drawn.dot(at, height(value), colour=TEAL)
        drawn.text(at, bottom + 18, f"p{share}", size=12.5, at="middle")
        drawn.text(at - 6, height(value) - 8, f"{value:.0f} min", size=12, at="end", fill=TEAL)
    within = float((ordered <= cutoff).mean())
    drawn.line([(left, height(cutoff)), (right, height(cutoff))], colour=ROSE, width=1.5, dash="6 4")
    drawn.text(right + 6, height(cutoff) + 4, f"cutoff {cutoff:.0f} min", fill=ROSE, size=12.5)
    median = float(ordered[int(np.ceil(0.5 * len(ordered))) - 1])
    words = [
        (f"{within:.0%} of the departures arrive within {cutoff:.0f} minutes.", INK, True),
        ("", INK, False),
        ("reading mean (the headline):", INK, True),
        (f"this place counts as {within:.2f} of a place.", SOFT, False),
        ("More buses raise it, minute by minute.", SOFT, False),
        ("", INK, False),
        ("reading p50:", INK, True),
        (f"half arrive within {median:.0f} minutes, so it counts", SOFT, False),
        (f"{'wholly' if median <= cutoff else 'not at all'}, whatever the other half is like.", SOFT, False),
    ]
    for number, (said, colour, bold) in enumerate(words):
        drawn.text(610, 165 + 19 * number if number > 1 else 120 + 19 * number, said, fill=colour, size=12.5, bold=bold)
    drawn.text(
        (left + right) / 2, 340, "share of departures that are as quick or quicker", size=12, at="middle", fill=SOFT
    )
    return drawn


def lanes() -> Drawing:
    """The timetable scanned backwards, with a lane for each destination, in blocks."""
    drawn = Drawing(900, 340, "One scan of the timetable serves a block of destinations, a lane for each")
    drawn.text(20, 24, "One scan, backwards through the day, answers for every stop and second", size=13.5, bold=True)
    drawn.text(55, 52, "connections (a trip from one stop to the next), the latest departure first", size=12, fill=SOFT)
    for number, said in enumerate(("08:59", "08:58", "08:58", "08:57", "08:55", "...", "07:01", "07:00")):
        x = 55 + number * 62
        drawn.box(x, 64, 54, 30, fill="white")
        drawn.text(x + 27, 84, said, size=12, at="middle")
    drawn.line([(55, 108), (545, 108)], arrow=True)
    drawn.text(
        55,
        140,
        "each keeps a row: the earliest arrival at every destination, for whoever is on board",
        size=12,
        fill=SOFT,
    )
    reaching = {0: {0, 1, 2, 3, 4}, 1: {0, 1, 3}, 2: {2}}
    for block in range(3):
        left = 55 + block * 190
        for row in range(5):
            for lane in range(8):
                fill = "#a9d3ca" if row in reaching[block] else "white"
                drawn.box(left + lane * 21, 156 + row * 21, 19, 19, fill=fill, line="#b9cfca", round_=2)
        drawn.text(left + 84, 280, f"destinations {block * 256 + 1} to {block * 256 + 256}", size=12, at="middle")
    drawn.text(635, 180, "A block is a few hundred destinations", size=12.5)
    drawn.text(635, 198, "that lie near one another. Blocks are", size=12.5)
    drawn.text(635, 216, "searched side by side, on as many", size=12.5)
    drawn.text(635, 234, "threads or machines as there are;", size=12.5)
    drawn.text(635, 252, "rows that never get to a block (white)", size=12.5)
    drawn.text(635, 270, "are passed over.", size=12.5)
    drawn.text(
        55,
        318,
        "Then each origin takes the best of its access stops, for each minute. The result does not depend on the blocks.",
        size=12.5,
        fill=INK,
    )
    return drawn


def main() -> None:
    """Draw them all."""
    parser = argparse.ArgumentParser(description="Make the drawings of the page on concepts.")
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "images")
    out = parser.parse_args().out
    out.mkdir(parents=True, exist_ok=True)
    minutes, zone, place = profile()
    departure_profile(minutes, zone, place).write(out / "departure-profile.svg")
    percentiles(minutes).write(out / "percentiles.svg")
    lanes().write(out / "lanes.svg")


if __name__ == "__main__":
    main()
