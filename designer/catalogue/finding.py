"""One result of a cross-check, and how two figures are compared."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Finding:
    """What a cross-check found.

    Parameters
    ----------
    check
        Name of the check.
    where
        Dotted path to the row or figure.
    says
        The figures and what they should be.
    broken
        True: the data contradict themselves. False: a remark, for example a limit or a known conflict.
    """

    check: str
    where: str
    says: str
    broken: bool

    def __str__(self) -> str:
        return f"{'BROKEN' if self.broken else 'remark'} {self.check}: {self.where}: {self.says}"


def broken(check: str, where: str, says: str) -> Finding:
    """Make a finding that the data contradict themselves."""
    return Finding(check, where, says, True)


def remark(check: str, where: str, says: str) -> Finding:
    """Make a finding that a user should know."""
    return Finding(check, where, says, False)


def agrees(value: float, expected: float, tolerance: float) -> bool:
    """Whether a value is within a relative tolerance of what is expected.

    Examples
    --------
    >>> agrees(10.75, 10.752, 0.005), agrees(10.75, 10.9, 0.005)
    (True, False)
    """
    return abs(value - expected) <= tolerance * abs(expected) + 1e-15


def whole_lanes(rate_gbps: float, lane_gbps: float, tolerance: float) -> bool:
    """Whether a port rate is a whole number of lanes.

    Examples
    --------
    >>> whole_lanes(800, 100, 0.005), whole_lanes(250, 100, 0.005), whole_lanes(800, 0, 0.005)
    (True, False, False)
    """
    if lane_gbps < rate_gbps * 1e-9:
        return False
    return agrees(round(rate_gbps / lane_gbps) * lane_gbps, rate_gbps, tolerance)
