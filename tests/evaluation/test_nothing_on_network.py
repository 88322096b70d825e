"""A study whose neighbourhoods all lie off the network is refused, not answered with an empty report."""

from __future__ import annotations

from pathlib import Path

import pytest

from community_routes.base.errors import StudyError
from community_routes.evaluation.case import open_study, sample_study
from community_routes.evaluation.check import check_inputs
from community_routes.evaluation.evaluate import evaluate

FOLDERS = ("boundaries", "gtfs", "deprivation", "population", "groups", "destinations", "osm")


def test_an_area_elsewhere_is_an_error(tmp_path: Path) -> None:
    """The sample walked as the crow flies, in an area of one degree in another sea."""
    text = sample_study().read_text(encoding="utf-8")
    for folder in FOLDERS:
        text = text.replace(f"{folder}/", f"{sample_study().parent.as_posix()}/{folder}/")
    crow = "streets: {crow_fly: {detour: 1.3}, area: [0, 0, 1, 1]}"
    lines = [crow if line.startswith("streets:") else line for line in text.splitlines() if "osm: {shop" not in line]
    study = tmp_path / "study.yaml"
    study.write_text("\n".join(lines), encoding="utf-8")
    with pytest.raises(StudyError, match=r"all 89 neighbourhoods are off the network.*do longitudes come first"):
        evaluate(open_study(study))
    assert any(notice.code == "nothing_on_network" for notice in check_inputs(study).notices)
