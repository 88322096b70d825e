"""Maps of a page about services: today's network below, the routes that are changed or taken away above, colours of change."""

from __future__ import annotations

from collections.abc import Mapping

import geopandas as gpd
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from community_routes.base.columns import ACCESS_COLUMNS, COMPARISON_COLUMNS, GROUPS_COLUMNS, NOTICES_COLUMNS
from community_routes.base.version import __version__
from community_routes.evaluation.case import Study
from community_routes.evaluation.map_layers import route_table, stop_table, study_box
from community_routes.report import words
from community_routes.report.blocks import Block, Drawn, element
from community_routes.report.maps import svg
from community_routes.report.maps.description import MapView
from community_routes.report.maps.scale import change_scale
from community_routes.report.pages.maps import legend_row
from community_routes.report.results import TODAY, Results, ScenarioSummary, empty_table
from community_routes.sources.gtfs.feed import Feed


def drawn_routes(study: Study, feed: Feed, name: str, route_ids: list[str]) -> gpd.GeoDataFrame:
    """Some routes of a timetable on the study's days, as those of a proposal."""
    box = study_box(study.zones.table.geometry)
    return route_table(feed, study.file.dates, box, scenario=name, only=route_ids)


def study_sheet(study: Study, proposals: Mapping[str, gpd.GeoDataFrame]) -> svg.Sheet:
    """What all maps of a page share; of each proposal the routes that are drawn (``withdrawn`` ones dashed)."""
    box, dates = study_box(study.zones.table.geometry), study.file.dates
    today = route_table(study.feed, dates, box, scenario=TODAY)
    results = Results(
        study_id=study.file.study,
        title=study.title,
        zones=study.zones.table.assign(reason=""),
        destinations=study.opportunities.table,
        stops=stop_table(study.feed, dates, box),
        routes=pd.concat([today, *proposals.values()], ignore_index=True),
        access=empty_table(ACCESS_COLUMNS),
        comparison=empty_table(COMPARISON_COLUMNS),
        groups=empty_table(GROUPS_COLUMNS),
        notices=empty_table(NOTICES_COLUMNS),
        sources=study.sources,
        settings={},
        scenarios=tuple(ScenarioSummary(id=name, title=name) for name in proposals),
        dates=dates,
        version=__version__,
        background=study.background,
    )
    return svg.sheet_of(results)


def change_view(
    change: NDArray[np.float64], kind: str, unit: str, *, scenario: str, whose: str, when: str, withdrawn: bool = False
) -> MapView:
    """How the figure of each neighbourhood changes; NaN where it has none."""
    shown = np.asarray([words.in_unit(value, unit) for value in change])
    return MapView(
        name="Change",
        title=words.kind_name(kind),
        whose=whose,
        when=when,
        unit=words.unit_name(unit),
        scenario=scenario,
        values=shown,
        scale=change_scale(shown),
        off=np.isnan(change),
        unsure=np.zeros(len(shown), np.bool_),
        has_changed=not withdrawn,
        has_withdrawn=withdrawn,
    )


def change_map(sheet: svg.Sheet, view: MapView, *, title: str, caption: str) -> list[Block]:
    """The map under its caption, with the classes below."""
    return [
        Drawn(element("figcaption", caption)),
        Drawn(svg.static_map(sheet, view, title=f"{title} {view.spread}")),
        legend_row(view, change=True),
    ]
