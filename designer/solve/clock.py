"""Phases timed, and the time that is left."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from designer.answer import Phase


@dataclass
class Clock:
    """Wall and CPU seconds of the phases of one solve; a phase that comes back is added up."""

    phases: list[Phase] = field(default_factory=list)

    @contextmanager
    def phase(self, name: str) -> Iterator[None]:
        """Time the body of a ``with`` statement as one phase."""
        wall, cpu = time.perf_counter(), time.process_time()
        try:
            yield
        finally:
            self._add(Phase(name, time.perf_counter() - wall, time.process_time() - cpu))

    def _add(self, phase: Phase) -> None:
        for index, known in enumerate(self.phases):
            if known.name == phase.name:
                self.phases[index] = Phase(phase.name, known.wall_s + phase.wall_s, known.cpu_s + phase.cpu_s)
                return
        self.phases.append(phase)


@dataclass(frozen=True)
class Deadline:
    """When to stop, on the monotonic clock (infinite: never).

    Examples
    --------
    >>> Deadline.after(None).left is None, Deadline.after(None).over
    (True, False)
    >>> Deadline.after(0.0).over, Deadline.after(None).within(60.0).left <= 60.0
    (True, True)
    """

    at: float = math.inf

    @classmethod
    def after(cls, seconds: float | None) -> Deadline:
        """Count from now; None is no limit."""
        return cls() if seconds is None else cls(time.monotonic() + seconds)

    def within(self, seconds: float) -> Deadline:
        """The earlier of this and ``seconds`` from now."""
        return Deadline(min(self.at, time.monotonic() + seconds))

    @property
    def left(self) -> float | None:
        """Seconds left, at least 0 (None: no limit)."""
        return None if self.at == math.inf else max(self.at - time.monotonic(), 0.0)

    @property
    def over(self) -> bool:
        """Whether it has passed."""
        return self.left == 0.0
