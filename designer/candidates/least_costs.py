"""What choices on many shapes cost at least, in any weighing of their terms, and which fit beside others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from designer.candidates.choices import Choices
from designer.candidates.floor import EPS
from designer.candidates.mixing import least as least_of
from designer.candidates.parts import SwitchPart
from designer.candidates.reduce import Mask
from designer.candidates.shape import ShapeRows
from designer.candidates.templates import Coefficients
from designer.candidates.terms import FAILURES, HITS, HOURS, Floats


def least_together(counted: Coefficients, row: Sequence[Choices], masks: Sequence[Mask], weights: Floats) -> Floats:
    """Lower bounds (n,): the cheapest choices every shape carries, with all that they fill at least.

    Exact for a lone pool in one part. ``masks`` (n, choices) are what the shapes carry.
    """
    rows = counted.rows
    if len(row) == 1 and row[0].mix is None:
        table = alone(counted, row[0], weights)
        table[~masks[0]] = np.inf
        return np.asarray(table.min(axis=1) + counted.weigh(counted.fixed, weights))
    shared = _Shared.of(counted, weights)
    share, whole = shared.share(), np.zeros(len(rows))
    spread, single, leaves = np.zeros(len(rows)), np.zeros(len(rows)), np.zeros(len(rows))
    for choices, mask in zip(row, masks, strict=True):
        table = _with_leaves(counted, choices, weights)
        table[~mask] = np.inf
        single += least_of(table, choices.mixing)
        table += choices.leaves * share[:, None]
        spread += least_of(table, choices.mixing)
        leaves += least_of(np.where(mask, choices.leaves, np.inf), choices.mixing)
    # Where a pool has no choice left the bound is infinite already.
    leaves[np.isinf(leaves)] = 0.0
    if rows.stages:
        whole = shared.of_leaves(leaves[:, None])[:, 0]
    # Whole pods, zones and cages of all pools are never less than their shares of them, nor than those of the
    # fewest leaves. Leaves without a pool are what the pools leave of a grid.
    spread += rows.max_leaves * shared.idle if rows.stages == 0 else 0.0
    return np.asarray(np.maximum(spread, single + whole) + counted.weigh(counted.fixed, weights))


def alone(counted: Coefficients, choices: Choices, weights: Floats) -> Floats:
    """Weighed sums (shapes, choices) of a lone pool's choices with all that they fill, without the fixed boxes."""
    leaves = np.broadcast_to(choices.leaves.astype(float), (len(counted.rows), choices.leaves.size))
    return _with_leaves(counted, choices, weights) + _Shared.of(counted, weights).of_leaves(leaves)


@dataclass(frozen=True)
class _Shared:
    """Weighed sums (n,) of what pools share besides the fixed boxes: for one more pod, zone, idle leaf, cage.

    ``cages`` holds them for full and for lean top boxes, each with the share of a cage that a member fills.
    """

    rows: ShapeRows
    pod: Floats
    zone: Floats
    idle: Floats
    cages: tuple[tuple[Floats, Floats], ...]

    @staticmethod
    def of(counted: Coefficients, weights: Floats) -> _Shared:
        each = (counted.per_pod, counted.per_zone, counted.per_idle, counted.per_cage, counted.per_lean)
        pod, zone, idle, full, lean = (counted.weigh(pieces, weights) for pieces in each)
        return _Shared(counted.rows, pod, zone, idle, ((counted.cage_ratio, full), (counted.lean_ratio, lean)))

    def share(self) -> Floats:
        """What a leaf adds at least (n,), whole numbers aside; an idle leaf goes for every one that is used."""
        boxes, cages = self.rows.boxes, np.asarray(sum(ratio * cage for ratio, cage in self.cages))
        if boxes.top is not None:
            cages = (self.zone + cages) / self.rows.pods_per_zone
        return (self.pod + cages) / self.rows.leaves_per_pod if boxes.core is not None else cages - self.idle

    def of_leaves(self, leaves: Floats) -> Floats:
        """What numbers of leaves (n, k) fill, in whole numbers."""
        boxes, out = self.rows.boxes, np.zeros(leaves.shape)
        members = leaves
        if boxes.core is not None:
            members = np.ceil(leaves / self.rows.leaves_per_pod[:, None])
            out += members * self.pod[:, None]
        if boxes.top is not None:
            members = np.ceil(members / self.rows.pods_per_zone[:, None])
            out += members * self.zone[:, None]
        if boxes.stages == 0:
            out += np.maximum(self.rows.max_leaves[:, None] - leaves, 0.0) * self.idle[:, None]
        for ratio, cage in self.cages:
            if cage.any():
                out += np.ceil(members * ratio[:, None] - EPS) * cage[:, None]
        return out


def _with_leaves(counted: Coefficients, choices: Choices, weights: Floats) -> Floats:
    """Weighed sums (shapes, choices) of choices with what their leaves and accelerators add in a fabric."""
    hit = choices.hit_usd * weights[FAILURES] + weights[HITS]
    hour = choices.accelerators * (choices.hour_usd * weights[FAILURES] + weights[HOURS])
    per_leaf = counted.weigh(counted.per_leaf, weights)[:, None]
    usd = choices.terms @ weights + counted.accelerator_hours * hour
    return np.asarray(usd + choices.leaves * (per_leaf + counted.leaf_hits[:, None] * hit))


def fewest_links(rows: ShapeRows, leaves: float) -> list[Floats]:
    """Links of one copy at every boundary above the leaf (n,) with at least so many leaves."""
    if rows.stages == 0:
        return [np.asarray(rows.max_leaves * line.links / 2) for line in rows.lines]
    if rows.stages == 1:
        return []
    out, boxes = [leaves * rows.uplinks.astype(float)], rows.boxes
    pods = -(leaves // -np.maximum(rows.leaves_per_pod, 1))
    if boxes.core is not None:
        out.append(np.asarray(pods * rows.spines * rows.spine_up, float))
    if boxes.top is not None:
        zones = -(pods // -rows.pods_per_zone)
        out.append(np.asarray(zones * rows.spines * rows.cores_per_spine * rows.core_up, float))
    return out


def fewest_boxes(rows: ShapeRows, leaves: float) -> list[tuple[SwitchPart, Floats]]:
    """Boxes of one copy that every pool shares (n,), stage by stage, with at least so many leaves."""
    boxes, spines = rows.boxes, rows.spines.astype(float)
    if rows.stages == 1:
        return [(boxes.leaf, np.ones(len(rows)))]
    if boxes.spine is None:
        return []
    if boxes.core is None:
        return [(boxes.spine, spines)]
    pods, cores = -(leaves // -np.maximum(rows.leaves_per_pod, 1)), spines * rows.cores_per_spine
    if boxes.top is None:
        return [(boxes.spine, pods * spines), (boxes.core, cores)]
    zones = -(pods // -rows.pods_per_zone)
    return [(boxes.spine, pods * spines), (boxes.core, zones * cores), (boxes.top, cores * rows.tops_per_core)]


def room_for_all(rows: ShapeRows, row: Sequence[Choices], masks: Sequence[Mask]) -> Mask:
    """Which shapes (n,) have a choice of every pool; ``masks`` lose those that leave the other pools no ports, or
    leaves joined directly that are more than needed."""
    if rows.stages != 1 and len(row) > 1:
        # Infinite where a pool has no choice at all.
        fewest = np.stack([least_of(np.where(m, c.leaves, np.inf), c.mixing) for c, m in zip(row, masks, strict=True)])
        with np.errstate(invalid="ignore"):
            others = fewest.sum(axis=0) - fewest
        for choices, mask, taken in zip(row, masks, others, strict=True):
            np.logical_and(mask, choices.leaves <= (rows.max_leaves - taken)[:, None], out=mask)
    if rows.stages == 0:
        parts = [1 if c.mix is None else c.mix.most for c in row]
        each = [np.where(m, c.leaves, 0).max(axis=1) for c, m in zip(row, masks, strict=True)]
        total = sum(n * most for n, most in zip(parts, each, strict=True))
        for choices, mask, most in zip(row, masks, each, strict=True):
            np.logical_and(mask, choices.leaves >= (rows.min_leaves - (total - most))[:, None], out=mask)
    return np.asarray(np.logical_and.reduce([mask.any(axis=1) for mask in masks]))
