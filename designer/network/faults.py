"""What is left of the traffic when boxes or links break: every single failure by classes, and samples of several."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.stats import t as student

from designer.network.core import Core, Mask, endpoints_relay
from designer.network.graph import Ints, Network
from designer.network.max_flow import Scene, halves
from designer.network.orbits import orbits_of
from designer.network.symmetry import ArcIndex
from designer.network.throughput import Throughput, all_to_all, on_nodes

Part = Literal["box", "link"]

MOST_CLASSES = 60
"""Classes of single failures that are tried at most."""

CONFIDENCE = 0.95


@dataclass(frozen=True)
class Failure:
    """One class of single failures, tried on one member.

    Parameters
    ----------
    part, name
        A box of a kind or a link of a bundle.
    example
        The member tried: ``spine3``, or ``leaf0 - spine3``.
    members
        Single failures that checked symmetries make equal to it.
    cut_off
        Endpoints that lose all others with it (the broken box itself not counted).
    least_gbps, most_gbps
        All-to-all among the endpoints that still reach each other, Gb/s per endpoint.
    least_share, most_share
        The same over the intact network's: between them lies what survives.
    bisection_share
        Share of the intact max flow between the same halves, those cut off included.
    place
        The member tried: number of the box, or of the row.
    """

    part: Part
    name: str
    example: str
    members: int
    cut_off: int
    least_gbps: float
    most_gbps: float
    least_share: float
    most_share: float
    bisection_share: float
    place: int = -1


@dataclass(frozen=True)
class SingleFailures:
    """All classes of single failures, worst bisection first; ``tried`` of ``single`` failures are covered by them.

    ``intact`` is all-to-all before anything breaks.
    """

    failures: tuple[Failure, ...]
    tried: int
    single: int
    intact: Throughput | None = None

    @property
    def complete(self) -> bool:
        """Whether every single failure belongs to a class that was tried."""
        return self.tried == self.single


@dataclass(frozen=True)
class RandomFailures:
    """Share of the bisection that survives a number of failures at once, over samples.

    Parameters
    ----------
    part, failures
        What breaks, and how many at once.
    shares
        (samples,): what survives, each sample.
    mean, low, high
        Mean and its two-sided 95 % confidence interval (Student's t); no bounds on single samples.
    worst, worst_names
        The worst sample and what broke in it.
    """

    part: Part
    failures: int
    shares: tuple[float, ...]
    mean: float
    low: float
    high: float
    worst: float
    worst_names: tuple[str, ...]


def without(network: Network, *, boxes: Sequence[int] | Ints = (), rows: Sequence[int] | Ints = ()) -> Network:
    """The network with all links of some boxes gone, and one link of each given row (twice given: two links).

    Boxes keep their numbers. Circuits over lost links are lost, and with them their links at the other end.

    Raises
    ------
    ValueError
        When there is no such box or row, or more links are lost than a row has.
    """
    lost = np.zeros(len(network.lower), np.int64)
    for name, given, size in (("box", boxes, network.boxes), ("row", rows, len(lost))):
        for at in given:
            if not 0 <= at < size:
                raise ValueError(f"there is no {name} {at}")
    np.add.at(lost, np.asarray(rows, np.int64), 1)
    if (lost > network.links).any():
        raise ValueError("more links of a row are lost than it has")
    broken = np.zeros(network.boxes, bool)
    broken[np.asarray(boxes, np.int64)] = True
    lost[broken[network.lower] | broken[network.upper]] = network.links[broken[network.lower] | broken[network.upper]]
    links = network.links - lost
    circuits = None if network.circuits is None else network.circuits.copy()
    if circuits is not None:
        left = links.copy()
        lit = np.unique(circuits[:, :2])
        for at, (one, other, set_up) in enumerate(circuits.tolist()):
            circuits[at, 2] = min(set_up, int(left[one]), int(left[other]))
            left[[one, other]] -= circuits[at, 2]
        # What is left of a row whose circuits ended with others is dark.
        links[lit] -= left[lit]
        circuits = circuits[circuits[:, 2] > 0]
    kept = links > 0
    if circuits is not None:
        circuits[:, :2] = (np.cumsum(kept) - 1)[circuits[:, :2]]
    return replace(
        network,
        lower=network.lower[kept],
        upper=network.upper[kept],
        links=links[kept],
        bundle=network.bundle[kept],
        circuits=circuits,
    )


def reachable(network: Network, relays: bool) -> Mask:
    """(endpoints,): those that meet in the largest part of the network that is still joined."""
    passes = np.arange(network.boxes) >= network.endpoints
    passes |= relays
    inner = passes[network.lower] & passes[network.upper]
    graph = coo_array(
        (np.ones(int(inner.sum()), np.int8), (network.lower[inner], network.upper[inner])),
        shape=(network.boxes, network.boxes),
    )
    label = connected_components(graph, directed=False)[1]
    ends = network.endpoints
    seen = [np.stack([np.arange(ends), label[:ends]], 1)] if relays else []
    for near, far in ((network.lower, network.upper), (network.upper, network.lower)):
        some = (near < ends) & passes[far]
        seen.append(np.stack([near[some], label[far[some]]], 1))
    pairs = np.unique(np.concatenate(seen), axis=0) if seen else np.zeros((0, 2), np.int64)
    out = np.zeros(ends, bool)
    if len(pairs):
        largest = np.argmax(np.bincount(pairs[:, 1]))
        out[pairs[pairs[:, 1] == largest, 0]] = True
    return out


def single_failures(
    network: Network,
    *,
    generators: Sequence[Ints] = (),
    relays: bool | None = None,
    most_classes: int = MOST_CLASSES,
    exactly: bool = True,
    colour: Ints | None = None,
) -> SingleFailures:
    """Break each box that forwards and each link once, one of every class that checked symmetries leave.

    Parameters
    ----------
    network
        One copy.
    generators
        Symmetries known to the builder, permutations of boxes; checked, then used as far as they keep the two halves.
    relays
        Whether endpoints forward; found from the network when absent.
    most_classes
        Classes tried at most, the largest first; `SingleFailures.complete` says whether that was all.
    exactly
        Solve the linear program where small enough, as in `all_to_all`.
    colour
        (boxes,): boxes of different colours are of different classes, whatever the network looks like: what stands
        behind them differs.

    Raises
    ------
    ValueError
        When rows do not fit or a generator is no symmetry.
    """
    relays = endpoints_relay(network) if relays is None else relays
    intact = all_to_all(network, generators=generators, relays=relays, exactly=exactly)
    near, far = halves(network)
    scene = Scene(network, near, far, relays=relays)
    whole = scene.value()
    found = sorted(_classes(network, scene, generators, colour), key=lambda of: -of[2])
    known: dict[tuple[int, ...], tuple[int, Throughput]] = {}
    failures = []
    for part, place, members, alike in found[:most_classes]:
        lost = np.zeros(len(network.lower), np.int64)
        if part == "box":
            mine = (network.lower == place) | (network.upper == place)
            lost[mine] = network.links[mine]
            broken = without(network, boxes=[place])
            name, example = _kind(network, place), network.name(place)
        else:
            lost[place] = 1
            broken = without(network, rows=[place])
            name, example = network.bundles[int(network.bundle[place])].name, _link(network, place)
        if alike not in known:
            meeting = reachable(broken, relays)
            known[alike] = int((~meeting).sum()), _among(broken, meeting, relays, exactly)
        cut_off, after = known[alike]
        gone = part == "box" and place < network.endpoints
        failures.append(
            Failure(
                part,
                name,
                example,
                members,
                cut_off - gone,
                after.least,
                after.most,
                _ratio(after.least, intact.most),
                _ratio(after.most, intact.least),
                _ratio(scene.value(lost), whole),
                place,
            )
        )
    failures.sort(key=lambda of: (of.bisection_share, of.least_share, of.part, of.example))
    return SingleFailures(tuple(failures), sum(of.members for of in failures), sum(of[2] for of in found), intact)


def _among(network: Network, alive: Mask, relays: bool, exactly: bool) -> Throughput:
    if int(alive.sum()) < 2:
        rows = (len(network.lower), 2)
        return Throughput(0.0, 0.0, 0.0, int(alive.sum()), 0, np.zeros(rows), np.zeros(rows), 0, "nobody is left")
    return all_to_all(network, relays=relays, taking_part=alive, exactly=exactly)


def _ratio(part: float, whole: float) -> float:
    return part / whole if whole > 0 else 0.0


def _kind(network: Network, box: int) -> str:
    return next(kind.name for kind in network.kinds if box in network.kind_range(kind.name))


def _link(network: Network, row: int) -> str:
    return f"{network.name(int(network.lower[row]))} - {network.name(int(network.upper[row]))}"


def _classes(
    network: Network, scene: Scene, generators: Sequence[Ints], marks: Ints | None
) -> Iterator[tuple[Part, int, int, tuple[int, ...]]]:
    """Part, one member (box or row), number of single failures of each class, and what is equal for classes whose
    all-to-all is the same.

    The max flow between two halves is the same after a symmetry only if that keeps the halves: nodes are coloured by
    what their endpoints send and take. All-to-all traffic knows no halves.
    """
    out, into = scene.supply(scene.room)
    marks = np.zeros(network.boxes, np.int64) if marks is None else marks
    colour = np.unique(np.stack([out, into, marks[scene.core.box]], 1), axis=0, return_inverse=True)[1].reshape(-1)
    core = replace(scene.core, colour=colour)
    index = ArcIndex(core)
    nodes = [on_nodes(core, permutation) for permutation in generators]
    whole = orbits_of(scene.core, nodes)
    orbits = orbits_of(core, [permutation for permutation in nodes if index.moved(permutation) is not None])
    linked = np.zeros(core.nodes, bool)
    linked[core.tail] = True
    linked[core.node[scene.end]] = True
    for node in orbits.node_first.tolist():
        if core.relays[node] and linked[node]:
            yield "box", int(core.box[node]), int(orbits.node_size[orbits.of_node[node]]), (0, int(whole.of_node[node]))
    half = len(core.rows)
    both, alike = (np.sort(np.stack([of.of_arc[:half], of.of_arc[half:]], 1), axis=1) for of in (orbits, whole))
    yield from _rows(network, core.rows, both, alike, 1)
    own = scene.own
    links = [network.bundle[own], network.links[own]]
    # Several rows of one endpoint differ by the others.
    total = np.bincount(scene.end, scene.room[own], network.endpoints)[scene.end].astype(np.int64)
    both, alike = (
        np.stack([of.of_node[core.node[scene.end]], *more, *links, total], 1)
        for of, more in ((orbits, [scene.role[scene.end], marks[scene.end]]), (whole, []))
    )
    yield from _rows(network, own, both, alike, 2)


def _rows(
    network: Network, rows: Ints, keys: Ints, alike: Ints, sort: int
) -> Iterator[tuple[Part, int, int, tuple[int, ...]]]:
    if not len(rows):
        return
    _, first, inverse = np.unique(keys, axis=0, return_index=True, return_inverse=True)
    links = np.bincount(inverse.reshape(-1), network.links[rows])
    for at, count in zip(first.tolist(), links.tolist(), strict=True):
        yield "link", int(rows[at]), int(count), (sort, *alike[at].tolist())


def random_failures(
    network: Network,
    failures: int,
    *,
    samples: int = 100,
    seed: int = 0,
    part: Part = "link",
    bundles: Sequence[str] | None = None,
    relays: bool | None = None,
) -> RandomFailures:
    """Break several links (or boxes that forward) at once, chosen at random, and measure what of the bisection is left.

    Parameters
    ----------
    network
        One copy.
    failures
        How many break at once, all different.
    samples, seed
        Samples, at least 2, and where they start: equal seeds give equal samples.
    part
        Links, each with the same chance; or boxes other than endpoints (endpoints where they forward).
    bundles
        Links of these bundles only.
    relays
        Whether endpoints forward; found from the network when absent.

    Raises
    ------
    ValueError
        When fewer can break than are asked for, with fewer than two samples, or an unknown bundle.
    """
    near, far = halves(network)
    scene = Scene(network, near, far, relays=relays)
    whole = scene.value()
    if samples < 2:
        raise ValueError("a confidence interval needs at least two samples")
    pool = _pool(network, scene.core, part, bundles)
    if not 0 <= failures <= len(pool):
        raise ValueError(f"{failures} of {len(pool)} cannot break at once")
    draw = np.random.default_rng(seed)
    shares: list[float] = []
    worst: Ints = np.zeros(0, np.int64)
    for _ in range(samples):
        chosen = np.sort(draw.choice(pool, failures, replace=False))
        lost = np.zeros(len(network.lower), np.int64)
        if part == "link":
            np.add.at(lost, chosen, 1)
        else:
            hit = np.isin(network.lower, chosen) | np.isin(network.upper, chosen)
            lost[hit] = network.links[hit]
        share = _ratio(scene.value(lost), whole)
        if not shares or share < min(shares):
            worst = chosen
        shares.append(share)
    mean = float(np.mean(shares))
    margin = float(student.ppf(0.5 + CONFIDENCE / 2, samples - 1) * np.std(shares, ddof=1) / np.sqrt(samples))
    name = (lambda at: _link(network, at)) if part == "link" else network.name
    names = tuple(name(at) for at in worst.tolist())
    return RandomFailures(part, failures, tuple(shares), mean, mean - margin, mean + margin, min(shares), names)


def _pool(network: Network, core: Core, part: Part, bundles: Sequence[str] | None) -> Ints:
    """What may break: boxes, or rows, one entry per link."""
    if part == "box":
        return core.box[core.relays]
    known = [bundle.name for bundle in network.bundles]
    for name in bundles or ():
        if name not in known:
            raise ValueError(f"there is no bundle {name}: {', '.join(known)}")
    wanted = np.array([bundles is None or name in bundles for name in known])
    rows = np.flatnonzero(wanted[network.bundle])
    return np.repeat(rows, network.links[rows])
