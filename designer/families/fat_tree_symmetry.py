"""Permutations that leave a fat tree as it is: of like units under one unit, of like boxes above."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from designer.families.fat_tree_build import leaf_of
from designer.families.fat_tree_shape import Shape
from designer.network.graph import Ints


def generators(shape: Shape, per_host: int) -> list[Ints]:
    """Find permutations (boxes,) whose products exchange everything alike.

    None for links dealt out in turn where they are not even, and for service ports.

    Units that hold as many endpoints in the same places may change places with all that is in them, endpoints of a leaf
    among themselves, and boxes with the same sisters above, in all units at once.
    """
    if not all(edge.even or edge.aligned for edge in shape.boundaries) or shape.service.any():
        return []
    return [*_Units(shape, per_host).moves(), *_above(shape)]


def _moved(blocks: Ints, boxes: int) -> Iterator[Ints]:
    """Advance the rows of ``blocks`` in a circle, and exchange the first two: all orders come of that."""
    if len(blocks) < 2:
        return
    for rows in (blocks, blocks[:2]) if len(blocks) > 2 else (blocks,):
        out = np.arange(boxes)
        out[rows] = np.roll(rows, 1, axis=0)
        yield out


class _Units:
    """Units of every tier and their kinds: two of a kind hold children of the same kinds in the same order."""

    def __init__(self, shape: Shape, per_host: int) -> None:
        self.boxes = shape.boxes()
        self.first = shape.endpoints + np.concatenate([[0], np.cumsum(self.boxes)])
        self.order = np.argsort(leaf_of(shape.on_leaf, per_host), kind="stable")
        self.start = np.concatenate([[0], np.cumsum(shape.on_leaf)])
        self.edges = shape.boundaries
        self.kinds: list[list[int]] = [shape.on_leaf.tolist()]
        for edge in self.edges:
            known: dict[tuple[int, ...], int] = {}
            below = self.kinds[-1]
            held = [tuple(below[at : at + edge.fan]) for at in range(0, len(below), edge.fan)]
            self.kinds.append([known.setdefault(children, len(known)) for children in held])

    def _contents(self, tier: int, unit: int) -> list[Ints]:
        if tier == 0:
            inside = [self.order[self.start[unit] : self.start[unit + 1]]]
        else:
            inside = [part for child in self._children(tier, unit) for part in self._contents(tier - 1, child)]
        width = self.edges[tier].width
        return [*inside, self.first[tier] + unit * width + np.arange(width)]

    def _children(self, tier: int, unit: int) -> range:
        fan = self.edges[tier - 1].fan
        return range(unit * fan, min((unit + 1) * fan, self.edges[tier - 1].units))

    def moves(self) -> Iterator[Ints]:
        """One unit of every kind, from the whole copy downward."""
        total, todo = int(self.first[-1]), [(len(self.edges), 0)]
        while todo:
            tier, unit = todo.pop()
            if tier == 0:
                yield from _moved(self.order[self.start[unit] : self.start[unit + 1], None], total)
                continue
            alike: dict[int, list[int]] = {}
            for child in self._children(tier, unit):
                alike.setdefault(self.kinds[tier - 1][child], []).append(child)
            for children in alike.values():
                yield from _moved(np.stack([np.concatenate(self._contents(tier - 1, c)) for c in children]), total)
                todo.append((tier - 1, children[0]))


def _above(shape: Shape) -> Iterator[Ints]:
    """Boxes above one box: their place is one digit of the numbers of all boxes above the boundary, in every unit.

    Where links are aligned but not even those with a link more are the first.
    """
    boxes = shape.boxes()
    first = shape.endpoints + np.concatenate([[0], np.cumsum(boxes)])
    bases = [edge.above for edge in shape.boundaries]
    for i, base in enumerate(bases):
        parts = []
        for stage in range(i + 1, len(boxes)):
            numbers = np.arange(first[stage], first[stage + 1]).reshape(-1, *bases[:stage])
            parts.append(np.moveaxis(numbers, i + 1, 0).reshape(base, -1))
        places, more = np.concatenate(parts, axis=1), int(shape.boundaries[i].up[0]) % base
        for alike in (places[:more], places[more:]):
            yield from _moved(alike, int(first[-1]))
