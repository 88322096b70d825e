"""Files of travel times: rows in the order of origins and destinations, the same bytes however they were computed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from community_routes.base.errors import UsageError
from community_routes.base.times import HOUR, UNREACHED
from community_routes.cli import run_command
from community_routes.evaluation.case import Study, chosen_query, open_study, sample_study
from community_routes.routing.query import Query
from community_routes.sources.study.file import read_study_file
from community_routes.travel.matrix import travel_matrix, write_matrix
from community_routes.travel.matrix_file import Layout, Spool, write_rows

HOUR_OF_EIGHT = Query(window_s=(8 * HOUR, 8 * HOUR + 180), percentiles=(25, 50))


@pytest.fixture(scope="module")
def study() -> Study:
    return open_study(sample_study())


def asked(study: Study, **changes: object) -> tuple[Study, Query, str]:
    """The first window and day of the sample borough, cut to a few departures."""
    file = study.file
    query = chosen_query(study, next(iter(file.travel.windows)))
    start = query.window_s[0]
    return study, replace(query, window_s=(start, start + 600), **changes), next(iter(file.dates))


def layout(n: int, m: int, query: Query = HOUR_OF_EIGHT, *, per_departure: bool = False) -> Layout:
    """Origins o0, o1, ... of which the last is off the network; destinations d0, d1, ... of which the first has no service."""
    origins, ends = np.array([f"o{i}" for i in range(n)], object), np.array([f"d{i}" for i in range(m)], object)
    start, end = np.zeros(n, np.int8), np.zeros(m, np.int8)
    start[-1], end[0] = 2, 1
    return Layout(origins, ends, query, start, end, per_departure)


def spooled(
    plan: Layout, times: np.ndarray, folder: Path, cuts: tuple[int, int], memory: int, **how: bool
) -> pd.DataFrame:
    """What a spool gives when the matrix comes in pieces of ``cuts`` origins and columns, both shuffled."""
    folder.mkdir()
    draw = np.random.default_rng(7)
    rows, columns = draw.permutation(times.shape[1]), draw.permutation(times.shape[2])
    spool = Spool(plan, folder, memory=memory)
    for j in range(0, len(columns), cuts[1]):
        for i in range(0, len(rows), cuts[0]):
            part, column = rows[i : i + cuts[0]].astype(np.int32), columns[j : j + cuts[1]]
            spool.add(part, column, times[:, part[:, None], column[None, :]])
    spool.finish()
    tables = [table.to_pandas() for table in spool.tables(**how)]
    spool.close()
    return pd.concat(tables, ignore_index=True)


def test_rows_say_times_and_why_there_is_none(tmp_path):
    """Two origins and two destinations, reasons by the worse end: d0 has no service, o1 is off the network.

    o0 to d1 is reached at the better half of departures only; the p50 that is missing has the reason ``over_time``.
    """
    times = np.full((2, 2, 2), UNREACHED, np.int32)
    times[:, 0, 1] = 90, UNREACHED
    frame = spooled(layout(2, 2), times, tmp_path / "s", (2, 2), 1 << 20, reached_only=False).astype(object)
    rows = frame.where(frame.notna(), None).to_numpy().tolist()
    assert rows == [
        ["o0", "d0", None, None, "no_service"],
        ["o0", "d1", 90, None, "over_time"],
        ["o1", "d0", None, None, "off_network"],
        ["o1", "d1", None, None, "off_network"],
    ]
    only = spooled(layout(2, 2), times, tmp_path / "t", (1, 1), 1 << 20, reached_only=True)
    assert only[["origin", "destination", "p25"]].to_numpy().tolist() == [["o0", "d1", 90]]


@pytest.mark.parametrize("reached_only", [False, True])
@pytest.mark.parametrize(
    ("cuts", "memory"),
    [((50, 60), 1 << 20), ((7, 11), 1 << 20), ((7, 11), 0), ((50, 5), 300), ((3, 60), 300)],
)
def test_blocks_of_any_shape_make_the_same_rows(tmp_path, cuts, memory, reached_only):
    """A matrix of 50 by 60 with a fifth reached, in shuffled pieces, in memory and in files, against pandas' own sorting."""
    draw = np.random.default_rng(3)
    times = np.where(draw.random((2, 50, 60)) < 0.2, draw.integers(0, 32_000, (2, 50, 60)), UNREACHED).astype(np.int32)
    found = spooled(layout(50, 60), times, tmp_path / "s", cuts, memory, reached_only=reached_only)
    row, column = np.indices((50, 60)).reshape(2, -1)
    expected = pd.DataFrame(
        {
            "origin": [f"o{i}" for i in row],
            "destination": [f"d{j}" for j in column],
            "p25": np.where(times[0] == UNREACHED, np.nan, times[0]).ravel(),
            "p50": np.where(times[1] == UNREACHED, np.nan, times[1]).ravel(),
        }
    )
    if reached_only:
        expected = expected[expected[["p25", "p50"]].notna().any(axis=1)].reset_index(drop=True)
    pd.testing.assert_frame_equal(found[list(expected)], expected, check_dtype=False)


def test_nothing_to_write_is_said(tmp_path):
    plan = Layout(
        np.zeros(0, object), np.array(["d"], object), HOUR_OF_EIGHT, np.zeros(0, np.int8), np.zeros(1, np.int8)
    )
    spool = Spool(plan, tmp_path)
    spool.finish()
    with pytest.raises(UsageError, match="nothing to write"):
        write_rows(tmp_path / "m.csv", spool.tables(reached_only=False))


@pytest.mark.parametrize("ending", ["csv", "parquet"])
@pytest.mark.parametrize("reached_only", [False, True])
@pytest.mark.parametrize("arrive_by", [False, True])
@pytest.mark.parametrize("per_departure", [False, True])
def test_streamed_and_computed_at_once_are_the_same_bytes(
    study, tmp_path, ending, reached_only, arrive_by, per_departure
):
    question = asked(study, arrive_by=arrive_by)
    streamed, whole = tmp_path / f"streamed.{ending}", tmp_path / f"whole.{ending}"
    written = write_matrix(*question, streamed, per_departure=per_departure, reached_only=reached_only, threads=2)
    n_rows = travel_matrix(*question, per_departure=per_departure).write(whole, reached_only=reached_only)
    assert streamed.read_bytes() == whole.read_bytes()
    assert written.n_rows == n_rows
    assert sorted(path.name for path in tmp_path.iterdir()) == [streamed.name, whole.name]


def test_every_cell_has_its_row_in_order(study, tmp_path):
    """Neighbourhoods times destinations, in the order of their files; the numbers are those of the matrix in memory."""
    question, path = asked(study, max_travel_s=1500), tmp_path / "m.parquet"
    write_matrix(*question, path)
    table, matrix = pq.read_table(path).to_pandas(), travel_matrix(*question)
    n, m = len(matrix.origins), len(matrix.destinations)
    assert table["origin"].tolist() == np.repeat(matrix.origins, m).tolist()
    assert table["destination"].tolist() == np.tile(matrix.destinations, n).tolist()
    for number, percentile in enumerate(matrix.query.percentiles):
        expected = matrix.time_s[number].ravel().astype(float)
        expected[expected == UNREACHED] = np.nan
        np.testing.assert_array_equal(table[f"p{percentile}"].to_numpy(float), expected)
    missing = table[[f"p{p}" for p in matrix.query.percentiles]].isna().any(axis=1)
    np.testing.assert_array_equal(missing, table["reason"] != "")
    assert 0.1 < missing.mean() < 0.9


def test_one_and_two_threads_write_the_same_bytes(tmp_path):
    """The whole command line, on the sample borough, with and without what was kept by the run before."""
    study, window = str(sample_study()), "07:00-07:30"
    day = next(iter(read_study_file(sample_study(), []).dates))
    written = {}
    for name, options in {
        "one": ("--threads", "1", "--cache", "none"),
        "two": ("--threads", "2", "--cache", "none"),
        "kept": ("--threads", "2", "--cache", str(tmp_path / "cache")),
        "again": ("--threads", "1", "--cache", str(tmp_path / "cache")),
    }.items():
        path = tmp_path / f"{name}.csv"
        asked_for = ["matrix", study, "--out", str(path), "--day", day, "--window", window, "--quiet"]
        assert run_command([*asked_for, *options]) == 0
        written[name] = path.read_bytes()
    assert len(set(written.values())) == 1
    assert written["one"].count(b"\n") > 1000
