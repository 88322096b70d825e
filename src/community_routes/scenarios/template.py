"""A commented scenario file to start from, with names that exist in the study."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from community_routes.scenarios.edit.routes import route_name, runs_of, trips_of
from community_routes.scenarios.edit.work import destination_points
from community_routes.scenarios.file import Scenario, quoted_text
from community_routes.sources.gtfs.feed import Feed
from community_routes.sources.study.yaml import SCENARIO_SCHEMA_NAME, schema_hint


def new_scenario_template(
    name: str,
    feed: Feed,
    dates: Mapping[str, dt.date],
    *,
    zones: Any = None,
    opportunities: Any = None,
) -> str:
    """Text of a scenario file that can be read as it stands and changes nothing: every change is there as a comment.

    The routes, stops, places and neighbourhoods in the comments are some of the study's own.

    Parameters
    ----------
    name : str
        Id of the scenario, to be the file's name.
    feed : Feed
    dates : mapping of str to date
        The study's service dates.
    zones, opportunities : optional

    Raises
    ------
    ScenarioError
        The name cannot be an id.
    """
    Scenario(scenario=name)  # the check of the name
    route, ends, stops = _busiest(feed, dates, zones)
    days = [key for key in dates if key != "day"] or ["weekday"]
    keys = list(dict.fromkeys(opportunities.table["key"])) if opportunities is not None and len(opportunities) else []
    points = destination_points(opportunities) if opportunities is not None and len(opportunities) else None
    place = quoted_text(str(points["name"].iat[0])) if points is not None and len(points) else "A destination's name"
    zone = quoted_text(str(zones.table["id"].iat[0])) if zones is not None and len(zones) else "NEIGHBOURHOOD"
    into = keys[0] if keys else "employment"
    space = next((key for key in keys if "space" in key), keys[-1] if keys else "shared_spaces")
    lon, lat = _middle(feed, zones)
    named = ", ".join(f"{key} ({date})" for key, date in dates.items())
    here = f"[{lon:.4f}, {lat:.4f}]"
    return f"""\
{schema_hint(SCENARIO_SCHEMA_NAME)}
# A proposal. Take the # away from what you want, and change it; `changes: []` changes nothing.
# Check it:    community-routes check study.yaml {name}.yaml
# Compare it:  community-routes run study.yaml {name}.yaml --out out
#
# The days of this study: {named}.
# Days are weekday, saturday, sunday, or monday to friday. Times are HH:MM; after midnight write 25:30 for half past one.
# A place is a stop's id or name, a destination's name, or {{at: [longitude, latitude], name: New stop}}.
# Which stops there are:  community-routes check study.yaml --map inputs.html  draws them with their names.
# The stops below: {_named(feed, [*ends, *stops])}.

scenario: {name}
title: {_title(name)}
# base: another-scenario        # builds on the file another-scenario.yaml of this folder

changes: []
  # Take the [] away, and the # before each change that you want; each begins with its own dash.

  # - set_headway: {{route: {route}, {days[0]}: {{07:00-19:00: 15, 19:00-23:00: 30}}}}      # minutes between buses
  # - withdraw_route: {{route: {route}, days: [{days[-1]}], from: "20:00"}}
  # - change_speed: {{route: {route}, factor: 1.1}}                                        # 10 % faster, as with a bus lane
  # - change_dwell: {{route: {route}, dwell_s: 20}}
  # - extend_route: {{route: {route}, after: {ends[1]}, stops: [{{at: {here}, name: New stop}}], run_times_min: [5], trips: all}}
  # - reroute: {{route: {route}, from: {stops[0]}, to: {stops[1]}, via: [{place}], speed_kmh: 18}}
  # - add_stop: {{route: {route}, stop: {{at: {here}, name: New stop}}, after: {stops[0]}}}
  # - remove_stops: {{route: {route}, stops: [{stops[1]}], saves_s: 20}}

  # - add_route:
  #     name: X1
  #     stops: [{ends[0]}, {place}, {ends[1]}]
  #     both_ways: true
  #     speed_kmh: 18                      # or run_times_min: [6, 9], one from each stop to the next
  #     dwell_s: 15
  #     service:
  #       {days[0]}: {{06:00-19:00: 20, 19:00-23:00: 30}}
  #     fare: {{single: 2.00}}

  # - add_drt: {{name: Dial, zone: zone.geojson, hours: 09:00-16:00, wait_min: 20, vehicles: 2, connects: [{ends[0]}]}}
  # - add_path: {{name: Footbridge, line: footbridge.geojson}}
  # - close_path: {{osm_way: 123}}
  # - change_fare: {{single: 2.00}}
  # - add_homes: {{name: New homes, at: {here}, homes: 200, like: {zone}}}
  # - add_jobs: {{name: New works, at: {here}, jobs: 500, into: {into}}}
  # - add_space: {{name: New library, at: {here}, kind: library, into: {space}}}

# cost: {{per_bus_hour: 48, per_km: 1.10, per_peak_vehicle_year: 32000, days: {{weekday: 253, saturday: 52, sunday: 60}}}}
"""


def _title(name: str) -> str:
    return quoted_text(name.replace("-", " ").replace("_", " ").capitalize())


def _busiest(feed: Feed, dates: Mapping[str, dt.date], zones: Any) -> tuple[str, list[str], list[str]]:
    """The route with most calls in the study's area on its first date: how to write it, its termini, two stops on its way."""
    date = next(iter(dates.values()), None)
    trips = trips_of(feed, np.arange(len(feed.routes)).tolist())
    if date is not None:
        trips = trips[feed.calendar.active(date)[feed.trips["service"].to_numpy()[trips]]]
    if not len(trips):
        return '"1"', ["First stop", "Last stop"], ["Stop A", "Stop B"]
    runs = runs_of(feed, trips)
    inside = np.concatenate([[0], np.cumsum(_inside(feed, zones)[feed.calls.stop])])
    calls = (inside[feed.calls.first[1:]] - inside[feed.calls.first[:-1]])[runs.trip]
    counts = np.bincount(feed.trips["route"].to_numpy()[runs.trip], calls, minlength=len(feed.routes))
    row = int(counts.argmax())
    mine = trips[feed.trips["route"].to_numpy()[trips] == row]
    length = np.diff(feed.calls.first)[mine]
    trip = int(mine[int(length.argmax())])
    stops = feed.calls.stop[feed.calls.first[trip] : feed.calls.first[trip + 1]]
    ids = [str(feed.stops["stop_id"].iat[int(stop)]) for stop in stops]
    name = route_name(feed, row)
    same = sum(route_name(feed, other) == name for other in range(len(feed.routes)))
    label = name if same == 1 else str(feed.routes["route_id"].iat[row])
    third = max(len(ids) // 3, 0)
    return quoted_text(label), _quoted([ids[0], ids[-1]]), _quoted([ids[third], ids[min(2 * third + 1, len(ids) - 1)]])


def _named(feed: Feed, quoted: Sequence[str]) -> str:
    """Which stop each id is, by its name."""
    names = dict(zip(feed.stops["stop_id"].astype(str), feed.stops["stop_name"].astype(str), strict=True))
    ids = dict.fromkeys(item.strip('"') for item in quoted)
    return ", ".join(f"{stop} is {' '.join(names[stop].split())}" for stop in ids if stop in names) or "made up"


def _quoted(items: Sequence[str]) -> list[str]:
    return [quoted_text(item) for item in items]


def _inside(feed: Feed, zones: Any) -> NDArray[np.bool_]:
    """Stops in the box round the neighbourhoods; all of them without any."""
    if zones is None or not len(zones):
        return np.ones(len(feed.stops), bool)
    west, south, east, north = zones.table.total_bounds
    lon, lat = feed.stops["lon"].to_numpy(np.float64), feed.stops["lat"].to_numpy(np.float64)
    found: NDArray[np.bool_] = (lon >= west) & (lon <= east) & (lat >= south) & (lat <= north)
    return found


def _middle(feed: Feed, zones: Any) -> tuple[float, float]:
    """Where most calls in the study's area are."""
    stops = feed.calls.stop[_inside(feed, zones)[feed.calls.stop]]
    if not len(stops):
        return 0.0, 0.0
    lon, lat = feed.stops["lon"].to_numpy(np.float64)[stops], feed.stops["lat"].to_numpy(np.float64)[stops]
    return float(np.nanmedian(lon)), float(np.nanmedian(lat))
