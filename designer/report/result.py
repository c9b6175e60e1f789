"""``result.json``: one solved question with everything needed to check it again, under a versioned schema."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue, TypeAdapter, ValidationError

from designer.answer import GoalValue, ModelSize, NotOffered, Phase, Progress, Status, TokenGoal
from designer.beside.result import Beside
from designer.design.account import Account
from designer.design.types import Design
from designer.fabric import FlowReport
from designer.problems import InputError, Problem
from designer.reading import problems_from_validation, read_bytes
from designer.report.figures import Counts, KeyFigures, Margin

SCHEMA_VERSION: Literal[2] = 2
SCHEMA_FILE = Path(__file__).with_name("result.schema.json")
_DIALECT = "https://json-schema.org/draft/2020-12/schema"
# A design of a million accelerators is some 10 kB; the bulk is the instance and the trace of progress.
MAX_RESULT_BYTES = 100_000_000

Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class InstanceSource(_Frozen):
    """The instance as read: ``text`` is the file itself, so that a result explains its own question."""

    name: str
    title: str
    file: str
    sha256: Sha256
    text: str


class FileSource(_Frozen):
    """A further file that was read. Its content is not copied: price lists are private."""

    file: str
    sha256: Sha256


class Proof(_Frozen):
    """How good the design is proven to be: no design of the model costs less than ``bound_usd`` a year.

    ``gap`` is ``(objective - bound) / objective``; ``gap_share_of_fabric`` is the same difference as a share of the
    annual cost of everything but accelerators.
    """

    objective_usd: float
    bound_usd: float | None
    gap: float | None
    gap_usd: float | None
    gap_share_of_fabric: float | None


class LinkRow(_Frozen):
    """What a link id stands for, in the words of the catalogue."""

    tech: str
    construction: str
    rate_gbps: float


class Recount(_Frozen):
    """The verifier's word on the design: every broken rule in one line."""

    ok: bool
    findings: tuple[str, ...]


class Result(_Frozen):
    """One solved question."""

    schema_version: Literal[2]
    status: Status
    instance: InstanceSource
    catalogue_sha256: Sha256
    overlay: FileSource | None
    measured_points: FileSource | None
    seed: int
    options: dict[str, JsonValue]
    versions: dict[str, str]
    proof: Proof | None
    goals: tuple[GoalValue, ...] = Field(
        description="every goal in order of rank: USD per year for cost, USD for capex, watts for power, else per year"
    )
    tokens: TokenGoal | None = Field(
        description="when the most tokens were asked for: the design serves every demand times multiplier"
    )
    key_figures: KeyFigures | None
    counts: Counts | None
    links: dict[str, LinkRow]
    margins: tuple[Margin, ...]
    design: Design | None
    account: Account | None
    recount: Recount | None
    flow: FlowReport | None
    what_ifs: tuple[str, ...]
    assumptions: tuple[str, ...]
    not_offered: tuple[NotOffered, ...]
    clash: tuple[str, ...]
    model: ModelSize | None
    phases: tuple[Phase, ...]
    trace: tuple[Progress, ...]
    compared: Beside | None = Field(default=None, description="a given design beside the optimum, where one was named")


_DESIGN: TypeAdapter[Design] = TypeAdapter(Design)


def to_json(result: Result) -> str:
    """Write a result as JSON text; floats keep their exact value."""
    return json.dumps(result.model_dump(mode="json"), indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def from_json(file: str, text: str | bytes) -> Result:
    """Read a result back, or raise `InputError` naming the keys that are wrong.

    Examples
    --------
    >>> from_json("r.json", "{")
    Traceback (most recent call last):
    designer.problems.InputError: r.json: read no valid JSON (line 1); give a result.json that `designer solve` wrote
    """
    data = _parsed(file, text)
    version = data.get("schema_version")
    if version != SCHEMA_VERSION:
        allowed = f"allowed: {SCHEMA_VERSION}, the version of this program; solve the instance again"
        raise InputError([Problem(file, "schema_version", repr(version)[:40], allowed)])
    try:
        result = Result.model_validate_json(text, strict=True)
    except ValidationError as error:
        raise InputError(problems_from_validation(file, error)) from None
    if result.design is not None:
        _complete(file, result.design, data["design"])
    if hashlib.sha256(result.instance.text.encode()).hexdigest() != result.instance.sha256:
        allowed = "the text that instance.sha256 belongs to; it was changed after the run"
        raise InputError([Problem(file, "instance.text", "another text", f"allowed: {allowed}")])
    return result


def read_result(path: Path) -> Result:
    """Read ``result.json``, or the one inside a run folder."""
    file = path / "result.json" if path.is_dir() else path
    if not file.exists():
        allowed = "give a run folder or its result.json, as `designer solve` stored it"
        raise InputError([Problem(str(file), "", "no such file", allowed)])
    return from_json(str(file), read_bytes(file, MAX_RESULT_BYTES))


def design_to_json(design: Design) -> str:
    """Write a design alone as JSON text."""
    return json.dumps(_DESIGN.dump_python(design, mode="json"), indent=1, allow_nan=False) + "\n"


def design_from_json(file: str, text: str | bytes) -> Design:
    """Read a design back exactly as it was, or raise `InputError` naming the keys that are wrong.

    Examples
    --------
    >>> design_from_json("d.json", '{"instance": 3}')
    Traceback (most recent call last):
    designer.problems.InputError: d.json: instance: read 3; allowed: a valid string
    d.json: pools: read nothing; this key is required
    d.json: fabric: read nothing; this key is required
    """
    data = _parsed(file, text)
    try:
        design = _DESIGN.validate_json(text, strict=True)
    except ValidationError as error:
        raise InputError(problems_from_validation(file, error)) from None
    _complete(file, design, data)
    return design


def json_schema() -> str:
    """The JSON Schema of ``result.json``; the file `SCHEMA_FILE` holds this text."""
    schema = Result.model_json_schema(mode="serialization")
    return json.dumps({"$schema": _DIALECT, **schema}, indent=1) + "\n"


def _parsed(file: str, text: str | bytes) -> dict[str, Any]:
    here = "give a result.json that `designer solve` wrote"
    try:
        data = json.loads(text)
    except json.JSONDecodeError as error:
        raise InputError([Problem(file, "", f"no valid JSON (line {error.lineno})", here)]) from None
    except (ValueError, RecursionError):
        raise InputError([Problem(file, "", "no valid JSON", here)]) from None
    if not isinstance(data, dict):
        raise InputError([Problem(file, "", "JSON that is not an object", here)])
    return data


def _complete(file: str, design: Design, data: Any) -> None:
    """Refuse keys that the dataclasses would silently drop: a design must be read whole."""
    dropped = sorted(_paths(data) - _paths(_DESIGN.dump_python(design, mode="json")))
    if dropped:
        hint = "drop it, or use the version that wrote it"
        raise InputError([Problem(file, f"design{key}", "an unknown key", hint) for key in dropped])


def _paths(value: Any, at: str = "") -> set[str]:
    if isinstance(value, dict):
        return {at}.union(*(_paths(item, f"{at}.{key}") for key, item in value.items()))
    if isinstance(value, list):
        return {at}.union(*(_paths(item, f"{at}[{index}]") for index, item in enumerate(value)))
    return {at}
