"""Families of topologies: counts and capacities in closed form, and built networks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import Field, TypeAdapter

from designer.families.dragonfly import Dragonfly
from designer.families.dragonfly_plus import DragonflyPlus
from designer.families.fat_tree import FatTree
from designer.families.hamming_mesh import HammingMesh
from designer.families.hyperx import FullMesh, HyperX
from designer.families.k_hop_ring import KHopRing
from designer.families.paired import Paired
from designer.families.scale_up_clos import ScaleUpClos
from designer.families.single_stage import SingleStage
from designer.families.slim_fly import SlimFly
from designer.families.torus import Torus
from designer.families.zoned_fat_tree import ZonedFatTree

AnyFamily = Annotated[
    SingleStage
    | Paired
    | ScaleUpClos
    | FatTree
    | ZonedFatTree
    | Dragonfly
    | DragonflyPlus
    | SlimFly
    | FullMesh
    | HyperX
    | Torus
    | HammingMesh
    | KHopRing,
    Field(discriminator="family"),
]
"""Every family, told apart by its key ``family``."""

_ADAPTER: TypeAdapter[AnyFamily] = TypeAdapter(AnyFamily)


def family_from(table: Mapping[str, Any]) -> AnyFamily:
    """Read a family and its parameters from a table, such as ``[networks.topology]`` of a TOML file.

    Raises
    ------
    pydantic.ValidationError
        When the family is unknown, or a key or value is not one of its own. Parameters that do not fit together are no
        error here: `Family.misfits` names them.

    Examples
    --------
    >>> family_from({"family": "fat_tree", "endpoints": 1024, "stages": 2, "radix": 64, "port_gbps": 400.0}).stages
    2
    """
    return _ADAPTER.validate_python(_as_tuples(dict(table)))


def _as_tuples(value: Any) -> Any:
    """Lists of a file as tuples, which the strict models take."""
    if isinstance(value, list | tuple):
        return tuple(_as_tuples(item) for item in value)
    if isinstance(value, Mapping):
        return {key: _as_tuples(item) for key, item in value.items()}
    return value
