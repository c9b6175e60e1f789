"""The whole recount of a design, from the catalogue and the instance alone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields, is_dataclass
from fractions import Fraction

from designer.catalogue import Catalogue
from designer.design.account import Account
from designer.design.types import Design
from designer.instance.schema import Instance
from designer.verify.demand import asked_of
from designer.verify.fabric import count_fabric
from designer.verify.findings import Finding, Findings, UncountableError
from designer.verify.limits import check_limits
from designer.verify.mixing import check_pools
from designer.verify.money import Totals, totals_of
from designer.verify.parting import check_parting, place_of
from designer.verify.paths import check_paths
from designer.verify.pins import check_pins
from designer.verify.plan_tokens import check_tokens
from designer.verify.plans import check_plan
from designer.verify.pools import count_pool
from designer.verify.shelf import Shelf
from designer.verify.site import site_of

LARGEST = 1e18
"""No count, rate or price comes near it; keeps the token model's floats finite."""


@dataclass(frozen=True)
class Verification:
    """What a recount found.

    Parameters
    ----------
    account
        Money, power and risk of the recounted design. All zero if it could not be counted at all.
    findings
        Broken rules; empty for a sound design.
    totals
        The account as exact fractions; None if nothing could be counted.
    notes
        What was taken on trust, for example plans made from the user's own measurements.
    """

    account: Account
    findings: tuple[Finding, ...]
    totals: Totals | None
    notes: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether the design keeps every rule."""
        return not self.findings

    @property
    def exact_objective(self) -> Fraction:
        """The objective in USD per year, exactly; raises ValueError where nothing could be counted."""
        if self.totals is None:
            raise ValueError("the design could not be counted: " + "; ".join(map(str, self.findings)))
        return self.totals.objective_usd


def verify(design: Design, catalogue: Catalogue, instance: Instance) -> Verification:
    """Count a design anew by ``docs/rules.md`` and report every rule it breaks.

    Parameters
    ----------
    design
        The design; nothing it states is believed except its choices.
    catalogue
        Parts and their figures.
    instance
        The question the design answers.

    Returns
    -------
    Verification
        The recounted account, and the findings.
    """
    found = Findings()
    notes: list[str] = []
    totals: Totals | None = None
    try:
        totals = _recount(found, notes, design, catalogue, instance)
    except UncountableError:
        if not found.rows:
            raise
    account = Totals((), Fraction(0), 0, 0).account() if totals is None else totals.account()
    return Verification(account, tuple(found.rows), totals, tuple(notes))


def _recount(found: Findings, notes: list[str], design: Design, catalogue: Catalogue, instance: Instance) -> Totals:
    found.equal("instance", "design", design.instance, instance.name, "the design answers this instance")
    wrong = list(_no_amounts(design, "design"))
    for place, value in wrong:
        found.add("no_amount", place, value, f"from 0 to {LARGEST:g}", "a design states amounts")
    if wrong:
        raise UncountableError("design")
    asked = check_pools(found, design, asked_of(instance), instance)
    shelf = Shelf(found, catalogue, instance)
    check_parting(found, design, asked, instance)
    pool_parts = [shelf.pool(pool) for pool in design.pools]
    fabric_parts = [
        shelf.fabric(fabric, design.pools_on(number), place_of(design, number))
        for number, fabric in enumerate(design.fabrics)
    ]
    site = site_of(found, catalogue, instance)
    taken = [parts for parts in pool_parts if parts is not None]
    joined = [parts for parts in fabric_parts if parts is not None]
    short = len(taken) < len(pool_parts) or len(joined) < len(fabric_parts)
    if short or site is None or not shelf.complete:
        raise UncountableError("parts")
    pools = []
    for pool, parts in zip(design.pools, taken, strict=True):
        if asked[pool.name].phase == "fleet":
            pass  # no token model: `check_plan` says all there is to say
        elif pool.plan.measured:
            notes.append(f"pool {pool.name}: tokens/s and needs are the user's own measurements, not recounted")
        else:
            check_tokens(found, pool, asked[pool.name], catalogue, instance)
        check_plan(found, pool, asked[pool.name], parts.nic, instance)
        pools.append(count_pool(found, pool, asked[pool.name], parts, instance, site))
    both = list(zip(design.pools, pools, strict=True))
    fabrics = []
    for number, (fabric, parts_of_it) in enumerate(zip(design.fabrics, joined, strict=True)):
        on_it = [pair for pair in both if pair[0].fabric == number]
        place = place_of(design, number)
        fabrics.append(count_fabric(found, place, fabric, on_it, parts_of_it, instance, site))
    totals = totals_of(pools, fabrics, site, instance)
    for counted in fabrics:
        check_paths(found, counted, instance)
    check_pins(found, design, fabrics, instance)
    check_limits(found, totals, pools, fabrics, instance, site)
    return totals


def _no_amounts(thing: object, place: str) -> Iterator[tuple[str, int | float]]:
    """Walk through a design for numbers that measure nothing: negative, absurdly large, not a number."""
    if isinstance(thing, int | float):
        if not 0 <= thing <= LARGEST:
            yield place, thing
    elif isinstance(thing, tuple):
        for number, part in enumerate(thing):
            yield from _no_amounts(part, f"{place}[{number}]")
    elif is_dataclass(thing):
        for part_of in fields(thing):
            yield from _no_amounts(getattr(thing, part_of.name), f"{place}.{part_of.name}")
