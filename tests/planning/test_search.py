"""The search for the best set, against every set of problems small enough to list them all."""

from __future__ import annotations

import json
import math
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from itertools import combinations

import pytest

from community_routes.base.errors import UsageError
from community_routes.planning.search import Effort, Found, Standing, State, knapsack_bound, search

QUICK = Effort(starts=2)


@dataclass
class Drawn:
    """Candidates 0 to n - 1 that cover things of whole weights, so that sums are exact; some exclude each other.

    ``covers[i]`` are the things that i covers, ``costs[i]`` what it costs (less than nothing: it saves), ``loses[i]`` what is
    lost with it, ``bonus`` what two have only together, ``rivals`` which may not be together.
    """

    covers: list[frozenset[int]]
    weights: list[int]
    costs: list[float]
    loses: list[int]
    bonus: dict[frozenset[int], int] = field(default_factory=dict)
    rivals: set[frozenset[int]] = field(default_factory=set)
    floor: Callable[[frozenset[int]], bool] = lambda chosen: False
    variants: dict[int, list[int]] = field(default_factory=dict)
    asked: list[frozenset[int]] = field(default_factory=list)
    bounded: int = 0

    def candidates(self) -> Sequence[int]:
        return range(len(self.covers))

    def cost(self, chosen: frozenset[int]) -> float:
        return sum(self.costs[i] for i in chosen)

    def allowed(self, chosen: frozenset[int]) -> bool:
        return not any(pair <= chosen for pair in self.rivals)

    def _value(self, chosen: frozenset[int]) -> float:
        covered = frozenset().union(*(self.covers[i] for i in chosen))
        together = sum(more for pair, more in self.bonus.items() if pair <= chosen)
        return float(sum(self.weights[j] for j in covered) + together - sum(self.loses[i] for i in chosen))

    def value(self, chosen: frozenset[int]) -> float:
        self.asked.append(chosen)
        return -math.inf if self.floor(chosen) else self._value(chosen)

    def near(self, candidate: int) -> Sequence[int]:
        return self.variants.get(candidate, [])

    def bound(self, chosen: frozenset[int], open_: Sequence[int], budget: float) -> float:
        """Gains of covering shrink as sets grow, so those over ``chosen`` are the most; a bonus may come with either of two."""
        self.bounded += 1
        now = self._value(chosen)
        gains = [
            self._value(chosen | {i})
            - now
            + sum(m for pair, m in self.bonus.items() if i in pair and not pair <= chosen | {i})
            for i in open_
        ]
        return now + knapsack_bound(gains, [self.costs[i] for i in open_], budget - self.cost(chosen))


@dataclass
class Together(Drawn):
    """The same with the bound that needs nothing but that more is never worse: everything together."""

    def bound(self, chosen: frozenset[int], open_: Sequence[int], budget: float) -> float:
        self.bounded += 1
        least = self.cost(chosen) + sum(min(0.0, self.costs[i]) for i in open_)
        everything = chosen | set(open_)
        return -math.inf if least > budget else self._value(everything) + sum(self.loses[i] for i in open_)


def drawn(kind: str, seed: int, n: int = 9) -> tuple[Drawn, float]:
    """A problem of a kind and a budget that some of it fits into."""
    chance = random.Random(f"{kind} {seed}")
    covers = [frozenset(chance.sample(range(14), chance.randint(1, 5))) for _ in range(n)]
    weights = [chance.randint(1, 20) for _ in range(14)]
    costs = [float(chance.randint(1, 12)) for _ in range(n)]
    loses = [0] * n
    bonus: dict[frozenset[int], int] = {}
    rivals: set[frozenset[int]] = set()
    budget = float(chance.randint(6, 30))
    if kind == "conflicts":
        rivals = {frozenset(chance.sample(range(n), 2)) for _ in range(6)}
    if kind == "savers":
        # A third save something, and lose something; with a budget of nothing or a little.
        for i in chance.sample(range(n), n // 3):
            covers[i], costs[i], loses[i] = frozenset(), -float(chance.randint(1, 9)), chance.randint(0, 12)
        budget = float(chance.choice((0, 0, 3)))
    if kind == "together":
        # Half have no worth by themselves: two of them have.
        for i in range(n // 2):
            covers[i] = frozenset()
        bonus = {frozenset(chance.sample(range(n // 2), 2)): chance.randint(20, 60) for _ in range(3)}
    make = Together if seed % 2 else Drawn
    return make(covers, weights, costs, loses, bonus, rivals), budget


def every_set(problem: Drawn, budget: float) -> dict[frozenset[int], float]:
    """What every set is worth that fits."""
    n = len(problem.covers)
    sets = [frozenset(some) for size in range(n + 1) for some in combinations(range(n), size)]
    return {
        some: problem._value(some)
        for some in sets
        if problem.cost(some) <= budget and problem.allowed(some) and not problem.floor(some)
    }


KINDS = ("plain", "conflicts", "savers", "together")


@pytest.mark.parametrize("kind", KINDS)
def test_the_best_of_all_sets_is_found_and_proven(kind: str) -> None:
    """With all branches opened the answer is the best of all 512 sets, and the bound says so."""
    for seed in range(12):
        problem, budget = drawn(kind, seed)
        found = search(problem, budget, effort=QUICK)
        best = max(every_set(problem, budget).values())
        assert (found.best.value, found.bound, found.gap) == (best, best, 0.0), (kind, seed)
        assert found.bound_from == "proof" and found.finished
        assert problem.cost(frozenset(found.best.chosen)) == found.best.cost <= budget


@pytest.mark.parametrize("kind", KINDS)
def test_a_search_without_branches_is_near_and_its_bound_holds(kind: str) -> None:
    """Exchanges alone: every bound holds, and nine in ten answers are the best."""
    hits = 0
    for seed in range(30):
        problem, budget = drawn(kind, seed)
        found = search(problem, budget, effort=replace(QUICK, nodes=0))
        best = max(every_set(problem, budget).values())
        assert found.best.value <= best <= found.bound, (kind, seed)
        hits += found.best.value == best
    assert hits >= 27, (kind, hits)


def test_a_greedy_choice_that_is_wrong_is_put_right() -> None:
    """By gain for each unit of cost the first is 0 (3 for 1), which leaves 9 of 10 to spend: 1 (20 for 10) no longer fits.

    The best is 1. With 2 and 3, worth nothing alone and 50 together for 10, it is these two, which no single step finds.
    """
    wrong = Drawn([frozenset({0}), frozenset({1})], [3, 20], [1.0, 10.0], [0, 0])
    assert search(wrong, 10.0).best.chosen == (1,)
    pair = Drawn(
        [frozenset({0}), frozenset({1}), frozenset(), frozenset()],
        [3, 20],
        [1.0, 10.0, 5.0, 5.0],
        [0] * 4,
        {frozenset({2, 3}): 50},
    )
    found = search(pair, 10.0)
    assert (found.best.chosen, found.best.value, found.gap) == ((2, 3), 50.0, 0.0)


def test_moving_service_about_takes_from_one_to_give_to_another() -> None:
    """With nothing to spend, 1 (worth 10, costs 4) is paid by 2 (saves 5, loses 1) and not by 0 (saves 5, loses 3): 10 - 1."""
    problem = Drawn([frozenset(), frozenset({0}), frozenset()], [10], [-5.0, 4.0, -5.0], [3, 0, 1])
    found = search(problem, 0.0, effort=replace(QUICK, starts=0, nodes=0))
    assert (found.best.chosen, found.best.value, found.best.cost) == ((1, 2), 9.0, -1.0)


def test_a_floor_that_only_the_value_tells_is_kept() -> None:
    """0 and 1 together break a floor; 2 restores it. Worth 8 + 8 alone, with 2 for 1 unit more: all three for 3."""
    covers = [frozenset({0}), frozenset({1}), frozenset()]
    problem = Drawn(covers, [8, 8], [1.0, 1.0, 1.0], [0, 0, 0])
    problem.floor = lambda chosen: {0, 1} <= chosen and 2 not in chosen
    assert search(problem, 2.0).best.value == 8.0
    assert search(problem, 3.0).best == search(problem, 9.0).best
    assert search(problem, 3.0).best.chosen == (0, 1, 2)


def test_of_equals_the_cheapest_then_the_first_is_taken() -> None:
    """Three worth 5: one costs 3, two cost 2."""
    problem = Drawn([frozenset({0})] * 3, [5], [3.0, 2.0, 2.0], [0] * 3)
    assert search(problem, 9.0).best.chosen == (1,)


def test_variants_are_tried_and_need_not_be_candidates() -> None:
    """0 has the variant 1, which has the variant 2; only 0 is a candidate, and 2 is worth most."""

    class Chain(Drawn):
        def candidates(self) -> Sequence[int]:
            return (0,)

    chain = Chain([frozenset({0}), frozenset({1}), frozenset({2})], [1, 5, 9], [1.0] * 3, [0] * 3)
    chain.rivals = {frozenset(pair) for pair in combinations(range(3), 2)}
    chain.variants = {0: [1], 1: [2]}
    found = search(chain, 1.0)
    assert found.best.chosen == (2,) and found.bound >= 9.0
    stopped = search(chain, 1.0, stop=lambda: len(chain.asked) > 5)
    assert stopped.bound >= stopped.best.value


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_seed_gives_the_same_answer(kind: str) -> None:
    """Twice the same questions in the same order, and the same of everything that is told."""
    told: list[list[Standing]] = [[], []]
    problems = [drawn(kind, 5)[0] for _ in told]
    budget = drawn(kind, 5)[1]
    first, second = (
        search(problem, budget, seed=3, progress=lines.append) for problem, lines in zip(problems, told, strict=True)
    )
    assert first == second
    assert problems[0].asked == problems[1].asked and told[0] == told[1]


@pytest.mark.parametrize("kind", KINDS)
def test_a_search_resumed_anywhere_ends_the_same(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every state that is kept, through a file, leads to the whole answer, and asks only what was not yet asked."""
    monkeypatch.setattr("community_routes.planning.search.KEPT_EVERY", 5)
    kept: list[State] = []
    problem, budget = drawn(kind, 4)
    whole = search(problem, budget, effort=QUICK, keep=kept.append)
    assert len(kept) > 5
    for state in kept:
        again, _ = drawn(kind, 4)
        read = State.from_json(json.loads(json.dumps(state.as_json(), allow_nan=False)))
        assert search(again, budget, effort=QUICK, resume=read) == whole
        assert len(again.asked) + again.bounded == whole.evaluations + whole.bounds - len(state.answers)
    assert kept[-1].answers and search(drawn(kind, 4)[0], budget, effort=QUICK, resume=kept[-1]) == whole


def test_a_state_of_another_search_is_refused() -> None:
    """Another budget is another search."""
    kept: list[State] = []
    problem, budget = drawn("plain", 1)
    search(problem, budget, keep=kept.append)
    with pytest.raises(UsageError, match="another search"):
        search(problem, budget + 1, resume=kept[-1])


@pytest.mark.parametrize("kind", KINDS)
def test_stopped_anywhere_it_tells_the_best_so_far_and_a_bound_that_holds(kind: str) -> None:
    """Stopped after each number of evaluations; then resumed to the end it gives the whole answer."""
    problem, budget = drawn(kind, 7)
    whole = search(problem, budget, effort=QUICK)
    truth = max(every_set(problem, budget).values())
    values = []
    for most in range(0, whole.evaluations + 1, 3):
        again, _ = drawn(kind, 7)
        kept: list[State] = []
        part = search(again, budget, effort=QUICK, stop=lambda a=again, m=most: len(a.asked) >= m, keep=kept.append)
        assert part.best.value <= truth <= part.bound
        assert part.best.value == problem._value(frozenset(part.best.chosen))
        values.append(part.best.value)
        if most % 9 == 0:
            assert search(again, budget, effort=QUICK, resume=kept[-1]) == whole
    assert values == sorted(values) and not search(drawn(kind, 7)[0], budget, stop=lambda: True).finished


def test_asking_again_only_for_the_first_saves_most_evaluations() -> None:
    """60 candidates, 15 chosen: greedy that asks all of them each time asks about 60 + 59 + ... + 46 = 795 times.

    Both choose the same, for gains of covering shrink.
    """
    chance = random.Random(8)
    covers = [frozenset(chance.sample(range(300), 12)) for _ in range(60)]
    problem = Drawn(covers, [chance.randint(1, 30) for _ in range(300)], [1.0] * 60, [0] * 60)
    chosen: frozenset[int] = frozenset()
    for _ in range(15):
        chosen = max((chosen | {i} for i in range(60) if i not in chosen), key=problem._value)
    lines: list[Standing] = []
    search(problem, 15.0, effort=Effort(starts=0, swaps=0, nodes=0), progress=lines.append)
    reached = next(line.evaluations for line in lines if line.value == problem._value(chosen))
    assert reached < 200


def test_no_set_is_valued_twice() -> None:
    """What was asked is remembered."""
    problem, budget = drawn("plain", 2)
    found = search(problem, budget)
    assert len(problem.asked) == len(set(problem.asked)) == found.evaluations


def test_the_frontier_is_the_best_at_each_cost_of_what_was_met() -> None:
    """Of all sets that were valued: none on the frontier is beaten, and each that was met is not better than it."""
    problem, budget = drawn("plain", 3)
    found = search(problem, budget)
    met = {some: (problem.cost(some), problem._value(some)) for some in problem.asked}
    for point in found.frontier:
        assert met[frozenset(point.chosen)] == (point.cost, point.value)
    for cost, value in met.values():
        assert max(point.value for point in found.frontier if point.cost <= cost) >= value
    assert [point.cost for point in found.frontier] == sorted({point.cost for point in found.frontier})
    assert found.frontier[-1] == found.best


def test_nearly_as_good_is_within_the_share() -> None:
    """All met that lack at most a tenth of the gain, the best first, without the best itself."""
    problem, budget = drawn("plain", 3)
    found: Found[int] = search(problem, budget, effort=Effort(nearly=0.1))
    least = 0.9 * found.best.value
    met = {s for s in problem.asked if problem._value(s) >= least} - {frozenset(found.best.chosen)}
    assert {frozenset(point.chosen) for point in found.nearly} == met and met
    assert [point.value for point in found.nearly] == sorted((point.value for point in found.nearly), reverse=True)


def test_where_nothing_fits_it_says_so() -> None:
    """A budget below nothing: no change at all does not fit. From a set that saves enough it goes on."""
    problem = Drawn([frozenset({0}), frozenset()], [10], [2.0, -5.0], [0, 1])
    with pytest.raises(UsageError, match="nothing fits"):
        search(problem, -1.0)
    found = search(problem, -1.0, starts=[frozenset({1})])
    assert (found.best.chosen, found.best.value) == ((0, 1), 9.0)


def test_a_start_that_is_given_is_improved() -> None:
    """Given 0 (worth 8 for 4), 1 (7 for 3) is added; without other steps no greedy choice is better."""
    problem = Drawn([frozenset({0}), frozenset({1})], [8, 7], [4.0, 3.0], [0, 0])
    assert search(problem, 7.0, starts=[frozenset({0})], effort=Effort(0, 0, 0)).best.chosen == (0, 1)


def test_the_knapsack_bound_by_hand() -> None:
    """10 for 2 whole, then 4 of 6 of the 9: 10 + 6; what saves 2 and loses 1 first: 2 more of the 9, 10 + 9 - 1.

    Nothing fits where even what saves does not bring it to nothing.
    """
    assert knapsack_bound([9.0, 10.0], [6.0, 2.0], 6.0) == 16.0
    assert knapsack_bound([9.0, 10.0, -1.0], [6.0, 2.0, -2.0], 6.0) == 18.0
    assert knapsack_bound([-1.0], [-2.0], -3.0) == -math.inf
    assert knapsack_bound([5.0, 1.0], [0.0, -1.0], 0.0) == 6.0
    assert knapsack_bound([-4.0], [-2.0], 0.0) == pytest.approx(0.0)
