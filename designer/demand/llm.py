"""What an LLM is to the token model: layer counts and widths, parameters, FLOP and KV bytes per token."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from designer.catalogue import Llm

Attention = Literal["gqa", "mla"]


@dataclass(frozen=True)
class LlmShape:
    """Dimensions of a decoder-only LLM.

    Parameters
    ----------
    layers, moe_layers
        Layers in all, and those whose feed-forward part is a mixture of experts (the rest are dense).
    hidden, heads, vocabulary
        Width of the residual stream, query heads, entries of the vocabulary.
    attention
        ``gqa`` (grouped queries; multi-head is ``kv_heads == heads``) or ``mla`` (latent attention).
    kv_heads, head_dim
        Of ``gqa``; 0 for ``mla``.
    q_rank, kv_rank, nope_dim, rope_dim, value_dim
        Of ``mla``; 0 for ``gqa``.
    dense_width, expert_width, shared_width
        Inner width of the dense feed-forward layer, of one routed expert, of all shared experts together.
    experts, experts_per_token
        Routed experts per MoE layer, and how many of them a token uses.
    expert_groups, groups_per_token
        Group-limited routing: a token's experts lie in ``groups_per_token`` of ``expert_groups`` groups;
        both 1 for free routing.
    full_attention_layers, window
        Layers whose KV cache grows with the context. The others see ``window`` tokens; 0 neglects their
        cache and attention work (linear attention, or a window that is short against the context).
    tied_head
        Whether the output head shares the embedding matrix.

    Raises
    ------
    ValueError
        If counts contradict each other.
    """

    layers: int
    moe_layers: int
    hidden: int
    heads: int
    vocabulary: int
    attention: Attention
    kv_heads: int = 0
    head_dim: int = 0
    q_rank: int = 0
    kv_rank: int = 0
    nope_dim: int = 0
    rope_dim: int = 0
    value_dim: int = 0
    dense_width: int = 0
    expert_width: int = 0
    shared_width: int = 0
    experts: int = 0
    experts_per_token: int = 0
    expert_groups: int = 1
    groups_per_token: int = 1
    full_attention_layers: int | None = None
    window: int = 0
    tied_head: bool = False

    def __post_init__(self) -> None:
        if not 0 <= self.moe_layers <= self.layers:
            raise ValueError(f"moe_layers {self.moe_layers} must lie within 0..layers {self.layers}")
        if self.moe_layers and not 1 <= self.experts_per_token <= self.experts:
            raise ValueError(f"{self.experts_per_token} experts per token of {self.experts}")
        if self.attention == "gqa" and not (self.kv_heads and self.head_dim):
            raise ValueError("gqa attention needs kv_heads and head_dim")
        if self.attention == "mla" and not (self.kv_rank and self.nope_dim and self.value_dim):
            raise ValueError("mla attention needs kv_rank, nope_dim and value_dim")
        if self.moe_layers < self.layers and not self.dense_width:
            raise ValueError("dense layers need dense_width")

    @property
    def dense_layers(self) -> int:
        """Layers with a dense feed-forward part, L_d."""
        return self.layers - self.moe_layers

    @property
    def growing_layers(self) -> int:
        """Layers whose KV cache grows with the context."""
        return self.layers if self.full_attention_layers is None else self.full_attention_layers

    @property
    def attention_unsharded_params(self) -> int:
        """Attention weights of a layer that every tensor-parallel rank holds: ``d*(r_q+r_kv+d_r)`` for MLA."""
        return self.hidden * (self.q_rank + self.kv_rank + self.rope_dim) if self.attention == "mla" else 0

    @property
    def attention_params(self) -> int:
        """Attention weights of a layer, P_attn.

        ``d*dh*(2h+2g)`` for GQA; ``d*(r_q+r_kv+d_r) + r_q*h*(d_n+d_r) + r_kv*h*(d_n+d_v) + h*d_v*d`` for MLA.
        """
        if self.attention == "gqa":
            return self.hidden * self.head_dim * 2 * (self.heads + self.kv_heads)
        up = self.q_rank * (self.nope_dim + self.rope_dim) + self.kv_rank * (self.nope_dim + self.value_dim)
        return self.attention_unsharded_params + self.heads * (up + self.value_dim * self.hidden)

    @property
    def expert_params(self) -> int:
        """Weights of one routed expert, ``P_exp = 3*d*f``."""
        return 3 * self.hidden * self.expert_width

    @property
    def shared_params(self) -> int:
        """Weights of the shared experts of a layer, ``P_sh = 3*d*f_s``."""
        return 3 * self.hidden * self.shared_width

    @property
    def dense_params(self) -> int:
        """Weights of a dense feed-forward layer, ``P_ff = 3*d*d_ff``."""
        return 3 * self.hidden * self.dense_width

    @property
    def head_params(self) -> int:
        """Weights of the output head (and of the embedding), ``P_head = d*V``."""
        return self.hidden * self.vocabulary

    @property
    def kv_elements_per_layer(self) -> int:
        """KV-cache elements per token and layer: ``2*g*dh`` for GQA, ``r_kv+d_r`` for MLA."""
        return 2 * self.kv_heads * self.head_dim if self.attention == "gqa" else self.kv_rank + self.rope_dim

    @property
    def attention_flop_prefill(self) -> int:
        """FLOP per query token, attended token and layer in prefill: ``4*h*dh`` or ``2*h*(d_n+d_r+d_v)``."""
        if self.attention == "gqa":
            return 4 * self.heads * self.head_dim
        return 2 * self.heads * (self.nope_dim + self.rope_dim + self.value_dim)

    @property
    def attention_flop_decode(self) -> int:
        """The same in decode; MLA runs in its absorbed form, ``2*h*(2*r_kv+d_r)``."""
        if self.attention == "gqa":
            return 4 * self.heads * self.head_dim
        return 2 * self.heads * (2 * self.kv_rank + self.rope_dim)


def total_params(shape: LlmShape) -> int:
    """Count the parameters of the LLM.

    ``N_total = L*P_attn + L_d*P_ff + L_m*(E*(P_exp+d)+P_sh) + 2*P_head``; norms and biases are left out.
    """
    moe = shape.experts * (shape.expert_params + shape.hidden) + shape.shared_params
    heads = 1 if shape.tied_head else 2
    return _without_moe(shape) + shape.moe_layers * moe + heads * shape.head_params


def active_params(shape: LlmShape) -> int:
    """Count the parameters one token uses: as `total_params` with ``k*P_exp`` routed and one head."""
    moe = shape.experts_per_token * shape.expert_params + shape.experts * shape.hidden + shape.shared_params
    return _without_moe(shape) + shape.moe_layers * moe + shape.head_params


def _without_moe(shape: LlmShape) -> int:
    return shape.layers * shape.attention_params + shape.dense_layers * shape.dense_params


def kv_bytes_per_token(shape: LlmShape, bytes_per_element: float) -> float:
    """KV-cache bytes one token of context occupies over all layers, before sharding.

    ``L*2*g*dh*c`` (GQA) or ``L*(r_kv+d_r)*c`` (MLA), over the layers whose cache grows with the context.

    Examples
    --------
    >>> v3 = LlmShape(layers=61, moe_layers=0, hidden=7168, heads=128, vocabulary=129280, attention="mla",
    ...               q_rank=1536, kv_rank=512, nope_dim=128, rope_dim=64, value_dim=128, dense_width=18432)
    >>> kv_bytes_per_token(v3, 2)
    70272.0
    """
    return float(shape.growing_layers * shape.kv_elements_per_layer * bytes_per_element)


def attended_tokens(length: float, hit_share: float = 0.0) -> float:
    """Tokens a prompt token attends on average in causal prefill: ``s*hit + s*(1-hit)/2``.

    Parameters
    ----------
    length
        Prompt length s, the cached prefix included.
    hit_share
        Share of the prompt found in a KV cache.
    """
    return length * hit_share + length * (1.0 - hit_share) / 2.0


def training_flop_per_token(shape: LlmShape, length: float) -> float:
    """FLOP per token of training at sequence length s: ``3*(2*N_active + L*phi_s*s/2)``."""
    forward = 2.0 * active_params(shape) + shape.attention_flop_prefill * (
        shape.growing_layers * attended_tokens(length)
        + (shape.layers - shape.growing_layers) * min(attended_tokens(length), shape.window)
    )
    return 3.0 * forward


def shape_of(row: Llm | Mapping[str, Any]) -> LlmShape:
    """Build the shape from an LLM row of the catalogue.

    Parameters
    ----------
    row
        A row of the catalogue, or a mapping with its keys ``layers, moe_layers, hidden, attention,
        ffn_inter_dense, moe, vocab``; ``full_attention_layers``, ``window`` and ``tied_embeddings`` are optional.

    Raises
    ------
    ValueError
        If the attention kind is unknown or counts contradict each other.

    Examples
    --------
    >>> row = {"layers": 32, "moe_layers": 0, "hidden": 4096, "vocab": 128256, "ffn_inter_dense": 14336,
    ...        "attention": {"kind": "gqa", "heads": 32, "kv_heads": 8, "head_dim": 128}, "moe": None}
    >>> round(total_params(shape_of(row)) / 1e9, 2)
    8.03
    """
    attention, moe = _get(row, "attention"), _get(row, "moe")
    kind = _get(attention, "kind")
    if kind not in ("gqa", "mla"):
        raise ValueError(f"attention kind: read {kind!r}; allowed: gqa, mla")
    gqa = kind == "gqa"
    expert_width = int(_get(moe, "inter")) if moe else 0
    return LlmShape(
        layers=int(_get(row, "layers")),
        moe_layers=int(_get(row, "moe_layers") or 0),
        hidden=int(_get(row, "hidden")),
        heads=int(_get(attention, "heads")),
        vocabulary=int(_get(row, "vocab")),
        attention="gqa" if gqa else "mla",
        kv_heads=int(_get(attention, "kv_heads")) if gqa else 0,
        head_dim=int(_get(attention, "head_dim")) if gqa else 0,
        q_rank=0 if gqa else int(_get(attention, "q_lora") or 0),
        kv_rank=0 if gqa else int(_get(attention, "kv_lora")),
        nope_dim=0 if gqa else int(_get(attention, "nope")),
        rope_dim=0 if gqa else int(_get(attention, "rope")),
        value_dim=0 if gqa else int(_get(attention, "v")),
        dense_width=int(_get(row, "ffn_inter_dense") or 0),
        expert_width=expert_width,
        shared_width=expert_width * int(_get(moe, "shared") or 0) if moe else 0,
        experts=int(_get(moe, "experts")) if moe else 0,
        experts_per_token=int(_get(moe, "top_k")) if moe else 0,
        expert_groups=int(_get(moe, "n_group") or 1) if moe else 1,
        groups_per_token=int(_get(moe, "topk_group") or 1) if moe else 1,
        full_attention_layers=_get(row, "full_attention_layers"),
        window=int(_get(row, "window") or 0),
        tied_head=bool(_get(row, "tied_embeddings")),
    )


def _get(row: Any, name: str) -> Any:
    return row.get(name) if isinstance(row, Mapping) else getattr(row, name, None)
