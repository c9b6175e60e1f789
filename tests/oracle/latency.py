"""How long the fabric takes from NIC to NIC, and whether a plan's times still hold behind it (section 6.1)."""

from __future__ import annotations

from fractions import Fraction

from oracle.attach import Hang
from oracle.cables import Pair
from oracle.fabric import Cabling, Shape, stage_lengths
from oracle.task import Task

NS_PER_M = 5


def one_way(pair: Pair, length: Fraction) -> Fraction:
    """Nanoseconds over one boundary: both ends and the metres between."""
    return pair.lower.latency + pair.upper.latency + NS_PER_M * length


def to_leaf(item: Hang) -> Fraction:
    """Nanoseconds from a NIC to its leaf, where the plan cares."""
    return Fraction(0) if item.base.point.allowance is None else one_way(item.pair, item.length)


def path_us(task: Task, shape: Shape, cabling: Cabling, item: Hang) -> Fraction:
    """Microseconds of the longest way from a NIC of a pool up to the top switch and down to another NIC."""
    low, high = stage_lengths(task)
    way, top = one_way(item.pair, item.length), shape.leaf.latency
    if shape.spine is not None and cabling.spine is not None:
        way += top + one_way(cabling.spine, low)
        top = shape.spine.latency
    if shape.core is not None and cabling.core is not None:
        way += top + one_way(cabling.core, high)
        top = shape.core.latency
    return (2 * way + top) / 1000


def quick_enough(task: Task, shape: Shape, cabling: Cabling, item: Hang) -> bool:
    """Whether the path keeps what the plan allows."""
    allowance = item.base.point.allowance
    return allowance is None or path_us(task, shape, cabling, item) <= task.reference_us + allowance
