"""What is known of the figures that a design's failures hang on: who draws which figure, from what."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from zlib import crc32

import numpy as np

from designer.catalogue import Catalogue, FailureTest, Figure
from designer.catalogue.figures import USER_BASIS
from designer.problems import InputError, Problem
from designer.risk.many import Values
from designer.risk.ranges import Distribution, Posterior, Range

RANGES = "catalogue_ranges"
"""Name of the alternative in which the figures of a question are drawn from their low, mid and high."""

_CHANCES = ("p_transient_kills_job",)
_PARTS = {"backplane": "backplanes", "cable": "cables", "module+fibre": "modules", "engine+els+fibre": "engines"}


@dataclass(frozen=True)
class Known:
    """One figure: its row in the catalogue, the draw that moves it, and the question it belongs to (None: no test)."""

    key: str
    figure: Figure
    draw: str
    question: str | None


@dataclass(frozen=True)
class Scenario:
    """What is taken for each question: the name of a test, or `RANGES`."""

    name: str
    takes: Mapping[str, str]


class Knowledge:
    """The figures of a design, the tests on them, and what the sources do not agree on.

    What is unknown of a kind of part is unknown of all its parts at once: the same figure of all rows of a kind
    (modules, cables, scale-out switches ...), and all figures of a question, are moved by one draw.
    """

    def __init__(self, catalogue: Catalogue, keys: Sequence[str]) -> None:
        self._tests: dict[str, list[FailureTest]] = {}
        asked: dict[str, str] = {}
        figures = {key: _figure(catalogue, key) for key in keys}
        for test in catalogue.failure_tests:
            named = [key for key in test.figures if key in figures]
            if test.basis != USER_BASIS:
                # A figure that the user gives is not to be overruled by the shipped tests.
                named = [key for key in named if figures[key].basis != USER_BASIS]
            if named:
                self._tests.setdefault(test.question, []).append(test)
                asked |= dict.fromkeys(named, test.question)
        self.figures = tuple(
            Known(key, figure, asked.get(key) or _draw(catalogue, key), asked.get(key))
            for key, figure in figures.items()
        )

    def scenarios(self) -> tuple[Scenario, ...]:
        """List the base, and for every other answer to a question the base with that answer."""
        base = {
            question: next((test.id for test in tests if test.base), RANGES) for question, tests in self._tests.items()
        }
        found = [Scenario("base", base)]
        for question, tests in self._tests.items():
            for other in (*(test.id for test in tests), RANGES):
                if other != base[question]:
                    found.append(Scenario(f"{question}={other}", {**base, question: other}))
        return tuple(found)

    def distribution(self, known: Known, scenario: Scenario) -> Distribution:
        """Say what a figure is drawn from."""
        if known.question is not None:
            test = self.test_of(known.question, scenario)
            if test is not None and known.key in test.figures:
                return Posterior(test.failures, test.device_hours, test.figures[known.key])
        low, mid, high = (known.figure.at(level) for level in ("low", "mid", "high"))
        if low is None or mid is None or high is None:
            raise InputError([Problem("catalogue", known.key, "unknown", "a risk needs a number here")])
        return Range(low, mid, high, known.key.rpartition(".")[2] in _CHANCES)

    def test_of(self, question: str, scenario: Scenario) -> FailureTest | None:
        """Return the test that a scenario takes for a question; None where it takes the ranges."""
        return next((test for test in self._tests[question] if test.id == scenario.takes[question]), None)

    def draw(self, scenario: Scenario, chances: Mapping[str, Values]) -> dict[str, Values]:
        """Draw every figure that is not fixed, given the chances of the draws."""
        found = {}
        for known in self.figures:
            distribution = self.distribution(known, scenario)
            if distribution.kind != "fixed":
                found[known.key] = distribution.at(chances[known.draw])
        return found

    def draws(self) -> dict[str, tuple[str, ...]]:
        """List the draws with the figures that each of them moves."""
        found: dict[str, tuple[str, ...]] = {}
        for known in self.figures:
            found[known.draw] = (*found.get(known.draw, ()), known.key)
        return found


def chances_of(draws: Sequence[str], samples: int, seed: int) -> dict[str, Values]:
    """Draw chances between 0 and 1; every draw has a stream of its own, whatever other draws there are.

    Examples
    --------
    >>> alone, both = chances_of(["a"], 3, 1), chances_of(["b", "a"], 3, 1)
    >>> bool((alone["a"] == both["a"]).all()), bool((both["a"] == both["b"]).any())
    (True, False)
    """
    return {name: stream(seed, name).uniform(np.finfo(float).tiny, 1.0, samples) for name in draws}


def stream(seed: int, name: str) -> np.random.Generator:
    """Return the random numbers of one purpose."""
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence([seed, crc32(name.encode())])))


def _place(key: str) -> tuple[str, str, str, str]:
    """Take a key apart: table, row (its id may have dots), table inside the row or nothing, figure.

    Examples
    --------
    >>> _place("links.my.link.cpo_parts.oe_mttr_h"), _place("nics.nic_400.afr_hard")
    (('links', 'my.link', 'cpo_parts', 'oe_mttr_h'), ('nics', 'nic_400', '', 'afr_hard'))
    """
    table, _, rest = key.partition(".")
    row, _, name = rest.rpartition(".")
    inside = "cpo_parts" if row.endswith(".cpo_parts") else ""
    return table, row.removesuffix(".cpo_parts"), inside, name


def _figure(catalogue: Catalogue, key: str) -> Figure:
    table, row, inside, name = _place(key)
    rows: Any = getattr(catalogue, table)
    found: Any = rows[row] if isinstance(rows, Mapping) else getattr(rows, row)
    found = getattr(getattr(found, inside) if inside else found, name)
    if not isinstance(found, Figure):
        raise InputError([Problem("catalogue", key, "unknown", "a risk needs a number here")])
    return found


def _draw(catalogue: Catalogue, key: str) -> str:
    """Name the draw of a figure that no test is about: the kind of part, and the figure."""
    table, row, _, name = _place(key)
    return f"{_kind(catalogue, table, row)}: {name}"


def _kind(catalogue: Catalogue, table: str, row: str) -> str:
    if table == "accelerators":
        return "accelerators"
    if table == "nics":
        return "NICs"
    if table == "switches":
        return "scale-up switches" if catalogue.switches[row].role == "scale_up" else "scale-out switches"
    if table == "links":
        return _PARTS[catalogue.links[row].construction]
    return {"repair": "site", "fibre_connector": "fibre connectors"}[row]
