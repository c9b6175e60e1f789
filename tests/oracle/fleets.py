"""Random questions with fleets, accelerators that stand alone, and pins (sections 1 and 6.2).

Pins are mostly those of a design that is best in something else than the cost: then they forbid the cheapest.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

from designer.instance.schema import Instance
from oracle.breadth import breadth
from oracle.draw import Draw
from oracle.enumerate import Found, best
from oracle.generate import RandomCase, random_question
from oracle.parts import Accelerator, Parts, Point

# Wider questions take seconds to enumerate.
WIDEST = 15_000
PINS = (
    "nic",
    "rails",
    "planes",
    "scale_up_planes",
    "scale_up_links",
    "nic_leaf_links",
    "leaf_spine_links",
    "spine_core_links",
    "taper",
)


@dataclass(frozen=True)
class FleetCase:
    """A question with fleets, and which of `PINS` it sets."""

    case: RandomCase
    pins: tuple[str, ...]


def fleet_case(seed: int, *, pinned: bool) -> FleetCase:
    """Draw the question of a seed; one that has no design without pins is drawn again."""
    draw = Draw(1_000_003 * seed + (71 if pinned else 53))
    while True:
        case = replace(random_question(draw.whole(10_000, 99_999)), seed=seed)
        if draw.chance(0.4):
            case = replace(case, parts=with_one_alone(draw, case.parts, case.instance))
        case = with_fleets(draw, case)
        if breadth(case.parts, case.instance, WIDEST) >= WIDEST:
            continue
        if not pinned:
            if best(case.parts, case.instance) is not None:
                return FleetCase(case, ())
            continue
        other = best(case.parts, case.instance, (draw.one(("power", "hard_repairs", "job_hits", "capex")),))
        if other is not None:
            pins = random_pins(draw, other, case.parts)
            if pins:
                data = case.instance.model_dump()
                data["pin"] = {**data["pin"], **pins}
                return FleetCase(replace(case, instance=Instance.model_validate(data)), tuple(pins))


def with_fleets(draw: Draw, case: RandomCase) -> RandomCase:
    """Add a fleet to the first workload, or put one or two in the place of all."""
    data = case.instance.model_dump()
    works = data["workloads"][:1] if draw.chance(0.4) else ()
    pools = {work["name"] for work in works} | {f"{work['name']}.{p}" for work in works for p in ("prefill", "decode")}
    data["workloads"] = works
    data["fleets"] = tuple(_fleet(draw, number) for number in range(1 if works else draw.one((1, 1, 2))))
    sizes = sorted({point.size for point in case.parts.points})
    data["choose"]["domain_sizes"] = tuple(draw.some(sizes, 2, 3)) if not works else tuple(sizes)
    if any(a.vendor_size == 1 for a in case.parts.accelerators):
        data["choose"]["domain_sizes"] = tuple({1, *data["choose"]["domain_sizes"]})
    data["pin"] = dict.fromkeys(data["pin"])
    if not works:
        data["measured_points"] = None
    points = tuple(point for point in case.parts.points if point.pool in pools)
    return replace(case, parts=replace(case.parts, points=points), instance=Instance.model_validate(data))


def _fleet(draw: Draw, number: int) -> dict[str, Any]:
    asked = draw.whole(1, 30)
    return {
        "name": f"fleet{number}",
        "accelerators": asked,
        "job_accelerators": min(asked, draw.one((1, 1, 2, 3, 4, 8, 12, 16))),
        "scale_up_gbps": float(draw.one((0, 0, 100, 200, 400, 650))),
        "scale_out_gbps": float(draw.one((0, Fraction(25, 2), 50, 100, 200, 350))),
    }


def with_one_alone(draw: Draw, parts: Parts, instance: Instance) -> Parts:
    """Put an accelerator that stands alone in the place of one, with plans of its own."""
    was = draw.one(parts.accelerators)
    alone = replace(
        was,
        host=1,
        ports=0,
        max_domain=1,
        sealed=True,
        vendor_size=1,
        vendor_switch=None,
        vendor_planes=None,
        vendor_link=None,
        direct="mesh",
        sides=(),
        larger=False,
        rack_share=False,
        price_contains=tuple(part for part in was.price_contains if part == "host"),
        power_contains=(),
    )
    rest = [point for point in parts.points if point.accelerator != was.id]
    own = {point.pool: point for point in parts.points}
    none, some = Fraction(0), Fraction(50)
    points = tuple(Point(pool, was.id, 1, 1, point.tokens, none, none, some) for pool, point in own.items())
    accelerators: tuple[Accelerator, ...] = tuple(alone if a is was else a for a in parts.accelerators)
    return replace(parts, accelerators=accelerators, points=(*rest, *points))


def random_pins(draw: Draw, found: Found, parts: Parts) -> dict[str, Any]:
    """Pin two to four choices that a design makes, now and then another one."""
    plan, item = found.plans[0], draw.one(found.items)
    shape, base = plan.shape, item.base

    def links(pair: Any) -> str:
        return draw.one((pair.lower.id, pair.upper.id, f"{pair.lower.id}/{pair.upper.id}"))

    able: dict[str, Any] = {"nic": base.nic.id, "rails": shape.copies.rails, "planes": shape.copies.planes}
    able["nic_leaf_links"] = links(item.pair)
    if base.lower is not None:
        able |= {"scale_up_planes": base.wiring.planes, "scale_up_links": links(base.lower.pair)}
    if shape.stages > 1:
        one = draw.one(plan.items)
        able["taper"] = f"{one.down_ports * one.rate}:{shape.up * shape.rate}"
        able["leaf_spine_links"] = links(plan.cabling.pairs[0])
    if shape.stages > 2:
        able["spine_core_links"] = links(plan.cabling.pairs[1])
    pins = {name: able[name] for name in draw.some(sorted(able), 2, 4)}
    if "nic_leaf_links" in pins and draw.chance(0.15):
        pins["nic_leaf_links"] = draw.one([link.id for link in parts.links])
    if "taper" in pins and draw.chance(0.25):
        pins["taper"] = draw.one((1.0, 1.5, 2.0, 0.5))
    return pins
