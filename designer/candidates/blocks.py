"""The search for the fabrics of one block of workloads: templates worth having, and choices for them."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import product

import numpy as np

from designer.candidates.attach import attach
from designer.candidates.choices import Choices, Ints, Option
from designer.candidates.copies import Copies, copies_of
from designer.candidates.dominance import reduce_choices
from designer.candidates.front import Front
from designer.candidates.mixing import completed, picked
from designer.candidates.mixing import least as least_of
from designer.candidates.option_table import OptionTable
from designer.candidates.parting import Block, Fabric, Known
from designer.candidates.parts import SwitchPart
from designer.candidates.reduce import Mask
from designer.candidates.search import MOST_STAGES, Priced, Search
from designer.candidates.shape import ShapeRows
from designer.candidates.slots import Rows, Slot, complete, fill, parts_of, trim
from designer.candidates.templates import Template
from designer.candidates.terms import Floats
from designer.candidates.weights import Weights

Filled = tuple[Template, tuple[Slot, ...]]


class Attachments:
    """How the options of every pool meet every leaf type; each is made when a block first asks for it."""

    def __init__(self, search: Search, options: Sequence[Sequence[Option]]) -> None:
        self._search = search
        self._tables = [OptionTable(mine, search.choose.mixed_parts) for mine in options]
        self._made: dict[tuple[Copies, str, int, int], Choices | None] = {}

    def options(self, pool: int) -> int:
        """Number of options of a pool, that choices count their places in."""
        return len(self._tables[pool].options)

    def rows(self, block: Block) -> list[tuple[int, list[Choices]]]:
        """``(stages, choices per pool)`` for every leaf type that every pool of a block can use; 0 stages for leaves
        joined directly."""
        offer, out = self._search.offer, []
        flat = (0,) if any(kind != "tree" for kind in offer.shapes) else ()
        kinds = ((1,), tuple(s for s in offer.stages if s > 1), flat)
        for copies, leaf, wanted in product(copies_of(self._search.choose), offer.leaves, kinds):
            if not set(wanted) <= {0, *offer.stages} or not wanted:
                continue
            row: list[Choices] = []
            for pool in block:
                found = self.at(copies, leaf, min(wanted[0], 2), pool)
                if found is None:
                    break
                row.append(found)
            if len(row) == len(block):
                out += [(s, row) for s in wanted]
        return out

    def at(self, copies: Copies, leaf: SwitchPart, kind: int, pool: int) -> Choices | None:
        """Choices for a lone switch (``kind`` 1), leaves below others (2), or leaves joined directly (0)."""
        key = (copies, leaf.id, kind, pool)
        if key not in self._made:
            search = self._search
            offer, table = search.offer, self._tables[pool]
            flat, hurry = kind == 0, search.go_on
            reduce = partial(reduce_choices, weights=search.weights, flat=flat, go_on=hurry) if search.prune else None
            links = offer.links_at("nic_leaf")
            self._made[key] = attach(
                offer.pools[pool], table, leaf, copies, links, offer.economy, one_stage=kind == 1, reduce=reduce
            )
        return self._made[key]


class Narrowed(Attachments):
    """The attachments of some of the options of every pool (masks over all of them)."""

    def __init__(self, whole: Attachments, options: Sequence[Mask]) -> None:
        self._search, self._tables, self._made = whole._search, whole._tables, {}
        self._whole, self._left = whole, options

    def at(self, copies: Copies, leaf: SwitchPart, kind: int, pool: int) -> Choices | None:
        """The choices of some options of a pool, as `Attachments.at` has them of all."""
        key = (copies, leaf.id, kind, pool)
        if key not in self._made:
            found = self._whole.at(copies, leaf, kind, pool)
            keep = None if found is None else self._left[pool][found.option]
            self._made[key] = None if found is None or keep is None or not keep.any() else found.take(keep)
        return self._made[key]


@dataclass(frozen=True)
class BlockSearch:
    """The search of one block; ``rest`` is what the workloads outside it cost at least.

    ``search`` counts what those use of the limits; ``weights`` are those of the answers looked for, which ``known``
    holds for all blocks together; ``sole`` says that there is no other block. ``tried`` are the goal and
    watched sums of the selections that were offered, of templates that are kept while the list of them grows.
    """

    search: Search
    weights: Weights
    block: Block
    known: Known
    rest: float
    sole: bool
    tried: Front = field(default_factory=Front, compare=False)

    @property
    def most(self) -> float:
        """What the block may cost at most, in the priced goal."""
        weights, best, own = self.weights, self.known.best, self.known.own(self.block)
        if self.rest == math.inf:
            return -math.inf
        most = self.search.pressure.most(best) - self.rest
        if not weights.limits:
            # Nothing but its cost ties the block to the others: what is dearer than its own best is of no use.
            slack = abs(best) * weights.slack
            if best == math.inf and not weights.later:
                slack = abs(own) * weights.slack
            most = min(most, own + slack)
        return most

    def entries(self, rows: Sequence[tuple[int, list[Choices]]]) -> list[Priced]:
        """Templates that can be in an answer no dearer than the best known, which they may better."""
        entries: list[Priced] = []
        # Lower fabrics first: many that are higher are hopeless beside them before their shapes are looked for.
        for wave in (range(3), range(3, MOST_STAGES + 1)):
            entries += self._wave([row for row in rows if row[0] in wave])
        return entries

    def _wave(self, rows: Sequence[tuple[int, list[Choices]]]) -> list[Priced]:
        """The entries on some of the leaf types and stages, those of least cost first."""
        search, offer = self.search, self.search.offer
        queue: list[tuple[float, list[Choices], ShapeRows]] = []
        for stages, every in rows:
            row = self._affordable(every)
            if row is None:
                continue
            for found in search.shapes(
                row, stages, lambda: self.most, offer.spines, offer.cores, offer.tops, self.tried
            ):
                search.go_on()
                queue.append((float(found.least_usd.min()), row, found))
        queue.sort(key=lambda entry: entry[0])
        entries: list[Priced] = []
        for lowest, row, found in queue:
            search.go_on()
            most = self.most
            if search.prune and lowest > most:
                break
            for priced in search.priced(row, found.take(found.least_usd <= most), lambda: self.most, self.tried):
                entries.append(priced)
                if search.prune:
                    self.try_best(priced, row, [self.weights.goal])
        return entries

    def _affordable(self, every: Sequence[Choices]) -> list[Choices] | None:
        """The choices on a leaf type that can be in an answer no dearer than the best known (None: a pool has none)."""
        pressure = self.search.pressure
        prices = [pressure.bound.objective(c.terms) for c in every]
        mixes = [c.mixing for c in every]
        low = [float(least_of(usd, mix)) for usd, mix in zip(prices, mixes, strict=True)]
        room = self.most - sum(low)
        if not room >= 0:
            return None
        if not self.search.prune:
            return list(every)
        fits = pressure.keeping([c.terms for c in every], mixes)
        costs = [completed(usd, mix) - mine for usd, mix, mine in zip(prices, mixes, low, strict=True)]
        row = [c.take((usd <= room) & fit) for c, usd, fit in zip(every, costs, fits, strict=True)]
        return None if any(c.down.size == 0 for c in row) else row

    def built(self, entries: Sequence[Priced]) -> Iterator[Filled]:
        """The templates of the entries with the choices that may still pay, those of least cost first.

        Exact: a template goes only where a selection of one that stays is no worse in the goal and every watched sum
        than anything the template can do, so that it can stand in for it beside any other fabrics.
        """
        search, front = self.search, Front()
        for every in _shapes_left(entries, self.most):
            search.go_on()
            if search.prune and every[0].least_usd > self.most:
                break
            same = [left for left in every if not front.beaten(left.ideal[None, :])[0]]
            if not same:
                continue
            row = same[0].priced.row
            for template in search.reduced([left.priced.coefficients.template(left.index) for left in same]):
                found = fill(template, row, search.choose.max_taper, search.pressure, self.most)
                if found is None:
                    continue
                yield template, found
                if search.prune:
                    self._greedy(template, found, [self.weights.goal, *self._leans], front)

    def trimmed(self, filled: Sequence[Filled]) -> list[Filled]:
        """What is left under the ceiling as it is now."""
        most = self.most
        if most == math.inf:
            return list(filled)
        kept = [(template, trim(template, slots, self.search.pressure, most)) for template, slots in filled]
        return [(template, slots) for template, slots in kept if slots is not None]

    def quick(self, attachments: Attachments, leans: Sequence[Floats]) -> None:
        """Look for good fabrics, the goal first and as it leans on the limits."""
        search, weights = self.search, self.weights
        rows = attachments.rows(self.block)

        def floor(row: Sequence[Choices]) -> float:
            return sum(float(least_of(weights.objective(c.terms), c.mixing)) for c in row)

        for stages, row in sorted(rows, key=lambda entry: floor(entry[1])):
            # Pools that cannot be run at all have no floor.
            if not floor(row) <= min(self.most, np.finfo(float).max):
                break
            quick = [choices.take(_promising(choices, leans)) for choices in row]
            spines = [s for s in search.offer.spines if s.id == row[0].leaf.id] or search.offer.spines
            cores = [s for s in search.offer.cores if s.id == row[0].leaf.id] or search.offer.cores
            tops = [s for s in search.offer.tops if s.id == row[0].leaf.id] or search.offer.tops
            for found in search.shapes(quick, stages, lambda: self.most, spines, cores, tops, Front()):
                search.go_on()
                for priced in search.priced(quick, found, lambda: self.most, self.tried, few=True):
                    self.try_best(priced, quick, leans, most=4 if weights.limits else 1)

    @property
    def _leans(self) -> tuple[Floats, ...]:
        """What else than the goal selections are tried for where sums are watched."""
        return (self.search.pressure.bound.goal,) if len(self.weights.watched) else ()

    def try_best(self, priced: Priced, row: Sequence[Choices], leans: Sequence[Floats], most: int = 1) -> None:
        """Try complete selections on the most promising of some templates."""
        for at in np.argsort(priced.least_usd, kind="stable")[:most].tolist():
            if self.tried.beaten(priced.ideal[at : at + 1])[0]:
                continue
            template = priced.coefficients.template(int(priced.index[at]))
            found = fill(template, row, self.search.choose.max_taper, self.search.pressure, math.inf)
            if found is not None:
                self._greedy(template, found, leans)

    def _greedy(
        self, template: Template, slots: Sequence[Slot], leans: Sequence[Floats], front: Front | None = None
    ) -> None:
        """Offer greedy selections as answers; of a lone pool all, until one keeps the limits.

        ``front`` takes their sums up.
        """
        weights, front = self.weights, self.tried if front is None else front
        if self.sole and len(slots) == 1 and weights.limits and slots[0].choices.mix is None:
            for row in np.argsort(weights.objective(slots[0].terms), kind="stable").tolist():
                if self._offer(template, slots, [(row,)], 0, weights.goal, front):
                    return
            return
        for lean, tilt in enumerate(leans):
            rows = [picked(slot.terms @ tilt, slot.choices.mixing) for slot in slots]
            if all(rows):
                self._offer(template, slots, rows, lean, tilt, front)
        if weights.limits:
            self._splits(template, slots, front)

    def _splits(self, template: Template, slots: Sequence[Slot], front: Front) -> None:
        """Offer mixed pools in all their splits, until one keeps the limits: no lean of a goal favours a mixture."""
        goal = self.weights.goal
        rows = [picked(slot.terms @ goal, slot.choices.mixing) for slot in slots]
        for place, slot in enumerate(slots):
            mix = slot.choices.mixing
            for way in mix.ways(slot.terms @ goal) if mix is not None and all(rows) else ():
                if self._offer(template, slots, [*rows[:place], way, *rows[place + 1 :]], 0, goal, front):
                    break

    def _offer(
        self, template: Template, slots: Sequence[Slot], rows: Sequence[Rows], lean: int, tilt: Floats, front: Front
    ) -> bool:
        """Offer one selection; whether it makes a complete answer within the limits."""
        terms = complete(template, slots, rows)
        if terms is None:
            return False
        if len(self.weights.watched):
            front.add(np.append(self.weights.objective(terms), self.weights.watch(terms)))
        items = tuple(parts_of(slot, mine) for slot, mine in zip(slots, rows, strict=True))
        return self.known.add(Fabric(self.block, template, items, terms), lean, tilt)


@dataclass(frozen=True)
class _Left:
    """One template of an entry, and its lower bound."""

    least_usd: float
    ideal: Floats
    priced: Priced
    index: int


def _shapes_left(entries: Sequence[Priced], most: float) -> list[list[_Left]]:
    """Templates not dearer than ``most``, those of one shape together, the cheapest shapes first."""
    shapes: dict[tuple[int, int], list[_Left]] = {}
    for priced in entries:
        for index, least, ideal in zip(priced.index.tolist(), priced.least_usd.tolist(), priced.ideal, strict=True):
            if least <= most:
                left = _Left(least, ideal, priced, index)
                shapes.setdefault((id(priced.coefficients.rows), index), []).append(left)
    found = [sorted(same, key=lambda left: left.least_usd) for same in shapes.values()]
    return sorted(found, key=lambda same: same[0].least_usd)


def _promising(choices: Choices, leans: Sequence[Floats], most: int = 4) -> Ints:
    """The choices that serve a pool best by themselves, and those that do together, for every lean of the goal."""
    rows: list[int] = []
    alone = np.ones(choices.down.size, bool) if choices.mixing is None else choices.mixing.share == choices.mixing.steps
    for tilt in leans:
        values = choices.terms @ tilt
        rows += np.argsort(np.where(alone, values, np.inf), kind="stable")[: min(most, int(alone.sum()))].tolist()
        if choices.mixing is not None:
            rows += choices.mixing.champions(values)
    return np.unique(np.array(rows, np.int64))


def floors_of(works: Sequence[Block], attachments: Attachments, goal: Floats) -> dict[Block, float]:
    """What each workload adds to any fabric at least: its cheapest choices on the leaf type where they are cheapest."""
    out = {}
    for work in works:
        rows = attachments.rows(work)
        usd = (sum(float(least_of(choices.terms @ goal, choices.mixing)) for choices in row) for _, row in rows)
        out[work] = min(usd, default=math.inf)
    return out
