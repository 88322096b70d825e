"""Every command and every block of Python in the pages is run as it stands; what is not says why."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import geopandas as gpd
import pandas as pd
import pytest
import typer

ROOT = Path(__file__).resolve().parents[1]
PAGES = [ROOT / name for name in ("README.md", "CONTRIBUTING.md", "examples/README.md")]
PAGES += sorted((ROOT / "docs").rglob("*.md"))
FENCE = re.compile(r"^```(\w*)\n(.*?)^```", re.MULTILINE | re.DOTALL)

NOT_RUN = {
    "make": "sets up an environment of its own; it is what runs these tests",
    "python -m pip": "needs a package index",
    "pip install": "needs a package index",
    "python examples/": "run by tests/test_examples.py",
    "community-routes fetch": "needs the internet; run against services of the same kind by tests/fetch/test_town.py",
    "community-routes matrix study.yaml": "needs a scheduler; run on workers here by tests/routing/cluster/test_engine.py",
    "community-routes demo": "run by tests/commands/test_cli.py",
}
"""Beginnings of commands that are not run here, and why."""

ENDS_WITH = {"community-routes sites": 3}
"""Commands that do not end with 0, by design: one of the sample's sites lies off its streets."""

MADE_OF_SAMPLE = {"own-town.md": "my-town", "fetch.md": "my-town"}
AFTER_COMMANDS = {"over-time.md"}
"""Pages whose Python goes on from what their commands wrote."""

PYTHON_ELSEWHERE = {
    "measures.md": "run by tests/measures/test_measures_page.py",
    "scaling.md": "needs a scheduler; run on workers here by tests/routing/cluster/test_engine.py",
}


def commands(page: Path) -> list[str]:
    """The lines of the shell blocks of a page, without comments."""
    texts = [text for language, text in FENCE.findall(page.read_text("utf-8")) if language in ("sh", "bash", "console")]
    joined = "\n".join(texts).replace("\\\n", " ")
    return [line.partition("  #")[0].strip() for line in joined.splitlines() if line.strip() and line[0] != "#"]


def python_of(page: Path) -> list[str]:
    """The blocks of Python of a page."""
    return [text for language, text in FENCE.findall(page.read_text("utf-8")) if language == "python"]


def is_run(command: str) -> bool:
    """Whether a command is run here."""
    return not any(command.startswith(beginning) for beginning in NOT_RUN)


WITH_COMMANDS = [page for page in PAGES if any(is_run(command) for command in commands(page))]
WITH_PYTHON = [page for page in PAGES if python_of(page) and page.name not in PYTHON_ELSEWHERE]


def words_of(command: str) -> list[str]:
    """The words of a command, with `*` filled in from the current folder as a shell does."""
    found: list[str] = []
    for word in shlex.split(command):
        matching = sorted(path.as_posix() for path in Path().glob(word)) if "*" in word else []
        found += matching or [word]
    return found


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One cache for all pages."""
    return tmp_path_factory.mktemp("cache")


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder like the project's with what the pages take for granted (a list of sites, a region's timetable, the studies of
    two years, a plan of another program), as the current one."""
    for name in ("data", "scenarios"):
        shutil.copytree(ROOT / name, tmp_path / name)
    shutil.copy(ROOT / "data" / "sites" / "sites.csv", tmp_path)
    for name, source in {"bus": "bus", "rail": "rail", "region": "bus"}.items():
        shutil.copy(ROOT / "data" / "gtfs" / f"{source}.zip", tmp_path / f"{name}.zip")
    study = (ROOT / "data" / "study.yaml").read_text("utf-8")
    study = re.sub(r"\b(osm|gtfs|boundaries|population|deprivation|groups|destinations)/", r"data/\1/", study)
    (tmp_path / "study-2025.yaml").write_text(study, encoding="utf-8")
    (tmp_path / "study-2026.yaml").write_text(study.replace("2026-03-10", "2026-03-17"), encoding="utf-8")
    without_8 = {"type": "remove-trips", "routes": ["ML8"]}
    (tmp_path / "plan.json").write_text(json.dumps({"modifications": [without_8]}), encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def make_own_town(folder: Path) -> None:
    """What a reader of `own-town.md` has downloaded: the sample's files under the names and columns of that page."""
    data = ROOT / "data"
    folder.mkdir()
    code = {"id": "LSOA21CD"}

    def renamed(table: Any) -> Any:
        return table.replace({"id": {"X01000001": "E01012571"}}).rename(columns=code)

    areas = gpd.read_file(data / "boundaries" / "neighbourhoods.geojson")
    renamed(areas).rename(columns={"name": "LSOA21NM"}).to_file(folder / "lsoa.geojson", driver="GeoJSON")
    for source, target, columns in (
        ("boundaries/centroids", "centroids", {"lon": "longitude", "lat": "latitude"}),
        ("population/population", "census", {"persons": "residents"}),
        ("deprivation/deprivation", "imd", {"rank": "IMD_rank", "decile": "IMD_decile"}),
    ):
        table = pd.read_csv(data / f"{source}.csv", dtype=str)
        renamed(table).rename(columns=columns).to_csv(folder / f"{target}.csv", index=False)
    shutil.copy(data / "destinations" / "employment.geojson", folder)
    spaces = gpd.read_file(data / "destinations" / "shared_spaces.geojson")
    first = spaces.index[spaces["kind"] == "library"][0]
    spaces.loc[first, "name"] = "Central Library"
    spaces.to_file(folder / "shared_spaces.geojson", driver="GeoJSON")
    shutil.copy(data / "osm" / "millgate.osm.pbf", folder / "town.osm.pbf")
    for name in ("bus.zip", "rail.zip"):
        shutil.copy(data / "gtfs" / name, folder)


def test_the_study_of_own_town_is_what_init_writes(project: Path, cache: Path) -> None:
    """The page shows the file that `init` makes of the files which it tells its readers to download, word for word."""
    from community_routes.cli import run_command

    make_own_town(project / "my-town")
    page = (ROOT / "docs" / "own-town.md").read_text("utf-8")
    (shown,) = (text for language, text in FENCE.findall(page) if language == "yaml" and "study:" in text)
    assert run_command(["init", "my-town", "--out", "my-town/study.yaml", "--cache", str(cache)]) == 0
    assert (project / "my-town" / "study.yaml").read_text("utf-8") == shown


@pytest.mark.parametrize("page", WITH_COMMANDS, ids=lambda page: page.name)
def test_commands_are_written_as_the_program_takes_them(page: Path, project: Path) -> None:
    """Each names a command that exists, with its arguments and options, whether or not it is run."""
    from community_routes.cli import app

    group = typer.main.get_group(app)
    for command in commands(page):
        words = words_of(command)
        if words[0] == "community-routes":
            name = words[1]
            assert name in group.commands, f"{page.name}: there is no command {name!r}"
            group.commands[name].make_context(name, words[2:])


@pytest.mark.slow
@pytest.mark.parametrize("page", WITH_COMMANDS, ids=lambda page: page.name)
def test_commands_of_the_pages_run(page: Path, project: Path, cache: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One after the other, as a reader gives them, each ends as it should."""
    run_commands(page, project, cache, capsys)


def run_commands(page: Path, project: Path, cache: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The commands of a page, each with the exit code that it should have."""
    from community_routes.cli import run_command

    if page.name in MADE_OF_SAMPLE:
        make_own_town(project / MADE_OF_SAMPLE[page.name])
    if page.name == "fetch.md":  # its own first command, which is not run, writes the study
        assert run_command(["init", "my-town", "--out", "my-town/study.yaml", "--cache", str(cache)]) == 0
    for command in commands(page):
        if not is_run(command):
            continue
        words = words_of(command)
        assert words[0] == "community-routes", f"{page.name}: {command!r} is neither run nor listed in NOT_RUN"
        code = run_command([*words[1:], "--cache", str(cache)])
        wanted = next((code for beginning, code in ENDS_WITH.items() if command.startswith(beginning)), 0)
        assert code == wanted, f"{page.name}: {command}\n{capsys.readouterr().err}"


@pytest.fixture
def tables_restored() -> Iterator[None]:
    """The lists of measures, changes and sections, to which the page on adding adds, are as they were afterwards."""
    from community_routes.measures.list import MEASURES
    from community_routes.report.page import SECTIONS
    from community_routes.scenarios.list import CHANGES

    changes, measures, sections = dict(CHANGES), list(MEASURES), list(SECTIONS)
    yield
    MEASURES[:], SECTIONS[:] = measures, sections
    CHANGES.clear()
    CHANGES.update(changes)


@pytest.mark.slow
@pytest.mark.parametrize("page", WITH_PYTHON, ids=lambda page: page.name)
def test_python_of_the_pages_runs(
    page: Path,
    project: Path,
    cache: Path,
    tables_restored: None,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The blocks of a page run one after the other in one module, as a reader types them."""
    if page.name in AFTER_COMMANDS:
        run_commands(page, project, cache, capsys)
    module = ModuleType(f"page_{page.stem}".replace("-", "_"))
    monkeypatch.setitem(sys.modules, module.__name__, module)
    for text in python_of(page):
        exec(compile(text, page.name, "exec"), module.__dict__)


def test_what_is_not_run_is_really_there() -> None:
    """Each excuse is for commands that some page has, so that none outlives its cause."""
    everything = [command for page in PAGES for command in commands(page)]
    assert PYTHON_ELSEWHERE.keys() <= {page.name for page in PAGES if python_of(page)}
    assert {beginning for beginning in NOT_RUN if not any(c.startswith(beginning) for c in everything)} == set()
