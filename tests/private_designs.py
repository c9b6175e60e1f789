"""Designs put side by side: several scale-out fabrics, each with the pools of one sound design."""

from __future__ import annotations

from dataclasses import replace

from verify_designs import pod_design, rack_design, rack_instance, workload
from verify_small_designs import small

from designer.design.types import Design
from designer.instance.schema import Choose, Instance, Lengths, Site, Workload


def side_by_side(*designs: Design, name: str | None = None) -> Design:
    """Each design on a fabric of its own; names of pools must differ."""
    pools = [replace(pool, fabric=at) for at, design in enumerate(designs) for pool in design.pools]
    first, *more = (design.fabric for design in designs)
    return Design(name or designs[0].instance, tuple(pools), first, tuple(more))


def renamed(design: Design, name: str) -> Design:
    """A design of one pool that serves another workload."""
    (pool,) = design.pools
    return replace(design, pools=(replace(pool, name=name, workload=name, plan=replace(pool.plan, pool=name)),))


def private_instance(works: tuple[Workload, ...] | None = None, **other: object) -> Instance:
    """The question that ``private_design`` answers: racks for one workload, boards for the other.

    Four hosts on a leaf of the boards fill two racks.
    """
    both = (workload(tpot_ms=20.0), workload(name="big", serve="disaggregated"))
    given: dict[str, object] = {
        "workloads": works or both,
        "choose": Choose(spine_tapers=(1.0, 3.0)),
        "site": Site(lengths=Lengths(three_racks_away_m=20.0)),
    }
    return rack_instance(**{**given, **other})


def boards() -> Design:
    """The pod design where lengths are not forced: the one host of a decode leaf stands in one rack."""
    design = pod_design()
    prefill, decode = design.pools
    return replace(design, pools=(prefill, replace(decode, nic_leaf=replace(decode.nic_leaf, length_m=2.5))))


def private_design() -> Design:
    """The rack design on two stages, and the pod design's two pools on three stages of their own."""
    return side_by_side(rack_design(), boards())


def many_small(number: int) -> tuple[Design, Instance]:
    """So many workloads, two racks and one switch each."""
    design, instance = small()
    names = [f"work{at}" for at in range(number)]
    asked = tuple(instance.workloads[0].model_copy(update={"name": name}) for name in names)
    joined = side_by_side(*(renamed(design, name) for name in names))
    return joined, instance.model_copy(update={"workloads": asked})
