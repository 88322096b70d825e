"""The doctor finds what is missing or too old, and says what to do."""

from __future__ import annotations

import tomllib
from importlib.metadata import PackageNotFoundError
from pathlib import Path

import pytest

from community_routes.commands import doctor

ROOT = Path(__file__).resolve().parents[2]


def findings(
    monkeypatch: pytest.MonkeyPatch, versions: dict[str, str], oldest: dict[str, str]
) -> dict[str, doctor.Finding]:
    """What is found where packages have these versions and these are the oldest that work; everything else is 9.9."""

    def version(name: str) -> str:
        if versions.get(name) == "missing":
            raise PackageNotFoundError(name)
        return versions.get(name, "9.9")

    monkeypatch.setattr(doctor, "version", version)
    monkeypatch.setattr(doctor, "oldest_versions", lambda: oldest)
    monkeypatch.setattr(doctor, "_self_test", lambda: doctor.Finding("self-test", "not run"))
    return {finding.what: finding for finding in doctor.examine(None)}


def test_an_old_package_is_a_problem_with_its_cure(monkeypatch: pytest.MonkeyPatch) -> None:
    """2.9.1 is older than 2.10, as numbers and not as text; 2.10 itself is not."""
    found = findings(monkeypatch, {"pydantic": "2.9.1", "shapely": "2.1.0"}, {"pydantic": "2.10", "shapely": "2.1"})
    assert not found["pydantic"].good
    assert "2.9.1 is older than 2.10" in found["pydantic"].found
    assert 'pip install --upgrade "pydantic>=2.10"' in found["pydantic"].found
    assert found["shapely"].good
    assert doctor.told(list(found.values())).endswith(f"1 of {len(found)} points need attention")


def test_a_missing_package_is_a_problem_and_a_missing_extra_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    """numba is needed; weasyprint only for PDF."""
    found = findings(monkeypatch, {"numba": "missing", "weasyprint": "missing"}, {})
    assert not found["numba"].good
    assert "pip install numba" in found["numba"].found
    assert found["weasyprint"].good


def test_the_oldest_versions_are_those_that_the_installation_declares() -> None:
    """Dependencies, without those of the extras; each that the doctor looks at declares one."""
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["dependencies"]
    names = {text.partition(">=")[0].casefold().replace(".", "-") for text in declared}
    known = {name.replace(".", "-") for name in doctor.oldest_versions()}
    assert known == names
    assert set(doctor._PACKAGES) <= known
