"""The limits of the instance: power, racks, capital, risk, stock, vendors, what failures may take (section 10)."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from designer.instance.schema import Instance
from designer.verify.blast import single_failures
from designer.verify.exact import exact
from designer.verify.fabric import FabricCount
from designer.verify.findings import Findings
from designer.verify.money import Totals
from designer.verify.pools import PoolCount
from designer.verify.rows import SiteRow
from designer.verify.spares import pool_availability
from designer.verify.units import units_of

HOURS_PER_YEAR = 8760


def check_limits(
    found: Findings,
    totals: Totals,
    pools: Sequence[PoolCount],
    fabrics: Sequence[FabricCount],
    instance: Instance,
    row: SiteRow,
) -> None:
    """Report every limit that is broken, be it by one unit."""
    site, risk, terms = instance.site, instance.risk, totals.failures
    power = None if site.it_power_mw is None else exact(site.it_power_mw) * 10**6
    limits: tuple[tuple[str, Fraction | int, Fraction | float | None, str], ...] = (
        ("limit_power", totals.watts, power, "nameplate IT watts"),
        ("limit_racks", totals.racks, site.racks, "racks of all kinds"),
        ("limit_capex", totals.capex_usd, instance.money.capex_usd, "IT capital in USD"),
        ("limit_hard_repairs", terms.hard, risk.max_hard_repairs_per_year, "hard repairs per year"),
        ("limit_job_hits", terms.hits, risk.max_job_hits_per_year, "job hits per year"),
        (
            "limit_hours_lost",
            terms.hours,
            risk.max_accelerator_hours_lost_per_year,
            "accelerator-hours lost per year",
        ),
    )
    for rule, value, limit, what in limits:
        if limit is not None:
            _at_most(found, rule, "design", Fraction(value), limit, what)
    units = units_of(pools, fabrics)
    for part, stock in instance.stock.items():
        found.holds(
            "limit_stock", f"part {part}", units[part] <= stock, units[part], f"at most {stock}", "units bought"
        )
    _vendors(found, pools, instance)
    _availability(found, totals, pools, instance)
    for pool in pools:
        _pool_availability(found, pool, instance, row)
    for fabric in fabrics:
        _single_failure(found, fabric, instance)


def _at_most(found: Findings, rule: str, place: str, value: Fraction, limit: Fraction | float, what: str) -> None:
    # Reported totals are the floats nearest to the exact ones: a total copied back as a limit holds.
    held = value <= exact(limit) or float(value) <= float(limit)
    found.holds(rule, place, held, value, f"at most {float(limit)}", what)


def _vendors(found: Findings, pools: Sequence[PoolCount], instance: Instance) -> None:
    """Check the accelerators of every limited vendor against those of all."""
    fleet = sum(pool.accelerators for pool in pools)
    for vendor, most in instance.choose.max_vendor_share.items():
        theirs = sum(pool.accelerators for pool in pools if pool.parts.accelerator.maker == vendor)
        what = "share of all accelerators"
        _at_most(found, "limit_vendor_share", f"vendor {vendor}", Fraction(theirs, fleet), most, what)


def _availability(found: Findings, totals: Totals, pools: Sequence[PoolCount], instance: Instance) -> None:
    """Check the accelerator-hours that failures leave."""
    least = instance.risk.min_availability
    if least is None:
        return
    hours = HOURS_PER_YEAR * sum(pool.accelerators for pool in pools)
    value = 1 - totals.failures.hours / hours
    held = value >= exact(least) or float(value) >= least
    found.holds("limit_availability", "design", held, value, f"at least {least}", "share of accelerator-hours")


def _pool_availability(found: Findings, pool: PoolCount, instance: Instance, site: SiteRow) -> None:
    """Check the share of the time in which the domains that are up, spare ones included, serve a pool's whole peak."""
    least = instance.risk.min_pool_availability
    if least is None:
        return
    value, what = pool_availability(pool, site), "share of the time with enough domains up"
    held = value >= exact(least) or float(value) >= least
    found.holds("limit_pool_availability", f"pool {pool.name}", held, value, f"at least {least}", what)


def _single_failure(found: Findings, fabric: FabricCount, instance: Instance) -> None:
    """Check what one failure of every kind takes from every pool on a fabric."""
    most = instance.risk.max_single_failure_share
    if most is None:
        return
    for group in fabric.groups:
        for component, share in single_failures(fabric, group):
            place, what = f"pool {group.pool.name}, {component}", "share of the pool's tokens that one failure takes"
            _at_most(found, "limit_single_failure", place, share, most, what)
        if fabric.layout.relayed_gbps is not None:
            plain = fabric.copies.planes == 1 and group.pool.share == 1
            place, what = f"pool {group.pool.name}", "what a single failure takes of a mesh of more than two leaves"
            known = "known with one plane, and for pools in one part"
            found.holds("direct_single_failure", place, plain, "unknown", known, what)
