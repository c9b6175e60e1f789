"""The formulations of tokenfabric as Pyomo models; plain candidates in, a ``ConcreteModel`` out."""

from designer_models.fabric_choice import FabricChoice, build_fabric_choice, forbid

__all__ = ["FabricChoice", "build_fabric_choice", "forbid"]
