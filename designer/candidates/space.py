"""All candidates of a question: pool choices per leaf type and the fabric templates that can carry them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from designer.candidates.choices import Choices, Option, attach
from designer.candidates.dominance import reduce_choices, reduce_options
from designer.candidates.offer import Offer
from designer.candidates.search import Search
from designer.candidates.templates import Shape, Template, carries
from designer.candidates.terms import NET_WATTS, RACKS, WATTS, Floats
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


def total(template: Template, slots: Sequence[Slot], rows: Sequence[int]) -> Floats:
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
        # Float sums: what is only just within may be just beyond in exact arithmetic, so it does not count.
        if value > limit.most * (1 - 1e-12):
            return False
    return True


def build_space(
    offer: Offer,
    options: Sequence[Sequence[Option]],
    choose: Choose,
    weights: Weights,
    *,
    prune: bool,
    best: float = math.inf,
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
    best
        Objective of a known design within the limits; nothing dearer is kept.
    """
    search = Search(offer, choose, weights, prune)
    kept = [list(pool) for pool in options]
    if prune:
        kept = [reduce_options(pool, weights) for pool in kept]
        best = min(best, _first_answer(search, _blocks(search, _cheapest(kept, _tilts(weights)))))
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


def _blocks(search: Search, options: Sequence[Sequence[Option]]) -> list[tuple[int, list[Choices]]]:
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
    search: Search, blocks: Sequence[tuple[int, list[Choices]]], best: float
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


def _first_answer(search: Search, blocks: Sequence[tuple[int, list[Choices]]]) -> float:
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


def _value(search: Search, template: Template, slots: Sequence[Slot], rows: Sequence[int]) -> float:
    leaves = sum(int(slot.choices.leaves[row]) for slot, row in zip(slots, rows, strict=True))
    if template.shape.stages > 1 and leaves > template.shape.max_leaves:
        return math.inf
    if template.shape.stages == 1:
        picked = [Slot(s.choices.take(np.array([r])), s.terms[[r]]) for s, r in zip(slots, rows, strict=True)]
        if not _one_switch(template.shape, picked):
            return math.inf
    terms = total(template, slots, rows)
    if not within(search.weights, terms, search.offer.economy.network_rack_watts):
        return math.inf
    return float(search.weights.usd @ terms)
