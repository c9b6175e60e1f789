"""A built network counted: who is joined to whom, over all equal copies, and what stands behind each switch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from designer.families.family import BundleCount, StageCount, Structure
from designer.network.graph import Ints, Network
from designer.verify.boundaries import Tally, Wiring
from designer.verify.exact import exact

ENDPOINT = "endpoint"


@dataclass(frozen=True)
class Grouping:
    """How endpoints make up accelerators and hosts, and how many equal networks there are.

    ``each`` endpoints are one accelerator, ``per_host`` accelerators a host; a design has ``repeat`` such networks of
    ``rails`` x ``planes`` copies.
    """

    each: int
    per_host: int
    repeat: int
    rails: int
    planes: int

    @property
    def copies(self) -> int:
        """Copies of all networks of the kind."""
        return self.repeat * self.rails * self.planes

    @property
    def host_endpoints(self) -> int:
        """Endpoints of one host in one copy."""
        return max(1, self.per_host * self.each // self.rails)


@dataclass(frozen=True)
class Below:
    """So many boxes, in all copies, with this many accelerators behind each; their hosts have ``of_hosts``."""

    boxes: int
    accelerators: int
    of_hosts: int


@dataclass(frozen=True)
class BundleTally:
    """Links of one boundary. ``wiring`` counts all copies; ``cuts`` where an endpoint has no other way than these.

    ``below`` says what is behind its upper boxes, the most first (empty where the links do not go from endpoints to
    switches); ``on_board`` where every host has these links to itself. ``alike`` tallies the links of every box of one
    copy where both ends are boxes of one kind (empty elsewhere): a box is at the lower end of some links only.
    """

    count: BundleCount
    rate: Fraction
    wiring: Wiring
    cuts: bool
    below: tuple[Below, ...]
    on_board: bool
    alike: Tally

    @property
    def behind(self) -> int:
        """The most accelerators behind one upper box."""
        return self.below[0].accelerators if self.below else 0

    @property
    def spread(self) -> int:
        """Accelerators of a host for each one behind an upper box: its others are on other rails."""
        return max((row.of_hosts // row.accelerators for row in self.below), default=1)


@dataclass(frozen=True)
class StageTally:
    """Boxes of one stage in all copies, and every pattern of ports in use by rate that a box has, the fullest first.

    ``cuts`` where endpoints behind a box have no other way, or a box is the only one above others; ``below`` counts
    their accelerators, box by box.
    """

    name: str
    boxes: int
    ports: tuple[Mapping[Fraction, int], ...]
    cuts: bool
    below: tuple[Below, ...]


@dataclass(frozen=True)
class NetworkTally:
    """A network counted box by box."""

    grouping: Grouping
    accelerators: int
    bundles: tuple[BundleTally, ...]
    stages: tuple[StageTally, ...]


def grouping_of(structure: Structure, each: int, per_host: int, repeat: int) -> Grouping:
    """Tell rails (copies that split the endpoints) from planes (copies that all endpoints share).

    Examples
    --------
    Eight copies of 128 endpoints each, 1,024 endpoints in all: eight rails.

    >>> grouping_of(Structure(1024, 128, 8, (), (), {}), each=1, per_host=8, repeat=1).rails
    8
    """
    rails = max(1, structure.endpoints // structure.endpoints_per_copy)
    return Grouping(each, per_host, repeat, rails, max(1, structure.copies // rails))


def count_network(structure: Structure, network: Network, grouping: Grouping) -> NetworkTally:
    """Count a built network.

    Parameters
    ----------
    structure
        Closed-form counts of the same network: names the two ends of each bundle.
    network
        One copy, box by box.
    grouping
        What endpoints make up.
    """
    ways = [bundle for bundle in structure.bundles if ENDPOINT in (bundle.lower, bundle.upper)]
    # With one boundary at the endpoints, into packet switches, nothing goes round a switch or link of it.
    only = ways[0].name if len(ways) == 1 and ways[0].upper not in (ENDPOINT, "ocs") else None
    bundles = tuple(_bundle(bundle, network, grouping, cuts=bundle.name == only) for bundle in structure.bundles)
    cutting = {bundle.count.upper: bundle.below for bundle in bundles if bundle.cuts}
    for stage in structure.stages if only is not None and grouping.planes == 1 else ():
        if stage.group and stage.name not in cutting:
            cutting[stage.name] = _below_lone(stage, structure, network, grouping)
    stages = tuple(
        StageTally(
            stage.name,
            stage.boxes * grouping.copies,
            _patterns(network, stage.name),
            stage.name in cutting,
            cutting.get(stage.name, ()),
        )
        for stage in structure.stages
    )
    accelerators = grouping.repeat * structure.endpoints // grouping.each
    return NetworkTally(grouping, accelerators, bundles, stages)


def _bundle(count: BundleCount, network: Network, grouping: Grouping, *, cuts: bool) -> BundleTally:
    at = [bundle.name for bundle in network.bundles].index(count.name)
    chosen = network.bundle == at
    lower, upper, links = network.lower[chosen], network.upper[chosen], network.links[chosen]
    copies, on_board = grouping.copies, False
    below_boxes: tuple[Below, ...] = ()
    backplane, backplanes = 0, 0
    below = _times(_per_box(lower, links), copies)
    pairs = _times(_per_box(lower * np.int64(network.boxes) + upper, links), copies)
    if count.lower == ENDPOINT:
        # An accelerator's ports on all planes are in one backplane.
        backplane, backplanes = _islands(network, lower, upper, links)
        backplane, backplanes = backplane * grouping.planes, backplanes * grouping.repeat * grouping.rails
        hosts = lower // grouping.host_endpoints
        if count.upper == ENDPOINT:
            on_board = bool((hosts == upper // grouping.host_endpoints).all())
        else:
            # The lower box is the host: its ports share cages and cables, over all copies.
            shared = grouping.rails * grouping.planes
            below = {n * shared: boxes * grouping.repeat for n, boxes in _per_box(hosts, links).items()}
            pairs = _times(_per_box(hosts * np.int64(network.boxes) + upper, links), copies)
            below_boxes = _below(lower // grouping.each, hosts, upper, grouping)
            on_board = bool(_members(hosts, upper).max() == 1)
    total = int(links.sum()) * copies
    wiring = Wiring(total, pairs, below, _times(_per_box(upper, links), copies), backplane, backplanes)
    alike = _per_box(np.r_[lower, upper], np.r_[links, links]) if count.lower == count.upper else {}
    return BundleTally(count, exact(count.rate_gbps), wiring, cuts, below_boxes, on_board, alike)


def _per_box(boxes: Ints, links: Ints) -> dict[int, int]:
    """Tally how many boxes have so many links."""
    _, place = np.unique(boxes, return_inverse=True)
    each = np.bincount(place, weights=links).astype(np.int64)
    numbers, how_many = np.unique(each, return_counts=True)
    return {int(number): int(many) for number, many in zip(numbers, how_many, strict=True)}


def _times(tally: Tally, copies: int) -> dict[int, int]:
    return {links: boxes * copies for links, boxes in tally.items()}


def _below(accelerators: Ints, hosts: Ints, boxes: Ints, grouping: Grouping) -> tuple[Below, ...]:
    """Tally boxes by what is behind them, the most first."""
    pairs = np.stack([_members(accelerators, boxes), _members(hosts, boxes) * grouping.per_host], axis=1)
    rows, how_many = np.unique(pairs, axis=0, return_counts=True)
    found = (
        Below(int(many) * grouping.copies, int(behind), max(int(behind), int(of_hosts)))
        for (behind, of_hosts), many in zip(rows, how_many, strict=True)
    )
    return tuple(sorted(found, key=lambda row: -row.accelerators))


def _below_lone(stage: StageCount, structure: Structure, network: Network, grouping: Grouping) -> tuple[Below, ...]:
    """Tally boxes that are the only ones above what is below them, such as the one spine of a pod."""
    held = np.zeros(network.boxes, np.int64)
    held[: network.endpoints] = 1
    names = [bundle.name for bundle in network.bundles]
    for bundle in structure.bundles:
        if bundle.lower not in (bundle.upper, "service"):
            here = network.bundle == names.index(bundle.name)
            # On the way to a lone box every box has one above it, so that nothing is added twice.
            np.add.at(held, network.upper[here], held[network.lower[here]])
    boxes = network.kind_range(stage.name)
    of_box = held[boxes.start : boxes.stop]
    if int(of_box.max()) != stage.group:
        # Boxes side by side that are all needed, or a box between networks: as the closed form says.
        of_box = np.full(len(boxes), stage.group, np.int64)
    rows, how_many = np.unique(of_box, return_counts=True)
    hosts = -(-rows // grouping.host_endpoints) * grouping.per_host
    found = (
        Below(int(many) * grouping.copies, int(ends) // grouping.each, max(int(ends) // grouping.each, int(of_hosts)))
        for ends, of_hosts, many in zip(rows, hosts, how_many, strict=True)
    )
    return tuple(sorted(found, key=lambda row: -row.accelerators))


def _members(of: Ints, boxes: Ints) -> Ints:
    """How many different ones are joined to each box that any is joined to, box by box."""
    pairs = np.unique(np.stack([boxes, of], axis=1), axis=0)
    return np.unique(pairs[:, 0], return_counts=True)[1].astype(np.int64)


def _islands(network: Network, lower: Ints, upper: Ints, links: Ints) -> tuple[int, int]:
    """Links of each group of endpoints that share first switches, and how many groups; 0, 0 where they differ."""
    ones = np.ones(lower.size, np.int8)
    graph = coo_matrix((ones, (lower, upper)), shape=(network.boxes, network.boxes))
    _, island = connected_components(graph, directed=False)
    tally = _per_box(island[lower].astype(np.int64), links)
    (size, many), *others = tally.items()
    return (0, 0) if others else (size, many)


def _patterns(network: Network, stage: str) -> tuple[Mapping[Fraction, int], ...]:
    """Ports in use by rate, on boxes of a stage that differ in them."""
    boxes = network.kind_range(stage)
    rates = sorted({bundle.rate_gbps for bundle in network.bundles})
    rate_of = np.array([rates.index(bundle.rate_gbps) for bundle in network.bundles])
    ports = np.zeros((len(boxes), len(rates)), np.int64)
    for ends in (network.lower, network.upper):
        here = (ends >= boxes.start) & (ends < boxes.stop)
        np.add.at(ports, (ends[here] - boxes.start, rate_of[network.bundle[here]]), network.links[here])
    patterns = np.unique(ports, axis=0)
    fullest = patterns[np.argsort(-patterns.sum(axis=1), kind="stable")]
    return tuple(
        {exact(rate): int(number) for rate, number in zip(rates, row, strict=True) if number} for row in fullest
    )
