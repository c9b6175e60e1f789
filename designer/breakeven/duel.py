"""Which of two forced choices is cheaper along a figure, and where that changes."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

from designer.breakeven.asker import Asker, Point
from designer.breakeven.choices import differences
from designer.breakeven.envelope import NotStraightError, Piece, envelope
from designer.breakeven.linear import Entry
from designer.breakeven.result import Flip, Side
from designer.breakeven.search import Found, bracket, changes
from designer.report.words import goal_text

NEITHER = "neither"


@dataclass
class Duel:
    """Two questions that differ in what is forced on them."""

    one: Asker
    other: Asker
    names: tuple[str, ...]
    entry: Entry
    width: float
    points: int

    def run(self, start: float, end: float) -> Found:
        """Look at the range."""
        reason = self.entry.reason
        if self.entry.straight:
            try:
                return self._by_lines(start, end)
            except NotStraightError as error:
                reason = f"{reason}, but {error}"
        return self._on_grid(start, end, reason)

    def _by_lines(self, start: float, end: float) -> Found:
        """Both least costs are known as pieces: their difference is straight between any two ends of pieces."""
        mine, theirs = envelope(self.one, start, end), envelope(self.other, start, end)
        values = sorted({start, end, *(piece.end for piece in (*mine, *theirs))})
        crossings = [meet for low, high in itertools.pairwise(values) if (meet := _meet(mine, theirs, low, high))]
        known = [start, *crossings, end]
        flips = []
        for place, value in enumerate(crossings, start=1):
            low, high = bracket(value, self.width, known[place - 1], known[place + 1])
            if self._winner(low) != self._winner(high):
                flips.append(self._flip(value, low, high, crossing=True))
        moves = any(piece.line.slope for piece in (*mine, *theirs))
        sides = self._side(start), self._side(end)
        return Found(*sides, tuple(flips), 0, "lines", self.entry.reason, 0, moves, self._ends(start, end))

    def _on_grid(self, start: float, end: float, reason: str) -> Found:
        brackets = changes(self._winner, start, end, self.points, self.width, self.one.variable.number)
        whole = self.one.variable.whole
        flips = tuple(
            self._flip(high if whole else (low + high) / 2, low, high, crossing=False) for low, high in brackets
        )
        moved = [asker.at(start).cost != asker.at(end).cost for asker in (self.one, self.other)]
        sides = self._side(start), self._side(end)
        return Found(*sides, flips, 0, "grid", reason, self.points, any(moved), self._ends(start, end))

    def _winner(self, value: float) -> str:
        mine, theirs = self.one.at(value).cost, self.other.at(value).cost
        if mine is None and theirs is None:
            return NEITHER
        if theirs is None or (mine is not None and mine <= theirs):
            return self.names[0]
        return self.names[1]

    def _asker(self, name: str) -> Asker:
        return self.other if name == self.names[1] else self.one

    def _side(self, value: float) -> Side:
        name = self._winner(value)
        return self._asker(name).at(value).side(name)

    def _flip(self, value: float, low: float, high: float, *, crossing: bool) -> Flip:
        below, above = self._side(low), self._side(high)
        below_other, above_other = self._asker(above.name).at(low).cost, self._asker(below.name).at(high).cost
        return Flip(
            value, crossing, below, above, below_other, above_other, differences(below.choices, above.choices), None
        )

    def _ends(self, start: float, end: float) -> tuple[str, ...]:
        """Both answers at both ends: how far from a flip the range is."""
        askers = (self.one, self.other)
        return tuple(
            f"at {value:,.12g}: "
            + ", ".join(f"{name} {_told(asker.at(value))}" for name, asker in zip(self.names, askers, strict=True))
            for value in (start, end)
        )


def _told(point: Point) -> str:
    sure = "proven" if point.proven else "not proven"
    if point.cost is None:
        return f"no design ({sure})"
    goal = point.answer.goals[0].goal if point.answer.goals else "cost"
    words = f"${point.cost:,.0f} a year" if goal == "cost" else goal_text(goal, point.cost)
    return f"{words} ({sure})"


def _meet(mine: Sequence[Piece], theirs: Sequence[Piece], low: float, high: float) -> float | None:
    """Where two piecewise straight costs cross between two neighbouring ends of pieces."""
    middle = (low + high) / 2
    lines = [next(row.line for row in pieces if row.start <= middle <= row.end) for pieces in (mine, theirs)]
    at_low, at_high = (lines[0](value) - lines[1](value) for value in (low, high))
    # A crossing at an end of a piece belongs to the interval that ends there.
    if at_low * at_high > 0 or at_low == 0:
        return None
    return high if at_high == 0 else lines[0].crossing(lines[1])
