"""Single-commodity max flows through the fabric: what must be possible if the traffic is.

Each is necessary only (one commodity may be delivered to the wrong sink), but each finds the cut that limits it
wherever that cut runs, also where no closed form looked.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

import networkx as nx
import numpy as np

from designer.fabric.copies import Copy, part_of
from designer.fabric.flat_tiers import hose_of
from designer.fabric.flow_report import FlowMargin
from designer.fabric.max_flow import Multiple, largest_multiple
from designer.fabric.placement import Ints
from designer.fabric.quotient import coarsest_equitable, collapse, verify_equitable
from designer.fabric.traffic import PoolTraffic, Side, Supply, partners
from designer.fabric.wiring import ACCELERATOR, BOUNDARIES, KINDS, NIC_LEAF, PLANE, SCALE_UP, UPPER, Wiring

MOST_CLASSES = 8
"""Differently wired domains of one pool that get a max flow of their own, the thinnest first."""

MOST_PLANE_SETS = 64
"""Sets of planes that are taken out of one domain; those of planes wired alike are one."""

MOST_FLAT_PAIRS = 20_000
"""Joined cells of leaves joined directly up to which a max flow is solved: about a second."""

PLURALS = {"leaf": "leaves"}


Coded = tuple[Ints, list[Fraction]]
"""An amount per box: the number of its value (0 = none), and the values."""


@dataclass(frozen=True, eq=False)
class ScaleOut:
    """One copy of the scale-out fabric alone, ready for max flows on every endpoint or on checked quotients.

    Traffic between domains runs over NICs, so scale-up cables are left out.
    """

    copy: Copy
    expanded: bool

    @property
    def wiring(self) -> Wiring:
        """Boxes and cables of the copy."""
        return self.copy.wiring

    def flow(
        self, name: str, sends: Sequence[Supply], receives: Sequence[Supply], *, to_outside: bool = False
    ) -> FlowMargin | None:
        """Solve one traffic; None when nothing is sent.

        ``to_outside`` adds a sink above the top stage, joined to every top box by more than the box has below.
        """
        send_code, send_values = _codes(self.wiring.boxes, sends)
        receive_code, receive_values = _codes(self.wiring.boxes, receives)
        count = sum(stop - start for start, stop, _ in sends)
        demand = sum((gbps * (stop - start) for start, stop, gbps in sends), Fraction(0))
        if not demand:
            return None
        cells = coarsest_equitable(self.wiring, _colours(self.wiring, send_code, receive_code))
        verify_equitable(self.wiring, cells)
        receivers = sum(stop - start for start, stop, _ in receives) + to_outside
        if self.wiring.shape != "tree":
            kept = np.arange(self.wiring.boxes) if self.expanded else cells
            if len(collapse(self.wiring, kept)[0]) > MOST_FLAT_PAIRS:
                return self._by_way_of_random_leaves(name + self.copy.label, sends, receives)
        outside = demand if to_outside else Fraction(0)
        found = self._solve(cells, (send_code, send_values), (receive_code, receive_values), outside, None)
        if self.expanded:
            # The cut found on the quotient starts the search on the expanded graph, which decides by itself.
            hint = frozenset(np.flatnonzero(np.isin(cells, list(found.source_side))).tolist())
            cells = np.arange(self.wiring.boxes)
            found = self._solve(cells, (send_code, send_values), (receive_code, receive_values), outside, hint)
        cut = cut_in_words(self.wiring, cells, found)
        name += self.copy.label
        return FlowMargin(name, count, receivers, float(demand), float(found.times), cut, found.max_flows)

    def _by_way_of_random_leaves(self, name: str, sends: Sequence[Supply], receives: Sequence[Supply]) -> FlowMargin:
        """Give what a routing that exists carries, where leaves joined directly are too many for a max flow."""
        bundles = self.wiring.bundles(NIC_LEAF)
        nic, leaf = np.zeros(self.wiring.boxes, np.int64), np.zeros(self.wiring.boxes, np.int64)
        np.add.at(nic, self.wiring.lower[bundles], self.wiring.capacity[bundles])
        leaf[self.wiring.lower[bundles]] = self.wiring.upper[bundles]
        times: list[Fraction] = []
        for traffic in (sends, receives):
            at_leaf: dict[int, Fraction] = {}
            for start, stop, gbps in traffic:
                times.append(int(nic[start:stop].min()) / gbps)
                for box, count in Counter(leaf[start:stop].tolist()).items():
                    at_leaf[box] = at_leaf.get(box, Fraction(0)) + gbps * count
            worst = max(at_leaf.values())
            times += [hose.even / worst for hose in hose_of(self.wiring)]
        sources, sinks = (sum(stop - start for start, stop, _ in traffic) for traffic in (sends, receives))
        demand = sum((gbps * (stop - start) for start, stop, gbps in sends), Fraction(0))
        words = "at least: by way of random leaves, no max flow was solved"
        return FlowMargin(name, sources, sinks, float(demand), float(min(times)), words, 0)

    def _solve(
        self, cells: Ints, sends: Coded, receives: Coded, outside: Fraction, hint: frozenset[int] | None
    ) -> Multiple:
        """Solve one traffic on cells of boxes."""
        graph = graph_of_cells(self.wiring, cells)
        sources, sinks = _by_cell(cells, *sends), _by_cell(cells, *receives)
        if outside:
            sinks[self._add_outside(graph, cells)] = outside
        return largest_multiple(graph, sources, sinks, hint)

    def _add_outside(self, graph: nx.Graph[int], cells: Ints) -> int:
        outside = int(cells.max()) + 1
        top = self.wiring.kind == int(self.wiring.kind.max())
        for cell in np.unique(cells[top]).tolist():
            below = sum(edge["capacity_gbps"] for edge in graph[cell].values()) if cell in graph else 0
            # Twice: more than ever arrives, so that the cut is found in the fabric, not here.
            graph.add_edge(cell, outside, capacity_gbps=2 * below)
        return outside


def only(wiring: Wiring, bundles: Ints) -> Wiring:
    """Keep the given bundles of a wiring."""
    return replace(
        wiring,
        lower=wiring.lower[bundles],
        upper=wiring.upper[bundles],
        links=wiring.links[bundles],
        rate=wiring.rate[bundles],
        boundary=wiring.boundary[bundles],
    )


def cut_in_words(wiring: Wiring, cells: Ints, found: Multiple) -> str:
    """Say which links a minimum cut takes.

    Links are counted by boundary and by the boxes below; a single box is named.
    """
    inside = np.isin(cells, np.fromiter(found.source_side, np.int64))
    crossing = np.flatnonzero(inside[wiring.lower] != inside[wiring.upper])
    words = []
    for boundary in np.unique(wiring.boundary[crossing]).tolist():
        here = crossing[wiring.boundary[crossing] == boundary]
        links, rates = int(wiring.links[here].sum()), np.unique(wiring.rate[here]).tolist()
        lower = np.unique(wiring.lower[here])
        kind = KINDS[wiring.kind[lower[0]]]
        several = f"{lower.size} {PLURALS.get(kind, kind + 's')}"
        at = f"of {wiring.name(int(lower[0])) if lower.size == 1 else several}"
        told = "/".join(str(rate) for rate in rates)
        words.append(f"{links} {BOUNDARIES[boundary]} {'link' if links == 1 else 'links'} {at} at {told} Gb/s")
    return " and ".join(words) or "no links: the sinks cannot be reached"


def scale_out_flows(fabric: ScaleOut, rows: tuple[PoolTraffic, ...]) -> Iterator[FlowMargin | None]:
    """Experts inside replicas, KV caches between partner pools, other traffic to the outside."""
    sends: list[Supply] = []
    receives: list[Supply] = []
    for row in rows:
        span = row.pool.plan.domains_per_replica
        sent, received = row.across(lambda domain, span=span: domain % span < span // 2)  # type: ignore[misc]
        sends += sent
        receives += received
    yield fabric.flow("experts", sends, receives)
    pairs, alone = partners(rows)
    for sides in pairs:
        spares = any(row.pool.spare_domains for side in sides for row in side)
        for first_idle in (False, True)[: 1 + spares]:
            idle = f", {'first' if first_idle else 'last'} domains idle" if spares else ""
            sent, received = _handed_over(*sides, first_idle=first_idle)
            yield fabric.flow(f"kv {sides[0][0].pool.workload}{idle}", sent, received)
    if fabric.wiring.shape != "tree":
        # No top: the outside would be another leaf, and every traffic between leaves is in their closed form.
        return
    outward = [(row.accelerators.start, row.accelerators.stop, row.other) for row in alone if row.other]
    yield fabric.flow("outside", outward, [], to_outside=True)


def _handed_over(prefill: Side, decode: Side, *, first_idle: bool) -> tuple[list[Supply], list[Supply]]:
    """KV caches between two sides, at the smaller of their totals; every part gives and takes by what it has."""
    serving = [[(row, row.serving(first_idle=first_idle)) for row in side] for side in (prefill, decode)]
    totals = [sum((row.other * len(own) for row, own in side), Fraction(0)) for side in serving]
    if not min(totals):
        return [], []
    sent, received = (
        [(own.start, own.stop, row.other * min(totals) / total) for row, own in side if row.other]
        for side, total in zip(serving, totals, strict=True)
    )
    return sent, received


def bisection(fabric: ScaleOut, rows: tuple[PoolTraffic, ...]) -> FlowMargin | None:
    """First half of every pool's domains against the second.

    Across go the experts of the replica in the middle and all other traffic of the first half.
    """
    sends: list[Supply] = []
    receives: list[Supply] = []
    for row in rows:
        half = row.pool.domains // 2
        if half:
            sent, received = row.across(lambda domain, half=half: domain < half)  # type: ignore[misc]
            first = row.parts.domain < half
            sends += _added(sent, row.all_other(first, Fraction(1)))
            receives += _added(received, row.all_other(~first, Fraction(half, row.pool.domains - half)))
    return fabric.flow("bisection", sends, receives)


def bisection_at_nic_rate(fabric: ScaleOut, rows: tuple[PoolTraffic, ...]) -> FlowMargin | None:
    """Find the share of its NICs' rate that every accelerator of the first half can send to the second half."""
    sends: list[Supply] = []
    receives: list[Supply] = []
    nic = np.zeros(fabric.wiring.boxes, np.int64)
    bundles = fabric.wiring.bundles(NIC_LEAF)
    np.add.at(nic, fabric.wiring.lower[bundles], fabric.wiring.capacity[bundles])
    for row in rows:
        half, size = row.pool.domains // 2, row.size
        first, last = row.accelerators.start, row.accelerators.stop
        middle = first + half * size
        rate = Fraction(int(nic[first:last].max()))
        if half and rate:
            sends.append((first, middle, rate))
            receives.append((middle, last, rate * Fraction(middle - first, last - middle)))
    return fabric.flow("bisection at NIC rate", sends, receives)


def scale_up_flows(wiring: Wiring, rows: tuple[PoolTraffic, ...], *, expanded: bool) -> Iterator[FlowMargin]:
    """Half of a domain against the other half, once for every way in which domains of a pool are wired.

    Behind one stage of switches all traffic of the first half crosses; else what all-to-all sends across, because the
    middle of a mesh or torus is narrower than its ports. With spare planes the least over all sets of planes out.
    """
    inside = only(wiring, np.flatnonzero(wiring.boundary < NIC_LEAF))
    for number, row in enumerate(rows):
        if row.size < 2 or not row.inside:
            continue
        spare = row.pool.scale_up.spare_planes
        for domain, alike in domain_classes(inside, number)[:MOST_CLASSES]:
            out = f", {spare} of {len(row.pool.scale_up.shares)} planes out" if spare else ""
            name = f"scale-up {row.pool.name}: half of domain {domain}, {alike} domains wired alike{out}"
            whole = wiring.joins[number] == "switched"
            left = planes_out(domain_wiring(inside, number, domain), spare)
            found = [_half_across(part, row, name, whole=whole, expanded=expanded) for part in left]
            flows = [flow for flow in found if flow is not None]
            if flows:
                yield min(flows, key=lambda flow: flow.margin or 0.0)


def planes_out(part: Wiring, spare: int) -> Iterator[Wiring]:
    """Take planes out of one domain, every set of ``spare`` planes that is wired differently from the others."""
    if not spare:
        yield part
        return
    alike: dict[tuple[bytes, ...], list[int]] = {}
    for box in np.flatnonzero(part.kind == PLANE).tolist():
        own = np.flatnonzero((part.boundary == SCALE_UP) & (part.upper == box))
        key = tuple(column[own].tobytes() for column in (part.lower, part.links, part.rate))
        alike.setdefault(key, []).append(box)
    counts = itertools.product(*(range(min(spare, len(planes)) + 1) for planes in alike.values()))
    sets = (taken for taken in counts if sum(taken) == min(spare, sum(map(len, alike.values()))))
    for taken in itertools.islice(sets, MOST_PLANE_SETS):
        out = [box for planes, count in zip(alike.values(), taken, strict=True) for box in planes[:count]]
        yield part_of(part, np.setdiff1d(np.arange(part.boxes), out), np.arange(part.lower.size))


def _half_across(part: Wiring, row: PoolTraffic, name: str, *, whole: bool, expanded: bool) -> FlowMargin | None:
    """Solve the max flow from the first half of one domain to the second."""
    size, half = row.size, row.size // 2
    codes, amounts = _half_to_half(part, row, whole=whole)
    cells = np.arange(part.boxes)
    if not expanded:
        cells = coarsest_equitable(part, _colours(part, *codes))
        verify_equitable(part, cells)
    sends, receives = (_by_cell(cells, code, amounts) for code in codes)
    demand = sum(sends.values(), Fraction(0))
    if not demand:
        return None
    found = largest_multiple(graph_of_cells(part, cells), sends, receives)
    cut = cut_in_words(part, cells, found)
    return FlowMargin(name, half, size - half, float(demand), float(found.times), cut, found.max_flows)


def _half_to_half(part: Wiring, row: PoolTraffic, *, whole: bool) -> tuple[tuple[Ints, Ints], list[Fraction]]:
    """Say what the first half of a domain sends to the second: code of what each box sends and receives, and values.

    ``whole``: everything it sends, else its share of all-to-all.
    """
    size, half = row.size, row.size // 2
    accelerator = part.kind == ACCELERATOR
    sides = accelerator & (part.index < half), accelerator & (part.index >= half)
    if whole:
        codes = np.where(sides[0], 1, 0), np.where(sides[1], 2, 0)
        return codes, [Fraction(0), row.inside, row.inside * Fraction(half, size - half)]
    values, known = [Fraction(0)], []
    for one, other in (sides, sides[::-1]):
        code = np.zeros(part.boxes, np.int64)
        for rail in range(row.rails):
            own = int(np.count_nonzero(other & (part.layer == rail)))
            rest = int(np.count_nonzero(other)) - own
            code[one & (part.layer == rail)] = len(values)
            values.append(own * row.to_each(crossing=False) + (rest * row.to_each(crossing=True) if rest else 0))
        known.append(code)
    return (known[0], known[1]), values


def graph_of_cells(wiring: Wiring, cells: Ints) -> nx.Graph[int]:
    """Build the graph of cells of boxes; what boxes of one cell send each other crosses no cut."""
    graph: nx.Graph[int] = nx.Graph()
    for lower, upper, capacity, _, _ in zip(*collapse(wiring, cells), strict=True):
        if lower != upper:
            # Cells of one kind may meet from both sides (torus).
            already = graph.edges[lower, upper]["capacity_gbps"] if graph.has_edge(lower, upper) else 0
            graph.add_edge(lower, upper, capacity_gbps=already + capacity)
    return graph


def domain_classes(inside: Wiring, pool: int) -> list[tuple[int, int]]:
    """Group the domains of a pool by their exact wiring: (first such domain, how many), thinnest first."""
    mine = np.flatnonzero(inside.pool[inside.lower] == pool)
    # Bundles of every domain stand in the same order; another order would only make more classes.
    mine = mine[np.argsort(inside.group[inside.lower[mine]], kind="stable")]
    lower, upper = inside.lower[mine], inside.upper[mine]
    domain = inside.group[lower]
    present, start, count = np.unique(domain, return_index=True, return_counts=True)
    # One column at a time: a hundred thousand accelerators have millions of bundles.
    columns = [column[end] for end in (lower, upper) for column in (inside.kind, inside.layer, inside.index)]
    columns += [inside.group[upper] - domain, inside.links[mine], inside.rate[mine]]
    found: dict[bytes, list[int]] = {}
    for length in np.unique(count).tolist():
        alike = np.flatnonzero(count == length)
        usual = np.ones(alike.size, bool)
        places = start[alike][:, None] + np.arange(length)
        for column in columns:
            block = column[places]
            usual &= (block == block[0]).all(axis=1)
        for at in [0, *np.flatnonzero(~usual).tolist()]:
            key = b"".join(column[places[at]].tobytes() for column in columns)
            found.setdefault(key, []).extend(present[alike[usual] if at == 0 else alike[[at]]].tolist())
    capacity = np.bincount(domain, weights=(columns[-2] * columns[-1]).astype(float))
    classes = [(same[0], len(same)) for same in found.values()]
    return sorted(classes, key=lambda same: (capacity[same[0]], same[0]))


def domain_wiring(inside: Wiring, pool: int, domain: int) -> Wiring:
    """Take one domain out of the scale-up wiring; its accelerators come first."""
    boxes = np.flatnonzero((inside.pool == pool) & (inside.group == domain) & (inside.kind <= UPPER))
    own = [(inside.pool[end] == pool) & (inside.group[end] == domain) for end in (inside.lower, inside.upper)]
    return part_of(inside, boxes, np.flatnonzero(own[0] & own[1]))


def _codes(boxes: int, supplies: Sequence[Supply]) -> Coded:
    """Number the different amounts (0 = none) and write each box's number down."""
    code = np.zeros(boxes, np.int64)
    values = [Fraction(0)]
    known: dict[Fraction, int] = {}
    for start, stop, gbps in supplies:
        if gbps not in known:
            known[gbps] = len(values)
            values.append(gbps)
        code[start:stop] = known[gbps]
    return code, values


def _colours(wiring: Wiring, sends: Ints, receives: Ints) -> Ints:
    """One number for each kind of box, what it sends and what it receives."""
    return (sends * (int(receives.max()) + 1) + receives) * len(KINDS) + wiring.kind


def _by_cell(cells: Ints, code: Ints, values: list[Fraction]) -> dict[int, Fraction]:
    """Total of every cell that sends or receives; all its boxes do the same."""
    active = np.flatnonzero(code)
    names, first, members = np.unique(cells[active], return_index=True, return_counts=True)
    amounts = code[active][first].tolist()
    return {
        cell: values[amount] * count
        for cell, amount, count in zip(names.tolist(), amounts, members.tolist(), strict=True)
    }


def _added(one: list[Supply], two: list[Supply]) -> list[Supply]:
    """Add supplies of the same parts."""
    total: dict[tuple[int, int], Fraction] = {}
    for start, stop, gbps in (*one, *two):
        total[start, stop] = total.get((start, stop), Fraction(0)) + gbps
    return [(start, stop, gbps) for (start, stop), gbps in total.items()]
