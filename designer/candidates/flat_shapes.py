"""Meshes, grids and dragonflies of leaves that may be worth having for given pool choices (``docs/rules.md`` 7.1).

Exact, and sparing: only grids for the numbers of leaves that some combination of the pools' choices has, and of each
only the fewest links per pair with which some choice can send what it must. Links per pair only add to what a fabric
costs and risks, and leave its longest way as it is, so more of them are never better.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from designer.candidates.ceiling import Ceiling
from designer.candidates.choices import Choices
from designer.candidates.flat import ShapeKind, fewest_leaves, grids, least_links, size
from designer.candidates.mixing import Mix, least, sums
from designer.candidates.shape import Boxes, Ints, ShapeRows
from designer.candidates.terms import Floats

# Combinations looked at in one go: bounds memory, of no influence on the result.
_AT_ONCE = 400_000


@dataclass(frozen=True)
class _Asked:
    """What the choices of one pool ask of leaves joined by links of one rate, sorted by ``leaves``; arrays (n,).

    ``usd`` is the objective of the choices, which may be mixed by ``mix``, ``gbps`` what a leaf must be able to send,
    ``kept`` when another is out (infinite: there may be only two).
    """

    leaves: Ints
    gbps: Floats
    kept: Floats
    usd: Floats
    mix: Mix | None

    @staticmethod
    def of(choices: Choices, rate: int, max_taper: float, objective: Callable[[Floats], Floats]) -> _Asked | None:
        """None where links of this rate serve no choice."""
        radix = choices.leaf.radix
        down_radix = np.array([radix[r] for r in choices.rate.tolist()])
        fits = (choices.rate <= rate) & (choices.down * radix[rate] + down_radix <= down_radix * radix[rate])
        if not fits.any():
            return None
        load = choices.leaf_gbps[fits]
        gbps = np.maximum(load, choices.down[fits] * choices.rate[fits] / max_taper)
        leaves, usd = choices.leaves[fits], objective(choices.terms[fits])
        order = np.argsort(leaves, kind="stable")
        mix = None if choices.mixing is None else choices.mixing.take(fits).take(order)
        return _Asked(leaves[order], gbps[order], choices.relayed_gbps[fits][order], usd[order], mix)


def flat_shapes(
    choices: Sequence[Choices],
    kinds: Sequence[ShapeKind],
    max_taper: float,
    ceiling: Ceiling,
    objective: Callable[[Floats], Floats],
) -> Iterator[ShapeRows]:
    """Yield shapes without switches above the leaf for the choices (one block per pool), each with a lower bound."""
    leaf, copies = choices[0].leaf, choices[0].copies
    for rate in sorted(leaf.radix):
        near = ceiling.link_usd(leaf, leaf, rate, "leaf_leaf")
        found = [_Asked.of(block, rate, max_taper, objective) for block in choices] if near is not None else []
        asked = [one for one in found if one is not None]
        if near is None or len(asked) < len(choices):
            continue
        far = ceiling.link_usd(leaf, leaf, rate, "group_group")
        totals = _totals([sums(one.leaves, one.mix) for one in asked], leaf.radix[rate])
        for kind in kinds:
            links = (near,) if kind == "mesh" else (near, far)
            if kind == "tree" or any(one is None for one in links):
                continue
            boxes = Boxes(leaf, rate_gbps=rate, copies=copies, kind=kind)
            priced = [one for one in links if one is not None]
            for dims in _some(grids(kind, totals, leaf.radix[rate]), kind):
                yield from _linked(boxes, dims, asked, priced, ceiling.best_usd)


def _totals(leaves: Sequence[Ints], ports: int) -> Ints:
    """Numbers of leaves that all pools can have together, no more than any shape can join."""
    side = np.arange(2, ports + 1)
    most = int((side * side * (ports - side + 1) + side).max(initial=ports))
    out = np.zeros(1, np.int64)
    for mine in leaves:
        out = np.unique(out[:, None] + np.unique(mine)[None, :])
        out = out[out <= most]
    return out


def _some(dims: tuple[Ints, ...], kind: ShapeKind) -> Iterator[tuple[Ints, ...]]:
    """The grids some at a time; a mesh of two leaves apart, for its longest way is another."""
    if kind == "mesh":
        pair = dims[0] == 2
        dims, apart = (dims[0][~pair],), (dims[0][pair],)
        if apart[0].size:
            yield apart
    for start in range(0, dims[0].size, _AT_ONCE // 100):
        yield tuple(side[start : start + _AT_ONCE // 100] for side in dims)


def _linked(
    boxes: Boxes,
    dims: tuple[Ints, ...],
    asked: Sequence[_Asked],
    links_usd: Sequence[tuple[float, float]],
    best: float,
) -> Iterator[ShapeRows]:
    """Grids with every least number of links that some choice needs, and their bounds."""
    kind, rate = boxes.kind, boxes.rate_gbps
    fewest, whole = fewest_leaves(kind, dims), size(dims)
    if len(asked) == 1 and asked[0].mix is None:
        one = asked[0]
        first, last = np.searchsorted(one.leaves, fewest), np.searchsorted(one.leaves, whole, side="right")
        some = np.flatnonzero(last > first)
        first, last = first[some], last[some]
        dims = tuple(side[some] for side in dims)
        ends = np.stack([first, last], axis=1).ravel()
        usd = np.minimum.reduceat(np.append(one.usd, np.inf), ends)[::2] if some.size else np.zeros(0)
        every = _expanded(first, last)
        gbps, kept = one.gbps, one.kept
    else:
        lowest = max(float(one.gbps.min()) for one in asked)
        pairs = np.unique(np.concatenate([np.stack([one.gbps, one.kept], axis=1) for one in asked]), axis=0)
        pairs = pairs[pairs[:, 0] >= lowest]
        gbps, kept = pairs.T
        usd = np.full(dims[0].size, sum(float(least(one.usd, one.mix)) for one in asked))
        many = dims[0].size
        every = np.repeat(np.arange(many), gbps.size), np.tile(np.arange(gbps.size), many)
    for start in range(0, every[0].size, _AT_ONCE):
        grid, choice = (place[start : start + _AT_ONCE] for place in every)
        able = np.isfinite(kept[choice]) | (whole[grid] == 2)
        grid, choice = grid[able], choice[able]
        sides = tuple(side[grid] for side in dims)
        links = least_links(kind, sides, rate, gbps[choice], kept[choice])
        rows = np.unique(np.stack([grid, *links], axis=1), axis=0)
        found = _bounded(boxes, tuple(side[rows[:, 0]] for side in dims), rows[:, 1:], usd[rows[:, 0]], links_usd)
        found = found.take((found.uplinks < boxes.leaf.radix[rate]) & (found.least_usd <= best))
        if len(found):
            yield found


def _expanded(first: Ints, last: Ints) -> tuple[Ints, Ints]:
    """Every place from ``first`` to before ``last`` of every row: rows and places."""
    many = last - first
    row = np.repeat(np.arange(many.size), many)
    return row, np.arange(row.size) - np.repeat(np.cumsum(many) - many, many) + first[row]


def _bounded(
    boxes: Boxes, dims: tuple[Ints, ...], links: Ints, usd: Floats, links_usd: Sequence[tuple[float, float]]
) -> ShapeRows:
    """Shapes with what their links and the cheapest choices cost at least.

    What is lost with a box is counted once, with the first boundary.
    """
    found = ShapeRows(boxes, usd + links_usd[0][1], dims=dims, links=tuple(links.T))
    for line, (each, _) in zip(found.lines, links_usd, strict=True):
        found.least_usd[:] += size(dims) * line.links / 2 * each
    return found
