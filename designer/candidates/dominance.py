"""Which domains, options and choices can be dropped without losing the optimum, and why.

Each function states what it compares; the tests solve with and without them.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from designer.candidates.choices import Choices, Option
from designer.candidates.reduce import pareto, pareto_within
from designer.candidates.scale_up import DomainDesign
from designer.candidates.terms import CAPEX, FAILURES, HARD, WATTS
from designer.candidates.weights import Weights


def reduce_domains(domains: Sequence[DomainDesign], weights: Weights) -> list[DomainDesign]:
    """Drop domain designs that another beats for every plan that runs on both.

    Exact: designs are compared only for equal accelerator, size, usable bandwidth and NIC, in the objective that does
    not depend on the replica, the watched terms, rack density, and hits and hours separately for every blast radius,
    whose weight is the same non-negative number for both whatever the replica.
    """
    if not domains:
        return []
    usd = weights.usd
    radii = sorted({event.blast for domain in domains for event in domain.load.events})
    column = {radius: index for index, radius in enumerate(radii)}
    keys = np.zeros((len(domains), 5 + 2 * len(radii)))
    for row, domain in enumerate(domains):
        load = domain.load
        plain = usd[CAPEX] * load.capex_usd + usd[WATTS] * load.watts + usd[FAILURES] * load.repairs_usd
        keys[row, :5] = plain + usd[HARD] * load.hard, load.capex_usd, load.watts, load.hard, -domain.hosts_per_rack
        for event in load.events:
            at = 5 + 2 * column[event.blast]
            keys[row, at] += event.hits
            keys[row, at + 1] += event.hours
    idle = [1 + k for k, term in enumerate((CAPEX, WATTS, HARD)) if term not in weights.watched]
    keys = np.delete(keys, idle, axis=1)
    groups: list[tuple[object, ...]] = [(d.accelerator.id, d.size, d.usable_gbps, d.nic.id, d.nics) for d in domains]
    keep = pareto_within(groups, keys)
    return [domain for domain, stays in zip(domains, keep.tolist(), strict=True) if stays]


def reduce_options(options: Sequence[Option], weights: Weights) -> list[Option]:
    """Drop options that another beats in money, limits, domains, needs and rack density.

    Exact: leaves, links and lengths of a pool are non-decreasing in its domains, needs and racks for given
    accelerator, domain size and NIC, and events cost no less with a larger replica.
    """
    if not options:
        return []
    terms = np.stack([o.terms for o in options])
    own = np.array(
        [
            (
                o.domains,
                o.plan.accelerators_per_replica,
                o.plan.scale_out_ep_need_gbps,
                o.plan.scale_out_other_need_gbps,
                -o.domain.hosts_per_rack,
            )
            for o in options
        ],
        float,
    )
    keys = np.concatenate([weights.objective(terms)[:, None], terms[:, weights.watched], own], axis=1)
    groups: list[tuple[object, ...]] = [
        (
            o.domain.accelerator.id,
            o.domain.size,
            o.domain.nic.id,
            o.domain.nics,
            o.plan.domains_per_replica,
            # A job hit needs a whole replica in the blast: fewer, larger replicas see fewer hits.
            o.plan.accelerators_per_replica,
        )
        for o in options
    ]
    keep = pareto_within(groups, keys)
    return [option for option, stays in zip(options, keep.tolist(), strict=True) if stays]


def reduce_choices(choices: Choices, weights: Weights) -> Choices:
    """Drop choices on the same leaf type that another beats in everything a fabric can see."""
    radix = np.array([choices.leaf.radix[r] for r in choices.rate.tolist()], float)
    columns = [weights.objective(choices.terms), *(choices.terms[:, c] for c in weights.watched), choices.down / radix]
    if not choices.one_stage:
        columns += [
            choices.leaves,
            choices.load_gbps,
            choices.down * choices.rate,
            # An uplink is no slower than a NIC: a slower NIC leaves more rates to the uplinks.
            choices.rate,
            choices.accelerators,
            choices.leaves * choices.hit_usd,
            choices.accelerators * choices.hour_usd,
        ]
    return choices.take(pareto(np.stack([np.asarray(c, float) for c in columns], axis=1)))
