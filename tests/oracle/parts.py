"""Parts, site figures and plans of one random question as plain exact numbers.

Every figure is a `Fraction` read from its decimal text, at the level the instance asks for; None is unknown.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

Figure = Fraction | None


def exact(number: float | int | str | Fraction) -> Fraction:
    """Return the number that the shortest decimal text of ``number`` states.

    Examples
    --------
    >>> exact(0.1)
    Fraction(1, 10)
    """
    return number if isinstance(number, Fraction) else Fraction(str(number))


def known(figure: Figure) -> Fraction:
    """Return a figure that the sale has checked to be known."""
    assert figure is not None
    return figure


def ceil_div(numerator: Fraction | int, denominator: Fraction | int = 1) -> int:
    """Return the smallest integer not below the quotient.

    Examples
    --------
    >>> ceil_div(7, 2), ceil_div(8, 2)
    (4, 4)
    """
    return -int(-Fraction(numerator) // Fraction(denominator))


@dataclass(frozen=True, eq=False)
class Accelerator:
    """One accelerator type; ``host`` is ``accelerators_per_host``, ``nics`` the (NIC, count) options.

    ``direct`` is "mesh" or "torus" where the vendor joins chip to chip; ``sides`` are those of the torus, and
    ``larger`` says that optical switches join whole domains to larger ones.
    """

    id: str
    status: str
    available_from: str
    access: str
    host: int
    price: Figure
    price_contains: tuple[str, ...]
    host_price: Figure
    tdp: Figure
    overhead: Figure
    power_contains: tuple[str, ...]
    afr: Figure
    interrupts: Figure
    protocol: str
    ports: int
    port_gbps: int
    lane_gbps: int | None
    max_domain: int
    rack: str
    nics: tuple[tuple[str, int], ...]
    sealed: bool = False
    vendor_size: int | None = None
    vendor_switch: str | None = None
    vendor_planes: int | None = None
    vendor_link: str | None = None
    direct: str | None = None
    sides: tuple[int, ...] = ()
    larger: bool = False
    rack_share: bool = False
    vendor: str = "acme"

    @property
    def one_size(self) -> bool:
        """Whether it is sold as part of a rack of one size."""
        return self.rack_share and self.vendor_size is not None


@dataclass(frozen=True, eq=False)
class Switch:
    """One switch type; ``speaks`` are the accelerator protocols that the compatibility table pairs with it.

    ``latency`` is in ns, once through the switch.
    """

    id: str
    role: str
    status: str
    available_from: str
    protocol: str
    speaks: tuple[str, ...]
    radix: tuple[tuple[int, int], ...]
    lane_gbps: int
    price: Figure
    power: Figure
    price_factor: Fraction
    power_factor: Fraction
    afr: Figure
    outage: Figure
    cpo_link: str | None = None
    box_swaps: Figure = None
    lasers: int = 0
    latency: Fraction = Fraction(0)

    def ports(self, rate: int) -> int | None:
        """Ports when all run at ``rate``, or None if the switch has no such ports."""
        return dict(self.radix).get(rate)

    @property
    def cost(self) -> Fraction:
        """Price with the tray that a bare chip needs."""
        assert self.price is not None
        return self.price * self.price_factor

    @property
    def watts(self) -> Fraction:
        """Watts with the tray that a bare chip needs."""
        assert self.power is not None
        return self.power * self.power_factor


@dataclass(frozen=True, eq=False)
class Link:
    """One link row: a cable or backplane (``fibres`` 0) or one end of a module-and-fibre link.

    ``latency`` is in ns, of one end.
    """

    id: str
    construction: str
    placement: str
    status: str
    available_from: str
    rate: int
    lane_gbps: int
    host_lanes: tuple[int, ...]
    reach: Figure
    fibres: int
    fibre_kind: str
    interop: str | None
    price_end: Figure
    price_cable: Figure
    watts_end: Figure
    afr_end: Figure
    transient: Figure
    mttr: Figure
    cpo: bool = False
    oe_mttr: Figure = None
    els_mttr: Figure = None
    els_fit: Figure = None
    latency: Fraction = Fraction(0)

    @property
    def is_module(self) -> bool:
        """Whether the row is one end of a module-and-fibre link."""
        return self.fibres > 0


@dataclass(frozen=True, eq=False)
class Nic:
    """One NIC type; it may be split into as many ports as one of ``planes`` says."""

    id: str
    status: str
    available_from: str
    families: tuple[str, ...]
    rate: int
    lanes: tuple[int, ...]
    price: Figure
    power: Figure
    afr: Figure
    planes: tuple[int, ...] = (1,)


@dataclass(frozen=True, eq=False)
class Rack:
    """Limits of one rack type."""

    power_kw: Fraction
    accelerators: int


@dataclass(frozen=True, eq=False)
class Facility:
    """Figures of the site, its money and its repairs, before the instance replaces any."""

    racks: dict[str, Rack]
    lengths: dict[str, Fraction]
    racks_per_row: Fraction
    pue: Fraction
    electricity: Fraction
    utilisation: Fraction
    capex_per_w: Fraction
    wacc: Fraction
    it_years: int
    building_years: int
    labour: Fraction
    module_swap: Fraction
    cable_swap: Fraction
    box_swap: Fraction
    backplane_hours: Fraction
    switch_tray_h: Fraction
    compute_tray_h: Fraction
    switch_box_h: Fraction
    restart_h: Fraction
    p_kill: Fraction
    lost_hour: Fraction
    dirty: Fraction
    clean_h: Fraction
    laser_price: Fraction
    cord_price: Fraction
    fibre_fixed: Fraction
    fibre_per_m: Fraction
    install: Fraction


@dataclass(frozen=True, eq=False)
class Point:
    """One serving plan: what one accelerator yields in a domain of ``size`` and what its links must carry.

    ``allowance`` is how many microseconds longer than the reference the fabric's path may be, None if any will do;
    ``serial`` tells plans of the same replica apart.
    """

    pool: str
    accelerator: str
    size: int
    replica: int
    tokens: Fraction
    scale_up_need: Fraction
    expert_need: Fraction
    other_need: Fraction
    allowance: Figure = None
    serial: int = 1

    @property
    def least_nic_gbps(self) -> Fraction:
        """A measured point holds only with NICs that carry either kind of its traffic (`demand/measured.py`)."""
        return max(self.expert_need, self.other_need)

    @property
    def domains_per_replica(self) -> int:
        """Whole domains that one replica takes."""
        return ceil_div(self.replica, self.size)


@dataclass(frozen=True, eq=False)
class Parts:
    """Everything that a question may choose from."""

    accelerators: tuple[Accelerator, ...]
    switches: tuple[Switch, ...]
    links: tuple[Link, ...]
    nics: tuple[Nic, ...]
    facility: Facility
    points: tuple[Point, ...]
