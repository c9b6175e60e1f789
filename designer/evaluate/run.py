"""File in, `Evaluation` out."""

from __future__ import annotations

import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from importlib.metadata import version
from pathlib import Path

from designer import __version__
from designer.evaluate.account import JobSizes, Line, lines_of
from designer.evaluate.amounts import Amount, amounts
from designer.evaluate.checks import late_parts, problems_of
from designer.evaluate.count import Grouping, NetworkTally, StageTally, grouping_of
from designer.evaluate.counted import Counted, cabling_of
from designer.evaluate.flow import Carried, capacities_of, carried_by, check_flow, counted_on
from designer.evaluate.lengths import BundleLengths, lengths_of, racks_of, standing_apart
from designer.evaluate.result import (
    BY_LENGTH,
    SCHEMA_VERSION,
    BundleReport,
    Evaluation,
    LineReport,
    NetworkReport,
    Source,
    StageReport,
    Totals,
)
from designer.evaluate.rows import OWN, NetworkRows, Rows, question_of, rows_of
from designer.evaluate.spares import units_of
from designer.evaluate.split import count_split, split_by_length
from designer.evaluate.uses import uses_of
from designer.given import Given, load_given
from designer.given.load import GivenTopology
from designer.given.schema import GivenDemand
from designer.network.graph import Network
from designer.problems import InputError, Problem
from designer.verify.findings import Findings
from designer.verify.money import capital_recovery
from designer.verify.rows import SiteRow, SwitchRow
from designer.verify.site import site_of

MAX_LINKS = 5_000_000
"""Links of one copy that are built; a larger network is refused, not counted half."""

# Least and most of a rate that differ by less are the same rate.
_SAME = 1e-9
_KWH_PER_WATT_YEAR = Fraction(876, 100)
_HOURS = 8760


def evaluate(design: str | Path | Given, overlay: str | Path | None = None) -> Evaluation:
    """Count out, price and check a design written by hand.

    Parameters
    ----------
    design
        The design, a TOML file (docs/families.md, "A given design"), or one already read.
    overlay
        A TOML file with prices and figures of your own that replace those of the catalogue.

    Returns
    -------
    Evaluation
        Counts, cables, money, watts, failures, flows and what is over- or under-used.

    Raises
    ------
    InputError
        With all mistakes of the files, or everything that keeps the design from being built.

    Examples
    --------
    >>> evaluate("absent.toml")
    Traceback (most recent call last):
    designer.problems.InputError: absent.toml: read no such file; give the path of a TOML file
    """
    if isinstance(design, Given) and overlay is not None:
        raise ValueError("an overlay belongs to a design that is still to be read")
    given = design if isinstance(design, Given) else load_given(design, overlay)
    site = _site(given)
    built = [_build(given, at, network) for at, network in enumerate(given.networks)]
    parted = _parted(given, built)
    rows = rows_of(parted)
    problems = problems_of(parted, [one.counted for one in built], [one.lengths for one in built], rows, site)
    if problems:
        raise InputError(problems)
    lines, totals, uptime = _account(parted, [one.counted for one in built], rows, site)
    networks = tuple(
        _network(given, network, one, parts)
        for network, one, parts in zip(given.networks, built, rows.networks, strict=True)
    )
    row, endpoints = given.design, given.design.endpoints
    racks = racks_of(
        given,
        sum(stage.boxes for one in networks if one.endpoints_are == "nics" for stage in one.stages),
        sum(
            one.tally.grouping.copies * standing_apart(one.network)
            for one in built
            if one.counted.endpoints_are == "accelerators"
        ),
    )
    return Evaluation(
        schema_version=SCHEMA_VERSION,
        name=row.name,
        title=row.title,
        source=row.source,
        level=row.level,
        date=row.date,
        design=Source(given.file, given.sha256),
        catalogue_sha256=given.catalogue.sha256,
        overlay=None
        if given.overlay_file is None or given.catalogue.overlay_sha256 is None
        else Source(given.overlay_file, given.catalogue.overlay_sha256),
        versions={
            "tokenfabric": __version__,
            **{name: version(name) for name in ("numpy", "scipy")},
            "python": platform.python_version(),
        },
        accelerators=endpoints.accelerators,
        hosts=endpoints.accelerators // given.per_host,
        nics=endpoints.accelerators * endpoints.nics if endpoints.nic is not None else 0,
        job_accelerators=endpoints.job_accelerators,
        spare_domains=endpoints.spare_domains,
        uptime=uptime,
        racks=racks,
        networks=networks,
        lines=lines,
        totals=totals,
        uses=uses_of(parted, networks, rows, totals, racks),
        notes=tuple(_notes(parted, rows)),
    )


def with_jobs(found: Evaluation, given: Given, jobs: JobSizes) -> Evaluation:
    """The same evaluation where jobs have other sizes than the design states.

    Parameters
    ----------
    found, given
        The evaluation of the design, and the design as read.
    jobs
        The share of the accelerators that run jobs of each size; shares add up to 1.
    """
    if sum(jobs.values()) != 1:
        raise ValueError(f"shares of jobs add up to {sum(jobs.values())}, not 1")
    built = [_build(given, at, network) for at, network in enumerate(given.networks)]
    parted = _parted(given, built)
    lines, totals, uptime = _account(parted, [one.counted for one in built], rows_of(parted), _site(given), jobs)
    return replace(found, lines=lines, totals=totals, uptime=uptime)


@dataclass(frozen=True)
class _Built:
    """``topology`` has the bundles that are counted, parted by length where the links are; ``network`` has not."""

    topology: GivenTopology
    network: Network
    tally: NetworkTally
    lengths: dict[str, BundleLengths]
    counted: Counted


def _parted(given: Given, built: Sequence[_Built]) -> Given:
    """The design with the bundles that are counted."""
    networks = tuple(one.topology for one in built)
    design = given.design.model_copy(update={"networks": tuple(one.row for one in networks)})
    return replace(given, design=design, networks=networks)


def _site(given: Given) -> SiteRow:
    """Place and money by the verifier's rules; they need every figure."""
    found = Findings()
    site = site_of(found, given.catalogue, question_of(given))
    if site is None:
        raise InputError(
            [Problem(given.file, f"site ({finding.message})", "unknown", "give the figure") for finding in found.rows]
        )
    return site


def _build(given: Given, at: int, network: GivenTopology) -> _Built:
    structure, row = network.structure, network.row
    links = sum(bundle.links for bundle in structure.bundles)
    place = f"networks[{at}].topology"
    if links > MAX_LINKS:
        raise InputError([Problem(given.file, place, f"{links} links in one copy", f"allowed: at most {MAX_LINKS}")])
    each = given.design.endpoints.nics if row.endpoints_are == "nics" else 1
    grouping: Grouping = grouping_of(structure, each, given.per_host, row.repeat)
    try:
        built = network.family.network()
    except ValueError as error:
        # A family may be a formula without a graph for some parameters, and says why.
        raise InputError([Problem(given.file, place, "counts without a network", str(error))]) from None
    split = split_by_length(given, network, built, grouping)
    tally = count_split(network, built, split, grouping)
    lengths = lengths_of(given, split.topology, split.network, grouping)
    means = {name: length.mean_m for name, length in lengths.items()}
    counted = Counted(row.name, row.endpoints_are, tally, means, row.spare_planes)
    return _Built(split.topology, built, tally, lengths, counted)


def _measures(line: Line) -> list[Fraction]:
    lost = line.failures
    return [line.capex_usd, line.watts, lost.usd, lost.hard, lost.hits, lost.hours, lost.cleanings]


def _account(
    given: Given, networks: Sequence[Counted], rows: Rows, site: SiteRow, jobs: JobSizes | None = None
) -> tuple[tuple[LineReport, ...], Totals, Amount | None]:
    """All lines and totals, with what of each is not known; and the share of the time in which enough domains are up.

    That share is None without domains, without accelerators in them, or where jobs of several sizes would each need
    their own.
    """
    it_share = capital_recovery(site.wacc, site.it_years)
    building = capital_recovery(site.wacc, site.building_years) * site.facility_usd_per_w
    energy = site.utilisation * site.pue * _KWH_PER_WATT_YEAR * site.usd_per_kwh
    accelerator_hours = _HOURS * given.design.endpoints.accelerators
    sizes = tuple(jobs) if jobs is not None else (given.design.endpoints.job_accelerators,)

    def uptime_of(parts: Rows) -> list[Fraction]:
        # Of domains whose accelerators are not given nobody knows how often they are up.
        said = len(sizes) == 1 and parts.accelerator is not None
        units = units_of(given, networks, parts, sizes[0], site) if said else None
        return [] if units is None else [units.enough]

    def measured(values: Mapping[str, Fraction], default: Fraction) -> list[Fraction]:
        parts = rows_of(given, values, default)
        lines = lines_of(given, networks, parts, site, jobs)
        each = [_measures(line) for line in lines]
        capex, watts, lost, hard, hits, hours, cleanings = (
            sum(column, Fraction(0)) for column in zip(*each, strict=True)
        )
        shares = [it_share * capex, building * watts, energy * watts]
        totals = [
            capex,
            watts,
            *shares,
            lost,
            sum(shares, lost),
            hard,
            hits,
            hours,
            cleanings,
            1 - hours / accelerator_hours,
        ]
        return [*(value for row in each for value in row), *totals, *uptime_of(parts)]

    lines = lines_of(given, networks, rows, site, jobs)
    found = amounts(rows.lacking, measured)
    width = len(_measures(lines[0]))
    reports = tuple(
        LineReport(line.item, line.network, line.place, line.part, line.units, *found[at * width : (at + 1) * width])
        for at, line in enumerate(lines)
    )
    figures = found[len(lines) * width :]
    known = len(Totals.__dataclass_fields__)
    return reports, Totals(*figures[:known]), figures[known] if figures[known:] else None


def _network(given: Given, network: GivenTopology, built: _Built, parts: NetworkRows) -> NetworkReport:
    tally, row, grouping = built.tally, network.row, built.tally.grouping
    demand = given.design.demand.get(row.name)
    carried = carried_by(built.network)
    return NetworkReport(
        name=row.name,
        family=str(row.topology["family"]),
        endpoints_are=row.endpoints_are,
        repeat=row.repeat,
        rails=grouping.rails,
        planes=grouping.planes,
        spare_planes=row.spare_planes,
        accelerators=tally.accelerators,
        stages=tuple(_stage(stage, parts.switches[stage.name], network) for stage in tally.stages),
        bundles=tuple(_bundles(built, parts, _shares(carried, demand, grouping))),
        capacities=capacities_of(counted_on(network), carried, demand, grouping),
        flow=check_flow(network.structure, built.network, carried, grouping.planes),
    )


def _stage(stage: StageTally, row: SwitchRow, network: GivenTopology) -> StageReport:
    fullest = stage.ports[0] if stage.ports else {}
    offered = network.row.switches[stage.name].ports
    if row.id != OWN and len(fullest) == 1:
        (rate,) = fullest
        # Only circuit switches take links of a rate that is not theirs.
        offered = row.radix.get(rate, max(row.radix.values()))
    share = None if offered is None else sum(fullest.values()) / offered
    if row.id != OWN and len(fullest) > 1:
        most = max(row.radix.values())
        taken = (
            sum(Fraction(count, row.radix.get(rate, most)) for rate, count in used.items()) for used in stage.ports
        )
        share = float(max(taken))
    behind = max((below.accelerators for below in stage.below), default=0)
    return StageReport(stage.name, row.id, stage.boxes, sum(fullest.values()), offered, share, behind)


def _shares(carried: Carried, demand: GivenDemand | None, grouping: Grouping) -> dict[str, float]:
    """Load of the fullest link of each bundle, as a share of its rate, where the all-to-all that is asked is sent."""
    asked = None if demand is None else demand.all_to_all_gbps
    if asked is None or not carried.rate.least:
        return {}
    # An endpoint spreads its traffic evenly over the planes.
    sent = asked / (grouping.each * grouping.planes)
    best = carried.rate.most <= carried.rate.least * (1 + _SAME)
    if sent > carried.rate.least * (1 + _SAME) and not best:
        # This routing would overload a link where another one may not: its loads say nothing.
        return {}
    return {name: share * sent / carried.rate.least for name, share in carried.fullest.items()}


def _bundles(built: _Built, parts: NetworkRows, shares: Mapping[str, float]) -> list[BundleReport]:
    found = []
    for bundle in built.tally.bundles:
        name, lengths = bundle.count.name, built.lengths[bundle.count.name]
        cabling = cabling_of(built.counted, bundle, *parts.links[name])
        found.append(
            BundleReport(
                name,
                cabling.lower.id,
                cabling.upper.id,
                float(cabling.rate),
                cabling.links,
                cabling.cables,
                cabling.lower_ends,
                cabling.upper_ends,
                float(lengths.mean_m),
                float(lengths.longest_m),
                lengths.classes,
                shares.get(name.partition(BY_LENGTH)[0]),
            )
        )
    return found


def _notes(given: Given, rows: Rows) -> list[str]:
    """What is not counted, and what the reader should know."""
    endpoints, found = given.design.endpoints, []
    if rows.accelerator is None:
        found.append("no accelerator is given: the networks alone are counted, and no lost hour has a value")
    elif rows.accelerator.price_contains & {"scale_up_switch", "scale_up_link"} and not any(
        row.endpoints_are == "accelerators" for row in given.design.networks
    ):
        found.append(
            f"{rows.accelerator.id} is priced without the scale-up network of its rack, and the design gives none: "
            "its switches and links are not counted"
        )
    if endpoints.nic is None and any(row.endpoints_are == "nics" for row in given.design.networks):
        found.append("no NIC is given: NICs are not counted")
    if given.design.site.front_end_usd_per_accelerator is None:
        found.append("front-end, storage and management network are not counted")
    return [*found, *late_parts(given)]


def amounts_missing(totals: Totals) -> tuple[str, ...]:
    """Every figure that some total lacks."""
    rows: list[Amount] = [getattr(totals, name) for name in type(totals).__dataclass_fields__]
    return tuple(dict.fromkeys(name for row in rows for name in row.missing))
