"""The screen of a forced choice: what it costs against the optimum."""

from __future__ import annotations

from collections.abc import Sequence

from designer.report.page import Page
from designer.report.result import Result
from designer.report.words import usd
from designer.solve.why_not import Difference, WhyNot

_NOISE = 1e-9


def compare_screen(why: WhyNot, optimum: Result, forced: Result) -> str:
    """Write the screen of one comparison as plain text of at most 100 columns.

    Parameters
    ----------
    why
        The two answers and what lies between them.
    optimum, forced
        The same answers with their key figures.
    """
    page = Page()
    page.wide(f"{optimum.instance.name}: why not {', '.join(why.forces)}?")
    page.row("VERDICT", verdict(why))
    for note in why.notes:
        page.row("NOTE", note)
    page.row("OPTIMUM", _design(optimum))
    page.row("FORCED", _design(forced))
    if forced.design is None:
        for line in forced.clash:
            page.row("    -" if line.startswith(" ") else "  *", line.strip())
    if why.differences:
        page.lines.append("")
        page.lines += _table(why.differences)
    return "\n".join(page.lines) + "\n"


def verdict(why: WhyNot) -> str:
    """Say in one sentence what the forced choice does."""
    if why.forced.objective_usd is None:
        words = {"infeasible": "it cannot be built", "limit": "no design was known when the time was up"}
        return words.get(why.forced.status, "interrupted before any design was known")
    if why.optimum.objective_usd is None:
        return f"only with it is there a design known: {usd(why.forced.objective_usd)} a year"
    more, least = why.forced.objective_usd - why.optimum.objective_usd, why.optimum.objective_usd
    tail = ""
    if why.forced.status != "optimal" or why.optimum.status != "optimal":
        tail = " (not both proven optimal)"
    if why.idle:
        return f"it asks for nothing: the design has no such place{tail}"
    if why.forced.design == why.optimum.design:
        return f"the optimum has it already{tail}"
    if abs(more) <= _NOISE * least:
        return f"it costs the same{tail}"
    if more < 0:
        return (
            f"it saves {usd(-more)} a year ({-more / least:.3g} of all), which the question itself does not allow{tail}"
        )
    return f"it costs {usd(more)} a year more ({100 * more / least:.3g} %){tail}"


def _design(result: Result) -> str:
    design, account = result.design, result.account
    if design is None or account is None:
        return f"none ({result.status})"
    fleet = "; ".join(
        f"{pool.name}: {pool.domains:,} domains of {pool.domain_size} {pool.accelerator}, "
        f"{pool.scale_up.switch or pool.scale_up.kind}"
        for pool in design.pools[:3]
    )
    boxes = " and ".join(
        ("" if fabric.shape == "tree" else f"{fabric.shape} of ")
        + ", ".join(f"{stage.count:,} {stage.switch}" for stage in fabric.stages)
        for fabric in design.fabrics
    )
    links = dict.fromkeys(
        name
        for boundary in (
            *(pool.nic_leaf for pool in design.pools),
            *(boundary for fabric in design.fabrics for boundary in fabric.boundaries),
        )
        for name in (boundary.lower_link, boundary.upper_link)
    )
    return f"{usd(account.objective_usd)} a year; {fleet}; {boxes}; {', '.join(links)}"


def _table(rows: Sequence[Difference]) -> list[str]:
    head = ("", "unit", "optimum", "forced", "difference")
    cells = [
        head,
        *((row.what, row.unit, *(_amount(x) for x in (row.optimum, row.forced, row.difference))) for row in rows),
    ]
    widths = [max(len(row[column]) for row in cells) for column in range(len(head))]
    return [
        "  ".join(
            cell.ljust(width) if column < 2 else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in cells
    ]


def _amount(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 1000 or value == int(value) else f"{value:,.4g}"
