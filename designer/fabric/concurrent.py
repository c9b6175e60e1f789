"""The maximum concurrent flow as a linear programme: what the closed forms are held against.

Shahrokhi and Matula, *The maximum concurrent flow problem*, J. ACM 37 (1990): the largest ``theta`` such that theta
times every demand is routed at once, in fractions over any paths. Flows are aggregated by source, which is exact: a
flow from one source to many sinks splits into one flow per sink.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import networkx as nx
import numpy as np
from scipy import sparse
from scipy.optimize import linprog


def concurrent_flow_lp(graph: nx.Graph[str], demands: Mapping[tuple[str, str], float]) -> float:
    """Solve the maximum concurrent flow of a small network with HiGHS (through scipy).

    Parameters
    ----------
    graph
        ``capacity_gbps`` on every edge: each direction of an undirected graph, the one direction of a directed one.
    demands
        Gb/s from one node to another; zeros are ignored.

    Returns
    -------
    float
        ``theta``; above 1 all demands fit with room.

    Raises
    ------
    TypeError
        For a multigraph.
    ValueError
        When an edge has no capacity or there is no demand.
    RuntimeError
        When the programme is not solved.

    Examples
    --------
    Two nodes behind links of 400 Gb/s that send 100 Gb/s to each other:

    >>> graph = nx.Graph()
    >>> graph.add_edge("a", "s", capacity_gbps=400)
    >>> graph.add_edge("b", "s", capacity_gbps=400)
    >>> round(concurrent_flow_lp(graph, {("a", "b"): 100.0, ("b", "a"): 100.0}), 9)
    4.0
    """
    if graph.is_multigraph():
        raise TypeError("the programme needs a graph without parallel edges; count them in the capacity")
    wanted = {ends: gbps for ends, gbps in demands.items() if gbps and ends[0] != ends[1]}
    if not wanted:
        raise ValueError("no demand: every multiple of nothing fits")
    node = {name: place for place, name in enumerate(graph)}
    if any("capacity_gbps" not in edge for _, _, edge in graph.edges(data=True)):
        raise ValueError("an edge without capacity_gbps would carry any flow")
    ends = np.array([(node[a], node[b]) for a, b in graph.edges()], np.int64)
    capacity = np.array([edge["capacity_gbps"] for _, _, edge in graph.edges(data=True)], float)
    if not graph.is_directed():
        ends, capacity = np.concatenate([ends, ends[:, ::-1]]), np.concatenate([capacity, capacity])
    tail, head = ends[:, 0], ends[:, 1]
    sources = sorted({node[a] for a, _ in wanted})
    place = {source: row for row, source in enumerate(sources)}
    arcs, nodes = tail.size, len(node)
    # Flows in units of the mean capacity and theta near 1: HiGHS' tolerances are absolute.
    unit = float(capacity.mean())
    bound = unit / max(wanted.values())
    incidence = sparse.coo_array(
        (np.repeat([1.0, -1.0], arcs), (np.concatenate([tail, head]), np.tile(np.arange(arcs), 2))),
        shape=(nodes, arcs),
    )
    supply = np.zeros((len(sources), nodes))
    for (first, second), gbps in wanted.items():
        supply[place[node[first]], node[first]] += gbps * bound / unit
        supply[place[node[first]], node[second]] -= gbps * bound / unit
    balance = sparse.hstack(
        [sparse.kron(sparse.eye_array(len(sources)), incidence), sparse.coo_array(-supply.reshape(-1, 1))]
    )
    load = sparse.hstack([sparse.kron(np.ones((1, len(sources))), sparse.eye_array(arcs)), sparse.coo_array((arcs, 1))])
    # linprog takes sparse matrices; its type stubs know arrays only.
    below: Any = sparse.csc_array(load)
    equal: Any = sparse.csc_array(balance)
    columns = len(sources) * arcs + 1
    cost = np.zeros(columns)
    cost[-1] = -1.0
    found = linprog(
        cost,
        A_ub=below,
        b_ub=capacity / unit,
        A_eq=equal,
        b_eq=np.zeros(len(sources) * nodes),
        method="highs",
        options={"primal_feasibility_tolerance": 1e-10, "dual_feasibility_tolerance": 1e-10},
    )
    if found.status != 0 or found.x is None:
        raise RuntimeError(f"the concurrent flow programme was not solved: {found.message}")
    return float(found.x[-1]) * bound
