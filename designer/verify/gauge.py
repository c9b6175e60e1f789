"""Reads figures of the catalogue as exact numbers, and says which ones are missing."""

from __future__ import annotations

from fractions import Fraction
from typing import NoReturn

from designer.catalogue import Figure
from designer.instance.schema import Level
from designer.verify.exact import exact
from designer.verify.findings import Findings, UncountableError


class Gauge:
    """Reads figures at one level; an unknown figure is a finding, never a silent zero.

    Examples
    --------
    >>> gauge = Gauge(Findings(), "mid")
    >>> gauge.read(Figure.model_validate(0.1), "switch x", "power_w")
    Fraction(1, 10)
    >>> gauge.read(Figure.model_validate("unknown"), "switch x", "price_usd")
    Fraction(0, 1)
    >>> [str(finding) for finding in gauge.found.rows]
    ['figure_unknown: switch x: the rules need price_usd: stated unknown, recounted a number']
    """

    def __init__(self, found: Findings, level: Level) -> None:
        self.found = found
        self.level: Level = level
        self.missing = False

    def read(self, figure: Figure | None, part: str, name: str) -> Fraction:
        """Return the figure; if it is unknown, report it and return a zero that nobody may use."""
        value = None if figure is None else figure.at(self.level)
        if value is None:
            self._lack("figure_unknown", part, "unknown", "a number", f"the rules need {name}")
            return Fraction(0)
        return exact(value)

    def unknown(self, part: str, name: str) -> NoReturn:
        """Report that something other than a figure is not known, and give up on the part."""
        self._lack("figure_unknown", part, "unknown", "a part", f"the rules need {name}")
        raise UncountableError(part)

    def least_zero(self, value: Fraction, part: str, name: str) -> Fraction:
        """Report a figure below zero: what remains of a price must be a price."""
        if value < 0:
            self._lack("figure_negative", part, value, "at least 0", name)
        return value

    def whole(self, figure: Figure | None, part: str, name: str) -> int:
        """Return a figure that counts things."""
        value = self.read(figure, part, name)
        if value.denominator != 1:
            self._lack("figure_whole", part, value, "a whole number", f"{name} counts things")
        return int(value)

    def _lack(self, rule: str, part: str, stated: object, wanted: str, message: str) -> None:
        self.missing = True
        self.found.add(rule, part, stated, wanted, message)
