"""The stages of a tree above its leaves, counted again: one to four stages (section 7)."""

from __future__ import annotations

from fractions import Fraction

from designer.design.types import Fabric
from designer.verify.boundaries import Wiring
from designer.verify.exact import ratio_up
from designer.verify.findings import Findings, UncountableError
from designer.verify.layout import Bound, Boxes, FabricParts, Joined, Layout
from designer.verify.striping import Striping, split, stripe

NO_UPLINKS = ("links_per_leaf_spine", "spines_per_pod", "uplink_gbps")
NO_CORES = ("links_per_spine_core", "cores_per_spine")
NO_TOPS = ("zones", "pods_per_zone", "links_per_core_top", "tops_per_core", "core_taper")


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
        names = ("leaf", "spine")
        up = stripe(found, place, names, stated.stages[0].up_ports, spines, per_spine, highest=True)
        return _two(found, place, parts, leaves, up, rate)
    return _more(found, place, stated, parts, leaves)


def _least_one(found: Findings, place: str, what: str, *numbers: int) -> None:
    if not found.holds("whole_numbers", place, all(number >= 1 for number in numbers), numbers, "at least 1", what):
        raise UncountableError(place)


def _two(found: Findings, place: str, parts: FabricParts, leaves: int, up: Striping, rate: Fraction) -> Layout:
    uplinks, spines, down = up.links, up.boxes, up.most * leaves
    radix = parts.switches[1].radix[rate]
    found.holds("spine_ports", place, down <= radix, down, f"at most {radix}", "spine ports")
    wiring = Wiring(leaves * uplinks, up.tally(times=leaves), {uplinks: leaves}, up.tally(wide=leaves))
    return Layout(
        uplinks=uplinks,
        pod_leaves=leaves,
        boxes=(Boxes("leaf", leaves, 0, uplinks), Boxes("spine", spines, down, 0)),
        joined=(Joined("leaf_spine", wiring, up.tally(), Fraction(uplinks)),),
        # A leaf uses the share of the spines' ports that its links fill.
        above=((parts.switches[1], Fraction(uplinks, radix)),),
        # A full spine is the one that takes most.
        left=(Bound("spine", (uplinks - up.most) * rate, 1, "without one spine"),),
        leaf_gbps=uplinks * rate,
        ways=((2, 1), (2,)),
        numbers=(
            ("pods", "pods", 1),
            ("pod_leaves", "leaves_per_pod", leaves),
            *absent(*NO_CORES, *NO_TOPS),
        ),
    )


def _more(found: Findings, place: str, stated: Fabric, parts: FabricParts, leaves: int) -> Layout:
    """Three stages, and the part of four stages that is like them."""
    per_spine, spines, rate = stated.links_per_leaf_spine, stated.spines_per_pod, Fraction(stated.uplink_gbps)
    three, stages = len(parts.switches) == 3, stated.stages
    uplinks = stripe(found, place, ("leaf", "spine"), stages[0].up_ports, spines, per_spine, highest=False).links
    per_core, (spine, core) = stated.links_per_spine_core, (row.radix[rate] for row in parts.switches[1:3])
    names, links = ("spine", "cores", "leaves"), (per_spine, per_core)
    up, pod = split(found, place, names, spine, stated.spine_taper, links, stages[1].up_ports, highest=three)
    cores, spine_up, spine_down, pods = up.boxes, up.links, pod * per_spine, ratio_up(leaves, pod)
    in_all = pods * spines
    # Pods are bought whole: a spine has cages for all the leaves of its pod.
    lower = Wiring(leaves * uplinks, {per_spine: leaves * spines}, {uplinks: leaves}, {spine_down: in_all})
    used = Fraction(spine_up * spines, pod)
    pairs, ends = up.tally(times=in_all), {spine_up: in_all}
    boxes = (Boxes("leaf", leaves, 0, uplinks), Boxes("spine", in_all, spine_down, spine_up))
    joined = Joined("leaf_spine", lower, {per_spine: spines}, Fraction(uplinks))
    spines_of_leaf = (parts.switches[1], Fraction(spines, pod))
    enough = Bound("pod_uplinks", spines * spine_up * rate, pod, "Gb/s that leave a pod")
    numbers: tuple[tuple[str, str, object], ...] = (
        ("pods", "pods", pods),
        ("pod_leaves", "leaves_per_pod", pod),
        ("cores_per_spine", "cores_per_spine", cores),
    )
    if three:
        down = per_core * pods
        found.holds("core_ports", place, down <= core, down, f"at most {core}", "core ports")
        upper = Wiring(in_all * spine_up, pairs, ends, up.tally(wide=pods, times=spines))
        return Layout(
            uplinks=uplinks,
            pod_leaves=pod,
            boxes=(*boxes, Boxes("core", spines * cores, down, 0)),
            joined=(joined, Joined("spine_core", upper, up.tally(), used)),
            above=(spines_of_leaf, (parts.switches[2], used / core)),
            enough=(enough,),
            left=_left(spines, per_spine, pod, up.shares(), None, rate),
            leaf_gbps=uplinks * rate,
            ways=((2, 2, 1), (2, 2)),
            numbers=(*numbers, *absent(*NO_TOPS)),
        )
    per_top, top = stated.links_per_core_top, parts.switches[3].radix[rate]
    names, links = ("core", "tops", "pods"), (per_core, per_top)
    out, zone = split(found, place, names, core, stated.core_taper, links, stages[2].up_ports, highest=True)
    tops, core_up, core_down, zones = out.boxes, out.links, zone * per_core, ratio_up(pods, zone)
    all_cores, in_zone, top_down = zones * spines * cores, zone * pod, per_top * zones
    found.holds("top_ports", place, top_down <= top, top_down, f"at most {top}", "top ports")
    # Zones are bought whole, like pods. Core j of every zone meets the same tops.
    upper = Wiring(in_all * spine_up, pairs, ends, {core_down: all_cores})
    highest = Wiring(
        all_cores * core_up,
        out.tally(times=all_cores),
        {core_up: all_cores},
        out.tally(wide=zones, times=spines * cores),
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
            Joined("spine_core", upper, up.tally(), used),
            Joined("core_top", highest, out.tally(), to_tops),
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
        Links' worth that a pod has by way of each core of a spine, the most first.
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
