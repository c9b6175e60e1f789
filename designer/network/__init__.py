"""Networks as arrays: boxes, the links between them, where they stand, and what they carry."""

from designer.network.graph import Bundle, Kind, Network

__all__ = ["Bundle", "Kind", "Network"]
