"""Collects what is found while a timetable is read: every fault is counted, the first few of each kind are shown."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from numpy.typing import NDArray

from community_routes.base.notices import Code, Notice, Sample

_LONGEST_MESSAGE = 800


class Findings:
    """Findings of one feed, one :class:`Sample` for each kind and table.

    ``label`` is how the zip is named; a table in it is named ``bus.zip/stops.txt``. Without a label names are as given.
    """

    def __init__(self, label: str = "") -> None:
        self.label = label
        self._samples: dict[tuple[str, str], Sample] = {}

    def name_of(self, table: str) -> str:
        """How a notice names a table, or the zip itself for ""."""
        return "/".join(part for part in (self.label, table) if part)

    def add(
        self,
        code: Code,
        table: str,
        *,
        message: str,
        row: int | None = None,
        field: str = "",
        value: Any = "",
        count: int | None = None,
    ) -> None:
        """Note one finding, or ``count`` of them in one sentence."""
        file, cell = self.name_of(table), str(value)[:200]
        self._sample(code, file).add(file, message=_cut(message), row=row, field=field, value=cell, count=count)

    def rows(
        self,
        code: Code,
        table: str,
        lines: NDArray[Any] | Sequence[int],
        message: Callable[[int], str] | str,
        *,
        field: str = "",
        values: NDArray[Any] | Sequence[Any] | None = None,
    ) -> None:
        """Note one finding for each line of a table; only those that are shown are put into words.

        Parameters
        ----------
        lines
            Line of each finding, counted from 1 with the heading as line 1; 0 where it belongs to no line.
        message
            A text in which ``{value}`` stands for the value, or a function of the position of the finding in ``lines``.
        values
            What stood in the file, one for each line.
        """
        if not len(lines):
            return
        file = self.name_of(table)
        sample = self._sample(code, file)
        show = max(0, sample.keep - len(sample.found))
        for i in range(min(show, len(lines))):
            found = "" if values is None else _shown(values[i])
            text = message.format(value=found) if isinstance(message, str) else message(i)
            sample.add(file, message=_cut(text), row=int(lines[i]) or None, field=field, value=found)
        sample.count += max(0, len(lines) - show)

    def count(self, code: Code, table: str) -> int:
        """How many findings of this kind there are in the table so far."""
        sample = self._samples.get((code.name, self.name_of(table)))
        return sample.count if sample else 0

    @property
    def has_errors(self) -> bool:
        """Whether anything found so far stops the work."""
        return any(sample.code.severity == "error" for sample in self._samples.values())

    def has_error_in(self, table: str) -> bool:
        """Whether an error was found in this table."""
        file = self.name_of(table)
        return any(s.code.severity == "error" for (_, name), s in self._samples.items() if name == file)

    def notices(self) -> list[Notice]:
        """All findings, and the totals where not all are shown."""
        return [notice for sample in self._samples.values() for notice in sample.notices()]

    def _sample(self, code: Code, file: str) -> Sample:
        return self._samples.setdefault((code.name, file), Sample(code, keep=5))


def _cut(text: str) -> str:
    """A message without the rest of a name that somebody made a book of."""
    return text if len(text) <= _LONGEST_MESSAGE else f"{text[:_LONGEST_MESSAGE]} ..."


def _shown(value: Any) -> str:
    """A value as a person would write it; whole numbers without a decimal point, long texts cut."""
    return (f"{value:.10g}" if isinstance(value, float) else str(value))[:200]
