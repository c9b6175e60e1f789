"""A design of the oracle as the product's `Design`, so that the verifier can recount it."""

from __future__ import annotations

from fractions import Fraction
from typing import Literal, cast

from designer.demand.plan import ServingPlan
from designer.design.types import (
    Attachment,
    Boundary,
    BoundaryName,
    Design,
    Fabric,
    FabricShape,
    PoolDesign,
    ScaleUp,
    ScaleUpKind,
    Stage,
    UpperStage,
)
from designer.instance.pools import Pool, pools_of
from oracle.attach import Hang
from oracle.cables import Count, Pair
from oracle.domain import Base, Route
from oracle.enumerate import Found
from oracle.evaluate import Plan
from oracle.layers import layers
from oracle.task import Task

StageName = Literal["leaf", "spine", "core", "top"]


def to_design(task: Task, found: Found) -> Design:
    """Write down a found design as the product does."""
    placed: dict[str, list[tuple[Hang, int]]] = {}
    for number, plan in enumerate(found.plans):
        for item in plan.items:
            placed.setdefault(item.base.slot.pool, []).append((item, number))
    racks = found.priced.racks_by_fabric
    first, *more = (_fabric(task, plan, number) for plan, number in zip(found.plans, racks, strict=True))
    return Design(
        instance=task.instance.name,
        pools=tuple(
            _pool(task, item, fabric, pool, f"{pool.name}+{part}" if item.base.slot.of > 1 else pool.name)
            for pool in pools_of(task.instance)
            for part, (item, fabric) in enumerate(_by_accelerator(placed[pool.name]), start=1)
        ),
        fabric=first,
        more_fabrics=tuple(more),
    )


def _by_accelerator(items: list[tuple[Hang, int]]) -> list[tuple[Hang, int]]:
    return sorted(items, key=lambda pair: pair[0].base.wiring.accelerator.id)


def _boundary(name: BoundaryName, pair: Pair, rate: int, length: Fraction, count: Count) -> Boundary:
    return Boundary(
        name=name,
        lower_link=pair.lower.id,
        upper_link=pair.upper.id,
        rate_gbps=rate,
        length_m=float(length),
        links=count.links,
        cables=count.cables,
        lower_ends=count.lower,
        upper_ends=count.upper,
    )


def _pool(task: Task, item: Hang, fabric: int, pool: Pool, name: str) -> PoolDesign:
    base, group = item.base, item.group
    wiring, a = base.wiring, base.wiring.accelerator
    return PoolDesign(
        name=name,
        workload=pool.owner,
        phase=pool.phase,
        plan=_serving_plan(base, pool),
        accelerator=a.id,
        domain_size=wiring.size,
        domains=base.domains,
        accelerators=base.accelerators,
        replicas=base.replicas,
        hosts=base.accelerators // a.host,
        nic=base.nic.id,
        nics=base.accelerators * base.nics,
        racks=base.hall.racks,
        beyond_announced=wiring.size > a.max_domain,
        scale_up=_scale_up(base),
        attachment=Attachment(
            domains_per_leaf=group.whole,
            leaves_per_domain=group.split,
            group=group.size,
            leaves=group.leaves,
            need_gbps=float(group.need),
        ),
        nic_leaf=_boundary("nic_leaf", item.pair, item.rate, item.length, item.count),
        fabric=fabric,
        spare_domains=base.spares * base.point.domains_per_replica,
        share=(base.slot.steps, base.slot.of),
    )


def _scale_up(base: Base) -> ScaleUp:
    wiring, a = base.wiring, base.wiring.accelerator

    def run(name: BoundaryName, route: Route) -> Boundary:
        return _boundary(name, route.pair, a.port_gbps, route.length, route.count)

    upper = None
    if wiring.upper is not None and base.upper is not None:
        upper = UpperStage(
            switch=wiring.upper.switch.id,
            group=wiring.upper.group,
            links_per_pair=wiring.upper.m,
            switches_per_plane=wiring.upper.each,
            uplinks=wiring.upper.uplinks,
            switches=base.domains * wiring.uppers,
            boundary=run("scale_up_upper", base.upper),
        )
    return ScaleUp(
        kind=cast(ScaleUpKind, wiring.kind),
        switch=None if wiring.switch is None else wiring.switch.id,
        planes=wiring.planes,
        shares=wiring.shares,
        dims=wiring.sides,
        ports_per_accelerator=wiring.wired,
        port_gbps=a.port_gbps,
        usable_gbps=float(wiring.usable_gbps),
        switches=base.domains * wiring.switches,
        boundary=None if base.lower is None else run("scale_up", base.lower),
        upper=upper,
        spare_planes=wiring.spare,
    )


def _serving_plan(base: Base, pool: Pool) -> ServingPlan:
    point, size = base.point, base.wiring.size
    fits = point.replica <= size
    fleet = pool.phase == "fleet"
    return ServingPlan(
        pool=pool.name,
        phase=pool.phase,
        llm="" if fleet else pool.workload.llm,
        accelerator=point.accelerator,
        domain_size=size,
        scale_up_gbps=float(base.wiring.usable_gbps),
        nic=base.nic.id,
        nics=base.nics,
        nic_gbps=float(base.nics * base.nic.rate),
        tp=1,
        dp=point.replica,
        ep=1 if fleet else point.replica,
        pp=1,
        batch=point.serial,
        two_batch_overlap=False,
        all_to_all="direct",
        accelerators_per_replica=point.replica,
        replicas_per_domain=size // point.replica if fits else 1,
        domains_per_replica=point.domains_per_replica,
        step_s=1.0 if fleet else 0.001,
        tpot_s=None if pool.phase in ("prefill", "fleet") else 0.001,
        ttft_estimate_s=None if pool.phase in ("decode", "fleet") else 0.001,
        tokens_per_s_per_accelerator=float(point.tokens),
        memory_bytes=0.0 if fleet else 1e9,
        scale_up_need_gbps=float(point.scale_up_need),
        scale_out_ep_need_gbps=float(point.expert_need),
        scale_out_other_need_gbps=float(point.other_need),
        measured=not fleet,
        latency_allowance_us=None if point.allowance is None else float(point.allowance),
    )


def _fabric(task: Task, plan: Plan, network_racks: int) -> Fabric:
    items, shape, flat = plan.items, plan.shape, plan.shape.flat
    leaves = 1 if shape.alone else sum(item.group.leaves for item in items)
    pods, zones = shape.pods(leaves), shape.zones(leaves)
    down = [item.down_ports for item in items]
    per_pod = 1 if shape.alone else leaves
    if flat is not None:
        per_pod = flat.leaves
    elif shape.stages > 2:
        per_pod = shape.pod
    tall = shape.stages > 3
    counts = [leaves if flat is None else flat.leaves, pods * shape.spines, zones * shape.spines * shape.cores]
    below = [sum(down) if shape.alone else max(down), per_pod * shape.m]
    below += [(shape.zone if tall else pods) * shape.m2, zones * shape.m3]
    stages = zip(
        ("leaf", "spine", "core", "top"),
        shape.boxes,
        (*counts, shape.spines * shape.cores * shape.tops),
        below,
        (shape.up, shape.spine_up, shape.core_up, 0),
        strict=True,
    )
    return Fabric(
        family=cast(Literal["Ethernet", "InfiniBand"], shape.leaf.protocol),
        rails=shape.copies.rails,
        planes=shape.copies.planes,
        stages=tuple(
            Stage(cast(StageName, name), box.id, number, lower, upper)
            for name, box, number, lower, upper in stages
            if box is not None
        ),
        uplink_gbps=shape.rate,
        links_per_leaf_spine=shape.m,
        spines_per_pod=shape.spines,
        leaves_per_pod=per_pod,
        pods=pods,
        links_per_spine_core=shape.m2,
        cores_per_spine=shape.cores,
        spine_taper=float(shape.taper),
        boundaries=tuple(
            _boundary(cast(BoundaryName, layer.name), layer.pair, shape.rate, layer.length, layer.count)
            for layer in layers(task, shape, plan.cabling, leaves)
        ),
        network_racks=network_racks,
        shape="tree" if flat is None else cast(FabricShape, flat.kind),
        dims=() if flat is None else flat.dims,
        links_per_pair=() if flat is None else flat.links,
        zones=zones if tall else 0,
        pods_per_zone=shape.zone if tall else 0,
        links_per_core_top=shape.m3,
        tops_per_core=shape.tops,
        core_taper=float(shape.core_taper),
    )
