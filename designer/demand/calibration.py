"""Checks the token model against published and measured figures: ``python -m designer.demand.calibration CASES``.

A case file (TOML) holds ``chips``, ``llms`` and ``cases``; tests/data/token_cases.toml is the shipped one and
explains its keys.
"""

from __future__ import annotations

import math
import sys
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import mean, median
from typing import Any

import numpy as np

from designer.demand.efficiency import Efficiency, load_efficiency
from designer.demand.hardware import FP8_DISPATCH_BYTES, Chip, Precision
from designer.demand.layouts import expert_slots, largest_within, layouts
from designer.demand.llm import LlmShape, kv_bytes_per_token, shape_of, total_params, training_flop_per_token
from designer.demand.memory import batch_limit, weight_bytes
from designer.demand.points import PlanPoints, plan_points, rates_of
from designer.demand.tokens import decode_step, prefill_pass, transfer_seconds
from designer.demand.traffic import all_to_all_copies

# Kinds whose expected value is a measured or simulated time or rate; the others are identities.
TIMED_KINDS = ("decode", "prefill", "step", "tpot_disagg", "tpot_agg")
_FORMATS = ("bf16", "fp8", "fp4", "int8")


@dataclass(frozen=True)
class CaseResult:
    """One case and the model's answer, both in the case's unit."""

    case_id: str
    kind: str
    unit: str
    expected: float
    predicted: float
    within_tolerance: bool

    @property
    def ratio(self) -> float:
        """Model over expected value."""
        return self.predicted / self.expected


@dataclass(frozen=True)
class ErrorDistribution:
    """Errors ``|model/expected - 1|`` over a set of cases."""

    cases: int
    median: float
    mean: float
    p90: float
    worst: float
    worst_case: str
    beyond_quarter: tuple[str, ...]


def check_cases(path: Path, efficiency: Efficiency | None = None) -> tuple[CaseResult, ...]:
    """Evaluate every case of a file.

    Parameters
    ----------
    path
        TOML file of cases.
    efficiency
        Calibration factors; the base set if absent.

    Raises
    ------
    ValueError
        For an unknown kind of case.
    """
    document = tomllib.loads(path.read_text(encoding="utf-8"))
    factors = load_efficiency("base") if efficiency is None else efficiency
    results = []
    for case in document["cases"]:
        if case["kind"] not in _KINDS:
            raise ValueError(f"{path.name}: case {case['id']}: unknown kind {case['kind']!r}")
        predicted = _KINDS[case["kind"]](_Given(case["given"], document["chips"], document["llms"], factors))
        expected = float(case["expected"])
        if "interval" in case:
            within = case["interval"][0] <= predicted <= case["interval"][1]
        else:
            within = abs(predicted / expected - 1.0) <= case["tolerance"]
        results.append(CaseResult(case["id"], case["kind"], case["unit"], expected, predicted, within))
    return tuple(results)


def error_distribution(results: Sequence[CaseResult]) -> ErrorDistribution:
    """Summarise the errors of cases (the 90th percentile is the smallest error that 90 % do not exceed)."""
    errors = sorted((abs(row.ratio - 1.0), row.case_id) for row in results)
    values = [error for error, _ in errors]
    beyond = tuple(row.case_id for row in results if not 1 / 1.25 <= row.ratio <= 1.25)
    rank = math.ceil(0.9 * len(values)) - 1
    return ErrorDistribution(len(values), median(values), mean(values), values[rank], values[-1], errors[-1][1], beyond)


@dataclass(frozen=True)
class _Given:
    values: Mapping[str, Any]
    chips: Mapping[str, Mapping[str, Any]]
    llms: Mapping[str, Mapping[str, Any]]
    efficiency: Efficiency

    def shape(self) -> LlmShape:
        return shape_of(self.llms[self.values["model"]])

    def factors(self) -> Efficiency:
        asked = self.values.get("eff", {})
        return replace(
            self.efficiency,
            imbalance_decode=asked.get("imb", self.efficiency.imbalance_decode),
            imbalance_prefill=asked.get("imb_pre", self.efficiency.imbalance_prefill),
        )

    def chip(self, name: str | None = None) -> tuple[Chip, Mapping[str, Any]]:
        row = self.chips[name or self.values["accel"]]
        flops = {key: float(row[key]) for key in _FORMATS if key in row}
        return Chip(row["catalogue"], flops, row["hbm"], row["hbm_bw"], {}), row

    def precision(self) -> Precision:
        par = self.values["par"]
        return Precision(
            attention_weight_bytes=par.get("w_attn", 1.0),
            ffn_weight_bytes=par.get("w_ffn", 1.0),
            kv_bytes=par.get("kv_b", 2.0),
            dispatch_bytes=par.get("disp_b", FP8_DISPATCH_BYTES),
            projection_format=par.get("gemm", "fp8"),
            ffn_format=par.get("gemm_ffn", "fp8"),
            core_format=par.get("attn_prec", "bf16"),
        )

    def points(self, shape: LlmShape, row: Mapping[str, Any]) -> PlanPoints:
        par = self.values["par"]
        return plan_points(
            tp=par.get("tp", 1),
            dp=par.get("dp", 1),
            ep=par.get("ep", 1),
            pp=par.get("pp", 1),
            slots=shape.experts + par.get("red", 0),
            two_batch_overlap=par.get("tbo", False),
            hierarchical=par.get("mode", "direct") == "hier",
            domain_size=row.get("S", 1),
            scale_up_bytes_per_s=row.get("su_bw", 0.0),
            scale_out_bytes_per_s=row.get("so_bw", 0.0),
        )


def _decode_seconds(given: _Given, batch: float, context: float, draft: int = 0) -> float:
    shape, (chip, row), precision = given.shape(), given.chip(), given.precision()
    factors, points = given.factors(), given.points(given.shape(), row)
    rates = rates_of([(chip, precision)], factors)
    times = decode_step(shape, precision, points, rates, factors, batch=[batch], context=context, draft_tokens=draft)
    return float(times.step_s[0])


def _prefill_seconds(given: _Given, tokens: float, prompt: float) -> float:
    shape, (chip, row), precision = given.shape(), given.chip(), given.precision()
    factors, points = given.factors(), given.points(given.shape(), row)
    rates = rates_of([(chip, precision)], factors)
    return float(prefill_pass(shape, precision, points, rates, factors, tokens=[tokens], prompt=prompt).step_s[0])


def _decode(given: _Given) -> float:
    g = given.values
    step = _decode_seconds(given, g["b"], g["ctx"], g["mtp"])
    return float(g["b"] * (1.0 + g["accept"]) / (step * g["par"].get("tp", 1)) * g["scale"])


def _prefill(given: _Given) -> float:
    g = given.values
    step = _prefill_seconds(given, g["n_tok"], g["prompt"])
    return float(g["n_tok"] / (step * g["par"].get("tp", 1)) * g["scale"])


def _step(given: _Given) -> float:
    return 1e3 * _decode_seconds(given, given.values["b"], given.values["ctx"])


def _tpot_disaggregated(given: _Given) -> float:
    g = given.values
    return 1e3 * _decode_seconds(given, g["b"], (g["isl"] + g["osl"] / 2.0) * g["len_factor"])


def _tpot_together(given: _Given) -> float:
    g = given.values
    prompt, output = g["isl"] * g["len_factor"], g["osl"] * g["len_factor"]
    return float(_tpot_disaggregated(given) + 1e3 * g["b"] * _prefill_seconds(given, prompt, prompt) / output)


def _weights(given: _Given) -> float:
    shape = given.shape()
    return float(weight_bytes(shape, given.precision(), given.points(shape, {}))[0])


def _all_to_all_us(given: _Given) -> float:
    g = given.values
    # Only the routing counts of this shape matter here: the case gives bytes per copy.
    shape = replace(shape_of(given.llms["DeepSeek-V3"]), experts_per_token=g["k"], expert_groups=1, groups_per_token=1)
    points = plan_points(
        tp=1, dp=g["ep"], ep=g["ep"], domain_size=g["S"], hierarchical=g["mode"] == "hier",
        scale_up_bytes_per_s=g["su_bw"], scale_out_bytes_per_s=g["so_bw"],
    )  # fmt: skip
    inside, leaving = all_to_all_copies(shape, points)
    sent = float(g["tokens"] * g["bytes"])
    seconds = np.maximum(
        transfer_seconds(sent * inside, given.efficiency.scale_up * points.scale_up_bytes_per_s),
        transfer_seconds(sent * leaving, given.efficiency.scale_out * points.scale_out_bytes_per_s),
    )
    return 1e6 * (float(g["lat"]) + float(seconds[0]))


def _ideal_exchange_s(given: _Given) -> float:
    g = given.values
    return float(g["tokens"] * g["copies"] * g["hidden"] * g["bytes"] / g["bw"])


def _ideal_tpot_ms(given: _Given) -> float:
    return float(1e3 * given.values["micro"] * given.values["layers"] * _ideal_exchange_s(given))


def _fleet_nodes(given: _Given) -> float:
    g = given.values
    seconds = 86_400.0
    return float(g["in_tok_day"] / seconds / g["in_tok_s_node"] + g["out_tok_day"] / seconds / g["out_tok_s_node"])


def _ratio_of_domains(given: _Given) -> float:
    """Best tokens/s per accelerator under a TPOT limit: first accelerator and domain size over the second."""
    first, second = (
        _best_rate(given, name, size) for name, size in zip(given.values["accel"], given.values["S"], strict=True)
    )
    # No batch meets the limit on the second: there is no ratio, and NaN is outside every interval.
    return first / second if second > 0.0 else math.nan


def _best_rate(given: _Given, accelerator: str, domain_size: int) -> float:
    g, shape, precision, factors = given.values, given.shape(), given.precision(), given.factors()
    chip, row = given.chip(accelerator)
    found = layouts(shape, domain_size, (1, 2, 4, 8))
    ways = [(lay, overlap, hier) for lay in found for overlap in (False, True) for hier in (False, True)]
    points = plan_points(
        tp=[lay.tp for lay, _, _ in ways],
        dp=[lay.dp for lay, _, _ in ways],
        ep=[lay.ep for lay, _, _ in ways],
        slots=[expert_slots(shape.experts, lay.ep) for lay, _, _ in ways],
        two_batch_overlap=[overlap for _, overlap, _ in ways],
        hierarchical=[hier for _, _, hier in ways],
        domain_size=domain_size,
        scale_up_bytes_per_s=row["su_bw"],
        scale_out_bytes_per_s=row["so_bw"],
    )
    rates = rates_of([(chip, precision)], factors)

    def steps(batch: np.ndarray[Any, np.dtype[np.int64]]) -> np.ndarray[Any, np.dtype[np.float64]]:
        return decode_step(shape, precision, points, rates, factors, batch=batch, context=g["ctx"]).step_s

    room = batch_limit(shape, precision, points, chip.hbm_bytes, g["ctx"], factors)
    best = largest_within(lambda batch: steps(batch) <= 1.0 / g["tok_s_user"], room)
    return float((best / (steps(np.maximum(best, 1)) * points.tp)).max())


_KINDS: Mapping[str, Callable[[_Given], float]] = {
    "kv_bytes": lambda given: kv_bytes_per_token(given.shape(), given.values["bytes"]),
    "params": lambda given: float(total_params(given.shape())),
    "train_gflop": lambda given: training_flop_per_token(given.shape(), given.values["seq"]) / 1e9,
    "ep_time_ideal": lambda given: 1e6 * _ideal_exchange_s(given),
    "ep_tpot_ideal": _ideal_tpot_ms,
    "fleet": _fleet_nodes,
    "a2a_latency": _all_to_all_us,
    "decode": _decode,
    "prefill": _prefill,
    "step": _step,
    "tpot_disagg": _tpot_disaggregated,
    "tpot_agg": _tpot_together,
    "weights": _weights,
    "ratio_S": _ratio_of_domains,
}


def summary(results: Sequence[CaseResult]) -> str:
    """Text table of all cases and the error distribution of the timed ones."""
    lines = [f"{'case':34s} {'unit':12s} {'expected':>14s} {'model':>14s}  ratio"]
    for row in results:
        mark = "" if row.within_tolerance else "  outside its tolerance"
        lines.append(
            f"{row.case_id:34s} {row.unit:12s} {row.expected:14,.4g} {row.predicted:14,.4g}  {row.ratio:.3f}{mark}"
        )
    for label, kinds in (
        ("throughput and latency of serving", TIMED_KINDS),
        ("the same and all-to-all latency", (*TIMED_KINDS, "a2a_latency")),
        *((kind, (kind,)) for kind in TIMED_KINDS),
    ):
        chosen = [row for row in results if row.kind in kinds]
        if not chosen:
            continue
        d = error_distribution(chosen)
        lines.append(
            f"{label}: {d.cases} cases, |error| median {d.median:.1%}, mean {d.mean:.1%}, 90 % within {d.p90:.1%}, "
            f"worst {d.worst:.1%} ({d.worst_case}); beyond 1.25x: {', '.join(d.beyond_quarter) or 'none'}"
        )
    return "\n".join(lines)


if __name__ == "__main__":
    sys.stdout.write(summary(check_cases(Path(sys.argv[1]))) + "\n")
