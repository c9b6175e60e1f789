"""Which figures behind a design are assumptions rather than published, so that the answer can list them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from designer.catalogue import Catalogue, Figure
from designer.design.types import Design
from designer.instance.schema import Instance


def assumptions_of(design: Design, catalogue: Catalogue, instance: Instance) -> tuple[str, ...]:
    """List ``part.figure = value`` of every used figure whose basis is ``memory_assumption``."""
    out: list[str] = []
    for row in _rows(design, catalogue):
        for name, figure in _figures(row):
            value = figure.at(instance.level)
            if figure.basis == "memory_assumption" and value is not None:
                out.append(f"{row.id}.{name} = {value:g}")
    return tuple(dict.fromkeys(out))


def _rows(design: Design, catalogue: Catalogue) -> Iterator[Any]:
    links: list[str] = []
    for pool in design.pools:
        yield catalogue.accelerators[pool.accelerator]
        yield catalogue.nics[pool.nic]
        yield catalogue.switches[pool.scale_up.switch]
        links += [
            pool.scale_up.boundary.lower_link,
            pool.scale_up.boundary.upper_link,
            pool.nic_leaf.lower_link,
            pool.nic_leaf.upper_link,
        ]
    for stage in design.fabric.stages:
        yield catalogue.switches[stage.switch]
    for boundary in design.fabric.boundaries:
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
