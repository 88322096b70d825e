"""The hash over the program's code, which keeps what other code made out of a run."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

import community_routes
from community_routes.base.version import code_hash
from community_routes.network import store

PACKAGE = Path(community_routes.__file__).parent


@pytest.mark.parametrize(
    "module", sorted(path.relative_to(PACKAGE).as_posix() for path in PACKAGE.rglob("*.py")), ids=lambda name: name
)
def test_an_edit_of_any_module_changes_the_hash(module: str, tmp_path: Path) -> None:
    """A comment added to a single module, in whatever folder, makes it another program."""
    copy = tmp_path / "package"
    (copy / module).parent.mkdir(parents=True)
    shutil.copy(PACKAGE / module, copy / module)
    before = code_hash(copy)
    with (copy / module).open("a", encoding="utf-8") as file:
        file.write("# another walk\n")
    code_hash.cache_clear()
    assert code_hash(copy) != before


def test_a_module_moved_or_added_changes_the_hash(tmp_path: Path) -> None:
    """The same lines under another name, or in a folder below, are another program too."""
    (tmp_path / "a" / "below").mkdir(parents=True)
    (tmp_path / "a" / "earth.py").write_text("RADIUS = 1\n", "utf-8")
    hashes = [code_hash(tmp_path / "a")]
    for change in (
        lambda: (tmp_path / "a" / "earth.py").rename(tmp_path / "a" / "below" / "earth.py"),
        lambda: (tmp_path / "a" / "below" / "kernels.py").write_text("", "utf-8"),
    ):
        change()
        code_hash.cache_clear()
        hashes.append(code_hash(tmp_path / "a"))
    assert len(set(hashes)) == 3


def test_keys_of_the_cache_belong_to_one_code(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is kept under a key is not found by a program whose distances are worked out otherwise."""
    before = store.key_of("walks", 1)
    monkeypatch.setattr(store, "code_hash", lambda: "another earth.py")
    assert store.key_of("walks", 1) != before
