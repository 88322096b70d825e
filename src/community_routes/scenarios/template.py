"""A commented scenario file to start from, with names that exist in the study."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from string import Template

import numpy as np
from numpy.typing import NDArray

from community_routes.scenarios.edit.routes import route_name, runs_of, trips_of
from community_routes.scenarios.edit.work import destination_points
from community_routes.scenarios.file import Scenario
from community_routes.scenarios.list import CHANGES
from community_routes.sources.gtfs.feed import Feed
from community_routes.sources.places.opportunities import Opportunities
from community_routes.sources.places.zones import Zones
from community_routes.sources.study.yaml import SCENARIO_SCHEMA_NAME, quoted_text, schema_hint


def new_scenario_template(
    name: str,
    feed: Feed,
    dates: Mapping[str, dt.date],
    *,
    zones: Zones | None = None,
    opportunities: Opportunities | None = None,
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
    names = names_of(feed, dates, zones, opportunities)
    named = ", ".join(f"{key} ({date})" for key, date in dates.items())
    stops = [names[key] for key in ("first_stop", "last_stop", "stop_a", "stop_b")]
    return f"""\
{schema_hint(SCENARIO_SCHEMA_NAME)}
# A proposal. Take the # away from what you want, and change it; `changes: []` changes nothing.
# Check it:    community-routes check study.yaml {name}.yaml
# Compare it:  community-routes run study.yaml {name}.yaml --out out
#
# The days of this study: {named}.
# Days are weekday, saturday, sunday, or monday to friday. Times are HH:MM; after midnight write 25:30 for half past one.
# A place is a stop's id or name, a destination's name, or {{at: [longitude, latitude], name: New stop}}.
# A route with its stops:  community-routes routes study.yaml ROUTE;  stops by name:  community-routes stops study.yaml NAME
# On a map:  community-routes check study.yaml --map inputs.html  draws them with their names.
# The stops below: {_named(feed, stops)}.

scenario: {name}
title: {_title(name)}
# base: another-scenario        # builds on the file another-scenario.yaml of this folder

changes: []
  # Take the [] away, and the # before each change that you want; each begins with its own dash.

{_examples(names)}

# cost: {{per_bus_hour: 48, per_km: 1.10, per_peak_vehicle_year: 32000, days: {{weekday: 253, saturday: 52, sunday: 60}}}}
"""


def names_of(
    feed: Feed, dates: Mapping[str, dt.date], zones: Zones | None, opportunities: Opportunities | None
) -> dict[str, str]:
    """What the examples of changes may name, each as it is written in YAML.

    ``route`` (the busiest), its ``first_stop`` and ``last_stop``, ``stop_a`` and ``stop_b`` on its way; ``day`` and ``last_day``
    of the study; ``place`` (a destination), ``zone`` (a neighbourhood), ``into`` and ``space`` (kinds of destination); ``here``
    (a point).
    """
    route, ends, stops = _busiest(feed, dates, zones)
    days = [key for key in dates if key != "day"] or ["weekday"]
    places = opportunities if opportunities is not None and len(opportunities) else None
    keys = list(dict.fromkeys(places.table["key"])) if places is not None else []
    points = destination_points(places)
    lon, lat = _middle(feed, zones)
    return {
        "route": route,
        "first_stop": ends[0],
        "last_stop": ends[1],
        "stop_a": stops[0],
        "stop_b": stops[1],
        "day": days[0],
        "last_day": days[-1],
        "place": quoted_text(str(points["name"].iat[0]))
        if points is not None and len(points)
        else "A destination's name",
        "zone": quoted_text(str(zones.table["id"].iat[0])) if zones is not None and len(zones) else "NEIGHBOURHOOD",
        "into": keys[0] if keys else "employment",
        "space": next((key for key in keys if "space" in key), keys[-1] if keys else "shared_spaces"),
        "here": f"[{lon:.4f}, {lat:.4f}]",
    }


def _examples(names: Mapping[str, str]) -> str:
    """A comment for every change; one of several lines stands by itself."""
    text = ""
    for kind, change in CHANGES.items():
        example = Template(change.example).substitute(names)
        lines = f"- {kind}:{example if example.startswith(chr(10)) else ' ' + example}".splitlines()
        block = "\n".join(f"  # {line}" for line in lines)
        text += f"\n{block}\n\n" if len(lines) > 1 else f"{block}\n"
    return text.strip("\n")


def _title(name: str) -> str:
    return quoted_text(name.replace("-", " ").replace("_", " ").capitalize())


def _busiest(feed: Feed, dates: Mapping[str, dt.date], zones: Zones | None) -> tuple[str, list[str], list[str]]:
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


def _inside(feed: Feed, zones: Zones | None) -> NDArray[np.bool_]:
    """Stops in the box round the neighbourhoods; all of them without any."""
    if zones is None or not len(zones):
        return np.ones(len(feed.stops), bool)
    west, south, east, north = zones.table.total_bounds
    lon, lat = feed.stops["lon"].to_numpy(np.float64), feed.stops["lat"].to_numpy(np.float64)
    found: NDArray[np.bool_] = (lon >= west) & (lon <= east) & (lat >= south) & (lat <= north)
    return found


def _middle(feed: Feed, zones: Zones | None) -> tuple[float, float]:
    """Where most calls in the study's area are."""
    stops = feed.calls.stop[_inside(feed, zones)[feed.calls.stop]]
    if not len(stops):
        return 0.0, 0.0
    lon, lat = feed.stops["lon"].to_numpy(np.float64)[stops], feed.stops["lat"].to_numpy(np.float64)[stops]
    return float(np.nanmedian(lon)), float(np.nanmedian(lat))
