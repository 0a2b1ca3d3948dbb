"""What tests of flows share."""

from __future__ import annotations

import pytest
from botocore.retries.standard import ExponentialBackoff


@pytest.fixture
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let clients try again at once, as often as ever: eight attempts pause for half a minute."""
    monkeypatch.setattr(ExponentialBackoff, "delay_amount", lambda *_: 0.0)
