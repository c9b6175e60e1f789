"""Which scale-up domains an instance allows: sizes, shares, stages, the vendor's own (section 3)."""

from __future__ import annotations

from designer.design.types import PoolDesign
from designer.instance.schema import Instance
from designer.verify.domains import KINDS
from designer.verify.exact import exact, ratio_down, ratio_up
from designer.verify.findings import Findings
from designer.verify.rows import PoolParts

STANDARD_SIZES = (2, 4, 8, 16, 32, 36, 64, 72, 96, 128, 144, 192, 256, 384, 512, 576)


def check_size(found: Findings, pool: PoolDesign, parts: PoolParts, instance: Instance) -> None:
    """Check that a domain of this size, on these switches and ports, may be built."""
    accelerator, choose, size = parts.accelerator, instance.choose, pool.domain_size
    place = f"pool {pool.name}, domain"
    stages, stated = KINDS[pool.scale_up.kind], pool.scale_up
    beyond = size > accelerator.max_domain
    # What is joined directly is sold as it is: there is no larger one to imagine.
    allowed = not beyond or (stages > 0 and accelerator.id in choose.beyond_announced)
    found.holds("beyond_announced", place, allowed, size, f"at most {accelerator.max_domain}", "announced domain size")
    found.equal("what_if", place, pool.beyond_announced, beyond, "a domain beyond the announced size is marked so")
    alone = size == 1 and stated.kind == "mesh"
    found.holds("domain_size", place, size >= 2 or alone, size, "at least 2", "a domain joins accelerators")
    if instance.pin.domain_size is not None:
        found.equal("pinned_size", place, size, instance.pin.domain_size, "the instance pins the domain size")
    listed = ", ".join(map(str, choose.spare_planes)) or "none"
    held = stated.spare_planes in choose.spare_planes
    found.holds("spare_planes", place, held, stated.spare_planes, listed, "spare planes to choose from")
    if stages == 0:
        # All its ports are wired, whatever shares of them the instance would choose at switches.
        _direct(found, place, pool, parts, instance)
        return
    counts = {max(1, ratio_down(exact(share) * accelerator.ports, 1)) for share in choose.scale_up_shares}
    ports = stated.ports_per_accelerator
    listed = " or ".join(map(str, sorted(counts)))
    found.holds("scale_up_share", place, ports in counts, ports, listed, "ports wired by the shares of the instance")
    sizes = set(choose.domain_sizes) if choose.domain_sizes is not None else _standard(parts, counts)
    found.holds("listed_size", place, size in sizes, size, "a listed size", "domain sizes that are looked at")
    wanted = ", ".join(map(str, choose.scale_up_stages)) or "none"
    held = stages in choose.scale_up_stages
    found.holds("scale_up_stages", place, held, stages, wanted, "switch stages of a domain to choose from")
    if accelerator.sold_by_the_rack and accelerator.vendor is not None and size != accelerator.vendor.size:
        named = accelerator.id in (*choose.rearranged, *choose.beyond_announced)
        message = "a rack-scale part is sold as one size"
        found.holds("rearranged", place, named, size, accelerator.vendor.size, message)
    _vendor(found, place, pool, parts, stages)


def _vendor(found: Findings, place: str, pool: PoolDesign, parts: PoolParts, stages: int) -> None:
    """Check a domain with switches against the one the vendor sells."""
    accelerator, stated, size = parts.accelerator, pool.scale_up, pool.domain_size
    vendor = accelerator.vendor
    sold_size = vendor is not None and (vendor.size, vendor.switch) == (size, stated.switch)
    offer = "nothing" if vendor is None else f"{vendor.size} on {vendor.planes} x {vendor.switch}"
    is_ = f"{size} on {stated.planes} x {stated.switch}"
    if stages == 2:
        found.holds("clos_vendor", place, not sold_size, is_, "one stage", "the vendor sells this size on one stage")
    elif vendor is not None and sold_size:
        found.equal("vendor_planes", place, stated.planes, vendor.planes, "planes as the vendor sells them")
    if accelerator.sealed:
        sold = stages == 1 and sold_size and vendor is not None and vendor.planes == stated.planes
        found.holds("sealed", place, sold, is_, offer, f"{accelerator.id} is sold in its vendor's domain only")
        found.equal(
            "sealed_ports",
            place,
            stated.ports_per_accelerator,
            accelerator.ports,
            "a sealed domain has all ports wired",
        )


def _direct(found: Findings, place: str, pool: PoolDesign, parts: PoolParts, instance: Instance) -> None:
    """Check the size of a domain without switches; what the vendor sells is checked where it is counted."""
    sizes, pin, size = instance.choose.domain_sizes, instance.pin, pool.domain_size
    for pinned in (pin.scale_up_switch, pin.scale_up_planes, pin.scale_up_links):
        message = "a pin of scale-up switches, planes or links leaves no domain without a switch"
        found.holds("not_pinned", place, pinned is None, pool.scale_up.kind, pinned, message)
    if sizes is not None:
        listed = ", ".join(map(str, sizes))
        found.holds("listed_size", place, size in sizes, size, listed, "domain sizes that are looked at")
    elif parts.accelerator.vendor is not None:
        times = size // parts.accelerator.vendor.size
        # A power of two shares no bit with the number below it.
        doubled = times >= 1 and times & (times - 1) == 0
        found.holds("listed_size", place, doubled, times, "1, 2, 4, 8, ...", "times the size that is sold")


def _standard(parts: PoolParts, port_counts: set[int]) -> set[int]:
    """List the domain sizes that are looked at where the instance lists none."""
    accelerator = parts.accelerator
    sizes = {*STANDARD_SIZES, accelerator.max_domain}
    if accelerator.vendor is not None:
        sizes.add(accelerator.vendor.size)
    for radix in parts.radices:
        for ports in port_counts:
            for planes in range(1, ports + 1):
                fits = radix // ratio_up(ports, planes)
                sizes.add(fits // accelerator.per_host * accelerator.per_host)
    return sizes
