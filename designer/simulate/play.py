"""One run: the life of a design over some years, event by event."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Generator, Sequence
from dataclasses import dataclass, field

import numpy as np
import simpy
from numpy.typing import NDArray

from designer.design.account import Item
from designer.simulate.kind import Kind, Slowed
from designer.simulate.placement import Placement, Region, Standing

HOURS_PER_YEAR = 8760.0
HARD, HITS, HOURS, CLEANINGS = range(4)
"""Places of the four figures in a tally."""

Tally = NDArray[np.float64]


def _zeros() -> Tally:
    return np.zeros(4)


@dataclass
class Played:
    """What one run counted over all its years.

    ``counted`` and ``squares`` add up, item by item, what every event does when it is taken by itself, and its square;
    ``happened`` is what really happened: no job is interrupted that is down, nothing is lost twice, and what is being
    repaired does not fail.
    """

    counted: defaultdict[Item, Tally] = field(default_factory=lambda: defaultdict(_zeros))
    squares: defaultdict[Item, Tally] = field(default_factory=lambda: defaultdict(_zeros))
    happened: Tally = field(default_factory=_zeros)
    events: int = 0


def play(kinds: Sequence[Kind], placements: Sequence[Placement], years: float, seed: np.random.SeedSequence) -> Played:
    """Let everything fail and be repaired for some years.

    The run begins early enough for what is under repair to be as usual when counting starts.
    """
    run = _Run(kinds, placements, years, seed)
    return run.to_the_end()


class _Run:
    def __init__(
        self, kinds: Sequence[Kind], placements: Sequence[Placement], years: float, seed: np.random.SeedSequence
    ) -> None:
        self._kinds = [kind for kind in kinds if kind.members * kind.per_year > 0]
        self._begin_h = max((kind.repair_h for kind in self._kinds), default=0.0)
        self._end_h = self._begin_h + years * HOURS_PER_YEAR
        self._placements = placements
        self._standings = [Standing(placement, self._begin_h) for placement in placements]
        self._rng = np.random.Generator(np.random.PCG64(seed))
        self._env = simpy.Environment()
        self._played = Played()

    def to_the_end(self) -> Played:
        """Play all years."""
        for kind in self._kinds:
            self._env.process(self._arrivals(kind))
        self._env.run(until=self._end_h)
        for standing in self._standings:
            standing.settle(self._end_h)
            self._played.happened[HOURS] += standing.lost_h
        return self._played

    def _arrivals(self, kind: Kind) -> Generator[simpy.Event, None, None]:
        """Events of all members together: exponential gaps, then any member."""
        mean_h = HOURS_PER_YEAR / (kind.members * kind.per_year)
        draw, gap, wait = self._rng.random, self._rng.exponential, self._env.timeout
        busy: set[int] = set()
        while True:
            yield wait(gap(mean_h))
            self._event(kind, int(draw() * kind.members), busy)

    def _event(self, kind: Kind, member: int, busy: set[int]) -> None:
        now_h, draw = self._env.now, self._rng.random
        counts = now_h >= self._begin_h
        works = member not in busy
        self._played.events += counts
        if kind.strikes is not None:
            spans = kind.strikes.spans(member, draw())
            regions = [(span.pool, self._placements[span.pool].region(span)) for span in spans]
            if counts:
                self._strike(kind, regions, works)
        if not kind.repaired or draw() >= kind.repaired:
            return
        if counts:
            self._book(kind, CLEANINGS if kind.cleaning else HARD, 1.0, works)
        until_h = now_h + kind.repair_h
        # What lies before the first or after the last counted hour is not lost in this run.
        counted_h = max(0.0, min(until_h, self._end_h) - max(now_h, self._begin_h))
        stopped: list[tuple[int, Region]] = []
        if kind.stops is kind.strikes and kind.stops is not None:
            stopped = regions
        elif kind.stops is not None:
            for span in kind.stops.spans(member, 0.0):
                stopped.append((span.pool, self._placements[span.pool].region(span)))
        slowed = kind.slows.slowed(member) if kind.slows is not None else ()
        lost = sum(region.size for _, region in stopped) + sum(most for _, most in slowed)
        if counted_h > 0:
            self._add(kind.item, HOURS, lost * counted_h)
        if works and kind.repair_h > 0:
            self._out(stopped, slowed, member, busy, kind.repair_h)

    def _strike(self, kind: Kind, regions: Sequence[tuple[int, Region]], works: bool) -> None:
        """Interrupt jobs; one that is down is counted, but has nothing to lose."""
        draw, struck, hit = self._rng.random, 0, 0
        for pool, region in regions:
            if not region.job_count:
                continue
            if kind.one_job:
                if kind.chance < 1 and draw() >= kind.chance:
                    continue
                struck += 1
                hit += int(self._standings[pool].running(region.jobs)[int(draw() * region.job_count)])
            elif kind.chance < 1:
                fated = self._rng.random(region.job_count) < kind.chance
                struck += int(np.count_nonzero(fated))
                hit += int(np.count_nonzero(fated & self._standings[pool].running(region.jobs)))
            else:
                struck += region.job_count
                hit += int(np.count_nonzero(self._standings[pool].running(region.jobs)))
        if struck:
            self._add(kind.item, HITS, struck)
            self._played.happened[HITS] += hit if works else 0

    def _out(
        self, stopped: Sequence[tuple[int, Region]], slowed: Slowed, member: int, busy: set[int], repair_h: float
    ) -> None:
        """Take a member out of service until it is repaired."""
        env, standings = self._env, self._standings
        busy.add(member)
        for pool, region in stopped:
            standings[pool].stop(region, max(env.now, self._begin_h))
        for pool, most in slowed:
            standings[pool].slow(most, max(env.now, self._begin_h))

        def back(_: simpy.Event) -> None:
            busy.discard(member)
            for pool, region in stopped:
                standings[pool].start(region, max(env.now, self._begin_h))
            for pool, most in slowed:
                standings[pool].slow(-most, max(env.now, self._begin_h))

        done = env.timeout(repair_h)
        done.callbacks.append(back)

    def _book(self, kind: Kind, figure: int, amount: float, works: bool) -> None:
        self._add(kind.item, figure, amount)
        self._played.happened[figure] += amount if works else 0

    def _add(self, item: Item, figure: int, amount: float) -> None:
        self._played.counted[item][figure] += amount
        self._played.squares[item][figure] += amount * amount
