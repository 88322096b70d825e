"""Folders that are replaced whole, and what a killed run leaves behind."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from community_routes.base.errors import UsageError
from community_routes.base.files import check_replaceable, new_file, new_folder, try_lock


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
        "import os, signal, sys; from pathlib import Path; from community_routes.base.files import new_folder\n"
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


def test_a_file_appears_whole_and_a_killed_process_leaves_it_as_it_was(tmp_path: Path) -> None:
    """SIGKILL in the middle leaves a hidden folder with half a file; whoever writes the same file next clears it away."""
    path = tmp_path / "m [1].csv"
    path.write_text("old", encoding="utf-8")
    killed = (
        "import os, sys; from pathlib import Path; from community_routes.base.files import new_file\n"
        "with new_file(Path(sys.argv[1])) as beside: beside.write_text('ha'); os.abort()"
    )
    subprocess.run([sys.executable, "-c", killed, str(path)], check=False, stderr=subprocess.DEVNULL)
    assert path.read_text("utf-8") == "old" and len(list(tmp_path.iterdir())) == 2
    with pytest.raises(OSError, match="full"), new_file(path) as beside:
        beside.write_text("ha", encoding="utf-8")
        raise OSError("full")
    assert path.read_text("utf-8") == "old" and len(list(tmp_path.iterdir())) == 1, "also what was left before is gone"
    with new_file(path) as one, new_file(path) as other:
        assert one != other, "two may write at once: neither takes the other's work for a leftover"
        one.write_text("one", encoding="utf-8")
        other.write_text("other", encoding="utf-8")
    assert path.read_text("utf-8") == "one" and list(tmp_path.iterdir()) == [path]
    with pytest.raises(UsageError, match="is a folder; name a file"), new_file(tmp_path):
        pass


def test_a_folder_that_cannot_be_replaced_is_refused_with_a_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The working folder, one that holds it, and where something is mounted; also by other names, also where it is a run."""
    work = make_run(tmp_path / "project" / "work", "old")
    monkeypatch.chdir(work)
    (tmp_path / "link").symlink_to(work)
    for out in (".", "./", str(work), "new/..", str(tmp_path / "link")):
        with pytest.raises(UsageError, match=r"is the folder in which you work.*--out results"):
            check_replaceable(Path(out))
    for out in ("..", str(tmp_path), "/"):
        with pytest.raises(UsageError, match="holds the folder in which you work"), new_folder(Path(out)):
            pass
    check_replaceable(Path("new"))
    monkeypatch.chdir(tmp_path)
    check_replaceable(work)
    (tmp_path / "disk").mkdir()
    monkeypatch.setattr("os.path.ismount", lambda path: Path(path).name == "disk")
    with pytest.raises(UsageError, match=r"disk is where a disk or volume is mounted.*name a folder in it"):
        check_replaceable(tmp_path / "disk")
    check_replaceable(tmp_path / "disk" / "out")
    assert (work / "text").read_text("utf-8") == "old"


def test_a_result_that_was_moved_aside_when_the_run_was_killed_comes_back(tmp_path: Path) -> None:
    """Killed between the two moves: the next run finds the old result, and a failure then leaves it in its place."""
    aside = tmp_path / ".out.aside"
    make_run(aside / "was", "old")
    (aside / ".lock").touch()
    with pytest.raises(OSError, match="full"), new_folder(tmp_path / "out"):
        raise OSError("full")
    assert (tmp_path / "out" / "text").read_text("utf-8") == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["out"]
