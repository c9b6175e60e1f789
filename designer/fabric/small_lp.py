"""The closed form confirmed by linear programming wherever the network is small enough.

Accelerators hang on one leaf each, so their traffic is added up at the leaf without loss (contracting a node with a
single neighbour is no symmetry argument); what the NICs allow is the closed form's own row. A leaf with no traffic of
its own, and every spine and core, stays a node of its own.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

import networkx as nx
import numpy as np

from designer.fabric.concurrent import concurrent_flow_lp
from designer.fabric.copies import Copy, rows_of_copy
from designer.fabric.cuts import domain_classes, domain_wiring, only, planes_out
from designer.fabric.flat_lp import flat_checks
from designer.fabric.flow_report import LpCheck
from designer.fabric.straight import rails_look_alike
from designer.fabric.tier import Tier
from designer.fabric.traffic import PoolTraffic
from designer.fabric.wiring import ACCELERATOR, LEAF, NIC_LEAF, Wiring

MOST_COLUMNS = 6000
"""Largest programme (sources x directed links) that is solved: well under a second."""

INSIDE, ABOVE = ("scale_up", "scale_up_upper"), ("leaf_spine", "spine_core", "core_top")

TO_OUTSIDE, FROM_OUTSIDE = "to outside", "from outside"
"""Sink and source above the top stage; two nodes, because no traffic of the fabric passes through the outside."""


def lp_checks(
    wiring: Wiring, rows: tuple[PoolTraffic, ...], tiers: list[Tier], copies: tuple[Copy, ...]
) -> Iterator[LpCheck]:
    """Solve the concurrent flow of small domains and of a small scale-out fabric, in each copy that differs."""
    inside = only(wiring, np.flatnonzero(wiring.boundary < NIC_LEAF))
    for number, row in enumerate(rows):
        inner = (tier for tier in tiers if tier.boundary in INSIDE and tier.pool == row.pool.name)
        forms = [tier.fluid_margin for tier in inner if tier.fluid_margin is not None]
        if not forms or not min(forms):
            continue
        bundles = np.count_nonzero(inside.pool[inside.lower] == number) // row.pool.domains
        small = bool(2 * bundles * row.size <= MOST_COLUMNS)
        if wiring.joins[number] == "torus" and row.forwarded:
            # Else the closed form is a bound from below.
            small = small and rails_look_alike(row.pool.scale_up.dims, row.rails)
        classes = domain_classes(inside, number) if small else []
        if classes:
            left = planes_out(domain_wiring(inside, number, classes[0][0]), row.pool.scale_up.spare_planes)
            found = [concurrent_flow_lp(*domain_network(part, row)) for part in left]
            yield LpCheck(f"scale-up {row.pool.name}", float(min(forms)), min(found))
    if wiring.shape != "tree":
        for copy in copies:
            yield from flat_checks(copy, tiers)
        return
    above = [tier.fluid_margin for tier in tiers if tier.boundary in ABOVE]
    margins = [margin for margin in above if margin is not None]
    leaves = int(np.count_nonzero(copies[0].wiring.kind == LEAF))
    links = max(np.count_nonzero(copy.wiring.boundary > NIC_LEAF) for copy in copies)
    # A margin of 0 means a box without links: nothing to confirm, the connectivity check names it.
    if margins and min(margins) > 0 and 2 * links * (leaves + 1) <= MOST_COLUMNS:
        part = rows_of_copy(wiring, rows)
        thetas = [(concurrent_flow_lp(leaf_network(c.wiring), leaf_demands(c.wiring, part)), c) for c in copies]
        theta, copy = min(thetas, key=lambda pair: pair[0])
        yield LpCheck(f"scale-out{copy.label}", float(min(margins)), theta)


def domain_network(part: Wiring, row: PoolTraffic) -> tuple[nx.Graph[str], dict[tuple[str, str], float]]:
    """Build one domain and its all-to-all traffic."""
    graph: nx.Graph[str] = nx.Graph()
    for lower, upper, capacity in zip(part.lower.tolist(), part.upper.tolist(), part.capacity.tolist(), strict=True):
        graph.add_edge(part.name(lower), part.name(upper), capacity_gbps=capacity)
    ends = [(part.name(box), int(part.layer[box])) for box in np.flatnonzero(part.kind == ACCELERATOR).tolist()]
    own = float(row.to_each(crossing=False))
    other = float(row.to_each(crossing=True)) if row.rails > 1 else own
    return graph, {(a, b): own if rail == to else other for a, rail in ends for b, to in ends if a != b}


def leaf_network(wiring: Wiring) -> nx.DiGraph[str]:
    """Build the switches of one copy, both directions of every link, with the outside above the top."""
    graph: nx.DiGraph[str] = nx.DiGraph()
    above = only(wiring, np.flatnonzero(wiring.boundary > NIC_LEAF))
    for lower, upper, capacity in zip(above.lower, above.upper, above.capacity, strict=True):
        one, two = wiring.name(int(lower)), wiring.name(int(upper))
        graph.add_edge(one, two, capacity_gbps=int(capacity))
        graph.add_edge(two, one, capacity_gbps=int(capacity))
    for box in np.flatnonzero(wiring.kind == int(wiring.kind.max())).tolist():
        below = int(above.capacity[above.upper == box].sum())
        graph.add_edge(wiring.name(box), TO_OUTSIDE, capacity_gbps=below)
        graph.add_edge(FROM_OUTSIDE, wiring.name(box), capacity_gbps=below)
    return graph


def leaf_demands(wiring: Wiring, rows: tuple[PoolTraffic, ...]) -> dict[tuple[str, str], float]:
    """Add the traffic of all pools up at the leaves.

    Experts go evenly to the other domains of the replica; other traffic goes to the outside and, because a plan does
    not say which way it flows, as much comes from there.
    """
    total: dict[tuple[str, str], Fraction] = {}

    def add(one: str, two: str, gbps: Fraction) -> None:
        if one != two and gbps:
            total[one, two] = total.get((one, two), Fraction(0)) + gbps

    names = {int(wiring.index[box]): wiring.name(int(box)) for box in np.flatnonzero(wiring.kind == LEAF)}
    for row in rows:
        parts, span = row.parts, row.pool.plan.domains_per_replica
        domains, sizes = parts.domain.tolist(), parts.size.tolist()
        leaves = [names[leaf] for leaf in parts.leaf.tolist()]
        for one, (domain, size, leaf) in enumerate(zip(domains, sizes, leaves, strict=True)):
            add(leaf, TO_OUTSIDE, row.other * size)
            add(FROM_OUTSIDE, leaf, row.other * size)
            for two in np.flatnonzero(parts.domain // span == domain // span).tolist() if row.peers else ():
                if domains[two] != domain:
                    add(leaves[one], leaves[two], row.experts * size * sizes[two] / row.peers)
    return {ends: float(gbps) for ends, gbps in total.items()}
