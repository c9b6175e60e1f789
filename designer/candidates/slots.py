"""The choices of pools that share a template: which it can carry, what they cost together, and which may still pay."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from designer.candidates.choices import Attached, Choices
from designer.candidates.mixing import completed
from designer.candidates.mixing import least as least_of
from designer.candidates.pressure import Pressure
from designer.candidates.shape import Shape, ShapeRows
from designer.candidates.templates import Template, carries, in_time
from designer.candidates.terms import Floats
from designer.candidates.weights import NOISE

# The choices of one pool that run it together: one, or of a mixed pool its parts.
Rows = Sequence[int]


@dataclass(frozen=True)
class Slot:
    """Choices of one pool under one template, with the term vectors (n, len(TERMS)) they have there."""

    choices: Choices
    terms: Floats


def total(template: Template, slots: Sequence[Slot], rows: Sequence[Rows]) -> Floats:
    """Term vector of a complete fabric: rows of every slot, whole pods, zones, cages and idle leaves included."""
    out = template.shared(_leaves_of(slots, rows))
    for slot, mine in zip(slots, rows, strict=True):
        for row in mine:
            out = out + slot.terms[row]
    return np.asarray(out)


def _leaves_of(slots: Sequence[Slot], rows: Sequence[Rows]) -> int:
    return sum(int(slot.choices.leaves[row]) for slot, mine in zip(slots, rows, strict=True) for row in mine)


def parts_of(slot: Slot, rows: Rows) -> tuple[Attached, ...]:
    """The choices of a pool that run it together, in the order of their accelerators' ids."""
    found = [slot.choices.items[row] for row in rows]
    return tuple(sorted(found, key=lambda item: item.option.domain.accelerator.id))


def complete(template: Template, slots: Sequence[Slot], rows: Sequence[Rows]) -> Floats | None:
    """The same, or None where the ports of the shared switches do not suffice."""
    leaves = _leaves_of(slots, rows)
    if template.shape.stages != 1 and not template.shape.min_leaves <= leaves <= template.shape.max_leaves:
        return None
    if template.shape.stages == 1:
        used = [_port_shares(template.shape, slot)[list(mine)].sum() for slot, mine in zip(slots, rows, strict=True)]
        if sum(used) > 1 + NOISE:
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
        if mine.mixing is not None and not mine.mixing.whole:
            return None
        carried.append(Slot(mine, template.terms(mine)))
    if template.shape.stages == 1 and not _one_switch(template.shape, carried):
        return None
    fewest, most_leaves = _leaves(carried)
    if template.shape.stages != 1 and (fewest > template.shape.max_leaves or most_leaves < template.shape.min_leaves):
        return None
    return tuple(carried) if most == np.inf else trim(template, carried, pressure, most)


def least(template: Template, slots: Sequence[Slot], goal: Floats) -> float:
    """What any selection costs at least: the cheapest choices, with what the pools share at least."""
    return float(goal @ template.shared(*_leaves(slots))) + sum(
        float(least_of(slot.terms @ goal, slot.choices.mixing)) for slot in slots
    )


def _leaves(slots: Sequence[Slot]) -> tuple[int, int]:
    """Fewest and most leaves of all pools together."""
    each = [(slot.choices.leaves, slot.choices.mixing) for slot in slots]
    fewest = sum(float(least_of(leaves.astype(float), mix)) for leaves, mix in each)
    most = sum(int(leaves.max()) * (1 if mix is None else mix.most) for leaves, mix in each)
    return int(fewest) if np.isfinite(fewest) else 0, most


def trim(template: Template, slots: Sequence[Slot], pressure: Pressure, most: float) -> tuple[Slot, ...] | None:
    """Drop choices whose cheapest completion is dearer than ``most`` (None: the whole template is)."""
    shared = template.shared(*_leaves(slots))
    mixes = [slot.choices.mixing for slot in slots]
    prices = [pressure.bound.objective(slot.terms) for slot in slots]
    low = [float(least_of(price, mix)) for price, mix in zip(prices, mixes, strict=True)]
    spare = most - float(pressure.bound.goal @ shared) - sum(low)
    if not spare >= 0:
        return None
    out, fits = [], pressure.keeping([slot.terms for slot in slots], mixes, shared)
    for slot, price, mix, lowest, fit in zip(slots, prices, mixes, low, fits, strict=True):
        keep = (completed(price, mix) - lowest <= spare) & fit
        if not keep.any():
            return None
        out.append(Slot(slot.choices.take(keep), slot.terms[keep]))
    return tuple(out)


def _one_switch(shape: Shape, slots: Sequence[Slot]) -> bool:
    share = sum(float(least_of(_port_shares(shape, slot), slot.choices.mixing)) for slot in slots)
    return share <= 1 + NOISE


def _port_shares(shape: Shape, slot: Slot) -> Floats:
    """Shares of the one switch's ports that choices take, shape (n,)."""
    return np.asarray(slot.choices.down / np.array([shape.leaf.radix[r] for r in slot.choices.rate.tolist()]))
