"""A file is told for what it is by its bytes, whatever its name: the message says what it is and what to do."""

from __future__ import annotations

import bz2
import gzip
import lzma
import zipfile
from pathlib import Path

import pytest

from community_routes.base.errors import FeedError, StreetsError, StudyError
from community_routes.base.notices import Notice
from community_routes.sites.read import read_sites
from community_routes.sources.file_kinds import kind_of
from community_routes.sources.gtfs.read import read_feed
from community_routes.sources.osm.read import read_graphml, read_streets
from community_routes.sources.places.table import read_map, read_table
from community_routes.sources.study.file import read_study_file
from community_routes.sources.study.places import EntrancesSpec
from drawn_streets import grid_city
from feed_zip import feed_zip

XML = b"<?xml version='1.0' encoding='UTF-8'?>\n<!-- of a town -->\n<osm version='0.6'></osm>\n"
PAGE = b"<!DOCTYPE html>\n<html><head><title>404</title></head><body>not found</body></html>"
JSON = b'{"version": 0.6, "elements": []}'


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (XML, "osm_xml"),
        (XML.decode().encode("utf-16"), "osm_xml"),
        (b"\xef\xbb\xbf<osm version='0.6'/>", "osm_xml"),
        (b"<osmChange version='0.6'/>", "osm_change"),
        (PAGE, "html"),
        (b"\n <HTML lang='cy'>", "html"),
        (JSON, "json"),
        (b"[\n  [1, 2]]", "json"),
        (b"<kml xmlns='http://www.opengis.net/kml/2.2'>", "xml"),
        (b"404: Not Found", "text"),
        (b"id,name\n1,Caf\xe9\n", "text"),
        (b"BZh,PAR1,[a]\n1,2,3\n", "text"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n", "lfs"),
        (b"", ""),
        (b"\x00\x01\x02\x03", ""),
    ],
)
def test_kinds(tmp_path, content, name):
    path = tmp_path / "town"
    path.write_bytes(content)
    assert kind_of(path).name == name


def told_of_streets(path: Path) -> str:
    with pytest.raises(StreetsError) as fault:
        read_streets(path)
    return str(fault.value)


@pytest.mark.parametrize(
    ("name", "content", "cure"),
    [
        ("town.osm", XML, "; convert it with `osmium cat town.osm -o town.osm.pbf`"),
        ("town.osm.bz2", bz2.compress(XML), "; convert it with `osmium cat town.osm.bz2 -o town.osm.pbf`"),
        ("town.osm.gz", gzip.compress(XML, mtime=0), "; convert it with `osmium cat town.osm.gz -o town.osm.pbf`"),
        ("town.osm.pbf", XML, "; name it town.osm and convert it with `osmium cat town.osm -o town.osm.pbf`"),
        ("a.pbf", bz2.compress(XML), "; name it a.osm.bz2 and convert it with `osmium cat a.osm.bz2 -o a.osm.pbf`"),
        ("town.osm.xz", lzma.compress(XML), "; unpack it"),
    ],
)
def test_openstreetmap_xml_is_to_be_converted(tmp_path, name, content, cure):
    (tmp_path / name).write_bytes(content)
    said = told_of_streets(tmp_path / name)
    assert "this is OpenStreetMap XML" in said and cure in said


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (PAGE, "this is a web page; the download brought an error or login page"),
        (JSON, "this is JSON"),
        (b"404: Not Found", "this is text ('404: Not Found')"),
        (gzip.compress(b"\x00" * 99, mtime=0), "this is packed with gzip; unpack it"),
        (b"<graphml/>", "this is GraphML; name it in the study file as `streets: {graphml: ...}`"),
        (b"<osmChange/>", "this is a file of changes to OpenStreetMap; the extract"),
    ],
)
def test_what_is_no_pbf_has_its_cure(tmp_path, content, words):
    (tmp_path / "town.osm.pbf").write_bytes(content)
    assert words in told_of_streets(tmp_path / "town.osm.pbf")


def test_a_zip_for_a_pbf_says_what_to_take_from_it(tmp_path):
    """One with a map in it, and one that is the timetable of the study."""
    with zipfile.ZipFile(tmp_path / "town.osm.pbf", "w") as archive:
        archive.write(grid_city(2, 2).write(tmp_path / "x.osm.pbf"), "folder/inner.osm.pbf")
    assert "unpack it and name inner.osm.pbf" in told_of_streets(tmp_path / "town.osm.pbf")
    assert "name it under `timetables`" in told_of_streets(feed_zip(tmp_path / "bus.zip"))


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (PAGE, "this is a web page"),
        (b"stop_id,stop_lat\nA,51\n", "a timetable is a zip of such tables"),
        (gzip.compress(b"stop_id\nA\n", mtime=0), "packed with gzip; unpack it and pack its tables into a zip"),
        (b"PK\x03\x04" + b"\x00" * 50, "it may have been cut off: download it again"),
    ],
)
def test_what_is_no_timetable(tmp_path, content, words):
    (tmp_path / "bus.zip").write_bytes(content)
    with pytest.raises(FeedError) as fault:
        read_feed(tmp_path / "bus.zip")
    assert words in str(fault.value)


def test_a_timetable_in_xml_is_no_gtfs(tmp_path):
    """Bus Open Data offers each timetable as TransXChange, too; one error, not one for each table of GTFS."""
    with zipfile.ZipFile(tmp_path / "bus.zip", "w") as archive:
        archive.writestr("7.xml", "<TransXChange/>")
    with pytest.raises(FeedError) as fault:
        read_feed(tmp_path / "bus.zip")
    assert str(fault.value) == "bus.zip: bus.zip holds XML (7.xml) and no GTFS; download the same timetable as GTFS"


def test_maps_of_streets_taken_for_graphml(tmp_path):
    """A PBF, OpenStreetMap XML and a web page."""
    path = grid_city(2, 2).write(tmp_path / "a.osm.pbf")
    for content, words in ((path.read_bytes(), "streets: {osm: ...}"), (XML, "osmium cat"), (PAGE, "a web page")):
        (tmp_path / "town.graphml").write_bytes(content)
        with pytest.raises(StreetsError, match=r"^town\.graphml: it is no GraphML: this is") as fault:
            read_graphml(tmp_path / "town.graphml")
        assert words in str(fault.value)


def test_a_study_file_that_is_a_web_page_or_a_map(tmp_path):
    for content, words in (
        (PAGE, "this is a web page"),
        (grid_city(2, 2).write(tmp_path / "a.osm.pbf").read_bytes(), "PBF"),
    ):
        (tmp_path / "study.yaml").write_bytes(content)
        with pytest.raises(StudyError, match=r"study\.yaml.* is no study or scenario file: this is") as fault:
            read_study_file(tmp_path / "study.yaml")
        assert words in str(fault.value)


def test_sites_and_places_that_are_a_web_page(tmp_path):
    (tmp_path / "sites.csv").write_bytes(PAGE)
    with pytest.raises(StudyError, match=r"sites\.csv: it is no table of text: this is a web page"):
        read_sites(tmp_path / "sites.csv")


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("areas.geojson", PAGE, "this is a web page"),
        ("areas.gpkg", b"404: Not Found", "this is text ('404: Not Found')"),
        ("areas.geojson", b'{"error": {"code": 400, "message": "Invalid URL"}}', 'this is JSON ({"error"'),
        ("areas.geojson", b'{"type": "FeatureCollection", "features": [{"ty', "Unterminated"),
        ("areas.csv", PAGE, "this is a web page"),
        ("areas.csv", JSON, "this is JSON"),
        ("areas.csv", gzip.compress(b"id\n1\n", mtime=0), "give it its own ending (.csv.gz)"),
        ("areas.csv.gz", PAGE, "this is a web page"),
    ],
)
def test_what_is_no_map_and_no_table(tmp_path, name, content, words):
    (tmp_path / name).write_bytes(content)
    for read in (
        lambda found: read_map(tmp_path / name, EntrancesSpec(file=tmp_path / name, id="id"), found),
        lambda found: read_table(tmp_path / name, {}, found),
    ):
        found: list[Notice] = []
        assert read(found) is None
        assert [notice.code for notice in found] == ["bad_table"]
        assert words in found[0].message
        assert str(tmp_path) not in found[0].message
