"""The parts a design uses, as exact rows: every figure a rule needs, at the instance's level, known.

These rows are the verifier's own; :mod:`designer.verify.shelf` fills them from the catalogue.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction


@dataclass(frozen=True)
class VendorDomain:
    """The scale-up domain the vendor sells: its size, switch and planes (None: no switch of ours).

    ``direct`` is "mesh" or "torus" where the accelerators are joined without a switch; ``dims`` the sides of a torus.
    """

    size: int
    switch: str | None
    planes: int | None
    direct: str | None = None
    dims: tuple[int, ...] = ()
    larger_by_ocs: bool = False


@dataclass(frozen=True)
class AcceleratorRow:
    """An accelerator with its host share and rack (``docs/rules.md`` section 2).

    ``lane_gbps`` is None where no rule needs it: the accelerators are joined directly. ``price_contains`` names the
    parts that come with it; ``maker`` is who sells it.
    """

    id: str
    maker: str
    per_host: int
    ports: int
    port_gbps: Fraction
    lane_gbps: Fraction | None
    max_domain: int
    sold_by_the_rack: bool
    sealed: bool
    vendor: VendorDomain | None
    price_contains: frozenset[str]
    bare_usd: Fraction
    installed_usd: Fraction
    watts: Fraction
    afr: Fraction
    interrupts: Fraction
    rack_watts: Fraction
    rack_places: int


@dataclass(frozen=True)
class CpoRow:
    """What can fail in a co-packaged switch: engines (the box is swapped) and laser modules."""

    link: str
    box_swaps: Fraction
    box_hours: Fraction
    laser_modules: int
    laser_rate: Fraction
    laser_hours: Fraction


@dataclass(frozen=True)
class SwitchRow:
    """A switch as bought: tray adders are in ``usd`` and ``watts``; ``radix`` is ports by port rate.

    ``latency_ns`` is None where no rule needs it: inside a scale-up domain.
    """

    id: str
    usd: Fraction
    watts: Fraction
    radix: dict[Fraction, int]
    lane_gbps: Fraction
    afr: Fraction
    outages: Fraction
    cpo: CpoRow | None
    latency_ns: Fraction | None


@dataclass(frozen=True)
class NicRow:
    """A network card."""

    id: str
    rate_gbps: Fraction
    usd: Fraction
    watts: Fraction
    afr: Fraction
    lanes: frozenset[Fraction]
    families: frozenset[str]
    plane_options: frozenset[int]


@dataclass(frozen=True)
class LinkRow:
    """One kind of cable end.

    ``usd`` and ``watts`` of a ``cpo`` row are 0 and mean nothing: it is never bought. ``usd_per_cable`` is None
    where cables are priced by their ends. ``fibres`` are those of one row-rate link, in LC pairs if ``duplex``.
    ``latency_ns`` is that of one end, None where no rule needs it: inside a scale-up domain.
    """

    id: str
    construction: str
    placement: str
    cpo: bool
    rate_gbps: Fraction
    lane_gbps: Fraction
    host_lanes: frozenset[Fraction]
    interop: str | None
    reach_m: Fraction
    usd: Fraction
    usd_per_cable: Fraction | None
    watts: Fraction
    fibres: int
    duplex: bool
    afr: Fraction
    transients: Fraction
    repair_h: Fraction
    latency_ns: Fraction | None

    @property
    def module(self) -> bool:
        """Whether the row is a module (or engine) on fibre rather than a cable or backplane."""
        return self.fibres > 0

    @property
    def backplane(self) -> bool:
        """Whether the row is a cartridge or midplane, counted per domain."""
        return self.construction == "backplane"


@dataclass(frozen=True)
class Stage:
    """One stage of scale-up switches and the link rows, lower and upper end, that join it to what is below it."""

    switch: SwitchRow
    links: tuple[LinkRow, LinkRow]


@dataclass(frozen=True)
class PoolParts:
    """The exact rows of the parts one pool names.

    ``stages`` are those of its scale-up switches: none where the accelerators are joined directly. ``radices`` are
    those of all switches its accelerator may use.
    """

    accelerator: AcceleratorRow
    nic: NicRow
    stages: tuple[Stage, ...]
    nic_leaf: tuple[LinkRow, LinkRow]
    radices: tuple[int, ...]


@dataclass(frozen=True)
class SiteRow:
    """Everything about place, money and repair that the rules use, overrides of the instance applied.

    ``front_end_usd``, ``front_end_watts`` per accelerator are None where the instance does not give them, and so is
    ``box_swap_share``: then the owner pays ``part_share`` of a co-packaged box swapped for an engine, too.
    """

    lengths_m: dict[str, Fraction]
    racks_per_row: Fraction
    network_rack_watts: Fraction
    pue: Fraction
    usd_per_kwh: Fraction
    utilisation: Fraction
    facility_usd_per_w: Fraction
    wacc: Fraction
    it_years: int
    building_years: int
    part_share: Fraction
    lost_hour_share: Fraction
    restart_h: Fraction
    kill_share: Fraction
    labour_usd_per_h: Fraction
    module_swap_usd: Fraction
    cable_swap_usd: Fraction
    box_swap_usd: Fraction
    backplane_labour_h: Fraction
    switch_tray_h: Fraction
    compute_tray_h: Fraction
    switch_box_h: Fraction
    mpo_fixed_usd: Fraction
    mpo_usd_per_m: Fraction
    duplex_usd: Fraction
    install_usd: Fraction
    dirt_per_year: Fraction
    dirt_h: Fraction
    laser_usd: Fraction
    box_swap_share: Fraction | None = None
    front_end_usd: Fraction | None = None
    front_end_watts: Fraction | None = None
