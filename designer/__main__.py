"""``python -m designer``: the command line."""

from __future__ import annotations

from designer.cli import main

if __name__ == "__main__":
    main()
