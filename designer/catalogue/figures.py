"""One figure of the catalogue: low, mid, high, where it comes from, and whether it is known at all."""

from __future__ import annotations

from fractions import Fraction
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

Level = Literal["low", "mid", "high"]
LEVELS: tuple[Level, Level, Level] = ("low", "mid", "high")
Basis = Literal["datasheet", "vendor_statement", "paper", "press_estimate", "memory_assumption", "user"]
UNKNOWN = "unknown"
USER_BASIS: Basis = "user"
USER_SOURCE = "overlay"

# Far above any price, rate or failure count; keeps sums of figures finite.
_LARGEST = 1e18
Amount = Annotated[float, Field(ge=0, le=_LARGEST, allow_inf_nan=False)]


class Frozen(BaseModel):
    """Base of all rows: immutable, no unknown keys, no silent conversion of types."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Figure(Frozen):
    """A number with its range and its origin.

    ``mid`` is None when the figure is not known (``mid = "unknown"`` in a file). Without ``low`` or
    ``high`` the figure is exact. A bare number in a file is the user's own figure.

    Examples
    --------
    >>> price = Figure(low=20000, mid=25000, high=35000, basis="press_estimate", source="ms_gb200")
    >>> price.at("low"), price.at("mid")
    (20000.0, 25000.0)
    >>> Figure.model_validate("unknown").at("mid") is None
    True
    >>> Figure.model_validate(0.075)
    Figure(low=None, mid=0.075, high=None, basis='user', source='overlay', note=None)
    """

    low: Amount | None = None
    mid: Amount | None
    high: Amount | None = None
    basis: Basis
    source: Annotated[str, Field(min_length=1, max_length=500)]
    note: str | None = None

    @model_validator(mode="before")
    @classmethod
    def _from_file(cls, value: Any) -> Any:
        if isinstance(value, dict):
            # A table without origin is the user's own; the loader refuses this in the shipped files.
            row = {"basis": USER_BASIS, "source": USER_SOURCE, **value}
            return {**row, "mid": None} if row.get("mid") == UNKNOWN else row
        if isinstance(value, bool):
            return value
        if isinstance(value, int | float):
            return {"mid": value, "basis": USER_BASIS, "source": USER_SOURCE}
        if value == UNKNOWN:
            return {"mid": None, "basis": USER_BASIS, "source": USER_SOURCE}
        return value

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.mid is None:
            if self.low is not None or self.high is not None:
                raise ValueError("an unknown mid without low and high")
            return self
        low = self.mid if self.low is None else self.low
        high = self.mid if self.high is None else self.high
        if not low <= self.mid <= high:
            raise ValueError(f"low <= mid <= high, not {low:g}, {self.mid:g}, {high:g}")
        return self

    @property
    def known(self) -> bool:
        """Whether there is a value."""
        return self.mid is not None

    def at(self, level: Level) -> float | None:
        """Value at a level; a missing low or high is the mid; None when unknown."""
        if level == "low" and self.low is not None:
            return self.low
        if level == "high" and self.high is not None:
            return self.high
        return self.mid

    def exact(self, level: Level) -> Fraction | None:
        """Value at a level as the exact decimal number that the file states.

        Examples
        --------
        >>> Figure.model_validate(0.1).exact("mid")
        Fraction(1, 10)
        """
        value = self.at(level)
        # str() of a float is its shortest decimal text: the digits of the file, not the binary value.
        return None if value is None else Fraction(str(value))
