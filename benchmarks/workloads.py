"""The work that the benchmarks do: what is read, from where to where, and within which limits."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd

from community_routes.base.times import HOUR, MINUTE
from community_routes.network.network import Network, build_network
from community_routes.network.streets.streets import Streets
from community_routes.network.walks.around import walks_around
from community_routes.network.walks.links import link_points
from community_routes.network.walks.points import Links, Points
from community_routes.network.walks.stops import stop_points
from community_routes.routing.query import Query, Walks
from community_routes.sources.gtfs.feed import Feed
from community_routes.sources.gtfs.read import read_feed
from community_routes.sources.osm.read import StreetMap, read_streets

PROJECT = Path(__file__).resolve().parents[1]
SHARED = PROJECT.parent / "shared" / "data"


@dataclass(frozen=True)
class Workload:
    """One measured job.

    Attributes
    ----------
    title : str
    folder : Path
    timetables : tuple of str
        Files in the folder, as are the other names.
    streets : str
    area : (west, south, east, north) or None
    origins, destinations : callables of the folder
        Give the places.
    date : date
    query : Query
    speed_kmh : float
    to_stop_s, between_stops_s, all_the_way_s, slack_s : int
    """

    title: str
    folder: Path
    timetables: tuple[str, ...]
    streets: str
    area: tuple[float, float, float, float] | None
    origins: Callable[[Path], Points]
    destinations: Callable[[Path], Points]
    date: dt.date
    query: Query
    speed_kmh: float = 4.8
    to_stop_s: int = 20 * MINUTE
    between_stops_s: int = 10 * MINUTE
    all_the_way_s: int = 60 * MINUTE
    slack_s: int = 60

    def read_timetable(self) -> Feed:
        """The feeds, joined."""
        return read_feed([self.folder / name for name in self.timetables], notices=[])

    def read_streets(self) -> StreetMap:
        """The streets."""
        return read_streets(self.folder / self.streets, area=self.area, notices=[])

    def network(self, feed: Feed, ground: Streets, *, date: dt.date | None = None) -> Network:
        """Footpaths, timetable and changes."""
        return build_network(
            feed,
            ground,
            date or self.date,
            slack_s=self.slack_s,
            between_stops_s=self.between_stops_s,
            speed_kmh=self.speed_kmh,
        )

    def walks(self, feed: Feed, ground: Streets, *, origins: Points, destinations: Points) -> Walks:
        """Link all points and find the walks that begin, end or make up a journey."""
        stops = link_points(ground, stop_points(feed))
        start = link_points(ground, origins)
        end = start if destinations is origins else link_points(ground, destinations)
        found = walks_around(
            ground,
            start,
            stops,
            end,
            to_stop_s=self.to_stop_s,
            all_the_way_s=self.all_the_way_s,
            speed_kmh=self.speed_kmh,
        )
        return Walks(*found)

    def places(self) -> tuple[Points, Points]:
        """Origins and destinations; one object where they are the same places."""
        start = self.origins(self.folder)
        return start, start if self.destinations is self.origins else self.destinations(self.folder)


def points_in(name: str, key: str, lon: str, lat: str) -> Callable[[Path], Points]:
    """Points of a CSV file."""

    def read(folder: Path) -> Points:
        table = pd.read_csv(folder / name, dtype={key: str})
        return Points.single(table[key].to_numpy(object), table[lon], table[lat])

    return read


def inside_of(*names: str) -> Callable[[Path], Points]:
    """A point inside each area of some GeoJSON files."""

    def read(folder: Path) -> Points:
        points = [gpd.read_file(folder / name).to_crs(4326).geometry.representative_point() for name in names]
        lon, lat = (np.concatenate([getattr(p, axis).to_numpy() for p in points]) for axis in ("x", "y"))
        return Points.single(np.array([str(n) for n in range(len(lon))], object), lon, lat)

    return read


HEXAGONS = points_in("poa_hexgrid.csv", "id", "lon", "lat")

PORTO_ALEGRE = Workload(
    title="Porto Alegre, 1,227 hexagons to all, 60 departures, 3.6 km/h, walks to stops up to 2 km",
    folder=SHARED / "porto_alegre",
    timetables=("poa_eptc.zip", "poa_trensurb.zip"),
    streets="poa_osm.pbf",
    area=None,
    origins=HEXAGONS,
    destinations=HEXAGONS,
    date=dt.date(2019, 5, 13),
    query=Query(window_s=(14 * HOUR, 15 * HOUR)),
    speed_kmh=3.6,
    to_stop_s=2_000,
    between_stops_s=1_000,
    all_the_way_s=3_600,
)

WORKLOADS = {
    "porto_alegre": PORTO_ALEGRE,
    "porto_alegre_defaults": replace(
        PORTO_ALEGRE,
        title="Porto Alegre with the defaults of a study: 4.8 km/h, 20 minutes to stops, 10 between them",
        speed_kmh=4.8,
        to_stop_s=20 * MINUTE,
        between_stops_s=10 * MINUTE,
        all_the_way_s=60 * MINUTE,
    ),
    "porto_alegre_saturday": replace(
        PORTO_ALEGRE,
        title="Porto Alegre, nothing prepared: Saturday, 12:30 to 13:30, otherwise as the first",
        date=dt.date(2019, 5, 18),
        query=Query(window_s=(12 * HOUR + 30 * MINUTE, 13 * HOUR + 30 * MINUTE)),
    ),
    "newport": Workload(
        title="Newport, 95 neighbourhoods to shared spaces and employment areas, 120 departures",
        folder=SHARED / "newport_wales",
        timetables=("newport-20240305_bus_gtfs.zip", "newport-20240305_rail_gtfs.zip"),
        streets="newport-2023-06-13.osm.pbf",
        area=(-3.0770, 51.5222, -2.9251, 51.5936),
        origins=points_in("lsoa11_population_weighted_centroids.csv", "lsoa11_code", "longitude", "latitude"),
        destinations=inside_of("shared_spaces.geojson", "employment_areas.geojson"),
        date=dt.date(2024, 3, 5),
        query=Query(window_s=(7 * HOUR, 9 * HOUR)),
    ),
    "sample": Workload(
        title="The sample borough, its neighbourhoods to shared spaces and employment areas, 120 departures",
        folder=PROJECT / "data",
        timetables=("gtfs/bus.zip", "gtfs/rail.zip"),
        streets="osm/millgate.osm.pbf",
        area=None,
        origins=points_in("boundaries/centroids.csv", "id", "lon", "lat"),
        destinations=inside_of("destinations/shared_spaces.geojson", "destinations/employment.geojson"),
        date=dt.date(2026, 3, 10),
        query=Query(window_s=(7 * HOUR, 9 * HOUR)),
    ),
}


def some_of(links: Links, rows: np.ndarray) -> Links:
    """The links that leave some of the places, in their order."""
    parts = [slice(int(links.first[row]), int(links.first[row + 1])) for row in rows]
    first = np.concatenate([[0], np.cumsum([part.stop - part.start for part in parts])])
    picked = (np.concatenate([values[part] for part in parts]) for values in (links.to, links.walk_s, links.metres))
    return Links(first, *picked)


def only_to(links: Links, rows: np.ndarray, n_to: int) -> Links:
    """The links that lead to some of the places, which are numbered anew."""
    return some_of(links.reversed(n_to), rows).reversed(links.n_from)
