"""Why layouts fail, and in the user's words how near the best one came."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from designer.demand.memory import usable_bytes
from designer.demand.offers import NearMiss, Reason
from designer.demand.phases import Limits, Outcome, Task, mean_limit_gbps
from designer.demand.points import Ints

# In the order in which a layout is tested; a later reason means that it got further.
ORDER: tuple[Reason, ...] = ("layout", "precision", "memory", "bandwidth", "tpot", "ttft")


def reasons_of(task: Task, limits: Limits, batch: Ints, outcome: Outcome) -> NDArray[np.int64]:
    """First test each layout fails at a batch, as an index into `ORDER`; -1 where it fails none.

    Memory first; then bandwidth (a link that is used does not exist, or the NICs cannot carry the mean traffic);
    then TPOT, then TTFT.
    """
    carried = np.isfinite(outcome.step_s) & (outcome.mean_out_gbps <= mean_limit_gbps(task))
    tests = (
        ~task.fits(batch),
        ~carried,
        outcome.tpot_s > limits.tpot_s,
        outcome.ttft_s > limits.ttft_s,
    )
    return np.select(tests, [ORDER.index(reason) for reason in ("memory", "bandwidth", "tpot", "ttft")], -1)


def precision_miss(accelerator: str, llm: str, detail: str) -> NearMiss:
    """Describe an accelerator that lacks a number format."""
    message = f"{accelerator}: cannot run {llm} as asked: {detail}; choose another precision or accelerator"
    return NearMiss(accelerator, "precision", None, None, "", message)


def layout_miss(accelerator: str, detail: str) -> NearMiss:
    """Describe an accelerator on which nothing can be placed."""
    return NearMiss(accelerator, "layout", None, None, "", f"{accelerator}: {detail}")


def nearest_miss(
    accelerator: str, task: Task, limits: Limits, batch: Ints, outcome: Outcome, reasons: NDArray[np.int64]
) -> NearMiss:
    """Describe how near the layouts of one accelerator came, by the one that got furthest.

    Parameters
    ----------
    task, batch, outcome, reasons
        The infeasible layouts of this accelerator and what they reach, shape (layouts,).
    """
    furthest = int(reasons.max())
    chosen = np.flatnonzero(reasons == furthest)
    reason = ORDER[furthest]
    if reason == "memory":
        needed, room = task.memory(batch)[chosen], usable_bytes(task.hbm_bytes, task.efficiency)[chosen]
        at = int(np.argmin(needed - room))
        best, limit, unit = float(needed[at]) / 1e9, float(room[at]) / 1e9, "GB"
        what = f"weights and one batch need {best:.4g} GB per accelerator, {limit:.4g} GB are usable"
        advice = "choose an accelerator with more memory, a smaller precision, or larger domains"
    elif reason == "bandwidth":
        needed, room = outcome.mean_out_gbps[chosen], mean_limit_gbps(task)[chosen]
        at = int(np.argmin(np.where(np.isfinite(needed), needed - room, np.inf)))
        best, limit, unit = float(needed[at]), float(room[at]), "Gb/s"
        what = f"mean traffic out of the domain is {best:.4g} Gb/s per accelerator, the NICs carry {limit:.4g} Gb/s"
        if not np.isfinite(outcome.step_s[chosen[at]]):
            what = "its traffic needs a link that this hardware does not have"
            best = float("inf")
        advice = "choose more or faster NICs, or a larger domain"
    else:
        seconds = outcome.tpot_s if reason == "tpot" else outcome.ttft_s
        at = int(np.argmin(seconds[chosen]))
        bound = limits.tpot_s if reason == "tpot" else limits.ttft_s
        best, limit, unit = float(seconds[chosen[at]]) * 1e3, bound * 1e3, "ms"
        name = "time per output token" if reason == "tpot" else "estimated time to first token"
        what = f"the shortest {name} is {best:.4g} ms, the limit is {limit:.4g} ms"
        advice = f"relax {reason}_ms, or offer faster accelerators or more bandwidth"
    row = chosen[at]
    points = task.points
    layout = (
        f"tp {points.tp[row]}, dp {points.dp[row]}, ep {points.ep[row]}, pp {points.pp[row]}, batch {batch[row]}, "
        f"domain of {points.domain_size[row]}"
    )
    message = f"{accelerator}: no plan for pool {task.pool.name}: {what} ({layout}); {advice}"
    return NearMiss(accelerator, reason, best, limit, unit, message)
