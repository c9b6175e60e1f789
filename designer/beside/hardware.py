"""What a given design is to the demand model: domains, bandwidth inside and outside, the way through its network."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

from designer.candidates.direct import mesh_gbps, torus_gbps
from designer.demand import DomainOffer
from designer.design.account import Item
from designer.evaluate.result import Evaluation, NetworkReport
from designer.families.dragonfly import Dragonfly
from designer.families.family import Family
from designer.families.fat_tree import FatTree
from designer.families.hyperx import FullMesh, HyperX
from designer.families.scale_up_clos import ScaleUpClos
from designer.families.single_stage import SingleStage
from designer.given.load import Given, GivenTopology
from designer.verify.exact import exact

OWN_NIC = "own figures"
_NS_PER_M = 5  # light in a fibre, docs/rules.md 6.1


@dataclass(frozen=True)
class Network:
    """A network of the design as read and as evaluated."""

    read: GivenTopology
    report: NetworkReport


@dataclass(frozen=True)
class Hardware:
    """What serving plans may count on.

    ``domains`` are those that are not spare.
    ``any_gbps`` is what the network of the NICs carries of any permutation, per accelerator, None where it is not
    known; ``domains_per_leaf`` the whole domains at a leaf, 0 where a leaf holds none; ``path_us`` the longest way from
    NIC to NIC (docs/rules.md 6.1), None where it is not known. ``why_not`` says why no plan can be made. ``uncounted``
    names items that the design must have, but does not give.
    """

    offer: DomainOffer
    domains: int
    any_gbps: float | None
    domains_per_leaf: int
    rails: int
    path_us: Fraction | None
    notes: tuple[str, ...]
    why_not: str
    uncounted: tuple[Item, ...]


def networks_of(given: Given, found: Evaluation, endpoints_are: str) -> list[Network]:
    """The networks whose endpoints are accelerators, or NICs."""
    pairs = zip(given.networks, found.networks, strict=True)
    return [Network(read, report) for read, report in pairs if report.endpoints_are == endpoints_are]


def hardware_of(given: Given, found: Evaluation) -> Hardware:
    """Tell what a given design is to the demand model."""
    endpoints, notes = given.design.endpoints, list[str]()
    size, scale_up, why_not = _domain(given, networks_of(given, found, "accelerators"), notes)
    name = "" if endpoints.accelerator is None else endpoints.accelerator.id or ""
    if not name:
        why_not = "the token model needs an accelerator of the catalogue, the design gives " + (
            "none" if endpoints.accelerator is None else "figures of its own"
        )
    domains = endpoints.accelerators // size - endpoints.spare_domains
    if endpoints.accelerators % size:
        notes.append(f"{endpoints.accelerators % size} accelerators make no whole domain of {size}: they serve nothing")
    outside = networks_of(given, found, "nics")
    nic_gbps = _nic_gbps(given, outside)
    only = outside[0] if len(outside) == 1 else None
    if not outside:
        notes.append("no network of NICs is given: nothing leaves a domain")
    elif only is None:
        notes.append("several networks of NICs are given: traffic outside is held against the NICs alone")
    elif only.report.repeat > 1:
        notes.append(f"{only.report.repeat} networks of NICs are not joined: their domains are counted as if they were")
    nic = OWN_NIC if endpoints.nic is None or endpoints.nic.id is None else endpoints.nic.id
    return Hardware(
        offer=DomainOffer(name, size, scale_up, nic, endpoints.nics, nic_gbps),
        domains=domains,
        any_gbps=None if only is None else _any_gbps(only),
        domains_per_leaf=0 if only is None else _domains_per_leaf(only, size),
        rails=1 if only is None else only.report.rails,
        path_us=None if only is None else path_us(given, only),
        notes=tuple(notes),
        why_not=why_not,
        uncounted=tuple(_uncounted(given, found)),
    )


def _uncounted(given: Given, found: Evaluation) -> Iterator[Item]:
    """What a design leaves out without being able to do without it."""
    part = given.design.endpoints.accelerator
    if part is None:
        yield "accelerators"
    elif part.id is not None and not networks_of(given, found, "accelerators"):
        vendor = given.catalogue.accelerators[part.id].vendor_domain
        if vendor is not None and vendor.direct is None and vendor.size > 1:
            yield from ("scale_up_switches", "scale_up_links")
    if given.design.endpoints.nic is None and networks_of(given, found, "nics"):
        yield "nics"


def _domain(given: Given, inside: list[Network], notes: list[str]) -> tuple[int, float, str]:
    """Accelerators of a domain, and the Gb/s that one of them can count on."""
    if len(inside) > 1:
        names = ", ".join(network.report.name for network in inside)
        return 1, 0.0, f"which network is the scale-up domain cannot be said: {names} all join accelerators"
    if not inside:
        size, gbps, words = _as_sold(given)
        notes.append(f"no scale-up network is given: {words}")
        return size, gbps, ""
    network = inside[0]
    size = network.report.accelerators // network.report.repeat
    if isinstance(network.read.family, SingleStage):
        # Plans count on even striping over the switches that are not spare (docs/rules.md 3.1).
        used = network.read.family.planes - network.read.row.spare_planes
        return size, network.read.family.even_striping_gbps() * used / network.read.family.planes, ""
    if network.report.rails > 1:
        return size, 0.0, f"{network.report.name} has rails, so not all accelerators of a domain reach each other"
    return size, _capacity(network, "all_to_all"), ""


def _as_sold(given: Given) -> tuple[int, float, str]:
    """The vendor's own domain, whose parts the design does not count."""
    alone = "accelerators are taken to stand alone"
    part = given.design.endpoints.accelerator
    if part is None or part.id is None:
        return 1, 0.0, alone
    row, level = given.catalogue.accelerators[part.id], given.design.level
    vendor, ports, rate = row.vendor_domain, row.scale_up.ports.at(level), row.scale_up.port_gbps.at(level)
    if vendor is None or ports is None or rate is None or vendor.size == 1:
        return 1, 0.0, alone
    wired, gbps = round(ports), round(rate)
    if vendor.direct == "mesh":
        usable = float(mesh_gbps(vendor.size, wired, gbps))
    elif vendor.direct == "torus":
        usable = float(torus_gbps(tuple(vendor.dims), gbps))
    elif vendor.planes is not None:
        usable = float(vendor.planes * (wired // vendor.planes) * gbps)
    else:
        return 1, 0.0, alone
    return vendor.size, usable, f"the vendor's domain of {vendor.size} with {usable:,.0f} Gb/s is assumed"


def _nic_gbps(given: Given, outside: list[Network]) -> float:
    """Gb/s of the NICs of an accelerator: their rate, and no more than the links they have."""
    endpoints = given.design.endpoints
    each = endpoints.nics
    linked = each * sum(_linked_gbps(network) for network in outside)
    part = endpoints.nic
    if part is None:
        return linked
    rate = given.catalogue.nics[part.id].rate_gbps if part.id is not None else part.rate_gbps
    return linked if rate is None else min(each * float(rate), linked)


def _linked_gbps(network: Network) -> float:
    """Gb/s of the links at one endpoint, over all planes."""
    structure, total = network.read.structure, 0.0
    for bundle in structure.bundles:
        ends = (bundle.lower, bundle.upper).count("endpoint")
        total += ends * bundle.links * bundle.rate_gbps
    return total / structure.endpoints_per_copy * network.report.planes


def _any_gbps(network: Network) -> float:
    """What a network carries whoever talks to whom: any traffic is a mix of permutations (Birkhoff)."""
    return _capacity(network, "permutation")


def _capacity(network: Network, pattern: str) -> float:
    return next(row.least_gbps for row in network.report.capacities if row.pattern == pattern)


def _domains_per_leaf(network: Network, size: int) -> int:
    """Whole domains behind one leaf; none where a leaf has single accelerators of many hosts."""
    family, stages = network.read.family, network.report.stages
    if not stages or (isinstance(family, FatTree) and family.rail_optimised):
        return 0
    behind = stages[0].accelerators_behind * network.report.rails
    return 0 if behind % size else behind // size


def path_us(given: Given, network: Network) -> Fraction | None:
    """Microseconds from NIC to the highest stage and down to another NIC (docs/rules.md 6.1).

    None where a figure is not known, or the rules know no longest way through the family.
    """
    way = _longest_way(network)
    if way is None:
        return None
    times, crossings = way
    level, catalogue = given.design.level, given.catalogue
    boxes = []
    for stage in network.report.stages:
        row = catalogue.switches.get(stage.part)
        latency = None if row is None else row.latency_ns.at(level)
        if latency is None:
            return None
        boxes.append(exact(latency))
    ways: dict[str, Fraction] = {}
    for bundle in network.report.bundles:
        if bundle.name.startswith("service-"):
            continue
        each = _NS_PER_M * exact(bundle.longest_m)
        for part in (bundle.lower_part, bundle.upper_part):
            link = catalogue.links.get(part)
            latency = None if link is None else link.latency_ns_per_end.at(level)
            if latency is None:
                return None
            each += exact(latency)
        # Of links of several types by length, the slowest.
        crossed = crossings.get(bundle.whole, 2) * each
        ways[bundle.whole] = max(crossed, ways.get(bundle.whole, crossed))
    total = sum(ways.values(), Fraction(0))
    return (total + sum((count * box for count, box in zip(times, boxes, strict=True)), Fraction(0))) / 1000


def flat_shape(family: Family) -> str | None:
    """The shape of leaves joined directly (docs/rules.md 7.1) that a family is; None where it is none of these."""
    if isinstance(family, FullMesh) and family.concentration is not None:
        return "mesh"
    if isinstance(family, HyperX) and family.concentration is not None and len(family.sides) == 2:
        return "hyperx"
    return "dragonfly" if isinstance(family, Dragonfly) and family.routers_per_box == 1 else None


def _longest_way(network: Network) -> tuple[list[int], dict[str, int]] | None:
    """How often the longest way passes a box of every stage, and crosses a bundle if not twice (rules 6.1, 7.1)."""
    family = network.read.family
    if isinstance(family, FatTree | SingleStage | ScaleUpClos):
        return [2] * (len(network.report.stages) - 1) + [1], {}
    shape = flat_shape(family)
    if shape is None:
        return None
    if shape == "mesh":
        # Of two leaves the other one is the partner's: there is no third to go by.
        alone = isinstance(family, FullMesh) and family.size == 2
        return ([2], {"router-router": 1}) if alone else ([3], {})
    return ([5], {}) if shape == "hyperx" else ([7], {"router-router.local": 4})
