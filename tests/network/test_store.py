"""What is kept between runs comes back as it was, or is made again; a folder that fails costs nothing but time."""

from __future__ import annotations

import datetime as dt
import os
import threading
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from community_routes.base.notices import Notice
from community_routes.network.packing import Packed, UnpackableError
from community_routes.network.store import Store, fingerprint, key_of
from community_routes.network.walks.points import Links
from community_routes.sources.gtfs.feed import Feed
from drawn import drawn_feed

KEY = key_of("test", 1)


def links(n: int = 3) -> Links:
    """A walk from each place to the next."""
    return Links(np.arange(n + 1), np.arange(n, dtype=np.int32), np.full(n, 7, np.int32), np.linspace(1.5, 9.25, n))


def a_file(store: Store, name: str) -> Path:
    return store.folder / KEY / name


def test_every_kind_of_value_comes_back(tmp_path):
    """Numbers, text with odd letters, dates, tables with text and numbers, nested, and arrays that are empty."""
    table = pd.DataFrame({"name": ["Ä\0b", "", "7,\n"], "n": np.array([1, 2, 3], np.int8), "x": [0.1, np.nan, np.inf]})
    value = {
        "plain": (1, -2.5, "text", None, True, [dt.date(2024, 2, 29)]),
        7: np.array(["", "é", "z" * 1000], object),
        "days": np.array(["2024-01-01", "NaT"], "datetime64[D]"),
        "none": (np.zeros(0, object), np.zeros((0, 3), np.int16), table.iloc[:0].reset_index(drop=True)),
        "table": table,
        "links": links(),
    }
    store = Store(tmp_path)
    assert store.save(KEY, value)
    found = store.load(KEY)
    assert found["plain"] == value["plain"]
    assert found[7].tolist() == value[7].tolist()
    assert found["days"].astype(str).tolist() == ["2024-01-01", "NaT"]
    assert [part.shape for part in found["none"]] == [(0,), (0, 3), (0, 3)]
    pd.testing.assert_frame_equal(found["table"], table)
    pd.testing.assert_frame_equal(found["none"][2], value["none"][2])
    assert found["links"].metres.tolist() == [1.5, 5.375, 9.25]
    assert fingerprint(found) == fingerprint(value)


def test_arrays_are_mapped_and_cannot_be_changed(tmp_path):
    store = Store(tmp_path)
    store.save(KEY, (links(), np.arange(5)))
    kept, plain = store.load(KEY)
    base = kept.metres
    while isinstance(base, np.ndarray) and base.base is not None and not isinstance(base, np.memmap):
        base = base.base
    assert isinstance(base, np.memmap)
    with pytest.raises(ValueError, match="read-only"):
        plain[0] = 1


def test_a_whole_timetable_comes_back(tmp_path):
    """All tables of a feed, types included: the fingerprint covers every array and every dtype; a minute changes it."""

    def drawn(minute: int) -> Feed:
        return drawn_feed(f"7: A 08:00  B 08:{minute}", "8: B 08:20  C 08:30", transfers=["B > B type=2 min=300"])

    store = Store(tmp_path)
    assert store.save(KEY, drawn(10))
    found = store.load(KEY)
    assert fingerprint(found) == fingerprint(drawn(10)) != fingerprint(drawn(11))
    for name in ("stops", "routes", "trips", "transfers", "frequencies", "pathways"):
        pd.testing.assert_frame_equal(getattr(found, name), getattr(drawn(10), name))


@pytest.mark.parametrize("harm", ["cut", "longer", "turned", "gone", "list cut", "list changed"])
def test_a_damaged_entry_is_made_again(tmp_path, harm):
    """Whatever happens to a file, the value is made once more, kept, and found by the run after."""
    store, made = Store(tmp_path), []

    def make(_: list[Notice]) -> Links:
        made.append(1)
        return links()

    store.get(KEY, make)
    numbers, listed = a_file(store, "3.npy"), a_file(store, "entry.json")
    content, text = numbers.read_bytes(), listed.read_text("utf-8")
    if harm == "cut":
        numbers.write_bytes(content[:-4])
    elif harm == "longer":
        numbers.write_bytes(content + b"\0")
    elif harm == "turned":
        numbers.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    elif harm == "gone":
        numbers.unlink()
    elif harm == "list cut":
        listed.write_text(text[: len(text) // 2], "utf-8")
    else:
        listed.write_text(text.replace('"array":0', '"array":1'), "utf-8")
    assert store.get(KEY, make).metres.tolist() == [1.5, 5.375, 9.25]
    assert store.get(KEY, make).metres.tolist() == [1.5, 5.375, 9.25]
    assert len(made) == 2


def test_a_broken_off_write_is_not_taken_for_an_entry(tmp_path):
    """A folder without its list, as a killed process might leave behind under the key itself, is no value."""
    store = Store(tmp_path)
    (tmp_path / KEY).mkdir()
    np.save(tmp_path / KEY / "0.npy", np.arange(3))
    assert store.load(KEY) is None
    assert store.get(KEY, lambda _: 5) == 5


def test_what_was_used_longest_ago_goes(tmp_path):
    """Each entry has 8,000 bytes of numbers, and 20,000 are allowed: of three, two stay, and a look counts as use."""
    store = Store(tmp_path, most_bytes=20_000)
    keys = [key_of("test", n) for n in range(3)]
    for n, key in enumerate(keys[:2]):
        store.save(key, np.full(1000, float(n)))
        os.utime(tmp_path / key / "entry.json", (1000 + n, 1000 + n))
    assert store.load(keys[0])[0] == 0.0  # so that the second is the one unused for longest
    store.save(keys[2], np.full(1000, 2.0))
    assert [store.load(key) is not None for key in keys] == [True, False, True]


def test_what_is_larger_than_all_room_is_not_kept(tmp_path):
    store = Store(tmp_path, most_bytes=100)
    assert not store.save(KEY, np.zeros(1000))
    assert store.get(KEY, lambda _: 3.0) == 3.0


def test_a_folder_that_cannot_be_written_is_no_cache(tmp_path):
    """Where the folder should be stands a file."""
    (tmp_path / "taken").write_text("x", "utf-8")
    store = Store(tmp_path / "taken" / "kept")
    assert [store.get(KEY, lambda _, n=n: n) for n in (1, 2)] == [1, 2]


def test_what_cannot_be_kept_is_made_each_time(tmp_path):
    store = Store(tmp_path)
    with pytest.raises(UnpackableError):
        Packed({1, 2})
    assert store.get(KEY, lambda _: {1, 2}) == {1, 2}
    assert store.load(KEY) is None
    for bad in (np.array(["a", None], object), np.array([1, "a"], object), np.array(["\ud800"], object)):
        assert not store.save(KEY, bad)


def test_writers_at_once_leave_one_whole_entry(tmp_path):
    store, start = Store(tmp_path), threading.Barrier(8)

    def write() -> None:
        start.wait()
        store.save(KEY, links(1000))

    threads = [threading.Thread(target=write) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert store.load(KEY).walk_s.sum() == 7000
    assert [entry.name for entry in tmp_path.iterdir()] == [KEY]


def test_notices_are_told_again(tmp_path):
    """What was found when the value was made is found again when it is not."""
    store, notice = Store(tmp_path), Notice("warning", "odd", "it is odd", "a.txt", 3, None, "x", "1")

    def make(found: list[Notice]) -> int:
        found.append(notice)
        return 1

    first: list[Notice] = []
    second: list[Notice] = []
    store.get(KEY, make, first)
    store.get(KEY, lambda _: 2, second)
    assert first == second == [notice]


def test_a_fault_is_not_kept_and_its_notices_are_told(tmp_path):
    store, found = Store(tmp_path), []

    def fail(notices: list[Notice]) -> int:
        notices.append(Notice("error", "bad", "it is bad"))
        raise ValueError("bad")

    with pytest.raises(ValueError, match="bad"):
        store.get(KEY, fail, found)
    assert [notice.code for notice in found] == ["bad"]
    assert store.get(KEY, lambda _: 4) == 4


def test_keys_tell_everything_apart():
    keys = [key_of("a", 1), key_of("b", 1), key_of("a", 2), key_of("a", 1, 1), key_of("a", "1"), key_of("a", 1.0)]
    assert len(set(keys)) == len(keys)
    assert key_of("a", 1) == keys[0]
