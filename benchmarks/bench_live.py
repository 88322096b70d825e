"""Measures what an answer to one more idea costs, and writes benchmarks/LIVE.md.

    python benchmarks/bench_live.py [--ideas 200] [--only newport porto_alegre]

One process for each place: the study is read and made ready once, then so many ideas of all kinds are tried, one after the other,
each on today's timetable. Processor seconds are the measure, from the proposal to its answer. The baseline of the same run is
the plain way to the same figure: the case evaluated by ``evaluate_case`` in that window and measure, every tenth idea, with
which the answer is compared number by number.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from pages import busy, conditions, median, write_page

HERE = Path(__file__).resolve().parent
PROJECT = HERE.parent
SHARED = PROJECT.parent / "shared" / "data"


def newport(_: Path) -> Path:
    """The study of the acceptance tests: its morning peak, jobs by area."""
    return PROJECT / "tests" / "acceptance" / "newport" / "study.yaml"


def porto_alegre(folder: Path) -> Path:
    """All hexagons as neighbourhoods and as places of work, 60 departures."""
    data = SHARED / "porto_alegre"
    path = folder / "porto.yaml"
    path.write_text(
        f"""study: porto
service_date: 2019-05-13
streets: {{osm: {data / "poa_osm.pbf"}}}
timetables: [{data / "poa_eptc.zip"}, {data / "poa_trensurb.zip"}]
neighbourhoods:
  {{file: {data / "poa_hexgrid.csv"}, id: id, lon: lon, lat: lat,
    population: {{file: {data / "poa_hexgrid.csv"}, id: id, column: population}}}}
destinations:
  employment: {{file: {data / "poa_hexgrid.csv"}, id: id, lon: lon, lat: lat, amount: jobs}}
travel: {{windows: {{afternoon: 14:00-15:00}}}}
measures: [cumulative_opportunities]
""",
        "utf-8",
    )
    return path


PLACES = {
    "newport": ("Newport, 95 neighbourhoods to 229 places, 120 departures", newport, "newport_wales"),
    "porto_alegre": ("Porto Alegre, 1,227 hexagons to 1,227, 60 departures", porto_alegre, "porto_alegre"),
}


def ideas(study: Any, seed: int = 1) -> Iterator[dict[str, Any]]:
    """Changes of all kinds of the routes that run in the window, in turn; the stops of a new one are points of old ones."""
    rng = np.random.default_rng(seed)
    feed = study.feed
    start_s, end_s = next(iter(study.file.travel.windows.values())).time
    calls, first = feed.calls, feed.calls.first
    leaves = np.where(np.diff(first) > 1, calls.departure_s[np.minimum(first[:-1], len(calls) - 1)], -1)
    long = np.diff(first) > 3
    running = np.unique(feed.trips["route"].to_numpy()[long & (leaves >= start_s - 3600) & (leaves < end_s + 3600)])
    ids, stop_ids = feed.routes["route_id"].to_numpy(object), feed.stops["stop_id"].to_numpy(object)
    lon, lat = feed.stops["lon"].to_numpy(float), feed.stops["lat"].to_numpy(float)
    hours = f"{start_s // 3600:02d}:00-{-(-end_s // 3600) + 1:02d}:00"
    box = study.file.streets.area

    while True:
        route = int(rng.choice(running))
        trip = int(rng.choice(np.flatnonzero((feed.trips["route"].to_numpy() == route) & long)))
        stops = calls.stop[first[trip] : first[trip + 1]]
        name, a, b = str(ids[route]), *(str(stop_ids[stops[k]]) for k in (1, len(stops) // 2))
        inside = [s for s in stops.tolist() if box is None or (box[0] < lon[s] < box[2] and box[1] < lat[s] < box[3])]
        drawn = inside[:: max(1, len(inside) // 4)]
        points: list[Any] = [str(stop_ids[s]) for s in drawn]
        if len(drawn) > 2:  # a stop of its own in the middle
            points[1] = {"at": [lon[drawn[1]] + 0.0004, lat[drawn[1]]], "name": "New stop"}
        yield {"set_headway": {"route": name, "weekday": {hours: int(rng.integers(6, 20))}}}
        yield {"withdraw_route": {"route": name}}
        yield {"change_speed": {"route": name, "factor": 1.2}}
        yield {"change_dwell": {"route": name, "factor": 0.5}}
        yield {"remove_stops": {"route": name, "stops": [b], "saves_s": 20}}
        yield {
            "add_stop": {
                "route": name,
                "stop": {"at": [lon[stops[1]], lat[stops[1]] + 0.0004], "name": "N"},
                "after": a,
            }
        }
        yield {"add_route": {"name": "X1", "stops": points, "speed_kmh": 20, "service": {"weekday": {hours: 12}}}}
        yield {"reroute": {"route": name, "from": a, "to": b, "speed_kmh": 18}}
        yield {"add_jobs": {"name": "Works", "at": [lon[stops[1]], lat[stops[1]]], "jobs": 500}}
        zone = str(study.zones.table["id"].iloc[0])
        yield {"add_homes": {"name": "Homes", "at": [lon[stops[1]], lat[stops[1]]], "homes": 100, "like": zone}}


def measure(name: str, n: int, folder: Path) -> dict[str, Any]:
    """Seconds of every answer, by kind, and of the plain way to some of them."""
    import community_routes as cr
    from community_routes.base.errors import ScenarioError
    from community_routes.evaluation.evaluate import Asked, evaluate_case
    from community_routes.measures.reached import Cumulative

    study = cr.open_study(PLACES[name][1](folder))
    began = time.process_time()
    live = cr.live(study)
    ready = time.process_time() - began
    asked = Asked((live.figure.slot,), (Cumulative((live.figure.cutoff_min,)),))
    answers: list[tuple[str, float]] = []
    plain: list[float] = []
    refused = 0
    for number, change in enumerate(ideas(study)):
        if len(answers) == n:
            break
        try:
            scenario = cr.Scenario.model_validate({"scenario": "idea", "changes": [change]})
            if not answers:
                live.try_scenario(scenario)  # compiles, or loads what is compiled
            began = time.process_time()
            answer = live.try_scenario(scenario)
            answers.append((next(iter(change)), time.process_time() - began))
        except ScenarioError:
            refused += 1
            continue
        if number % (n // 10 or 1) == 0:
            began = time.process_time()
            found = evaluate_case(replace(live.today.case.with_scenario(scenario), parent=None), asked)
            plain.append(time.process_time() - began)
            rows = found.access[live.figure.of(found.access)].set_index("neighbourhood")
            wanted = rows["value"].reindex(found.zones.table["id"]).to_numpy(float)
            assert np.array_equal(answer.value, wanted, equal_nan=True), f"{change}: another answer than evaluated"
    return {"answers": answers, "plain": plain, "ready": ready, "refused": refused}


def section(found: dict[str, Any], how: str) -> list[str]:
    """The lines of one place."""
    seconds = [each for _, each in found["answers"]]
    p50, p95 = (float(np.percentile(seconds, p)) for p in (50, 95))
    plain = median(found["plain"])
    lines = [
        how.replace("Medians of 1 runs", f"{len(seconds)} ideas; {found['refused']} more were refused as impossible"),
        "",
        "| p50 | p95 | worst | made ready | plain way | ratio |",
        "|---|---|---|---|---|---|",
        f"| **{p50:.3f}** | **{p95:.3f}** | {max(seconds):.3f} | {found['ready']:.1f} | {plain:.2f} | {plain / p50:.0f} |",
        "",
        "| change | ideas | median | worst |",
        "|---|---|---|---|",
    ]
    for kind in sorted({kind for kind, _ in found["answers"]}):
        mine = [each for one, each in found["answers"] if one == kind]
        lines.append(f"| `{kind}` | {len(mine)} | {median(mine):.3f} | {max(mine):.3f} |")
    return [*lines, "", f"{len(found['plain'])} answers were compared with the plain way: equal to the last bit."]


def main() -> None:
    """Measure and write, or be one of the measured processes."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    options.add_argument("--ideas", type=int, default=200)
    options.add_argument("--only", nargs="*", choices=list(PLACES))
    options.add_argument("--child", choices=list(PLACES))
    options.add_argument("--out", type=Path, default=HERE / "LIVE.md")
    chosen = options.parse_args()
    if chosen.child:
        with tempfile.TemporaryDirectory() as folder:
            print(json.dumps(measure(chosen.child, chosen.ideas, Path(folder))))
        return
    sections = {}
    for name, (title, _, data) in PLACES.items():
        if (chosen.only and name not in chosen.only) or not (SHARED / data).is_dir():
            print(f"{name}: left out")
            continue
        began = busy()
        command = [sys.executable, str(HERE / "bench_live.py"), "--child", name, "--ideas", str(chosen.ideas)]
        done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
        sections[title] = section(json.loads(done.stdout.splitlines()[-1]), conditions(1, (began, busy())))
    head = [
        "# What an answer to one more idea costs",
        "",
        "Written by `benchmarks/bench_live.py`: processor seconds from a proposal to its answer (`Live.try_scenario`: figures of",
        "neighbourhoods and groups, persons, cost), one window, one measure, one thread. *Plain way*: the same figure by",
        "`evaluate_case` from today's inputs, without groups and cost.",
    ]
    write_page(chosen.out, head, sections)


if __name__ == "__main__":
    main()
