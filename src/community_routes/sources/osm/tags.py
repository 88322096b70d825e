"""Which OpenStreetMap ways people may walk along and buses may drive along: every rule in one place.

Walking. The tag of the mode (``foot``) beats ``access``. Where neither speaks, the class of the way decides. Pavements
tagged on a road (``sidewalk``) do not take the road itself out: its pavement may not be drawn. Lifts and indoor corridors
are open; escalators and moving walkways (``conveying``) are walked only as they carry. Conditional tags
(``foot:conditional``), levels and opening hours are not read.

Driving (buses). The most specific of ``bus``, ``psv``, ``motor_vehicle``, ``vehicle`` and ``access`` decides, then the
class of the way. Turn restrictions are not read.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

FORWARD: Final = 1
"""Flag: the way may be used in the order of its nodes."""
BACKWARD: Final = 2
"""Flag: the way may be used against the order of its nodes."""
BOTH: Final = FORWARD | BACKWARD

# Classes that are out whatever other tags say: there is nothing to walk or drive on yet, or no longer.
NOT_BUILT: Final = frozenset(
    {
        "construction",
        "proposed",
        "planned",
        "abandoned",
        "demolished",
        "razed",
        "disused",
        "removed",
        "dismantled",
        "no",
        "virtual",
    }
)

# highway=... that people walk along when no tag of access speaks.
WALKED: Final = frozenset(
    {
        "footway",
        "path",
        "pedestrian",
        "steps",
        "corridor",
        "platform",
        "crossing",
        "sidewalk",
        "bridleway",
        "cycleway",
        "track",
        "living_street",
        "residential",
        "unclassified",
        "service",
        "road",
        "tertiary",
        "tertiary_link",
        "secondary",
        "secondary_link",
        "primary",
        "primary_link",
        "trunk",
        "trunk_link",
        "services",
        "rest_area",
        "elevator",
    }
)

# highway=... that need foot=yes (or the like): motorways, guideways of buses, race tracks, escape lanes, ...
WALKED_IF_SAID: Final = frozenset(
    {
        "motorway",
        "motorway_link",
        "busway",
        "bus_guideway",
        "raceway",
        "escape",
        "via_ferrata",
        "emergency_bay",
        "bus_stop",
    }
)

# Ways without highway=... that people walk along: (key, value).
WALKED_OTHERWISE: Final = (
    ("railway", "platform"),
    ("public_transport", "platform"),
    ("man_made", "pier"),
    ("indoor", "corridor"),
)

# highway=... that buses drive along when no tag of access speaks.
DRIVEN: Final = frozenset(
    {
        "motorway",
        "motorway_link",
        "trunk",
        "trunk_link",
        "primary",
        "primary_link",
        "secondary",
        "secondary_link",
        "tertiary",
        "tertiary_link",
        "unclassified",
        "residential",
        "living_street",
        "service",
        "road",
        "busway",
        "bus_guideway",
    }
)

# highway=... that need bus=yes or psv=yes.
DRIVEN_IF_SAID: Final = frozenset({"pedestrian", "track", "footway", "path", "cycleway", "services", "rest_area"})

# service=... on which no bus drives unless bus=yes or psv=yes says so: short cuts over car parks and drives.
NOT_FOR_BUSES: Final = frozenset(
    {"driveway", "parking_aisle", "drive-through", "emergency_access", "parking", "slipway"}
)

# Values of access tags. Whatever is in neither set says nothing (the next tag decides).
ALLOWED: Final = frozenset(
    {"yes", "designated", "permissive", "permit", "destination", "customers", "public", "official", "true", "1"}
)
FORBIDDEN: Final = frozenset(
    {
        "no",
        "private",
        "agricultural",
        "forestry",
        "delivery",
        "military",
        "emergency",
        "restricted",
        "use_sidepath",
        "residents",
        "employees",
        "staff",
        "members",
        "closed",
        "none",
        "false",
        "0",
    }
)

# tunnel=... of what lies at ground level all the same: passages through buildings, roofs, and roads above a culvert.
NO_TUNNEL: Final = frozenset({"no", "building_passage", "avalanche_protector", "covered", "culvert"})
_BELOW = re.compile(r"(^|[;,-])\s*-\s*[0.]*[1-9]")

_ONEWAY = {"yes": FORWARD, "true": FORWARD, "1": FORWARD, "-1": BACKWARD, "reverse": BACKWARD}
_NO_ONEWAY = frozenset({"no", "false", "0", "alternating", "reversible"})
_CARRIES = {"forward": FORWARD, "backward": BACKWARD}
_CARRIES_NOBODY = frozenset({"no", "false", "0"})

Tags = Mapping[str, str]

PLAIN_KEYS: Final = ("highway", "oneway", "junction", "service")
"""Keys that the rules read and that most streets have."""

TELLING_KEYS: Final = (
    "construction",
    "abandoned",
    "access",
    "foot",
    "oneway:foot",
    "foot:forward",
    "foot:backward",
    "motorroad",
    "bus",
    "psv",
    "motor_vehicle",
    "vehicle",
    "oneway:bus",
    "oneway:psv",
    "busway",
    "busway:left",
    "busway:right",
    "railway",
    "public_transport",
    "man_made",
    "indoor",
    "conveying",
    "ramp:wheelchair",
)
"""All other keys that the rules read: a way with none of them is judged by the plain ones."""

BELOW_KEYS: Final = ("tunnel", "layer", "level")
"""Keys that tell what lies below ground: a way with none of them does not."""


def _says(tags: Tags, key: str) -> bool | None:
    """Whether the tag allows (True), forbids (False) or says nothing (None); of a list the first value counts."""
    value = tags.get(key)
    if value is None:
        return None
    value = value.split(";", 1)[0].strip().lower()
    if value in ALLOWED:
        return True
    return False if value in FORBIDDEN else None


def _not_built(tags: Tags, highway: str | None) -> bool:
    return highway in NOT_BUILT or tags.get("construction") in ("yes", "major") or tags.get("abandoned") == "yes"


def walk_flags(tags: Tags) -> int:
    """Directions in which people may walk along a way: 0, or ``FORWARD``, ``BACKWARD`` or ``BOTH``.

    Examples
    --------
    >>> walk_flags({"highway": "footway"}), walk_flags({"highway": "motorway"})
    (3, 0)
    >>> walk_flags({"highway": "service", "access": "private", "foot": "yes"})
    3
    """
    highway = tags.get("highway")
    if _not_built(tags, highway):
        return 0
    foot = _says(tags, "foot")
    if foot is None:
        foot = _says(tags, "access")
        if foot is not False:  # access=yes alone opens no motorway to people on foot
            usual = highway in WALKED if highway else any(tags.get(k) == v for k, v in WALKED_OTHERWISE)
            foot = usual and tags.get("motorroad") != "yes"
    elif foot:
        foot = highway in WALKED or highway in WALKED_IF_SAID or any(tags.get(k) == v for k, v in WALKED_OTHERWISE)
    return _walk_direction(tags) if foot else 0


def _walk_direction(tags: Tags) -> int:
    """``oneway:foot``, ``foot:forward``, ``foot:backward`` and ``conveying``; a plain ``oneway`` is for vehicles."""
    flags = _ONEWAY.get(tags.get("oneway:foot", ""), BOTH) & _conveying(tags)
    if tags.get("foot:forward") == "no":
        flags &= ~FORWARD
    if tags.get("foot:backward") == "no":
        flags &= ~BACKWARD
    return flags


def _conveying(tags: Tags) -> int:
    """Directions in which an escalator or moving walkway carries people; one that only says so may have a ``oneway``."""
    value = tags.get("conveying", "no").strip().lower()
    if value in _CARRIES_NOBODY:
        return BOTH
    return _CARRIES.get(value) or (_ONEWAY.get(tags.get("oneway", ""), BOTH) if value == "yes" else BOTH)


def is_closed_lift(tags: Tags) -> bool:
    """Whether a node is a lift that people may not use: nobody passes it.

    Examples
    --------
    >>> is_closed_lift({"highway": "elevator", "access": "private"}), is_closed_lift({"highway": "elevator"})
    (True, False)
    """
    return tags.get("highway") == "elevator" and not walk_flags(tags)


def drive_flags(tags: Tags) -> int:
    """Directions in which a bus may drive along a way: 0, or ``FORWARD``, ``BACKWARD`` or ``BOTH``.

    Examples
    --------
    >>> drive_flags({"highway": "residential", "oneway": "yes"}), drive_flags({"highway": "footway"})
    (1, 0)
    >>> drive_flags({"highway": "pedestrian", "bus": "yes"})
    3
    """
    highway = tags.get("highway")
    if highway is None or _not_built(tags, highway) or not (highway in DRIVEN or highway in DRIVEN_IF_SAID):
        return 0
    said = _says(tags, "bus")
    if said is None:
        said = _says(tags, "psv")
    if said is None:
        if highway not in DRIVEN or tags.get("service") in NOT_FOR_BUSES:
            return 0
        said = _general_access(tags, highway)
    return _drive_direction(tags, highway) if said else 0


def _general_access(tags: Tags, highway: str) -> bool:
    """Access for vehicles at large where no tag names buses; a busway is for buses by its class."""
    if highway in ("busway", "bus_guideway"):
        return True
    for key in ("motor_vehicle", "vehicle", "access"):
        said = _says(tags, key)
        if said is not None:
            return said
    return True


def _drive_direction(tags: Tags, highway: str) -> int:
    """The first of ``oneway:bus``, ``oneway:psv``, ``oneway`` that speaks; roundabouts and motorways go one way."""
    for key in ("oneway:bus", "oneway:psv"):
        value = tags.get(key)
        if value in _NO_ONEWAY:
            return BOTH
        if value in _ONEWAY:
            return _ONEWAY[value]
    if any(tags.get(k, "").startswith("opposite") for k in ("busway", "busway:left", "busway:right")):
        return BOTH  # a lane for buses against the one-way traffic
    value = tags.get("oneway")
    if value in _NO_ONEWAY:
        return BOTH
    if value in _ONEWAY:
        return _ONEWAY[value]
    one_way = tags.get("junction") in ("roundabout", "circular") or highway == "motorway"
    return FORWARD if one_way else BOTH


def is_steps(tags: Tags) -> bool:
    """Whether a way is a flight of steps (or an escalator), which a wheelchair cannot use."""
    return tags.get("highway") == "steps" and tags.get("ramp:wheelchair") != "yes"


def is_below(tags: Tags) -> bool:
    """Whether a way is a tunnel or below ground, which people walk through but do not step into from beside it.

    Of several levels (``-1;0``, ``-2-0``) the lowest counts: what leads down is no street front.

    Examples
    --------
    >>> is_below({"tunnel": "yes"}), is_below({"level": "0;-1"}), is_below({"tunnel": "building_passage", "layer": "1"})
    (True, True, False)
    """
    below = any(_BELOW.search(tags.get(key, "")) for key in ("layer", "level"))
    return below or tags.get("tunnel", "no") not in NO_TUNNEL
