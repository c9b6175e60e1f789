"""Every way a pool's options meet leaves of one type: joints and NIC cables, all at once in arrays.

Nothing is made one by one here: a question has up to millions of choices (``docs/rules.md`` sections 4, 5, 7, 9).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from designer.candidates.blast import leaf_share, relayed_gbps, touched_share, uplinks_gbps
from designer.candidates.cables import LinkPair, Port, allowed_pairs, as_pinned, cleaning, end_load, install_usd
from designer.candidates.choices import Choices, Ints, count_ends, joined
from designer.candidates.copies import Copies
from designer.candidates.floor import EPS
from designer.candidates.option_table import OptionTable
from designer.candidates.parts import Economy, LinkPart, NicPart, SwitchPart
from designer.candidates.paths import SAME_NS, ends_ns
from designer.candidates.scale_up import box_load, length_class
from designer.candidates.terms import CAPEX, FAILURES, HARD, HITS, HOURS, NET_WATTS, TERMS, WATTS, Floats, Load

# Choices made at a time: bounds the memory of questions with millions of them; of no influence on the result.
_AT_ONCE = 100_000


@dataclass(frozen=True)
class _Joints:
    """Options ``option`` with ``per_leaf`` whole domains on a leaf, or cut into ``parts`` (one of the two is 1)."""

    option: Ints
    per_leaf: Ints
    parts: Ints

    def part(self, rows: slice) -> _Joints:
        return _Joints(self.option[rows], self.per_leaf[rows], self.parts[rows])


def leaving_share(domains: Ints, per_replica: Ints) -> Floats:
    """Share of the expert traffic between domains that leaves a leaf of ``domains`` whole domains.

    Replicas of ``per_replica`` domains lie side by side, and expert traffic spreads evenly over the other domains
    of the replica; where leaves cut replicas unevenly, all of it is counted (never too little).

    Examples
    --------
    >>> leaving_share(np.array([4, 2, 3]), np.array([2, 4, 4])).round(3).tolist()
    [0.0, 0.667, 1.0]
    """
    inside = (per_replica - domains) / np.maximum(per_replica - 1, 1)
    share = np.where(per_replica % domains == 0, inside, 1.0)
    return np.asarray(np.where(domains % per_replica == 0, 0.0, share))


def attach(
    pool: str,
    table: OptionTable,
    leaf: SwitchPart,
    copies: Copies,
    links: Sequence[LinkPart],
    economy: Economy,
    *,
    one_stage: bool,
    reduce: Callable[[Choices], Choices] | None = None,
) -> Choices | None:
    """All choices of a pool on one leaf type, or None when there are none.

    Parameters
    ----------
    pool, table
        Name and options of the pool.
    leaf, copies
        Leaf type; rails and planes of the fabric.
    links, economy
        Link rows for sale; prices and rates of the site.
    one_stage
        Whether the leaf is the only switch of its copy.
    reduce
        Drops choices that others beat; applied block by block.
    """
    bearing = table.bearing(copies)
    found: list[Choices] = []
    for nic, rows in table.nics.values():
        rate = copies.port_gbps(nic)
        if rate is None or leaf.family not in nic.families or rate not in leaf.radix:
            continue
        mine = rows[bearing[rows]]
        joints = _one_switch(table, mine, leaf, copies, rate) if one_stage else _joints(table, mine, leaf, copies, rate)
        for start in range(0, joints.option.size, _AT_ONCE):
            block = _Attachment(pool, table, joints.part(slice(start, start + _AT_ONCE)), leaf, nic, rate, copies)
            made = block.choices(links, economy, one_stage)
            if made is not None:
                found.append(made if reduce is None else reduce(made))
    if not found:
        return None
    whole = joined(found)
    return reduce(whole) if reduce is not None and len(found) > 1 else whole


def _one_switch(table: OptionTable, mine: Ints, leaf: SwitchPart, copies: Copies, rate: int) -> _Joints:
    """All domains of an option on the one leaf, where its ports take them."""
    whole = table.whole
    ports = whole["domains"][mine] * (whole["size"][mine] // copies.rails) * whole["nics"][mine]
    mine = mine[ports <= leaf.radix[rate]]
    return _Joints(mine, whole["domains"][mine], np.ones_like(mine))


def _joints(table: OptionTable, mine: Ints, leaf: SwitchPart, copies: Copies, rate: int) -> _Joints:
    """All whole domains per leaf and leaves per domain that leave room for at least one uplink."""
    whole, room = table.whole, leaf.radix[rate] - 1
    ports = whole["size"][mine] // copies.rails * whole["nics"][mine]
    most = np.minimum(whole["domains"][mine], room // ports)
    option = [np.repeat(mine, most)]
    per_leaf = [np.arange(int(most.sum())) - np.repeat(np.cumsum(most) - most, most) + 1]
    parts = [np.ones_like(option[0])]
    hosts = whole["size"][mine] // whole["per_host"][mine]
    for count in np.unique(hosts).tolist():
        here = mine[hosts == count]
        own = ports[hosts == count]
        for q in (q for q in range(2, count + 1) if count % q == 0):
            fits = here[own // q <= room]
            option.append(fits)
            per_leaf.append(np.ones_like(fits))
            parts.append(np.full_like(fits, q))
    return _Joints(np.concatenate(option), np.concatenate(per_leaf), np.concatenate(parts))


class _Attachment:
    """Joints of options with one type of NIC on one type of leaf; all arrays follow the joints."""

    def __init__(
        self, pool: str, table: OptionTable, joints: _Joints, leaf: SwitchPart, nic: NicPart, rate: int, copies: Copies
    ) -> None:
        self.pool, self.table, self.joints = pool, table, joints
        self.leaf, self.nic, self.rate, self.copies = leaf, nic, rate, copies
        index = joints.option
        self.whole = {name: values[index] for name, values in table.whole.items()}
        self.real = {name: values[index] for name, values in table.real.items()}
        size, domains = self.whole["size"], self.whole["domains"]
        self.group = joints.per_leaf * (size // copies.rails) // joints.parts
        self.leaves = np.where(joints.parts > 1, domains * joints.parts, -(domains // -joints.per_leaf))
        self.accelerators = domains * size
        self.replica = self.whole["replica"].astype(float)

    def need(self) -> Floats:
        """Gb/s per accelerator that leave a full leaf's group, over all planes."""
        share = leaving_share(self.joints.per_leaf, self.whole["replica_domains"])
        share = np.where(self.joints.parts > 1, 1.0, share)
        return np.minimum(self.real["nic_gbps"], self.real["ep"] * share + self.real["other"])

    def lengths(self, economy: Economy) -> Floats:
        """Metres from NIC to leaf: by the racks that hold the accelerators of the leaf's group, on every rail."""
        if "nic_leaf" in economy.forced_m:
            return np.full(self.group.size, economy.forced_m["nic_leaf"])
        hosts = -(self.group * self.copies.rails // -self.whole["per_host"])
        racks, place = np.unique(-(hosts // -self.whole["hosts_per_rack"]), return_inverse=True)
        known = [economy.lengths_m[length_class(r, economy.racks_per_row, own_rack=False)] for r in racks.tolist()]
        return np.array(known)[place] if known else np.empty(0)

    def choices(self, links: Sequence[LinkPart], economy: Economy, one_stage: bool) -> Choices | None:
        """Every joint with every NIC cable that reaches."""
        lengths, need = self.lengths(economy), self.need()
        if lengths.size == 0:
            return None
        below = self.table.terms[self.joints.option] + self.leaf_terms(economy, one_stage)
        lower, upper = Port(self.nic.lane_gbps), Port(frozenset({self.leaf.lane_gbps}), self.leaf)
        allowed = (economy.path_reference_us + self.real["allowance_us"]) * 1000
        assert self.leaf.latency_ns is not None  # switches of unknown latency are not offered
        least = self.leaf.latency_ns * (1 if one_stage else 2)
        bears, load = np.ones(lengths.size, bool), self.group * need / self.copies.planes
        leaf_gbps, relayed = load, np.zeros(lengths.size)
        if economy.single_failure is not None:
            real, whole = self.real, self.whole
            touched = touched_share(self.group * self.copies.rails, whole["replica"], whole["size"], whole["replicas"])
            alone = np.ones(lengths.size, bool)
            if self.table.mix is not None and not one_stage:
                # Of the pool a failure takes what it takes of the part, times its share; all parts have one stage.
                share = self.table.mix.share[self.joints.option]
                alone = share == self.table.mix.steps
                touched = touched * share / self.table.mix.steps
            lost = leaf_share(self.copies, touched, real["nic_gbps"], real["ep"] + real["other"])
            leaf_gbps = uplinks_gbps(self.copies, touched, load, economy.single_failure)
            relayed = relayed_gbps(self.copies, touched, load, economy.single_failure)
            relayed[~alone] = np.inf
            bears = lost <= economy.single_failure + EPS * (self.copies.planes > 1 or self.table.mix is not None)
        pairs, rows, terms, paths = [], [], [], []
        for pair in allowed_pairs(links, lower, upper, self.rate, float(lengths.min())):
            if not as_pinned(pair, economy.pinned_links.get("nic_leaf")):
                continue
            path = allowed - ends_ns(pair, lengths)
            near = np.flatnonzero(
                (lengths <= min(pair.lower.reach_m, pair.upper.reach_m)) & (path + SAME_NS >= least) & bears
            )
            pairs.append(pair)
            rows.append(near)
            paths.append(path[near])
            terms.append(below[near] + self.cable_terms(pair, near, lengths[near], economy))
        if not rows:
            return None
        at = np.concatenate(rows)
        if at.size == 0:
            return None
        hour = self.real["hour_usd"][at]
        return Choices(
            pool=self.pool,
            leaf=self.leaf,
            copies=self.copies,
            one_stage=one_stage,
            keep=0.0 if economy.single_failure is None else 1 - economy.single_failure,
            taper=None if one_stage else economy.taper,
            options=self.table.options,
            pairs=tuple(pairs),
            option=self.joints.option[at],
            pair=np.repeat(np.arange(len(rows)), [row.size for row in rows]),
            per_leaf=self.joints.per_leaf[at],
            parts=self.joints.parts[at],
            length_m=lengths[at],
            need_gbps=need[at],
            terms=np.concatenate(terms),
            down=(self.group * self.whole["nics"])[at],
            rate=np.full(at.size, self.rate, np.int64),
            load_gbps=load[at],
            leaf_gbps=leaf_gbps[at],
            relayed_gbps=relayed[at],
            leaves=self.leaves[at],
            accelerators=self.accelerators[at],
            hit_usd=hour * economy.restart_h * self.replica[at],
            hour_usd=hour,
            path_ns=np.concatenate(paths),
            mix=self.table.mix,
        )

    def struck(self, behind: Ints, rows: Ints | slice, own: Ints | None = None) -> tuple[Floats, Floats]:
        """Jobs hit and accelerators down when ``behind`` accelerators lose one plane's share of their network.

        Without planes whole replicas stop; with planes the others carry on, and a job dies only as often as a transient
        kills it (factor left to the caller): ``own`` of them, on this copy alone, are what counts for the hours then.
        """
        replica = self.replica[rows]
        jobs = np.maximum(1.0, behind // replica)
        if self.copies.planes > 1:
            return jobs, (behind if own is None else own) / self.copies.planes
        return jobs, np.maximum(behind, replica)

    def risk(self, hits: Floats, hours: Floats, rows: Ints | slice, economy: Economy) -> Floats:
        """Term vectors of hits and hours with their money."""
        out = np.zeros((hits.size, len(TERMS) + economy.counted))
        hour = self.real["hour_usd"][rows]
        out[:, HITS], out[:, HOURS] = hits, hours
        out[:, FAILURES] = hour * hours + hour * economy.restart_h * self.replica[rows] * hits
        return out

    def leaf_terms(self, economy: Economy, one_stage: bool) -> Floats:
        """Terms of the leaves; with one stage only hits and hours, the one box is bought once by the template."""
        leaf, every = self.leaf, slice(None)
        count = (self.leaves * self.copies.count).astype(float)
        kills = economy.p_kill if self.copies.planes > 1 else 1.0
        hits, hours = self.leaf_events(self.group, every, economy)
        rest = np.where(self.joints.parts > 1, 0, self.whole["domains"] % self.joints.per_leaf)
        short = np.flatnonzero(rest)
        hits, hours = hits * count, hours * count
        if short.size:
            # The last leaf holds fewer domains.
            group = rest[short] * (self.whole["size"][short] // self.copies.rails)
            last = self.leaf_events(group, short, economy)
            share = (self.leaves[short] - 1) / self.leaves[short]
            hits[short] = hits[short] * share + last[0] * self.copies.count
            hours[short] = hours[short] * share + last[1] * self.copies.count
        out = self.risk(hits * kills, hours, every, economy)
        if not one_stage:
            box = box_load(leaf, 1, economy.box_mttr_h, economy.box_swap_usd, economy)
            out += count[:, None] * _vector(box, box.watts, economy)
        return out

    def leaf_events(self, group: Ints, rows: Ints | slice, economy: Economy) -> tuple[Floats, Floats]:
        """Jobs hit and hours lost a year by a leaf with ``group`` accelerators on its copy below it."""
        leaf, hosts = self.leaf, group * self.copies.rails
        jobs, down = self.struck(hosts, rows, group)
        hits = leaf.outage * jobs
        hours = leaf.afr_hard * economy.box_mttr_h * down
        if leaf.cpo:
            lasers = leaf.lasers * leaf.laser_rate
            fed_jobs, fed_down = self.struck(-(hosts // -leaf.lasers), rows, -(group // -leaf.lasers))
            hits = hits + leaf.box_swaps * jobs + lasers * fed_jobs
            hours = hours + leaf.box_swaps * leaf.box_mttr_h * down + lasers * leaf.laser_mttr_h * fed_down
        return hits, hours

    def cable_terms(self, pair: LinkPair, rows: Ints, length: Floats, economy: Economy) -> Floats:
        """Terms of the NIC cables of some joints (``rows``)."""
        low, up, rate, copies = pair.lower, pair.upper, self.rate, self.copies
        nics = self.whole["nics"][rows]
        host = self.whole["per_host"][rows]
        cables, lower, upper = count_ends(
            pair,
            rate,
            copies,
            host * nics,
            self.whole["size"][rows] * nics,
            self.accelerators[rows] // host,
            self.whole["domains"][rows],
            self.joints.per_leaf[rows],
            self.joints.parts[rows],
        )
        kills = economy.p_kill if copies.planes > 1 else 1.0
        end = np.maximum(1, up.rate_gbps // rate // nics)
        if not pair.module:
            # A cable leads to one host, of which a share is on this copy.
            jobs, down = self.struck(np.minimum(host // copies.rails, end), rows)
            out = cables[:, None] * _vector(end_load(low, 1.0, economy), up.end_watts, economy)
            failed = cables * 2 * low.afr_end
            hits = failed * jobs * kills + cables * low.transient * economy.p_kill
            return np.asarray(out + self.risk(hits, failed * low.mttr_h * down, rows, economy))
        # The links of a leaf's module lead to other hosts with rails, so all of these stop.
        jobs, down = self.struck(end * copies.rails, rows, end)
        replica = self.replica[rows]
        # A module of the host takes the whole NIC with it, on every plane.
        behind = np.maximum(1, low.rate_gbps // rate // (nics * copies.planes))
        stopped, idle = np.maximum(1.0, behind // replica), np.maximum(behind, replica)
        dirty_jobs, dirty_down = self.struck(behind, rows)
        cleanings, money = cleaning(pair, 1.0, economy)
        cleaned = cleanings * (lower + upper)
        bought = (0.0 if low.cpo else low.afr_end) * lower, (0.0 if up.cpo else up.afr_end) * upper
        hits = bought[0] * stopped + bought[1] * jobs * kills + cleaned * dirty_jobs * kills
        hits = hits + (lower * low.transient + upper * up.transient) / 2 * economy.p_kill
        hours = bought[0] * low.mttr_h * idle + bought[1] * up.mttr_h * down
        hours = hours + cleaned * economy.connector_mttr_h * dirty_down
        out = self.risk(hits, hours, rows, economy)
        out += lower[:, None] * _vector(end_load(low, 1.0, economy), 0.0, economy)
        out += upper[:, None] * _vector(end_load(up, 1.0, economy), 0.0 if up.cpo else up.end_watts, economy)
        out[:, FAILURES] += (lower + upper) * money
        # The cable's price is a straight line in its length.
        fixed = install_usd(pair, rate, 0.0, economy)
        per_m = install_usd(pair, rate, 1.0, economy) - fixed
        links = self.accelerators[rows] * nics * copies.planes
        out[:, CAPEX] += links * (fixed + per_m * length)
        return np.asarray(out)


def _vector(load: Load, net_watts: float, economy: Economy) -> Floats:
    """Term vector of parts whose failures are charged otherwise."""
    out = np.zeros(len(TERMS) + economy.counted)
    if load.units:
        out[len(TERMS) :] = load.units
    out[[CAPEX, WATTS, NET_WATTS, FAILURES, HARD]] = load.capex_usd, load.watts, net_watts, load.repairs_usd, load.hard
    return out
