"""The API: each question answered on a town whose every journey is known, faults at their lines, and equal to a run."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from starlette.testclient import TestClient

from benches import NOTHING, OFTEN, ON_TOP, bench_in, client_of
from community_routes.base.errors import UsageError
from community_routes.scenarios.edit.routes import departures_on, find_route
from community_routes.sources.gtfs.read import read_feed
from community_routes.workbench.models import WayQuestion
from community_routes.workbench.questions import way_answer
from drawn_streets import Drawn, at

API = "/api/v1"


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> TestClient:
    return client_of(bench_in(tmp_path_factory.mktemp("town")))


def post(client: TestClient, path: str, **body: Any) -> Any:
    answer = client.post(f"{API}{path}", json=body)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_state_and_study(client):
    """Ready; what can be chosen, with the headline; the files of the folder, the given one first; study.yaml is none."""
    assert client.get(f"{API}/state").json()["state"] == "ready"
    study = client.get(f"{API}/study").json()
    assert study["title"] == "Seven places in a row"
    assert study["start"] == {
        "day": "day",
        "window": "peak",
        "kind": "shared_spaces",
        "measure": "cumulative_opportunities",
        "cutoff_min": 60.0,
        "reading": "mean",
        "group": "all:all",
    }
    assert [(one["id"], one["given"], one["title"]) for one in study["scenarios"]] == [
        ("often", True, "More often"),
        ("on-top", False, "on-top"),
    ]
    assert study["kinds"][0] == {
        "id": "shared_spaces",
        "name": "Shared spaces",
        "unit": {"id": "places", "name": "places", "factor": 1.0},
    }
    reach = study["measures"][0]
    assert (reach["id"], reach["cutoffs_min"], reach["kinds"]) == (
        "cumulative_opportunities",
        [30, 60],
        ["shared_spaces"],
    )
    assert study["windows"] == [{"id": "peak", "name": "Peak", "start": "07:00", "end": "08:00", "days": ["day"]}]
    assert "set_headway" in study["schema"]["properties"]["changes"]["items"]["properties"]


def test_map(client):
    """Nine neighbourhoods, seven stops; L1 runs every 20 minutes from 06:00 to 21:40, so 60 / 3 in the daytime."""
    found = client.get(f"{API}/map").json()
    assert [one["properties"]["id"] for one in found["neighbourhoods"]["features"]] == [
        *(f"P{n}" for n in range(7)), "far", "lost",
    ]  # fmt: skip
    assert {stop["id"]: stop["routes"] for stop in found["stops"]}["S1"] == ["L1", "L2", "N"]
    route = next(one for one in found["routes"] if one["id"] == "L1")
    assert [pattern["stops"] for pattern in route["patterns"]] == [["S0", "S1"], ["S1", "S0"]]
    assert route["patterns"][0]["line"] == [[20.0, 0.0], [20.1, 0.0]]
    # 09:30 to 15:00 has departures at 09:40 ... 14:40: sixteen, in 330 minutes.
    assert route["headways"]["day"]["daytime"] == round(330 / 16, 1)
    plain = client.get(f"{API}/map", headers={"Accept-Encoding": "identity"})
    assert plain.json() == found


def test_an_answer(client):
    """From P1 at 07:01 the new bus of 07:07 meets those of 07:20 and 07:40, so P4 is 49 minutes away and not 69."""
    found = post(client, "/answer", files={"often": OFTEN}, scenario="often")
    assert found["faults"] == []
    change = found["changes"][0]
    assert (change["index"], change["kind"], change["off"], change["line"]) == (0, "set_headway", False, 4)
    assert change["fields"] == {"route": "L2", "weekday": {"07:00-09:00": 7}}
    # 07:00 to 08:40 six of them each way today, 18 from 07:00 to 08:59 every seven minutes: twelve more each way.
    assert change["effects"] == ["L2: 96 -> 120 weekday departures"]
    assert change["sentence"] == "L2: 96 -> 120 weekday departures"
    assert change["routes"] == ["L2"]
    assert change["lines"] == [[[20.1, 0.0], [20.2, 0.0]], [[20.2, 0.0], [20.1, 0.0]]]
    assert [route["id"] for route in found["routes"]] == ["L2"]
    zones = found["neighbourhoods"]
    gain = dict(zip(zones["id"], zones["change"], strict=True))
    assert gain["P1"] > 0
    assert gain["P6"] == 0
    assert dict(zip(zones["id"], zones["reason"], strict=True))["lost"] == "off_network"
    figures = found["figures"]
    assert figures["persons"]["better"] + figures["persons"]["worse"] + figures["persons"]["same"] == 8
    assert figures["cost"]["bus_hours"] > 0
    everybody = figures["groups"][0]
    assert (everybody["id"], everybody["population"]) == ("all:all", 9)
    assert figures["gain_per_1000_bus_hours"] == pytest.approx(
        1000 * everybody["change"] / figures["cost"]["bus_hours"]
    )


def test_an_answer_equals_the_question_asked_as_an_edit(client):
    """What is drawn and not kept is answered like what is kept; the text comes back."""
    edit = {"op": "add", "change": {"set_headway": {"route": "L2", "weekday": {"07:00-09:00": 7}}}}
    drawn = post(client, "/answer", files={"new": NOTHING}, scenario="new", edit=edit)
    kept = post(client, "/answer", files={"new": drawn["text"]}, scenario="new")
    assert drawn["text"].endswith("  - set_headway: {route: L2, weekday: {07:00-09:00: 7}}\n")
    for part in ("neighbourhoods", "figures", "changes", "scales"):
        assert drawn[part] == kept[part]


def test_nothing_and_what_is_off_change_nothing(client):
    """A new proposal, one whose change is off, and today are answered alike, without faults."""
    off = OFTEN.replace("route: L2,", "route: L2, off: true,")
    today = post(client, "/answer")
    for name, text in (("new", NOTHING), ("often", off)):
        found = post(client, "/answer", files={name: text}, scenario=name)
        assert found["faults"] == []
        assert found["neighbourhoods"] == today["neighbourhoods"]
        assert found["figures"]["persons"] == {"better": 0, "worse": 0, "same": 8, "gained": 0, "lost": 0}
    assert found["changes"][0]["off"] is True
    assert found["changes"][0]["effects"] == ["set_headway: switched off (off: true), so it was not applied"]
    assert today["scales"] == found["scales"]


def test_faults_stand_at_their_lines(client):
    """A misspelt route (found when it is tried), a misspelt key and a bad line of YAML; the changes are shown all the same."""
    found = post(client, "/answer", files={"often": OFTEN.replace("L2", "L9")}, scenario="often")
    assert [(fault["kind"], fault["line"], fault["file"]) for fault in found["faults"]] == [
        ("scenario_route", 4, "often.yaml")
    ]
    assert found["figures"] is None
    assert found["neighbourhoods"] is None
    assert found["changes"][0]["sentence"] == "set_headway route L9; weekday 07:00-09:00 7"
    found = post(client, "/check", files={"often": OFTEN.replace("weekday", "weekdy")}, scenario="often")
    assert [(fault["kind"], fault["line"]) for fault in found["faults"]] == [("unknown_key", 4)]
    found = post(client, "/answer", files={"often": OFTEN + "  - {a: [\n"}, scenario="often")
    assert [(fault["kind"], fault["line"]) for fault in found["faults"]] == [("bad_yaml", 6)]
    edit = {"op": "remove", "index": 5}
    found = post(client, "/answer", files={"often": OFTEN}, scenario="often", edit=edit)
    assert found["faults"][0]["message"] == "there is no change number 6; the text has 1"
    assert found["text"] is None


def test_a_base_is_another_text_or_a_file(client):
    """On the disk L2 runs more often below; as a text nothing does, and L3 alone is gone."""
    on_disk = post(client, "/answer", files={"on-top": ON_TOP}, scenario="on-top")
    texts = {"on-top": ON_TOP, "often": "scenario: often\nchanges: []\n"}
    as_text = post(client, "/answer", files=texts, scenario="on-top")
    assert on_disk["figures"]["cost"]["bus_hours"] > as_text["figures"]["cost"]["bus_hours"]
    assert {route["id"] for route in on_disk["routes"]} == {"L2"}
    assert as_text["routes"] == []
    # What withdrew a route shows where it was.
    assert as_text["changes"][0]["lines"][0] == [[20.2, 0.0], [20.3, 0.0]]


def test_a_new_route_has_its_places_and_minutes(client):
    """Given run times of 9 and 11 minutes; the dwell of 15 s stands at the stop; a new stop has its name and place."""
    text = """\
scenario: new
changes:
  - add_route:
      name: X
      stops: [S0, {at: [20.25, 0.0], name: Half way}, S6]
      run_times_min: [9, 11]
      service: {weekday: {06:00-21:30: 15}}
"""
    found = post(client, "/answer", files={"new": text}, scenario="new")
    stops = found["changes"][0]["stops"]
    assert [(one["name"], one["minutes"]) for one in stops] == [("Stand 0", None), ("Half way", 9.0), ("Stand 6", 11.0)]
    assert (stops[1]["lon"], stops[1]["lat"]) == (20.25, 0.0)
    route = found["routes"][0]
    assert (route["name"], route["change"], route["mode"]) == ("X", 0, "bus")


def test_places_of_other_changes(client):
    """Points by the field in which they stand."""
    text = """\
scenario: new
changes:
  - add_stop: {route: L5, stop: {at: [20.45, 0.0], name: Half way}, after: S4}
  - add_space: {name: Hall, at: [20.1, 0.0]}
  - add_homes: {name: N, at: [20.0, 0.0], homes: 10, like: P0}
"""
    changes = post(client, "/answer", files={"new": text}, scenario="new")["changes"]
    points = [[(point["field"], point["name"], point["lon"]) for point in change["points"]] for change in changes]
    assert points == [
        [("stop", "Half way", 20.45), ("after", "Stand 4", 20.4)],
        [("at", "Hall", 20.1)],
        [("at", "N", 20.0)],
    ]


def test_edit(client):
    """Without figures; what cannot be done leaves the text alone."""
    done = post(client, "/edit", text=OFTEN, edit={"op": "off", "index": 0})
    assert done == {"text": OFTEN.replace(": 7}}", ": 7}, off: true}"), "faults": []}
    left = post(client, "/edit", text="a: [", edit={"op": "off", "index": 0})
    assert left["text"] == "a: ["
    assert left["faults"][0]["line"] == 1


def test_compare(client):
    """Rows in the order asked; one with a fault has no figures; the same figures as its own answer."""
    broken = "scenario: broken\nchanges:\n  - withdraw_route: {route: L9}\n"
    rows = post(client, "/compare", files={"broken": broken}, scenarios=["often", "broken", "today"])["rows"]
    assert [(row["id"], row["title"], row["figures"] is None) for row in rows] == [
        ("often", "More often", False),
        ("broken", "broken", True),
        ("today", "Today", False),
    ]
    assert rows[0]["figures"] == post(client, "/answer", scenario="often")["figures"]
    assert rows[1]["faults"][0]["line"] == 3


def test_a_neighbourhood(client):
    """From P1 the nearest hall is its own; from `lost` there is no journey, and it is said why."""
    found = post(client, "/neighbourhood", id="P1", scenario="often")
    assert found["name"] == "Place P1"
    assert next((one["to"], one["minutes"]) for one in found["journeys"]["today"]) == ("hallP1", 0.0)
    within = [one for one in found["figures"] if one["measure"] == "cumulative_opportunities"]
    assert [(one["cutoff_min"], one["unit"]["name"]) for one in within] == [(30, "places"), (60, "places")]
    answer = post(client, "/answer", scenario="often")["neighbourhoods"]
    at = answer["id"].index("P1")
    assert (within[1]["today"], within[1]["value"], within[1]["change"]) == tuple(
        answer[key][at] for key in ("today", "value", "change")
    )
    lost = post(client, "/neighbourhood", id="lost")
    assert lost["journeys"]["value"] == []
    assert lost["journeys"]["today"][0]["minutes"] is None
    assert "outside the streets' area" in lost["journeys"]["today"][0]["why"]
    named = post(client, "/neighbourhood", id="P0", places=["hallP2"])
    assert [one["name"] for one in named["journeys"]["today"]] == ["Hall P2"]


def test_a_journey(client):
    """P0 at 07:01: the bus of 07:20 is at P1 at 07:30, that of 07:40 at P2 at 07:50; with the proposal one goes at 07:35."""
    ask = {"origin": {"stop": "S0"}, "destination": {"place": "hallP2"}, "time": "07:01"}
    found = post(client, "/journey", scenario="often", **ask)
    today, value = found["today"][0], found["value"][0]
    assert (today["departure"], today["arrival"], today["minutes"]) == ("07:01:00", "07:50:00", 49.0)
    assert [leg["route"] for leg in today["legs"] if leg["mode"] != "walk"] == ["L1", "L2"]
    assert today["legs"][0]["line"][0] == [20.0, 0.0]
    assert value["arrival"] == "07:45:00"
    by = post(client, "/journey", **{**ask, "time": "08:00", "arrive_by": True})["today"][0]
    assert by["arrival"] == "07:50:00"
    for origin in ({"lon": 20.0, "lat": 0.0}, {"neighbourhood": "P0"}, {"place": "hallP0"}):
        assert post(client, "/journey", **{**ask, "origin": origin})["today"][0]["arrival"] == "07:50:00"


def test_an_isochrone(client):
    """From P0 at 07:00, too late for the bus of 07:00 (slack 60 s): 07:20 P1 07:30, 07:40 P2 07:50, and P3 at 08:10 no more."""
    found = post(client, "/isochrone", lon=20.0, lat=0.0, minutes=[15, 60])
    assert [one["properties"]["minutes"] for one in found["today"]["areas"]["features"]] == [15, 60]
    assert found["today"]["amounts"] == {"shared_spaces": 3}
    assert found["today"]["persons"] == 3
    assert found["value"] is None


def test_a_way_without_streets(client):
    """The town is walked by straight lines: there is nothing to close."""
    answer = client.post(f"{API}/way", json={"lon": 20.0, "lat": 0.0})
    assert answer.status_code == 422
    assert "straight line" in answer.json()["detail"][0]["message"]


def test_the_way_nearest_to_a_point():
    """A street and a lane 100 m north of it: 20 m south of the lane it is the lane; 300 m away there is none."""
    drawn = Drawn().add_way(5, [(0, 0), (400, 0)], highway="residential")
    drawn.add_way(6, [(0, 100), (400, 100)], highway="footway", name="Mill Lane")
    desk = SimpleNamespace(study=SimpleNamespace(street_map=drawn.street_map()))
    lon, lat = at(200, 80)
    assert way_answer(desk, WayQuestion(lon=lon, lat=lat)).model_dump() == {
        "osm_way": 6,
        "name": "Mill Lane",
        "metres": pytest.approx(20, abs=0.2),
    }
    lon, lat = at(200, 400)
    with pytest.raises(UsageError, match="50 m"):
        way_answer(desk, WayQuestion(lon=lon, lat=lat))


def test_a_matrix_row(client):
    """The median over 07:00, 07:01 ... of P1 to P2: waits of 1 to 20 minutes, thrice; the 30th of 60 is 10, and 10 of riding."""
    found = post(client, "/matrix-row", origin={"neighbourhood": "P1"}, scenario="often")
    places = {one["id"]: one for one in found["places"]}
    assert places["hallP1"]["today"] == 0
    assert places["hallP2"]["today"] == 20
    # Every seven minutes: waits of 7 to 1 eight times over, then 7, 6, 5, 4: 24 of at most 3, 33 of at most 4.
    assert places["hallP2"]["value"] == 14
    zones = {one["id"]: one for one in found["neighbourhoods"]}
    assert zones["P2"] == {**places["hallP2"], "id": "P2"}
    assert zones["lost"]["today"] is None


def test_export(client, tmp_path):
    """A feed in which L2 leaves 24 times more on the day of the study; without a proposal today's."""
    answer = client.post(f"{API}/export", json={"scenario": "often"})
    assert answer.headers["content-type"] == "application/zip"
    assert answer.headers["content-disposition"] == 'attachment; filename="often.zip"'
    counts = []
    for name, content in (("today", client.post(f"{API}/export", json={}).content), ("often", answer.content)):
        (tmp_path / f"{name}.zip").write_bytes(content)
        feed = read_feed(tmp_path / f"{name}.zip")
        counts.append(departures_on(feed, find_route(feed, "L2"), dt.date(2024, 3, 5)))
    assert counts == [96, 120]


@pytest.mark.parametrize(
    ("path", "body", "words"),
    [
        ("/answer", {"scenario": "nobody"}, "there is no scenario 'nobody'"),
        ("/answer", {"choice": {"window": "night"}}, "night"),
        ("/answer", {"choice": {"cutoff_min": 17}}, "17"),
        ("/answer", {"choice": {"kind": "schools"}}, "schools"),
        ("/answer", {"choice": {"measure": "charm"}}, "charm"),
        ("/compare", {"scenarios": ["nobody"]}, "there is no scenario 'nobody'"),
        ("/neighbourhood", {"id": "P9"}, "there is no neighbourhood 'P9'"),
        ("/neighbourhood", {"id": "P1", "places": ["P1"]}, "there is no place 'P1'"),
        ("/journey", {"origin": {}, "destination": {"stop": "S1"}, "time": "08:00"}, "an end is lon and lat"),
        (
            "/journey",
            {"origin": {"stop": "S9"}, "destination": {"stop": "S1"}, "time": "08:00"},
            "there is no stop 'S9'",
        ),
        ("/isochrone", {"lon": 0, "lat": 50}, "off the network"),
        ("/matrix-row", {"origin": {"place": "P1"}}, "there is no place 'P1'"),
    ],
)
def test_what_the_study_has_not_is_refused_with_a_sentence(client, path, body, words):
    """422, in the one form that refusals have."""
    answer = client.post(f"{API}{path}", json=body)
    assert answer.status_code == 422
    assert words in answer.json()["detail"][0]["message"]


def test_before_the_study_is_read(tmp_path):
    """Only how far it is can be asked; a study with a fault says so, at its line."""
    bench = bench_in(tmp_path / "town", start=False)
    client = client_of(bench)
    assert client.get(f"{API}/state").json()["state"] == "reading"
    for path in ("/study", "/map"):
        refused = client.get(f"{API}{path}")
        assert (refused.status_code, refused.json()["detail"][0]["kind"]) == (503, "not_ready")
    assert client.post(f"{API}/answer", json={}).status_code == 503
    bench.desk.study_file.write_text("study: town\nservice_dat: 2024-03-05\n", encoding="utf-8")
    bench.desk.open()
    state = client.get(f"{API}/state").json()
    assert state["state"] == "failed"
    assert ("study.yaml", 2) in {(fault["file"], fault["line"]) for fault in state["faults"]}
    assert client.get(f"{API}/study").status_code == 503


def test_two_tabs_do_not_mix(client):
    """Each question carries its texts: one tab's does not change what the other is told."""
    one = post(client, "/answer", files={"often": OFTEN}, scenario="often")
    other = post(client, "/answer", files={"often": OFTEN.replace(": 7}", ": 5}")}, scenario="often")
    again = post(client, "/answer", files={"often": OFTEN}, scenario="often")
    assert other["neighbourhoods"] != one["neighbourhoods"]
    assert again["neighbourhoods"] == one["neighbourhoods"]
    assert Path(client.get(f"{API}/study").json()["scenarios"][0]["file"]).name == "often.yaml"
