"""The serving plan: what one pool runs, as plain data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from designer.instance.schema import Phase

AllToAll = Literal["direct", "hierarchical"]

LATENCY_ALLOWANCES_US = (0.0, 2.0, 4.0, 8.0, 16.0)
"""Allowances for the latency of the fabric at which a plan that crosses domains is listed (docs/rules.md, 6.1)."""


@dataclass(frozen=True)
class ServingPlan:
    """How a pool runs on one accelerator type in domains of one size.

    All ``*_gbps`` are Gb/s per accelerator, one direction. A fleet (``docs/rules.md`` 6.2) has no LLM and no token
    model: ``llm`` is empty, ``dp`` the accelerators of a job, one "token" per second and accelerator stands for the
    accelerator itself, ``step_s`` is 1, ``memory_bytes`` 0 and every other degree and the batch 1, without a meaning.

    Parameters
    ----------
    accelerator, domain_size, scale_up_gbps, nic, nics, nic_gbps
        The hardware the plan was computed for: ``domain_size`` S accelerators that reach each other at
        ``scale_up_gbps`` each (usable), and ``nics`` network cards of type ``nic`` with ``nic_gbps`` in total.
    tp, dp, ep, pp, batch
        Tensor, attention-data, expert and pipeline parallel degrees; sequences per attention-DP rank
        (decode, together) or prompt tokens per DP rank and pass (prefill).
    accelerators_per_replica
        ``tp * dp * pp``.
    replicas_per_domain, domains_per_replica
        ``floor(S/N)`` and 1 when a replica fits in a domain, else 1 and ``ceil(N/S)``.
    step_s
        One decode step or one prefill pass.
    tpot_s, ttft_estimate_s
        Time per output token (None for prefill); time to first token, an unvalidated estimate (None for decode).
    tokens_per_s_per_accelerator
        Output tokens (decode, together) or computed prompt tokens (prefill).
    memory_bytes
        Weights plus KV cache held per accelerator at that batch.
    scale_up_need_gbps
        Rate at which traffic leaves an accelerator inside the domain while the plan communicates,
        divided by the link efficiency: what the links must carry for the plan's times to hold.
    scale_out_ep_need_gbps
        The same for expert traffic leaving the domain.
    scale_out_other_need_gbps
        The same for everything else that leaves the domain: tensor and pipeline parallel traffic across
        domains, and KV caches (mean rate over efficiency).
    measured
        True when the figures come from the user's own points.
    latency_allowance_us
        How much longer than the calibration's reference path (``path_reference_us``) the fabric's may be for the
        plan's times to hold; None where no dispatch, combine or all-reduce crosses domains: any path will do.
    """

    pool: str
    phase: Phase
    llm: str
    accelerator: str
    domain_size: int
    scale_up_gbps: float
    nic: str
    nics: int
    nic_gbps: float
    tp: int
    dp: int
    ep: int
    pp: int
    batch: int
    two_batch_overlap: bool
    all_to_all: AllToAll
    accelerators_per_replica: int
    replicas_per_domain: int
    domains_per_replica: int
    step_s: float
    tpot_s: float | None
    ttft_estimate_s: float | None
    tokens_per_s_per_accelerator: float
    memory_bytes: float
    scale_up_need_gbps: float
    scale_out_ep_need_gbps: float
    scale_out_other_need_gbps: float
    measured: bool = False
    latency_allowance_us: float | None = None
