"""Full reports and searches for better headways: with progress, opened by who knows the number, ended when asked."""

from __future__ import annotations

import time
from pathlib import Path

import pandas as pd
import pytest

from benches import NOTHING, OFTEN, bench_in, client_of
from community_routes.base.errors import ScenarioError
from community_routes.workbench.app import Workbench
from community_routes.workbench.models import ReportQuestion

API = "/api/v1"
UNSAVED = OFTEN.replace("often", "unsaved")


@pytest.fixture
def bench(tmp_path: Path):
    bench = bench_in(tmp_path / "town")
    yield bench
    bench.jobs.close()


def ended(bench: Workbench, job: str) -> str:
    """Wait for a job; how it ended."""
    until = time.monotonic() + 240
    while bench.jobs.state(job).state == "running" and time.monotonic() < until:
        time.sleep(0.1)
    return bench.jobs.state(job).state


def test_a_report_of_what_is_on_the_screen(bench):
    """Of a text that is on no disk, on top of another; the page opens without a token, in a sandbox; close removes all."""
    client = client_of(bench)
    texts = {"unsaved": UNSAVED, "top": "scenario: top\nbase: unsaved\nchanges:\n  - withdraw_route: {route: L5}\n"}
    begun = client.post(f"{API}/report", json={"files": texts, "scenarios": ["top", "unsaved"]})
    assert begun.status_code == 202
    job = begun.json()["job"]
    again = client.post(f"{API}/report", json={"files": texts, "scenarios": ["top"]})
    assert (again.status_code, again.json()["detail"][0]["kind"]) == (422, "usage")
    assert ended(bench, job) == "done"
    state = client.get(f"{API}/report/{job}").json()
    assert (state["progress"], state["url"]) == (1.0, f"/report/{job}/report.html")
    page = client.get(state["url"], headers={"X-Community-Routes-Token": ""})
    assert page.status_code == 200
    assert "More unsaved" in page.text or "unsaved" in page.text
    assert "sandbox allow-scripts" in page.headers["content-security-policy"]
    table = pd.read_csv(bench.jobs.page(job).with_name("comparison.csv"))
    assert set(table["scenario"]) == {"top", "unsaved"}
    folder = bench.jobs.page(job).parent
    bench.jobs.close()
    assert not folder.exists()
    assert not (bench.desk.folder.path / "unsaved.yaml").exists()


def test_a_report_is_ended(bench):
    """Its process ends; there is no page; ending it again changes nothing."""
    client = client_of(bench)
    job = client.post(f"{API}/report", json={"files": {}, "scenarios": ["often"]}).json()["job"]
    assert client.get(f"{API}/report/{job}").json()["state"] == "running"
    assert client.delete(f"{API}/report/{job}").status_code == 204
    assert ended(bench, job) == "stopped"
    assert client.get(f"/report/{job}/report.html").status_code == 404
    assert client.delete(f"{API}/report/{job}").status_code == 204


def test_what_cannot_be_reported(bench):
    """Faults in a proposal, and numbers that are no job's."""
    client = client_of(bench)
    refused = client.post(f"{API}/report", json={"files": {"a": "scenario: a\n"}, "scenarios": ["a"]})
    assert refused.status_code == 422
    assert "changes" in refused.json()["detail"][0]["message"]
    for answer in (
        client.get(f"{API}/report/x"),
        client.delete(f"{API}/report/x"),
        client.get("/report/x/report.html"),
    ):
        assert answer.status_code == 404


def test_files_that_a_proposal_names_come_along(bench):
    """A zone drawn beside the proposals is copied beside the texts."""
    folder = bench.desk.folder.path
    (folder / "zones").mkdir()
    (folder / "zones" / "z.geojson").write_text(
        '{"type": "FeatureCollection", "features": [{"type": "Feature", "properties": {}, "geometry": {"type": "Polygon", '
        '"coordinates": [[[19.99, -0.1], [20.11, -0.1], [20.11, 0.1], [19.99, 0.1], [19.99, -0.1]]]}}]}',
        encoding="utf-8",
    )
    drt = "add_drt: {name: D, zone: zones/z.geojson, hours: 07:00-08:00, wait_min: 5, vehicles: 1}"
    text = f"scenario: dial\nchanges:\n  - {drt}\n"
    job = bench.report(ReportQuestion(files={"dial": text, "new": NOTHING}, scenarios=["dial"]))
    assert ended(bench, job) == "done", bench.jobs.state(job)
    assert (bench.jobs.page(job).parents[1] / "scenarios" / "zones" / "z.geojson").is_file()
    with pytest.raises(ScenarioError, match="lies outside the folder"):
        bench.report(ReportQuestion(files={"dial": text.replace("zones/", "../")}, scenarios=["dial"]))


def test_better_headways_are_found(bench):
    """Of one route, within its budget: an ordinary proposal with its comment, which is answered with a gain for those meant."""
    client = client_of(bench)
    choice = {"group": "all:all"}
    asked = {"routes": ["L2"], "bus_hours": 3000.0, "minutes": 1.0, "choice": choice}
    begun = client.post(f"{API}/better", json=asked)
    assert begun.status_code == 202, begun.text
    job = begun.json()["job"]
    assert client.post(f"{API}/better", json=asked).json()["detail"][0]["kind"] == "usage"
    assert ended(bench, job) == "done", bench.jobs.state(job)
    state = client.get(f"{API}/report/{job}").json()
    assert state["text"].startswith("# Found by community-routes")
    assert client.get(state["url"]).status_code == 200
    question = {"files": {"optimised": state["text"]}, "scenario": "optimised", "choice": choice}
    answer = client.post(f"{API}/answer", json=question).json()
    assert answer["faults"] == []
    assert {change["kind"] for change in answer["changes"]} == {"set_headway"}
    assert {change["fields"]["route"] for change in answer["changes"]} == {"L2"}
    everybody = next(group for group in answer["figures"]["groups"] if group["id"] == "all:all")
    assert everybody["change"] > 0
    assert 0 < answer["figures"]["cost"]["bus_hours"] <= 3000
    assert not (bench.desk.folder.path / "optimised.yaml").exists()


def test_better_headways_with_nothing_to_choose_from(bench):
    """Known only once it was looked: the job fails, and says so."""
    job = client_of(bench).post(f"{API}/better", json={"routes": ["L2"], "bus_hours": 0.001}).json()["job"]
    assert ended(bench, job) == "failed"
    state = bench.jobs.state(job)
    assert "nothing to choose from" in state.message
    assert (state.text, state.url) == (None, None)


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"bus_hours": -5.0}, "below zero"),
        ({"routes": ["no such"]}, "no such"),
        ({"choice": {"group": "local:3"}}, "on behalf of"),
        ({"choice": {"group": "group:nobody"}}, "no group 'nobody'"),
        ({"choice": {"measure": "nothing"}}, "nothing"),
        ({"routes": ["L1,L2"]}, "pattern"),
        ({"minutes": 0.0}, "greater than 0"),
    ],
)
def test_better_headways_that_cannot_be_looked_for(bench, asked, said):
    """Refused before anything begins."""
    refused = client_of(bench).post(f"{API}/better", json=asked)
    assert refused.status_code == 422
    assert said in refused.json()["detail"][0]["message"]


def test_a_workbench_that_only_shows_looks_for_nothing(tmp_path):
    """As it saves nothing."""
    refused = client_of(bench_in(tmp_path / "town", read_only=True)).post(f"{API}/better", json={})
    assert (refused.status_code, refused.json()["detail"][0]["kind"]) == (403, "read_only")
