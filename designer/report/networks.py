"""The networks of a design in words: scale-up domains, scale-out fabrics, and the cables of both."""

from __future__ import annotations

from collections.abc import Sequence

from designer.design.types import Boundary, Design, Fabric, PoolDesign
from designer.report.figures import copies_of, scale_up_need
from designer.report.page import Page
from designer.report.result import Result
from designer.report.words import BOUNDARY_WORDS, TECH_WORDS, many

MAX_POOLS = 3
"""Pools and fabrics that are shown; the rest is in result.json."""


def scale_up(page: Page, result: Result, design: Design) -> None:
    """Say how the accelerators of each pool are joined."""
    for pool in design.pools[:MAX_POOLS]:
        up = pool.scale_up
        if pool.domain_size == 1:
            page.row("SCALE-UP", f"{_owner(pool, design)}none: every accelerator stands alone")
            continue
        words = [f"{_owner(pool, design)}{_domain(pool)}"]
        words.append(f"{scale_up_need(pool, design):,.0f} of {up.usable_gbps:,.0f} Gb/s needed")
        if up.boundary is None:
            words.append("wiring is part of the accelerator")
        else:
            words.append(f"{up.boundary.links // pool.domains:,} links per domain: {_cables(up.boundary, result)}")
        if up.upper is not None:
            words.append(
                f"above: {up.upper.switches:,} x {up.upper.switch}, {up.upper.uplinks} uplinks of every first-stage "
                f"switch: {_cables(up.upper.boundary, result)}"
            )
        if pool.beyond_announced:
            words.append("BEYOND THE ANNOUNCED SIZE")
        page.row("SCALE-UP", "; ".join(words))


def _domain(pool: PoolDesign) -> str:
    """How the accelerators of a domain are joined."""
    up = pool.scale_up
    if up.switch is None:
        shape = (
            " x ".join(str(side) for side in up.dims) if up.dims else f"{pool.domain_size} accelerators, each to each"
        )
        return f"{up.kind} of {shape}, {up.ports_per_accelerator} ports of {up.port_gbps}G per accelerator, no switches"
    shares = "/".join(str(share) for share in up.shares)
    even = f"{up.shares[0]} to each" if len(set(up.shares)) == 1 else f"{shares} to them"
    planes = many(up.planes, "plane")
    if up.spare_planes:
        planes += f", {up.planes - up.spare_planes} of them counted on"
    if up.upper is not None:
        planes += f" of {pool.domain_size // up.upper.group} for {up.upper.group} accelerators each"
    return (
        f"{up.switches:,} x {up.switch}, {up.switches // pool.domains} per domain = {planes}; each "
        f"accelerator has {up.ports_per_accelerator} ports of {up.port_gbps}G, {even}"
    )


def scale_out(page: Page, result: Result, design: Design) -> None:
    """Say what each fabric is built of; with several, whose it is."""
    left = MAX_POOLS
    for number, fabric in enumerate(design.fabrics[:MAX_POOLS]):
        pools = design.pools_on(number)
        whose = f"{', '.join(pool.name for pool in pools)}: " if design.more_fabrics else ""
        _one_fabric(page, result, design, fabric, whose, pools[:left])
        left = max(left - len(pools), 0)
    if len(design.fabrics) > MAX_POOLS:
        page.row("", f"... and {len(design.fabrics) - MAX_POOLS} more fabrics (result.json)")


def _one_fabric(
    page: Page, result: Result, design: Design, fabric: Fabric, whose: str, pools: Sequence[PoolDesign]
) -> None:
    stages, copies = len(fabric.stages), copies_of(fabric)
    head = f"{whose}{fabric.family}, {_shape(fabric)}"
    if copies > 1:
        head += f", {many(fabric.rails, 'rail')} x {many(fabric.planes, 'plane')} = {copies} equal fabrics, each with"
    page.row(
        "SCALE-OUT",
        f"{head}: "
        + "; ".join(
            f"{stage.count:,} {stage.name} {stage.switch} ({stage.down_ports} down"
            + (f" + {stage.up_ports} up)" if stage.up_ports else ")")
            for stage in fabric.stages
        )
        + (
            f"; {many(fabric.pods, 'pod')} of {many(fabric.leaves_per_pod, 'leaf', 'leaves')}"
            if fabric.links_per_spine_core
            else ""
        )
        + (f"; {many(fabric.zones, 'zone')} of {many(fabric.pods_per_zone, 'pod')}" if fabric.zones else "")
        + _striping(fabric),
    )
    for pool in pools:
        at = pool.attachment
        per = (
            "one switch for all"
            if stages == 1 and fabric.shape == "tree"
            else f"{many(at.domains_per_leaf, 'domain')} per leaf"
        )
        if at.leaves_per_domain > 1:
            per = f"{at.leaves_per_domain} leaves per domain"
        page.row(
            f"  {BOUNDARY_WORDS[pool.nic_leaf.name]}",
            f"{_owner(pool, design)}{_cables(pool.nic_leaf, result)}; "
            f"{pool.plan.nics} x {pool.nic} per accelerator; {per}",
        )
    for boundary in fabric.boundaries:
        page.row(f"  {BOUNDARY_WORDS[boundary.name]}", _cables(boundary, result))


def _striping(fabric: Fabric) -> str:
    """Say where the links at the highest boundary of a tree are not even; nothing where they are."""
    if fabric.shape != "tree" or len(fabric.stages) < 2:
        return ""
    lower, upper = fabric.stages[-2:]
    links, boxes = {
        2: (fabric.links_per_leaf_spine, fabric.spines_per_pod),
        3: (fabric.links_per_spine_core, fabric.cores_per_spine),
        4: (fabric.links_per_core_top, fabric.tops_per_core),
    }[len(fabric.stages)]
    lean = links * boxes - lower.up_ports
    if not lean:
        return ""
    return (
        f"; each {lower.name} has {many(links, 'link')} to each of {many(boxes - lean, upper.name)}, "
        f"{links - 1} to each of {lean} more"
    )


def _shape(fabric: Fabric) -> str:
    """Say how the leaves of a fabric are joined."""
    links = [many(number, "link") for number in fabric.links_per_pair]
    if fabric.shape == "mesh":
        return f"mesh: {links[0]} between every two leaves"
    if fabric.shape == "hyperx":
        long, short = fabric.dims
        return (
            f"hyperx of {long} x {short}: {links[0]} between leaves of a line of {long}, {links[1]} in lines of {short}"
        )
    if fabric.shape == "dragonfly":
        size, groups = fabric.dims
        inside, outside = links
        return f"dragonfly of {groups} groups of {size}: {inside} between leaves of a group, {outside} between groups"
    return many(len(fabric.stages), "stage")


def _cables(boundary: Boundary, result: Result) -> str:
    """Say the links, what carries them and the ends of both sides, with the length that had to be reached."""
    lower, upper = boundary.lower_link, boundary.upper_link
    words = f"{boundary.links:,} x {boundary.rate_gbps}G over {boundary.length_m:g} m"
    row = result.links[lower]
    if row.construction == "backplane":
        return f"{words}, {lower} ({_tech(row.tech)}, {boundary.cables:,} x {row.rate_gbps:g}G)"
    if row.construction == "cable":
        return f"{words}, {boundary.cables:,} {lower} ({_tech(row.tech)} cables)"
    if lower == upper:
        return f"{words}, {boundary.lower_ends:,} + {boundary.upper_ends:,} {lower} ({_tech(row.tech)})"
    below = f"{boundary.lower_ends:,} {lower} ({_tech(row.tech)})"
    above = f"{boundary.upper_ends:,} {upper} ({_tech(result.links[upper].tech)})"
    return f"{words}, {below} below, {above} above"


def _tech(tech: str) -> str:
    return TECH_WORDS.get(tech, tech.replace("_", " "))


def _owner(pool: PoolDesign, design: Design) -> str:
    return f"{pool.name}: " if len(design.pools) > 1 else ""
