"""One scale-out fabric counted again: ports of the leaves, bandwidth upwards, cables above the leaves (section 7)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from designer.design.types import Fabric, PoolDesign
from designer.instance.schema import Instance
from designer.verify.attachments import LeafGroup, count_attachment
from designer.verify.boundaries import Cabling, Port, cable_up, check_rows, compare
from designer.verify.copies import Copies, check_copies
from designer.verify.exact import exact, ratio_up
from designer.verify.findings import Findings, UncountableError
from designer.verify.flat import cable_between, flat_of
from designer.verify.layout import FabricParts, Layout
from designer.verify.lengths import above_leaf_length
from designer.verify.pools import PoolCount
from designer.verify.rows import SiteRow, SwitchRow
from designer.verify.tree import tree_of

__all__ = ["FabricCount", "FabricParts", "count_fabric"]


@dataclass(frozen=True)
class FabricCount:
    """What the rules give for one fabric.

    ``groups`` are those of the pools on it, ``rate`` that of all links between switches. ``layout`` is of one copy,
    ``cablings`` and ``racks`` count all copies.
    """

    parts: FabricParts
    copies: Copies
    groups: tuple[LeafGroup, ...]
    rate: Fraction
    layout: Layout
    cablings: tuple[Cabling, ...]
    racks: int

    @property
    def uplinks(self) -> int:
        """Links of a leaf to other switches."""
        return self.layout.uplinks

    @property
    def boxes(self) -> tuple[tuple[SwitchRow, int], ...]:
        """Switches of all copies, from leaf to top."""
        counts = (layer.count for layer in self.layout.boxes)
        return tuple((row, self.copies.total * count) for row, count in zip(self.parts.switches, counts, strict=True))


def count_fabric(
    found: Findings,
    place: str,
    stated: Fabric,
    pools: Sequence[tuple[PoolDesign, PoolCount]],
    parts: FabricParts,
    instance: Instance,
    site: SiteRow,
) -> FabricCount:
    """Count a fabric and the attachment of the pools on it anew, and hold the stated numbers against them."""
    tree, leaf = stated.shape == "tree", parts.switches[0]
    lone = tree and len(parts.switches) == 1
    copies = check_copies(found, place, stated, [pool for _, pool in pools], instance)
    groups = tuple(count_attachment(found, design, pool, leaf, lone, copies, site) for design, pool in pools)
    leaves = 1 if lone else sum(group.leaves for group in groups)
    layout = (tree_of if tree else flat_of)(found, place, stated, parts, leaves)
    _leaf_ports(found, place, stated, groups, leaf, layout.uplinks, lone=lone)
    if not lone:
        _bandwidth(found, stated, groups, layout, instance)
    if tree and not lone:
        _tapers(found, place, stated, layout, instance)
    cablings = _cablings(found, place, stated, parts, layout, copies, site)
    count = FabricCount(parts, copies, groups, Fraction(stated.uplink_gbps), layout, cablings, racks=0)
    count = replace(count, racks=_network_racks(count, site))
    _compare(found, place, stated, count, lone=lone)
    _choices(found, place, stated, instance)
    return count


def _leaf_ports(
    found: Findings,
    place: str,
    stated: Fabric,
    groups: Sequence[LeafGroup],
    leaf: SwitchRow,
    uplinks: int,
    *,
    lone: bool,
) -> None:
    """Check that down and up ports of a leaf fit its radices together (one switch: of all pools)."""
    up = Fraction(0)
    if not lone:
        if not found.holds(
            "uplink_rate",
            place,
            stated.uplink_gbps in leaf.radix,
            stated.uplink_gbps,
            f"a port rate of {leaf.id}",
            "uplinks",
        ):
            raise UncountableError(place)
        up = Fraction(uplinks, leaf.radix[Fraction(stated.uplink_gbps)])
    down = []
    for group in groups:
        rate = group.copies.port_gbps(group.pool)
        where = f"pool {group.pool.name}, leaf"
        if not found.holds("leaf_rate", where, rate in leaf.radix, rate, f"a port rate of {leaf.id}", "NIC ports"):
            raise UncountableError(where)
        down.append(Fraction(group.down_ports, leaf.radix[rate]))
    loads = (
        {place: sum(down, Fraction(0))}
        if lone
        else {f"pool {group.pool.name}, leaf": load + up for group, load in zip(groups, down, strict=True)}
    )
    for where, load in loads.items():
        found.holds("leaf_ports", where, load <= 1, load, "at most 1", "share of a leaf's ports in use")


def _bandwidth(
    found: Findings, stated: Fabric, groups: Sequence[LeafGroup], layout: Layout, instance: Instance
) -> None:
    """Check that what lies above a leaf carries what leaves it, no more oversubscribed than the instance allows."""
    rate, limit = Fraction(stated.uplink_gbps), exact(instance.choose.max_taper)
    tree = stated.shape == "tree"
    for group in groups:
        where = f"pool {group.pool.name}, leaf"
        nic = group.copies.port_gbps(group.pool)
        found.holds("uplink_slow", where, rate >= nic, rate, f"at least {nic}", "no uplink is slower than a NIC port")
        # A NIC spreads its traffic evenly over the planes.
        need, down = group.group * group.need / group.copies.planes, group.down_ports * nic
        up = layout.uplinks * rate
        if tree:
            found.holds("leaf_uplinks", where, up >= need, up, f"at least {float(need)}", "Gb/s that must leave a leaf")
        else:
            up = layout.enough[0].gbps
        found.holds("leaf_taper", where, limit * up >= down, f"{down} down, {up} up", f"{limit} : 1", "largest taper")
        for bound in layout.enough:
            least = need * bound.leaves
            found.holds(bound.name, where, bound.gbps >= least, bound.gbps, f"at least {float(least)}", bound.what)


def _tapers(found: Findings, place: str, stated: Fabric, layout: Layout, instance: Instance) -> None:
    """Check the spines of a leaf, and the ports of the boxes that have some both ways."""
    fewest, limit = instance.choose.min_spines, exact(instance.choose.max_taper)
    spines = stated.spines_per_pod
    found.holds("min_spines", place, spines >= fewest, spines, f"at least {fewest}", "spines of a leaf")
    for boxes in layout.boxes[1:]:
        if boxes.up:
            held, ports = limit * boxes.up >= boxes.down, f"{boxes.down} down, {boxes.up} up"
            found.holds(f"{boxes.name}_taper_limit", place, held, ports, f"{limit} : 1", "largest taper")


def _cablings(
    found: Findings, place: str, stated: Fabric, parts: FabricParts, layout: Layout, copies: Copies, site: SiteRow
) -> tuple[Cabling, ...]:
    ports = [Port(frozenset({row.lane_gbps}), row.cpo.link if row.cpo else None) for row in parts.switches]
    cablings, rate = [], Fraction(stated.uplink_gbps)
    for level, (joined, (lower, upper)) in enumerate(zip(layout.joined, parts.links, strict=True)):
        where = f"{place}, {joined.name.replace('_', '-')} boundary"
        length = above_leaf_length(site, joined.name)
        below, above = ports[0], ports[0]
        if joined.between_leaves:
            found.equal("leaf_ends", where, upper.id, lower.id, "both ends of a link between leaves are one row")
            cabling = cable_between(joined, lower, rate, length, copies.total)
        else:
            below, above = ports[level], ports[level + 1]
            cabling = cable_up(joined.name, joined.wiring.times(copies.total), lower, upper, rate, length)
        compare(found, where, stated.boundaries[level], cabling)
        check_rows(found, where, cabling, below, above, board=False, in_rack=False)
        cablings.append(cabling)
    return tuple(cablings)


def _network_racks(count: FabricCount, site: SiteRow) -> int:
    watts = sum((boxes * row.watts for row, boxes in count.boxes), Fraction(0))
    watts += sum((group.nic_leaf.upper_watts for group in count.groups), Fraction(0))
    watts += sum((cabling.watts for cabling in count.cablings), Fraction(0))
    return ratio_up(watts, site.network_rack_watts)


def _compare(found: Findings, place: str, stated: Fabric, count: FabricCount, *, lone: bool) -> None:
    down = [group.down_ports for group in count.groups]
    for rule, field, number in count.layout.numbers:
        found.equal(rule, place, getattr(stated, field), number, field.replace("_", " "))
    if stated.shape == "tree":
        sides = (stated.dims, stated.links_per_pair)
        found.equal("direct_dims", place, sides, ((), ()), "a tree states no sides")
    found.equal("network_racks", place, stated.network_racks, count.racks, "racks of scale-out switches")
    for stage, boxes in zip(stated.stages, count.layout.boxes, strict=True):
        where, name = f"{place}, {boxes.name}", boxes.name
        below = (sum(down) if lone else max(down)) if name == "leaf" else boxes.down
        found.equal("stage_name", where, stage.name, name, "stages stand from leaf to top")
        found.equal(f"{name}_count", where, stage.count, boxes.count, "switches of the stage")
        found.equal(f"{name}_down_ports", where, stage.down_ports, below, "ports down per switch, fully populated")
        if stated.shape != "tree" or not boxes.up:
            # Links up a tree are held against the boxes they go over, where those are counted.
            found.equal(f"{name}_up_ports", where, stage.up_ports, boxes.up, "ports up per switch")


def _choices(found: Findings, place: str, stated: Fabric, instance: Instance) -> None:
    choose, pin, shape, stages = instance.choose, instance.pin, stated.shape, len(stated.stages)
    listed = ", ".join(choose.scale_out_shapes) or "none"
    found.holds("shape", place, shape in choose.scale_out_shapes, shape, listed, "shapes to choose from")
    if shape != "tree":
        asked = pin.taper is not None or pin.scale_out_stages is not None
        found.holds("pinned_tree", place, not asked, shape, "a tree", "a pinned taper or number of stages asks for one")
        single = instance.risk.max_single_failure_share is not None and shape != "mesh"
        message = "what a single failure takes of it is not known"
        found.holds("direct_single_failure", place, not single, shape, "a tree or mesh", message)
        return
    found.holds("stages", place, stages in choose.scale_out_stages, stages, choose.scale_out_stages, "stages to choose")
    if pin.scale_out_stages is not None:
        found.equal("pinned_stages", place, stages, pin.scale_out_stages, "the instance pins the stages")
    for name, least, taken, offered in (
        ("spine", 3, stated.spine_taper, choose.spine_tapers),
        ("core", 4, stated.core_taper, choose.core_tapers),
    ):
        if stages >= least:
            held = exact(taken) in [exact(taper) for taper in offered]
            found.holds(
                f"{name}_taper", place, held, taken, ", ".join(map(str, offered)), f"{name} tapers to choose from"
            )
