"""Pins beyond single parts: planes of a domain, the links of a boundary, the taper of a leaf (sections 1 and 7)."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from designer.design.types import Boundary, Design
from designer.instance.schema import Instance
from designer.verify.fabric import FabricCount
from designer.verify.findings import Findings
from designer.verify.parting import place_of
from designer.verify.sale import LINK_PINS, ends_of


def check_pins(found: Findings, design: Design, fabrics: Sequence[FabricCount], instance: Instance) -> None:
    """Hold the planes, links and tapers of a design against those that the instance pins."""
    planes = instance.pin.scale_up_planes
    for pool in design.pools:
        place, up = f"pool {pool.name}", pool.scale_up
        if planes is not None:
            found.equal("pinned_planes", f"{place}, scale-up", up.planes, planes, "planes of a domain that are pinned")
        if up.boundary is not None:
            _links(found, f"{place}, scale-up boundary", up.boundary, ends_of(instance, "scale_up_links"))
        _links(found, f"{place}, NIC-leaf boundary", pool.nic_leaf, ends_of(instance, "nic_leaf_links"))
    for number, fabric in enumerate(design.fabrics):
        for boundary in fabric.boundaries:
            # A boundary that is named after another place is told of where it is counted.
            where = f"{place_of(design, number)}, {boundary.name.replace('_', '-')} boundary"
            if f"{boundary.name}_links" in LINK_PINS:
                _links(found, where, boundary, ends_of(instance, f"{boundary.name}_links"))
    if instance.pin.taper is not None:
        for count in fabrics:
            _taper(found, count, _ratio(instance.pin.taper))


def _links(found: Findings, place: str, stated: Boundary, pinned: Sequence[str]) -> None:
    """Check the two ends of a boundary: both as pinned, or one of them the only row that is."""
    if not pinned:
        return
    ends = (stated.lower_link, stated.upper_link)
    held = ends == tuple(pinned) if len(pinned) == 2 else pinned[0] in ends
    what = " below, ".join(pinned) + (" above" if len(pinned) == 2 else " at an end")
    found.holds("pinned_links", place, held, f"{ends[0]} below, {ends[1]} above", what, "links that the instance pins")


def _taper(found: Findings, fabric: FabricCount, taper: Fraction) -> None:
    """Check that every full leaf has exactly the taper that is pinned; one without uplinks has none."""
    if not fabric.uplinks:
        return
    up = fabric.uplinks * fabric.rate
    for group in fabric.groups:
        place, down = f"pool {group.pool.name}, leaf", group.down_ports * group.copies.port_gbps(group.pool)
        held = down == taper * up
        found.holds("pinned_taper", place, held, f"{down} down, {up} up", f"{taper} : 1", "Gb/s of a full leaf")
        there = group.group * group.copies.rails <= group.pool.size * group.pool.domains
        message = "with a pinned taper there is a full leaf"
        found.holds("full_leaf", place, there, group.group, "at most all accelerators of the pool", message)


def _ratio(taper: float | str) -> Fraction:
    """The pinned ratio as a person reads it: a decimal number, or ``down:up``."""
    if isinstance(taper, str):
        down, _, up = taper.partition(":")
        return Fraction(int(down), int(up))
    return Fraction(str(taper))
