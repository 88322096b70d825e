"""A change of somebody's own: one class and one entry in the list, and everything that knows of changes knows it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, ClassVar

import pytest

from community_routes.base.errors import ScenarioError
from community_routes.base.notices import Notice
from community_routes.scenarios.apply import apply_scenario
from community_routes.scenarios.change import Change, Selected
from community_routes.scenarios.edit.feed import TripCalls
from community_routes.scenarios.edit.trips import replace_calls, select
from community_routes.scenarios.edit.work import Setting, Work
from community_routes.scenarios.file import Scenario, read_scenario
from community_routes.scenarios.list import CHANGES
from community_routes.scenarios.schema import scenario_schema
from community_routes.scenarios.template import new_scenario_template
from community_routes.scenarios.values import within
from scenarios.hand_feed import SUNDAY, TUESDAY, WEEK, make_feed, runs_on

FEED = make_feed(
    [("A", "Alder Street", 0, 0), ("B", "Birch Road", 1, 0)],
    [("7", "daily", 0, "A 08:00 B 08:06"), ("7", "daily", 0, "A 09:00 B 09:06")],
    services={"daily": "1111111"},
)


class ShiftRoute(Selected):
    """A route runs some minutes later, or earlier where they are negative."""

    kind: ClassVar[str] = "shift_route"
    example: ClassVar[str] = "{route: $route, later_min: 5}      # minutes"

    later_min: Annotated[float, within(-60, 60, "minutes later, -60 to 60")]

    def apply(self, work: Work) -> None:
        """Every call of the trips meant is later."""
        route = work.route(self.route, self.agency)
        days = work.days(self.days, ["days"])
        chosen = select(work, route, days=days, period=self.period_s())

        def later(_trip: int, calls: TripCalls) -> TripCalls:
            return calls.shifted(round(60 * self.later_min))

        moved = replace_calls(work, chosen, later, lambda: f"no trip of route {chosen.name} runs at another time then")
        work.warn_dates(days, ["days"])
        work.effect(chosen.name, f"{len(moved)} trips {self.later_min:+g} min")


@pytest.fixture(autouse=True)
def listed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The list with one entry more."""
    monkeypatch.setitem(CHANGES, ShiftRoute.kind, ShiftRoute)


def written(folder: Path, change: str) -> Path:
    path = folder / "later.yaml"
    path.write_text(f"scenario: later\nchanges:\n  - shift_route: {change}\n", encoding="utf-8")
    return path


def test_it_is_read_applied_and_told(tmp_path: Path) -> None:
    """The bus at 9 on Sundays leaves at 9:10; at 8, and on other days, it runs as it did. Written and read it is the same."""
    scenario = read_scenario(written(tmp_path, '{route: 7, later_min: 10, days: sunday, from: "08:30"}'))
    done = apply_scenario(scenario, Setting(FEED, WEEK))
    assert runs_on(done.feed, "7", SUNDAY) == ["A 08:00 B 08:06", "A 09:10 B 09:16"]
    assert runs_on(done.feed, "7", TUESDAY) == runs_on(FEED, "7", TUESDAY)
    assert [str(effect) for effect in done.effects] == ["7: 1 trips +10 min"]
    (tmp_path / "later.yaml").write_text(scenario.to_yaml(), encoding="utf-8")
    assert read_scenario(tmp_path / "later.yaml").changes == scenario.changes


def test_its_faults_have_line_and_column(tmp_path: Path) -> None:
    """A value out of its bounds, a day that is none, and a change that changes nothing."""
    found: list[Notice] = []
    with pytest.raises(ScenarioError, match=r"90 is outside -60 to 60; write minutes later"):
        read_scenario(written(tmp_path, "{route: 7, later_min: 90}"), notices=found)
    assert (found[0].row, found[0].field) == (3, "changes[1].shift_route.later_min")
    faulty = read_scenario(written(tmp_path, "{route: 7, later_min: 5, days: [sonday]}"))
    with pytest.raises(ScenarioError, match=r"'sonday' is no kind of day; did you mean 'sunday'"):
        apply_scenario(faulty, Setting(FEED, WEEK))
    with pytest.raises(ScenarioError, match="no trip of route 7 runs at another time then"):
        apply_scenario(Scenario(scenario="none", changes=[ShiftRoute(route="7", later_min=0)]), Setting(FEED, WEEK))
    with pytest.raises(ScenarioError, match="there is no change called 'shift_rout'; did you mean 'shift_route'"):
        Scenario(scenario="near", changes=[{"shift_rout": {}}])


def test_editors_and_new_scenarios_show_it() -> None:
    """Its fields are in the schema, and a commented line with the study's own route is in the file to start from."""
    schema = scenario_schema()
    assert schema["properties"]["changes"]["items"]["properties"]["shift_route"] == {"$ref": "#/$defs/ShiftRoute"}
    assert schema["$defs"]["ShiftRoute"]["required"] == ["route", "later_min"]
    assert '  # - shift_route: {route: "7", later_min: 5}      # minutes\n' in new_scenario_template("x", FEED, WEEK)


def test_without_a_function_it_is_no_change() -> None:
    """A class that does not say what it does cannot be made, so the list holds none."""

    class Half(Change):
        kind: ClassVar[str] = "half"
        example: ClassVar[str] = "{}"

    with pytest.raises(TypeError, match="abstract"):
        Half()


@pytest.mark.parametrize("kind", CHANGES)
def test_every_change_says_what_it_is(kind: str) -> None:
    """A key, a sentence for editors, and an example for those who begin."""
    change = CHANGES[kind]
    assert change.kind == kind and change.__doc__ and change.example
