"""A selection of candidates -> a finished design with every count."""

from __future__ import annotations

from collections.abc import Sequence

from designer.candidates.choices import Attached
from designer.candidates.mixing import WHOLE
from designer.candidates.parts import Economy
from designer.candidates.scale_up import DomainDesign, FirstStage, SecondStage
from designer.candidates.templates import Joined
from designer.design.fabrics import boundary_of, build_fabric
from designer.design.types import (
    Attachment,
    Boundary,
    BoundaryName,
    Design,
    PoolDesign,
    ScaleUp,
    UpperStage,
)
from designer.instance.pools import Pool


def build_design(
    instance: str,
    pools: Sequence[Pool],
    picked: Sequence[Sequence[Attached]],
    fabrics: Sequence[Joined],
    economy: Economy,
) -> Design:
    """Count a selection out into a design.

    Parameters
    ----------
    instance
        Name of the instance.
    pools, picked
        The pools and the choices of each: one, or of a mixed pool its parts in the order of their accelerators' ids.
    fabrics
        What is above the leaves: the fabrics and which pools are on each, in the order of the first pool on each.
    economy
        For lengths and the network racks.
    """
    place = {pool: number for number, joined in enumerate(fabrics) for pool in joined.pools}
    designs = tuple(
        _pool(pool, item, place[p], number if len(parts) > 1 else 0)
        for p, (pool, parts) in enumerate(zip(pools, picked, strict=True))
        for number, item in enumerate(parts, start=1)
    )
    built = [
        build_fabric(joined.template, [item for p in joined.pools for item in picked[p]], economy) for joined in fabrics
    ]
    return Design(instance, designs, built[0], tuple(built[1:]))


def _pool(pool: Pool, item: Attached, fabric: int, part: int) -> PoolDesign:
    """Count one pool out, or ``part`` number so many of it (0: it has but one)."""
    option, domain = item.option, item.option.domain
    count, accelerator = option.domains, domain.accelerator
    return PoolDesign(
        name=f"{pool.name}+{part}" if part else pool.name,
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
        nic_leaf=boundary_of(
            "nic_leaf",
            item.pair,
            item.rate_gbps,
            item.length_m,
            [item.counts.links, item.counts.cables, item.counts.lower_ends, item.counts.upper_ends],
        ),
        fabric=fabric,
        spare_domains=option.domains - option.serving,
        share=option.share if part else WHOLE,
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
        spare_planes=network.spare,
    )


def _stage(domain: DomainDesign, index: int, stage: FirstStage | SecondStage, count: int) -> Boundary:
    name: BoundaryName = "scale_up" if index == 0 else "scale_up_upper"
    each = stage.counts
    counts = [count * n for n in (each.links, each.cables, each.lower_ends, each.upper_ends)]
    return boundary_of(name, stage.pair, domain.network.port_gbps, domain.lengths_m[index], counts)
