"""Fabric templates: everything above the leaf with counts left open (``docs/rules.md`` section 7).

A template fixes switch types, links per leaf and spine, spines per pod, taper of the spines, cores and link pairs.
What it adds is linear in the leaves of every pool, in its pods and in the cages of its top boxes. Coefficients are
counted for many shapes at once; a `Template` is one row of them.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from designer.candidates.cables import LinkPair, Port, allowed_pairs, ceil_div, cleaning, end_load, install_usd
from designer.candidates.choices import Choices
from designer.candidates.floor import EPS, attainable
from designer.candidates.parts import Economy, LinkPart, SwitchPart
from designer.candidates.paths import SAME_NS, ends_ns, switches_ns
from designer.candidates.reroute import box_events, box_hours, link_events, link_hours
from designer.candidates.scale_up import box_load
from designer.candidates.shape import Ints, Shape, ShapeRows
from designer.candidates.terms import FAILURES, HARD, HITS, HOURS, NET_WATTS, TERMS, Floats, Load

# Parts: how many there are in each of n shapes (n,), and the term vector of one of them.
Pieces = list[tuple[Ints, Floats]]


@dataclass(frozen=True)
class Template:
    """A shape with its link pairs and its coefficients (each a term vector), all copies together.

    ``fixed`` once; ``per_leaf`` and ``per_pod`` for one more in every copy; ``per_cage`` for one more cage on
    every top box, of which ``cage_ratio`` are filled per leaf (two stages) or pod (three); ``leaf_hits`` job hits per
    leaf; ``accelerator_hours`` hours lost per accelerator; ``path_ns`` the latency of switches and links, without the
    NIC cables.
    """

    shape: Shape
    leaf_spine: LinkPair | None
    spine_core: LinkPair | None
    fixed: Floats
    per_leaf: Floats
    per_pod: Floats
    per_cage: Floats
    leaf_hits: float
    accelerator_hours: float
    cage_ratio: float
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

    def cages(self, leaves: int) -> int:
        """Cages on each top box for that many leaves (0 where cages are not counted)."""
        if self.cage_ratio == 0.0:
            return 0
        members = self.pods(leaves) if self.shape.core is not None else leaves
        return math.ceil(members * self.cage_ratio - EPS)


@dataclass(frozen=True)
class Joined:
    """A fabric that is built: its template and the places of the pools on it."""

    template: Template
    pools: tuple[int, ...]


@dataclass(frozen=True)
class Coefficients:
    """The coefficients of one pair (or two) of link rows on n shapes; `Template` says what each means."""

    rows: ShapeRows
    leaf_spine: LinkPair | None
    spine_core: LinkPair | None
    fixed: Pieces
    per_leaf: Pieces
    per_pod: Pieces
    per_cage: Pieces
    leaf_hits: Floats
    accelerator_hours: float
    cage_ratio: Floats
    path_ns: float
    width: int

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
            self.rows.shape(row),
            self.leaf_spine,
            self.spine_core,
            total(self.fixed),
            total(self.per_leaf),
            total(self.per_pod),
            total(self.per_cage),
            float(self.leaf_hits[row]),
            self.accelerator_hours,
            float(self.cage_ratio[row]),
            self.path_ns,
        )


def in_time(template: Template, choices: Choices) -> npt.NDArray[np.bool_]:
    """Which choices (n,) have a plan that bears the latency of the template (``docs/rules.md`` section 6.1)."""
    return np.asarray(choices.path_ns + SAME_NS >= template.path_ns)


def carries(rows: ShapeRows, choices: Choices, max_taper: float) -> npt.NDArray[np.bool_]:
    """Which choices the shapes can carry, whatever the links: bool (shapes, choices).

    Ports of the leaf, need, taper, and what must still pass when a spine or core is out.
    """
    if rows.spine is None or choices.one_stage:
        return np.full((len(rows), choices.down.size), rows.spine is None and choices.one_stage)
    radix, rate = rows.leaf.radix, rows.rate_gbps
    down_radix = np.array([radix[r] for r in choices.rate.tolist()])
    uplinks = rows.uplinks[:, None]
    ok = choices.down * radix[rate] + uplinks * down_radix <= down_radix * radix[rate]
    ok &= uplinks * rate * (1 + EPS) >= choices.load_gbps
    ok &= max_taper * uplinks * rate * (1 + EPS) >= choices.down * choices.rate
    if choices.taper is not None:
        if not attainable(choices.taper):
            return np.zeros_like(ok)
        ok &= choices.taper.numerator * uplinks * rate == choices.down * choices.rate * choices.taper.denominator
    ok &= (choices.leaves <= rows.max_leaves[:, None]) & (choices.rate <= rate)
    kept = choices.keep * choices.load_gbps
    if choices.keep > 0:
        ok &= ((rows.spines - 1) * rows.links_per_pair * rate)[:, None] * (1 + EPS) >= kept
    if rows.core is not None:
        up = (rows.spines * rows.spine_up * rate)[:, None] * (1 + EPS)
        ok &= up >= rows.leaves_per_pod[:, None] * choices.load_gbps
        if choices.keep > 0:
            left = ((rows.spines * rows.spine_up - rows.links_per_core) * rate)[:, None] * (1 + EPS)
            ok &= left >= rows.leaves_per_pod[:, None] * kept
    return np.asarray(ok)


def coefficients(
    rows: ShapeRows, leaf_spine: LinkPair | None, spine_core: LinkPair | None, economy: Economy
) -> Coefficients:
    """Count what shapes with these link rows add; rails and planes multiply all but the hours above the leaf."""
    every = np.full(len(rows), rows.copies.count)
    nothing = np.zeros(len(rows))
    path, width = template_ns(rows, leaf_spine, spine_core, economy), len(TERMS) + economy.counted
    if rows.spine is None or leaf_spine is None:
        fixed: Pieces = [(every, box_vector(rows.leaf, economy))]
        return Coefficients(rows, None, None, fixed, [], [], [], nothing, 0.0, nothing, path, width)
    rate, m, up = rows.rate_gbps, rows.links_per_pair, rows.uplinks
    spines = every * rows.spines
    low, high = (_end(leaf_spine, row, economy) for row in (leaf_spine.lower, leaf_spine.upper))
    length = economy.forced_m.get("leaf_spine", economy.lengths_m["hall"])
    if leaf_spine.module:
        fibre = _vector(Load(install_usd(leaf_spine, rate, length, economy)), economy)
        per_leaf: Pieces = [(every * ceil_div(up * rate, leaf_spine.lower.rate_gbps), low), (every * up, fibre)]
    else:
        per_leaf = [(spines * ceil_div(m * rate, leaf_spine.lower.rate_gbps), low)]
    # Spines of a leaf: two stages the ports it uses, three those of its pod over the leaves that fill it.
    boxes = up / rows.spine.radix[rate] if rows.core is None else rows.spines / rows.leaves_per_pod
    hits = boxes * box_events(rows.spine) + up * _events(leaf_spine, rate, m, economy)
    hours = box_hours(rows.spine, economy.box_mttr_h) + link_hours(leaf_spine, economy)
    box = box_vector(rows.spine, economy)
    per_pod: Pieces = []
    per_cage: Pieces = []
    ratio = nothing
    if rows.core is None or spine_core is None:
        fixed = [(spines, box)]
        if leaf_spine.module:
            per_cage = [(spines, high)]
            ratio = m * rate / leaf_spine.upper.rate_gbps
    else:
        m2, groups, spine_up, pod = rows.links_per_core, rows.cores_per_spine, rows.spine_up, rows.leaves_per_pod
        per_pod = [(spines, box)]
        if leaf_spine.module:
            per_pod.append((spines * ceil_div(pod * m * rate, leaf_spine.upper.rate_gbps), high))
        cores = spines * groups
        fixed = [(cores, box_vector(rows.core, economy))]
        low, high = (_end(spine_core, row, economy) for row in (spine_core.lower, spine_core.upper))
        length = economy.forced_m.get("spine_core", economy.lengths_m["building"])
        if spine_core.module:
            fibre = _vector(Load(install_usd(spine_core, rate, length, economy)), economy)
            per_pod.append((spines * ceil_div(spine_up * rate, spine_core.lower.rate_gbps), low))
            per_pod.append((spines * spine_up, fibre))
            per_cage = [(cores, high)]
            ratio = m2 * rate / spine_core.upper.rate_gbps
        else:
            per_pod.append((cores * ceil_div(m2 * rate, spine_core.lower.rate_gbps), low))
        links = spine_up * rows.spines / pod
        hits = hits + links / rows.core.radix[rate] * box_events(rows.core)
        hits = hits + links * _events(spine_core, rate, m2, economy)
        hours += box_hours(rows.core, economy.box_mttr_h) + link_hours(spine_core, economy)
    return Coefficients(
        rows,
        leaf_spine,
        spine_core if rows.core is not None else None,
        fixed,
        per_leaf,
        per_pod,
        per_cage,
        every * hits * economy.p_kill,
        hours,
        ratio,
        path,
        width,
    )


def template_ns(rows: ShapeRows, leaf_spine: LinkPair | None, spine_core: LinkPair | None, economy: Economy) -> float:
    """Latency of a fabric's switches and of the links between them, there and back."""
    total = switches_ns([s for s in (rows.leaf, rows.spine, rows.core) if s is not None])
    if rows.spine is not None and leaf_spine is not None:
        total += ends_ns(leaf_spine, economy.forced_m.get("leaf_spine", economy.lengths_m["hall"]))
    if rows.core is not None and spine_core is not None:
        total += ends_ns(spine_core, economy.forced_m.get("spine_core", economy.lengths_m["building"]))
    return total


def _events(pair: LinkPair, rate: int, per_pair: Ints, economy: Economy) -> Floats | float:
    """Events a year per link where ``per_pair`` links (n,) join two boxes and share their cables."""
    if pair.module:
        return link_events(pair, rate, 1, economy)
    row = pair.lower
    cables = ceil_div(per_pair * rate, row.rate_gbps)
    return np.asarray(cables / per_pair * link_events(pair, row.rate_gbps, 1, economy))


def _vector(load: Load, economy: Economy) -> Floats:
    out = np.zeros(len(TERMS) + economy.counted)
    if load.units:
        out[len(TERMS) :] = load.units
    out[:NET_WATTS] = load.capex_usd, load.watts
    out[NET_WATTS] = load.watts
    out[FAILURES] = load.repairs_usd
    out[HARD] = load.hard
    return out


def _end_load(pair: LinkPair, row: LinkPart, economy: Economy) -> Load:
    """One bought end and its half of the connector cleanings; of a cable, which has no second row, all of it."""
    _, money = cleaning(pair, 1.0, economy)
    return end_load(row, 1.0, economy) + Load(repairs_usd=money)


def _end(pair: LinkPair, row: LinkPart, economy: Economy) -> Floats:
    return _vector(_end_load(pair, row, economy), economy)


def box_vector(switch: SwitchPart, economy: Economy) -> Floats:
    """Term vector of one box above the leaf (or of a lone leaf), its hits and hours apart."""
    return _vector(box_load(switch, 1, economy.box_mttr_h, economy.box_swap_usd, economy), economy)


def pair_vectors(pair: LinkPair, rate: int, length_m: float, economy: Economy) -> tuple[Floats, float, float]:
    """Term vectors (3, columns) of one lower end, one upper end and one link's fibre; hits and hours per link."""
    if not pair.module:
        row = pair.lower
        nothing = np.zeros(len(TERMS) + economy.counted)
        vectors = [_end(pair, row, economy), nothing, nothing]
        return np.stack(vectors), 2 * row.afr_end + row.transient, link_hours(pair, economy)
    vectors = [_end(pair, pair.lower, economy), _end(pair, pair.upper, economy)]
    vectors.append(_vector(Load(install_usd(pair, rate, length_m, economy)), economy))
    return np.stack(vectors), link_events(pair, rate, 1, economy), link_hours(pair, economy)


def link_floor(
    pair: LinkPair,
    rate: int,
    upper: SwitchPart,
    economy: Economy,
    usd: Floats,
    hits_usd: tuple[float, float],
    length_m: float,
) -> tuple[float, float]:
    """What a link of one copy adds to the objective at least: per link, and once for the whole fabric.

    Ends are counted in shares of row-rate ends (never more than are bought); ``hits_usd`` are the least money of a job
    hit and of one hour lost by every accelerator of the pools. The box above is charged with its hits and hours, its
    hits by the share of its ports: a spine of a pod hits no less, because m L <= R - U_s, so n_s / L > U / R.
    """
    if pair.module:
        load = Load(install_usd(pair, rate, length_m, economy))
        for row in (pair.lower, pair.upper):
            load += _end_load(pair, row, economy).times(rate / row.rate_gbps)
        events = link_events(pair, rate, 1, economy)
    else:
        row = pair.lower
        load = end_load(row, 1.0, economy).times(rate / row.rate_gbps)
        events = rate / row.rate_gbps * (2 * row.afr_end + row.transient)
    events += box_events(upper) / upper.radix[rate]
    hours = box_hours(upper, economy.box_mttr_h) + link_hours(pair, economy)
    return float(usd @ _vector(load, economy)) + events * economy.p_kill * hits_usd[0], hours * hits_usd[1]


def pairs_between(
    lower: SwitchPart, upper: SwitchPart, links: Sequence[LinkPart], rate: int, length_m: float
) -> list[LinkPair]:
    """Link pairs between two switches of the scale-out fabric."""
    return list(
        allowed_pairs(
            links, Port(frozenset({lower.lane_gbps}), lower), Port(frozenset({upper.lane_gbps}), upper), rate, length_m
        )
    )
