"""``designer simulate``: the failures of a stored design, event by event, beside the expected ones."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from designer.cli.codes import ExitCode
from designer.cli.guard import guarded
from designer.cli.numbers import number, whole


def simulate(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="Run folder or result.json.")],
    catalog: Annotated[
        Path | None,
        typer.Option("--catalog", metavar="OVERLAY", help="TOML file with prices and figures of your own."),
    ] = None,
    years: Annotated[float, number("Years of each run.", least=0.001, most=1e6)] = 10.0,
    runs: Annotated[int, whole("Runs, each with random numbers of its own.", least=2, most=100_000)] = 20,
    seed: Annotated[int, whole("The same seed gives the same figures.", least=0, most=2**31 - 1)] = 0,
    workers: Annotated[int, whole("Processes that share the runs.", least=1, most=1024)] = 1,
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
