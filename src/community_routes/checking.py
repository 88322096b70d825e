"""Every input checked, and a summary that a person can act on."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd

from community_routes.errors import CommunityRoutesError
from community_routes.evaluation import evaluate_places
from community_routes.notices import Notice, errors_in, sort_notices
from community_routes.reading import read_scenarios
from community_routes.report.results import NOTICES_COLUMNS
from community_routes.report.tables import csv_text, publish
from community_routes.sources.checks import check_service, service_dates
from community_routes.sources.feed import Feed
from community_routes.sources.gtfs import read_feed
from community_routes.sources.gtfs_modes import mode_of
from community_routes.study import Study, open_study
from community_routes.times import format_time
from community_routes.timings import Stopwatch


@dataclass(frozen=True, eq=False)
class CheckResult:
    """What checking found.

    Attributes
    ----------
    notices : list of Notice
        Errors first.
    lines : list of str
        The summary.
    """

    notices: list[Notice]
    lines: list[str] = field(default_factory=list)

    def failed(self, *, strict: bool = False) -> bool:
        """Whether there is an error, or with ``strict`` a warning."""
        grave = ("error", "warning") if strict else ("error",)
        return any(notice.severity in grave for notice in self.notices)

    def text(self) -> str:
        """The summary, with the errors in full."""
        counts = Counter(notice.severity for notice in self.notices)
        total = ", ".join(f"{counts[name]} {name}{'s' if counts[name] != 1 else ''}" for name in ("error", "warning"))
        faults = [f"error: {notice}" for notice in errors_in(self.notices)]
        return "\n".join([*self.lines, *faults, f"{total}, {counts['info']} remarks"])

    def write_notices(self, folder: str | Path) -> Path:
        """Write ``notices.csv`` into a folder."""
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
    target = Path(target)
    tell = progress or (lambda _: None)
    if target.suffix.lower() == ".zip":
        return _check_feed(target)
    notices: list[Notice] = []
    try:
        study = open_study(target, notices=notices, cache=cache, stopwatch=stopwatch)
    except CommunityRoutesError as wrong:
        return CheckResult(_with(notices, wrong), [f"{target.name} cannot be used"])
    tell("linking places to streets")
    lines = _study_lines(study)
    evaluate_places(study, notices)
    if scenarios:
        tell("trying the scenarios")
        try:
            for scenario in read_scenarios(scenarios, study, notices=notices):
                lines.append(f"scenario {scenario.scenario}: {len(scenario.changes)} changes can be made")
        except CommunityRoutesError as wrong:
            notices = _with(notices, wrong)
    return CheckResult(sort_notices(notices), lines)


def _with(notices: list[Notice], wrong: CommunityRoutesError) -> list[Notice]:
    """The notices, with those that only the error holds."""
    more = [notice for notice in wrong.notices if isinstance(notice, Notice)]
    if not more and not errors_in(notices):
        more = [Notice("error", "unreadable_input", str(wrong))]
    return sort_notices([*notices, *more])


def _check_feed(path: Path) -> CheckResult:
    notices: list[Notice] = []
    try:
        feed = read_feed(path, notices=notices)
        first, last = service_dates(feed)
    except CommunityRoutesError as wrong:
        return CheckResult(_with(notices, wrong), [f"{path.name} cannot be used"])
    day = first + (last - first) // 2
    day -= dt.timedelta(days=(day.weekday() - 1) % 7)  # a Tuesday in the middle says most about an ordinary week
    day = min(max(day, first), last)
    check_service(feed, day, notices)
    lines = [repr(feed), f"service from {first} to {last}", *_service_lines(feed, day.isoformat(), day)]
    return CheckResult(sort_notices([n for n in notices if n.code != "next_day_unknown"]), lines)


def _study_lines(study: Study) -> list[str]:
    lines = [f"study {study.file.study}: {study.title}", repr(study.feed), repr(study.ground), repr(study.zones)]
    lines.append(repr(study.opportunities))
    for day, date in study.file.dates.items():
        lines += _service_lines(study.feed, f"{day} {date}", date)
    return lines


def _service_lines(feed: Feed, label: str, date: dt.date) -> list[str]:
    """What runs on a date: routes, trips, first and last departure, by mode."""
    trips = feed.active_trips(date)
    trips = trips[np.diff(feed.calls.first)[trips] >= 2]
    if not len(trips):
        return [f"{label}: no service"]
    starts = feed.calls.departure_s[feed.calls.first[trips]]
    routes = feed.trips["route"].to_numpy()[trips]
    modes = Counter(mode_of(int(kind)) for kind in feed.routes["route_type"].to_numpy()[np.unique(routes)])
    by_mode = ", ".join(f"{count} {mode}" for mode, count in sorted(modes.items()))
    return [
        f"{label}: {len(np.unique(routes))} routes ({by_mode}), {len(trips):,} trips, first departure "
        f"{format_time(int(starts.min()), with_seconds=False)}, last {format_time(int(starts.max()), with_seconds=False)}"
    ]
