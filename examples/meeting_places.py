"""Where residents of different communities could meet: the mix of potential visitors of each shared space."""

from __future__ import annotations

from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pictures

import community_routes as cr
from community_routes.measures.meeting import exposure_table, mixing_table, potential_visitors


def main(out: Path) -> Path:
    """Share residents out over the shared spaces within 30 minutes, by community, on a weekend day."""
    today = cr.evaluate(cr.open_study(cr.sample_study()))
    places = today.opportunities.table
    spaces = (places["key"] == "shared_spaces").to_numpy()
    times = today.time_s["saturday", "weekend_day"][:, :, spaces]
    within = (times <= 30 * 60).mean(axis=1)
    persons = today.zones.groups
    assert persons is not None
    visitors = potential_visitors(persons, within, np.ones(spaces.sum()))
    table = mixing_table(visitors, places[spaces], persons.sum().to_list())
    print(exposure_table(visitors, persons).to_string(index=False))
    most = table.nsmallest(12, "divergence").iloc[::-1]
    figure, axes = plt.subplots(figsize=(7, 4.5))
    columns = [f"visitors_{group}" for group in persons.columns]
    shares = most[columns].div(most[columns].sum(axis=1), axis=0)
    shares.set_index(most["name"]).plot.barh(stacked=True, ax=axes, width=0.8)
    axes.set(
        xlabel="share of potential visitors",
        ylabel="",
        title="Places that mirror the borough best (invented communities)",
    )
    axes.legend([str(group) for group in persons.columns], loc="upper left", bbox_to_anchor=(1, 1))
    return pictures.save(figure, "meeting_places", out)


if __name__ == "__main__":
    main(pictures.folder())
