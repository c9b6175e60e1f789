"""The screen of a given design beside the optimum: what it serves, where the two differ, what its choices are worth."""

from __future__ import annotations

from collections.abc import Sequence

from designer.beside.result import Beside, PoolServed, Row, Used, Worth
from designer.report.screen import Page
from designer.report.words import GOAL_WORDS, goal_text, usd

_MAX_POOLS = 4
_MAX_USES = 8
_MAX_NOTES = 6
_MAX_WORDS = 34
_TOO_MUCH = 1 + 1e-9
_MANIFOLD = 10


def beside_screen(found: Beside) -> str:
    """Write a comparison as plain text; tables may be wider than 100 columns.

    Parameters
    ----------
    found
        The given design beside the optimum.
    """
    page = Page()
    head = f"{found.name}: {found.title} ({found.design.file})"
    if found.replaced:
        head += f"; {', '.join(found.replaced)} as the instance says, not as the file does"
    page.row("BESIDE", head)
    if not found.ok:
        page.row("", "its networks are not what their closed form counts: see designer evaluate")
    _serves(page, found)
    _rows(page, found.rows)
    _worth(page, found)
    for note in (*found.serving.notes, *found.notes)[:_MAX_NOTES]:
        page.row("NOTE", note)
    return "\n".join(page.lines) + "\n"


def _serves(page: Page, found: Beside) -> None:
    serving = found.serving
    if serving.share is None:
        page.row("SERVES", f"cannot be said: {serving.why_not}")
    else:
        words = "the demand" if len(serving.pools) == 1 else "every demand"
        text = f"{serving.share:.1%} of {words}" if serving.share < 1 else f"{serving.share:,.4g} times {words}"
        page.row("SERVES", f"{text}: {'; '.join(_pool(row) for row in serving.pools[:_MAX_POOLS])}")
        if len(serving.pools) > _MAX_POOLS:
            page.row("", f"... and {len(serving.pools) - _MAX_POOLS} more pools (result.json)")
    # Limits and accelerators first, then what is used most.
    uses = sorted(serving.uses, key=lambda row: (":" in row.what, -(row.share or 0.0)))
    uses = [row for row in uses if row.used]
    if uses:
        page.row("USED", "; ".join(_used(row) for row in uses[:_MAX_USES]))


def _pool(row: PoolServed) -> str:
    if row.plan is None:
        return f"{row.pool} nothing: {row.why_not}"
    unit = "accelerators" if row.plan.phase == "fleet" else "tokens/s"
    domains = f"{row.domains:,} domain{'s' if row.domains != 1 else ''} of {row.plan.domain_size}"
    replicas = f"{row.replicas:,} x {row.plan.accelerators_per_replica}"
    return f"{row.pool} {row.served:,.0f} of {row.asked:,.0f} {unit} on {domains} ({replicas})"


def _used(row: Used) -> str:
    share = "more than there is" if row.share is None else f"{row.share:.1%}"
    too_much = ", TOO MUCH" if row.share is None or row.share > _TOO_MUCH else ""
    return f"{row.what} {_amount(row.used)} of {_amount(row.of)} {row.unit} ({share}{too_much})"


def _rows(page: Page, rows: Sequence[Row]) -> None:
    differing = [row for row in rows if row.difference != 0.0]
    alike = len(rows) - len(differing)
    if not differing:
        page.row("DIFFERS", f"in nothing: {alike} of {alike} figures are equal")
        return
    page.row("DIFFERS", f"in {len(differing)} of {len(rows)} figures:")
    cells = [("", "unit", "optimum", "given", "difference", "")]
    for row in differing:
        given = "not known" if row.given is None else _amount(row.given)
        if row.given is None and row.known:
            # What fails besides can only take from a share of the time.
            given = f"at most {_amount(row.known)}" if row.unit == "share" else f"{_amount(row.known)} + ?"
        optimum = "none" if row.optimum is None else _amount(row.optimum)
        difference = "" if row.difference is None else _amount(row.difference, sign=True)
        cells.append((row.what, row.unit, optimum, given, difference, _share(row.relative)))
    page.lines += _table(cells, left=2)
    missing = tuple(dict.fromkeys(name for row in rows for name in row.missing))
    if missing:
        more = f"; ... {len(missing) - _MAX_POOLS} more" if len(missing) > _MAX_POOLS else ""
        page.row("NOT KNOWN", "; ".join(missing[:_MAX_POOLS]) + more)


def _worth(page: Page, found: Beside) -> None:
    if found.shared:
        page.row("ALIKE", ", ".join(found.shared))
    if found.together is None:
        page.row("WORTH", "there is no optimum to price its choices against")
    else:
        page.row("WORTH", "each choice alone against the optimum, everything else chosen anew; then all of them:")
        cells = [("", "given", "optimum", "a year more", "")]
        rows = (*found.worth, found.together)
        cells += [(row.what, _short(row.given), _short(row.optimum), _more(row), _share(row.relative)) for row in rows]
        page.lines += _table(cells, left=3)
        said: dict[str, list[str]] = {}
        for row in rows:
            for line in dict.fromkeys((*row.clash, *row.notes)):
                said.setdefault(line, []).append(row.what)
        for line, choices in said.items():
            page.row("    -", f"{line} ({'; '.join(choices)})")
    for apart in found.apart:
        page.row("NOT PRICED", f"{apart.what}: {apart.reason}")


def _more(row: Worth) -> str:
    if row.more_usd is None:
        return "impossible" if row.outcome == "impossible" else "no answer in time"
    text = "$0" if row.more_usd == 0 else f"{'+' if row.more_usd > 0 else ''}{usd(row.more_usd)}"
    if row.goal != "cost" and row.more_of_goal is not None:
        plus = "+" if row.more_of_goal >= 0 else ""
        text += f", {GOAL_WORDS[row.goal]} {plus}{goal_text(row.goal, row.more_of_goal)}"
    if row.multiplier is not None:
        text += f" at {row.multiplier:.4g} x the demand"
    return text if row.proven else f"{text} (not proven)"


def _short(text: str) -> str:
    return text if len(text) <= _MAX_WORDS else text[: _MAX_WORDS - 3] + "..."


def _share(value: float | None) -> str:
    if value is None:
        return ""
    if abs(value) >= _MANIFOLD:
        return f"{100 * value:+,.0f} %"
    return "0 %" if value == 0 else f"{100 * value:+.3g} %"


def _amount(value: float, *, sign: bool = False) -> str:
    mark = "+" if sign else ""
    return f"{value:{mark},.0f}" if abs(value) >= 1000 or value == int(value) else f"{value:{mark},.4g}"


def _table(cells: Sequence[tuple[str, ...]], left: int) -> list[str]:
    """Columns of equal width; the first ``left`` are texts."""
    widths = [max(len(row[column]) for row in cells) for column in range(len(cells[0]))]
    return [
        "  "
        + "  ".join(
            cell.ljust(width) if column < left else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in cells
    ]
