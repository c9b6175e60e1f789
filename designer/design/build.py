"""A selection of candidates -> a finished design with every count."""

from __future__ import annotations

import math
from collections.abc import Sequence

from designer.candidates.cables import LinkPair, ceil_div
from designer.candidates.choices import Attached
from designer.candidates.parts import Economy
from designer.candidates.scale_up import DomainDesign, FirstStage, SecondStage
from designer.candidates.templates import Joined, Template
from designer.candidates.terms import NET_WATTS
from designer.design.types import (
    Attachment,
    Boundary,
    BoundaryName,
    Design,
    Fabric,
    PoolDesign,
    ScaleUp,
    Stage,
    UpperStage,
)
from designer.instance.pools import Pool


def build_design(
    instance: str, pools: Sequence[Pool], picked: Sequence[Attached], fabrics: Sequence[Joined], economy: Economy
) -> Design:
    """Count a selection out into a design.

    Parameters
    ----------
    instance
        Name of the instance.
    pools, picked
        The pools and the choice of each.
    fabrics
        What is above the leaves: the fabrics and which pools are on each, in the order of the first pool on each.
    economy
        For lengths and the network racks.
    """
    place = {pool: number for number, joined in enumerate(fabrics) for pool in joined.pools}
    designs = tuple(_pool(pool, item, place[p]) for p, (pool, item) in enumerate(zip(pools, picked, strict=True)))
    built = [_fabric(joined.template, [picked[p] for p in joined.pools], economy) for joined in fabrics]
    return Design(instance, designs, built[0], tuple(built[1:]))


def ceil_div_float(value: float, unit: float) -> int:
    """Return the whole number of units that hold a value of decimal figures."""
    return math.ceil(value / unit - 1e-9)


def _boundary(name: BoundaryName, pair: LinkPair, rate: int, length: float, counts: Sequence[int]) -> Boundary:
    return Boundary(name, pair.lower.id, pair.upper.id, rate, length, *counts)


def _pool(pool: Pool, item: Attached, fabric: int) -> PoolDesign:
    option, domain = item.option, item.option.domain
    count, accelerator = option.domains, domain.accelerator
    return PoolDesign(
        name=pool.name,
        workload=pool.owner,
        phase=pool.phase,
        plan=option.plan,
        accelerator=accelerator.id,
        domain_size=domain.size,
        domains=count,
        accelerators=option.accelerators,
        replicas=option.replicas,
        hosts=option.accelerators // accelerator.per_host,
        nic=domain.nic.id,
        nics=option.accelerators * domain.nics,
        racks=option.racks,
        beyond_announced=domain.size > accelerator.max_domain,
        scale_up=_scale_up(domain, count),
        attachment=Attachment(item.domains_per_leaf, item.leaves_per_domain, item.group, item.leaves, item.need_gbps),
        nic_leaf=_boundary(
            "nic_leaf",
            item.pair,
            item.rate_gbps,
            item.length_m,
            [item.counts.links, item.counts.cables, item.counts.lower_ends, item.counts.upper_ends],
        ),
        fabric=fabric,
    )


def _scale_up(domain: DomainDesign, count: int) -> ScaleUp:
    """Count the network of ``count`` domains."""
    network = domain.network
    lower = None if network.lower is None else _stage(domain, 0, network.lower, count)
    upper = None
    if network.upper is not None:
        upper = UpperStage(
            switch=network.upper.switch.id,
            group=network.group,
            links_per_pair=network.upper.links_per_pair,
            switches_per_plane=network.upper.switches_per_plane,
            uplinks=network.upper.uplinks,
            switches=count * domain.switch_counts[1][1],
            boundary=_stage(domain, 1, network.upper, count),
        )
    return ScaleUp(
        kind=network.kind,
        switch=network.lower.switch.id if network.lower is not None else None,
        planes=network.planes,
        shares=network.lower.shares if network.lower is not None else (),
        dims=network.dims,
        ports_per_accelerator=network.ports,
        port_gbps=network.port_gbps,
        usable_gbps=float(network.usable_gbps),
        switches=count * domain.switch_counts[0][1] if network.lower is not None else 0,
        boundary=lower,
        upper=upper,
    )


def _stage(domain: DomainDesign, index: int, stage: FirstStage | SecondStage, count: int) -> Boundary:
    name: BoundaryName = "scale_up" if index == 0 else "scale_up_upper"
    each = stage.counts
    counts = [count * n for n in (each.links, each.cables, each.lower_ends, each.upper_ends)]
    return _boundary(name, stage.pair, domain.network.port_gbps, domain.lengths_m[index], counts)


def _network_watts(picked: Sequence[Attached], template: Template, leaves: int) -> float:
    """Watts in network racks, by the same columns that the MILP counts them with."""
    watts = float(template.fixed[NET_WATTS]) + leaves * float(template.per_leaf[NET_WATTS])
    watts += template.pods(leaves) * float(template.per_pod[NET_WATTS])
    watts += template.cages(leaves) * float(template.per_cage[NET_WATTS])
    for item in picked:
        if not item.one_stage:
            watts += item.leaves * item.copies.count * item.leaf.watts
        if not item.pair.upper.cpo:
            watts += item.counts.upper_ends * item.pair.upper.end_watts
    return watts


def _fabric(template: Template, picked: Sequence[Attached], economy: Economy) -> Fabric:
    """Count out one fabric with the pools on it."""
    shape, copies = template.shape, template.shape.copies.count
    leaves = 1 if shape.stages == 1 else sum(item.leaves for item in picked)
    racks = ceil_div_float(_network_watts(picked, template, leaves), economy.network_rack_watts)
    down = max(item.group * item.option.domain.nics for item in picked)
    if shape.stages == 1:
        down = sum(item.group * item.option.domain.nics for item in picked)
    stages = [Stage("leaf", shape.leaf.id, leaves, down, shape.uplinks)]
    boundaries: list[Boundary] = []
    pods, per_pod = (1, leaves) if shape.core is None else (template.pods(leaves), shape.leaves_per_pod)
    if shape.spine is not None and template.leaf_spine is not None:
        spines = pods * shape.spines
        members = leaves if shape.core is None else shape.leaves_per_pod
        stages.append(Stage("spine", shape.spine.id, spines, members * shape.links_per_pair, shape.spine_up))
        length = economy.forced_m.get("leaf_spine", economy.lengths_m["hall"])
        counts = _stage_counts(
            template.leaf_spine,
            shape.rate_gbps,
            (copies * leaves, shape.uplinks),
            (copies * spines, members * shape.links_per_pair),
            (copies * leaves * shape.spines, shape.links_per_pair),
        )
        boundaries.append(_boundary("leaf_spine", template.leaf_spine, shape.rate_gbps, length, counts))
        if shape.core is not None and template.spine_core is not None:
            cores = shape.spines * shape.cores_per_spine
            stages.append(Stage("core", shape.core.id, cores, pods * shape.links_per_core, 0))
            length = economy.forced_m.get("spine_core", economy.lengths_m["building"])
            counts = _stage_counts(
                template.spine_core,
                shape.rate_gbps,
                (copies * spines, shape.spine_up),
                (copies * cores, pods * shape.links_per_core),
                (copies * spines * shape.cores_per_spine, shape.links_per_core),
            )
            boundaries.append(_boundary("spine_core", template.spine_core, shape.rate_gbps, length, counts))
    return Fabric(
        family="InfiniBand" if shape.leaf.family == "InfiniBand" else "Ethernet",
        rails=shape.copies.rails,
        planes=shape.copies.planes,
        stages=tuple(stages),
        uplink_gbps=shape.rate_gbps,
        links_per_leaf_spine=shape.links_per_pair,
        spines_per_pod=shape.spines,
        leaves_per_pod=per_pod,
        pods=pods,
        links_per_spine_core=shape.links_per_core,
        cores_per_spine=shape.cores_per_spine,
        spine_taper=shape.spine_taper,
        boundaries=tuple(boundaries),
        network_racks=racks,
    )


def _stage_counts(
    pair: LinkPair, rate: int, lower: tuple[int, int], upper: tuple[int, int], joined: tuple[int, int]
) -> list[int]:
    """Links, cables, lower and upper ends; each argument is (boxes or pairs, links on each)."""
    links = lower[0] * lower[1]
    if not pair.module:
        cables = joined[0] * ceil_div(joined[1] * rate, pair.lower.rate_gbps)
        return [links, cables, cables, cables]
    return [
        links,
        links,
        lower[0] * ceil_div(lower[1] * rate, pair.lower.rate_gbps),
        upper[0] * ceil_div(upper[1] * rate, pair.upper.rate_gbps),
    ]
