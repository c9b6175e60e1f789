"""Parts for sale as plain numbers at the instance's level, and what is not offered and why.

This is where figures of the catalogue (low / mid / high, basis, source) become coefficients. A part of which a
needed figure is unknown is not offered (``docs/rules.md`` section 1).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Literal

LinkKind = Literal["cable", "backplane", "module"]


@dataclass(frozen=True)
class LinkPart:
    """One link row. ``cable_usd`` is the price of the whole cable or equivalent, ``end_usd`` of one end.

    ``latency_ns`` is that of one end, None where it is not known: then the row joins no switches and NICs of the
    scale-out fabric. ``units`` is what one end, cable or equivalent adds to every counted limit (`weights.counters`).
    """

    id: str
    kind: LinkKind
    placement: Literal["board", "rack", "cable"]
    cpo: bool
    rate_gbps: int
    lane_gbps: float
    host_lane_gbps: frozenset[float]
    interop_class: str | None
    reach_m: float
    end_watts: float
    end_usd: float
    cable_usd: float
    fibre_count: int
    duplex: bool
    afr_end: float
    transient: float
    mttr_h: float
    latency_ns: float | None = None
    units: tuple[float, ...] = ()


@dataclass(frozen=True)
class SwitchPart:
    """One switch row; price and watts include tray factors. CPO figures are 0 for electrical boxes.

    ``latency_ns`` is None inside scale-up domains, where no rule asks for it; ``units`` as in `LinkPart`.
    """

    id: str
    family: str
    radix: dict[int, int]
    lane_gbps: float
    usd: float
    watts: float
    afr_hard: float
    outage: float
    cpo: bool
    cpo_link: LinkPart | None
    box_swaps: float
    box_mttr_h: float
    lasers: int
    laser_rate: float
    laser_mttr_h: float
    latency_ns: float | None = None
    units: tuple[float, ...] = ()


@dataclass(frozen=True)
class NicPart:
    """One NIC row; ``plane_options`` are numbers of equal ports it may be split into; ``units`` as in `LinkPart`."""

    id: str
    rate_gbps: int
    lane_gbps: frozenset[float]
    families: frozenset[str]
    usd: float
    watts: float
    afr_hard: float
    plane_options: tuple[int, ...]
    units: tuple[float, ...] = ()


@dataclass(frozen=True)
class DirectPart:
    """The vendor's domain joined chip to chip, its wiring paid with the accelerator.

    ``larger``: optical circuit switches, also paid, join ``dims`` to larger tori.
    """

    kind: Literal["mesh", "torus"]
    size: int
    dims: tuple[int, ...]
    larger: bool


@dataclass(frozen=True)
class AcceleratorPart:
    """One accelerator row with host and rack: money and watts without network parts.

    ``switches`` may join it (none where its lane rate is unknown); ``vendor_domain`` is the vendor's size, switch and
    planes, ``vendor_size`` the size however it is joined, ``direct`` the vendor's domain without a switch; ``units`` as
    in `LinkPart`.
    """

    id: str
    protocol: str
    ports: int
    port_gbps: int
    lane_gbps: float | None
    max_domain: int
    sold_size: int | None
    per_host: int
    bare_usd: float
    installed_usd: float
    watts: float
    afr_hard: float
    interrupts: float
    hour_usd: float
    rack_watts: float
    rack_slots: int
    vendor_domain: tuple[int, str, int] | None
    vendor_size: int | None
    direct: DirectPart | None
    sealed: bool
    nic_options: tuple[tuple[NicPart, int], ...]
    switches: tuple[str, ...]
    units: tuple[float, ...] = ()


@dataclass(frozen=True)
class Economy:
    """Site, finance, repair and distance figures at the instance's level.

    ``front_end_usd`` and ``front_end_w`` per accelerator are None where the instance gives none: not counted.
    ``path_reference_us`` is the latency of the path through the fabric that plans count on without an allowance,
    ``counted`` the number of counted limits: columns of term vectors beyond `TERMS`; ``single_failure`` the most of a
    pool's tokens that one failure may take (None: no limit). ``box_swap_share`` is ``part_share`` of a co-packaged box
    swapped for an engine; ``pool_availability`` the least share of the time in which a pool serves its peak (None: no
    limit). ``pinned_links`` has the link pins of the instance by
    boundary, ``taper`` the pinned one of every leaf (None: none is).
    """

    crf_it: float
    watt_usd_per_year: float
    labour_usd_per_h: float
    module_swap_usd: float
    cable_swap_usd: float
    box_swap_usd: float
    backplane_swap_usd: float
    tray_mttr_h: float
    switch_tray_mttr_h: float
    box_mttr_h: float
    connector_mttr_h: float
    contamination_per_link: float
    p_kill: float
    restart_h: float
    part_share: float
    laser_usd: float
    mpo_fixed_usd: float
    mpo_usd_per_m: float
    duplex_cord_usd: float
    install_usd_per_link: float
    racks_per_row: int
    network_rack_watts: float
    lengths_m: dict[str, float]
    forced_m: dict[str, float]
    usd_per_hard: float
    usd_per_hit: float
    usd_per_hour: float
    front_end_usd: float | None
    front_end_w: float | None
    path_reference_us: float
    counted: int
    single_failure: float | None
    box_swap_share: float
    pool_availability: float | None = None
    pinned_links: Mapping[str, str] = field(default_factory=dict)
    taper: Fraction | None = None
