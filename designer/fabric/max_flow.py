"""How many times a traffic fits into the links: one commodity, exactly, by max flows of networkx.

Sources send ``t`` times their supply, sinks take ``t`` times theirs; the largest ``t`` is found by Newton's method on
cuts (Radzik, *Fractional combinatorial optimization*, 1998): a max flow that does not carry everything yields a
minimum cut, and the cut the next, smaller ``t`` = its capacity / traffic across. One to three max flows suffice.
All numbers are whole (fractions are scaled up), so nothing is rounded.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

import networkx as nx
from networkx.algorithms.flow import shortest_augmenting_path

SOURCE, SINK = -1, -2


@dataclass(frozen=True)
class Multiple:
    """The largest multiple of a traffic that fits, and the nodes on the source side of the cut that says so."""

    times: Fraction
    source_side: frozenset[int]
    max_flows: int


def largest_multiple(
    graph: nx.Graph[int],
    sends: Mapping[int, Fraction],
    receives: Mapping[int, Fraction],
    hint: frozenset[int] | None = None,
) -> Multiple:
    """Find the largest multiple of a single-commodity traffic that a graph carries.

    Parameters
    ----------
    graph
        Undirected, nodes numbered from 0; ``capacity_gbps`` on every edge is a whole number, each direction.
    sends, receives
        Gb/s that nodes send and receive; equal totals, above 0; no node does both.
    hint
        Source side of a cut that may be the tightest. Any cut bounds the answer from above, so a poor hint costs
        time, never truth.

    Raises
    ------
    TypeError
        For a multigraph (networkx would reject it later, less clearly).
    ValueError
        When an edge has no whole capacity (networkx would take it for infinite), or the totals differ.

    Examples
    --------
    Two sources of 100 Gb/s behind one link of 300 Gb/s:

    >>> graph = nx.Graph()
    >>> for node, capacity in ((0, 400), (1, 400), (3, 300)):
    ...     graph.add_edge(node, 2, capacity_gbps=capacity)
    >>> found = largest_multiple(graph, {0: Fraction(100), 1: Fraction(100)}, {3: Fraction(200)})
    >>> found.times, sorted(found.source_side)
    (Fraction(3, 2), [0, 1, 2])
    """
    if graph.is_multigraph() or graph.is_directed():
        raise TypeError("max flow needs an undirected graph without parallel edges; count them in the capacity")
    for first, second, edge in graph.edges(data=True):
        capacity = edge.get("capacity_gbps")
        if not isinstance(capacity, int) or capacity < 0:
            raise ValueError(f"edge {first} - {second} has no whole capacity_gbps")
    total, taken = (
        sum((gbps * count for gbps, count in Counter(traffic.values()).items()), Fraction(0))
        for traffic in (sends, receives)
    )
    if not total or total != taken:
        raise ValueError("sources and sinks must have the same total, above 0")
    times, side = _alone(graph, sends, receives)
    if hint is not None:
        hinted = _ratio(graph, sends, receives, hint)
        if hinted is not None and hinted < times:
            times, side = hinted, hint
    max_flows = 0
    while times:
        max_flows += 1
        cut = _cut_below(graph, sends, receives, times)
        if cut is None:
            break
        side = cut
        ratio = _ratio(graph, sends, receives, cut)
        assert ratio is not None and ratio < times
        times = ratio
    return Multiple(times, side, max_flows)


def _alone(
    graph: nx.Graph[int], sends: Mapping[int, Fraction], receives: Mapping[int, Fraction]
) -> tuple[Fraction, frozenset[int]]:
    """Find the tightest cut round a single source or sink: where Newton's method starts."""
    # Many nodes, few different pairs of capacity and traffic: one fraction per pair.
    kinds: dict[tuple[int, Fraction], int] = {}
    for traffic in (sends, receives):
        for node, gbps in traffic.items():
            if gbps:
                capacity = sum(edge["capacity_gbps"] for edge in graph[node].values()) if node in graph else 0
                kinds.setdefault((capacity, gbps), node)
    times, node = min((Fraction(capacity) / gbps, node) for (capacity, gbps), node in kinds.items())
    return times, frozenset({node}) if sends.get(node) else frozenset(graph) - {node}


def _ratio(
    graph: nx.Graph[int], sends: Mapping[int, Fraction], receives: Mapping[int, Fraction], side: frozenset[int]
) -> Fraction | None:
    """Capacity of a cut over the traffic that must cross it; None when nothing must."""
    out, back = (Counter(traffic[node] for node in traffic.keys() & side) for traffic in (sends, receives))
    demand = sum((gbps * count for gbps, count in out.items()), Fraction(0))
    demand -= sum((gbps * count for gbps, count in back.items()), Fraction(0))
    if demand <= 0:
        return None
    crossing = sum(
        edge["capacity_gbps"]
        for node in side
        if node in graph
        for other, edge in graph[node].items()
        if other not in side
    )
    return Fraction(crossing) / demand


def _cut_below(
    graph: nx.Graph[int], sends: Mapping[int, Fraction], receives: Mapping[int, Fraction], times: Fraction
) -> frozenset[int] | None:
    """Source side of a minimum cut when ``times`` the traffic does not fit, else None."""
    amounts = {*sends.values(), *receives.values()}
    scale = times.denominator * math.lcm(*(amount.denominator for amount in amounts))
    network: nx.Graph[int] = nx.Graph()
    for first, second, edge in graph.edges(data=True):
        network.add_edge(first, second, capacity=edge["capacity_gbps"] * scale)
    # Few different amounts, many nodes: multiply once.
    whole = {amount: int(amount * times * scale) for amount in amounts}
    for end, traffic in ((SOURCE, sends), (SINK, receives)):
        for node, gbps in traffic.items():
            network.add_edge(end, node, capacity=whole[gbps])
    residual = shortest_augmenting_path(network, SOURCE, SINK, capacity="capacity", value_only=True)
    if residual.graph["flow_value"] == sum(whole[gbps] for gbps in sends.values()):
        return None
    seen, stack = {SOURCE}, [SOURCE]
    while stack:
        for node, arc in residual[stack.pop()].items():
            if node not in seen and arc["flow"] < arc["capacity"]:
                seen.add(node)
                stack.append(node)
    return frozenset(seen - {SOURCE})
