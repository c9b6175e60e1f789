"""Breaking a design on purpose: one value at a time, by its path, or each in turn."""

from __future__ import annotations

import dataclasses
from dataclasses import replace
from typing import Any

import pytest
from verify_designs import altered, round_catalogue

from designer.catalogue import Catalogue
from designer.design.types import Design
from designer.instance.schema import Instance
from designer.verify import Verification, verify

ROUND = round_catalogue()


def put(thing: Any, path: str, value: object) -> Any:
    """A copy of nested dataclasses, tuples and models with one value replaced (called, if it is a function)."""
    head, _, rest = path.partition(".")
    old = thing[int(head)] if isinstance(thing, tuple) else getattr(thing, head)
    new = put(old, rest, value) if rest else value(old) if callable(value) else value
    if isinstance(thing, tuple):
        place = int(head) % len(thing)
        return (*thing[:place], new, *thing[place + 1 :])
    if dataclasses.is_dataclass(thing) and not isinstance(thing, type):
        return replace(thing, **{head: new})
    return thing.model_copy(update={head: new})


def rules(result: Verification) -> set[str]:
    return {finding.rule for finding in result.findings}


def said(result: Verification) -> str:
    return "\n".join(map(str, result.findings))


def named(parameters: list[tuple[str, str, object]]) -> list[Any]:
    return [pytest.param(*row, id=f"{row[0]}-{row[1]}-{place}") for place, row in enumerate(parameters)]


def part(kind: str, name: str, **figures: object) -> Catalogue:
    """The round catalogue with one part altered."""
    table = dict(getattr(ROUND, kind))
    table[name] = altered(table[name], {key.replace("__", "."): value for key, value in figures.items()})
    return replace(ROUND, **{kind: table})


# What a measured plan states about itself is the user's word, as long as no limit is broken.
TRUSTED = {
    *("ep", "batch", "all_to_all", "two_batch_overlap", "step_s", "tpot_s", "ttft_estimate_s", "memory_bytes"),
    *("scale_up_gbps", "scale_up_need_gbps", "scale_out_ep_need_gbps", "tokens_per_s_per_accelerator"),
}


def leaves_of(thing: Any, path: str = "") -> list[tuple[str, Any]]:
    """Every single value of a design, with its path."""
    if dataclasses.is_dataclass(thing):
        parts = [(part.name, getattr(thing, part.name)) for part in dataclasses.fields(thing)]
    elif isinstance(thing, tuple):
        parts = [(str(place), part) for place, part in enumerate(thing)]
    else:
        return [(path, thing)]
    return [leaf for name, part in parts for leaf in leaves_of(part, f"{path}.{name}" if path else name)]


def touched(value: Any) -> list[Any]:
    """Other values of the same kind."""
    if isinstance(value, bool):
        return [not value]
    if isinstance(value, int):
        return [value + 1, value - 1, 10**9]
    if isinstance(value, float):
        return [value * 1.001 + 1e-3]
    return [f"{value}x"] if isinstance(value, str) else [1.0]


def touch_everything(
    design: Design, instance: Instance, free: set[str], *, catalogue: Catalogue = ROUND, trusted: set[str] = TRUSTED
) -> int:
    """Change every value a design states, one at a time, and see each change noticed; return how many there were."""
    seen = 0
    for path, value in leaves_of(design):
        if path.rsplit(".", 1)[-1] in trusted | free:
            continue
        for other in touched(value):
            changed = verify(put(design, path, other), catalogue, instance)
            assert not changed.ok, f"{path}: {value} -> {other}"
            seen += 1
    return seen
