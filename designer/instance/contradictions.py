"""Mistakes that no single key shows: limits that exclude each other, names that the catalogue lacks.

Every check works on the parts of an instance that could be read, so that one broken table does not hide the
mistakes in the others.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from designer.instance.schema import Choose, Fleet, Objective, Pins, Risk, Workload
from designer.problems import Problem
from designer.reading import nearest


@dataclass(frozen=True)
class Parts:
    """The tables of one instance that are valid by themselves; None or left out where they are not."""

    file: str
    workloads: tuple[tuple[int, Workload], ...]
    choose: Choose | None
    pin: Pins | None
    objective: Objective | None = None
    risk: Risk | None = None
    stock: tuple[str, ...] = ()
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
    if choose.scale_out_stages == (3,) and choose.spine_tapers and min(choose.spine_tapers) > choose.max_taper:
        allowed = f"allowed: at least one of at most choose.max_taper ({choose.max_taper:g})"
        yield Problem(file, "choose.spine_tapers", _listed(choose.spine_tapers), allowed)


_PIN_LISTS = {
    "accelerator": "accelerators",
    "domain_size": "domain_sizes",
    "scale_up_switch": "scale_up_switches",
    "scale_out_stages": "scale_out_stages",
    "leaf_switch": "scale_out_switches",
    "spine_switch": "scale_out_switches",
    "core_switch": "scale_out_switches",
    "nic": "nics",
}


def _pins(file: str, choose: Choose, pin: Pins) -> Iterator[Problem]:
    for name, listed in _PIN_LISTS.items():
        value, allowed = getattr(pin, name), getattr(choose, listed)
        if value is not None and allowed and value not in allowed:
            text = f"allowed: one of choose.{listed} ({_listed(allowed)}), or drop the pin"
            yield Problem(file, f"pin.{name}", repr(value), text)
    stages = (pin.scale_out_stages,) if pin.scale_out_stages else choose.scale_out_stages
    for name, least in (("spine_switch", 2), ("leaf_spine_links", 2), ("core_switch", 3), ("spine_core_links", 3)):
        value = getattr(pin, name)
        if value is not None and stages and max(stages) < least:
            text = f"a fabric of {_listed(stages)} stage(s) has none: allow {least} stages or drop the pin"
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


# ----------------------------------------------------------------------------- names of the catalogue

_KINDS = {
    "choose.accelerators": "accelerators",
    "choose.beyond_announced": "accelerators",
    "choose.rearranged": "accelerators",
    "choose.scale_up_switches": "scale_up_switches",
    "choose.scale_out_switches": "scale_out_switches",
    "choose.links": "links",
    "choose.nics": "nics",
    "pin.accelerator": "accelerators",
    "pin.scale_up_switch": "scale_up_switches",
    "pin.leaf_switch": "scale_out_switches",
    "pin.spine_switch": "scale_out_switches",
    "pin.core_switch": "scale_out_switches",
    "pin.nic": "nics",
}


LINK_PINS = ("scale_up_links", "nic_leaf_links", "leaf_spine_links", "spine_core_links")


def _linked(pin: Pins | None) -> Iterator[tuple[str, str]]:
    """Key and id of every link row that a pin names."""
    for name in LINK_PINS if pin is not None else ():
        for row in (getattr(pin, name) or "").split("/"):
            if row:
                yield f"pin.{name}", row


_STOCKED = ("accelerators", "nics", "scale_up_switches", "scale_out_switches", "links")


def unknown_names(parts: Parts, known: Mapping[str, Sequence[str]]) -> list[Problem]:
    """Find the names that the catalogue lacks, with the nearest that it has.

    Parameters
    ----------
    parts
        The instance as far as it could be read.
    known
        Names by kind: ``llms``, ``accelerators``, ``scale_up_switches``, ``scale_out_switches``, ``links``, ``nics``,
        ``vendors`` of accelerators.

    Examples
    --------
    >>> known = {"accelerators": ["gb200", "h100"]}
    >>> for problem in unknown_names(Parts("a.toml", (), None, Pins(accelerator="h10")), known):
    ...     print(problem)
    a.toml: pin.accelerator: read 'h10'; did you mean h100? allowed here: gb200, h100
    """
    named = [(f"workloads[{index}].llm", "llms", work.llm) for index, work in parts.workloads]
    tables = {"choose": parts.choose, "pin": parts.pin}
    for key, kind in _KINDS.items():
        table, field = key.split(".")
        value = getattr(tables[table], field, None)
        if isinstance(value, str):
            named.append((key, kind, value))
        elif value:
            named += [(f"{key}[{index}]", kind, name) for index, name in enumerate(value)]
    named += [(key, "links", row) for key, row in _linked(parts.pin)]
    found = []
    vendors = parts.choose.max_vendor_share if parts.choose is not None else ()
    named += [(f"choose.max_vendor_share.{name}", "vendors", name) for name in vendors]
    stocked = [name for kind in _STOCKED for name in known.get(kind, ())]
    for name in parts.stock:
        if name not in stocked:
            allowed = f"a part that is bought: {nearest(name, stocked)}"
            found.append(Problem(parts.file, f"stock.{name[:60]}", repr(name[:60]), allowed))
    for key, kind, name in named:
        if name in known.get(kind, ()):
            continue
        elsewhere = [other for other in known if other != kind and name in known[other]]
        hint = f"that is one of the {elsewhere[0].replace('_', ' ')}; " if elsewhere else ""
        found.append(Problem(parts.file, key, repr(name[:60]), hint + nearest(name, known.get(kind, ()))))
    return found


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
    for key, row in _linked(pin):
        known_row = row in known.names.get("links", ()) and row not in known.packaged
        if known_row and choose.links is not None and row not in choose.links:
            text = f"allowed: one of choose.links ({_listed(choose.links)}), or drop the pin"
            found.append(Problem(parts.file, key, repr(row), text))
    first: tuple[str, str] | None = None
    for key in ("leaf_switch", "spine_switch", "core_switch"):
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
