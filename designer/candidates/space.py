"""All candidates of a question: pool choices per leaf type and the fabric templates that can carry them."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from designer.candidates.blast import surviving
from designer.candidates.blocks import Attachments, BlockSearch, Filled, floors_of
from designer.candidates.choices import Option
from designer.candidates.dominance import reduce_options
from designer.candidates.mixing import completed, mix_of, runs
from designer.candidates.mixing import least as least_of
from designer.candidates.offer import Offer
from designer.candidates.parting import Block, Bounds, CutShortError, Known, blocks_of, partings, works_of
from designer.candidates.pressure import Pressure, pressure_of
from designer.candidates.search import Priced, Search
from designer.candidates.slots import Slot, least
from designer.candidates.templates import Template
from designer.candidates.terms import Floats
from designer.candidates.weights import Weights
from designer.instance.schema import Choose

# How strongly greedy picks lean on the limited sums, relative to the whole goal.
_LEANINGS = (0.03, 0.1, 0.3, 1.0, 10.0, 1000.0)


@dataclass(frozen=True)
class Space:
    """The candidates of a question.

    Template ``f`` is a fabric for the block of pools ``blocks[f]``, places in ``pools``; ``slots[f][j]`` belongs to it
    and to the pool at ``blocks[f][j]``.
    """

    pools: tuple[str, ...]
    templates: tuple[Template, ...]
    blocks: tuple[Block, ...]
    slots: tuple[tuple[Slot, ...], ...]
    weights: Weights
    network_rack_watts: float
    enumerated_options: int
    enumerated_templates: int

    @property
    def options(self) -> int:
        """Choices left, over all pools and templates."""
        return sum(slot.choices.down.size for row in self.slots for slot in row)


def build_space(
    offer: Offer,
    options: Sequence[Sequence[Option]],
    choose: Choose,
    weights: Weights,
    *,
    prune: bool,
    best: float = math.inf,
    late: Callable[[], bool] = lambda: False,
) -> Space:
    """Assemble choices and templates; with ``prune`` every exact reduction is applied.

    Parameters
    ----------
    offer
        Parts for sale.
    options
        Options per pool, in the order of ``offer.pools``.
    choose
        Stages and tapers allowed, and whether workloads may have fabrics apart.
    weights
        Objective and limits.
    prune
        False keeps every choice and every template (tests compare the two).
    best
        Objective of a known design within the limits; nothing dearer is kept.
    late
        Asked now and then whether it is time to stop.

    Raises
    ------
    CutShortError
        When it was, or a person stopped the search; it holds the best answer known.
    """
    timed = any(option.plan.latency_allowance_us is not None for pool in options for option in pool)
    search = Search(offer, choose, weights, prune, Pressure(weights), timed, late)
    work = _Blocks(search, blocks_of(offer.works, private=choose.private_fabrics, apart=offer.apart))
    try:
        found = _found(work, options, best)
    except (TimeoutError, KeyboardInterrupt) as stopped:
        known, interrupted = work.known, isinstance(stopped, KeyboardInterrupt)
        raise CutShortError(known.answer, known.found_best, interrupted=interrupted) from None
    return Space(
        pools=offer.pools,
        templates=tuple(template for filled in found.values() for template, _ in filled),
        blocks=tuple(block for block, filled in found.items() for _ in filled),
        slots=tuple(slots for filled in found.values() for _, slots in filled),
        weights=weights,
        network_rack_watts=offer.economy.network_rack_watts,
        enumerated_options=sum(len(pool) for pool in options),
        enumerated_templates=work.enumerated,
    )


def _found(work: _Blocks, options: Sequence[Sequence[Option]], best: float) -> dict[Block, list[Filled]]:
    """The candidates of every block."""
    search = work.search
    offer, choose, weights, prune = search.offer, search.choose, search.weights, search.prune
    kept = [surviving(pool, offer.economy.single_failure) for pool in options]
    most = choose.mixed_parts
    if not all(runs(pool, most) for pool in kept):
        return {}
    if prune:
        rails = any(number > 1 for number in choose.scale_out_rails)
        blasts = offer.economy.single_failure is not None
        # A pinned taper asks for certain numbers below a leaf, a grid for certain numbers of leaves: no fewer.
        exact = offer.economy.taper is not None or any(kind != "tree" for kind in offer.shapes)
        kept = [reduce_options(pool, weights, rails=rails, blasts=blasts, exact=exact) for pool in kept]
        work.first_answers(kept, best)
        pressure = pressure_of(kept, weights, min(best, work.known.best), offer.economy.network_rack_watts, most)
        # Floors of links hold for one goal; the pairs of link rows worth having do not hang on it.
        work.search = replace(search, pressure=pressure, known_floors={})
        kept = _affordable(kept, pressure, min(best, work.known.best), most)
    work.known.best = min(best, work.known.best)
    return work.run(kept) if all(runs(pool, most) for pool in kept) else {}


class _Blocks:
    """The search over all blocks, each under what the others leave it."""

    def __init__(self, search: Search, blocks: tuple[Block, ...]) -> None:
        self.search, self.blocks = search, blocks
        self.works = works_of(search.offer.works)
        self.known = Known(blocks, search.weights, search.offer.economy.network_rack_watts)
        self.enumerated = 0

    def first_answers(self, options: Sequence[Sequence[Option]], best: float) -> None:
        """Look for a good complete answer; the quick search may find none within the limits. ``best`` is known."""
        weights = self.search.weights
        parts = self.search.choose.mixed_parts
        leans = _tilts(weights, options, parts)
        attachments = Attachments(self.search, _cheapest(options, leans, parts))
        bounds = Bounds(self.blocks, _option_floors(self.works, options, weights.goal, parts))
        every = tuple(range(len(options)))
        for block in (every, *(block for block in self.blocks if block != every)):
            # Without limits the best of each workload alone is the ceiling of its search; any answer is one of all.
            unknown = min(best, self.known.best) == math.inf
            if block == every or unknown or (block in self.works and not weights.limits):
                self._at(block, options, bounds).quick(attachments, leans)

    def run(self, options: Sequence[Sequence[Option]]) -> dict[Block, list[Filled]]:
        """The candidates of every block that can be in an answer no dearer than the best known."""
        attachments, prune, parts = Attachments(self.search, options), self.search.prune, self.search.choose.mixed_parts
        several = len(self.blocks) > 1
        floors = _option_floors(self.works, options, self.search.pressure.bound.goal, parts)
        if several and prune:
            floors = floors_of(self.works, attachments, self.search.pressure.bound.goal)
        bounds = Bounds(self.blocks, floors)
        if several and prune and self.search.weights.limits:
            self._learn(options, attachments, bounds)
        filled: dict[Block, list[Filled]] = {}
        for block in self.blocks:
            at = self._at(block, options, bounds)
            if several and prune and bounds.least(block) > at.most:
                bounds.drop(block)
                continue
            entries = at.entries(attachments.rows(block))
            self.enumerated += sum(entry.index.size for entry in entries)
            filled[block] = self._built(at, entries, bounds)
            if not filled[block]:
                bounds.drop(block)
        if prune and self.known.best < math.inf:
            # The ceiling came down while the list grew: look once more at what was kept early.
            filled = {block: self._at(block, options, bounds).trimmed(mine) for block, mine in filled.items()}
        return self._together(filled)

    def _built(self, at: BlockSearch, entries: Sequence[Priced], bounds: Bounds) -> list[Filled]:
        """The templates of a block that can be in an answer, and with them what the block costs at least."""
        found, goal = list(at.built(entries)), self.search.pressure.bound.goal
        # All that was left out costs more than the ceiling, as it is now at the end.
        bounds.learn(at.block, min([least(template, slots, goal) for template, slots in found] + [at.most]))
        return found

    def _learn(self, options: Sequence[Sequence[Option]], attachments: Attachments, bounds: Bounds) -> None:
        """Bound every block by its least in the priced goal: limits tie it to the others, not to a best of its own.

        What the others leave a block hangs on these bounds; without them it would be nearly everything.
        """
        free = Weights(self.search.pressure.bound.goal, ())
        known = Known((), free, self.search.offer.economy.network_rack_watts)
        known.best = self.known.best
        cheap = Attachments(self.search, _cheapest(options, [free.goal], self.search.choose.mixed_parts))
        for block in self.blocks:
            at = replace(self._at(block, options, bounds), weights=free, known=known)
            if bounds.least(block) > at.most:
                bounds.drop(block)
                continue
            at.quick(cheap, [free.goal])
            self._built(at, at.entries(attachments.rows(block)), bounds)

    def _together(self, filled: dict[Block, list[Filled]]) -> dict[Block, list[Filled]]:
        """The blocks that are part of a complete answer."""
        ways = [way for way in partings(self.blocks) if all(filled.get(block) for block in way)]
        return {block: mine for block, mine in filled.items() if any(block in way for way in ways)}

    def _at(self, block: Block, options: Sequence[Sequence[Option]], bounds: Bounds) -> BlockSearch:
        """The search of one block beside the least of the others."""
        pressure, rest = self.search.pressure, bounds.rest(block)
        outside = [pool for place, pool in enumerate(options) if place not in block]
        if outside and len(pressure.uses):
            parts, goal = self.search.choose.mixed_parts, self.search.weights.goal
            terms = [(np.stack([option.terms for option in pool]), mix_of(pool, parts)) for pool in outside]
            taken = np.sum([least_of(pressure.uses @ rows.T, mix) for rows, mix in terms], axis=0)
            plain = sum(float(least_of(rows @ goal, mix)) for rows, mix in terms)
            pressure = replace(pressure, taken=taken, dearer=rest - plain)
        search = replace(self.search, pressure=pressure)
        return BlockSearch(search, search.weights, block, self.known, rest, sole=len(self.blocks) == 1)


def _option_floors(
    works: Sequence[Block], options: Sequence[Sequence[Option]], goal: Floats, parts: int
) -> dict[Block, float]:
    """What each workload costs at least below its NIC cables."""
    least = [_least(pool, goal, parts) for pool in options]
    return {work: sum(least[place] for place in work) for work in works}


def _least(pool: Sequence[Option], goal: Floats, parts: int) -> float:
    return float(least_of(np.stack([option.terms for option in pool]) @ goal, mix_of(pool, parts)))


def _tilts(weights: Weights, options: Sequence[Sequence[Option]], parts: int) -> list[Floats]:
    """Objectives for greedy picks: the true one, and some that lean ever more on each limited sum and on all."""
    tilts = [weights.goal]
    if not weights.limits:
        return tilts
    value = sum(_least(pool, weights.goal, parts) for pool in options)
    leans = []
    for limit in weights.limits:
        scale = limit.most if limit.most > 0 else 1.0
        if limit.share is not None:
            # Beside the share nothing is allowed: what the pools use for and against it is the measure.
            scale += sum(float(np.abs(np.stack([o.terms for o in pool]) @ limit.row).max()) for pool in options)
        leans.append(limit.row / scale)
    if len(leans) > 1:
        leans.append(np.sum(leans, axis=0))
    return tilts + [weights.goal + share * (value or 1.0) * lean for lean in leans for share in _LEANINGS]


def _cheapest(
    options: Sequence[Sequence[Option]], tilts: Sequence[Floats], parts: int, most: int = 6
) -> list[list[Option]]:
    """Return a few good options of every pool, for a quick first answer: of all of it, and the best parts."""
    out = []
    for pool in options:
        terms, mix = np.stack([o.terms for o in pool]), mix_of(pool, parts)
        whole = np.arange(len(pool)) if mix is None else np.flatnonzero(mix.share == mix.steps)
        rows = [whole[np.argsort(terms[whole] @ tilt, kind="stable")[:most]] for tilt in tilts]
        rows += [np.array(mix.champions(terms @ tilt), np.int64) for tilt in tilts if mix is not None]
        out.append([pool[i] for i in np.unique(np.concatenate(rows)).tolist()])
    return out


def _affordable(options: Sequence[Sequence[Option]], pressure: Pressure, best: float, parts: int) -> list[list[Option]]:
    """Drop options that are dearer than the first answer, or beyond a limit, even beside the best of the other pools.

    Exact: NIC cables and everything above them only add to the objective and to every limited sum.
    """
    terms = [np.stack([o.terms for o in pool]) for pool in options]
    mixes = [mix_of(pool, parts) for pool in options]
    prices = [pressure.bound.objective(rows) for rows in terms]
    low = [float(least_of(price, mix)) for price, mix in zip(prices, mixes, strict=True)]
    room = pressure.most(best) - sum(low)
    fits = pressure.keeping(terms, mixes) if best < math.inf else [np.ones(len(pool), bool) for pool in options]
    out = []
    for pool, price, mix, lowest, fit in zip(options, prices, mixes, low, fits, strict=True):
        keep = fit & (completed(price, mix) - lowest <= room)
        out.append([option for option, stays in zip(pool, keep.tolist(), strict=True) if stays])
    return out
