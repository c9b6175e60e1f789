"""The optimiser against brute force: random small questions, enumerated exhaustively in exact arithmetic.

60 questions here; 740 more with ``pytest -m slow tests/test_oracle.py``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from fractions import Fraction
from functools import lru_cache
from pathlib import Path

import pytest
from oracle.breadth import breadth
from oracle.change import without_limits
from oracle.compare import disagreement, found_for, goals_disagreement, verdict_on_search
from oracle.enumerate import Found, amount, best
from oracle.generate import RandomCase, random_case
from oracle.plain import search_plainly

from designer.instance.schema import Goal

BATCH = 10
# Without its reductions the model of a wide question takes minutes; those wait for the slow run.
SLIM, NARROW, WIDE = 8_000, 40_000, 300_000
SECONDS = 30.0


@lru_cache(maxsize=256)
def answered(seed: int) -> tuple[RandomCase, Found | None]:
    case = random_case(seed)
    return case, found_for(case)


def check_batch(seeds: range, folder: Path, widest: int) -> None:
    wrong = []
    for seed in seeds:
        case, found = answered(seed)
        if found is not None:
            wrong.append(verdict_on_search(case, found))
        wrong.append(disagreement(case, found, folder, prune=True))
        if breadth(case.parts, case.instance, widest) < widest:
            wrong.append(disagreement(case, found, folder, prune=False, time_limit_s=SECONDS))
    messages = [message for message in wrong if message is not None]
    assert not messages, "\n\n".join(messages)


# The quicker batches of the first 200, in which everything that is out of the ordinary is chosen.
BATCHES = (70, 80, 110, 120, 170, 190)


@pytest.mark.parametrize("first", BATCHES)
def test_optimum_is_that_of_brute_force(first: int, tmp_path: Path) -> None:
    check_batch(range(first, first + BATCH), tmp_path, SLIM)


FEATURES = ("switched", "clos", "mesh", "torus", "larger torus", "rails", "planes", "lone spine", "private fabrics")


def features(found: Found) -> set[str]:
    """What is out of the ordinary in a design."""
    shapes, wirings = [plan.shape for plan in found.plans], [item.base.wiring for item in found.items]
    kinds = {wiring.kind for wiring in wirings}
    if any(wiring.sides and wiring.size != wiring.accelerator.vendor_size for wiring in wirings):
        kinds.add("larger torus")
    if any(shape.copies.rails > 1 for shape in shapes):
        kinds.add("rails")
    if any(shape.copies.planes > 1 for shape in shapes):
        kinds.add("planes")
    if any(shape.spines == 1 for shape in shapes):
        kinds.add("lone spine")
    if len(shapes) > 1:
        kinds.add("private fabrics")
    return kinds


@pytest.mark.slow
@pytest.mark.parametrize("first", range(0, 800, BATCH))
def test_optimum_is_that_of_brute_force_on_many_more(first: int, tmp_path: Path) -> None:
    check_batch(range(first, first + BATCH), tmp_path, NARROW if first < 200 else WIDE)


def thinned(case: RandomCase) -> RandomCase:
    """A question with less to choose: at most two points per pool and few link rows, every other one without limits."""
    points, seen = [], Counter[str]()
    for point in case.parts.points:
        seen[point.pool] += 1
        if seen[point.pool] <= 2:
            points.append(point)
    # Links that a vendor's price contains stay: without them the accelerator would have no price.
    kept = {row.id for row in case.parts.links if row.cpo} | {a.vendor_link for a in case.parts.accelerators}
    plain = [row.id for row in case.parts.links if row.id not in kept][:3]
    links = [row for row in case.parts.links if row.id in kept or row.id in plain]
    case = replace(case, parts=replace(case.parts, points=tuple(points), links=tuple(links)))
    return without_limits(case) if case.seed % 2 else case


GOALS: tuple[Goal, ...] = ("cost", "power", "hard_repairs", "job_hits", "accelerator_hours_lost")


# Narrow ones.
PLAIN = (1019, 1023, 1030, 1034, 1038, 1040, 1045, 1050, 1054, 1060, 1066, 1067, 1086, 1088)


@pytest.mark.parametrize("seeds", [PLAIN, pytest.param(range(1000, 1060), marks=pytest.mark.slow)], ids=["few", "all"])
def test_search_without_shortcuts_finds_the_same(seeds: Iterable[int]) -> None:
    """The search's own shortcuts are exact: on the smallest questions it is compared with plain loops."""
    compared = Counter[str]()
    for seed in seeds:
        case = thinned(random_case(seed))
        if not 0 < breadth(case.parts, case.instance, 1200) < 1200:
            continue
        goal = GOALS[compared.total() % len(GOALS)]
        quick = best(case.parts, case.instance, (goal,))
        plain = search_plainly(case.parts, case.instance, goal)
        assert (quick is None) == (plain is None), f"seed {seed}"
        if quick is not None and plain is not None:
            compared[goal] += 1
            amounts = [amount(case.parts, case.instance, found, goal) for found in (quick, plain)]
            assert amounts[0] == amounts[1], f"seed {seed}, {goal}"
    assert compared.keys() == set(GOALS) and compared.total() >= 8


@pytest.mark.parametrize("goal", GOALS[1:])
def test_least_of_another_goal_is_that_of_brute_force(goal: Goal, tmp_path: Path) -> None:
    wrong = [goals_disagreement(answered(seed)[0], (goal,), Fraction(0), tmp_path) for seed in range(70, 77)]
    assert not any(wrong), "\n\n".join(message for message in wrong if message is not None)


@pytest.mark.parametrize("goals", [("power", "cost"), ("cost", "job_hits"), ("hard_repairs", "power", "cost")])
def test_goals_in_order_of_rank_are_those_of_brute_force(goals: tuple[Goal, ...], tmp_path: Path) -> None:
    wrong = [goals_disagreement(answered(seed)[0], goals, Fraction(1, 100), tmp_path) for seed in range(80, 86)]
    assert not any(wrong), "\n\n".join(message for message in wrong if message is not None)


def test_later_goals_stay_within_the_earlier_ones() -> None:
    """Cost first, then power within 5 % more: never more power than the cheapest design, never dearer than allowed."""
    traded = 0
    for seed in (1000, 1001, 1005, 1007, 1011, 1013):
        case = random_case(seed)
        first, then = (
            best(case.parts, case.instance, goals, Fraction(1, 20)) for goals in (("cost",), ("cost", "power"))
        )
        if first is None or then is None:
            assert first is None and then is None
            continue
        assert then.priced.objective <= first.priced.objective * Fraction(21, 20)
        assert then.priced.sums.watts <= first.priced.sums.watts
        traded += then.priced.sums.watts < first.priced.sums.watts
    assert traded >= 2


def test_random_questions_are_worth_asking() -> None:
    """Most have a design; domain sizes, stages, planes and cables all get chosen, and so does what is unusual."""
    found = [answered(first + number)[1] for first in (70, 80, 120) for number in range(BATCH)]
    there = [one for one in found if one is not None]
    plans = [plan for one in there for plan in one.plans]
    assert len(there) > 0.6 * len(found)
    items = [item for plan in plans for item in plan.items]
    assert len({item.base.wiring.size for item in items}) >= 3
    assert {plan.shape.stages for plan in plans} == {1, 2, 3}
    assert any(item.base.wiring.planes > 1 for item in items)
    assert any(item.group.split > 1 for item in items)
    assert any(item.group.whole > 1 for item in items)
    assert any(item.base.point.domains_per_replica > 1 for item in items)
    assert {item.pair.lower.is_module for item in items} == {True, False}
    assert any(not item.pair.buy_upper for item in items)
    chosen = Counter(feature for one in found if one is not None for feature in features(one))
    print(f"of {len(there)} optima: {dict(chosen)}")
    assert {feature for feature in FEATURES if chosen[feature] < 2} == set(), chosen
