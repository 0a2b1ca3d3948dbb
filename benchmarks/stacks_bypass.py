"""Attempts to have something applied that nobody approved; `benchmarks.stacks` includes it.

Run with `python -m benchmarks.stacks_bypass [--quick] [--json]`. Seeded previews for each kind of
approval, every attempt of `benchmarks.stacks_bypass_attempts` on each of them, values changed at random
anywhere in a preview, and edits of what is stored (`benchmarks.stacks_bypass_edits`). Signatures are made and verified by the real ssh-keygen. What is honest
is counted beside it: every one of those has to be approved.
"""

from __future__ import annotations

import subprocess
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from random import Random

from benchmarks.harness import Metrics, notice, parse_options, publish, show_table
from benchmarks.stacks_bypass_attempts import ATTEMPTS
from benchmarks.stacks_bypass_cases import NOW, Attempt, Case, Signed, case_in_order
from benchmarks.stacks_bypass_edits import BEYOND, STORED, STORED_HONEST, TOLERATED
from benchmarks.stacks_bypass_honest import HONEST
from benchmarks.stacks_bypass_made_up import made_up_preview
from benchmarks.stacks_bypass_previews import any_leaf
from benchmarks.stacks_bypass_stored import StoppedError
from tasks.adapters.signatures import verified_signers
from tasks.domain.stacks.approval import Demand, signed_text
from tasks.domain.stacks.judgement import Approved, Denied, Verdict, judge

SEED = 5
PREVIEWS, QUICK_PREVIEWS = 6, 2
"""Of each kind."""
LEAVES, QUICK_LEAVES = 60, 30
"""Values changed at random in each preview."""
DISHONEST = ("table", "random", "stored")
ALLOWED = ("ada", "ada-2", "bob", "cleo", "dora")
ENDED = {"dora": 'valid-before="20260101Z"'}


@dataclass(kw_only=True)
class Signatures:
    """Keys in a folder, what they signed, and what of it was verified; each made once."""

    folder: Path
    made: dict[tuple[Signed, bytes], str] = field(default_factory=dict)
    verified: dict[tuple[bytes, tuple[str, ...]], frozenset[str]] = field(default_factory=dict)

    @cached_property
    def allowed_signers(self) -> str:
        """Keys of the same person share a name; the permission of some has ended."""
        return "\n".join(
            f"{key.partition('-')[0]} {ENDED.get(key, '')} {self._public(key)}" for key in ALLOWED
        )

    def of(self, case: Case) -> tuple[str, ...]:
        """Return the signatures of a case as they arrive."""
        text = signed_text(case.request.hash)
        return case.shape(tuple(self._signature(one, text) for one in case.signed))

    def signers(self, hash_: str, signatures: tuple[str, ...]) -> frozenset[str]:
        """Return who signed a hash, as verified by ssh-keygen."""
        message = signed_text(hash_)
        key = (message, signatures)
        if key not in self.verified:
            self.verified[key] = verified_signers(
                message, signatures, allowed_signers=self.allowed_signers, at=NOW
            )
        return self.verified[key]

    def _signature(self, one: Signed, text: bytes) -> str:
        message = text if one.text is None else one.text.encode()
        if (one, message) not in self.made:
            self._public(one.key)
            sign = ["ssh-keygen", "-Y", "sign", "-n", one.namespace]
            done = subprocess.run(
                [*sign, "-f", str(self.folder / one.key)],
                input=message,
                capture_output=True,
                check=True,
                timeout=30,
            )
            self.made[one, message] = done.stdout.decode()
        return self.made[one, message]

    def _public(self, key: str) -> str:
        file = self.folder / key
        if not file.exists():
            make = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", key, "-f", str(file)]
            subprocess.run(make, check=True, timeout=30)
        return " ".join(file.with_suffix(".pub").read_text().split()[:2])


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """One attempt or honest variation and what became of it."""

    attempt: Attempt
    demand: Demand
    verdict: Verdict

    @property
    def approved(self) -> bool:
        """Whether it would be applied."""
        return isinstance(self.verdict, Approved)


def main(argv: Sequence[str] | None = None) -> None:
    """Measure, print tables, and with --json one line of figures."""
    options = parse_options("stacks_bypass", argv)
    publish(options, measure(quick=options.quick))


def measure(*, quick: bool) -> Metrics:
    """Return how many attempts there were and how many succeeded; the same for what is honest."""
    with tempfile.TemporaryDirectory() as folder:
        signatures = Signatures(folder=Path(folder))
        found = {
            way: list(judged(signatures, some, quick=quick)) for way, some in ways(quick).items()
        }
    tried = [one for way in DISHONEST for one in found[way]]
    honest, tolerated, beyond = found["honest"], found["spot_tolerated"], found["beyond"]
    _show(tried, [*honest, *tolerated], beyond)
    return {
        "bypass_attempts": float(len(tried)),
        **{f"bypass_{way}_attempts": float(len(found[way])) for way in DISHONEST},
        "bypass_succeeded": float(sum(one.approved for one in tried)),
        "bypass_honest": float(len(honest)),
        "bypass_honest_approved": float(sum(one.approved for one in honest)),
        "bypass_beyond": float(len(beyond)),
        "bypass_beyond_approved": float(sum(one.approved for one in beyond)),
        "bypass_spot_tolerated": float(len(tolerated)),
        "bypass_spot_tolerated_approved": float(sum(one.approved for one in tolerated)),
    }


def ways(quick: bool) -> dict[str, tuple[Attempt, ...]]:
    """Return the table, values changed at random, what goes through storage, and what is honest."""
    leaves = Attempt(group="any value of the preview", name="changed", change=any_leaf)
    return {
        "table": ATTEMPTS,
        "random": (leaves,) * (QUICK_LEAVES if quick else LEAVES),
        "stored": STORED,
        "honest": (*HONEST, *STORED_HONEST),
        "spot_tolerated": TOLERATED,
        "beyond": BEYOND,
    }


def judged(signatures: Signatures, attempts: Sequence[Attempt], *, quick: bool) -> Iterator[Judged]:
    """Yield the verdict on every way that can be gone with every preview."""
    rng = Random(SEED)  # noqa: S311 - a seeded draw
    for demand in (Demand.FORM, Demand.SIGNATURE, Demand.TWO_SIGNATURES):
        for number in range(QUICK_PREVIEWS if quick else PREVIEWS):
            in_order = case_in_order(made_up_preview(demand, number=number, rng=rng), demand)
            for attempt in attempts:
                verdict = verdict_of(attempt, in_order, rng, signatures)
                if verdict is not None:
                    yield Judged(attempt=attempt, demand=demand, verdict=verdict)


def verdict_of(
    attempt: Attempt, in_order: Case, rng: Random, signatures: Signatures
) -> Verdict | None:
    """Return what becomes of an attempt; None where the case has nothing to change."""
    try:
        case = attempt.change(in_order, rng)
    except StoppedError as error:
        return Denied(why=(str(error),))
    return None if case is None else verdict_on(case, signatures)


def verdict_on(case: Case, signatures: Signatures) -> Verdict:
    """Return what the judge says, with what ssh-keygen says of the signatures."""
    made = signatures.of(case)
    return judge(
        case.request,
        replace(case.given, signatures=made),
        preview_now=case.preview,
        now=case.now,
        verified_signers=signatures.signers(case.request.hash, made),
        used=case.used,
        record_sha256=case.record_sha256,
    )


def _show(attempts: Sequence[Judged], honest: Sequence[Judged], beyond: Sequence[Judged]) -> None:
    every = [*attempts, *honest, *beyond]
    made = Counter(one.attempt.group for one in every)
    approved = Counter(one.attempt.group for one in every if one.approved)
    show_table(
        "Attempts to have applied what nobody approved",
        ("way", "tried", "approved"),
        [(group, count, approved[group]) for group, count in made.items()],
    )
    for one in attempts:
        if one.approved:
            notice(f"approved: {one.attempt.group}, {one.attempt.name} ({one.demand})")
    for one in honest:
        if isinstance(one.verdict, Denied):
            notice(f"denied: {one.attempt.name} ({one.demand}): {'; '.join(one.verdict.why)}")


if __name__ == "__main__":
    main()
