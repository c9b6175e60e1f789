"""Spares, mixed parts, four stages and leaves joined directly: optimiser and verifier against brute force.

A few questions of each kind here; many more with ``pytest -m slow tests/test_oracle_wider.py``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path

import pytest
from oracle.breadth import breadth
from oracle.compare import disagreement, found_for, verdict_on_search
from oracle.count import units_of
from oracle.enumerate import Found, amount, best
from oracle.generate import RandomCase
from oracle.plain import search_plainly
from oracle.task import task_of
from oracle.wider import KINDS, wider_case
from test_oracle import GOALS, thinned

# Of the first twenty, quick ones.
SEEDS = {
    "spares": (4, 5, 9, 11, 12, 13, 16, 17),
    "mixed": (1, 2),
    "tall": (0, 1, 3, 4, 5, 9, 10),
    "flat": (0, 1, 3, 4, 6, 8, 9, 10, 12),
    "striped": (0, 3, 6, 11, 15, 17, 20, 21, 25, 26, 28, 29, 32, 33),
}
NARROW, WIDE = 3_000, 20_000
SECONDS = 30.0


@lru_cache(maxsize=256)
def answered(kind: str, seed: int) -> tuple[RandomCase, Found | None]:
    case = wider_case(kind, seed)
    return case, found_for(case)


def wrong_in(kind: str, seeds: Iterable[int], folder: Path, widest: int) -> list[str]:
    wrong: list[str | None] = []
    for seed in seeds:
        case, found = answered(kind, seed)
        if found is not None:
            wrong.append(verdict_on_search(case, found))
        wrong.append(disagreement(case, found, folder, prune=True, time_limit_s=SECONDS))
        if breadth(case.parts, case.instance, widest) < widest:
            wrong.append(disagreement(case, found, folder, prune=False, time_limit_s=SECONDS))
    return [f"{kind}: {message}" for message in wrong if message is not None]


@pytest.mark.parametrize("kind", KINDS)
def test_optimum_is_that_of_brute_force(kind: str, tmp_path: Path) -> None:
    wrong = wrong_in(kind, SEEDS[kind], tmp_path, NARROW)
    assert not wrong, "\n\n".join(wrong)


@pytest.mark.slow
@pytest.mark.parametrize("first", range(100, 160, 10))
@pytest.mark.parametrize("kind", KINDS)
def test_optimum_is_that_of_brute_force_on_many_more(kind: str, first: int, tmp_path: Path) -> None:
    wrong = wrong_in(kind, range(first, first + 10), tmp_path, WIDE)
    assert not wrong, "\n\n".join(wrong)


def features(found: Found) -> set[str]:
    """What is new in a design."""
    kinds = {plan.shape.flat.kind for plan in found.plans if plan.shape.flat is not None}
    if any(plan.shape.flat is not None and _leaves(found) < plan.shape.flat.leaves for plan in found.plans):
        kinds.add("idle leaves")
    kinds |= {"four stages" for plan in found.plans if plan.shape.stages == 4}
    for item in found.items:
        kinds |= {"spare planes"} if item.base.wiring.spare else set()
        kinds |= {"spare domains"} if item.base.spares else set()
        kinds |= {"mixed"} if item.base.slot.of > 1 else set()
    return kinds


def _leaves(found: Found) -> int:
    return sum(item.group.leaves for item in found.plan.items) if len(found.plans) == 1 else 10**9


def test_the_questions_are_worth_asking() -> None:
    chosen, none = Counter[str](), 0
    for kind in KINDS:
        for seed in SEEDS[kind]:
            found = answered(kind, seed)[1]
            none += found is None
            chosen.update(set() if found is None else features(found))
    few = {name for name in ("spare planes", "spare domains", "mixed", "four stages", "mesh") if chosen[name] < 2}
    assert not few and chosen["hyperx"] + chosen["dragonfly"] >= 1, chosen
    assert none <= 5


# Of those, narrow ones.
PLAIN = {"spares": (12, 16, 17), "mixed": (2,), "tall": (0,), "flat": (0, 10), "striped": (0, 17, 20, 21, 26)}


@pytest.mark.parametrize("kind", KINDS)
def test_search_without_shortcuts_finds_the_same(kind: str) -> None:
    compared = 0
    for number, seed in enumerate(PLAIN[kind]):
        case, goal = thinned(answered(kind, seed)[0]), GOALS[number % len(GOALS)]
        assert 0 < breadth(case.parts, case.instance, 2_000) < 2_000
        quick, plain = best(case.parts, case.instance, (goal,)), search_plainly(case.parts, case.instance, goal)
        assert (quick is None) == (plain is None), f"{kind} {seed}"
        if quick is not None and plain is not None:
            compared += 1
            amounts = [amount(case.parts, case.instance, found, goal) for found in (quick, plain)]
            assert amounts[0] == amounts[1], f"{kind} {seed}, {goal}"
    assert compared


def test_units_add_up_part_by_part() -> None:
    """The search adds up units as it adds up money; counted from the finished design they are the same."""
    for kind in KINDS:
        case, found = answered(kind, SEEDS[kind][0])
        if found is None:
            continue
        every = {row.id: 10**9 for table in ("accelerators", "switches", "links", "nics")
                 for row in getattr(case.parts, table)}  # fmt: skip
        stock = case.instance.model_copy(update={"stock": {**every, **case.instance.stock}})
        again = best(case.parts, stock)
        assert again is not None
        counted = units_of(task_of(case.parts, stock), again.plans)
        assert sum(counted.values()) > 0
        assert all(again.priced.sums.units[part] == counted[part] for part in stock.stock)
