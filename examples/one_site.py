"""One development site: jobs within 45 minutes of it, beside the borough's middle resident, and the standards it misses."""

from __future__ import annotations

import json
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pictures

import community_routes as cr

SITE = "id,name,lon,lat,homes\nD01,Land at the edge of Highercroft,-3.731781,53.775663,210\n"
FIGURE = "cumulative_opportunities__{}__employment__45"


def main(out: Path) -> Path:
    """Judge the site against the sample's standards and draw its jobs beside the median of the borough."""
    asked = out / "site.csv"
    asked.write_text(SITE, encoding="utf-8")
    cr.assess_sites(cr.open_study(cr.sample_study()), asked, out / "site")
    result = json.loads((out / "site" / "sites.json").read_text("utf-8"))
    site, borough = result["sites"][0], result["borough_median"]
    names = ["weekday__morning_peak", "weekday__evening", "saturday__weekend_day", "sunday__weekend_day"]
    figure, axes = plt.subplots(figsize=(7, 4))
    places = np.arange(len(names))
    axes.barh(places - 0.2, [site["figures"][FIGURE.format(name)] for name in names], 0.38, label="the site")
    axes.barh(
        places + 0.2,
        [float(borough[FIGURE.format(name)]) for name in names],
        0.38,
        color="lightgrey",
        label="the borough's median",
    )
    axes.set(yticks=places, yticklabels=[name.replace("__", ", ").replace("_", " ") for name in names])
    axes.set(xlabel="jobs within 45 minutes")
    axes.invert_yaxis()
    axes.legend(frameon=False, ncols=2, loc="upper center", bbox_to_anchor=(0.5, -0.16))
    missed = [name.replace("_", " ") for name, judged in site["standards"].items() if judged["pass"] is False]
    axes.set_title(f"{site['name']} (invented)\nmisses: {', '.join(missed) or 'no standard'}", fontsize=10)
    return pictures.save(figure, "one_site", out)


if __name__ == "__main__":
    main(pictures.folder())
