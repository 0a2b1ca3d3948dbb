"""Where a cluster is and who to be there, as a block says it."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import SecretStr, ValidationError

from blocks.cluster import KubernetesCluster, PrometheusServer
from deployments.local_cluster.kubeconfig import kubeconfig

CONFIG = kubeconfig("http://127.0.0.1:6443", tokens={"admin": "secret-token"})


def test_a_kubeconfig_is_read_from_its_content_or_its_path(tmp_path: Path) -> None:
    path = tmp_path / "config"
    path.write_text(CONFIG)
    by_content = KubernetesCluster(kubeconfig=SecretStr(CONFIG)).client()
    by_path = KubernetesCluster(kubeconfig_path=str(path), context="admin").client()
    for client in (by_content, by_path):
        assert client.configuration.host == "http://127.0.0.1:6443"
        assert client.configuration.api_key["BearerToken"] == "Bearer secret-token"
        # Who repeats a request is who counts it.
        assert client.configuration.retries is False


def test_a_kubeconfig_without_clusters_says_how_to_get_a_whole_one() -> None:
    with pytest.raises(ValidationError, match="kubectl config view --raw"):
        KubernetesCluster(kubeconfig=SecretStr("users: []"))


def test_two_ways_at_once_are_refused() -> None:
    with pytest.raises(ValidationError, match="exclude each other"):
        KubernetesCluster(kubeconfig=SecretStr(CONFIG), in_cluster=True)


def test_secrets_are_not_shown() -> None:
    server = PrometheusServer.model_validate({"url": "http://prometheus.test", "token": "hidden"})
    assert "hidden" not in repr(server)
    assert "secret-token" not in repr(KubernetesCluster(kubeconfig=SecretStr(CONFIG)))
