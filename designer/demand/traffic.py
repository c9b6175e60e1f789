"""Bytes an accelerator sends per token: expert all-to-all, tensor and pipeline parallel traffic, KV caches.

All counts are egress of one accelerator; egress equals ingress. "Scale-up" stays inside the domain,
"scale-out" leaves it.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from designer.demand.hardware import ACTIVATION_BYTES, Precision
from designer.demand.llm import LlmShape, kv_bytes_per_token
from designer.demand.points import Bools, Floats, PlanPoints


def distinct(boxes: ArrayLike, draws: float) -> Floats:
    """Expected number of distinct boxes hit by k independent draws: ``distinct(x,k) = x*(1-(1-1/x)^k)``.

    Parameters
    ----------
    boxes
        x, at least 1.
    draws
        k.

    Examples
    --------
    >>> float(distinct(1.0, 8)), float(distinct(4.0, 1))
    (1.0, 1.0)
    """
    x = np.asarray(boxes, dtype=np.float64)
    return np.asarray(x * (1.0 - (1.0 - 1.0 / x) ** draws), dtype=np.float64)


def domains_of_experts(ep: ArrayLike, domain_size: ArrayLike) -> Floats:
    """Domains over which the expert ranks spread, ``n_dom = ceil(e/S)``."""
    return np.ceil(np.asarray(ep, dtype=np.float64) / np.asarray(domain_size, dtype=np.float64))


def domains_reached(shape: LlmShape, domains: Floats) -> Floats:
    """Domains that hold an expert of a token, its own included.

    ``D = distinct(n_dom,k)``; with group-limited routing (M of Gr groups) ``g = distinct(M,k)`` and
    ``D = n_dom*(1-(1-g/Gr)^(Gr/n_dom))`` if ``n_dom <= Gr``, else ``distinct(M*n_dom/Gr, k)``.
    """
    k, groups, limit = shape.experts_per_token, shape.expert_groups, shape.groups_per_token
    if groups <= 1:
        return distinct(domains, k)
    share = float(distinct(float(limit), k)) / groups
    few = domains * (1.0 - (1.0 - share) ** (groups / domains))
    many = distinct(np.maximum(limit * domains / groups, 1.0), k)
    return np.where(domains <= groups, few, many)


def all_to_all_copies(shape: LlmShape, points: PlanPoints) -> tuple[Floats, Floats]:
    """Copies of a token that leave its accelerator in one dispatch (or one combine) of an MoE layer.

    With ``n_dom = ceil(e/S)`` domains of ``s = e/n_dom`` ranks (s = S where S divides e):

    - direct: ``k/n_dom*(1-1/s)`` in the domain, ``k*(1-1/n_dom)`` out of it (exactly ``1 - S/e`` of all k);
    - hierarchical: ``distinct(e,k)*(1-1/s)`` in the domain, ``D*(1-1/n_dom)`` out of it.

    Returns
    -------
    tuple of arrays, shape (points,)
        Copies inside the domain and copies that leave it; fractions are expectations.

    Examples
    --------
    >>> from designer.demand.points import plan_points
    >>> v3 = LlmShape(layers=61, moe_layers=58, hidden=7168, heads=128, vocabulary=129280, attention="mla",
    ...     q_rank=1536, kv_rank=512, nope_dim=128, rope_dim=64, value_dim=128, dense_width=18432,
    ...     expert_width=2048, shared_width=2048, experts=256, experts_per_token=8)
    >>> up, out = all_to_all_copies(v3, plan_points(tp=1, dp=64, ep=64, domain_size=16,
    ...                             scale_up_bytes_per_s=0, scale_out_bytes_per_s=0))
    >>> float(up[0]), float(out[0])
    (1.875, 6.0)
    """
    k = float(shape.experts_per_token)
    ranks = points.ep.astype(np.float64)
    domains = domains_of_experts(points.ep, points.domain_size)
    remote_rank = 1.0 - domains / ranks
    remote_domain = 1.0 - 1.0 / domains
    inside = np.where(points.hierarchical, distinct(ranks, k), k / domains) * remote_rank
    leaving = np.where(points.hierarchical, domains_reached(shape, domains), k) * remote_domain
    return inside, leaving


def has_all_to_all(shape: LlmShape, points: PlanPoints) -> Bools:
    """Whether MoE layers exchange tokens: experts spread (e > 1) under attention-data parallelism (D > 1)."""
    return np.asarray((shape.moe_layers > 0) & (points.ep > 1) & (points.dp > 1))


def exchanges_across(shape: LlmShape, points: PlanPoints) -> tuple[Bools, Bools]:
    """Whether dispatch and combine cross domains (all-to-all with e > S), and whether all-reduces do (t > S)."""
    return has_all_to_all(shape, points) & (points.ep > points.domain_size), points.tp > points.domain_size


def crosses_domains(shape: LlmShape, points: PlanPoints) -> Bools:
    """Whether any exchange that is waited for crosses domains, so that the latency of the fabric counts."""
    experts, tensors = exchanges_across(shape, points)
    return experts | tensors


def expert_bytes_per_token(shape: LlmShape, precision: Precision, points: PlanPoints) -> tuple[Floats, Floats]:
    """Expert traffic of one token through all MoE layers, dispatch and combine: ``L_m*d*(b_d+b_c)*copies``.

    Returns
    -------
    tuple of arrays, shape (points,)
        Bytes inside the domain and bytes that leave it, 0 without all-to-all. A tensor-parallel group shares
        its tokens: each of its t accelerators sends a t-th of this.
    """
    unit = shape.moe_layers * shape.hidden * (precision.dispatch_bytes + precision.combine_bytes)
    active = has_all_to_all(shape, points)
    if not active.any():
        nothing = np.zeros(len(points))
        return nothing, nothing
    inside, leaving = all_to_all_copies(shape, points)
    return np.where(active, unit * inside, 0.0), np.where(active, unit * leaving, 0.0)


def all_reduces(shape: LlmShape, points: PlanPoints) -> Floats:
    """All-reduces of a pass: ``n_AR = 2L``; ``L + L_d`` where the MoE layers use all-to-all; 0 for t = 1."""
    count = np.where(has_all_to_all(shape, points), shape.layers + shape.dense_layers, 2 * shape.layers)
    return np.where(points.tp > 1, count, 0).astype(np.float64)


def tensor_bytes_per_token(shape: LlmShape, points: PlanPoints, in_network: bool = False) -> tuple[Floats, Floats]:
    """All-reduce bytes per accelerator and token of its tensor-parallel group.

    With ``s = min(t,S)`` ranks in the domain and ``q = ceil(t/s)`` domains: ``n_AR*d*a*2(s-1)/s`` in the domain
    (``n_AR*d*a*1`` with in-network reduction) and ``n_AR*d*a*2(q-1)/(q*s)`` out of it.
    """
    s = np.minimum(points.tp, points.domain_size).astype(np.float64)
    q = np.ceil(points.tp / s)
    vector = all_reduces(shape, points) * shape.hidden * ACTIVATION_BYTES
    share = np.where(s > 1, 1.0, 0.0) if in_network else 2.0 * (s - 1.0) / s
    return vector * share, vector * 2.0 * (q - 1.0) / (q * s)


def pipeline_bytes_per_token(shape: LlmShape, points: PlanPoints) -> tuple[Floats, Floats]:
    """Pipeline bytes ``(pp-1)*d*a``: scale-up if the whole replica fits in a domain, else scale-out."""
    sent = (points.pp - 1.0) * shape.hidden * ACTIVATION_BYTES
    fits = points.replica <= points.domain_size
    return np.where(fits, sent, 0.0), np.where(fits, 0.0, sent)


def kv_rate_prefill(shape: LlmShape, precision: Precision, tokens_per_s: Floats, hit_share: float) -> Floats:
    """Mean byte/s of KV cache an accelerator of a prefill pool sends.

    ``KV_token`` bytes per *prompt* token: the cached prefix also has to reach the decoder, so the computed
    tokens count ``1/(1-hit)`` fold.

    Parameters
    ----------
    tokens_per_s
        Computed prompt tokens per second and accelerator.
    hit_share
        Share of the prompt found in a cache, below 1.
    """
    return tokens_per_s / (1.0 - hit_share) * kv_bytes_per_token(shape, precision.kv_bytes)


def kv_rate_decode(shape: LlmShape, precision: Precision, tokens_per_s: Floats, prompt: float, output: float) -> Floats:
    """Mean byte/s of KV cache an accelerator of a decode pool receives: ``tok/s * (isl/osl) * KV_token``."""
    return tokens_per_s * (prompt / output) * kv_bytes_per_token(shape, precision.kv_bytes)
