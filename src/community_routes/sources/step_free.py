"""How much of a timetable is known to be accessible without steps, said before anything is searched."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Any

import numpy as np

from community_routes.base.notices import Notice, declare
from community_routes.sources.gtfs.feed import Feed

STEP_FREE_UNKNOWN = declare(
    "step_free_unknown",
    "warning",
    "Trips or stops do not say whether they are accessible without steps; step-free figures are two bounds.",
)
STEP_FREE_NONE = declare(
    "step_free_none",
    "warning",
    "By what the timetable says nothing can be ridden without steps; a step-free bound is walking alone.",
)
NOBODY_KNOWS, YES = 0, 1


def check_step_free(
    feed: Feed, dates: Iterable[dt.date], step_free: bool | str, place: dict[str, Any], notices: list[Notice]
) -> None:
    """Say of how many trips of some service dates, and of their stops, it is not known, and where nothing can be ridden."""
    runs = np.zeros(len(feed.trips), np.bool_)
    for date in dates:
        runs[feed.active_trips(date)] = True
    stops = np.unique(feed.calls.stop[np.repeat(runs, np.diff(feed.calls.first))])
    stated = {
        "trips": feed.trips["wheelchair_accessible"].to_numpy()[runs],
        "stops": feed.stops["wheelchair_boarding"].to_numpy()[stops],
    }
    unknown = {what: int((values == NOBODY_KNOWS).sum()) for what, values in stated.items()}
    known = all((values == YES).any() for values in stated.values())
    possible = all(((values == YES) | (values == NOBODY_KNOWS)).any() for values in stated.values())
    shares = " and ".join(
        f"{unknown[what]:,} of {len(values):,} {what} ({unknown[what] / max(len(values), 1):.0%})"
        for what, values in stated.items()
    )
    alone = "" if known else ", which is walking alone here"
    taken = {"best": "they are taken as accessible", "worst": f"they are taken as not accessible{alone}"}.get(
        str(step_free),
        "every figure is two bounds: step_free_best takes them as accessible, step_free_worst as not"
        f"{alone}; an answer that is one takes them as accessible (`step_free: worst` gives the other)",
    )
    if any(unknown.values()):
        message = (
            f"{shares} on the study's dates do not say whether they are accessible without steps "
            f"(wheelchair_accessible, wheelchair_boarding: 0 or blank); {taken}"
        )
        notices.append(STEP_FREE_UNKNOWN.at(**place, value=sum(unknown.values()), message=message))
    if not possible:
        message = (
            "no trip, or no stop, on the study's dates may be accessible without steps by wheelchair_accessible and "
            "wheelchair_boarding of the timetable, so step-free figures are those of walking alone"
        )
        notices.append(STEP_FREE_NONE.at(**place, message=message))
