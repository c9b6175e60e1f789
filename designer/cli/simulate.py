"""``designer simulate``: the failures of a stored design, event by event, beside the expected ones."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from designer.cli.codes import ExitCode
from designer.cli.guard import guarded


def simulate(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="Run folder or result.json.")],
    catalog: Annotated[
        Path | None,
        typer.Option("--catalog", metavar="OVERLAY", help="TOML file with prices and figures of your own."),
    ] = None,
    years: Annotated[float, typer.Option(min=0.001, max=1e6, help="Years of each run.")] = 10.0,
    runs: Annotated[int, typer.Option(min=2, max=100_000, help="Runs, each with random numbers of its own.")] = 20,
    seed: Annotated[int, typer.Option(min=0, max=2**31 - 1, help="The same seed gives the same figures.")] = 0,
    workers: Annotated[int, typer.Option(min=1, max=1024, help="Processes that share the runs.")] = 1,
    as_json: Annotated[bool, typer.Option("--json", help="Data as JSON on stdout; prose stays on stderr.")] = False,
) -> None:
    """Let everything in a stored design fail and be repaired, and compare with the recount."""
    with guarded():
        from designer.report.simulation import simulation_screen
        from designer.runs import simulate_stored

        found = simulate_stored(run, overlay=catalog, years=years, runs=runs, seed=seed, workers=workers)
        if as_json:
            from designer.report.simulation import simulation_data

            sys.stdout.write(json.dumps(simulation_data(found), indent=1, allow_nan=False) + "\n")
        else:
            sys.stdout.write(simulation_screen(found))
        raise SystemExit(ExitCode.SOLVED)
