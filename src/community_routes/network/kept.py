"""Where things are kept between runs, and what is kept: timetables, streets and networks, by the content they come from."""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
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
from community_routes.network.timetable.trips import Timetable, Wheelchair
from community_routes.network.walks.links import Ground, Linked
from community_routes.network.walks.points import Links
from community_routes.network.walks.stops import build_footpaths, link_stops
from community_routes.sources.gtfs.feed import Feed, Phase
from community_routes.sources.osm.street_map import StreetMap

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


@dataclass(frozen=True, eq=False)
class Stopping:
    """The stops of a timetable joined to the ground, the walks between them, and what was found on the way."""

    stops: Linked
    footpaths: Links
    notices: tuple[Notice, ...] = ()


def keep_networks(
    store: Store | None, feed: Feed, ground: Ground, dates: Mapping[str, dt.date], **settings: Any
) -> tuple[Linked, dict[str, Network]]:
    """The stops joined to the ground, and the network of each date; the settings are those of ``networks_of``."""
    stopping, networks = networks_of(store, feed, ground, dates, **settings)
    return stopping.stops, networks


def networks_of(
    store: Store | None,
    feed: Feed,
    ground: Ground,
    dates: Mapping[str, dt.date],
    *,
    slack_s: int,
    between_stops_s: int,
    speed_kmh: float,
    link_m: float,
    phase: Phase,
    seed: int,
    wheelchair: Wheelchair,
    span_s: tuple[int, int],
    notices: list[Notice] | None = None,
    stopping: Stopping | None = None,
) -> tuple[Stopping, dict[str, Network]]:
    """The stops joined to the ground, and the network of each date, built once for each content of what they come from.

    The arguments are those of ``build_network``; ``stopping`` is that of another timetable with the same stops, where known.
    """
    content = None if store is None else _content(feed, ground)
    if content is None:
        store = None
    walks = (content, between_stops_s, speed_kmh, link_m, bool(wheelchair))

    def find_walks(found: list[Notice]) -> tuple[Linked, Links]:
        stops = link_stops(feed, ground, link_m=link_m, speed_kmh=speed_kmh, step_free=bool(wheelchair), notices=found)
        footpaths = build_footpaths(
            feed, ground, stops, limit_s=between_stops_s, speed_kmh=speed_kmh, step_free=bool(wheelchair)
        )
        return stops, footpaths

    if stopping is None:
        said: list[Notice] = []
        stops, footpaths = _keep(store, key_of("footpaths", *walks), find_walks, said)
        stopping = Stopping(stops, footpaths, tuple(said))
    if notices is not None:
        notices.extend(stopping.notices)
    footpaths = stopping.footpaths
    networks: dict[str, Network] = {}
    for day, date in dates.items():

        def build(
            found: list[Notice], date: dt.date = date
        ) -> tuple[Timetable, Changes, Connections, NDArray[np.bool_]]:
            made = assemble_network(
                feed,
                date,
                footpaths,
                slack_s=slack_s,
                phase=phase,
                seed=seed,
                wheelchair=wheelchair,
                span_s=span_s,
                notices=found,
            )
            return made.timetable, made.changes, made.connections, made.apart

        key = key_of("network", *walks, date, slack_s, phase, seed, wheelchair, span_s)
        timetable, changes, connections, apart = _keep(store, key, build, notices)
        networks[day] = Network(feed, footpaths, timetable, changes, connections, slack_s, apart)
    return stopping, networks


def _keep(store: Store | None, key: str, make: Callable[[list[Notice]], Made], notices: list[Notice] | None) -> Made:
    if store is None:
        return make([] if notices is None else notices)
    return store.get(key, make, notices)


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
