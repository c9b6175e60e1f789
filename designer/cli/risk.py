"""``designer risk``: what is known of the failures of a stored design."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from designer.cli.codes import ExitCode
from designer.cli.guard import guarded
from designer.cli.numbers import number, whole


def risk(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="Run folder or result.json.")],
    catalog: Annotated[
        Path | None,
        typer.Option("--catalog", metavar="OVERLAY", help="TOML file with prices and figures of your own."),
    ] = None,
    samples: Annotated[int, whole("Times that every figure is drawn.", least=100, most=1_000_000)] = 10_000,
    seed: Annotated[int, whole("The same seed gives the same figures.", least=0, most=2**31 - 1)] = 0,
    job_hours: Annotated[float, number("Hours of a job that should see no hit.", least=0.001, most=1e6)] = 720,
    checkpoint_minutes: Annotated[
        float, number("Work of a training job between two checkpoints.", least=0.001, most=1e6)
    ] = 60,
    write_minutes: Annotated[
        float, number("Standstill of a training job for one checkpoint.", least=0.001, most=1e6)
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
