"""The API server of a cluster that we started, by the kubeconfig that was written for it.

It reads what we write: an address, a certificate and a token. Clusters of people, whose kubeconfigs may
call programs for a token, are for `blocks.KubernetesCluster`.
"""

from __future__ import annotations

import ssl
from base64 import b64decode
from pathlib import Path
from typing import Any

import httpx
import yaml


class KubeconfigError(Exception):
    """The file is not there, or is none that we wrote."""


def api_client(kubeconfig: Path, *, timeout_seconds: float = 10.0) -> httpx.Client:
    """Return a client of the API server for the user of the current context.

    Args:
        kubeconfig: The file.
        timeout_seconds: Of a request.

    Raises:
        KubeconfigError: It cannot be read, or lacks the context, an address or a token.
    """
    try:
        document: dict[str, Any] = yaml.safe_load(kubeconfig.read_text())
        context = _named(document["contexts"], document["current-context"])["context"]
        cluster = _named(document["clusters"], context["cluster"])["cluster"]
        token = _named(document["users"], context["user"])["user"]["token"]
        return httpx.Client(
            base_url=cluster["server"],
            headers={"Authorization": f"Bearer {token}"},
            verify=_trust(cluster),
            timeout=timeout_seconds,
            trust_env=False,
        )
    except (OSError, yaml.YAMLError, LookupError, TypeError, ValueError) as error:
        message = f"{kubeconfig} is no kubeconfig of a local cluster: {error}"
        raise KubeconfigError(message) from error


def _named(entries: list[dict[str, Any]], name: str) -> dict[str, Any]:
    for entry in entries:
        if entry["name"] == name:
            return entry
    raise KeyError(name)


def _trust(cluster: dict[str, Any]) -> ssl.SSLContext:
    if "certificate-authority-data" in cluster:
        pem = b64decode(cluster["certificate-authority-data"]).decode()
        return ssl.create_default_context(cadata=pem)
    return ssl.create_default_context(cafile=cluster.get("certificate-authority"))
