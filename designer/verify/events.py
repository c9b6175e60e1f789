"""What the events of parts do to those who run on them, in any network: repairs, hits, hours lost (section 9).

`designer.verify.failures` puts them together for the pools and fabrics of a design, `designer.evaluate.account` for a
design that is given as it is built.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from designer.verify.boundaries import Cabling, Tally
from designer.verify.exact import ratio_up
from designer.verify.rows import LinkRow, SiteRow, SwitchRow

ZERO = Fraction(0)
ONE = Fraction(1)


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
    """Who suffers: jobs of ``replica`` accelerators each, all of one value.

    ``hour_usd`` is what an hour of one accelerator is worth, ``restart_usd`` what starting a job again costs. With
    spares ``hit_share`` of the hits find a job at work, and ``hour_share`` of the hours are lost: no spare stands in.
    """

    replica: int
    hour_usd: Fraction
    restart_usd: Fraction
    hit_share: Fraction = ONE
    hour_share: Fraction = ONE

    def down(self, blast: int) -> int:
        """Accelerators out of service while a component that serves ``blast`` of them is repaired."""
        return max(blast, self.replica)

    def jobs(self, blast: int) -> int:
        """Replicas that a component serving ``blast`` accelerators interrupts."""
        return max(1, blast // self.replica)

    def suffers(self, hits: Fraction = ZERO, hours: Fraction = ZERO) -> Failures:
        """Price interrupted jobs by their restart and lost hours by the value of an hour, less what spares cover."""
        hits, hours = hits * self.hit_share, hours * self.hour_share
        return Failures(hits=hits, hours=hours, usd=self.hour_usd * hours + self.restart_usd * hits)


@dataclass(frozen=True)
class Reach:
    """How far a failure reaches: its replicas stop, unless the other planes of the fabric carry on.

    With planes a failure kills a job only now and then, and takes its share of the bandwidth from the accelerators
    behind it. With spare planes of a domain (``uncovered`` is not None) it kills as rarely, and takes the accelerators
    for a share of the time: while more planes are out than can be spared.
    """

    victim: Victim
    planes: int = 1
    kill_share: Fraction = ZERO
    uncovered: Fraction | None = None

    def jobs(self, blast: int) -> Fraction:
        """Replicas interrupted by a component that serves ``blast`` accelerators."""
        alone = self.planes == 1 and self.uncovered is None
        return self.victim.jobs(blast) * (ONE if alone else self.kill_share)

    def down(self, blast: int) -> Fraction:
        """Accelerators out of service, as a number of whole ones."""
        whole = Fraction(self.victim.down(blast)) if self.planes == 1 else Fraction(blast, self.planes)
        return whole if self.uncovered is None else whole * self.uncovered


@dataclass(frozen=True)
class Behind:
    """Accelerators behind one lower end, one upper end, one cable of a boundary.

    ``upper_lost`` of those behind an upper end are out of service while it is repaired (None: all of them); the jobs of
    all are hit.
    """

    lower: int
    upper: int
    cable: int
    upper_lost: int | None = None


def repair(count: Fraction | int, rate: Fraction, part: Fraction, labour: Fraction, site: SiteRow) -> Failures:
    """Repairs of ``count`` parts that fail at ``rate`` a year: the owner's share of a new ``part``, and ``labour``."""
    return _repair(count, rate, part * site.part_share + labour)


def _repair(count: Fraction | int, rate: Fraction, usd: Fraction) -> Failures:
    hard = count * rate
    return Failures(hard=hard, usd=hard * usd)


def box_parts(row: SwitchRow, count: int, labour: Fraction, site: SiteRow) -> Failures:
    """Repairs of switches: the box, and for co-packaged ones engine swaps of the box and laser modules.

    Parameters
    ----------
    row : SwitchRow
        The switch.
    count : int
        How many there are.
    labour : Fraction
        USD of exchanging one box.
    site : SiteRow
        Prices of the site.
    """
    repairs = repair(count, row.afr, row.usd, labour, site)
    if row.cpo is not None:
        # A box whose engine is mended need not be paid like a new one.
        share = site.part_share if site.box_swap_share is None else site.box_swap_share
        repairs += _repair(count, row.cpo.box_swaps, row.usd * share + labour)
        lasers = count * row.cpo.laser_modules
        repairs += repair(lasers, row.cpo.laser_rate, site.laser_usd, site.module_swap_usd, site)
    return repairs


def box_effects(row: SwitchRow, count: int, hit: int, lost: int, repair_h: Fraction, reach: Reach) -> Failures:
    """Hits and hours of scale-up switches and leaves, whose ports have no second way within their plane.

    Parameters
    ----------
    row : SwitchRow
        The switch.
    count : int
        How many there are.
    hit, lost : int
        Accelerators behind one whose job may be interrupted, and those of them that are out of service meanwhile.
    repair_h : Fraction
        Hours until the box is exchanged.
    reach : Reach
        How far its failure reaches.
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


def links_below(cabling: Cabling, host: Reach, others: Reach, site: SiteRow, behind: Behind) -> Failures:
    """Failures of cables at accelerators or NICs, with nothing to go round them.

    Parameters
    ----------
    cabling : Cabling
        The cables.
    host, others : Reach
        How far a failure at the host's end reaches, which takes a whole NIC, and one of the rest of the cable.
    site : SiteRow
        Rates and prices of the site.
    behind : Behind
        Accelerators behind each end and cable.
    """
    total, victim = link_repairs(cabling, site), host.victim
    row = cabling.lower
    if not row.module:
        events = cabling.cables * 2 * row.afr
        blast = behind.cable
        total += victim.suffers(events * others.jobs(blast), events * row.repair_h * others.down(blast))
        return total + victim.suffers(site.kill_share * cabling.cables * row.transients)
    lost = behind.upper if behind.upper_lost is None else behind.upper_lost
    for end, bought, hit, gone, reach in (
        (cabling.lower, cabling.lower_bought, behind.lower, behind.lower, host),
        (cabling.upper, cabling.upper_bought, behind.upper, lost, others),
    ):
        events = bought * end.afr
        total += victim.suffers(events * reach.jobs(hit), events * end.repair_h * reach.down(gone))
    flaps = cabling.lower_ends * cabling.lower.transients / 2 + cabling.upper_ends * cabling.upper.transients / 2
    dirty = _cleanings(cabling, site)
    hits = site.kill_share * flaps + dirty * others.jobs(behind.lower)
    return total + victim.suffers(hits, dirty * site.dirt_h * others.down(behind.lower))


def _cleanings(cabling: Cabling, site: SiteRow) -> Fraction:
    return site.dirt_per_year * Fraction(cabling.lower_ends + cabling.upper_ends, 2)


def link_repairs(cabling: Cabling, site: SiteRow) -> Failures:
    """Repairs and cleanings of a boundary by its true counts."""
    row = cabling.lower
    if not row.module:
        part = 2 * row.usd if row.usd_per_cable is None or row.backplane else row.usd_per_cable
        labour = site.labour_usd_per_h * site.backplane_labour_h if row.backplane else site.cable_swap_usd
        return repair(cabling.cables, 2 * row.afr, part, labour, site)
    total = Failures()
    for end, bought in ((cabling.lower, cabling.lower_bought), (cabling.upper, cabling.upper_bought)):
        total += repair(bought, end.afr, end.usd, site.module_swap_usd, site)
    dirty = _cleanings(cabling, site)
    return total + Failures(cleanings=dirty, usd=dirty * site.dirt_h * site.labour_usd_per_h)


def box_events(row: SwitchRow) -> Fraction:
    """Events of one box a year whose traffic goes round it: outages, engine swaps, laser modules."""
    extra = row.cpo.box_swaps + row.cpo.laser_modules * row.cpo.laser_rate if row.cpo is not None else ZERO
    return row.outages + extra


def box_outage(row: SwitchRow, repair_h: Fraction) -> Fraction:
    """Hours a year without one box's share; a laser module is 1/els_modules of its box, and there are as many."""
    hours = row.afr * repair_h
    if row.cpo is not None:
        hours += row.cpo.box_swaps * row.cpo.box_hours + row.cpo.laser_rate * row.cpo.laser_hours
    return hours


def link_events(cabling: Cabling, together: Tally, site: SiteRow) -> Fraction:
    """Events of one link a year, as its part of the ends or cables that carry it.

    ``together`` tallies the boxes above one lower box by the links that go to each: those share cables.
    """
    row = cabling.lower
    if not row.module:
        cables = sum(boxes * ratio_up(links * cabling.rate, row.rate_gbps) for links, boxes in together.items())
        links = sum(links * boxes for links, boxes in together.items())
        return Fraction(cables, links) * (2 * row.afr + row.transients)

    def of_end(end: LinkRow) -> Fraction:
        hard = ZERO if end.cpo else end.afr
        return cabling.rate / end.rate_gbps * (hard + end.transients / 2 + site.dirt_per_year / 2)

    return of_end(cabling.lower) + of_end(cabling.upper)


def link_outage(cabling: Cabling, site: SiteRow) -> Fraction:
    """Hours a year without one link's share of its boundary."""
    row = cabling.lower
    if not row.module:
        return 2 * row.afr * row.repair_h
    ends = sum((end.afr * end.repair_h for end in (cabling.lower, cabling.upper) if not end.cpo), ZERO)
    return ends + site.dirt_per_year * site.dirt_h
