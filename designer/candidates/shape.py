"""The whole numbers of a fabric above the leaf, one by one and as arrays (``docs/rules.md`` section 7)."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from designer.candidates.copies import Copies
from designer.candidates.flat import Line, ShapeKind, fewest_leaves, lines, size
from designer.candidates.parts import SwitchPart
from designer.candidates.terms import Floats

Ints = npt.NDArray[np.int64]
ONE_COPY = Copies()


@dataclass(frozen=True)
class Shape:
    """The whole numbers of a template, each of one copy of the fabric; what a fabric has not is 0 or None.

    ``uplinks`` U = ``links_per_pair`` m x ``spines`` n_s; ``leaves_per_pod`` L (0 with two stages: not limited by
    pods), ``spine_up`` U_s = ``links_per_core`` m2 x ``cores_per_spine`` c_g; ``pods_per_zone`` Z,
    ``core_up`` U_c = ``links_per_top`` m3 x ``tops_per_core`` t_g. Of the last of these, at the highest boundary,
    ``lean`` boxes get a link less, which is one link less each for U, U_s or U_c.

    ``kind`` other than "tree": leaves joined directly, ``stages`` 0, ``dims`` and ``links`` as in `flat`.
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
    top: SwitchPart | None = None
    core_taper: float = 0.0
    pods_per_zone: int = 0
    links_per_top: int = 0
    tops_per_core: int = 0
    kind: ShapeKind = "tree"
    dims: tuple[int, ...] = ()
    links: tuple[int, ...] = ()
    lean: int = 0

    @property
    def lines(self) -> tuple[Line[int], ...]:
        """Boundaries between leaves joined directly."""
        return lines(self.kind, self.dims, self.links)

    @property
    def uplinks(self) -> int:
        """Links of a leaf to spines or other leaves."""
        if self.kind != "tree":
            return sum(line.links for line in self.lines)
        return self.links_per_pair * self.spines - self.lean_at(2)

    @property
    def spine_up(self) -> int:
        """Uplinks of a spine."""
        return self.links_per_core * self.cores_per_spine - self.lean_at(3)

    @property
    def core_up(self) -> int:
        """Uplinks of a core."""
        return self.links_per_top * self.tops_per_core - self.lean_at(4)

    def lean_at(self, stages: int) -> int:
        """Boxes with a link less at the boundary that is the highest of so many stages."""
        return self.lean if self.stages == stages else 0

    @property
    def max_leaves(self) -> int:
        """Most leaves that the ports of the top stage take, or the leaves that are joined directly."""
        if self.kind != "tree":
            return size(self.dims)
        if self.spine is None:
            return 1
        if self.core is None:
            return self.spine.radix[self.rate_gbps] // self.links_per_pair
        return self.leaves_per_pod * self.max_pods

    @property
    def min_leaves(self) -> int:
        """Fewest leaves that the pools must have: leaves joined directly are no more than needed."""
        return fewest_leaves(self.kind, self.dims) if self.kind != "tree" else 0

    @property
    def max_pods(self) -> int:
        """Most pods that the ports of the top stage take (0 without a core)."""
        if self.top is not None:
            return self.pods_per_zone * self.max_zones
        return self.core.radix[self.rate_gbps] // self.links_per_core if self.core is not None else 0

    @property
    def max_zones(self) -> int:
        """Most zones that the ports of a top take (0 without one)."""
        return self.top.radix[self.rate_gbps] // self.links_per_top if self.top is not None else 0


# The whole numbers that are arrays in `ShapeRows`; what a fabric has not is 0.
_WHOLE = (
    "links_per_pair",
    "spines",
    "leaves_per_pod",
    "links_per_core",
    "cores_per_spine",
    "pods_per_zone",
    "links_per_top",
    "tops_per_core",
    "lean",
)
_REAL = ("spine_taper", "core_taper")


@dataclass(frozen=True)
class Boxes:
    """What rows of shapes have in common: switch types, rate, copies, kind."""

    leaf: SwitchPart
    spine: SwitchPart | None = None
    core: SwitchPart | None = None
    top: SwitchPart | None = None
    rate_gbps: int = 0
    copies: Copies = ONE_COPY
    kind: ShapeKind = "tree"

    @property
    def stages(self) -> int:
        """Switch stages of a tree, 0 for leaves joined directly."""
        if self.kind != "tree":
            return 0
        return 1 + sum(switch is not None for switch in (self.spine, self.core, self.top))


@dataclass(frozen=True)
class ShapeRows:
    """Shapes of the same boxes: the other numbers of `Shape` as arrays (n,), ``whole`` and ``real`` by name.

    ``least_usd`` is a lower bound on the objective of any design of that shape.
    """

    boxes: Boxes
    least_usd: Floats
    whole: dict[str, Ints] = field(default_factory=dict)
    real: dict[str, Floats] = field(default_factory=dict)
    dims: tuple[Ints, ...] = ()
    links: tuple[Ints, ...] = ()

    @staticmethod
    def of(shape: Shape) -> ShapeRows:
        """One shape as rows."""
        boxes = Boxes(shape.leaf, shape.spine, shape.core, shape.top, shape.rate_gbps, shape.copies, shape.kind)
        return ShapeRows(
            boxes,
            np.zeros(1),
            {name: np.array([getattr(shape, name)], np.int64) for name in _WHOLE},
            {name: np.array([getattr(shape, name)], float) for name in _REAL},
            tuple(np.array([side], np.int64) for side in shape.dims),
            tuple(np.array([number], np.int64) for number in shape.links),
        )

    def __len__(self) -> int:
        return self.least_usd.size

    def _column(self, name: str) -> Ints:
        return self.whole.get(name, np.zeros(len(self), np.int64))

    def _real(self, name: str) -> Floats:
        return self.real.get(name, np.zeros(len(self)))

    @property
    def stages(self) -> int:
        """Switch stages of a tree, 0 for leaves joined directly."""
        return self.boxes.stages

    @property
    def rate_gbps(self) -> int:
        """Rate of the links above the leaf."""
        return self.boxes.rate_gbps

    @property
    def links_per_pair(self) -> Ints:
        """Links of a leaf to a spine."""
        return self._column("links_per_pair")

    @property
    def spines(self) -> Ints:
        """Spines of a pod."""
        return self._column("spines")

    @property
    def leaves_per_pod(self) -> Ints:
        """Leaves that a pod holds."""
        return self._column("leaves_per_pod")

    @property
    def links_per_core(self) -> Ints:
        """Links of a spine to a core."""
        return self._column("links_per_core")

    @property
    def cores_per_spine(self) -> Ints:
        """Cores that a spine meets."""
        return self._column("cores_per_spine")

    @property
    def pods_per_zone(self) -> Ints:
        """Pods that a zone holds."""
        return self._column("pods_per_zone")

    @property
    def links_per_top(self) -> Ints:
        """Links of a core to a top."""
        return self._column("links_per_top")

    @property
    def tops_per_core(self) -> Ints:
        """Tops that a core meets."""
        return self._column("tops_per_core")

    @property
    def lines(self) -> tuple[Line[Ints], ...]:
        """Boundaries between leaves joined directly."""
        return lines(self.boxes.kind, self.dims, self.links)

    @property
    def uplinks(self) -> Ints:
        """Links of a leaf to spines or other leaves."""
        if self.boxes.kind != "tree":
            return np.asarray(sum(line.links for line in self.lines))
        return self.links_per_pair * self.spines - self.lean_at(2)

    @property
    def spine_up(self) -> Ints:
        """Uplinks of a spine."""
        return self.links_per_core * self.cores_per_spine - self.lean_at(3)

    @property
    def core_up(self) -> Ints:
        """Uplinks of a core."""
        return self.links_per_top * self.tops_per_core - self.lean_at(4)

    def lean_at(self, stages: int) -> Ints:
        """Boxes with a link less at the boundary that is the highest of so many stages."""
        return self._column("lean") if self.stages == stages else np.zeros(len(self), np.int64)

    @property
    def max_leaves(self) -> Ints:
        """Most leaves that the ports of the top stage take, or the leaves that are joined directly."""
        boxes, rate = self.boxes, self.rate_gbps
        if boxes.kind != "tree":
            return size(self.dims)
        if boxes.spine is None:
            return np.ones(len(self), np.int64)
        if boxes.core is None:
            return boxes.spine.radix[rate] // self.links_per_pair
        if boxes.top is None:
            return self.leaves_per_pod * (boxes.core.radix[rate] // self.links_per_core)
        return self.leaves_per_pod * self.pods_per_zone * (boxes.top.radix[rate] // self.links_per_top)

    @property
    def min_leaves(self) -> Ints:
        """Fewest leaves that the pools must have."""
        if self.boxes.kind != "tree":
            return fewest_leaves(self.boxes.kind, self.dims)
        return np.zeros(len(self), np.int64)

    def take(self, keep: npt.NDArray[np.bool_] | Ints) -> ShapeRows:
        """Return the chosen rows."""
        return replace(
            self,
            least_usd=self.least_usd[keep],
            whole={name: values[keep] for name, values in self.whole.items()},
            real={name: values[keep] for name, values in self.real.items()},
            dims=tuple(sides[keep] for sides in self.dims),
            links=tuple(numbers[keep] for numbers in self.links),
        )

    def shape(self, row: int) -> Shape:
        """Return one shape."""
        boxes = self.boxes
        return Shape(
            boxes.stages,
            boxes.leaf,
            boxes.spine,
            boxes.core,
            boxes.rate_gbps,
            copies=boxes.copies,
            top=boxes.top,
            kind=boxes.kind,
            dims=tuple(int(sides[row]) for sides in self.dims),
            links=tuple(int(numbers[row]) for numbers in self.links),
            spine_taper=float(self._real("spine_taper")[row]),
            core_taper=float(self._real("core_taper")[row]),
            **{name: int(values[row]) for name, values in self.whole.items()},
        )
