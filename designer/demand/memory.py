"""Bytes that weights and KV cache occupy per accelerator, and the largest batch that fits."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from designer.demand.efficiency import Efficiency
from designer.demand.hardware import Precision
from designer.demand.llm import LlmShape, kv_bytes_per_token
from designer.demand.points import Floats, Ints, PlanPoints


def attention_params_per_rank(shape: LlmShape, tp: ArrayLike) -> Floats:
    """Attention weights of a layer that one tensor-parallel rank holds.

    ``P_attn/t``, where the first term of MLA, ``d*(r_q+r_kv+d_r)``, is held whole by every rank.
    """
    whole = shape.attention_unsharded_params
    return np.asarray(whole + (shape.attention_params - whole) / np.asarray(tp, dtype=np.float64))


def weight_bytes(shape: LlmShape, precision: Precision, points: PlanPoints) -> Floats:
    """Weight bytes per accelerator.

    ``[ (L*P_attn + 2*P_head)*w_a/t + (L_d*P_ff + L_m*P_sh)*w_f/t + L_m*(E+red)*P_exp*w_f/(e*etp) ] / pp``
    with ``etp = t*D/e`` and P_attn as in `attention_params_per_rank`.
    """
    t = points.tp.astype(np.float64)
    heads = 1 if shape.tied_head else 2
    attention = shape.layers * attention_params_per_rank(shape, t) + heads * shape.head_params / t
    dense = (shape.dense_layers * shape.dense_params + shape.moe_layers * shape.shared_params) / t
    routed = shape.moe_layers * points.slots * shape.expert_params / (points.tp * points.dp).astype(np.float64)
    per_stage = attention * precision.attention_weight_bytes + (dense + routed) * precision.ffn_weight_bytes
    return np.asarray(per_stage / points.pp)


def kv_shard(shape: LlmShape, tp: ArrayLike) -> Floats:
    """By how much tensor parallelism divides the KV cache: ``min(t,g)`` for GQA, 1 for MLA."""
    ranks = np.asarray(tp, dtype=np.float64)
    return np.ones_like(ranks) if shape.attention == "mla" else np.minimum(ranks, shape.kv_heads)


def kv_bytes_per_sequence(shape: LlmShape, precision: Precision, points: PlanPoints, context: float) -> Floats:
    """KV bytes one sequence of a data-parallel rank holds per accelerator at a context of ``context`` tokens.

    Not divided by pp: each stage holds 1/pp of the layers for pp micro-batches of b sequences.
    """
    local = shape.layers - shape.growing_layers
    windowed = local * shape.kv_elements_per_layer * precision.kv_bytes * min(context, shape.window)
    whole = kv_bytes_per_token(shape, precision.kv_bytes) * context + windowed
    return whole / kv_shard(shape, points.tp)


def usable_bytes(hbm_bytes: ArrayLike, efficiency: Efficiency) -> Floats:
    """Bytes for weights and KV cache: ``u*HBM - reserve``."""
    memory = np.asarray(hbm_bytes, dtype=np.float64)
    return np.asarray(efficiency.memory_use * memory - efficiency.memory_reserve_bytes)


def batch_limit(
    shape: LlmShape,
    precision: Precision,
    points: PlanPoints,
    hbm_bytes: ArrayLike,
    context: float,
    efficiency: Efficiency,
) -> Ints:
    """Largest batch per data-parallel rank that fits.

    ``b_max = floor( (u*HBM - reserve - weights) / (KV_token*s/shard) )``, 0 where the weights do not fit.

    Parameters
    ----------
    hbm_bytes
        Memory of the accelerator, scalar or shape (points,).
    context
        Tokens s a sequence holds.

    Returns
    -------
    array of int, shape (points,)
    """
    room = usable_bytes(hbm_bytes, efficiency) - weight_bytes(shape, precision, points)
    limit = np.floor(room / kv_bytes_per_sequence(shape, precision, points, context))
    return np.asarray(np.maximum(limit, 0.0), dtype=np.int64)
