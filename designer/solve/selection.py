"""One selection of candidates out of a solved model, and the quick solves that only look for one."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from designer.candidates.choices import Attached, Option
from designer.candidates.offer import Offer
from designer.candidates.parting import CutShortError, Fabric
from designer.candidates.slots import parts_of, total
from designer.candidates.space import Limited, Space, build_space, limitable
from designer.candidates.templates import Joined
from designer.candidates.terms import Floats
from designer.candidates.weights import Weights
from designer.instance.schema import Choose
from designer.solve.clock import Deadline
from designer.solve.compile import Milp, compile_model
from designer.solve.highs import SolverReport, Termination, solve_milp
from designer_models import FabricChoice, build_fabric_choice, forbid

# How far above the least bound an answer is looked for first; how much further if there is none, and how far at most.
_ABOVE, _FURTHER, _HIGHEST = 0.002, 1.4, 0.3
# Templates below a ceiling that are quickly looked through.
FEW = 200


@dataclass(frozen=True)
class Selection:
    """The fabrics and the choices of every pool, one or of a mixed pool its parts in their order, with the term vector
    (len(TERMS),) of each fabric and its pools.
    """

    fabrics: tuple[Joined, ...]
    items: tuple[tuple[Attached, ...], ...]
    each: tuple[Floats, ...]

    @property
    def terms(self) -> Floats:
        """The term vector of all together."""
        return np.asarray(sum(self.each))


@dataclass(frozen=True)
class Least:
    """What a quick solve found: a selection (None: none is known) and a proven lower bound of the goal.

    ``settled`` says that the search was complete: without a selection there is none.
    """

    selection: Selection | None
    bound: float
    settled: bool


def chosen_keys(stated: FabricChoice, milp: Milp, report: SolverReport) -> list[tuple[int, int, int]]:
    """Pool, template and choice of every column at 1."""
    assert report.values is not None
    value = {id(column): x for column, x in zip(milp.columns, report.values.tolist(), strict=True)}
    return [key for key in stated.keys if value.get(id(stated.model.choice[key]), 0.0) > 0.5]


def selection_of(space: Space, keys: Sequence[tuple[int, int, int]]) -> Selection:
    """Look the chosen candidates up."""
    chosen: dict[int, list[tuple[int, int]]] = {}
    for p, f, i in keys:
        chosen.setdefault(p, []).append((f, i))
    items: dict[int, tuple[Attached, ...]] = {}
    fabrics: list[Joined] = []
    each: list[Floats] = []
    # In the order of the first pool on each, as a design numbers its fabrics.
    for f in dict.fromkeys(chosen[p][0][0] for p in sorted(chosen)):
        template, block, slots = space.templates[f], space.blocks[f], space.slots[f]
        rows = [[row for _, row in chosen[p]] for p in block]
        items |= {p: parts_of(slot, mine) for p, slot, mine in zip(block, slots, rows, strict=True)}
        fabrics.append(Joined(template, block))
        each.append(total(template, slots, rows))
    return Selection(tuple(fabrics), tuple(items[p] for p in range(len(space.pools))), tuple(each))


def selection_from(answer: Sequence[Fabric]) -> Selection | None:
    """The selection of an answer that the search itself knows (None: it knows none)."""
    if not answer:
        return None
    # In the order of the first pool on each, as a design numbers its fabrics.
    fabrics = sorted(answer, key=lambda fabric: fabric.block)
    items = {p: item for fabric in fabrics for p, item in zip(fabric.block, fabric.items, strict=True)}
    return Selection(
        tuple(Joined(fabric.template, fabric.block) for fabric in fabrics),
        tuple(items[p] for p in sorted(items)),
        tuple(fabric.terms for fabric in fabrics),
    )


def least(
    offer: Offer,
    options: Sequence[Sequence[Option]],
    choose: Choose,
    weights: Weights,
    deadline: Deadline,
    *,
    best: float = math.inf,
    accept: Callable[[Selection], bool] | None = None,
) -> Least:
    """Minimise a goal under its limits in one pruned solve.

    Parameters
    ----------
    offer, options, choose, weights
        As for `build_space`.
    deadline
        When to stop.
    best
        A ceiling: selections above it are of no use.
    accept
        Says in exact arithmetic whether a selection keeps the limits; those that do not are forbidden one by one.
    """
    late = partial(_over, deadline)
    try:
        if limitable(options, choose, weights):
            found = _under_limits(Limited(offer, options, choose, weights, late=late), best, deadline, accept)
            if found is not None:
                return found
        space = build_space(offer, options, choose, weights, prune=True, best=best, late=late)
    except CutShortError as cut:
        if cut.interrupted:
            raise KeyboardInterrupt from None
        known = selection_from(cut.answer)
        return Least(known if known is None or accept is None or accept(known) else None, 0.0, settled=False)
    return solved(space, deadline, accept)


def _over(deadline: Deadline) -> bool:
    return deadline.over


def ceilings(low: float, best: float, few: Callable[[], bool] = lambda: False) -> Iterator[float]:
    """Rising ceilings above the least bound of a question with limits, up to the ``best`` known value.

    ``few`` says that there was little below the last one: then two steps are taken at once.
    """
    share = _ABOVE
    while share < _HIGHEST and low + share * abs(low) < best:
        yield low + share * abs(low)
        share *= _FURTHER ** (2 if few() else 1)
    if best < math.inf:
        yield best


def next_ceiling(low: float, last: float, rising: float, reached: float) -> float:
    """What to look under next: a known value that is near, else the ``rising`` ceiling.

    Examples
    --------
    >>> next_ceiling(100.0, 101.0, 102.0, 101.5), next_ceiling(100.0, 101.0, 102.0, 104.0)
    (101.5, 102.0)
    """
    near = low + 2 * (last - low)
    return reached if reached <= max(rising, near) else rising


def _under_limits(
    limited: Limited, best: float, deadline: Deadline, accept: Callable[[Selection], bool] | None
) -> Least | None:
    """Minimise under rising ceilings (None: nothing was found under any of them, nor proven).

    Exact: a selection of no more than the ceiling is the best, because all candidates of such answers are there.
    """
    low = limited.least
    if low == math.inf:
        return Least(None, math.inf, settled=True)
    reached, ceiling = best, -math.inf
    sizes: list[int] = []
    for rising in ceilings(low, best, lambda: sizes[-1] < FEW):
        ceiling = next_ceiling(low, ceiling, rising, reached)
        space = limited.space(ceiling)
        sizes.append(len(space.templates))
        found = solved(space, deadline, accept)
        value = math.inf if found.selection is None else limited.value(found.selection.terms)
        if value <= ceiling or rising >= best or not found.settled:
            return found
        # Dearer than the ceiling, so perhaps not the best; but there it is.
        reached = min(reached, value)
    if reached < best:
        return solved(limited.space(reached), deadline, accept)
    return None if best == math.inf else Least(None, math.inf, settled=True)


def solved(space: Space, deadline: Deadline, accept: Callable[[Selection], bool] | None = None) -> Least:
    """Minimise the goal of a space; selections that ``accept`` turns down are forbidden one by one."""
    if not space.templates:
        return Least(None, math.inf, settled=True)
    stated = build_fabric_choice(space)
    while True:
        milp = compile_model(stated.model)
        report = solve_milp(milp, gap=1e-9, time_limit_s=deadline.left)
        if report.termination is Termination.INTERRUPTED:
            raise KeyboardInterrupt
        settled = report.termination is not Termination.TIME_LIMIT
        if report.values is None:
            return Least(None, math.inf if settled else _low(report), settled)
        keys = chosen_keys(stated, milp, report)
        selection = selection_of(space, keys)
        if accept is None or accept(selection):
            return Least(selection, _low(report), settled)
        if not settled:
            return Least(None, _low(report), settled)
        forbid(stated, keys)


def _low(report: SolverReport) -> float:
    return 0.0 if report.bound is None else report.bound
