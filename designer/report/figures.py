"""Figures derived from a design and its account: what the screen and ``result.json`` show besides the raw parts."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from fractions import Fraction

from designer.design.account import Account, CostLine
from designer.design.types import Boundary, Design, Fabric, PoolDesign
from designer.instance.pools import pools_of
from designer.instance.schema import Instance

SECONDS_PER_YEAR = 365 * 86_400
SCALE_UP = ("scale_up_switches", "scale_up_links")
SCALE_OUT = ("nics", "nic_leaf_links", "scale_out_switches", "scale_out_links")


@dataclass(frozen=True)
class Counts:
    """What is bought, by catalogue id; ``cpo`` link ends are counted too, though they come with their switch."""

    accelerators: dict[str, int]
    nics: dict[str, int]
    scale_up_switches: dict[str, int]
    scale_out_switches: dict[str, int]
    link_ends: dict[str, int]
    links: int
    cables: int
    racks: int
    network_racks: int


@dataclass(frozen=True)
class KeyFigures:
    """Money and power as people compare them.

    ``scale_up_usd_per_year`` is that of scale-up switches and links, ``scale_out_usd_per_year`` that of NICs, their
    links and everything above; shares are of the annual cost. ``usd_per_million_tokens`` divides the annual cost by the
    mean (not peak) tokens of a year: output tokens, or computed prompt tokens where no pool makes output; it is None
    where a fleet takes part in the cost, ``tokens`` and ``tokens_per_s`` where nothing but fleets is asked for.
    """

    annual_usd: float
    capital_usd_per_year: float
    facility_usd_per_year: float
    energy_usd_per_year: float
    failures_usd_per_year: float
    fabric_usd_per_year: float
    fabric_share: float
    scale_up_usd_per_year: float
    scale_up_share: float
    scale_out_usd_per_year: float
    scale_out_share: float
    usd_per_accelerator_year: float
    tokens: str | None
    tokens_per_s: float | None
    usd_per_million_tokens: float | None
    watts_per_accelerator: float


# The token model lets exchanges run as fast as the links do: no limit is near.
TAKES_ALL = "exchanges take all there is"


@dataclass(frozen=True)
class Margin:
    """How close a design is to one limit; ``share`` = used / limit (for needs: need / provided)."""

    what: str
    used: float
    limit: float
    unit: str
    share: float
    note: str = ""


def counts(design: Design, racks: int) -> Counts:
    """Count the parts of a design by catalogue id.

    Parameters
    ----------
    design
        The design.
    racks
        Racks of all kinds, as the account recounts them.
    """
    accelerators: Counter[str] = Counter()
    nics: Counter[str] = Counter()
    scale_up: Counter[str] = Counter()
    scale_out: Counter[str] = Counter()
    ends: Counter[str] = Counter()
    for pool in design.pools:
        accelerators[pool.accelerator] += pool.accelerators
        nics[pool.nic] += pool.nics
        if pool.scale_up.switch is not None:
            scale_up[pool.scale_up.switch] += pool.scale_up.switches
        if pool.scale_up.upper is not None:
            scale_up[pool.scale_up.upper.switch] += pool.scale_up.upper.switches
    for fabric in design.fabrics:
        for stage in fabric.stages:
            scale_out[stage.switch] += stage.count * copies_of(fabric)
    boundaries = [boundary for _, boundary in boundaries_of(design)]
    for boundary in boundaries:
        ends[boundary.lower_link] += boundary.lower_ends
        ends[boundary.upper_link] += boundary.upper_ends
    return Counts(
        accelerators=dict(accelerators),
        nics=dict(nics),
        scale_up_switches=dict(scale_up),
        scale_out_switches=dict(scale_out),
        link_ends=dict(ends),
        links=sum(boundary.links for boundary in boundaries),
        cables=sum(boundary.cables for boundary in boundaries),
        racks=racks,
        network_racks=sum(fabric.network_racks for fabric in design.fabrics),
    )


def boundaries_of(design: Design) -> list[tuple[PoolDesign | None, Boundary]]:
    """List every boundary with its pool, None for those of the fabrics above the leaves."""
    rows: list[tuple[PoolDesign | None, Boundary]] = []
    for pool in design.pools:
        upper = pool.scale_up.upper
        own = (pool.scale_up.boundary, None if upper is None else upper.boundary, pool.nic_leaf)
        rows += [(pool, boundary) for boundary in own if boundary is not None]
    return rows + [(None, boundary) for fabric in design.fabrics for boundary in fabric.boundaries]


def scale_up_need(pool: PoolDesign, design: Design) -> float:
    """Gb/s of an accelerator inside its domain: its plan's need, and what it sends to the NICs of other rails."""
    plan = pool.plan
    sent = min(plan.nic_gbps, plan.scale_out_ep_need_gbps + plan.scale_out_other_need_gbps)
    return plan.scale_up_need_gbps + (1 - 1 / design.fabrics[pool.fabric].rails) * sent


def line_usd(line: CostLine) -> float:
    """Everything that one item of the account costs a year."""
    return (
        line.capital_usd_per_year + line.facility_usd_per_year + line.energy_usd_per_year + line.failures_usd_per_year
    )


def copies_of(fabric: Fabric) -> int:
    """Equal copies of a scale-out fabric: rails times planes."""
    return fabric.rails * fabric.planes


def key_figures(design: Design, account: Account, instance: Instance) -> KeyFigures:
    """Derive the figures people compare from the recounted account."""
    accelerators = sum(pool.accelerators for pool in design.pools)
    serving = [pool for pool in pools_of(instance) if pool.fleet is None]
    output = [pool.tokens_per_s for pool in serving if pool.phase != "prefill"]
    rate = sum(output or [pool.tokens_per_s for pool in serving]) if serving else None
    # What fleets cost cannot be told from what the tokens do.
    of_tokens = None if instance.fleets else rate
    lines = account.lines
    scale_up = sum(line_usd(line) for line in lines if line.item in SCALE_UP)
    scale_out = sum(line_usd(line) for line in lines if line.item in SCALE_OUT)
    return KeyFigures(
        annual_usd=account.annual_usd,
        capital_usd_per_year=sum(line.capital_usd_per_year for line in lines),
        facility_usd_per_year=sum(line.facility_usd_per_year for line in lines),
        energy_usd_per_year=sum(line.energy_usd_per_year for line in lines),
        failures_usd_per_year=sum(line.failures_usd_per_year for line in lines),
        fabric_usd_per_year=account.fabric_usd,
        fabric_share=account.fabric_usd / account.annual_usd,
        scale_up_usd_per_year=scale_up,
        scale_up_share=scale_up / account.annual_usd,
        scale_out_usd_per_year=scale_out,
        scale_out_share=scale_out / account.annual_usd,
        usd_per_accelerator_year=account.annual_usd / accelerators,
        tokens=None if rate is None else "output" if output else "prompt",
        tokens_per_s=rate,
        usd_per_million_tokens=(
            None if of_tokens is None else account.annual_usd / (of_tokens * SECONDS_PER_YEAR / 1e6)
        ),
        watts_per_accelerator=account.it_watts / accelerators,
    )


def margins(design: Design, account: Account, instance: Instance) -> tuple[Margin, ...]:
    """List the limits that the instance sets and the needs of its plans, the tightest first."""
    rows: list[Margin] = []

    def add(what: str, used: float, limit: float | None, unit: str, note: str = "") -> None:
        if limit is not None and limit > 0:
            rows.append(Margin(what, used, limit, unit, used / limit, note))

    demands = {pool.name: pool for pool in pools_of(instance)}
    for pool in design.pools:
        plan, demand, share = pool.plan, demands[pool.pool], Fraction(*pool.share)
        if demand.fleet is not None:
            asked = float(share * demand.fleet.accelerators)
            add(f"{pool.name}: accelerators asked", asked, pool.accelerators, "bought")
            add(f"{pool.name}: scale-out asked", demand.fleet.scale_out_gbps, plan.nic_gbps, "Gb/s")
        else:
            work = demand.workload
            add(f"{pool.name}: TPOT", 1e3 * (plan.tpot_s or 0.0), work.tpot_ms if plan.tpot_s else None, "ms")
            if plan.ttft_estimate_s is not None:
                add(f"{pool.name}: TTFT", 1e3 * plan.ttft_estimate_s, work.ttft_ms, "ms", "unvalidated estimate")
            served = pool.replicas * plan.accelerators_per_replica * plan.tokens_per_s_per_accelerator
            add(f"{pool.name}: peak tokens", float(share) * demand.peak_tokens_per_s, served, "tokens/s")
        need, usable = scale_up_need(pool, design), pool.scale_up.usable_gbps
        full = demand.fleet is None and not plan.measured and need >= usable * (1 - 1e-9)
        add(f"{pool.name}: scale-up bandwidth", need, usable, "Gb/s", TAKES_ALL if full else "")
        attachment, fabric = pool.attachment, design.fabrics[pool.fabric]
        up: float = fabric.stages[0].up_ports * fabric.uplink_gbps
        uplinks = fabric.planes * (up if fabric.shape == "tree" else direct_gbps(fabric))
        add(f"{pool.name}: leaf uplinks", attachment.group * attachment.need_gbps, uplinks, "Gb/s")
    site, money, risk = instance.site, instance.money, instance.risk
    add("site.it_power_mw", account.it_watts / 1e6, site.it_power_mw, "MW")
    add("site.racks", account.racks, site.racks, "racks")
    add("money.capex_usd", account.capex_usd, money.capex_usd, "USD")
    add("risk.max_hard_repairs_per_year", account.hard_repairs_per_year, risk.max_hard_repairs_per_year, "1/year")
    add("risk.max_job_hits_per_year", account.job_hits_per_year, risk.max_job_hits_per_year, "1/year")
    add(
        "risk.max_accelerator_hours_lost_per_year",
        account.accelerator_hours_lost_per_year,
        risk.max_accelerator_hours_lost_per_year,
        "h/year",
    )
    down = [(f"risk.min_pool_availability ({up.pool})", up.availability) for up in account.uptimes]
    for what, up, least in (
        ("risk.min_availability", _availability(design, account), risk.min_availability),
        *((what, up, risk.min_pool_availability) for what, up in down),
    ):
        add(what, 1 - up, None if least is None else 1 - least, "of the time out")
    return tuple(sorted(rows, key=lambda row: -row.share))


def _availability(design: Design, account: Account) -> float:
    return 1 - account.accelerator_hours_lost_per_year / (8760 * sum(pool.accelerators for pool in design.pools))


def direct_gbps(fabric: Fabric) -> float:
    """Gb/s that a leaf of a fabric without spines can send, by way of random leaves (``docs/rules.md`` 7.1).

    Examples
    --------
    >>> from types import SimpleNamespace as Shape
    >>> direct_gbps(Shape(shape="hyperx", dims=(11, 2), links_per_pair=(1, 6), uplink_gbps=800))
    4400.0
    """
    rate, dims, links = fabric.uplink_gbps, fabric.dims, fabric.links_per_pair
    if fabric.shape == "dragonfly":
        (size, groups), (inside, outside) = dims, links
        return rate * min(outside * groups / (2 * size), inside * size * groups / (2 * (2 * groups - 1)))
    return rate * min(number * side / 2 for side, number in zip(dims, links, strict=True))
