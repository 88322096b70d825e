"""Every input checked, and a summary that a person can act on."""

from __future__ import annotations

import datetime as dt
import textwrap
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from community_routes.base.columns import NOTICES_COLUMNS
from community_routes.base.errors import CommunityRoutesError, as_path
from community_routes.base.notices import CODES, Notice, counted, declare, errors_in, sort_notices, total
from community_routes.base.times import MINUTE, format_time, format_window
from community_routes.base.timings import Stopwatch
from community_routes.scenarios.edit.routes import route_name
from community_routes.sources.checks import check_service, service_dates, usual_date
from community_routes.sources.gtfs.feed import Feed
from community_routes.sources.gtfs.read import read_feed
from community_routes.sources.gtfs.trips import mode_of

if TYPE_CHECKING:  # a bare timetable is checked without what a study needs: half of the time went into importing it
    from community_routes.evaluation.case import Study
    from community_routes.evaluation.places import Reached

SHORT_WINDOW = declare(
    "window_under_headway",
    "warning",
    "A window is shorter than the time between two buses of a regular route, so its figures depend on where it begins.",
)
_REGULAR_TRIPS = 4
_NARROWEST, _WIDEST = 60, 120
_MARKS = {"error": "ERROR", "warning": "warning", "info": "remark"}


@dataclass(frozen=True, eq=False)
class CheckResult:
    """What checking found.

    Attributes
    ----------
    notices : list of Notice
        Errors first.
    lines : list of (label, text)
        The summary; a line without a text is a heading.
    name : str
        What was checked.
    study : Study or None
        What was read, where it can be used.
    reached : Reached or None
        Which places are on the network, where there is a study.
    faulty : tuple of str
        The scenario files that cannot be used, where the study can.
    """

    notices: list[Notice]
    lines: list[tuple[str, str]] = field(default_factory=list)
    name: str = ""
    study: Study | None = None
    reached: Reached | None = None
    faulty: tuple[str, ...] = ()

    def failed(self, *, strict: bool = False) -> bool:
        """Whether there is an error, or with ``strict`` a warning."""
        grave = ("error", "warning") if strict else ("error",)
        return any(notice.severity in grave for notice in self.notices)

    def text(self, width: int = 100, *, strict: bool = False) -> str:
        """The summary, what was left out, every error in full and an example of each other kind of notice."""
        width = min(max(width, _NARROWEST), _WIDEST)
        kinds = _kinds(self.notices)
        lines = [*_table(self.lines, width), *_dropped(kinds, width)]
        if kinds:
            lines += ["", "Notices"]
        for (severity, code), found in kinds.items():
            lines += _kind_lines(severity, code, found, self.name, width)
        return "\n".join([*lines, "", *textwrap.wrap(self._verdict(strict), width, break_on_hyphens=False)]).lstrip(
            "\n"
        )

    def _verdict(self, strict: bool) -> str:
        counts: Counter[str] = Counter()
        kinds: Counter[str] = Counter()
        for (severity, _), found in _kinds(self.notices).items():
            counts[severity] += total(found)
            kinds[severity] += 1
        parts = []
        for severity, what in (("error", "error"), ("warning", "warning"), ("info", "remark")):
            n, m = counts[severity], kinds[severity]
            parts.append(counted(n, what) + (f" of {counted(m, 'kind')}" if n > m else ""))
        said = ", ".join(parts)
        if counts["error"]:
            return f"{said}. {' and '.join(self.faulty) or self.name} cannot be used until the errors are mended."
        if strict and counts["warning"]:
            return f"{said}. With --strict warnings count as errors."
        return f"{said}. {self.name} can be used" + ("; look at the warnings first." if counts["warning"] else ".")

    def write_notices(self, folder: str | Path) -> Path:
        """Write ``notices.csv`` into a folder."""
        from community_routes.report.cells import csv_text, publish

        path = Path(folder) / "notices.csv"
        publish(path, csv_text(notices_table(self.notices)).encode("utf-8"))
        return path


def notices_table(notices: Sequence[Notice]) -> pd.DataFrame:
    """Notices in the columns of ``notices.csv``, in their order."""
    rows = [(n.severity, n.code, n.file, n.row, n.field, n.value, n.message) for n in sort_notices(notices)]
    return pd.DataFrame(rows, columns=list(NOTICES_COLUMNS)).astype({"row": "Int64"})


def check_inputs(
    target: str | Path,
    scenarios: Sequence[str | Path] = (),
    *,
    cache: Path | None = None,
    stopwatch: Stopwatch | None = None,
    progress: Callable[[str], None] | None = None,
) -> CheckResult:
    """Check a study with scenarios, or a bare timetable (a name that ends in ``.zip``)."""
    target = as_path(target)
    tell = progress or (lambda _: None)
    if target.suffix.lower() == ".zip":
        return _check_feed(target)
    from community_routes.evaluation.case import open_study
    from community_routes.evaluation.evaluate import evaluate_places
    from community_routes.evaluation.proposals import read_scenarios

    notices: list[Notice] = []
    try:
        study = open_study(target, notices=notices, cache=cache, stopwatch=stopwatch)
    except CommunityRoutesError as wrong:
        return CheckResult(_with(notices, wrong), name=target.name)
    tell("linking places to streets")
    reached = evaluate_places(study, notices)
    check_windows(study, reached, notices)
    lines = _study_lines(study, reached)
    faulty = []
    if scenarios:
        tell("trying the scenarios")
        lines.append(("", ""))
        lines.append(("Proposals", ""))
        for path in scenarios:
            try:
                (scenario,) = read_scenarios([path], study, notices=notices)
                lines.append((scenario.scenario, f"{counted(len(scenario.changes), 'change')} can be made"))
            except CommunityRoutesError as wrong:
                notices = _with(notices, wrong)
                lines.append((Path(path).name, "cannot be used"))
                faulty.append(Path(path).name)
    return CheckResult(sort_notices(notices), lines, target.name, study, reached, tuple(faulty))


def _with(notices: list[Notice], wrong: CommunityRoutesError) -> list[Notice]:
    """The notices, with those that only the error holds."""
    more = [notice for notice in wrong.notices if isinstance(notice, Notice)]
    if not more and not any(str(notice) in str(wrong) for notice in errors_in(notices)):
        more = [Notice("error", "unreadable_input", str(wrong))]
    return sort_notices([*notices, *more])


def _check_feed(path: Path) -> CheckResult:
    notices: list[Notice] = []
    try:
        feed = read_feed(path, notices=notices)
        first, last = service_dates(feed)
    except CommunityRoutesError as wrong:
        return CheckResult(_with(notices, wrong), name=path.name)
    day = usual_date(feed)
    check_service(feed, day, notices)
    lines = [("Timetable", ""), *_feed_lines(feed), ("service", f"{first} to {last}"), ("", "")]
    lines += [("What runs", ""), *_service_lines(feed, "an ordinary day", day)]
    found = [notice for notice in notices if notice.code not in ("next_day_unknown", "outside_feed_dates")]
    return CheckResult(sort_notices(found), lines, path.name)


def _feed_lines(feed: Feed) -> list[tuple[str, str]]:
    routes, trips, stops = len(feed.routes), len(feed.trips), len(feed.stops)
    named = ", ".join(feed.sources)
    return [("timetable", f"{named}: {counted(routes, 'route')}, {counted(trips, 'trip')}, {counted(stops, 'stop')}")]


def _study_lines(study: Study, reached: Reached) -> list[tuple[str, str]]:
    """What was read, and what runs on the days of a study."""
    first, last = service_dates(study.feed)
    zones, table = study.zones, study.opportunities.table
    people = f", {zones.table['population'].sum():,.0f} residents" if zones.has_population else ", residents not given"
    off = int((~reached.origins.place_linked).sum()), int((~reached.destinations.place_linked).sum())
    away = [f" ({n:,} off the network)" if n else "" for n in off]
    kinds = ", ".join(f"{key} {count:,}" for key, count in table["key"].value_counts(sort=False).items())
    lines = [(f"{study.title} ({study.file.study})", ""), *_feed_lines(study.feed), ("service", f"{first} to {last}")]
    lines += [
        ("walking", _ground_words(study)),
        ("neighbourhoods", f"{len(zones.table):,}{people}{away[0]}"),
        ("destinations", f"{len(table):,}: {kinds}{away[1]}"),
        ("windows", ", ".join(f"{name} {format_window(w.time)}" for name, w in study.file.travel.windows.items())),
        ("", ""),
        ("What runs", ""),
    ]
    near = _near_stops(study, reached)
    for day, date in study.file.dates.items():
        lines += _service_lines(study.feed, day, date, near)
    return lines


def _near_stops(study: Study, reached: Reached) -> NDArray[np.bool_]:
    """Whether each stop lies within a walk of a neighbourhood."""
    near = np.zeros(len(study.feed.stops), np.bool_)
    near[reached.walks.access.to] = True
    return near


def _ground_words(study: Study) -> str:
    from community_routes.network.streets.streets import Streets

    if not isinstance(study.ground, Streets):
        return f"straight line x {study.ground.detour:g}"
    west, south, east, north = study.ground.area
    return f"along streets, longitude {west:.3f} to {east:.3f}, latitude {south:.3f} to {north:.3f}"


def _service_lines(
    feed: Feed, label: str, date: dt.date, near: NDArray[np.bool_] | None = None
) -> list[tuple[str, str]]:
    """What runs on a date: routes, trips, first and last departure, by mode; and how much of it people can walk to.

    Trips with headways count each departure, at the time at which it leaves; the times of their template mean nothing.
    """
    from community_routes.scenarios.edit.routes import runs_of

    trips = feed.active_trips(date)
    trips = trips[np.diff(feed.calls.first)[trips] >= 2]
    named = f"{date:%a} {date}"
    if not len(trips):
        return [(label, f"{named}: no service")]
    starts = runs_of(feed, trips).start_s
    route = feed.trips["route"].to_numpy()[trips]
    kinds = feed.routes["route_type"].to_numpy()
    modes = Counter(mode_of(int(kinds[one])) for one in np.unique(route))
    by_mode = ", ".join(f"{count:,} {mode}" for mode, count in sorted(modes.items()))
    first, last = (format_time(int(moment), with_seconds=False) for moment in (starts.min(), starts.max()))
    number = len(np.unique(route))
    said = f"{named}: {counted(number, 'route')} ({by_mode}), {counted(len(starts), 'trip')}, first leaves {first}, last {last}"
    if near is not None:
        within = int(np.isin(np.unique(route), _routes_at(feed, near)).sum())
        said += f"; {within:,} of the routes stop within a walk of a neighbourhood" if within < number else ""
    return [(label, said)]


def _routes_at(feed: Feed, near: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Rows of the routes that call at one of some stops."""
    trip_of_call = np.repeat(np.arange(len(feed.trips)), np.diff(feed.calls.first))
    routes: NDArray[np.int64] = np.unique(feed.trips["route"].to_numpy()[trip_of_call[near[feed.calls.stop]]])
    return routes


def check_windows(study: Study, reached: Reached, notices: list[Notice]) -> None:
    """Note the windows that are shorter than the time between two buses of a regular route within reach on foot."""
    feed, near = study.feed, _near_stops(study, reached)
    for day, date in study.file.dates.items():
        headway_s = regular_headways(feed, date, near)
        for name in study.file.windows_on(day):
            start, end = study.file.travel.windows[name].time
            rare = [route for route, seconds in headway_s.items() if seconds > end - start]
            if not rare:
                continue
            shown = ", ".join(f"{route_name(feed, r)} every {headway_s[r] // MINUTE} min" for r in rare[:4])
            more = f" and {len(rare) - 4} more" if len(rare) > 4 else ""
            message = (
                f"the window {name} ({(end - start) // MINUTE} min) on {day} is shorter than the time between two "
                f"departures of {counted(len(rare), 'regular route')} ({shown}{more}); figures depend on where it "
                "begins. A longer window says more"
            )
            place = study.file.travel.at("windows")
            notices.append(
                SHORT_WINDOW.at(
                    place.get("file", ""), row=place.get("row"), column=place.get("column"),
                    field=f"travel.windows.{name}", value=format_window((start, end)), message=message,
                )
            )  # fmt: skip


def regular_headways(feed: Feed, date: dt.date, near: NDArray[np.bool_]) -> dict[int, int]:
    """Usual seconds between departures of each regular route with a stop among ``near``, on one date.

    A route is regular when it starts at least four times from one of its first stops; the usual time is the median there.
    Trips that repeat by headway count with their headway.
    """
    trips = feed.active_trips(date)
    trips = trips[np.diff(feed.calls.first)[trips] >= 2]
    route_of = feed.trips["route"].to_numpy()
    within = _routes_at(feed, near)
    repeated = feed.frequencies.groupby("trip")["headway_s"].max() if len(feed.frequencies) else {}
    first_call = feed.calls.first[trips]
    table = pd.DataFrame({"route": route_of[trips], "stop": feed.calls.stop[first_call]})
    table["start_s"] = feed.calls.departure_s[first_call]
    table["headway_s"] = [int(repeated.get(trip, 0)) for trip in trips.tolist()]
    found: dict[int, int] = {}
    for (route, _), group in table[table["route"].isin(within)].groupby(["route", "stop"]):
        every = int(group["headway_s"].max())
        if not every and len(group) >= _REGULAR_TRIPS:
            every = int(np.median(np.diff(np.sort(group["start_s"].to_numpy()))))
        if every:
            found[int(route)] = min(every, found.get(int(route), every))
    return found


def _kinds(notices: Sequence[Notice]) -> dict[tuple[str, str], list[Notice]]:
    kinds: dict[tuple[str, str], list[Notice]] = {}
    for notice in sort_notices(notices):
        kinds.setdefault((notice.severity, notice.code), []).append(notice)
    return kinds


def _kind_lines(severity: str, code: str, found: list[Notice], name: str, width: int) -> list[str]:
    """One kind of notice: a heading, then examples: all errors, the first two of anything else."""
    examples = [notice for notice in found if not notice.is_sum] or found
    shown = examples if severity == "error" else examples[:2]
    count = max(total(found), len(examples))
    lines = [f"  {_MARKS[severity]}  {code}" + (f"  ({count:,})" if count > 1 else "")]
    for notice in shown:
        # Every table of a bare timetable lies in the one zip that was asked about; its name says nothing new.
        shown_as = replace(notice, file=notice.file.removeprefix(f"{name}/")) if name.endswith(".zip") else notice
        for paragraph in str(shown_as).splitlines():
            lines += textwrap.wrap(
                paragraph, width, initial_indent="      ", subsequent_indent="      ", break_on_hyphens=False
            )
    if count > len(shown) and not shown[-1].is_sum:
        lines.append(f"      ... and {count - len(shown):,} more")
    return lines


def _dropped(kinds: dict[tuple[str, str], list[Notice]], width: int) -> list[str]:
    """What was left out and why, by kind."""
    lines = []
    for (severity, code), found in kinds.items():
        if severity != "error" and code in CODES and CODES[code].outcome == "left out":
            said = f"{total(found):,} x {CODES[code].explained.rstrip('.')}"
            lines += textwrap.wrap(said, width, initial_indent="  ", subsequent_indent="      ", break_on_hyphens=False)
    return ["", "What was left out, and why", *lines] if lines else []


def _table(lines: Sequence[tuple[str, str]], width: int) -> list[str]:
    """Labels in one column, texts wrapped in another."""
    indent = max((len(label) for label, text in lines if text), default=0) + 4
    out = []
    for label, text in lines:
        if not text:
            out.append(label)
            continue
        head = f"  {label}".ljust(indent)
        out += textwrap.wrap(text, width, initial_indent=head, subsequent_indent=" " * indent, break_on_hyphens=False)
    return out
