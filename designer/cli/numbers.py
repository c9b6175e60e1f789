"""Options that take numbers: what is no number, or out of range, is told with what was read and what is allowed."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import typer


def number(
    what: str, *names: str, least: float | None = None, most: float | None = None, metavar: str = "NUMBER"
) -> Any:
    """Return an option that takes a finite number; an end of the range that is left out is not checked here.

    Parameters
    ----------
    what
        Its help, to which the range is added.
    names
        Its names, where they are not that of the parameter.
    least, most, metavar
        Range, and what stands for the number in the help.
    """
    return typer.Option(*names, parser=finite(least, most), metavar=metavar, help=_with_range(what, least, most))


def whole(what: str, *, least: int | None = None, most: int | None = None) -> Any:
    """Return an option that takes a whole number, as `number` does."""
    return typer.Option(parser=integer(least, most), metavar="INTEGER", help=_with_range(what, least, most))


def finite(least: float | None, most: float | None) -> Callable[[str | float], float]:
    """Return a reader of finite numbers.

    Not left to the ranges of typer: it depends on its version whether they let ``nan`` pass (it compares as false with
    both ends) and whether they say what was read.

    Examples
    --------
    >>> finite(0.001, 1e6)("2.5")
    2.5
    >>> try:
    ...     finite(0.001, 1e6)("nan")
    ... except typer.BadParameter as error:
    ...     print(error.message)
    read nan; allowed: a number from 0.001 to 1,000,000
    """

    def read(text: str | float) -> float:
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        if not math.isfinite(value) or _outside(value, least, most):
            raise _refused(text, "a number", least, most)
        return value

    return read


def integer(least: int | None, most: int | None) -> Callable[[str | int], int]:
    """Return a reader of whole numbers.

    Examples
    --------
    >>> integer(2, 100_000)("20")
    20
    >>> try:
    ...     integer(2, 100_000)("2.5")
    ... except typer.BadParameter as error:
    ...     print(error.message)
    read 2.5; allowed: a whole number from 2 to 100,000
    """

    def read(text: str | int) -> int:
        try:
            value = int(text)
        except ValueError:
            raise _refused(text, "a whole number", least, most) from None
        if _outside(value, least, most):
            raise _refused(text, "a whole number", least, most)
        return value

    return read


def _outside(value: float, least: float | None, most: float | None) -> bool:
    return (least is not None and value < least) or (most is not None and value > most)


def _refused(text: object, sort: str, least: float | None, most: float | None) -> typer.BadParameter:
    span = _range(least, most) or "that is finite"
    return typer.BadParameter(f"read {str(text)[:60]}; allowed: {sort} {span}")


def _with_range(what: str, least: float | None, most: float | None) -> str:
    span = _range(least, most)
    return f"{what.removesuffix('.')}, {span}." if span else what


def _range(least: float | None, most: float | None) -> str:
    if least is not None and most is not None:
        return f"from {_shown(least)} to {_shown(most)}"
    if least is not None:
        return f"at least {_shown(least)}"
    return "" if most is None else f"at most {_shown(most)}"


def _shown(end: float) -> str:
    """Write an end of a range in full.

    Examples
    --------
    >>> _shown(1e6), _shown(0.001), _shown(2**31 - 1)
    ('1,000,000', '0.001', '2,147,483,647')
    """
    return f"{int(end):,}" if float(end).is_integer() else f"{end:g}"
