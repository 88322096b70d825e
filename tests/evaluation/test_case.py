"""A study read as a whole: what it holds, and faults of several files found in one go."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from community_routes.base.errors import CommunityRoutesError, StudyError
from community_routes.base.notices import Notice, errors_in
from community_routes.evaluation.case import open_study, sample_study
from community_routes.evaluation.check import check_inputs
from community_routes.evaluation.places import destination_points, origin_points
from small_town import PLACES, SHOPS, STUDY, town_study


def test_what_a_study_holds(tmp_path: Path) -> None:
    study = open_study(town_study(tmp_path))
    assert study.title == "Seven places in a row"
    assert origin_points(study.zones).id.tolist() == list(PLACES)
    places = destination_points(study.opportunities)
    assert places.id.tolist() == [f"hall{name}" for name in SHOPS]
    assert np.allclose(np.column_stack([places.lon, places.lat]), [PLACES[name] for name in SHOPS])
    assert study.sources["name"].tolist() == ["study.yaml", "bus.zip", "areas.geojson", "spaces.geojson"]
    assert study.sources["sha256"].str.fullmatch("[0-9a-f]{64}").all()
    assert "7 routes" in repr(study) and "<b>Seven places in a row</b>" in study._repr_html_()


def test_a_hash_tells_a_changed_file_of_the_same_name(tmp_path: Path) -> None:
    path = town_study(tmp_path)
    before = open_study(path).sources.set_index("name")["sha256"]
    (tmp_path / "spaces.geojson").write_bytes((tmp_path / "spaces.geojson").read_bytes() + b"\n")
    after = open_study(path).sources.set_index("name")["sha256"]
    assert (before != after).tolist() == [name == "spaces.geojson" for name in before.index]


def test_faults_of_every_file_at_once(tmp_path: Path) -> None:
    """A broken zip, a GeoJSON that is none, a misspelt column: all three are told, and each once."""
    path = town_study(tmp_path, STUDY.replace("name: label", "name: lable"))
    (tmp_path / "bus.zip").write_bytes(b"<html>not found</html>")
    (tmp_path / "spaces.geojson").write_text("{", encoding="utf-8")
    found: list[Notice] = []
    with pytest.raises(StudyError) as raised:
        open_study(path, notices=found)
    faults = errors_in(found)
    for name in ("bus.zip", "spaces.geojson", "lable"):
        assert sum(name in str(fault) for fault in faults) == 1
    assert len(faults) == 3 == len(set(faults))
    assert all(str(fault) in str(raised.value) for fault in faults)
    assert str(tmp_path) not in str(raised.value), "no message holds a folder of this machine"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\x00",
        "[]",
        "study: [",
        "study: town\n" * 2,
        "a: &a [*a]",
        STUDY.replace("timetables: [bus.zip]", "timetables: []"),
        STUDY.replace("[bus.zip]", "[../../etc]"),
        STUDY.replace("07:00-08:00", "08:00-08:00"),
        STUDY.replace("detour: 1.3", "detour: .nan"),
        STUDY.replace("area: [19, -1, 22, 1]", "area: [22, -1, 19, 1]"),
        STUDY.replace("2024-03-05", "2024-02-30"),
        STUDY + "  max_rides: -1\n",
        STUDY + "  departure_step_s: 0\n",
    ],
)
def test_study_files_that_cannot_be(text: str, tmp_path: Path) -> None:
    path = town_study(tmp_path, text)
    with pytest.raises(CommunityRoutesError) as raised:
        open_study(path)
    assert raised.value.exit_code == 1 and "study.yaml" in str(raised.value)


def test_coordinates_the_wrong_way_round(tmp_path: Path) -> None:
    """Latitude and longitude of all neighbourhoods and places swapped: told, not silently empty."""
    path = town_study(tmp_path)
    for name in ("areas.geojson", "spaces.geojson"):
        text = (tmp_path / name).read_text(encoding="utf-8")
        content = json.loads(text)
        for feature in content["features"]:
            shape = feature["geometry"]
            given = shape["coordinates"]
            shape["coordinates"] = given[::-1] if shape["type"] == "Point" else [[pair[::-1] for pair in given[0]]]
        (tmp_path / name).write_text(json.dumps(content), encoding="utf-8")
    found = check_inputs(path).notices
    grave = [notice for notice in found if notice.severity in ("error", "warning")]
    assert any("off the network" in str(notice) or "far" in str(notice) or "swapped" in str(notice) for notice in grave)


def test_a_study_without_its_file(tmp_path: Path) -> None:
    for path in (tmp_path / "gone.yaml", tmp_path):
        with pytest.raises(CommunityRoutesError):
            open_study(path)


def test_streets_of_the_sample_have_roads_for_buses() -> None:
    study = open_study(sample_study())
    assert study.street_map is not None and study.roads is study.roads
    assert study.ground.area is not None
