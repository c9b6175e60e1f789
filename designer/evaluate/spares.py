"""What spares of a given design cover of the failures inside its domains (docs/rules.md sections 6.3 and 9)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Context, Decimal, localcontext
from fractions import Fraction

from designer.evaluate.counted import Counted, cabling_of
from designer.evaluate.rows import NetworkRows, Rows
from designer.given import Given
from designer.verify.events import Reach, Victim
from designer.verify.rows import SiteRow, SwitchRow
from designer.verify.spares import at_most, excess

_HOURS = 8760


@dataclass(frozen=True)
class Units:
    """Domains, or groups of them for one job: ``count`` in all, ``spare`` ones among them, each ``down`` so often."""

    count: int
    spare: int
    down: Fraction

    @property
    def enough(self) -> Fraction:
        """Share of the time in which those that are up are as many as run jobs."""
        return at_most(self.count, self.spare, self.down)


def units_of(given: Given, networks: Sequence[Counted], rows: Rows, job: int, site: SiteRow) -> Units | None:
    """The units of a design for jobs of so many accelerators; None where no scale-up network says what a domain is.

    Parameters
    ----------
    given, networks, rows
        The design, its networks counted, and the parts of both.
    job
        Accelerators of a job: more than a domain has make units of several domains.
    site
        Times of repair.
    """
    inside = [at for at, counted in enumerate(networks) if counted.endpoints_are == "accelerators"]
    if len(inside) != 1:
        return None
    counted, parts = networks[inside[0]], rows.networks[inside[0]]
    domains = counted.tally.grouping.repeat
    size = counted.tally.accelerators // domains
    together = -(-job // size)
    hours = _outage_of_all(given, counted, parts, rows, site) / domains / _HOURS
    # Up for a mean time to failure, then down for a mean time to repair, over and over.
    one = hours / (1 + hours)
    down = one if together == 1 else _any_of(together, one)
    return Units(max(1, domains // together), given.design.endpoints.spare_domains // together, down)


def _any_of(count: int, down: Fraction) -> Fraction:
    """Share of the time in which at least one of several is down, good to 50 decimals."""
    with localcontext(Context(prec=60)):
        return Fraction(1 - (1 - Decimal(down.numerator) / down.denominator) ** count)


def _outage_of_all(given: Given, counted: Counted, parts: NetworkRows, rows: Rows, site: SiteRow) -> Fraction:
    """Hours a year, summed over the domains, in which something inside one is out."""
    accelerators, hours = counted.tally.accelerators, Fraction(0)
    if rows.accelerator is not None:
        hours += accelerators * rows.accelerator.afr * site.compute_tray_h
    if rows.nic is not None:
        hours += accelerators * given.design.endpoints.nics * rows.nic.afr * site.compute_tray_h
    if not counted.spare_planes:
        for stage in counted.tally.stages:
            if stage.cuts:
                hours += stage.boxes * _outage_of_switch(parts.switches[stage.name], site)
    for bundle in counted.tally.bundles:
        if not bundle.cuts:
            continue
        cabling = cabling_of(counted, bundle, *parts.links[bundle.count.name])
        if cabling.lower.module:
            for bought, end in ((cabling.lower_bought, cabling.lower), (cabling.upper_bought, cabling.upper)):
                hours += bought * end.afr * end.repair_h
        else:
            hours += cabling.cables * 2 * cabling.lower.afr * cabling.lower.repair_h
    return hours


def _outage_of_switch(row: SwitchRow, site: SiteRow) -> Fraction:
    """Hours a year in which a first-stage switch, or one of its laser modules, is out."""
    hours = row.afr * site.switch_tray_h
    if row.cpo is not None:
        hours += row.cpo.box_swaps * row.cpo.box_hours
        hours += row.cpo.laser_modules * row.cpo.laser_rate * row.cpo.laser_hours
    return hours


def running_domains(given: Given, networks: Sequence[Counted], rows: Rows, victim: Victim, site: SiteRow) -> Victim:
    """Who suffers from what fails inside the domains: spare ones run no job, and stand in for others that are down."""
    spare = given.design.endpoints.spare_domains
    if not spare:
        return victim
    units = units_of(given, networks, rows, victim.replica, site)
    assert units is not None, "a design with spare domains has one scale-up network"
    domains = next(one.tally.grouping.repeat for one in networks if one.endpoints_are == "accelerators")
    uncovered = excess(units.count, units.spare, units.down)
    return replace(victim, hit_share=Fraction(domains - spare, domains), hour_share=uncovered)


def spared_planes(counted: Counted, rows: NetworkRows, victim: Victim, site: SiteRow) -> Reach:
    """How far a failure of a switch or link reaches in a domain that has planes to spare."""
    (stage,) = counted.tally.stages
    hours = _outage_of_switch(rows.switches[stage.name], site) / _HOURS
    planes = stage.boxes // counted.tally.grouping.repeat
    return Reach(
        victim, kill_share=site.kill_share, uncovered=excess(planes, counted.spare_planes, hours / (1 + hours))
    )
