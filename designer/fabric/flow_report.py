"""What the flow check says, as plain data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from designer.design.types import BoundaryName

Engine = Literal["expanded", "quotient", "none"]


@dataclass(frozen=True)
class Violation:
    """One thing that is wrong with the graph or its traffic.

    Parameters
    ----------
    rule
        Stable short name, for example ``links_leaf_spine`` or ``oversubscribed_scale_up``.
    place
        Which box, pool or boundary.
    message
        What was found and what should be.

    Examples
    --------
    >>> print(Violation("missing_links", "leaf0 - spine1", "2 links instead of 3"))
    missing_links: leaf0 - spine1: 2 links instead of 3
    """

    rule: str
    place: str
    message: str

    def __str__(self) -> str:
        return f"{self.rule}: {self.place}: {self.message}"


@dataclass(frozen=True)
class BoundaryMargin:
    """Capacity against traffic at one boundary, for its most loaded group.

    Parameters
    ----------
    boundary
        Which boundary.
    pool
        The pool; None where pools share the boxes (spine to core, core to top).
    group
        The most loaded group: one accelerator, a leaf, a pod or a zone.
    demand_gbps
        Traffic that leaves the group, Gb/s, one direction.
    asked_gbps
        The same before it is cut to what a NIC can send (differs at the NICs only).
    capacity_gbps
        What its links carry when traffic is striped evenly over all next boxes.
    fluid_gbps
        Sum of its links: what an ideal router could carry.
    margin, fluid_margin
        Capacity over demand; None without demand. ``margin`` (even striping) decides.
    binding
        Whether no other boundary has a smaller margin.
    cut
        The links that limit the group, in words.
    """

    boundary: BoundaryName
    pool: str | None
    group: str
    demand_gbps: float
    asked_gbps: float
    capacity_gbps: float
    fluid_gbps: float
    margin: float | None
    fluid_margin: float | None
    binding: bool
    cut: str


@dataclass(frozen=True)
class FlowMargin:
    """One max flow: how many times the traffic from all sources to all sinks fits.

    Parameters
    ----------
    name
        What flows, for example ``experts`` or ``kv chat``.
    sources, sinks
        Accelerators that send and receive (the outside counts as one sink).
    demand_gbps
        Traffic of all sources together.
    margin
        Largest multiple of the traffic that the links carry; None without traffic.
    cut
        The minimum cut in words.
    max_flows
        Max flows solved to find it.
    """

    name: str
    sources: int
    sinks: int
    demand_gbps: float
    margin: float | None
    cut: str
    max_flows: int


@dataclass(frozen=True)
class LpCheck:
    """The maximum concurrent flow of a network against its closed form (both fluid).

    ``at_least``: the closed form is that of a routing, and others may carry more.
    """

    where: str
    closed_form: float
    lp: float
    at_least: bool = False

    @property
    def relative_difference(self) -> float:
        """|lp - closed form| / closed form; with ``at_least`` only what the programme falls short counts.

        Examples
        --------
        >>> LpCheck("scale-out", 2.0, 2.0).relative_difference
        0.0
        >>> LpCheck("scale-out", 2.0, 3.0, at_least=True).relative_difference
        0.0
        """
        if self.at_least and self.lp >= self.closed_form:
            return 0.0
        return abs(self.lp - self.closed_form) / self.closed_form


@dataclass(frozen=True)
class FlowReport:
    """The flow check of one design.

    Parameters
    ----------
    ok
        No violations.
    engine
        ``expanded`` = max flows on every endpoint; ``quotient`` = on the checked equitable quotient; ``none`` = the
        design could not be wired.
    endpoints
        Accelerators of all pools.
    boundaries
        Closed form per boundary and pool, in the order of the design.
    theta, theta_fluid
        The all-to-all answer: least margin over all boundaries, with even striping and fluid; None without traffic.
    flows
        Single-commodity max flows (necessary only), scale-up halves first.
    bisection
        Traffic between the first and the second half of every pool's domains; None with no such traffic.
    bisection_at_nic_rate
        The same halves with every accelerator of the first half sending at its full NIC rate: 1 where the fabric
        is non-blocking. Told, not judged; None where no pool has two domains.
    lp
        Confirmation of the closed form by linear programming, where small enough.
    violations
        Everything that is wrong.
    """

    ok: bool
    engine: Engine
    endpoints: int
    boundaries: tuple[BoundaryMargin, ...]
    theta: float | None
    theta_fluid: float | None
    flows: tuple[FlowMargin, ...]
    bisection: FlowMargin | None
    bisection_at_nic_rate: FlowMargin | None
    lp: tuple[LpCheck, ...]
    violations: tuple[Violation, ...]
