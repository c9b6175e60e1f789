"""What one failure takes from a pool while it lasts (section 10)."""

from __future__ import annotations

from fractions import Fraction

from oracle.attach import Hang, need_of
from oracle.domain import Base
from oracle.fabric import Shape
from oracle.parts import ceil_div
from oracle.task import Task


def jobs_cut(reached: int, replica: int, size: int) -> int:
    """Most jobs among ``reached`` accelerators next to each other, jobs laid side by side and block after block tried.

    Examples
    --------
    >>> jobs_cut(4, 6, 12), jobs_cut(24, 6, 12), jobs_cut(36, 24, 12), jobs_cut(4, 24, 12)
    (2, 4, 2, 1)
    """
    if replica <= size:
        if reached >= size:
            return reached // size * (size // replica)
        row = [at // replica for at in range(size // replica * replica)]
        step = reached
    else:
        step, together = max(1, reached // size), ceil_div(replica, size)
        row = [domain // together for domain in range(step * together)]
    return max(len(set(row[at : at + step])) for at in range(0, len(row), step))


def share_of_jobs(base: Base, reached: int) -> Fraction:
    """Share of the replicas of a part that fail together with ``reached`` accelerators."""
    jobs = jobs_cut(reached, base.point.replica, base.point.size)
    return min(Fraction(1), Fraction(jobs, base.replicas))


def share_below(base: Base) -> Fraction:
    """Most that a failure inside the domains takes: a host, or a switch of the first stage; above it traffic turns.

    With a plane to spare no switch takes any.
    """
    wiring = base.wiring
    host = share_of_jobs(base, wiring.accelerator.host)
    return host if wiring.switch is None or wiring.spare else max(host, share_of_jobs(base, wiring.behind))


def share_of_leaf(shape: Shape, item: Hang) -> Fraction:
    """What a leaf takes of a pool: jobs, and in a mesh what the others lack; with planes what their traffic lacks at
    NICs or leaves of the other planes. All parts of a pool are on the one switch of one stage."""
    base, copies = item.base, item.group.copies
    hit = share_of_jobs(base, item.group.size * copies.rails) * (1 if shape.alone else base.slot.share)
    if copies.planes == 1:
        if shape.flat is None or not shape.flat.left_by_one:
            return hit
        short = lacking(Fraction(shape.flat.left_by_one * shape.rate, 2), item.group.size * item.group.need)
        return 1 - (1 - hit) * (1 - short)
    left = base.nics * base.nic.rate * Fraction(copies.planes - 1, copies.planes)
    worst = lacking(left, need_of(base, Fraction(1)))
    if not shape.alone:
        up = shape.carried * shape.rate * (copies.planes - 1)
        worst = max(worst, lacking(up, item.group.size * item.group.need))
    return hit * worst


def lacking(left: Fraction, wanted: Fraction) -> Fraction:
    """Share of the wanted traffic that what is left does not carry.

    Examples
    --------
    >>> lacking(Fraction(3), Fraction(4)), lacking(Fraction(5), Fraction(4)), lacking(Fraction(0), Fraction(0))
    (Fraction(1, 4), Fraction(0, 1), Fraction(0, 1))
    """
    return max(Fraction(0), 1 - left / wanted) if wanted else Fraction(0)


def shares_above(shape: Shape, item: Hang) -> list[Fraction]:
    """What a spine, a core and a top take, of all parts at once."""
    wanted = item.group.size * item.group.need / shape.copies.planes
    if shape.flat is not None:
        return []
    lost = ((1, 0, 0), (0, 1, 0), (0, 0, 1))[: shape.stages - 1]
    return [lacking(climbing(shape, *one) * shape.rate, wanted) for one in lost]


def climbing(shape: Shape, spines: int = 0, cores: int = 0, tops: int = 0) -> Fraction:
    """Links' worth that a leaf has for others, spine by spine and core by core, without one of the boxes above it.

    A leaf's part of what a core brings further up is that of every leaf below it. What is out is one that gets no
    link less than others: these come first.
    """
    by_spine, by_core = ([each for many, each in shape.strands(place) for _ in range(many)] for place in (0, 1))
    through = Fraction(0)
    for spine in range(spines, shape.spines):
        here = Fraction(by_spine[spine])
        if shape.stages > 2:
            above = Fraction(0)
            for core in range(cores if spine == 0 else 0, shape.cores):
                onward = Fraction(by_core[core])
                if shape.stages > 3:
                    missing = shape.m3 if tops and (spine, core) == (0, 0) else 0
                    onward = min(onward, Fraction(shape.core_up - missing, shape.zone))
                above += onward
            here = min(here, above / shape.pod)
        through += here
    return through


def worst_share(shape: Shape, item: Hang) -> Fraction:
    """Most that any single failure takes from a pool: of what is below the leaf a part's share."""
    below = share_below(item.base) * item.base.slot.share
    return max(below, share_of_leaf(shape, item), *shares_above(shape, item), Fraction(0))


def survives_below(task: Task, base: Base) -> bool:
    """Whether no failure inside the domains takes more than allowed, and enough domains are up most of the time."""
    if task.most_down is not None and base.available < 1 - task.most_down:
        return False
    return task.most_at_once is None or share_below(base) * base.slot.share <= task.most_at_once


def survives(task: Task, shape: Shape, item: Hang) -> bool:
    """Whether no single failure takes more of a pool than allowed, and it is known what each takes."""
    if task.most_at_once is None:
        return True
    many = shape.flat is not None and shape.flat.left_by_one > 0
    if many and (shape.copies.planes > 1 or item.base.slot.share < 1):
        return False
    return worst_share(shape, item) <= task.most_at_once
