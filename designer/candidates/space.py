"""All candidates of a question: pool choices per leaf type and the fabric templates that can carry them."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

import numpy as np

from designer.candidates.blast import surviving
from designer.candidates.blocks import Attachments, Filled, Narrowed
from designer.candidates.branches import Branch
from designer.candidates.choices import Option
from designer.candidates.dominance import reduce_options
from designer.candidates.mixing import completed, mix_of, runs, splits
from designer.candidates.mixing import least as least_of
from designer.candidates.offer import Offer
from designer.candidates.parted import Parted
from designer.candidates.parting import Block, CutShortError, Fabric, blocks_of
from designer.candidates.points import PointsOf
from designer.candidates.pressure import Pressure, pressure_of
from designer.candidates.rack_cases import Case, cases_of, rows_of
from designer.candidates.reduce import Mask
from designer.candidates.search import Search
from designer.candidates.slots import Slot
from designer.candidates.templates import Template
from designer.candidates.terms import Floats
from designer.candidates.weights import Weights
from designer.instance.schema import Choose

# Fabrics looked at for what they use of the limits besides the pools, and options of every pool to find them with.
_PROBES, _FEW = 2, 2
# Ways to share all pools out among parts that are looked at one by one.
_WAYS = 64

Found = list[dict[Block, list[Filled]]]


@dataclass(frozen=True)
class Space:
    """The candidates of a question.

    Template ``f`` is a fabric for the block of pools ``blocks[f]``, places in ``pools``; ``slots[f][j]`` belongs to it
    and to the pool at ``blocks[f][j]``. ``best`` is the goal of the best complete answer that the search
    itself found, ``answer`` that answer.
    """

    pools: tuple[str, ...]
    templates: tuple[Template, ...]
    blocks: tuple[Block, ...]
    slots: tuple[tuple[Slot, ...], ...]
    weights: Weights
    network_rack_watts: float
    enumerated_options: int
    enumerated_templates: int
    best: float = math.inf
    answer: tuple[Fabric, ...] = ()

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
    work = _work(offer, options, choose, weights, prune, late)
    branching = prune and limitable(options, choose, weights)
    with _stoppable(work):
        kept = _kept(work.search, options)
        if prune and _all_run(kept, choose) and (best == math.inf or not branching):
            work.first_answers(kept, best)
        best = min(best, work.known.best)
        if not branching or best == math.inf:
            return _assembled(work, options, _found(work, kept, best))
    return Limited(offer, options, choose, weights, late=late).space(best)


def limitable(options: Sequence[Sequence[Option]], choose: Choose, weights: Weights) -> bool:
    """Whether the options can be searched within the limits by branches (`Limited`): all pools run, in not too many
    ways."""
    if not weights.limits or not _all_run(options, choose):
        return False
    return math.prod(len(splits(pool, choose.mixed_parts)) for pool in options) <= _WAYS


def _all_run(options: Sequence[Sequence[Option]], choose: Choose) -> bool:
    return all(runs(pool, choose.mixed_parts) for pool in options)


def _work(
    offer: Offer,
    options: Sequence[Sequence[Option]],
    choose: Choose,
    weights: Weights,
    prune: bool,
    late: Callable[[], bool],
) -> Parted:
    timed = any(option.plan.latency_allowance_us is not None for pool in options for option in pool)
    search = Search(offer, choose, weights, prune, Pressure(weights), timed, late)
    return Parted(search, blocks_of(offer.works, private=choose.private_fabrics, apart=offer.apart))


@contextmanager
def _stoppable(work: Parted) -> Iterator[None]:
    """Turn the end of the search by the clock or a person into what it knows by then."""
    try:
        yield
    except (TimeoutError, KeyboardInterrupt) as stopped:
        known, interrupted = work.known, isinstance(stopped, KeyboardInterrupt)
        raise CutShortError(known.answer, known.found_best, interrupted=interrupted) from None


def _assembled(work: Parted, options: Sequence[Sequence[Option]], found: Found) -> Space:
    every = [(block, *one) for part in found for block, filled in part.items() for one in filled]
    return Space(
        pools=work.search.offer.pools,
        templates=tuple(template for _, template, _ in every),
        blocks=tuple(block for block, _, _ in every),
        slots=tuple(slots for _, _, slots in every),
        weights=work.search.weights,
        network_rack_watts=work.search.offer.economy.network_rack_watts,
        enumerated_options=sum(len(pool) for pool in options),
        enumerated_templates=work.enumerated,
        best=work.known.found_best,
        answer=work.known.answer,
    )


def _kept(search: Search, options: Sequence[Sequence[Option]]) -> list[list[Option]]:
    """The options that a single failure leaves and, of these, that no other beats."""
    economy, choose = search.offer.economy, search.choose
    kept = [surviving(pool, economy.single_failure) for pool in options]
    if not search.prune or not _all_run(kept, choose):
        return kept
    rails = any(number > 1 for number in choose.scale_out_rails)
    # A pinned taper asks for certain numbers below a leaf, a grid for certain numbers of leaves: no fewer.
    exact = economy.taper is not None or any(kind != "tree" for kind in search.offer.shapes)
    blasts = economy.single_failure is not None
    return [reduce_options(pool, search.weights, rails=rails, blasts=blasts, exact=exact) for pool in kept]


def _found(work: Parted, kept: list[list[Option]], best: float) -> Found:
    """The candidates of every block that are no dearer than the best known answer."""
    search, parts = work.search, work.search.choose.mixed_parts
    if search.prune and _all_run(kept, search.choose):
        pressure = pressure_of(kept, search.weights, best, search.offer.economy.network_rack_watts, parts)
        # Floors of links hold for one goal; the pairs of link rows worth having do not hang on it.
        work.search = replace(search, pressure=pressure, known_floors={})
        kept = _affordable(kept, pressure, best, parts)
    work.known.best = best
    if not _all_run(kept, search.choose):
        return []
    work.run(kept, Attachments(work.search, kept))
    return [work.left()]


class Limited:
    """The search within limits under any ceiling; what hangs on none is made once.

    Exact: every complete answer of what the reductions left is in one branch of the options (`Knapsack`), each with
    prices on the limits of its own, or is dearer than the ceiling; with a limit on racks in one for every number of
    network racks (`rack_cases`).

    Parameters
    ----------
    offer, options, choose, weights, late
        As for `build_space`, where `limitable` says so.

    Raises
    ------
    CutShortError
        When it is time to stop, or a person stopped the search.
    """

    def __init__(
        self,
        offer: Offer,
        options: Sequence[Sequence[Option]],
        choose: Choose,
        weights: Weights,
        *,
        late: Callable[[], bool] = lambda: False,
    ) -> None:
        self._every, self._work = options, _work(offer, options, choose, weights, True, late)
        search = self._work.search
        self._options = _kept(search, options)
        self._attachments = Attachments(search, self._options)
        watts = offer.economy.network_rack_watts
        with _stoppable(self._work):
            points = PointsOf(self._attachments, search, rows_of(weights, watts))
            pools = [points(place) for place in range(len(options))]
            ways = [splits(pool, choose.mixed_parts) for pool in self._options]
            self._cases = cases_of(weights, watts, pools, ways)
            for case in self._cases:
                for _ in range(_PROBES):
                    self._probe(case)

    @property
    def least(self) -> float:
        """What any answer costs at least; infinite where the limits cannot be kept."""
        return min((branch.least for _, branch in self._branches(math.inf)), default=math.inf)

    def _branches(self, ceiling: float) -> list[tuple[Case, Branch]]:
        """The branches of all cases, those of the least bound first."""
        found = [(case, branch) for case in self._cases for branch in case.knapsack.branches(ceiling)]
        return sorted(found, key=lambda one: one[1].least)

    def _probe(self, case: Case) -> None:
        """Learn from a fabric what no point knows of: whole boxes, pods and cages use of the limits too."""
        branch = next(iter(case.knapsack.branches(math.inf)), None)
        if branch is None:
            return
        few = case.knapsack.cheapest(branch, _FEW)
        part = self._work.part(case.pressure(branch, branch.least))
        fabrics = part.probe(self._of(few), Narrowed(self._attachments, few))
        places = [{id(option): place for place, option in enumerate(pool)} for pool in self._options]
        for fabric in fabrics:
            chosen = [(p, places[p][id(item.option)]) for p, parts in enumerate(fabric.items) for item in parts]
            beyond = case.uses @ fabric.terms - case.knapsack.use(chosen, branch.prices)
            case.knapsack.reserve(np.maximum(beyond, 0.0))

    def _of(self, masks: Sequence[Mask]) -> list[list[Option]]:
        """The options of masks."""
        return [
            [pool[i] for i in np.flatnonzero(mask).tolist()] for pool, mask in zip(self._options, masks, strict=True)
        ]

    def value(self, terms: Floats) -> float:
        """The goal of a term vector."""
        return float(self._work.search.weights.goal @ terms)

    def space(self, ceiling: float) -> Space:
        """All candidates that can be in an answer of at most ``ceiling``."""
        with _stoppable(self._work):
            return _assembled(self._work, self._every, self._found(ceiling))

    def _found(self, ceiling: float) -> Found:
        work, known = self._work, self._work.known
        known.best, work.enumerated = min(ceiling, known.found_best), 0
        parts = []
        for case, branch in self._branches(work.search.pressure.most(known.best)):
            if branch.least > work.search.pressure.most(known.best):
                break
            part = work.part(case.pressure(branch, known.best))
            part.run(self._of(branch.options), Narrowed(self._attachments, branch.options))
            parts.append(part)
            work.enumerated += part.enumerated
        return [part.left() for part in parts]


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
