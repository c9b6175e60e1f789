"""Domains joined chip to chip, without a switch: full meshes and tori (``docs/rules.md`` section 3.3)."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from math import prod

from designer.candidates.parts import AcceleratorPart
from designer.candidates.scale_up import Network
from designer.instance.schema import Choose, Pins


def mesh_gbps(size: int, ports: int, port_gbps: int) -> Fraction:
    """Usable Gb/s of one accelerator in a mesh: equal links to every other one, all-to-all goes straight.

    Examples
    --------
    >>> mesh_gbps(8, 7, 512)
    Fraction(3584, 1)
    """
    return Fraction((size - 1) * (ports // (size - 1)) * port_gbps)


def torus_gbps(sides: tuple[int, ...], port_gbps: int) -> Fraction:
    """Usable Gb/s of one accelerator in a torus: uniform all-to-all over shortest paths.

    Along a side of ``a`` the mean distance is ``d = a/4`` (even) or ``(a^2-1)/(4a)`` (odd); a link carries what every
    accelerator sends times ``d S/(S-1) / 2``. Source: mean distance of a ring, Dally and Towles, Principles and
    Practices of Interconnection Networks, ch. 5.

    Examples
    --------
    >>> torus_gbps((4, 4, 4), 800)
    Fraction(1575, 1)
    """
    size = prod(sides)
    means = (Fraction(a, 4) if a % 2 == 0 else Fraction(a * a - 1, 4 * a) for a in sides if a > 1)
    return min(2 * port_gbps * (size - 1) / (size * d) for d in means)


def torus_sides(dims: tuple[int, ...], times: int) -> tuple[int, ...]:
    """Sides, largest first, of a torus ``times`` as large whose largest side is least, then the second, and so on.

    Examples
    --------
    >>> torus_sides((4, 4, 4), 8), torus_sides((4, 4, 4), 6)
    ((8, 8, 8), (12, 8, 4))
    """
    return min(
        tuple(sorted((a * x for a, x in zip(dims, xs, strict=True)), reverse=True)) for xs in _split(times, dims)
    )


def _split(times: int, dims: tuple[int, ...]) -> Iterator[tuple[int, ...]]:
    if len(dims) == 1:
        yield (times,)
        return
    for x in (x for x in range(1, times + 1) if times % x == 0):
        for rest in _split(times // x, dims[1:]):
            yield (x, *rest)


def direct_domains(accelerator: AcceleratorPart, choose: Choose, pin: Pins) -> Iterator[Network]:
    """Every domain joined chip to chip whose wiring comes with the accelerator."""
    direct, ports, rate = accelerator.direct, accelerator.ports, accelerator.port_gbps
    # A pin of what joins accelerators to switches leaves no domain without them.
    pinned = any(value is not None for value in (pin.scale_up_switch, pin.scale_up_planes, pin.scale_up_links))
    if direct is None or pinned:
        return
    for times in _times(accelerator, choose):
        size = direct.size * times
        listed = choose.domain_sizes is None or size in choose.domain_sizes
        if not listed or pin.domain_size not in (None, size):
            continue
        if size == 1:
            yield Network("mesh", 1, 0, rate, Fraction(0))
        elif direct.kind == "mesh":
            yield Network("mesh", size, ports, rate, mesh_gbps(size, ports, rate))
        else:
            sides = torus_sides(direct.dims, times)
            yield Network("torus", size, ports, rate, torus_gbps(sides, rate), sides)


def _times(accelerator: AcceleratorPart, choose: Choose) -> Iterator[int]:
    direct = accelerator.direct
    assert direct is not None
    if direct.size <= accelerator.max_domain:
        yield 1
    if not direct.larger:
        return
    most = accelerator.max_domain // direct.size
    if choose.domain_sizes is not None:
        yield from sorted(
            {
                s // direct.size
                for s in choose.domain_sizes
                if direct.size < s <= most * direct.size and s % direct.size == 0
            }
        )
        return
    times = 2
    while times <= most:
        yield times
        times *= 2
