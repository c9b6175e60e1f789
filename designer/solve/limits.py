"""Limits: a good answer within them to prune by, or the proof that one of them alone is out of reach.

Pruning needs a complete design that respects every limit. Minimising the objective tilted towards the limited
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
from designer.candidates.space import build_space, total, within
from designer.candidates.terms import NET_WATTS, RACKS, TERMS, Floats
from designer.candidates.weights import Limit, Weights
from designer.instance.schema import Choose
from designer.solve.compile import compile_model
from designer.solve.highs import Termination, solve_milp
from designer_models import build_fabric_choice

# How strongly the tilted objectives lean on the limited terms, relative to the whole cost.
_LEANINGS = (0.03, 0.1, 0.3, 1.0, 3.0, 10.0)


@dataclass(frozen=True)
class Reach:
    """What the limits allow: objective of a design within all of them (infinite if none was met), and the limits that
    no design meets even alone, each with its least value."""

    best_usd: float
    beyond: tuple[tuple[Limit, float], ...]


def reach(offer: Offer, options: Sequence[Sequence[Option]], choose: Choose, weights: Weights) -> Reach:
    """Look for a design within the limits and for limits that are out of reach by themselves.

    Parameters
    ----------
    offer, options, choose
        As for `build_space`.
    weights
        The true objective and the limits.
    """
    economy = offer.economy
    best, beyond = math.inf, []
    plain = _least(offer, options, choose, weights.usd)
    if plain is None:
        return Reach(best, ())
    terms, _ = plain
    value = float(weights.usd @ terms)
    if within(weights, terms, economy.network_rack_watts):
        return Reach(value, ())
    lean = np.zeros_like(weights.usd)
    for limit in weights.limits:
        row = _row(limit, economy.network_rack_watts)
        found = _least(offer, options, choose, row)
        if found is None:
            continue
        terms, least = found
        most = limit.most
        if limit.term == RACKS:
            least = math.ceil(least - 1e-9)
        if least > most * (1 + 1e-9):
            beyond.append((limit, least))
        lean += row / (limit.most if limit.most > 0 else 1.0)
        if within(weights, terms, economy.network_rack_watts):
            best = min(best, float(weights.usd @ terms))
    if beyond:
        return Reach(math.inf, tuple(beyond))
    for share in _LEANINGS:
        found = _least(offer, options, choose, weights.usd + share * value * lean)
        if found is not None and within(weights, found[0], economy.network_rack_watts):
            best = min(best, float(weights.usd @ found[0]))
            break
    return Reach(best, ())


def _row(limit: Limit, network_rack_watts: float) -> Floats:
    row = np.zeros(len(TERMS))
    row[limit.term] = 1.0
    if limit.term == RACKS:
        # Shares of network racks: never more than the whole ones that are counted.
        row[NET_WATTS] = 1.0 / network_rack_watts
    return row


def _least(
    offer: Offer, options: Sequence[Sequence[Option]], choose: Choose, usd: Floats
) -> tuple[Floats, float] | None:
    """Term vector and value of the design that minimises a linear objective without limits (None: no design)."""
    space = build_space(offer, options, choose, Weights(usd, ()), prune=True)
    if not space.templates:
        return None
    stated = build_fabric_choice(space)
    milp = compile_model(stated.model)
    report = solve_milp(milp, gap=1e-9)
    if report.termination is Termination.INTERRUPTED:
        raise KeyboardInterrupt
    if report.values is None or report.objective is None:
        return None
    value = {id(column): x for column, x in zip(milp.columns, report.values.tolist(), strict=True)}
    chosen = {p: (f, i) for p, f, i in stated.keys if value.get(id(stated.model.choice[p, f, i]), 0.0) > 0.5}
    f = chosen[0][0]
    terms = total(space.templates[f], space.slots[f], [chosen[p][1] for p in range(len(space.pools))])
    bound = report.bound if report.bound is not None else report.objective
    return terms, bound
