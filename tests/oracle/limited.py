"""Random questions with the further limits and with plans that ask for a quick fabric (sections 6.1 and 10).

Every limit is set where the best design without it already breaks it, or just keeps it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

from designer.instance.schema import Instance
from oracle.change import with_instance, without_limits
from oracle.count import units_of
from oracle.draw import Draw
from oracle.enumerate import Found, peaks, search
from oracle.generate import RandomCase, random_case
from oracle.latency import path_us
from oracle.money import EVERYONE, HOURS_PER_YEAR, vendor_name
from oracle.outage import worst_share
from oracle.parts import Accelerator, Parts, Point, exact
from oracle.task import task_of

VENDORS = ("acme", "bolt")
KINDS = ("stock", "vendor", "availability", "single failure")
ALLOWANCES = (0, 2, 4, 8, 16)


@dataclass(frozen=True)
class LimitedCase:
    """A question, the same without its further limits and allowances (``free``), and what was limited."""

    case: RandomCase
    free: RandomCase
    kinds: tuple[str, ...]


def limited_case(seed: int) -> LimitedCase:
    """Draw the question of a seed; a question without any design even when unlimited is drawn again."""
    draw = Draw(1_000_003 * seed + 17)
    while True:
        case = random_case(draw.whole(10_000, 99_999))
        case = replace(case, seed=seed) if draw.chance(0.2) else without_limits(replace(case, seed=seed))
        case = with_two_vendors(with_latencies(case, draw), draw)
        loose = with_more_plans(case, draw)
        quick = draw.chance(0.6)
        parts = with_allowances(loose.parts, draw) if quick else loose.parts
        free = search(parts, loose.instance)
        if free is None:
            continue
        kinds = _kinds(draw, parts, loose.instance)
        asked = replace(loose, parts=parts)
        for kind in kinds:
            asked = with_further_limit(asked, free, kind, draw)
        return LimitedCase(asked, loose, (*kinds, "latency") if quick else kinds)


def quick_case(seed: int) -> LimitedCase:
    """Draw a question whose best plan, but for latency, is just allowed by the path of its design, or just not."""
    draw = Draw(1_000_003 * seed + 29)
    while True:
        case = with_latencies(without_limits(replace(random_case(draw.whole(10_000, 99_999)), seed=seed)), draw)
        if sum(point.replica > point.size for point in case.parts.points) > 6:
            continue
        free, task = search(case.parts, case.instance), task_of(case.parts, case.instance)
        placed = [] if free is None else [(plan, item) for plan in free.plans for item in plan.items]
        crossing = [(plan, i) for plan, i in placed if i.base.point.replica > i.base.point.size]
        if free is None or not crossing:
            continue
        plan, item = draw.one(crossing)
        spare = path_us(task, plan.shape, plan.cabling, item) - task.reference_us
        if spare <= 0:
            continue
        tight = spare if draw.chance(0.3) else spare - Fraction(1, 1000)
        points = []
        for point in case.parts.points:
            if point is item.base.point:
                less = Fraction(f"{float(point.tokens * draw.figure(0.5, 0.98)):.3g}")
                points.append(replace(point, allowance=tight))
                points.append(replace(point, tokens=less, allowance=Fraction(draw.one(ALLOWANCES)), serial=2))
            else:
                drawn = Fraction(draw.one(ALLOWANCES)) if point.replica > point.size else None
                points.append(replace(point, allowance=drawn))
        return LimitedCase(replace(case, parts=replace(case.parts, points=tuple(points))), case, ("latency",))


def _kinds(draw: Draw, parts: Parts, instance: Instance) -> tuple[str, ...]:
    kinds: Sequence[str] = (
        KINDS if len(peaks(instance)) > 1 or draw.chance(0.2) else [k for k in KINDS if k != "vendor"]
    )
    if len(peaks(instance)) > 1 and draw.chance(0.4):
        return ("vendor",)
    return tuple(draw.some(kinds, 1, 2 if draw.chance(0.25) else 1))


def with_latencies(case: RandomCase, draw: Draw) -> RandomCase:
    """Give switches and link ends latencies of which many make a path too slow for some plans."""
    parts = case.parts
    return replace(
        case,
        parts=replace(
            parts,
            switches=tuple(replace(w, latency=draw.figure(100, 4000, 2)) for w in parts.switches),
            links=tuple(replace(x, latency=draw.figure(2, 600, 2)) for x in parts.links),
        ),
    )


def with_two_vendors(case: RandomCase, draw: Draw) -> RandomCase:
    """Spread the accelerators over two vendors; the only one gets a dearer twin with the same plans."""
    parts = case.parts
    chips = [replace(a, vendor=VENDORS[number % 2]) for number, a in enumerate(parts.accelerators)]
    points = list(parts.points)
    instance = case.instance
    if len(chips) == 1:
        chips.append(_twin(chips[0], draw))
        points += [replace(point, accelerator=chips[1].id) for point in parts.points]
        listed = [name for name in ("beyond_announced", "rearranged") if getattr(instance.choose, name)]
        case = with_instance(case, "choose", **dict.fromkeys(listed, (chips[0].id, chips[1].id)))
        case = with_instance(case, "pin", accelerator=None)
    return replace(case, parts=replace(parts, accelerators=tuple(chips), points=tuple(points)))


def _twin(a: Accelerator, draw: Draw) -> Accelerator:
    price = None if a.price is None else Fraction(math.ceil(a.price * draw.figure(1.01, 1.3)))
    return replace(a, id=f"{a.id}-twin", vendor=VENDORS[1], price=price)


def with_more_plans(case: RandomCase, draw: Draw) -> RandomCase:
    """Add plans of the same replicas that yield less: without the further limits nobody would take them."""
    points = list(case.parts.points)
    for point in case.parts.points:
        if draw.chance(0.5):
            less = Fraction(f"{float(point.tokens * draw.figure(0.4, 0.95)):.3g}")
            points.append(replace(point, tokens=less, serial=2))
    return replace(case, parts=replace(case.parts, points=tuple(points)))


def with_allowances(parts: Parts, draw: Draw) -> Parts:
    """Crossing plans hold behind a fabric up to some latency; behind a slower one they yield less."""
    points: list[Point] = []
    for point in parts.points:
        if point.replica <= point.size:
            points.append(point)
            continue
        share = Fraction(1)
        for number, allowance in enumerate(sorted(draw.some(ALLOWANCES, 1, 3))):
            tokens = Fraction(f"{float(point.tokens * share):.3g}")
            serial = 10 * point.serial + number
            points.append(replace(point, tokens=tokens, allowance=Fraction(allowance), serial=serial))
            share *= draw.figure(0.7, 0.98, 2)
    return replace(parts, points=tuple(points))


def with_further_limit(case: RandomCase, found: Found, kind: str, draw: Draw) -> RandomCase:
    """Limit what a design takes: to one unit below, a little below, or exactly that."""
    exactly = draw.chance(0.15)
    if kind == "stock":
        used = {part: number for part, number in used_by(case, found).items() if number}
        part = draw.one(sorted(used))
        units = 0 if draw.chance(0.1) else used[part] - (0 if exactly else draw.one((1, 1, 1, 2)))
        stock = {**case.instance.stock, part: max(0, units)}
        return replace(case, instance=case.instance.model_copy(update={"stock": stock}))
    if kind == "vendor":
        units_by = found.priced.sums.units
        shares = {v: Fraction(units_by[vendor_name(v)], units_by[EVERYONE]) for v in VENDORS}
        vendor = max(shares, key=lambda v: (shares[v], v)) if draw.chance(0.8) else draw.one(VENDORS)
        return with_instance(case, "choose", max_vendor_share={vendor: _share(shares[vendor], exactly, draw)})
    if kind == "availability":
        sums = found.priced.sums
        lost = sums.hours / (HOURS_PER_YEAR * sums.units[EVERYONE])
        lost *= 1 if exactly else draw.one((Fraction(999, 1000), Fraction(97, 100), Fraction(9, 10)))
        least = math.ceil((1 - lost) * 10**7) - (1 if exactly else 0)
        return with_instance(case, "risk", min_availability=float(Fraction(least, 10**7)))
    worst = max(worst_share(plan.shape, item) for plan in found.plans for item in plan.items)
    return with_instance(case, "risk", max_single_failure_share=_share(worst, exactly, draw))


def used_by(case: RandomCase, found: Found) -> dict[str, int]:
    """Units that a design buys of every part."""
    return dict(units_of(task_of(case.parts, case.instance), found.plans))


def _share(taken: Fraction, exactly: bool, draw: Draw) -> float:
    """A share of four decimals: just what is taken (rounded up), just less, or clearly less."""
    ten_thousandths = math.ceil(taken * 10_000)
    if not exactly:
        ten_thousandths = draw.one((ten_thousandths - 1, ten_thousandths - 1, math.ceil(ten_thousandths * 0.7)))
    return float(Fraction(max(0, ten_thousandths), 10_000))


def looser(limited: LimitedCase, kind: str) -> RandomCase:
    """The same question with one of its limits loosened: twice the stock, half of what else is missing to the whole."""
    instance = limited.case.instance
    changes: dict[str, Any] = {}
    if kind == "stock":
        stock = {part: 2 * units + 1 for part, units in instance.stock.items()}
        return replace(limited.case, instance=instance.model_copy(update={"stock": stock}))
    if kind == "vendor":
        shares = instance.choose.max_vendor_share
        changes["max_vendor_share"] = {v: _halfway(share) for v, share in shares.items()}
        return with_instance(limited.case, "choose", **changes)
    if kind == "availability":
        assert instance.risk.min_availability is not None
        return with_instance(
            limited.case, "risk", min_availability=float(exact(instance.risk.min_availability) * Fraction(999, 1000))
        )
    assert instance.risk.max_single_failure_share is not None
    return with_instance(
        limited.case, "risk", max_single_failure_share=_halfway(instance.risk.max_single_failure_share)
    )


def _halfway(share: float) -> float:
    return float((1 + exact(share)) / 2)
