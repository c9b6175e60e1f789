"""How the links of a tree go over the boxes above, from the numbers of a design alone (docs/rules.md, "Striping")."""

from __future__ import annotations

import numpy as np

from designer.design.types import Fabric
from designer.fabric.placement import Ints


def links_up(fabric: Fabric) -> tuple[Ints, ...]:
    """Links of a box to each of those it meets, one array per boundary of a tree, upwards from the leaf.

    At the highest boundary the ports up that the design states go over as many boxes as evenly as they can, if they
    need all of these; else, and at the boundaries below, every box gets the stated links.
    """
    pairs = (
        (fabric.links_per_leaf_spine, fabric.spines_per_pod),
        (fabric.links_per_spine_core, fabric.cores_per_spine),
        (fabric.links_per_core_top, fabric.tops_per_core),
    )[: len(fabric.stages) - 1]
    if fabric.shape != "tree":
        return ()
    found = [np.full(boxes, links) for links, boxes in pairs]
    for links, boxes in pairs[-1:]:
        lacking = links * boxes - fabric.stages[-2].up_ports
        # A whole box less, or a link less for every one, and fewer boxes or links would have been stated.
        if 0 < lacking < min(links, boxes):
            found[-1][boxes - lacking :] -= 1
    return tuple(found)
