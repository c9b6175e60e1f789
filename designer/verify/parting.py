"""Which pools share a scale-out fabric: the parting of the workloads among the fabrics (section 7)."""

from __future__ import annotations

from collections.abc import Mapping

from designer.design.types import Design
from designer.instance.schema import Instance
from designer.verify.demand import Asked
from designer.verify.findings import Findings, UncountableError

MOST_IN_ANY_WAY = 4
"""Workloads that may be parted in any way; more of them all share one fabric or have one each."""


def place_of(design: Design, number: int) -> str:
    """Name a fabric as findings do; its number is told where the design has several."""
    return "scale-out fabric" if len(design.fabrics) == 1 else f"scale-out fabrics[{number}]"


def check_parting(found: Findings, design: Design, asked: Mapping[str, Asked], instance: Instance) -> None:
    """Check that the fabrics part the workloads as the rules allow; raise `UncountableError` where they hold no pool.

    Whose pool it is says the instance, not the design.
    """
    fabrics = len(design.fabrics)
    there = [
        found.holds(
            "fabric_number",
            f"pool {pool.name}",
            pool.fabric in range(fabrics),
            pool.fabric,
            f"0 to {fabrics - 1}",
            "the fabric of a pool is one of the design's",
        )
        for pool in design.pools
    ]
    used = list(dict.fromkeys(pool.fabric for pool in design.pools))
    for number in range(fabrics):
        message = "every fabric has pools"
        there.append(
            found.holds("fabric_empty", place_of(design, number), number in used, "no pool", "a pool", message)
        )
    if not all(there):
        raise UncountableError("fabrics")
    found.equal("fabric_order", "design", used, sorted(used), "fabrics are numbered in the order of their first pools")
    on: dict[str, list[int]] = {}
    for pool in design.pools:
        numbers = on.setdefault(asked[pool.name].owner, [])
        if pool.fabric not in numbers:
            numbers.append(pool.fabric)
    for workload, numbers in on.items():
        apart = ", ".join(f"fabrics[{number}]" for number in numbers)
        message = "the pools of a workload share a fabric"
        found.holds("fabric_workload", f"workload {workload}", len(numbers) == 1, apart, "one of them", message)
    if not instance.choose.private_fabrics:
        found.equal("private_fabrics", "design", fabrics, 1, "the instance lets no workload have a fabric apart")
    elif len(on) > MOST_IN_ANY_WAY:
        message = f"{len(on)} workloads share one fabric or have one each"
        found.holds("fabric_parting", "design", fabrics in (1, len(on)), fabrics, f"1 or {len(on)}", message)
