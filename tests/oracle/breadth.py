"""How many ways a question leaves open: what the optimiser has to look at when it skips its reductions."""

from __future__ import annotations

from collections import Counter
from fractions import Fraction
from itertools import product

from designer.instance.schema import Instance
from oracle.attach import Group, fits, groups, nic_cables, single_leaf
from oracle.domain import Base, bases
from oracle.enumerate import peaks
from oracle.fabric import Shape, cablings, ports, shapes
from oracle.parts import Parts, Switch, ceil_div
from oracle.task import Copies, Task, task_of

Window = tuple[int, int, int, Fraction]


def breadth(parts: Parts, instance: Instance, enough: int) -> int:
    """Count pairs of a pool's choice and a fabric that fit each other, up to about ``enough``."""
    task = task_of(parts, instance)
    pools = [list(bases(task, pool, peak)) for pool, peak in peaks(instance)]
    counted = 0
    hung: dict[tuple[str, Copies], list[tuple[Base, Group, int]]] = {}
    windows: dict[tuple[str, Copies, int], Counter[Window]] = {}
    for copies, stages in product(task.copies, task.stages):
        able = [[base for base in pool if fits(base, copies)] for pool in pools]
        for shape in shapes(task, stages, copies):
            if stages == 1:
                counted += sum(
                    len(nic_cables(task, base, shape.leaf, single_leaf(base, copies))) for pool in able for base in pool
                )
                continue
            at = (shape.leaf.id, copies)
            if at not in hung:
                hung[at] = _hung(task, able, shape.leaf, copies)
            key = (*at, shape.rate)
            if key not in windows:
                windows[key] = _windows(task, shape, hung[at])
            fitting = sum(number for window, number in windows[key].items() if _fits(shape, window))
            counted += fitting * (len(cablings(task, shape)) if fitting else 0)
            if counted > enough:
                return counted
    return counted


def _hung(task: Task, pools: list[list[Base]], leaf: Switch, copies: Copies) -> list[tuple[Base, Group, int]]:
    found = []
    for pool in pools:
        for base in pool:
            for group in groups(base, copies):
                number = len(nic_cables(task, base, leaf, group))
                if number:
                    found.append((base, group, number))
    return found


def _windows(task: Task, shape: Shape, hung: list[tuple[Base, Group, int]]) -> Counter[Window]:
    """Number of choices by slowest uplink, fewest and most uplinks, and links that carry the traffic."""
    found: Counter[Window] = Counter()
    for base, group, number in hung:
        down, nic_rate = group.size * base.nics, base.nic.rate // group.copies.planes
        room = (1 - Fraction(down, ports(shape.leaf, nic_rate))) * ports(shape.leaf, shape.rate)
        traffic = group.size * group.need / group.copies.planes / shape.rate
        fewest = max(ceil_div(traffic), ceil_div(down * nic_rate, task.max_taper * shape.rate))
        found[nic_rate, fewest, room.numerator // room.denominator, traffic] += number
    return found


def _fits(shape: Shape, window: Window) -> bool:
    slowest, fewest, most, traffic = window
    if shape.rate < slowest or not fewest <= shape.up <= most:
        return False
    return shape.stages == 2 or shape.spines * shape.spine_up >= shape.pod * traffic
