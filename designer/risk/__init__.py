"""What is known of the failures of a design: rates as distributions, the survival of jobs, checkpoints, luck."""

from designer.risk.result import Risk, ScenarioRisk
from designer.risk.run import risk

__all__ = ["Risk", "ScenarioRisk", "risk"]
