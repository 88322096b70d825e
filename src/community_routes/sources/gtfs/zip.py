"""Opens the zip of a timetable without trusting it: names are never paths, sizes are limited, nothing is unpacked to disk."""

from __future__ import annotations

import stat
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path, PurePosixPath

from community_routes.base.notices import declare
from community_routes.sources.file_kinds import mistaken
from community_routes.sources.gtfs.columns import Findings
from community_routes.sources.gtfs.schema import READ_FILES, TABLES, UNUSED_FILES

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
    archive : ZipFile
    members : dict of str to ZipInfo
        By file, as in ``stops.txt``.
    findings : Findings
        Where what is wrong with them is noted.
    """

    archive: zipfile.ZipFile
    members: dict[str, zipfile.ZipInfo]
    findings: Findings

    def __contains__(self, file: str) -> bool:
        return file in self.members

    def holds(self, file: str) -> bool:
        """Whether a table that a feed may lack is there; an empty file counts as absent."""
        return file in self.members and self.members[file].file_size > 0

    def chunks(self, file: str, size: int) -> Iterator[bytes]:
        """The unpacked bytes of a table, in chunks of at most ``size``.

        Raises
        ------
        TableUnreadableError
            It is damaged or protected. (One that is longer than it claims is cut there, and its checksum is wrong.)
        """
        said: Exception
        cure = ""
        try:
            with self.archive.open(self.members[file]) as opened:
                while chunk := opened.read(size):
                    yield chunk
            return
        except (zipfile.BadZipFile, zlib.error, EOFError, OSError, RuntimeError, ValueError, IndexError) as fault:
            said, cure = fault, "; download the file again or ask its publisher for a whole one"
        except Exception as fault:  # lzma and bz2 have error classes of their own, and not every Python has both
            if type(fault).__name__ not in {"LZMAError", "error"}:
                raise
            said = fault
        self.findings.add(TABLE_DAMAGED, file, message=f"{file} cannot be unpacked ({said}){cure}")
        raise TableUnreadableError from said


def limit_of(file: str) -> int:
    """Most bytes that a table may have once unpacked."""
    table = TABLES.get(file.removesuffix(".txt"))
    return STREAMED_LIMIT if table is not None and table.streamed else TABLE_LIMIT


def open_archive(path: Path, findings: Findings, *, every_file: bool = False) -> Archive | None:
    """Open a zip and list its tables (or every file beside them); the caller closes ``archive``.

    ``None`` when it cannot be used (noted). The label of the findings is the name of the file.
    """
    label = findings.label
    if not path.is_file():
        kind = "a folder; pack its files into a zip" if path.is_dir() else "not there"
        findings.add(FILE_MISSING, "", message=f"the timetable {label} is {kind}", value=label)
        return None
    try:
        archive = zipfile.ZipFile(path)
    except NotImplementedError as fault:  # made for an unpacker of a later time
        findings.add(METHOD, "", message=_pack_anew(f"{label} cannot be read ({fault})"))
        return None
    except (zipfile.BadZipFile, OSError, ValueError, IndexError, UnicodeError) as fault:
        why = mistaken(path, ("zip",), "a zip of GTFS tables", _CURES)
        why = f": {why}" if why else f" ({fault}); it may have been cut off: download it again"
        findings.add(NOT_A_ZIP, "", message=f"{label} is no readable zip{why}")
        return None
    opened = Archive(archive, _members(archive, findings, every_file), findings)
    if (not every_file and _cannot_be_unpacked(opened)) or (not opened.members and _holds_another(opened)):
        archive.close()
        return None
    return opened


def _holds_another(archive: Archive) -> bool:
    """Whether a zip without tables holds XML or another zip in their place (noted)."""
    names, findings = archive.archive.namelist(), archive.findings
    for ending, code, what, cure in (
        (".xml", OTHER_STANDARD, "XML ({}) and no GTFS", "download the same timetable as GTFS"),
        (".zip", NESTED_ZIP, "another zip ({})", "unpack it and name that one instead"),
    ):
        inner = next((PurePosixPath(name).name for name in names if name.lower().endswith(ending)), None)
        if inner is not None:
            findings.add(code, "", message=f"{findings.label} holds {what.format(inner)}; {cure}")
            return True
    return False


def _pack_anew(said: str) -> str:
    return f"{said}. It need not be damaged: unzip it with the program that made it and zip the files anew (method Deflate)"


def _cannot_be_unpacked(archive: Archive) -> bool:
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
        archive.findings.add(ENCRYPTED, _only_one(locked), message=message)
    for number, tables in methods.items():
        said = f"{', '.join(tables)}: packed by {_METHODS[number]} (method {number}), which cannot be unpacked here"
        archive.findings.add(METHOD, _only_one(tables), message=_pack_anew(said), value=_METHODS[number])
    return bool(locked or methods)


def _only_one(tables: list[str]) -> str:
    return tables[0] if len(tables) == 1 else ""


def _members(archive: zipfile.ZipFile, findings: Findings, every_file: bool) -> dict[str, zipfile.ZipInfo]:
    """The tables of a zip; those in the one folder that holds them all when there are none at the top."""
    files = [info for info in archive.infolist() if not info.is_dir() and _is_plain(info, findings)]
    folder = _folder_of_tables(files)
    if folder:
        message = f"the tables lie in the folder {folder!r} inside the zip; they are read from there"
        findings.add(IN_FOLDER, "", message=message, value=folder)
    members: dict[str, zipfile.ZipInfo] = {}
    for info in files:
        path = PurePosixPath(info.filename)
        file = path.name.strip().lower()
        if str(path.parent) != (folder or "."):
            continue
        if file not in READ_FILES and not every_file:
            _note_other(info.filename, file, findings)
        elif _may_be_read(file, info, findings):
            if file in members:
                findings.add(TABLE_TWICE, file, message=f"{file} is in the zip twice; the last one is read")
            members[file] = info
    return members


def _is_plain(info: zipfile.ZipInfo, findings: Findings) -> bool:
    path = PurePosixPath(info.filename)
    if path.parts[:1] == ("__MACOSX",) or path.name.startswith("."):
        return False
    if path.is_absolute() or ".." in path.parts or "\\" in info.filename or ":" in info.filename:
        message = f"the zip holds a file named {info.filename!r}, which leads out of its folder; it is left alone"
        findings.add(HOSTILE_NAME, "", message=message, value=info.filename)
        return False
    if stat.S_ISLNK(info.external_attr >> 16):
        message = f"{info.filename!r} in the zip is a link, which is not followed; put the file itself into the zip"
        findings.add(SYMLINK, "", message=message, value=info.filename)
        return False
    return True


def _folder_of_tables(files: list[zipfile.ZipInfo]) -> str:
    """The folder that holds the tables when they are not at the top; "" when they are."""
    paths = [PurePosixPath(info.filename) for info in files]
    parents = [str(path.parent) for path in paths if path.name.lower() in READ_FILES]
    if not parents or "." in parents:
        return ""
    return max(sorted(set(parents)), key=parents.count)


def _note_other(name: str, file: str, findings: Findings) -> None:
    if file in UNUSED_FILES:
        findings.add(NOT_USED, file, message=f"{file} is not used")
    elif file.endswith((".txt", ".csv", ".geojson")):
        near = get_close_matches(file, sorted(READ_FILES), n=1, cutoff=0.8)
        misspelt = "; the name is near that of a GTFS table: is it misspelt?" if near else ""
        message = f"{name} is no file of the GTFS reference and is not read{misspelt}"
        findings.add(UNKNOWN_FILE, "", message=message, value=name)


def _may_be_read(file: str, info: zipfile.ZipInfo, findings: Findings) -> bool:
    size = info.file_size
    bomb = size > _SUSPICIOUS_SIZE and size > _SUSPICIOUS_RATIO * max(1, info.compress_size)
    if bomb or size > limit_of(file):
        message = (
            f"{file} would unpack to {size / 2**20:,.0f} MB or more, which no timetable of this size in the zip needs; "
            "it is not read. Check where the file comes from"
        )
        findings.add(TABLE_TOO_LARGE, file, message=message, value=size)
        return False
    return True
