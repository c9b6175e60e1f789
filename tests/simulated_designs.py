"""Designs to simulate, and what every component of one would do if all its events were averaged: no random numbers."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from private_designs import private_design, private_instance
from scipy.stats import binom
from thinned_designs import (
    striped_four_design,
    striped_four_instance,
    striped_pod_design,
    striped_rack_design,
)
from verify_crossing_designs import crossing_catalogue, one_switch_design, two_stage_design
from verify_designs import altered, figure, pod_design, pod_instance, rack_design, rack_instance, round_catalogue
from verify_spare_designs import (
    mixed_design,
    mixed_instance,
    racks,
    spare_instance,
    spare_replica_design,
)
from verify_upper_designs import FLAT, flat_instance, four_design, four_instance, upper_catalogue
from verify_wide_designs import (
    clos_design,
    clos_instance,
    mesh_design,
    mesh_instance,
    planes_design,
    planes_instance,
    planes_on_modules_design,
    rails_design,
    rails_instance,
    split_design,
    split_instance,
    torus_design,
    torus_instance,
)

from designer.catalogue import Catalogue
from designer.design.types import Design
from designer.instance.schema import Choose, Fleet, Instance
from designer.simulate.fabric_places import PartOf
from designer.simulate.kind import Kind
from designer.simulate.placement import Placement
from designer.simulate.run import components
from designer.verify import verify

Case = tuple[Design, Catalogue, Instance]
ROUND = round_catalogue()


def jobs_of(design: Design, per_job: int) -> Design:
    """The same design with jobs of another size, which must fill its domains as before."""
    (pool,) = design.pools
    size = pool.domain_size
    plan = replace(
        pool.plan, accelerators_per_replica=per_job, dp=per_job, ep=per_job, replicas_per_domain=size // per_job
    )
    peak = 150_000
    replicas = -(-peak // int(per_job * plan.tokens_per_s_per_accelerator))
    return replace(design, pools=(replace(pool, plan=plan, replicas=replicas),))


def co_packaged(part: str = "th5_64x800", modules: int = 9) -> Catalogue:
    """The round catalogue with a switch, that of the leaves of the rack design, that is co-packaged."""
    spare = ROUND.switches["th6_davisson_cpo"]
    figures = {"oe_box_swap_per_year": spare.oe_box_swap_per_year, "els_modules": figure(modules)}
    row = ROUND.switches[part].model_copy(update={"cpo": True, "cpo_link": "cpo_1600", **figures})
    return replace(ROUND, switches={**ROUND.switches, part: row})


def boards_on_planes() -> Design:
    """The mesh design on two planes: NIC ports of 200, and everything above them twice."""
    design = mesh_design()
    (pool,), (cables,) = design.pools, design.fabric.boundaries
    # A host's 8 links of 200 to a leaf fill 4 cables of 400: 75 x 2 x 4.
    nic_leaf = replace(pool.nic_leaf, rate_gbps=200, links=1200, cables=600)
    cables = replace(cables, links=160, cables=160, lower_ends=160, upper_ends=160)
    fabric = replace(design.fabric, planes=2, boundaries=(cables,))
    return replace(design, pools=(replace(pool, nic_leaf=nic_leaf),), fabric=fabric)


def _crossing(build: Callable[[float], tuple[Design, Instance]]) -> Case:
    design, instance = build(8.0)
    return design, crossing_catalogue(), instance


def fleet_case() -> Case:
    """The rack design for a fleet of 1,512 accelerators in jobs of 36: 42 of them, 2 to a domain."""
    asked = Fleet(name="chat", accelerators=1512, job_accelerators=36, scale_up_gbps=5000.0, scale_out_gbps=50.0)
    design = rack_design()
    (pool,) = design.pools
    plan = replace(
        pool.plan,
        phase="fleet",
        llm="",
        tp=1,
        dp=36,
        ep=1,
        batch=1,
        accelerators_per_replica=36,
        replicas_per_domain=2,
        step_s=1.0,
        tpot_s=None,
        tokens_per_s_per_accelerator=1.0,
        memory_bytes=0.0,
        scale_up_need_gbps=5000.0,
        scale_out_ep_need_gbps=0.0,
        scale_out_other_need_gbps=50.0,
        measured=False,
    )
    pool = replace(pool, phase="fleet", plan=plan, replicas=42)
    return replace(design, pools=(pool,)), ROUND, rack_instance(workloads=(), fleets=(asked,), measured_points=None)


def repaired_in(repairs: dict[str, float], **parts: dict[str, float]) -> Catalogue:
    """The round catalogue with other times of repair, and other figures of ``TABLE__PART``."""
    found = replace(ROUND, facility=altered(ROUND.facility, {f"repair.{name}": h for name, h in repairs.items()}))
    for where, figures in parts.items():
        table, _, part = where.partition("__")
        rows = dict(getattr(found, table))
        rows[part] = altered(rows[part], figures)
        found = replace(found, **{table: rows})
    return found


def spare_boards(spare: int) -> Design:
    """The mesh design with so many more hosts: up to 80 on 10 leaves of 8."""
    design = mesh_design()
    (pool,) = design.pools
    hosts, number = 75 + spare, (75 + spare) * 8
    pool = replace(
        pool,
        domains=hosts,
        spare_domains=spare,
        accelerators=number,
        hosts=hosts,
        nics=number,
        racks=-(-hosts // 4),
        nic_leaf=replace(pool.nic_leaf, links=number, cables=number, lower_ends=number, upper_ends=number),
    )
    return replace(design, pools=(pool,))


def one_spare_plane(spare: int = 0) -> Design:
    """The rack design with so many spare racks, where the plan counts on 17 of 18 planes: 17 x 400."""
    design = racks(21 + spare, spare)
    (pool,) = design.pools
    up, plan = pool.scale_up, pool.plan
    pool = replace(
        pool, scale_up=replace(up, spare_planes=1, usable_gbps=6800.0), plan=replace(plan, scale_up_gbps=6800.0)
    )
    return replace(design, pools=(pool,))


BOARDS = mesh_instance(choose=Choose(spare_domains=(0, 1, 2, 3)))
QUIET = {"afr_hard": 0.02, "job_interrupt_per_year": 0.02}
# A plane is out for 3 % of the time: half of one of 18.
BAD_PLANES: dict[str, dict[str, float]] = {"switches__nvswitch4_chip": {"afr_hard": 0.6, "outage_per_year": 0.6}}
SPARES: dict[str, Case] = {
    # A board is down for 1 % of the time: 0.77 of 76 on average, more than one for an eighth.
    "one spare board": (
        spare_boards(1),
        repaired_in({"compute_tray_mttr_h": 52.0}, accelerators__mi300x={"afr_hard": 0.2}),
        BOARDS,
    ),
    "three spare boards": (
        spare_boards(3),
        repaired_in({"compute_tray_mttr_h": 104.0}, accelerators__mi300x={"afr_hard": 0.2}),
        BOARDS,
    ),
    # A rack is down for 1 % of the time, whatever is out for as long.
    "one spare rack": (
        racks(22, 1),
        repaired_in(
            {"compute_tray_mttr_h": 6.0, "switch_tray_mttr_h": 6.0},
            accelerators__gb200_nvl72={"afr_hard": 0.2},
            links__cu_cartridge_1600eq={"mttr_h": 6.0},
        ),
        spare_instance(),
    ),
    "a spare replica": (
        spare_replica_design(),
        repaired_in(
            {"compute_tray_mttr_h": 6.0, "switch_tray_mttr_h": 6.0},
            accelerators__gb200_nvl72={"afr_hard": 0.2},
            links__cu_cartridge_1600eq={"mttr_h": 6.0},
        ),
        spare_instance(),
    ),
    "a spare plane": (
        one_spare_plane(),
        repaired_in({"switch_tray_mttr_h": 450.0}, accelerators__gb200_nvl72=QUIET, **BAD_PLANES),
        spare_instance(),
    ),
}
"""Designs with spares, out of order often enough for them to matter, and everything inside a domain for as long."""


# Jobs of 12 or 18 nest in groups and leaves of 36; those of 8 would be cut.
CASES: dict[str, Case] = {
    "switched": (rack_design(), ROUND, rack_instance()),
    "three stages": (pod_design(), ROUND, pod_instance()),
    "CPO leaves": (rack_design(), co_packaged(), rack_instance()),
    # The last of 10 leaves has 3 boards for 8.
    "CPO leaves, the last in part use": (jobs_of(mesh_design(), 1), co_packaged(modules=8), mesh_instance()),
    # The last of 5 leaves on each rail has 5 hosts for 8.
    "CPO leaves on rails": (rails_design(), co_packaged("th6_64x1600", 8), rails_instance()),
    "planes, last leaf in part use": (boards_on_planes(), ROUND, mesh_instance(choose=Choose(scale_out_planes=(2,)))),
    "planes": (planes_design(), ROUND, planes_instance()),
    "planes on modules": (planes_on_modules_design(), ROUND, planes_instance()),
    "clos": (jobs_of(clos_design(), 12), ROUND, clos_instance()),
    "torus": (torus_design(), ROUND, torus_instance()),
    "mesh": (mesh_design(), ROUND, mesh_instance()),
    "rails and planes": (jobs_of(split_design(), 12), ROUND, split_instance()),
    "one stage": _crossing(one_switch_design),
    "jobs over domains": _crossing(two_stage_design),
    "rails": (rails_design(), ROUND, rails_instance()),
    "four stages": (four_design(), upper_catalogue(), four_instance()),
    "two stages, striped": (striped_rack_design(), ROUND, rack_instance()),
    "three stages, striped": (striped_pod_design(), ROUND, pod_instance()),
    "four stages, striped": (striped_four_design(), upper_catalogue(), striped_four_instance()),
    **{f"{shape} of leaves": (build(), ROUND, flat_instance(shape)) for shape, build in FLAT.items()},
    "mixed pool": (mixed_design(), ROUND, mixed_instance()),
    "two fabrics": (private_design(), ROUND, private_instance()),
    "fleet": fleet_case(),
}
OFF: dict[str, Case] = {
    "groups that cut jobs": (clos_design(), ROUND, clos_instance()),
}
"""Designs for which the rules are off by more than can be overlooked, and it can be said by what (docs/failures.md)."""

Delta = dict[tuple[str, str], float]
SWITCHES, LINKS = "scale_out_switches", "nic_leaf_links"
HITS, HOURS = "job_hits", "accelerator_hours_lost"
# The last end of the last leaf on each of 8 rails carries one link, so one job of 8 for the two of the rules;
# 0.012 failures of 2 h.
LAST_END: Delta = {(LINKS, HITS): -8 * 0.012, (LINKS, HOURS): -8 * 0.012 * 2 * 8}
DELTA: dict[str, Delta] = {
    "rails": LAST_END,
    "CPO leaves on rails": LAST_END,
    "groups that cut jobs": {
        # Each of 792 switches and of 44 x 162 cartridges serves 36 accelerators: 4 jobs of 8 and half of one.
        ("scale_up_switches", HITS): 792 * 0.05,
        ("scale_up_switches", HOURS): 792 * 0.02 * 2.5 * 4,
        ("scale_up_links", HITS): 7128 * 0.0002,
        ("scale_up_links", HOURS): 7128 * 0.0002 * 12 * 4,
    },
}
"""What the components of a design do beyond what the rules count, by hand."""


def spare_delta(case: Case) -> Delta:
    """What a design with spares does beyond what the rules count.

    The rules take spare domains for busy in everything outside them, and of links inside them they count, with spare
    planes, the share of planes that are missed, not the share of the time in which one more is.
    """
    design, *asked = case
    (pool,) = design.pools
    found: Delta = {}
    risks = {line.item: line for line in verify(design, *asked).account.risks}
    for item in (LINKS, SWITCHES, "scale_out_links"):
        line = risks[item]
        found[item, HITS] = -line.job_hits_per_year * pool.spare_domains / pool.domains
        found[item, HOURS] = -line.accelerator_hours_lost_per_year * pool.spare_domains / pool.domains
    if pool.scale_up.spare_planes:
        # 0.6 failures of 450 h.
        down, planes, spare = 0.6 * 450 / 8760, pool.scale_up.planes, pool.scale_up.spare_planes
        down /= 1 + down
        ratio = binom.sf(spare - 1, planes, down) / _excess(planes, spare, down)
        found["scale_up_links", HOURS] = risks["scale_up_links"].accelerator_hours_lost_per_year * (ratio - 1)
    return found


def averaged(case: Case) -> dict[str, np.ndarray]:
    """Hard repairs, job hits, hours, cleanings a year, item by item: every member, every draw, once.

    What spares cover is left out of hits and hours inside the domains, by sums of its own over a binomial distribution.
    """
    design, catalogue, instance = case
    placements = [Placement.of(pool) for pool in design.pools]
    kinds = components(design, catalogue, instance)
    found: dict[str, np.ndarray] = defaultdict(lambda: np.zeros(4))
    for kind in kinds:
        # The parts of one box above the leaves are alike.
        alike = kind.strikes.parts if isinstance(kind.strikes, PartOf) else 1
        each = sum(_event(kind, member, placements) for member in range(0, kind.members, alike))
        hits, hours = _covered(kind, design, kinds)
        found[kind.item] += alike * kind.per_year * each * np.array([1.0, hits, hours, 1.0])
    return found


def _covered(kind: Kind, design: Design, kinds: Sequence[Kind]) -> tuple[float, float]:
    """Shares of hits and hours that are left with the spares of a design of one pool."""
    if not kind.inside or len(design.pools) > 1:
        return 1.0, 1.0
    (pool,) = design.pools
    replicas, plan, planes = pool.spare_domains, pool.plan, pool.scale_up.planes
    hits, hours = 1 - replicas / pool.domains, 1.0
    out = {each: each.members * each.per_year * each.repaired * each.repair_h / 8760 for each in kinds if each.inside}
    if replicas:
        down = sum(share for each, share in out.items() if each.spared is None or not each.spared.parts) / pool.domains
        unit = 1 - (1 / (1 + down)) ** plan.domains_per_replica
        hours *= _excess(pool.domains // plan.domains_per_replica, replicas // plan.domains_per_replica, unit)
    if kind.spared is not None:
        down = sum(share for each, share in out.items() if each.spared is not None and each.spared.parts)
        down /= planes * pool.domains
        hours *= _excess(planes, kind.spared.spare, down / (1 + down))
    return hits, hours


def _excess(units: int, spare: int, down: float) -> float:
    """What is down beyond the spares, as a share of what is down."""
    k = np.arange(spare + 1, units + 1)
    return float(((k - spare) * binom.pmf(k, units, down)).sum() / (units * down))


def _event(kind: Kind, member: int, placements: list[Placement]) -> np.ndarray:
    hits = _hits(kind.strikes, member, placements, kind.chance, one=kind.one_job)
    hits += _hits(kind.passes, member, placements, kind.passes_chance, one=True)
    out = 0.0
    if kind.repaired:
        spans = () if kind.stops is None else kind.stops.spans(member, 0.0)
        out += sum(placements[span.pool].region(span).size for span in spans)
        out += sum(most for _, most in kind.slows.slowed(member)) if kind.slows is not None else 0.0
    hard, clean = (0.0, kind.repaired) if kind.cleaning else (kind.repaired, 0.0)
    return np.array([hard, hits, kind.repaired * kind.repair_h * out, clean])


def _hits(place: Any, member: int, placements: list[Placement], chance: float, *, one: bool) -> float:
    """Jobs that an event hits, averaged over as many draws as there are outcomes of the same chance."""
    if place is None:
        return 0.0
    hits, draws = 0.0, getattr(place, "outcomes", 1)
    for draw in range(draws):
        for span in place.spans(member, (draw + 0.5) / draws):
            jobs = placements[span.pool].region(span).job_count
            hits += chance * (min(jobs, 1) if one else jobs) / draws
    return hits
