"""Journeys along time and leg by leg: the same question today and with each proposal."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
from markupsafe import Markup

from community_routes.report import charts, words
from community_routes.report.blocks import (
    Block,
    Box,
    Drawn,
    Fold,
    Heading,
    Items,
    Section,
    Text,
    article,
    element,
    hidden,
)
from community_routes.report.pages.context import Report
from community_routes.report.results import TODAY, JourneyView, LegView

_SHOWN = 6


def journeys(report: Report) -> Section | None:
    """Sample journeys before and after, one for each proposal at once, the others when asked for; None without any."""
    pairs: dict[tuple[str, int, str, str], list[JourneyView]] = {}
    for view in report.results.journeys:
        pairs.setdefault((view.day, view.depart_s, view.zone, view.destination), []).append(view)
    if not pairs:
        return None
    zones = report.results.zones
    names = {str(zone): str(name) for zone, name in zip(zones["id"], zones["name"], strict=True)}
    places = _nameless_places(report)
    told: list[set[str]] = [_changed(views) for views in pairs.values()]
    boxes: list[Block] = [
        _pair(report, views, f"{names.get(zone, zone)} to {places.get(destination, destination)}")
        for (_, _, zone, destination), views in pairs.items()
    ]
    first: list[int] = []
    shown: set[str] = set()
    for number, changed in enumerate(told):
        if changed - shown or (not first and number == len(told) - 1):
            first.append(number)
            shown |= changed
    first = first[:_SHOWN]
    more = [box for number, box in enumerate(boxes) if number not in first]
    note = (
        "Examples that change, for the better or the worse; they are no sample. Each can be checked in the timetable."
    )
    found: list[Block] = [Text(note, "note"), Box([boxes[number] for number in first], "journey-grid")]
    if more:
        title = f"{len(more)} more journeys" if len(more) > 1 else "1 more journey"
        found.append(Fold(title, [Box(more, "journey-grid")], "more-journeys"))
    return Section("journeys", "Real journeys, before and after", found, short="Journeys")


def _changed(views: Sequence[JourneyView]) -> set[str]:
    """The proposals that give another journey than today."""
    today = next((_what(view) for view in views if view.scenario == TODAY), None)
    return {view.scenario for view in views if view.scenario != TODAY and _what(view) != today}


def _what(view: JourneyView) -> tuple[object, ...]:
    legs = tuple((leg.mode, leg.route, leg.start, leg.end, leg.depart_s, leg.arrive_s) for leg in view.legs)
    return (legs, view.fare, view.last_home_s, view.reason)


def _pair(report: Report, views: list[JourneyView], title: str) -> Box:
    """One question with all answers that differ, on one scale of time."""
    first = views[0]
    ids = [TODAY, *(s.id for s in report.results.scenarios)]
    views = sorted(views, key=lambda view: ids.index(view.scenario) if view.scenario in ids else len(ids))
    end = max([leg.arrive_s for view in views for leg in view.legs], default=first.depart_s + 3600)
    day = words.on_day(first.day)
    when = f"Ready to leave at {words.clock(first.depart_s)}{f' {day}' if day else ''}."
    alike: dict[tuple[object, ...], list[JourneyView]] = {}
    for view in views:
        alike.setdefault(_what(view), []).append(view)
    lines = [_line(report, same, title, end) for same in alike.values()]
    return article(Heading(title), Text(when, "note"), *lines, style="journey")


def _line(report: Report, same: list[JourneyView], of: str, end_s: int) -> Box:
    """One answer under the names of all scenarios that give it: how long it takes, its legs drawn and in words."""
    view = same[0]
    title = _whose(report, [one.scenario for one in same])
    if not view.legs:
        reason = words.REASONS.get(view.reason, view.reason or "no journey")
        return Box([Heading(title, 4), Text(f"No journey: {reason}.", "trip-facts")], "trip-line")
    minutes = round((view.legs[-1].arrive_s - view.depart_s) / 60)
    facts = [
        f"{words.number(minutes)} minutes",
        f"arrives {words.clock(view.legs[-1].arrive_s)}",
        changes_text(view.legs),
    ]
    rides = any(leg.mode != "walk" for leg in view.legs)
    facts += [words.money(view.fare, report.results.currency)] if rides and view.fare is not None else []
    facts += [f"last journey home {words.clock(view.last_home_s)}"] if view.last_home_s is not None else []
    bar = charts.journey_bar(view, view.depart_s, end_s, title=f"{title}: {', '.join(facts)}")
    legs = Fold(Markup("Leg by leg{}").format(hidden(f": {of}, {title}")), [leg_list(view.legs)])
    return Box([Heading(title, 4), Text(" · ".join(facts), "trip-facts"), Drawn(bar), legs], "trip-line")


def _whose(report: Report, scenarios: list[str]) -> str:
    """ "Today", "Today, and with C and D", "With A and B"; the title where there is one proposal."""
    others = [scenario for scenario in scenarios if scenario != TODAY]
    if not report.has_letters:
        return words.joined([report.results.scenario_title(scenario) for scenario in scenarios])
    letters = words.joined([report.results.letter(scenario) for scenario in others])
    if TODAY in scenarios:
        return f"Today, and with {letters}" if others else "Today"
    return f"With {letters}"


def changes_text(legs: Sequence[LegView]) -> str:
    """ "on foot", "no change", "2 changes"."""
    rides = sum(leg.mode != "walk" for leg in legs)
    return "on foot" if not rides else "no change" if rides == 1 else f"{rides - 1} change{'s' * (rides > 2)}"


def leg_list(legs: Sequence[LegView]) -> Items:
    """The legs in words, each after its time; names keep their own direction of writing."""
    return Items([_leg(leg) for leg in legs], "legs", "ol")


def _leg(leg: LegView) -> Markup:
    minutes = max(1, round((leg.arrive_s - leg.depart_s) / 60))
    how = "Walk" if leg.mode == "walk" else f"{words.sentence_case(leg.mode)} {leg.route}".strip()
    wait = f", after a wait of {round(leg.wait_s / 60)} min" if leg.wait_s >= 30 else ""
    text = f"{how}: {leg.start} to {leg.end}, {minutes} min{wait}"
    return Markup("{} {}").format(element("span", words.clock(leg.depart_s), style="time"), element("bdi", text))


def _nameless_places(report: Report) -> dict[str, str]:
    """What a place without a name is called instead of its id: its kind."""
    table = report.results.destinations
    found = {}
    for place, name, key, kind in zip(table["id"], table["name"], table["key"], table["kind"], strict=True):
        if pd.isna(name) or not str(name):
            known = not pd.isna(kind) and str(kind)
            what = words.part_name(str(kind)) if known else words.kind_name(str(key)).removesuffix("s")
            found[str(place)] = f"{what} without a name"
    return found
