"""The words and tables of a site's page: standards, service, times, reach and residents beside the borough's."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from markupsafe import Markup
from numpy.typing import NDArray

from community_routes.base.times import MINUTE, format_window
from community_routes.evaluation.case import Study
from community_routes.measures.measure import PLACES
from community_routes.report import words
from community_routes.report.blocks import Row, Section, Table, Td, Text, Th, below, element
from community_routes.sites.detail import Note, place_title
from community_routes.sites.figures import (
    ALL_DAY,
    ANY_DAY,
    ANY_TIME,
    FIRST,
    LAST,
    NEAREST,
    NEAREST_ON_FOOT,
    PER_HOUR,
    PTAL,
    REACHED,
    REACHED_ON_FOOT,
    STOPS,
    TIME_TO,
    WHICH_PLACE,
    Figure,
    kinds_of_study,
)
from community_routes.sites.judge import Standard, Verdict, shortfall
from community_routes.sites.periods import leading_window, service_windows
from community_routes.sites.read import place_key
from community_routes.sites.tables import JudgedSites, cost_text

FloatArray = NDArray[np.float64]
_COORDINATES = re.compile(r"[-0-9.]+,[-0-9.]+")
_COMPARED = ("This site", "Around it", "Borough")


@dataclass(frozen=True, eq=False)
class Wording:
    """Puts the figures of sites into words.

    Attributes
    ----------
    study : Study
    judged : JudgedSites
    """

    study: Study
    judged: JudgedSites

    @cached_property
    def column(self) -> dict[Figure, int]:
        """Where each figure stands."""
        return {figure: place for place, figure in enumerate(self.judged.figures)}

    @cached_property
    def around(self) -> FloatArray:
        """Medians around each site."""
        return self.judged.around.of_sites()

    def unit(self, kind: str) -> str:
        """What is counted of a kind of place: the column of its amounts, or places."""
        spec = self.study.file.destinations[kind.partition("/")[0]]
        if isinstance(spec.amount, str):
            return str(spec.amount)
        return PLACES if spec.amount == 1 else "amount"

    def values(self, figure: Figure, row: int) -> tuple[float, float, float]:
        """A figure of a site, around it, and of the borough."""
        place = self.column[figure]
        judged = self.judged
        return (
            float(judged.values[row, place]),
            float(self.around[row, place]),
            float(judged.around.borough[place]),
        )

    def when(self, day: str, window: str) -> str:
        """``Weekday, morning peak, 07:00–09:00``."""
        file = self.study.file
        times = {name: format_window(window_s) for name, window_s in service_windows(file, day).items()}
        said = words.window_name(window, times)
        return said if len(file.dates) == 1 else f"{words.day_name(day)}, {said[:1].lower()}{said[1:]}"

    def kind(self, kind: str) -> str:
        """A kind of place, or a named place, as a title."""
        return words.sentence_case(words.kind_name(kind)) if kind in kinds_of_study(self.study) else self.named(kind)

    def named(self, name: str) -> str:
        """A named place: what the study calls it."""
        return words.sentence_case(words.plain(name))

    # ---- standards -----------------------------------------------------------------------------------------------

    def asked(self, standard: Standard) -> str:
        """What a standard asks."""
        limit = f"{standard.limit:g}"
        if standard.unit == "m":
            return f"A stop with service within {limit} m"
        if standard.at_least:
            periods = [self.when(figure.day, figure.window) for figure in standard.figures]
            said = periods[0] if len(periods) == 1 else f"the least of: {'; '.join(periods)}"
            return f"{limit} departure{'' if standard.limit == 1 else 's'} an hour within 400 m ({said[:1].lower()}{said[1:]})"
        return f"{self.kind(standard.figures[0].kind)} within {limit} minutes"

    def short(self, standard: Standard) -> tuple[str, str]:
        """Heading and unit of a standard's column in the overview."""
        if standard.unit == "m":
            return "Stop", f"metres to spare of {standard.limit:g}"
        if standard.at_least:
            period = standard.name.removeprefix("departures_per_hour_")
            return f"Departures ({words.plain(period)})", f"an hour above {standard.limit:g}"
        return self.kind(standard.figures[0].kind), f"minutes to spare of {standard.limit:g}"

    def standard_row(self, number: int, row: int) -> Row:
        """One standard at one site: whether it is met, what the site has, by how much, and what it would take."""
        verdict = self.judged.verdicts[number]
        standard, passed = verdict.standard, bool(verdict.passed[row])
        result = element("span", "✓ met" if passed else "✗ missed", style=f"mark {'pass' if passed else 'miss'}")
        helps = "" if passed else self._scenario(self.judged.remedies.meets[:, number], row)
        needs = Markup("{}{}").format(shortfall(verdict, row), below(helps))
        name = Markup("{}{}").format(self.asked(standard), below("" if standard.required else "not required"))
        cells = (result, self._found(verdict, row), self._margin(verdict, row), needs)
        return Row(name, [Td(cell, "text") for cell in cells])

    def _found(self, verdict: Verdict, row: int) -> str:
        standard, margin = verdict.standard, float(verdict.margin[row])
        if math.isnan(margin):
            return "none within walking limits" if standard.unit == "m" else "not reached"
        value = standard.limit + margin if standard.at_least else standard.limit - margin
        if standard.unit == "min":
            return minutes_text(value)
        return f"{words.number(value)} {'m' if standard.unit == 'm' else 'an hour'}"

    def _margin(self, verdict: Verdict, row: int) -> str:
        standard, margin = verdict.standard, float(verdict.margin[row])
        if math.isnan(margin):
            return "cannot be told"
        amount = words.number(abs(margin))
        if margin == 0:
            return "just met"
        if standard.unit == "m":
            return f"{amount} m to spare" if margin > 0 else f"{amount} m too far"
        if standard.at_least:
            return f"{amount} an hour more" if margin > 0 else f"{amount} an hour too few"
        return f"{minutes_text(margin)} to spare" if margin > 0 else f"{minutes_text(-margin)} too long"

    def _scenario(self, helps: NDArray[np.bool_], row: int) -> str:
        """Which proposal brings it at the least cost, where any were tried."""
        remedies = self.judged.remedies
        if not remedies.proposals:
            return ""
        best = int(remedies.cheapest(helps[:, row : row + 1])[0])
        if best < 0:
            n = len(remedies.proposals)
            return "not brought by the proposal that was tried" if n == 1 else f"not brought by any of {n} proposals"
        proposal = remedies.proposals[best]
        return f"brought by {proposal.title} ({money(proposal.cost, self.study.currency)})"

    def verdict(self, row: int) -> str:
        """The answer for one site in a sentence."""
        judged = self.judged
        if not judged.verdicts:
            return "The study sets no standards, so there is nothing to pass or miss."
        missed = [v for v in judged.verdicts if not v.passed[row]]
        n = len(judged.verdicts)
        if not missed:
            return f"It meets {'the standard' if n == 1 else f'all {n} standards'} of the study."
        names = words.joined([self.short(v.standard)[0].lower() for v in missed])
        said = f"It misses {len(missed)} of {n} standards: {names}."
        if judged.remedies.proposals and judged.misses(required=True)[row]:
            best = int(judged.remedies.cheapest(judged.remedies.mends[:, row : row + 1])[0])
            if best >= 0:
                proposal = judged.remedies.proposals[best]
                cost = money(proposal.cost, self.study.currency)
                said += f" With {proposal.title} ({cost}) it would meet all that are required."
            else:
                said += " No proposal that was tried brings all that are required."
        return said

    # ---- sections ------------------------------------------------------------------------------------------------

    def sections(self, row: int, note: Note) -> tuple[Section, ...]:
        """The tables of a site."""
        found = [self._service(row, note), self._times(row), self._reach(row), self._residents(row)]
        return tuple(section for section in found if section is not None)

    def _service(self, row: int, note: Note) -> Section:
        file = self.study.file
        rows, ends = [], []
        for day in file.dates:
            for window in service_windows(file, day):
                cells = [
                    words.number(value)
                    for measure in (PER_HOUR, PTAL)
                    for value in self.values(Figure(measure, day, window, STOPS), row)
                ]
                rows.append((self.when(day, window), *cells))
            clocks = [self.values(Figure(measure, day, ALL_DAY, STOPS), row) for measure in (FIRST, LAST)]
            ends.append((words.day_name(day), *(_clock(value) for clock in clocks for value in clock)))
        tables = [
            captioned(
                "Departures an hour within 400 m, and the index of PTAL's form",
                (
                    "When",
                    *(f"Departures: {one.lower()}" for one in _COMPARED),
                    *(f"Index: {one.lower()}" for one in _COMPARED),
                ),
                tuple(rows),
            ),
            captioned(
                "First and last departure within 400 m",
                (
                    "Day",
                    *(f"First: {one.lower()}" for one in _COMPARED),
                    *(f"Last: {one.lower()}" for one in _COMPARED),
                ),
                tuple(ends),
            ),
        ]
        days = list(file.dates)
        if note["routes"]:
            tables.append(
                captioned(
                    "Routes within 400 m, departures on each day",
                    ("Route", "Nearest stop", "Metres", *(words.day_name(day) for day in days)),
                    tuple(
                        (
                            f"{words.sentence_case(one['mode'])} {one['name']}",
                            one["stop"],
                            words.number(one["metres"]),
                            *(words.count(one["departures"][day]) for day in days),
                        )
                        for one in note["routes"]
                    ),
                    text=(1,),
                )
            )
        tables.append(self._stops(note, days))
        entrances = self._entrances(row, days)
        notes = (
            "Around it: the middle resident of the neighbourhood and those that touch it. Borough: the middle resident.",
        )
        return _section("service", "Service by period and day", (*tables, *entrances), notes)

    def _stops(self, note: Note, days: Sequence[str]) -> Table:
        rows = [
            (f"{stop['name']}", words.number(stop["metres"]), *(words.count(stop["departures"][day]) for day in days))
            for stop in note["stops"]
        ]
        heads = ("Stop", "Metres to walk", *(f"Departures, {words.day_name(day).lower()}" for day in days))
        return captioned("The nearest stops with service", heads, tuple(rows))

    def _entrances(self, row: int, days: Sequence[str]) -> list[Table]:
        """The nearest served stop of each entrance, where there are several."""
        judged, points = self.judged, self.judged.entrances[row]
        if points is None or len(points) < 2:
            return []
        rows = []
        for number, point in enumerate(points, start=1):
            held = judged.stops_of_entrances[place_key(point[None])].tolist()
            cells = [
                f"{judged.stop_names[int(stop)]}, {words.number(metres)} m" if math.isfinite(stop) else "none"
                for metres, stop in zip(held[::2], held[1::2], strict=True)
            ]
            rows.append((f"{number} ({point[0]:.5f}, {point[1]:.5f})", *cells))
        heads = ("Entrance", *(words.day_name(day) for day in days))
        return [
            captioned(
                "The nearest stop with service from each entrance", heads, tuple(rows), tuple(range(1, len(heads)))
            )
        ]

    def _times(self, row: int) -> Section:
        file = self.study.file
        tables = []
        for kind in (*kinds_of_study(self.study), *file.sites.named_places):
            is_named = kind in file.sites.named_places
            rows = []
            for day in file.dates:
                for window in file.windows_on(day):
                    figure = Figure(TIME_TO if is_named else NEAREST, day, window, kind)
                    place = "" if is_named else self._place(Figure(WHICH_PLACE, day, window, kind), row)
                    rows.append((self.when(day, window), *([] if is_named else [place]), *self._minutes(figure, row)))
            if not is_named:
                on_foot = self._minutes(Figure(NEAREST_ON_FOOT, ANY_DAY, ANY_TIME, kind), row)
                rows.append(("On foot all the way", "", *on_foot))
            heads = ("When", *([] if is_named else ["Nearest"]), *(f"{one}, minutes" for one in _COMPARED))
            tables.append(captioned(self._title(kind), heads, tuple(rows), () if is_named else (1,)))
        tables += self._parts(row)
        return _section(
            "times", "Time to the nearest", tuple(tables), ("Median over the departures of the window, door to door.",)
        )

    def _parts(self, row: int) -> list[Table]:
        """The nearest of each single kind of place, in the first window of the first day, and on foot all the way."""
        day, window = leading_window(self.study.file)
        found: dict[str, list[tuple[str, ...]]] = {}
        for figure in self.judged.figures:
            key, _, part = figure.kind.partition("/")
            if not part or (figure.measure, figure.day, figure.window) != (NEAREST, day, window):
                continue
            on_foot = self._minutes(Figure(NEAREST_ON_FOOT, ANY_DAY, ANY_TIME, figure.kind), row)[0]
            place = self._place(Figure(WHICH_PLACE, day, window, figure.kind), row)
            name = words.sentence_case(words.part_name(part))
            found.setdefault(key, []).append((name, place, *self._minutes(figure, row), on_foot))
        heads = ("Kind", "Nearest", *(f"{one}, minutes" for one in _COMPARED), "On foot all the way")
        return [
            captioned(
                f"To the nearest of each kind of {words.kind_name(key)}: {_lower(self.when(day, window))}",
                heads,
                tuple(sorted(rows)),
                (1,),
            )
            for key, rows in found.items()
        ]

    def _title(self, kind: str) -> str:
        if kind in self.study.file.sites.named_places:
            spot = str(self.judged.run["named_places"][kind])
            return f"To {words.plain(kind)}" + (
                f" ({spot})" if spot != kind and not _COORDINATES.fullmatch(spot) else ""
            )
        return f"To the nearest of {words.kind_name(kind)}"

    def _place(self, figure: Figure, row: int) -> str:
        which = float(self.judged.values[row, self.column[figure]])
        return place_title(self.study.opportunities.table, int(which)) if math.isfinite(which) else words.MISSING

    def _minutes(self, figure: Figure, row: int) -> list[str]:
        return [
            words.number(round(value / MINUTE)) if math.isfinite(value) else words.MISSING
            for value in self.values(figure, row)
        ]

    def _reach(self, row: int) -> Section:
        file = self.study.file
        tables = []
        for kind in kinds_of_study(self.study):
            unit = self.unit(kind)
            rows = []
            slots = [(day, window) for day in file.dates for window in file.windows_on(day)]
            for cutoff in file.travel.cutoffs_min:
                for day, window in slots:
                    figure = Figure(REACHED, day, window, kind, f"{cutoff:g}")
                    rows.append(
                        (f"{cutoff:g} minutes, {_lower(self.when(day, window))}", *self._amounts(figure, unit, row))
                    )
                figure = Figure(REACHED_ON_FOOT, ANY_DAY, ANY_TIME, kind, f"{cutoff:g}")
                rows.append((f"{cutoff:g} minutes, on foot all the way", *self._amounts(figure, unit, row)))
            shown = words.unit_name(unit)
            caption = f"{words.sentence_case(words.kind_name(kind))} within reach ({shown})"
            tables.append(captioned(caption, ("Within", *_COMPARED), tuple(rows)))
        note = (
            "By public transport or on foot, whichever is sooner, on average over the departures of the window; what is "
            "reached on foot alone stands below."
        )
        return _section("reach", "What is within reach", tuple(tables), (note,))

    def _amounts(self, figure: Figure, unit: str, row: int) -> list[str]:
        return [words.number(words.in_unit(value, unit)) for value in self.values(figure, row)]

    def _residents(self, row: int) -> Section | None:
        judged = self.judged
        residents, zone = judged.residents, int(judged.around.zone[row])
        notes = []
        if zone < 0:
            return _section(
                "residents", "Who would live there", (), ("The site lies in no neighbourhood of the study.",)
            )
        info = judged.zones.iloc[zone]
        persons = float(residents.persons[row])
        said = f"It lies in {info['name'] or info['id']}"
        if math.isfinite(float(info["deprivation_decile"])):
            said += f", which is in deprivation decile {int(info['deprivation_decile'])} (1 is most deprived)"
        notes.append(said + ".")
        if math.isnan(persons):
            notes.append("The number of homes is not given, so residents cannot be told, only shares.")
        rows: list[tuple[str, ...]] = []
        for place, (grouping, group) in enumerate(zip(residents.grouping, residents.group, strict=True)):
            share = float(residents.share[row, place])
            if share > 0:
                count = float(residents.count[row, place])
                few = "" if math.isnan(persons) else "under 10"
                name = _GROUPINGS[grouping]
                rows.append(
                    (
                        words.group_name(grouping, group),
                        name,
                        few if math.isnan(count) else words.count(count),
                        words.percent(share),
                    )
                )
        if not rows:
            return _section("residents", "Who would live there", (), tuple(notes))
        homes = judged.sites[row].homes
        caption = "Potential residents by group"
        if not math.isnan(persons):
            caption += f": {words.count(homes)} homes, about {words.count(persons)} persons"
        notes.append(
            f"Homes times {judged.run['persons_per_home']:g} persons, spread over groups as the residents of the neighbourhood "
            "are; rounded to 5, and numbers under 10 are not shown. Who moves in is not known."
        )
        table = captioned(caption, ("Group", "Grouped by", "Persons", "Share"), tuple(rows), (1,))
        return _section("residents", "Who would live there", (table,), tuple(notes))


_GROUPINGS = {
    "local": "deprivation, fifths of the borough",
    "national": "deprivation, fifths of the country",
    "groups": "groups of the study",
}


def minutes_text(minutes: float) -> str:
    """``12.5 minutes``, ``1 minute``, ``under a minute``."""
    if 0 < minutes < 1:
        return "under a minute"
    return f"{words.number(minutes)} minute{'' if minutes == 1 else 's'}"


def _lower(text: str) -> str:
    return f"{text[:1].lower()}{text[1:]}"


def _clock(value: float) -> str:
    return words.clock(int(value)) if math.isfinite(value) else words.MISSING


def money(cost: float, currency: str) -> str:
    """``£331,171 a year``; says where the cost is not known."""
    told: Any = cost_text(cost)
    if isinstance(told, str):
        return "cost not known"
    sign = words.money_sign(currency)
    return f"{sign}{told:,} a year" if told >= 0 else f"saves {sign}{-told:,} a year"


def captioned(caption: str, heads: Sequence[str], rows: Sequence[Sequence[str]], text: Sequence[int] = ()) -> Table:
    """A table under its caption; the first cell of a row is its heading, the columns ``text`` hold text and not numbers."""
    return Table(
        caption,
        [Th(head, "text" if place in text else "") for place, head in enumerate(heads)],
        [
            Row(
                element("bdi", row[0]),
                [Td(cell, "text" if place in text else "") for place, cell in enumerate(row[1:], 1)],
            )
            for row in rows
        ],
        caption=caption,
    )


def _section(ident: str, title: str, tables: Sequence[Table], notes: Sequence[str] = ()) -> Section:
    return Section(ident, title, [*tables, *(Text(note, "note") for note in notes)], short=title)


def credit_words(study: Study) -> str:
    """Who made the data, once each, after the end of a sentence."""
    found = [str(credit) for credit in study.sources["credit"].fillna("").tolist() if credit]
    return f" {'. '.join(dict.fromkeys(found))}." if found else ""
