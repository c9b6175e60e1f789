"""Tables on stdout: for people on a terminal, tab-separated for other tools."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence


def print_table(title: str, rows: Sequence[Mapping[str, str]]) -> None:
    """Print rows as a table; into a pipe as tab-separated lines, which other tools can read."""
    if not rows:
        return
    if not sys.stdout.isatty():
        print(f"# {title}")
        print("\t".join(rows[0]))
        for row in rows:
            print("\t".join(row.values()))
        return
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(title=title, title_justify="left", header_style="bold")
    for column in rows[0]:
        table.add_column(column, overflow="fold")
    for row in rows:
        # Text, not markup: a note may contain square brackets.
        table.add_row(*(Text(cell) for cell in row.values()))
    Console().print(table)
