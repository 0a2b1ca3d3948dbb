"""The kubeconfig of a cluster that we started: writing it, and finding the API server by it.

It reads what we write: an address, a certificate and a token. Clusters of people, whose kubeconfigs may
call programs for a token, are for `blocks.KubernetesCluster`.
"""

from __future__ import annotations

import ssl
from base64 import b64decode
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx
import yaml

from deployments.local_cluster.credentials import ADMIN, write_private


class KubeconfigError(Exception):
    """The file is not there, or is none that we wrote."""


def kubeconfig(
    url: str, *, tokens: Mapping[str, str], ca_file: Path | None = None, user: str = ADMIN
) -> str:
    """Return the content of a kubeconfig with a context for each user, named like the user.

    Args:
        url: Of the API server.
        tokens: User to bearer token.
        ca_file: What its certificate is verified with; named, not copied, so that it may be renewed. None
            where it speaks plain HTTP, over which kubectl sends no token.
        user: Of the current context.
    """
    cluster = {"server": url}
    if ca_file is not None:
        cluster["certificate-authority"] = str(ca_file.resolve())
    contexts = [{"name": name, "context": {"cluster": "local", "user": name}} for name in tokens]
    content = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "local", "cluster": cluster}],
        "users": [{"name": name, "user": {"token": token}} for name, token in tokens.items()],
        "contexts": contexts,
        "current-context": user,
    }
    return yaml.safe_dump(content, sort_keys=False)


def write_kubeconfig(
    path: Path, *, url: str, ca_file: Path, tokens: Mapping[str, str], user: str = ADMIN
) -> Path:
    """Write the file, for this user's eyes only, and return its path; arguments as `kubeconfig` has them."""
    write_private(path, kubeconfig(url, tokens=tokens, ca_file=ca_file, user=user))
    return path


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
