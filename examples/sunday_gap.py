"""How much less can be reached on a Sunday than on a Saturday, at the same hours."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pictures

import community_routes as cr


def main(out: Path) -> Path:
    """Share of Saturday's shared spaces that are still within 30 minutes on Sunday."""
    today = cr.evaluate(cr.open_study(cr.sample_study()))
    chosen = today.access.query(
        "window == 'weekend_day' and kind == 'shared_spaces' and reading == 'mean' "
        "and measure == 'cumulative_opportunities' and cutoff_min == 30"
    )
    by_day = chosen.pivot(index="neighbourhood", columns="day", values="value").loc[today.zones.table["id"]]
    saturday, sunday = by_day["saturday"].to_numpy(), by_day["sunday"].to_numpy()
    share = np.divide(sunday, saturday, out=np.full(len(by_day), np.nan), where=saturday > 0)
    print(f"On average {100 * np.nanmean(share):.0f} % of Saturday's shared spaces are within reach on Sunday.")
    return pictures.map_of(
        today.zones, share, "Shared spaces on Sunday as a share of Saturday's", "sunday_gap", out, colours="RdYlGn"
    )


if __name__ == "__main__":
    main(pictures.folder())
