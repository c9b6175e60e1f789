"""What must hold for every answer, whatever the parts: tested on random questions and the shipped instances."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from functools import cache
from pathlib import Path

import pytest
from oracle.breadth import breadth
from oracle.change import (
    Change,
    in_other_currency,
    shuffled,
    with_cheaper_part,
    with_instance,
    with_limit,
    with_more_tokens,
    without_a_part,
    without_limits,
)
from oracle.compare import found_for
from oracle.convert import catalogue_of, question_of, question_with
from oracle.draw import Draw
from oracle.generate import LIMIT_KEYS, RandomCase, amounts_of, random_case

import designer
from designer.answer import Answer, SolveOptions

SEEDS = range(5000, 5016)
CLOSE = 1e-9
INSTANCES = sorted((Path(designer.__file__).parents[1] / "instances").glob("*.toml"))


@cache
def case_of(seed: int) -> RandomCase:
    return random_case(seed)


def answer_to(case: RandomCase, folder: Path, prune: bool = True) -> Answer:
    return designer.solve(question_of(case.parts, case.instance, folder), SolveOptions(gap=0.0, prune=prune))


def cost(answer: Answer) -> float:
    """Objective in USD per year; infinite without a design."""
    if answer.status == "infeasible":
        return float("inf")
    assert answer.status == "optimal" and answer.objective_usd is not None
    return answer.objective_usd


def same(a: float, b: float) -> bool:
    return a == b or abs(a - b) <= CLOSE * min(a, b)


def no_dearer(a: float, b: float) -> bool:
    return a <= b or same(a, b)


@pytest.mark.parametrize("change", [with_cheaper_part], ids=["cheaper part"])
@pytest.mark.parametrize("seed", SEEDS)
def test_never_dearer(seed: int, change: Change, tmp_path: Path) -> None:
    case = case_of(seed)
    before = cost(answer_to(case, tmp_path))
    for turn in range(2):
        after = cost(answer_to(change(case, Draw(seed + 100 * turn)), tmp_path))
        assert no_dearer(after, before), f"seed {seed}, turn {turn}: {before} -> {after}"


@pytest.mark.parametrize("change", [with_more_tokens, without_a_part], ids=["more tokens", "a part less"])
@pytest.mark.parametrize("seed", SEEDS)
def test_never_cheaper(seed: int, change: Change, tmp_path: Path) -> None:
    case = with_instance(case_of(seed), "choose", include_unreleased=False)
    before = cost(answer_to(case, tmp_path))
    for turn in range(2):
        after = cost(answer_to(change(case, Draw(seed + 100 * turn)), tmp_path))
        assert no_dearer(before, after), f"seed {seed}, turn {turn}: {before} -> {after}"


@pytest.mark.parametrize(
    "key, fewer, more",
    [
        ("scale_out_rails", (1,), (1, 2, 4)),
        ("scale_out_planes", (1,), (1, 2, 4)),
        ("scale_up_stages", (1,), (1, 2)),
        ("min_spines", 2, 1),
    ],
)
@pytest.mark.parametrize("seed", SEEDS[:8])
def test_more_to_choose_is_never_dearer(
    seed: int, key: str, fewer: int | tuple[int, ...], more: int | tuple[int, ...], tmp_path: Path
) -> None:
    few, many = (with_instance(case_of(seed), "choose", **{key: values}) for values in (fewer, more))
    assert no_dearer(cost(answer_to(many, tmp_path)), cost(answer_to(few, tmp_path)))


@pytest.mark.parametrize("factor", [Fraction(8), Fraction(1, 10)])
@pytest.mark.parametrize("seed", SEEDS)
def test_another_currency_scales_the_cost_and_leaves_the_design(seed: int, factor: Fraction, tmp_path: Path) -> None:
    case = case_of(seed)
    before, after = answer_to(case, tmp_path), answer_to(in_other_currency(case, factor), tmp_path)
    assert same(cost(after), cost(before) * float(factor))
    assert after.design == before.design


@pytest.mark.parametrize("seed", SEEDS)
def test_order_of_the_catalogue_does_not_matter(seed: int, tmp_path: Path) -> None:
    case = case_of(seed)
    before = cost(answer_to(case, tmp_path))
    assert same(cost(answer_to(shuffled(case, Draw(seed)), tmp_path)), before)


@pytest.mark.parametrize("seed", SEEDS)
def test_same_question_same_answer(seed: int, tmp_path: Path) -> None:
    case = case_of(seed)
    catalogue = catalogue_of(case.parts, case.instance.level)
    question = question_with(catalogue, case.parts, case.instance, tmp_path)
    first, second = (designer.solve(question, SolveOptions(gap=0.0)) for _ in range(2))
    assert (first.status, first.design, first.objective_usd, first.bound_usd) == (
        second.status,
        second.design,
        second.objective_usd,
        second.bound_usd,
    )


@pytest.mark.parametrize("seed", SEEDS)
def test_relaxation_bounds_the_optimum(seed: int, tmp_path: Path) -> None:
    for prune in (True, False):
        case = case_of(seed)
        if not prune and breadth(case.parts, case.instance, 20_000) >= 20_000:
            continue
        answer = answer_to(case, tmp_path, prune)
        if answer.model is None or answer.objective_usd is None:
            continue
        root, bound = answer.model.root_bound_usd, answer.bound_usd
        assert root is None or no_dearer(root, answer.objective_usd)
        assert bound is not None and no_dearer(bound, answer.objective_usd)


@pytest.mark.parametrize("name", sorted(LIMIT_KEYS))
@pytest.mark.parametrize("seed", SEEDS[:10])
def test_limits_hold_to_the_last_unit(seed: int, name: str, tmp_path: Path) -> None:
    """A limit at what the best design takes changes nothing; a little less asks for another design."""
    case = without_limits(case_of(seed))
    free = found_for(case)
    if free is None:
        return
    taken = amounts_of(free)[name]
    if taken == 0:
        return
    at = answer_to(with_limit(case, name, taken), tmp_path)
    assert same(cost(at), float(free.priced.objective))
    little = Fraction(1) if name in ("watts", "racks", "capex") else taken / 1000
    if taken <= little:
        return
    below = with_limit(case, name, taken - little)
    best = found_for(below)
    expected = float("inf") if best is None else float(best.priced.objective)
    pruned = answer_to(below, tmp_path)
    assert same(cost(pruned), expected)
    assert pruned.design is None or pruned.design != at.design
    if breadth(below.parts, below.instance, 10_000) < 10_000:
        assert same(cost(answer_to(below, tmp_path, prune=False)), expected)


@pytest.mark.parametrize("file", INSTANCES, ids=lambda file: file.stem)
def test_shipped_instance_is_bounded_and_repeatable(file: Path) -> None:
    question = designer.load(file)
    options = SolveOptions(gap=1e-6, time_limit_s=60)
    first = designer.solve(question, options)
    if first.status != "optimal":
        pytest.skip(f"{first.status} within a minute")
    assert first.model is not None and first.objective_usd is not None and first.bound_usd is not None
    assert no_dearer(first.bound_usd, first.objective_usd)
    assert first.model.root_bound_usd is None or no_dearer(first.model.root_bound_usd, first.objective_usd)
    second = designer.solve(question, options)
    assert (second.design, second.objective_usd) == (first.design, first.objective_usd)
    more = tuple(
        work.model_copy(update={"output_tokens_per_s": work.output_tokens_per_s * 1.1})
        for work in question.instance.workloads
    )
    larger = replace(question, instance=question.instance.model_copy(update={"workloads": more}))
    answer = designer.solve(larger, options)
    if answer.bound_usd is not None and answer.status in ("optimal", "limit"):
        assert answer.objective_usd is None or answer.objective_usd >= first.bound_usd * (1 - CLOSE)
