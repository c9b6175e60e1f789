"""What failures leave of a design, as text and as data."""

from __future__ import annotations

from collections.abc import Iterator
from textwrap import fill
from typing import Any

from pydantic import TypeAdapter, ValidationError

from designer.degrade.result import Certificate, Degraded, FailureClass, Left, Place, Samples, Worst
from designer.problems import InputError
from designer.reading import problems_from_validation

_WIDTH = 112
_SAME = 1e-6
"""Shares that differ by less are shown as one."""

_DEGRADED: TypeAdapter[Degraded] = TypeAdapter(Degraded)


def degraded_screen(found: Degraded) -> str:
    """Return the screen of ``designer degrade``."""
    lines = [f"{found.name}: what is left while something is broken", *(_wrapped(f"note: {of}") for of in found.notes)]
    for place in found.places:
        lines += ["", *_place(place)]
    lines += ["", f"{found.failures} at once, at random ({found.measure}; {found.samples} samples, seed {found.seed})"]
    for samples in found.random:
        lines += _random(samples)
    lines += ["", f"{found.failures} at once, the worst found"]
    for worst in found.worst:
        lines += _worst(worst)
    return "\n".join(lines) + "\n"


def degraded_data(found: Degraded) -> dict[str, Any]:
    """Return everything as plain data; `degraded_from_json` reads it back."""
    data: dict[str, Any] = _DEGRADED.dump_python(found, mode="json")
    return data


def degraded_from_json(file: str, text: str | bytes) -> Degraded:
    """Read what ``designer degrade --json`` wrote, or raise `InputError` naming the keys that are wrong."""
    try:
        return _DEGRADED.validate_json(text, strict=True)
    except ValidationError as error:
        raise InputError(problems_from_validation(file, error)) from None


def _place(place: Place) -> Iterator[str]:
    yield (
        f"{place.name + ': any single one of ' + format(place.single, ',') + ', by classes':<72}"
        f"{'bisection':>11}{'all-to-all':>20}  what is served"
    )
    for of, members in _merged(place.classes):
        name = f"{members:,} x {of.name} ({of.example})"
        half = "-" if of.bisection is None else f"{of.bisection:.2%}"
        even = "-" if of.all_to_all is None else _share(of.all_to_all)
        yield f"  {name:<70}{half:>11}{even:>20}  {_served(of)}"
    if place.covered < place.single:
        yield f"  {place.single - place.covered:,} more in further classes are NOT tried"
    for note in place.notes:
        yield _wrapped(note)
    if place.certificate is not None:
        yield _wrapped(f"intact: {_proof(place.certificate)}")


def _proof(of: Certificate) -> str:
    even = f"all-to-all {of.least_gbps:,.6g} to {of.most_gbps:,.6g} Gb/s per endpoint, an interval"
    if of.exact:
        gap = (of.most_gbps - of.least_gbps) / of.most_gbps if of.most_gbps else 0.0
        even = f"all-to-all {of.most_gbps:,.6g} Gb/s per endpoint, a routing and a bound agree to {gap:.0e}"
    half = "flow and cut are equal, recounted" if of.proven else "flow and cut DIFFER"
    return f"{even}; bisection {of.bisection_gbps:,.6g} Gb/s, {half}"


def _merged(classes: tuple[FailureClass, ...]) -> Iterator[tuple[FailureClass, int]]:
    """Yield classes that differ in nothing shown together, the worst first."""
    merged: dict[tuple[str, ...], tuple[FailureClass, int]] = {}
    for of in classes:
        half = "" if of.bisection is None else f"{of.bisection:.2%}"
        even = "" if of.all_to_all is None else _share(of.all_to_all)
        key = (of.name, half, even, _served(of))
        first, members = merged.get(key, (of, 0))
        merged[key] = (first, members + of.members)

    def worst(row: tuple[FailureClass, int]) -> tuple[float, float]:
        shares = row[0].served.values()
        return min((of.least for of in shares), default=1.0), row[0].bisection or 0.0

    yield from sorted(merged.values(), key=worst)


def _served(of: FailureClass) -> str:
    hit = [f"{name} {_share(left)}" for name, left in of.served.items() if left.least < 1 - _SAME]
    return ", ".join(hit) if hit else "all" if of.served else "no demand is stated"


def _share(left: Left) -> str:
    if left.most - left.least <= _SAME:
        return f"{left.most:.2%}"
    return f"{left.least:.2%} to {left.most:.2%}"


def _random(of: Samples) -> Iterator[str]:
    mean = (
        f"{of.most:.2%} ({of.most_low:.2%} to {of.most_high:.2%})"
        if of.most - of.least <= _SAME
        else f"at least {of.least:.2%} ({of.least_low:.2%} to {of.least_high:.2%}), "
        f"at most {of.most:.2%} ({of.most_low:.2%} to {of.most_high:.2%})"
    )
    yield f"  {of.of} ({of.things:,}): mean {mean}"
    worst = _share(Left(of.worst_least, of.worst_most))
    yield _wrapped(
        f"worst sample {worst}: {', '.join(of.worst[:6])}{' ...' if len(of.worst) > 6 else ''}; with 95 % confidence "
        f"at most {of.rarer:.1%} of all such failures do worse",
        "    ",
    )


def _worst(of: Worst) -> Iterator[str]:
    what = "surely lost" if of.sure else "possibly lost"
    amount = 1 - (of.left.most if of.sure else of.left.least)
    proof = f"no {of.failures} do worse" if of.exact else f"a lower bound: {of.tried:,} sets tried, others may do worse"
    names = ", ".join(of.names[:8]) + (" ..." if len(of.names) > 8 else "")
    yield _wrapped(f"{what} {amount:.2%} by {names}; left {_share(of.left)} ({proof})")


def _wrapped(text: str, indent: str = "  ") -> str:
    return fill(text, _WIDTH, initial_indent=indent, subsequent_indent=indent + "    ")
