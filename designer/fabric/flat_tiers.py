"""What leaves that are joined directly carry, by way of random leaves, on the graph as it is built.

Every leaf sends ``rho / Lambda`` to each leaf, which passes it on to where it belongs, and gets as much: every traffic
in which no leaf sends or receives more than ``rho`` becomes the same even one, twice. Both times it goes

* mesh: straight, ``2 rho / Lambda`` on every pair;
* hyperx: along the first side, then along the second: ``2 rho / a_i`` on every pair of side ``i``;
* dragonfly: to a leaf of its group that has links to the group it goes to, evenly over these links, then to the leaf
  it is meant for. Between two groups ``2 a rho / G``; inside a group leaf ``s`` sends leaf ``u``
  ``(2 + 2 a (x_s + x_u)) rho / Lambda``, ``x_u`` the sum over other groups of the share that ``u`` has of the links
  there. Only the sum counts, so every arrangement in which leaves have equally many links carries the same.

The largest ``rho`` that fits is a routing found, not a bound believed. Sources: Valiant, Brebner, *Universal schemes
for parallel communication*, STOC 1981; Zhang-Shen, McKeown, *Designing a predictable Internet backbone with Valiant
load-balancing*, IWQoS 2005; Kim, Dally, Scott, Abts, *Technology-driven, highly-scalable Dragonfly topology*,
ISCA 2008.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from designer.fabric.copies import Copy
from designer.fabric.flat import pairs_of_line
from designer.fabric.placement import Ints
from designer.fabric.tier import Tier
from designer.fabric.traffic import PoolTraffic
from designer.fabric.wiring import BOUNDARIES, GROUP_GROUP, LEAF, LEAF_LEAF, Wiring


@dataclass(frozen=True)
class Hose:
    """Gb/s that every leaf may send and receive as far as one line goes.

    ``even``: as much as the thinnest pair allows; ``fluid``: as if the links of the line were shared out as needed;
    ``cut`` names the thinnest pair.
    """

    line: int
    even: Fraction
    fluid: Fraction
    cut: str


def hose_of(part: Wiring) -> tuple[Hose, ...]:
    """Find what every line of one copy carries by way of random leaves."""
    shape, dims = part.shape, part.dims
    leaves = np.flatnonzero(part.kind == LEAF)
    joined = [_capacity_of_leaves(part, line, int(leaves[0])) for line in range(len(dims))]
    if shape != "dragonfly":
        # Of what a leaf sends, an equal part goes to every place along the side, twice.
        loads = [np.full(each.links.size, 2.0 / side) for each, side in zip(joined, dims, strict=True)]
        return tuple(
            _thinnest(each, load, Fraction(2, side), Fraction(2 * each.links.size, side), part, leaves)
            for each, load, side in zip(joined, loads, dims, strict=True)
        )
    return _dragonfly(part, leaves, joined)


def flat_tiers(copies: tuple[Copy, ...], row: PoolTraffic, total: int) -> Iterator[Tier]:
    """Yield per line the most loaded leaf of a pool; ``total`` is the number of copies, the thinnest decides.

    As if every leaf were loaded as much: which leaf passes on for which is not chosen by load.
    """
    leaf, gbps = max(row.leaving(row.parts.leaf), key=lambda pair: pair[1])
    demand = gbps / total
    found = [(hose, copy) for copy in copies for hose in hose_of(copy.wiring)]
    for line in sorted({hose.line for hose, _ in found}):
        hose, copy = min(((h, c) for h, c in found if h.line == line), key=lambda pair: pair[0].even)
        part = copy.wiring
        name = part.name(int(np.flatnonzero((part.kind == LEAF) & (part.index == leaf))[0]))
        yield Tier(BOUNDARIES[LEAF_LEAF + line], row.pool.name, name, demand, demand, hose.even, hose.fluid, hose.cut)


@dataclass(frozen=True, eq=False)
class _Joined:
    """Every two leaves (or groups of a dragonfly) that should meet along a line: links, Gb/s, slowest link."""

    line: int
    lower: Ints
    upper: Ints
    links: Ints
    gbps: Ints
    rate: Ints


def _capacity_of_leaves(part: Wiring, line: int, first: int) -> _Joined:
    """Collect what pairs of leaves, or of groups, have; 0 where nothing joins them."""
    lower, upper = pairs_of_line(part.shape, part.dims, line)
    bundles = part.bundles(LEAF_LEAF + line)
    ends = part.lower[bundles] - first, part.upper[bundles] - first
    if part.shape == "dragonfly" and line == 1:
        ends = ends[0] // part.dims[0], ends[1] // part.dims[0]
    count = math.prod(part.dims)
    wanted, there = lower * count + upper, np.minimum(*ends) * count + np.maximum(*ends)
    order = np.argsort(wanted)
    at = order[np.searchsorted(wanted, there, sorter=order).clip(max=wanted.size - 1)]
    at, bundles = at[wanted[at] == there], bundles[wanted[at] == there]
    links, gbps = np.zeros(wanted.size, np.int64), np.zeros(wanted.size, np.int64)
    rate = np.full(wanted.size, np.iinfo(np.int64).max)
    np.add.at(links, at, part.links[bundles])
    np.add.at(gbps, at, part.capacity[bundles])
    np.minimum.at(rate, at, part.rate[bundles])
    return _Joined(line, lower, upper, links, gbps, np.where(links > 0, rate, 0))


def _thinnest(
    joined: _Joined, loads: np.ndarray, exact: Fraction | None, total: Fraction, part: Wiring, leaves: Ints
) -> Hose:
    """Divide capacity by load; ``exact`` is the load of the thinnest pair where it is the same for all."""
    # Traffic is shared out evenly over the links of a pair, so its slowest link limits them.
    even = joined.links * joined.rate
    at = int(np.argmin(even / loads))
    load = Fraction(float(loads[at])) if exact is None else exact
    one, two = int(joined.lower[at]), int(joined.upper[at])
    if part.shape == "dragonfly" and joined.line == 1:
        ends = f"group {one} to group {two}"
    else:
        ends = f"{part.name(int(leaves[one]))} to {part.name(int(leaves[two]))}"
    links = int(joined.links[at])
    what = f"{links} {'link' if links == 1 else 'links'} of {int(joined.rate[at])} Gb/s"
    cut = f"links of {ends} ({what}) with traffic by way of random leaves"
    return Hose(joined.line, int(even[at]) / load, int(joined.gbps.sum()) / total, cut)


def _dragonfly(part: Wiring, leaves: Ints, joined: list[_Joined]) -> tuple[Hose, ...]:
    size, groups = part.dims
    inside, between = joined
    count = np.zeros((groups, groups), np.int64)
    count[between.lower, between.upper] = between.links
    count += count.T
    bundles = part.bundles(GROUP_GROUP)
    ends, links = (part.lower[bundles] - leaves[0], part.upper[bundles] - leaves[0]), part.links[bundles]
    # Cables that stray inside a group join no two groups.
    of = links / count[ends[0] // size, ends[1] // size].clip(1)
    share = np.zeros(leaves.size)
    for end in ends:
        np.add.at(share, end, of)
    loads = (2 + 2 * size * (share[inside.lower] + share[inside.upper])) / leaves.size
    first = int(np.argmin(inside.links * inside.rate / loads))
    exact = Fraction(2, leaves.size)
    for leaf in (int(inside.lower[first]), int(inside.upper[first])):
        for own, other in (ends, ends[::-1]):
            for at in np.flatnonzero(own == leaf).tolist():
                of_pair = max(1, int(count[leaf // size, int(other[at]) // size]))
                exact += Fraction(2 * size * int(links[at]), of_pair * leaves.size)
    # The shares of all leaves of a group add up to the number of groups that it meets.
    meets = int(np.count_nonzero(count))
    total = Fraction(2 * inside.links.size + 2 * size * (size - 1) * meets, leaves.size)
    both = Fraction(2 * size, groups)
    return (
        _thinnest(inside, loads, exact, total, part, leaves),
        _thinnest(between, np.full(between.links.size, float(both)), both, both * between.links.size, part, leaves),
    )
