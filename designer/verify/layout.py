"""What lies above the attachments of one copy of a fabric: boxes, boundaries, what a leaf uses of them (7, 9, 10)."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from designer.design.types import BoundaryName
from designer.verify.boundaries import Tally, Wiring
from designer.verify.rows import LinkRow, SwitchRow


@dataclass(frozen=True)
class FabricParts:
    """The exact rows a fabric names: switches from leaf to top, link pairs of its boundaries."""

    switches: tuple[SwitchRow, ...]
    links: tuple[tuple[LinkRow, LinkRow], ...]


@dataclass(frozen=True)
class Boxes:
    """One layer of switches of one copy, with the ports of each at full population (0 down: as the attachments say).

    Ports down of a striped stage are those of a full box.
    """

    name: str
    count: int
    down: int
    up: int


@dataclass(frozen=True)
class Joined:
    """A boundary above the attachments of one copy.

    ``together`` tallies the upper boxes that one lower box meets by its links to each; a leaf uses ``links`` of the
    boundary. ``between_leaves``: both ends are leaves, and ``wiring.lower`` tallies the links of every leaf.
    """

    name: BoundaryName
    wiring: Wiring
    together: Tally
    links: Fraction
    between_leaves: bool = False


@dataclass(frozen=True)
class Bound:
    """Gb/s that a set of so many leaves of one pool may need and still get; ``what`` names it in findings."""

    name: str
    gbps: Fraction
    leaves: int
    what: str


@dataclass(frozen=True)
class Layout:
    """Everything above the attachments of one copy; the defaults are those of a fabric of one switch.

    ``uplinks`` = U, ``pod_leaves`` = L. ``boxes`` are from leaf to top; ``above`` the boxes that one leaf uses above
    itself, as a number of each type; ``enough`` what must be carried; ``left`` what a single failure of the component
    ``name`` leaves; ``leaf_gbps`` what the links of a leaf carry away from it (None: there are none), and
    ``relayed_gbps`` what those of leaves joined directly do without another leaf (None: no less, or not known).
    ``numbers`` are those that the design must state: (rule, field, value). ``ways``: how often the longest way passes
    each layer of boxes, and each boundary.
    """

    boxes: tuple[Boxes, ...]
    ways: tuple[tuple[int, ...], tuple[int, ...]]
    uplinks: int = 0
    pod_leaves: int = 1
    joined: tuple[Joined, ...] = ()
    above: tuple[tuple[SwitchRow, Fraction], ...] = ()
    enough: tuple[Bound, ...] = ()
    left: tuple[Bound, ...] = ()
    leaf_gbps: Fraction | None = None
    relayed_gbps: Fraction | None = None
    numbers: tuple[tuple[str, str, object], ...] = ()
