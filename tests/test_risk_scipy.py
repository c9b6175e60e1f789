"""The formulas of the risks against SciPy's own distributions, integrals and optimisers."""

from __future__ import annotations

from fractions import Fraction
from types import SimpleNamespace
from typing import cast

import numpy as np
import pytest
from scipy import integrate, optimize, stats

from designer.catalogue import load_catalogue
from designer.design.types import Design
from designer.risk.counted import PoolHits
from designer.risk.jobs import JobQuestion, job_risks
from designer.risk.many import Values
from designer.risk.ranges import Posterior, Range
from designer.risk.survival import daly_interval, exact_interval, useful_share, young_interval

CHANCES = np.array([0.01, 0.05, 0.3, 0.5, 0.8, 0.95, 0.99])


def only(value: float) -> Values:
    return np.array([value])


@pytest.mark.parametrize(("failures", "hours"), [(0, 15e6), (1, 15e6), (0, 1.05e6), (419, 21_233_664.0)])
def test_counts_give_jeffreys_gamma(failures: int, hours: float) -> None:
    law = stats.gamma(a=failures + 0.5, scale=8760 / hours)
    assert Posterior(failures, hours, 1.0).at(CHANCES) == pytest.approx(law.ppf(CHANCES), rel=1e-9)
    assert Posterior(failures, hours, 64.0).at(CHANCES) == pytest.approx(64 * law.ppf(CHANCES), rel=1e-9)
    # Jeffreys' posterior of no failure says that half a failure is expected in as many hours again.
    assert law.mean() * hours / 8760 == pytest.approx(failures + 0.5)
    # And its quantiles are those of a chi-squared with 2 k + 1 degrees of freedom, as the tables print them.
    squared = stats.chi2(2 * failures + 1).ppf(CHANCES) / (2 * hours) * 8760
    assert Posterior(failures, hours, 1.0).at(CHANCES) == pytest.approx(squared, rel=1e-9)


def test_every_test_of_the_catalogue_that_saw_no_failure_is_that_gamma() -> None:
    none = [test for test in load_catalogue().failure_tests if test.failures == 0]
    assert none
    for test in none:
        for devices in test.figures.values():
            drawn = Posterior(test.failures, test.device_hours, devices).at(only(0.95))
            law = stats.gamma(a=0.5, scale=8760 * devices / test.device_hours)
            assert float(law.cdf(drawn[0])) == pytest.approx(0.95, abs=1e-9)


def test_low_and_high_are_the_ends_of_a_90_percent_interval() -> None:
    # One log-normal where the range is even, else half of one on each side of the median.
    low, mid, high = 0.5, 2.0, 8.0
    sigma = np.log(high / low) / (stats.norm.ppf(0.95) - stats.norm.ppf(0.05))
    assert Range(low, mid, high).at(CHANCES) == pytest.approx(stats.lognorm(s=sigma, scale=mid).ppf(CHANCES), rel=1e-9)
    low, mid, high = 0.011, 0.05, 0.45
    found = Range(low, mid, high).at(CHANCES)
    for end, half in ((low, CHANCES <= 0.5), (high, CHANCES >= 0.5)):
        law = stats.lognorm(s=abs(np.log(end / mid)) / stats.norm.ppf(0.95), scale=mid)
        assert found[half] == pytest.approx(law.ppf(CHANCES[half]), rel=1e-9)
    chances = Range(0.02, 0.1, 0.5, chance=True).at(CHANCES)
    assert np.all((chances > 0) & (chances < 1))
    upper = CHANCES >= 0.5
    odds = np.log(chances / (1 - chances))[upper]
    at_mid, at_high = np.log(0.1 / 0.9), np.log(0.5 / 0.5)
    law = stats.norm(at_mid, (at_high - at_mid) / stats.norm.ppf(0.95))
    assert odds == pytest.approx(law.ppf(CHANCES[upper]), abs=1e-9)


@pytest.mark.parametrize(("mean", "write", "restart"), [(32.5, 1 / 60, 0.25), (2.0, 0.1, 0.5), (400.0, 0.05, 0.1)])
def test_the_best_checkpoint_is_the_one_an_optimiser_finds(mean: float, write: float, restart: float) -> None:
    def lost(work: float) -> float:
        # A stretch of work and its checkpoint is tried until no hit falls into it: expected hours of the tries that
        # fail (their lengths are exponential, cut off at the stretch) and of the restarts, which are hit as well.
        stretch, law = work + write, stats.expon(scale=mean)
        through = law.sf(stretch)
        failing = integrate.quad(lambda t: t * law.pdf(t), 0, stretch)[0] / law.cdf(stretch)
        again = mean * np.expm1(restart / mean)
        tries = law.cdf(stretch) / through
        return float(1 - work / (tries * (failing + again) + stretch))

    best = optimize.minimize_scalar(lost, bounds=(1e-3, 5 * mean), method="bounded", options={"xatol": 1e-10})
    assert float(exact_interval(only(mean), write)[0]) == pytest.approx(best.x, rel=1e-4)
    for work in (0.5 * best.x, best.x, 3 * best.x):
        assert float(useful_share(only(mean), work, write, only(restart))[0]) == pytest.approx(1 - lost(work), rel=1e-9)
    # Young's and Daly's lose next to nothing against it; Young's is the one that is best to first order.
    at_daly, at_young = (lost(float(rule(only(mean), write)[0])) for rule in (daly_interval, young_interval))
    assert best.fun <= at_daly * (1 + 1e-9)
    assert at_daly == pytest.approx(best.fun, rel=1e-3)
    assert at_young == pytest.approx(best.fun, rel=0.05)
    first = optimize.minimize_scalar(
        lambda work: (work / 2) / mean + write / work, bounds=(1e-3, 5 * mean), method="bounded"
    )
    assert float(young_interval(only(mean), write)[0]) == pytest.approx(first.x, rel=1e-4)


def test_a_job_survives_as_the_exponential_says() -> None:
    pool = PoolHits("train", 1000, 1000, 100, Fraction(50), Fraction(0), ())
    design = cast("Design", SimpleNamespace(pools=(SimpleNamespace(phase="fleet"),)))
    (found,) = job_risks(design, [pool], [pool], only(0.25), JobQuestion(72.0, 1.0, 0.02), 1)
    # 10 jobs share 50 hits a year: 5 each, and no hit in 72 hours with the chance of an exponential life.
    assert found.stated_hits_per_year == 5
    assert found.survival.median == pytest.approx(stats.expon(scale=8760 / 5).sf(72.0))
    assert found.survival.median == pytest.approx(stats.poisson(5 * 72 / 8760).pmf(0))
