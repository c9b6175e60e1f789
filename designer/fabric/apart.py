"""A design with several scale-out fabrics taken apart: one design for each fabric and the pools on it.

Nothing crosses from one fabric to another (``docs/rules.md`` section 7), so each is drawn, counted and loaded by
itself. Boxes of the first fabric have the names that those of an only fabric have.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction

from designer.design.types import Design, PoolDesign
from designer.fabric.flow_report import Violation


def fabrics_apart(design: Design) -> tuple[Design, ...]:
    """Return a design for every fabric, in their order, with its pools alone."""
    parts = []
    for number, fabric in enumerate(design.fabrics):
        pools = tuple(replace(pool, fabric=0) for pool in design.pools_on(number))
        parts.append(replace(design, pools=pools, fabric=fabric, more_fabrics=()))
    return tuple(parts)


def prefixed(number: int, what: str) -> str:
    """Name what stands in a fabric.

    Examples
    --------
    >>> prefixed(0, "leaf4"), prefixed(1, "leaf4"), prefixed(1, "")
    ('leaf4', 'fabric1/leaf4', 'fabric1')
    """
    return "/".join(word for word in (f"fabric{number}" if number else "", what) if word)


def nowhere(design: Design) -> Iterator[Violation]:
    """Name pools that are on none of the fabrics."""
    count = len(design.fabrics)
    for pool in design.pools:
        if pool.fabric not in range(count):
            message = f"it is on fabric {pool.fabric}, the design has fabrics 0 to {count - 1}"
            yield Violation("no_such_fabric", f"pool {pool.name}", message)


def cut_workloads(design: Design) -> Iterator[Violation]:
    """Name workloads whose pools cannot hand each other their KV caches."""
    on: dict[str, set[int]] = {}
    for pool in design.pools:
        on.setdefault(pool.workload, set()).add(pool.fabric)
    for workload, numbers in on.items():
        if len(numbers) > 1:
            message = f"its pools are on fabrics {', '.join(map(str, sorted(numbers)))}, and nothing joins these"
            yield Violation("workload_apart", f"workload {workload}", message)


def cut_shares(design: Design) -> Iterator[Violation]:
    """Name pools whose parts do not serve the whole of them (``docs/rules.md`` section 6.4)."""
    parts: dict[tuple[str, str], list[PoolDesign]] = {}
    for pool in design.pools:
        parts.setdefault((pool.workload, pool.pool), []).append(pool)
    for (_, name), own in parts.items():
        shares = [f"{pool.share[0]}/{pool.share[1]}" for pool in own]
        if any(pool.share[1] < 1 or not 1 <= pool.share[0] <= pool.share[1] for pool in own):
            yield Violation("shares", f"pool {name}", f"its parts serve {', '.join(shares)}, not shares of it")
        elif (total := sum((Fraction(*pool.share) for pool in own), Fraction(0))) != 1:
            yield Violation("shares", f"pool {name}", f"its parts serve {' + '.join(shares)} = {total} of it")
