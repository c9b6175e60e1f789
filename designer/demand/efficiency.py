"""Calibration factors of the token model, read from ``data/efficiency.toml``."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, fields
from importlib.resources import files
from typing import Any, Literal

EfficiencyLevel = Literal["low", "base", "high"]


@dataclass(frozen=True)
class Efficiency:
    """One set of calibration factors; the meaning, range and source of each stand in the data file.

    Parameters
    ----------
    gemm, gemm_fp4, attention
        Sustained share of the dense peak FLOP/s of weight GEMMs (fp4: of fp4 GEMMs) and of the attention core.
    hbm, scale_up, scale_out
        Sustained share of memory, scale-up and NIC bandwidth.
    roofline_p
        Exponent of the soft roofline.
    layer_launch_s, mla_launch_s, moe_launch_s
        Fixed seconds per layer, per MLA layer, per MoE layer.
    all_reduce_s, all_reduce_across_s, all_to_all_s, all_to_all_across_s
        Latency of one collective inside a domain and across domains, seconds.
    path_reference_us
        Latency of the fabric's path behind which the last two across domains were measured, microseconds.
    overlap, overlap_compute
        Share of the shorter side that two-batch overlap hides; share of compute left to prefill meanwhile.
    imbalance_decode, imbalance_prefill
        Load of the hottest expert rank over the mean.
    prefill
        Compute rate of a prefill pass relative to the rates above.
    passes_per_layer, passes_per_expert_copy
        Passes over the hidden vector through memory, per layer and per routed copy.
    memory_use, memory_reserve_bytes
        Usable share of the memory and bytes set aside.
    ttft_overhead_s, ttft_wait_passes
        Terms of the unvalidated estimate of the time to first token.
    """

    gemm: float
    gemm_fp4: float
    attention: float
    hbm: float
    scale_up: float
    scale_out: float
    roofline_p: float
    layer_launch_s: float
    mla_launch_s: float
    moe_launch_s: float
    all_reduce_s: float
    all_reduce_across_s: float
    all_to_all_s: float
    all_to_all_across_s: float
    path_reference_us: float
    overlap: float
    overlap_compute: float
    imbalance_decode: float
    imbalance_prefill: float
    prefill: float
    passes_per_layer: float
    passes_per_expert_copy: float
    memory_use: float
    memory_reserve_bytes: float
    ttft_overhead_s: float
    ttft_wait_passes: float


@dataclass(frozen=True)
class EfficiencyFigure:
    """One calibration factor with its range and origin, as the answer and the docs list it."""

    name: str
    low: float
    base: float
    high: float
    unit: str
    source: tuple[str, ...]
    note: str


def _document() -> dict[str, Any]:
    text = files("designer.demand").joinpath("data/efficiency.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


def efficiency_figures() -> tuple[EfficiencyFigure, ...]:
    """List every calibration factor with low, base, high, unit, note and the full text of its sources.

    Raises
    ------
    ValueError
        If the shipped file misses a factor, has an unknown one, or a factor names no source.

    Examples
    --------
    >>> [figure.base for figure in efficiency_figures() if figure.name == "roofline_p"]
    [1.35]
    """
    document = _document()
    sources = document["sources"]
    rows = {key: row for key, row in document.items() if key not in ("schema_version", "sources")}
    expected = [field.name for field in fields(Efficiency)]
    if sorted(rows) != sorted(expected):
        raise ValueError(f"efficiency.toml must hold exactly {sorted(expected)}, it holds {sorted(rows)}")
    figures = []
    for name in expected:
        row = rows[name]
        if not row["source"]:
            raise ValueError(f"efficiency.toml: {name} names no source")
        cited = tuple(str(sources[key]) for key in row["source"])
        figures.append(EfficiencyFigure(name, row["low"], row["base"], row["high"], row["unit"], cited, row["note"]))
    return tuple(figures)


def load_efficiency(level: EfficiencyLevel = "base") -> Efficiency:
    """Read one set of calibration factors.

    Parameters
    ----------
    level
        ``low`` is the pessimistic set, ``base`` the calibrated one, ``high`` the optimistic one.

    Raises
    ------
    ValueError
        For another level.

    Examples
    --------
    >>> load_efficiency("base").gemm
    0.75
    >>> load_efficiency("low").layer_launch_s > load_efficiency("high").layer_launch_s
    True
    """
    if level not in ("low", "base", "high"):
        raise ValueError(f"read {level!r}; allowed: low, base, high")
    return Efficiency(**{figure.name: float(getattr(figure, level)) for figure in efficiency_figures()})
