"""What a built network carries when everybody sends to everybody, from least to most, with proofs for both ends."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from designer.network.blend import EXACT, Bounds, bound_by, bounds, carried, rate_of_classes
from designer.network.core import Core, Floats, Mask, core_of, reverse
from designer.network.flow_lp import MOST_COLUMNS, best_routing, columns_of
from designer.network.graph import Ints, Network
from designer.network.orbits import Orbits, alone, orbits_of
from designer.network.routing import NoRouteError, Traffic, even_traffic

MOST_WORK = 3 * 10**9
"""Targets times arcs times routings that are computed; beyond, fewer routings or none."""

MOST_ROUNDS = 40
"""Routings that are blended at most."""


FEW_ROUNDS = 4
"""The same where the linear program of all routings is small."""


@dataclass(frozen=True, eq=False)
class Throughput:
    """All-to-all: every endpoint sends T Gb/s in total, evenly to all others, over any paths, all at once.

    Parameters
    ----------
    least, most
        The largest T lies between them, Gb/s per endpoint, one direction.
    ecmp
        T when traffic takes fewest hops, split at every box evenly over the links that lead on; None when not computed.
    endpoints, cut_off
        Endpoints that send, and those without any link (then T is 0).
    load_gbps
        (rows, 2): Gb/s on each row from lower to upper and back, at T = ``least``, of a routing that exists. None when
        none was computed.
    length
        (rows, 2): lengths of the rows such that no routing exceeds ``most`` (`bound_holds`).
    targets
        Targets whose flows were computed; each stands for those that checked symmetries make equal to it.
    why
        What limits, in words.
    """

    least: float
    most: float
    ecmp: float | None
    endpoints: int
    cut_off: int
    load_gbps: Floats | None
    length: Floats
    targets: int
    why: str

    @property
    def exact(self) -> bool:
        """Whether both ends are one figure."""
        return self.most - self.least <= EXACT * max(self.most, 1e-300)


class TooMuchWorkError(Exception):
    """All-to-all traffic would take longer to route than the caller allows; says how much there is."""


def all_to_all(
    network: Network,
    *,
    generators: Sequence[Ints] = (),
    relays: bool | None = None,
    taking_part: Mask | None = None,
    guess: bool = True,
    exactly: bool = True,
    rounds: int = MOST_ROUNDS,
    most_work: int | None = None,
) -> Throughput:
    """Bound all-to-all traffic.

    Parameters
    ----------
    network
        One copy.
    generators
        Symmetries known to the builder: permutations of boxes, (boxes,) each. Checked, then used.
    relays
        Whether endpoints forward traffic of others; found from the network when absent.
    taking_part
        (endpoints,): who sends and receives; all when absent.
    guess
        Look for symmetries that regular networks often have (each is checked).
    exactly
        Solve the linear program of all routings where it is small enough and the bounds do not meet by themselves.
    rounds
        Routings that are blended at most; fewer where they are costly.
    most_work
        Targets times arcs at most, told when the symmetries are known; without limit when absent.

    Raises
    ------
    TooMuchWorkError
        With more targets times arcs than ``most_work``: nothing is routed.
    ValueError
        With fewer than two endpoints, rows that do not fit, or a generator that is no symmetry.
    """
    core = core_of(network, relays=relays, taking_part=taking_part)
    if core.endpoints + core.cut_off < 2:
        raise ValueError("all-to-all traffic needs at least two endpoints")
    if core.cut_off:
        return _nothing(network, core, f"{core.cut_off} endpoints have no link")
    orbits = orbits_of(core, [on_nodes(core, permutation) for permutation in generators], guess=guess)
    traffic = even_traffic(core, orbits)
    if most_work is not None and len(traffic.targets) * core.arcs > most_work:
        raise TooMuchWorkError(
            f"{len(traffic.targets):,} targets x {core.arcs:,} arcs, at most {most_work:,} are routed"
        )
    if core.access_gbps < np.inf and len(core.sites) == 1:
        top = core.access_gbps
        return _result(network, core, top, top, top, np.zeros(core.arcs), None, 1)
    most, length = _around_sites(core, orbits)
    least, ecmp = 0.0, None
    load: Floats | None = None
    work = len(traffic.targets) * max(core.arcs, 1)
    if work <= MOST_WORK:
        # Where the program is small anyway, a few routings only: they often meet the bound.
        rounds = min(rounds, FEW_ROUNDS if exactly and work <= MOST_COLUMNS else MOST_WORK // (24 * work))
        try:
            found = bounds(core, orbits, traffic, rounds=rounds, enough=min(core.access_gbps, most))
        except NoRouteError:
            return _nothing(network, core, "some endpoints cannot reach each other")
        if exactly and not _meet(found.least, min(found.most, most), core.access_gbps):
            found = _solved(core, orbits, traffic, found)
        least, ecmp, load = found.least, found.ecmp, found.load[orbits.of_arc]
        if found.most < most:
            most, length = found.most, found.length
    return _result(network, core, least, most, ecmp, load, length[orbits.of_arc], len(traffic.targets))


def on_nodes(core: Core, permutation: Ints) -> Ints:
    """Take a permutation of boxes over to the nodes of a core.

    Raises
    ------
    ValueError
        When it is none, or exchanges folded endpoints with other boxes.
    """
    boxes = len(core.node)
    if permutation.shape != (boxes,) or (np.sort(permutation) != np.arange(boxes)).any():
        raise ValueError("a generator is not a permutation of the boxes")
    image = permutation[core.box]
    if (core.box[core.node[image]] != image).any():
        raise ValueError("a generator exchanges endpoints on one box with boxes of another kind")
    return core.node[image]


def _meet(least: float, most: float, access: float) -> bool:
    return min(most, access) - min(least, access) <= EXACT * min(most, access)


def _around_sites(core: Core, orbits: Orbits) -> tuple[float, Floats]:
    """Bound by what leaves a single node: its arcs are one long, all others nothing."""
    leaving = np.bincount(core.tail, core.rate, core.nodes)
    sites, total = core.sites, core.endpoints
    each = leaving[sites] * (total - 1) / (core.weight[sites] * (total - core.weight[sites]).clip(1))
    each[core.weight[sites] == total] = np.inf
    site = int(sites[np.argmin(each)])
    # The same for all nodes of the class at once, so that the lengths are those of classes of arcs.
    mates = orbits.of_node == orbits.of_node[site]
    length = np.zeros(len(orbits.arc_size))
    length[orbits.of_arc[mates[core.tail]]] = 1.0
    return float(each.min()), length


def _solved(core: Core, orbits: Orbits, traffic: Traffic, found: Bounds) -> Bounds:
    """Bounds of the linear program of all routings, where it is small enough."""
    if columns_of(core, orbits, traffic, MOST_COLUMNS) is None:
        return found
    best = best_routing(core, orbits, traffic)
    load = np.zeros(len(orbits.arc_size))
    for times, flow in zip(traffic.times, best.flows, strict=True):
        load += times * np.bincount(orbits.of_arc, flow, len(load))
    load /= orbits.arc_size
    least = carried(rate_of_classes(core, orbits), load)
    most = bound_by(core, orbits, traffic, best.length)
    if least < found.least:
        least, load = found.least, found.load
    if most > found.most:
        most, best_length = found.most, found.length
    else:
        best_length = best.length
    return Bounds(least, max(least, most), found.ecmp, load, best_length, ())


def _nothing(network: Network, core: Core, why: str) -> Throughput:
    rows = (len(network.lower), 2)
    return Throughput(0.0, 0.0, 0.0, core.endpoints, core.cut_off, np.zeros(rows), np.zeros(rows), 0, why)


def _result(
    network: Network,
    core: Core,
    least: float,
    most: float,
    ecmp: float | None,
    load: Floats | None,
    length: Floats | None,
    targets: int,
) -> Throughput:
    """Bring bounds of the core back to the rows of the network, with the endpoints' own links."""
    access = np.ones(len(network.lower), bool)
    access[core.rows] = False
    rows = np.zeros((len(network.lower), 2))
    why = "links between boxes"
    if core.access_gbps <= most:
        most, why = core.access_gbps, "the endpoints' own links"
        rates = network.rates()
        own = np.bincount(np.minimum(network.lower, network.upper)[access], rates[access], network.endpoints)
        slowest = int(np.argmin(np.where(own > 0, own, np.inf)))
        rows[access & (np.minimum(network.lower, network.upper) == slowest), 0] = 1.0
    elif length is not None:
        rows[core.rows] = length.reshape(2, -1).T
    least = min(least, core.access_gbps, most)
    ecmp = None if ecmp is None else min(ecmp, core.access_gbps)
    loads = None
    if load is not None:
        loads = np.zeros((len(network.lower), 2))
        loads[core.rows] = least * load.reshape(2, -1).T
        loads[access] = _shared(network, access, least)[:, None]
    return Throughput(least, most, ecmp, core.endpoints, core.cut_off, loads, rows, targets, why)


def _shared(network: Network, access: Mask, amount: float) -> Floats:
    """Gb/s on the rows of folded endpoints, split in proportion to their rates."""
    end = np.minimum(network.lower, network.upper)[access]
    rate = network.rates()[access]
    return np.asarray(amount * rate / np.bincount(end, rate, network.endpoints)[end])


def bound_holds(
    network: Network, found: Throughput, *, relays: bool | None = None, taking_part: Mask | None = None
) -> bool:
    """Recompute the upper bound from its lengths alone: shortest routes between all endpoints, no symmetry."""
    core = core_of(network, relays=relays, taking_part=taking_part, fold=False)
    if found.most == 0:
        return core.cut_off > 0 or bool(np.isinf(_unreached(core)))
    length = found.length.T.reshape(-1)
    trivial = alone(core)
    return bool(bound_by(core, trivial, even_traffic(core, trivial), length) <= found.most * (1 + EXACT))


def _unreached(core: Core) -> float:
    """Greatest distance between two endpoints; infinite when some have no route."""
    back = reverse(core)
    return max(float(back.distance_to(int(site))[core.sites].max()) for site in core.sites)
