"""Goals as weights on term vectors, and the limits of an instance as rows on them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction

import numpy as np

from designer.candidates.parts import Economy
from designer.candidates.terms import CAPEX, FAILURES, HARD, HITS, HOURS, NET_WATTS, RACKS, TERMS, WATTS, Floats
from designer.instance.schema import Goal, Instance

# A candidate is dropped only if it is worse than a known answer by more than the noise of its floats.
NOISE = 1e-9
# More than the float error of accelerators and of their hours a year, counted for and against a share.
_NOISE_UNITS, _NOISE_HOURS = 1e-3, 1.0


@dataclass(frozen=True)
class Limit:
    """``weights . terms <= most``: which key of the instance sets it, and how a person reads it.

    A row that weighs racks counts whole network racks besides. ``scale`` is what ``most`` is divided by to be in
    ``unit``. ``share`` is what the user set where a share is limited: then ``most`` is 0 and the row, with negative
    weights too, is what is used beyond that share; ``noise`` is more than the error of such a sum of floats.
    """

    key: str
    weights: tuple[float, ...]
    most: float
    unit: str
    scale: float
    share: float | None = None
    noise: float = 0.0

    @property
    def row(self) -> Floats:
        """The weights as a vector, shape (columns of a term vector,)."""
        return np.array(self.weights)

    @property
    def counted(self) -> bool:
        """Whether it is on units or a share: designs that use nothing of it can be many, and least says little."""
        return self.share is not None or not any(self.weights[: len(TERMS)])

    @property
    def room(self) -> float:
        """What may be used at most when candidates are dropped: ``most`` and a little for the noise of floats."""
        return self.most * (1 + NOISE) + self.noise


@dataclass(frozen=True)
class Weights:
    """What is minimised, ``goal . terms``, under the limits.

    ``later`` are the vectors of further goals that decide among designs equal in the first: no reduction may drop a
    design that is better in one of them. ``slack`` is how far, relative to the least, such a design may lie above it.
    """

    goal: Floats
    limits: tuple[Limit, ...]
    later: tuple[Floats, ...] = ()
    slack: float = NOISE
    watched: Floats = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Collect the rows that a reduction must not worsen besides the goal, shape (n, columns)."""
        rows = {tuple(limit.row.tolist()) for limit in self.limits} | {tuple(row.tolist()) for row in self.later}
        if any(row[RACKS] for row in rows):
            rows.add(tuple(unit_vector(NET_WATTS, self.goal.size).tolist()))
        object.__setattr__(self, "watched", np.array(sorted(rows)).reshape(len(rows), self.goal.size))

    @property
    def shares(self) -> bool:
        """Whether a share is limited: then more accelerators may help, and none may be saved in advance."""
        return any(limit.share is not None for limit in self.limits)

    def objective(self, terms: Floats) -> Floats:
        """Value of the goal of term vectors (n, columns)."""
        return np.asarray(terms @ self.goal)

    def watch(self, terms: Floats) -> Floats:
        """Watched sums of term vectors (n, columns), shape (n, number of watched rows)."""
        return np.asarray(terms @ self.watched.T)


#: How a person reads the value of a goal: its unit and what the value is divided by.
GOAL_UNITS: dict[Goal, tuple[str, float]] = {
    "cost": ("USD per year", 1.0),
    "capex": ("USD of IT capital", 1.0),
    "power": ("MW of nameplate IT power", 1e6),
    "hard_repairs": ("hard repairs per year", 1.0),
    "job_hits": ("job hits per year", 1.0),
    "accelerator_hours_lost": ("accelerator-hours lost per year", 1.0),
}
_COLUMN: dict[Goal, int] = {
    "capex": CAPEX,
    "power": WATTS,
    "hard_repairs": HARD,
    "job_hits": HITS,
    "accelerator_hours_lost": HOURS,
}


HOURS_PER_YEAR = 8760


@dataclass(frozen=True)
class Counter:
    """A limit on what is counted part by part: a column of term vectors beyond `TERMS`.

    One unit of the part ``part`` adds 1; or an accelerator adds ``own`` if its vendor is ``vendor``, else ``other``.
    """

    key: str
    part: str | None = None
    vendor: str | None = None
    own: float = 0.0
    other: float = 0.0


def counters(instance: Instance) -> tuple[Counter, ...]:
    """List the counted limits of an instance, in the order of their columns."""
    found = [Counter(f"stock.{part}", part=part) for part in sorted(instance.stock)]
    for vendor, share in sorted(instance.choose.max_vendor_share.items()):
        found.append(Counter(f"choose.max_vendor_share.{vendor}", vendor=vendor, own=1 - share, other=-share))
    least = instance.risk.min_availability
    if least is not None:
        spared = -float((1 - Fraction(repr(least))) * HOURS_PER_YEAR)
        found.append(Counter("risk.min_availability", own=spared, other=spared))
    return tuple(found)


def units_of(counted: Sequence[Counter], part: str, vendor: str | None) -> tuple[float, ...]:
    """What one unit of a part adds to every counted limit; ``vendor`` is that of an accelerator, else None.

    Examples
    --------
    >>> units_of([Counter("stock.a", part="a"), Counter("v", vendor="V", own=0.25, other=-0.75)], "a", "W")
    (1.0, -0.75)
    """
    out = []
    for counter in counted:
        if counter.part is not None:
            out.append(1.0 if counter.part == part else 0.0)
        elif vendor is None:
            out.append(0.0)
        else:
            out.append(counter.own if vendor == counter.vendor else counter.other)
    return tuple(out)


def unit_vector(term: int, columns: int = len(TERMS)) -> Floats:
    """Weights that pick one term column."""
    row = np.zeros(columns)
    row[term] = 1.0
    return row


def goal_vector(goal: Goal, economy: Economy) -> Floats:
    """Weights of a goal on the term columns, none of them negative; cost is the money objective with risk weights."""
    columns = len(TERMS) + economy.counted
    if goal != "cost":
        return unit_vector(_COLUMN[goal], columns)
    usd = np.zeros(columns)
    usd[CAPEX] = economy.crf_it
    usd[WATTS] = economy.watt_usd_per_year
    usd[FAILURES] = 1.0
    usd[HARD], usd[HITS], usd[HOURS] = economy.usd_per_hard, economy.usd_per_hit, economy.usd_per_hour
    return usd


def goal_limit(goal: Goal, economy: Economy, most: float) -> Limit:
    """The limit that keeps a goal at the value an earlier step reached."""
    unit, scale = GOAL_UNITS[goal]
    return Limit(f"objective.{goal}", tuple(goal_vector(goal, economy).tolist()), most, unit, scale)


def weights_of(instance: Instance, economy: Economy, *, gap: float = 0.0) -> Weights:
    """Read goals and limits off an instance (``docs/rules.md`` sections 8 and 10).

    Parameters
    ----------
    instance
        Gives the goals in order of rank and the limits.
    economy
        Prices of the cost goal.
    gap
        Relative gap to which the first goal will be solved: later goals may use what it leaves open.
    """
    first, *later = instance.objective.minimise
    slack = NOISE
    if later:
        # Solved to the gap, the first goal may come out above its least value; the tolerance counts from there.
        slack += (1 + instance.objective.tolerance) * (1 + 2 * NOISE) / (1 - min(gap, 0.999)) - 1
    return Weights(
        goal_vector(first, economy), limits_of(instance), tuple(goal_vector(goal, economy) for goal in later), slack
    )


def limits_of(instance: Instance) -> tuple[Limit, ...]:
    """List the limits that an instance sets."""
    site, money, risk, choose = instance.site, instance.money, instance.risk, instance.choose
    rows = (
        ("site.it_power_mw", WATTS, site.it_power_mw, "MW of nameplate IT power", 1e6),
        ("site.racks", RACKS, site.racks, "racks", 1.0),
        ("money.capex_usd", CAPEX, money.capex_usd, "USD of IT capital", 1.0),
        ("risk.max_hard_repairs_per_year", HARD, risk.max_hard_repairs_per_year, "hard repairs per year", 1.0),
        ("risk.max_job_hits_per_year", HITS, risk.max_job_hits_per_year, "job hits per year", 1.0),
        (
            "risk.max_accelerator_hours_lost_per_year",
            HOURS,
            risk.max_accelerator_hours_lost_per_year,
            "accelerator-hours lost per year",
            1.0,
        ),
    )
    counted = counters(instance)
    columns = len(TERMS) + len(counted)
    found = [
        Limit(key, tuple(unit_vector(term, columns).tolist()), most * scale, unit, scale)
        for key, term, most, unit, scale in rows
        if most is not None
    ]
    for column, counter in enumerate(counted, start=len(TERMS)):
        row = unit_vector(column, columns)
        if counter.part is not None:
            found.append(Limit(counter.key, tuple(row.tolist()), float(instance.stock[counter.part]), "units", 1.0))
            continue
        if counter.vendor is not None:
            share, unit, noise = choose.max_vendor_share[counter.vendor], "share of accelerators", _NOISE_UNITS
        else:
            assert risk.min_availability is not None
            share, unit, noise = risk.min_availability, "share of accelerator-hours, at least", _NOISE_HOURS
            row[HOURS] = 1.0
        found.append(Limit(counter.key, tuple(row.tolist()), 0.0, unit, 1.0, share, noise))
    return tuple(found)
