"""The flips of a figure as a screen of text."""

from __future__ import annotations

import re
from collections.abc import Iterator
from textwrap import fill

from designer.breakeven.result import BreakEven, Flip, Side
from designer.report.words import goal_text, usd

_WIDTH = 100
_INDENT = " " * 13


def breakeven_screen(found: BreakEven) -> str:
    """Write what was found for people.

    Examples
    --------
    >>> from designer.breakeven.result import Span
    >>> side = Side(1.0, "infeasible", None, None, None, ())
    >>> none = BreakEven("a", "cost", "nics.n.price_usd", Span(1, 2, 3, "paper", "x"), "any", (), side, side, (), 0,
    ...     "grid", "no design", 9, 1e-3, True, 9, ())
    >>> print(breakeven_screen(none).splitlines()[1])
    FIGURE       nics.n.price_usd: 2 in the catalogue (low 1, high 3; paper, x)
    """
    lines = [f"{found.instance}: where the best design flips"]
    lines += _paragraph("FIGURE", _figure(found))
    if found.settings:
        lines += _paragraph("SET", ", ".join(found.settings))
    if found.between:
        lines += _paragraph("BETWEEN", " and ".join(found.between))
    elif found.watch != "any":
        lines += _paragraph("WATCHED", found.watch)
    lines += _paragraph("FROM", _side(found, found.start))
    for flip in found.flips:
        lines += _flip(found, flip)
    if not found.flips:
        lines += _paragraph("NO FLIP", _no_flip(found))
    lines += _paragraph("TO", _side(found, found.end))
    lines += _paragraph("METHOD", _method(found))
    for note in found.notes:
        lines += _paragraph("NOTE", note)
    return "\n".join(lines) + "\n"


def number(value: float) -> str:
    """Write a value of a figure with the digits that matter.

    Examples
    --------
    >>> number(1234567.891), number(0.012345678), number(57000.0), number(1e-9)
    ('1,234,568', '0.0123457', '57,000', '1e-09')
    """
    return f"{value:,.0f}" if abs(value) >= 1e5 else f"{value:,.6g}"


def _figure(found: BreakEven) -> str:
    span = found.figure
    if span.mid is None and span.low is None:
        return f"{found.key}: not stated by the instance, and unknown or absent in the catalogue"
    place = "instance" if span.basis == "instance" else "catalogue"
    ends = [f"{word} {number(end)}" for word, end in (("low", span.low), ("high", span.high)) if end is not None]
    origin = ", ".join(part for part in (span.basis, span.source) if part and part != "instance")
    rest = "; ".join(part for part in (", ".join(ends), origin) if part)
    middle = "unknown" if span.mid is None else number(span.mid)
    return f"{found.key}: {middle} in the {place}" + (f" ({rest})" if rest else "")


def _side(found: BreakEven, side: Side) -> str:
    return f"at {number(side.value)}: {_answer(found, side)}" + (f"; {_parts(side)}" if side.choices else "")


def _parts(side: Side) -> str:
    return ", ".join(f"{what} {value}" for what, value in side.choices)


def _answer(found: BreakEven, side: Side) -> str:
    name = f"{side.name}, " if side.name else ""
    if side.cost is None:
        why = f": {side.clash[0]}" if side.clash else ""
        return f"{name}no design ({side.status}{why})"
    bound = "no bound" if side.bound is None else f"proven bound {_exact(found, side.bound)}"
    gap = "" if side.gap is None else f", gap {max(side.gap, 0.0):.1g}"
    return f"{name}{_exact(found, side.cost)} ({bound}{gap})"


def _exact(found: BreakEven, value: float) -> str:
    """Costs beside a flip differ in their last digits: all are written."""
    return f"${value:,.0f} a year" if found.goal == "cost" else goal_text(found.goal, value)


def _flip(found: BreakEven, flip: Flip) -> Iterator[str]:
    inside = {True: "inside", False: "outside"}
    where = f"; {inside[flip.in_range]} the catalogue's low to high" if flip.in_range is not None else ""
    yield from _paragraph(
        "FLIP",
        f"at {number(flip.value)} (between {number(flip.below.value)} and {number(flip.above.value)}){where}",
    )
    rows = [("below", flip.below, flip.below_other), ("above", flip.above, flip.above_other)]
    for word, side, other in rows:
        beside = ""
        if other is not None and side.cost is not None and found.goal == "cost":
            beside = f"; the other design here {usd(other - side.cost)} a year more"
        yield from _paragraph(f"  {word}", _answer(found, side) + beside)
    for row in flip.differences:
        yield from _paragraph("  differs", f"{row.what}: {row.below} -> {row.above}")


def _no_flip(found: BreakEven) -> str:
    ends = f"from {number(found.start.value)} to {number(found.end.value)}"
    if found.start.choices == () and found.end.choices == ():
        return f"{ends}: no design at either end"
    what = f"{found.start.name} is cheaper" if found.between else "the same choices are best"
    if not found.between and found.watch != "any":
        what = f"what is watched ({found.watch}) stays the same"
    sure = "" if found.method == "lines" else ", as far as the values that were solved show"
    return f"{ends} {what}{sure}"


def _method(found: BreakEven) -> str:
    if found.method == "lines":
        more = f"; {found.unwatched} more changes of what is not watched" if found.unwatched else ""
        return f"{found.reason}, so these are all flips of the range; {found.solves} solves{more}"
    return (
        f"{found.reason}; {found.points} values solved, changes between neighbours bisected to a relative width of "
        f"{found.width:g}: a flip and its way back between two neighbours would be missed; {found.solves} solves"
    )


def _paragraph(head: str, text: str) -> Iterator[str]:
    # The choices of one side are joined by commas: a line may end between them.
    text = re.sub(r",(?=\w+=)", ", ", text)
    lines = fill(text, _WIDTH, initial_indent=f"{head:<13}", subsequent_indent=_INDENT, break_on_hyphens=False)
    yield from lines.splitlines()
