"""Pool choices: serving plan, domain, NIC cable and attachment to one leaf type, as arrays.

A choice is everything of a pool up to and including its leaves. What lies above the leaf depends on a choice
only through the few numbers kept beside its term vector (``docs/rules.md`` sections 6, 7 and 9).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from designer.candidates.cables import Counts, LinkPair, Port, allowed_pairs, ceil_div, edge_load
from designer.candidates.parts import Economy, LinkPart, SwitchPart
from designer.candidates.scale_up import DomainDesign, box_load, length_class
from designer.candidates.terms import NET_WATTS, RACKS, TERMS, Floats, Load, evaluate
from designer.demand.plan import ServingPlan

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Option:
    """One plan on one domain design; ``terms`` (len(TERMS),) is all of the pool below its NIC cables."""

    plan: ServingPlan
    domain: DomainDesign
    replicas: int
    domains: int
    terms: Floats

    @property
    def accelerators(self) -> int:
        """Accelerators of the pool."""
        return self.domains * self.domain.size

    @property
    def racks(self) -> int:
        """Racks of the pool's accelerators."""
        if self.domain.racks_per_domain > 1:
            return self.domains * self.domain.racks_per_domain
        return ceil_div(self.domains, self.domain.domains_per_rack)


def make_options(
    plans: Sequence[ServingPlan], sizes: Sequence[tuple[int, int]], domain: DomainDesign, economy: Economy
) -> list[Option]:
    """Price plans, with their (replicas, domains), on one domain design."""
    replica = np.array([float(plan.accelerators_per_replica) for plan in plans])
    hour = np.full(replica.size, domain.accelerator.hour_usd)
    terms = evaluate(domain.load, replica, hour, economy.restart_h)
    terms *= np.array([float(domains) for _, domains in sizes])[:, None]
    out = []
    for plan, (replicas, domains), row in zip(plans, sizes, terms, strict=True):
        option = Option(plan, domain, replicas, domains, row)
        row[RACKS] = option.racks
        out.append(option)
    return out


@dataclass(frozen=True)
class Attached:
    """How one choice meets its leaves. ``leaf`` is None in a one-stage fabric's position 0 list."""

    option: Option
    leaf: SwitchPart
    pair: LinkPair
    length_m: float
    domains_per_leaf: int
    leaves_per_domain: int
    group: int
    leaves: int
    need_gbps: float
    one_stage: bool
    counts: Counts


@dataclass(frozen=True)
class Choices:
    """Choices of one pool for one leaf type, structure of arrays of length n.

    ``terms`` (n, len(TERMS)); ``down`` leaf ports at ``rate`` Gb/s; ``load_gbps`` traffic that leaves a full leaf;
    ``leaves``; ``accelerators``; ``hit_usd`` and ``hour_usd`` the money of one job hit and one lost hour.
    """

    pool: str
    leaf: SwitchPart
    one_stage: bool
    items: tuple[Attached, ...]
    terms: Floats
    down: Ints
    rate: Ints
    load_gbps: Floats
    leaves: Ints
    accelerators: Ints
    hit_usd: Floats
    hour_usd: Floats

    def take(self, keep: Ints | npt.NDArray[np.bool_]) -> Choices:
        """Return the chosen rows."""
        index = np.flatnonzero(keep) if keep.dtype == np.bool_ else keep
        return Choices(
            self.pool,
            self.leaf,
            self.one_stage,
            tuple(self.items[i] for i in index.tolist()),
            self.terms[index],
            self.down[index],
            self.rate[index],
            self.load_gbps[index],
            self.leaves[index],
            self.accelerators[index],
            self.hit_usd[index],
            self.hour_usd[index],
        )


def leaving_share(domains: int, per_replica: int) -> float:
    """Share of the expert traffic between domains that leaves a leaf of ``domains`` whole domains.

    Replicas of ``per_replica`` domains lie side by side, and expert traffic spreads evenly over the other domains
    of the replica; where leaves cut replicas unevenly, all of it is counted (never too little).

    Examples
    --------
    >>> leaving_share(4, 2), leaving_share(2, 4), leaving_share(3, 4)
    (0.0, 0.6666666666666666, 1.0)
    """
    if domains % per_replica == 0:
        return 0.0
    if per_replica % domains == 0:
        return (per_replica - domains) / (per_replica - 1)
    return 1.0


def attachments(option: Option, leaf: SwitchPart) -> list[tuple[int, int]]:
    """All ``(domains per leaf, leaves per domain)`` that leave room for at least one uplink."""
    domain = option.domain
    ports = leaf.radix[domain.nic.rate_gbps]
    per_domain = domain.size * domain.nics
    whole = [(d, 1) for d in range(1, min(option.domains, (ports - 1) // per_domain) + 1)]
    hosts = domain.size // domain.accelerator.per_host
    parts = [(1, q) for q in range(2, hosts + 1) if hosts % q == 0 and per_domain // q < ports]
    return whole + parts


def attach(
    pool: str,
    options: Sequence[Option],
    leaf: SwitchPart,
    links: Sequence[LinkPart],
    economy: Economy,
    *,
    one_stage: bool,
) -> Choices | None:
    """All choices of a pool on one leaf type, or None when there are none."""
    rows: list[Attached] = []
    blocks: list[Floats] = []
    for option in options:
        nic = option.domain.nic
        if leaf.family not in nic.families or nic.rate_gbps not in leaf.radix:
            continue
        if one_stage:
            if option.accelerators * option.domain.nics > leaf.radix[nic.rate_gbps]:
                continue
            joints = [(option.domains, 1)]
        else:
            joints = attachments(option, leaf)
        if joints:
            _attach_option(option, joints, leaf, links, economy, one_stage, rows, blocks)
    if not rows:
        return None
    domain = [row.option.domain for row in rows]
    return Choices(
        pool=pool,
        leaf=leaf,
        one_stage=one_stage,
        items=tuple(rows),
        terms=np.concatenate(blocks),
        down=np.array([r.group * r.option.domain.nics for r in rows], np.int64),
        rate=np.array([d.nic.rate_gbps for d in domain], np.int64),
        load_gbps=np.array([r.group * r.need_gbps for r in rows]),
        leaves=np.array([r.leaves for r in rows], np.int64),
        accelerators=np.array([r.option.accelerators for r in rows], np.int64),
        hit_usd=np.array(
            [
                r.option.domain.accelerator.hour_usd * economy.restart_h * r.option.plan.accelerators_per_replica
                for r in rows
            ]
        ),
        hour_usd=np.array([d.accelerator.hour_usd for d in domain]),
    )


def _attach_option(
    option: Option,
    joints: list[tuple[int, int]],
    leaf: SwitchPart,
    links: Sequence[LinkPart],
    economy: Economy,
    one_stage: bool,
    rows: list[Attached],
    blocks: list[Floats],
) -> None:
    domain, plan = option.domain, option.plan
    host, nics, rate = domain.accelerator.per_host, domain.nics, domain.nic.rate_gbps
    per_leaf = np.array([d for d, _ in joints], np.int64)
    parts = np.array([q for _, q in joints], np.int64)
    group = per_leaf * domain.size // parts
    leaves = np.where(parts > 1, option.domains * parts, -(-option.domains // per_leaf))
    share = np.array([leaving_share(d, plan.domains_per_replica) if q == 1 else 1.0 for d, q in joints])
    need = np.minimum(float(domain.nic_gbps), plan.scale_out_ep_need_gbps * share + plan.scale_out_other_need_gbps)
    hosts_below = -(group // -host)
    racks = -(hosts_below // -domain.hosts_per_rack)
    forced = economy.forced_m.get("nic_leaf")
    lengths = np.array(
        [
            economy.lengths_m[length_class(r, economy.racks_per_row, own_rack=False)] if forced is None else forced
            for r in racks.tolist()
        ]
    )
    replica = np.full(group.size, float(plan.accelerators_per_replica))
    hour = np.full(group.size, domain.accelerator.hour_usd)
    boxes = _leaf_terms(leaf, group, leaves, replica, hour, economy, one_stage)
    lower, upper = Port(domain.nic.lane_gbps), Port(frozenset({leaf.lane_gbps}), leaf)
    hosts = option.accelerators // host
    for pair in allowed_pairs(links, lower, upper, rate, float(lengths.min())):
        reach = min(pair.lower.reach_m, pair.upper.reach_m)
        for index in np.flatnonzero(lengths <= reach).tolist():
            length = float(lengths[index])
            counts = _counts(pair, option, hosts, host, nics, rate, joints[index], int(leaves[index]))
            behind = (
                max(1, (pair.lower.rate_gbps // rate) // nics),
                max(1, (pair.upper.rate_gbps // rate) // nics),
            )
            cables = edge_load(pair, counts, rate, length, behind, domain.size, economy)
            terms = evaluate(cables, replica[:1], hour[:1], economy.restart_h)
            ends = counts.upper_ends if not pair.upper.cpo else 0
            terms[0, NET_WATTS] = ends * pair.upper.end_watts
            blocks.append(option.terms + boxes[index : index + 1] + terms)
            rows.append(
                Attached(
                    option,
                    leaf,
                    pair,
                    length,
                    joints[index][0],
                    joints[index][1],
                    int(group[index]),
                    int(leaves[index]),
                    float(need[index]),
                    one_stage,
                    counts,
                )
            )


def _leaf_terms(
    leaf: SwitchPart, group: Ints, leaves: Ints, replica: Floats, hour: Floats, economy: Economy, one_stage: bool
) -> Floats:
    """Term vectors of the leaves; with one stage only hits and hours, the one box is bought once by the template."""
    out = np.zeros((group.size, len(TERMS)))
    for index, (behind, count) in enumerate(zip(group.tolist(), leaves.tolist(), strict=True)):
        load = box_load(leaf, behind, economy.box_mttr_h, economy.box_swap_usd, economy)
        if one_stage:
            load = Load(events=load.events)
        out[index] = evaluate(load, replica[:1], hour[:1], economy.restart_h)[0] * count
        out[index, NET_WATTS] = 0.0 if one_stage else leaf.watts * count
    return out


def _counts(
    pair: LinkPair, option: Option, hosts: int, host: int, nics: int, rate: int, joint: tuple[int, int], leaves: int
) -> Counts:
    links = option.accelerators * nics
    if not pair.module:
        cables = hosts * ceil_div(host * nics * rate, pair.lower.rate_gbps)
        return Counts(links, cables, cables, cables)
    lower = hosts * ceil_div(host * nics * rate, pair.lower.rate_gbps)
    per_domain = option.domain.size * nics
    d, q = joint
    if q > 1:
        upper = leaves * ceil_div(per_domain // q * rate, pair.upper.rate_gbps)
    else:
        full, rest = divmod(option.domains, d)
        upper = full * ceil_div(d * per_domain * rate, pair.upper.rate_gbps)
        upper += ceil_div(rest * per_domain * rate, pair.upper.rate_gbps)
    return Counts(links, links, lower, upper)
