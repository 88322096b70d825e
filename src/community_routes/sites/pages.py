"""The pages of a batch: one for each site that is asked for, and the overview of all."""

from __future__ import annotations

import errno
import hashlib
import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from markupsafe import Markup

from community_routes.base.times import MINUTE
from community_routes.evaluation.case import Study
from community_routes.evaluation.places import lines_of
from community_routes.report import words
from community_routes.report.maps.sites import Mark, Stretch, Underlay, background_json, small_map, underlay
from community_routes.report.pages.sites import (
    Overview,
    ShownJourney,
    SitePage,
    Table,
    overview_html,
    site_html,
)
from community_routes.report.results import JourneyView, LegView
from community_routes.sites.detail import Note
from community_routes.sites.page_words import Wording, minutes_text, money
from community_routes.sites.prepare import ALL, FAILED, NONE, Batch
from community_routes.sites.read import meaning_of
from community_routes.sites.tables import JudgedSites, cost_text
from community_routes.sites.work_folder import Notes
from community_routes.sources.osm.background import background_layers

MOST_PAGES = 200
"""Pages of sites that miss a standard, where no sites were named."""

OVERVIEW, PAGES = "report.html", "pages"
_PLAIN_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,59}")
_RESERVED = re.compile(r"(?i)con|prn|aux|nul|com\d|lpt\d")
_FOOTWAY_M = 1200.0


@dataclass(frozen=True)
class Wanted:
    """Which sites get a page.

    Attributes
    ----------
    rows : tuple of int
        In the order of the file.
    n_left_out : int
        Sites that were asked for and get none: they could not be judged, or there were too many.
    """

    rows: tuple[int, ...]
    n_left_out: int


def pages_wanted(judged: JudgedSites, pages: Sequence[str]) -> Wanted:
    """The sites that get a page; one that could not be judged has nothing to show, and stands in the overview only.

    ``failed`` are those that miss a standard; of more than 200 those that miss most, the first of the file where alike.
    """
    asked = tuple(pages)
    if asked == (NONE,):
        return Wanted((), 0)
    if asked == (ALL,):
        return Wanted(tuple(np.flatnonzero(~judged.failed).tolist()), int(judged.failed.sum()))
    if asked == (FAILED,):
        rows = np.flatnonzero(judged.misses(required=False))
        missed = np.sum([~verdict.passed for verdict in judged.verdicts], axis=0)
        worst = sorted(rows.tolist(), key=lambda row: (-int(missed[row]), row))[:MOST_PAGES]
        return Wanted(tuple(sorted(worst)), len(rows) - len(worst))
    named = [row for row, site in enumerate(judged.sites) if site.id in asked]
    there = [row for row in named if judged.sites[row].fault is None]
    return Wanted(tuple(there), len({judged.sites[row].id for row in named}) - len(there))


def page_name(site_id: str) -> str:
    """The file of a site's page: its id where that is a plain word, else a name that tells ids apart on every system."""
    if _PLAIN_NAME.fullmatch(site_id) and not _RESERVED.fullmatch(site_id) and site_id == site_id.upper():
        return f"{site_id}.html"
    plain = re.sub(r"[^A-Za-z0-9]+", "-", site_id)[:40].strip("-")
    return f"{plain or 'site'}.{hashlib.sha256(site_id.encode()).hexdigest()[:10]}.html"


def write_pages(
    judged: JudgedSites,
    batch: Batch,
    wanted: Wanted,
    notes: Notes,
    folder: Path,
    tell: Callable[[str], None],
) -> None:
    """Write ``report.html`` and the pages into a folder, one after the other.

    Raises
    ------
    OSError
        Something cannot be read or written.
    """
    study = batch.study
    background = background_layers(study.street_map) if study.street_map is not None else {}
    wording = Wording(study, judged)
    (folder / OVERVIEW).write_bytes(overview_html(_overview(judged, wording, wanted, background)).encode("utf-8"))
    if not wanted.rows:
        return
    under = underlay(background, lines_of(study.ground), study.zones.table)
    (folder / PAGES).mkdir()
    for number, row in enumerate(wanted.rows):
        if number % 20 == 0:
            tell(f"writing pages: {number:,} of {len(wanted.rows):,} are done")
        note = notes.load(batch.key_of_site[row])
        if note is None:
            raise OSError(errno.EIO, "what was kept of a site cannot be read again")
        page = _site_page(judged, wording, under, row, note)
        (folder / PAGES / page_name(judged.sites[row].id)).write_bytes(site_html(page).encode("utf-8"))


# ---- the page of one site --------------------------------------------------------------------------------------------


def _site_page(judged: JudgedSites, wording: Wording, under: Underlay, row: int, note: Note) -> SitePage:
    study, site = wording.study, judged.sites[row]
    verdicts = judged.verdicts
    title = site.name or site.id
    return SitePage(
        title=title,
        study=study.title,
        facts=_facts(judged, row),
        verdict=wording.verdict(row),
        passed=all(bool(v.passed[row]) for v in verdicts) if verdicts else None,
        standards=tuple(wording.judged_standard(number, row) for number in range(len(verdicts))),
        source=judged.run["standards_source"] or "",
        map=_site_map(under, note, site.shape),
        map_note=_walk_words(note),
        sections=wording.sections(row, note),
        journeys=tuple(_journey(study, under, one) for one in note["journeys"]),
        settings=judged.run["settings"],
        credits=_credits(study),
        version=judged.run["version"],
        invented=study.is_invented,
    )


def _facts(judged: JudgedSites, row: int) -> tuple[tuple[str, str], ...]:
    site, zone = judged.sites[row], int(judged.around.zone[row])
    facts = [("Site", site.id)]
    facts += [("Homes", words.count(site.homes))] if not math.isnan(site.homes) else []
    facts += [("Year", site.year)] if site.year else []
    if zone >= 0:
        info = judged.zones.iloc[zone]
        facts.append(("Neighbourhood", str(info["name"] or info["id"])))
        if math.isfinite(float(info["deprivation_decile"])):
            facts.append(("Deprivation decile", f"{int(info['deprivation_decile'])} of 10"))
    return tuple(facts)


def _walk_words(note: Note) -> str:
    walk = note["walk"]
    if walk is None:
        return "No stop with service lies within walking limits."
    return f"The walk to the nearest stop with service, {walk['stop']}: {words.number(walk['metres'])} m."


def _site_map(under: Underlay, note: Note, shape: Any) -> Markup:
    """The site, its entrances, the nearest stops, and the walk to the nearest of them."""
    near = [stop for number, stop in enumerate(note["stops"]) if number < 3 or stop["metres"] <= _FOOTWAY_M]
    marks = [Mark(stop["at"], "stop") for stop in reversed(near)]
    if near:
        marks[-1] = Mark(near[0]["at"], "stop", near[0]["name"])
    several = len(note["entrances"]) > 1 or shape.geom_type.endswith("Polygon")
    if several:
        marks += [Mark(entrance[:2], "entrance") for entrance in note["entrances"]]
    inside = shape.point_on_surface()
    marks.append(Mark((inside.x, inside.y), "site", "the site"))
    walk = note["walk"]
    stretches = [Stretch(walk["line"], walk=True)] if walk is not None else []
    title = f"Map of the site and the stops near it. {_walk_words(note)}"
    return small_map(under, stretches, marks, title=title, area=shape if shape.geom_type.endswith("Polygon") else None)


def _journey(study: Study, under: Underlay, note: Note) -> ShownJourney:
    kind = words.kind_name(note["kind"])
    if not note["legs"]:
        if "to" in note:
            return ShownJourney(
                f"{note['to']}: nearest of {kind}", "", None, reason="the site lies at the place itself"
            )
        reason = "none is reached within the limits of time, walking and rides on most departures"
        return ShownJourney(f"Nearest of {kind}", "", None, reason=reason)
    legs = tuple(
        LegView(leg["mode"], leg["route"], leg["start"], leg["end"], leg["depart_s"], leg["arrive_s"], leg["wait_s"])
        for leg in note["legs"]
    )
    view = JourneyView("today", note["day"], note["depart_s"], "", note["to"], legs)
    rides = sum(leg.mode != "walk" for leg in legs)
    minutes = round((note["arrive_s"] - note["depart_s"]) / MINUTE)
    changes = "on foot" if not rides else "no change" if rides == 1 else f"{rides - 1} change{'s' * (rides > 2)}"
    title = f"{note['to']}: nearest of {kind}"
    stretches = [Stretch(leg["line"], walk=leg["mode"] == "walk") for leg in note["legs"]]
    ends = (
        [leg["line"][0] for leg in note["legs"] if leg["line"]],
        [leg["line"][-1] for leg in note["legs"] if leg["line"]],
    )
    marks = [
        Mark(at, "stop") for leg in note["legs"] if leg["mode"] != "walk" for at in (leg["line"][0], leg["line"][-1])
    ]
    marks += [Mark(ends[1][-1], "place", note["to"]), Mark(ends[0][0], "site", "the site")] if ends[0] else []
    drawn = small_map(under, stretches, marks, title=f"Map of the journey to {note['to']}") if marks else Markup("")
    day = words.on_day(note["day"])
    return ShownJourney(
        title=title,
        when=f"Leaving at {words.clock(note['depart_s'])}{f' {day}' if day else ''}",
        view=view,
        map=drawn,
        facts=(minutes_text(minutes or 0.5), f"arrives {words.clock(note['arrive_s'])}", changes),
        legs=tuple(_leg_words(leg) for leg in legs),
    )


def _leg_words(leg: LegView) -> tuple[str, str]:
    minutes = max(1, round((leg.arrive_s - leg.depart_s) / MINUTE))
    how = "Walk" if leg.mode == "walk" else f"{words.sentence_case(leg.mode)} {leg.route}".strip()
    wait = f", after a wait of {round(leg.wait_s / MINUTE)} min" if leg.wait_s >= MINUTE / 2 else ""
    return words.clock(leg.depart_s), f"{how}: {leg.start} to {leg.end}, {minutes} min{wait}"


def _credits(study: Study) -> tuple[str, ...]:
    found = [credit for credit in study.sources["credit"].fillna("").tolist() if credit]
    return tuple(dict.fromkeys(str(credit) for credit in found))


# ---- the overview ----------------------------------------------------------------------------------------------------


def _overview(judged: JudgedSites, wording: Wording, wanted: Wanted, background: Mapping[str, Any]) -> Overview:
    study, verdicts = wording.study, judged.verdicts
    failed, misses = judged.failed, judged.misses(required=False)
    n = len(failed)
    columns: list[dict[str, str]] = [
        {"name": name, "kind": kind, "unit": ""}
        for name, kind in (
            ("Site", "text"),
            ("Name", "text"),
            ("Homes", "number"),
            ("Neighbourhood", "text"),
            ("Result", "text"),
        )
    ]
    for verdict in verdicts:
        name, unit = wording.short(verdict.standard)
        columns.append({"name": name, "kind": "mark", "unit": unit})
    if judged.remedies.proposals:
        columns.append({"name": "Cheapest proposal that brings all", "kind": "text", "unit": ""})
    facts = [
        ("Sites", words.count(n)),
        ("Judged", words.count(n - failed.sum())),
        ("Pages", words.count(len(wanted.rows))),
    ]
    facts += [(words.day_name(day), words.date_text(date)) for day, date in study.file.dates.items()]
    return Overview(
        title=study.title,
        facts=tuple(facts),
        verdict=_verdict(n, failed, misses, bool(verdicts)),
        standards=_standards(judged, wording),
        source=judged.run["standards_source"] or "",
        columns=tuple(columns),
        rows=_rows(judged, wanted),
        failed=Table(
            "Why, and the cure",
            ("Site", "Line", "What is wrong", "Given"),
            tuple((f.id or "(no id)", str(f.line), meaning_of(f.reason), f.value) for f in judged.faults[:MOST_FAULTS]),
            (2, 3),
        ),
        scenarios=_scenarios(judged) if judged.remedies.proposals else None,
        background=background_json(background, study.zones.table),
        box=_box(judged),
        notes=_notes(judged, wanted),
        credits=_credits(study),
        version=judged.run["version"],
        invented=study.is_invented,
    )


MOST_FAULTS = 500
"""Sites that could not be judged, in the overview; all are in ``failed.csv``."""


def _verdict(n: int, failed: Any, misses: Any, has_standards: bool) -> str:
    n_judged, n_missed = int(n - failed.sum()), int(misses.sum())
    left = f" {words.count(failed.sum())} could not be judged." if failed.any() else ""
    if not has_standards:
        return f"{words.count(n_judged)} sites have their figures; the study sets no standards.{left}"
    meet = "meets" if n_judged - n_missed == 1 else "meet"
    return (
        f"{words.count(n_judged - n_missed)} of {words.count(n_judged)} sites {meet} all standards, {words.count(n_missed)} "
        f"{'misses' if n_missed == 1 else 'miss'} at least one.{left}"
    )


def _standards(judged: JudgedSites, wording: Wording) -> Table:
    rows = []
    judged_rows = ~judged.failed
    for number, verdict in enumerate(judged.verdicts):
        missed = judged_rows & ~verdict.passed
        cells = [
            wording.asked(verdict.standard),
            words.count((judged_rows & verdict.passed).sum()),
            words.count(missed.sum()),
        ]
        if judged.remedies.proposals:
            cells.append(words.count((judged.remedies.meets[:, number].any(axis=0) & missed).sum()))
        rows.append(tuple(cells))
    heads = ("Standard", "Sites that meet it", "Sites that miss it")
    extra = ("of these, a proposal brings it to",) if judged.remedies.proposals else ()
    return Table("The standards", (*heads, *extra), tuple(rows))


def _rows(judged: JudgedSites, wanted: Wanted) -> list[list[Any]]:
    """Cells, page, latitude, longitude and verdict of each site."""
    failed, misses = judged.failed, judged.misses(required=False)
    has_page, zone = set(wanted.rows), judged.around.zone
    zone_names = [str(name or ident) for ident, name in judged.zones[["id", "name"]].to_numpy().tolist()]
    best = judged.remedies.cheapest(judged.remedies.mends)
    required = judged.misses(required=True)
    rows: list[list[Any]] = []
    for row, site in enumerate(judged.sites):
        lon, lat = site.point
        verdict = 2 if failed[row] else int(misses[row])
        homes = None if math.isnan(site.homes) else site.homes
        result = (
            "could not be judged"
            if failed[row]
            else "misses a standard"
            if misses[row]
            else "meets all"
            if judged.verdicts
            else "judged"
        )
        cells: list[Any] = [site.id, site.name, homes, zone_names[zone[row]] if zone[row] >= 0 else "", result]
        for v in judged.verdicts:
            margin = float(v.margin[row])
            cells.append("" if failed[row] else None if math.isnan(margin) else _tenth(margin))
        if judged.remedies.proposals:
            one = int(best[row])
            cells.append(
                "" if not required[row] else judged.remedies.proposals[one].title if one >= 0 else "none of those tried"
            )
        page = f"{PAGES}/{page_name(site.id)}" if row in has_page else ""
        place = [None, None] if math.isnan(lon) else [round(lat, 6), round(lon, 6)]
        rows.append([*cells, page, *place, verdict])
    return rows


def _tenth(margin: float) -> float:
    """To a tenth, away from 0, so that a standard that is missed by little is still seen to be missed."""
    return math.copysign(math.ceil(abs(margin) * 10 - 1e-6) / 10, margin) if margin else 0.0


def _scenarios(judged: JudgedSites) -> Table:
    remedies = judged.remedies
    best = remedies.cheapest(remedies.mends)
    rows = [
        (
            one.title,
            money(one.cost, one.study.currency),
            str(cost_text(one.bus_hours)) if math.isnan(one.bus_hours) else words.count(one.bus_hours),
            words.count(remedies.meets[row].any(axis=0).sum()),
            words.count(remedies.mends[row].sum()),
            words.count((best == row).sum()),
        )
        for row, one in enumerate(remedies.proposals)
    ]
    heads = (
        "Proposal",
        "Cost",
        "Bus-hours a year",
        "Brings a standard to",
        "Brings all that are required to",
        "and is the cheapest for",
    )
    return Table("What each proposal takes beyond today, and for how many sites it helps", heads, tuple(rows), (1,))


def _box(judged: JudgedSites) -> list[list[float]]:
    """What the map opens with: the sites that were judged, or the borough where there are none."""
    points = np.array([site.point for site in judged.sites if site.fault is None], np.float64).reshape(-1, 2)
    west, south, east, north = judged.zones.total_bounds
    if len(points):
        (west, south), (east, north) = points.min(axis=0) - 0.003, points.max(axis=0) + 0.003
    return [[round(float(south), 5), round(float(west), 5)], [round(float(north), 5), round(float(east), 5)]]


def _notes(judged: JudgedSites, wanted: Wanted) -> tuple[str, ...]:
    notes = [
        "A result is what the timetable promises on the days above. Times are medians over the departures of a window; a limit "
        "that is just met is met.",
    ]
    if wanted.n_left_out:
        notes.append(
            f"{words.count(wanted.n_left_out)} sites for which a page was asked have none: they could not be judged, or they are "
            f"beyond the {MOST_PAGES} that miss most; name them with --pages, or ask for --pages all."
        )
    if len(judged.faults) > MOST_FAULTS:
        notes.append(
            f"{words.count(len(judged.faults) - MOST_FAULTS)} more sites could not be judged; failed.csv has all."
        )
    return tuple(notes)
