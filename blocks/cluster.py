"""The Kubernetes cluster, and the Prometheus server that watches it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml
from prefect.blocks.core import Block
from prefect.client.orchestration import get_client
from prefect.exceptions import ObjectNotFound
from pydantic import Field, HttpUrl, SecretStr, field_validator, model_validator

if TYPE_CHECKING:
    from kubernetes.client import ApiClient

CREDENTIALS_TYPE = "kubernetes-credentials"
"""Of prefect-kubernetes."""


class CredentialsError(Exception):
    """A block of prefect-kubernetes is not there, or says nothing of a cluster."""


class KubernetesCluster(Block):
    """A cluster: where it is, and who to be there.

    Of the four ways to say so one is used: `in_cluster` inside a pod, a credentials block of
    prefect-kubernetes, the content of a kubeconfig, or the path of one; without any, the file that
    kubectl would use.
    """

    _block_type_name = "Homeostat Kubernetes Cluster"
    _block_type_slug = "homeostat-kubernetes-cluster"
    _description = "Kubeconfig, context and pace for the cluster to look after."

    in_cluster: bool = Field(default=False, description="Use the service account of the pod.")
    credentials: str | None = Field(
        default=None,
        description="Name of a Kubernetes Credentials block of prefect-kubernetes to be as.",
    )
    kubeconfig: SecretStr | None = Field(
        default=None, description="Content of a kubeconfig file, YAML."
    )
    kubeconfig_path: str | None = Field(
        default=None, description="Path of a kubeconfig file on the machine that runs flows."
    )
    context: str | None = Field(
        default=None, description="Context of the kubeconfig; empty for its current one."
    )
    requests_per_second: float = Field(
        default=50.0, gt=0, le=1000, description="At most; the API server is shared with everybody."
    )

    @field_validator("kubeconfig")
    @classmethod
    def _is_a_kubeconfig(cls, value: SecretStr | None) -> SecretStr | None:
        if value is None:
            return None
        found = yaml.safe_load(value.get_secret_value())
        if not isinstance(found, dict) or "clusters" not in found:
            msg = "the kubeconfig has no clusters; paste the whole file, as `kubectl config view --raw` shows it"
            raise ValueError(msg)
        return value

    @model_validator(mode="after")
    def _one_way(self) -> KubernetesCluster:
        ways = (self.credentials, self.kubeconfig, self.kubeconfig_path)
        if self.in_cluster + sum(one is not None for one in ways) > 1:
            msg = (
                "in_cluster, credentials, kubeconfig and kubeconfig_path exclude each other; "
                "give one of them"
            )
            raise ValueError(msg)
        return self

    def client(self) -> ApiClient:
        """Return an official client for the cluster.

        Raises:
            ConfigException: The kubeconfig cannot be read, or has no such context.
            CredentialsError: The block of prefect-kubernetes is not there, or has no cluster.
        """
        # Late: every flow loads blocks, and few of them speak with a cluster.
        from kubernetes import config
        from kubernetes.client import ApiClient, Configuration

        found: Any = Configuration()
        load: Any = config
        if self.in_cluster:
            load.load_incluster_config(client_configuration=found)
        elif self.kubeconfig is not None:
            content = yaml.safe_load(self.kubeconfig.get_secret_value())
            load.load_kube_config_from_dict(
                content, context=self.context, client_configuration=found
            )
        elif self.credentials is not None:
            content, context = _of_prefect_kubernetes(self.credentials)
            load.load_kube_config_from_dict(
                content, context=self.context or context, client_configuration=found
            )
        else:
            path = self.kubeconfig_path and str(Path(self.kubeconfig_path).expanduser())
            load.load_kube_config(path, context=self.context, client_configuration=found)
        # A request is sent once: urllib3 would repeat writes, and wait where the server asks to, unseen.
        found.retries = False
        return ApiClient(found)


def _of_prefect_kubernetes(name: str) -> tuple[dict[str, Any], str | None]:
    """Return kubeconfig and context of a credentials block.

    The document is read, not the class: to import prefect-kubernetes is to import its worker and kopf.
    """
    with get_client(sync_client=True) as client:
        try:
            document = client.read_block_document_by_name(name, CREDENTIALS_TYPE)
        except ObjectNotFound as error:
            msg = f"there is no {CREDENTIALS_TYPE} block {name!r}; make one, or name another"
            raise CredentialsError(msg) from error
    cluster = document.data.get("cluster_config") or {}
    if "config" not in cluster:
        msg = f"the {CREDENTIALS_TYPE} block {name!r} has no cluster config; give it one"
        raise CredentialsError(msg)
    return cluster["config"], cluster.get("context_name")


class PrometheusServer(Block):
    """A Prometheus server, or anything that answers its HTTP API."""

    _block_type_name = "Prometheus Server"
    _block_type_slug = "prometheus-server"
    _description = "Address, credentials and timeout of the Prometheus server to ask."

    url: HttpUrl = Field(description="For example http://prometheus.monitoring:9090.")
    token: SecretStr | None = Field(default=None, description="Bearer token; empty for none.")
    username: str | None = Field(default=None, description="For basic authentication.")
    password: SecretStr | None = Field(default=None, description="For basic authentication.")
    headers: dict[str, str] = Field(
        default_factory=dict, description="Sent with each request, for example X-Scope-OrgID."
    )
    timeout_seconds: float = Field(default=30.0, gt=0, le=600, description="Of one request.")

    def all_headers(self) -> dict[str, str]:
        """Return what each request carries, the token included."""
        if self.token is None:
            return dict(self.headers)
        return self.headers | {"Authorization": f"Bearer {self.token.get_secret_value()}"}

    def login(self) -> tuple[str, str] | None:
        """Return user and password; None where nobody logs in."""
        if self.username is None:
            return None
        return self.username, "" if self.password is None else self.password.get_secret_value()
