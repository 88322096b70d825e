"""The pages of a batch: one for each site that is asked for, and the overview of all."""

from __future__ import annotations

import errno
import hashlib
import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from markupsafe import Markup

from community_routes.base.times import MINUTE
from community_routes.evaluation.case import Study
from community_routes.evaluation.places import lines_of
from community_routes.report import words
from community_routes.report.blocks import (
    Block,
    Box,
    Drawn,
    Heading,
    Page,
    Section,
    Table,
    Text,
    Th,
    article,
    code,
    element,
)
from community_routes.report.charts import journey_bar
from community_routes.report.frame import page_text, setting_pairs
from community_routes.report.maps.sites import MARKS, RIDE_LINE, WALK_LINE, Mark, Stretch, Underlay, small_map, underlay
from community_routes.report.pages.journeys import changes_text, leg_list
from community_routes.report.results import JourneyView, LegView
from community_routes.sites.detail import Note
from community_routes.sites.overview import overview_html
from community_routes.sites.page_words import Wording, credit_words, minutes_text
from community_routes.sites.prepare import ALL, FAILED, NONE, Batch
from community_routes.sites.tables import JudgedSites
from community_routes.sites.work_folder import Notes

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
    wording = Wording(study, judged)
    paths = {row: f"{PAGES}/{page_name(judged.sites[row].id)}" for row in wanted.rows}
    overview = overview_html(wording, paths, _left_out(wanted), study.background)
    (folder / OVERVIEW).write_bytes(overview.encode("utf-8"))
    if not wanted.rows:
        return
    under = underlay(study.background, lines_of(study.ground), study.zones.table)
    (folder / PAGES).mkdir()
    for number, row in enumerate(wanted.rows):
        if number % 20 == 0:
            tell(f"writing pages: {number:,} of {len(wanted.rows):,} are done")
        note = notes.load(batch.key_of_site[row])
        if note is None:
            raise OSError(errno.EIO, "what was kept of a site cannot be read again")
        page = page_text(_site_page(wording, under, row, note))
        (folder / paths[row]).write_bytes(page.encode("utf-8"))


def _left_out(wanted: Wanted) -> list[str]:
    """Says how many sites have no page that should have one."""
    if not wanted.n_left_out:
        return []
    return [
        f"{words.count(wanted.n_left_out)} sites for which a page was asked have none: they could not be judged, or they are "
        f"beyond the {MOST_PAGES} that miss most; name them with --pages, or ask for --pages all."
    ]


# ---- the page of one site --------------------------------------------------------------------------------------------


def _site_page(wording: Wording, under: Underlay, row: int, note: Note) -> Page:
    study, judged, site = wording.study, wording.judged, wording.judged.sites[row]
    title = site.name or site.id
    link = element("a", "All sites of the batch", href=f"../{OVERVIEW}")
    what = "A development site, judged by what can be reached from it on foot and by public transport. {}"
    place = [Drawn(_site_map(under, note, site.shape)), Drawn(_MAP_KEY)]
    journeys = [_journey(study, under, one) for one in note["journeys"]]
    return Page(
        name="site",
        title=f"{title}: is this site well connected?",
        heading=element("bdi", title),
        standfirst=Markup(what).format(link),
        facts=[(name, [element("bdi", value)]) for name, value in _facts(judged, row)],
        sections=[
            _answer(wording, row),
            Section("place", "Where it is", place, short="Where it is"),
            *([Section("journeys", "Journeys to the nearest places", journeys, short="Journeys")] if journeys else []),
            *wording.sections(row, note),
            _settings(judged),
        ],
        footer=[f"{study.title} · made with community_routes {judged.run['version']}.{credit_words(study)}"],
        version=judged.run["version"],
        invented=study.is_invented,
    )


def _answer(wording: Wording, row: int) -> Section:
    """The verdict, and each standard with what the site has and what it would take to meet it."""
    judged, n = wording.judged, len(wording.judged.verdicts)
    told: str = wording.verdict(row)
    if not n:
        return Section("answer", "The answer", [Text(told, "sentence")], short="The answer")
    passed = all(bool(verdict.passed[row]) for verdict in judged.verdicts)
    words_of, style = ("Meets the standards", "pass") if passed else ("Misses standards", "miss")
    tag = element("span", words_of, style=f"verdict-tag {style}")
    heads: list[str | Th] = [
        "Standard",
        *(Th(head, "text") for head in ("Result", "This site", "By how much", "It would take")),
    ]
    table = Table(
        "Standards",
        heads,
        [wording.standard_row(number, row) for number in range(n)],
        style="standards",
        hidden_caption="Each standard, what the site has, and what it would take to meet it",
    )
    source = judged.run["standards_source"]
    found: list[Block] = [Text(Markup("{} {}").format(tag, told), "sentence"), table]
    found += [Text(f"Standards: {source}", "note")] if source else []
    return Section("answer", "The answer", found, short="The answer")


def _settings(judged: JudgedSites) -> Section:
    told = Markup(
        "It says what the timetable promises, not how buses run on a bad day. Times are medians over the departures of the "
        "window; what is reached is an average over them. The exact figures are in {}."
    ).format(code("sites.csv"))
    found: list[Block] = [Text(told), setting_pairs(judged.run["settings"])]
    return Section("settings", "Settings", found, short="Settings")


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
    drawn = small_map(under, stretches, marks, title=title, area=shape if shape.geom_type.endswith("Polygon") else None)
    told = element("figcaption", _walk_words(note), style="key")
    return element("figure", Markup("{}\n{}").format(drawn, told), style="sheet")


_SIGNS = (
    (MARKS["site"], "the site", (20, 18)),
    (MARKS["entrance"], "entrance", (14, 14)),
    (MARKS["stop"], "stop with service", (14, 14)),
    (MARKS["place"], "place that is reached", (16, 16)),
    (f'<path d="M-14 0H15" {WALK_LINE}/>', "on foot", (34, 10)),
    (f'<path d="M-15 0H15" {RIDE_LINE}/>', "by bus or train", (34, 10)),
)
_MAP_KEY = element(
    "ul",
    Markup("\n").join(
        Markup(
            '<li><svg width="{0}" height="{1}" viewBox="{2:g} {3:g} {0} {1}" aria-hidden="true">{4}</svg> {5}</li>'
        ).format(*size, -size[0] / 2, -11 if text == "the site" else -size[1] / 2, Markup(sign), text)
        for sign, text, size in _SIGNS
    ),
    style="map-key",
)


def _journey(study: Study, under: Underlay, note: Note) -> Block:
    """A journey to the nearest place of a kind: along time, leg by leg, and on a map; or why there is none."""
    kind = words.kind_name(note["kind"])
    title = f"{note['to']}: nearest of {kind}" if "to" in note else f"Nearest of {kind}"
    heading = Heading(element("bdi", title))
    if not note["legs"]:
        reason = "none is reached within the limits of time, walking and rides on most departures"
        reason = "the site lies at the place itself" if "to" in note else reason
        return article(heading, Text(f"No journey: {reason}."), style="journey")
    legs = tuple(
        LegView(leg["mode"], leg["route"], leg["start"], leg["end"], leg["depart_s"], leg["arrive_s"], leg["wait_s"])
        for leg in note["legs"]
    )
    view = JourneyView("today", note["day"], note["depart_s"], "", note["to"], legs)
    minutes = round((note["arrive_s"] - note["depart_s"]) / MINUTE)
    facts = (minutes_text(minutes or 0.5), f"arrives {words.clock(note['arrive_s'])}", changes_text(legs))
    bar = journey_bar(view, view.depart_s, legs[-1].arrive_s, title=f"{title}: {', '.join(facts)}")
    day = words.on_day(note["day"])
    leaving = f"Leaving at {words.clock(note['depart_s'])}{f' {day}' if day else ''}"
    body = Box([leg_list(legs), Drawn(_journey_map(under, note))], "journey-body")
    return article(heading, Text(" · ".join([leaving, *facts]), "trip-facts"), Drawn(bar), body, style="journey")


def _journey_map(under: Underlay, note: Note) -> Markup:
    stretches = [Stretch(leg["line"], walk=leg["mode"] == "walk") for leg in note["legs"]]
    lines = [leg["line"] for leg in note["legs"] if leg["line"]]
    marks = [
        Mark(at, "stop") for leg in note["legs"] if leg["mode"] != "walk" for at in (leg["line"][0], leg["line"][-1])
    ]
    marks += [Mark(lines[-1][-1], "place", note["to"]), Mark(lines[0][0], "site", "the site")] if lines else []
    return small_map(under, stretches, marks, title=f"Map of the journey to {note['to']}") if marks else Markup("")
