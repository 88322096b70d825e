"""One journey, leg by leg: printed, and drawn as distance over time."""

from __future__ import annotations

from pathlib import Path

import matplotlib.pyplot as plt
import pictures

import community_routes as cr


def main(out: Path) -> Path:
    """From an estate in the south-west to the business park at the motorway."""
    study = cr.open_study(cr.sample_study())
    answer = cr.journey(study, "X01000060", "Junction 5 Business Park", depart="07:30", day="weekday")
    print(answer.text())
    best = answer.journeys[0]
    figure, axes = plt.subplots(figsize=(7, 2.6))
    for leg in best.legs:
        rides = leg in best.rides
        axes.barh(
            0,
            (leg.arrive_s - leg.depart_s) / 60,
            left=(leg.depart_s - best.depart_s) / 60,
            color="#c0392b" if rides else "#7f8c8d",
        )
    axes.set(
        xlabel=f"minutes after leaving ({best.time_s / 60:.0f} in all; red rides, grey walks, white waits)", yticks=[]
    )
    axes.set_title(f"{answer.origin} to {answer.destination}")
    return pictures.save(figure, "one_journey", out)


if __name__ == "__main__":
    main(pictures.folder())
