"""One complete design of the oracle: is it allowed, what does it cost, in exact arithmetic (sections 7 to 10)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from oracle.attach import Hang
from oracle.boxes import box_repairs, buy
from oracle.fabric import Cabling, Shape, carries, far, holds
from oracle.latency import quick_enough
from oracle.layers import layers
from oracle.money import Sums, total
from oracle.outage import survives
from oracle.parts import ceil_div
from oracle.task import Task


@dataclass(frozen=True)
class Plan:
    """A fabric with all that is on it: pools on their leaves, the fabric above, its cables."""

    items: tuple[Hang, ...]
    shape: Shape
    cabling: Cabling


@dataclass(frozen=True)
class Part:
    """What one fabric with its pools adds to a design, and the rules it breaks by itself."""

    sums: Sums
    pool_racks: int
    network_racks: int
    broken: tuple[str, ...]


@dataclass(frozen=True)
class Priced:
    """What a design costs, risks and takes, and which rules it breaks."""

    objective: Fraction
    annual: Fraction
    sums: Sums
    racks: int
    racks_by_fabric: tuple[int, ...]
    broken: tuple[str, ...]

    @property
    def network_racks(self) -> int:
        """Racks of scale-out switches, whole for every fabric."""
        return sum(self.racks_by_fabric)


def single_leaf(task: Task, shape: Shape) -> Sums:
    """Money, watts and repairs of the one switch per copy of a fabric of one stage; nothing with more switches."""
    if not shape.alone:
        return Sums()
    copies = shape.copies.number
    return buy(task.site, shape.leaf, copies).plus(
        box_repairs(task.sale, task.site, shape.leaf, copies, scale_up=False)
    )


def tally(task: Task, plan: Plan) -> Part:
    """Check and price one fabric with its pools."""
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
    watts = shape.copies.number * (1 if shape.alone else leaves) * shape.leaf.watts
    watts += sum(item.leaf_watts for item in items) + sum(layer.watts for layer in upper)
    network_racks = ceil_div(watts, task.parts.facility.racks["network"].power_kw * 1000)
    return Part(sums, sum(item.base.hall.racks for item in items), network_racks, tuple(broken))


def combine(task: Task, parts: Sequence[Part]) -> Priced:
    """Add up the fabrics of a design and hold them together against the limits."""
    sums = total([part.sums for part in parts])
    racks = sum(part.pool_racks + part.network_racks for part in parts)
    broken = [rule for part in parts for rule in part.broken]
    amounts = task.amounts(sums) | {"racks": Fraction(racks)}
    broken += [name for name, most in task.limits.items() if amounts[name] > most]
    return Priced(
        objective=task.site.objective(sums),
        annual=task.site.annual(sums),
        sums=sums,
        racks=racks,
        racks_by_fabric=tuple(part.network_racks for part in parts),
        broken=tuple(broken),
    )
