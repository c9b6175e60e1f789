"""Both designs side by side: what is bought, what it costs and risks, line by line."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from designer.answer import Answer, Question
from designer.beside.hardware import Hardware
from designer.beside.result import Row
from designer.design.account import Account, Item
from designer.design.types import Boundary, Design
from designer.evaluate.amounts import Amount
from designer.evaluate.result import Evaluation, LineReport, NetworkReport
from designer.verify.findings import Findings
from designer.verify.money import capital_recovery
from designer.verify.site import site_of

_NOISE = 1e-9
_KWH_PER_WATT_YEAR = 8.76
_LINKS = {
    "scale_up": "scale-up links",
    "scale_up_upper": "upper scale-up links",
    "nic_leaf": "NIC-leaf links",
    "leaf_spine": "leaf-spine links",
    "spine_core": "spine-core links",
    "core_top": "core-top links",
    "leaf_leaf": "leaf-leaf links",
    "group_group": "group-group links",
}
_WORDS: dict[Item, str] = {
    "accelerators": "accelerators",
    "front_end": "front end",
    "nics": "NICs",
    "scale_up_switches": "scale-up switches",
    "scale_up_links": "scale-up links",
    "nic_leaf_links": "NIC-leaf links",
    "scale_out_switches": "scale-out switches",
    "scale_out_links": "links above the leaves",
}
_ITEM_OF: dict[str, Item] = {
    "NICs": "nics",
    "scale-up switches": "scale_up_switches",
    "scale-up links": "scale_up_links",
}
# What stages and boundaries of a given design are called in an optimum.
_STAGES = {
    "accelerators": {"switch": "scale-up", "upper": "upper scale-up"},
    "nics": {"switch": "leaf", "router": "leaf"},
}
_BUNDLES = {
    "accelerators": {"endpoint-switch": "scale_up", "switch-upper": "scale_up_upper"},
    "nics": {
        "endpoint-switch": "nic_leaf",
        "endpoint-leaf": "nic_leaf",
        "leaf-spine": "leaf_spine",
        "spine-core": "spine_core",
        "core-top": "core_top",
        "endpoint-router": "nic_leaf",
        "router-router": "leaf_leaf",
        "router-router.x": "leaf_leaf",
        "router-router.local": "leaf_leaf",
        "router-router.y": "group_group",
        "router-router.global": "group_group",
    },
}


def rows_of(question: Question, answer: Answer, found: Evaluation, hardware: Hardware) -> tuple[Row, ...]:
    """List the figures of an optimum and a given design.

    Parameters
    ----------
    question, answer
        The question and its optimum.
    found
        The given design, evaluated with the level, date, site and money of the question.
    hardware
        Its domains, and what it leaves out: that is not known, and neither is any sum that it is part of.
    """
    design, account = answer.design, answer.account
    ours = {} if design is None else dict(_bought(design))
    theirs = dict(_given(found, hardware))
    rows = [
        _row(
            what,
            _unit(what),
            None if design is None else float(ours.get(what, 0)),
            _without(_exact(theirs.get(what, 0)), _lacking(hardware, _ITEM_OF.get(_kind(what)))),
        )
        for what in _in_order(ours, theirs)
    ]
    rows += _money(question, account, found, hardware)
    return tuple(rows)


def _unit(what: str) -> str:
    for unit in ("links", "switches", "domains"):
        if f" {unit} " in what:
            return unit
    return what.split(" ", 1)[0]


def _in_order(*tables: Mapping[str, int]) -> Iterator[str]:
    """Names of several tables, those of one kind side by side."""
    names = list(dict.fromkeys(name for table in tables for name in table))
    kinds = list(dict.fromkeys(_kind(name) for name in names))
    yield from sorted(names, key=lambda name: (_RANK.get(_kind(name), len(_RANK)), kinds.index(_kind(name))))


def _kind(name: str) -> str:
    """A name without the part it ends with."""
    return name.rsplit(" ", 1)[0]


_ORDER = (
    "accelerators",
    "domains of",
    "spare domains of",
    "NICs",
    "scale-up switches",
    "scale-up links",
    "upper scale-up switches",
    "upper scale-up links",
    "NIC-leaf links",
    "leaf switches",
    "leaf-spine links",
    "spine switches",
    "spine-core links",
    "core switches",
    "core-top links",
    "top switches",
    "leaf-leaf links",
    "group-group links",
)
_RANK = {name: at for at, name in enumerate(_ORDER)}


def _bought(design: Design) -> Iterator[tuple[str, int]]:
    found: dict[str, int] = {}

    def add(what: str, count: int) -> None:
        found[what] = found.get(what, 0) + count

    def links(boundary: Boundary | None) -> None:
        if boundary is not None:
            parts = _parts(boundary.lower_link, boundary.upper_link)
            add(f"{_LINKS[boundary.name]} {parts}", boundary.links)

    for pool in design.pools:
        up = pool.scale_up
        add(f"accelerators {pool.accelerator}", pool.accelerators)
        add(f"domains of {pool.domain_size}", pool.domains)
        if pool.spare_domains:
            add(f"spare domains of {pool.domain_size}", pool.spare_domains)
        add(f"NICs {pool.nic}", pool.nics)
        if up.switch is not None:
            add(f"scale-up switches {up.switch}", up.switches)
        if up.upper is not None:
            add(f"upper scale-up switches {up.upper.switch}", up.upper.switches)
            links(up.upper.boundary)
        links(up.boundary)
        links(pool.nic_leaf)
    for fabric in design.fabrics:
        for stage in fabric.stages:
            add(f"{stage.name} switches {stage.switch}", stage.count * fabric.rails * fabric.planes)
        for boundary in fabric.boundaries:
            links(boundary)
    yield from found.items()


def _given(found: Evaluation, hardware: Hardware) -> Iterator[tuple[str, int]]:
    parts = {line.item: line.part for line in found.lines if line.item in ("accelerators", "nics")}
    name = parts.get("accelerators", "of_no_type").replace(" ", "_")
    counts: dict[str, int] = {f"accelerators {name}": found.accelerators}
    if hardware.offer.accelerator or hardware.offer.domain_size > 1:
        size = hardware.offer.domain_size
        counts[f"domains of {size}"] = hardware.domains + found.spare_domains
        if found.spare_domains:
            counts[f"spare domains of {size}"] = found.spare_domains
    if "nics" in parts:
        counts[f"NICs {parts['nics'].replace(' ', '_')}"] = found.nics
    for network in found.networks:
        for what, count in _of_network(network):
            counts[what] = counts.get(what, 0) + count
    yield from counts.items()


def _of_network(network: NetworkReport) -> Iterator[tuple[str, int]]:
    inside = network.endpoints_are == "accelerators"
    for stage in network.stages:
        word = _STAGES[network.endpoints_are].get(stage.name, f"scale-up {stage.name}" if inside else stage.name)
        yield f"{word} switches {stage.part.replace(' ', '_')}", stage.boxes
    for bundle in network.bundles:
        boundary = _BUNDLES[network.endpoints_are].get(bundle.whole)
        word = f"{network.name} {bundle.name} links" if boundary is None else _LINKS[boundary]
        yield f"{word} {_parts(bundle.lower_part, bundle.upper_part)}", bundle.links


def _parts(lower: str, upper: str) -> str:
    # The part is the last word of a row's name.
    return (lower if lower == upper else f"{lower}/{upper}").replace(" ", "_")


def _exact(value: float) -> Amount:
    return Amount(float(value), float(value), ())


def _lacking(hardware: Hardware, *items: Item | None) -> tuple[str, ...]:
    return tuple(f"{_WORDS[item]}: the design gives none" for item in hardware.uncounted if item in items)


def _without(amount: Amount, lacking: tuple[str, ...]) -> Amount:
    """An amount that what a design leaves out is a part of."""
    return Amount(None, amount.known, (*lacking, *amount.missing)) if lacking else amount


def _row(what: str, unit: str, optimum: float | None, given: Amount) -> Row:
    difference = None if optimum is None or given.value is None else given.value - optimum
    if difference is not None and optimum is not None and abs(difference) <= _NOISE * abs(optimum):
        difference = 0.0
    relative = difference / optimum if difference is not None and optimum else None
    return Row(what, unit, optimum, given.value, difference, relative, given.known, given.missing)


def _money(question: Question, account: Account | None, found: Evaluation, hardware: Hardware) -> Iterator[Row]:
    totals, risk, lacking = found.totals, question.instance.risk, _lacking(hardware, *hardware.uncounted)

    def row(what: str, unit: str, figure: str, given: Amount) -> Row:
        return _row(what, unit, None if account is None else float(getattr(account, figure)), _without(given, lacking))

    yield row("IT capital", "USD", "capex_usd", totals.capex_usd)
    yield row("IT power", "W", "it_watts", totals.watts)
    yield row("cost", "USD/year", "annual_usd", totals.annual_usd)
    weights = (risk.usd_per_hard_repair, risk.usd_per_job_hit, risk.usd_per_accelerator_hour_lost)
    events = (totals.hard_repairs_per_year, totals.job_hits_per_year, totals.accelerator_hours_lost_per_year)
    if any(weights):
        extra = [_times(amount, weight) for amount, weight in zip(events, weights, strict=True)]
        yield row("cost with risk weights", "USD/year", "objective_usd", _sum([totals.annual_usd, *extra]))
    yield from _items(question, account, found, hardware)
    for name in ("hard_repairs", "job_hits", "accelerator_hours_lost"):
        key, unit = f"{name}_per_year", "h/year" if "hours" in name else "1/year"
        words = "accelerator-hours lost" if "hours" in name else name.replace("_", " ")
        yield row(words, unit, key, getattr(totals, key))
    if account is not None and len(account.uptimes) == 1 and found.uptime is not None:
        (ours,) = account.uptimes
        yield _row("time with all serving domains up", "share", ours.availability, _without(found.uptime, lacking))
    # Connectors are part of networks: nothing left out at the accelerators has any.
    optimum = None if account is None else account.cleanings_per_year
    yield _row("cleanings", "1/year", optimum, totals.cleanings_per_year)


def _items(question: Question, account: Account | None, found: Evaluation, hardware: Hardware) -> Iterator[Row]:
    """The cost of every item a year: capital, building, energy, failures."""
    site = site_of(Findings(), question.catalogue, question.instance)
    assert site is not None, "the evaluation has read every figure of the site"
    capital = float(capital_recovery(site.wacc, site.it_years))
    watts = float(capital_recovery(site.wacc, site.building_years) * site.facility_usd_per_w)
    watts += float(site.utilisation * site.pue * site.usd_per_kwh) * _KWH_PER_WATT_YEAR

    def a_year(line: LineReport) -> Amount:
        return _sum([_times(line.capex_usd, capital), _times(line.watts, watts), line.failures_usd_per_year])

    given: dict[Item, list[Amount]] = {}
    for line in found.lines:
        given.setdefault(line.item, []).append(a_year(line))
    ours: dict[Item, float] = {}
    for own in () if account is None else account.lines:
        ours[own.item] = (
            own.capital_usd_per_year + own.facility_usd_per_year + own.energy_usd_per_year + own.failures_usd_per_year
        )
    for item in dict.fromkeys((*ours, *given)):
        amount = _without(_sum(given.get(item, [])), _lacking(hardware, item))
        if ours.get(item) or amount.known or amount.missing:
            optimum = None if account is None else ours.get(item, 0.0)
            yield _row(f"cost: {_WORDS[item]}", "USD/year", optimum, amount)


def _times(amount: Amount, factor: float) -> Amount:
    if not factor:
        return Amount(0.0, 0.0, ())
    return Amount(None if amount.value is None else factor * amount.value, factor * amount.known, amount.missing)


def _sum(amounts: Iterable[Amount]) -> Amount:
    rows = list(amounts)
    missing = tuple(dict.fromkeys(name for row in rows for name in row.missing))
    known = sum((row.known for row in rows), 0.0)
    unknown = any(row.value is None for row in rows)
    return Amount(None if unknown else sum((row.value or 0.0 for row in rows), 0.0), known, missing)
