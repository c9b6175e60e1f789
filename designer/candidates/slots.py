"""The choices of pools that share a template: which it can carry, what they cost together, and which may still pay."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from designer.candidates.choices import Choices
from designer.candidates.pressure import Pressure
from designer.candidates.shape import Shape, ShapeRows
from designer.candidates.templates import Template, carries, in_time
from designer.candidates.terms import Floats
from designer.candidates.weights import NOISE


@dataclass(frozen=True)
class Slot:
    """Choices of one pool under one template, with the term vectors (n, len(TERMS)) they have there."""

    choices: Choices
    terms: Floats


def total(template: Template, slots: Sequence[Slot], rows: Sequence[int]) -> Floats:
    """Term vector of a complete fabric: one row of every slot, whole pods and cages included."""
    leaves = sum(int(slot.choices.leaves[row]) for slot, row in zip(slots, rows, strict=True))
    out = template.fixed + template.pods(leaves) * template.per_pod + template.cages(leaves) * template.per_cage
    for slot, row in zip(slots, rows, strict=True):
        out = out + slot.terms[row]
    return np.asarray(out)


def complete(template: Template, slots: Sequence[Slot], rows: Sequence[int]) -> Floats | None:
    """The same, or None where the ports of the shared switches do not suffice."""
    leaves = sum(int(slot.choices.leaves[row]) for slot, row in zip(slots, rows, strict=True))
    if template.shape.stages > 1 and leaves > template.shape.max_leaves:
        return None
    if template.shape.stages == 1:
        picked = [Slot(s.choices.take(np.array([r])), s.terms[[r]]) for s, r in zip(slots, rows, strict=True)]
        if not _one_switch(template.shape, picked):
            return None
    return total(template, slots, rows)


def fill(
    template: Template, row: Sequence[Choices], max_taper: float, pressure: Pressure, most: float
) -> tuple[Slot, ...] | None:
    """Choices that the template can carry and that can cost no more than ``most`` (None if a pool has none)."""
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
    return tuple(carried) if most == np.inf else trim(template, carried, pressure, most)


def least(template: Template, slots: Sequence[Slot], goal: Floats) -> float:
    """What any selection costs at least: the cheapest choices, with the pods and cages of the fewest leaves."""
    return float(goal @ _shared(template, slots)) + sum(float((slot.terms @ goal).min()) for slot in slots)


def _shared(template: Template, slots: Sequence[Slot]) -> Floats:
    """Term vector of what the pools share, for the fewest leaves."""
    leaves = sum(int(slot.choices.leaves.min()) for slot in slots)
    pods, cages = template.pods(leaves), template.cages(leaves)
    return np.asarray(template.fixed + pods * template.per_pod + cages * template.per_cage)


def trim(template: Template, slots: Sequence[Slot], pressure: Pressure, most: float) -> tuple[Slot, ...] | None:
    """Drop choices whose cheapest completion is dearer than ``most`` (None: the whole template is)."""
    shared = _shared(template, slots)
    prices = [pressure.bound.objective(slot.terms) for slot in slots]
    spare = most - float(pressure.bound.goal @ shared) - sum(float(p.min()) for p in prices)
    if spare < 0:
        return None
    out = []
    for slot, price, fit in zip(slots, prices, pressure.keeping([slot.terms for slot in slots], shared), strict=True):
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
