"""What lags of events come to, and how a cluster is found."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from benchmarks.cluster_load import Size
from benchmarks.cluster_servers import access_of
from benchmarks.cluster_watch import Sent, figures


def test_lags_are_told_in_milliseconds_and_changes_by_the_second() -> None:
    changes = [Sent(at=at * 0.01, answered=at * 0.01 + 0.01) for at in range(100)]
    found = figures(changes, [0.002] * 99 + [0.2], cpu_seconds=0.5)
    assert found["watch_lag_ms_p50"] == pytest.approx(2.0)
    assert found["watch_lag_ms_max"] == pytest.approx(200.0)
    assert found["watch_write_ms_p99"] == pytest.approx(10.0)
    assert found["watch_changes"] == 100.0
    assert found["watch_changes_per_second"] == pytest.approx(100.0)
    assert found["watch_server_cpu_fraction"] == pytest.approx(0.5)


def test_pods_are_those_of_all_deployments() -> None:
    assert Size(creates=1, deployments=30, replicas=10, watch_seconds=1.0).pods == 300


def test_a_kubeconfig_is_read_for_the_user_of_its_current_context(tmp_path: Path) -> None:
    certificate = tmp_path / "server.crt"
    certificate.write_text("PEM")
    cluster = {"server": "https://127.0.0.1:1", "certificate-authority": str(certificate)}
    document = {
        "clusters": [{"name": "local", "cluster": cluster}],
        "users": [{"name": name, "user": {"token": f"of-{name}"}} for name in ("guest", "admin")],
        "current-context": "admin",
    }
    assert access_of(yaml.safe_dump(document)) == ("https://127.0.0.1:1", "PEM", "of-admin")
