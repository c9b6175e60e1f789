"""The screen of a given design: what it is made of, carries, costs and risks, and what of that is not known."""

from __future__ import annotations

from collections.abc import Iterable

from designer.evaluate.amounts import Amount
from designer.evaluate.result import BundleReport, Capacity, Evaluation, NetworkReport
from designer.evaluate.run import amounts_missing
from designer.report.screen import Page
from designer.report.words import ITEM_WORDS, many, usd

_MAX_NETWORKS = 6
_MAX_ITEMS = 4
_MAX_NAMES = 4
_MAX_NOTES = 6
_PATTERNS = {"all_to_all": "all-to-all", "permutation": "any permutation", "all_reduce": "ring all-reduce"}


def evaluation_screen(found: Evaluation) -> str:
    """Write one evaluation as plain text of at most 100 columns."""
    page = Page()
    page.wide(f"{found.name}: {found.title}")
    if found.source:
        page.row("SOURCE", found.source)
    _fleet(page, found)
    for network in found.networks[:_MAX_NETWORKS]:
        _network(page, network)
    if len(found.networks) > _MAX_NETWORKS:
        page.row("", f"... and {len(found.networks) - _MAX_NETWORKS} more networks")
    _money(page, found)
    _risk(page, found)
    _uses(page, found)
    _flow(page, found)
    missing = amounts_missing(found.totals)
    if missing:
        page.row("NOT KNOWN", f"{_some(missing, _MAX_NAMES)}: totals that hang on these are not known")
    for note in found.notes[:_MAX_NOTES]:
        page.row("NOTE", note)
    if len(found.notes) > _MAX_NOTES:
        page.row("NOTE", f"... and {len(found.notes) - _MAX_NOTES} more")
    return "\n".join(page.lines) + "\n"


def _fleet(page: Page, found: Evaluation) -> None:
    parts = {line.item: line.part for line in found.lines if line.item in ("accelerators", "nics")}
    text = f"{found.accelerators:,} accelerators"
    if "accelerators" in parts:
        text += f" {parts['accelerators']}"
    text += f" in {found.hosts:,} hosts"
    if "nics" in parts:
        text += f"; {found.nics:,} NICs {parts['nics']}"
    if found.racks is not None:
        text += f"; {many(found.racks.accelerators, 'rack')}"
        if found.racks.network:
            text += f", {found.racks.network:,} more of switches alone"
    page.row("FLEET", f"{text}; jobs of {found.job_accelerators:,}")


def _network(page: Page, network: NetworkReport) -> None:
    copies = [f"{count} {name}" for count, name in ((network.rails, "rails"), (network.planes, "planes")) if count > 1]
    head = f"{network.name}: {network.family}"
    if network.repeat > 1:
        head += f", {network.repeat:,} equal networks"
    if network.spare_planes:
        head += f", {many(network.spare_planes, 'switch', 'switches')} of every one to spare"
    if copies:
        head += f", {' x '.join(copies)}"
    stages = "; ".join(
        f"{stage.boxes:,} {stage.name} {stage.part} ({stage.ports}"
        + (f" of {stage.ports_offered}" if stage.ports_offered is not None else "")
        + " ports)"
        for stage in network.stages
    )
    page.row("NETWORK", f"{head}: {stages or 'no switches'}")
    for bundle in network.bundles:
        page.row("", f"{bundle.name}: {_bundle(bundle)}")
    carried = [_capacity(row) for row in network.capacities if row.least_gbps or row.most_gbps is not None]
    words = " Gb/s per accelerator"
    if network.rails > 1:
        words += ", each among those of its rail: the others are reached inside hosts"
    page.row("  carries", "; ".join(carried) + words if carried else "nothing is known")


def _bundle(bundle: BundleReport) -> str:
    words = f"{bundle.links:,} x {bundle.rate_gbps:g}G over "
    if bundle.mean_m == bundle.longest_m:
        words += f"{bundle.longest_m:g} m"
    else:
        words += f"{bundle.mean_m:.3g} m on average, {bundle.longest_m:.3g} m at most"
    if bundle.lower_part != bundle.upper_part:
        words += f", {bundle.lower_ends:,} {bundle.lower_part} below, {bundle.upper_ends:,} {bundle.upper_part} above"
    elif bundle.cables != bundle.lower_ends or bundle.lower_ends != bundle.upper_ends:
        words += f", {bundle.lower_ends:,} + {bundle.upper_ends:,} ends {bundle.lower_part}"
    else:
        words += f", {bundle.cables:,} {bundle.lower_part}"
    classes = ", ".join(f"{links:,} {name.replace('_', ' ')}" for name, links in bundle.links_by_class.items())
    return f"{words} ({classes})" if classes else words


def _capacity(row: Capacity) -> str:
    name = _PATTERNS[row.pattern]
    if row.most_gbps is None:
        text = f"{name} at least {row.least_gbps:,.4g}"
    elif row.most_gbps == row.least_gbps:
        text = f"{name} {row.least_gbps:,.4g}"
    else:
        text = f"{name} {row.least_gbps:,.4g} to {row.most_gbps:,.4g}"
    if row.asked_gbps is None:
        return text
    words = {"carried": "carried", "not carried": "NOT CARRIED", "not known": "not known whether carried"}
    return f"{text} ({row.asked_gbps:,.4g} asked: {words[row.verdict]})"


def _money(page: Page, found: Evaluation) -> None:
    totals = found.totals
    items: dict[str, float] = {}
    for line in found.lines:
        items[line.item] = items.get(line.item, 0.0) + line.capex_usd.known
    page.row("IT TO BUY", f"{_usd(totals.capex_usd)}: {_largest(items, usd)}")
    page.row(
        "COST A YEAR",
        f"{_usd(totals.annual_usd)} = IT capital {_usd(totals.capital_usd_per_year)} + building "
        f"{_usd(totals.facility_usd_per_year)} + energy {_usd(totals.energy_usd_per_year)} + failures "
        f"{_usd(totals.failures_usd_per_year)}",
    )
    watts: dict[str, float] = {}
    for line in found.lines:
        watts[line.item] = watts.get(line.item, 0.0) + line.watts.known
    text = "not known" if totals.watts.value is None else f"{_power(totals.watts.value)} of IT"
    if totals.watts.value is None and totals.watts.known:
        text += f" ({_power(totals.watts.known)} of it known)"
    page.row("POWER", f"{text}: {_largest(watts, _power)}")


def _risk(page: Page, found: Evaluation) -> None:
    totals = found.totals
    left = totals.availability
    words = "not known" if left.value is None else f"{left.value:.4%}"
    page.row(
        "RISK A YEAR",
        f"{_number(totals.hard_repairs_per_year)} hard repairs; {_number(totals.job_hits_per_year)} job hits; "
        f"{_number(totals.accelerator_hours_lost_per_year)} accelerator-hours lost (availability {words}); "
        f"{_number(totals.cleanings_per_year)} connector cleanings",
    )
    if found.uptime is not None:
        domains = sum(network.repeat for network in found.networks if network.endpoints_are == "accelerators")
        up = f"{domains - found.spare_domains:,} of {many(domains, 'domain')}"
        if found.uptime.value is None:
            page.row("UPTIME", f"not known: how much of the time {up} can run jobs")
        else:
            page.row("UPTIME", f"{up} can run jobs {found.uptime.value:.4%} of the time")


def _uses(page: Page, found: Evaluation) -> None:
    # What nobody uses (a service port in an all-to-all) is no news.
    rows = sorted((row for row in found.uses if row.used), key=lambda row: -row.share)
    if rows:
        text = "; ".join(
            f"{row.what} {row.used:,.4g} of {row.of:,.4g} {row.unit} ({row.share:.1%}"
            + (", TOO MUCH)" if row.share > 1 + 1e-9 else ")")
            for row in rows
        )
        page.row("USED", text)


def _flow(page: Page, found: Evaluation) -> None:
    violations = [f"{network.name}: {text}" for network in found.networks for text in network.flow.violations]
    if violations:
        page.row("FLOW CHECK", f"FAILS: {_some(violations, _MAX_NAMES)}")
        return
    boxes = sum(network.flow.boxes for network in found.networks)
    of_check: dict[str, list[str]] = {}
    for network in found.networks:
        for text in network.flow.checks:
            of_check.setdefault(text, []).append(network.name)
    checks = [
        text if len(names) == len(found.networks) else f"{', '.join(names)}: {text}" for text, names in of_check.items()
    ]
    page.row("FLOW CHECK", f"built box by box ({boxes:,} boxes): {'; '.join(checks)}")


def _usd(amount: Amount) -> str:
    if amount.value is not None:
        return usd(amount.value)
    return f"not known ({usd(amount.known)} of it known)" if amount.known else "not known"


def _number(amount: Amount) -> str:
    if amount.value is not None:
        return f"{amount.value:,.0f}"
    return f"not known ({amount.known:,.0f} of them known)" if amount.known else "not known"


def _power(watts: float) -> str:
    return f"{watts / 1e6:,.4g} MW" if watts >= 1e6 else f"{watts / 1e3:,.4g} kW"


def _largest(values: dict[str, float], say: object) -> str:
    assert callable(say)
    rows = sorted(((value, item) for item, value in values.items() if value), reverse=True)
    texts = [f"{ITEM_WORDS[item]} {say(value)}" for value, item in rows[:_MAX_ITEMS]]
    others = sum(value for value, _ in rows[_MAX_ITEMS:])
    return ", ".join([*texts, *([f"others {say(others)}"] if others else [])]) or "nothing known"


def _some(texts: Iterable[str], limit: int) -> str:
    rows = list(texts)
    return "; ".join(rows[:limit]) + (f"; ... {len(rows) - limit} more" if len(rows) > limit else "")
