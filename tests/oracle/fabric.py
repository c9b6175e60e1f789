"""The shared scale-out fabric: its shapes, their conditions, what spines, cores and their cables cost (7 to 9)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction

from oracle.attach import Hang, fits
from oracle.boxes import box_repairs, buy, far_box_events, switch_derating
from oracle.cables import (
    Box,
    Count,
    Pair,
    cleanings,
    count_links,
    far_derating,
    far_link_events,
    pairs,
    pinned,
    purchase,
    reaches,
    replacements,
)
from oracle.domain import length_of
from oracle.money import Site, Sums, total
from oracle.parts import Switch, ceil_div, exact
from oracle.task import ONE_COPY, Copies, Task


@dataclass(frozen=True)
class Shape:
    """A fabric but for its cables: ``m`` links from a leaf to each of ``spines`` (of a pod with 3 stages).

    With 3 stages every spine has ``m2`` links to each of ``cores`` cores; ``pod`` leaves fill a pod. All counts
    are those of one of the ``copies``.
    """

    leaf: Switch
    spine: Switch | None = None
    core: Switch | None = None
    rate: int = 0
    m: int = 0
    spines: int = 0
    taper: Fraction = Fraction(0)
    m2: int = 0
    cores: int = 0
    copies: Copies = ONE_COPY

    @property
    def stages(self) -> int:
        """Number of layers of switches."""
        return 1 + (self.spine is not None) + (self.core is not None)

    @property
    def up(self) -> int:
        """Links up of a leaf, U."""
        return self.m * self.spines

    @property
    def spine_up(self) -> int:
        """Links up of a spine, U_s."""
        return self.m2 * self.cores

    @property
    def pod(self) -> int:
        """Leaves that a pod of 3 stages holds, L."""
        assert self.spine is not None
        return (ports(self.spine, self.rate) - self.spine_up) // self.m

    def pods(self, leaves: int) -> int:
        """Pods that ``leaves`` leaves need; 1 with two stages."""
        return ceil_div(leaves, self.pod) if self.stages == 3 else 1


@dataclass(frozen=True)
class Cabling:
    """Link rows above the leaf: leaf to spine, spine to core, the same in every copy."""

    spine: Pair | None = None
    core: Pair | None = None


@dataclass(frozen=True)
class Layer:
    """Spines or cores of all copies with the cables below them; ``watts`` burden the network racks."""

    sums: Sums
    watts: Fraction
    count: Count


def ports(switch: Switch, rate: int) -> int:
    """Ports of a switch at a rate that it is known to have."""
    found = switch.ports(rate)
    assert found is not None
    return found


def shapes(task: Task, stages: int, copies: Copies) -> Iterator[Shape]:
    """List every fabric of some stages and copies, whatever hangs below it."""
    sale, pin = task.sale, task.instance.pin
    for leaf in sale.scale_out:
        if pin.leaf_switch not in (None, leaf.id):
            continue
        if stages == 1:
            yield Shape(leaf, copies=copies)
            continue
        for spine in sale.scale_out:
            if spine.protocol != leaf.protocol or pin.spine_switch not in (None, spine.id):
                continue
            for rate in sorted(dict(leaf.radix).keys() & dict(spine.radix).keys()):
                for m in range(1, ports(spine, rate) + 1):
                    for spines in range(task.instance.choose.min_spines, ports(leaf, rate) // m + 1):
                        low = Shape(leaf, spine, None, rate, m, spines, copies=copies)
                        if stages == 2:
                            yield low
                        else:
                            yield from _with_cores(task, low)


def _with_cores(task: Task, low: Shape) -> Iterator[Shape]:
    assert low.spine is not None
    radix = ports(low.spine, low.rate)
    seen: set[tuple[int, int]] = set()
    for x in task.instance.choose.spine_tapers:
        top = ceil_div(radix, 1 + exact(x))
        for m2 in range(1, top + 1):
            cores = top // m2
            if (m2, cores) in seen or radix - m2 * cores < low.m:
                continue
            seen.add((m2, cores))
            for core in task.sale.scale_out:
                if core.protocol != low.leaf.protocol or task.instance.pin.core_switch not in (None, core.id):
                    continue
                if core.ports(low.rate) is not None:
                    yield replace(low, core=core, taper=exact(x), m2=m2, cores=cores)


def carries(task: Task, shape: Shape, item: Hang) -> bool:
    """Whether the leaves of a pool fit the fabric's ports and their uplinks carry its traffic."""
    nic_rate, group = item.rate, item.group
    if group.copies != shape.copies or not fits(item.base, shape.copies):
        return False
    traffic = group.size * group.need / shape.copies.planes
    down = Fraction(item.down_ports, ports(shape.leaf, nic_rate))
    if shape.stages == 1:
        return True
    if shape.rate < nic_rate:
        return False
    if down + Fraction(shape.up, ports(shape.leaf, shape.rate)) > 1:
        return False
    if shape.up * shape.rate < traffic:
        return False
    if task.max_taper * shape.up * shape.rate < item.down_ports * nic_rate:
        return False
    if not taper_held(task, shape, item):
        return False
    if shape.stages == 2:
        return True
    return shape.spines * shape.spine_up * shape.rate >= shape.pod * traffic


def taper_held(task: Task, shape: Shape, item: Hang) -> bool:
    """Whether a full leaf with uplinks has exactly the taper that is pinned."""
    if task.taper is None or shape.stages == 1:
        return True
    return Fraction(item.down_ports * item.rate, shape.up * shape.rate) == task.taper


def holds(task: Task, shape: Shape, items: tuple[Hang, ...]) -> bool:
    """Whether the fabric has the ports for all leaves together."""
    leaves = sum(item.group.leaves for item in items)
    if shape.stages == 1:
        used = [Fraction(item.down_ports, ports(shape.leaf, item.rate)) for item in items]
        return sum(used) <= 1
    assert shape.spine is not None
    if shape.stages == 2:
        return shape.m * leaves <= ports(shape.spine, shape.rate)
    assert shape.core is not None
    if shape.pod < 1 or task.max_taper * shape.spine_up < shape.pod * shape.m:
        return False
    return shape.m2 * shape.pods(leaves) <= ports(shape.core, shape.rate)


def stage_lengths(task: Task) -> tuple[Fraction, Fraction]:
    """Metres from leaf to spine and from spine to core."""
    own = task.instance.site.lengths
    low, high = (length_of(task.parts, task.instance, name) for name in ("hall", "building"))
    if own.leaf_spine_m is not None:
        low = exact(own.leaf_spine_m)
    if own.spine_core_m is not None:
        high = exact(own.spine_core_m)
    return low, high


def cablings(task: Task, shape: Shape) -> list[Cabling]:
    """List every choice of link rows above the leaf."""
    if shape.spine is None:
        return [Cabling()]
    lengths = stage_lengths(task)

    def rows(lower: Switch, upper: Switch, length: Fraction, pin: str) -> list[Pair]:
        found = pinned(task, pin, pairs(task.sale, Box.of(lower), Box.of(upper), shape.rate))
        return [p for p in found if p.lower.placement == "cable" and reaches(p, length)]

    low = rows(shape.leaf, shape.spine, lengths[0], "leaf_spine_links")
    if shape.core is None:
        return [Cabling(pair) for pair in low]
    high = rows(shape.spine, shape.core, lengths[1], "spine_core_links")
    return [Cabling(a, b) for a in low for b in high]


def spine_layer(task: Task, shape: Shape, pair: Pair, leaves: int) -> Layer:
    """Buy and repair the spines and the cables between ``leaves`` leaves of every copy and them."""
    assert shape.spine is not None
    copies = shape.copies.number
    spines = copies * shape.pods(leaves) * shape.spines
    cages = leaves if shape.stages == 2 else shape.pod
    count = count_links(
        pair,
        shape.rate,
        lower_boxes=[(copies * leaves, shape.up)],
        upper_boxes=[(spines, cages * shape.m)],
        trunks=[(copies * leaves * shape.spines, shape.m)],
    )
    return _layer(task, shape.spine, spines, pair, shape.rate, stage_lengths(task)[0], count)


def core_layer(task: Task, shape: Shape, pair: Pair, leaves: int) -> Layer:
    """Buy and repair the cores and the cables between the spines and them."""
    assert shape.core is not None
    pods = shape.pods(leaves)
    copies = shape.copies.number
    spines, cores = copies * pods * shape.spines, copies * shape.spines * shape.cores
    count = count_links(
        pair,
        shape.rate,
        lower_boxes=[(spines, shape.spine_up)],
        upper_boxes=[(cores, pods * shape.m2)],
        trunks=[(spines * shape.cores, shape.m2)],
    )
    return _layer(task, shape.core, cores, pair, shape.rate, stage_lengths(task)[1], count)


def layers(task: Task, shape: Shape, cabling: Cabling, leaves: int) -> list[Layer]:
    """Everything above ``leaves`` leaves."""
    found = []
    if cabling.spine is not None:
        found.append(spine_layer(task, shape, cabling.spine, leaves))
    if cabling.core is not None:
        found.append(core_layer(task, shape, cabling.core, leaves))
    return found


def _layer(task: Task, switch: Switch, number: int, pair: Pair, rate: int, length: Fraction, count: Count) -> Layer:
    site = task.site
    cables = purchase(site, pair, rate, length, count)
    sums = total(
        [
            buy(site, switch, number),
            box_repairs(task.sale, site, switch, number, scale_up=False),
            cables,
            replacements(site, pair, count),
            site.clean(cleanings(site, pair, count)),
        ]
    )
    return Layer(sums, number * switch.watts + cables.watts, count)


@dataclass(frozen=True)
class Far:
    """What the fabric above does to a pool: event hits per leaf of a copy, lost hours per accelerator, per year."""

    hits_per_leaf: Fraction
    hours_per_accelerator: Fraction

    def losses(self, site: Site, item: Hang) -> Sums:
        """Job hits and lost hours of one pool."""
        base = item.base
        hits = site.hits(base.duty, item.group.copies.number * item.group.leaves * self.hits_per_leaf)
        return hits.plus(site.hours(base.duty, base.accelerators * self.hours_per_accelerator))


def far(task: Task, shape: Shape, cabling: Cabling) -> Far:
    """Events above the leaf: they kill a job with the chance of a transient, otherwise they de-rate."""
    if shape.spine is None or cabling.spine is None:
        return Far(Fraction(0), Fraction(0))
    sale, site = task.sale, task.site
    up = Fraction(shape.up)
    # With cores above, every port of a spine is in use, whether by a leaf of its pod or upwards.
    whole = up / ports(shape.spine, shape.rate) if shape.core is None else Fraction(shape.spines, shape.pod)
    events = whole * far_box_events(sale, shape.spine)
    events += up * far_link_events(site, cabling.spine, shape.rate, shape.m)
    mttr = site.facility.switch_box_h
    hours = switch_derating(sale, shape.spine, mttr) + far_derating(site, cabling.spine)
    if shape.core is not None and cabling.core is not None:
        up = Fraction(shape.spine_up * shape.spines, shape.pod)
        events += up / ports(shape.core, shape.rate) * far_box_events(sale, shape.core)
        events += up * far_link_events(site, cabling.core, shape.rate, shape.m2)
        hours += switch_derating(sale, shape.core, mttr) + far_derating(site, cabling.core)
    return Far(site.facility.p_kill * events, hours)
