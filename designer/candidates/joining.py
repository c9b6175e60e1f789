"""What can join the accelerators of a type: switches, the vendor's build, direct links (``docs/rules.md`` 3)."""

from __future__ import annotations

from dataclasses import dataclass

from designer.candidates.parts import DirectPart
from designer.catalogue import Catalogue
from designer.catalogue.schema import Accelerator
from designer.instance.schema import Level


@dataclass(frozen=True)
class Joining:
    """Ways to join an accelerator; ``why_not`` says in words why there is none (empty where there is one)."""

    switches: tuple[str, ...]
    vendor_domain: tuple[int, str, int] | None
    direct: DirectPart | None
    lane_gbps: float | None
    why_not: str


def joining_of(catalogue: Catalogue, row: Accelerator, ports: int, level: Level) -> Joining:
    """Find the ways to join an accelerator with ``ports`` scale-up ports."""
    vendor, lane = row.vendor_domain, row.scale_up.lane_gbps.at(level)
    built = None
    if vendor is not None and vendor.switch is not None and vendor.planes is not None:
        built = (vendor.size, vendor.switch, vendor.planes)
    switches = tuple(catalogue.compatibility.switches_for(row.scale_up.protocol))
    no_switch = ""
    if row.sealed and built is None:
        no_switch = "it is sold only in the vendor's own domain, whose switches are not known"
    elif not switches:
        no_switch = f"no switch of the catalogue speaks {row.scale_up.protocol}"
    elif lane is None:
        no_switch = "scale_up.lane_gbps is not known; give it in an overlay"
    direct = direct_part(row, ports)
    if isinstance(direct, DirectPart):
        return Joining(() if no_switch else switches, built, direct, lane, "")
    why_not = no_switch
    if no_switch and direct is not None:
        # With a direct build in the catalogue the switches are not what the reader misses.
        why_not = direct
    return Joining(switches, built, None, lane, why_not)


def direct_part(row: Accelerator, ports: int) -> DirectPart | str | None:
    """Return the vendor's domain without switches, the reason why it is not offered, or None where there is none."""
    vendor, host = row.vendor_domain, row.accelerators_per_host
    if vendor is None or vendor.direct is None:
        return None
    name, size = f"its {vendor.direct} of {vendor.size}", vendor.size
    needed = size - 1 if vendor.direct == "mesh" else 2 * len(vendor.dims)
    linked = "scale_up_link" in row.price_contains
    # A domain of one stands alone; nothing has to be wired or paid for.
    if size % host or (size == 1 and vendor.direct != "mesh"):
        return f"{name} is not whole hosts of {host}"
    if ports < needed:
        return f"{name} needs {needed} scale-up ports, it has {ports}"
    if size != host and not linked:
        return (
            f"{name} reaches beyond its host of {host}, and nobody pays for that wiring: price_contains has no "
            "scale_up_link; say in an overlay what the price contains"
        )
    larger = vendor.larger_by_ocs and linked and "scale_up_switch" in row.price_contains
    return DirectPart(vendor.direct, size, tuple(vendor.dims), larger)
