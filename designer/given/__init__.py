"""A design written by hand: the file, its schema, and what in it does not fit together."""

from designer.given.load import Given, load_given
from designer.given.schema import GivenDesign

__all__ = ["Given", "GivenDesign", "load_given"]
