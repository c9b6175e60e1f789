"""What a pool adds to the goal and to every limited sum at least, on any fabric: a few points per option.

A complete answer costs, and uses of every limit, no less than one point of every pool together. That is a knapsack with
a choice per pool, small enough to be looked at as a whole: `designer.candidates.branches` does.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import numpy as np
import numpy.typing as npt

from designer.candidates.blocks import Attachments
from designer.candidates.choices import Choices
from designer.candidates.copies import copies_of
from designer.candidates.counting import box_vector, link_floor
from designer.candidates.floor import least_uplinks
from designer.candidates.parts import SwitchPart
from designer.candidates.paths import length_of
from designer.candidates.reduce import Mask, pareto
from designer.candidates.search import Search
from designer.candidates.terms import FAILURES, HITS, HOURS, Floats
from designer.candidates.weights import NOISE

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Points:
    """Points of one pool: ``values`` (n, 1 + limits), the goal first, and ``option`` (n,), the places of their options
    among ``options`` in all."""

    values: Floats
    option: Ints
    options: int

    def of(self, options: Mask) -> Points:
        """The points of some of the options (a mask over all of them)."""
        keep = options[self.option]
        return Points(self.values[keep], self.option[keep], self.options)


class PointsOf:
    """The points of pools; what uplinks add is found once for each leaf type and rate.

    Parameters
    ----------
    attachments, search
        The choices of every pool on every leaf type, and the parts and links for sale.
    rows
        Weights on term vectors (1 + limits, columns), the goal first.
    """

    def __init__(self, attachments: Attachments, search: Search, rows: Floats) -> None:
        self._attachments, self._search, self._rows = attachments, search, rows
        self._links: dict[tuple[str, int], list[tuple[Floats, Floats, Floats]]] = {}

    def __call__(self, pool: int) -> Points:
        """The points of a pool's options that no other point of the same option beats.

        Exact, a lower bound of every choice in every fabric, in each of the rows by itself: a choice keeps its NIC
        cables and leaves. Of a lone switch it takes the share of its ports, and the shares of all pools are at most 1.
        Leaves below spines have at least the uplinks that need and taper ask for; a link costs at least its ends in
        shares of row-rate ends and its port's share of the spine (`link_floor`); the rest of a fabric adds nothing
        less than 0. Leaves joined directly count without the cables between them.
        """
        attachments, search, rows = self._attachments, self._search, self._rows
        found: list[tuple[Floats, Ints]] = []
        stages, flat = set(search.offer.stages), any(kind != "tree" for kind in search.offer.shapes)
        for copies, leaf in product(copies_of(search.choose), search.offer.leaves):
            search.go_on()
            alone = attachments.at(copies, leaf, 1, pool) if 1 in stages else None
            if alone is not None:
                radix = np.array([leaf.radix[rate] for rate in alone.rate.tolist()])
                # A little less than the share: the ports are summed in floats.
                box = (1 - 2 * NOISE) * copies.count * (rows @ box_vector(leaf, search.offer.economy))
                found.append((alone.terms @ rows.T + (alone.down / radix)[:, None] * box, alone.option))
            below = attachments.at(copies, leaf, 2, pool) if stages - {1} else None
            if below is not None:
                found += self._below_spines(below)
            joined = attachments.at(copies, leaf, 0, pool) if flat else None
            if joined is not None:
                found.append((joined.terms @ rows.T, joined.option))
        if not found:
            return Points(np.zeros((0, len(rows))), np.zeros(0, np.int64), attachments.options(pool))
        values, options = (np.concatenate(columns) for columns in zip(*found, strict=True))
        return _fronts(values, options, attachments.options(pool))

    def _below_spines(self, choices: Choices) -> list[tuple[Floats, Ints]]:
        """Values and options of choices with the uplinks that they need at least, for every rate of uplinks."""
        leaf, rows, choose, out = choices.leaf, self._rows, self._search.choose, []
        base = choices.terms @ rows.T
        radix = np.array([leaf.radix[rate] for rate in choices.rate.tolist()])
        # Money and number of a hit, and of an hour on every accelerator, that a row sees.
        hit = choices.hit_usd[:, None] * rows[:, FAILURES] + rows[:, HITS]
        hour = choices.accelerators[:, None] * (choices.hour_usd[:, None] * rows[:, FAILURES] + rows[:, HOURS])
        for rate in sorted(leaf.radix):
            uplinks = np.maximum(least_uplinks(choices, rate, choose.max_taper), choose.min_spines)
            room = (leaf.radix[rate] * (radix - choices.down)) // radix
            fits = np.flatnonzero((uplinks <= room) & (choices.rate <= rate))
            if not fits.size:
                continue
            many = (choices.copies.count * choices.leaves * uplinks)[fits, None]
            for plain, per_hit, per_hour in self._links_of(leaf, rate):
                value = base[fits] + many * (plain + per_hit * hit[fits]) + per_hour * hour[fits]
                out.append((value, choices.option[fits]))
        return out

    def _links_of(self, leaf: SwitchPart, rate: int) -> list[tuple[Floats, Floats, Floats]]:
        """What an uplink adds at least (rows,), per hit and per hour of the pool, for all that no other beats."""
        key = (leaf.id, rate)
        if key in self._links:
            return self._links[key]
        search, found = self._search, []
        economy, length = search.offer.economy, length_of("leaf_spine", search.offer.economy)
        for spine in search.offer.spines:
            if spine.family != leaf.family or rate not in spine.radix:
                continue
            for pair in search.pairs(leaf, spine, rate, "leaf_spine"):
                # Linear in the money of hits and of hours, so it is taken apart.
                ends = [
                    [link_floor(pair, rate, spine, economy, row, at, length) for at in ((0.0, 0.0), (1.0, 1.0))]
                    for row in self._rows
                ]
                plain, full = (np.array([row[at] for row in ends]) for at in (0, 1))
                found.append(np.concatenate([plain[:, 0], (full - plain)[:, 0], (full - plain)[:, 1]]))
        keys = np.stack(found) if found else np.zeros((0, 3 * len(self._rows)))
        self._links[key] = [tuple(one.reshape(3, -1)) for one in keys[pareto(keys)]]
        return self._links[key]


def _fronts(values: Floats, option: Ints, options: int) -> Points:
    """The points that no other of the same option beats."""
    order = np.argsort(option, kind="stable")
    values, option = values[order], option[order]
    kept = [start + np.flatnonzero(pareto(values[start:end])) for start, end in zip(*_runs(option), strict=True)]
    keep = np.concatenate(kept)
    return Points(values[keep], option[keep], options)


def _runs(sorted_values: Ints) -> tuple[list[int], list[int]]:
    """Starts and ends of runs of equal values."""
    edges = np.flatnonzero(np.diff(sorted_values)) + 1
    return [0, *edges.tolist()], [*edges.tolist(), sorted_values.size]
