"""Changes of where and how fast a route runs: speed, another way, one stop more, some stops fewer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from community_routes.base.earth import great_circle_m
from community_routes.scenarios.changes.new_route import (
    DWELL_S,
    Course,
    Pace,
    course_of,
    run_seconds,
    warn_speed,
)
from community_routes.scenarios.edit.days import EVERY_DAY, DaySet
from community_routes.scenarios.edit.feed import (
    TripCalls,
    add_shape,
    edit_trips,
    shift_frequencies,
    split_days,
)
from community_routes.scenarios.edit.links import warn_of_lost_links
from community_routes.scenarios.edit.routes import directions, runs_of, templates_on_time, trips_of
from community_routes.scenarios.edit.stops import Spot
from community_routes.scenarios.edit.work import CANNOT_APPLY, NO_EFFECT, Work, road_between
from community_routes.scenarios.models import AddStop, ChangeDwell, ChangeSpeed, RemoveStops, Reroute
from community_routes.scenarios.values import PlaceAt
from community_routes.sources.gtfs.feed import Feed
from community_routes.sources.study.yaml import Step


@dataclass
class Selection:
    """Trips of a route that a change acts on, in a feed where they run on those days only."""

    route: int
    name: str
    feed: Feed
    trips: NDArray[np.int64]
    way: dict[int, int]


def select(
    work: Work,
    route: int,
    *,
    days: DaySet = EVERY_DAY,
    period: tuple[int, int] | None = None,
    direction: str = "both",
) -> Selection:
    """The trips of a route on some days, in some hours and in one direction or both."""
    feed, trips = split_days(work.feed, trips_of(work.feed, [route]), days, work.scenario.scenario)
    everything = trips_of(feed, [route])
    way = dict(zip(everything.tolist(), directions(feed, everything).tolist(), strict=True))
    if direction != "both":
        trips = trips[[way[int(trip)] == int(direction) for trip in trips]]
    if period is not None:
        runs = runs_of(feed, trips)
        inside = (runs.start_s >= period[0]) & (runs.start_s < period[1])
        hit = np.unique(runs.trip[inside])
        if len(np.intersect1d(hit, runs.trip[~inside])):
            raise work.stop(
                CANNOT_APPLY,
                "some trips are given by headway (frequencies.txt) and start both in and outside the period; set_headway "
                "for the period first, which makes single trips of them",
            )
        trips = hit
    return Selection(route, work.route_name(route), templates_on_time(feed, trips), trips, way)


def replace_calls(
    work: Work, chosen: Selection, change: Callable[[int, TripCalls], TripCalls | None], nothing: Callable[[], str]
) -> dict[int, TripCalls]:
    """Give each trip the calls that ``change`` makes of its own (None: it stays); a fault where none differs."""
    replaced: dict[int, TripCalls] = {}
    for trip in chosen.trips.tolist():
        old = TripCalls.of(chosen.feed, trip)
        new = change(trip, old)
        if new is not None and not new.same_as(old):
            replaced[trip] = new
    if not replaced:
        raise work.stop(NO_EFFECT, nothing())
    # New stops were made in the feed of the work meanwhile; the split trips are in the selection's.
    feed = replace(chosen.feed, stops=work.feed.stops)
    feed = replace(feed, frequencies=shift_frequencies(feed, replaced))
    before, work.feed = work.feed, edit_trips(feed, replaced=replaced)
    warn_of_lost_links(work, before, chosen.route, work.dates.values())
    work.changed(chosen.route)
    return replaced


def stops_of_place(work: Work, spot: Spot) -> list[int]:
    """All stops of a place; of a stop named by its id that one and the others of its name close by."""
    return sorted({row for stop in spot.stops for row in work.finder.place_of(stop)})


# -- speed ------------------------------------------------------------------------------------------------------------------


def apply_change_speed(work: Work, change: ChangeSpeed) -> None:
    """Let a route run faster or slower between stops."""
    route = work.route(change.route, change.agency)
    days = work.days(change.days, ["days"])
    between = None
    if change.between is not None:
        spots = work.spots(change.between, ["between"])
        between = [np.array(stops_of_place(work, spot)) for spot in spots]
    chosen = select(work, route, days=days, period=change.period_s(), direction=change.direction)
    hops = [0, 0]

    def faster(trip: int, old: TripCalls) -> TripCalls | None:
        first, last = 0, len(old) - 1
        if between is not None:
            section = _section(old, between[0], between[1]) or _section(old, between[1], between[0])
            if section is None:
                return None
            first, last = section
        new = _with_speed(old, first, last, change.factor)
        hops[0] += int(old.arrival_s[-1] - old.departure_s[0])
        hops[1] += int(new.arrival_s[-1] - new.departure_s[0])
        return new

    where = f" between {change.between[0]} and {change.between[1]}" if change.between else ""
    replaced = replace_calls(
        work, chosen, faster, lambda: f"no trip of route {chosen.name} meant here changes its run times{where}"
    )
    work.warn_dates(days, ["days"])
    n = len(replaced)
    work.effect(
        chosen.name,
        f"{chosen.name}: {n} trips x {change.factor:g} speed{where}, mean {hops[0] / n / 60:.1f} -> {hops[1] / n / 60:.1f} min",
    )


def _section(calls: TripCalls, a: NDArray[np.int64], b: NDArray[np.int64]) -> tuple[int, int] | None:
    """Calls at which a trip passes first a place and then another."""
    starts, ends = np.flatnonzero(np.isin(calls.stop, a)), np.flatnonzero(np.isin(calls.stop, b))
    for end in ends:
        before = starts[starts < end]
        if len(before):
            return int(before[-1]), int(end)
    return None


def _with_speed(old: TripCalls, first: int, last: int, factor: float) -> TripCalls:
    """Run times between two calls divided by the factor; dwell and the first departure stay."""
    run = (old.arrival_s[1:] - old.departure_s[:-1]).astype(np.float64)
    dwell = old.departure_s - old.arrival_s
    section = (np.arange(len(run)) >= first) & (np.arange(len(run)) < last)
    run = np.where(section, np.maximum(np.round(run / factor), np.minimum(run, 1)), run)
    return _retimed(old, run.astype(np.int64), dwell)


def _retimed(old: TripCalls, run_s: NDArray[np.int64], dwell_s: NDArray[np.int32]) -> TripCalls:
    """The same calls with other run and dwell times from the same first departure."""
    leave = int(old.departure_s[0])
    arrival = leave + np.cumsum(run_s) + np.concatenate([[0], np.cumsum(dwell_s[1:-1])])
    arrivals = np.concatenate([[int(old.arrival_s[0])], arrival]).astype(np.int32)
    departures = np.concatenate([[leave], arrival + dwell_s[1:]]).astype(np.int32)
    return replace(old, arrival_s=arrivals, departure_s=departures)


def apply_change_dwell(work: Work, change: ChangeDwell) -> None:
    """Let a route stand longer or shorter at stops on its way."""
    route = work.route(change.route, change.agency)
    days = work.days(change.days, ["days"])
    spots = work.spots(change.stops, ["stops"]) if change.stops is not None else None
    there = None if spots is None else np.array(sorted({row for spot in spots for row in spot.stops}), np.int64)
    chosen = select(work, route, days=days, period=change.period_s(), direction=change.direction)
    seconds = [0, 0]

    def dwell(trip: int, old: TripCalls) -> TripCalls:
        standing = old.departure_s - old.arrival_s
        on_the_way = np.arange(len(old)) % max(len(old) - 1, 1) != 0
        mine = on_the_way if there is None else on_the_way & np.isin(old.stop, there)
        wanted = (
            np.full(len(old), change.dwell_s)
            if change.dwell_s is not None
            else np.round(standing * (change.factor or 0))
        )
        new = np.where(mine, wanted, standing).astype(np.int32)
        seconds[0] += int(standing[on_the_way].sum())
        seconds[1] += int(new[on_the_way].sum())
        return _retimed(old, (old.arrival_s[1:] - old.departure_s[:-1]).astype(np.int64), new)

    replaced = replace_calls(
        work,
        chosen,
        dwell,
        lambda: f"no trip of route {chosen.name} meant here stands at a stop for another time than before",
    )
    work.warn_dates(days, ["days"])
    n = len(chosen.trips)
    text = f"{len(replaced)} trips stand {seconds[0] / n:.0f} -> {seconds[1] / n:.0f} s in all on the way (mean)"
    work.effect(chosen.name, f"{chosen.name}: {text}")


# -- another way ------------------------------------------------------------------------------------------------------------


def apply_reroute(work: Work, change: Reroute) -> None:
    """Let a route take another way between two of its stops."""
    route = work.route(change.route, change.agency)
    via: list[tuple[PlaceAt, list[Step]]] = [(place, ["via", k]) for k, place in enumerate(change.via)]
    spots = work.spots_at([(change.from_, ["from"]), *via, (change.to, ["to"])])
    ends = [spots[0], spots[-1]]
    start, end = (np.array(stops_of_place(work, spot)) for spot in ends)
    chosen = select(work, route, direction=change.direction)
    pace = Pace.of(change)
    courses: dict[tuple[int, int, bool], Course] = {}
    moved: list[tuple[int, int, int, Course]] = []

    def detour(trip: int, old: TripCalls) -> TripCalls | None:
        forward = True
        section = _section(old, start, end)
        if section is None and change.direction == "both":
            forward = False
            section = _section(old, end, start)
        if section is None:
            return None
        first, last = section
        key = (int(old.stop[first]), int(old.stop[last]), forward)
        if key not in courses:
            courses[key] = _course_between(work, spots, key)
        course = courses[key]
        if list(course.stops) == old.stop[first : last + 1].tolist():
            return None
        run_s, dwell_s = _detour_times(work, change, pace if forward else pace.mirrored(), course, old, section)
        moved.append((trip, first, last, course))
        return _spliced(old, section, course, run_s, dwell_s)

    def why() -> str:
        return f"no trip of route {chosen.name} goes from {ends[0].label} to {ends[1].label} another way than this"

    replaced = replace_calls(work, chosen, detour, why)
    _splice_shapes(work, [item for item in moved if item[0] in replaced])
    one = next(item for item in moved if item[0] in replaced)
    forward = spots if one[3].stops[0] in start else spots[::-1]
    warn_speed(work, forward, one[3].hops, _run_of(replaced[one[0]], one), ["via"])
    names = ", ".join(spot.label for spot in spots[1:-1]) or "no stop"
    n = len(replaced)
    work.effect(chosen.name, f"{chosen.name}: {n} trips go from {ends[0].label} to {ends[1].label} by {names}")


def _run_of(calls: TripCalls, item: tuple[int, int, int, Course]) -> list[int]:
    """Run times of the new piece, at least a second each."""
    _, first, _, course = item
    n = len(course.stops)
    run = calls.arrival_s[first + 1 : first + n] - calls.departure_s[first : first + n - 1]
    return [max(int(seconds), 1) for seconds in run]


def _course_between(work: Work, spots: Sequence[Spot], key: tuple[int, int, bool]) -> Course:
    """The new way from the stop where it leaves the old one to the stop where it comes back."""
    a, b, forward = key
    inner = list(spots[1:-1]) if forward else list(spots[1:-1])[::-1]
    return course_of(work, [_fixed(work, a), *inner, _fixed(work, b)], ["via"])


def _fixed(work: Work, stop: int) -> Spot:
    name = str(work.feed.stops["stop_name"].iat[stop])
    return Spot(name, (stop,), float(work.finder.lon[stop]), float(work.finder.lat[stop]), one=True)


def _detour_times(
    work: Work, change: Reroute, pace: Pace, course: Course, old: TripCalls, section: tuple[int, int]
) -> tuple[list[int], int]:
    """Run times of the new piece: as given, by the speed given, or at the speed that the old piece had."""
    if change.run_times_min is not None or change.speed_kmh is not None:
        return run_seconds(work, pace, course, int(old.departure_s[0])), pace.dwell_s
    first, last = section
    run = int((old.arrival_s[first + 1 : last + 1] - old.departure_s[first:last]).sum())
    metres = sum(
        road_metres(work, int(a), int(b))
        for a, b in zip(old.stop[first:last], old.stop[first + 1 : last + 1], strict=True)
    )
    if run <= 0 or metres <= 0:
        raise work.stop(
            CANNOT_APPLY, "the piece that is replaced takes no time, so its speed is unknown; give speed_kmh", ["via"]
        )
    dwell = change.dwell_s if change.dwell_s is not None else DWELL_S
    return [max(round(hop.metres * run / metres), 1) for hop in course.hops], dwell


def road_metres(work: Work, a: int, b: int) -> float:
    """Metres by road from stop to stop, the straight line times 1.3 where no road is known."""
    lon, lat = work.finder.lon, work.finder.lat
    here, there = (float(lon[a]), float(lat[a])), (float(lon[b]), float(lat[b]))
    key = (here, there)
    if key not in work.road_metres:
        metres = road_between(work.setting.roads, here, there)[0]
        work.road_metres[key] = metres if metres is not None else road_between(None, here, there)[0] or 0.0
    return work.road_metres[key]


def _spliced(old: TripCalls, section: tuple[int, int], course: Course, run_s: Sequence[int], dwell_s: int) -> TripCalls:
    """The calls with a new piece between two of them; the calls behind it are moved in time."""
    first, last = section
    arrival, departure = [], []
    clock = int(old.departure_s[first])
    for seconds in run_s[:-1]:
        arrival.append(clock + seconds)
        departure.append(clock + seconds + dwell_s)
        clock = departure[-1]
    later = clock + run_s[-1] - int(old.arrival_s[last])
    zero = np.zeros(len(arrival), np.int8)
    return TripCalls(
        np.concatenate([old.stop[: first + 1], np.array(course.stops[1:-1], np.int32), old.stop[last:]]),
        np.concatenate([old.arrival_s[: first + 1], arrival, old.arrival_s[last:] + later]).astype(np.int32),
        np.concatenate([old.departure_s[: first + 1], departure, old.departure_s[last:] + later]).astype(np.int32),
        np.concatenate([old.pickup_type[: first + 1], zero, old.pickup_type[last:]]),
        np.concatenate([old.drop_off_type[: first + 1], zero, old.drop_off_type[last:]]),
    )


def _splice_shapes(work: Work, moved: Sequence[tuple[int, int, int, Course]]) -> None:
    """Drawn courses that take the new way; one new shape for each old one and each new piece."""
    table = work.feed.trips.copy()
    shape = table["shape"].to_numpy().copy()
    made: dict[tuple[int, int], int] = {}
    for trip, _, _, course in moved:
        old = int(shape[trip])
        if old < 0:
            continue
        key = (old, id(course))
        if key not in made:
            shapes = work.feed.shapes
            part = slice(int(shapes.first[old]), int(shapes.first[old + 1]))
            lon, lat = shapes.lon[part], shapes.lat[part]
            ends = [course.stops[0], course.stops[-1]]
            cut = [
                int(great_circle_m(work.finder.lon[stop], work.finder.lat[stop], lon, lat).argmin()) for stop in ends
            ]
            new_lon, new_lat = course.line()
            after = slice(max(cut[1], cut[0]), None)
            work.feed, made[key] = add_shape(
                work.feed,
                f"{work.scenario.scenario}:{work.index + 1}:{shapes.shape_id[old]}:{len(made)}",
                np.concatenate([lon[: cut[0] + 1], new_lon, lon[after]]),
                np.concatenate([lat[: cut[0] + 1], new_lat, lat[after]]),
            )
        shape[trip] = made[key]
    table["shape"] = shape
    work.edit(trips=table)


# -- stops ------------------------------------------------------------------------------------------------------------------


def apply_add_stop(work: Work, change: AddStop) -> None:
    """Let a route call at one more stop; the way back calls there too, before it comes to ``after``."""
    route = work.route(change.route, change.agency)
    spot, after = work.spots_at([(change.stop, ["stop"]), (change.after, ["after"])])
    here = np.array(stops_of_place(work, after))
    served = np.array(stops_of_place(work, spot)) if spot.stops else np.zeros(0, np.int64)
    chosen = select(work, route, direction=change.direction)
    lon, lat = work.finder.lon, work.finder.lat
    gaps: dict[bytes, int | None] = {}
    already = False

    def place_in(old: TripCalls) -> int | None:
        """The call behind which the stop goes: the one at ``after``, or the one before it on the way back."""
        hits = np.flatnonzero(np.isin(old.stop, here))
        if not len(hits):
            return None
        at = int(hits[0])
        options = [at] if change.direction != "both" else [at, at - 1]
        options = [k for k in options if 0 <= k < len(old) - 1]
        if not options:
            return None

        def longer(k: int) -> float:
            a, b = int(old.stop[k]), int(old.stop[k + 1])
            there = great_circle_m(lon[a], lat[a], spot.lon, spot.lat) + great_circle_m(
                spot.lon, spot.lat, lon[b], lat[b]
            )
            return float(there - great_circle_m(lon[a], lat[a], lon[b], lat[b]))

        return min(options, key=longer)

    def insert(trip: int, old: TripCalls) -> TripCalls | None:
        nonlocal already
        key = old.stop.tobytes()
        if key not in gaps:
            gaps[key] = place_in(old)
        k = gaps[key]
        if k is None:
            return None
        if np.isin(old.stop[k : k + 2], served).any():
            already = True
            return None
        a, b = int(old.stop[k]), int(old.stop[k + 1])
        stop = _chosen_stop(work, spot, a, b)
        return _with_stop(work, old, k, stop, change.dwell_s)

    def why() -> str:
        if already:
            return f"route {chosen.name} calls at {spot.label} there already"
        return f"no trip of route {chosen.name} calls at {after.label} and goes on from there; beyond a terminus use extend_route"

    replaced = replace_calls(work, chosen, insert, why)
    trip, new = next(iter(replaced.items()))
    old = TripCalls.of(chosen.feed, trip)
    longer = int(new.arrival_s[-1] - new.departure_s[0]) - int(old.arrival_s[-1] - old.departure_s[0])
    work.effect(chosen.name, f"{chosen.name}: {len(replaced)} trips call at {spot.label} as well ({longer} s longer)")


def _chosen_stop(work: Work, spot: Spot, a: int, b: int) -> int:
    """The stop of the place on the side of a bus from stop a to stop b; made where it is new."""
    if not spot.stops:
        return work.make_stop(spot, ["stop"])
    lon, lat = work.finder.lon, work.finder.lat
    row, assumed = work.finder.side(spot, (float(lon[a]), float(lat[a])), (float(lon[b]), float(lat[b])))
    if assumed:
        work.note_kerb(spot, row, _fixed(work, b).label, ["stop"])
    return row


def _with_stop(work: Work, old: TripCalls, k: int, stop: int, dwell_s: int) -> TripCalls:
    """One more call behind call k; the bus drives as fast as it did there, and the calls behind are later."""
    a, b = int(old.stop[k]), int(old.stop[k + 1])
    run = int(old.arrival_s[k + 1] - old.departure_s[k])
    whole, first, second = road_metres(work, a, b), road_metres(work, a, stop), road_metres(work, stop, b)
    per_metre = run / whole if whole > 0 and run > 0 else 3.6 / 18
    runs = [max(round(first * per_metre), 1), max(round(second * per_metre), 1)]
    arrive = int(old.departure_s[k]) + runs[0]
    leave = arrive + dwell_s
    later = max(leave + runs[1] - int(old.arrival_s[k + 1]), 0)
    zero = np.zeros(1, np.int8)
    return TripCalls(
        np.concatenate([old.stop[: k + 1], np.array([stop], np.int32), old.stop[k + 1 :]]),
        np.concatenate([old.arrival_s[: k + 1], [arrive], old.arrival_s[k + 1 :] + later]).astype(np.int32),
        np.concatenate([old.departure_s[: k + 1], [leave], old.departure_s[k + 1 :] + later]).astype(np.int32),
        np.concatenate([old.pickup_type[: k + 1], zero, old.pickup_type[k + 1 :]]),
        np.concatenate([old.drop_off_type[: k + 1], zero, old.drop_off_type[k + 1 :]]),
    )


def apply_remove_stops(work: Work, change: RemoveStops) -> None:
    """Let a route pass some stops; each saves ``saves_s`` seconds, or as much as the run times allow."""
    route = work.route(change.route, change.agency)
    spots = work.spots(change.stops, ["stops"])
    gone = np.array(sorted({row for spot in spots for row in spot.stops}), np.int64)
    chosen = select(work, route, direction=change.direction)
    calls = 0

    def fewer(trip: int, old: TripCalls) -> TripCalls | None:
        nonlocal calls
        drop = np.isin(old.stop, gone)
        if not drop.any():
            return None
        if (~drop).sum() < 2:
            raise work.stop(
                CANNOT_APPLY,
                f"a trip of route {chosen.name} would call at fewer than two stops; use withdraw_route",
                ["stops"],
            )
        calls += int(drop.sum())
        return _without_calls(old, drop, change.saves_s)

    labels = ", ".join(spot.label for spot in spots)
    replaced = replace_calls(work, chosen, fewer, lambda: f"no trip of route {chosen.name} calls at {labels}")
    work.effect(
        chosen.name,
        f"{chosen.name}: {len(replaced)} trips pass {labels} without calling; {calls} calls fewer, {change.saves_s} s saved each",
    )


def _without_calls(old: TripCalls, drop: NDArray[np.bool_], saves_s: int) -> TripCalls:
    """Calls without some of them; those behind each are earlier, but never before the call in front of it is left."""
    arrival, departure = old.arrival_s.astype(np.int64), old.departure_s.astype(np.int64)
    earlier = 0
    kept: list[int] = []
    shifts: list[int] = []
    for k in range(len(old)):
        if drop[k]:
            if kept:  # a trip that starts later at the next stop keeps its clock there
                earlier += saves_s
            continue
        if kept:
            room = int(arrival[k]) - (int(departure[kept[-1]]) - shifts[-1]) - 1
            earlier = min(earlier, max(room, shifts[-1]))
        kept.append(k)
        shifts.append(earlier)
    take, shift = np.array(kept), np.array(shifts)
    return TripCalls(
        old.stop[take],
        (arrival[take] - shift).astype(np.int32),
        (departure[take] - shift).astype(np.int32),
        old.pickup_type[take],
        old.drop_off_type[take],
    )
