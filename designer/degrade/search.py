"""Several failures at once: samples with confidence, and a search for the worst."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import combinations
from typing import TypeVar

import numpy as np
from scipy.stats import t as student

from designer.degrade.result import Left, Samples, Worst

CONFIDENCE = 0.95
MOST_TRIED = 3000
"""Sets that a search tries at most."""

MOST_PAIRS = 20_000
"""Pairs up to which all are tried."""

NEAR, SPREAD = 6, 10
"""Things looked at on both sides of one that was chosen, and spread over every sort."""

Thing = TypeVar("Thing")


def sampled(
    of: str,
    things: int,
    pick: Callable[[int], Thing],
    left: Callable[[Sequence[Thing]], Left],
    named: Callable[[Thing], str],
    failures: int,
    samples: int,
    seed: int,
) -> Samples:
    """Break so many different things at random, again and again.

    Parameters
    ----------
    of, things, pick
        The sort of things, how many there are, and the one of a number.
    left, named
        What a set of failures leaves, and the name of a thing.
    failures, samples, seed
        Failures at once (at most ``things``), samples (at least 2), and where they start.
    """
    draw = np.random.default_rng(seed)
    found: list[Left] = []
    worst: Sequence[Thing] = ()
    for _ in range(samples):
        chosen = [pick(int(at)) for at in np.sort(draw.choice(things, failures, replace=False))]
        share = left(chosen)
        if not found or (share.most, share.least) < min((of_.most, of_.least) for of_ in found):
            worst = chosen
        found.append(share)
    least, most = np.array([of_.least for of_ in found]), np.array([of_.most for of_ in found])
    return Samples(
        of,
        things,
        failures,
        samples,
        *_mean(least),
        *_mean(most),
        float(least.min()),
        float(most.min()),
        tuple(named(thing) for thing in worst),
        1 - (1 - CONFIDENCE) ** (1 / samples),
    )


def _mean(values: np.ndarray) -> tuple[float, float, float]:
    mean, count = float(values.mean()), len(values)
    margin = float(student.ppf(0.5 + CONFIDENCE / 2, count - 1) * values.std(ddof=1) / np.sqrt(count))
    return mean, max(mean - margin, 0.0), min(mean + margin, 1.0)


class Search:
    """Looks for the worst set of failures: greedily, then by swaps; each set is tried once."""

    def __init__(
        self, sorts: Sequence[tuple[int, Callable[[int], Thing]]], left: Callable[[Sequence[Thing]], Left], seed: int
    ) -> None:
        self.first = np.concatenate([[0], np.cumsum([count for count, _ in sorts])]).astype(np.int64)
        self.sorts, self.left = sorts, left
        self.draw = np.random.default_rng(seed)
        self.known: dict[tuple[int, ...], Left] = {}
        self.sure = True

    @property
    def things(self) -> int:
        """All things that may break."""
        return int(self.first[-1])

    def thing(self, at: int) -> object:
        """The thing of a number."""
        sort = int(np.searchsorted(self.first, at, side="right")) - 1
        return self.sorts[sort][1](at - int(self.first[sort]))

    def share(self, chosen: Iterable[int]) -> tuple[float, float]:
        """What a set leaves, the measure that counts first."""
        key = tuple(sorted(chosen))
        if key not in self.known:
            self.known[key] = self.left([self.thing(at) for at in key])  # type: ignore[misc]
        found = self.known[key]
        return (found.most, found.least) if self.sure else (found.least, found.most)

    def worst(self, failures: int, starts: Sequence[int], *, sure: bool) -> tuple[int, ...]:
        """Choose the worst one after the other, then swap single ones as long as that makes it worse."""
        self.sure = sure
        end = len(self.known) + MOST_TRIED
        chosen: tuple[int, ...] = ()
        while len(chosen) < min(failures, self.things):
            trials = self._trials(chosen, starts)
            chosen = min(((*chosen, at) for at in trials), key=self.share)
        better = True
        while better and len(self.known) < end:
            better = False
            for place in range(len(chosen)):
                rest = (*chosen[:place], *chosen[place + 1 :])
                for at in self._trials(rest, starts):
                    if len(self.known) >= end:
                        break
                    if self.share((*rest, at)) < self.share(chosen):
                        chosen, better = (*rest, at), True
        return tuple(sorted(chosen))

    def worst_pair(self, firsts: Sequence[int] | None, *, sure: bool) -> tuple[int, ...] | None:
        """The worst of all pairs; with ``firsts`` of those with one of them, which stand for all. None: too many."""
        self.sure = sure
        count = self.things * (self.things - 1) // 2 if firsts is None else len(firsts) * self.things
        if count > MOST_PAIRS or self.things < 2:
            return None
        if firsts is None:
            return min(combinations(range(self.things), 2), key=self.share)
        return min(((one, two) for one in firsts for two in range(self.things) if one != two), key=self.share)

    def _trials(self, chosen: tuple[int, ...], starts: Sequence[int]) -> list[int]:
        """One of every class, what stands beside those chosen, and some of every sort."""
        trials = dict.fromkeys(starts)
        for at in (*chosen, *starts[: 4 * SPREAD]):
            trials |= dict.fromkeys(range(max(at - NEAR, 0), min(at + NEAR + 1, self.things)))
        for low, high in zip(self.first[:-1].tolist(), self.first[1:].tolist(), strict=True):
            trials |= dict.fromkeys(np.linspace(low, high - 1, min(SPREAD, high - low)).astype(int).tolist())
            trials |= dict.fromkeys(self.draw.integers(low, high, min(SPREAD, high - low)).tolist())
        return [at for at in trials if at not in chosen]


def worst_of(
    search: Search,
    named: Callable[[object], str],
    failures: int,
    starts: Sequence[int],
    *,
    complete: bool,
    symmetric: bool,
) -> tuple[Worst, ...]:
    """The worst set by both measures.

    Parameters
    ----------
    search, named
        Sets and names.
    failures
        How many break at once.
    starts
        One of every class of single failures; all classes if ``complete``.
    symmetric
        Whether a pair with any member of a class is like some pair with the one tried.
    """
    found = []
    for sure in (True, False):
        exact, pair = False, None
        chosen: tuple[int, ...] | None
        if failures == 1 and complete:
            chosen, exact = min(((at,) for at in starts), key=_by(search, sure)), True
        else:
            if failures == 2:
                pair = search.worst_pair(starts if symmetric and complete else None, sure=sure)
            exact = pair is not None
            chosen = pair or search.worst(failures, starts, sure=sure)
        # What adds nothing to the others is not named.
        for at in tuple(chosen):
            fewer = tuple(other for other in chosen if other != at)
            if fewer and search.share(fewer) <= search.share(chosen):
                chosen = fewer
        left = search.known[tuple(sorted(chosen))]
        exact = exact or (left.most if sure else left.least) == 0
        names = tuple(named(search.thing(at)) for at in chosen)
        found.append(Worst(sure, failures, names, left, exact, len(search.known)))
    return tuple(found)


def _by(search: Search, sure: bool) -> Callable[[Iterable[int]], tuple[float, float]]:
    search.sure = sure
    return search.share
