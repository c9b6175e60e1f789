"""One complete design of the oracle: is it allowed, what does it cost, in exact arithmetic (sections 7 to 10)."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from oracle.attach import Hang
from oracle.boxes import box_repairs, buy
from oracle.fabric import Cabling, Shape, carries, far, holds, layers
from oracle.latency import quick_enough
from oracle.money import Sums, total
from oracle.outage import survives
from oracle.parts import ceil_div
from oracle.task import Task


@dataclass(frozen=True)
class Plan:
    """A complete design: pools on their leaves, the fabric above, its cables."""

    items: tuple[Hang, ...]
    shape: Shape
    cabling: Cabling


@dataclass(frozen=True)
class Priced:
    """What a design costs, risks and takes, and which rules it breaks."""

    objective: Fraction
    annual: Fraction
    sums: Sums
    racks: int
    network_racks: int
    broken: tuple[str, ...]


def single_leaf(task: Task, shape: Shape) -> Sums:
    """Money, watts and repairs of the one switch per copy of a fabric of one stage; nothing with more stages."""
    if shape.stages > 1:
        return Sums()
    copies = shape.copies.number
    return buy(task.site, shape.leaf, copies).plus(
        box_repairs(task.sale, task.site, shape.leaf, copies, scale_up=False)
    )


def evaluate(task: Task, plan: Plan) -> Priced:
    """Check and price one complete design."""
    items, shape = plan.items, plan.shape
    broken = [] if holds(task, shape, items) else ["the fabric's ports"]
    broken += [f"the leaves of {i.base.point.pool}" for i in items if not carries(task, shape, i)]
    broken += [f"one failure in {i.base.point.pool}" for i in items if not survives(task, shape, i)]
    broken += [f"the path of {i.base.point.pool}" for i in items if not quick_enough(task, shape, plan.cabling, i)]
    leaves = sum(item.group.leaves for item in items)
    upper = layers(task, shape, plan.cabling, leaves)
    reach = far(task, shape, plan.cabling)
    sums = total(
        [item.base.sums for item in items]
        + [item.sums for item in items]
        + [reach.losses(task.site, item) for item in items]
        + [layer.sums for layer in upper]
        + [single_leaf(task, shape)]
    )
    watts = shape.copies.number * (leaves if shape.stages > 1 else 1) * shape.leaf.watts
    watts += sum(item.leaf_watts for item in items) + sum(layer.watts for layer in upper)
    network_racks = ceil_div(watts, task.parts.facility.racks["network"].power_kw * 1000)
    racks = sum(item.base.hall.racks for item in items) + network_racks
    amounts = task.amounts(sums) | {"racks": Fraction(racks)}
    broken += [name for name, most in task.limits.items() if amounts[name] > most]
    return Priced(
        objective=task.site.objective(sums),
        annual=task.site.annual(sums),
        sums=sums,
        racks=racks,
        network_racks=network_racks,
        broken=tuple(broken),
    )
