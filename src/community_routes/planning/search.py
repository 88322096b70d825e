"""The best set of candidates within a budget: greedy, exchanges from several starts, then branch and bound.

It knows no study and opens no file: a `Problem` says what a set costs and is worth. The same seed and effort give the same
answer on any machine; being stopped only cuts it short. A set is what is chosen; its *worth* is its value where it may be.
"""

from __future__ import annotations

import heapq
import math
import random
from bisect import bisect_left, insort
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import asdict, dataclass
from hashlib import blake2b
from itertools import combinations, islice
from typing import Any, Generic, Protocol, TypeVar

from community_routes.base.errors import UsageError

C = TypeVar("C", bound=Hashable)
_Change = tuple[frozenset[C], frozenset[C]]

KEPT_EVERY = 64
"""Answers between two states that are kept: at most so many have to be asked again after a kill."""
REMEMBERED = 2_000_000
"""Members, over all sets, whose values are remembered; the older half goes first. More than 10,000 evaluations of any size."""
CLOSE = 200
"""The most sets that are kept as nearly as good."""
PAIRS = 20
"""Candidates tried side by side: those that are put in the place of one, those that are paid for, and ways to pay for each."""


class Problem(Protocol[C]):
    """What is searched: the set with the highest value that is allowed and costs at most the budget.

    Candidates are told apart by ``==`` and ordered by position: of two that are equally good, the first is taken.
    """

    def candidates(self) -> Sequence[C]:
        """What may be chosen."""

    def cost(self, chosen: frozenset[C]) -> float:
        """What a set costs; cheap. A candidate that saves makes it less."""

    def allowed(self, chosen: frozenset[C]) -> bool:
        """Whether a set may be (conflicts, at most so many); cheap."""

    def value(self, chosen: frozenset[C]) -> float:
        """What a set is worth, higher is better; ``-inf`` where only this tells that it may not be."""

    def near(self, candidate: C) -> Sequence[C]:
        """Variants to put in a candidate's place; they need not be among the candidates."""

    def bound(self, chosen: frozenset[C], open_: Sequence[C], budget: float) -> float:
        """A value that no set exceeds which holds ``chosen``, otherwise only of ``open_``, and may be; ``-inf``: none may."""


@dataclass(frozen=True)
class Effort:
    """How much is tried before the search ends by itself.

    Attributes
    ----------
    starts : int
        Starts from the best so far, a part of it replaced by chance.
    swaps : int
        The most exchanges of one for another that are tried in one go.
    nodes : int
        The most branches that are opened.
    nearly : float
        Sets are told as nearly as good that lack at most this share of the best set's gain.
    """

    starts: int = 8
    swaps: int = 20_000
    nodes: int = 100_000
    nearly: float = 0.01


@dataclass(frozen=True)
class State:
    """How far a search is: the answers it had, in the order in which it asked. ``of`` tells which search it is of."""

    of: str
    answers: tuple[float, ...]

    def as_json(self) -> dict[str, Any]:
        """For a file; the numbers come back to the last bit."""
        return {"of": self.of, "answers": [repr(answer) for answer in self.answers]}

    @classmethod
    def from_json(cls, found: dict[str, Any]) -> State:
        """The state that was written."""
        return cls(str(found["of"]), tuple(float(answer) for answer in found["answers"]))


@dataclass(frozen=True)
class Standing:
    """Where a search is now, for a line of progress."""

    evaluations: int
    value: float
    cost: float
    bound: float
    doing: str


@dataclass(frozen=True)
class Point(Generic[C]):
    """A set that may be, in order of position, with what it costs and is worth."""

    cost: float
    value: float
    chosen: tuple[C, ...]


@dataclass(frozen=True)
class Found(Generic[C]):
    """What a search found.

    Attributes
    ----------
    best : Point
        The set with the highest value; of several the cheapest, of those the first that was found.
    nothing : float
        The value of the empty set.
    bound : float
        No set of the candidates has a higher value.
    bound_from : str
        ``root`` (all candidates together), ``branches`` (the best of the branches that are left) or ``proof`` (none is left).
    frontier : tuple of Point
        Sets that no other set met is better than at their cost or less, cheapest first.
    nearly : tuple of Point
        Other sets that lack little of the best set's gain (`Effort.nearly`), best first; at most `CLOSE`.
    evaluations, bounds : int
        Sets that were valued, and bounds that were asked.
    finished : bool
        Whether it ended by itself; otherwise it was stopped.
    """

    best: Point[C]
    nothing: float
    bound: float
    bound_from: str
    frontier: tuple[Point[C], ...]
    nearly: tuple[Point[C], ...]
    evaluations: int
    bounds: int
    finished: bool

    @property
    def gap(self) -> float:
        """The share of the gain that any set can have which the best set found may lack at most; 0: it is the best."""
        most = self.bound - self.nothing
        return (self.bound - self.best.value) / most if most > 0 and self.bound > self.best.value else 0.0


def knapsack_bound(gains: Sequence[float], costs: Sequence[float], left: float) -> float:
    """The most that parts of candidates can add together within what is left, where gains and costs add up.

    max sum x g with sum x c <= left and 0 <= x <= 1 (Dantzig 1957): with gains that are upper bounds of what each can add to
    any set, no set adds more. ``-inf`` where nothing fits, even with everything that saves.
    """
    total, items = 0.0, []
    for gain, cost in zip(gains, costs, strict=True):
        if cost <= 0:
            # What saves is taken; where it loses, leaving it again is one more thing to buy.
            total, left = total + gain, left - cost
            if gain < 0:
                items.append((-gain, -cost))
        elif gain > 0:
            items.append((gain, cost))
    if left < 0:
        return -math.inf
    for gain, cost in sorted(items, key=lambda item: item[0] / item[1] if item[1] else math.inf, reverse=True):
        part = min(1.0, left / cost) if cost else 1.0
        total, left = total + part * gain, left - part * cost
    return total


def never() -> bool:
    """A search that only ends by itself."""
    return False


def search(
    problem: Problem[C],
    budget: float,
    *,
    seed: int = 0,
    effort: Effort = Effort(),
    starts: Iterable[frozenset[C]] = (),
    stop: Callable[[], bool] = never,
    progress: Callable[[Standing], None] | None = None,
    resume: State | None = None,
    keep: Callable[[State], None] | None = None,
) -> Found[C]:
    """The best set within a budget that can be found, and how much better another can be at most.

    Parameters
    ----------
    problem, budget
        What is searched, and the most that a set may cost.
    seed, effort
        With the problem they settle the answer, unless the search is stopped.
    starts : iterable of frozenset
        Sets to improve besides the greedy ones; those that do not fit are passed over.
    stop
        Asked before each evaluation; the answer is then what was found so far, with a bound that holds.
    progress
        Told whenever something better is found or something else is begun.
    resume : State, optional
        The last state that was kept of the same search: it runs the same way again and takes its answers from there.
    keep
        Given the state every `KEPT_EVERY` answers and at the end.

    Raises
    ------
    UsageError
        Neither the empty set nor any start fits, or the state to resume is of another search.
    """
    record = _Record(problem, budget, _Asker(_name(problem, budget, seed, effort), stop, resume, keep), progress)
    walk = _Walk(problem, record, random.Random(seed), effort)
    try:
        walk.starts([frozenset(start) for start in starts])
        walk.branch()
        finished = True
    except _StoppedError:
        finished = False
    record.asker.hand_over()
    return record.found(effort.nearly, finished)


def _name(problem: Problem[C], budget: float, seed: int, effort: Effort) -> str:
    """Tells searches apart, so that none is resumed with the answers of another."""
    costs = [problem.cost(frozenset((candidate,))) for candidate in problem.candidates()]
    return blake2b(repr((costs, budget, seed, asdict(effort))).encode(), digest_size=8).hexdigest()


class _StoppedError(Exception):
    """The search was told to stop."""


class _Asker:
    """Asks the problem, or takes the answer from the search that is resumed."""

    def __init__(
        self, name: str, stop: Callable[[], bool], resume: State | None, keep: Callable[[State], None] | None
    ) -> None:
        if resume is not None and resume.of != name:
            raise UsageError("the state to resume is of another search: its candidates, budget, seed or effort differ")
        self.name, self.stop, self.keep = name, stop, keep
        self.answers: list[float] = list(resume.answers) if resume else []
        self.asked = 0
        self.must = True
        """Whether the answer is needed even when told to stop: the first few, without which nothing can be said."""

    def __call__(self, question: Callable[[], float]) -> float:
        if self.asked < len(self.answers):
            answer = self.answers[self.asked]
        else:
            if not self.must and self.stop():
                raise _StoppedError
            answer = float(question())
            if math.isnan(answer):
                raise ValueError("a value or bound is not a number")
            if self.keep is not None:
                self.answers.append(answer)
        self.asked += 1
        if self.asked % KEPT_EVERY == 0:
            self.hand_over()
        return answer

    def hand_over(self) -> None:
        """Keep the state, unless it holds nothing that is not kept yet."""
        if self.keep is not None and self.asked == len(self.answers):
            self.keep(State(self.name, tuple(self.answers)))


class _Record(Generic[C]):
    """What was asked, what is best, and what it cost: the memory of a search."""

    def __init__(
        self, problem: Problem[C], budget: float, asker: _Asker, progress: Callable[[Standing], None] | None
    ) -> None:
        self.problem, self.budget, self.asker, self.progress = problem, budget, asker, progress
        self.slack = 1e-9 * max(1.0, abs(budget)) if math.isfinite(budget) else 0.0
        self.position: dict[C, int] = {}
        for candidate in problem.candidates():
            self.position.setdefault(candidate, len(self.position))
        self.evaluations = self.bounds = 0
        self.memory: tuple[dict[frozenset[C], float], dict[frozenset[C], float]] = ({}, {})
        self.held = 0
        self.best: tuple[float, float, frozenset[C]] = (-math.inf, math.inf, frozenset())
        self.costs: list[float] = []
        self.frontier: list[tuple[float, float, frozenset[C]]] = []
        self.close: list[tuple[float, float, int, frozenset[C]]] = []
        self.doing = "greedy"
        self.nothing = self._ask_value(frozenset())
        self.bounded = len(self.position)
        self.bound = self.ask_bound(frozenset(), list(self.position), math.inf)
        self.bound_from = "root"

    def fits(self, chosen: frozenset[C]) -> bool:
        """Whether a set may be, as far as that is known without its value."""
        return self.problem.allowed(chosen) and self.problem.cost(chosen) <= self.budget + self.slack

    def worth(self, chosen: frozenset[C]) -> float:
        """The value of a set, asked once; ``-inf`` where it may not be."""
        young, old = self.memory
        known = young.get(chosen)
        if known is None:
            known = old.get(chosen)
        if known is None:
            if not self.fits(chosen):
                return -math.inf
            known = self._ask_value(chosen) if chosen else self.nothing
            self._remember(chosen, known)
            if known > -math.inf:
                self._note(chosen, known)
        return known

    def _ask_value(self, chosen: frozenset[C]) -> float:
        value = self.asker(lambda: self.problem.value(chosen))
        self.evaluations += 1
        return value

    def ask_bound(self, chosen: frozenset[C], open_: Sequence[C], parent: float) -> float:
        """The bound of a branch; that of the branch it is from holds as well."""
        self.bounds += 1
        return min(parent, self.asker(lambda: self.problem.bound(chosen, open_, self.budget)))

    def _remember(self, chosen: frozenset[C], value: float) -> None:
        self.held += len(chosen) + 1
        if self.held > REMEMBERED // 2:
            self.memory, self.held = ({}, self.memory[0]), len(chosen) + 1
        self.memory[0][chosen] = value

    def _note(self, chosen: frozenset[C], value: float) -> None:
        cost = self.problem.cost(chosen)
        at = bisect_left(self.costs, cost)
        cheaper = at > 0 and self.frontier[at - 1][1] >= value
        if not cheaper and not (at < len(self.costs) and self.costs[at] == cost and self.frontier[at][1] >= value):
            end = at
            while end < len(self.costs) and self.frontier[end][1] <= value:
                end += 1
            self.costs[at:end], self.frontier[at:end] = [cost], [(cost, value, chosen)]
        if len(self.close) < CLOSE or value > -self.close[-1][0]:
            insort(self.close, (-value, cost, self.evaluations, chosen))
            del self.close[CLOSE:]
        if (value, -cost) > (self.best[0], -self.best[1]):
            self.best = (value, cost, chosen)
            for candidate in self.in_order(chosen):
                self.position.setdefault(candidate, len(self.position))
            self.say(self.doing)

    def better(self, one: frozenset[C], than: frozenset[C]) -> bool:
        """Whether a set may be and is worth more, or as much for less."""
        mine, other = self.worth(one), self.worth(than)
        return mine > other or (mine == other > -math.inf and self.problem.cost(one) < self.problem.cost(than))

    def in_order(self, chosen: Iterable[C]) -> list[C]:
        """The members of a set by position; those that were made on the way come last, by what they are called."""
        last = len(self.position)
        return sorted(
            chosen, key=lambda candidate: (at := self.position.get(candidate, last), at == last and repr(candidate))
        )

    def say(self, doing: str) -> None:
        """Tell what is done now, and how far the search is."""
        self.doing = doing
        if self.progress is not None:
            value, cost, _ = self.best
            self.progress(Standing(self.evaluations, value, cost, max(self.bound, value), doing))

    def found(self, nearly: float, finished: bool) -> Found[C]:
        """The answer."""
        value, cost, chosen = self.best
        if self.bounded < len(self.position):
            # Candidates were made on the way and no branches opened since: not an answer that a resumed search would ask for.
            self.bound = self.problem.bound(frozenset(), list(self.position), self.budget)
        least = value - nearly * (value - self.nothing) if self.nothing > -math.inf else value
        return Found(
            Point(cost, value, tuple(self.in_order(chosen))),
            self.nothing,
            max(self.bound, value),
            "proof" if self.bound <= value else self.bound_from,
            tuple(Point(c, v, tuple(self.in_order(s))) for c, v, s in self.frontier),
            tuple(Point(c, -v, tuple(self.in_order(s))) for v, c, _, s in self.close if -v >= least and s != chosen),
            self.evaluations,
            self.bounds,
            finished,
        )


class _Walk(Generic[C]):
    """The steps of a search, each from a set to a set that is as good or better."""

    def __init__(self, problem: Problem[C], record: _Record[C], chance: random.Random, effort: Effort) -> None:
        self.problem, self.record, self.chance, self.effort = problem, record, chance, effort
        self.most: dict[C, tuple[float, float]] = {}
        """The most that a candidate was seen to add to any set, and what it cost then: where gains shrink, none adds more."""
        self.last: dict[C, tuple[float, float]] = {}
        """The same when it was last asked."""

    def starts(self, given: Sequence[frozenset[C]]) -> None:
        """Improve the given sets, the two greedy ones, and the best again and again with a part of it changed by chance."""
        empty: frozenset[C] = frozenset()
        record = self.record
        fitting = [start for start in (empty, *given) if record.worth(start) > -math.inf]
        record.asker.must = False
        if not fitting:
            raise UsageError("nothing fits: neither no change at all nor any of the sets to start from")
        for start in fitting:
            if start or record.fits(empty):
                self.improve(self.fill(start, self.most))
        if record.fits(empty):
            self.improve(self.fill(empty, self.most, per_cost=False))
        for start_number in range(self.effort.starts):
            record.say(f"start {start_number + 1} of {self.effort.starts}")
            self.improve(self.kicked(record.best[2]))
        record.say("every exchange, and pairs, from the best")
        while (best := record.best[2]) != self.paid(self.swapped(self.fill(best, {}), lazily=False), thorough=True):
            self.improve(record.best[2])

    def improve(self, chosen: frozenset[C]) -> frozenset[C]:
        """Add, drop, move, refill, swap and pay until none of them helps."""
        before = None
        while chosen != before:
            before = chosen
            for step in (self.filled, self.dropped, self.moved, self.refilled, self.swapped, self.paid):
                chosen = step(chosen)
        return chosen

    def open_to(self, chosen: frozenset[C]) -> list[C]:
        """The candidates that are not chosen, by what they last added for their cost; those that were never asked come first."""
        rank = {candidate: _rank(*self.last[candidate]) for candidate in self.record.position if candidate in self.last}
        first = (3, 0.0)
        left = [candidate for candidate in self.record.position if candidate not in chosen]
        return sorted(left, key=lambda candidate: rank.get(candidate, first), reverse=True)

    def fill(
        self,
        chosen: frozenset[C],
        known: dict[C, tuple[float, float]],
        *,
        barred: frozenset[C] = frozenset(),
        per_cost: bool = True,
    ) -> frozenset[C]:
        """Add what gives most for its cost until nothing fits or helps, asking again only for the first of the list.

        What a candidate is known to add is where it stands in the list; once asked for this very set and still first, it is
        taken (Minoux 1978). Where gains shrink as sets grow and ``known`` is the most, that is the greedy set itself.
        """
        record = self.record
        worth, cost = record.worth(chosen), self.problem.cost(chosen)
        queue: list[tuple[int, float, int, int, C]] = []
        aside: list[tuple[int, float, int, int, C]] = []
        for candidate, position in record.position.items():
            if candidate in chosen or candidate in barred:
                continue
            group, ratio = _rank(*known[candidate], per_cost) if candidate in known else (3, 0.0)
            if group >= 0:
                queue.append((-group, -ratio, position, -1, candidate))
        heapq.heapify(queue)
        version = 0
        while queue:
            entry = heapq.heappop(queue)
            candidate = entry[4]
            more = chosen | {candidate}
            gain = record.worth(more) - worth
            if gain == -math.inf:
                aside.append(entry)
                continue
            added = self.problem.cost(more) - cost
            if entry[3] == version:
                chosen, worth, cost, version = more, worth + gain, cost + added, version + 1
                if added < 0:
                    for other in aside:
                        heapq.heappush(queue, other)
                    aside.clear()
                continue
            self.last[candidate] = (gain, added)
            self.most[candidate] = max(self.most.get(candidate, (gain, added)), (gain, added))
            group, ratio = _rank(gain, added, per_cost)
            if group >= 0:
                heapq.heappush(queue, (-group, -ratio, entry[2], version, candidate))
        return chosen

    def filled(self, chosen: frozenset[C]) -> frozenset[C]:
        """Add what still fits and helps."""
        return self.fill(chosen, self.last)

    def dropped(self, chosen: frozenset[C]) -> frozenset[C]:
        """Drop what does not help."""
        for candidate in self.record.in_order(chosen):
            if self.record.better(less := chosen - {candidate}, chosen):
                chosen = less
        return chosen

    def moved(self, chosen: frozenset[C]) -> frozenset[C]:
        """Put the best of its variants in the place of each, in an order by chance."""
        order = self.record.in_order(chosen)
        self.chance.shuffle(order)
        for candidate in order:
            rest = chosen - {candidate}
            for other in self.problem.near(candidate):
                if other not in rest and self.record.better(trial := rest | {other}, chosen):
                    chosen = trial
        return chosen

    def refilled(self, chosen: frozenset[C]) -> frozenset[C]:
        """Drop each in turn and fill its place with whatever fits and gives most."""
        for candidate in self.record.in_order(chosen):
            rest = chosen - {candidate}
            if self.record.worth(rest) > -math.inf:
                trial = self.fill(rest, self.last, barred=frozenset((candidate,)))
                if self.record.better(trial, chosen):
                    chosen = trial
        return chosen

    def swapped(self, chosen: frozenset[C], *, lazily: bool = True) -> frozenset[C]:
        """Exchange one for another, the most promising first; lazily: only where the most it ever added would be enough."""
        left = self.effort.swaps
        open_ = self.open_to(chosen)
        for first in range(0, len(open_), PAIRS):
            # Several in the place of one before the next: a problem may know what the others are worth without it.
            for candidate in self.record.in_order(chosen):
                rest = chosen - {candidate}
                for other in open_[first : first + PAIRS]:
                    most = self.most.get(other, (math.inf, 0.0))[0]
                    if other in chosen or (lazily and self.record.worth(rest) + most <= self.record.worth(chosen)):
                        continue
                    left -= 1
                    if self.record.better(trial := rest | {other}, chosen):
                        chosen = trial
            if left <= 0:
                break
        return chosen

    def paid(self, chosen: frozenset[C], *, thorough: bool = False) -> frozenset[C]:
        """Make a change that costs too much by itself, and pay for it by changes that save, those first that lose least by it.

        A change adds a candidate, drops a member or puts a variant in a member's place. Thoroughly, pairs that only help
        together are added as well, and every change is tried with every other that pays, not only the most promising.
        """
        record = self.record
        spenders, payers = self.changes(chosen, thorough)
        ways = len(payers) if thorough else PAIRS
        left = self.effort.swaps
        for out, into in spenders:
            fits = record.fits(more := chosen - out | into)
            for first in range(1 if fits else min(len(payers), ways)):
                trial, gone = more, out
                for less, instead in payers[first : first + (0 if fits else PAIRS)]:
                    if not less & (gone | into) and not instead & (trial | gone):
                        trial, gone = trial - less | instead, gone | less
                        if record.fits(trial):
                            break
                left -= 1
                if record.better(trial, chosen):
                    return trial
            if left <= 0:
                break
        return chosen

    def changes(self, chosen: frozenset[C], thorough: bool) -> tuple[list[_Change[C]], list[_Change[C]]]:
        """Changes that are allowed but do not fit (thoroughly: and pairs), and those that save, by what they lose for it."""
        record, problem = self.record, self.problem
        cost, worth = problem.cost(chosen), record.worth(chosen)
        none: frozenset[C] = frozenset()
        members = record.in_order(chosen)
        self.chance.shuffle(members)
        open_ = self.open_to(chosen)
        adds = [(none, frozenset((other,))) for other in open_]
        drops = [(frozenset((member,)), none) for member in members]
        moves = [(out, frozenset((other,))) for out, _ in drops for other in problem.near(*out) if other not in chosen]
        spenders: list[_Change[C]] = []
        savers: list[tuple[float, _Change[C]]] = []
        for change in (*adds, *moves, *drops):
            after = chosen - change[0] | change[1]
            saved = cost - problem.cost(after)
            if not problem.allowed(after):
                continue
            if saved > 0:
                savers.append((saved, change))
            elif cost - saved > record.budget + record.slack and (thorough or change[0] or len(spenders) < PAIRS):
                spenders.append(change)
        if thorough:
            pairs = islice(combinations(open_, 2), self.effort.swaps)
            spenders += [(none, frozenset(pair)) for pair in pairs if problem.allowed(chosen.union(pair))]
        payers: list[tuple[float, _Change[C]]] = []
        for saved, (out, into) in savers if spenders else ():
            known = [self.last[other][0] for other in into if not out and other in self.last]
            gain = known[0] if known else record.worth(chosen - out | into) - worth
            if gain > -math.inf:
                payers.append((gain / saved, (out, into)))
        payers.sort(key=lambda payer: payer[0], reverse=True)
        return spenders, [change for _, change in payers]

    def kicked(self, chosen: frozenset[C]) -> frozenset[C]:
        """Take out up to a quarter by chance, and put in as many by chance as fit."""
        record, chance = self.record, self.chance
        some = 1 + chance.randrange(max(1, math.ceil(len(chosen) / 4)))
        out = chance.sample(record.in_order(chosen), min(some, len(chosen)))
        trial = chosen.difference(out)
        while not record.fits(trial):
            if not trial:
                return chosen
            trial = trial - {chance.choice(record.in_order(trial))}
        others = [candidate for candidate in record.position if candidate not in chosen]
        for candidate in chance.sample(others, min(len(others), 4 * some)):
            if some and record.fits(more := trial | {candidate}):
                trial, some = more, some - 1
        return trial if record.worth(trial) > -math.inf else chosen

    def branch(self) -> None:
        """Rule out what cannot be better, the most promising branch first; what is left says how much better there may be."""
        record = self.record
        record.say("branch and bound")
        order = self.open_to(frozenset())
        root = record.ask_bound(frozenset(), order, math.inf) if record.bounded < len(order) else record.bound
        record.bound, record.bounded = root, len(order)
        # Of branches with the same bound the one that was opened last comes first, so that sets become whole soon.
        heap: list[tuple[float, int, int, frozenset[C]]] = [(-root, 0, 0, frozenset())]
        opened = 0
        while heap and opened < self.effort.nodes:
            record.bound = -heap[0][0]
            if record.bound <= record.best[0]:
                return
            _, _, depth, chosen = heapq.heappop(heap)
            if depth == len(order):
                continue
            for child in (chosen, chosen | {order[depth]}):
                if child is not chosen:
                    record.worth(child)
                bound = record.ask_bound(child, order[depth + 1 :], record.bound)
                if bound > record.best[0]:
                    opened += 1
                    heapq.heappush(heap, (-bound, -opened, depth + 1, child))
            record.bound_from = "branches"
        record.bound = -heap[0][0] if heap else record.best[0]


def _rank(gain: float, cost: float, per_cost: bool = True) -> tuple[int, float]:
    """Where a candidate stands: what costs nothing and helps, then by gain for each unit of cost; below 0 what does not help."""
    if cost <= 0 and gain >= 0 and (gain > 0 or cost < 0):
        return (1, gain)
    if gain <= 0:
        return (-1, gain / -cost if cost < 0 else gain)
    return (0, gain / cost if per_cost else gain)
