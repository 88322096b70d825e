"""A server that answers from a drawn town by the contract of the workbench's API, for tests of the page alone.

The town is a square of three by three neighbourhoods of 0.01 degrees, ``z0`` to ``z8`` row by row from the south-west. Route 1
runs along the bottom row from West over Middle to East, route 2 up the middle from Middle to North. The texts are JSON, which
is YAML as well, so that an edit needs no second reader of YAML.
"""

from __future__ import annotations

import json
import mimetypes
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import Page, Request, Route
from xstatic.pkg import leaflet

ADDRESS = "http://workbench.test"
TOKEN = "of-this-session"
WEST, SOUTH, STEP = -3.03, 51.57, 0.01
STOPS = {"s1": ("West", 0.5, 0.5), "s2": ("Middle", 1.5, 0.5), "s3": ("East", 2.5, 0.5), "s4": ("North", 1.5, 2.5)}
PLACES = {"id": "places", "name": "places", "factor": 1.0}
MINUTES = {"id": "s", "name": "minutes", "factor": 1 / 60}
LEVELS = ["#ffffd9", "#8fd3ba", "#1c2f7c"]
CHANGES = ["#8c510a", "#f4f3ef", "#01554b"]


def at(x: float, y: float) -> list[float]:
    """Longitude and latitude of a place of the square, in steps from its south-western corner."""
    return [round(WEST + x * STEP, 6), round(SOUTH + y * STEP, 6)]


def stop(key: str) -> dict[str, Any]:
    name, x, y = STOPS[key]
    return {"id": key, "name": name, "lon": at(x, y)[0], "lat": at(x, y)[1], "routes": ["r1" if key != "s4" else "r2"]}


def route(key: str, name: str, keys: list[str]) -> dict[str, Any]:
    line = [[stop(one)["lon"], stop(one)["lat"]] for one in keys]
    patterns = [{"stops": keys, "line": line, "trips": 20}, {"stops": keys[::-1], "line": line[::-1], "trips": 20}]
    return {
        "id": key,
        "name": name,
        "long_name": " - ".join(stop(one)["name"] for one in keys),
        "operator": "Town Buses",
        "mode": "bus",
        "patterns": patterns,
        "headways": {"weekday": {"07:00-09:00": 30, "09:00-16:00": 60}, "sunday": {"07:00-09:00": None}},
    }


def study(scenarios: list[dict[str, Any]], **changes: Any) -> dict[str, Any]:
    measures = [
        {
            "id": "cumulative_opportunities",
            "label": "Places within reach",
            "unit": PLACES,
            "less_is_better": False,
            "cutoffs_min": [30, 45],
            "readings": [{"id": "mean", "name": "mean"}, {"id": "p50", "name": "middle"}],
            "kinds": [],
        },
        {
            "id": "nearest",
            "label": "Minutes to the nearest",
            "unit": MINUTES,
            "less_is_better": True,
            "cutoffs_min": [],
            "readings": [{"id": "mean", "name": "mean"}],
            "kinds": ["shared_spaces"],
        },
    ]
    start = {
        "day": "weekday",
        "window": "morning",
        "kind": "shared_spaces",
        "measure": "cumulative_opportunities",
        "cutoff_min": 30,
        "reading": "mean",
        "group": "local_1",
    }
    return {
        "title": "Threetown",
        "version": "1.0",
        "read_only": False,
        "invented": True,
        "currency": "GBP",
        "days": [
            {"id": "weekday", "name": "Weekday", "date": "2026-01-14"},
            {"id": "sunday", "name": "Sunday", "date": "2026-01-18"},
        ],
        "windows": [{"id": "morning", "name": "Morning peak", "start": "07:00", "end": "09:00", "days": []}],
        "kinds": [{"id": "shared_spaces", "name": "Shared spaces"}, {"id": "employment", "name": "Employment"}],
        "measures": measures,
        "groups": [{"id": "local_1", "label": "Most deprived fifth"}, {"id": "all", "label": "All residents"}],
        "start": start,
        "scenarios": scenarios,
        "drafts": [],
        "credits": ["Drawn by hand"],
        "schema": {},
        "periods": ["07:00-09:00", "09:00-16:00"],
        **changes,
    }


def town() -> dict[str, Any]:
    features = []
    for i in range(9):
        x, y = i % 3, i // 3
        ring = [at(x, y), at(x + 1, y), at(x + 1, y + 1), at(x, y + 1), at(x, y)]
        known = {"id": f"z{i}", "name": f"Ward {i}", "population": 100 * (i + 1), "fifth": 1 + i // 2}
        features.append(
            {"type": "Feature", "properties": known, "geometry": {"type": "Polygon", "coordinates": [ring]}}
        )
    streets = [[at(0, y + 0.5), at(3, y + 0.5)] for y in range(3)]
    places = [{"id": "p1", "kind": "shared_spaces", "name": "Library", "lon": at(0.5, 2.4)[0], "lat": at(0.5, 2.4)[1]}]
    return {
        "bounds": [*at(0, 0), *at(3, 3)],
        "streets": [{"class": "main", "lines": streets}],
        "neighbourhoods": {"type": "FeatureCollection", "features": features},
        "places": places,
        "stops": [stop(key) for key in STOPS],
        "routes": [route("r1", "1", ["s1", "s2", "s3"]), route("r2", "2", ["s2", "s4"])],
        "background": {"green": {"areas": []}, "water": {"areas": [], "lines": []}, "railways": {"lines": []}},
        "labels": [{"name": "Threetown", "kind": "town", "lon": at(1.5, 1.5)[0], "lat": at(1.5, 1.5)[1]}],
    }


def edited(text: str, edit: dict[str, Any]) -> str:
    """The text of a proposal after an edit, by the contract."""
    said = json.loads(text)
    changes, op, index = said["changes"], edit["op"], edit.get("index")
    if op == "add":
        changes.append(edit["change"])
    elif op == "set":
        off = next(iter(changes[index].values())).get("off")
        changes[index] = edit["change"]
        if off:
            next(iter(changes[index].values()))["off"] = True
    elif op == "remove":
        del changes[index]
    elif op == "move":
        changes.insert(edit["to"], changes.pop(index))
    elif op in ("off", "on"):
        fields = next(iter(changes[index].values()))
        fields.pop("off", None)
        if op == "off":
            fields["off"] = True
    elif op == "head":
        said.update(edit["head"])
        said = {key: value for key, value in said.items() if value is not None}
    return json.dumps(said, indent=1)


def proposal(scenario: str, *changes: dict[str, Any], title: str = "") -> str:
    return json.dumps({"scenario": scenario, "title": title or scenario, "changes": list(changes)}, indent=1)


def read(text: str) -> Any:
    """The proposal of a text: JSON, or the three lines with which the page starts a new one."""
    try:
        return json.loads(text)
    except ValueError:
        lines = dict(line.split(": ", 1) for line in text.strip().splitlines())
        return {**lines, "title": lines["title"].strip('"'), "changes": []}


@dataclass
class Canned:
    """The server: what it was asked, and how it answers. ``early`` questions come before the study is read."""

    texts: dict[str, str]
    study_changes: dict[str, Any] = field(default_factory=dict)
    faults: list[dict[str, Any]] = field(default_factory=list)
    asked: list[tuple[str, str, Any]] = field(default_factory=list)
    kept: dict[str, str] = field(default_factory=dict)
    on_disk: set[str] = field(default_factory=set)
    closed: tuple[str, ...] = ()
    early: int = 0
    refused: list[str] = field(default_factory=list)
    found: str | None = None

    def open(self, page: Page, *, tour: bool = False) -> None:
        """Show the page, without its tour unless wanted, and wait for the first answer."""
        page.route("**/*", self.handle)
        if not tour:
            page.add_init_script("try { localStorage.setItem('workbench-tour', 'seen'); } catch (e) {}")
        page.goto(ADDRESS + "/")
        page.wait_for_selector('html[data-ready="yes"]')

    def edits(self) -> list[dict[str, Any]]:
        """The edits that were asked for, in order."""
        return [body["edit"] for _, path, body in self.asked if path == "edit"]

    def handle(self, route: Route, request: Request) -> None:
        path = urlsplit(request.url).path
        if not path.startswith("/api/v1/"):
            self.static(route, path)
            return
        if request.headers.get("x-community-routes-token") != TOKEN:
            route.fulfill(status=401, json={"detail": [{"severity": "error", "kind": "token", "message": "No token."}]})
            return
        body = request.post_data_json if request.post_data else None
        name = path.removeprefix("/api/v1/")
        self.asked.append((request.method, name, body))
        status, content = self.answer(request.method, name, body)
        route.fulfill(status=status, json=content)

    def static(self, route: Route, path: str) -> None:
        """The page and its files as the server gives them."""
        if not path.startswith("/static/") and path != "/":
            self.refused.append(path)
            route.abort()
            return
        name = path.removeprefix("/static/") or "workbench.html"
        name = "workbench.html" if path == "/" else name
        if name.startswith("leaflet."):
            source = Path(leaflet.BASE_DIR) / name
        elif name == "page.css":
            source = Path(str(files("community_routes.report") / "templates" / name))
        else:
            source = Path(str(files("community_routes") / "workbench" / "page" / name))
        text = source.read_text(encoding="utf-8")
        if path == "/":
            for key, value in (("token", TOKEN), ("title", "Threetown"), ("version", "1.0")):
                text = text.replace("{{ " + key + " }}", value)
        kind = mimetypes.guess_type(name)[0] or "text/plain"
        policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'"
        route.fulfill(body=text, content_type=f"{kind}; charset=utf-8", headers={"Content-Security-Policy": policy})

    def answer(self, method: str, name: str, body: Any) -> tuple[int, Any]:
        """Status and content for one question."""
        if name in ("study", "map", "state") and self.early > 0:
            self.early -= 1
            if name != "state":
                return 503, {"detail": [{"severity": "error", "kind": "not_ready", "message": "not ready yet"}]}
            return 200, {"state": "reading", "stage": "reading the timetable", "seconds": 0.1, "faults": []}
        if name == "state":
            return 200, {"state": "ready", "stage": "", "seconds": 1.0, "faults": []}
        if name == "study":
            there = [
                {"id": k, "title": k, "file": f"{k}.yaml", "sha256": "0" * 64, "text": v, "given": k not in self.closed}
                for k, v in self.texts.items()
            ]
            return 200, study(there, **self.study_changes)
        if name == "map":
            return 200, town()
        if name == "edit":
            text = body["text"] if body["text"].startswith("{") else json.dumps(read(body["text"]))
            return 200, {"text": edited(text, body["edit"]), "faults": []}
        if name == "answer":
            return 200, self.figures(body)
        if name.startswith(("files/", "drafts/")):
            return self.keep(method, *name.split("/", 1), body)
        if name == "compare":
            asked = [(name, self.figures({**body, "scenario": name})) for name in body["scenarios"]]
            rows = [{"id": k, "title": k, "faults": [], "figures": one["figures"]} for k, one in asked]
            return 200, {"rows": rows}
        if name == "better":
            return 202, {"job": "j"}
        if name == "report/j":
            first = sum(one[:2] == ("GET", "report/j") for one in self.asked) == 1
            state = {"state": "running", "progress": 0.4, "stage": "best so far +1.00 %", "url": None, "text": None}
            done = {"state": "done", "progress": 1.0, "url": "/report/j/report.html", "text": self.found}
            return 200, {**state, **({} if first else done), "message": ""}
        if name == "neighbourhood":
            return 200, NEIGHBOURHOOD
        if name == "way":
            return 200, {"osm_way": 77, "name": "Mill Lane", "metres": 2.0}
        if name == "isochrone":
            ring = [at(0, 0), at(2, 0), at(2, 2), at(0, 2), at(0, 0)]
            area = {"type": "Feature", "properties": {}, "geometry": {"type": "Polygon", "coordinates": [ring]}}
            reach = {"areas": {"type": "FeatureCollection", "features": [area]}}
            today = {**reach, "persons": 300.0, "amounts": {"employment": 40.0}}
            return 200, {
                "today": today,
                "value": {**reach, "persons": 900.0, "amounts": {"employment": 70.0}},
                "faults": [],
            }
        return 404, {"detail": [{"severity": "error", "kind": "unknown", "message": name}]}

    def keep(self, method: str, what: str, key: str, body: Any) -> tuple[int, Any]:
        """Write a file or a draft; a file that is there already, or changed, is refused."""
        if what == "files":
            if key in self.on_disk:
                fault = {"severity": "error", "kind": "changed_on_disk", "message": f"{key}.yaml changed on the disk."}
                return 409, {"detail": [fault]}
            self.kept[key] = body["text"]
        return 200, {"sha256": "1" * 64, "file": f"{key}.yaml"}

    def figures(self, body: Any) -> dict[str, Any]:
        """Each change that is on gives every neighbourhood one place more, and 100 residents are better off for each."""
        said = {"changes": []} if body["scenario"] == "today" else read(body["files"][body["scenario"]])
        if body.get("edit"):
            said = json.loads(edited(json.dumps(said), body["edit"]))
        if self.faults:
            return {"faults": self.faults, "changes": [], "seconds": 0.01}
        told = [self.change(i, change) for i, change in enumerate(said["changes"])]
        n = sum(not one["off"] for one in told)
        groups = [
            {
                "id": key,
                "grouping": "local",
                "group": key,
                "label": label,
                "today": 10.0,
                "value": 10.0 + n,
                "change": 1.0 * n,
                "change_percent": 10.0 * n,
                "population": 900,
            }
            for key, label in (("local_1", "Most deprived fifth"), ("all", "All residents"))
        ]
        return {
            "seconds": 0.05,
            "faults": [],
            "changes": told,
            "neighbourhoods": {
                "id": [f"z{i}" for i in range(9)],
                "today": [float(i) for i in range(8)] + [None],
                "value": [float(i + n) for i in range(8)] + [None],
                "change": [float(n)] * 8 + [None],
                "reason": [""] * 8 + ["off_network"],
            },
            "scales": {
                "level": {"breaks": [3, 6], "colors": LEVELS, "labels": ["few", "some", "many"], "unit": "places"},
                "change": {
                    "breaks": [-0.5, 0.5],
                    "colors": CHANGES,
                    "labels": ["less", "no change", "more"],
                    "unit": "places",
                },
            },
            "figures": {
                "choice": body["choice"],
                "unit": PLACES,
                "groups": groups,
                "persons": {"better": 100 * n, "worse": 0, "same": 4500 - 100 * n, "gained": 1.0 * n, "lost": 0.0},
                "cost": {
                    "bus_hours": 1000.0 * n,
                    "vehicle_km": 20000.0 * n,
                    "buses": n,
                    "cost": 50000.0 * n,
                    "missing": "",
                    "assumptions": ["253 weekdays"],
                },
                "gain_per_1000_bus_hours": 1.0 if n else None,
            },
            "routes": [],
        }

    def change(self, index: int, change: dict[str, Any]) -> dict[str, Any]:
        """What is said of one change."""
        (kind, fields), *_ = change.items()
        fields = dict(fields)
        off = bool(fields.pop("off", False))
        spots = [self.spot(one) for one in fields.get("stops", [])]
        return {
            "index": index,
            "kind": kind,
            "off": off,
            "fields": fields,
            "sentence": f"{kind} {fields.get('name', fields.get('route', ''))}".strip(),
            "effects": [f"effect of {kind}"],
            "warnings": [],
            "line": 1,
            "lines": [[[one["lon"], one["lat"]] for one in spots]] if len(spots) > 1 else [],
            "stops": spots,
            "points": [],
        }

    def spot(self, written: Any) -> dict[str, Any]:
        if isinstance(written, dict):
            return {
                "id": "",
                "name": written["name"],
                "lon": written["at"][0],
                "lat": written["at"][1],
                "minutes": 2.0,
            }
        for key, (name, *_) in STOPS.items():
            if written in (key, name):
                return {**stop(key), "minutes": 3.0}
        return {"id": "p1", "name": "Library", "lon": at(0.5, 2.4)[0], "lat": at(0.5, 2.4)[1], "minutes": 4.0}


NEIGHBOURHOOD = {
    "name": "Ward 1",
    "figures": [
        {
            "kind": "shared_spaces",
            "measure": "cumulative_opportunities",
            "label": "Places within 30 minutes",
            "reading": "mean",
            "cutoff_min": 30,
            "today": 1.0,
            "value": 2.0,
            "change": 1.0,
            "unit": PLACES,
        }
    ],
    "journeys": {
        "today": [
            {
                "to": "p1",
                "name": "Library",
                "minutes": None,
                "departure": "",
                "arrival": "",
                "legs": [],
                "why": "It takes too long.",
                "needed": "12 minutes less.",
            }
        ],
        "value": [
            {
                "to": "p1",
                "name": "Library",
                "minutes": 21.0,
                "departure": "08:00",
                "arrival": "08:21",
                "legs": [
                    {
                        "mode": "walk",
                        "route": "",
                        "from": "Ward 1",
                        "to": "Middle",
                        "departure": "08:00",
                        "arrival": "08:05",
                        "line": [at(1.2, 0.6), at(1.5, 0.5)],
                    },
                    {
                        "mode": "bus",
                        "route": "2",
                        "from": "Middle",
                        "to": "North",
                        "departure": "08:07",
                        "arrival": "08:21",
                        "line": [at(1.5, 0.5), at(1.5, 2.5)],
                    },
                ],
            }
        ],
    },
}
