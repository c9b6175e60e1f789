"""Plan points as columns: many ways to run one LLM, evaluated at once with numpy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import ArrayLike, NDArray

from designer.demand.efficiency import Efficiency
from designer.demand.hardware import Chip, Precision

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True)
class PlanPoints:
    """Columns of plan points; every array has shape ``(points,)``.

    Parameters
    ----------
    tp, dp, ep, pp
        Tensor t, attention-data D, expert e and pipeline parallel degrees. A replica has ``N = t*D*pp``
        accelerators; expert tensor parallelism is ``t*D/e``.
    slots
        Expert slots of all ranks together, ``E + red``: experts plus redundant copies.
    two_batch_overlap, hierarchical
        Two micro-batches that hide communication; one copy per domain instead of one per expert.
    domain_size
        Accelerators S of a scale-up domain.
    scale_up_bytes_per_s, scale_out_bytes_per_s
        W_u and W_o per accelerator, one direction.
    latency_allowance_us
        What the fabric may add to an exchange that crosses domains, once for a dispatch or combine, twice for an
        all-reduce; without meaning where nothing crosses.
    """

    tp: Ints
    dp: Ints
    ep: Ints
    pp: Ints
    slots: Ints
    two_batch_overlap: Bools
    hierarchical: Bools
    domain_size: Ints
    scale_up_bytes_per_s: Floats
    scale_out_bytes_per_s: Floats
    latency_allowance_us: Floats

    @property
    def replica(self) -> Ints:
        """Accelerators of a replica, ``t*D*pp``."""
        return self.tp * self.dp * self.pp

    def __len__(self) -> int:
        return int(self.tp.shape[0])

    def take(self, index: NDArray[np.int64] | Bools) -> PlanPoints:
        """Select points by index or mask."""
        return PlanPoints(**{field.name: getattr(self, field.name)[index] for field in fields(self)})


def plan_points(
    *,
    tp: ArrayLike,
    dp: ArrayLike,
    ep: ArrayLike,
    domain_size: ArrayLike,
    scale_up_bytes_per_s: ArrayLike,
    scale_out_bytes_per_s: ArrayLike,
    slots: ArrayLike = 0,
    pp: ArrayLike = 1,
    two_batch_overlap: ArrayLike = False,
    hierarchical: ArrayLike = False,
    latency_allowance_us: ArrayLike = 0.0,
) -> PlanPoints:
    """Broadcast scalars and arrays to columns of one length.

    Raises
    ------
    ValueError
        If shapes do not broadcast to one dimension or a degree is below 1.

    Examples
    --------
    >>> points = plan_points(tp=1, dp=[8, 16], ep=[8, 16], slots=256, domain_size=8,
    ...                      scale_up_bytes_per_s=450e9, scale_out_bytes_per_s=50e9)
    >>> points.replica.tolist()
    [8, 16]
    """
    whole = (tp, dp, ep, pp, slots, domain_size)
    columns = np.broadcast_arrays(
        *(np.atleast_1d(np.asarray(column, dtype=np.int64)) for column in whole),
        *(np.atleast_1d(np.asarray(column, dtype=np.bool_)) for column in (two_batch_overlap, hierarchical)),
        *(
            np.atleast_1d(np.asarray(column, dtype=np.float64))
            for column in (scale_up_bytes_per_s, scale_out_bytes_per_s, latency_allowance_us)
        ),
    )
    tp_, dp_, ep_, pp_, slots_, size_, overlap_, hier_, up_, out_, allowance_ = columns
    if tp_.ndim != 1:
        raise ValueError("plan points are one-dimensional columns")
    if min(int(column.min(initial=1)) for column in (tp_, dp_, ep_, pp_, size_)) < 1:
        raise ValueError("parallel degrees and the domain size must be at least 1")
    return PlanPoints(tp_, dp_, ep_, pp_, slots_, overlap_, hier_, size_, up_, out_, allowance_)


@dataclass(frozen=True)
class Rates:
    """Sustained rates per point (peak times efficiency); arrays of shape ``(points,)`` or ``(1,)``.

    Parameters
    ----------
    projection_flops, ffn_flops, core_flops, head_flops
        FLOP/s of attention projections, feed-forward GEMMs, attention core, output head.
    hbm_bytes_per_s
        Memory bandwidth.
    """

    projection_flops: Floats
    ffn_flops: Floats
    core_flops: Floats
    head_flops: Floats
    hbm_bytes_per_s: Floats

    def take(self, index: NDArray[np.int64] | Bools) -> Rates:
        """Select points by index or mask (arrays of full length only)."""
        return Rates(**{field.name: getattr(self, field.name)[index] for field in fields(self)})


def rates_of(pairs: Sequence[tuple[Chip, Precision]], efficiency: Efficiency) -> Rates:
    """Multiply peaks by efficiencies, one entry per (chip, precision) pair.

    ``eta_g`` applies to GEMMs (``gemm_fp4`` to those in fp4), ``eta_a`` to the attention core, ``eta_m`` to memory.

    Raises
    ------
    PrecisionUnsupportedError
        If a chip lacks a needed rate.
    """

    def column(values: list[float]) -> Floats:
        return np.asarray(values, dtype=np.float64)

    def gemm(number_format: str) -> float:
        return efficiency.gemm_fp4 if number_format == "fp4" else efficiency.gemm

    return Rates(
        column([chip.rate(p.projection_format) * gemm(p.projection_format) for chip, p in pairs]),
        column([chip.rate(p.ffn_format) * gemm(p.ffn_format) for chip, p in pairs]),
        column([chip.rate(p.core_format) * efficiency.attention for chip, p in pairs]),
        column([chip.rate("bf16") * efficiency.gemm for chip, _ in pairs]),
        column([chip.hbm_bytes_per_s * efficiency.hbm for chip, _ in pairs]),
    )
