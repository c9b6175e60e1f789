"""A design written by hand beside the optimum under the same demand: what differs, and what each difference is worth."""

from designer.beside.result import Beside
from designer.beside.run import asked_alike, beside

__all__ = ["Beside", "asked_alike", "beside"]
