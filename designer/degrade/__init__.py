"""What failures leave of a design: single ones by classes, several at random, the worst found."""

from designer.degrade.result import Degraded
from designer.degrade.run import degrade

__all__ = ["Degraded", "degrade"]
