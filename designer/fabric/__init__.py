"""The fabric room: a design becomes a graph, and token traffic is run through it.

It reads the :class:`~designer.design.types.Design` alone, shares no code with the optimiser or the verifier, and
says what it finds by name. What is exact and what is only necessary: ``docs/flow_check.md``.
"""

from designer.fabric.as_built import wirings_of
from designer.fabric.check import flow_check
from designer.fabric.concurrent import concurrent_flow_lp
from designer.fabric.flow_report import BoundaryMargin, FlowMargin, FlowReport, LpCheck, Violation
from designer.fabric.graph import fabric_graph
from designer.fabric.placement import WiringError
from designer.fabric.quotient import NotEquitableError, coarsest_equitable, quotient_graph, verify_equitable
from designer.fabric.recount import recount
from designer.fabric.wiring import Wiring, wire, wirings

__all__ = [
    "BoundaryMargin",
    "FlowMargin",
    "FlowReport",
    "LpCheck",
    "NotEquitableError",
    "Violation",
    "Wiring",
    "WiringError",
    "coarsest_equitable",
    "concurrent_flow_lp",
    "fabric_graph",
    "flow_check",
    "quotient_graph",
    "recount",
    "verify_equitable",
    "wire",
    "wirings",
    "wirings_of",
]
