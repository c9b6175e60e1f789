"""One number in many samples, which the arithmetic of the recount takes for an ordinary number."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]


class Many:
    """A number that is known in samples only; sums, products, quotients and whole powers go sample by sample.

    It stands where the verifier has a `Fraction`, so that its own code works out all samples at once. A comparison must
    come out alike in all samples: one that does not would send the samples different ways, and raises `ValueError`.

    Examples
    --------
    >>> rate = Many(np.array([0.25, 0.5]))
    >>> (1 - Fraction(1, 2) * rate) ** 2
    Many([0.765625, 0.5625])
    >>> rate > 0, max(Fraction(0), rate) is rate
    (True, True)
    >>> rate > Fraction(1, 3)
    Traceback (most recent call last):
    ValueError: a comparison comes out differently in different samples
    """

    __slots__ = ("values",)
    # Sums with arrays are to be refused, not spread over their elements.
    __array_ufunc__ = None

    def __init__(self, values: Values) -> None:
        self.values = values

    def __repr__(self) -> str:
        return f"Many({[float(value) for value in self.values[:8]]})"

    def __add__(self, other: Any) -> Many:
        return _of(np.add, self, other)

    def __sub__(self, other: Any) -> Many:
        return _of(np.subtract, self, other)

    def __mul__(self, other: Any) -> Many:
        return _of(np.multiply, self, other)

    def __truediv__(self, other: Any) -> Many:
        return _of(np.divide, self, other)

    def __radd__(self, other: Any) -> Many:
        return _of(np.add, other, self)

    def __rsub__(self, other: Any) -> Many:
        return _of(np.subtract, other, self)

    def __rmul__(self, other: Any) -> Many:
        return _of(np.multiply, other, self)

    def __rtruediv__(self, other: Any) -> Many:
        return _of(np.divide, other, self)

    def __neg__(self) -> Many:
        return Many(-self.values)

    def __pow__(self, power: int) -> Many:
        if not isinstance(power, int):
            return NotImplemented
        return Many(self.values**power)

    def __hash__(self) -> int:
        return hash((len(self.values), float(self.values[0]), float(self.values[-1])))

    def __eq__(self, other: object) -> bool:
        return _alike(np.equal, self, other)

    def __ne__(self, other: object) -> bool:
        return not self == other

    def __lt__(self, other: Any) -> bool:
        return _alike(np.less, self, other)

    def __le__(self, other: Any) -> bool:
        return _alike(np.less_equal, self, other)

    def __gt__(self, other: Any) -> bool:
        return _alike(np.greater, self, other)

    def __ge__(self, other: Any) -> bool:
        return _alike(np.greater_equal, self, other)

    def __bool__(self) -> bool:
        return self != 0


def spread_of(number: object, samples: int) -> Values:
    """Return a number of the recount as samples; one that does not vary is the same in all.

    Examples
    --------
    >>> spread_of(Fraction(1, 2), 2).tolist()
    [0.5, 0.5]
    """
    if isinstance(number, Many):
        return number.values
    return np.full(samples, _plain(number))


def _plain(number: object) -> float | Values:
    if isinstance(number, Many):
        return number.values
    if isinstance(number, Fraction | int | float):
        return float(number)
    raise TypeError(f"no number: {type(number).__name__}")


def _of(what: Callable[[Any, Any], Any], left: object, right: object) -> Many:
    try:
        return Many(what(_plain(left), _plain(right)))
    except TypeError:
        # Python then asks the other operand, and says what is wrong if that knows no better.
        return cast(Many, NotImplemented)


def _alike(what: Callable[[Any, Any], Any], left: object, right: object) -> bool:
    try:
        found = what(_plain(left), _plain(right))
    except TypeError:
        return cast(bool, NotImplemented)
    first = bool(found[0])
    if not np.all(found == first):
        raise ValueError("a comparison comes out differently in different samples")
    return first
