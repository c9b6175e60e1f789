"""Everything that fails in a scale-out fabric: leaves, the switches above them, and the links between."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace

from designer.design.types import Boundary, Fabric, PoolDesign
from designer.simulate.domain_kinds import box_kinds, links_above
from designer.simulate.domain_places import Bandwidth, Parts
from designer.simulate.fabric_places import (
    Below,
    Between,
    Both,
    BoxesAbove,
    Layer,
    Leaves,
    LowerEnds,
    PartOf,
    Passing,
    UpperEnds,
)
from designer.simulate.figures import Box, End, Figures, Site
from designer.simulate.kind import Kind, failing


def fabric_kinds(fabric: Fabric, pools: Sequence[tuple[int, PoolDesign]], figures: Figures) -> Iterator[Kind]:
    """Go through the components of one fabric and the pools on it, each with its number in the design."""
    site, below = figures.site(), Below.of(fabric, pools)
    boxes = [figures.box(stage.switch) for stage in fabric.stages]
    if fabric.shape == "tree":
        yield from _leaves(below, boxes[0], None, site)
        layers = _layers(fabric, below)
        for level, (layer, box) in enumerate(zip(layers, boxes[1:], strict=True)):
            stage, boundary = fabric.stages[level + 1], fabric.boundaries[level]
            ports = box.ports[fabric.uplink_gbps] if level == len(layers) - 1 else 0
            yield from _boxes_above(stage.name, below.copies * layer.boxes, box, BoxesAbove(layer, ports), site)
            names = (f"{fabric.stages[level].name}-{stage.name}", f"{stage.name}-{fabric.stages[level].name}")
            lower = (1, len(below.leaves)) if level == 0 else (layers[level - 1].per_cell, layers[level - 1].boxes)
            yield from _links_up(names, boundary, layer, lower, figures, site)
        return
    ports = boxes[0].ports[fabric.uplink_gbps]
    yield from _leaves(below, boxes[0], Passing(below, ports, fabric.stages[0].up_ports), site)
    for boundary in fabric.boundaries:
        yield from _links_between(boundary, below, figures, site)


def _layers(fabric: Fabric, below: Below) -> list[Layer]:
    """Cells of a tree: with two stages all leaves are one; pods, and with four stages zones of pods, else.

    The links up to the last layer may be uneven: the rest of their ports up says how many of its switches lack one.
    """
    stages, per_spine = len(fabric.stages), fabric.links_per_leaf_spine
    if stages == 1:
        return []
    if stages == 2:
        everything = len(below.leaves)
        spines = fabric.spines_per_pod
        lean = spines * per_spine - fabric.stages[0].up_ports
        return [Layer(below, 1, spines, everything, 1, everything, per_spine, spines, lean)]
    pod, spines = fabric.leaves_per_pod, fabric.spines_per_pod
    zones, zone_pods = (1, fabric.pods) if stages == 3 else (fabric.zones, fabric.pods_per_zone)
    cores, zone = spines * fabric.cores_per_spine, zone_pods * pod
    found = [
        Layer(below, fabric.pods, spines, pod, 1, pod, per_spine, spines, 0),
        Layer(below, zones, cores, zone, pod, zone_pods, fabric.links_per_spine_core, fabric.cores_per_spine, 0),
    ]
    if stages > 3:
        many = fabric.tops_per_core
        tops = Layer(below, 1, cores * many, zones * zone, zone, zones, fabric.links_per_core_top, many, 0)
        found.append(tops)
    last = found[-1]
    return [*found[:-1], replace(last, lean=last.group * last.links - fabric.stages[-2].up_ports)]


def _leaves(below: Below, box: Box, passing: Passing | None, site: Site) -> Iterator[Kind]:
    """Leaf boxes, and where leaves are joined to each other what they mean to those who pass."""
    members = below.copies * below.boxes
    for kind in box_kinds("scale_out_switches", "leaf", members, box, site.switch_box_h, Leaves(below)):
        found = kind
        if below.planes > 1 and kind.stops is not None:
            # The other planes carry on.
            share = Bandwidth(kind.stops, below.planes)
            found = replace(kind, chance=site.kill, stops=None, slows=share)
        if passing is not None:
            who = PartOf(passing, kind.strikes.parts) if isinstance(kind.strikes, Parts) else passing
            slows = who if found.slows is None else Both(found.slows, who)
            found = replace(found, passes=who, passes_chance=site.kill, slows=slows)
        yield found


def _boxes_above(name: str, count: int, box: Box, place: BoxesAbove, site: Site) -> Iterator[Kind]:
    """Boxes that traffic goes round: one job is struck, with the chance of it."""

    def kind(what: str, members: int, events: tuple[float, float], hours: float, at: BoxesAbove | PartOf) -> Kind:
        return Kind(
            "scale_out_switches",
            what,
            members,
            *events,
            hours,
            strikes=at,
            chance=site.kill,
            one_job=True,
            slows=at,
        )

    yield kind(name, count, failing(box.hard, box.outages), site.switch_box_h, place)
    if box.lasers is not None:
        lasers = box.lasers
        yield kind(f"{name}, engine swap", count, (lasers.swaps, 1.0), lasers.swap_h, place)
        part = PartOf(place, lasers.modules)
        yield kind(f"{name}, laser module", count * lasers.modules, (lasers.rate, 1.0), lasers.repair_h, part)


def _links_up(
    names: tuple[str, str], boundary: Boundary, layer: Layer, lower: tuple[int, int], figures: Figures, site: Site
) -> Iterator[Kind]:
    """Links between a layer and the one below it; ``lower`` = its boxes to a small cell, and in a copy."""
    ends = figures.end(boundary.lower_link), figures.end(boundary.upper_link)
    per_inner, boxes = lower
    count = boundary.lower_ends if ends[0].fibre else boundary.cables
    below = LowerEnds(layer, count // (boxes * layer.below.copies), per_inner, boxes)
    yield from links_above("scale_out_links", names[0], count, ends[0], below, below, site)
    if ends[1].fibre:
        count, rate, gbps = boundary.upper_ends, ends[1].rate_gbps, boundary.rate_gbps
        full, lean = (math.ceil(layer.members * links * gbps / rate) for links in (layer.links, layer.links - 1))
        above = UpperEnds(layer, full, lean, int(rate // gbps))
        yield from links_above("scale_out_links", names[1], count, ends[1], above, above, site)


def _links_between(boundary: Boundary, below: Below, figures: Figures, site: Site) -> Iterator[Kind]:
    """Links between leaves; both ends are alike, and a link has two of them."""
    end: End = figures.end(boundary.lower_link)
    count = boundary.lower_ends + boundary.upper_ends if end.fibre else boundary.cables
    each = count // below.copies
    place = Between(below, each, (2 if end.fibre else 1) / each)
    name = boundary.name.replace("_", "-")
    yield from links_above("scale_out_links", name, count, end, place, place, site)
