"""What an accelerator costs and draws by itself: the vendor's rack share minus the parts it contains (2)."""

from __future__ import annotations

from fractions import Fraction

from designer.catalogue import Accelerator, Catalogue, NicOption
from designer.verify.exact import exact, ratio_up
from designer.verify.gauge import Gauge


def switch_usd(gauge: Gauge, catalogue: Catalogue, switch: str) -> Fraction:
    """Price of a switch as it is bought: a chip with its tray."""
    row = catalogue.switches[switch]
    usd = gauge.read(row.price_usd, f"switch {switch}", "price_usd")
    if row.price_scope == "chip":
        factor = row.tray_adders.price_factor if row.tray_adders is not None else None
        usd *= gauge.read(factor, f"switch {switch}", "tray_adders.price_factor")
    return usd


def switch_watts(gauge: Gauge, catalogue: Catalogue, switch: str) -> Fraction:
    """Watts of a switch as it is bought: a chip with its tray."""
    row = catalogue.switches[switch]
    watts = gauge.read(row.power_w, f"switch {switch}", "power_w")
    if row.price_scope == "chip":
        factor = row.tray_adders.power_factor if row.tray_adders is not None else None
        watts *= gauge.read(factor, f"switch {switch}", "tray_adders.power_factor")
    return watts


def bare_usd(gauge: Gauge, catalogue: Catalogue, row: Accelerator) -> Fraction:
    """Price of an accelerator without the switches, links and NIC its price contains, at catalogue prices.

    Host and rack have no price of their own and stay in the accelerator's; so does the wiring of accelerators that
    are sold joined directly.
    """
    name = f"accelerator {row.id}"
    usd = gauge.read(row.price_usd, name, "price_usd")
    if "nic" in row.price_contains:
        option = _vendor_nic(gauge, row)
        usd -= option.count * gauge.read(catalogue.nics[option.nic].price_usd, f"NIC {option.nic}", "price_usd")
    if "scale_up_switch" in row.price_contains and not _joined_directly(row):
        switch, planes, size = _vendor_switches(gauge, row)
        usd -= planes * switch_usd(gauge, catalogue, switch) / size
    if "scale_up_link" in row.price_contains and not _joined_directly(row):
        usd -= _vendor_links_usd(gauge, catalogue, row)
    return gauge.least_zero(usd, name, "price without the parts it contains")


def bare_watts(gauge: Gauge, catalogue: Catalogue, row: Accelerator) -> Fraction:
    """Host watts per accelerator without the switches and the NIC that the figure contains."""
    name = f"accelerator {row.id}"
    watts = gauge.read(row.host_overhead_w_per_accel, name, "host_overhead_w_per_accel")
    if "nic" in row.power_contains:
        option = _vendor_nic(gauge, row)
        watts -= option.count * gauge.read(catalogue.nics[option.nic].power_w, f"NIC {option.nic}", "power_w")
    if "scale_up_switch" in row.power_contains and not _joined_directly(row):
        switch, planes, size = _vendor_switches(gauge, row)
        watts -= planes * switch_watts(gauge, catalogue, switch) / size
    return gauge.least_zero(watts, name, "host watts without the parts they contain")


def _joined_directly(row: Accelerator) -> bool:
    """Whether the vendor's domain has no switch: its wiring is never bought by the piece."""
    return row.vendor_domain is not None and row.vendor_domain.direct is not None


def _vendor_nic(gauge: Gauge, row: Accelerator) -> NicOption:
    """Return the NIC the vendor ships: the first option."""
    if not row.nic_options:
        gauge.unknown(f"accelerator {row.id}", "the NIC that its figures contain")
    return row.nic_options[0]


def _vendor_switches(gauge: Gauge, row: Accelerator) -> tuple[str, int, int]:
    """Return switch type, number of switches and size of the vendor's domain."""
    sold = row.vendor_domain
    if sold is None or sold.switch is None or sold.planes is None:
        gauge.unknown(f"accelerator {row.id}", "the switches that its figures contain")
    return sold.switch, sold.planes, sold.size


def _vendor_links_usd(gauge: Gauge, catalogue: Catalogue, row: Accelerator) -> Fraction:
    """Price of the links of the vendor's domain with all ports wired, both ends, per accelerator."""
    name, sold = f"accelerator {row.id}", row.vendor_domain
    if sold is None or sold.link is None:
        gauge.unknown(name, "the links that its price contains")
    ports = gauge.read(row.scale_up.ports, name, "scale_up.ports")
    rate = gauge.read(row.scale_up.port_gbps, name, "scale_up.port_gbps")
    link = catalogue.links[sold.link]
    end = gauge.read(link.price_usd_per_end, f"link {link.id}", "price_usd_per_end")
    return ratio_up(sold.size * ports * rate, exact(link.rate_gbps)) * 2 * end / sold.size
