"""Serving plans: feasible to the last sequence, pruned without loss, and every refusal explained."""

from __future__ import annotations

import itertools
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from designer.candidates.reduce import pareto
from designer.catalogue import load_catalogue
from designer.demand import (
    DomainOffer,
    PlanSet,
    ServingPlan,
    domains_needed,
    enumerate_plans,
    load_efficiency,
    prune_dominated,
    read_measured,
    sizes_needed,
)
from designer.demand.hardware import chip_of, precision_for
from designer.demand.layouts import layouts, replica_sizes
from designer.demand.llm import kv_bytes_per_token, shape_of
from designer.demand.measured import COLUMNS
from designer.demand.phases import Limits, Outcome, Task, seconds_within
from designer.demand.points import plan_points, rates_of
from designer.demand.prune import undominated
from designer.instance.pools import Pool, pools_of
from designer.instance.schema import Choose, Instance, Workload
from designer.problems import InputError

CATALOGUE = load_catalogue()
EFFICIENCY = load_efficiency("base")
HGX = DomainOffer("h200_sxm", 8, 3600.0, "cx7_400", 1, 400.0)
NVL = DomainOffer("gb200_nvl72", 72, 7200.0, "cx7_400", 1, 400.0)
ALONE = DomainOffer("h200_sxm", 1, 0.0, "cx7_400", 1, 400.0)


def ask(choose: dict[str, Any] | None = None, **changes: Any) -> Instance:
    work = {"name": "chat", "llm": "deepseek_v3", "serve": "decode", "prompt_tokens": 4096, "output_tokens": 1024,
            "output_tokens_per_s": 250_000.0} | changes  # fmt: skip
    return Instance(schema_version=1, name="x", title="x", workloads=(Workload(**work),), choose=Choose(**choose or {}))


def plan(instance: Instance, offers: Sequence[DomainOffer], *, prune: bool = True, pool: int = 0) -> PlanSet:
    return enumerate_plans(pools_of(instance)[pool], CATALOGUE, instance, offers, prune=prune)


QUESTIONS = {
    "decode": ask(),
    "decode, 30 ms, drafts": ask(tpot_ms=30.0, draft_tokens=1, accepted_tokens=0.7),
    "prefill": ask(serve="prefill", prefix_hit_share=0.3),
    "prefill, 900 ms": ask(serve="prefill", ttft_ms=900.0),
    "together, 40 ms, 800 ms": ask(serve="together", tpot_ms=40.0, ttft_ms=800.0),
    "dense": ask(llm="llama31_405b", tpot_ms=60.0),
    "windowed": ask(llm="gpt_oss_120b", serve="together", tpot_ms=15.0),
}


@cache
def all_plans(name: str) -> PlanSet:
    return plan(QUESTIONS[name], (HGX, NVL, ALONE), prune=False)


def task_of(p: ServingPlan, instance: Instance, batch_of: int) -> tuple[Task, Outcome]:
    """The plan's one point and what it reaches at a batch, through the model but not through the enumeration."""
    pool = next(pool for pool in pools_of(instance) if pool.name == p.pool)
    row = CATALOGUE.llms[p.llm]
    chip = chip_of(CATALOGUE.accelerators[p.accelerator], instance.level)
    precision = precision_for(row.dtype, pool.workload.precision, pool.workload.kv_bytes, chip)
    shape = shape_of(row)
    points = plan_points(
        tp=p.tp, dp=p.dp, ep=p.ep, pp=p.pp, slots=p.ep * math.ceil(shape.experts / p.ep), domain_size=p.domain_size,
        two_batch_overlap=p.two_batch_overlap, hierarchical=p.all_to_all == "hierarchical",
        scale_up_bytes_per_s=p.scale_up_gbps * 1e9 / 8, scale_out_bytes_per_s=p.nic_gbps * 1e9 / 8,
    )  # fmt: skip
    rates = rates_of([(chip, precision)], EFFICIENCY)
    task = Task(pool, shape, precision, EFFICIENCY, points, rates, np.asarray([chip.hbm_bytes]))
    return task, task.evaluate(np.asarray([batch_of]))


@pytest.mark.parametrize("name", QUESTIONS)
def test_counts_add_up(name: str) -> None:
    every, pruned = all_plans(name), plan(QUESTIONS[name], (HGX, NVL, ALONE))
    assert every.plans
    assert every.dominated == 0
    for found in (every, pruned):
        assert found.enumerated == len(found.plans) + found.dominated + sum(found.rejected.values())
    assert every.enumerated == pruned.enumerated
    assert len(set(every.plans)) == len(every.plans)


@pytest.mark.parametrize("name", QUESTIONS)
def test_every_plan_keeps_its_limits_exactly(name: str) -> None:
    work = QUESTIONS[name].workloads[0]
    for p in all_plans(name).plans:
        for seconds, limit in ((p.tpot_s, work.tpot_ms), (p.ttft_estimate_s, work.ttft_ms)):
            if seconds is not None and limit is not None:
                assert Fraction(repr(seconds)) * 1000 <= Fraction(repr(limit))
        hbm = CATALOGUE.accelerators[p.accelerator].hbm_gb.mid * 1e9
        assert p.memory_bytes <= EFFICIENCY.memory_use * hbm - EFFICIENCY.memory_reserve_bytes
        assert (p.tpot_s is None) == (p.phase == "prefill")
        assert (p.ttft_estimate_s is None) == (p.phase == "decode")


@pytest.mark.parametrize("name", QUESTIONS)
def test_the_batch_is_the_largest_one(name: str) -> None:
    instance = QUESTIONS[name]
    for p in all_plans(name).plans[::17]:
        limits = Limits.of(next(pool for pool in pools_of(instance) if pool.name == p.pool))
        task, outcome = task_of(p, instance, p.batch)
        assert bool(limits.met(task, outcome)[0])
        assert bool(task.fits(np.asarray([p.batch]))[0])
        more = p.batch + 1
        _, beyond = task_of(p, instance, more)
        if p.phase == "prefill":
            assert p.batch <= 16_384
            short = instance.workloads[0].ttft_ms is not None and p.batch < 4096
            if p.batch == 16_384 or short:
                continue
        assert not (bool(limits.met(task, beyond)[0]) and bool(task.fits(np.asarray([more]))[0]))


@pytest.mark.parametrize("name", QUESTIONS)
def test_plans_state_what_the_model_says(name: str) -> None:
    for p in all_plans(name).plans[::23]:
        _, outcome = task_of(p, QUESTIONS[name], p.batch)
        assert p.step_s == pytest.approx(outcome.step_s[0], rel=1e-14)
        assert p.tokens_per_s_per_accelerator == pytest.approx(outcome.tokens_per_s[0], rel=1e-14)
        assert p.memory_bytes == pytest.approx(outcome.memory_bytes[0], rel=1e-14)
        assert p.scale_up_need_gbps == pytest.approx(outcome.up_need_gbps[0], rel=1e-14)


@pytest.mark.parametrize("name", QUESTIONS)
def test_placement_and_needs(name: str) -> None:
    for p in all_plans(name).plans:
        n = p.tp * p.dp * p.pp
        assert n == p.accelerators_per_replica
        assert p.tp <= p.domain_size
        if n <= p.domain_size:
            assert (p.replicas_per_domain, p.domains_per_replica) == (p.domain_size // n, 1)
            assert p.scale_out_ep_need_gbps == 0
        else:
            assert (p.replicas_per_domain, p.domains_per_replica) == (1, math.ceil(n / p.domain_size))
        assert 0 <= p.scale_up_need_gbps <= p.scale_up_gbps
        assert 0 <= p.scale_out_ep_need_gbps <= p.nic_gbps
        assert p.scale_out_other_need_gbps >= 0
        if n == 1:
            assert p.scale_up_need_gbps == 0
        if p.dp > 1:
            # The link that sets the transfer time needs its whole rate.
            shares = (p.scale_up_need_gbps / p.scale_up_gbps if p.scale_up_gbps else 0,
                      p.scale_out_ep_need_gbps / p.nic_gbps)  # fmt: skip
            assert max(shares) == pytest.approx(1.0, rel=1e-12)


def test_kv_need_is_the_mean_rate_in_64ths_of_the_nics() -> None:
    shape = shape_of(CATALOGUE.llms["deepseek_v3"])
    step = 400 / 64
    for name, per_token in (("decode", 4096 / 1024), ("prefill", 1 / 0.7)):
        for p in all_plans(name).plans:
            exact = p.tokens_per_s_per_accelerator * per_token * kv_bytes_per_token(shape, 2) * 8 / 1e9 / 0.8
            assert p.scale_out_other_need_gbps / step == math.ceil(exact / step - 1e-9)
    assert all(p.scale_out_other_need_gbps == 0 for p in all_plans("together, 40 ms, 800 ms").plans)


def test_together_pays_for_the_prompts_it_prefills() -> None:
    apart = {(p.accelerator, p.domain_size, p.tp, p.dp, p.two_batch_overlap, p.all_to_all): p
             for p in plan(ask(tpot_ms=40.0), (HGX,), prune=False).plans}  # fmt: skip
    joint = plan(ask(tpot_ms=40.0, serve="together"), (HGX,), prune=False).plans
    assert joint
    for p in joint:
        alone = apart[(p.accelerator, p.domain_size, p.tp, p.dp, p.two_batch_overlap, p.all_to_all)]
        assert p.batch < alone.batch or p.tokens_per_s_per_accelerator < alone.tokens_per_s_per_accelerator


# ---- whole numbers and dominance ---------------------------------------------------------------------------------


def pool_of(**changes: Any) -> Pool:
    return pools_of(ask(**changes))[0]


def some_plan(**changes: Any) -> ServingPlan:
    return replace(all_plans("decode").plans[0], **changes)


def test_domains_are_whole_and_exact() -> None:
    # 0.1 * 3 is 0.30000000000000004 in floats: one replica too many.
    fits = some_plan(tokens_per_s_per_accelerator=0.3, accelerators_per_replica=1, domain_size=4,
                     replicas_per_domain=4, domains_per_replica=1)  # fmt: skip
    assert domains_needed(fits, pool_of(output_tokens_per_s=0.1, peak_factor=3.0)) == (1, 1)
    assert domains_needed(fits, pool_of(output_tokens_per_s=0.5, peak_factor=3.0)) == (5, 2)
    spans = some_plan(tokens_per_s_per_accelerator=0.3, accelerators_per_replica=8, domain_size=4,
                      replicas_per_domain=1, domains_per_replica=2)  # fmt: skip
    assert domains_needed(spans, pool_of(output_tokens_per_s=2.4, peak_factor=3.0)) == (3, 6)
    # Prompt tokens of a prefill pool: 0.1 * 3 * 7 * 0.1 / 7 tokens/s exactly.
    prefill = pool_of(serve="prefill", output_tokens_per_s=0.1, peak_factor=3.0, prompt_tokens=7, output_tokens=7,
                      prefix_hit_share=0.9)  # fmt: skip
    tenth = replace(fits, tokens_per_s_per_accelerator=0.03)
    assert domains_needed(tenth, prefill) == (1, 1)


@pytest.mark.parametrize("name", QUESTIONS)
def test_sizes_of_many_plans_are_those_of_each(name: str) -> None:
    every = all_plans(name).plans
    exactly = every[0].tokens_per_s_per_accelerator * every[0].accelerators_per_replica * 10
    for change in (
        {},
        {"output_tokens_per_s": 0.1, "peak_factor": 3.0},
        {"output_tokens_per_s": exactly, "peak_factor": 1.0},
    ):
        work = QUESTIONS[name].workloads[0].model_copy(update=change)
        pool = pools_of(QUESTIONS[name].model_copy(update={"workloads": (work,)}))[0]
        assert sizes_needed(every, pool) == [domains_needed(p, pool) for p in every]
    assert sizes_needed((), pool) == []


def test_sizes_of_many_plans_are_exact_where_floats_are_not() -> None:
    # 0.1 * 3 is 0.30000000000000004 in floats: one replica too many.
    fits = some_plan(tokens_per_s_per_accelerator=0.3, accelerators_per_replica=1, domain_size=4,
                     replicas_per_domain=4, domains_per_replica=1)  # fmt: skip
    spans = replace(fits, accelerators_per_replica=8, replicas_per_domain=1, domains_per_replica=2)
    assert sizes_needed([fits, spans], pool_of(output_tokens_per_s=0.1, peak_factor=3.0)) == [(1, 1), (1, 2)]
    assert sizes_needed([fits, spans], pool_of(output_tokens_per_s=2.4, peak_factor=3.0)) == [(24, 6), (3, 6)]


@pytest.mark.parametrize("dominate", [undominated, lambda _, costs: pareto(costs)])
@pytest.mark.parametrize("seed", range(6))
def test_dominance_over_many_blocks_equals_the_definition(seed: int, dominate: Callable[..., Any]) -> None:
    """Half of the rows beat no other and are beaten by none, so that the front is longer than any block of rows."""
    rng = np.random.default_rng(seed)
    front = rng.permutation(500)
    costs = np.stack([front, 499 - front, np.zeros(500)], axis=1)
    worse = costs[rng.integers(0, 500, 400)] + rng.integers(0, 2, (400, 3))
    costs = rng.permutation(np.concatenate([costs, worse]).astype(np.float64))
    at_most = (costs[:, None, :] <= costs[None, :, :]).all(axis=2)
    before = np.arange(len(costs))[:, None] < np.arange(len(costs))[None, :]
    beaten = (at_most & (~at_most.T | before)).any(axis=0)
    assert 400 < int((~beaten).sum()) < len(costs)
    assert dominate(np.zeros(len(costs), dtype=np.int64), costs).tolist() == (~beaten).tolist()


@given(st.lists(st.tuples(st.integers(0, 1), *[st.integers(0, 3)] * 4), max_size=120))
@settings(max_examples=200, deadline=None)
def test_undominated_equals_the_definition(rows: list[tuple[int, ...]]) -> None:
    groups = np.asarray([row[0] for row in rows], dtype=np.int64)
    costs = np.asarray([row[1:] for row in rows], dtype=np.float64).reshape(-1, 4)
    expected = [
        not any(
            groups[i] == groups[j] and (costs[i] <= costs[j]).all() and ((costs[i] < costs[j]).any() or i < j)
            for i in range(len(rows))
        )
        for j in range(len(rows))
    ]
    assert undominated(groups, costs).tolist() == expected


@pytest.mark.parametrize("name", QUESTIONS)
def test_pruning_in_the_enumeration_is_prune_dominated(name: str) -> None:
    pool = pools_of(QUESTIONS[name])[0]
    pruned = plan(QUESTIONS[name], (HGX, NVL, ALONE)).plans
    assert pruned == prune_dominated(all_plans(name).plans, pool)
    assert pruned == prune_dominated(pruned, pool)
    assert len(pruned) < len(all_plans(name).plans)


@pytest.mark.parametrize("name", QUESTIONS)
def test_pruning_never_loses_the_best_plan_at_any_price(name: str) -> None:
    pool, rng = pools_of(QUESTIONS[name])[0], np.random.default_rng(7)
    every = all_plans(name).plans
    kept = set(prune_dominated(every, pool))
    domains = [domains_needed(p, pool)[1] for p in every]
    for _ in range(40):
        prices = rng.exponential(size=4) * rng.integers(0, 2, 4)
        hardware = {offer: rng.exponential() for offer in (HGX, NVL, ALONE)}
        by_replica = dict(zip(range(1, 513), rng.exponential(size=512), strict=True))

        def cost(p: ServingPlan, count: int, prices=prices, hardware=hardware, by_replica=by_replica) -> float:
            offer = DomainOffer(p.accelerator, p.domain_size, p.scale_up_gbps, p.nic, p.nics, p.nic_gbps)
            each = (
                hardware[offer]
                + by_replica[p.accelerators_per_replica]
                + prices[0] * p.scale_up_need_gbps
                + prices[1] * p.scale_out_ep_need_gbps
                + prices[2] * p.scale_out_other_need_gbps
            )
            return float(count * p.domain_size * each - prices[3] * p.tokens_per_s_per_accelerator)

        best = min(cost(p, count) for p, count in zip(every, domains, strict=True))
        assert min(cost(p, c) for p, c in zip(every, domains, strict=True) if p in kept) == best


def test_no_plan_is_nothing() -> None:
    assert prune_dominated((), pool_of()) == ()
    assert plan(ask(), ()).plans == ()


# ---- what is tried -----------------------------------------------------------------------------------------------


def test_layouts_divide_and_spread_evenly() -> None:
    for name, size in itertools.product(("deepseek_v3", "llama31_405b", "gpt_oss_120b"), (1, 6, 8, 36, 72, 144)):
        shape = shape_of(CATALOGUE.llms[name])
        found = layouts(shape, size, (1, 2, 3, 4, 8, 16))
        assert len(set(found)) == len(found)
        for lay in found:
            assert shape.heads % lay.tp == 0
            assert lay.tp <= size
            domains = math.ceil(lay.replica / size)
            assert lay.replica % domains == 0
            assert lay.replica // domains % lay.tp == 0
            assert lay.ep == (lay.tp * lay.dp if shape.moe_layers else 1)
            assert lay.replica <= max(shape.experts, 4 * 16)
    assert {8, 72, 144, 216, 64, 256} <= set(replica_sizes(256, 72))


def test_choices_of_the_instance_are_kept() -> None:
    only = plan(ask({"tensor_parallel": (4,), "two_batch_overlap": (True,)}), (NVL,), prune=False)
    assert only.plans
    assert {p.tp for p in only.plans} == {4}
    assert {p.two_batch_overlap for p in only.plans} == {True}
    assert min(p.batch for p in only.plans) >= 2


def test_pipelines_only_where_the_model_does_not_fit() -> None:
    # 405 billion bf16 weights: 8 x 141 GB hold them, 4 x 141 GB do not.
    found = plan(ask({"tensor_parallel": (4, 8)}, llm="llama31_405b"), (HGX,), prune=False).plans
    assert {(p.tp, p.pp) for p in found} == {(8, 1), (4, 2)}
    across = next(p for p in found if p.pp == 2)
    assert across.accelerators_per_replica == 8
    # 4 x 2 accelerators fit in the domain of 8; two domains of 4 need the NICs.
    small = plan(ask({"tensor_parallel": (4,)}, llm="llama31_405b"), (replace(HGX, domain_size=4),), prune=False)
    assert {(p.pp, p.domains_per_replica) for p in small.plans} == {(2, 2)}
    assert all(p.scale_out_other_need_gbps > across.scale_out_other_need_gbps for p in small.plans)


def test_order_and_repetition_of_offers_change_nothing_but_the_order() -> None:
    once = plan(ask(tpot_ms=40.0), (HGX, NVL))
    again = plan(ask(tpot_ms=40.0), (NVL, HGX, NVL))
    assert set(once.plans) == set(again.plans)
    assert once.plans == plan(ask(tpot_ms=40.0), (HGX, NVL)).plans


@pytest.mark.parametrize("serve", ["decode", "prefill", "together"])
def test_wider_offers_never_serve_less(serve: str) -> None:
    instance = ask(serve=serve, tpot_ms=40.0)
    for wider in (replace(NVL, scale_up_gbps=14400.0), replace(NVL, nic_gbps=1600.0)):

        def best(offer: DomainOffer) -> float:
            return max(p.tokens_per_s_per_accelerator for p in plan(instance, (offer,)).plans)

        assert best(wider) >= best(NVL)


def test_a_hundred_offers_take_less_than_a_second() -> None:
    offers = [
        DomainOffer(name, size, up * share, "nic", 1, rate)
        for name, up in (("gb200_nvl72", 7200.0), ("gb300_nvl72", 7200.0), ("vr200_nvl72", 14400.0), ("mi355x", 4284.0))
        for size in (8, 16, 32, 64, 72)
        for share in (1.0, 0.5)
        for rate in (400.0, 800.0, 1600.0)
    ][:100]
    for serve in ("decode", "prefill", "together"):
        start = time.process_time()
        found = plan(ask(serve=serve, tpot_ms=40.0, ttft_ms=2000.0), offers)
        assert time.process_time() - start < 1.0
        assert found.plans


# ---- refusals ----------------------------------------------------------------------------------------------------


def test_each_refusal_says_what_was_missed_and_by_how_much() -> None:
    tight = plan(ask(tpot_ms=3.0), (HGX,))
    assert not tight.plans
    miss = tight.unmet["h200_sxm"]
    assert (miss.reason, miss.unit, miss.limit) == ("tpot", "ms", 3.0)
    assert miss.best is not None
    assert 3.0 < miss.best < 15.0
    assert f"{miss.best:.4g} ms" in miss.message
    reachable = plan(ask(tpot_ms=miss.best * (1 + 1e-9)), (HGX,))
    assert reachable.plans

    one = plan(ask({"tensor_parallel": (1,)}, llm="llama31_405b"), (ALONE,)).unmet["h200_sxm"]
    assert (one.reason, one.unit) == ("memory", "GB")
    assert one.best is not None
    assert one.limit is not None
    assert one.best > one.limit

    int8 = plan(ask(), (DomainOffer("ascend_910c", 384, 3136.0, "x", 1, 400.0),)).unmet["ascend_910c"]
    assert int8.reason == "precision"
    assert "INT8" in int8.message

    slow = plan(ask(serve="prefill", ttft_ms=100.0), (HGX,)).unmet["h200_sxm"]
    assert (slow.reason, slow.limit) == ("ttft", 100.0)
    best = slow.best
    assert best is not None
    assert plan(ask(serve="prefill", ttft_ms=best * (1 + 1e-9)), (HGX,)).plans
    assert not plan(ask(serve="prefill", ttft_ms=best * (1 - 1e-6)), (HGX,)).plans

    odd = plan(ask({"tensor_parallel": (3,)}), (HGX,)).unmet["h200_sxm"]
    assert odd.reason == "layout"
    assert "choose.tensor_parallel (3)" in odd.message

    cut_off = plan(ask(), (replace(HGX, nics=0, nic_gbps=0.0),)).unmet["h200_sxm"]
    assert cut_off.reason == "bandwidth"


def test_an_accelerator_with_plans_is_not_called_unmet() -> None:
    found = plan(ask(tpot_ms=8.0), (HGX, NVL))
    served = {p.accelerator for p in found.plans}
    assert served
    assert served.isdisjoint(found.unmet)
    assert served | set(found.unmet) == {"h200_sxm", "gb200_nvl72"}


def test_wrong_questions_are_input_errors() -> None:
    with pytest.raises(InputError, match=r"deepseek_v9.*LLMs of the catalogue"):
        plan(ask(llm="deepseek_v9"), (HGX,))
    with pytest.raises(InputError, match="abacus"):
        plan(ask(), (replace(HGX, accelerator="abacus"),))
    with pytest.raises(InputError, match="accepted_tokens"):
        plan(ask(draft_tokens=1, accepted_tokens=1.5), (HGX,))
    with pytest.raises(InputError, match="prefix_hit_share"):
        plan(ask(serve="prefill", prefix_hit_share=1.0), (HGX,))
    assert plan(ask(prefix_hit_share=1.0), (HGX,)).plans


@given(st.floats(1e-3, 1e6))
def test_limits_in_seconds_never_exceed_the_stated_milliseconds(limit_ms: float) -> None:
    seconds = seconds_within(limit_ms)
    assert Fraction(repr(seconds)) * 1000 <= Fraction(repr(limit_ms))
    assert seconds == pytest.approx(limit_ms / 1000, rel=1e-15)


# ---- measured points ---------------------------------------------------------------------------------------------

GOOD = {"pool": "chat", "accelerator": "h200_sxm", "domain_size": "8", "tp": "1", "dp": "8", "ep": "8", "pp": "1",
        "batch": "32", "two_batch_overlap": "false", "all_to_all": "direct", "tokens_per_s_per_accelerator": "700",
        "step_ms": "45", "memory_gb": "120", "tpot_ms": "45", "ttft_ms": "", "scale_up_need_gbps": "900",
        "scale_out_ep_need_gbps": "0", "scale_out_other_need_gbps": "3.5"}  # fmt: skip


def write(path: Path, rows: Sequence[dict[str, str]], header: Sequence[str] = COLUMNS) -> Path:
    lines = [",".join(header), *(",".join(row.get(name, "") for name in header) for row in rows)]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def with_points(rows: Sequence[dict[str, str]], tmp_path: Path, offers: Sequence[DomainOffer], **work: Any) -> PlanSet:
    instance = ask(**work)
    points = read_measured(write(tmp_path / "points.csv", rows), instance, CATALOGUE)
    return enumerate_plans(pools_of(instance)[0], CATALOGUE, instance, offers, points)


def test_measured_points_replace_the_model(tmp_path: Path) -> None:
    found = with_points([GOOD], tmp_path, (HGX, NVL))
    own = [p for p in found.plans if p.accelerator == "h200_sxm"]
    assert [(p.measured, p.tokens_per_s_per_accelerator, p.tpot_s, p.batch) for p in own] == [(True, 700.0, 0.045, 32)]
    assert own[0].memory_bytes == 120e9
    assert (own[0].replicas_per_domain, own[0].domains_per_replica) == (1, 1)
    assert any(not p.measured for p in found.plans if p.accelerator == "gb200_nvl72")
    assert found.enumerated == len(found.plans) + found.dominated + sum(found.rejected.values())


@pytest.mark.parametrize(
    ("row", "work", "reason"),
    [
        ({}, {"tpot_ms": 40.0}, "tpot"),
        ({"scale_up_need_gbps": "3601"}, {}, "bandwidth"),
        ({"domain_size": "16"}, {}, "layout"),
    ],
)
def test_measured_points_that_cannot_be_placed_say_why(row, work, reason: str, tmp_path: Path) -> None:
    found = with_points([GOOD | row], tmp_path, (HGX,), **work)
    assert not found.plans
    assert found.unmet["h200_sxm"].reason == reason


def test_all_mistakes_of_a_file_are_reported_at_once(tmp_path: Path) -> None:
    rows = [
        GOOD | {"pool": "nobody"},
        GOOD | {"tp": "1.5", "batch": "0"},
        GOOD | {"tp": "5"},
        GOOD | {"step_ms": "inf", "tpot_ms": "", "ttft_ms": "12"},
        GOOD | {"two_batch_overlap": "perhaps", "scale_up_need_gbps": "-1"},
    ]
    with pytest.raises(InputError) as error:
        read_measured(write(tmp_path / "points.csv", rows), ask(), CATALOGUE)
    keys = [problem.key for problem in error.value.problems]
    assert keys == [
        "line 2, pool", "line 3, tp", "line 3, batch", "line 4, tp", "line 5, step_ms", "line 5, tpot_ms",
        "line 5, ttft_ms", "line 6, scale_up_need_gbps", "line 6, two_batch_overlap",
    ]  # fmt: skip
    assert all(problem.file.endswith("points.csv") for problem in error.value.problems)


def test_wrong_columns_and_unreadable_files(tmp_path: Path) -> None:
    short = [name for name in COLUMNS if name != "tp"]
    with pytest.raises(InputError, match="tp: read no such column"):
        read_measured(write(tmp_path / "a.csv", [GOOD], short), ask(), CATALOGUE)
    with pytest.raises(InputError, match="colour"):
        read_measured(write(tmp_path / "b.csv", [GOOD], [*COLUMNS, "colour"]), ask(), CATALOGUE)
    with pytest.raises(InputError, match="readable"):
        read_measured(tmp_path / "none.csv", ask(), CATALOGUE)
    crowded = write(tmp_path / "c.csv", [GOOD])
    crowded.write_text(crowded.read_text().rstrip("\n") + ",1\n")
    with pytest.raises(InputError, match="more cells than columns"):
        read_measured(crowded, ask(), CATALOGUE)
