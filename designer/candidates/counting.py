"""What the parts of a fabric above the leaf add to it, for many shapes at once (``docs/rules.md`` sections 5, 7, 9)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from designer.candidates.cables import LinkPair, Port, allowed_pairs, ceil_div, cleaning, end_load, install_usd
from designer.candidates.flat import size, switches_passed
from designer.candidates.parts import Economy, LinkPart, SwitchPart
from designer.candidates.paths import ends_ns, length_of, switches_ns
from designer.candidates.reroute import box_events, box_hours, link_events, link_hours
from designer.candidates.scale_up import box_load
from designer.candidates.shape import Ints, ShapeRows
from designer.candidates.templates import Coefficients, Pieces
from designer.candidates.terms import FAILURES, HARD, NET_WATTS, TERMS, Floats, Load

# Boundaries of a tree, upwards, and of leaves joined directly.
TREE, FLAT = ("leaf_spine", "spine_core", "core_top"), ("leaf_leaf", "group_group")


@dataclass(frozen=True)
class _Level:
    """Links from a group of lower boxes to the boxes above, arrays (n,), all copies together.

    A group is a leaf, the spines of a pod, the cores of a zone: ``boxes`` of them over ``below`` leaves of a copy, with
    ``up`` links each, ``per_pair`` to each of ``above`` boxes, one less to ``lean`` of these. The ``uppers`` boxes that
    a group meets have ``full`` links down each when all their groups are there (used below the last stage).
    """

    name: str
    boxes: Ints
    up: Ints
    per_pair: Ints
    above: Ints
    lean: Ints
    upper: SwitchPart
    uppers: Ints
    full: Ints
    below: Ints

    def cables(self, rate_gbps: int, cable_gbps: int) -> Ints:
        """Cables (n,) of a lower box."""
        lean = self.lean * ceil_div((self.per_pair - 1) * rate_gbps, cable_gbps)
        return (self.above - self.lean) * ceil_div(self.per_pair * rate_gbps, cable_gbps) + lean

    def events(self, pair: LinkPair, rate: int, economy: Economy) -> Floats | float:
        """Events a year per link."""
        return _events(pair, rate, self.cables(rate, pair.lower.rate_gbps) / self.up, economy)


def coefficients(rows: ShapeRows, pairs: Mapping[str, LinkPair], economy: Economy) -> Coefficients:
    """Count what shapes with these link rows add; rails and planes multiply all but the hours above the leaf."""
    return _flat(rows, pairs, economy) if rows.stages == 0 else _tree(rows, pairs, economy)


def _levels(rows: ShapeRows, every: Ints) -> list[_Level]:
    boxes, spines = rows.boxes, every * rows.spines
    cores, pod = spines * rows.cores_per_spine, rows.leaves_per_pod
    zone, one = rows.pods_per_zone, np.ones(len(rows), np.int64)
    m, m2, m3 = rows.links_per_pair, rows.links_per_core, rows.links_per_top
    out = []
    if boxes.spine is not None:
        many, lean = rows.spines, rows.lean_at(2)
        out.append(_Level("leaf_spine", every, rows.uplinks, m, many, lean, boxes.spine, spines, pod * m, one))
    if boxes.core is not None:
        many, lean = rows.cores_per_spine, rows.lean_at(3)
        out.append(_Level("spine_core", spines, rows.spine_up, m2, many, lean, boxes.core, cores, zone * m2, pod))
    if boxes.top is not None:
        many, lean = rows.tops_per_core, rows.lean_at(4)
        tops = cores * many
        out.append(_Level("core_top", cores, rows.core_up, m3, many, lean, boxes.top, tops, one, pod * zone))
    return out


def _tree(rows: ShapeRows, pairs: Mapping[str, LinkPair], economy: Economy) -> Coefficients:
    every, rate = np.full(len(rows), rows.boxes.copies.count), rows.rate_gbps
    ratio, lean_ratio, hits, hours = np.zeros(len(rows)), np.zeros(len(rows)), np.zeros(len(rows)), 0.0
    per_cage: Pieces = []
    per_lean: Pieces = []
    levels = _levels(rows, every)
    # Per leaf, pod, zone; the last of the list is bought once.
    grown: list[Pieces] = [[] for _ in range(len(levels) + 1)]
    if not levels:
        grown[-1].append((every, box_vector(rows.boxes.leaf, economy)))
    for number, level in enumerate(levels):
        pair, last = pairs[level.name], number == len(levels) - 1
        low, high = (_end(pair, row, economy) for row in (pair.lower, pair.upper))
        links = level.boxes * level.up
        grown[number + 1].append((level.uppers, box_vector(level.upper, economy)))
        if pair.module:
            fibre = Load(install_usd(pair, rate, length_of(level.name, economy), economy))
            grown[number].append((level.boxes * ceil_div(level.up * rate, pair.lower.rate_gbps), low))
            grown[number].append((links, _vector(fibre, economy)))
            if last:
                per_cage = [(level.boxes * (level.above - level.lean), high)]
                per_lean = [(level.boxes * level.lean, high)]
                ratio = level.per_pair * rate / pair.upper.rate_gbps
                lean_ratio = np.where(level.lean > 0, (level.per_pair - 1) * rate / pair.upper.rate_gbps, 0.0)
            else:
                grown[number + 1].append((level.uppers * ceil_div(level.full * rate, pair.upper.rate_gbps), high))
        else:
            grown[number].append((level.boxes * level.cables(rate, pair.lower.rate_gbps), low))
        # Links and boxes of a leaf: of the last stage the ports it uses, below it those of its group over the leaves
        # that fill it.
        mine = links / every / level.below
        held = mine / level.upper.radix[rate] if last else level.uppers / every / levels[number + 1].below
        hits = hits + held * box_events(level.upper) + mine * level.events(pair, rate, economy)
        hours += box_hours(level.upper, economy.box_mttr_h) + link_hours(pair, economy)
    per_leaf, per_pod, per_zone = (grown[k] if k < len(levels) else [] for k in range(3))
    return Coefficients(
        rows=rows,
        pairs=pairs,
        fixed=grown[-1],
        per_leaf=per_leaf,
        per_pod=per_pod,
        per_zone=per_zone,
        per_cage=per_cage,
        per_lean=per_lean,
        per_idle=[],
        leaf_hits=every * hits * economy.p_kill,
        accelerator_hours=hours,
        cage_ratio=ratio,
        lean_ratio=lean_ratio,
        path_ns=template_ns(rows, pairs, economy),
        width=len(TERMS) + economy.counted,
    )


def _flat(rows: ShapeRows, pairs: Mapping[str, LinkPair], economy: Economy) -> Coefficients:
    """Leaves joined directly: every link is bought, whichever leaves the pools use."""
    leaf, rate, leaves = rows.boxes.leaf, rows.rate_gbps, size(rows.dims)
    every = np.full(len(rows), rows.boxes.copies.count)
    fixed: Pieces = []
    hits = rows.uplinks / leaf.radix[rate] * box_events(leaf)
    hours = box_hours(leaf, economy.box_mttr_h)
    for line in rows.lines:
        pair, links = pairs[line.name], every * (leaves * line.links // 2)
        end = _end(pair, pair.lower, economy)
        if pair.module:
            fibre = Load(install_usd(pair, rate, length_of(line.name, economy), economy))
            fixed.append((every * leaves * ceil_div(line.links * rate, pair.lower.rate_gbps), end))
            fixed.append((links, _vector(fibre, economy)))
        else:
            fixed.append((links // line.per_pair * ceil_div(line.per_pair * rate, pair.lower.rate_gbps), end))
        shared = ceil_div(line.per_pair * rate, pair.lower.rate_gbps)
        hits = hits + line.links / 2 * _events(pair, rate, shared / line.per_pair, economy)
        hours += link_hours(pair, economy)
    return Coefficients(
        rows=rows,
        pairs=pairs,
        fixed=fixed,
        per_leaf=[],
        per_pod=[],
        per_zone=[],
        per_cage=[],
        per_lean=[],
        per_idle=[(every, box_vector(leaf, economy))],
        leaf_hits=every * hits * economy.p_kill,
        accelerator_hours=hours,
        cage_ratio=np.zeros(len(rows)),
        lean_ratio=np.zeros(len(rows)),
        path_ns=template_ns(rows, pairs, economy),
        width=len(TERMS) + economy.counted,
    )


def template_ns(rows: ShapeRows, pairs: Mapping[str, LinkPair], economy: Economy) -> float:
    """Latency of a fabric's switches and of the links between them, there and back."""
    boxes = rows.boxes
    if boxes.kind != "tree":
        total = switches_passed(boxes.kind, rows.dims) * switches_ns([boxes.leaf])
        for line in rows.lines:
            total += line.crossed / 2 * ends_ns(pairs[line.name], length_of(line.name, economy))
        return total
    total = switches_ns([s for s in (boxes.leaf, boxes.spine, boxes.core, boxes.top) if s is not None])
    return total + sum(ends_ns(pairs[name], length_of(name, economy)) for name in TREE[: rows.stages - 1])


def _events(pair: LinkPair, rate: int, cables_per_link: Floats, economy: Economy) -> Floats | float:
    """Events a year per link where links share cables (n,); modules have no part in that."""
    if pair.module:
        return link_events(pair, rate, 1, economy)
    return np.asarray(cables_per_link * link_events(pair, pair.lower.rate_gbps, 1, economy))


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
    low, up = (Port(frozenset({switch.lane_gbps}), switch) for switch in (lower, upper))
    return list(allowed_pairs(links, low, up, rate, length_m))


def same_rows(pairs: Sequence[LinkPair]) -> list[LinkPair]:
    """Those for leaves joined directly: one row at both ends, and no backplane."""
    return [pair for pair in pairs if pair.lower.id == pair.upper.id and pair.lower.kind != "backplane"]
