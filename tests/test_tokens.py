"""The token model against published figures, against a scalar computation of its own, and against its own logic."""

from __future__ import annotations

import doctest
import importlib
import math
import pkgutil
import time
import tomllib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import designer.demand
from designer.catalogue import load_catalogue
from designer.demand.calibration import (
    TIMED_KINDS,
    CaseResult,
    check_cases,
    error_distribution,
    summary,
)
from designer.demand.efficiency import Efficiency, efficiency_figures, load_efficiency
from designer.demand.hardware import Chip, Precision, PrecisionUnsupportedError, chip_of, precision_for
from designer.demand.llm import LlmShape, kv_bytes_per_token, shape_of, total_params, training_flop_per_token
from designer.demand.memory import batch_limit, kv_bytes_per_sequence, usable_bytes, weight_bytes
from designer.demand.points import PlanPoints, plan_points, rates_of
from designer.demand.tokens import decode_step, prefill_pass, soft_roofline
from designer.demand.traffic import all_to_all_copies, pipeline_bytes_per_token, tensor_bytes_per_token

CASES = Path(__file__).parent / "data" / "token_cases.toml"
DOCUMENT = tomllib.loads(CASES.read_text(encoding="utf-8"))
V3 = shape_of(DOCUMENT["llms"]["DeepSeek-V3"])
LLAMA_70B = shape_of(DOCUMENT["llms"]["Llama-3.1-70B"])
H200 = Chip("h200_sxm", {"bf16": 989e12, "fp8": 1979e12}, 141e9, 4.8e12, {})
BASE = load_efficiency("base")
FP8 = precision_for("fp8", "native", 2, H200)


@pytest.fixture(scope="module")
def results() -> dict[str, CaseResult]:
    return {row.case_id: row for row in check_cases(CASES)}


@pytest.mark.parametrize("case_id", [case["id"] for case in DOCUMENT["cases"]])
def test_case_within_its_tolerance(case_id: str, results: dict[str, CaseResult]) -> None:
    row = results[case_id]
    assert row.within_tolerance, f"{row.predicted:.6g} {row.unit}, expected {row.expected:.6g}"


def test_error_distribution(results: dict[str, CaseResult], capsys: pytest.CaptureFixture[str]) -> None:
    timed = [row for row in results.values() if row.kind in TIMED_KINDS]
    spread = error_distribution(timed)
    with capsys.disabled():
        print("\n" + "\n".join(line for line in summary(list(results.values())).splitlines() if "|error|" in line))
    assert spread.cases == 42
    assert spread.median <= 0.06
    assert spread.beyond_quarter == ("h200_dsr1_tp8_1k1k_b4",)


def test_low_and_high_efficiencies_bracket_the_cases() -> None:
    low, high = (check_cases(CASES, load_efficiency(level)) for level in ("low", "high"))
    outside = [
        slow.case_id
        for slow, fast in zip(low, high, strict=True)
        if slow.kind in TIMED_KINDS
        and not min(slow.predicted, fast.predicted) <= slow.expected <= max(slow.predicted, fast.predicted)
    ]
    assert outside == ["h200_dsr1_tp8_1k1k_b4"]


def test_shapes_and_chips_of_the_cases_repeat_the_catalogue() -> None:
    catalogue = load_catalogue()
    for row in DOCUMENT["llms"].values():
        if "catalogue" in row:
            theirs = shape_of(catalogue.llms[row["catalogue"]])
            mine = shape_of(row)
            assert replace(mine, full_attention_layers=theirs.full_attention_layers) == theirs
            assert mine.growing_layers == theirs.growing_layers
    for row in DOCUMENT["chips"].values():
        if "all" in row["differs"]:
            continue
        accelerator = catalogue.accelerators[row["catalogue"]]
        chip = chip_of(accelerator, "mid")
        assert dict(chip.flops) == {key: row[key] for key in ("bf16", "fp8", "fp4") if key in row}
        assert (chip.hbm_bytes, chip.hbm_bytes_per_s) == (row["hbm"], row["hbm_bw"])
        assert accelerator.scale_up.gbs_per_dir.mid == row["su_bw"] / 1e9
        assert "so_bw" in row["differs"] or accelerator.scale_out_nic_gbps.mid == row["so_bw"] * 8 / 1e9


def test_every_llm_of_the_catalogue_has_its_published_size() -> None:
    # MiniMax-M1's linear-attention layers have a fifth projection that the grouped-query formula does not count.
    loose = {"minimax_m1": 0.03}
    for name, row in load_catalogue().llms.items():
        computed = row.params_computed_b.total
        assert total_params(shape_of(row)) / 1e9 == pytest.approx(computed, rel=loose.get(name, 0.005)), name
        assert kv_bytes_per_token(shape_of(row), 2) == row.kv_bytes_per_token_bf16, name


# ---- one decode step and one prefill pass, computed from docs/token_model.md in plain Python ---------------------


def scalar_pass(
    *, t: int, data: int, size: int, m: float, m_head: float, core_flop: float, core_bytes: float, imbalance: float,
    derate: float, overlap: bool, hierarchical: bool,
) -> dict[str, float]:  # fmt: skip
    """DeepSeek-V3 in fp8 on 989/1979 TFLOP/s, 4.8 TB/s, 450 and 50 GB/s; written from the formulas alone."""
    layers, moe, d, heads, experts, k, groups, limit = 61, 58, 7168, 128, 256, 8, 8, 4
    q_rank, kv_rank, nope, rope, value = 1536, 512, 128, 64, 128
    fp8, bf16, hbm, up, out = 0.75 * 1979e12, 0.75 * 989e12, 0.80 * 4.8e12, 0.70 * 450e9, 0.80 * 50e9
    whole = d * (q_rank + kv_rank + rope)
    split = q_rank * heads * (nope + rope) + kv_rank * heads * (nope + value) + heads * value * d
    attention, expert, dense, head = whole + split / t, 3 * d * 2048, 3 * d * 18432, d * 129280
    n = e = t * data
    slots = e * math.ceil(experts / e)
    rho = 2 if overlap else 1

    def soft(x: float, y: float) -> float:
        return float((x**1.35 + y**1.35) ** (1 / 1.35))

    def distinct(x: float, y: float) -> float:
        return float(x * (1 - (1 - 1 / x) ** y))

    compute = layers * soft(2 * attention * m / fp8, attention * rho / hbm)
    compute += layers * soft(core_flop / t / (0.58 * 989e12), core_bytes / hbm)
    touched = 1 - (1 - k / experts) ** (m * data)
    weights = slots * touched * expert / n * rho
    compute += moe * imbalance * soft(2 * expert * m * data * k / n / fp8, weights / hbm)
    compute += moe * soft(2 * expert * m / t / fp8, expert / t * rho / hbm)
    compute += (layers - moe) * soft(2 * dense * m / t / fp8, dense / t * rho / hbm)
    compute += soft(2 * head * m_head / t / bf16, 2 * head / t / hbm)
    compute += 2 * d * m * (12 * layers + 3 * k / t * moe) / hbm
    compute *= derate
    fixed = rho * (layers * (36e-6 + 11e-6) + moe * 20e-6)

    domains = math.ceil(e / size)
    share = distinct(limit, k) / groups
    if domains <= groups:
        reached = domains * (1 - (1 - share) ** (groups / domains))
    else:
        reached = distinct(limit * domains / groups, k)
    inside = (distinct(e, k) if hierarchical else k / domains) * (1 - domains / e)
    leaving = (reached if hierarchical else k) * (1 - 1 / domains)
    unit = moe * d * (1 + 4 / 128 + 2)
    spread = data > 1 and e > 1
    reduces = 0 if t == 1 else (layers + layers - moe if spread else 2 * layers)
    ring = min(t, size)
    sent_up = spread * imbalance * unit * inside * m / t + reduces * d * 2 * 2 * (ring - 1) / ring * m
    sent_out = spread * imbalance * unit * leaving * m / t
    transfer = max(sent_up / up, sent_out / out)
    latency = spread * 2 * moe * (50e-6 if e > size else 35e-6) + reduces * 15e-6
    work, talk = compute + fixed, transfer + latency
    step = work + talk - (0.75 * min(work, talk) if overlap else 0)
    held = layers * attention + 2 * head / t
    held += ((layers - moe) * dense + moe * expert) / t + moe * slots * expert / n
    return {"compute": compute, "fixed": fixed, "transfer": transfer, "latency": latency, "step": step,
            "up": sent_up, "out": sent_out, "weights": held}  # fmt: skip


def scalar_decode(t: int, data: int, size: int, b: float, s: float, draft: int, *, overlap: bool, hier: bool):
    m = b * (1 + draft)
    flop = m * 2 * 128 * (2 * 512 + 64) * s
    return scalar_pass(t=t, data=data, size=size, m=m, m_head=m, core_flop=flop, core_bytes=b * s * 576 * 2,
                       imbalance=1.15, derate=1.0, overlap=overlap, hierarchical=hier)  # fmt: skip


def scalar_prefill(t: int, data: int, size: int, n: float, s: float, hit: float, *, overlap: bool, hier: bool):
    flop = n * 2 * 128 * (128 + 64 + 128) * (s * hit + s * (1 - hit) / 2)
    derate = 1 / 0.79 / (0.82 if overlap else 1)
    return scalar_pass(t=t, data=data, size=size, m=n, m_head=n / (s * (1 - hit)), core_flop=flop,
                       core_bytes=n / (1 - hit) * 576 * 2, imbalance=1.3, derate=derate, overlap=overlap,
                       hierarchical=hier)  # fmt: skip


def v3_points(t: int, data: int, size: int, *, overlap: bool, hier: bool) -> PlanPoints:
    e = t * data
    return plan_points(tp=t, dp=data, ep=e, slots=e * math.ceil(256 / e), domain_size=size, two_batch_overlap=overlap,
                       hierarchical=hier, scale_up_bytes_per_s=450e9, scale_out_bytes_per_s=50e9)  # fmt: skip


LAYOUTS = [(1, 32, 8), (2, 16, 8), (8, 1, 8), (1, 8, 8), (1, 1, 8), (4, 36, 72), (1, 144, 8), (2, 64, 1)]


@pytest.mark.parametrize("overlap", [False, True])
@pytest.mark.parametrize("hier", [False, True])
@pytest.mark.parametrize(("t", "data", "size"), LAYOUTS)
def test_step_and_pass_equal_the_scalar_computation(t: int, data: int, size: int, hier: bool, overlap: bool) -> None:
    if t > size:
        pytest.skip("the scalar form keeps tensor parallelism inside a domain")
    points = v3_points(t, data, size, overlap=overlap, hier=hier)
    rates = rates_of([(H200, FP8)], BASE)
    decode = decode_step(V3, FP8, points, rates, BASE, batch=[64], context=4608.0, draft_tokens=1)
    prefill = prefill_pass(V3, FP8, points, rates, BASE, tokens=[16384], prompt=4096.0, hit_share=0.25)
    wanted = (
        scalar_decode(t, data, size, 64, 4608, 1, overlap=overlap, hier=hier),
        scalar_prefill(t, data, size, 16384, 4096, 0.25, overlap=overlap, hier=hier),
    )
    for got, want in zip((decode, prefill), wanted, strict=True):
        assert got.compute_s[0] == pytest.approx(want["compute"], rel=1e-12)
        assert got.fixed_s[0] == pytest.approx(want["fixed"], rel=1e-12)
        assert got.transfer_s[0] == pytest.approx(want["transfer"], rel=1e-12)
        assert got.latency_s[0] == pytest.approx(want["latency"], rel=1e-12)
        assert got.step_s[0] == pytest.approx(want["step"], rel=1e-12)
        assert got.scale_up_bytes[0] == pytest.approx(want["up"], rel=1e-12)
        assert got.scale_out_bytes[0] == pytest.approx(want["out"], rel=1e-12)
        assert weight_bytes(V3, FP8, points)[0] == pytest.approx(want["weights"], rel=1e-12)


def test_worked_examples_of_the_documentation() -> None:
    decode = scalar_decode(2, 16, 8, 64, 4608, 1, overlap=True, hier=True)
    prefill = scalar_prefill(1, 32, 8, 16384, 4096, 0.25, overlap=True, hier=True)
    assert decode["step"] == pytest.approx(0.0417974769, rel=1e-8)
    assert prefill["step"] == pytest.approx(2.55448249, rel=1e-8)
    text = (Path(__file__).parents[1] / "docs" / "token_model.md").read_text(encoding="utf-8")
    for number in (decode["step"], decode["transfer"], prefill["step"]):
        assert f"{number:.9g}" in text
    assert f"{decode['weights']:,.0f}" in text


def test_calibration_table_of_the_documentation_states_the_shipped_figures() -> None:
    text = (Path(__file__).parents[1] / "docs" / "token_model.md").read_text(encoding="utf-8")
    for figure in efficiency_figures():
        assert f"| `{figure.name}` | {figure.low:g} | {figure.base:g} | {figure.high:g} |" in text


# ---- properties --------------------------------------------------------------------------------------------------

shapes = st.sampled_from([V3, LLAMA_70B, shape_of(DOCUMENT["llms"]["gpt-oss-120b"])])


@st.composite
def layout(draw: st.DrawFn) -> tuple[LlmShape, dict[str, object]]:
    shape = draw(shapes)
    size = draw(st.sampled_from([1, 2, 4, 8, 16, 72]))
    t = draw(st.sampled_from([t for t in (1, 2, 4, 8) if t <= size]))
    data = draw(st.sampled_from([1, 2, 4, 8, 16])) if shape.moe_layers else 1
    e = t * data if shape.moe_layers else 1
    return shape, {
        "tp": t,
        "dp": data,
        "ep": e,
        "pp": 1 if shape.moe_layers else draw(st.sampled_from([1, 2])),
        "slots": e * -(-shape.experts // e),
        "domain_size": size,
        "two_batch_overlap": draw(st.booleans()),
        "hierarchical": draw(st.booleans()),
        "scale_up_bytes_per_s": draw(st.floats(1e9, 2e12)),
        "scale_out_bytes_per_s": draw(st.floats(1e9, 4e11)),
    }


RATES = rates_of([(H200, FP8)], BASE)
TINY = 1 + 1e-12  # monotone up to rounding


@given(layout(), st.integers(1, 4096), st.floats(1, 1e5), st.integers(0, 4))
@settings(max_examples=150, deadline=None)
def test_a_larger_batch_is_slower_per_step_and_never_slower_per_token(given_layout, b, context, draft) -> None:
    shape, columns = given_layout
    points = plan_points(**columns)
    one, two = (
        decode_step(shape, FP8, points, RATES, BASE, batch=[x], context=context, draft_tokens=draft).step_s[0]
        for x in (b, b + 1)
    )
    assert one <= two * TINY
    assert b / one <= (b + 1) / two * TINY


@given(layout(), st.sampled_from(["scale_up_bytes_per_s", "scale_out_bytes_per_s"]), st.floats(1, 100))
@settings(max_examples=150, deadline=None)
def test_more_bandwidth_is_never_slower(given_layout, which, factor) -> None:
    shape, columns = given_layout
    wider = {**columns, which: columns[which] * factor}
    for phase in ("decode", "prefill"):
        steps = []
        for chosen in (columns, wider):
            points = plan_points(**chosen)
            if phase == "decode":
                times = decode_step(shape, FP8, points, RATES, BASE, batch=[64], context=4096.0)
            else:
                times = prefill_pass(shape, FP8, points, RATES, BASE, tokens=[8192], prompt=4096.0)
            steps.append(times.step_s[0])
        assert steps[1] <= steps[0] * TINY


@given(layout(), st.integers(1, 512))
@settings(max_examples=60, deadline=None)
def test_the_optimistic_set_is_never_slower(given_layout, b) -> None:
    shape, columns = given_layout
    points = plan_points(**columns)
    steps = []
    for level in ("low", "base", "high"):
        factors = load_efficiency(level)
        rates = rates_of([(H200, FP8)], factors)
        steps.append(decode_step(shape, FP8, points, rates, factors, batch=[b], context=4096.0).step_s[0])
    assert steps[2] <= steps[1] <= steps[0]


@given(st.sampled_from([1, 2, 4, 8, 16, 32, 64, 72]), st.integers(1, 32))
def test_direct_share_that_leaves_is_one_minus_s_over_e(size: int, multiple: int) -> None:
    e = size * multiple
    if e < 2:
        return
    inside, leaving = all_to_all_copies(V3, v3_points(1, e, size, overlap=False, hier=False))
    # Of the k copies, k/e stay on their own rank; S/e of them stay in the domain.
    assert leaving[0] / V3.experts_per_token == pytest.approx(1 - size / e, abs=1e-15)
    assert inside[0] + leaving[0] == pytest.approx(V3.experts_per_token * (1 - 1 / e), rel=1e-12)


@given(st.integers(2, 256), st.integers(1, 256))
def test_hierarchical_sends_no_more_out_of_the_domain_than_direct(e: int, size: int) -> None:
    direct, hier = (all_to_all_copies(V3, v3_points(1, e, size, overlap=False, hier=mode)) for mode in (False, True))
    assert hier[1][0] <= direct[1][0] * TINY
    assert min(hier[0][0], hier[1][0], direct[0][0], direct[1][0]) >= 0


@given(layout(), st.floats(8e9, 5e11), st.floats(128, 1e5))
@settings(max_examples=150, deadline=None)
def test_memory_is_never_exceeded_and_the_limit_is_tight(given_layout, hbm, context) -> None:
    shape, columns = given_layout
    points = plan_points(**columns)
    room = usable_bytes(hbm, BASE) - weight_bytes(shape, FP8, points)[0]
    one = kv_bytes_per_sequence(shape, FP8, points, context)[0]
    limit = int(batch_limit(shape, FP8, points, hbm, context, BASE)[0])
    assert limit * one <= max(room, 0.0) * TINY
    assert (limit + 1) * one > room


def test_tensor_parallel_traffic_across_domains_is_hierarchical() -> None:
    points = plan_points(tp=16, dp=1, ep=1, domain_size=8, scale_up_bytes_per_s=1.0, scale_out_bytes_per_s=1.0)
    inside, leaving = tensor_bytes_per_token(LLAMA_70B, points)
    vector = 2 * 80 * 8192 * 2
    assert inside[0] == pytest.approx(vector * 2 * 7 / 8)
    assert leaving[0] == pytest.approx(vector * 2 * 1 / (2 * 8))
    assert tensor_bytes_per_token(LLAMA_70B, points, in_network=True)[0][0] == vector


def test_pipeline_traffic_stays_inside_if_the_replica_does() -> None:
    points = plan_points(tp=4, dp=1, ep=1, pp=2, domain_size=[4, 8], scale_up_bytes_per_s=1.0,
                         scale_out_bytes_per_s=1.0)  # fmt: skip
    inside, leaving = pipeline_bytes_per_token(LLAMA_70B, points)
    assert inside.tolist() == [0.0, 8192 * 2]
    assert leaving.tolist() == [8192 * 2, 0.0]


def test_a_missing_link_makes_the_step_infinite_only_if_used() -> None:
    columns = {"tp": 1, "dp": 16, "ep": 16, "slots": 256, "scale_up_bytes_per_s": 450e9, "scale_out_bytes_per_s": 0.0}
    for overlap in (False, True):
        points = plan_points(**columns, domain_size=[8, 16], two_batch_overlap=overlap)
        step = decode_step(V3, FP8, points, RATES, BASE, batch=[8, 8], context=4096.0).step_s
        assert np.isinf(step[0])
        assert np.isfinite(step[1])


def test_sliding_window_layers_see_their_window_only() -> None:
    windowed = replace(LLAMA_70B, full_attention_layers=40, window=128)
    points = plan_points(tp=1, dp=1, ep=1, domain_size=1, scale_up_bytes_per_s=0.0, scale_out_bytes_per_s=0.0)
    ignored = replace(windowed, window=0)
    per_layer = 2 * 8 * 128 * 2
    assert kv_bytes_per_sequence(windowed, FP8, points, 4096.0)[0] == 40 * per_layer * (4096 + 128)
    assert kv_bytes_per_sequence(ignored, FP8, points, 4096.0)[0] == 40 * per_layer * 4096
    steps = [
        decode_step(shape, FP8, points, RATES, BASE, batch=[64], context=4096.0).step_s[0]
        for shape in (ignored, windowed, LLAMA_70B)
    ]
    assert steps[0] < steps[1] < steps[2]
    # A window as long as the context is full attention.
    same = replace(windowed, window=5000)
    step = decode_step(same, FP8, points, RATES, BASE, batch=[64], context=4096.0).step_s[0]
    assert step == pytest.approx(steps[2], rel=1e-12)


@given(st.floats(0, 1e3), st.floats(0, 1e3), st.floats(1, 4))
def test_soft_roofline_lies_between_maximum_and_sum(x: float, y: float, p: float) -> None:
    r = float(soft_roofline(x, y, p))
    assert max(x, y) <= r * TINY
    assert r <= (x + y) * TINY


def test_training_flop_needs_no_serving_figures() -> None:
    assert training_flop_per_token(V3, 4096) / 1e9 == pytest.approx(250, rel=0.02)


# ---- precision and data ------------------------------------------------------------------------------------------


def test_precision_rules() -> None:
    blackwell = Chip("b200", {"bf16": 2.25e15, "fp8": 4.5e15, "fp4": 9e15}, 180e9, 8e12, {})
    tpu = Chip("tpu_v4", {"bf16": 275e12}, 32e9, 1.2e12, {"fp8": "INT8 275 TOPS"})
    assert precision_for("fp8", "native", 1, H200).core_format == "bf16"
    assert precision_for("fp8", "native", 1, blackwell).core_format == "fp8"
    assert precision_for("mxfp4", "native", 2, H200) == Precision(2.0, 0.53125, 2, 2.0, "bf16", "bf16", "bf16")
    assert precision_for("mxfp4", "native", 2, blackwell).ffn_format == "fp4"
    assert precision_for("fp8", "bf16", 2, tpu).ffn_weight_bytes == 2.0
    with pytest.raises(PrecisionUnsupportedError, match=r"tpu_v4 has no native fp8 rate .*INT8 275 TOPS"):
        precision_for("fp8", "native", 2, tpu)
    with pytest.raises(PrecisionUnsupportedError, match="fp4"):
        precision_for("fp8", "fp4", 2, H200)
    with pytest.raises(ValueError, match="allowed: bf16, fp8, fp4, mxfp4"):
        precision_for("int3", "native", 2, H200)


def test_efficiency_sets_are_ordered_and_sourced() -> None:
    for figure in efficiency_figures():
        pessimistic, optimistic = sorted((figure.low, figure.high))
        assert pessimistic <= figure.base <= optimistic, figure.name
        assert figure.source
        assert all(figure.source)
    assert load_efficiency("base") == Efficiency(**{f.name: f.base for f in efficiency_figures()})
    with pytest.raises(ValueError, match="allowed: low, base, high"):
        load_efficiency("mid")  # type: ignore[arg-type]


def test_wrong_inputs_are_named() -> None:
    with pytest.raises(ValueError, match="below 1"):
        points = v3_points(1, 8, 8, overlap=False, hier=False)
        prefill_pass(V3, FP8, points, RATES, BASE, tokens=[1024], prompt=4096.0, hit_share=1.0)
    with pytest.raises(ValueError, match="at least 1"):
        plan_points(tp=0, dp=1, ep=1, domain_size=1, scale_up_bytes_per_s=0.0, scale_out_bytes_per_s=0.0)
    with pytest.raises(ValueError, match="moe_layers"):
        replace(V3, moe_layers=62)


def test_a_hundred_thousand_points_take_well_under_a_second() -> None:
    count, rng = 100_000, np.random.default_rng(0)
    t = 2 ** rng.integers(0, 4, count)
    data = 2 ** rng.integers(0, 6, count)
    points = plan_points(tp=t, dp=data, ep=np.minimum(t * data, 256), slots=256, domain_size=72,
                         two_batch_overlap=rng.random(count) < 0.5, hierarchical=rng.random(count) < 0.5,
                         scale_up_bytes_per_s=450e9, scale_out_bytes_per_s=50e9)  # fmt: skip
    start = time.process_time()
    decode_step(V3, FP8, points, RATES, BASE, batch=rng.integers(1, 512, count), context=4608.0)
    assert time.process_time() - start < 0.5


@pytest.mark.parametrize("name", [module.name for module in pkgutil.iter_modules(designer.demand.__path__)])
def test_examples_of_the_docstrings_run(name: str) -> None:
    module = importlib.import_module(f"designer.demand.{name}")
    assert doctest.testmod(module).failed == 0
