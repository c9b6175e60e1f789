"""A template with the choices of its pools -> one finished fabric with every count (``docs/rules.md`` section 7)."""

from __future__ import annotations

import math
from collections.abc import Sequence

from designer.candidates.cables import LinkPair, ceil_div
from designer.candidates.choices import Attached
from designer.candidates.parts import Economy
from designer.candidates.paths import length_of
from designer.candidates.templates import Template
from designer.candidates.terms import NET_WATTS
from designer.design.types import Boundary, BoundaryName, Fabric, Stage

# Boxes or pairs of boxes with the same links on each: how many, and these links.
_Each = Sequence[tuple[int, int]]


def ceil_div_float(value: float, unit: float) -> int:
    """Return the whole number of units that hold a value of decimal figures."""
    return math.ceil(value / unit - 1e-9)


def boundary_of(name: BoundaryName, pair: LinkPair, rate: int, length: float, counts: Sequence[int]) -> Boundary:
    """One boundary; ``counts`` are links, cables, lower and upper ends."""
    return Boundary(name, pair.lower.id, pair.upper.id, rate, length, *counts)


def build_fabric(template: Template, picked: Sequence[Attached], economy: Economy) -> Fabric:
    """Count out one fabric with the pools on it."""
    shape = template.shape
    leaves = 1 if shape.stages == 1 else sum(item.leaves for item in picked)
    racks = ceil_div_float(_network_watts(picked, template, leaves), economy.network_rack_watts)
    down = max(item.group * item.option.domain.nics for item in picked)
    if shape.stages == 1:
        down = sum(item.group * item.option.domain.nics for item in picked)
    flat = shape.kind != "tree"
    whole = shape.max_leaves if flat else leaves
    above, boundaries = ([], _between_leaves(template, economy)) if flat else _above(template, leaves, economy)
    return Fabric(
        family="InfiniBand" if shape.leaf.family == "InfiniBand" else "Ethernet",
        rails=shape.copies.rails,
        planes=shape.copies.planes,
        stages=(Stage("leaf", shape.leaf.id, whole, down, shape.uplinks), *above),
        uplink_gbps=shape.rate_gbps,
        links_per_leaf_spine=shape.links_per_pair,
        spines_per_pod=shape.spines,
        leaves_per_pod=whole if shape.core is None else shape.leaves_per_pod,
        pods=1 if shape.core is None else template.pods(leaves),
        links_per_spine_core=shape.links_per_core,
        cores_per_spine=shape.cores_per_spine,
        spine_taper=shape.spine_taper,
        boundaries=tuple(boundaries),
        network_racks=racks,
        shape=shape.kind,
        dims=shape.dims,
        links_per_pair=shape.links,
        zones=template.zones(leaves),
        pods_per_zone=shape.pods_per_zone,
        links_per_core_top=shape.links_per_top,
        tops_per_core=shape.tops_per_core,
        core_taper=shape.core_taper,
    )


def _network_watts(picked: Sequence[Attached], template: Template, leaves: int) -> float:
    """Watts in network racks, by the same columns that the MILP counts them with."""
    watts = float(template.shared(leaves)[NET_WATTS]) + leaves * float(template.per_leaf[NET_WATTS])
    for item in picked:
        if not item.one_stage:
            watts += item.leaves * item.copies.count * item.leaf.watts
        if not item.pair.upper.cpo:
            watts += item.counts.upper_ends * item.pair.upper.end_watts
    return watts


def _above(template: Template, leaves: int, economy: Economy) -> tuple[list[Stage], list[Boundary]]:
    """Stages above the leaf of one copy, and the boundaries of all copies."""
    shape, copies = template.shape, template.shape.copies.count
    stages: list[Stage] = []
    boundaries: list[Boundary] = []
    pods, zones = template.pods(leaves), template.zones(leaves)

    def join(name: BoundaryName, lower: int, links: int, members: int, sets: int, v: int, k: int) -> None:
        """Join ``lower`` boxes with ``links`` each to ``sets`` groups of k boxes, which ``members`` of them meet."""
        pair, rate, full = template.pairs[name], shape.rate_gbps, links - (v - 1) * k
        pairs = ((copies * lower * full, v), (copies * lower * (k - full), v - 1))
        uppers = ((copies * sets * full, members * v), (copies * sets * (k - full), members * (v - 1)))
        counts = _stage_counts(pair, rate, (copies * lower, links), uppers, pairs)
        boundaries.append(boundary_of(name, pair, rate, length_of(name, economy), counts))

    spines = cores = 0
    if shape.spine is not None:
        m, (members, sets) = shape.links_per_pair, (leaves, 1) if shape.core is None else (shape.leaves_per_pod, pods)
        spines = sets * shape.spines
        stages.append(Stage("spine", shape.spine.id, spines, members * m, shape.spine_up))
        join("leaf_spine", leaves, shape.uplinks, members, sets, m, shape.spines)
    if shape.core is not None:
        m, (members, sets) = shape.links_per_core, (pods, 1) if shape.top is None else (shape.pods_per_zone, zones)
        cores = sets * shape.spines * shape.cores_per_spine
        stages.append(Stage("core", shape.core.id, cores, members * m, shape.core_up))
        join("spine_core", spines, shape.spine_up, members, sets * shape.spines, m, shape.cores_per_spine)
    if shape.top is not None:
        m, sets = shape.links_per_top, shape.spines * shape.cores_per_spine
        stages.append(Stage("top", shape.top.id, sets * shape.tops_per_core, zones * m, 0))
        join("core_top", cores, shape.core_up, zones, sets, m, shape.tops_per_core)
    return stages, boundaries


def _between_leaves(template: Template, economy: Economy) -> list[Boundary]:
    """The boundaries of leaves that are joined directly; of the ends of a copy the larger half counts as lower."""
    shape, rate, out = template.shape, template.shape.rate_gbps, []
    boxes = shape.max_leaves
    for line in shape.lines:
        pair, links = template.pairs[line.name], boxes * line.links // 2
        cables = links // line.per_pair * ceil_div(line.per_pair * rate, pair.lower.rate_gbps)
        counts = [links, cables, cables, cables]
        if pair.module:
            ends = boxes * ceil_div(line.links * rate, pair.lower.rate_gbps)
            counts = [links, links, ends - ends // 2, ends // 2]
        every = [shape.copies.count * count for count in counts]
        out.append(boundary_of(line.name, pair, rate, length_of(line.name, economy), every))
    return out


def _stage_counts(pair: LinkPair, rate: int, lower: tuple[int, int], upper: _Each, joined: _Each) -> list[int]:
    """Links, cables, lower and upper ends; lower boxes, upper boxes and pairs are (how many, links on each)."""

    def held(each: _Each, row_gbps: int) -> int:
        return sum(many * ceil_div(links * rate, row_gbps) for many, links in each)

    links = lower[0] * lower[1]
    if not pair.module:
        cables = held(joined, pair.lower.rate_gbps)
        return [links, cables, cables, cables]
    return [links, links, held((lower,), pair.lower.rate_gbps), held(upper, pair.upper.rate_gbps)]
