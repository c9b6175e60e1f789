"""All candidates of a question: pool choices per leaf type and the fabric templates that can carry them."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import product

import numpy as np

from designer.candidates.attach import OptionTable, attach
from designer.candidates.blast import surviving
from designer.candidates.choices import Choices, Option
from designer.candidates.copies import copies_of
from designer.candidates.dominance import reduce_choices, reduce_options
from designer.candidates.offer import Offer
from designer.candidates.pressure import Pressure, pressure_of
from designer.candidates.search import Priced, Search
from designer.candidates.shape import Shape, ShapeRows
from designer.candidates.templates import Template, carries, in_time
from designer.candidates.terms import NET_WATTS, RACKS, Floats
from designer.candidates.weights import NOISE, Weights
from designer.instance.schema import Choose

# How strongly greedy picks lean on the limited sums, relative to the whole goal.
_LEANINGS = (0.03, 0.1, 0.3, 1.0, 10.0, 1000.0)


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
        value = float(limit.row @ terms)
        if limit.row[RACKS]:
            # Whole numbers: these are exact.
            if value + math.ceil(terms[NET_WATTS] / network_rack_watts - NOISE) > limit.most:
                return False
        # Float sums: what is only just within may be just beyond in exact arithmetic, so it does not count.
        elif value > limit.most * (1 - 1e-12):
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
    timed = any(option.plan.latency_allowance_us is not None for pool in options for option in pool)
    search = Search(offer, choose, weights, prune, Pressure(weights), timed)
    kept = [surviving(pool, offer.economy.single_failure) for pool in options]
    if prune and all(kept):
        rails = any(number > 1 for number in choose.scale_out_rails)
        blasts = offer.economy.single_failure is not None
        kept = [reduce_options(pool, weights, rails=rails, blasts=blasts) for pool in kept]
        best = min(best, _first_answer(search, kept))
        pressure = pressure_of(kept, weights, best, offer.economy.network_rack_watts)
        # Floors of links hold for one goal; the pairs of link rows worth having do not hang on it.
        search = replace(search, pressure=pressure, known_floors={})
        kept = _affordable(kept, pressure, best)
    entries, best = _entries(search, _blocks(search, kept) if all(kept) else [], best)
    templates: list[Template] = []
    slots: list[tuple[Slot, ...]] = []
    for same in _shapes_left(entries, search.pressure.most(best)):
        if prune and same[0].least_usd > search.pressure.most(best):
            break
        for template, row in _built(search, same):
            found = _fill(template, row, choose.max_taper, search.pressure, best)
            if found is None:
                continue
            templates.append(template)
            slots.append(found)
            if prune:
                best = min(best, _greedy(search, template, found, [weights.goal]))
    if prune and best < math.inf:
        # The ceiling came down while the list grew: look once more at what was kept early.
        refilled = [_trim(t, s, search.pressure, best) for t, s in zip(templates, slots, strict=True)]
        templates = [t for t, s in zip(templates, refilled, strict=True) if s is not None]
        slots = [s for s in refilled if s is not None]
    return Space(
        pools=offer.pools,
        templates=tuple(templates),
        slots=tuple(slots),
        weights=weights,
        network_rack_watts=offer.economy.network_rack_watts,
        enumerated_options=sum(len(pool) for pool in options),
        enumerated_templates=sum(entry.index.size for entry in entries),
    )


def _blocks(search: Search, options: Sequence[Sequence[Option]]) -> list[tuple[int, list[Choices]]]:
    """``(stages, choices per pool)`` for every leaf type that every pool can use."""
    offer, out = search.offer, []
    tables = [OptionTable(mine) for mine in options]
    reduce = partial(reduce_choices, weights=search.weights) if search.prune else None
    for copies, leaf, one_stage in product(copies_of(search.choose), offer.leaves, (True, False)):
        wanted = [s for s in offer.stages if (s == 1) == one_stage]
        if not wanted:
            continue
        row: list[Choices] = []
        for pool, table in zip(offer.pools, tables, strict=True):
            found = attach(
                pool, table, leaf, copies, offer.links_at("nic_leaf"), offer.economy, one_stage=one_stage, reduce=reduce
            )
            if found is None:
                break
            row.append(found)
        if len(row) == len(offer.pools):
            out += [(s, row) for s in wanted]
    return out


def _entries(search: Search, blocks: Sequence[tuple[int, list[Choices]]], best: float) -> tuple[list[Priced], float]:
    """Templates that can be in an answer no dearer than the best known, and that answer's objective."""
    weights, pressure = search.weights, search.pressure
    queue: list[tuple[float, list[Choices], ShapeRows]] = []
    for stages, every in blocks:
        prices = [pressure.bound.objective(c.terms) for c in every]
        room = pressure.most(best) - sum(float(usd.min()) for usd in prices)
        if room < 0:
            continue
        row = every
        if search.prune:
            fits = pressure.keeping([c.terms for c in every]) if best < math.inf else [True] * len(every)
            row = [c.take((usd - usd.min() <= room) & fit) for c, usd, fit in zip(every, prices, fits, strict=True)]
            if any(c.down.size == 0 for c in row):
                continue
        for found in search.shapes(row, stages, pressure.most(best), search.offer.spines, search.offer.cores):
            queue.append((float(found.least_usd.min()), row, found))
    queue.sort(key=lambda entry: entry[0])
    entries: list[Priced] = []
    for least, row, found in queue:
        most = pressure.most(best)
        if search.prune and least > most:
            break
        for priced in search.priced(row, found.take(found.least_usd <= most), most):
            entries.append(priced)
            if search.prune:
                best = min(best, _try(search, priced, row, [weights.goal]))
    return entries, best


def _try(search: Search, priced: Priced, row: Sequence[Choices], tilts: Sequence[Floats], most: int = 1) -> float:
    """Objective of the best complete selection on the most promising of some templates."""
    best = math.inf
    for at in np.argsort(priced.least_usd, kind="stable")[:most].tolist():
        template = priced.coefficients.template(int(priced.index[at]))
        found = _fill(template, row, search.choose.max_taper, search.pressure, math.inf)
        if found is not None:
            best = min(best, _greedy(search, template, found, tilts))
    return best


def _greedy(search: Search, template: Template, slots: Sequence[Slot], tilts: Sequence[Floats]) -> float:
    """Objective of the best selection among greedy ones; of a lone pool the best that keeps the limits."""
    if len(slots) == 1 and search.weights.limits:
        order = np.argsort(search.weights.objective(slots[0].terms), kind="stable").tolist()
        values = (_value(search, template, slots, [row]) for row in order)
        return next((value for value in values if value < math.inf), math.inf)
    picks = [[int((slot.terms @ tilt).argmin()) for slot in slots] for tilt in tilts]
    return min(_value(search, template, slots, rows) for rows in picks)


@dataclass(frozen=True)
class _Left:
    """One template of an entry, and its lower bound."""

    least_usd: float
    priced: Priced
    index: int


def _shapes_left(entries: Sequence[Priced], most: float) -> list[list[_Left]]:
    """Templates not dearer than ``most``, those of one shape together, the cheapest shapes first."""
    shapes: dict[tuple[int, int], list[_Left]] = {}
    for priced in entries:
        for index, least in zip(priced.index.tolist(), priced.least_usd.tolist(), strict=True):
            if least <= most:
                left = _Left(least, priced, index)
                shapes.setdefault((id(priced.coefficients.rows), index), []).append(left)
    found = [sorted(same, key=lambda left: left.least_usd) for same in shapes.values()]
    return sorted(found, key=lambda same: same[0].least_usd)


def _built(search: Search, same: Sequence[_Left]) -> Iterator[tuple[Template, Sequence[Choices]]]:
    """Templates of one shape that no other of them beats, with their choices."""
    templates = [left.priced.coefficients.template(left.index) for left in same]
    for template in search.reduced(templates):
        yield template, same[0].priced.row


def _fill(
    template: Template, row: Sequence[Choices], max_taper: float, pressure: Pressure, best: float
) -> tuple[Slot, ...] | None:
    """Choices that the template can carry and that can still be in a better answer (None if a pool has none)."""
    carried, shape = [], ShapeRows.of(template.shape)
    for choices in row:
        mask = carries(shape, choices, max_taper)[0] & in_time(template, choices)
        if not mask.any():
            return None
        mine = choices.take(mask)
        carried.append(Slot(mine, template.terms(mine)))
    if template.shape.stages == 1 and not _one_switch(template.shape, carried):
        return None
    leaves = sum(int(slot.choices.leaves.min()) for slot in carried)
    if template.shape.stages > 1 and leaves > template.shape.max_leaves:
        return None
    return tuple(carried) if best == math.inf else _trim(template, carried, pressure, best)


def _trim(template: Template, slots: Sequence[Slot], pressure: Pressure, best: float) -> tuple[Slot, ...] | None:
    """Drop choices whose cheapest completion is dearer than a known answer (None: the whole template is)."""
    leaves = sum(int(slot.choices.leaves.min()) for slot in slots)
    least = template.fixed + template.pods(leaves) * template.per_pod + template.cages(leaves) * template.per_cage
    prices = [pressure.bound.objective(slot.terms) for slot in slots]
    spare = pressure.most(best) - float(pressure.bound.goal @ least) - sum(float(p.min()) for p in prices)
    if spare < 0:
        return None
    out = []
    for slot, price, fit in zip(slots, prices, pressure.keeping([slot.terms for slot in slots], least), strict=True):
        keep = (price - price.min() <= spare) & fit
        if not keep.any():
            return None
        out.append(Slot(slot.choices.take(keep), slot.terms[keep]))
    return tuple(out)


def _one_switch(shape: Shape, slots: Sequence[Slot]) -> bool:
    share = sum(
        float((s.choices.down / np.array([shape.leaf.radix[r] for r in s.choices.rate.tolist()])).min()) for s in slots
    )
    return share <= 1 + NOISE


def _tilts(weights: Weights, options: Sequence[Sequence[Option]]) -> list[Floats]:
    """Objectives for greedy picks: the true one, and some that lean ever more on each limited sum and on all."""
    tilts = [weights.goal]
    if not weights.limits:
        return tilts
    value = sum(float(weights.objective(np.stack([o.terms for o in pool])).min()) for pool in options)
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


def _cheapest(options: Sequence[Sequence[Option]], tilts: Sequence[Floats], most: int = 6) -> list[list[Option]]:
    """Return a few good options of every pool, for a quick first answer."""
    out = []
    for pool in options:
        terms = np.stack([o.terms for o in pool])
        picks = np.unique(np.concatenate([np.argsort(terms @ tilt, kind="stable")[:most] for tilt in tilts]))
        out.append([pool[i] for i in picks.tolist()])
    return out


def _affordable(options: Sequence[Sequence[Option]], pressure: Pressure, best: float) -> list[list[Option]]:
    """Drop options that are dearer than the first answer, or beyond a limit, even beside the best of the other pools.

    Exact: NIC cables and everything above them only add to the objective and to every limited sum.
    """
    terms = [np.stack([o.terms for o in pool]) for pool in options]
    prices = [pressure.bound.objective(rows) for rows in terms]
    room = pressure.most(best) - sum(float(p.min()) for p in prices)
    fits = pressure.keeping(terms) if best < math.inf else [np.ones(len(pool), bool) for pool in options]
    return [
        [
            o
            for o, price, fit in zip(pool, mine.tolist(), mask.tolist(), strict=True)
            if fit and price - mine.min() <= room
        ]
        for pool, mine, mask in zip(options, prices, fits, strict=True)
    ]


def _first_answer(search: Search, options: Sequence[Sequence[Option]]) -> float:
    """Objective of a good complete selection (infinite when the quick search finds none within the limits)."""
    weights, best = search.weights, math.inf
    tilts = _tilts(weights, options)
    blocks = _blocks(search, _cheapest(options, tilts))
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
        for found in search.shapes(quick, stages, best, spines, cores):
            for priced in search.priced(quick, found, best):
                best = min(best, _try(search, priced, quick, tilts, most=4 if weights.limits else 1))
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
    return float(search.weights.goal @ terms)
