"""The one plan of a fleet: accelerators as such, with the bandwidth that is asked for (``docs/rules.md`` 6.2)."""

from __future__ import annotations

from collections.abc import Sequence

from designer.demand.misses import layout_miss
from designer.demand.offers import DomainOffer, NearMiss, PlanSet
from designer.demand.plan import ServingPlan
from designer.instance.pools import Pool
from designer.instance.schema import Fleet


def fleet_plans(pool: Pool, fleet: Fleet, offers: Sequence[DomainOffer]) -> PlanSet:
    """Give every kind of domain with the bandwidth a fleet asks for its plan.

    Parameters
    ----------
    pool, fleet
        The pool, and the fleet that it is.
    offers
        Hardware; equal offers count once.

    Returns
    -------
    PlanSet
        Nothing is dropped by dominance: on the same hardware there is one plan.
    """
    distinct = tuple(dict.fromkeys(offers))
    enough = [offer for offer in distinct if _shortfall(fleet, offer) is None]
    served = {offer.accelerator for offer in enough}
    unmet = {
        name: _nearest(pool, fleet, [offer for offer in distinct if offer.accelerator == name])
        for name in dict.fromkeys(offer.accelerator for offer in distinct)
        if name not in served
    }
    short = len(distinct) - len(enough)
    return PlanSet(
        pool=pool.name,
        plans=tuple(_plan(pool.name, fleet, offer) for offer in enough),
        enumerated=len(distinct),
        dominated=0,
        rejected={"bandwidth": short} if short else {},
        unmet=unmet,
    )


def _shortfall(fleet: Fleet, offer: DomainOffer) -> str | None:
    """The key of the bandwidth that an offer lacks; None where it has both."""
    if fleet.scale_up_gbps > offer.scale_up_gbps:
        return "scale_up_gbps"
    return "scale_out_gbps" if fleet.scale_out_gbps > offer.nic_gbps else None


def _nearest(pool: Pool, fleet: Fleet, offers: Sequence[DomainOffer]) -> NearMiss:
    """Say which bandwidth the best hardware of one accelerator lacks."""
    name = offers[0].accelerator
    inside, outside = max(offer.scale_up_gbps for offer in offers), max(offer.nic_gbps for offer in offers)
    for key, asked, best in (
        ("scale_up_gbps", fleet.scale_up_gbps, inside),
        ("scale_out_gbps", fleet.scale_out_gbps, outside),
    ):
        if asked > best:
            what = f"{key} = {asked:g} Gb/s is asked per accelerator, the most on offer is {best:g} Gb/s"
            message = f"{name}: no plan for fleet {pool.name}: {what}; ask for less, or offer faster parts"
            return NearMiss(name, "bandwidth", best, asked, "Gb/s", message)
    both = f"no domain on offer has both scale_up_gbps = {fleet.scale_up_gbps:g} and scale_out_gbps = "
    return layout_miss(name, f"no plan for fleet {pool.name}: {both}{fleet.scale_out_gbps:g}")


def _plan(pool: str, fleet: Fleet, offer: DomainOffer) -> ServingPlan:
    job, size = fleet.job_accelerators, offer.domain_size
    return ServingPlan(
        pool=pool,
        phase="fleet",
        llm="",
        **vars(offer),
        tp=1,
        dp=job,
        ep=1,
        pp=1,
        batch=1,
        two_batch_overlap=False,
        all_to_all="direct",
        accelerators_per_replica=job,
        replicas_per_domain=max(size // job, 1),
        domains_per_replica=-(-job // size),
        step_s=1.0,
        tpot_s=None,
        ttft_estimate_s=None,
        tokens_per_s_per_accelerator=1.0,
        memory_bytes=0.0,
        scale_up_need_gbps=fleet.scale_up_gbps,
        scale_out_ep_need_gbps=0.0,
        scale_out_other_need_gbps=fleet.scale_out_gbps,
    )
