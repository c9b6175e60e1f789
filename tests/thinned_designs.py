"""Designs whose highest boundary is striped unevenly, counted by hand: those of two, three and four stages, thinned."""

from __future__ import annotations

from dataclasses import replace

from verify_designs import pod_design, rack_design
from verify_upper_designs import boundary, four_design, four_instance

from designer.design.types import Boundary, Design, Fabric, Stage
from designer.instance.schema import Choose, Instance


def _changed(design: Design, cables: Boundary, **values: object) -> Design:
    """The same design with other numbers of its fabric and other cables at the highest boundary."""
    fabric = design.fabric
    changed: Fabric = replace(fabric, boundaries=(*fabric.boundaries[:-1], cables), **values)  # type: ignore[arg-type]
    return replace(design, fabric=changed)


def striped_rack_design() -> Design:
    """The rack design with three spines: 8 = 3 + 3 + 2 uplinks.

    21 leaves: two spines of 63 ports, one of 42; 2 x 63 + 42 = 168 links. 24 x 1,000 + 1,512 x 4 + 336 x 15 = 35,088 W.
    """
    stages = (Stage("leaf", "th5_64x800", 21, 72, 8), Stage("spine", "th5_64x800", 3, 63, 0))
    cables = boundary("leaf_spine", 50.0, 168, 168, 168)
    return _changed(rack_design(), cables, stages=stages, links_per_leaf_spine=3, spines_per_pod=3)


def striped_pod_design() -> Design:
    """The pod design with six cores for a spine: 16 = 4 x 3 + 2 x 2 uplinks, all that the taper gives.

    16 x 6 = 96 cores, 16 x 4 of them with 3 x 2 = 6 links to the pods, 16 x 2 with 4: 512 links.
    60 x 1,500 + 128 x 2,000 + (276 + 168) x 25 + 960 x 25 = 381,100 W over 40 kW.
    """
    design = pod_design()
    leaf, spine, core = design.fabric.stages
    return _changed(
        design,
        design.fabric.boundaries[-1],
        stages=(leaf, spine, replace(core, count=96, down_ports=6)),
        links_per_spine_core=3,
        cores_per_spine=6,
        network_racks=10,
    )


def striped_four_instance() -> Instance:
    """The question that ``striped_four_design`` answers."""
    return four_instance(choose=Choose(scale_out_stages=(4,), core_tapers=(1.4,)))


def striped_four_design() -> Design:
    """Four stages with three tops for a core: 10 = 4 + 3 + 3 of 24 ports up, at a taper of 1.4.

    (24 - 10) // 3 = 4 pods to a zone as before. 8 x 3 = 24 tops: 8 with 4 x 2 = 8 links to zones, 16 with 6; 16 x 10
    = 160 links. 8 x 10 x 800 = 64,000 Gb/s out of a zone for 57,600.
    21 x 1,000 + 24 x 300 + 16 x 500 + 24 x 700 + 1,512 x 4 + 1,016 x 15 = 74,288 W over 40 kW.
    """
    design = four_design()
    leaf, spine, core, top = design.fabric.stages
    return _changed(
        design,
        boundary("core_top", 150.0, 160, 160, 160),
        stages=(leaf, spine, replace(core, up_ports=10), replace(top, count=24, down_ports=8)),
        links_per_core_top=4,
        tops_per_core=3,
        core_taper=1.4,
        network_racks=2,
    )
