"""The switches of a scale-up domain before its links are chosen, and how many links each pair of rows then takes.

Counting works on whole numbers and, element by element, on arrays of them, so that one statement serves a single
domain and a table of thousands (``docs/rules.md`` sections 3 and 5).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from designer.candidates.cables import Counts, LinkPair, Place, Port, allowed_pairs, ceil_div
from designer.candidates.parts import AcceleratorPart, LinkKind, LinkPart, SwitchPart
from designer.candidates.scale_up import FirstStage, Network, SecondStage
from designer.design.types import ScaleUpKind


@dataclass(frozen=True)
class Frame:
    """Planes, groups and switches of a domain.

    ``ports`` of every accelerator are striped over ``planes``, of which ``spare`` are not counted on; ``group``
    accelerators stand behind one ``first`` switch of every plane. With a ``second`` stage ``trunks`` links join each
    first-stage switch to each of ``tops`` second-stage switches of its plane.
    """

    accelerator: AcceleratorPart
    size: int
    ports: int
    planes: int
    group: int
    first: SwitchPart
    second: SwitchPart | None = None
    tops: int = 0
    trunks: int = 0
    spare: int = 0

    @property
    def port_gbps(self) -> int:
        """Rate of every link."""
        return self.accelerator.port_gbps

    @property
    def shares(self) -> tuple[int, ...]:
        """Ports of an accelerator per plane; they differ by at most one, larger ones first."""
        return split(self.ports, self.planes)

    @property
    def usable_gbps(self) -> int:
        """Even striping uses the smallest share on every plane that is counted on."""
        return (self.planes - self.spare) * (self.ports // self.planes) * self.accelerator.port_gbps


def split(ports: int, planes: int) -> tuple[int, ...]:
    """Stripe ports over planes; shares differ by at most one, larger ones first.

    Examples
    --------
    >>> split(18, 4)
    (5, 5, 4, 4)
    """
    small, extra = divmod(ports, planes)
    return (small + 1,) * extra + (small,) * (planes - extra)


def lower_counts(
    kind: LinkKind, rates: tuple[Any, Any], host: int, rate: int, size: Any, group: Any, ports: Any, planes: Any
) -> tuple[Any, Any, Any, Any]:
    """Links, cables, lower and upper ends per domain between accelerators and their switches.

    Parameters
    ----------
    kind
        Kind of both rows.
    rates
        Row rates of the lower and upper end, Gb/s.
    host, rate
        Accelerators per host and rate of a port.
    size, group, ports, planes
        Of the domain: whole numbers, or arrays that broadcast.
    """
    links, hosts, groups = size * ports, size // host, size // group
    small, extra = ports // planes, ports % planes

    def over_planes(members: Any, row: Any) -> Any:
        more = extra * ceil_div(members * (small + 1) * rate, row)
        return more + (planes - extra) * ceil_div(members * small * rate, row)

    if kind == "module":
        lower = hosts * ceil_div(host * ports * rate, rates[0])
        return links, links, lower, groups * over_planes(group, rates[1])
    if kind == "backplane":
        cables = groups * ceil_div(group * ports * rate, rates[0])
    else:
        cables = hosts * over_planes(host, rates[0])
    return links, cables, cables, cables


def upper_counts(
    kind: LinkKind, rates: tuple[Any, Any], rate: int, groups: Any, planes: Any, tops: Any, trunks: Any
) -> tuple[Any, Any, Any, Any]:
    """Links, cables, lower and upper ends per domain between the two stages; ``groups`` lower switches per plane."""
    lowers, links = planes * groups, planes * groups * tops * trunks
    if kind != "module":
        cables = lowers * tops * ceil_div(trunks * rate, rates[0])
        return links, cables, cables, cables
    lower = lowers * ceil_div(tops * trunks * rate, rates[0])
    return links, links, lower, planes * tops * ceil_div(trunks * groups * rate, rates[1])


def first_pairs(accelerator: AcceleratorPart, switch: SwitchPart, links: Sequence[LinkPart]) -> list[LinkPair]:
    """Pairs of link rows between accelerator and switch; lengths hang on racks, these on watts: reach is seen later."""
    if accelerator.lane_gbps is None:
        return []
    places: frozenset[Place] = frozenset({"cable", "rack", "board"})
    lower, upper = Port(frozenset({accelerator.lane_gbps})), Port(frozenset({switch.lane_gbps}), switch)
    return list(allowed_pairs(links, lower, upper, accelerator.port_gbps, 0.0, places))


def second_pairs(first: SwitchPart, second: SwitchPart, rate: int, links: Sequence[LinkPart]) -> list[LinkPair]:
    """Pairs of link rows between the two switch stages, reach aside."""
    lower, upper = Port(frozenset({first.lane_gbps}), first), Port(frozenset({second.lane_gbps}), second)
    return list(allowed_pairs(links, lower, upper, rate, 0.0))


def first_stage(frame: Frame, pair: LinkPair) -> FirstStage:
    """Count the links between accelerators and switches for one pair of rows."""
    host, rates = frame.accelerator.per_host, (pair.lower.rate_gbps, pair.upper.rate_gbps)
    numbers = (frame.size, frame.group, frame.ports, frame.planes)
    counts = Counts(*lower_counts(pair.lower.kind, rates, host, frame.port_gbps, *numbers))
    return FirstStage(frame.first, frame.shares, frame.group, pair, counts)


def second_stage(frame: Frame, pair: LinkPair) -> SecondStage:
    """Count the links between the two stages for one pair of rows."""
    assert frame.second is not None
    rates = (pair.lower.rate_gbps, pair.upper.rate_gbps)
    numbers = (frame.size // frame.group, frame.planes, frame.tops, frame.trunks)
    counts = Counts(*upper_counts(pair.lower.kind, rates, frame.port_gbps, *numbers))
    return SecondStage(frame.second, frame.trunks, frame.tops, frame.tops * frame.trunks, pair, counts)


def framed(frame: Frame, lower: FirstStage, upper: SecondStage | None) -> Network:
    """Put the links of a frame in place."""
    kind: ScaleUpKind = "switched" if upper is None else "clos"
    usable = Fraction(frame.usable_gbps)
    return Network(kind, frame.size, frame.ports, frame.port_gbps, usable, (), lower, upper, frame.spare)
