"""Blocks of the cluster: what `up` writes into them, and credentials of prefect-kubernetes in use."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from prefect.blocks.core import Block

from blocks.cluster import CredentialsError, KubernetesCluster, PrometheusServer
from deployments.register import BLOCK_NAME, save_cluster_blocks

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("prefect_server")]


class KubernetesClusterConfig(Block):
    """As prefect-kubernetes has it."""

    _block_type_name = "Kubernetes Cluster Config"
    config: dict[str, Any]
    context_name: str


class KubernetesCredentials(Block):
    """As prefect-kubernetes has it."""

    _block_type_name = "Kubernetes Credentials"
    cluster_config: KubernetesClusterConfig | None = None


def kubeconfig(*servers: str) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": servers[0],
        "clusters": [{"name": one, "cluster": {"server": f"https://{one}"}} for one in servers],
        "users": [{"name": one, "user": {"token": f"of-{one}"}} for one in servers],
        "contexts": [{"name": one, "context": {"cluster": one, "user": one}} for one in servers],
    }


def test_credentials_of_prefect_kubernetes_are_used_with_their_context() -> None:
    KubernetesCredentials(
        cluster_config=KubernetesClusterConfig(
            config=kubeconfig("first.example", "second.example"), context_name="second.example"
        )
    ).save("theirs", overwrite=True)

    used = KubernetesCluster(credentials="theirs").client().configuration
    other = KubernetesCluster(credentials="theirs", context="first.example").client().configuration

    assert used.host == "https://second.example"
    assert used.api_key["BearerToken"] == "Bearer of-second.example"
    assert other.host == "https://first.example"


def test_credentials_without_a_cluster_are_refused_by_name() -> None:
    KubernetesCredentials().save("empty", overwrite=True)

    with pytest.raises(CredentialsError, match="'empty' has no cluster config"):
        KubernetesCluster(credentials="empty").client()
    with pytest.raises(CredentialsError, match="no kubernetes-credentials block 'nowhere'"):
        KubernetesCluster(credentials="nowhere").client()


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


def _saved() -> tuple[KubernetesCluster, PrometheusServer]:
    return (
        KubernetesCluster.load(BLOCK_NAME),  # type: ignore[return-value]
        PrometheusServer.load(BLOCK_NAME),
    )


def test_the_cluster_that_was_started_is_the_one_to_look_after(home: Path) -> None:
    for port in (9090, 9091):
        url = f"http://127.0.0.1:{port}"
        save_cluster_blocks(kubeconfig=home / "kubeconfig", prometheus_url=url, home=home)

        cluster, prometheus = _saved()
        assert cluster.kubeconfig_path == str(home / "kubeconfig")
        assert str(prometheus.url) == f"{url}/"


def test_a_cluster_of_theirs_stays_until_another_is_asked_for(home: Path, tmp_path: Path) -> None:
    theirs = KubernetesCluster(kubeconfig=yaml.safe_dump(kubeconfig("prod.example")))
    theirs.save(BLOCK_NAME, overwrite=True)
    PrometheusServer(url="http://prometheus.example").save(BLOCK_NAME, overwrite=True)

    save_cluster_blocks(kubeconfig=home / "kubeconfig", prometheus_url="http://our:1", home=home)
    assert _saved()[0].client().configuration.host == "https://prod.example"
    assert str(_saved()[1].url) == "http://prometheus.example/"

    other = tmp_path / "other"
    other.write_text(yaml.safe_dump(kubeconfig("other.example")))
    save_cluster_blocks(kubeconfig=other, prometheus_url=None, home=home)
    assert _saved()[0].client().configuration.host == "https://other.example"
    assert str(_saved()[1].url) == "http://prometheus.example/"


def test_metrics_of_the_simulated_cluster_are_never_taken_for_those_of_another(
    home: Path, tmp_path: Path
) -> None:
    theirs = tmp_path / "theirs"
    theirs.write_text(yaml.safe_dump(kubeconfig("prod.example")))
    url = "http://127.0.0.1:4292"
    KubernetesCluster(kubeconfig_path=str(home / "kubeconfig")).save(BLOCK_NAME, overwrite=True)
    save_cluster_blocks(kubeconfig=home / "kubeconfig", prometheus_url=url, home=home)

    save_cluster_blocks(kubeconfig=theirs, prometheus_url=None, home=home)
    with pytest.raises(ValueError, match="prometheus-server"):
        PrometheusServer.load(BLOCK_NAME)

    save_cluster_blocks(kubeconfig=theirs, prometheus_url="http://their.example", home=home)
    assert str(_saved()[1].url) == "http://their.example/"


def test_what_a_person_set_for_the_same_cluster_stays(home: Path) -> None:
    ours = home / "kubeconfig"
    KubernetesCluster(kubeconfig_path=str(ours), context="reader", requests_per_second=5.0).save(
        BLOCK_NAME, overwrite=True
    )
    PrometheusServer(url="http://127.0.0.1:9090", timeout_seconds=300.0).save(
        BLOCK_NAME, overwrite=True
    )

    save_cluster_blocks(kubeconfig=ours, prometheus_url="http://127.0.0.1:9191", home=home)

    cluster, prometheus = _saved()
    assert (cluster.context, cluster.requests_per_second) == ("reader", 5.0)
    assert str(prometheus.url) == "http://127.0.0.1:9191/"
    assert prometheus.timeout_seconds == 300.0
