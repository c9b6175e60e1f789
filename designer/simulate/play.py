"""One run: the life of a design over some years, event by event."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Generator, Sequence
from dataclasses import dataclass, field

import numpy as np
import simpy
from numpy.typing import NDArray

from designer.design.account import Item
from designer.simulate.cover import Domains, Outage
from designer.simulate.kind import Kind, Slowed, Spans
from designer.simulate.placement import Placement, Region

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
    repaired does not fail. ``short_h`` are the hours in which a pool had not enough domains that were up.
    """

    counted: defaultdict[Item, Tally] = field(default_factory=lambda: defaultdict(_zeros))
    squares: defaultdict[Item, Tally] = field(default_factory=lambda: defaultdict(_zeros))
    happened: Tally = field(default_factory=_zeros)
    short_h: list[float] = field(default_factory=list)
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
        self._domains = [Domains(placement, self._begin_h) for placement in placements]
        self._standings = [domains.standing for domains in self._domains]
        self._rng = np.random.Generator(np.random.PCG64(seed))
        self._env = simpy.Environment()
        self._played = Played()

    def to_the_end(self) -> Played:
        """Play all years."""
        inside: list[dict[int, Outage]] = []
        for kind in self._kinds:
            out: dict[int, Outage] = {}
            inside.append(out)
            self._env.process(self._arrivals(kind, out))
        self._env.run(until=self._end_h)
        for outages in inside:
            for outage in outages.values():
                self._domains_of(outage.kind).close(outage, self._end_h)
                self._lose(outage)
        for domains in self._domains:
            domains.standing.settle(self._end_h)
            domains.cover.settle(self._end_h)
            self._played.happened[HOURS] += domains.standing.lost_h
            self._played.short_h.append(domains.cover.short_h)
        return self._played

    def _arrivals(self, kind: Kind, out: dict[int, Outage]) -> Generator[simpy.Event, None, None]:
        """Events of all members together: exponential gaps, then any member."""
        mean_h = HOURS_PER_YEAR / (kind.members * kind.per_year)
        draw, gap, wait = self._rng.random, self._rng.exponential, self._env.timeout
        busy: set[int] = set()
        while True:
            yield wait(gap(mean_h))
            self._event(kind, int(draw() * kind.members), busy, out)

    def _event(self, kind: Kind, member: int, busy: set[int], out: dict[int, Outage]) -> None:
        now_h, draw = self._env.now, self._rng.random
        counts = now_h >= self._begin_h
        works = member not in busy and member not in out
        self._played.events += counts
        regions: list[tuple[int, Region]] = []
        if kind.strikes is not None:
            regions = self._regions(kind.strikes.spans(member, draw()))
            if counts:
                self._strike(kind, regions, works, kind.chance, one_job=kind.one_job)
        if kind.passes is not None and counts:
            passing = self._regions(kind.passes.spans(member, draw()))
            self._strike(kind, passing, works, kind.passes_chance, one_job=True)
        if not kind.repaired or draw() >= kind.repaired:
            return
        if counts:
            self._book(kind, CLEANINGS if kind.cleaning else HARD, 1.0, works)
        if kind.inside:
            self._out_inside(kind, member, out)
            return
        until_h = now_h + kind.repair_h
        # What lies before the first or after the last counted hour is not lost in this run.
        counted_h = max(0.0, min(until_h, self._end_h) - max(now_h, self._begin_h))
        stopped: list[tuple[int, Region]] = []
        if kind.stops is kind.strikes and kind.stops is not None:
            stopped = regions
        elif kind.stops is not None:
            stopped = self._regions(kind.stops.spans(member, 0.0))
        slowed = kind.slows.slowed(member) if kind.slows is not None else ()
        lost = sum(float(self._standings[pool].in_use(region)) for pool, region in stopped)
        lost += sum(most * self._standings[pool].working_share for pool, most in slowed)
        if counted_h > 0:
            self._add(kind.item, HOURS, lost * counted_h)
        if works and kind.repair_h > 0:
            self._out(stopped, slowed, member, busy, kind.repair_h)

    def _regions(self, spans: Spans) -> list[tuple[int, Region]]:
        return [(span.pool, self._placements[span.pool].region(span)) for span in spans]

    def _strike(
        self, kind: Kind, regions: Sequence[tuple[int, Region]], works: bool, chance: float, *, one_job: bool
    ) -> None:
        """Interrupt jobs; one that is down is counted, but has nothing to lose. Spare domains have none."""
        draw, struck, hit = self._rng.random, 0, 0
        for pool, region in regions:
            if not region.job_count:
                continue
            standing = self._standings[pool]
            if one_job:
                if chance < 1 and draw() >= chance:
                    continue
                which = int(draw() * region.job_count)
                struck += int(standing.there(region.jobs)[which])
                hit += int(standing.running(region.jobs)[which])
                continue
            fated = standing.there(region.jobs)
            if chance < 1:
                fated &= self._rng.random(region.job_count) < chance
            struck += int(np.count_nonzero(fated))
            hit += int(np.count_nonzero(fated & standing.running(region.jobs)))
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

    def _domains_of(self, kind: Kind) -> Domains:
        """The pool of a part of a domain: everything that it bears on is there."""
        place = kind.stops or kind.strikes
        assert place is not None, kind.name
        return self._domains[place.spans(0, 0.0)[0].pool]

    def _out_inside(self, kind: Kind, member: int, out: dict[int, Outage]) -> None:
        """Take a part of a domain out of service, unless it is under repair."""
        if member in out:
            out[member].times += 1
            return
        if kind.repair_h <= 0:
            return
        env, domains = self._env, self._domains_of(kind)
        out[member] = domains.begin(kind, member, max(env.now, self._begin_h))

        def back(_: simpy.Event) -> None:
            outage = out.pop(member)
            domains.end(outage, max(env.now, self._begin_h))
            self._lose(outage)

        done = env.timeout(kind.repair_h)
        done.callbacks.append(back)

    def _lose(self, outage: Outage) -> None:
        """Count the hours that a part of a domain was missed, as often as it would have failed."""
        lost, item = outage.lost * outage.hours, outage.kind.item
        self._played.counted[item][HOURS] += outage.times * lost
        self._played.squares[item][HOURS] += outage.times * lost * lost

    def _book(self, kind: Kind, figure: int, amount: float, works: bool) -> None:
        self._add(kind.item, figure, amount)
        self._played.happened[figure] += amount if works else 0

    def _add(self, item: Item, figure: int, amount: float) -> None:
        self._played.counted[item][figure] += amount
        self._played.squares[item][figure] += amount * amount
