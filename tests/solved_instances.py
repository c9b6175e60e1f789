"""Shipped instances solved once for all tests that look at the answers; the folder is given by ``conftest.py``."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from designer.runs import Run, solve_and_store

FOLDER = Path(__file__).resolve().parent.parent / "instances"
RUNS: list[Path] = []


@cache
def solved(name: str, *, flow_check: bool = True) -> Run:
    """Solve an instance and store the run."""
    out = RUNS[-1] / (name if flow_check else f"{name}-without-flows")
    return solve_and_store(FOLDER / f"{name}.toml", out=out, flow_check=flow_check)
