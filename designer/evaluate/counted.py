"""A network counted, with its cables: what the account and the checks both ask of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from fractions import Fraction

from designer.design.types import BoundaryName
from designer.evaluate.count import BundleTally, NetworkTally
from designer.given.schema import EndpointKind
from designer.verify.boundaries import Cabling, Wiring, cable_up
from designer.verify.rows import LinkRow

ZERO = Fraction(0)


@dataclass(frozen=True)
class Counted:
    """A network of the design, counted; ``lengths_m`` are the mean lengths of its bundles, None where not known.

    ``spare_planes`` of its switches side by side may be out.
    """

    name: str
    endpoints_are: EndpointKind
    tally: NetworkTally
    lengths_m: Mapping[str, Fraction | None]
    spare_planes: int = 0


def cabling_of(counted: Counted, bundle: BundleTally, lower: LinkRow, upper: LinkRow) -> Cabling:
    """Count the cables and ends of a bundle (docs/rules.md section 5).

    Modules of links between boxes of one kind are rounded up per box, whichever end of a link it is at, and the larger
    half of those of a copy counts as lower (section 7.1). A length that is not known stands as 0:
    `designer.evaluate.lengths` refuses it where money or reach hangs on it.
    """
    at_endpoint = "endpoint" in (bundle.count.lower, bundle.count.upper)
    names: dict[tuple[EndpointKind, bool], BoundaryName] = {
        ("accelerators", True): "scale_up",
        ("accelerators", False): "scale_up_upper",
        ("nics", True): "nic_leaf",
        ("nics", False): "leaf_spine",
    }
    length = counted.lengths_m[bundle.count.name] or ZERO
    name = names[counted.endpoints_are, at_endpoint]
    found = cable_up(name, bundle.wiring, lower, upper, bundle.rate, length)
    if not bundle.alike or not lower.module or lower.id != upper.id:
        return found
    ends = cable_up(name, Wiring(0, {}, bundle.alike, {}), lower, upper, bundle.rate, length).lower_ends
    copies = counted.tally.grouping.copies
    return replace(found, lower_ends=copies * (ends - ends // 2), upper_ends=copies * (ends // 2))
