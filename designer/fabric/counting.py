"""How stated counts are compared with counted ones: one violation for every difference."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from designer.design.types import Boundary
from designer.fabric.flow_report import Violation
from designer.fabric.placement import Ints
from designer.fabric.wiring import BOUNDARIES, Wiring


def same(rule: str, place: str, what: str, stated: object, counted: object) -> Iterator[Violation]:
    """Compare one count."""
    if stated != counted:
        yield Violation(rule, place, f"{what}: the design states {stated}, counted {counted}")


def links_of(place: str, stated: Boundary, wiring: Wiring, bundles: Ints) -> Iterator[Violation]:
    """Compare one boundary's name, links and rate."""
    if not bundles.size:
        yield Violation("links_missing", place, f"no links at all where the design states {stated.links}")
        return
    name = BOUNDARIES[wiring.boundary[bundles[0]]]
    yield from same("boundary_name", place, "name of the boundary", stated.name, name)
    yield from same(f"links_{name}", place, "links", stated.links, int(wiring.links[bundles].sum()))
    for rate in np.unique(wiring.rate[bundles]).tolist():
        yield from same(f"rate_{name}", place, "Gb/s per link", stated.rate_gbps, rate)


def totals(wiring: Wiring, boundary: int, *, upper: bool) -> Ints:
    """Count the links of every box at one boundary, at its lower or upper side."""
    bundles = wiring.bundles(boundary)
    total = np.zeros(wiring.boxes, np.int64)
    np.add.at(total, (wiring.upper if upper else wiring.lower)[bundles], wiring.links[bundles])
    return total


def ports_of(rule: str, wiring: Wiring, boxes: Ints, has: Ints, should: Ints | int, what: str) -> Iterator[Violation]:
    """Compare the links of every box with what it should have."""
    want = np.broadcast_to(np.asarray(should, np.int64), boxes.shape)
    for place in np.flatnonzero(has[boxes] != want).tolist():
        message = f"{int(has[boxes[place]])} links {what} instead of {int(want[place])}"
        yield Violation(rule, wiring.name(int(boxes[place])), message)


def miswired(wiring: Wiring, bundles: Ints, message: str) -> Iterator[Violation]:
    """Name cables that stand where none should."""
    for bundle in bundles.tolist():
        ends = wiring.name(int(wiring.lower[bundle])), wiring.name(int(wiring.upper[bundle]))
        yield Violation("miswired", " - ".join(ends), message)
