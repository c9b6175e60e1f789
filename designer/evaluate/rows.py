"""The parts of a given design as exact rows, and which of their figures nobody knows.

The rows are those of the verifier (docs/rules.md). Where a figure is not known, `Fill` puts a number in its place that
the caller chooses: :mod:`designer.evaluate.account` computes everything with several such numbers, and a sum that
depends on them is not known either. No zero ever stands for an unknown figure in what is reported.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import NoReturn

from designer.catalogue import Accelerator, Catalogue, Figure
from designer.families.family import BundleCount
from designer.given import Given
from designer.given.fit import link_key
from designer.given.schema import GivenLink, GivenNetwork, GivenSwitch
from designer.instance.schema import Instance, Level
from designer.verify.bare import bare_usd, bare_watts
from designer.verify.exact import exact
from designer.verify.findings import Findings, UncountableError
from designer.verify.gauge import Gauge
from designer.verify.rows import AcceleratorRow, LinkRow, NicRow, SwitchRow
from designer.verify.shelf import Shelf

OWN = "own figures"
"""Id of a part whose figures stand in the design itself."""

OCS = "ocs"
"""Name of a stage of optical circuit switches."""

PASSIVE = "connector"
"""Id of a fibre's end at a circuit switch."""

_FAR = Fraction(10**9)
"""Reach [m] of a link whose reach is not known: no length is checked against it."""

NO_ACCELERATOR = "accelerators: price_usd (no accelerator is given)"


class Fill(Gauge):
    """Reads figures; an unknown one is noted, and its place taken by ``values`` (0 where that is silent)."""

    def __init__(self, level: Level, values: Mapping[str, Fraction], default: Fraction) -> None:
        super().__init__(Findings(), level)
        self._values, self._default = values, default
        self.lacking: dict[str, None] = {}

    def read(self, figure: Figure | None, part: str, name: str) -> Fraction:
        """Return the figure, or what stands in its place."""
        return self.own(None if figure is None else figure.at(self.level), part, name)

    def own(self, value: float | None, part: str, name: str) -> Fraction:
        """Return a figure of the design itself, or what stands in its place."""
        if value is not None:
            return exact(value)
        if name == "reach_m":
            return _FAR
        key = f"{part}: {name}"
        self.lacking[key] = None
        return self._values.get(key, self._default)

    def unknown(self, part: str, name: str) -> NoReturn:
        """Give up on a figure that is the rest of others."""
        self.lacking[f"{part}: {name}"] = None
        raise UncountableError(f"{part}: {name}")

    def least_zero(self, value: Fraction, part: str, name: str) -> Fraction:
        """A rest below zero is no figure: the price does not contain what it is said to contain."""
        return value if value >= 0 else self.own(None, part, f"{name} (its parts cost more)")

    def whole(self, figure: Figure | None, part: str, name: str) -> int:
        """Return a figure that counts things; at least 1, because others are divided by it."""
        return max(1, int(self.read(figure, part, name)))


class _Rows(Shelf):
    """The verifier's way from catalogue rows to exact rows, with a gauge that goes on where a figure is not known."""

    def __init__(self, given: Given, gauge: Fill) -> None:
        # A shelf reads the level of an instance and, for what is on sale, more that is not asked for here.
        super().__init__(gauge.found, given.catalogue, question_of(given))
        self._gauge = self._fill = gauge

    def accelerator(self, name: str, *, switched: bool) -> AcceleratorRow:
        """Read an accelerator; where nobody says what its figures contain, what is left of them is not known."""
        row, gauge = self._catalogue.accelerators[name], self._gauge
        usd, watts = (self._rest_unknown(rest, row) for rest in (bare_usd, bare_watts))
        if usd is None and watts is None:
            return self._accelerator(row, switched=switched)
        host = tuple(part for part in row.price_contains if part == "host")
        whole = row.model_copy(update={"price_contains": host, "power_contains": ()})
        found = replace(self._accelerator(whole, switched=switched), price_contains=frozenset(row.price_contains))
        if usd is not None:
            found = replace(found, bare_usd=usd, installed_usd=usd + found.installed_usd - found.bare_usd)
        else:
            known = self._accelerator(row.model_copy(update={"power_contains": ()}), switched=switched)
            found = replace(found, bare_usd=known.bare_usd, installed_usd=known.installed_usd)
        rest = bare_watts(gauge, self._catalogue, row) if watts is None else watts
        return replace(found, watts=gauge.read(row.tdp_w, f"accelerator {name}", "tdp_w") + rest)

    def _rest_unknown(
        self, rest: Callable[[Gauge, Catalogue, Accelerator], Fraction], row: Accelerator
    ) -> Fraction | None:
        """What stands in the place of a rest that cannot be told; None where it can."""
        try:
            rest(self._gauge, self._catalogue, row)
        except UncountableError as error:
            return self._fill.own(None, *str(error).split(": ", 1))
        return None

    def switch(self, name: str) -> SwitchRow:
        return self._switch(self._catalogue.switches[name], between_domains=False)

    def nic(self, name: str) -> NicRow:
        return self._nic(self._catalogue.nics[name])

    def link(self, name: str) -> LinkRow:
        return self._link(self._catalogue.links[name], between_domains=False)


def question_of(given: Given) -> Instance:
    """What the verifier's rules ask of an instance beside its pools: level, place and money."""
    row = given.design
    return Instance.model_construct(
        schema_version=1, name=row.name, title=row.title, date=row.date, level=row.level, site=row.site, money=row.money
    )


@dataclass(frozen=True)
class NetworkRows:
    """Switches by stage and the two link rows of every bundle."""

    switches: Mapping[str, SwitchRow]
    links: Mapping[str, tuple[LinkRow, LinkRow]]


@dataclass(frozen=True)
class Rows:
    """Everything a design names. ``accelerator`` is None, like ``nic``, where it is not part of the design.

    ``hour_usd_base`` is the installed price that the value of a lost accelerator-hour is a share of; ``lacking`` names
    every figure that is not known.
    """

    accelerator: AcceleratorRow | None
    nic: NicRow | None
    networks: tuple[NetworkRows, ...]
    hour_usd_base: Fraction
    lacking: tuple[str, ...]


def rows_of(given: Given, values: Mapping[str, Fraction] | None = None, default: Fraction = Fraction(0)) -> Rows:
    """Read the figures of every part.

    Parameters
    ----------
    given
        The design.
    values
        What stands for figures that are not known, by their name as in ``Rows.lacking``.
    default
        What stands for the others.
    """
    gauge = Fill(given.design.level, values or {}, default)
    shelf = _Rows(given, gauge)
    accelerator = _accelerator(given, shelf, gauge)
    nic = _nic(given, shelf, gauge)
    networks = tuple(
        NetworkRows(
            {stage: _switch(row, stage, part, shelf, gauge) for stage, part in row.switches.items()},
            {bundle.name: _links(row, bundle, shelf, gauge) for bundle in network.structure.bundles},
        )
        for network in given.networks
        for row in (network.row,)
    )
    base = gauge.own(None, *NO_ACCELERATOR.split(": ", 1)) if accelerator is None else accelerator.installed_usd
    return Rows(accelerator, nic, networks, base, tuple(gauge.lacking))


def accelerator_gbps(given: Given) -> tuple[Fraction, str] | None:
    """Gb/s of all scale-up ports of an accelerator of the catalogue, and that in words; None where nobody says.

    Ports that differ, or are not published, have no rate of their own: what the accelerator sends in all is known then.
    """
    part, level = given.design.endpoints.accelerator, given.design.level
    if part is None or part.id is None:
        return None
    row = given.catalogue.accelerators[part.id].scale_up
    ports, rate, in_all = (figure.at(level) for figure in (row.ports, row.port_gbps, row.gbs_per_dir))
    if ports is not None and rate is not None:
        return exact(ports) * exact(rate), f"the {ports:g} ports of {rate:g} Gb/s of {part.id}"
    if in_all is not None:
        return exact(in_all) * 8, f"the {in_all * 8:g} Gb/s of {part.id} over all its ports"
    return None


def _accelerator(given: Given, shelf: _Rows, gauge: Fill) -> AcceleratorRow | None:
    part = given.design.endpoints.accelerator
    if part is None:
        return None
    if part.id is not None:
        sold = given.catalogue.accelerators[part.id].vendor_domain
        return shelf.accelerator(part.id, switched=sold is None or sold.direct is None)
    price = gauge.own(part.price_usd, "accelerators", "price_usd")
    return AcceleratorRow(
        id=OWN,
        maker="",
        per_host=given.per_host,
        ports=0,
        port_gbps=Fraction(0),
        lane_gbps=None,
        max_domain=0,
        sold_by_the_rack=False,
        sealed=False,
        vendor=None,
        price_contains=frozenset(),
        bare_usd=price,
        installed_usd=price,
        watts=gauge.own(part.power_w, "accelerators", "power_w"),
        afr=gauge.own(part.afr_hard, "accelerators", "afr_hard"),
        interrupts=gauge.own(part.job_interrupt_per_year, "accelerators", "job_interrupt_per_year"),
        rack_watts=Fraction(0),
        rack_places=0,
    )


def _nic(given: Given, shelf: _Rows, gauge: Fill) -> NicRow | None:
    part = given.design.endpoints.nic
    if part is None:
        return None
    if part.id is not None:
        return shelf.nic(part.id)
    return NicRow(
        id=OWN,
        rate_gbps=_FAR if part.rate_gbps is None else exact(part.rate_gbps),
        usd=gauge.own(part.price_usd, "NICs", "price_usd"),
        watts=gauge.own(part.power_w, "NICs", "power_w"),
        afr=gauge.own(part.afr_hard, "NICs", "afr_hard"),
        lanes=frozenset(),
        families=frozenset(),
        plane_options=frozenset(),
    )


def _switch(network: GivenNetwork, stage: str, part: GivenSwitch, shelf: _Rows, gauge: Fill) -> SwitchRow:
    if part.id is not None:
        return shelf.switch(part.id)
    name = f"{network.name} {stage}"
    return SwitchRow(
        id=OWN,
        usd=gauge.own(part.price_usd, name, "price_usd"),
        watts=gauge.own(part.power_w, name, "power_w"),
        radix={},
        lane_gbps=Fraction(0),
        afr=gauge.own(part.afr_hard, name, "afr_hard"),
        outages=gauge.own(part.outage_per_year, name, "outage_per_year"),
        cpo=None,
        latency_ns=None,
    )


def _links(network: GivenNetwork, bundle: BundleCount, shelf: _Rows, gauge: Fill) -> tuple[LinkRow, LinkRow]:
    key, rate = link_key(network, bundle.name), exact(bundle.rate_gbps)
    assert key is not None, "every bundle gets its links when the design is read"
    part: GivenLink = network.links[key]
    if part.lower is not None:
        lower = shelf.link(part.lower)
        if bundle.upper == OCS:
            # Light passes a circuit switch: its end of a fibre has a connector, which gathers dirt, and nothing else.
            nothing = Fraction(0)
            return lower, replace(
                lower, id=PASSIVE, cpo=True, usd=nothing, watts=nothing, afr=nothing, transients=nothing
            )
        return lower, lower if part.upper in (None, part.lower) else shelf.link(str(part.upper))
    name = f"{network.name} {key}"
    # One link with everything at both ends is a cable of the link's own rate.
    row = LinkRow(
        id=OWN,
        construction="cable",
        placement="cable",
        cpo=False,
        rate_gbps=rate,
        lane_gbps=rate,
        host_lanes=frozenset(),
        interop=None,
        reach_m=gauge.own(part.reach_m, name, "reach_m"),
        usd=Fraction(0),
        usd_per_cable=gauge.own(part.price_usd_per_link, name, "price_usd_per_link"),
        watts=gauge.own(part.power_w_per_link, name, "power_w_per_link") / 2,
        fibres=0,
        duplex=False,
        afr=gauge.own(part.afr_hard_per_link, name, "afr_hard_per_link") / 2,
        transients=gauge.own(part.transient_per_link_year, name, "transient_per_link_year"),
        repair_h=gauge.own(part.mttr_h, name, "mttr_h"),
        latency_ns=None,
    )
    return row, row
