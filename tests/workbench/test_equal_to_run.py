"""What is on the screen is what a run writes: ten proposals answered, and the same files given to `run`, to the last digit."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from starlette.testclient import TestClient

from benches import bench_in, client_of
from community_routes.cli import run_command

PLANS = {
    "often": ["set_headway: {route: L1, weekday: {07:00-09:00: 10}}"],
    "odd": ["set_headway: {route: L2, weekday: {07:05-08:30: 7}}"],
    "new": [
        "add_route: {name: X, stops: [S0, {at: [20.25, 0.0], name: Half way}, S6], speed_kmh: 60, "
        "service: {weekday: {06:00-21:30: 15}}}"
    ],
    "gone": ["withdraw_route: {route: L3}"],
    "faster": ["change_speed: {route: L4, factor: 1.5}"],
    "longer": ["extend_route: {route: L1, after: S1, stops: [S2], run_times_min: [9]}", "change_dwell: {route: L1, dwell_s: 30}"],
    "stop": ["add_stop: {route: L5, stop: {at: [20.45, 0.0], name: Half way}, after: S4}"],
    "homes": ["add_homes: {name: N, at: [20.0, 0.0], homes: 10, like: P0}"],
    "space": ["add_space: {name: Hall, at: [20.1, 0.0]}", "withdraw_route: {route: L1, off: true}"],
    "dial": ["add_drt: {name: D, zone: z.geojson, hours: 07:00-08:00, wait_min: 5, vehicles: 2, connects: [S0]}"],
}  # fmt: skip
ZONE = (
    '{"type": "FeatureCollection", "features": [{"type": "Feature", "properties": {}, "geometry": {"type": "Polygon", '
    '"coordinates": [[[19.99, -0.1], [20.11, -0.1], [20.11, 0.1], [19.99, 0.1], [19.99, -0.1]]]}}]}'
)
CHOICES: list[dict[str, Any]] = [{}, {"cutoff_min": 30}, {"measure": "nearest"}, {"reading": "p50"}]


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory) -> tuple[TestClient, Path]:
    """The workbench, and the folder of a run of its ten proposals."""
    folder = tmp_path_factory.mktemp("town")
    client = client_of(bench_in(folder))
    (folder / "z.geojson").write_text(ZONE, encoding="utf-8")
    for name, changes in PLANS.items():
        lines = "".join(f"  - {change}\n" for change in changes)
        text = f"scenario: {name}\nchanges:\n{lines}"
        saved = client.put(
            f"/api/v1/files/{name}", json={"text": text, "was": None if name != "often" else _sha(folder)}
        )
        assert saved.status_code == 200
    files = [str(folder / f"{name}.yaml") for name in PLANS]
    words = [
        "run",
        str(folder / "study.yaml"),
        *files,
        "--out",
        str(folder / "out"),
        "--no-maps",
        "--cache",
        "none",
        "--quiet",
    ]
    assert run_command(words) == 0
    return client, folder / "out"


def _sha(folder: Path) -> str:
    from community_routes.base.files import hash_of_file

    return hash_of_file(folder / "often.yaml")


def rows_of(table: pd.DataFrame, name: str, choice: dict[str, Any]) -> pd.DataFrame:
    """The rows of a table for a proposal and the choice that the answer filled in."""
    kept = table[
        (table["scenario"] == name) & (table["kind"] == choice["kind"]) & (table["measure"] == choice["measure"])
    ]
    kept = kept[kept["reading"] == choice["reading"]]
    cutoff = choice["cutoff_min"]
    return kept[kept["cutoff_min"].isna() if cutoff is None else kept["cutoff_min"] == cutoff]


@pytest.mark.parametrize("choice", CHOICES, ids=["headline", "30 minutes", "nearest", "median"])
@pytest.mark.parametrize("name", PLANS)
def test_the_screen_says_what_the_run_writes(asked, name, choice):
    """Figures of neighbourhoods as in comparison.csv, of groups as in groups.csv, and the hours as in the report's cost."""
    client, out = asked
    found = client.post("/api/v1/answer", json={"scenario": name, "choice": choice}).json()
    assert not [fault for fault in found["faults"] if fault["severity"] == "error"]
    text = {"neighbourhood": str, "group": str, "reason": str}
    table = rows_of(
        pd.read_csv(out / "comparison.csv", dtype=text, keep_default_na=True), name, found["figures"]["choice"]
    )
    zones = found["neighbourhoods"]
    assert set(zones["id"]) == set(table["neighbourhood"])
    table = table.set_index("neighbourhood").loc[zones["id"]]
    for column, key in (("baseline", "today"), ("value", "value"), ("change", "change")):
        assert [None if pd.isna(one) else one for one in table[column]] == zones[key], column
    assert table["reason"].fillna("").tolist() == zones["reason"]
    groups = rows_of(pd.read_csv(out / "groups.csv", dtype=text), name, found["figures"]["choice"])
    groups = groups.set_index(["grouping", "group"])
    for group in found["figures"]["groups"]:
        row = groups.loc[(group["grouping"], group["group"])]
        assert (row["value"], row["change"], row["persons"]) == (group["value"], group["change"], group["population"])
    everybody = groups.loc[("all", "all")]
    persons = found["figures"]["persons"]
    assert [persons[way] for way in ("better", "worse", "same")] == [
        everybody[f"persons_{way}"] for way in ("better", "worse", "same")
    ]
