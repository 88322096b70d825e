"""A loop over many headways with the functions below ``evaluate``: timetable in, travel times out, one number a turn."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pictures

import community_routes as cr
from community_routes.evaluation.case import setting_of


def main(out: Path, headways: Sequence[int] = tuple(range(3, 61, 3))) -> Path:
    """Person-weighted jobs within 30 minutes in the evening, against minutes between buses of routes 2 and 3."""
    study = cr.open_study(cr.sample_study())
    setting, today = setting_of(study), cr.evaluate(study)
    jobs = np.where(study.opportunities.table["key"] == "employment", study.opportunities.table["amount"], 0.0)
    persons = study.zones.table["population"].to_numpy()
    reached = []
    for minutes in headways:
        changes = [{"set_headway": {"route": route, "weekday": {"18:00-22:00": minutes}}} for route in ("2", "3")]
        applied = cr.apply_scenario(cr.Scenario(scenario=f"every-{minutes}", changes=changes), setting)
        network = cr.build_network(applied.feed, study.ground, study.file.dates["weekday"])
        times = cr.travel_times_by_departure(network, today.query("evening"), today.walks)
        value = cr.cumulative_opportunities(times, jobs, cutoff_s=30 * 60).mean(axis=1)
        reached.append(float(np.average(value, weights=persons)))
    figure, axes = plt.subplots(figsize=(7, 4))
    axes.plot(headways, reached, marker="o")
    axes.set(xlabel="minutes between buses of routes 2 and 3", ylabel="jobs within 30 minutes, mean of residents")
    axes.set_title("Weekday evening, invented sample borough")
    return pictures.save(figure, "fifty_headways", out)


if __name__ == "__main__":
    main(pictures.folder())
