"""Every service of a network taken away by itself: what would be lost, by whom, and what it would save."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from community_routes.base.columns import LEAST_CHANGE
from community_routes.base.errors import ScenarioError, UsageError, as_path
from community_routes.base.files import RUN_FILE, new_folder
from community_routes.base.processes import done_side_by_side
from community_routes.base.times import MINUTE
from community_routes.base.timings import Stopwatch
from community_routes.evaluation.case import Case, Study
from community_routes.evaluation.cost import proposal_cost
from community_routes.evaluation.results import check_least_change, counted_from, run_record
from community_routes.evaluation.window import amount_units
from community_routes.measures.measure import PLACES
from community_routes.planning.lost import MEASURE, Beside, ranks
from community_routes.planning.page import nobody_misses, percent_words, review_html, service_words, whose
from community_routes.planning.result import REVIEW_COLUMNS, Missed
from community_routes.planning.services import ALL_WEEK, Period, Service, asked_periods, services_of, usual_periods
from community_routes.report.cells import csv_text, publish
from community_routes.report.lead import HEADLINE_KINDS
from community_routes.routing.runner import Progress, Runner
from community_routes.scenarios.cost import Cost
from community_routes.sources.study.file import MeasureChoice
from community_routes.sources.study.travel import Window


@dataclass(frozen=True, eq=False)
class Review(Missed):
    """What each service of a network is worth; in a folder by ``write``."""

    def __repr__(self) -> str:
        return f"Review({self.study.file.study}: {len(self.services)} services)"

    def _repr_html_(self) -> str:
        columns = ["route", "period", "lost_percent_most_deprived", "persons_worse", "bus_hours_saved"]
        return str(self.of_periods(self.kinds[0])[columns].head(20).to_html(index=False))

    def text(self) -> str:
        """A summary for a terminal: the services that would be missed most, and what nobody would miss."""
        kind = self.kinds[0]
        table = self.of_periods(kind)
        some = table[table["lost_percent_most_deprived"] > 0]
        lines = [f"{len(table):,} services taken away one at a time; missed most by {whose(self)} ({kind}):"]
        for _, row in some.head(5).iterrows():
            lines.append(
                f"  {int(row['rank'])}. {service_words(row)}: {percent_words(-row['lost_percent_most_deprived'])}, "
                f"{row['bus_hours_saved']:,.0f} bus-hours a year"
            )
        return "\n".join([*lines, f"  missed by nobody, by these figures: {len(nobody_misses(self)):,}"])

    def write(self, out: str | Path, *, stopwatch: Stopwatch | None = None) -> Path:
        """Write ``review.html``, ``review.csv``, ``review_groups.csv`` and ``run.json`` into a folder, whole or not at all.

        Returns
        -------
        Path
            The page.

        Raises
        ------
        UsageError
            The folder holds something else.
        """
        out = as_path(out)
        with (stopwatch or Stopwatch()).stage("report"), new_folder(out) as made:
            publish(made / "review.csv", csv_text(self.table).encode("utf-8"))
            publish(made / "review_groups.csv", csv_text(self.groups).encode("utf-8"))
            publish(made / "review.html", review_html(self).encode("utf-8"))
            publish(made / RUN_FILE, self.run_json().encode("utf-8"))
        return out / "review.html"

    def run_json(self) -> str:
        """Version, settings, names and hashes of the inputs, and counts, with sorted keys."""
        counts = {"services": len(self.services), "rows": {"review": len(self.table)}}
        return run_record(self.study, "review", counted_from(self.least_change), counts=counts)


def review(
    study: Study,
    *,
    periods: Sequence[str] = (),
    cost: Cost | None = None,
    least_change: float = LEAST_CHANGE,
    threads: int = 1,
    stopwatch: Stopwatch | None = None,
    progress: Progress | None = None,
) -> Review:
    """Take each service of today's timetable away by itself, and say what is lost and what is saved.

    Each row is what ``run`` says of a proposal that only withdraws that route in that period, for travellers who set out in
    the period: opportunities reached within the middle cutoff on average over its departures.

    Parameters
    ----------
    study : Study
    periods : sequence of str, optional
        Hours such as ``07:00-09:00`` (of every day) or ``saturday=10:00-16:00``; the five usual periods of weekdays, and
        Saturdays and Sundays whole, when left out.
    cost : Cost, optional
        Rates of operation; without them what is saved is told in bus-hours.
    least_change : float
        A change of at most this share of today's level makes nobody a loser.
    threads : int
        Services side by side, in processes of their own; changes nothing but the time it takes.
    stopwatch : Stopwatch, optional
    progress : callable of str, optional

    Returns
    -------
    Review

    Raises
    ------
    UsageError
        A period means nothing, or nothing runs in any.
    StudyError
        Nothing can be measured.
    """
    check_least_change(least_change)
    dates = study.file.dates
    chosen = asked_periods(periods, dates) if periods else usual_periods(dates)
    services = services_of(study.feed, dates, chosen)
    if all(service.period is None for service in services):
        raise UsageError("no route starts a trip in any of the periods; name others with --periods")
    runner = Runner.of(1, None, stopwatch, progress)
    case = _with_periods(Case.of(study), chosen)
    units = {key: amount_units(case.file).get(key, PLACES) for key in case.opportunities.keys}
    with runner.stage("routing"):
        runner.tell("searching today's timetable")
        beside = {period: Beside.of(case, period, units, least_change) for period in chosen}
    work = _Work(case, beside, cost, services)
    done = done_side_by_side(work.take_away, len(services), threads, _Progress(runner, len(services)).done)
    parts = [part for of_service in done for part in of_service]
    table = _ranked(pd.DataFrame([row for part in parts for row in part.rows]))
    return Review(
        study=case.study,
        services=tuple(services),
        table=table,
        groups=_groups(parts),
        change=_worst_changes(table, parts),
        least_change=least_change,
    )


def _with_periods(case: Case, periods: Sequence[Period]) -> Case:
    """The case with the periods as its windows, and nothing measured but opportunities reached."""
    windows = {period.window: Window(time=period.window_s, days=(period.day,)) for period in periods}
    longest = max(case.file.travel.cutoffs_min)
    return case.with_settings(
        windows=windows, max_travel_min=longest, percentiles=(50,), measures=(MeasureChoice(name=MEASURE),)
    )


@dataclass(frozen=True, eq=False)
class _Part:
    """A service taken away, as seen in one window."""

    service: Service
    rows: list[dict[str, object]]
    groups: list[pd.DataFrame]
    changes: Mapping[str, NDArray[np.float64]]


@dataclass(frozen=True, eq=False)
class _Progress:
    """How many services have been taken away, and how long the others will take."""

    runner: Runner
    n: int
    began: float = field(default_factory=time.perf_counter)

    def done(self, count: int) -> None:
        """Say it."""
        left_s = (time.perf_counter() - self.began) / count * (self.n - count)
        left = f"{left_s / MINUTE:.0f} min" if left_s >= MINUTE else f"{left_s:.0f} s"
        self.runner.tell(f"services taken away: {count:,} of {self.n:,}, {left} left")


@dataclass(frozen=True, eq=False)
class _Work:
    """What every service is taken away from."""

    case: Case
    beside: Mapping[Period, Beside]
    cost: Cost | None
    services: Sequence[Service]

    def take_away(self, number: int) -> list[_Part]:
        """What the study lacks without a service: in its period, or in all for a whole route."""
        service = self.services[number]
        try:
            case = self.case.with_scenario(service.scenario(self.cost))
        except ScenarioError as fault:
            raise UsageError(f"{service.name}, {service.when}, cannot be taken away: {fault}") from None
        cost = proposal_cost(self.case, case)  # by the rates of the study where none were given
        year = cost.year["change"] if cost is not None else pd.Series(dtype=np.float64)
        saved = {
            f"{name}_saved": -float(year.get(key, np.nan))
            for name, key in (("bus_hours", "bus_hours"), ("km", "km"), ("buses", "peak_vehicles"), ("cost", "cost"))
        }
        periods = self.beside if service.period is None else [service.period]
        return [self._part(service, period, case, saved) for period in periods]

    def _part(self, service: Service, period: Period, case: Case, saved: Mapping[str, float]) -> _Part:
        beside = self.beside[period]
        lost = beside.without(case)
        about = {
            "service": service.id,
            "route_id": service.route_id,
            "route": service.name,
            "operator": service.operator,
            "mode": service.mode,
            "period": service.when,
            "day": period.day,
            "window": period.window,
            "departures": service.departures,
        }
        alone = beside.about(service.route)
        return _Part(service, [{**about, **row, **alone, **saved} for row in lost.rows], lost.groups, lost.changes)


def _groups(parts: Sequence[_Part]) -> pd.DataFrame:
    """The rows of groups.csv of all services, those that change nothing apart."""
    tables = [table.drop(columns="scenario").assign(service=part.service.id) for part in parts for table in part.groups]
    if not tables:
        return pd.DataFrame(columns=["service"])
    found = pd.concat(tables, ignore_index=True)
    return found[["service", *(name for name in found.columns if name != "service")]]


def _ranked(table: pd.DataFrame) -> pd.DataFrame:
    """The table with shares lost and ranks, kinds that lead first within a service."""
    lost = -table["change_most_deprived"].to_numpy(np.float64)
    before = table["baseline_most_deprived"].to_numpy(np.float64)
    hours = table["bus_hours_saved"].to_numpy(np.float64)
    with np.errstate(invalid="ignore", divide="ignore"):
        table["lost_percent_most_deprived"] = np.where(before > 0, 100 * lost / before, 0.0)
        table["lost_per_1000_bus_hours"] = np.where(hours > 0, 1000 * lost / hours, np.nan)
    table["rank"] = table["rank_per_bus_hour"] = pd.array([None] * len(table), dtype="Int64")
    whole = (table["period"] == ALL_WEEK).to_numpy()
    for kind in dict.fromkeys(table["kind"]):
        for routes in (False, True):
            mine = table[(table["kind"] == kind).to_numpy() & (whole == routes)]
            # A whole route stands where it is missed most.
            shares = mine.groupby("service", sort=False)["lost_percent_most_deprived"]
            worst = mine.loc[shares.idxmax().dropna().astype(int)]
            for column, by in (
                ("rank", "lost_percent_most_deprived"),
                ("rank_per_bus_hour", "lost_per_1000_bus_hours"),
            ):
                table.loc[worst.index, column] = pd.array(ranks(worst[by].tolist()), dtype="Int64")
    lead = {kind: place for place, kind in enumerate(HEADLINE_KINDS)}
    order = table["kind"].map(lambda kind: lead.get(str(kind), len(lead)))
    place = pd.factorize(pd.MultiIndex.from_frame(table[["service", "window"]]))[0]
    table = table.iloc[np.lexsort((order.to_numpy(), place))].reset_index(drop=True)
    return table[list(REVIEW_COLUMNS)]


def _worst_changes(table: pd.DataFrame, parts: Sequence[_Part]) -> dict[tuple[int, str], NDArray[np.float64]]:
    """Change by neighbourhood of each service and kind in the window where it is missed most."""
    found: dict[tuple[int, str], NDArray[np.float64]] = {}
    most: dict[tuple[int, str], float] = {}
    lost = table.set_index(["service", "window", "kind"])["lost_percent_most_deprived"]
    for part in parts:
        for row in part.rows:
            key = part.service.number, str(row["kind"])
            share = float(lost[row["service"], row["window"], row["kind"]])
            if key not in most or share > most[key]:
                most[key], found[key] = share, part.changes[key[1]]
    return found
