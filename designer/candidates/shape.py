"""The whole numbers of a fabric above the leaf, one by one and as arrays (``docs/rules.md`` section 7)."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from designer.candidates.copies import Copies
from designer.candidates.parts import SwitchPart
from designer.candidates.terms import Floats

Ints = npt.NDArray[np.int64]
ONE_COPY = Copies()


@dataclass(frozen=True)
class Shape:
    """The whole numbers of a template, each of one copy of the fabric; what a fabric has not is 0 or None.

    ``uplinks`` U = ``links_per_pair`` m x ``spines`` n_s; ``leaves_per_pod`` L (0 with two stages: not limited by
    pods), ``spine_up`` U_s = ``links_per_core`` m2 x ``cores_per_spine`` c_g.
    """

    stages: int
    leaf: SwitchPart
    spine: SwitchPart | None = None
    core: SwitchPart | None = None
    rate_gbps: int = 0
    links_per_pair: int = 0
    spines: int = 0
    spine_taper: float = 0.0
    leaves_per_pod: int = 0
    links_per_core: int = 0
    cores_per_spine: int = 0
    copies: Copies = ONE_COPY

    @property
    def uplinks(self) -> int:
        """Uplinks of a leaf."""
        return self.links_per_pair * self.spines

    @property
    def spine_up(self) -> int:
        """Uplinks of a spine."""
        return self.links_per_core * self.cores_per_spine

    @property
    def max_leaves(self) -> int:
        """Most leaves that the ports of the top stage take."""
        if self.spine is None:
            return 1
        if self.core is None:
            return self.spine.radix[self.rate_gbps] // self.links_per_pair
        return self.leaves_per_pod * self.max_pods

    @property
    def max_pods(self) -> int:
        """Most pods that the core's ports take (0 without a core)."""
        return self.core.radix[self.rate_gbps] // self.links_per_core if self.core is not None else 0


@dataclass(frozen=True)
class ShapeRows:
    """Shapes of the same switch types, rate and copies: the other numbers of `Shape` as arrays (n,).

    ``least_usd`` is a lower bound on the objective of any design of that shape.
    """

    stages: int
    leaf: SwitchPart
    spine: SwitchPart | None
    core: SwitchPart | None
    rate_gbps: int
    copies: Copies
    least_usd: Floats
    links_per_pair: Ints
    spines: Ints
    spine_taper: Floats
    leaves_per_pod: Ints
    links_per_core: Ints
    cores_per_spine: Ints

    @staticmethod
    def of(shape: Shape) -> ShapeRows:
        """One shape as rows."""

        def one(value: int) -> Ints:
            return np.array([value], np.int64)

        return ShapeRows(
            shape.stages,
            shape.leaf,
            shape.spine,
            shape.core,
            shape.rate_gbps,
            shape.copies,
            np.zeros(1),
            one(shape.links_per_pair),
            one(shape.spines),
            np.array([shape.spine_taper]),
            one(shape.leaves_per_pod),
            one(shape.links_per_core),
            one(shape.cores_per_spine),
        )

    def __len__(self) -> int:
        return self.least_usd.size

    @property
    def uplinks(self) -> Ints:
        """Uplinks of a leaf."""
        return self.links_per_pair * self.spines

    @property
    def spine_up(self) -> Ints:
        """Uplinks of a spine."""
        return self.links_per_core * self.cores_per_spine

    @property
    def max_leaves(self) -> Ints:
        """Most leaves that the ports of the top stage take."""
        if self.spine is None:
            return np.ones(len(self), np.int64)
        if self.core is None:
            return self.spine.radix[self.rate_gbps] // self.links_per_pair
        return self.leaves_per_pod * (self.core.radix[self.rate_gbps] // self.links_per_core)

    def take(self, keep: npt.NDArray[np.bool_] | Ints) -> ShapeRows:
        """Return the chosen rows."""
        names = (
            "least_usd",
            "links_per_pair",
            "spines",
            "spine_taper",
            "leaves_per_pod",
            "links_per_core",
            "cores_per_spine",
        )
        return replace(self, **{name: getattr(self, name)[keep] for name in names})

    def shape(self, row: int) -> Shape:
        """Return one shape."""
        return Shape(
            self.stages,
            self.leaf,
            self.spine,
            self.core,
            self.rate_gbps,
            int(self.links_per_pair[row]),
            int(self.spines[row]),
            float(self.spine_taper[row]),
            int(self.leaves_per_pod[row]),
            int(self.links_per_core[row]),
            int(self.cores_per_spine[row]),
            self.copies,
        )
