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
    """Who suffers: a pool whose accelerators are of one value, and so its replicas."""

    pool: PoolCount
    hour_usd: Fraction
    restart_usd: Fraction

    def down(self, blast: int) -> int:
        """Accelerators out of service while a component that serves ``blast`` of them is repaired."""
        return max(blast, self.pool.replica)

    def jobs(self, blast: int) -> int:
        """Replicas that a component serving ``blast`` accelerators interrupts."""
        return self.pool.jobs(blast)

    def suffers(self, hits: Fraction = ZERO, hours: Fraction = ZERO) -> Failures:
        """Price interrupted jobs by their restart and lost hours by the value of an hour."""
        return Failures(hits=hits, hours=hours, usd=self.hour_usd * hours + self.restart_usd * hits)


@dataclass(frozen=True)
class Reach:
    """How far a failure reaches: its replicas stop, unless the other planes of the fabric carry on.

    With planes a failure kills a job only now and then, and takes its share of the bandwidth from the accelerators
    behind it.
    """

    victim: Victim
    planes: int = 1
    kill_share: Fraction = ZERO

    def jobs(self, blast: int) -> Fraction:
        """Replicas interrupted by a component that serves ``blast`` accelerators."""
        return self.victim.jobs(blast) * (Fraction(1) if self.planes == 1 else self.kill_share)

    def down(self, blast: int) -> Fraction:
        """Accelerators out of service, as a number of whole ones."""
        return Fraction(self.victim.down(blast)) if self.planes == 1 else Fraction(blast, self.planes)


def victim_of(pool: PoolCount, site: SiteRow) -> Victim:
    """Value of a pool's lost hours and restarts, from the installed price of its accelerators.

    Restarting a job costs ``restart_h`` hours of all accelerators of the replica.
    """
    hour = site.lost_hour_share * pool.parts.accelerator.installed_usd
    return Victim(pool, hour, hour * site.restart_h * pool.replica)


def failures_of(
    pools: Sequence[PoolCount], fabrics: Sequence[FabricCount], site: SiteRow
) -> Iterator[tuple[Item, Failures]]:
    """Go through every source of failures once."""
    for pool in pools:
        victim = victim_of(pool, site)
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
        yield "nic_leaf_links", _links_below(group.nic_leaf, Reach(victim), others, site, _behind(group))
        yield "scale_out_switches", _leaf_hits(group, fabric, others, site)
        yield from _above_leaf(group, fabric, victim, site)
    yield "scale_out_switches", _box_repairs(fabric, site)
    for cabling in fabric.cablings:
        yield "scale_out_links", _link_repairs(cabling, site)


@dataclass(frozen=True)
class Behind:
    """Accelerators behind one lower end, one upper end, one cable of a boundary."""

    lower: int
    upper: int
    cable: int


def _behind(group: LeafGroup) -> Behind:
    """Accelerators behind the ends of the NIC-leaf boundary; an end in a host also carries its other planes."""
    cabling, nics = group.nic_leaf, group.pool.nics_per_accelerator
    lower, upper = (int(row.rate_gbps // cabling.rate) for row in (cabling.lower, cabling.upper))
    at_leaf = max(1, upper // nics)
    return Behind(max(1, lower // (nics * group.copies.planes)), at_leaf, at_leaf)


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


def _scale_up(pool: PoolCount, victim: Victim, site: SiteRow) -> Iterator[tuple[Item, Failures]]:
    """Failures of the switches of a domain and of the links below them, stage by stage."""
    labour = site.labour_usd_per_h * site.switch_tray_h
    group = pool.domain.group
    for level, ((row, count), cabling) in enumerate(zip(pool.switches, pool.scale_up, strict=True)):
        repairs = _box_parts(row, count, labour, site)
        if level == 0:
            reach = Reach(victim)
            yield "scale_up_switches", repairs + _box_effects(row, count, group, group, site.switch_tray_h, reach)
            # A link is one of many ports of its accelerator; a backplane holds all links of a group.
            behind = Behind(1, 1, group if cabling.lower.backplane else 1)
            yield "scale_up_links", _links_below(cabling, reach, reach, site, behind)
        else:
            yield "scale_up_switches", repairs + _upper_boxes(pool, row, victim, site)
            yield "scale_up_links", _link_repairs(cabling, site) + _upper_links(pool, cabling, victim, site)


def _upper_boxes(pool: PoolCount, row: SwitchRow, victim: Victim, site: SiteRow) -> Failures:
    """Effects of the second stage: traffic of the domain goes round a failure, with less bandwidth.

    One of ``b`` switches is ``1/b`` of the bandwidth between the groups, so the hours of all of them are those of the
    whole domain.
    """
    hits = site.kill_share * _box_events(row) * victim.jobs(pool.size) * pool.domain.switches[1]
    hours = pool.size * _box_outage(row, site.switch_tray_h)
    return victim.suffers(pool.domains * hits, pool.domains * hours)


def _upper_links(pool: PoolCount, cabling: Cabling, victim: Victim, site: SiteRow) -> Failures:
    """Effects of the links between the two stages."""
    upper = pool.domain.upper
    if upper is None:
        return Failures()
    links = pool.domain.switches[0] * upper.uplinks
    hits = site.kill_share * links * _link_events(cabling, upper.links_per_pair, site)
    return victim.suffers(pool.domains * hits, pool.accelerators * _link_outage(cabling, site))


def _box_parts(row: SwitchRow, count: int, labour: Fraction, site: SiteRow) -> Failures:
    """Repairs of switches: the box, and for co-packaged ones engine swaps of the box and laser modules."""
    repairs = _repair(count, row.afr, row.usd, labour, site)
    if row.cpo is not None:
        repairs += _repair(count, row.cpo.box_swaps, row.usd, labour, site)
        lasers = count * row.cpo.laser_modules
        repairs += _repair(lasers, row.cpo.laser_rate, site.laser_usd, site.module_swap_usd, site)
    return repairs


def _box_effects(row: SwitchRow, count: int, hit: int, lost: int, repair_h: Fraction, reach: Reach) -> Failures:
    """Hits and hours of scale-up switches and leaves, whose ports have no second way within their plane.

    ``hit`` accelerators may have their job interrupted; ``lost`` of them are out of service meanwhile.
    """
    hits = row.outages * reach.jobs(hit)
    hours = row.afr * repair_h * reach.down(lost)
    if row.cpo is not None:
        cpo = row.cpo
        few_hit, few_lost = -(-hit // cpo.laser_modules), -(-lost // cpo.laser_modules)
        hits += cpo.box_swaps * reach.jobs(hit)
        hours += cpo.box_swaps * cpo.box_hours * reach.down(lost)
        lasers = cpo.laser_modules * cpo.laser_rate
        hits += lasers * reach.jobs(few_hit)
        hours += lasers * cpo.laser_hours * reach.down(few_lost)
    return reach.victim.suffers(count * hits, count * hours)


def _leaf_hits(group: LeafGroup, fabric: FabricCount, reach: Reach, site: SiteRow) -> Failures:
    # With one stage every pool has the one leaf: its hits and hours count once per pool. The replicas of a domain
    # have accelerators on every rail, so the leaf of one rail hits those of all.
    copies, row = group.copies, fabric.parts.switches[0]
    hit = group.group * copies.rails
    return _box_effects(row, copies.total * group.leaves, hit, group.group, site.switch_box_h, reach)


def _links_below(cabling: Cabling, host: Reach, others: Reach, site: SiteRow, behind: Behind) -> Failures:
    """Failures of scale-up or NIC-leaf cables: ends in a host take a whole NIC, ``others`` what is in their way."""
    total, victim = _link_repairs(cabling, site), host.victim
    row = cabling.lower
    if not row.module:
        events = cabling.cables * 2 * row.afr
        blast = behind.cable
        total += victim.suffers(events * others.jobs(blast), events * row.repair_h * others.down(blast))
        return total + victim.suffers(site.kill_share * cabling.cables * row.transients)
    for end, bought, blast, reach in (
        (cabling.lower, cabling.lower_bought, behind.lower, host),
        (cabling.upper, cabling.upper_bought, behind.upper, others),
    ):
        events = bought * end.afr
        total += victim.suffers(events * reach.jobs(blast), events * end.repair_h * reach.down(blast))
    flaps = cabling.lower_ends * cabling.lower.transients / 2 + cabling.upper_ends * cabling.upper.transients / 2
    dirty = _cleanings(cabling, site)
    hits = site.kill_share * flaps + dirty * others.jobs(behind.lower)
    return total + victim.suffers(hits, dirty * site.dirt_h * others.down(behind.lower))


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
    for row, count in fabric.boxes:
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
        joined = group.copies.total * group.leaves * links[level]
        boxes = joined / row.radix[fabric.rate]
        hits = site.kill_share * boxes * _box_events(row)
        yield "scale_out_switches", victim.suffers(hits, group.pool.accelerators * _box_outage(row, site.switch_box_h))
        events = joined * _link_events(cabling, together[level], site)
        hours = group.pool.accelerators * _link_outage(cabling, site)
        yield "scale_out_links", victim.suffers(site.kill_share * events, hours)


def _laser_events(cpo: CpoRow) -> Fraction:
    return cpo.laser_modules * cpo.laser_rate


def _box_events(row: SwitchRow) -> Fraction:
    extra = row.cpo.box_swaps + _laser_events(row.cpo) if row.cpo is not None else ZERO
    return row.outages + extra


def _box_outage(row: SwitchRow, repair_h: Fraction) -> Fraction:
    """Hours a year without one box's share; a laser module is 1/els_modules of its box, and there are as many."""
    hours = row.afr * repair_h
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
