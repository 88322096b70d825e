"""A local server that behaves like the services of open data, for one small made-up Blackburn with Darwen of six areas.

The areas ``E01000001`` ... ``E01000006`` are squares of 0.01 degrees in a row to the east from 2.50 degrees west, 53.74
degrees north; area k has 100 k residents (60 k of them white), 40 k households (10 k without a car), rank 1,000 k and
decile k. Layers give at most four rows a page. A fault can be put before any service: it answers once and is gone.
"""

from __future__ import annotations

import io
import json
import re
import tempfile
import threading
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import osmium
from osmium.osm import mutable

from feed_zip import DATED, GOOD

WEST, SOUTH, SIZE = -2.50, 53.74, 0.01
CODES = [f"E0100000{k}" for k in range(1, 7)]
OLD = {code: code.replace("E0100", "E0109") for code in CODES}
DATE = "Tue, 03 Mar 2026 10:00:00 GMT"
PAGE = 4


@dataclass
class Answer:
    """What the server says: ``cut`` sends only so many bytes of the body it has announced; ``hang`` waits before."""

    body: bytes
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    cut: int | None = None
    hang: threading.Event | None = None


@dataclass
class Services:
    """The services: what each path gives, the faults waiting before it, and every request that came."""

    base: str = ""
    files: dict[str, bytes] = field(default_factory=dict)
    layers: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    faults: dict[str, list[Callable[[], Answer]]] = field(default_factory=dict)
    asked: list[tuple[str, dict[str, str]]] = field(default_factory=list)

    def fail(self, part: str, answer: Callable[[], Answer] | Answer, times: int = 1) -> None:
        """Put a fault before the addresses that hold a text."""
        self.faults.setdefault(part, []).extend([answer if callable(answer) else lambda: answer] * times)

    def answer(self, target: str, headers: dict[str, str]) -> Answer:
        """What is said to one request."""
        self.asked.append((target, headers))
        for part, waiting in self.faults.items():
            if part in target and waiting:
                return waiting.pop(0)()
        split = urlsplit(target)
        question = {key: values[0] for key, values in parse_qs(split.query).items()}
        name = split.path.strip("/")
        if name in self.layers:
            return self._layer(self.layers[name], question)
        if name == "jobs":
            return self._jobs(int(question["RecordOffset"]), int(question["RecordLimit"]))
        if name not in self.files:
            return Answer(b"not here", 404)
        return self._file(self.files[name], headers)

    def _file(self, body: bytes, headers: dict[str, str]) -> Answer:
        tag = f'"{len(body)}-{sum(body) % 9973}"'
        if headers.get("If-None-Match") == tag:
            return Answer(b"", 304)
        told = {"ETag": tag, "Last-Modified": "Mon, 02 Mar 2026 06:00:00 GMT"}
        if headers.get("If-Range") == tag:
            start = int(headers["Range"].removeprefix("bytes=").rstrip("-"))
            span = {"Content-Range": f"bytes {start}-{len(body) - 1}/{len(body)}"}
            return Answer(body[start:], 206, told | span)
        return Answer(body, 200, told)

    def _layer(self, features: list[dict[str, Any]], question: dict[str, str]) -> Answer:
        found = features
        if test := re.fullmatch(r"(\w+)='(.*)'", question["where"]):
            found = [f for f in features if f["properties"][test[1]] == test[2].replace("''", "'")]
        elif test := re.fullmatch(r"(\w+) IN \((.*)\)", question["where"]):
            found = [f for f in features if f"'{f['properties'][test[1]]}'" in test[2].split(",")]
        if "returnCountOnly" in question:
            return Answer(json.dumps({"count": len(found)}).encode())
        start = int(question["resultOffset"])
        page = found[start : start + min(PAGE, int(question["resultRecordCount"]))]
        return Answer(json.dumps({"type": "FeatureCollection", "features": page}).encode())

    def _jobs(self, start: int, limit: int) -> Answer:
        rows = [f"E0200000{k},MSOA {k},{k}00,3" for k in (1, 2, 3)][start : start + limit]
        text = "\n".join(["GEOGRAPHY_CODE,GEOGRAPHY_NAME,OBS_VALUE,RECORD_COUNT", *rows]) + "\n"
        return Answer(text.encode())

    def sources(self, path: Path, **changed: Any) -> Path:
        """Write a file of addresses that all lead here."""
        at = f"{self.base}/"
        table = {
            "streets": [f"{at}united-kingdom/{{place}}.pbf", f"{at}great-britain/{{place}}.pbf"],
            "timetable": f"{at}bods/{{region}}/",
            "naptan": f"{at}naptan?atcoAreaCodes={{areas}}",
            "jobs": {"addresses": f"{at}jobs", "page": 2},
        }
        names = ("lookup", "boundaries", "centroids", "lsoa_2011", "job_points")
        names += ("imd_2025", "imd_2019", "population", "ethnicity", "cars")
        table |= {name: f"{at}{name}" for name in names}
        path.write_text(json.dumps(table | changed), encoding="utf-8")
        return path


def good_services(folder: Path) -> Services:
    """Services with nothing wrong; the extract of the county lies in the folder too."""
    found = Services(files=dict(_good_files()))
    (folder / "county.osm.pbf").write_bytes(found.files["great-britain/england/lancashire.pbf"])
    found.layers = {
        "lookup": [_feature(_lookup(k, code)) for k, code in enumerate(CODES)]
        + [_feature({**_lookup(9, "W01000001"), "LAD24CD": "W06000022", "LAD24NM": "Newport"})],
        "boundaries": [_feature({"LSOA21CD": code}, _square(k)) for k, code in enumerate([*CODES, "W01000001"])],
        "centroids": [_feature({"LSOA21CD": c}, _point(k)) for k, c in enumerate([*CODES, "W01000001"])],
        "lsoa_2011": [_feature({"LSOA11CD": OLD[c], "LSOA21CD": c}, _point(k)) for k, c in enumerate(CODES)],
        "job_points": [_feature({"msoa11cd": f"E0200000{k}"}, _point(2 * k - 1)) for k in (1, 2)],
    }
    return found


@cache
def _good_files() -> dict[str, bytes]:
    """What the services give as whole files, by path."""
    codes = [*CODES, "E01999999", "W01000001"]
    groups = ("Asian, Asian British or Asian Welsh", "Black, Black British, Black Welsh, Caribbean or African")
    groups += ("Mixed or Multiple ethnic groups", "White", "Other ethnic group")
    return {
        "great-britain/england/lancashire.pbf": _streets(),
        "bods/north_west": _feed(),
        "population": _census("ts001", codes, {"Residence type: Total; measures: Value": 100}),
        "ethnicity": _census(
            "ts021",
            codes,
            {
                "Ethnic group: Total: All usual residents": 100,
                **{f"Ethnic group: {name}": 60 if name == "White" else 10 for name in groups},
                "Ethnic group: White: Irish": 1,
            },
        ),
        "cars": _census(
            "ts045",
            codes,
            {
                "Number of cars or vans: Total: All households": 40,
                "Number of cars or vans: No cars or vans in household": 10,
            },
        ),
        "imd_2025": _imd("2021", codes[:-1]),
        "imd_2019": _imd("2011", [OLD[code] for code in CODES]),
        "naptan": "\n".join(
            ["ATCOCode,CommonName,Longitude,Latitude"]
            + [f"2580{stop},Stop {stop},{WEST + 0.01 * k},{SOUTH + 0.005}" for k, stop in enumerate("ABCD")]
            + ["2580Z,Far away,-1.0,52.0"]
        ).encode(),
    }


def _lookup(k: int, code: str) -> dict[str, str]:
    name = f"Blackburn with Darwen 00{k}A"
    ward = "Corporation Park" if k < 3 else "Mill Hill"
    return {
        "LSOA21CD": code, "LSOA21NM": name, "WD24NM": ward, "LAD24CD": "E06000008", "LAD24NM": "Blackburn with Darwen",
    }  # fmt: skip


def _feature(properties: dict[str, Any], geometry: dict[str, Any] | None = None) -> dict[str, Any]:
    return {"type": "Feature", "properties": properties, "geometry": geometry}


def _square(k: int) -> dict[str, Any]:
    x, y = WEST + SIZE * k, SOUTH
    ring = [[x, y], [x + SIZE, y], [x + SIZE, y + SIZE], [x, y + SIZE], [x, y]]
    return {"type": "Polygon", "coordinates": [[[round(a, 6), round(b, 6)] for a, b in ring]]}


def _point(k: int) -> dict[str, Any]:
    return {"type": "Point", "coordinates": [round(WEST + SIZE * (k + 0.5), 6), SOUTH + 0.005]}


def _census(table: str, codes: list[str], columns: dict[str, int]) -> bytes:
    quoted = ",".join(f'"{name}"' for name in columns)
    lines = [f"date,geography,geography code,{quoted}"]
    for k, code in enumerate(codes, start=1):
        lines.append(",".join(["2021", f"Place {k}", code, *(str(k * each) for each in columns.values())]))
    return _zip({f"census2021-{table}-lsoa.csv": "\n".join(lines) + "\n", f"census2021-{table}-ctry.csv": "a,b\n1,2\n"})


def _imd(year: str, codes: list[str]) -> bytes:
    what = "Index of Multiple Deprivation (IMD)"
    heading = f"LSOA code ({year}),LSOA name ({year}),{what} Rank (where 1 is most deprived),{what} Decile (1 is most deprived)"
    rows = [f"{code},Place {k},{1000 * k},{k},{900 * k}" for k, code in enumerate(codes, start=1)]
    return "\n".join([f"{heading},Income Rank (where 1 is most deprived)", *rows]).encode("utf-8-sig")


def _zip(members: dict[str, str]) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in members.items():
            archive.writestr(zipfile.ZipInfo(name, DATED), text)
    return content.getvalue()


def _feed() -> bytes:
    """Route 7 calls at four stops every 20 minutes; route 9 runs far away in London."""
    stops = ["stop_id,stop_name,stop_lat,stop_lon"]
    stops += [f"2580{stop},Stop {stop},{SOUTH + 0.005},{WEST + 0.005 + 0.015 * k:.4f}" for k, stop in enumerate("ABCD")]
    stops += ["490A,Strand,51.51,-0.12", "490B,Aldwych,51.515,-0.11"]
    trips, calls = ["route_id,service_id,trip_id"], ["trip_id,arrival_time,departure_time,stop_id,stop_sequence"]
    for number, minute in enumerate(range(6 * 60, 22 * 60, 20)):
        trips.append(f"R7,daily,T{number}")
        for k, stop in enumerate("ABCD"):
            clock = f"{(minute + 4 * k) // 60:02}:{(minute + 4 * k) % 60:02}:00"
            calls.append(f"T{number},{clock},{clock},2580{stop},{k}")
    trips.append("R9,london,L1")
    calls += ["L1,08:00:00,08:00:00,490A,1", "L1,08:09:00,08:09:00,490B,2"]
    calls.append("GHOST,08:00:00,08:00:00,2580A,1")  # a trip that trips.txt lacks: a warning
    tables = {
        **GOOD,
        "stops": "\n".join(stops) + "\n",
        "routes": "route_id,agency_id,route_short_name,route_type\nR7,OP1,7,3\nR9,OP9,9,3\n",
        "agency": GOOD["agency"] + "OP9,London Buses,https://example.org,Europe/London\n",
        "trips": "\n".join(trips) + "\n",
        "stop_times": "\n".join(calls) + "\n",
        "calendar": GOOD["calendar"].replace("20240101,20241231", "20260101,20261231")
        + "london,1,1,1,1,1,0,0,20260101,20261231\n",
    }
    return _zip({f"{name}.txt": text for name, text in tables.items()})


def grid(path: Path, columns: range, *, places: bool = True) -> Path:
    """Streets every 0.005 degrees: columns by number from the west, seven rows; and two libraries, an estate, a park round it."""
    path.unlink(missing_ok=True)
    rows = range(-2, 5)
    with osmium.SimpleWriter(str(path)) as writer:
        for column in columns:
            for row in rows:
                here = (WEST + 0.005 * column, SOUTH + 0.005 * row)
                writer.add_node(mutable.Node(id=1000 + 10 * column + row, version=1, location=here))
        if places:
            library = {"amenity": "library", "name": "Central Library"}
            writer.add_node(mutable.Node(id=5000, version=1, location=(WEST + 0.011, SOUTH + 0.006), tags=library))
            far = {"amenity": "library", "name": "Elsewhere"}
            writer.add_node(mutable.Node(id=5001, version=1, location=(-1.0, 52.0), tags=far))
        street = {"highway": "residential"}
        for row in rows:
            nodes = [1000 + 10 * column + row for column in columns]
            writer.add_way(mutable.Way(id=100 + row, version=1, nodes=nodes, tags=street))
        for column in columns:
            nodes = [1000 + 10 * column + row for row in rows]
            writer.add_way(mutable.Way(id=200 + column, version=1, nodes=nodes, tags=street))
        if places:
            ring = [1000 + 10 * x + y for x, y in ((6, 0), (7, 0), (7, 1), (6, 1), (6, 0))]
            tags = {"landuse": "industrial", "name": "Whitebirk"}
            writer.add_way(mutable.Way(id=900, version=1, nodes=ring, tags=tags))
            park = {"type": "multipolygon", "leisure": "park", "name": "Queen's Park"}
            writer.add_relation(mutable.Relation(id=9000, version=1, members=[("w", 900, "outer")], tags=park))
    return path


def _streets() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        return grid(Path(folder) / "county.osm.pbf", range(-2, 16)).read_bytes()


@contextmanager
def serving(services: Services) -> Iterator[Services]:
    """Run the services on a port of this machine."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            answer = services.answer(self.path, dict(self.headers))
            if answer.hang is not None:
                answer.hang.wait(60)
            self.send_response_only(answer.status)
            for name, value in {"Date": DATE, "Connection": "close", **answer.headers}.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(answer.body)))
            self.end_headers()
            try:
                self.wfile.write(answer.body[: answer.cut])
            except OSError:  # whoever asked is gone
                return
            self.close_connection = True

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    services.base = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield services
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
