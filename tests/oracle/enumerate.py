"""The exhaustive search: the exact minimum of the cost, or of another goal, over all designs of a small question.

Floating point only decides which designs are looked at in exact arithmetic: every design whose rounded
amount of the goal is within 1e-11 of the best, and whose rounded amounts are within 1e-9 of the limits, is evaluated
with fractions. The workloads are parted among fabrics in every allowed way (`parting`), each fabric is searched by
itself (`one_fabric`), and limits are held against all of them together. `plain.search_plainly` has no shortcut at
all. `best` asks for another goal, or for several in order of rank.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from math import inf

from designer.instance.schema import Instance
from oracle.attach import Hang
from oracle.evaluate import Plan, Priced, combine
from oracle.money import ZERO
from oracle.one_fabric import NEAR_BEST, NEAR_LIMIT, Entry, FabricSearch
from oracle.parting import Block, partings
from oracle.parts import Parts, exact
from oracle.task import COST, COUNTED, Task, task_of


@dataclass(frozen=True)
class Found:
    """The cheapest design, fabric by fabric in the order of their first pools, and what it costs."""

    plans: tuple[Plan, ...]
    priced: Priced

    @property
    def plan(self) -> Plan:
        """The fabric of a design that has one."""
        (plan,) = self.plans
        return plan

    @property
    def items(self) -> tuple[Hang, ...]:
        """All pools, fabric by fabric."""
        return tuple(item for plan in self.plans for item in plan.items)


def peaks(instance: Instance) -> list[tuple[str, Fraction]]:
    """Pools of a question and the tokens per second they must serve at their peak; of a fleet the accelerators."""
    found = []
    for work in instance.workloads:
        out = exact(work.output_tokens_per_s) * exact(work.peak_factor)
        prompt = out * work.prompt_tokens * (1 - exact(work.prefix_hit_share)) / work.output_tokens
        if work.serve == "disaggregated":
            found += [(f"{work.name}.prefill", prompt), (f"{work.name}.decode", out)]
        else:
            found.append((work.name, prompt if work.serve == "prefill" else out))
    return found + [(fleet.name, Fraction(fleet.accelerators)) for fleet in instance.fleets]


def search(parts: Parts, instance: Instance) -> Found | None:
    """Return the cheapest design, or None if no design keeps all rules and limits."""
    return _least(task_of(parts, instance))


def best(parts: Parts, instance: Instance, goals: Sequence[str] = (COST,), tolerance: Fraction = ZERO) -> Found | None:
    """Return the design that has least of the goals, in order of rank, or None if there is none.

    Parameters
    ----------
    parts, instance
        The question; `Objective` of the instance is not read.
    goals
        Names as in ``objective.minimise``.
    tolerance
        Share by which a later goal may exceed the least amount of an earlier one.

    Notes
    -----
    Goals are minimised one after the other, each with the earlier ones limited; ``priced`` of the answer has
    every amount, `amount` that of a goal.
    """
    task = task_of(parts, instance)
    found = None
    for goal in goals:
        task = replace(task, goal=goal)
        found = _least(task)
        if found is None:
            return None
        name = COUNTED.get(goal, "objective")
        most = task.worth(found.priced.sums) * (1 + tolerance)
        task = replace(task, limits=task.limits | {name: min(most, task.limits.get(name, most))})
    return found


def amount(parts: Parts, instance: Instance, found: Found, goal: str) -> Fraction:
    """What a goal counts of a design."""
    return replace(task_of(parts, instance), goal=goal).worth(found.priced.sums)


def first_found(parts: Parts, instance: Instance) -> Found | None:
    """Return the first design that keeps all rules and limits: allowed, not cheapest."""
    task = task_of(parts, instance)
    quick = FabricSearch(task, dict(peaks(instance)))
    quick.first_only = True
    for parting in partings(instance):
        entries = [quick.cheapest(block, free=len(parting) > 1) for block in parting]
        there = [entry for entry in entries if entry is not None]
        if len(there) == len(entries):
            priced = combine(task, [entry.part for entry in there])
            if not priced.broken:
                return Found(tuple(entry.plan for entry in there), priced)
    # Under limits the first fabrics that come along need not fit together.
    return _least(task) if task.limits else None


def _least(task: Task) -> Found | None:
    """Return the design that has least of the goal."""
    shared, *apart = partings(task.instance)
    fabrics = FabricSearch(task, dict(peaks(task.instance)))
    joint = _Joint(task, fabrics)
    one = fabrics.cheapest(shared[0])
    if one is not None:
        joint.offer((one,))
    # What every block takes at least, whatever the limits: a bound for what the others may take.
    alone: dict[Block, Entry] = {}
    for block in dict.fromkeys(block for parting in apart for block in parting):
        entry = fabrics.cheapest(block, free=True)
        if entry is not None:
            alone[block] = entry
    possible = [parting for parting in apart if all(block in alone for block in parting)]
    rows = {block: [entry] for block, entry in alone.items()}
    if task.limits:
        left: dict[Block, float] = {}
        for parting in possible:
            floor = sum(alone[block].amounts[0] for block in parting)
            for block in parting:
                spare = joint.ceiling * NEAR_BEST - (floor - alone[block].amounts[0])
                left[block] = max(spare, left.get(block, spare))
        rows = {block: fabrics.frontier(block, most) for block, most in left.items()}
    for parting in possible:
        joint.search([rows[block] for block in parting])
    return joint.best


class _Joint:
    """Puts fabrics of different workloads together; keeps the best design."""

    def __init__(self, task: Task, fabrics: FabricSearch) -> None:
        self.task, self.most = task, fabrics.most
        self.best: Found | None = None
        self.ceiling = inf

    def offer(self, chosen: tuple[Entry, ...]) -> None:
        """Take a design if it keeps all limits and is better."""
        priced = combine(self.task, [entry.part for entry in chosen])
        worth = self.task.worth(priced.sums)
        if not priced.broken and (self.best is None or worth < self.task.worth(self.best.priced.sums)):
            self.best = Found(tuple(entry.plan for entry in chosen), priced)
            self.ceiling = float(worth)

    def search(self, rows: Sequence[Sequence[Entry]], chosen: tuple[Entry, ...] = ()) -> None:
        """Choose an entry of each row, the best first, as far as rounded sums promise something."""
        if not rows:
            self.offer(chosen)
            return
        if not all(rows):
            return
        columns = range(len(self.most) + 1)
        spent = [sum(entry.amounts[column] for entry in chosen) for column in columns]
        for row in rows[1:]:
            for column in columns:
                spent[column] += min(entry.amounts[column] for entry in row)
        for entry in rows[0]:
            amounts = [spent[column] + entry.amounts[column] for column in columns]
            if amounts[0] > self.ceiling * NEAR_BEST:
                return
            if all(amount <= most * NEAR_LIMIT for amount, most in zip(amounts[1:], self.most, strict=True)):
                self.search(rows[1:], (*chosen, entry))
