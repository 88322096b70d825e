"""What stands beside the figures of a site: the borough's median, and that of the neighbourhoods around it; its residents."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray

from community_routes.measures.groups import Grouping, groupings
from community_routes.measures.meeting import publishable
from community_routes.measures.weighted import weighted_quantile
from community_routes.sources.places.zones import Zones

FloatArray = NDArray[np.float64]
_TOUCHING_DEGREES = 1e-4
"""How far apart two outlines of one border may be drawn: about ten metres."""

SHOWN_GROUPINGS = ("local", "national")


@dataclass(frozen=True, eq=False)
class Around:
    """The neighbourhoods of a study as the surroundings of sites.

    Attributes
    ----------
    zone : int64, shape (n_sites,)
        The neighbourhood in which each site lies; -1 for none.
    near : tuple of int64 arrays
        For each neighbourhood, itself and those that touch it.
    median : float64, shape (n_zones, n_figures)
        Of the middle resident of the neighbourhood and those that touch it.
    borough : float64, shape (n_figures,)
        Of the middle resident of all.
    """

    zone: NDArray[np.int64]
    near: tuple[NDArray[np.int64], ...]
    median: FloatArray
    borough: FloatArray

    def of_sites(self) -> FloatArray:
        """The median around each site, shape (n_sites, n_figures); NaN outside of all neighbourhoods."""
        values = np.full((len(self.zone), self.median.shape[1]), np.nan)
        inside = self.zone >= 0
        values[inside] = self.median[self.zone[inside]]
        return values


def look_around(zones: Zones, places: FloatArray, values: FloatArray, persons: FloatArray) -> Around:
    """The surroundings of sites.

    Parameters
    ----------
    zones : Zones
    places : float64, shape (n_sites, 2)
        Longitude and latitude of each site; NaN where it has none.
    values : float64, shape (n_origins, n_figures)
        Figures of the neighbourhoods' origins.
    persons : float64, shape (n_origins,)
        Whom each origin stands for.
    """
    shapes = np.asarray(zones.table.geometry.array, object)
    tree = shapely.STRtree(shapes)
    one, other = tree.query(shapes, predicate="dwithin", distance=_TOUCHING_DEGREES)
    order = np.lexsort((other, one))
    ends = np.cumsum(np.bincount(one, minlength=len(shapes)))[:-1]
    near = tuple(np.split(other[order].astype(np.int64), ends))
    zone_of = zones.origins["zone"].to_numpy(np.int64)
    median = np.full((len(shapes), values.shape[1]), np.nan)
    inside = zones_of_places(tree, places)
    for zone in np.unique(inside[inside >= 0]).tolist():
        mine = np.flatnonzero(np.isin(zone_of, near[zone]))
        median[zone] = [weighted_quantile(column[mine], persons[mine]) for column in values.T]
    borough = np.array([weighted_quantile(column, persons) for column in values.T])
    return Around(inside, near, median, borough)


def zones_of_places(tree: shapely.STRtree, places: FloatArray) -> NDArray[np.int64]:
    """The neighbourhood that holds each place; the first of the file where outlines overlap, -1 for none."""
    found = np.full(len(places), -1, np.int64)
    known = np.flatnonzero(np.isfinite(places).all(axis=1))
    place, zone = tree.query(shapely.points(places[known]), predicate="intersects")
    order = np.lexsort((-zone, place))
    found[known[place[order]]] = zone[order]
    return found


@dataclass(frozen=True, eq=False)
class Residents:
    """Who would live at the sites, by group, if they were like their neighbourhood.

    Attributes
    ----------
    persons : float64, shape (n_sites,)
        Homes times persons in a home; NaN without homes.
    grouping, group : tuple of str
        Of each column of ``count``: ``local`` or ``national`` fifths by deprivation, or ``groups`` of the study.
    count : float64, shape (n_sites, n_columns)
        Persons of each group to the nearest 5, NaN where they are under 10 (or would tell such a number) or unknown.
    share : float64, shape (n_sites, n_columns)
        Exactly, as a share of the site's residents; NaN outside of all neighbourhoods.
    """

    persons: FloatArray
    grouping: tuple[str, ...]
    group: tuple[str, ...]
    count: FloatArray
    share: FloatArray


def residents_of_sites(
    zones: Zones, zone: NDArray[np.int64], homes: Sequence[float], persons_per_home: float
) -> Residents:
    """Potential residents of each site, spread over groups as the residents of its neighbourhood are.

    Formula: homes x persons in a home x share of the group in the neighbourhood. Fifths are of this study's residents
    (``local``) or of the country (``national``); a neighbourhood through which a cut between local fifths falls is in two.

    Parameters
    ----------
    zones : Zones
    zone : int64, shape (n_sites,)
        Of each site, -1 for none.
    homes : sequence of float
        NaN where not given.
    persons_per_home : float
    """
    persons = np.asarray(homes, np.float64) * persons_per_home
    groups = [one for one in groupings(zones.table) if one.name in SHOWN_GROUPINGS]
    if zones.groups is not None and len(zones.groups.columns):
        given = zones.groups.to_numpy(np.float64)
        total = given.sum(axis=1, keepdims=True)
        share = np.divide(given, total, out=np.zeros(given.shape), where=total > 0)
        groups.append(Grouping("groups", tuple(map(str, zones.groups.columns)), np.asarray(share)))
    counts, shares = [], []
    for grouping in groups:
        share = np.full((len(zone), len(grouping.groups)), np.nan)
        share[zone >= 0] = grouping.share[zone[zone >= 0]]
        share[np.isclose(np.nan_to_num(share).sum(axis=1), 0)] = np.nan
        shares.append(share)
        counts.append(publishable((persons[:, None] * share).T).T)
    n = len(zone)
    return Residents(
        persons,
        tuple(grouping.name for grouping in groups for _ in grouping.groups),
        tuple(group for grouping in groups for group in grouping.groups),
        np.hstack([np.zeros((n, 0)), *counts]),
        np.hstack([np.zeros((n, 0)), *shares]),
    )
