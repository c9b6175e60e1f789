"""A fat tree box by box, from its shape."""

from __future__ import annotations

import numpy as np

from designer.families.fat_tree_shape import STAGES, Shape
from designer.network.graph import NOWHERE, Bundle, Ints, Kind, Network


def built(shape: Shape, port_gbps: float, per_host: int) -> Network:
    """Build one copy; with ``per_host`` above 1, endpoints of a host are on the leaves of a rail group, one on each.

    Endpoints, leaves, spines, cores, tops, and the service ports last. Boxes of a stage are numbered unit by unit.
    """
    boxes = shape.boxes()
    n, service = shape.endpoints, int(shape.service.sum())
    first = n + np.concatenate([[0], np.cumsum(boxes)])
    on = leaf_of(shape.on_leaf, per_host)
    lower = [np.arange(n)]
    upper = [first[0] + on]
    links = [np.ones(n, np.int64)]
    bundles = [Bundle("endpoint-leaf", port_gbps)]
    if service:
        lower.append(first[-1] + np.arange(service))
        upper.append(first[0] + np.repeat(np.arange(boxes[0]), shape.service))
        links.append(np.ones(service, np.int64))
        bundles.append(Bundle("service-leaf", port_gbps))
    for i, edge in enumerate(shape.boundaries):
        unit, box, above = np.ogrid[: edge.units, : edge.width, : edge.above]
        ends = np.broadcast_arrays(
            first[i] + unit * edge.width + box,
            first[i + 1] + unit // edge.fan * (edge.width * edge.above) + box * edge.above + above,
            edge.parallel()[:, None, :],
        )
        joined = ends[2].ravel() > 0
        for column, end in zip((lower, upper, links), ends, strict=True):
            column.append(end.ravel()[joined])
        bundles.append(Bundle(f"{STAGES[i]}-{STAGES[i + 1]}", edge.gbps))
    kinds = [Kind("endpoint", n), *(Kind(*pair) for pair in zip(STAGES, boxes, strict=False))]
    if service:
        kinds.append(Kind("service", service))
    return Network(
        tuple(kinds),
        tuple(bundles),
        np.concatenate(lower),
        np.concatenate(upper),
        np.concatenate(links),
        np.repeat(np.arange(len(bundles)), [len(rows) for rows in lower]),
        _blocks(shape, on, per_host, service),
    )


def leaf_of(on_leaf: Ints, per_host: int) -> Ints:
    """Give the leaf of every endpoint; in rail groups the endpoints of a host are numbered one after the other."""
    if per_host == 1:
        return np.repeat(np.arange(on_leaf.size), on_leaf)
    hosts = on_leaf[::per_host]
    group = np.repeat(np.arange(hosts.size), hosts)
    return np.asarray((group[:, None] * per_host + np.arange(per_host)).ravel())


def _blocks(shape: Shape, on: Ints, per_host: int, service: int) -> Ints:
    """Pods with three stages or more, else rail groups, else leaves; what joins them stands in the network racks."""
    boxes = shape.boxes()
    podded = len(shape.boundaries) > 1 and shape.boundaries[0].fan < boxes[0]
    if not shape.boundaries:
        leaf = np.zeros(1, np.int64)
    else:
        leaf = np.arange(boxes[0]) // (shape.boundaries[0].fan if podded else per_host)
    parts = [leaf[on], leaf]
    above = boxes[1:]
    if podded:
        edge = shape.boundaries[0]
        parts.append(np.arange(above[0]) // (edge.width * edge.above))
        above = above[1:]
    parts.append(np.full(sum(above) + service, NOWHERE))
    return np.concatenate(parts)
