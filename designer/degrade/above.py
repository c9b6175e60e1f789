"""What every leaf of a damaged copy can still bring up and take down, as a multiple of what it needs.

At most: what leaves a leaf, a pod or a zone fits through the links it has left, counted only as far as the boxes above
can pass it on; a shortage of a pod or zone is shared alike.

At least, trees: a routing that carries *every* exchange in which no leaf sends or takes more than its share. All leaves
spread over the top boxes in the same proportions ``w``, so any two meet everywhere; ``t`` times the need fits if at
every box ``t * need * w <= room``, and the largest ``t`` is found box by box: a top box takes the least of
room / need over what is below it, a box below it the lesser of that sum and its own (Valiant, *A scheme for fast
parallel communication*, SIAM J. Comput. 1982; docs/rules.md section 7 asks for the same of the intact tree). Leaves
that are short may also go on at their own pace, or stop, while the others carry on: what leaves most is promised.

At least, leaves joined directly: by way of a random leaf, both ways even (docs/rules.md 7.1): half of what an even
exchange of all leaves that are left gets, computed on the damaged network.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from designer.degrade.copy import Copy
from designer.network.graph import Bundle, Ints, Kind, Network
from designer.network.throughput import all_to_all

Floats = npt.NDArray[np.float64]

_SHORT = 1e-12
"""Shares that differ by no more than this, relative, are one: rounding."""

_MOST_PACES = 8
"""Ways to stop the shortest leaves that are tried."""


@dataclass(frozen=True, eq=False)
class Reach:
    """Multiples of its demand, (leaves,): at least and at most; infinite where nothing is asked."""

    low: Floats
    high: Floats


def reach_of(
    copy: Copy, lost: Ints, low_demand: Floats, high_demand: Floats, worth: Callable[[Floats], Any] | None = None
) -> Reach:
    """Say what the leaves of a copy can reach the others with.

    Parameters
    ----------
    copy
        The intact copy.
    lost
        (rows,): links of each row that are gone.
    low_demand, high_demand
        (leaves,): Gb/s of each leaf while everything runs, and without what has stopped anyway.
    worth
        Of multiples (leaves,): the way to go on that is worth most is promised; absent, the one that carries most.
    """
    if copy.fabric.shape != "tree":
        return _flat(copy, lost, low_demand, high_demand)
    if not copy.shapes:
        ends = np.full(len(low_demand), np.inf)
        return Reach(ends, ends)
    rates, kept = copy.network.rates() / copy.network.links, copy.network.links - lost
    room = [
        (kept[at : at + int(np.prod(shape))] * rates[at]).reshape(shape)
        for at, shape in zip(copy.rows, copy.shapes, strict=True)
    ]
    high = _most(copy, room, high_demand)
    low = _promised(copy, room, low_demand, worth or (lambda way: float(way @ low_demand)))
    return Reach(np.minimum(low, high), high)


def _promised(copy: Copy, room: list[Floats], need: Floats, worth: Callable[[Floats], Any]) -> Floats:
    """The best way to run what is left: all at one pace, those who are short at their own, or without the shortest."""
    share = np.minimum(_most(copy, room, need), 1.0)
    common = _common(copy, room, need)
    if common >= 1:
        return np.full(len(need), common)
    ways = [np.full(len(need), common), share * min(_common(copy, room, need * share), 1.0)]
    for pace in np.unique(share)[1:][-_MOST_PACES:]:
        kept = np.asarray(share >= pace * (1 - _SHORT), np.float64)
        ways.append(kept * min(_common(copy, room, need * kept), 1.0))
    return max(ways, key=worth)


def _over(room: Floats, need: Floats) -> Floats:
    """room / need by the first axis, infinite where nothing is needed."""
    need = need.reshape(need.shape + (1,) * (room.ndim - need.ndim))
    return np.asarray(
        np.divide(room, need, out=np.full(room.shape, np.inf), where=np.broadcast_to(need > 0, room.shape))
    )


def _grouped(amount: Floats, group: Ints, size: int) -> Floats:
    out = np.zeros((size, *amount.shape[1:]))
    np.add.at(out, group, amount)
    return out


def _most(copy: Copy, room: list[Floats], need: Floats) -> Floats:
    pods, zones = len(copy.zone), int(copy.zone[-1]) + 1
    pod_need = _grouped(need, copy.pod, pods)
    up = room[0]
    if len(room) == 1:
        return _over(up.sum(1), need)
    onward = room[1]
    if len(room) > 2:
        tops = room[2].sum(3)
        onward = np.minimum(onward, tops[copy.zone])
    spine = onward.sum(2)
    high = _over(np.minimum(up, spine[copy.pod]).sum(1), need)
    from_pod = np.minimum(_grouped(up, copy.pod, pods), spine)
    high = np.minimum(high, _over(from_pod.sum(1), pod_need)[copy.pod])
    if len(room) > 2:
        core = np.minimum(_grouped(room[1], copy.zone, zones), room[2].sum(3))
        from_zone = np.minimum(core.sum(2), _grouped(from_pod, copy.zone, zones)).sum(1)
        zone_need = _grouped(pod_need, copy.zone, zones)
        high = np.minimum(high, _over(from_zone, zone_need)[copy.zone][copy.pod])
    return high


def _common(copy: Copy, room: list[Floats], need: Floats) -> float:
    pods, zones = len(copy.zone), int(copy.zone[-1]) + 1
    pod_need = _grouped(need, copy.pod, pods)
    each = _over(room[0], need).min(0)
    if len(room) > 1:
        core = _over(room[1], pod_need).min(0)
        if len(room) > 2:
            core = np.minimum(core, _over(room[2], _grouped(pod_need, copy.zone, zones)).min(0).sum(2))
        each = np.minimum(each, core.sum(1))
    return float(each.sum())


def leaf_network(copy: Copy, lost: Ints) -> Network:
    """The leaves of a copy alone, as endpoints that forward, with the links between them that are left."""
    network, first = copy.network, copy.leaves.start
    damaged = replace(network, links=network.links - lost)
    rows = (network.lower >= first) & (damaged.links > 0)
    return Network(
        (Kind("leaf", len(copy.leaves)),),
        tuple(Bundle(bundle.name, bundle.rate_gbps) for bundle in network.bundles),
        network.lower[rows] - first,
        network.upper[rows] - first,
        damaged.links[rows],
        network.bundle[rows],
        network.block[first : first + len(copy.leaves)],
    )


def _flat(copy: Copy, lost: Ints, low_demand: Floats, high_demand: Floats) -> Reach:
    leaves = leaf_network(copy, lost)
    own = np.zeros(leaves.boxes)
    for end in (leaves.lower, leaves.upper):
        np.add.at(own, end, leaves.rates())
    high = _over(own, high_demand)
    if np.count_nonzero(high_demand) < 2:
        # All others have stopped: a leaf that is left has nobody to send to.
        nothing = np.full(len(own), np.inf)
        return Reach(nothing, nothing)
    alive = own > 0
    if int(alive.sum()) < 2:
        return Reach(np.where(low_demand > 0, 0.0, np.inf), high)
    found = all_to_all(leaves, relays=True, taking_part=alive, exactly=False, rounds=4)
    count = found.endpoints
    # A leaf sends T / (count - 1) to each other in an even exchange; a random leaf may be itself.
    room = found.least * count / (count - 1) / 2
    return Reach(np.minimum(np.where(alive, _over(np.full(len(own), room), low_demand), 0.0), high), high)
