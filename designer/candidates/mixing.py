"""Pools of mixed accelerators: which rows make up a whole pool together, and at what least (``docs/rules.md`` 6.4).

Rows, options or choices of one pool, serve a share of its peak on one accelerator each. A way to run the pool takes
rows whose shares add up to all of it, at most so many, no two on the same accelerator. What was "the least of a pool"
without mixing is the least of such ways, found by a knapsack over the shares; exact unless said otherwise.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations_with_replacement
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from designer.candidates.terms import Floats

if TYPE_CHECKING:
    from designer.candidates.choices import Option

Ints = npt.NDArray[np.int64]

#: The share of a pool that is not mixed.
WHOLE = (1, 1)
_NOTHING = np.zeros(0, np.int64)


@dataclass(frozen=True)
class Mix:
    """Rows of a pool that may be mixed: each serves ``share`` of ``steps`` on accelerator number ``kind``, arrays (n,).

    At most ``most`` of them make up a pool.
    """

    share: Ints
    kind: Ints
    steps: int
    most: int

    def take(self, rows: Ints | npt.NDArray[np.bool_] | slice) -> Mix:
        """Return some of the rows."""
        return Mix(self.share[rows], self.kind[rows], self.steps, self.most)

    @cached_property
    def _groups(self) -> tuple[Ints, Ints, Ints, Ints]:
        """Rows in the order of groups of equal accelerator and share; starts, accelerators and shares of groups."""
        key = self.kind * (self.steps + 1) + self.share
        order = np.argsort(key, kind="stable")
        labels, starts = np.unique(key[order], return_index=True)
        return order, starts, labels // (self.steps + 1), labels % (self.steps + 1)

    def _lowest(self, values: Floats) -> Floats:
        """Least value of every group: values (..., n), result (..., groups)."""
        order, starts, _, _ = self._groups
        if not starts.size:
            return np.zeros((*values.shape[:-1], 0))
        return np.asarray(np.minimum.reduceat(values[..., order], starts, axis=-1))

    def _totals(self, lowest: Floats, most: int) -> Floats:
        """Least sums over rows on different accelerators: shape (..., rows taken up to ``most``, steps served)."""
        _, _, kinds, shares = self._groups
        best = np.full((*lowest.shape[:-1], most + 1, self.steps + 1), np.inf)
        best[..., 0, 0] = 0.0
        for kind in np.unique(kinds).tolist():
            # What came before has no row on this accelerator.
            before = best.copy()
            for group in np.flatnonzero(kinds == kind).tolist():
                share = int(shares[group])
                added = before[..., :-1, : self.steps + 1 - share] + lowest[..., group, None, None]
                best[..., 1:, share:] = np.minimum(best[..., 1:, share:], added)
        return best

    def least(self, values: Floats) -> Floats:
        """Least sum of values (..., n) over the ways to run the pool, shape (...,); infinite where there is none."""
        return np.asarray(self._totals(self._lowest(values), self.most)[..., self.steps].min(axis=-1))

    @property
    def whole(self) -> bool:
        """Whether some of the rows make up a pool."""
        return bool(np.isfinite(self.least(np.zeros(self.share.size))))

    def completed(self, values: Floats) -> Floats:
        """Every value (..., n) with the least of others that make up the pool with it; never more than exact.

        Of three parts and more the others may be on the accelerator of the row itself.
        """
        _, _, kinds, shares = self._groups
        lowest, left = self._lowest(values), self.steps - self.share
        if self.most > 2:
            rest = self._totals(lowest, self.most - 1).min(axis=-2)
            return np.asarray(values + rest[..., left])
        count = int(self.kind.max(initial=0)) + 1
        other = np.full((*values.shape[:-1], count, self.steps + 1), np.inf)
        for group, (kind, share) in enumerate(zip(kinds.tolist(), shares.tolist(), strict=True)):
            for apart in (k for k in range(count) if k != kind):
                other[..., apart, share] = np.minimum(other[..., apart, share], lowest[..., group])
        other[..., 0] = 0.0
        return np.asarray(values + other[..., self.kind, left])

    def champions(self, values: Floats) -> list[int]:
        """The row of least value (n,) of every accelerator and share."""
        order, starts, _, _ = self._groups
        ends = [*starts[1:].tolist(), order.size]
        return [int(order[a:b][np.argmin(values[order[a:b]])]) for a, b in zip(starts.tolist(), ends, strict=True)]

    def ways(self, values: Floats, most: int = 256) -> list[tuple[int, ...]]:
        """Ways to run the pool, of every split among accelerators the least, the cheapest first; not too many."""
        _, _, kinds, shares = self._groups
        picks = self.champions(values)
        found: list[tuple[float, tuple[int, ...]]] = []
        open_ways: list[tuple[float, int, int, tuple[int, ...]]] = [(0.0, 0, -1, ())]
        while open_ways and len(found) < most:
            cost, served, last, rows = open_ways.pop()
            for group, row in enumerate(picks):
                kind, total = int(kinds[group]), served + int(shares[group])
                if kind <= last or total > self.steps:
                    continue
                way = (cost + float(values[row]), total, kind, (*rows, row))
                if total == self.steps:
                    found.append((way[0], way[3]))
                elif len(way[3]) < self.most:
                    open_ways.append(way)
        return [rows for _, rows in sorted(found)]

    def best(self, values: Floats) -> tuple[int, ...]:
        """The rows of a way to run the pool whose values (n,) add up to the least (none: there is no way)."""
        _, _, kinds, shares = self._groups
        picks = self.champions(values)
        found: dict[tuple[int, int], tuple[float, tuple[int, ...]]] = {(0, 0): (0.0, ())}
        for kind in np.unique(kinds).tolist():
            before = dict(found)
            for group in np.flatnonzero(kinds == kind).tolist():
                row = picks[group]
                for (taken, served), (value, rows) in before.items():
                    key = (taken + 1, served + int(shares[group]))
                    if key[0] > self.most or key[1] > self.steps:
                        continue
                    new = value + float(values[row])
                    if key not in found or new < found[key][0]:
                        found[key] = (new, (*rows, row))
        ways = [way for (_, served), way in found.items() if served == self.steps and way[1]]
        return tuple(sorted(min(ways)[1])) if ways else ()


def mix_of(options: Sequence[Option], most: int | None = None) -> Mix | None:
    """How the options of a pool may be mixed (None: each is all of it); ``most`` parts, or any number."""
    if not options or options[0].share[1] == 1:
        return None
    names = sorted({option.domain.accelerator.id for option in options})
    number = {name: place for place, name in enumerate(names)}
    steps = options[0].share[1]
    share = np.array([option.share[0] for option in options], np.int64)
    kind = np.array([number[option.domain.accelerator.id] for option in options], np.int64)
    return Mix(share, kind, steps, min(len(names), steps, steps if most is None else most))


def least(values: Floats, mix: Mix | None) -> Floats:
    """Least sum of values (..., n) over the ways to run a pool, shape (...,).

    Examples
    --------
    >>> halves = Mix(np.array([1, 1, 2, 1]), np.array([0, 1, 1, 0]), 2, 2)
    >>> float(least(np.array([1.0, 4.0, 6.0, 2.0]), halves)), float(least(np.array([1.0, 4.0]), None))
    (5.0, 1.0)
    """
    return np.asarray(values.min(axis=-1)) if mix is None else mix.least(values)


def completed(values: Floats, mix: Mix | None) -> Floats:
    """Every value (..., n) with the least of what makes up the pool beside it.

    Examples
    --------
    >>> halves = Mix(np.array([1, 1, 2, 1]), np.array([0, 1, 1, 0]), 2, 2)
    >>> completed(np.array([1.0, 4.0, 6.0, 2.0]), halves).tolist()
    [5.0, 5.0, 6.0, 6.0]
    """
    return values if mix is None else mix.completed(values)


def picked(values: Floats, mix: Mix | None) -> tuple[int, ...]:
    """The rows of the least way to run a pool (none: there is no way).

    Examples
    --------
    >>> halves = Mix(np.array([1, 1, 2, 1]), np.array([0, 1, 1, 0]), 2, 2)
    >>> picked(np.array([1.0, 4.0, 6.0, 2.0]), halves)
    (0, 1)
    """
    if mix is None:
        return (int(values.argmin()),) if values.size else ()
    return mix.best(values)


def sums(values: Ints, mix: Mix | None) -> Ints:
    """Distinct sums of whole numbers that the rows of a pool can have, and some that they cannot.

    Examples
    --------
    >>> sums(np.array([3, 5, 5]), None).tolist(), sums(np.array([3, 5]), Mix(_NOTHING, _NOTHING, 4, 2)).tolist()
    ([3, 5], [3, 5, 6, 8, 10])
    """
    distinct = np.unique(values)
    if mix is None:
        return distinct
    every = [sum(some) for n in range(1, mix.most + 1) for some in combinations_with_replacement(distinct.tolist(), n)]
    return np.unique(np.array(every, np.int64))


def runs(options: Sequence[Option], most: int) -> bool:
    """Whether some of the options of a pool can run all of it."""
    mix = mix_of(options, most)
    return bool(options) and (mix is None or mix.whole)


def splits(options: Sequence[Option], most: int) -> list[tuple[npt.NDArray[np.bool_], ...]]:
    """The ways to share a pool out: of each the options (masks) of every part, one part where it is not mixed."""
    mix = mix_of(options, most)
    if mix is None:
        return [(np.ones(len(options), np.bool_),)]
    groups = sorted(set(zip(mix.kind.tolist(), mix.share.tolist(), strict=True)))
    out: list[tuple[npt.NDArray[np.bool_], ...]] = []
    started: list[tuple[tuple[int, int], ...]] = [()]
    while started:
        parts = started.pop()
        for kind, share in groups:
            served = sum(mine for _, mine in parts) + share
            if (parts and kind <= parts[-1][0]) or served > mix.steps or len(parts) == mix.most:
                continue
            more = (*parts, (kind, share))
            if served < mix.steps:
                started.append(more)
            else:
                out.append(tuple((mix.kind == k) & (mix.share == s) for k, s in more))
    return out
