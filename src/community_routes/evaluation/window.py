"""What a study measures, in which hours: chosen in the study file, or what everybody wants."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from community_routes.base.errors import StudyError
from community_routes.base.notices import Notice, raise_on_errors
from community_routes.base.times import HOUR, MINUTE, parse_window
from community_routes.measures.list import EMPLOYMENT, build_measure, default_measures
from community_routes.measures.measure import Facts, Measure, Need
from community_routes.measures.shifts import USUAL_SHIFTS, Shift
from community_routes.network.timetable.trips import WHOLE_DAY_S
from community_routes.sources.places.zones import Zones
from community_routes.sources.study.file import MeasureChoice, StudyFile
from community_routes.sources.study.yaml import BAD_VALUE

DEFAULT = "default"
SHIFTS = "shifts"
NOON_S = 12 * HOUR


@dataclass(frozen=True)
class Choice:
    """What is measured.

    Attributes
    ----------
    measures : tuple of Measure
    shifts : tuple of Shift
    shift_key : str
        Key of the destinations where people work.
    """

    measures: tuple[Measure, ...] = ()
    shifts: tuple[Shift, ...] = ()
    shift_key: str = EMPLOYMENT

    @property
    def needs(self) -> set[Need]:
        """What the measures need besides travel times."""
        return {need for measure in self.measures for need in measure.needs}


def study_choice(file: StudyFile, zones: Zones) -> Choice:
    """The measures that a study chooses.

    Without a choice, or for the name ``default``, those of ``default_measures``. ``shifts`` adds the working day:
    ``{shifts: {times: ["06:00-14:00"], key: employment}}``, the usual three shifts where none are named.

    Raises
    ------
    StudyError
        A name or a setting is unknown, or the study lacks what a measure needs.
    """
    measures: list[Measure] = []
    shifts: tuple[Shift, ...] = ()
    key = EMPLOYMENT
    faults: list[Notice] = []
    n_wards = len({group for group in zones.table["group"] if group})
    facts = Facts(file.travel.cutoffs_min, tuple(file.destinations), file.fares, n_wards)
    for choice in file.measures or (MeasureChoice(name=DEFAULT),):
        try:
            if choice.name == DEFAULT:
                measures += default_measures(facts)
            elif choice.name == SHIFTS:
                shifts, key = _shifts(choice.settings, file)
            else:
                measures.append(build_measure(choice.name, choice.settings, facts))
        except ValueError as fault:
            message = f"{fault}; or one of {', '.join((DEFAULT, SHIFTS))}"
            faults.append(BAD_VALUE.at(**choice.at("name"), value=choice.name, message=message))
    raise_on_errors(faults, StudyError)
    return Choice(tuple(measures), shifts, key)


def _shifts(settings: Mapping[str, Any], file: StudyFile) -> tuple[tuple[Shift, ...], str]:
    if extra := set(settings) - {"times", "key"}:
        raise ValueError(f"shifts has no setting {sorted(extra)}; it takes times and key")
    key = str(settings.get("key", EMPLOYMENT))
    if key not in file.destinations:
        raise ValueError(f"{key!r} is no key of destinations ({', '.join(file.destinations)})")
    times = settings.get("times", USUAL_SHIFTS)
    return tuple(Shift(*parse_window(str(text))) for text in ([times] if isinstance(times, str) else times)), key


def amount_units(file: StudyFile) -> dict[str, str]:
    """Unit of each key's amounts: the name of the column they come from."""
    return {key: spec.amount for key, spec in file.destinations.items() if isinstance(spec.amount, str)}


def hours_needed(file: StudyFile, choice: Choice) -> tuple[int, int]:
    """Seconds of the service date between which departures are needed by windows and shifts, the longest journey included."""
    longest = file.travel.max_travel_min * MINUTE
    begins = [shift.deadline_windows()[0][0] - longest for shift in choice.shifts]
    ends = [shift.departure_window()[1] for shift in choice.shifts]
    return min(begins, default=0), max(ends + [window.end_s for window in file.travel.windows.values()]) + longest


def span_of(file: StudyFile, choice: Choice) -> tuple[int, int]:
    """Seconds of the service date that the study's windows and shifts can need: at least 00:00 to 30:00."""
    first, last = hours_needed(file, choice)
    return min(WHOLE_DAY_S[0], first), max(WHOLE_DAY_S[1], last)
