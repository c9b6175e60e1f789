"""Places of the components below the leaves: accelerators, hosts, domains, groups, link ends at hosts."""

from __future__ import annotations

from dataclasses import dataclass

from designer.simulate.kind import Place, Slowed, Spans
from designer.simulate.placement import Span


@dataclass(frozen=True)
class Blocks:
    """``per_block`` members serve each block of ``span`` accelerators: a host, a group, a domain.

    Examples
    --------
    >>> Blocks(0, 16, span=4, per_block=2).spans(3, 0.0)
    (Span(pool=0, lo=4, hi=8, step=1),)
    """

    pool: int
    accelerators: int
    span: int
    per_block: int

    def spans(self, member: int, draw: float) -> Spans:
        """Accelerators of the member's block."""
        low = member // self.per_block * self.span
        return (Span(self.pool, low, min(low + self.span, self.accelerators)),)


@dataclass(frozen=True)
class Spread:
    """Members spread evenly over the accelerators of a pool, each at one of them."""

    pool: int
    accelerators: int
    members: int

    def spans(self, member: int, draw: float) -> Spans:
        """The member's accelerator."""
        at = member * self.accelerators // self.members
        return (Span(self.pool, at, at + 1),)


@dataclass(frozen=True)
class Parts:
    """``parts`` members at every box of another class: a laser module feeds its part of the ports."""

    boxes: Place
    parts: int

    def spans(self, member: int, draw: float) -> Spans:
        """Part of the accelerators behind the box; at least one of them."""
        found = []
        for pool, low, high, step in self.boxes.spans(member // self.parts, draw):
            count, part = Span(pool, low, high, step).width, member % self.parts
            first = part * count // self.parts
            last = max(first + 1, (part + 1) * count // self.parts)
            found.append(Span(pool, low + first * step, min(high, low + (last - 1) * step + 1), step))
        return tuple(found)


@dataclass(frozen=True)
class OfBox:
    """``parts`` members at every box of another class, each of which matters to all that depend on the box."""

    boxes: Place
    parts: int

    def spans(self, member: int, draw: float) -> Spans:
        """Accelerators that depend on the box."""
        return self.boxes.spans(member // self.parts, draw)


@dataclass(frozen=True)
class HostEnds:
    """Module ends of a host: its links, accelerator by accelerator, fill one end after the other."""

    pool: int
    per_host: int
    ends_per_host: int
    links_per_accelerator: int
    links_per_end: int

    def spans(self, member: int, draw: float) -> Spans:
        """Accelerators whose links the end carries."""
        host, end = divmod(member, self.ends_per_host)
        first, last = _behind(end, self.links_per_end, self.links_per_accelerator, self.per_host)
        return (Span(self.pool, host * self.per_host + first, host * self.per_host + last),)


@dataclass(frozen=True)
class HostCables:
    """Cables from a host to its leaf of every copy; the links of a rail fill one cable after the other."""

    pool: int
    per_host: int
    rails: int
    planes: int
    cables_per_pair: int
    nics: int
    links_per_cable: int

    def spans(self, member: int, draw: float) -> Spans:
        """Accelerators of the host and rail whose links the cable carries."""
        pair, cable = divmod(member, self.cables_per_pair)
        host, copy = divmod(pair, self.rails * self.planes)
        behind = self.per_host // self.rails
        first, last = _behind(cable, self.links_per_cable, self.nics, behind)
        low = host * self.per_host + copy // self.planes
        return (Span(self.pool, low + first * self.rails, low + (last - 1) * self.rails + 1, self.rails),)


def _behind(end: int, links_per_end: int, links_each: int, accelerators: int) -> tuple[int, int]:
    """Which of some accelerators the links of an end belong to, the links being in their order.

    Examples
    --------
    >>> _behind(1, 2, 1, 8), _behind(2, 1, 2, 8), _behind(3, 4, 1, 13)
    ((2, 4), (1, 2), (12, 13))
    """
    first = min(end * links_per_end // links_each, accelerators - 1)
    last = -(-(end + 1) * links_per_end // links_each)
    return first, max(first + 1, min(last, accelerators))


@dataclass(frozen=True)
class LeafEnds:
    """Module ends at the leaves of a pool: the links of a leaf fill one end after the other."""

    pool: int
    accelerators: int
    span: int
    rails: int
    planes: int
    nics: int
    links_per_end: int
    ends_full: int
    ends_per_copy: int

    def spans(self, member: int, draw: float) -> Spans:
        """Accelerators of the leaf's rail whose links the end carries."""
        copy, at = divmod(member, self.ends_per_copy)
        leaf, end = divmod(at, self.ends_full)
        low = leaf * self.span
        count = (min(self.span, self.accelerators - low)) // self.rails
        first, last = _behind(end, self.links_per_end, self.nics, count)
        low += copy // self.planes
        return (Span(self.pool, low + first * self.rails, low + (last - 1) * self.rails + 1, self.rails),)


@dataclass(frozen=True)
class Bandwidth:
    """The bandwidth of the accelerators behind a member, divided by ``over``: one of so many ways for it."""

    places: Place
    over: float

    def slowed(self, member: int) -> Slowed:
        """Their number over the number of ways."""
        return tuple((span.pool, span.width / self.over) for span in self.places.spans(member, 0.0))


@dataclass(frozen=True)
class EvenShare:
    """Every member carries the same share of the bandwidth of one pool."""

    pool: int
    accelerators: float

    def slowed(self, member: int) -> Slowed:
        """The same for every member."""
        return ((self.pool, self.accelerators),)
