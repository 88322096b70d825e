"""Writes a changed timetable with all that its files held: tables and columns that the program does not read go with it."""

from __future__ import annotations

import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from community_routes.base.errors import FeedError
from community_routes.base.notices import Notice, raise_on_errors
from community_routes.sources.gtfs.blocks import ROW_ENDLESS, ROW_TOO_LONG, read_blocks
from community_routes.sources.gtfs.columns import Block, Findings
from community_routes.sources.gtfs.feed import Feed
from community_routes.sources.gtfs.rows import file_stems, ids_of
from community_routes.sources.gtfs.schema import FEED_INFO, KIND_OF_ID, READ_FILES, TABLES, Column, Table
from community_routes.sources.gtfs.write import csv_of, tables_of, write_zip
from community_routes.sources.gtfs.zip import TABLE_LIMIT, Archive, TableUnreadableError, open_archive

ORIGINAL = "original"
"""Column of ``Feed.trips`` beside the others: the trip of the files that a trip is, or was copied from; "" for none."""

_KEYS = {table.name: table.key for table in TABLES.values() if table.key and not table.streamed}
"""What a row of each table is known by; rows that share it are told apart by their order."""
_TRANSLATED = {table.name: table.kind for table in TABLES.values() if table.kind and table.held} | {
    "stop_times": "trip",
    "levels": "level",
    "pathways": "pathway",
    "attributions": "attribution",
}
"""What ``record_id`` of translations.txt is an id of, by its ``table_name``."""
_WRITTEN = ("agency", "stop", "route", "trip", "service", "shape")
"""Kinds of which the feed that is written has all: a row elsewhere that names another goes."""


def with_originals(feed: Feed) -> Feed:
    """The feed whose trips, and later their copies in a changed feed, know which trip of the files they come from."""
    return replace(feed, trips=feed.trips.assign(**{ORIGINAL: feed.trips["trip_id"]}))


def export_feed(feed: Feed, before: Feed, files: Sequence[Path], path: Path, *, date_stamp: dt.date) -> list[str]:
    """Write a changed feed; what the change does not touch comes out as it went in.

    A column that the program does not read is taken from the row of the file that has the same id; a new trip takes it
    from the trip that it copies. Times that were blank and still are those filled in stay blank. A table that the
    program does not read comes whole, but for rows of trips, stops and the like that are gone. Where several files are
    joined, ids in all of these are marked as in the feed.

    Parameters
    ----------
    feed
        Made from what ``with_originals`` gave.
    before
        The feed as it was read.
    files
        The zips that it was read from.
    path, date_stamp
        As for ``write_feed``.

    Returns
    -------
    list of str
        What was left out, in words.
    """
    with ExitStack() as stack:
        sources = []
        lost: list[Notice] = []
        for stem, file in zip(file_stems(files), files, strict=True):
            findings = Findings(file.name)
            archive = open_archive(file, findings, every_file=True)
            if archive is None:
                lost += findings.notices()
            else:
                stack.enter_context(archive.archive)
                sources.append(_Source(stem, archive))
        raise_on_errors(lost, FeedError)
        export = _Export(feed, before, sources)
        content = {f"{name}.txt": csv_of(columns) for name, columns in export.tables().items()}
        content |= export.others()
    write_zip(content.items(), path, date_stamp=date_stamp)
    return export.said


@dataclass(frozen=True)
class _Source:
    """One of the files; ``stem`` marks its ids where they clash."""

    stem: str
    archive: Archive

    @property
    def label(self) -> str:
        """Its name in notices."""
        return self.archive.findings.label

    def name_of(self, file: str) -> str:
        """The name of one of its tables in notices."""
        return self.archive.findings.name_of(file)

    def blocks(self, table: Table, findings: Findings | None = None) -> Iterator[Block]:
        """A table as text; nothing where it is not there. Its faults go to the findings, or are not told again."""
        if self.archive.holds(table.file):
            told = Findings() if findings is None else findings
            yield from read_blocks(replace(self.archive, findings=told), table)

    def table(self, name: str, findings: Findings | None = None) -> pd.DataFrame:
        """All columns of a table at once."""
        parts = [_frame(block, block.text) for block in self.blocks(Table(name), findings)]
        return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame()

    @property
    def other_files(self) -> list[str]:
        """Files whose content no feed holds."""
        return [name for name in self.archive.members if name not in READ_FILES or name == FEED_INFO.file]

    @cached_property
    def raw(self) -> dict[str, pd.DataFrame]:
        """All columns of the tables with keys and of those that no feed holds, by file.

        What is wrong with the former was told when the feed was read.
        """
        others = [name.removesuffix(".txt") for name in self.other_files if name.endswith(".txt")]
        return {f"{name}.txt": self.table(name) for name in _KEYS} | {
            f"{name}.txt": self.table(name, self.archive.findings) for name in others
        }


class _Export:
    """What is written: the tables of a feed, and what only its files hold."""

    def __init__(self, feed: Feed, before: Feed, sources: Sequence[_Source]) -> None:
        self.feed, self.before, self.sources = feed, before, sources
        self.said: list[str] = []
        self.known: dict[str, set[str]] = defaultdict(set)
        for kind, name in ids_of(feed):
            self.known[kind].add(name)
        used: Counter[tuple[str, str]] = Counter()
        for source in sources if len(sources) > 1 else ():
            columns = [(KIND_OF_ID[c], table[c]) for table in source.raw.values() for c in table if c in KIND_OF_ID]
            used.update({(kind, value) for kind, ids in columns for value in set(ids)})
        self.clashing = {key for key, n in used.items() if n > 1}

    def tables(self) -> dict[str, dict[str, Any]]:
        """The tables of the feed, with the columns that only the files have."""
        tables = tables_of(self.feed)
        for name, keys in _KEYS.items():
            blank = name == "agency"
            parts = [self._as_in_feed(source.raw[f"{name}.txt"], source.stem, blank=blank) for source in self.sources]
            raw = pd.concat(parts, ignore_index=True).fillna("")
            self._say_lost(name, len(raw))
            if name in tables and len(raw):
                tables[name] = self._extended(name, tables[name], raw, list(keys))
        tables["stop_times"] = self._calls(tables["stop_times"])
        self._look_at_shapes(tables.get("shapes", {}))
        return tables

    def _as_in_feed(self, table: pd.DataFrame, stem: str, *, blank: bool = False) -> pd.DataFrame:
        """A table of a file with its ids as they are in the feed; ``blank``: also that of an agency without any."""
        return table.assign(
            **{c: self._renamed(table[c], KIND_OF_ID[c], stem, blank=blank) for c in table if c in KIND_OF_ID}
        )

    def _renamed(self, ids: pd.Series, kind: str, stem: str, *, blank: bool = False) -> pd.Series:
        known = self.known[kind]

        def name(old: str) -> str:
            marked = f"{stem}:{old}"
            if not old and not blank:
                return old
            return marked if marked in known or (old not in known and (kind, old) in self.clashing) else old

        return ids if len(self.sources) == 1 else ids.map({old: name(old) for old in set(ids)}).astype("str")

    def _extended(self, name: str, columns: dict[str, Any], raw: pd.DataFrame, keys: list[str]) -> dict[str, Any]:
        own = pd.DataFrame({key: np.asarray(columns[key]).astype(str) for key in keys})
        if name == "trips":
            own["trip_id"] = self.feed.trips[ORIGINAL].to_numpy()
        theirs = pd.DataFrame({key: raw.get(key, "") for key in keys}, index=raw.index)
        for table in (own, theirs):
            if name == "frequencies":
                table["start_time"] = table["start_time"].str.zfill(8)
            table["nth"] = 0 if name == "trips" else table.groupby(keys).cumcount()
        row = _rows_of(own, theirs)
        own_ids = name == "pathways"  # the feed has no ids of its pathways
        more = {c: _taken(raw[c], row) for c in raw if c not in columns or (own_ids and c == "pathway_id")}
        return {**columns, **more}

    def _calls(self, columns: dict[str, Any]) -> dict[str, Any]:
        """The same for stop_times.txt, which is read piece by piece, and only of trips that are still there."""
        calls = self.feed.calls
        originals = pd.Index(self.feed.trips[ORIGINAL].unique())
        stops = pd.Index(self.feed.stops["stop_id"])
        parts, total = [], 0
        for source in self.sources:
            for block in source.blocks(Table("stop_times")):
                total += len(block)
                ids, codes = block.codes("trip_id")
                named = self._renamed(pd.Series(ids, dtype="str"), "trip", source.stem)
                trip = np.where(named == "", -1, originals.get_indexer(named))[codes]
                part = self._as_in_feed(_frame(block, block.text, trip >= 0), source.stem)
                part["trip"] = trip[trip >= 0]
                part["stop"] = stops.get_indexer(part["stop_id"])
                part["sequence"] = pd.to_numeric(part["stop_sequence"], errors="coerce").fillna(-1)
                part["blank"] = (part["arrival_time"] == "") & (part["departure_time"] == "")
                parts.append(part.drop(columns=[c for c in columns if c in part]))
        self._say_lost("stop_times", total)
        raw = pd.concat(parts, ignore_index=True).sort_values(["trip", "sequence"], kind="stable", ignore_index=True)
        which = np.repeat(np.arange(len(self.feed.trips)), np.diff(calls.first))
        own = pd.DataFrame(
            {
                "trip": originals.get_indexer(self.feed.trips[ORIGINAL])[which],
                "stop": calls.stop,
                "sequence": calls.sequence.astype(np.float64),
            }
        )
        same = _rows_of(own, raw[["trip", "stop", "sequence"]])
        # A trip that was copied or retimed counts its calls anew; there the n-th call at a stop is the n-th.
        own["nth"] = own.assign(trip=which).groupby(["trip", "stop"]).cumcount()
        raw["nth"] = raw.groupby(["trip", "stop"]).cumcount()
        nth = ["trip", "stop", "nth"]
        row = np.where(same >= 0, same, _rows_of(own[nth], raw[nth]))
        row[own["trip"].to_numpy() < 0] = -1
        untimed = raw["blank"].to_numpy()[row] & (row >= 0)
        stays = untimed & ~calls.timed
        more = {c: _taken(raw[c], row) for c in raw if c not in {*own, "blank"}}
        if (untimed & ~stays).any():  # a time that was filled in, and moved since, is still no exact one
            given = more.get("timepoint", np.full(len(row), "", object))
            more["timepoint"] = np.where(untimed & ~stays & (given == ""), "0", given)
        blanked = {
            c: np.where(stays, "", np.asarray(columns[c], dtype=object)) for c in ("arrival_time", "departure_time")
        }
        return {**columns, **blanked, **more}

    def _look_at_shapes(self, columns: Mapping[str, Any]) -> None:
        for source in self.sources:
            ids: set[str] = set()
            more: set[str] = set()
            for block in source.blocks(Table("shapes", (Column("shape_id"),))):
                ids |= set(self._renamed(pd.Series(block.codes("shape_id")[0], dtype="str"), "shape", source.stem))
                more |= block.present - set(columns)
            label = source.name_of("shapes.txt")
            lost = len(ids - self.known["shape"] - {""})
            if lost:
                self.said.append(f"{label}: {lost:,} of {len(ids):,} shapes are left out; no trip uses them")
            if columns and more:
                self.said.append(f"{label}: left out are the columns {', '.join(sorted(more))}")

    def _say_lost(self, name: str, total: int) -> None:
        held = TABLES[name].held
        if held and total > (used := len(getattr(self.before, held))):
            files = ", ".join(source.label for source in self.sources)
            said = f"{total - used:,} of {total:,} rows are left out; they could not be used (`check` says why)"
            self.said.append(f"{name}.txt of {files}: {said}")

    def others(self) -> dict[str, bytes]:
        """Files that the program does not read, by name."""
        files = {}
        for name in dict.fromkeys(name for source in self.sources for name in source.other_files):
            holders = [source for source in self.sources if name in source.archive]
            single = len(self.sources) == 1 or not name.endswith(".txt") or name == FEED_INFO.file
            if single and len(holders) > 1:
                rest = ", ".join(source.label for source in holders[1:])
                self.said.append(f"{name} of {rest} is left out: a timetable has only one")
            try:
                files[name] = self._one_file(name, holders[:1] if single else holders)
            except TableUnreadableError:
                self.said.append(f"{name} is left out: it cannot be unpacked")
        return files

    def _one_file(self, name: str, holders: Sequence[_Source]) -> bytes:
        """The bytes as they are where no row has to go and no id changes; else the table anew."""
        parts, changed = [], len(holders) > 1
        for source in holders:
            table = source.raw.get(name, pd.DataFrame())
            kept = self._still_there(name, self._as_in_feed(table, source.stem), source.stem)
            if len(kept) < len(table):
                gone = f"{len(table) - len(kept):,} of {len(table):,} rows are left out; what they are about is gone"
                self.said.append(f"{source.name_of(name)}: {gone}")
            changed |= not kept.equals(table)
            parts.append(kept)
        if not changed:
            return b"".join(holders[0].archive.chunks(name, TABLE_LIMIT))
        noted = [(source.name_of(name), notice) for source in holders for notice in source.archive.findings.notices()]
        codes = {ROW_TOO_LONG.name, ROW_ENDLESS.name}
        faults = [notice for file, notice in noted if notice.file == file and notice.code in codes]
        self.said += [f"{notice.file}: {notice.message}" for notice in faults]
        whole = pd.concat(parts, ignore_index=True).fillna("")
        return csv_of({column: whole[column].to_numpy(dtype=object) for column in whole})

    def _still_there(self, name: str, table: pd.DataFrame, stem: str) -> pd.DataFrame:
        """The rows of a table without those that name something that is gone."""
        for column in table:
            if KIND_OF_ID.get(str(column)) in _WRITTEN:
                table = table[(table[column] == "") | table[column].isin(self.known[KIND_OF_ID[str(column)]])]
        if name == "feed_info.txt" and len(self.sources) > 1:
            for column in [c for c in ("feed_start_date", "feed_end_date") if c in table]:
                if (
                    len(
                        {
                            next(iter(source.raw.get(name, pd.DataFrame()).get(column, ())), "")
                            for source in self.sources
                        }
                    )
                    > 1
                ):
                    self.said.append(
                        f"{name}: {column} is left out, since it does not hold for all of the joined files"
                    )
                    table = table.assign(**{column: ""})
        if name == "translations.txt" and {"table_name", "record_id"} <= set(table):
            table = self._translations(table, stem)
        return table.reset_index(drop=True)

    def _translations(self, table: pd.DataFrame, stem: str) -> pd.DataFrame:
        """Each record under its id in the feed, and that of a trip also for the copies of the trip."""
        copies = self.feed.trips.groupby(ORIGINAL)["trip_id"].agg(list)

        def now(kind: str, record: str) -> list[str]:
            if kind == "trip":
                return list(copies.get(record, []))
            return [record] if kind not in _WRITTEN or record in self.known[kind] else []

        kinds = table["table_name"].map(_TRANSLATED)
        records = pd.Series(index=table.index, dtype=object)
        for kind in kinds.dropna().unique():
            ids = self._renamed(table.loc[kinds == kind, "record_id"], kind, stem)
            records[ids.index] = [now(kind, record) if record else [record] for record in ids]
        records = records.where(kinds.notna(), table["record_id"].map(lambda old: [old]))
        return table.assign(record_id=records).explode("record_id").dropna(subset="record_id").astype("str")


def _frame(block: Block, columns: Iterable[str], rows: NDArray[np.bool_] | slice = slice(None)) -> pd.DataFrame:
    """Columns of a block, or of some of its rows, as text."""
    content = {}
    for column in columns:
        values, codes = block.codes(column)
        content[column] = pd.Series(np.array(values or [""], dtype=object)[codes[rows]], dtype="str")
    return pd.DataFrame(content)


def _rows_of(own: pd.DataFrame, theirs: pd.DataFrame) -> NDArray[np.int64]:
    """For each row of ``own`` the first row of ``theirs`` with the same values; -1 where there is none."""
    keys = list(own)
    first = theirs.assign(row=np.arange(len(theirs))).drop_duplicates(keys)
    row: NDArray[np.int64] = own.merge(first, on=keys, how="left")["row"].fillna(-1).to_numpy(dtype=np.int64)
    return row


def _taken(column: pd.Series, rows: NDArray[np.int64]) -> NDArray[np.object_]:
    """Cells of these rows; blank for -1."""
    return np.append(column.to_numpy(dtype=object), "")[rows]
