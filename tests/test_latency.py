"""Latency allowances of serving plans: what they cost, who has one, what is pruned, and that a wrong one is noticed."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import fields, replace
from functools import cache
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from verify_designs import rack_design

from designer.catalogue import load_catalogue
from designer.demand import (
    LATENCY_ALLOWANCES_US,
    DomainOffer,
    PlanSet,
    ServingPlan,
    efficiency_figures,
    enumerate_plans,
    load_efficiency,
    prune_dominated,
)
from designer.demand.hardware import Chip, precision_for
from designer.demand.layouts import largest_near, largest_within
from designer.demand.llm import shape_of
from designer.demand.points import plan_points, rates_of
from designer.demand.tokens import PassTimes, decode_step, prefill_pass
from designer.instance.pools import Pool, pools_of
from designer.instance.schema import Choose, Instance, Workload
from designer.verify.demand import asked_of
from designer.verify.findings import Findings
from designer.verify.plan_tokens import ALLOWANCES_US, check_tokens

CATALOGUE = load_catalogue()
BASE = load_efficiency("base")
V3 = shape_of(CATALOGUE.llms["deepseek_v3"])
H200 = Chip("h200_sxm", {"bf16": 989e12, "fp8": 1979e12}, 141e9, 4.8e12, {})
FP8 = precision_for("fp8", "native", 2, H200)
RATES = rates_of([(H200, FP8)], BASE)
HGX = DomainOffer("h200_sxm", 8, 3600.0, "cx7_400", 1, 400.0)
NVL = DomainOffer("gb200_nvl72", 72, 7200.0, "cx7_400", 1, 400.0)
ALONE = DomainOffer("h200_sxm", 1, 0.0, "cx7_400", 1, 400.0)
OFFERS = (HGX, NVL, ALONE)


def ask(**changes: Any) -> Instance:
    work = {"name": "chat", "llm": "deepseek_v3", "serve": "decode", "prompt_tokens": 4096, "output_tokens": 1024,
            "output_tokens_per_s": 250_000.0} | changes  # fmt: skip
    return Instance(schema_version=1, name="x", title="x", workloads=(Workload(**work),), choose=Choose())


QUESTIONS = {
    "decode": ask(),
    "decode, 30 ms, drafts": ask(tpot_ms=30.0, draft_tokens=1, accepted_tokens=0.7),
    "prefill, 900 ms": ask(serve="prefill", ttft_ms=900.0, prefix_hit_share=0.3),
    "together, 40 ms, 800 ms": ask(serve="together", tpot_ms=40.0, ttft_ms=800.0),
    "dense": ask(llm="llama31_405b", tpot_ms=60.0),
    "mean traffic": ask(prompt_tokens=100_000, output_tokens=64),
}


def pool_of(name: str) -> Pool:
    return pools_of(QUESTIONS[name])[0]


@cache
def plans_of(name: str, allowances: tuple[float, ...] = LATENCY_ALLOWANCES_US, *, prune: bool = False) -> PlanSet:
    return enumerate_plans(pool_of(name), CATALOGUE, QUESTIONS[name], OFFERS, prune=prune, allowances=allowances)


def way_of(plan: ServingPlan) -> tuple[Any, ...]:
    """The choices of a plan without its batch and its allowance."""
    chosen = ("accelerator", "domain_size", "tp", "dp", "ep", "pp", "two_batch_overlap", "all_to_all")
    return tuple(getattr(plan, name) for name in chosen)


def ladders(found: PlanSet) -> list[list[ServingPlan]]:
    """Plans of every way that crosses domains, by rising allowance."""
    rows: dict[tuple[Any, ...], list[ServingPlan]] = {}
    for plan in found.plans:
        if plan.latency_allowance_us is not None:
            rows.setdefault(way_of(plan), []).append(plan)
    return [sorted(row, key=lambda plan: plan.latency_allowance_us or 0.0) for row in rows.values()]


def step(
    phase: str, allowance: float, *, tp: int = 1, dp: int = 32, overlap: bool = False, nic: float = 50e9
) -> PassTimes:
    points = plan_points(tp=tp, dp=dp, ep=tp * dp, slots=256, domain_size=8, two_batch_overlap=overlap,
                         scale_up_bytes_per_s=450e9, scale_out_bytes_per_s=nic, hierarchical=True,
                         latency_allowance_us=allowance)  # fmt: skip
    if phase == "decode":
        return decode_step(V3, FP8, points, RATES, BASE, batch=[64], context=4608.0)
    return prefill_pass(V3, FP8, points, RATES, BASE, tokens=[8192], prompt=4096.0)


# ---- the reference path ------------------------------------------------------------------------------------------


def test_the_reference_path_is_the_one_of_the_rows_it_names() -> None:
    switch, module = CATALOGUE.switches["qm9700"], CATALOGUE.links["dr4_400"]
    # Leaf, spine, leaf; two boundaries up and down, two module ends each; 10 m to the leaf, 50 m to the spine, 5 ns/m.
    path_ns = 3 * switch.latency_ns.mid + 8 * module.latency_ns_per_end.mid + 2 * (10 + 50) * 5
    figure = next(figure for figure in efficiency_figures() if figure.name == "path_reference_us")
    assert figure.base == pytest.approx(path_ns / 1e3, abs=0.05)
    assert figure.low == figure.base == figure.high == BASE.path_reference_us
    assert any("DeepEP" in source for source in figure.source)
    assert figure.note


# ---- what an allowance costs -------------------------------------------------------------------------------------


@pytest.mark.parametrize("phase", ["decode", "prefill"])
def test_two_microseconds_cost_deepseek_a_quarter_of_a_millisecond(phase: str) -> None:
    # 58 MoE layers x dispatch and combine x 2 us = 0.232 ms; two-batch overlap leaves a quarter of it where
    # communication is the shorter side, and hides nothing of it where it is the longer one.
    plain = step(phase, 2.0).step_s - step(phase, 0.0).step_s
    assert plain[0] == pytest.approx(0.232e-3, rel=1e-9)
    hidden = [step(phase, allowance, overlap=True) for allowance in (0.0, 2.0)]
    assert all(one.transfer_s + one.latency_s < one.compute_s + one.fixed_s for one in hidden)
    assert (hidden[1].step_s - hidden[0].step_s)[0] == pytest.approx(0.058e-3, rel=1e-9)
    starved = [step(phase, allowance, overlap=True, nic=1e9) for allowance in (0.0, 2.0)]
    assert (starved[1].step_s - starved[0].step_s)[0] == pytest.approx(0.232e-3, rel=1e-9)


def test_an_all_reduce_across_domains_takes_the_allowance_twice() -> None:
    # tp 16 in domains of 8, no all-to-all: two all-reduces in each of 61 layers, each there and back: 244 x 4 us.
    assert (step("decode", 4.0, tp=16, dp=1).step_s - step("decode", 0.0, tp=16, dp=1).step_s)[0] == pytest.approx(
        61 * 2 * 2 * 4e-6, rel=1e-9
    )


@pytest.mark.parametrize(("tp", "dp"), [(1, 8), (8, 1), (2, 4), (1, 1)])
def test_inside_a_domain_the_fabric_costs_nothing(tp: int, dp: int) -> None:
    assert step("decode", 16.0, tp=tp, dp=dp).step_s == step("decode", 0.0, tp=tp, dp=dp).step_s


@pytest.mark.parametrize("name", [name for name in QUESTIONS if name != "dense"])
def test_a_larger_allowance_never_gives_more_tokens(name: str) -> None:
    rows = ladders(plans_of(name))
    assert rows
    for row in rows:
        for less, more in pairwise(row):
            assert more.latency_allowance_us > less.latency_allowance_us
            if name != "mean traffic":
                assert more.batch <= less.batch
                assert more.tokens_per_s_per_accelerator < less.tokens_per_s_per_accelerator
            if more.batch == less.batch:
                assert more.step_s > less.step_s
                assert more.memory_bytes == less.memory_bytes
                assert more.scale_up_need_gbps == less.scale_up_need_gbps
                assert more.scale_out_ep_need_gbps == less.scale_out_ep_need_gbps


def test_where_the_nics_mean_rate_binds_a_slower_step_may_hold_more_sequences() -> None:
    # Tokens/s are what the NICs carry; only the rounding to whole sequences lies between the allowances.
    grown = 0
    for row in ladders(plans_of("mean traffic")):
        for less, more in pairwise(row):
            grown += more.batch > less.batch
            whole = 1 + 1 / less.batch
            assert more.tokens_per_s_per_accelerator <= less.tokens_per_s_per_accelerator * whole
    assert grown


def test_the_step_of_a_listed_plan_is_the_calibrated_one_plus_its_exchanges() -> None:
    for row in ladders(plans_of("decode")):
        base = row[0]
        for plan in row[1:]:
            if plan.batch == base.batch and not plan.two_batch_overlap:
                added = 2 * 58 * (plan.latency_allowance_us or math.nan) * 1e-6
                assert plan.step_s - base.step_s == pytest.approx(added, rel=1e-6)


# ---- who has an allowance ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", QUESTIONS)
def test_only_plans_that_cross_have_an_allowance(name: str) -> None:
    found = plans_of(name)
    assert found.plans
    assert found.enumerated == len(found.plans) + found.dominated + sum(found.rejected.values())
    for plan in found.plans:
        crosses = plan.ep > plan.domain_size and plan.dp > 1
        assert (plan.latency_allowance_us in LATENCY_ALLOWANCES_US) if crosses else plan.latency_allowance_us is None


def test_pipelines_across_domains_wait_for_no_fabric() -> None:
    instance = ask(llm="llama31_405b")
    offer = replace(HGX, domain_size=4)
    found = enumerate_plans(pools_of(instance)[0], CATALOGUE, instance, [offer], allowances=LATENCY_ALLOWANCES_US)
    across = [plan for plan in found.plans if plan.domains_per_replica > 1]
    assert across
    assert {plan.latency_allowance_us for plan in found.plans} == {None}


@pytest.mark.parametrize("name", QUESTIONS)
def test_every_allowance_is_the_same_search(name: str) -> None:
    """The batch of an allowance is sought near another's; asking for that allowance alone must find the same."""
    together = plans_of(name)
    for allowance in LATENCY_ALLOWANCES_US:
        alone = plans_of(name, (allowance,))
        assert alone.plans == tuple(p for p in together.plans if p.latency_allowance_us in (None, allowance))
    assert plans_of(name, (0.0,)) == enumerate_plans(pool_of(name), CATALOGUE, QUESTIONS[name], OFFERS, prune=False)


def test_order_and_repetition_of_allowances_change_nothing() -> None:
    assert plans_of("decode", (4.0, 0.0, 4.0)) == plans_of("decode", (0.0, 4.0))


@pytest.mark.parametrize("allowances", [(), (-1.0,), (0.0, math.inf), (math.nan,)])
def test_senseless_allowances_are_refused(allowances: Sequence[float]) -> None:
    with pytest.raises(ValueError, match="allowances"):
        enumerate_plans(pool_of("decode"), CATALOGUE, QUESTIONS["decode"], OFFERS, allowances=allowances)


@given(st.lists(st.tuples(st.integers(0, 60), st.integers(-2, 70), st.integers(0, 80)), max_size=12))
@settings(max_examples=200, deadline=None)
def test_the_search_near_a_guess_finds_what_the_whole_search_finds(rows: list[tuple[int, int, int]]) -> None:
    most, upper, near = (np.asarray([row[at] for row in rows], dtype=np.int64) for at in range(3))
    assert (
        largest_near(lambda index: lambda b: b <= most[index], upper, near).tolist()
        == largest_within(lambda b: b <= most, upper).tolist()
    )


# ---- dominance ---------------------------------------------------------------------------------------------------


def test_dominance_weighs_the_allowance() -> None:
    plan = next(p for p in plans_of("decode").plans if p.latency_allowance_us == 2.0)
    pool = pool_of("decode")
    slower = replace(plan, tokens_per_s_per_accelerator=0.9 * plan.tokens_per_s_per_accelerator)
    worse = {"allows as much": 2.0, "allows less": 0.0}
    for what, allowance in worse.items():
        assert prune_dominated([replace(slower, latency_allowance_us=allowance), plan], pool) == (plan,), what
    for allowance in (4.0, None):
        tolerant = replace(slower, latency_allowance_us=allowance)
        assert prune_dominated([tolerant, plan], pool) == (tolerant, plan)
    # As good in everything and more tolerant: the other goes, whichever comes first.
    for allowance in (4.0, None):
        tolerant = replace(plan, latency_allowance_us=allowance)
        assert prune_dominated([plan, tolerant], pool) == prune_dominated([tolerant, plan], pool) == (tolerant,)


@pytest.mark.parametrize("name", QUESTIONS)
def test_pruning_in_the_enumeration_is_prune_dominated(name: str) -> None:
    pruned = plans_of(name, prune=True)
    assert pruned.plans == prune_dominated(plans_of(name).plans, pool_of(name))
    assert pruned.dominated == len(plans_of(name).plans) - len(pruned.plans)


@pytest.mark.parametrize("name", QUESTIONS)
@pytest.mark.parametrize("path_us", [1.0, 1.7, 2.5, 4.0, 9.0, 17.7])
def test_pruning_loses_no_plan_that_a_fabric_of_some_latency_needs(name: str, path_us: float) -> None:
    """On any path, what was pruned is matched in tokens by a plan left on the same hardware and replica."""

    def best(plans: Sequence[ServingPlan]) -> dict[tuple[str, int, int], float]:
        top: dict[tuple[str, int, int], float] = {}
        for plan in plans:
            allowed = plan.latency_allowance_us
            if allowed is None or path_us <= BASE.path_reference_us + allowed:
                key = (plan.accelerator, plan.domain_size, plan.accelerators_per_replica)
                top[key] = max(top.get(key, 0.0), plan.tokens_per_s_per_accelerator)
        return top

    assert best(plans_of(name, prune=True).plans) == best(plans_of(name).plans)


# ---- the verifier ------------------------------------------------------------------------------------------------


def token_rules(plan: ServingPlan, instance: Instance) -> set[str]:
    found = Findings()
    pool = replace(rack_design().pools[0], name=plan.pool, accelerator=plan.accelerator, plan=plan)
    check_tokens(found, pool, asked_of(instance)[plan.pool], CATALOGUE, instance)
    return {finding.rule for finding in found.rows}


@pytest.mark.parametrize("name", QUESTIONS)
def test_the_verifier_recounts_every_allowance(name: str) -> None:
    seen = set()
    for plan in plans_of(name).plans[::7]:
        assert token_rules(plan, QUESTIONS[name]) == set()
        seen.add(plan.latency_allowance_us)
    if name != "dense":
        assert seen == {None, *LATENCY_ALLOWANCES_US}


@pytest.mark.parametrize("name", ["decode", "prefill, 900 ms", "together, 40 ms, 800 ms"])
def test_the_verifier_notices_a_wrong_allowance(name: str) -> None:
    crossing = [plan for plan in plans_of(name).plans if plan.latency_allowance_us == 2.0][::9]
    inside = [plan for plan in plans_of(name).plans if plan.latency_allowance_us is None][::29]
    assert crossing
    assert inside
    for plan in crossing:
        for wrong in (0.0, 4.0, 8.0, 16.0):
            rules = token_rules(replace(plan, latency_allowance_us=wrong), QUESTIONS[name])
            assert {"plan_step", "plan_tokens"} <= rules
            assert "plan_latency_allowance" not in rules
        for unlisted in (3.0, 1.0, 32.0, None):
            rules = token_rules(replace(plan, latency_allowance_us=unlisted), QUESTIONS[name])
            assert "plan_latency_allowance" in rules
    for plan in inside:
        for number in LATENCY_ALLOWANCES_US:
            # Nothing crosses, so no time changes: the rule alone must notice.
            assert token_rules(replace(plan, latency_allowance_us=number), QUESTIONS[name]) == {
                "plan_latency_allowance"
            }


def test_both_sides_know_the_same_allowances() -> None:
    assert ALLOWANCES_US == LATENCY_ALLOWANCES_US
    assert "latency_allowance_us" in {field.name for field in fields(ServingPlan)}
