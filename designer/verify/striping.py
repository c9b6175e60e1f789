"""How the links up of a box go over the boxes above it: as evenly as they can (section 7, "Striping")."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from designer.verify.exact import exact, ratio_up
from designer.verify.findings import Findings, UncountableError


@dataclass(frozen=True)
class Striping:
    """``links`` = V of a lower box over ``boxes`` = k upper ones, ``most`` = v of them to a full one.

    Examples
    --------
    Five links over two boxes, three to the full one and two to the lean one; four leaves fill them with 12 and 8:

    >>> Striping(5, 2, 3).tally(), Striping(5, 2, 3).tally(wide=4), Striping(6, 2, 3).tally(times=4)
    ({3: 1, 2: 1}, {12: 1, 8: 1}, {3: 8})
    """

    links: int
    boxes: int
    most: int

    @property
    def held(self) -> bool:
        """Whether the links go as evenly as they can, over no more boxes than that takes."""
        return (
            min(self.links, self.boxes, self.most) >= 1
            and self.most == ratio_up(self.links, self.boxes)
            and self.boxes == ratio_up(self.links, self.most)
        )

    def tally(self, *, wide: int = 1, times: int = 1) -> dict[int, int]:
        """Boxes by links, full ones first: ``wide`` lower boxes to each, ``times`` such sets of upper boxes."""
        full = self.links - (self.most - 1) * self.boxes
        counts = {self.most * wide: full * times, (self.most - 1) * wide: (self.boxes - full) * times}
        return {links: boxes for links, boxes in counts.items() if boxes}

    def shares(self) -> list[Fraction]:
        """Links to each of the boxes, full ones first."""
        return [Fraction(links) for links, boxes in self.tally().items() for _ in range(boxes)]


def stripe(
    found: Findings, place: str, names: tuple[str, str], stated: int, boxes: int, most: int, *, highest: bool
) -> Striping:
    """Hold the stated links up of a box against the boxes above it; what is refused is counted as if it were even.

    Parameters
    ----------
    found, place
        Where findings go, and the fabric they are about.
    names
        What the lower and the upper boxes are called.
    stated, boxes, most
        V, k and v as the design states them.
    highest
        Whether this is the highest boundary, the only one that may be striped unevenly.
    """
    below, above = names
    even = Striping(boxes * most, boxes, most)
    given = Striping(stated, boxes, most)
    if highest:
        least = max((most - 1) * boxes, most * (boxes - 1)) + 1
        allowed = f"{least} to {even.links}" if least < even.links else str(even.links)
        how = f"as evenly as they can over {boxes} {above}s, {most} to a full one"
    else:
        allowed, how = (
            str(even.links),
            f"{most} to each of {boxes} {above}s: even, as everywhere below the highest boundary",
        )
    fits = given.held and (highest or given == even)
    found.holds(f"{below}_up_ports", f"{place}, {below}", fits, stated, allowed, f"links up of a {below}, {how}")
    return given if fits else even


def split(
    found: Findings,
    place: str,
    names: tuple[str, str, str],
    radix: int,
    taper: float,
    links: tuple[int, int],
    stated: int,
    *,
    highest: bool,
) -> tuple[Striping, int]:
    """Divide the ports of a switch by its taper: the boxes above it, and the number of boxes below that it takes.

    Parameters
    ----------
    found, place
        Where findings go, and the fabric they are about.
    names
        What the switch, the boxes above and the boxes below it are called.
    radix, taper
        Ports of the switch, and how many go down for each that goes up.
    links
        Links to one box below and to a full one above.
    stated
        Links up as the design states them.
    highest
        Whether the boundary above is the highest, where all ports up may be striped.
    """
    name, above, below = names
    down, up = links
    ratio = exact(taper)
    if not found.holds("whole_numbers", place, up >= 1 and ratio >= 1, (up, ratio), "at least 1", f"{name} upwards"):
        raise UncountableError(place)
    ports = ratio_up(radix, 1 + ratio)
    even = chosen = Striping(ports // up * up, ports // up, up)
    striped = Striping(ports, ratio_up(ports, up), up)
    offered = f"{even.links} over {even.boxes} {above}"
    how = f"links up of a {name}, {up} to each of the {above}"
    if not highest:
        how += ": even, as everywhere below the highest boundary"
    elif striped.held and striped != even:
        offered += f" or {striped.links} over {striped.boxes}"
        how = f"links up of a {name}, {up} to each of the {above}, or all {ports} ports with {up} to a full one"
        if stated == ports:
            chosen = striped
    less = (radix - chosen.links) // down
    if not found.holds(
        f"{name}_ports",
        place,
        chosen.boxes >= 1 and less >= 1,
        f"{chosen.boxes} {above}, {less} {below}",
        "at least 1 of each",
        f"a {name} has ports for {above} and {below}",
    ):
        raise UncountableError(place)
    found.holds(f"{name}_up_ports", f"{place}, {name}", stated == chosen.links, stated, offered, how)
    return chosen, less
