"""Fabric templates: everything above the leaf with counts left open (``docs/rules.md`` section 7).

A template fixes switch types, links per leaf and spine, spines per pod, tapers, cores, tops and link pairs; or the grid
of leaves that are joined directly. What it adds is linear in the leaves of every pool, in its pods and zones, in the
cages of its top boxes and in the leaves that no pool uses. Coefficients are counted for many shapes at once
(`counting`); a `Template` is one row of them.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from designer.candidates.cables import LinkPair, ceil_div
from designer.candidates.choices import Choices
from designer.candidates.flat import cap_gbps, kept_gbps
from designer.candidates.floor import EPS, attainable
from designer.candidates.paths import SAME_NS
from designer.candidates.shape import Ints, Shape, ShapeRows
from designer.candidates.terms import FAILURES, HITS, HOURS, Floats

# Parts: how many there are in each of n shapes (n,), and the term vector of one of them.
Pieces = list[tuple[Ints, Floats]]


@dataclass(frozen=True)
class Template:
    """A shape with its link pairs by boundary and its coefficients (each a term vector), all copies together.

    ``fixed`` once; ``per_leaf``, ``per_pod`` and ``per_zone`` for one more in every copy; ``per_cage`` for one more
    cage on every full top box, of which ``cage_ratio`` are filled per leaf (two stages), pod (three) or zone (four);
    ``per_lean`` and ``lean_ratio`` the same on the lean ones;
    ``per_idle`` for every leaf joined directly that no pool uses; ``leaf_hits`` job hits per leaf;
    ``accelerator_hours`` hours lost per accelerator; ``path_ns`` the latency of switches and links, without the NIC
    cables. No coefficient is negative.
    """

    shape: Shape
    pairs: Mapping[str, LinkPair]
    fixed: Floats
    per_leaf: Floats
    per_pod: Floats
    per_zone: Floats
    per_cage: Floats
    per_lean: Floats
    per_idle: Floats
    leaf_hits: float
    accelerator_hours: float
    cage_ratio: float
    lean_ratio: float
    path_ns: float

    def terms(self, choices: Choices) -> Floats:
        """Term vectors (n, len(TERMS)) of choices together with what their leaves add here."""
        out = choices.terms + choices.leaves[:, None] * self.per_leaf
        hits = choices.leaves * self.leaf_hits
        hours = choices.accelerators * self.accelerator_hours
        out[:, HITS] += hits
        out[:, HOURS] += hours
        out[:, FAILURES] += hits * choices.hit_usd + hours * choices.hour_usd
        return out

    def pods(self, leaves: int) -> int:
        """Whole pods for that many leaves (0 without pods)."""
        return ceil_div(leaves, self.shape.leaves_per_pod) if self.shape.core is not None else 0

    def zones(self, leaves: int) -> int:
        """Whole zones for that many leaves (0 without zones)."""
        return ceil_div(self.pods(leaves), self.shape.pods_per_zone) if self.shape.top is not None else 0

    def cages(self, leaves: int) -> int:
        """Cages on each full top box for that many leaves (0 where cages are not counted)."""
        return self._cages(leaves, self.cage_ratio)

    def lean_cages(self, leaves: int) -> int:
        """Cages on each lean top box for that many leaves (0 where there are none)."""
        return self._cages(leaves, self.lean_ratio)

    def _cages(self, leaves: int, ratio: float) -> int:
        if ratio == 0.0:
            return 0
        members = leaves if self.shape.core is None else self.pods(leaves)
        if self.shape.top is not None:
            members = self.zones(leaves)
        return math.ceil(members * ratio - EPS)

    def idle(self, leaves: int) -> int:
        """Leaves that no pool uses beside so many that they do."""
        return max(0, self.shape.max_leaves - leaves) if self.shape.kind != "tree" else 0

    def shared(self, leaves: int, most: int | None = None) -> Floats:
        """Term vector of what pools with so many leaves share.

        With ``most`` that of anything between the two at least: what grows with the leaves is counted for the fewest,
        what falls for the most.
        """
        out = self.fixed + self.pods(leaves) * self.per_pod + self.zones(leaves) * self.per_zone
        idle = self.idle(leaves if most is None else most)
        out = out + self.cages(leaves) * self.per_cage + self.lean_cages(leaves) * self.per_lean
        return np.asarray(out + idle * self.per_idle)


@dataclass(frozen=True)
class Joined:
    """A fabric that is built: its template and the places of the pools on it."""

    template: Template
    pools: tuple[int, ...]


@dataclass(frozen=True)
class Coefficients:
    """The coefficients of given link rows on n shapes; `Template` says what each means."""

    rows: ShapeRows
    pairs: Mapping[str, LinkPair]
    fixed: Pieces
    per_leaf: Pieces
    per_pod: Pieces
    per_zone: Pieces
    per_cage: Pieces
    per_lean: Pieces
    per_idle: Pieces
    leaf_hits: Floats
    accelerator_hours: float
    cage_ratio: Floats
    lean_ratio: Floats
    path_ns: float
    width: int

    def take(self, index: Ints) -> Coefficients:
        """Those of some of the shapes."""

        def some(pieces: Pieces) -> Pieces:
            return [(count[index], vector) for count, vector in pieces]

        return replace(
            self,
            rows=self.rows.take(index),
            fixed=some(self.fixed),
            per_leaf=some(self.per_leaf),
            per_pod=some(self.per_pod),
            per_zone=some(self.per_zone),
            per_cage=some(self.per_cage),
            per_lean=some(self.per_lean),
            per_idle=some(self.per_idle),
            leaf_hits=self.leaf_hits[index],
            cage_ratio=self.cage_ratio[index],
            lean_ratio=self.lean_ratio[index],
        )

    def weigh(self, pieces: Pieces, weights: Floats) -> Floats:
        """Weighed sums (n,) of one of the coefficients."""
        out = np.zeros(len(self.rows))
        for count, vector in pieces:
            out += count * float(vector @ weights)
        return out

    def template(self, row: int) -> Template:
        """The template of one shape."""

        def total(pieces: Pieces) -> Floats:
            out = np.zeros(self.width)
            for count, vector in pieces:
                out += float(count[row]) * vector
            return out

        return Template(
            shape=self.rows.shape(row),
            pairs=self.pairs,
            fixed=total(self.fixed),
            per_leaf=total(self.per_leaf),
            per_pod=total(self.per_pod),
            per_zone=total(self.per_zone),
            per_cage=total(self.per_cage),
            per_lean=total(self.per_lean),
            per_idle=total(self.per_idle),
            leaf_hits=float(self.leaf_hits[row]),
            accelerator_hours=self.accelerator_hours,
            cage_ratio=float(self.cage_ratio[row]),
            lean_ratio=float(self.lean_ratio[row]),
            path_ns=self.path_ns,
        )


def in_time(template: Template, choices: Choices) -> npt.NDArray[np.bool_]:
    """Which choices (n,) have a plan that bears the latency of the template (``docs/rules.md`` section 6.1)."""
    return np.asarray(choices.path_ns + SAME_NS >= template.path_ns)


def carries(rows: ShapeRows, choices: Choices, max_taper: float) -> npt.NDArray[np.bool_]:
    """Which choices the shapes can carry, whatever the links: bool (shapes, choices).

    Ports of the leaf, need, taper, and what must still pass when a spine, core, top or leaf on the way is out.
    """
    boxes = rows.boxes
    if boxes.stages == 1 or choices.one_stage:
        return np.full((len(rows), choices.down.size), boxes.stages == 1 and choices.one_stage)
    radix, rate = boxes.leaf.radix, rows.rate_gbps
    down_radix = np.array([radix[r] for r in choices.rate.tolist()])
    ok = choices.down * radix[rate] + rows.uplinks[:, None] * down_radix <= down_radix * radix[rate]
    ok &= (choices.leaves <= rows.max_leaves[:, None]) & (choices.rate <= rate)
    passes = _through_leaves if boxes.stages == 0 else _through_switches
    return np.asarray(ok & passes(rows, choices, max_taper))


def _through_leaves(rows: ShapeRows, choices: Choices, max_taper: float) -> npt.NDArray[np.bool_]:
    """What leaves that are joined directly let pass."""
    if choices.taper is not None:
        return np.zeros((len(rows), choices.down.size), np.bool_)
    shape = (rows.boxes.kind, rows.dims, rows.links, rows.rate_gbps)
    cap = cap_gbps(*shape)[:, None] * (1 + EPS)
    ok = (cap >= choices.leaf_gbps) & (max_taper * cap >= choices.down * choices.rate)
    ok &= kept_gbps(*shape)[:, None] * (1 + EPS) >= choices.relayed_gbps
    return np.asarray(ok)


def _through_switches(rows: ShapeRows, choices: Choices, max_taper: float) -> npt.NDArray[np.bool_]:
    """What a tree lets pass."""
    rate, uplinks = rows.rate_gbps, rows.uplinks[:, None]
    ok = uplinks * rate * (1 + EPS) >= choices.leaf_gbps
    ok &= max_taper * uplinks * rate * (1 + EPS) >= choices.down * choices.rate
    if choices.taper is not None:
        if not attainable(choices.taper):
            return np.zeros_like(ok)
        ok &= choices.taper.numerator * uplinks * rate == choices.down * choices.rate * choices.taper.denominator
    # Of all boxes above the leaf a spine takes most: the others carry what must be kept out of leaf, pod and zone.
    kept = choices.kept_gbps
    if choices.keep > 0:
        ok &= ((rows.uplinks - rows.links_per_pair) * rate)[:, None] * (1 + EPS) >= kept
    # Links out of a pod, and out of a zone, by way of one spine, with the leaves that they serve.
    out = rows.spine_up, rows.leaves_per_pod
    further = rows.cores_per_spine * rows.core_up, rows.leaves_per_pod * rows.pods_per_zone
    for links, leaves in (out, further)[: rows.stages - 2]:
        ok &= (rows.spines * links * rate)[:, None] * (1 + EPS) >= leaves[:, None] * choices.load_gbps
        if choices.keep > 0:
            ok &= ((rows.spines - 1) * links * rate)[:, None] * (1 + EPS) >= leaves[:, None] * kept
    return np.asarray(ok)
