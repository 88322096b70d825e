"""Jobs within 45 minutes on a weekday morning, as a map."""

from __future__ import annotations

from pathlib import Path

import pictures

import community_routes as cr


def main(out: Path) -> Path:
    """Evaluate the sample as it is today and draw the headline."""
    today = cr.evaluate(cr.open_study(cr.sample_study()))
    jobs = today.access.query(
        "day == 'weekday' and window == 'morning_peak' and kind == 'employment' and reading == 'mean' "
        "and measure == 'cumulative_opportunities' and cutoff_min == 45"
    ).set_index("neighbourhood")["value"]
    values = today.zones.table["id"].map(jobs)
    return pictures.map_of(today.zones, values, "Jobs within 45 minutes, weekday 07:00-09:00", "reach_map", out)


if __name__ == "__main__":
    main(pictures.folder())
