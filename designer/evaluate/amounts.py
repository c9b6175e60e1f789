"""Sums that say what of them is not known.

A figure that nobody knows is given several values in turn; whatever changes with it is not known, and is reported
without a value but with the names of the figures that it lacks and the part that is known.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction


@dataclass(frozen=True)
class Amount:
    """A sum. ``value`` is None where a figure is missing; ``known`` is the sum without what is missing.

    Examples
    --------
    >>> str(Amount(5.0, 5.0, ())), Amount(None, 3.0, ("nic x: afr_hard",)).value is None
    ('5', True)
    """

    value: float | None
    known: float
    missing: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.known:g}" if self.value is not None else f"not known (of it known: {self.known:g})"


Measures = Sequence[Fraction]


def amounts(
    lacking: Sequence[str], measured: Callable[[Mapping[str, Fraction], Fraction], Measures]
) -> tuple[Amount, ...]:
    """Compute measures, each with the names of the figures that it lacks.

    Parameters
    ----------
    lacking
        Names of the figures that are not known.
    measured
        Computes all measures from what stands for unknown figures, by name, and what stands for the rest.

    Examples
    --------
    Two of three factors are not known: their product lacks both, and a sum that they are no part of lacks nothing.

    >>> def both(values, default):
    ...     a, b = values.get("a", default), values.get("b", default)
    ...     return [10 + a * b * 3, Fraction(7)]
    >>> for row in amounts(["a", "b"], both):
    ...     print(row.known, row.missing)
    10.0 ('a', 'b')
    7.0 ()
    """
    known = measured({}, Fraction(0))
    if not lacking:
        return tuple(Amount(float(value), float(value), ()) for value in known)
    # Starting from 1, not 0: a product of two unknown figures must move with each of them.
    base = measured({}, Fraction(1))
    missing: list[list[str]] = [[] for _ in known]
    for name in lacking:
        for row, before, after in zip(missing, base, measured({name: Fraction(2)}, Fraction(1)), strict=True):
            if before != after:
                row.append(name)
    return tuple(
        Amount(None if names else float(value), float(value), tuple(names))
        for value, names in zip(known, missing, strict=True)
    )
