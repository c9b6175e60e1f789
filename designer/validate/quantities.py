"""The figures of a finished evaluation or answer by name, as the published cases ask for them."""

from __future__ import annotations

from collections import defaultdict
from functools import cache

from designer.answer import Answer
from designer.demand.calibration import check_cases
from designer.design.types import Boundary, Design
from designer.evaluate.amounts import Amount
from designer.evaluate.result import Evaluation
from designer.families import family_from
from designer.families.fat_tree import FatTree
from designer.validate.cases import Failures, Formula
from designer.validate.folder import FOLDER
from designer.validate.populations import Predicted, predicted_events


def of_evaluation(found: Evaluation) -> dict[str, float]:
    """Name every figure of a given design.

    ``boxes.STAGE``, ``links.BUNDLE``, ``cables.BUNDLE``, ``ends.BUNDLE`` and ``lower_ends.BUNDLE`` add up all networks
    and copies, those with the name of a network in between are of that network alone; a bundle's name also stands for
    those with a further suffix. ``most_gbps.NETWORK.PATTERN`` and ``least_gbps.NETWORK.PATTERN`` are Gb/s per
    accelerator, ``port_gbps.NETWORK`` what an accelerator could send at most, ``gbps.BUNDLE`` all its links together,
    ``switches.scale_out`` those of all networks of NICs, ``racks`` those of the accelerators. An amount that is not
    known in full has no name here.
    """
    out: defaultdict[str, float] = defaultdict(float)
    out |= {"accelerators": found.accelerators, "hosts": found.hosts, "nics": found.nics, "switches": found.switches}
    if found.racks is not None:
        out["racks"] = found.racks.accelerators
    for network in found.networks:
        out[f"copies.{network.name}"] = network.rails * network.planes
        for stage in network.stages:
            for name in (f"boxes.{stage.name}", f"boxes.{network.name}.{stage.name}", f"switches.{network.name}"):
                out[name] += stage.boxes
            out[f"ports.{network.name}.{stage.name}"] = stage.ports
        for bundle in network.bundles:
            low, high = bundle.lower_ends, bundle.upper_ends
            out[f"gbps.{bundle.name}"] += bundle.links * bundle.rate_gbps
            counts = {"links": bundle.links, "cables": bundle.cables, "ends": low + high, "lower_ends": low}
            for kind, count in counts.items():
                for part in _prefixes(bundle.name):
                    out[f"{kind}.{part}"] += count
                    out[f"{kind}.{network.name}.{part}"] += count
            out["ends"] += low + high
            out[f"ends.{network.name}"] += low + high
            out["switch_ends"] += high if bundle.name.startswith("endpoint-") else low + high
            if bundle.name.startswith("endpoint-"):
                # Both ends of a link between two endpoints send into it.
                sides = 2 if bundle.name.startswith("endpoint-endpoint") else 1
                out[f"port_gbps.{network.name}"] += sides * bundle.links * bundle.rate_gbps / found.accelerators
        for row in network.capacities:
            out[f"least_gbps.{network.name}.{row.pattern}"] = row.least_gbps
            if row.most_gbps is not None:
                out[f"most_gbps.{network.name}.{row.pattern}"] = row.most_gbps
    outside = [network for network in found.networks if network.endpoints_are == "nics"]
    out["switches.scale_out"] = sum(stage.boxes for network in outside for stage in network.stages)
    totals = found.totals
    for name in type(totals).__dataclass_fields__:
        amount: Amount = getattr(totals, name)
        if amount.value is not None:
            out[name] = amount.value
    return dict(out)


def _prefixes(bundle: str) -> list[str]:
    """A bundle's name, and without its suffixes: ``a-b.x`` is also counted as ``a-b``."""
    head, *rest = bundle.split(".")
    return [".".join([head, *rest[:at]]) for at in range(len(rest) + 1)]


def of_formula(formula: Formula) -> dict[str, float]:
    """Name the counts of a closed form, and capital and watts where every box and link has a figure.

    ``behind.STAGE`` are the endpoints behind a box, ``direct_gbps`` what two units of a tree have for each other.
    """
    family = family_from(formula.topology)
    structure = family.structure()
    out: defaultdict[str, float] = defaultdict(float)
    out |= {"accelerators": structure.endpoints, "switches": structure.switches()}
    if isinstance(family, FatTree) and family.striping != "podless":
        out["direct_gbps"] = family.direct_gbps()
    for stage in structure.stages:
        out[f"boxes.{stage.name}"] += structure.copies * stage.boxes
        out[f"behind.{stage.name}"] = stage.group
    for bundle in structure.bundles:
        for part in _prefixes(bundle.name):
            out[f"links.{part}"] += structure.copies * bundle.links
    counts = {stage.name: out[f"boxes.{stage.name}"] for stage in structure.stages}
    counts |= {bundle.name: out[f"links.{bundle.name}"] for bundle in structure.bundles}
    for total, figures in (("capex_usd", formula.usd), ("watts", formula.watts)):
        if counts.keys() == figures.keys():
            out[total] = sum(count * figures[name] for name, count in counts.items())
    return dict(out)


def of_answer(answer: Answer) -> dict[str, float]:
    """Name every figure of a solved question; the names are those of an evaluation."""
    design, account = answer.design, answer.account
    if design is None or account is None:
        return {}
    out: defaultdict[str, float] = defaultdict(float)
    out |= {
        "accelerators": sum(pool.accelerators for pool in design.pools),
        "hosts": sum(p.hosts for p in design.pools),
    }
    out |= {"capex_usd": account.capex_usd, "watts": account.it_watts, "annual_usd": account.annual_usd}
    _scale_out(out, design)
    for pool in design.pools:
        up = pool.scale_up
        out["boxes.switch"] += up.switches
        out["boxes.upper"] += up.upper.switches if up.upper is not None else 0
        above = None if up.upper is None else up.upper.boundary
        for name, boundary in (("endpoint-switch", up.boundary), ("switch-upper", above)):
            if boundary is not None:
                _cables(out, name, boundary)
        _cables(out, "endpoint-leaf", pool.nic_leaf)
    out["switches"] = sum(count for name, count in out.items() if name.startswith("boxes."))
    return dict(out)


def _scale_out(out: defaultdict[str, float], design: Design) -> None:
    for fabric in design.fabrics:
        for stage in fabric.stages:
            out[f"boxes.{stage.name}"] += fabric.rails * fabric.planes * stage.count
            out["switches.scale_out"] += fabric.rails * fabric.planes * stage.count
        for boundary in fabric.boundaries:
            _cables(out, boundary.name.replace("_", "-"), boundary)


def _cables(out: defaultdict[str, float], name: str, boundary: Boundary) -> None:
    out[f"links.{name}"] += boundary.links
    out[f"cables.{name}"] += boundary.cables
    out[f"ends.{name}"] += boundary.lower_ends + boundary.upper_ends


def of_failures(failures: Failures, case: str) -> tuple[dict[str, Predicted], str]:
    """Name the failures of some components, with their 90 % intervals, and say what is missing.

    ``events`` in the hours, ``events.KIND``, ``fit.KIND``, ``share.KIND``, ``hours_between`` events of any kind, and
    ``million_hours_between.KIND`` of one component.
    """
    parts = [(row.kind, row.units * failures.hours) for row in failures.components]
    if failures.components[0].fit is not None:
        counts = {row.kind: (row.fit or 0.0) / 1e9 * row.units * failures.hours for row in failures.components}
        out = {f"events.{kind}": _known(count) for kind, count in counts.items()}
        out["events"] = _known(sum(counts.values()))
        out["hours_between"] = _known(failures.hours / sum(counts.values()))
        return out, ""
    out, missing = predicted_events(parts, (case, *failures.without))
    if missing:
        return {}, missing
    out["hours_between"] = _inverse(out["events"], failures.hours)
    out |= {f"million_hours_between.{kind}": _inverse(out[f"fit.{kind}"], 1e3) for kind, _ in parts}
    return out, ""


@cache
def _token_figures() -> dict[str, float]:
    return {row.case_id: row.predicted for row in check_cases(FOLDER / "tokens.toml")}


def of_tokens(case: str) -> dict[str, float]:
    """What the token model says of a case of `tokens.toml`, as ``predicted``."""
    return {"predicted": _token_figures()[case]}


def _known(value: float) -> Predicted:
    return Predicted(value, value, value)


def _inverse(found: Predicted, over: float) -> Predicted:
    """A time between events; infinite where there may be none."""
    mid, low, high = (over / value if value else float("inf") for value in (found.mid, found.low, found.high))
    return Predicted(mid, high, low)
