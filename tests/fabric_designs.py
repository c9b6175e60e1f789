"""Small consistent designs by straightforward counting, for the tests of the fabric room."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace

import networkx as nx

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
from designer.fabric import flow_check
from designer.instance.schema import Phase


def boundary(name: BoundaryName, rate: int, links: int) -> Boundary:
    """A boundary of modules: one end per link on each side."""
    return Boundary(name, "module", "module", rate, 10.0, links, links, links, links)


@dataclass(frozen=True)
class PoolSpec:
    """What a test says about one pool; the rest is counted."""

    name: str = "chat"
    workload: str = "chat"
    phase: Phase = "decode"
    size: int = 8
    domains: int = 4
    hosts_of: int = 4
    kind: ScaleUpKind = "switched"
    shares: tuple[int, ...] = (4, 4, 4, 4)
    dims: tuple[int, ...] = ()
    ports: int = 0  # wired ports where accelerators are joined directly
    group: int = 0  # accelerators behind a first-stage switch of two
    links_per_pair: int = 1
    upper_switches: int = 0  # per plane
    port_gbps: int = 800
    nics: int = 1
    nic_rate: int = 800
    domains_per_leaf: int = 1
    leaves_per_domain: int = 1
    domains_per_replica: int = 1
    spare_domains: int = 0
    spare_planes: int = 0
    share: tuple[int, int] = (1, 1)
    scale_up_need: float = 4000.0
    ep_need: float = 0.0
    other_need: float = 100.0


@dataclass(frozen=True)
class FabricSpec:
    """What a test says about the scale-out fabric."""

    stages: int = 2
    rate: int = 800
    m: int = 1
    spines: int = 4
    leaves_per_pod: int = 2
    m2: int = 1
    cores_per_spine: int = 2
    pods_per_zone: int = 2
    m3: int = 1
    tops_per_core: int = 2
    lean: int = 0  # boxes above the highest boundary that lack a link of every box below
    rails: int = 1
    planes: int = 1
    shape: FabricShape = "tree"
    dims: tuple[int, ...] = ()
    links: tuple[int, ...] = ()
    pools: tuple[PoolSpec, ...] = field(default_factory=lambda: (PoolSpec(),))


def leaves_of(spec: PoolSpec, stages: int) -> int:
    if stages == 1:
        return 1
    if spec.leaves_per_domain > 1:
        return spec.domains * spec.leaves_per_domain
    return -(-spec.domains // spec.domains_per_leaf)


def need_of(spec: PoolSpec) -> float:
    """Need of a leaf as rules.md section 7 states it."""
    d, m_r = spec.domains_per_leaf, spec.domains_per_replica
    if spec.leaves_per_domain > 1:
        share = 1.0
    elif d % m_r == 0:
        share = 0.0
    elif m_r % d == 0:
        share = (1 - d / m_r) / (1 - 1 / m_r)
    else:
        share = 1.0
    return min(spec.nics * spec.nic_rate, spec.ep_need * share + spec.other_need)


def usable_of(spec: PoolSpec) -> float:
    """All-to-all inside a domain as rules.md section 3 states it."""
    size, rate = spec.size, spec.port_gbps
    if spec.kind == "mesh":
        return (size - 1) * (spec.ports // (size - 1)) * rate
    if spec.kind == "torus":
        means = [a / 4 if a % 2 == 0 else (a * a - 1) / (4 * a) for a in spec.dims]
        return min(2 * rate * (size - 1) / (size * mean) for mean in means if mean)
    return (len(spec.shares) - spec.spare_planes) * min(spec.shares) * rate


def scale_up_of(spec: PoolSpec) -> ScaleUp:
    """Count the parts of all domains of a pool."""
    if spec.kind in ("mesh", "torus"):
        return ScaleUp(spec.kind, None, 0, (), spec.dims, spec.ports, spec.port_gbps, usable_of(spec), 0, None, None)
    k, planes, upper, groups = sum(spec.shares), len(spec.shares), None, 1
    if spec.kind == "clos":
        groups = spec.size // spec.group
        uplinks, tops = spec.links_per_pair * spec.upper_switches, planes * spec.upper_switches
        upper = UpperStage(
            switch="upper",
            group=spec.group,
            links_per_pair=spec.links_per_pair,
            switches_per_plane=spec.upper_switches,
            uplinks=uplinks,
            switches=tops * spec.domains,
            boundary=boundary("scale_up_upper", spec.port_gbps, planes * groups * uplinks * spec.domains),
        )
    return ScaleUp(
        kind=spec.kind,
        switch="plane",
        planes=planes,
        shares=spec.shares,
        dims=(),
        ports_per_accelerator=k,
        port_gbps=spec.port_gbps,
        usable_gbps=usable_of(spec),
        switches=planes * groups * spec.domains,
        boundary=boundary("scale_up", spec.port_gbps, spec.size * spec.domains * k),
        upper=upper,
        spare_planes=spec.spare_planes,
    )


def plan_of(spec: PoolSpec) -> ServingPlan:
    n = spec.size * spec.domains_per_replica
    return ServingPlan(
        pool=spec.name,
        phase=spec.phase,
        llm="llm",
        accelerator="acc",
        domain_size=spec.size,
        scale_up_gbps=usable_of(spec),
        nic="nic",
        nics=spec.nics,
        nic_gbps=spec.nics * spec.nic_rate,
        tp=1,
        dp=n,
        ep=n,
        pp=1,
        batch=1,
        two_batch_overlap=False,
        all_to_all="direct",
        accelerators_per_replica=n,
        replicas_per_domain=1,
        domains_per_replica=spec.domains_per_replica,
        step_s=0.01,
        tpot_s=0.01,
        ttft_estimate_s=None,
        tokens_per_s_per_accelerator=1000.0,
        memory_bytes=1e9,
        scale_up_need_gbps=spec.scale_up_need,
        scale_out_ep_need_gbps=spec.ep_need,
        scale_out_other_need_gbps=spec.other_need,
    )


def pool_of(spec: PoolSpec, fabric: FabricSpec) -> PoolDesign:
    accelerators = spec.size * spec.domains
    nics = accelerators * spec.nics
    d = spec.domains if fabric.stages == 1 and fabric.shape == "tree" else spec.domains_per_leaf
    group = spec.size // spec.leaves_per_domain if spec.leaves_per_domain > 1 else spec.size * d
    leaves = leaves_of(spec, fabric.stages if fabric.shape == "tree" else 2)
    return PoolDesign(
        name=spec.name,
        workload=spec.workload,
        phase=spec.phase,
        plan=plan_of(spec),
        accelerator="acc",
        domain_size=spec.size,
        domains=spec.domains,
        accelerators=accelerators,
        replicas=(spec.domains - spec.spare_domains) // spec.domains_per_replica,
        hosts=accelerators // spec.hosts_of,
        nic="nic",
        nics=nics,
        racks=spec.domains,
        beyond_announced=False,
        scale_up=scale_up_of(spec),
        attachment=Attachment(d, spec.leaves_per_domain, group // fabric.rails, leaves, need_of(spec)),
        nic_leaf=boundary("nic_leaf", spec.nic_rate // fabric.planes, nics * fabric.planes),
        spare_domains=spec.spare_domains,
        share=spec.share,
    )


def design_of(spec: FabricSpec) -> Design:
    """Count a whole design up from its spec: stages per copy, links of all copies."""
    pools = tuple(pool_of(pool, spec) for pool in spec.pools)
    copies = spec.rails * spec.planes
    if spec.shape != "tree":
        return Design("test", pools, flat_of(spec, pools))
    leaves = 1 if spec.stages == 1 else sum(pool.attachment.leaves for pool in pools)
    if spec.stages == 1:
        down = sum(pool.nics for pool in pools) // spec.rails
        stages: tuple[Stage, ...] = (Stage("leaf", "box", 1, down, 0),)
        alone = Fabric("Ethernet", spec.rails, spec.planes, stages, 0, 0, 0, 1, 1, 0, 0, 0.0, (), 1)
        return Design("test", pools, alone)
    uplinks = spec.m * spec.spines - spec.lean * (spec.stages == 2)
    lower = boundary("leaf_spine", spec.rate, copies * leaves * uplinks)
    numbers: tuple[int, ...]
    if spec.stages == 2:
        down = down_of(pools, spec)
        stages = (Stage("leaf", "box", leaves, down, uplinks), Stage("spine", "box", spec.spines, leaves * spec.m, 0))
        cables: tuple[Boundary, ...] = (lower,)
        numbers = spec.rate, spec.m, spec.spines, leaves, 1, 0, 0
    else:
        pods = -(-leaves // spec.leaves_per_pod)
        spines, spine_up = pods * spec.spines, spec.m2 * spec.cores_per_spine - spec.lean * (spec.stages == 3)
        zones = -(-pods // spec.pods_per_zone) if spec.stages == 4 else 1
        tops_up = spec.m3 * spec.tops_per_core - spec.lean
        down, up = (spec.pods_per_zone, tops_up) if spec.stages == 4 else (pods, 0)
        cores = zones * spec.spines * spec.cores_per_spine
        stages = (
            Stage("leaf", "box", leaves, down_of(pools, spec), uplinks),
            Stage("spine", "box", spines, spec.leaves_per_pod * spec.m, spine_up),
            Stage("core", "box", cores, down * spec.m2, up),
        )
        cables = (lower, boundary("spine_core", spec.rate, copies * spines * spine_up))
        numbers = spec.rate, spec.m, spec.spines, spec.leaves_per_pod, pods, spec.m2, spec.cores_per_spine
        if spec.stages == 4:
            tops = spec.spines * spec.cores_per_spine * spec.tops_per_core
            stages = (*stages, Stage("top", "box", tops, zones * spec.m3, 0))
            cables = (*cables, boundary("core_top", spec.rate, copies * cores * up))
    taper = 1.0 if spec.stages > 2 else 0.0
    fabric = Fabric("Ethernet", spec.rails, spec.planes, stages, *numbers, taper, cables, 1)
    if spec.stages == 4:
        numbers = zones, spec.pods_per_zone, spec.m3, spec.tops_per_core
        fabric = replace(fabric, **dict(zip(ZONED, numbers, strict=True)), core_taper=1.0)
    return Design("test", pools, fabric)


ZONED = ("zones", "pods_per_zone", "links_per_core_top", "tops_per_core")


def down_of(pools: tuple[PoolDesign, ...], spec: FabricSpec) -> int:
    """Ports down of the fullest leaf."""
    return max(pool.attachment.group * own.nics for pool, own in zip(pools, spec.pools, strict=True))


def flat_of(spec: FabricSpec, pools: tuple[PoolDesign, ...]) -> Fabric:
    """Leaves joined directly."""
    dims, links = spec.dims, spec.links
    each = [count * (side - 1) for count, side in zip(links, dims, strict=True)]
    if spec.shape == "dragonfly":
        each[1] //= dims[0]
    leaves = math.prod(dims)
    names: tuple[BoundaryName, ...] = ("leaf_leaf", "group_group")
    total = spec.rails * spec.planes * leaves
    cables = tuple(boundary(name, spec.rate, total * up // 2) for name, up in zip(names, each, strict=False))
    stages = (Stage("leaf", "box", leaves, down_of(pools, spec), sum(each)),)
    numbers = spec.rate, 0, 0, leaves, 1, 0, 0, 0.0
    shape = spec.shape, dims, links
    return Fabric("Ethernet", spec.rails, spec.planes, stages, *numbers, cables, 1, *shape)


def with_needs(design: Design, factor: float) -> Design:
    """The same design with every need of every plan multiplied (and the stated need of the leaves)."""
    pools = []
    for pool in design.pools:
        plan = replace(
            pool.plan,
            scale_up_need_gbps=pool.plan.scale_up_need_gbps * factor,
            scale_out_ep_need_gbps=pool.plan.scale_out_ep_need_gbps * factor,
            scale_out_other_need_gbps=pool.plan.scale_out_other_need_gbps * factor,
        )
        attachment = replace(pool.attachment, need_gbps=pool.attachment.need_gbps * factor)
        pools.append(replace(pool, plan=plan, attachment=attachment))
    return replace(design, pools=tuple(pools))


def changed_pool(design: Design, **changes: object) -> Design:
    return replace(design, pools=(replace(design.pools[0], **changes), *design.pools[1:]))


def rules_of(design: Design, graph: nx.Graph | None = None) -> set[str]:
    """The rules that a flow check finds broken."""
    return {violation.rule for violation in flow_check(design, graph=graph).violations}


def take_one_link(graph: nx.Graph, one: str, two: str) -> None:
    edge = graph.edges[one, two]
    edge["links"] -= 1
    edge["capacity_gbps"] -= edge["rate_gbps"]
    if not edge["links"]:
        graph.remove_edge(one, two)


EP = {"ep_need": 300.0, "other_need": 50.0}
TWO_POOLS = (
    PoolSpec("p", "w", "prefill", size=4, domains=4, hosts_of=2, domains_per_replica=2, shares=(5, 4, 4, 5), **EP),
    PoolSpec(
        "d",
        "w",
        "decode",
        size=4,
        domains=3,
        hosts_of=2,
        domains_per_replica=3,
        shares=(2, 2),
        scale_up_need=1500.0,
        **EP,
    ),
)
SPLIT = PoolSpec("s", "s", size=8, domains=2, hosts_of=4, leaves_per_domain=2, domains_per_replica=2, **EP)
CLOS = PoolSpec(
    *("c", "c"), kind="clos", size=8, domains=2, hosts_of=2, shares=(2, 2), scale_up_need=2900.0,
    group=4, links_per_pair=4, upper_switches=2,
)  # fmt: skip
MESH = PoolSpec("m", "m", kind="mesh", size=4, domains=3, hosts_of=4, ports=7, shares=(), scale_up_need=900.0)
TORUS = PoolSpec(
    "t",
    "t",
    kind="torus",
    size=8,
    domains=4,
    hosts_of=4,
    ports=6,
    shares=(),
    dims=(4, 2),
    domains_per_replica=2,
    scale_up_need=500.0,
    **EP,
)
RAILS = PoolSpec(size=8, domains=4, hosts_of=4, domains_per_replica=2, **EP)
SPECS = {
    "one stage": FabricSpec(stages=1),
    "one stage, two pools": FabricSpec(stages=1, pools=TWO_POOLS),
    "two stages": FabricSpec(stages=2, pools=(PoolSpec(domains_per_replica=2, **EP),)),
    "two stages, parallel uplinks": FabricSpec(
        stages=2, m=3, spines=2, pools=(PoolSpec(domains_per_replica=4, shares=(5, 4, 4, 5), **EP),)
    ),
    "two stages, two pools": FabricSpec(stages=2, spines=3, pools=TWO_POOLS),
    "two stages, last leaf short": FabricSpec(
        stages=2, spines=6, pools=(PoolSpec(size=4, domains=5, hosts_of=2, domains_per_leaf=2, other_need=150.0),)
    ),
    "two stages, split domains": FabricSpec(stages=2, pools=(SPLIT,)),
    "two stages, replicas across leaves": FabricSpec(
        stages=2,
        spines=5,
        pools=(PoolSpec(size=2, hosts_of=2, domains=6, domains_per_leaf=2, domains_per_replica=3, **EP),),
    ),
    "two stages, uneven": FabricSpec(stages=2, m=3, spines=4, lean=2, pools=(PoolSpec(domains_per_replica=2, **EP),)),
    "three stages, uneven": FabricSpec(
        stages=3, m2=3, cores_per_spine=3, lean=1, pools=(PoolSpec(domains=6, domains_per_replica=3, **EP),)
    ),
    "four stages, uneven": FabricSpec(
        stages=4, spines=2, leaves_per_pod=1, m3=4, tops_per_core=5, lean=3, pods_per_zone=3, pools=TWO_POOLS
    ),
    "rails and planes, uneven": FabricSpec(
        stages=2, rails=2, planes=2, rate=400, m=2, spines=3, lean=1, pools=(SPLIT, TORUS)
    ),
    "three stages": FabricSpec(
        stages=3, spines=3, pools=(PoolSpec(size=4, hosts_of=4, domains=6, domains_per_replica=3, **EP),)
    ),
    "three stages, last pod short": FabricSpec(
        stages=3,
        m=2,
        spines=2,
        leaves_per_pod=2,
        m2=2,
        cores_per_spine=1,
        pools=(PoolSpec(size=4, hosts_of=4, domains=5, domains_per_replica=5, **EP),),
    ),
    "three stages, two pools": FabricSpec(stages=3, spines=3, leaves_per_pod=3, cores_per_spine=4, pools=TWO_POOLS),
    "three stages, split domains": FabricSpec(stages=3, leaves_per_pod=3, pools=(SPLIT, TWO_POOLS[0])),
    "four stages": FabricSpec(
        stages=4,
        spines=2,
        leaves_per_pod=1,
        pools=(PoolSpec(size=4, hosts_of=4, domains=4, domains_per_replica=2, other_need=150.0),),
    ),
    "four stages, two pools, in rails": FabricSpec(
        stages=4, rails=2, spines=2, leaves_per_pod=1, m2=2, m3=3, tops_per_core=1, pods_per_zone=3, pools=TWO_POOLS
    ),
    "spare planes": FabricSpec(stages=2, pools=(PoolSpec(shares=(5, 4, 4, 5), spare_planes=1, domains=5),)),
    "two-stage domains": FabricSpec(stages=2, pools=(CLOS,)),
    "mesh": FabricSpec(stages=1, pools=(MESH,)),
    "torus": FabricSpec(stages=2, pools=(TORUS,)),
    "one stage, rails": FabricSpec(stages=1, rails=4, pools=(RAILS,)),
    "rails": FabricSpec(stages=2, rails=2, spines=2, pools=(RAILS,)),
    "planes": FabricSpec(stages=2, planes=2, rate=400, pools=(RAILS,)),
    "rails and planes, three stages": FabricSpec(stages=3, rails=2, planes=2, rate=400, pools=(SPLIT, TORUS)),
    "rails, two-stage domains and mesh": FabricSpec(stages=2, rails=2, spines=3, pools=(CLOS, MESH)),
}
