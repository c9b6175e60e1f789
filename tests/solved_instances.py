"""Shipped instances solved once for all tests that look at the answers; the folder is given by ``conftest.py``.

The lists of instances come from the folder: a new one is in every test that goes by them.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import pytest

from designer.runs import Run, solve_and_store

FOLDER = Path(__file__).resolve().parent.parent / "instances"
RUNS: list[Path] = []
EVERY = tuple(sorted(str(path.relative_to(FOLDER).with_suffix("")) for path in FOLDER.rglob("*.toml")))
"""Names of all instances, those of folders in it with the folder: ``scale/one-pool``."""

WITHOUT_DESIGN = ("no-design",)
FAST = ("hgx-h100-pinned", "nvl72-pinned", "two-leaf-pod")


def with_design(fast: tuple[str, ...] = FAST) -> list[Any]:
    """All instances that have a design, as parameters; all but the fast ones are slow."""
    assert {*fast, *WITHOUT_DESIGN} <= set(EVERY)
    names = [name for name in EVERY if name not in WITHOUT_DESIGN]
    return [pytest.param(name, marks=() if name in fast else pytest.mark.slow) for name in names]


@cache
def solved(name: str, *, flow_check: bool = True) -> Run:
    """Solve an instance and store the run."""
    folder = name.replace("/", "-")
    out = RUNS[-1] / (folder if flow_check else f"{folder}-without-flows")
    return solve_and_store(FOLDER / f"{name}.toml", out=out, flow_check=flow_check)
