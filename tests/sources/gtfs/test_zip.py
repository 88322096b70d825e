"""A zip that is broken, hostile or not a zip is refused with a sentence; names in it are never paths."""

from __future__ import annotations

import io
import stat
import struct
import zipfile
from pathlib import Path

import pytest

from community_routes.base.errors import FeedError
from community_routes.base.notices import Notice
from community_routes.sources.gtfs import zip as gtfs_archive
from community_routes.sources.gtfs.read import read_feed
from feed_zip import DATED, GOOD, feed_zip


def refused(path: Path) -> list[Notice]:
    """The errors of a feed that must be refused."""
    notices: list[Notice] = []
    with pytest.raises(FeedError):
        read_feed(path, notices=notices)
    return [n for n in notices if n.severity == "error"]


def codes(notices: list[Notice]) -> list[tuple[str, str]]:
    """Code and file of each notice."""
    return [(n.code, n.file) for n in notices]


def test_file_that_is_not_there(tmp_path: Path) -> None:
    """The message names the file without the folder of this machine."""
    errors = refused(tmp_path / "bus.zip")
    assert codes(errors) == [("feed_not_found", "bus.zip")]
    assert str(tmp_path) not in errors[0].message


def test_folder_instead_of_a_file(tmp_path: Path) -> None:
    """The cure is to pack it."""
    (tmp_path / "feed").mkdir()
    errors = refused(tmp_path / "feed")
    assert codes(errors) == [("feed_not_found", "feed")]
    assert "pack" in errors[0].message


@pytest.mark.parametrize("content", [b"", b"<html>404</html>", b"PK\x03\x04" + b"\0" * 100])
def test_file_that_is_no_zip(tmp_path: Path, content: bytes) -> None:
    """Nothing, a web page, and the beginning of a zip."""
    path = tmp_path / "bus.zip"
    path.write_bytes(content)
    assert codes(refused(path)) == [("not_a_zip", "bus.zip")]


def test_zip_that_is_cut_off(tmp_path: Path) -> None:
    """A download that broke off half-way."""
    whole = feed_zip(tmp_path / "whole.zip").read_bytes()
    path = tmp_path / "bus.zip"
    path.write_bytes(whole[: len(whole) // 2])
    assert codes(refused(path)) == [("not_a_zip", "bus.zip")]


def test_table_with_damaged_bytes(tmp_path: Path) -> None:
    """The checksum of stops.txt no longer fits."""
    path = feed_zip(tmp_path / "bus.zip")
    with zipfile.ZipFile(path) as archive:
        info = archive.getinfo("stops.txt")
    data = bytearray(path.read_bytes())
    start = info.header_offset + 30 + len("stops.txt")
    data[start + 20] ^= 0xFF
    path.write_bytes(bytes(data))
    assert ("table_damaged", "bus.zip/stops.txt") in codes(refused(path))


def test_protected_table(tmp_path: Path) -> None:
    """The flag of encryption set in both headers of stops.txt."""
    path = feed_zip(tmp_path / "bus.zip")
    data = bytearray(path.read_bytes())
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        at = data.find(b"stops.txt", 0) if signature == b"PK\x03\x04" else data.rfind(b"stops.txt")
        header = data.rfind(signature, 0, at)
        flags = struct.unpack_from("<H", data, header + offset)[0]
        struct.pack_into("<H", data, header + offset, flags | 1)
    path.write_bytes(bytes(data))
    assert codes(refused(path)) == [("zip_encrypted", "bus.zip/stops.txt")]


def test_zip_in_a_zip(tmp_path: Path) -> None:
    """The inner name is told, the inner zip not opened."""
    path = tmp_path / "outer.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.write(feed_zip(tmp_path / "bus.zip"), "feeds/bus.zip")
    errors = refused(path)
    assert codes(errors) == [("zip_in_zip", "outer.zip")]
    assert "bus.zip" in errors[0].message


def test_tables_in_a_folder_of_the_zip_are_read(tmp_path: Path) -> None:
    """As when somebody packs a folder; what macOS adds is not looked at."""
    path = tmp_path / "bus.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in GOOD.items():
            archive.writestr(f"gtfs/{name}.txt", content)
            archive.writestr(f"__MACOSX/gtfs/._{name}.txt", b"\0\1")
    notices: list[Notice] = []
    assert len(read_feed(path, notices=notices).trips) == 2
    assert codes(notices) == [("tables_in_folder", "bus.zip")]


@pytest.mark.parametrize("name", ["../stops.txt", "/stops.txt", "C:\\stops.txt", "a/../../stops.txt"])
def test_names_that_lead_out_of_the_folder_are_left_alone(tmp_path: Path, name: str) -> None:
    """Nothing is written anywhere, and the table in question counts as missing."""
    path = tmp_path / "inner" / "bus.zip"
    path.parent.mkdir()
    with zipfile.ZipFile(feed_zip(path, stops=None), "a") as archive:
        info = zipfile.ZipInfo("x", DATED)
        info.filename = name
        archive.writestr(info, GOOD["stops"])
    notices: list[Notice] = []
    with pytest.raises(FeedError):
        read_feed(path, notices=notices)
    assert codes(notices) == [("unsafe_name_in_zip", "bus.zip"), ("table_missing", "bus.zip/stops.txt")]
    assert [p.name for p in tmp_path.rglob("*") if p.is_file()] == ["bus.zip"]


def test_links_are_not_followed(tmp_path: Path) -> None:
    """A link named stops.txt to a file of this machine."""
    path = feed_zip(tmp_path / "bus.zip", stops=None)
    with zipfile.ZipFile(path, "a") as archive:
        info = zipfile.ZipInfo("stops.txt", DATED)
        info.create_system = 3
        info.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(info, "/etc/passwd")
    notices: list[Notice] = []
    with pytest.raises(FeedError):
        read_feed(path, notices=notices)
    assert codes(notices) == [("link_in_zip", "bus.zip"), ("table_missing", "bus.zip/stops.txt")]


def test_bomb_is_refused_before_it_is_unpacked(tmp_path: Path) -> None:
    """80 MB of zeros in 80 kB: the ratio alone is more than any text has."""
    path = feed_zip(tmp_path / "bus.zip", stop_times=None)
    info = zipfile.ZipInfo("stop_times.txt", DATED)
    info.compress_type = zipfile.ZIP_DEFLATED
    with zipfile.ZipFile(path, "a") as archive, archive.open(info, "w", force_zip64=True) as file:
        for _ in range(80):
            file.write(bytes(2**20))
    notices: list[Notice] = []
    with pytest.raises(FeedError, match="unpack"):
        read_feed(path, notices=notices)
    assert codes(notices) == [("table_too_large", "bus.zip/stop_times.txt")]


def test_table_longer_than_any_needs_to_be(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a limit of 100 bytes the good feed is too long; the size said in the zip is what counts."""
    monkeypatch.setattr(gtfs_archive, "TABLE_LIMIT", 100)
    files = {file for code, file in codes(refused(feed_zip(tmp_path / "bus.zip"))) if code == "table_too_large"}
    assert files == {"bus.zip/stops.txt", "bus.zip/calendar.txt", "bus.zip/agency.txt", "bus.zip/routes.txt"} - {
        f"bus.zip/{name}.txt" for name, content in GOOD.items() if len(content) <= 100
    }


def test_table_that_is_in_the_zip_twice(tmp_path: Path) -> None:
    """The last one is read, as other programs do, and this is said."""
    path = feed_zip(tmp_path / "bus.zip")
    with zipfile.ZipFile(path, "a") as archive, pytest.warns(UserWarning, match="Duplicate name"):
        archive.writestr("stops.txt", GOOD["stops"].replace("Abbey Road", "Abbey Way"))
    notices: list[Notice] = []
    feed = read_feed(path, notices=notices)
    assert codes(notices) == [("table_twice", "bus.zip/stops.txt")]
    assert feed.stops["stop_name"][0] == "Abbey Way"


def test_other_files_are_listed(tmp_path: Path) -> None:
    """One that the reference knows but nobody needs, one that it does not know, one that is nearly a table."""
    path = feed_zip(tmp_path / "bus.zip", attributions="a\n", vehicles="v\n", transfer="t\n")
    notices: list[Notice] = []
    read_feed(path, notices=notices)
    assert sorted((n.severity, n.code, n.value) for n in notices) == [
        ("info", "file_not_used", ""),
        ("info", "unknown_file", "transfer.txt"),
        ("info", "unknown_file", "vehicles.txt"),
    ]
    assert ["misspelt" in n.message for n in notices if n.value == "transfer.txt"] == [True]


def test_zip_of_an_unknown_method(tmp_path: Path) -> None:
    """Method 97 is nothing that Python unpacks."""
    path = feed_zip(tmp_path / "bus.zip")
    data = bytearray(path.read_bytes())
    header = data.rfind(b"PK\x01\x02", 0, data.rfind(b"stops.txt"))
    struct.pack_into("<H", data, header + 10, 97)
    local = data.rfind(b"PK\x03\x04", 0, data.find(b"stops.txt"))
    struct.pack_into("<H", data, local + 8, 97)
    path.write_bytes(bytes(data))
    assert ("table_damaged", "bus.zip/stops.txt") in codes(refused(path))


def packed_by(path: Path, method: int, tables: set[str]) -> Path:
    """The good feed whose headers say that these tables are packed by another method."""
    data = bytearray(feed_zip(path).read_bytes())
    for table in tables:
        for signature, offset, at in (
            (b"PK\x03\x04", 8, data.find(table.encode())),
            (b"PK\x01\x02", 10, data.rfind(table.encode())),
        ):
            struct.pack_into("<H", data, data.rfind(signature, 0, at) + offset, method)
    path.write_bytes(bytes(data))
    return path


@pytest.mark.parametrize(
    ("method", "name"), [(9, "Deflate64"), (93, "Zstandard"), (95, "XZ"), (98, "PPMd"), (6, "Implode")]
)
def test_whole_zip_of_a_method_that_is_not_known(tmp_path: Path, method: int, name: str) -> None:
    """All six tables are whole, so there is one error for the zip, and its cure is to zip anew, not to download again."""
    (error,) = refused(packed_by(tmp_path / "bus.zip", method, {f"{table}.txt" for table in GOOD}))
    assert (error.code, error.file, error.value) == ("zip_method", "bus.zip", name)
    assert "zip the files anew" in error.message
    assert "download" not in error.message


def test_one_table_of_a_method_that_is_not_known(tmp_path: Path) -> None:
    """The error names the table, and says nothing of a missing one."""
    errors = refused(packed_by(tmp_path / "bus.zip", 9, {"stops.txt"}))
    assert codes(errors) == [("zip_method", "bus.zip/stops.txt")]


def test_whole_zip_with_a_password(tmp_path: Path) -> None:
    """Method 99 (AES) on every table: one error, which names them."""
    (error,) = refused(packed_by(tmp_path / "bus.zip", 99, {f"{table}.txt" for table in GOOD}))
    assert (error.code, error.file) == ("zip_encrypted", "bus.zip")
    assert "stop_times.txt" in error.message


def test_zip_for_a_later_unpacker(tmp_path: Path) -> None:
    """A directory that asks for version 9.9 of the format, which is none of today."""
    path = feed_zip(tmp_path / "bus.zip")
    data = bytearray(path.read_bytes())
    struct.pack_into("<H", data, data.rfind(b"PK\x01\x02") + 6, 99)
    path.write_bytes(bytes(data))
    assert codes(refused(path)) == [("zip_method", "bus.zip")]


def test_members_packed_by_other_methods_are_read(tmp_path: Path) -> None:
    """Stored, bzip2 and lzma members are as good as deflated ones."""
    for method in (zipfile.ZIP_STORED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA):
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w", method) as archive:
            for name, content in GOOD.items():
                archive.writestr(f"{name}.txt", content)
        path = tmp_path / f"m{method}.zip"
        path.write_bytes(buffer.getvalue())
        assert len(read_feed(path).trips) == 2
