"""The limits of the instance on power, racks, capital and the three risk terms (section 10)."""

from __future__ import annotations

from fractions import Fraction

from designer.instance.schema import Instance
from designer.verify.exact import exact
from designer.verify.findings import Findings
from designer.verify.money import Totals


def check_limits(found: Findings, totals: Totals, instance: Instance) -> None:
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
            # Reported totals are the floats nearest to the exact ones: a total copied back as a limit holds.
            held = value <= exact(limit) or float(value) <= float(limit)
            found.holds(rule, "design", held, Fraction(value), f"at most {float(limit)}", what)
