"""The commands of ``designer``. Each is one call of the library; heavy modules load inside the command."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from designer import __version__
from designer.cli.bench import time_flows
from designer.cli.breakeven import breakeven
from designer.cli.catalog import app as catalog_app
from designer.cli.codes import ExitCode
from designer.cli.degrade import degrade
from designer.cli.evaluate import evaluate
from designer.cli.guard import guarded, say
from designer.cli.numbers import number, whole
from designer.cli.progress import ProgressLine
from designer.cli.risk import risk
from designer.cli.show import exit_code, show_bench, show_checked, show_compared, show_question, show_run
from designer.cli.simulate import simulate
from designer.cli.validate import validate

# \b keeps the lines of a paragraph apart.
_CODES = "\b\nExit codes:\n" + "\n".join(f"{code.value:>4}  {code.meaning}" for code in ExitCode)

app = typer.Typer(
    name="designer",
    help="Designs the networks of AI clusters from a token demand, with a proof.",
    epilog=_CODES,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    # Plain help: the rich one takes as long to import as everything else together.
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.add_typer(catalog_app, name="catalog")
app.command(epilog=_CODES)(evaluate)
app.command(epilog=_CODES)(breakeven)
app.command(epilog=_CODES)(validate)
app.command(epilog=_CODES)(simulate)
app.command(epilog=_CODES)(risk)
app.command(epilog=_CODES)(degrade)

InstanceFile = Annotated[Path, typer.Argument(metavar="INSTANCE", help="Planning question, a TOML file.")]
Overlay = Annotated[
    Path | None,
    typer.Option("--catalog", metavar="OVERLAY", help="TOML file with prices and figures of your own."),
]
AsJson = Annotated[bool, typer.Option("--json", help="Data as JSON on stdout; prose stays on stderr.")]


def _version(wanted: bool) -> None:
    if wanted:
        print(f"tokenfabric {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    pass


@app.command(epilog=_CODES)
def solve(
    instance: InstanceFile,
    *,
    catalog: Overlay = None,
    out: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Run folder; default runs/<instance name>-<short hash>.")
    ] = None,
    gap: Annotated[float, number("Relative gap at which the answer counts as optimal.", least=0.0, most=1.0)] = 1e-6,
    time_limit: Annotated[
        float | None, number("Stop then with the best design known.", least=0.001, metavar="SECONDS")
    ] = None,
    explain_time: Annotated[
        float, number("For naming what clashes and what would help.", least=0.0, metavar="SECONDS")
    ] = 60.0,
    seed: Annotated[int, whole("Random seed of the solver.", least=0, most=2**31 - 1)] = 0,
    threads: Annotated[int, whole("Threads of the solver.", least=1, most=1024)] = 1,
    write_mps: Annotated[
        Path | None, typer.Option(metavar="FILE.mps", help="Also write the model for another solver.")
    ] = None,
    compare: Annotated[
        Path | None,
        typer.Option(
            metavar="DESIGN.toml",
            help="Put a design written by hand beside the optimum: what it serves, what differs, and what each of its "
            "choices costs (one more solve each).",
        ),
    ] = None,
    as_json: AsJson = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress and no screen.")] = False,
    no_flow_check: Annotated[bool, typer.Option("--no-flow-check", help="Skip the flow check.")] = False,
) -> None:
    """Solve an instance: print the design and store the run."""
    with guarded():
        from designer.answer import SolveOptions
        from designer.runs import solve_and_store

        with ProgressLine(quiet=quiet) as line:
            options = SolveOptions(
                gap, time_limit, seed, threads, write_mps=write_mps, explain_s=explain_time, on_progress=line.show
            )
            checked = not no_flow_check
            run = solve_and_store(instance, options, overlay=catalog, out=out, flow_check=checked, beside=compare)
        show_run(run, as_json=as_json, quiet=quiet)
        raise SystemExit(exit_code(run))


@app.command()
def check(instance: InstanceFile, catalog: Overlay = None, as_json: AsJson = False) -> None:
    """Read an instance and say every mistake in it, without solving."""
    with guarded():
        from designer.instance.load import load
        from designer.solve.asked import check_figures

        question = load(instance, catalog)
        check_figures(question)
        show_question(question, as_json=as_json)


@app.command("why-not", epilog=_CODES)
def why_not(
    instance: InstanceFile,
    *,
    force: Annotated[
        list[str],
        typer.Option(
            metavar="KEY=VALUE",
            help="Choice to force, may be repeated: accelerator, vendor, nic, domain_size, scale_up_planes, stages "
            "or scale_out_stages, rails, planes, shape (tree, mesh, hyperx, dragonfly), fabrics (shared, private), "
            "taper (DOWN:UP), scale_up_switch, leaf_switch, spine_switch, core_switch, top_switch, link (all scale-out "
            "boundaries), scale_up_link, nic_leaf_link, leaf_spine_link, spine_core_link, core_top_link, "
            "leaf_leaf_link, group_group_link (ID or LOWER/UPPER), technology (copper, dsp, lpo, lro, cpo), without.",
        ),
    ],
    catalog: Overlay = None,
    gap: Annotated[float, number("Relative gap of both solves.", least=0.0, most=1.0)] = 1e-6,
    time_limit: Annotated[
        float | None, number("Time limit of each of the two solves.", least=0.001, metavar="SECONDS")
    ] = None,
    as_json: AsJson = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress and no screen.")] = False,
) -> None:
    """Force a choice and price it against the optimum, item by item."""
    with guarded():
        from designer.answer import SolveOptions
        from designer.runs import compare

        with ProgressLine(quiet=quiet) as line:
            options = SolveOptions(gap, time_limit, on_progress=line.show)
            found = compare(instance, force, options, overlay=catalog)
        show_compared(found, as_json=as_json, quiet=quiet)
        raise SystemExit(exit_code(found.forced))


@app.command()
def verify(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="Run folder or result.json.")],
    catalog: Overlay = None,
    as_json: AsJson = False,
    no_flow_check: Annotated[bool, typer.Option("--no-flow-check", help="Recount only.")] = False,
) -> None:
    """Recount a stored result from its design alone and run the flow check again."""
    with guarded():
        from designer.runs import verify_stored

        checked = verify_stored(run, overlay=catalog, flow_check=not no_flow_check)
        show_checked(checked, as_json=as_json)
        raise SystemExit(ExitCode.SOLVED if checked.ok else ExitCode.REFUTED)


@app.command()
def bench(
    folder: Annotated[Path | None, typer.Argument(metavar="[FOLDER]", help="Folder of instances.")] = None,
    as_json: AsJson = False,
    flow: Annotated[
        bool, typer.Option("--flow", help="Instead of instances: flows of large networks, and networkx beside them.")
    ] = False,
    repeat: Annotated[int, whole("Runs of each instance; the best counts.", least=1, most=1000)] = 1,
    time_limit: Annotated[
        float | None, number("Solver time limit of each run.", least=0.001, metavar="SECONDS")
    ] = None,
) -> None:
    """Time every phase of solving each instance of a folder, in a fresh process each; or flows of large networks."""
    with guarded():
        if flow or folder is None:
            time_flows(folder, flow=flow, as_json=as_json)
            raise SystemExit(ExitCode.SOLVED)
        from designer.bench import bench_folder

        rows = bench_folder(folder, repeat=repeat, time_limit_s=time_limit, on_row=say)
        show_bench(rows, as_json=as_json)
        raise SystemExit(ExitCode.BAD_INPUT if any(row.error for row in rows) else ExitCode.SOLVED)
