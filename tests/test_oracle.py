"""The optimiser against brute force: random small questions, enumerated exhaustively in exact arithmetic.

200 questions here; 2,000 with ``pytest -m slow tests/test_oracle.py``.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from oracle.breadth import breadth
from oracle.change import with_instance
from oracle.compare import disagreement, found_for, verdict_on_search
from oracle.enumerate import search, search_plainly
from oracle.generate import RandomCase, random_case

BATCH = 10
# Without its reductions the model of a wide question takes minutes; those wait for the slow run.
NARROW, WIDE = 40_000, 300_000
SECONDS = 30.0


def check_batch(seeds: range, folder: Path, widest: int) -> None:
    wrong = []
    for seed in seeds:
        case = random_case(seed)
        found = found_for(case)
        if found is not None:
            wrong.append(verdict_on_search(case, found))
        wrong.append(disagreement(case, found, folder, prune=True))
        if breadth(case.parts, case.instance, widest) < widest:
            wrong.append(disagreement(case, found, folder, prune=False, time_limit_s=SECONDS))
    messages = [message for message in wrong if message is not None]
    assert not messages, "\n\n".join(messages)


@pytest.mark.parametrize("first", range(0, 200, BATCH))
def test_optimum_is_that_of_brute_force(first: int, tmp_path: Path) -> None:
    check_batch(range(first, first + BATCH), tmp_path, NARROW)


@pytest.mark.slow
@pytest.mark.parametrize("first", range(200, 2200, BATCH))
def test_optimum_is_that_of_brute_force_on_many_more(first: int, tmp_path: Path) -> None:
    check_batch(range(first, first + BATCH), tmp_path, WIDE)


def thinned(case: RandomCase) -> RandomCase:
    """A question with less to choose: at most two points per pool and four link rows, sometimes only one switch."""
    points, seen = [], Counter[str]()
    for point in case.parts.points:
        seen[point.pool] += 1
        if seen[point.pool] <= 2:
            points.append(point)
    if case.seed % 3 == 0:
        case = with_instance(case, "choose", scale_out_stages=(1,))
    links = [row for row in case.parts.links if not row.cpo][:3] + [row for row in case.parts.links if row.cpo]
    return replace(case, parts=replace(case.parts, points=tuple(points), links=tuple(links)))


def test_search_without_shortcuts_finds_the_same() -> None:
    """The search's own shortcuts are exact: on the smallest questions it is compared with plain loops."""
    compared = 0
    for seed in range(1000, 1080):
        case = thinned(random_case(seed))
        if not 0 < breadth(case.parts, case.instance, 1500) < 1500:
            continue
        quick, plain = search(case.parts, case.instance), search_plainly(case.parts, case.instance)
        assert (quick is None) == (plain is None), f"seed {seed}"
        if quick is not None and plain is not None:
            compared += 1
            assert quick.priced.objective == plain.priced.objective, f"seed {seed}"
    assert compared >= 10


def test_random_questions_are_worth_asking() -> None:
    """Most have a design; domain sizes, stages, planes and cables all get chosen."""
    found = [found_for(random_case(seed)) for seed in range(60)]
    plans = [one.plan for one in found if one is not None]
    assert len(plans) > 0.6 * len(found)
    items = [item for plan in plans for item in plan.items]
    assert len({item.base.wiring.size for item in items}) >= 3
    assert {plan.shape.stages for plan in plans} == {1, 2, 3}
    assert any(item.base.wiring.planes > 1 for item in items)
    assert any(item.group.split > 1 for item in items)
    assert any(item.group.whole > 1 for item in items)
    assert any(item.base.point.domains_per_replica > 1 for item in items)
    assert {item.pair.lower.is_module for item in items} == {True, False}
    assert any(not item.pair.buy_upper for item in items)
