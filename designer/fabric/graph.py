"""The fabric graph: a networkx graph built from the design alone.

Parallel cables are one counted edge, because networkx' max-flow functions reject multigraphs; every edge carries an
integer ``capacity_gbps``, because they take a missing capacity for an infinite one and floats leave rounding noise.
"""

from __future__ import annotations

import networkx as nx

from designer.design.types import Design
from designer.fabric.wiring import BOUNDARIES, KINDS, Wiring, wirings


def fabric_graph(design: Design) -> nx.Graph[str]:
    """Build the graph of a design: accelerators, scale-up switches, leaves, spines, cores.

    NICs are folded into their accelerators: all NICs of an accelerator meet the same leaf (of every plane).

    Of several fabrics each is a part of the graph by itself.

    Returns
    -------
    networkx.Graph
        Node attributes ``kind`` (accelerator, plane, upper, leaf, spine, core), ``pool`` (name, or "" where shared),
        ``group`` (domain, pod or core group), ``index`` and ``layer`` (rail of an accelerator, plane of a scale-up
        switch, copy of a scale-out switch). Edge attributes ``boundary``, ``links``, ``rate_gbps`` and
        ``capacity_gbps`` = links x rate, each direction.

    Raises
    ------
    WiringError
        When the numbers of the design cannot be wired.
    """
    graph: nx.Graph[str] = nx.Graph()
    for wiring in wirings(design):
        _draw(graph, wiring)
    return graph


def _draw(graph: nx.Graph[str], wiring: Wiring) -> None:
    """Add boxes and bundles to a networkx graph."""
    names = [wiring.name(box) for box in range(wiring.boxes)]
    columns = (wiring.kind, wiring.pool, wiring.group, wiring.index, wiring.layer)
    for name, kind, pool, group, index, layer in zip(names, *(column.tolist() for column in columns), strict=True):
        owner = wiring.pools[pool] if pool >= 0 else ""
        graph.add_node(name, kind=KINDS[kind], pool=owner, group=group, index=index, layer=layer)
    bundles = (wiring.lower, wiring.upper, wiring.links, wiring.rate, wiring.boundary)
    for lower, upper, links, rate, boundary in zip(*(column.tolist() for column in bundles), strict=True):
        graph.add_edge(
            names[lower],
            names[upper],
            boundary=BOUNDARIES[boundary],
            links=links,
            rate_gbps=rate,
            capacity_gbps=links * rate,
        )
