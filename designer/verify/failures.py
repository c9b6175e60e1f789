"""Expected failures of everything in a design, per year: repairs, hits, hours lost, cleanings, money (9)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction

from designer.design.account import Item
from designer.verify.attachments import LeafGroup
from designer.verify.boundaries import Cabling
from designer.verify.fabric import FabricCount
from designer.verify.pools import PoolCount
from designer.verify.rows import CpoRow, LinkRow, SiteRow, SwitchRow

ZERO = Fraction(0)


@dataclass(frozen=True)
class Failures:
    """What one source of failures does in a year; sources add up."""

    hard: Fraction = ZERO
    hits: Fraction = ZERO
    hours: Fraction = ZERO
    cleanings: Fraction = ZERO
    usd: Fraction = ZERO

    def __add__(self, other: Failures) -> Failures:
        return Failures(
            self.hard + other.hard,
            self.hits + other.hits,
            self.hours + other.hours,
            self.cleanings + other.cleanings,
            self.usd + other.usd,
        )


@dataclass(frozen=True)
class Victim:
    """Who suffers: a pool with replicas of ``replica`` accelerators of one value."""

    replica: int
    hour_usd: Fraction
    restart_usd: Fraction

    def down(self, blast: int) -> int:
        """Accelerators out of service while a component that serves ``blast`` of them is repaired."""
        return max(blast, self.replica)

    def jobs(self, blast: int) -> int:
        """Replicas that a component serving ``blast`` accelerators interrupts."""
        return max(1, blast // self.replica)

    def suffers(self, hits: Fraction = ZERO, hours: Fraction = ZERO) -> Failures:
        """Price interrupted jobs by their restart and lost hours by the value of an hour."""
        return Failures(hits=hits, hours=hours, usd=self.hour_usd * hours + self.restart_usd * hits)


def victim_of(pool: PoolCount, site: SiteRow) -> Victim:
    """Value of a pool's lost hours and restarts, from the installed price of its accelerators.

    Restarting a job costs ``restart_h`` hours of all accelerators of the replica.
    """
    hour = site.lost_hour_share * pool.parts.accelerator.installed_usd
    return Victim(pool.replica, hour, hour * site.restart_h * pool.replica)


def failures_of(pools: Sequence[PoolCount], fabric: FabricCount, site: SiteRow) -> Iterator[tuple[Item, Failures]]:
    """Go through every source of failures once."""
    for pool in pools:
        victim = victim_of(pool, site)
        yield "accelerators", _accelerators(pool, victim, site)
        yield "nics", _nics(pool, victim, site)
        yield "scale_up_switches", _scale_up_switches(pool, victim, site)
        yield "scale_up_links", _links_below(pool.scale_up, victim, site, (1, 1), pool.size)
    for group in fabric.groups:
        victim = victim_of(group.pool, site)
        yield "nic_leaf_links", _links_below(group.nic_leaf, victim, site, _behind(group), pool_size(group))
        yield "scale_out_switches", _leaf_hits(group, fabric, victim, site)
        yield from _above_leaf(group, fabric, victim, site)
    yield "scale_out_switches", _box_repairs(fabric, site)
    for cabling in fabric.cablings:
        yield "scale_out_links", _link_repairs(cabling, site)


def pool_size(group: LeafGroup) -> int:
    """Domain size of the pool below a leaf group."""
    return group.pool.size


def _behind(group: LeafGroup) -> tuple[int, int]:
    """Accelerators behind one lower and one upper end of the NIC-leaf boundary."""
    cabling, each = group.nic_leaf, group.pool.nics_per_accelerator
    lower, upper = (max(1, int(row.rate_gbps // cabling.rate) // each) for row in (cabling.lower, cabling.upper))
    return lower, upper


def _repair(count: Fraction | int, rate: Fraction, part: Fraction, labour: Fraction, site: SiteRow) -> Failures:
    hard = count * rate
    return Failures(hard=hard, usd=hard * (part * site.part_share + labour))


def _accelerators(pool: PoolCount, victim: Victim, site: SiteRow) -> Failures:
    row, count = pool.parts.accelerator, pool.accelerators
    hours = count * row.afr * site.compute_tray_h * victim.down(row.per_host)
    labour = site.labour_usd_per_h * site.compute_tray_h
    repairs = _repair(count, row.afr, row.bare_usd, labour, site)
    return repairs + victim.suffers(count * row.interrupts, hours)


def _nics(pool: PoolCount, victim: Victim, site: SiteRow) -> Failures:
    row, count = pool.parts.nic, pool.nics
    hours = count * row.afr * site.compute_tray_h * victim.down(pool.parts.accelerator.per_host)
    labour = site.labour_usd_per_h * site.compute_tray_h
    return _repair(count, row.afr, row.usd, labour, site) + victim.suffers(count * row.afr, hours)


def _scale_up_switches(pool: PoolCount, victim: Victim, site: SiteRow) -> Failures:
    row, count = pool.parts.switch, pool.switches
    labour = site.labour_usd_per_h * site.switch_tray_h
    repairs = _box_parts(row, count, labour, site)
    return repairs + _box_effects(row, count, pool.size, site.switch_tray_h, victim)


def _box_parts(row: SwitchRow, count: int, labour: Fraction, site: SiteRow) -> Failures:
    """Repairs of switches: the box, and for co-packaged ones engine swaps of the box and laser modules."""
    repairs = _repair(count, row.afr, row.usd, labour, site)
    if row.cpo is not None:
        repairs += _repair(count, row.cpo.box_swaps, row.usd, labour, site)
        lasers = count * row.cpo.laser_modules
        repairs += _repair(lasers, row.cpo.laser_rate, site.laser_usd, site.module_swap_usd, site)
    return repairs


def _box_effects(row: SwitchRow, count: int, blast: int, repair_h: Fraction, victim: Victim) -> Failures:
    """Hits and hours of switches whose ports have no second way: scale-up switches and leaves."""
    hits = row.outages * victim.jobs(blast)
    hours = row.afr * repair_h * victim.down(blast)
    if row.cpo is not None:
        cpo, few = row.cpo, -(-blast // row.cpo.laser_modules)
        hits += cpo.box_swaps * victim.jobs(blast)
        hours += cpo.box_swaps * cpo.box_hours * victim.down(blast)
        lasers = cpo.laser_modules * cpo.laser_rate
        hits += lasers * victim.jobs(few)
        hours += lasers * cpo.laser_hours * victim.down(few)
    return victim.suffers(count * hits, count * hours)


def _leaf_hits(group: LeafGroup, fabric: FabricCount, victim: Victim, site: SiteRow) -> Failures:
    # With one stage every pool has the one leaf: its hits and hours count once per pool.
    return _box_effects(fabric.parts.switches[0], group.leaves, group.group, site.switch_box_h, victim)


def _links_below(cabling: Cabling, victim: Victim, site: SiteRow, behind: tuple[int, int], size: int) -> Failures:
    """Failures of scale-up or NIC-leaf cables; ``behind`` = accelerators behind a lower and an upper end."""
    total = _link_repairs(cabling, site)
    row = cabling.lower
    if not row.module:
        blast = size if row.backplane else behind[0]
        events = cabling.cables * 2 * row.afr
        total += victim.suffers(events * victim.jobs(blast), events * row.repair_h * victim.down(blast))
        return total + victim.suffers(site.kill_share * cabling.cables * row.transients)
    for end, bought, blast in (
        (cabling.lower, cabling.lower_bought, behind[0]),
        (cabling.upper, cabling.upper_bought, behind[1]),
    ):
        events = bought * end.afr
        total += victim.suffers(events * victim.jobs(blast), events * end.repair_h * victim.down(blast))
    flaps = cabling.lower_ends * cabling.lower.transients / 2 + cabling.upper_ends * cabling.upper.transients / 2
    dirty = _cleanings(cabling, site)
    hits = site.kill_share * flaps + dirty * victim.jobs(behind[0])
    return total + victim.suffers(hits, dirty * site.dirt_h * victim.down(behind[0]))


def _cleanings(cabling: Cabling, site: SiteRow) -> Fraction:
    return site.dirt_per_year * Fraction(cabling.lower_ends + cabling.upper_ends, 2)


def _link_repairs(cabling: Cabling, site: SiteRow) -> Failures:
    """Repairs and cleanings of a boundary by its true counts."""
    row = cabling.lower
    if not row.module:
        part = 2 * row.usd if row.usd_per_cable is None or row.backplane else row.usd_per_cable
        labour = site.labour_usd_per_h * site.backplane_labour_h if row.backplane else site.cable_swap_usd
        return _repair(cabling.cables, 2 * row.afr, part, labour, site)
    total = Failures()
    for end, bought in ((cabling.lower, cabling.lower_bought), (cabling.upper, cabling.upper_bought)):
        total += _repair(bought, end.afr, end.usd, site.module_swap_usd, site)
    dirty = _cleanings(cabling, site)
    return total + Failures(cleanings=dirty, usd=dirty * site.dirt_h * site.labour_usd_per_h)


def _box_repairs(fabric: FabricCount, site: SiteRow) -> Failures:
    total = Failures()
    counts = (fabric.leaves, fabric.spines, fabric.cores)
    for row, count in zip(fabric.parts.switches, counts, strict=False):
        total += _box_parts(row, count, site.box_swap_usd, site)
    return total


def _above_leaf(
    group: LeafGroup, fabric: FabricCount, victim: Victim, site: SiteRow
) -> Iterator[tuple[Item, Failures]]:
    """Charge spines, cores and the cables between switches to a pool by the ports its leaves use.

    Traffic goes round a failure here: it kills a job only now and then, and otherwise takes away its share
    of the bandwidth for the time of the repair.
    """
    links = [Fraction(fabric.uplinks)]
    if fabric.stages == 3:
        links.append(Fraction(fabric.spine_up * fabric.spines_per_pod, fabric.pod_leaves))
    together = (fabric.links_per_spine, fabric.links_per_core)
    for level, cabling in enumerate(fabric.cablings):
        row = fabric.parts.switches[level + 1]
        boxes = group.leaves * links[level] / row.radix[fabric.rate]
        hits = site.kill_share * boxes * _box_events(row)
        yield "scale_out_switches", victim.suffers(hits, group.pool.accelerators * _box_outage(row, site))
        events = group.leaves * links[level] * _link_events(cabling, together[level], site)
        hours = group.pool.accelerators * _link_outage(cabling, site)
        yield "scale_out_links", victim.suffers(site.kill_share * events, hours)


def _laser_events(cpo: CpoRow) -> Fraction:
    return cpo.laser_modules * cpo.laser_rate


def _box_events(row: SwitchRow) -> Fraction:
    extra = row.cpo.box_swaps + _laser_events(row.cpo) if row.cpo is not None else ZERO
    return row.outages + extra


def _box_outage(row: SwitchRow, site: SiteRow) -> Fraction:
    """Hours a year without one box's share; a laser module is 1/els_modules of its box, and there are as many."""
    hours = row.afr * site.switch_box_h
    if row.cpo is not None:
        hours += row.cpo.box_swaps * row.cpo.box_hours + row.cpo.laser_rate * row.cpo.laser_hours
    return hours


def _link_events(cabling: Cabling, together: int, site: SiteRow) -> Fraction:
    """Events of one link a year, as its part of the ends or cables that carry it."""
    row = cabling.lower
    if not row.module:
        cables = -(-Fraction(together * cabling.rate) // row.rate_gbps)
        return Fraction(cables, together) * (2 * row.afr + row.transients)

    def of_end(end: LinkRow) -> Fraction:
        hard = ZERO if end.cpo else end.afr
        return cabling.rate / end.rate_gbps * (hard + end.transients / 2 + site.dirt_per_year / 2)

    return of_end(cabling.lower) + of_end(cabling.upper)


def _link_outage(cabling: Cabling, site: SiteRow) -> Fraction:
    row = cabling.lower
    if not row.module:
        return 2 * row.afr * row.repair_h
    ends = sum((end.afr * end.repair_h for end in (cabling.lower, cabling.upper) if not end.cpo), ZERO)
    return ends + site.dirt_per_year * site.dirt_h
