"""Spare domains and spare planes: how long more is down than can be spared (``docs/rules.md`` 6.3 and 9).

What is down is binomially distributed: so many units or planes, each down the same share of the time by itself. Tails
are regularised incomplete beta functions, exact to the last digits of a float however rare they are.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from scipy.special import betainc

from designer.candidates.cables import Counts, LinkPair
from designer.candidates.parts import AcceleratorPart, Economy, NicPart, SwitchPart
from designer.candidates.terms import Floats
from designer.candidates.weights import HOURS_PER_YEAR
from designer.instance.schema import Instance

if TYPE_CHECKING:
    from designer.candidates.choices import Option

Ints = npt.NDArray[np.int64]


def spares_matter(instance: Instance) -> bool:
    """Whether it matters for how long a domain is down as a whole: spares may stand in, or a limit asks for it."""
    return any(instance.choose.spare_domains) or instance.risk.min_pool_availability is not None


def beyond(spares: Ints, units: Ints, down: Floats) -> Floats:
    """Probability that more than ``spares`` of ``units`` are down, each for a share ``down`` of the time.

    P(D > s) = I_u(s + 1, U - s), the regularised incomplete beta function (e.g. Abramowitz and Stegun 26.5.24).

    Examples
    --------
    >>> beyond(np.array([0, 1]), np.array([2, 2]), np.array([0.1, 0.1])).round(6).tolist()
    [0.19, 0.01]
    """
    some = spares < units
    left = np.where(some, units - spares, 1)
    return np.asarray(np.where(some, betainc(spares + 1.0, left.astype(float), down), 0.0))


def uncovered(spares: Ints, units: Ints, down: Floats) -> Floats:
    """``E[max(0, D - s)] / E[D]``, the share of what is lost that spares do not cover (1 without spares).

    ``E[D; D > s] = U u P(D' >= s)`` with ``D'`` of one unit fewer, so the share is ``P(D' >= s) - s P(D > s) / (U u)``.

    Examples
    --------
    >>> uncovered(np.array([0, 1, 2]), np.array([2, 2, 2]), np.full(3, 0.1)).round(6).tolist()
    [1.0, 0.05, 0.0]
    """
    mean = units * down
    known = np.where(mean > 0, mean, 1.0)
    share = beyond(spares - 1, units - 1, down) - spares * beyond(spares, units, down) / known
    share = np.where(mean > 0, np.clip(share, 0.0, 1.0), 0.0)
    return np.asarray(np.where(spares > 0, share, 1.0))


def down_share(hours: float) -> float:
    """Share of the time that something is down which is out ``hours`` a year of being up: a renewal process."""
    out = hours / HOURS_PER_YEAR
    return out / (1 + out)


def unit_down(hours: Floats, domains: Ints) -> Floats:
    """Share of the time in which a unit of ``domains`` domains is down, each out ``hours`` a year of being up."""
    out = hours / HOURS_PER_YEAR
    return np.asarray(-np.expm1(-domains * np.log1p(out)))


def switch_hours(switch: SwitchPart, economy: Economy) -> float:
    """Hours a year that one first-stage switch of a domain, or one of its lasers, is out."""
    hours = switch.afr_hard * economy.switch_tray_mttr_h + switch.box_swaps * switch.box_mttr_h
    return hours + switch.lasers * switch.laser_rate * switch.laser_mttr_h


def edge_hours(pair: LinkPair, counts: Counts) -> float:
    """Hours a year of repair at what is bought of a boundary."""
    if not pair.module:
        return counts.cables * 2 * pair.lower.afr_end * pair.lower.mttr_h
    ends = ((pair.lower, counts.lower_ends), (pair.upper, counts.upper_ends))
    return sum(count * row.afr_end * row.mttr_h for row, count in ends if not row.cpo)


def host_hours(accelerator: AcceleratorPart, size: int, nic: NicPart, nics: int, economy: Economy) -> float:
    """Hours a year that the accelerators and NICs of a domain are out."""
    return size * (accelerator.afr_hard + nics * nic.afr_hard) * economy.tray_mttr_h


def plane_factors(planes: int, spare: int, switch: SwitchPart, economy: Economy) -> tuple[float, float]:
    """Shares of hits and of hours that failures of planes have when ``spare`` of them may be out."""
    if spare == 0:
        return 1.0, 1.0
    down = down_share(switch_hours(switch, economy))
    return economy.p_kill, float(uncovered(np.array([spare]), np.array([planes]), np.array([down]))[0])


def availabilities(options: Sequence[Option]) -> Floats:
    """Share of the time in which the units that are up serve all that each option is for, shape (n,)."""
    return 1.0 - lacks(options)


def lacks(options: Sequence[Option]) -> Floats:
    """Share of the time in which they do not: also where it is next to nothing, with all its digits."""
    rows = [(o.spares, o.domains // o.plan.domains_per_replica, o.plan.domains_per_replica) for o in options]
    spares, units, spanned = np.array(rows, np.int64).reshape(-1, 3).T
    hours = np.array([o.domain.out_h for o in options])
    return beyond(spares, units, unit_down(hours, spanned))
