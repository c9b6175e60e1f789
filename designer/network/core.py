"""The part of a network where routes differ: endpoints on a single box are folded into it, links become arcs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.sparse import coo_array, csr_array
from scipy.sparse.csgraph import connected_components, dijkstra

from designer.network.graph import Ints, Network

Floats = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Core:
    """A network seen by its traffic: nodes with a number of endpoints each, and directed arcs between them.

    An endpoint all of whose links lead to one box that is no endpoint is folded into that box; every other box is a
    node of its own. Row r of `rows` gives arc r (lower to upper) and arc r + len(rows) (back).

    Parameters
    ----------
    box
        (nodes,): the box of each node.
    node
        (boxes,): the node of each box, that of its switch for a folded endpoint.
    weight
        (nodes,): endpoints that take part in the traffic.
    relays
        (nodes,): whether traffic of others may pass.
    kind, block
        (nodes,): kind (its place) and block of each box.
    colour
        (nodes,): nodes of different colours are never the same under a symmetry.
    rows
        (rows,): rows of the network that became arcs.
    tail, head, rate, links, bundle
        (arcs,): ends, Gb/s, parallel links and bundle of each arc.
    access_gbps
        Least Gb/s of a folded endpoint's links (infinite without folded endpoints), one direction.
    cut_off
        Endpoints of the traffic without any link.
    """

    box: Ints
    node: Ints
    weight: Ints
    relays: Mask
    kind: Ints
    block: Ints
    colour: Ints
    rows: Ints
    tail: Ints
    head: Ints
    rate: Floats
    links: Ints
    bundle: Ints
    access_gbps: float
    cut_off: int

    @property
    def nodes(self) -> int:
        """Number of nodes."""
        return len(self.box)

    @property
    def arcs(self) -> int:
        """Number of arcs: two per row."""
        return len(self.tail)

    @property
    def bundles(self) -> int:
        """Number of bundles, for keys of arcs."""
        return int(self.bundle.max(initial=0)) + 1

    @property
    def endpoints(self) -> int:
        """Endpoints that take part in the traffic."""
        return int(self.weight.sum())

    @property
    def sites(self) -> Ints:
        """Nodes with endpoints."""
        return np.flatnonzero(self.weight)

    def colour_of_arcs(self) -> Ints:
        """(arcs,): equal for arcs of the same bundle and number of links."""
        return np.asarray(self.bundle * (int(self.links.max(initial=0)) + 1) + self.links)

    def usable(self, target: int) -> Mask:
        """(arcs,): arcs on which traffic to a node may go: others that do not relay are not entered."""
        return np.asarray(self.relays[self.head] | (self.head == target))


@dataclass(frozen=True, eq=False)
class Reverse:
    """The arcs turned round, for distances *to* a node; nodes that do not relay are entered but not left."""

    graph: csr_array
    order: Ints
    first: Ints
    start: Ints

    def distance_to(self, target: int, length: Floats | None = None) -> Floats:
        """(nodes,): shortest length of a route to a node, infinite where there is none; hops without lengths."""
        if length is not None and len(self.first):
            self.graph.data[:] = np.minimum.reduceat(length[self.order], self.first)
        found = dijkstra(self.graph, indices=np.array([self.start[target]]), unweighted=length is None)
        found = found[0, : len(self.start)]
        found[target] = 0.0
        return found


def reverse(core: Core) -> Reverse:
    """Build the reversed graph of a core once, for many distances.

    A node that does not relay has a second number from which its own arcs start, so that no route passes through it.
    Of parallel arcs (several bundles between two boxes) the shortest counts.
    """
    start = np.arange(core.nodes)
    ends = np.flatnonzero(~core.relays)
    start[ends] = core.nodes + np.arange(len(ends))
    size = core.nodes + len(ends)
    key = start[core.head] * size + core.tail
    order = np.argsort(key, kind="stable")
    first = np.flatnonzero(np.diff(key[order], prepend=-1))
    row, column = np.divmod(key[order][first], size)
    pointer = np.concatenate([[0], np.cumsum(np.bincount(row, minlength=size))])
    graph = csr_array((np.ones(len(first)), column, pointer), shape=(size, size))
    return Reverse(graph, order, first, start)


def endpoints_relay(network: Network) -> bool:
    """Whether traffic of others passes through endpoints.

    It does where links join endpoints directly (torus, mesh, board), and where some endpoints meet only through others
    (lines of a HyperX made of switches). Elsewhere endpoints send and receive only: a network adapter is no switch.
    """
    ends = network.endpoints
    if ((network.lower < ends) & (network.upper < ends)).any():
        return True
    # Boxes that meet without passing through an endpoint: components of the graph of switches; an endpoint sees some.
    inner = (network.lower >= ends) & (network.upper >= ends)
    label = _components(network.boxes, network.lower[inner], network.upper[inner])
    outer = ~inner
    low = np.minimum(network.lower[outer], network.upper[outer])
    part = label[np.maximum(network.lower[outer], network.upper[outer])]
    pairs = np.unique(np.stack([low, part], 1), axis=0)
    # Without relaying, two endpoints meet only inside one part. One part that sees every endpoint is enough; where
    # no part does, relaying decides only if it joins more.
    together = np.bincount(pairs[:, 1], minlength=network.boxes)
    seen = len(np.unique(pairs[:, 0]))
    if not seen or together.max() == seen:
        return False
    several = np.bincount(pairs[:, 0], minlength=ends) > 1
    return bool(several.any())


def _components(size: int, first: Ints, second: Ints) -> Ints:
    graph = coo_array((np.ones(len(first), np.int8), (first, second)), shape=(size, size))
    return np.asarray(connected_components(graph, directed=False)[1], np.int64)


def core_of(
    network: Network,
    *,
    relays: bool | None = None,
    taking_part: Mask | None = None,
    fold: bool = True,
) -> Core:
    """Fold a network.

    Parameters
    ----------
    network
        One copy.
    relays
        Whether endpoints forward; `endpoints_relay` decides when absent.
    taking_part
        (endpoints,): endpoints that send and receive; all when absent. The others relay where endpoints do.
    fold
        False keeps every endpoint a node: the unabridged graph, for checks.

    Raises
    ------
    ValueError
        When a row does not fit the network (wrong box, no link, a box joined to itself).
    """
    _check_rows(network)
    relays = endpoints_relay(network) if relays is None else relays
    ends, boxes = network.endpoints, network.boxes
    part = np.ones(ends, bool) if taking_part is None else taking_part
    rates = network.rates()
    # Neighbours of an endpoint: least and greatest are the same where there is one box only.
    least, most = np.full(boxes, boxes), np.full(boxes, -1)
    for near, far in ((network.lower, network.upper), (network.upper, network.lower)):
        np.minimum.at(least, near, far)
        np.maximum.at(most, near, far)
    folded = np.zeros(boxes, bool)
    if fold:
        folded[:ends] = (least[:ends] == most[:ends]) & (least[:ends] >= ends) & (least[:ends] < boxes)
    linked = most >= 0
    box = np.flatnonzero(~folded)
    node = np.full(boxes, -1)
    node[box] = np.arange(len(box))
    node[folded] = node[least[folded]]
    weight = np.bincount(node[:ends][part & linked[:ends]], minlength=len(box))
    access = np.zeros(ends)
    access_row = folded[network.lower] | folded[network.upper]
    np.add.at(access, np.minimum(network.lower, network.upper)[access_row], rates[access_row])
    rows = np.flatnonzero(~access_row)
    low, high = node[network.lower[rows]], node[network.upper[rows]]
    inside = folded[:ends] & part
    return Core(
        box=box,
        node=node,
        weight=weight,
        relays=np.asarray((box >= ends) | relays),
        kind=np.repeat(np.arange(len(network.kinds)), [kind.count for kind in network.kinds])[box],
        block=network.block[box],
        colour=np.zeros(len(box), np.int64),
        rows=rows,
        tail=np.concatenate([low, high]),
        head=np.concatenate([high, low]),
        rate=np.tile(rates[rows], 2),
        links=np.tile(network.links[rows], 2),
        bundle=np.tile(network.bundle[rows], 2),
        access_gbps=float(access[inside].min(initial=np.inf)),
        cut_off=int((part & ~linked[:ends]).sum()),
    )


def _check_rows(network: Network) -> None:
    if network.circuits is not None:
        raise ValueError("a network with circuit switches carries nothing as it is: ask network.as_carried()")
    shape = network.lower.shape
    if any(of.shape != shape for of in (network.upper, network.links, network.bundle)):
        raise ValueError("lower, upper, links and bundle of a network differ in length")
    if not len(network.lower):
        return
    ends = np.concatenate([network.lower, network.upper])
    if ends.min() < 0 or ends.max() >= network.boxes:
        raise ValueError(f"a row names box {int(ends.min())} or {int(ends.max())} of {network.boxes}")
    if (network.lower == network.upper).any():
        raise ValueError("a row joins a box to itself")
    if network.links.min() < 1:
        raise ValueError("a row has less than one link")
    if not (network.rates() > 0).all():
        raise ValueError("a bundle has no rate above 0")
