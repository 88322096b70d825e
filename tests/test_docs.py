"""What the documents promise: proposals work on the sample, commands exist, links lead somewhere, Python runs."""

from __future__ import annotations

import dataclasses
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[1]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
FENCE = re.compile(r"^```(\w*)\n(.*?)^```", re.MULTILINE | re.DOTALL)


def blocks(language: str) -> Iterator[tuple[str, str]]:
    """Page and text of every block in a language."""
    for page in PAGES:
        for found, text in FENCE.findall(page.read_text("utf-8")):
            if found == language:
                yield page.name, text


PROPOSALS = [(page, text) for page, text in blocks("yaml") if text.startswith("scenario:")]


@pytest.fixture(scope="module")
def setting() -> Any:
    """The sample, ready to be changed."""
    from community_routes.evaluation.case import open_study, setting_of

    study = open_study(ROOT / "data" / "study.yaml", cache=None)
    return dataclasses.replace(setting_of(study), street_map=study.street_map)


@pytest.mark.parametrize(("page", "text"), PROPOSALS, ids=[text.split()[1] for _, text in PROPOSALS])
def test_a_documented_proposal_works_on_the_sample(page: str, text: str, setting: Any, tmp_path: Path) -> None:
    """It is read, resolved and applied without a fault, and says what it did."""
    from community_routes.scenarios.apply import apply_scenario
    from community_routes.scenarios.file import read_scenario

    for file in (ROOT / "docs" / "files").iterdir():
        shutil.copy(file, tmp_path)
    path = tmp_path / f"{text.split()[1]}.yaml"
    path.write_text(text, encoding="utf-8")
    applied = apply_scenario(read_scenario(path), setting)
    assert applied.effects, page


@pytest.mark.parametrize("path", sorted((ROOT / "scenarios").glob("*.yaml")), ids=lambda path: path.stem)
def test_the_samples_proposals_work(path: Path, setting: Any) -> None:
    """Each proposal that ships is applied without a fault; what it changes differs from today."""
    from community_routes.scenarios.apply import apply_scenario
    from community_routes.scenarios.file import read_scenario

    applied = apply_scenario(read_scenario(path), setting)
    assert applied.effects
    assert len(applied.feed.trips) != len(setting.feed.trips)
    assert applied.new_routes or applied.changed_routes


def test_every_change_is_documented_with_an_example() -> None:
    """Each kind of change stands in an example of the page on proposals."""
    from community_routes.scenarios.list import CHANGES

    text = "".join(text for page, text in PROPOSALS if page == "proposals.md")
    assert {kind for kind in CHANGES if f"- {kind}:" not in text} == set()


def test_every_example_of_a_proposal_is_pictured() -> None:
    """Below each stands its picture, drawn by tools/make_proposal_images.py; together they stay below a megabyte."""
    pictures = ROOT / "docs" / "images" / "changes"
    named = {text.split()[1] for page, text in PROPOSALS if page == "proposals.md"}
    assert {path.stem for path in pictures.iterdir()} == named, "run: make images"
    page = (ROOT / "docs" / "proposals.md").read_text("utf-8")
    assert {name for name in named if f"(images/changes/{name}.png)" not in page} == set()
    assert sum(path.stat().st_size for path in pictures.iterdir()) < 1_000_000


def test_links_between_pages_lead_somewhere() -> None:
    """Every relative link and image of every page is a file of the project."""
    for page in PAGES:
        for target in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", page.read_text("utf-8")):
            if not target.startswith(("http://", "https://", "mailto:")):
                assert (page.parent / target).exists(), f"{page.name} links to {target}, which is not there"


def test_every_page_stands_in_the_sites_navigation_and_in_the_index() -> None:
    """Pages and the navigation of mkdocs.yml are the same set; the index of the documents links to each."""
    pages = {path.name for path in (ROOT / "docs").glob("*.md")}
    nav = (ROOT / "mkdocs.yml").read_text("utf-8").partition("\nnav:")[2]
    assert set(re.findall(r": ([\w-]+\.md)", nav)) == pages
    index = (ROOT / "docs" / "README.md").read_text("utf-8")
    assert {page for page in pages - {"README.md"} if f"({page})" not in index} == set()
