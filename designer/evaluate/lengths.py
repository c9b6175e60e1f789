"""How long the cables of a given design are: as it states, or from the floor it stands on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from designer.evaluate.count import Grouping
from designer.evaluate.result import Racks
from designer.given import Given
from designer.given.fit import link_key
from designer.given.load import GivenTopology
from designer.network import floor as hall
from designer.network.graph import NOWHERE, Network
from designer.verify.exact import exact

CLASSES = ("board", "in_rack", "adjacent_rack", "three_racks_away", "row", "hall", "building", "campus")
_PER_RACK = 72


@dataclass(frozen=True)
class BundleLengths:
    """Lengths of the cables of one bundle.

    ``classes`` are links of all copies by distance class: the shortest class of the catalogue (its high figures) whose
    length is enough. ``where`` says in a message that the floor gave the length.
    """

    mean_m: Fraction
    longest_m: Fraction
    classes: Mapping[str, int]
    where: str


def lengths_of(given: Given, network: GivenTopology, built: Network, grouping: Grouping) -> dict[str, BundleLengths]:
    """Lengths by bundle.

    Parameters
    ----------
    given
        The design, for its floor and the distance classes of its catalogue.
    network, built
        One of its networks, as read and as built.
    grouping
        What its endpoints make up, and how many copies there are.
    """
    tops = _classes(given)
    stated = {
        bundle.name: exact(length)
        for bundle in network.structure.bundles
        if (key := link_key(network.row, bundle.name)) is not None
        and (length := network.row.links[key].length_m) is not None
    }
    found = {}
    for name, metres in stated.items():
        links = built.links_of(name) * grouping.copies
        nearest = [top for top in sorted(tops, key=lambda top: tops[top]) if exact(tops[top]) >= metres]
        found[name] = BundleLengths(metres, metres, {nearest[0] if nearest else hall.BEYOND: links}, "")
    if len(found) < len(network.structure.bundles):
        found.update(_from_floor(given, network, built, grouping, tops, set(found)))
    return found


def _classes(given: Given) -> dict[str, float]:
    table = given.catalogue.facility.distance_classes_m
    tops = {name: getattr(table, name).at("high") for name in CLASSES}
    return {name: top for name, top in tops.items() if top is not None}


def _from_floor(
    given: Given,
    network: GivenTopology,
    built: Network,
    grouping: Grouping,
    tops: Mapping[str, float],
    stated: set[str],
) -> dict[str, BundleLengths]:
    metres = lengths_on_floor(given, network, built, grouping)
    classes = hall.length_classes(built, metres, tops)
    found = {}
    for at, bundle in enumerate(built.bundles):
        here = built.bundle == at
        if bundle.name in stated or not here.any():
            continue
        mean = float(np.average(metres[here], weights=built.links[here]))
        longest = float(metres[here].max())
        found[bundle.name] = BundleLengths(
            # A thousandth of a millimetre: sums of pitches are no decimals.
            exact(round(mean, 6)),
            exact(round(longest, 6)),
            {name: links * grouping.copies for name, links in classes[bundle.name].items() if links},
            " (the longest on the floor)",
        )
    return found


def lengths_on_floor(given: Given, network: GivenTopology, built: Network, grouping: Grouping) -> hall.Floats:
    """Metres (rows,) of a cable of every joined pair, on the floor of the design."""
    return hall.lengths_m(built, hall.place(built, floor_of(given, network, built, grouping)))


def floor_of(given: Given, network: GivenTopology, built: Network, grouping: Grouping) -> hall.Floor:
    """The floor of one copy of a network: its endpoints share the racks with those of the other rails."""
    row = given.design.floor
    scale_up = network.row.endpoints_are == "accelerators"
    given_keys = row.model_dump(exclude_none=True, exclude={"accelerators_per_rack"})
    if scale_up:
        # Switches of a domain stand with its accelerators.
        given_keys["boxes_beside"] = built.boxes
    per_copy = max(1, (given.per_rack or _PER_RACK) * grouping.each // grouping.rails)
    return hall.Floor(endpoints_per_rack=per_copy, **given_keys)


def standing_apart(built: Network) -> int:
    """Switches of one copy that stand in no rack of its endpoints: circuit switches, second stages of a domain."""
    apart = built.block == NOWHERE
    kinds = (kind.name for kind in built.kinds[1:] if kind.name != "service")
    return sum(int(apart[built.kind_range(name)].sum()) for name in kinds)


def racks_of(given: Given, switches: int, apart: int) -> Racks | None:
    """Count racks; None where nobody says how many accelerators one holds.

    Parameters
    ----------
    given
        The design.
    switches
        Scale-out switches of all networks.
    apart
        Scale-up switches that do not stand in the racks of their accelerators.
    """
    if given.per_rack is None:
        return None
    floor, hosts = given.design.floor, -(-given.design.endpoints.accelerators // given.per_host)
    full = -(-hosts // max(1, given.per_rack // given.per_host))
    beside = full * (hall.Floor.boxes_beside if floor.boxes_beside is None else floor.boxes_beside)
    in_one = hall.Floor.boxes_per_rack if floor.boxes_per_rack is None else floor.boxes_per_rack
    return Racks(full, -(-(max(0, switches - beside) + apart) // in_one))
