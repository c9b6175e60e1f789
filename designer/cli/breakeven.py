"""``designer breakeven``: the figure at which the best design flips."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from designer.cli.codes import ExitCode
from designer.cli.guard import guarded, say
from designer.cli.numbers import number, whole

InstanceFile = Annotated[Path, typer.Argument(metavar="INSTANCE", help="Planning question, a TOML file.")]
Overlay = Annotated[
    Path | None,
    typer.Option("--catalog", metavar="OVERLAY", help="TOML file with prices and figures of your own."),
]
AsJson = Annotated[bool, typer.Option("--json", help="Data as JSON on stdout; prose stays on stderr.")]


def breakeven(
    instance: InstanceFile,
    *,
    vary: Annotated[
        str,
        typer.Option(
            metavar="KEY",
            help="Figure to vary: table.id.figure of the catalogue (links.lpo_1600.price_usd_per_end), or of the "
            "instance (site.electricity_usd_per_kwh, workloads[0].tpot_ms).",
        ),
    ],
    start: Annotated[float, number("Lower end of the range.", "--from", metavar="A")],
    end: Annotated[float, number("Upper end of the range.", "--to", metavar="B")],
    between: Annotated[
        tuple[str, str] | None,
        typer.Option(
            metavar="X Y",
            help="Which of two forced choices is cheaper, each KEY=VALUE[,KEY=VALUE...] as in why-not "
            "(technology=cpo technology=dsp).",
        ),
    ] = None,
    watch: Annotated[
        str,
        typer.Option(
            help="What counts: any, technology, links, switches, accelerator, nic, domain_size, stages, design."
        ),
    ] = "any",
    width: Annotated[float, number("Relative width of the bracket around a flip.", least=1e-9, most=0.5)] = 1e-3,
    points: Annotated[
        int, whole("Values solved first where cost is no straight line in the figure.", least=2, most=1000)
    ] = 9,
    settings: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="KEY=VALUE",
            help="Set another figure for the whole search, to a number or to the catalogue's low, mid or high; "
            "may be given several times.",
        ),
    ] = None,
    catalog: Overlay = None,
    gap: Annotated[float, number("Relative gap of every solve.", least=0.0, most=1.0)] = 1e-7,
    time_limit: Annotated[float | None, number("Time limit of every solve.", least=0.001, metavar="SECONDS")] = None,
    as_json: AsJson = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress.")] = False,
) -> None:
    """Find the value of a figure at which the best design changes, proven on both sides."""
    with guarded():
        from designer.answer import SolveOptions
        from designer.breakeven import breakeven as found_of
        from designer.breakeven.screen import breakeven_screen

        found = found_of(
            instance,
            vary,
            start,
            end,
            between=between or (),
            watch=watch,
            width=width,
            points=points,
            settings=settings or (),
            overlay=catalog,
            options=SolveOptions(gap, time_limit, explain_s=0.0),
            on_solve=None if quiet else lambda value: say(f"  {vary} = {value:.12g} ..."),
        )
        if as_json:
            from pydantic import TypeAdapter

            data = TypeAdapter(type(found)).dump_python(found, mode="json")
            sys.stdout.write(json.dumps(data, indent=1, ensure_ascii=False, allow_nan=False) + "\n")
        else:
            sys.stdout.write(breakeven_screen(found))
        ends = (found.start, found.end)
        if not found.flips and all(side.status == "infeasible" for side in ends):
            raise SystemExit(ExitCode.INFEASIBLE)
        if all(side.cost is None and side.status != "infeasible" for side in ends):
            raise SystemExit(ExitCode.NO_ANSWER_IN_TIME)
        raise SystemExit(ExitCode.SOLVED)
