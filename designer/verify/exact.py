"""Decimal figures as exact fractions, so that ``ceil``, ``floor`` and limits never hang on a rounding error."""

from __future__ import annotations

from fractions import Fraction


def exact(value: float | str | Fraction) -> Fraction:
    """Return the number a person reads in ``value``: the decimal text of a float, not its binary expansion.

    Examples
    --------
    >>> exact(0.1), exact("0.25"), exact(3)
    (Fraction(1, 10), Fraction(1, 4), Fraction(3, 1))
    """
    return Fraction(repr(value)) if isinstance(value, float) else Fraction(value)


def ratio_up(numerator: Fraction | int, denominator: Fraction | int) -> int:
    """Round a quotient up to a whole number of cables, switches, racks.

    Examples
    --------
    >>> ratio_up(1201, 400), ratio_up(Fraction(4), Fraction(2))
    (4, 2)
    """
    return -(-Fraction(numerator) // Fraction(denominator))


def ratio_down(numerator: Fraction | int, denominator: Fraction | int) -> int:
    """Round a quotient down.

    Examples
    --------
    >>> ratio_down(1201, 400)
    3
    """
    return Fraction(numerator) // Fraction(denominator)
