"""Route 3 every 20 or every 10 minutes in the evening: what it changes for each fifth of residents by deprivation."""

from __future__ import annotations

from pathlib import Path

import matplotlib.pyplot as plt
import pictures

import community_routes as cr


def every(minutes: int) -> cr.Scenario:
    """The proposal of a headway."""
    change = {"set_headway": {"route": "3", "weekday": {"18:30-22:30": minutes}}}
    return cr.Scenario(scenario=f"every-{minutes}", title=f"Route 3 every {minutes} minutes", changes=[change])


def main(out: Path) -> Path:
    """Compare both with today."""
    study = cr.open_study(cr.sample_study())
    today = cr.evaluate(study)
    both = cr.compare(today, cr.evaluate(study, every(20)), cr.evaluate(study, every(10)))
    fifths = both.groups.query(
        "grouping == 'local' and window == 'evening' and kind == 'shared_spaces' and reading == 'mean' "
        "and measure == 'cumulative_opportunities' and cutoff_min == 30 "
        "and scenario != 'today' and group in ['1', '2', '3', '4', '5']"
    )
    figure, axes = plt.subplots(figsize=(7, 4))
    fifths.pivot(index="group", columns="scenario", values="change").plot.bar(ax=axes, rot=0)
    axes.set(xlabel="fifth of residents (1 = most deprived)", ylabel="more shared spaces within 30 minutes")
    axes.set_title("Weekday evening, invented sample borough")
    return pictures.save(figure, "two_headways", out)


if __name__ == "__main__":
    main(pictures.folder())
