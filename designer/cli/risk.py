"""``designer risk``: what is known of the failures of a stored design."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from designer.cli.codes import ExitCode
from designer.cli.guard import guarded


def risk(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="Run folder or result.json.")],
    catalog: Annotated[
        Path | None,
        typer.Option("--catalog", metavar="OVERLAY", help="TOML file with prices and figures of your own."),
    ] = None,
    samples: Annotated[int, typer.Option(min=100, max=1_000_000, help="Times that every figure is drawn.")] = 10_000,
    seed: Annotated[int, typer.Option(min=0, max=2**31 - 1, help="The same seed gives the same figures.")] = 0,
    job_hours: Annotated[float, typer.Option(min=0.001, max=1e6, help="Hours of a job that should see no hit.")] = 720,
    checkpoint_minutes: Annotated[
        float, typer.Option(min=0.001, max=1e6, help="Work of a training job between two checkpoints.")
    ] = 60,
    write_minutes: Annotated[
        float, typer.Option(min=0.001, max=1e6, help="Standstill of a training job for one checkpoint.")
    ] = 1,
    as_json: Annotated[bool, typer.Option("--json", help="Data as JSON on stdout; prose stays on stderr.")] = False,
) -> None:
    """Draw failure rates and repair times from what is known of them: spread, drivers, luck, jobs, checkpoints."""
    with guarded():
        from designer.report.risk import risk_data, risk_screen
        from designer.runs import risk_stored

        found = risk_stored(
            run,
            overlay=catalog,
            samples=samples,
            seed=seed,
            job_hours=job_hours,
            checkpoint_minutes=checkpoint_minutes,
            write_minutes=write_minutes,
        )
        if as_json:
            sys.stdout.write(json.dumps(risk_data(found), indent=1, allow_nan=False) + "\n")
        else:
            sys.stdout.write(risk_screen(found))
        raise SystemExit(ExitCode.SOLVED)
