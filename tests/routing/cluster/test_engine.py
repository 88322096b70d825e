"""Blocks by a dask cluster: the same bytes as by threads, whatever happens to workers; and clear words when it cannot be.

The cluster of most tests is one within this process, so that they are quick; those with processes that are killed are slow.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from community_routes.base.errors import MachineError, StudyError, UsageError
from community_routes.cli import run_command
from community_routes.evaluation.case import Study, chosen_query, open_study, sample_study
from community_routes.evaluation.places import origin_points
from community_routes.network.walks.points import Points
from community_routes.routing.cluster import engine as engine_module
from community_routes.routing.cluster import worker
from community_routes.routing.cluster.engine import DaskEngine
from community_routes.routing.engine import LocalEngine, Work
from community_routes.routing.travel_times import travel_times_by_departure
from community_routes.travel.matrix import write_matrix
from random_networks import random_case
from searching import network_of, query_of, walks_of
from small_town import town_study

distributed = pytest.importorskip(
    "distributed", reason="dask.distributed is not installed (the extra cluster): no workers to search with"
)

BOTH = pytest.mark.parametrize("arrive_by", [False, True], ids=["leaving", "arriving"])


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    """A scheduler and two workers in this process, which talk over the network all the same."""
    with within_this_process(2) as made:
        yield made


def within_this_process(n_workers: int) -> Any:
    return distributed.LocalCluster(
        n_workers=n_workers,
        threads_per_worker=1,
        processes=False,
        protocol="tcp",
        host="127.0.0.1",
        dashboard_address="127.0.0.1:0",
    )


@pytest.fixture
def engine(cluster: Any, tmp_path: Path) -> Iterator[DaskEngine]:
    with DaskEngine(cluster.scheduler_address, folder=tmp_path / "seen by all") as made:
        yield made


@pytest.fixture(scope="module")
def study() -> Study:
    return open_study(sample_study())


def crowd(study: Study, n: int) -> Points:
    """Places drawn at random among the neighbourhoods of the sample borough."""
    homes, draw = origin_points(study.zones), np.random.default_rng(5)
    lon, lat = (draw.uniform(values.min(), values.max(), n) for values in (homes.lon, homes.lat))
    return Points.single(np.array([f"place {i}" for i in range(n)], object), lon, lat)


# What workers do in these tests, found by its name like the real work.


def shared_as_it_is(shared: Any) -> Any:
    return shared


def late_square(_: Any, block: int) -> int:
    """The later the block, the sooner it is done."""
    time.sleep(0.02 * (5 - block % 5))
    return block * block


def sum_of_shared(shared: Any, block: int) -> float:
    return float(shared["numbers"].sum() * block)


def refuse(_: Any, block: int) -> int:
    if block == 3:
        raise StudyError("block 3 is wrong: put it right")
    return block


def run_out_of_memory(_: Any, block: int) -> int:
    raise MemoryError


def very_slow(_: Any, block: int) -> int:
    time.sleep(0.3)
    return block


SQUARES = Work(shared_as_it_is, late_square)


@BOTH
def test_random_networks_have_the_same_times(engine: DaskEngine, arrive_by: bool) -> None:
    """Every cell of twenty random networks, by threads and by workers that map the search from files."""
    n_reached = 0
    for seed in range(70_000, 70_020):
        case = random_case(seed)
        question = network_of(case), query_of(case, arrive_by=arrive_by), walks_of(case)
        times = travel_times_by_departure(*question)
        assert travel_times_by_departure(*question, engine=engine).tobytes() == times.tobytes()
        assert travel_times_by_departure(*question, engine=LocalEngine(2)).tobytes() == times.tobytes()
        n_reached += int((times < 2**31 - 1).sum())
    assert n_reached > 500


@pytest.mark.parametrize(
    "how",
    [{}, {"reached_only": True}, {"per_departure": True}, {"arrive_by": True}],
    ids=lambda how: next(iter(how), "all"),
)
def test_a_matrix_is_the_same_bytes(study: Study, engine: DaskEngine, tmp_path: Path, how: dict[str, bool]) -> None:
    """The sample borough to 300 places, as Parquet: several blocks, of which each is somebody else's."""
    arrive_by = "arrive_by" in how
    query = replace(chosen_query(study, "08:00-08:20"), arrive_by=arrive_by)
    told: list[str] = []
    ends = {"destinations": crowd(study, 300), **({} if arrive_by else how)}
    write_matrix(study, query, "weekday", tmp_path / "local.parquet", threads=2, **ends)
    write_matrix(study, query, "weekday", tmp_path / "dask.parquet", engine=engine, progress=told.append, **ends)
    assert (tmp_path / "local.parquet").read_bytes() == (tmp_path / "dask.parquet").read_bytes()
    blocks = [text for text in told if "blocks" in text]
    counts = [int(text.split()[2]) for text in blocks]
    assert counts == sorted(set(counts))
    assert blocks[-1] == f"searching, blocks {counts[-1]} of {counts[-1]}"
    assert counts[-1] > 1
    assert engine.processor_s > 0


def test_results_come_in_the_order_of_the_blocks(engine: DaskEngine) -> None:
    assert list(engine.map_blocks(SQUARES, None, range(23))) == [n * n for n in range(23)]
    assert list(LocalEngine(3).map_blocks(SQUARES, None, range(23))) == [n * n for n in range(23)]
    assert list(engine.map_blocks(SQUARES, None, [])) == []


def test_what_is_shared_is_mapped_from_a_file(engine: DaskEngine) -> None:
    """1 + 2 + ... + 1000 = 500,500, times the number of the block."""
    shared = {"numbers": np.arange(1001)}
    work = Work(shared_as_it_is, sum_of_shared)
    assert list(engine.map_blocks(work, shared, [1, 2, 4])) == [500_500, 1_001_000, 2_002_000]


def test_no_more_than_a_window_is_under_way(engine: DaskEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two workers of one thread: at most 2 x 2 + 2 blocks are asked for before the first result is taken."""
    asked: list[int] = []
    submit = engine._submit
    monkeypatch.setattr(
        engine, "_submit", lambda job, number, blocks: asked.append(number) or submit(job, number, blocks)
    )
    results = engine.map_blocks(SQUARES, None, range(40))
    assert next(results) == 0
    assert asked == list(range(6))
    assert next(results) == 1
    assert len(asked) <= 7
    results.close()


def test_a_broken_off_job_leaves_nothing(cluster: Any, tmp_path: Path) -> None:
    with DaskEngine(cluster.scheduler_address, folder=tmp_path) as engine:
        results = engine.map_blocks(Work(shared_as_it_is, very_slow), {"x": np.arange(9)}, range(50))
        assert next(results) == 0
        assert len(list((tmp_path / "cluster").glob("*/1/*.npy"))) == 1
        results.close()
        assert list((tmp_path / "cluster").glob("*/1")) == []
        until = time.monotonic() + 10
        while cluster.scheduler.tasks and time.monotonic() < until:
            time.sleep(0.05)
        assert list(cluster.scheduler.tasks.values()) == []
        assert list(engine.map_blocks(SQUARES, None, [2, 3])) == [4, 9]
    assert list((tmp_path / "cluster").iterdir()) == []


def test_folders_of_runs_that_were_killed_long_ago_go(cluster: Any, tmp_path: Path) -> None:
    old, new, strange = (tmp_path / "cluster" / name for name in ("old", "new", "strange"))
    for folder in (old, new, strange):
        folder.mkdir(parents=True)
    for folder, days in ((old, 8), (new, 6)):
        (folder / worker.TOKEN).write_text("x", "utf-8")
        os.utime(folder / worker.TOKEN, times=(time.time() - days * 86_400,) * 2)
    with DaskEngine(cluster.scheduler_address, folder=tmp_path):
        pass
    assert sorted(path.name for path in (tmp_path / "cluster").iterdir()) == ["new", "strange"]


def test_a_fault_of_a_block_comes_back_as_it_was(engine: DaskEngine) -> None:
    with pytest.raises(StudyError, match="block 3 is wrong: put it right"):
        list(engine.map_blocks(Work(shared_as_it_is, refuse), None, range(9)))
    with pytest.raises(MachineError, match=r"the worker tcp://127.0.0.1:\d+ ran out of memory"):
        list(engine.map_blocks(Work(shared_as_it_is, run_out_of_memory), None, range(2)))
    assert list(engine.map_blocks(SQUARES, None, [5])) == [25]


# Clear words.


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


@pytest.mark.parametrize("address", ["nonsense", "http://127.0.0.1:80", "tcp://127.0.0.1", "127.0.0.1:80:90"])
def test_an_address_that_is_none(address: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"is no address of a scheduler; write it as in tcp://10\.0\.0\.5:8786"):
        DaskEngine(address, folder=tmp_path)


def test_nobody_at_the_address(tmp_path: Path) -> None:
    with pytest.raises(MachineError, match=r"no scheduler answers at .*; start one with `dask scheduler`"):
        DaskEngine(f"tcp://127.0.0.1:{free_port()}", folder=tmp_path)


def test_somebody_else_at_the_address(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One who listens and never answers: given up after the time to connect."""
    monkeypatch.setattr(engine_module, "CONNECT_S", 0.5)
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        one.listen()
        with pytest.raises(MachineError, match="no scheduler answers"):
            DaskEngine(f"127.0.0.1:{one.getsockname()[1]}", folder=tmp_path)


def test_a_worker_is_no_scheduler(cluster: Any, tmp_path: Path) -> None:
    address = next(iter(cluster.workers.values())).address
    with pytest.raises(MachineError, match="there is a worker, no scheduler"):
        DaskEngine(address, folder=tmp_path)


def test_a_scheduler_without_workers(tmp_path: Path) -> None:
    with (
        within_this_process(0) as empty,
        pytest.raises(MachineError, match=r"has no workers; start some with `dask worker"),
    ):
        DaskEngine(empty.scheduler_address, folder=tmp_path, patience_s=0.3)


def test_workers_of_other_machines_need_a_folder(cluster: Any) -> None:
    with pytest.raises(UsageError, match="need a folder that all of them see; name one with --cache"):
        DaskEngine(cluster.scheduler_address)


def test_a_folder_that_cannot_be_made(cluster: Any, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", "utf-8")
    with pytest.raises(UsageError, match="name one that can be written with --cache"):
        DaskEngine(cluster.scheduler_address, folder=tmp_path / "file")


def test_a_worker_of_another_version(cluster: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The client says that it has version 9: whoever joins is refused, at the start and within a task."""
    with monkeypatch.context() as patched:
        patched.setattr(engine_module, "program_id", lambda: "community-routes 9")
        words = r"the worker tcp://.* has community-routes .*, this machine has community-routes 9; install the same"
        with pytest.raises(MachineError, match=words):
            DaskEngine(cluster.scheduler_address, folder=tmp_path)
    with DaskEngine(cluster.scheduler_address, folder=tmp_path) as engine:
        monkeypatch.setattr(engine_module, "program_id", lambda: "community-routes 9")
        with pytest.raises(MachineError, match=words):
            list(engine.map_blocks(SQUARES, None, range(3)))


def test_a_worker_without_the_program(cluster: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Dask hands on what the worker could not import as text within a plain exception."""
    fault = Exception("ModuleNotFoundError(\"No module named 'community_routes'\")")
    monkeypatch.setattr(distributed.Client, "run", lambda *_, **__: {"tcp://10.0.0.7:4000": fault})
    with pytest.raises(
        MachineError, match=r"the worker tcp://10\.0\.0\.7:4000 has no community-routes; install community-"
    ):
        DaskEngine(cluster.scheduler_address, folder=tmp_path)


def test_a_worker_that_does_not_see_the_folder(cluster: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The token is taken away or is another one, as on a machine that has a folder of its own there."""
    monkeypatch.setattr(worker, "_VISIBLE_S", 0.1)
    with DaskEngine(cluster.scheduler_address, folder=tmp_path) as engine:
        token = next((tmp_path / "cluster").glob(f"*/{worker.TOKEN}"))
        token.write_text("another", "utf-8")
        with pytest.raises(UsageError, match=r"sees another folder at .*; name a folder that every machine sees"):
            list(engine.map_blocks(SQUARES, None, range(3)))
        token.unlink()
        with pytest.raises(
            UsageError, match=r"the worker tcp://.* does not see the folder .*\(No such file or directory\)"
        ):
            list(engine.map_blocks(SQUARES, None, range(3)))
    monkeypatch.setattr(engine_module, "TOKEN", "elsewhere.txt")
    with pytest.raises(UsageError, match="does not see the folder"):
        DaskEngine(cluster.scheduler_address, folder=tmp_path)


def test_a_damaged_file_of_the_folder(engine: DaskEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The last byte of the numbers is lost between writing them and the first task."""
    submit = engine._submit

    def damage(*asked: Any) -> Any:
        for path in (tmp_path / "seen by all").rglob("*.npy"):
            path.write_bytes(path.read_bytes()[:-1])
        return submit(*asked)

    monkeypatch.setattr(engine, "_submit", damage)
    with pytest.raises(MachineError, match=r"cannot read .*: 0\.npy is damaged"):
        list(engine.map_blocks(Work(shared_as_it_is, sum_of_shared), {"numbers": np.arange(9)}, range(3)))


def test_without_the_extra(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(UsageError, match=r"pip install 'community-routes\[cluster\]'"):
        DaskEngine(folder=tmp_path)


def test_all_workers_are_lost(tmp_path: Path) -> None:
    with within_this_process(1) as one, DaskEngine(one.scheduler_address, folder=tmp_path, patience_s=0.5) as engine:
        results = engine.map_blocks(Work(shared_as_it_is, very_slow), None, range(30))
        assert next(results) == 0
        one.scale(0)
        with pytest.raises(MachineError, match="all workers were lost and none came back"):
            list(results)


@pytest.mark.slow  # dask looks for it for ten seconds
def test_the_scheduler_is_lost(tmp_path: Path) -> None:
    brief = within_this_process(1)
    with DaskEngine(brief.scheduler_address, folder=tmp_path, patience_s=5) as engine:
        results = engine.map_blocks(Work(shared_as_it_is, very_slow), None, range(30))
        assert next(results) == 0
        brief.close()
        with pytest.raises(MachineError, match="the scheduler was lost"):
            list(results)


# The command line.


def test_the_command_writes_the_same_file(cluster: Any, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    asked = ["matrix", str(sample_study()), "--day", "weekday", "--window", "08:00-08:10"]
    assert run_command([*asked, "--out", str(tmp_path / "local.csv")]) == 0
    spread = ["--engine", "dask", "--scheduler", cluster.scheduler_address, "--cache", str(tmp_path / "cache")]
    assert run_command([*asked, "--out", str(tmp_path / "dask.csv"), *spread]) == 0
    assert (tmp_path / "local.csv").read_bytes() == (tmp_path / "dask.csv").read_bytes()
    assert "searching with 2 workers of 2 threads in all" in capfd.readouterr().err
    assert list((tmp_path / "cache" / "cluster").iterdir()) == []


def contents(folder: Path) -> dict[str, bytes]:
    """Every file of a folder, by its name there."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def test_a_run_writes_the_same_files(cluster: Any, tmp_path: Path) -> None:
    """The town of seven places, today and with a bus more: report, tables and map, byte for byte."""
    study = str(town_study(tmp_path / "town"))
    scenario = tmp_path / "town" / "more.yaml"
    change = "set_headway: {route: L1, weekday: {07:00-09:00: 5}}"
    scenario.write_text(f"scenario: more\ntitle: More buses\nchanges:\n  - {change}\n", encoding="utf-8")
    spread = ["--engine", "dask", "--scheduler", cluster.scheduler_address, "--cache", str(tmp_path / "cache")]
    for name, options in (("local", []), ("dask", spread)):
        assert run_command(["run", study, str(scenario), "--no-maps", "--out", str(tmp_path / name), *options]) == 0
    local, dask = contents(tmp_path / "local"), contents(tmp_path / "dask")
    assert local == dask
    assert {"report.html", "access.csv", "comparison.csv", "results.gpkg"} <= set(local)


def test_sites_are_judged_alike(cluster: Any, tmp_path: Path) -> None:
    """Eleven sites in blocks of two and one window each, done by several workers at once; the files are the same."""
    study = str(town_study(tmp_path / "town"))
    rows = [f"s{n},{20 + n / 20:.3f},0.001,{n}" for n in range(11)]
    (tmp_path / "sites.csv").write_text("\n".join(["id,lon,lat,homes", *rows]) + "\n", encoding="utf-8")
    spread = ["--engine", "dask", "--scheduler", cluster.scheduler_address, "--cache", str(tmp_path / "cache")]
    codes = []
    for name, options in (("local", ["--block", "4"]), ("dask", ["--block", "2", *spread])):
        asked = ["sites", study, str(tmp_path / "sites.csv"), "--out", str(tmp_path / name), "--pages", "none"]
        codes.append(run_command([*asked, *options]))
    assert codes[0] == codes[1] in (0, 3)
    local, dask = contents(tmp_path / "local"), contents(tmp_path / "dask")
    assert local == dask
    assert "sites.csv" in local


@pytest.mark.parametrize(
    ("options", "code", "words"),
    [
        (["--scheduler", "tcp://127.0.0.1:8786"], 2, "write --engine dask as well"),
        (["--engine", "dask", "--scheduler", "tcp://127.0.0.1:8786", "--cache", "none"], 2, "need a folder"),
        (["--engine", "dask", "--scheduler", "here", "--cache", "."], 2, "is no address of a scheduler"),
        (["--engine", "spark"], 2, "spark"),
    ],
)
def test_options_that_do_not_fit(
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    options: list[str],
    code: int,
    words: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    asked = ["matrix", str(sample_study()), "--day", "weekday", "--window", "08:00-08:10"]
    assert run_command([*asked, "--out", str(tmp_path / "m.csv"), *options]) == code
    assert words in " ".join(capfd.readouterr().err.split())
    assert not (tmp_path / "m.csv").exists()


# Workers that are killed.


def killing(victims: list[int], after: int) -> Any:
    """A listener to progress that kills the processes as soon as so many blocks are done."""

    def listen(text: str) -> None:
        if "blocks" in text and int(text.split()[2]) >= after:
            while victims:
                os.kill(victims.pop(), signal.SIGKILL)

    return listen


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="this system kills no process by a signal")
def test_one_of_two_workers_is_killed_in_the_middle(study: Study, tmp_path: Path) -> None:
    """Two processes of which one is killed when 2 of some 20 blocks are done: another takes its place, the same bytes."""
    query, ends = chosen_query(study, "08:00-08:30"), {"destinations": crowd(study, 5000)}
    write_matrix(study, query, "weekday", tmp_path / "local.csv", threads=1, **ends)
    told: list[str] = []
    with DaskEngine(workers=2) as engine:
        before = set(engine._client.run(os.getpid).values())
        victims = [min(before)]
        kill = killing(victims, 2)
        write_matrix(
            study, query, "weekday", tmp_path / "dask.csv", engine=engine,
            progress=lambda text: (told.append(text), kill(text)), **ends,
        )  # fmt: skip
        assert not victims
        assert sum("blocks" in text for text in told) > 2  # blocks that end together are told together
        engine._client.wait_for_workers(2, timeout=60)
        assert min(before) not in set(engine._client.run(os.getpid).values())
    assert (tmp_path / "local.csv").read_bytes() == (tmp_path / "dask.csv").read_bytes()


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="this system kills no process by a signal")
@pytest.mark.parametrize("all_of_them", [False, True], ids=["one", "both"])
def test_killed_without_a_nanny(study: Study, tmp_path: Path, all_of_them: bool) -> None:
    """Scheduler and workers started by their commands, none of which starts another: one is enough, none is an error."""
    port = free_port()
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "cwd": tmp_path}
    a_worker = ["worker", f"tcp://127.0.0.1:{port}", "--no-nanny", "--nthreads", "1", "--no-dashboard"]
    commands = [["scheduler", "--port", str(port), "--no-dashboard"], a_worker, a_worker]
    processes = [subprocess.Popen([sys.executable, "-m", "dask", *command], **quiet) for command in commands]
    try:
        wait_for_port(port)
        query, ends = chosen_query(study, "08:00-08:30"), {"destinations": crowd(study, 5000)}
        with DaskEngine(f"tcp://127.0.0.1:{port}", folder=tmp_path / "folder", patience_s=30) as engine:
            engine._client.wait_for_workers(2, timeout=60)
            engine._patience_s = 2
            kill = killing([process.pid for process in processes[1 if all_of_them else 2 :]], 2)
            asked = (study, query, "weekday", tmp_path / "dask.csv")
            if all_of_them:
                with pytest.raises(MachineError, match="all workers were lost"):
                    write_matrix(*asked, engine=engine, progress=kill, **ends)
                assert not (tmp_path / "dask.csv").exists()
                return
            write_matrix(*asked, engine=engine, progress=kill, **ends)
        write_matrix(study, query, "weekday", tmp_path / "local.csv", threads=1, **ends)
        assert (tmp_path / "local.csv").read_bytes() == (tmp_path / "dask.csv").read_bytes()
    finally:
        for process in reversed(processes):
            process.kill()
            process.wait()


def die(shared: Any, block: int) -> int:
    """Block 1 takes its worker with it, once where a file remembers it, else always."""
    once = Path(shared["once"]) if shared["once"] else None
    if block == 1 and (once is None or not once.exists()):
        if once is not None:
            once.touch()
        os._exit(1)
    return block


@pytest.mark.slow
def test_a_block_that_takes_its_worker_with_it(tmp_path: Path) -> None:
    """The scheduler is told to give up at the first loss: the block is asked for once more, and only once more."""
    import dask

    with (
        dask.config.set({"distributed.scheduler.allowed-failures": 0}),
        distributed.LocalCluster(
            n_workers=1, threads_per_worker=1, processes=True, host="127.0.0.1", dashboard_address="127.0.0.1:0"
        ) as brittle,
        DaskEngine(brittle.scheduler_address, folder=tmp_path) as engine,
    ):
        work = Work(shared_as_it_is, die)
        assert list(engine.map_blocks(work, {"once": str(tmp_path / "once")}, range(4))) == [0, 1, 2, 3]
        with pytest.raises(MachineError, match=r"block 2 of 4 was lost with a worker again and again"):
            list(engine.map_blocks(work, {"once": ""}, range(4)))


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "killpg"), reason="this system has no groups of processes")
def test_interrupted_from_the_keyboard(study: Study, tmp_path: Path) -> None:
    """Ctrl-C reaches the command and its workers: exit 130, nothing written, every line of the log is still JSON."""
    places = crowd(study, 4000)
    rows = [f"{name},{lon},{lat}" for name, lon, lat in zip(places.id, places.lon, places.lat, strict=True)]
    (tmp_path / "places.csv").write_text("\n".join(["id,lon,lat", *rows]), encoding="utf-8")
    asked = [
        "matrix",
        str(sample_study()),
        "--day",
        "weekday",
        "--window",
        "morning_peak",
        "--out",
        "m.csv",
        "--log-json",
    ]
    asked += ["--from", "places.csv", "--to", "places.csv", "--engine", "dask", "--threads", "2"]
    with subprocess.Popen(
        [sys.executable, "-m", "community_routes.cli", *asked],
        cwd=tmp_path, start_new_session=True, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # what runs in the background ignores it
    ) as process:  # fmt: skip
        assert process.stderr is not None
        lines = []
        for line in process.stderr:
            lines.append(json.loads(line))
            if "blocks" in lines[-1]["message"]:
                os.killpg(process.pid, signal.SIGINT)
                break
        lines += [json.loads(line) for line in process.stderr]
        assert process.wait(60) == 130
    assert (lines[-1]["event"], lines[-1]["exit"]) == ("end", 130)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["places.csv"]


def wait_for_port(port: int) -> None:
    until = time.monotonic() + 60
    while time.monotonic() < until:
        with socket.socket() as one:
            if one.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise AssertionError(f"nobody listens at port {port}")
