"""How a figure is distributed: what low, mid and high say, and what a count of failures over device-hours says."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np
from scipy.special import expit, gammaincinv, logit, ndtri

from designer.risk.many import Values

LOW, HIGH = 0.05, 0.95
"""Quantiles that the low and the high of a figure are taken for."""

HOURS_PER_YEAR = 8760.0
_Z = float(ndtri(HIGH))
Kind = Literal["fixed", "log-normal", "two-piece log-normal", "two-piece logit-normal", "two-piece", "gamma"]


class Distribution(Protocol):
    """Anything that figures can be drawn from."""

    @property
    def kind(self) -> Kind:
        """Name of the distribution."""

    def at(self, chance: Values) -> Values:
        """Return the quantiles at some chances between 0 and 1."""


@dataclass(frozen=True)
class Range:
    """Low, mid and high of a figure as its 5 %, 50 % and 95 % quantiles.

    With a standard normal ``z`` the logarithm of the figure is ``ln mid + z ln(mid / low) / 1.645`` below the median
    and ``ln mid + z ln(high / mid) / 1.645`` above it: two half normals of different widths, each with half of the
    probability, so that all three quantiles are met exactly; with ``mid / low = high / mid`` a log-normal. 5 % and
    95 % are what the Reactor Safety Study (WASH-1400, NUREG-75/014, 1975, app. III) took the ends of such ranges for,
    with a log-normal between; two pieces are as in Wallis, Statistical Science 29 (2014) 106, but joined at the median
    instead of the mode. Of a chance the logit takes the place of the logarithm. A half that begins or ends at 0 (or at
    1, of a chance) has no logarithm: there the figure itself is linear in ``z``, cut off at 0 (and 1).

    Examples
    --------
    >>> Range(1.0, 3.0, 27.0).at(np.array([0.05, 0.5, 0.95])).round(9).tolist()
    [1.0, 3.0, 27.0]
    >>> Range(1.0, 3.0, 9.0).kind, Range(3.0, 3.0, 3.0).kind
    ('log-normal', 'fixed')
    """

    low: float
    mid: float
    high: float
    chance: bool = False

    @property
    def kind(self) -> Kind:
        """Name of the distribution."""
        if self.low == self.high:
            return "fixed"
        if not (self._bends(self.low) and self._bends(self.high)):
            return "two-piece"
        if self.chance:
            return "two-piece logit-normal"
        alike = abs(self.mid * self.mid - self.low * self.high) <= 1e-9 * self.mid * self.mid
        return "log-normal" if alike else "two-piece log-normal"

    def at(self, chance: Values) -> Values:
        """Return the quantiles at some chances between 0 and 1."""
        z = ndtri(chance) / _Z
        found: Values = np.where(z < 0, self._half(self.low, -z), self._half(self.high, z))
        return found

    def _bends(self, end: float) -> bool:
        most = 1.0 if self.chance else np.inf
        return end == self.mid or (min(end, self.mid) > 0 and max(end, self.mid) < most)

    def _half(self, end: float, z: Values) -> Values:
        if end == self.mid:
            return np.full_like(z, self.mid)
        # What lies in the other half is not used: it must only be a number.
        z = np.maximum(z, 0.0)
        if not self._bends(end):
            return np.clip(self.mid + (end - self.mid) * z, 0.0, 1.0 if self.chance else None)
        found: Values
        if self.chance:
            found = expit(logit(self.mid) + z * (logit(end) - logit(self.mid)))
        else:
            found = self.mid * np.exp(z * np.log(end / self.mid))
        return found


@dataclass(frozen=True)
class Posterior:
    """Rate a year after so many failures in so many device-hours; ``devices`` of them stand for one part.

    Gamma with shape ``failures + 1/2`` and rate ``device_hours``: the posterior of a Poisson rate under Jeffreys'
    prior, which is proper without a single failure too (Atwood et al., Handbook of Parameter Estimation for
    Probabilistic Risk Assessment, NUREG/CR-6823, 2003, ch. 6).

    Examples
    --------
    >>> per_port = Posterior(0, 15e6, 1e9 / 8760)  # in failures per 10^9 h
    >>> per_port.at(np.array([0.5, 0.95])).round(1).tolist()
    [15.2, 128.0]
    """

    failures: int
    device_hours: float
    devices: float

    @property
    def kind(self) -> Kind:
        """Name of the distribution."""
        return "gamma"

    def at(self, chance: Values) -> Values:
        """Return the quantiles at some chances between 0 and 1."""
        per_hour = np.asarray(gammaincinv(self.failures + 0.5, chance), dtype=np.float64) / self.device_hours
        return HOURS_PER_YEAR * self.devices * per_hour
