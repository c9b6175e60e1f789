"""The user's own measured serving points: a CSV that replaces the token model where it has rows.

Columns (header row required, any order, no others):

=============================  ==================================================================================
``pool``                       name of a pool of the instance (``chat``, ``chat.decode``, ...)
``accelerator``                catalogue id
``domain_size``                accelerators of the scale-up domain it was measured in
``tp, dp, ep, pp``             parallel degrees; a replica has ``tp*dp*pp`` accelerators
``batch``                      sequences per attention-data-parallel rank; prefill: prompt tokens per rank and pass
``two_batch_overlap``          ``true`` or ``false``
``all_to_all``                 ``direct`` or ``hierarchical``
``tokens_per_s_per_accelerator``  output tokens (decode, together) or computed prompt tokens (prefill)
``step_ms``                    one decode step or prefill pass
``tpot_ms``                    time per output token; empty for prefill
``ttft_ms``                    time to first token; empty for decode
``memory_gb``                  weights and KV cache per accelerator
``scale_up_need_gbps``         Gb/s per accelerator, one direction, that the scale-up links must offer
``scale_out_ep_need_gbps``     the same for expert traffic that leaves the domain
``scale_out_other_need_gbps``  the same for all other traffic that leaves the domain
=============================  ==================================================================================

The points were measured behind the user's own fabric, whose latency nobody stated: their plans have no
``latency_allowance_us`` (None), and no fabric is refused for being slower.
"""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from designer.catalogue import Catalogue
from designer.demand.misses import ORDER, layout_miss
from designer.demand.offers import DomainOffer, NearMiss, PlanSet, Reason
from designer.demand.plan import AllToAll, ServingPlan
from designer.instance.pools import Pool, pools_of
from designer.instance.schema import Instance, Phase
from designer.problems import InputError, Problem


@dataclass(frozen=True)
class MeasuredPoint:
    """One row of the CSV in the units of `ServingPlan`."""

    pool: str
    phase: Phase
    llm: str
    accelerator: str
    domain_size: int
    tp: int
    dp: int
    ep: int
    pp: int
    batch: int
    two_batch_overlap: bool
    all_to_all: AllToAll
    tokens_per_s_per_accelerator: float
    step_s: float
    tpot_s: float | None
    ttft_s: float | None
    memory_bytes: float
    scale_up_need_gbps: float
    scale_out_ep_need_gbps: float
    scale_out_other_need_gbps: float

    @property
    def replica(self) -> int:
        """Accelerators of a replica."""
        return self.tp * self.dp * self.pp


_WHOLE = ("domain_size", "tp", "dp", "ep", "pp", "batch")
_POSITIVE = ("tokens_per_s_per_accelerator", "step_ms", "memory_gb")
_NEEDS = ("scale_up_need_gbps", "scale_out_ep_need_gbps", "scale_out_other_need_gbps")
_LATENCIES = ("tpot_ms", "ttft_ms")
COLUMNS = ("pool", "accelerator", *_WHOLE, "two_batch_overlap", "all_to_all", *_POSITIVE, *_LATENCIES, *_NEEDS)


def read_measured(path: Path, instance: Instance, catalogue: Catalogue) -> tuple[MeasuredPoint, ...]:
    """Read the CSV of measured points.

    Parameters
    ----------
    path
        The file, as the user named it.
    instance
        Its pools that serve tokens, and what it lets choose.
    catalogue
        Its accelerators.

    Raises
    ------
    InputError
        With every mistake of the file.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError([Problem(str(path), "", str(error), "a readable UTF-8 CSV file")]) from error
    reader = csv.DictReader(io.StringIO(text))
    header = [name.strip() for name in reader.fieldnames or ()]
    wrong = [
        *(Problem(str(path), name, "no such column", "every column must be there") for name in COLUMNS
          if name not in header),
        *(Problem(str(path), name, "this column", "allowed: " + ", ".join(COLUMNS)) for name in header
          if name not in COLUMNS),
    ]  # fmt: skip
    if wrong:
        raise InputError(wrong)
    reader.fieldnames = header
    pools = {pool.name: pool for pool in pools_of(instance) if pool.fleet is None}
    problems: list[Problem] = []
    points = []
    for row in reader:
        line = _Line(str(path), reader.line_num, row, problems)
        point = _point(line, pools, instance, catalogue)
        if point is not None:
            points.append(point)
    if problems:
        raise InputError(problems)
    return tuple(points)


@dataclass(frozen=True)
class _Line:
    file: str
    number: int
    row: Mapping[Any, Any]
    problems: list[Problem]

    def text(self, name: str) -> str:
        return str(self.row.get(name) or "").strip()

    def wrong(self, name: str, allowed: str) -> None:
        read = self.text(name) or "nothing"
        self.problems.append(Problem(self.file, f"line {self.number}, {name}", read, f"allowed: {allowed}"))

    def number_of(self, name: str, allowed: str, accepts: Callable[[float], bool]) -> float:
        try:
            value = float(self.text(name))
        except ValueError:
            value = math.nan
        if not (math.isfinite(value) and accepts(value)):
            self.wrong(name, allowed)
            return math.nan
        return value

    def word(self, name: str, allowed: Sequence[str]) -> str:
        if self.text(name) not in allowed:
            self.wrong(name, ", ".join(allowed))
        return self.text(name)


def _point(line: _Line, pools: Mapping[str, Pool], instance: Instance, catalogue: Catalogue) -> MeasuredPoint | None:
    before = len(line.problems)
    if None in line.row:
        line.problems.append(
            Problem(line.file, f"line {line.number}", "more cells than columns", "one cell per column")
        )
    name = line.word("pool", tuple(pools))
    accelerator = line.word("accelerator", tuple(catalogue.accelerators))
    whole = {
        key: line.number_of(key, "a whole number of at least 1", lambda v: v >= 1 and v == int(v)) for key in _WHOLE
    }
    numbers = {key: line.number_of(key, "a number above 0", lambda v: v > 0) for key in _POSITIVE}
    numbers |= {key: line.number_of(key, "a number of at least 0", lambda v: v >= 0) for key in _NEEDS}
    overlap = line.word("two_batch_overlap", ("true", "false"))
    mode = line.word("all_to_all", ("direct", "hierarchical"))
    degrees = instance.choose.tensor_parallel
    if whole["tp"] >= 1 and whole["tp"] not in degrees:
        line.wrong("tp", "choose.tensor_parallel of the instance: " + ", ".join(map(str, degrees)))
    if overlap in ("true", "false") and (overlap == "true") not in instance.choose.two_batch_overlap:
        line.wrong("two_batch_overlap", "choose.two_batch_overlap of the instance")
    latencies: dict[str, float | None] = {}
    if name in pools:
        without = {"decode": "ttft_ms", "prefill": "tpot_ms"}.get(pools[name].phase)
        for key in _LATENCIES:
            latencies[key] = None
            if key != without:
                latencies[key] = line.number_of(key, "a number above 0", lambda v: v > 0) / 1e3
            elif line.text(key):
                line.wrong(key, f"empty: a {pools[name].phase} pool has none")
    if len(line.problems) > before:
        return None
    integers = {key: int(value) for key, value in whole.items()}
    return MeasuredPoint(
        pool=name,
        phase=pools[name].phase,
        llm=pools[name].workload.llm,
        accelerator=accelerator,
        domain_size=integers["domain_size"],
        tp=integers["tp"],
        dp=integers["dp"],
        ep=integers["ep"],
        pp=integers["pp"],
        batch=integers["batch"],
        two_batch_overlap=overlap == "true",
        all_to_all="direct" if mode == "direct" else "hierarchical",
        tokens_per_s_per_accelerator=numbers["tokens_per_s_per_accelerator"],
        step_s=numbers["step_ms"] / 1e3,
        tpot_s=latencies["tpot_ms"],
        ttft_s=latencies["ttft_ms"],
        memory_bytes=numbers["memory_gb"] * 1e9,
        scale_up_need_gbps=numbers["scale_up_need_gbps"],
        scale_out_ep_need_gbps=numbers["scale_out_ep_need_gbps"],
        scale_out_other_need_gbps=numbers["scale_out_other_need_gbps"],
    )


def measured_plans(points: Sequence[MeasuredPoint], pool: Pool, offers: Sequence[DomainOffer]) -> PlanSet:
    """Place measured points on the offers of their accelerator and domain size.

    A point is placed where the offer has the bandwidth it needs; it is rejected where it misses a latency limit.

    Parameters
    ----------
    points
        Points of this pool.
    pool
        Gives the limits.
    offers
        Offers of the accelerators that have points.
    """
    plans: list[ServingPlan] = []
    rejected: dict[str, int] = {}
    unmet: dict[str, NearMiss] = {}
    work = pool.workload
    for name in dict.fromkeys(point.accelerator for point in points):
        misses: list[NearMiss] = []
        placed = len(plans)
        pairs = [
            (point, offer)
            for offer in offers
            for point in points
            if point.accelerator == offer.accelerator == name and point.domain_size == offer.domain_size
        ]
        for point, offer in pairs:
            miss = _miss(point, offer, work.tpot_ms, work.ttft_ms)
            if miss is None:
                plans.append(_placed(point, offer))
                continue
            misses.append(miss)
            rejected[miss.reason] = rejected.get(miss.reason, 0) + 1
        if len(plans) > placed or all(offer.accelerator != name for offer in offers):
            continue
        if misses:
            unmet[name] = max(misses, key=lambda miss: ORDER.index(miss.reason))
        else:
            sizes = sorted({point.domain_size for point in points if point.accelerator == name})
            unmet[name] = layout_miss(name, f"measured points of pool {pool.name} are for domains of {sizes} only")
    return PlanSet(pool.name, tuple(plans), len(plans) + sum(rejected.values()), 0, rejected, unmet)


def _miss(point: MeasuredPoint, offer: DomainOffer, tpot_ms: float | None, ttft_ms: float | None) -> NearMiss | None:
    tests: tuple[tuple[Reason, str, float | None, float | None, str], ...] = (
        ("bandwidth", "scale-up", point.scale_up_need_gbps, offer.scale_up_gbps, "Gb/s"),
        ("bandwidth", "expert scale-out", point.scale_out_ep_need_gbps, offer.nic_gbps, "Gb/s"),
        ("bandwidth", "other scale-out", point.scale_out_other_need_gbps, offer.nic_gbps, "Gb/s"),
        ("tpot", "time per output token", _milliseconds(point.tpot_s), tpot_ms, "ms"),
        ("ttft", "time to first token", _milliseconds(point.ttft_s), ttft_ms, "ms"),
    )
    for reason, what, read, limit, unit in tests:
        if read is not None and limit is not None and read > limit:
            message = f"{point.accelerator}: measured {what} {read:.4g} {unit}, the limit is {limit:.4g} {unit}"
            return NearMiss(point.accelerator, reason, read, limit, unit, message)
    return None


def _milliseconds(seconds: float | None) -> float | None:
    return None if seconds is None else seconds * 1e3


def _placed(point: MeasuredPoint, offer: DomainOffer) -> ServingPlan:
    fits = point.replica <= offer.domain_size
    return ServingPlan(
        pool=point.pool,
        phase=point.phase,
        llm=point.llm,
        **vars(offer),
        tp=point.tp,
        dp=point.dp,
        ep=point.ep,
        pp=point.pp,
        batch=point.batch,
        two_batch_overlap=point.two_batch_overlap,
        all_to_all=point.all_to_all,
        accelerators_per_replica=point.replica,
        replicas_per_domain=offer.domain_size // point.replica if fits else 1,
        domains_per_replica=1 if fits else -(-point.replica // offer.domain_size),
        step_s=point.step_s,
        tpot_s=point.tpot_s,
        ttft_estimate_s=point.ttft_s,
        tokens_per_s_per_accelerator=point.tokens_per_s_per_accelerator,
        memory_bytes=point.memory_bytes,
        scale_up_need_gbps=point.scale_up_need_gbps,
        scale_out_ep_need_gbps=point.scale_out_ep_need_gbps,
        scale_out_other_need_gbps=point.scale_out_other_need_gbps,
        measured=True,
        latency_allowance_us=None,
    )
