"""The most tokens within the limits: one multiplier on every demand, bracketed and shrunk.

A design that serves a demand serves every smaller one with fewer of its domains, so what is possible is a range of
multipliers that starts at 0. A design found at one multiplier uses whole domains: what these achieve, counted
exactly, is served as well. A demand just above that is either served too, or refused by a proof.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from math import inf, nextafter

import numpy as np

from designer.answer import Question, SolveOptions, scaled
from designer.candidates.choices import Attached
from designer.candidates.copies import choose_of
from designer.candidates.mixing import runs
from designer.candidates.pressure import use_of
from designer.candidates.terms import NET_WATTS, RACKS, Floats
from designer.candidates.weights import NOISE, Limit, Weights
from designer.demand.prune import domains_needed, peak_demand
from designer.instance.pools import Pool, pools_of
from designer.solve.clock import Deadline
from designer.solve.exact import holds
from designer.solve.limits import short
from designer.solve.selection import Selection, least
from designer.solve.stock import Stock

# Outside these multipliers nothing is looked for: such demands are not meant.
SMALLEST, _LARGEST = 1e-9, 1e9
# Between probes of a bracket the guess stays away from its ends by this share of it.
_INSIDE = 0.02
# How far into the bracket a guess goes where so much of a limit is used, and a refusal costs little.
_NEAR, _DARING = 0.99, 0.75


@dataclass(frozen=True)
class Most:
    """How far the demand can go: ``served`` at least (0: nothing is known to be), less than ``refused`` (infinite: no
    bound is known). ``selection`` serves ``served``; ``solves`` counts the demands tried; ``settled`` says that the two
    are as close as asked."""

    served: float
    refused: float
    selection: Selection | None
    solves: int
    settled: bool
    interrupted: bool


@dataclass(frozen=True)
class _Probe:
    """``use`` is the largest share of a limit that is needed at least; ``refused`` that no design exists, ``quick``
    that this was seen without the limits."""

    multiplier: float
    selection: Selection | None
    use: float | None
    refused: bool
    quick: bool = False


def most_tokens(
    question: Question,
    stock: Stock,
    options: SolveOptions,
    deadline: Deadline,
    *,
    known_refused: float = inf,
    gap: float | None = None,
) -> Most:
    """Find the largest multiplier on all demands that the limits allow.

    Parameters
    ----------
    question
        The demand at multiplier 1, and the limits.
    stock
        What may be built.
    options
        The gap: multipliers are told apart down to it, relatively.
    deadline
        When to stop; what is known by then is returned.
    known_refused
        A multiplier known to be out of reach.
    gap
        Another gap than that of the options.

    Raises
    ------
    ValueError
        When no limit is set at all: then there is no largest multiplier to be looked for.
    """
    if not stock.weights.limits:
        raise ValueError("the most tokens of a question without any limit")
    search = _Search(question, stock, deadline, max(options.gap if gap is None else gap, 1e-9))
    return search.run(known_refused)


def at_demand(selection: Selection, pools: Sequence[Pool]) -> tuple[tuple[Attached, ...], ...]:
    """The choices of a selection with the replicas that the pools demand, on the same whole domains."""
    return tuple(
        tuple(
            replace(item, option=replace(item.option, replicas=domains_needed(item.option.plan, pool, _share(item))[0]))
            for item in parts
        )
        for parts, pool in zip(selection.items, pools, strict=True)
    )


def _share(item: Attached) -> Fraction:
    """What of the pool's peak a choice serves."""
    return Fraction(*item.option.share)


class _Search:
    """A bracket of multipliers and the limited sums seen at its ends."""

    def __init__(self, question: Question, stock: Stock, deadline: Deadline, gap: float) -> None:
        self.question, self.stock, self.deadline, self.gap = question, stock, deadline, gap
        self.limits = stock.weights.limits
        self.racks = stock.offer.economy.network_rack_watts
        # Much may do without a part that is short: then nothing but the goal tells designs from each other.
        self.free = all(limit.counted for limit in self.limits)
        nothing = np.zeros_like(stock.weights.goal)
        self.lean = sum((use_of(limit, self.racks) / (limit.most or 1.0) for limit in self.limits), start=nothing)
        if self.free:
            self.lean = stock.weights.goal
        self.served, self.served_use = 0.0, 0.0
        self.refused, self.refused_use = inf, inf
        self.selection: Selection | None = None
        self.solves = 0
        self.between = self.below = self.above = 0
        # Whether the last demand was refused without a search within the limits.
        self.quick = False

    def run(self, known_refused: float) -> Most:
        self.refused = known_refused
        guess = 1.0 if known_refused > 1.0 else known_refused / 2
        interrupted = settled = False
        try:
            while not (settled or self.deadline.over):
                self._probe(guess)
                settled = self.refused <= self.served * (1 + self.gap) or self.refused <= SMALLEST
                if self.served >= _LARGEST:
                    break
                guess = self._next()
        except KeyboardInterrupt:
            interrupted = True
        return Most(self.served, self.refused, self.selection, self.solves, settled, interrupted)

    def _next(self) -> float:
        low, high = self.served, self.refused
        if high == inf:
            # Every limited sum grows about as the demand does: the tightest limit says how far it may go. Whole units
            # at their limit say nothing: ever larger strides look for a demand that is too much.
            self.above += 1
            stride = 1 + min(max(0.04 * 2.0**self.above, self.gap), 1.0)
            return low * min(max(1 / self.served_use, stride), 1e3) if self.served_use > 0 else 10 * low
        if low == 0.0:
            # What the tightest limit suggests, and ever larger strides if that stays refused.
            self.below += 1
            stride = 1 - min(0.005 * 2.0**self.below, 0.9)
            return high * min(max(1 / self.refused_use, 1e-3), stride)
        if self.quick and self.served_use > _NEAR and high > low * (1 + 3 * self.gap):
            # Whole units near their limit tell no distance. Too much is seen at once, what is not takes long.
            return low + (high - low) * _DARING
        self.between += 1
        # Every other time just above what is achieved: a refusal there ends the search.
        if self.between % 2 == 0 or high <= low * (1 + 3 * self.gap):
            return low * (1 + self.gap)
        share = 0.5
        if self.served_use < 1.0 < self.refused_use < inf:
            share = (1 - self.served_use) / (self.refused_use - self.served_use)
        return max(low + (high - low) * min(max(share, _INSIDE), 1 - _INSIDE), low * (1 + self.gap))

    def _probe(self, multiplier: float) -> None:
        self.solves += 1
        probe = self._fit(multiplier)
        self.quick = probe.quick
        if probe.selection is not None:
            achieved = max(self._achieved(probe.selection.items), multiplier)
            self.served, self.selection = achieved, probe.selection
            self.served_use = self._used(probe.selection.terms)
            self.between = 1
        elif probe.refused:
            self.refused, self.refused_use = multiplier, inf if probe.use is None else probe.use
        else:
            # Neither a design nor a proof: only running out of time does that.
            self.deadline = Deadline.after(0.0)

    def _fit(self, multiplier: float) -> _Probe:
        """Look for a design within the limits at a multiplier, or for the proof that there is none."""
        asked = replace(self.question, instance=scaled(self.question.instance, multiplier))
        pools = pools_of(asked.instance)
        options, choose = self.stock.options(pools), choose_of(asked.instance)
        if not all(runs(mine, choose.mixed_parts) for mine in options) or short(options, self.limits):
            return _Probe(multiplier, None, None, refused=True)
        count = len(self.limits)
        # Unlimited and therefore quick; a design within every limit uses no more than all of each.
        found = least(self.stock.offer, options, choose, Weights(self.lean, ()), self.deadline)
        zero = self.free or any(limit.most == 0.0 for limit in self.limits)
        if found.settled and found.selection is None:
            return _Probe(multiplier, None, None, refused=True, quick=True)
        if found.bound > count * (1 + NOISE) and not zero:
            return _Probe(multiplier, None, found.bound / count, refused=True, quick=True)
        if found.selection is not None and holds(asked, self.stock.offer, found.selection):
            return _Probe(multiplier, found.selection, None, refused=False)
        ceiling = inf if zero else count * (1 + NOISE)
        best = least(
            self.stock.offer,
            options,
            choose,
            Weights(self.lean, self.limits),
            self.deadline,
            best=ceiling,
            accept=lambda selection: holds(asked, self.stock.offer, selection),
        )
        if best.selection is not None:
            return _Probe(multiplier, best.selection, None, refused=False)
        use = None if found.selection is None else max(self._used(found.selection.terms), 1 + NOISE)
        return _Probe(multiplier, None, use, best.settled)

    def _used(self, terms: Floats) -> float:
        """Largest share of a limit that a complete selection uses."""
        return max(self._share(limit, terms) for limit in self.limits)

    def _share(self, limit: Limit, terms: Floats) -> float:
        used = float(limit.row @ terms)
        if limit.row[RACKS]:
            used += float(terms[NET_WATTS]) / self.racks
        if limit.most == 0.0:
            return inf if used > 0 else 0.0
        return float(used / limit.most)

    def _achieved(self, items: Sequence[Sequence[Attached]]) -> float:
        """Multiplier that the whole domains of a selection serve, as the largest float that is not too much."""
        pools = pools_of(self.question.instance)
        exact = min(
            _capacity(item) / (peak_demand(pool) * _share(item))
            for pool, parts in zip(pools, items, strict=True)
            for item in parts
        )
        multiplier = float(exact)
        while not self._enough(multiplier, items):
            multiplier = nextafter(multiplier, 0.0)
        return multiplier

    def _enough(self, multiplier: float, items: Sequence[Sequence[Attached]]) -> bool:
        pools = pools_of(scaled(self.question.instance, multiplier))
        return all(
            domains_needed(item.option.plan, pool, _share(item))[1] <= item.option.serving
            for pool, parts in zip(pools, items, strict=True)
            for item in parts
        )


def _capacity(item: Attached) -> Fraction:
    """Tokens per second that the whole domains of an option make, spare ones aside, divided as `domains_needed`."""
    plan, domains = item.option.plan, item.option.serving
    per_domain = plan.replicas_per_domain if plan.domains_per_replica == 1 else 0
    replicas = domains * per_domain if per_domain else domains // plan.domains_per_replica
    return replicas * Fraction(repr(plan.tokens_per_s_per_accelerator)) * plan.accelerators_per_replica
