"""Shapes -> templates worth having, and the prices that no template undercuts."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import product

import numpy as np

from designer.candidates.cables import LinkPair, as_pinned
from designer.candidates.ceiling import Ceiling
from designer.candidates.choices import Choices
from designer.candidates.copies import Copies
from designer.candidates.counting import (
    FLAT,
    TREE,
    box_vector,
    coefficients,
    link_floor,
    pair_vectors,
    pairs_between,
    same_rows,
)
from designer.candidates.flat_shapes import flat_shapes
from designer.candidates.floor import EPS
from designer.candidates.mixing import least as least_of
from designer.candidates.offer import Offer
from designer.candidates.parts import SwitchPart
from designer.candidates.paths import SAME_NS, ends_ns, length_of
from designer.candidates.pressure import Pressure
from designer.candidates.reduce import Mask, pareto, pareto_within
from designer.candidates.shape import Ints, ShapeRows
from designer.candidates.shapes import shapes
from designer.candidates.templates import Coefficients, Template, carries
from designer.candidates.terms import FAILURES, HITS, HOURS, Floats
from designer.candidates.weights import NOISE, Weights
from designer.instance.schema import Choose

# Entries of a table made at a time: bounds memory, of no influence on the result.
_AT_ONCE = 500_000
# Combinations of link rows that a first answer of so many stages is looked for with.
MOST_STAGES, _FEW = 4, 8


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
        best: Callable[[], float],
        spines: Sequence[SwitchPart],
        cores: Sequence[SwitchPart],
        tops: Sequence[SwitchPart],
    ) -> Iterator[ShapeRows]:
        """Shapes for the choices of all pools on one leaf type whose lower bound is not above ``best()``.

        With 0 stages leaves joined directly.
        """
        weights, copies = self.pressure.bound.goal, row[0].copies
        hit = min(float(c.hit_usd.min()) for c in row) * weights[FAILURES] + weights[HITS]
        hours = [(c.accelerators * (c.hour_usd * weights[FAILURES] + weights[HOURS]), c.mixing) for c in row]
        hour = sum(float(least_of(each, mix)) for each, mix in hours)

        def box_usd(switch: SwitchPart) -> float:
            return copies.count * self.box_usd(switch)

        ceiling = Ceiling(best, box_usd, partial(self.link_usd, (float(hit), hour), copies))
        goal, choose = self.pressure.bound.objective, self.choose
        if stages == 0:
            return flat_shapes(row, self.offer.shapes, choose.max_taper, ceiling, goal)
        return shapes(row, spines, cores, tops, stages, choose, ceiling, goal)

    def link_usd(
        self, hits: tuple[float, float], copies: Copies, lower: SwitchPart, upper: SwitchPart, rate: int, name: str
    ) -> tuple[float, float] | None:
        """Least objective per link between two switches, in every copy, and once per fabric (None: no cable fits).

        ``hits`` are the least money of a job hit and of an hour lost on every accelerator of the pools.
        """
        floors = self._link_floors(hits, lower, upper, rate, name)
        if not len(floors):
            return None
        least = floors.min(axis=0)
        return copies.count * float(least[0]), float(least[1])

    def _link_floors(
        self, hits: tuple[float, float], lower: SwitchPart, upper: SwitchPart, rate: int, name: str
    ) -> Floats:
        """The same in one copy for every link pair, shape (pairs, 2)."""
        key, economy = (lower.id, upper.id, rate, name), self.offer.economy
        if key not in self.known_floors:
            # Linear in the money of hits and of hours, so it is taken apart once.
            floors = [
                [
                    link_floor(pair, rate, upper, economy, self.pressure.bound.goal, at, length_of(name, economy))
                    for at in ((0.0, 0.0), (1.0, 1.0))
                ]
                for pair in self.pairs(lower, upper, rate, name)
            ]
            plain, priced = (np.array([pair[at] for pair in floors]).reshape(-1, 2) for at in (0, 1))
            self.known_floors[key] = plain, priced - plain
        plain, risk = self.known_floors[key]
        # Hits are charged to the leaves that exist, but the bounds count links further up by whole pods and zones, and
        # those of leaves joined directly for all of them.
        at = (hits[0] if name == "leaf_spine" else 0.0, hits[1])
        return np.asarray(plain + risk * at)

    def pairs(self, lower: SwitchPart, upper: SwitchPart, rate: int, name: str) -> list[LinkPair]:
        """Link pairs between two switches, dominated ones dropped; computed once for each question."""
        key, economy = (lower.id, upper.id, rate, name), self.offer.economy
        if key not in self.known_pairs:
            length = length_of(name, economy)
            found = pairs_between(lower, upper, self.offer.links_at(name), rate, length)
            pinned = economy.pinned_links.get(name)
            found = [pair for pair in found if as_pinned(pair, pinned)]
            if name in FLAT:
                found = same_rows(found)
            if self.prune and len(found) > 1:
                keep = pareto_within(*self._pair_keys(found, rate, length))
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

    def box_usd(self, switch: SwitchPart) -> float:
        """Objective of one box above the leaf, its hits and hours apart."""
        return float(self.pressure.bound.goal @ box_vector(switch, self.offer.economy))

    def priced(
        self, row: Sequence[Choices], found: ShapeRows, best: Callable[[], float], *, few: bool = False
    ) -> Iterator[Priced]:
        """Templates of shapes, one per combination of link rows, that can be in an answer no dearer than ``best()``.

        With ``few`` only the cheapest combinations where there are many boundaries: for a first answer.
        """
        economy, ways = self.offer.economy, self._ways(row, found)
        if few and len(ways) > 1 and found.stages == MOST_STAGES:
            ways = ways[:_FEW]
        fewest = sum(float(least_of(c.leaves.astype(float), c.mixing)) for c in row)
        if fewest == np.inf:
            return
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
            links = _fewest_links(rows, fewest)
            for pairs, dearer in ways:
                # The bound of a shape counts on the cheapest link rows.
                least = rows.least_usd + sum(usd * many for usd, many in zip(dearer, links, strict=True))
                if least.min() > best():
                    continue
                counted = coefficients(rows, pairs, economy)
                quick = self._in_time(counted, row, masks)
                if quick is None:
                    continue
                least = self._least(counted, row, quick)
                index = np.flatnonzero(least <= best())
                if index.size:
                    yield Priced(counted, row, index, least[index])

    def _ways(self, row: Sequence[Choices], found: ShapeRows) -> list[tuple[dict[str, LinkPair], tuple[float, ...]]]:
        """Combinations of link rows, the cheapest first, and what a link of each boundary costs more than the cheapest.

        Costs are lower bounds, all copies; what they add once is left out.
        """
        weights = self.pressure.bound.goal
        hit = min(float(c.hit_usd.min()) for c in row) * weights[FAILURES] + weights[HITS]
        ways: list[list[tuple[str, LinkPair, float]]] = []
        for name, lower, upper in _boundaries(found):
            pairs = self.pairs(lower, upper, found.rate_gbps, name)
            usd = self._link_floors((float(hit), 0.0), lower, upper, found.rate_gbps, name)[:, 0]
            dearer = (found.boxes.copies.count * (usd - usd.min())).tolist() if pairs else []
            ways.append([(name, pair, more) for pair, more in zip(pairs, dearer, strict=True)])
        every = sorted(product(*ways), key=lambda way: sum(more for _, _, more in way))
        return [({name: pair for name, pair, _ in way}, tuple(more for _, _, more in way)) for way in every]

    def _in_time(self, counted: Coefficients, row: Sequence[Choices], masks: Sequence[Mask]) -> Sequence[Mask] | None:
        """The masks without the choices that need a shorter way through the fabric (None: a pool has no others)."""
        quick = [choices.path_ns + SAME_NS >= counted.path_ns for choices in row]
        if all(bool(mine.all()) for mine in quick):
            return masks
        left = [mask & mine for mask, mine in zip(masks, quick, strict=True)]
        return left if _room_for_all(counted.rows, row, left).any() else None

    def _least(self, counted: Coefficients, row: Sequence[Choices], masks: Sequence[Mask]) -> Floats:
        """Lower bounds (n,): the cheapest choices every shape carries, with all that they fill at least."""
        goal, rows = self.pressure.bound.goal, counted.rows
        if len(row) == 1 and row[0].mix is None:
            return self._least_alone(counted, row[0], masks[0])
        shared = _Shared.of(counted, goal)
        share, whole = shared.share(), np.zeros(len(rows))
        spread, alone, leaves = np.zeros(len(rows)), np.zeros(len(rows)), np.zeros(len(rows))
        for choices, mask in zip(row, masks, strict=True):
            table = _with_leaves(counted, choices, goal)
            table[~mask] = np.inf
            alone += least_of(table, choices.mixing)
            table += choices.leaves * share[:, None]
            spread += least_of(table, choices.mixing)
            leaves += least_of(np.where(mask, choices.leaves, np.inf), choices.mixing)
        # Where a pool has no choice left the bound is infinite already.
        leaves[np.isinf(leaves)] = 0.0
        if rows.stages:
            whole = shared.of_leaves(leaves[:, None])[:, 0]
        # Whole pods, zones and cages of all pools are never less than their shares of them, nor than those of the
        # fewest leaves. Leaves without a pool are what the pools leave of a grid.
        spread += rows.max_leaves * shared.idle if rows.stages == 0 else 0.0
        return np.asarray(np.maximum(spread, alone + whole) + counted.weigh(counted.fixed, goal))

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
        leaves = np.broadcast_to(choices.leaves.astype(float), (len(counted.rows), choices.leaves.size))
        return _with_leaves(counted, choices, weights) + _Shared.of(counted, weights).of_leaves(leaves)

    def reduced(self, templates: Sequence[Template]) -> list[Template]:
        """Templates of one shape, those dropped that another beats in every coefficient."""
        if not self.prune or len(templates) == 1:
            return list(templates)
        keys = []
        for t in templates:
            vectors = np.stack([t.fixed, t.per_leaf, t.per_pod, t.per_zone, t.per_cage, t.per_idle])
            watched = self.weights.watch(vectors).ravel()
            path = t.path_ns if self.timed else 0.0
            keys.append(
                [*self.weights.objective(vectors), *watched, t.leaf_hits, t.accelerator_hours, t.cage_ratio, path]
            )
        keep = pareto(np.array(keys))
        return [t for t, stays in zip(templates, keep.tolist(), strict=True) if stays]


@dataclass(frozen=True)
class _Shared:
    """Weighed sums (n,) of what pools share besides the fixed boxes: for one more pod, zone, cage, idle leaf."""

    rows: ShapeRows
    ratio: Floats
    pod: Floats
    zone: Floats
    cage: Floats
    idle: Floats

    @staticmethod
    def of(counted: Coefficients, weights: Floats) -> _Shared:
        each = (counted.per_pod, counted.per_zone, counted.per_cage, counted.per_idle)
        return _Shared(counted.rows, counted.cage_ratio, *(counted.weigh(pieces, weights) for pieces in each))

    def share(self) -> Floats:
        """What a leaf adds at least (n,), whole numbers aside; an idle leaf goes for every one that is used."""
        boxes, cages = self.rows.boxes, self.ratio * self.cage
        if boxes.top is not None:
            cages = (self.zone + cages) / self.rows.pods_per_zone
        return (self.pod + cages) / self.rows.leaves_per_pod if boxes.core is not None else cages - self.idle

    def of_leaves(self, leaves: Floats) -> Floats:
        """What numbers of leaves (n, k) fill, in whole numbers."""
        boxes, out = self.rows.boxes, np.zeros(leaves.shape)
        members = leaves
        if boxes.core is not None:
            members = np.ceil(leaves / self.rows.leaves_per_pod[:, None])
            out += members * self.pod[:, None]
        if boxes.top is not None:
            members = np.ceil(members / self.rows.pods_per_zone[:, None])
            out += members * self.zone[:, None]
        if boxes.stages == 0:
            out += np.maximum(self.rows.max_leaves[:, None] - leaves, 0.0) * self.idle[:, None]
        return np.asarray(out + np.ceil(members * self.ratio[:, None] - EPS) * self.cage[:, None])


def _boundaries(rows: ShapeRows) -> list[tuple[str, SwitchPart, SwitchPart]]:
    """Boundaries above the leaf with the boxes that they join."""
    boxes = rows.boxes
    if boxes.kind != "tree":
        return [(line.name, boxes.leaf, boxes.leaf) for line in rows.lines]
    every = [switch for switch in (boxes.leaf, boxes.spine, boxes.core, boxes.top) if switch is not None]
    return list(zip(TREE, every, every[1:], strict=False))


def _with_leaves(counted: Coefficients, choices: Choices, weights: Floats) -> Floats:
    """Weighed sums (shapes, choices) of choices with what their leaves and accelerators add in a fabric."""
    hit = choices.hit_usd * weights[FAILURES] + weights[HITS]
    hour = choices.accelerators * (choices.hour_usd * weights[FAILURES] + weights[HOURS])
    per_leaf = counted.weigh(counted.per_leaf, weights)[:, None]
    usd = choices.terms @ weights + counted.accelerator_hours * hour
    return np.asarray(usd + choices.leaves * (per_leaf + counted.leaf_hits[:, None] * hit))


def _fewest_links(rows: ShapeRows, leaves: float) -> list[Floats]:
    """Links of one copy at every boundary above the leaf (n,) with at least so many leaves."""
    if rows.stages == 0:
        return [np.asarray(rows.max_leaves * line.links / 2) for line in rows.lines]
    if rows.stages == 1:
        return []
    out, boxes = [leaves * rows.uplinks.astype(float)], rows.boxes
    pods = -(leaves // -np.maximum(rows.leaves_per_pod, 1))
    if boxes.core is not None:
        out.append(np.asarray(pods * rows.spines * rows.spine_up, float))
    if boxes.top is not None:
        zones = -(pods // -rows.pods_per_zone)
        out.append(np.asarray(zones * rows.spines * rows.cores_per_spine * rows.core_up, float))
    return out


def _room_for_all(rows: ShapeRows, row: Sequence[Choices], masks: Sequence[Mask]) -> Mask:
    """Which shapes (n,) have a choice of every pool; ``masks`` lose those that leave the other pools no ports, or
    leaves joined directly that are more than needed."""
    if rows.stages != 1 and len(row) > 1:
        # Infinite where a pool has no choice at all.
        fewest = np.stack([least_of(np.where(m, c.leaves, np.inf), c.mixing) for c, m in zip(row, masks, strict=True)])
        with np.errstate(invalid="ignore"):
            others = fewest.sum(axis=0) - fewest
        for choices, mask, taken in zip(row, masks, others, strict=True):
            np.logical_and(mask, choices.leaves <= (rows.max_leaves - taken)[:, None], out=mask)
    if rows.stages == 0:
        parts = [1 if c.mix is None else c.mix.most for c in row]
        each = [np.where(m, c.leaves, 0).max(axis=1) for c, m in zip(row, masks, strict=True)]
        total = sum(n * most for n, most in zip(parts, each, strict=True))
        for choices, mask, most in zip(row, masks, each, strict=True):
            np.logical_and(mask, choices.leaves >= (rows.min_leaves - (total - most))[:, None], out=mask)
    return np.asarray(np.logical_and.reduce([mask.any(axis=1) for mask in masks]))
