"""What an answer rests on and does not show: figures that nobody published, and what is not counted."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from designer.catalogue import Catalogue, Figure
from designer.design.types import Design
from designer.instance.schema import Instance


def assumptions_of(design: Design, catalogue: Catalogue, instance: Instance) -> tuple[str, ...]:
    """List what is not counted, and ``part.figure = value`` of every used figure that is a ``memory_assumption``."""
    out = [*_not_counted(instance), *_between_vendors(design, catalogue)]
    for row in _rows(design, catalogue):
        for name, figure in _figures(row):
            value = figure.at(instance.level)
            if figure.basis == "memory_assumption" and value is not None:
                out.append(f"{row.id}.{name} = {value:g}")
    return tuple(dict.fromkeys(out))


def _between_vendors(design: Design, catalogue: Catalogue) -> Iterator[str]:
    """Name the workloads whose KV caches go from one vendor's accelerators to another's (docs/rules.md 6)."""
    for name in dict.fromkeys(pool.workload for pool in design.pools):
        made_by = {
            phase: {
                catalogue.accelerators[pool.accelerator].vendor
                for pool in design.pools
                if (pool.workload, pool.phase) == (name, phase)
            }
            for phase in ("prefill", "decode")
        }
        if made_by["prefill"] and made_by["decode"] and len(made_by["prefill"] | made_by["decode"]) > 1:
            ways = " to ".join("/".join(sorted(made_by[phase])) for phase in ("prefill", "decode"))
            yield f"KV caches of {name} cross from {ways} accelerators (vendors of a workload excludes that)"


def _not_counted(instance: Instance) -> Iterator[str]:
    """Say which part of the front end (``docs/rules.md`` section 8) the instance leaves out."""
    what, site = "front-end, storage and management network", instance.site
    usd, watts = site.front_end_usd_per_accelerator, site.front_end_w_per_accelerator
    if usd is None and watts is None:
        yield f"{what} not counted"
    elif usd is None:
        yield f"price of the {what} not counted"
    elif watts is None:
        yield f"watts of the {what} not counted"


def _rows(design: Design, catalogue: Catalogue) -> Iterator[Any]:
    links: list[str] = []
    for pool in design.pools:
        yield catalogue.accelerators[pool.accelerator]
        yield catalogue.nics[pool.nic]
        up = pool.scale_up
        if up.switch is not None:
            yield catalogue.switches[up.switch]
        if up.upper is not None:
            yield catalogue.switches[up.upper.switch]
        for boundary in (up.boundary, None if up.upper is None else up.upper.boundary, pool.nic_leaf):
            if boundary is not None:
                links += [boundary.lower_link, boundary.upper_link]
    for fabric in design.fabrics:
        for stage in fabric.stages:
            yield catalogue.switches[stage.switch]
        for boundary in fabric.boundaries:
            links += [boundary.lower_link, boundary.upper_link]
    for link in dict.fromkeys(links):
        yield catalogue.links[link]


def _figures(row: Any, prefix: str = "") -> Iterator[tuple[str, Figure]]:
    for name in type(row).model_fields:
        value = getattr(row, name)
        if isinstance(value, Figure):
            yield prefix + name, value
        elif hasattr(type(value), "model_fields"):
            yield from _figures(value, f"{prefix}{name}.")
