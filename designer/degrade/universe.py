"""Everything in a design that may break, group by group, and the classes in which single failures fall."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from designer.degrade.certificate import certificate_of
from designer.degrade.copy import Copy
from designer.degrade.field import Broken, Field, Share
from designer.degrade.result import Certificate
from designer.network.faults import SingleFailures, single_failures
from designer.network.graph import Ints, Network


@dataclass(frozen=True)
class Group:
    """Things of one sort: how many there are, and the one of a number."""

    name: str
    count: int
    pick: Callable[[int], Broken]


class Found(NamedTuple):
    """Single failures in one place: its name, their classes, how many those cover of all, what the place carries."""

    name: str
    classes: tuple[Class, ...]
    tried: int
    single: int
    certificate: Certificate | None = None


@dataclass(frozen=True)
class Class:
    """One class of single failures of a design.

    Parameters
    ----------
    name, example
        What breaks, and the member tried.
    members
        Single failures that checked symmetries and equal copies and domains make equal to it.
    broken
        The member tried.
    bisection, all_to_all
        Share of the bandwidth of its copy or domain that survives; None where not computed.
    """

    name: str
    example: str
    members: int
    broken: Broken
    bisection: float | None
    all_to_all: Share | None


def groups_of(field: Field) -> tuple[Group, ...]:
    """All hosts, switches and links of a design. Direct links of a domain are part of their accelerators."""
    found: list[Group] = []
    design = field.design
    for owner, pool in enumerate(design.pools):
        found.append(Group(f"{pool.name} host", pool.hosts, _host(owner)))
        network = field.domains[owner]
        if network is not None and pool.scale_up.switch is not None:
            for kind in network.kinds[1:]:
                first = network.kind_range(kind.name).start
                name = f"{pool.name} scale-up {kind.name}"
                found.append(Group(name, kind.count * pool.domains, _in_domain(owner, first, kind.count)))
            for at, bundle in enumerate(network.bundles):
                rows = np.repeat(np.arange(len(network.lower)), np.where(network.bundle == at, network.links, 0))
                name = f"{pool.name} {bundle.name} link"
                found.append(Group(name, len(rows) * pool.domains, _rows("domain", owner, rows)))
    for number, copy in enumerate(field.copies):
        of = f"fabric{number} " if number else ""
        copies, network = copy.fabric.rails * copy.fabric.planes, copy.network
        for kind in network.kinds[1:]:
            first = network.kind_range(kind.name).start
            found.append(Group(f"{of}{kind.name}", kind.count * copies, _in_copy(number, first, kind.count)))
        for at, bundle in enumerate(network.bundles):
            rows = np.repeat(np.arange(len(network.lower)), np.where(network.bundle == at, network.links, 0))
            found.append(Group(f"{of}{bundle.name} link", len(rows) * copies, _rows("fabric", number, rows)))
    return tuple(group for group in found if group.count)


def _host(owner: int) -> Callable[[int], Broken]:
    return lambda at: Broken("host", owner, 0, "box", at)


def _in_domain(owner: int, first: int, count: int) -> Callable[[int], Broken]:
    return lambda at: Broken("domain", owner, at // count, "box", first + at % count)


def _in_copy(owner: int, first: int, count: int) -> Callable[[int], Broken]:
    return lambda at: Broken("fabric", owner, at // count, "box", first + at % count)


def _rows(area: str, owner: int, rows: Ints) -> Callable[[int], Broken]:
    place = "fabric" if area == "fabric" else "domain"
    return lambda at: Broken(place, owner, at // len(rows), "link", int(rows[at % len(rows)]))  # type: ignore[arg-type]


def named(field: Field, broken: Broken) -> str:
    """Name one broken thing."""
    pools = field.design.pools
    if broken.area == "host":
        return f"{pools[broken.owner].name}/host{broken.at}"
    if broken.area == "domain":
        network = field.domains[broken.owner]
        assert network is not None
        return f"{pools[broken.owner].name}/d{broken.unit}/{_in(network, broken)}"
    copy = field.copies[broken.owner]
    rail, plane = divmod(broken.unit, copy.fabric.planes)
    words = [f"fabric{broken.owner}"] if broken.owner else []
    words += [f"rail{rail}"] if copy.fabric.rails > 1 else []
    words += [f"plane{plane}"] if copy.fabric.planes > 1 else []
    return "/".join([*words, _in(copy.network, broken)])


def _in(network: Network, broken: Broken) -> str:
    if broken.part == "box":
        return network.name(broken.at)
    return f"{network.name(int(network.lower[broken.at]))} - {network.name(int(network.upper[broken.at]))}"


def classes_of(field: Field) -> Iterator[Found]:
    """Go through a design place by place: every pool's hosts, its domains, then the fabrics."""
    design = field.design
    for owner, pool in enumerate(design.pools):
        hosts = tuple(_hosts(field, owner))
        yield Found(f"{pool.name} hosts", hosts, sum(of.members for of in hosts), pool.hosts)
        network = field.domains[owner]
        if network is not None and pool.scale_up.switch is not None:
            yield _domains(field, owner, network)
    for number, copy in enumerate(field.copies):
        yield _fabric(field, number, copy)


def _found(network: Network, colour: Ints) -> SingleFailures:
    """The linear program of irregular networks would take minutes: an interval does."""
    return single_failures(network, relays=False, exactly=len(network.lower) < 2000, colour=colour, most_classes=200)


def _hosts(field: Field, owner: int) -> Iterator[Class]:
    """Hosts by the number of replicas on them."""
    pool = field.design.pools[owner]
    each = pool.accelerators // pool.hosts
    replica = np.sort(field.replicas[owner].of(np.arange(pool.accelerators)).reshape(pool.hosts, each), axis=1)
    on = ((np.diff(replica, axis=1, prepend=-1) != 0) & (replica >= 0)).sum(1)
    for count in np.unique(on).tolist():
        at = np.flatnonzero(on == count)
        broken = Broken("host", owner, 0, "box", int(at[0]))
        yield Class(f"{pool.name} host", named(field, broken), len(at), broken, None, None)


def _domains(field: Field, owner: int, network: Network) -> Found:
    """Domains by the replicas in them; inside, by checked symmetries that leave replicas where they are."""
    pool = field.design.pools[owner]
    serving = field.replicas[owner].of(np.arange(pool.accelerators)).reshape(pool.domains, pool.domain_size)
    inside = np.where(serving >= 0, serving - serving.max(1, keepdims=True, initial=0), 1)
    sorts, first, count = np.unique(inside, axis=0, return_index=True, return_counts=True)
    found: list[Class] = []
    tried = single = 0
    for at, domain, times in zip(range(len(sorts)), first.tolist(), count.tolist(), strict=True):
        colour = np.zeros(network.boxes, np.int64)
        # Which accelerators serve matters, and whom of them a switch has behind it.
        colour[: pool.domain_size] = inside[at] <= 0
        one = _found(network, colour)
        found += _classes(field, one, ("domain", owner, domain), times, f"{pool.name} scale-up ")
        tried, single = tried + one.tried * times, single + one.single * times
    certificate = certificate_of(network, even=one.intact, relays=False)
    return Found(f"{pool.name} domains", tuple(found), tried, single, certificate)


def _fabric(field: Field, number: int, copy: Copy) -> Found:
    """Copies are alike but for the accelerators of a rail that serve: replicas may end inside a host."""
    alike: dict[bytes, tuple[Ints, list[int]]] = {}
    for rail in range(copy.fabric.rails):
        colour = colours(field, copy, rail)
        alike.setdefault(colour.tobytes(), (colour, []))[1].append(rail)
    classes: list[Class] = []
    tried = single = 0
    for colour, rails in alike.values():
        found, times = _found(copy.network, colour), len(rails) * copy.fabric.planes
        where = ("fabric", number, rails[0] * copy.fabric.planes)
        classes += _classes(field, found, where, times, f"fabric{number} " if number else "")
        tried, single = tried + found.tried * times, single + found.single * times
    certificate = certificate_of(copy.network, even=found.intact, relays=False)
    return Found(f"fabric {number}", tuple(classes), tried, single, certificate)


def _classes(
    field: Field, found: SingleFailures, where: tuple[str, int, int], times: int, before: str
) -> tuple[Class, ...]:
    classes = []
    for of in found.failures:
        broken = Broken(where[0], where[1], where[2], of.part, of.place)  # type: ignore[arg-type]
        name = before.replace("scale-up ", "") + of.name if of.name.startswith("scale_up") else before + of.name
        classes.append(
            Class(
                f"{name}{' link' if of.part == 'link' else ''}",
                named(field, broken),
                of.members * times,
                broken,
                of.bisection_share,
                Share(min(of.least_share, 1.0), min(of.most_share, 1.0)),
            )
        )
    return tuple(classes)


def colours(field: Field, copy: Copy, rail: int) -> Ints:
    """(boxes,): what stands on the boxes of a copy: leaves by pool, accelerators and replicas."""
    rows = np.zeros((copy.network.boxes, 4), np.int64)
    looks: dict[tuple[tuple[int, ...], ...], int] = {}
    first = copy.leaves.start
    for seat in copy.seats:
        placed, ends = field.replicas[seat.pool], slice(seat.first, seat.first + len(seat.leaf) * seat.size)
        rows[first + seat.leaf, 0] += 2**seat.pool
        np.add.at(rows[:, 1], first + seat.leaf, seat.size)
        pairs = np.unique(np.stack([seat.leaf[placed.part], placed.replica], 1), axis=0)
        np.add.at(rows[:, 2], first + pairs[:, 0], 1)
        for leaf, look in _spans(copy, pairs).items():
            rows[first + leaf, 3] = looks.setdefault(look, len(looks) + 1)
        # Accelerators of one leaf differ by the pool, by whether they serve, and by how many replicas share their part.
        rows[ends, 0] = seat.pool + 1
        rows[ends, 1] = np.repeat(np.bincount(placed.part, minlength=len(seat.leaf)), seat.size)
        part, place = np.divmod(np.arange(ends.stop - ends.start), seat.size)
        pool = field.design.pools[seat.pool]
        domain, piece = np.divmod(part, seat.slices)
        inside = piece * (pool.domain_size // seat.slices) + rail + copy.fabric.rails * place
        rows[ends, 2] = placed.of(domain * pool.domain_size + inside) >= 0
    return np.unique(rows, axis=0, return_inverse=True)[1].reshape(-1).astype(np.int64)


def _spans(copy: Copy, pairs: Ints) -> dict[int, tuple[tuple[int, ...], ...]]:
    """What else stops with each leaf whose replicas reach further.

    Pod by pod the leaves that they touch there, each by its demand, how many of them are on it, and how many replicas
    in all; the leaf itself and its pod are marked.
    """
    spanning = np.bincount(pairs[:, 1]) > 1
    reach, on = pairs[spanning[pairs[:, 1]]], np.bincount(pairs[:, 0], minlength=len(copy.pod))
    needs = np.unique(copy.demand, return_inverse=True)[1].reshape(-1)
    pods = np.unique(np.bincount(copy.pod, copy.demand), return_inverse=True)[1].reshape(-1)
    leaves_of: dict[int, list[int]] = {}
    replicas_on: dict[int, list[int]] = {}
    for leaf, replica in reach.tolist():
        leaves_of.setdefault(replica, []).append(leaf)
        replicas_on.setdefault(leaf, []).append(replica)
    found = {}
    for here, replicas in replicas_on.items():
        touched: dict[int, int] = {}
        for replica in replicas:
            for leaf in leaves_of[replica]:
                touched[leaf] = touched.get(leaf, 0) + 1
        by_pod: dict[int, list[tuple[int, ...]]] = {}
        for leaf, count in touched.items():
            look = (int(leaf == here), int(needs[leaf]), count, int(on[leaf]))
            by_pod.setdefault(int(copy.pod[leaf]), []).append(look)
        found[here] = tuple(
            sorted(
                (int(pod == copy.pod[here]), int(pods[pod]), *(figure for look in sorted(looks) for figure in look))
                for pod, looks in by_pod.items()
            )
        )
    return found
