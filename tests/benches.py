"""A workbench to ask in a test: the small town with two proposals beside its study, behind the guard that a user's has."""

from __future__ import annotations

from pathlib import Path

from starlette.testclient import TestClient

from community_routes.workbench.app import Workbench, make_app
from community_routes.workbench.desk import Desk
from community_routes.workbench.files import Folder
from community_routes.workbench.guard import TOKEN_HEADER, Allowed
from community_routes.workbench.jobs import Jobs
from small_town import town_study

TOKEN = "a token of the session"
HOST = "127.0.0.1:8000"
OFTEN = "scenario: often\ntitle: More often\nchanges:\n  - set_headway: {route: L2, weekday: {07:00-09:00: 7}}\n"
ON_TOP = "scenario: on-top\nbase: often\nchanges:\n  - withdraw_route: {route: L3}\n"
NOTHING = "scenario: new\ntitle: New\nchanges: []\n"


def bench_in(folder: Path, *, read_only: bool = False, start: bool = True) -> Workbench:
    """A workbench on the small town, its study read."""
    study = town_study(folder)
    (folder / "often.yaml").write_text(OFTEN, encoding="utf-8")
    (folder / "on-top.yaml").write_text(ON_TOP, encoding="utf-8")
    desk = Desk(study, Folder.of(study, [folder / "often.yaml"], read_only=read_only))
    if start:
        desk.open()
        assert desk.state == "ready", desk.stage
    return Workbench(desk, Jobs(study, ["--cache", "none"]), TOKEN)


def client_of(bench: Workbench, **headers: str) -> TestClient:
    """Its own page, as far as requests are concerned; with other headers somebody else."""
    allowed = Allowed.at("127.0.0.1", 8000, TOKEN)
    return TestClient(
        make_app(bench, allowed),
        base_url=f"http://{HOST}",
        headers={TOKEN_HEADER: TOKEN, **headers},
        raise_server_exceptions=False,
    )
