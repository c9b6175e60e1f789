"""The least cost of a range as its straight pieces.

With costs that are straight lines in the figure, over designs that do not change with it, the least cost is concave and
piecewise straight. Two optima whose lines cross either own the range up to the crossing, each on its side, or the
optimum at the crossing is a third design, and both halves are looked at again: n pieces take at most 2 n + 1 solves.
Source: M. J. Eisner and D. G. Severance, Mathematical techniques for efficient record segmentation in large shared
databases, Journal of the ACM 23 (1976) 619-635.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from designer.breakeven.asker import Asker, Point

# The verifier counts exactly; only the optimum's own gap leaves a doubt.
_EXACT = Fraction(1, 10**9)
MOST_SOLVES = 400


class NotStraightError(Exception):
    """A design met on the way bends, or is not allowed, within the range: its lines prove nothing."""


@dataclass(frozen=True)
class Line:
    """Cost of one design: ``at_zero + slope * figure``, in USD per year."""

    at_zero: Fraction
    slope: Fraction

    def __call__(self, value: float) -> Fraction:
        """Cost at a value."""
        return self.at_zero + self.slope * exactly(value)

    def crossing(self, other: Line) -> float | None:
        """Where two lines meet; None for parallels.

        Examples
        --------
        >>> Line(Fraction(10), Fraction(1)).crossing(Line(Fraction(0), Fraction(3)))
        5.0
        """
        if self.slope == other.slope:
            return None
        return float((self.at_zero - other.at_zero) / (other.slope - self.slope))


@dataclass(frozen=True)
class Piece:
    """A part of the range on which one design is an optimum."""

    start: float
    end: float
    point: Point
    line: Line


def exactly(value: float) -> Fraction:
    """The decimal number a person reads, as the verifier takes it."""
    return Fraction(repr(value))


def envelope(asker: Asker, start: float, end: float) -> tuple[Piece, ...]:
    """Find all pieces of a range.

    Raises
    ------
    NotStraightError
        With the reason in words, when the lines would prove nothing.
    """
    first, last = asker.at(start), asker.at(end)
    pieces = _Pieces(asker, first, last).between(first, last)
    joined: list[Piece] = []
    for piece in pieces:
        if joined and joined[-1].line == piece.line and joined[-1].point.seen == piece.point.seen:
            joined[-1] = Piece(joined[-1].start, piece.end, joined[-1].point, piece.line)
        else:
            joined.append(piece)
    return tuple(joined)


class _Pieces:
    """One envelope on its way."""

    def __init__(self, asker: Asker, first: Point, last: Point) -> None:
        self.asker, self.first, self.last = asker, first, last
        self.slack = Fraction(str(max(asker.options.gap, 1e-9))) * 2
        self.lines: dict[int, Line] = {}

    def between(self, left: Point, right: Point) -> list[Piece]:
        low, high = self.line(left), self.line(right)
        self._allowed_before(left, low, high)
        self._allowed_before(right, high, low)
        for point, line in ((left, low), (right, high)):
            if self._reaches(line, left, low) and self._reaches(line, right, high):
                # Optimal at both ends: no line of a concave minimum can be below it between them.
                return [Piece(left.value, right.value, point, line)]
        meet = low.crossing(high)
        if meet is None or not left.value < meet < right.value:
            raise NotStraightError("the optima of two values do not agree with their designs' costs")
        middle = self.asker.at(meet)
        if len(self.asker.points) > MOST_SOLVES:
            raise NotStraightError(f"more than {MOST_SOLVES} pieces")
        third = self.line(middle)
        if third(meet) >= low(meet) * (1 - self.slack):
            return [Piece(left.value, meet, left, low), Piece(meet, right.value, right, high)]
        return [*self.between(left, middle), *self.between(middle, right)]

    def line(self, point: Point) -> Line:
        """The cost of a design over the whole range, checked at a third value."""
        if point.answer.design is None:
            raise NotStraightError(f"there is no design at {point.value:g}")
        if self.asker.offered_differs(self.first, point):
            raise NotStraightError("other parts are for sale at other values of the figure")
        key = id(point.design)
        if key not in self.lines:
            start, end = self.first.value, self.last.value
            third = start + (end - start) * 0.375
            costs = [self.asker.price(point.design, value) for value in (start, third, end)]
            if any(cost is None for cost in costs):
                raise NotStraightError("a design that is best at one value is not allowed at another")
            at_start, at_third, at_end = (cost for cost in costs if cost is not None)
            slope = (at_end - at_start) / (exactly(end) - exactly(start))
            line = Line(at_start - slope * exactly(start), slope)
            if abs(line(third) - at_third) > _EXACT * abs(at_third):
                raise NotStraightError("the cost of a design is no straight line in the figure")
            self.lines[key] = line
        return self.lines[key]

    def _reaches(self, line: Line, point: Point, best: Line) -> bool:
        return line(point.value) <= best(point.value) * (1 + self.slack)

    def _allowed_before(self, point: Point, best: Line, other: Line) -> None:
        """A design of another value cannot be cheaper here than what was proven to be the least."""
        if point.proven and other(point.value) < best(point.value) * (1 - self.slack):
            raise NotStraightError("a design of one value is cheaper at another than the optimum found there")
