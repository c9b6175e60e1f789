"""Max flow and min cut between two groups of endpoints, in whole units, with a certificate for both.

scipy's Dinic: on a folded Clos of 65,536 endpoints as fast as OR-tools, and there already. It counts in 32 bits and
silently returns 0 beyond, so every capacity is divided by the greatest common divisor and the range is checked.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction

import networkx as nx
import numpy as np
from scipy.sparse import coo_array, csr_array
from scipy.sparse.csgraph import breadth_first_order, maximum_flow

from designer.network.core import Core, Mask, core_of, endpoints_relay
from designer.network.graph import NOWHERE, Ints, Network

MOST_UNITS = 2**31 - 1
"""Range of the whole numbers of scipy's max flow."""

FINEST = 10**6
"""Largest denominator of a rate in Gb/s."""


@dataclass(frozen=True, eq=False)
class Cut:
    """The most that flows from some endpoints to others, and the links that stop more.

    Parameters
    ----------
    gbps
        Value of flow and cut.
    unit_gbps
        Gb/s of one unit of ``flow``.
    flow
        (rows,): units from lower to upper box, negative the other way.
    source_side
        (boxes,): boxes on the sources' side of the cut.
    sources, sinks
        Endpoints that send and receive.
    relays
        Whether endpoints forward traffic of others.
    """

    gbps: float
    unit_gbps: Fraction
    flow: Ints
    source_side: Mask
    sources: Ints
    sinks: Ints
    relays: bool

    @property
    def per_source_gbps(self) -> float:
        """Gb/s per sending endpoint."""
        return self.gbps / len(self.sources)


def units_of(network: Network) -> tuple[Ints, Fraction]:
    """Whole units (bundles,) of one link, and Gb/s of a unit: the greatest that divides every rate.

    Raises
    ------
    ValueError
        When a rate is no such fraction.
    """
    rates = [Fraction(bundle.rate_gbps).limit_denominator(FINEST) for bundle in network.bundles]
    for bundle, rate in zip(network.bundles, rates, strict=True):
        if not rate or abs(float(rate) - bundle.rate_gbps) > 1e-12 * bundle.rate_gbps:
            raise ValueError(
                f"{bundle.name}: {bundle.rate_gbps} Gb/s is no fraction above 0 of a denominator to {FINEST}"
            )
    base = math.lcm(*(rate.denominator for rate in rates))
    whole = [int(rate * base) for rate in rates]
    divisor = math.gcd(*whole)
    return np.array([number // divisor for number in whole], np.int64), Fraction(divisor, base)


def cut(network: Network, sources: Ints, sinks: Ints, *, relays: bool | None = None) -> Cut:
    """Find the most that endpoints send to others, all routes allowed, and a cut that says why it is not more.

    Parameters
    ----------
    network
        One copy.
    sources, sinks
        Endpoints; none in both.
    relays
        Whether endpoints forward traffic of others; found from the network when absent.

    Raises
    ------
    ValueError
        When the groups are empty or overlap, or the rates leave the range of whole numbers.
    """
    scene = Scene(network, sources, sinks, relays=relays)
    core, own, end, role, room = scene.core, scene.own, scene.end, scene.role, scene.room
    out, into = scene.supply(room)
    flow, near = _max_flow(core, np.tile(room[core.rows], 2), out, into, role[core.box])
    half = len(core.rows)
    rows = np.zeros(len(network.lower), np.int64)
    rows[core.rows] = flow[:half] - flow[half:]
    # What a node sends and takes, shared out among its folded endpoints.
    net = _sum(core.tail[:half], rows[core.rows], core.nodes) - _sum(core.head[:half], rows[core.rows], core.nodes)
    rows[own] = _shared_out(network, core, own, end, role, room, net, out, into)
    side = near[core.node]
    side[sources], side[sinks] = True, False
    sent = _sum(network.lower, rows, network.boxes) - _sum(network.upper, rows, network.boxes)
    value = int(sent[sources].sum())
    return Cut(float(value * scene.unit), scene.unit, rows, side, sources, sinks, scene.relays)


class Scene:
    """A network made ready for many max flows between the same endpoints, with other links broken each time."""

    def __init__(self, network: Network, sources: Ints, sinks: Ints, *, relays: bool | None = None) -> None:
        self.role = np.zeros(network.boxes, np.int64)
        for group in (sources, sinks):
            if not len(group) or group.min() < 0 or group.max() >= network.endpoints:
                raise ValueError("sources and sinks are groups of endpoints, none empty")
        self.role[sources] = 1
        if self.role[sinks].any():
            raise ValueError("an endpoint is both source and sink")
        self.role[sinks] = -1
        self.relays = endpoints_relay(network) if relays is None else relays
        self.units, self.unit = units_of(network)
        self.network = network
        self.room = self.units[network.bundle] * network.links
        self.core = core_of(network, relays=self.relays)
        access = np.ones(len(network.lower), bool)
        access[self.core.rows] = False
        # Per row of a folded endpoint: its place, and the endpoint.
        self.own = np.flatnonzero(access)
        self.end = np.minimum(network.lower[self.own], network.upper[self.own])

    def supply(self, room: Ints) -> tuple[Ints, Ints]:
        """Units (nodes,) that the endpoints of each node can send and take at most."""
        core, at, stand = self.core, self.core.node[self.end], self.role[self.core.box]
        degree = _sum(core.tail, np.tile(room[core.rows], 2), core.nodes)
        out, into = (
            np.where(
                stand == sign, degree, _sum(at, np.where(self.role[self.end] == sign, room[self.own], 0), core.nodes)
            )
            for sign in (1, -1)
        )
        return out, into

    def value(self, lost: Ints | None = None) -> int:
        """Max flow in whole units with some links (rows,) lost."""
        room = self.room if lost is None else self.room - self.units[self.network.bundle] * lost
        core = self.core
        graph = _graph(core, np.tile(room[core.rows], 2), *self.supply(room), self.role[core.box])[0]
        return int(maximum_flow(graph, core.nodes, core.nodes + 1).flow_value)


def _sum(at: Ints, amount: Ints, size: int) -> Ints:
    out = np.zeros(size, np.int64)
    np.add.at(out, at, amount)
    return out


def _graph(core: Core, room: Ints, out: Ints, into: Ints, stand: Ints) -> tuple[csr_array, Ints]:
    """Arcs with whole capacities, from a node behind all sources to one behind all sinks, and the arcs in use."""
    # Who does not relay is entered as a sink and left as a source only.
    usable = (core.relays[core.head] | (stand[core.head] == -1)) & (core.relays[core.tail] | (stand[core.tail] == 1))
    source, sink = core.nodes, core.nodes + 1
    nodes = np.arange(core.nodes)
    tail = np.concatenate([core.tail[usable], np.full(core.nodes, source), nodes])
    head = np.concatenate([core.head[usable], nodes, np.full(core.nodes, sink)])
    limit = np.concatenate([room[usable], out, into])
    graph = coo_array((limit, (tail, head)), shape=(core.nodes + 2, core.nodes + 2)).tocsr()
    graph.eliminate_zeros()
    if max(int(graph.data.max(initial=0)), min(int(out.sum()), int(into.sum()))) > MOST_UNITS:
        raise ValueError(f"rates differ too much for whole numbers: more than {MOST_UNITS} units")
    return graph.astype(np.int32), np.flatnonzero(usable)


def _max_flow(core: Core, room: Ints, out: Ints, into: Ints, stand: Ints) -> tuple[Ints, Mask]:
    """Units (arcs,) on each arc, and nodes (nodes,) that the sources can still reach."""
    source, sink = core.nodes, core.nodes + 1
    graph, arcs = _graph(core, room, out, into, stand)
    found = maximum_flow(graph, source, sink)
    residual = (graph - found.flow).tocsr()
    residual.eliminate_zeros()
    near = np.zeros(core.nodes + 2, bool)
    near[breadth_first_order(residual, source, return_predecessors=False)] = True
    # Parallel arcs of several bundles were added up: hand their flow out again, in order of the rows.
    flow = found.flow.tocoo()
    up = flow.data > 0
    key, amount = flow.coords[0][up].astype(np.int64) * (core.nodes + 2) + flow.coords[1][up], flow.data[up]
    order = np.argsort(key)
    key, amount = key[order], amount[order].astype(np.int64)
    own = core.tail[arcs] * (core.nodes + 2) + core.head[arcs]
    arcs = arcs[np.argsort(own, kind="stable")]
    own = np.sort(own)
    at = np.minimum(np.searchsorted(key, own), max(len(key) - 1, 0))
    total = np.where(key[at] == own, amount[at], 0) if len(key) else np.zeros(len(own), np.int64)
    filled = np.cumsum(room[arcs]) - room[arcs]
    first = np.searchsorted(own, own)
    units = np.zeros(core.arcs, np.int64)
    units[arcs] = np.clip(total - (filled - filled[first]), 0, room[arcs])
    return units, near[: core.nodes]


def _shared_out(
    network: Network, core: Core, own: Ints, end: Ints, role: Ints, room: Ints, net: Ints, out: Ints, into: Ints
) -> Ints:
    """Units (rows of folded endpoints,), lower to upper: each node's own traffic, filled endpoint after endpoint.

    A node with sources and sinks first passes as much as it can from the ones to the others.
    """
    node = core.node[end]
    inner = np.minimum(np.where(net >= 0, out - net, out), np.where(net >= 0, into, into + net))
    sent, taken = np.maximum(net, 0) + inner, np.maximum(-net, 0) + inner
    units = np.zeros(len(own), np.int64)
    for sign, amount in ((1, sent), (-1, taken)):
        mine = np.flatnonzero(role[end] == sign)
        mine = mine[np.argsort(node[mine], kind="stable")]
        filled = np.cumsum(room[own[mine]]) - room[own[mine]]
        first = np.searchsorted(node[mine], node[mine])
        units[mine] = np.clip(amount[node[mine]] - (filled - filled[first]), 0, room[own[mine]]) * sign
    return np.where(network.lower[own] == end, units, -units)


def cut_faults(network: Network, found: Cut) -> list[str]:
    """Check flow and cut row by row; empty when both are right and equal, hence both the best."""
    faults = []
    units, unit = units_of(network)
    room = units[network.bundle] * network.links
    if (np.abs(found.flow) > room).any():
        faults.append("a row carries more than its links")
    net = _sum(network.lower, found.flow, network.boxes) - _sum(network.upper, found.flow, network.boxes)
    inner = np.ones(network.boxes, bool)
    inner[found.sources] = inner[found.sinks] = False
    if net[inner].any():
        faults.append("a box between keeps or makes traffic")
    if (net[found.sources] < 0).any() or (net[found.sinks] > 0).any():
        faults.append("a source takes or a sink sends")
    role = np.zeros(network.boxes, np.int64)
    role[found.sources], role[found.sinks] = 1, -1
    passes = (np.arange(network.boxes) >= network.endpoints) | found.relays
    crossing = 0
    for tail, head, flow in ((network.lower, network.upper, found.flow), (network.upper, network.lower, -found.flow)):
        usable = (passes[tail] | (role[tail] == 1)) & (passes[head] | (role[head] == -1))
        if (flow[~usable] > 0).any():
            faults.append("traffic passes through an endpoint that does not relay")
        crossing += int(room[usable & found.source_side[tail] & ~found.source_side[head]].sum())
    if not found.source_side[found.sources].all() or found.source_side[found.sinks].any():
        faults.append("the cut does not part sources from sinks")
    value = int(net[found.sources].sum())
    if value != crossing:
        faults.append(f"the flow has {value} units, the cut {crossing}")
    if found.unit_gbps != unit or float(value * unit) != found.gbps:
        faults.append("the stated value is not that of the flow")
    return faults


def halves(network: Network) -> tuple[Ints, Ints]:
    """Endpoints of the first blocks up to half of all, and the others; by number where there are no two blocks."""
    block = network.block[: network.endpoints]
    if (block == NOWHERE).any() or len(np.unique(block)) < 2:
        block = np.arange(network.endpoints)
    size = np.cumsum(np.unique(block, return_counts=True)[1])
    names = np.unique(block)
    # The split nearest to equal halves, the smaller blocks' side first.
    last = int(np.argmin(np.abs(2 * size[:-1] - size[-1])))
    near = block <= names[last]
    return np.flatnonzero(near), np.flatnonzero(~near)


def bisection(network: Network, *, relays: bool | None = None) -> Cut:
    """Max flow from half of the blocks to the other half (not the worst of all halves, which nobody can compute)."""
    if network.endpoints < 2:
        raise ValueError("a bisection needs at least two endpoints")
    return cut(network, *halves(network), relays=relays)


def cut_by_networkx(network: Network, sources: Ints, sinks: Ints, *, relays: bool | None = None) -> Fraction:
    """Max flow in Gb/s by networkx on the unabridged graph: a second opinion for up to some thousand boxes."""
    units, unit = units_of(network)
    relays = endpoints_relay(network) if relays is None else relays
    closed = set() if relays else set(range(network.endpoints)) - set(sources.tolist()) - set(sinks.tolist())
    from_only, to_only = (set() if relays else set(group.tolist()) for group in (sources, sinks))
    graph: nx.DiGraph[int] = nx.DiGraph()
    rooms = (units[network.bundle] * network.links).tolist()
    for low, high, room in zip(network.lower.tolist(), network.upper.tolist(), rooms, strict=True):
        for tail, head in ((low, high), (high, low)):
            if {tail, head} & closed or tail in to_only or head in from_only:
                continue
            before = graph[tail][head]["capacity"] if graph.has_edge(tail, head) else 0
            graph.add_edge(tail, head, capacity=before + room)
    source, sink = network.boxes, network.boxes + 1
    graph.add_nodes_from(range(network.boxes + 2))
    graph.add_edges_from((source, box) for box in sources.tolist())
    graph.add_edges_from((box, sink) for box in sinks.tolist())
    return int(nx.maximum_flow_value(graph, source, sink)) * unit
