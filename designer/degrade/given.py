"""A design written by hand under failures: what its networks keep of their bandwidth, and of the demand it states."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from designer.degrade.certificate import certificate_of
from designer.degrade.result import SCHEMA_VERSION, Degraded, FailureClass, Left, Place, Samples, Worst
from designer.degrade.run import check_options, versions
from designer.degrade.search import Search, sampled, worst_of
from designer.given import Given
from designer.given.load import GivenTopology
from designer.network.faults import Failure, SingleFailures, single_failures
from designer.network.graph import Network
from designer.network.max_flow import Scene, halves
from designer.problems import InputError, Problem

MOST_LINKS = 2_000_000
MOST_ROWS = 300_000
"""Links and joined pairs of a copy up to which its failures are tried."""


class _Part(NamedTuple):
    """A broken box, or a link of a row."""

    box: bool
    at: int


@dataclass(frozen=True)
class _Bisection:
    """Max flow between the same halves, with something broken each time."""

    network: Network
    scene: Scene
    whole: int

    def left(self, broken: Sequence[_Part]) -> Left:
        lost = np.zeros(len(self.network.lower), np.int64)
        np.add.at(lost, [of.at for of in broken if not of.box], 1)
        boxes = [of.at for of in broken if of.box]
        mine = np.isin(self.network.lower, boxes) | np.isin(self.network.upper, boxes)
        lost[mine] = self.network.links[mine]
        share = self.scene.value(lost) / self.whole if self.whole else 0.0
        return Left(share, share)

    def named(self, of: _Part) -> str:
        name = self.network.name
        if of.box:
            return name(of.at)
        return f"{name(int(self.network.lower[of.at]))} - {name(int(self.network.upper[of.at]))}"


def degrade_given(given: Given, *, failures: int = 2, samples: int = 100, seed: int = 0) -> Degraded:
    """Break the networks of a design written by hand, one copy of each.

    A share of the demand is that of its all-to-all rate; the other copies of an endpoint carry on. Random and worst
    sets of failures are told by the bandwidth between two halves.

    Parameters
    ----------
    given
        As `designer.given.load_given` reads it.
    failures, samples, seed
        As for `designer.degrade.degrade`.

    Raises
    ------
    InputError
        When a network is a formula without a graph or an option is out of range.
    """
    check_options(failures, samples, seed)
    places: list[Place] = []
    random: list[Samples] = []
    worst: list[Worst] = []
    notes: list[str] = []
    for at, row in enumerate(given.networks):
        name = row.row.name
        links = sum(bundle.links for bundle in row.structure.bundles)
        network = None if links > MOST_LINKS else _built(given, at, row)
        if network is None or len(network.lower) > MOST_ROWS:
            notes.append(f"{name}: {links:,} links in a copy are too many, failures are NOT tried")
            continue
        # Stated permutations are of the boxes with circuit switches.
        generators = row.family.symmetries() if "ocs" not in (stage.name for stage in row.structure.stages) else []
        found = single_failures(network, generators=generators, exactly=len(network.lower) < 2000)
        places.append(_place(given, row, network, found))
        one, two = _several(network, found, name, failures, samples, seed)
        random += one
        worst += two
    return Degraded(
        SCHEMA_VERSION,
        given.design.name,
        "bandwidth between two halves of the endpoints",
        failures,
        samples,
        seed,
        versions(),
        tuple(places),
        tuple(random),
        tuple(worst),
        tuple(notes),
    )


def _built(given: Given, at: int, row: GivenTopology) -> Network:
    try:
        return row.family.network().as_carried()
    except ValueError as error:
        place = f"networks[{at}].topology"
        raise InputError([Problem(given.file, place, "counts without a network", str(error))]) from None


def _place(given: Given, row: GivenTopology, network: Network, found: SingleFailures) -> Place:
    endpoints, structure = given.design.endpoints, row.structure
    demand = given.design.demand.get(row.row.name)
    asked = None if demand is None else demand.all_to_all_gbps
    each = endpoints.nics if row.row.endpoints_are == "nics" else 1
    rails = structure.endpoints // structure.endpoints_per_copy
    planes = structure.copies // rails
    rate, notes = structure.capacity.get("all_to_all"), []
    if rails > 1 and asked is not None:
        notes.append("rails are reached inside the hosts: the share of the demand is that of one rail")
    classes = []
    for of in found.failures:
        served = {}
        if asked and rate is not None:
            others = [bound * (planes - 1) / planes for bound in (rate.least, rate.most)]
            left = [(others[0] + of.least_gbps) * each / asked, (others[1] + of.most_gbps) * each / asked]
            # Endpoints that are cut off from this copy have the others alone.
            low, high = (min(bound, 1.0) for bound in left)
            alone = [min(bound * each / asked, 1.0) for bound in others]
            off = of.cut_off / network.endpoints
            served = {row.row.name: Left((1 - off) * low + off * alone[0], (1 - off) * high + off * alone[1])}
        classes.append(_shown(of, served))
    copies = structure.copies * row.row.repeat
    if copies > 1:
        notes.append(f"one of {copies} equal copies; members are those of one")
    certificate = certificate_of(network, even=found.intact)
    return Place(row.row.name, tuple(classes), found.tried, found.single, tuple(notes), certificate)


def _shown(of: Failure, served: dict[str, Left]) -> FailureClass:
    even = Left(min(of.least_share, of.most_share, 1.0), min(of.most_share, 1.0))
    name = f"{of.name}{' link' if of.part == 'link' else ''}"
    return FailureClass(name, of.example, of.members, of.bisection_share, even, served)


def _several(
    network: Network, found: SingleFailures, name: str, failures: int, samples: int, seed: int
) -> tuple[list[Samples], tuple[Worst, ...]]:
    scene = Scene(network, *halves(network))
    of = _Bisection(network, scene, scene.value())
    # Endpoints break as well where they forward.
    boxes = np.sort(scene.core.box[scene.core.relays])
    rows = np.repeat(np.arange(len(network.lower)), network.links)
    sorts = {
        "boxes": (len(boxes), lambda at: _Part(True, int(boxes[at]))),
        "links": (len(rows), lambda at: _Part(False, int(rows[at]))),
    }
    random = [
        sampled(f"{name}: {sort}", count, pick, of.left, of.named, failures, samples, seed)
        for sort, (count, pick) in sorts.items()
        if failures <= count
    ]
    search = Search(list(sorts.values()), of.left, seed)
    first = np.cumsum(network.links) - network.links
    starts = [
        int(np.searchsorted(boxes, of_.place)) if of_.part == "box" else len(boxes) + int(first[of_.place])
        for of_ in found.failures
    ]
    worst = worst_of(
        search,
        lambda thing: f"{name}: {of.named(thing)}",  # type: ignore[arg-type]
        min(failures, search.things),
        starts,
        complete=found.complete,
        symmetric=True,
    )
    return random, worst[:1]
