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
from designer.fabric.cuts import domain_classes, domain_graph, only
from designer.fabric.flow_report import LpCheck
from designer.fabric.tiers import Tier
from designer.fabric.traffic import PoolTraffic
from designer.fabric.wiring import LEAF, LEAF_SPINE, NIC_LEAF, SCALE_UP, SPINE_CORE, Wiring

MOST_COLUMNS = 6000
"""Largest programme (sources x directed links) that is solved: well under a second."""

TO_OUTSIDE, FROM_OUTSIDE = "to outside", "from outside"
"""Sink and source above the top stage; two nodes, because no traffic of the fabric passes through the outside."""


def lp_checks(wiring: Wiring, rows: tuple[PoolTraffic, ...], tiers: list[Tier]) -> Iterator[LpCheck]:
    """Solve the concurrent flow of small domains and a small scale-out fabric."""
    inside = only(wiring, wiring.bundles(SCALE_UP))
    for number, row in enumerate(rows):
        form = next(tier.fluid_margin for tier in tiers if (tier.boundary, tier.pool) == ("scale_up", row.pool.name))
        size = row.pool.domain_size
        columns = 2 * len(row.pool.scale_up.shares) * size**2
        classes = domain_classes(inside, number) if form and size > 1 and columns <= MOST_COLUMNS else []
        if not form or not classes:
            continue
        graph = domain_graph(inside, number, classes[0][0])
        ends = [wiring.name(node) for node in graph if node in row.accelerators]
        each = float(row.scale_up / (size - 1))
        demands = {(a, b): each for a in ends for b in ends if a != b}
        named: nx.Graph[str] = nx.Graph()
        for one, two, edge in graph.edges(data=True):
            named.add_edge(wiring.name(one), wiring.name(two), **edge)
        yield LpCheck(f"scale-up {row.pool.name}", float(form), concurrent_flow_lp(named, demands))
    above = [tier.fluid_margin for tier in tiers if tier.boundary in ("leaf_spine", "spine_core")]
    margins = [margin for margin in above if margin is not None]
    leaves = int(np.count_nonzero(wiring.kind == LEAF))
    links = wiring.bundles(LEAF_SPINE).size + wiring.bundles(SPINE_CORE).size
    # A margin of 0 means a box without links: nothing to confirm, the connectivity check names it.
    if margins and min(margins) > 0 and 2 * links * (leaves + 1) <= MOST_COLUMNS:
        network, demands = leaf_network(wiring), leaf_demands(wiring, rows)
        yield LpCheck("scale-out", float(min(margins)), concurrent_flow_lp(network, demands))


def leaf_network(wiring: Wiring) -> nx.DiGraph[str]:
    """Build the switches of the scale-out fabric, both directions of every link, with the outside above the top."""
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
