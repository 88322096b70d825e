"""The tables of a sweep over settings: gains, ranks, shares of settings, and where an order turns, in words."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from itertools import combinations, product
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from community_routes.base.columns import LEAST_CHANGE
from community_routes.evaluation.case import Study
from community_routes.evaluation.cost import proposal_cost
from community_routes.evaluation.differences import shares_of_settings
from community_routes.evaluation.evaluate import Evaluation
from community_routes.measures.groups import better_or_worse, group_rows
from community_routes.report.words import plain
from community_routes.scenarios.file import RESERVED
from community_routes.sources.study.travel import Window

SETTING = ("day", "window", "walk_speed_kmh", "cutoff_min")
COLUMNS = (
    "scenario",
    *SETTING,
    "of_study",
    "kind",
    "unit",
    "baseline_most_deprived",
    "gain_most_deprived",
    "baseline_all",
    "gain_all",
    "rank",
)
SHARE_COLUMNS = ("scenario", "other", "kind", "whom", "by", "settings", "better", "worse", "same")
WHOM = {"most_deprived": "the most deprived fifth", "all": "everybody"}
_SAME = 1e-9  # of the greatest figure of a kind: what rounding may do to an average
_MOST_GROUPS = 3
MEASURE = "cumulative_opportunities"


def gain_rows(today: Evaluation, proposal: Evaluation) -> pd.DataFrame:
    """Level today and gain of the most deprived fifth and of everybody, by day, window, cutoff and kind."""
    chosen = [
        side.access[
            (side.access["measure"] == MEASURE)
            & (side.access["reading"] == "mean")
            & side.access["kind"].isin(side.study.file.destinations)
        ]
        for side in (proposal, today)
    ]
    rows = group_rows(
        chosen[0], proposal.zones.table, baseline=chosen[1], baseline_zones=today.zones.table
    )  # the same figures as those of groups.csv
    keys = ["scenario", "day", "window", "cutoff_min", "kind", "unit"]
    found = rows[rows["grouping"] == "all"][keys].reset_index(drop=True)
    for whom, grouping, group in (("most_deprived", "local", "1"), ("all", "all", "all")):
        mine = rows[(rows["grouping"] == grouping) & (rows["group"] == group)].set_index(keys)
        at = pd.MultiIndex.from_frame(found[keys])
        for column, source in ((f"baseline_{whom}", "baseline"), (f"gain_{whom}", "change")):
            values = mine[source].reindex(at) if len(mine) else pd.Series(np.nan, index=at)
            found[column] = values.to_numpy(np.float64)
    return found


def bus_hours_of(today: Evaluation, proposal: Evaluation) -> float:
    """Further bus-hours a year of a proposal; 0 where it changes no route, NaN where nobody knows."""
    cost = proposal_cost(today.case, proposal.case)
    return cost.bus_hours if cost is not None else 0.0


def ordered_rows(
    table: pd.DataFrame, study: Study, names: Sequence[str], windows: Mapping[str, Window]
) -> pd.DataFrame:
    """The rows in the order of settings and proposals, each with its rank, and whether the setting is one of the study."""
    file = study.file
    travel = file.travel
    own_windows = {name: window for name, window in windows.items() if travel.windows.get(name) == window}
    table = table.assign(
        of_study=table["cutoff_min"].isin(travel.cutoffs_min)
        & (table["walk_speed_kmh"] == travel.walk.speed_kmh)
        & table["window"].isin(own_windows)
    )
    lead = f"gain_{lead_of(table)}"
    floor = {str(kind): floor_of(table, str(kind)) for kind in table["kind"].unique()}
    order = pd.DataFrame(
        {
            "day": table["day"].map({day: i for i, day in enumerate(file.dates)}),
            "window": table["window"].map({name: i for i, name in enumerate(windows)}),
            "speed": table["walk_speed_kmh"],
            "cutoff": table["cutoff_min"].astype(float),
            "kind": table["kind"].map({kind: i for i, kind in enumerate(file.destinations)}),
            "scenario": table["scenario"].map({name: i for i, name in enumerate(names)}),
        }
    )
    table = table.loc[order.sort_values(list(order.columns), kind="stable").index].reset_index(drop=True)
    gain = table[lead].to_numpy(np.float64)
    place = np.zeros(len(table), np.int64)
    for (kind, *_), rows in table.groupby(["kind", *SETTING], sort=False).indices.items():
        mine = gain[rows]
        place[rows] = 1 + (mine[None, :] > mine[:, None] + floor[str(kind)]).sum(axis=1)
    return table.assign(rank=place)[list(COLUMNS)]


def lead_of(table: pd.DataFrame) -> str:
    """Whose gain decides: ``most_deprived`` where there are figures of that fifth, else ``all``."""
    return "most_deprived" if table["gain_most_deprived"].notna().any() else "all"


def floor_of(table: pd.DataFrame, kind: str) -> float:
    """Differences of gains of a kind up to this size are rounding."""
    mine = table[table["kind"] == kind]
    size = np.abs(mine[["baseline_all", "gain_all"]].to_numpy(np.float64))
    return float(np.nanmax(size, initial=0.0)) * _SAME


def ways(baseline: NDArray[np.float64], gain: NDArray[np.float64], least_change: float) -> NDArray[np.float64]:
    """1 where a group gains in a setting, -1 where it loses, 0 where neither counts, NaN where nobody knows."""
    return better_or_worse(baseline, baseline + gain, np.False_, least_change)


def gains_wide(table: pd.DataFrame, column: str) -> pd.DataFrame:
    """One row for each setting, one column for each proposal; the settings in the order of the table."""
    wide = table.pivot_table(
        index=list(SETTING), columns="scenario", values=column, dropna=False, sort=False, observed=True
    )
    keys = pd.MultiIndex.from_frame(table[list(SETTING)].drop_duplicates())
    return wide.reindex(index=keys, columns=list(dict.fromkeys(table["scenario"])))


def share_table(
    table: pd.DataFrame, names: Sequence[str], bus_hours: Mapping[str, float], least_change: float = LEAST_CHANGE
) -> pd.DataFrame:
    """In what share of settings each proposal gains more than each later one, and than today.

    Against today a gain or a loss counts where it is more than a share of today's figure, as in groups.csv.
    """
    rows = []
    for kind in dict.fromkeys(table["kind"]):
        mine, floor = table[table["kind"] == kind], floor_of(table, str(kind))
        for whom in WHOM:
            if mine[f"gain_{whom}"].isna().all():
                continue
            wide = gains_wide(mine, f"gain_{whom}")
            for one, other in [*combinations(names, 2), *((name, RESERVED) for name in names)]:
                first = wide[one].to_numpy(np.float64)
                if other == RESERVED:
                    base = gains_wide(mine, f"baseline_{whom}")[one].to_numpy(np.float64)
                    first = np.where(ways(base, first, least_change) == 0, 0.0, first)
                second = wide[other].to_numpy(np.float64) if other != RESERVED else np.zeros(len(wide))
                parts = [("gain", first, second, floor)]
                hours = [bus_hours.get(name, np.nan) for name in (one, other)]
                if other != RESERVED and min(hours) > 0:
                    by_hour = first / hours[0], second / hours[1]
                    parts.append(("gain_per_bus_hour", *by_hour, floor / max(hours)))
                for by, a, b, least in parts:
                    found = shares_of_settings(a, b, least)
                    rows.append({"scenario": one, "other": other, "kind": kind, "whom": whom, "by": by, **found})
    shares = pd.DataFrame(rows, columns=list(SHARE_COLUMNS))
    return shares.assign(settings=shares["settings"].astype(int))


def where_words(settings: pd.DataFrame, hit: NDArray[np.bool_]) -> str:
    """Some of the settings in words: the largest groups that they fill, then what is left.

    ``evening at 30 minutes`` where these are all settings of that window and cutoff, whatever the walking speed. At most
    three groups are named.
    """
    days = settings["day"].nunique() > 1
    parts = [
        pd.factorize(settings[["day", "window"]].apply(tuple, axis=1))[0],
        pd.factorize(settings["cutoff_min"])[0],
        pd.factorize(settings["walk_speed_kmh"])[0],
    ]
    # A group fixes the window, the cutoff, the speed, any two of them or all; -1 leaves one open.
    boxes = sorted(
        product(*([-1, *range(int(part.max()) + 1)] for part in parts)),
        key=lambda box: (sum(value >= 0 for value in box), box),
    )
    left, said = hit.copy(), list[str]()
    while left.any():
        found: tuple[int, tuple[int, ...], NDArray[np.bool_]] | None = None
        for box in boxes:
            inside = np.ones(len(settings), np.bool_)
            for part, value in zip(parts, box, strict=True):
                inside &= (part == value) | (value < 0)
            gained = int((inside & left).sum())
            if inside.any() and hit[inside].all() and (found is None or gained > found[0]):
                found = (gained, box, inside)
        if found is None:
            break
        if len(said) == _MOST_GROUPS:
            n = int(left.sum())
            return "; ".join(said) + f"; and {n} more"
        _, box, inside = found
        said.append(_group_words(settings[inside].iloc[0].to_dict(), box, days=days))
        left &= ~inside
    return "; ".join(said)


def _group_words(row: Mapping[Hashable, Any], box: tuple[int, ...], *, days: bool) -> str:
    """``evening at 30 minutes walking 4 km/h``, without what a group leaves open."""
    window = plain(str(row["window"]))
    words = [
        f"{plain(str(row['day']))} {window}" if days else window,
        f"at {row['cutoff_min']:g} minutes",
        f"walking {row['walk_speed_kmh']:g} km/h",
    ]
    return " ".join(word for word, value in zip(words, box, strict=True) if value >= 0) or "all of them"
