"""Outcome of plan points in one phase of a workload: latencies, tokens per second, needs, memory."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from fractions import Fraction
from functools import cached_property
from math import nextafter

import numpy as np

from designer.demand.efficiency import Efficiency
from designer.demand.hardware import Precision
from designer.demand.llm import LlmShape
from designer.demand.memory import kv_bytes_per_sequence, usable_bytes, weight_bytes
from designer.demand.points import Bools, Floats, Ints, PlanPoints, Rates
from designer.demand.tokens import Exchange, PassTimes, decode_step, exchange_of, prefill_pass
from designer.demand.traffic import kv_rate_decode, kv_rate_prefill
from designer.instance.pools import Pool

GBPS = 8.0 / 1e9  # Gb/s per byte/s
# Computed prompt tokens per rank and prefill pass: the largest pass the model was checked against. Larger ones
# would need activation buffers that the memory reserve does not hold.
LARGEST_PREFILL_PASS = 16_384
# KV traffic is charged in steps of 1/64 of the NIC rate, rounded up. It follows the tokens per second, so without
# steps no plan could dominate a slower one, over differences that no switch port resolves.
KV_STEPS_PER_NIC = 64


@dataclass(frozen=True)
class Outcome:
    """What plan points achieve; arrays of shape ``(points,)``, NaN where a latency does not exist.

    ``mean_out_gbps`` is the mean of all traffic that leaves the domain, KV caches included; the other columns are
    those of `ServingPlan`.
    """

    step_s: Floats
    tpot_s: Floats
    ttft_s: Floats
    tokens_per_s: Floats
    memory_bytes: Floats
    up_need_gbps: Floats
    expert_need_gbps: Floats
    other_need_gbps: Floats
    mean_out_gbps: Floats


@dataclass(frozen=True, eq=False)
class Task:
    """One pool's question to the model: evaluate batches of many layouts at once.

    Parameters
    ----------
    pool, shape, precision, efficiency
        The pool, its LLM, number formats (bytes are the same on all chips) and calibration factors.
    points, rates, hbm_bytes
        Layouts on their hardware, shape (points,).
    """

    pool: Pool
    shape: LlmShape
    precision: Precision
    efficiency: Efficiency
    points: PlanPoints
    rates: Rates
    hbm_bytes: Floats

    def take(self, index: Ints | Bools) -> Task:
        """Select layouts by index or mask."""
        parts = (self.points.take(index), self.rates.take(index), self.hbm_bytes[index])
        return Task(self.pool, self.shape, self.precision, self.efficiency, *parts)

    @property
    def context(self) -> float:
        """Mean context of a sequence in decode: the prompt and half of the output, in tokens."""
        work = self.pool.workload
        return work.prompt_tokens + work.output_tokens / 2.0

    @property
    def computed_prompt(self) -> float:
        """Prompt tokens that no cache holds."""
        work = self.pool.workload
        return work.prompt_tokens * (1.0 - work.prefix_hit_share)

    def memory(self, batch: Ints) -> Floats:
        """Weight and KV bytes per accelerator at a batch.

        Decode and together: b caches of the mean context. Prefill: the caches of the prompts of a pass (at least one
        whole prompt), twice if they are sent away while the next pass runs.
        """
        if self.pool.phase != "prefill":
            return self._weights + batch * self._cache
        held = 2.0 if self.pool.sends_kv else 1.0
        return self._weights + held * np.maximum(batch / self.computed_prompt, 1.0) * self._cache

    # Independent of the batch, which the search for the largest one changes twenty times.
    @cached_property
    def _weights(self) -> Floats:
        return weight_bytes(self.shape, self.precision, self.points)

    @cached_property
    def _cache(self) -> Floats:
        """KV bytes of one sequence: of the mean context in decode, of the prompt in prefill."""
        tokens = self.context if self.pool.phase != "prefill" else float(self.pool.workload.prompt_tokens)
        return kv_bytes_per_sequence(self.shape, self.precision, self.points, tokens)

    @cached_property
    def _exchange(self) -> Exchange:
        return exchange_of(self.shape, self.precision, self.points, self.efficiency)

    def fits(self, batch: Ints) -> Bools:
        """Whether weights and KV cache fit: ``memory <= u*HBM - reserve``."""
        return np.asarray(self.memory(batch) <= usable_bytes(self.hbm_bytes, self.efficiency))

    def evaluate(self, batch: Ints) -> Outcome:
        """Evaluate one batch per layout."""
        phase = self.pool.phase
        if phase == "prefill":
            return self._prefill(batch)
        return self._together(batch) if phase == "together" else self._decode(batch)

    def _decode(self, batch: Ints) -> Outcome:
        work = self.pool.workload
        times = self._decode_times(batch)
        emitted = 1.0 + work.accepted_tokens
        rate = batch * emitted / (times.step_s * self.points.tp)
        kv = np.zeros_like(rate)
        if self.pool.receives_kv:
            kv = kv_rate_decode(self.shape, self.precision, rate, work.prompt_tokens, work.output_tokens)
        up, expert, other = self._needs(times)
        return Outcome(
            step_s=times.step_s,
            tpot_s=times.step_s / emitted,
            ttft_s=np.full_like(rate, np.nan),
            tokens_per_s=rate,
            memory_bytes=self.memory(batch),
            up_need_gbps=up,
            expert_need_gbps=expert,
            other_need_gbps=other + self._kv_need(kv),
            mean_out_gbps=(times.scale_out_bytes / times.step_s + kv) * GBPS,
        )

    def _prefill(self, batch: Ints) -> Outcome:
        work, eff = self.pool.workload, self.efficiency
        times = self._prefill_times(np.asarray(batch, dtype=np.float64))
        rate = batch / (times.step_s * self.points.tp)
        kv = np.zeros_like(rate)
        if self.pool.sends_kv:
            kv = kv_rate_prefill(self.shape, self.precision, rate, work.prefix_hit_share)
        passes = np.ceil(self.computed_prompt / batch) + eff.ttft_wait_passes
        up, expert, other = self._needs(times)
        return Outcome(
            step_s=times.step_s,
            tpot_s=np.full_like(rate, np.nan),
            ttft_s=passes * times.step_s + eff.ttft_overhead_s,
            tokens_per_s=rate,
            memory_bytes=self.memory(batch),
            up_need_gbps=up,
            expert_need_gbps=expert,
            other_need_gbps=other + self._kv_need(kv),
            mean_out_gbps=(times.scale_out_bytes / times.step_s + kv) * GBPS,
        )

    def _together(self, batch: Ints) -> Outcome:
        work = self.pool.workload
        decode = self._decode_times(batch)
        prompt = self._one_prompt
        emitted = 1.0 + work.accepted_tokens
        # A step finishes b*emitted/osl sequences; each is replaced by a prompt that must be prefilled.
        prompts = batch * emitted / work.output_tokens
        step = decode.step_s + prompts * prompt.step_s
        needs = [np.maximum(a, b) for a, b in zip(self._needs(decode), self._needs(prompt), strict=True)]
        sent_out = decode.scale_out_bytes + prompts * prompt.scale_out_bytes
        return Outcome(
            step_s=step,
            tpot_s=step / emitted,
            ttft_s=prompt.step_s + decode.step_s + self.efficiency.ttft_overhead_s,
            tokens_per_s=batch * emitted / (step * self.points.tp),
            memory_bytes=self.memory(batch),
            up_need_gbps=needs[0],
            expert_need_gbps=needs[1],
            other_need_gbps=needs[2],
            mean_out_gbps=sent_out / step * GBPS,
        )

    @cached_property
    def _one_prompt(self) -> PassTimes:
        return self._prefill_times(np.full(len(self.points), self.computed_prompt))

    def _decode_times(self, batch: Ints) -> PassTimes:
        return decode_step(
            self.shape,
            self.precision,
            self.points,
            self.rates,
            self.efficiency,
            batch=batch,
            context=self.context,
            draft_tokens=self.pool.workload.draft_tokens,
            exchange=self._exchange,
        )

    def _prefill_times(self, tokens: Floats) -> PassTimes:
        work = self.pool.workload
        return prefill_pass(
            self.shape,
            self.precision,
            self.points,
            self.rates,
            self.efficiency,
            tokens=tokens,
            prompt=float(work.prompt_tokens),
            hit_share=work.prefix_hit_share,
            exchange=self._exchange,
        )

    def _kv_need(self, kv_bytes_per_s: Floats) -> Floats:
        """NIC rate for a mean KV rate: over the efficiency, rounded up to a 64th of the NICs' rate (Gb/s)."""
        step = self.points.scale_out_bytes_per_s * GBPS / KV_STEPS_PER_NIC
        need = kv_bytes_per_s / self.efficiency.scale_out * GBPS
        return np.asarray(np.ceil(need / np.where(step > 0.0, step, 1.0)) * step)

    def _needs(self, times: PassTimes) -> tuple[Floats, Floats, Floats]:
        """Rates the links must have for T_x to hold: ``B/(eta*T_x)``, at most W, 0 where nothing is sent (Gb/s)."""
        eff, points = self.efficiency, self.points
        transfer = np.where(times.transfer_s > 0.0, times.transfer_s, np.inf)
        up = times.scale_up_bytes / (eff.scale_up * transfer)
        expert = times.scale_out_expert_bytes / (eff.scale_out * transfer)
        other = times.scale_out_other_bytes / (eff.scale_out * transfer)
        # The quotient can exceed W by a rounding error where this link sets T_x.
        return (
            np.minimum(up, points.scale_up_bytes_per_s) * GBPS,
            np.minimum(expert, points.scale_out_bytes_per_s) * GBPS,
            np.minimum(other, points.scale_out_bytes_per_s) * GBPS,
        )


@dataclass(frozen=True)
class Limits:
    """Latency limits of a workload in seconds, infinite where there is none, each at most the stated decimal."""

    tpot_s: float
    ttft_s: float

    @classmethod
    def of(cls, pool: Pool) -> Limits:
        """Limits that bind in the pool's phase: TPOT in decode and together, TTFT in prefill and together."""
        work = pool.workload
        tpot = work.tpot_ms if pool.phase != "prefill" else None
        ttft = work.ttft_ms if pool.phase != "decode" else None
        return cls(seconds_within(tpot), seconds_within(ttft))

    def met(self, task: Task, outcome: Outcome) -> Bools:
        """Whether both limits hold, every link that is used exists, and the NICs carry the mean of all traffic."""
        return (
            np.isfinite(outcome.step_s)
            & ~(outcome.tpot_s > self.tpot_s)
            & ~(outcome.ttft_s > self.ttft_s)
            & (outcome.mean_out_gbps <= mean_limit_gbps(task))
        )


def mean_limit_gbps(task: Task) -> Floats:
    """Mean traffic the NICs of an accelerator may carry: ``eta_o*W_o``, in Gb/s."""
    return np.asarray(task.efficiency.scale_out * task.points.scale_out_bytes_per_s * GBPS)


def seconds_within(limit_ms: float | None) -> float:
    """Largest float of seconds whose decimal times 1000 does not exceed the decimal of the limit.

    Examples
    --------
    >>> seconds_within(50.0), seconds_within(None)
    (0.05, inf)
    """
    if limit_ms is None:
        return float("inf")
    seconds = limit_ms / 1000.0
    while Fraction(repr(seconds)) * 1000 > Fraction(repr(limit_ms)):
        seconds = nextafter(seconds, 0.0)
    return seconds


def select(outcome: Outcome, index: Ints | Bools) -> Outcome:
    """Select points of an outcome by index or mask."""
    return Outcome(**{field.name: getattr(outcome, field.name)[index] for field in fields(outcome)})


def monotone_feasibility(task: Task, limits: Limits) -> Callable[[Ints], Bools]:
    """Condition that holds below the largest feasible batch of every layout: memory, latencies, mean traffic.

    Step time, memory and mean traffic grow with the batch. The TTFT of a prefill pool falls and rises (a pass shorter
    than a prompt needs several), so it is left to `Limits.met` on the batches tried.
    """
    bounded = limits if task.pool.phase != "prefill" else Limits(limits.tpot_s, float("inf"))
    return lambda batch: task.fits(batch) & bounded.met(task, task.evaluate(batch))
