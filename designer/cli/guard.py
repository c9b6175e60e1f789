"""What every command has around it: mistakes become messages and exit codes, never tracebacks."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from designer.cli.codes import ExitCode
from designer.problems import InputError


@contextmanager
def guarded() -> Iterator[None]:
    """Turn the errors of a command into a message on stderr and an exit code.

    With ``DESIGNER_TRACEBACK=1`` a defect of the program shows its traceback.

    Examples
    --------
    >>> from designer.problems import Problem
    >>> try:
    ...     with guarded():
    ...         raise InputError([Problem("a.toml", "site.pue", "-1", "allowed: at least 1")])
    ... except SystemExit as end:
    ...     end.code
    <ExitCode.BAD_INPUT: 2>
    """
    try:
        yield
    except InputError as error:
        say(f"error: {len(error.problems)} mistake{'s' if len(error.problems) > 1 else ''} in the input")
        for problem in error.problems:
            say(f"  {problem}")
        raise SystemExit(ExitCode.BAD_INPUT) from None
    except KeyboardInterrupt:
        say("interrupted")
        raise SystemExit(ExitCode.INTERRUPTED) from None
    except BrokenPipeError:
        # The reader of stdout has gone (`designer ... | head`): nobody is left to tell.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise SystemExit(ExitCode.INTERNAL_ERROR) from None
    except OSError as error:
        say(f"error: {error.filename or 'system'}: {error.strerror or error}")
        raise SystemExit(ExitCode.BAD_INPUT) from None
    except Exception as error:
        if os.environ.get("DESIGNER_TRACEBACK"):
            raise
        say(f"internal error: {type(error).__name__}: {error}")
        say("This is a defect of tokenfabric; please report it with the output of DESIGNER_TRACEBACK=1.")
        raise SystemExit(ExitCode.INTERNAL_ERROR) from None


def say(text: str) -> None:
    """Write one line of prose to stderr."""
    sys.stderr.write(text + "\n")
