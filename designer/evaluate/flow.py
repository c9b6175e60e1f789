"""The built network of a given design: it hangs together, is what the closed form counts, and carries what is asked."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from designer.evaluate.count import Grouping
from designer.evaluate.result import Capacity, FlowCheck, Verdict
from designer.families.family import Rate, Structure
from designer.families.single_stage import SingleStage
from designer.given.load import GivenTopology
from designer.given.schema import GivenDemand
from designer.network.graph import Network
from designer.network.throughput import TooMuchWorkError, all_to_all

PATTERNS: tuple[Literal["all_to_all", "permutation", "all_reduce"], ...] = ("all_to_all", "permutation", "all_reduce")
_SHOWN = 3

MOST_ROWS = 400_000
"""Joined pairs of boxes beyond which no traffic is routed: looking for symmetries alone takes some ten seconds."""

MOST_WORK = 5_000_000
"""Targets times arcs beyond which no traffic is routed: some five seconds."""

# Demands and capacities are decimals and quotients of them; a shortfall in the last digits is none.
_TOLERANCE = 1e-9


@dataclass(frozen=True)
class Carried:
    """All-to-all traffic routed over one built copy.

    ``rate`` is what every endpoint can send on this copy. ``fullest`` gives, by bundle, the load of its fullest link as
    a share of the link's rate where every endpoint sends ``rate.least``; empty where nothing was routed, and then
    ``skipped`` says why.
    """

    rate: Rate
    fullest: Mapping[str, float]
    skipped: str = ""


def carried_by(network: Network) -> Carried:
    """Route all-to-all traffic over a built network, without its closed form.

    Parameters
    ----------
    network
        One copy.
    """
    seen = network.as_carried()
    rows = int(seen.links.size)
    if rows > MOST_ROWS:
        return _not_routed(f"{rows:,} joined pairs, at most {MOST_ROWS:,} are routed")
    try:
        # The interval is enough to hold a closed form against; a linear program would take minutes on irregular ones.
        found = all_to_all(seen, exactly=False, rounds=0, most_work=MOST_WORK)
    except TooMuchWorkError as error:
        return _not_routed(str(error))
    least = 0.0 if found.cut_off else found.least
    rate = Rate(least, found.most, f"routed over the built network; limit: {found.why}")
    fullest: dict[str, float] = {}
    if found.load_gbps is not None and least > 0:
        shares = np.asarray(found.load_gbps).max(axis=1) / seen.rates()
        for at, bundle in enumerate(seen.bundles):
            here = seen.bundle == at
            if here.any():
                fullest[bundle.name] = float(shares[here].max())
    return Carried(rate, fullest)


def _not_routed(why: str) -> Carried:
    return Carried(Rate(0.0, math.inf, why), {}, why)


def check_flow(structure: Structure, network: Network, carried: Carried, planes: int) -> FlowCheck:
    """Hold a built network against its closed form: box by box, link by link, and by the traffic routed over it.

    Parameters
    ----------
    structure
        Counts and capacities in closed form.
    network, carried
        One copy, built, and what it carries.
    planes
        Copies that every endpoint is on.
    """
    violations = [*_connected(network.as_carried()), *_counts(structure, network)]
    checks = ["every box is joined to every other", "boxes, links and ports are as counted in closed form"]
    stated = structure.capacity.get("all_to_all")
    if carried.skipped:
        checks.append(f"all-to-all NOT routed ({carried.skipped}): the closed form stands unchecked")
    elif stated is not None:
        # With rails both are what those of one copy send to each other.
        least, most = carried.rate.least * planes, carried.rate.most * planes
        if least > stated.most * (1 + _TOLERANCE) or most < stated.least * (1 - _TOLERANCE):
            violations.append(
                f"all-to-all of {least:g} to {most:g} Gb/s per endpoint is routed, "
                f"{stated.least:g} to {stated.most:g} stated in closed form"
            )
        how = "all-to-all routed: " + (
            f"{least:,.4g} Gb/s per endpoint, as in closed form"
            if most - least <= _TOLERANCE * most
            else f"{least:,.4g} to {most:,.4g} Gb/s per endpoint, which agrees with the closed form"
        )
        checks.append(how)
    return FlowCheck(network.boxes, int(network.links.size), tuple(checks), tuple(violations))


def _connected(network: Network) -> Iterator[str]:
    ones = np.ones(network.lower.size, np.int8)
    graph = coo_matrix((ones, (network.lower, network.upper)), shape=(network.boxes, network.boxes))
    parts, part = connected_components(graph, directed=False)
    if parts > 1:
        most = int(np.argmax(np.bincount(part)))
        apart = np.flatnonzero(part != most)
        names = ", ".join(network.name(int(box)) for box in apart[:_SHOWN]) + (" ..." if apart.size > _SHOWN else "")
        yield f"{apart.size} boxes are cut off from the others: {names}"


def _counts(structure: Structure, network: Network) -> Iterator[str]:
    has = {kind.name: kind.count for kind in network.kinds[1:]}
    ports = network.ports()
    if network.endpoints != structure.endpoints_per_copy:
        yield f"{network.endpoints} endpoints are built, {structure.endpoints_per_copy} counted"
    for stage in structure.stages:
        if has.get(stage.name) != stage.boxes:
            yield f"{has.get(stage.name, 0)} boxes of {stage.name} are built, {stage.boxes} counted"
        elif stage.boxes:
            most = int(ports[network.kind_range(stage.name)].max())
            if most != stage.ports:
                yield f"a {stage.name} uses {most} ports, {stage.ports} counted"
    built = {bundle.name: bundle.rate_gbps for bundle in network.bundles}
    for bundle in structure.bundles:
        if bundle.name not in built:
            yield f"links of {bundle.name} are not built, {bundle.links} counted"
        elif (links := network.links_of(bundle.name)) != bundle.links:
            yield f"{links} links of {bundle.name} are built, {bundle.links} counted"
        elif built[bundle.name] != bundle.rate_gbps:
            yield f"links of {bundle.name} run at {built[bundle.name]:g} Gb/s, {bundle.rate_gbps:g} counted"


def capacities_of(
    structure: Structure, carried: Carried, demand: GivenDemand | None, grouping: Grouping
) -> tuple[Capacity, ...]:
    """What a network carries for each accelerator, and whether that is enough.

    Parameters
    ----------
    structure
        Its capacities per endpoint, in closed form.
    carried
        What is carried on one built copy: narrows the all-to-all of a closed form that is an interval.
    demand
        What is asked per accelerator.
    grouping
        Endpoints of one accelerator, and the copies they are on.
    """
    found = []
    for pattern in PATTERNS:
        rate = structure.capacity.get(pattern)
        asked = None if demand is None else getattr(demand, f"{pattern}_gbps")
        if rate is None:
            rate = Rate(0.0, math.inf, "not stated by the family")
        if pattern == "all_to_all":
            rate = _narrowed(rate, carried.rate, grouping.planes)
        least, most = rate.least * grouping.each, rate.most * grouping.each
        found.append(
            Capacity(
                pattern,
                least,
                None if math.isinf(most) else most,
                rate.source,
                asked,
                _verdict(asked, least, most),
                asked / least if asked is not None and least else None,
            )
        )
    return tuple(found)


def counted_on(network: GivenTopology) -> Structure:
    """The structure with the capacities that are counted on: spare planes carry nothing (docs/rules.md 3.1)."""
    spare, family = network.row.spare_planes, network.family
    if not spare or not isinstance(family, SingleStage):
        return network.structure
    used = family.planes - spare
    gbps = family.even_striping_gbps() * used / family.planes
    rate = Rate(gbps, gbps, f"even striping over {used} of {family.planes} switches, the others to spare")
    return replace(network.structure, capacity=dict.fromkeys(PATTERNS, rate))


def _narrowed(stated: Rate, routed: Rate, planes: int) -> Rate:
    """The part of both intervals; the closed form where they exclude each other, which is a violation of its own."""
    if stated.exact:
        return stated
    least, most = max(stated.least, routed.least * planes), min(stated.most, routed.most * planes)
    if least > most * (1 + _TOLERANCE):
        return stated
    return Rate(min(least, most), max(least, most), f"{stated.source}; {routed.source}")


def _verdict(asked: float | None, least: float, most: float) -> Verdict:
    if asked is None:
        return "not asked"
    if asked <= least * (1 + _TOLERANCE):
        return "carried"
    return "not carried" if asked > most * (1 + _TOLERANCE) else "not known"
