"""A cluster that answers on this machine: where, to whom, and the roles that its users get."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import httpx

from deployments.local_cluster.credentials import ADMIN
from deployments.local_cluster.roles import RBAC, role_manifests

LOOPBACK = "127.0.0.1"
ANSWER_TIMEOUT_SECONDS = 5.0
APPLY = "application/apply-patch+yaml"


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalCluster:
    """Where an API server is and whom it knows.

    Attributes:
        url: Of the API server; HTTPS on loopback.
        ca_file: PEM, to verify it with.
        tokens: User (`credentials.ADMIN` and others) to bearer token.
        kubeconfig: Has a context for each user; the administrator's is current.
    """

    url: str
    ca_file: Path
    tokens: Mapping[str, str]
    kubeconfig: Path

    def client(self, user: str = ADMIN) -> httpx.Client:
        """Return a client for one of the users."""
        return client_of(self.url, ca_file=self.ca_file, token=self.tokens[user])


def client_of(url: str, *, ca_file: Path, token: str) -> httpx.Client:
    """Return a client of an API server for whom a token stands for."""
    return httpx.Client(
        base_url=url,
        headers={"Authorization": f"Bearer {token}"},
        verify=ssl.create_default_context(cafile=str(ca_file)),
        timeout=ANSWER_TIMEOUT_SECONDS,
        trust_env=False,
    )


def apply_roles(admin: httpx.Client) -> None:
    """Give the users their roles; a cluster of an earlier start may have those of an earlier version.

    Raises:
        httpx.HTTPError: The API server refuses, or does not answer.
    """
    for manifest in role_manifests():
        plural, name = f"{manifest['kind'].lower()}s", manifest["metadata"]["name"]
        admin.patch(
            f"/apis/{RBAC}/v1/{plural}/{name}",
            json=manifest,
            headers={"Content-Type": APPLY},
            params={"fieldManager": "homeostat", "force": "true"},
        ).raise_for_status()
