"""Attacks: foreign hosts and pages, no token, huge and slow bodies, paths outside, hostile names and texts; none gets in."""

from __future__ import annotations

import asyncio
import json
import threading
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from benches import HOST, NOTHING, OFTEN, TOKEN, bench_in, client_of
from community_routes.workbench import guard
from community_routes.workbench.guard import CSP, MOST_BYTES, TOKEN_HEADER, Allowed, Guard

API = "/api/v1"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("outer")


@pytest.fixture(scope="module")
def client(folder: Path) -> TestClient:
    (folder / "secret.yaml").write_text("scenario: secret\nchanges: []\n", encoding="utf-8")
    (folder / "secret.geojson").write_text('{"type": "FeatureCollection", "features": []}', encoding="utf-8")
    return client_of(bench_in(folder / "town"))


def kind_of(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json()["detail"][0]["kind"]


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "127.0.0.1",
        "127.0.0.1:80",
        "localhost:9999",
        "evil.example:8000",
        "127.0.0.1:8000.evil.example",
        "",
        "[::1",
    ],
)
def test_another_host_is_refused(client, host):
    """A name that was made to point to this machine (DNS rebinding) or another port: not even the page is given."""
    for path in ("/", f"{API}/state", "/static/workbench.js"):
        assert kind_of(client.get(path, headers={"Host": host})) == (400, "foreign_host")


@pytest.mark.parametrize("host", [HOST, "localhost:8000", "LOCALHOST:8000", "[::1]:8000"])
def test_our_own_names_are_let_in(client, host):
    assert client.get(f"{API}/state", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize(
    "origin",
    ["http://evil.example", "null", "http://127.0.0.1:9999", "https://127.0.0.1:8000", "http://localhost:8000"],
)
def test_another_origin_is_refused(client, origin):
    """Even with the token; and nothing allows another origin to read an answer."""
    for call in (client.get, client.options, client.delete):
        answer = call(f"{API}/state", headers={"Origin": origin})
        assert kind_of(answer) == (403, "foreign_origin")
        assert not [name for name in answer.headers if name.startswith("access-control")]
    assert client.get(f"{API}/state", headers={"Origin": f"http://{HOST}"}).status_code == 200


def test_a_request_that_a_browser_calls_foreign_is_refused(client):
    """Sec-Fetch-Site tells of requests without an Origin, as of an image; the page itself may be opened by a link."""
    for site in ("cross-site", "same-site"):
        assert kind_of(client.get(f"{API}/state", headers={"Sec-Fetch-Site": site})) == (403, "foreign_origin")
        assert client.get("/", headers={"Sec-Fetch-Site": site}).status_code == 401
    assert client.get(f"{API}/state", headers={"Sec-Fetch-Site": "same-origin"}).status_code == 200


@pytest.mark.parametrize("token", ["", "wrong", TOKEN[:-1], TOKEN + "x", "é"])
def test_without_the_token_nothing_is_told(client, token):
    """Of the API in the header, of the page in the address; the description of the API is under the API."""
    headers = {TOKEN_HEADER: token.encode("latin-1")}
    for path in (f"{API}/state", f"{API}/study", f"{API}/openapi.json", f"{API}/report/x", f"{API}/no-such-path"):
        assert kind_of(client.get(path, headers=headers)) == (401, "no_token")
    assert kind_of(client.get("/", params={"token": token})) == (401, "no_token")
    assert kind_of(client.get("/docs", headers=headers)) == (401, "no_token")
    assert client.get("/docs").status_code == 404


def test_every_answer_has_a_strict_policy(client):
    """No inline script, nothing from elsewhere, in no frame; nothing is kept or sniffed."""
    for path in (f"{API}/state", f"{API}/nothing", "/static/nothing.js"):
        headers = client.get(path).headers
        assert headers["content-security-policy"] == CSP
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "no-referrer"
        assert headers["cache-control"] == "no-store"
    assert "unsafe" not in CSP
    assert "*" not in CSP
    assert "sandbox" in client.get("/report/x/report.html").headers["content-security-policy"]


def test_a_huge_body_is_refused_before_it_is_read(client):
    """100 MB announced is refused at once; 100 MB in pieces after the first million bytes."""
    assert kind_of(client.post(f"{API}/edit", content=b"x" * (MOST_BYTES + 1))) == (413, "too_large")
    headers = {"Content-Type": "application/json", "Content-Length": "100000000"}
    assert kind_of(client.post(f"{API}/edit", content=b"{}", headers=headers)) == (413, "too_large")


def scope(method: str = "POST", path: str = f"{API}/edit", **headers: str) -> dict[str, Any]:
    given = {"host": HOST, TOKEN_HEADER: TOKEN, "content-type": "application/json", **headers}
    pairs = [(name.lower().encode(), value.encode()) for name, value in given.items()]
    return {"type": "http", "method": method, "path": path, "query_string": b"", "headers": pairs}


def guarded(receive: Any, *, waiting: int = 0, **asked: str) -> tuple[int, int]:
    """What a guard answers to a request whose body comes from ``receive``, and how often its application was called."""
    answers: list[Any] = []
    called: list[Any] = []

    async def application(*request: Any) -> None:
        called.append(request)

    async def send(message: Any) -> None:
        answers.append(message)

    asyncio.run(
        Guard(application, Allowed.at("127.0.0.1", 8000, TOKEN), waiting=waiting)(scope(**asked), receive, send)
    )
    return (answers[0]["status"] if answers else 0), len(called)


def test_no_more_is_read_than_is_allowed():
    """Of 100 pieces of 1 MB the second is the last that is asked for."""
    asked: list[int] = []

    async def receive() -> dict[str, Any]:
        asked.append(1)
        return {"type": "http.request", "body": b"x" * 1_000_000, "more_body": True}

    assert guarded(receive) == (413, 0)
    assert len(asked) == 2


def test_a_body_that_does_not_come_is_not_waited_for(monkeypatch):
    """408 after the time for bodies; the application hears nothing of it."""
    monkeypatch.setattr(guard, "BODY_S", 0.05)

    async def receive() -> dict[str, Any]:
        await asyncio.sleep(60)
        raise AssertionError("nobody waits so long")

    assert guarded(receive) == (408, 0)


def test_no_more_wait_than_there_is_room_for():
    """The thirty-third is told that the server is busy; the thirty-second is let in."""

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    assert guarded(receive, waiting=32) == (503, 0)
    assert guarded(receive, waiting=31) == (0, 1)


def test_a_form_of_another_page_is_no_json(client):
    """What a page elsewhere can send without asking (forms, text) is refused even if it got this far."""
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", ""):
        answer = client.post(f"{API}/edit", content=b"{}", headers={"Content-Type": kind})
        assert kind_of(answer) == (415, "not_json")


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[" * 400_000,
        b'{"a":' * 150_000,
        b'{"text": "a: b", "edit": {"op": "add", "change": {"a": {"b": ' + b"[" * 20_000 + b"]" * 20_000 + b"}}}}",
        b"\xff\xfe",
        b'{"text": "\\ud800", "edit": {"op": "off", "index": 0}}',
        b'{"files": {"a": "\\ud800"}, "scenario": "a", "scenarios": ["a"]}',
        b"NaN",
    ],
    ids=[
        "empty",
        "cut",
        "lists",
        "objects",
        "deep change",
        "no text",
        "half a letter",
        "half a letter in a file",
        "no number",
    ],
)
def test_bodies_that_are_no_questions(client, content):
    """400 or 422 in the form of all refusals, or an answer with faults; never a fault of the server."""
    for path in ("/edit", "/answer", "/compare"):
        answer = client.post(f"{API}{path}", content=content, headers={"Content-Type": "application/json"})
        if answer.status_code == 200:
            assert answer.json()["faults"]
        else:
            assert answer.status_code in (400, 422), (path, answer.text[:200])
            assert answer.json()["detail"][0]["message"]


@pytest.mark.parametrize(
    "name",
    ["../secret", "..%2Fsecret", "..%5Csecret", "%2e%2e%2fsecret", "/etc/passwd", "a/b", ".hidden", "a%00b", "x" * 65],
)
def test_files_outside_the_folder_are_refused(client, folder, name):
    """A path in the place of an id is no id; the file outside is as it was."""
    body = {"text": "scenario: secret\nchanges: []\n", "was": None}
    for path in (f"{API}/files/{name}", f"{API}/drafts/{name}"):
        assert client.put(path, json=body).status_code in (404, 405, 422)
    for question in ({"scenario": name}, {"scenario": "a", "files": {name: NOTHING}}):
        assert client.post(f"{API}/answer", json=question).status_code == 422
    assert (folder / "secret.yaml").read_text("utf-8") == "scenario: secret\nchanges: []\n"


@pytest.mark.parametrize(
    "change",
    [
        "add_path: {name: P, line: ../secret.geojson}",
        "add_route: {name: X, line: {file: /etc/passwd}, speed_kmh: 20, service: {weekday: {07:00-09:00: 10}}}",
        "add_drt: {name: D, zone: ../../etc/passwd, hours: 09:00-16:00, wait_min: 20}",
    ],
)
def test_a_proposal_reads_no_file_outside_the_folder(client, change):
    """Its line is named; nothing of the file is told. Nor where it is switched off, for its line would be drawn."""
    for off in ("", "off: true, "):
        text = f"scenario: new\nchanges:\n  - {change.replace(': {', f': {{{off}', 1)}\n"
        found = client.post(f"{API}/answer", json={"files": {"new": text}, "scenario": "new"})
        assert found.status_code == 200
        assert [(fault["kind"], fault["line"]) for fault in found.json()["faults"]] == [("outside_folder", 3)]


def test_a_base_outside_the_folder_is_no_base(client):
    """`base` is an id of the same folder."""
    text = "scenario: new\nbase: ../secret\nchanges: []\n"
    found = client.post(f"{API}/answer", json={"files": {"new": text}, "scenario": "new"}).json()
    assert "is no scenario's name" in found["faults"][0]["message"]


def test_links_that_lead_out_are_not_followed(client, folder):
    """Neither read nor written."""
    link = folder / "town" / "link.yaml"
    link.symlink_to(folder / "secret.yaml")
    try:
        assert client.post(f"{API}/answer", json={"scenario": "link"}).status_code == 422
        answer = client.put(f"{API}/files/link", json={"text": "scenario: link\nchanges: []\n", "was": None})
        assert answer.status_code == 422
        assert "leads out of the folder" in answer.json()["detail"][0]["message"]
        text = "scenario: new\nbase: link\nchanges: []\n"
        found = client.post(f"{API}/answer", json={"files": {"new": text}, "scenario": "new"})
        assert found.status_code in (200, 422)
        assert "secret" not in found.text
    finally:
        link.unlink()
    assert "secret" in (folder / "secret.yaml").read_text("utf-8")


HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(1)>{{7*7}}\u202e'\"&"


def test_names_from_data_are_text(client):
    """They come back letter by letter as JSON that no browser takes for a page."""
    name = json.dumps(HOSTILE)
    text = f"scenario: new\ntitle: {name}\nchanges:\n  - add_space: {{name: {name}, at: [20.1, 0]}}\n"
    answer = client.post(f"{API}/answer", json={"files": {"new": text}, "scenario": "new"})
    assert answer.headers["content-type"] == "application/json"
    assert answer.json()["changes"][0]["points"][0]["name"] == HOSTILE
    row = client.post(f"{API}/compare", json={"files": {"new": text}, "scenarios": ["new"]}).json()["rows"][0]
    assert row["title"] == HOSTILE


def test_a_bomb_of_aliases_stays_small(client):
    """Ten levels of ten aliases stand for ten thousand million values: a fault at the line where it is too much."""
    lines = ["scenario: bomb", "changes: []", "a: &a [x, x, x, x, x, x, x, x, x, x]"]
    for before, name in zip("abcdefghi", "bcdefghij", strict=True):
        lines.append(f"{name}: &{name} [{', '.join([f'*{before}'] * 10)}]")
    text = "\n".join(lines) + "\n"
    edit = {"op": "add", "change": {"withdraw_route": {"route": "L1"}}}
    for path, body in (
        ("/answer", {"files": {"bomb": text}, "scenario": "bomb"}),
        ("/edit", {"text": text, "edit": edit}),
    ):
        faults = client.post(f"{API}{path}", json=body).json()["faults"]
        assert "the aliases stand for more than" in faults[0]["message"]


def test_ten_thousand_changes_are_refused(client):
    """Before any of them is tried; two hundred and one, too; and no more than fifty texts come with a question."""
    for n, words in ((9_000, "no study or scenario file is that large"), (201, "more than 200 changes")):
        text = "scenario: many\nchanges:\n" + "  - withdraw_route: {route: L1}\n" * n
        found = client.post(f"{API}/answer", json={"files": {"many": text}, "scenario": "many"})
        assert found.status_code == 200
        assert words in found.json()["faults"][0]["message"]
    body = {"files": {f"f{n}": NOTHING for n in range(51)}, "scenario": "f0"}
    assert client.post(f"{API}/answer", json=body).status_code == 422


class Asker:
    """Whoever sent a request: still there, or gone."""

    def __init__(self, *, gone: bool) -> None:
        self._gone = gone

    async def is_disconnected(self) -> bool:
        return self._gone


def test_a_browser_that_goes_costs_nothing(tmp_path):
    """While one question is worked on two others wait; one of them breaks off, and is never worked on."""
    bench = bench_in(tmp_path, start=False)
    done: list[str] = []
    begun, go_on = threading.Event(), threading.Event()

    def slow() -> None:
        begun.set()
        go_on.wait(20)
        done.append("slow")

    def asked(name: str, *, gone: bool) -> asyncio.Task[None]:
        return asyncio.create_task(bench.turn(Asker(gone=gone), lambda: done.append(name)))  # type: ignore[arg-type]

    async def everybody() -> list[Any]:
        first = asyncio.create_task(bench.turn(Asker(gone=False), slow))  # type: ignore[arg-type]
        while not begun.is_set():
            await asyncio.sleep(0.01)
        others = [asked("gone", gone=True), asked("there", gone=False)]
        await asyncio.sleep(0.05)
        assert done == []
        go_on.set()
        return await asyncio.gather(first, *others, return_exceptions=True)

    results = asyncio.run(everybody())
    assert done == ["slow", "there"]
    assert type(results[1]).__name__ == "_GoneError"


@pytest.mark.parametrize(
    ("given", "ours"),
    [
        ("192.168.1.7:8000", True),
        ("[fe80::1]:8000", True),
        ("planner.council.example:8000", True),
        ("evil.example:8000", False),
        ("192.168.1.7:81", False),
    ],
)
def test_a_server_for_others_is_called_by_its_name_or_an_address(given, ours):
    """An address cannot be a foreign page's; a foreign name can be made to point here."""
    assert Allowed.at("planner.council.example", 8000, TOKEN).host(given) is ours


def test_read_only_writes_nothing(tmp_path):
    """Files and drafts are refused; answers are given."""
    client = client_of(bench_in(tmp_path, read_only=True))
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}
    assert client.get(f"{API}/study").json()["read_only"] is True
    save = client.put(f"{API}/files/new", json={"text": NOTHING, "was": None})
    assert kind_of(save) == (403, "read_only")
    assert kind_of(client.put(f"{API}/drafts/new", json={"text": NOTHING})) == (403, "read_only")
    assert kind_of(client.delete(f"{API}/drafts/new")) == (403, "read_only")
    assert client.post(f"{API}/answer", json={"files": {"often": OFTEN}, "scenario": "often"}).json()["figures"]
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before
