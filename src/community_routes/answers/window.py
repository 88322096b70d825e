"""A case in one window, searched for one figure alone: no tables, and no network of any other hour."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from community_routes.answers.figure import Figure
from community_routes.base.errors import StudyError
from community_routes.base.notices import raise_on_errors
from community_routes.evaluation.case import Case, window_query
from community_routes.evaluation.search import same_hours, span_searched
from community_routes.evaluation.window import amount_units
from community_routes.measures.measure import WindowInputs, with_reasons
from community_routes.measures.reached import Reach
from community_routes.measures.service import NO_DEPARTURES
from community_routes.network.network import Network
from community_routes.routing.runner import Runner


@dataclass(frozen=True, eq=False)
class Searched:
    """A case whose window has been searched, as far as further cases can go by it.

    Attributes
    ----------
    case : Case
    network : Network
        Of the hours of the window.
    time_s : int16, shape (n_origins, n_departures, n_destinations)
        UNREACHED where there is no journey.
    value : float64, shape (n_zones,)
    reason : object, shape (n_zones,)
    each : array, shape (n_origins, n_departures)
        The figure of each origin at each departure.
    """

    case: Case
    network: Network
    time_s: NDArray[np.int16]
    value: NDArray[np.float64]
    reason: NDArray[np.object_]
    each: NDArray[Any]


def search_window(case: Case, figure: Figure, measure: Reach, known: Searched | None = None) -> Searched:
    """Search a case in the window of a figure, or take over what is known where a search would read the same.

    Parameters
    ----------
    case : Case
    figure : Figure
    measure : Reach
        Of the figure.
    known : Searched, optional
        Of today, mostly.

    Raises
    ------
    StudyError
        Nothing can be measured.
    """
    day, query = figure.day, window_query(case.file, figure.window)
    span_s = span_searched(query)
    _check_places(case)
    network = case.network_between(day, span_s)
    if known is not None and _reads_the_same(case, network, known, span_s):
        time_s = known.time_s
    else:
        time_s = Runner().cube(network, query, case.walks)
    column, each = measure.headline(_inputs(case, figure, time_s, measure), figure.kind, figure.cutoff_min)
    return Searched(case, network, time_s, *with_reasons(column, len(case.zones)), each)


def _inputs(case: Case, figure: Figure, time_s: NDArray[np.int16], measure: Reach) -> WindowInputs:
    """What measures of reach read of a window. Counts are missing off the network alone, whatever runs that day."""
    ends = case.reached.origins, case.reached.destinations
    reasons: list[list[str]] = [np.where(end.place_linked, "", "off_network").tolist() for end in ends]
    if measure.is_time:
        reasons = [one[figure.day].tolist() for one in (case.origin_reason, case.destination_reason)]
    return WindowInputs(
        scenario=case.name,
        day=figure.day,
        window=figure.window,
        window_s=case.file.travel.windows[figure.window].time,
        zones=case.zones.table,
        origins=case.zones.origins,
        destinations=case.opportunities.table,
        time_s=time_s,
        origin_reason=reasons[0],
        access_walks=case.walks.access,
        departures=NO_DEPARTURES,
        cutoffs_min=case.file.travel.cutoffs_min,
        units=amount_units(case.file),
        destination_reason=reasons[1],
        percentiles=case.file.travel.percentiles,
        keys=tuple(case.file.destinations),
    )


def _check_places(case: Case) -> None:
    """Stop as ``evaluate`` does where nothing can be measured."""
    reached = case.reached
    if not (reached.origins.place_linked.any() and reached.destinations.place_linked.any()):
        raise_on_errors(case.notices_on(()), StudyError)


def _reads_the_same(case: Case, network: Network, known: Searched, span_s: tuple[int, int]) -> bool:
    return (
        case.reached is known.case.reached
        and case.file.travel is known.case.file.travel
        and same_hours(known.network, network, [span_s])
    )
