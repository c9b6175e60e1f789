"""Limits that bind: branches with prices of their own lose no answer, and tell when there is none."""

from __future__ import annotations

import itertools
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from oracle.breadth import breadth
from oracle.change import with_instance, without_limits
from oracle.convert import question_of
from oracle.generate import RandomCase, private_case

import designer
from designer.answer import Answer, SolveOptions
from designer.candidates.branches import Knapsack
from designer.candidates.copies import choose_of
from designer.candidates.points import Points
from designer.candidates.rack_cases import cases_of, rows_of
from designer.candidates.space import Limited, build_space
from designer.candidates.terms import NET_WATTS, RACKS, TERMS
from designer.candidates.weights import Limit, Weights, unit_vector
from designer.instance.pools import pools_of
from designer.solve.clock import Deadline
from designer.solve.selection import ceilings
from designer.solve.selection import solved as minimised
from designer.solve.stock import stock_of

INSTANCES = Path(designer.__file__).parents[1] / "instances"
CLOSE = 1e-9
WIDE = 60_000
# Questions of two workloads that are quick without any reduction.
SEEDS = (5,)


def solved(case: RandomCase, folder: Path, *, prune: bool) -> Answer:
    question = question_of(case.parts, case.instance, folder)
    return designer.solve(question, SolveOptions(gap=0.0, prune=prune, explain_s=0.5, time_limit_s=60))


def tight(case: RandomCase, free: Answer, shares: tuple[float, float]) -> RandomCase:
    """Watts and capital at a share of what the best design without limits has."""
    assert free.account is not None
    limited = with_instance(case, "site", it_power_mw=free.account.it_watts / 1e6 * shares[0])
    return with_instance(limited, "money", capex_usd=free.account.capex_usd * shares[1])


def test_tight_limits_lose_no_answer(tmp_path: Path) -> None:
    wrong, dearer = differences(SEEDS, tmp_path)
    assert not wrong and dearer


@pytest.mark.slow
def test_tight_limits_lose_no_answer_of_many_questions(tmp_path: Path) -> None:
    wrong, dearer = differences(tuple(range(40)), tmp_path)
    assert not wrong and dearer


def differences(seeds: tuple[int, ...], folder: Path) -> tuple[list[str], int]:
    """What the reductions change, for one and for two limits just below what the best designs have; how many cost."""
    wrong, dearer = [], 0
    for seed in seeds:
        case = without_limits(private_case(seed))
        if breadth(case.parts, case.instance, WIDE) >= WIDE:
            continue
        free = solved(case, folder, prune=True)
        for shares in ((0.999, 2.0), (2.0, 0.98), (0.97, 1.03), (1.02, 0.995)) if free.account is not None else ():
            asked = tight(case, free, shares)
            one, other = (solved(asked, folder, prune=prune) for prune in (True, False))
            if "limit" in (one.status, other.status):
                continue
            same = one.status == other.status
            if one.objective_usd is not None and other.objective_usd is not None and free.objective_usd is not None:
                same = math.isclose(one.objective_usd, other.objective_usd, rel_tol=CLOSE)
                dearer += one.objective_usd > free.objective_usd * (1 + CLOSE)
            if not same:
                wrong.append(f"{seed} {shares}: {one.status} {one.objective_usd} {other.status} {other.objective_usd}")
    return wrong, dearer


# ------------------------------------------------------------------ the knapsack of points


def drawn(seed: int) -> tuple[list[Points], np.ndarray[Any, np.dtype[np.float64]]]:
    """Three pools, some options of which have two points, and two limits between the least and the most use."""
    draw = np.random.default_rng(seed)
    pools = []
    for _ in range(3):
        option = np.sort(np.concatenate([np.arange(5), draw.integers(0, 5, 3)]))
        pools.append(Points(draw.uniform(1, 10, (option.size, 3)), option, 5))
    least, most = (np.sum([getattr(p.values[:, 1:], end)(axis=0) for p in pools], axis=0) for end in ("min", "max"))
    return pools, least + draw.uniform(0.0, 0.5, 2) * (most - least)


def selections(pools: list[Points], most: Any) -> dict[tuple[int, ...], float]:
    """The cheapest selection within the limits of every three options that have one, by plain search."""
    found: dict[tuple[int, ...], float] = {}
    for rows in itertools.product(*(range(len(p.option)) for p in pools)):
        total = np.sum([p.values[row] for p, row in zip(pools, rows, strict=True)], axis=0)
        if (total[1:] <= most).all():
            key = tuple(int(p.option[row]) for p, row in zip(pools, rows, strict=True))
            found[key] = min(found.get(key, math.inf), float(total[0]))
    return found


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5])
def test_every_selection_below_the_ceiling_is_in_one_branch(share: float) -> None:
    split, none = 0, 0
    for seed in range(8):
        pools, most = drawn(seed)
        found, knapsack = selections(pools, most), Knapsack(pools, most)
        # What is spared is a guess that may be wrong by any amount.
        knapsack.reserve(share * most)
        best = min(found.values(), default=math.inf)
        for ceiling in (best * 1.001, best * 1.2, math.inf) if found else (1e3, math.inf):
            branches = knapsack.branches(ceiling)
            split += len(branches) > 1
            none += not branches
            for options, usd in found.items():
                homes = [b for b in branches if all(b.options[p][o] for p, o in enumerate(options))]
                assert len(homes) == (usd <= ceiling) or (usd > ceiling and len(homes) < 2)
                assert all(home.least <= usd * (1 + CLOSE) for home in homes)
    assert split and none


def test_no_branch_is_left_only_where_the_limits_cannot_be_kept() -> None:
    empty = 0
    for seed in range(60):
        pools, most = drawn(seed)
        least = np.sum([p.values[:, 1:].min(axis=0) for p in pools], axis=0)
        tight = least + 0.05 * (most - least)
        found = selections(pools, tight)
        branches = Knapsack(pools, tight).branches(math.inf)
        assert branches or not found
        empty += not branches
    assert empty


# ------------------------------------------------------------------ bounds of whole questions


@pytest.mark.parametrize("name", ["power-capped"])
def test_points_cost_no_more_than_the_best_design(name: str) -> None:
    question = designer.load(INSTANCES / f"{name}.toml")
    free = designer.solve(question)
    assert free.objective_usd is not None and free.account is not None
    stock = stock_of(question, SolveOptions())
    weights = stock.weights
    watts = Limit("watts", tuple(unit_vector(TERMS.index("watts")).tolist()), free.account.it_watts + 1.0, "W", 1.0)
    weights = replace(weights, limits=(watts,)) if not weights.limits else weights
    options, choose = stock.options(pools_of(question.instance)), choose_of(question.instance)
    limited = Limited(stock.offer, options, choose, weights)
    assert 0.9 * free.objective_usd < limited.least <= free.objective_usd * (1 + CLOSE)
    space = limited.space(free.objective_usd)
    assert minimised(space, Deadline()).bound == pytest.approx(free.objective_usd, rel=1e-8)
    assert limited.space(limited.least * 0.999).templates == ()
    again = build_space(stock.offer, options, choose, weights, prune=True, best=free.objective_usd)
    assert len(again.templates) == len(space.templates)


def test_whole_network_racks_leave_the_racks_of_accelerators_fewer() -> None:
    racks = Limit("site.racks", tuple(unit_vector(RACKS).tolist()), 10.0, "racks", 1.0)
    watts = Limit("watts", tuple(unit_vector(NET_WATTS).tolist()), 5e3, "W", 1.0)
    weights = Weights(unit_vector(NET_WATTS), (racks, watts))
    rows = rows_of(weights, 1000.0)
    assert rows[3].tolist() == unit_vector(RACKS).tolist() and rows[1][NET_WATTS] == rows[4][NET_WATTS] == 1e-3

    def pool(*points: tuple[float, float, float]) -> Points:
        """Points of (goal, racks of accelerators, watts), an option each."""
        values = [[usd, racks + watts / 1000, watts, racks, watts / 1000] for usd, racks, watts in points]
        return Points(np.array(values), np.arange(len(points)), len(points))

    pools = [pool((5.0, 6.0, 300.0), (9.0, 5.0, 1800.0)), pool((2.0, 2.0, 900.0))]
    ways = [[(np.ones(p.options, np.bool_),)] for p in pools]
    two, three, more = cases_of(weights, 1000.0, pools, ways)
    # 0.3 + 0.9 of a network rack are two, and 8 racks are left; 1.8 + 0.9 are three; four leave too few.
    assert [limit.most for limit in two.weights.limits] == [10.0, 5e3, 8.0, 2.0]
    assert [limit.most for limit in three.weights.limits] == [10.0, 5e3, 7.0, 3.0]
    assert [limit.most for limit in more.weights.limits] == [10.0, 5e3, 6.0]
    assert [case.knapsack.least for case in (two, three, more)] == pytest.approx([7.0, 11.0, math.inf])
    # Where racks are plenty they are not counted one by one.
    plenty = replace(weights, limits=(replace(racks, most=100.0), watts))
    (alone,) = cases_of(plenty, 1000.0, pools, ways)
    assert [limit.most for limit in alone.weights.limits] == [100.0, 5e3, 98.0]


def test_ceilings_rise_to_the_known_answer_and_no_further() -> None:
    found = list(ceilings(100.0, 102.0))
    assert found == sorted(found) and 100.0 < found[0] < 101.0 and found[-1] == 102.0
    assert list(ceilings(100.0, 100.0)) == [100.0]
    assert max(ceilings(100.0, math.inf)) < 131.0 and min(ceilings(-100.0, math.inf)) > -100.0


def test_a_power_cap_on_three_workloads_with_fabrics_of_their_own_is_proven() -> None:
    question = designer.load(INSTANCES / "three-workloads.toml")
    data = question.instance.model_dump()
    data["site"]["it_power_mw"] = 2.25
    capped = replace(question, instance=type(question.instance).model_validate(data))
    answer = designer.solve(capped)
    assert answer.status == "optimal" and answer.account is not None and answer.design is not None
    assert answer.account.it_watts <= 2.25e6 and designer.verify(answer.design, *asked_of(capped)).ok
    # A search without branches stopped at 22 132 716, unproven.
    assert answer.objective_usd is not None and answer.objective_usd < 22_132_716


def asked_of(question: Any) -> tuple[Any, Any]:
    return question.catalogue, question.instance
