"""The token model once more, one number at a time, written from ``docs/token_model.md`` alone (sections 1-5).

Names follow the page: ``t, D, e, pp`` are the parallel degrees, ``m`` tokens per rank, ``B`` bytes.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from math import ceil, inf
from typing import Literal

from designer.catalogue import LatentAttention, Llm

Phase = Literal["decode", "prefill"]
ACTIVATION_BYTES = 2.0
COMBINE_BYTES = 2.0


def efficiencies(level: str) -> dict[str, float]:
    """Read one set of the calibration factors.

    Examples
    --------
    >>> efficiencies("base")["hbm"]
    0.8
    """
    text = files("designer").joinpath("demand/data/efficiency.toml").read_text(encoding="utf-8")
    return {
        name: float(row[level]) for name, row in tomllib.loads(text).items() if isinstance(row, dict) and level in row
    }


@dataclass(frozen=True)
class Chip:
    """Peak FLOP/s by number format (absent: no figure), memory bandwidth and bandwidths out of it in byte/s."""

    flops: Mapping[str, float]
    hbm: float
    scale_up: float
    nics: float


@dataclass(frozen=True)
class Numbers:
    """Bytes per weight of attention and feed-forward, per dispatched element, and the formats things run in."""

    attention: float
    feed: float
    dispatch: float
    projections_in: str
    feed_in: str


def numbers_of(precision: str, chip: Chip) -> Numbers:
    """Look up section 2's table; ``mxfp4`` is unpacked to bf16 where the chip has no fp4.

    Examples
    --------
    >>> numbers_of("fp8", Chip({}, 1.0, 1.0, 1.0)).dispatch
    1.03125
    """
    if precision == "mxfp4":
        return Numbers(2.0, 0.53125, 2.0, "bf16", "fp4" if "fp4" in chip.flops else "bf16")
    return {
        "bf16": Numbers(2.0, 2.0, 2.0, "bf16", "bf16"),
        "fp8": Numbers(1.0, 1.0, 1.0 + 4 / 128, "fp8", "fp8"),
        "fp4": Numbers(1.0, 0.5625, 0.5625, "fp8", "fp4"),
    }[precision]


@dataclass(frozen=True)
class Shape:
    """Sizes of an LLM that the model needs (section 3): parameters by part, FLOP and elements per token."""

    layers: int
    moe_layers: int
    cached_layers: int
    hidden: int
    heads: int
    attention: float
    undivided: float
    latent: bool
    kv_heads: int
    experts: int
    top_k: int
    groups: int
    groups_used: int
    expert: float
    shared: float
    dense: float
    head: float
    head_copies: int
    flop_prefill: float
    flop_decode: float
    elements: int


def shape_of(llm: Llm) -> Shape:
    """Count the parts of an LLM.

    Examples
    --------
    >>> from designer.catalogue import load_catalogue
    >>> shape = shape_of(load_catalogue().llms["deepseek_v3"])
    >>> shape.undivided, shape.attention, shape.expert, shape.dense, shape.head
    (15138816.0, 187105280.0, 44040192.0, 396361728.0, 926679040.0)
    """
    d, kind, moe = llm.hidden, llm.attention, llm.moe
    h = kind.heads
    if isinstance(kind, LatentAttention):
        undivided = d * (kind.q_lora + kind.kv_lora + kind.rope)
        attention = undivided + kind.q_lora * h * (kind.nope + kind.rope)
        attention += kind.kv_lora * h * (kind.nope + kind.v) + h * kind.v * d
        flop_prefill, flop_decode = 2 * h * (kind.nope + kind.rope + kind.v), 2 * h * (2 * kind.kv_lora + kind.rope)
        elements, kv_heads = kind.kv_lora + kind.rope, 1
    else:
        undivided = 0
        attention = d * kind.head_dim * (2 * h + 2 * kind.kv_heads)
        flop_prefill = flop_decode = 4 * h * kind.head_dim
        elements, kv_heads = 2 * kind.kv_heads * kind.head_dim, kind.kv_heads
    return Shape(
        layers=llm.layers,
        moe_layers=llm.moe_layers if moe is not None else 0,
        cached_layers=llm.full_attention_layers,
        hidden=d,
        heads=h,
        attention=float(attention),
        undivided=float(undivided),
        latent=isinstance(kind, LatentAttention),
        kv_heads=kv_heads,
        experts=moe.experts if moe is not None else 0,
        top_k=moe.top_k if moe is not None else 0,
        groups=(moe.n_group or 1) if moe is not None else 1,
        groups_used=(moe.topk_group or 1) if moe is not None else 1,
        expert=float(3 * d * moe.inter) if moe is not None else 0.0,
        shared=float(3 * d * moe.shared * moe.inter) if moe is not None else 0.0,
        dense=float(3 * d * (llm.ffn_inter_dense or 0)),
        head=float(d * llm.vocab),
        head_copies=1 if llm.tied_embeddings else 2,
        flop_prefill=float(flop_prefill),
        flop_decode=float(flop_decode),
        elements=elements,
    )


@dataclass(frozen=True)
class Ways:
    """How an LLM is spread, what one workload asks, and what the fabric may add to an exchange across domains.

    With the batch these are the inputs of a step.
    """

    t: int
    D: int
    e: int
    pp: int
    N: int
    S: int
    two_batches: bool
    hierarchical: bool
    kv_bytes: int
    prompt: int
    output: int
    hit: float
    drafts: int
    allowance_us: float | None = None


@dataclass(frozen=True)
class Step:
    """One decode step or prefill pass: its time, and the bytes of the busiest accelerator (section 5)."""

    seconds: float
    transfer: float
    inside: float
    outside_experts: float
    outside_other: float

    @property
    def outside(self) -> float:
        """All bytes that leave the domain."""
        return self.outside_experts + self.outside_other


@dataclass(frozen=True)
class Model:
    """The token model of one LLM on one chip in one layout."""

    shape: Shape
    chip: Chip
    numbers: Numbers
    ways: Ways
    eff: Mapping[str, float]

    @property
    def slots(self) -> int:
        """Expert slots of a replica, the same whole number on every rank."""
        ranks, experts = self.ways.e, self.shape.experts
        return ranks * ceil(experts / ranks) if self.shape.moe_layers else 0

    @property
    def attention_share(self) -> float:
        """Attention weights of one tensor-parallel rank and layer."""
        return self.shape.undivided + (self.shape.attention - self.shape.undivided) / self.ways.t

    @property
    def cache_share(self) -> int:
        """Ranks over which a cache is divided."""
        return 1 if self.shape.latent else min(self.ways.t, self.shape.kv_heads)

    @property
    def cache_bytes(self) -> float:
        """Bytes of KV cache per token of context."""
        return float(self.shape.cached_layers * self.shape.elements * self.ways.kv_bytes)

    def memory(self, phase: Phase, batch: int, *, sends: bool) -> float:
        """Bytes of weights and caches on one accelerator (section 4)."""
        shape, ways, numbers = self.shape, self.ways, self.numbers
        dense_layers = shape.layers - shape.moe_layers
        weights = (shape.layers * self.attention_share + shape.head_copies * shape.head / ways.t) * numbers.attention
        weights += (dense_layers * shape.dense + shape.moe_layers * shape.shared) / ways.t * numbers.feed
        weights += shape.moe_layers * self.slots * shape.expert / (ways.t * ways.D) * numbers.feed
        weights /= ways.pp
        if phase == "decode":
            context = ways.prompt + ways.output / 2
            return weights + batch * self.cache_bytes * context / self.cache_share
        prompts = max(batch / (ways.prompt * (1 - ways.hit)), 1)
        copies = 2 if sends else 1
        return weights + copies * prompts * self.cache_bytes * ways.prompt / self.cache_share

    def step(self, phase: Phase, batch: float) -> Step:
        """Time one decode step of ``batch`` sequences or one prefill pass of ``batch`` tokens per rank."""
        ways, eff = self.ways, self.eff
        m = batch * (1 + ways.drafts) if phase == "decode" else float(batch)
        imbalance = eff["imbalance_decode" if phase == "decode" else "imbalance_prefill"]
        inside, experts, other = self._bytes(m, imbalance)
        transfer = max(
            _seconds(inside, eff["scale_up"] * self.chip.scale_up),
            _seconds(experts + other, eff["scale_out"] * self.chip.nics),
        )
        x = self._compute(phase, batch, m, imbalance) + self._fixed()
        y = transfer + self._latency()
        seconds = x + y
        if ways.two_batches:
            seconds -= eff["overlap"] * min(x, y)
        return Step(seconds, transfer, inside, experts, other)

    @property
    def _all_to_all(self) -> bool:
        return self.shape.moe_layers > 0 and self.ways.e > 1 and self.ways.D > 1

    @property
    def _all_reduces(self) -> int:
        if self.ways.t == 1:
            return 0
        layers, moe = self.shape.layers, self.shape.moe_layers
        return layers + (layers - moe) if self._all_to_all else 2 * layers

    def _roof(self, flop: float, flops: float, memory: float) -> float:
        power = self.eff["roofline_p"]
        compute, read = flop / flops, memory / (self.eff["hbm"] * self.chip.hbm)
        return float((compute**power + read**power) ** (1 / power))

    def _rate(self, format_: str) -> float:
        return self.eff["gemm_fp4" if format_ == "fp4" else "gemm"] * self.chip.flops[format_]

    def _compute(self, phase: Phase, batch: float, m: float, imbalance: float) -> float:
        shape, ways, numbers, eff = self.shape, self.ways, self.numbers, self.eff
        reads = 2 if ways.two_batches else 1
        if phase == "decode":
            context = ways.prompt + ways.output / 2
            core_flop, head_tokens, derating = m * shape.flop_decode * context, m, 1.0
            core_bytes = batch * context * shape.elements * ways.kv_bytes
        else:
            attended = ways.prompt * ways.hit + ways.prompt * (1 - ways.hit) / 2
            core_flop, head_tokens = batch * shape.flop_prefill * attended, batch / (ways.prompt * (1 - ways.hit))
            core_bytes = batch / (1 - ways.hit) * shape.elements * ways.kv_bytes
            derating = 1 / eff["prefill"]
            if ways.two_batches:
                derating /= eff["overlap_compute"]
        flops = self.chip.flops
        new_kernels = ways.kv_bytes == 1 and "fp4" in flops and "fp8" in flops
        core_rate = eff["attention"] * flops["fp8" if new_kernels else "bf16"]
        feed, t = self._rate(numbers.feed_in), ways.t
        weight, read = self.attention_share, numbers.feed * reads
        total = shape.layers * self._roof(
            2 * weight * m, self._rate(numbers.projections_in), weight * numbers.attention * reads
        )
        total += shape.cached_layers * self._roof(core_flop / t, core_rate, core_bytes / self.cache_share)
        if shape.moe_layers:
            touched = self.slots * (1 - (1 - shape.top_k / shape.experts) ** (m * ways.D))
            flop = 2 * shape.expert * m * ways.D * shape.top_k / (t * ways.D)
            held = touched * shape.expert / (t * ways.D) * read
            total += shape.moe_layers * imbalance * self._roof(flop, feed, held)
            total += shape.moe_layers * self._roof(2 * shape.shared * m / t, feed, shape.shared / t * read)
        if shape.layers > shape.moe_layers:
            dense = self._roof(2 * shape.dense * m / t, feed, shape.dense / t * read)
            total += (shape.layers - shape.moe_layers) * dense
        total += self._roof(2 * shape.head * head_tokens / t, self._rate("bf16"), 2 * shape.head / t)
        passes = eff["passes_per_layer"] * shape.layers
        passes += eff["passes_per_expert_copy"] * (shape.top_k / t) * shape.moe_layers
        total += 2 * shape.hidden * m * passes / (eff["hbm"] * self.chip.hbm)
        return total * derating

    def _fixed(self) -> float:
        shape, eff = self.shape, self.eff
        launch = eff["layer_launch_s"] + (eff["mla_launch_s"] if shape.latent else 0.0)
        return (2 if self.ways.two_batches else 1) * (shape.layers * launch + shape.moe_layers * eff["moe_launch_s"])

    @property
    def waits_on_the_fabric(self) -> bool:
        """Whether experts or tensor-parallel ranks that exchange in every layer lie in several domains."""
        return (self._all_to_all and self.ways.e > self.ways.S) or self.ways.t > self.ways.S

    def _latency(self) -> float:
        ways, eff = self.ways, self.eff
        added = (ways.allowance_us or 0.0) / 1e6
        reduce, exchange = eff["all_reduce_s"], eff["all_to_all_s"]
        if ways.t > ways.S:
            reduce = eff["all_reduce_across_s"] + 2 * added
        if ways.e > ways.S:
            exchange = eff["all_to_all_across_s"] + added
        return self._all_reduces * reduce + (2 * self.shape.moe_layers * exchange if self._all_to_all else 0.0)

    def _copies(self) -> tuple[float, float]:
        """Copies of a token that leave its accelerator inside and out of the domain, per dispatch or combine."""
        k, e = self.shape.top_k, self.ways.e
        domains = ceil(e / self.ways.S)
        if not self.ways.hierarchical:
            return k / domains * (1 - domains / e), k * (1 - 1 / domains)
        groups, used = self.shape.groups, self.shape.groups_used
        if groups == 1:
            reached = _distinct(domains, k)
        elif domains <= groups:
            reached = domains * (1 - (1 - _distinct(used, k) / groups) ** (groups / domains))
        else:
            reached = _distinct(max(used * domains / groups, 1), k)
        return _distinct(e, k) * (1 - domains / e), reached * (1 - 1 / domains)

    def _bytes(self, m: float, imbalance: float) -> tuple[float, float, float]:
        """Bytes of the busiest accelerator: inside the domain, expert traffic out of it, the rest out of it."""
        shape, ways = self.shape, self.ways
        d, t = shape.hidden, ways.t
        inside = outside = 0.0
        if self._all_to_all:
            payload = shape.moe_layers * d * (self.numbers.dispatch + COMBINE_BYTES)
            copies_in, copies_out = self._copies()
            inside, outside = payload * copies_in, payload * copies_out
        here = min(t, ways.S)
        parts = ceil(t / here)
        reduced = self._all_reduces * d * ACTIVATION_BYTES * 2
        local, across = reduced * (here - 1) / here, reduced * (parts - 1) / (parts * here)
        hops = (ways.pp - 1) * d * ACTIVATION_BYTES
        if ways.N <= ways.S:
            local += hops
        else:
            across += hops
        return imbalance * inside * m / t + local * m, imbalance * outside * m / t, across * m


def _seconds(amount: float, rate: float) -> float:
    if amount == 0:
        return 0.0
    return amount / rate if rate > 0 else inf


def _distinct(places: float, draws: float) -> float:
    """Distinct places that so many draws hit on average.

    Examples
    --------
    >>> round(_distinct(4, 8), 8)
    3.59954834
    """
    return float(places * (1 - (1 - 1 / places) ** draws))
