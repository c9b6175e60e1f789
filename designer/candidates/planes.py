"""Domains of one switch stage in parallel planes: sizes, ports, switches (``docs/rules.md`` section 3.1)."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from fractions import Fraction

from designer.candidates.cables import ceil_div
from designer.candidates.frame import Frame
from designer.candidates.parts import AcceleratorPart, SwitchPart
from designer.instance.schema import Choose, Pins

STANDARD_SIZES = (2, 4, 8, 16, 32, 36, 64, 72, 96, 128, 144, 192, 256, 384, 512, 576)


def wired_ports(accelerator: AcceleratorPart, choose: Choose) -> tuple[int, ...]:
    """Distinct numbers of wired ports that the shares of the instance allow."""
    shares = (1.0,) if accelerator.sealed else choose.scale_up_shares
    return tuple(sorted({max(1, math.floor(Fraction(repr(s)) * accelerator.ports)) for s in shares}))


def sizes(accelerator: AcceleratorPart, switches: Sequence[SwitchPart], choose: Choose, pin: Pins) -> tuple[int, ...]:
    """Sizes of switched domains worth building for one accelerator, ascending."""
    limit = math.inf if accelerator.id in choose.beyond_announced else accelerator.max_domain
    found: set[int] = set()
    if choose.domain_sizes is not None:
        found |= set(choose.domain_sizes)
    else:
        found |= set(STANDARD_SIZES) | {accelerator.max_domain}
        if accelerator.vendor_size is not None:
            found.add(accelerator.vendor_size)
        for ports in wired_ports(accelerator, choose):
            for switch in switches:
                for planes in range(1, ports + 1):
                    most = switch.radix[accelerator.port_gbps] // ceil_div(ports, planes)
                    found.add(most - most % accelerator.per_host)
    if pin.domain_size is not None:
        found &= {pin.domain_size}
    if accelerator.sealed and accelerator.vendor_domain is not None:
        found &= {accelerator.vendor_domain[0]}
    if accelerator.sold_size is not None and accelerator.id not in (*choose.rearranged, *choose.beyond_announced):
        found &= {accelerator.sold_size}
    return tuple(sorted(s for s in found if 2 <= s <= limit and s % accelerator.per_host == 0))


def one_stage(
    accelerator: AcceleratorPart, size: int, switch: SwitchPart, ports: int, spares: Sequence[int] = (0,)
) -> Iterator[Frame]:
    """Every number of planes on which one type of switch joins a domain, and of those that it does not count on."""
    vendor = accelerator.vendor_domain
    if vendor is not None and (size, switch.id) == vendor[:2]:
        counts: Sequence[int] = (vendor[2],)
    elif accelerator.sealed:
        counts = ()
    else:
        counts = range(1, ports + 1)
    radix = switch.radix[accelerator.port_gbps]
    for planes in counts:
        if planes <= ports and size * ceil_div(ports, planes) <= radix:
            for spare in sorted(set(spares)):
                if spare < planes:
                    yield Frame(accelerator, size, ports, planes, size, switch, spare=spare)
