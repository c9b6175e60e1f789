"""All money, watts and risk of a design, per item, exactly; floats only on the way out (section 8)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import get_args

from designer.design.account import Account, CostLine, Item, PoolUptime, RiskLine
from designer.instance.schema import Instance
from designer.verify.events import Failures
from designer.verify.exact import exact
from designer.verify.fabric import FabricCount
from designer.verify.failures import failures_of
from designer.verify.pools import PoolCount
from designer.verify.rows import SiteRow
from designer.verify.spares import pool_availability

ITEMS: tuple[Item, ...] = get_args(Item)


def items_of(site: SiteRow) -> tuple[Item, ...]:
    """Items of the account: the front end only where the instance gives a figure of it."""
    given = site.front_end_usd is not None or site.front_end_watts is not None
    return tuple(item for item in ITEMS if item != "front_end" or given)


@dataclass(frozen=True)
class ItemTotal:
    """One item of the account, exactly."""

    item: Item
    capex_usd: Fraction
    watts: Fraction
    capital_usd: Fraction
    facility_usd: Fraction
    energy_usd: Fraction
    failures: Failures

    @property
    def annual_usd(self) -> Fraction:
        """Capital, facility, energy and failures per year."""
        return self.capital_usd + self.facility_usd + self.energy_usd + self.failures.usd


@dataclass(frozen=True)
class Totals:
    """The account of a design as exact fractions."""

    items: tuple[ItemTotal, ...]
    objective_usd: Fraction
    it_years: int
    racks: int
    uptimes: tuple[tuple[str, Fraction], ...] = ()

    @property
    def capex_usd(self) -> Fraction:
        """IT capital."""
        return sum((item.capex_usd for item in self.items), Fraction(0))

    @property
    def watts(self) -> Fraction:
        """Nameplate watts of everything."""
        return sum((item.watts for item in self.items), Fraction(0))

    @property
    def annual_usd(self) -> Fraction:
        """Expected cost per year."""
        return sum((item.annual_usd for item in self.items), Fraction(0))

    @property
    def fabric_usd(self) -> Fraction:
        """Cost per year of everything but accelerators."""
        return sum((item.annual_usd for item in self.items if item.item != "accelerators"), Fraction(0))

    @property
    def failures(self) -> Failures:
        """The risk terms and the money of failures."""
        return sum((item.failures for item in self.items), Failures())

    def account(self) -> Account:
        """Round to the floats that users read."""
        risk = self.failures
        return Account(
            lines=tuple(
                CostLine(
                    item.item,
                    float(item.capex_usd),
                    float(item.watts),
                    float(item.capital_usd),
                    float(item.facility_usd),
                    float(item.energy_usd),
                    float(item.failures.usd),
                )
                for item in self.items
            ),
            risks=tuple(
                RiskLine(
                    item.item,
                    float(item.failures.hard),
                    float(item.failures.hits),
                    float(item.failures.hours),
                    float(item.failures.cleanings),
                )
                for item in self.items
            ),
            capex_usd=float(self.capex_usd),
            it_watts=float(self.watts),
            annual_usd=float(self.annual_usd),
            fabric_usd=float(self.fabric_usd),
            objective_usd=float(self.objective_usd),
            horizon_usd=float(self.annual_usd * self.it_years),
            it_years=self.it_years,
            hard_repairs_per_year=float(risk.hard),
            job_hits_per_year=float(risk.hits),
            accelerator_hours_lost_per_year=float(risk.hours),
            cleanings_per_year=float(risk.cleanings),
            racks=self.racks,
            uptimes=tuple(PoolUptime(pool, float(share)) for pool, share in self.uptimes),
        )


def capital_recovery(interest: Fraction, years: int) -> Fraction:
    """Return the yearly payment that repays 1 at this interest.

    Examples
    --------
    >>> capital_recovery(Fraction(1, 10), 2)
    Fraction(121, 210)
    """
    growth = (1 + interest) ** years
    return interest * growth / (growth - 1)


def totals_of(pools: Sequence[PoolCount], fabrics: Sequence[FabricCount], site: SiteRow, instance: Instance) -> Totals:
    """Add everything up."""
    capex, watts = _bought(pools, fabrics, site)
    present = items_of(site)
    failures = dict.fromkeys(present, Failures())
    for item, source in failures_of(pools, fabrics, site):
        failures[item] += source
    it_share = capital_recovery(site.wacc, site.it_years)
    building = capital_recovery(site.wacc, site.building_years) * site.facility_usd_per_w
    # A watt drawn all year is 8.76 kWh.
    energy = site.utilisation * site.pue * Fraction(876, 100) * site.usd_per_kwh
    items = tuple(
        ItemTotal(
            item,
            capex[item],
            watts[item],
            it_share * capex[item],
            building * watts[item],
            energy * watts[item],
            failures[item],
        )
        for item in present
    )
    risk = instance.risk
    terms = sum(failures.values(), Failures())
    feared = (
        exact(risk.usd_per_hard_repair) * terms.hard
        + exact(risk.usd_per_job_hit) * terms.hits
        + exact(risk.usd_per_accelerator_hour_lost) * terms.hours
    )
    annual = sum((item.annual_usd for item in items), Fraction(0))
    # The switches of every fabric stand in racks of their own.
    racks = sum(pool.racks.of(pool.domains) for pool in pools) + sum(fabric.racks for fabric in fabrics)
    uptimes = tuple((pool.name, pool_availability(pool, site)) for pool in pools)
    return Totals(items, annual + feared, site.it_years, racks, uptimes)


def _bought(
    pools: Sequence[PoolCount], fabrics: Sequence[FabricCount], site: SiteRow
) -> tuple[dict[Item, Fraction], dict[Item, Fraction]]:
    """Purchase prices and watts per item."""
    present = items_of(site)
    capex = dict.fromkeys(present, Fraction(0))
    watts = dict.fromkeys(present, Fraction(0))

    def add(item: Item, usd: Fraction, power: Fraction) -> None:
        capex[item] += usd
        watts[item] += power

    for pool in pools:
        parts = pool.parts
        add(
            "accelerators",
            pool.accelerators * parts.accelerator.installed_usd,
            pool.accelerators * parts.accelerator.watts,
        )
        if "front_end" in present:
            usd, power = site.front_end_usd or Fraction(0), site.front_end_watts or Fraction(0)
            add("front_end", pool.accelerators * usd, pool.accelerators * power)
        add("nics", pool.nics * parts.nic.usd, pool.nics * parts.nic.watts)
        for row, count in pool.switches:
            add("scale_up_switches", count * row.usd, count * row.watts)
        for cabling in pool.scale_up:
            add("scale_up_links", cabling.usd(site), cabling.watts)
    for fabric in fabrics:
        for group in fabric.groups:
            add("nic_leaf_links", group.nic_leaf.usd(site), group.nic_leaf.watts)
        for row, count in fabric.boxes:
            add("scale_out_switches", count * row.usd, count * row.watts)
        for cabling in fabric.cablings:
            add("scale_out_links", cabling.usd(site), cabling.watts)
    return capex, watts
