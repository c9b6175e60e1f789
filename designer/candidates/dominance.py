"""Which domains, options and choices can be dropped without losing the optimum, and why.

Each function states what it compares; the tests solve with and without them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from designer.candidates.blast import shares_inside
from designer.candidates.choices import Choices, Option
from designer.candidates.reduce import pareto, pareto_within
from designer.candidates.scale_up import DomainDesign
from designer.candidates.shortlist import event_tails
from designer.candidates.terms import CAPEX, FAILURES, HARD, TERMS, WATTS, Floats, Load
from designer.candidates.weights import Weights

Ints = npt.NDArray[np.int64]


def reduce_domains(
    domains: Sequence[DomainDesign], weights: Weights, *, blasts: bool = False, outages: bool = False
) -> list[DomainDesign]:
    """Drop domain designs that another beats for every plan that runs on both.

    Exact: designs are compared only for equal accelerator, size, usable bandwidth and NIC, in the objective that does
    not depend on the replica, the watched terms, rack density, hours lost whatever the replica, and hits and hours of
    events by how much they take down at least, whose weight grows with that for every replica; with ``blasts`` only for
    equal accelerators behind a switch; with ``outages`` in the time that a domain is down, which spares must cover: the
    longer, the more of its hours they leave, and the less often a pool is up.
    """
    if not domains:
        return []
    # The part of every compared sum that no plan changes; hits and hours are compared by themselves.
    counted = range(len(TERMS), weights.goal.size)
    rows = np.vstack([weights.goal, weights.watched])[:, [CAPEX, WATTS, FAILURES, HARD, *counted]]
    loads = [domain.load for domain in domains]
    plain = np.array([(load.capex_usd, load.watts, load.repairs_usd, load.hard, *load.units) for load in loads])
    own = np.array(
        [(-d.hosts_per_rack, d.load.hours, d.out_h if outages else 0.0) for d in domains],
        float,
    )
    groups: dict[tuple[object, ...], list[int]] = {}
    for row, d in enumerate(domains):
        behind = _behind(d) if blasts else 0
        groups.setdefault((d.accelerator.id, d.size, d.usable_gbps, d.nic.id, d.nics, behind), []).append(row)
    keep = np.zeros(len(domains), bool)
    for mine in groups.values():
        tails = event_tails(*_events([loads[row] for row in mine]))
        keys = np.concatenate([plain[mine] @ rows.T, own[mine], tails], axis=1)
        keep[np.array(mine)[pareto(keys)]] = True
    return [domain for domain, stays in zip(domains, keep.tolist(), strict=True) if stays]


def _behind(domain: DomainDesign) -> int:
    """Accelerators that a first-stage switch takes down: none while another plane is to spare."""
    return 0 if domain.network.lower is None or domain.network.spare else domain.network.group


def _events(loads: Sequence[Load]) -> tuple[Ints, Floats, Floats]:
    """Blasts, hits and hours, shape (loads, most events), filled up with events that do not happen."""
    shape = (len(loads), max(len(load.events) for load in loads))
    blasts, hits, hours = np.zeros(shape, np.int64), np.zeros(shape), np.zeros(shape)
    for row, load in enumerate(loads):
        for e, event in enumerate(load.events):
            blasts[row, e], hits[row, e], hours[row, e] = event.blast, event.hits, event.hours
    return blasts, hits, hours


def reduce_options(
    options: Sequence[Option], weights: Weights, *, rails: bool = False, blasts: bool = False, exact: bool = False
) -> list[Option]:
    """Drop options that another beats in money, limits, domains, needs, rack density and the latency that its plan
    bears, with ``rails`` also in room inside the domain, with ``blasts`` in what the loss of any
    part of a domain takes. With ``exact`` (a pinned taper)
    only as many domains are compared: of fewer a full leaf may hold other numbers.

    Exact: of mixed pools only equal shares are compared; leaves, links and lengths of a pool are non-decreasing in its
    domains, needs and racks for given accelerator and domain size and NIC, and events cost no less with a larger
    replica.
    """
    if not options:
        return []
    terms = np.stack([o.terms for o in options])
    # Of domains of one size as many parts; shorter lists are filled up.
    taken = [shares_inside(o) for o in options] if blasts else []
    inside = [row + [0.0] * (max(map(len, taken)) - len(row)) for row in taken]
    own = np.array(
        [
            (
                o.domains,
                o.plan.accelerators_per_replica,
                o.plan.scale_out_ep_need_gbps,
                o.plan.scale_out_other_need_gbps,
                -o.domain.hosts_per_rack,
                -np.inf if o.plan.latency_allowance_us is None else -o.plan.latency_allowance_us,
                *(inside[row] if blasts else ()),
                # Room inside the domain for what is forwarded to other rails.
                *(
                    (o.plan.scale_up_need_gbps, -float(o.domain.usable_gbps), o.domain.network.lower is None)
                    if rails
                    else ()
                ),
            )
            for row, o in enumerate(options)
        ],
        float,
    )
    keys = np.concatenate([weights.objective(terms)[:, None], weights.watch(terms), own], axis=1)
    groups: list[tuple[object, ...]] = [
        (
            o.domain.accelerator.id,
            o.domain.size,
            o.domain.nic.id,
            o.domain.nics,
            o.plan.domains_per_replica,
            # A job hit needs a whole replica in the blast: fewer, larger replicas see fewer hits.
            o.plan.accelerators_per_replica,
            o.domains if exact else None,
            o.share,
        )
        for o in options
    ]
    keep = pareto_within(groups, keys)
    return [option for option, stays in zip(options, keep.tolist(), strict=True) if stays]


def reduce_choices(
    choices: Choices, weights: Weights, *, flat: bool = False, go_on: Callable[[], None] = lambda: None
) -> Choices:
    """Drop choices on the same leaf type that another beats in everything a fabric can see.

    ``go_on`` is asked now and then, and raises what stops the search. With one stage the way through the fabric is
    known before: choices that it is too long for are not made.
    """
    radix = np.array([choices.leaf.radix[r] for r in choices.rate.tolist()], float)
    columns = [weights.objective(choices.terms), *weights.watch(choices.terms).T, choices.down / radix]
    if not choices.one_stage:
        columns += [
            choices.leaves,
            choices.load_gbps,
            choices.leaf_gbps,
            *([choices.relayed_gbps] if flat else []),
            choices.down * choices.rate,
            # An uplink is no slower than a NIC: a slower NIC leaves more rates to the uplinks.
            choices.rate,
            choices.accelerators,
            choices.leaves * choices.hit_usd,
            choices.accelerators * choices.hour_usd,
            -choices.path_ns,
        ]
    keys = np.stack([np.asarray(c, float) for c in columns], axis=1)
    labels: list[Ints] = []
    if flat:
        # Leaves joined directly: fewer of them share less of each other's load, and of a grid the rest is bought too.
        labels.append(choices.leaves)
    elif choices.taper is not None:
        # With a pinned taper fewer ports below are no better: they fit other uplinks.
        labels.append(choices.down * choices.rate)
    if choices.mixing is not None:
        # What serves another share does not stand in for it, nor a part on another accelerator: that may be in use.
        mix = choices.mixing
        labels += [mix.share, np.where(mix.share < mix.steps, mix.kind, -1)]
    if not labels:
        return choices.take(pareto(keys, go_on))
    return choices.take(pareto_within([tuple(row) for row in np.stack(labels, axis=1).tolist()], keys, go_on))
