"""kubectl, as a person would type it."""

from __future__ import annotations

import json
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

TIMEOUT_SECONDS = 90


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What a command printed."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@dataclass(frozen=True, slots=True, kw_only=True)
class Kubectl:
    """kubectl against one cluster and one namespace.

    Attributes:
        program: Its path.
        kubeconfig: Names the server and the users.
        namespace: Where commands work unless they say otherwise.
        home: For its caches.
    """

    program: Path
    kubeconfig: Path
    namespace: str
    home: Path

    def try_to(self, *arguments: str, stdin: str | None = None) -> Said:
        """Run a command that may fail."""
        done = subprocess.run(
            [str(self.program), "--namespace", self.namespace, *arguments],
            input=stdin,
            env={**os.environ, "KUBECONFIG": str(self.kubeconfig), "HOME": str(self.home)},
            capture_output=True,
            text=True,
            timeout=TIMEOUT_SECONDS,
            check=False,
        )
        return Said(code=done.returncode, out=done.stdout, err=done.stderr)

    def __call__(self, *arguments: str, stdin: str | None = None) -> Said:
        """Run a command that must succeed."""
        said = self.try_to(*arguments, stdin=stdin)
        assert said.code == 0, said
        return said
