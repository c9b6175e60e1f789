"""Checks a finished design without trusting anything the optimiser computed.

:func:`verify` reads the design, the catalogue and the instance, counts everything again by ``docs/rules.md``
in exact arithmetic, and reports each broken rule by name. It shares no code with the candidates, the model
or the price book: a checker that shares code checks nothing.
"""

from designer.verify.findings import Finding
from designer.verify.recount import Verification, verify

__all__ = ["Finding", "Verification", "verify"]
