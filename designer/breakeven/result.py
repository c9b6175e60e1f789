"""What came out of a search for flips, as plain data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Method = Literal["lines", "grid"]


@dataclass(frozen=True)
class Span:
    """What the catalogue (or the instance) says of the figure: None where it says nothing."""

    low: float | None
    mid: float | None
    high: float | None
    basis: str | None
    source: str | None


@dataclass(frozen=True)
class Side:
    """The answer at one value of the figure.

    ``choices`` are the parts by what they are for, in words; empty where there is no design (``clash`` says why).
    ``cost`` is the recounted first goal (USD a year unless the instance has another goal), ``bound`` what is proven.
    ``name`` is the forced choice that wins here, empty without ``between``.
    """

    value: float
    status: str
    cost: float | None
    bound: float | None
    gap: float | None
    choices: tuple[tuple[str, str], ...]
    clash: tuple[str, ...] = ()
    name: str = ""


@dataclass(frozen=True)
class Difference:
    """One choice that differs between the two sides of a flip."""

    what: str
    below: str
    above: str


@dataclass(frozen=True)
class Flip:
    """A value at which the best design changes.

    The answers at the ends of the bracket, ``below.value`` and ``above.value``, differ. ``crossing`` says that
    ``value`` is the computed crossing of two costs, not the middle of the bracket. ``below_other`` is what the winner
    above the flip costs at the lower end, ``above_other`` the winner below it at the upper end; None where it cannot be
    counted. ``in_range`` says whether the value lies between the low and the high of the figure.
    """

    value: float
    crossing: bool
    below: Side
    above: Side
    below_other: float | None
    above_other: float | None
    differences: tuple[Difference, ...]
    in_range: bool | None


@dataclass(frozen=True)
class BreakEven:
    """All flips of a range.

    ``method`` "lines": costs are straight lines in the figure, and every flip of the range is found; "grid": optima at
    ``points`` values, flips between neighbours that differ, by bisection. ``reason`` says why. ``proven`` says whether
    every solve ended with a proof (or with none having a design). ``settings`` are the other figures that were set.
    """

    instance: str
    goal: str
    key: str
    figure: Span
    watch: str
    between: tuple[str, ...]
    start: Side
    end: Side
    flips: tuple[Flip, ...]
    unwatched: int
    method: Method
    reason: str
    points: int
    width: float
    proven: bool
    solves: int
    notes: tuple[str, ...]
    settings: tuple[str, ...] = ()
