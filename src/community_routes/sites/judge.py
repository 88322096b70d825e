"""Judges the figures of a site by the standards of the study: passed or not, and by how much."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from community_routes.base.errors import StudyError
from community_routes.base.times import MINUTE
from community_routes.sites.figures import ALL_DAY, NEAREST, NEAREST_STOP, PER_HOUR, STOPS, TIME_TO, Figure
from community_routes.sites.periods import leading_window, times_of_period
from community_routes.sources.places.opportunities import Opportunities
from community_routes.sources.study.file import StudyFile
from community_routes.sources.study.yaml import did_you_mean


@dataclass(frozen=True)
class Standard:
    """One standard, and the figures that it is about; the worst of them counts.

    Attributes
    ----------
    name : str
        ``stop_within_m``, ``departures_per_hour_<period>`` or ``<destinations>_within_min``.
    limit : float
    unit : str
        Of the limit and the margin.
    at_least : bool
        The limit is a least value (departures) and not a greatest one (metres, minutes).
    figures : tuple of Figure
    required : bool
        Whether missing it makes ``--require-pass`` fail.
    """

    name: str
    limit: float
    unit: str
    at_least: bool
    figures: tuple[Figure, ...]
    required: bool


@dataclass(frozen=True, eq=False)
class Verdict:
    """One standard at all sites.

    Attributes
    ----------
    standard : Standard
    passed : bool, shape (n_sites,)
    margin : float64, shape (n_sites,)
        By how much the standard is surpassed, in its unit: 0 when it is just met, negative when it is missed; NaN where
        there is no stop or journey at all.
    """

    standard: Standard
    passed: NDArray[np.bool_]
    margin: NDArray[np.float64]


def standards_of_study(file: StudyFile) -> tuple[Standard, ...]:
    """The standards of a study, each with its figures.

    The distance of a stop and the time to destinations are judged on the day and in the window that come first in the
    study file. ``departures_per_hour`` names a window, a day, or both (``times_of_period``); the worst of them counts.

    Raises
    ------
    StudyError
        A period or a name under ``required`` is not known.
    """
    given = file.standards
    if given is None:
        return ()
    found: list[Standard] = []
    day, window = leading_window(file)
    if given.stop_within_m is not None:
        stop = Figure(NEAREST_STOP, day, ALL_DAY, STOPS)
        found.append(Standard("stop_within_m", given.stop_within_m, "m", False, (stop,), True))
    for period, least in given.departures_per_hour.items():
        figures = tuple(Figure(PER_HOUR, *when, STOPS) for when in times_of_period(file, period))
        found.append(Standard(f"departures_per_hour_{period}", least, "per hour", True, figures, True))
    for kind, most in given.within_min.items():
        measure = TIME_TO if kind in file.sites.named_places else NEAREST
        found.append(Standard(f"{kind}_within_min", most, "min", False, (Figure(measure, day, window, kind),), True))
    return _with_required(file, found)


def check_kinds(file: StudyFile, opportunities: Opportunities) -> None:
    """Every kind of place that a standard names is there: nobody can be near a place that does not exist.

    Raises
    ------
    StudyError
        One is not.
    """
    for kind in file.standards.within_min if file.standards is not None else ():
        if kind in file.sites.named_places or len(opportunities.rows_of(kind)):
            continue
        key = kind.partition("/")[0]
        table = opportunities.table
        known = [f"{key}/{name}" for name in sorted({name for name in table.loc[table["key"] == key, "kind"] if name})]
        hint = did_you_mean(kind, known, f"there are {', '.join(known[:20]) or 'none of any kind'}")
        raise StudyError(f"{file.path.name} (standards): the study has no place of the kind {kind!r}; {hint}")


def _with_required(file: StudyFile, found: list[Standard]) -> tuple[Standard, ...]:
    """Only the named standards are required where any is named; ``departures_per_hour`` names all of its periods."""
    names = file.standards.required if file.standards is not None else ()
    known = [*(standard.name for standard in found), "departures_per_hour"]
    for name in names:
        if name not in known:
            hint = did_you_mean(name, known, f"they are {', '.join(known)}")
            raise StudyError(f"{file.path.name} (standards.required): {name!r} is no standard of the study; {hint}")
    if not names:
        return tuple(found)
    return tuple(
        Standard(s.name, s.limit, s.unit, s.at_least, s.figures, s.name in names or _family(s.name) in names)
        for s in found
    )


def _family(name: str) -> str:
    return "departures_per_hour" if name.startswith("departures_per_hour_") else name


def judge(standards: Sequence[Standard], figures: Sequence[Figure], values: NDArray[np.float64]) -> tuple[Verdict, ...]:
    """Whether each site meets each standard, and by how much.

    Parameters
    ----------
    standards : sequence of Standard
    figures : sequence of Figure
        What the columns of the values are.
    values : float64, shape (n_sites, n_figures)

    Returns
    -------
    tuple of Verdict
    """
    column = {figure: place for place, figure in enumerate(figures)}
    verdicts = []
    for standard in standards:
        held = values[:, [column[figure] for figure in standard.figures]]
        if standard.at_least:
            margin = held.min(axis=1) - standard.limit
        else:
            margin = standard.limit - held.max(axis=1) / (MINUTE if standard.unit == "min" else 1)
        margin = np.where(np.isfinite(margin), np.round(margin, 4) + 0.0, -math.inf)
        verdicts.append(Verdict(standard, margin >= 0, np.where(np.isfinite(margin), margin, math.nan)))
    return tuple(verdicts)


def shortfall(verdict: Verdict, row: int) -> str:
    """What a site needs to meet a standard that it misses, in words; empty where it meets it.

    Parameters
    ----------
    verdict : Verdict
    row : int
        Of the site.
    """
    if verdict.passed[row]:
        return ""
    standard, margin = verdict.standard, float(verdict.margin[row])
    if standard.unit == "m":
        if math.isnan(margin):
            return f"a served stop within {standard.limit:g} m; there is none within walking limits"
        return f"a served stop {-margin:g} m nearer"
    if standard.at_least:
        return f"{-margin:g} more departure{'' if margin == -1 else 's'} an hour"
    if math.isnan(margin):
        return "a journey within the limits of time, walking and rides; there is none on most departures"
    return f"{-margin:g} minutes less"
