"""A case in one window, searched for one figure alone: no tables, and no network of any other hour."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from community_routes.answers.figure import Figure
from community_routes.base.errors import StudyError
from community_routes.base.notices import raise_on_errors
from community_routes.base.times import MINUTE
from community_routes.evaluation.case import Case, window_query
from community_routes.evaluation.search import same_hours, span_searched
from community_routes.evaluation.window import amount_units
from community_routes.measures.measure import WindowInputs, with_reasons
from community_routes.measures.reached import Reach
from community_routes.measures.service import NO_DEPARTURES
from community_routes.network.network import Network
from community_routes.routing.matrices import cutoff_seconds
from community_routes.routing.runner import Runner
from community_routes.routing.search import as_seconds
from community_routes.routing.travel_times import amounts_within


@dataclass(frozen=True, eq=False)
class Searched:
    """A case whose window has been searched, as far as further cases can go by it.

    Attributes
    ----------
    case : Case
    network : Network
        Of the hours of the window.
    value : float64, shape (n_zones,)
    reason : object, shape (n_zones,)
    each : array, shape (n_origins, n_departures)
        The figure of each origin at each departure.
    """

    case: Case
    network: Network
    value: NDArray[np.float64]
    reason: NDArray[np.object_]
    each: NDArray[Any]

    def times(self, figure: Figure) -> NDArray[np.int32]:
        """Travel times of the window, searched now: shape (n_origins, n_departures, n_destinations)."""
        query = window_query(self.case.file, figure.window)
        return as_seconds(Runner().cube(self.network, query, self.case.lean.reached.walks))


def search_window(
    case: Case, figure: Figure, measure: Reach, known: Searched | None = None, like: Searched | None = None
) -> Searched:
    """Search a case in the window of a figure, or take over what is known where a search would read the same.

    Opportunities in whole numbers (jobs, places) are counted as they are read; of other measures all times are kept for it.

    Parameters
    ----------
    case : Case
    figure : Figure
    measure : Reach
        Of the figure.
    known : Searched, optional
        Of today, mostly.
    like : Searched, optional
        Of a case from whose network this one's is made with the least work; the known one when left out.

    Raises
    ------
    StudyError
        Nothing can be measured.
    """
    query = window_query(case.file, figure.window)
    span_s = span_searched(query)
    _check_places(case)
    others = [one for one in (like, known) if one is not None]
    network = case.network_between(figure.day, span_s, others[0].network if others else None)
    inputs = window_inputs(case, figure, measure)
    places = next(places for places in inputs.kinds if places.kind == figure.kind)
    amounts = measure.whole_amounts(places)
    same = next((one for one in others if _reads_the_same(case, network, one, span_s)), None)
    if same is not None:
        each = same.each
    elif amounts is not None and figure.cutoff_min is not None:
        limit_s = cutoff_seconds(figure.cutoff_min * MINUTE)
        each = amounts_within(network, query, case.lean.reached.walks, amounts, limit_s).astype(np.float64)
    else:
        times = replace(inputs, time_s=Runner().cube(network, query, case.lean.reached.walks))
        each = measure.at_departures(times, places, figure.cutoff_min)
    column = measure.headline(inputs, places, figure.cutoff_min, each)
    return Searched(case, network, *with_reasons(column, len(case.zones)), each)


@dataclass(frozen=True, eq=False)
class Figures:
    """Several figures of a case in one window, with all its travel times.

    Attributes
    ----------
    case : Case
    network : Network
        Of the hours of the window.
    cube : int16, shape (n_origins, n_departures, n_destinations)
        Travel times, as a search gives them.
    read : dict of Figure to (value, reason)
        Of the neighbourhoods: float64 and object, each of shape (n_zones,).
    """

    case: Case
    network: Network
    cube: NDArray[np.int16]
    read: Mapping[Figure, tuple[NDArray[np.float64], NDArray[np.object_]]]


def search_figures(case: Case, figures: Sequence[Figure], measure: Reach, known: Figures | None = None) -> Figures:
    """Search a case in one window for several figures of one measure; what is known is taken over as a whole.

    Parameters
    ----------
    case : Case
    figures : sequence of Figure
        Of one day and window.
    measure : Reach
    known : Figures, optional
        Of today, mostly: the same figures.

    Raises
    ------
    StudyError
        Nothing can be measured.
    """
    query = window_query(case.file, figures[0].window)
    span_s = span_searched(query)
    _check_places(case)
    network = case.network_between(figures[0].day, span_s, None if known is None else known.network)
    if known is not None and _reads_the_same(case, network, known, span_s):
        return Figures(case, network, known.cube, known.read)
    return read_figures(case, network, Runner().cube(network, query, case.lean.reached.walks), figures, measure)


def read_figures(
    case: Case, network: Network, cube: NDArray[np.int16], figures: Sequence[Figure], measure: Reach
) -> Figures:
    """Several figures of one window from its travel times."""
    inputs = window_inputs(case, figures[0], measure)
    of_kind = {places.kind: places for places in inputs.kinds}
    each = {kind: measure.by_departure(cube, of_kind[kind]) for kind in dict.fromkeys(f.kind for f in figures)}
    read = {}
    for figure in figures:
        values = np.ascontiguousarray(each[figure.kind][:, :, measure.cutoffs_min.index(figure.cutoff_min)])
        column = measure.headline(inputs, of_kind[figure.kind], figure.cutoff_min, values)
        read[figure] = with_reasons(column, len(case.zones))
    return Figures(case, network, cube, read)


def _check_places(case: Case) -> None:
    """Stop as ``evaluate`` does where nothing can be measured."""
    reached = case.lean.reached
    if not (reached.origins.place_linked.any() and reached.destinations.place_linked.any()):
        raise_on_errors(case.notices_on(()), StudyError)


def _reads_the_same(case: Case, network: Network, known: Searched | Figures, span_s: tuple[int, int]) -> bool:
    """Whether a search would find the same times of the same places."""
    other = known.case
    return (
        case.lean.reached is other.lean.reached
        and case.opportunities is other.opportunities
        and case.file.travel is other.file.travel
        and same_hours(known.network, network, [span_s])
    )


def window_inputs(case: Case, figure: Figure, measure: Reach) -> WindowInputs:
    """What measures of reach read of a window but its times. Counts are missing off the network alone, whatever runs."""
    reached = case.lean.reached
    ends = reached.origins, reached.destinations
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
        time_s=np.empty((len(case.zones.origins), 0, len(case.opportunities.table)), np.int16),
        origin_reason=reasons[0],
        access_walks=reached.walks.access,
        departures=NO_DEPARTURES,
        cutoffs_min=case.file.travel.cutoffs_min,
        units=amount_units(case.file),
        destination_reason=reasons[1],
        percentiles=case.file.travel.percentiles,
        keys=tuple(case.file.destinations),
    )
