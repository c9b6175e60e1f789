"""A finished design as plain data: what is bought, how many, and how it is joined.

A design is self-contained: with the catalogue and the instance it can be recounted, priced, built as a
graph and checked without anything the optimiser computed. Rules and words: ``docs/rules.md``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from designer.demand.plan import ServingPlan
from designer.instance.schema import Phase

BoundaryName = Literal[
    "scale_up", "scale_up_upper", "nic_leaf", "leaf_spine", "spine_core", "core_top", "leaf_leaf", "group_group"
]
FabricShape = Literal["tree", "mesh", "hyperx", "dragonfly"]
ScaleUpKind = Literal["switched", "clos", "mesh", "torus"]


@dataclass(frozen=True)
class Boundary:
    """The cables that leave a group of accelerators (``docs/rules.md`` section 5).

    Parameters
    ----------
    name
        Which boundary.
    lower_link, upper_link
        Catalogue link rows of the two ends; equal for a cable or backplane; a ``cpo`` row at a
        co-packaged switch (counted here, not bought).
    rate_gbps
        Rate of every link.
    length_m
        Route length of every cable.
    links
        Port-to-port connections.
    cables
        Cables (cable), 1-row-rate equivalents (backplane) or links (module and fibre).
    lower_ends, upper_ends
        Row-rate ends below and above, CPO ends included.
    """

    name: BoundaryName
    lower_link: str
    upper_link: str
    rate_gbps: int
    length_m: float
    links: int
    cables: int
    lower_ends: int
    upper_ends: int


@dataclass(frozen=True)
class UpperStage:
    """Second stage of a scale-up Clos (``docs/rules.md`` section 3.2).

    ``group`` accelerators stand behind one first-stage switch of every plane; ``uplinks`` = ``links_per_pair`` x
    ``switches_per_plane`` leave each of those; ``switches`` and ``boundary`` count all domains of the pool together.
    """

    switch: str
    group: int
    links_per_pair: int
    switches_per_plane: int
    uplinks: int
    switches: int
    boundary: Boundary


@dataclass(frozen=True)
class ScaleUp:
    """The scale-up domain of a pool (``docs/rules.md`` section 3).

    ``kind`` "switched": one stage of ``planes`` parallel switches; "clos": two stages, the second in ``upper``; "mesh"
    and "torus": joined chip to chip, ``switch`` None, ``planes`` 0, ``shares`` empty, ``dims`` the sides of the
    torus. ``shares[j]`` is the number of ports every accelerator has on plane ``j``; ``boundary`` (accelerator to
    first-stage switch; None where the wiring is part of the accelerator's host or rack price) and ``switches`` (first
    stage) count all domains of the pool together. ``spare_planes`` of the planes are not counted on in ``usable_gbps``.
    """

    kind: ScaleUpKind
    switch: str | None
    planes: int
    shares: tuple[int, ...]
    dims: tuple[int, ...]
    ports_per_accelerator: int
    port_gbps: int
    usable_gbps: float
    switches: int
    boundary: Boundary | None
    upper: UpperStage | None
    spare_planes: int = 0


@dataclass(frozen=True)
class Attachment:
    """How the domains of a pool meet the leaves of one of the fabric's copies.

    ``domains_per_leaf`` >= 1 and ``leaves_per_domain`` == 1, or the other way round.
    ``group`` is the number of accelerators below one full leaf, ``leaves`` those of one copy.
    """

    domains_per_leaf: int
    leaves_per_domain: int
    group: int
    leaves: int
    need_gbps: float


@dataclass(frozen=True)
class PoolDesign:
    """One pool, or one part of a mixed pool: its plan, domains and cables up to the leaves.

    ``fabric`` is the place of its fabric in the design. ``domains`` and all counts include ``spare_domains``
    (domains: where a replica takes several, whole sets of them);
    ``share`` = (i, K): this part serves i / K of the pool's peak; (1, 1) for a pool in one part, else the name is
    ``POOL+1``, ``POOL+2``, ... (``docs/rules.md`` 6.3, 6.4).
    """

    name: str
    workload: str
    phase: Phase
    plan: ServingPlan
    accelerator: str
    domain_size: int
    domains: int
    accelerators: int
    replicas: int
    hosts: int
    nic: str
    nics: int
    racks: int
    beyond_announced: bool
    scale_up: ScaleUp
    attachment: Attachment
    nic_leaf: Boundary
    fabric: int = 0
    spare_domains: int = 0
    share: tuple[int, int] = (1, 1)

    @property
    def pool(self) -> str:
        """The pool of the demand that this is, or is a part of."""
        return self.name.partition("+")[0]


@dataclass(frozen=True)
class Stage:
    """One layer of scale-out switches; ports are per switch, at full population."""

    name: Literal["leaf", "spine", "core", "top"]
    switch: str
    count: int
    down_ports: int
    up_ports: int


@dataclass(frozen=True)
class Fabric:
    """A scale-out fabric: ``rails`` x ``planes`` equal copies (``docs/rules.md`` section 7).

    Counts of stages, pods and ``spines_per_pod`` are per copy; boundaries and ``network_racks`` count all copies.
    ``links_per_leaf_spine`` = m, ``spines_per_pod`` = n_s (all spines with two stages),
    ``leaves_per_pod`` = L, ``links_per_spine_core`` = m2, ``cores_per_spine`` = c_g, ``zones``, ``pods_per_zone`` = Z,
    ``links_per_core_top`` = m3, ``tops_per_core`` = t_g; 0 where the stage is absent
    (``leaves_per_pod`` is the number of leaves with two stages, 1 with one). At the highest boundary the ports up of
    the stage below may be fewer than links times boxes: the last boxes then have a link less (section 7, "Striping").

    ``shape`` other than "tree": leaves joined directly (section 7.1) with ``dims`` and ``links_per_pair``, empty for a
    tree; the only stage is ``leaf``, ``leaves_per_pod`` is all leaves of a copy, ``pods`` 1, other counts 0.
    """

    family: Literal["Ethernet", "InfiniBand"]
    rails: int
    planes: int
    stages: tuple[Stage, ...]
    uplink_gbps: int
    links_per_leaf_spine: int
    spines_per_pod: int
    leaves_per_pod: int
    pods: int
    links_per_spine_core: int
    cores_per_spine: int
    spine_taper: float
    boundaries: tuple[Boundary, ...]
    network_racks: int
    shape: FabricShape = "tree"
    dims: tuple[int, ...] = ()
    links_per_pair: tuple[int, ...] = ()
    zones: int = 0
    pods_per_zone: int = 0
    links_per_core_top: int = 0
    tops_per_core: int = 0
    core_taper: float = 0.0


@dataclass(frozen=True)
class Design:
    """The answer: pools and the scale-out fabrics they are on.

    ``fabric`` is that of the first pool; ``more_fabrics`` are those of pools with a fabric apart, in the order of the
    first pool on each (``docs/rules.md`` section 7).
    """

    instance: str
    pools: tuple[PoolDesign, ...]
    fabric: Fabric
    more_fabrics: tuple[Fabric, ...] = ()

    @property
    def fabrics(self) -> tuple[Fabric, ...]:
        """All fabrics; ``PoolDesign.fabric`` is the place here."""
        return (self.fabric, *self.more_fabrics)

    def pools_on(self, fabric: int) -> tuple[PoolDesign, ...]:
        """The pools on one of the fabrics."""
        return tuple(pool for pool in self.pools if pool.fabric == fabric)
