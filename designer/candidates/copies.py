"""Rails and planes: the equal copies of the scale-out fabric, and which options run on them (``docs/rules.md`` 7)."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

from designer.candidates.parts import NicPart
from designer.instance.schema import Choose, Instance

if TYPE_CHECKING:
    from designer.candidates.choices import Option


@dataclass(frozen=True, order=True)
class Copies:
    """``rails`` x ``planes`` copies that share no switch: a rail takes a share of every host, a plane of every NIC."""

    rails: int = 1
    planes: int = 1

    @property
    def count(self) -> int:
        """Copies in all."""
        return self.rails * self.planes

    def port_gbps(self, nic: NicPart) -> int | None:
        """Rate of one port of a NIC, None where the NIC cannot be split like this.

        Examples
        --------
        >>> nic = NicPart("n", 400, frozenset({100.0}), frozenset(), 1.0, 1.0, 0.0, (1, 2))
        >>> Copies(8, 1).port_gbps(nic), Copies(1, 2).port_gbps(nic), Copies(1, 4).port_gbps(nic)
        (400, 200, None)
        """
        if self.planes not in nic.plane_options or nic.rate_gbps % self.planes:
            return None
        rate = nic.rate_gbps // self.planes
        if self.planes > 1 and not any((rate / lane).is_integer() for lane in nic.lane_gbps):
            return None
        return rate

    def bear(self, option: Option) -> bool:
        """Whether hosts split evenly over the rails and the domain has room for what it forwards to other rails."""
        domain, plan = option.domain, option.plan
        if self.rails == 1:
            return True
        if domain.accelerator.per_host % self.rails:
            return False
        out = min(
            Fraction(domain.nic_gbps), _exact(plan.scale_out_ep_need_gbps) + _exact(plan.scale_out_other_need_gbps)
        )
        # Joined directly, only the links between rails carry it: on the safe side, as much as all-to-all puts on them.
        share = 1 - Fraction(1, self.rails if domain.network.lower is not None else domain.size)
        return _exact(plan.scale_up_need_gbps) + share * out <= domain.usable_gbps


def choose_of(instance: Instance) -> Choose:
    """What may be chosen, with pinned rails and planes in place of the lists of them."""
    pinned = (("scale_out_rails", instance.pin.rails), ("scale_out_planes", instance.pin.planes))
    return instance.choose.model_copy(update={name: (number,) for name, number in pinned if number is not None})


def copies_of(choose: Choose) -> tuple[Copies, ...]:
    """All combinations of rails and planes that an instance allows."""
    return tuple(
        Copies(x, p) for x in sorted(set(choose.scale_out_rails)) for p in sorted(set(choose.scale_out_planes))
    )


def _exact(value: float) -> Fraction:
    """The decimals that print a float: what is compared must not hang on its last bit."""
    return Fraction(repr(float(value)))
