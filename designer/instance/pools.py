"""Workloads and fleets -> pools: the accelerators that serve one phase of one workload, or one fleet."""

from __future__ import annotations

from dataclasses import dataclass

from designer.instance.schema import Fleet, Instance, Phase, Workload


@dataclass(frozen=True)
class Pool:
    """One pool to be sized.

    Parameters
    ----------
    name
        That of the workload or fleet; where a workload has two pools, ``<workload>.prefill`` and ``<workload>.decode``.
    demand
        The workload or fleet it serves.
    phase
        ``decode``, ``prefill`` or ``together``; ``fleet`` for a fleet.
    tokens_per_s
        Mean tokens per second of the phase: output tokens for decode and together, computed (not cached)
        prompt tokens for prefill. Of a fleet: the accelerators asked for, as if each made one token per second.
    receives_kv, sends_kv
        Whether the KV cache of each prompt crosses the scale-out fabric into or out of this pool.
    """

    name: str
    demand: Workload | Fleet
    phase: Phase
    tokens_per_s: float
    receives_kv: bool
    sends_kv: bool

    @property
    def owner(self) -> str:
        """Name of the workload or fleet; pools of one owner share a fabric."""
        return self.demand.name

    @property
    def fleet(self) -> Fleet | None:
        """The fleet, None where the pool serves tokens."""
        return self.demand if isinstance(self.demand, Fleet) else None

    @property
    def workload(self) -> Workload:
        """The workload.

        Raises
        ------
        TypeError
            If it is a fleet: that has no tokens, LLM or latency.
        """
        if isinstance(self.demand, Fleet):
            raise TypeError(f"pool {self.name} is a fleet; it serves no tokens")
        return self.demand

    @property
    def peak_tokens_per_s(self) -> float:
        """Tokens per second the pool must serve at its peak; of a fleet the accelerators asked for."""
        return self.tokens_per_s * (1.0 if isinstance(self.demand, Fleet) else self.demand.peak_factor)


def pools_of(instance: Instance) -> tuple[Pool, ...]:
    """List the pools of an instance in the order of its workloads (prefill before decode), then its fleets.

    A workload served by ``decode`` alone still receives its KV caches from prefill elsewhere, and
    ``prefill`` alone sends them: the traffic leaves the pool in both cases.
    """
    pools: list[Pool] = []
    for work in instance.workloads:
        ratio = work.prompt_tokens * (1.0 - work.prefix_hit_share) / work.output_tokens
        prompt_rate = work.output_tokens_per_s * ratio
        both = work.serve == "disaggregated"
        if work.serve in ("prefill", "disaggregated"):
            name = f"{work.name}.prefill" if both else work.name
            pools.append(Pool(name, work, "prefill", prompt_rate, receives_kv=False, sends_kv=True))
        if work.serve in ("decode", "disaggregated"):
            name = f"{work.name}.decode" if both else work.name
            pools.append(Pool(name, work, "decode", work.output_tokens_per_s, receives_kv=True, sends_kv=False))
        if work.serve == "together":
            pools.append(Pool(work.name, work, "together", work.output_tokens_per_s, False, False))
    for fleet in instance.fleets:
        pools.append(Pool(fleet.name, fleet, "fleet", float(fleet.accelerators), receives_kv=False, sends_kv=False))
    return tuple(pools)
