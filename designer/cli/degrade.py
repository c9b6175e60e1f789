"""``designer degrade``: what failures leave of a stored design, or of one written by hand."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from designer.cli.codes import ExitCode
from designer.cli.guard import guarded
from designer.cli.numbers import whole
from designer.problems import InputError, Problem

if TYPE_CHECKING:
    from designer.degrade import Degraded


def degrade(
    run: Annotated[
        Path, typer.Argument(metavar="RUN_OR_DESIGN", help="Run folder, result.json, or DESIGN.toml written by hand.")
    ],
    catalog: Annotated[
        Path | None,
        typer.Option("--catalog", metavar="OVERLAY", help="For a DESIGN.toml: prices and figures of your own."),
    ] = None,
    failures: Annotated[int, whole("Failures at once, at random and at worst.", least=1, most=1000)] = 2,
    samples: Annotated[int, whole("Random sets of failures of each sort.", least=2, most=100_000)] = 100,
    seed: Annotated[int, whole("The same seed gives the same figures.", least=0, most=2**31 - 1)] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="Data as JSON on stdout; prose stays on stderr.")] = False,
) -> None:
    """Break every switch, link and host by classes, then several at once: the bandwidth and tokens that are left."""
    with guarded():
        from designer.report.degraded import degraded_data, degraded_screen

        found = degrade_file(run, overlay=catalog, failures=failures, samples=samples, seed=seed)
        if as_json:
            sys.stdout.write(json.dumps(degraded_data(found), indent=1, allow_nan=False) + "\n")
        else:
            sys.stdout.write(degraded_screen(found))
        raise SystemExit(ExitCode.SOLVED)


def degrade_file(
    path: Path, *, overlay: Path | None = None, failures: int = 2, samples: int = 100, seed: int = 0
) -> Degraded:
    """Say what failures leave of a stored design, or of one written by hand (``*.toml``).

    Raises
    ------
    InputError
        When the file cannot be read or wired, or an option is wrong.
    """
    from designer.degrade import degrade as degraded
    from designer.degrade.given import degrade_given
    from designer.given import load_given
    from designer.report.result import read_result

    if path.suffix == ".toml":
        return degrade_given(load_given(path, overlay), failures=failures, samples=samples, seed=seed)
    if overlay is not None:
        raise InputError([Problem(str(overlay), "", "a price list", "none: a stored design is broken as it is")])
    result = read_result(path)
    if result.design is None:
        allowed = f"a run that ended {result.status!r} has no design"
        raise InputError([Problem(str(path), "design", "nothing", allowed)])
    return degraded(result.design, failures=failures, samples=samples, seed=seed)
