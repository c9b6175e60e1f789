"""The wide designs are sound, and no value in them can be changed unnoticed."""

from __future__ import annotations

import pytest
from verify_tampering import ROUND, said, touch_everything
from verify_wide_builds import COPIES, SCALE_UP

from designer.verify import verify

BUILDS = COPIES | SCALE_UP


@pytest.mark.parametrize("name", BUILDS)
def test_sound_designs_pass(name: str) -> None:
    design, instance = BUILDS[name]
    result = verify(design(), ROUND, instance())
    assert result.ok, said(result)


@pytest.mark.parametrize("name", BUILDS)
def test_no_value_can_be_touched_unnoticed(name: str) -> None:
    design, instance = BUILDS[name]
    # With two stages the spine taper is asked by no rule; what is joined directly states less.
    assert touch_everything(design(), instance(), {"spine_taper"}) > (150 if name in COPIES else 120)
