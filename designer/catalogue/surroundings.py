"""What surrounds the bought parts: LLMs, shared components, compatibility, sources, evidence."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from designer.catalogue.facility import Facility, Rack
from designer.catalogue.figures import Amount, Basis, Figure, Frozen
from designer.catalogue.schema import (
    Accelerator,
    Count,
    Family,
    Identifier,
    Link,
    Listed,
    Nic,
    Switch,
)

Whole = Annotated[int, Field(ge=0, le=10**15)]
Notes = Mapping[str, str]


class GroupedQueryAttention(Frozen):
    """Attention with ``heads`` query heads that share ``kv_heads`` key and value heads."""

    kind: Literal["gqa"]
    heads: Count
    kv_heads: Count
    head_dim: Count


class LatentAttention(Frozen):
    """Multi-head latent attention: the cache holds ``kv_lora + rope`` elements per token and layer."""

    kind: Literal["mla"]
    heads: Count
    q_lora: Count
    kv_lora: Count
    nope: Count
    rope: Count
    v: Count


class Experts(Frozen):
    """Mixture of experts: ``top_k`` of ``experts`` plus ``shared`` per token, each of width ``inter``."""

    experts: Count
    top_k: Count
    shared: Whole
    inter: Count
    moe_layers: Count
    n_group: Count | None = None
    topk_group: Count | None = None


class Origin(Frozen):
    """Where the architecture numbers of an LLM come from."""

    basis: Basis
    source: str
    note: str | None = None


class ComputedParameters(Frozen):
    """Parameters in billions, computed from the architecture (self-check)."""

    total: Amount
    active: Amount
    basis: Basis
    source: str
    note: str | None = None


class ExpertPayload(Frozen):
    """Expert-parallel bytes per token, all layers together."""

    dispatch_fp8: Whole
    combine_bf16: Whole
    note: str | None = None


class Llm(Frozen):
    """One LLM."""

    id: Identifier
    name: str
    hf_repo: str
    layers: Count
    moe_layers: Whole
    hidden: Count
    attention: Annotated[GroupedQueryAttention | LatentAttention, Field(discriminator="kind")]
    attention_note: str | None = None
    ffn_inter_dense: Count | None = None
    moe: Experts | None = None
    vocab: Count
    context: Count
    dtype: str
    bytes_per_weight: Annotated[float, Field(gt=0, le=8, allow_inf_nan=False)]
    mtp_layers: Whole
    tied_embeddings: bool
    config: Origin
    params_total_b: Figure
    params_active_b: Figure
    params_computed_b: ComputedParameters
    kv_elems_per_token_per_layer: Count
    full_attention_layers: Count
    linear_attention_layers: Whole = Field(default=0, description="layers of linear attention, without a growing cache")
    kv_bytes_per_token_bf16: Count
    tp_allreduce_bytes_per_token_bf16: Count
    ep_dispatch_combine_bytes_per_token: ExpertPayload | None = None
    note: str | None = None


class FibreTrunk(Frozen):
    """Structured single-mode cabling by MPO-12 channel."""

    desc: str
    price_usd_fixed_per_mpo12: Figure
    price_usd_per_m_per_mpo12: Figure
    mpo12_per_1600_link: Figure
    cut_per_km_year: Figure
    install_usd_per_link: Figure


class DuplexPatchCord(Frozen):
    """Duplex LC cord."""

    price_usd_each: Figure


class FibreConnector(Frozen):
    """Contamination of a mated pair, a failure that every optical link has."""

    desc: str
    event_per_link_year: Figure
    repair: str
    mttr_h: Figure


class ElsModule(Frozen):
    """External laser module of a CPO switch."""

    desc: str
    price_usd: Figure
    power_w: Figure
    fit: Figure
    mttr_h: Figure
    hot_swappable: bool


class XpoModule(Frozen):
    """Announced liquid-cooled pluggable; has no price."""

    desc: str
    power_w: Figure
    status: str


class OpticsMarket(Frozen):
    """Trend of optics prices."""

    price_decline_per_year: Figure


class Components(Frozen):
    """Parts that links share."""

    fibre_trunk: FibreTrunk
    duplex_patch_cord: DuplexPatchCord
    fibre_connector: FibreConnector
    els_module: ElsModule
    xpo_module: XpoModule
    optics_market: OpticsMarket


class ScaleUpMatch(Frozen):
    """Switches that an accelerator protocol may meet."""

    accelerator_protocol: str
    switches: Listed[Identifier]
    note: str | None = None


class ScaleOutMatch(Frozen):
    """Family of a scale-out switch protocol."""

    switch_protocol: str
    family: Family


class Compatibility(Frozen):
    """Who may be joined to whom; what is not listed is not buildable."""

    scale_up: Listed[ScaleUpMatch]
    scale_out: Listed[ScaleOutMatch]

    def switches_for(self, accelerator_protocol: str) -> tuple[str, ...]:
        """Ids of the switches that speak an accelerator's protocol; empty when none does."""
        for match in self.scale_up:
            if match.accelerator_protocol == accelerator_protocol:
                return match.switches
        return ()

    def family_of(self, switch_protocol: str) -> Family | None:
        """Family of a scale-out protocol; None when the table does not know it."""
        for match in self.scale_out:
            if match.switch_protocol == switch_protocol:
                return match.family
        return None


class Source(Frozen):
    """One cited text and how it was read (full, excerpt, via another text, memory)."""

    cite: str
    url: str | None = None
    date: str | None = None
    seen: Literal["full", "excerpt", "via", "memory"]
    note: str | None = None


class Evidence(Frozen):
    """One published observation about failures, and how far it carries."""

    id: Identifier
    figure: str
    reading: str
    basis: Basis
    source: str


FigureKey = Annotated[
    str, StringConstraints(pattern=r"^(accelerators|switches|links|nics)\.[A-Za-z0-9][A-Za-z0-9_.-]{0,63}\.[a-z_]+$")
]


class FailureTest(Frozen):
    """A count of failures over device-hours, from which rates a year follow with their uncertainty.

    Tests of one ``question`` exclude each other, and each of them excludes the ranges of its ``figures``; ``base``
    marks the one that is taken first, without one the ranges are. ``figures`` names, for each figure (a rate a year),
    how many of the devices that were counted stand for one part, transfers to other parts included (``note``).
    """

    id: Identifier
    question: Identifier
    base: bool = False
    device: str
    failures: Whole
    device_hours: Annotated[float, Field(gt=0, le=1e18, allow_inf_nan=False)]
    figures: Annotated[
        Mapping[FigureKey, Annotated[float, Field(gt=0, le=1e9, allow_inf_nan=False)]], Field(min_length=1)
    ]
    basis: Basis
    source: Annotated[str, Field(min_length=1, max_length=500)]
    note: str | None = None


class Claim(Frozen):
    """A statement for or against a technology, kept beside the figures."""

    claim: str
    basis: Basis
    source: str


class BlastRadius(Frozen):
    """What a failing switch takes with it, in words."""

    rules: Listed[str]
    source: str
    basis: Basis


class Content(Frozen):
    """All tables of the catalogue, rows by id: what the files together must look like."""

    schema_version: Literal["1"]
    as_of: str
    conventions: Notes
    sources: Mapping[str, Source]
    field_notes: Mapping[str, Notes]
    accelerators: Mapping[str, Accelerator]
    switches: Mapping[str, Switch]
    links: Mapping[str, Link]
    nics: Mapping[str, Nic]
    llms: Mapping[str, Llm]
    racks: Mapping[str, Rack]
    components: Components
    facility: Facility
    compatibility: Compatibility
    blast_radius: BlastRadius
    reliability_evidence: Listed[Evidence]
    failure_tests: Listed[FailureTest] = ()
    opposing_or_contextual_claims: Listed[Claim]
