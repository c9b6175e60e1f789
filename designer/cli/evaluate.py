"""``designer evaluate``: a design written by hand, counted, priced and checked."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from designer.cli.codes import ExitCode
from designer.cli.guard import guarded

DesignFile = Annotated[Path, typer.Argument(metavar="DESIGN", help="Design written by hand, a TOML file.")]
Overlay = Annotated[
    Path | None,
    typer.Option("--catalog", metavar="OVERLAY", help="TOML file with prices and figures of your own."),
]
AsJson = Annotated[bool, typer.Option("--json", help="Data as JSON on stdout; prose stays on stderr.")]


def evaluate(design: DesignFile, catalog: Overlay = None, as_json: AsJson = False) -> None:
    """Count out a design written by hand: parts, cost, power, risk, and what its networks carry."""
    with guarded():
        from designer.evaluate import evaluate as evaluated
        from designer.report.evaluation import evaluation_screen

        found = evaluated(design, catalog)
        if as_json:
            from pydantic import TypeAdapter

            data = TypeAdapter(type(found)).dump_python(found, mode="json")
            sys.stdout.write(json.dumps({"ok": found.ok, **data}, indent=1, ensure_ascii=False, allow_nan=False) + "\n")
        else:
            sys.stdout.write(evaluation_screen(found))
        raise SystemExit(ExitCode.SOLVED if found.ok else ExitCode.REFUTED)
