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
from designer.candidates.floor import least_uplinks
from designer.candidates.front import Front
from designer.candidates.least_costs import alone, fewest_boxes, fewest_links, least_together, room_for_all
from designer.candidates.mixing import least as least_of
from designer.candidates.offer import Offer
from designer.candidates.parts import SwitchPart
from designer.candidates.paths import SAME_NS, ends_ns, length_of
from designer.candidates.pressure import Pressure
from designer.candidates.reduce import Mask, pareto, pareto_within
from designer.candidates.shape import Boxes, Ints, ShapeRows
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
    pools they can carry; ``least_usd`` (n,) bounds the objective of any design of each from below, ``ideal`` (n, k) its
    goal and every watched sum, each by itself (k = 0 where nothing is watched)."""

    coefficients: Coefficients
    row: Sequence[Choices]
    index: Ints
    least_usd: Floats
    ideal: Floats


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
    known_sums: dict[tuple[str, str, int, str], Floats] = field(default_factory=dict)

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
        front: Front,
    ) -> Iterator[ShapeRows]:
        """Shapes for the choices of all pools on one leaf type whose lower bound is not above ``best()``.

        With 0 stages leaves joined directly. Those above two stages that can do no better in anything than what is on
        the ``front`` are left out switch by switch.
        """
        weights, copies = self.pressure.bound.goal, row[0].copies
        hit = min(float(c.hit_usd.min()) for c in row) * weights[FAILURES] + weights[HITS]
        hours = [(c.accelerators * (c.hour_usd * weights[FAILURES] + weights[HOURS]), c.mixing) for c in row]
        hour = sum(float(least_of(each, mix)) for each, mix in hours)

        def box_usd(switch: SwitchPart) -> float:
            return copies.count * self.box_usd(switch)

        ceiling = Ceiling(
            best, box_usd, partial(self.link_usd, (float(hit), hour), copies), partial(self._hopeless, row, front)
        )
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
        self, row: Sequence[Choices], found: ShapeRows, best: Callable[[], float], front: Front, *, few: bool = False
    ) -> Iterator[Priced]:
        """Templates of shapes, one per combination of link rows, that can be in an answer no dearer than ``best()``
        and do better in something than what is on the ``front``.

        With ``few`` only the cheapest combinations where there are many boundaries: for a first answer.
        """
        economy, ways = self.offer.economy, self._ways(row, found)
        if few and len(ways) > 1 and found.stages == MOST_STAGES:
            ways = ways[:_FEW]
        fewest = sum(float(least_of(c.leaves.astype(float), c.mixing)) for c in row)
        if fewest == np.inf:
            return
        found = found.take(~front.beaten(self._shape_ideals(row, found, fewest)))
        widest = max(c.down.size for c in row)
        step = max(1, _AT_ONCE // widest)
        for start in range(0, len(found), step):
            self.go_on()
            rows = found.take(np.arange(start, min(start + step, len(found))))
            masks = [carries(rows, choices, self.choose.max_taper) for choices in row]
            fits = room_for_all(rows, row, masks)
            if not fits.any():
                continue
            rows, masks = rows.take(fits), [mask[fits] for mask in masks]
            links = fewest_links(rows, fewest)
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
                if not index.size:
                    continue
                ideal = self._ideals(counted, row, quick, index)
                left = ~front.beaten(ideal)
                if left.any():
                    yield Priced(counted, row, index[left], least[index[left]], ideal[left])

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
        return left if room_for_all(counted.rows, row, left).any() else None

    def _least(self, counted: Coefficients, row: Sequence[Choices], masks: Sequence[Mask]) -> Floats:
        """Lower bounds (n,) of the priced goal."""
        if len(row) == 1 and row[0].mix is None:
            return self._least_alone(counted, row[0], masks[0])
        return least_together(counted, row, masks, self.pressure.bound.goal)

    def _shape_ideals(self, row: Sequence[Choices], found: ShapeRows, leaves: float) -> Floats:
        """What the goal and every watched sum are at least, each by itself, with any link rows, (shapes, sums)."""
        if not self.prune or not len(self.weights.watched):
            return np.zeros((len(found), 0))
        economy, copies = self.offer.economy, found.boxes.copies.count
        sums = np.vstack([self.weights.goal, self.weights.watched])
        least = [least_of(sums @ choices.terms.T, choices.mixing) for choices in row]
        out = np.tile(np.sum(least, axis=0), (len(found), 1))
        for switch, many in fewest_boxes(found, leaves):
            out += copies * many[:, None] * (sums @ box_vector(switch, economy))
        for (name, lower, upper), many in zip(_boundaries(found), fewest_links(found, leaves), strict=True):
            out += copies * many[:, None] * self._plain_floors(sums, lower, upper, found.rate_gbps, name)
        return out

    def _hopeless(self, row: Sequence[Choices], front: Front, boxes: Boxes) -> bool:
        """Whether every fabric of three or more stages with these switches is beaten by the front."""
        if not self.prune or not len(self.weights.watched) or boxes.spine is None or boxes.core is None:
            return False
        economy, rate, choose = self.offer.economy, boxes.rate_gbps, self.choose
        sums = np.vstack([self.weights.goal, self.weights.watched])
        uplinks = [(c.leaves * least_uplinks(c, rate, choose.max_taper).astype(float), c.mixing) for c in row]
        each = sum(float(least_of(many, mix)) for many, mix in uplinks)
        if not each < np.inf:
            return False
        least = np.sum([least_of(sums @ c.terms.T, c.mixing) for c in row], axis=0)
        least += boxes.copies.count * each * self._plain_floors(sums, boxes.leaf, boxes.spine, rate, "leaf_spine")
        least += boxes.copies.count * (sums @ box_vector(boxes.spine, economy)) * choose.min_spines
        least += boxes.copies.count * (sums @ box_vector(boxes.core, economy))
        return bool(front.beaten(least[None, :])[0])

    def _plain_floors(self, sums: Floats, lower: SwitchPart, upper: SwitchPart, rate: int, name: str) -> Floats:
        """What a link of one copy adds at least to sums (k, columns), its hits and hours apart."""
        key, economy = (lower.id, upper.id, rate, name), self.offer.economy
        if key not in self.known_sums:
            length, none = length_of(name, economy), (0.0, 0.0)
            each = [
                [link_floor(pair, rate, upper, economy, one, none, length)[0] for one in sums]
                for pair in self.pairs(lower, upper, rate, name)
            ]
            self.known_sums[key] = np.min(each, axis=0)
        return self.known_sums[key]

    def _ideals(self, counted: Coefficients, row: Sequence[Choices], masks: Sequence[Mask], index: Ints) -> Floats:
        """What the goal and every watched sum are at least, each by itself, (shapes of ``index``, sums)."""
        if not self.prune or not len(self.weights.watched):
            return np.zeros((index.size, 0))
        some, mine = counted.take(index), [mask[index] for mask in masks]
        sums = (self.weights.goal, *self.weights.watched)
        return np.stack([least_together(some, row, mine, each) for each in sums], axis=1)

    def _least_alone(self, counted: Coefficients, choices: Choices, mask: Mask) -> Floats:
        """The same for a lone pool, for which everything but the rounding of network racks is exact."""
        pressure = self.pressure
        for limit, use, taken in zip(pressure.bound.limits, pressure.uses, pressure.outside, strict=False):
            most = limit.most * (1 + NOISE) - taken - counted.weigh(counted.fixed, use)
            mask = mask & (alone(counted, choices, use) <= most[:, None])

        def least(goal: Floats) -> Floats:
            table = alone(counted, choices, goal)
            table[~mask] = np.inf
            return np.asarray(table.min(axis=1) + counted.weigh(counted.fixed, goal))

        found = least(pressure.bound.goal)
        # Among choices that keep the limits the plain goal may be the sharper bound.
        plain = pressure.spare - pressure.dearer
        return np.maximum(found, least(self.weights.goal) + plain) if len(pressure.uses) else found

    def reduced(self, templates: Sequence[Template]) -> list[Template]:
        """Templates of one shape, those dropped that another beats in every coefficient."""
        if not self.prune or len(templates) == 1:
            return list(templates)
        keys = []
        for t in templates:
            vectors = np.stack([t.fixed, t.per_leaf, t.per_pod, t.per_zone, t.per_cage, t.per_lean, t.per_idle])
            watched = self.weights.watch(vectors).ravel()
            path = t.path_ns if self.timed else 0.0
            own = [t.leaf_hits, t.accelerator_hours, t.cage_ratio, t.lean_ratio, path]
            keys.append([*self.weights.objective(vectors), *watched, *own])
        keep = pareto(np.array(keys))
        return [t for t, stays in zip(templates, keep.tolist(), strict=True) if stays]


def _boundaries(rows: ShapeRows) -> list[tuple[str, SwitchPart, SwitchPart]]:
    """Boundaries above the leaf with the boxes that they join."""
    boxes = rows.boxes
    if boxes.kind != "tree":
        return [(line.name, boxes.leaf, boxes.leaf) for line in rows.lines]
    every = [switch for switch in (boxes.leaf, boxes.spine, boxes.core, boxes.top) if switch is not None]
    return list(zip(TREE, every, every[1:], strict=False))
