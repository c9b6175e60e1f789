"""Amounts that add up over a design, and the rules that turn failures into them (sections 8 and 9)."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from fractions import Fraction
from typing import NamedTuple

from designer.instance.schema import Instance
from oracle.parts import Facility, Parts, exact

ZERO = Fraction(0)
HOURS_PER_YEAR = 8760
AVAILABILITY = "availability"
EVERYONE = "accelerators of all vendors"


def stock_name(part: str) -> str:
    """Name of the limit on the units of a part."""
    return f"stock of {part}"


def vendor_name(vendor: str) -> str:
    """Name of the limit on the accelerators of a vendor, and of their count."""
    return f"vendor {vendor}"


class Sums(NamedTuple):
    """What adds up over the parts of a design; ``failures`` is the expected money of failures per year.

    ``units`` counts what a limit asks for: parts by id, accelerators of all and of every vendor.
    """

    capex: Fraction = ZERO
    watts: Fraction = ZERO
    failures: Fraction = ZERO
    repairs: Fraction = ZERO
    hits: Fraction = ZERO
    hours: Fraction = ZERO
    cleanings: Fraction = ZERO
    units: Counter[str] = Counter()  # noqa: RUF012 - never changed, only added up to new ones

    def plus(self, other: Sums) -> Sums:
        """Add two sums term by term."""
        # Most terms are zero; adding fractions is slow.
        return Sums(*((a + b if a else b) if b else a for a, b in zip(self, other, strict=True)))


def total(parts: list[Sums]) -> Sums:
    """Add many sums term by term."""
    result = Sums()
    for part in parts:
        result = result.plus(part)
    return result


@dataclass(frozen=True)
class Duty:
    """What an accelerator of a pool is worth when it stands still: ``hour`` USD, replicas of ``replica``.

    ``hit_share`` and ``hour_share`` of the hits and hours are what spares do not cover (section 9, spares).
    """

    hour: Fraction
    replica: int
    hit_share: Fraction = Fraction(1)
    hour_share: Fraction = Fraction(1)

    def down(self, reached: int) -> int:
        """Accelerators taken down by a failure that reaches ``reached`` of them."""
        return max(reached, self.replica)

    def down_of_planes(self, reached: int, planes: int) -> Fraction:
        """Accelerators lost to a failure in one of ``planes`` planes: with several, the others carry on."""
        return Fraction(self.down(reached)) if planes == 1 else Fraction(reached, planes)

    def jobs(self, reached: int) -> int:
        """Jobs hit by a failure that reaches ``reached`` accelerators."""
        return max(1, reached // self.replica)


@dataclass(frozen=True)
class Site:
    """The facility as the instance has it: its own figures where the question gives none.

    ``front_end`` is that of one accelerator; ``counted`` are the parts of which the question limits the units.
    """

    facility: Facility
    part_share: Fraction
    swap_share: Fraction
    energy: Fraction
    crf_it: Fraction
    crf_building: Fraction
    capex_per_w: Fraction
    per_repair: Fraction
    per_hit: Fraction
    per_hour: Fraction
    front_end: Sums
    counted: frozenset[str] = frozenset()

    def units(self, part: str, number: int) -> Sums:
        """Units bought of a part, if they are limited."""
        return Sums(units=Counter({part: number})) if part in self.counted and number else Sums()

    def repair(self, number: Fraction, part: Fraction, labour: Fraction) -> Sums:
        """Hard repairs: ``number`` per year, each replaces ``part`` and takes ``labour`` USD."""
        return Sums(repairs=number, failures=number * (part * self.part_share + labour))

    def swap(self, number: Fraction, box: Fraction, labour: Fraction) -> Sums:
        """Swaps of co-packaged boxes for a failed engine; the owner may pay another share of the ``box``."""
        return Sums(repairs=number, failures=number * (box * self.swap_share + labour))

    def hits(self, duty: Duty, number: Fraction) -> Sums:
        """Job hits: each loses the restart of a replica."""
        number *= duty.hit_share
        return Sums(hits=number, failures=number * duty.hour * self.facility.restart_h * duty.replica)

    def hours(self, duty: Duty, number: Fraction) -> Sums:
        """Accelerator-hours lost."""
        number *= duty.hour_share
        return Sums(hours=number, failures=number * duty.hour)

    def kills(self, planes: int) -> Fraction:
        """Share of the failures in one of ``planes`` planes that hit a job."""
        return Fraction(1) if planes == 1 else self.facility.p_kill

    def clean(self, number: Fraction) -> Sums:
        """Clean fibre connectors: labour, no part."""
        money = number * self.facility.clean_h * self.facility.labour
        return Sums(cleanings=number, failures=money)

    def annual(self, sums: Sums) -> Fraction:
        """Expected cost per year, USD."""
        power = self.crf_building * self.capex_per_w + self.energy
        return self.crf_it * sums.capex + power * sums.watts + sums.failures

    def objective(self, sums: Sums) -> Fraction:
        """Cost per year plus the instance's extra weights on the three risk terms."""
        weighted = self.per_repair * sums.repairs + self.per_hit * sums.hits + self.per_hour * sums.hours
        return self.annual(sums) + weighted


def recovery(rate: Fraction, years: int) -> Fraction:
    """Capital recovery factor ``i (1+i)^y / ((1+i)^y - 1)``.

    Examples
    --------
    >>> recovery(Fraction(1), 1)
    Fraction(2, 1)
    """
    growth = (1 + rate) ** years
    return rate * growth / (growth - 1)


def site_of(parts: Parts, instance: Instance) -> Site:
    """Put the instance's own figures in the place of the facility's."""
    facility, site, money, risk = parts.facility, instance.site, instance.money, instance.risk

    def own(given: float | None, default: Fraction) -> Fraction:
        return default if given is None else exact(given)

    wacc = own(money.wacc, facility.wacc)
    it_years = money.it_years if money.it_years is not None else facility.it_years
    building_years = money.building_years if money.building_years is not None else facility.building_years
    kwh = own(site.utilisation, facility.utilisation) * own(site.pue, facility.pue) * exact("8.76")
    part_share = exact(money.replacement_part_share)
    return Site(
        facility=facility,
        part_share=part_share,
        swap_share=own(money.box_swap_part_share, part_share),
        energy=kwh * own(site.electricity_usd_per_kwh, facility.electricity),
        crf_it=recovery(wacc, it_years),
        crf_building=recovery(wacc, building_years),
        capex_per_w=own(site.facility_capex_usd_per_w, facility.capex_per_w),
        per_repair=exact(risk.usd_per_hard_repair),
        per_hit=exact(risk.usd_per_job_hit),
        per_hour=exact(risk.usd_per_accelerator_hour_lost),
        front_end=Sums(
            capex=own(site.front_end_usd_per_accelerator, ZERO),
            watts=own(site.front_end_w_per_accelerator, ZERO),
        ),
        counted=frozenset(instance.stock),
    )


def limits_of(instance: Instance) -> dict[str, Fraction]:
    """List the limits that the instance sets, by the name of what they limit (section 10)."""
    site, money, risk = instance.site, instance.money, instance.risk
    found: dict[str, Fraction] = {}
    if site.it_power_mw is not None:
        found["watts"] = exact(site.it_power_mw) * 1_000_000
    if site.racks is not None:
        found["racks"] = Fraction(site.racks)
    for name, given in (
        ("capex", money.capex_usd),
        ("repairs", risk.max_hard_repairs_per_year),
        ("hits", risk.max_job_hits_per_year),
        ("hours", risk.max_accelerator_hours_lost_per_year),
    ):
        if given is not None:
            found[name] = exact(given)
    found |= {stock_name(part): Fraction(units) for part, units in instance.stock.items()}
    found |= {vendor_name(vendor): ZERO for vendor in instance.choose.max_vendor_share}
    if risk.min_availability is not None:
        found[AVAILABILITY] = ZERO
    return found


def limited_amounts(instance: Instance, sums: Sums) -> dict[str, Fraction]:
    """What the limits on stock, vendors and availability allow at most 0, or the stock, of."""
    found = {stock_name(part): Fraction(sums.units[part]) for part in instance.stock}
    everyone = sums.units[EVERYONE]
    for vendor, share in instance.choose.max_vendor_share.items():
        found[vendor_name(vendor)] = sums.units[vendor_name(vendor)] - exact(share) * everyone
    least = instance.risk.min_availability
    if least is not None:
        found[AVAILABILITY] = sums.hours - (1 - exact(least)) * HOURS_PER_YEAR * everyone
    return found
