"""The risk of whole designs: every sample is a recount with other figures; spread, luck and the command."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from private_designs import private_design, private_instance
from scipy.stats import poisson
from simulated_designs import CASES, OFF, ROUND, Case, jobs_of
from solved_instances import FOLDER, solved
from typer.testing import CliRunner
from verify_designs import rack_design, rack_instance

from designer.catalogue import Catalogue, Figure, load_catalogue
from designer.cli.app import app
from designer.problems import InputError
from designer.report.risk import risk_data, risk_from_json, risk_screen
from designer.risk import risk
from designer.risk.counted import Recount
from designer.risk.jobs import JobQuestion, job_risks
from designer.risk.many import Many, spread_of
from designer.risk.result import OUTPUTS, Quantiles
from designer.runs import risk_stored
from designer.verify import verify

ALL = {**CASES, **OFF, "private fabrics": (private_design(), ROUND, private_instance())}
CPO_RUN = "cpo-or-pluggable-10k"
PAGE = FOLDER.parent / "docs" / "risk.md"


def with_figures(catalogue: Catalogue, changes: dict[str, Figure]) -> Catalogue:
    """The same catalogue with other figures, by key."""
    for key, figure in changes.items():
        table, *path = key.split(".")
        rows: Any = getattr(catalogue, table)
        if isinstance(rows, dict) or table not in ("facility", "components"):
            catalogue = replace(catalogue, **{table: {**rows, path[0]: _changed(rows[path[0]], path[1:], figure)}})
        else:
            catalogue = replace(catalogue, **{table: _changed(rows, path, figure)})
    return catalogue


def _changed(row: Any, path: list[str], figure: Figure) -> Any:
    value = figure if len(path) == 1 else _changed(getattr(row, path[0]), path[1:], figure)
    return row.model_copy(update={path[0]: value})


def exactly(value: float, high: float | None = None) -> Figure:
    return Figure(mid=value, high=high, basis="user", source="test")


def keys_of(case: Case) -> dict[str, Fraction]:
    values: dict[str, Fraction] = {}
    Recount(*case).count(values.setdefault)
    return values


@pytest.mark.parametrize("name", ALL)
def test_a_sample_is_a_recount_with_other_figures(name: str) -> None:
    case, rng = ALL[name], np.random.default_rng(2)
    design, catalogue, instance = case
    keys = keys_of(case)
    # Whole thousandths, so that the verifier's decimals are the sampled numbers.
    drawn = {key: np.round(float(value) * rng.uniform(0.3, 3.0, 3) + 0.001, 5) for key, value in keys.items()}
    counted = Recount(*case).count(lambda key, _: Many(drawn[key]))
    for sample in range(3):
        figures = {key: exactly(float(values[sample])) for key, values in drawn.items()}
        account = verify(design, with_figures(catalogue, figures), instance)
        assert account.totals is not None
        for line in account.account.risks:
            ours = counted.items.get(line.item)
            for figure in ("hard", "hits", "hours", "cleanings"):
                expected = next(
                    value for key, value in vars(line).items() if key.startswith(LINES[figure]) and key != "item"
                )
                found = 0.0 if ours is None else float(spread_of(getattr(ours, figure), 3)[sample])
                assert found == pytest.approx(expected, rel=1e-9), (line.item, figure)
        usd = float(spread_of(counted.total.usd, 3)[sample])
        assert usd == pytest.approx(float(account.totals.failures.usd), rel=1e-9)
    # Hits and hours of the pools are those of the design; no event hits less than one job.
    for figure in ("hits", "hours"):
        pools = sum(spread_of(getattr(pool, figure), 3) for pool in counted.pools)
        assert pools == pytest.approx(spread_of(getattr(counted.total, figure), 3), rel=1e-12)
    for pool in counted.pools:
        for item, hits, events in pool.by_item:
            assert np.all(spread_of(hits, 3) >= spread_of(events, 3) * (1 - 1e-12)), item


LINES = {"hard": "hard_repairs", "hits": "job_hits", "hours": "accelerator_hours", "cleanings": "cleanings"}


def test_every_figure_on_failures_of_the_rows_is_drawn() -> None:
    # Doubling every rate doubles the repairs, and every time too quadruples the hours: nothing is left out.
    for case in (CASES["CPO leaves"], CASES["clos"], CASES["planes on modules"]):
        rates = {key for key in keys_of(case) if not key.endswith(("_h", "p_transient_kills_job"))}
        recount = Recount(*case)
        once = recount.count(lambda _, value: value).total
        twice = recount.count(lambda key, value: 2 * value if key in rates else value).total  # noqa: B023
        both = recount.count(lambda _, value: 2 * value).total
        assert (twice.hard, twice.hits, twice.cleanings) == (2 * once.hard, 2 * once.hits, 2 * once.cleanings)
        assert both.hours == 4 * once.hours


def test_how_many_jobs_an_event_hits_by_hand() -> None:
    # Domains of 72 and jobs of 12: what takes a domain's switch out hits 6 jobs, an accelerator's failure one.
    (pool,) = Recount(jobs_of(rack_design(), 12), ROUND, rack_instance()).count(lambda _, value: value).pools
    each = {item: hits / events for item, hits, events in pool.by_item if events}
    assert each["scale_up_switches"] == 6
    assert each["accelerators"] == each["nics"] == 1


def test_one_wide_figure_drives_everything() -> None:
    case = (
        rack_design(),
        with_figures(ROUND, {"facility.repair.compute_tray_mttr_h": exactly(2.0, 9.0)}),
        rack_instance(),
    )
    found = risk(*case, samples=2000)
    (scenario,) = found.scenarios
    hours = [driver for driver in scenario.drivers if driver.output == "accelerator_hours_lost_per_year"]
    # Half of the samples are at the mid exactly: there the ranks say nothing.
    assert [driver.moved_by for driver in hours] == ["site: compute_tray_mttr_h"]
    assert hours[0].share > 0.7
    hard = scenario.output("hard_repairs_per_year")
    assert hard.known == Quantiles(*[pytest.approx(hard.stated)] * 4)
    assert not [driver for driver in scenario.drivers if driver.output == "hard_repairs_per_year"]
    account = verify(*case).account
    for name in OUTPUTS[:4]:
        assert scenario.output(name).stated == getattr(account, name)
    # At the high of the repair time, the hours are those of a recount there.
    top = with_figures(ROUND, {"facility.repair.compute_tray_mttr_h": exactly(9.0)})
    high = verify(case[0], top, case[2]).account.accelerator_hours_lost_per_year
    assert scenario.output("accelerator_hours_lost_per_year").known.p95 == pytest.approx(high, rel=0.05)


def test_the_main_driver_is_the_one_whose_freezing_calms_most() -> None:
    run = solved("hgx-h100-pinned", flow_check=False)
    assert run.result.design is not None
    found = risk_stored(str(run.folder), samples=4000)
    keys = {source.key: source for source in found.base.sources}
    drivers = [row for row in found.base.drivers if row.output == "accelerator_hours_lost_per_year"]
    assert [row.share for row in drivers] == sorted((row.share for row in drivers), reverse=True)
    assert 0.5 < sum(row.share for row in drivers) < 1.1

    def width(frozen: tuple[str, ...]) -> float:
        import designer

        catalogue = with_figures(load_catalogue(), {key: exactly(keys[key].mid) for key in frozen})
        question = designer.load(FOLDER / "hgx-h100-pinned.toml")
        assert run.result.design is not None
        known = risk(run.result.design, catalogue, question.instance, samples=4000).base
        span = known.output("accelerator_hours_lost_per_year").known
        return float(np.log(span.p95 / span.p5))

    widths = [width(row.keys) for row in drivers[:3]]
    assert widths == sorted(widths)
    assert widths[0] < 0.9 * width(())


def test_with_known_rates_next_year_is_luck_alone() -> None:
    catalogue = with_figures(ROUND, {key: exactly(float(value)) for key, value in keys_of(CASES["switched"]).items()})
    found = risk(rack_design(), catalogue, rack_instance(), samples=20_000).base
    for row in found.next_year:
        assert row.rates == Quantiles(*[pytest.approx(row.stated)] * 4)
        if row.what != "job_hits":
            expected = poisson(row.stated).ppf([0.05, 0.5, 0.95])
            ours = row.rates_and_luck
            assert [ours.p5, ours.median, ours.p95] == pytest.approx(expected.tolist(), abs=1)
    # Events that hit several jobs at once make a year's hits vary more than a Poisson count does.
    (job,) = found.jobs
    hits = next(row for row in found.next_year if row.what == "job_hits")
    poisson_span = np.ptp(poisson(hits.stated).ppf([0.05, 0.95]))
    assert hits.rates_and_luck.p95 - hits.rates_and_luck.p5 > 1.05 * poisson_span
    assert job.survival.median == pytest.approx(np.exp(-job.stated_hits_per_year * 720 / 8760))
    assert job.jobs * job.accelerators == rack_design().pools[0].accelerators
    assert job.jobs * job.stated_hits_per_year == pytest.approx(hits.stated)
    assert job.checkpoints is None


def test_training_jobs_write_checkpoints() -> None:
    design = rack_design()
    stated = Recount(*CASES["switched"]).count(lambda _, value: value).pools
    fleet = replace(design, pools=(replace(design.pools[0], phase="fleet"),))
    (job,) = job_risks(fleet, stated, stated, np.full(4, 0.25), JobQuestion(100.0, 1.0, 1 / 60), 0)
    assert job.checkpoints is not None
    mean = 8760 / job.stated_hits_per_year
    stretch = 1 + 1 / 60
    assert job.checkpoints.useful.median == pytest.approx(
        1 / (mean * np.exp(0.25 / mean) * (np.exp(stretch / mean) - 1)), rel=1e-9
    )
    up = 1 - float(stated[0].hours) / 8760 / stated[0].accelerators  # type: ignore[arg-type]
    assert job.checkpoints.useful_with_repairs.median == pytest.approx(up * job.checkpoints.useful.median)
    assert job.checkpoints.useful_at_best.median > job.checkpoints.useful.median


def test_co_packaged_sources_in_conflict_are_both_shown() -> None:
    found = risk_stored(str(solved(CPO_RUN, flow_check=False).folder), samples=2000)
    by_name = {scenario.name: scenario for scenario in found.scenarios}
    one = by_name["cpo_engines=one_in_15M_h"]
    assert (
        one.output("failures_usd_per_year").known.median > 1.2 * found.base.output("failures_usd_per_year").known.median
    )
    assert {taken.question: taken.test for taken in found.base.takes} == {
        "cpo_engines": "none_in_15M_h",
        "cpo_flaps": "none_in_1M_h",
    }
    (job,) = found.base.jobs
    assert job.checkpoints is not None
    assert 0.8 < job.checkpoints.useful_with_repairs.p5 < job.checkpoints.useful.p95 < 1
    screen = risk_screen(found)
    assert "0 failures in 15,000,000 device-hours" in screen
    assert "1 failure in 15,000,000 device-hours" in screen


# --- Seeds, options, the command -------------------------------------------------------------------------------------


def test_the_same_seed_gives_the_same_answer() -> None:
    case, first = CASES["switched"], risk(*CASES["switched"], samples=200, seed=1)
    assert risk(*case, samples=200, seed=1) == first
    assert risk(*case, samples=200, seed=2) != first
    assert risk_from_json("r.json", json.dumps(risk_data(first))) == first
    with pytest.raises(InputError, match=r"r.json: seed"):
        risk_from_json("r.json", json.dumps({**risk_data(first), "seed": "one"}))


def test_unknown_figures_and_wrong_options_are_said() -> None:
    row = ROUND.nics["nic_400"].model_copy(update={"afr_hard": Figure.model_validate("unknown")})
    with pytest.raises(InputError, match="afr_hard"):
        risk(rack_design(), replace(ROUND, nics={**ROUND.nics, "nic_400": row}), rack_instance())
    with pytest.raises(InputError) as told:
        risk(*CASES["switched"], samples=9, seed=-1, job_hours=0.0, checkpoint_minutes=float("nan"), write_minutes=-1.0)
    assert [row.key for row in told.value.problems] == [
        "samples",
        "seed",
        "job_hours",
        "checkpoint_minutes",
        "write_minutes",
    ]


def test_the_command() -> None:
    run = solved("hgx-h100-pinned", flow_check=False)
    command = ["risk", str(run.folder), "--samples", "500", "--seed", "3", "--job-hours", "100"]
    said = CliRunner().invoke(app, command)
    assert said.exit_code == 0, said.output
    assert "48 accelerators, 500 samples, seed 3" in said.output
    assert "h100_interruptions: 419 failures in 21,230,000 device-hours [llama3]" in said.output
    told = CliRunner().invoke(app, [*command, "--json"]).output
    found = risk_from_json("stdout", told)
    assert run.result.account is not None
    assert found.base.output("job_hits_per_year").stated == run.result.account.job_hits_per_year
    assert (found.catalogue_sha256, found.instance_sha256) == (
        run.result.catalogue_sha256,
        run.result.instance.sha256,
    )
    assert CliRunner().invoke(app, command).output == said.output
    assert CliRunner().invoke(app, ["risk", "nowhere"]).exit_code == 2


def shown(language: str) -> str:
    (block,) = re.findall(rf"^```{language}\n(.*?)^```$", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    return str(block)


def real_screen() -> str:
    folder = str(solved(CPO_RUN, flow_check=False).folder)
    solve, command = (line.split() for line in shown("console").strip().splitlines())
    assert solve[:3] == ["designer", "solve", f"instances/{CPO_RUN}.toml"]
    assert command[:3] == ["designer", "risk", solve[4]]
    said = CliRunner().invoke(app, ["risk", folder, *command[3:]])
    assert said.exit_code == 0, said.output
    return said.output


def test_the_example_of_the_page_is_real() -> None:
    assert shown("text") == real_screen(), "paste it again: python tests/test_risk_designs.py"


if __name__ == "__main__":
    import tempfile

    import solved_instances

    with tempfile.TemporaryDirectory() as place:
        solved_instances.RUNS.append(Path(place))
        PAGE.write_text(PAGE.read_text().replace(f"```text\n{shown('text')}", f"```text\n{real_screen()}"))
