"""The command as a process: it prints where it is, answers there and nowhere else, and Ctrl-C ends it and what it began."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from functools import partial
from pathlib import Path
from typing import Any

import pytest

import community_routes as cr
from benches import OFTEN
from community_routes.base.errors import UsageError
from community_routes.workbench.desk import Desk
from community_routes.workbench.files import Folder
from community_routes.workbench.guard import TOKEN_HEADER
from community_routes.workbench.serve import Address, Session, show
from small_town import town_study


def start(folder: Path, *arguments: str) -> tuple[subprocess.Popen[str], str]:
    """The command at work, and the address that it printed."""
    study = town_study(folder)
    (folder / "often.yaml").write_text(OFTEN, encoding="utf-8")
    command = [sys.executable, "-m", "community_routes.cli", "workbench", str(study), str(folder / "often.yaml")]
    process = subprocess.Popen(
        [*command, "--no-browser", "--cache", "none", *arguments],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True,
        env={**os.environ, "TMPDIR": str(folder)},
        # Where the tests run in the background of a shell, Ctrl-C is ignored by them and whatever they start.
        preexec_fn=partial(signal.signal, signal.SIGINT, signal.SIG_DFL) if os.name == "posix" else None,
    )  # fmt: skip
    assert process.stdout is not None
    return process, process.stdout.readline().strip()


def ask(url: str, path: str, body: Any = None, token: str | None = None) -> Any:
    """An answer of the API at the printed address."""
    base, _, known = url.partition("/?token=")
    headers = {TOKEN_HEADER: known if token is None else token, "Content-Type": "application/json"}
    content = None if body is None else json.dumps(body).encode()
    with urllib.request.urlopen(urllib.request.Request(f"{base}{path}", content, headers), timeout=60) as answer:
        return json.loads(answer.read())


def ready(url: str) -> str:
    """Wait until it is; the state."""
    until = time.monotonic() + 240
    while (state := ask(url, "/api/v1/state")["state"]) in ("reading", "searching") and time.monotonic() < until:
        time.sleep(0.1)
    return str(state)


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM])
def test_the_command_from_start_to_ctrl_c(tmp_path, ending):
    """Loopback alone; answered; ended with a report under way: its process and its folder go too; exit code 0."""
    process, url = start(tmp_path / "town", "--token", "a-secret-of-the-session", "--quiet")
    try:
        assert url.startswith("http://127.0.0.1:")
        assert url.endswith("/?token=a-secret-of-the-session")
        assert ready(url) == "ready"
        assert ask(url, "/api/v1/answer", {"scenario": "often"})["figures"]["persons"]["better"] > 0
        with pytest.raises(urllib.error.HTTPError, match="401"):
            ask(url, "/api/v1/answer", {}, token="wrong")
        ask(url, "/api/v1/report", {"scenarios": ["often"]})
        assert list((tmp_path / "town").glob("community-routes-*"))
        process.send_signal(ending)
        out, err = process.communicate(timeout=60)
        assert (process.returncode, out, err) == (0, "", "")
        assert not list((tmp_path / "town").glob("community-routes-*"))
        with pytest.raises(urllib.error.URLError):
            ask(url, "/api/v1/state")
        with pytest.raises(ProcessLookupError):  # nothing of its group is left
            for _ in range(100):
                os.killpg(process.pid, 0)
                time.sleep(0.1)
    finally:
        if process.poll() is None:
            process.kill()


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
def test_ctrl_c_while_the_study_is_read(tmp_path):
    """It need not be waited for."""
    process, url = start(tmp_path / "town")
    try:
        assert url.startswith("http://127.0.0.1:")
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=60)
        assert process.returncode == 0
        assert "Traceback" not in err
    finally:
        if process.poll() is None:
            process.kill()


def test_what_cannot_be_started():
    """Others are let in only with a token of the owner's choice; a token is long enough."""
    with pytest.raises(UsageError, match="lets other machines in; give --token"):
        Address("0.0.0.0").check()
    with pytest.raises(UsageError, match="at least 16"):
        Address(token="short").check()
    with pytest.raises(UsageError, match="at least 16"):
        Address("0.0.0.0", token="é" * 20).check()
    Address("0.0.0.0", token="a-secret-of-the-session").check()


def test_without_the_extra(tmp_path):
    """One line that says how to install it, and exit code 2."""
    study = town_study(tmp_path)
    without = "import sys; sys.modules['fastapi'] = None; from community_routes.cli import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", without, "workbench", str(study)],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 2
    assert 'pip install "community-routes[workbench]"' in " ".join(done.stderr.split())
    assert "Traceback" not in done.stderr


def test_a_port_in_use(tmp_path):
    """Said with the cure."""
    study = town_study(tmp_path)
    desk = Desk(study, Folder.of(study, []))
    first = Session.open(desk, Address())
    try:
        port = int(first.url.split(":")[2].split("/")[0])
        with pytest.raises(UsageError, match="try another --port"):
            Session.open(desk, Address(port=port))
    finally:
        first.close()


def test_opened_from_python(tmp_path, monkeypatch):
    """live.show() opens the page of its study; its address is a link in a notebook; close ends it."""
    opened: list[str] = []
    monkeypatch.setattr("webbrowser.open", opened.append)
    live = cr.live(cr.open_study(town_study(tmp_path)))
    session = live.show()
    try:
        assert opened == [session.url]
        assert ready(session.url) == "ready"
        assert ask(session.url, "/api/v1/study")["title"] == "Seven places in a row"
        assert session.url in session._repr_html_()
        assert "Seven places" in session._repr_html_()
    finally:
        session.close()
    with pytest.raises(urllib.error.URLError):
        ask(session.url, "/api/v1/state")
    assert not [thread for thread in threading.enumerate() if thread.name == "workbench"]
    quiet = show(live, browser=False)
    quiet.close()
    assert len(opened) == 1
