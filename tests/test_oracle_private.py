"""Workloads that part: the optimiser against brute force, and the brute force against plainer ways to the same.

11 questions of two or three workloads here; 133 more with ``pytest -m slow tests/test_oracle_private.py``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from functools import lru_cache
from pathlib import Path

import pytest
from oracle.breadth import breadth
from oracle.change import with_instance, without_limits
from oracle.compare import disagreement, found_for, verdict_on_search
from oracle.enumerate import Found, amount, best, search
from oracle.generate import RandomCase, private_case
from oracle.parting import partings, pools_by_workload, ways
from oracle.plain import search_plainly
from test_oracle import GOALS, NARROW, thinned

# The quicker ones of the first 24.
SEEDS = (2, 4, 5, 6, 9, 11, 12, 13, 15, 18, 21)
BATCH = 6
# Without its reductions the model of a wide question takes long.
SLIM, SMALL = 3000, 300


@lru_cache(maxsize=64)
def answered(seed: int) -> tuple[RandomCase, Found | None]:
    case = private_case(seed)
    return case, found_for(case)


def check_batch(seeds: Sequence[int], folder: Path, widest: int) -> None:
    wrong = []
    for seed in seeds:
        case, found = answered(seed)
        if found is not None:
            wrong.append(verdict_on_search(case, found))
        wrong.append(disagreement(case, found, folder, prune=True))
        if breadth(case.parts, case.instance, widest) < widest:
            wrong.append(disagreement(case, found, folder, prune=False, time_limit_s=30.0))
    messages = [message for message in wrong if message is not None]
    assert not messages, "\n\n".join(messages)


@pytest.mark.parametrize("first", range(0, len(SEEDS), BATCH))
def test_workloads_part_as_in_brute_force(first: int, tmp_path: Path) -> None:
    check_batch(SEEDS[first : first + BATCH], tmp_path, SLIM)


@pytest.mark.slow
@pytest.mark.parametrize("first", range(0, 144, BATCH))
def test_workloads_part_as_in_brute_force_on_many_more(first: int, tmp_path: Path) -> None:
    check_batch([seed for seed in range(first, first + BATCH) if seed not in SEEDS], tmp_path, NARROW)


def test_the_verifier_finds_nothing_in_what_the_search_found() -> None:
    parted = Counter[int]()
    for seed in SEEDS:
        case, found = answered(seed)
        if found is not None:
            assert verdict_on_search(case, found) is None
            parted[len(found.plans)] += 1
    assert parted[1] >= 2 and parted[2] >= 4 and parted[3] >= 2, parted


def only(case: RandomCase, names: set[str]) -> RandomCase:
    """The same question with some of its workloads, all on one fabric."""
    works = tuple(work for work in case.instance.workloads if work.name in names)
    instance = case.instance.model_copy(update={"workloads": works})
    return with_instance(replace(case, instance=instance), "choose", private_fabrics=False)


def test_without_limits_the_best_parting_is_the_sum_of_its_parts() -> None:
    """Every block by itself is a question of one fabric, which is answered without a thought of partings."""
    gained = 0
    for seed in (4, 5, 6, 12, 15, 18):
        case = without_limits(with_instance(answered(seed)[0], "choose", private_fabrics=True))
        names = [work.name for work in case.instance.workloads]
        sums: list[Fraction] = []
        for way in ways(len(names)):
            parts = [only(case, {names[at] for at in block}) for block in way]
            found = [search(part.parts, part.instance) for part in parts]
            costs = [one.priced.objective for one in found if one is not None]
            if len(costs) == len(parts):
                sums.append(sum(costs, Fraction(0)))
        whole = search(case.parts, case.instance)
        assert (whole is None) == (not sums), f"seed {seed}"
        if whole is not None:
            assert whole.priced.objective == min(sums), f"seed {seed}"
            gained += len(whole.plans) > 1
    assert gained >= 4


def test_search_without_shortcuts_finds_the_same() -> None:
    compared, limited = Counter[int](), 0
    for seed in (49, 87, 110, 112, 113, 123, 137):
        case = thinned(private_case(seed))
        if not 0 < breadth(case.parts, case.instance, SMALL) < SMALL:
            continue
        goal = GOALS[compared.total() % len(GOALS)]
        quick = best(case.parts, case.instance, (goal,))
        plain = search_plainly(case.parts, case.instance, goal)
        assert (quick is None) == (plain is None), f"seed {seed}"
        limited += case.instance != without_limits(case).instance
        if quick is None or plain is None:
            compared[0] += 1
            continue
        compared[len(quick.plans)] += 1
        amounts = [amount(case.parts, case.instance, found, goal) for found in (quick, plain)]
        assert amounts[0] == amounts[1], f"seed {seed}, {goal}"
    assert compared[1] >= 1 and compared[2] >= 3 and limited >= 2, (compared, limited)


def test_one_fabric_is_never_better_and_is_all_there_is_where_asked_for() -> None:
    for seed in SEEDS[:9]:
        case, found = answered(seed)
        shared = with_instance(case, "choose", private_fabrics=False)
        one = search(shared.parts, shared.instance)
        if one is not None:
            assert len(one.plans) == 1
            assert found is not None and found.priced.objective <= one.priced.objective


def test_pools_of_a_workload_stay_together() -> None:
    for seed in SEEDS:
        case, found = answered(seed)
        for plan in () if found is None else found.plans:
            pools = {item.base.point.pool for item in plan.items}
            assert all(set(work) <= pools or not set(work) & pools for work in pools_by_workload(case.instance))


def test_partings_are_all_there_are() -> None:
    # Bell numbers; each partition once, parts and their members in order.
    assert [len(list(ways(number))) for number in range(1, 6)] == [1, 2, 5, 15, 52]
    assert sorted(ways(3)) == [[[0], [1], [2]], [[0], [1, 2]], [[0, 1], [2]], [[0, 1, 2]], [[0, 2], [1]]]
    case = next(private_case(seed) for seed in SEEDS if len(private_case(seed).instance.workloads) == 3)
    work = case.instance.workloads[0]
    for number, private, many in ((1, True, 1), (3, True, 5), (4, True, 15), (5, True, 2), (6, True, 2), (4, False, 1)):
        works = tuple(work.model_copy(update={"name": f"w{at}", "serve": "disaggregated"}) for at in range(number))
        choose = case.instance.choose.model_copy(update={"private_fabrics": private})
        found = partings(case.instance.model_copy(update={"workloads": works, "choose": choose}))
        assert len(found) == len(set(found)) == many
        assert found[0] == (tuple(f"w{at}.{phase}" for at in range(number) for phase in ("prefill", "decode")),)
        assert all(len(block) % 2 == 0 for parting in found for block in parting)
