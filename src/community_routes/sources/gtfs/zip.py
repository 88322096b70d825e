"""Opens the zip of a timetable without trusting it: names are never paths, sizes are limited, nothing is unpacked to disk."""

from __future__ import annotations

import stat
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from community_routes.base.notices import declare
from community_routes.sources.file_kinds import mistaken
from community_routes.sources.gtfs.findings import Findings

TABLES = frozenset(
    {
        "agency.txt",
        "stops.txt",
        "routes.txt",
        "trips.txt",
        "stop_times.txt",
        "calendar.txt",
        "calendar_dates.txt",
        "frequencies.txt",
        "transfers.txt",
        "pathways.txt",
        "shapes.txt",
        "feed_info.txt",
        "fare_attributes.txt",
        "fare_rules.txt",
        "fare_media.txt",
        "fare_products.txt",
        "fare_leg_rules.txt",
        "fare_leg_join_rules.txt",
        "fare_transfer_rules.txt",
        "rider_categories.txt",
        "timeframes.txt",
        "areas.txt",
        "stop_areas.txt",
        "networks.txt",
        "route_networks.txt",
    }
)
"""Tables that are read; any other file in a zip is left alone."""
IGNORED = frozenset(
    {
        "levels.txt",
        "translations.txt",
        "attributions.txt",
        "location_groups.txt",
        "location_group_stops.txt",
        "locations.geojson",
        "booking_rules.txt",
    }
)
"""Files of the GTFS reference that say nothing about a journey on foot and by scheduled transport."""

_STREAMED = frozenset({"stop_times.txt", "shapes.txt"})
STREAMED_LIMIT = 8 * 2**30
"""Most bytes of stop_times.txt or shapes.txt once unpacked (all of Great Britain is about 4 GB)."""
TABLE_LIMIT = 256 * 2**20
"""Most bytes of any other table once unpacked."""
_METHODS = {
    1: "Shrink",
    **dict.fromkeys(range(2, 6), "Reduce"),
    6: "Implode",
    8: "Deflate with patches",
    9: "Deflate64",
    10: "Implode",
    12: "BZip2",
    14: "LZMA",
    93: "Zstandard",
    95: "XZ",
    98: "PPMd",
}
"""Methods that pack files of any kind; others are made for sound or pictures, or are none: such a zip is damaged."""
_AES = 99
_SUSPICIOUS_RATIO = 100
_SUSPICIOUS_SIZE = 32 * 2**20

NOT_A_ZIP = declare("not_a_zip", "error", "The timetable is no readable zip archive.")
FILE_MISSING = declare("feed_not_found", "error", "The timetable file does not exist or cannot be opened.")
ENCRYPTED = declare("zip_encrypted", "error", "Tables in the zip are protected by a password.")
METHOD = declare(
    "zip_method", "error", "The zip is packed in a way that cannot be unpacked here; its tables may be whole."
)
TABLE_DAMAGED = declare("table_damaged", "error", "A table in the zip is cut off or damaged.")
TABLE_TOO_LARGE = declare(
    "table_too_large", "error", "A table would unpack to more than any timetable needs; it is not read."
)
NESTED_ZIP = declare("zip_in_zip", "error", "The zip holds another zip instead of the tables.")
OTHER_STANDARD = declare(
    "zip_of_other_standard", "error", "The zip holds a timetable in XML (TransXChange, NeTEx) instead of GTFS."
)
IN_FOLDER = declare("tables_in_folder", "warning", "The tables lie in a folder inside the zip instead of at its top.")
TABLE_TWICE = declare("table_twice", "warning", "A table is in the zip twice; the last one is read.")
HOSTILE_NAME = declare(
    "unsafe_name_in_zip", "warning", "A name in the zip leads out of its folder; the file is left alone."
)
SYMLINK = declare("link_in_zip", "warning", "A file in the zip is a link to another place; it is not followed.")
UNKNOWN_FILE = declare("unknown_file", "info", "A file in the zip is not part of the GTFS reference; it is not read.")
NOT_USED = declare("file_not_used", "info", "A file of the GTFS reference that this program does not use.")


_CURES = {
    "text": "a timetable is a zip of such tables (stops.txt, trips.txt, ...), or the download brought an error",
    "pbf": "name it in the study file as `streets: {osm: ...}`",
    **dict.fromkeys(("gzip", "bzip2", "xz", "7z", "rar", "tar"), "unpack it and pack its tables into a zip"),
}


class TableUnreadableError(Exception):
    """A table broke off while it was read; the finding has been noted."""


@dataclass(frozen=True)
class Archive:
    """The tables in a zip.

    Attributes
    ----------
    label : str
        Name of the file without its folder.
    archive : ZipFile
    members : dict of str to ZipInfo
        By table, as in ``stops.txt``.
    """

    label: str
    archive: zipfile.ZipFile
    members: dict[str, zipfile.ZipInfo]

    def __contains__(self, table: str) -> bool:
        return table in self.members

    def name_of(self, table: str) -> str:
        """How a notice names a table: ``bus.zip/stops.txt``."""
        return f"{self.label}/{table}"

    def chunks(self, table: str, size: int, findings: Findings) -> Iterator[bytes]:
        """The unpacked bytes of a table, in chunks of at most ``size``.

        Raises
        ------
        TableUnreadableError
            It is damaged or protected. (One that is longer than it claims is cut there, and its checksum is wrong.)
        """
        info = self.members[table]
        try:
            with self.archive.open(info) as file:
                while chunk := file.read(size):
                    yield chunk
        except (zipfile.BadZipFile, zlib.error, EOFError, OSError, RuntimeError, ValueError, IndexError) as fault:
            message = (
                f"{table} cannot be unpacked ({fault}); download the file again or ask its publisher for a whole one"
            )
            findings.add(TABLE_DAMAGED, self.name_of(table), message=message)
            raise TableUnreadableError from fault
        except Exception as fault:  # lzma and bz2 have error classes of their own, and not every Python has both
            if type(fault).__name__ not in {"LZMAError", "error"}:
                raise
            findings.add(TABLE_DAMAGED, self.name_of(table), message=f"{table} cannot be unpacked ({fault})")
            raise TableUnreadableError from fault


def limit_of(table: str) -> int:
    """Most bytes that a table may have once unpacked."""
    return STREAMED_LIMIT if table in _STREAMED else TABLE_LIMIT


def open_archive(path: Path, findings: Findings, *, every_file: bool = False) -> Archive | None:
    """Open a zip and list its tables (or every file beside them); the caller closes ``archive``.

    ``None`` when it cannot be used (noted).
    """
    label = path.name
    if not path.is_file():
        kind = "a folder; pack its files into a zip" if path.is_dir() else "not there"
        findings.add(FILE_MISSING, label, message=f"the timetable {label} is {kind}", value=label)
        return None
    try:
        archive = zipfile.ZipFile(path)
    except NotImplementedError as fault:  # made for an unpacker of a later time
        findings.add(METHOD, label, message=_pack_anew(f"{label} cannot be read ({fault})"))
        return None
    except (zipfile.BadZipFile, OSError, ValueError, IndexError, UnicodeError) as fault:
        why = mistaken(path, ("zip",), "a zip of GTFS tables", _CURES)
        why = f": {why}" if why else f" ({fault}); it may have been cut off: download it again"
        findings.add(NOT_A_ZIP, label, message=f"{label} is no readable zip{why}")
        return None
    opened = Archive(label, archive, _members(label, archive, findings, every_file))
    if not every_file and _cannot_be_unpacked(opened, findings):
        archive.close()
        return None
    xml = next((name for name in archive.namelist() if name.lower().endswith(".xml")), None)
    if not opened.members and xml is not None:
        message = f"{label} holds XML ({PurePosixPath(xml).name}) and no GTFS; download the same timetable as GTFS"
        findings.add(OTHER_STANDARD, label, message=message)
        archive.close()
        return None
    if not opened.members and _holds_zip(archive):
        inner = next(i.filename for i in archive.infolist() if i.filename.lower().endswith(".zip"))
        message = f"{label} holds another zip ({PurePosixPath(inner).name}); unpack it and name that one instead"
        findings.add(NESTED_ZIP, label, message=message)
        archive.close()
        return None
    return opened


def _pack_anew(said: str) -> str:
    return f"{said}. It need not be damaged: unzip it with the program that made it and zip the files anew (method Deflate)"


def _cannot_be_unpacked(archive: Archive, findings: Findings) -> bool:
    """Whether tables are protected or packed in a way that is not known here; said once for all of them."""
    locked = [table for table, info in archive.members.items() if info.flag_bits & 1 or info.compress_type == _AES]
    methods: dict[int, list[str]] = {}
    for table, info in archive.members.items():
        if table in locked or info.compress_type not in _METHODS:
            continue
        try:
            archive.archive.open(info).close()
        except NotImplementedError:
            methods.setdefault(info.compress_type, []).append(table)
        except (zipfile.BadZipFile, RuntimeError, OSError, ValueError):
            continue  # damaged, which is told when the table is read
    if locked:
        cure = "ask for an open copy, or unzip it with the password and zip the files anew"
        message = f"protected by a password: {', '.join(locked)}; {cure}"
        findings.add(ENCRYPTED, _label_of(archive, locked), message=message)
    for number, tables in methods.items():
        said = f"{', '.join(tables)}: packed by {_METHODS[number]} (method {number}), which cannot be unpacked here"
        findings.add(METHOD, _label_of(archive, tables), message=_pack_anew(said), value=_METHODS[number])
    return bool(locked or methods)


def _label_of(archive: Archive, tables: list[str]) -> str:
    return archive.name_of(tables[0]) if len(tables) == 1 else archive.label


def _members(label: str, archive: zipfile.ZipFile, findings: Findings, every_file: bool) -> dict[str, zipfile.ZipInfo]:
    """The tables of a zip; those in the one folder that holds them all when there are none at the top."""
    files = [info for info in archive.infolist() if not info.is_dir() and _is_plain(label, info, findings)]
    folder = _folder_of_tables(files)
    if folder:
        message = f"the tables lie in the folder {folder!r} inside the zip; they are read from there"
        findings.add(IN_FOLDER, label, message=message, value=folder)
    members: dict[str, zipfile.ZipInfo] = {}
    for info in files:
        path = PurePosixPath(info.filename)
        table = path.name.strip().lower()
        if str(path.parent) != (folder or "."):
            continue
        if table not in TABLES and not every_file:
            _note_other(label, info.filename, table, findings)
        elif _may_be_read(label, table, info, findings):
            if table in members:
                findings.add(
                    TABLE_TWICE, f"{label}/{table}", message=f"{table} is in the zip twice; the last one is read"
                )
            members[table] = info
    return members


def _is_plain(label: str, info: zipfile.ZipInfo, findings: Findings) -> bool:
    path = PurePosixPath(info.filename)
    if path.parts[:1] == ("__MACOSX",) or path.name.startswith("."):
        return False
    if path.is_absolute() or ".." in path.parts or "\\" in info.filename or ":" in info.filename:
        message = f"the zip holds a file named {info.filename!r}, which leads out of its folder; it is left alone"
        findings.add(HOSTILE_NAME, label, message=message, value=info.filename)
        return False
    if stat.S_ISLNK(info.external_attr >> 16):
        message = f"{info.filename!r} in the zip is a link, which is not followed; put the file itself into the zip"
        findings.add(SYMLINK, label, message=message, value=info.filename)
        return False
    return True


def _folder_of_tables(files: list[zipfile.ZipInfo]) -> str:
    """The folder that holds the tables when they are not at the top; "" when they are."""
    parents = [str(PurePosixPath(i.filename).parent) for i in files if PurePosixPath(i.filename).name.lower() in TABLES]
    if not parents or "." in parents:
        return ""
    return max(sorted(set(parents)), key=parents.count)


def _note_other(label: str, name: str, table: str, findings: Findings) -> None:
    if table in IGNORED:
        findings.add(NOT_USED, f"{label}/{table}", message=f"{table} is not used")
    elif table.endswith((".txt", ".csv", ".geojson")):
        near = "; the name is near that of a GTFS table: is it misspelt?" if _near(table) else ""
        findings.add(
            UNKNOWN_FILE, label, message=f"{name} is no file of the GTFS reference and is not read{near}", value=name
        )


def _near(table: str) -> bool:
    from difflib import get_close_matches

    return bool(get_close_matches(table, sorted(TABLES), n=1, cutoff=0.8))


def _may_be_read(label: str, table: str, info: zipfile.ZipInfo, findings: Findings) -> bool:
    bomb = info.file_size > _SUSPICIOUS_SIZE and info.file_size > _SUSPICIOUS_RATIO * max(1, info.compress_size)
    if bomb or info.file_size > limit_of(table):
        _refuse_size(label, table, info.file_size, findings)
        return False
    return True


def _refuse_size(label: str, table: str, size: int, findings: Findings) -> None:
    message = (
        f"{table} would unpack to {size / 2**20:,.0f} MB or more, which no timetable of this size in the zip needs; "
        "it is not read. Check where the file comes from"
    )
    findings.add(TABLE_TOO_LARGE, f"{label}/{table}", message=message, value=size)


def _holds_zip(archive: zipfile.ZipFile) -> bool:
    return any(info.filename.lower().endswith(".zip") for info in archive.infolist())
