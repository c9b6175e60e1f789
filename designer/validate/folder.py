"""Where the published cases lie, and the designs, instances, overlays and populations that they name."""

from __future__ import annotations

from pathlib import Path

FOLDER = Path(__file__).with_name("data")
