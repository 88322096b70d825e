"""A cheap look at the frames of an OpenStreetMap PBF file before a native reader is trusted with it.

A PBF file is a row of blobs; before each stand four bytes with the length of its header, and the header, which names the
blob's kind and length (https://wiki.openstreetmap.org/wiki/PBF_Format). Only headers are read here.
"""

from __future__ import annotations

from pathlib import Path
from typing import BinaryIO, Final

_HEADER_MOST: Final = 64 * 1024
_BLOB_MOST: Final = 32 * 1024 * 1024


def frames_fault(path: Path) -> str | None:
    """What is wrong with the frames of a file, in words that go on from "it "; None where nothing is.

    Raises
    ------
    OSError
        The file cannot be opened or read.
    """
    size = path.stat().st_size
    if size == 0:
        return "is empty"
    with path.open("rb") as file:
        at = 0
        kinds: list[bytes] = []
        while at < size:
            kind, blob, fault = _next_frame(file.read(4), file, first=not kinds)
            if fault:
                return fault if kinds else f"is no OpenStreetMap PBF ({fault})"
            at = file.tell() + blob
            if at > size:
                return f"is cut off: its last block should end at byte {at:,}, and the file at {size:,}"
            file.seek(at)
            kinds.append(kind)
    if b"OSMData" not in kinds:
        return "holds a header and no data"
    return None


def _next_frame(prefix: bytes, file: BinaryIO, *, first: bool) -> tuple[bytes, int, str]:
    """Kind and length of the blob whose frame begins with the four bytes, or what is wrong with it."""
    if len(prefix) < 4:
        return b"", 0, "is cut off inside the frame of a block"
    length = int.from_bytes(prefix, "big")
    if not 0 < length <= _HEADER_MOST:
        return b"", 0, f"is damaged: a block's header claims {length:,} bytes"
    header = file.read(length)
    if len(header) < length:
        return b"", 0, "is cut off inside the header of a block"
    kind, blob = _blob_header(header)
    if first and kind != b"OSMHeader":
        return b"", 0, "it does not begin with a header block"
    if not 0 < blob <= _BLOB_MOST:
        return b"", 0, f"is damaged: a block claims {blob:,} bytes"
    return kind, blob, ""


def _blob_header(header: bytes) -> tuple[bytes, int]:
    """Fields 1 (kind) and 3 (length) of a BlobHeader; an empty kind and 0 where they cannot be read."""
    kind, blob, at = b"", 0, 0
    while at < len(header):
        key, at = _varint(header, at)
        value, at = _varint(header, at)
        if key & 7 == 2:
            if key >> 3 == 1:
                kind = header[at : at + value]
            at += value
        elif key & 7 == 0:
            if key >> 3 == 3:
                blob = value
        else:
            return b"", 0
    return kind, blob


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
