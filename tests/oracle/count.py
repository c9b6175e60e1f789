"""Units bought of every part of a design, counted from the finished design (section 10, stock)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from oracle.cables import Count, Pair
from oracle.evaluate import Plan
from oracle.layers import layers
from oracle.task import Task


def units_of(task: Task, plans: Iterable[Plan]) -> Counter[str]:
    """Count units by id, of all fabrics; the search adds them up part by part instead."""
    units: Counter[str] = Counter()
    for plan in plans:
        _count_fabric(units, task, plan)
    return units


def _count_fabric(units: Counter[str], task: Task, plan: Plan) -> None:
    shape, copies = plan.shape, plan.shape.copies.number
    for item in plan.items:
        base, wiring = item.base, item.base.wiring
        units[wiring.accelerator.id] += base.accelerators
        units[base.nic.id] += base.accelerators * base.nics
        if wiring.switch is not None:
            units[wiring.switch.id] += base.domains * wiring.switches
        if wiring.upper is not None:
            units[wiring.upper.switch.id] += base.domains * wiring.uppers
        for route in (base.lower, base.upper):
            if route is not None:
                _cables(units, route.pair, route.count)
        _cables(units, item.pair, item.count)
    leaves = 1 if shape.alone else sum(item.group.leaves for item in plan.items)
    units[shape.leaf.id] += copies * leaves
    for layer in layers(task, shape, plan.cabling, leaves):
        units[layer.switch.id] += layer.number
        _cables(units, layer.pair, layer.count)


def _cables(units: Counter[str], pair: Pair, count: Count) -> None:
    if not pair.lower.is_module:
        units[pair.lower.id] += count.cables
        return
    if pair.buy_lower:
        units[pair.lower.id] += count.lower
    if pair.buy_upper:
        units[pair.upper.id] += count.upper
