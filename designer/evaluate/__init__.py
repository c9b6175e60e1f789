"""A given design counted, priced and checked: `evaluate`."""

from designer.evaluate.result import Evaluation
from designer.evaluate.run import evaluate, with_jobs

__all__ = ["Evaluation", "evaluate", "with_jobs"]
