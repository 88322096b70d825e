"""What explains a change between two runs, on a town whose every journey is known."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

import community_routes.over_time.explain as explain_module
from community_routes.base.errors import StudyError
from community_routes.cli import run_command
from community_routes.over_time.compare import RunComparison, compare_runs
from over_time.town_runs import THIRTY, WITH_PEOPLE, features, make_run, parts, whole, write_people


@pytest.fixture(scope="module")
def last_year(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_run(tmp_path_factory.mktemp("town") / "last-year")


@pytest.fixture(scope="module")
def with_people(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_run(tmp_path_factory.mktemp("town") / "people", WITH_PEOPLE)


def assert_adds_up(comparison: RunComparison) -> None:
    """The law: inputs, what they do together and the program make the change; routes make the timetable."""
    keys = ["run", "day", "window", "kind", "grouping", "group"]
    for _, rows in comparison.explained.groupby(keys):
        change = rows.loc[rows["part"] == "change", "change_explained"].item()
        timetable = rows.loc[rows["part"] == "timetable", "change_explained"].item()
        assert math.fsum(rows.loc[rows["of"] == "change", "change_explained"]) == pytest.approx(change, abs=1e-12)
        routes = rows.loc[rows["of"] == "timetable", "change_explained"]
        assert not len(routes) or math.fsum(routes) == pytest.approx(timetable, abs=1e-12)
        assert (rows.loc[rows["part"] == "program", "change_explained"] == 0).all(), (
            "the tables say what is worked out now"
        )


def test_two_lines_gone(last_year: Path, tmp_path: Path) -> None:
    """L1 and L5 share nobody: each explains -2/8, nothing is left over, and the timetable explains all.

    Nothing calls at S5 any more but what is put back there.
    """
    later = make_run(tmp_path / "this-year", without=("L1", "L5"))
    comparison = compare_runs([last_year, later])
    assert whole(comparison.explained) == -4 / 8
    assert parts(comparison.explained) == {"timetable": -4 / 8}
    assert parts(comparison.explained, of="timetable") == {"L1": -2 / 8, "L5": -2 / 8}
    assert_adds_up(comparison)
    routes = comparison.timetable_changes.query("subject == 'route'")
    assert routes[["name", "change", "before", "after", "departures_changed"]].to_numpy().tolist() == [
        ["L1", "gone", 96, 0, 96],
        ["L5", "gone", 96, 0, 96],
    ]
    assert comparison.remarks == ()


def test_lines_that_stand_in_for_each_other(tmp_path: Path) -> None:
    """A year ago N and L1 both led from P0 to P1 (N every 20 minutes too); either put back gives back what both lost.

    Each explains -2/8 of a change of -2/8, and what they do together is +2/8.
    """
    double = "scenario: double\nchanges:\n  - add_route: {name: TWIN, stops: [S0, S1], run_times_min: [10], both_ways: true,\n"
    double += '      service: {weekday: {"06:00-22:00": 20}}}\n'

    def with_twin(inputs: Path) -> None:
        (inputs / "double.yaml").write_text(double, encoding="utf-8")
        command = ["export-gtfs", str(inputs / "study.yaml"), str(inputs / "double.yaml"), str(inputs / "new.zip")]
        assert run_command([*command, "--quiet"]) == 0
        (inputs / "new.zip").replace(inputs / "bus.zip")

    before = make_run(tmp_path / "before", edit=with_twin)
    after = make_run(tmp_path / "after", without=("L1",))
    comparison = compare_runs([before, after])
    assert whole(comparison.explained) == -2 / 8
    assert parts(comparison.explained, of="timetable") == {"TWIN": -2 / 8, "L1": -2 / 8, "routes together": 2 / 8}
    assert_adds_up(comparison)


def test_routes_beyond_the_limit_go_back_together(last_year: Path, tmp_path: Path) -> None:
    """L1 to L3 gone (P0 to P3 stand alone: -6/8); one put back singly, two together (L2 and L3: 4/8)."""
    later = make_run(tmp_path / "this-year", without=("L1", "L2", "L3"))
    explained = compare_runs([last_year, later], routes=1).explained
    assert parts(explained, of="timetable") == {"L1": -2 / 8, "2 other routes": -4 / 8}
    assert parts(compare_runs([last_year, later], routes=0).explained, of="timetable") == {"3 other routes": -6 / 8}


def test_a_busy_route_far_from_everybody_is_not_put_back_singly(last_year: Path, tmp_path: Path) -> None:
    """A new route 11 km away runs every 5 minutes, where nobody lives; L1, gone, is within a walk of two.

    P0 and P1 live at its stops; `far` would walk 36 minutes, more than the 20 that are allowed: 2 of 9 that count 1 each.
    """
    far = "scenario: far\nchanges:\n  - withdraw_route: {route: L1}\n  - add_route: {name: FAR, both_ways: false,\n"
    far += "      stops: [{at: [20.5, 0.1], name: One}, {at: [20.6, 0.1], name: Two}], run_times_min: [20],\n"
    far += '      service: {weekday: {"06:00-22:00": 5}}}\n'

    def with_far(inputs: Path) -> None:
        (inputs / "far.yaml").write_text(far, encoding="utf-8")
        command = ["export-gtfs", str(inputs / "study.yaml"), str(inputs / "far.yaml"), str(inputs / "new.zip")]
        assert run_command([*command, "--quiet"]) == 0
        (inputs / "new.zip").replace(inputs / "bus.zip")
        (inputs / "far.yaml").unlink()

    comparison = compare_runs([last_year, make_run(tmp_path / "this-year", edit=with_far)], routes=1)
    routes = comparison.explained[comparison.explained["of"] == "timetable"]
    assert routes[["name", "departures_changed", "change_explained"]].iloc[:2].to_numpy().tolist() == [
        ["L1", 96.0, -2 / 8],
        ["1 other route", 192.0, 0.0],
    ]
    changed = comparison.timetable_changes.query("subject == 'route'").set_index("name")["residents_near"]
    assert changed.to_dict() == {"L1": 2.0, "FAR": 0.0}


def test_a_run_against_itself(last_year: Path, tmp_path: Path) -> None:
    """Every change is exactly 0, and nothing differs."""
    comparison = compare_runs([last_year, last_year], labels=["one", "again"])
    assert (comparison.over_time["change"].dropna() == 0).all() and comparison.over_time["change"].notna().any()
    changes = comparison.neighbourhoods[f"change__{comparison.runs[1].id}"].dropna()
    assert len(changes) and (changes == 0).all()
    assert (comparison.explained["change_explained"] == 0).all() and len(comparison.explained)
    assert (comparison.inputs["difference"] == "same").all()
    assert not len(comparison.timetable_changes) and comparison.remarks == ()


def _one_hall_less(inputs: Path) -> None:
    features(inputs / "spaces.geojson", lambda all_: [one for one in all_ if one["properties"]["id"] != "hallP3"])


def _far_moves_to_p1(inputs: Path) -> None:
    rows = (inputs / "homes.csv").read_text(encoding="utf-8").replace("far,20.1,0.02", "far,20.1,0.0")
    (inputs / "homes.csv").write_text(rows, encoding="utf-8")


HOMES = THIRTY.replace(
    "name: label}", "name: label,\n  origin_points: {file: homes.csv, id: code, lon: lon, lat: lat}}"
)


def _homes(inputs: Path) -> None:
    from small_town import PLACES

    rows = "".join(f"{name},{lon},{lat}\n" for name, (lon, lat) in PLACES.items())
    (inputs / "homes.csv").write_text(f"code,lon,lat\n{rows}", encoding="utf-8")


@pytest.mark.parametrize(
    ("part", "text", "edit", "gain"),
    [
        # P2, P3 and P4 reach one hall less.
        ("destinations", THIRTY, _one_hall_less, -3 / 8),
        # Without a detour `far` walks 27.8 minutes to P1.
        ("streets", THIRTY.replace("detour: 1.3", "detour: 1.0"), None, 1 / 8),
        # At 6 km/h it walks 28.9 minutes.
        ("settings", THIRTY.replace("travel:", "travel:\n  walk: {speed_kmh: 6}"), None, 1 / 8),
    ],
)
def test_each_input_explains_its_own(
    last_year: Path, tmp_path: Path, part: str, text: str, edit: object, gain: float
) -> None:
    later = make_run(tmp_path / "later", text, edit=edit)  # type: ignore[arg-type]
    comparison = compare_runs([last_year, later])
    assert parts(comparison.explained) == {part: gain}
    assert whole(comparison.explained) == gain
    assert_adds_up(comparison)
    assert bool(comparison.remarks) == (part != "destinations"), "a detour is a matter of method too"
    if part == "settings":
        assert comparison.remarks == (
            "The settings of later and last-year differ, so a change may be one of method: walk_speed_kmh 6 instead of 4.8.",
        )


def test_homes_that_moved(tmp_path: Path) -> None:
    """The homes of `far` are at P1 now: it reaches 3 halls, not 0."""

    def moved(inputs: Path) -> None:
        _homes(inputs)
        _far_moves_to_p1(inputs)

    comparison = compare_runs(
        [make_run(tmp_path / "before", HOMES, edit=_homes), make_run(tmp_path / "after", HOMES, edit=moved)]
    )
    assert parts(comparison.explained) == {"homes": 3 / 8}
    assert_adds_up(comparison)


def test_a_later_population(with_people: Path, tmp_path: Path) -> None:
    """P0 shrinks from 100 to 10 persons: the timetable explains 0.

    Everybody: from (2 + 4 x 3 + 2 + 1) / 8 to (10 x 2 + 400 x 3 + 100 x 2 + 100 x 1) / 710. The most deprived fifth: of 900
    persons 180, P0 and 80 of P1; of 810 persons 162, P0, P1 and 52 of P2.
    """
    later = make_run(tmp_path / "later", WITH_PEOPLE, edit=lambda inputs: write_people(inputs, {"P0": 10}))
    comparison = compare_runs([with_people, later])
    everybody = 1520 / 710 - 17 / 8
    fifth = (10 * 2 + 100 * 3 + 52 * 3) / 162 - (100 * 2 + 80 * 3) / 180
    for group, change in (("all", everybody), ("1", fifth)):
        assert parts(comparison.explained, group) == {"population": pytest.approx(change)}
        assert whole(comparison.explained, group) == pytest.approx(change)
    assert_adds_up(comparison)


def test_another_index_of_deprivation(with_people: Path, tmp_path: Path) -> None:
    """P3 and P0 change ranks: the most deprived are now P3 and 80 of P1, who reach 3 each; everybody is as before."""
    later = make_run(
        tmp_path / "later", WITH_PEOPLE, edit=lambda inputs: write_people(inputs, ranks={"P0": 4, "P3": 1})
    )
    comparison = compare_runs([with_people, later])
    assert parts(comparison.explained, "all") == {}
    assert parts(comparison.explained, "1") == {"deprivation": pytest.approx(3 - 440 / 180)}
    assert_adds_up(comparison)


def test_inputs_that_act_together(with_people: Path, tmp_path: Path) -> None:
    """L1 gone and P0 nearly empty: those whom its loss would have hit have left, so the parts do not add up alone.

    After: P0 1, P1 2, P2 to P4 3, P5 2, P6 1: (10 + 200 + 900 + 200 + 100) / 710. With the timetable of before 1520 / 710;
    with the population of before (1 + 2 + 9 + 2 + 1) / 8.
    """
    later = make_run(
        tmp_path / "later", WITH_PEOPLE, without=("L1",), edit=lambda inputs: write_people(inputs, {"P0": 10})
    )
    explained = compare_runs([with_people, later]).explained
    now, before = 1410 / 710, 17 / 8
    gains = {"timetable": now - 1520 / 710, "population": now - 15 / 8}
    together = (now - before) - sum(gains.values())
    assert abs(together) > 0.05
    assert parts(explained) == pytest.approx({**gains, "together": together})


def test_other_neighbourhoods(last_year: Path, tmp_path: Path) -> None:
    """P0 is called Q0 and `far` is gone: the rest is matched by id, the strangers are listed, and they are one part.

    Without `far` (0 halls) the mean rises from 17/8 to 17/7.
    """

    def renamed(inputs: Path) -> None:
        def change(all_: list[dict[str, object]]) -> list[dict[str, object]]:
            kept = [one for one in all_ if one["properties"]["code"] != "far"]  # type: ignore[index]
            kept[0]["properties"]["code"] = "Q0"  # type: ignore[index]
            return kept

        features(inputs / "areas.geojson", change)

    later = make_run(tmp_path / "later", edit=renamed)
    comparison = compare_runs([last_year, later])
    assert parts(comparison.explained) == {"neighbourhoods": pytest.approx(17 / 7 - 17 / 8)}
    assert comparison.strangers == {"last-year": ["P0", "far"], "later": ["Q0"]}
    assert comparison.remarks == (
        "Not all runs have the same neighbourhoods: 2 of last-year, 1 of later are not in every run.",
    )
    reasons = comparison.neighbourhoods.set_index("neighbourhood")["reason"]
    assert set(reasons["P0"]) == {"later: not_in_this_run"} and set(reasons["Q0"]) == {"last-year: not_in_this_run"}
    assert_adds_up(comparison)


def test_three_runs(last_year: Path, tmp_path: Path) -> None:
    """Each is measured against the first: -2/8 without L1, then -4/8 without L5 too; texts and numbers in one table."""
    second = make_run(tmp_path / "second", without=("L1",))
    third = make_run(tmp_path / "third", without=("L1", "L5"))
    comparison = compare_runs([last_year, second, third])
    rows = comparison.over_time
    lead = rows[
        (rows["measure"] == "cumulative_opportunities") & (rows["reading"] == "mean") & (rows["grouping"] == "all")
    ]
    lead = lead[lead["kind"] == "shared_spaces"]
    assert lead[["run", "value", "change"]].to_numpy().tolist() == [
        ["last-year", 17 / 8, 0.0],
        ["second", 15 / 8, -2 / 8],
        ["third", 13 / 8, -4 / 8],
    ]
    by_run = dict(list(comparison.explained.groupby("run")))
    assert parts(by_run["second"], of="timetable") == {"L1": -2 / 8}
    assert parts(by_run["third"], of="timetable") == {"L1": -2 / 8, "L5": -2 / 8}
    assert_adds_up(comparison)


def test_another_date_of_the_same_timetable(tmp_path: Path) -> None:
    """On the Saturday, L1 is withdrawn: the same file on two dates, and the route explains it."""
    text = THIRTY.replace("service_date: 2024-03-05", "service_date: 2024-03-09")

    def no_saturdays(inputs: Path) -> None:
        (inputs / "less.yaml").write_text(
            "scenario: less\nchanges:\n  - withdraw_route: {route: L1, days: saturday}\n", encoding="utf-8"
        )
        study = inputs / "study.yaml"
        dates = study.read_text(encoding="utf-8")
        study.write_text(
            dates.replace("service_date: 2024-03-0", "service_date: {saturday: 2024-03-09} #"), encoding="utf-8"
        )
        command = ["export-gtfs", str(study), str(inputs / "less.yaml"), str(inputs / "new.zip"), "--quiet"]
        assert run_command(command) == 0
        study.write_text(dates, encoding="utf-8")
        (inputs / "new.zip").replace(inputs / "bus.zip")
        (inputs / "less.yaml").unlink()

    tuesday = make_run(tmp_path / "tuesday", edit=no_saturdays)
    saturday = make_run(tmp_path / "saturday", text, edit=no_saturdays)
    comparison = compare_runs([tuesday, saturday])
    assert parts(comparison.explained, of="timetable") == {"L1": -2 / 8}
    differ = comparison.inputs[comparison.inputs["difference"] != "same"]
    assert set(differ["part"]) == {"input", "service_date"} and set(differ["role"]) == {"", "study"}
    assert comparison.remarks == (
        "The service date is of another kind: that of saturday is a Saturday, that of tuesday is a weekday.",
    )
    assert_adds_up(comparison)


def test_other_fares_are_said(last_year: Path, tmp_path: Path) -> None:
    """Fares are no part of the leading figures; the place of a key in the file is no difference."""
    fares = "fares: {single: 2.00, budgets: [2]}\n"
    same = make_run(tmp_path / "same", THIRTY.replace("destinations:", "\n\ndestinations:"))
    assert compare_runs([last_year, same]).remarks == ()
    later = make_run(tmp_path / "later", THIRTY + fares)
    comparison = compare_runs([last_year, later])
    assert comparison.remarks == (
        "The fares of later and last-year differ: what can be reached for a budget, and what journeys cost, changed with them.",
    )
    assert parts(comparison.explained) == {}
    one = comparison.over_time[comparison.over_time["measure"] == "affordable_opportunities_2"]
    assert set(one.loc[one["run"] == "last-year", "reason"]) == {"not_in_this_run"}
    assert set(one.loc[(one["run"] == "later") & one["value"].notna(), "reason"]) == {"not_in_the_first"}


def test_an_input_that_cannot_be_put_back_alone(
    last_year: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is said, and what it explains is in the part of what inputs do together."""

    def refuse(*_: object, **__: object) -> None:
        raise StudyError("these streets and those places do not fit")

    later = make_run(tmp_path / "later", THIRTY.replace("detour: 1.3", "detour: 1.0"))
    monkeypatch.setattr(explain_module, "study_of", refuse)
    comparison = compare_runs([last_year, later])
    assert parts(comparison.explained) == {"together": 1 / 8}
    assert "The streets of last-year cannot be put back alone into later" in comparison.remarks[-1]
    assert_adds_up(comparison)
