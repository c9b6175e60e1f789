"""Limits: a good answer within them to prune by, or the proof that one of them alone is out of reach.

Pruning needs a complete design that respects every limit. Minimising the goal tilted towards the limited
terms, without any limit, is a quick pruned solve; the least value of one limited term alone settles whether that
limit can be met at all.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from designer.candidates.choices import Option
from designer.candidates.offer import Offer
from designer.candidates.parting import within
from designer.candidates.pressure import use_of
from designer.candidates.terms import RACKS, Floats
from designer.candidates.weights import Limit, Weights
from designer.instance.schema import Choose
from designer.solve.clock import Deadline
from designer.solve.selection import least

# How strongly the tilted goals lean on the limited terms, relative to the whole goal.
_LEANINGS = (0.03, 0.1, 0.3, 1.0, 3.0, 10.0)


@dataclass(frozen=True)
class Reach:
    """What the limits allow.

    ``best`` is the goal of a design within all of them (infinite if none was met); ``beyond`` are the limits that no
    design meets even alone, each with its least value.
    """

    best: float
    beyond: tuple[tuple[Limit, float], ...]


def reach(
    offer: Offer, options: Sequence[Sequence[Option]], choose: Choose, weights: Weights, deadline: Deadline
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
    """
    racks = offer.economy.network_rack_watts
    best, used = math.inf, _counted_use(options, weights.limits)
    beyond, lean = _too_much(used), _leaning(used, weights.goal)
    if beyond:
        return Reach(best, tuple(beyond))
    plain = least(offer, options, choose, Weights(weights.goal, ()), deadline)
    if plain.selection is None:
        return Reach(best, ())
    terms = plain.selection.terms
    value = float(weights.goal @ terms)
    if within(weights, plain.selection.each, racks):
        return Reach(value, ())
    for limit in (limit for limit in weights.limits if not limit.counted):
        row = use_of(limit, racks)
        if deadline.over:
            return Reach(best, tuple(beyond))
        found = least(offer, options, choose, Weights(row, ()), deadline)
        if found.selection is None:
            continue
        low = math.ceil(found.bound - 1e-9) if limit.row[RACKS] else found.bound
        if low > limit.most * (1 + 1e-9):
            beyond.append((limit, low))
        lean += row / (limit.most if limit.most > 0 else 1.0)
        if within(weights, found.selection.each, racks):
            best = min(best, float(weights.goal @ found.selection.terms))
    if beyond:
        return Reach(math.inf, tuple(beyond))
    for share in _LEANINGS:
        if deadline.over:
            break
        # A goal of 0 leaves nothing to lean on relative to it.
        tilted = Weights(weights.goal + share * (value or 1.0) * lean, ())
        found = least(offer, options, choose, tilted, deadline)
        if found.selection is not None and within(weights, found.selection.each, racks):
            best = min(best, float(weights.goal @ found.selection.terms))
            break
    return Reach(best, ())


def short(options: Sequence[Sequence[Option]], limits: Sequence[Limit]) -> list[tuple[Limit, float]]:
    """Limits on units and shares that no options of the pools keep, with the least use: what joins them only adds.

    No model is solved for these: where much does without a part, nothing tells one design from the other.
    """
    return _too_much(_counted_use(options, limits))


def _counted_use(options: Sequence[Sequence[Option]], limits: Sequence[Limit]) -> list[tuple[Limit, list[Floats]]]:
    """What the options of every pool use of the limits on units and shares."""
    counted = [limit for limit in limits if limit.counted]
    terms = [np.stack([o.terms for o in pool]) for pool in options] if counted else []
    return [(limit, [rows @ limit.row for rows in terms]) for limit in counted]


def _too_much(used: Sequence[tuple[Limit, list[Floats]]]) -> list[tuple[Limit, float]]:
    least_use = [(limit, sum(float(use.min()) for use in pools)) for limit, pools in used]
    return [(limit, low) for limit, low in least_use if low > limit.room]


def _leaning(used: Sequence[tuple[Limit, list[Floats]]], goal: Floats) -> Floats:
    """A goal that leans on the limits on units and shares, measured by what the pools use where none is allowed."""
    lean = np.zeros_like(goal)
    for limit, pools in used:
        lean += limit.row / (limit.most or sum(float(np.abs(use).max()) for use in pools) or 1.0)
    return lean
