"""tokenfabric: networks of AI clusters designed from a token demand, with a proof.

The library is six calls: `load` reads a question, `solve` answers it, `why_not` prices a forced choice against that
answer, `verify` recounts it, `flow_check` runs traffic through it, and `evaluate` counts out, prices and checks a
design written by hand. Each is imported on first use, so that ``designer --help`` stays quick.
"""

from __future__ import annotations

import importlib
import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from designer.evaluate import evaluate
    from designer.fabric import flow_check
    from designer.instance.load import load
    from designer.solve.run import solve
    from designer.solve.why_not import why_not
    from designer.verify import verify

__all__ = ["__version__", "evaluate", "flow_check", "load", "solve", "verify", "why_not"]

__version__ = "0.1.0"

_CALLS = {
    "load": "designer.instance.load",
    "solve": "designer.solve.run",
    "why_not": "designer.solve.why_not",
    "verify": "designer.verify",
    "flow_check": "designer.fabric",
    "evaluate": "designer.evaluate",
}


def __getattr__(name: str) -> Any:
    if name not in _CALLS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    call = getattr(importlib.import_module(_CALLS[name]), name)
    globals()[name] = call
    return call


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


class _Library(ModuleType):
    """Keeps ``designer.solve`` the call although importing the package of the same name would replace it."""

    def __setattr__(self, name: str, value: Any) -> None:
        if not (name in _CALLS and isinstance(value, ModuleType)):
            super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Library
