"""What every family of topologies gives: counts in closed form, capacities with their source, and the built network."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict

from designer.network.graph import Ints, Network


@dataclass(frozen=True)
class StageCount:
    """Boxes of one stage in one copy of the network.

    ``ports`` is the most ports in use on any one box, ``group`` the endpoints that lose their connection to this copy
    while one box is out (0 where traffic goes around it): the blast radius of docs/families.md.
    """

    name: str
    boxes: int
    ports: int
    group: int


@dataclass(frozen=True)
class BundleCount:
    """Links of one boundary in one copy: ``lower`` and ``upper`` are stage names or "endpoint"."""

    name: str
    lower: str
    upper: str
    links: int
    rate_gbps: float


@dataclass(frozen=True)
class Rate:
    """A capacity in Gb/s per endpoint, one direction, over all copies, from ``least`` to ``most``, and its source.

    Equal ends mean that the figure is exact. ``most`` is infinite where nothing is known above, ``least`` 0 below.
    """

    least: float
    most: float
    source: str

    @property
    def exact(self) -> bool:
        """Whether the figure is known exactly."""
        return self.least == self.most


@dataclass(frozen=True)
class Structure:
    """Closed-form account of a network: everything per copy, ``copies`` equal copies in all.

    ``endpoints`` is the number of endpoints served by all copies together, ``endpoints_per_copy`` those of one copy
    (fewer with rails). ``capacity`` has the keys "all_to_all", "permutation" and "all_reduce" (docs/families.md).
    """

    endpoints: int
    endpoints_per_copy: int
    copies: int
    stages: tuple[StageCount, ...]
    bundles: tuple[BundleCount, ...]
    capacity: Mapping[str, Rate]

    def stage(self, name: str) -> StageCount:
        """The stage of that name, or KeyError."""
        return {stage.name: stage for stage in self.stages}[name]

    def bundle(self, name: str) -> BundleCount:
        """The bundle of that name, or KeyError."""
        return {bundle.name: bundle for bundle in self.bundles}[name]

    def switches(self) -> int:
        """Boxes of all stages and copies."""
        return self.copies * sum(stage.boxes for stage in self.stages)


@dataclass(frozen=True)
class Misfit:
    """A parameter that does not fit: its key, what was read, and what is allowed or what to do."""

    key: str
    read: str
    allowed: str


class Family(BaseModel, ABC):
    """Base of the families: a frozen pydantic model whose fields are the topology's parameters.

    A subclass has a field ``family: Literal["..."]``. Field limits catch single wrong values; `misfits` says what does
    not fit together (too many ports for the radix, a leaf that misses a spine) and must be empty before any of the
    other methods is called.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    @abstractmethod
    def misfits(self) -> list[Misfit]:
        """All parameters that do not fit together, with the exact place."""

    @abstractmethod
    def structure(self) -> Structure:
        """Count stages, links and capacities in closed form, without building anything."""

    @abstractmethod
    def network(self) -> Network:
        """Build one copy of the network, box by box."""

    def symmetries(self) -> list[Ints]:
        """Permutations (boxes,) of the built network's boxes that leave it as it is; none where none are stated."""
        return []
