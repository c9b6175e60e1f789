"""One scale-out fabric counted again: stages, ports, tapers, pods, cables above the leaves (section 7)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction

from designer.design.types import Fabric, PoolDesign
from designer.instance.schema import Instance
from designer.verify.attachments import LeafGroup, count_attachment
from designer.verify.boundaries import Cabling, Port, Wiring, cable_up, check_rows, compare
from designer.verify.copies import Copies, check_copies
from designer.verify.exact import exact, ratio_up
from designer.verify.findings import Findings, UncountableError
from designer.verify.lengths import above_leaf_length
from designer.verify.pools import PoolCount
from designer.verify.rows import LinkRow, SiteRow, SwitchRow


@dataclass(frozen=True)
class FabricParts:
    """The exact rows a fabric names: switches from leaf to core, link pairs of its boundaries."""

    switches: tuple[SwitchRow, ...]
    links: tuple[tuple[LinkRow, LinkRow], ...]


@dataclass(frozen=True)
class FabricCount:
    """What the rules give for one copy of a fabric. Ports and boxes of absent stages are 0.

    ``groups`` are those of the pools on it; ``uplinks`` = U, ``spine_up`` = U_s, ``pod_leaves`` = L,
    ``spines_per_pod`` = n_s. ``cablings`` and ``racks`` count all copies.
    """

    parts: FabricParts
    copies: Copies
    groups: tuple[LeafGroup, ...]
    rate: Fraction
    uplinks: int
    spines_per_pod: int
    spine_up: int
    pod_leaves: int
    links_per_spine: int
    links_per_core: int
    leaves: int
    spines: int
    cores: int
    cablings: tuple[Cabling, ...]
    racks: int

    @property
    def stages(self) -> int:
        """Number of stages."""
        return len(self.parts.switches)

    @property
    def boxes(self) -> tuple[tuple[SwitchRow, int], ...]:
        """Switches of all copies, from leaf to core."""
        counts = (self.leaves, self.spines, self.cores)
        return tuple((row, self.copies.total * count) for row, count in zip(self.parts.switches, counts, strict=False))


@dataclass
class _Shape:
    """Counts of the part above the leaves; the defaults are those of a fabric of one stage."""

    uplinks: int = 0
    spine_up: int = 0
    pod_leaves: int = 1
    pods: int = 1
    spines: int = 0
    cores: int = 0
    spine_down: int = 0
    core_down: int = 0
    wirings: list[Wiring] = field(default_factory=list)


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
    stages = len(parts.switches)
    leaf = parts.switches[0]
    copies = check_copies(found, place, stated, [pool for _, pool in pools], instance)
    groups = tuple(count_attachment(found, design, pool, leaf, stages, copies, site) for design, pool in pools)
    leaves = 1 if stages == 1 else sum(group.leaves for group in groups)
    shape = _shape(found, place, stated, parts, leaves)
    _leaf_ports(found, place, stated, groups, leaf, shape.uplinks, stages)
    if stages > 1:
        _tapers(found, place, stated, groups, shape, instance)
    cablings = _cablings(found, place, stated, parts, shape, copies, site)
    count = FabricCount(
        parts=parts,
        copies=copies,
        groups=groups,
        rate=Fraction(stated.uplink_gbps),
        uplinks=shape.uplinks,
        spines_per_pod=stated.spines_per_pod if stages > 1 else 0,
        spine_up=shape.spine_up,
        pod_leaves=shape.pod_leaves,
        links_per_spine=stated.links_per_leaf_spine,
        links_per_core=stated.links_per_spine_core,
        leaves=leaves,
        spines=shape.spines,
        cores=shape.cores,
        cablings=cablings,
        racks=0,
    )
    count = replace(count, racks=_network_racks(count, site))
    _compare(found, place, stated, count, shape)
    _choices(found, place, stated, stages, instance)
    return count


def _shape(found: Findings, place: str, stated: Fabric, parts: FabricParts, leaves: int) -> _Shape:
    stages = len(parts.switches)
    per_spine, spines, rate = stated.links_per_leaf_spine, stated.spines_per_pod, Fraction(stated.uplink_gbps)
    if stages == 1:
        return _Shape()
    if not found.holds(
        "whole_numbers", place, per_spine >= 1 and spines >= 1, (per_spine, spines), "at least 1", "links and spines"
    ):
        raise UncountableError(place)
    for row in parts.switches[1:]:
        if not found.holds("uplink_rate", place, rate in row.radix, rate, f"a port rate of {row.id}", "uplink rate"):
            raise UncountableError(place)
    radix = parts.switches[1].radix[rate]
    shape = _Shape(uplinks=per_spine * spines)
    lower = {shape.uplinks: leaves}
    if stages == 2:
        shape.spines, shape.spine_down, shape.pod_leaves = spines, per_spine * leaves, leaves
        found.holds(
            "spine_ports", place, shape.spine_down <= radix, shape.spine_down, f"at most {radix}", "spine ports"
        )
        upper = {shape.spine_down: spines}
        shape.wirings = [Wiring(leaves * shape.uplinks, {per_spine: leaves * spines}, lower, upper)]
        return shape
    per_core, cores = stated.links_per_spine_core, stated.cores_per_spine
    taper = exact(stated.spine_taper)
    if not found.holds(
        "whole_numbers", place, per_core >= 1 and taper >= 1, (per_core, taper), "at least 1", "spine-core"
    ):
        raise UncountableError(place)
    want = ratio_up(radix, 1 + taper) // per_core
    found.equal("cores_per_spine", place, cores, want, "cores of a spine: U0 // m2")
    shape.spine_up = per_core * want
    shape.pod_leaves = (radix - shape.spine_up) // per_spine
    if not found.holds(
        "spine_ports",
        place,
        want >= 1 and shape.pod_leaves >= 1,
        f"{want} cores, {shape.pod_leaves} leaves",
        "at least 1 of each",
        "a spine has ports for cores and leaves",
    ):
        raise UncountableError(place)
    shape.pods = ratio_up(leaves, shape.pod_leaves)
    shape.spines, shape.cores = shape.pods * spines, spines * want
    shape.spine_down, shape.core_down = shape.pod_leaves * per_spine, per_core * shape.pods
    core_radix = parts.switches[2].radix[rate]
    found.holds(
        "core_ports", place, shape.core_down <= core_radix, shape.core_down, f"at most {core_radix}", "core ports"
    )
    shape.wirings = [
        Wiring(leaves * shape.uplinks, {per_spine: leaves * spines}, lower, {shape.spine_down: shape.spines}),
        Wiring(
            shape.spines * shape.spine_up,
            {per_core: shape.spines * want},
            {shape.spine_up: shape.spines},
            {shape.core_down: shape.cores},
        ),
    ]
    return shape


def _leaf_ports(
    found: Findings,
    place: str,
    stated: Fabric,
    groups: Sequence[LeafGroup],
    leaf: SwitchRow,
    uplinks: int,
    stages: int,
) -> None:
    """Check that down and up ports of a leaf fit its radices together (one stage: of all pools)."""
    up = Fraction(0)
    if stages > 1:
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
        if stages == 1
        else {f"pool {group.pool.name}, leaf": load + up for group, load in zip(groups, down, strict=True)}
    )
    for where, load in loads.items():
        found.holds("leaf_ports", where, load <= 1, load, "at most 1", "share of a leaf's ports in use")


def _tapers(
    found: Findings, place: str, stated: Fabric, groups: Sequence[LeafGroup], shape: _Shape, instance: Instance
) -> None:
    """Check bandwidth upwards: enough for the need, no more oversubscribed than the instance allows."""
    rate, limit = Fraction(stated.uplink_gbps), exact(instance.choose.max_taper)
    fewest = instance.choose.min_spines
    found.holds(
        "min_spines",
        place,
        stated.spines_per_pod >= fewest,
        stated.spines_per_pod,
        f"at least {fewest}",
        "spines of a leaf",
    )
    for group in groups:
        where = f"pool {group.pool.name}, leaf"
        nic = group.copies.port_gbps(group.pool)
        found.holds("uplink_slow", where, rate >= nic, rate, f"at least {nic}", "no uplink is slower than a NIC port")
        up, down = shape.uplinks * rate, group.down_ports * nic
        # A NIC spreads its traffic evenly over the planes.
        need = group.group * group.need / group.copies.planes
        found.holds("leaf_uplinks", where, up >= need, up, f"at least {float(need)}", "Gb/s that must leave a leaf")
        found.holds("leaf_taper", where, limit * up >= down, f"{down} down, {up} up", f"{limit} : 1", "largest taper")
        if shape.cores:
            above, need = stated.spines_per_pod * shape.spine_up * rate, need * shape.pod_leaves
            found.holds("pod_uplinks", where, above >= need, above, f"at least {float(need)}", "Gb/s that leave a pod")
    if shape.cores:
        ports = f"{shape.spine_down} down, {shape.spine_up} up"
        held = limit * shape.spine_up >= shape.spine_down
        found.holds("spine_taper_limit", place, held, ports, f"{limit} : 1", "largest taper")


def _cablings(
    found: Findings, place: str, stated: Fabric, parts: FabricParts, shape: _Shape, copies: Copies, site: SiteRow
) -> tuple[Cabling, ...]:
    ports = [Port(frozenset({row.lane_gbps}), row.cpo.link if row.cpo else None) for row in parts.switches]
    cablings = []
    for level, wiring in enumerate(shape.wirings):
        name = "leaf_spine" if level == 0 else "spine_core"
        cabling = cable_up(
            "leaf_spine" if level == 0 else "spine_core",
            wiring.times(copies.total),
            *parts.links[level],
            Fraction(stated.uplink_gbps),
            above_leaf_length(site, name),
        )
        where = f"{place}, {name.replace('_', '-')} boundary"
        compare(found, where, stated.boundaries[level], cabling)
        check_rows(found, where, cabling, ports[level], ports[level + 1], board=False, in_rack=False)
        cablings.append(cabling)
    return tuple(cablings)


def _network_racks(count: FabricCount, site: SiteRow) -> int:
    watts = sum((boxes * row.watts for row, boxes in count.boxes), Fraction(0))
    watts += sum((group.nic_leaf.upper_watts for group in count.groups), Fraction(0))
    watts += sum((cabling.watts for cabling in count.cablings), Fraction(0))
    return ratio_up(watts, site.network_rack_watts)


def _compare(found: Findings, place: str, stated: Fabric, count: FabricCount, shape: _Shape) -> None:
    stages = count.stages
    if stages == 1:
        absent = (stated.links_per_leaf_spine, stated.spines_per_pod, stated.uplink_gbps)
        found.equal("absent_stage", place, absent, (0, 0, 0), "one stage has no uplinks")
        down = sum(group.down_ports for group in count.groups)
    else:
        down = max(group.down_ports for group in count.groups)
    if stages < 3:
        absent_core = (stated.links_per_spine_core, stated.cores_per_spine)
        found.equal("absent_stage", place, absent_core, (0, 0), "no core stage")
    found.equal("pod_leaves", place, stated.leaves_per_pod, shape.pod_leaves, "leaves of a pod")
    found.equal("pods", place, stated.pods, shape.pods, "pods")
    found.equal("network_racks", place, stated.network_racks, count.racks, "racks of scale-out switches")
    rows = (
        ("leaf", count.leaves, down, shape.uplinks),
        ("spine", count.spines, shape.spine_down, shape.spine_up),
        ("core", count.cores, shape.core_down, 0),
    )
    for stage, (name, boxes, below, above) in zip(stated.stages, rows, strict=False):
        where = f"{place}, {name}"
        found.equal("stage_name", where, stage.name, name, "stages stand from leaf to core")
        found.equal(f"{name}_count", where, stage.count, boxes, "switches of the stage")
        found.equal(f"{name}_down_ports", where, stage.down_ports, below, "ports down per switch, fully populated")
        found.equal(f"{name}_up_ports", where, stage.up_ports, above, "ports up per switch")


def _choices(found: Findings, place: str, stated: Fabric, stages: int, instance: Instance) -> None:
    choose, pin = instance.choose, instance.pin
    found.holds("stages", place, stages in choose.scale_out_stages, stages, choose.scale_out_stages, "stages to choose")
    if pin.scale_out_stages is not None:
        found.equal("pinned_stages", place, stages, pin.scale_out_stages, "the instance pins the stages")
    if stages == 3:
        tapers = [exact(taper) for taper in choose.spine_tapers]
        taper = exact(stated.spine_taper)
        listed = ", ".join(map(str, choose.spine_tapers))
        found.holds("spine_taper", place, taper in tapers, taper, listed, "spine tapers to choose from")
