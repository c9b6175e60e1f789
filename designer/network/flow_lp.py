"""The linear program of all routings at once, made small by symmetry where there is some, and never by hope.

One target per class of targets (`Traffic`), one flow per target. Nodes that colour refinement cannot tell apart once
the target is singled out get equal shares of its flow: averaging over such classes keeps the balance of every node and
the total of every class of arcs, as long as the refinement starts from the classes under symmetries (Grohe, Kersting,
Mladenov and Selman, *Dimension reduction via colour refinement*, 2014). Between targets only symmetries count.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.optimize import linprog
from scipy.sparse import coo_array

from designer.network.blend import rate_of_classes
from designer.network.core import Core, Floats
from designer.network.graph import Ints
from designer.network.orbits import Orbits
from designer.network.routing import Traffic

MOST_COLUMNS = 20_000
"""Columns up to which the program is solved."""


@dataclass(frozen=True, eq=False)
class Optimum:
    """An optimal routing and the prices that prove it.

    Parameters
    ----------
    value
        Gb/s per endpoint, as the solver says; the proof is in the other two.
    flows
        (targets, arcs): Gb/s to each target, at one Gb/s per endpoint.
    length
        (classes of arcs,): length of every arc of the class.
    """

    value: float
    flows: Floats
    length: Floats


def refined(core: Core, orbits: Orbits, target: int) -> tuple[Ints, Ints]:
    """Classes of nodes and arcs such that all nodes of one have the same number of arcs of each class.

    The coarsest that are finer than the symmetry classes and single the target out.
    """
    random = np.random.default_rng(0)
    node = np.unique(orbits.of_node * 2 + (np.arange(core.nodes) == target), return_inverse=True)[1].reshape(-1)
    classes = int(node.max()) + 1
    while True:
        arc = _paired(orbits.of_arc, node[core.tail], node[core.head])
        # A sum of random marks tells different collections of arcs apart; the last round compares them exactly.
        salt = random.integers(0, 2**63 - 1, int(arc.max(initial=0)) + 1, dtype=np.int64).astype(np.uint64)
        mark = np.zeros((2, core.nodes), np.uint64)
        np.add.at(mark[0], core.tail, salt[arc])
        np.add.at(mark[1], core.head, salt[arc])
        node = _paired(node, mark[0].view(np.int64), mark[1].view(np.int64))
        if int(node.max()) + 1 == classes:
            break
        classes = int(node.max()) + 1
    arc = _paired(orbits.of_arc, node[core.tail], node[core.head])
    for ends in (core.tail, core.head):
        _check_even(node, arc, ends)
    return node, arc


def _paired(first: Ints, *others: Ints) -> Ints:
    """Number the different combinations from 0."""
    label: Ints = np.unique(first, return_inverse=True)[1].reshape(-1)
    for other in others:
        code = np.unique(other, return_inverse=True)[1].reshape(-1)
        label = np.unique(label * (int(code.max(initial=0)) + 1) + code, return_inverse=True)[1].reshape(-1)
    return label


def _check_even(node: Ints, arc: Ints, ends: Ints) -> None:
    """Assert that every node of a class has the same number of arcs of each class."""
    arcs = int(arc.max(initial=0)) + 1
    pairs, count = np.unique(ends * arcs + arc, return_counts=True)
    at, kind = np.divmod(pairs, arcs)
    total = np.bincount(kind, count, arcs)
    members = np.bincount(node)[node[at]]
    if (count * members != total[kind]).any():
        raise AssertionError("colour refinement ended before its classes were even")


def columns_of(core: Core, orbits: Orbits, traffic: Traffic, limit: int = MOST_COLUMNS) -> int | None:
    """Columns of the program; None as soon as it is plain that they exceed the limit."""
    total = 0
    for target in traffic.targets.tolist():
        if len(orbits.arc_size) + total > limit:
            return None
        total += int(refined(core, orbits, target)[1].max(initial=-1)) + 1
        if total > limit:
            return None
    return total


def best_routing(core: Core, orbits: Orbits, traffic: Traffic) -> Optimum:
    """Solve the program exactly (up to the solver's tolerance; the bounds are recomputed from flows and prices).

    Raises
    ------
    RuntimeError
        When HiGHS does not end with an optimum.
    """
    kinds = len(orbits.arc_size)
    balance: list[coo_array] = []
    demand: list[Floats] = []
    press: list[coo_array] = []
    spread: list[tuple[Ints, Ints]] = []
    for target, times in zip(traffic.targets.tolist(), traffic.times.tolist(), strict=True):
        node, arc = refined(core, orbits, target)
        arcs, nodes = int(arc.max(initial=-1)) + 1, int(node.max()) + 1
        size = np.bincount(arc, minlength=arcs)
        first = np.unique(arc, return_index=True)[1]
        open_ = core.usable(target)[first] & (core.tail[first] != target)
        kept = np.flatnonzero(open_)
        first = first[kept]
        ones, place = np.ones(len(kept)), np.arange(len(kept))
        rows = np.concatenate([node[core.tail[first]], node[core.head[first]]])
        matrix = coo_array((np.concatenate([ones, -ones]), (rows, np.tile(place, 2))), shape=(nodes, len(kept))).tocsr()
        wanted = np.bincount(node, traffic.sends(target), nodes)
        others = np.arange(nodes) != node[target]
        balance.append(matrix[others].tocoo())
        demand.append(wanted[others])
        press.append(coo_array((times * ones, (orbits.of_arc[first], place)), shape=(kinds, len(kept))))
        column = np.full(arcs, -1)
        column[kept] = place
        spread.append((column[arc], size[arc]))
    answer = _solve(balance, demand, press, rate_of_classes(core, orbits) * orbits.arc_size)
    value, columns = float(answer[0]), answer[1]
    flows = np.zeros((len(traffic.targets), core.arcs))
    begin = 0
    for at, (column, size) in enumerate(spread):
        used = column >= 0
        flows[at, used] = columns[begin + column[used]] / size[used]
        begin += balance[at].shape[1]
    return Optimum(value, flows / value if value > 0 else flows, answer[2])


def _solve(
    balance: list[coo_array], demand: list[Floats], press: list[coo_array], room: Floats
) -> tuple[float, Floats, Floats]:
    """Maximise T: out - in = T x demand at every class of nodes, the sum of flows <= room in every class of arcs."""
    widths = np.cumsum([0, *(matrix.shape[1] for matrix in balance)])
    heights = np.cumsum([0, *(matrix.shape[0] for matrix in balance)])
    wide = int(widths[-1]) + 1
    # In units of the largest rate: T and all flows are then near one.
    unit = float(room.max())
    equal = coo_array(
        (
            np.concatenate([*(m.data for m in balance), -np.concatenate(demand)]),
            (
                np.concatenate(
                    [*(m.coords[0] + h for m, h in zip(balance, heights, strict=False)), np.arange(heights[-1])]
                ),
                np.concatenate(
                    [*(m.coords[1] + w for m, w in zip(balance, widths, strict=False)), np.full(heights[-1], wide - 1)]
                ),
            ),
        ),
        shape=(int(heights[-1]), wide),
    )
    limit = coo_array(
        (
            np.concatenate([m.data for m in press]),
            (
                np.concatenate([m.coords[0] for m in press]),
                np.concatenate([m.coords[1] + w for m, w in zip(press, widths, strict=False)]),
            ),
        ),
        shape=(len(room), wide),
    )
    cost = np.zeros(wide)
    cost[-1] = -1.0
    # The stubs of linprog know dense matrices only.
    above: Any = limit.tocsr()
    even: Any = equal.tocsr()
    answer = linprog(
        cost,
        A_ub=above,
        b_ub=room / unit,
        A_eq=even,
        b_eq=np.zeros(int(heights[-1])),
        method="highs",
        options={"primal_feasibility_tolerance": 1e-10, "dual_feasibility_tolerance": 1e-10},
    )
    if answer.status != 0:
        raise RuntimeError(f"the flow program was not solved: {answer.message}")
    assert answer.x is not None and answer.ineqlin.marginals is not None
    prices = np.maximum(-answer.ineqlin.marginals, 0.0)
    return float(answer.x[-1]) * unit, np.maximum(answer.x[:-1], 0.0) * unit, prices
