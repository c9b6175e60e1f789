"""What `designer evaluate` says: counts, money, watts, risk, flows of a given design, as plain data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from designer.design.account import Item
from designer.evaluate.amounts import Amount
from designer.given.schema import EndpointKind

SCHEMA_VERSION = 1

BY_LENGTH = ".by_length"
"""Between the name of a bundle and the number of a type of its links, where these are given by length."""

Verdict = Literal["carried", "not carried", "not known", "not asked"]


@dataclass(frozen=True)
class StageReport:
    """Boxes of one stage, all copies. ``ports`` is the most in use on one, ``ports_offered`` what it has.

    ``ports_offered`` is None where the ports run at several rates; ``share_used`` says how much of a box they take up,
    and is None where nobody says what it has.
    ``accelerators_behind`` lose their way into one copy of the network while a box is out (0: traffic goes round it).
    """

    name: str
    part: str
    boxes: int
    ports: int
    ports_offered: int | None
    share_used: float | None
    accelerators_behind: int


@dataclass(frozen=True)
class BundleReport:
    """Links of one boundary, all copies; ``links_by_class`` by distance class of the catalogue.

    ``fullest_share`` is the load of the fullest of them, as a share of its rate, where the all-to-all that the design
    asks for is routed; None where none is asked or routed, or where another routing may carry what this one cannot.
    """

    name: str
    lower_part: str
    upper_part: str
    rate_gbps: float
    links: int
    cables: int
    lower_ends: int
    upper_ends: int
    mean_m: float
    longest_m: float
    links_by_class: Mapping[str, int]
    fullest_share: float | None

    @property
    def whole(self) -> str:
        """Name of the bundle that it is a part of, where links are given by length; else its own."""
        return self.name.partition(BY_LENGTH)[0]


@dataclass(frozen=True)
class Capacity:
    """Gb/s per accelerator that a network carries in one pattern, all accelerators at once, and what is asked of it.

    ``most_gbps`` is None where nothing is known above. ``share_used`` is what is asked over ``least_gbps``.
    """

    pattern: Literal["all_to_all", "permutation", "all_reduce"]
    least_gbps: float
    most_gbps: float | None
    source: str
    asked_gbps: float | None
    verdict: Verdict
    share_used: float | None


@dataclass(frozen=True)
class FlowCheck:
    """What was found on the built network of one copy; ``violations`` is empty where all is as counted."""

    boxes: int
    pairs: int
    checks: tuple[str, ...]
    violations: tuple[str, ...]


@dataclass(frozen=True)
class NetworkReport:
    """One network of the design; ``repeat`` equal ones of ``rails`` x ``planes`` copies each."""

    name: str
    family: str
    endpoints_are: EndpointKind
    repeat: int
    rails: int
    planes: int
    spare_planes: int
    accelerators: int
    stages: tuple[StageReport, ...]
    bundles: tuple[BundleReport, ...]
    capacities: tuple[Capacity, ...]
    flow: FlowCheck


@dataclass(frozen=True)
class LineReport:
    """One line of the account; USD and watts, failures per year."""

    item: Item
    network: str
    place: str
    part: str
    units: int
    capex_usd: Amount
    watts: Amount
    failures_usd_per_year: Amount
    hard_repairs_per_year: Amount
    job_hits_per_year: Amount
    accelerator_hours_lost_per_year: Amount
    cleanings_per_year: Amount


@dataclass(frozen=True)
class Totals:
    """Sums over all lines (docs/rules.md section 8). ``availability`` is the share of accelerator-hours left.

    Where hours are not known, the known part of ``availability`` is what it is at most.
    """

    capex_usd: Amount
    watts: Amount
    capital_usd_per_year: Amount
    facility_usd_per_year: Amount
    energy_usd_per_year: Amount
    failures_usd_per_year: Amount
    annual_usd: Amount
    hard_repairs_per_year: Amount
    job_hits_per_year: Amount
    accelerator_hours_lost_per_year: Amount
    cleanings_per_year: Amount
    availability: Amount


@dataclass(frozen=True)
class Use:
    """How far something is used: ``share`` above 1 is too much."""

    what: str
    used: float
    of: float
    unit: str

    @property
    def share(self) -> float:
        """Used over available."""
        return self.used / self.of if self.of else float("inf")


@dataclass(frozen=True)
class Source:
    """A file that was read."""

    file: str
    sha256: str


@dataclass(frozen=True)
class Racks:
    """Racks of accelerators, with their scale-up switches and what stands beside, and of switches alone."""

    accelerators: int
    network: int


@dataclass(frozen=True)
class Evaluation:
    """A given design counted, priced and checked.

    ``uptime`` is the share of the time in which as many domains are up as run jobs, ``spare_domains`` beside them; None
    where nothing says what a domain is, or no accelerator is given. ``racks`` is None where nobody says what a rack
    holds.
    """

    schema_version: int
    name: str
    title: str
    source: str
    level: str
    date: str
    design: Source
    catalogue_sha256: str
    overlay: Source | None
    versions: Mapping[str, str]
    accelerators: int
    hosts: int
    nics: int
    job_accelerators: int
    spare_domains: int
    uptime: Amount | None
    racks: Racks | None
    networks: tuple[NetworkReport, ...]
    lines: tuple[LineReport, ...]
    totals: Totals
    uses: tuple[Use, ...]
    notes: tuple[str, ...]

    @property
    def ok(self) -> bool:
        """Whether every built network is what the closed form counts, and carries what is asked of it."""
        held = not any(network.flow.violations for network in self.networks)
        return held and all(row.verdict != "not carried" for network in self.networks for row in network.capacities)

    @property
    def switches(self) -> int:
        """Switches of all networks."""
        return sum(stage.boxes for network in self.networks for stage in network.stages)

    def bundle(self, network: str, name: str) -> BundleReport:
        """The bundle of that name in that network, or KeyError."""
        return {(n.name, b.name): b for n in self.networks for b in n.bundles}[network, name]
