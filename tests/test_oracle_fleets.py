"""Fleets, accelerators alone, pins and the goal "capex" against brute force: random small questions."""

from __future__ import annotations

from collections import Counter
from fractions import Fraction
from functools import lru_cache
from pathlib import Path

import pytest
from oracle.compare import disagreement, found_for, goals_disagreement, verdict_on_search
from oracle.enumerate import Found
from oracle.fleets import PINS, FleetCase, fleet_case

BATCH = 6


@lru_cache(maxsize=256)
def answered(seed: int, pinned: bool) -> tuple[FleetCase, Found | None]:
    drawn = fleet_case(seed, pinned=pinned)
    return drawn, found_for(drawn.case)


def wrong_in(seeds: range, folder: Path, *, pinned: bool) -> list[str]:
    wrong: list[str | None] = []
    for seed in seeds:
        drawn, found = answered(seed, pinned)
        if found is not None:
            wrong.append(verdict_on_search(drawn.case, found))
        wrong.append(disagreement(drawn.case, found, folder, prune=True))
    return [message for message in wrong if message is not None]


@pytest.mark.parametrize("first", range(0, 12, BATCH))
def test_fleets_are_those_of_brute_force(first: int, tmp_path: Path) -> None:
    wrong = wrong_in(range(first, first + BATCH), tmp_path, pinned=False)
    assert not wrong, "\n\n".join(wrong)


@pytest.mark.parametrize("first", range(0, 18, BATCH))
def test_pinned_designs_are_those_of_brute_force(first: int, tmp_path: Path) -> None:
    wrong = wrong_in(range(first, first + BATCH), tmp_path, pinned=True)
    assert not wrong, "\n\n".join(wrong)


@pytest.mark.slow
@pytest.mark.parametrize("first", range(1000, 1300, BATCH))
def test_many_more(first: int, tmp_path: Path) -> None:
    seeds = range(first, first + BATCH)
    wrong = wrong_in(seeds, tmp_path, pinned=False) + wrong_in(seeds, tmp_path, pinned=True)
    assert not wrong, "\n\n".join(wrong)


@pytest.mark.parametrize("goals", [("capex",), ("capex", "cost"), ("power", "capex")])
def test_least_capital_is_that_of_brute_force(goals: tuple[str, ...], tmp_path: Path) -> None:
    cases = [answered(seed, pinned)[0].case for seed in range(4) for pinned in (False, True)]
    wrong = [goals_disagreement(case, goals, Fraction(1, 100), tmp_path) for case in cases]  # type: ignore[arg-type]
    assert not any(wrong), "\n\n".join(message for message in wrong if message is not None)


def test_without_reductions_the_answer_is_the_same(tmp_path: Path) -> None:
    """Reductions that know nothing of an exact taper would drop the leaf that keeps it."""
    wrong = []
    for seed in range(18):
        drawn, found = answered(seed, True)
        if "taper" in drawn.pins:
            wrong.append(disagreement(drawn.case, found, tmp_path, prune=False, time_limit_s=20.0))
    assert len(wrong) >= 3
    assert not any(wrong), "\n\n".join(message for message in wrong if message is not None)


def test_the_questions_are_worth_asking() -> None:
    """Every pin is set and met, some exclude everything; fleets stand beside workloads, and alone."""
    pins, met, kinds = Counter[str](), Counter[str](), Counter[str]()
    for seed in range(18):
        for pinned in (False, True)[seed >= 12 :]:
            drawn, found = answered(seed, pinned)
            instance = drawn.case.instance
            pins.update(drawn.pins)
            kinds["mixed" if instance.workloads else f"{len(instance.fleets)} fleets"] += 1
            if found is None:
                kinds["no design"] += 1
                continue
            met.update(drawn.pins)
            kinds["several fabrics"] += len(found.plans) > 1
            for item in found.items:
                kinds["alone"] += item.base.wiring.size == 1
                kinds["jobs across domains"] += item.base.point.replica > item.base.wiring.size
    assert set(PINS) == set(pins)
    assert set(met) >= set(PINS) - {"spine_core_links"}, met
    rare = {kind for kind in ("mixed", "1 fleets", "2 fleets", "alone", "jobs across domains") if kinds[kind] < 2}
    assert not rare, kinds
