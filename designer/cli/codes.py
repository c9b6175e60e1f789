"""Exit codes of the command line."""

from __future__ import annotations

from enum import IntEnum


class ExitCode(IntEnum):
    """What the exit code of a command means.

    Examples
    --------
    >>> int(ExitCode.INFEASIBLE), ExitCode.INFEASIBLE.meaning
    (3, 'no design exists: the clashing demands and limits are named')
    """

    SOLVED = 0
    INTERNAL_ERROR = 1
    BAD_INPUT = 2
    INFEASIBLE = 3
    NO_ANSWER_IN_TIME = 4
    REFUTED = 5
    INTERRUPTED = 130

    @property
    def meaning(self) -> str:
        """The meaning in the words of the README and of ``--help``."""
        return _MEANING[self]


_MEANING = {
    ExitCode.SOLVED: "solved: optimal within the gap, or the best design known at the time limit",
    ExitCode.INTERNAL_ERROR: "a defect of the program",
    ExitCode.BAD_INPUT: "bad input: every mistake is named with its file and key",
    ExitCode.INFEASIBLE: "no design exists: the clashing demands and limits are named",
    ExitCode.NO_ANSWER_IN_TIME: "time limit reached before any design was known",
    ExitCode.REFUTED: "the recount or the flow check contradicts the design",
    ExitCode.INTERRUPTED: "interrupted (Ctrl-C); the best design known is written and marked",
}
