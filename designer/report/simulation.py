"""A simulation as text: what the rules expect beside what happened."""

from __future__ import annotations

import dataclasses
from typing import Any

from designer.report.words import ITEM_WORDS
from designer.simulate.result import Row, Simulation

_WORDS = {
    "hard_repairs": "hard repairs",
    "job_hits": "job hits",
    "accelerator_hours_lost": "accelerator-hours lost",
    "cleanings": "cleanings",
}


def simulation_screen(found: Simulation) -> str:
    """Return the screen of ``designer simulate``."""
    lines = [
        f"{found.instance}: {found.accelerators:,} accelerators, {found.runs} runs of {found.years:g} years, "
        f"seed {found.seed}, {found.events:,} events",
        "",
        f"{'per year':<44}{'expected':>14}{'simulated':>14}   99.9 % interval",
    ]
    for row in found.rows:
        if row.expected or row.simulated.mean:
            lines.append(_line(row))
    lines.append("")
    lines.append("simulated: every event by itself, as the rules count; what really happened:")
    for total in found.happened:
        mean = total.happened.mean
        lines.append(f"  {_WORDS[total.figure]:<42}{'':>14}{mean:>14,.2f}   {total.overlap:.3%} of it was down already")
    up = found.availability
    lines.append(
        f"  {'availability':<42}{found.expected_availability:>14.5%}{up.mean:>14.5%}   {up.low:.5%} to {up.high:.5%}"
    )
    for pool in found.pools:
        up, spares = pool.simulated, f", {pool.spares:,} spare" if pool.spares else ""
        lines.append(
            f"  {f'{pool.pool} up as a whole{spares}':<42}{pool.expected:>14.5%}{up.mean:>14.5%}   "
            f"{up.low:.5%} to {up.high:.5%}"
        )
    if found.differing:
        lines.append("")
        lines.append(f"{len(found.differing)} figures differ; docs/failures.md says where that is to be expected.")
    return "\n".join(lines) + "\n"


def simulation_data(found: Simulation) -> dict[str, Any]:
    """Return a simulation as plain data, with the verdict of every row and the overlap of every total."""
    data = dataclasses.asdict(found)
    for row, plain in zip(found.rows, data["rows"], strict=True):
        plain["verdict"] = row.verdict
    for total, plain in zip(found.happened, data["happened"], strict=True):
        plain["overlap"] = total.overlap
    return data


def _line(row: Row) -> str:
    name = f"{ITEM_WORDS.get(row.item, row.item)}: {_WORDS[row.figure]}"
    found = row.simulated
    span = f"{found.low:,.2f} to {found.high:,.2f}"
    return f"{name:<44}{row.expected:>14,.2f}{found.mean:>14,.2f}   {span:<34}{row.verdict}"
