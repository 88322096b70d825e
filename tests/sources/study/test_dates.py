"""Bank and school holidays against the published calendars, and what `check` says of them."""

from __future__ import annotations

import datetime as dt

import pytest

from community_routes.base.notices import Notice
from community_routes.sources.study.dates import (
    bank_holiday,
    bank_holidays,
    check_dates,
    country_of,
    ordinary_date_near,
    school_holiday,
    school_holidays,
)


@pytest.mark.parametrize(
    ("year", "dates"),
    [
        (2019, "01-01 04-19 04-22 05-06 05-27 08-26 12-25 12-26"),
        (2020, "01-01 04-10 04-13 05-08 05-25 08-31 12-25 12-26 12-28"),
        (2021, "01-01 04-02 04-05 05-03 05-31 08-30 12-25 12-26 12-27 12-28"),
        (2022, "01-01 01-03 04-15 04-18 05-02 06-02 06-03 08-29 09-19 12-25 12-26 12-27"),
        (2023, "01-01 01-02 04-07 04-10 05-01 05-08 05-29 08-28 12-25 12-26"),
        (2024, "01-01 03-29 04-01 05-06 05-27 08-26 12-25 12-26"),
        (2012, "01-01 01-02 04-06 04-09 05-07 06-04 06-05 08-27 12-25 12-26"),
    ],
)
def test_bank_holidays_as_published(year: int, dates: str) -> None:
    """The government's lists, with the weekend days for which a substitute was given."""
    assert [f"{date:%m-%d}" for date in bank_holidays(year)] == dates.split()


@pytest.mark.parametrize(
    ("date", "name"),
    [
        ("2022-01-01", "New Year's Day"),
        ("2022-01-03", "the substitute for New Year's Day"),
        ("2024-08-26", "the summer bank holiday"),
        ("2022-06-02", "the spring bank holiday"),
        ("2022-06-03", "the bank holiday for the Platinum Jubilee of Elizabeth II"),
        ("2024-03-31", None),
    ],
)
def test_how_a_bank_holiday_is_called(date: str, name: str | None) -> None:
    """As it goes on after "is": Easter Sunday is none."""
    assert bank_holiday(dt.date.fromisoformat(date)) == name


def test_every_year_has_at_least_eight_bank_holidays_on_weekdays() -> None:
    for year in range(1990, 2101):
        assert sum(date.weekday() < 5 for date in bank_holidays(year)) >= 8


def test_usual_school_holidays_of_2024() -> None:
    """As most councils had them: 12-16 February, 25 March to 5 April, 27-31 May, 28 October to 1 November."""
    usual = {name: (f"{a:%m-%d}", f"{b:%m-%d}") for name, (a, b) in school_holidays(2024).items()}
    assert usual == {
        "the February half term": ("02-12", "02-16"),
        "the Easter holidays": ("03-25", "04-05"),
        "the May half term": ("05-27", "05-31"),
        "the summer holidays": ("07-20", "08-31"),
        "the October half term": ("10-28", "11-01"),
        "the Christmas holidays": ("12-22", "01-02"),
    }


def test_the_turn_of_the_year_is_one_holiday() -> None:
    assert school_holiday(dt.date(2025, 1, 2)) == school_holiday(dt.date(2024, 12, 23)) == "the Christmas holidays"
    assert school_holiday(dt.date(2025, 1, 3)) is None


def test_the_dates_of_the_real_studies_are_ordinary() -> None:
    for text in ("2024-03-05", "2019-09-03", "2019-09-07", "2019-09-08"):
        date = dt.date.fromisoformat(text)
        assert bank_holiday(date) is None and school_holiday(date) is None


def test_an_ordinary_date_is_the_same_day_of_the_week() -> None:
    """Monday 27 May 2024 is a bank holiday; a week before is nothing, a week after neither: the later is taken.

    Wednesday 7 August 2024: three weeks back is term time (17 July), four weeks on (4 September) is farther.
    """
    assert ordinary_date_near(dt.date(2024, 5, 27)) == dt.date(2024, 6, 3)
    assert ordinary_date_near(dt.date(2024, 8, 7)) == dt.date(2024, 7, 17)


def test_what_check_says_of_dates() -> None:
    notices: list[Notice] = []
    dates = {
        "weekday": dt.date(2024, 5, 6),
        "saturday": dt.date(2024, 8, 10),
        "term": dt.date(2024, 8, 7),
        "sunday": dt.date(2024, 3, 4),
    }
    check_dates(dates, notices, place={"file": "study.yaml", "row": 3, "column": 15, "field": "service_date"})
    assert [(n.code, n.row, n.field, n.value) for n in notices] == [
        ("bank_holiday", 3, "service_date.weekday", "2024-05-06"),
        ("school_holiday", 3, "service_date.term", "2024-08-07"),
        ("day_of_another_kind", 3, "service_date.sunday", "2024-03-04"),
    ]
    assert "Monday 2024-05-06 is the early May bank holiday" in notices[0].message
    assert "take 2024-05-13 unless" in notices[0].message
    check_dates({"day": dt.date(2024, 3, 5)}, notices)
    assert len(notices) == 3


@pytest.mark.parametrize(
    ("zones", "lon", "lat", "country"),
    [
        (["Europe/London"], -3.2, 55.95, "GB-SCT"),  # Edinburgh
        (["Europe/London"], -2.0, 55.77, "GB"),  # Berwick-upon-Tweed
        (["Europe/London"], -2.94, 54.89, "GB"),  # Carlisle
        (["Europe/London"], -5.93, 54.6, "GB-NIR"),  # Belfast
        (
            ["Europe/London"],
            -4.48,
            54.15,
            "GB",
        ),  # Isle of Man, which has holidays of its own: the nearest that is known
        ([], -3.0, 51.6, "GB"),
        (["Europe/Helsinki"], 27.7, 62.9, "FI"),
        (["Europe/Helsinki", "Europe/London"], 0.0, 51.0, ""),
        (["Mars/Olympus"], 0.0, 0.0, ""),
    ],
)
def test_the_country_of_a_timetable(zones: list[str], lon: float, lat: float, country: str) -> None:
    """By its time zone; within the one of Great Britain by where it lies."""
    assert country_of(zones, lon, lat) == country


def test_holidays_are_of_the_country() -> None:
    """2 January is a holiday in Scotland, 6 December in Finland, 12 July in Northern Ireland; none of them in England."""
    days = {"GB-SCT": dt.date(2024, 1, 2), "FI": dt.date(2024, 12, 6), "GB-NIR": dt.date(2024, 7, 12)}
    for country, date in days.items():
        assert bank_holiday(date, country) is not None
        assert bank_holiday(date) is None
    assert school_holiday(dt.date(2024, 8, 7)) and school_holiday(dt.date(2024, 8, 7), "GB-SCT") is None
    notices: list[Notice] = []
    check_dates({"day": dt.date(2024, 12, 6)}, notices, country="FI")
    assert "is Independence Day in Finland" in notices[0].message
    assert bank_holidays(2024, "") == {}
