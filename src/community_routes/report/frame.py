"""What all pages have in common: the template, the stylesheet, the scripts, settings and sources."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import jinja2
import pandas as pd
from markupsafe import Markup

from community_routes.report import words
from community_routes.report.blocks import Block, Heading, Items, Page, Pairs, below, element
from community_routes.report.cells import exact_number

_OSM_CREDIT = "© OpenStreetMap contributors"


def page_text(page: Page, *, templates: str | Path | None = None, **context: object) -> str:
    """The page as text.

    Parameters
    ----------
    page : Page
    templates : path, optional
        A folder whose files stand in for those of the same name in this package; ``<id of a section>.html`` for a section.
    **context
        What such files are given beside ``page``.
    """
    environment = page_environment(templates)
    scripted = {} if page.data is None else {**leaflet_files(), "data": script_json(page.data)}
    return environment.get_template("page.html").render(
        page=page,
        css=Markup("").join(template_source(environment, name) for name in ("page.css", "brand.css")),
        script=template_source(environment, "page.js") if page.data is not None else "",
        **scripted,
        **context,
    )


def script_json(content: object) -> Markup:
    """JSON that may stand inside a ``<script>`` element whatever the text in it."""
    text = json.dumps(content, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    for mark, code in (
        ("&", "\\u0026"),
        ("<", "\\u003c"),
        (">", "\\u003e"),
        ("\u2028", "\\u2028"),
        ("\u2029", "\\u2029"),
    ):
        text = text.replace(mark, code)
    return Markup(text)


@cache
def page_environment(templates: str | Path | None = None) -> jinja2.Environment:
    """Where the templates are read from: a folder of the council's own before ours."""
    loaders: list[jinja2.BaseLoader] = [jinja2.PackageLoader("community_routes.report", "templates")]
    if templates is not None:
        loaders.insert(0, jinja2.FileSystemLoader(str(templates)))
    return jinja2.Environment(
        loader=jinja2.ChoiceLoader(loaders),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def template_source(environment: jinja2.Environment, name: str) -> Markup:
    """A file of the template folder as it stands: ours or the council's own, never data."""
    assert environment.loader is not None
    return Markup(environment.loader.get_source(environment, name)[0])


@cache
def leaflet_files() -> dict[str, Markup]:
    """``leaflet_js`` and ``leaflet_css`` of the installed package, without references to further files."""
    from xstatic.pkg import leaflet as package

    js, css = ((Path(package.BASE_DIR) / f"leaflet.{ending}").read_text(encoding="utf-8") for ending in ("js", "css"))
    js = re.sub(r"//# sourceMappingURL=\S+", "", js).replace("</", "<\\/")
    return {"leaflet_js": Markup(js), "leaflet_css": Markup(re.sub(r"url\((?!#)[^)]*\)", "none", css))}


def settings_and_sources(
    settings: Mapping[str, Any], sources: pd.DataFrame, *, hashes: bool = True
) -> tuple[Block, ...]:
    """With which settings and from which files the figures were worked out."""
    return Heading("Sources"), _sources(sources, hashes=hashes), Heading("Settings"), setting_pairs(settings)


def setting_pairs(settings: Mapping[str, Any]) -> Pairs:
    """Each setting in words with its value."""
    return Pairs([(words.setting_name(str(key)), _setting(value)) for key, value in settings.items()])


def _setting(value: Any) -> str:
    if isinstance(value, Mapping):
        return "; ".join(f"{words.plain(str(key))} {_setting(item)}" for key, item in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(map(_setting, value))
    if isinstance(value, bool):
        return "yes" if value else "no"
    return exact_number(value) if isinstance(value, float) else str(value)


def _sources(sources: pd.DataFrame, *, hashes: bool) -> Items:
    """Each file with what it is, its publisher and licence where they are known, and its fingerprint."""
    items = []
    for source in sources.fillna("").astype(str).to_dict("records"):
        told = [source["kind"], source.get("publisher", ""), source.get("licence", ""), source["credit"]]
        kind = " · ".join(part for part in dict.fromkeys(told) if part)
        mark = element("code", source["sha256"], style="hash", title="SHA-256") if hashes else Markup("")
        items.append(Markup("{} {}{}").format(element("strong", source["name"]), below(kind), mark))
    return Items(items, "sources")


def credit_words(sources: pd.DataFrame) -> list[str]:
    """Who made the data, once each; OpenStreetMap first where it was used."""
    found = list(dict.fromkeys(str(credit) for credit in sources["credit"].fillna("") if str(credit)))
    ordered = sorted(found, key=lambda text: (_OSM_CREDIT not in text, found.index(text)))
    return [f"{'. '.join(ordered)}."] if ordered else []
