"""The published cases, recomputed: what the field has printed beside what this program counts."""

from designer.validate.run import Row, validate

__all__ = ["Row", "validate"]
