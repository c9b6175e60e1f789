"""Every published case beside what this program computes for it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from designer.answer import SolveOptions
from designer.evaluate import evaluate
from designer.fabric import flow_check
from designer.instance.load import load
from designer.problems import InputError, Problem
from designer.reading import nearest
from designer.solve.run import solve
from designer.validate.cases import Case, Expected, published_cases
from designer.validate.folder import FOLDER
from designer.validate.populations import Predicted
from designer.validate.quantities import of_answer, of_evaluation, of_failures, of_formula, of_tokens
from designer.verify import verify

Verdict = Literal["agrees", "differs", "known difference", "not checkable"]

_KNOWN: Literal["known difference"] = "known difference"
# Decimal fractions on their way through binary: far below any printed digit.
_HAIR = 1e-9


@dataclass(frozen=True)
class Row:
    """One line of the table: a published figure, what was computed, and whether they agree.

    ``got`` is None where a case is not checkable, and where the computation has no such figure; ``note`` says why.
    ``got_low`` and ``got_high`` are the ends of the 90 % interval of a prediction. ``cheaper`` says why an optimum lies
    below what was published: what it has less of, and more of. ``remark`` is the same in all rows of a case: what of it
    is derived or assumed, and what cannot be checked.
    """

    case: str
    source: str
    what: str
    published: float | None
    up_to: float | None
    compare: Literal["equal", "at_most", "within"]
    tolerance: float
    got: float | None
    verdict: Verdict
    note: str
    got_low: float | None = None
    got_high: float | None = None
    cheaper: str = ""
    remark: str = ""


def validate(only: Iterable[str] = (), on_case: Callable[[str], None] | None = None) -> tuple[Row, ...]:
    """Recompute the published cases.

    Parameters
    ----------
    only
        Ids of cases; none: all.
    on_case
        Told the id of each case before it is computed.

    Returns
    -------
    tuple of Row
        In the order of the cases; the published design is counted, priced and built by `designer.evaluate`, an
        optimum found by `designer.solve`, recounted and flow-checked.

    Raises
    ------
    InputError
        When there is no case of an asked id.

    Examples
    --------
    >>> [row.got for row in validate(["DSV3_FT2"]) if row.what == "switches"]
    [96.0]
    """
    cases = {case.id: case for case in published_cases()}
    wanted = list(dict.fromkeys(only)) or list(cases)
    wrong = [name for name in wanted if name not in cases]
    if wrong:
        raise InputError([Problem("published cases", "", name, nearest(name, cases)) for name in wrong])
    rows: list[Row] = []
    for name in wanted:
        if on_case is not None:
            on_case(name)
        rows += rows_of(cases[name])
    return tuple(rows)


def rows_of(case: Case) -> Iterator[Row]:
    """Recompute one case."""
    if case.not_checkable is not None:
        yield Row(case.id, case.source, case.title, None, None, "equal", 0.0, None, "not checkable", case.not_checkable)
        return
    named = (name for row in case.expect for name in (row.of, row.against, row.beside))
    subjects = [name for name in dict.fromkeys(named) if name is not None]
    found = {name: _computed(case, name) for name in subjects}
    for row in case.expect:
        figures, fault = found[row.of]
        got, missing = _figure(row, figures)
        if row.against is not None and got is not None:
            others, other_fault = found[row.against]
            base, missing = _figure(row, others)
            got = None if base is None else _ratio(got, base, row.unit)
            fault = "; ".join(text for text in (fault, other_fault) if text)
        computed = got is not None and not fault
        agrees = got is not None and computed and _agrees(row, got)
        if agrees and got is not None and (dearer := _dearer(row, got, found)):
            agrees, fault = False, dearer
        low, high = (got.low, got.high) if got is not None and row.compare == "within" else (None, None)
        verdict: Verdict = "agrees" if agrees else "differs" if row.because is None or not computed else _KNOWN
        if agrees and row.because is not None:
            fault = "the known difference is gone: drop its reason"
            verdict = "differs"
        because = row.because if verdict == _KNOWN else None
        note = "; ".join(text for text in (fault, missing, because) if text)
        yield Row(
            case.id,
            case.source,
            row.what,
            row.published,
            row.up_to,
            row.compare,
            row.tolerance,
            None if got is None else got.mid,
            verdict,
            note,
            low,
            high,
            _cheaper(row, got, figures, found) if agrees and got is not None else "",
            case.note,
        )


_Figures = Mapping[str, float | Predicted]


def _dearer(row: Expected, got: Predicted, found: Mapping[str, tuple[_Figures, str]]) -> str:
    """Why an optimum is no optimum: the published design beside it, counted, has less; printed figures are rounded."""
    if row.beside is None or row.compare != "at_most":
        return ""
    theirs, _ = _figure(row, found[row.beside][0])
    if theirs is None or got.mid <= theirs.mid * (1 + _HAIR):
        return ""
    return f"the published design has {theirs.mid:,.6g}, unrounded"


def _cheaper(row: Expected, got: Predicted, ours: _Figures, found: Mapping[str, tuple[_Figures, str]]) -> str:
    """Boxes and links of an optimum that is cheaper than the published design beside it, against that design's."""
    if row.beside is None or got.mid >= row.published * (1 - _HAIR):
        return ""
    theirs = found[row.beside][0]
    names = [name for name in {**theirs, **ours} if name.startswith(("boxes.", "links.")) and name.count(".") == 1]
    texts = []
    for name in names:
        mine, other = (figures.get(name, 0.0) for figures in (ours, theirs))
        if isinstance(mine, float | int) and isinstance(other, float | int) and mine != other:
            texts.append(f"{name.split('.', 1)[1]} {'switches' if name.startswith('boxes') else 'links'} ")
            texts[-1] += f"{mine:,.0f} instead of {other:,.0f}"
    return f"{100 * (1 - got.mid / row.published):.3g} % below: {'; '.join(texts)}" if texts else ""


def _computed(case: Case, name: str) -> tuple[_Figures, str]:
    """The figures of one subject of a case, and what is wrong with it."""
    if name in case.failures:
        return of_failures(case.failures[name], case.id)
    if name in case.tokens:
        return of_tokens(case.tokens[name]), ""
    if name in case.designs:
        evaluation = evaluate(FOLDER / case.designs[name])
        broken = [row for network in evaluation.networks for row in network.flow.violations]
        return of_evaluation(evaluation), "; ".join(broken)
    if name in case.formulas:
        return of_formula(case.formulas[name]), ""
    overlay = case.overlays.get(name)
    question = load(FOLDER / case.instances[name], None if overlay is None else FOLDER / overlay)
    answer = solve(question, SolveOptions())
    if answer.design is None:
        return {}, f"{answer.status}: {'; '.join(answer.clash)}"
    faults = [str(row) for row in verify(answer.design, question.catalogue, question.instance).findings]
    faults += [] if answer.status == "optimal" else [f"not proven: {answer.status}"]
    faults += [] if flow_check(answer.design).ok else ["the flow check contradicts the design"]
    return of_answer(answer), "; ".join(faults)


def _figure(row: Expected, figures: _Figures) -> tuple[Predicted | None, str]:
    """The computed figure in the unit that was published, and what is missing."""
    names = [row.quantity, *row.plus, *row.less, *([row.per] if row.per is not None else [])]
    missing = [name for name in names if name not in figures]
    if missing:
        return None, f"no figure of the name {', '.join(missing)} (known: {', '.join(sorted(figures))})"
    found = figures[row.quantity]
    low, mid, high = (found.low, found.mid, found.high) if isinstance(found, Predicted) else (found, found, found)
    more = sum(_middle(figures[name]) for name in row.plus) - sum(_middle(figures[name]) for name in row.less)
    over = row.unit * (_middle(figures[row.per]) if row.per is not None else 1.0)
    return Predicted((mid + more) / over, (low + more) / over, (high + more) / over), ""


def _middle(found: float | Predicted) -> float:
    return found.mid if isinstance(found, Predicted) else found


def _ratio(got: Predicted, base: Predicted, unit: float) -> Predicted:
    """One figure over another, both in the same unit, in the unit that was published."""
    return Predicted(got.mid / base.mid / unit, got.low / base.high / unit, got.high / base.low / unit)


def _agrees(row: Expected, found: Predicted) -> bool:
    least, most = row.published, row.published if row.up_to is None else row.up_to
    if row.compare == "within":
        return found.low <= most and least <= found.high
    got = found.mid
    half = 0.5 * (row.rounded_to or 0.0)
    slack = max(row.tolerance, _HAIR)
    below = got <= most + half + slack * abs(most)
    return below and (row.compare == "at_most" or got >= least - half - slack * abs(least))
