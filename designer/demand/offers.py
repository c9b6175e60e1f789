"""Hardware that plans may run on, the plans that survive, and in words why an accelerator has none."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from designer.demand.plan import ServingPlan

Reason = Literal["layout", "precision", "memory", "bandwidth", "tpot", "ttft"]


@dataclass(frozen=True)
class DomainOffer:
    """One kind of scale-up domain a pool may be built of; bandwidths are Gb/s per accelerator, one direction.

    Parameters
    ----------
    accelerator
        Catalogue id.
    domain_size
        Accelerators S of the domain.
    scale_up_gbps
        Usable scale-up bandwidth, 0 for S = 1.
    nic, nics, nic_gbps
        NIC type, cards per accelerator, their rate in total.
    """

    accelerator: str
    domain_size: int
    scale_up_gbps: float
    nic: str
    nics: int
    nic_gbps: float


@dataclass(frozen=True)
class NearMiss:
    """Why an accelerator has no plan in a pool, and how near the best layout came.

    Parameters
    ----------
    accelerator
        Catalogue id.
    reason
        The test at which the layout that got furthest failed.
    best, limit
        The nearest value reached and the limit it misses, in ``unit``; None where there is no number.
    unit
        ``ms``, ``GB`` or ``Gb/s``; empty where there is no number.
    message
        The same in words.
    """

    accelerator: str
    reason: Reason
    best: float | None
    limit: float | None
    unit: str
    message: str


@dataclass(frozen=True)
class PlanSet:
    """Plans of one pool.

    Parameters
    ----------
    pool
        Name of the pool.
    plans
        Surviving plans in a deterministic order.
    enumerated
        Ways tried (layout, overlap, all-to-all mode, latency allowance, offer):
        ``len(plans) + dominated + sum(rejected.values())``.
    dominated
        Feasible plans dropped by exact dominance.
    rejected
        Ways without a feasible batch, by the first test they fail.
    unmet
        Per accelerator without any feasible plan: the reason and the nearest miss.
    """

    pool: str
    plans: tuple[ServingPlan, ...]
    enumerated: int
    dominated: int
    rejected: Mapping[str, int]
    unmet: Mapping[str, NearMiss]
