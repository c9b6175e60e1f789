"""Enumerate the serving plans of a pool on the hardware on offer."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import fields
from itertools import starmap
from typing import Any

import numpy as np
from numpy.typing import NDArray

from designer.catalogue import Catalogue
from designer.demand.efficiency import load_efficiency
from designer.demand.fleets import fleet_plans
from designer.demand.hardware import Chip, Precision, PrecisionUnsupportedError, chip_of, precision_for
from designer.demand.llm import shape_of
from designer.demand.measured import MeasuredPoint, measured_plans
from designer.demand.misses import ORDER, layout_miss, nearest_miss, precision_miss, reasons_of
from designer.demand.offers import DomainOffer, NearMiss, PlanSet
from designer.demand.phases import Limits, Outcome, Task, select
from designer.demand.plan import ServingPlan
from designer.demand.points import Bools, Ints, rates_of
from designer.demand.prune import peak_demand, prune_dominated, replicas_for, undominated
from designer.demand.traffic import crosses_domains
from designer.demand.ways import best_batch, needed_pipelines, ways_of
from designer.instance.pools import Pool
from designer.instance.schema import Instance
from designer.problems import InputError, Problem


def enumerate_plans(
    pool: Pool,
    catalogue: Catalogue,
    instance: Instance,
    offers: Sequence[DomainOffer],
    measured: Sequence[MeasuredPoint] = (),
    *,
    prune: bool = True,
    allowances: Sequence[float] = (0.0,),
) -> PlanSet:
    """List the plans that serve a pool within memory, latency limits and NIC bandwidth.

    Per offer: every tensor-parallel degree of the instance that divides the heads and stays in the domain; replica
    sizes by `layouts`; two-batch overlap as the instance allows (from batch 2 on); direct and hierarchical
    all-to-all; the largest batch that meets every limit, to one sequence (`best_batch` says why no smaller one). A
    feasible plan keeps its memory, TPOT and TTFT limits, uses no link that does not exist, and its
    mean traffic out of the domain, KV caches included, is at most the NIC rate times its efficiency. Where a dispatch,
    combine or all-reduce crosses domains, the way is tried at every latency allowance, else once at None.
    A fleet has one plan on every offer with the bandwidth it asks for (`fleet_plans`).

    Parameters
    ----------
    pool
        The pool to be served.
    catalogue
        Gives LLM and accelerators.
    instance
        Gives level, efficiency set and choices.
    offers
        Hardware; equal offers count once.
    measured
        The user's own points; on an accelerator that has some for this pool they replace the model.
    prune
        Whether to drop plans by exact dominance (`prune_dominated`).
    allowances
        Latency allowances to list, in microseconds; `LATENCY_ALLOWANCES_US` has those that docs/rules.md knows.

    Returns
    -------
    PlanSet

    Raises
    ------
    InputError
        If the LLM or an accelerator is not in the catalogue, if more draft tokens are accepted than made, or if a
        pool with prefill has nothing to compute because everything is cached.
    ValueError
        If there is no allowance, or one that is negative or not finite.
    """
    if pool.fleet is not None:
        return fleet_plans(pool, pool.fleet, offers)
    _check(pool, catalogue, offers)
    if not allowances or not all(0.0 <= allowance < math.inf for allowance in allowances):
        raise ValueError(f"allowances: read {tuple(allowances)}; allowed: at least one, each finite and not negative")
    distinct = tuple(dict.fromkeys(offers))
    own = [point for point in measured if point.pool == pool.name]
    owned = {point.accelerator for point in own}
    modelled = [offer for offer in distinct if offer.accelerator not in owned]
    found = _modelled(pool, catalogue, instance, modelled, allowances, prune=prune)
    if not own:
        return found
    extra = measured_plans(own, pool, [offer for offer in distinct if offer.accelerator in owned])
    plans = prune_dominated(extra.plans, pool) if prune else extra.plans
    counts: dict[str, int] = {
        reason: found.rejected.get(reason, 0) + extra.rejected.get(reason, 0)
        for reason in ORDER
        if reason in found.rejected or reason in extra.rejected
    }
    return PlanSet(
        pool=pool.name,
        plans=(*found.plans, *plans),
        enumerated=found.enumerated + extra.enumerated,
        dominated=found.dominated + len(extra.plans) - len(plans),
        rejected=counts,
        unmet={**found.unmet, **extra.unmet},
    )


def _check(pool: Pool, catalogue: Catalogue, offers: Sequence[DomainOffer]) -> None:
    work = pool.workload
    problems = []
    if work.llm not in catalogue.llms:
        known = "LLMs of the catalogue: " + ", ".join(sorted(catalogue.llms))
        problems.append(Problem("instance", f"workload {work.name}: llm", work.llm, known))
    for name in sorted({offer.accelerator for offer in offers} - set(catalogue.accelerators)):
        problems.append(Problem("instance", "accelerator", name, "allowed: an accelerator of the catalogue"))
    if work.accepted_tokens > work.draft_tokens:
        allowed = f"allowed: at most the {work.draft_tokens} draft tokens of a step"
        read = f"{work.accepted_tokens:g}"
        problems.append(Problem("instance", f"workload {work.name}: accepted_tokens", read, allowed))
    if pool.phase != "decode" and work.prefix_hit_share >= 1.0:
        allowed = "allowed: below 1, or serve the workload with 'decode': with every token cached nothing is prefilled"
        problems.append(Problem("instance", f"workload {work.name}: prefix_hit_share", "1", allowed))
    if problems:
        raise InputError(problems)


def _modelled(
    pool: Pool,
    catalogue: Catalogue,
    instance: Instance,
    offers: Sequence[DomainOffer],
    allowances: Sequence[float],
    *,
    prune: bool,
) -> PlanSet:
    row = catalogue.llms[pool.workload.llm]
    shape, efficiency = shape_of(row), load_efficiency(instance.efficiency)
    offer, points = ways_of(shape, instance.choose, offers, allowances)
    chips, unmet = _supported(pool, catalogue, instance, offers)
    runs = np.asarray([o.accelerator in chips for o in offers], dtype=np.bool_)[offer]
    unsupported = int((~runs).sum())
    rejected: dict[str, int] = {"precision": unsupported} if unsupported else {}
    for name in {o.accelerator for o in offers} & set(chips) - {offers[i].accelerator for i in np.unique(offer)}:
        degrees = ", ".join(str(degree) for degree in instance.choose.tensor_parallel)
        unmet[name] = layout_miss(
            name,
            f"no layout for pool {pool.name}: of choose.tensor_parallel ({degrees}) none divides the "
            f"{shape.heads} heads of {pool.workload.llm} and fits the domains on offer",
        )
    if not runs.any():
        return PlanSet(pool.name, (), unsupported, 0, rejected, unmet)

    names = list(chips)
    offer = offer[runs]
    chip = np.asarray([names.index(o.accelerator) if o.accelerator in chips else -1 for o in offers])[offer]
    rates = rates_of(list(chips.values()), efficiency).take(chip)
    memory = np.asarray([part.hbm_bytes for part, _ in chips.values()])[chip]
    precision = next(iter(chips.values()))[1]  # formats differ between chips, bytes do not
    task = Task(pool, shape, precision, efficiency, points.take(runs), rates, memory)
    needed = needed_pipelines(task)
    task, offer, chip = task.take(needed), offer[needed], chip[needed]

    limits = Limits.of(pool)
    batch, nearest = best_batch(task, limits)
    hopeless = batch == 0
    if hopeless.any():
        failed, tried, parts = task.take(hopeless), nearest[hopeless], chip[hopeless]
        reached = failed.evaluate(tried)
        reasons = reasons_of(failed, limits, tried, reached)
        for number, reason in enumerate(ORDER):
            if (reasons == number).any():
                rejected[reason] = int((reasons == number).sum())
        for number, name in enumerate(names):
            mine = parts == number
            if mine.any() and bool(hopeless[chip == number].all()):
                found = (tried[mine], select(reached, mine), reasons[mine])
                unmet[name] = nearest_miss(name, failed.take(mine), limits, *found)
    way = np.flatnonzero(~hopeless)
    outcome = task.take(way).evaluate(batch[way])
    keep = np.ones(len(way), dtype=np.bool_)
    if prune:
        keep = _undominated(task, offer[way], way, outcome, offers)
    total = unsupported + len(task.points)
    kept = way[keep]
    plans = _serving_plans(task, kept, batch[kept], select(outcome, keep), [offers[i] for i in offer[kept]])
    return PlanSet(pool.name, plans, total, int((~keep).sum()), rejected, unmet)


def _supported(
    pool: Pool, catalogue: Catalogue, instance: Instance, offers: Sequence[DomainOffer]
) -> tuple[dict[str, tuple[Chip, Precision]], dict[str, NearMiss]]:
    """Accelerators with every number format the LLM needs, and the reason for the others."""
    row, work = catalogue.llms[pool.workload.llm], pool.workload
    chips: dict[str, tuple[Chip, Precision]] = {}
    unmet: dict[str, NearMiss] = {}
    for name in dict.fromkeys(offer.accelerator for offer in offers):
        chip = chip_of(catalogue.accelerators[name], instance.level)
        try:
            chips[name] = (chip, precision_for(row.dtype, work.precision, work.kv_bytes, chip))
        except PrecisionUnsupportedError as error:
            unmet[name] = precision_miss(name, work.llm, str(error))
    return chips, unmet


def _undominated(task: Task, offer: Ints, way: Ints, outcome: Outcome, offers: Sequence[DomainOffer]) -> Bools:
    """Dominance of `prune_dominated`, on columns."""
    if not len(way):
        return np.ones(0, dtype=np.bool_)
    points = task.points.take(way)
    hardware: dict[tuple[Any, ...], int] = {}
    kinds = np.asarray(
        [
            hardware.setdefault((o.accelerator, o.domain_size, o.scale_up_gbps, o.nic, o.nics), len(hardware))
            for o in offers
        ]
    )
    _, groups = np.unique(np.stack([kinds[offer], points.replica]), axis=1, return_inverse=True)
    replicas = replicas_for(peak_demand(task.pool), outcome.tokens_per_s, points.replica)
    per_domain, spanned = _placement(points.replica, points.domain_size)
    domains = np.where(spanned > 1, replicas * spanned, -(-replicas // per_domain))
    needs = (outcome.up_need_gbps, outcome.expert_need_gbps, outcome.other_need_gbps)
    # Where nothing crosses, any fabric will do.
    allowed = np.where(crosses_domains(task.shape, points), points.latency_allowance_us, np.inf)
    return undominated(groups.reshape(-1), np.stack([domains, -outcome.tokens_per_s, *needs, -allowed], axis=1))


def _placement(replica: Ints, domain_size: Ints) -> tuple[Ints, Ints]:
    """Replicas per domain and domains per replica: ``floor(S/N)`` and 1 if N <= S, else 1 and ``ceil(N/S)``."""
    return np.maximum(domain_size // replica, 1), -(-replica // domain_size)


def _serving_plans(
    task: Task, way: Ints, batch: Ints, outcome: Outcome, hardware: Sequence[DomainOffer]
) -> tuple[ServingPlan, ...]:
    points = task.points.take(way)
    per_domain, spanned = _placement(points.replica, points.domain_size)
    whole: Mapping[str, NDArray[Any]] = {
        "tp": points.tp,
        "dp": points.dp,
        "ep": points.ep,
        "pp": points.pp,
        "batch": batch,
        "two_batch_overlap": points.two_batch_overlap,
        "accelerators_per_replica": points.replica,
        "replicas_per_domain": per_domain,
        "domains_per_replica": spanned,
        "step_s": outcome.step_s,
        "tokens_per_s_per_accelerator": outcome.tokens_per_s,
        "memory_bytes": outcome.memory_bytes,
        "scale_up_need_gbps": outcome.up_need_gbps,
        "scale_out_ep_need_gbps": outcome.expert_need_gbps,
        "scale_out_other_need_gbps": outcome.other_need_gbps,
    }
    phase, llm = task.pool.phase, task.pool.workload.llm
    hier = points.hierarchical.tolist()
    crosses = crosses_domains(task.shape, points).tolist()
    allowance = points.latency_allowance_us.tolist()
    columns: dict[str, Sequence[Any]] = {
        "pool": [task.pool.name] * len(way),
        "phase": [phase] * len(way),
        "llm": [llm] * len(way),
        **{field.name: [getattr(offer, field.name) for offer in hardware] for field in fields(DomainOffer)},
        **{name: column.tolist() for name, column in whole.items()},
        "tpot_s": outcome.tpot_s.tolist() if phase != "prefill" else [None] * len(way),
        "ttft_estimate_s": outcome.ttft_s.tolist() if phase != "decode" else [None] * len(way),
        "all_to_all": ["hierarchical" if mode else "direct" for mode in hier],
        "measured": [False] * len(way),
        "latency_allowance_us": [us if beyond else None for us, beyond in zip(allowance, crosses, strict=True)],
    }
    # Row by row in the order of the fields: of thousands of plans, keywords would take most of the time.
    return tuple(starmap(ServingPlan, zip(*(columns[field.name] for field in fields(ServingPlan)), strict=True)))
