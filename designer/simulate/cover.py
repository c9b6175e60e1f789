"""Spare domains and spare planes: who stands in for whom, and when something that is out takes effect."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from designer.simulate.kind import Kind
from designer.simulate.placement import Placement, Region, Standing


class Cover:
    """Units of a pool, some of them spare: one takes over the jobs of a unit that is down while any is left.

    A unit is a domain, or the domains of a replica that fills several. Whoever waits longest for a spare gets the next.

    Examples
    --------
    Three units, one of them spare: the spare runs the jobs of the first unit that fails, nobody those of the second
    until the first is repaired.

    >>> cover = Cover(3, 1, 0.0, lambda unit, runs, now_h: None)
    >>> cover.fail(0, 1.0), cover.fail(1, 2.0), cover.short
    (None, None, True)
    >>> cover.mend(0, 5.0), cover.short, cover.short_h, [cover.held_h(unit, 6.0) for unit in (0, 1, 2)]
    (None, False, 3.0, [2.0, 5.0, 5.0])
    """

    def __init__(self, units: int, spares: int, since_h: float, changes: Callable[[int, bool, float], None]) -> None:
        self._changes = changes
        self._runs = [True] * (units - spares) + [False] * spares
        self._free = deque(range(units - spares, units))
        self._waiting: dict[int, None] = {}
        self._down = [0] * units
        self._held_h = [0.0] * units
        self._moved_h = [since_h] * units
        self._since_h = since_h
        self.short_h = 0.0

    @property
    def short(self) -> bool:
        """Whether a unit is down that nobody stands in for."""
        return bool(self._waiting)

    def held_h(self, unit: int, now_h: float) -> float:
        """Hours in which a unit had jobs to run, up or down."""
        return self._held_h[unit] + (now_h - self._moved_h[unit] if self._runs[unit] else 0.0)

    def fail(self, unit: int, now_h: float) -> None:
        """Something in a unit is out."""
        self._down[unit] += 1
        if self._down[unit] > 1:
            return
        if not self._runs[unit]:
            self._free.remove(unit)
        elif self._free:
            self._move(unit, self._free.popleft(), now_h)
        else:
            self.settle(now_h)
            self._waiting[unit] = None

    def mend(self, unit: int, now_h: float) -> None:
        """It is in order again."""
        self._down[unit] -= 1
        if self._down[unit]:
            return
        if self._runs[unit]:
            self.settle(now_h)
            del self._waiting[unit]
        elif self._waiting:
            self.settle(now_h)
            first = next(iter(self._waiting))
            del self._waiting[first]
            self._move(first, unit, now_h)
        else:
            self._free.append(unit)

    def settle(self, now_h: float) -> None:
        """Book the time in which units were missing."""
        if now_h > self._since_h:
            self.short_h += (now_h - self._since_h) * bool(self._waiting)
            self._since_h = now_h

    def _move(self, here: int, there: int, now_h: float) -> None:
        for unit, runs in ((here, False), (there, True)):
            self._held_h[unit] = self.held_h(unit, now_h)
            self._moved_h[unit] = now_h
            self._runs[unit] = runs
            self._changes(unit, runs, now_h)


@dataclass(eq=False)
class Outage:
    """A part of a domain that is out: ``lost`` accelerators for as long as that takes effect (``hours``).

    It stands for as many events as fell into its repair, each of which would by itself lose as much (``times``).
    ``since_h`` is what its unit had run when it took effect; None while it takes none.
    """

    kind: Kind
    unit: int
    domain: int
    plane: int | None
    stopped: Region | None
    missing: float
    times: int = 1
    hours: float = 0.0
    since_h: float | None = None

    @property
    def lost(self) -> float:
        """Accelerators, or bandwidth in accelerators' worth of it."""
        return (0 if self.stopped is None else self.stopped.size) + self.missing


class Domains:
    """What is out in the domains of one pool, and what of it takes effect."""

    def __init__(self, placement: Placement, since_h: float) -> None:
        self._placement = placement
        self.standing = Standing(placement, since_h)
        self.cover = Cover(placement.units, placement.spares, since_h, self.standing.hold)
        self._planes: dict[int, dict[int, list[Outage]]] = {}
        self._links: dict[int, list[Outage]] = {}

    def begin(self, kind: Kind, member: int, now_h: float) -> Outage:
        """Take a member out."""
        place = kind.stops or kind.strikes
        assert place is not None, kind.name
        (span,) = place.spans(member, 0.0)
        region = None if kind.stops is None else self._placement.region(span)
        missing = 0.0 if kind.slows is None else sum(most for _, most in kind.slows.slowed(member))
        unit, domain = span.lo // self._placement.unit_size, span.lo // self._placement.domain_size
        plane = None if kind.spared is None else kind.spared.plane(member)
        out = Outage(kind, unit, domain, plane, region, missing)
        if kind.spared is None:
            self._set(out, True, now_h)
            return out
        if plane is not None:
            self._planes.setdefault(domain, {}).setdefault(plane, []).append(out)
        else:
            self._links.setdefault(domain, []).append(out)
        self._review(domain, kind.spared.spare, now_h)
        return out

    def end(self, out: Outage, now_h: float) -> None:
        """Bring it back."""
        self._set(out, False, now_h)
        if out.kind.spared is None:
            return
        if out.plane is not None:
            planes = self._planes[out.domain]
            planes[out.plane].remove(out)
            if not planes[out.plane]:
                del planes[out.plane]
        else:
            self._links[out.domain].remove(out)
        self._review(out.domain, out.kind.spared.spare, now_h)

    def close(self, out: Outage, now_h: float) -> None:
        """Count an outage that lasts beyond the end."""
        if out.since_h is not None:
            out.hours += self.cover.held_h(out.unit, now_h) - out.since_h

    def _review(self, domain: int, spare: int, now_h: float) -> None:
        """The planes that were out first are those that can be spared; a link is one plane less for its accelerator."""
        planes = self._planes.get(domain, {})
        for rank, outages in enumerate(planes.values()):
            for out in outages:
                self._set(out, rank >= spare, now_h)
        for out in self._links.get(domain, ()):
            self._set(out, len(planes) >= spare, now_h)

    def _set(self, out: Outage, takes_effect: bool, now_h: float) -> None:
        if takes_effect == (out.since_h is not None):
            return
        if out.since_h is None:
            self.cover.fail(out.unit, now_h)
            out.since_h = self.cover.held_h(out.unit, now_h)
            if out.stopped is not None:
                self.standing.stop(out.stopped, now_h)
            if out.missing:
                self.standing.slow(out.missing, now_h)
            return
        out.hours += self.cover.held_h(out.unit, now_h) - out.since_h
        out.since_h = None
        if out.stopped is not None:
            self.standing.start(out.stopped, now_h)
        if out.missing:
            self.standing.slow(-out.missing, now_h)
        self.cover.mend(out.unit, now_h)
