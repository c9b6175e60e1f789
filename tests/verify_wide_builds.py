"""The wide designs by name, each with the question that it answers."""

from __future__ import annotations

from collections.abc import Callable

from verify_wide_designs import (
    clos_design,
    clos_instance,
    mesh_design,
    mesh_instance,
    planes_design,
    planes_instance,
    planes_on_modules_design,
    rails_design,
    rails_instance,
    split_design,
    split_instance,
    torus_design,
    torus_instance,
    uneven_torus_design,
    uneven_torus_instance,
)

from designer.design.types import Design
from designer.instance.schema import Instance

Build = tuple[Callable[[], Design], Callable[[], Instance]]

COPIES: dict[str, Build] = {
    "planes": (planes_design, planes_instance),
    "modules": (planes_on_modules_design, planes_instance),
    "split": (split_design, split_instance),
    "rails": (rails_design, rails_instance),
}
SCALE_UP: dict[str, Build] = {
    "clos": (clos_design, clos_instance),
    "torus": (torus_design, torus_instance),
    "uneven": (uneven_torus_design, uneven_torus_instance),
    "mesh": (mesh_design, mesh_instance),
}
