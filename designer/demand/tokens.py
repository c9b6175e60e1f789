"""Seconds per decode step and per prefill pass, for columns of plan points.

The model is a sum of soft rooflines plus fixed and communication times; docs/token_model.md states it in full.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from designer.demand.efficiency import Efficiency
from designer.demand.hardware import BF16_BYTES, Precision
from designer.demand.llm import LlmShape, attended_tokens
from designer.demand.memory import attention_params_per_rank, kv_shard
from designer.demand.points import Floats, PlanPoints, Rates
from designer.demand.traffic import (
    all_reduces,
    exchanges_across,
    expert_bytes_per_token,
    has_all_to_all,
    pipeline_bytes_per_token,
    tensor_bytes_per_token,
)


@dataclass(frozen=True)
class PassTimes:
    """Times and bytes of one decode step or prefill pass; arrays of shape ``(points,)``.

    Parameters
    ----------
    compute_s
        GEMMs, attention and element-wise work, derated for prefill and overlap as the phase asks.
    fixed_s
        Launches; twice the single-batch value under two-batch overlap.
    transfer_s
        ``T_x = max(B_u/(eta_u*W_u), B_o/(eta_o*W_o))``, the bandwidth part of communication.
    latency_s
        Latency part of communication.
    step_s
        The whole step or pass.
    scale_up_bytes, scale_out_expert_bytes, scale_out_other_bytes
        Bytes ``B`` the busiest accelerator sends in the step: expert traffic times the imbalance factor,
        tensor and pipeline traffic as is. ``B_o`` is the sum of the last two.
    """

    compute_s: Floats
    fixed_s: Floats
    transfer_s: Floats
    latency_s: Floats
    step_s: Floats
    scale_up_bytes: Floats
    scale_out_expert_bytes: Floats
    scale_out_other_bytes: Floats

    @property
    def scale_out_bytes(self) -> Floats:
        """All bytes of the step that leave the domain, ``B_o``."""
        return self.scale_out_expert_bytes + self.scale_out_other_bytes


@dataclass(frozen=True)
class Exchange:
    """What communication costs whatever the batch; arrays of shape ``(points,)``.

    Parameters
    ----------
    expert_up_bytes, expert_out_bytes
        Expert traffic of one token inside and out of the domain, before its tensor-parallel group shares it.
    other_up_bytes, other_out_bytes
        Tensor and pipeline parallel traffic per accelerator and token, inside and out of the domain.
    latency_s
        Latency part of all exchanges of a pass.
    """

    expert_up_bytes: Floats
    expert_out_bytes: Floats
    other_up_bytes: Floats
    other_out_bytes: Floats
    latency_s: Floats


def exchange_of(shape: LlmShape, precision: Precision, points: PlanPoints, efficiency: Efficiency) -> Exchange:
    """Collect what the exchanges of plan points cost whatever the batch."""
    expert_up, expert_out = expert_bytes_per_token(shape, precision, points)
    tensor_up, tensor_out = tensor_bytes_per_token(shape, points)
    pipe_up, pipe_out = pipeline_bytes_per_token(shape, points)
    latency = _latency_seconds(shape, points, efficiency)
    return Exchange(expert_up, expert_out, tensor_up + pipe_up, tensor_out + pipe_out, latency)


def soft_roofline(compute_s: ArrayLike, memory_s: ArrayLike, p: float) -> Floats:
    """Combine compute and memory time: ``R = (x^p + y^p)^(1/p)``, between the larger and the sum.

    Examples
    --------
    >>> round(float(soft_roofline(3.0, 4.0, 2.0)), 9)
    5.0
    """
    x, y = np.asarray(compute_s, dtype=np.float64), np.asarray(memory_s, dtype=np.float64)
    longer = np.maximum(x, y)
    # Scaled by the longer side: one power less than the plain form, and no underflow.
    ratio = np.minimum(x, y) / np.where(longer > 0.0, longer, 1.0)
    return np.asarray(longer * (1.0 + ratio**p) ** (1.0 / p))


def transfer_seconds(sent_bytes: Floats, bytes_per_s: Floats) -> Floats:
    """Seconds to send bytes; 0 if nothing is sent, infinite over a link that does not exist."""
    rate = np.broadcast_to(bytes_per_s, sent_bytes.shape)
    missing = np.where(sent_bytes > 0.0, np.inf, 0.0)
    return np.divide(sent_bytes, rate, out=missing, where=(rate > 0.0) & (sent_bytes > 0.0))


def decode_step(
    shape: LlmShape,
    precision: Precision,
    points: PlanPoints,
    rates: Rates,
    efficiency: Efficiency,
    *,
    batch: ArrayLike,
    context: float,
    draft_tokens: int = 0,
    exchange: Exchange | None = None,
) -> PassTimes:
    """Time one decode step.

    Each rank computes ``m = b*(1+draft)`` tokens against b caches of s tokens.

    Parameters
    ----------
    batch
        b, sequences per attention-data-parallel rank (per micro-batch with pp > 1); shape (points,).
    context
        s, mean tokens of context.
    draft_tokens
        Draft tokens verified per step and sequence.
    exchange
        `exchange_of` these points, where the caller has it for many batches.

    Returns
    -------
    PassTimes
    """
    b = np.asarray(batch, dtype=np.float64)
    m = b * (1.0 + draft_tokens)
    element_bytes = shape.kv_elements_per_layer * precision.kv_bytes
    reach = min(context, float(shape.window))
    return _pass(
        shape,
        precision,
        points,
        rates,
        efficiency,
        exchange or exchange_of(shape, precision, points, efficiency),
        tokens=m,
        head_tokens=m,
        core_flop=m * shape.attention_flop_decode * context,
        core_bytes=b * context * element_bytes,
        local_share=reach / context,
        imbalance=efficiency.imbalance_decode,
        derate=1.0,
        overlap_derate=1.0,
    )


def prefill_pass(
    shape: LlmShape,
    precision: Precision,
    points: PlanPoints,
    rates: Rates,
    efficiency: Efficiency,
    *,
    tokens: ArrayLike,
    prompt: float,
    hit_share: float = 0.0,
    exchange: Exchange | None = None,
) -> PassTimes:
    """Time one prefill pass over n computed prompt tokens per data-parallel rank.

    As a decode step of n tokens, with causal attention (``s*hit + s*(1-hit)/2`` tokens attended on average), the
    output head for one token per prompt, compute divided by the prefill factor and, under two-batch overlap, by the
    share of compute that communication kernels leave.

    Parameters
    ----------
    tokens
        n, computed prompt tokens per rank and pass; shape (points,).
    prompt
        s, prompt length with its cached prefix.
    hit_share
        Share of the prompt found in a cache, below 1.
    exchange
        `exchange_of` these points, where the caller has it for many batches.

    Raises
    ------
    ValueError
        If everything is cached: then there is nothing to compute.
    """
    if not 0.0 <= hit_share < 1.0:
        raise ValueError(f"hit_share: read {hit_share}; allowed: at least 0 and below 1")
    n = np.asarray(tokens, dtype=np.float64)
    attended = attended_tokens(prompt, hit_share)
    element_bytes = shape.kv_elements_per_layer * precision.kv_bytes
    return _pass(
        shape,
        precision,
        points,
        rates,
        efficiency,
        exchange or exchange_of(shape, precision, points, efficiency),
        tokens=n,
        head_tokens=n / (prompt * (1.0 - hit_share)),
        core_flop=n * shape.attention_flop_prefill * attended,
        core_bytes=n / (1.0 - hit_share) * element_bytes,
        local_share=min(attended, float(shape.window)) / attended,
        imbalance=efficiency.imbalance_prefill,
        derate=efficiency.prefill,
        overlap_derate=efficiency.overlap_compute,
    )


def _pass(
    shape: LlmShape,
    precision: Precision,
    points: PlanPoints,
    rates: Rates,
    efficiency: Efficiency,
    exchange: Exchange,
    *,
    tokens: Floats,
    head_tokens: Floats,
    core_flop: Floats,
    core_bytes: Floats,
    local_share: float,
    imbalance: float,
    derate: float,
    overlap_derate: float,
) -> PassTimes:
    overlapped = points.two_batch_overlap
    # Each of two micro-batches reads every layer's weights and launches every kernel again; the head runs once.
    reads = np.where(overlapped, 2.0, 1.0)
    compute = _compute_seconds(
        shape, precision, points, rates, efficiency, tokens, head_tokens, core_flop, core_bytes, local_share,
        imbalance, reads,
    )  # fmt: skip
    compute = compute / derate / np.where(overlapped, overlap_derate, 1.0)
    mla = efficiency.mla_launch_s if shape.attention == "mla" else 0.0
    launches = shape.layers * (efficiency.layer_launch_s + mla) + shape.moe_layers * efficiency.moe_launch_s
    fixed = launches * reads

    own = tokens / points.tp  # a tensor-parallel group shares the dispatch of its tokens
    up = imbalance * exchange.expert_up_bytes * own + exchange.other_up_bytes * tokens
    out_expert = imbalance * exchange.expert_out_bytes * own
    out_other = exchange.other_out_bytes * tokens
    transfer = np.maximum(
        transfer_seconds(up, efficiency.scale_up * points.scale_up_bytes_per_s),
        transfer_seconds(out_expert + out_other, efficiency.scale_out * points.scale_out_bytes_per_s),
    )
    work, talk = compute + fixed, transfer + exchange.latency_s
    # inf - inf would be nan where a link is missing: such a step is infinite either way.
    hidden = np.where(np.isfinite(talk), np.minimum(work, talk), 0.0) * efficiency.overlap
    step = work + talk - np.where(overlapped, hidden, 0.0)
    return PassTimes(compute, fixed, transfer, exchange.latency_s, step, up, out_expert, out_other)


def _latency_seconds(shape: LlmShape, points: PlanPoints, efficiency: Efficiency) -> Floats:
    """Sum the latencies of all exchanges; one that crosses domains also takes what the fabric may add.

    A dispatch or combine goes through the fabric once; an all-reduce twice, to reduce and to return.
    """
    experts_cross, tensors_cross = exchanges_across(shape, points)
    added = points.latency_allowance_us * 1e-6
    exchange = np.where(experts_cross, efficiency.all_to_all_across_s + added, efficiency.all_to_all_s)
    reduce = np.where(tensors_cross, efficiency.all_reduce_across_s + 2.0 * added, efficiency.all_reduce_s)
    exchanges = np.where(has_all_to_all(shape, points), 2.0 * shape.moe_layers, 0.0)
    return np.asarray(exchange * exchanges + reduce * all_reduces(shape, points))


def _compute_seconds(
    shape: LlmShape,
    precision: Precision,
    points: PlanPoints,
    rates: Rates,
    efficiency: Efficiency,
    tokens: Floats,
    head_tokens: Floats,
    core_flop: Floats,
    core_bytes: Floats,
    local_share: float,
    imbalance: float,
    reads: Floats,
) -> Floats:
    """Sum the rooflines of all layers: projections, attention core, feed-forward parts, head, element-wise passes."""
    p, memory = efficiency.roofline_p, rates.hbm_bytes_per_s
    t = points.tp.astype(np.float64)
    attention = attention_params_per_rank(shape, t)
    ffn_bytes = precision.ffn_weight_bytes

    total = shape.layers * soft_roofline(
        2.0 * attention * tokens / rates.projection_flops,
        attention * precision.attention_weight_bytes * reads / memory,
        p,
    )
    core_compute, core_memory = core_flop / t / rates.core_flops, core_bytes / kv_shard(shape, t) / memory
    total = total + shape.growing_layers * soft_roofline(core_compute, core_memory, p)
    local_layers = shape.layers - shape.growing_layers
    if local_layers and local_share:
        # Both sides scale with the tokens seen, and R is homogeneous.
        total = total + local_layers * local_share * soft_roofline(core_compute, core_memory, p)
    if shape.moe_layers:
        ranks = (points.tp * points.dp).astype(np.float64)
        touched = 1.0 - (1.0 - shape.experts_per_token / shape.experts) ** (tokens * points.dp)
        routed = soft_roofline(
            2.0 * shape.expert_params * tokens * points.dp * shape.experts_per_token / ranks / rates.ffn_flops,
            points.slots * touched * shape.expert_params / ranks * ffn_bytes * reads / memory,
            p,
        )
        total = total + shape.moe_layers * imbalance * routed
    for layers, params in (
        (shape.moe_layers, shape.shared_params),
        (shape.dense_layers, shape.dense_params),
    ):
        if layers and params:
            total = total + layers * soft_roofline(
                2.0 * params * tokens / t / rates.ffn_flops, params / t * ffn_bytes * reads / memory, p
            )
    total = total + soft_roofline(
        2.0 * shape.head_params * head_tokens / t / rates.head_flops,
        shape.head_params / t * BF16_BYTES / memory,
        p,
    )
    copies = shape.experts_per_token / t
    passes = efficiency.passes_per_layer * shape.layers + efficiency.passes_per_expert_copy * copies * shape.moe_layers
    return np.asarray(total + 2.0 * shape.hidden * tokens * passes / memory)
