"""Mistakes that no single key shows: limits that exclude each other, pins that nothing meets.

Every check works on the parts of an instance that could be read, so that one broken table does not hide the
mistakes in the others.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from designer.instance.names import LINK_PINS, linked
from designer.instance.schema import Choose, Fleet, Objective, Pins, Risk, Workload
from designer.problems import Problem


@dataclass(frozen=True)
class Parts:
    """The tables of one instance that are valid by themselves; None or left out where they are not."""

    file: str
    workloads: tuple[tuple[int, Workload], ...]
    choose: Choose | None
    pin: Pins | None
    objective: Objective | None = None
    risk: Risk | None = None
    fleets: tuple[tuple[int, Fleet], ...] = ()


def contradictions(parts: Parts) -> list[Problem]:
    """Find the demands, choices and pins of an instance that contradict each other.

    Examples
    --------
    >>> pin, choose = Pins(domain_size=72), Choose(domain_sizes=(8, 16))
    >>> for problem in contradictions(Parts("a.toml", (), choose, pin)):
    ...     print(problem)
    a.toml: pin.domain_size: read 72; allowed: one of choose.domain_sizes (8, 16), or drop the pin
    """
    found = list(_demands(parts))
    if parts.choose is not None:
        found += _choices(parts.file, parts.choose)
        found += _spares_and_shares(parts.file, parts.choose, parts.pin, parts.risk)
    if parts.choose is not None and parts.pin is not None:
        found += _pins(parts.file, parts.choose, parts.pin)
    return found + list(_shares(parts))


def _shares(parts: Parts) -> Iterator[Problem]:
    """The most tokens rest on it that a design with fewer domains is a design; shares of a whole do not keep that."""
    if parts.objective is None or not parts.objective.maximise_tokens:
        return
    limits = []
    if parts.choose is not None and parts.choose.max_vendor_share:
        limits.append("choose.max_vendor_share")
    for name in ("min_availability", "max_single_failure_share"):
        if parts.risk is not None and getattr(parts.risk, name) is not None:
            limits.append(f"risk.{name}")
    if parts.pin is not None and parts.pin.taper is not None:
        limits.append("pin.taper")
    if parts.choose is not None and set(parts.choose.scale_out_shapes) - {"tree"}:
        # Fewer leaves share less of each other's load: whole links between them may then take more ports.
        limits.append("choose.scale_out_shapes")
    for key in limits:
        allowed = (
            f"drop it or {key}: with fewer domains a design may break that limit, so no largest demand can be proven"
        )
        yield Problem(parts.file, "objective.maximise_tokens", f"true together with {key}", allowed)


def _demands(parts: Parts) -> Iterator[Problem]:
    owners: dict[str, str] = {}
    for index, work in parts.workloads:
        at = f"workloads[{index}]"
        pools = [f"{work.name}.prefill", f"{work.name}.decode"] if work.serve == "disaggregated" else [work.name]
        taken = [pool for pool in pools if pool in owners]
        if taken:
            allowed = f"allowed: a name of its own; {owners[taken[0]]} already makes the pool {taken[0]!r}"
            yield Problem(parts.file, f"{at}.name", repr(work.name), allowed)
        for pool in pools:
            owners.setdefault(pool, at)
        for key, read, allowed in _workload(work):
            yield Problem(parts.file, f"{at}.{key}", read, allowed)
    for index, fleet in parts.fleets:
        at = f"fleets[{index}]"
        if fleet.name in owners:
            allowed = f"allowed: a name of its own; {owners[fleet.name]} already makes the pool {fleet.name!r}"
            yield Problem(parts.file, f"{at}.name", repr(fleet.name), allowed)
        owners.setdefault(fleet.name, at)
        if fleet.job_accelerators > fleet.accelerators:
            allowed = f"allowed: at most the accelerators of the fleet ({fleet.accelerators})"
            yield Problem(parts.file, f"{at}.job_accelerators", repr(fleet.job_accelerators), allowed)


def _workload(work: Workload) -> Iterator[tuple[str, str, str]]:
    decodes, computes_prompts = work.serve != "prefill", work.serve in ("prefill", "disaggregated")
    if decodes and work.tpot_ms is None:
        yield "tpot_ms", "nothing", f"this key is required when serve = {work.serve!r}"
    if not decodes and work.tpot_ms is not None:
        yield "tpot_ms", repr(work.tpot_ms), "drop it: prefill alone makes no output tokens"
    if work.serve == "decode" and work.ttft_ms is not None:
        yield "ttft_ms", repr(work.ttft_ms), "drop it: decode alone has no first token; serve prefill too"
    if work.accepted_tokens > work.draft_tokens:
        yield "accepted_tokens", repr(work.accepted_tokens), f"allowed: at most draft_tokens ({work.draft_tokens})"
    if work.draft_tokens and not decodes:
        yield "draft_tokens", repr(work.draft_tokens), "drop it: prefill alone drafts no tokens"
    if computes_prompts and work.prefix_hit_share == 1.0:
        yield "prefix_hit_share", "1.0", "allowed: less than 1 where prompts are computed"


def _choices(file: str, choose: Choose) -> Iterator[Problem]:
    for name in type(choose).model_fields:
        value = getattr(choose, name)
        if not isinstance(value, tuple):
            continue
        key = f"choose.{name}"
        if not value and name not in ("beyond_announced", "rearranged"):
            yield Problem(file, key, "an empty list", "name at least one, or drop the key")
        twice = sorted({str(item) for item in value if value.count(item) > 1})
        if twice:
            yield Problem(file, key, f"{', '.join(twice)} more than once", "name each once")
    if choose.accelerators is not None:
        allowed = f"allowed: one of choose.accelerators ({_listed(choose.accelerators)})"
        for key, names in (("beyond_announced", choose.beyond_announced), ("rearranged", choose.rearranged)):
            for index, name in enumerate(names):
                if name not in choose.accelerators:
                    yield Problem(file, f"choose.{key}[{index}]", repr(name), allowed)
    for least, key in ((3, "spine_tapers"), (4, "core_tapers")):
        tapers = getattr(choose, key)
        fewest = min(choose.scale_out_stages, default=1)
        if choose.scale_out_shapes == ("tree",) and fewest >= least and tapers and min(tapers) > choose.max_taper:
            allowed = f"allowed: at least one of at most choose.max_taper ({choose.max_taper:g})"
            yield Problem(file, f"choose.{key}", _listed(tapers), allowed)


def _spares_and_shares(file: str, choose: Choose, pin: Pins | None, risk: Risk | None) -> Iterator[Problem]:
    if choose.mixed_parts > choose.mixed_steps:
        text = f"allowed: at most choose.mixed_steps ({choose.mixed_steps}), for every part serves a share of its own"
        yield Problem(file, "choose.mixed_parts", str(choose.mixed_parts), text)
    if choose.mixed_parts == 1 and "mixed_steps" in choose.model_fields_set:
        text = "it says nothing with choose.mixed_parts = 1: allow 2 parts or drop it"
        yield Problem(file, "choose.mixed_steps", str(choose.mixed_steps), text)
    planes = pin.scale_up_planes if pin is not None else None
    if planes is not None and choose.spare_planes and min(choose.spare_planes) >= planes:
        text = f"allowed: at least one of less than pin.scale_up_planes ({planes})"
        yield Problem(file, "choose.spare_planes", _listed(choose.spare_planes), text)
    shapes = set(choose.scale_out_shapes)
    if risk is not None and risk.max_single_failure_share is not None and shapes and shapes <= {"hyperx", "dragonfly"}:
        text = (
            "what a failed leaf leaves of these is not known: allow tree or mesh, or drop risk.max_single_failure_share"
        )
        yield Problem(file, "choose.scale_out_shapes", _listed(choose.scale_out_shapes), text)


_PIN_LISTS = {
    "accelerator": "accelerators",
    "domain_size": "domain_sizes",
    "scale_up_switch": "scale_up_switches",
    "scale_out_stages": "scale_out_stages",
    "leaf_switch": "scale_out_switches",
    "spine_switch": "scale_out_switches",
    "core_switch": "scale_out_switches",
    "top_switch": "scale_out_switches",
    "nic": "nics",
}
# Pins of what only trees of so many stages have.
_FROM_STAGES = {
    "spine_switch": 2,
    "leaf_spine_links": 2,
    "core_switch": 3,
    "spine_core_links": 3,
    "top_switch": 4,
    "core_top_links": 4,
}
# Pins of what only leaves joined directly have.
_FROM_SHAPES = {
    "leaf_leaf_links": ("mesh", "hyperx", "dragonfly"),
    "group_group_links": ("hyperx", "dragonfly"),
}


def _pins(file: str, choose: Choose, pin: Pins) -> Iterator[Problem]:
    for name, listed in _PIN_LISTS.items():
        value, allowed = getattr(pin, name), getattr(choose, listed)
        if value is not None and allowed and value not in allowed:
            text = f"allowed: one of choose.{listed} ({_listed(allowed)}), or drop the pin"
            yield Problem(file, f"pin.{name}", repr(value), text)
    stages = (pin.scale_out_stages,) if pin.scale_out_stages else choose.scale_out_stages
    for name, least in _FROM_STAGES.items():
        value = getattr(pin, name)
        if value is not None and stages and max(stages) < least:
            text = f"a fabric of {_listed(stages)} stage(s) has none: allow {least} stages or drop the pin"
            yield Problem(file, f"pin.{name}", repr(value), text)
    for name, shapes in _FROM_SHAPES.items():
        value = getattr(pin, name)
        if value is not None and choose.scale_out_shapes and not set(shapes) & set(choose.scale_out_shapes):
            text = f"none of choose.scale_out_shapes has such links: allow {' or '.join(shapes)} or drop the pin"
            yield Problem(file, f"pin.{name}", repr(value), text)
    for name in ("scale_out_stages", "taper"):
        value = getattr(pin, name)
        if value is not None and choose.scale_out_shapes and "tree" not in choose.scale_out_shapes:
            text = "only trees have it: allow tree in choose.scale_out_shapes or drop the pin"
            yield Problem(file, f"pin.{name}", repr(value), text)
    for name in ("rails", "planes"):
        # The list has a default, which says nothing against a pin.
        listed, value = f"scale_out_{name}", getattr(pin, name)
        if value is not None and listed in choose.model_fields_set and value not in getattr(choose, listed):
            text = f"allowed: one of choose.{listed} ({_listed(getattr(choose, listed))}), or drop the pin"
            yield Problem(file, f"pin.{name}", repr(value), text)
    if pin.taper_ratio is not None and pin.taper_ratio > Fraction(repr(choose.max_taper)):
        text = f"allowed: at most choose.max_taper ({choose.max_taper:g})"
        yield Problem(file, "pin.taper", repr(pin.taper), text)
    if pin.taper_ratio is not None and max(stages, default=3) < 2:
        text = "a fabric of 1 stage has none: allow 2 stages or drop the pin"
        yield Problem(file, "pin.taper", repr(pin.taper), text)


@dataclass(frozen=True)
class Known:
    """What the checks need of the catalogue: names by kind, the sizes of domains, the families of switches.

    ``domains`` gives accelerators per host and the announced maximum (None: not stated) per accelerator;
    ``families`` the scale-out family per switch; ``packaged`` the link rows that come with a co-packaged switch;
    ``alone`` the accelerators that their vendor joins to no other.
    """

    names: Mapping[str, Sequence[str]]
    domains: Mapping[str, tuple[int, float | None]]
    families: Mapping[str, str]
    packaged: frozenset[str] = frozenset()
    alone: frozenset[str] = frozenset()


def pins_against_catalogue(parts: Parts, known: Known) -> list[Problem]:
    """Find pins that no part of the catalogue can meet.

    Examples
    --------
    >>> known = Known({}, {"h100": (8, 8.0)}, {})
    >>> pin = Pins(accelerator="h100", domain_size=16)
    >>> for problem in pins_against_catalogue(Parts("a.toml", (), Choose(), pin), known):
    ...     print(problem)
    a.toml: pin.domain_size: read 16; h100 is announced up to 8: list it in choose.beyond_announced to ask what if
    """
    pin, choose = parts.pin, parts.choose
    if pin is None or choose is None:
        return []
    found = list(_alone(parts.file, pin, choose, known))
    if pin.accelerator is not None and pin.accelerator in known.domains and pin.domain_size is not None:
        per_host, largest = known.domains[pin.accelerator]
        if pin.domain_size % per_host:
            text = f"allowed: a multiple of {per_host}, the accelerators of one host of {pin.accelerator}"
            found.append(Problem(parts.file, "pin.domain_size", repr(pin.domain_size), text))
        if largest is not None and pin.domain_size > largest and pin.accelerator not in choose.beyond_announced:
            text = f"{pin.accelerator} is announced up to {largest:g}"
            hint = f"{text}: list it in choose.beyond_announced to ask what if"
            found.append(Problem(parts.file, "pin.domain_size", repr(pin.domain_size), hint))
    for key, row in linked(pin.model_dump(include=set(LINK_PINS))):
        known_row = row in known.names.get("links", ()) and row not in known.packaged
        if known_row and choose.links is not None and row not in choose.links:
            text = f"allowed: one of choose.links ({_listed(choose.links)}), or drop the pin"
            found.append(Problem(parts.file, key, repr(row), text))
    first: tuple[str, str] | None = None
    for key in ("leaf_switch", "spine_switch", "core_switch", "top_switch"):
        family = known.families.get(getattr(pin, key) or "")
        if family is None:
            continue
        first = first or (key, family)
        if family != first[1]:
            text = f"allowed: a switch of one family with pin.{first[0]} ({first[1]})"
            found.append(Problem(parts.file, f"pin.{key}", f"{getattr(pin, key)!r} ({family})", text))
    return found


def _alone(file: str, pin: Pins, choose: Choose, known: Known) -> Iterator[Problem]:
    """A domain of one accelerator is what only a part that stands alone has."""
    mine = {pin.accelerator} if pin.accelerator is not None else set(choose.accelerators or known.domains)
    if mine & known.alone:
        return
    allowed = "allowed: at least 2 accelerators"
    if choose.domain_sizes is not None and 1 in choose.domain_sizes:
        yield Problem(file, "choose.domain_sizes", "1", allowed)
    if pin.domain_size == 1:
        yield Problem(file, "pin.domain_size", "1", allowed)


def _listed(values: Sequence[Any]) -> str:
    return ", ".join(f"{value:g}" if isinstance(value, float) else str(value) for value in values)
