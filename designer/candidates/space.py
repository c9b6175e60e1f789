"""All candidates of a question: pool choices per leaf type and the fabric templates that can carry them."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from designer.candidates.cables import LinkPair
from designer.candidates.choices import Choices, Option, attach
from designer.candidates.offer import Offer
from designer.candidates.parts import SwitchPart
from designer.candidates.reduce import pareto, pareto_within
from designer.candidates.shapes import Bounded, Ceiling, envelope, shapes
from designer.candidates.templates import (
    Shape,
    Template,
    box_vector,
    build_template,
    carries,
    link_floor,
    pairs_between,
)
from designer.candidates.terms import FAILURES, HITS, HOURS, NET_WATTS, RACKS, WATTS, Floats
from designer.candidates.weights import Weights
from designer.instance.schema import Choose

# A candidate is dropped only if it is worse than a known answer by more than the noise of its floats.
SLACK = 1e-9


@dataclass(frozen=True)
class Slot:
    """Choices of one pool under one template, with the term vectors (n, len(TERMS)) they have there."""

    choices: Choices
    terms: Floats


@dataclass(frozen=True)
class Space:
    """The candidates of a question; ``slots[f][p]`` belongs to template ``f`` and pool ``p``."""

    pools: tuple[str, ...]
    templates: tuple[Template, ...]
    slots: tuple[tuple[Slot, ...], ...]
    weights: Weights
    network_rack_watts: float
    enumerated_options: int
    enumerated_templates: int

    @property
    def options(self) -> int:
        """Choices left, over all pools and templates."""
        return sum(slot.choices.down.size for row in self.slots for slot in row)


def reduce_options(options: Sequence[Option], weights: Weights) -> list[Option]:
    """Drop options that another beats in money, limits, domains, needs and rack density.

    Exact: leaves, links and lengths of a pool are non-decreasing in its domains, needs and racks for given
    accelerator, domain size and NIC, and events cost no less with a larger replica.
    """
    if not options:
        return []
    terms = np.stack([o.terms for o in options])
    own = np.array(
        [
            (
                o.domains,
                o.plan.accelerators_per_replica,
                o.plan.scale_out_ep_need_gbps,
                o.plan.scale_out_other_need_gbps,
                -o.domain.hosts_per_rack,
            )
            for o in options
        ],
        float,
    )
    keys = np.concatenate([weights.objective(terms)[:, None], terms[:, weights.watched], own], axis=1)
    groups: list[tuple[object, ...]] = [
        (
            o.domain.accelerator.id,
            o.domain.size,
            o.domain.nic.id,
            o.domain.nics,
            o.plan.domains_per_replica,
            # A job hit needs a whole replica in the blast: fewer, larger replicas see fewer hits.
            o.plan.accelerators_per_replica,
        )
        for o in options
    ]
    keep = pareto_within(groups, keys)
    return [option for option, stays in zip(options, keep.tolist(), strict=True) if stays]


def reduce_choices(choices: Choices, weights: Weights) -> Choices:
    """Drop choices on the same leaf type that another beats in everything a fabric can see."""
    radix = np.array([choices.leaf.radix[r] for r in choices.rate.tolist()], float)
    columns = [weights.objective(choices.terms), *(choices.terms[:, c] for c in weights.watched), choices.down / radix]
    if not choices.one_stage:
        columns += [
            choices.leaves,
            choices.load_gbps,
            choices.down * choices.rate,
            choices.accelerators,
            choices.leaves * choices.hit_usd,
            choices.accelerators * choices.hour_usd,
        ]
    return choices.take(pareto(np.stack([np.asarray(c, float) for c in columns], axis=1)))


@dataclass(frozen=True)
class _Search:
    offer: Offer
    choose: Choose
    weights: Weights
    prune: bool

    def shapes(
        self,
        row: Sequence[Choices],
        stages: int,
        best: float,
        spines: Sequence[SwitchPart],
        cores: Sequence[SwitchPart],
    ) -> Iterator[Bounded]:
        """Shapes for the choices of all pools on one leaf type whose lower bound is not above ``best``."""
        weights = self.weights.usd
        hit = min(float(c.hit_usd.min()) for c in row) * weights[FAILURES] + weights[HITS]
        hour = sum(float((c.accelerators * (c.hour_usd * weights[FAILURES] + weights[HOURS])).min()) for c in row)
        ceiling = Ceiling(best, self.box_usd, partial(self.link_usd, (float(hit), hour)))
        floor = envelope(row, self.weights.objective)
        return shapes(row, spines, cores, stages, self.choose, ceiling, floor)

    def link_usd(
        self, hits: tuple[float, float], lower: SwitchPart, upper: SwitchPart, rate: int, name: str
    ) -> tuple[float, float] | None:
        """Least objective per link between two switches and once per fabric (None: no cable fits).

        ``hits`` are the least money of a job hit and of an hour lost on every accelerator of the pools.
        """
        floors = [
            link_floor(pair, rate, upper, self.offer.economy, self.weights.usd, hits, self._length(name))
            for pair in self.pairs(lower, upper, rate, name)
        ]
        if not floors:
            return None
        return min(x for x, _ in floors), min(x for _, x in floors)

    def pairs(self, lower: SwitchPart, upper: SwitchPart, rate: int, name: str) -> list[LinkPair]:
        return pairs_between(lower, upper, self.offer.links, rate, self._length(name))

    def _length(self, name: str) -> float:
        economy = self.offer.economy
        return economy.forced_m.get(name, economy.lengths_m["hall" if name == "leaf_spine" else "building"])

    def box_usd(self, switch: SwitchPart) -> float:
        """Objective of one box above the leaf, its hits and hours apart."""
        return float(self.weights.usd @ box_vector(switch, self.offer.economy))

    def templates_of(self, shape: Shape) -> list[Template]:
        economy = self.offer.economy
        if shape.spine is None:
            return [build_template(shape, None, None, economy)]
        lower = self.pairs(shape.leaf, shape.spine, shape.rate_gbps, "leaf_spine")
        if shape.core is None:
            built = [build_template(shape, pair, None, economy) for pair in lower]
        else:
            upper = self.pairs(shape.spine, shape.core, shape.rate_gbps, "spine_core")
            built = [build_template(shape, low, up, economy) for low in lower for up in upper]
        return self._reduce(built) if self.prune and len(built) > 1 else built

    def _reduce(self, templates: list[Template]) -> list[Template]:
        keys = []
        for t in templates:
            vectors = np.stack([t.fixed, t.per_leaf, t.per_pod, t.per_cage])
            watched = vectors[:, self.weights.watched].ravel()
            keys.append([*self.weights.objective(vectors), *watched, t.leaf_hits, t.accelerator_hours, t.cage_ratio])
        keep = pareto(np.array(keys))
        return [t for t, stays in zip(templates, keep.tolist(), strict=True) if stays]


def total(space_weights: Weights, template: Template, slots: Sequence[Slot], rows: Sequence[int]) -> Floats:
    """Term vector of a complete selection: one row of every slot, whole pods and cages included."""
    leaves = sum(int(slot.choices.leaves[row]) for slot, row in zip(slots, rows, strict=True))
    out = template.fixed + template.pods(leaves) * template.per_pod + template.cages(leaves) * template.per_cage
    for slot, row in zip(slots, rows, strict=True):
        out = out + slot.terms[row]
    return np.asarray(out)


def within(weights: Weights, terms: Floats, network_rack_watts: float) -> bool:
    """Whether a complete selection respects every limit."""
    for limit in weights.limits:
        value = float(terms[limit.term])
        if limit.term == RACKS:
            value += math.ceil(terms[NET_WATTS] / network_rack_watts - SLACK)
        if value > limit.most * (1 + SLACK):
            return False
    return True


def build_space(
    offer: Offer, options: Sequence[Sequence[Option]], choose: Choose, weights: Weights, *, prune: bool
) -> Space:
    """Assemble choices and templates; with ``prune`` every exact reduction is applied.

    Parameters
    ----------
    offer
        Parts for sale.
    options
        Options per pool, in the order of ``offer.pools``.
    choose
        Stages and tapers allowed.
    weights
        Objective and limits.
    prune
        False keeps every choice and every template (tests compare the two).
    """
    search = _Search(offer, choose, weights, prune)
    best, kept = math.inf, [list(pool) for pool in options]
    if prune:
        kept = [reduce_options(pool, weights) for pool in kept]
        best = _first_answer(search, _blocks(search, _cheapest(kept, _tilts(weights))))
        kept = _affordable(kept, weights, best)
    blocks = _blocks(search, kept)
    templates: list[Template] = []
    slots: list[tuple[Slot, ...]] = []
    enumerated = 0
    for key, row, shape in _queue(search, blocks, best):
        if prune and key > best * (1 + SLACK):
            break
        for template in search.templates_of(shape):
            enumerated += 1
            found = _fill(template, row, choose.max_taper, weights, best)
            if found is None:
                continue
            templates.append(template)
            slots.append(found)
            if prune:
                greedy = [int(weights.objective(slot.terms).argmin()) for slot in found]
                best = min(best, _value(search, template, found, greedy))
    if prune and best < math.inf:
        # The ceiling came down while the list grew: look once more at what was kept early.
        refilled = [_trim(t, s, weights, best) for t, s in zip(templates, slots, strict=True)]
        templates = [t for t, s in zip(templates, refilled, strict=True) if s is not None]
        slots = [s for s in refilled if s is not None]
    return Space(
        pools=offer.pools,
        templates=tuple(templates),
        slots=tuple(slots),
        weights=weights,
        network_rack_watts=offer.economy.network_rack_watts,
        enumerated_options=sum(len(pool) for pool in options),
        enumerated_templates=enumerated,
    )


def _blocks(search: _Search, options: Sequence[Sequence[Option]]) -> list[tuple[int, list[Choices]]]:
    """``(stages, choices per pool)`` for every leaf type that every pool can use."""
    offer, out = search.offer, []
    for leaf in offer.leaves:
        for one_stage in (True, False):
            wanted = [s for s in offer.stages if (s == 1) == one_stage]
            if not wanted:
                continue
            row: list[Choices] = []
            for pool, mine in zip(offer.pools, options, strict=True):
                found = attach(pool, mine, leaf, offer.links, offer.economy, one_stage=one_stage)
                if found is None:
                    break
                row.append(reduce_choices(found, search.weights) if search.prune else found)
            if len(row) == len(offer.pools):
                out += [(s, row) for s in wanted]
    return out


def _queue(
    search: _Search, blocks: Sequence[tuple[int, list[Choices]]], best: float
) -> list[tuple[float, list[Choices], Shape]]:
    """All shapes of all leaf types, cheapest lower bound first, with the choices that may go with them."""
    weights, queue = search.weights, []
    for stages, every in blocks:
        floor = [float(weights.objective(c.terms).min()) for c in every]
        room = best * (1 + SLACK) - sum(floor)
        if room < 0:
            continue
        row = every
        if search.prune:
            row = [c.take(weights.objective(c.terms) - low <= room) for c, low in zip(every, floor, strict=True)]
        for bounded in search.shapes(row, stages, best * (1 + SLACK), search.offer.spines, search.offer.cores):
            queue.append((bounded.least_usd, row, bounded.shape))
    queue.sort(key=lambda entry: entry[0])
    return queue


def _fill(
    template: Template, row: Sequence[Choices], max_taper: float, weights: Weights, best: float
) -> tuple[Slot, ...] | None:
    """Choices that the template can carry and that can still be in a better answer (None if a pool has none)."""
    carried = []
    for choices in row:
        mask = carries(template.shape, choices, max_taper)
        if not mask.any():
            return None
        mine = choices.take(mask)
        carried.append(Slot(mine, template.terms(mine)))
    if template.shape.stages == 1 and not _one_switch(template.shape, carried):
        return None
    leaves = sum(int(slot.choices.leaves.min()) for slot in carried)
    if template.shape.stages > 1 and leaves > template.shape.max_leaves:
        return None
    return tuple(carried) if best == math.inf else _trim(template, carried, weights, best)


def _trim(template: Template, slots: Sequence[Slot], weights: Weights, best: float) -> tuple[Slot, ...] | None:
    """Drop choices whose cheapest completion is dearer than a known answer (None: the whole template is)."""
    leaves = sum(int(slot.choices.leaves.min()) for slot in slots)
    least = template.fixed + template.pods(leaves) * template.per_pod + template.cages(leaves) * template.per_cage
    prices = [weights.objective(slot.terms) for slot in slots]
    spare = best * (1 + SLACK) - float(weights.usd @ least) - sum(float(p.min()) for p in prices)
    if spare < 0:
        return None
    return tuple(
        Slot(slot.choices.take(price - price.min() <= spare), slot.terms[price - price.min() <= spare])
        for slot, price in zip(slots, prices, strict=True)
    )


def _one_switch(shape: Shape, slots: Sequence[Slot]) -> bool:
    share = sum(
        float((s.choices.down / np.array([shape.leaf.radix[r] for r in s.choices.rate.tolist()])).min()) for s in slots
    )
    return share <= 1 + SLACK


def _tilts(weights: Weights) -> list[Floats]:
    """Objectives for greedy picks: the true one, and one per limit with a steep price on the limited term."""
    tilts = [weights.usd]
    for limit in weights.limits:
        extra = weights.usd.copy()
        extra[limit.term] += max(float(weights.usd[WATTS]), 1.0) * 1e4
        tilts.append(extra)
    return tilts


def _cheapest(options: Sequence[Sequence[Option]], tilts: Sequence[Floats], most: int = 6) -> list[list[Option]]:
    """Return a few good options of every pool, for a quick first answer."""
    out = []
    for pool in options:
        terms = np.stack([o.terms for o in pool])
        picks = np.unique(np.concatenate([np.argsort(terms @ tilt, kind="stable")[:most] for tilt in tilts]))
        out.append([pool[i] for i in picks.tolist()])
    return out


def _affordable(options: Sequence[Sequence[Option]], weights: Weights, best: float) -> list[list[Option]]:
    """Drop options that are dearer than the first answer even beside the cheapest options of the other pools.

    Exact: NIC cables and everything above them only add to the objective.
    """
    prices = [weights.objective(np.stack([o.terms for o in pool])) for pool in options]
    room = best * (1 + SLACK) - sum(float(p.min()) for p in prices)
    return [
        [o for o, price in zip(pool, mine.tolist(), strict=True) if price - float(mine.min()) <= room]
        for pool, mine in zip(options, prices, strict=True)
    ]


def _first_answer(search: _Search, blocks: Sequence[tuple[int, list[Choices]]]) -> float:
    """Objective of a good complete selection (infinite when the quick search finds none within the limits)."""
    weights, best = search.weights, math.inf
    tilts = _tilts(weights)
    for stages, row in sorted(blocks, key=lambda b: sum(float(weights.objective(c.terms).min()) for c in b[1])):
        floor = sum(float(weights.objective(c.terms).min()) for c in row)
        if floor > best:
            break
        quick = []
        for choices in row:
            picks = np.unique(np.concatenate([np.argsort(choices.terms @ t, kind="stable")[:4] for t in tilts]))
            quick.append(choices.take(picks))
        spines = [s for s in search.offer.spines if s.id == row[0].leaf.id] or search.offer.spines
        cores = [s for s in search.offer.cores if s.id == row[0].leaf.id] or search.offer.cores
        found_shapes = sorted(search.shapes(quick, stages, best, spines, cores), key=lambda bounded: bounded.least_usd)
        for bounded in found_shapes[:300]:
            for template in search.templates_of(bounded.shape):
                found = _fill(template, quick, search.choose.max_taper, weights, math.inf)
                if found is None:
                    continue
                for tilt in tilts:
                    rows = [int((slot.terms @ tilt).argmin()) for slot in found]
                    best = min(best, _value(search, template, found, rows))
    return best


def _value(search: _Search, template: Template, slots: Sequence[Slot], rows: Sequence[int]) -> float:
    leaves = sum(int(slot.choices.leaves[row]) for slot, row in zip(slots, rows, strict=True))
    if template.shape.stages > 1 and leaves > template.shape.max_leaves:
        return math.inf
    if template.shape.stages == 1:
        picked = [Slot(s.choices.take(np.array([r])), s.terms[[r]]) for s, r in zip(slots, rows, strict=True)]
        if not _one_switch(template.shape, picked):
            return math.inf
    terms = total(search.weights, template, slots, rows)
    if not within(search.weights, terms, search.offer.economy.network_rack_watts):
        return math.inf
    return float(search.weights.usd @ terms)
