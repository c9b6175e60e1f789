"""Goals other than cost, goals in order of rank, and the most tokens: each against every design of a small question."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import oracle.plain
import pytest
from oracle.breadth import breadth
from oracle.change import with_instance
from oracle.convert import question_of
from oracle.enumerate import search
from oracle.evaluate import Part, Priced, combine
from oracle.generate import RandomCase, random_case
from oracle.task import Task

import designer
from designer.answer import Question, SolveOptions, scaled
from designer.candidates.paths import allowances_us
from designer.demand import LATENCY_ALLOWANCES_US, enumerate_plans
from designer.instance.pools import pools_of
from designer.problems import InputError
from designer.solve.stock import stock_of

INSTANCES = Path(__file__).parent.parent / "instances"
GOALS = ("cost", "power", "hard_repairs", "job_hits", "accelerator_hours_lost")
CLOSE = 1e-9
# Plain loops over every design: only the smallest questions.
SMALL = 500


def every_design(case: RandomCase) -> list[Priced]:
    """Every design of a question that keeps its rules and limits: what the plain search looks at."""
    seen: list[Priced] = []

    def record(task: Task, parts: Sequence[Part]) -> Priced:
        seen.append(combine(task, parts))
        return seen[-1]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(oracle.plain, "combine", record)
        oracle.plain.search_plainly(case.parts, case.instance)
    return [priced for priced in seen if not priced.broken]


def value_of(goal: str, priced: Priced) -> Fraction:
    sums = priced.sums
    return {
        "cost": priced.objective,
        "power": sums.watts,
        "hard_repairs": sums.repairs,
        "job_hits": sums.hits,
        "accelerator_hours_lost": sums.hours,
    }[goal]


def thinned(case: RandomCase) -> RandomCase:
    """The same question with fewer links, and two points for each accelerator in each pool (none: the token model)."""
    seen = Counter[tuple[str, str]]()
    points = []
    for point in case.parts.points:
        seen[point.pool, point.accelerator] += 1
        if seen[point.pool, point.accelerator] <= 2:
            points.append(point)
    needed = {a.vendor_link for a in case.parts.accelerators}
    plain = [row for row in case.parts.links if not row.cpo]
    links = [row for row in case.parts.links if row.cpo or row in plain[:3] or row.id in needed]
    return replace(case, parts=replace(case.parts, points=tuple(points), links=tuple(links)))


@pytest.fixture(scope="module")
def cases() -> list[tuple[RandomCase, list[Priced]]]:
    """A few small questions, most of them with designs."""
    found: list[tuple[RandomCase, list[Priced]]] = []
    for seed in range(1013, 1100):
        case = thinned(random_case(seed))
        if 0 < breadth(case.parts, case.instance, SMALL) < SMALL:
            found.append((case, every_design(case)))
        if sum(bool(designs) for _, designs in found) == 6:
            return found
    raise AssertionError("too few small questions with a design")


def asked(case: RandomCase, folder: Path, **objective: object) -> Question:
    return question_of(case.parts, with_instance(case, "objective", **objective).instance, folder)


@pytest.mark.parametrize("prune", [True, False])
@pytest.mark.parametrize("goal", GOALS)
def test_each_goal_has_the_least_value_of_all_designs(
    goal: str, prune: bool, cases: list[tuple[RandomCase, list[Priced]]], tmp_path: Path
) -> None:
    differ = 0
    for case, designs in cases:
        answer = designer.solve(asked(case, tmp_path, minimise=(goal,)), SolveOptions(gap=0.0, prune=prune))
        if not designs:
            assert answer.status == "infeasible", case.seed
            continue
        best = float(min(value_of(goal, priced) for priced in designs))
        assert answer.status == "optimal", (case.seed, answer.clash)
        assert answer.goals[0].value == pytest.approx(best, rel=CLOSE), case.seed
        assert answer.goals[0].bound == pytest.approx(best, rel=1e-6), case.seed
        cheapest = min(designs, key=lambda priced: priced.objective)
        differ += value_of(goal, cheapest) > best
    assert goal == "cost" or differ > 0, "no question on which the goal decides anything"


RANKS = [("cost", "power"), ("power", "cost"), ("job_hits", "cost", "power"), ("cost", "accelerator_hours_lost")]


@pytest.mark.parametrize("tolerance", [0.0, 0.05])
@pytest.mark.parametrize("ranks", RANKS)
def test_goals_in_order_of_rank(
    ranks: tuple[str, ...], tolerance: float, cases: list[tuple[RandomCase, list[Priced]]], tmp_path: Path
) -> None:
    moved = 0
    for case, designs in cases:
        if not designs:
            continue
        left, expected = designs, []
        for goal in ranks:
            best = min(value_of(goal, priced) for priced in left)
            expected.append(best)
            slack = Fraction(tolerance).limit_denominator(1000)
            left = [priced for priced in left if value_of(goal, priced) <= best * (1 + slack)]
        question = asked(case, tmp_path, minimise=ranks, tolerance=tolerance)
        answer = designer.solve(question, SolveOptions(gap=0.0))
        assert answer.status == "optimal", case.seed
        assert [row.goal for row in answer.goals] == list(ranks)
        # Later goals may use the tolerance on earlier ones: only the last is reached exactly.
        assert answer.goals[-1].value == pytest.approx(float(expected[-1]), rel=1e-8), case.seed
        for row, best in zip(answer.goals, expected, strict=True):
            assert row.value <= float(best) * (1 + tolerance) * (1 + 1e-8), (case.seed, row)
            assert row.bound is not None and row.bound <= row.value
        moved += answer.goals[-1].value < min(
            float(value_of(ranks[-1], priced)) for priced in designs if value_of(ranks[0], priced) == expected[0]
        ) * (1 - 1e-9)
    assert tolerance == 0.0 or moved > 0, "the tolerance never let a later goal gain"


def limited(case: RandomCase) -> bool:
    site, money, risk = case.instance.site, case.instance.money, case.instance.risk
    most = (risk.max_hard_repairs_per_year, risk.max_job_hits_per_year, risk.max_accelerator_hours_lost_per_year)
    return any(limit is not None for limit in (site.it_power_mw, site.racks, money.capex_usd, *most))


def at_demand(case: RandomCase, multiplier: float) -> RandomCase:
    return replace(case, instance=scaled(case.instance, multiplier))


def test_the_most_tokens_are_those_of_brute_force(tmp_path: Path) -> None:
    """At the multiplier found a design exists, just above it none does, by the exhaustive search at both."""
    compared, kinds = 0, set()
    for seed in range(200):
        case = thinned(random_case(seed))
        if not limited(case) or breadth(case.parts, case.instance, SMALL) >= SMALL:
            continue
        answer = designer.solve(asked(case, tmp_path, maximise_tokens=True), SolveOptions(gap=1e-6))
        if answer.tokens is None:
            assert answer.status == "infeasible", (seed, answer.status)
            assert search(case.parts, at_demand(case, 1e-6).instance) is None, seed
            continue
        tokens = answer.tokens
        assert answer.status == "optimal" and tokens.bound is not None, seed
        assert tokens.bound <= tokens.multiplier * (1 + 1e-6)
        found = search(case.parts, at_demand(case, tokens.multiplier).instance)
        assert found is not None, seed
        assert answer.objective_usd == pytest.approx(float(found.priced.objective), rel=1e-6), seed
        if tokens.bound < 3:
            # Beyond, one more domain is too much (a fabric that large is slow to enumerate).
            assert search(case.parts, at_demand(case, tokens.bound).instance) is None, seed
            compared += 1
            kinds.add(tokens.multiplier > 1)
        if compared >= 4 and len(kinds) == 2:
            break
    assert compared >= 4
    assert kinds == {True, False}


def test_no_plan_depends_on_the_demand() -> None:
    """The search for the most tokens enumerates plans once: they must be the same at every demand."""
    question = designer.load(INSTANCES / "deepseek-v3-decode-three-ways.toml")
    stock = stock_of(question, SolveOptions())
    offers, allowances = tuple(stock.domains), allowances_us(stock.offer, LATENCY_ALLOWANCES_US)
    for multiplier in (0.013, 7.7):
        pools = pools_of(scaled(question.instance, multiplier))
        for pool, plans in zip(pools, stock.plan_sets, strict=True):
            again = enumerate_plans(pool, question.catalogue, question.instance, offers, allowances=allowances)
            assert again.plans == plans.plans


def test_most_tokens_without_any_limit_is_refused() -> None:
    question = with_objective(designer.load(INSTANCES / "nvl72-pinned.toml"), maximise_tokens=True)
    with pytest.raises(InputError, match=r"site\.it_power_mw"):
        designer.solve(question)


def with_objective(question: Question, **objective: object) -> Question:
    data = question.instance.model_dump()
    data["objective"] |= objective
    return replace(question, instance=type(question.instance).model_validate(data))


def with_power(question: Question, megawatts: float) -> Question:
    site = question.instance.site.model_copy(update={"it_power_mw": megawatts})
    return replace(question, instance=question.instance.model_copy(update={"site": site}))


def test_most_tokens_of_a_site_fill_it_and_no_domain_more() -> None:
    question = with_power(designer.load(INSTANCES / "hgx-h100-pinned.toml"), 0.05)
    answer = designer.solve(with_objective(question, maximise_tokens=True))
    assert answer.status == "optimal" and answer.tokens is not None
    assert answer.account is not None and answer.design is not None
    assert answer.account.it_watts <= 0.05e6
    domains = sum(pool.domains for pool in answer.design.pools)
    # What is left over is less than another domain takes with its share of the fabric, give or take a box.
    assert 0.05e6 - answer.account.it_watts < 1.2 * answer.account.it_watts / domains
    assert answer.tokens.solves < 25
    more = replace(question, instance=scaled(question.instance, answer.tokens.multiplier * 1.0001))
    assert designer.solve(more).status == "infeasible"
    again = replace(question, instance=scaled(question.instance, answer.tokens.multiplier))
    assert designer.solve(again).objective_usd == pytest.approx(answer.objective_usd, rel=1e-9)
