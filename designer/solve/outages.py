"""Why no design serves a pool's peak as often as is asked, and how many spares would do."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction

import numpy as np

from designer.candidates.choices import Option
from designer.candidates.mixing import runs
from designer.candidates.spares import beyond, lacks, unit_down
from designer.instance.pools import Pool
from designer.instance.schema import Instance
from designer.solve.clash import rounded_up
from designer.solve.stock import Stock

# The most spares that an instance may ask for.
_MOST_SPARES = 1000


def too_rarely_up(stock: Stock, instance: Instance, pools: Sequence[Pool]) -> tuple[str, ...]:
    """Say for each pool that no option serves often enough what the best achieves and what would do."""
    least = stock.offer.economy.pool_availability
    if least is None:
        return ()
    lines = []
    every = stock.options(pools, whatever=True)
    for pool, kept, mine in zip(pools, stock.options(pools), every, strict=True):
        whole = [option for option in mine if option.share[0] == option.share[1]]
        if not whole or runs(kept, instance.choose.mixed_parts):
            continue
        lack = lacks(whole)
        best = whole[int(lack.argmin())]
        spares, planes = (
            f"choose.{key} = {', '.join(str(number) for number in sorted(set(getattr(instance.choose, key))))}"
            for key in ("spare_domains", "spare_planes")
        )
        up = Decimal(1) - rounded_up(float(lack.min()), 3)
        lines.append(
            f"no design of pool {pool.name} meets risk.min_pool_availability = {least:.12g}: with {spares} and "
            f"{planes} the best serves the peak {up} of the time, on {best.domains} domains of {best.domain.size} "
            f"{best.domain.accelerator.id}, {best.domains - best.serving} of them spare; {_enough(whole, least)}"
        )
    return tuple(lines)


def _enough(options: Sequence[Option], least: float) -> str:
    """What would do: the fewest spares, or the most that can be asked as it is."""
    most = float(1 - Fraction(repr(least)))
    hours: dict[tuple[int, int], float] = {}
    for option in options:
        spanned = option.plan.domains_per_replica
        key = (option.serving // spanned, spanned)
        hours[key] = min(hours.get(key, np.inf), option.domain.out_h)
    units, domains = np.array(list(hours), np.int64).T
    down = unit_down(np.array(list(hours.values())), domains)
    for spare in range(_MOST_SPARES + 1):
        if (beyond(np.full(units.size, spare), units + spare, down) <= most).any():
            return f"choose.spare_domains with {spare} would do"
    return f"not even choose.spare_domains with {_MOST_SPARES} would do"
