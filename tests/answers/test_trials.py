"""Trials: the value of proposals and of sets of them is what trying them as one proposal says, to the last bit."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd
import pytest

import community_routes as cr
from community_routes.answers.live import Live
from community_routes.answers.trials import Patch, Trials
from community_routes.base.errors import ScenarioError, UsageError
from community_routes.evaluation.case import Study, open_study
from community_routes.scenarios.file import Scenario
from random_ideas import ideas, square_study, study_of_seed
from small_town import town_study

N_QUICK, N_ALL = 30, 2000


def plan(name: str, *changes: dict[str, object]) -> Scenario:
    return Scenario.model_validate({"scenario": name, "changes": list(changes)})


def together(*patches: Patch) -> Scenario:
    """All changes of some patches as one proposal."""
    return Scenario(scenario="all", changes=tuple(change for patch in patches for change in patch.scenario.changes))


def assert_as_tried(live: Live, trials: Trials, *patches: Patch) -> None:
    np.testing.assert_array_equal(trials.value(patches), live.try_scenario(together(*patches)).value)


@pytest.fixture(scope="module")
def square(tmp_path_factory: pytest.TempPathFactory) -> Study:
    return square_study(tmp_path_factory.mktemp("square"))


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Live:
    """Places P0 to P6 in a row, lines L1 to L5 each from one to the next; halls at all of them."""
    return cr.live(open_study(town_study(tmp_path_factory.mktemp("town"))))


def test_what_is_left_of_two_lines_by_hand(town: Live) -> None:
    """L1 alone leaves P0, and L2 leads on from P1: without L1 P0 has its own hall alone; without both, P1 has as well."""
    trials, ids = Trials(town), town.today.case.zones.table["id"].tolist()
    one, two = (trials.patch(plan(f"no{k}", {"withdraw_route": {"route": f"L{k}"}})) for k in (1, 2))
    assert trials.value([])[ids.index("P0")] > 1.0
    assert trials.value([one])[ids.index("P0")] == 1.0 < trials.value([one])[ids.index("P1")]
    assert trials.together([one, two])
    assert trials.value([one, two])[ids.index("P1")] == 1.0
    assert_as_tried(town, trials, one, two)
    np.testing.assert_array_equal(trials.relaxed([one, two]), trials.today)


def test_a_change_between_two_new_lines(town: Live) -> None:
    """Neither A nor B is of use without the other; B starts at a stop that A, with a stop of its own, has been given."""
    far = {"weekday": {"06:30-09:00": 5}}
    a, b = (
        plan(name, {"add_route": {"name": name, "stops": stops, "speed_kmh": 80, "service": far}})
        for name, stops in (("A", ["S0", {"at": [20.25, 0.002], "name": "New"}, "S3"]), ("B", ["S3", "S6"]))
    )
    trials = Trials(town)
    one, two = trials.patch(a), trials.patch(b)
    assert trials.together([one, two]) and trials.together([two, one])
    assert_as_tried(town, trials, one, two)
    assert_as_tried(town, trials, two, one)
    both, alone = trials.value([one, two]), np.maximum(trials.value([one]), trials.value([two]))
    assert (both > alone).any()


def test_what_cannot_be_put_together_is_said(town: Live) -> None:
    """The same route twice; a stop by its name, which another may change; two with stops of their own; homes."""
    trials = Trials(town)
    new = {"at": [20.25, 0.0], "name": "Half way"}
    service = {"speed_kmh": 60, "service": {"weekday": {"06:00-21:30": 15}}}
    gone = trials.patch(plan("gone", {"withdraw_route": {"route": "L1"}}))
    fast = trials.patch(plan("fast", {"change_speed": {"route": "L1", "factor": 1.5}}))
    mine = trials.patch(plan("mine", {"add_route": {"name": "X", "stops": ["S0", new, "S6"], **service}}))
    other = trials.patch(plan("other", {"add_route": {"name": "Y", "stops": ["S1", new, "S5"], **service}}))
    homes = trials.patch(plan("homes", {"add_homes": {"name": "N", "at": [20.0, 0.0], "homes": 10, "like": "P0"}}))
    assert trials.together([gone, mine]) and not trials.together([gone, fast]) and not trials.together([mine, other])
    assert not homes.by_rows and not trials.together([gone, homes])
    assert np.isinf(trials.relaxed([homes])[0])
    assert_as_tried(town, trials, homes)
    with pytest.raises(UsageError, match="one at a time"):
        trials.value([gone, homes])


def random_patches(trials: Trials, study: Study, rng: np.random.Generator, n: int) -> Iterator[Patch]:
    made: Iterator[dict[str, Any]] = ideas(study, rng)
    for number in range(n):
        try:
            change = next(made)
            if "add_route" in change:
                change["add_route"]["name"] = f"X{number}"
            yield trials.patch(Scenario.model_validate({"scenario": f"i{number}", "changes": [change]}))
        except ScenarioError:
            continue


def without_named(transfers: pd.DataFrame) -> pd.DataFrame:
    """Rules of stops, and of vehicles that go on as another trip."""
    named = (transfers[["from_route", "to_route", "from_trip", "to_trip"]] >= 0).any(axis=1)
    return transfers[~named | (transfers["transfer_type"] > 3)].reset_index(drop=True)


def check(square: Study, seeds: range) -> tuple[int, int]:
    """Values of up to four ideas on the network of each seed, and of sets of them; how many were by rows, and how many sets."""
    n_rows = n_sets = 0
    for seed in seeds:
        rng = np.random.default_rng(seed)
        study = study_of_seed(square, seed)
        if seed % 4:  # most studies have no rules that name trips or routes
            study = replace(study, feed=replace(study.feed, transfers=without_named(study.feed.transfers)))
        measure = str(rng.choice(["cumulative_opportunities", "cumulative_opportunities", "nearest"]))
        live = cr.live(study, measure=measure)
        trials = Trials(live)
        patches = list(random_patches(trials, study, rng, 4))
        n_rows += sum(patch.by_rows for patch in patches)
        sets = [some for size in (1, 2, 3) for some in combinations(patches, size) if trials.together(some)]
        sets += [(patch,) for patch in patches if not patch.by_rows]
        for some in sets:
            try:
                assert_as_tried(live, trials, *some)
                if measure != "nearest":
                    counts = ~np.isnan(trials.today)
                    bound = trials.relaxed(some)[counts]
                    assert (bound >= trials.today[counts]).all()
                    for part in (part for size in range(1, len(some) + 1) for part in combinations(some, size)):
                        if all(patch.by_rows for patch in part):
                            assert (bound >= trials.value(part)[counts]).all()
            except AssertionError as wrong:
                kinds = [change.kind for patch in some for change in patch.scenario.changes]
                raise AssertionError(f"seed {seed}, {kinds}: {wrong}") from None
            n_sets += len(some) > 1
    return n_rows, n_sets


@pytest.mark.parametrize("block", range(0, N_QUICK, 15))
def test_random_sets_are_valued_as_tried(square: Study, block: int) -> None:
    n_rows, n_sets = check(square, range(block, block + 15))
    assert n_rows > 15 and n_sets > 5


@pytest.mark.slow
@pytest.mark.parametrize("block", range(N_QUICK, N_ALL, 97))
def test_many_random_sets_are_valued_as_tried(square: Study, block: int) -> None:
    n_rows, n_sets = check(square, range(block, min(block + 97, N_ALL)))
    assert n_rows > 80 and n_sets > 20
