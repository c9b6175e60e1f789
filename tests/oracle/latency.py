"""How long the fabric takes from NIC to NIC, and whether a plan's times still hold behind it (section 6.1)."""

from __future__ import annotations

from fractions import Fraction

from oracle.attach import Hang
from oracle.cables import Pair
from oracle.fabric import Cabling, Shape
from oracle.layers import boundaries, length_between
from oracle.task import Task

NS_PER_M = 5


def one_way(pair: Pair, length: Fraction) -> Fraction:
    """Nanoseconds over one boundary: both ends and the metres between."""
    return pair.lower.latency + pair.upper.latency + NS_PER_M * length


def to_leaf(item: Hang) -> Fraction:
    """Nanoseconds from a NIC to its leaf, where the plan cares."""
    return Fraction(0) if item.base.point.allowance is None else one_way(item.pair, item.length)


def path_us(task: Task, shape: Shape, cabling: Cabling, item: Hang) -> Fraction:
    """Microseconds of the longest way from a NIC of a pool up to the top switch and down to another NIC.

    Where leaves are joined directly, it goes by way of a random leaf.
    """
    way = 2 * one_way(item.pair, item.length)
    hops = [
        one_way(pair, length_between(task, name)) for pair, name in zip(cabling.pairs, boundaries(shape), strict=True)
    ]
    if shape.flat is not None:
        leaves, times = shape.flat.hops
        way += leaves * shape.leaf.latency + sum(n * hop for n, hop in zip(times, hops, strict=True))
        return way / 1000
    *below, top = [switch.latency for switch in shape.boxes if switch is not None]
    return (way + 2 * sum(hops) + 2 * sum(below) + top) / 1000


def quick_enough(task: Task, shape: Shape, cabling: Cabling, item: Hang) -> bool:
    """Whether the path keeps what the plan allows."""
    allowance = item.base.point.allowance
    return allowance is None or path_us(task, shape, cabling, item) <= task.reference_us + allowance
