"""Who could work from six to two at the business park: there by six, and home again after two."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pictures

import community_routes as cr
from community_routes.evaluation.places import destination_points, origin_points
from community_routes.measures.shifts import Shift, ShiftAccess, arrives_in_time, gets_home


def main(out: Path, shift: str = "06:00-14:00") -> Path:
    """Search backwards from the start of the shift and forwards from its end."""
    study = cr.open_study(cr.sample_study())
    work = Shift(*(int(h) * 3600 + int(m) * 60 for h, m in (clock.split(":") for clock in shift.split("-"))))
    homes, places = origin_points(study.zones), destination_points(study.opportunities)
    query = cr.Query(window_s=(0, 60), max_rides=3, max_travel_s=90 * 60)
    there, deadlines = [], []
    for window in work.deadline_windows():
        asked = replace(query, window_s=window, arrive_by=True, step_s=min(60, window[1] - window[0]))
        there.append(cr.travel_matrix(study, asked, "weekday", per_departure=True).time_s)
        deadlines.append(asked.departures_s)
    back_query = replace(query, window_s=work.departure_window())
    back = cr.travel_matrix(study, back_query, "weekday", origins=places, destinations=homes, per_departure=True).time_s
    come = arrives_in_time(np.concatenate(there, axis=1), np.concatenate(deadlines))
    access = ShiftAccess(come, gets_home(back))
    park = study.opportunities.table["name"].tolist().index("Junction 5 Business Park")
    missing = access.missing()[:, park]
    able = study.zones.table["population"].to_numpy()[missing == ""].sum() / study.zones.table["population"].sum()
    print(f"{able:.0%} of residents could work {shift} there by public transport or on foot.")
    score = np.asarray([{"": 3, "back": 2, "there": 1, "there and back": 0}[word] for word in missing])
    title = f"Shift {shift} at the business park\n3 both ways, 2 no way back, 1 no way there, 0 neither"
    return pictures.map_of(study.zones, score, title, "early_shift", out, colours="RdYlGn")


if __name__ == "__main__":
    main(pictures.folder())
