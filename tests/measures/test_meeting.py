"""Potential to meet: a town of two zones by hand, plain loops, conservation, and what may be published."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest

from community_routes.measures.meeting import (
    POTENTIAL,
    Visitors,
    chance_of_another,
    correlation_ratio,
    divergence,
    entropy,
    exposure,
    exposure_table,
    hide_together,
    mean_chance_of_another,
    mixing_table,
    potential_visitors,
    publishable,
)

# Zone 0: 80 red, 20 blue; zone 1: 20 red, 80 blue.
PERSONS = pd.DataFrame({"red": [80.0, 20.0], "blue": [20.0, 80.0]})
BOTH = np.ones((2, 2))
PLACES = pd.DataFrame({"key": "spaces", "id": ["b", "a"], "name": ["Baths", "Arts"], "kind": ""})


def test_visitors_by_hand() -> None:
    """Place 0 three times as large: each zone sends 3/4 there. Zone 1 alone reaches place 1: it sends all."""
    found = potential_visitors(PERSONS, BOTH, [3.0, 1.0])
    assert found.count.tolist() == [[75, 25], [75, 25]]
    split = potential_visitors(PERSONS, [[1, 0], [0, 1]], [3.0, 1.0])
    assert split.count.tolist() == [[80, 20], [20, 80]]
    assert split.mix.tolist() == [[0.8, 0.2], [0.2, 0.8]]


def test_those_who_reach_nothing_stay_and_are_counted() -> None:
    found = potential_visitors(PERSONS, [[1, 1], [0, 0]], [1.0, 1.0])
    assert found.count.sum(axis=1).tolist() == [80, 20]
    assert found.unable.tolist() == [20, 80]


def test_a_closed_place_attracts_nobody() -> None:
    found = potential_visitors(PERSONS, BOTH, [3.0, 1.0], is_open=[False, True])
    assert found.count.tolist() == [[0, 100], [0, 100]]
    assert np.isnan(found.mix[:, 0]).all()


def test_groups_may_have_their_own_weights() -> None:
    """Blue cannot pay for the way to place 1."""
    weight = np.array([BOTH, [[1, 0], [1, 0]]])
    assert potential_visitors(PERSONS, weight, [1.0, 1.0]).count.tolist() == [[50, 50], [100, 0]]


def random_town(seed: int) -> tuple[pd.DataFrame, np.ndarray, np.ndarray]:  # type: ignore[type-arg]
    rng = np.random.default_rng(seed)
    persons = pd.DataFrame(rng.integers(0, 300, (9, 3)).astype(float), columns=["a", "b", "c"])
    weight = rng.random((9, 7)) * (rng.random((9, 7)) < 0.6)
    weight[4] = 0
    return persons, weight, rng.random(7) * 10


@pytest.mark.parametrize("seed", range(5))
def test_conservation_and_loops(seed: int) -> None:
    """Everybody goes somewhere or is listed; every number equals plain loops; rows of exposure add up to 1."""
    persons, weight, size = random_town(seed)
    found = potential_visitors(persons, weight, size)
    people = persons.to_numpy()
    assert found.count.sum(axis=1) + found.unable == pytest.approx(people.sum(axis=0), rel=1e-9)
    assert found.unable == pytest.approx(people[weight.sum(axis=1) == 0].sum(axis=0), abs=1e-6)
    for g in range(3):
        for j in range(7):
            expected = sum(
                people[i, g] * size[j] * weight[i, j] / sum(size[k] * weight[i, k] for k in range(7))
                for i in range(9)
                if weight[i].sum() > 0
            )
            assert found.count[g, j] == pytest.approx(expected, rel=1e-12)
    e = exposure(found.count)
    assert e.sum(axis=1) == pytest.approx(1, abs=1e-12)
    for x in range(3):
        for y in range(3):
            expected = sum(
                found.count[x, j] / found.count[x].sum() * found.count[y, j] / found.count[:, j].sum()
                for j in range(7)
                if found.count[:, j].sum() > 0
            )
            assert e[x, y] == pytest.approx(expected, rel=1e-12)


def test_exposure_where_people_live_and_via_a_shared_place() -> None:
    """At home red lives with 0.8 * 0.8 + 0.2 * 0.2 = 0.68 red; at one place for all it finds the borough's half."""
    home = exposure(PERSONS.to_numpy().T)
    assert home[0] == pytest.approx([0.68, 0.32])
    via = exposure(potential_visitors(PERSONS, BOTH, [1.0, 1.0]).count)
    assert via[0] == pytest.approx([0.5, 0.5])
    table = exposure_table(potential_visitors(PERSONS, BOTH, [1.0, 1.0]), PERSONS)
    row = table[(table["group"] == "red") & (table["other"] == "blue")].iloc[0]
    assert (row["via_places"], row["at_home"], row["added"]) == (0.5, 0.32, 0.18)
    assert set(table["reading"]) == {POTENTIAL}


def test_both_exposures_are_of_the_same_people() -> None:
    """Zone 1 reaches nothing: at home and via places the table holds zone 0 alone, which meets itself in both."""
    found = potential_visitors(PERSONS, [[1, 1], [0, 0]], [1.0, 1.0])
    table = exposure_table(found, PERSONS)
    assert table["at_home"].tolist() == [0.8, 0.2, 0.8, 0.2]
    assert table["added"].tolist() == [0, 0, 0, 0]


def test_exposure_to_oneself_and_others_is_symmetric_in_persons() -> None:
    """X persons times exposure to Y equals Y persons times exposure to X: every meeting has two sides."""
    persons, weight, size = random_town(3)
    v = potential_visitors(persons, weight, size).count
    e, n = exposure(v), v.sum(axis=1)
    assert n[:, None] * e == pytest.approx((n[:, None] * e).T, rel=1e-12)


def test_divergence_and_entropy_by_hand() -> None:
    """Mix 3/4, 1/4 of a borough in halves: 3/4 ln 1.5 + 1/4 ln 0.5. A mirror of the borough: 0. One group: ln 2 and 0."""
    mix = np.array([[0.75, 0.5, 1.0], [0.25, 0.5, 0.0]])
    d = divergence(mix, [0.5, 0.5])
    assert d == pytest.approx([0.75 * math.log(1.5) + 0.25 * math.log(0.5), 0, math.log(2)], abs=1e-15)
    assert entropy(mix)[1:] == pytest.approx([1, 0], abs=1e-15)
    with pytest.raises(ValueError, match="no share of the borough"):
        divergence(mix, [1.0, 0.0])


def test_divergence_prefers_the_borough_to_equal_parts() -> None:
    """In a borough of 9 to 1 a place of 9 to 1 mirrors it; equal parts have the higher entropy and are farther off."""
    mix = np.array([[0.9, 0.5], [0.1, 0.5]])
    d, h = divergence(mix, [0.9, 0.1]), entropy(mix)
    assert d[0] == pytest.approx(0, abs=1e-15)
    assert d[1] > d[0]
    assert h[1] > h[0]


def test_chance_of_another_by_hand() -> None:
    """Own zone's place only: zone 0 has 80 red with a chance of 0.2 and 20 blue with 0.8: 0.32. One for all: a half."""
    apart = potential_visitors(PERSONS, [[1, 0], [0, 1]], [1.0, 1.0])
    assert chance_of_another(apart, PERSONS) == pytest.approx([0.32, 0.32])
    assert mean_chance_of_another(apart.count) == pytest.approx(0.32)
    together = potential_visitors(PERSONS, BOTH, [1.0, 1.0])
    assert chance_of_another(together, PERSONS) == pytest.approx([0.5, 0.5])
    added = mean_chance_of_another(together.count) - mean_chance_of_another(apart.count)
    assert added == pytest.approx(0.18)
    nothing = potential_visitors(PERSONS, [[1, 0], [0, 0]], [1.0, 1.0])
    assert np.isnan(chance_of_another(nothing, PERSONS)[1])
    assert math.isnan(mean_chance_of_another([[0.0], [0.0]]))


def test_laws_of_mixing() -> None:
    """Free of scale; order of zones, places and groups changes nothing; zones that are split or merged neither."""
    persons, weight, size = random_town(6)
    v = potential_visitors(persons, weight, size).count
    e = exposure(v)
    assert exposure(7 * v) == pytest.approx(e, rel=1e-12)
    assert potential_visitors(persons, weight, 5 * size).count == pytest.approx(v, rel=1e-12)
    rng = np.random.default_rng(0)
    i, j = rng.permutation(9), rng.permutation(7)
    turned = potential_visitors(persons.iloc[i], weight[i][:, j], size[j]).count
    assert turned == pytest.approx(v[:, j], rel=1e-12)
    halves = pd.concat([persons / 2, persons / 2])
    assert potential_visitors(halves, np.vstack([weight, weight]), size).count == pytest.approx(v, rel=1e-12)
    assert ((exposure(v) >= 0) & (exposure(v) <= 1)).all()


def test_correlation_ratio() -> None:
    """Isolation 0.68 with a share of 0.5: 0.36; evenly spread 0; wholly apart 1."""
    assert correlation_ratio(0.68, 0.5) == pytest.approx(0.36)
    assert correlation_ratio(0.5, 0.5) == 0
    assert correlation_ratio(1, 0.5) == 1
    with pytest.raises(ValueError, match="between 0 and 1"):
        correlation_ratio(0.5, 1)


def test_small_numbers_are_suppressed_and_others_rounded() -> None:
    """9.9 is left out and 12 with it, so that the total does not tell; 13 -> 15, 12.4 -> 10; 0 stays; 3 and 4 need 70."""
    shown = publishable([[9.9, 12.4, 0.0, 3.0], [12.0, 13.0, 50.0, 4.0], [100.0, 102.6, 60.0, 70.0]])
    expected = [[np.nan, 10, 0, np.nan], [np.nan, 15, 50, np.nan], [100, 105, 60, np.nan]]
    assert np.array_equal(shown, expected, equal_nan=True)
    one_group = publishable([[5.0, 11.0]])
    assert np.array_equal(one_group, [[np.nan, 10]], equal_nan=True)


def test_the_published_table() -> None:
    """In order of ids; persons suppressed and rounded; the index missing where under ten could come; the caveat on it.

    Of 5 and 2 at a nobody hears; with them go the next smallest of each group, 20 and 30 at c, where the index is missing too.
    """
    persons = pd.DataFrame({"red": [83.0, 5.0, 20.0], "blue": [41.0, 2.0, 30.0]})
    places = pd.DataFrame({"key": "spaces", "id": ["b", "a", "c"], "name": ["Baths", "Arts", "Court"], "kind": ""})
    found = potential_visitors(persons, np.eye(3), [1.0, 1.0, 1.0])
    table = mixing_table(found, places, persons.sum().tolist())
    assert table["id"].tolist() == ["a", "b", "c"]
    assert set(table["reading"]) == {POTENTIAL}
    assert table["visitors"].isna().tolist() == [True, False, False]
    assert table.loc[1, ["visitors", "visitors_red", "visitors_blue"]].tolist() == [125, 85, 40]
    assert table.loc[2, ["visitors_red", "visitors_blue"]].isna().all()
    assert table["divergence"].isna().tolist() == [True, False, True]
    assert not ((table.filter(like="visitors") > 0) & (table.filter(like="visitors") < 10)).any().any()


def test_what_is_hidden_together_is_ten_persons_or_more() -> None:
    """3 and 4 are seven together, so 12 goes as well; 6 and 5 are enough."""
    shown = publishable([[3.0, 6.0], [4.0, 5.0], [12.0, 12.0], [50.0, 50.0]])
    assert np.array_equal(np.isnan(shown).T, [[True, True, True, False], [True, True, False, False]])


def test_no_sum_over_places_tells_a_hidden_number() -> None:
    """Red is 4 at place a: blue's 90 goes with it there, red's 30 at b in its sum over places, and blue's 120 with that."""
    places = pd.DataFrame({"key": "hall", "id": list("abc"), "name": "", "kind": ""})
    counts = np.array([[4.0, 30.0, 80.0], [90.0, 120.0, 160.0], [200.0, 150.0, 180.0]])
    visitors = Visitors(("red", "blue", "green"), counts, np.zeros(3), np.zeros((1, 3)))
    shown = mixing_table(visitors, places, [1, 1, 1]).set_index("id")
    assert shown["visitors_red"].isna().tolist() == [True, True, False]
    assert shown["visitors_blue"].isna().tolist() == [True, True, False]
    assert shown["visitors_green"].tolist() == [200, 150, 180]


def possible(shown: pd.Series, groups: list[str], hidden: str) -> set[int]:
    """Whole numbers below ten that a hidden group may have, for all that a row of the published table says."""
    total, known = float(shown["visitors"]), [float(shown[g]) for g in groups if not np.isnan(shown[g])]
    others = [g for g in groups if np.isnan(shown[g]) and g != hidden]
    low, high = total - 2.5 - sum(known) - 2.5 * len(known), total + 2.5 - sum(known) + 2.5 * len(known)
    found = set()
    for number in range(1, 10):
        for rest in np.linspace(max(low - number, 0), max(high - number, 0), 60):
            mix = [
                shown[g] if not np.isnan(shown[g]) else number if g == hidden else rest / len(others) for g in groups
            ]
            if sum(mix) > 0:
                found.add(number)
                break
    return found


@pytest.mark.parametrize("seed", range(20))
def test_an_attack_on_the_published_table(seed: int) -> None:
    """Whoever adds up and subtracts still has five numbers or more for each that is hidden, and no index tells more."""
    draw = np.random.default_rng(seed)
    n_groups, n_places = int(draw.integers(2, 5)), int(draw.integers(2, 7))
    counts = np.where(draw.random((n_groups, n_places)) < 0.35, draw.uniform(1, 10, (n_groups, n_places)), 0.0)
    counts = np.where(counts == 0, draw.uniform(10, 400, counts.shape), counts)
    groups = [f"visitors_{g}" for g in range(n_groups)]
    places = pd.DataFrame({"key": "hall", "id": [str(n) for n in range(n_places)], "name": "", "kind": ""})
    visitors = Visitors(tuple(map(str, range(n_groups))), counts, np.zeros(n_groups), np.zeros((1, n_places)))
    table = mixing_table(visitors, places, [1] * n_groups)
    small = [(place, g) for g in range(n_groups) for place in range(n_places) if counts[g, place] < 10]
    for place, g in small:
        row = table.iloc[place]
        assert np.isnan(row[groups[g]])
        assert np.isnan(row["entropy"])
        assert np.isnan(row["divergence"])
        if not np.isnan(row["visitors"]):
            assert len(possible(row, groups, groups[g])) >= 5, (place, g, row.to_dict())
    for group in groups:  # no column and no row with a single gap
        assert table[group].isna().sum() != 1 or n_places == 1


def test_a_number_hidden_today_is_hidden_under_every_proposal() -> None:
    """Red 7 today and 14 with the proposal, all else equal: shown there, the totals would tell today's 7."""
    places = pd.DataFrame({"key": "hall", "id": ["a", "b"], "name": "", "kind": ""})

    def of(scenario: str, red: float) -> pd.DataFrame:
        counts = np.array([[red, 40.0], [30.0, 300.0], [300.0, 90.0]])
        visitors = Visitors(("red", "blue", "green"), counts, np.zeros(3), np.zeros((1, 2)))
        return mixing_table(visitors, places, [1, 1, 1]).assign(scenario=scenario, day="day", window="am")

    both = pd.concat([of("today", 7.0), of("link", 14.0)], ignore_index=True)
    assert both.loc[both["scenario"] == "link", "visitors_red"].notna().all()
    safe = hide_together(both)
    today, link = (safe[safe["scenario"] == name].reset_index(drop=True) for name in ("today", "link"))
    columns = [c for c in safe if c.startswith("visitors_")]
    assert today[columns].isna().equals(link[columns].isna())
    assert link["visitors_red"].isna().tolist() == [True, True]
    assert link["entropy"].isna().all()


def test_faults() -> None:
    with pytest.raises(ValueError, match="weights have the shape"):
        potential_visitors(PERSONS, np.ones((3, 2)), [1.0, 1.0])
    with pytest.raises(ValueError, match="persons of a group"):
        potential_visitors(PERSONS * -1, BOTH, [1.0, 1.0])
    with pytest.raises(ValueError, match="two groups"):
        entropy([[1.0]])
