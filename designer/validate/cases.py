"""Published cases as data: what is given, what was published, and where it says so."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from designer.problems import InputError, Problem
from designer.reading import parse_toml, plain_tables, problems_from_validation
from designer.validate.folder import FOLDER


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Expected(_Frozen):
    """One published figure and the computed quantity it belongs to.

    The figure is compared with ``quantity`` of the subject ``of``, with the quantities ``plus`` added and ``less``
    taken off, divided by the quantity ``per`` where given, by the same of the subject ``against`` where given, and by
    ``unit`` (1e6 for millions). ``tolerance`` is relative; 0 means that the figures are equal as printed. "within": the
    published figure lies inside the predicted interval (of a range, some of it). "at_most": no more than published, nor
    than is counted of the published design ``beside`` where that has the quantity.
    """

    what: str = Field(description="in the words of the source")
    quantity: str
    plus: tuple[str, ...] = ()
    less: tuple[str, ...] = ()
    of: str = "it"
    per: str | None = None
    against: str | None = None
    unit: Annotated[float, Field(gt=0)] = 1.0
    published: float
    up_to: float | None = Field(default=None, description="other end, where a range was published")
    compare: Literal["equal", "at_most", "within"] = "equal"
    beside: str | None = Field(default=None, description="the published design, to say why an optimum is cheaper")
    tolerance: Annotated[float, Field(ge=0, lt=1)] = 0.0
    because: str | None = Field(default=None, description="why a difference is known and stands")
    rounded_to: Annotated[float, Field(gt=0)] | None = Field(
        default=None, description="unit of the last printed digit: half of it is agreement too"
    )


class Formula(_Frozen):
    """A topology that is counted by its closed form alone, because nothing of these parameters can be built.

    ``usd`` is the price of a box, by stage, and of a link, by bundle; ``watts`` the power of one.
    """

    topology: dict[str, Any]
    usd: dict[str, float] = Field(default_factory=dict)
    watts: dict[str, float] = Field(default_factory=dict)


class Components(_Frozen):
    """Components that may fail: ``kind`` as in populations.toml, or any name where ``fit`` is given."""

    kind: str
    units: Annotated[float, Field(gt=0)]
    fit: Annotated[float, Field(gt=0)] | None = Field(
        default=None, description="failures in 1e9 component-hours, where the case gives them"
    )


class Failures(_Frozen):
    """Failures to predict from other populations than that of the case (and than those in ``without``)."""

    hours: Annotated[float, Field(gt=0)]
    components: Annotated[tuple[Components, ...], Field(min_length=1)]
    without: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _all_or_none_given(self) -> Failures:
        if len({part.fit is None for part in self.components}) > 1:
            raise ValueError("either all rates are given or none")
        return self


class Case(_Frozen):
    """One published case.

    ``use`` as in the field: a counts, b cost or power, c the optimum must be no dearer, d failures, which are predicted
    from what others have counted (``failures``), e tokens, by the token model (``tokens``: ids in `tokens.toml`), x
    context. ``designs`` and ``instances`` are the subjects: files in `FOLDER` that `designer evaluate` and
    `designer solve` read; an instance may come with an overlay of the catalogue. ``formulas`` are counted only. A case
    that cannot be recomputed says why in ``not_checkable``, one of which a part cannot in ``note``.
    """

    id: str
    title: str
    source: str
    confidence: str
    use: tuple[Literal["a", "b", "c", "d", "e", "x"], ...]
    note: str = ""
    not_checkable: str | None = None
    designs: dict[str, str] = Field(default_factory=dict)
    formulas: dict[str, Formula] = Field(default_factory=dict)
    instances: dict[str, str] = Field(default_factory=dict)
    failures: dict[str, Failures] = Field(default_factory=dict)
    tokens: dict[str, str] = Field(default_factory=dict)
    overlays: dict[str, str] = Field(default_factory=dict)
    expect: tuple[Expected, ...] = ()

    @model_validator(mode="after")
    def _complete(self) -> Case:
        named = [*self.designs, *self.formulas, *self.instances, *self.failures, *self.tokens]
        subjects = set(named)
        if (self.not_checkable is None) != bool(self.expect):
            raise ValueError("a case has expected figures, or says why it is not checkable")
        asked = [name for row in self.expect for name in (row.of, row.against, row.beside) if name is not None]
        unknown = [name for name in asked if name not in subjects]
        if unknown:
            raise ValueError(f"expected figures of {', '.join(unknown)}, which the case does not give")
        if any(row.compare == "within" and (row.plus or row.less) for row in self.expect):
            raise ValueError("a prediction is one quantity: nothing is added to it or taken off")
        if len(named) > len(subjects) or self.overlays.keys() - self.instances.keys():
            raise ValueError("every subject has a name of its own; an overlay belongs to an instance")
        return self


class _File(_Frozen):
    cases: tuple[Case, ...]


def published_cases() -> tuple[Case, ...]:
    """Read the cases that come with the program, in the order of their files.

    Raises
    ------
    InputError
        When a file of the program is damaged, or an id occurs twice.

    Examples
    --------
    >>> len({case.id for case in published_cases()}) == len(published_cases()) > 0
    True
    """
    found: list[Case] = []
    problems: list[Problem] = []
    for name, content in _texts():
        try:
            found += _File.model_validate(plain_tables(name, parse_toml(name, content))).cases
        except ValidationError as error:
            problems += problems_from_validation(name, error, _File)
    ids = [case.id for case in found]
    problems += [
        Problem("published cases", case, "the same id twice", "give every case an id of its own")
        for case in sorted({i for i in ids if ids.count(i) > 1})
    ]
    if problems:
        raise InputError(problems)
    return tuple(found)


def _texts() -> Iterator[tuple[str, bytes]]:
    for path in sorted(FOLDER.glob("cases*.toml")):
        yield path.name, path.read_bytes()
