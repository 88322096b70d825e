"""What the tables of GTFS hold: each column once, with its kind, what it names, its range, and what is done to a fault.

The reader, the joiner, the narrowing, the writer and the table in ``docs/timetables.md`` follow from this.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from community_routes.base.notices import Code, declare
from community_routes.base.times import DAY

Kind = Literal["text", "id", "row", "whole", "number", "flag", "clock", "date", "unread"]
"""``id``: names a row of this table, or something that has no table; ``row``: names a row of another table that is held
as its number; ``whole`` and ``flag`` (1 is yes) are whole numbers; ``unread`` is known, but only taken along in a copy."""

NOT_A_NUMBER = declare(
    "not_a_number", "warning", "A cell that should hold a number does not; it counts as blank.", outcome="left out"
)
UNKNOWN_PARENT = declare("unknown_parent", "warning", "parent_station is not a stop of the feed; it was ignored.")
UNKNOWN_LOCATION_TYPE = declare(
    "unknown_location_type", "warning", "location_type is not 0 to 4; it counts as 0, a stop."
)
UNKNOWN_AGENCY = declare(
    "unknown_agency", "warning", "A route names an agency that is not in agency.txt; it has none now."
)
UNKNOWN_ROUTE_TYPE = declare(
    "unknown_route_type", "warning", "route_type is neither basic nor extended; the route counts as bus."
)
TRIP_WITHOUT_ROUTE = declare(
    "trip_without_route",
    "warning",
    "A trip names a route that is not in routes.txt; it was left out.",
    outcome="left out",
)
TRIP_WITHOUT_SERVICE = declare(
    "trip_without_service",
    "warning",
    "A trip names a service without any date; it never runs and was left out.",
    outcome="left out",
)
UNKNOWN_TRIP = declare(
    "unknown_trip", "warning", "A row names a trip that is not in trips.txt; it was left out.", outcome="left out"
)
UNKNOWN_STOP = declare(
    "unknown_stop", "warning", "A row names a stop that is not in stops.txt; it was left out.", outcome="left out"
)
UNKNOWN_BOARDING = declare("unknown_boarding", "warning", "pickup_type or drop_off_type is not 0 to 3; it counts as 0.")
BROKEN_TIME = declare(
    "broken_time", "warning", "A cell that should hold a clock time does not; it counts as blank.", outcome="left out"
)
BAD_DATE = declare(
    "bad_date",
    "warning",
    "A cell that should hold a date (YYYYMMDD) does not; the row was left out.",
    outcome="left out",
)
BAD_EXCEPTION = declare(
    "bad_exception", "warning", "exception_type is neither 1 nor 2; the row was left out.", outcome="left out"
)
TRANSFER_TO_NOWHERE = declare(
    "transfer_to_nowhere",
    "warning",
    "A transfer names a stop, route or trip that is not in the feed; it was left out.",
    outcome="left out",
)
UNKNOWN_TRANSFER_TYPE = declare(
    "unknown_transfer_type", "warning", "transfer_type is not 0 to 5; the transfer was left out.", outcome="left out"
)
PATHWAY_TO_NOWHERE = declare(
    "pathway_to_nowhere",
    "warning",
    "A pathway names a stop that is not in the feed; it was left out.",
    outcome="left out",
)

BUS = 3


@dataclass(frozen=True)
class Fault:
    """What is said of a cell that cannot be used: ``{value}`` in the message stands for it."""

    code: Code
    message: str


@dataclass(frozen=True)
class Column:
    """A column of a table.

    Attributes
    ----------
    name : str
        In the heading of the file.
    kind : Kind
    of : str
        What an ``id`` or ``row`` names: ``stop``, ``zone``, ...
    needed : bool
        Whether a table without it is refused.
    held : str
        Its name where the feed holds it; "" where it is not kept.
    dtype : type
        Of whole numbers in the feed.
    blank : int
        What a blank cell of a whole number counts as; below 0 it is written blank.
    low, high : int
        Numbers beyond are broken, so that they count as blank; ``low`` holds for ``number`` too.
    known : tuple of (int, int)
        Ranges of the values that mean something; empty where all do.
    instead : int or None
        What an unknown value counts as; None where its row is left out.
    fault : Fault or None
        What is said of a value that is not known, or names nothing; None where nothing is.
    """

    name: str
    kind: Kind = "text"
    of: str = ""
    needed: bool = False
    held: str = ""
    dtype: type[np.generic] = np.int32
    blank: int = 0
    low: int = -(2**31)
    high: int = 2**31 - 1
    known: tuple[tuple[int, int], ...] = ()
    instead: int | None = None
    fault: Fault | None = None

    def knows(self, values: NDArray[Any]) -> NDArray[np.bool_]:
        """Which values mean something, shape (n,)."""
        known = np.full(len(values), not self.known)
        for low, high in self.known:
            known |= (values >= low) & (values <= high)
        return known


@dataclass(frozen=True)
class Table:
    """A table of GTFS.

    Attributes
    ----------
    name : str
        Of the file without ``.txt``.
    columns : tuple of Column
        In the order in which they are written.
    kind : str
        What each of its ids names; "" where its rows have none.
    held : str
        The attribute of a feed that has a row for each of its rows that can be used; "" for others.
    key : tuple of str
        The columns that a row is known by.
    needed : bool
        Whether a zip without it is refused.
    use : str
        What it is read for, in words; "" where it is not read.
    fare : bool
        Whether it is a table of fares, all columns of which are kept as text.
    streamed : bool
        Whether it may be longer than the memory.
    """

    name: str
    columns: tuple[Column, ...] = ()
    kind: str = ""
    held: str = ""
    key: tuple[str, ...] = ()
    needed: bool = False
    use: str = ""
    fare: bool = False
    streamed: bool = False

    @property
    def file(self) -> str:
        """Its name in a zip."""
        return f"{self.name}.txt"

    @property
    def every_column(self) -> bool:
        """Whether all that the file has is read, as text."""
        return self.fare or not self.columns

    @property
    def heading_only(self) -> Table:
        """The same table of which nothing is read."""
        return replace(self, columns=tuple(replace(c, kind="unread") for c in self.columns))

    @cached_property
    def text(self) -> tuple[str, ...]:
        """Names of the columns that are read as text."""
        return tuple(c.name for c in self.columns if c.kind in ("text", "id", "row", "clock", "date"))

    @cached_property
    def numbers(self) -> tuple[str, ...]:
        """Names of the columns that are read as numbers."""
        return tuple(c.name for c in self.columns if c.kind in ("whole", "number", "flag"))

    @cached_property
    def required(self) -> tuple[str, ...]:
        """Names of the columns without which it is refused."""
        return tuple(c.name for c in self.columns if c.needed)

    def __getitem__(self, column: str) -> Column:
        return next(c for c in self.columns if c.name == column)

    def rows_of(self, kind: str) -> list[str]:
        """The columns of the feed's table that are row numbers of this kind."""
        return [c.held for c in self.columns if c.kind == "row" and c.of == kind]


def _text(*names: str, needed: bool = False) -> tuple[Column, ...]:
    return tuple(Column(name, needed=needed, held=name) for name in names)


def _ids(*names: str, of: str = "") -> tuple[Column, ...]:
    """Ids that the feed does not hold as columns of its own; each is named after what it names unless ``of`` says it."""
    plain = {name: name.removeprefix("from_").removeprefix("to_").removesuffix("_id") for name in names}
    return tuple(Column(name, "id", of or plain[name]) for name in names)


def _id(name: str, *, needed: bool = False) -> Column:
    return Column(name, "id", name.removesuffix("_id"), needed, held=name)


def _row(name: str, of: str, code: Code, message: str, *, held: str = "", needed: bool = False) -> Column:
    return Column(name, "row", of, needed, held=held or of, fault=Fault(code, f"{name} '{{value}}' {message}"))


def _of_trip(of: str, code: Code, where: str) -> Column:
    fault = Fault(code, f"the trip's {of}_id '{{value}}' is not in {where}; the trip was left out")
    return Column(f"{of}_id", "row", of, True, held=of, fault=fault)


def _ends(kind: str, code: Code) -> tuple[Column, ...]:
    message = "is not in the feed; the row was left out"
    return tuple(_row(f"{end}_{kind}_id", kind, code, message, held=f"{end}_{kind}") for end in ("from", "to"))


def _number(name: str, held: str = "", *, needed: bool = False, low: int = -(2**31)) -> Column:
    return Column(name, "number", needed=needed, held=held, low=low)


def _code(name: str, highest: int, fault: Fault | None, *, instead: int | None = 0) -> Column:
    """Numbers from 0 that each mean something."""
    return Column(name, "whole", held=name, dtype=np.int8, known=((0, highest),), instead=instead, fault=fault)


def _boarding(name: str) -> Column:
    return _code(name, 3, Fault(UNKNOWN_BOARDING, f"{name} is none of 0, 1, 2, 3; it counts as 0 (allowed)"))


def _clock(name: str, fault: Fault | None = None) -> Column:
    return Column(name, "clock", needed=True, held=f"{name.removesuffix('_time')}_s", fault=fault)


def _call_time(name: str) -> Column:
    return _clock(name, Fault(BROKEN_TIME, f"{name} is no clock time (HH:MM:SS); it counts as blank"))


def _date(name: str, held: str) -> Column:
    fault = Fault(BAD_DATE, f"{name} is no date written YYYYMMDD; the row was left out")
    return Column(name, "date", needed=True, held=held, fault=fault)


CONTINUOUS = ("continuous_pickup", "continuous_drop_off")
ZONES = ("location_id", "location_group_id")
WINDOWS = tuple(f"{end}_pickup_{drop}_window" for end in ("start", "end") for drop in ("drop_off", "dropoff"))
DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_ENDS_OF = ("stop", "route", "trip")

AGENCY = Table(
    "agency",
    (
        _id("agency_id"),
        *_text("agency_name", needed=True),
        *_text("agency_url"),
        *_text("agency_timezone", needed=True),
    ),
    kind="agency",
    held="agencies",
    key=("agency_id",),
    needed=True,
    use="numbers, names, operators, kinds of vehicle; extended route types are understood",
)
STOPS = Table(
    "stops",
    (
        _id("stop_id", needed=True),
        *_text("stop_code", "stop_name"),
        _number("stop_lat", "lat", needed=True),
        _number("stop_lon", "lon", needed=True),
        _id("zone_id"),
        _code("location_type", 4, Fault(UNKNOWN_LOCATION_TYPE, "location_type is not 0 to 4; it counts as 0, a stop")),
        _row(
            "parent_station",
            "stop",
            UNKNOWN_PARENT,
            "is no other stop of the feed; the stop is treated as one without a station",
            held="parent",
        ),
        _code("wheelchair_boarding", 2, None),
        *_text("platform_code"),
    ),
    kind="stop",
    held="stops",
    key=("stop_id",),
    needed=True,
    use="places, stations and platforms, wheelchair access (from the station where a platform does not say)",
)
ROUTES = Table(
    "routes",
    (
        _id("route_id", needed=True),
        _row("agency_id", "agency", UNKNOWN_AGENCY, "is not in agency.txt; the route counts as one without an agency"),
        *_text("route_short_name", "route_long_name"),
        Column(
            "route_type",
            "whole",
            needed=True,
            held="route_type",
            blank=-1,
            known=((0, 7), (11, 12), (100, 1799)),  # extended: the hierarchical vehicle types of European feeds
            instead=BUS,
            fault=Fault(UNKNOWN_ROUTE_TYPE, "route_type is not in the GTFS reference; the route counts as bus"),
        ),
        *_text("route_color"),
        _id("network_id"),
        *map(_number, CONTINUOUS),
    ),
    kind="route",
    held="routes",
    key=("route_id",),
    needed=True,
    use=AGENCY.use,
)
TRIPS = Table(
    "trips",
    (
        _of_trip("route", TRIP_WITHOUT_ROUTE, "routes.txt"),
        _of_trip("service", TRIP_WITHOUT_SERVICE, "calendar.txt and calendar_dates.txt"),
        _id("trip_id", needed=True),
        *_text("trip_headsign", "trip_short_name"),
        Column("direction_id", "whole", held="direction_id", dtype=np.int8, blank=-1, low=0, high=1),
        _id("block_id"),
        Column("shape_id", "row", "shape", held="shape"),
        Column("wheelchair_accessible", "whole", held="wheelchair_accessible", dtype=np.int8, low=0, high=2),
    ),
    kind="trip",
    held="trips",
    key=("trip_id",),
    needed=True,
    use="the journeys; blank times are filled in by `shape_dist_traveled`, else along the shape where it passes the stops, "
    "by straight lines elsewhere",
)
STOP_TIMES = Table(
    "stop_times",
    (
        _row("trip_id", "trip", UNKNOWN_TRIP, "is not in trips.txt; the row was left out", needed=True),
        _call_time("arrival_time"),
        _call_time("departure_time"),
        _row("stop_id", "stop", UNKNOWN_STOP, "is not in stops.txt; the row was left out", needed=True),
        Column("stop_sequence", "whole", needed=True, held="sequence", blank=-1, low=0),
        _boarding("pickup_type"),
        _boarding("drop_off_type"),
        _number("shape_dist_traveled", "distance"),
        *map(_number, CONTINUOUS),
        *_ids(*ZONES),
        *map(Column, WINDOWS),
        *(Column(f"{end}_booking_rule_id", "unread", "booking_rule") for end in ("pickup", "drop_off")),
    ),
    held="calls",
    key=("trip_id", "stop_sequence"),
    needed=True,
    use=TRIPS.use,
    streamed=True,
)
CALENDAR = Table(
    "calendar",
    (
        _id("service_id", needed=True),
        *(Column(day, "flag", needed=True, held=day, low=0, high=1) for day in DAYS),
        _date("start_date", "start"),
        _date("end_date", "end"),
    ),
    kind="service",
    key=("service_id",),
    use="on which dates they run; either may be missing",
)
CALENDAR_DATES = Table(
    "calendar_dates",
    (
        Column("service_id", "row", "service", needed=True, held="service"),
        _date("date", "date"),
        Column(
            "exception_type",
            "whole",
            needed=True,
            held="kind",
            known=((1, 2),),
            fault=Fault(BAD_EXCEPTION, "exception_type is not 1 (runs) or 2 (does not run); the row was left out"),
        ),
    ),
    key=("service_id", "date"),
    use=CALENDAR.use,
)
FREQUENCIES = Table(
    "frequencies",
    (
        Column("trip_id", "row", "trip", needed=True, held="trip"),
        _clock("start_time"),
        _clock("end_time"),
        Column("headway_secs", "whole", needed=True, held="headway_s"),
        Column("exact_times", "flag", held="exact_times", low=0, high=1),
    ),
    held="frequencies",
    key=("trip_id", "start_time"),
    use="headways, with and without exact times",
)
TRANSFERS = Table(
    "transfers",
    (
        *(column for kind in _ENDS_OF for column in _ends(kind, TRANSFER_TO_NOWHERE)),
        _code(
            "transfer_type",
            5,
            Fault(UNKNOWN_TRANSFER_TYPE, "transfer_type is not 0 to 5; the transfer was left out"),
            instead=None,
        ),
        Column("min_transfer_time", "whole", held="min_transfer_s", blank=-1, low=0, high=DAY),
    ),
    held="transfers",
    key=tuple(f"{end}_{kind}_id" for kind in _ENDS_OF for end in ("from", "to")),
    use="rules for changing; an in-seat transfer (type 4) is one ride where the second trip starts 0 to 180 minutes after "
    "the end of the first and within 500 m of it, also on the next service date",
)
PATHWAYS = Table(
    "pathways",
    (
        Column("pathway_id", "unread", "pathway", held="pathway_id"),
        *_ends("stop", PATHWAY_TO_NOWHERE),
        Column("pathway_mode", "whole", held="mode", dtype=np.int8, blank=1, low=0, high=127),
        Column("is_bidirectional", "flag", held="both_ways", blank=1),
        _number("length", "metres", low=0),
        _number("traversal_time", "traversal_s", low=0),
    ),
    held="pathways",
    key=("from_stop_id", "to_stop_id", "pathway_mode"),
    use="ways between platforms; in stations with entrances also the only ways from the street to the platforms",
)
SHAPES = Table(
    "shapes",
    (
        Column("shape_id", "row", "shape", needed=True, held="shape"),
        _number("shape_pt_lat", "lat", needed=True),
        _number("shape_pt_lon", "lon", needed=True),
        _number("shape_pt_sequence", "sequence", needed=True),
        _number("shape_dist_traveled", "distance"),
    ),
    kind="shape",
    key=("shape_id", "shape_pt_sequence"),
    use="the drawn course, and the times of blank calls",
    streamed=True,
)
FEED_INFO = Table(
    "feed_info",
    (Column("feed_start_date", "date"), Column("feed_end_date", "date")),
    use="until when the publisher vouches for the feed",
)


def _fares(name: str, *ids: str, zones: tuple[str, ...] = ()) -> Table:
    return Table(name, (*_ids(*ids), *_ids(*zones, of="zone")), use="kept as they are", fare=True)


FARES = (
    _fares("fare_attributes", "fare_id", "agency_id"),
    _fares("fare_rules", "fare_id", "route_id", zones=("origin_id", "destination_id", "contains_id")),
    _fares("fare_media", "fare_media_id"),
    _fares("fare_products", "fare_product_id", "rider_category_id", "fare_media_id"),
    _fares(
        "fare_leg_rules",
        *("leg_group_id", "network_id", "from_area_id", "to_area_id", "fare_product_id"),
        *("from_timeframe_group_id", "to_timeframe_group_id"),
    ),
    _fares("fare_leg_join_rules", "from_network_id", "to_network_id", "from_stop_id", "to_stop_id"),
    _fares("fare_transfer_rules", "from_leg_group_id", "to_leg_group_id", "fare_product_id"),
    _fares("rider_categories", "rider_category_id"),
    _fares("timeframes", "timeframe_group_id", "service_id"),
    _fares("areas", "area_id"),
    _fares("stop_areas", "area_id", "stop_id"),
    _fares("networks", "network_id"),
    _fares("route_networks", "network_id", "route_id"),
)
PRICED = ("fare_attributes", "fare_products")

_UNUSED = (
    Table("levels", _ids("level_id"), kind="level"),
    Table("translations"),
    Table("attributions", _ids("attribution_id"), kind="attribution"),
    Table("location_groups", _ids("location_group_id")),
    Table("location_group_stops", _ids("location_group_id", "stop_id")),
    Table("booking_rules", _ids("booking_rule_id")),
)
"""Tables that say nothing about a journey on foot and by scheduled transport."""

TABLES: dict[str, Table] = {
    table.name: table
    for table in (
        AGENCY, STOPS, ROUTES, TRIPS, STOP_TIMES, CALENDAR, CALENDAR_DATES, FREQUENCIES, TRANSFERS, PATHWAYS, SHAPES,
        FEED_INFO, *FARES, *_UNUSED,
    )
}  # fmt: skip
"""The tables of the GTFS reference by name, in the order in which they are written."""
FRAMES = tuple(table for table in TABLES.values() if table.held and not table.streamed)
"""Those that are a DataFrame of a feed."""
READ_FILES = frozenset(table.file for table in TABLES.values() if table.use)
"""Files that are read; any other in a zip is left alone."""
UNUSED_FILES = frozenset(table.file for table in _UNUSED) | {"locations.geojson"}
KIND_OF_ID = {c.name: c.of for table in TABLES.values() for c in table.columns if c.of}
"""What the ids in a column are ids of, in any table."""
KIND_IN_FARES = {c.name: c.of for table in FARES for c in table.columns}
"""The same for the tables of fares."""
