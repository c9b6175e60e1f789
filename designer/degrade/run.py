"""From a design to what failures leave of it: every single one by classes, several at random, the worst found."""

from __future__ import annotations

import platform
from collections.abc import Callable, Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version

from designer.degrade.field import Broken, Field, Share
from designer.degrade.result import SCHEMA_VERSION, Degraded, FailureClass, Left, Place
from designer.degrade.search import Search, sampled, worst_of
from designer.degrade.universe import Class, Group, classes_of, groups_of, named
from designer.design.types import Design
from designer.problems import InputError, Problem

MOST_FAILURES, MOST_SAMPLES = 1000, 100_000
SORTS = ("switches", "links", "hosts")


def check_options(failures: int, samples: int, seed: int) -> None:
    """Refuse options out of range."""
    ranges = (
        ("failures", failures, 1, MOST_FAILURES),
        ("samples", samples, 2, MOST_SAMPLES),
        ("seed", seed, 0, 2**31 - 1),
    )
    wrong = [
        Problem("options", name, str(read), f"a whole number from {low} to {high:,}")
        for name, read, low, high in ranges
        if not low <= read <= high
    ]
    if wrong:
        raise InputError(wrong)


def degrade(design: Design, *, failures: int = 2, samples: int = 100, seed: int = 0) -> Degraded:
    """Break a design: every single failure by classes, ``failures`` at once at random and at their worst.

    Parameters
    ----------
    design
        As in a stored run.
    failures
        Failures at once.
    samples, seed
        Samples of each sort of thing, and where they start: equal seeds give equal samples.

    Raises
    ------
    InputError
        When the design cannot be wired or an option is out of range.
    """
    check_options(failures, samples, seed)
    field = Field(design)
    groups = groups_of(field)
    found = list(classes_of(field))
    intact = field.worst([])
    notes = []
    if intact.low < 1:
        notes.append(f"the intact design already gives its pools less than they need: {_percent(intact)}")
    if any(pool.scale_up.switch is None and pool.domain_size > 1 for pool in design.pools):
        notes.append("links of domains without switches are part of their accelerators: they do not break apart")
    places = tuple(
        Place(of.name, tuple(_shown(field, one) for one in of.classes), of.tried, of.single, (), of.certificate)
        for of in found
    )

    def left(broken: Sequence[Broken]) -> Left:
        return _left(field.worst(broken))

    random = []
    for sort in SORTS:
        own = [group for group in groups if _sort(group) == sort]
        total = sum(group.count for group in own)
        if failures <= total:
            args = (failures, samples, seed)
            random.append(sampled(sort, total, _pick(own), left, lambda of: named(field, of), *args))
    search = Search([(group.count, group.pick) for group in groups], left, seed)
    complete = all(of.tried == of.single for of in found)
    starts = _numbers(groups, [one.broken for of in found for one in of.classes])
    # Symmetries of the network move replicas along where each stands below one leaf.
    symmetric = all(
        pool.plan.domains_per_replica == 1 and field.seats[at].slices == 1 for at, pool in enumerate(design.pools)
    )
    worst = worst_of(
        search,
        lambda of: named(field, of),  # type: ignore[arg-type]
        min(failures, search.things),
        starts,
        complete=complete,
        symmetric=symmetric,
    )
    return Degraded(
        SCHEMA_VERSION,
        design.instance,
        "tokens/s of the pool that is hit most",
        failures,
        samples,
        seed,
        versions(),
        places,
        tuple(random),
        worst,
        tuple(notes),
    )


def versions() -> Mapping[str, str]:
    """Versions of what computes."""
    found = {"python": platform.python_version()}
    for name in ("tokenfabric", "numpy", "scipy"):
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "not installed"
    return found


def _left(share: Share) -> Left:
    return Left(min(share.low, share.high), share.high)


def _percent(share: Share) -> str:
    return f"{share.low:.2%} to {share.high:.2%}"


def _shown(field: Field, of: Class) -> FailureClass:
    served = {name: _left(share) for name, share in field.served([of.broken]).items()}
    even = None if of.all_to_all is None else _left(of.all_to_all)
    return FailureClass(of.name, of.example, of.members, of.bisection, even, served)


def _sort(group: Group) -> str:
    if group.name.endswith(" host"):
        return "hosts"
    return "links" if group.name.endswith(" link") else "switches"


def _pick(groups: Sequence[Group]) -> Callable[[int], Broken]:
    def pick(at: int) -> Broken:
        for group in groups:
            if at < group.count:
                return group.pick(at)
            at -= group.count
        raise IndexError(at)

    return pick


def _numbers(groups: Sequence[Group], broken: Sequence[Broken]) -> list[int]:
    """Numbers of some things among all that may break."""
    found, first = [], 0
    wanted = set(broken)
    for group in groups:
        found += [first + at for at in (_place(group, of) for of in sorted(wanted)) if at is not None]
        first += group.count
    if len(found) != len(wanted):
        raise RuntimeError("a class of failures is of nothing that the design has")
    return found


def _place(group: Group, of: Broken) -> int | None:
    """Number of a thing in its group, which is in ascending order of unit and place."""
    low, high = 0, group.count - 1
    while low < high:
        middle = (low + high) // 2
        if group.pick(middle)[2:] < of[2:]:
            low = middle + 1
        else:
            high = middle
    return low if group.pick(low) == of else None
