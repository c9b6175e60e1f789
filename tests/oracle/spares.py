"""Domains and planes to spare: how often too many are down at once, and what spares leave of losses (6.3, 9)."""

from __future__ import annotations

from fractions import Fraction
from functools import cache
from math import comb

from oracle.boxes import hours_out
from oracle.cables import Count, Pair
from oracle.money import HOURS_PER_YEAR
from oracle.parts import Nic, known
from oracle.task import Task
from oracle.wiring import Wiring

# Shares of losses are kept to so many digits: exact sums of many terms would be slow to add up.
DIGITS = 10**40


def share_down(hours: Fraction) -> Fraction:
    """Share of the time that something is down which, while up, fails for so many hours a year.

    Examples
    --------
    >>> share_down(Fraction(8760)), share_down(Fraction(0))
    (Fraction(1, 2), Fraction(0, 1))
    """
    x = hours / HOURS_PER_YEAR
    return x / (1 + x)


@cache
def at_most_down(units: int, down: int, share: Fraction) -> Fraction:
    """Probability that at most ``down`` of ``units`` are down, each for a ``share`` of the time.

    Examples
    --------
    >>> at_most_down(2, 0, Fraction(1, 2)), at_most_down(2, 1, Fraction(1, 2))
    (Fraction(1, 4), Fraction(3, 4))
    """
    return sum((_chance(units, j, share) for j in range(down + 1)), Fraction(0))


@cache
def uncovered(units: int, spares: int, share: Fraction) -> Fraction:
    """Share of the units down, taken over time, that ``spares`` do not stand in for.

    Examples
    --------
    >>> uncovered(2, 1, Fraction(1, 2)), uncovered(5, 0, Fraction(0)), uncovered(5, 1, Fraction(0))
    (Fraction(1, 4), Fraction(1, 1), Fraction(0, 1))
    """
    if spares == 0:
        return Fraction(1)
    if not share:
        return Fraction(0)
    beyond = sum(((j - spares) * _chance(units, j, share) for j in range(spares + 1, units + 1)), Fraction(0))
    return Fraction(round(beyond / (units * share) * DIGITS), DIGITS)


def _chance(units: int, down: int, share: Fraction) -> Fraction:
    return comb(units, down) * share**down * (1 - share) ** (units - down)


def hours_of_domain(
    task: Task, wiring: Wiring, nic: Nic, nics: int, pair: Pair | None, count: Count | None
) -> Fraction:
    """Hours per year that the parts of one domain are out, one after the other; ``count`` is that of its cables."""
    facility, a = task.parts.facility, wiring.accelerator
    hours = wiring.size * (known(a.afr) + nics * known(nic.afr)) * facility.compute_tray_h
    if wiring.switch is not None and not wiring.spare:
        hours += wiring.switches * hours_out(task.sale, task.site, wiring.switch)
    if pair is None or count is None:
        return hours
    if not pair.lower.is_module:
        return hours + count.cables * 2 * known(pair.lower.afr_end) * known(pair.lower.mttr)
    for row, bought, ends in ((pair.lower, pair.buy_lower, count.lower), (pair.upper, pair.buy_upper, count.upper)):
        if bought:
            hours += ends * known(row.afr_end) * known(row.mttr)
    return hours


def unit_down(hours: Fraction, domains: int) -> Fraction:
    """Share of the time that a unit of ``domains`` domains is down: when any of them is."""
    return 1 - (1 - share_down(hours)) ** domains


def planes_uncovered(task: Task, wiring: Wiring) -> Fraction:
    """Share of the outages of planes that happen while more are out than there are to spare."""
    if not wiring.spare:
        return Fraction(1)
    assert wiring.switch is not None
    return uncovered(wiring.planes, wiring.spare, share_down(hours_out(task.sale, task.site, wiring.switch)))
