"""Where the accelerators of a pool stand and which job each one runs; what is out of service at a moment."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from designer.design.types import PoolDesign

Where = slice | NDArray[np.int64]


class Span(NamedTuple):
    """Accelerators ``lo``, ``lo + step``, ... below ``hi`` of the pool with this number."""

    pool: int
    lo: int
    hi: int
    step: int = 1

    @property
    def width(self) -> int:
        """How many they are.

        Examples
        --------
        >>> Span(0, 1, 16, 8).width, Span(0, 0, 8).width
        (2, 8)
        """
        return max(0, -(-(self.hi - self.lo) // self.step))


class Region(NamedTuple):
    """The jobs that touch a span, and the accelerators that stand still with it: the span's and all of those jobs."""

    accelerators: Where
    jobs: Where
    job_count: int
    size: int


@dataclass(frozen=True)
class Placement:
    """Jobs of one pool side by side in its domains, as many as fit (the last ones serve more than the demand).

    ``starts`` and ``ends`` are their first accelerators and the ones behind their last; a job lies in one domain, or
    fills whole ones from the first on. What is left of a domain is idle. The last ``spares`` of the units of
    ``unit_size`` accelerators begin without jobs; 0 accelerators a unit or domain: all of the pool.
    """

    accelerators: int
    per_job: int
    starts: tuple[int, ...]
    ends: tuple[int, ...]
    per_unit: int = 0
    per_domain: int = 0
    spares: int = 0

    @property
    def unit_size(self) -> int:
        """Accelerators of a unit: a domain, or the domains of a job that fills several."""
        return self.per_unit or self.accelerators

    @property
    def domain_size(self) -> int:
        """Accelerators of a domain."""
        return self.per_domain or self.accelerators

    @property
    def units(self) -> int:
        """Units of the pool."""
        return -(-self.accelerators // self.unit_size)

    @classmethod
    def of(cls, pool: PoolDesign) -> Placement:
        """Place the jobs of a pool."""
        size, per_job = pool.domain_size, pool.plan.accelerators_per_replica
        block = size * -(-per_job // size)
        firsts = range(0, pool.domains * size - block + 1, block)
        starts = tuple(first + job * per_job for first in firsts for job in range(block // per_job))
        ends = tuple(start + per_job for start in starts)
        return cls(pool.domains * size, per_job, starts, ends, block, size, pool.spare_domains * size // block)

    def region(self, span: Span) -> Region:
        """Find the jobs that a span touches.

        Examples
        --------
        Two domains of 12 with a job of 8 each; four accelerators of each are idle.

        >>> place = Placement(24, 8, (0, 12), (8, 20))
        >>> place.region(Span(0, 4, 8)), place.region(Span(0, 8, 12)).job_count
        (Region(accelerators=slice(0, 8, None), jobs=slice(0, 1, None), job_count=1, size=8), 0)
        >>> place.region(Span(0, 8, 16))
        Region(accelerators=slice(8, 20, None), jobs=slice(1, 2, None), job_count=1, size=12)
        """
        _, low, high, step = span
        if step > 1 and span.width > 1:
            return self._sparse(span)
        high = min(high, low + 1) if step > 1 else high
        first, last = bisect_right(self.ends, low), bisect_left(self.starts, high)
        if last <= first:
            return Region(slice(low, high), slice(0, 0), 0, high - low)
        low, high = min(low, self.starts[first]), max(high, self.ends[last - 1])
        return Region(slice(low, high), slice(first, last), last - first, high - low)

    def _sparse(self, span: Span) -> Region:
        members = np.arange(span.lo, span.hi, span.step)
        starts = np.asarray(self.starts, dtype=np.int64)
        jobs = np.searchsorted(starts, members, side="right") - 1
        ends = np.asarray(self.ends, dtype=np.int64)
        jobs = np.unique(jobs[(jobs >= 0) & (members < ends[jobs])])
        whole = (starts[jobs][:, None] + np.arange(self.per_job)).ravel()
        accelerators = np.union1d(whole, members)
        return Region(accelerators, jobs, len(jobs), len(accelerators))


class Standing:
    """What is out of service in one pool at a moment, and the accelerator-hours lost up to it.

    Units without jobs lose nothing, whatever is out in them.
    """

    def __init__(self, placement: Placement, since_h: float) -> None:
        self._out: NDArray[Any] = np.zeros(placement.accelerators, dtype=np.int32)
        self._stopped: NDArray[Any] = np.zeros(len(placement.starts), dtype=np.int32)
        self._accelerators = placement.accelerators
        self._size, units = placement.unit_size, placement.units
        self._spared = placement.spares > 0
        self._runs: NDArray[Any] = np.arange(units) < units - placement.spares
        self._unit_of_job: NDArray[Any] = np.asarray(placement.starts, dtype=np.int64) // self._size
        self._still_in: NDArray[Any] = np.zeros(units, dtype=np.int64)
        # Units are alike, so as many accelerators have work to do at any time.
        self._working = min(placement.accelerators, (units - placement.spares) * self._size)
        self._still = 0
        self._missing = 0.0
        self._since_h = since_h
        self.lost_h = 0.0

    @property
    def working_share(self) -> float:
        """Share of the accelerators that have jobs to run: not the spare ones."""
        return self._working / self._accelerators

    def running(self, jobs: Where) -> NDArray[Any]:
        """For each of some places of jobs, whether there is one and it runs."""
        running: NDArray[Any] = self._stopped[jobs] == 0
        return running & self.there(jobs) if self._spared else running

    def there(self, jobs: Where) -> NDArray[Any]:
        """For each of some places of jobs, whether there is one: spare units have none."""
        there: NDArray[Any] = self._runs[self._unit_of_job[jobs]]
        return there

    def in_use(self, region: Region) -> int:
        """Accelerators of a region in units with jobs."""
        if not self._spared:
            return region.size
        return int(np.count_nonzero(self._runs[self._numbers(region.accelerators) // self._size]))

    def stop(self, region: Region, now_h: float) -> None:
        """Take a region out of service; what is out already loses nothing more."""
        self.settle(now_h)
        view = self._out[region.accelerators] + 1
        self._out[region.accelerators] = view
        self._count(region.accelerators, view == 1, 1)
        self._stopped[region.jobs] += 1

    def start(self, region: Region, now_h: float) -> None:
        """Put it back."""
        self.settle(now_h)
        view = self._out[region.accelerators] - 1
        self._out[region.accelerators] = view
        self._count(region.accelerators, view == 0, -1)
        self._stopped[region.jobs] -= 1

    def slow(self, accelerators: float, now_h: float) -> None:
        """Change the bandwidth that is missing, in accelerators' worth of it."""
        self.settle(now_h)
        self._missing += accelerators

    def hold(self, unit: int, runs: bool, now_h: float) -> None:
        """Give a unit jobs to run, or take them away."""
        self.settle(now_h)
        self._runs[unit] = runs
        self._still += int(self._still_in[unit]) * (1 if runs else -1)

    def settle(self, now_h: float) -> None:
        """Book what has been lost since the last change: those that stand still have no use for the bandwidth."""
        if now_h > self._since_h:
            missing = max(0.0, min(self._missing, self._accelerators)) * (self._working - self._still)
            self.lost_h += (self._still + missing / self._accelerators) * (now_h - self._since_h)
            self._since_h = now_h

    def _count(self, where: Where, changed: NDArray[Any], sign: int) -> None:
        if not self._spared:
            self._still += sign * int(np.count_nonzero(changed))
            return
        units = np.bincount(self._numbers(where)[changed] // self._size, minlength=self._still_in.size)
        self._still_in += sign * units
        self._still += sign * int(units[self._runs].sum())

    @staticmethod
    def _numbers(where: Where) -> NDArray[Any]:
        return np.arange(where.start, where.stop) if isinstance(where, slice) else where
