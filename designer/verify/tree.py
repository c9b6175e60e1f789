"""The stages of a tree above its leaves, counted again: one to four stages (section 7)."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from designer.design.types import Fabric
from designer.verify.boundaries import Tally, Wiring
from designer.verify.exact import exact, ratio_up
from designer.verify.findings import Findings, UncountableError
from designer.verify.layout import Bound, Boxes, FabricParts, Joined, Layout

NO_UPLINKS = ("links_per_leaf_spine", "spines_per_pod", "uplink_gbps")
NO_CORES = ("links_per_spine_core", "cores_per_spine")
NO_TOPS = ("zones", "pods_per_zone", "links_per_core_top", "tops_per_core", "core_taper")


@dataclass(frozen=True)
class Stripe:
    """Links of one box to those above it: ``full`` boxes get ``links``, ``lean`` ones a link less."""

    links: int
    full: int
    lean: int = 0

    @property
    def boxes(self) -> int:
        """Boxes above."""
        return self.full + self.lean

    @property
    def up(self) -> int:
        """Links up."""
        return self.links * self.full + (self.links - 1) * self.lean

    def tally(self, boxes: int, below: int = 1) -> Tally:
        """Tally ``boxes`` as many pairs as there are boxes above, by their links: ``below`` times those of one pair."""
        found = {self.links * below: self.full * boxes}
        return {**found, (self.links - 1) * below: self.lean * boxes} if self.lean else found


def _evenly(up: int, links: int, boxes: int) -> Stripe:
    lean = links * boxes - up
    return Stripe(links, boxes - lean, lean)


def _leaf_stripe(found: Findings, place: str, up: int, links: int, boxes: int) -> Stripe:
    """Spread the links of a leaf over its spines as evenly as they can be, at most ``links`` to one."""
    # The fewest links that this many boxes get, and the fewest boxes for so many links to each.
    least, fewest = ratio_up(up, boxes), ratio_up(up, links)
    held = up >= 1 and (least, fewest) == (links, boxes)
    words = f"{up} up, {links} to each of {boxes}"
    allowed = f"{up} up with {least} to each of {boxes}, or with {links} to each of {fewest}"
    if not found.holds("striping", place, held, words, allowed, "links of a leaf go evenly over its spines"):
        # Counted on as the even wiring that the other numbers state.
        return Stripe(links, boxes)
    return _evenly(up, links, boxes)


def absent(*fields: str) -> tuple[tuple[str, str, object], ...]:
    """Numbers of stages that a fabric has not: all are 0."""
    return tuple(("absent_stage", field, 0) for field in fields)


def tree_of(found: Findings, place: str, stated: Fabric, parts: FabricParts, leaves: int) -> Layout:
    """Count the part of one copy above ``leaves`` leaves; raise `UncountableError` where that is futile."""
    stages = len(parts.switches)
    if stages == 1:
        numbers = (("pods", "pods", 1), ("pod_leaves", "leaves_per_pod", 1))
        return Layout(
            boxes=(Boxes("leaf", 1, 0, 0),),
            ways=((1,), ()),
            numbers=(*numbers, *absent(*NO_UPLINKS, *NO_CORES, *NO_TOPS)),
        )
    per_spine, spines, rate = stated.links_per_leaf_spine, stated.spines_per_pod, Fraction(stated.uplink_gbps)
    _least_one(found, place, "links and spines", per_spine, spines)
    for row in parts.switches[1:]:
        if not found.holds("uplink_rate", place, rate in row.radix, rate, f"a port rate of {row.id}", "uplink rate"):
            raise UncountableError(place)
    if stages == 2:
        stripe = _leaf_stripe(found, f"{place}, leaf", stated.stages[0].up_ports, per_spine, spines)
        return _two(found, place, parts, leaves, stripe, rate)
    return _more(found, place, stated, parts, leaves)


def _least_one(found: Findings, place: str, what: str, *numbers: int) -> None:
    if not found.holds("whole_numbers", place, all(number >= 1 for number in numbers), numbers, "at least 1", what):
        raise UncountableError(place)


def _two(found: Findings, place: str, parts: FabricParts, leaves: int, stripe: Stripe, rate: Fraction) -> Layout:
    uplinks, spines, down = stripe.up, stripe.boxes, stripe.links * leaves
    radix = parts.switches[1].radix[rate]
    found.holds("spine_ports", place, down <= radix, down, f"at most {radix}", "spine ports")
    wiring = Wiring(leaves * uplinks, stripe.tally(leaves), {uplinks: leaves}, stripe.tally(1, leaves))
    return Layout(
        uplinks=uplinks,
        pod_leaves=leaves,
        boxes=(Boxes("leaf", leaves, 0, uplinks), Boxes("spine", spines, down, 0)),
        joined=(Joined("leaf_spine", wiring, Fraction(uplinks)),),
        # A leaf uses the share of the spines' ports that its links fill.
        above=((parts.switches[1], Fraction(uplinks, radix)),),
        left=(Bound("spine", (uplinks - stripe.links) * rate, 1, "without one spine"),),
        leaf_gbps=uplinks * rate,
        ways=((2, 1), (2,)),
        numbers=(
            ("pods", "pods", 1),
            ("pod_leaves", "leaves_per_pod", leaves),
            *absent(*NO_CORES, *NO_TOPS),
        ),
    )


def _split(
    found: Findings,
    place: str,
    names: tuple[str, str, str, str],
    radix: int,
    taper: float,
    links: tuple[int, int],
    striped: tuple[int, int] | None,
) -> tuple[Stripe, int]:
    """Divide the ports of a switch by its taper: its links to the boxes above it, and boxes below it that it takes.

    ``striped``: links up and boxes above that are stated where links need not be even.
    """
    name, rule, above, below = names
    down, up = links
    ratio = exact(taper)
    if not found.holds("whole_numbers", place, up >= 1 and ratio >= 1, (up, ratio), "at least 1", f"{name} upwards"):
        raise UncountableError(place)
    most = ratio_up(radix, 1 + ratio)
    more = most // up
    stripe = Stripe(up, more)
    if striped == (most, ratio_up(most, up)) and ratio_up(most, striped[1]) == up:
        # All of the links that the taper gives.
        more = striped[1]
        stripe = _evenly(most, up, more)
    less = (radix - stripe.up) // down
    if not found.holds(
        rule,
        place,
        more >= 1 and less >= 1,
        f"{more} {above}, {less} {below}",
        "at least 1 of each",
        f"a {name} has ports for {above} and {below}",
    ):
        raise UncountableError(place)
    return stripe, less


def _more(found: Findings, place: str, stated: Fabric, parts: FabricParts, leaves: int) -> Layout:
    """Three stages, and the part of four stages that is like them."""
    per_spine, spines, rate = stated.links_per_leaf_spine, stated.spines_per_pod, Fraction(stated.uplink_gbps)
    per_core, uplinks = stated.links_per_spine_core, per_spine * spines
    spine, core = (row.radix[rate] for row in parts.switches[1:3])
    words = ("spine", "spine_ports", "cores", "leaves")
    given = stated.stages[1].up_ports, stated.cores_per_spine
    free = given if len(parts.switches) == 3 else None
    stripe, pod = _split(found, place, words, spine, stated.spine_taper, (per_spine, per_core), free)
    cores, spine_up = stripe.boxes, stripe.up
    spine_down, pods = pod * per_spine, ratio_up(leaves, pod)
    in_all = pods * spines
    # Pods are bought whole: a spine has cages for all the leaves of its pod.
    lower = Wiring(leaves * uplinks, {per_spine: leaves * spines}, {uplinks: leaves}, {spine_down: in_all})
    used = Fraction(spine_up * spines, pod)
    pairs, ends = stripe.tally(in_all), {spine_up: in_all}
    boxes = (Boxes("leaf", leaves, 0, uplinks), Boxes("spine", in_all, spine_down, spine_up))
    joined = Joined("leaf_spine", lower, Fraction(uplinks))
    spines_of_leaf = (parts.switches[1], Fraction(spines, pod))
    enough = Bound("pod_uplinks", spines * spine_up * rate, pod, "Gb/s that leave a pod")
    numbers: tuple[tuple[str, str, object], ...] = (
        ("pods", "pods", pods),
        ("pod_leaves", "leaves_per_pod", pod),
        ("cores_per_spine", "cores_per_spine", cores),
    )
    if len(parts.switches) == 3:
        down = per_core * pods
        found.holds("core_ports", place, down <= core, down, f"at most {core}", "core ports")
        upper = Wiring(in_all * spine_up, pairs, ends, stripe.tally(spines, pods))
        ways = [Fraction(per_core)] * stripe.full + [Fraction(per_core - 1)] * stripe.lean
        return Layout(
            uplinks=uplinks,
            pod_leaves=pod,
            boxes=(*boxes, Boxes("core", spines * cores, down, 0)),
            joined=(joined, Joined("spine_core", upper, used)),
            above=(spines_of_leaf, (parts.switches[2], used / core)),
            enough=(enough,),
            left=_left(spines, per_spine, pod, ways, None, rate),
            leaf_gbps=uplinks * rate,
            ways=((2, 2, 1), (2, 2)),
            numbers=(*numbers, *absent(*NO_TOPS)),
        )
    per_top, top = stated.links_per_core_top, parts.switches[3].radix[rate]
    words = ("core", "core_ports", "tops", "pods")
    given = stated.stages[2].up_ports, stated.tops_per_core
    highest_stripe, zone = _split(found, place, words, core, stated.core_taper, (per_core, per_top), given)
    tops, core_up = highest_stripe.boxes, highest_stripe.up
    core_down, zones = zone * per_core, ratio_up(pods, zone)
    all_cores, in_zone, top_down = zones * spines * cores, zone * pod, per_top * zones
    found.holds("top_ports", place, top_down <= top, top_down, f"at most {top}", "top ports")
    # Zones are bought whole, like pods. Core j of every zone meets the same tops.
    upper = Wiring(in_all * spine_up, pairs, ends, {core_down: all_cores})
    highest = Wiring(
        all_cores * core_up,
        highest_stripe.tally(all_cores),
        {core_up: all_cores},
        highest_stripe.tally(spines * cores, zones),
    )
    out_of_zone = spines * cores * core_up
    to_tops, whole = Fraction(out_of_zone, in_zone), Fraction(per_core)
    each, short = min(whole, Fraction(core_up, zone)), min(whole, Fraction(core_up - per_top, zone))
    return Layout(
        uplinks=uplinks,
        pod_leaves=pod,
        boxes=(
            *boxes,
            Boxes("core", all_cores, core_down, core_up),
            Boxes("top", spines * cores * tops, top_down, 0),
        ),
        joined=(
            joined,
            Joined("spine_core", upper, used),
            Joined("core_top", highest, to_tops),
        ),
        above=(
            spines_of_leaf,
            (parts.switches[2], Fraction(spines * cores, in_zone)),
            (parts.switches[3], to_tops / top),
        ),
        enough=(enough, Bound("zone_uplinks", out_of_zone * rate, in_zone, "Gb/s that leave a zone")),
        left=_left(spines, per_spine, pod, [each] * cores, short, rate),
        leaf_gbps=uplinks * rate,
        ways=((2, 2, 2, 1), (2, 2, 2)),
        numbers=(
            *numbers,
            ("zones", "zones", zones),
            ("pods_per_zone", "pods_per_zone", zone),
            ("tops_per_core", "tops_per_core", tops),
        ),
    )


def _left(
    spines: int, per_spine: int, pod: int, cores: list[Fraction], short: Fraction | None, rate: Fraction
) -> tuple[Bound, ...]:
    """What a leaf can still send without one of the boxes above.

    Parameters
    ----------
    spines, per_spine, pod
        Spines of a pod, links of a leaf to each, leaves of a pod.
    cores
        Links' worth that a pod has by way of each core of a spine; those with the most come first.
    short
        The same of a core that lacks one of its tops (None: no tops).
    rate
        Gb/s of a link.
    """

    def by_spine(ways: list[Fraction]) -> Fraction:
        return min(Fraction(per_spine), sum(ways, Fraction(0)) / pod)

    others = (spines - 1) * by_spine(cores)
    sums = [("spine", Fraction(0)), ("core", by_spine(cores[1:]))]
    if short is not None:
        sums.append(("top", by_spine([*cores[1:], short])))
    return tuple(Bound(name, (others + own) * rate, 1, f"without one {name}") for name, own in sums)
