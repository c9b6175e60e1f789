"""Progress on stderr: one live line on a terminal, plain lines elsewhere."""

from __future__ import annotations

import sys
from types import TracebackType
from typing import TYPE_CHECKING, Self, TextIO

if TYPE_CHECKING:
    from rich.live import Live

    from designer.answer import Progress

# Not a terminal: a line for every better design, and one now and then that the solver is alive.
_PLAIN_SECONDS = 30.0


class ProgressLine:
    """Shows bound, incumbent and gap as they move; a context manager whose `show` is called by the solver.

    Parameters
    ----------
    stream
        Where to write; stderr by default, because stdout is for data.
    quiet
        Show nothing.
    """

    def __init__(self, stream: TextIO | None = None, *, quiet: bool = False) -> None:
        """Choose the stream; nothing is shown before the context is entered."""
        self._stream = stream or sys.stderr
        self._quiet = quiet
        self._live: Live | None = None
        self._last_incumbent: float | None = None
        self._last_seconds = -_PLAIN_SECONDS

    def __enter__(self) -> Self:
        """Open the live line where there is a terminal."""
        if not self._quiet and self._stream.isatty():
            from rich.console import Console
            from rich.live import Live

            console = Console(file=self._stream, highlight=False)
            self._live = Live("reading the candidates ...", console=console, transient=True)
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Clear the live line."""
        if self._live is not None:
            self._live.stop()

    def show(self, progress: Progress) -> None:
        """Take one report of the solver."""
        if self._quiet:
            return
        if self._live is not None:
            self._live.update(progress_text(progress))
            return
        better = progress.incumbent is not None and progress.incumbent != self._last_incumbent
        if better or progress.seconds - self._last_seconds >= _PLAIN_SECONDS:
            self._last_incumbent, self._last_seconds = progress.incumbent, progress.seconds
            self._stream.write(progress_text(progress) + "\n")
            self._stream.flush()


def progress_text(progress: Progress) -> str:
    """Write one line of progress: money a year, or the goal in its own unit.

    Examples
    --------
    >>> from designer.answer import Progress
    >>> progress_text(Progress(2.5, 1.2e9, 1.1e9, 0.083))
    '   2.5 s  best $1,200,000,000/year  bound $1,100,000,000/year  gap 8.3%'
    >>> progress_text(Progress(0.1, None, None, None))
    '   0.1 s  best none yet  bound none yet'
    >>> progress_text(Progress(1.0, 5.2e6, 5.2e6, 0.0, "power"))
    '   1.0 s  best 5.2 MW  bound 5.2 MW  gap 0%'
    """
    best = "none yet" if progress.incumbent is None else _goal_text(progress.goal, progress.incumbent)
    bound = "none yet" if progress.bound is None else _goal_text(progress.goal, progress.bound)
    gap = "" if progress.gap is None else f"  gap {100 * progress.gap:.2g}%"
    return f"{progress.seconds:6.1f} s  best {best}  bound {bound}{gap}"


def _goal_text(goal: str, value: float) -> str:
    if goal == "cost":
        return f"${value:,.0f}/year"
    if goal == "capex":
        return f"${value:,.0f}"
    if goal == "power":
        return f"{value / 1e6:,.6g} MW"
    return f"{value:,.6g} {goal.replace('_', ' ')}/year"
