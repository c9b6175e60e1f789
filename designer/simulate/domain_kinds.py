"""Everything that fails in a pool up to its leaves: accelerators, NICs, the domain, the links to the leaves."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from designer.design.account import Item
from designer.design.types import Boundary, Fabric, PoolDesign
from designer.simulate.domain_places import (
    Bandwidth,
    Blocks,
    EvenShare,
    HostCables,
    HostEnds,
    LeafEnds,
    OfBox,
    Parts,
    Spread,
)
from designer.simulate.figures import Box, End, Figures, Site
from designer.simulate.kind import Kind, Place, Share, Spared, failing


def pool_kinds(number: int, pool: PoolDesign, fabric: Fabric, figures: Figures) -> Iterator[Kind]:
    """Go through the components of one pool; ``number`` is its place in the design."""
    site = figures.site()
    for kind in (*_hosts(number, pool, figures, site), *_domains(number, pool, figures, site)):
        yield replace(kind, inside=True)
    yield from _nic_leaf(number, pool, fabric, figures, site)


def _hosts(number: int, pool: PoolDesign, figures: Figures, site: Site) -> Iterator[Kind]:
    row, nic = figures.catalogue.accelerators[pool.accelerator], figures.catalogue.nics[pool.nic]
    per_host, nics, count = row.accelerators_per_host, pool.plan.nics, pool.accelerators
    part = f"accelerators.{row.id}"
    events, repaired = failing(
        figures.read(row.afr_hard, part, "afr_hard"),
        figures.read(row.job_interrupt_per_year, part, "job_interrupt_per_year"),
    )
    yield Kind(
        "accelerators",
        "accelerator",
        count,
        events,
        repaired,
        site.compute_tray_h,
        strikes=Blocks(number, count, 1, 1),
        stops=Blocks(number, count, per_host, per_host),
    )
    yield Kind(
        "nics",
        "NIC",
        count * nics,
        figures.read(nic.afr_hard, f"nics.{nic.id}", "afr_hard"),
        1.0,
        site.compute_tray_h,
        strikes=Blocks(number, count, 1, nics),
        stops=Blocks(number, count, per_host, per_host * nics),
    )


def _domains(number: int, pool: PoolDesign, figures: Figures, site: Site) -> Iterator[Kind]:
    stated, count, size = pool.scale_up, pool.accelerators, pool.domain_size
    if stated.switch is None or stated.boundary is None:
        return
    upper = stated.upper
    group = size if upper is None else upper.group
    behind = Blocks(number, count, group, stated.planes)
    box = figures.box(stated.switch)
    for kind in box_kinds("scale_up_switches", "scale-up switch", stated.switches, box, site.switch_tray_h, behind):
        parts = kind.strikes.parts if isinstance(kind.strikes, Parts) else 1
        yield _spared(kind, pool, parts, site)
    for kind in _accelerator_links(number, pool, group, figures, site):
        yield _spared(kind, pool, 0, site)
    if upper is None:
        return
    box, per_domain = figures.box(upper.switch), upper.switches // pool.domains
    yield from box_kinds(
        "scale_up_switches",
        "second-stage scale-up switch",
        upper.switches,
        box,
        site.switch_tray_h,
        Blocks(number, count, size, per_domain),
        chance=site.kill,
        share=size / per_domain,
        pool=number,
    )
    yield from _stage_links(number, pool, figures, site)


def _spared(kind: Kind, pool: PoolDesign, parts: int, site: Site) -> Kind:
    """The same with the spare planes of its domain: traffic goes round what fails, which kills a job now and then."""
    planes, spare = pool.scale_up.planes, pool.scale_up.spare_planes
    if not spare:
        return kind
    # Of flaps only those that kill a job are played anyway.
    chance = kind.chance if kind.one_job else site.kill
    return replace(kind, chance=chance, spared=Spared(planes, spare, parts))


def _accelerator_links(number: int, pool: PoolDesign, group: int, figures: Figures, site: Site) -> Iterator[Kind]:
    """Links of the accelerators to their switches: one of many ports each; a backplane holds those of a group."""
    boundary, count = pool.scale_up.boundary, pool.accelerators
    if boundary is None:
        return
    lower, upper = figures.end(boundary.lower_link), figures.end(boundary.upper_link)
    cable: Place = Spread(number, count, boundary.cables)
    if lower.backplane:
        cable = Blocks(number, count, group, boundary.cables * group // count)
    below = Spread(number, count, boundary.lower_ends)
    above = Spread(number, count, boundary.upper_ends)
    yield from links_below("scale_up_links", "scale-up", boundary, (lower, upper), (below, above, cable), 1, site)


def _stage_links(number: int, pool: PoolDesign, figures: Figures, site: Site) -> Iterator[Kind]:
    """Links between the two stages of a domain: traffic goes round them."""
    upper = pool.scale_up.upper
    if upper is None:
        return
    boundary, size = upper.boundary, pool.domain_size
    ends = figures.end(boundary.lower_link), figures.end(boundary.upper_link)
    counts = (boundary.lower_ends, boundary.upper_ends) if ends[0].fibre else (boundary.cables,)
    for end, count in zip(ends, counts, strict=False):
        each = count // pool.domains
        place = Blocks(number, pool.accelerators, size, each)
        share = EvenShare(number, size / each)
        yield from links_above("scale_up_links", "scale-up stages", count, end, place, share, site)


def _nic_leaf(number: int, pool: PoolDesign, fabric: Fabric, figures: Figures, site: Site) -> Iterator[Kind]:
    boundary, attachment, rails, planes = pool.nic_leaf, pool.attachment, fabric.rails, fabric.planes
    lower, upper = figures.end(boundary.lower_link), figures.end(boundary.upper_link)
    per_host = pool.accelerators // pool.hosts
    nics, rate, copies = pool.plan.nics, boundary.rate_gbps, rails * planes
    span = pool.domain_size * attachment.domains_per_leaf // attachment.leaves_per_domain

    def ends_of(accelerators: int) -> int:
        return int(-(-accelerators // rails * nics * rate // upper.rate_gbps))

    full, rest = divmod(pool.accelerators, span)
    per_copy = full * ends_of(span) + ends_of(rest)
    places: tuple[Place, Place, Place] = (
        HostEnds(number, per_host, boundary.lower_ends // pool.hosts, nics * planes, int(lower.rate_gbps // rate)),
        LeafEnds(
            number, pool.accelerators, span, rails, planes, nics, int(upper.rate_gbps // rate), ends_of(span), per_copy
        ),
        HostCables(
            number,
            per_host,
            rails,
            planes,
            boundary.cables // (pool.hosts * copies),
            nics,
            int(lower.rate_gbps // rate),
        ),
    )
    yield from links_below("nic_leaf_links", "NIC-leaf", boundary, (lower, upper), places, planes, site)


def links_below(
    item: Item,
    name: str,
    boundary: Boundary,
    ends: tuple[End, End],
    places: tuple[Place, Place, Place],
    planes: int,
    site: Site,
) -> Iterator[Kind]:
    """Links with nothing to go round them, ``places`` being those of lower ends, upper ends and cables.

    With planes the others carry on, but for what takes a whole NIC: its own end. Of flaps only those that kill a job
    are played, as the others leave no trace.
    """
    (lower, upper), (below, above, cable) = ends, places

    def kind(what: str, members: int, events: float, hours: float, place: Place, *, dirt: bool, whole: bool) -> Kind:
        alone = planes == 1 or whole
        return Kind(
            item,
            f"{name} {what}",
            members,
            events,
            1.0,
            hours,
            dirt,
            place,
            1.0 if alone else site.kill,
            stops=place if alone else None,
            slows=None if alone else Bandwidth(place, planes),
        )

    def flaps(what: str, members: int, each: float, place: Place) -> Kind:
        return Kind(item, f"{name} {what}, flap", members, each * site.kill, strikes=place, one_job=True)

    if not lower.fibre:
        yield kind("cable", boundary.cables, 2 * lower.hard, lower.repair_h, cable, dirt=False, whole=False)
        yield flaps("cable", boundary.cables, lower.flaps, cable)
        return
    if lower.bought:
        count = boundary.lower_ends
        yield kind("lower end", count, lower.hard, lower.repair_h, below, dirt=False, whole=True)
    if upper.bought:
        count = boundary.upper_ends
        yield kind("upper end", count, upper.hard, upper.repair_h, above, dirt=False, whole=False)
    yield flaps("lower end", boundary.lower_ends, lower.flaps / 2, below)
    yield flaps("upper end", boundary.upper_ends, upper.flaps / 2, above)
    each = site.dirt * (boundary.lower_ends + boundary.upper_ends) / 2 / boundary.lower_ends
    yield kind("fibre", boundary.lower_ends, each, site.dirt_h, below, dirt=True, whole=False)


def links_above(
    item: Item, name: str, members: int, end: End, place: Place, share: Share, site: Site
) -> Iterator[Kind]:
    """Ends on one side of links that traffic can go round, or whole cables: one job is struck, by chance."""

    def kind(what: str, events: float, hours: float, *, dirt: bool) -> Kind:
        return Kind(
            item, f"{name} {what}", members, events, 1.0, hours, dirt, place, site.kill, one_job=True, slows=share
        )

    sides = 2 if end.fibre else 1
    if end.bought:
        yield kind("end" if end.fibre else "cable", end.hard * (2 / sides), end.repair_h, dirt=False)
    yield Kind(item, f"{name}, flap", members, end.flaps * site.kill / sides, strikes=place, one_job=True)
    if end.fibre:
        yield kind("fibre", site.dirt / 2, site.dirt_h, dirt=True)


def box_kinds(
    item: Item,
    name: str,
    members: int,
    box: Box,
    repair_h: float,
    behind: Place,
    *,
    chance: float = 1.0,
    share: float | None = None,
    pool: int = 0,
) -> Iterator[Kind]:
    """Switches, their engine swaps and laser modules.

    ``share`` None: what is behind one stands still while it is exchanged; else that much bandwidth is missing.
    """

    def kind(what: str, count: int, events: float, repaired: float, hours: float, place: Place, part: int) -> Kind:
        slows: Share | None = None if share is None else EvenShare(pool, share / part)
        return Kind(
            item, what, count, events, repaired, hours, False, place, chance, False, None if slows else place, slows
        )

    yield kind(name, members, *failing(box.hard, box.outages), repair_h, behind, 1)
    if box.lasers is not None:
        lasers = box.lasers
        yield kind(f"{name}, engine swap", members, lasers.swaps, 1.0, lasers.swap_h, behind, 1)
        few: Place = Parts(behind, lasers.modules) if share is None else OfBox(behind, lasers.modules)
        count = members * lasers.modules
        yield kind(f"{name}, laser module", count, lasers.rate, 1.0, lasers.repair_h, few, lasers.modules)
