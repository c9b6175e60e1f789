"""Lines of at most 100 columns with a label column."""

from __future__ import annotations

import textwrap

WIDTH = 100
LABEL = 13


class Page:
    """Lines with a label column; long texts wrap under their own column."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def wide(self, text: str) -> None:
        """Add a line without a label."""
        self.lines += textwrap.wrap(text, WIDTH)

    def row(self, label: str, text: str) -> None:
        """Add a text beside its label; one that is too long for its column is not cut."""
        self.lines += textwrap.wrap(
            text,
            WIDTH,
            initial_indent=f"{label:<{LABEL}}" if len(label) < LABEL else f"{label}: ",
            subsequent_indent=" " * LABEL,
            break_on_hyphens=False,
        )
