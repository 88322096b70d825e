"""What a map of neighbourhoods shows, whoever draws it: values, classes, marks and words."""

from __future__ import annotations

from dataclasses import dataclass
from weakref import WeakKeyDictionary

import geopandas as gpd
import numpy as np
from numpy.typing import NDArray

from community_routes.base.errors import UsageError
from community_routes.report import words
from community_routes.report.figures import Figures
from community_routes.report.lead import Slot, View
from community_routes.report.maps.scale import Scale, change_scale, sequential_scale
from community_routes.report.results import TODAY, Results

NEW_ROUTE = "#c0156b"


@dataclass(frozen=True)
class Mark:
    """A line of the legend beside the classes: a pattern (``off``, ``unsure``) or the colour of a line, perhaps dashed."""

    label: str
    pattern: str = ""
    color: str = ""
    dashed: bool = False


OFF = Mark("outside the streets of this study", pattern="off")
UNSURE = Mark("cannot be told from no change", pattern="unsure")
CHANGED_ROUTE = Mark("new or changed route", color=NEW_ROUTE)
WITHDRAWN_ROUTE = Mark("withdrawn route", color=NEW_ROUTE, dashed=True)


_ROUTES: WeakKeyDictionary[Results, dict[tuple[str, bool], gpd.GeoDataFrame]] = WeakKeyDictionary()


def routes_of(results: Results, scenario: str, *, withdrawn: bool) -> gpd.GeoDataFrame:
    """The routes that a proposal takes away altogether, or those that it adds or changes; once for the same results."""
    known = _ROUTES.setdefault(results, {})
    if (scenario, withdrawn) not in known:
        routes = results.routes
        gone = (
            routes["withdrawn"].fillna(False).astype(bool) if "withdrawn" in routes else np.zeros(len(routes), np.bool_)
        )
        known[scenario, withdrawn] = routes[(routes["scenario"] == scenario) & (gone == withdrawn)]
    return known[scenario, withdrawn]


@dataclass(frozen=True, eq=False)
class MapView:
    """One map of neighbourhoods.

    Attributes
    ----------
    name : str
        ``Today``, ``With the proposal`` or ``Change``.
    title : str
        Kind of place and measure.
    whose : str
        Title of the proposal; empty for today.
    when, unit : str
        Time of day; unit of the values, empty for none.
    scenario : str
        Whose new and changed routes are drawn; ``today`` for none.
    values : float64, shape (n_zones,)
        In the unit of the scale; NaN has no colour.
    scale : Scale
    off : bool, shape (n_zones,)
        Neighbourhoods outside the streets of the study.
    unsure : bool, shape (n_zones,)
        Neighbourhoods whose change cannot be told from zero.
    has_changed, has_withdrawn : bool
        Routes of the proposal that are new or changed, and that are taken away, are drawn.
    """

    name: str
    title: str
    whose: str
    when: str
    unit: str
    scenario: str
    values: NDArray[np.float64]
    scale: Scale
    off: NDArray[np.bool_]
    unsure: NDArray[np.bool_]
    has_changed: bool = False
    has_withdrawn: bool = False

    @property
    def lines(self) -> tuple[str, str]:
        """Below the title: whose map it is; when, and in which unit."""
        whose = f"{self.name} · {self.whose}" if self.whose else self.name
        return whose, f"{self.when}, {self.unit}" if self.unit else self.when

    @property
    def hatched(self) -> NDArray[np.bool_]:
        """Neighbourhoods without a colour."""
        return self.off | ~np.isfinite(self.values)

    @property
    def dotted(self) -> NDArray[np.bool_]:
        """Neighbourhoods with a colour and dots over it."""
        return self.unsure & np.isfinite(self.values)

    @property
    def marks(self) -> list[Mark]:
        """Further lines of the legend."""
        wanted = (
            (OFF, bool(self.off.any())),
            (UNSURE, bool(self.unsure.any())),
            (CHANGED_ROUTE, self.has_changed),
            (WITHDRAWN_ROUTE, self.has_withdrawn),
        )
        return [mark for mark, there in wanted if there]

    @property
    def spread(self) -> str:
        """The least and the greatest value, for those who do not see the map."""
        there = self.values[np.isfinite(self.values)]
        if not len(there):
            return "No neighbourhood has a figure."
        return f"From {words.number(float(there.min()))} to {words.number(float(there.max()))}."


def asked_map(figures: Figures, scenario: str, slot: Slot, kind: str, view: View, *, change: bool) -> MapView:
    """As `map_view`; stops where nothing was measured."""
    found = map_view(figures, scenario, slot, kind, view, change=change)
    if found is None:
        column = "change" if change else "value"
        raise UsageError(f"there is no {column} of {kind!r} for {scenario!r} on {slot.day}, {slot.window}")
    return found


def map_view(
    figures: Figures, scenario: str, slot: Slot, kind: str, view: View | None = None, *, change: bool = False
) -> MapView | None:
    """The map of a level or of its change; None where nothing was measured."""
    view = view or figures.headline_view
    table, column = ("comparison", "change") if change else ("access", "value")
    values = figures.zone_values(table, column, scenario, slot, kind, view)
    pair = scales(figures, kind, view)
    if values is None or pair is None:
        return None
    unsure = figures.is_unsure(scenario, slot, kind, view) if change else None
    return MapView(
        name="Change" if change else "Today" if scenario == TODAY else "With the proposal",
        title=f"{words.sentence_case(words.kind_name(kind))}: {view.name[:1].lower()}{view.name[1:]}",
        whose="" if scenario == TODAY else figures.results.scenario_title(scenario),
        when=figures.when(slot),
        unit=words.unit_name(figures.unit(kind, view)),
        scenario=scenario,
        values=values,
        scale=pair[1] if change else pair[0],
        off=figures.off_network,
        unsure=np.zeros(len(values), np.bool_) if unsure is None else unsure,
        has_changed=scenario != TODAY and len(routes_of(figures.results, scenario, withdrawn=False)) > 0,
        has_withdrawn=scenario != TODAY and len(routes_of(figures.results, scenario, withdrawn=True)) > 0,
    )


def scales(figures: Figures, kind: str, view: View) -> tuple[Scale, Scale] | None:
    """The scale of today and every proposal, over all days and windows, and the scale of the change."""
    levels: list[NDArray[np.float64]] = []
    changes: list[NDArray[np.float64]] = []
    ids = [TODAY, *(s.id for s in figures.results.scenarios)]
    for scenario in ids:
        for slot in figures.all_slots:
            level = figures.zone_values("access", "value", scenario, slot, kind, view)
            change = figures.zone_values("comparison", "change", scenario, slot, kind, view)
            levels += [level] if level is not None else []
            changes += [change] if change is not None else []
    found = np.concatenate(levels) if levels else np.empty(0)
    if not np.any(np.isfinite(found)):
        return None
    moved = np.concatenate(changes) if changes else np.zeros(1)
    return (
        sequential_scale(found, low_is_good=view.low_is_good),
        change_scale(moved, low_is_good=view.low_is_good),
    )
