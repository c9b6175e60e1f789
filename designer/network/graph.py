"""A built network as arrays: small enough to hold a million endpoints, plain enough to be checked by anybody."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import networkx as nx
import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]

NOWHERE = -1
"""Block of a box that belongs to no block of endpoints: it stands in the network racks."""


@dataclass(frozen=True)
class Kind:
    """Boxes of one kind: ``endpoint``, ``leaf``, ``spine``, ``router`` ...; numbered one after the other."""

    name: str
    count: int


@dataclass(frozen=True)
class Bundle:
    """Links of one boundary: all of one rate [Gb/s, one direction, full duplex]."""

    name: str
    rate_gbps: float


@dataclass(frozen=True, eq=False)
class Network:
    """Boxes and the links between them.

    Parameters
    ----------
    kinds
        Kinds of boxes, the endpoints first. Boxes are numbered from 0 in this order.
    bundles
        Kinds of links.
    lower, upper, links, bundle
        One row per joined pair of boxes and bundle, all of shape (rows,): the two boxes, the number of parallel links
        between them (at least 1), and the place of the bundle in ``bundles``. A pair occurs at most once per bundle.
    block
        (boxes,): natural group of each box (pod, group, line of a mesh, domain), for its place on the floor: boxes of
        one block stand together, in ascending order. `NOWHERE` for boxes that belong to none.
    circuits
        (circuits, 3) or None: the circuits set up in circuit switches, which are the boxes of the last kinds. Two rows,
        both with the same circuit switch as their upper box, and the number of links joined. Light passes a circuit
        switch, traffic does not turn there: what the network carries is asked of `as_carried`.

    Examples
    --------
    >>> one = np.array
    >>> net = Network(
    ...     (Kind("endpoint", 2), Kind("leaf", 1)),
    ...     (Bundle("endpoint-leaf", 400.0),),
    ...     one([0, 1]), one([2, 2]), one([1, 1]), one([0, 0]), one([0, 0, 0]),
    ... )
    >>> net.boxes, net.kind_range("leaf"), net.links_of("endpoint-leaf"), net.name(2)
    (3, range(2, 3), 2, 'leaf0')
    """

    kinds: tuple[Kind, ...]
    bundles: tuple[Bundle, ...]
    lower: Ints
    upper: Ints
    links: Ints
    bundle: Ints
    block: Ints
    circuits: Ints | None = None

    @property
    def boxes(self) -> int:
        """Number of boxes of all kinds."""
        return sum(kind.count for kind in self.kinds)

    @property
    def endpoints(self) -> int:
        """Number of endpoints: boxes of the first kind."""
        return self.kinds[0].count

    def kind_range(self, name: str) -> range:
        """Numbers of the boxes of a kind.

        Raises
        ------
        KeyError
            When the network has no such kind.
        """
        first = 0
        for kind in self.kinds:
            if kind.name == name:
                return range(first, first + kind.count)
            first += kind.count
        raise KeyError(name)

    def links_of(self, bundle: str) -> int:
        """Number of links of a bundle."""
        at = [b.name for b in self.bundles].index(bundle)
        return int(self.links[self.bundle == at].sum())

    def rates(self) -> npt.NDArray[np.float64]:
        """Gb/s (rows,) of every joined pair, all its parallel links together, one direction."""
        return np.asarray(self.links * np.array([b.rate_gbps for b in self.bundles])[self.bundle])

    def name(self, box: int) -> str:
        """Name of a box: its kind and its number among that kind."""
        for kind in self.kinds:
            if box < kind.count:
                return f"{kind.name}{box}"
            box -= kind.count
        raise IndexError(box)

    def ports(self) -> Ints:
        """Ports in use (boxes,) of every box."""
        out = np.zeros(self.boxes, np.int64)
        np.add.at(out, self.lower, self.links)
        np.add.at(out, self.upper, self.links)
        return out

    def as_carried(self) -> Network:
        """The network that traffic sees: circuits are links from end to end, circuit switches are gone.

        A circuit belongs to the bundle of its first row; a network without circuits is returned as it is.

        Examples
        --------
        >>> one = np.array
        >>> net = Network(
        ...     (Kind("endpoint", 4), Kind("ocs", 1)), (Bundle("endpoint-ocs", 400.0),),
        ...     one([0, 1, 2, 3]), one([4, 4, 4, 4]), one([1, 1, 1, 1]), one([0, 0, 0, 0]), one([0, 0, 0, 0, NOWHERE]),
        ...     circuits=one([[0, 1, 1], [2, 3, 1]]),
        ... )
        >>> seen = net.as_carried()
        >>> seen.lower.tolist(), seen.upper.tolist(), seen.boxes
        ([0, 2], [1, 3], 4)
        """
        if self.circuits is None:
            return self
        one, other, links = self.circuits.T
        through = np.unique(self.upper[self.circuits[:, :2]])
        kept = np.ones(len(self.lower), bool)
        kept[self.circuits[:, :2]] = False
        ends = np.sort(np.stack((self.lower[one], self.lower[other])), axis=0)
        keys = np.stack((np.append(self.bundle[kept], self.bundle[one]), np.append(self.lower[kept], ends[0])))
        keys = np.vstack((keys, np.append(self.upper[kept], ends[1])))
        rows, place = np.unique(keys, axis=1, return_inverse=True)
        total = np.zeros(rows.shape[1], np.int64)
        np.add.at(total, place.ravel(), np.append(self.links[kept], links))
        kinds = tuple(k for k in self.kinds if not np.isin(np.array(self.kind_range(k.name)), through).any())
        boxes = sum(kind.count for kind in kinds)
        return Network(kinds, self.bundles, rows[1], rows[2], total, rows[0], self.block[:boxes])

    def to_networkx(self) -> nx.Graph[int]:
        """Undirected graph with ``name`` and ``kind`` on nodes and ``capacity_gbps`` on edges (bundles added up)."""
        graph: nx.Graph[int] = nx.Graph()
        for kind in self.kinds:
            for box in self.kind_range(kind.name):
                graph.add_node(box, name=self.name(box), kind=kind.name)
        for low, high, rate in zip(self.lower.tolist(), self.upper.tolist(), self.rates().tolist(), strict=True):
            data: Any = graph.get_edge_data(low, high)
            graph.add_edge(low, high, capacity_gbps=rate + (data["capacity_gbps"] if data else 0.0))
        return graph
