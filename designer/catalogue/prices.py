"""Prices and watts alike for alike: accelerators without the network parts that their figures contain.

The vendor's own domain, rebuilt from the bare accelerator and catalogue parts, costs what the vendor asks.
"""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

from designer.catalogue.figures import Figure, Level
from designer.catalogue.schema import Accelerator, Switch

if TYPE_CHECKING:
    from designer.catalogue.loading import Catalogue


def bare_accelerator_usd(catalogue: Catalogue, accelerator: Accelerator, level: Level) -> Fraction | None:
    """Price of an accelerator without the scale-up switches, links and NIC that its price contains.

    Contained parts are taken at catalogue prices in the vendor's domain; a contained NIC is the first NIC
    option. Host and rack have no price of their own and stay inside; so does a network without switches, which is
    never bought by the piece.

    Returns
    -------
    Fraction or None
        None when a needed figure is unknown, or when the contained parts would cost more than the whole.

    Examples
    --------
    >>> from designer.catalogue import load_catalogue
    >>> catalogue = load_catalogue()
    >>> bare_accelerator_usd(catalogue, catalogue.accelerators["gb300_nvl72"], "mid")
    Fraction(52214, 1)
    """
    whole = accelerator.price_usd.exact(level)
    contains = _separable(accelerator, accelerator.price_contains)
    parts = (
        domain_switches_usd(catalogue, accelerator, level) if "scale_up_switch" in contains else Fraction(0),
        domain_links_usd(catalogue, accelerator, level) if "scale_up_link" in contains else Fraction(0),
        first_nic_usd(catalogue, accelerator, level) if "nic" in contains else Fraction(0),
    )
    return _without(whole, parts)


def bare_overhead_w(catalogue: Catalogue, accelerator: Accelerator, level: Level) -> Fraction | None:
    """Host watts per accelerator without the switches and the NIC that the figure contains.

    None when a needed figure is unknown, or when the contained parts would draw more than the whole.

    Examples
    --------
    >>> from designer.catalogue import load_catalogue
    >>> catalogue = load_catalogue()
    >>> bare_overhead_w(catalogue, catalogue.accelerators["gb300_nvl72"], "mid")
    Fraction(335, 1)
    """
    contains = _separable(accelerator, accelerator.power_contains)
    parts = (
        domain_switches_w(catalogue, accelerator, level) if "scale_up_switch" in contains else Fraction(0),
        first_nic_w(catalogue, accelerator, level) if "nic" in contains else Fraction(0),
    )
    return _without(accelerator.host_overhead_w_per_accel.exact(level), parts)


def switch_usd(switch: Switch, level: Level) -> Fraction | None:
    """Price of a switch as it is installed: a chip row with its tray.

    Examples
    --------
    >>> from designer.catalogue import load_catalogue
    >>> switch_usd(load_catalogue().switches["nvswitch4_chip"], "mid")
    Fraction(10800, 1)
    """
    factor = switch.tray_adders.price_factor if switch.tray_adders else None
    return _with_tray(switch, switch.price_usd, factor, level)


def switch_w(switch: Switch, level: Level) -> Fraction | None:
    """Watts of a switch as it is installed: a chip row with its tray; optics as ``power_scope`` says.

    Examples
    --------
    >>> from designer.catalogue import load_catalogue
    >>> switch_w(load_catalogue().switches["nvswitch4_chip"], "mid")
    Fraction(500, 1)
    """
    factor = switch.tray_adders.power_factor if switch.tray_adders else None
    return _with_tray(switch, switch.power_w, factor, level)


def domain_switches_usd(catalogue: Catalogue, accelerator: Accelerator, level: Level) -> Fraction | None:
    """Price per accelerator of the switches of the vendor's domain; None where it has none or is unknown."""
    domain = accelerator.vendor_domain
    if domain is None or domain.switch is None or domain.planes is None:
        return None
    each = switch_usd(catalogue.switches[domain.switch], level)
    return None if each is None else each * domain.planes / domain.size


def domain_switches_w(catalogue: Catalogue, accelerator: Accelerator, level: Level) -> Fraction | None:
    """Watts per accelerator of the switches of the vendor's domain; None where it has none or is unknown."""
    domain = accelerator.vendor_domain
    if domain is None or domain.switch is None or domain.planes is None:
        return None
    each = switch_w(catalogue.switches[domain.switch], level)
    return None if each is None else each * domain.planes / domain.size


def domain_links_usd(catalogue: Catalogue, accelerator: Accelerator, level: Level) -> Fraction | None:
    """Price per accelerator of the links of the vendor's domain, all ports wired, both ends.

    Links are bought per whole link equivalent of the domain, so the number is rounded up once per domain.

    Examples
    --------
    >>> from designer.catalogue import load_catalogue
    >>> catalogue = load_catalogue()
    >>> domain_links_usd(catalogue, catalogue.accelerators["gb300_nvl72"], "mid")
    Fraction(486, 1)
    """
    domain = accelerator.vendor_domain
    ports, rate = accelerator.scale_up.ports.exact(level), accelerator.scale_up.port_gbps.exact(level)
    if domain is None or domain.link is None or ports is None or rate is None:
        return None
    link = catalogue.links[domain.link]
    end_usd = link.price_usd_per_end.exact(level)
    if end_usd is None:
        return None
    links = -(-(domain.size * ports * rate) // Fraction(str(link.rate_gbps)))
    return 2 * end_usd * links / domain.size


def first_nic_usd(catalogue: Catalogue, accelerator: Accelerator, level: Level) -> Fraction | None:
    """Price per accelerator of the NICs of the first option; None where there is no option."""
    for option in accelerator.nic_options:
        each = catalogue.nics[option.nic].price_usd.exact(level)
        return None if each is None else each * option.count
    return None


def first_nic_w(catalogue: Catalogue, accelerator: Accelerator, level: Level) -> Fraction | None:
    """Watts per accelerator of the NICs of the first option; None where there is no option."""
    for option in accelerator.nic_options:
        each = catalogue.nics[option.nic].power_w.exact(level)
        return None if each is None else each * option.count
    return None


def _separable(accelerator: Accelerator, contains: tuple[str, ...]) -> tuple[str, ...]:
    domain = accelerator.vendor_domain
    if domain is None or domain.direct is None:
        return contains
    return tuple(part for part in contains if part not in ("scale_up_switch", "scale_up_link"))


def _with_tray(switch: Switch, chip: Figure, factor: Figure | None, level: Level) -> Fraction | None:
    value = chip.exact(level)
    if switch.price_scope != "chip" or value is None:
        return value
    # A chip without its adders would make scale-up look far too cheap: unknown rather than 1.
    times = None if factor is None else factor.exact(level)
    return None if times is None else value * times


def _without(whole: Fraction | None, parts: tuple[Fraction | None, ...]) -> Fraction | None:
    rest = whole
    for part in parts:
        if rest is None or part is None:
            return None
        rest -= part
    return rest if rest is not None and rest >= 0 else None
