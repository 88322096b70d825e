"""What a file is by its first bytes, whatever its name says: error pages saved as data, and kinds taken for one another."""

from __future__ import annotations

import importlib
import re
import zipfile
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Final, NamedTuple

_LOOKED_AT: Final = 1 << 16

# Name of a kind, what it is called in a message, and the bytes that it begins with.
_MARKS: Final = (
    ("zip", "a zip archive", b"PK\x03\x04"),
    ("zip", "a zip archive", b"PK\x05\x06"),
    ("gzip", "packed with gzip", b"\x1f\x8b"),
    ("bzip2", "packed with bzip2", b"BZh"),
    ("xz", "packed with xz", b"\xfd7zXZ\x00"),
    ("zstd", "packed with zstd", b"\x28\xb5\x2f\xfd"),
    ("7z", "a 7z archive", b"7z\xbc\xaf\x27\x1c"),
    ("rar", "a RAR archive", b"Rar!\x1a\x07"),
    ("pdf", "a PDF document", b"%PDF-"),
    ("sqlite", "a GeoPackage or other SQLite database", b"SQLite format 3\x00"),
    ("parquet", "a Parquet table", b"PAR1\x15"),
    ("office", "a workbook or document of an old Office", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"),
    ("o5m", "an OpenStreetMap file of the kind o5m", b"\xff\xe0\x04o5"),
    ("lfs", "a pointer of Git LFS instead of the file", b"version https://git-lfs"),
)
_BZIP2_BLOCK: Final = b"1AY&SY"
_UNPACKED_BY: Final = {"gzip": "gzip", "bzip2": "bz2", "xz": "lzma"}
_ELEMENTS: Final = {
    "html": ("html", "a web page"),
    "head": ("html", "a web page"),
    "body": ("html", "a web page"),
    "osm": ("osm_xml", "OpenStreetMap XML"),
    "osmchange": ("osm_change", "a file of changes to OpenStreetMap"),
    "graphml": ("graphml", "GraphML"),
}
_BEFORE_ROOT = re.compile(r"(?:\s|<\?.*?\?>|<!--.*?-->|<!DOCTYPE(?!\s+html)[^>]*>)*", re.DOTALL | re.IGNORECASE)
_TAG = re.compile(r"<(?:!doctype\s+)?([a-z][\w:.-]*)", re.IGNORECASE)
_JSON = re.compile(r"\s*[{\[]\s*[\"{\[\]}\d-]")

_CURES: Final = {
    "html": "the download brought an error or login page in place of the file; download it again",
    "lfs": "fetch the file itself with `git lfs pull`",
}


class FileKind(NamedTuple):
    """What a file is.

    ``name`` is a word for the program ("" where it is none of those known), ``what`` goes on from "this is", and
    ``inside`` is the name of what a packed file holds.
    """

    name: str
    what: str
    inside: str = ""


UNKNOWN: Final = FileKind("", "")


def kind_of(path: Path) -> FileKind:
    """What a file is by its first bytes; ``UNKNOWN`` where these tell nothing or cannot be read."""
    try:
        with path.open("rb") as file:
            start = file.read(_LOOKED_AT)
    except OSError:
        return UNKNOWN
    kind = _kind_of_bytes(start)
    if kind.name not in _UNPACKED_BY:
        return kind
    try:
        with importlib.import_module(_UNPACKED_BY[kind.name]).open(path, "rb") as file:
            inside = _kind_of_bytes(file.read(_LOOKED_AT))
    except Exception:  # each packer has errors of its own, and not every Python has all three
        return kind
    return FileKind(kind.name, f"{inside.what} {kind.what}" if inside.name else kind.what, inside.name)


def _kind_of_bytes(start: bytes) -> FileKind:
    for name, what, mark in _MARKS:
        if start.startswith(mark) and (name != "bzip2" or start[4:10] == _BZIP2_BLOCK):
            return FileKind(name, what)
    if start[4:15] == b"\n\tOSMHeader":
        return FileKind("pbf", "OpenStreetMap PBF")
    if start[257:262] == b"ustar":
        return FileKind("tar", "a tar archive")
    utf_16 = start[:2] in (b"\xff\xfe", b"\xfe\xff")
    text = start.decode("utf-16" if utf_16 else "utf-8-sig", "replace")
    begins = _BEFORE_ROOT.match(text)
    tag = _TAG.match(text, begins.end() if begins else 0)
    if tag:
        return FileKind(*_ELEMENTS.get(tag[1].lower(), ("xml", f"XML (<{tag[1][:40]}>)")))
    first = " ".join(text[:200].split())[:60]
    if _JSON.match(text):
        return FileKind("json", f"JSON ({first}...)")
    if first and all(c.isprintable() or c in "\r\n\t" for c in text[:2000]):
        return FileKind("text", f"text ({first!r})")
    return UNKNOWN


def mistaken(path: Path, right: Collection[str], want: str, cures: Mapping[str, str] | None = None) -> str | None:
    """What a file is in place of what it should be, and the cure; None where it is right, or nothing is known.

    Parameters
    ----------
    path : path
    right : collection of str
        Names of the kinds that it may be.
    want : str
        What is needed, as in "a zip of GTFS tables".
    cures : dict of str to str, optional
        The cure for some kinds, by name.
    """
    kind = kind_of(path)
    if not kind.name or kind.name in right:
        return None
    cure = (cures or {}).get(kind.name) or _CURES.get(kind.name) or f"{want} is needed"
    return f"this is {kind.what}; {cure}"


def names_in_zip(path: Path) -> list[str]:
    """Names of the files in a zip; none where it is damaged."""
    try:
        with zipfile.ZipFile(path) as archive:
            return archive.namelist()
    except (zipfile.BadZipFile, OSError, ValueError, IndexError, NotImplementedError, UnicodeError):
        return []
