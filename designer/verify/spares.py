"""What spare domains and spare planes cover of the failures inside the domains (sections 6.3 and 9).

Sums over a binomial distribution are exact where that is quick, else good to 50 decimals.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import MAX_EMAX, MIN_EMIN, Context, Decimal, localcontext
from fractions import Fraction
from typing import Any, cast

from designer.verify.pools import PoolCount
from designer.verify.rows import SiteRow, SwitchRow

HOURS_PER_YEAR = 8760
ZERO, ONE = Fraction(0), Fraction(1)

EXACT_BITS = 4096
"""Exact sums are taken as long as the probabilities in them have no more digits than this, roughly."""

DIGITS = Context(prec=60, Emin=MIN_EMIN, Emax=MAX_EMAX)
DECIMALS = Decimal("1e-50")


def unit_down(pool: PoolCount, site: SiteRow) -> Fraction:
    """Share of the time in which a unit of a pool is down: a domain, or the domains of a replica."""
    hours = _outage_of_domain(pool, site) / HOURS_PER_YEAR
    # Up for a mean time to failure, then down for a mean time to repair, over and over.
    domain, domains = hours / (1 + hours), pool.domains_per_replica
    with localcontext(DIGITS):
        return _fraction(1 - (1 - _number(domains, domain)) ** domains)


def pool_availability(pool: PoolCount, site: SiteRow) -> Fraction:
    """Share of the time in which the units that are up serve a pool's whole peak."""
    return at_most(_units(pool), pool.spare_units, unit_down(pool, site))


def uncovered_domains(pool: PoolCount, site: SiteRow) -> Fraction:
    """Share of the hours lost inside the domains for which no spare stands in."""
    if pool.spare_units == 0:
        return ONE
    return excess(_units(pool), pool.spare_units, unit_down(pool, site))


def uncovered_planes(pool: PoolCount, site: SiteRow) -> Fraction:
    """Share of the hours of planes that fall into times when more of them are out than can be spared."""
    hours = _outage_of_switch(pool.switches[0][0], site) / HOURS_PER_YEAR
    return excess(pool.domain.planes, pool.domain.spare_planes, hours / (1 + hours))


def _units(pool: PoolCount) -> int:
    return pool.domains // pool.domains_per_replica


def _outage_of_switch(row: SwitchRow, site: SiteRow) -> Fraction:
    """Hours a year in which one first-stage switch, or one of its laser modules, is out."""
    hours = row.afr * site.switch_tray_h
    if row.cpo is not None:
        hours += row.cpo.box_swaps * row.cpo.box_hours
        hours += row.cpo.laser_modules * row.cpo.laser_rate * row.cpo.laser_hours
    return hours


def _outage_of_domain(pool: PoolCount, site: SiteRow) -> Fraction:
    """Hours a year in which something inside one domain is out."""
    accelerator, nic, size = pool.parts.accelerator, pool.parts.nic, pool.size
    hours = size * (accelerator.afr + pool.nics_per_accelerator * nic.afr) * site.compute_tray_h
    if pool.domain.spare_planes == 0:
        for stage, switches in zip(pool.parts.stages[:1], pool.domain.switches, strict=False):
            hours += switches * _outage_of_switch(stage.switch, site)
    for cabling in pool.scale_up[:1]:
        if cabling.lower.module:
            repairs = cabling.lower_bought * cabling.lower.afr * cabling.lower.repair_h
            repairs += cabling.upper_bought * cabling.upper.afr * cabling.upper.repair_h
        else:
            repairs = cabling.cables * 2 * cabling.lower.afr * cabling.lower.repair_h
        hours += repairs / pool.domains
    return hours


def at_most(units: int, spare: int, down: Fraction) -> Fraction:
    """Probability that at most ``spare`` of so many independent units are down.

    Examples
    --------
    >>> at_most(2, 1, Fraction(1, 4)), at_most(3, 3, Fraction(1, 4)), at_most(5, 0, Fraction(0))
    (Fraction(15, 16), Fraction(1, 1), Fraction(1, 1))
    >>> at_most(5, 4, Fraction(1))
    Fraction(0, 1)
    """
    if spare >= units:
        return ONE
    if down == 1:
        return ZERO
    with localcontext(DIGITS):
        share = _number(units, down)
        return _fraction(sum(_terms(units, spare, share), 0 * share))


def excess(units: int, spare: int, down: Fraction) -> Fraction:
    """Units down beyond ``spare``, as a share of the units down: E[max(0, D - spare)] / E[D].

    Examples
    --------
    Of two units, both are down for a 16th of the time; a half of one is down on average.

    >>> excess(2, 1, Fraction(1, 4)), excess(2, 0, Fraction(1, 4)), excess(2, 2, Fraction(1, 4))
    (Fraction(1, 8), Fraction(1, 1), Fraction(0, 1))
    >>> excess(4, 1, Fraction(1)), excess(4, 1, Fraction(0))
    (Fraction(3, 4), Fraction(0, 1))
    >>> float(excess(10**6, 1000, Fraction(1, 1000))) < 0.013
    True
    """
    if spare == 0:
        return ZERO if down == 0 else ONE
    if down == 0 or spare >= units:
        return ZERO
    if down == 1:
        return Fraction(units - spare, units)
    with localcontext(DIGITS):
        share = _number(units, down)
        mean = units * share
        if isinstance(share, Decimal) and mean >= spare:
            # Few terms, and little lost in the difference.
            missing = sum((spare - k) * term for k, term in enumerate(_terms(units, spare - 1, share)))
            return _fraction((mean - spare + missing) / mean)
        total = 0 * share
        for k, term in enumerate(_terms(units, units, share)):
            if k > spare:
                more = (k - spare) * term
                total += more
                # Terms fall faster and faster from here.
                if isinstance(share, Decimal) and more < total * DECIMALS:
                    break
        return _fraction(total / mean)


def _terms(units: int, last: int, down: Any) -> Iterator[Any]:
    """Probabilities that 0, 1, ..., ``last`` units are down."""
    term = (1 - down) ** units
    for k in range(last + 1):
        yield term
        term = term * (units - k) * down / ((k + 1) * (1 - down))


def _number(units: int, down: Any) -> Any:
    """The probability as a number that sums of so many units can be taken in; what is no fraction stays as it is."""
    if not isinstance(down, Fraction) or units * down.denominator.bit_length() <= EXACT_BITS:
        return down
    return Decimal(down.numerator) / Decimal(down.denominator)


def _fraction(value: Any) -> Fraction:
    return Fraction(value.quantize(DECIMALS)) if isinstance(value, Decimal) else cast(Fraction, value)
