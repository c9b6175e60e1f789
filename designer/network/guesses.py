"""Permutations that regular builders often allow; each has still to be checked.

Boxes of a kind are numbered like mixed-radix numbers (pod, then leaf of the pod; z, then y, then x). One digit of some
kinds is advanced, mirrored, reversed, or has two values exchanged, with 0 left in place too (what is left of the
symmetry when the first box is broken); and neighbouring blocks are exchanged box by box.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise

import numpy as np

from designer.network.core import Core
from designer.network.graph import Ints
from designer.network.symmetry import ArcIndex, Known

MOST_KINDS = 6
"""Kinds of boxes up to which moves of several kinds at once are tried."""

SAMPLE = 48
"""Arcs per kind on which a move is tried before it is built in full."""

MOST_SAMPLE = 2000
"""Arcs of the sample at most."""

MOST_VAIN = 25
"""Guesses in a row that join nothing, after which no more are made."""

MOST_WORK = 2 * 10**8
"""Nodes times blocks up to which neighbouring blocks are exchanged."""

Move = Callable[[Ints, int, int], Ints]


def guesses(core: Core, index: ArcIndex, known: Known) -> Iterator[Ints]:
    """Permutations (nodes,) worth a check, most of them symmetries where the network is regular.

    Those that join nothing new to the classes ``known`` so far, on the arcs of a sample, are left out.
    """
    yield from _moved_digits(core, index, known)
    yield from _exchanged_blocks(core, known)


def _advance(number: Ints, stride: int, radix: int) -> Ints:
    digit = number // stride % radix
    return number + ((digit + 1) % radix - digit) * stride


def _mirror(number: Ints, stride: int, radix: int) -> Ints:
    digit = number // stride % radix
    return number + ((-digit) % radix - digit) * stride


def _reverse(number: Ints, stride: int, radix: int) -> Ints:
    digit = number // stride % radix
    return number + (radix - 1 - 2 * digit) * stride


def _exchange(number: Ints, stride: int, radix: int) -> Ints:
    digit = number // stride % radix
    return number + np.where(digit == 0, stride, np.where(digit == 1, -stride, 0))


def _exchange_last(number: Ints, stride: int, radix: int) -> Ints:
    digit = number // stride % radix
    return number + np.where(digit == radix - 2, stride, np.where(digit == radix - 1, -stride, 0))


def _advance_rest(number: Ints, stride: int, radix: int) -> Ints:
    digit = number // stride % radix
    return number + np.where(digit == 0, 0, (digit % (radix - 1) + 1 - digit) * stride)


MOVES: tuple[Move, ...] = (_advance, _exchange, _mirror, _reverse, _exchange_last, _advance_rest)


def _moved_digits(core: Core, index: ArcIndex, known: Known) -> Iterator[Ints]:
    changes = np.flatnonzero(np.diff(_sorts(core))) + 1
    edges = [0, *changes.tolist(), core.nodes]
    runs = [range(first, last) for first, last in pairwise(edges)]
    if len(runs) > MOST_KINDS or not core.arcs:
        return
    run_of = np.searchsorted(changes, np.arange(core.nodes), side="right")
    label, pair = _labels(core, run_of)
    samples = _samples(core, len(runs), run_of, pair)
    fewest = int(label.max()) + 1, len(np.unique(pair * (int(core.links.max()) + 1) + core.links))
    # Large radices first: what they exchange makes most of the small ones needless.
    vain = 0
    for radix in sorted({d for run in runs for d in _divisors(len(run)) if d > 1}, reverse=True):
        choices = [[0, *(s for s in _divisors(len(run)) if len(run) % (s * radix) == 0)] for run in runs]
        for move in MOVES if radix > 2 else MOVES[:1]:
            if known.classes == fewest:
                # All that look alike are in one class: there is nothing left to find.
                return
            for strides in _fitting(core, index, known, samples, runs, choices, move, radix):
                permutation = np.concatenate(
                    [
                        run.start + (move(np.arange(len(run)), stride, radix) if stride else np.arange(len(run)))
                        for run, stride in zip(runs, strides, strict=True)
                    ]
                )
                # The sample may miss the few nodes that an exchange moves.
                some = np.flatnonzero(permutation != np.arange(core.nodes))
                some = some[np.unique(np.linspace(0, len(some) - 1, 16).astype(np.int64))]
                arcs = index.leaving(some)
                if index.image(arcs, permutation[core.tail[arcs]], permutation[core.head[arcs]]) is not None:
                    before = known.classes
                    yield permutation
                    vain = 0 if known.classes < before else vain + 1
                    if vain > MOST_VAIN:
                        return


def _sorts(core: Core) -> Ints:
    """(nodes,): kind of each node; a kind numbered by parts of other bundles (rows, then columns) counts as several.

    A node without links counts as the one before it.
    """
    touched = np.zeros((core.nodes, core.bundles), bool)
    touched[core.tail, core.bundle] = True
    some = touched.any(1)
    place = np.maximum.accumulate(np.where(some, np.arange(core.nodes), -1))
    place[place < 0] = int(np.argmax(some))
    looks = np.column_stack([core.kind, np.where((core.kind == core.kind[place])[:, None], touched[place], False)])
    sort = np.unique(looks, axis=0, return_inverse=True)[1].reshape(-1)
    parts = core.kind * (int(sort.max()) + 1)
    for kind in np.unique(core.kind).tolist():
        own = sort[core.kind == kind]
        if np.count_nonzero(np.diff(own)) < len(np.unique(own)):
            parts[core.kind == kind] += own
    return np.asarray(parts, np.int64)


def _labels(core: Core, run_of: Ints) -> tuple[Ints, Ints]:
    """Nodes that look alike by kind, weight, degree and colour, and arcs whose ends and bundle do."""
    degree = np.bincount(core.tail, minlength=core.nodes)
    looks = np.stack([run_of, core.weight, degree, core.colour], 1)
    label = np.unique(looks, axis=0, return_inverse=True)[1].reshape(-1)
    size = int(label.max()) + 1
    return label, (label[core.tail] * size + label[core.head]) * core.bundles + core.bundle


def _samples(core: Core, runs: int, run_of: Ints, look: Ints) -> list[Ints]:
    """For each run, some arcs between it and the runs up to it: of every kind of node by weight and degree.

    Where something is broken, few nodes differ from the rest: a sample of all arcs alike would miss them.
    """
    random = np.random.default_rng(0)
    later = np.maximum(run_of[core.tail], run_of[core.head])
    order = random.permutation(core.arcs)
    pair = look[order]
    by_pair = np.argsort(pair, kind="stable")
    begin = np.flatnonzero(np.diff(pair[by_pair], prepend=-1))
    each = max(SAMPLE * runs // max(len(begin), 1), 4)
    place = np.arange(core.arcs) - np.repeat(begin, np.diff([*begin, core.arcs]))
    chosen = order[by_pair[place < each]]
    if len(chosen) > MOST_SAMPLE:
        chosen = random.choice(chosen, MOST_SAMPLE, replace=False)
    return [chosen[later[chosen] == run] for run in range(runs)]


def _fitting(
    core: Core,
    index: ArcIndex,
    known: Known,
    samples: Sequence[Ints],
    runs: Sequence[range],
    choices: Sequence[Sequence[int]],
    move: Move,
    radix: int,
) -> Iterator[tuple[int, ...]]:
    """Strides per run (0: the run stays) under which the sampled arcs land on arcs, kind after kind."""

    everything = np.concatenate(list(samples))

    def moved(nodes: Ints, strides: tuple[int, ...]) -> Ints:
        out = nodes.copy()
        for run, stride in zip(runs, strides, strict=False):
            if stride:
                inside = (nodes >= run.start) & (nodes < run.stop)
                out[inside] = run.start + move(nodes[inside] - run.start, stride, radix)
        return out

    def image(arcs: Ints, strides: tuple[int, ...]) -> Ints | None:
        return index.image(arcs, moved(core.tail[arcs], strides), moved(core.head[arcs], strides))

    def tells(strides: tuple[int, ...]) -> bool:
        to = image(everything, strides)
        nodes = core.tail[everything]
        return to is not None and known.tells(nodes, moved(nodes, strides), everything, to)

    def extend(strides: tuple[int, ...]) -> Iterator[tuple[int, ...]]:
        if len(strides) == len(runs):
            if any(strides) and tells(strides):
                yield strides
            return
        for stride in choices[len(strides)]:
            longer = (*strides, stride)
            if image(samples[len(longer) - 1], longer) is not None:
                yield from extend(longer)

    yield from extend(())


def _divisors(number: int) -> list[int]:
    small = [d for d in range(1, int(number**0.5) + 1) if number % d == 0]
    return sorted({*small, *(number // d for d in small)})


def _exchanged_blocks(core: Core, known: Known) -> Iterator[Ints]:
    """Neighbouring blocks of the same kinds exchanged, the boxes of no block stay."""
    order = np.lexsort((np.arange(core.nodes), core.block))
    order = order[core.block[order] >= 0]
    if not len(order):
        return
    begins = np.flatnonzero(np.diff(core.block[order], prepend=-1))
    if len(begins) * core.nodes > MOST_WORK:
        return
    members = np.split(order, begins[1:])
    for first, second in pairwise(members):
        alike = len(first) == len(second) and (core.kind[first] == core.kind[second]).all()
        # Boxes of one class already: the digits have moved whole blocks.
        if alike and (known.node[first] != known.node[second]).any():
            permutation = np.arange(core.nodes)
            permutation[first], permutation[second] = second, first
            yield permutation
