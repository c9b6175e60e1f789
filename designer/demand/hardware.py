"""What an accelerator is to the token model: rates by number format, memory; and how an LLM's numbers are stored."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from designer.catalogue import Accelerator, Level
from designer.problems import InputError, Problem

Format = Literal["bf16", "fp8", "fp4", "int8"]

# Bytes per element on the wire and in memory. Block formats carry their scales: fp8 one 4-byte scale per 128
# activations, nvfp4 one 1-byte scale per 16 values, mxfp4 one 1-byte scale per 32 values.
FP8_DISPATCH_BYTES = 1.0 + 4.0 / 128.0
NVFP4_BYTES = 0.5 + 1.0 / 16.0
MXFP4_BYTES = 0.5 + 1.0 / 32.0
BF16_BYTES = 2.0
COMBINE_BYTES = 2.0
ACTIVATION_BYTES = 2.0


class PrecisionUnsupportedError(ValueError):
    """The accelerator has no native rate for a number format the plan needs."""


@dataclass(frozen=True)
class Chip:
    """One accelerator.

    Parameters
    ----------
    name
        Its catalogue id.
    flops
        Dense peak FLOP/s by number format; formats without a native rate are absent.
    hbm_bytes, hbm_bytes_per_s
        Memory and its bandwidth.
    notes
        Per missing format, what the catalogue says about it (for messages).
    """

    name: str
    flops: Mapping[str, float]
    hbm_bytes: float
    hbm_bytes_per_s: float
    notes: Mapping[str, str]

    def rate(self, number_format: Format) -> float:
        """Dense peak FLOP/s of a format.

        Raises
        ------
        PrecisionUnsupportedError
            If the catalogue knows no native rate.
        """
        if number_format not in self.flops:
            note = self.notes.get(number_format, "")
            raise PrecisionUnsupportedError(
                f"{self.name} has no native {number_format} rate in the catalogue" + (f" ({note})" if note else "")
            )
        return self.flops[number_format]


@dataclass(frozen=True)
class Precision:
    """How weights, KV cache and activations are stored and which rate each computation runs at.

    Parameters
    ----------
    attention_weight_bytes, ffn_weight_bytes
        Bytes per weight of attention (and, in memory, the head) and of dense, shared and routed experts.
    kv_bytes
        Bytes per KV-cache element.
    dispatch_bytes
        Bytes per element of a token sent to an expert, scales included.
    projection_format, ffn_format, core_format
        Rate of attention projections, of feed-forward GEMMs, of the attention core. The head runs in bf16.
    combine_bytes
        Bytes per element of an expert's result.
    """

    attention_weight_bytes: float
    ffn_weight_bytes: float
    kv_bytes: float
    dispatch_bytes: float
    projection_format: Format
    ffn_format: Format
    core_format: Format
    combine_bytes: float = COMBINE_BYTES


def precision_for(dtype: str, asked: str, kv_bytes: float, chip: Chip) -> Precision:
    """Choose number formats for an LLM on a chip.

    Rules
    -----
    - ``native`` takes the LLM's dtype (bf16, fp8 or mxfp4); another word overrides it.
    - bf16: 2-byte weights, bf16 rates, bf16 dispatch.
    - fp8: 1-byte weights, fp8 rates, fp8 dispatch.
    - fp4: nvfp4 feed-forward weights at the fp4 rate, fp8 attention, nvfp4 dispatch.
    - mxfp4 (an LLM published so): mxfp4 experts, bf16 attention. A chip with fp4 runs the experts at its fp4 rate;
      one without unpacks the weights and computes in bf16, so that only memory gains.
    - The attention core runs in bf16, or in fp8 when the KV cache is one byte *and* the chip lists fp4: kernels
      that consume an fp8 cache directly came with that generation (older ones widen it to bf16 first).

    Parameters
    ----------
    dtype
        dtype of the LLM row.
    asked
        ``native``, ``bf16``, ``fp8`` or ``fp4``.
    kv_bytes
        1 or 2.
    chip
        The accelerator.

    Raises
    ------
    PrecisionUnsupportedError
        If the chip has no native rate for a needed format (for example one with INT8 but no fp8).
    ValueError
        For an unknown dtype.

    Examples
    --------
    >>> hopper = Chip("h200", {"bf16": 989e12, "fp8": 1979e12}, 141e9, 4.8e12, {})
    >>> precision_for("mxfp4", "native", 2, hopper).ffn_format
    'bf16'
    """
    numbers = dtype if asked == "native" else asked
    core: Format = "fp8" if kv_bytes == 1 and "fp4" in chip.flops and "fp8" in chip.flops else "bf16"
    if numbers == "bf16":
        chosen = Precision(BF16_BYTES, BF16_BYTES, kv_bytes, BF16_BYTES, "bf16", "bf16", core)
    elif numbers == "fp8":
        chosen = Precision(1.0, 1.0, kv_bytes, FP8_DISPATCH_BYTES, "fp8", "fp8", core)
    elif numbers == "fp4":
        chosen = Precision(1.0, NVFP4_BYTES, kv_bytes, NVFP4_BYTES, "fp8", "fp4", core)
    elif numbers == "mxfp4":
        experts: Format = "fp4" if "fp4" in chip.flops else "bf16"
        chosen = Precision(BF16_BYTES, MXFP4_BYTES, kv_bytes, BF16_BYTES, "bf16", experts, core)
    else:
        raise ValueError(f"dtype: read {numbers!r}; allowed: bf16, fp8, fp4, mxfp4")
    needed: tuple[Format, ...] = ("bf16", chosen.projection_format, chosen.ffn_format)
    for number_format in needed:
        chip.rate(number_format)
    return chosen


def chip_of(accelerator: Accelerator, level: Level) -> Chip:
    """Build the chip from an accelerator row of the catalogue.

    Parameters
    ----------
    accelerator
        The row.
    level
        ``low``, ``mid`` or ``high``.

    Raises
    ------
    InputError
        If the memory size or bandwidth is unknown.

    Examples
    --------
    >>> from designer.catalogue import load_catalogue
    >>> sorted(chip_of(load_catalogue().accelerators["h200_sxm"], "mid").flops)
    ['bf16', 'fp8']
    """
    rates = accelerator.dense_tflops
    flops: dict[str, float] = {}
    notes: dict[str, str] = {}
    for name, figure in (("bf16", rates.bf16), ("fp8", rates.fp8), ("fp4", rates.fp4)):
        tera = figure.at(level)
        if tera:
            flops[name] = tera * 1e12
        elif figure.note:
            notes[name] = figure.note
    memory, rate = accelerator.hbm_gb.at(level), accelerator.hbm_gbs.at(level)
    if not memory or not rate:
        key, allowed = (
            f"{accelerator.id}.hbm_gb, hbm_gbs",
            "a known memory size and bandwidth: state them in an overlay",
        )
        raise InputError([Problem("catalogue", key, "unknown", allowed)])
    return Chip(accelerator.id, flops, memory * 1e9, rate * 1e9, notes)
