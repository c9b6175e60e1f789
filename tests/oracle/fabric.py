"""The shared scale-out fabric: its shapes, what they carry and hold, and what fails above the leaf (7 to 9)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import product

from oracle.attach import Hang, fits
from oracle.boxes import far_box_events, switch_derating
from oracle.cables import Pair, far_derating, far_link_events
from oracle.flat import Flat, flats
from oracle.money import Site, Sums
from oracle.parts import Switch, ceil_div, exact
from oracle.task import ONE_COPY, Copies, Task

Kind = int | str
"""Stages of a tree, or how leaves are joined directly."""


@dataclass(frozen=True)
class Shape:
    """A fabric but for its cables: ``m`` links from a leaf to each of ``spines`` (of a pod with 3 stages).

    With 3 stages every spine has ``m2`` links to each of ``cores`` cores, with 4 every core ``m3`` to each of ``tops``
    tops; ``pod`` leaves fill a pod, ``zone`` pods a zone. Of the switches that a box meets at the highest boundary
    ``missing`` get a link less. ``flat`` says how leaves without spines are joined. All counts are those of one of the
    ``copies``.
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
    top: Switch | None = None
    core_taper: Fraction = Fraction(0)
    m3: int = 0
    tops: int = 0
    flat: Flat | None = None
    missing: int = 0

    @property
    def stages(self) -> int:
        """Layers of switches."""
        return sum(switch is not None for switch in self.boxes)

    @property
    def alone(self) -> bool:
        """Whether one switch is all there is."""
        return self.stages == 1 and self.flat is None

    @property
    def boxes(self) -> tuple[Switch | None, ...]:
        """Switches from leaf to top."""
        return self.leaf, self.spine, self.core, self.top

    @property
    def up(self) -> int:
        """Links of a leaf to other switches, U."""
        return self.upward(0) if self.flat is None else self.flat.up

    @property
    def carried(self) -> Fraction:
        """Links' worth of traffic of a leaf that the links above it carry."""
        return Fraction(self.up) if self.flat is None else self.flat.carried

    @property
    def spine_up(self) -> int:
        """Links up of a spine, U_s."""
        return self.upward(1)

    @property
    def core_up(self) -> int:
        """Links up of a core, U_c."""
        return self.upward(2)

    def strands(self, place: int) -> list[tuple[int, int]]:
        """How many switches a box meets at a boundary, counted from the leaf, and by how many links each.

        Examples
        --------
        >>> from types import SimpleNamespace as Some
        >>> some = Some(m=3, spines=22, m2=0, cores=0, m3=0, tops=0, stages=2, missing=2)
        >>> Shape.strands(some, 0)
        [(20, 3), (2, 2)]
        """
        each, many = ((self.m, self.spines), (self.m2, self.cores), (self.m3, self.tops))[place]
        if self.missing and place == self.stages - 2:
            return [(many - self.missing, each), (self.missing, each - 1)]
        return [(many, each)]

    def upward(self, place: int) -> int:
        """Links up of a box below a boundary."""
        return sum(many * each for many, each in self.strands(place))

    @property
    def pod(self) -> int:
        """Leaves that a pod of 3 or 4 stages holds, L."""
        assert self.spine is not None
        return (ports(self.spine, self.rate) - self.spine_up) // self.m

    @property
    def zone(self) -> int:
        """Pods that a zone of 4 stages holds, Z."""
        assert self.core is not None
        return (ports(self.core, self.rate) - self.core_up) // self.m2

    def pods(self, leaves: int) -> int:
        """Pods that ``leaves`` leaves need; 1 with two stages."""
        return ceil_div(leaves, self.pod) if self.stages > 2 else 1

    def zones(self, leaves: int) -> int:
        """Zones that they need; 1 with three stages."""
        return ceil_div(self.pods(leaves), self.zone) if self.stages > 3 else 1


@dataclass(frozen=True)
class Cabling:
    """Link rows of the boundaries between switches, from the leaf up, the same in every copy."""

    pairs: tuple[Pair, ...] = ()


def ports(switch: Switch, rate: int) -> int:
    """Ports of a switch at a rate that it is known to have."""
    found = switch.ports(rate)
    assert found is not None
    return found


def kinds(task: Task) -> Sequence[Kind]:
    """Trees and other fabrics that a question allows."""
    return (*task.stages, *task.flat)


def shapes(task: Task, kind: Kind, copies: Copies, most: int) -> Iterator[Shape]:
    """List every fabric of a kind and some copies, whatever hangs below it; ``most`` leaves at most if joined."""
    for leaf in task.sale.scale_out:
        if task.instance.pin.leaf_switch not in (None, leaf.id):
            continue
        if isinstance(kind, str):
            for rate, radix in sorted(leaf.radix):
                yield from (Shape(leaf, rate=rate, copies=copies, flat=flat) for flat in flats(kind, radix, most))
        else:
            yield from _trees(task, Shape(leaf, copies=copies), kind)


def _trees(task: Task, low: Shape, stages: int) -> Iterator[Shape]:
    if stages == 1:
        yield low
        return
    for shape in _with_spines(task, low, highest=stages == 2):
        if stages == 2:
            yield shape
            continue
        for higher in _with_cores(task, shape, highest=stages == 3):
            if stages == 3:
                yield higher
            else:
                yield from _with_tops(task, higher)


def _with_spines(task: Task, low: Shape, *, highest: bool) -> Iterator[Shape]:
    leaf = low.leaf
    for spine in task.sale.scale_out:
        if spine.protocol != leaf.protocol or task.instance.pin.spine_switch not in (None, spine.id):
            continue
        for rate in sorted(dict(leaf.radix).keys() & dict(spine.radix).keys()):
            for up, spines in product(range(1, ports(leaf, rate) + 1), range(1, ports(leaf, rate) + 1)):
                m = ceil_div(up, spines)
                if spines < task.instance.choose.min_spines or m > ports(spine, rate) or ceil_div(up, m) != spines:
                    continue
                if highest or m * spines == up:
                    yield replace(low, spine=spine, rate=rate, m=m, spines=spines, missing=m * spines - up)


def _with_cores(task: Task, low: Shape, *, highest: bool) -> Iterator[Shape]:
    assert low.spine is not None
    radix = ports(low.spine, low.rate)
    for taper, m2, cores, up in uplinks(radix, task.instance.choose.spine_tapers, uneven=highest):
        if radix - up < low.m:
            continue
        for core in _boxes_above(task, low, task.instance.pin.core_switch):
            yield replace(low, core=core, taper=taper, m2=m2, cores=cores, missing=m2 * cores - up)


def _with_tops(task: Task, low: Shape) -> Iterator[Shape]:
    assert low.core is not None
    radix = ports(low.core, low.rate)
    for taper, m3, tops, up in uplinks(radix, task.instance.choose.core_tapers, uneven=True):
        if radix - up < low.m2:
            continue
        for top in _boxes_above(task, low, task.instance.pin.top_switch):
            yield replace(low, top=top, core_taper=taper, m3=m3, tops=tops, missing=m3 * tops - up)


def _boxes_above(task: Task, low: Shape, pin: str | None) -> list[Switch]:
    return [
        box
        for box in task.sale.scale_out
        if box.protocol == low.leaf.protocol and pin in (None, box.id) and box.ports(low.rate) is not None
    ]


def uplinks(radix: int, tapers: Sequence[float], *, uneven: bool) -> list[tuple[Fraction, int, int, int]]:
    """Ways to divide the uplinks of a switch: taper, links to each (full) switch above, how many there are, and links.

    Examples
    --------
    >>> [way[1:] for way in uplinks(4, [1.0, 3.0], uneven=True)]
    [(1, 2, 2), (2, 1, 2), (1, 1, 1)]
    >>> [way[1:] for way in uplinks(10, [1.0], uneven=True) if way[1] * way[2] != way[3]]
    [(3, 2, 5), (2, 3, 5)]
    """
    found: dict[tuple[int, int, int], Fraction] = {}
    for x in tapers:
        most = ceil_div(radix, 1 + exact(x))
        for each in range(1, most + 1):
            found.setdefault((each, most // each, each * (most // each)), exact(x))
        for above in range(1, most + 1) if uneven else ():
            each = ceil_div(most, above)
            if ceil_div(most, each) == above:
                found.setdefault((each, above, most), exact(x))
    return [(x, *way) for way, x in found.items()]


def carries(task: Task, shape: Shape, item: Hang) -> bool:
    """Whether the leaves of a pool fit the fabric's ports and their uplinks carry its traffic."""
    nic_rate, group = item.rate, item.group
    if group.copies != shape.copies or not fits(item.base, shape.copies):
        return False
    traffic = group.size * group.need / shape.copies.planes
    down = Fraction(item.down_ports, ports(shape.leaf, nic_rate))
    if shape.alone:
        return True
    if shape.rate < nic_rate:
        return False
    if down + Fraction(shape.up, ports(shape.leaf, shape.rate)) > 1:
        return False
    if shape.carried * shape.rate < traffic:
        return False
    if task.max_taper * shape.carried * shape.rate < item.down_ports * nic_rate:
        return False
    return taper_held(task, shape, item) and carried_above(shape, traffic / shape.rate)


def carried_above(shape: Shape, links: Fraction) -> bool:
    """Whether spines and cores carry what leaves of so many links' worth of traffic send."""
    if shape.stages > 2 and shape.spines * shape.spine_up < shape.pod * links:
        return False
    return shape.stages < 4 or shape.spines * shape.cores * shape.core_up >= shape.zone * shape.pod * links


def taper_held(task: Task, shape: Shape, item: Hang) -> bool:
    """Whether a full leaf with uplinks has exactly the taper that is pinned."""
    if task.taper is None or shape.alone:
        return True
    return Fraction(item.down_ports * item.rate, shape.up * shape.rate) == task.taper


def tapers_above(task: Task, shape: Shape) -> bool:
    """Whether there is room in a pod and a zone, and spines and cores keep the greatest taper."""
    if shape.stages > 2 and (shape.pod < 1 or task.max_taper * shape.spine_up < shape.pod * shape.m):
        return False
    return shape.stages < 4 or (shape.zone >= 1 and task.max_taper * shape.core_up >= shape.zone * shape.m2)


def holds(task: Task, shape: Shape, items: tuple[Hang, ...]) -> bool:
    """Whether the fabric has the ports for all leaves together."""
    leaves = sum(item.group.leaves for item in items)
    if shape.alone:
        used = [Fraction(item.down_ports, ports(shape.leaf, item.rate)) for item in items]
        return sum(used) <= 1
    if shape.flat is not None:
        # What a grid or groups of leaves lose to one failure is not known: they are not offered where it is limited.
        offered = shape.flat.kind == "mesh" or task.most_at_once is None
        return offered and shape.flat.holds(leaves)
    assert shape.spine is not None
    if shape.stages == 2:
        return shape.m * leaves <= ports(shape.spine, shape.rate)
    assert shape.core is not None
    if not tapers_above(task, shape):
        return False
    if shape.top is not None:
        return shape.m3 * shape.zones(leaves) <= ports(shape.top, shape.rate)
    return shape.m2 * shape.pods(leaves) <= ports(shape.core, shape.rate)


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
    sale, site = task.sale, task.site
    events = hours = Fraction(0)
    for switch, boxes in boxes_per_leaf(shape):
        events += boxes * far_box_events(sale, switch)
        hours += switch_derating(sale, switch, site.facility.switch_box_h)
    for pair, (links, strands) in zip(cabling.pairs, links_per_leaf(shape), strict=True):
        events += links * far_link_events(site, pair, shape.rate, strands)
        hours += far_derating(site, pair)
    return Far(site.facility.p_kill * events, hours)


def boxes_per_leaf(shape: Shape) -> list[tuple[Switch, Fraction]]:
    """Switches above a leaf, or of other leaves that carry its traffic, that are charged to it."""
    if shape.flat is not None:
        return [(shape.leaf, Fraction(shape.up, ports(shape.leaf, shape.rate)))]
    found: list[tuple[Switch, Fraction]] = []
    links = [links for links, _ in links_per_leaf(shape)]
    if shape.spine is not None:
        # With cores above, every port of a spine is in use, whether by a leaf of its pod or upwards.
        part = links[0] / ports(shape.spine, shape.rate) if shape.core is None else Fraction(shape.spines, shape.pod)
        found.append((shape.spine, part))
    if shape.core is not None:
        part = links[1] / ports(shape.core, shape.rate)
        if shape.top is not None:
            part = Fraction(shape.spines * shape.cores, shape.zone * shape.pod)
        found.append((shape.core, part))
    if shape.top is not None:
        found.append((shape.top, links[2] / ports(shape.top, shape.rate)))
    return found


def links_per_leaf(shape: Shape) -> list[tuple[Fraction, list[tuple[int, int]]]]:
    """Links of every boundary between switches that are charged to a leaf, and how a box's run together."""
    if shape.flat is not None:
        return [(Fraction(bundle.each, 2), [(1, bundle.m)]) for bundle in shape.flat.bundles]
    found = []
    if shape.spine is not None:
        found.append((Fraction(shape.up), shape.strands(0)))
    if shape.core is not None:
        found.append((Fraction(shape.spines * shape.spine_up, shape.pod), shape.strands(1)))
    if shape.top is not None:
        upper = shape.spines * shape.cores * shape.core_up
        found.append((Fraction(upper, shape.zone * shape.pod), shape.strands(2)))
    return found
