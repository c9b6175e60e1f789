"""The recounted money, power and risk of a design, as plain data (filled by the verifier)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Item = Literal[
    "accelerators",
    "front_end",
    "nics",
    "scale_up_switches",
    "scale_up_links",
    "nic_leaf_links",
    "scale_out_switches",
    "scale_out_links",
]


@dataclass(frozen=True)
class CostLine:
    """One item: IT capital, watts, and its annual cost by kind (USD per year)."""

    item: Item
    capex_usd: float
    watts: float
    capital_usd_per_year: float
    facility_usd_per_year: float
    energy_usd_per_year: float
    failures_usd_per_year: float


@dataclass(frozen=True)
class RiskLine:
    """One source of failures: term 1, 2, 3, cleanings and money per year (``docs/rules.md`` section 9)."""

    item: Item
    hard_repairs_per_year: float
    job_hits_per_year: float
    accelerator_hours_lost_per_year: float
    cleanings_per_year: float


@dataclass(frozen=True)
class PoolUptime:
    """Share of the time in which the domains of a pool that are up serve its whole peak (``docs/rules.md`` 6.3)."""

    pool: str
    availability: float


@dataclass(frozen=True)
class Account:
    """Everything a design costs and risks, recounted from the design alone.

    ``annual_usd`` is the expected cost; ``objective_usd`` adds the instance's risk weights. ``fabric_usd`` is
    the annual cost of everything but accelerators. ``uptimes`` are those of the pools and parts of the design.
    """

    lines: tuple[CostLine, ...]
    risks: tuple[RiskLine, ...]
    capex_usd: float
    it_watts: float
    annual_usd: float
    fabric_usd: float
    objective_usd: float
    horizon_usd: float
    it_years: int
    hard_repairs_per_year: float
    job_hits_per_year: float
    accelerator_hours_lost_per_year: float
    cleanings_per_year: float
    racks: int
    uptimes: tuple[PoolUptime, ...] = ()
