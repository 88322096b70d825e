"""What each service can do wrong, and what is said of it; retries, parts that go on, redirects, proxies, own addresses."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import osmium
import pytest

from community_routes.base.errors import UsageError
from community_routes.fetch.http import BadAnswerError, Client
from community_routes.fetch.places import COUNTIES, REGIONS, counties_of, region_of
from community_routes.fetch.sources import Source, read_sources
from community_routes.fetch.tables import deprivation_columns
from community_routes.fetch.town import FetchError, fetch_authority
from community_routes.sources.osm.clip import clip_streets
from open_data import CODES, SOUTH, WEST, Answer, Services, good_services, grid, serving

PAGE = b"<!DOCTYPE html><html><body>Sign in</body></html>"


@pytest.fixture
def services(tmp_path: Path) -> Iterator[Services]:
    """The services, running, with nothing wrong."""
    with serving(good_services(tmp_path)) as found:
        found.sources(tmp_path / "addresses.json")
        yield found


def fetch(folder: Path) -> None:
    fetch_authority(
        "Blackburn with Darwen", folder / "town", sources=folder / "addresses.json", wait=lambda seconds: None
    )


def any_file(path: Path) -> None:
    """Accept whatever came."""


def short_csv(services: Services, name: str) -> bytes:
    """A table without its last area but three: the sixth of the authority is gone."""
    return b"\n".join(services.files[name].split(b"\n")[:6])


BAD = [
    ("/lookup", Answer(b""), "ONS Open Geography", "the answer was empty"),
    ("/lookup", Answer(PAGE), "ONS Open Geography", "a web page came instead of data"),
    ("/boundaries", Answer(b'{"error": {"code": 400, "message": "Invalid field"}}'), "boundaries", "Invalid field"),
    ("/boundaries", Answer(b'{"count": 7'), "boundaries", "no JSON, or was cut"),
    ("/population", Answer(PAGE), r"Census 2021, residents \(TS001\)", "a web page came"),
    ("/population", Answer(b"PK\x03\x04 cut"), "Census 2021", "no zip, or a cut one"),
    (
        "/imd_2025",
        Answer(b"LSOA code (2021),IMD\nE01000001\n"),
        "indices of deprivation 2025",
        "1 cells, the heading 2",
    ),
    ("/imd_2025", Answer(b"a,b\n1,2\n"), "indices of deprivation 2025", "no column for code, rank, decile"),
    ("/imd_2025", Answer(b"a,b\n"), "indices of deprivation 2025", "the table has no rows"),
    ("/bods/", Answer(b"", 403), "Bus Open Data Service", "403 .*asks for a key"),
    ("/bods/", Answer(b"", 302, {"Location": "/bods/north_west/"}), "Bus Open Data Service", "sends on without end"),
    ("/naptan", Answer(b"ATCOCode,Longitude,Latitude\n2580X,-2.4,53.7\n"), "NaPTAN", "only 0% of the 4 stops"),
]


@pytest.mark.parametrize(("part", "answer", "title", "words"), BAD)
def test_a_bad_answer_is_refused_with_service_address_and_cure(
    services: Services, tmp_path: Path, part: str, answer: Answer, title: str, words: str
) -> None:
    """The message names all three; no folder is written."""
    services.fail(part, answer, times=40)
    with pytest.raises(FetchError, match=rf"(?s){title}.*{part}.*{words}") as wrong:
        fetch(tmp_path)
    assert "--sources" in str(wrong.value) or "--without" in str(wrong.value)
    assert wrong.value.exit_code == 5
    assert not (tmp_path / "town").exists()


def zipped(name: str, content: bytes, method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """A zip with one file."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", method) as archive:
        archive.writestr(name, content)
    return packed.getvalue()


def swollen(services: Services) -> bytes:
    """A census table that says it takes 1.5 GB once unpacked."""
    packed = bytearray(zipped("census2021-ts001-lsoa.csv", b"0" * 1000))
    at = packed.index(b"PK\x01\x02") + 24
    packed[at : at + 4] = (1_500_000_000).to_bytes(4, "little")
    return bytes(packed)


DEEP = b'{"features": ' + b"[" * 100_000
DIGITS = b"9" * 5000


@pytest.mark.parametrize(
    ("part", "body", "words"),
    [
        ("/boundaries", DEEP, "no JSON, or was cut|nested too deep"),
        ("/boundaries", DEEP + b"]" * 100_000 + b"}", "nested too deep"),
        ("/centroids", b'{"features": [], "count": ' + DIGITS + b"}", "holds a number of thousands of digits"),
        ("/centroids", b'{"count": true}', "no count of rows"),
        ("/centroids", b'{"count": -1}', "no count of rows"),
        ("/lookup", b'{"error": {"code": [500], "message": {"a": 1}}}', "gives the error 0"),
        ("/population", zipped("x-lsoa.csv", b"\xff\xfe\x00"), "damaged at x-lsoa.csv"),
        ("/population", b"PK\x05\x06" + b"\xff" * 18, "no zip, or a cut one"),
        ("/jobs", b"GEOGRAPHY_CODE,OBS_VALUE\nE02000001,nan\n", "'nan' is no number of jobs"),
        ("/jobs", b"GEOGRAPHY_CODE,OBS_VALUE\nE02000001,1e999\n", "'1e999' is no number of jobs"),
    ],
)
def test_answers_out_of_all_bounds_are_refused(
    services: Services, tmp_path: Path, part: str, body: bytes, words: str
) -> None:
    """Nested without end, numbers without end, counts and codes of another kind: each is a message with the service."""
    services.fail(part, Answer(body), times=40)
    with pytest.raises(FetchError, match=rf"(?s){part}.*({words}).*Nothing was replaced"):
        fetch(tmp_path)
    assert not (tmp_path / "town").exists()


def test_a_zip_that_unpacks_to_more_than_any_table_is_not_unpacked(services: Services, tmp_path: Path) -> None:
    """1.5 GB are 1,431 MB; it is refused by what the zip says of itself."""
    services.fail("/population", Answer(swollen(services)), times=9)
    with pytest.raises(
        FetchError, match=r"(?s)Census 2021.*-lsoa.csv, unpacked, would take 1,431 MB, more than.*Run the same"
    ):
        fetch(tmp_path)


@pytest.mark.parametrize(
    "wrong", [None, "text", 7, [], {}, [1], {"type": "Point"}, {"type": "Blob", "coordinates": [1, 2]}]
)
@pytest.mark.parametrize("layer", ["boundaries", "centroids"])
def test_geometries_that_are_none_are_refused(services: Services, tmp_path: Path, layer: str, wrong: Any) -> None:
    """The area is named, with the service and what is wanted."""
    services.layers[layer][2]["geometry"] = wrong
    with pytest.raises(FetchError, match=rf"(?s)/{layer}.*{CODES[2]} has .*--sources"):
        fetch(tmp_path)


@pytest.mark.parametrize(
    "wrong",
    [None, "text", [], [[]], [[[]]], [1, 2], [[["a", "b"]]], [[[1, None]] * 4], [[[10**400, 1]] * 4], [[[1.0, 2.0]] * 3],
     [[[float("nan"), 1.0]] * 4], {"a": 1}],
)  # fmt: skip
def test_coordinates_that_are_none_are_refused(services: Services, tmp_path: Path, wrong: Any) -> None:
    """Of a polygon: text, nothing, too few points or levels, numbers that are none or beyond measure."""
    services.layers["boundaries"][1]["geometry"] = {"type": "Polygon", "coordinates": wrong}
    with pytest.raises(FetchError, match=rf"(?s)/boundaries.*{CODES[1]} has coordinates that are none"):
        fetch(tmp_path)


@pytest.mark.parametrize("wrong", ["text", 5, None, [], {"type": "Feature", "properties": [1]}])
def test_features_that_are_none_are_refused(services: Services, tmp_path: Path, wrong: Any) -> None:
    """With their number in the answer."""
    page = {"type": "FeatureCollection", "features": [services.layers["centroids"][0], wrong]}
    services.fail("resultOffset=0", Answer(b""), times=0)
    asked = services._layer

    def odd(features: list[dict[str, Any]], question: dict[str, str]) -> Answer:
        if features is services.layers["centroids"] and "returnCountOnly" not in question:
            return Answer(json.dumps(page).encode())
        return asked(features, question)

    services._layer = odd  # type: ignore[method-assign]
    with pytest.raises(FetchError, match=r"(?s)/centroids.*feature 2 of the answer is no object with properties"):
        fetch(tmp_path)


def test_streets_that_are_no_extract_are_refused_at_both_addresses(services: Services, tmp_path: Path) -> None:
    """Both the new and the old path are named."""
    services.files["great-britain/england/lancashire.pbf"] = b"not a map, but long enough to look at"
    with pytest.raises(FetchError, match=r"(?s)united-kingdom/england.*404.*great-britain/england.*no OpenStreetMap"):
        fetch(tmp_path)


def test_an_extract_of_another_place_is_refused(services: Services, tmp_path: Path) -> None:
    """No street lies in the box: the message names the option."""
    for name in ("boundaries", "centroids"):
        for feature in services.layers[name]:
            text = json.dumps(feature["geometry"]).replace("53.7", "55.7")
            feature["geometry"] = json.loads(text)
    with pytest.raises(FetchError, match=r"(?s)Geofabrik.*no street in.*--county"):
        fetch(tmp_path)


def test_a_table_cut_at_25_000_rows_is_refused(services: Services, tmp_path: Path) -> None:
    """25,000 rows of other areas, and none of ours: the message names the cut."""
    head = "LSOA code (2021),Index of Multiple Deprivation Rank,Index of Multiple Deprivation Decile"
    lines = [head, *(f"E02{k:06},1,1" for k in range(25_000))]
    services.files["imd_2025"] = "\n".join(lines).encode()
    with pytest.raises(FetchError, match=r"6 of the 6 areas have no row.*cut its answer at 25,000 rows"):
        fetch(tmp_path)


def test_a_short_table_names_the_areas_that_are_lost(services: Services, tmp_path: Path) -> None:
    """The last of the six areas is not in the table."""
    services.files["imd_2025"] = short_csv(services, "imd_2025")
    with pytest.raises(FetchError, match=rf"1 of the 6 areas have no row \(of 5 that came\): {CODES[-1]}"):
        fetch(tmp_path)


def test_what_cannot_be_used_is_not_taken_again(services: Services, tmp_path: Path) -> None:
    """A short table once, a short page once, a damaged timetable once: the next run asks anew, and the last ends well."""
    services.fail("/imd_2025", Answer(short_csv(services, "imd_2025")))
    services.fail("resultOffset=4", Answer(b'{"type": "FeatureCollection", "features": []}'))
    services.fail("/bods/", Answer(services.files["population"]))
    for words in ("the server counts 6", "1 of the 6 areas have no row", "the timetable cannot be used"):
        with pytest.raises(FetchError, match=words):
            fetch(tmp_path)
    fetch(tmp_path)
    assert (tmp_path / "town" / "study.yaml").is_file()


def test_columns_in_another_case_are_found(services: Services, tmp_path: Path) -> None:
    """An older layer calls the code lsoa21cd: the server finds it whatever the case, and so do we."""
    asked = services._layer

    def lower(features: list[dict[str, Any]], question: dict[str, str]) -> Answer:
        answer = asked(features, question)
        return Answer(answer.body.replace(b'"LSOA21CD"', b'"lsoa21cd"'))

    services._layer = lower  # type: ignore[method-assign]
    fetch(tmp_path)
    assert (tmp_path / "town" / "study.yaml").is_file()


def test_pages_that_do_not_meet_the_count_are_refused(services: Services, tmp_path: Path) -> None:
    """The server counts seven features and gives six."""
    services.fail("/centroids?where=LSOA21CD", Answer(b'{"count": 7}'))
    with pytest.raises(FetchError, match=r"centroids.*6 rows came, but the server counts 7"):
        fetch(tmp_path)


def test_a_layer_that_lacks_an_area_is_refused(services: Services, tmp_path: Path) -> None:
    """Its own count is met, but the authority has six areas."""
    del services.layers["centroids"][2]
    with pytest.raises(FetchError, match=rf"5 rows came for the 6 areas.*not there: {CODES[2]}"):
        fetch(tmp_path)


def test_jobs_that_end_before_their_count_are_refused(services: Services, tmp_path: Path) -> None:
    """The service counts nine rows and gives three."""
    text = "GEOGRAPHY_CODE,GEOGRAPHY_NAME,OBS_VALUE,RECORD_COUNT\nE02000001,a,5,9\n"
    services.fail("/jobs", Answer(text.encode()))
    with pytest.raises(FetchError, match=r"1 rows came of the 9 that the service counts.*--without jobs"):
        fetch(tmp_path)


# ---------------------------------------------------------------------------------------------------------------------------
# One download


def source(services: Services, *paths: str, **more: Any) -> Source:
    return Source("thing", "A service", tuple(services.base + path for path in paths), "free", **more)


def client(folder: Path, waits: list[float] | None = None, name: str = "journal.json") -> Client:
    return Client(folder / "kept", folder / name, wait=(waits if waits is not None else []).append)


def test_a_busy_service_is_asked_again_after_longer_and_longer(services: Services, tmp_path: Path) -> None:
    """Twice 503, then the file; the service's own wish (7 s, then an hour) is met within a minute."""
    services.files["x"] = b"data"
    services.fail("/x", Answer(b"", 503, {"Retry-After": "7"}))
    services.fail("/x", Answer(b"", 429, {"Retry-After": "3600"}))
    services.fail("/x", Answer(b"", 500))
    waits: list[float] = []
    thing = source(services, "/x")
    assert client(tmp_path, waits).get(thing, thing.addresses, any_file).path.read_bytes() == b"data"
    assert waits == [7.0, 60.0, 8.0]


def test_a_service_that_stays_away_is_given_up(services: Services, tmp_path: Path) -> None:
    """Four attempts and no more."""
    services.fail("/x", Answer(b"", 503), times=9)
    thing = source(services, "/x")
    with pytest.raises(FetchError, match=r"A service: http.*/x: the server answered 503.*4 attempts"):
        client(tmp_path).get(thing, thing.addresses, any_file)
    assert len(services.asked) == 4


def test_a_cut_download_goes_on_where_it_was(services: Services, tmp_path: Path) -> None:
    """300 of 1,000 bytes came; the second request asks for the rest alone, and the file is whole."""
    body = bytes(range(250)) * 4
    services.files["x"] = body
    tag = f'"{len(body)}-{sum(body) % 9973}"'
    services.fail("/x", Answer(body, headers={"ETag": tag}, cut=300))
    thing = source(services, "/x")
    assert client(tmp_path).get(thing, thing.addresses, any_file).path.read_bytes() == body
    assert services.asked[1][1]["Range"] == "bytes=300-"


def test_a_later_run_goes_on_in_a_part_that_an_earlier_one_left(services: Services, tmp_path: Path) -> None:
    """The first run got 300 bytes and gave up; another asks for what is lacking alone."""
    body = bytes(range(250)) * 8
    services.files["x"] = body
    tag = f'"{len(body)}-{sum(body) % 9973}"'
    services.fail("/x", Answer(body, headers={"ETag": tag}, cut=300))
    services.fail("/x", Answer(b"", 503), times=3)
    thing = source(services, "/x")
    with pytest.raises(FetchError, match="503"):
        client(tmp_path).get(thing, thing.addresses, any_file)
    services.asked.clear()
    assert client(tmp_path).get(thing, thing.addresses, any_file).path.read_bytes() == body
    assert [headers["Range"] for _, headers in services.asked] == ["bytes=300-"]


def test_a_cut_download_whose_file_has_changed_starts_again(services: Services, tmp_path: Path) -> None:
    """The part is of an older version: the whole new file comes, and nothing of the old."""
    services.files["x"] = b"new " * 100
    services.fail("/x", Answer(b"old " * 100, headers={"ETag": '"older"'}, cut=80))
    thing = source(services, "/x")
    assert client(tmp_path).get(thing, thing.addresses, any_file).path.read_bytes() == b"new " * 100


def test_a_download_that_is_always_cut_is_refused(services: Services, tmp_path: Path) -> None:
    """Without a version to go on from, each attempt starts again; the fault is told in bytes."""
    services.fail("/x", Answer(b"0123456789", cut=4), times=9)
    thing = source(services, "/x")
    with pytest.raises(FetchError, match="the answer was cut: 4 of 10 bytes came"):
        client(tmp_path).get(thing, thing.addresses, any_file)
    assert [path.name for path in (tmp_path / "kept").iterdir()] == []


def test_a_redirect_is_followed(services: Services, tmp_path: Path) -> None:
    """The file at the other end is taken."""
    services.files["new"] = b"moved"
    services.fail("/old", Answer(b"", 301, {"Location": "/new"}))
    thing = source(services, "/old")
    assert client(tmp_path).get(thing, thing.addresses, any_file).path.read_bytes() == b"moved"


@pytest.mark.parametrize(
    "target",
    [
        "http://[::1",
        "http://host:port/x",
        "http://a b/",
        "https://",
        "http://host:99999999/x",
        "http://\xe9" + "x" * 80,
    ],
)
def test_a_redirect_to_an_address_that_is_none_is_a_message(services: Services, tmp_path: Path, target: str) -> None:
    """Whatever the standard library makes of it, the service is named."""
    services.fail("/old", Answer(b"", 301, {"Location": target}), times=9)
    thing = source(services, "/old")
    with pytest.raises(FetchError, match=r"(?s)A service: http.*/old: .*Nothing was replaced"):
        client(tmp_path).get(thing, thing.addresses, any_file)


@pytest.mark.parametrize("after", ["\xb2", "9" * 5000, "-3", "soon", "Wed, 99 Foo 2026 99:99:99 GMT", "1e3"])
def test_an_odd_wish_to_wait_is_not_met(services: Services, tmp_path: Path, after: str) -> None:
    """A superscript two, digits without end, text: as if nothing had been wished (2 s)."""
    services.files["x"] = b"data"
    services.fail("/x", Answer(b"", 503, {"Retry-After": after}))
    waits: list[float] = []
    thing = source(services, "/x")
    assert client(tmp_path, waits).get(thing, thing.addresses, any_file).path.read_bytes() == b"data"
    assert waits == [2.0]


def test_odd_headers_of_a_good_file_do_no_harm(services: Services, tmp_path: Path) -> None:
    """A date beyond all calendars, a tag with a sign that no header may hold: the file is taken, and asked for again later."""
    odd = {"Last-Modified": "Mon, 01 Jan 99999999999999999999 00:00:00 +9999999999", "ETag": '"a\x01b"'}
    thing = source(services, "/x")
    for name in ("first.json", "second.json"):
        services.fail("/x", Answer(b"data", headers=odd))
        assert client(tmp_path, name=name).get(thing, thing.addresses, any_file).path.read_bytes() == b"data"


def test_a_download_beyond_its_bound_is_refused(services: Services, tmp_path: Path) -> None:
    """Five bytes where four are the most: by what the server says, and by what comes; nothing is left."""
    services.files["x"] = b"12345"
    thing = source(services, "/x")
    with pytest.raises(FetchError, match="the answer would take"):
        client(tmp_path).get(thing, thing.addresses, any_file, most=4)
    assert list((tmp_path / "kept").iterdir()) == []
    assert client(tmp_path).get(thing, thing.addresses, any_file, most=5).size == 5


def test_a_good_file_outlives_a_failed_download(services: Services, tmp_path: Path) -> None:
    """A later run gets a web page: it is refused, and the file of the earlier run is still there, unchanged."""
    services.files["x"] = b"good"
    thing = source(services, "/x")
    kept = client(tmp_path, name="first.json").get(thing, thing.addresses, any_file)
    services.fail("/x", Answer(PAGE), times=9)
    with pytest.raises(FetchError, match="web page"):
        client(tmp_path, name="second.json").get(thing, thing.addresses, any_file)
    assert kept.path.read_bytes() == b"good"


def test_a_damaged_file_is_downloaded_again(services: Services, tmp_path: Path) -> None:
    """A byte of what was kept has changed since: it is not taken for what was downloaded."""
    services.files["x"] = b"good"
    thing = source(services, "/x")
    kept = client(tmp_path).get(thing, thing.addresses, any_file)
    kept.path.write_bytes(b"bad!")
    assert client(tmp_path).get(thing, thing.addresses, any_file).path.read_bytes() == b"good"
    assert len(services.asked) == 2


def test_nobody_there_is_a_message(tmp_path: Path) -> None:
    """A port that nothing listens to."""
    with serving(Services()) as gone:
        thing = source(gone, "/x")
    with pytest.raises(FetchError, match="no connection"):
        client(tmp_path).get(thing, thing.addresses, any_file)


def test_the_proxy_of_the_environment_is_used(
    services: Services, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server is asked, as a proxy, for an address elsewhere, with a name that says who asks."""
    monkeypatch.setenv("http_proxy", services.base)
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    services.fail("http://elsewhere.invalid/x", Answer(b"through the proxy"))
    thing = Source("thing", "A service", ("http://elsewhere.invalid/x",), "free", headers={"X-Key": "secret"})
    assert client(tmp_path).get(thing, thing.addresses, any_file).path.read_bytes() == b"through the proxy"
    target, headers = services.asked[0]
    assert target == "http://elsewhere.invalid/x"
    assert headers["User-Agent"].startswith("community-routes")
    assert headers["X-Key"] == "secret"


def test_certificates_that_cannot_be_read_are_a_message(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The variable that names them is said."""
    (tmp_path / "ca.pem").write_text("no certificate", encoding="utf-8")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "ca.pem"))
    with pytest.raises(UsageError, match="REQUESTS_CA_BUNDLE"):
        client(tmp_path)


def test_a_check_that_fails_leaves_no_part(services: Services, tmp_path: Path) -> None:
    """A refused answer is gone, so that the next run starts anew."""
    services.files["x"] = b"odd"

    def refuse(path: Path) -> None:
        raise BadAnswerError("it is odd")

    thing = source(services, "/x")
    with pytest.raises(FetchError, match="it is odd"):
        client(tmp_path).get(thing, thing.addresses, refuse)
    assert list((tmp_path / "kept").iterdir()) == []


# ---------------------------------------------------------------------------------------------------------------------------
# Addresses and places


def test_addresses_are_changed_by_a_file_or_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One address, a list, or parts; what is not named stays as it is."""
    path = tmp_path / "own.yaml"
    path.write_text(
        "cars: https://example.org/cars.zip\nlookup: {fields: {ward: WD25NM}}\ntimetable: {headers: {X-Key: abc}}\n",
        encoding="utf-8",
    )
    table = read_sources(path)
    assert table["cars"].addresses == ("https://example.org/cars.zip",)
    assert table["lookup"].fields["ward"] == "WD25NM"
    assert table["lookup"].fields["code"] == "LSOA21CD"
    assert table["timetable"].headers == {"X-Key": "abc"}
    assert table["population"] == read_sources()["population"]
    monkeypatch.setenv("COMMUNITY_ROUTES_SOURCES", str(path))
    assert read_sources() == table


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("buses: https://example.org", "'buses' is no source; they are streets, timetable"),
        ("cars: example.org", "begins with https://"),
        ("cars: {adress: https://example.org}", "'adress' is not one of addresses"),
        ("cars: {page: none}", "page is a number"),
        ("cars: {fields: [a]}", "fields are keys with texts"),
        ("[1, 2]", "keys with addresses are expected"),
        ("cars: [", "no YAML or JSON"),
        ("cars: 2024-02-30", "no YAML or JSON.*put texts into quotes"),
        ("cars: 2024-01-01T99:99:99Z", "no YAML or JSON.*put texts into quotes"),
        (f"cars: {'9' * 5000}", "no YAML or JSON"),
        (f"cars: {'[' * 20000}{']' * 20000}", "nested too deep"),
        ("? [a, {b: c}]\n: x", "no YAML or JSON|is no source"),
        ("cars: https://[::1", "no address that can be asked"),
        ("cars: 'https://host:port/'", "no address that can be asked"),
        ("cars: 'https://'", "no address that can be asked"),
        ('cars: {headers: {"X-Key": "a\\nb"}}', "cannot stand in a header"),
    ],
)
def test_a_wrong_file_of_addresses_is_refused(tmp_path: Path, text: str, words: str) -> None:
    """With the file's name and what is expected."""
    path = tmp_path / "own.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(UsageError, match=words):
        read_sources(path)


def test_every_english_authority_of_the_table_has_a_region_and_a_county() -> None:
    """The ten of Greater Manchester and the fourteen of Lancashire lie in the north west; Stockton lies in two counties."""
    manchester = [
        "Bolton",
        "Bury",
        "Manchester",
        "Oldham",
        "Rochdale",
        "Salford",
        "Stockport",
        "Tameside",
        "Trafford",
        "Wigan",
    ]
    assert {(region_of(name), counties_of(name)) for name in manchester} == {("north_west", ("greater-manchester",))}
    lancashire = [
        "Blackburn with Darwen",
        "Blackpool",
        "Burnley",
        "Chorley",
        "Fylde",
        "Hyndburn",
        "Lancaster",
        "Pendle",
    ]
    lancashire += ["Preston", "Ribble Valley", "Rossendale", "South Ribble", "West Lancashire", "Wyre"]
    assert {(region_of(name), counties_of(name)) for name in lancashire} == {("north_west", ("lancashire",))}
    assert counties_of("Stockton-on-Tees") == ("durham", "north-yorkshire")
    assert region_of("Westminster") == "london"
    assert region_of("Atlantis") == ""
    assert len(COUNTIES) == 47
    assert len(REGIONS) == 11


# ---------------------------------------------------------------------------------------------------------------------------
# Tables and streets


@pytest.mark.parametrize(
    ("heading", "expected"),
    [
        (
            "LSOA code (2021),LSOA name (2021),Index of Multiple Deprivation (IMD) Score,Index of Multiple Deprivation (IMD) Rank"
            " (where 1 is most deprived),Index of Multiple Deprivation (IMD) Decile (where 1 is most deprived 10% of LSOAs),"
            "Income Score (rate),Income Rank (where 1 is most deprived),Employment Rank (where 1 is most deprived),Income "
            "Deprivation Affecting Children Index (IDACI) Rank (where 1 is most deprived)",
            {"code": 0, "rank": 3, "decile": 4, "income_rank": 6},
        ),
        ("lsoa11_code,lsoa11_name,Crime_decile,IMD_decile,Crime_rank,IMD_rank", {"code": 0, "decile": 3, "rank": 5}),
        ("LSOA Code,Local authority,WIMD 2025,Rank,Decile", {"code": 0, "rank": 3, "decile": 4}),
    ],
)
def test_columns_of_deprivation_are_those_of_the_whole_index(heading: str, expected: dict[str, int]) -> None:
    """Not those of a domain, nor the name or the score."""
    names = heading.split(",")
    found = deprivation_columns(dict.fromkeys(names, "1"), "the table", ours=True)
    assert found == {key: names[place] for key, place in expected.items()}


def test_streets_are_cut_to_the_box_with_ways_and_areas_whole(tmp_path: Path) -> None:
    """A box round columns 0 to 3 of a grid: its four columns, all seven rows whole, no other column, no area."""
    extract = grid(tmp_path / "county.osm.pbf", range(-2, 16))
    box = (WEST - 0.001, SOUTH - 0.02, WEST + 0.016, SOUTH + 0.03)
    clip_streets([extract], box, tmp_path / "clip.osm.pbf")
    ways = {way.id for way in osmium.FileProcessor(str(tmp_path / "clip.osm.pbf"), osmium.osm.WAY)}
    assert ways == {*range(98, 105), 200, 201, 202, 203}
    nodes = {node.id for node in osmium.FileProcessor(str(tmp_path / "clip.osm.pbf"), osmium.osm.NODE)}
    assert nodes == {1000 + 10 * column + row for column in range(-2, 16) for row in range(-2, 5)} | {5000}
    assert list(osmium.FileProcessor(str(tmp_path / "clip.osm.pbf"), osmium.osm.RELATION)) == []
    assert osmium.io.Reader(str(tmp_path / "clip.osm.pbf")).header().box().bottom_left.lon == pytest.approx(box[0])
    assert sorted(path.name for path in tmp_path.iterdir()) == ["clip.osm.pbf", "county.osm.pbf"]
