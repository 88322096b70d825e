"""Measures of reach as rows of access.csv on cities small enough to work out by hand."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
import pytest

from community_routes.base.columns import ACCESS_COLUMNS
from community_routes.base.times import HOUR, UNREACHED
from community_routes.measures.decay import Exponential
from community_routes.measures.list import build_measure, default_measures
from community_routes.measures.measure import Facts, Measure, WindowInputs, kinds_of_places, reading_order
from community_routes.measures.reached import Cumulative, Dual, Gravity, Interval, Isolated, Nearest, NumberOfPlaces
from community_routes.measures.service import StopDepartures
from community_routes.network.walks.points import Links

NO = UNREACHED
ZONES = pd.DataFrame(
    {
        "id": ["B", "A", "C"],
        "name": ["Bank", "Abbey", "Croft"],
        "population": [100.0, 300.0, 50.0],
        "deprivation_decile": [1.0, 10.0, np.nan],
    }
)
ORIGINS = pd.DataFrame({"zone": [0, 1, 2], "weight": [1.0, 1.0, 1.0]})
PLACES = pd.DataFrame(
    {"key": ["jobs", "spaces", "spaces"], "kind": ["", "library", "park"], "amount": [500.0, 1.0, 1.0]}
)
# B: jobs at both departures, library at one. A: nothing. C: off the network.
CUBE = np.array(
    [[[1800, 600, NO], [1801, NO, NO]], [[NO, NO, NO], [NO, NO, NO]], [[NO, NO, NO], [NO, NO, NO]]], dtype=np.int32
)
SETTINGS: dict[str, object] = {"cutoffs_min": (30,), "percentiles": (50, 100)}
REASONS = ["", "", "off_network"]


def rows(measures: Sequence[Measure] | None = None, **changes: object) -> pd.DataFrame:
    """The table of some measures, else of the default ones of reach."""
    nothing = np.empty(0, np.int64)
    given: dict[str, object] = {
        "scenario": "today",
        "day": "day",
        "window": "morning_peak",
        "window_s": (7 * HOUR, 9 * HOUR),
        "zones": ZONES,
        "origins": ORIGINS,
        "destinations": PLACES,
        "time_s": CUBE,
        "origin_reason": REASONS,
        "departures": StopDepartures(nothing, nothing, nothing, nothing, nothing, nothing),  # type: ignore[arg-type]
        **SETTINGS,
        **changes,
    }
    n = len(given["origins"])  # type: ignore[arg-type]
    walks = Links(np.zeros(n + 1, np.int64), nothing, nothing, nothing)  # type: ignore[arg-type]
    known = WindowInputs(access_walks=walks, **given)  # type: ignore[arg-type]
    chosen = default_measures(Facts(known.cutoffs_min))[:4] if measures is None else measures
    return known.table([column for measure in chosen for column in measure.take(known)])


def cell(table: pd.DataFrame, zone: str, kind: str, measure: str, reading: str) -> tuple[float, str]:
    found = table.query("neighbourhood == @zone and kind == @kind and measure == @measure and reading == @reading")
    assert len(found) == 1
    return found["value"].iloc[0], found["reason"].iloc[0]


def test_columns_and_order() -> None:
    """Zones by id, kinds by name. 2 keys have 3 rows of each of three counts, 2 of times, 1 share; 2 kinds 1 + 1 + 1."""
    table = rows()
    assert tuple(table.columns) == ACCESS_COLUMNS
    assert table["neighbourhood"].drop_duplicates().tolist() == ["A", "B", "C"]
    kinds = table.loc[table["neighbourhood"] == "A", "kind"].drop_duplicates().tolist()
    assert kinds == ["jobs", "spaces", "spaces/library", "spaces/park"]
    assert len(table) == 3 * (2 * (3 + 2 + 1 + 3 + 3) + 2 * (1 + 1 + 1))
    first = table[(table["neighbourhood"] == "B") & (table["kind"] == "jobs")]
    nearest = first.loc[first["measure"] == "nearest", "reading"].tolist()
    assert nearest == ["p50", "p100"]
    assert first["cutoff_min"].dropna().unique().tolist() == [30]
    assert first["population"].unique().tolist() == [100.0]
    assert table["deprivation_decile"].isna().sum() == 30


def test_counts_in_both_readings() -> None:
    """B: jobs within 30 min at one departure of two: 250 on average; 500 by the median (1st of 2), 0 by the worst."""
    table = rows()
    count = "cumulative_opportunities"
    assert cell(table, "B", "jobs", count, "mean") == (250.0, "")
    assert cell(table, "B", "jobs", count, "p50") == (500.0, "")
    assert cell(table, "B", "jobs", count, "p100") == (0.0, "")
    assert cell(table, "B", "spaces/library", count, "mean") == (0.5, "")


def test_zero_and_missing() -> None:
    """A is on the network and reaches nothing: counts 0, times missing. C is off it: all missing."""
    table = rows()
    assert cell(table, "A", "jobs", "cumulative_opportunities", "mean") == (0.0, "")
    value, reason = cell(table, "A", "jobs", "nearest", "p50")
    assert np.isnan(value)
    assert reason == "over_time"
    assert cell(table, "A", "jobs", "share_reached_nearest", "mean") == (0.0, "")
    for measure, reading in (
        ("cumulative_opportunities", "p50"),
        ("nearest", "p50"),
        ("share_reached_nearest", "mean"),
    ):
        value, reason = cell(table, "C", "jobs", measure, reading)
        assert np.isnan(value)
        assert reason == "off_network"


def test_nearest_in_its_readings() -> None:
    """B to jobs 1,800 and 1,801 s: median the 1st of 2. To the library once in two."""
    table = rows()
    assert cell(table, "B", "jobs", "nearest", "p50") == (1800.0, "")
    assert cell(table, "B", "jobs", "nearest", "p100") == (1801.0, "")
    assert cell(table, "B", "spaces/library", "nearest", "p50") == (600.0, "")
    assert cell(table, "B", "spaces/library", "share_reached_nearest", "mean") == (0.5, "")
    assert not len(table.query("kind == 'spaces/library' and reading == 'p100'"))


def test_times_are_percentiles_of_the_nearest_at_each_departure() -> None:
    """Two places taking turns: nearest 420, 360, 900, 840, 780, of which p25 is the 2nd, 420, p50 780 and p75 the 4th, 840.

    The second nearest is 1,020, 960, 2,580, 2,520, 2,460: p50 2,460. So is what brings both (dual access of 2). The median
    times are 2,460 and 900 s; their nearest, 900, is the time of no departure in the middle.
    """
    cube = np.array([[[420, 1020], [360, 960], [2580, 900], [2520, 840], [2460, 780]]], dtype=np.int32)
    table = rows(
        [Nearest(), Nearest(2), Dual(2)], zones=ZONES.iloc[[0]], origins=ORIGINS.iloc[[0]], origin_reason=[""],
        destinations=PLACES.iloc[1:].assign(kind="library").reset_index(drop=True), time_s=cube, percentiles=(25, 50, 75),
    )  # fmt: skip
    nearest = [cell(table, "B", "spaces", "nearest", reading)[0] for reading in ("p25", "p50", "p75")]
    assert nearest == [420, 780, 840]
    assert cell(table, "B", "spaces/library", "nearest", "p50")[0] == 780
    assert cell(table, "B", "spaces", "nearest_2", "p50")[0] == 2460
    assert cell(table, "B", "spaces", "dual_access_2", "p50")[0] == 2460
    assert cell(table, "B", "spaces", "share_reached_nearest", "mean")[0] == 1


def test_the_median_of_times_is_there_whatever_percentiles_are_chosen() -> None:
    """It is the headline of a time: p50 stands beside the chosen p100, counts have p100 only."""
    table = rows(percentiles=(100,))
    readings = table.drop_duplicates(["measure", "reading"]).groupby("measure")["reading"].agg(list)
    assert readings["nearest"] == ["p50", "p100"]
    assert readings["cumulative_opportunities"] == ["mean", "p100"]


def test_reasons_in_their_order() -> None:
    """No destination before off the network before no service before too long; off places do not hide the others."""
    table = rows(keys=("schools",), destination_reason=["no_service", "off_network", "off_network"])
    assert cell(table, "C", "schools", "nearest", "p50")[1] == "no_destination"
    assert cell(table, "A", "spaces", "nearest", "p50")[1] == "off_network"
    assert cell(table, "A", "jobs", "nearest", "p50")[1] == "no_service"
    assert cell(table, "A", "schools", "cumulative_opportunities", "mean") == (0.0, "")
    served = rows(destination_reason=["", "no_service", "off_network"])
    assert cell(served, "A", "jobs", "nearest", "p50")[1] == "over_time"
    assert cell(served, "A", "spaces", "nearest", "p50")[1] == "no_service"
    unserved = rows(origin_reason=["", "no_service", "off_network"])
    assert cell(unserved, "A", "jobs", "nearest", "p50")[1] == "no_service"
    assert cell(unserved, "A", "jobs", "cumulative_opportunities", "mean") == (0.0, "")


def test_several_origin_points_average_access_and_take_the_median_of_times() -> None:
    """One zone, points of 1, 1 and 3 households: jobs 500, 0, 0 -> 100; times 100, 900, never -> never (3 of 5)."""
    zones = ZONES.iloc[[0]]
    cube = np.array([[[100, NO, NO]], [[900, NO, NO]], [[NO, NO, NO]]], dtype=np.int32)
    points = pd.DataFrame({"zone": [0, 0, 0], "weight": [1.0, 1.0, 3.0]})
    settings = {"zones": zones, "origins": points, "time_s": cube, "cutoffs_min": (5,)}
    table = rows(**{**settings, "origin_reason": [""] * 3})  # type: ignore[arg-type]
    assert cell(table, "B", "jobs", "cumulative_opportunities", "mean") == (pytest.approx(100.0), "")
    assert cell(table, "B", "jobs", "nearest", "p50")[1] == "over_time"
    assert cell(table, "B", "jobs", "share_reached_nearest", "mean")[0] == pytest.approx(0.4)
    off = rows(**settings)  # type: ignore[arg-type]
    assert cell(off, "B", "jobs", "cumulative_opportunities", "mean") == (250.0, "")
    assert cell(off, "B", "jobs", "nearest", "p50") == (100.0, "")


def test_units() -> None:
    table = rows(units={"jobs": "jobs"}).drop_duplicates(["kind", "measure", "reading"])
    units = table.set_index(["kind", "measure", "reading"])["unit"]
    assert units["jobs", "cumulative_opportunities", "mean"] == "jobs"
    assert units["spaces", "cumulative_opportunities", "mean"] == "places"
    assert units["jobs", "nearest", "p50"] == "seconds"
    assert units["jobs", "share_reached_nearest", "mean"] == "share"
    unnamed = rows()
    assert set(unnamed.loc[unnamed["kind"] == "jobs", "unit"]) == {"amount", "seconds", "share"}


def test_same_times_give_the_same_bits() -> None:
    """Amounts that do not add up exactly: two runs, and a run with the zones in another order, agree to the bit."""
    rng = np.random.default_rng(8)
    cube = rng.integers(0, 4000, (3, 30, 3)).astype(np.int32)
    places = PLACES.assign(amount=[0.1, 0.7, 0.3])
    one = rows(destinations=places, time_s=cube, origin_reason=[""] * 3)
    two = rows(destinations=places, time_s=cube.copy(), origin_reason=[""] * 3)
    pd.testing.assert_frame_equal(one, two, check_exact=True)
    turned = rows(
        zones=ZONES.iloc[::-1].reset_index(drop=True),
        destinations=places,
        time_s=cube[::-1].copy(),
        origin_reason=[""] * 3,
    )
    pd.testing.assert_frame_equal(one, turned, check_exact=True)


def test_other_measures_by_hand() -> None:
    """B to both spaces at 600 and 1,200 s: gravity with half-time 10 min 1/2 + 1/4; second nearest and 2 places 1,200."""
    cube = np.full((3, 1, 3), NO, dtype=np.int32)
    cube[0, 0, 1:] = [600, 1200]
    chosen = [Gravity(Exponential(600)), Nearest(2), Dual(2), Dual(3), Cumulative((10, 20)), NumberOfPlaces((20,))]
    table = rows(chosen, time_s=cube)  # type: ignore[arg-type]
    assert cell(table, "B", "spaces", "gravity_exponential", "mean")[0] == pytest.approx(0.75, rel=1e-14)
    assert cell(table, "B", "spaces", "nearest_2", "p50") == (1200.0, "")
    assert cell(table, "B", "spaces", "dual_access_2", "p50") == (1200.0, "")
    assert cell(table, "B", "spaces", "dual_access_3", "p50")[1] == "over_time"
    both = table.query("neighbourhood == 'B' and kind == 'spaces' and measure == 'cumulative_opportunities'")
    assert both.loc[both["reading"] == "mean", "value"].tolist() == [1.0, 2.0]


def test_isolation_in_the_tables() -> None:
    """B has no jobs within 30 min at one departure of two: a half on average, 0 by the median, 1 by the worst."""
    table = rows([Isolated((30,)), Interval(1800, 1920)])
    assert cell(table, "B", "jobs", "isolated", "mean") == (0.5, "")
    assert cell(table, "B", "jobs", "isolated", "p50") == (0.0, "")
    assert cell(table, "B", "jobs", "isolated", "p100") == (1.0, "")
    assert cell(table, "A", "jobs", "isolated", "mean") == (1.0, "")
    assert cell(table, "C", "jobs", "isolated", "mean")[1] == "off_network"
    assert cell(table, "B", "jobs", "isolated", "mean")[1] == ""
    # cutoffs 30, 31, 32 min: the departure at 1,801 s reaches the 500 jobs at two of them
    assert cell(table, "B", "jobs", "interval_opportunities_30_32", "mean")[0] == pytest.approx((500 + 500 * 2 / 3) / 2)


def test_choosing_measures_by_name() -> None:
    facts = Facts((30, 45))
    assert build_measure("gravity_exponential", {"half_time_min": 10}, facts) == Gravity(Exponential(600))
    assert build_measure("nearest", {"n": 3}, facts) == Nearest(3)
    assert build_measure("dual_access", {"needed": 5}, facts) == Dual(5)
    assert [measure.name for measure in (Nearest(), Nearest(3), Dual(5), Dual(2.5), Gravity(Exponential(600)))] == [
        "nearest", "nearest_3", "dual_access_5", "dual_access_2.5", "gravity_exponential",
    ]  # fmt: skip
    assert build_measure("cumulative_opportunities", {}, facts) == Cumulative((30, 45))
    assert build_measure("isolated", {}, facts) == Isolated((30, 45))
    assert build_measure("interval_opportunities", {"from_min": 30, "to_min": 60}, facts) == Interval(1800, 3600)
    with pytest.raises(ValueError, match="no measure; write one of affordability, balanced_catchment"):
        build_measure("closest", {}, facts)
    with pytest.raises(ValueError, match="no setting"):
        build_measure("n_places", {"n": 2}, facts)


def test_kinds_of_places_and_readings_are_ordered() -> None:
    assert [places.kind for places in kinds_of_places(PLACES.iloc[::-1], keys=["clinics"])] == [
        "clinics",
        "jobs",
        "spaces",
        "spaces/library",
        "spaces/park",
    ]
    assert sorted(["spread", "p50", "p5", "mean"], key=reading_order) == [
        "mean",
        "p5",
        "p50",
        "spread",
    ]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"time_s": CUBE[:, 0]}, "origins, departures, destinations"),
        ({"origin_reason": ["", ""]}, "2 reasons were given for 3 points"),
        ({"destination_reason": ["", "", "lost"]}, "not \\['lost'\\]"),
    ],
)
def test_faulty_calls(changes: dict[str, object], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        rows(**changes)  # type: ignore[arg-type]


def test_blocks_of_origins_change_no_figure(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every measure of a drawn window, with all origins at once and with one after another: the same to the last bit."""
    draw = np.random.default_rng(3)
    cube = draw.integers(0, 5000, (5, 4, 3)).astype(np.int32)
    cube[draw.random(cube.shape) < 0.2] = UNREACHED
    given = {
        "zones": ZONES.iloc[[0]].assign(id="Z"),
        "origins": pd.DataFrame({"zone": [0] * 5, "weight": [1.0, 2.0, 0.5, 1.0, 3.0]}),
        "time_s": cube,
        "origin_reason": [""] * 5,
    }
    whole = rows(**given)  # type: ignore[arg-type]
    monkeypatch.setattr("community_routes.routing.matrices.AT_ONCE", 1)
    pd.testing.assert_frame_equal(rows(**given), whole, check_exact=True)  # type: ignore[arg-type]
