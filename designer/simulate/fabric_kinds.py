"""Everything that fails in a scale-out fabric: leaves, spines, cores, and the links between them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from designer.design.types import Boundary, Fabric, PoolDesign
from designer.simulate.domain_kinds import box_kinds, links_above
from designer.simulate.domain_places import Bandwidth
from designer.simulate.fabric_places import (
    CoreEnds,
    Cores,
    LeafUplinks,
    Leaves,
    PartOf,
    PodUplinks,
    SpineEnds,
    Spines,
    Tree,
)
from designer.simulate.figures import Box, Figures, Site
from designer.simulate.kind import Kind, Place, Share, failing


def fabric_kinds(fabric: Fabric, pools: Sequence[tuple[int, PoolDesign]], figures: Figures) -> Iterator[Kind]:
    """Go through the components of one fabric and the pools on it, each with its number in the design."""
    site, tree = figures.site(), Tree.of(fabric, pools)
    boxes = [figures.box(stage.switch) for stage in fabric.stages]
    leaves, leaf_box = Leaves(tree), boxes[0]
    for kind in box_kinds("scale_out_switches", "leaf", tree.copies * tree.leaves, leaf_box, site.switch_box_h, leaves):
        if tree.planes > 1 and kind.stops is not None:
            # The other planes carry on.
            share = Bandwidth(kind.stops, tree.planes)
            yield replace(kind, chance=site.kill, stops=None, slows=share)
        else:
            yield kind
    if tree.stages > 1:
        spines = Spines(tree, boxes[1].ports[fabric.uplink_gbps])
        yield from _boxes_above("spine", tree.copies * tree.spines * tree.pods, boxes[1], spines, site)
        yield from _leaf_spine(fabric.boundaries[0], tree, figures, site)
    if tree.stages > 2:
        per_copy = fabric.stages[2].count
        cores = Cores(tree, boxes[2].ports[fabric.uplink_gbps], per_copy)
        yield from _boxes_above("core", tree.copies * per_copy, boxes[2], cores, site)
        yield from _spine_core(fabric.boundaries[1], tree, per_copy, figures, site)


def _boxes_above(name: str, count: int, box: Box, place: Spines | Cores, site: Site) -> Iterator[Kind]:
    """Boxes that traffic goes round: one job is struck, with the chance of it."""

    def kind(what: str, members: int, events: tuple[float, float], hours: float, at: Spines | Cores | PartOf) -> Kind:
        strikes: Place = at
        slows: Share = at
        return Kind(
            "scale_out_switches",
            what,
            members,
            *events,
            hours,
            strikes=strikes,
            chance=site.kill,
            one_job=True,
            slows=slows,
        )

    yield kind(name, count, failing(box.hard, box.outages), site.switch_box_h, place)
    if box.lasers is not None:
        lasers = box.lasers
        yield kind(f"{name}, engine swap", count, (lasers.swaps, 1.0), lasers.swap_h, place)
        part = PartOf(place, lasers.modules)
        yield kind(f"{name}, laser module", count * lasers.modules, (lasers.rate, 1.0), lasers.repair_h, part)


def _leaf_spine(boundary: Boundary, tree: Tree, figures: Figures, site: Site) -> Iterator[Kind]:
    lower, upper = figures.end(boundary.lower_link), figures.end(boundary.upper_link)
    leaves, spines = tree.copies * tree.leaves, tree.copies * tree.spines * tree.pods
    count = boundary.lower_ends if lower.fibre else boundary.cables
    at_leaf = LeafUplinks(tree, count // leaves)
    yield from links_above("scale_out_links", "leaf-spine", count, lower, at_leaf, at_leaf, site)
    if upper.fibre:
        count = boundary.upper_ends
        at_spine = SpineEnds(tree, count // spines, int(upper.rate_gbps // boundary.rate_gbps))
        yield from links_above("scale_out_links", "spine-leaf", count, upper, at_spine, at_spine, site)


def _spine_core(boundary: Boundary, tree: Tree, per_copy: int, figures: Figures, site: Site) -> Iterator[Kind]:
    lower, upper = figures.end(boundary.lower_link), figures.end(boundary.upper_link)
    spines, cores = tree.copies * tree.spines * tree.pods, tree.copies * per_copy
    count = boundary.lower_ends if lower.fibre else boundary.cables
    at_spine = PodUplinks(tree, count // spines)
    yield from links_above("scale_out_links", "spine-core", count, lower, at_spine, at_spine, site)
    if upper.fibre:
        count = boundary.upper_ends
        at_core = CoreEnds(tree, count // cores, int(upper.rate_gbps // boundary.rate_gbps), per_copy)
        yield from links_above("scale_out_links", "core-spine", count, upper, at_core, at_core, site)
