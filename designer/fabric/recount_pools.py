"""What a design states of its pools against their wiring: accelerators, NICs, leaves, and the inside of the domains."""

from __future__ import annotations

import math
from collections.abc import Iterator
from fractions import Fraction

import numpy as np

from designer.design.types import Fabric, PoolDesign
from designer.fabric.counting import links_of, miswired, ports_of, same, totals
from designer.fabric.flow_report import Violation
from designer.fabric.straight import direct_links, links_per_pair, mean_distance, side_of
from designer.fabric.wiring import ACCELERATOR, NIC_LEAF, PLANE, SCALE_UP, SCALE_UP_UPPER, UPPER, Wiring

ROUNDING = 1e-9
"""Relative; the bandwidth of a torus is no whole number, and a design states it as a float."""


def pool_counts(pool: PoolDesign, fabric: Fabric, wiring: Wiring, number: int) -> Iterator[Violation]:
    """Count the accelerators, NIC links and leaves of one pool."""
    place, attachment = f"pool {pool.name}", pool.attachment
    own = np.flatnonzero((wiring.pool == number) & (wiring.kind == ACCELERATOR))
    yield from same("accelerators", place, "accelerators", pool.accelerators, own.size)
    mine = np.flatnonzero((wiring.pool[wiring.lower] == number) & (wiring.boundary == NIC_LEAF))
    yield from links_of(place, pool.nic_leaf, wiring, mine)
    nic_links = int(wiring.links[mine].sum())
    what = "NICs (one link each)" if fabric.planes == 1 else f"NIC ports ({fabric.planes} for each NIC)"
    yield from same("nics", place, what, pool.nics * fabric.planes, nic_links)
    nics = fabric.planes * (pool.nics // (pool.domain_size * pool.domains))
    to = "to its leaf" if fabric.planes == 1 else "to its leaves"
    yield from ports_of("nic_ports", wiring, own, totals(wiring, NIC_LEAF, upper=False), nics, to)
    rail = wiring.layer[wiring.upper[mine]] // fabric.planes
    astray = mine[rail != wiring.layer[wiring.lower[mine]]]
    yield from miswired(wiring, astray, "a NIC meets the leaves of its own rail only")
    group = _group_of(pool) // fabric.rails
    yield from same("group", place, "accelerators below a full leaf", attachment.group, group)
    leaves = np.unique(wiring.upper[mine]).size
    copies = fabric.rails * fabric.planes
    yield from same(
        "leaves", place, "leaves" if copies == 1 else "leaves of all copies", attachment.leaves * copies, leaves
    )
    whole = pool.hosts >= 1 and own.size % pool.hosts == 0
    if not whole or _group_of(pool) % (own.size // pool.hosts):
        yield Violation("whole_hosts", place, f"{pool.hosts} hosts do not stand whole below their leaves")
    if whole and (own.size // pool.hosts) % fabric.rails:
        message = f"{fabric.rails} rails do not divide hosts of {own.size // pool.hosts} accelerators"
        yield Violation("rails", place, message)
    if pool.domains % pool.plan.domains_per_replica:
        message = f"{pool.domains} domains are not a whole number of replicas of {pool.plan.domains_per_replica}"
        yield Violation("whole_replicas", place, message)
    yield from _spares(pool, place)
    plan, own_parts = pool.plan, (pool.accelerator, pool.domain_size, pool.nic)
    planned = (plan.accelerator, plan.domain_size, plan.nic)
    yield from same("plan_hardware", place, "the plan's hardware", own_parts, planned)


def _spares(pool: PoolDesign, place: str) -> Iterator[Violation]:
    """Spare domains come in whole replicas where one spans several, and those that are left hold all replicas."""
    span, spare = pool.plan.domains_per_replica, pool.spare_domains
    if spare < 0 or spare % span or spare >= pool.domains:
        message = f"{spare} spare of {pool.domains} domains, where a replica takes {span}"
        yield Violation("spare_domains", place, message)
        return
    serving = pool.domains - spare
    hold = serving // span if span > 1 else serving * pool.plan.replicas_per_domain
    if pool.replicas > hold:
        message = f"{pool.replicas} replicas, but the {serving} domains without spares hold {hold}"
        yield Violation("replicas", place, message)


def _group_of(pool: PoolDesign) -> int:
    """Accelerators of all rails below the leaves of one number."""
    attachment = pool.attachment
    if attachment.leaves_per_domain > 1:
        return pool.domain_size // attachment.leaves_per_domain
    return pool.domain_size * attachment.domains_per_leaf


def domain_counts(pool: PoolDesign, wiring: Wiring, number: int) -> Iterator[Violation]:
    """Count switches and cables of the domains of one pool, and see that they stay in their domain."""
    place, up = f"pool {pool.name}", pool.scale_up
    own, below = wiring.pool == number, wiring.pool[wiring.lower] == number
    planes = int(np.count_nonzero(own & (wiring.kind == PLANE)))
    yield from same("scale_up_switches", place, "plane switches", up.switches, planes)
    yield from same("planes", place, "planes", up.planes, len(up.shares))
    inner = np.flatnonzero(below & (wiring.boundary == SCALE_UP))
    if up.boundary is not None:
        yield from links_of(place, up.boundary, wiring, inner)
    if up.kind in ("switched", "clos"):
        yield from _switched(pool, wiring, number)
    else:
        yield from _direct(pool, wiring, number)
    if up.upper is not None:
        yield from _upper_stage(pool, wiring, number)
    usable = _usable(pool)
    if not math.isclose(up.usable_gbps, usable, rel_tol=ROUNDING):
        yield from same("scale_up_usable", place, f"usable Gb/s ({_USABLE[up.kind]})", up.usable_gbps, float(usable))
    lower, upper = wiring.lower[inner], wiring.upper[inner]
    astray = (wiring.pool[upper] != number) | (wiring.group[upper] != wiring.group[lower])
    yield from miswired(wiring, inner[astray], "a scale-up cable leaves its domain")


_USABLE = {
    "switched": "planes that are not spare x smallest share x rate",
    "clos": "ports x rate",
    "mesh": "links to all others x rate",
    "torus": "all-to-all over shortest paths",
}


def _usable(pool: PoolDesign) -> Fraction:
    """Gb/s of an accelerator that all-to-all inside the domain can use."""
    up, size = pool.scale_up, pool.domain_size
    if up.kind == "mesh":
        return Fraction((size - 1) * links_per_pair(pool) * up.port_gbps)
    if up.kind == "torus":
        farthest = max(mean_distance(length) for length in up.dims)
        return Fraction(2 * up.port_gbps * (size - 1)) / (size * farthest)
    return Fraction((len(up.shares) - up.spare_planes) * min(up.shares) * up.port_gbps)


def _switched(pool: PoolDesign, wiring: Wiring, number: int) -> Iterator[Violation]:
    """Every accelerator has k links, on every plane its share; every switch those of its domain or group."""
    place, up = f"pool {pool.name}", pool.scale_up
    own, shares = wiring.pool == number, np.array(up.shares, np.int64)
    yield from same("ports_per_accelerator", place, "sum of the shares", up.ports_per_accelerator, sum(up.shares))
    if max(up.shares) - min(up.shares) > (0 if up.kind == "clos" else 1):
        far = "differ" if up.kind == "clos" else "differ by more than one port"
        yield Violation("plane_shares", place, f"shares {up.shares} {far}")
    accelerators = np.flatnonzero(own & (wiring.kind == ACCELERATOR))
    planes = np.flatnonzero(own & (wiring.kind == PLANE))
    has = totals(wiring, SCALE_UP, upper=False)
    yield from ports_of("accelerator_ports", wiring, accelerators, has, up.ports_per_accelerator, "to its planes")
    behind = pool.domain_size if up.upper is None else up.upper.group
    want, what = behind * shares[wiring.layer[planes]], "to its domain" if up.upper is None else "to its group"
    yield from ports_of("plane_ports", wiring, planes, totals(wiring, SCALE_UP, upper=True), want, what)


def _direct(pool: PoolDesign, wiring: Wiring, number: int) -> Iterator[Violation]:
    """No switch and nothing bought; every accelerator has a link to each neighbour, and to no other."""
    place, up = f"pool {pool.name}", pool.scale_up
    for what, there in (("switch", up.switch), ("boundary", up.boundary), ("second stage", up.upper)):
        if there is not None:
            yield Violation("direct_wiring", place, f"a {up.kind} states a scale-up {what}, its cables come with it")
    inner = np.flatnonzero((wiring.pool[wiring.lower] == number) & (wiring.boundary == SCALE_UP))
    wanted = pool.domains * int(direct_links(pool)[2].sum())
    yield from same("links_scale_up", place, f"links of its {up.kind}s", wanted, int(wiring.links[inner].sum()))
    for rate in np.unique(wiring.rate[inner]).tolist():
        yield from same("rate_scale_up", place, "Gb/s per link", up.port_gbps, rate)
    accelerators = np.flatnonzero((wiring.pool == number) & (wiring.kind == ACCELERATOR))
    has = totals(wiring, SCALE_UP, upper=False) + totals(wiring, SCALE_UP, upper=True)
    links = 2 * sum(length > 1 for length in up.dims)
    if up.kind == "mesh":
        links = (pool.domain_size - 1) * links_per_pair(pool)
    yield from ports_of("accelerator_ports", wiring, accelerators, has, links, "to its neighbours")
    if links > up.ports_per_accelerator:
        message = f"{links} links on {up.ports_per_accelerator} ports of every accelerator"
        yield Violation("ports_per_accelerator", place, message)
    if up.kind == "torus":
        ends = wiring.index[wiring.lower[inner]], wiring.index[wiring.upper[inner]]
        astray = inner[side_of(up.dims, *ends) < 0]
        yield from miswired(wiring, astray, "these two are no neighbours in the torus")


def _upper_stage(pool: PoolDesign, wiring: Wiring, number: int) -> Iterator[Violation]:
    """Second-stage switches, their links and ports, and cables that stray to another group or plane."""
    place, upper = f"pool {pool.name}", pool.scale_up.upper
    assert upper is not None
    own, below = wiring.pool == number, wiring.pool[wiring.lower] == number
    tops, planes = (np.flatnonzero(own & (wiring.kind == kind)) for kind in (UPPER, PLANE))
    yield from same("scale_up_upper_switches", place, "second-stage switches", upper.switches, tops.size)
    above = np.flatnonzero(below & (wiring.boundary == SCALE_UP_UPPER))
    yield from links_of(place, upper.boundary, wiring, above)
    uplinks = upper.links_per_pair * upper.switches_per_plane
    yield from same("uplinks", place, "links up from every first-stage switch", upper.uplinks, uplinks)
    if uplinks < upper.group * min(pool.scale_up.shares):
        message = f"{uplinks} uplinks for {upper.group} accelerators of {min(pool.scale_up.shares)} ports"
        yield Violation("upper_stage_blocks", place, message)
    has = totals(wiring, SCALE_UP_UPPER, upper=False)
    yield from ports_of("plane_ports", wiring, planes, has, uplinks, "to the second stage")
    has, want = totals(wiring, SCALE_UP_UPPER, upper=True), upper.links_per_pair * (pool.domain_size // upper.group)
    yield from ports_of("upper_ports", wiring, tops, has, want, "to its groups")
    lower, top = wiring.lower[above], wiring.upper[above]
    astray = (wiring.pool[top] != number) | (wiring.group[top] != wiring.group[lower])
    astray |= wiring.layer[top] != wiring.layer[lower]
    yield from miswired(wiring, above[astray], "a second-stage switch meets its own plane of its own domain only")
    inner = np.flatnonzero(below & (wiring.boundary == SCALE_UP))
    away = wiring.index[wiring.lower[inner]] // upper.group != wiring.index[wiring.upper[inner]]
    yield from miswired(wiring, inner[away], "an accelerator meets the first-stage switches of its own group only")
