"""The switched domains of an accelerator that no other beats, found in arrays before any of them is built.

A frame times link rows at each of its boundaries gives thousands of networks per accelerator. What links add is linear
in their counts, so it is computed in arrays from the loads of single ends, by the functions that price one domain.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, fields

import numpy as np
import numpy.typing as npt

from designer.candidates.cables import Counts, LinkPair, as_pinned, edge_load
from designer.candidates.frame import (
    Frame,
    first_pairs,
    first_stage,
    framed,
    lower_counts,
    second_pairs,
    second_stage,
    upper_counts,
)
from designer.candidates.parts import AcceleratorPart, Economy, LinkPart, NicPart
from designer.candidates.reduce import pareto
from designer.candidates.scale_up import Network, box_load, length_class, second_box_load, second_edge_load
from designer.candidates.spares import edge_hours, plane_factors, switch_hours
from designer.candidates.terms import CAPEX, FAILURES, HARD, WATTS, Floats, Load
from designer.candidates.weights import Weights

Ints = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]

# What does not hang on the replica; beside it go hits and hours of events with no, one and a group of accelerators
# behind them.
_PLAIN = [CAPEX, WATTS, FAILURES, HARD]
_GROUP = -1
_BLASTS = (0, 1, _GROUP)
_UNITS = tuple(Counts(*(int(i == j) for i in range(4))) for j in range(4))
# Events of a first-stage switch: outage, swap of the box, laser.
_BOX_EVENTS = 3


@dataclass(frozen=True)
class _Links:
    """Pairs of link rows at one boundary: ``unit`` (pairs, 4, columns) is what one link, cable, lower, upper end adds.

    ``metre`` is the capex of a metre of a link, ``hours`` those per accelerator whatever the replicas; ``out``
    (pairs, 4) the hours of repair that take the domain down.
    """

    pairs: Sequence[LinkPair]
    unit: Floats
    metre: Floats
    hours: Floats
    out: Floats
    reach: Floats
    rack: Mask
    board: Mask


@dataclass(frozen=True)
class _Table:
    """Networks worth a look, one row each; ``lower`` and ``upper`` are places among the pairs of its frame.

    ``plain`` (n, 4) at length 0 and ``metre`` (n, 2) the capex of a metre; ``blasts``, ``hits``, ``hours``
    (n, events); ``fixed`` the hours whatever the replicas, ``out`` those that switches and links take the domain down.
    """

    frame: Ints
    lower: Ints
    upper: Ints
    plain: Floats
    metre: Floats
    blasts: Ints
    hits: Floats
    hours: Floats
    fixed: Floats
    out: Floats
    reach: Floats
    rack: Mask
    board: Mask


def event_tails(blasts: Ints, hits: Floats, hours: Floats) -> Floats:
    """Hits and hours of the events that take down at least so many accelerators, for every number that occurs.

    An event weighs the more the more it takes down, whatever the replica: a row that is no worse in every tail is no
    worse in hits and hours. Arguments have shape (n, events), the result (n, 2 * distinct numbers).

    Examples
    --------
    >>> event_tails(np.array([[0, 8], [8, 8]]), np.array([[1.0, 2.0], [1.0, 2.0]]), np.zeros((2, 2))).tolist()
    [[3.0, 2.0, 0.0, 0.0], [3.0, 3.0, 0.0, 0.0]]
    """
    at_least = [blasts >= radius for radius in np.unique(blasts)]
    columns = [np.where(mask, values, 0.0).sum(axis=1) for values in (hits, hours) for mask in at_least]
    return np.stack(columns, axis=1) if columns else np.zeros((len(blasts), 0))


def shortlist(
    accelerator: AcceleratorPart,
    frames: Sequence[Frame],
    links: Sequence[LinkPart],
    economy: Economy,
    weights: Weights,
    *,
    outages: bool = False,
) -> Iterator[tuple[Network, list[tuple[NicPart, int]]]]:
    """Yield the networks that no other of the same size and usable bandwidth beats, each with the NICs it is best for.

    Exact: the criterion is that of `designer.candidates.dominance.reduce_domains`, whose keys these are.
    """
    batches: dict[tuple[str, str], list[Frame]] = {}
    for frame in frames:
        batches.setdefault((frame.first.id, frame.second.id if frame.second is not None else ""), []).append(frame)
    order: list[Frame] = []
    pairs: list[tuple[_Links, _Links | None]] = []
    tables: list[_Table] = []
    for mine in batches.values():
        lower, upper = _links_of(accelerator, mine[0], links, economy)
        if lower.pairs and (upper is None or upper.pairs):
            tables.append(_tabulate(accelerator, mine, lower, upper, economy, weights, len(order), outages))
            order += mine
            pairs += [(lower, upper)] * len(mine)
    if not tables:
        return
    table = _Table(**{f.name: np.concatenate([getattr(t, f.name) for t in tables]) for f in fields(_Table)})
    best: dict[int, list[tuple[NicPart, int]]] = {}
    for nic, nics in accelerator.nic_options:
        for row in _best(accelerator, order, table, nics * nic.watts, economy, weights, outages):
            best.setdefault(row, []).append((nic, nics))
    for row, options in best.items():
        frame, (lower, upper) = order[table.frame[row]], pairs[table.frame[row]]
        top = second_stage(frame, upper.pairs[table.upper[row]]) if upper is not None else None
        yield framed(frame, first_stage(frame, lower.pairs[table.lower[row]]), top), options


def _links_of(
    accelerator: AcceleratorPart, frame: Frame, links: Sequence[LinkPart], economy: Economy
) -> tuple[_Links, _Links | None]:
    rate = accelerator.port_gbps

    def first(pair: LinkPair, counts: Counts, length_m: float) -> Load:
        return edge_load(pair, counts, rate, length_m, (1, 1), _GROUP, economy)

    def second(pair: LinkPair, counts: Counts, length_m: float) -> Load:
        return second_edge_load(pair, counts, rate, length_m, 1, economy)

    pinned = economy.pinned_links.get("scale_up")
    lower = _links([p for p in first_pairs(accelerator, frame.first, links) if as_pinned(p, pinned)], first)
    if frame.second is None:
        return lower, None
    return lower, _links(second_pairs(frame.first, frame.second, rate, links), second)


def _links(pairs: Sequence[LinkPair], load_of: Callable[[LinkPair, Counts, float], Load]) -> _Links:
    unit = np.zeros((len(pairs), len(_UNITS), len(_PLAIN) + 2 * len(_BLASTS)))
    metre, hours, out = np.zeros(len(pairs)), np.zeros(len(pairs)), np.zeros((len(pairs), len(_UNITS)))
    for p, pair in enumerate(pairs):
        for j, counts in enumerate(_UNITS):
            load = load_of(pair, counts, 0.0)
            unit[p, j, : len(_PLAIN)] = load.capex_usd, load.watts, load.repairs_usd, load.hard
            for event in load.events:
                at = len(_PLAIN) + 2 * _BLASTS.index(event.blast)
                unit[p, j, at : at + 2] += event.hits, event.hours
            out[p, j] = edge_hours(pair, counts)
        hours[p] = load_of(pair, Counts(0, 0, 0, 0), 0.0).hours
        metre[p] = load_of(pair, _UNITS[0], 1.0).capex_usd - unit[p, 0, 0]
    return _Links(
        pairs,
        unit,
        metre,
        hours,
        out,
        np.array([min(pair.lower.reach_m, pair.upper.reach_m) for pair in pairs]),
        np.array([pair.lower.placement == "rack" for pair in pairs]),
        np.array([pair.lower.placement == "board" for pair in pairs]),
    )


def _tabulate(
    accelerator: AcceleratorPart,
    frames: Sequence[Frame],
    lower: _Links,
    upper: _Links | None,
    economy: Economy,
    weights: Weights,
    start: int,
    outages: bool,
) -> _Table:
    """Rows of the frames of one pair of switch types; link rows that another beats in their frame are left out."""
    size, group, ports, planes, tops, trunks = (
        np.array([getattr(frame, name) for frame in frames], np.int64)
        for name in ("size", "group", "ports", "planes", "tops", "trunks")
    )
    host, rate, groups = accelerator.per_host, accelerator.port_gbps, size // group

    def below(pair: LinkPair) -> tuple[Ints, ...]:
        rates = (pair.lower.rate_gbps, pair.upper.rate_gbps)
        return lower_counts(pair.lower.kind, rates, host, rate, size, group, ports, planes)

    def above(pair: LinkPair) -> tuple[Ints, ...]:
        rates = (pair.lower.rate_gbps, pair.upper.rate_gbps)
        return upper_counts(pair.lower.kind, rates, rate, groups, planes, tops, trunks)

    low, low_metre, low_out = _count(lower, below)
    boxes, blasts, hits, hours, out = _switches(frames, economy)
    _spare(frames, low, hits, hours, economy)
    keep = ~lower.board[None, :] | (group == host)[:, None]
    keep = _front(lower, low, low_metre, keep, weights, low_out if outages else None)
    if upper is None:
        f, p = np.nonzero(keep)
        q, columns = np.full(f.size, -1), low[f, p]
        metre = np.stack([low_metre[f, p], np.zeros(f.size)], axis=1)
        fixed, reach = np.zeros(f.size), np.stack([lower.reach[p], np.full(f.size, np.inf)], axis=1)
    else:
        up, up_metre, _ = _count(upper, above)
        above_keep = _front(upper, up, up_metre, np.ones(up_metre.shape, bool), weights)
        f, p, q = np.nonzero(keep[:, :, None] & above_keep[:, None])
        columns = low[f, p] + up[f, q]
        metre = np.stack([low_metre[f, p], up_metre[f, q]], axis=1)
        fixed, reach = upper.hours[q] * size[f], np.stack([lower.reach[p], upper.reach[q]], axis=1)
    events = columns[:, len(_PLAIN) :].reshape(f.size, len(_BLASTS), 2)
    behind = np.stack([np.zeros(f.size, np.int64), np.ones(f.size, np.int64), group[f]], axis=1)
    return _Table(
        frame=f + start,
        lower=p,
        upper=q,
        plain=columns[:, : len(_PLAIN)] + boxes[f, : len(_PLAIN)],
        metre=metre,
        blasts=np.concatenate([behind, blasts[f]], axis=1),
        hits=np.concatenate([events[:, :, 0], hits[f]], axis=1),
        hours=np.concatenate([events[:, :, 1], hours[f]], axis=1),
        fixed=fixed + boxes[f, len(_PLAIN)],
        out=low_out[f, p] + out[f],
        reach=reach,
        rack=lower.rack[p],
        board=lower.board[p],
    )


def _count(links: _Links, counts_of: Callable[[LinkPair], tuple[Ints, ...]]) -> tuple[Floats, Floats, Floats]:
    """Columns (frames, pairs, columns), capex of a metre and hours out (frames, pairs) of every pair in every frame."""
    counts = np.stack([np.stack(counts_of(pair), axis=1) for pair in links.pairs], axis=1).astype(float)
    out = np.einsum("fpj,pj->fp", counts, links.out)
    return np.einsum("fpj,pjc->fpc", counts, links.unit), counts[:, :, 0] * links.metre, out


def _spare(frames: Sequence[Frame], low: Floats, hits: Floats, hours: Floats, economy: Economy) -> None:
    """Take off hits and hours of links to the first stage and of its switches what spare planes cover, in place."""
    for f, frame in enumerate(frames):
        if frame.spare:
            killed, lost = plane_factors(frame.planes, frame.spare, frame.first, economy)
            # The first pair of columns is of transients, which have their factor.
            low[f, :, len(_PLAIN) + 2 :: 2] *= killed
            low[f, :, len(_PLAIN) + 1 :: 2] *= lost
            hits[f, :_BOX_EVENTS] *= killed
            hours[f, :_BOX_EVENTS] *= lost


def _front(
    links: _Links, rows: Floats, metre: Floats, allowed: Mask, weights: Weights, out: Floats | None = None
) -> Mask:
    """Which pairs of link rows no other beats in their frame, whatever the racks and the other boundary.

    Less watts means no more racks and no longer cables; a longer reach, the freedom to leave the rack and the shorter
    way on a board are compared as well.
    """
    project = np.vstack([weights.goal, weights.watched])[:, _PLAIN]
    hits, hours = rows[:, :, len(_PLAIN) :: 2], rows[:, :, len(_PLAIN) + 1 :: 2]
    tails = [np.cumsum(part[:, :, ::-1], axis=2) for part in (hits, hours)]
    plain = rows[:, :, : len(_PLAIN)]
    own = np.stack([-links.reach, links.rack, ~links.board, links.hours], axis=1)
    own = np.broadcast_to(own, (*metre.shape, own.shape[1]))
    more = [] if out is None else [out[:, :, None]]
    keys = np.concatenate([plain @ project.T, plain[:, :, 1:2], metre[:, :, None], *tails, own, *more], axis=2)
    count = len(links.pairs)
    no_worse = np.all(keys[:, :, None] <= keys[:, None], axis=3)
    better = no_worse & (~no_worse.transpose(0, 2, 1) | (np.arange(count)[:, None] < np.arange(count)))
    return np.asarray(allowed & ~np.any(better & allowed[:, :, None], axis=1))


def _switches(frames: Sequence[Frame], economy: Economy) -> tuple[Floats, Ints, Floats, Floats, Floats]:
    """Plain columns and fixed hours (frames, 5) of the switches; blasts, hits, hours (frames, events) of events; hours
    (frames,) that the first stage takes the domain down.
    """
    boxes = np.zeros((len(frames), len(_PLAIN) + 1))
    blasts = np.zeros((len(frames), _BOX_EVENTS + 1), np.int64)
    hits, hours, out = np.zeros(blasts.shape), np.zeros(blasts.shape), np.zeros(len(frames))
    mttr, labour = economy.switch_tray_mttr_h, economy.labour_usd_per_h * economy.switch_tray_mttr_h
    for f, frame in enumerate(frames):
        many = frame.planes * (frame.size // frame.group)
        out[f] = 0.0 if frame.spare else many * switch_hours(frame.first, economy)
        loads = [(0, box_load(frame.first, frame.group, mttr, labour, economy).times(many))]
        if frame.second is not None:
            tops = frame.planes * frame.tops
            loads.append((_BOX_EVENTS, second_box_load(frame.second, frame.size, tops, economy).times(tops)))
        for at, load in loads:
            boxes[f] += load.capex_usd, load.watts, load.repairs_usd, load.hard, load.hours
            for e, event in enumerate(load.events, start=at):
                blasts[f, e], hits[f, e], hours[f, e] = event.blast, event.hits, event.hours
    return boxes, blasts, hits, hours, out


def _best(
    accelerator: AcceleratorPart,
    order: Sequence[Frame],
    table: _Table,
    nic_watts: float,
    economy: Economy,
    weights: Weights,
    outages: bool,
) -> list[int]:
    """Rows that fit their racks and cables with a NIC and that no other of the same size and usable bandwidth beats."""
    host = accelerator.per_host
    size, group, usable = (
        np.array([getattr(frame, name) for frame in order], np.int64)[table.frame]
        for name in ("size", "group", "usable_gbps")
    )
    watts = accelerator.watts + nic_watts + table.plain[:, 1] / size
    fit = np.floor(accelerator.rack_watts / (host * watts) + 1e-9).astype(np.int64)
    fit = np.minimum(fit, accelerator.rack_slots // host)
    together, racks = (ceil_each(many // host, np.maximum(fit, 1)) for many in (group, size))
    classes = [length_class(r, economy.racks_per_row, own_rack=True) for r in range(1, int(racks.max()) + 1)]
    metres = np.array([0.0, *(economy.lengths_m[name] for name in classes)])
    first = np.where(table.board, economy.lengths_m["board"], metres[together])
    lengths = np.stack([first, metres[racks]], axis=1)
    for column, name in enumerate(("scale_up", "scale_up_upper")):
        if name in economy.forced_m:
            lengths[:, column] = economy.forced_m[name]
    fits = (fit >= 1) & (~table.rack | (together == 1)) & np.all(table.reach >= lengths, axis=1)
    rows = np.flatnonzero(fits)
    if not rows.size:
        return []
    plain = table.plain[rows].copy()
    plain[:, 0] += (table.metre[rows] * lengths[rows]).sum(axis=1)
    project = np.vstack([weights.goal, weights.watched])[:, _PLAIN]
    out_h = table.out[rows, None] * outages
    keys = np.concatenate([plain @ project.T, -fit[rows, None], table.fixed[rows, None], out_h], axis=1)
    found: list[int] = []
    kinds = np.unique(np.stack([size[rows], usable[rows]], axis=1), axis=0, return_inverse=True)[1].ravel()
    for kind in range(int(kinds.max()) + 1):
        mine = np.flatnonzero(kinds == kind)
        at = rows[mine]
        tails = event_tails(table.blasts[at], table.hits[at], table.hours[at])
        found += at[pareto(np.concatenate([keys[mine], tails], axis=1))].tolist()
    return found


def ceil_each(a: Ints, b: Ints) -> Ints:
    """Return ``ceil(a / b)`` element by element."""
    return -(a // -b)
