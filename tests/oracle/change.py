"""Small changes of a random question whose effect on the optimum is known in advance."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import fields, replace
from fractions import Fraction
from typing import Any, TypeVar

from designer.instance.schema import Instance
from oracle.draw import Draw
from oracle.generate import LIMIT_KEYS, RandomCase
from oracle.parts import Accelerator, Figure, Link, Nic, Parts, Switch

Part = TypeVar("Part", Accelerator, Switch, Link, Nic)
TABLES = ("accelerators", "switches", "links", "nics")
# Facility figures in USD; values of lost hours are per USD of accelerator.
FACILITY_USD = (
    "electricity",
    "capex_per_w",
    "labour",
    "module_swap",
    "cable_swap",
    "box_swap",
    "laser_price",
    "cord_price",
    "fibre_fixed",
    "fibre_per_m",
    "install",
)
PART_USD = {
    "accelerators": ("price", "host_price"),
    "switches": ("price",),
    "links": ("price_end", "price_cable"),
    "nics": ("price",),
}
INSTANCE_USD = {
    "site": ("electricity_usd_per_kwh", "facility_capex_usd_per_w", "front_end_usd_per_accelerator"),
    "money": ("capex_usd",),
    "risk": ("usd_per_hard_repair", "usd_per_job_hit", "usd_per_accelerator_hour_lost"),
}


def with_instance(case: RandomCase, table: str, **values: Any) -> RandomCase:
    """Change keys of one table of the instance."""
    data = case.instance.model_dump()
    data[table] = {**data[table], **values}
    return replace(case, instance=Instance.model_validate(data))


def with_more_tokens(case: RandomCase, draw: Draw) -> RandomCase:
    """Ask for up to twice the tokens of one workload."""
    data = case.instance.model_dump()
    works = [dict(work) for work in data["workloads"]]
    work = works[draw.whole(0, len(works) - 1)]
    factor = 1 + draw.figure(0.05, 1, 2)
    work["output_tokens_per_s"] = float(Fraction(str(work["output_tokens_per_s"])) * factor)
    data["workloads"] = tuple(works)
    return replace(case, instance=Instance.model_validate(data))


def with_part(case: RandomCase, table: str, part: Part, **values: Any) -> RandomCase:
    """Replace one part by itself with other figures."""
    rows = tuple(replace(row, **values) if row is part else row for row in getattr(case.parts, table))
    changed: dict[str, Any] = {table: rows}
    return replace(case, parts=replace(case.parts, **changed))


def contained_parts(case: RandomCase) -> set[str]:
    """Ids of parts that an accelerator's price contains: cheaper, they make the bare accelerator dearer."""
    inside: set[str] = set()
    for a in case.parts.accelerators:
        if "nic" in a.price_contains:
            inside.add(a.nics[0][0])
        if "scale_up_switch" in a.price_contains and a.vendor_switch is not None:
            inside.add(a.vendor_switch)
        if "scale_up_link" in a.price_contains and a.vendor_link is not None:
            inside.add(a.vendor_link)
    return inside


def with_cheaper_part(case: RandomCase, draw: Draw) -> RandomCase:
    """Halve a price or so of one part, whatever it is."""
    inside = contained_parts(case)
    table = draw.one(TABLES)
    rows = [row for row in getattr(case.parts, table) if row.id not in inside]
    if not rows:
        return case
    part = draw.one(rows)
    values = {}
    for name in PART_USD[table]:
        price: Figure = getattr(part, name)
        if price is not None:
            values[name] = _cheaper(price, draw, floor=_contained(case, part) if name == "price" else Fraction(0))
    return with_part(case, table, part, **values)


def _contained(case: RandomCase, part: object) -> Fraction:
    """Value of what a price contains, which it must not fall below."""
    if not isinstance(part, Accelerator) or not set(part.price_contains) - {"host"}:
        return Fraction(0)
    assert part.price is not None
    return part.price * Fraction(9, 10)


def _cheaper(price: Fraction, draw: Draw, floor: Fraction) -> Fraction:
    lower = Fraction(f"{float(price * (1 - draw.figure(0.05, 0.6, 2))):.4g}")
    return max(lower, floor)


def without_a_part(case: RandomCase, draw: Draw) -> RandomCase:
    """Take one part off the market: it becomes available long after the question's date."""
    table = draw.one(TABLES)
    part = draw.one(getattr(case.parts, table))
    return with_part(case, table, part, available_from="2090-Q1")


def in_other_currency(case: RandomCase, factor: Fraction) -> RandomCase:
    """Multiply every figure in USD, of parts, site and instance."""
    parts = case.parts
    changed: dict[str, Any] = {
        table: tuple(_times(row, PART_USD[table], factor) for row in getattr(parts, table)) for table in TABLES
    }
    changed["facility"] = _times(parts.facility, FACILITY_USD, factor)
    data = case.instance.model_dump()
    for table, names in INSTANCE_USD.items():
        for name in names:
            if data[table][name] is not None:
                data[table][name] = float(Fraction(str(data[table][name])) * factor)
    return replace(case, parts=replace(parts, **changed), instance=Instance.model_validate(data))


def _times(row: Any, names: tuple[str, ...], factor: Fraction) -> Any:
    return replace(row, **{n: getattr(row, n) * factor for n in names if getattr(row, n) is not None})


def shuffled(case: RandomCase, draw: Draw) -> RandomCase:
    """The same parts and points in another order."""
    parts = case.parts
    tables: dict[str, Any] = {
        f.name: tuple(draw.shuffled(getattr(parts, f.name))) for f in fields(Parts) if f.name != "facility"
    }
    return replace(case, parts=replace(parts, **tables))


def without_limits(case: RandomCase) -> RandomCase:
    """Drop every limit."""
    for table, key, _ in LIMIT_KEYS.values():
        case = with_instance(case, table, **{key: None})
    return case


def with_limit(case: RandomCase, name: str, most: Fraction) -> RandomCase:
    """Limit one amount: to ``most`` exactly, or to the next number above that the instance can state."""
    table, key, unit = LIMIT_KEYS[name]
    if name == "racks":
        return with_instance(case, table, **{key: int(most)})
    limit = float(most / unit)
    while Fraction(str(limit)) * unit < most:
        limit = math.nextafter(limit, math.inf)
    return with_instance(case, table, **{key: limit})


Change = Callable[[RandomCase, Draw], RandomCase]
