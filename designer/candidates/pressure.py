"""Prices on limited sums, so that bounds know of the limits (Lagrangian bounds).

For any prices at least 0, a design within the limits whose goal is not above a known answer's costs, goal and priced
use of the limited sums together, no more than that answer's goal and the priced limits. A candidate whose cheapest
completion costs more in that sense cannot be in a better answer. Good prices only make the bound sharp; none are wrong.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from designer.candidates.choices import Option
from designer.candidates.mixing import Mix, completed, least, mix_of
from designer.candidates.reduce import Mask
from designer.candidates.terms import NET_WATTS, RACKS, TERMS, Floats
from designer.candidates.weights import NOISE, Limit, Weights

# Prices tried for one limit, relative to the known goal over the limit; then finer steps around the best.
_GRID = np.concatenate([[0.0], np.logspace(-3, 2, 26)])
_FINER = np.linspace(0.8, 1.25, 10)
# Rounds over all limits: each price is set with the others as they are.
_ROUNDS = 3


@dataclass(frozen=True)
class Pressure:
    """Weights with the prices in their goal, for bounds alone, and what the limits are worth at these prices.

    ``uses`` (limits, len(TERMS)) weigh the limited sums; without a known design within the limits there are none.
    Of a block of pools, ``taken`` (limits,) is what the pools outside use of the limited sums at least, and ``dearer``
    by how much their least in the priced goal is above their least in the true one.
    """

    bound: Weights
    spare: float = 0.0
    uses: Floats = field(default_factory=lambda: np.zeros((0, len(TERMS))), repr=False, compare=False)
    taken: Floats | None = field(default=None, repr=False, compare=False)
    dearer: float = 0.0

    def most(self, best: float) -> float:
        """What a candidate may cost at most, in the priced goal, when a design of goal ``best`` is known."""
        # A goal that leans on a share may be negative.
        return best + abs(best) * self.bound.slack + self.spare

    @property
    def outside(self) -> Floats:
        """What the pools outside a block use of every limited sum at least."""
        return np.zeros(len(self.uses)) if self.taken is None else self.taken

    def keeping(
        self, terms: Sequence[Floats], mixes: Sequence[Mix | None], besides: Floats | None = None
    ) -> list[Mask]:
        """Rows of every pool that keep every limit beside the rows of the other pools that use least of it.

        ``terms[p]`` (n, len(TERMS)) may be mixed by ``mixes[p]``; ``besides`` is a term vector that comes on top.
        """
        most = np.array([limit.room for limit in self.bound.limits])
        if not len(self.uses):
            return [np.ones(len(rows), np.bool_) for rows in terms]
        used = [self.uses @ rows.T for rows in terms]
        low = [least(use, mix) for use, mix in zip(used, mixes, strict=True)]
        others = np.sum(low, axis=0) + (0.0 if besides is None else self.uses @ besides) + self.outside
        room = [most - others + mine for mine in low]
        return [
            np.asarray((completed(use, mix) <= mine[:, None]).all(axis=0))
            for use, mix, mine in zip(used, mixes, room, strict=True)
        ]


def use_of(limit: Limit, network_rack_watts: float) -> Floats:
    """Weights of a limited sum; network racks count by their share of watts, never more than the whole ones."""
    row = np.array(limit.weights)
    if row[RACKS]:
        row[NET_WATTS] = row[RACKS] / network_rack_watts
    return row


def pressure_of(
    options: Sequence[Sequence[Option]], weights: Weights, best: float, network_rack_watts: float, most_parts: int = 1
) -> Pressure:
    """Price the limits by what it costs the options of the pools to keep them.

    Parameters
    ----------
    options
        Options of every pool.
    weights
        Goal and limits.
    best
        Goal of a known design within the limits; with none there is nothing to bound and no price.
    network_rack_watts
        Watts that fill a network rack.
    most_parts
        Most parts of a pool.
    """
    limits = weights.limits
    if not limits or not math.isfinite(best) or best <= 0:
        return Pressure(weights)
    rows = np.stack([use_of(limit, network_rack_watts) for limit in limits])
    most = np.array([limit.most for limit in limits])
    terms = [np.stack([o.terms for o in pool]) for pool in options]
    # Options beyond a limit whatever the others are will go: the prices need not keep them away.
    mixes = [mix_of(pool, most_parts) for pool in options]
    fits = Pressure(weights, 0.0, rows).keeping(terms, mixes)
    pools = [
        (pool[fit] @ weights.goal, pool[fit] @ rows.T, None if mix is None else mix.take(fit))
        for pool, fit, mix in zip(terms, fits, mixes, strict=True)
        if fit.any()
    ]
    # A limited share has nothing to be relative to but what its accelerators use for and against it.
    typical = sum(np.abs(use).max(axis=0) for _, use, _ in pools)
    unit = best / np.where(most > 0, most, np.where([x.share is not None for x in limits], typical + 1.0, 1.0))
    prices = np.zeros(len(limits))

    def worth(trial: Floats) -> float:
        return sum(float(least(goal + use @ trial, mix)) for goal, use, mix in pools) - float(trial @ most)

    for turn in range(_ROUNDS):
        for k in range(len(limits)):
            steps = unit[k] * _GRID if turn == 0 else np.append(prices[k] * _FINER, 0.0)
            trials = np.tile(prices, (steps.size, 1))
            trials[:, k] = steps
            prices = trials[int(np.argmax([worth(trial) for trial in trials]))]
    spare = float(prices @ most) + float(prices @ np.array([limit.noise for limit in limits]))
    # The sums are floats: a little more room than exact arithmetic would leave.
    return Pressure(replace(weights, goal=weights.goal + prices @ rows), spare + NOISE * (abs(spare) + best), rows)


def priced(weights: Weights, uses: Floats, prices: Floats, best: float) -> Pressure:
    """Weights under prices (limits,) on the limited sums; ``best`` is the goal of a known design, for its noise."""
    most = np.array([limit.most + limit.noise for limit in weights.limits])
    spare = float(prices @ most)
    # The sums are floats: a little more room than exact arithmetic would leave.
    return Pressure(replace(weights, goal=weights.goal + prices @ uses), spare + NOISE * (abs(spare) + abs(best)), uses)
