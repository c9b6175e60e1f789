"""Failures that others have counted, and what they say about a population that nobody has looked at.

Rates of one kind of component differ between populations (makes, ages, what is called a failure) by far more than
chance, so a prediction for another population is a random-effects prediction interval on the log scale
(Higgins, Thompson and Spiegelhalter, J. R. Stat. Soc. A 172 (2009), section 3.3, with equal weights): the mean of
the known populations, the spread between populations, pooled over all kinds of components, and Student's t.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Annotated, Self

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from scipy import stats

from designer.problems import InputError
from designer.reading import parse_toml, plain_tables, problems_from_validation
from designer.validate.folder import FOLDER

# Draws for sums of several kinds; a power of two, stratified, so that figures do not hang on luck.
_DRAWS = 1 << 15
_LOW, _HIGH = 0.05, 0.95
_FIT = 1e9
"""Failures in so many component-hours."""


class Population(BaseModel):
    """Components of one kind that somebody has watched.

    ``events`` in ``component_hours``, or only the rate ``fit`` (failures in 1e9 component-hours), ``fit_to`` its other
    end where a range was printed.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    id: str
    case: str = Field(description="id of the published case that counts these, or a name of its own")
    kind: str
    source: str
    confidence: str
    events: Annotated[int, Field(ge=1)] | None = None
    component_hours: Annotated[float, Field(gt=0)] | None = None
    fit: Annotated[float, Field(gt=0)] | None = None
    fit_to: Annotated[float, Field(gt=0)] | None = None

    @model_validator(mode="after")
    def _one_figure(self) -> Self:
        counted = self.events is not None and self.component_hours is not None
        if counted == (self.fit is not None) or (self.fit is None and self.fit_to is not None):
            raise ValueError("events and component_hours, or fit")
        return self

    @property
    def log_fit(self) -> float:
        """Natural logarithm of the failures in 1e9 component-hours; of a range the geometric mean."""
        if self.events is not None and self.component_hours is not None:
            return float(np.log(self.events / self.component_hours * _FIT))
        assert self.fit is not None
        return float(np.log(self.fit * (self.fit_to or self.fit)) / 2)


class _File(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    populations: tuple[Population, ...]


@cache
def populations() -> tuple[Population, ...]:
    """Read the populations that come with the program.

    Raises
    ------
    InputError
        When the file of the program is damaged.

    Examples
    --------
    >>> sum(row.kind == "nic_leaf_link" for row in populations()) >= 4
    True
    """
    name = "populations.toml"
    try:
        content = (FOLDER / name).read_bytes()
        return _File.model_validate(plain_tables(name, parse_toml(name, content))).populations
    except ValidationError as error:
        raise InputError(problems_from_validation(name, error, _File)) from None


@dataclass(frozen=True)
class Rate:
    """What is known of a kind of component: median of its rate, and the spread of another population around it.

    ``log_fit`` natural logarithm of failures in 1e9 component-hours; ``scale`` and ``freedom`` of Student's t around
    it; ``sources`` the ids of the populations.
    """

    log_fit: float
    scale: float
    freedom: int
    sources: tuple[str, ...]

    def at(self, share: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Quantiles of the rate, failures in 1e9 component-hours."""
        return np.exp(self.log_fit + self.scale * stats.t.ppf(share, self.freedom))


def rate_of(kind: str, without: Collection[str] = (), known: Sequence[Population] | None = None) -> Rate | None:
    """Predict the rate of a kind of component in a population that has not been looked at.

    Parameters
    ----------
    kind
        Kind of component.
    without
        Ids of cases and populations that are left out, everywhere: those that are to be predicted.
    known
        Populations; by default those of the program.

    Returns
    -------
    Rate or None
        None where no other population is known, or none tells how much populations differ.

    Examples
    --------
    >>> rate = rate_of("nic_leaf_link", without=["LLAMA3_54D"])
    >>> "llama3_network" in rate.sources
    False
    """
    groups: defaultdict[str, list[Population]] = defaultdict(list)
    for row in populations() if known is None else known:
        if row.case not in without and row.id not in without:
            groups[row.kind].append(row)
    logs = {name: np.array([row.log_fit for row in rows]) for name, rows in groups.items()}
    freedom = sum(values.size - 1 for values in logs.values())
    if kind not in logs or freedom < 1:
        return None
    between = sum(float(((values - values.mean()) ** 2).sum()) for values in logs.values()) / freedom
    mine = logs[kind]
    scale = float(np.sqrt(between * (1 + 1 / mine.size)))
    return Rate(float(mine.mean()), scale, freedom, tuple(row.id for row in groups[kind]))


@dataclass(frozen=True)
class Predicted:
    """A predicted figure: its median and the ends of the 90 % interval."""

    mid: float
    low: float
    high: float


def predicted_events(
    parts: Sequence[tuple[str, float]], without: Collection[str] = ()
) -> tuple[dict[str, Predicted], str]:
    """Predict how many failures some components will have.

    Parameters
    ----------
    parts
        Kind and component-hours.
    without
        As for `rate_of`.

    Returns
    -------
    dict of Predicted, str
        ``events``, and per kind ``events.KIND``, ``fit.KIND`` and ``share.KIND`` (of all events); and what is missing
        (then the dict is empty). Chance is part of it: events are Poisson at a rate that is drawn for each kind.

    Examples
    --------
    >>> figures, missing = predicted_events([("nic_leaf_link", 16384 * 54 * 24.0)], ["LLAMA3_54D"])
    >>> figures["events"].low < 35 < figures["events"].high, missing
    (True, '')
    """
    rates = [rate_of(kind, without) for kind, _ in parts]
    absent = [kind for (kind, _), rate in zip(parts, rates, strict=True) if rate is None]
    if absent:
        return {}, f"no other population of {', '.join(absent)}"
    rng = np.random.Generator(np.random.PCG64(0))
    draws: dict[str, npt.NDArray[np.float64]] = {}
    out: dict[str, Predicted] = {}
    for (kind, hours), rate in zip(parts, rates, strict=True):
        assert rate is not None
        fit = rate.at(_strata(rng))
        draws[kind] = np.asarray(stats.poisson.ppf(_strata(rng), fit / _FIT * hours), float)
        out[f"fit.{kind}"] = _spread(fit)
        out[f"events.{kind}"] = _spread(draws[kind])
    total = np.sum(list(draws.values()), axis=0)
    out["events"] = _spread(total)
    if len(parts) > 1:
        some = np.maximum(total, 1.0)
        out |= {f"share.{kind}": _spread(mine / some) for kind, mine in draws.items()}
    return out, ""


def _strata(rng: np.random.Generator) -> npt.NDArray[np.float64]:
    """One uniform draw in each of equal strata, in random order."""
    return (rng.permutation(_DRAWS) + rng.random(_DRAWS)) / _DRAWS


def _spread(values: npt.NDArray[np.float64]) -> Predicted:
    mid, low, high = np.quantile(values, [0.5, _LOW, _HIGH])
    return Predicted(float(mid), float(low), float(high))
