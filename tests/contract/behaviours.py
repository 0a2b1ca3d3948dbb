"""How many behaviours the contract has: `python -m tests.contract.behaviours [SERVER]`."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

CONTRACT = Path(__file__).resolve().parent


def count_behaviours(server: str = "real") -> int:
    """Return the number of tests that are tried on a server, without running any.

    Raises:
        subprocess.CalledProcessError: The tests cannot be collected.
    """
    command = [sys.executable, "-m", "pytest", "--collect-only", "-q", "-n0", str(CONTRACT)]
    done = subprocess.run(
        command, cwd=CONTRACT.parent.parent, capture_output=True, text=True, check=True
    )
    return sum(_is_on(line, server) for line in done.stdout.splitlines())


def _is_on(line: str, server: str) -> bool:
    parameters = line.partition("::")[2].partition("[")[2]
    return parameters.rstrip("]").split("-")[0] == server


if __name__ == "__main__":
    sys.stdout.write(f"{count_behaviours(*sys.argv[1:])}\n")
