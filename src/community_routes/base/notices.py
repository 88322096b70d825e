"""What was found in the inputs and what was done about it: one record per fault, with a stable code.

A module declares the codes it can give, beside the check that gives them:

    STOP_WITHOUT_PLACE = declare("stop_without_place", "warning", "A stop has no coordinates; nobody can walk to it.")
    BLANK_ID = declare("blank_id", "warning", "A row has no id; it was left out.", outcome="left out")
    ...
    found.append(STOP_WITHOUT_PLACE.at("stops.txt", row=12, field="stop_lat", value="", message="stop 'A7' has no latitude"))
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Literal

from community_routes.base.errors import CommunityRoutesError

Severity = Literal["error", "warning", "info"]
SEVERITIES: tuple[Severity, ...] = ("error", "warning", "info")
"""The worst first."""
_ORDER = {severity: rank for rank, severity in enumerate(SEVERITIES)}
_SHOWN = 20

Outcome = Literal["kept", "mended", "left out"]
"""What became of the thing that a notice speaks of: it counts as it is, it counts in another form, or it does not count."""


@dataclass(frozen=True)
class Notice:
    """One finding.

    Attributes
    ----------
    severity : "error", "warning" or "info"
        An error stops the work; a warning and an info are recorded.
    code : str
        Stable name of the kind of finding, documented in ``docs/notices.md``.
    message : str
        What is wrong, what was done, and what to do, in one or two sentences without the place (it has its own fields).
    file : str
        Name of the file (and the table in it: ``bus.zip/stops.txt``), without a folder that only this machine has.
    row : int or None
        Line in the file, counted from 1 with the heading as line 1.
    column : int or None
        Column in that line, counted from 1; only where text was parsed (study and scenario files).
    field : str
        Column of a table or dotted key of a study file.
    value : str
        The value as it stood in the file.
    count : int or None
        How many findings there are in all, where this notice sums up those beside it; None where it is one finding.
    """

    severity: Severity
    code: str
    message: str
    file: str = ""
    row: int | None = None
    column: int | None = None
    field: str = ""
    value: str = ""
    count: int | None = None

    @property
    def place(self) -> str:
        """Where it is: ``study.yaml line 3, column 5 (travel.window)`` or ``bus.zip/stops.txt row 12 (stop_lat)``."""
        if not self.file:
            return self.field
        if self.row is not None and self.column is not None:
            where = f" line {self.row}, column {self.column}"
        else:
            where = f" row {self.row}" if self.row is not None else ""
        return f"{self.file}{where}{f' ({self.field})' if self.field else ''}"

    @property
    def is_sum(self) -> bool:
        """Whether it says how many there are in all, beside the examples (see ``Sample``)."""
        return self.count is not None

    def __str__(self) -> str:
        return f"{self.place}: {self.message}" if self.place else self.message


@dataclass(frozen=True)
class Code:
    """A kind of notice: its stable name, its severity, one line that explains it, and what becomes of what it speaks of."""

    name: str
    severity: Severity
    meaning: str
    outcome: Outcome = "kept"

    @property
    def explained(self) -> str:
        """The meaning as it goes on within a sentence: it begins with a small letter."""
        return f"{self.meaning[0].lower()}{self.meaning[1:]}"

    def at(
        self,
        file: str = "",
        *,
        message: str,
        row: int | None = None,
        column: int | None = None,
        field: str = "",
        value: object = "",
        count: int | None = None,
    ) -> Notice:
        """Give a notice of this kind."""
        return Notice(self.severity, self.name, message, file, row, column, field, str(value), count)


CODES: dict[str, Code] = {}


def declare(name: str, severity: Severity, meaning: str, *, outcome: Outcome = "kept") -> Code:
    """Register a kind of notice; a name is declared once."""
    if name in CODES:
        raise ValueError(f"the notice code {name!r} is declared twice")
    CODES[name] = Code(name, severity, meaning, outcome)
    return CODES[name]


def sort_notices(notices: Iterable[Notice]) -> list[Notice]:
    """Errors first, then by file, row, field, code, without repeats: the order in which they are shown and written."""
    unique = dict.fromkeys(notices)
    return sorted(
        unique, key=lambda n: (_ORDER[n.severity], n.file, n.row or 0, n.column or 0, n.field, n.code, n.value)
    )


def errors_in(notices: Iterable[Notice]) -> list[Notice]:
    """The notices that stop the work."""
    return [notice for notice in notices if notice.severity == "error"]


def raise_on_errors(notices: Sequence[Notice], error: type[CommunityRoutesError] = CommunityRoutesError) -> None:
    """Stop once with every error in the message (the first 20 in full), or return when there is none."""
    faults = sort_notices(errors_in(notices))
    if not faults:
        return
    lines = [str(fault) for fault in faults[:_SHOWN]]
    if len(faults) > _SHOWN:
        lines.append(f"... and {len(faults) - _SHOWN} more (`community-routes check --out DIR` lists them all)")
    raise error("\n".join(lines), faults)


@dataclass
class Sample:
    """Collects findings of one kind that may be very many: all are counted, the first few become notices.

    ``Sample(CODE).add(...)`` for each, then ``notices()``: at most ``keep`` of them, and one more that says how many
    there are in all when some were left out.
    """

    code: Code
    keep: int = 10
    found: list[Notice] = field(default_factory=list)
    count: int = 0

    def add(
        self,
        file: str = "",
        *,
        message: str,
        row: int | None = None,
        field: str = "",
        value: object = "",
        count: int | None = None,
    ) -> None:
        """Count one; remember it when it is among the first."""
        self.count += 1
        if len(self.found) < self.keep:
            self.found.append(self.code.at(file, message=message, row=row, field=field, value=value, count=count))

    def notices(self) -> list[Notice]:
        """The examples, and the total when there are more."""
        if self.count <= len(self.found):
            return list(self.found)
        first = self.found[0]
        message = f"{self.count} in all; {self.code.explained}"
        return [*self.found, self.code.at(first.file, field=first.field, message=message, count=self.count)]


@contextmanager
def findings(notices: list[Notice] | None, error: type[CommunityRoutesError]) -> Iterator[list[Notice]]:
    """A list for what a reader finds: when it ends, all of it is in ``notices`` once, and errors among it are raised.

    Raises
    ------
    CommunityRoutesError
        The one given, with all errors.
    """
    found: list[Notice] = []
    try:
        yield found
    finally:
        if notices is not None:
            known = set(notices)  # a missing file was reported when the study file was read
            notices.extend(notice for notice in found if notice not in known)
    raise_on_errors(found, error)


def total(found: Sequence[Notice]) -> int:
    """How many findings stand behind the notices of one kind: a notice that sums up a file counts for what it sums up."""
    by_file: dict[tuple[str, str], list[int]] = {}
    for notice in found:
        counts = by_file.setdefault((notice.file, notice.field), [0, 0])
        counts[notice.is_sum] += 1 if notice.count is None else notice.count
    return sum(summed or single for single, summed in by_file.values())


def counted(n: int, what: str) -> str:
    """``1 trip``, ``2,149 trips``."""
    return f"{n:,} {what}" if n == 1 else f"{n:,} {what}s"
