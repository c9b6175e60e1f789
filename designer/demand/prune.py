"""Whole replicas and domains for a demand, and exact dominance between serving plans."""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction

import numpy as np

from designer.demand.plan import ServingPlan
from designer.demand.points import Bools, Floats, Ints
from designer.instance.pools import Pool

# Quotients this close to a whole number are divided again in exact arithmetic; double rounding stays far below it.
_NEAR_WHOLE = 1e-9
# Plans compared against all others at a time, and of those the ones that go first; of no influence on the result.
_BLOCK = 64
_FIRST = 8
WHOLE = Fraction(1)


def peak_demand(pool: Pool) -> Fraction:
    """Peak tokens/s of a pool, exact in the decimals its workload states.

    ``output_tokens_per_s * peak_factor``, for prefill times ``prompt_tokens * (1 - prefix_hit_share) / output_tokens``.
    A fleet's is the accelerators asked for. Floating-point `Pool.tokens_per_s` may be off by a rounding, which could
    cost a whole replica.
    """
    if pool.fleet is not None:
        return Fraction(pool.fleet.accelerators)
    work = pool.workload
    output = Fraction(repr(work.output_tokens_per_s)) * Fraction(repr(work.peak_factor))
    if pool.phase != "prefill":
        return output
    return output * work.prompt_tokens * (1 - Fraction(repr(work.prefix_hit_share))) / work.output_tokens


def domains_needed(plan: ServingPlan, pool: Pool, share: Fraction = WHOLE) -> tuple[int, int]:
    """Whole replicas and whole domains that serve the pool's peak, or a share of it.

    ``replicas = ceil(peak / (tokens/s per accelerator * N))``; then ``ceil(replicas / replicas per domain)``
    domains if a replica fits in one, else ``replicas * domains per replica``. The ceilings are exact: numbers are
    taken as the decimals that print them.

    Returns
    -------
    tuple of int
        Replicas, domains.
    """
    rate = Fraction(repr(plan.tokens_per_s_per_accelerator)) * plan.accelerators_per_replica
    replicas = math.ceil(peak_demand(pool) * share / rate)
    if plan.domains_per_replica > 1:
        return replicas, replicas * plan.domains_per_replica
    return replicas, -(-replicas // plan.replicas_per_domain)


def sizes_needed(plans: Sequence[ServingPlan], pool: Pool, share: Fraction = WHOLE) -> list[tuple[int, int]]:
    """`domains_needed` of many plans at once, the same numbers: replicas and domains of each."""
    if not plans:
        return []
    tokens_per_s = np.asarray([plan.tokens_per_s_per_accelerator for plan in plans], dtype=np.float64)
    whole = [(p.accelerators_per_replica, p.replicas_per_domain, p.domains_per_replica) for p in plans]
    replica, per_domain, spanned = np.asarray(whole, dtype=np.int64).T
    replicas = replicas_for(peak_demand(pool) * share, tokens_per_s, replica)
    domains = np.where(spanned > 1, replicas * spanned, -(-replicas // per_domain))
    return list(zip(replicas.tolist(), domains.tolist(), strict=True))


def replicas_for(peak: Fraction, tokens_per_s: Floats, replica: Ints) -> Ints:
    """Vectorised ``ceil(peak / (tokens_per_s * replica))``, as exact as `domains_needed`."""
    quotient = float(peak) / (tokens_per_s * replica)
    whole = np.ceil(quotient).astype(np.int64)
    nearest = np.rint(quotient)
    for index in np.flatnonzero(np.abs(quotient - nearest) <= _NEAR_WHOLE * np.maximum(nearest, 1.0)):
        rate = Fraction(repr(float(tokens_per_s[index]))) * int(replica[index])
        whole[index] = math.ceil(peak / rate)
    return whole


def undominated(groups: Ints, costs: Floats) -> Bools:
    """Mark the rows no other row of their group dominates.

    Row a dominates b if every cost of a is at most b's; of equal rows the first stays.

    Parameters
    ----------
    groups
        Group number of each row, at least 0, shape (rows,).
    costs
        Terms to be minimised, shape (rows, terms).

    Returns
    -------
    array of bool, shape (rows,)

    Examples
    --------
    >>> undominated(np.zeros(4, dtype=np.int64), np.array([[1., 2.], [2., 1.], [2., 2.], [1., 2.]])).tolist()
    [True, True, False, False]
    """
    rows = np.arange(len(groups))
    # Lexicographic order puts a dominator before what it dominates, equal rows in their given order.
    order = np.lexsort((rows, *costs.T[::-1], groups))
    keep = np.zeros(len(groups), dtype=np.bool_)
    starts = np.flatnonzero(np.diff(groups[order], prepend=-1))
    for start, stop in zip(starts, [*starts[1:], len(order)][: len(starts)], strict=True):
        open_rows = order[start:stop]
        while len(open_rows):
            block, open_rows = open_rows[:_BLOCK], open_rows[_BLOCK:]
            beats = _at_most(costs[block], costs[block])
            np.fill_diagonal(beats, True)
            # A row stays if the first that is nowhere above it is itself. Dominance is transitive, so a dominated
            # dominator need not be told apart.
            block = block[beats.argmax(axis=0) == np.arange(len(block))]
            keep[block] = True
            # First the few smallest of the block, which beat most of what is beaten.
            own = costs[block]
            for part in (own[:_FIRST], own[_FIRST:]):
                if len(part) and len(open_rows):
                    open_rows = open_rows[~_beaten(part, costs[open_rows])]
    return keep


def _at_most(a: Floats, b: Floats) -> Bools:
    """Whether row i of ``a`` is at most row j of ``b`` in every term, shape (rows of a, rows of b)."""
    out = np.ones((len(a), len(b)), dtype=np.bool_)
    # Term by term: a three-dimensional comparison would be reduced over its shortest axis, which is slow.
    for one, other in zip(a.T, b.T, strict=True):
        out &= one[:, None] <= other[None, :]
    return out


def _beaten(winners: Floats, rows: Floats) -> Bools:
    return np.asarray(_at_most(winners, rows).any(axis=0))


def prune_dominated(plans: Sequence[ServingPlan], pool: Pool) -> tuple[ServingPlan, ...]:
    """Drop every plan that another plan on the same hardware makes superfluous.

    Plan b is dropped if a plan a with the same accelerator, domain size, scale-up bandwidth, NIC type and number,
    the same accelerators and the same domains per replica

    - needs no more whole domains for the pool's peak,
    - serves no fewer tokens/s per accelerator,
    - needs no more scale-up, no more expert scale-out and no more other scale-out bandwidth, and
    - allows the fabric no less latency (None allows any).

    Any design that serves the peak with b then serves it with a at no higher cost, power, load or risk: those depend
    on a plan through these terms only (docs/rules.md). A smaller replica does not dominate a larger one: a failure
    takes fewer accelerators down, but one that takes a whole domain down hits more jobs. Of equal plans the first
    stays; the order is kept.

    Parameters
    ----------
    plans
        Plans of this pool.
    pool
        Gives the peak demand.
    """
    if not plans:
        return ()
    keys: dict[tuple[str, int, float, str, int, int, int], int] = {}
    hardware = [(p.accelerator, p.domain_size, p.scale_up_gbps, p.nic, p.nics) for p in plans]
    replica = [(p.accelerators_per_replica, p.domains_per_replica) for p in plans]
    groups = np.asarray([keys.setdefault((*h, *r), len(keys)) for h, r in zip(hardware, replica, strict=True)])
    costs = np.asarray(
        [
            (
                domains,
                -p.tokens_per_s_per_accelerator,
                p.scale_up_need_gbps,
                p.scale_out_ep_need_gbps,
                p.scale_out_other_need_gbps,
                -math.inf if p.latency_allowance_us is None else -p.latency_allowance_us,
            )
            for p, (_, domains) in zip(plans, sizes_needed(plans, pool), strict=True)
        ],
        dtype=np.float64,
    )
    keep = undominated(groups, costs)
    return tuple(plan for plan, kept in zip(plans, keep, strict=True) if kept)
