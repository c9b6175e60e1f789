"""Does the optimiser answer a random question as the exhaustive search does?"""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import designer
from designer.answer import Answer, Question, RecountError, SolveOptions
from designer.design.types import Boundary, Design, Fabric, UpperStage
from designer.instance.schema import Goal, Objective
from oracle.convert import catalogue_of, question_of
from oracle.design import to_design
from oracle.enumerate import Found, amount, best, search
from oracle.generate import RandomCase
from oracle.task import task_of

AGREEMENT = 1e-9


def disagreement(
    case: RandomCase, found: Found | None, folder: Path, prune: bool, time_limit_s: float | None = None
) -> str | None:
    """Solve a case to optimality; return what differs from the search, in words, or None.

    An answer that the time limit cut short is only held to its bound.
    """
    question = question_of(case.parts, case.instance, folder)
    try:
        answer = designer.solve(question, SolveOptions(gap=0.0, prune=prune, time_limit_s=time_limit_s))
    except RecountError as error:
        return f"seed {case.seed}, prune={prune}: {error}"
    wrong = _differences(case, question, answer, found)
    if not wrong:
        return None
    best = "none" if found is None else described(to_design(task_of(case.parts, case.instance), found))
    own = "none" if answer.design is None else described(answer.design)
    return "\n".join([f"seed {case.seed}, prune={prune}: " + "; ".join(wrong), "search:", best, "optimiser:", own])


def _differences(case: RandomCase, question: Question, answer: Answer, found: Found | None) -> list[str]:
    if answer.status == "limit":
        return [] if _bounded(answer, found) else ["the answer at the time limit is no bound"]
    if found is None:
        return [] if answer.status == "infeasible" else [f"{answer.status}, but there is no design"]
    if answer.status != "optimal" or answer.objective_usd is None or answer.design is None:
        return [f"{answer.status}, but a design of {float(found.priced.objective)} USD/y exists {answer.clash}"]
    wrong = []
    best = float(found.priced.objective)
    if abs(answer.objective_usd - best) > AGREEMENT * best:
        wrong.append(f"objective {answer.objective_usd!r}, not {best!r}")
    checked = designer.verify(answer.design, question.catalogue, case.instance)
    wrong += [f"finding: {finding}" for finding in checked.findings]
    if abs(checked.account.objective_usd - answer.objective_usd) > AGREEMENT * best:
        wrong.append(f"recounted {checked.account.objective_usd!r}")
    return wrong


def goals_disagreement(case: RandomCase, goals: tuple[Goal, ...], tolerance: Fraction, folder: Path) -> str | None:
    """Ask for other goals than the cost, in order of rank; return what differs from the search, in words, or None."""
    objective = Objective(minimise=goals, tolerance=float(tolerance))
    question = question_of(case.parts, case.instance.model_copy(update={"objective": objective}), folder)
    try:
        answer = designer.solve(question, SolveOptions(gap=0.0))
    except RecountError as error:
        return f"seed {case.seed}, {goals}: {error}"
    found = best(case.parts, case.instance, goals, tolerance)
    if found is None or answer.status != "optimal":
        return None if (found is None) == (answer.status == "infeasible") else f"seed {case.seed}: {answer.status}"
    least = float(amount(case.parts, case.instance, found, goals[-1]))
    values = [value.value for value in answer.goals]
    if abs(values[-1] - least) <= AGREEMENT * least:
        return None
    own = "none" if answer.design is None else described(answer.design)
    searched = described(to_design(task_of(case.parts, case.instance), found))
    return f"seed {case.seed}, {goals}: {values}, the last not {least!r}\nsearch:\n{searched}\noptimiser:\n{own}"


def _bounded(answer: Answer, found: Found | None) -> bool:
    if found is None:
        return answer.design is None
    best = float(found.priced.objective)
    low = answer.bound_usd is None or answer.bound_usd <= best * (1 + AGREEMENT)
    return low and (answer.objective_usd is None or answer.objective_usd >= best * (1 - AGREEMENT))


def verdict_on_search(case: RandomCase, found: Found) -> str | None:
    """Let the verifier recount the design of the search; return what it objects to, or None."""
    task = task_of(case.parts, case.instance)
    design = to_design(task, found)
    catalogue = catalogue_of(case.parts, case.instance.level)
    checked = designer.verify(design, catalogue, case.instance)
    sums, account = found.priced.sums, checked.account
    pairs: dict[str, tuple[float, Fraction | int]] = {
        "objective": (account.objective_usd, found.priced.objective),
        "annual": (account.annual_usd, found.priced.annual),
        "capex": (account.capex_usd, sums.capex),
        "watts": (account.it_watts, sums.watts),
        "repairs": (account.hard_repairs_per_year, sums.repairs),
        "hits": (account.job_hits_per_year, sums.hits),
        "hours": (account.accelerator_hours_lost_per_year, sums.hours),
        "cleanings": (account.cleanings_per_year, sums.cleanings),
        "racks": (account.racks, found.priced.racks),
    }
    wrong = [f"finding: {finding}" for finding in checked.findings]
    wrong += [
        f"{name} {recounted!r}, not {float(own)!r}"
        for name, (recounted, own) in pairs.items()
        if abs(recounted - float(own)) > AGREEMENT * max(1e-9, abs(float(own)))
    ]
    return f"seed {case.seed}: " + "; ".join(wrong) + "\n" + described(design) if wrong else None


def found_for(case: RandomCase) -> Found | None:
    """Search a case."""
    return search(case.parts, case.instance)


def described(design: Design) -> str:
    """A design in a few lines, for the message of a failed test."""
    lines = []
    for pool in design.pools:
        up, at = pool.scale_up, pool.attachment
        lines += [
            f"  {pool.name}: {pool.domains} domains of {pool.domain_size} {pool.accelerator}, "
            f"replicas of {pool.plan.accelerators_per_replica}, {pool.plan.nics} x {pool.nic}, {pool.racks} racks, "
            f"{pool.spare_domains} spare, share {pool.share}, "
            f"fabric {pool.fabric}",
            f"    {up.kind}: {up.planes} x {up.switch}, {up.spare_planes} spare, {up.ports_per_accelerator} ports, "
            f"{up.usable_gbps} Gb/s usable",
            f"    sides {up.dims}, {_wires(up.boundary)}",
            *_upper(up.upper),
            f"    {at.leaves} leaves of {at.domains_per_leaf}/{at.leaves_per_domain} domains, {_wires(pool.nic_leaf)}",
        ]
    return "\n".join([*lines, *(line for fabric in design.fabrics for line in _fabric(fabric))])


def _fabric(fabric: Fabric) -> list[str]:
    stages = ", ".join(f"{stage.count} {stage.name} {stage.switch} with {stage.up_ports} up" for stage in fabric.stages)
    shape = (
        f"{fabric.links_per_leaf_spine} links to each of {fabric.spines_per_pod} spines, {fabric.pods} pods, "
        f"{fabric.links_per_spine_core} links to each of {fabric.cores_per_spine} cores at {fabric.uplink_gbps} Gb/s"
    )
    shape += f"; {fabric.shape} {fabric.dims} {fabric.links_per_pair}; {fabric.zones} zones of {fabric.pods_per_zone} "
    shape += f"pods, {fabric.links_per_core_top} links to each of {fabric.tops_per_core} tops"
    copies = f"{fabric.rails} rails x {fabric.planes} planes of"
    return [f"  {copies} {stages}; {shape}", *(f"    {_wires(b)}" for b in fabric.boundaries)]


def _upper(upper: UpperStage | None) -> list[str]:
    if upper is None:
        return []
    each = f"{upper.links_per_pair} links to each of {upper.switches_per_plane} {upper.switch} per plane"
    return [f"    groups of {upper.group}, {each}, {_wires(upper.boundary)}"]


def _wires(boundary: Boundary | None) -> str:
    if boundary is None:
        return "no cables"
    ends = f"{boundary.lower_link}/{boundary.upper_link}"
    counts = f"{boundary.cables} cables, {boundary.lower_ends}+{boundary.upper_ends} ends"
    return f"{ends} {boundary.length_m} m: {counts}"
