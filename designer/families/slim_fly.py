"""Slim Fly: routers of diameter 2 on the graphs of McKay, Miller and Širáň."""

from __future__ import annotations

from typing import Annotated, Literal

import numpy as np
from pydantic import Field

from designer.families.family import BundleCount, Family, Misfit, Rate, StageCount, Structure
from designer.families.galois import field, prime_power
from designer.families.lattice import Gbps
from designer.families.rates import TREE_WALK, VALIANT, between
from designer.network.graph import Bundle, Ints, Kind, Network

Count = Annotated[int, Field(ge=1, le=1_000_000)]
# The field is a table of q x q, and 2 q^2 routers are more than two million here.
MOST_Q = 1000


class SlimFly(Family):
    """Slim Fly of Besta and Hoefler, "Slim Fly: A Cost Effective Low-Diameter Network Topology", SC 2014.

    Routers ``(0, x, y)`` and ``(1, m, c)`` over GF(q), ``q = 4 w + d`` with d = -1, 0 or 1: ``2 q^2`` of
    ``(3 q - d) / 2`` network ports each. ``(0, x, y)`` meets ``(0, x, y')`` where ``y - y'`` is in X, ``(1, m, c)``
    meets ``(1, m, c')`` where ``c - c'`` is in X', and ``(0, x, y)`` meets ``(1, m, c)`` where ``y = m x + c``. The
    sets X and X' are those of Hafner, "Geometric realisation of the graphs of McKay-Miller-Širáň", J. Comb. Theory B
    90, 2004.

    Parameters
    ----------
    q
        Power of a prime, at least 3, not 2 modulo 4.
    p
        Endpoints per router; half of its network ports, rounded up, if left out (SC 2014, section II-B).
    port_gbps
        Gb/s of every port, one direction.
    counts_only
        Count a ``q`` that is no power of a prime by the same formulas, as some papers do. No such network is known, so
        none can be built.
    radix
        Ports of a router; unchecked if left out.
    planes
        Copies, one port of every endpoint on each.

    Examples
    --------
    >>> s = SlimFly(q=28, p=21, port_gbps=400.0, counts_only=True, radix=64).structure()
    >>> s.endpoints, s.switches(), s.bundle("router-router").links
    (32928, 1568, 32928)
    """

    family: Literal["slim_fly"] = "slim_fly"
    q: Annotated[int, Field(ge=3, le=MOST_Q)]
    p: Count | None = None
    port_gbps: Gbps
    counts_only: bool = False
    radix: Count | None = None
    planes: Count = 1

    def misfits(self) -> list[Misfit]:
        """A ``q`` without a graph (or, with ``counts_only``, without a formula), and the radix."""
        out = []
        if self.q % 4 == 2:
            out.append(Misfit("q", str(self.q), "allowed: 4 w - 1, 4 w or 4 w + 1"))
        elif not self.counts_only and prime_power(self.q) is None:
            allowed = "allowed: powers of a prime; `counts_only = true` counts by the formula, without a network"
            out.append(Misfit("q", str(self.q), allowed))
        elif self.counts_only and prime_power(self.q) is not None:
            out.append(Misfit("counts_only", "true", f"allowed: false, q = {self.q} has a network"))
        ports = self.endpoints_per_router + self.network_ports
        if self.radix is not None and ports > self.radix:
            out.append(Misfit("radix", str(self.radix), f"allowed: at least {ports}, the ports in use on a router"))
        return out

    @property
    def network_ports(self) -> int:
        """Ports of a router towards other routers: (3 q - d) / 2."""
        return self.q + self._local_ports

    @property
    def _local_ports(self) -> int:
        return (self.q - _rest(self.q)) // 2

    @property
    def endpoints_per_router(self) -> int:
        """Endpoints per router, as given or half of the network ports."""
        return self.p if self.p is not None else (self.network_ports + 1) // 2

    def structure(self) -> Structure:
        """Count one plane."""
        routers, p = 2 * self.q**2, self.endpoints_per_router
        ports, rate = self.network_ports, self.port_gbps
        every = rate * self.planes
        unknown = f"no graph is known for q = {self.q}: only what holds for every network of these counts"
        pairs = routers * p - 1
        if self.counts_only:
            # Any connected graph of this degree: neighbours at distance 1, all others at 2 or more.
            most = pairs * ports / (p * p * (2 * (routers - 1) - ports))
            capacity = {
                "all_to_all": between(0.0, most, every, unknown),
                "permutation": between(0.0, 1.0, every, unknown),
                "all_reduce": between(0.0, 1.0, every, unknown),
            }
        else:
            capacity = {
                "all_to_all": self._all_to_all(),
                "permutation": self._permutation(),
                "all_reduce": between(1.0, 1.0, every, TREE_WALK),
            }
        return Structure(
            endpoints=routers * p,
            endpoints_per_copy=routers * p,
            copies=self.planes,
            stages=(StageCount("router", routers, p + ports, p),),
            bundles=(
                BundleCount("endpoint-router", "endpoint", "router", routers * p, rate),
                BundleCount("router-router", "router", "router", self.q**2 * ports, rate),
            ),
            capacity=capacity,
        )

    def _minimal(self) -> float:
        """Rate per pair of endpoints, in ports, that minimal routing carries.

        A cross link (between a router 0 and a router 1) carries ``(3 q - 2) p^2`` pairs, whatever the shortest paths:
        all pairs of routers of one kind in different columns take two of them, all pairs of two kinds take one, and the
        shifts of x, y and m, under which an even routing is unchanged, take every cross link to every other.
        A link inside a column carries `_column_load`.
        """
        return 1 / (self.endpoints_per_router**2 * max(3 * self.q - 2, _column_load(self.q)))

    def _all_to_all(self) -> Rate:
        """Exact where cross links are the bottleneck: length 1 on them, 0 on others, gives the same figure."""
        p = self.endpoints_per_router
        pairs = 2 * self.q**2 * p - 1
        source = (
            "Hafner, J. Comb. Theory B 90, 2004 (the graph); minimal routing loads every cross link with 3 q - 2 pairs "
            "of routers, and lengths 1 on cross links only show that no routing does better"
        )
        most = pairs / (p * p * (3 * self.q - 2))
        return between(pairs * self._minimal(), most, self.port_gbps * self.planes, source)

    def _permutation(self) -> Rate:
        """Interval: Valiant's routing; above, columns that send to the next column of their kind: two cross links."""
        p = self.endpoints_per_router
        least = 2 * self.q**2 * p * self._minimal() / 2
        source = f"{VALIANT}; from above every column sends to another of its kind, two of q cross links each way"
        return between(least, self.q / (2 * p), self.port_gbps * self.planes, source)

    def network(self) -> Network:
        """Build one plane. Column x of routers 0, column m = x of routers 1 and their endpoints are one block.

        Raises
        ------
        ValueError
            With ``counts_only``: a formula, not a graph.
        """
        if self.counts_only:
            raise ValueError(
                f"q = {self.q} with counts_only is a formula, not a graph: no network is known that has these counts"
            )
        q, p = self.q, self.endpoints_per_router
        column = np.arange(q) * q
        ends = []
        for kind, steps in enumerate(generators(q)):
            low, high = _differing(q, steps)
            ends += [(kind * q * q + (column[:, None] + side).ravel()) for side in (low, high)]
        x, m, c = (grid.ravel() for grid in np.meshgrid(*[np.arange(q)] * 3, indexing="ij"))
        y = field(q).add[field(q).times()[m, x], c]
        first = 2 * q * q * p
        low = np.concatenate([ends[0], ends[2], x * q + y])
        high = np.concatenate([ends[1], ends[3], q * q + m * q + c])
        hosts = np.arange(first)
        block = np.tile(np.repeat(np.arange(q), q), 2)
        return Network(
            kinds=(Kind("endpoint", first), Kind("router", 2 * q * q)),
            bundles=(Bundle("endpoint-router", self.port_gbps), Bundle("router-router", self.port_gbps)),
            lower=np.concatenate([hosts, first + low]),
            upper=np.concatenate([first + hosts // p, first + high]),
            links=np.ones(first + low.size, np.int64),
            bundle=np.repeat([0, 1], [first, low.size]),
            block=np.concatenate([np.repeat(block, p), block]),
        )

    def symmetries(self) -> list[Ints]:
        """Shifts of x, y and m, and x against m stretched; for q = 4 w + 1 also routers 0 and 1 exchanged.

        They leave ``y = m x + c`` and the differences inside the columns alone; the exchange turns X into X' and back.
        """
        q, p, gf = self.q, self.endpoints_per_router, field(self.q)
        add, times, root = gf.add, gf.times(), int(gf.power[1 % (self.q - 1)])
        x, y = np.divmod(np.arange(q * q), q)
        # The routers 1 are (m, c) = (x, y) in the same order; images as (column, place) of routers 0 and of routers 1.
        found = [((times[root, x], y), (times[gf.power[-1], x], y))]
        for step in _digits(q):
            found += [
                ((x, add[y, step]), (x, add[y, step])),
                ((add[x, step], y), (x, gf.minus[y, times[x, step]])),
                ((x, add[y, times[x, step]]), (add[x, step], y)),
            ]
        routers = [np.concatenate([u * q + v, q * q + m * q + c]) for (u, v), (m, c) in found]
        if _rest(q) == 1:
            column, place = times[gf.minus[0, root], x], times[root, y]
            routers.append(np.concatenate([q * q + x * q + place, column * q + place]))
        hosts = np.arange(p)
        return [np.concatenate([(to[:, None] * p + hosts).ravel(), 2 * q * q * p + to]) for to in routers]


def _digits(q: int) -> list[int]:
    """Elements 1, p, p^2 ... of GF(p^n): their sums are all elements."""
    prime, exponent = prime_power(q) or (q, 1)
    return [prime**place for place in range(exponent)]


def _rest(q: int) -> int:
    """``d`` of q = 4 w + d, from -1 to 1."""
    return (q + 1) % 4 - 1


def generators(q: int) -> tuple[Ints, Ints]:
    """Sets X and X' of Hafner 2004: what two joined routers of a column differ by, for routers 0 and 1.

    Examples
    --------
    >>> [steps.tolist() for steps in generators(5)]
    [[1, 4], [2, 3]]
    """
    power, rest = field(q).power, _rest(q)
    if rest == -1:
        # Plus and minus the first even (odd) powers; -1 is the power (q - 1) / 2.
        half = np.arange(0, (q + 1) // 2, 2)
        even = np.concatenate([half, half + (q - 1) // 2])
    else:
        even = np.arange(0, q - rest, 2)
    return np.sort(power[even % (q - 1)]), np.sort(power[(even + 1) % (q - 1)])


def _differing(q: int, steps: Ints) -> tuple[Ints, Ints]:
    """Pairs low < high of elements whose difference is one of ``steps``."""
    low, high = np.nonzero(np.isin(field(q).minus, steps))
    return low[low < high], high[low < high]


def _column_load(q: int) -> float:
    """Pairs of routers that the busiest link inside a column carries under even minimal routing.

    Pairs in the column, spread evenly over their paths of two links; and pairs of routers of two kinds, ``q`` each
    way for the step by which they differ, halved where either end has that step.
    """
    loads = []
    add = field(q).add
    sets = generators(q)
    for own, other in (sets, sets[::-1]):
        # Of q elements: in how many ways each is a sum of two steps; far ones are reached only so.
        ways = np.bincount(add[np.ix_(own, own)].ravel(), minlength=q)
        far = np.ones(q, bool)
        far[[0, *own]] = False
        share = np.where(far, 1.0 / np.maximum(ways, 1), 0.0)
        # A link of step s is the first of two towards s + t and the second of two from -(s + t), for every step t.
        two = 2 * share[add[np.ix_(own, own)]].sum(axis=1)
        crossing = np.where(np.isin(own, other), 0.5, 1.0) * 2 * q
        loads.append(float((1 + two + crossing).max()))
        if (ways[far] == 0).any():
            raise ValueError(f"q = {q}: a column is not of diameter 2")
    return max(loads)
