"""Leaves joined directly, without switches above them: meshes, hyperx grids, dragonflies (``docs/rules.md`` 7.1).

Counting works on whole numbers and, element by element, on arrays of them. ``dims`` are ``(Lambda,)``, ``(a1, a2)`` or
``(a, G)``, ``links`` those of a joined pair, ``(m,)`` or ``(m_1, m_2)``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, Literal, TypeVar

import numpy as np
import numpy.typing as npt

from designer.instance.schema import Instance

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
ShapeKind = Literal["tree", "mesh", "hyperx", "dragonfly"]
FlatName = Literal["leaf_leaf", "group_group"]
Whole = TypeVar("Whole", int, Ints)

# Guards a ceiling of a quotient of decimal figures against the last bit of its float.
_EPS = 1e-9


@dataclass(frozen=True)
class Line(Generic[Whole]):
    """One boundary between leaves: links of a leaf, links of one pair of leaves (they share cables), how often the
    longest way crosses it."""

    name: FlatName
    links: Whole
    per_pair: Whole
    crossed: int


def lines(kind: ShapeKind, dims: tuple[Whole, ...], links: tuple[Whole, ...]) -> tuple[Line[Whole], ...]:
    """The boundaries of a leaf (none in a tree).

    A mesh of two leaves has no third to go by: its one link is crossed once. Arrays hold meshes of two leaves only, or
    none of them (`meshes_apart`).

    Examples
    --------
    >>> [(line.name, line.links, line.crossed) for line in lines("dragonfly", (4, 9), (1, 2))]
    [('leaf_leaf', 3, 4), ('group_group', 4, 2)]
    """
    if kind == "mesh":
        (leaves,), (m,) = dims, links
        return (Line("leaf_leaf", m * (leaves - 1), m, 1 if bool(np.all(leaves == 2)) else 2),)
    if kind == "hyperx":
        (a1, a2), (m1, m2) = dims, links
        return Line("leaf_leaf", m1 * (a1 - 1), m1, 2), Line("group_group", m2 * (a2 - 1), m2, 2)
    if kind == "dragonfly":
        (a, groups), (m1, m2) = dims, links
        # Between groups one link at a time joins two leaves.
        h = m2 * (groups - 1) // a
        return Line("leaf_leaf", m1 * (a - 1), m1, 4), Line("group_group", h, h // h, 2)
    return ()


def switches_passed(kind: ShapeKind, dims: tuple[Whole, ...]) -> int:
    """Leaves on the longest way."""
    if kind == "mesh":
        return 2 if bool(np.all(dims[0] == 2)) else 3
    return {"hyperx": 5, "dragonfly": 7}[kind]


def size(dims: tuple[Whole, ...]) -> Whole:
    """All leaves of a copy.

    Examples
    --------
    >>> size((7,)), size((4, 9))
    (7, 36)
    """
    out = dims[0]
    for side in dims[1:]:
        out = out * side
    return out


def fewest_leaves(kind: ShapeKind, dims: tuple[Whole, ...]) -> Whole:
    """Leaves that the pools must have at least: a line or group fewer would not hold them; a mesh has no idle leaf.

    Examples
    --------
    >>> fewest_leaves("mesh", (7,)), fewest_leaves("hyperx", (5, 4)), fewest_leaves("dragonfly", (4, 9))
    (7, 17, 33)
    """
    if kind == "mesh":
        return dims[0]
    return size(dims) - (dims[1] if kind == "hyperx" else dims[0]) + 1


def cap_gbps(kind: ShapeKind, dims: tuple[Ints, ...], links: tuple[Ints, ...], rate: int) -> Floats:
    """What every leaf may send and receive by way of random leaves (Valiant), arrays (n,)."""
    if kind == "mesh":
        return np.asarray(links[0] * rate * dims[0] / 2)
    (one, two), (m1, m2) = dims, links
    if kind == "hyperx":
        return np.minimum(m1 * rate * one / 2, m2 * rate * two / 2)
    return np.minimum(m2 * rate * two / (2 * one), m1 * rate * one * two / (2 * (2 * two - 1)))


def kept_gbps(kind: ShapeKind, dims: tuple[Ints, ...], links: tuple[Ints, ...], rate: int) -> Floats:
    """What every leaf may still send when another is out (infinite: nothing is lost with it), arrays (n,)."""
    if kind != "mesh":
        # Not known: these are not offered where a limit on single failures is set, and nothing is asked of them.
        return np.zeros(dims[0].size)
    return np.where(dims[0] == 2, np.inf, links[0] * rate * (dims[0] - 1) / 2)


def grids(kind: ShapeKind, totals: Ints, ports: int) -> tuple[Ints, ...]:
    """Dims of every grid that is no larger than some number of leaves needs and whose pairs have a link each.

    Parameters
    ----------
    kind
        Shape.
    totals
        Numbers of leaves of all pools together.
    ports
        Ports of a leaf, of which one at least goes down.

    Examples
    --------
    >>> [dims.tolist() for dims in grids("hyperx", np.array([9]), 64)]
    [[5, 3], [2, 3]]
    """
    room = ports - 1
    if kind == "mesh":
        return (totals[(totals >= 2) & (totals <= room + 1)],)
    most = int(totals.max(initial=0))
    found: list[Ints] = []
    for side in range(2, min(room, most) + 1):
        others = np.unique(-(totals // -side))
        if kind == "hyperx":
            others = others[(others >= side) & (others + side - 2 <= room)]
            if side * side > most + side:
                break
            found.append(np.stack([others, np.full_like(others, side)], axis=1))
        else:
            others = others[others >= 2]
            others = others[side - 1 + _step(side, others) * (others - 1) // side <= room]
            found.append(np.stack([np.full_like(others, side), others], axis=1))
    every = np.concatenate(found) if found else np.zeros((0, 2), np.int64)
    return every[:, 0], every[:, 1]


def least_links(kind: ShapeKind, dims: tuple[Ints, ...], rate: int, gbps: Floats, kept: Floats) -> tuple[Ints, ...]:
    """Fewest links of a pair with which every leaf may send ``gbps``, and ``kept`` when another is out; arrays (n,).

    Links of a pair only add to what a fabric costs and risks, and each number acts on a part of the capacity of its
    own: so the fewest of both together are best.
    """

    def up(links: Floats) -> Ints:
        return np.maximum(np.ceil(links - _EPS), 1).astype(np.int64)

    if kind == "mesh":
        (leaves,) = dims
        out = 2 * np.where(leaves == 2, 0.0, kept) / (rate * np.maximum(leaves - 1, 1))
        return (up(np.maximum(2 * gbps / (rate * leaves), out)),)
    one, two = dims
    if kind == "hyperx":
        return up(2 * gbps / (rate * one)), up(2 * gbps / (rate * two))
    # Every leaf has as many links to other groups: a whole number.
    step = _step(one, two)
    between = -(up(2 * one * gbps / (rate * two)) // -step) * step
    return up(2 * (2 * two - 1) * gbps / (rate * one * two)), between


def _step(leaves: int | Ints, groups: Ints) -> Ints:
    """Links between two groups come in multiples of this."""
    return np.asarray(leaves // np.gcd(leaves, groups - 1))


def shapes_offered(instance: Instance) -> tuple[ShapeKind, ...]:
    """Shapes that an instance allows, in the order that it lists them.

    A pinned taper or number of stages asks for a tree; what a failed leaf leaves of a hyperx or dragonfly is not known.
    """
    pin, listed = instance.pin, instance.choose.scale_out_shapes
    if pin.taper is not None or pin.scale_out_stages is not None:
        return tuple(kind for kind in listed if kind == "tree")
    if instance.risk.max_single_failure_share is not None:
        return tuple(kind for kind in listed if kind in ("tree", "mesh"))
    return tuple(listed)
