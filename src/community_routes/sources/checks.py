"""Checks of a timetable against the date of a study: is there service, is it usual, does the feed reach far enough?"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from community_routes.base.errors import FeedError
from community_routes.base.notices import Notice, declare
from community_routes.base.times import DAY, FIRST_DATE, LAST_DATE
from community_routes.sources.gtfs import service as headways
from community_routes.sources.gtfs.feed import Feed, weekday_of
from community_routes.sources.study.dates import country_of

NO_SERVICE = declare("no_service_on_date", "error", "No trip of the timetable runs on the service date.")
SOURCE_WITHOUT_SERVICE = declare(
    "feed_without_service", "warning", "One of several timetables has no trip on the service date, though another has."
)
NEXT_DAY_UNKNOWN = declare(
    "next_day_unknown",
    "warning",
    "The service date is the last day of the timetable, so trips of the day after are unknown.",
)
OUTSIDE_VALIDITY = declare(
    "outside_feed_dates",
    "warning",
    "The service date lies outside the dates that the publisher of the feed vouches for.",
)
UNUSUAL_SERVICE = declare(
    "unusual_service",
    "warning",
    "Far fewer or far more trips run on the service date than on that weekday in other weeks.",
)

_WEEKS = 8
_FEW, _MANY = 0.75, 1.35


@dataclass(frozen=True)
class ServiceDays:
    """How many trips set off on each date.

    Attributes
    ----------
    start : datetime64[D]
        The first date of the table.
    trips : int64, shape (n_days,)
        Trips of all services that run on each date; a trip with headways counts each departure.
    """

    start: np.datetime64
    trips: NDArray[np.int64]

    def on(self, date: dt.date) -> int:
        """Trips on a date."""
        i = int((np.datetime64(date, "D") - self.start).astype(np.int64))
        return int(self.trips[i]) if 0 <= i < len(self.trips) else 0

    def first_and_last(self) -> tuple[dt.date, dt.date] | None:
        """First and last date with a trip; ``None`` when there is none."""
        span = self._span()
        return (self.date(span[0]), self.date(span[1])) if span else None

    def _span(self) -> tuple[int, int] | None:
        """First and last day with a trip; ``None`` when there is none."""
        runs = self.trips != 0
        return (int(runs.argmax()), len(runs) - 1 - int(runs[::-1].argmax())) if runs.any() else None

    def nearest_weekday(self, date: dt.date) -> dt.date | None:
        """The date with a trip nearest to the one given that is the same day of the week; the later of two."""
        i = int((np.datetime64(date, "D") - self.start).astype(np.int64))
        days = np.flatnonzero(self.trips)
        days = days[(days - i) % 7 == 0]
        if not len(days):
            return None
        return self.date(int(days[np.lexsort((-days, np.abs(days - i)))[0]]))

    def same_weekday(self, date: dt.date, weeks: int) -> NDArray[np.int64]:
        """Trips on that day of the week in the weeks before and after, within the first and last day with a trip."""
        i = int((np.datetime64(date, "D") - self.start).astype(np.int64))
        span = self._span()
        near = i + 7 * np.array([k for k in range(-weeks, weeks + 1) if k])
        near = near[(near >= span[0]) & (near <= span[1])] if span else near[:0]
        trips: NDArray[np.int64] = self.trips[near]
        return trips

    def date(self, i: int) -> dt.date:
        """The i-th date of the table."""
        day: dt.date = (self.start + np.timedelta64(i, "D")).astype(dt.date)
        return day


def count_trips(feed: Feed, source: int | None = None) -> ServiceDays:
    """Trips by date, of all the feed or of one of the timetables that were joined (a row of ``feed.sources``)."""
    calendar = feed.calendar
    weight = _departures_of_services(feed, source)
    used = weight > 0
    weekly = np.flatnonzero(used & ~np.isnat(calendar.start) & (calendar.end >= calendar.start))
    exceptions = np.flatnonzero(used[calendar.exception_service]) if len(used) else np.zeros(0, np.int64)
    dates = np.concatenate([calendar.start[weekly], calendar.end[weekly], calendar.exception_date[exceptions]])
    if not len(dates):
        return ServiceDays(np.datetime64(FIRST_DATE, "D"), np.zeros(0, np.int64))
    start = dates.min()
    n_days = int((dates.max() - start).astype(np.int64)) + 1
    trips = np.zeros(n_days, np.int64)
    weekday_of_start = int(weekday_of(start))
    first = (calendar.start[weekly] - start).astype(np.int64)
    end = (calendar.end[weekly] - start).astype(np.int64) + 1
    for ahead in range(7):  # one day of the week at a time: a calendar of ten thousand years is laid out but once
        runs = weight[weekly] * calendar.weekdays[weekly, (weekday_of_start + ahead) % 7]
        weeks = trips[ahead::7]
        steps = np.zeros(len(weeks) + 1, np.int64)
        np.add.at(steps, -(-(first - ahead) // 7), runs)
        np.add.at(steps, -(-(end - ahead) // 7), -runs)
        weeks += np.cumsum(steps[:-1])
    for e in exceptions:
        service, date = calendar.exception_service[e], calendar.exception_date[e]
        i = int((date - start).astype(np.int64))
        usual = bool(
            calendar.weekdays[service, (weekday_of_start + i) % 7]
            and calendar.start[service] <= date <= calendar.end[service]
        )
        trips[i] += int(weight[service]) * (int(calendar.exception_added[e]) - int(usual))
    return ServiceDays(start, trips)


def _departures_of_services(feed: Feed, source: int | None) -> NDArray[np.int64]:
    """Departures a day of each service, shape (n_services,)."""
    departures = np.ones(len(feed.trips), np.int64)
    if len(feed.frequencies):
        trip = feed.frequencies["trip"].to_numpy()
        departures[trip] = 0
        np.add.at(departures, trip[headways.departures(feed)[0]], 1)
    service = feed.trips["service"].to_numpy()
    keep = service >= 0
    if source is not None:
        keep &= feed.trips["source"].to_numpy() == source
    weight = np.zeros(len(feed.calendar.service_id), np.int64)
    np.add.at(weight, service[keep], departures[keep])
    return weight


def service_dates(feed: Feed) -> tuple[dt.date, dt.date]:
    """First and last date on which a trip of the feed runs.

    Raises
    ------
    FeedError
        No trip ever runs.
    """
    dates = count_trips(feed).first_and_last()
    if dates is None:
        raise FeedError(f"{', '.join(feed.sources) or 'the timetable'}: no trip runs on any date; look at its calendar")
    return dates


def country_of_feed(feed: Feed) -> str:
    """Code of the country whose holidays a timetable keeps, by its time zones and the middle of its served stops."""
    served = np.unique(feed.calls.stop)
    places = [feed.stops[name].to_numpy(np.float64)[served] for name in ("lon", "lat")]
    lon, lat = (float(np.median(part[~np.isnan(part)])) if (~np.isnan(part)).any() else np.nan for part in places)
    return country_of(feed.agencies["agency_timezone"], lon, lat)


def usual_date(feed: Feed) -> dt.date:
    """A date that says most about an ordinary week: the Tuesday in the middle of the feed's time, if trips run then.

    Where the calendar is open (before 1990, after 2100), its time is that within a year of the other dates at which the
    number of trips changes: nobody asks for the middle of the years 2024 to 9999.

    Of the Tuesdays with a trip (or of all dates with one, where no Tuesday has any) those with the usual number of
    trips, within a tenth of their median; of these the one nearest to the middle of all dates with a trip.

    Raises
    ------
    FeedError
        No trip ever runs.
    """
    service_dates(feed)
    days = count_trips(feed)
    served = _known_days(days)
    tuesdays = served[weekday_of(days.start + served) == 1]
    candidates = tuesdays if len(tuesdays) else served
    trips = days.trips[candidates]
    usual = candidates[np.abs(trips - np.median(trips)) <= np.median(trips) / 10]
    if not len(usual):
        usual = candidates
    middle = (served[0] + served[-1]) / 2
    return days.date(int(usual[np.argmin(np.abs(usual - middle))]))


def _known_days(days: ServiceDays) -> NDArray[np.int64]:
    """Days with a trip, without those that belong to an open end of the calendar; see :func:`usual_date`."""
    served = np.flatnonzero(days.trips)
    first, last = (int((np.datetime64(date, "D") - days.start).astype(np.int64)) for date in (FIRST_DATE, LAST_DATE))
    inside = served[(served >= first) & (served <= last)]
    if len(inside) == len(served) or not len(inside):
        return served
    around = np.pad(days.trips, 7)
    changes = np.flatnonzero(around[7:] != around[:-7])
    changes = changes[(changes >= first) & (changes <= last)]
    return inside[(inside >= changes[0] - 365) & (inside <= changes[-1] + 365)] if len(changes) else inside


def check_service(feed: Feed, date: dt.date, notices: list[Notice], *, until_s: int = 2 * DAY) -> None:
    """Note whether the feed serves a date, and whether that date is an ordinary one.

    Parameters
    ----------
    until_s
        The latest second of the service date at which somebody may still be travelling; the day after matters only
        beyond midnight.
    """
    days = count_trips(feed)
    name = ", ".join(feed.sources)
    if days.on(date) == 0:
        message = f"no trip runs on {_spoken(date)}{_ways_out(days, date)}"
        notices.append(NO_SERVICE.at(name, message=message, field="service_date", value=date))
        return
    parts = [count_trips(feed, i) for i in range(len(feed.sources))] if len(feed.sources) > 1 else [days]
    for source, part in zip(feed.sources or (name,), parts, strict=True):
        _check_source(source, part, date, until_s, notices)
    for source, (first, last) in zip(feed.sources, feed.valid, strict=False):
        if (first and date < first) or (last and date > last):
            period = f"from {first or 'the beginning'} to {last or 'the end'}"
            message = (
                f"{_spoken(date)} is not in the time for which this timetable was published ({period}); it may be out of "
                "date. Choose another date or a newer timetable"
            )
            notices.append(OUTSIDE_VALIDITY.at(source, message=message, field="service_date", value=date))


def _check_source(name: str, days: ServiceDays, date: dt.date, until_s: int, notices: list[Notice]) -> None:
    trips = days.on(date)
    if trips == 0:
        message = f"no trip of this timetable runs on {_spoken(date)}, though others run{_ways_out(days, date)}"
        notices.append(SOURCE_WITHOUT_SERVICE.at(name, message=message, field="service_date", value=date))
        return
    dates = days.first_and_last()
    if dates is not None and date >= dates[1] and until_s > DAY:
        message = (
            f"{_spoken(date)} is the last day of this timetable, so trips of the day after are unknown; a journey "
            "after midnight may find none. Choose an earlier date or a newer timetable"
        )
        notices.append(NEXT_DAY_UNKNOWN.at(name, message=message, field="service_date", value=date))
    others = days.same_weekday(date, _WEEKS)
    others = others[others > 0]
    if len(others) < 2:
        return
    usual = float(np.median(others))
    if not _FEW * usual <= trips <= _MANY * usual:
        message = (
            f"{trips:,} trips run on {_spoken(date)}, but {usual:,.0f} on the usual {date:%A} of the {_WEEKS} weeks before "
            "and after; is it a holiday? Choose another date, or keep this one if it is meant"
        )
        notices.append(UNUSUAL_SERVICE.at(name, message=message, field="service_date", value=date))


def _ways_out(days: ServiceDays, date: dt.date) -> str:
    dates = days.first_and_last()
    if dates is None:
        return "; no trip of it runs on any date"
    near = days.nearest_weekday(date)
    advice = f"; the nearest {date:%A} with service is {near.isoformat()}" if near else f"; no {date:%A} has service"
    return f". It has service from {dates[0].isoformat()} to {dates[1].isoformat()}{advice}"


def _spoken(date: dt.date) -> str:
    return f"{date:%A} {date.isoformat()}"
