"""What a user reads when an input is wrong: which file and key, what was read, what is allowed, what to do.

Every reader of the package (catalogue, overlay, instance, measured points, design) collects *all* its
mistakes as :class:`Problem` rows and raises one :class:`InputError`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Problem:
    """One mistake in an input.

    Parameters
    ----------
    file
        The file as the user named it.
    key
        Dotted path to the value, for example ``workloads[0].tpot_ms``; empty for the file as a whole.
    read
        What was found there.
    allowed
        What may stand there, or what to do.
    """

    file: str
    key: str
    read: str
    allowed: str

    def __str__(self) -> str:
        where = f"{self.file}: {self.key}" if self.key else self.file
        return f"{where}: read {self.read}; {self.allowed}"


class InputError(Exception):
    """All mistakes of one input, reported at once (exit code 2 on the command line).

    Examples
    --------
    >>> str(InputError([Problem("a.toml", "site.pue", "-1", "allowed: a number of at least 1")]))
    'a.toml: site.pue: read -1; allowed: a number of at least 1'
    """

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems: tuple[Problem, ...] = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))
