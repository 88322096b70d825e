"""The rules for walking and driving, tag by tag; each row argued from the tag's meaning."""

from __future__ import annotations

from itertools import product

import pytest

from community_routes.sources.osm.tags import (
    BACKWARD,
    BOTH,
    FORWARD,
    PLAIN_KEYS,
    TELLING_KEYS,
    drive_flags,
    is_below,
    is_closed_lift,
    is_steps,
    walk_flags,
)


def tags(text: str) -> dict[str, str]:
    """``highway=footway foot=no`` as a dict."""
    return dict(item.split("=", 1) for item in text.split())


@pytest.mark.parametrize(
    ("text", "flags"),
    [
        ("highway=footway", BOTH),
        ("highway=steps", BOTH),
        ("highway=path", BOTH),
        ("highway=pedestrian area=yes", BOTH),
        ("highway=residential", BOTH),
        ("highway=primary sidewalk=separate", BOTH),
        ("highway=cycleway", BOTH),
        ("railway=platform", BOTH),
        ("public_transport=platform", BOTH),
        ("railway=rail", 0),
        ("highway=motorway", 0),
        ("highway=motorway_link", 0),
        ("highway=motorway access=yes", 0),
        ("highway=trunk", BOTH),
        ("highway=trunk motorroad=yes", 0),
        ("highway=trunk motorroad=yes foot=yes", BOTH),
        ("highway=construction", 0),
        ("highway=proposed foot=yes", 0),
        ("highway=residential foot=no", 0),
        ("highway=footway foot=private", 0),
        ("highway=cycleway foot=use_sidepath", 0),
        ("highway=service access=private", 0),
        ("highway=service access=no", 0),
        ("highway=service access=private foot=yes", BOTH),
        ("highway=service access=no foot=designated", BOTH),
        ("highway=service access=destination", BOTH),
        ("highway=footway access=yes foot=no", 0),
        ("highway=busway", 0),
        ("highway=busway foot=yes", BOTH),
        ("highway=residential oneway=yes", BOTH),
        ("highway=footway oneway:foot=yes", FORWARD),
        ("highway=footway oneway:foot=-1", BACKWARD),
        ("highway=residential oneway=yes oneway:foot=no", BOTH),
        ("highway=path foot:backward=no", FORWARD),
        ("highway=steps conveying=forward", FORWARD),
        ("highway=steps conveying=backward", BACKWARD),
        ("highway=steps conveying=reversible", BOTH),
        ("highway=steps conveying=yes", BOTH),
        ("highway=steps conveying=yes oneway=yes", FORWARD),
        ("highway=steps conveying=yes oneway=-1", BACKWARD),
        ("highway=steps conveying=no oneway=yes", BOTH),
        ("highway=footway conveying=backward", BACKWARD),
        ("highway=corridor indoor=yes conveying=forward", FORWARD),
        ("highway=steps conveying=forward oneway:foot=-1", 0),
        ("highway=steps conveying=forward access=no", 0),
        ("highway=elevator", BOTH),
        ("highway=elevator access=private", 0),
        ("highway=elevator access=private foot=yes", BOTH),
        ("highway=corridor indoor=yes level=1", BOTH),
        ("indoor=corridor", BOTH),
        ("indoor=corridor access=no", 0),
        ("indoor=room", 0),
        ("highway=unknown_class", 0),
        ("waterway=river foot=yes", 0),
        ("natural=water", 0),
    ],
)
def test_walking(text, flags):
    assert walk_flags(tags(text)) == flags


@pytest.mark.parametrize(
    ("text", "flags"),
    [
        ("highway=residential", BOTH),
        ("highway=residential oneway=yes", FORWARD),
        ("highway=residential oneway=-1", BACKWARD),
        ("highway=residential oneway=yes oneway:bus=no", BOTH),
        ("highway=residential oneway=yes oneway:psv=no", BOTH),
        ("highway=residential oneway:bus=yes", FORWARD),
        ("highway=primary oneway=yes busway:left=opposite_lane", BOTH),
        ("highway=primary junction=roundabout", FORWARD),
        ("highway=motorway", FORWARD),
        ("highway=motorway oneway=no", BOTH),
        ("highway=busway", BOTH),
        ("highway=busway access=no bus=yes", BOTH),
        ("highway=service access=no", 0),
        ("highway=service access=no bus=yes", BOTH),
        ("highway=service access=no psv=yes", BOTH),
        ("highway=tertiary motor_vehicle=no psv=yes", BOTH),
        ("highway=tertiary access=no motor_vehicle=yes", BOTH),
        ("highway=tertiary bus=no", 0),
        ("highway=tertiary psv=no bus=yes", BOTH),
        ("highway=pedestrian", 0),
        ("highway=pedestrian bus=yes", BOTH),
        ("highway=footway", 0),
        ("highway=steps bus=yes", 0),
        ("highway=service service=driveway", 0),
        ("highway=service service=driveway bus=yes", BOTH),
        ("highway=construction", 0),
        ("railway=platform", 0),
    ],
)
def test_driving(text, flags):
    assert drive_flags(tags(text)) == flags


def test_steps_with_a_wheelchair_ramp_are_no_steps():
    assert is_steps(tags("highway=steps"))
    assert not is_steps(tags("highway=steps ramp:wheelchair=yes"))
    assert not is_steps(tags("highway=footway"))
    assert is_steps(tags("highway=steps conveying=forward"))
    assert not is_steps(tags("highway=footway conveying=forward"))


@pytest.mark.parametrize(
    ("text", "closed"),
    [
        ("highway=elevator", False),
        ("highway=elevator access=yes", False),
        ("highway=elevator access=no", True),
        ("highway=elevator foot=no", True),
        ("highway=elevator access=private foot=yes", False),
        ("highway=crossing access=no", False),
    ],
)
def test_a_lift_is_open_unless_access_forbids_it(text, closed):
    assert is_closed_lift(tags(text)) == closed


@pytest.mark.parametrize(
    ("text", "below"),
    [
        ("tunnel=yes", True),
        ("tunnel=passage", True),
        ("tunnel=no", False),
        ("tunnel=building_passage", False),
        ("tunnel=avalanche_protector", False),
        ("layer=-1", True),
        ("layer=1", False),
        ("level=-1;0", True),
        ("level=0;-2", True),
        ("level=-0.5", True),
        ("level=-1-1", True),
        ("level=0--1", True),
        ("level=0-3", False),
        ("level=-0", False),
        ("level=B1", False),
        ("highway=footway", False),
    ],
)
def test_below_ground(text, below):
    assert is_below(tags(text)) is below


def test_the_lists_of_keys_are_those_that_the_rules_read():
    """A mapping that notes what it is asked for, through all paths of the rules: nothing beyond the two lists, and each."""
    asked = set()

    class Noted(dict):
        def get(self, key, default=None):
            asked.add(key)
            return super().get(key, default)

    values = {
        "highway": [None, "footway", "motorway", "steps", "busway", "service", "primary"],
        "foot": [None, "yes", "no"],
        "access": [None, "no", "yes"],
        "bus": [None, "yes", "no"],
        "oneway": [None, "yes"],
        "railway": [None, "platform"],
        "conveying": [None, "yes"],
    }
    for combination in product(*values.values()):
        tags = Noted({key: value for key, value in zip(values, combination, strict=True) if value is not None})
        for rule in (walk_flags, drive_flags, is_steps):
            rule(tags)
    assert asked == {*PLAIN_KEYS, *TELLING_KEYS}
