"""The planning question as a file states it: frozen pydantic models, units in the names.

Bandwidth is one direction. A missing optional limit is "no limit"; nothing here has a hidden default:
each default is stated in the field and listed with the answer.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$")]
# Far beyond any real site; without an upper end a typing slip would overflow inside the solver.
Positive = Annotated[float, Field(gt=0, le=1e15, allow_inf_nan=False)]
NonNegative = Annotated[float, Field(ge=0, le=1e9, allow_inf_nan=False)]
# No control characters: a title is printed, and must not steer the terminal.
Line = Annotated[str, StringConstraints(max_length=200, pattern=r"^[^\x00-\x1f\x7f-\x9f]*$")]
# One catalogue id, or those of the lower and the upper end.
LinkPin = Annotated[str, StringConstraints(pattern=r"^[^/\s]{1,64}(/[^/\s]{1,64})?$")]
TaperText = Annotated[str, StringConstraints(pattern=r"^[1-9][0-9]{0,5}:[1-9][0-9]{0,5}$")]
Vendors = Annotated[tuple[str, ...], Field(min_length=1)] | None
Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
Level = Literal["low", "mid", "high"]
Phase = Literal["decode", "prefill", "together", "fleet"]


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Workload(_Frozen):
    """Tokens to serve: one LLM, its lengths, rate and latency limits."""

    name: Name = Field(description="of the workload; each its own")
    llm: str = Field(description="id of an LLM of the catalogue")
    serve: Literal["decode", "prefill", "disaggregated", "together"] = Field(
        description="decode or prefill alone; disaggregated = two pools with KV traffic between them; "
        "together = one pool with in-flight batching"
    )
    prompt_tokens: Annotated[int, Field(ge=1, le=100_000_000)] = Field(description="per request, mean")
    output_tokens: Annotated[int, Field(ge=1, le=100_000_000)] = Field(description="per request, mean")
    output_tokens_per_s: Annotated[float, Field(ge=0.001, le=1e10, allow_inf_nan=False)] = Field(
        description="mean output tokens per second of the whole workload"
    )
    peak_factor: Annotated[float, Field(ge=1, le=100, allow_inf_nan=False)] = Field(
        default=1.5, description="peak over mean tokens per second; the pools are sized for the peak"
    )
    prefix_hit_share: Share = Field(default=0.0, description="share of prompt tokens found in a KV cache")
    tpot_ms: Positive | None = Field(default=None, description="limit on the time per output token")
    ttft_ms: Positive | None = Field(default=None, description="limit on the (unvalidated) TTFT estimate")
    precision: Literal["native", "bf16", "fp8", "fp4"] = Field(
        default="native", description="weights; native = the LLM row's dtype"
    )
    kv_bytes: Literal[1, 2] = Field(default=2, description="bytes per KV-cache element")
    draft_tokens: Annotated[int, Field(ge=0, le=16)] = Field(
        default=0, description="speculative decoding: tokens drafted per step"
    )
    accepted_tokens: NonNegative = Field(default=0.0, description="of them accepted, mean; at most draft_tokens")
    vendors: Vendors = Field(
        default=None,
        description="the only vendors of accelerators that may serve it; one alone: no KV caches between makes",
    )


class Fleet(_Frozen):
    """Accelerators to buy as such, whatever they do; an instance asks for at least one workload or fleet."""

    name: Name = Field(description="of the fleet; its own among workloads and fleets")
    accelerators: Annotated[int, Field(ge=1, le=1_000_000_000)] = Field(
        description="accelerators asked for; as many whole domains are bought as hold them"
    )
    job_accelerators: Annotated[int, Field(ge=1, le=1_000_000_000)] = Field(
        default=1, description="accelerators of one job: what a failure stops; 1 = no more than the hardware takes"
    )
    scale_up_gbps: NonNegative = Field(
        default=0.0, description="Gb/s that each accelerator must have inside its scale-up domain"
    )
    scale_out_gbps: NonNegative = Field(
        default=0.0, description="Gb/s that each accelerator must have to any other outside its leaf"
    )
    vendors: Vendors = Field(default=None, description="the only vendors of its accelerators")


class Choose(_Frozen):
    """What may be chosen. An absent list means: everything the catalogue offers for sale at the date."""

    accelerators: tuple[str, ...] | None = None
    scale_up_switches: tuple[str, ...] | None = None
    scale_out_switches: tuple[str, ...] | None = None
    links: tuple[str, ...] | None = None
    nics: tuple[str, ...] | None = None
    domain_sizes: tuple[Annotated[int, Field(ge=1, le=16384)], ...] | None = None
    beyond_announced: tuple[str, ...] = Field(
        default=(), description="accelerators whose domain may exceed the announced size (a what-if)"
    )
    rearranged: tuple[str, ...] = Field(
        default=(),
        description="rack-scale accelerators whose domain may have another size than the vendor sells (a what-if)",
    )
    max_vendor_share: dict[str, Share] = Field(
        default_factory=dict, description="most accelerators of a vendor, as a share of all; key = vendor's name"
    )
    scale_up_shares: tuple[Annotated[float, Field(gt=0, le=1)], ...] = Field(
        default=(1.0,), description="shares of an accelerator's scale-up ports that may be wired"
    )
    scale_up_stages: tuple[Literal[1, 2], ...] = Field(
        default=(1, 2), description="switch stages of a scale-up domain; 2 = groups behind first-stage switches"
    )
    spare_planes: tuple[Annotated[int, Field(ge=0, le=63)], ...] = Field(
        default=(0,), description="planes of a switched domain that its plan does not count on; any of these"
    )
    spare_domains: tuple[Annotated[int, Field(ge=0, le=1000)], ...] = Field(
        default=(0,),
        description="spare domains of a pool (a replica over several domains: sets of so many); any of these",
    )
    mixed_parts: Annotated[int, Field(ge=1, le=4)] = Field(
        default=1, description="most parts that a pool may be split into, each on an accelerator of its own"
    )
    mixed_steps: Annotated[int, Field(ge=1, le=100)] = Field(
        default=4, description="shares of mixed parts are whole multiples of 1 / this"
    )
    scale_out_shapes: tuple[Literal["tree", "mesh", "hyperx", "dragonfly"], ...] = Field(
        default=("tree",),
        description="trees, or leaves joined directly, which takes switches that route by way of a random leaf",
    )
    scale_out_stages: tuple[Literal[1, 2, 3, 4], ...] = Field(default=(1, 2, 3), description="switch stages of a tree")
    scale_out_rails: tuple[Annotated[int, Field(ge=1, le=1024)], ...] = Field(
        default=(1,),
        description="separate fabrics, one per rail: accelerators of the same number in their host; traffic to another "
        "rail is forwarded inside the scale-up domain",
    )
    scale_out_planes: tuple[Annotated[int, Field(ge=1, le=16)], ...] = Field(
        default=(1,), description="parallel fabrics that every NIC reaches with an equal share of its rate"
    )
    private_fabrics: bool = Field(
        default=True, description="workloads may be parted among several scale-out fabrics where that is better"
    )
    max_taper: Annotated[float, Field(ge=1, le=64, allow_inf_nan=False)] = Field(
        default=7.0, description="largest oversubscription of a switch; 7 = Llama-3 24K, arXiv:2407.21783 sec. 3.3.1"
    )
    spine_tapers: tuple[Annotated[float, Field(ge=1, le=64, allow_inf_nan=False)], ...] = Field(
        default=(1.0, 2.0, 4.0, 7.0), description="down to up ports of a spine in three stages"
    )
    core_tapers: tuple[Annotated[float, Field(ge=1, le=64, allow_inf_nan=False)], ...] = Field(
        default=(1.0, 2.0, 4.0, 7.0), description="down to up ports of a core in four stages"
    )
    min_spines: Annotated[int, Field(ge=1, le=64)] = Field(
        default=2, description="least parallel spines; a lone spine is a single point of failure of the fabric"
    )
    tensor_parallel: tuple[Annotated[int, Field(ge=1, le=64)], ...] = (1, 2, 4, 8, 16)
    two_batch_overlap: tuple[bool, ...] = (False, True)
    include_unreleased: bool = Field(default=False, description="also parts whose available_from lies after the date")


Goal = Literal["cost", "capex", "power", "hard_repairs", "job_hits", "accelerator_hours_lost"]


class Objective(_Frozen):
    """What is best: goals in order of rank, each least; or first the most tokens within the limits."""

    minimise: Annotated[tuple[Goal, ...], Field(min_length=1)] = Field(
        default=("cost",), description="goals in order of rank: a later one decides among designs equal in the earlier"
    )
    tolerance: Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)] = Field(
        default=1e-6, description="relative slack that a later goal may take from an earlier one"
    )
    maximise_tokens: bool = Field(
        default=False,
        description="first the largest multiplier on the demand of every workload and fleet that the limits allow, "
        "then the goals",
    )


class Lengths(_Frozen):
    """Cable route lengths in metres that replace the catalogue's distance classes."""

    board_m: Positive | None = None
    in_rack_m: Positive | None = None
    adjacent_rack_m: Positive | None = None
    three_racks_away_m: Positive | None = None
    row_m: Positive | None = None
    hall_m: Positive | None = None
    building_m: Positive | None = None
    scale_up_m: Positive | None = Field(default=None, description="forces the scale-up cable length")
    scale_up_upper_m: Positive | None = Field(
        default=None, description="forces the length between the two switch stages of a scale-up domain"
    )
    nic_leaf_m: Positive | None = None
    leaf_spine_m: Positive | None = None
    spine_core_m: Positive | None = None
    core_top_m: Positive | None = None
    leaf_leaf_m: Positive | None = Field(
        default=None, description="between leaves joined directly: mesh, first line, group"
    )
    group_group_m: Positive | None = Field(
        default=None, description="between leaves joined directly: second line, between groups"
    )


class Site(_Frozen):
    """Place and its limits."""

    it_power_mw: Positive | None = Field(default=None, description="limit on the nameplate IT power")
    racks: Annotated[int, Field(ge=1)] | None = Field(default=None, description="limit on racks of all kinds")
    pue: Annotated[float, Field(ge=1, le=3, allow_inf_nan=False)] | None = None
    electricity_usd_per_kwh: NonNegative | None = None
    utilisation: Share | None = Field(default=None, description="mean power over nameplate power")
    facility_capex_usd_per_w: NonNegative | None = None
    front_end_usd_per_accelerator: NonNegative | None = Field(
        default=None, description="front-end, storage and management network per accelerator; absent: not counted"
    )
    front_end_w_per_accelerator: NonNegative | None = Field(
        default=None, description="its nameplate watts per accelerator; absent: not counted"
    )
    lengths: Lengths = Lengths()


class Money(_Frozen):
    """How money is weighed; absent values come from the catalogue's facility file."""

    wacc: Annotated[float, Field(ge=0.0001, lt=1, allow_inf_nan=False)] | None = None
    it_years: Annotated[int, Field(ge=1, le=50)] | None = None
    building_years: Annotated[int, Field(ge=1, le=100)] | None = None
    capex_usd: Positive | None = Field(default=None, description="limit on IT capital")
    replacement_part_share: Share = Field(
        default=1.0, description="share of a replaced part's price that the owner pays (0 = full warranty)"
    )
    box_swap_part_share: Share | None = Field(
        default=None,
        description="the same for a co-packaged switch box swapped for a failed engine; absent: replacement_part_share",
    )


class Risk(_Frozen):
    """Limits and extra weights of the three risk terms, and of what failures take."""

    max_hard_repairs_per_year: NonNegative | None = None
    max_job_hits_per_year: NonNegative | None = None
    max_accelerator_hours_lost_per_year: NonNegative | None = None
    min_availability: Annotated[float, Field(ge=0, lt=1, allow_inf_nan=False)] | None = Field(
        default=None, description="least share of all accelerator-hours of a year that failures leave"
    )
    min_pool_availability: Annotated[float, Field(ge=0, lt=1, allow_inf_nan=False)] | None = Field(
        default=None,
        description="least share of the time in which the domains that are up serve a pool's whole peak; spares help",
    )
    max_single_failure_share: Share | None = Field(
        default=None, description="most of any pool's tokens per second that a single failure may take while it lasts"
    )
    usd_per_hard_repair: NonNegative = 0.0
    usd_per_job_hit: NonNegative = 0.0
    usd_per_accelerator_hour_lost: NonNegative = 0.0


class Pins(_Frozen):
    """Choices fixed beforehand; the rest is optimised."""

    accelerator: str | None = None
    domain_size: Annotated[int, Field(ge=1, le=16384)] | None = None
    scale_up_switch: str | None = None
    scale_out_stages: Literal[1, 2, 3, 4] | None = None
    leaf_switch: str | None = None
    spine_switch: str | None = None
    core_switch: str | None = None
    top_switch: str | None = None
    nic: str | None = None
    scale_up_planes: Annotated[int, Field(ge=1, le=64)] | None = Field(
        default=None, description="planes of switches in every scale-up domain; excludes domains without switches"
    )
    scale_up_links: LinkPin | None = Field(
        default=None,
        description="link between accelerators and their switches: an id that stands at either end, or LOWER/UPPER; "
        "excludes domains without switches",
    )
    nic_leaf_links: LinkPin | None = Field(default=None, description="the same between NICs and leaves")
    leaf_spine_links: LinkPin | None = Field(default=None, description="the same between leaves and spines")
    spine_core_links: LinkPin | None = Field(default=None, description="the same between spines and cores")
    core_top_links: LinkPin | None = Field(default=None, description="the same between cores and tops")
    leaf_leaf_links: LinkPin | None = Field(
        default=None, description="the same between leaves joined directly: mesh, first line, group"
    )
    group_group_links: LinkPin | None = Field(default=None, description="the same: second line, between groups")
    taper: Annotated[float, Field(gt=0, le=64, allow_inf_nan=False)] | TaperText | None = Field(
        default=None,
        description='Gb/s below over Gb/s above every full leaf, exactly: 2 or "42:22"; one-stage fabrics have none',
    )
    rails: Annotated[int, Field(ge=1, le=1024)] | None = Field(
        default=None, description="rails of every scale-out fabric, in place of choose.scale_out_rails"
    )
    planes: Annotated[int, Field(ge=1, le=16)] | None = Field(
        default=None, description="planes of every scale-out fabric, in place of choose.scale_out_planes"
    )

    @property
    def taper_ratio(self) -> Fraction | None:
        """The pinned taper as the exact ratio that a person reads."""
        if isinstance(self.taper, str):
            down, up = self.taper.split(":")
            return Fraction(int(down), int(up))
        return None if self.taper is None else Fraction(repr(self.taper))


NO_DEMAND = "at least one [[workloads]] or [[fleets]] table"


class Instance(_Frozen):
    """One planning question."""

    schema_version: Literal[1]
    name: Name = Field(description="names the run folder")
    title: Line = Field(description="first line of the screen")
    imitates: Line = Field(default="", description="the real system or paper this question imitates")
    date: Annotated[str, StringConstraints(pattern=r"^20\d\d-Q[1-4]$")] = Field(
        default="2026-Q4", description="quarter of purchase; parts not on sale by then are not offered"
    )
    level: Level = Field(default="mid", description="which of low / mid / high every catalogue figure takes")
    efficiency: Literal["low", "base", "high"] = Field(default="base", description="token model efficiencies")
    workloads: tuple[Workload, ...] = Field(default=(), description="tokens to serve; at least a workload or a fleet")
    fleets: tuple[Fleet, ...] = Field(default=(), description="accelerators to buy whatever they do")
    choose: Choose = Choose()
    objective: Objective = Objective()
    pin: Pins = Pins()
    site: Site = Site()
    money: Money = Money()
    risk: Risk = Risk()
    stock: dict[str, Annotated[int, Field(ge=0, le=1_000_000_000)]] = Field(
        default_factory=dict,
        description="most units of a part, key = id: accelerators, NICs, switches, link ends or cables",
    )
    measured_points: str | None = Field(
        default=None, description="CSV of own measured serving points beside the instance file"
    )

    @model_validator(mode="after")
    def _asks_for_something(self) -> Self:
        if not self.workloads and not self.fleets:
            raise ValueError(NO_DEMAND)
        return self
