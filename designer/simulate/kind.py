"""One class of components that fail alike, each member with its place."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from designer.design.account import Item
from designer.simulate.placement import Span

Spans = tuple[Span, ...]
Slowed = tuple[tuple[int, float], ...]
"""Bandwidth missing while a member is repaired: pool, and how many accelerators' worth of it."""


class Place(Protocol):
    """Says which accelerators depend on a member; ``draw`` from 0 to 1 decides where that is left to chance."""

    def spans(self, member: int, draw: float) -> Spans:
        """Accelerators that depend on this member."""
        ...


class Share(Protocol):
    """Says how much bandwidth a member carries."""

    def slowed(self, member: int) -> Slowed:
        """Pools that the member serves, and how many accelerators' worth of bandwidth it carries of each."""
        ...


@dataclass(frozen=True)
class Spared:
    """Planes of switches of the domains of a pool, ``spare`` of which may be out in any domain at no loss.

    A plane is out while any of its members is, ``parts`` of them at every switch. Members with ``parts`` 0 are no
    planes: they matter only while all planes that can be spared are out.
    """

    planes: int
    spare: int
    parts: int

    def plane(self, member: int) -> int | None:
        """The plane of a member, numbered in its domain.

        Examples
        --------
        >>> Spared(4, 1, 2).plane(11), Spared(4, 1, 0).plane(11)
        (1, None)
        """
        return member // self.parts % self.planes if self.parts else None


@dataclass(frozen=True)
class Kind:
    """Components of one class: all their events arrive as one Poisson process, each at a member drawn evenly.

    Parameters
    ----------
    item, name
        Line of the account, and what they are.
    members
        How many there are.
    per_year
        Events of each a year.
    repaired
        Share of the events that need work; while it lasts, ``repair_h`` hours, the member cannot fail again.
    cleaning
        Whether the work is a cleaning; else it is a hard repair.
    strikes
        Where an event interrupts jobs; None: nowhere.
    chance
        That a job which is struck is interrupted.
    one_job
        Whether one job there is struck, drawn evenly; else all of them are, each by its own chance.
    stops
        What stands still while the work lasts.
    slows
        What loses bandwidth meanwhile.
    passes, passes_chance
        Who is disturbed besides, one job with this chance: those whose packets pass the member.
    inside
        Whether it is part of a domain, for which a spare one stands in.
    spared
        The spare planes of its domain that bear on it.
    """

    item: Item
    name: str
    members: int
    per_year: float
    repaired: float = 0.0
    repair_h: float = 0.0
    cleaning: bool = False
    strikes: Place | None = None
    chance: float = 1.0
    one_job: bool = False
    stops: Place | None = None
    slows: Share | None = None
    passes: Place | None = None
    passes_chance: float = 1.0
    inside: bool = False
    spared: Spared | None = None


def failing(hard: float, hits: float) -> tuple[float, float]:
    """Events a year of a part whose jobs are interrupted ``hits`` times, its hard failures among them.

    Returns the events and the share of them that are hard: no part fails hard without an interruption.

    Examples
    --------
    >>> failing(0.05, 0.2), failing(0.05, 0.04), failing(0.0, 0.0)
    ((0.2, 0.25), (0.05, 1.0), (0.0, 0.0))
    """
    events = max(hard, hits)
    return events, hard / events if events else 0.0
