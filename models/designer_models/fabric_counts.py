"""The template side of the MILP: leaves, pods, zones and cages of every fabric, and the ports that bound them.

Variables, one per template f that has them: ``leaves[f]``, ``pods[f]``, ``zones[f]``, ``cages[f]``,
``lean_cages[f]``, whole numbers of one copy of the fabric. Every count has the plain rounding row and, per pool, the
row that is implied for whole numbers and cuts off fractions (docs/formulation.md).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pyomo.environ as pyo

from designer.candidates.slots import Slot
from designer.candidates.space import Space
from designer.candidates.templates import Template


def count_fabrics(model: Any, space: Space) -> None:
    """Add the counts of every template to a model that has its choices."""
    every = list(enumerate(space.templates))
    model.leaves = pyo.Var(model.TEMPLATES, domain=pyo.NonNegativeIntegers)
    model.pods = pyo.Var([f for f, t in every if t.shape.core is not None], domain=pyo.NonNegativeIntegers)
    model.zones = pyo.Var([f for f, t in every if t.shape.top is not None], domain=pyo.NonNegativeIntegers)
    model.cages = pyo.Var([f for f, t in every if t.cage_ratio > 0], domain=pyo.NonNegativeIntegers)
    model.lean_cages = pyo.Var([f for f, t in every if t.lean_ratio > 0], domain=pyo.NonNegativeIntegers)
    _leaf_count(model, space)
    _grid_filled(model, space)
    _top_ports(model, space)
    _single_switch_ports(model, space)
    _pod_count(model, space)
    _zone_count(model, space)
    _cage_count(model, space)


def pools_on(space: Space, template: int) -> Iterator[tuple[int, Slot]]:
    """The pools of a template's block, with their choices."""
    return zip(space.blocks[template], space.slots[template], strict=True)


def bought(model: Any, template: Template, f: int) -> Iterator[tuple[str, Any, int, Any]]:
    """Switches and links above the NICs of a template, all copies: kind, key, how many per unit of which variable."""
    shape, copies = template.shape, template.shape.copies.count
    if shape.kind != "tree":
        leaves = copies * shape.max_leaves
        yield "switches", ("leaf", shape.leaf.id), leaves, model.template[f]
        for line in shape.lines:
            yield "links", line.name, leaves * line.links // 2, model.template[f]
        return
    yield "switches", ("leaf", shape.leaf.id), copies, model.leaves[f]
    spines = copies * shape.spines
    cores, tops = spines * shape.cores_per_spine, spines * shape.cores_per_spine * shape.tops_per_core
    if shape.spine is not None:
        per = model.pods[f] if shape.core is not None else model.template[f]
        yield "switches", ("spine", shape.spine.id), spines, per
        yield "links", "leaf_spine", copies * shape.uplinks, model.leaves[f]
    if shape.core is not None:
        per = model.zones[f] if shape.top is not None else model.template[f]
        yield "switches", ("core", shape.core.id), cores, per
        yield "links", "spine_core", spines * shape.spine_up, model.pods[f]
    if shape.top is not None:
        yield "switches", ("top", shape.top.id), tops, model.template[f]
        yield "links", "core_top", cores * shape.core_up, model.zones[f]


def _leaf_count(model: Any, space: Space) -> None:
    """leaves[f] == sum over p, i of leaves(p, f, i) * choice[p, f, i].

    Applies to every template f; leaves are switches (one in all with a single stage, which its pools share), of leaves
    joined directly those that pools use.
    """

    def rule(m: Any, f: int) -> Any:
        if space.templates[f].shape.stages == 1:
            return m.leaves[f] == m.template[f]
        return m.leaves[f] == pyo.quicksum(
            leaves * m.choice[p, f, i]
            for p, slot in pools_on(space, f)
            for i, leaves in enumerate(slot.choices.leaves.tolist())
        )

    model.leaf_count = pyo.Constraint(model.TEMPLATES, rule=rule)


def _grid_filled(model: Any, space: Space) -> None:
    """leaves[f] >= min_leaves(f) * template[f].

    Applies to leaves joined directly: a mesh has no idle leaf, a grid not a whole line or group of them. Source:
    docs/rules.md section 7.1.
    """

    def rule(m: Any, f: int) -> Any:
        shape = space.templates[f].shape
        return pyo.Constraint.Skip if shape.kind == "tree" else m.leaves[f] >= shape.min_leaves * m.template[f]

    model.grid_filled = pyo.Constraint(model.TEMPLATES, rule=rule)


def _top_ports(model: Any, space: Space) -> None:
    """leaves[f] <= max_leaves(f) * template[f],  pods[f] <= max_pods(f) * template[f],  zones[f] likewise.

    Applies to templates of two stages (ports of a spine over links per leaf), three (ports of a core over links per
    pod) and four (ports of a top over links per zone), and to the leaves of a grid. Source: docs/rules.md section 7.
    """

    def leaf_rule(m: Any, f: int) -> Any:
        shape = space.templates[f].shape
        if shape.stages not in (0, 2):
            return pyo.Constraint.Skip
        return m.leaves[f] <= shape.max_leaves * m.template[f]

    def pod_rule(m: Any, f: int) -> Any:
        return m.pods[f] <= space.templates[f].shape.max_pods * m.template[f]

    def zone_rule(m: Any, f: int) -> Any:
        return m.zones[f] <= space.templates[f].shape.max_zones * m.template[f]

    model.spine_ports = pyo.Constraint(model.TEMPLATES, rule=leaf_rule)
    model.core_ports = pyo.Constraint(model.pods.index_set(), rule=pod_rule)
    model.top_ports = pyo.Constraint(model.zones.index_set(), rule=zone_rule)


def _single_switch_ports(model: Any, space: Space) -> None:
    """sum over p, i of down(p, f, i) / radix(rate) * choice[p, f, i] <= template[f].

    Applies to templates of one stage: shares of the one switch's ports, in the common denominator of its radices.
    """

    def rule(m: Any, f: int) -> Any:
        shape = space.templates[f].shape
        if shape.stages != 1:
            return pyo.Constraint.Skip
        whole = 1
        for radix in set(shape.leaf.radix.values()):
            whole *= radix
        return (
            pyo.quicksum(
                down * (whole // shape.leaf.radix[rate]) * m.choice[p, f, i]
                for p, slot in pools_on(space, f)
                for i, (down, rate) in enumerate(
                    zip(slot.choices.down.tolist(), slot.choices.rate.tolist(), strict=True)
                )
            )
            / whole
            <= m.template[f]
        )

    model.single_switch_ports = pyo.Constraint(model.TEMPLATES, rule=rule)


def _rounded(model: Any, space: Space, name: str, variables: Any, count: Callable[[Template, int], int]) -> None:
    """variables[f] >= sum over i of count(f, leaves(p, f, i)) * choice[p, f, i], for every pool p of the block of f.

    Of a mixed pool, whose parts may share what is rounded, over the choices on each of its accelerators.
    """

    def rule(m: Any, f: int, p: int, kind: int) -> Any:
        template, choices = space.templates[f], dict(pools_on(space, f))[p].choices
        rows = range(choices.down.size) if choices.mixing is None else np.flatnonzero(choices.mixing.kind == kind)
        return variables[f] >= pyo.quicksum(
            count(template, int(choices.leaves[i])) * m.choice[p, f, int(i)] for i in rows
        )

    keys = [
        (f, p, kind)
        for f in variables.index_set()
        for p, slot in pools_on(space, f)
        for kind in ([0] if slot.choices.mixing is None else np.unique(slot.choices.mixing.kind).tolist())
    ]
    model.add_component(name, pyo.Constraint(keys, rule=rule))


def _pod_count(model: Any, space: Space) -> None:
    """L * pods[f] >= leaves[f]  and  pods[f] >= sum over i of ceil(leaves / L) * choice[p, f, i].

    Applies to templates of three and four stages, L leaves per pod. The second row, for every pool p of the block, is
    implied for whole numbers and cuts off fractional pods.
    """

    def rule(m: Any, f: int) -> Any:
        return space.templates[f].shape.leaves_per_pod * m.pods[f] >= m.leaves[f]

    model.pod_count = pyo.Constraint(model.pods.index_set(), rule=rule)
    _rounded(model, space, "pod_rounding", model.pods, Template.pods)


def _zone_count(model: Any, space: Space) -> None:
    """Z * zones[f] >= pods[f]  and  zones[f] >= sum over i of ceil(ceil(leaves / L) / Z) * choice[p, f, i].

    Applies to templates of four stages, Z pods per zone; the second row as for pods.
    """

    def rule(m: Any, f: int) -> Any:
        return space.templates[f].shape.pods_per_zone * m.zones[f] >= m.pods[f]

    model.zone_count = pyo.Constraint(model.zones.index_set(), rule=rule)
    _rounded(model, space, "zone_rounding", model.zones, Template.zones)


def _cage_count(model: Any, space: Space) -> None:
    """cages[f] >= ratio(f) * members[f]  and  cages[f] >= sum over i of ceil(ratio * members) * choice[p, f, i].

    Applies to templates whose top boxes take modules: members are leaves (two stages), pods (three) or zones (four),
    the ratio is the share of a row-rate cage that one member fills on every full top box; ``lean_cages`` and their
    ratio the same of the lean ones. The second row cuts off fractional cages. Source: docs/rules.md sections 5, 7.
    """

    def filled(m: Any, f: int, ratio: float) -> Any:
        shape = space.templates[f].shape
        members = m.leaves[f] if shape.core is None else m.pods[f]
        if shape.top is not None:
            members = m.zones[f]
        return ratio * members

    def rule(m: Any, f: int) -> Any:
        return m.cages[f] >= filled(m, f, space.templates[f].cage_ratio)

    def lean_rule(m: Any, f: int) -> Any:
        return m.lean_cages[f] >= filled(m, f, space.templates[f].lean_ratio)

    model.cage_count = pyo.Constraint(model.cages.index_set(), rule=rule)
    model.lean_cage_count = pyo.Constraint(model.lean_cages.index_set(), rule=lean_rule)
    _rounded(model, space, "cage_rounding", model.cages, Template.cages)
    _rounded(model, space, "lean_cage_rounding", model.lean_cages, Template.lean_cages)
