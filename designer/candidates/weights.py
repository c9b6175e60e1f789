"""The objective as weights on term vectors, and the limits of an instance as rows on them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from designer.candidates.parts import Economy
from designer.candidates.terms import CAPEX, FAILURES, HARD, HITS, HOURS, NET_WATTS, RACKS, TERMS, WATTS, Floats
from designer.instance.schema import Instance


@dataclass(frozen=True)
class Limit:
    """``term <= most``: which key of the instance sets it, its column, and how a person reads it."""

    key: str
    term: int
    most: float
    unit: str
    scale: float


@dataclass(frozen=True)
class Weights:
    """``objective = usd . terms`` (USD per year) and the limits; ``watched`` are the columns that limits touch."""

    usd: Floats
    limits: tuple[Limit, ...]

    @property
    def watched(self) -> list[int]:
        """Columns that a reduction must not worsen besides the objective."""
        columns = {limit.term for limit in self.limits}
        if RACKS in columns:
            columns.add(NET_WATTS)
        return sorted(columns)

    def objective(self, terms: Floats) -> Floats:
        """USD per year of term vectors (n, len(TERMS))."""
        return np.asarray(terms @ self.usd)


def weights_of(instance: Instance, economy: Economy) -> Weights:
    """Read objective and limits off an instance (``docs/rules.md`` sections 8 and 10)."""
    usd = np.zeros(len(TERMS))
    usd[CAPEX] = economy.crf_it
    usd[WATTS] = economy.watt_usd_per_year
    usd[FAILURES] = 1.0
    usd[HARD], usd[HITS], usd[HOURS] = economy.usd_per_hard, economy.usd_per_hit, economy.usd_per_hour
    rows = (
        ("site.it_power_mw", WATTS, instance.site.it_power_mw, "MW of nameplate IT power", 1e6),
        ("site.racks", RACKS, instance.site.racks, "racks", 1.0),
        ("money.capex_usd", CAPEX, instance.money.capex_usd, "USD of IT capital", 1.0),
        ("risk.max_hard_repairs_per_year", HARD, instance.risk.max_hard_repairs_per_year, "hard repairs per year", 1.0),
        ("risk.max_job_hits_per_year", HITS, instance.risk.max_job_hits_per_year, "job hits per year", 1.0),
        (
            "risk.max_accelerator_hours_lost_per_year",
            HOURS,
            instance.risk.max_accelerator_hours_lost_per_year,
            "accelerator-hours lost per year",
            1.0,
        ),
    )
    limits = tuple(
        Limit(key, term, most * scale, unit, scale) for key, term, most, unit, scale in rows if most is not None
    )
    return Weights(usd, limits)
