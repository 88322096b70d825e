"""The leading figures of a study, worked out again and again while its timetable changes and all else stays."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from community_routes.base.times import MINUTE
from community_routes.evaluation.case import Study, window_query
from community_routes.evaluation.places import destination_points, origin_points, study_builder, study_walks
from community_routes.evaluation.window import Choice, amount_units, span_of
from community_routes.measures.groups import group_rows
from community_routes.measures.measure import WindowInputs
from community_routes.measures.reached import Cumulative
from community_routes.measures.service import NO_DEPARTURES
from community_routes.network.network import Network
from community_routes.network.walks.points import Points
from community_routes.network.walks.stops import build_footpaths, link_stops, stop_points
from community_routes.over_time.tables import READING, Headline
from community_routes.routing.travel_times import cube_by_departure
from community_routes.scenarios.attribution import BACK
from community_routes.sources.gtfs.feed import Feed
from community_routes.sources.places.opportunities import Opportunities

Figure = tuple[str, str, str, str]
"""Window, kind, grouping and group."""
Figures = Mapping[Figure, float]


class Measured:
    """A study ready to tell its leading figures for one timetable after another.

    What does not hang on the timetable (the walks to and between stops, the places, the people) is worked out once.

    Parameters
    ----------
    study : Study
        Its timetable must have every stop of the timetables that are tried.
    headline : Headline
    also : Feed, optional
        A timetable whose stops are walked to as well, though nobody may call there in the study's own.
    threads : int
    """

    def __init__(self, study: Study, headline: Headline, *, also: Feed | None = None, threads: int = 1) -> None:
        file, walk = study.file, study.file.travel.walk
        self.study, self.headline, self._threads = study, headline, threads
        self._places = _only(study.opportunities, headline.kinds)
        self._measure = Cumulative((headline.cutoff_min,))
        walking: dict[str, Any] = {"speed_kmh": walk.speed_kmh, "step_free": file.travel.wheelchair}
        stops = link_stops(study.feed, study.ground, _stops(study.feed, also), link_m=walk.link_m, **walking)
        limit_s = int(walk.between_stops_min * MINUTE)
        self._footpaths = build_footpaths(study.feed, study.ground, stops, limit_s=limit_s, **walking)
        ends = origin_points(study.zones), destination_points(self._places)
        self._reached = study_walks(file, study.ground, stops, *ends)
        self._n_stops = len(study.feed.stops)
        self._span_s = span_of(file, Choice())
        self._networks: dict[str, Network] = {}

    def residents_near(self, stops: NDArray[np.int64]) -> float:
        """How many residents can walk from home to one of these stops (rows of the feed)."""
        access, origins = self._reached.walks.access, self.study.zones.origins
        near = np.zeros(self._n_stops, np.bool_)
        near[stops] = True
        walks = np.bincount(access.start()[near[access.to]], minlength=access.n_from) > 0
        persons = self.study.zones.table["population"].to_numpy(np.float64)[origins["zone"].to_numpy()]
        return float((persons * origins["weight"].to_numpy(np.float64))[walks].sum())

    def figures(self, feed: Feed, day: str) -> Figures:
        """The leading figures of one day under a timetable with the same stops, whose network is renewed from the first."""
        study, file, reached = self.study, self.study.file, self._reached
        builder = study_builder(file, feed, study.ground)
        known = self._networks.get(day)
        network = builder.network(file.dates[day], self._span_s, self._footpaths, known=known)
        self._networks.setdefault(day, network)
        # Opportunities are missing off the network alone, whatever runs.
        reasons = [
            np.where(end.place_linked, "", "off_network").tolist() for end in (reached.origins, reached.destinations)
        ]
        found: dict[Figure, float] = {}
        for window in [window for its, window in self.headline.slots if its == day]:
            time_s = cube_by_departure(network, window_query(file, window), reached.walks, threads=self._threads)
            inputs = WindowInputs(
                scenario="",
                day=day,
                window=window,
                window_s=file.travel.windows[window].time,
                zones=study.zones.table,
                origins=study.zones.origins,
                destinations=self._places.table,
                time_s=time_s,
                origin_reason=reasons[0],
                access_walks=reached.walks.access,
                departures=NO_DEPARTURES,
                cutoffs_min=(self.headline.cutoff_min,),
                units=amount_units(file),
                destination_reason=reasons[1],
                percentiles=(),
                keys=self.headline.kinds,
            )
            access = inputs.table(self._measure.take(inputs))
            for row in group_rows(access[access["reading"] == READING], study.zones.table).to_dict("records"):
                if (row["grouping"], row["group"]) in self.headline.groups:
                    found[window, str(row["kind"]), str(row["grouping"]), str(row["group"])] = float(row["value"])
        return found


def _stops(feed: Feed, also: Feed | None) -> Points:
    """Every stop of the feed as a place; those where no trip of either timetable calls have no point."""
    own = stop_points(feed)
    if also is None:
        return own
    ids = also.stops["stop_id"].to_numpy()[np.unique(also.calls.stop)]
    called = feed.stops["stop_id"].isin({*ids, *(f"{BACK}{stop}" for stop in ids)}).to_numpy()
    lon, lat = (feed.stops[name].to_numpy(np.float64) for name in ("lon", "lat"))
    return Points.single(own.id, np.where(called, lon, own.lon), np.where(called, lat, own.lat))


def _only(opportunities: Opportunities, keys: tuple[str, ...]) -> Opportunities:
    """The places of some keys, without their kinds."""
    wanted = opportunities.table["key"].isin(keys).to_numpy()
    row = np.cumsum(wanted) - 1
    entrances = opportunities.entrances
    kept = entrances[wanted[entrances["place"].to_numpy()]]
    kept = kept.assign(place=row[kept["place"].to_numpy()].astype(np.int32)).reset_index(drop=True)
    table = opportunities.table[wanted].reset_index(drop=True).assign(kind="")
    return replace(opportunities, table=table, entrances=kept)
