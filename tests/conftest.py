"""What every test can ask for, and what is said at the end of a run."""

from __future__ import annotations

pytest_plugins = ["pytester", "tests.support.reality", "tests.support.prefect_session"]
