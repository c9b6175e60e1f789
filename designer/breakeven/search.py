"""Flips of the best design along a figure: by lines where costs are straight, else on a grid and by bisection."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass

from designer.breakeven.asker import Asker, Point
from designer.breakeven.choices import differences
from designer.breakeven.envelope import NotStraightError, Piece, envelope
from designer.breakeven.linear import Entry
from designer.breakeven.result import Flip, Method, Side


@dataclass(frozen=True)
class Found:
    """What a search brings home; ``moves`` says whether the figure changed any cost at all."""

    start: Side
    end: Side
    flips: tuple[Flip, ...]
    unwatched: int
    method: Method
    reason: str
    points: int
    moves: bool
    notes: tuple[str, ...] = ()


@dataclass
class Search:
    """All flips of the best design."""

    asker: Asker
    entry: Entry
    width: float
    points: int

    def run(self, start: float, end: float) -> Found:
        """Look at the range."""
        reason = self.entry.reason
        if self.entry.straight:
            try:
                return self._by_lines(envelope(self.asker, start, end), start, end)
            except NotStraightError as error:
                reason = f"{reason}, but {error}"
        return self._on_grid(start, end, reason)

    def _by_lines(self, pieces: Sequence[Piece], start: float, end: float) -> Found:
        flips, unwatched = [], 0
        for left, right in itertools.pairwise(pieces):
            if left.point.seen == right.point.seen:
                unwatched += 1
                continue
            low, high = bracket(left.end, self.width, left.start, right.end)
            flips.append(self._flip(left.end, low, high, crossing=True))
        return Found(
            self.asker.at(start).side(),
            self.asker.at(end).side(),
            tuple(flips),
            unwatched,
            "lines",
            self.entry.reason,
            0,
            any(piece.line.slope for piece in pieces),
            _ties(flips),
        )

    def _on_grid(self, start: float, end: float, reason: str) -> Found:
        whole = self.asker.variable.whole
        brackets = changes(
            lambda value: self.asker.at(value).seen, start, end, self.points, self.width, self.asker.variable.number
        )
        flips = [self._flip(high if whole else (low + high) / 2, low, high, crossing=False) for low, high in brackets]
        first, last = self.asker.at(start), self.asker.at(end)
        return Found(
            first.side(),
            last.side(),
            tuple(flips),
            0,
            "grid",
            reason,
            self.points,
            bool(flips) or self._moves(first, end),
        )

    def _moves(self, first: Point, end: float) -> bool:
        if first.answer.design is None or first.cost is None:
            return True
        there, here = self.asker.price(first.design, end), self.asker.price(first.design, first.value)
        return there is None or here is None or there != here

    def _flip(self, value: float, low: float, high: float, *, crossing: bool) -> Flip:
        below, above = self.asker.at(low), self.asker.at(high)
        return Flip(
            value,
            crossing,
            below.side(),
            above.side(),
            priced(self.asker, above, low),
            priced(self.asker, below, high),
            differences(below.seen, above.seen),
            None,
        )


def priced(asker: Asker, point: Point, value: float) -> float | None:
    """What the design of one value costs at another; None where it is not allowed, or cost is no goal."""
    if point.answer.design is None or asker.question.instance.objective.minimise[0] != "cost":
        return None
    cost = asker.price(point.design, value)
    return None if cost is None else float(cost)


def bracket(value: float, width: float, least: float, most: float) -> tuple[float, float]:
    """Two values around a crossing, ``width`` apart relative to it, not beyond the middle of the pieces beside it.

    Examples
    --------
    >>> bracket(100.0, 0.02, 0.0, 1000.0)
    (99.0, 101.0)
    """
    half = abs(value) * width / 2
    return max(value - half, (value + least) / 2), min(value + half, (value + most) / 2)


def changes(
    state: Callable[[float], Hashable],
    start: float,
    end: float,
    points: int,
    width: float,
    number: Callable[[float], float],
) -> list[tuple[float, float]]:
    """Find brackets of relative ``width`` in which a state changes: a grid first, then bisection of every change.

    Examples
    --------
    >>> [(round(low), round(high)) for low, high in changes(lambda x: x > 7, 0, 16, 3, 1e-3, float)]
    [(7, 7)]
    """
    least = (end - start) * width * 1e-3
    grid = sorted({float(number(start + (end - start) * place / (points - 1))) for place in range(points)})
    open_, done = list(itertools.pairwise(grid)), []
    while open_:
        low, high = open_.pop()
        if state(low) == state(high):
            continue
        middle = float(number((low + high) / 2))
        if high - low <= max(width * max(abs(low), abs(high)), least) or middle in (low, high):
            done.append((low, high))
        else:
            open_ += [(low, middle), (middle, high)]
    return sorted(done)


def _ties(flips: Sequence[Flip]) -> tuple[str, ...]:
    if any(not flip.differences for flip in flips):
        return ("where nothing differs across a flip, both designs cost the same within the gap: give a smaller --gap",)
    return ()
