"""Random questions: small enough to be enumerated, rich enough to have something to choose."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

from designer.instance.schema import Instance
from oracle.domain import domain_count
from oracle.draw import Draw
from oracle.enumerate import Found, first_found, peaks
from oracle.parts import Accelerator, Parts, Point
from oracle.wares import (
    Traits,
    random_accelerators,
    random_engines,
    random_facility,
    random_links,
    random_nics,
    random_switches_out,
    random_switches_up,
    random_traits,
)

LLM = "llama31_70b"
LEVELS = ("mid", "mid", "mid", "low", "high")


@dataclass(frozen=True)
class RandomCase:
    """One question in the oracle's own numbers; ``instance`` is the product's."""

    seed: int
    parts: Parts
    instance: Instance


def random_case(seed: int) -> RandomCase:
    """Draw the question of a seed; the same seed gives the same question.

    Questions without any design are mostly drawn again: one in sixteen of them stays.
    """
    draw = Draw(seed)
    while True:
        parts, instance = _draw_question(draw, seed)
        possible = first_found(parts, instance)
        if possible is None and not draw.chance(0.06):
            continue
        if possible is not None and draw.chance(0.5):
            instance = random_limits(draw, possible, instance)
        return RandomCase(seed, parts, instance)


def private_case(seed: int) -> RandomCase:
    """Draw a question of two or three workloads that may, or may not, part: the rarest kind among `random_case`."""
    draw = Draw(1_000_003 * seed + 41)
    while True:
        kinds = draw.one((("decode", "together"), ("prefill", "decode", "together"), ("decode", "disaggregated")))
        parts, instance = _draw_question(draw, seed, kinds)
        possible = first_found(parts, instance)
        if possible is None:
            continue
        if draw.chance(0.4):
            instance = random_limits(draw, possible, instance)
        return RandomCase(seed, parts, instance)


def random_question(seed: int) -> RandomCase:
    """Draw a question without limits, whether it has a design or not."""
    return RandomCase(seed, *_draw_question(Draw(seed), seed))


def _draw_question(draw: Draw, seed: int, kinds: tuple[str, ...] | None = None) -> tuple[Parts, Instance]:
    stages = draw.one(((1, 2), (1, 2), (2,), (1, 2, 3), (2, 3), (3,)))
    traits = random_traits(draw)
    engines = random_engines(draw)
    nics = random_nics(draw, traits)
    up = random_switches_up(draw, engines, traits)
    links = random_links(draw)
    accelerators = random_accelerators(draw, nics, up, links, traits)
    radices = (4, 6, 8) if 3 in stages else (6, 8, 12, 16)
    parts = Parts(
        accelerators=tuple(accelerators),
        switches=tuple(up + random_switches_out(draw, engines, radices, traits)),
        links=tuple(links + engines),
        nics=tuple(nics),
        facility=random_facility(draw),
        points=(),
    )
    workloads = random_workloads(draw, kinds)
    instance = Instance.model_validate(
        {
            "schema_version": 1,
            "name": f"case{seed}",
            "title": f"random case {seed}",
            "date": draw.one(("2026-Q4", "2026-Q4", "2026-Q4", "2027-Q2")),
            "level": draw.one(LEVELS),
            "workloads": workloads,
            "choose": random_choose(draw, parts, stages, traits) | random_parting(seed, len(workloads)),
            "site": random_site(draw),
            "money": random_money(draw),
            "risk": random_weights(draw),
            "measured_points": "points.csv",
        }
    )
    parts = replace(parts, points=random_points(draw, parts, instance, traits))
    return parts, random_pins(draw, parts, instance)


def random_parting(seed: int, workloads: int) -> dict[str, bool]:
    """Whether several workloads may part; drawn by itself, so that other questions stay what they are."""
    return {"private_fabrics": Draw(7919 * seed + 3).chance(0.75)} if workloads > 1 else {}


def random_workloads(draw: Draw, kinds: tuple[str, ...] | None = None) -> tuple[dict[str, Any], ...]:
    """One pool, two workloads, or one workload with two pools, if not of given kinds; rates are set per plan point."""
    if kinds is None:
        kinds = draw.one((("decode",), ("together",), ("prefill",), ("decode", "together"), ("disaggregated",)))
        if draw.chance(0.04):
            kinds = ("decode", "disaggregated")
    return tuple(
        {
            "name": f"work{number}",
            "llm": LLM,
            "serve": kind,
            "prompt_tokens": draw.one((500, 1000, 2000)),
            "output_tokens": draw.one((250, 500, 1000)),
            "output_tokens_per_s": float(draw.figure(200, 2000, 2)),
            "peak_factor": float(draw.figure(1, 2, 2)),
            "prefix_hit_share": draw.one((0.0, 0.25)),
        }
        for number, kind in enumerate(kinds)
    )


def random_choose(draw: Draw, parts: Parts, stages: tuple[int, ...], traits: Traits) -> dict[str, Any]:
    """What may be chosen."""
    choose: dict[str, Any] = {
        "scale_out_stages": stages,
        "min_spines": draw.one((1, 1, 2, 2, 3)),
        "max_taper": draw.one((1.0, 1.5, 2.0, 3.0, 7.0)),
        "spine_tapers": draw.one(((1.0,), (1.0, 2.0), (1.0, 3.0), (1.5,))),
        "scale_up_shares": draw.one(((1.0,), (1.0,), (1.0, 0.5), (1.0, 0.7, 0.34))),
        "include_unreleased": draw.chance(0.05),
    }
    if draw.chance(0.3):
        sizes = ((8, 12, 16), (6, 12, 16)) if traits.two_stages else ((2, 4, 6, 8), (3, 4, 6, 12), (2, 5, 8))
        if traits.direct:
            sizes = ((4, 8, 16), (6, 12, 18), (4, 8, 12, 24), sizes[0])
        choose["domain_sizes"] = draw.one(sizes)
    if draw.chance(0.5 if traits.two_stages else 0.25):
        choose["beyond_announced"] = (draw.one(parts.accelerators).id,)
    if traits.two_stages or draw.chance(0.1):
        choose["scale_up_stages"] = draw.one(((1, 2), (1, 2), (2,), (1,)))
    if traits.rails:
        choose["scale_out_rails"] = draw.one(((1, 2), (2,), (1, 2, 4), (2, 4)))
    if traits.planes:
        choose["scale_out_planes"] = draw.one(((1, 2), (2,), (1, 2, 4), (2, 4)))
    if draw.chance(0.2):
        choose["rearranged"] = (draw.one(parts.accelerators).id,)
    for name, rows in (
        ("links", [row.id for row in parts.links if not row.cpo]),
        ("nics", [row.id for row in parts.nics]),
        ("scale_out_switches", [row.id for row in parts.switches if row.role == "scale_out"]),
        ("scale_up_switches", [row.id for row in parts.switches if row.role == "scale_up"]),
    ):
        if draw.chance(0.08):
            choose[name] = tuple(draw.some(rows, max(1, len(rows) - 1), len(rows)))
    return choose


def random_site(draw: Draw) -> dict[str, Any]:
    """Overrides of the site's figures and lengths."""
    site: dict[str, Any] = {}
    if draw.chance(0.3):
        site["pue"] = float(draw.figure(1.05, 1.6))
    if draw.chance(0.2):
        site["electricity_usd_per_kwh"] = float(draw.figure(0.03, 0.2, 2))
    if draw.chance(0.1):
        site["utilisation"] = float(draw.figure(0.3, 1, 2))
    if draw.chance(0.1):
        site["facility_capex_usd_per_w"] = float(draw.figure(4, 20, 2))
    if draw.chance(0.3):
        site["front_end_usd_per_accelerator"] = float(draw.figure(20, 900, 2))
    if draw.chance(0.3):
        site["front_end_w_per_accelerator"] = float(draw.figure(2, 90, 2))
    lengths: dict[str, float] = {}
    for name, low, high in (
        ("scale_up_m", 0.5, 6.0),
        ("scale_up_upper_m", 0.5, 20.0),
        ("nic_leaf_m", 1.0, 30.0),
        ("leaf_spine_m", 2.0, 60.0),
        ("spine_core_m", 2.0, 100.0),
        ("hall_m", 15.0, 60.0),
        ("adjacent_rack_m", 2.0, 3.5),
    ):
        if draw.chance(0.12):
            lengths[name] = float(draw.figure(low, high, 2))
    if lengths:
        site["lengths"] = lengths
    return site


def random_money(draw: Draw) -> dict[str, Any]:
    """Own cost of capital, lives and share of replaced parts."""
    money: dict[str, Any] = {"replacement_part_share": draw.one((1.0, 1.0, 0.5, 0.0))}
    if draw.chance(0.2):
        money["wacc"] = float(draw.figure(0.04, 0.2, 2))
    if draw.chance(0.1):
        money["it_years"] = draw.whole(2, 7)
    if draw.chance(0.1):
        money["building_years"] = draw.whole(8, 25)
    return money


def random_weights(draw: Draw) -> dict[str, float]:
    """Extra money per risk, sometimes so much that it decides."""
    weights: dict[str, float] = {}
    for name, low, high in (
        ("usd_per_hard_repair", 50, 2000),
        ("usd_per_job_hit", 50, 2000),
        ("usd_per_accelerator_hour_lost", 5, 200),
    ):
        if draw.chance(0.25):
            weights[name] = float(draw.figure(low, high, 2))
    return weights


def random_points(draw: Draw, parts: Parts, instance: Instance, traits: Traits) -> tuple[Point, ...]:
    """Measured points: every accelerator has some in every pool, so that the token model stays out."""
    # Sizes beyond the standard list exist where the radix of some switch just takes them.
    sizes = instance.choose.domain_sizes or draw.one(((2, 4, 8), (2, 4, 8), (2, 3, 4, 5, 6, 8, 10, 12)))
    if traits.two_stages and instance.choose.domain_sizes is None:
        sizes = (8, 12, 16)
    found: dict[tuple[str, str, int, int], Point] = {}
    for pool, peak in peaks(instance):
        domains = draw.whole(1, 9)
        for a in parts.accelerators:
            fitting = _sizes_for(a, sizes, instance) or list(sizes)
            per_chip = peak / (domains * draw.one(fitting)) * draw.figure(0.8, 1.3)
            for _ in range(draw.whole(1, 3)):
                point = _point(draw, pool, a, draw.one(fitting), per_chip, traits)
                key = (pool, a.id, point.size, point.replica)
                # A point that would need a great fleet makes the case too large to enumerate.
                if domain_count(point, peak)[1] * point.size <= 64:
                    found.setdefault(key, point)
            if not any(key[:2] == (pool, a.id) for key in found):
                point = replace(_point(draw, pool, a, fitting[0], peak, traits), replica=1, tokens=Fraction(10**6))
                found[(pool, a.id, point.size, 1)] = point
    return tuple(found.values())


def _sizes_for(a: Accelerator, sizes: tuple[int, ...], instance: Instance) -> list[int]:
    beyond = a.id in instance.choose.beyond_announced
    able = [size for size in sizes if size % a.host == 0 and (size <= a.max_domain or beyond)]
    if a.direct is not None and a.vendor_size is not None:
        own = [times * a.vendor_size for times in (2, 2, 3, 4, 1)] if a.larger else [a.vendor_size]
        own = [size for size in own if size <= a.max_domain]
        return own if a.sealed else own + able
    return [size for size in able if size == a.vendor_size] if a.sealed or a.one_size else able


def _point(draw: Draw, pool: str, a: Accelerator, size: int, per_chip: Fraction, traits: Traits) -> Point:
    multiples = (size, size, size, 2 * size, 3 * size, 4 * size, 6 * size)
    replica = draw.one((1, 2, *multiples, max(1, size // 2), size + 1))
    # Room for what is forwarded to other rails, and what a torus has of its ports.
    most = a.ports * a.port_gbps // (4 if a.direct is not None else 2 if traits.rails else 1)
    return Point(
        pool=pool,
        accelerator=a.id,
        size=size,
        replica=replica,
        tokens=Fraction(f"{float(per_chip * draw.figure(0.7, 1.4)):.3g}"),
        scale_up_need=Fraction(draw.whole(0, most // 100) * 100) if draw.chance(0.7) else Fraction(0),
        expert_need=draw.figure(20, 400, 2) if draw.chance(0.7) else Fraction(0),
        other_need=draw.figure(1, 150, 2) if draw.chance(0.8) else Fraction(0),
    )


def random_pins(draw: Draw, parts: Parts, instance: Instance) -> Instance:
    """Fix a choice beforehand, now and then."""
    pin: dict[str, Any] = {}
    out = instance.choose.scale_out_switches
    up = instance.choose.scale_up_switches
    boxes = [w.id for w in parts.switches if w.role == "scale_out" and (out is None or w.id in out)]
    for name, rows, share in (
        ("leaf_switch", boxes, 0.06),
        ("spine_switch", boxes, 0.04),
        ("core_switch", boxes, 0.03),
        ("accelerator", [a.id for a in parts.accelerators], 0.05),
        ("domain_size", [point.size for point in parts.points], 0.04),
        (
            "scale_up_switch",
            [w.id for w in parts.switches if w.role == "scale_up" and (up is None or w.id in up)],
            0.04,
        ),
        ("scale_out_stages", instance.choose.scale_out_stages, 0.04),
    ):
        if draw.chance(share):
            pin[name] = draw.one(rows)
    return _changed(instance, {"pin": pin}) if pin else instance


def random_limits(draw: Draw, found: Found, instance: Instance) -> Instance:
    """Set limits close to what a first design takes, so that some bind and some exclude everything."""
    taken = amounts_of(found)
    changes: dict[str, dict[str, Any]] = {}
    for name in draw.some(sorted(LIMIT_KEYS), 1, 2):
        table, key, unit = LIMIT_KEYS[name]
        value = taken[name] * draw.figure(0.92, 1.3) / unit
        limit = max(1, int(value)) if name == "racks" else float(f"{float(value):.5g}")
        changes.setdefault(table, {})[key] = limit
    return _changed(instance, changes)


LIMIT_KEYS = {
    "watts": ("site", "it_power_mw", 1_000_000),
    "racks": ("site", "racks", 1),
    "capex": ("money", "capex_usd", 1),
    "repairs": ("risk", "max_hard_repairs_per_year", 1),
    "hits": ("risk", "max_job_hits_per_year", 1),
    "hours": ("risk", "max_accelerator_hours_lost_per_year", 1),
}


def amounts_of(found: Found) -> dict[str, Fraction]:
    """What a design takes of everything that can be limited."""
    sums = found.priced.sums._asdict()
    return {name: sums[name] for name in LIMIT_KEYS if name != "racks"} | {"racks": Fraction(found.priced.racks)}


def _changed(instance: Instance, changes: dict[str, dict[str, Any]]) -> Instance:
    data = instance.model_dump()
    for table, values in changes.items():
        data[table] = {**data[table], **values}
    return Instance.model_validate(data)
