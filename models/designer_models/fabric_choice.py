"""The MILP: one choice per pool, fabric templates that part the workloads, whole switches, pods and cages.

Sets
    ``POOLS``; ``TEMPLATES`` f, each for a block of pools whose workloads share it; choices i of pool p under template
    f, arrays of :class:`designer.candidates.slots.Slot`; ``BLOCKS`` b, where racks are limited.
Variables
    ``choice[p, f, i]`` 1 if pool p runs choice i under template f; ``template[f]`` 1 if f is built; ``leaves[f]``,
    ``pods[f]``, ``cages[f]`` whole numbers, those of one copy of the fabric (rails x planes);
    ``network_racks[b]``; and, named for the reader of the model file and tied by
    equations, ``domain_size[p, S]``, ``domains[p, S]``, ``accelerators[a]``, ``switches[stage, type]``,
    ``links[boundary]``.

A choice is a whole path accelerator - boundary - stage - NIC boundary - leaf, so that for one pool the polytope of
paths is integral; choices are disaggregated per template because what a leaf sends up is a constant only per
choice *and* template. Why that shape: docs/formulation.md.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import pyomo.environ as pyo

from designer.candidates.slots import Slot
from designer.candidates.space import Space
from designer.candidates.terms import NET_WATTS, RACKS

# Boundaries and switch stages inside a scale-up domain, from the accelerators outward.
_SCALE_UP = ("scale_up", "scale_up_upper")


@dataclass(frozen=True)
class FabricChoice:
    """The Pyomo model with the keys of its choice variables in matrix order."""

    model: Any
    keys: tuple[tuple[int, int, int], ...]


def build_fabric_choice(space: Space, *, elastic: bool = False) -> FabricChoice:
    """State the MILP over the candidates of a question.

    Parameters
    ----------
    space
        Choices and templates with their term vectors.
    elastic
        Let every limit of the instance be exceeded by a slack and minimise the sum of relative excesses instead of
        cost: the twin that explains an infeasible question. Built by the same code, so that it cannot drift.

    Returns
    -------
    FabricChoice
        ``model`` is a ``pyomo.environ.ConcreteModel``.
    """
    model = pyo.ConcreteModel(name="fabric_choice")
    keys = tuple(
        (p, f, i)
        for f in range(len(space.templates))
        for p, slot in _pools(space, f)
        for i in range(slot.choices.down.size)
    )
    model.POOLS = pyo.RangeSet(0, len(space.pools) - 1)
    model.TEMPLATES = pyo.RangeSet(0, len(space.templates) - 1)
    model.choice = pyo.Var(keys, domain=pyo.Binary)
    model.template = pyo.Var(model.TEMPLATES, domain=pyo.Binary)
    model.leaves = pyo.Var(model.TEMPLATES, domain=pyo.NonNegativeIntegers)
    tiered = [f for f, t in enumerate(space.templates) if t.shape.core is not None]
    caged = [f for f, t in enumerate(space.templates) if t.cage_ratio > 0]
    model.pods = pyo.Var(tiered, domain=pyo.NonNegativeIntegers)
    model.cages = pyo.Var(caged, domain=pyo.NonNegativeIntegers)
    _pool_choice(model, space)
    _template_use(model, space)
    _leaf_count(model, space)
    _top_ports(model, space)
    _single_switch_ports(model, space)
    _pod_count(model, space)
    _cage_count(model, space)
    expressions = _Totals(model, space)
    _limits(model, space, expressions, elastic=elastic)
    _named_counts(model, space)
    if elastic:
        model.cost = pyo.Objective(expr=pyo.quicksum(model.excess.values()))
    else:
        model.cost = pyo.Objective(expr=expressions.objective())
    return FabricChoice(model, keys)


def forbid(stated: FabricChoice, keys: list[tuple[int, int, int]]) -> None:
    """sum of choice[key] over the keys <= number of keys - 1.

    Applies to one selection of all pools that exact arithmetic found beyond a limit although the solver's tolerance let
    it through; added one by one, so the bound stays one for the question.
    """
    model = stated.model
    if not hasattr(model, "forbidden"):
        model.forbidden = pyo.ConstraintList()
    model.forbidden.add(pyo.quicksum(model.choice[key] for key in keys) <= len(keys) - 1)


def _pool_choice(model: Any, space: Space) -> None:
    """sum over f, i of choice[p, f, i] == 1.

    Applies to every pool p, over the templates f of all blocks of workloads that it belongs to: it runs exactly one
    choice, on one fabric. Source: docs/formulation.md, "one path per pool".
    """
    mine: list[list[Any]] = [[] for _ in space.pools]
    for f in range(len(space.templates)):
        for p, slot in _pools(space, f):
            mine[p] += [model.choice[p, f, i] for i in range(slot.choices.down.size)]

    def rule(_: Any, p: int) -> Any:
        return pyo.quicksum(mine[p]) == 1

    model.pool_choice = pyo.Constraint(model.POOLS, rule=rule)


def _template_use(model: Any, space: Space) -> None:
    """sum over i of choice[p, f, i] == template[f].

    Applies to every template f and every pool p of its block: they share it if it is built. With one choice per pool,
    the templates built part the workloads. Disaggregated by template, which is what keeps the relaxation tight
    (docs/formulation.md).
    """
    slots = {(p, f): slot for f in range(len(space.templates)) for p, slot in _pools(space, f)}

    def rule(m: Any, p: int, f: int) -> Any:
        return pyo.quicksum(m.choice[p, f, i] for i in range(slots[p, f].choices.down.size)) == m.template[f]

    model.template_use = pyo.Constraint(sorted(slots), rule=rule)


def _leaf_count(model: Any, space: Space) -> None:
    """leaves[f] == sum over p, i of leaves(p, f, i) * choice[p, f, i].

    Applies to every template f; leaves are switches (one in all with a single stage, which its pools share).
    """

    def rule(m: Any, f: int) -> Any:
        if space.templates[f].shape.stages == 1:
            return m.leaves[f] == m.template[f]
        return m.leaves[f] == pyo.quicksum(
            leaves * m.choice[p, f, i]
            for p, slot in _pools(space, f)
            for i, leaves in enumerate(slot.choices.leaves.tolist())
        )

    model.leaf_count = pyo.Constraint(model.TEMPLATES, rule=rule)


def _top_ports(model: Any, space: Space) -> None:
    """leaves[f] <= max_leaves(f) * template[f]  and  pods[f] <= max_pods(f) * template[f].

    Applies to templates of two stages (ports of a spine over links per leaf) and three (ports of a core over links per
    pod). Source: docs/rules.md section 7.
    """

    def leaf_rule(m: Any, f: int) -> Any:
        shape = space.templates[f].shape
        if shape.stages != 2:
            return pyo.Constraint.Skip
        return m.leaves[f] <= shape.max_leaves * m.template[f]

    def pod_rule(m: Any, f: int) -> Any:
        return m.pods[f] <= space.templates[f].shape.max_pods * m.template[f]

    model.spine_ports = pyo.Constraint(model.TEMPLATES, rule=leaf_rule)
    model.core_ports = pyo.Constraint(model.pods.index_set(), rule=pod_rule)


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
                for p, slot in _pools(space, f)
                for i, (down, rate) in enumerate(
                    zip(slot.choices.down.tolist(), slot.choices.rate.tolist(), strict=True)
                )
            )
            / whole
            <= m.template[f]
        )

    model.single_switch_ports = pyo.Constraint(model.TEMPLATES, rule=rule)


def _pod_count(model: Any, space: Space) -> None:
    """L * pods[f] >= leaves[f]  and  pods[f] >= sum over i of ceil(leaves / L) * choice[p, f, i].

    Applies to templates of three stages, L leaves per pod. The second row, for every pool p of the block, is implied
    for whole numbers and cuts off fractional pods.
    """

    def rule(m: Any, f: int) -> Any:
        return space.templates[f].shape.leaves_per_pod * m.pods[f] >= m.leaves[f]

    def tight(m: Any, f: int, p: int) -> Any:
        slot = dict(_pools(space, f))[p]
        return m.pods[f] >= pyo.quicksum(
            space.templates[f].pods(leaves) * m.choice[p, f, i] for i, leaves in enumerate(slot.choices.leaves.tolist())
        )

    tiered = model.pods.index_set()
    model.pod_count = pyo.Constraint(tiered, rule=rule)
    model.pod_rounding = pyo.Constraint([(f, p) for f in tiered for p in space.blocks[f]], rule=tight)


def _cage_count(model: Any, space: Space) -> None:
    """cages[f] >= ratio(f) * members[f]  and  cages[f] >= sum over i of ceil(ratio * members) * choice[p, f, i].

    Applies to templates whose top boxes take modules: members are leaves (two stages) or pods (three), the ratio is the
    share of a row-rate cage that one member fills on every top box. The second row cuts off fractional cages.
    """

    def rule(m: Any, f: int) -> Any:
        template = space.templates[f]
        members = m.pods[f] if template.shape.core is not None else m.leaves[f]
        return m.cages[f] >= template.cage_ratio * members

    def tight(m: Any, f: int, p: int) -> Any:
        template, slot = space.templates[f], dict(_pools(space, f))[p]
        return m.cages[f] >= pyo.quicksum(
            template.cages(leaves) * m.choice[p, f, i] for i, leaves in enumerate(slot.choices.leaves.tolist())
        )

    caged = model.cages.index_set()
    model.cage_count = pyo.Constraint(caged, rule=rule)
    model.cage_rounding = pyo.Constraint([(f, p) for f in caged for p in space.blocks[f]], rule=tight)


class _Totals:
    """Linear totals of the term columns over all variables."""

    def __init__(self, model: Any, space: Space) -> None:
        self.model, self.space = model, space

    def column(self, term: int, templates: Iterable[int]) -> Any:
        """Total of one term column over some templates."""
        return self._sum(lambda vectors: vectors[..., term], templates)

    def objective(self) -> Any:
        """The goal of the space, by default USD per year."""
        return self.weighed(self.space.weights.goal)

    def weighed(self, row: Any) -> Any:
        """Total of the term columns weighed by a vector."""
        return self._sum(lambda vectors: vectors @ row, range(len(self.space.templates)))

    def _sum(self, pick: Any, templates: Iterable[int]) -> Any:
        model, parts = self.model, []
        for f in templates:
            template = self.space.templates[f]
            for value, variable in (
                (pick(template.fixed), model.template[f]),
                (pick(template.per_pod), _member(model.pods, f)),
                (pick(template.per_cage), _member(model.cages, f)),
            ):
                if variable is not None and value != 0.0:
                    parts.append(float(value) * variable)
            for p, slot in _pools(self.space, f):
                parts += [
                    value * model.choice[p, f, i] for i, value in enumerate(pick(slot.terms).tolist()) if value != 0.0
                ]
        return pyo.quicksum(parts)


def _limits(model: Any, space: Space, totals: _Totals, *, elastic: bool) -> None:
    """total(term) <= most (+ excess * most).

    Applies to every limit the instance sets: MW of nameplate power, racks (accelerator racks + network racks), USD of
    IT capital, hard repairs, job hits and accelerator-hours lost per year, units in stock; of a share of accelerators
    or of their hours, what is used beyond it, at most 0. Rows are scaled by the limit.
    ``network_racks[b]`` whole, ``network_racks[b] >= watts in network racks / watts of a rack``: for every block b of
    workloads, which has one fabric at most.
    Source: docs/rules.md section 10.
    """
    limits = space.weights.limits
    model.LIMITS = pyo.RangeSet(0, len(limits) - 1)
    if elastic:
        model.excess = pyo.Var(model.LIMITS, domain=pyo.NonNegativeReals)
    if any(limit.row[RACKS] for limit in limits):
        blocks = {block: [f for f, mine in enumerate(space.blocks) if mine == block] for block in space.blocks}
        model.BLOCKS = pyo.RangeSet(0, len(blocks) - 1)
        model.network_racks = pyo.Var(model.BLOCKS, domain=pyo.NonNegativeIntegers)
        watts = [totals.column(NET_WATTS, mine) / space.network_rack_watts for mine in blocks.values()]
        model.network_rack_count = pyo.Constraint(model.BLOCKS, rule=lambda m, b: m.network_racks[b] >= watts[b])

    def rule(m: Any, k: int) -> Any:
        limit = limits[k]
        used = totals.weighed(limit.row)
        if limit.row[RACKS]:
            used = used + pyo.quicksum(m.network_racks.values())
        scale = limit.most if limit.most > 0 else 1.0
        slack = m.excess[k] if elastic else 0.0
        if type(used) in (int, float) and not elastic:
            # No candidate has anything of it.
            return pyo.Constraint.Feasible if used <= limit.most else pyo.Constraint.Infeasible
        return used / scale <= limit.most / scale + slack

    model.limit = pyo.Constraint(model.LIMITS, rule=rule)


def _named_counts(model: Any, space: Space) -> None:
    """count == sum of its whole number over the choices and templates that have it.

    Applies to domain sizes and domains per pool, accelerators per type, switches per stage and type, links per
    boundary, over all copies of the fabric. The equations decide nothing; they let a reader of the model file see what
    is chosen.
    """
    sums: dict[str, dict[Any, list[tuple[int, Any]]]] = defaultdict(lambda: defaultdict(list))
    for f, template in enumerate(space.templates):
        shape, copies = template.shape, template.shape.copies.count
        sums["switches"]["leaf", shape.leaf.id].append((copies, model.leaves[f]))
        if shape.spine is not None:
            many = model.pods[f] if shape.core is not None else model.template[f]
            sums["switches"]["spine", shape.spine.id].append((copies * shape.spines, many))
            sums["links"]["leaf_spine"].append((copies * shape.uplinks, model.leaves[f]))
        if shape.core is not None:
            cores = copies * shape.spines * shape.cores_per_spine
            sums["switches"]["core", shape.core.id].append((cores, model.template[f]))
            sums["links"]["spine_core"].append((copies * shape.spines * shape.spine_up, model.pods[f]))
        for p, slot in _pools(space, f):
            for i, place in enumerate(slot.choices.option.tolist()):
                option, choice = slot.choices.options[place], model.choice[p, f, i]
                domain, pool = option.domain, space.pools[p]
                sums["domain_size"][pool, domain.size].append((1, choice))
                sums["domains"][pool, domain.size].append((option.domains, choice))
                sums["accelerators"][domain.accelerator.id].append((option.accelerators, choice))
                for stage, (switch, boxes) in zip(_SCALE_UP, domain.switch_counts, strict=False):
                    sums["switches"][stage, switch].append((option.domains * boxes, choice))
                for stage, links in zip(_SCALE_UP, domain.link_counts, strict=False):
                    sums["links"][stage].append((option.domains * links, choice))
                nic_links = option.accelerators * domain.nics * shape.copies.planes
                sums["links"]["nic_leaf"].append((nic_links, choice))
    for name in ("domain_size", "domains", "accelerators", "switches", "links"):
        _tie(model, name, sums[name])


def _tie(model: Any, name: str, sums: dict[Any, list[tuple[int, Any]]]) -> None:
    domain = pyo.Binary if name == "domain_size" else pyo.NonNegativeIntegers
    model.add_component(name, pyo.Var(list(sums), domain=domain))
    variable = getattr(model, name)
    model.add_component(
        f"{name}_tie",
        pyo.Constraint(
            list(sums), rule=lambda m, *key: variable[key] == pyo.quicksum(n * var for n, var in sums[_plain(key)])
        ),
    )


def _pools(space: Space, template: int) -> Iterator[tuple[int, Slot]]:
    """The pools of a template's block, with their choices."""
    return zip(space.blocks[template], space.slots[template], strict=True)


def _member(variables: Any, index: int) -> Any:
    """Return a variable of a sparse family, or None where it does not exist."""
    return variables[index] if index in variables else None  # noqa: SIM401 - Pyomo's families have no get()


def _plain(key: tuple[Any, ...]) -> Any:
    return key if len(key) > 1 else key[0]
