"""Checkpoints: how much of a job's time is useful, and how often to write, when failures come as a Poisson process.

All times in hours: ``mean`` between two hits of the job, ``work`` between two checkpoints, ``write`` for one,
``restart`` after a hit. Sources: Young, A first order approximation to the optimum checkpoint interval, CACM 17
(1974) 530; Daly, A higher order estimate of the optimum checkpoint interval for restart dumps, Future Generation
Computer Systems 22 (2006) 303.
"""

from __future__ import annotations

import numpy as np
from scipy.special import lambertw

from designer.risk.many import Values


def useful_share(mean: Values, work: float | Values, write: float, restart: Values) -> Values:
    """Return the share of a job's time in which it gets on, for exponential times between hits: Daly's complete model.

    ``work / (M e^(R/M) (e^((work + write)/M) - 1))``: a stretch of ``t`` hours is got through once in
    ``M e^(R/M) (e^(t/M) - 1)`` hours, hits during restarts included.

    Examples
    --------
    >>> float(useful_share(np.array([24.0]), 2.0, 1 / 12, np.array([1 / 6])).round(4)[0])
    0.9126
    """
    with np.errstate(over="ignore", divide="ignore", invalid="ignore"):
        spent = mean * np.exp(restart / mean) * np.expm1((work + write) / mean)
        share: Values = work / spent
    return np.where(np.isfinite(mean), np.nan_to_num(share), work / (work + write))


def useful_share_first_order(mean: Values, work: float, write: float, restart: Values) -> Values:
    """Return the same to first order in the rate of hits: on the average half of a stretch is lost, and the restart.

    ``1 / (1 + write/work) / (1 + ((work + write)/2 + R)/M)`` (Daly 2006, section 2; Young 1974).
    """
    first: Values = 1 / ((1 + write / work) * (1 + ((work + write) / 2 + restart) / mean))
    return first


def young_interval(mean: Values, write: float) -> Values:
    """Return Young's best work between checkpoints, ``sqrt(2 write M)``.

    Examples
    --------
    >>> young_interval(np.array([50.0]), 0.25).tolist()
    [5.0]
    """
    return np.sqrt(2 * write * mean)


def daly_interval(mean: Values, write: float) -> Values:
    """Return Daly's best work between checkpoints.

    ``sqrt(2 write M) (1 + sqrt(write / 2M) / 3 + (write / 2M) / 9) - write`` where ``write < 2M``, else ``M``.

    Examples
    --------
    >>> [round(float(daly_interval(np.array([hours * 60]), 5.0)[0]), 1) for hours in (24.0, 6.0, 0.25)]
    [116.7, 56.7, 9.1]
    """
    part = np.minimum(write / (2 * mean), 1.0)
    near = young_interval(mean, write) * (1 + np.sqrt(part) / 3 + part / 9) - write
    found: Values = np.where(write < 2 * mean, near, mean)
    return found


def exact_interval(mean: Values, write: float) -> Values:
    """Return the work between checkpoints at which `useful_share` is largest.

    ``M (1 + W(-e^(-1 - write/M)))`` with the principal branch of Lambert's W: the root of the derivative (Daly 2006).
    """
    branch = np.asarray(lambertw((-np.exp(-1 - write / mean)).astype(np.complex128), 0))
    found: Values = mean * (1 + branch.real)
    return found
