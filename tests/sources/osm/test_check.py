"""Streets and stops in different places, and damaged files read in a process of their own."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from pathlib import Path

import numpy as np
import osmium
import pytest

from community_routes.base.errors import StreetsError
from community_routes.sources.osm import blocks as osm_blocks
from community_routes.sources.osm.check import check_overlap, check_stops_inside
from community_routes.sources.osm.read import read_streets
from drawn_streets import grid_city

NEWPORT = (-3.08, 51.52, -2.92, 51.60)


def test_boxes_that_touch_are_fine():
    assert check_overlap(NEWPORT, (-5, 50, 0, 53)) == []
    assert check_overlap(NEWPORT, (-2.92, 51.60, -2, 52)) == []
    assert check_overlap((179, -18, -179, -17), (-179.5, -17.5, -179.2, -17.4)) == []
    assert check_overlap((179, -18, -179, -17), (178, -18, 179.5, -17)) == []


@pytest.mark.parametrize(
    ("stops", "words"),
    [
        ((-2.6, 53.7, -2.3, 53.8), "check that both files are of the same town"),
        ((51.53, -3.05, 51.59, -2.95), "of the stops seem to be exchanged"),
        ((-3.05, 51.61, -2.95, 51.70), "check that both files"),
        ((3.0, 51.53, 3.1, 51.59), "check that both files"),
    ],
)
def test_boxes_apart_are_shown(stops, words):
    (notice,) = check_overlap(NEWPORT, stops, file="bus.zip/stops.txt")
    assert (notice.code, notice.severity, notice.file) == ("streets_no_overlap", "error", "bus.zip/stops.txt")
    assert words in notice.message
    assert f"{stops[0]:.4f} to {stops[2]:.4f}" in notice.message
    assert "-3.0800 to -2.9200" in notice.message


def test_stops_all_round_and_none_inside():
    """Stops in four corners of Great Britain surround Newport; one inside of three is told, two of three are not."""
    lon, lat = np.array([-6.0, 1.0, np.nan]), np.array([50.0, 58.0, 51.5])
    (notice,) = check_stops_inside(NEWPORT, lon, lat)
    assert notice.code == "streets_no_stop_inside" and "0 of 2 stops" in notice.message
    lon, lat = np.array([-6.0, 1.0, -3.0]), np.array([50.0, 58.0, 51.55])
    (notice,) = check_stops_inside(NEWPORT, lon, lat)
    assert (notice.code, notice.severity) == ("streets_few_stops_inside", "info")
    assert "1 of 3 stops" in notice.message
    assert check_stops_inside(NEWPORT, np.array([-6.0, -3.0, -3.0]), np.array([50, 51.55, 51.56])) == []
    assert check_stops_inside(NEWPORT, np.array([np.nan]), np.array([np.nan])) == []


@pytest.mark.parametrize(
    ("area", "words"),
    [((0.002, 0.0, 0.003, 0.001), "same town"), ((52.0, 5.0, 52.1, 5.2), "seem to be exchanged")],
)
def test_an_area_without_any_street_is_an_error(tmp_path, area, words):
    """The city lies at (0, 0) or, moved, at longitude 5, latitude 52."""
    drawn = grid_city(3, 2)
    if area[0] > 50:
        drawn.nodes = {node: (x + 5.1 * 111_195, y + 52.05 * 111_195) for node, (x, y) in drawn.nodes.items()}
    path = drawn.write(tmp_path / "a.osm.pbf")
    with pytest.raises(StreetsError, match=words) as fault:
        read_streets(path, area=area)
    assert [notice.code for notice in fault.value.notices] == ["streets_not_in_area"]


# Reads every file that is named and tells what came of it; whatever else happens ends the process.
CHILD = """
import json, sys
from pathlib import Path
from community_routes.base.errors import StreetsError
from community_routes.network.streets.streets import build_streets
from community_routes.sources.osm import blocks as osm_blocks
from community_routes.sources.osm.read import read_streets
osm_blocks._trial_fault = lambda path, size: None  # this process is the trial
for path in sorted(Path(sys.argv[1]).glob("*.pbf")):
    print(json.dumps({"begun": path.name}), flush=True)
    try:
        streets = read_streets(path, places={"any": {"amenity": ["*"]}})
        build_streets(streets)
        outcome = "read"
    except StreetsError as error:
        outcome = str(error)
    print(json.dumps({"done": path.name, "outcome": outcome}), flush=True)
"""


def test_a_crash_of_the_reader_is_a_message(tmp_path, monkeypatch):
    """Blocks without check sums are read by another process first; here it aborts, and the run goes on."""
    plain_file(tmp_path / "town.pbf")
    assert read_streets(tmp_path / "town.pbf").n_ways == 21
    monkeypatch.setattr(osm_blocks, "TRIAL", "import os; os.abort()")
    with pytest.raises(StreetsError, match=r"^town\.pbf: it is damaged: its reader crashed"):
        read_streets(tmp_path / "town.pbf")
    packed = grid_city(12, 9).write(tmp_path / "packed.pbf")
    assert read_streets(packed).n_ways == 21


def test_a_hanging_reader_is_a_message(tmp_path, monkeypatch):
    plain_file(tmp_path / "town.pbf")
    monkeypatch.setattr(osm_blocks, "TRIAL", "import time; time.sleep(60)")
    monkeypatch.setattr(osm_blocks, "_TRIAL_S", 0.3)
    with pytest.raises(StreetsError, match="had not finished"):
        read_streets(tmp_path / "town.pbf")


def test_a_changed_byte_of_a_packed_block_is_noticed(tmp_path):
    """Bytes inside the packed blocks, each changed by itself, are told of; only the few bits that fill up the last byte
    of a packed stream mean nothing, and then the same map is read."""
    path = grid_city(12, 9).write(tmp_path / "town.pbf")
    whole, content = read_streets(path), path.read_bytes()
    noticed = 0
    for at_byte in range(content.index(b"OSMData") + 30, len(content), 4):
        changed = bytearray(content)
        changed[at_byte] ^= 0x10
        path.write_bytes(bytes(changed))
        try:
            again = read_streets(path)
        except StreetsError as error:
            assert str(error).startswith("town.pbf: it ")
            noticed += 1
        else:
            assert again.node.tolist() == whole.node.tolist() and again.lon.tolist() == whole.lon.tolist()
    assert noticed > 60


def damaged(content: bytes, seed: int) -> bytes:
    """A copy with a few bytes changed, in one of ten cases cut off as well."""
    rng = random.Random(seed)
    data = bytearray(content)
    for _ in range(rng.choice([1, 2, 5, 20])):
        data[rng.randrange(len(data))] = rng.randrange(256)
    return bytes(data[: rng.randrange(len(data))] if rng.random() < 0.1 else data)


def plain_file(path: Path) -> bytes:
    """A city with tags of all sorts, blocks not compressed so that damage reaches the contents."""
    compressed = grid_city(12, 9).write(path.with_suffix(".zlib.pbf"))
    with osmium.SimpleWriter(osmium.io.File(str(path), "pbf,pbf_compression=none")) as writer:
        for thing in osmium.FileProcessor(str(compressed)):
            writer.add(thing)
    return path.read_bytes()


@pytest.mark.parametrize("n", [150, pytest.param(4000, marks=pytest.mark.slow)])
def test_damaged_files_end_in_a_message_that_names_them(tmp_path, n):
    """Bytes changed at random: every file is read, or refused with its name on one line; the process outlives them all."""
    content = plain_file(tmp_path / "whole.pbf")
    folder = tmp_path / "damaged"
    folder.mkdir()
    for seed in range(n):
        (folder / f"town-{seed:05d}.pbf").write_bytes(damaged(content, seed))
    run = subprocess.run([sys.executable, "-c", CHILD, str(folder)], capture_output=True, text=True, timeout=1200)
    told = [json.loads(line) for line in run.stdout.splitlines()]
    assert run.returncode == 0, (told[-1:], run.stderr[-2000:])
    outcomes = {item["done"]: item["outcome"] for item in told if "done" in item}
    assert len(outcomes) == n
    refused = {name: text for name, text in outcomes.items() if text != "read"}
    assert all(text.startswith(name) for name, text in refused.items())
    assert all(text.isprintable() or text.count("\n") == 1 for text in refused.values())
    assert len(refused) > n // 4 and len(refused) < n
