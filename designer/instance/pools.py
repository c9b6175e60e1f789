"""Workloads -> pools: the accelerators that serve one phase of one workload."""

from __future__ import annotations

from dataclasses import dataclass

from designer.instance.schema import Instance, Phase, Workload


@dataclass(frozen=True)
class Pool:
    """One pool to be sized.

    Parameters
    ----------
    name
        ``<workload>`` or, where a workload has two pools, ``<workload>.prefill`` and ``<workload>.decode``.
    workload
        The workload it serves.
    phase
        ``decode``, ``prefill`` or ``together``.
    tokens_per_s
        Mean tokens per second of the phase: output tokens for decode and together, computed (not cached)
        prompt tokens for prefill.
    receives_kv, sends_kv
        Whether the KV cache of each prompt crosses the scale-out fabric into or out of this pool.
    """

    name: str
    workload: Workload
    phase: Phase
    tokens_per_s: float
    receives_kv: bool
    sends_kv: bool

    @property
    def peak_tokens_per_s(self) -> float:
        """Tokens per second the pool must serve at its peak."""
        return self.tokens_per_s * self.workload.peak_factor


def pools_of(instance: Instance) -> tuple[Pool, ...]:
    """List the pools of an instance in the order of its workloads (prefill before decode).

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
    return tuple(pools)
