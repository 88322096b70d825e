"""A look at the blocks of an OpenStreetMap PBF file before a native reader is trusted with it.

A PBF file is a row of blobs; before each stand four bytes with the length of its header, and the header, which names the
blob's kind and length (https://wiki.openstreetmap.org/wiki/PBF_Format). A blob is packed with zlib as a rule, whose check
sum tells whether it is still as it was written. Blobs without one (not packed, or packed otherwise) are read by a process
of their own first, so that a crash of the native reader ends in a message instead of ending the run.
"""

from __future__ import annotations

import re
import subprocess
import sys
import zlib
from pathlib import Path
from typing import BinaryIO, Final, NamedTuple

from community_routes.sources.file_kinds import kind_of, mistaken, names_in_zip

_HEADER_MOST: Final = 64 * 1024
_BLOB_MOST: Final = 32 * 1024 * 1024
_ZLIB_FIELD: Final = 3

TRIAL: Final = """
import sys
import osmium
for _ in osmium.FileProcessor(osmium.io.File(sys.argv[1], "pbf")).with_locations():
    pass
"""
_PACKED: Final = ("gzip", "bzip2", "xz", "zstd", "7z", "rar", "tar")
_TRIAL_S: Final = 60.0
_TRIAL_S_A_MB: Final = 2.0


_PBF: Final = "the extract of the town as OpenStreetMap PBF (.osm.pbf)"
_READ_BY_OSMIUM: Final = {"osm_xml": ".osm", "o5m": ".o5m"}
_PACKED_FOR_OSMIUM: Final = {"gzip": ".gz", "bzip2": ".bz2"}
_ENDINGS: Final = re.compile(r"(\.(osm|pbf|xml|o5m|gz|bz2))+$", re.IGNORECASE)


def mistaken_for_pbf(path: Path) -> str | None:
    """What a file is that was given as a PBF and is none, with the cure; None where nothing speaks against it."""
    kind = kind_of(path)
    inside = kind.inside or kind.name
    stem = _ENDINGS.sub("", path.name) or "town"
    if inside in _READ_BY_OSMIUM and (kind.name == inside or kind.name in _PACKED_FOR_OSMIUM):
        name = f"{stem}{_READ_BY_OSMIUM[inside]}{_PACKED_FOR_OSMIUM.get(kind.name, '')}"
        rename = "" if path.name.lower() == name.lower() else f"name it {name} and "
        return f"this is {kind.what}; {rename}convert it with `osmium cat {name} -o {stem}.osm.pbf`"
    cures = dict.fromkeys(_PACKED, f"unpack it and name what it holds; {_PBF} is needed")
    cures["graphml"] = "name it in the study file as `streets: {graphml: ...}`"
    cures["zip"] = _cure_of_zip(path)
    return mistaken(path, ("pbf",), _PBF, cures)


def _cure_of_zip(path: Path) -> str:
    names = names_in_zip(path)
    if "stops.txt" in names:
        return "it is a timetable (GTFS): name it under `timetables`"
    inner = next((name for name in names if name.lower().endswith((".pbf", ".osm", ".osm.bz2"))), None)
    return f"unpack it and name {inner.rsplit('/', 1)[-1]}" if inner else f"{_PBF} is needed"


class _Frame(NamedTuple):
    kind: bytes
    size: int
    fault: str = ""


def blocks_fault(path: Path) -> str | None:
    """What is wrong with the blocks of a file, in words that go on from "it "; None where nothing is.

    Raises
    ------
    OSError
        The file cannot be opened or read.
    """
    size = path.stat().st_size
    if size == 0:
        return "is empty"
    kinds: list[bytes] = []
    checked = True
    with path.open("rb") as file:
        while file.tell() < size:
            begin = file.tell()
            frame = _next_frame(file, first=not kinds)
            if frame.fault:
                return frame.fault if kinds else f"is no OpenStreetMap PBF ({frame.fault})"
            if file.tell() + frame.size > size:
                ends = file.tell() + frame.size
                return f"is cut off: its last block should end at byte {ends:,}, and the file ends at {size:,}"
            whole = _check_sum_fits(file.read(frame.size))
            if whole is False:
                return f"is damaged: the block that begins at byte {begin:,} cannot be unpacked"
            checked &= whole is not None
            kinds.append(frame.kind)
    if b"OSMData" not in kinds:
        return "holds a header and no data"
    return None if checked else _trial_fault(path, size)


def _next_frame(file: BinaryIO, *, first: bool) -> _Frame:
    """Kind and length of the blob whose frame begins here, or what is wrong with it."""
    prefix = file.read(4)
    if len(prefix) < 4:
        return _Frame(b"", 0, "is cut off inside the frame of a block")
    length = int.from_bytes(prefix, "big")
    if not 0 < length <= _HEADER_MOST:
        return _Frame(b"", 0, f"is damaged: a block's header claims {length:,} bytes")
    header = file.read(length)
    if len(header) < length:
        return _Frame(b"", 0, "is cut off inside the header of a block")
    kind, size = b"", 0
    for field, value in _fields(header):
        if field == 1 and isinstance(value, bytes):
            kind = value
        elif field == 3 and isinstance(value, int):
            size = value
    if first and kind != b"OSMHeader":
        return _Frame(b"", 0, "it does not begin with a header block")
    if not 0 < size <= _BLOB_MOST:
        return _Frame(b"", 0, f"is damaged: a block claims {size:,} bytes")
    return _Frame(kind, size)


def _check_sum_fits(blob: bytes) -> bool | None:
    """Whether a blob packed with zlib is as it was written; None where it is not packed so and nothing can be said."""
    fields = dict(_fields(blob))
    packed = fields.get(_ZLIB_FIELD)
    if not isinstance(packed, bytes):
        return None
    unpacker = zlib.decompressobj()
    try:
        content = unpacker.decompress(packed, _BLOB_MOST + 1)
    except zlib.error:
        return False
    return unpacker.eof and len(content) == fields.get(2, len(content))


def _fields(message: bytes) -> list[tuple[int, int | bytes]]:
    """Number and value of the fields of a protocol-buffers message, as far as it can be read."""
    found: list[tuple[int, int | bytes]] = []
    at = 0
    while at < len(message):
        key, at = _varint(message, at)
        value, at = _varint(message, at)
        if key & 7 == 0:
            found.append((key >> 3, value))
        elif key & 7 == 2 and at + value <= len(message):
            found.append((key >> 3, message[at : at + value]))
            at += value
        else:
            break
    return found


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 70, 7):
        if at >= len(data):
            break
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            break
    return value, at


def _trial_fault(path: Path, size: int) -> str | None:
    """Let another process read the file; a crash or a hang there is a fault, an error that it can name is not."""
    patience_s = _TRIAL_S + _TRIAL_S_A_MB * size / 1e6
    command = [sys.executable, "-c", TRIAL, str(path)]
    try:
        run = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=patience_s, check=False)
    except subprocess.TimeoutExpired:
        return f"is damaged: its reader had not finished after {patience_s:.0f} s"
    except OSError:
        return None  # no process can be started here; the check sums had nothing against it
    # Python ends with 1 on an exception, which the reading proper will name; a crash has a signal or another number
    return None if run.returncode in (0, 1) else f"is damaged: its reader crashed ({run.returncode})"
