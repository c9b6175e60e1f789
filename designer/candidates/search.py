"""Shapes -> templates worth having, and the prices that no template undercuts."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import product

import numpy as np

from designer.candidates.cables import LinkPair, as_pinned
from designer.candidates.choices import Choices
from designer.candidates.copies import Copies
from designer.candidates.floor import EPS
from designer.candidates.offer import Offer
from designer.candidates.parts import SwitchPart
from designer.candidates.paths import SAME_NS, ends_ns
from designer.candidates.pressure import Pressure
from designer.candidates.reduce import Mask, pareto, pareto_within
from designer.candidates.shape import Ints, ShapeRows
from designer.candidates.shapes import Ceiling, shapes
from designer.candidates.templates import (
    Coefficients,
    Template,
    box_vector,
    carries,
    coefficients,
    link_floor,
    pair_vectors,
    pairs_between,
)
from designer.candidates.terms import FAILURES, HITS, HOURS, Floats
from designer.candidates.weights import NOISE, Weights
from designer.instance.schema import Choose

# Entries of a table made at a time: bounds memory, of no influence on the result.
_AT_ONCE = 500_000


@dataclass(frozen=True)
class Priced:
    """Templates of one pair (or two) of link rows on the shapes ``index`` of ``coefficients``, with the choices of all
    pools they can carry; ``least_usd`` (n,) bounds the objective of any design of each from below."""

    coefficients: Coefficients
    row: Sequence[Choices]
    index: Ints
    least_usd: Floats


@dataclass(frozen=True)
class Search:
    """Templates and bounds for one question; link pairs are found once and kept.

    ``pressure`` holds the goal that bounds are counted in: that of ``weights`` with prices on the limits. ``timed``
    says that there are plans which not every fabric is quick enough for; ``late`` that it is time to stop.
    """

    offer: Offer
    choose: Choose
    weights: Weights
    prune: bool
    pressure: Pressure
    timed: bool = True
    late: Callable[[], bool] = field(default=lambda: False, compare=False)
    known_pairs: dict[tuple[str, str, int, str], list[LinkPair]] = field(default_factory=dict)
    known_floors: dict[tuple[str, str, int, str], tuple[Floats, Floats]] = field(default_factory=dict)

    def go_on(self) -> None:
        """Stop the search when its time is over.

        Raises
        ------
        TimeoutError
            When it is.
        """
        if self.late():
            raise TimeoutError

    def shapes(
        self,
        row: Sequence[Choices],
        stages: int,
        best: float,
        spines: Sequence[SwitchPart],
        cores: Sequence[SwitchPart],
    ) -> Iterator[ShapeRows]:
        """Shapes for the choices of all pools on one leaf type whose lower bound is not above ``best``."""
        weights, copies = self.pressure.bound.goal, row[0].copies
        hit = min(float(c.hit_usd.min()) for c in row) * weights[FAILURES] + weights[HITS]
        hour = sum(float((c.accelerators * (c.hour_usd * weights[FAILURES] + weights[HOURS])).min()) for c in row)

        def box_usd(switch: SwitchPart) -> float:
            return copies.count * self.box_usd(switch)

        ceiling = Ceiling(best, box_usd, partial(self.link_usd, (float(hit), hour), copies))
        return shapes(row, spines, cores, stages, self.choose, ceiling, self.pressure.bound.objective)

    def link_usd(
        self, hits: tuple[float, float], copies: Copies, lower: SwitchPart, upper: SwitchPart, rate: int, name: str
    ) -> tuple[float, float] | None:
        """Least objective per link between two switches, in every copy, and once per fabric (None: no cable fits).

        ``hits`` are the least money of a job hit and of an hour lost on every accelerator of the pools.
        """
        key = (lower.id, upper.id, rate, name)
        if key not in self.known_floors:
            # Linear in the money of hits and of hours, so it is taken apart once.
            floors = [
                [
                    link_floor(pair, rate, upper, self.offer.economy, self.pressure.bound.goal, at, self._length(name))
                    for at in ((0.0, 0.0), (1.0, 1.0))
                ]
                for pair in self.pairs(lower, upper, rate, name)
            ]
            plain, priced = (np.array([pair[at] for pair in floors]).reshape(-1, 2) for at in (0, 1))
            self.known_floors[key] = plain, priced - plain
        plain, risk = self.known_floors[key]
        if not len(plain):
            return None
        # The hits of core links are charged to the leaves that exist, but the bound counts these links by whole pods.
        at = (0.0 if name == "spine_core" else hits[0], hits[1])
        least = (plain + risk * at).min(axis=0)
        return copies.count * float(least[0]), float(least[1])

    def pairs(self, lower: SwitchPart, upper: SwitchPart, rate: int, name: str) -> list[LinkPair]:
        """Link pairs between two switches, dominated ones dropped; computed once for each question."""
        key = (lower.id, upper.id, rate, name)
        if key not in self.known_pairs:
            found = pairs_between(lower, upper, self.offer.links_at(name), rate, self._length(name))
            pinned = self.offer.economy.pinned_links.get(name)
            found = [pair for pair in found if as_pinned(pair, pinned)]
            if self.prune and len(found) > 1:
                keep = pareto_within(*self._pair_keys(found, rate, self._length(name)))
                found = [pair for pair, stays in zip(found, keep.tolist(), strict=True) if stays]
            self.known_pairs[key] = found
        return self.known_pairs[key]

    def _pair_keys(
        self, pairs: Sequence[LinkPair], rate: int, length: float
    ) -> tuple[list[tuple[object, ...]], Floats]:
        """Groups and keys of pairs: equal row rates mean equal counts of ends, so ends compare one by one."""
        groups: list[tuple[object, ...]] = []
        keys = []
        for pair in pairs:
            vectors, hits, hours = pair_vectors(pair, rate, length, self.offer.economy)
            groups.append((pair.module, pair.lower.rate_gbps, pair.upper.rate_gbps))
            # A shorter way carries plans that a longer one does not.
            path = ends_ns(pair, length) if self.timed else 0.0
            keys.append([*(vectors @ self.weights.goal), *self.weights.watch(vectors).ravel(), hits, hours, path])
        return groups, np.array(keys)

    def _length(self, name: str) -> float:
        economy = self.offer.economy
        return economy.forced_m.get(name, economy.lengths_m["hall" if name == "leaf_spine" else "building"])

    def box_usd(self, switch: SwitchPart) -> float:
        """Objective of one box above the leaf, its hits and hours apart."""
        return float(self.pressure.bound.goal @ box_vector(switch, self.offer.economy))

    def priced(self, row: Sequence[Choices], found: ShapeRows, best: float) -> Iterator[Priced]:
        """Templates of shapes, one per pair (or two) of link rows, that can be in an answer no dearer than ``best``."""
        economy, rate = self.offer.economy, found.rate_gbps
        lower: Sequence[LinkPair | None] = [None]
        upper: Sequence[LinkPair | None] = [None]
        if found.spine is not None:
            lower = self.pairs(found.leaf, found.spine, rate, "leaf_spine")
        if found.spine is not None and found.core is not None:
            upper = self.pairs(found.spine, found.core, rate, "spine_core")
        widest = max(c.down.size for c in row)
        step = max(1, _AT_ONCE // widest)
        for start in range(0, len(found), step):
            self.go_on()
            rows = found.take(np.arange(start, min(start + step, len(found))))
            masks = [carries(rows, choices, self.choose.max_taper) for choices in row]
            fits = _room_for_all(rows, row, masks)
            if not fits.any():
                continue
            rows, masks = rows.take(fits), [mask[fits] for mask in masks]
            for low, high in product(lower, upper):
                counted = coefficients(rows, low, high, economy)
                quick = self._in_time(counted, row, masks)
                if quick is None:
                    continue
                least = self._least(counted, row, quick)
                index = np.flatnonzero(least <= best)
                if index.size:
                    yield Priced(counted, row, index, least[index])

    def _in_time(self, counted: Coefficients, row: Sequence[Choices], masks: Sequence[Mask]) -> Sequence[Mask] | None:
        """The masks without the choices that need a shorter way through the fabric (None: a pool has no others)."""
        quick = [choices.path_ns + SAME_NS >= counted.path_ns for choices in row]
        if all(bool(mine.all()) for mine in quick):
            return masks
        left = [mask & mine for mask, mine in zip(masks, quick, strict=True)]
        return left if _room_for_all(counted.rows, row, left).any() else None

    def _least(self, counted: Coefficients, row: Sequence[Choices], masks: Sequence[Mask]) -> Floats:
        """Lower bounds (n,): the cheapest choices every shape carries, with the pods and cages they fill at least."""
        goal, rows = self.pressure.bound.goal, counted.rows
        fixed = counted.weigh(counted.fixed, goal)
        if len(row) == 1:
            return self._least_alone(counted, row[0], masks[0])
        per_pod, per_cage = (counted.weigh(pieces, goal) for pieces in (counted.per_pod, counted.per_cage))
        pod, tiered = np.maximum(rows.leaves_per_pod, 1), rows.core is not None
        # Whole pods and cages of all pools are never less than these shares of them, nor than those of fewest leaves.
        share = (per_pod + counted.cage_ratio * per_cage) / pod if tiered else counted.cage_ratio * per_cage
        spread, alone, leaves = np.zeros(len(rows)), np.zeros(len(rows)), np.zeros(len(rows))
        for choices, mask in zip(row, masks, strict=True):
            table = _with_leaves(counted, choices, goal)
            table[~mask] = np.inf
            alone += table.min(axis=1)
            table += choices.leaves * share[:, None]
            spread += table.min(axis=1)
            leaves += np.where(mask, choices.leaves, np.inf).min(axis=1)
        # Where a pool has no choice left the bound is infinite already.
        leaves[np.isinf(leaves)] = 0.0
        pods = np.ceil(leaves / pod) if tiered else np.zeros(len(rows))
        cages = np.ceil((pods if tiered else leaves) * counted.cage_ratio - EPS)
        return np.asarray(np.maximum(spread, alone + pods * per_pod + cages * per_cage) + fixed)

    def _least_alone(self, counted: Coefficients, choices: Choices, mask: Mask) -> Floats:
        """The same for a lone pool, for which everything but the rounding of network racks is exact."""
        pressure = self.pressure
        for limit, use, taken in zip(pressure.bound.limits, pressure.uses, pressure.outside, strict=False):
            most = limit.most * (1 + NOISE) - taken - counted.weigh(counted.fixed, use)
            mask = mask & (self._alone(counted, choices, use) <= most[:, None])

        def least(goal: Floats) -> Floats:
            table = self._alone(counted, choices, goal)
            table[~mask] = np.inf
            return np.asarray(table.min(axis=1) + counted.weigh(counted.fixed, goal))

        found = least(pressure.bound.goal)
        # Among choices that keep the limits the plain goal may be the sharper bound.
        plain = pressure.spare - pressure.dearer
        return np.maximum(found, least(self.weights.goal) + plain) if len(pressure.uses) else found

    def _alone(self, counted: Coefficients, choices: Choices, weights: Floats) -> Floats:
        """Weighed sums (shapes, choices) of a lone pool's choices with all that they fill, without the fixed boxes."""
        per_pod, per_cage = (counted.weigh(pieces, weights) for pieces in (counted.per_pod, counted.per_cage))
        pods: Floats | float = 0.0
        members = choices.leaves.astype(float)
        if counted.rows.core is not None:
            members = pods = np.ceil(choices.leaves / counted.rows.leaves_per_pod[:, None])
        table = _with_leaves(counted, choices, weights)
        table += pods * per_pod[:, None]
        table += np.ceil(members * counted.cage_ratio[:, None] - EPS) * per_cage[:, None]
        return table

    def reduced(self, templates: Sequence[Template]) -> list[Template]:
        """Templates of one shape, those dropped that another beats in every coefficient."""
        if not self.prune or len(templates) == 1:
            return list(templates)
        keys = []
        for t in templates:
            vectors = np.stack([t.fixed, t.per_leaf, t.per_pod, t.per_cage])
            watched = self.weights.watch(vectors).ravel()
            path = t.path_ns if self.timed else 0.0
            keys.append(
                [*self.weights.objective(vectors), *watched, t.leaf_hits, t.accelerator_hours, t.cage_ratio, path]
            )
        keep = pareto(np.array(keys))
        return [t for t, stays in zip(templates, keep.tolist(), strict=True) if stays]


def _with_leaves(counted: Coefficients, choices: Choices, weights: Floats) -> Floats:
    """Weighed sums (shapes, choices) of choices with what their leaves and accelerators add in a fabric."""
    hit = choices.hit_usd * weights[FAILURES] + weights[HITS]
    hour = choices.accelerators * (choices.hour_usd * weights[FAILURES] + weights[HOURS])
    per_leaf = counted.weigh(counted.per_leaf, weights)[:, None]
    usd = choices.terms @ weights + counted.accelerator_hours * hour
    return np.asarray(usd + choices.leaves * (per_leaf + counted.leaf_hits[:, None] * hit))


def _room_for_all(rows: ShapeRows, row: Sequence[Choices], masks: Sequence[Mask]) -> Mask:
    """Which shapes (n,) have a choice of every pool; ``masks`` lose those that leave the other pools no ports."""
    if rows.stages > 1 and len(row) > 1:
        # Infinite where a pool has no choice at all.
        fewest = np.stack([np.where(m, c.leaves, np.inf).min(axis=1) for c, m in zip(row, masks, strict=True)])
        with np.errstate(invalid="ignore"):
            others = fewest.sum(axis=0) - fewest
        for choices, mask, taken in zip(row, masks, others, strict=True):
            np.logical_and(mask, choices.leaves <= (rows.max_leaves - taken)[:, None], out=mask)
    return np.asarray(np.logical_and.reduce([mask.any(axis=1) for mask in masks]))
