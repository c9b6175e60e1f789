"""Scale-up domains: how their accelerators are joined and what that adds (``docs/rules.md`` sections 3, 4, 5, 9)."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property

from designer.candidates.cables import Counts, LinkPair, ceil_div, cleaning, edge_load, end_load, install_usd
from designer.candidates.parts import AcceleratorPart, Economy, NicPart, SwitchPart
from designer.candidates.reroute import box_events, box_hours, link_events, link_hours
from designer.candidates.spares import edge_hours, plane_factors, switch_hours
from designer.candidates.terms import NOTHING, Event, Load
from designer.design.types import ScaleUpKind


@dataclass(frozen=True)
class FirstStage:
    """Switches that accelerators are joined to, and those links; ``counts`` per domain.

    ``shares[j]`` ports of every accelerator go to plane ``j``. ``group`` accelerators stand behind one switch of every
    plane: all of the domain, or with a second stage a part of it.
    """

    switch: SwitchPart
    shares: tuple[int, ...]
    group: int
    pair: LinkPair
    counts: Counts


@dataclass(frozen=True)
class SecondStage:
    """Switches that join the groups of every plane, and the links between the stages; ``counts`` per domain.

    ``uplinks`` = ``links_per_pair`` x ``switches_per_plane`` leave every first-stage switch.
    """

    switch: SwitchPart
    links_per_pair: int
    switches_per_plane: int
    uplinks: int
    pair: LinkPair
    counts: Counts


@dataclass(frozen=True)
class Network:
    """How the accelerators of one domain are joined; without ``lower`` chip to chip, wired at the vendor's cost.

    ``usable_gbps`` is what one accelerator can count on, with ``spare`` of the planes out; ``dims`` the sides of a
    torus.
    """

    kind: ScaleUpKind
    size: int
    ports: int
    port_gbps: int
    usable_gbps: Fraction
    dims: tuple[int, ...] = ()
    lower: FirstStage | None = None
    upper: SecondStage | None = None
    spare: int = 0

    @property
    def group(self) -> int:
        """Accelerators behind one switch (all of the domain where there is none or one stage)."""
        return self.size if self.lower is None else self.lower.group

    @property
    def planes(self) -> int:
        """Parallel planes of switches."""
        return 0 if self.lower is None else len(self.lower.shares)

    @cached_property
    def switch_counts(self) -> tuple[tuple[str, int], ...]:
        """Type and number per domain of the switches of each stage, the first stage first."""
        out = []
        if self.lower is not None:
            out.append((self.lower.switch.id, self.planes * (self.size // self.lower.group)))
        if self.upper is not None:
            out.append((self.upper.switch.id, self.planes * self.upper.switches_per_plane))
        return tuple(out)


@dataclass(frozen=True)
class DomainDesign:
    """One way to build a scale-up domain; ``load`` is per domain, NICs included.

    ``lengths_m`` are the routes of the first and, where there is one, the second stage's links.
    ``hosts_per_rack``, ``racks_per_domain`` and ``domains_per_rack`` follow from watts and slots. ``out_h`` are the
    hours a year that something is repaired which takes the domain down as a whole, where spares could stand in for it.
    """

    accelerator: AcceleratorPart
    network: Network
    nic: NicPart
    nics: int
    lengths_m: tuple[float, ...]
    hosts_per_rack: int
    racks_per_domain: int
    domains_per_rack: int
    load: Load
    out_h: float = 0.0

    @property
    def size(self) -> int:
        """Accelerators of the domain."""
        return self.network.size

    @property
    def usable_gbps(self) -> Fraction:
        """Gb/s per accelerator that plans may count on."""
        return self.network.usable_gbps

    @property
    def nic_gbps(self) -> int:
        """Gb/s of all NICs of an accelerator, one direction."""
        return self.nics * self.nic.rate_gbps

    @property
    def switch_counts(self) -> tuple[tuple[str, int], ...]:
        """Type and number per domain of the switches of each stage, the first stage first."""
        return self.network.switch_counts

    @property
    def link_counts(self) -> tuple[int, ...]:
        """Links per domain of each boundary that is bought, the first stage first."""
        network = self.network
        return tuple(stage.counts.links for stage in (network.lower, network.upper) if stage is not None)


def length_class(racks: int, racks_per_row: int, *, own_rack: bool) -> str:
    """Name the distance class that spans ``racks`` racks; ``own_rack``: both ends may stand in one rack."""
    if own_rack:
        if racks == 1:
            return "in_rack"
        racks -= 1
    if racks == 1:
        return "adjacent_rack"
    if racks <= 3:
        return "three_racks_away"
    limit = racks_per_row - 1 if own_rack else racks_per_row
    return "row" if racks <= limit else "hall"


def box_load(switch: SwitchPart, behind: int, mttr_h: float, labour_usd: float, economy: Economy) -> Load:
    """Load of one switch whose loss takes down the ``behind`` accelerators below it (scale-up plane, leaf)."""
    part = switch.usd * economy.part_share
    events = [
        Event(behind, switch.outage, switch.afr_hard * mttr_h),
    ]
    repairs = switch.afr_hard * (part + labour_usd)
    hard = switch.afr_hard
    if switch.cpo:
        lasers = switch.lasers * switch.laser_rate
        fed = ceil_div(behind, switch.lasers)
        events.append(Event(behind, switch.box_swaps, switch.box_swaps * switch.box_mttr_h))
        events.append(Event(fed, lasers, lasers * switch.laser_mttr_h))
        repairs += switch.box_swaps * (switch.usd * economy.box_swap_share + labour_usd)
        repairs += lasers * (economy.laser_usd * economy.part_share + economy.module_swap_usd)
        hard += switch.box_swaps + lasers
    return Load(switch.usd, switch.watts, 0.0, repairs, hard, tuple(events), units=switch.units)


def network_watts(network: Network, economy: Economy) -> float:
    """Watts of switches and bought cable ends per domain; they do not hang on lengths."""
    watts = 0.0
    if network.lower is not None:
        lower = network.lower
        ends = edge_load(lower.pair, lower.counts, network.port_gbps, 0.0, (1, 1), lower.group, economy).watts
        watts = network.planes * (network.size // lower.group) * lower.switch.watts + ends
    if network.upper is not None:
        upper = network.upper
        watts += network.planes * upper.switches_per_plane * upper.switch.watts
        watts += second_edge_load(upper.pair, upper.counts, network.port_gbps, 0.0, network.size, economy).watts
    return watts


def network_load(network: Network, lengths_m: tuple[float, ...], economy: Economy) -> Load:
    """Switches and links of a domain, nothing where it is joined chip to chip."""
    if network.lower is None:
        return NOTHING
    lower = network.lower
    boxes = network.planes * (network.size // lower.group)
    labour = economy.labour_usd_per_h * economy.switch_tray_mttr_h
    load = box_load(lower.switch, lower.group, economy.switch_tray_mttr_h, labour, economy).times(boxes)
    load += edge_load(lower.pair, lower.counts, network.port_gbps, lengths_m[0], (1, 1), lower.group, economy)
    if network.spare:
        load = load.spared(*plane_factors(network.planes, network.spare, lower.switch, economy))
    if network.upper is None:
        return load
    upper, size = network.upper, network.size
    boxes = network.planes * upper.switches_per_plane
    load += second_box_load(upper.switch, size, boxes, economy).times(boxes)
    return load + second_edge_load(upper.pair, upper.counts, network.port_gbps, lengths_m[1], size, economy)


def network_hours(network: Network, economy: Economy) -> float:
    """Hours a year that switches and links of a domain are out, one of which takes it down; not the second stage."""
    lower = network.lower
    if lower is None:
        return 0.0
    hours = edge_hours(lower.pair, lower.counts)
    if network.spare:
        return hours
    return hours + network.planes * (network.size // lower.group) * switch_hours(lower.switch, economy)


def second_box_load(switch: SwitchPart, size: int, boxes: int, economy: Economy) -> Load:
    """Load of one of a domain's ``boxes`` second-stage switches: the others carry on when it is out."""
    mttr, labour = economy.switch_tray_mttr_h, economy.labour_usd_per_h * economy.switch_tray_mttr_h
    box = box_load(switch, 1, mttr, labour, economy)
    hits = Event(size, economy.p_kill * box_events(switch), 0.0)
    hours = box_hours(switch, mttr) * size / boxes
    return Load(box.capex_usd, box.watts, 0.0, box.repairs_usd, box.hard, (hits,), hours, box.units)


def second_edge_load(
    pair: LinkPair, counts: Counts, rate_gbps: int, length_m: float, size: int, economy: Economy
) -> Load:
    """Load of the links between two stages of a domain of ``size``: an event among them only takes away bandwidth."""
    hours = size * link_hours(pair, economy)
    if not pair.module:
        # Links of the same two switches share their cables, so these are what fails.
        events = counts.cables * (2 * pair.lower.afr_end + pair.lower.transient)
        load = end_load(pair.lower, counts.cables, economy)
        return load + Load(events=(Event(0, economy.p_kill * events, 0.0),), hours=hours)
    load = end_load(pair.lower, counts.lower_ends, economy) + end_load(pair.upper, counts.upper_ends, economy)
    fibre = counts.links * install_usd(pair, rate_gbps, length_m, economy)
    _, money = cleaning(pair, counts.lower_ends + counts.upper_ends, economy)
    events = counts.links * link_events(pair, rate_gbps, 1, economy)
    return load + Load(fibre, 0.0, 0.0, money, 0.0, (Event(0, economy.p_kill * events, 0.0),), hours)
