"""Fabric templates: everything above the leaf with counts left open (``docs/rules.md`` section 7).

A template fixes switch types, links per leaf and spine, spines per pod, taper of the spines, cores and link pairs.
What it adds is linear in the leaves of every pool, in its pods and in the cages of its top boxes.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from designer.candidates.cables import LinkPair, Port, allowed_pairs, ceil_div, cleaning, end_load, install_usd
from designer.candidates.choices import Choices
from designer.candidates.parts import Economy, LinkPart, SwitchPart
from designer.candidates.scale_up import box_load
from designer.candidates.terms import FAILURES, HARD, HITS, HOURS, NET_WATTS, NOTHING, TERMS, Floats, Load

# Guards a ceiling or floor of a quotient of decimal figures against the last bit of its float.
EPS = 1e-9


@dataclass(frozen=True)
class Shape:
    """The whole numbers of a template; the rows a fabric has not are 0 or None.

    ``uplinks`` U = ``links_per_pair`` m x ``spines`` n_s; ``leaves_per_pod`` L (0 with two stages: not limited by
    pods), ``spine_up`` U_s = ``links_per_core`` m2 x ``cores_per_spine`` c_g.
    """

    stages: int
    leaf: SwitchPart
    spine: SwitchPart | None = None
    core: SwitchPart | None = None
    rate_gbps: int = 0
    links_per_pair: int = 0
    spines: int = 0
    spine_taper: float = 0.0
    leaves_per_pod: int = 0
    links_per_core: int = 0
    cores_per_spine: int = 0

    @property
    def uplinks(self) -> int:
        """Uplinks of a leaf."""
        return self.links_per_pair * self.spines

    @property
    def spine_up(self) -> int:
        """Uplinks of a spine."""
        return self.links_per_core * self.cores_per_spine

    @property
    def max_leaves(self) -> int:
        """Most leaves that the ports of the top stage take."""
        if self.spine is None:
            return 1
        if self.core is None:
            return self.spine.radix[self.rate_gbps] // self.links_per_pair
        return self.leaves_per_pod * self.max_pods

    @property
    def max_pods(self) -> int:
        """Most pods that the core's ports take (0 without a core)."""
        return self.core.radix[self.rate_gbps] // self.links_per_core if self.core is not None else 0


@dataclass(frozen=True)
class Template:
    """A shape with its link pairs and its coefficients (each a term vector, shape (len(TERMS),)).

    ``fixed`` once; ``per_leaf``; ``per_pod``; ``per_cage`` for one more cage on
    every top box, of which ``cage_ratio`` are filled per leaf (two stages) or pod (three); ``leaf_hits`` job hits per
    leaf; ``accelerator_hours`` hours lost per accelerator.
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


def carries(shape: Shape, choices: Choices, max_taper: float) -> npt.NDArray[np.bool_]:
    """Which choices a shape can carry: ports of the leaf, need, taper; shape (n,) of bool."""
    if shape.spine is None:
        return np.full(choices.down.size, choices.one_stage)
    if choices.one_stage:
        return np.zeros(choices.down.size, bool)
    radix = shape.leaf.radix
    down_radix = np.array([radix[r] for r in choices.rate.tolist()])
    fits = choices.down * radix[shape.rate_gbps] + shape.uplinks * down_radix <= down_radix * radix[shape.rate_gbps]
    need = shape.uplinks * shape.rate_gbps * (1 + EPS) >= choices.load_gbps
    taper = max_taper * shape.uplinks * shape.rate_gbps * (1 + EPS) >= choices.down * choices.rate
    ok = fits & need & taper & (choices.leaves <= shape.max_leaves) & (choices.rate <= shape.rate_gbps)
    if shape.core is not None:
        up = shape.spines * shape.spine_up * shape.rate_gbps * (1 + EPS)
        ok &= up >= shape.leaves_per_pod * choices.load_gbps
    return np.asarray(ok)


def _box(switch: SwitchPart, economy: Economy) -> Load:
    """Purchase, watts and repairs of one box above the leaf (its hits and hours are charged otherwise)."""
    load = box_load(switch, 1, economy.box_mttr_h, economy.box_swap_usd, economy)
    return Load(load.capex_usd, load.watts, load.watts, load.repairs_usd, load.hard)


def _vector(load: Load) -> Floats:
    out = np.zeros(len(TERMS))
    out[:NET_WATTS] = load.capex_usd, load.watts
    out[NET_WATTS] = load.watts
    out[FAILURES] = load.repairs_usd
    out[HARD] = load.hard
    return out


def _box_hits(switch: SwitchPart) -> float:
    return switch.outage + switch.box_swaps + switch.lasers * switch.laser_rate


def _box_hours(switch: SwitchPart, economy: Economy) -> float:
    hours = switch.afr_hard * economy.box_mttr_h + switch.box_swaps * switch.box_mttr_h
    return hours + switch.laser_rate * switch.laser_mttr_h


def _link_hits(pair: LinkPair, rate: int, per_pair: int, economy: Economy) -> float:
    """Hard, dirty and transient events per link, in shares of row-rate ends."""
    if not pair.module:
        row = pair.lower
        return ceil_div(per_pair * rate, row.rate_gbps) / per_pair * (2 * row.afr_end + row.transient)
    total = 0.0
    for row in (pair.lower, pair.upper):
        afr = 0.0 if row.cpo else row.afr_end
        total += rate / row.rate_gbps * (afr + row.transient / 2 + economy.contamination_per_link / 2)
    return total


def _link_hours(pair: LinkPair, economy: Economy) -> float:
    if not pair.module:
        return 2 * pair.lower.afr_end * pair.lower.mttr_h
    hours = sum(row.afr_end * row.mttr_h for row in (pair.lower, pair.upper) if not row.cpo)
    return hours + economy.contamination_per_link * economy.connector_mttr_h


def _ends(pair: LinkPair, row: LinkPart, ends: float, economy: Economy) -> Load:
    """Bought ends of one side and their half of the connector cleanings."""
    _, money = cleaning(pair, ends, economy)
    return end_load(row, ends, economy) + Load(repairs_usd=money)


def build_template(
    shape: Shape, leaf_spine: LinkPair | None, spine_core: LinkPair | None, economy: Economy
) -> Template:
    """Compute the coefficients of one template."""
    zero = np.zeros(len(TERMS))
    if shape.spine is None or leaf_spine is None:
        load = _box(shape.leaf, economy)
        return Template(shape, None, None, _vector(load), zero, zero, zero, 0.0, 0.0, 0.0)
    rate, m, spines, up = shape.rate_gbps, shape.links_per_pair, shape.spines, shape.uplinks
    length = economy.forced_m.get("leaf_spine", economy.lengths_m["hall"])
    if leaf_spine.module:
        per_leaf = _ends(leaf_spine, leaf_spine.lower, ceil_div(up * rate, leaf_spine.lower.rate_gbps), economy)
        per_leaf += Load(up * install_usd(leaf_spine, rate, length, economy))
    else:
        per_leaf = end_load(leaf_spine.lower, spines * ceil_div(m * rate, leaf_spine.lower.rate_gbps), economy)
    hits = up / shape.spine.radix[rate] * _box_hits(shape.spine) + up * _link_hits(leaf_spine, rate, m, economy)
    hours = _box_hours(shape.spine, economy) + _link_hours(leaf_spine, economy)
    box = _box(shape.spine, economy)
    fixed, per_pod, per_cage, ratio = NOTHING, NOTHING, NOTHING, 0.0
    if shape.core is None or spine_core is None:
        fixed = box.times(spines)
        if leaf_spine.module:
            per_cage = _ends(leaf_spine, leaf_spine.upper, spines, economy)
            ratio = m * rate / leaf_spine.upper.rate_gbps
    else:
        length = economy.forced_m.get("spine_core", economy.lengths_m["building"])
        m2, groups, spine_up = shape.links_per_core, shape.cores_per_spine, shape.spine_up
        per_pod = box.times(spines)
        if leaf_spine.module:
            cages = ceil_div(shape.leaves_per_pod * m * rate, leaf_spine.upper.rate_gbps)
            per_pod += _ends(leaf_spine, leaf_spine.upper, spines * cages, economy)
        cores = spines * groups
        fixed = _box(shape.core, economy).times(cores)
        if spine_core.module:
            cages = ceil_div(spine_up * rate, spine_core.lower.rate_gbps)
            per_pod += _ends(spine_core, spine_core.lower, spines * cages, economy)
            per_pod += Load(spines * spine_up * install_usd(spine_core, rate, length, economy))
            per_cage = _ends(spine_core, spine_core.upper, cores, economy)
            ratio = m2 * rate / spine_core.upper.rate_gbps
        else:
            cables = spines * groups * ceil_div(m2 * rate, spine_core.lower.rate_gbps)
            per_pod += end_load(spine_core.lower, cables, economy)
        links = spine_up * spines / shape.leaves_per_pod
        hits += links / shape.core.radix[rate] * _box_hits(shape.core)
        hits += links * _link_hits(spine_core, rate, m2, economy)
        hours += _box_hours(shape.core, economy) + _link_hours(spine_core, economy)
    return Template(
        shape,
        leaf_spine,
        spine_core,
        _vector(fixed),
        _vector(per_leaf),
        _vector(per_pod),
        _vector(per_cage),
        hits * economy.p_kill,
        hours,
        ratio,
    )


def box_vector(switch: SwitchPart, economy: Economy) -> Floats:
    """Term vector of one box above the leaf, its hits and hours apart."""
    return _vector(_box(switch, economy))


def pair_vectors(pair: LinkPair, rate: int, length_m: float, economy: Economy) -> tuple[Floats, float, float]:
    """Term vectors (3, len(TERMS)) of one lower end, one upper end and one link's fibre; hits and hours per link."""
    if not pair.module:
        row = pair.lower
        vectors = [_vector(end_load(row, 1.0, economy)), np.zeros(len(TERMS)), np.zeros(len(TERMS))]
        return np.stack(vectors), 2 * row.afr_end + row.transient, _link_hours(pair, economy)
    loads = [_ends(pair, pair.lower, 1.0, economy), _ends(pair, pair.upper, 1.0, economy)]
    loads.append(Load(install_usd(pair, rate, length_m, economy)))
    return np.stack([_vector(load) for load in loads]), _link_hits(pair, rate, 1, economy), _link_hours(pair, economy)


def link_floor(
    pair: LinkPair,
    rate: int,
    upper: SwitchPart,
    economy: Economy,
    usd: Floats,
    hits_usd: tuple[float, float],
    length_m: float,
) -> tuple[float, float]:
    """What a link adds to the objective at least: per link, and once for the whole fabric.

    Ends are counted in shares of row-rate ends (never more than are bought); ``hits_usd`` are the least money of a job
    hit and of one hour lost by every accelerator of the pools. The box above is charged with its hits and hours.
    """
    if pair.module:
        load = Load(install_usd(pair, rate, length_m, economy))
        for row in (pair.lower, pair.upper):
            load += _ends(pair, row, 1.0, economy).times(rate / row.rate_gbps)
        events = _link_hits(pair, rate, 1, economy)
    else:
        row = pair.lower
        load = end_load(row, 1.0, economy).times(rate / row.rate_gbps)
        events = rate / row.rate_gbps * (2 * row.afr_end + row.transient)
    events += _box_hits(upper) / upper.radix[rate]
    hours = _box_hours(upper, economy) + _link_hours(pair, economy)
    return float(usd @ _vector(load)) + events * economy.p_kill * hits_usd[0], hours * hits_usd[1]


def pairs_between(
    lower: SwitchPart, upper: SwitchPart, links: Sequence[LinkPart], rate: int, length_m: float
) -> list[LinkPair]:
    """Link pairs between two switches of the scale-out fabric."""
    return list(
        allowed_pairs(
            links, Port(frozenset({lower.lane_gbps}), lower), Port(frozenset({upper.lane_gbps}), upper), rate, length_m
        )
    )
