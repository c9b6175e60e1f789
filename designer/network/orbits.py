"""Classes of nodes and arcs that checked symmetries exchange.

Nothing here is believed: a permutation of nodes counts only when every arc lands on an arc of the same bundle and
number of links. Node classes by colour refinement alone would *not* do for traffic between all pairs: they merge what
no symmetry exchanges and promise too much.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from designer.network.core import Core
from designer.network.graph import Ints
from designer.network.guesses import guesses
from designer.network.symmetry import ArcIndex, Known, twins


@dataclass(frozen=True, eq=False)
class Orbits:
    """Classes under a group of symmetries.

    Parameters
    ----------
    of_node, of_arc
        (nodes,), (arcs,): class of each, numbered from 0.
    node_size, arc_size
        Members of each class.
    node_first
        A member of each class of nodes.
    """

    of_node: Ints
    of_arc: Ints
    node_size: Ints
    arc_size: Ints
    node_first: Ints


def alone(core: Core) -> Orbits:
    """Every node and every arc a class of its own: no symmetry assumed."""
    nodes, arcs = np.arange(core.nodes), np.arange(core.arcs)
    return Orbits(nodes, arcs, np.ones_like(nodes), np.ones_like(arcs), nodes)


def orbits_of(core: Core, generators: Sequence[Ints] = (), *, guess: bool = True) -> Orbits:
    """Classes of nodes and arcs under the symmetries that are given, and those that are easily found.

    Parameters
    ----------
    core
        The network.
    generators
        Permutations of nodes, (nodes,) each: node i stands where ``permutation[i]`` stood.
    guess
        Also use twins and the symmetries of `guesses`.

    Raises
    ------
    ValueError
        When a given permutation is none, or no symmetry of the network.
    """
    index = ArcIndex(core)
    known = Known(np.arange(core.nodes), np.arange(core.arcs))

    def use(permutation: Ints) -> bool:
        moved = index.moved(permutation)
        if moved is None:
            return False
        known.join(permutation, *moved)
        return True

    if guess and core.arcs:
        # Twins may be exchanged independently of each other: an arc can become any between the classes of its ends.
        label = twins(core)
        pair = (label[core.tail] * (int(label.max()) + 1) + label[core.head]) * core.bundles + core.bundle
        known = Known(label, np.unique(pair, return_inverse=True)[1].reshape(-1))
    for place, permutation in enumerate(generators):
        if permutation.shape != (core.nodes,) or (np.sort(permutation) != np.arange(core.nodes)).any():
            raise ValueError(f"generator {place} is not a permutation of the boxes")
        if not use(permutation):
            raise ValueError(f"generator {place} is no symmetry: a link lands where there is none like it")
    if guess and core.arcs:
        for permutation in guesses(core, index, known):
            use(permutation)
    sizes = np.bincount(known.node), np.bincount(known.arc)
    return Orbits(known.node, known.arc, *sizes, np.unique(known.node, return_index=True)[1])
