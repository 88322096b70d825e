"""What an answer must equal: the rows that evaluating and comparing the whole case write."""

from __future__ import annotations

import numpy as np
import pandas as pd

from community_routes.answers.answer import Answer
from community_routes.answers.live import Live
from community_routes.evaluation.cost import proposal_cost
from community_routes.evaluation.evaluate import Evaluation, evaluate_case
from community_routes.evaluation.results import Comparison, compare

EXACT = {"check_exact": True, "check_dtype": False}


def assert_as_compared(live: Live, answer: Answer, today: Evaluation) -> None:
    """Every field of an answer is what ``compare`` of the whole study says of the case, to the last bit."""
    case = answer.case
    if case is live.today.case or case is today.case:
        _assert_equal(live, answer, compare(today), today)
        assert answer.cost is None
        return
    found = evaluate_case(case)
    _assert_equal(live, answer, compare(today, found), found)
    cost = proposal_cost(today.case, case)
    assert (answer.cost is None) == (cost is None)
    if answer.cost is not None and cost is not None:
        for name in ("by_day", "by_period", "year"):
            pd.testing.assert_frame_equal(getattr(answer.cost, name), getattr(cost, name), check_exact=True)
        assert (answer.cost.assumptions, answer.cost.missing) == (cost.assumptions, cost.missing)


def _assert_equal(live: Live, answer: Answer, comparison: Comparison, found: Evaluation) -> None:
    figure, ids = live.figure, found.zones.table["id"]
    rows = found.access[figure.of(found.access)].set_index("neighbourhood").reindex(ids)
    np.testing.assert_array_equal(answer.value, rows["value"].to_numpy(float))
    assert answer.reason.tolist() == rows["reason"].tolist()
    groups = comparison.groups[figure.of(comparison.groups) & (comparison.groups["scenario"] == answer.scenario)]
    groups = groups.reset_index(drop=True).reindex(columns=answer.groups.columns)  # today alone has no spreads
    pd.testing.assert_frame_equal(answer.groups, groups, **EXACT)
    everybody = groups[groups["grouping"] == "all"].iloc[0]
    changes = comparison.comparison
    if len(changes):
        mine = changes[figure.of(changes)].set_index("neighbourhood")["change"].reindex(ids)
        np.testing.assert_array_equal(answer.change, mine.to_numpy(float))
        assert answer.persons == tuple(everybody[f"persons_{way}"] for way in ("better", "worse", "same"))
    else:
        assert (answer.change[~np.isnan(answer.value)] == 0).all()
        assert answer.persons == (0, 0, everybody["persons_covered"])
    time_s = live.times(answer)
    assert time_s.dtype == np.int32
    np.testing.assert_array_equal(time_s, found.time_s[figure.slot])
