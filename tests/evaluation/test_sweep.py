"""A sweep over settings whose gains are known, and what is written of it."""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from community_routes.base.errors import UsageError
from community_routes.cli import run_command
from community_routes.evaluation.case import Study, open_study
from community_routes.evaluation.evaluate import evaluate
from community_routes.evaluation.results import compare
from community_routes.evaluation.sweep import Sweep, sweep
from community_routes.evaluation.sweep_tables import where_words
from community_routes.scenarios.file import Scenario
from small_town import town_study
from unchanged import EMPTY


def without(route: str) -> Scenario:
    """The town without one of its routes."""
    return Scenario.model_validate({"scenario": f"no-{route}", "changes": [{"withdraw_route": {"route": route}}]})


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Study:
    return open_study(town_study(tmp_path_factory.mktemp("town")))


@pytest.fixture(scope="module")
def found(study: Study) -> Sweep:
    return sweep(study, [without("L1"), without("L5")], cutoffs_min=[40, 30], speeds_kmh=[9, 4.8])


def test_gains_by_hand(found: Sweep) -> None:
    """Without L1 and within 40 minutes P0 loses P1 and, at half of the departures, P2; P1 loses P0; P2 loses P0 at half of them.

    That is 3 of 8 neighbourhoods' places. At 9 km/h ``far`` is 1,157 s from the stand of P1 and boards after 60 s, so that P0
    takes it 1,817 s and the wait, which is 1,183 - 60 j seconds (j = 0 to 19): at half of the departures within 2,400 s. It
    loses half a place more. L5 is the same at the other end, without a ``far``. Within 30 minutes each end loses a place.
    """
    gains = found.table.set_index(["scenario", "walk_speed_kmh", "cutoff_min"])["gain_all"]
    expected = {
        ("no-L1", 4.8, 30): -2 / 8,
        ("no-L5", 4.8, 30): -2 / 8,
        ("no-L1", 4.8, 40): -3 / 8,
        ("no-L5", 4.8, 40): -3 / 8,
        ("no-L1", 9.0, 30): -2 / 8,
        ("no-L5", 9.0, 30): -2 / 8,
        ("no-L1", 9.0, 40): -3.5 / 8,
        ("no-L5", 9.0, 40): -3 / 8,
    }
    assert gains.to_dict() == pytest.approx(expected, abs=1e-12)
    assert found.table["gain_most_deprived"].isna().all(), "nobody knows deprivation here"
    ranks = found.table.set_index(["scenario", "walk_speed_kmh", "cutoff_min"])["rank"]
    assert ranks[("no-L1", 9.0, 40)] == 2
    assert (ranks.drop(("no-L1", 9.0, 40)) == 1).all(), "equal gains share a rank"


def test_in_what_share_one_beats_the_other(found: Sweep) -> None:
    rows = found.shares.set_index(["scenario", "other", "kind", "whom", "by"])
    row = rows.loc[("no-L1", "no-L5", "shared_spaces", "all", "gain")]
    assert row.to_dict() == {"settings": 4, "better": 0, "worse": 0.25, "same": 0.75}
    row = rows.loc[("no-L1", "today", "shared_spaces", "all", "gain")]
    assert row.to_dict() == {"settings": 4, "better": 0, "worse": 1, "same": 0}
    assert set(found.shares["by"]) == {"gain"}, "what saves bus-hours has no gain for a further one"
    said = found.text()
    assert "4 settings: cutoffs 30, 40 minutes; walking 4.8, 9 km/h; windows peak (07:00-08:00)" in said
    assert (
        "no-L5 gains more than no-L1 in 1 of 4 settings (25\u202f%), as much in 3: walking 4.8 km/h; at 30 minutes"
        in said
    )


def test_the_settings_of_the_study_have_the_figures_of_the_report(study: Study) -> None:
    """Cutoffs 30 and 60 at 4.8 km/h are the study's own; other windows and speeds are not."""
    plans = [without("L1"), without("L3")]
    found = sweep(study, plans, windows=["peak", "09:00-09:30"])
    assert found.settings["walk_speeds_kmh"] == [4.0, 4.8, 5.6]
    assert len(found.table) == 2 * 2 * 3 * 2
    groups = compare(evaluate(study), *(evaluate(study, plan) for plan in plans)).groups
    rows = groups[
        (groups["grouping"] == "all")
        & (groups["measure"] == "cumulative_opportunities")
        & (groups["reading"] == "mean")
        & (groups["kind"] == "shared_spaces")
        & (groups["scenario"] != "today")
    ]
    own = found.table[found.table["of_study"]]
    assert set(own["window"]) == {"peak"}
    keys = ["scenario", "cutoff_min"]
    for column, source in (("gain_all", "change"), ("baseline_all", "baseline")):
        assert own.set_index(keys)[column].to_dict() == rows.set_index(keys)[source].to_dict()


def test_a_sweep_counts_gains_from_the_same_least_change(study: Study) -> None:
    """Without L1 everybody together loses 2 of their places within 30 minutes, a share s of today's; over s it is no loss."""
    today = evaluate(study)
    rows = compare(today, evaluate(study, without("L1"))).groups
    rows = rows[
        (rows["grouping"] == "all") & (rows["measure"] == "cumulative_opportunities") & (rows["cutoff_min"] == 30)
    ]
    row = rows[(rows["reading"] == "mean") & (rows["scenario"] == "no-L1") & (rows["kind"] == "shared_spaces")].iloc[0]
    share = -row["change"] / row["baseline"]
    assert 0.02 < share < 0.4
    for least, lose, words in (
        (share * 1.01, 0, f"counted from a change of {101 * share:g} % on; 1 lie below it"),
        (share * 0.99, 1, "; 0 lie below it"),
        (0.0, 1, "loses in 1, changes nothing in 0"),
    ):
        found = sweep(study, [without("L1")], cutoffs_min=[30], speeds_kmh=[4.8], least_change=least)
        shares = found.shares[found.shares["whom"] == "all"].iloc[0]
        assert (shares["worse"], shares["same"], shares["better"]) == (lose, 1 - lose, 0)
        assert found.table["gain_all"].item() == pytest.approx(-2 / 8), "the gain itself stays as it is"
        assert words in found.text() and json.loads(found.run_json())["settings"].get("least_change", 0) == least
    with pytest.raises(UsageError, match="least change of 3"):
        sweep(study, [without("L1")], least_change=3)


def test_nothing_changes_in_no_setting(study: Study) -> None:
    found = sweep(study, [EMPTY], speeds_kmh=[3, 6])
    assert (found.table["gain_all"] == 0).all()
    assert (found.table["rank"] == 1).all()
    assert "gains something in 0 of 4 settings, loses in 0, changes nothing in 4" in found.text()


def test_where_in_words() -> None:
    """Whole groups first, at most three of them; days are named only where there are several."""
    rows = [("weekday", w, speed, cutoff) for w in ("peak", "late") for speed in (4.0, 5.0) for cutoff in (30, 45)]
    settings = pd.DataFrame(rows, columns=["day", "window", "walk_speed_kmh", "cutoff_min"])

    def words(*hit: int) -> str:
        return where_words(settings, np.isin(np.arange(8), hit))

    assert words(*range(8)) == "all of them"
    assert words(4, 5, 6, 7) == "late"
    assert words(4, 6) == "late at 30 minutes"
    assert words(3) == "peak at 45 minutes walking 5 km/h"
    assert words(0, 4, 7) == "at 30 minutes walking 4 km/h; late at 45 minutes walking 5 km/h"
    assert words(0, 2, 4, 6, 3) == "at 30 minutes; peak walking 5 km/h"
    assert words(0, 3, 5, 6) == (
        "peak at 30 minutes walking 4 km/h; peak at 45 minutes walking 5 km/h; late at 30 minutes walking 5 km/h; and 1 more"
    )
    settings.loc[4:, "day"] = "sunday"
    assert words(4, 5, 6, 7) == "sunday late"


@pytest.mark.parametrize(
    ("choices", "said"),
    [
        ({"cutoffs_min": [0]}, "cutoff 0: it must be 1 to 120 minutes"),
        ({"cutoffs_min": [121]}, "the study's max_travel_min"),
        ({"speeds_kmh": [0.1]}, "walking speed 0.1: it must be 0.5 to 20 km/h"),
        ({"windows": ["lunch"]}, "'lunch' is no window of the study (peak) and no time such as 14:00-15:00"),
    ],
)
def test_values_that_cannot_be(study: Study, choices: dict[str, list[int]], said: str) -> None:
    with pytest.raises(UsageError, match=re.escape(said)):
        sweep(study, [EMPTY], **choices)  # type: ignore[arg-type]


def test_no_scenario_or_one_twice(study: Study) -> None:
    with pytest.raises(UsageError, match="at least one scenario"):
        sweep(study, [])
    with pytest.raises(UsageError, match="given twice"):
        sweep(study, [EMPTY, EMPTY])


def files_of(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It writes five files, the same whatever the threads, over an earlier result only, and says the shares."""
    study = town_study(tmp_path / "town")
    for name in ("L1", "L5"):
        plan = without(name)
        (tmp_path / f"{plan.scenario}.yaml").write_text(plan.to_yaml(), encoding="utf-8")
    asked = ["sweep", str(study), str(tmp_path / "no-L1.yaml"), str(tmp_path / "no-L5.yaml")]
    asked += ["--cutoffs", "30,40", "--speeds", "4.8,9", "--windows", "peak", "--cache", "none"]
    out = tmp_path / "out"
    assert run_command([*asked, "--out", str(out), "--threads", "1"]) == 0
    assert "no-L5 gains more than no-L1 in 1 of 4 settings" in capsys.readouterr().out
    first = files_of(out)
    assert list(first) == ["run.json", "shares.csv", "sweep.csv", "sweep.html", "sweep.png", "sweep.svg"]
    assert run_command([*asked, "--out", str(out), "--threads", "2"]) == 0
    assert files_of(out) == first
    made = json.loads(first["run.json"])
    assert made["program"] == "community_routes" and made["command"] == "sweep"
    assert {item["name"] for item in made["inputs"] if item["kind"] == "scenario"} == {"no-L1.yaml", "no-L5.yaml"}
    with (out / "sweep.csv").open(encoding="utf-8", newline="") as lines:
        assert len(list(csv.DictReader(lines))) == 8
    (out / "run.json").unlink()
    assert run_command([*asked, "--out", str(out)]) == 2, "no result of ours any more"
    assert run_command([*asked[:4], "--out", str(tmp_path / "new"), "--speeds", "fast"]) == 2
    assert not (tmp_path / "new").exists()


def test_the_page_has_every_setting_and_needs_nothing_else(study: Study, tmp_path: Path) -> None:
    """L1 or L5 every ten minutes. Within 20 minutes each end reaches the other at all departures instead of half of them: both
    proposals give 2 x 0.5 of 8 neighbourhoods. Within 35 minutes there is nothing to gain, but for ``far`` at 9 km/h: it takes
    1,817 s and the wait, so that P0 is within 2,100 s at half of the departures instead of a quarter, by L1 alone.
    """
    plans = [
        Scenario.model_validate(
            {
                "scenario": f"more-{route}",
                "changes": [{"set_headway": {"route": route, "weekday": {"06:00-12:00": 10}}}],
            }
        )
        for route in ("L1", "L5")
    ]
    found = sweep(study, plans, cutoffs_min=[20, 35], speeds_kmh=[4.8, 9])
    found.write(tmp_path / "out")
    page = (tmp_path / "out" / "sweep.html").read_text(encoding="utf-8")
    assert page.count('<td class="setting') == 4
    assert page.count(">A and B the same<") == 2
    assert page.count(">nobody gains<") == 1
    assert page.count('<td class="setting t0"') == page.count(">A first<") == 1, (
        "the one setting in which the order turns"
    )
    assert page.count(">+0.12<") == 4 and page.count(">+0.03<") == 1
    assert "A more-L1 gains more than B more-L5 in 1 of 4 settings (25\u202f%), as much in 3" in page
    assert not re.search(r'(src|href)="(?!#)', page)
    picture = (tmp_path / "out" / "sweep.svg").read_text(encoding="utf-8")
    assert "4.8 km/h" in picture and "35 min" in picture and "Peak, 07:00–08:00" in picture
