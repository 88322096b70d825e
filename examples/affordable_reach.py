"""What three pounds buy: jobs within an hour for at most 3 pounds, as a share of those for at most 6 pounds."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pictures

import community_routes as cr


def main(out: Path) -> Path:
    """Read both budgets of the sample study off the access table."""
    today = cr.evaluate(cr.open_study(cr.sample_study()))
    chosen = today.access.query(
        "day == 'weekday' and window == 'morning_peak' and kind == 'employment' and reading == 'mean' "
        "and measure in ['affordable_opportunities_3', 'affordable_opportunities_6'] and cutoff_min == 60"
    )
    table = chosen.pivot(index="neighbourhood", columns="measure", values="value").loc[today.zones.table["id"]]
    cheap, dear = (table[f"affordable_opportunities_{budget}"].to_numpy() for budget in (3, 6))
    share = np.divide(cheap, dear, out=np.full(len(table), np.nan), where=dear > 0)
    persons = today.zones.table["population"].to_numpy()
    print(
        f"With 3 instead of 6 pounds, residents reach {np.average(share, weights=persons):.0%} of the jobs within an hour."
    )
    title = "Jobs within an hour for 3 pounds, as a share of those for 6"
    return pictures.map_of(today.zones, share, title, "affordable_reach", out, colours="YlOrRd_r")


if __name__ == "__main__":
    main(pictures.folder())
