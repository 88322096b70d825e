"""Findings: where they are, in what order, how many stand behind them, and when they stop the work."""

from __future__ import annotations

import pytest

from community_routes.base.errors import StudyError, UsageError
from community_routes.base.notices import Code, Notice, Sample, findings, raise_on_errors, sort_notices, total

FAST = Code("fast", "warning", "A trip is too fast.", "left out")
BAD = Code("bad", "error", "A cell is bad.")


@pytest.mark.parametrize(
    ("notice", "place"),
    [
        (FAST.at("study.yaml", row=3, column=5, field="travel", message="m"), "study.yaml line 3, column 5 (travel)"),
        (FAST.at("bus.zip/stops.txt", row=12, field="stop_lat", message="m"), "bus.zip/stops.txt row 12 (stop_lat)"),
        (FAST.at("bus.zip", message="m"), "bus.zip"),
        (FAST.at(field="travel", row=3, message="m"), "travel"),
    ],
)
def test_a_notice_says_where_it_is(notice: Notice, place: str) -> None:
    assert notice.place == place
    assert str(notice) == f"{place}: m"


def test_a_sample_keeps_the_first_and_sums_up() -> None:
    """Five are found, two kept: the sum says five, in a field as in its sentence, and stands for all of them."""
    sample = Sample(FAST, keep=2)
    for row in range(5):
        sample.add("a.txt", row=row, field="speed", message=f"row {row}")
    first, second, rest = sample.notices()
    assert (first.count, second.count, rest.count) == (None, None, 5)
    assert rest.is_sum and not first.is_sum
    assert (rest.file, rest.field, rest.message) == ("a.txt", "speed", "5 in all; a trip is too fast.")
    assert total([first, second, rest]) == 5


def test_a_sample_that_kept_all_has_no_sum() -> None:
    sample = Sample(FAST, keep=2)
    sample.add("a.txt", message="one")
    sample.add("a.txt", message="two")
    assert [notice.message for notice in sample.notices()] == ["one", "two"]
    assert Sample(FAST).notices() == []


def test_totals_are_by_file_and_column() -> None:
    """Of a.txt two sentences stand for 7 and 5; b.txt has two single rows; another column of a.txt has one: 15."""
    sums = [FAST.at("a.txt", field="x", message=f"{n} in all", count=n) for n in (7, 5)]
    rows = [FAST.at("a.txt", field="x", message="example"), FAST.at("a.txt", field="y", message="one")]
    assert total([*sums, *rows, FAST.at("b.txt", message="1"), FAST.at("b.txt", message="2")]) == 12 + 1 + 2


def test_errors_come_first_then_files_and_rows_and_nothing_twice() -> None:
    later, early = FAST.at("a.txt", row=9, message="m"), FAST.at("a.txt", row=2, message="m")
    bad, other = BAD.at("z.txt", message="m"), FAST.at("b.txt", row=1, message="m")
    assert sort_notices([other, later, early, bad, later]) == [bad, early, later, other]


def test_all_errors_are_in_the_exception_and_twenty_in_its_message() -> None:
    raise_on_errors([FAST.at("a.txt", message="only a warning")])
    faults = [BAD.at("a.txt", row=row, message="m") for row in range(1, 26)]
    with pytest.raises(UsageError, match=r"(?s)^a.txt row 1: m\n.*a.txt row 20: m\n\.\.\. and 5 more") as stopped:
        raise_on_errors(faults, UsageError)
    assert list(stopped.value.notices) == faults


def test_what_a_reader_finds_is_passed_on_once_and_stops_it_at_the_end() -> None:
    """The first is known already; the error is raised when all has been looked at, and is passed on too."""
    known, new, bad = (code.at("a.txt", message=text) for code, text in ((FAST, "known"), (FAST, "new"), (BAD, "bad")))
    notices = [known]
    with pytest.raises(StudyError, match="bad"), findings(notices, StudyError) as found:
        found += [known, bad, new]
    assert notices == [known, bad, new]
    with pytest.raises(KeyError), findings(notices, StudyError) as found:
        found.append(BAD.at("b.txt", message="before another fault"))
        raise KeyError
    assert notices[-1].file == "b.txt"
    with findings(None, StudyError) as found:
        found.append(new)
