"""The MILP: one choice per pool, fabric templates that part the workloads, whole switches, pods and cages.

Sets
    ``POOLS``; ``TEMPLATES`` f, each for a block of pools whose workloads share it; choices i of pool p under template
    f, arrays of :class:`designer.candidates.slots.Slot`; ``BLOCKS`` b, where racks are limited.
Variables
    ``choice[p, f, i]`` 1 if pool p runs choice i under template f; ``template[f]`` 1 if f is built; ``leaves[f]``,
    ``pods[f]``, ``zones[f]``, ``cages[f]`` whole numbers, those of one copy of the fabric (rails x planes), counted in
    `designer_models.fabric_counts`; ``network_racks[b]``; and, named for the reader of the model file and tied by
    equations, ``domain_size[p, S]``, ``domains[p, S]``, ``accelerators[a]``, ``switches[stage, type]``,
    ``links[boundary]``.

A choice is a whole path accelerator - boundary - stage - NIC boundary - leaf, so that for one pool the polytope of
paths is integral; choices are disaggregated per template because what a leaf sends up is a constant only per
choice *and* template. Why that shape: docs/formulation.md.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyomo.environ as pyo

from designer.candidates.mixing import Mix
from designer.candidates.slots import Slot
from designer.candidates.space import Space
from designer.candidates.templates import Template
from designer.candidates.terms import NET_WATTS, RACKS
from designer_models.fabric_counts import bought, count_fabrics, pools_on

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
        for p, slot in pools_on(space, f)
        for i in range(slot.choices.down.size)
    )
    model.POOLS = pyo.RangeSet(0, len(space.pools) - 1)
    model.TEMPLATES = pyo.RangeSet(0, len(space.templates) - 1)
    model.choice = pyo.Var(keys, domain=pyo.Binary)
    model.template = pyo.Var(model.TEMPLATES, domain=pyo.Binary)
    _pool_choice(model, space)
    _template_use(model, space)
    count_fabrics(model, space)
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
    """sum over f, i of share(i) * choice[p, f, i] == 1 (in whole steps of a mixed pool: == K).

    Applies to every pool p, over the templates f of all blocks of workloads that it belongs to: it runs exactly one
    choice, on one fabric, or choices whose shares make it up. Source: docs/formulation.md, "one path per pool".
    """
    mine: list[list[Any]] = [[] for _ in space.pools]
    steps = [1] * len(space.pools)
    for f in range(len(space.templates)):
        for p, slot in pools_on(space, f):
            mine[p] += _served(model, p, f, slot)
            steps[p] = _steps(slot)

    def rule(_: Any, p: int) -> Any:
        return pyo.quicksum(mine[p]) == steps[p]

    model.pool_choice = pyo.Constraint(model.POOLS, rule=rule)


def _template_use(model: Any, space: Space) -> None:
    """sum over i of share(i) * choice[p, f, i] == template[f] (in whole steps of a mixed pool: == K * template[f]).

    Applies to every template f and every pool p of its block: they share it if it is built. With one choice per pool,
    the templates built part the workloads; so they do with parts, which add up to the pool on one of them.
    Disaggregated by template, which is what keeps the relaxation tight (docs/formulation.md).
    """
    slots = {(p, f): slot for f in range(len(space.templates)) for p, slot in pools_on(space, f)}

    def rule(m: Any, p: int, f: int) -> Any:
        return pyo.quicksum(_served(m, p, f, slots[p, f])) == _steps(slots[p, f]) * m.template[f]

    model.template_use = pyo.Constraint(sorted(slots), rule=rule)
    _parts(model, {key: slot.choices.mixing for key, slot in slots.items() if slot.choices.mixing is not None})


def _served(model: Any, p: int, f: int, slot: Slot) -> list[Any]:
    """What of the pool each choice serves if it is taken: all of it, or so many steps."""
    mix, choices = slot.choices.mixing, range(slot.choices.down.size)
    if mix is None:
        return [model.choice[p, f, i] for i in choices]
    return [share * model.choice[p, f, i] for i, share in zip(choices, mix.share.tolist(), strict=True)]


def _steps(slot: Slot) -> int:
    return 1 if slot.choices.mixing is None else slot.choices.mixing.steps


def _parts(model: Any, mixes: Mapping[tuple[int, int], Mix]) -> None:
    """sum over i of choice[p, f, i] <= M * template[f]  and  sum over i on a of choice[p, f, i] <= template[f].

    Applies to every pool p that may be mixed of M parts and every template f for it; the second row for each of its
    accelerators a: no two parts are on the same. Source: docs/rules.md section 6.4.
    """

    def most(m: Any, p: int, f: int) -> Any:
        mix = mixes[p, f]
        return pyo.quicksum(m.choice[p, f, i] for i in range(mix.share.size)) <= mix.most * m.template[f]

    def apart(m: Any, p: int, f: int, kind: int) -> Any:
        rows = np.flatnonzero(mixes[p, f].kind == kind).tolist()
        return pyo.quicksum(m.choice[p, f, i] for i in rows) <= m.template[f]

    kinds = [(p, f, kind) for (p, f), mix in sorted(mixes.items()) for kind in np.unique(mix.kind).tolist()]
    model.most_parts = pyo.Constraint(sorted(mixes), rule=most)
    model.parts_apart = pyo.Constraint(kinds, rule=apart)


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
                (pick(template.per_zone), _member(model.zones, f)),
                (pick(template.per_cage), _member(model.cages, f)),
                (pick(template.per_lean), _member(model.lean_cages, f)),
                (pick(template.per_idle), _idle(model, template, f)),
            ):
                if variable is not None and value != 0.0:
                    parts.append(float(value) * variable)
            for p, slot in pools_on(self.space, f):
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
        for kind, key, number, variable in bought(model, template, f):
            sums[kind][key].append((number, variable))
        for p, slot in pools_on(space, f):
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
                nic_links = option.accelerators * domain.nics * template.shape.copies.planes
                sums["links"]["nic_leaf"].append((nic_links, choice))
    for name in ("domain_size", "domains", "accelerators", "switches", "links"):
        _tie(model, name, sums[name])


def _tie(model: Any, name: str, sums: dict[Any, list[tuple[int, Any]]]) -> None:
    # Two parts of a pool may be in domains of one size.
    domain = pyo.Binary if name == "domain_size" and not model.most_parts else pyo.NonNegativeIntegers
    model.add_component(name, pyo.Var(list(sums), domain=domain))
    variable = getattr(model, name)
    model.add_component(
        f"{name}_tie",
        pyo.Constraint(
            list(sums), rule=lambda m, *key: variable[key] == pyo.quicksum(n * var for n, var in sums[_plain(key)])
        ),
    )


def _idle(model: Any, template: Template, f: int) -> Any:
    """Leaves of a grid that no pool uses, None in a tree."""
    if template.shape.kind == "tree":
        return None
    return template.shape.max_leaves * model.template[f] - model.leaves[f]


def _member(variables: Any, index: int) -> Any:
    """Return a variable of a sparse family, or None where it does not exist."""
    return variables[index] if index in variables else None  # noqa: SIM401 - Pyomo's families have no get()


def _plain(key: tuple[Any, ...]) -> Any:
    return key if len(key) > 1 else key[0]
