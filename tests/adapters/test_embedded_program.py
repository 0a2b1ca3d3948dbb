from __future__ import annotations

import re
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest

from deployments.embedded.aws.__main__ import main
from deployments.embedded.aws.errors import PortInUseError
from deployments.embedded.aws.server import EmbeddedAwsConfig, serve_aws

pytestmark = pytest.mark.embedded("aws")

PROGRAM = [sys.executable, "-m", "deployments.embedded.aws"]


@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGINT])
def test_it_says_where_it_listens_and_ends_cleanly(signum: signal.Signals) -> None:
    words = ["--port", "0", "--replay-ends", "-2h"]
    with subprocess.Popen(
        [*PROGRAM, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        try:
            line = process.stdout.readline()
            address = re.search(r"http://127\.0\.0\.1:\d+", line)
            assert address is not None, line
            health = httpx.get(f"{address[0]}/_homeostat/health").json()
            process.send_signal(signum)
            out, errors = process.communicate(timeout=20)
        finally:
            process.kill()

    assert health["status"] == "ok"
    assert health["history"]["rows"] == 10_704
    assert (process.returncode, out, errors) == (0, "", "")


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        ({"spot_history": "absent.csv"}, "absent.csv: no such file"),
        ({"replay_ends": "soon"}, "--replay-ends 'soon' is not a time"),
    ],
)
def test_what_it_cannot_start_with_is_one_line(
    words: dict[str, Any], reason: str, capsys: pytest.CaptureFixture[str]
) -> None:
    code = main(port=0, **words)
    errors = capsys.readouterr().err

    assert code == 2
    assert errors.startswith(f"not started: {reason}")
    assert errors.count("\n") == 1


def test_a_port_in_use_is_named() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = subprocess.run(
            [*PROGRAM, "--port", str(port)], capture_output=True, text=True, check=False, timeout=60
        )
        with pytest.raises(PortInUseError), serve_aws(EmbeddedAwsConfig(port=port)):
            pytest.fail("it started")

    assert done.returncode == 2
    assert f"port {port} cannot be used" in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_malformed_fault_file_is_refused_at_start(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "faults.yaml"
    path.write_text("- {operation: 'ec2:Describe', kind: error}\n")

    assert main(port=0, faults=path) == 2
    assert "fault rule 1: operation 'ec2:Describe' matches no AWS" in capsys.readouterr().err
