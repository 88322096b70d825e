"""How QGIS shows the layers of ``results.gpkg`` when it opens them: the report's own colours and hatches."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from pathlib import Path
from xml.sax.saxutils import quoteattr

from community_routes.report import words
from community_routes.report.cells import exact_number
from community_routes.report.figures import Figures, figures_of, strongest
from community_routes.report.maps.description import NEW_ROUTE, scales
from community_routes.report.results import TODAY, Results

_TABLE = """
CREATE TABLE layer_styles (
    id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL, f_table_catalog TEXT(256), f_table_schema TEXT(256),
    f_table_name TEXT(256), f_geometry_column TEXT(256), styleName TEXT(30), styleQML TEXT, styleSLD TEXT,
    useAsDefault BOOLEAN, description TEXT, owner TEXT(30), ui TEXT(30), update_time DATETIME)
"""
_INSERT = """
INSERT INTO layer_styles (f_table_catalog, f_table_schema, f_table_name, f_geometry_column, styleName, styleQML,
    styleSLD, useAsDefault, description, owner, ui, update_time)
VALUES ('', '', ?, ?, ?, ?, '', 1, ?, '', '', ?)
"""


def layer_styles(results: Results, stored: Mapping[str, tuple[str, str]]) -> dict[str, tuple[str, str]]:
    """What the styles of the layers are called, and their QML, by the layer's name.

    Parameters
    ----------
    results : Results
    stored : mapping of str to (str, str)
        Figures of neighbourhoods: the layer and the column that hold each. A layer shows today's leading figure, or the
        change of its proposal where it acts; each column has a name for people.
    """
    figures = figures_of(results)
    styles = {"routes": ("Routes", _qml("".join(_route_rules(results)), "".join(_route_symbols())))}
    names: dict[str, dict[str, str]] = {}
    for column, (layer, held) in stored.items():
        names.setdefault(layer, {})[held] = _name_for_people(figures, column)
    for scenario in (TODAY, *(one.id for one in results.scenarios)):
        chosen = _leading_column(figures, scenario, stored)
        if chosen is not None:
            layer, name, rules, symbols = chosen
            styles[layer] = (name, _qml("".join(rules), "".join(symbols), names.get(layer, {})))
    return styles


def _name_for_people(figures: Figures, column: str) -> str:
    """ "Change: jobs in employment zones, weekday, evening" of ``change__plan__weekday__evening__employment__...``."""
    is_change = column.startswith("change__")
    parts = column.removeprefix("change__").split("__")
    if len(parts) < 5:
        return column
    scenario, day, window, kind = parts[:4]
    what = "Today" if scenario == TODAY else "Change" if is_change else "Proposal"
    unit = words.unit_name(figures.unit(kind, figures.headline_view))
    of = "" if unit in ("", "places") else f" ({unit})"
    return f"{what}: {words.kind_name(kind)}{of}, {words.day_name(day).lower()}, {words.plain(window)}"


def _leading_column(
    figures: Figures, scenario: str, stored: Mapping[str, tuple[str, str]]
) -> tuple[str, str, list[str], list[str]] | None:
    """The change of a proposal where it acts, or today's figure: its layer, rules and symbols."""
    first = figures.slots[0], figures.headline_kinds[0]
    slot, kind = first if scenario == TODAY else strongest(figures, scenario)
    view = figures.headline_view
    pair = scales(figures, kind, view)
    parts = [scenario, slot.day, slot.window, kind, view.measure]
    parts += [] if view.cutoff_min is None else [exact_number(view.cutoff_min)]
    column = ("" if scenario == TODAY else "change__") + "__".join(parts)
    if pair is None or column not in stored:
        return None
    scale = pair[0] if scenario == TODAY else pair[1]
    factor = words.in_unit(1.0, figures.unit(kind, view))
    layer, held = stored[column]
    field = '"' + held.replace('"', '""') + '"'
    ends = [None, *(limit / factor for limit in scale.breaks), None]
    rules, symbols = [], []
    for i, (color, label) in enumerate(zip(scale.colors, scale.labels, strict=True)):
        conditions = [f"{field} IS NOT NULL"]
        conditions += [] if ends[i] is None else [f"{field} >= {ends[i]!r}"]
        conditions += [] if ends[i + 1] is None else [f"{field} < {ends[i + 1]!r}"]
        rules.append(_rule(i, " AND ".join(conditions), label))
        symbols.append(_fill(i, color))
    rules.append(_rule(len(scale.colors), "ELSE", "no figure"))
    symbols.append(_hatch(len(scale.colors)))
    name = "Today" if scenario == TODAY else f"Change: {figures.results.letter(scenario)}, {slot.window}"
    return layer, name[:30], rules, symbols


def _qml(rules: str, symbols: str, names: Mapping[str, str] | None = None) -> str:
    told = "".join(
        f'<alias index="{i}" field={quoteattr(field)} name={quoteattr(name)}/>'
        for i, (field, name) in enumerate((names or {}).items())
    )
    return (
        "<!DOCTYPE qgis PUBLIC 'http://mrcc.com/qgis.dtd' 'SYSTEM'>\n"
        '<qgis version="3.22" styleCategories="Symbology|Fields"><renderer-v2 type="RuleRenderer" symbollevels="0">'
        f'<rules key="rules">{rules}</rules><symbols>{symbols}</symbols></renderer-v2>'
        f"{f'<aliases>{told}</aliases>' if told else ''}</qgis>\n"
    )


def _rule(number: int, condition: str, label: str) -> str:
    return f'<rule key="rule{number}" symbol="{number}" filter={quoteattr(condition)} label={quoteattr(label)}/>'


def _options(**options: str) -> str:
    inner = "".join(f'<Option type="QString" name="{key}" value={quoteattr(value)}/>' for key, value in options.items())
    return f'<Option type="Map">{inner}</Option>'


def _rgb(color: str) -> str:
    return ",".join(str(int(color[i : i + 2], 16)) for i in (1, 3, 5)) + ",255"


def _fill(number: int, color: str) -> str:
    options = _options(color=_rgb(color), style="solid", outline_color="255,255,255,255", outline_width="0.2")
    return f'<symbol type="fill" name="{number}"><layer class="SimpleFill" enabled="1">{options}</layer></symbol>'


def _hatch(number: int) -> str:
    options = _options(
        color="139,143,146,255", style="f_diagonal", outline_color="255,255,255,255", outline_width="0.2"
    )
    return f'<symbol type="fill" name="{number}"><layer class="SimpleFill" enabled="1">{options}</layer></symbol>'


def _line(number: int, color: str, width: str, style: str = "solid") -> str:
    options = _options(line_color=_rgb(color), line_width=width, line_style=style, capstyle="round", joinstyle="round")
    return f'<symbol type="line" name="{number}"><layer class="SimpleLine" enabled="1">{options}</layer></symbol>'


def _route_rules(results: Results) -> list[str]:
    gone = '"withdrawn" = 1' if "withdrawn" in results.routes else "1 = 0"
    return [
        _rule(0, f"\"scenario\" = '{TODAY}'", "route today"),
        _rule(2, gone, "withdrawn route"),
        _rule(1, "ELSE", "new or changed route"),
    ]


def _route_symbols() -> list[str]:
    return [_line(0, "#2b3238", "0.2"), _line(1, NEW_ROUTE, "0.9"), _line(2, NEW_ROUTE, "0.9", "dash")]


def add_styles(path: Path, results: Results, stored: Mapping[str, tuple[str, str]], written: set[str]) -> None:
    """Put the styles into the GeoPackage, where QGIS finds them, stamped with the service date."""
    moment = f"{results.stamp.isoformat()}T00:00:00.000Z"
    database = sqlite3.connect(path)
    try:
        with database:
            database.execute(_TABLE)
            database.execute(
                "INSERT INTO gpkg_contents (table_name, data_type, identifier, description, last_change) "
                "VALUES ('layer_styles', 'attributes', 'layer_styles', '', ?)",
                (moment,),
            )
            for layer, (name, qml) in sorted(layer_styles(results, stored).items()):
                if layer in written:
                    database.execute(_INSERT, (layer, "geom", name, qml, f"Style of {layer} in the report", moment))
    finally:
        database.close()
