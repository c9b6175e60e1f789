"""Bounds on a traffic from both sides: a blend of routings that fits, and lengths that no routing can beat.

The largest T with T times the traffic routable is at most (sum of rate x length) / (sum of traffic x distance) for any
lengths of the arcs (linear programming duality; Shahrokhi and Matula, *The maximum concurrent flow problem*, 1990), and
at least what any routing carries. Routings are added one by one: the best blend of those so far is a small linear
program over the classes of arcs, its dual prices are lengths, and the shortest routes under them are the next routing
(Dantzig and Wolfe, 1960). When both bounds meet, the figure is exact.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import linprog

from designer.network.core import Core, Floats, Reverse, reverse
from designer.network.graph import Ints
from designer.network.orbits import Orbits
from designer.network.routing import TIE, Split, Traffic, distance_sum, floored, load_of

EXACT = 1e-9
"""Relative distance of two bounds up to which they are one figure."""

MOST_CLASSES = 20_000
"""Classes of arcs up to which routings are blended."""


COARSE_ROUNDS = 12
"""Routings that are added while only groups of classes are looked at."""


STEEPNESS = 6.0
"""How steeply lengths grow with the load of a class, as an exponent."""


@dataclass(frozen=True, eq=False)
class Bounds:
    """Least and most Gb/s per endpoint, with what proves them.

    Parameters
    ----------
    least, most
        The bounds.
    ecmp
        What shortest routes carry when every node splits evenly over the links of its next hops.
    load
        (classes of arcs,): Gb/s per arc of the best routing found, at one Gb/s per endpoint.
    length
        (classes of arcs,): length of every arc of the class, for ``most``.
    routings
        The blend: its share, the length of the arcs of each class (None: hops) and the split of each routing.
    """

    least: float
    most: float
    ecmp: float
    load: Floats
    length: Floats
    routings: tuple[tuple[float, Floats | None, Split], ...]


def carried(rate: Floats, load: Floats) -> float:
    """Multiple of a load that fits, infinite without load."""
    used = load > 0
    return float((rate[used] / load[used]).min(initial=np.inf))


def rate_of_classes(core: Core, orbits: Orbits) -> Floats:
    """Gb/s (classes of arcs,) of one arc of each class."""
    rate = np.zeros(len(orbits.arc_size))
    rate[orbits.of_arc] = core.rate
    return rate


def bound_by(core: Core, orbits: Orbits, traffic: Traffic, length: Floats, back: Reverse | None = None) -> float:
    """Gb/s per endpoint that no routing exceeds, by lengths (classes of arcs,)."""
    room = float((rate_of_classes(core, orbits) * orbits.arc_size) @ length)
    need = distance_sum(core, traffic, length[orbits.of_arc], back)
    return room / need if need > 0 else np.inf


def bounds(core: Core, orbits: Orbits, traffic: Traffic, *, rounds: int = 0, enough: float = np.inf) -> Bounds:
    """Bound a traffic.

    Parameters
    ----------
    core, orbits, traffic
        The network, its classes, and what is sent.
    rounds
        Routings to add to the two over fewest hops.
    enough
        Gb/s per endpoint above which nothing is of interest (the endpoints' own links).

    Raises
    ------
    NoRouteError
        When somebody cannot be reached.
    """
    search = _Search(core, orbits, traffic, enough)
    phases = [(_alike(core, orbits), COARSE_ROUNDS)]
    if len(search.rate) <= MOST_CLASSES:
        phases.append((np.arange(len(search.rate)), rounds))
    for group, most_rounds in phases:
        for _ in range(min(most_rounds, rounds) + 1):
            if search.closed():
                break
            search.step(group, grow=len(search.loads) < rounds + 2)
    return search.bounds()


class _Search:
    """Routings found so far, their best blend, and the best lengths."""

    def __init__(self, core: Core, orbits: Orbits, traffic: Traffic, enough: float) -> None:
        self.core, self.orbits, self.traffic, self.enough = core, orbits, traffic, enough
        self.rate, self.back = rate_of_classes(core, orbits), reverse(core)
        self.loads: list[Floats] = []
        self.recipes: list[tuple[Floats | None, Split]] = []
        self.most, self.best = np.inf, np.ones(len(self.rate))
        self.route(None, "links")
        self.shares = np.ones(1)
        self.least = self.ecmp = carried(self.rate, self.loads[0])
        self.pressed = 0.0
        self.bound(self.best)
        if not self.closed():
            self.route(None, "routes")

    def closed(self) -> bool:
        """Whether both bounds are one figure, as far as it is of interest."""
        top = min(self.most, self.enough)
        return top - min(self.least, self.enough) <= EXACT * top

    def route(self, length: Floats | None, split: Split) -> None:
        """Add the shortest routes under lengths of the classes."""
        arcs = None if length is None else floored(length)[self.orbits.of_arc]
        load = load_of(self.core, self.orbits, self.traffic, length=arcs, split=split, back=self.back)
        self.loads.append(load)
        self.recipes.append((length, split))

    def bound(self, length: Floats) -> None:
        """Bound by lengths of the classes, kept if the best."""
        most = bound_by(self.core, self.orbits, self.traffic, length, self.back)
        if most < self.most:
            self.most, self.best = most, length

    def step(self, group: Ints, *, grow: bool) -> None:
        """Blend what there is, bound by the prices, and add the shortest routes under them."""
        loads = np.array(self.loads)
        shares, prices = _best_blend(self.rate, self.orbits.arc_size, loads, group)
        for trial in (shares, *np.eye(len(loads))):
            fits = carried(self.rate, trial @ loads)
            if fits > self.least:
                self.least, self.shares = fits, trial
        # Half way to the best lengths so far as well: those of the program jump from one extreme to another.
        halfway = 0.5 * (self.best / float((self.rate * self.orbits.arc_size) @ self.best) + prices)
        trials = [prices, halfway]
        if self.least > self.pressed:
            # The classes that the best routing fills, if they part the network by themselves.
            press = self.shares @ loads[: len(self.shares)] / self.rate
            trials.insert(0, (press >= press.max() * (1 - TIE)).astype(np.float64))
            self.pressed = self.least
        following = halfway
        if int(group.max()) + 1 > len(loads):
            # Fewer routings than classes: prices say little yet. Lengths that grow steeply with the load of a class
            # (Garg and Könemann, 2007) spread the next routing better.
            press = self.shares @ loads[: len(self.shares)] / self.rate
            following = np.exp(STEEPNESS * (press / press.max() - 1)) / self.rate
            trials.append(following)
        for length in trials:
            self.bound(length)
            if self.closed():
                return
        if grow:
            self.route(following, "links")

    def bounds(self) -> Bounds:
        """What was found."""
        load = self.shares @ np.array(self.loads)[: len(self.shares)]
        blend = tuple((float(s), *recipe) for s, recipe in zip(self.shares, self.recipes, strict=False) if s > 0)
        return Bounds(self.least, max(self.most, self.least), self.ecmp, load, self.best, blend)


def _alike(core: Core, orbits: Orbits) -> Ints:
    """(classes of arcs,): groups of classes by bundle and by weight and degree of the ends: few, for a first round."""
    degree = np.bincount(core.tail, core.links, core.nodes)
    looks = np.column_stack([core.kind, core.weight, degree])
    label = np.unique(looks, axis=0, return_inverse=True)[1].reshape(-1)
    arcs = np.unique(orbits.of_arc, return_index=True)[1]
    pair = np.column_stack([label[core.tail[arcs]], label[core.head[arcs]], core.bundle[arcs], core.links[arcs]])
    return np.asarray(np.unique(pair, axis=0, return_inverse=True)[1].reshape(-1), np.int64)


def _best_blend(rate: Floats, size: Ints, loads: Floats, group: Ints) -> tuple[Floats, Floats]:
    """Shares of the routings that press the fullest group of classes least, and the length of the arcs of each class.

    Minimise u with sum of share x load <= u x rate in every group, shares >= 0 that add up to 1. Groups of several
    classes are pressed on average: that is no proof of what fits, but their prices are lengths like any others.
    """
    count = len(loads)
    room = np.bincount(group, rate * size)
    total = np.stack([np.bincount(group, load * size) for load in loads], 1) / room[:, None]
    scale = float(total.max())
    answer = linprog(
        np.array([*([0.0] * count), 1.0]),
        A_ub=np.column_stack([total / scale, -np.ones(len(room))]),
        b_ub=np.zeros(len(room)),
        A_eq=np.array([[*([1.0] * count), 0.0]]),
        b_eq=np.ones(1),
        method="highs",
        options={"primal_feasibility_tolerance": 1e-10, "dual_feasibility_tolerance": 1e-10},
    )
    if answer.status != 0:
        raise RuntimeError(f"the blend of routings was not found: {answer.message}")
    assert answer.x is not None and answer.ineqlin.marginals is not None
    shares = np.maximum(answer.x[:count], 0.0)
    prices = np.maximum(-answer.ineqlin.marginals, 0.0) / room
    return shares / shares.sum(), prices[group]
