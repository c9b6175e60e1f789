"""Which parallel layouts are tried, and the largest batch that still meets a limit."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from designer.demand.llm import LlmShape
from designer.demand.points import Bools, Ints

# Multiples of the domain size that are tried as replica sizes: powers of two and three times a power of two, as
# expert counts (128, 160, 256, 384) divide by one of them.
_MULTIPLES = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32)
PIPELINE_DEGREES = (1, 2, 4)


@dataclass(frozen=True)
class Layout:
    """Parallel degrees of one replica: tensor, attention-data, expert and pipeline, and its accelerators."""

    tp: int
    dp: int
    ep: int
    pp: int

    @property
    def replica(self) -> int:
        """Accelerators of the replica."""
        return self.tp * self.dp * self.pp


def replica_sizes(experts: int, domain_size: int) -> tuple[int, ...]:
    """Sizes tried for an MoE replica: powers of two, divisors of S, multiples of S, from 1 to the experts.

    Examples
    --------
    >>> replica_sizes(experts=128, domain_size=12)
    (1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 36, 48, 64, 72, 96, 128)
    """
    powers = {1 << i for i in range(experts.bit_length())}
    divisors = {size for size in range(1, min(domain_size, experts) + 1) if domain_size % size == 0}
    multiples = {factor * domain_size for factor in _MULTIPLES}
    return tuple(sorted(size for size in powers | divisors | multiples if 1 <= size <= experts))


def layouts(shape: LlmShape, domain_size: int, tensor_parallel: Sequence[int]) -> tuple[Layout, ...]:
    """List the layouts of an LLM in domains of one size, in a deterministic order.

    MoE: ``N = tp*dp`` with ``ep = N`` and pp = 1. Dense: ``dp = ep = 1`` and pp in 1, 2, 4 that divides the layers.
    Tensor parallelism divides the heads and stays inside a domain. A replica that spans domains fills each with the
    same whole number of tensor-parallel groups.
    """
    found: list[Layout] = []
    degrees = sorted({t for t in tensor_parallel if shape.heads % t == 0 and t <= domain_size})
    for tp in degrees:
        if shape.moe_layers:
            sizes = replica_sizes(shape.experts, domain_size)
            found.extend(Layout(tp, size // tp, size, 1) for size in sizes if size % tp == 0)
        else:
            found.extend(Layout(tp, 1, 1, pp) for pp in PIPELINE_DEGREES if shape.layers % pp == 0)
    return tuple(layout for layout in found if _spreads_evenly(layout, domain_size))


def _spreads_evenly(layout: Layout, domain_size: int) -> bool:
    domains = -(-layout.replica // domain_size)
    return layout.replica % domains == 0 and (layout.replica // domains) % layout.tp == 0


def expert_slots(experts: int, ep: int) -> int:
    """Expert slots of a replica: every rank holds the same whole number, ``e*ceil(E/e)`` in all.

    Examples
    --------
    >>> expert_slots(256, 72), expert_slots(256, 128)
    (288, 256)
    """
    return ep * -(-experts // ep) if experts else 0


def largest_within(feasible: Callable[[Ints], Bools], upper: Ints) -> Ints:
    """Largest whole number in ``1..upper`` at which a monotone condition holds, 0 where it holds nowhere.

    Parameters
    ----------
    feasible
        Maps candidate values, shape (points,), to whether they are feasible; if it holds at b it holds below b.
    upper
        Upper ends, shape (points,); entries below 1 give 0.

    Examples
    --------
    >>> import numpy as np
    >>> largest_within(lambda b: b * b <= np.array([50, 50, 3]), np.array([100, 5, 0])).tolist()
    [7, 5, 0]
    """
    low = np.zeros_like(upper)
    high = np.maximum(upper, 0)
    whole = feasible(np.maximum(high, 1)) & (high > 0)
    low = np.where(whole, high, low)
    while bool((high - low > 1).any()):
        middle = (low + high) // 2
        fits = feasible(np.maximum(middle, 1)) & (middle > 0)
        low, high = np.where(fits, middle, low), np.where(fits | (high - low <= 1), high, middle)
    return low


def largest_near(condition: Callable[[Ints], Callable[[Ints], Bools]], upper: Ints, near: Ints) -> Ints:
    """Largest whole number in ``1..upper`` as `largest_within` finds it; quick where a guess is near it.

    Parameters
    ----------
    condition
        Gives the monotone condition on some of the points, selected by index.
    upper
        Upper ends, shape (points,); entries below 1 give 0.
    near
        Guesses, shape (points,); of no influence on the result.

    Examples
    --------
    >>> import numpy as np
    >>> most = np.array([50, 50, 3, 99])
    >>> largest_near(lambda i: lambda b: b <= most[i], np.array([100, 5, 0, 99]), np.array([40, 9, 1, 0])).tolist()
    [50, 5, 0, 99]
    """
    index = np.arange(len(upper), dtype=np.int64)
    holds = condition(index)
    middle = np.maximum(np.minimum(near, upper), 1)
    rises = holds(middle) & (upper >= 1)
    low, high = np.where(rises, middle, 0), np.where(rises, upper + 1, middle)
    stride = 1
    while bool((still := high[index] - low[index] > 1).any()):
        if 2 * int(still.sum()) <= len(index):
            index = index[still]
            holds = condition(index)
        below, above, up = low[index], high[index], rises[index]
        middle = (below + above) // 2
        # Away from the guess in growing strides until the other side is known too.
        middle = np.where(up & (above > upper[index]), np.minimum(below + stride, above - 1), middle)
        middle = np.where(~up & (below == 0), np.maximum(above - stride, 1), middle)
        middle = np.clip(middle, below + 1, np.maximum(above - 1, 1))
        fits = holds(middle)
        still = above - below > 1
        low[index] = np.where(still & fits, middle, below)
        high[index] = np.where(still & ~fits, middle, above)
        stride *= 2
    return low
