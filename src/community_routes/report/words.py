"""The words and numbers of the report: names of measures, kinds and windows, and figures rounded for people."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterable, Mapping

import numpy as np
from markupsafe import Markup
from numpy.typing import NDArray

from community_routes.base.times import format_time
from community_routes.sources.study.fares import POUNDS

MINUS = "\u2212"
MISSING = "–"
REASONS = {
    "off_network": "outside the streets of this study",
    "no_destination": "there is none of this kind",
    "no_service": "no bus or train within walking distance",
    "over_time": "not within the limits of time and rides",
    "over_fare": "not within the fare budget",
    "income_unknown": "the income is not known",
}
_DAYS = {
    "day": "on the day of the study",
    "weekday": "on a weekday",
    "saturday": "on a Saturday",
    "sunday": "on a Sunday",
}
_FIFTHS = {
    "1": "Most deprived fifth",
    "2": "Second fifth",
    "3": "Middle fifth",
    "4": "Fourth fifth",
    "5": "Least deprived fifth",
}
_UNITS = {
    "m2": ("ha", 1e-4),
    "area_m2": ("ha", 1e-4),
    "square metres": ("ha", 1e-4),
    "seconds": ("minutes", 1 / 60),
    "s": ("minutes", 1 / 60),
    "min": ("minutes", 1.0),
    "share": ("%", 100.0),
}
_A_MONTH = " per month"
_NEAR_HALF = 1e-9
_SIGNS = {"GBP": "£"}
_WITHOUT_CENTS = frozenset(["CLP", "IDR", "IRR", "ISK", "JPY", "KRW", "PYG", "VND"])


def plain(key: str) -> str:
    """A key of a file as words: ``shared_spaces`` is "shared spaces"."""
    return key.replace("_", " ").strip()


def sentence_case(text: str) -> str:
    """The text with a capital first letter; the rest is left alone."""
    return text[:1].upper() + text[1:]


def kind_name(kind: str) -> str:
    """``employment`` is "employment zones", ``shared_spaces/library`` is "shared spaces: library"."""
    key, _, part = kind.partition("/")
    if key == "stops":
        return "public transport nearby"
    if key == "wards":
        return "other wards"
    name = "employment zones" if key == "employment" else plain(key)
    return f"{name}: {part_name(part)}" if part else name


def place_name(key: str) -> str:
    """One place of a key: ``employment`` is "place of employment", ``shared_spaces`` is "shared space"."""
    known = {"employment": "place of employment", "shared_spaces": "shared space"}
    return known.get(key, plain(key))


def part_name(part: str) -> str:
    """One kind of place, without the key of a map's tag: ``amenity=arts_centre`` is "arts centre"."""
    return plain(part.rpartition("=")[2])


def day_name(day: str) -> str:
    """``sunday`` is "Sunday", ``day`` is "Day of the study"."""
    return "Day of the study" if day == "day" else sentence_case(plain(day))


def on_day(day: str) -> str:
    """The day inside a sentence: "on a Sunday"; nothing for the only day of a study."""
    return "" if day == "day" else _DAYS.get(day, f"on {plain(day)}")


def window_name(window: str, windows: Mapping[str, str]) -> str:
    """ "Morning peak, 07:00–09:00" where the times are known."""
    times = str(windows.get(window, "")).replace("-", "–")
    name = sentence_case(plain(window))
    return f"{name}, {times}" if times and times != name else name


def view_name(measure: str, reading: str, cutoff_min: float | None, currency: str = POUNDS) -> str:
    """What a map shows: "Places within 45 minutes"; budgets are in a currency."""
    within = "" if cutoff_min is None else f" within {number(cutoff_min)} minutes"
    how = {"mean": "", "p50": "", "best": ""}.get(reading, f" ({reading_name(reading)})")
    if measure == "cumulative_opportunities" and cutoff_min is not None:
        return f"Reached{within}{how}"
    from community_routes.measures.list import column_of  # compilers come with it, which few words need

    column = column_of(measure)
    asked = column.read(measure) or {}
    if "from_min" in asked:
        return f"{column.title} {asked['from_min']} to {asked['to_min']} minutes{how}"
    if "share" in asked:
        holder = ", at the concession" if asked["holder"] else ""
        return f"{column.title}, to {asked['share']} % of all{within}{holder}"
    if asked.get("budget"):
        name = f"{column.title} for {money_sign(currency)}{asked['budget']} or less"
    elif (column.title and not any(asked.values())) or "of" in asked:
        name = column.title
    else:
        name = sentence_case(plain(measure))
    return f"{name}{within}{how}"


def reading_name(reading: str) -> str:
    """``p75`` is "as on the slower departures, 75 of 100"."""
    if reading == "mean":
        return "average over departures"
    if reading == "best":
        return "best departure"
    if reading.startswith("p") and reading[1:].isdigit():
        return "median departure" if reading == "p50" else f"{reading[1:]} of 100 departures are as good"
    return plain(reading)


def group_name(grouping: str, group: str) -> str:
    """A deprivation fifth in words; other groups as they are."""
    if grouping in ("local", "national"):
        last = group.rsplit(" ", 1)[-1].removeprefix("fifth_").removeprefix("q")
        return _FIFTHS.get(last, sentence_case(plain(group)))
    return group or "(no name)"


def unit_name(unit: str) -> str:
    """The unit in which a figure is shown; square metres are shown as hectares, seconds as minutes."""
    if is_money(unit):
        return f"{money_sign(unit[:3]).rstrip()} a month"
    return _UNITS.get(unit, (plain(unit), 1.0))[0]


def in_unit(value: float, unit: str) -> float:
    """The figure in the unit in which it is shown."""
    return value * _UNITS.get(unit, ("", 1.0))[1]


def rounded(value: float) -> float:
    """Rounded for people: whole from 100 on, one decimal from 1 on, two below; never more than that."""
    size = abs(value)
    digits = 0 if size >= 100 else 1 if size >= 1 else 2
    return round(value, digits) + 0.0


def rounded_all(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """``rounded`` of each value."""
    size = np.abs(values)
    power = np.where(size >= 100, 1.0, np.where(size >= 1, 10.0, 100.0))
    shown = np.rint(values * power) / power + 0.0
    # Between two neighbours the exact decimals decide, which a product in floating point has lost.
    for i in np.flatnonzero(np.abs(np.abs(values * power) % 1 - 0.5) < _NEAR_HALF * np.maximum(size, 1)).tolist():
        shown[i] = rounded(float(values[i]))
    return shown


def least_change_words(share: float, below: str) -> str:
    """From which change on gains and losses are counted, and how many lie below it."""
    return Markup("counted from a change of {:g} % on; {} lie below it").format(100 * share, below)


def setting_name(key: str) -> str:
    """A setting's key in words, its unit in brackets: ``departure_step_s`` is "Departure step (seconds)"."""
    if key == "least_change":
        return "Least change that counts (share)"
    for ending, unit in (("_s", "seconds"), ("_min", "minutes"), ("_kmh", "km/h"), ("_m", "metres")):
        if key.endswith(ending):
            return f"{sentence_case(plain(key.removesuffix(ending)))} ({unit})"
    return sentence_case(plain(key))


def digits_of(values: Iterable[float]) -> int:
    """How many decimals all figures of one column have: none where the largest is 100 or more, one from 10 on, else two."""
    largest = max((abs(value) for value in values if math.isfinite(value)), default=0.0)
    return 0 if largest >= 100 else 1 if largest >= 10 else 2


def number(value: float | None, *, sign: bool = False, digits: int | None = None) -> str:
    """A figure for people: ``1,234``, ``12.3``, ``0.25``, with a true minus; a dash where there is none.

    ``digits`` is how many decimals it has; left out, as many as its own size asks for. What is not zero is never shown as zero.
    """
    if value is None or not math.isfinite(value):
        return MISSING
    shown = rounded(float(value)) if digits is None else round(float(value), digits) + 0.0
    if shown == 0 and value != 0:
        least = f"under {10.0 ** -(2 if digits is None else digits):g}"
        return f"{least} less" if sign and value < 0 else least
    if digits is None:
        digits = 0 if abs(shown) >= 100 or shown == int(shown) else 1 if abs(shown) >= 1 else 2
    text = f"{abs(shown):,.{digits}f}" if shown else "0"
    if shown < 0:
        return MINUS + text
    return f"+{text}" if sign and shown > 0 else text


def about(value: float) -> str:
    """A sum of a model, rounded as such sums are, without its sign: ``2.1 million``, ``476,000``, ``8,600``, ``38``, ``3.70``."""
    size = abs(value)
    if size >= 999_500:
        return f"{size / 1e6:,.1f} million"
    step = 1000 if size >= 10_000 else 100 if size >= 1000 else 1
    return f"{round(size / step) * step:,}" if size >= 9.5 else f"{size:.2f}"


def count(value: float) -> str:
    """Whole persons or things: ``12,345``."""
    return f"{round(value):,}".replace("-", MINUS)


def is_money(unit: str) -> bool:
    """Whether a unit is money a month: ``GBP per month``."""
    return unit.endswith(_A_MONTH)


def money_sign(currency: str) -> str:
    """What stands before an amount: ``£``, else the code of ISO 4217 and a space."""
    return _SIGNS.get(currency, f"{currency}\u00a0")


def money(value: float, currency: str, *, sign: bool = False) -> str:
    """``£75.60``, ``−£3.00``, ``£1,250.00``, ``EUR 4.80``, ``JPY 300``."""
    if not math.isfinite(value):
        return MISSING
    digits = 0 if currency in _WITHOUT_CENTS else 2
    mark = MINUS if round(value, digits) < 0 else "+" if sign and round(value, digits) > 0 else ""
    return f"{mark}{money_sign(currency)}{abs(value):,.{digits}f}"


def percent(share: float, *, sign: bool = False) -> str:
    """``12 %`` of 0.12, one decimal below 10 %."""
    if not math.isfinite(share):
        return MISSING
    value = share * 100
    digits = 0 if abs(value) >= 10 or round(value, 1) == int(value) else 1
    text = f"{abs(value):.{digits}f}\u202f%"
    mark = MINUS if round(value, digits) < 0 else "+" if sign and round(value, digits) > 0 else ""
    return mark + text


def clock(seconds: int) -> str:
    """``08:15``; after midnight the clock's time and the day: ``00:20 (next day)``."""
    text = format_time(seconds % 86_400, with_seconds=False)
    return f"{text} (next day)" if seconds >= 86_400 else text


def date_text(date: dt.date) -> str:
    """``Tuesday 5 March 2024``, in English on every machine."""
    days = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
    months = (
        "January",
        "February",
        "March",
        "April",
        "May",
        "June",
        "July",
        "August",
        "September",
        "October",
        "November",
        "December",
    )
    return f"{days[date.weekday()]} {date.day} {months[date.month - 1]} {date.year}"


def joined(names: list[str]) -> str:
    """``a, b and c``."""
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}" if names else ""
