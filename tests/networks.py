"""Small networks written out by hand, and what they carry by the plain linear program, for the tests of traffic."""

from __future__ import annotations

import itertools
from collections.abc import Iterable

import numpy as np
from scipy.optimize import linprog
from scipy.sparse import coo_array

from designer.network import Bundle, Kind, Network


def network(
    kinds: dict[str, int],
    rates: dict[str, float],
    links: Iterable[tuple[int, int, int, str]],
    block: Iterable[int] | None = None,
) -> Network:
    """Build from rows (lower, upper, links, bundle)."""
    rows = list(links)
    names = list(rates)
    columns = [np.array([row[at] for row in rows], np.int64) for at in range(3)]
    total = sum(kinds.values())
    return Network(
        tuple(Kind(name, count) for name, count in kinds.items()),
        tuple(Bundle(name, rate) for name, rate in rates.items()),
        columns[0],
        columns[1],
        columns[2],
        np.array([names.index(row[3]) for row in rows], np.int64),
        np.full(total, -1) if block is None else np.array(list(block), np.int64),
    )


def fat_tree(k: int, over: int = 1, *, stages: int = 3, rate: float = 400.0) -> Network:
    """k-ary fat tree of two or three stages whose links above the leaves run at rate / over."""
    half = k // 2
    pods = k if stages == 3 else 1
    leaves_per_pod = half if stages == 3 else k
    leaves, hosts = pods * leaves_per_pod, pods * leaves_per_pod * half
    spines = pods * half
    cores = half * half if stages == 3 else 0
    rows: list[tuple[int, int, int, str]] = [(h, hosts + h // half, 1, "endpoint-leaf") for h in range(hosts)]
    for leaf in range(leaves):
        pod = leaf // leaves_per_pod
        rows += [(hosts + leaf, hosts + leaves + pod * half + s, 1, "leaf-spine") for s in range(half)]
    if cores:
        for spine in range(spines):
            up = hosts + leaves + spines + spine % half * half
            rows += [(hosts + leaves + spine, up + c, 1, "spine-core") for c in range(half)]
    kinds = {"endpoint": hosts, "leaf": leaves, "spine": spines} | ({"core": cores} if cores else {})
    rates = {"endpoint-leaf": rate, "leaf-spine": rate / over} | ({"spine-core": rate / over} if cores else {})
    block = [h // (half * leaves_per_pod) for h in range(hosts)]
    block += [leaf // leaves_per_pod for leaf in range(leaves)] + [s // half for s in range(spines)] + [-1] * cores
    return network(kinds, rates, rows, block)


def torus(*dims: int, rate: float = 100.0) -> Network:
    """Torus of endpoints; a side of two has one link."""
    rows = []
    size = int(np.prod(dims))
    for at in np.ndindex(*dims):
        for axis, side in enumerate(dims):
            to = list(at)
            to[axis] = (at[axis] + 1) % side
            low, high = (int(np.ravel_multi_index(of, dims)) for of in (at, tuple(to)))
            if side > 2 or at[axis] == 0:
                rows.append((low, high, 1, "endpoint-endpoint"))
    return network({"endpoint": size}, {"endpoint-endpoint": rate}, rows, [i // dims[-1] for i in range(size)])


def hyperx(*dims: int, hosts: int = 2, rate: float = 100.0, host_rate: float = 1000.0) -> Network:
    """HyperX of routers with hosts."""
    routers = int(np.prod(dims))
    ends = routers * hosts
    rows: list[tuple[int, int, int, str]] = [(h, ends + h // hosts, 1, "endpoint-router") for h in range(ends)]
    for at in np.ndindex(*dims):
        for axis, side in enumerate(dims):
            for other in range(at[axis] + 1, side):
                to = (*at[:axis], other, *at[axis + 1 :])
                low, high = (ends + int(np.ravel_multi_index(of, dims)) for of in (at, to))
                rows.append((low, high, 1, "router-router"))
    return network({"endpoint": ends, "router": routers}, {"endpoint-router": host_rate, "router-router": rate}, rows)


def dragonfly(a: int, h: int, hosts: int = 1, rate: float = 100.0) -> Network:
    """Largest dragonfly of a routers per group and h global links each."""
    groups = a * h + 1
    routers = groups * a
    ends = routers * hosts
    rows: list[tuple[int, int, int, str]] = [(e, ends + e // hosts, 1, "endpoint-router") for e in range(ends)]
    for group in range(groups):
        for one, two in itertools.combinations(range(a), 2):
            rows.append((ends + group * a + one, ends + group * a + two, 1, "router-router.local"))
        for port in range(a * h):
            other = (group + port + 1) % groups
            back = groups - 2 - port
            if group < other:
                rows.append((ends + group * a + port // h, ends + other * a + back // h, 1, "router-router.global"))
    rates = {"endpoint-router": 1000.0, "router-router.local": rate, "router-router.global": rate}
    return network(
        {"endpoint": ends, "router": routers},
        rates,
        rows,
        [*(e // (a * hosts) for e in range(ends)), *(r // a for r in range(routers))],
    )


def random_graph(seed: int, routers: int = 9, links: int = 14, ends: int = 12) -> Network:
    """Connected graph of routers with uneven hosts, uneven links, and rates of two kinds."""
    draw = np.random.default_rng(seed)
    rows: dict[tuple[int, int], tuple[int, int, int, str]] = {}
    for end in range(ends):
        at = ends + (end if end < 2 else int(draw.integers(routers)))
        rows[end, at] = (end, at, 1, "endpoint-router")
    pairs = [(int(draw.integers(r)), r) for r in range(1, routers)]
    while len(pairs) < links:
        one, two = sorted(int(x) for x in draw.choice(routers, 2, replace=False))
        pairs.append((one, two))
    for one, two in pairs:
        bundle = "router-router.fast" if draw.random() < 0.4 else "router-router.slow"
        rows[ends + one, ends + two] = (ends + one, ends + two, int(draw.integers(1, 4)), bundle)
    rates = {"endpoint-router": 900.0, "router-router.fast": 120.0, "router-router.slow": 75.0}
    return network({"endpoint": ends, "router": routers}, rates, rows.values())


def all_to_all_by_lp(net: Network, *, relays: bool = False, pairs: np.ndarray | None = None) -> float:
    """Largest T by the linear program of all flows by source, on every box and link; no abridgement at all.

    ``pairs`` (endpoints, endpoints) replaces the even traffic by another one.
    """
    ends, boxes = net.endpoints, net.boxes
    tail, head = np.concatenate([net.lower, net.upper]), np.concatenate([net.upper, net.lower])
    arcs = len(tail)
    demand = (np.ones((ends, ends)) - np.eye(ends)) / (ends - 1) if pairs is None else pairs
    rows, columns, values = [], [], []
    barred = []
    for source in range(ends):
        begin = source * arcs
        place = np.arange(arcs)
        for nodes, sign in ((tail, 1.0), (head, -1.0)):
            rows.append(source * boxes + nodes)
            columns.append(begin + place)
            values.append(np.full(arcs, sign))
        net_out = np.zeros(boxes)
        net_out[:ends] -= demand[source]
        net_out[source] += demand[source].sum()
        rows.append(source * boxes + np.arange(boxes))
        columns.append(np.full(boxes, ends * arcs))
        values.append(-net_out)
        if not relays:
            barred.append(begin + np.flatnonzero((tail < ends) & (tail != source)))
    shape = (ends * boxes, ends * arcs + 1)
    equal = coo_array((np.concatenate(values), (np.concatenate(rows), np.concatenate(columns))), shape=shape).tocsr()
    limit = coo_array(
        (np.ones(ends * arcs), (np.tile(np.arange(arcs), ends), np.arange(ends * arcs))), shape=(arcs, ends * arcs + 1)
    ).tocsr()
    upper = np.full(ends * arcs + 1, np.inf)
    if barred:
        upper[np.concatenate(barred)] = 0.0
    cost = np.zeros(ends * arcs + 1)
    cost[-1] = -1.0
    found = linprog(
        cost,
        A_ub=limit,
        b_ub=np.tile(net.rates(), 2),
        A_eq=equal,
        b_eq=np.zeros(shape[0]),
        bounds=np.stack([np.zeros(len(upper)), upper], 1),
        method="highs",
    )
    assert found.status == 0, found.message
    return float(found.x[-1])
