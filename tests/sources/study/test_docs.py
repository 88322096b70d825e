"""The page about study files says what the reader does: every example on it is read."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from community_routes.base.notices import Notice, errors_in
from community_routes.sources.study.file import read_study_file
from community_routes.sources.study.travel import Travel

PROJECT = Path(__file__).resolve().parents[3]
PAGE = (PROJECT / "docs" / "study-file.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"```yaml\n(.*?)```", PAGE, flags=re.DOTALL)


def parts(text: str) -> dict[str, str]:
    """The lines of each key at the top of a YAML text."""
    found: dict[str, str] = {}
    for key, lines in re.findall(r"^(\w+):(.*?)(?=^\w|\Z)", text, flags=re.DOTALL | re.MULTILINE):
        found[key] = f"{key}:{lines}"
    return found


@pytest.mark.parametrize("number", range(len(EXAMPLES)))
def test_every_example_is_read(tmp_path: Path, number: int) -> None:
    """Each example replaces its keys in the smallest study of the page; files are looked for in the sample's folder."""
    text = "".join({**parts(EXAMPLES[0]), **parts(EXAMPLES[number])}.values())
    path = tmp_path / "study.yaml"
    path.write_text(text, encoding="utf-8")
    notices: list[Notice] = []
    study = read_study_file(path, notices)
    assert study.study == "millgate"
    assert [notice for notice in errors_in(notices) if notice.code != "missing_file"] == []


def test_the_files_of_the_examples_are_those_of_the_sample() -> None:
    """All but those of the example with a lookup, which the sample does not need."""
    named = set(
        re.findall(r"(?:osm|gtfs|boundaries|destinations|population|deprivation|groups)/[\w.]+", "".join(EXAMPLES))
    )
    assert {"gtfs/bus.zip", "destinations/employment.geojson"} <= named
    absent = {name for name in named if not (PROJECT / "data" / name).is_file()}
    assert absent == {"population/census2021.csv", "boundaries/lsoa11_lsoa21.csv"}


def test_the_defaults_on_the_page_are_the_defaults(tmp_path: Path) -> None:
    (example,) = [text for text in EXAMPLES if text.startswith("travel:")]
    path = tmp_path / "study.yaml"
    path.write_text("".join({**parts(EXAMPLES[0]), "travel": example}.values()), encoding="utf-8")
    assert read_study_file(path, []).travel.model_dump() == Travel().model_dump()
