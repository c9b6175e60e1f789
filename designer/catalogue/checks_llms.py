"""Cross-checks of LLM rows: parameters and payloads recomputed from the architecture."""

from __future__ import annotations

from collections.abc import Iterator

from designer.catalogue.finding import Finding, agrees, broken
from designer.catalogue.surroundings import GroupedQueryAttention, Llm

TOTAL_TOLERANCE = 0.02
ACTIVE_TOLERANCE = 0.05
# The file rounds computed parameters to 0.1 billion.
ROUNDING_B = 0.051


def parameters_b(llm: Llm) -> tuple[float, float]:
    """Total and active parameters in billions from the architecture, without norms, biases and MTP.

    Examples
    --------
    >>> from designer.catalogue import load_catalogue
    >>> [round(x, 1) for x in parameters_b(load_catalogue().llms["deepseek_v3"])]
    [671.0, 37.6]
    """
    expert = shared = routed = 0
    if llm.moe:
        expert = 3 * llm.hidden * llm.moe.inter
        shared = llm.moe.shared * expert
        routed = llm.hidden * llm.moe.experts
    attention = (llm.layers - llm.linear_attention_layers) * _attention(llm) + _linear_attention(llm)
    dense = (llm.layers - llm.moe_layers) * 3 * llm.hidden * (llm.ffn_inter_dense or 0)
    embedding = llm.vocab * llm.hidden * (1 if llm.tied_embeddings else 2)
    common = attention + dense + embedding + llm.moe_layers * (shared + routed)
    experts, chosen = (llm.moe.experts, llm.moe.top_k) if llm.moe else (0, 0)
    return (
        (common + llm.moe_layers * experts * expert) / 1e9,
        (common + llm.moe_layers * chosen * expert) / 1e9,
    )


def check_llm(llm: Llm) -> Iterator[Finding]:
    """Compare published totals and payloads with the architecture (2 % total, 5 % active, payloads exact)."""
    where = f"llms.{llm.id}"
    total, active = parameters_b(llm)
    # Publishers count the input embedding as active or leave it out: both readings pass.
    lookup = llm.vocab * llm.hidden / 1e9
    published, used = llm.params_total_b.mid, llm.params_active_b.mid
    if published is not None and not agrees(total, published, TOTAL_TOLERANCE):
        yield broken("parameters", where, f"architecture gives {total:.1f} B, published {published:g} B (2 %)")
    if used is not None and not any(agrees(x, used, ACTIVE_TOLERANCE) for x in (active, active - lookup)):
        says = f"architecture gives {active - lookup:.1f} to {active:.1f} B active, published {used:g} B (5 %)"
        yield broken("parameters", where, says)
    if abs(llm.params_computed_b.total - total) > ROUNDING_B:
        says = f"stated {llm.params_computed_b.total:g} B, recomputed {total:.2f} B"
        yield broken("parameters", f"{where}.params_computed_b", says)
    for name, stated, expected in _payloads(llm):
        if stated != expected:
            yield broken("payload", f"{where}.{name}", f"stated {stated}, architecture gives {expected}")
    if llm.moe and llm.moe.moe_layers != llm.moe_layers:
        yield broken("layers", f"{where}.moe_layers", f"{llm.moe_layers} here, {llm.moe.moe_layers} in moe")
    if llm.moe_layers > llm.layers or llm.full_attention_layers > llm.layers:
        yield broken("layers", where, "more layers of one kind than layers")
    if not llm.moe and llm.moe_layers:
        yield broken("layers", f"{where}.moe_layers", "MoE layers, but no moe table")
    if llm.moe_layers < llm.layers and llm.ffn_inter_dense is None:
        yield broken("layers", f"{where}.ffn_inter_dense", "dense layers, but no width")


def _payloads(llm: Llm) -> Iterator[tuple[str, int, int]]:
    attention = llm.attention
    if isinstance(attention, GroupedQueryAttention):
        elements = 2 * attention.kv_heads * attention.head_dim
    else:
        elements = attention.kv_lora + attention.rope
    yield "kv_elems_per_token_per_layer", llm.kv_elems_per_token_per_layer, elements
    yield "kv_bytes_per_token_bf16", llm.kv_bytes_per_token_bf16, 2 * elements * llm.full_attention_layers
    yield "tp_allreduce_bytes_per_token_bf16", llm.tp_allreduce_bytes_per_token_bf16, 4 * llm.hidden * llm.layers
    payload = llm.ep_dispatch_combine_bytes_per_token
    if payload and llm.moe:
        sent = llm.hidden * llm.moe.top_k * llm.moe_layers
        yield "ep_dispatch_combine_bytes_per_token.dispatch_fp8", payload.dispatch_fp8, sent
        yield "ep_dispatch_combine_bytes_per_token.combine_bf16", payload.combine_bf16, 2 * sent


def _attention(llm: Llm) -> int:
    a, hidden = llm.attention, llm.hidden
    if isinstance(a, GroupedQueryAttention):
        return 2 * hidden * a.head_dim * (a.heads + a.kv_heads)
    queries = hidden * a.q_lora + a.q_lora * a.heads * (a.nope + a.rope)
    cache = hidden * (a.kv_lora + a.rope) + a.kv_lora * a.heads * (a.nope + a.v)
    return queries + cache + a.heads * a.v * hidden


def _linear_attention(llm: Llm) -> int:
    """Five full-width projections per layer: query, key, value, output gate, output."""
    a = llm.attention
    if not isinstance(a, GroupedQueryAttention):
        return 0
    return llm.linear_attention_layers * 5 * llm.hidden * a.heads * a.head_dim
