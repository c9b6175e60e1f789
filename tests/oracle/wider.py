"""Random questions with spares, mixed parts, four stages and leaves joined directly (sections 3.1, 6.3, 6.4, 7.1).

Each kind has draws of its own, so that the questions of `oracle.generate` stay what they are.
"""

from __future__ import annotations

import math
from dataclasses import replace
from fractions import Fraction
from typing import Any

from designer.instance.schema import Instance
from oracle.breadth import breadth
from oracle.change import with_instance
from oracle.draw import Draw
from oracle.enumerate import Found, best, search
from oracle.fleets import with_fleets
from oracle.generate import RandomCase, random_limits, random_question
from oracle.layers import boundaries
from oracle.limited import used_by, with_latencies, with_two_vendors
from oracle.outage import worst_share

KINDS = ("spares", "mixed", "tall", "flat", "striped")
# Wider questions take long to enumerate.
WIDEST = {"spares": 20_000, "mixed": 6_000, "tall": 8_000, "flat": 20_000, "striped": 20_000}
SALTS = {"spares": 83, "mixed": 97, "tall": 101, "flat": 113, "striped": 127}


def wider_case(kind: str, seed: int) -> RandomCase:
    """Draw the question of a seed of one of `KINDS`; one without any design is mostly drawn again."""
    draw = Draw(1_000_003 * seed + SALTS[kind])
    build = {"spares": _spares, "mixed": _mixed, "tall": _tall, "flat": _flat, "striped": _striped}[kind]
    while True:
        case = build(draw, replace(random_question(draw.whole(10_000, 99_999)), seed=seed))
        if not 0 < breadth(case.parts, case.instance, WIDEST[kind]) < WIDEST[kind]:
            continue
        found = search(case.parts, case.instance)
        if found is None:
            if draw.chance(0.03):
                return case
            continue
        if kind == "mixed":
            scarce = _scarce_enough(draw, case, found)
            if scarce is not None:
                return scarce
            continue
        if kind == "striped" and not any(plan.shape.missing for plan in found.plans) and draw.chance(0.8):
            continue
        limited = _limited(draw, case, found, kind)
        if kind != "spares" or draw.chance(0.15) or search(limited.parts, limited.instance) is not None:
            return limited


def _chosen(case: RandomCase, **values: Any) -> RandomCase:
    return with_instance(case, "choose", **values)


def _swaps(draw: Draw, case: RandomCase) -> RandomCase:
    """Now and then a co-packaged box costs its owner something else than other parts when it is swapped."""
    return with_instance(case, "money", box_swap_part_share=draw.one((0.0, 0.3, 1.0))) if draw.chance(0.5) else case


def _spares(draw: Draw, case: RandomCase) -> RandomCase:
    planes = draw.one(((0,), (0, 1), (1,), (0, 1, 2)))
    domains = draw.one(((0, 1), (1,), (0, 1, 2), (0, 2))) if planes == (0,) or draw.chance(0.6) else (0,)
    case = with_fleets(draw, case) if draw.chance(0.25) else _fewer(draw, case)
    return _swaps(draw, _chosen(case, spare_planes=planes, spare_domains=domains))


def _fewer(draw: Draw, case: RandomCase) -> RandomCase:
    """At most two plans for each pool and accelerator, but one at least: spares multiply the ways to build a pool."""
    points = []
    for key in dict.fromkeys((point.pool, point.accelerator) for point in case.parts.points):
        own = [point for point in case.parts.points if (point.pool, point.accelerator) == key]
        points += draw.some(own, 1, min(2, len(own)))
    return replace(case, parts=replace(case.parts, points=tuple(points)))


def _mixed(draw: Draw, case: RandomCase) -> RandomCase:
    if len(case.parts.accelerators) > 2 or len(case.instance.workloads) > 1:
        case = _one_workload(case)
    case = with_two_vendors(with_fleets(draw, case) if draw.chance(0.2) else case, draw)
    return _chosen(case, mixed_parts=draw.one((2, 2, 3)), mixed_steps=draw.one((2, 3, 4)))


def _one_workload(case: RandomCase) -> RandomCase:
    data = case.instance.model_dump()
    data["workloads"] = data["workloads"][:1]
    name = data["workloads"][0]["name"]
    points = tuple(p for p in case.parts.points if p.pool.partition(".")[0] == name)
    return replace(case, parts=replace(case.parts, points=points), instance=Instance.model_validate(data))


def _small(draw: Draw, case: RandomCase, radices: tuple[int, ...], types: int) -> RandomCase:
    """Give few types of scale-out switches few ports, all of one family and mostly of one lane rate."""
    out = [w for w in case.parts.switches if w.role == "scale_out"][:types]
    small = []
    for number, switch in enumerate(out):
        ports = draw.one(radices)
        rates = [(rate, ports) for rate, _ in switch.radix]
        radix = tuple(rates[:1] if draw.chance(0.5) else rates)
        small.append(replace(switch, radix=radix, protocol=out[0].protocol, outage=switch.outage or Fraction(1, 9)))
        if number and draw.chance(0.6):
            small[-1] = replace(small[-1], lane_gbps=small[0].lane_gbps)
    rest = [w for w in case.parts.switches if w.role == "scale_up"]
    sizes = {"pin": dict.fromkeys(case.instance.model_dump()["pin"])}
    data = case.instance.model_dump() | sizes
    data["choose"]["scale_out_switches"] = None
    data["choose"]["max_taper"] = draw.one((1.0, 2.0, 3.0))
    parts = replace(case.parts, switches=(*rest, *small))
    return replace(case, parts=parts, instance=Instance.model_validate(data))


def _tall(draw: Draw, case: RandomCase) -> RandomCase:
    case = _small(draw, _one_workload(with_latencies(case, draw)), (4, 4, 5, 6), 2)
    case = _chosen(
        case,
        scale_out_stages=draw.one(((4,), (4,), (3, 4), (2, 4))),
        min_spines=draw.one((1, 1, 2)),
        spine_tapers=draw.one(((1.0,), (1.0, 3.0))),
        core_tapers=draw.one(((1.0,), (1.0, 3.0), (1.0, 2.0))),
    )
    return _with_lengths(draw, case, ("core_top_m", "spine_core_m"))


def _striped(draw: Draw, case: RandomCase) -> RandomCase:
    """Odd numbers of ports, so that what a leaf needs is seldom a multiple of what spines or cores give."""
    if draw.chance(0.7):
        case = _one_workload(case)
    case = _small(draw, case, (5, 7, 9, 11, 14), 2)
    return _chosen(
        case,
        scale_out_stages=draw.one(((2,), (2,), (2, 3), (3,))),
        min_spines=draw.one((1, 2, 3)),
        spine_tapers=draw.one(((1.0,), (1.0, 1.5), (2.0,))),
        max_taper=draw.one((1.0, 1.0, 1.5, 3.0)),
    )


def _flat(draw: Draw, case: RandomCase) -> RandomCase:
    if draw.chance(0.6):
        case = _one_workload(case)
    case = _small(draw, with_latencies(case, draw), (4, 6, 8, 12), 2)
    shapes = draw.one(
        (
            ("mesh",),
            ("hyperx",),
            ("dragonfly",),
            ("mesh", "hyperx", "dragonfly"),
            ("tree", "mesh"),
            ("tree", "mesh", "hyperx", "dragonfly"),
        )
    )
    case = _chosen(case, scale_out_shapes=shapes, scale_out_stages=(2,), max_taper=draw.one((1.0, 2.0, 7.0)))
    return _with_lengths(draw, case, ("leaf_leaf_m", "group_group_m"))


def _with_lengths(draw: Draw, case: RandomCase, names: tuple[str, ...]) -> RandomCase:
    lengths = case.instance.model_dump()["site"]["lengths"] or {}
    for name in names:
        if draw.chance(0.4):
            lengths[name] = float(draw.figure(2, 60, 2))
    return with_instance(case, "site", lengths=lengths)


def _limited(draw: Draw, case: RandomCase, found: Found, kind: str) -> RandomCase:
    """Limit what the best design takes, where the kind is about limits; else now and then anything."""
    if kind == "spares":
        if draw.chance(0.7):
            return with_instance(case, "risk", min_pool_availability=_availability(draw, case))
        worst = max(worst_share(plan.shape, item) for plan in found.plans for item in plan.items)
        share = math.ceil(worst * 10_000) - draw.one((0, 1))
        return with_instance(case, "risk", max_single_failure_share=max(0, share) / 10_000)
    if kind == "striped" and draw.chance(0.25):
        worst = max(worst_share(plan.shape, item) for plan in found.plans for item in plan.items)
        share = math.ceil(worst * 10_000) - draw.one((0, 1))
        return with_instance(case, "risk", max_single_failure_share=max(0, share) / 10_000)
    if kind == "flat" and draw.chance(0.15):
        return with_instance(case, "risk", max_single_failure_share=draw.one((1.0, 0.5, 0.34)))
    if draw.chance(0.35):
        return _pinned(draw, case)
    if draw.chance(0.25):
        return replace(case, instance=random_limits(draw, found, case.instance))
    return case


def _pinned(draw: Draw, case: RandomCase) -> RandomCase:
    """Pin what a design chooses above the leaf that is best in something else than the cost."""
    other = best(case.parts, case.instance, (draw.one(("power", "hard_repairs", "job_hits", "capex")),))
    assert other is not None
    plan = other.plans[0]
    able: dict[str, str] = {}
    for name, pair in zip(boundaries(plan.shape), plan.cabling.pairs, strict=True):
        one = draw.one((pair.lower.id, pair.upper.id, f"{pair.lower.id}/{pair.upper.id}"))
        able[f"{name}_links"] = one
    for name, box in zip(("leaf", "spine", "core", "top"), plan.shape.boxes, strict=True):
        if box is not None:
            able[f"{name}_switch"] = box.id
    return with_instance(case, "pin", **{name: able[name] for name in draw.some(sorted(able), 1, 2)})


def _availability(draw: Draw, case: RandomCase) -> float:
    """What the best design has without the limit, or a little or clearly more."""
    case = with_instance(case, "risk", min_pool_availability=0.0)
    found = search(case.parts, case.instance)
    assert found is not None
    least = min(item.base.available for item in found.items)
    down = draw.one((math.ceil((1 - least) * 10**7), math.floor((1 - least) * 10**7), math.ceil((1 - least) * 10**6)))
    return float(Fraction(max(1, 10**7 - down), 10**7)) if down else 1 - 1e-9


def _scarce_enough(draw: Draw, case: RandomCase, found: Found) -> RandomCase | None:
    """Limit something so that a mix is best; most limits leave nothing at all, and now and then one of those stays."""
    for _ in range(6):
        scarce = _scarce(draw, case, found)
        left = search(scarce.parts, scarce.instance)
        if left is not None and any(item.base.slot.of > 1 for item in left.items):
            return scarce
    return scarce if draw.chance(0.15) else None


def _scarce(draw: Draw, case: RandomCase, found: Found) -> RandomCase:
    """Less of the best accelerator than it would take, often of the second best too; or another limit."""
    item = draw.one(found.items)
    a = item.base.wiring.accelerator
    if draw.chance(0.65):
        stock = {a.id: _less(draw, used_by(case, found)[a.id])}
        none_left = case.instance.model_copy(update={"stock": {a.id: 0}})
        other = search(case.parts, none_left)
        if other is not None and draw.chance(0.7):
            second = draw.one(other.items).base.wiring.accelerator
            stock[second.id] = _less(draw, used_by(case, other)[second.id])
        return replace(case, instance=case.instance.model_copy(update={"stock": stock}))
    if draw.chance(0.5):
        return _chosen(case, max_vendor_share={a.vendor: draw.one((0.8, 0.7, 0.5))})
    if draw.chance(0.5):
        worst = max(worst_share(plan.shape, one) for plan in found.plans for one in plan.items)
        return with_instance(case, "risk", max_single_failure_share=math.ceil(worst * 7_000) / 10_000)
    return replace(case, instance=random_limits(draw, found, case.instance))


def _less(draw: Draw, units: int) -> int:
    return draw.one((units - 1, units * 3 // 4, units * 2 // 3, units // 2))
