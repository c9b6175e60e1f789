"""What the instance asks for: pools and their peak tokens per second, in exact arithmetic."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from fractions import Fraction

from designer.design.types import PoolDesign
from designer.instance.schema import Fleet, Instance, Phase, Workload
from designer.verify.exact import exact


@dataclass(frozen=True)
class Asked:
    """One pool the instance asks for, or ``share`` of it, with the tokens per second it must serve at its peak.

    A fleet asks for accelerators: each stands for one token per second (section 6.2).
    """

    name: str
    demand: Workload | Fleet
    phase: Phase
    peak_tokens_per_s: Fraction
    share: Fraction = Fraction(1)

    @property
    def owner(self) -> str:
        """The workload or fleet that the pool belongs to."""
        return self.demand.name

    @property
    def workload(self) -> Workload:
        """The workload; a TypeError where it is a fleet, which has no tokens."""
        if isinstance(self.demand, Fleet):
            raise TypeError(f"{self.name} is a fleet")
        return self.demand


def asked_for(pool: PoolDesign, asked: Mapping[str, Asked]) -> Asked:
    """Return what a pool of a design is asked for: a part of a mixed pool its share of the peak (section 6.4).

    Raises KeyError where the instance has no such pool, ValueError where the share is none.
    """
    part, whole = pool.share
    if not 1 <= part <= whole:
        raise ValueError(f"{pool.name}: {part} / {whole} is no share of a pool")
    share, row = Fraction(part, whole), asked[pool.pool]
    return replace(row, name=pool.name, peak_tokens_per_s=row.peak_tokens_per_s * share, share=share)


def asked_of(instance: Instance) -> dict[str, Asked]:
    """List the pools of an instance by name, prefill before decode.

    A disaggregated workload has two pools, ``<name>.prefill`` and ``<name>.decode``; prefill computes the prompt
    tokens that no cache holds, as many prompts a second as there are answers. A fleet is one pool.
    """
    asked: dict[str, Asked] = {}
    for work in instance.workloads:
        output = exact(work.output_tokens_per_s) * exact(work.peak_factor)
        computed = output * work.prompt_tokens * (1 - exact(work.prefix_hit_share)) / work.output_tokens
        phases: dict[str, Phase]
        if work.serve == "disaggregated":
            phases = {f"{work.name}.prefill": "prefill", f"{work.name}.decode": "decode"}
        else:
            phases = {work.name: work.serve}
        for name, phase in phases.items():
            asked[name] = Asked(name, work, phase, computed if phase == "prefill" else output)
    for fleet in instance.fleets:
        asked[fleet.name] = Asked(fleet.name, fleet, "fleet", Fraction(fleet.accelerators))
    return asked
