"""The longest way between two network cards, up through the fabric and down again (section 6.1)."""

from __future__ import annotations

from fractions import Fraction

from designer.instance.schema import Instance
from designer.verify.attachments import LeafGroup
from designer.verify.exact import exact
from designer.verify.fabric import FabricCount
from designer.verify.findings import Findings
from designer.verify.tokens import efficiencies

NS_PER_M = 5
"""Light in a fibre of index 1.47; electricity in a cable is no faster by enough to matter."""


def path_us(fabric: FabricCount, group: LeafGroup) -> Fraction:
    """Return the microseconds from a card of a pool to the top of the fabric and down to another such card."""
    boxes, crossed = fabric.layout.ways
    total = sum(
        (times * _known(row.latency_ns) for times, row in zip(boxes, fabric.parts.switches, strict=True)), Fraction(0)
    )
    for times, cabling in zip((2, *crossed), (group.nic_leaf, *fabric.cablings), strict=True):
        ends = _known(cabling.lower.latency_ns) + _known(cabling.upper.latency_ns)
        total += times * (ends + NS_PER_M * cabling.length)
    return total / 1000


def check_paths(found: Findings, fabric: FabricCount, instance: Instance) -> None:
    """Check for every pool whose exchanges cross domains that the fabric is as fast as the plan's times assume."""
    for group in fabric.groups:
        allowance = group.pool.allowance_us
        if allowance is None:
            continue
        most = exact(efficiencies(instance.efficiency)["path_reference_us"]) + allowance
        path = path_us(fabric, group)
        place, message = f"pool {group.pool.name}, way through the fabric", "microseconds from NIC to NIC"
        found.holds("path_latency", place, path <= most, path, f"at most {float(most)}", message)


def _known(latency_ns: Fraction | None) -> Fraction:
    assert latency_ns is not None  # the shelf reads it for every part of the fabric
    return latency_ns
