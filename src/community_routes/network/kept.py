"""Where things are kept between runs, and what is kept: timetables, streets and networks, by the content they come from."""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from platformdirs import user_cache_path

from community_routes.base.errors import as_path
from community_routes.base.files import hash_of_file
from community_routes.base.notices import Notice
from community_routes.network.network import Network, assemble_network
from community_routes.network.packing import UnpackableError
from community_routes.network.store import Store, fingerprint, key_of
from community_routes.network.streets.roads import Roads, build_roads
from community_routes.network.streets.streets import Streets, build_streets
from community_routes.network.timetable.changes import Changes
from community_routes.network.timetable.connections import Connections
from community_routes.network.timetable.trips import OfDay, Timetable, Wheelchair, build_timetable
from community_routes.network.walks.links import Ground, Linked
from community_routes.network.walks.points import Links
from community_routes.network.walks.stops import build_footpaths, link_stops
from community_routes.sources.gtfs.feed import Feed, Phase
from community_routes.sources.osm.street_map import StreetMap

if TYPE_CHECKING:
    import geopandas as gpd

_NAME = "community-routes"
_KEPT = "kept"
_TABLES = (
    "agencies",
    "stops",
    "routes",
    "trips",
    "calls",
    "calendar",
    "frequencies",
    "transfers",
    "pathways",
    "sources",
)
"""Of a timetable, what its network comes from."""
Made = TypeVar("Made")


def cache_folder(choice: str | None = None) -> Path | None:
    """The folder of the cache: the one named, none for ``none``, else the user's cache folder of the system."""
    if choice is not None:
        return None if choice == "none" else Path(choice)
    named = os.environ.get("COMMUNITY_ROUTES_CACHE")
    if named:
        return None if named == "none" else Path(named)
    return user_cache_path(_NAME, appauthor=False, opinion=False)


def open_store(cache: str | Path | None) -> Store | None:
    """What is kept in a cache folder; None for no cache."""
    return None if cache is None else Store(as_path(cache) / _KEPT)


def keep_read(
    store: Store | None,
    kind: str,
    paths: Sequence[Path],
    options: object,
    read: Callable[[list[Notice]], Made],
    notices: list[Notice],
) -> Made:
    """What a reader makes of files, read once for each content of the files.

    Parameters
    ----------
    store : Store or None
    kind : str
        What is read.
    paths : sequence of Path
        The files; the name counts as well, because notices name it.
    options : object
        What else the reader goes by; its ``repr`` tells it apart.
    read : callable
        Gets a list for its notices.
    notices : list of Notice
        Gets what was found, this time or when the files were read.
    """
    if store is None:
        return read(notices)
    try:
        content = [(str(path), hash_of_file(path)) for path in paths]
    except OSError:
        return read(notices)  # it will say what is wrong with the file
    return store.get(key_of(kind, content, options), read, notices)


def keep_streets(store: Store | None, street_map: StreetMap, *, wheelchair: bool) -> Streets:
    """The walkable network of a street map, built once for each content of the map."""
    if store is None or not street_map.content_hash:
        return build_streets(street_map, wheelchair=wheelchair)
    key = key_of("streets", street_map.content_hash, wheelchair)
    return store.get(key, lambda _: build_streets(street_map, wheelchair=wheelchair))


def keep_roads(store: Store | None, street_map: StreetMap) -> Roads:
    """What buses drive on in a street map, built once for each content of the map."""
    if store is None or not street_map.content_hash:
        return build_roads(street_map)
    return store.get(key_of("roads", street_map.content_hash), lambda _: build_roads(street_map))


def keep_background(store: Store | None, street_map: StreetMap) -> dict[str, gpd.GeoDataFrame]:
    """What maps show under the figures (``background_layers``), made once for each content of the map."""
    import geopandas as gpd  # only who draws maps waits for it

    from community_routes.sources.osm.background import background_layers

    if store is None or not street_map.content_hash:
        return background_layers(street_map)

    def packed(_: list[Notice]) -> list[tuple[str, pd.DataFrame, NDArray[np.object_]]]:
        layers = background_layers(street_map)
        return [
            (name, pd.DataFrame(layer[["kind", "name"]]), shapely.to_wkb(layer.geometry.to_numpy(), hex=True))
            for name, layer in layers.items()
        ]

    kept = store.get(key_of("background", street_map.content_hash), packed)
    return {
        name: gpd.GeoDataFrame(words, geometry=shapely.from_wkb(shapes), crs="EPSG:4326")
        for name, words, shapes in kept
    }


@dataclass(frozen=True, eq=False)
class Stopping:
    """The stops of a timetable joined to the ground, the walks between them, and what was found on the way."""

    stops: Linked
    footpaths: Links
    notices: tuple[Notice, ...] = ()


@dataclass(frozen=True)
class Settings:
    """How people walk to, between and onto vehicles: the arguments of ``build_network``, where each is described."""

    slack_s: int
    between_stops_s: int
    speed_kmh: float
    link_m: float
    phase: Phase
    seed: int
    wheelchair: Wheelchair

    def of_day(self, span_s: tuple[int, int]) -> OfDay:
        """What ``build_timetable`` is given."""
        return {"phase": self.phase, "seed": self.seed, "wheelchair": self.wheelchair, "span_s": span_s}


@dataclass(frozen=True, eq=False)
class Builder:
    """Stops and networks of a timetable on its ground, built once for each content of what they come from.

    Attributes
    ----------
    store : Store or None
    feed : Feed
    ground : Streets or CrowFly
    settings : Settings
    """

    store: Store | None
    feed: Feed
    ground: Ground
    settings: Settings

    @cached_property
    def _content(self) -> str | None:
        """What stops and networks come from; None where nothing is kept, or it cannot be told."""
        return None if self.store is None else _content(self.feed, self.ground)

    def _key(self, kind: str, *beside: object) -> str:
        its = self.settings
        return key_of(
            kind, self._content, its.between_stops_s, its.speed_kmh, its.link_m, bool(its.wheelchair), *beside
        )

    def stopping(self) -> Stopping:
        """The stops joined to the ground, and the walks between them."""
        feed, ground, its = self.feed, self.ground, self.settings
        step_free = bool(its.wheelchair)

        def find(found: list[Notice]) -> tuple[Linked, Links]:
            stops = link_stops(
                feed, ground, link_m=its.link_m, speed_kmh=its.speed_kmh, step_free=step_free, notices=found
            )
            limit_s, speed_kmh = its.between_stops_s, its.speed_kmh
            return stops, build_footpaths(
                feed, ground, stops, limit_s=limit_s, speed_kmh=speed_kmh, step_free=step_free
            )

        said: list[Notice] = []
        stops, footpaths = self._kept("footpaths", (), find, said)
        return Stopping(stops, footpaths, tuple(said))

    def timetable(self, date: dt.date, span_s: tuple[int, int]) -> Timetable:
        """The timetable of a date and a span of seconds alone."""
        return build_timetable(self.feed, date, **self.settings.of_day(span_s))

    def network(
        self,
        date: dt.date,
        span_s: tuple[int, int],
        footpaths: Links,
        notices: list[Notice] | None = None,
        known: Network | None = None,
    ) -> Network:
        """The network of a date and a span of seconds, with walks between the stops; ``known`` as in ``assemble_network``."""
        its = self.settings

        def build(found: list[Notice]) -> tuple[Timetable, Changes, Connections, NDArray[np.bool_]]:
            given = its.of_day(span_s) | {"notices": found}
            made = assemble_network(self.feed, date, footpaths, slack_s=its.slack_s, known=known, **given)
            return made.timetable, made.changes, made.connections, made.apart

        beside = (date, its.slack_s, its.phase, its.seed, its.wheelchair, span_s)
        timetable, changes, connections, apart = self._kept("network", beside, build, notices)
        return Network(self.feed, footpaths, timetable, changes, connections, its.slack_s, apart)

    def _kept(
        self, kind: str, beside: tuple[object, ...], make: Callable[[list[Notice]], Made], notices: list[Notice] | None
    ) -> Made:
        if self.store is None or self._content is None:
            return make([] if notices is None else notices)
        return self.store.get(self._key(kind, *beside), make, notices)


def _content(feed: Feed, ground: Ground) -> str | None:
    """What a network comes from, whatever the files are called; None where it cannot be told.

    The timetable counts by its tables themselves: a proposal's also depends on the roads and places it was tried on.
    """
    if isinstance(ground, Streets):
        walks = ground.content_hash
    else:
        walks = repr(ground)
    if not walks:
        return None
    try:
        return fingerprint(walks, *(getattr(feed, name) for name in _TABLES))
    except UnpackableError:
        return None
