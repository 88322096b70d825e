"""Which set of changes is best within a budget, as a problem that ``search`` solves: what sets cost, are worth, and may be.

Changes of one route hang together and are worked out as one proposal; those of different routes are put together by their
vehicles (``answers.trials``). Values are exact all the same.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from community_routes.answers.trials import Patch, Trials
from community_routes.base.errors import ScenarioError
from community_routes.base.notices import Notice, errors_in
from community_routes.evaluation.case import Case
from community_routes.evaluation.cost import proposal_cost
from community_routes.planning.optimising.aim import Objective
from community_routes.planning.optimising.candidates import Candidate
from community_routes.planning.optimising.journal import Journal
from community_routes.planning.optimising.last_buses import Last, LastBuses
from community_routes.planning.optimising.limits import OF_YEAR, Budget, Floors
from community_routes.routing.runner import Progress
from community_routes.scenarios.cost import Used
from community_routes.scenarios.file import Scenario

FloatArray = NDArray[np.float64]
OPTIMISED = "optimised"
_NODES, _TO_PROVE = 20_000, 40
"""Branches that are opened, where there are so many candidates or fewer: of more the bound is far above any answer."""
_TOLD_EVERY = 25


def composed(chosen: Iterable[Candidate], name: str = OPTIMISED, title: str = "") -> Scenario:
    """The proposal that makes some changes, in the order of their places."""
    return Scenario(scenario=name, title=title, changes=tuple(change for one in chosen for change in one.changes))


@dataclass(frozen=True, eq=False)
class Part:
    """Changes that hang together because they are of the same routes.

    Attributes
    ----------
    patches : tuple of Patch or None
        One for each window; None where no bus of theirs can be under way.
    used : Used or None
        What they take; None where they change no route.
    last : Last
        When the last buses of their routes leave, where that is a floor.
    notices : tuple of Notice
        What is said of them.
    fault : str
        Why they cannot be made; empty where they can.
    """

    patches: tuple[Patch | None, ...] = ()
    used: Used | None = None
    last: Last = field(default_factory=dict)
    notices: tuple[Notice, ...] = ()
    fault: str = ""

    @cached_property
    def year(self) -> dict[str, float]:
        """``bus_hours, km, peak_vehicles, cost`` of a year beyond today's."""
        return self.used.change() if self.used is not None else {}

    @property
    def acts(self) -> bool:
        """Whether any vehicle of any window is another than today."""
        known = [patch.difference for patch in self.patches if patch is not None]
        return any(one is None or len(one.gone) > 0 or one.added is not None for one in known)


@dataclass(eq=False)
class Design:
    """A problem for ``search``. Values are those of ``run`` with the proposal that makes the changes.

    Attributes
    ----------
    objective : Objective
    pool : list of Candidate
        What may be chosen, in order.
    budget : Budget
    floors : Floors
    journal : Journal
        Knows what was found out before.
    trials : tuple of Trials
        One for each window.
    threads : int
        Candidates side by side while each is worked out.
    """

    objective: Objective
    pool: Sequence[Candidate]
    budget: Budget
    floors: Floors
    journal: Journal
    trials: tuple[Trials, ...]
    threads: int = 1
    _parts: dict[frozenset[Candidate], Part] = field(default_factory=dict)
    _costs: dict[frozenset[Candidate], float] = field(default_factory=dict)
    _sums: dict[frozenset[Candidate], bool] = field(default_factory=dict)
    _may: dict[frozenset[Candidate], bool] = field(default_factory=dict)
    _joined: dict[tuple[Candidate, Candidate], bool] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @classmethod
    def made(
        cls,
        objective: Objective,
        pool: Sequence[Candidate],
        budget: Budget,
        floors: Floors,
        journal: Journal,
        threads: int = 1,
    ) -> Design:
        """With today's rows of each window kept ready."""
        return cls(objective, pool, budget, floors, journal, tuple(map(Trials, objective.lives)), threads)

    def __post_init__(self) -> None:
        self._place = {candidate: number for number, candidate in enumerate(self.pool)}
        self._families: dict[str, list[Candidate]] = {}
        for candidate in self.pool:
            self._families.setdefault(candidate.family, []).append(candidate)
        self._routes = {candidate: {claim.route_id for claim in candidate.claims} for candidate in self.pool}

    # -- what ``search`` asks --------------------------------------------------------------------------------------------

    def candidates(self) -> Sequence[Candidate]:
        """What may be chosen."""
        return self.pool

    def near(self, candidate: Candidate) -> Sequence[Candidate]:
        """Its variants."""
        return [other for other in self._families[candidate.family] if other is not candidate]

    def allowed(self, chosen: frozenset[Candidate]) -> bool:
        """Whether no two decide the same thing, and they are not too many; floors are for ``value``."""
        if chosen not in self._may:
            self._may[chosen] = self._is_allowed(chosen)
        return self._may[chosen]

    def _is_allowed(self, chosen: frozenset[Candidate]) -> bool:
        if self.floors.at_most is not None and len(chosen) > self.floors.at_most:
            return False
        members = self.ordered(chosen)
        for n, one in enumerate(members):
            if any(self._routes[one] & self._routes[two] and one.clashes(two) for two in members[:n]):
                return False
        parts = self.parts(chosen)
        return all(self._adds_up(part) for part in parts if len(part) > 1) and (
            not self.floors.keep_last_buses
            or self._last_buses.kept({route: last for part in parts for route, last in self.part(part).last.items()})
        )

    @cached_property
    def _last_buses(self) -> LastBuses:
        return LastBuses(self.objective.case)

    def _adds_up(self, members: frozenset[Candidate]) -> bool:
        """Whether changes of the same routes go together, and make no vehicle that neither today nor one of them alone has.

        Each copies the trips nearest in time, which may be another's: then neither alone tells what both would be.
        """
        if members not in self._sums:
            self._sums[members] = self._is_sum(members)
        return self._sums[members]

    def _is_sum(self, members: frozenset[Candidate]) -> bool:
        together = self.part(members)
        if together.fault:
            return False
        alone = [self.part(frozenset((one,))) for one in members]
        for number in range(len(self.trials)):
            known = {run for patch in _of_window(alone, number) for run in _runs(patch)}
            if not all(known.issuperset(_runs(patch)) for patch in _of_window([together], number)):
                return False
        return True

    def cost(self, chosen: frozenset[Candidate]) -> float:
        """Of the budget's kind, a year, beyond today."""
        if chosen not in self._costs:
            self._costs[chosen] = self._cost(chosen)
        return self._costs[chosen]

    def _cost(self, chosen: frozenset[Candidate]) -> float:
        item = OF_YEAR[self.budget.of]
        if self.budget.of == "bus_hours":  # hours of different routes add up
            return sum(self.part(part).year.get(item, 0.0) for part in self.parts(chosen))
        return self.year(chosen)[item]

    def value(self, chosen: frozenset[Candidate]) -> float:
        """The objective's score; minus infinity where a floor is broken or the changes do not go together."""
        if not chosen:
            return self.objective.score(self.objective.today)
        key = self.key(chosen)
        known = self.journal[key]
        if known is not None:
            return known[0]
        worth = self._judged(chosen)
        with self._lock:
            self.journal[key] = [worth]
        return worth

    def bound(self, chosen: frozenset[Candidate], open_: Sequence[Candidate], budget: float) -> float:
        """What all of them have together with nothing taken away: no set of theirs has more.

        A set has the vehicles of its changes and those of today that it leaves: all of them run here too. Changes of one route
        that would make other vehicles together than each by itself are not ``allowed``.
        """
        if not self.is_bounded:
            return np.inf
        members = self.ordered({*chosen, *open_})
        key = f"at most: {' + '.join(one.id for one in members)}"
        known = self.journal[key]
        if known is not None:
            return known[0]
        parts = [self.part(frozenset((one,))) for one in members]
        values = [trials.relaxed(_of_window(parts, number)) for number, trials in enumerate(self.trials)]
        most = self.objective.score(self.objective.tried(np.stack(values)))
        self.journal[key] = [most]
        return most

    @cached_property
    def is_bounded(self) -> bool:
        """Whether more vehicles can only help, whatever is made of the candidates."""
        parts = [self.part(frozenset((one,))) for one in self.pool]
        known = [patch for part in parts for patch in part.patches if patch is not None]
        return all(patch.by_rows and patch.walks is None for patch in known)

    @property
    def nodes(self) -> int:
        """How many branches are worth opening: none without a bound, or where no branch is ruled out before all are open."""
        return _NODES if self.is_bounded and len(self.pool) <= _TO_PROVE else 0

    # -- how it is answered ----------------------------------------------------------------------------------------------

    def of(self, pool: Sequence[Candidate]) -> Design:
        """The same with fewer candidates."""
        return replace(self, pool=pool)

    def key(self, chosen: Iterable[Candidate]) -> str:
        """The ids of a set in order."""
        return " + ".join(candidate.id for candidate in self.ordered(chosen))

    def ordered(self, chosen: Iterable[Candidate]) -> list[Candidate]:
        """A set in the order of the candidates."""
        return sorted(chosen, key=self._place.__getitem__)

    def parts(self, chosen: frozenset[Candidate]) -> list[frozenset[Candidate]]:
        """A set as parts that can be put together by their vehicles."""
        found: list[list[Candidate]] = []
        for candidate in self.ordered(chosen):
            joined, apart = [candidate], []
            for other in found:
                if any(self._are_joined(candidate, member) for member in other):
                    joined = other + joined
                else:
                    apart.append(other)
            found = [*apart, joined]
        return [frozenset(members) for members in found]

    def _are_joined(self, one: Candidate, two: Candidate) -> bool:
        """Whether two must be worked out as one proposal."""
        if self._routes[one] & self._routes[two]:
            return True
        key = (one, two) if self._place[one] < self._place[two] else (two, one)
        if key not in self._joined:
            pair = [self.part(frozenset((candidate,))) for candidate in key]
            self._joined[key] = not all(
                trials.together(_of_window(pair, number)) for number, trials in enumerate(self.trials)
            )
        return self._joined[key]

    def year(self, chosen: frozenset[Candidate]) -> dict[str, float]:
        """``bus_hours, km, peak_vehicles, cost`` of a year beyond today's."""
        used = [part.used for part in map(self.part, self.parts(chosen)) if part.used is not None]
        if not used:
            return dict.fromkeys(OF_YEAR.values(), 0.0)
        return used[0].beside(used[1:]).change()

    def part(self, chosen: frozenset[Candidate]) -> Part:
        """Some changes of the same routes worked out; kept."""
        known = self._parts.get(chosen)
        if known is None:
            known = self._parts[chosen] = self._worked_out(chosen)
        return known

    def _worked_out(self, chosen: frozenset[Candidate]) -> Part:
        today, found = self.objective.case, list[Notice]()
        scenario = composed(self.ordered(chosen))
        try:
            case = today.with_scenario(scenario, notices=found)
        except ScenarioError:
            fault = next((notice.message for notice in errors_in(found)), "they do not go together")
            return Part(notices=tuple(found), fault=fault)
        cost = proposal_cost(today, case)
        seen = [candidate.slots for candidate in chosen]
        patches = tuple(
            trials.patch(scenario, case).light() if any(one is None or slot in one for one in seen) else None
            for trials, slot in zip(self.trials, self.objective.slots, strict=True)
        )
        last: Last = {}
        if self.floors.keep_last_buses and case.applied is not None:
            last = self._last_buses.of(case.feed, [*case.applied.changed_routes, *case.applied.new_routes])
        return Part(patches, cost.used if cost is not None else None, last, tuple(found))

    def case_of(self, chosen: Iterable[Candidate], name: str = OPTIMISED, title: str = "") -> Case:
        """Today with a set of changes.

        Raises
        ------
        ScenarioError
            They do not go together.
        """
        return self.objective.case.with_scenario(composed(self.ordered(chosen), name, title))

    def values(self, chosen: frozenset[Candidate]) -> FloatArray:
        """The figure of each neighbourhood in each window, whatever floors it breaks: (n_windows, n_neighbourhoods)."""
        parts = [self.part(part) for part in self.parts(chosen)]
        found = [trials.value(_of_window(parts, number)) for number, trials in enumerate(self.trials)]
        return self.objective.tried(np.stack(found))

    def _judged(self, chosen: frozenset[Candidate]) -> float:
        if any(self.part(part).fault for part in self.parts(chosen)):
            return -np.inf
        values = self.values(chosen)
        return self.objective.score(values) if self.floors.hold(self.objective, values) else -np.inf

    def score(self, chosen: frozenset[Candidate]) -> float:
        """The objective's score of a set, whatever floors it breaks."""
        worth = self.value(chosen)
        return worth if worth > -np.inf else self.objective.score(self.values(chosen))

    def screened(self, tell: Progress) -> None:
        """Work out each candidate, and what it is worth by itself, several at a time."""
        n, done = len(self.pool), 0

        def work(candidate: Candidate) -> None:
            nonlocal done
            alone = frozenset((candidate,))
            if not self.part(alone).fault:
                self.value(alone)
            done += 1
            if done % _TOLD_EVERY == 0:
                tell(f"trying each of {n:,} candidates by itself: {done:,} done")

        pool = ThreadPoolExecutor(max(1, self.threads), thread_name_prefix="candidate")
        try:
            for one in [pool.submit(work, candidate) for candidate in self.pool]:
                one.result()
        finally:
            pool.shutdown(cancel_futures=True)


def _of_window(parts: Iterable[Part], number: int) -> list[Patch]:
    """What parts do in a window."""
    return [patch for part in parts if part.patches and (patch := part.patches[number]) is not None]


def _runs(patch: Patch) -> set[bytes]:
    """The vehicles that a patch puts in: when and where each calls."""
    added = patch.difference.added if patch.difference is not None else None
    if added is None:
        return set()
    calls = np.stack([added.departure_s, added.arrival_s, added.board_stop, added.alight_stop], axis=1)
    order = np.lexsort((added.position, added.run))
    cuts = np.flatnonzero(np.diff(added.run[order])) + 1
    return {part.tobytes() for part in np.split(calls[order], cuts)}
