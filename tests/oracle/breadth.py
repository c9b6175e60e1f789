"""How many ways a question leaves open: what the optimiser has to look at when it skips its reductions."""

from __future__ import annotations

from collections import Counter
from fractions import Fraction
from itertools import product

from designer.instance.schema import Instance
from oracle.attach import Group, fits, groups, nic_cables, single_leaf
from oracle.domain import Base, bases, most_leaves
from oracle.enumerate import peaks
from oracle.fabric import Shape, carried_above, kinds, ports, shapes
from oracle.layers import cablings
from oracle.mixing import Slot, ways_to_run
from oracle.parts import Parts, Switch
from oracle.task import Copies, Task, task_of

Window = tuple[int, Fraction, int, Fraction]


def breadth(parts: Parts, instance: Instance, enough: int) -> int:
    """Count pairs of a pool's choice and a fabric that fit each other, up to about ``enough``."""
    task = task_of(parts, instance)
    sold = [a.id for a in task.sale.accelerators]

    def run(pool: str, peak: Fraction) -> list[Base]:
        slots: set[Slot] = {slot for slots in ways_to_run(pool, instance, sold) for slot in slots}
        return [base for slot in sorted(slots, key=repr) for base in bases(task, slot, peak)]

    pools = [run(pool, peak) for pool, peak in peaks(instance)]
    counted = 0
    hung: dict[tuple[str, Copies], list[tuple[Base, Group, int]]] = {}
    windows: dict[tuple[str, Copies, int], Counter[Window]] = {}
    for copies, kind in product(task.copies, kinds(task)):
        able = [[base for base in pool if fits(base, copies)] for pool in pools]
        for shape in shapes(task, kind, copies, most_leaves(pools)):
            if kind == 1:
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
        fewest = max(traffic, down * nic_rate / (task.max_taper * shape.rate))
        found[nic_rate, fewest, room.numerator // room.denominator, traffic] += number
    return found


def _fits(shape: Shape, window: Window) -> bool:
    slowest, fewest, most, traffic = window
    if shape.rate < slowest or shape.up > most or shape.carried < fewest:
        return False
    return (shape.stages < 3 or shape.pod >= 1) and carried_above(shape, traffic)
