"""The scale-out fabric counted again: stages, ports, tapers, pods, cables above the leaves (section 7)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction

from designer.design.types import Design, Fabric
from designer.instance.schema import Instance
from designer.verify.attachments import LeafGroup, count_attachment
from designer.verify.boundaries import Cabling, Port, Wiring, cable_up, check_rows, compare
from designer.verify.copies import Copies, check_copies
from designer.verify.exact import exact, ratio_up
from designer.verify.findings import Findings, UncountableError
from designer.verify.lengths import above_leaf_length
from designer.verify.pools import PoolCount
from designer.verify.rows import LinkRow, SiteRow, SwitchRow

PLACE = "scale-out fabric"


@dataclass(frozen=True)
class FabricParts:
    """The exact rows a fabric names: switches from leaf to core, link pairs of its boundaries."""

    switches: tuple[SwitchRow, ...]
    links: tuple[tuple[LinkRow, LinkRow], ...]


@dataclass(frozen=True)
class FabricCount:
    """What the rules give for one copy of the fabric. Ports and boxes of absent stages are 0.

    ``uplinks`` = U, ``spine_up`` = U_s, ``pod_leaves`` = L, ``spines_per_pod`` = n_s. ``cablings`` and ``racks`` count
    all copies.
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
    design: Design,
    pools: Sequence[PoolCount],
    parts: FabricParts,
    instance: Instance,
    site: SiteRow,
) -> FabricCount:
    """Count the fabric anew and hold the stated numbers against it."""
    stated = design.fabric
    stages = len(parts.switches)
    leaf = parts.switches[0]
    copies = check_copies(found, design, pools, instance)
    groups = tuple(
        count_attachment(found, pool_design, pool, leaf, stages, copies, site)
        for pool_design, pool in zip(design.pools, pools, strict=True)
    )
    leaves = 1 if stages == 1 else sum(group.leaves for group in groups)
    shape = _shape(found, stated, parts, leaves)
    _leaf_ports(found, stated, groups, leaf, shape.uplinks, stages)
    if stages > 1:
        _tapers(found, stated, groups, shape, instance)
    cablings = _cablings(found, stated, parts, shape, copies, site)
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
    _compare(found, stated, count, shape)
    _choices(found, stated, stages, instance)
    return count


def _shape(found: Findings, stated: Fabric, parts: FabricParts, leaves: int) -> _Shape:
    stages = len(parts.switches)
    per_spine, spines, rate = stated.links_per_leaf_spine, stated.spines_per_pod, Fraction(stated.uplink_gbps)
    if stages == 1:
        return _Shape()
    if not found.holds(
        "whole_numbers", PLACE, per_spine >= 1 and spines >= 1, (per_spine, spines), "at least 1", "links and spines"
    ):
        raise UncountableError(PLACE)
    for row in parts.switches[1:]:
        if not found.holds("uplink_rate", PLACE, rate in row.radix, rate, f"a port rate of {row.id}", "uplink rate"):
            raise UncountableError(PLACE)
    radix = parts.switches[1].radix[rate]
    shape = _Shape(uplinks=per_spine * spines)
    lower = {shape.uplinks: leaves}
    if stages == 2:
        shape.spines, shape.spine_down, shape.pod_leaves = spines, per_spine * leaves, leaves
        found.holds(
            "spine_ports", PLACE, shape.spine_down <= radix, shape.spine_down, f"at most {radix}", "spine ports"
        )
        upper = {shape.spine_down: spines}
        shape.wirings = [Wiring(leaves * shape.uplinks, {per_spine: leaves * spines}, lower, upper)]
        return shape
    per_core, cores = stated.links_per_spine_core, stated.cores_per_spine
    taper = exact(stated.spine_taper)
    if not found.holds(
        "whole_numbers", PLACE, per_core >= 1 and taper >= 1, (per_core, taper), "at least 1", "spine-core"
    ):
        raise UncountableError(PLACE)
    want = ratio_up(radix, 1 + taper) // per_core
    found.equal("cores_per_spine", PLACE, cores, want, "cores of a spine: U0 // m2")
    shape.spine_up = per_core * want
    shape.pod_leaves = (radix - shape.spine_up) // per_spine
    if not found.holds(
        "spine_ports",
        PLACE,
        want >= 1 and shape.pod_leaves >= 1,
        f"{want} cores, {shape.pod_leaves} leaves",
        "at least 1 of each",
        "a spine has ports for cores and leaves",
    ):
        raise UncountableError(PLACE)
    shape.pods = ratio_up(leaves, shape.pod_leaves)
    shape.spines, shape.cores = shape.pods * spines, spines * want
    shape.spine_down, shape.core_down = shape.pod_leaves * per_spine, per_core * shape.pods
    core_radix = parts.switches[2].radix[rate]
    found.holds(
        "core_ports", PLACE, shape.core_down <= core_radix, shape.core_down, f"at most {core_radix}", "core ports"
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
    found: Findings, stated: Fabric, groups: Sequence[LeafGroup], leaf: SwitchRow, uplinks: int, stages: int
) -> None:
    """Check that down and up ports of a leaf fit its radices together (one stage: of all pools)."""
    up = Fraction(0)
    if stages > 1:
        if not found.holds(
            "uplink_rate",
            PLACE,
            stated.uplink_gbps in leaf.radix,
            stated.uplink_gbps,
            f"a port rate of {leaf.id}",
            "uplinks",
        ):
            raise UncountableError(PLACE)
        up = Fraction(uplinks, leaf.radix[Fraction(stated.uplink_gbps)])
    down = []
    for group in groups:
        rate = group.copies.port_gbps(group.pool)
        place = f"pool {group.pool.name}, leaf"
        if not found.holds("leaf_rate", place, rate in leaf.radix, rate, f"a port rate of {leaf.id}", "NIC ports"):
            raise UncountableError(place)
        down.append(Fraction(group.down_ports, leaf.radix[rate]))
    loads = (
        {PLACE: sum(down, Fraction(0))}
        if stages == 1
        else {f"pool {group.pool.name}, leaf": load + up for group, load in zip(groups, down, strict=True)}
    )
    for place, load in loads.items():
        found.holds("leaf_ports", place, load <= 1, load, "at most 1", "share of a leaf's ports in use")


def _tapers(found: Findings, stated: Fabric, groups: Sequence[LeafGroup], shape: _Shape, instance: Instance) -> None:
    """Check bandwidth upwards: enough for the need, no more oversubscribed than the instance allows."""
    rate, limit = Fraction(stated.uplink_gbps), exact(instance.choose.max_taper)
    fewest = instance.choose.min_spines
    found.holds(
        "min_spines",
        PLACE,
        stated.spines_per_pod >= fewest,
        stated.spines_per_pod,
        f"at least {fewest}",
        "spines of a leaf",
    )
    for group in groups:
        place = f"pool {group.pool.name}, leaf"
        nic = group.copies.port_gbps(group.pool)
        found.holds("uplink_slow", place, rate >= nic, rate, f"at least {nic}", "no uplink is slower than a NIC port")
        up, down = shape.uplinks * rate, group.down_ports * nic
        # A NIC spreads its traffic evenly over the planes.
        need = group.group * group.need / group.copies.planes
        found.holds("leaf_uplinks", place, up >= need, up, f"at least {float(need)}", "Gb/s that must leave a leaf")
        found.holds("leaf_taper", place, limit * up >= down, f"{down} down, {up} up", f"{limit} : 1", "largest taper")
        if shape.cores:
            above, need = stated.spines_per_pod * shape.spine_up * rate, need * shape.pod_leaves
            found.holds("pod_uplinks", place, above >= need, above, f"at least {float(need)}", "Gb/s that leave a pod")
    if shape.cores:
        ports = f"{shape.spine_down} down, {shape.spine_up} up"
        held = limit * shape.spine_up >= shape.spine_down
        found.holds("spine_taper_limit", PLACE, held, ports, f"{limit} : 1", "largest taper")


def _cablings(
    found: Findings, stated: Fabric, parts: FabricParts, shape: _Shape, copies: Copies, site: SiteRow
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
        place = f"{PLACE}, {name.replace('_', '-')} boundary"
        compare(found, place, stated.boundaries[level], cabling)
        check_rows(found, place, cabling, ports[level], ports[level + 1], board=False, in_rack=False)
        cablings.append(cabling)
    return tuple(cablings)


def _network_racks(count: FabricCount, site: SiteRow) -> int:
    watts = sum((boxes * row.watts for row, boxes in count.boxes), Fraction(0))
    watts += sum((group.nic_leaf.upper_watts for group in count.groups), Fraction(0))
    watts += sum((cabling.watts for cabling in count.cablings), Fraction(0))
    return ratio_up(watts, site.network_rack_watts)


def _compare(found: Findings, stated: Fabric, count: FabricCount, shape: _Shape) -> None:
    stages = count.stages
    if stages == 1:
        absent = (stated.links_per_leaf_spine, stated.spines_per_pod, stated.uplink_gbps)
        found.equal("absent_stage", PLACE, absent, (0, 0, 0), "one stage has no uplinks")
        down = sum(group.down_ports for group in count.groups)
    else:
        down = max(group.down_ports for group in count.groups)
    if stages < 3:
        absent_core = (stated.links_per_spine_core, stated.cores_per_spine)
        found.equal("absent_stage", PLACE, absent_core, (0, 0), "no core stage")
    found.equal("pod_leaves", PLACE, stated.leaves_per_pod, shape.pod_leaves, "leaves of a pod")
    found.equal("pods", PLACE, stated.pods, shape.pods, "pods")
    found.equal("network_racks", PLACE, stated.network_racks, count.racks, "racks of scale-out switches")
    rows = (
        ("leaf", count.leaves, down, shape.uplinks),
        ("spine", count.spines, shape.spine_down, shape.spine_up),
        ("core", count.cores, shape.core_down, 0),
    )
    for stage, (name, boxes, below, above) in zip(stated.stages, rows, strict=False):
        place = f"{PLACE}, {name}"
        found.equal("stage_name", place, stage.name, name, "stages stand from leaf to core")
        found.equal(f"{name}_count", place, stage.count, boxes, "switches of the stage")
        found.equal(f"{name}_down_ports", place, stage.down_ports, below, "ports down per switch, fully populated")
        found.equal(f"{name}_up_ports", place, stage.up_ports, above, "ports up per switch")


def _choices(found: Findings, stated: Fabric, stages: int, instance: Instance) -> None:
    choose, pin = instance.choose, instance.pin
    found.holds("stages", PLACE, stages in choose.scale_out_stages, stages, choose.scale_out_stages, "stages to choose")
    if pin.scale_out_stages is not None:
        found.equal("pinned_stages", PLACE, stages, pin.scale_out_stages, "the instance pins the stages")
    if stages == 3:
        tapers = [exact(taper) for taper in choose.spine_tapers]
        taper = exact(stated.spine_taper)
        listed = ", ".join(map(str, choose.spine_tapers))
        found.holds("spine_taper", PLACE, taper in tapers, taper, listed, "spine tapers to choose from")
