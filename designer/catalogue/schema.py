"""Rows of the catalogue that are bought and wired: accelerators, switches, links and NICs.

Bandwidth is one direction, Gb/s for ports and links and GB/s for accelerators; FLOP/s are dense.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BeforeValidator, Field, StringConstraints

from designer.catalogue.figures import Basis, Figure, Frozen

Identifier = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$")]
Quarter = Annotated[str, StringConstraints(pattern=r"^20\d\d-Q[1-4]$")]
Status = Literal["shipping", "ramping", "announced", "future", "discontinued"]
Access = Literal["merchant", "cloud", "internal", "china"]
Family = Literal["Ethernet", "InfiniBand"]
PricePart = Literal["host", "nic", "scale_up_switch", "scale_up_link", "rack"]
PowerPart = Literal["nic", "scale_up_switch"]
Count = Annotated[int, Field(ge=1, le=10_000_000)]
Rate = Annotated[float, Field(gt=0, le=1e9, allow_inf_nan=False)]

Item = TypeVar("Item")
# TOML has lists only; they become tuples, so that a row cannot be changed.
Listed = Annotated[tuple[Item, ...], Field(strict=False)]


def _whole_number_keys(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    return {int(k) if isinstance(k, str) and k.isdecimal() and len(k) < 10 else k: v for k, v in value.items()}


RadixByRate = Annotated[Mapping[Count, Count], Field(strict=False, min_length=1), BeforeValidator(_whole_number_keys)]


class DenseTflops(Frozen):
    """Dense FLOP rates in TFLOP/s by number format."""

    bf16: Figure
    fp8: Figure
    fp4: Figure


class ScaleUp(Frozen):
    """The accelerator's own links (memory semantics)."""

    protocol: str = Field(description="literal key of the compatibility table")
    gbs_per_dir: Figure
    ports: Figure
    lanes_per_port: Figure
    lane_gbps: Figure
    port_gbps: Figure
    topology: str
    default_domain: Count | None = None
    max_domain: Figure = Field(description="largest domain that the vendor has announced")
    default_medium: str
    note: str | None = None


class NicOption(Frozen):
    """NICs per accelerator that may be chosen."""

    nic: Identifier
    count: Annotated[int, Field(ge=1, le=64)]


class VendorDomain(Frozen):
    """The scale-up domain as the vendor sells it; without switch and planes where it has none or they are unknown."""

    size: Count
    switch: Identifier | None = None
    planes: Count | None = Field(default=None, description="parallel switches, each joined to every accelerator")
    link: Identifier | None = None
    direct: Literal["mesh", "torus"] | None = Field(
        default=None, description="joined chip to chip, without a switch: every pair (mesh) or neighbours (torus)"
    )
    dims: Listed[Count] = Field(default=(), description="sides of a torus; their product is the size")
    larger_by_ocs: bool = Field(
        default=False, description="optical circuit switches, paid with the rack, join whole domains to larger tori"
    )
    basis: Basis
    source: str
    note: str | None = None


class Accelerator(Frozen):
    """One accelerator, per package.

    ``price_contains`` lists what ``price_usd`` already pays for, ``power_contains`` which parts' watts are
    inside ``host_overhead_w_per_accel``. A ``sealed`` accelerator is offered in the vendor's domain only.
    """

    id: Identifier
    name: str
    vendor: str
    kind: Literal["gpu", "asic"]
    status: Status
    available_from: Quarter
    access: Access
    access_note: str | None = None
    dense_tflops: DenseTflops
    hbm_gb: Figure
    hbm_gbs: Figure
    scale_up: ScaleUp
    scale_out_nic_gbps: Figure
    nic_options: Listed[NicOption]
    nic_options_note: str | None = None
    tdp_w: Figure
    host_overhead_w_per_accel: Figure
    power_contains: Listed[PowerPart]
    price_usd: Figure
    price_scope: Literal["rack_share", "module"]
    price_contains: Listed[PricePart]
    price_contains_note: str | None = None
    system_price_usd_per_accel: Figure | None = None
    host_price_usd: Figure | None = Field(
        default=None, description="server share without NIC; None where the price contains the host"
    )
    accelerators_per_host: Count
    rack: Identifier
    rack_note: str | None = None
    vendor_domain: VendorDomain | None = None
    sealed: bool
    sealed_note: str | None = None
    afr_hard: Figure
    job_interrupt_per_year: Figure
    notes: str | None = None


class TrayAdders(Frozen):
    """What turns a switch chip into a tray: factors on its price and power."""

    price_factor: Figure
    power_factor: Figure


class Switch(Frozen):
    """One switch, chip or system.

    Examples
    --------
    >>> from designer.catalogue import load_catalogue
    >>> load_catalogue().switches["nvswitch4_chip"].radix_by_port_gbps
    {400: 72}
    """

    id: Identifier
    name: str
    vendor: str
    role: Literal["scale_up", "scale_out"]
    status: Status
    available_from: Quarter
    protocol: str
    family: Family | None = Field(default=None, description="scale-out switches only")
    rate_agnostic: bool = Field(description="true: an optical circuit switch, counted by ports")
    capacity_tbps: Figure
    radix_by_port_gbps: RadixByRate
    lane_gbps: Figure
    lanes: Figure
    power_w: Figure
    power_scope: str
    price_usd: Figure
    price_scope: Literal["chip", "system w/o optics", "system incl. CPO optics"]
    tray_adders: TrayAdders | None = Field(default=None, description="chip rows only")
    latency_ns: Figure
    afr_hard: Figure
    outage_per_year: Figure
    cpo: bool
    cpo_link: Identifier | None = Field(default=None, description="link row of the ends inside a CPO switch")
    optical_engines: Figure | None = None
    oe_tbps: Figure | None = None
    els_modules: Figure | None = None
    oe_box_swap_per_year: Figure | None = None
    optics: str | None = None
    bom_usd: Figure | None = None
    planes_per_domain: Figure | None = None
    cooling: str
    form: str | None = None
    note: str | None = None


class Fibres(Frozen):
    """Active fibres of one link, both directions."""

    count: Annotated[int, Field(ge=0, le=10_000)]
    kind: str


class CpoParts(Frozen):
    """Engine and laser module behind one CPO end, for the risk terms."""

    oe_fit_per_end: Figure
    els_fit_per_module: Figure
    els_modules_per_end: Figure
    oe_mttr_h: Figure
    els_mttr_h: Figure
    oe_blast_radius: str
    els_blast_radius: str


class Link(Frozen):
    """One type of link: cable, pair of modules, backplane or board trace; figures per end unless named otherwise."""

    id: Identifier
    tech: str
    rate_gbps: Rate
    lanes: Count
    lane_gbps: Rate
    host_lane_gbps: Annotated[Listed[Rate], Field(min_length=1)]
    construction: Literal["cable", "backplane", "module+fibre", "engine+els+fibre"]
    placement: Literal["cable", "rack", "board"] = Field(
        description="rack and board: the whole domain sits in one rack or on one host board"
    )
    status: Status
    available_from: Quarter
    reach_m: Figure
    power_w_per_end: Figure
    price_usd_per_cable: Figure | None = None
    price_usd_per_end: Figure
    fibres: Fibres
    fit_per_end: Figure
    afr_hard_per_end: Figure
    transient_per_link_year: Figure
    mttr_h: Figure
    hot_swappable: bool | Literal["els_only"]
    blast_radius: str
    latency_ns_per_end: Figure
    interop_class: str | None = None
    ends: str | None = None
    cpo_parts: CpoParts | None = None
    mating_cycles_max: Figure | None = None
    pairs_per_nvl72_rack: Figure | None = None
    note: str | None = None


class Nic(Frozen):
    """One NIC: a port of ``rate_gbps`` whose electrical lanes may run at any of ``lane_gbps_options``."""

    id: Identifier
    name: str
    rate_gbps: Rate
    lane_gbps_options: Annotated[Listed[Rate], Field(min_length=1)]
    families: Annotated[Listed[Family], Field(min_length=1)]
    plane_options: Annotated[Listed[Count], Field(min_length=1)] = Field(
        default=(1,), description="into how many ports of equal rate the NIC may be split, one per plane"
    )
    plane_options_note: str | None = None
    status: Status
    available_from: Quarter
    price_usd: Figure
    power_w: Figure
    afr_hard: Figure
    note: str | None = None
