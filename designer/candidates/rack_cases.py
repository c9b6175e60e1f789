"""Whole network racks, number by number: a limit on racks is one on the racks of accelerators and on network watts.

Prices know a network rack by its share of watts, and so half of one as half of what it takes. Held apart, answers with
one network rack, with two and so on have limits that prices do know.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from designer.candidates.branches import Branch, Knapsack
from designer.candidates.points import Points
from designer.candidates.pressure import Pressure, priced, use_of
from designer.candidates.reduce import Mask
from designer.candidates.terms import NET_WATTS, RACKS, Floats
from designer.candidates.weights import NOISE, Limit, Weights, unit_vector

# Numbers of network racks held apart at most, and by how much that must lift what the others cost at least.
_MOST, _WORTH = 4, 2e-4


@dataclass(frozen=True)
class Case:
    """The answers with some numbers of network racks: limits, their ``uses`` (limits, columns) and their knapsack."""

    weights: Weights
    uses: Floats
    knapsack: Knapsack

    def pressure(self, branch: Branch, best: float) -> Pressure:
        """The prices of a branch; ``best`` is the goal of a known design, for its noise."""
        return priced(self.weights, self.uses, branch.prices, best)


def rows_of(weights: Weights, network_rack_watts: float) -> Floats:
    """Weights on term vectors that the cases know: the goal, every limited sum, and what racks are made of."""
    rows = [weights.goal, *(use_of(limit, network_rack_watts) for limit in weights.limits)]
    racks = next((limit for limit in weights.limits if limit.row[RACKS]), None)
    if racks is not None:
        rows += [racks.row, _network_row(racks, network_rack_watts)]
    return np.stack(rows)


def cases_of(
    weights: Weights, network_rack_watts: float, pools: Sequence[Points], ways: Sequence[Sequence[tuple[Mask, ...]]]
) -> list[Case]:
    """The cases that hold every answer: one without a limit on racks, else one for each number of network racks.

    Exact: an answer with ``k`` network racks has accelerators in no more than what they leave, and no more network
    watts than fill them; the last case is of all higher numbers. Numbers are held apart only as long as the higher ones
    cost more: where racks are plenty, all are one case.

    Parameters
    ----------
    weights
        Goal and limits.
    network_rack_watts
        What a network rack may draw.
    pools
        What the options of every pool add at least to `rows_of`.
    ways
        The ways to run every pool.
    """
    racks = next((limit for limit in weights.limits if limit.row[RACKS]), None)
    rows = rows_of(weights, network_rack_watts)[1:]
    if racks is None:
        return [_case(weights, weights.limits, rows, pools, ways)]
    unit = float(racks.row[RACKS])
    shares = sum(float(p.values[:, -1].min(initial=math.inf)) for p in pools) / unit
    fewest = math.ceil(shares - NOISE) if shares < math.inf else 0
    found: list[Case] = []
    rest = _case(weights, (*weights.limits, _left(racks, fewest)), rows[:-1], pools, ways)
    while len(found) + 1 < _MOST:
        further = _case(weights, (*weights.limits, _left(racks, fewest + 1)), rows[:-1], pools, ways)
        least = rest.knapsack.least
        if not further.knapsack.least > least + _WORTH * abs(least):
            break
        filled = replace(racks, weights=tuple(_network_row(racks, network_rack_watts).tolist()), most=unit * fewest)
        found.append(_case(weights, (*weights.limits, _left(racks, fewest), filled), rows, pools, ways))
        rest, fewest = further, fewest + 1
    return [*found, rest]


def _left(racks: Limit, whole: int) -> Limit:
    """What so many network racks leave to the racks of accelerators."""
    return replace(racks, most=racks.most - float(racks.row[RACKS]) * whole)


def _network_row(racks: Limit, network_rack_watts: float) -> Floats:
    return np.asarray(unit_vector(NET_WATTS, len(racks.weights)) * (racks.row[RACKS] / network_rack_watts))


def _case(
    weights: Weights,
    limits: tuple[Limit, ...],
    rows: Floats,
    pools: Sequence[Points],
    ways: Sequence[Sequence[tuple[Mask, ...]]],
) -> Case:
    mine = [replace(p, values=p.values[:, : 1 + len(limits)]) for p in pools]
    most = np.array([limit.room for limit in limits])
    return Case(replace(weights, limits=limits), rows, Knapsack(mine, most, ways))
