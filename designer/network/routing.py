"""Traffic to a node over shortest routes, split at every node: what switches do, and what the bounds are made of."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from designer.network.core import Core, Floats, Reverse, reverse
from designer.network.graph import Ints
from designer.network.orbits import Orbits

Split = Literal["links", "routes"]
"""How a node splits among its next hops: per link (ECMP), or per shortest route behind it."""

TIE = 1e-9
"""Relative difference up to which two routes are equally long."""

FLOOR = 1e-6
"""Least length of an arc in units of the mean, for routing: without it, free arcs could be walked in circles."""

Sends = Callable[[int], Floats]
"""Gb/s (nodes,) that every node sends to a target, at one Gb/s per endpoint."""


@dataclass(frozen=True, eq=False)
class Traffic:
    """Traffic between all nodes, target by target.

    Parameters
    ----------
    targets, times
        Nodes that receive, and how many nodes each stands for by symmetry.
    sends
        What is sent to a target.
    """

    targets: Ints
    times: Ints
    sends: Sends


def even_traffic(core: Core, orbits: Orbits) -> Traffic:
    """Every endpoint sends 1 Gb/s in all, evenly to every other; one target per class of nodes."""
    others = max(core.endpoints - 1, 1)

    def sends(target: int) -> Floats:
        amount = core.weight * (float(core.weight[target]) / others)
        amount[target] = 0.0
        return np.asarray(amount, np.float64)

    used = core.weight[orbits.node_first] > 0
    return Traffic(orbits.node_first[used], orbits.node_size[used], sends)


class NoRouteError(Exception):
    """Two endpoints of the traffic have no route between them."""


def flow_to(
    core: Core, back: Reverse, target: int, sends: Floats, *, length: Floats | None = None, split: Split = "links"
) -> Floats:
    """Gb/s (arcs,) of traffic to one node over its shortest routes.

    Parameters
    ----------
    core, back
        The network, and its `reverse`.
    target
        Node that receives.
    sends
        (nodes,): what each node sends.
    length
        (arcs,): lengths above 0; every arc is one long when absent (hops).
    split
        Per link of the next hops (ECMP, hop by hop), or per shortest route.

    Raises
    ------
    NoRouteError
        When a node that sends has no route.
    """
    distance = back.distance_to(target, length)
    if not np.isfinite(distance[sends > 0]).all():
        raise NoRouteError
    reached = np.isfinite(distance)
    distance[~reached] = 0.0
    step = distance[core.tail] - distance[core.head]
    usable = core.usable(target) & reached[core.head] & reached[core.tail] & (core.tail != target)
    if length is None:
        tight = usable & (step == 1)
    else:
        tight = usable & (step >= length - TIE * max(float(distance.max()), 1e-300))
        # Ties within rounding must not lead away from the target.
        tight &= step > 0
    arcs = np.flatnonzero(tight)
    tail, head = core.tail[arcs], core.head[arcs]
    parts = core.links[arcs].astype(np.float64)
    if split == "routes":
        parts *= _routes(core.nodes, tail, head, distance, target, parts)[head]
    share = parts / np.bincount(tail, parts, core.nodes)[tail]
    flow = np.zeros(len(arcs))
    waiting: Floats = sends.astype(np.float64)
    while True:
        waiting[target] = 0.0
        if not waiting.any():
            break
        moved = waiting[tail] * share
        flow += moved
        waiting = np.bincount(head, moved, core.nodes).astype(np.float64)
    out = np.zeros(core.arcs)
    out[arcs] = flow
    return out


def _routes(nodes: int, tail: Ints, head: Ints, distance: Floats, target: int, links: Floats) -> Floats:
    """(nodes,): number of shortest routes to the target, parallel links counted, scaled against overflow."""
    count = np.zeros(nodes)
    count[target] = 1.0
    order = np.argsort(distance[tail], kind="stable")
    tail, head, links = tail[order], head[order], links[order]
    edges = np.flatnonzero(np.diff(distance[tail], prepend=-1.0))
    for first, last in zip(edges, [*edges[1:], len(tail)], strict=True):
        np.add.at(count, tail[first:last], links[first:last] * count[head[first:last]])
        top = count[tail[first:last]].max()
        if top > 1e200:
            raise OverflowError("too many shortest routes to count")
    return count


def load_of(
    core: Core,
    orbits: Orbits,
    traffic: Traffic,
    *,
    length: Floats | None = None,
    split: Split = "links",
    back: Reverse | None = None,
) -> Floats:
    """Gb/s per arc (classes of arcs,) of the whole traffic over shortest routes, at one Gb/s per endpoint.

    The flow to a target is repeated for every node that it stands for, each time moved by a symmetry; a class of arcs
    then carries its total, the same on each member.
    """
    back = reverse(core) if back is None else back
    total = np.zeros(len(orbits.arc_size))
    for target, times in zip(traffic.targets.tolist(), traffic.times.tolist(), strict=True):
        flow = flow_to(core, back, target, traffic.sends(target), length=length, split=split)
        total += times * np.bincount(orbits.of_arc, flow, len(total))
    return np.asarray(total / orbits.arc_size)


def distance_sum(core: Core, traffic: Traffic, length: Floats, back: Reverse | None = None) -> float:
    """Sum over all traffic of Gb/s times shortest distance, at one Gb/s per endpoint."""
    back = reverse(core) if back is None else back
    total = 0.0
    for target, times in zip(traffic.targets.tolist(), traffic.times.tolist(), strict=True):
        sends = traffic.sends(target)
        some = sends > 0
        total += times * float(sends[some] @ back.distance_to(target, length)[some])
    return total


def floored(length: Floats) -> Floats:
    """Lengths all above 0, for routing."""
    return np.maximum(length, FLOOR * float(length.mean()))
