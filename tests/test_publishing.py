"""Folders that are replaced whole, and what a killed run leaves behind."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from community_routes.errors import UsageError
from community_routes.locking import try_lock
from community_routes.publishing import check_replaceable, new_folder


def make_run(folder: Path, text: str) -> Path:
    """A folder that looks like the result of a run, with one file beside ``run.json``."""
    folder.mkdir(parents=True)
    (folder / "run.json").write_text(json.dumps({"program": "community_routes"}), encoding="utf-8")
    (folder / "text").write_text(text, encoding="utf-8")
    return folder


def test_which_folders_are_replaced(tmp_path: Path) -> None:
    check_replaceable(tmp_path / "new")
    (tmp_path / "empty").mkdir()
    check_replaceable(tmp_path / "empty")
    ours = tmp_path / "ours"
    ours.mkdir()
    (ours / "run.json").write_text(json.dumps({"program": "community_routes"}), encoding="utf-8")
    check_replaceable(ours)
    for content in ("{}", '{"program": "other"}', "\x00", "[" * 1000):
        (ours / "run.json").write_text(content, encoding="utf-8")
        with pytest.raises(UsageError, match="name another folder"):
            check_replaceable(ours)


def test_a_finished_folder_takes_the_place_of_the_old_one(tmp_path: Path) -> None:
    out = make_run(tmp_path / "out", "old")
    with new_folder(out) as made:
        make_run(made / "deep", "new")
        assert (out / "text").read_text("utf-8") == "old"
    assert sorted(path.name for path in out.iterdir()) == ["deep"]
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_an_error_leaves_the_old_folder_and_nothing_else(tmp_path: Path) -> None:
    out = make_run(tmp_path / "out", "old")
    with pytest.raises(OSError, match="full"), new_folder(out):
        raise OSError("full")
    assert (out / "text").read_text("utf-8") == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_what_a_killed_run_left_goes_and_what_another_is_writing_stays(tmp_path: Path) -> None:
    """A killed writer leaves a hidden folder; the next run removes it. One whose lock is held belongs to a run at work."""
    out = tmp_path / "out [1]"
    killed = (
        "import os, signal, sys; from pathlib import Path; from community_routes.publishing import new_folder\n"
        "with new_folder(Path(sys.argv[1])) as made: (made / 'half').touch(); os.kill(os.getpid(), signal.SIGTERM)"
    )
    subprocess.run([sys.executable, "-c", killed, str(out)], check=False)
    (left,) = tmp_path.iterdir()
    assert left.name.startswith(".out [1].")
    busy = tmp_path / ".out [1].busy"
    busy.mkdir()
    with (busy / ".lock").open("w", encoding="utf-8") as file:
        assert try_lock(file)
        with new_folder(out) as made:
            (made / "text").touch()
        assert sorted(path.name for path in tmp_path.iterdir()) == [".out [1].busy", "out [1]"]
        assert [path.name for path in out.iterdir()] == ["text"]


def test_a_result_that_was_moved_aside_when_the_run_was_killed_comes_back(tmp_path: Path) -> None:
    """Killed between the two moves: the next run finds the old result, and a failure then leaves it in its place."""
    aside = tmp_path / ".out.aside"
    make_run(aside / "was", "old")
    (aside / ".lock").touch()
    with pytest.raises(OSError, match="full"), new_folder(tmp_path / "out"):
        raise OSError("full")
    assert (tmp_path / "out" / "text").read_text("utf-8") == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["out"]
