"""Leaves joined directly: mesh, hyperx and dragonfly (``docs/rules.md`` section 7.1).

Leaves are numbered line by line: leaf ``l`` of an ``(a1, a2)`` hyperx stands at ``(l // a2, l % a2)``, leaf ``l`` of an
``(a, G)`` dragonfly is number ``l % a`` of group ``l // a``. *Line* 0 is what the design calls ``leaf_leaf``, line 1
``group_group``.

The rules leave open which leaves of two groups of a dragonfly are joined, only how many links every leaf has. Here the
ports of a group are counted over its leaves and given to the groups after it in turn, ``m_2`` to each (Hastings et al.,
*Comparing global link arrangements for Dragonfly networks*, CLUSTER 2015, the relative arrangement). What such a fabric
carries by way of random leaves is the same for all (:mod:`designer.fabric.flat_tiers`).
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from designer.design.types import Fabric
from designer.fabric.flow_report import Violation

Ints = NDArray[np.int64]

Pairs = tuple[Ints, Ints, Ints]
"""Lower leaf, upper leaf and number of links of every joined pair."""

SIDES = {"mesh": 1, "hyperx": 2, "dragonfly": 2}


def flat_numbers(fabric: Fabric, place: str) -> Iterator[Violation]:
    """Name every number without which leaves cannot be joined directly."""
    shape, dims, links = fabric.shape, fabric.dims, fabric.links_per_pair
    if shape not in SIDES:
        yield Violation("fabric_shape", place, f"{shape} is not tree, mesh, hyperx or dragonfly")
        return
    sides = SIDES[shape]
    if (len(dims), len(links)) != (sides, sides) or min(dims) < 2 or min(links) < 1:
        wanted = f"{sides} dims of at least 2 leaves and {sides} numbers of links of at least 1"
        yield Violation("flat_dims", place, f"a {shape} of dims {dims} and {links} links per pair, it needs {wanted}")
    elif shape == "dragonfly" and links[1] * (dims[1] - 1) % dims[0]:
        ports = links[1] * (dims[1] - 1)
        message = (
            f"{ports} links of a group to the {dims[1] - 1} others are no whole number for each of {dims[0]} leaves"
        )
        yield Violation("flat_dims", place, message)


def leaves_in(fabric: Fabric) -> int:
    """Leaves of one copy, those included that no pool uses."""
    return math.prod(fabric.dims)


def per_line(fabric: Fabric) -> int:
    """Leaves of a group or of a line of the second kind: a fabric is no larger than needed by as many."""
    return {"mesh": 1, "hyperx": fabric.dims[-1], "dragonfly": fabric.dims[0]}[fabric.shape]


def links_of_leaf(fabric: Fabric) -> tuple[int, ...]:
    """Links of every leaf along each line.

    Examples
    --------
    Rails, stages and the rest do not matter here:

    >>> def fabric(shape, dims, links):
    ...     numbers = 400, 0, 0, 12, 1, 0, 0, 0.0
    ...     return Fabric("Ethernet", 1, 1, (), *numbers, (), 1, shape, dims, links)
    >>> links_of_leaf(fabric("mesh", (12,), (2,)))
    (22,)
    >>> links_of_leaf(fabric("hyperx", (4, 3), (1, 2)))
    (3, 4)
    >>> links_of_leaf(fabric("dragonfly", (3, 4), (1, 2)))
    (2, 2)
    """
    links, dims = fabric.links_per_pair, fabric.dims
    first = links[0] * (dims[0] - 1)
    if fabric.shape == "mesh":
        return (first,)
    if fabric.shape == "hyperx":
        return first, links[1] * (dims[1] - 1)
    return first, links[1] * (dims[1] - 1) // dims[0]


def pairs_of_leaves(fabric: Fabric) -> tuple[Pairs, ...]:
    """Join the leaves of one copy, line by line."""
    dims, links = fabric.dims, fabric.links_per_pair
    first = pairs_of_line(fabric.shape, dims, 0)
    if fabric.shape == "mesh":
        return (_alike(first, links[0]),)
    if fabric.shape == "hyperx":
        return _alike(first, links[0]), _alike(pairs_of_line(fabric.shape, dims, 1), links[1])
    return _alike(first, links[0]), _between_groups(dims[0], dims[1], links[1])


def pairs_of_line(shape: str, dims: tuple[int, ...], line: int) -> tuple[Ints, Ints]:
    """Every two leaves that meet along a line; between the groups of a dragonfly it is the groups that meet.

    Examples
    --------
    >>> [end.tolist() for end in pairs_of_line("hyperx", (3, 2), 0)]
    [[0, 0, 2, 1, 1, 3], [2, 4, 4, 3, 5, 5]]
    >>> [end.tolist() for end in pairs_of_line("dragonfly", (4, 3), 1)]
    [[0, 0, 1], [1, 2, 2]]
    """
    if shape == "mesh":
        return _every_two(np.arange(dims[0])[None, :])
    leaf = np.arange(math.prod(dims))
    if shape == "hyperx":
        grid = leaf.reshape(dims)
        return _every_two(grid.T if line == 0 else grid)
    return _every_two(leaf.reshape(dims[::-1]) if line == 0 else np.arange(dims[1])[None, :])


def line_between(shape: str, dims: tuple[int, ...], one: int, two: int) -> int | None:
    """Line along which two leaves may be joined; None where they never are.

    Examples
    --------
    >>> [line_between("hyperx", (4, 3), 0, other) for other in (3, 2, 4, 0)]
    [0, 1, None, None]
    >>> [line_between("dragonfly", (3, 4), 0, other) for other in (2, 11)], line_between("tree", (), 0, 1)
    ([0, 1], None)
    """
    if one == two or shape == "tree":
        return None
    if shape == "mesh":
        return 0
    per = dims[1] if shape == "hyperx" else dims[0]
    (line, at), (other, there) = divmod(one, per), divmod(two, per)
    if shape == "dragonfly":
        return 0 if line == other else 1
    if at == there:
        return 0
    return 1 if line == other else None


def _every_two(lines: Ints) -> tuple[Ints, Ints]:
    """Every two leaves of each row."""
    lower, upper = np.triu_indices(lines.shape[1], 1)
    return lines[:, lower].ravel(), lines[:, upper].ravel()


def _alike(ends: tuple[Ints, Ints], links: int) -> Pairs:
    return *ends, np.full(ends[0].size, links, np.int64)


def _between_groups(size: int, groups: int, links: int) -> Pairs:
    """Links between groups; port ``t`` of a group and port ``last - t`` of the other one are its two ends."""
    ports = links * (groups - 1)
    group, port = np.divmod(np.arange(groups * ports), ports)
    other = (group + 1 + port // links) % groups
    each = ports // size
    lower, upper = group * size + port // each, other * size + (ports - 1 - port) // each
    once = group < other
    pair, count = np.unique(lower[once] * (size * groups) + upper[once], return_counts=True)
    return pair // (size * groups), pair % (size * groups), count.astype(np.int64)
