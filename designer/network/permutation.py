"""Permutations: every endpoint sends to one partner. What samples show from above, and routings prove from below."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import linear_sum_assignment

from designer.network.blend import bound_by, bounds, carried
from designer.network.core import Core, Floats, core_of, reverse
from designer.network.flow_lp import MOST_COLUMNS, best_routing
from designer.network.graph import Ints, Network
from designer.network.orbits import alone, orbits_of
from designer.network.routing import NoRouteError, Traffic, even_traffic, flow_to, load_of

MOST_PAIRS = 3 * 10**7
"""Targets times arcs up to which the worst permutation of a fixed routing is found, class of arcs by class."""

MOST_SAMPLED = 2 * 10**9
"""Targets times arcs times samples that are tried."""


@dataclass(frozen=True)
class Permutation:
    """The largest T such that for *every* permutation each endpoint can send T Gb/s to its partner, all at once.

    Parameters
    ----------
    least, least_why
        Every permutation is carried at ``least``, and the argument.
    most, most_why
        No more than that: the permutation that shows it.
    ecmp
        T of the worst permutation for shortest routes split evenly per link; None when too large to compute.
    tried
        Permutations tried.
    """

    least: float
    least_why: str
    most: float
    most_why: str
    ecmp: float | None
    tried: int


def permutations(network: Network, *, samples: int = 8, seed: int = 0, relays: bool | None = None) -> Permutation:
    """Bound what every permutation gets.

    From above: shifts by one node's endpoints, by half of all, and random permutations, each bounded by lengths (linear
    programming duality); none proves that there is no worse one. From below: the worst permutation of even splitting
    over shortest routes, found by an assignment for every class of arcs (Towles and Dally, *Worst-case traffic for
    oblivious routing functions*, 2002); and half of all-to-all, by way of random endpoints (Valiant, 1982), where
    traffic may turn at the boxes of the endpoints.

    Parameters
    ----------
    network
        One copy.
    samples, seed
        Random permutations, and where they start.
    relays
        Whether endpoints forward; found from the network when absent.

    Raises
    ------
    ValueError
        With fewer than two endpoints, or rows that do not fit.
    """
    core = core_of(network, relays=relays)
    if core.endpoints + core.cut_off < 2:
        raise ValueError("a permutation needs at least two endpoints")
    if core.cut_off:
        why = f"{core.cut_off} endpoints have no link"
        return Permutation(0.0, why, 0.0, why, 0.0, 0)
    most, most_why, tried = core.access_gbps, "the endpoints' own links", 0
    endpoint_node = np.repeat(core.sites, core.weight[core.sites])
    try:
        for name, partner in _trials(core, endpoint_node, samples, seed):
            if (tried + 1) * len(core.sites) * core.arcs > MOST_SAMPLED:
                break
            tried += 1
            bound = permutation_bounds(core, endpoint_node, partner)[1]
            if bound < most:
                most, most_why = bound, name
        least, why = _by_way(core)
        ecmp = worst_of_ecmp(core)
    except NoRouteError:
        why = "some endpoints cannot reach each other"
        return Permutation(0.0, why, 0.0, why, 0.0, tried)
    if ecmp is not None and ecmp > least:
        least, why = ecmp, "the worst permutation of even splitting over shortest routes"
    if core.access_gbps < least:
        least, why = core.access_gbps, "the endpoints' own links"
    return Permutation(min(least, most), why, most, most_why, ecmp, tried)


def _trials(core: Core, node: Ints, samples: int, seed: int) -> list[tuple[str, Ints]]:
    """Names and partners (endpoints,): endpoint i, on node[i], sends to endpoint partner[i]."""
    count = len(node)
    draw = np.random.default_rng(seed)
    places = np.arange(count)
    group = int(core.weight.max())
    shifts = sorted({shift % count for shift in (group, group * max(len(core.sites) // 2, 1), count // 2)} - {0})
    trials = [(f"every endpoint to the one {shift} further on", (places + shift) % count) for shift in shifts]
    trials.append(("the last to the first", places[::-1].copy()))
    trials += [(f"random permutation {at} of seed {seed}", draw.permutation(count)) for at in range(samples)]
    return trials


def permutation_bounds(core: Core, node: Ints, partner: Ints, *, exactly: bool = True) -> tuple[float, float]:
    """Least and most Gb/s per endpoint of one permutation, links between boxes only; infinite where none is used."""
    to = node[partner]
    amounts: dict[int, Floats] = {}
    for target in np.unique(to).tolist():
        amount = np.bincount(node[to == target], minlength=core.nodes).astype(np.float64)
        amount[target] = 0.0
        if amount.any():
            amounts[target] = amount
    if not amounts:
        return np.inf, np.inf
    orbits = alone(core)
    targets = np.array(list(amounts), np.int64)
    traffic = Traffic(targets, np.ones(len(targets), np.int64), amounts.__getitem__)
    small = len(targets) * core.arcs <= MOST_COLUMNS // 4
    found = bounds(core, orbits, traffic, rounds=0 if small and exactly else 4)
    if not (small and exactly) or found.most - found.least <= 1e-9 * found.most:
        return found.least, found.most
    best = best_routing(core, orbits, traffic)
    load = best.flows.sum(0)
    return max(found.least, carried(core.rate, load)), min(found.most, bound_by(core, orbits, traffic, best.length))


def _by_way(core: Core) -> tuple[float, str]:
    """Half of all-to-all: each sends evenly to all, and those pass it on; both legs are all-to-all traffic."""
    turns = bool(core.relays[core.sites].all())
    orbits = orbits_of(core)
    traffic = even_traffic(core, orbits)
    if not turns or len(traffic.targets) * core.arcs > MOST_SAMPLED:
        return 0.0, "nothing is known"
    rate = np.zeros(len(orbits.arc_size))
    rate[orbits.of_arc] = core.rate
    whole = carried(rate, load_of(core, orbits, traffic))
    # Each of the two legs sends T / N to every endpoint, all-to-all sends T / (N - 1) to every other.
    return whole / 2 * core.endpoints / (core.endpoints - 1), "by way of all endpoints evenly, twice all-to-all"


def worst_of_ecmp(core: Core) -> float | None:
    """Gb/s per endpoint of even splitting over shortest routes under its worst permutation; None when too large.

    The share of traffic from s to d that crosses an arc is fixed; the worst permutation for that arc is an assignment.
    Symmetric arcs have equal worst cases.
    """
    sites = core.sites
    if len(sites) ** 2 * core.arcs > MOST_PAIRS:
        return None
    orbits = orbits_of(core)
    arcs = np.unique(orbits.of_arc, return_index=True)[1]
    back = reverse(core)
    crossing = np.zeros((len(arcs), len(sites), len(sites)))
    for place, target in enumerate(sites.tolist()):
        for origin, source in enumerate(sites.tolist()):
            if source != target:
                one = np.zeros(core.nodes)
                one[source] = 1.0
                crossing[:, origin, place] = flow_to(core, back, target, one)[arcs]
    worst = np.inf
    weight = core.weight[sites]
    group = np.repeat(np.arange(len(sites)), weight)
    for at, arc in enumerate(arcs.tolist()):
        share = crossing[at][np.ix_(group, group)]
        rows, columns = linear_sum_assignment(share, maximize=True)
        load = float(share[rows, columns].sum())
        if load > 0:
            worst = min(worst, float(core.rate[arc]) / load)
    return float(min(worst, core.access_gbps))
