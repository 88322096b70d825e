"""Files of sites: each row is a site or a fault with its line, field and value."""

from __future__ import annotations

import gzip
import math
from pathlib import Path

import pytest

from community_routes.base.errors import StudyError, UsageError
from community_routes.sites.read import place_key, points_of, read_sites, site_points


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "sites.csv"
    path.write_bytes(text.encode("utf-8"))
    return path


def faults(path: Path) -> list[tuple[int, str, str, str, str]]:
    return [(f.line, f.id, f.field, f.value, f.reason) for site in read_sites(path) if (f := site.fault) is not None]


def test_a_site_has_what_its_row_says(tmp_path: Path) -> None:
    """Headings in any case and order, blanks around cells, a mark of UTF-8 in front; ids stay text."""
    path = written(tmp_path, '\ufeffName,ID,Lat,Lon,homes,year\r\n"Mill, East", 007 ,53.75,-2.45,120,2031\r\n')
    (site,) = read_sites(path)
    assert (site.line, site.id, site.name, site.homes, site.year) == (2, "007", "Mill, East", 120.0, "2031")
    assert site.point == (-2.45, 53.75) and site.fault is None


@pytest.mark.parametrize(
    ("row", "fault"),
    [
        ("A,,,,", (2, "A", "lon", "", "no_coordinates")),
        ("A,-2.4,,,", (2, "A", "lat", "", "no_coordinates")),
        ("A,east,53,,", (2, "A", "lon", "east", "bad_number")),
        ("A,-2.4,153,,", (2, "A", "lat", "153", "bad_number")),
        ("A,nan,53,,", (2, "A", "lon", "nan", "bad_number")),
        ("A,-2.4,53,x,many", (2, "A", "homes", "many", "bad_number")),
        ("A,-2.4,53,x,-1", (2, "A", "homes", "-1", "bad_number")),
        (",-2.4,53,x,1", (2, "", "id", "", "blank_id")),
        ("A,-2.4,53,x,1,2", (2, "A", "", "6 cells, 5 headings", "bad_row")),
    ],
)
def test_a_fault_names_its_line_field_and_value(
    tmp_path: Path, row: str, fault: tuple[int, str, str, str, str]
) -> None:
    assert faults(written(tmp_path, f"id,lon,lat,name,homes\n{row}\nB,-2.4,53,,\n")) == [fault]


def test_all_rows_of_a_repeated_id_fail(tmp_path: Path) -> None:
    """Lines are those of the file: a name over two lines and an empty line count."""
    path = written(tmp_path, 'id,lon,lat,name\nA,-2,53,"two\nlines"\n\nB,-2,53,\nA,-2.1,53,\n')
    assert faults(path) == [(2, "A", "id", "A", "duplicate_id"), (6, "A", "id", "A", "duplicate_id")]
    assert [site.name for site in read_sites(path)] == ["two lines", "", ""]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("id,lon,name\nA,1,x\n", "no column 'lat'"),
        ("id,lon,lat,lon\nA,1,2,3\n", "two columns 'lon'"),
        ("id,lon,lat\n", "holds no site"),
        ("", "holds no site"),
    ],
)
def test_a_file_that_says_nothing_is_refused(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(StudyError, match=said):
        read_sites(written(tmp_path, text))


def test_a_file_that_is_not_there_or_no_text_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="is not there"):
        read_sites(tmp_path / "none.csv")
    (tmp_path / "sites.csv").write_bytes(b"id,lon,lat\nA,1,2\n\xff,1,2\n")
    with pytest.raises(StudyError, match="row 3: it is not UTF-8"):
        read_sites(tmp_path / "sites.csv")
    (tmp_path / "sites.geojson").write_text("{", encoding="utf-8")
    with pytest.raises(StudyError, match="cannot be read as a map"):
        read_sites(tmp_path / "sites.geojson")


def test_packed_files_and_those_of_spreadsheets_are_read(tmp_path: Path) -> None:
    """As every other table of text: packed with gzip, or UTF-16 with tabs."""
    (tmp_path / "sites.csv.gz").write_bytes(gzip.compress(b"id,lon,lat\nA,-2,53\n"))
    (tmp_path / "sites.tsv").write_bytes("id\tlon\tlat\nA\t-2\t53\n".encode("utf-16"))
    for name in ("sites.csv.gz", "sites.tsv"):
        assert [site.point for site in read_sites(tmp_path / name)] == [(-2.0, 53.0)]


def test_places_are_known_by_where_they_are(tmp_path: Path) -> None:
    """Two sites of one place share a key; a metre away is another."""
    path = written(tmp_path, "id,lon,lat\nA,-2,53\nB,-2,53\nC,-2,53.00001\n")
    places = site_points(read_sites(path), None)
    keys = [place_key(place) for place in places]
    assert keys[0] == keys[1] != keys[2]
    points = points_of(places)
    assert points.place.tolist() == [0, 1, 2] and points.lat.tolist() == [53, 53, 53.00001]
    assert math.isnan(read_sites(written(tmp_path, "id,lon,lat\nA,,\n"))[0].point[0])
