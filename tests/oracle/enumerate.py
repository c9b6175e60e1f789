"""The exhaustive search: the exact minimum of the cost, or of another goal, over all designs of a small question.

Floating point only decides which designs are looked at in exact arithmetic: every design whose rounded
amount of the goal is within 1e-11 of the best, and whose rounded amounts are within 1e-9 of the limits, is evaluated
with fractions. Three shortcuts, all exact: of two ways to build a pool that the rest of the design cannot
tell apart, one that is no better in any term that counts is dropped; sums that are already dearer than the
best design are not continued (no cost is negative); and what does not depend on a choice is counted once.
`plain.search_plainly` has none of them. `best` asks for another goal, or for several in order of rank.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from itertools import product
from math import ceil, inf
from typing import TypeVar

from designer.instance.schema import Instance
from oracle.attach import Hang, fits, fits_rails, groups, hang, single_leaf
from oracle.boxes import box_repairs, buy
from oracle.domain import Base, bases
from oracle.evaluate import Plan, Priced, evaluate
from oracle.evaluate import single_leaf as single_leaf_sums
from oracle.fabric import (
    Cabling,
    Layer,
    Shape,
    cablings,
    core_layer,
    far,
    holds,
    ports,
    shapes,
    spine_layer,
)
from oracle.latency import quick_enough, to_leaf
from oracle.money import ZERO, Sums
from oracle.outage import survives, survives_below
from oracle.parts import Parts, ceil_div, exact
from oracle.task import COST, COUNTED, Copies, Task, task_of

Kept = TypeVar("Kept")

NEAR_BEST = 1 + 1e-11
NEAR_LIMIT = 1 + 1e-9
# Limits on vendors and availability are 0: what is left of whole accelerators and of their hours in a year.
NEAR_ZERO = 1e-6


@dataclass(frozen=True)
class Found:
    """The cheapest design and what it costs."""

    plan: Plan
    priced: Priced


@dataclass
class Option:
    """One way to build a pool and hang it on leaves of one type, ready for quick sums."""

    item: Hang
    amounts: tuple[float, ...]
    leaves: int
    per_hit: tuple[float, ...]
    per_hour: tuple[float, ...]
    window: dict[int, tuple[int, int, Fraction]] = field(default_factory=dict)


def peaks(instance: Instance) -> list[tuple[str, Fraction]]:
    """Pools of a question and the tokens per second they must serve at their peak."""
    found = []
    for work in instance.workloads:
        out = exact(work.output_tokens_per_s) * exact(work.peak_factor)
        prompt = out * work.prompt_tokens * (1 - exact(work.prefix_hit_share)) / work.output_tokens
        if work.serve == "disaggregated":
            found += [(f"{work.name}.prefill", prompt), (f"{work.name}.decode", out)]
        else:
            found.append((work.name, prompt if work.serve == "prefill" else out))
    return found


def search(parts: Parts, instance: Instance) -> Found | None:
    """Return the cheapest design, or None if no design keeps all rules and limits."""
    return _Search(task_of(parts, instance)).run()


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
        found = _Search(task).run()
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
    quick = _Search(task_of(parts, instance))
    quick.first_only = True
    return quick.run()


class _Search:
    """Search state: the best design so far and what has been counted already."""

    def __init__(self, task: Task) -> None:
        self.task = task
        self.first_only = False
        self.best: Found | None = None
        self.ceiling = inf
        # The goal first, then what is limited; the watts of the network racks last.
        self.limited = [name for name in task.limits if name != "racks"]
        self.most = [float(task.limits[name]) * NEAR_LIMIT + NEAR_ZERO for name in self.limited]
        self.racks = task.limits.get("racks")
        self.rack_watts = float(task.parts.facility.racks["network"].power_kw * 1000)
        self.layers: dict[object, tuple[float, ...]] = {}
        self.rows: dict[object, list[Cabling]] = {}
        self.hung: dict[tuple[str, bool, Copies], list[list[Option]]] = {}

    def run(self) -> Found | None:
        pools = [self._kept_bases(pool, peak) for pool, peak in peaks(self.task.instance)]
        if not all(pools):
            return None
        for stages, copies in product(self.task.stages, self.task.copies):
            for shape in shapes(self.task, stages, copies):
                key = (shape.leaf.id, stages == 1, copies)
                if key not in self.hung:
                    self.hung[key] = [self._kept_hangs(pool, shape) for pool in pools]
                if all(self.hung[key]):
                    self._try_shape(shape, self.hung[key])
                if self.first_only and self.best is not None:
                    return self.best
        return self.best

    def _kept_bases(self, pool: str, peak: Fraction) -> list[list[Base]]:
        """Ways to build a pool that are worth looking at, those together that look alike from the leaf."""
        alike: dict[object, list[tuple[tuple[Fraction, ...], Base]]] = {}
        for base in bases(self.task, pool, peak):
            if not survives_below(self.task, base):
                continue
            rails = tuple(copies.rails for copies in self.task.copies if fits_rails(base, copies.rails))
            key = (base.point, base.nic.id, base.nics, base.hall.hosts_per_rack, rails)
            terms = (*self._terms(base.sums), Fraction(base.hall.racks if self.racks else 0))
            _keep(alike.setdefault(key, []), terms, base)
        return [[base for _, base in kept] for kept in alike.values()]

    def _kept_hangs(self, pool: list[list[Base]], shape: Shape) -> list[Option]:
        alike: dict[object, list[tuple[tuple[Fraction, ...], Hang]]] = {}
        alone = shape.stages == 1
        for bases_alike in pool:
            first = bases_alike[0]
            if not fits(first, shape.copies):
                continue
            for group in [single_leaf(first, shape.copies)] if alone else groups(first, shape.copies):
                key = (first.point, first.nic.id, first.nics, group.whole, group.split)
                kept = alike.setdefault(key, [])
                for one in hang(self.task, first, shape.leaf, group, alone):
                    for base in bases_alike:
                        item = replace(one, base=base)
                        racks = base.hall.racks if self.racks else 0
                        watts = item.leaf_watts if self.racks else Fraction(0)
                        terms = self._terms(base.sums.plus(item.sums))
                        _keep(kept, (*terms, watts, Fraction(racks), to_leaf(item)), item)
        found = [self._option(item) for kept in alike.values() for _, item in kept]
        return sorted(found, key=lambda option: option.amounts[0])

    def _terms(self, sums: Sums) -> tuple[Fraction, ...]:
        named = self.task.amounts(sums)
        return (self.task.worth(sums), *(named[name] for name in self.limited))

    def _option(self, item: Hang) -> Option:
        site, base = self.task.site, item.base
        return Option(
            item=item,
            amounts=self._amounts(base.sums.plus(item.sums), item.leaf_watts),
            leaves=item.group.leaves,
            per_hit=self._amounts(site.hits(base.duty, Fraction(1)), ZERO),
            per_hour=self._amounts(site.hours(base.duty, Fraction(1)), ZERO),
        )

    def _amounts(self, sums: Sums, watts: Fraction) -> tuple[float, ...]:
        return (*(float(term) for term in self._terms(sums)), float(watts))

    def _window(self, option: Option, shape: Shape) -> tuple[int, int, Fraction]:
        """Fewest and most uplinks of a leaf, and the links that carry its traffic, at the shape's rate."""
        if shape.rate not in option.window:
            item, rate = option.item, shape.rate
            down = Fraction(item.down_ports, ports(shape.leaf, item.rate))
            most = (1 - down) * ports(shape.leaf, rate)
            traffic = item.group.size * item.group.need / shape.copies.planes / rate
            taper = item.down_ports * item.rate / (self.task.max_taper * rate)
            fewest = max(ceil_div(traffic), ceil_div(taper))
            option.window[rate] = fewest, most.numerator // most.denominator, traffic
        return option.window[shape.rate]

    def _fitting(self, shape: Shape, options: list[Option]) -> list[Option]:
        if self.task.most_at_once is not None:
            options = [option for option in options if survives(self.task, shape, option.item)]
        if shape.stages == 1:
            return options
        fitting = []
        for option in options:
            fewest, most, traffic = self._window(option, shape)
            if not fewest <= shape.up <= most or shape.rate < option.item.rate:
                continue
            if shape.stages == 3 and shape.spines * shape.spine_up < shape.pod * traffic:
                continue
            fitting.append(option)
        return fitting

    def _try_shape(self, shape: Shape, hung: list[list[Option]]) -> None:
        if shape.stages == 3 and self.task.max_taper * shape.spine_up < shape.pod * shape.m:
            return
        fewest = sum(min(option.leaves for option in options) for options in hung)
        least = sum(options[0].amounts[0] for options in hung)
        if least + self._boxes(shape, fewest) > self.ceiling * NEAR_BEST:
            return
        fitting = [self._fitting(shape, options) for options in hung]
        if not all(fitting):
            return
        ends = (shape.leaf.id, shape.spine and shape.spine.id, shape.core and shape.core.id, shape.rate)
        if ends not in self.rows:
            self.rows[ends] = cablings(self.task, shape)
        room: dict[int, bool] = {}
        for cabling in self.rows[ends]:
            self._try_cabling(shape, cabling, fitting, room)

    def _boxes(self, shape: Shape, leaves: int) -> float:
        """What the goal counts of the spines and cores alone."""
        cost, copies = 0.0, shape.copies.number
        for switch, number in (
            (shape.spine, shape.pods(leaves) * shape.spines if shape.spine else 0),
            (shape.core, shape.spines * shape.cores),
        ):
            if switch is not None:
                if switch not in self.layers:
                    one = buy(self.task.site, switch, 1).plus(
                        box_repairs(self.task.sale, self.task.site, switch, 1, False)
                    )
                    self.layers[switch] = (float(self.task.worth(one)),)
                cost += copies * number * self.layers[switch][0]
        return cost

    def _try_cabling(self, shape: Shape, cabling: Cabling, fitting: list[list[Option]], room: dict[int, bool]) -> None:
        fitting = [[o for o in pool if quick_enough(self.task, shape, cabling, o.item)] for pool in fitting]
        if not all(fitting):
            return
        reach = far(self.task, shape, cabling)
        hits, hours = float(reach.hits_per_leaf), float(reach.hours_per_accelerator)
        pools = [self._with_losses(options, shape.copies.number * hits, hours) for options in fitting]
        if not self.task.limits and shape.stages > 1:
            pools = [_cheapest_by_leaves(options) for options in pools]
        above: dict[int, tuple[float, ...]] = {}
        for chosen in self._combinations(self._within(pools)):
            leaves = sum(option.leaves for _, option in chosen)
            items = tuple(option.item for _, option in chosen)
            # Above the leaf only the number of leaves matters; a fabric of one stage has no such number.
            if shape.stages == 1 or leaves not in room:
                room[leaves] = holds(self.task, shape, items)
            if not room[leaves]:
                continue
            if leaves not in above:
                above[leaves] = self._above(shape, cabling, leaves)
            amounts = [sum(column) for column in zip(*(a for a, _ in chosen), above[leaves], strict=True)]
            if self._promising(amounts, items):
                self._try_plan(Plan(items, shape, cabling))

    def _with_losses(self, options: list[Option], hits: float, hours: float) -> list[tuple[tuple[float, ...], Option]]:
        found = []
        for option in options:
            hit, hour = option.leaves * hits, option.item.base.accelerators * hours
            terms = zip(option.amounts, option.per_hit, option.per_hour, strict=True)
            amounts = tuple(own + hit * of_hit + hour * of_hour for own, of_hit, of_hour in terms)
            found.append((amounts, option))
        return sorted(found, key=lambda pair: pair[0][0])

    def _within(
        self, pools: list[list[tuple[tuple[float, ...], Option]]]
    ) -> list[list[tuple[tuple[float, ...], Option]]]:
        """Drop what is beyond a limit with the least of all other pools."""
        for column, most in enumerate(self.most, start=1):
            least = [min((amounts[column] for amounts, _ in pool), default=0.0) for pool in pools]
            pools = [
                [row for row in pool if row[0][column] + sum(least) - own <= most * NEAR_LIMIT]
                for pool, own in zip(pools, least, strict=True)
            ]
        return pools if all(pools) else [[] for _ in pools]

    def _combinations(
        self, pools: list[list[tuple[tuple[float, ...], Option]]], spent: float = 0.0
    ) -> Iterator[list[tuple[tuple[float, ...], Option]]]:
        """List choices of all pools that, with what is ``spent`` on earlier ones, are not beyond the best design."""
        if not all(pools):
            return
        least = sum(pool[0][0][0] for pool in pools[1:])
        for one in pools[0]:
            if spent + one[0][0] + least > self.ceiling * NEAR_BEST:
                return
            if len(pools) == 1:
                yield [one]
                continue
            for rest in self._combinations(pools[1:], spent + one[0][0]):
                yield [one, *rest]

    def _promising(self, amounts: list[float], items: tuple[Hang, ...]) -> bool:
        """Whether a design may be the best and keep the limits, as far as rounded sums can tell."""
        if amounts[0] > self.ceiling * NEAR_BEST:
            return False
        if any(amount > most for amount, most in zip(amounts[1:-1], self.most, strict=True)):
            return False
        if self.racks is None:
            return True
        racks = ceil(amounts[-1] / self.rack_watts / NEAR_LIMIT)
        return racks + sum(item.base.hall.racks for item in items) <= self.racks

    def _try_plan(self, plan: Plan) -> None:
        priced = evaluate(self.task, plan)
        if set(priced.broken) - self.task.limits.keys():
            raise AssertionError(f"the search tried a design that breaks a rule: {priced.broken}")
        worth = self.task.worth(priced.sums)
        if not priced.broken and (self.best is None or worth < self.task.worth(self.best.priced.sums)):
            self.best = Found(plan, priced)
            self.ceiling = float(worth)

    def _above(self, shape: Shape, cabling: Cabling, leaves: int) -> tuple[float, ...]:
        if shape.spine is None:
            return self._amounts(single_leaf_sums(self.task, shape), shape.copies.number * shape.leaf.watts)
        # Pools pay for their leaves; the watts of leaves still burden the network racks.
        copies = shape.copies.number
        parts = [(0.0,) * (len(self.limited) + 1) + (float(copies * leaves * shape.leaf.watts),)]
        assert cabling.spine is not None
        room = shape.pod if shape.stages == 3 else 0
        low = ("spine", copies, shape.leaf.id, shape.spine.id, shape.rate, shape.m, shape.spines, room, leaves)
        key: object = (*low, cabling.spine.lower.id, cabling.spine.upper.id)
        if key not in self.layers:
            self.layers[key] = self._of(spine_layer(self.task, shape, cabling.spine, leaves))
        parts.append(self.layers[key])
        if shape.core is not None and cabling.core is not None:
            high = ("core", copies, shape.spine.id, shape.core.id, shape.rate, shape.spines, shape.m2, shape.cores)
            key = (*high, shape.pods(leaves), cabling.core.lower.id, cabling.core.upper.id)
            if key not in self.layers:
                self.layers[key] = self._of(core_layer(self.task, shape, cabling.core, leaves))
            parts.append(self.layers[key])
        return tuple(sum(column) for column in zip(*parts, strict=True))

    def _of(self, layer: Layer) -> tuple[float, ...]:
        return self._amounts(layer.sums, layer.watts)


def _keep(kept: list[tuple[tuple[Fraction, ...], Kept]], terms: tuple[Fraction, ...], value: Kept) -> None:
    """Add a value unless one that is kept is no worse in any term; drop those that it makes useless."""
    if any(all(a <= b for a, b in zip(other, terms, strict=True)) for other, _ in kept):
        return
    kept[:] = [row for row in kept if not all(a <= b for a, b in zip(terms, row[0], strict=True))]
    kept.append((terms, value))


def _cheapest_by_leaves(
    options: list[tuple[tuple[float, ...], Option]],
) -> list[tuple[tuple[float, ...], Option]]:
    """Without limits only the number of leaves of a pool matters above them; sorted by objective."""
    cheapest: dict[int, tuple[tuple[float, ...], Option]] = {}
    for pair in options:
        cheapest.setdefault(pair[1].leaves, pair)
    return sorted(cheapest.values(), key=lambda pair: pair[0][0])
