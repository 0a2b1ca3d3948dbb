"""Honest answers in another form: every one of them has to be approved."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from benchmarks.stacks_bypass_answers import (
    applied_at,
    elsewhere,
    keys_turned,
    shuffled,
    signed_honestly,
)
from benchmarks.stacks_bypass_cases import NOW, Attempt, Signed
from benchmarks.stacks_bypass_previews import in_preview, one_cost

HONEST: tuple[Attempt, ...] = tuple(
    Attempt(group="honest", name=name, change=change)
    for name, change in (
        ("as it was", lambda case, _: case),
        ("in another order", shuffled),
        ("keys in another order, lists for tuples, 1.0 for 1", keys_turned),
        (
            "rounding below a cent",
            one_cost(
                lambda c: replace(
                    c, after_usd=None if c.after_usd is None else c.after_usd * (1 + 1e-12)
                )
            ),
        ),
        ("another engine, other remarks", in_preview(engine="3.999", notes=("a warning",))),
        ("another wording of the arithmetic", one_cost(lambda c: replace(c, basis="otherwise"))),
        ("in another time zone", elsewhere),
        (
            "a microsecond before the end",
            applied_at(NOW + timedelta(hours=2) - timedelta(microseconds=1)),
        ),
        ("signed the other way round", signed_honestly(Signed(key="bob"), Signed(key="ada"))),
        ("by three", signed_honestly(Signed(key="bob"), Signed(key="ada"), Signed(key="cleo"))),
        (
            "by two and a stranger",
            signed_honestly(Signed(key="mallory"), Signed(key="ada-2"), Signed(key="cleo")),
        ),
    )
)
