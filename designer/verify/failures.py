"""Expected failures of everything in a design, per year: repairs, hits, hours lost, cleanings, money (9)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from fractions import Fraction

from designer.design.account import Item
from designer.verify.attachments import LeafGroup
from designer.verify.boundaries import Cabling
from designer.verify.events import (
    Behind,
    Failures,
    Reach,
    Victim,
    box_effects,
    box_events,
    box_outage,
    box_parts,
    link_events,
    link_outage,
    link_repairs,
    links_below,
    repair,
)
from designer.verify.fabric import FabricCount
from designer.verify.pools import PoolCount
from designer.verify.rows import SiteRow, SwitchRow
from designer.verify.spares import uncovered_domains, uncovered_planes


def victim_of(pool: PoolCount, site: SiteRow) -> Victim:
    """Value of a pool's lost hours and restarts, from the installed price of its accelerators.

    Restarting a job costs ``restart_h`` hours of all accelerators of the replica.
    """
    hour = site.lost_hour_share * pool.parts.accelerator.installed_usd
    return Victim(pool.replica, hour, hour * site.restart_h * pool.replica)


def _inside(pool: PoolCount, victim: Victim, site: SiteRow) -> Victim:
    """Who suffers from what fails inside the domains: spare ones run no job, and stand in for others that are down."""
    running = Fraction(pool.needed, pool.domains)
    return replace(victim, hit_share=running, hour_share=uncovered_domains(pool, site))


def failures_of(
    pools: Sequence[PoolCount], fabrics: Sequence[FabricCount], site: SiteRow
) -> Iterator[tuple[Item, Failures]]:
    """Go through every source of failures once."""
    for pool in pools:
        victim = _inside(pool, victim_of(pool, site), site)
        yield "accelerators", _accelerators(pool, victim, site)
        yield "nics", _nics(pool, victim, site)
        yield from _scale_up(pool, victim, site)
    for fabric in fabrics:
        yield from _scale_out(fabric, site)


def _scale_out(fabric: FabricCount, site: SiteRow) -> Iterator[tuple[Item, Failures]]:
    """Go through the failures of one fabric and of the cables to it."""
    for group in fabric.groups:
        victim = victim_of(group.pool, site)
        others = Reach(victim, group.copies.planes, site.kill_share)
        yield "nic_leaf_links", links_below(group.nic_leaf, Reach(victim), others, site, _behind(group))
        yield "scale_out_switches", _leaf_hits(group, fabric, others, site)
        yield from _above_leaf(group, fabric, victim, site)
    yield "scale_out_switches", _box_repairs(fabric, site)
    for cabling in fabric.cablings:
        yield "scale_out_links", link_repairs(cabling, site)


def _behind(group: LeafGroup) -> Behind:
    """Accelerators behind the ends of the NIC-leaf boundary; an end in a host also carries its other planes."""
    cabling, nics = group.nic_leaf, group.pool.nics_per_accelerator
    lower, upper = (int(row.rate_gbps // cabling.rate) for row in (cabling.lower, cabling.upper))
    at_leaf, rails = max(1, upper // nics), group.copies.rails
    # With rails the links of an end at the leaf lead to as many hosts, whose accelerators on the other rails stop as
    # well; where other planes carry on, only those behind the end slow down. A cable leads to one host.
    lost = at_leaf * rails if group.copies.planes == 1 else at_leaf
    in_host = min(group.pool.parts.accelerator.per_host // rails, at_leaf)
    return Behind(max(1, lower // (nics * group.copies.planes)), at_leaf * rails, in_host, lost)


def _accelerators(pool: PoolCount, victim: Victim, site: SiteRow) -> Failures:
    row, count = pool.parts.accelerator, pool.accelerators
    hours = count * row.afr * site.compute_tray_h * victim.down(row.per_host)
    labour = site.labour_usd_per_h * site.compute_tray_h
    repairs = repair(count, row.afr, row.bare_usd, labour, site)
    return repairs + victim.suffers(count * row.interrupts, hours)


def _nics(pool: PoolCount, victim: Victim, site: SiteRow) -> Failures:
    row, count = pool.parts.nic, pool.nics
    hours = count * row.afr * site.compute_tray_h * victim.down(pool.parts.accelerator.per_host)
    labour = site.labour_usd_per_h * site.compute_tray_h
    return repair(count, row.afr, row.usd, labour, site) + victim.suffers(count * row.afr, hours)


def _scale_up(pool: PoolCount, victim: Victim, site: SiteRow) -> Iterator[tuple[Item, Failures]]:
    """Failures of the switches of a domain and of the links below them, stage by stage."""
    labour = site.labour_usd_per_h * site.switch_tray_h
    group = pool.domain.group
    for level, ((row, count), cabling) in enumerate(zip(pool.switches, pool.scale_up, strict=True)):
        repairs = box_parts(row, count, labour, site)
        if level == 0:
            reach = Reach(victim)
            if pool.domain.spare_planes:
                reach = Reach(victim, kill_share=site.kill_share, uncovered=uncovered_planes(pool, site))
            yield "scale_up_switches", repairs + box_effects(row, count, group, group, site.switch_tray_h, reach)
            # A link is one of many ports of its accelerator; a backplane holds all links of a group.
            behind = Behind(1, 1, group if cabling.lower.backplane else 1)
            yield "scale_up_links", links_below(cabling, reach, reach, site, behind)
        else:
            yield "scale_up_switches", repairs + _upper_boxes(pool, row, victim, site)
            yield "scale_up_links", link_repairs(cabling, site) + _upper_links(pool, cabling, victim, site)


def _upper_boxes(pool: PoolCount, row: SwitchRow, victim: Victim, site: SiteRow) -> Failures:
    """Effects of the second stage: traffic of the domain goes round a failure, with less bandwidth.

    One of ``b`` switches is ``1/b`` of the bandwidth between the groups, so the hours of all of them are those of the
    whole domain.
    """
    hits = site.kill_share * box_events(row) * victim.jobs(pool.size) * pool.domain.switches[1]
    hours = pool.size * box_outage(row, site.switch_tray_h)
    return victim.suffers(pool.domains * hits, pool.domains * hours)


def _upper_links(pool: PoolCount, cabling: Cabling, victim: Victim, site: SiteRow) -> Failures:
    """Effects of the links between the two stages."""
    upper = pool.domain.upper
    if upper is None:
        return Failures()
    links = pool.domain.switches[0] * upper.uplinks
    hits = site.kill_share * links * link_events(cabling, {upper.links_per_pair: upper.per_plane}, site)
    return victim.suffers(pool.domains * hits, pool.accelerators * link_outage(cabling, site))


def _leaf_hits(group: LeafGroup, fabric: FabricCount, reach: Reach, site: SiteRow) -> Failures:
    # With one stage every pool has the one leaf: its hits and hours count once per pool. The replicas of a domain
    # have accelerators on every rail, so the leaf of one rail stops those of all; where other planes carry on, only
    # those below it slow down.
    copies, row, total = group.copies, fabric.parts.switches[0], Failures()
    for below, leaves in group.below.items():
        hit = below * copies.rails
        lost = hit if copies.planes == 1 else below
        total += box_effects(row, copies.total * leaves, hit, lost, site.switch_box_h, reach)
    return total


def _box_repairs(fabric: FabricCount, site: SiteRow) -> Failures:
    total = Failures()
    for row, count in fabric.boxes:
        total += box_parts(row, count, site.box_swap_usd, site)
    return total


def _above_leaf(
    group: LeafGroup, fabric: FabricCount, victim: Victim, site: SiteRow
) -> Iterator[tuple[Item, Failures]]:
    """Charge what lies above the leaves, or between them, to the leaves of a pool.

    Traffic goes round a failure here: it kills a job only now and then, and otherwise takes away its share
    of the bandwidth for the time of the repair.
    """
    leaves, accelerators = group.copies.total * group.leaves, group.pool.accelerators
    for row, boxes in fabric.layout.above:
        hits = site.kill_share * leaves * boxes * box_events(row)
        yield "scale_out_switches", victim.suffers(hits, accelerators * box_outage(row, site.switch_box_h))
    for joined, cabling in zip(fabric.layout.joined, fabric.cablings, strict=True):
        events = leaves * joined.links * link_events(cabling, joined.together, site)
        yield "scale_out_links", victim.suffers(site.kill_share * events, accelerators * link_outage(cabling, site))
