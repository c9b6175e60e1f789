"""Which parts may be bought: dates, status, access, the lists and pins of the instance (section 1)."""

from __future__ import annotations

from dataclasses import dataclass

from designer.catalogue import Accelerator, Link, Nic, Switch
from designer.instance.schema import Instance
from designer.verify.findings import Findings

ENGINE = "engine+els+fibre"
"""Construction of the link rows that exist inside co-packaged switches only."""

LINK_PINS = (
    *("scale_up_links", "nic_leaf_links", "leaf_spine_links", "spine_core_links", "core_top_links"),
    *("leaf_leaf_links", "group_group_links"),
)


@dataclass(frozen=True)
class Counter:
    """One place a part may fill: the list it must stand in and the pin it must equal (None: free)."""

    listed: tuple[str, ...] | None
    pinned: str | None = None


def counters(instance: Instance) -> dict[str, Counter]:
    """List the places of an instance by name."""
    choose, pin = instance.choose, instance.pin
    return {
        "accelerator": Counter(choose.accelerators, pin.accelerator),
        "scale_up": Counter(choose.scale_up_switches, pin.scale_up_switch),
        "leaf": Counter(choose.scale_out_switches, pin.leaf_switch),
        "spine": Counter(choose.scale_out_switches, pin.spine_switch),
        "core": Counter(choose.scale_out_switches, pin.core_switch),
        "top": Counter(choose.scale_out_switches, pin.top_switch),
        "nic": Counter(choose.nics, pin.nic),
        "link": Counter(choose.links),
    }


def ends_of(instance: Instance, pin: str) -> tuple[str, ...]:
    """Link rows that a pin names: one for either end, two for the lower and the upper, none where it is not given."""
    text = getattr(instance.pin, pin)
    return () if text is None else tuple(text.split("/"))


def is_named(part: str, place: str, instance: Instance) -> bool:
    """Whether the list of its place or any pin names a part."""
    places = counters(instance)
    pinned = {other.pinned for other in places.values()} | {row for pin in LINK_PINS for row in ends_of(instance, pin)}
    return part in (places[place].listed or ()) or part in pinned


def check_sale(
    found: Findings, row: Accelerator | Switch | Link | Nic, place: str, where: str, instance: Instance
) -> bool:
    """Report every reason why a part may not be bought for a place; return whether it may."""
    counter = counters(instance)[place]
    before = len(found.rows)
    dated = row.available_from <= instance.date or instance.choose.include_unreleased
    found.holds("not_available", where, dated, row.available_from, f"by {instance.date}", f"date of {row.id}")
    if not is_named(row.id, place, instance):
        released = row.status in ("shipping", "ramping")
        found.holds("not_released", where, released, row.status, "shipping or ramping", f"status of {row.id}")
        if isinstance(row, Accelerator):
            found.holds("not_merchant", where, row.access == "merchant", row.access, "merchant", f"access to {row.id}")
    # Engines come with their switch and stand in no list of their own.
    inside = isinstance(row, Link) and row.construction == ENGINE
    if counter.listed is not None and not inside:
        listed = ", ".join(counter.listed) or "none"
        found.holds("not_listed", where, row.id in counter.listed, row.id, listed, "parts the instance lists")
    if counter.pinned is not None:
        found.equal("not_pinned", where, row.id, counter.pinned, "part the instance pins")
    return len(found.rows) == before
