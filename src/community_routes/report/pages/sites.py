"""Pages of development sites: one for each, and the overview with a map and a table of all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import jinja2
from markupsafe import Markup

from community_routes.report import charts, words
from community_routes.report.maps.leaflet import script_json
from community_routes.report.page import leaflet
from community_routes.report.results import JourneyView


@dataclass(frozen=True)
class Table:
    """A table of a page.

    Attributes
    ----------
    caption : str
    heads : tuple of str
    rows : tuple of tuple of str
        The first cell of a row is its heading.
    text : tuple of int
        Columns that hold text and not numbers.
    """

    caption: str
    heads: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    text: tuple[int, ...] = ()


@dataclass(frozen=True)
class JudgedStandard:
    """One standard at one site, in words."""

    name: str
    asked: str
    found: str
    passed: bool
    margin: str
    needs: str
    scenario: str
    required: bool


@dataclass(frozen=True)
class ShownJourney:
    """A journey of a page: what it is, its legs, and its map; without legs, why there is none."""

    title: str
    when: str
    view: JourneyView | None
    map: Markup = field(default_factory=Markup)
    facts: tuple[str, ...] = ()
    legs: tuple[tuple[str, str], ...] = ()
    reason: str = ""

    @property
    def bar(self) -> Markup:
        """The journey along time."""
        if self.view is None:
            return Markup("")
        end = max(leg.arrive_s for leg in self.view.legs)
        return charts.journey_bar(self.view, self.view.depart_s, end, title=f"{self.title}: {', '.join(self.facts)}")


@dataclass(frozen=True)
class Section:
    """A part of a page: tables and sentences under a heading."""

    id: str
    title: str
    tables: tuple[Table, ...]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class SitePage:
    """Everything that the page of a site shows, in words.

    Attributes
    ----------
    title, study : str
    facts : tuple of (str, str)
        Under the title: id, homes, year, neighbourhood.
    verdict : str
        One sentence.
    passed : bool or None
        Whether all standards are met; None without standards.
    standards : tuple of JudgedStandard
    source : str
        Of the standards.
    map, map_note : Markup, str
    sections : tuple of Section
    journeys : tuple of ShownJourney
    settings : mapping
    credits : tuple of str
    version : str
    invented : bool
    """

    title: str
    study: str
    facts: tuple[tuple[str, str], ...]
    verdict: str
    passed: bool | None
    standards: tuple[JudgedStandard, ...]
    source: str
    map: Markup
    map_note: str
    sections: tuple[Section, ...]
    journeys: tuple[ShownJourney, ...]
    settings: Mapping[str, Any]
    credits: tuple[str, ...]
    version: str
    invented: bool = False


@dataclass(frozen=True, eq=False)
class Overview:
    """Everything that the overview shows.

    Attributes
    ----------
    title : str
    facts : tuple of (str, str)
    verdict : str
    standards : tuple of (str, str, str)
        What each asks, how many sites miss it, how many could be judged.
    source : str
    columns : tuple of mapping
        ``name``, ``kind`` (``text``, ``number`` or ``mark``) of each column of the table.
    rows : sequence of list
        Cells of each site, by column; then its page (or ""), lat, lon, and 0 for a pass, 1 for a miss, 2 for failed.
    failed : tuple of (str, str, str)
        Id, what is wrong, cure.
    scenarios : Table or None
    background : mapping
        ``layers`` of the map, as in a map of layers.
    box : list
    notes : tuple of str
    credits : tuple of str
    version : str
    invented : bool
    """

    title: str
    facts: tuple[tuple[str, str], ...]
    verdict: str
    standards: Table
    source: str
    columns: tuple[Mapping[str, str], ...]
    rows: Sequence[list[Any]]
    failed: Table
    scenarios: Table | None
    background: Sequence[Mapping[str, Any]]
    box: list[list[float]]
    notes: tuple[str, ...]
    credits: tuple[str, ...]
    version: str
    invented: bool = False
    first_rows: int = field(default=100)


@lru_cache(maxsize=1)
def _environment() -> jinja2.Environment:
    return jinja2.Environment(
        loader=jinja2.PackageLoader("community_routes.report", "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _source(name: str) -> Markup:
    """A file of the template folder as it stands."""
    environment = _environment()
    assert environment.loader is not None
    return Markup(environment.loader.get_source(environment, name)[0])


def site_html(page: SitePage) -> str:
    """The page of one site as text; it needs nothing else and no script."""
    settings = [(words.setting_name(str(key)), _setting(value)) for key, value in page.settings.items()]
    css = _source("page.css") + _source("sites.css") + _source("brand.css")
    return _environment().get_template("site.html").render(page=page, settings=settings, css=css)


def overview_html(overview: Overview) -> str:
    """The overview of a batch as text; it needs nothing else, and its table works without a script as far as it goes."""
    data = {
        "columns": list(overview.columns),
        "rows": list(overview.rows),
        "background": list(overview.background),
        "box": overview.box,
    }
    return (
        _environment()
        .get_template("sites.html")
        .render(
            page=overview,
            first=list(overview.rows)[: overview.first_rows],
            data=script_json(data),
            css=_source("page.css") + _source("sites.css") + _source("brand.css"),
            js=_source("sites.js"),
            leaflet_js=Markup(leaflet("leaflet.js").replace("</", "<\\/")),
            leaflet_css=Markup(leaflet("leaflet.css")),
        )
    )


def _setting(value: Any) -> str:
    if isinstance(value, Mapping):
        return "; ".join(f"{words.plain(str(key))} {_setting(item)}" for key, item in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(map(_setting, value))
    return ("yes" if value else "no") if isinstance(value, bool) else str(value)
