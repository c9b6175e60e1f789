"""A question and what follows from it at once."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from designer.instance.schema import Instance
from oracle.money import Site, limits_of, site_of
from oracle.parts import Parts, exact
from oracle.sale import Sale, for_sale


@dataclass(frozen=True)
class Task:
    """A question with what follows from it at once."""

    parts: Parts
    instance: Instance
    sale: Sale
    site: Site
    limits: dict[str, Fraction]
    max_taper: Fraction
    stages: tuple[int, ...]


def task_of(parts: Parts, instance: Instance) -> Task:
    """Prepare a question."""
    stages = tuple(sorted(set(instance.choose.scale_out_stages)))
    if instance.pin.scale_out_stages is not None:
        stages = tuple(s for s in stages if s == instance.pin.scale_out_stages)
    return Task(
        parts=parts,
        instance=instance,
        sale=for_sale(parts, instance),
        site=site_of(parts, instance),
        limits=limits_of(instance),
        max_taper=exact(instance.choose.max_taper),
        stages=stages,
    )
