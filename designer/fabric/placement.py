"""Where every accelerator stands: its domain, its leaf, its pod and its zone (``docs/rules.md`` section 7).

A *part* is the accelerators of one domain below one leaf: the whole domain, or one of its ``q`` slices. With rails it
is what stands below the leaf of the same number in every copy of the fabric: each rail has its share of the part.
Accelerators are numbered domain by domain, so a part is a range of them. Replicas are contiguous: domain ``i`` serves
replica ``i // domains_per_replica``. Spare domains stand among the others: which are idle is not part of a design.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from designer.design.types import Design, Fabric, PoolDesign
from designer.fabric.apart import prefixed
from designer.fabric.flat import flat_numbers, leaves_in
from designer.fabric.flow_report import Violation

Ints = NDArray[np.int64]


class WiringError(ValueError):
    """The numbers of a design contradict each other so that no graph can be built from it."""

    def __init__(self, violations: list[Violation]) -> None:
        self.violations = tuple(violations)
        super().__init__("; ".join(str(violation) for violation in violations))


@dataclass(frozen=True, eq=False)
class Parts:
    """The parts of one pool, one entry each in all arrays.

    ``start`` is the first accelerator (numbered over all pools), ``size`` how many; ``leaf``, ``pod`` and ``zone`` are
    numbered over a whole copy of the fabric.
    """

    domain: Ints
    leaf: Ints
    pod: Ints
    zone: Ints
    start: Ints
    size: Ints


def parts_of(design: Design, number: int = 0) -> tuple[Parts, ...]:
    """Place every pool's domains below its leaves, and the leaves into pods, in the order of the design.

    With ``d`` domains per leaf the last leaf may hold fewer; leaf ``l`` of the fabric stands in pod ``l // L``, pod
    ``p`` in zone ``p // Z``.
    ``number`` is the place of the design's one fabric where it was taken out of a larger design.

    Raises
    ------
    WiringError
        When the numbers of the design cannot be wired at all.
    """
    wrong = list(_unwirable(design, prefixed(number, "") or "fabric"))
    if wrong:
        raise WiringError(wrong)
    fabric = design.fabric
    first_accelerator = first_leaf = 0
    placed = []
    for pool in design.pools:
        size, domains = pool.domain_size, pool.domains
        slices = pool.attachment.leaves_per_domain
        domain = np.repeat(np.arange(domains, dtype=np.int64), slices)
        if one_switch(fabric):
            leaf = np.zeros(domains, np.int64)
        elif slices > 1:
            leaf = first_leaf + np.arange(domains * slices, dtype=np.int64)
        else:
            leaf = first_leaf + domain // pool.attachment.domains_per_leaf
        pod = leaf // fabric.leaves_per_pod if len(fabric.stages) > 2 else np.zeros_like(leaf)
        zone = pod // fabric.pods_per_zone if len(fabric.stages) > 3 else np.zeros_like(pod)
        group = size // slices
        start = first_accelerator + group * np.arange(domain.size, dtype=np.int64)
        placed.append(Parts(domain, leaf, pod, zone, start, np.full(domain.size, group, np.int64)))
        first_accelerator += size * domains
        first_leaf = int(leaf[-1]) + 1
    if fabric.shape != "tree" and first_leaf > leaves_in(fabric):
        message = f"its pools need {first_leaf} leaves, a {fabric.shape} of {fabric.dims} has {leaves_in(fabric)}"
        raise WiringError([Violation("flat_size", prefixed(number, "") or "fabric", message)])
    return tuple(placed)


def leaf_count(design: Design, parts: tuple[Parts, ...]) -> int:
    """Leaves of one copy: those that the placed pools need, joined directly all that the fabric has."""
    if design.fabric.shape != "tree":
        return leaves_in(design.fabric)
    return 1 if one_switch(design.fabric) else int(parts[-1].leaf[-1]) + 1


def one_switch(fabric: Fabric) -> bool:
    """Whether one switch per copy is all there is."""
    return fabric.shape == "tree" and len(fabric.stages) == 1


def nics_per_accelerator(pool: PoolDesign) -> int:
    """Network cards of every accelerator (``c``)."""
    return pool.nics // (pool.domain_size * pool.domains)


def _unwirable(design: Design, place: str) -> Iterator[Violation]:
    """Name every number without which no graph can be drawn."""
    fabric = design.fabric
    stages = tuple(stage.name for stage in fabric.stages)
    most = 4 if fabric.shape == "tree" else 1
    if not 1 <= len(stages) <= most or stages != ("leaf", "spine", "core", "top")[: len(stages)]:
        allowed = "leaf, spine, core, top in this order" if most > 1 else f"the one stage leaf of a {fabric.shape}"
        yield Violation("stages", place, f"stages are {', '.join(stages) or 'none'}, not {allowed}")
        return
    if fabric.shape != "tree":
        wrong = list(flat_numbers(fabric, place))
        yield from wrong
        if wrong:
            return
    needed: dict[str, int] = {"rails": fabric.rails, "planes": fabric.planes}
    if fabric.shape != "tree":
        needed |= {"uplink_gbps": fabric.uplink_gbps}
    if len(stages) > 1:
        needed |= {"links_per_leaf_spine": fabric.links_per_leaf_spine, "spines_per_pod": fabric.spines_per_pod}
        needed |= {"uplink_gbps": fabric.uplink_gbps}
    if len(stages) > 2:
        needed |= {"leaves_per_pod": fabric.leaves_per_pod, "cores_per_spine": fabric.cores_per_spine}
        needed |= {"links_per_spine_core": fabric.links_per_spine_core}
    if len(stages) > 3:
        needed |= {"pods_per_zone": fabric.pods_per_zone, "tops_per_core": fabric.tops_per_core}
        needed |= {"links_per_core_top": fabric.links_per_core_top}
    for name, value in needed.items():
        if value < 1:
            yield Violation("wiring_number", place, f"{name} is {value}, at least 1 is needed")
    if not design.pools:
        yield Violation("wiring_number", place, "it has no pools")
    for pool in design.pools:
        yield from _unwirable_pool(pool, fabric)


def _unwirable_pool(pool: PoolDesign, fabric: Fabric) -> Iterator[Violation]:
    up, attachment, rails = pool.scale_up, pool.attachment, fabric.rails
    place = f"pool {pool.name}"
    numbers = {
        "domain_size": pool.domain_size,
        "domains": pool.domains,
        "nics": pool.nics,
        # An accelerator alone has no links, so no rate either.
        **({"port_gbps": up.port_gbps} if pool.domain_size > 1 else {}),
        "NIC rate": pool.nic_leaf.rate_gbps,
        "domains_per_leaf": attachment.domains_per_leaf,
        "leaves_per_domain": attachment.leaves_per_domain,
        "domains_per_replica": pool.plan.domains_per_replica,
    }
    needs = (pool.plan.scale_up_need_gbps, pool.plan.scale_out_ep_need_gbps, pool.plan.scale_out_other_need_gbps)
    if not all(math.isfinite(gbps) and gbps >= 0 for gbps in (*needs, pool.plan.nic_gbps)):
        yield Violation("plan_needs", place, f"needs {needs} and NIC rate {pool.plan.nic_gbps} must be finite Gb/s")
    small = {name: value for name, value in numbers.items() if value < 1}
    for name, value in small.items():
        yield Violation("wiring_number", place, f"{name} is {value}, at least 1 is needed")
    if small:
        return
    yield from _unwirable_domain(pool)
    if pool.nics % (pool.domain_size * pool.domains):
        yield Violation("nics", place, f"{pool.nics} NICs are not a whole number per accelerator")
    if attachment.leaves_per_domain > 1 and (one_switch(fabric) or attachment.domains_per_leaf > 1):
        yield Violation("attachment", place, "only a domain that has leaves to itself can be split over them")
    elif pool.domain_size % attachment.leaves_per_domain:
        split = f"{pool.domain_size} accelerators cannot be split evenly over {attachment.leaves_per_domain} leaves"
        yield Violation("attachment", place, split)
    elif rails > 1 and (pool.domain_size // attachment.leaves_per_domain) % rails:
        # Rails divide the accelerators of a host, and hosts stand whole below a leaf.
        below = pool.domain_size // attachment.leaves_per_domain
        yield Violation("rails", place, f"{below} accelerators of a domain cannot be shared evenly by {rails} rails")


def _unwirable_domain(pool: PoolDesign) -> Iterator[Violation]:
    """Name what contradicts itself inside the domains of a pool."""
    up, size, place = pool.scale_up, pool.domain_size, f"pool {pool.name}"
    if not 0 <= up.spare_planes < max(1, len(up.shares) if up.kind == "switched" else 1):
        message = f"{up.spare_planes} spare of the {len(up.shares)} planes of {up.kind} domains: one must be left"
        yield Violation("spare_planes", place, message)
    if up.kind in ("switched", "clos"):
        if not up.shares or min(up.shares) < 1:
            message = f"shares are {up.shares}: every plane needs a port of every accelerator"
            yield Violation("plane_shares", place, message)
    elif up.kind == "mesh":
        if up.ports_per_accelerator < size - 1:
            message = f"{up.ports_per_accelerator} ports do not reach {size - 1} other accelerators"
            yield Violation("mesh", place, message)
    elif up.kind == "torus":
        if not up.dims or min(up.dims) < 1 or max(up.dims) < 2 or math.prod(up.dims) != size:
            yield Violation("torus", place, f"sides {up.dims} do not hold {size} accelerators")
    else:
        yield Violation("scale_up_kind", place, f"{up.kind} is not switched, clos, mesh or torus")
    if (up.kind == "clos") != (up.upper is not None):
        yield Violation("upper_stage", place, f"{up.kind} domains {'lack' if up.upper is None else 'have'} it")
    elif up.upper is not None:
        upper = up.upper
        numbers = (upper.group, upper.links_per_pair, upper.switches_per_plane)
        if min(numbers) < 1 or size % upper.group:
            words = "groups of {}, {} links a pair, {} switches a plane".format(*numbers)
            yield Violation("upper_stage", place, f"{words}: domains of {size} cannot be wired so")
