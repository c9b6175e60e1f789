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
    """What a leaf takes: its jobs, or with planes what their traffic lacks at NICs or leaves of the others."""
    base, copies = item.base, item.group.copies
    hit = share_of_jobs(base, item.group.size * copies.rails)
    if copies.planes == 1:
        return hit
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
    """What a spine, a core and a top take; of a mesh a leaf that others send by way of."""
    wanted = item.group.size * item.group.need / shape.copies.planes
    found = []
    if shape.flat is not None:
        return [lacking(Fraction(shape.flat.left_by_one * shape.rate, 2), wanted)] if shape.flat.left_by_one else []
    if shape.stages > 1:
        found.append(lacking(Fraction((shape.spines - 1) * shape.m * shape.rate), wanted))
    if shape.stages > 2:
        left = Fraction((shape.spines * shape.spine_up - shape.m2) * shape.rate)
        found.append(lacking(left, shape.pod * wanted))
    if shape.stages > 3:
        left = Fraction((shape.spines * shape.cores * shape.core_up - shape.m3) * shape.rate)
        found.append(lacking(left, shape.zone * shape.pod * wanted))
    return found


def worst_share(shape: Shape, item: Hang) -> Fraction:
    """Most that any single failure takes from a pool: of a part its share."""
    worst = max(share_below(item.base), share_of_leaf(shape, item), *shares_above(shape, item), Fraction(0))
    return worst * item.base.slot.share


def survives_below(task: Task, base: Base) -> bool:
    """Whether no failure inside the domains takes more than allowed, and enough domains are up most of the time."""
    if task.most_down is not None and base.available < 1 - task.most_down:
        return False
    return task.most_at_once is None or share_below(base) * base.slot.share <= task.most_at_once


def survives(task: Task, shape: Shape, item: Hang) -> bool:
    """Whether no single failure takes more of a pool than allowed."""
    return task.most_at_once is None or worst_share(shape, item) <= task.most_at_once
