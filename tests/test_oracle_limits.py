"""Stock, vendor shares, availability, single failures and the fabric's latency: the optimiser against brute force.

Limits are set just where the best design without them breaks or keeps them (`oracle.limited`). A few questions here;
many more with ``pytest -m slow tests/test_oracle_limits.py``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from oracle.breadth import breadth
from oracle.compare import disagreement, verdict_on_search
from oracle.convert import question_of
from oracle.count import units_of
from oracle.enumerate import Found, search
from oracle.generate import RandomCase
from oracle.limited import KINDS, LimitedCase, limited_case, looser, quick_case
from oracle.parts import Parts
from oracle.task import task_of

import designer
from designer.answer import SolveOptions
from designer.demand.offers import PlanSet
from designer.demand.plans import measured_plans
from designer.design.types import PoolDesign
from designer.verify.plans import check_plan

# Of the first hundred, small ones of every kind; seed 7 has three pools.
SEEDS = (0, 2, 5, 7, 9, 13, 14, 63, 64, 68, 70, 71)
# Of the first ones of `quick_case`: small ones.
QUICK = (1, 9, 11, 12, 14)
NARROW, WIDE = 4_000, 100_000
SECONDS = 30.0


@contextmanager
def allowances(parts: Parts) -> Iterator[None]:
    """Let measured plans have the allowances of their points while this lasts, for optimiser and verifier.

    The product's measured points have none, and its token model needs shipped hardware; pool and batch (the point's
    ``serial``) say which plan is which.
    """
    own = {
        (point.pool, point.accelerator, point.size, point.replica, point.serial): float(point.allowance)
        for point in parts.points
        if point.allowance is not None
    }

    def plans(*args: Any) -> PlanSet:
        found = measured_plans(*args)
        keyed = [
            (plan, (plan.pool, plan.accelerator, plan.domain_size, plan.accelerators_per_replica, plan.batch))
            for plan in found.plans
        ]
        return replace(found, plans=tuple(replace(p, latency_allowance_us=own.get(key)) for p, key in keyed))

    def checked(found: Any, pool: PoolDesign, *args: Any) -> None:
        # Every other rule about plans still holds; the path itself is checked with the allowance.
        check_plan(found, replace(pool, plan=replace(pool.plan, latency_allowance_us=None)), *args)

    if not own:
        yield
        return
    with patch("designer.demand.plans.measured_plans", plans), patch("designer.verify.recount.check_plan", checked):
        yield


@cache
def limited(seed: int) -> LimitedCase:
    return limited_case(seed)


@cache
def answered(seed: int) -> Found | None:
    case = limited(seed).case
    return search(case.parts, case.instance)


def wrong_in(limit: LimitedCase, found: Found | None, folder: Path, widest: int) -> list[str]:
    case = limit.case
    with allowances(case.parts):
        wrong = [None if found is None else verdict_on_search(case, found)]
        wrong.append(disagreement(case, found, folder, prune=True, time_limit_s=SECONDS))
        if breadth(case.parts, case.instance, widest) < widest:
            wrong.append(disagreement(case, found, folder, prune=False, time_limit_s=SECONDS))
    return [f"{limit.kinds}: {message}" for message in wrong if message is not None]


@pytest.mark.parametrize("seed", SEEDS)
def test_optimum_within_further_limits_is_that_of_brute_force(seed: int, tmp_path: Path) -> None:
    wrong = wrong_in(limited(seed), answered(seed), tmp_path, NARROW)
    assert not wrong, "\n\n".join(wrong)


@cache
def quick(seed: int) -> tuple[LimitedCase, Found | None]:
    limit = quick_case(seed)
    return limit, search(limit.case.parts, limit.case.instance)


@pytest.mark.parametrize("seed", QUICK)
def test_plans_run_on_fabrics_that_are_quick_enough(seed: int, tmp_path: Path) -> None:
    """The best plan's allowance is that of its path to the nanosecond, or one nanosecond less."""
    wrong = wrong_in(*quick(seed), tmp_path, NARROW)
    assert not wrong, "\n\n".join(wrong)


@pytest.mark.slow
@pytest.mark.parametrize("first", range(100, 400, 10))
def test_optimum_within_further_limits_on_many_more(first: int, tmp_path: Path) -> None:
    cases = [draw(seed) for draw in (limited_case, quick_case) for seed in range(first, first + 10)]
    wrong = [
        message
        for limit in cases
        for message in wrong_in(limit, search(limit.case.parts, limit.case.instance), tmp_path, WIDE)
    ]
    assert not wrong, "\n\n".join(wrong)


def test_every_limit_binds_in_some_question() -> None:
    """Another design than without the limit, not only no design at all."""
    binding, impossible = Counter[str](), 0
    for seed in SEEDS:
        limit, found = limited(seed), answered(seed)
        impossible += found is None
        if found is None:
            continue
        kinds = [kind for kind in limit.kinds if kind in KINDS]
        unlimited = search(limit.case.parts, limit.free.instance)
        assert unlimited is not None and unlimited.priced.objective <= found.priced.objective
        if len(kinds) == 1:
            binding[kinds[0]] += unlimited.priced.objective < found.priced.objective
    assert {kind for kind in KINDS if not binding[kind]} == set(), binding
    assert 0 < impossible < len(SEEDS) / 2


def test_latency_binds_in_some_questions() -> None:
    binding = 0
    for seed in QUICK:
        limit, found = quick(seed)
        any_path = search(limit.free.parts, limit.free.instance)
        assert any_path is not None
        assert found is None or found.priced.objective >= any_path.priced.objective
        binding += found is not None and found.priced.objective > any_path.priced.objective
    assert binding >= 3


def test_units_add_up_part_by_part() -> None:
    """The search adds up units as it adds up money; counted from the finished design they are the same."""
    compared = 0
    for seed in SEEDS:
        case, found = limited(seed).case, answered(seed)
        if found is None:
            continue
        every = {row.id: 10**9 for table in ("accelerators", "switches", "links", "nics")
                 for row in getattr(case.parts, table)}  # fmt: skip
        stocked = case.instance.model_copy(update={"stock": every})
        again = search(case.parts, stocked) if seed in (2, 13, 70) else None
        for instance, one in ((case.instance, found), (stocked, again)):
            if one is None:
                continue
            counted = units_of(task_of(case.parts, instance), one.plans)
            for part in instance.stock:
                assert one.priced.sums.units[part] == counted[part], (seed, part)
                compared += counted[part] > 0
    assert compared >= 10


@pytest.mark.parametrize("seed", [0, 2, 5, 9, 13, 14, 64, 70])
def test_a_looser_limit_is_never_dearer(seed: int, tmp_path: Path) -> None:
    limit = limited(seed)
    before = least_cost(limit.case, tmp_path)
    for kind in KINDS:
        if kind in limit.kinds:
            after = least_cost(looser(limit, kind), tmp_path)
            assert after <= before * (1 + 1e-9), f"{kind}: {before} -> {after}"


def least_cost(case: RandomCase, folder: Path) -> float:
    with allowances(case.parts):
        answer = designer.solve(question_of(case.parts, case.instance, folder), SolveOptions(gap=0.0))
    if answer.status == "infeasible":
        return float("inf")
    assert answer.status == "optimal" and answer.objective_usd is not None
    return answer.objective_usd
