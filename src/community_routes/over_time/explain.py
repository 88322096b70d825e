"""What explains a change between two runs: one input after the other, then one route after the other, put back as it was."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from community_routes.base.errors import CommunityRoutesError
from community_routes.evaluation.case import Study, study_of
from community_routes.evaluation.inputs import INPUTS
from community_routes.over_time.measured import Figure, Figures, Measured
from community_routes.over_time.runs import Run
from community_routes.over_time.tables import MEASURE, READING, Headline
from community_routes.scenarios.attribution import put_back, stops_of_routes, with_stops_of
from community_routes.scenarios.diff import FeedDiff, diff_feeds
from community_routes.sources.gtfs.feed import Feed
from community_routes.sources.places.zones import Zones

MOST_ROUTES = 20
Progress = Callable[[str], None]
EXPLAINED_COLUMNS = (
    "run",
    "against",
    "day",
    "window",
    "kind",
    "measure",
    "cutoff_min",
    "grouping",
    "group",
    "of",
    "part",
    "route",
    "name",
    "departures_changed",
    "change_explained",
    "share",
)
PARTS = ("timetable", "streets", "destinations", "neighbourhoods", "homes", "population", "deprivation", "settings")
"""What a figure is made of, in the order in which it is shown."""
_DAY = dt.timedelta(days=1)
_ON_DEMAND = 100
"""As how many departures a new service on demand counts when routes are put in order."""
_AROUND = {"the day before": -1, "the date": 0, "the day after": 1}
_DEPRIVATION = ("deprivation_rank", "deprivation_decile", "income_rank")


@dataclass(frozen=True, eq=False)
class Explanation:
    """A change between two runs taken apart.

    Attributes
    ----------
    table : DataFrame
        The columns of ``explained.csv``. Rows with ``of`` = ``change`` add up to the row ``change``: what each of the
        inputs explains, ``together`` (what they do beyond the sum of each) and ``program`` (the difference between the
        tables of the runs and the same figures worked out now). Rows with ``of`` = ``timetable`` add up to the row
        ``timetable``: each route, ``other routes``, and ``routes together``.
    diffs : dict of day to FeedDiff
        The difference of the timetables; empty where they could not be read.
    reason : str
        Why the change could not be taken apart; empty where it was.
    notes : tuple of str
        What else differs, or could not be put back alone.
    residents_near : mapping of route to float
        How many residents can walk to each route that differs.
    """

    table: pd.DataFrame
    diffs: Mapping[str, FeedDiff] = field(default_factory=dict)
    reason: str = ""
    notes: tuple[str, ...] = ()
    residents_near: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class _Route:
    """A route that differs: its departures that differ, and the days on which they do."""

    key: str
    name: str
    changed: int
    days: tuple[str, ...]
    residents: float = 0.0

    @property
    def weight(self) -> float:
        """Departures that differ times those who can walk to the route; buses on demand, which have none, first."""
        return self.residents * (self.changed or _ON_DEMAND)


@dataclass(frozen=True, eq=False)
class _Pair:
    """Two runs with their studies as they were kept."""

    before: Run
    after: Run
    old: Study
    new: Study
    headline: Headline
    threads: int
    cache: str | Path | None
    tell: Progress

    @property
    def days(self) -> list[str]:
        """Days of the leading figures."""
        return list(dict.fromkeys(day for day, _ in self.headline.slots))

    def measured(self, study: Study) -> dict[str, Figures]:
        """The leading figures of a study on each day."""
        made = Measured(study, self.headline, threads=self.threads)
        return {day: made.figures(study.feed, day) for day in self.days}


@dataclass(frozen=True, eq=False)
class _Found:
    """Leading figures by day: before, now, and now with one input or one route as it was before.

    A route has only the days on which it differs.
    """

    old: Mapping[str, Figures]
    new: Mapping[str, Figures]
    inputs: Mapping[str, Mapping[str, Figures]]
    routes: Sequence[tuple[_Route, Mapping[str, Figures]]] = ()
    notes: tuple[str, ...] = ()
    residents_near: Mapping[str, float] = field(default_factory=dict)


def explain(
    before: Run,
    after: Run,
    headline: Headline,
    *,
    opened: dict[str, Study] | None = None,
    routes: int = MOST_ROUTES,
    threads: int = 1,
    cache: str | Path | None = None,
    progress: Progress | None = None,
) -> Explanation:
    """Take the change of the leading figures apart.

    Parameters
    ----------
    before, after : Run
    headline : Headline
    opened : dict of run to Study, optional
        Gets the study of the earlier run, which is not read again where it is there.
    routes : int
        How many routes are put back singly, those with the most departures changed times residents within a walk of the
        route; the others are put back together.
    threads : int
    cache : path, optional
    progress : callable of str, optional
    """
    nothing = pd.DataFrame(columns=list(EXPLAINED_COLUMNS))
    for run in (before, after):
        if run.kept.reason:
            return Explanation(nothing, reason=f"{run.id}: {run.kept.reason}")
    tell = progress or (lambda _: None)
    try:
        known = opened if opened is not None else {}
        if before.id not in known:
            tell(f"reading the inputs of {before.id}")
            known[before.id] = before.open_study(cache=cache)
        old = known[before.id]
        tell(f"reading the inputs of {after.id}")
        new = after.open_study(cache=cache)
        pair = _Pair(before, after, old, new, headline, threads, cache, tell)
        diffs = _diffs(pair)
        found = _measure(pair, diffs, routes)
        table = pd.DataFrame(list(_rows(pair, found)), columns=list(EXPLAINED_COLUMNS))
    except CommunityRoutesError as wrong:
        return Explanation(
            nothing, reason=f"the kept inputs of {before.id} and {after.id} cannot be used any more: {wrong}"
        )
    notes = (*found.notes, *_other_differences(pair))
    return Explanation(table, diffs, notes=notes, residents_near=found.residents_near)


def _other_differences(pair: _Pair) -> Iterator[str]:
    """What differs between the studies and is no part of the leading figures."""
    if _named(pair.old.file.fares, {}) != _named(pair.new.file.fares, {}):
        yield (
            f"The fares of {pair.after.label} and {pair.before.label} differ: what can be reached for a budget, and what "
            "journeys cost, changed with them."
        )


def _diffs(pair: _Pair) -> dict[str, FeedDiff]:
    """What differs between the timetables on each day that both runs have."""
    old, new = pair.old, pair.new
    shared = {day: date for day, date in new.file.dates.items() if day in old.file.dates}
    return {
        day: diff_feeds(old.feed, new.feed, {day: old.file.dates[day]}, {day: date}) for day, date in shared.items()
    }


def _measure(pair: _Pair, diffs: Mapping[str, FeedDiff], most: int) -> _Found:
    """Everything as it was and as it is, then each input put back alone, then each route."""
    pair.tell(f"measuring {pair.before.id}")
    old = pair.measured(pair.old)
    pair.tell(f"measuring {pair.after.id}")
    feed = with_stops_of(pair.new.feed, pair.old.feed)
    now = Measured(replace(pair.new, feed=feed), pair.headline, also=pair.old.feed, threads=pair.threads)
    new = {day: now.figures(feed, day) for day in pair.days}
    inputs: dict[str, dict[str, Figures]] = {}
    notes: list[str] = []
    for name, make in _hybrids(pair):
        pair.tell(f"putting the {name} of {pair.before.id} back")
        try:
            inputs[name] = pair.measured(make())
        except CommunityRoutesError as wrong:
            why = " ".join(str(wrong).split())[:300]
            notes.append(
                f"The {name} of {pair.before.label} cannot be put back alone into {pair.after.label}; what they explain "
                f"is in the part that inputs do together ({why})."
            )
    if "timetable" not in inputs:
        return _Found(old, new, inputs, notes=tuple(notes))
    routes = _changed_routes(diffs, pair.days, now, stops_of_routes(feed, pair.old.feed))
    singly, rest = routes[:most], routes[most:]
    found = []
    for number, route in enumerate(singly, 1):
        pair.tell(f"putting routes back: {route.name} ({number} of {len(singly)})")
        found.append((route, _without(pair, now, feed, [route.key], route.days)))
    if rest:
        pair.tell(f"putting the other routes back ({len(rest)})")
        days = tuple(day for day in pair.days if any(day in route.days for route in rest))
        name = f"{len(rest)} other routes" if len(rest) > 1 else "1 other route"
        others = _Route("", name, sum(route.changed for route in rest), days)
        found.append((others, _without(pair, now, feed, [route.key for route in rest], days)))
    return _Found(old, new, inputs, found, tuple(notes), {route.key: route.residents for route in routes})


def _changed_routes(
    diffs: Mapping[str, FeedDiff], days: Sequence[str], now: Measured, stops: Mapping[str, NDArray[np.int64]]
) -> list[_Route]:
    """The routes that differ on the days, those that matter to most first: a timetable may be that of a whole region."""
    tables = [diffs[day].routes.assign(day=day) for day in days if day in diffs]
    table = pd.concat(tables, ignore_index=True) if tables else pd.DataFrame(columns=["route"])
    routes = [
        _Route(
            str(key),
            str(rows["name"].iat[0]),
            int(rows["changed"].sum()),
            tuple(rows["day"]),
            now.residents_near(stops[str(key)]),
        )
        for key, rows in table.groupby("route", sort=True)
    ]
    return sorted(routes, key=lambda route: (-route.weight, -route.changed, route.name, route.key))


def _without(pair: _Pair, now: Measured, feed: Feed, routes: Sequence[str], days: Sequence[str]) -> dict[str, Figures]:
    """The figures with some routes as they were, on the days before and after each date too."""
    found: dict[str, Figures] = {}
    for day in days:
        date, then = pair.new.file.dates[day], pair.old.file.dates[day]
        dates = {name: date + step * _DAY for name, step in _AROUND.items()}
        old_dates = {name: then + step * _DAY for name, step in _AROUND.items()}
        found[day] = now.figures(put_back(feed, pair.old.feed, routes, dates, old_dates), day)
    return found


def _hybrids(pair: _Pair) -> Iterator[tuple[str, Callable[[], Study]]]:
    """What makes the later study with one input of the earlier one, for each that differs."""
    old, new = pair.old, pair.new
    here, there = _content(pair.before), _content(pair.after)
    dates = [(old.file.dates[day], new.file.dates[day]) for day in pair.days]
    feeds = [sorted(map(str, _named(study.file.timetables, by))) for study, by in ((old, here), (new, there))]
    if feeds[0] != feeds[1] or any(then != now for then, now in dates):
        file = new.file.model_copy(update={"dates": {**new.file.dates, **old.file.dates}})
        yield "timetable", lambda: replace(new, feed=old.feed, file=file, store=None)
    for key in ("streets", "destinations"):
        part = getattr(old.file, key)
        if _named(part, here) != _named(getattr(new.file, key), there):
            yield key, _changed(pair, key, part)
    for name, zones in _zones(old.zones, new.zones):
        yield name, partial(replace, new, zones=zones)
    if _named(old.file.travel, {}) != _named(new.file.travel, {}):
        yield "settings", _changed(pair, "travel", old.file.travel)


def _changed(pair: _Pair, key: str, part: Any) -> Callable[[], Study]:
    """Reads the later study anew with one part of its file as it was."""
    file = pair.new.file.model_copy(update={key: part})
    return lambda: study_of(file, cache=pair.cache)


def _content(run: Run) -> dict[Path, str]:
    """The sha256 of every kept file."""
    return {(run.folder / INPUTS / file.path).resolve(): file.sha256 for file in run.kept.files}


def _named(part: Any, content: Mapping[Path, str]) -> Any:
    """A part of a study file with the content of its files in place of their names, wherever in the file it stood."""
    if hasattr(part, "model_dump"):
        return _named(part.model_dump(), content)
    if isinstance(part, Mapping):
        return {key: _named(value, content) for key, value in part.items()}
    if isinstance(part, list | tuple):
        return [_named(value, content) for value in part]
    return content.get(part.resolve(), part) if isinstance(part, Path) else part


def _zones(old: Zones, new: Zones) -> Iterator[tuple[str, Zones]]:
    """The later neighbourhoods with something of the earlier ones; all of it where they are other neighbourhoods."""
    ids = new.table["id"].tolist()
    if set(ids) != set(old.table["id"]):
        yield "neighbourhoods", old
        return
    order = pd.Index(old.table["id"]).get_indexer(ids)
    before = old.table.iloc[order].reset_index(drop=True)
    homes = _homes(old, order)
    if not homes.equals(_homes(new, np.arange(len(ids)))):
        yield "homes", replace(new, origins=homes)
    for name, columns in (("population", ("population",)), ("deprivation", _DEPRIVATION)):
        swapped = new.table.copy()
        for column in columns:
            if column in new.table.columns or column in before.columns:
                swapped[column] = before[column].to_numpy() if column in before.columns else np.nan
        if not swapped.equals(new.table):
            known = old.has_population if name == "population" else new.has_population
            yield name, replace(new, table=swapped, has_population=known)


def _homes(zones: Zones, order: Any) -> pd.DataFrame:
    """Where journeys start, neighbourhood by neighbourhood in another order."""
    row = np.empty(len(order), np.int32)
    row[order] = np.arange(len(order), dtype=np.int32)
    origins = zones.origins.assign(zone=row[zones.origins["zone"].to_numpy()])
    return origins.sort_values(["zone", "id", "lon", "lat"], kind="stable").reset_index(drop=True)


def _rows(pair: _Pair, found: _Found) -> Iterator[dict[str, Any]]:
    """The rows of ``explained.csv``: for each figure its inputs, then the routes of its timetable, then the whole change."""
    for day, window in pair.headline.slots:
        for kind in pair.headline.kinds:
            for grouping, group in pair.headline.groups:
                figure = (window, kind, grouping, group)
                about = {
                    "run": pair.after.id,
                    "against": pair.before.id,
                    "day": day,
                    "window": window,
                    "kind": kind,
                    "measure": MEASURE,
                    "cutoff_min": pair.headline.cutoff_min,
                    "grouping": grouping,
                    "group": group,
                }
                change = _table_change(pair, day, figure)
                for row in _parts(found, day, figure, change):
                    known = math.isfinite(change) and change != 0
                    yield {**about, **row, "share": row["change_explained"] / change if known else math.nan}


def _parts(found: _Found, day: str, figure: Figure, change: float) -> Iterator[dict[str, Any]]:
    new = found.new[day][figure]
    gains = {name: new - found.inputs[name][day][figure] if name in found.inputs else 0.0 for name in PARTS}
    worked_out = new - found.old[day][figure]
    for name, gain in gains.items():
        yield _part("change", name, gain)
        if name == "timetable" and found.routes:
            own = [(route, new - figures[day][figure]) for route, figures in found.routes if day in figures]
            for route, explained in own:
                part = "route" if route.key else "other routes"
                yield _part("timetable", part, explained, route)
            yield _part("timetable", "routes together", gain - math.fsum(explained for _, explained in own))
    yield _part("change", "together", worked_out - math.fsum(gains.values()))
    yield _part("change", "program", change - worked_out)
    yield _part("", "change", change)


def _part(of: str, part: str, explained: float, route: _Route | None = None) -> dict[str, Any]:
    return {
        "of": of,
        "part": part,
        "route": route.key if route is not None else "",
        "name": route.name if route is not None else "",
        "departures_changed": route.changed if route is not None else np.nan,
        "change_explained": explained + 0.0,
    }


def _table_change(pair: _Pair, day: str, figure: Figure) -> float:
    """The change between the tables of the runs themselves."""
    window, kind, grouping, group = figure
    values = []
    for run in (pair.before, pair.after):
        rows = run.groups
        mine = rows[
            (rows["day"] == day)
            & (rows["window"] == window)
            & (rows["kind"] == kind)
            & (rows["grouping"] == grouping)
            & (rows["group"] == group)
            & (rows["measure"] == MEASURE)
            & (rows["reading"] == READING)
            & (rows["cutoff_min"] == pair.headline.cutoff_min)
        ]
        values.append(float(mine["value"].iat[0]) if len(mine) else math.nan)
    return 0.0 if values[0] == values[1] else values[1] - values[0]
