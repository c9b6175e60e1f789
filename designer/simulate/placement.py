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
    fills whole ones from the first on. What is left of a domain is idle.
    """

    accelerators: int
    per_job: int
    starts: tuple[int, ...]
    ends: tuple[int, ...]

    @classmethod
    def of(cls, pool: PoolDesign) -> Placement:
        """Place the jobs of a pool."""
        size, per_job = pool.domain_size, pool.plan.accelerators_per_replica
        block = size * -(-per_job // size)
        firsts = range(0, pool.domains * size - block + 1, block)
        starts = tuple(first + job * per_job for first in firsts for job in range(block // per_job))
        return cls(pool.domains * size, per_job, starts, tuple(start + per_job for start in starts))

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
    """What is out of service in one pool at a moment, and the accelerator-hours lost up to it."""

    def __init__(self, placement: Placement, since_h: float) -> None:
        self._out: NDArray[Any] = np.zeros(placement.accelerators, dtype=np.int32)
        self._stopped: NDArray[Any] = np.zeros(len(placement.starts), dtype=np.int32)
        self._accelerators = placement.accelerators
        self._still = 0
        self._missing = 0.0
        self._since_h = since_h
        self.lost_h = 0.0

    def running(self, jobs: Where) -> NDArray[Any]:
        """For each of some jobs, whether it runs."""
        running: NDArray[Any] = self._stopped[jobs] == 0
        return running

    def stop(self, region: Region, now_h: float) -> None:
        """Take a region out of service; what is out already loses nothing more."""
        self.settle(now_h)
        view = self._out[region.accelerators] + 1
        self._out[region.accelerators] = view
        self._still += int(np.count_nonzero(view == 1))
        self._stopped[region.jobs] += 1

    def start(self, region: Region, now_h: float) -> None:
        """Put it back."""
        self.settle(now_h)
        view = self._out[region.accelerators] - 1
        self._out[region.accelerators] = view
        self._still -= int(np.count_nonzero(view == 0))
        self._stopped[region.jobs] -= 1

    def slow(self, accelerators: float, now_h: float) -> None:
        """Change the bandwidth that is missing, in accelerators' worth of it."""
        self.settle(now_h)
        self._missing += accelerators

    def settle(self, now_h: float) -> None:
        """Book what has been lost since the last change: those that stand still have no use for the bandwidth."""
        if now_h > self._since_h:
            up = self._accelerators - self._still
            missing = max(0.0, min(self._missing, self._accelerators)) * up / self._accelerators
            self.lost_h += (self._still + missing) * (now_h - self._since_h)
            self._since_h = now_h
