"""The search over all blocks of workloads: what each costs at least, and what the others leave it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from designer.candidates.blocks import Attachments, BlockSearch, Filled, floors_of
from designer.candidates.choices import Option
from designer.candidates.counting import box_vector
from designer.candidates.mixing import least as least_of
from designer.candidates.mixing import mix_of
from designer.candidates.parting import Block, Bounds, Fabric, Known, partings, works_of
from designer.candidates.pressure import Pressure
from designer.candidates.search import Priced, Search
from designer.candidates.slots import least
from designer.candidates.terms import NET_WATTS, RACKS, Floats
from designer.candidates.weights import NOISE, Weights

# How strongly greedy picks lean on the limited sums, relative to the whole goal.
_LEANINGS = (0.03, 0.1, 0.3, 1.0, 10.0, 1000.0)


class Parted:
    """The search over all blocks, each under what the others leave it."""

    def __init__(self, search: Search, blocks: tuple[Block, ...]) -> None:
        self.search, self.blocks = search, blocks
        self.works = works_of(search.offer.works)
        self.known = Known(blocks, search.weights, search.offer.economy.network_rack_watts)
        self.enumerated = 0
        self._ended: tuple[Sequence[Sequence[Option]], Bounds, dict[Block, list[Filled]]] = ((), Bounds(blocks, {}), {})

    def part(self, pressure: Pressure) -> Parted:
        """The search for answers with some of the options, under prices of its own; what is known is known to all."""
        # Floors of links hold for one goal; the pairs of link rows worth having do not hang on it.
        part = Parted(replace(self.search, pressure=pressure, known_floors={}), self.blocks)
        part.known = self.known
        return part

    def probe(self, options: Sequence[Sequence[Option]], attachments: Attachments) -> tuple[Fabric, ...]:
        """A good fabric for all workloads in the priced goal, whatever the limits (empty: none is found)."""
        every, free = tuple(range(len(options))), Weights(self.search.pressure.bound.goal, ())
        known = Known((every,), free, self.search.offer.economy.network_rack_watts, self.known)
        search = replace(self.search, pressure=Pressure(free), known_floors={})
        BlockSearch(search, free, every, known, 0.0, sole=True).quick(attachments, [free.goal])
        return known.answer

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
                self.at(block, options, bounds).quick(attachments, leans)

    def run(self, options: Sequence[Sequence[Option]], attachments: Attachments) -> None:
        """Look for the candidates of every block that can be in an answer no dearer than the best known."""
        prune = self.search.prune
        several = len(self.blocks) > 1
        floors = _option_floors(self.works, options, self.search.pressure.bound.goal, self.search.choose.mixed_parts)
        if several and prune:
            floors = floors_of(self.works, attachments, self.search.pressure.bound.goal)
        bounds = Bounds(self.blocks, floors, self._fabrics(options))
        if several and prune and self.search.weights.limits:
            self._learn(options, attachments, bounds)
        filled: dict[Block, list[Filled]] = {}
        for block in self.blocks:
            at = self.at(block, options, bounds)
            if several and prune and bounds.least(block) > at.most:
                bounds.drop(block)
                continue
            entries = at.entries(attachments.rows(block))
            self.enumerated += sum(entry.index.size for entry in entries)
            filled[block] = self._built(at, entries, bounds)
            if not filled[block]:
                bounds.drop(block)
        self._ended = options, bounds, filled

    def left(self) -> dict[Block, list[Filled]]:
        """What the search found and may still pay."""
        options, bounds, filled = self._ended
        if self.search.prune and self.known.best < math.inf:
            # The ceiling came down while the list grew: look once more at what was kept early.
            filled = {block: self.at(block, options, bounds).trimmed(mine) for block, mine in filled.items()}
        return self._together(filled)

    def _fabrics(self, options: Sequence[Sequence[Option]]) -> float:
        """Fabrics that an answer has at most: each has leaves, and so a network rack of its own, that racks must allow.

        Without a known design nothing is left out: then the candidates are to show how far the limits are off.
        """
        economy, most = self.search.offer.economy, math.inf
        leaves = [box_vector(leaf, economy)[NET_WATTS] for leaf in self.search.offer.leaves]
        if not len(self.search.pressure.uses) or not min(leaves, default=0.0) > NOISE * economy.network_rack_watts:
            return most
        alone = np.zeros_like(self.search.weights.goal)
        alone[RACKS] = 1.0
        for limit in self.search.weights.limits:
            if limit.row[RACKS]:
                fewest = sum(_least(pool, alone, self.search.choose.mixed_parts) for pool in options)
                most = min(most, math.floor((limit.room - limit.row[RACKS] * fewest) / limit.row[RACKS] + NOISE))
        return most

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
        self.known.forget_others()
        known = Known((), free, self.search.offer.economy.network_rack_watts, self.known)
        known.best = self.known.best
        for block in self.blocks:
            at = replace(self.at(block, options, bounds), weights=free, known=known)
            if bounds.least(block) > at.most:
                bounds.drop(block)
                continue
            at.quick(attachments, [free.goal])
            self._built(at, at.entries(attachments.rows(block)), bounds)

    def _together(self, filled: dict[Block, list[Filled]]) -> dict[Block, list[Filled]]:
        """The blocks that are part of a complete answer."""
        ways = [way for way in partings(self.blocks) if all(filled.get(block) for block in way)]
        return {block: mine for block, mine in filled.items() if any(block in way for way in ways)}

    def at(self, block: Block, options: Sequence[Sequence[Option]], bounds: Bounds) -> BlockSearch:
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
