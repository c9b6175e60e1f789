"""The command line: thin commands over the library, and the exit codes they end with."""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command line (the ``designer`` script)."""
    try:
        # Inside the try: Ctrl-C may come while modules are still loading.
        from designer.cli.app import app

        app(prog_name="designer")
    except KeyboardInterrupt:
        sys.stderr.write("interrupted\n")
        raise SystemExit(130) from None
