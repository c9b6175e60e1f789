"""Rates as distributions, survival of jobs and checkpoints: each formula against something that is not the formula."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from designer.catalogue import load_catalogue
from designer.catalogue.checks import check_catalogue
from designer.problems import InputError
from designer.risk.knowledge import RANGES, Knowledge, Scenario, chances_of
from designer.risk.many import Many, Values, spread_of
from designer.risk.ranges import Posterior, Range
from designer.risk.survival import (
    daly_interval,
    exact_interval,
    useful_share,
    useful_share_first_order,
    young_interval,
)

DAVISSON = "switches.th6_davisson_cpo.oe_box_swap_per_year"
BAILLY = "switches.th5_bailly_cpo.oe_box_swap_per_year"
GRID = (np.arange(200_000) + 0.5) / 200_000


def only(value: float) -> Values:
    return np.array([value])


# --- Numbers in many samples -----------------------------------------------------------------------------------------

numbers = st.fractions(min_value=-4, max_value=4, max_denominator=16)


@given(st.lists(st.tuples(numbers, numbers), min_size=1, max_size=4), numbers.filter(bool))
def test_many_numbers_are_each_of_them(pairs: list[tuple[Fraction, Fraction]], plain: Fraction) -> None:
    left, right = (Many(np.array([float(pair[side]) for pair in pairs])) for side in (0, 1))
    for many, each in (
        (left + right * plain - 1, [a + b * plain - 1 for a, b in pairs]),
        (plain - left * right, [plain - a * b for a, b in pairs]),
        (plain * left + (-right) / plain, [plain * a - b / plain for a, b in pairs]),
        (left**3 + sum((right, left), Fraction(0)), [a**3 + a + b for a, b in pairs]),
        (plain / (right * right + 1), [plain / (b * b + 1) for _, b in pairs]),
    ):
        assert spread_of(many, len(pairs)).tolist() == pytest.approx([float(value) for value in each])


def test_many_numbers_do_not_go_two_ways() -> None:
    many = Many(np.array([1.0, 2.0]))
    assert many >= 1
    assert Fraction(3) > many
    assert many != 0
    assert bool(many)
    for compare in (
        lambda: many > 1,
        lambda: Fraction(2) <= many,
        lambda: many == 1,
        lambda: max(Fraction(3, 2), many),
    ):
        with pytest.raises(ValueError, match="differently"):
            compare()
    with pytest.raises(TypeError):
        many + "1"  # type: ignore[operator]
    with pytest.raises(TypeError):
        float(many)  # type: ignore[arg-type]


# --- Distributions ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("known", "kind"),
    [
        (Range(1.0, 3.0, 9.0), "log-normal"),
        (Range(0.07, 0.17, 0.3), "two-piece log-normal"),
        (Range(0.3, 0.3, 3.0), "two-piece log-normal"),
        (Range(0.02, 0.1, 0.5, chance=True), "two-piece logit-normal"),
        (Range(0.0, 1.0, 3.0), "two-piece"),
        (Range(0.0, 0.0, 3.0), "two-piece"),
        (Range(0.5, 0.9, 1.0, chance=True), "two-piece"),
        (Range(2.0, 2.0, 2.0), "fixed"),
    ],
)
def test_low_mid_high_are_the_quantiles(known: Range, kind: str) -> None:
    assert known.kind == kind
    assert known.at(np.array([0.05, 0.5, 0.95])).tolist() == pytest.approx(
        [known.low, known.mid, known.high], abs=1e-12
    )
    drawn = known.at(GRID)
    assert np.all(np.diff(drawn) >= 0)
    assert np.all(drawn >= 0)
    assert not known.chance or np.all(drawn <= 1)


def test_a_log_normal_has_the_moments_of_one() -> None:
    # ln X ~ N(ln 3, s) with s = ln 3 / 1.6449: mean 3 exp(s^2 / 2), and 68.27 % within one s of the median.
    drawn, s = Range(1.0, 3.0, 9.0).at(GRID), np.log(3.0) / 1.6448536
    assert drawn.mean() == pytest.approx(3 * np.exp(s * s / 2), rel=1e-3)
    assert np.mean(np.abs(np.log(drawn / 3)) < s) == pytest.approx(0.6827, abs=1e-3)


@pytest.mark.parametrize("failures", [0, 1, 7])
def test_the_posterior_is_bayes_rule(failures: int) -> None:
    # Likelihood times prior, integrated numerically: rate^k e^(-rate T) rate^(-1/2), with rate = x^2 to tame the pole.
    hours = 25.8e6
    x = np.linspace(0, np.sqrt(40 / hours), 400_001)
    weight = 2 * (x * x) ** failures * np.exp(-x * x * hours)
    below = np.cumsum(weight) / weight.sum()
    rates = np.interp([0.05, 0.5, 0.95], below, x * x)
    ours = Posterior(failures, hours, 1.0).at(np.array([0.05, 0.5, 0.95])) / 8760
    assert ours.tolist() == pytest.approx(rates.tolist(), rel=3e-3)


def test_what_the_catalogue_says_of_its_tests() -> None:
    # Note of cpo_1600: Jeffreys median 15, mean 33 FIT per 400G port; mid of Bailly's box 0.017, of Davisson's 0.05.
    port = Posterior(0, 15e6, 1e9 / 8760)
    assert float(port.at(only(0.5))[0]) == pytest.approx(15, abs=0.5)
    assert float(port.at(GRID).mean()) == pytest.approx(33.3, abs=0.1)
    catalogue = load_catalogue()
    tests = {test.id: test for test in catalogue.failure_tests}
    for key in (BAILLY, DAVISSON):
        test, row = tests["none_in_15M_h"], catalogue.switches[key.split(".")[1]]
        assert row.oe_box_swap_per_year is not None
        median = Posterior(test.failures, test.device_hours, test.figures[key]).at(only(0.5))[0]
        assert float(median) == pytest.approx(row.oe_box_swap_per_year.mid, rel=0.03)
    # Counts that are said to be the origin of a figure give it: 419 events 0.17 a year, 7 returns 0.24 %.
    llama, linear = tests["llama3_interruptions"], tests["alibaba_lpo_returns"]
    assert llama.failures / llama.device_hours * 8760 == pytest.approx(0.173, abs=5e-4)
    assert linear.failures / linear.device_hours * 8760 == pytest.approx(0.0024, abs=5e-5)
    # Unserviceable: 0.06 % a year and port is one port of 15M hours.
    assert 0.0006 / 8760 * tests["one_in_15M_h"].device_hours == pytest.approx(1, abs=0.05)


# --- What is known ---------------------------------------------------------------------------------------------------


def test_sources_in_conflict_are_run_apart() -> None:
    knowledge = Knowledge(load_catalogue(), [DAVISSON, "links.dr8_1600.afr_hard_per_end"])
    base, *others = knowledge.scenarios()
    assert base == Scenario("base", {"cpo_engines": "none_in_15M_h"})
    assert [other.takes["cpo_engines"] for other in others] == ["one_in_15M_h", RANGES]
    chances = {name: np.array([0.05, 0.5, 0.95]) for name in knowledge.draws()}
    none, one, ranges = (knowledge.draw(scenario, chances) for scenario in (base, *others))
    assert np.all(one[DAVISSON] > none[DAVISSON])
    assert ranges[DAVISSON].tolist() == pytest.approx([0.011, 0.05, 0.45])
    assert [drawn["links.dr8_1600.afr_hard_per_end"].tolist() for drawn in (none, one)] == [
        pytest.approx([0.00307, 0.0118, 0.0298])
    ] * 2


def test_one_draw_for_all_parts_of_a_kind() -> None:
    keys = ["links.dr8_1600.afr_hard_per_end", "links.lpo_1600.afr_hard_per_end", "links.dac_800.afr_hard_per_end"]
    knowledge = Knowledge(load_catalogue(), [*keys, DAVISSON, BAILLY])
    draws = knowledge.draws()
    assert draws == {
        "modules: afr_hard_per_end": tuple(keys[:2]),
        "cables: afr_hard_per_end": tuple(keys[2:]),
        "cpo_engines": (DAVISSON, BAILLY),
    }
    drawn = knowledge.draw(knowledge.scenarios()[0], chances_of(list(draws), 1000, 5))
    ranks = [np.argsort(drawn[key]).tolist() for key in (*keys, DAVISSON, BAILLY)]
    assert ranks[0] == ranks[1] != ranks[2]
    assert ranks[3] == ranks[4] != ranks[0]


def test_a_figure_of_the_users_own_is_not_overruled(tmp_path: Path) -> None:
    overlay = tmp_path / "mine.toml"
    overlay.write_text('[[switches]]\nid = "th6_davisson_cpo"\noe_box_swap_per_year = 0.3\n')
    knowledge = Knowledge(load_catalogue(overlay), [DAVISSON])
    assert [scenario.name for scenario in knowledge.scenarios()] == ["base"]
    assert knowledge.distribution(knowledge.figures[0], knowledge.scenarios()[0]).kind == "fixed"
    overlay.write_text(
        '[[failure_tests]]\nid = "mine"\nquestion = "cpo_engines"\ndevice = "box"\nfailures = 2\ndevice_hours = 1e6\n'
        f'figures = {{ "{DAVISSON}" = 1 }}\nbasis = "user"\nsource = "our own boxes"\n'
    )
    catalogue = load_catalogue(overlay)
    assert len(catalogue.failure_tests) == len(load_catalogue().failure_tests) + 1
    names = [scenario.name for scenario in Knowledge(catalogue, [DAVISSON]).scenarios()]
    assert "cpo_engines=mine" in names


def test_wrong_tests_are_said(tmp_path: Path) -> None:
    overlay = tmp_path / "mine.toml"
    row = '[[failure_tests]]\nid = "mine"\nquestion = "q"\ndevice = "box"\nfailures = 2\nbasis = "user"\nsource = "x"\n'
    overlay.write_text(row + 'device_hours = 0.0\nfigures = { "switches.th6_davison.afr_hard" = 1 }\n')
    with pytest.raises(InputError) as told:
        load_catalogue(overlay)
    text = str(told.value)
    assert "did you mean th6_davisson_cpo" in text
    assert "device_hours" in text
    overlay.write_text(row + 'device_hours = 1.0\nbase = true\nfigures = { "switches.th6_davisson_cpo.name" = 1 }\n')
    catalogue = load_catalogue(overlay)
    twice = replace(catalogue, failure_tests=(*catalogue.failure_tests, catalogue.failure_tests[-1]))
    assert [finding.check for finding in check_catalogue(catalogue) if finding.broken] == ["figure"]
    renamed = twice.failure_tests[-1].model_copy(update={"id": "again"})
    twice = replace(twice, failure_tests=(*catalogue.failure_tests, renamed))
    assert "base" in [finding.check for finding in check_catalogue(twice) if finding.broken]


# --- Checkpoints -----------------------------------------------------------------------------------------------------


def played_share(mean: float, work: float, write: float, restart: float, stretches: int) -> float:
    """Play a job: hits at random, also during restarts; a stretch counts when it and its checkpoint are through."""
    rng, spent = np.random.default_rng(11), 0.0
    hits = iter(rng.exponential(mean, 500_000))
    for _ in range(stretches):
        while (life := next(hits)) < work + write:
            spent += life
            while (life := next(hits)) < restart:
                spent += life
            spent += restart
        spent += work + write
    return stretches * work / spent


@pytest.mark.parametrize(
    ("mean", "work", "write", "restart"), [(24.0, 2.0, 1 / 12, 1 / 6), (3.0, 1.0, 0.1, 0.5), (1.0, 1.5, 0.2, 0.3)]
)
def test_useful_time_is_that_of_a_job_that_is_played(mean: float, work: float, write: float, restart: float) -> None:
    ours = float(useful_share(only(mean), work, write, only(restart))[0])
    assert ours == pytest.approx(played_share(mean, work, write, restart, 40_000), rel=0.012)


def test_the_first_order_is_the_first_order() -> None:
    # The error falls with the square of the rate: a hundredth for a tenth.
    exact, first = (
        share(np.array([100.0, 1000.0]), 1.0, 0.05, np.array([0.2, 0.2]))
        for share in (useful_share, useful_share_first_order)
    )
    errors = np.abs(exact - first)
    assert errors[0] < 1e-3
    assert errors[1] == pytest.approx(errors[0] / 100, rel=0.1)
    # Without hits only writing costs time; with hits all the time nothing is done.
    assert float(useful_share(only(np.inf), 1.0, 0.25, only(1.0))[0]) == pytest.approx(0.8)
    assert float(useful_share(only(1e-3), 10.0, 0.25, only(1.0))[0]) == 0.0


@pytest.mark.parametrize("mean", [0.5, 6.0, 24.0, 1000.0])
def test_the_best_interval_is_the_best(mean: float) -> None:
    write, restart = 1 / 12, only(0.2)
    tried = np.geomspace(1e-3, 10 * mean, 100_001)
    best = tried[np.argmax(useful_share(np.full_like(tried, mean), tried, write, restart))]
    assert float(exact_interval(only(mean), write)[0]) == pytest.approx(float(best), rel=1e-3)
    assert float(daly_interval(only(mean), write)[0]) == pytest.approx(float(best), rel=2e-3)
    # Young leaves out that the writing itself is time in which a job is hit.
    assert float(young_interval(only(mean), write)[0]) > float(best)


def test_writing_that_takes_longer_than_jobs_live() -> None:
    assert float(daly_interval(only(1.0), 3.0)[0]) == 1.0
    assert 0.9 < float(exact_interval(only(1.0), 3.0)[0]) < 1.0
