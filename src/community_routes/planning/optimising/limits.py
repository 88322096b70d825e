"""What a set of changes may take, and what it may not break."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from community_routes.base.errors import UsageError
from community_routes.planning.optimising.aim import Objective

BUDGETS = {"bus_hours": "bus-hours a year", "cost": "cost a year", "buses": "peak vehicles"}
"""What a budget can be of, in words; one of them is given."""
OF_YEAR = {"bus_hours": "bus_hours", "cost": "cost", "buses": "peak_vehicles"}
"""The item of ``OperatingCost.year`` that a budget is of."""


_NOISE = 1e-9


@dataclass(frozen=True)
class Budget:
    """The most that a year may take beyond today's: ``of`` is ``bus_hours``, ``cost`` or ``buses``."""

    of: str
    amount: float

    @property
    def words(self) -> str:
        """``5,000 bus-hours a year``."""
        return f"{self.amount:,.0f} {BUDGETS[self.of]}"

    @classmethod
    def given(cls, bus_hours: float | None, cost: float | None, buses: float | None) -> Budget:
        """The one that was given.

        Raises
        ------
        UsageError
            None, or several, or below 0.
        """
        there = {"bus_hours": bus_hours, "cost": cost, "buses": buses}
        named = {of: amount for of, amount in there.items() if amount is not None}
        if len(named) != 1:
            said = " and ".join(of.replace("_", "-") for of in named) or "none"
            raise UsageError(
                f"give one budget: bus-hours, cost or buses ({said} given); 0 moves service about and adds none"
            )
        of, amount = next(iter(named.items()))
        if not (math.isfinite(amount) and amount >= 0):
            raise UsageError(
                f"a budget of {amount:,g} {BUDGETS[of]} is below zero; 0 moves service about and adds none"
            )
        return cls(of, float(amount))


@dataclass(frozen=True)
class Floors:
    """What a set of changes may not break.

    Attributes
    ----------
    no_group_loses : float or None
        The most, in percent of what it has today, that any fifth by deprivation or group of the census may lose.
    keep_last_buses : bool
        No neighbourhood's last bus of a day leaves more than half an hour earlier than today.
    at_most : int or None
        So many changes.
    no_group_below : float or None
        What every such group must have at least (at most, of a figure of which less is better), in the unit of the figure.
    """

    no_group_loses: float | None = None
    at_most: int | None = None
    no_group_below: float | None = None
    keep_last_buses: bool = False

    def __post_init__(self) -> None:
        if self.no_group_loses is not None and not 0 <= self.no_group_loses <= 100:
            raise UsageError(f"a loss of at most {self.no_group_loses:g} % is no floor; write a percentage, 0 to 100")
        if self.at_most is not None and self.at_most < 1:
            raise UsageError(f"at most {self.at_most} changes leave nothing to choose; allow at least 1")

    def check(self, objective: Objective) -> None:
        """A floor that today breaks already is a fault.

        Raises
        ------
        UsageError
        """
        least = self.no_group_below
        for group in objective.guarded if least is not None else ():
            level = objective.level(objective.today, group)
            if not self._is_above(level, objective):
                raise UsageError(
                    f"the floor of {least:,g} {objective.figure.unit} is broken today already: {group.name} has "
                    f"{level:,.6g}; write {level:,.6g} or what asks less"
                )

    def hold(self, objective: Objective, values: NDArray[np.float64]) -> bool:
        """Whether no group loses more than it may or has less than it must."""
        if self.no_group_loses is not None:
            worst = max(objective.losses(values).values(), default=0.0)
            if worst > self.no_group_loses / 100 + _NOISE:
                return False
        if self.no_group_below is None:
            return True
        return all(self._is_above(objective.level(values, group), objective) for group in objective.guarded)

    def _is_above(self, level: float, objective: Objective) -> bool:
        least = self.no_group_below if self.no_group_below is not None else -math.inf
        return level <= least * (1 + _NOISE) if objective.is_less_better else level >= least * (1 - _NOISE)
