"""What every test can ask for, and what is said at the end of a run."""

from __future__ import annotations

from hypothesis import HealthCheck, settings

pytest_plugins = [
    "pytester",
    "tests.support.order",
    "tests.support.prefect_session",
    "tests.support.reality",
]

# The same examples on every machine, and no failure because a machine was busy. The option
# `--hypothesis-profile search` looks for new counterexamples.
settings.register_profile(
    "repeatable",
    derandomize=True,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.register_profile("search", deadline=None, max_examples=1000)
settings.load_profile("repeatable")
