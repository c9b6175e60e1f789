"""Failures of hosts, switches, engines and lasers (section 9)."""

from __future__ import annotations

from fractions import Fraction

from oracle.money import Duty, Site, Sums, total
from oracle.parts import Accelerator, Nic, Switch, ceil_div, exact, known
from oracle.sale import Sale


def laser_rate(sale: Sale, switch: Switch) -> Fraction:
    """Failures per year of one laser module of a co-packaged switch."""
    assert switch.cpo_link is not None
    return known(sale.engines[switch.cpo_link].els_fit) * exact("0.00000876")


def host_failures(site: Site, duty: Duty, a: Accelerator, bare: Fraction, number: int, nic: Nic, nics: int) -> Sums:
    """Failures of accelerators and NICs."""
    facility = site.facility
    labour = facility.labour * facility.compute_tray_h
    afr, nic_afr = number * known(a.afr), nics * known(nic.afr)
    lost = facility.compute_tray_h * duty.down(a.host)
    return total(
        [
            site.repair(afr, bare, labour),
            site.hits(duty, number * known(a.interrupts)),
            site.hours(duty, afr * lost),
            site.repair(nic_afr, known(nic.price), labour),
            site.hits(duty, nic_afr),
            site.hours(duty, nic_afr * lost),
        ]
    )


def buy(switch: Switch, number: int) -> Sums:
    """Money and watts of switches."""
    return Sums(capex=number * switch.cost, watts=number * switch.watts)


def box_repairs(sale: Sale, site: Site, switch: Switch, number: int, scale_up: bool) -> Sums:
    """Replacements of switches, swaps of boxes for their engines, replacements of laser modules."""
    facility = site.facility
    labour = facility.labour * facility.switch_tray_h if scale_up else facility.box_swap
    sums = [site.repair(number * known(switch.afr), switch.cost, labour)]
    if switch.cpo_link is not None:
        lasers = number * switch.lasers * laser_rate(sale, switch)
        sums.append(site.repair(number * known(switch.box_swaps), switch.cost, labour))
        sums.append(site.repair(lasers, facility.laser_price, facility.module_swap))
    return total(sums)


def box_losses(sale: Sale, site: Site, duty: Duty, switch: Switch, number: int, reached: int, scale_up: bool) -> Sums:
    """Job hits and lost hours by scale-up switches or leaves that ``reached`` accelerators hang on."""
    facility = site.facility
    mttr = facility.switch_tray_h if scale_up else facility.switch_box_h
    sums = [
        site.hits(duty, number * known(switch.outage) * duty.jobs(reached)),
        site.hours(duty, number * known(switch.afr) * mttr * duty.down(reached)),
    ]
    if switch.cpo_link is not None:
        engine = sale.engines[switch.cpo_link]
        swaps = number * known(switch.box_swaps)
        lasers = number * switch.lasers * laser_rate(sale, switch)
        part = ceil_div(reached, switch.lasers)
        sums.append(site.hits(duty, swaps * duty.jobs(reached)))
        sums.append(site.hours(duty, swaps * known(engine.oe_mttr) * duty.down(reached)))
        sums.append(site.hits(duty, lasers * duty.jobs(part)))
        sums.append(site.hours(duty, lasers * known(engine.els_mttr) * duty.down(part)))
    return total(sums)


def far_box_events(sale: Sale, switch: Switch) -> Fraction:
    """Events per year of one spine or core."""
    events = known(switch.outage)
    if switch.cpo_link is not None:
        events += known(switch.box_swaps) + switch.lasers * laser_rate(sale, switch)
    return events


def far_box_derating(sale: Sale, site: Site, switch: Switch) -> Fraction:
    """Hours per year that a stage of spines or cores de-rates every accelerator."""
    hours = known(switch.afr) * site.facility.switch_box_h
    if switch.cpo_link is not None:
        engine = sale.engines[switch.cpo_link]
        hours += known(switch.box_swaps) * known(engine.oe_mttr)
        hours += laser_rate(sale, switch) * known(engine.els_mttr)
    return hours
