"""The exhaustive search of one scale-out fabric and the pools on it, in floating point and then in fractions.

Three shortcuts, all exact: of two ways to build a pool that the rest of the design cannot tell apart, one that is no
better in any term that counts is dropped; sums that are already dearer than the best design are not continued (no cost
is negative); and what does not depend on a choice is counted once.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from itertools import product
from math import ceil, inf
from typing import TypeVar

from oracle.attach import Hang, fits, fits_rails, groups, hang, single_leaf
from oracle.boxes import box_repairs, buy
from oracle.domain import Base, bases, most_leaves
from oracle.evaluate import Part, Plan, combine, tally
from oracle.evaluate import single_leaf as single_leaf_sums
from oracle.fabric import (
    Cabling,
    Shape,
    carried_above,
    far,
    holds,
    kinds,
    ports,
    shapes,
    taper_held,
    tapers_above,
)
from oracle.latency import quick_enough, to_leaf
from oracle.layers import cablings, layer
from oracle.mixing import Slot, all_ways
from oracle.money import ZERO, Sums
from oracle.outage import survives, survives_below
from oracle.task import Copies, Task

Kept = TypeVar("Kept")

NEAR_BEST = 1 + 1e-11
NEAR_LIMIT = 1 + 1e-9
# Limits on vendors and availability are 0: what is left of whole accelerators and of their hours in a year.
NEAR_ZERO = 1e-6
# Sums of the same terms in another order differ by less, other amounts by more.
SAME = 1e-12


@dataclass
class Option:
    """One way to build a pool and hang it on leaves of one type, ready for quick sums."""

    item: Hang
    amounts: tuple[float, ...]
    leaves: int
    per_hit: tuple[float, ...]
    per_hour: tuple[float, ...]
    window: dict[int, tuple[Fraction, int, Fraction]] = field(default_factory=dict)


@dataclass(frozen=True)
class Entry:
    """One fabric with its pools and its rounded amounts: the goal, what is limited, with limited racks also racks."""

    plan: Plan
    part: Part
    amounts: tuple[float, ...]


class FabricSearch:
    """Searches fabrics for any of a question's pools, and remembers what has been counted already.

    `cheapest` finds one that keeps the limits alone, or with ``free`` whatever the limits; `frontier` all that may be
    part of a best design with other fabrics beside them.
    """

    def __init__(self, task: Task, peaks: Mapping[str, Fraction]) -> None:
        self.task = task
        self.first_only = False
        # The goal first, then what is limited; the watts of the network racks last.
        self.limited = [name for name in task.limits if name != "racks"]
        self.most = [float(task.limits[name]) * NEAR_LIMIT + NEAR_ZERO for name in self.limited]
        self.racks = task.limits.get("racks")
        self.rack_watts = float(task.parts.facility.racks["network"].power_kw * 1000)
        self._peaks = peaks
        self._layers: dict[object, tuple[float, ...]] = {}
        self._rows: dict[object, list[Cabling]] = {}
        self._bases: dict[Slot, list[list[Base]]] = {}
        self._hung: dict[tuple[Slot, str, bool, Copies], list[Option]] = {}
        self._start(free=False, ceiling=inf)

    def cheapest(self, pools: Sequence[str], *, free: bool = False, ceiling: float = inf) -> Entry | None:
        """Return the fabric that is best for some pools by themselves; none that is dearer than ``ceiling``."""
        self._start(free=free, ceiling=ceiling)
        self._run(pools)
        return self._best

    def frontier(self, pools: Sequence[str], ceiling: float) -> list[Entry]:
        """Return fabrics for some pools, the best first: to each other one some is no worse in any amount."""
        self._start(free=True, ceiling=ceiling)
        self._frontier = []
        self._run(pools)
        return sorted(self._frontier, key=lambda entry: entry.amounts[0])

    def _start(self, *, free: bool, ceiling: float) -> None:
        self._free, self._ceiling = free, ceiling
        self._best: Entry | None = None
        self._frontier: list[Entry] | None = None

    def _run(self, pools: Sequence[str]) -> None:
        mixes, most = [], 0
        for slots in all_ways(pools, self.task.instance, [a.id for a in self.task.sale.accelerators]):
            for slot in slots:
                if slot not in self._bases:
                    self._bases[slot] = self._kept_bases(slot, self._peaks[slot.pool])
            if all(self._bases[slot] for slot in slots):
                mixes.append(slots)
                every = [[base for alike in self._bases[slot] for base in alike] for slot in slots]
                most = max(most, most_leaves(every))
        if not mixes:
            return
        for kind, copies in product(kinds(self.task), self.task.copies):
            for shape in shapes(self.task, kind, copies, most):
                for slots in mixes:
                    hung = [self._hangs(slot, shape) for slot in slots]
                    if all(hung):
                        self._try_shape(shape, hung)
                    if self.first_only and self._best is not None:
                        return

    def _hangs(self, slot: Slot, shape: Shape) -> list[Option]:
        key = (slot, shape.leaf.id, shape.alone, shape.copies)
        if key not in self._hung:
            self._hung[key] = self._kept_hangs(self._bases[slot], shape)
        return self._hung[key]

    def _kept_bases(self, slot: Slot, peak: Fraction) -> list[list[Base]]:
        """Ways to build a pool that are worth looking at, those together that look alike from the leaf."""
        alike: dict[object, list[tuple[tuple[Fraction, ...], Base]]] = {}
        for base in bases(self.task, slot, peak):
            if not survives_below(self.task, base):
                continue
            rails = tuple(copies.rails for copies in self.task.copies if fits_rails(base, copies.rails))
            key = (base.point, base.domains, base.nic.id, base.nics, base.hall.hosts_per_rack, rails)
            terms = (*self._terms(base.sums), Fraction(base.hall.racks if self.racks else 0))
            _keep(alike.setdefault(key, []), terms, base)
        return [[base for _, base in kept] for kept in alike.values()]

    def _kept_hangs(self, pool: list[list[Base]], shape: Shape) -> list[Option]:
        alike: dict[object, list[tuple[tuple[Fraction, ...], Hang]]] = {}
        alone = shape.alone
        for bases_alike in pool:
            first = bases_alike[0]
            if not fits(first, shape.copies):
                continue
            for group in [single_leaf(first, shape.copies)] if alone else groups(first, shape.copies):
                key = (first.point, first.domains, first.nic.id, first.nics, group.whole, group.split)
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

    def _window(self, option: Option, shape: Shape) -> tuple[Fraction, int, Fraction]:
        """Least that the links of a leaf must carry, most of them, and its traffic, in links at the shape's rate."""
        if shape.rate not in option.window:
            item, rate = option.item, shape.rate
            down = Fraction(item.down_ports, ports(shape.leaf, item.rate))
            most = (1 - down) * ports(shape.leaf, rate)
            traffic = item.group.size * item.group.need / shape.copies.planes / rate
            taper = item.down_ports * item.rate / (self.task.max_taper * rate)
            option.window[rate] = max(traffic, taper), most.numerator // most.denominator, traffic
        return option.window[shape.rate]

    def _fitting(self, shape: Shape, options: list[Option]) -> list[Option]:
        if self.task.most_at_once is not None:
            options = [option for option in options if survives(self.task, shape, option.item)]
        if shape.alone:
            return options
        fitting, up, carried = [], shape.up, shape.carried
        for option in options:
            least, most, traffic = self._window(option, shape)
            if up > most or carried < least or shape.rate < option.item.rate:
                continue
            if not carried_above(shape, traffic):
                continue
            if not taper_held(self.task, shape, option.item):
                continue
            fitting.append(option)
        return fitting

    def _try_shape(self, shape: Shape, hung: list[list[Option]]) -> None:
        if not tapers_above(self.task, shape):
            return
        fewest = sum(min(option.leaves for option in options) for options in hung)
        least = sum(options[0].amounts[0] for options in hung)
        if least + self._boxes(shape, fewest) > self._ceiling * NEAR_BEST:
            return
        fitting = [self._fitting(shape, options) for options in hung]
        if not all(fitting):
            return
        ends = (*(box and box.id for box in shape.boxes), shape.rate, shape.flat and shape.flat.kind)
        if ends not in self._rows:
            self._rows[ends] = cablings(self.task, shape)
        room: dict[int, bool] = {}
        for cabling in self._rows[ends]:
            self._try_cabling(shape, cabling, fitting, room)

    def _boxes(self, shape: Shape, leaves: int) -> float:
        """What the goal counts of the spines, cores and tops alone."""
        cost, copies = 0.0, shape.copies.number
        for switch, number in (
            (shape.spine, shape.pods(leaves) * shape.spines if shape.spine else 0),
            (shape.core, shape.zones(leaves) * shape.spines * shape.cores),
            (shape.top, shape.spines * shape.cores * shape.tops),
        ):
            if switch is not None:
                if switch not in self._layers:
                    one = buy(self.task.site, switch, 1).plus(
                        box_repairs(self.task.sale, self.task.site, switch, 1, False)
                    )
                    self._layers[switch] = (float(self.task.worth(one)),)
                cost += copies * number * self._layers[switch][0]
        return cost

    def _try_cabling(self, shape: Shape, cabling: Cabling, fitting: list[list[Option]], room: dict[int, bool]) -> None:
        fitting = [[o for o in pool if quick_enough(self.task, shape, cabling, o.item)] for pool in fitting]
        if not all(fitting):
            return
        reach = far(self.task, shape, cabling)
        hits, hours = float(reach.hits_per_leaf), float(reach.hours_per_accelerator)
        pools = [self._with_losses(options, shape.copies.number * hits, hours) for options in fitting]
        if not shape.alone:
            if self._frontier is not None:
                pools = [self._useful_by_leaves(options) for options in pools]
            elif self._free or not self.task.limits:
                pools = [_cheapest_by_leaves(options) for options in pools]
        above: dict[int, tuple[float, ...]] = {}
        for chosen in self._combinations(self._within(pools)):
            leaves = sum(option.leaves for _, option in chosen)
            items = tuple(option.item for _, option in chosen)
            # Above the leaf only the number of leaves matters; a fabric of one stage has no such number.
            if shape.alone or leaves not in room:
                room[leaves] = holds(self.task, shape, items)
            if not room[leaves]:
                continue
            if leaves not in above:
                above[leaves] = self._above(shape, cabling, leaves)
            amounts = [sum(column) for column in zip(*(a for a, _ in chosen), above[leaves], strict=True)]
            if self._promising(amounts, items):
                self._try_plan(Plan(items, shape, cabling), amounts)

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
        for column, most in enumerate(() if self._free else self.most, start=1):
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
            if spent + one[0][0] + least > self._ceiling * NEAR_BEST:
                return
            if len(pools) == 1:
                yield [one]
                continue
            for rest in self._combinations(pools[1:], spent + one[0][0]):
                yield [one, *rest]

    def _promising(self, amounts: list[float], items: tuple[Hang, ...]) -> bool:
        """Whether a design may be the best and keep the limits, as far as rounded sums can tell."""
        if amounts[0] > self._ceiling * NEAR_BEST:
            return False
        if self._frontier is not None:
            seen = self._seen(amounts, sum(item.base.hall.racks for item in items))
            return not any(_no_worse(entry.amounts, seen) for entry in self._frontier)
        if self._free:
            return True
        if any(amount > most for amount, most in zip(amounts[1:-1], self.most, strict=True)):
            return False
        if self.racks is None:
            return True
        racks = ceil(amounts[-1] / self.rack_watts / NEAR_LIMIT)
        return racks + sum(item.base.hall.racks for item in items) <= self.racks

    def _seen(self, amounts: Sequence[float], pool_racks: int) -> tuple[float, ...]:
        """Amounts that other fabrics may meet: the last, watts in network racks, only where racks are limited."""
        return (*amounts[:-1], amounts[-1], float(pool_racks)) if self.racks is not None else tuple(amounts[:-1])

    def _try_plan(self, plan: Plan, amounts: Sequence[float]) -> None:
        part = tally(self.task, plan)
        if part.broken:
            raise AssertionError(f"the search tried a design that breaks a rule: {part.broken}")
        seen = self._seen(amounts, part.pool_racks)
        if self._frontier is not None:
            self._frontier[:] = [entry for entry in self._frontier if not _no_worse(seen, entry.amounts)]
            self._frontier.append(Entry(plan, part, seen))
            return
        worth = self.task.worth(part.sums)
        broken = not self._free and combine(self.task, [part]).broken
        if not broken and (self._best is None or worth < self.task.worth(self._best.part.sums)):
            self._best = Entry(plan, part, seen)
            self._ceiling = float(worth)

    def _useful_by_leaves(
        self, options: list[tuple[tuple[float, ...], Option]]
    ) -> list[tuple[tuple[float, ...], Option]]:
        """Of the ways to hang a pool on the same number of leaves, drop those that another is no worse than."""
        kept: dict[int, list[tuple[tuple[float, ...], tuple[tuple[float, ...], Option]]]] = {}
        for pair in options:
            seen = self._seen(pair[0], pair[1].item.base.hall.racks)
            rows = kept.setdefault(pair[1].leaves, [])
            if not any(_no_worse(other, seen) for other, _ in rows):
                rows[:] = [row for row in rows if not _no_worse(seen, row[0])]
                rows.append((seen, pair))
        return sorted((pair for rows in kept.values() for _, pair in rows), key=lambda pair: pair[0][0])

    def _above(self, shape: Shape, cabling: Cabling, leaves: int) -> tuple[float, ...]:
        if shape.alone:
            return self._amounts(single_leaf_sums(self.task, shape), shape.copies.number * shape.leaf.watts)
        # Pools pay for their leaves; the watts of leaves still burden the network racks.
        copies = shape.copies.number
        parts = [(0.0,) * (len(self.limited) + 1) + (float(copies * leaves * shape.leaf.watts),)]
        room = [shape.pod, shape.pods(leaves)] if shape.stages > 2 else []
        room += [shape.zone, shape.zones(leaves)] if shape.stages > 3 else []
        spread = (shape.rate, shape.m, shape.spines, shape.m2, shape.cores, shape.m3, shape.tops, shape.missing)
        spread = (*spread, shape.flat, leaves)
        for place, pair in enumerate(cabling.pairs):
            ends = [box and box.id for box in shape.boxes[place : place + 2]]
            above = spread if place == 0 or shape.flat is not None else (*spread[:-1], None)
            key: object = (place, copies, *ends, *above, *room, pair.lower.id, pair.upper.id)
            if key not in self._layers:
                found = layer(self.task, shape, pair, place, leaves)
                self._layers[key] = self._amounts(found.sums, found.watts)
            parts.append(self._layers[key])
        return tuple(sum(column) for column in zip(*parts, strict=True))


def _no_worse(one: tuple[float, ...], other: tuple[float, ...]) -> bool:
    """Whether the first amounts are at most the second, but for the rounding of sums."""
    return all(a <= b + SAME * abs(b) for a, b in zip(one, other, strict=True))


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
