"""Saving and drafts: never over what was not read, offered again after a crash, and only scenario files are touched."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from benches import NOTHING, OFTEN, bench_in, client_of
from community_routes.base.errors import UsageError
from community_routes.workbench.files import ChangedOnDiskError, Folder

API = "/api/v1"


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    (tmp_path / "study.yaml").write_text("study: a\n", encoding="utf-8")
    (tmp_path / "often.yaml").write_text(OFTEN, encoding="utf-8")
    return Folder.of(tmp_path / "study.yaml", [])


def test_a_file_is_saved_when_it_is_as_it_was_read(folder):
    """The sha256 of what was read is given; the new one comes back, for the next time."""
    assert folder.save("often", NOTHING, digest(OFTEN)) == digest(NOTHING)
    assert (folder.path / "often.yaml").read_text("utf-8") == NOTHING
    assert folder.save("often", OFTEN, digest(NOTHING)) == digest(OFTEN)


def test_what_somebody_else_changed_is_left_alone(folder):
    """Changed since, there although it should be new, gone although it was there; the disk stays as it is."""
    (folder.path / "often.yaml").write_text("scenario: often\nchanges: []\n", encoding="utf-8")
    with pytest.raises(ChangedOnDiskError, match=r"often\.yaml was changed by somebody else"):
        folder.save("often", NOTHING, digest(OFTEN))
    with pytest.raises(ChangedOnDiskError, match=r"often\.yaml is there already"):
        folder.save("often", NOTHING, None)
    assert "changes: []" in (folder.path / "often.yaml").read_text("utf-8")
    (folder.path / "often.yaml").unlink()
    with pytest.raises(ChangedOnDiskError, match="is not there any more"):
        folder.save("often", NOTHING, digest(OFTEN))
    assert not (folder.path / "often.yaml").exists()
    assert folder.save("often", NOTHING, None) == digest(NOTHING)


def test_saving_the_same_twice_is_no_conflict(folder):
    """As of a request that was sent again because its answer was lost."""
    folder.save("often", NOTHING, digest(OFTEN))
    assert folder.save("often", NOTHING, digest(OFTEN)) == digest(NOTHING)


def test_another_file_of_the_folder_is_left_alone(folder):
    """The study file is no scenario file, whatever its sha256."""
    with pytest.raises(UsageError, match=r"study\.yaml is no scenario file"):
        folder.save("study", NOTHING, digest("study: a\n"))
    assert [one.id for one in folder.scenarios()] == ["often"]


def test_letters_and_line_endings_are_kept(folder):
    """Bytes on the disk are those of the text, read again the same."""
    text = "scenario: often\r\ntitle: Ysbyty – £2 \u202e\r\nchanges: []\r\n"
    folder.save("often", text, digest(OFTEN))
    assert (folder.path / "often.yaml").read_bytes() == text.encode()
    assert folder.text("often") == text


def test_a_draft_is_kept_until_it_is_saved(folder):
    """A second session is offered it; what the disk says is no draft; saving and dropping let go of it."""
    folder.keep_draft("often", NOTHING, digest(OFTEN))
    folder.keep_draft("new", NOTHING, None)
    again = Folder.of(folder.path / "study.yaml", [])
    assert {(draft.id, draft.text, draft.base_sha256) for draft in again.drafts()} == {
        ("often", NOTHING, digest(OFTEN)),
        ("new", NOTHING, None),
    }
    folder.save("often", NOTHING, digest(OFTEN))
    assert [draft.id for draft in again.drafts()] == ["new"]
    folder.drop_draft("new")
    folder.drop_draft("new")
    assert again.drafts() == []
    folder.keep_draft("often", NOTHING, None)
    assert again.drafts() == []
    assert sorted(path.name for path in folder.path.iterdir()) == [".often.draft.json", "often.yaml", "study.yaml"]


def test_damaged_drafts_are_left_out(folder):
    """Half a file, another program's, one under another name."""
    for name, text in (("a", "{"), ("b", "[]"), ("c", json.dumps({"id": "d", "text": ""}))):
        (folder.path / f".{name}.draft.json").write_text(text, encoding="utf-8")
    assert folder.drafts() == []


def test_where_the_proposals_lie(tmp_path):
    """That of the scenarios given, else of the study; in one folder, and files that are there."""
    study, other = tmp_path / "a" / "study.yaml", tmp_path / "b"
    for path in (study, other / "x.yaml", tmp_path / "c" / "y.yaml"):
        path.parent.mkdir(exist_ok=True)
        path.write_text(NOTHING, encoding="utf-8")
    assert Folder.of(study, []).path == study.parent.resolve()
    assert Folder.of(study, [other / "x.yaml"]).path == other.resolve()
    with pytest.raises(UsageError, match="several folders"):
        Folder.of(study, [other / "x.yaml", tmp_path / "c" / "y.yaml"])
    with pytest.raises(UsageError, match=r"there is no file z\.yaml"):
        Folder.of(study, [other / "z.yaml"])
    with pytest.raises(UsageError, match="no scenario file"):
        Folder.of(study, [other / "x.txt"])


def test_saving_by_the_api(tmp_path):
    """Saved, refused with 409 when it changed, and the list of the study follows the disk."""
    client = client_of(bench_in(tmp_path))
    saved = client.put(f"{API}/files/new", json={"text": NOTHING, "was": None})
    assert saved.json() == {"sha256": digest(NOTHING), "file": "new.yaml"}
    (tmp_path / "new.yaml").write_text(NOTHING + "# mine\n", encoding="utf-8")
    clash = client.put(f"{API}/files/new", json={"text": OFTEN, "was": digest(NOTHING)})
    assert (clash.status_code, clash.json()["detail"][0]["kind"]) == (409, "changed_on_disk")
    listed = {one["id"]: one["sha256"] for one in client.get(f"{API}/study").json()["scenarios"]}
    assert listed["new"] == digest(NOTHING + "# mine\n")
    assert client.put(f"{API}/drafts/new", json={"text": OFTEN, "base_sha256": digest(NOTHING)}).status_code == 204
    assert [one["id"] for one in client.get(f"{API}/study").json()["drafts"]] == ["new"]
    assert client.delete(f"{API}/drafts/new").status_code == 204
    assert client.get(f"{API}/study").json()["drafts"] == []


def test_a_disk_that_cannot_be_written(tmp_path):
    """Said, with the cure, in the form of all refusals; without the path of the folder."""
    client = client_of(bench_in(tmp_path))
    (tmp_path / ".new.draft.json.part").mkdir()
    refused = client.put(f"{API}/drafts/new", json={"text": NOTHING})
    fault = refused.json()["detail"][0]
    assert (refused.status_code, fault["kind"]) == (507, "disk")
    assert str(tmp_path) not in refused.text
