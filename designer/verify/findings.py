"""What the verifier objects to, in one shape."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction


@dataclass(frozen=True)
class Finding:
    """One broken rule of ``docs/rules.md``.

    Parameters
    ----------
    rule
        Stable short name of the rule, for example ``leaf_ports``.
    place
        Where: the pool, boundary or stage.
    stated
        What the design says.
    recounted
        What the rules give, or the limit that is broken.
    message
        The rule in one sentence.

    Examples
    --------
    >>> str(Finding("leaf_ports", "pool chat", "1.2", "at most 1", "the ports of a leaf do not suffice"))
    'leaf_ports: pool chat: the ports of a leaf do not suffice: stated 1.2, recounted at most 1'
    """

    rule: str
    place: str
    stated: str
    recounted: str
    message: str

    def __str__(self) -> str:
        return f"{self.rule}: {self.place}: {self.message}: stated {self.stated}, recounted {self.recounted}"


class UncountableError(Exception):
    """The design is broken so badly that nothing can be counted; the findings say why."""


def said(value: object) -> str:
    """Write a value the way a user reads it: exact fractions as decimals where they end.

    Examples
    --------
    >>> said(Fraction(5, 4)), said(Fraction(2, 3)), said(Fraction(7)), said("x")
    ('1.25', '0.6666666666666666', '7', 'x')
    """
    if isinstance(value, Fraction):
        return str(value.numerator) if value.denominator == 1 else repr(float(value))
    return str(value)


class Findings:
    """Collects findings; every check reports here and goes on, so one look shows all that is wrong.

    Examples
    --------
    >>> found = Findings()
    >>> found.equal("cables", "boundary a", 3, 4, "cables")
    False
    >>> [finding.rule for finding in found.rows]
    ['cables']
    """

    def __init__(self) -> None:
        self.rows: list[Finding] = []

    def add(self, rule: str, place: str, stated: object, recounted: object, message: str) -> None:
        """Report one broken rule."""
        self.rows.append(Finding(rule, place, said(stated), said(recounted), message))

    def holds(self, rule: str, place: str, holds: bool, stated: object, recounted: object, message: str) -> bool:
        """Report the rule unless it holds; return whether it does."""
        if not holds:
            self.add(rule, place, stated, recounted, message)
        return holds

    def equal(self, rule: str, place: str, stated: object, recounted: object, message: str) -> bool:
        """Report the rule unless the stated value is the recounted one."""
        return self.holds(rule, place, stated == recounted, stated, recounted, message)
