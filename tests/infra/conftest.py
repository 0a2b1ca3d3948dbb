"""What tests of the whole thing share."""

from __future__ import annotations

from tests.support.installation import installation

__all__ = ["installation"]
