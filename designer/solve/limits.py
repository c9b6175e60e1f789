"""Limits: a good answer within them to prune by, or the proof that one of them alone is out of reach.

Pruning needs a complete design that respects every limit. Minimising the goal tilted towards the limited
terms, without any limit, is a quick pruned solve; the least value of one limited term alone settles whether that
limit can be met at all.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from designer.candidates.choices import Option
from designer.candidates.mixing import Mix, mix_of
from designer.candidates.mixing import least as least_of
from designer.candidates.offer import Offer
from designer.candidates.pressure import use_of
from designer.candidates.terms import RACKS, Floats
from designer.candidates.weights import Limit, Weights
from designer.instance.schema import Choose
from designer.solve.clock import Deadline
from designer.solve.selection import Least, Selection, least

# How strongly the tilted goals lean on the limited terms, relative to the whole goal.
_LEANINGS = (0.03, 0.1, 0.3, 1.0, 3.0, 10.0)


@dataclass(frozen=True)
class Reach:
    """What the limits allow.

    ``best`` is the goal of a design within all of them (infinite if none was met), ``selection`` that design where it
    was looked for here; ``beyond`` are the limits that no design meets even alone, each with its least value;
    ``excluded`` says that no options of the pools keep all of them together.
    ``interrupted`` says that a person stopped the search.
    """

    best: float
    beyond: tuple[tuple[Limit, float], ...]
    selection: Selection | None = None
    interrupted: bool = False
    excluded: bool = False


def reach(
    offer: Offer,
    options: Sequence[Sequence[Option]],
    choose: Choose,
    weights: Weights,
    deadline: Deadline,
    keeps: Callable[[Selection], bool],
) -> Reach:
    """Look for a design within the limits and for limits that are out of reach by themselves.

    Parameters
    ----------
    offer, options, choose
        As for `build_space`.
    weights
        The true goal and the limits.
    deadline
        When to stop looking; what is said then is still true.
    keeps
        Whether a selection keeps every limit.
    """
    used = _counted_use(options, weights.limits)
    beyond = _too_much(used)
    if beyond:
        return Reach(math.inf, tuple(beyond))
    look = _Look(offer, options, choose, weights, deadline, keeps)
    try:
        return look.run(_leaning(used, weights.goal))
    except KeyboardInterrupt:
        return Reach(look.best, (), look.chosen, interrupted=True)


class _Look:
    """Quick solves without limits, and the best of their selections that keeps every limit."""

    def __init__(
        self,
        offer: Offer,
        options: Sequence[Sequence[Option]],
        choose: Choose,
        weights: Weights,
        deadline: Deadline,
        keeps: Callable[[Selection], bool],
    ) -> None:
        self.weights, self.deadline, self.racks = weights, deadline, offer.economy.network_rack_watts
        self._keeps = keeps
        self._offer, self._options, self._choose = offer, options, choose
        self.best = math.inf
        self.chosen: Selection | None = None

    def run(self, lean: Floats) -> Reach:
        """Try the goal, every limited sum alone, and goals between; ``lean`` is on limits of units and shares."""
        goal = self.weights.goal
        beyond: list[tuple[Limit, float]] = []
        plain = self._least(goal)
        if plain.selection is None or self.chosen is not None:
            return Reach(self.best, (), self.chosen)
        for limit in (limit for limit in self.weights.limits if not limit.counted):
            if self.deadline.over:
                break
            row = use_of(limit, self.racks)
            found = self._least(row)
            if found.selection is None:
                continue
            low = math.ceil(found.bound - 1e-9) if limit.row[RACKS] else found.bound
            if low > limit.most * (1 + 1e-9):
                beyond.append((limit, low))
            lean = lean + row / (limit.most if limit.most > 0 else 1.0)
        if beyond:
            return Reach(math.inf, tuple(beyond))
        self._leaning(float(goal @ plain.selection.terms), lean)
        return Reach(self.best, (), self.chosen)

    def _least(self, goal: Floats) -> Least:
        """Minimise a goal without limits; keep the selection if it respects them and is better than those before."""
        found = least(self._offer, self._options, self._choose, Weights(goal, ()), self.deadline)
        if found.selection is not None and self._keeps(found.selection):
            value = float(self.weights.goal @ found.selection.terms)
            if value < self.best:
                self.best, self.chosen = value, found.selection
        return found

    def _leaning(self, value: float, lean: Floats) -> None:
        """Lean ever more on the limits until they are kept."""
        for share in _LEANINGS:
            if self.deadline.over:
                break
            # A goal of 0 leaves nothing to lean on relative to it.
            found = self._least(self.weights.goal + share * (value or 1.0) * lean)
            if found.selection is not None and self._keeps(found.selection):
                break


def short(options: Sequence[Sequence[Option]], limits: Sequence[Limit]) -> list[tuple[Limit, float]]:
    """Limits on units and shares that no options of the pools keep, with the least use: what joins them only adds.

    No model is solved for these: where much does without a part, nothing tells one design from the other.
    """
    return _too_much(_counted_use(options, limits))


def _counted_use(
    options: Sequence[Sequence[Option]], limits: Sequence[Limit]
) -> list[tuple[Limit, list[tuple[Floats, Mix | None]]]]:
    """What the options of every pool use of the limits on units and shares, and how they may be mixed."""
    counted = [limit for limit in limits if limit.counted]
    # Of any number of parts: that is no more than of as many as may be.
    terms = [(np.stack([o.terms for o in pool]), mix_of(pool)) for pool in options] if counted else []
    return [(limit, [(rows @ limit.row, mix) for rows, mix in terms]) for limit in counted]


def _too_much(used: Sequence[tuple[Limit, list[tuple[Floats, Mix | None]]]]) -> list[tuple[Limit, float]]:
    least_use = [(limit, sum(float(least_of(use, mix)) for use, mix in pools)) for limit, pools in used]
    return [(limit, low) for limit, low in least_use if low > limit.room]


def _leaning(used: Sequence[tuple[Limit, list[tuple[Floats, Mix | None]]]], goal: Floats) -> Floats:
    """A goal that leans on the limits on units and shares, measured by what the pools use where none is allowed."""
    lean = np.zeros_like(goal)
    for limit, pools in used:
        lean += limit.row / (limit.most or sum(float(np.abs(use).max()) for use, _ in pools) or 1.0)
    return lean
