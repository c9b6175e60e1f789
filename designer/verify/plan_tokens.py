"""Holds a serving plan's times, tokens, memory and needs against the token model's (its sections 4, 6, 7)."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, inf, isclose

from designer.catalogue import Accelerator, Catalogue
from designer.demand.plan import ServingPlan
from designer.design.types import PoolDesign
from designer.instance.schema import Instance
from designer.verify.demand import Asked
from designer.verify.findings import Findings
from designer.verify.tokens import Chip, Model, Step, Ways, efficiencies, numbers_of, shape_of

TOLERANCE = 1e-6
"""Two implementations in double precision agree far better than this; no rule hangs on less."""

LIMIT_TOLERANCE = 1e-9
"""Slack of memory and traffic limits, which the largest batch may meet exactly."""

ALLOWANCES_US = (0, 2, 4, 8, 16)
LARGEST_PASS = 16_384
KV_STEPS = 64
FORMATS = ("bf16", "fp8", "fp4", "mxfp4")


@dataclass(frozen=True)
class Achieved:
    """What the model gives for a plan, per accelerator; ``carried`` is the mean byte/s out of the domain.

    ``other_need`` and ``ttft`` have two values where rounding up hangs on the last bit.
    """

    step: float
    tokens: float
    tpot: float | None
    ttft: tuple[float, float] | None
    memory: float
    scale_up_need: float
    ep_need: float
    other_need: tuple[float, float]
    carried: float


def check_tokens(found: Findings, pool: PoolDesign, asked: Asked, catalogue: Catalogue, instance: Instance) -> None:
    """Recompute a plan from the LLM, the accelerator and the workload, and report where it differs."""
    place, plan = f"pool {pool.name}, plan", pool.plan
    llm = catalogue.llms.get(asked.workload.llm)
    if llm is None:
        found.add("unknown_part", place, asked.workload.llm, "an LLM of the catalogue", "no such LLM")
        return
    work = asked.workload
    eff = efficiencies(instance.efficiency)
    accelerator = catalogue.accelerators[pool.accelerator]
    chip = _chip(found, place, accelerator, plan, instance)
    precision = llm.dtype if work.precision == "native" else work.precision
    if chip is None or not found.holds(
        "plan_precision", place, precision in FORMATS, precision, ", ".join(FORMATS), "number format"
    ):
        return
    numbers = numbers_of(precision, chip)
    needed = {"bf16", numbers.projections_in, numbers.feed_in}
    lacking = ", ".join(sorted(needed - set(chip.flops)))
    if not found.holds("plan_precision", place, not lacking, lacking, "known peaks", f"formats of {pool.accelerator}"):
        return
    shape = shape_of(llm)
    ways = Ways(
        t=plan.tp,
        D=plan.dp,
        e=plan.ep,
        pp=plan.pp,
        N=plan.accelerators_per_replica,
        S=plan.domain_size,
        two_batches=plan.two_batch_overlap,
        hierarchical=plan.all_to_all == "hierarchical",
        kv_bytes=work.kv_bytes,
        prompt=work.prompt_tokens,
        output=work.output_tokens,
        hit=work.prefix_hit_share,
        drafts=work.draft_tokens,
        allowance_us=plan.latency_allowance_us,
    )
    if not _layout(found, place, plan, shape.moe_layers > 0, shape.heads, shape.experts, shape.layers):
        return
    if asked.phase != "decode" and work.prefix_hit_share >= 1:
        found.add("plan_layout", place, work.prefix_hit_share, "less than 1", "nothing is left to prefill")
        return
    if not found.holds(
        "plan_finite", place, plan.nic_gbps > 0, plan.nic_gbps, "above 0", "bandwidth out of the domain"
    ):
        return
    model = Model(shape, chip, numbers, ways, eff)
    _allowance(found, place, plan, crosses=model.waits_on_the_fabric)
    _compare(found, place, plan, _achieved(model, plan, asked), model, accelerator, instance)


def _chip(found: Findings, place: str, row: Accelerator, plan: ServingPlan, instance: Instance) -> Chip | None:
    level = instance.level
    peaks = {"bf16": row.dense_tflops.bf16, "fp8": row.dense_tflops.fp8, "fp4": row.dense_tflops.fp4}
    known = {name: figure.at(level) for name, figure in peaks.items()}
    memory = row.hbm_gbs.at(level)
    lacking = [name for name, figure in (("hbm_gbs", row.hbm_gbs), ("hbm_gb", row.hbm_gb)) if not figure.at(level)]
    if memory is None or lacking:
        message = f"the token model needs {' and '.join(lacking)}"
        found.add("figure_unknown", f"accelerator {row.id}", "unknown", "a number", message)
        return None
    return Chip(
        flops={name: peak * 1e12 for name, peak in known.items() if peak},
        hbm=memory * 1e9,
        scale_up=plan.scale_up_gbps * 1e9 / 8,
        nics=plan.nic_gbps * 1e9 / 8,
    )


def _layout(found: Findings, place: str, plan: ServingPlan, moe: bool, heads: int, experts: int, layers: int) -> bool:
    """Check that an LLM can be spread like this (section 7); which of the possible ways is best, is not asked."""
    replica, size, t = plan.accelerators_per_replica, plan.domain_size, plan.tp
    if min(plan.tp, plan.dp, plan.ep, plan.pp, plan.batch, replica, size) < 1:
        return False
    domains = ceil(replica / size)
    conditions = {
        f"tp {t} divides {heads} heads": heads % t == 0,
        f"tp {t} stays in a domain of {size}": t <= size,
        "two-batch overlap needs two accelerators and a batch of two": not plan.two_batch_overlap
        or (replica > 1 and plan.batch >= 2),
        f"a pass has at most {LARGEST_PASS} tokens": plan.phase != "prefill" or plan.batch <= LARGEST_PASS,
        f"a replica of {replica} spreads evenly over {domains} domains": replica % domains == 0,
    }
    if moe:
        conditions["experts spread over all accelerators of a replica"] = plan.ep == replica and plan.pp == 1
        conditions[f"at most {experts} ranks hold experts"] = plan.ep <= experts
        conditions["tensor-parallel groups stay in a domain"] = replica // domains % t == 0
    else:
        conditions["dense LLMs have no expert or attention-data ranks"] = plan.ep == 1 and plan.dp == 1
        conditions[f"pp {plan.pp} is 1, 2 or 4 and divides {layers} layers"] = (
            plan.pp in (1, 2, 4) and layers % plan.pp == 0
        )
    broken = [what for what, held in conditions.items() if not held]
    return found.holds("plan_layout", place, not broken, "not so", "; ".join(broken), "how the LLM is spread")


def _allowance(found: Findings, place: str, plan: ServingPlan, *, crosses: bool) -> None:
    """Check that a plan names one of the listed allowances if an exchange crosses domains, and else none (6.1)."""
    stated = plan.latency_allowance_us
    shown = "none" if stated is None else stated
    if crosses:
        listed = ", ".join(map(str, ALLOWANCES_US))
        message = "latency allowance of exchanges across domains"
        found.holds("plan_latency_allowance", place, stated in ALLOWANCES_US, shown, f"one of {listed}", message)
    else:
        found.holds("plan_latency_allowance", place, stated is None, shown, "none", "no exchange crosses domains")


def _achieved(model: Model, plan: ServingPlan, asked: Asked) -> Achieved:
    work, eff, b, t = asked.workload, model.eff, plan.batch, plan.tp
    gain = 1 + work.accepted_tokens
    computed = work.prompt_tokens * (1 - work.prefix_hit_share)
    if asked.phase == "prefill":
        one = model.step("prefill", b)
        tokens = b / (one.seconds * t)
        kv = tokens / (1 - work.prefix_hit_share) * model.cache_bytes
        waits = eff["ttft_wait_passes"]
        ttft = [(passes + waits) * one.seconds + eff["ttft_overhead_s"] for passes in _up(computed / b)]
        steps, tpot, step, carried = [one], None, one.seconds, one.outside / one.seconds + kv
    else:
        one = model.step("decode", b)
        steps, step, out, ttft, kv = [one], one.seconds, one.outside, [], 0.0
        if asked.phase == "together":
            # Every sequence in the batch brings its share of a prompt to be computed in between.
            prompt = model.step("prefill", computed)
            share = b * gain / work.output_tokens
            step += share * prompt.seconds
            out += share * prompt.outside
            ttft = [prompt.seconds + one.seconds + eff["ttft_overhead_s"]] * 2
            steps.append(prompt)
        tokens, tpot = b * gain / (step * t), step / gain
        if asked.phase == "decode":
            kv = tokens * (work.prompt_tokens / work.output_tokens) * model.cache_bytes
        carried = out / step + kv
    needs = [_needs(model, one) for one in steps]
    stride = plan.nic_gbps / KV_STEPS
    mean = [steps * stride for steps in _up(kv / eff["scale_out"] * 8 / 1e9 / stride)]
    other = max(need[2] for need in needs)
    return Achieved(
        step=step,
        tokens=tokens,
        tpot=tpot,
        ttft=(ttft[0], ttft[1]) if ttft else None,
        memory=model.memory("prefill" if asked.phase == "prefill" else "decode", b, sends=asked.phase == "prefill"),
        scale_up_need=max(need[0] for need in needs),
        ep_need=max(need[1] for need in needs),
        other_need=(other + mean[0], other + mean[1]),
        carried=carried,
    )


def _up(quotient: float) -> tuple[int, int]:
    """Round up; both neighbours where the quotient is a whole number but for the last bits."""
    return ceil(quotient * (1 - LIMIT_TOLERANCE)), ceil(quotient * (1 + LIMIT_TOLERANCE))


def _needs(model: Model, step: Step) -> tuple[float, float, float]:
    """Gb/s that inside, expert and other traffic need while a step communicates."""
    if step.transfer == 0:
        return 0.0, 0.0, 0.0

    def need(amount: float, efficiency: float, rate: float) -> float:
        return min(amount / (efficiency * step.transfer), rate) * 8 / 1e9

    up, out = model.eff["scale_up"], model.eff["scale_out"]
    return (
        need(step.inside, up, model.chip.scale_up),
        need(step.outside_experts, out, model.chip.nics),
        need(step.outside_other, out, model.chip.nics),
    )


def _compare(
    found: Findings,
    place: str,
    plan: ServingPlan,
    model_gives: Achieved,
    model: Model,
    accelerator: Accelerator,
    instance: Instance,
) -> None:
    gives = model_gives
    values: tuple[tuple[str, float | None, tuple[float, ...] | None, str], ...] = (
        ("plan_step", plan.step_s, (gives.step,), "seconds of a step or pass"),
        ("plan_tokens", plan.tokens_per_s_per_accelerator, (gives.tokens,), "tokens/s per accelerator"),
        ("plan_tpot_time", plan.tpot_s, None if gives.tpot is None else (gives.tpot,), "seconds per output token"),
        ("plan_ttft_time", plan.ttft_estimate_s, gives.ttft, "seconds to the first token"),
        ("plan_memory", plan.memory_bytes, (gives.memory,), "bytes of weights and caches"),
        ("plan_scale_up_need", plan.scale_up_need_gbps, (gives.scale_up_need,), "Gb/s needed in the domain"),
        ("plan_ep_need", plan.scale_out_ep_need_gbps, (gives.ep_need,), "Gb/s of expert traffic needed outside"),
        ("plan_other_need", plan.scale_out_other_need_gbps, gives.other_need, "Gb/s of other traffic needed outside"),
    )
    for rule, stated, recounted, what in values:
        near = (
            stated is None
            if recounted is None
            else stated is not None
            and any(isclose(stated, value, rel_tol=TOLERANCE, abs_tol=1e-12) for value in recounted)
        )
        shown = "none" if recounted is None else recounted[0]
        found.holds(rule, place, near, "none" if stated is None else stated, shown, what)
    found.holds("plan_finite", place, gives.step < inf, gives.step, "finite", "traffic meets a link of no bandwidth")
    eff = model.eff
    hbm = accelerator.hbm_gb.at(instance.level) or 0.0
    usable = eff["memory_use"] * hbm * 1e9 - eff["memory_reserve_bytes"]
    fits = gives.memory <= usable * (1 + LIMIT_TOLERANCE)
    found.holds("plan_memory_limit", place, fits, gives.memory, f"at most {usable}", "memory of the accelerator")
    most = eff["scale_out"] * model.chip.nics
    carried = gives.carried <= most * (1 + LIMIT_TOLERANCE)
    found.holds("plan_mean_traffic", place, carried, gives.carried, f"at most {most}", "mean byte/s through the NICs")
