"""Domains of two switch stages: groups behind first-stage switches, joined by a second (``docs/rules.md`` 3.2)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from designer.candidates.cables import ceil_div
from designer.candidates.frame import Frame
from designer.candidates.parts import AcceleratorPart, SwitchPart


def trunks(groups: int, down: int, lower_radix: int, upper_radix: int) -> tuple[int, int] | None:
    """Fewest second-stage switches of a plane without blocking, and the links from each first-stage switch to each.

    None where the ports do not do.

    Parameters
    ----------
    groups
        First-stage switches of the plane.
    down
        Ports of one of them towards its accelerators.
    lower_radix, upper_radix
        Ports of a first- and of a second-stage switch.

    Examples
    --------
    >>> trunks(16, 36, 72, 72), trunks(16, 37, 72, 72)
    ((9, 4), None)
    """
    most = upper_radix // groups
    if most < 1:
        return None
    tops = ceil_div(down, most)
    each = ceil_div(down, tops)
    return (tops, each) if down + tops * each <= lower_radix else None


def two_stages(accelerator: AcceleratorPart, size: int, ports: int, switches: Sequence[SwitchPart]) -> Iterator[Frame]:
    """Every way to join a domain by two stages: planes, groups, switch types."""
    if accelerator.sealed:
        return
    rate, host, vendor = accelerator.port_gbps, accelerator.per_host, accelerator.vendor_domain
    groups = [g for g in range(host, size // 2 + 1, host) if size % g == 0]
    for planes in (p for p in range(1, ports + 1) if ports % p == 0):
        share = ports // planes
        for first in switches:
            radix = first.radix[rate]
            sold = vendor is not None and (size, first.id) == vendor[:2]
            if sold or size * share <= radix:
                continue
            # Non-blocking: a group's ports take up at most half of its switch.
            for group in (g for g in groups if 2 * g * share <= radix):
                for second in switches:
                    found = trunks(size // group, group * share, radix, second.radix[rate])
                    if found is not None and planes * found[0] >= 2:
                        yield Frame(accelerator, size, ports, planes, group, first, second, *found)
