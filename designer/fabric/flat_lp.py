"""What leaves joined directly carry, found without the routing of the closed form.

Traffic by way of random leaves is the same even traffic twice, so the closed form is held against the most that *any*
routing carries of all-to-all between the leaves: where small by linear programming on the graph as it is, above that
by :mod:`designer.network`, which uses symmetries that it has checked and proves both ends. Mesh and hyperx reach it, a
dragonfly where the links between groups are the fullest; else its closed form is one routing, and others may carry
more. A permutation, every leaf to one of the next line or group, must fit at least as often.
"""

from __future__ import annotations

from collections.abc import Iterator

import networkx as nx
import numpy as np

from designer.fabric.concurrent import concurrent_flow_lp
from designer.fabric.copies import Copy
from designer.fabric.flat_tiers import hose_of
from designer.fabric.flow_report import LpCheck
from designer.fabric.placement import Ints
from designer.fabric.tier import Tier
from designer.fabric.wiring import LEAF, LEAF_LEAF, Wiring
from designer.network.graph import Bundle, Kind, Network
from designer.network.throughput import TooMuchWorkError, all_to_all

MOST_COLUMNS = 6000
"""Largest programme (sources x directed links) that is solved leaf by leaf: well under a second."""

MOST_WORK = 4 * 10**7
"""Targets times arcs up to which a larger fabric is routed: about a second; symmetric ones stay far below."""

FEW_ROUNDS = 4
"""Routings that are blended: the closed form is met by the first where it is exact."""


def flat_checks(copy: Copy, tiers: list[Tier]) -> Iterator[LpCheck]:
    """Confirm the closed form of one copy, as a multiple of the traffic of the most loaded leaf of all pools."""
    part = copy.wiring
    loads = [float(tier.demand) for tier in tiers if tier.boundary in ("leaf_leaf", "group_group")]
    hoses = hose_of(part)
    hose = min(hoses, key=lambda each: each.fluid)
    rho, form = max(loads, default=0.0), float(hose.fluid)
    if not rho or not form:
        return
    loose = part.shape == "dragonfly" and hose.line == 0
    ends = Ends.of(part)
    where = f"scale-out{copy.label}"
    if 2 * ends.lower.size * ends.leaves <= MOST_COLUMNS:
        graph = ends.graph()
        names = [str(leaf) for leaf in range(ends.leaves)]
        even = {(one, two): 2 * rho / ends.leaves for one in names for two in names if one != two}
        yield LpCheck(f"{where}, by way of random leaves", form / rho, concurrent_flow_lp(graph, even), loose)
        step = 1 if part.shape == "mesh" else part.dims[1] if part.shape == "hyperx" else part.dims[0]
        shifted = {(name, names[(leaf + step) % ends.leaves]): rho for leaf, name in enumerate(names)}
        least = min(float(each.even) for each in hoses) / rho
        if least:
            # The routing carries this traffic where all pairs are as thin as the thinnest.
            yield LpCheck(f"{where}, every leaf to the next line", least, concurrent_flow_lp(graph, shifted), True)
        return
    if loose:
        # Others may carry more: at this size a figure from above would confirm nothing.
        return
    try:
        found = all_to_all(
            ends.network(),
            generators=_next_group(part),
            relays=True,
            exactly=False,
            rounds=FEW_ROUNDS,
            most_work=MOST_WORK,
        )
    except TooMuchWorkError:
        return
    # Each leaf sends evenly to the others; by way of random leaves it sends twice, a part of it to itself.
    most = found.most * ends.leaves / (ends.leaves - 1) / 2
    yield LpCheck(f"{where}, by way of random leaves", form / rho, most / rho, not found.exact)


class Ends:
    """The leaves of one copy, numbered from 0, and what joins them."""

    def __init__(self, leaves: int, lower: Ints, upper: Ints, links: Ints, rate: Ints) -> None:
        self.leaves, self.lower, self.upper, self.links, self.rate = leaves, lower, upper, links, rate

    @classmethod
    def of(cls, part: Wiring) -> Ends:
        """Take the leaves out of a copy."""
        leaves = np.flatnonzero(part.kind == LEAF)
        bundles = np.flatnonzero(part.boundary >= LEAF_LEAF)
        ends = part.lower[bundles] - leaves[0], part.upper[bundles] - leaves[0]
        return cls(leaves.size, *ends, part.links[bundles], part.rate[bundles])

    def graph(self) -> nx.Graph[str]:
        """Build the graph of the leaves for the programme."""
        graph: nx.Graph[str] = nx.Graph()
        graph.add_nodes_from(str(leaf) for leaf in range(self.leaves))
        columns = (self.lower, self.upper, self.links * self.rate)
        for lower, upper, capacity in zip(*(column.tolist() for column in columns), strict=True):
            graph.add_edge(str(lower), str(upper), capacity_gbps=capacity)
        return graph

    def network(self) -> Network:
        """Build the network of the leaves, which send, receive and pass on."""
        rates, kind = np.unique(self.rate, return_inverse=True)
        bundles = tuple(Bundle(f"leaf-leaf.{rate}", float(rate)) for rate in rates.tolist())
        columns = (self.lower, self.upper, self.links, kind.ravel().astype(np.int64))
        return Network((Kind("endpoint", self.leaves),), bundles, *columns, np.zeros(self.leaves, np.int64))


def _next_group(part: Wiring) -> list[Ints]:
    """Every group of a dragonfly to the next one, where the cables are really the same."""
    if part.shape != "dragonfly":
        return []
    ends = Ends.of(part)
    image = (np.arange(ends.leaves) + part.dims[0]) % ends.leaves
    here, there = (
        np.column_stack([np.minimum(*pair), np.maximum(*pair), ends.links, ends.rate])
        for pair in ((ends.lower, ends.upper), (image[ends.lower], image[ends.upper]))
    )
    same = np.array_equal(here[np.lexsort(here.T)], there[np.lexsort(there.T)])
    return [image] if same else []
