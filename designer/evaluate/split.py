"""Links of one boundary that are of several types by their length: a bundle of its own for each."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from designer.evaluate.count import Grouping, NetworkTally, count_network
from designer.evaluate.lengths import lengths_on_floor
from designer.evaluate.result import BY_LENGTH
from designer.families.family import BundleCount
from designer.given import Given
from designer.given.fit import link_key
from designer.given.load import GivenTopology
from designer.given.schema import GivenLink
from designer.network.graph import Bundle, Network

_HAIR_M = 1e-9


@dataclass(frozen=True)
class Split:
    """A network whose bundles are parted by length: as read, and one copy as built."""

    topology: GivenTopology
    network: Network


def split_by_length(given: Given, topology: GivenTopology, built: Network, grouping: Grouping) -> Split:
    """Part the bundles of a network whose links are given ``by_length``; the same network where none are.

    Parameters
    ----------
    given
        The design, for its floor.
    topology, built
        One of its networks, as read and as built.
    grouping
        What its endpoints make up.
    """
    keys = {bundle.name: link_key(topology.row, bundle.name) for bundle in topology.structure.bundles}
    parted = {name for name, key in keys.items() if key is not None and topology.row.links[key].by_length}
    if not parted:
        return Split(topology, built)
    metres = lengths_on_floor(given, topology, built, grouping)
    links = dict(topology.row.links)
    bundles: list[BundleCount] = []
    kinds: list[Bundle] = []
    place = np.empty_like(built.bundle)
    counts = {count.name: count for count in topology.structure.bundles}
    for at, bundle in enumerate(built.bundles):
        here = built.bundle == at
        if bundle.name not in parted:
            place[here] = len(kinds)
            kinds.append(bundle)
            bundles.append(counts[bundle.name])
            continue
        pieces = topology.row.links[str(keys[bundle.name])].by_length
        tops = np.array([np.inf if piece.up_to_m is None else piece.up_to_m + _HAIR_M for piece in pieces])
        type_of = np.searchsorted(tops, metres, side="left")
        for number, piece in enumerate(pieces):
            mine = here & (type_of == number)
            if not mine.any():
                continue
            name = f"{bundle.name}{BY_LENGTH}[{number}]"
            links[name] = GivenLink(**piece.model_dump(exclude={"up_to_m"}))
            place[mine] = len(kinds)
            kinds.append(Bundle(name, bundle.rate_gbps))
            bundles.append(replace(counts[bundle.name], name=name, links=int(built.links[mine].sum())))
    structure = replace(topology.structure, bundles=tuple(bundles))
    row = topology.row.model_copy(update={"links": links})
    return Split(GivenTopology(row, topology.family, structure), replace(built, bundles=tuple(kinds), bundle=place))


def count_split(topology: GivenTopology, built: Network, split: Split, grouping: Grouping) -> NetworkTally:
    """Count a network, its links type by type; what is behind a box or a link is that of all types together."""
    whole = count_network(topology.structure, built, grouping)
    if split.network is built:
        return whole
    of = {bundle.count.name: bundle for bundle in whole.bundles}
    parts = count_network(split.topology.structure, split.network, grouping)
    bundles = tuple(
        replace(part, cuts=all_of.cuts, below=all_of.below)
        for part in parts.bundles
        for all_of in (of[part.count.name.partition(BY_LENGTH)[0]],)
    )
    return replace(whole, bundles=bundles)
