"""Draws a picture of every example in docs/proposals.md, from the sample borough: what is there, and what the change makes of it.

    python tools/make_proposal_images.py [--out FOLDER]

A change of place is a map, a change of times a diagram. The page shows each as ``images/changes/<scenario>.png``.
"""

from __future__ import annotations

import argparse
import dataclasses
import re
import shutil
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("agg")
import geopandas as gpd
import matplotlib.pyplot as plt
import numpy as np
import shapely
from matplotlib.collections import LineCollection

import community_routes as cr
from community_routes.evaluation.case import setting_of
from community_routes.evaluation.map_layers import route_table, study_box
from community_routes.fares.tickets import FareRide, TicketFares, cheapest_day
from community_routes.sources.osm.background import background_layers
from make_images import shrink

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "proposals.md"
BEFORE, AFTER, GROUND = "#7d8790", "#c2185b", "#f4f2ec"
WIDTH = 760


@dataclasses.dataclass(frozen=True)
class Example:
    """A proposal of the page, applied to the sample."""

    name: str
    study: Any
    applied: Any
    folder: Path

    @property
    def today(self) -> Any:
        """The timetable before."""
        return self.study.feed

    @property
    def routes(self) -> list[str]:
        """Ids of the routes that are new or not as they were."""
        return [*self.applied.new_routes, *self.applied.changed_routes]

    def change(self, kind: str) -> Any:
        """The first change of a kind."""
        return next(change for change in self.applied.scenario.changes if change.kind == kind)

    def has(self, *kinds: str) -> bool:
        """Whether one of its changes is of these kinds."""
        return any(change.kind in kinds for change in self.applied.scenario.changes)


def examples(folder: Path) -> list[Example]:
    """Every proposal of the page, applied."""
    study = cr.open_study(cr.sample_study())
    setting = dataclasses.replace(setting_of(study), street_map=study.street_map)
    for file in (ROOT / "docs" / "files").iterdir():
        shutil.copy(file, folder)
    found = []
    for text in re.findall(r"^```yaml\n(.*?)^```", PAGE.read_text("utf-8"), re.MULTILINE | re.DOTALL):
        if text.startswith("scenario:"):
            path = folder / f"{text.split()[1]}.yaml"
            path.write_text(text, encoding="utf-8")
            found.append(Example(path.stem, study, cr.apply_scenario(cr.read_scenario(path), setting), folder))
    return found


# -- maps -------------------------------------------------------------------------------------------------------------


def lines_of(feed: Any, example: Example, routes: Sequence[str]) -> gpd.GeoDataFrame:
    """The courses of routes of a feed."""
    box = study_box(example.study.zones.table.geometry)
    return route_table(feed, example.study.file.dates, box, scenario="x", only=routes)


def stops_of(feed: Any, routes: Sequence[str]) -> set[int]:
    """Rows of the stops at which trips of some routes call."""
    wanted = feed.routes["route_id"].isin(list(routes)).to_numpy()[feed.trips["route"].to_numpy()]
    trip_of_call = np.repeat(np.arange(len(feed.trips)), np.diff(feed.calls.first))
    return set(feed.calls.stop[wanted[trip_of_call]].tolist())


def map_of(example: Example, shapes: Sequence[Any], axes: Any = None, *, spread: float = 0.25) -> Any:
    """Axes with the ground, on the box of some shapes with a margin."""
    west, south, east, north = shapely.total_bounds(np.array([s for s in shapes if not s.is_empty], dtype=object))
    middle, half = (north + south) / 2, max((north - south) / 2, 0.0025)
    wide = max((east - west) / 2, half * 2.2) * (1 + spread)
    wide = max(wide, half * (1 + spread) * 3.3)
    axes = plt.subplots(figsize=(7.6, 4.0))[1] if axes is None else axes
    axes.set_facecolor(GROUND)
    centre = (east + west) / 2
    stretch = 1 / np.cos(np.radians(middle))
    half = wide / stretch * 0.52
    axes.set(xlim=(centre - wide, centre + wide), ylim=(middle - half, middle + half), xticks=[], yticks=[])
    axes.set_aspect(stretch)
    layers = background_layers(example.study.street_map)
    styles: dict[str, dict[str, Any]] = {
        "green": {"color": "#dfe9d2"}, "water": {"color": "#c4dbe8"}, "railways": {"color": "#b9b4aa", "linewidth": 1.2},
    }  # fmt: skip
    for name, style in styles.items():
        if name in layers and len(layers[name]):
            layers[name].plot(ax=axes, aspect=None, **style)
    streets = example.study.street_map
    ends = zip(streets.first[:-1].tolist(), streets.first[1:].tolist(), strict=True)
    ways = [streets.node[first:last] for first, last in ends]
    lines = [np.column_stack([streets.lon[nodes], streets.lat[nodes]]) for nodes in ways]
    axes.add_collection(LineCollection(lines, colors="#d9d4c8", linewidths=0.7, zorder=2))
    for side in axes.spines.values():
        side.set_visible(False)
    return axes


def put_stops(axes: Any, feed: Any, rows: Sequence[int], colour: str, *, named: bool) -> None:
    """Stops as dots, the names of some beside them."""
    lon, lat = feed.stops["lon"].to_numpy(float), feed.stops["lat"].to_numpy(float)
    axes.scatter(lon[rows], lat[rows], s=18, facecolor="white", edgecolor=colour, linewidth=1.4, zorder=5)
    said: set[str] = set()
    for row in rows if named else ():
        name = str(feed.stops["stop_name"].iat[row])
        if name not in said:
            put_name(axes, lon[row], lat[row], name, colour)
        said.add(name)


def put_name(axes: Any, lon: float, lat: float, text: str, colour: str = "#1d2b33", *, below: bool = False) -> None:
    """A name with a light edge, which reads on any ground, above or below its place."""
    import matplotlib.patheffects as effects

    off, side = ((6, -7), "top") if below else ((6, 5), "bottom")
    said = axes.annotate(
        text, (lon, lat), xytext=off, textcoords="offset points", va=side, fontsize=8.5, color=colour, zorder=6
    )
    said.set_path_effects([effects.withStroke(linewidth=2.5, foreground="white")])


def draw_routes(example: Example) -> Any:
    """Where routes ran and where they run."""
    before, after = (
        lines_of(example.today, example, example.routes),
        lines_of(example.applied.feed, example, example.routes),
    )
    old, new = stops_of(example.today, example.routes), stops_of(example.applied.feed, example.routes)
    changed = sorted(old ^ new)
    feed = example.applied.feed
    at = [shapely.Point(feed.stops["lon"].iat[row], feed.stops["lat"].iat[row]) for row in changed]
    old_way, new_way = before.geometry.union_all(), after.geometry.union_all()
    elsewhere = new_way.difference(old_way.buffer(0.0002)), old_way.difference(new_way.buffer(0.0002))
    moved = [shape for shape in elsewhere if not shape.is_empty]
    axes = map_of(example, [*moved, *at] or [new_way])
    if len(before):
        before.plot(ax=axes, aspect=None, color=BEFORE, linewidth=4.5, alpha=0.75, zorder=3)
    after.plot(ax=axes, aspect=None, color=AFTER, linewidth=1.8, zorder=4)
    put_stops(axes, feed, sorted(new & old), BEFORE, named=False)
    put_stops(axes, feed, sorted(new - old), AFTER, named=True)
    gone = sorted(old - new)
    put_stops(axes, feed, gone, "#1d2b33", named=True)
    lon, lat = feed.stops["lon"].to_numpy(float), feed.stops["lat"].to_numpy(float)
    axes.scatter(lon[gone], lat[gone], s=60, marker="x", color="#1d2b33", zorder=6)
    key(axes, {"today": BEFORE, "the proposal": AFTER})
    return axes.figure


def draw_paths(example: Example) -> Any:
    """A new way to walk, and one that is closed."""
    new = gpd.read_file(example.folder / example.change("add_path").line).geometry
    way = example.change("close_path").osm_way
    street_map = example.study.street_map
    row = int(np.flatnonzero(street_map.way_id == way)[0])
    nodes = street_map.node[int(street_map.first[row]) : int(street_map.first[row + 1])]
    closed = shapely.LineString(np.column_stack([street_map.lon[nodes], street_map.lat[nodes]]))
    figure, both = plt.subplots(1, 2, figsize=(7.6, 2.4), gridspec_kw={"wspace": 0.04})
    named = ((new.iloc[0], AFTER, "-", "new"), (closed, "#1d2b33", ":", "closed"))
    for axes, (shape, colour, dash, text) in zip(both, named, strict=True):
        map_of(example, [shape], axes)
        gpd.GeoSeries([shape]).plot(ax=axes, aspect=None, color=colour, linewidth=4, linestyle=dash, zorder=5)
        put_name(axes, shape.centroid.x, shape.centroid.y, text)
    return figure


def draw_zone(example: Example) -> Any:
    """The zone of buses on demand and the places it connects."""
    change = example.change("add_drt")
    zone = gpd.read_file(example.folder / change.zone).geometry
    feed = example.today
    named = {text.text for text in change.connects}
    rows = [int(np.flatnonzero((feed.stops["stop_name"] == name).to_numpy())[0]) for name in sorted(named)]
    points = [shapely.Point(feed.stops["lon"].iat[row], feed.stops["lat"].iat[row]) for row in rows]
    axes = map_of(example, [*zone, *points])
    zone.plot(ax=axes, aspect=None, facecolor=AFTER, alpha=0.18, edgecolor=AFTER, linewidth=1.6, zorder=3)
    middle = zone.iloc[0].representative_point()
    for row, point in zip(rows, points, strict=True):
        axes.plot([middle.x, point.x], [middle.y, point.y], color=AFTER, linewidth=1.2, linestyle="--", zorder=4)
        put_stops(axes, feed, [row], AFTER, named=True)
    put_name(axes, middle.x, middle.y, change.name, below=True)
    return axes.figure


def draw_places(example: Example) -> Any:
    """New homes, jobs and spaces."""
    placed = [change for change in example.applied.scenario.changes if hasattr(change, "at")]
    points = [shapely.Point(*change.at) for change in placed]
    axes = map_of(example, points)
    for number, (change, point) in enumerate(zip(placed, points, strict=True)):
        what = {"add_homes": "homes", "add_jobs": "jobs", "add_space": "space_kind"}[change.kind]
        value = getattr(change, what)
        label = f"{change.name}\n{value:,.0f} {what}" if not isinstance(value, str) else f"{change.name}\n{value}"
        marker = {"add_homes": "s", "add_jobs": "D", "add_space": "o"}[change.kind]
        axes.scatter([point.x], [point.y], s=90, marker=marker, color=AFTER, edgecolor="white", zorder=5)
        put_name(axes, point.x, point.y, label, below=number % 2 == 1)
    return axes.figure


def key(axes: Any, colours: dict[str, str]) -> None:
    """Which colour is which."""
    for name, colour in colours.items():
        axes.plot([], [], color=colour, linewidth=3, label=name)
    axes.legend(loc="lower right", frameon=True, facecolor="white", edgecolor="none", fontsize=9)


# -- diagrams -----------------------------------------------------------------------------------------------------------


def starts(feed: Any, route: str, date: Any) -> tuple[np.ndarray, np.ndarray]:
    """Hours at which the trips of a route leave their first stop on a date, and their directions."""
    trips = feed.active_trips(date)
    here = feed.routes["route_id"].to_numpy()[feed.trips["route"].to_numpy()[trips]] == route
    trips = trips[here]
    return feed.calls.departure_s[feed.calls.first[trips]] / 3600, feed.trips["direction_id"].to_numpy()[trips]


def draw_departures(example: Example) -> Any:
    """A dot for each departure, today and with the proposal, on the days that differ."""
    (route,) = example.routes
    dates = example.study.file.dates
    rows = []
    for day, date in dates.items():
        before, after = starts(example.today, route, date), starts(example.applied.feed, route, date)
        if len(before[0]) != len(after[0]) or not np.array_equal(np.sort(before[0]), np.sort(after[0])):
            rows.append((day, before, after))
    figure, axes = plt.subplots(figsize=(7.6, 0.9 + 0.85 * len(rows)))
    for number, (_, before, after) in enumerate(rows):
        for (hours, way), colour, up in ((before, BEFORE, 0.18), (after, AFTER, -0.18)):
            one_way = hours[way == way.min()] if len(way) else hours
            axes.scatter(one_way, np.full(len(one_way), -number + up), s=22, color=colour)
            if not len(one_way):
                axes.text(13, -number + up, "none", color=colour, va="center", ha="center", fontsize=9)
    axes.set(yticks=[-number for number in range(len(rows))], yticklabels=[day.capitalize() for day, *_ in rows])
    axes.set(xlim=(4.5, 24.5), ylim=(-len(rows) + 0.45, 0.85), xticks=range(6, 25, 3))
    axes.set_xticklabels([f"{hour}:00" for hour in range(6, 25, 3)])
    said = example.today.routes.set_index("route_id")["route_short_name"][route]
    axes.set_title(f"Departures of route {said} from its first stop, one way", loc="left", fontsize=10)
    for name, colour in {"today": BEFORE, "the proposal": AFTER}.items():
        axes.scatter([], [], color=colour, s=22, label=name)
    axes.legend(loc="upper right", ncols=2, frameon=False, fontsize=9, bbox_to_anchor=(1, 1.22 + 0.1 / len(rows)))
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    axes.tick_params(left=False)
    return figure


def draw_times(example: Example) -> Any:
    """One trip as a line of stops over minutes, before and after."""
    (route,) = example.routes
    figure, axes = plt.subplots(figsize=(7.6, 3.4))
    date = next(iter(example.study.file.dates.values()))
    sides = ((example.today, BEFORE, "today", "left"), (example.applied.feed, AFTER, "the proposal", "right"))
    for feed, colour, name, side in sides:
        trips = feed.active_trips(date)
        mine = trips[feed.routes["route_id"].to_numpy()[feed.trips["route"].to_numpy()[trips]] == route]
        starts_s = feed.calls.departure_s[feed.calls.first[mine]]
        trip = int(mine[np.argmin(np.abs(starts_s - 9 * 3600))])
        part = slice(int(feed.calls.first[trip]), int(feed.calls.first[trip + 1]))
        arrive, leave = feed.calls.arrival_s[part], feed.calls.departure_s[part]
        minutes = (np.column_stack([arrive, leave]).ravel() - leave[0]) / 60
        stops = feed.calls.stop[part]
        axes.plot(
            minutes,
            np.repeat(np.arange(len(stops)), 2),
            color=colour,
            linewidth=2.2,
            label=name,
            marker="o",
            markersize=3,
        )
        said = f"{minutes[-1]:.0f} min"
        axes.annotate(
            said, (minutes[-1], len(stops) - 1), xytext=(0, 7), textcoords="offset points", color=colour, ha=side
        )
        names = feed.stops["stop_name"].to_numpy()[stops]
    step = max(1, len(names) // 6)
    shown = [*range(0, len(names) - step, step), len(names) - 1]
    axes.set(yticks=shown, yticklabels=names[shown], xlabel="minutes from the first stop")
    axes.legend(loc="lower right", frameon=False, fontsize=9)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    return figure


def draw_fares(example: Example) -> Any:
    """What a return journey costs on a bus, on another operator's, and on a train, before and after."""
    rides = {"one bus": FareRide("1"), "a train, 8 km": FareRide("HVL", mode="rail", km=8.0)}
    for agency, fare in example.study.file.fares.agencies.items():
        if fare.single is not None:
            rides[f"one bus of {agency}"] = FareRide("x", agency_id=agency)
    figure, axes = plt.subplots(figsize=(7.6, 0.9 + 0.7 * len(rides)))
    for fares, colour, up, name in (
        (example.study.file.fares, BEFORE, 0.19, "today"), (example.applied.fares, AFTER, -0.19, "the proposal"),
    ):  # fmt: skip
        prices = TicketFares(fares)
        paid = [cheapest_day(prices, [ride], [ride]) for ride in rides.values()]
        cost = [payment.cents / 100 for payment in paid if payment is not None]
        axes.barh(np.arange(len(rides)) * -1 + up, cost, height=0.34, color=colour, label=name)
        for row, value in enumerate(cost):
            axes.text(value + 0.05, -row + up, f"£{value:.2f}", va="center", fontsize=9, color=colour)
    axes.set(yticks=-np.arange(len(rides)), yticklabels=list(rides), xticks=[])
    axes.set_title("There and back in a day, the cheapest tickets", loc="left", fontsize=10)
    axes.legend(loc="upper right", frameon=False, fontsize=9, ncols=2, bbox_to_anchor=(1, 1.16))
    for side in ("top", "right", "bottom"):
        axes.spines[side].set_visible(False)
    return figure


DRAW: tuple[tuple[tuple[str, ...], Callable[[Example], Any]], ...] = (
    (("set_headway", "withdraw_route"), draw_departures),
    (("change_speed", "change_dwell"), draw_times),
    (("change_fare",), draw_fares),
    (("add_path", "close_path"), draw_paths),
    (("add_drt",), draw_zone),
    (("add_homes", "add_jobs", "add_space"), draw_places),
    (("add_route", "extend_route", "reroute", "add_stop", "remove_stops"), draw_routes),
)


MAPS = (draw_paths, draw_zone, draw_places, draw_routes)


def main() -> None:
    """Draw them all."""
    parser = argparse.ArgumentParser(description="Draw a picture of every example of the page on proposals.")
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "images" / "changes")
    out = parser.parse_args().out
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as work:
        for example in examples(Path(work)):
            draw = next(function for kinds, function in DRAW if example.has(*kinds))
            figure = draw(example)
            for axes in figure.axes if draw in MAPS else ():
                axes.set(xlabel="", ylabel="")
            raw = Path(work) / "raw.png"
            figure.savefig(raw, dpi=150, bbox_inches="tight")
            plt.close("all")
            shrink(raw, out / f"{example.name}.png", width=WIDTH, colours=64)
            print(out / f"{example.name}.png", (out / f"{example.name}.png").stat().st_size)


if __name__ == "__main__":
    main()
