"""Places of a grid as arrays: numbers, coordinates, and links folded into the rows of a network."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Annotated

import numpy as np
from pydantic import Field

from designer.network.graph import Ints

LETTERS = "xyzwvu"
"""Names of the sides; the first one runs fastest."""

Count = Annotated[int, Field(ge=1, le=1_000_000)]
Length = Annotated[int, Field(ge=2, le=1_000_000)]
Gbps = Annotated[float, Field(ge=1e-6, le=1e9, allow_inf_nan=False)]
Sizes = Annotated[tuple[Length, ...], Field(strict=False, min_length=1, max_length=len(LETTERS))]
Blocks = Annotated[tuple[Count, ...], Field(strict=False, min_length=1, max_length=len(LETTERS))]
PerSide = Annotated[tuple[Count, ...], Field(strict=False, min_length=1, max_length=len(LETTERS))]
RatePerSide = Annotated[tuple[Gbps, ...], Field(strict=False, min_length=1, max_length=len(LETTERS))]


def coordinates(sides: Sequence[int]) -> Ints:
    """Coordinates (sides, boxes) of every place, the first side running fastest.

    Examples
    --------
    >>> coordinates((2, 3)).tolist()
    [[0, 1, 0, 1, 0, 1], [0, 0, 1, 1, 2, 2]]
    """
    number = np.arange(prod(sides), dtype=np.int64)
    out = []
    for side in sides:
        out.append(number % side)
        number = number // side
    return np.array(out)


def numbers(places: Sequence[Ints], sides: Sequence[int]) -> Ints:
    """Numbers of places given by their coordinates: the inverse of `coordinates`.

    Examples
    --------
    >>> numbers(coordinates((2, 3)), (2, 3)).tolist()
    [0, 1, 2, 3, 4, 5]
    """
    out = np.zeros_like(places[0])
    for place, side in zip(reversed(list(places)), reversed(list(sides)), strict=True):
        out = out * side + place
    return out


def nested(places: Sequence[Ints], sides: Sequence[int], *blocks: Sequence[int]) -> Ints:
    """Numbers of places, block by block: ``blocks`` from the innermost outward, each a part of the next.

    Examples
    --------
    >>> nested(coordinates((4, 2)), (4, 2), (2, 2)).tolist()  # two boards of two by two, side by side
    [0, 1, 4, 5, 2, 3, 6, 7]
    """
    if not blocks:
        return numbers(places, sides)
    inner, *outer = blocks
    within = numbers([p % b for p, b in zip(places, inner, strict=True)], inner)
    above = [[o // b for o, b in zip(block, inner, strict=True)] for block in outer]
    coarse = [p // b for p, b in zip(places, inner, strict=True)]
    return nested(coarse, [s // b for s, b in zip(sides, inner, strict=True)], *above) * prod(inner) + within


def pairs_of(size: int) -> tuple[Ints, Ints]:
    """All pairs of a line: the smaller and the larger place.

    Examples
    --------
    >>> [ends.tolist() for ends in pairs_of(3)]
    [[0, 0, 1], [1, 2, 2]]
    """
    low, high = np.triu_indices(size, 1)
    return low.astype(np.int64), high.astype(np.int64)


def folded(lower: Ints, upper: Ints, links: Ints, bundle: Ints) -> tuple[Ints, Ints, Ints, Ints]:
    """Rows of a network: links of the same two boxes and bundle added up, in order of bundle, lower and upper box.

    Examples
    --------
    >>> one = np.array
    >>> [part.tolist() for part in folded(one([4, 4, 0]), one([5, 5, 1]), one([1, 2, 1]), one([0, 0, 0]))]
    [[0, 4], [1, 5], [1, 3], [0, 0]]
    """
    order = np.lexsort((upper, lower, bundle))
    lower, upper, links, bundle = lower[order], upper[order], links[order], bundle[order]
    new = np.ones(len(lower), bool)
    new[1:] = (lower[1:] != lower[:-1]) | (upper[1:] != upper[:-1]) | (bundle[1:] != bundle[:-1])
    first = np.flatnonzero(new)
    total = np.add.reduceat(links, first) if len(first) else links
    return lower[first], upper[first], total, bundle[first]


def moved(places: Sequence[Ints], axis: int, to: Ints) -> list[Ints]:
    """Coordinates with those of one axis sent where ``to`` says.

    Examples
    --------
    >>> [p.tolist() for p in moved(coordinates((2, 2)), 1, np.array([1, 0]))]
    [[0, 1, 0, 1], [1, 1, 0, 0]]
    """
    return [to[place] if at == axis else place for at, place in enumerate(places)]


def ring_moves(size: int, period: int) -> list[Ints]:
    """What turns a ring on itself: a step of ``period`` places, and a mirror.

    Examples
    --------
    >>> [move.tolist() for move in ring_moves(4, 2)]
    [[2, 3, 0, 1], [3, 2, 1, 0]]
    """
    place = np.arange(size, dtype=np.int64)
    return [np.roll(place, -period), place[::-1].copy()]


def mesh_moves(size: int) -> list[Ints]:
    """What turns a full mesh on itself: a step of one place, and the exchange of two; all others are made of these.

    Examples
    --------
    >>> [move.tolist() for move in mesh_moves(3)]
    [[1, 2, 0], [1, 0, 2]]
    """
    place = np.arange(size, dtype=np.int64)
    swapped = place.copy()
    swapped[:2] = 1, 0
    return [np.roll(place, -1), swapped]
