"""The command line: thin commands over the library, and the exit codes they end with."""

from __future__ import annotations

import io
import os
import sys
from pathlib import Path


def main() -> None:
    """Run the command line (the ``designer`` script)."""
    if sys.stdout is None:  # closed by the caller (`>&-`)
        sys.stdout = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115
    # A title may hold any character; a terminal may not know all of them.
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")
    interrupted = 130
    try:
        # Inside the try: Ctrl-C may come while modules are still loading.
        from designer.cli.app import app

        app(prog_name="designer")
    except KeyboardInterrupt:
        sys.stderr.write("interrupted\n")
    except SystemExit as end:
        if end.code != interrupted:
            raise
    else:
        return
    # CPython kills itself by the signal, whatever the exit code, if Ctrl-C struck inside exec() (as imports do).
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(interrupted)
