"""Sets of changes on random networks: their values are those of their proposals, and the bound is never broken."""

from __future__ import annotations

from itertools import combinations
from pathlib import Path

import numpy as np
import pytest

from community_routes.base.times import HOUR, format_time, parse_time
from community_routes.evaluation.case import Study
from community_routes.planning.optimising.aim import Aim, Objective
from community_routes.planning.optimising.candidates import Candidate, Claim
from community_routes.planning.optimising.design import Design, composed
from community_routes.planning.optimising.journal import Journal
from community_routes.planning.optimising.limits import Budget, Floors
from community_routes.planning.search import search
from community_routes.scenarios.changes.set_headway import SetHeadway
from community_routes.scenarios.changes.withdraw_route import WithdrawRoute
from random_ideas import square_study, study_of_seed


@pytest.fixture(scope="module")
def square(tmp_path_factory: pytest.TempPathFactory) -> Study:
    return square_study(Path(tmp_path_factory.mktemp("square")))


def drawn_candidates(study: Study, rng: np.random.Generator) -> list[Candidate]:
    """Headways of some routes in two parts of the hours about the window, and routes withdrawn."""
    start_s = study.file.travel.windows["asked"].time[0]
    clock = [format_time(max(0, start_s + s), with_seconds=False) for s in (-HOUR // 2, HOUR // 4, HOUR)]
    found = []
    routes = study.feed.routes["route_id"].tolist()
    for route in rng.choice(routes, min(2, len(routes)), replace=False).tolist():
        for first, last in (clock[:2], clock[1:]):
            for headway in rng.integers(3, 15, 2).tolist():
                change = SetHeadway.model_validate({"route": route, "weekday": {f"{first}-{last}": headway}})
                claim = Claim(route, "day", (parse_time(first), parse_time(last)))
                name = f"{route}@{first}={headway}"
                found.append(Candidate(name, "headways", name, (change,), (claim,), f"{route}@{first}"))
        gone = WithdrawRoute.model_validate({"route": route})
        found.append(Candidate(f"{route}=none", "cuts", route, (gone,), (Claim(route, "", (-(10**6), 10**6)),), route))
    return list({one.id: one for one in found}.values())


def drawn_design(square: Study, seed: int, budget: float = np.inf) -> Design | None:
    """A random problem; None where nothing can be measured or made."""
    study = study_of_seed(square, seed)
    objective = Objective.of(study, Aim(cutoff_min=25))
    pool = drawn_candidates(study, np.random.default_rng(seed))
    design = Design.made(objective, pool, Budget("bus_hours", budget), Floors(), Journal(None, ""))
    usable = [one for one in pool if not design.part(frozenset((one,))).fault]
    return design.of(usable) if usable else None


def some_sets(design: Design, rng: np.random.Generator, n: int) -> list[frozenset[Candidate]]:
    pairs = [frozenset(pair) for pair in combinations(design.pool, 2)]
    many = [
        frozenset(rng.choice(np.asarray(design.pool, object), min(3, len(design.pool)), replace=False)) for _ in pairs
    ]
    allowed = [one for one in [*pairs, *many] if design.allowed(one)]
    return [allowed[k] for k in rng.permutation(len(allowed))[:n]]


def check_seed(square: Study, seed: int) -> int:
    """How many sets of a random network were looked at."""
    design = drawn_design(square, seed)
    if design is None:
        return 0
    rng = np.random.default_rng(seed)
    bound = design.bound(frozenset(), design.pool, np.inf)
    looked_at = 0
    for chosen in [*(frozenset((one,)) for one in design.pool), *some_sets(design, rng, 3)]:
        value = design.value(chosen)
        answer = design.objective.lives[0].try_scenario(composed(design.ordered(chosen)))
        assert value == design.objective.score(design.objective.counted(answer)[None])
        assert value <= bound
        others = [one for one in design.pool if one not in chosen and rng.random() < 0.5]
        assert value <= design.bound(chosen, others, np.inf)
        looked_at += 1
    return looked_at


def test_no_set_breaks_the_bound(square: Study) -> None:
    """On a random network: a set has the value of its proposal, to the last bit, and never more than all together."""
    assert check_seed(square, 0) > 6


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(1, 120))
def test_no_set_breaks_the_bound_on_many(square: Study, seed: int) -> None:
    check_seed(square, seed)


@pytest.mark.parametrize("seed", [1, 2])
def test_the_search_says_how_good_it_is(square: Study, seed: int) -> None:
    """Nothing among all allowed pairs and single changes is better than what was found, or above the bound that is said."""
    design = drawn_design(square, seed)
    if design is None:
        pytest.skip("nothing can be made of this network")
    costs = sorted(design.cost(frozenset((one,))) for one in design.pool)
    budget = max(costs[len(costs) // 2], 0.0)
    found = search(design, budget)
    every = [
        frozenset[Candidate](),
        *(frozenset((one,)) for one in design.pool),
        *map(frozenset, combinations(design.pool, 2)),
    ]
    fitting = [one for one in every if design.allowed(one) and design.cost(one) <= budget]
    best = max(design.value(one) for one in fitting)
    assert found.best.value >= best and found.bound >= found.best.value
