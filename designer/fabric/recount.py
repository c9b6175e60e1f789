"""Counts that the design states against what its wiring holds, box by box and boundary by boundary."""

from __future__ import annotations

from collections.abc import Iterator

import networkx as nx
import numpy as np

from designer.design.types import Boundary, Design, PoolDesign
from designer.fabric.as_built import differences, wiring_of
from designer.fabric.flow_report import Violation
from designer.fabric.placement import Ints, WiringError
from designer.fabric.wiring import (
    ACCELERATOR,
    BOUNDARIES,
    CORE,
    LEAF,
    LEAF_SPINE,
    NIC_LEAF,
    PLANE,
    SCALE_UP,
    SPINE,
    SPINE_CORE,
    Wiring,
    wire,
)

MOST_PER_RULE = 20
"""Violations of one rule that are listed one by one; the rest is told as a number."""


def recount(design: Design, graph: nx.Graph[str] | None = None) -> tuple[Violation, ...]:
    """Hold the graph of a design against every count the design states.

    Parameters
    ----------
    design
        The design.
    graph
        A graph to be checked against it, with the node names of :func:`~designer.fabric.fabric_graph`; without one
        the design's own wiring is recounted.

    Returns
    -------
    tuple of Violation
        Empty when all counts agree.
    """
    try:
        reference = wire(design)
    except WiringError as error:
        return error.violations
    if graph is None:
        return tuple(recount_wiring(design, reference))
    built, found = wiring_of(graph, reference)
    return tuple(found) + tuple(shortened([*differences(reference, built), *recount_wiring(design, built)]))


def shortened(violations: list[Violation]) -> list[Violation]:
    """List at most ``MOST_PER_RULE`` violations of each rule, then how many more there are."""
    seen: dict[str, int] = {}
    kept = []
    for violation in violations:
        seen[violation.rule] = seen.get(violation.rule, 0) + 1
        if seen[violation.rule] <= MOST_PER_RULE:
            kept.append(violation)
    for rule, count in seen.items():
        if count > MOST_PER_RULE:
            kept.append(Violation(rule, "elsewhere", f"{count - MOST_PER_RULE} more of the same kind"))
    return kept


def recount_wiring(design: Design, wiring: Wiring) -> list[Violation]:
    """Count boxes, links and ports of a wiring and compare them with the design."""
    found: list[Violation] = []
    for number, pool in enumerate(design.pools):
        found += _pool_counts(pool, wiring, number)
        found += _pool_ports(pool, wiring, number)
    found += _fabric_counts(design, wiring)
    found += _fabric_ports(design, wiring)
    return shortened(found)


def _same(rule: str, place: str, what: str, stated: object, counted: object) -> Iterator[Violation]:
    if stated != counted:
        yield Violation(rule, place, f"{what}: the design states {stated}, counted {counted}")


def _links(place: str, stated: Boundary, wiring: Wiring, bundles: Ints) -> Iterator[Violation]:
    """Compare one boundary's name, links and rate."""
    if not bundles.size:
        yield Violation("links_missing", place, f"no links at all where the design states {stated.links}")
        return
    name = BOUNDARIES[wiring.boundary[bundles[0]]]
    yield from _same("boundary_name", place, "name of the boundary", stated.name, name)
    yield from _same(f"links_{name}", place, "links", stated.links, int(wiring.links[bundles].sum()))
    for rate in np.unique(wiring.rate[bundles]).tolist():
        yield from _same(f"rate_{name}", place, "Gb/s per link", stated.rate_gbps, rate)


def _pool_counts(pool: PoolDesign, wiring: Wiring, number: int) -> Iterator[Violation]:
    place, up, attachment = f"pool {pool.name}", pool.scale_up, pool.attachment
    own = wiring.pool == number
    accelerators = int(np.count_nonzero(own & (wiring.kind == ACCELERATOR)))
    yield from _same("accelerators", place, "accelerators", pool.accelerators, accelerators)
    yield from _same(
        "scale_up_switches", place, "plane switches", up.switches, int(np.count_nonzero(own & (wiring.kind == PLANE)))
    )
    mine = wiring.pool[wiring.lower] == number
    for boundary, stated in ((SCALE_UP, up.boundary), (NIC_LEAF, pool.nic_leaf)):
        yield from _links(place, stated, wiring, np.flatnonzero(mine & (wiring.boundary == boundary)))
    nic_links = int(wiring.links[mine & (wiring.boundary == NIC_LEAF)].sum())
    yield from _same("nics", place, "NICs (one link each)", pool.nics, nic_links)
    yield from _same("planes", place, "planes", up.planes, len(up.shares))
    yield from _same("ports_per_accelerator", place, "sum of the shares", up.ports_per_accelerator, sum(up.shares))
    if max(up.shares) - min(up.shares) > 1:
        yield Violation("plane_shares", place, f"shares {up.shares} differ by more than one port")
    usable = len(up.shares) * min(up.shares) * up.port_gbps
    yield from _same("scale_up_usable", place, "usable Gb/s (planes x smallest share x rate)", up.usable_gbps, usable)
    yield from _same("group", place, "accelerators below a full leaf", attachment.group, _group_of(pool))
    leaves = np.unique(wiring.upper[mine & (wiring.boundary == NIC_LEAF)]).size
    yield from _same("leaves", place, "leaves", attachment.leaves, leaves)
    if pool.hosts < 1 or accelerators % pool.hosts or _group_of(pool) % (accelerators // pool.hosts):
        yield Violation("whole_hosts", place, f"{pool.hosts} hosts do not stand whole below their leaves")
    if pool.domains % pool.plan.domains_per_replica:
        message = f"{pool.domains} domains are not a whole number of replicas of {pool.plan.domains_per_replica}"
        yield Violation("whole_replicas", place, message)
    plan, own_parts = pool.plan, (pool.accelerator, pool.domain_size, pool.nic)
    planned = (plan.accelerator, plan.domain_size, plan.nic)
    yield from _same("plan_hardware", place, "the plan's hardware", own_parts, planned)


def _group_of(pool: PoolDesign) -> int:
    attachment = pool.attachment
    if attachment.leaves_per_domain > 1:
        return pool.domain_size // attachment.leaves_per_domain
    return pool.domain_size * attachment.domains_per_leaf


def _totals(wiring: Wiring, boundary: int, *, upper: bool) -> Ints:
    """Links of every box at one boundary, counted at its lower or upper side."""
    bundles = wiring.bundles(boundary)
    total = np.zeros(wiring.boxes, np.int64)
    np.add.at(total, (wiring.upper if upper else wiring.lower)[bundles], wiring.links[bundles])
    return total


def _ports(rule: str, wiring: Wiring, boxes: Ints, has: Ints, should: Ints | int, what: str) -> Iterator[Violation]:
    """Compare the links of every box with what it should have."""
    want = np.broadcast_to(np.asarray(should, np.int64), boxes.shape)
    for place in np.flatnonzero(has[boxes] != want).tolist():
        message = f"{int(has[boxes[place]])} links {what} instead of {int(want[place])}"
        yield Violation(rule, wiring.name(int(boxes[place])), message)


def _pool_ports(pool: PoolDesign, wiring: Wiring, number: int) -> Iterator[Violation]:
    """Every accelerator has k links, on every plane its share, and c NIC links; every plane switch S x share."""
    own, shares = wiring.pool == number, np.array(pool.scale_up.shares, np.int64)
    accelerators = np.flatnonzero(own & (wiring.kind == ACCELERATOR))
    planes = np.flatnonzero(own & (wiring.kind == PLANE))
    below, above = _totals(wiring, SCALE_UP, upper=False), _totals(wiring, SCALE_UP, upper=True)
    yield from _ports(
        "accelerator_ports", wiring, accelerators, below, pool.scale_up.ports_per_accelerator, "to its planes"
    )
    want = pool.domain_size * shares[wiring.index[planes]]
    yield from _ports("plane_ports", wiring, planes, above, want, "to its domain")
    nics = pool.nics // (pool.domain_size * pool.domains)
    yield from _ports("nic_ports", wiring, accelerators, _totals(wiring, NIC_LEAF, upper=False), nics, "to its leaf")
    bundles = wiring.bundles(SCALE_UP)
    lower, upper = wiring.lower[bundles], wiring.upper[bundles]
    astray = (wiring.pool[lower] == number) & (
        (wiring.pool[upper] != number) | (wiring.group[upper] != wiring.group[lower])
    )
    for place in np.flatnonzero(astray).tolist():
        message = "a scale-up cable leaves its domain"
        yield Violation("miswired", f"{wiring.name(int(lower[place]))} - {wiring.name(int(upper[place]))}", message)


def _fabric_counts(design: Design, wiring: Wiring) -> Iterator[Violation]:
    fabric = design.fabric
    for kind, stage in zip((LEAF, SPINE, CORE), fabric.stages, strict=False):
        count = int(np.count_nonzero(wiring.kind == kind))
        yield from _same(f"boxes_{stage.name}", "fabric", f"{stage.name} switches", stage.count, count)
    stated = {boundary.name: boundary for boundary in fabric.boundaries}
    for number in (LEAF_SPINE, SPINE_CORE)[: len(fabric.stages) - 1]:
        name = BOUNDARIES[number]
        if name in stated:
            yield from _links("fabric", stated[name], wiring, wiring.bundles(number))
        else:
            yield Violation("links_missing", "fabric", f"the design has no boundary {name}")
    if len(fabric.boundaries) != len(fabric.stages) - 1:
        message = f"{len(fabric.boundaries)} boundaries above {len(fabric.stages)} stages"
        yield Violation("boundaries", "fabric", message)
    if len(fabric.stages) == 3:
        pods = int(wiring.group[wiring.kind == LEAF].max()) + 1
        yield from _same("pods", "fabric", "pods", fabric.pods, pods)


def _fabric_ports(design: Design, wiring: Wiring) -> Iterator[Violation]:
    """Hold the links of every leaf, spine and core against the stated ports per switch."""
    fabric = design.fabric
    sides = ((LEAF, NIC_LEAF, LEAF_SPINE), (SPINE, LEAF_SPINE, SPINE_CORE), (CORE, SPINE_CORE, None))
    up_links = (
        fabric.links_per_leaf_spine * fabric.spines_per_pod,
        fabric.links_per_spine_core * fabric.cores_per_spine,
        0,
    )
    for number, (stage, (kind, down, up)) in enumerate(zip(fabric.stages, sides, strict=False)):
        boxes = np.flatnonzero(wiring.kind == kind)
        below = _totals(wiring, down, upper=True)[boxes]
        for place in np.flatnonzero(below > stage.down_ports).tolist():
            message = f"{int(below[place])} links down on {stage.down_ports} ports"
            yield Violation(f"{stage.name}_ports", wiring.name(int(boxes[place])), message)
        above = up_links[number] if number + 1 < len(fabric.stages) else 0
        yield from _same(f"{stage.name}_ports", stage.name, "ports up", stage.up_ports, above)
        if up is not None and above:
            has = _totals(wiring, up, upper=False)
            yield from _ports(f"{stage.name}_ports", wiring, boxes, has, above, "up")
    if len(fabric.stages) == 3:
        bundles = wiring.bundles(SPINE_CORE)
        lower, upper = wiring.lower[bundles], wiring.upper[bundles]
        for place in np.flatnonzero(wiring.index[lower] != wiring.group[upper]).tolist():
            message = "core group i serves spine i of every pod"
            at = f"{wiring.name(int(lower[place]))} - {wiring.name(int(upper[place]))}"
            yield Violation("miswired", at, message)
    if len(fabric.stages) > 1:
        bundles = wiring.bundles(LEAF_SPINE)
        lower, upper = wiring.lower[bundles], wiring.upper[bundles]
        for place in np.flatnonzero(wiring.group[lower] != wiring.group[upper]).tolist():
            at = f"{wiring.name(int(lower[place]))} - {wiring.name(int(upper[place]))}"
            yield Violation("miswired", at, "a leaf meets the spines of its own pod only")
