"""At which figure the best design flips: proven optima along one figure of the catalogue or the instance."""

from designer.breakeven.result import BreakEven, Flip, Side
from designer.breakeven.run import breakeven

__all__ = ["BreakEven", "Flip", "Side", "breakeven"]
