"""What stands above the leaves, or idle among them, with the cables between switches: counts, money, repairs (7)."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise, product

from oracle.boxes import box_repairs, buy
from oracle.cables import (
    Box,
    Count,
    Pair,
    cleanings,
    count_links,
    pairs,
    pinned,
    purchase,
    reaches,
    replacements,
)
from oracle.domain import length_of
from oracle.fabric import Cabling, Shape
from oracle.flat import Bundle
from oracle.money import Sums, total
from oracle.parts import Switch, ceil_div, exact
from oracle.task import Task

CLASSES = {
    "leaf_spine": "hall",
    "spine_core": "building",
    "core_top": "building",
    "leaf_leaf": "hall",
    "group_group": "hall",
}


@dataclass(frozen=True)
class Layer:
    """The switches above a boundary, in all copies, and its cables; ``watts`` burden the network racks.

    Where leaves are joined directly, those that no pool uses stand with the first boundary.
    """

    name: str
    pair: Pair
    length: Fraction
    switch: Switch
    number: int
    count: Count
    sums: Sums
    watts: Fraction


def boundaries(shape: Shape) -> tuple[str, ...]:
    """Names of the boundaries between switches, from the leaf up."""
    if shape.flat is not None:
        return tuple(bundle.name for bundle in shape.flat.bundles)
    return ("leaf_spine", "spine_core", "core_top")[: shape.stages - 1]


def length_between(task: Task, name: str) -> Fraction:
    """Metres of a boundary between switches."""
    own = getattr(task.instance.site.lengths, f"{name}_m")
    return length_of(task.parts, task.instance, CLASSES[name]) if own is None else exact(own)


def cablings(task: Task, shape: Shape) -> list[Cabling]:
    """List every choice of link rows between switches."""
    joined = [(shape.leaf, shape.leaf)] * 2 if shape.flat is not None else pairwise(shape.boxes)
    choices = []
    for name, (lower, upper) in zip(boundaries(shape), joined, strict=False):
        assert lower is not None and upper is not None
        found = pinned(task, f"{name}_links", pairs(task.sale, Box.of(lower), Box.of(upper), shape.rate))
        length = length_between(task, name)
        able = [p for p in found if p.lower.placement == "cable" and reaches(p, length)]
        if shape.flat is not None:
            able = [p for p in able if p.lower.id == p.upper.id and p.lower.construction != "backplane"]
        choices.append(able)
    return [Cabling(chosen) for chosen in product(*choices)]


def layers(task: Task, shape: Shape, cabling: Cabling, leaves: int) -> list[Layer]:
    """All switches but the ``leaves`` of pools, and the cables between switches, of all copies."""
    return [layer(task, shape, cabling.pairs[place], place, leaves) for place in range(len(cabling.pairs))]


def layer(task: Task, shape: Shape, pair: Pair, place: int, leaves: int) -> Layer:
    """One boundary between switches, counted from the leaf up, with the switches above it."""
    if shape.flat is not None:
        idle = shape.flat.leaves - leaves if place == 0 else 0
        count = count_between_leaves(pair, shape, shape.flat.bundles[place])
        return _layer(task, shape, pair, place, shape.leaf, idle * shape.copies.number, count)
    return (_spines, _cores, _tops)[place](task, shape, pair, leaves)


def count_between_leaves(pair: Pair, shape: Shape, bundle: Bundle) -> Count:
    """Count the links of one boundary between leaves that are joined directly."""
    assert shape.flat is not None
    copies, links = shape.copies.number, bundle.links
    if not pair.lower.is_module:
        cables = copies * bundle.pairs * ceil_div(bundle.m * shape.rate, pair.lower.rate)
        return Count(copies * links, cables, cables, cables)
    ends = shape.flat.leaves * ceil_div(bundle.each * shape.rate, pair.lower.rate)
    return Count(copies * links, copies * links, copies * ceil_div(ends, 2), copies * (ends // 2))


def _spines(task: Task, shape: Shape, pair: Pair, leaves: int) -> Layer:
    assert shape.spine is not None
    copies = shape.copies.number
    spines = copies * shape.pods(leaves) * shape.spines
    cages = leaves if shape.stages == 2 else shape.pod
    count = count_links(
        pair,
        shape.rate,
        lower_boxes=[(copies * leaves, shape.up)],
        upper_boxes=[(copies * shape.pods(leaves) * many, cages * each) for many, each in shape.strands(0)],
        trunks=[(copies * leaves * many, each) for many, each in shape.strands(0)],
    )
    return _layer(task, shape, pair, 0, shape.spine, spines, count)


def _cores(task: Task, shape: Shape, pair: Pair, leaves: int) -> Layer:
    assert shape.core is not None
    copies, pods = shape.copies.number, shape.pods(leaves)
    spines, cores = copies * pods * shape.spines, copies * shape.zones(leaves) * shape.spines * shape.cores
    cages = pods if shape.top is None else shape.zone
    count = count_links(
        pair,
        shape.rate,
        lower_boxes=[(spines, shape.spine_up)],
        upper_boxes=[(cores // shape.cores * many, cages * each) for many, each in shape.strands(1)],
        trunks=[(spines * many, each) for many, each in shape.strands(1)],
    )
    return _layer(task, shape, pair, 1, shape.core, cores, count)


def _tops(task: Task, shape: Shape, pair: Pair, leaves: int) -> Layer:
    assert shape.top is not None
    zones = shape.zones(leaves)
    planes = shape.copies.number * shape.spines * shape.cores
    cores, tops = planes * zones, planes * shape.tops
    count = count_links(
        pair,
        shape.rate,
        lower_boxes=[(cores, shape.core_up)],
        upper_boxes=[(planes * many, zones * each) for many, each in shape.strands(2)],
        trunks=[(cores * many, each) for many, each in shape.strands(2)],
    )
    return _layer(task, shape, pair, 2, shape.top, tops, count)


def _layer(task: Task, shape: Shape, pair: Pair, place: int, switch: Switch, number: int, count: Count) -> Layer:
    site, name = task.site, boundaries(shape)[place]
    length = length_between(task, name)
    cables = purchase(site, pair, shape.rate, length, count)
    sums = total(
        [
            buy(site, switch, number),
            box_repairs(task.sale, site, switch, number, scale_up=False),
            cables,
            replacements(site, pair, count),
            site.clean(cleanings(site, pair, count)),
        ]
    )
    return Layer(name, pair, length, switch, number, count, sums, number * switch.watts + cables.watts)
