"""Which parts a question may buy (section 1)."""

from __future__ import annotations

from dataclasses import dataclass

from designer.instance.schema import Instance
from oracle.bare import bare_overhead_or_none, bare_price_or_none
from oracle.parts import Accelerator, Link, Nic, Parts, Switch

SHIPPING = ("shipping", "ramping")


@dataclass(frozen=True)
class Sale:
    """The parts for sale; ``engines`` are the CPO link rows, which come with their switches."""

    accelerators: tuple[Accelerator, ...]
    scale_up: tuple[Switch, ...]
    scale_out: tuple[Switch, ...]
    links: tuple[Link, ...]
    nics: dict[str, Nic]
    engines: dict[str, Link]


def for_sale(parts: Parts, instance: Instance) -> Sale:
    """Pick the parts that the question may buy."""
    choose, pin = instance.choose, instance.pin
    pinned_links = "/".join(
        getattr(pin, f"{name}_links") or ""
        for name in (
            "scale_up",
            "nic_leaf",
            "leaf_spine",
            "spine_core",
            "core_top",
            "leaf_leaf",
            "group_group",
        )
    ).split("/")

    def released(status: str, available_from: str, named: bool) -> bool:
        if not (available_from <= instance.date or choose.include_unreleased):
            return False
        return named or status in SHIPPING

    def accelerator_sold(a: Accelerator) -> bool:
        named = a.id in (choose.accelerators or ()) or a.id == pin.accelerator
        if choose.accelerators is not None and a.id not in choose.accelerators:
            return False
        if pin.accelerator is not None and a.id != pin.accelerator:
            return False
        bare = (bare_price_or_none(parts, a), bare_overhead_or_none(parts, a))
        known = None not in (*bare, a.tdp, a.afr, a.interrupts)
        if "host" not in a.price_contains:
            known = known and a.host_price is not None
        return known and released(a.status, a.available_from, named) and (named or a.access == "merchant")

    def switch_sold(w: Switch, listed: tuple[str, ...] | None, pins: tuple[str | None, ...]) -> bool:
        named = w.id in (listed or ()) or w.id in pins
        if listed is not None and w.id not in listed:
            return False
        known = None not in (w.price, w.power, w.afr, w.outage)
        if w.cpo_link is not None:
            known = known and w.box_swaps is not None and w.cpo_link in engines
        return known and released(w.status, w.available_from, named)

    def link_known(x: Link) -> bool:
        return None not in (x.reach, x.transient)

    def link_sold(x: Link) -> bool:
        if x.cpo or (choose.links is not None and x.id not in choose.links):
            return False
        # A cable with a price of its own is bought and replaced by it: the price of an end is not needed.
        whole = x.construction == "cable" and x.price_cable is not None
        known = link_known(x) and None not in (x.watts_end, x.afr_end, x.mttr)
        known = known and (whole or x.price_end is not None)
        return known and released(x.status, x.available_from, x.id in (*(choose.links or ()), *pinned_links))

    def engine_sold(x: Link) -> bool:
        known = link_known(x) and None not in (x.oe_mttr, x.els_mttr, x.els_fit)
        return x.cpo and known and released(x.status, x.available_from, x.id in (*(choose.links or ()), *pinned_links))

    def nic_sold(x: Nic) -> bool:
        if (choose.nics is not None and x.id not in choose.nics) or pin.nic not in (None, x.id):
            return False
        known = None not in (x.price, x.power, x.afr)
        return known and released(x.status, x.available_from, x.id in (*(choose.nics or ()), pin.nic))

    engines = {x.id: x for x in parts.links if engine_sold(x)}
    out_pins = (pin.leaf_switch, pin.spine_switch, pin.core_switch, pin.top_switch)
    up = [w for w in parts.switches if w.role == "scale_up"]
    out = [w for w in parts.switches if w.role == "scale_out"]
    return Sale(
        accelerators=tuple(a for a in parts.accelerators if accelerator_sold(a)),
        scale_up=tuple(
            w
            for w in up
            if switch_sold(w, choose.scale_up_switches, (pin.scale_up_switch,)) and pin.scale_up_switch in (None, w.id)
        ),
        scale_out=tuple(w for w in out if switch_sold(w, choose.scale_out_switches, out_pins)),
        links=tuple(x for x in parts.links if link_sold(x)),
        nics={x.id: x for x in parts.nics if nic_sold(x)},
        engines=engines,
    )
