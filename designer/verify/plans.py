"""The serving plan of a pool against the pool it runs on and the limits of its workload (section 6)."""

from __future__ import annotations

from designer.design.types import PoolDesign
from designer.instance.schema import Fleet, Instance
from designer.verify.demand import Asked
from designer.verify.exact import exact, ratio_up
from designer.verify.findings import Findings
from designer.verify.rows import NicRow


def check_plan(found: Findings, pool: PoolDesign, asked: Asked, nic: NicRow, instance: Instance) -> None:
    """Check that the plan is for this pool's hardware, hangs together and keeps the latency limits."""
    plan, place = pool.plan, f"pool {pool.name}, plan"
    llm = "" if isinstance(asked.demand, Fleet) else asked.demand.llm
    for what, stated, needed in (
        # A part runs a plan of its pool.
        ("pool", plan.pool, pool.name if plan.pool == pool.name else pool.pool),
        ("phase", plan.phase, asked.phase),
        ("llm", plan.llm, llm),
        ("accelerator", plan.accelerator, pool.accelerator),
        ("domain size", plan.domain_size, pool.domain_size),
        ("nic", plan.nic, pool.nic),
    ):
        found.equal("plan_hardware", place, stated, needed, f"the plan's {what} is the pool's")
    found.equal("pool_workload", f"pool {pool.name}", pool.workload, asked.owner, "workload of the pool")
    found.equal("pool_phase", f"pool {pool.name}", pool.phase, asked.phase, "phase of the pool")
    rate = plan.nics * nic.rate_gbps
    found.equal("plan_nic_rate", place, exact(plan.nic_gbps), rate, "NICs times their rate")
    degrees = {"tp": plan.tp, "dp": plan.dp, "pp": plan.pp, "ep": plan.ep, "batch": plan.batch}
    small = [what for what, degree in degrees.items() if degree < 1]
    found.holds("plan_degrees", place, not small, ", ".join(small), "at least 1", "parallel degrees and batch")
    replica = plan.tp * plan.dp * plan.pp
    found.equal("plan_replica", place, plan.accelerators_per_replica, replica, "tp * dp * pp")
    size = pool.domain_size
    if replica >= 1 and size >= 1:
        whole, spread = (size // replica, 1) if replica <= size else (1, ratio_up(replica, size))
        found.equal("plan_placement", place, plan.replicas_per_domain, whole, "replicas per domain")
        found.equal("plan_placement", place, plan.domains_per_replica, spread, "domains per replica")
    if isinstance(asked.demand, Fleet):
        _fleet(found, pool, asked.demand)
        return
    allowed = instance.choose.tensor_parallel
    found.holds("plan_tp", place, plan.tp in allowed, plan.tp, allowed, "tensor-parallel degrees of the instance")
    overlaps = instance.choose.two_batch_overlap
    found.holds("plan_overlap", place, plan.two_batch_overlap in overlaps, plan.two_batch_overlap, overlaps, "overlap")
    if plan.measured:
        points = instance.measured_points is not None
        found.holds("plan_measured", place, points, "measured", "no measured points", "the instance names no points")
        allowance, message = plan.latency_allowance_us, "measured behind the user's own fabric"
        found.holds("plan_latency_allowance", place, allowance is None, allowance, "none", message)
    _latency(found, pool, asked)


def _fleet(found: Findings, pool: PoolDesign, fleet: Fleet) -> None:
    """Check that a fleet's plan says what the instance asks for, and nothing of a token model (section 6.2)."""
    plan, place = pool.plan, f"pool {pool.name}, plan"
    for what, stated, needed in (
        ("accelerators of a job", plan.accelerators_per_replica, fleet.job_accelerators),
        ("degree dp", plan.dp, fleet.job_accelerators),
        ("degree tp", plan.tp, 1),
        ("degree ep", plan.ep, 1),
        ("degree pp", plan.pp, 1),
        ("batch", plan.batch, 1),
        ("overlap", plan.two_batch_overlap, False),
        ("all-to-all", plan.all_to_all, "direct"),
        ("step", exact(plan.step_s), 1),
        ("time per token", "none" if plan.tpot_s is None else plan.tpot_s, "none"),
        ("time to first token", "none" if plan.ttft_estimate_s is None else plan.ttft_estimate_s, "none"),
        ("rate per accelerator", exact(plan.tokens_per_s_per_accelerator), 1),
        ("memory", exact(plan.memory_bytes), 0),
        ("Gb/s in the domain", exact(plan.scale_up_need_gbps), exact(fleet.scale_up_gbps)),
        ("Gb/s of experts", exact(plan.scale_out_ep_need_gbps), 0),
        ("Gb/s outside the domain", exact(plan.scale_out_other_need_gbps), exact(fleet.scale_out_gbps)),
        ("measured points", plan.measured, False),
        ("latency allowance", "none" if plan.latency_allowance_us is None else plan.latency_allowance_us, "none"),
    ):
        found.equal("plan_fleet", place, stated, needed, f"a fleet's plan: {what}")
    room = exact(plan.nic_gbps)
    asked = exact(fleet.scale_out_gbps)
    found.holds("fleet_scale_out", place, asked <= room, asked, f"at most {room}", "Gb/s asked outside, of the NICs")


def _latency(found: Findings, pool: PoolDesign, asked: Asked) -> None:
    plan, work, place = pool.plan, asked.workload, f"pool {pool.name}, plan"
    for rule, limit_ms, seconds, missing in (
        ("plan_tpot", work.tpot_ms, plan.tpot_s, asked.phase != "prefill"),
        ("plan_ttft", work.ttft_ms, plan.ttft_estimate_s, asked.phase != "decode"),
    ):
        if seconds is None:
            found.holds(rule, place, not missing, "none", "a time", "the phase has this latency")
        elif limit_ms is not None:
            held = exact(seconds) * 1000 <= exact(limit_ms)
            found.holds(rule, place, held, f"{seconds * 1000} ms", f"at most {limit_ms} ms", "latency limit")
