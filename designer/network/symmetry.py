"""Symmetries of a network: a permutation of its nodes counts only when every arc lands on an arc like it."""

from __future__ import annotations

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from designer.network.core import Core
from designer.network.graph import Ints


class ArcIndex:
    """Finds arcs by their ends and bundle, to check symmetries."""

    def __init__(self, core: Core) -> None:
        self.core = core
        self.bundles = core.bundles
        key = (core.tail * core.nodes + core.head) * core.bundles + core.bundle
        self.order = np.argsort(key, kind="stable")
        self.key = key[self.order]
        by_tail = np.argsort(core.tail, kind="stable")
        self.by_tail = by_tail
        self.pointer = np.concatenate([[0], np.cumsum(np.bincount(core.tail, minlength=core.nodes))])
        if (np.diff(self.key) == 0).any():
            raise ValueError("a pair of boxes occurs twice in one bundle")

    def image(self, arcs: Ints, tail: Ints, head: Ints) -> Ints | None:
        """Arcs that join the given ends like the given arcs do; None when one is missing or has other links."""
        if not len(arcs):
            return arcs
        key = (tail * self.core.nodes + head) * self.bundles + self.core.bundle[arcs]
        at = np.minimum(np.searchsorted(self.key, key), len(self.key) - 1)
        found = self.order[at]
        if (self.key[at] != key).any() or (self.core.links[found] != self.core.links[arcs]).any():
            return None
        return found

    def leaving(self, nodes: Ints) -> Ints:
        """Arcs that leave any of the nodes."""
        counts = self.pointer[nodes + 1] - self.pointer[nodes]
        offsets = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
        return np.asarray(self.by_tail[np.repeat(self.pointer[nodes], counts) + offsets])

    def moved(self, permutation: Ints) -> tuple[Ints, Ints] | None:
        """Arcs that a permutation of nodes moves, and their images; None when it is no symmetry of the core."""
        core = self.core
        nodes = np.flatnonzero(permutation != np.arange(core.nodes))
        to = permutation[nodes]
        same = [of[nodes] == of[to] for of in (core.weight, core.relays, core.colour)]
        if not all(of.all() for of in same):
            return None
        # Arcs of unmoved nodes stay; those into a moved node are the reverses of arcs that leave one.
        if 4 * len(nodes) > core.nodes:
            arcs = np.arange(core.arcs)
        else:
            leaving = self.leaving(nodes)
            arcs = np.unique(np.concatenate([leaving, (leaving + core.arcs // 2) % core.arcs]))
        image = self.image(arcs, permutation[core.tail[arcs]], permutation[core.head[arcs]])
        return None if image is None else (arcs, image)


class Known:
    """Classes of nodes and arcs found so far, labelled from 0; they grow with every symmetry."""

    def __init__(self, node: Ints, arc: Ints) -> None:
        self.node, self.arc = node, arc

    @property
    def classes(self) -> tuple[int, int]:
        """Number of classes of nodes and of arcs."""
        return int(self.node.max(initial=-1)) + 1, int(self.arc.max(initial=-1)) + 1

    def join(self, permutation: Ints, arcs: Ints, image: Ints) -> None:
        """Join what a symmetry exchanges: the classes of a group, since a permutation can be undone by repeating it."""
        self.node = _joined(self.node, self.node, self.node[permutation])
        self.arc = _joined(self.arc, self.arc[arcs], self.arc[image])

    def tells(self, nodes: Ints, to: Ints, arcs: Ints, image: Ints) -> bool:
        """Whether a move joins classes that were apart."""
        return bool((self.node[nodes] != self.node[to]).any() or (self.arc[arcs] != self.arc[image]).any())


def _joined(label: Ints, first: Ints, second: Ints) -> Ints:
    differ = first != second
    if not differ.any():
        return label
    size = int(label.max()) + 1
    pairs = np.unique(first[differ] * size + second[differ])
    graph = coo_array((np.ones(len(pairs), np.int8), np.divmod(pairs, size)), shape=(size, size))
    return np.asarray(connected_components(graph, directed=False)[1][label], np.int64)


def twins(core: Core) -> Ints:
    """(nodes,): class of nodes with the very same neighbours over the same links; any two may be exchanged.

    Found by random hashes of the neighbours, then compared neighbour by neighbour, so that no chance is left.
    """
    random = np.random.default_rng(0)
    salt = random.integers(1, 2**62, core.nodes, dtype=np.int64).astype(np.uint64)
    kind = np.unique(core.colour_of_arcs(), return_inverse=True)[1]
    stir = random.integers(1, 2**62, int(kind.max(initial=0)) + 1, dtype=np.int64).astype(np.uint64) | np.uint64(1)
    mark = np.zeros(core.nodes, np.uint64)
    np.add.at(mark, core.tail, salt[core.head] * stir[kind])
    own = np.stack([core.weight, core.relays.astype(np.int64), core.colour, mark.view(np.int64)], 1)
    label: Ints = np.unique(own, axis=0, return_inverse=True)[1].reshape(-1)
    first = np.full(int(label.max(initial=-1)) + 1, -1)
    first[label[::-1]] = np.arange(core.nodes)[::-1]
    # Compare every node's sorted neighbours with those of the first of its class.
    order = np.lexsort((kind, core.head, core.tail))
    degree = np.bincount(core.tail, minlength=core.nodes)
    begin = np.cumsum(degree) - degree
    mate = first[label]
    same = degree == degree[mate]
    comparable = same[core.tail[order]]
    arcs = order[comparable]
    offset = np.arange(len(order))[comparable] - begin[core.tail[arcs]]
    other = order[begin[mate[core.tail[arcs]]] + offset]
    differs = (core.head[arcs] != core.head[other]) | (kind[arcs] != kind[other])
    same[core.tail[arcs[differs]]] = False
    label = np.where(same, label, label.max(initial=0) + 1 + np.arange(core.nodes))
    return np.asarray(np.unique(label, return_inverse=True)[1].reshape(-1))
