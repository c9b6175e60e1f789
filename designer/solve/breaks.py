"""What a forced choice breaks: pins and choices of the instance without which it could be built; and what asks nothing.

A force sets aside what it contradicts by itself. What else of the instance stands in its way is found by solving
without it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from designer.answer import Question, SolveOptions
from designer.design.types import Design
from designer.instance.schema import Choose, Instance, Pins
from designer.solve.clock import Deadline
from designer.solve.forcing import Forced
from designer.solve.run import solve_narrowed

# Left out: accelerators and their sizes, which are another question altogether.
_CHOICES = (
    "scale_up_switches",
    "scale_out_switches",
    "links",
    "nics",
    "domain_sizes",
    "scale_out_shapes",
    "scale_out_stages",
    "scale_out_rails",
    "scale_out_planes",
    "max_taper",
)
_STAGES = {"leaf_switch": "leaf", "spine_switch": "spine", "core_switch": "core", "top_switch": "top"}
_BOUNDARIES = {
    "leaf_spine_link": "leaf_spine",
    "spine_core_link": "spine_core",
    "core_top_link": "core_top",
    "leaf_leaf_link": "leaf_leaf",
    "group_group_link": "group_group",
}


def idle(forces: Sequence[str], design: Design) -> tuple[str, ...]:
    """Say which forces ask for nothing, because the design has no such stage or boundary at all."""
    stages = {stage.name for fabric in design.fabrics for stage in fabric.stages if stage.count}
    boundaries = {boundary.name for fabric in design.fabrics for boundary in fabric.boundaries if boundary.links}
    lines = []
    for text in forces:
        key = text.partition("=")[0].strip()
        if key in _STAGES and _STAGES[key] not in stages:
            lines.append(f"{text} asks for nothing: no fabric of the forced design has a {_STAGES[key]}")
        elif key in _BOUNDARIES and _BOUNDARIES[key] not in boundaries:
            what = _BOUNDARIES[key].replace("_", "-")
            lines.append(f"{text} asks for nothing: no fabric of the forced design has {what} links")
    return tuple(lines)


def broken(asked: Question, forced: Forced, options: SolveOptions) -> tuple[str, ...]:
    """Say without which pin or choice of the instance a forced choice that cannot be built could be, and its cost."""
    deadline, own = Deadline.after(options.explain_s), _own(asked.instance, forced.question.instance)
    lines = []
    for key in own:
        if deadline.over:
            break
        usd = _without(forced, (key,), options, deadline)
        if usd is not None:
            lines.append(f"it breaks {_stated(asked.instance, key)}: without that it costs {usd:,.0f} USD a year")
    if not lines and len(own) > 1 and not deadline.over:
        lines += _together(asked, forced, own, options, deadline)
    if deadline.over:
        lines.append(f"what else of the instance it breaks was not settled in {options.explain_s:g} s")
    return tuple(lines)


def _together(
    asked: Question, forced: Forced, own: Sequence[tuple[str, str]], options: SolveOptions, deadline: Deadline
) -> list[str]:
    """The same of several at once: none of those named can be left out."""
    usd, needed = _without(forced, own, options, deadline), list(own)
    if usd is None:
        return []
    for key in own:
        rest = [other for other in needed if other != key]
        less = None if deadline.over else _without(forced, rest, options, deadline)
        if less is not None:
            usd, needed = less, rest
    every = " and ".join(_stated(asked.instance, key) for key in needed)
    return [f"it breaks {every}: without these together it costs {usd:,.0f} USD a year"]


def _own(was: Instance, now: Instance) -> tuple[tuple[str, str], ...]:
    """Pins and choices that the instance sets and a force has left as they are."""
    pins = [("pin", name) for name in Pins.model_fields if getattr(was.pin, name) is not None]
    choices = [("choose", name) for name in _CHOICES if getattr(was.choose, name) != _default(name)]
    return tuple(
        (table, name)
        for table, name in (*pins, *choices)
        if getattr(getattr(was, table), name) == getattr(getattr(now, table), name)
    )


def _default(name: str) -> object:
    return Choose.model_fields[name].default


def _stated(instance: Instance, key: tuple[str, str]) -> str:
    value = getattr(getattr(instance, key[0]), key[1])
    text = ", ".join(str(x) for x in value) if isinstance(value, tuple) else str(value)
    return f"{key[0]}.{key[1]} = {text}"


def _without(
    forced: Forced, keys: Sequence[tuple[str, str]], options: SolveOptions, deadline: Deadline
) -> float | None:
    """What the forced choice costs a year without some pins and choices of the instance (None: no design known)."""
    instance = forced.question.instance
    pins = {name: None for table, name in keys if table == "pin"}
    choices = {name: _default(name) for table, name in keys if table == "choose"}
    freed = instance.model_copy(
        update={"pin": instance.pin.model_copy(update=pins), "choose": instance.choose.model_copy(update=choices)}
    )
    quick = replace(
        options, explain_s=0.0, time_limit_s=deadline.within(options.time_limit_s or options.explain_s).left
    )
    return solve_narrowed(replace(forced.question, instance=freed), quick, forced.narrow).objective_usd
