"""The search without any shortcut: plain loops over every design."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import product

from designer.instance.schema import Instance
from oracle.attach import Hang, fits, groups, hang, single_leaf
from oracle.domain import Base, bases, most_leaves
from oracle.enumerate import Found, peaks
from oracle.evaluate import Part, Plan, combine, tally
from oracle.fabric import Shape, carries, holds, kinds, shapes
from oracle.layers import cablings
from oracle.mixing import all_ways
from oracle.outage import survives_below
from oracle.parting import partings
from oracle.parts import Parts
from oracle.task import COST, Task, task_of


def search_plainly(parts: Parts, instance: Instance, goal: str = COST) -> Found | None:
    """Evaluate every design, one by one; only for the smallest questions."""
    task = replace(task_of(parts, instance), goal=goal)
    asked = dict(peaks(instance))
    sold = [a.id for a in task.sale.accelerators]
    every = {
        block: [
            found
            for slots in all_ways(block, instance, sold)
            for found in _all_fabrics(task, [list(bases(task, slot, asked[slot.pool])) for slot in slots])
        ]
        for block in {block for parting in partings(instance) for block in parting}
    }
    best: Found | None = None
    for parting in partings(instance):
        for chosen in product(*(every[block] for block in parting)):
            priced = combine(task, [part for _, part in chosen])
            if not priced.broken and (best is None or task.worth(priced.sums) < task.worth(best.priced.sums)):
                best = Found(tuple(plan for plan, _ in chosen), priced)
    return best


def _all_fabrics(task: Task, pools: list[list[Base]]) -> Iterator[tuple[Plan, Part]]:
    """Every fabric that may stand with some pools on it, but for the limits."""
    pools = [[base for base in pool if survives_below(task, base)] for pool in pools]
    for copies, kind in product(task.copies, kinds(task)):
        leaf, hung = None, list[list[Hang]]()
        for shape in shapes(task, kind, copies, most_leaves(pools)):
            if shape.leaf is not leaf:
                leaf, hung = shape.leaf, [_all_hangs(task, pool, shape) for pool in pools]
            carried = [[item for item in pool if carries(task, shape, item)] for pool in hung]
            choices = [items for items in product(*carried) if holds(task, shape, items)]
            for cabling, items in product(cablings(task, shape) if choices else [], choices):
                plan = Plan(items, shape, cabling)
                part = tally(task, plan)
                if not part.broken:
                    yield plan, part


def _all_hangs(task: Task, pool: list[Base], shape: Shape) -> list[Hang]:
    found: list[Hang] = []
    alone = shape.alone
    for base in pool:
        if fits(base, shape.copies):
            for group in [single_leaf(base, shape.copies)] if alone else groups(base, shape.copies):
                found += hang(task, base, shape.leaf, group, alone)
    return found
