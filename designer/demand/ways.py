"""Columns of everything a pool may try: layouts, overlap and all-to-all mode on every offer, and their batches."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from designer.demand.layouts import expert_slots, largest_near, largest_within, layouts
from designer.demand.llm import LlmShape
from designer.demand.offers import DomainOffer
from designer.demand.phases import LARGEST_PREFILL_PASS, Limits, Task, monotone_feasibility
from designer.demand.points import Bools, Ints, PlanPoints
from designer.demand.traffic import crosses_domains
from designer.instance.schema import Choose

SMALLEST_PREFILL_PASS = 256
_BYTES_PER_S = 1e9 / 8.0  # of one Gb/s


def ways_of(
    shape: LlmShape, choose: Choose, offers: Sequence[DomainOffer], allowances: Sequence[float] = (0.0,)
) -> tuple[Ints, PlanPoints]:
    """List all ways to run an LLM on the offers.

    Two-batch overlap needs communication to hide (N > 1); the all-to-all mode only matters where there is one, else
    ``direct`` stands for both. Ways whose exchanges cross domains are listed once per latency allowance, one after
    the other with the least first; the others once, with none.

    Returns
    -------
    tuple
        Index of the offer of each way, shape (ways,), and the ways as plan points.
    """
    tables = {size: _table(shape, choose, size) for size in {offer.domain_size for offer in offers}}
    counts = [len(tables[offer.domain_size]) for offer in offers]
    columns = np.concatenate([tables[offer.domain_size] for offer in offers] or [np.empty((0, 7), np.int64)])
    index = np.repeat(np.arange(len(offers), dtype=np.int64), counts)
    size, up, out = (
        np.repeat(np.asarray([getattr(offer, name) for offer in offers]), counts)
        for name in ("domain_size", "scale_up_gbps", "nic_gbps")
    )
    tp, dp, ep, pp, slots, overlap, hierarchical = columns.T
    points = PlanPoints(
        tp=tp,
        dp=dp,
        ep=ep,
        pp=pp,
        slots=slots,
        two_batch_overlap=overlap.astype(np.bool_),
        hierarchical=hierarchical.astype(np.bool_),
        domain_size=size.astype(np.int64),
        scale_up_bytes_per_s=up.astype(np.float64) * _BYTES_PER_S,
        scale_out_bytes_per_s=out.astype(np.float64) * _BYTES_PER_S,
        latency_allowance_us=np.zeros(len(index)),
    )
    levels = np.asarray(sorted(set(allowances)), dtype=np.float64)
    crosses = crosses_domains(shape, points)
    repeats = np.where(crosses, len(levels), 1)
    way = np.repeat(np.arange(len(points), dtype=np.int64), repeats)
    level = np.arange(len(way)) - np.repeat(np.cumsum(repeats) - repeats, repeats)
    allowance = np.where(crosses[way], levels[level], 0.0)
    return index[way], replace(points.take(way), latency_allowance_us=allowance)


def _table(shape: LlmShape, choose: Choose, domain_size: int) -> Ints:
    rows: list[tuple[int, ...]] = []
    for layout in layouts(shape, domain_size, choose.tensor_parallel):
        modes = (0, 1) if shape.moe_layers and layout.dp > 1 else (0,)
        overlaps = choose.two_batch_overlap if layout.replica > 1 else tuple({False} & {*choose.two_batch_overlap})
        slots = expert_slots(shape.experts, layout.ep)
        rows.extend(
            (layout.tp, layout.dp, layout.ep, layout.pp, slots, int(overlap), mode)
            for overlap in sorted(set(overlaps))
            for mode in modes
        )
    return np.asarray(rows, dtype=np.int64).reshape(-1, 7)


def needed_pipelines(task: Task) -> Bools:
    """Mark the ways to keep: pipelining only where a pipeline half as deep has no room for the smallest batch.

    Depths are tried in steps of two, and a deeper pipeline only adds memory.
    """
    points = task.points
    halved = replace(points, pp=np.maximum(points.pp // 2, 1))
    shallower = replace(task, points=halved)
    return np.asarray((points.pp == 1) | ~shallower.fits(smallest_batch(task)))


def smallest_batch(task: Task) -> Ints:
    """Smallest batch tried: 1, with two-batch overlap 2; in prefill a pass of 256 tokens."""
    if task.pool.phase == "prefill":
        return np.full(len(task.points), SMALLEST_PREFILL_PASS, dtype=np.int64)
    return np.where(task.points.two_batch_overlap, 2, 1).astype(np.int64)


def best_batch(task: Task, limits: Limits) -> tuple[Ints, Ints]:
    """Largest batch of each way that keeps memory, latency limits and mean traffic; exact to one sequence or token.

    A larger batch of the same way always serves more tokens per second with the same needs on every link, but for
    KV caches, whose traffic follows the tokens. Smaller batches would only spread the same traffic over more
    accelerators, so they are not tried. Of the latency allowances of a way the least is searched; the batches of the
    others lie near its batch.

    Returns
    -------
    tuple of arrays, shape (ways,)
        The largest batch, 0 where none is feasible; and the batch that comes nearest to the limits.
    """
    smallest = smallest_batch(task)
    largest = _largest(task, limits, _ceiling(task))
    largest = np.where(largest >= smallest, largest, 0)
    if task.pool.phase != "prefill" or math.isinf(limits.ttft_s):
        return largest, smallest
    return _in_time(task, limits, largest)


def _largest(task: Task, limits: Limits, upper: Ints) -> Ints:
    """Largest batch that keeps the monotone limits, 0 if none: `largest_within` on every way."""
    allowance = task.points.latency_allowance_us
    # `ways_of` lists the allowances of a way in a row, rising.
    more = np.zeros(len(upper), dtype=np.bool_)
    more[1:] = allowance[1:] > allowance[:-1]
    first = np.flatnonzero(~more)
    largest = np.zeros_like(upper)
    largest[first] = largest_within(monotone_feasibility(task.take(first), limits), upper[first])
    rest = np.flatnonzero(more)
    if not len(rest):
        return largest
    near = largest[first[np.searchsorted(first, rest) - 1]]
    largest[rest] = largest_near(lambda index: monotone_feasibility(task.take(rest[index]), limits), upper[rest], near)
    return largest


def _ceiling(task: Task) -> Ints:
    """Upper end of the search: what fits an accelerator without weights, or the largest prefill pass."""
    if task.pool.phase == "prefill":
        return np.full(len(task.points), LARGEST_PREFILL_PASS, dtype=np.int64)
    none = np.zeros(len(task.points), dtype=np.int64)
    one_sequence = task.memory(none + 1) - task.memory(none)
    return np.asarray(np.floor(task.hbm_bytes / one_sequence), dtype=np.int64)


def _in_time(task: Task, limits: Limits, largest: Ints) -> tuple[Ints, Ints]:
    """Largest prefill pass within the TTFT limit, and the pass of the shortest TTFT.

    From one prompt on TTFT grows with the pass, so that part is searched exactly; of shorter passes, which take
    several per prompt, the powers of two are tried.
    """
    prompt = math.ceil(task.computed_prompt)
    beyond = largest_within(
        lambda extra: np.asarray(task.evaluate(prompt - 1 + extra).ttft_s <= limits.ttft_s),
        np.maximum(largest - prompt + 1, 0),
    )
    passes = [1 << i for i in range(SMALLEST_PREFILL_PASS.bit_length() - 1, LARGEST_PREFILL_PASS.bit_length())]
    columns = [np.where(beyond > 0, prompt - 1 + beyond, 0), *(np.full_like(largest, n) for n in (*passes, prompt))]
    grid = np.stack(columns, axis=1)
    grid = np.where((grid >= SMALLEST_PREFILL_PASS) & (grid <= largest[:, None]), grid, 0)
    way, column = np.nonzero(grid)
    ttft = np.full(grid.shape, np.inf)
    ttft[way, column] = task.take(way.astype(np.int64)).evaluate(grid[way, column]).ttft_s
    within = np.where(ttft <= limits.ttft_s, grid, 0).max(axis=1)
    nearest = grid[np.arange(len(grid)), ttft.argmin(axis=1)]
    return within, np.maximum(nearest, SMALLEST_PREFILL_PASS)
