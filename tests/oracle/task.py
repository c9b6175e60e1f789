"""A question and what follows from it at once."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from importlib.resources import files

from designer.instance.schema import Instance
from oracle.money import Site, Sums, limited_amounts, limits_of, site_of
from oracle.parts import Parts, exact
from oracle.sale import Sale, for_sale

COST = "cost"
# What each goal but the cost counts.
COUNTED = {
    "capex": "capex",
    "power": "watts",
    "hard_repairs": "repairs",
    "job_hits": "hits",
    "accelerator_hours_lost": "hours",
}


@dataclass(frozen=True)
class Copies:
    """The fabric is ``rails`` x ``planes`` equal copies that share no switch."""

    rails: int = 1
    planes: int = 1

    @property
    def number(self) -> int:
        """How many there are."""
        return self.rails * self.planes


ONE_COPY = Copies()


@dataclass(frozen=True)
class Task:
    """A question with what follows from it at once; ``goal`` is what a design must have least of.

    ``most_at_once`` is the largest share of a pool that one failure may take, ``reference_us`` the path behind which
    the times of plans without an allowance of their own were taken; ``taper`` is that of every leaf where it is pinned.
    ``most_down`` is the largest share of the time in which a pool may lack domains; ``flat`` are the kinds of fabrics
    whose leaves are joined directly, ``stages`` those of trees.
    ``limits`` hold for the amounts of their name; "objective" is among them where a cost may not be exceeded.
    """

    parts: Parts
    instance: Instance
    sale: Sale
    site: Site
    limits: dict[str, Fraction]
    max_taper: Fraction
    stages: tuple[int, ...]
    copies: tuple[Copies, ...]
    most_at_once: Fraction | None = None
    reference_us: Fraction = Fraction(0)
    most_down: Fraction | None = None
    flat: tuple[str, ...] = ()
    goal: str = COST
    taper: Fraction | None = None

    def worth(self, sums: Sums) -> Fraction:
        """What the goal counts of some sums."""
        if self.goal == COST:
            return self.site.objective(sums)
        amount: Fraction = sums._asdict()[COUNTED[self.goal]]
        return amount

    def amounts(self, sums: Sums) -> dict[str, Fraction]:
        """All that can be limited, but for racks, which do not add up."""
        own: dict[str, Fraction] = sums._asdict()
        del own["units"]
        return own | {"objective": self.site.objective(sums)} | limited_amounts(self.instance, sums)


def task_of(parts: Parts, instance: Instance) -> Task:
    """Prepare a question; the goal is the cost, whatever the question says."""
    choose, most = instance.choose, instance.risk.max_single_failure_share
    stages = tuple(sorted(set(choose.scale_out_stages)))
    if instance.pin.scale_out_stages is not None:
        stages = tuple(s for s in stages if s == instance.pin.scale_out_stages)
    flat = tuple(shape for shape in ("mesh", "hyperx", "dragonfly") if shape in choose.scale_out_shapes)
    if instance.pin.taper is not None or instance.pin.scale_out_stages is not None:
        flat = ()
    available = instance.risk.min_pool_availability
    return Task(
        parts=parts,
        instance=instance,
        sale=for_sale(parts, instance),
        site=site_of(parts, instance),
        limits=limits_of(instance),
        max_taper=exact(choose.max_taper),
        stages=stages if "tree" in choose.scale_out_shapes else (),
        copies=tuple(
            Copies(rails, planes)
            for rails in ([instance.pin.rails] if instance.pin.rails else sorted(set(choose.scale_out_rails)))
            for planes in ([instance.pin.planes] if instance.pin.planes else sorted(set(choose.scale_out_planes)))
        ),
        most_at_once=None if most is None else exact(most),
        most_down=None if available is None else 1 - exact(available),
        flat=flat,
        reference_us=reference_path_us(instance.efficiency),
        taper=taper_of(instance),
    )


def taper_of(instance: Instance) -> Fraction | None:
    """The pinned taper: a number, or ports below and above as ``42:22``."""
    pin = instance.pin.taper
    if pin is None:
        return None
    below, above = pin.split(":") if isinstance(pin, str) else (str(pin), "1")
    return exact(below) / exact(above)


@cache
def reference_path_us(efficiency: str) -> Fraction:
    """Microseconds of the path behind which crossing exchanges were calibrated."""
    table = tomllib.loads((files("designer") / "demand/data/efficiency.toml").read_text(encoding="utf-8"))
    return exact(table["path_reference_us"][efficiency])
