"""What a person at a terminal is told of the notices: the worst first, one line a kind, nothing cut in a name."""

from __future__ import annotations

import pytest

from community_routes.base.notices import Notice
from community_routes.commands.console import Console, _Clock


def kinds(severity: str, number: int, *, each: int = 1, message: str = "something is odd") -> list[Notice]:
    """Notices of so many kinds, each found so often."""
    names = [f"{severity}_{i:02}" for i in range(number)]
    return [Notice(severity, name, message, "a.txt", row) for name in names for row in range(each)]  # type: ignore[arg-type]


def told(
    notices: list[Notice],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    columns: int = 80,
    **how: str,
) -> list[str]:
    monkeypatch.setenv("COLUMNS", str(columns))
    Console().notices(notices, **how)
    return capsys.readouterr().err.splitlines()


def test_warnings_come_before_information_and_all_have_a_line(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """8 kinds of information found first, then 15 of warnings (of which one 1,200 times): 15 lines, then what is left."""
    many = [
        Notice("warning", "off_network", f"neighbourhood {i} is off the streets", "areas.geojson") for i in range(1200)
    ]
    lines = told(
        [*kinds("info", 8), *kinds("warning", 14, each=2), *many], capsys, monkeypatch, where="out/notices.csv"
    )
    assert lines[0] == "warning off_network (1,200): areas.geojson: neighbourhood 0 is off the streets"
    assert [line.split()[1] for line in lines[1:15]] == [f"warning_{i:02}" for i in range(14)]
    assert lines[15:] == ["8 more kinds of information; all in out/notices.csv"]
    lines = told([*kinds("info", 8), *kinds("warning", 1), *kinds("error", 1)], capsys, monkeypatch)
    assert [line.split()[0] for line in lines] == ["error", "warning", *["info"] * 8]


@pytest.mark.parametrize("columns", [40, 80, 120])
def test_a_line_fits_the_terminal_and_cuts_no_name(
    columns: int, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file is named whole or not at all, and a line ends between words."""
    message = (
        "[bold] the date 20240230 is no day of the calendar, so that no trip of the service runs on it at all; mend it"
    )
    place = "newport_bus_gtfs.zip/calendar_dates.txt"
    (line,) = told([Notice("warning", "odd", message, place, 7, None, "date")], capsys, monkeypatch, columns)
    named = {40: "", 80: "", 120: f"{place} row 7 (date): "}[columns]
    assert len(line) <= columns and line.endswith(" \u2026")
    said = line.removesuffix(" \u2026").removeprefix(f"warning odd (1): {named}")
    assert f"{message} ".startswith(f"{said} ") and len(said) >= 15
    (line,) = told([Notice("warning", "odd", message, "bus.zip/calendar_dates.txt", 7)], capsys, monkeypatch, columns)
    assert ("bus.zip/calendar_dates.txt" in line) == ("bus" in line) == (columns >= 80)


def test_the_clock_goes_on_between_messages(monkeypatch: pytest.MonkeyPatch) -> None:
    """7 s after the start of a run that took 40 s last time 33 s are left; beyond that time, or without it, nothing is said."""
    console = Console()
    clock = _Clock(console, "reading")
    for passed, expected, shown_as in (
        (7.2, 40.0, "reading (7 s, about 33 s left)"),
        (41.0, 40.0, "reading (41 s)"),
        (3.0, None, "reading (3 s)"),
    ):
        monkeypatch.setattr(console, "passed_s", lambda passed=passed: passed)
        console.expected_s = expected
        assert clock.__rich__().plain == shown_as
    clock.now("writing")
    assert clock.__rich__().plain == "writing (3 s)"
