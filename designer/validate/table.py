"""Published figures beside computed ones: the table of ``designer validate`` and of the documentation."""

from __future__ import annotations

import textwrap
from collections import Counter
from collections.abc import Iterable, Sequence

from designer.validate.run import Row

HEADER = ("case", "source", "figure", "published", "computed", "verdict")
# Names of papers are long; the table says which, not all of where.
_WIDTHS = {"source": 38, "figure": 52}


def cells(rows: Iterable[Row]) -> list[tuple[str, ...]]:
    """One tuple of texts per row, in the order of `HEADER`.

    Examples
    --------
    >>> row = Row("A", "Paper", "switches", 96.0, None, "equal", 0.0, 96.0, "agrees", "")
    >>> cells([row])
    [('A', 'Paper', 'switches', '96', '96', 'agrees')]
    """
    return [
        (
            row.case,
            textwrap.shorten(row.source, _WIDTHS["source"], placeholder=" ..."),
            textwrap.shorten(row.what, _WIDTHS["figure"], placeholder=" ..."),
            _published(row),
            _computed(row),
            row.verdict,
        )
        for row in rows
    ]


def notes(rows: Iterable[Row]) -> list[str]:
    """Why rows differ, cannot be computed or are cheaper than published, one line each, in the order of the cases.

    What is remarked of a whole case stands before its rows.
    """
    found: list[str] = []
    for row in rows:
        if row.remark and (remark := f"{row.case}: {row.remark}") not in found:
            found.append(remark)
        said = row.cheaper if row.verdict == "agrees" else row.note
        if said:
            found.append(f"{row.case}: {row.what}: {said}" if row.published is not None else f"{row.case}: {said}")
    return found


def summary(rows: Sequence[Row]) -> str:
    """How many figures and cases agree.

    Examples
    --------
    >>> summary([Row("A", "Paper", "switches", 96.0, None, "equal", 0.0, 96.0, "agrees", "")])
    '1 case: 1 figure agrees'
    """
    cases, verdicts = len({row.case for row in rows}), Counter(row.verdict for row in rows)
    parts = [_some(verdicts["agrees"], "figure agrees", "figures agree")]
    if verdicts["differs"]:
        parts.append(_some(verdicts["differs"], "differs", "differ"))
    if verdicts["known difference"]:
        parts.append(_some(verdicts["known difference"], "differs for a known reason", "differ for a known reason"))
    if verdicts["not checkable"]:
        parts.append(_some(verdicts["not checkable"], "case is not checkable", "cases are not checkable"))
    return f"{_some(cases, 'case', 'cases')}: {', '.join(parts)}"


def _some(count: int, one: str, many: str) -> str:
    return f"{count} {one if count == 1 else many}"


def _published(row: Row) -> str:
    if row.published is None:
        return ""
    text = _number(row.published) if row.up_to is None else f"{_number(row.published)} to {_number(row.up_to)}"
    return f"at most {text}" if row.compare == "at_most" else text


def _computed(row: Row) -> str:
    if row.got is None:
        return ""
    if row.got_low is None or row.got_high is None or row.got_low == row.got_high:
        return _number(row.got)
    mid, low, high = (_number(float(f"{value:.3g}")) for value in (row.got, row.got_low, row.got_high))
    return f"{mid} ({low} to {high})"


def _number(value: float) -> str:
    return f"{value:,.0f}" if value == int(value) else f"{value:,.6g}"


def page(rows: Sequence[Row]) -> str:
    """The page docs/published_cases.md: the table, the notes, the summary."""
    lines = ["| " + " | ".join(HEADER) + " |", "|---|---|---|--:|--:|---|"]
    lines += ["| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in cells(rows)]
    return (
        f"{_HEAD}\n{summary(rows)}.\n\n"
        + "\n".join(lines)
        + "\n\n## Notes\n\n"
        + "".join(f"* {note}\n" for note in notes(rows))
    )


_HEAD = """# Published cases, recomputed

What the field has printed beside what this program computes, by `designer validate` (`--json` for other programs, an id
for one case). The givens, designs, questions and prices of every case lie in `designer/validate/data/`; each design
there can be read by `designer evaluate` and each question by `designer solve`. Counts must be exact, money and watts
as tight as the source prints them. "At most": the optimum under the same prices and bandwidth must be no dearer than
the published design as it is counted here. A known difference stays in the table with its reason, and the tests fail
when it changes. What of a case is derived or assumed, and what of it is not checked, stands in the notes below.
Failures are predicted from what other operators have counted (`populations.toml`), never from the row itself: the
median, and the interval that holds nine of ten further populations; the published figure must lie in it. Tokens are
those of the token model (docs/token_model.md).
"""
