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


def buy(site: Site, switch: Switch, number: int) -> Sums:
    """Money and watts of switches."""
    return Sums(capex=number * switch.cost, watts=number * switch.watts).plus(site.units(switch.id, number))


def box_repairs(sale: Sale, site: Site, switch: Switch, number: int, scale_up: bool) -> Sums:
    """Replacements of switches, swaps of boxes for their engines, replacements of laser modules."""
    facility = site.facility
    labour = facility.labour * facility.switch_tray_h if scale_up else facility.box_swap
    sums = [site.repair(number * known(switch.afr), switch.cost, labour)]
    if switch.cpo_link is not None:
        lasers = number * switch.lasers * laser_rate(sale, switch)
        sums.append(site.swap(number * known(switch.box_swaps), switch.cost, labour))
        sums.append(site.repair(lasers, facility.laser_price, facility.module_swap))
    return total(sums)


def first_switch_losses(
    sale: Sale, site: Site, duty: Duty, switch: Switch, number: int, reached: int, spared: bool
) -> Sums:
    """Job hits and lost hours by scale-up switches that each join ``reached`` accelerators.

    With a plane to spare (``spared``) their failures hit a job as transients do; the hours are those of the ``duty``.
    """
    kills = site.facility.p_kill if spared else Fraction(1)
    return _box_losses(sale, site, duty, switch, number, (reached, reached), site.facility.switch_tray_h, 1, kills)


def leaf_losses(
    sale: Sale, site: Site, duty: Duty, leaf: Switch, number: int, reached: int, rails: int, planes: int
) -> Sums:
    """Job hits and lost hours by leaves, on each of which ``reached`` accelerators hang, on every rail other ones.

    A leaf stops the jobs of all hosts that have a rail on it; with planes it slows down its own accelerators.
    """
    reach = (reached * rails, reached * rails if planes == 1 else reached)
    return _box_losses(sale, site, duty, leaf, number, reach, site.facility.switch_box_h, planes, site.kills(planes))


def _box_losses(
    sale: Sale,
    site: Site,
    duty: Duty,
    switch: Switch,
    number: int,
    reach: tuple[int, int],
    mttr: Fraction,
    planes: int,
    kills: Fraction,
) -> Sums:
    """Losses by boxes whose failure hits the jobs of ``reach[0]`` accelerators and stops ``reach[1]``."""
    hit, stopped = reach

    def both(rate: Fraction, hours: tuple[Fraction, Fraction], jobs: int, down: int) -> list[Sums]:
        lost = hours[0] * hours[1] * duty.down_of_planes(down, planes)
        return [site.hits(duty, number * kills * rate * duty.jobs(jobs)), site.hours(duty, number * lost)]

    sums = both(known(switch.outage), (known(switch.afr), mttr), hit, stopped)
    if switch.cpo_link is not None:
        engine = sale.engines[switch.cpo_link]
        swaps, lasers = known(switch.box_swaps), switch.lasers * laser_rate(sale, switch)
        jobs, down = ceil_div(hit, switch.lasers), ceil_div(stopped, switch.lasers)
        sums += both(swaps, (swaps, known(engine.oe_mttr)), hit, stopped)
        sums += both(lasers, (lasers, known(engine.els_mttr)), jobs, down)
    return total(sums)


def second_switch_losses(sale: Sale, site: Site, duty: Duty, switch: Switch, number: int, size: int, each: int) -> Sums:
    """Job hits and lost hours by second-stage switches, ``each`` to a domain of ``size``: the others carry on."""
    events = site.facility.p_kill * far_box_events(sale, switch) * duty.jobs(size)
    derating = switch_derating(sale, switch, site.facility.switch_tray_h) * Fraction(size, each)
    return site.hits(duty, number * events).plus(site.hours(duty, number * derating))


def far_box_events(sale: Sale, switch: Switch) -> Fraction:
    """Events per year of one of many parallel switches."""
    events = known(switch.outage)
    if switch.cpo_link is not None:
        events += known(switch.box_swaps) + switch.lasers * laser_rate(sale, switch)
    return events


def hours_out(sale: Sale, site: Site, switch: Switch) -> Fraction:
    """Hours per year that one scale-up switch is out, whatever of it has failed (6.3)."""
    hours = known(switch.afr) * site.facility.switch_tray_h
    if switch.cpo_link is not None:
        engine = sale.engines[switch.cpo_link]
        hours += known(switch.box_swaps) * known(engine.oe_mttr)
        hours += switch.lasers * laser_rate(sale, switch) * known(engine.els_mttr)
    return hours


def switch_derating(sale: Sale, switch: Switch, mttr: Fraction) -> Fraction:
    """Hours per year that one of many parallel switches is away, a laser counted as its part of the switch."""
    hours = known(switch.afr) * mttr
    if switch.cpo_link is not None:
        engine = sale.engines[switch.cpo_link]
        hours += known(switch.box_swaps) * known(engine.oe_mttr)
        hours += laser_rate(sale, switch) * known(engine.els_mttr)
    return hours
