"""What two designs are compared by."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from designer.breakeven.result import Difference
from designer.catalogue import Catalogue
from designer.design.types import Boundary, Design
from designer.report.words import BOUNDARY_WORDS, TECH_WORDS

Watch = Literal["any", "technology", "links", "switches", "accelerator", "nic", "domain_size", "stages", "design"]
WATCHES: tuple[Watch, ...] = (
    "any",
    "technology",
    "links",
    "switches",
    "accelerator",
    "nic",
    "domain_size",
    "stages",
    "design",
)
Choices = tuple[tuple[str, str], ...]
_Row = tuple[Watch, str, str]


def choices_of(design: Design | None, catalogue: Catalogue, watch: Watch) -> Choices:
    """List what is watched of a design, each with what it is for; empty without a design.

    "any" is every choice of parts, sizes and stages, "design" also counts; "technology" takes links by their kind.

    Examples
    --------
    >>> from designer.catalogue import load_catalogue
    >>> choices_of(None, load_catalogue(), "any")
    ()
    """
    if design is None:
        return ()
    rows = _rows(design, catalogue)
    if watch == "any":
        return tuple((what, value) for kind, what, value in rows if kind not in ("technology", "design"))
    if watch == "design":
        return tuple((what, value) for kind, what, value in rows if kind != "technology")
    return tuple((what, value) for kind, what, value in rows if kind == watch)


def differences(below: Choices, above: Choices) -> tuple[Difference, ...]:
    """Set two lists of choices side by side and keep what differs.

    Examples
    --------
    >>> differences((("NIC", "nic_400"), ("stages", "1")), (("NIC", "nic_800"), ("stages", "1")))
    (Difference(what='NIC', below='nic_400', above='nic_800'),)
    """
    left, right = dict(below), dict(above)
    keys = dict.fromkeys((*left, *right))
    return tuple(
        Difference(key, left.get(key, "none"), right.get(key, "none"))
        for key in keys
        if left.get(key) != right.get(key)
    )


def _rows(design: Design, catalogue: Catalogue) -> Iterator[_Row]:
    for pool in design.pools:
        before = f"{pool.name}: " if len(design.pools) > 1 else ""
        up = pool.scale_up
        yield "accelerator", f"{before}accelerator", pool.accelerator
        yield "design", f"{before}accelerators", str(pool.accelerators)
        yield "domain_size", f"{before}domain size", str(pool.domain_size)
        yield "design", f"{before}scale-up", f"{up.kind}, {up.planes} planes, {up.switches} switches"
        if up.switch is not None:
            yield "switches", f"{before}scale-up switch", up.switch
        yield from _links(before, up.boundary, catalogue)
        if up.upper is not None:
            yield "switches", f"{before}second scale-up switch", up.upper.switch
            yield from _links(before, up.upper.boundary, catalogue)
        yield "nic", f"{before}NIC", pool.nic
        yield "design", f"{before}NICs", str(pool.nics)
        yield from _links(before, pool.nic_leaf, catalogue)
    for place, fabric in enumerate(design.fabrics):
        before = f"fabric {place + 1}: " if len(design.fabrics) > 1 else ""
        yield "stages", f"{before}stages", str(len(fabric.stages))
        yield "design", f"{before}copies", f"{fabric.rails} rails x {fabric.planes} planes"
        for stage in fabric.stages:
            yield "switches", f"{before}{stage.name}", stage.switch
            yield "design", f"{before}{stage.name} switches", f"{stage.count} ({stage.down_ports}:{stage.up_ports})"
        for boundary in fabric.boundaries:
            yield from _links(before, boundary, catalogue)


def _links(before: str, boundary: Boundary | None, catalogue: Catalogue) -> Iterator[_Row]:
    if boundary is None:
        return
    what = f"{before}{BOUNDARY_WORDS[boundary.name]}"
    ends = dict.fromkeys((boundary.lower_link, boundary.upper_link))
    techs = dict.fromkeys(str(catalogue.links[end].tech) for end in ends)
    yield "links", what, " / ".join(ends)
    yield "technology", what, " / ".join(TECH_WORDS.get(tech, tech) for tech in techs)
    yield "design", f"{what} links", str(boundary.links)
