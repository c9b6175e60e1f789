"""How much of a demand a given design serves: its whole domains dealt out to the pools, the best plan on each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import ceil

from designer.answer import Question
from designer.beside.hardware import Hardware
from designer.beside.result import PoolServed, Serving, Used
from designer.demand import LATENCY_ALLOWANCES_US, PlanSet, ServingPlan, enumerate_plans, load_efficiency, read_measured
from designer.demand.prune import peak_demand
from designer.instance.pools import Pool, pools_of
from designer.problems import InputError
from designer.verify.exact import exact

# Needs and capacities are decimals and quotients of them; a shortfall in the last digits is none.
_TOLERANCE = 1 + 1e-9
# Halvings of the range of shares: beyond the digits of a float.
_HALVINGS = 60


def serving_of(question: Question, hardware: Hardware) -> Serving:
    """Find the largest share of every demand that a given design serves.

    Whole domains are dealt out to the pools so that the least share of any pool is largest. On its domains a pool runs
    the plan that serves the most, among those of the demand model for this accelerator, domain and NIC whose
    traffic the network carries: what leaves a leaf is at most what the network carries of any permutation, with rails
    the domain has room to forward, and a plan that crosses domains bears the latency of the way (docs/rules.md 6, 7).

    Parameters
    ----------
    question
        The demand.
    hardware
        What plans may count on.
    """
    offer, notes = hardware.offer, list(hardware.notes)
    blank = Serving(
        None,
        hardware.why_not,
        offer.accelerator,
        offer.domain_size,
        hardware.domains,
        offer.scale_up_gbps,
        offer.nic_gbps,
        hardware.any_gbps,
        (),
        (),
        tuple(notes),
    )
    if hardware.why_not:
        return blank
    pools = pools_of(question.instance)
    try:
        found = [_plans(question, pool, hardware) for pool in pools]
    except InputError as error:
        return _with(blank, why_not=str(error.problems[0]))
    fitting = [_Fit.of(question, pool, plans, hardware) for pool, plans in zip(pools, found, strict=True)]
    if hardware.path_us is None and any(plan.latency_allowance_us is not None for fit in fitting for plan in fit.plans):
        most = max(LATENCY_ALLOWANCES_US)
        notes.append(
            f"the latency of the way through the network is not known: plans bear {most:g} us more than their reference"
        )
    dealt = _dealt(fitting, hardware.domains)
    served = tuple(fit.on(domains) for fit, domains in zip(fitting, dealt, strict=True))
    share = min((Fraction(row.served) / fit.asked for row, fit in zip(served, fitting, strict=True)), default=None)
    return _with(
        blank,
        share=None if share is None else float(share),
        pools=served,
        uses=tuple(_uses(fitting, served, hardware)),
        notes=tuple(notes),
    )


def _with(blank: Serving, **changes: object) -> Serving:
    return Serving(**{**vars(blank), **changes})


def _plans(question: Question, pool: Pool, hardware: Hardware) -> PlanSet:
    instance, catalogue, points = question.instance, question.catalogue, question.measured_points
    measured = read_measured(points, instance, catalogue) if points is not None else ()
    return enumerate_plans(pool, catalogue, instance, [hardware.offer], measured, allowances=LATENCY_ALLOWANCES_US)


@dataclass(frozen=True)
class _Fit:
    """The plans of a pool that a design can run; ``why_not`` where there is none."""

    pool: Pool
    asked: Fraction
    plans: tuple[ServingPlan, ...]
    why_not: str

    @classmethod
    def of(cls, question: Question, pool: Pool, found: PlanSet, hardware: Hardware) -> _Fit:
        """Keep the plans whose traffic the network carries in time; of equal replicas the one that serves the most."""
        reference = exact(load_efficiency(question.instance.efficiency).path_reference_us)
        best: dict[int, ServingPlan] = {}
        reasons: list[str] = []
        for plan in found.plans:
            reason = _in_the_way(plan, hardware, reference)
            if reason:
                reasons.append(reason)
                continue
            size = plan.accelerators_per_replica
            if size not in best or plan.tokens_per_s_per_accelerator > best[size].tokens_per_s_per_accelerator:
                best[size] = plan
        why_not = ""
        if not best:
            misses = [miss.message for miss in found.unmet.values()]
            why_not = (misses or reasons or [f"no plan for pool {pool.name}"])[0]
        return cls(pool, peak_demand(pool), tuple(best.values()), why_not)

    def needed(self, share: Fraction) -> int | None:
        """Fewest domains for a share of the demand; None where no plan serves it."""
        return min((_domains(plan, share * self.asked) for plan in self.plans), default=None)

    def on(self, domains: int) -> PoolServed:
        """What the pool serves on so many domains."""
        rows = [(_capacity(plan, domains), plan) for plan in self.plans]
        if not rows:
            return PoolServed(self.pool.name, domains, 0, 0.0, float(self.asked), None, self.why_not)
        # Of equal ones the first: plans come in a fixed order.
        (replicas, served), plan = max(rows, key=lambda row: row[0][1])
        return PoolServed(self.pool.name, domains, replicas, float(served), float(self.asked), plan, "")


def _in_the_way(plan: ServingPlan, hardware: Hardware, reference: Fraction) -> str:
    """Why the networks of a design do not carry a plan; empty where they do."""
    sent, leaving = _sent(plan), _leaving(plan, hardware)
    if hardware.any_gbps is not None and leaving > hardware.any_gbps * _TOLERANCE:
        return (
            f"a plan sends {leaving:,.4g} Gb/s per accelerator out of its leaf, the network carries "
            f"{hardware.any_gbps:,.4g} Gb/s of any permutation"
        )
    room = _inside(plan, hardware)
    if room > plan.scale_up_gbps * _TOLERANCE:
        forwarded = (1 - 1 / hardware.rails) * sent
        return (
            f"a plan needs {room:,.4g} Gb/s inside the domain, {forwarded:,.4g} of them for other rails; "
            f"the domain has {plan.scale_up_gbps:,.4g}"
        )
    allowance = plan.latency_allowance_us
    if allowance is None:
        return ""
    bears = exact(allowance) if hardware.path_us is not None else exact(max(LATENCY_ALLOWANCES_US))
    if hardware.path_us is None:
        return "" if exact(allowance) == bears else "a plan bears less latency than is assumed"
    if hardware.path_us > reference + bears:
        most = float(reference) + max(LATENCY_ALLOWANCES_US)
        return f"the way through the network takes {float(hardware.path_us):.3g} us, plans bear {most:.3g} us at most"
    return ""


def _sent(plan: ServingPlan) -> float:
    return min(plan.nic_gbps, plan.scale_out_ep_need_gbps + plan.scale_out_other_need_gbps)


def _leaving(plan: ServingPlan, hardware: Hardware) -> float:
    """Gb/s per accelerator out of its leaf; expert traffic between domains of one leaf stays below (rules, 7)."""
    together, spans, share = hardware.domains_per_leaf, plan.domains_per_replica, 1.0
    if together and together % spans == 0:
        share = 0.0
    elif together and spans % together == 0:
        share = (1 - together / spans) / (1 - 1 / spans)
    return min(plan.nic_gbps, plan.scale_out_ep_need_gbps * share + plan.scale_out_other_need_gbps)


def _inside(plan: ServingPlan, hardware: Hardware) -> float:
    """Gb/s per accelerator inside its domain, with what is forwarded to other rails."""
    return plan.scale_up_need_gbps + (1 - 1 / hardware.rails) * _sent(plan)


def _rate(plan: ServingPlan) -> Fraction:
    """Tokens per second of one replica."""
    return exact(plan.tokens_per_s_per_accelerator) * plan.accelerators_per_replica


def _domains(plan: ServingPlan, asked: Fraction) -> int:
    replicas = ceil(asked / _rate(plan))
    if plan.domains_per_replica > 1:
        return replicas * plan.domains_per_replica
    return -(-replicas // plan.replicas_per_domain)


def _capacity(plan: ServingPlan, domains: int) -> tuple[int, Fraction]:
    """Replicas on so many whole domains, and what they serve."""
    spans = plan.domains_per_replica
    replicas = domains // spans if spans > 1 else domains * plan.replicas_per_domain
    return replicas, replicas * _rate(plan)


def _dealt(fitting: Sequence[_Fit], domains: int) -> list[int]:
    """Domains of every pool: the least share of any pool is largest; a pool without a plan gets none."""
    able = [fit for fit in fitting if fit.plans]
    if len(able) == 1:
        return [domains if fit.plans else 0 for fit in fitting]

    def each(share: Fraction) -> list[int]:
        return [fit.needed(share) or 0 for fit in able]

    low, high = Fraction(0), Fraction(0)
    for fit in able:
        high = max(high, *(_capacity(plan, domains)[1] / fit.asked for plan in fit.plans))
    best = [0] * len(able)
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        wanted = each(middle)
        if sum(wanted) <= domains:
            low, best = middle, wanted
        else:
            high = middle
    dealt = iter(best)
    return [next(dealt) if fit.plans else 0 for fit in fitting]


def _uses(fitting: Sequence[_Fit], served: Sequence[PoolServed], hardware: Hardware) -> list[Used]:
    """Accelerators, and Gb/s inside and outside, against what the demand and the plans need."""
    size, found = hardware.offer.domain_size, list[Used]()
    needed = [fit.needed(Fraction(1)) for fit in fitting]
    if None not in needed:
        wanted = sum(count for count in needed if count is not None)
        found.append(_used("accelerators for the demand", wanted * size, hardware.domains * size, "accelerators"))
    for row in served:
        plan = row.plan
        if plan is None:
            continue
        found.append(_used(f"{row.pool}: scale-up", _inside(plan, hardware), plan.scale_up_gbps, "Gb/s"))
        found.append(_used(f"{row.pool}: NICs", _sent(plan), plan.nic_gbps, "Gb/s"))
        if hardware.any_gbps is not None:
            found.append(_used(f"{row.pool}: scale-out", _leaving(plan, hardware), hardware.any_gbps, "Gb/s"))
    return found


def _used(what: str, used: float, of: float, unit: str) -> Used:
    return Used(what, used, of, unit, used / of if of else (0.0 if not used else None))
