"""Limits that bind: the options of the pools split into branches with prices of their own.

One price per limit loses what lies between two options of a pool of which one is dear and the other uses too much: at
the price that makes them equal both look affordable, and with them nearly every fabric. Apart, each branch has prices
that lose little, or uses so much that it goes altogether.

Exact: the branches part the options of some pool, so every complete answer is in one of them; a branch or option goes
only where its points (`designer.candidates.points`), priced with any prices at least 0, cost more than the ceiling and
the priced limits together, or cannot keep the limits at all. Prices and splits come from the linear relaxation of the
knapsack of points, and nothing of it is taken on trust: bounds are recounted from the prices alone.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
from scipy.optimize import linprog

from designer.candidates.points import Ints, Points
from designer.candidates.reduce import Mask, pareto
from designer.candidates.terms import Floats
from designer.candidates.weights import NOISE

# A split that lifts neither side by this share of the goal does not pay for a second search.
_WORTH = 2e-4
# How far above the ceiling, relatively, what seems to keep no limit is priced, and how often prices are doubled for it.
_PUSHED, _DOUBLED = 0.002, 60
# Branches at most: bounds the effort, of no influence on the result.
_MOST = 24


#: The options (mask) that one part of a pool is chosen from, and the place of the pool.
Part = tuple[int, Mask]


@dataclass(frozen=True)
class Branch:
    """Options of every pool, or of every part of a mixed pool, prices (limits,) to search them with, and what any
    answer with them costs at least."""

    parts: tuple[Part, ...]
    prices: Floats
    least: float

    @property
    def options(self) -> tuple[Mask, ...]:
        """The options of every pool, those of all its parts together."""
        return whole(self.parts)


def whole(parts: Sequence[Part]) -> tuple[Mask, ...]:
    """The options of every pool, of all its parts."""
    out: dict[int, Mask] = {}
    for pool, mask in parts:
        out[pool] = out[pool] | mask if pool in out else mask
    return tuple(out[pool] for pool in sorted(out))


@dataclass(frozen=True)
class _Relaxed:
    """A solved relaxation: the prices that bound its branch, and the points of every part and those in use."""

    branch: Branch
    prices: Floats
    used: tuple[tuple[int, ...], ...]
    points: tuple[Points, ...]


class Knapsack:
    """A point of every pool, the cheapest within the limits ``most`` (limits,).

    ``ways[p]`` are the ways to run pool ``p``: of each the options (masks) of every part; without, one option is all of
    it.
    """

    def __init__(
        self, pools: Sequence[Points], most: Floats, ways: Sequence[Sequence[tuple[Mask, ...]]] | None = None
    ) -> None:
        self._pools, self._most = tuple(pools), most
        self._ways = [[(np.ones(p.options, np.bool_),)] for p in pools] if ways is None else ways
        # What a limit of 0 is measured by: the use of the points for and against it.
        typical = sum((np.abs(p.values[:, 1:]).max(axis=0, initial=0.0) for p in pools), start=np.zeros(most.size))
        self._scale = np.where(most > 0, most, typical + 1.0)
        self._spared = most

    def reserve(self, beyond: Floats) -> None:
        """Choose prices as if so much of the limits (limits,) went to what no point knows of; bounds do not change."""
        self._spared = self._most - beyond

    def cheapest(self, branch: Branch, most: int) -> tuple[Mask, ...]:
        """A few options of every pool, or part, of a branch (masks), the cheapest at its prices."""
        out = []
        for pool, mask in branch.parts:
            mine = self._pools[pool].of(mask)
            order = mine.option[np.argsort(mine.values @ np.append(1.0, branch.prices), kind="stable")]
            few = np.zeros_like(mask)
            few[list(dict.fromkeys(order.tolist()))[:most]] = True
            out.append((pool, few))
        return whole(out)

    def use(self, options: Sequence[tuple[int, int]], prices: Floats) -> Floats:
        """What the points of options (pool, option) use of the limits (limits,), the cheapest at some prices."""
        total = np.zeros(self._most.size)
        for pool, option in options:
            points = self._pools[pool]
            values = points.values[points.option == option]
            total += values[(values @ np.append(1.0, prices)).argmin(), 1:]
        return total

    @property
    def least(self) -> float:
        """What any answer costs at least without a split; infinite where the limits cannot be kept."""
        first = [self._relax(parts, math.inf) for parts in self._whole]
        return min((one.branch.least for one in first if one is not None), default=math.inf)

    @property
    def _whole(self) -> Iterator[tuple[Part, ...]]:
        for way in product(*self._ways):
            yield tuple((pool, mask) for pool, masks in enumerate(way) for mask in masks)

    def branches(self, ceiling: float) -> list[Branch]:
        """The branches that can hold an answer of at most ``ceiling``, those of the least bound first."""
        waiting = []
        for parts in self._whole:
            first = self._relax(parts, ceiling)
            waiting += [] if first is None else [first]
        done: list[Branch] = []
        while waiting:
            waiting.sort(key=lambda node: -node.branch.least)
            node = waiting.pop()
            sides = None if len(waiting) + len(done) + 2 > _MOST else self._split(node, ceiling)
            if sides is None:
                done.append(node.branch)
            else:
                waiting += sides
        return sorted(done, key=lambda branch: branch.least)

    def _split(self, node: _Relaxed, ceiling: float) -> list[_Relaxed] | None:
        """The two sides of the split that lifts the bound most, without those that go (None: none is worth it)."""
        worth = _WORTH * abs(node.branch.least)
        if node.branch.least + worth >= ceiling:
            return None
        best, lift = None, worth
        for part, used in enumerate(node.used):
            sides = self._sides(node, part, used)
            if sides is None:
                continue
            relaxed = [self._relax(side, ceiling) for side in sides]
            left = [one for one in relaxed if one is not None]
            gained = min((one.branch.least for one in left), default=math.inf) - node.branch.least
            if gained >= lift:
                best, lift = left, gained
        return best

    def _sides(self, node: _Relaxed, part: int, used: tuple[int, ...]) -> list[tuple[Part, ...]] | None:
        """The options of a part that use as little as the thriftier of its points in use, and the others."""
        points, prices, every = node.points[part], node.prices, node.branch.parts
        pool, mine = every[part]
        if len({int(points.option[row]) for row in used}) < 2:
            return None
        weighed = points.values[:, 1:] @ prices
        ends = [float(weighed[row]) for row in used]
        middle = (min(ends) + max(ends)) / 2
        # An option is where its cheapest point is at these prices.
        order = np.lexsort((points.values[:, 0] + weighed, points.option))
        first = order[np.r_[True, np.diff(points.option[order]) > 0]]
        thrifty = np.zeros(mine.size, bool)
        thrifty[points.option[first[weighed[first] <= middle]]] = True
        sides = [mine & thrifty, mine & ~thrifty]
        if not all(side.any() for side in sides):
            return None
        return [(*every[:part], (pool, side), *every[part + 1 :]) for side in sides]

    def _relax(self, parts: tuple[Part, ...], ceiling: float) -> _Relaxed | None:
        """Price the limits for some options and drop those that are too dear (None: nothing is left)."""
        while True:
            points = tuple(self._pools[pool].of(mask) for pool, mask in parts)
            if not all(p.option.size for p in points):
                return None
            prices, used = self._priced(points, self._most)
            if prices is None and self._excess(points, self._most) is not None:
                return None
            prices = np.zeros(self._most.size) if prices is None else prices
            search, _ = self._priced(points, self._spared)
            # What seems to be kept by no whole answer is searched at prices that can show it.
            search = self._pushed(points, prices, ceiling) if search is None else search
            least, left = self._bounded(points, parts, prices, ceiling)
            left = self._bounded(points, left, search, ceiling)[1]
            if all(np.array_equal(a, b) for (_, a), (_, b) in zip(left, parts, strict=True)):
                return _Relaxed(Branch(parts, search, least), prices, used, points)
            parts = left

    def _bounded(
        self, points: Sequence[Points], parts: tuple[Part, ...], prices: Floats, ceiling: float
    ) -> tuple[float, tuple[Part, ...]]:
        """What any answer costs at least by some prices, and the options of which one may be within the ceiling."""
        weighed = [p.values @ np.append(1.0, prices) for p in points]
        worth = float(prices @ self._most)
        least = sum(float(usd.min()) for usd in weighed) - worth
        noise = NOISE * (abs(worth) + abs(ceiling)) if ceiling < math.inf else 0.0
        left = []
        for p, usd, (pool, mask) in zip(points, weighed, parts, strict=True):
            keep = np.zeros_like(mask)
            keep[p.option[usd - usd.min() + least <= ceiling + noise]] = True
            left.append((pool, keep & mask))
        return least, tuple(left)

    def _priced(self, points: Sequence[Points], most: Floats) -> tuple[Floats | None, tuple[tuple[int, ...], ...]]:
        """Prices on the limits, and the points in use (None: the limits cannot be kept)."""
        fronts, values, use, one_each = self._table(points)
        unit = max(float(np.abs(values[:, 0]).max()), 1e-300)
        found = linprog(
            values[:, 0] / unit,
            A_ub=use,
            b_ub=most / self._scale,
            A_eq=one_each,
            b_eq=np.ones(len(fronts)),
            method="highs",
        )
        if found.status != 0:
            return (None if found.status == 2 else np.zeros(self._most.size)), ((),) * len(points)
        ends = np.cumsum([front.size for front in fronts])
        used = tuple(
            tuple(front[np.flatnonzero(x > NOISE)].tolist())
            for x, front in zip(np.split(np.asarray(found.x), ends[:-1]), fronts, strict=True)
        )
        return np.maximum(-found.ineqlin.marginals, 0.0) * unit / self._scale, used

    def _table(self, points: Sequence[Points]) -> tuple[list[Ints], Floats, Floats, Floats]:
        """The points that no other of their pool beats: rows of each pool, values, scaled use, and whose they are."""
        fronts = [np.flatnonzero(pareto(p.values)) for p in points]
        values = np.concatenate([p.values[front] for p, front in zip(points, fronts, strict=True)])
        one_each = np.repeat(np.eye(len(fronts)), [front.size for front in fronts], axis=1)
        return fronts, values, values[:, 1:].T / self._scale[:, None], one_each

    def _excess(self, points: Sequence[Points], most: Floats) -> Floats | None:
        """A weighing of the limits (limits,) by which all points use too much (None: no proof that they do)."""
        _, _, use, one_each = self._table(points)
        count = use.shape[1]
        least = linprog(
            np.append(np.zeros(count), 1.0),
            A_ub=np.column_stack([use, -np.ones(len(most))]),
            b_ub=most / self._scale,
            A_eq=np.column_stack([one_each, np.zeros(len(one_each))]),
            b_eq=np.ones(len(one_each)),
            bounds=[(0, None)] * count + [(None, None)],
            method="highs",
        )
        if least.status != 0:
            return None
        weigh = np.maximum(-least.ineqlin.marginals, 0.0) / self._scale
        used = sum(float((p.values[:, 1:] @ weigh).min()) for p in points)
        enough = used > float(weigh @ most) + NOISE * float(np.abs(weigh) @ self._scale)
        return np.asarray(weigh) if enough else None

    def _pushed(self, points: Sequence[Points], prices: Floats, ceiling: float) -> Floats:
        """Prices at which points seem to cost more than the ceiling, where they seem to use too much."""
        weigh = self._excess(points, self._spared)
        if weigh is None or ceiling == math.inf:
            return prices
        share = 1e-6 * (abs(ceiling) + 1.0) / max(float(weigh @ self._scale), 1e-300)
        for _ in range(_DOUBLED):
            pushed = prices + share * weigh
            usd = sum(float((p.values @ np.append(1.0, pushed)).min()) for p in points) - float(pushed @ self._spared)
            if usd > ceiling + _PUSHED * abs(ceiling):
                return np.asarray(pushed)
            share *= 2
        return prices
