"""The pools of a design against those the instance asks for: each once, whole or in parts (section 6.4)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby

from designer.design.types import Design, PoolDesign
from designer.instance.schema import Instance
from designer.verify.demand import Asked, asked_for
from designer.verify.findings import Findings, UncountableError


def check_pools(found: Findings, design: Design, asked: Mapping[str, Asked], instance: Instance) -> dict[str, Asked]:
    """Check that every pool is there, and return what each pool or part of the design is asked for, by its name.

    Raises `UncountableError` where nobody can say what that is.
    """
    # Parts that stand apart would be several pools here.
    runs = [(name, tuple(parts)) for name, parts in groupby(design.pools, key=lambda pool: pool.pool)]
    names = sorted(name for name, _ in runs)
    if not found.equal("pools", "design", names, sorted(asked), "every pool of the instance once, its parts together"):
        raise UncountableError("pools")
    whole = [_shares(found, name, parts, instance) for name, parts in runs]
    for name, parts in runs:
        _parts(found, name, parts, instance)
    if not all(whole) or len({pool.name for pool in design.pools}) < len(design.pools):
        raise UncountableError("pools")
    return {pool.name: asked_for(pool, asked) for pool in design.pools}


def _shares(found: Findings, name: str, parts: Sequence[PoolDesign], instance: Instance) -> bool:
    """Check that the shares of the parts add up to the pool."""
    place, steps = f"pool {name}", instance.choose.mixed_steps
    stated = ", ".join("/".join(map(str, pool.share)) for pool in parts)
    if len(parts) == 1:
        # Nothing else says which part of the peak is served.
        return found.holds("part_shares", place, parts[0].share == (1, 1), stated, "1/1", "a pool in one part")
    even = all(len(pool.share) == 2 and pool.share[0] >= 1 and pool.share[1] == steps for pool in parts)
    wanted = f"at least 1/{steps} each, {steps}/{steps} together"
    full = even and sum(pool.share[0] for pool in parts) == steps
    found.holds("part_shares", place, full, stated, wanted, "shares of the parts of a mixed pool")
    return full


def _parts(found: Findings, name: str, parts: Sequence[PoolDesign], instance: Instance) -> None:
    place, most, names = f"pool {name}", instance.choose.mixed_parts, [pool.name for pool in parts]
    found.holds("mixed_parts", place, len(parts) <= most, len(parts), f"at most {most}", "parts of a mixed pool")
    if len(parts) == 1:
        found.equal("part_names", place, names, [name], "a pool in one part has its own name")
        return
    wanted = [f"{name}+{number}" for number in range(1, len(parts) + 1)]
    found.equal("part_names", place, names, wanted, "parts are numbered")
    chips = [pool.accelerator for pool in parts]
    message = "parts stand in the order of their accelerators' ids, each on another"
    found.equal("part_order", place, chips, sorted(set(chips)), message)
