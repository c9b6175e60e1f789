"""Cross-checks of the catalogue: figures that must agree with each other, each with its tolerance.

What a file may contain at all is checked when it is read; here rows are compared with one another.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import TYPE_CHECKING

from designer.catalogue.checks_llms import check_llm
from designer.catalogue.checks_parts import check_accelerator, check_link, check_nic, check_switch
from designer.catalogue.figures import LEVELS, Figure
from designer.catalogue.finding import Finding, agrees, broken, remark
from designer.catalogue.prices import bare_accelerator_usd

if TYPE_CHECKING:
    from designer.catalogue.loading import Catalogue

_SHARES = (
    "repair.spares_share_accelerators",
    "repair.spares_share_modules",
    "repair.p_transient_kills_job",
    "finance.wacc",
    "finance.residual_value_share",
    "cooling_and_power.utilisation_of_tdp",
)
_PUE = ("pue_liquid", "pue_air_hyperscale", "pue_global_average")
_NEAR_TO_FAR = ("board", "in_tray", "in_rack", "adjacent_rack", "three_racks_away", "row", "hall", "building", "campus")


def check_catalogue(catalogue: Catalogue) -> list[Finding]:
    """Compare the rows of a catalogue with one another.

    Returns
    -------
    list of Finding
        Broken ones first; the others are remarks: limits and conflicts that a user should know.

    Examples
    --------
    >>> from designer.catalogue import load_catalogue
    >>> [finding.says for finding in check_catalogue(load_catalogue()) if finding.broken]
    []
    """
    return sorted(_all(catalogue), key=lambda finding: not finding.broken)


def _all(catalogue: Catalogue) -> Iterator[Finding]:
    for accelerator in catalogue.accelerators.values():
        yield from check_accelerator(catalogue, accelerator)
    for switch in catalogue.switches.values():
        yield from check_switch(catalogue, switch)
    for link in catalogue.links.values():
        yield from check_link(link)
    for nic in catalogue.nics.values():
        yield from check_nic(nic)
    for llm in catalogue.llms.values():
        yield from check_llm(llm)
    yield from _facility(catalogue)
    yield from _failure_tests(catalogue)


def _failure_tests(catalogue: Catalogue) -> Iterator[Finding]:
    """Check that every figure named by a test is there, and that a question has one base."""
    bases: dict[str, str] = {}
    for test in catalogue.failure_tests:
        where = f"failure_tests.{test.id}"
        if test.base and bases.setdefault(test.question, test.id) != test.id:
            yield broken("base", where, f"{bases[test.question]} is the base of {test.question} already")
        for key in test.figures:
            kind, _, rest = key.partition(".")
            row, _, name = rest.rpartition(".")
            if not isinstance(getattr(catalogue.rows()[kind][row], name, None), Figure):
                yield broken("figure", where, f"{key} is no figure")


def _facility(catalogue: Catalogue) -> Iterator[Finding]:
    facility = catalogue.facility
    for path in _SHARES:
        group, name = path.split(".")
        figure: Figure = getattr(getattr(facility, group), name)
        if (figure.at("high") or 0) > 1:
            yield broken("share", f"facility.{path}", "a share is at most 1")
    for name in _PUE:
        low = getattr(facility.cooling_and_power, name).at("low")
        if low is not None and low < 1:
            yield broken("pue", f"facility.cooling_and_power.{name}", "PUE is at least 1")
    yield from _distances(catalogue)
    yield from _recovery(catalogue)
    yield from _lost_hour(catalogue)
    budget = facility.reference_budgets.gb300_nvl72_rack_usd
    for tiers in ("two", "three", "four"):
        parts = budget.server + getattr(budget, f"network_{tiers}_tier")
        if parts > getattr(budget, f"{tiers}_tier_total"):
            where = f"facility.reference_budgets.gb300_nvl72_rack_usd.{tiers}_tier_total"
            yield broken("budget", where, f"server and network are {parts:g}, more than the total")


def _distances(catalogue: Catalogue) -> Iterator[Finding]:
    classes = catalogue.facility.distance_classes_m
    for near, far in pairwise(_NEAR_TO_FAR):
        a, b = getattr(classes, near).mid, getattr(classes, far).mid
        if a is not None and b is not None and a > b:
            where = f"facility.distance_classes_m.{near}"
            yield broken("distance order", where, f"{a:g} m is beyond {far}, {b:g} m")


def _recovery(catalogue: Catalogue) -> Iterator[Finding]:
    """The stated capital recovery factor against WACC and life; a long life goes with the low factor."""
    finance = catalogue.facility.finance
    life = finance.depreciation_it_years
    lives = {"low": life.at("high"), "mid": life.mid, "high": life.at("low")}
    for level in LEVELS:
        rate, stated, years = finance.wacc.at(level), finance.crf_it.at(level), lives[level]
        if rate is None or stated is None or years is None or not 1e-6 < rate <= 1 or not 0.1 < years <= 100:
            continue
        factor = rate / (1 - (1 + rate) ** -years)
        if not agrees(stated, factor, 0.005):
            where = f"facility.finance.crf_it.{level}"
            says = f"stated {stated:g}, WACC and life give {factor:.4g} (0.5 %)"
            yield remark("recovery factor", where, says)


def _lost_hour(catalogue: Catalogue) -> Iterator[Finding]:
    finance = catalogue.facility.finance
    row = catalogue.accelerators.get("gb300_nvl72")
    bare = bare_accelerator_usd(catalogue, row, "mid") if row else None
    hour, share = finance.accelerator_hour_usd_gb300.mid, finance.lost_hour_usd_per_usd_of_accelerator.mid
    if bare and hour and share and not agrees(share, hour / float(bare), 0.01):
        where = "facility.finance.lost_hour_usd_per_usd_of_accelerator"
        says = f"stated {share:g}, hour / bare price of gb300_nvl72 = {hour / float(bare):.4g} (1 %)"
        yield remark("lost hour", where, says)
