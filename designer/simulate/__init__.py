"""The failures of a design, simulated: everything fails, is repaired, and takes down what stands on it."""

from designer.simulate.result import Estimate, Happened, Row, Simulation
from designer.simulate.run import simulate

__all__ = ["Estimate", "Happened", "Row", "Simulation", "simulate"]
