"""Signatures made with `ssh-keygen -Y sign`, verified by the same program."""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from tasks.domain.errors import PermanentError, TransientError
from tasks.domain.guardrails.signers import allowed_signers as parse_signers
from tasks.domain.guardrails.signers import signatures_in
from tasks.domain.stacks.approval import NAMESPACE

TIMEOUT_SECONDS = 20.0
"""Of one call, which takes some milliseconds."""


class SigningToolMissingError(PermanentError):
    """There is no ssh-keygen, so no signature can be verified and none counts."""

    def __init__(self, program: str) -> None:
        self.program = program
        super().__init__(
            f"{program} is not installed on this worker, and signatures are verified by it; install "
            "the OpenSSH client (openssh-client, openssh-clients), version 8.9 or later"
        )


def verified_signers(
    message: bytes,
    signatures: Sequence[str],
    *,
    allowed_signers: str,
    at: datetime,
    namespace: str = NAMESPACE,
    program: str = "ssh-keygen",
    timeout_seconds: float = TIMEOUT_SECONDS,
) -> frozenset[str]:
    """Return who of the allowed signers signed a message: each name once.

    What is no signature, of a stranger, of another message, for another purpose or with a key that
    is not valid at that time counts for nothing.

    Args:
        message: As signed, for example `approval.signed_text(hash)`.
        signatures: As pasted: armoured, one or more in a text.
        allowed_signers: In the format of `signers.allowed_signers`.
        at: Aware: when keys have to be valid. Times in the list are UTC.
        namespace: That the signatures have to be made for.
        program: Name or path of ssh-keygen.
        timeout_seconds: Of one call.

    Raises:
        SignersError: The list cannot be used.
        SigningToolMissingError: There is no ssh-keygen.
        TransientError: It does not answer.
        PermanentError: It cannot run here, or there are too many signatures, or `at` has no zone.
    """
    if at.tzinfo is None:
        problem = f"{at} has no time zone; give an aware instant"
        raise PermanentError(problem)
    signers = parse_signers(allowed_signers)
    pasted = signatures_in(signatures)
    if not signers or not pasted:
        return frozenset()
    with tempfile.TemporaryDirectory(prefix="homeostat-signatures-") as folder:
        allowed = Path(folder, "allowed_signers")
        allowed.write_text("".join(f"{one.line}\n" for one in signers), encoding="ascii")
        keygen = _Keygen(
            program=program,
            allowed=allowed,
            at=at,
            namespace=namespace,
            timeout_seconds=timeout_seconds,
        )
        names = frozenset(one.principal for one in signers)
        return frozenset(
            name for one in pasted if (name := keygen.signer(one, message)) in names and name
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Keygen:
    program: str
    allowed: Path
    at: datetime
    namespace: str
    timeout_seconds: float

    def signer(self, signature: str, message: bytes) -> str | None:
        """Return the name under which a signature of a message is good; None for no name."""
        file = self.allowed.with_name("signature")
        file.write_text(signature, encoding="ascii")
        found = self._run("find-principals", "-s", str(file))
        names = set(found.stdout.decode("ascii", "replace").split())
        if found.returncode != 0 or len(names) != 1:
            return None
        (name,) = names
        verified = self._run(
            "verify", "-n", self.namespace, "-s", str(file), "-I", name, message=message
        )
        return name if verified.returncode == 0 else None

    def _run(
        self, action: str, *options: str, message: bytes = b""
    ) -> subprocess.CompletedProcess[bytes]:
        moment = self.at.astimezone(UTC).strftime("%Y%m%d%H%M%S")
        command = [self.program, "-Y", action, *options, "-f", str(self.allowed)]
        try:
            done = subprocess.run(
                [*command, f"-Overify-time={moment}"],
                input=message,
                capture_output=True,
                timeout=self.timeout_seconds,
                check=False,
                env=_environment(os.environ),
            )
        except FileNotFoundError as error:
            raise SigningToolMissingError(self.program) from error
        except subprocess.TimeoutExpired as error:
            problem = f"{self.program} did not answer in {self.timeout_seconds:g} s; try again"
            raise TransientError(problem) from error
        except OSError as error:
            problem = f"{self.program} cannot be run: {error}"
            raise PermanentError(problem) from error
        _check_it_could_work(done, self.program)
        return done


def _environment(ours: Mapping[str, str]) -> dict[str, str]:
    """Return the environment for ssh-keygen: times in UTC, messages in English, no agent."""
    return {"PATH": ours.get("PATH", os.defpath), "TZ": "UTC", "LC_ALL": "C"}


def _check_it_could_work(done: subprocess.CompletedProcess[bytes], program: str) -> None:
    """Raise where ssh-keygen could not even look, which must not pass for a bad signature."""
    said = done.stderr.decode("utf-8", "replace").strip()
    for sign in ("No user exists", "unknown option", "illegal option", "Unsupported operation"):
        if sign in said:
            problem = f"{program} cannot verify here: {said[:200]!r}; install OpenSSH 8.9 or later"
            raise PermanentError(problem)
